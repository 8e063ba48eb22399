"""What a question would cost, said before any pixel is sent: tiles, ground, and time where it was measured.

Knows the planning of an ask and the measured pace. Refuses to invent seconds, and to read pixels.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self

from affine import Affine
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from groundproof.ask_options import AskOptions, configuration
from groundproof.boxes import Grid, Tile
from groundproof.config import RunConfig
from groundproof.errors import AoiError, SceneError
from groundproof.georeference import gsd_m
from groundproof.models.profiles import Profile
from groundproof.placement import parse_crs
from groundproof.planning import plan_grid, plan_scene, resolve_question
from groundproof.protocol.tasks import MAX_QUESTION
from groundproof.service.engine import Engine
from groundproof.service.jobs.ask_process import AskProcess
from groundproof.service.jobs.asking import (
    Aoi,
    AoiCrs,
    AoiField,
    Gsd,
    Overlap,
    SceneReference,
    TaskName,
    TileSide,
    aoi_option,
)
from groundproof.service.pace import Pace, PaceStore, Trial
from groundproof.service.settings import Limits
from groundproof.service.uploads.scene_spec import (
    AffineNumbers,
    check_affine,
    check_crs,
    for_pydantic,
)
from groundproof.service.uploads.scenes import SceneStore
from groundproof.tiling import Estimate, TilePlan
from groundproof.wording import duration

TRIAL_WAIT_S = 5.0
"""How long an estimate waits for a trial that has just begun; the next one finds its result."""


class EstimateScene(BaseModel):
    """A scene as `POST /scenes` would declare it, or one that is there: by id, path or URL."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str | None = Field(default=None, description="Of a scene made with POST /scenes.")
    path: str | None = Field(default=None, description="As in POST /ask.")
    url: str | None = Field(default=None, description="As in POST /ask.")
    width: int | None = Field(default=None, gt=0, le=1_000_000, description="Columns, px.")
    height: int | None = Field(default=None, gt=0, le=1_000_000, description="Rows, px.")
    crs: Annotated[str, AfterValidator(for_pydantic(check_crs))] | None = Field(
        default=None, max_length=20_000, description="EPSG:code or WKT. Without one: `pixel_space`."
    )
    affine: Annotated[AffineNumbers, AfterValidator(for_pydantic(check_affine))] | None = Field(
        default=None,
        description="[a, b, c, d, e, f]: x = a*col + b*row + c, y = d*col + e*row + f, from the outer corner of the "
        "first pixel.",
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        named = [name for name in ("id", "path", "url") if getattr(self, name) is not None]
        sized = self.width is not None and self.height is not None
        given = [name for name in ("width", "height", "crs", "affine") if getattr(self, name) is not None]
        if len(named) > 1 or (named and given) or (not named and not sized):
            raise ValueError("give width and height (with crs and affine), or one of id, path and url")
        return self

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height of a scene that is only described; None for one that is there."""
        return None if self.width is None or self.height is None else (self.width, self.height)


class EstimateRequest(BaseModel):
    """A question's scenes and area, before it is asked. The words are those of POST /ask."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "scenes": [
                        {
                            "width": 4000,
                            "height": 3000,
                            "crs": "EPSG:32631",
                            "affine": [0.3, 0.0, 595000.0, 0.0, -0.3, 5745000.0],
                        }
                    ]
                }
            ]
        },
    )

    scenes: tuple[EstimateScene, ...] = Field(min_length=1, max_length=1000)
    question: Annotated[str, StringConstraints(min_length=1, max_length=MAX_QUESTION)] | None = Field(
        default=None, description="Needed only to know that it compares dates: those are looked at together."
    )
    task: TaskName = "auto"
    aoi: Aoi = None
    aoi_crs: AoiCrs = None
    aoi_field: AoiField = None
    tile: TileSide = None
    overlap: Overlap = None
    gsd: Gsd = None
    pixel_space: bool = False
    second_look: bool = False


class EstimateAnswer(BaseModel):
    """What it would cost. The numbers are of tiles that the model is asked about."""

    tiles: int
    skipped: int = Field(description="Tiles known to hold no data; only scenes whose pixels are there tell.")
    area_m2: float | None = Field(description="Of the areas asked about; null in pixel space.")
    gsd_m: float | None = Field(
        description="Metres per pixel of the first scene at its centre; null in pixel space."
    )
    model_gsd_m: float | None = Field(description="The same as the model sees it: tiles may be resampled.")
    seconds: float | None = Field(description="Null where this service has measured nothing like it.")
    seconds_most: float | None = Field(
        default=None,
        description="Where `at_least`: about what it takes if the tiles are full of objects, reckoned from the time "
        "that the model took for each word; null where that is not known.",
    )
    timed_on: str | None = Field(description="What `seconds` was measured on; null with it.")
    at_least: bool = Field(
        description="Whether it takes longer where there are objects: `seconds` was measured on empty tiles."
    )
    tiles_allowed: int = Field(description="Most tiles of one question.")
    notes: list[str] = Field(description="Sentences of the plan: tiles that are resampled, parcels left out.")
    sentence: str = Field(description="All of it for people.")


@dataclass(frozen=True, slots=True)
class _Planned:
    """What of one scene is asked about."""

    plans: tuple[TilePlan, ...]
    estimates: tuple[Estimate, ...]
    gsd_m: float | None
    notes: tuple[str, ...]


class Estimator:
    """Answers `POST /estimate`. Safe to use from any thread."""

    def __init__(
        self, engine: Engine, ask: AskProcess, scenes: SceneStore, pace: PaceStore, limits: Limits
    ) -> None:
        self._engine = engine
        self._ask = ask
        self._scenes = scenes
        self._pace = pace
        self._limits = limits
        self._trial = Trial(engine, pace)

    def __call__(self, request: EstimateRequest, waiting: int = 0) -> EstimateAnswer:
        """waiting: questions that would be answered before. Raises what an ask of it would raise early."""
        found, images = self._planned(request)
        notes = tuple(dict.fromkeys(note for one in found for note in one.notes))
        tiles = [tile for one in found for plan in one.plans for tile in plan.tiles]
        areas = [e.area_m2 for one in found for e in one.estimates if e.area_m2 is not None]
        first = found[0]
        seen_gsd = None if first.gsd_m is None else first.gsd_m / first.plans[0].scale
        skipped = sum(e.skipped for one in found for e in one.estimates)
        area = sum(areas) if areas else None
        pace = self._pace_of(tiles, images) if tiles else None
        seconds = None if pace is None else pace.seconds_per_tile * len(tiles)
        full = None if pace is None else pace.seconds_per_full_tile
        most = None if full is None else full * len(tiles)
        return EstimateAnswer(
            tiles=len(tiles),
            skipped=skipped,
            area_m2=area,
            gsd_m=first.gsd_m,
            model_gsd_m=seen_gsd,
            seconds=None if seconds is None else round(seconds, 1),
            seconds_most=None if most is None else round(most, 1),
            timed_on=None if pace is None else pace.measured_on,
            at_least=pace is not None and pace.trial,
            tiles_allowed=self._limits.tiles,
            notes=list(notes),
            sentence=" ".join(
                [
                    f"{_amounts(len(tiles), skipped, area, seen_gsd)}{self._time(pace, seconds, most, tiles)}",
                    *self._more(request, len(tiles), waiting),
                ]
            ),
        )

    def _planned(self, request: EstimateRequest) -> tuple[list[_Planned], int]:
        """The readable scenes' plans, and how many images each tile has."""
        profile = self._engine.profile
        if request.aoi_crs is not None:
            parse_crs(request.aoi_crs, "aoi_crs")
        questions = (
            ()
            if request.question is None
            else (resolve_question(request.question, request.task, len(request.scenes)),)
        )
        found: list[_Planned] = []
        errors: list[SceneError | AoiError] = []
        with tempfile.TemporaryDirectory(prefix="groundproof-") as folder:
            options = AskOptions(
                scenes=tuple(f"scene {n}" for n in range(1, len(request.scenes) + 1)),
                questions=(request.question or "",),
                aoi=aoi_option(request, Path(folder) / "aoi.fgb"),
                aoi_field=request.aoi_field,
                tile_px=request.tile,
                overlap_px=request.overlap,
                gsd_m=request.gsd,
                pixel_space=request.pixel_space,
            )
            config = configuration(options, profile, questions)
            for scene in request.scenes:
                try:
                    found.append(self._plan(scene, config, profile))
                except (SceneError, AoiError) as err:  # an area may lie in some of the scenes only
                    errors.append(err)
        if not found or (errors and config.compares_dates):
            raise errors[0]
        return (found[:1], len(found)) if config.compares_dates else (found, 1)

    def _plan(self, scene: EstimateScene, config: RunConfig, profile: Profile) -> _Planned:
        if scene.size is not None:
            grid = _grid(scene.size, scene.crs, scene.affine, config)
            return _of_grid(grid, "the scene", config, profile)
        stored = self._scenes.get(scene.id) if scene.id is not None else None
        if stored is not None and not stored.finished:
            grid = _grid((stored.width, stored.height), stored.crs, stored.affine, config)
            return _of_grid(grid, stored.name, config, profile)
        reference = SceneReference(id=scene.id, path=scene.path, url=scene.url)
        plan = plan_scene(self._ask.path(reference), config, profile)
        return _Planned(plan.plans, plan.estimates, plan.row["gsd_m"], plan.notes)

    def _pace_of(self, tiles: list[Tile], images: int) -> Pace | None:
        """The measured pace for such tiles; begins a trial where there is none, and waits a little for it."""
        if not self._engine.ready:
            self._trial.begin(_side(tiles))
            return None
        pixels = images * sum(t.model_width * t.model_height for t in tiles) / len(tiles)
        identity = self._engine.model.identity
        pace = self._pace.pace(identity, pixels)
        if pace is None and images == 1:
            self._trial.begin(_side(tiles)).wait(TRIAL_WAIT_S)
            pace = self._pace.pace(identity, pixels)
        return pace

    def _time(self, pace: Pace | None, seconds: float | None, most: float | None, tiles: list[Tile]) -> str:
        if not tiles:
            return "."
        if pace is not None and seconds is not None:
            if pace.trial and most is not None:
                return (
                    f", about {duration(seconds)} where nothing is found to {duration(most)} where tiles are full of "
                    f"objects (reckoned from {pace.measured_on}; no question was timed here yet)."
                )
            if pace.trial:
                return (
                    f", at least about {duration(seconds)} (timed on {pace.measured_on}; tiles full of objects take "
                    "longer)."
                )
            return f", about {duration(seconds)} (timed on {pace.measured_on})."
        if not self._engine.ready:
            return f". How long that takes is not known yet: {self._engine.state}"
        return ". How long that takes is not known: no tiles like these were timed here yet."

    def _more(self, request: EstimateRequest, tiles: int, waiting: int) -> list[str]:
        said = []
        if tiles > self._limits.tiles:
            said.append(
                f"This service allows {self._limits.tiles:,} tiles for one question: ask about a smaller area, or with "
                "a coarser gsd."
            )
        if request.second_look:
            said.append(
                "The second look comes on top: it asks once more about every box found, and how many there will be "
                "is not known."
            )
        if waiting:
            noun = "question is" if waiting == 1 else "questions are"
            said.append(f"{waiting} other {noun} being answered or waiting, which makes it take longer.")
        return said


def _amounts(tiles: int, skipped: int, area: float | None, seen_gsd: float | None) -> str:
    words = f"{tiles:,} {'tile' if tiles == 1 else 'tiles'}"
    if skipped:
        words += f" ({skipped:,} more hold no data)"
    if area is not None:
        words += f", {area / 1e6:.3g} km2" if area >= 1e5 else f", {area:,.0f} m2"
    if seen_gsd is not None:
        words += f", {seen_gsd:.3g} m per pixel as the model sees it"
    return words


def _side(tiles: list[Tile]) -> tuple[int, int]:
    """Width and height of the first tile; those of one scene are all alike."""
    return tiles[0].model_width, tiles[0].model_height


def _of_grid(grid: Grid, name: str, config: RunConfig, profile: Profile) -> _Planned:
    own = gsd_m(grid)
    plan = plan_grid(grid, name, own, config, profile)
    return _Planned(plan.plans, plan.estimates, own, plan.notes)


def _grid(size: tuple[int, int], crs: str | None, affine: AffineNumbers | None, config: RunConfig) -> Grid:
    """Raises SceneError for a scene without a place that is not asked about in pixel space."""
    if config.pixel_space:
        return Grid(*size)
    if crs is None or affine is None:
        what = "a CRS" if crs is None else "an affine"
        raise SceneError(
            f"A scene of {size[0]} x {size[1]} px comes without {what}, so it has no place on the map. Give both, "
            "or ask with pixel_space."
        )
    return Grid(*size, parse_crs(crs, "crs"), Affine(*affine))

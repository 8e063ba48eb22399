"""Ask scenes a question: plan, run, assemble, write. What every shell calls.

Knows the order of the stages from a question to files. Refuses to know terminals and HTTP: a `Listener`
is told what happens.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import geopandas as gpd
import numpy as np
import pyarrow as pa
from pyproj import CRS

from groundproof.assemble import Area, areas, assemble
from groundproof.boxes import PixelBoxes, Tile, Window
from groundproof.config import MergeConfig, RunConfig
from groundproof.doctor import versions
from groundproof.errors import OutputError, RunError, SceneError, UsageError
from groundproof.follow_up import look_again, overview, overviews_due
from groundproof.frames import named_rows
from groundproof.georeference import Georeferencer, to_pixels
from groundproof.models.base import VisionLanguageModel
from groundproof.models.open import open_model
from groundproof.models.profiles import Profile, get_profile
from groundproof.models.resolve import ModelSpec, resolve
from groundproof.outputs import write, write_summary
from groundproof.outputs.picture import render_picture
from groundproof.outputs.writing import check
from groundproof.planning import SCENES, ScenePlan, grid_of, manifest, plan_scenes, resolve_question
from groundproof.protocol import PROMPT_VERSION
from groundproof.run import RunDirectory
from groundproof.runners.local import run_tiles
from groundproof.sources import Sources
from groundproof.tables import FAILED, Result, TileStatus
from groundproof.trace import Event, EvidenceEvent, PlanEvent

PICTURE_PX = 2000
"""Longest side of a picture's image."""


@dataclass(frozen=True, slots=True)
class AskOptions:
    """What a person asked for, nothing filled in yet. See `groundproof ask --help` for each."""

    scenes: tuple[str, ...]
    question: str
    task: str = "auto"
    aoi: str | None = None
    aoi_field: str | None = None
    bands: tuple[int, ...] | None = None
    tile_px: int | None = None
    overlap_px: int | None = None
    gsd_m: float | None = None
    model: str = "tiny"
    scene_crs: str | None = None
    pixel_space: bool = False
    out_crs: str | None = None
    second_look: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What is about to be done. answered: tiles that the run directory holds already."""

    config: RunConfig
    tiles: int
    skipped: int
    area_m2: float | None
    memory_bytes: int
    answered: int
    notes: tuple[str, ...]

    def sentence(self) -> str:
        """For a person, before anything is asked."""
        question = self.config.questions[0]
        area = "" if self.area_m2 is None else f", {self.area_m2 / 1e6:.3g} km2"
        skipped = f" ({self.skipped} more hold no data)" if self.skipped else ""
        kept = f", {self.answered} of them answered before" if self.answered else ""
        why = f" ({question.task_reason})" if question.task_reason else ""
        return f"{question.task}{why}; {self.config.profile}; {self.tiles} tiles{skipped}{area}{kept}"


@dataclass(frozen=True, slots=True)
class Seen:
    """One box of one tile, before merging, in words. position: x, y of its centre in the scene's CRS."""

    label: str
    quote: str
    size: str
    position: str


class Listener(Protocol):
    """Is told what happens between a question and its result; see `terminal.Terminal`."""

    def note(self, sentence: str) -> None:
        """A sentence the user should know; no failure."""

    def planned(self, plan: Plan) -> None:
        """The plan is made; tiles follow."""

    def saw_plan(self, text: str) -> None:
        """A tile's plan is complete."""

    def saw_evidence(self, seen: Seen) -> None:
        """A box of a tile is complete."""

    def tile_done(self, status: TileStatus, reason: str | None) -> None:
        """A tile has its row."""

    def stage(self, sentence: str) -> None:
        """A later stage begins."""

    def stop_progress(self) -> None:
        """The work is over, or broke off."""


class Silent:
    """A `Listener` that keeps quiet."""

    def note(self, sentence: str) -> None:
        """Nothing."""

    def planned(self, plan: Plan) -> None:
        """Nothing."""

    def saw_plan(self, text: str) -> None:
        """Nothing."""

    def saw_evidence(self, seen: Seen) -> None:
        """Nothing."""

    def tile_done(self, status: TileStatus, reason: str | None) -> None:
        """Nothing."""

    def stage(self, sentence: str) -> None:
        """Nothing."""

    def stop_progress(self) -> None:
        """Nothing."""


class Session:
    """One question from its options to its result. A context manager; leaving it lets go of the model."""

    def __init__(
        self, options: AskOptions, listener: Listener | None = None, *, run: RunDirectory | None = None
    ) -> None:
        self._options = options
        self._listener: Listener = listener or Silent()
        self._run = run
        self._model: VisionLanguageModel | None = None
        self._spec: ModelSpec = resolve(options.model)
        if self._spec.note:
            self._listener.note(self._spec.note)

    @classmethod
    def of_run(cls, path: Path, listener: Listener | None = None) -> Session:
        """A session that goes on with an earlier run. Raises RunError, ModelError."""
        run = RunDirectory.open(path)
        question = run.config.questions[0]
        options = AskOptions(scenes=run.config.scenes, question=question.text, model=run.config.model)
        return cls(options, listener, run=run)

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.stop_progress()
        if self._model is not None:
            self._model.close()

    @property
    def profile(self) -> Profile:
        """What is known of the model asked for."""
        return self._spec.profile

    def estimate(self) -> dict[str, Any]:
        """What the question would cost, timed on the first batch of its own tiles; nothing is kept."""
        config, plans, rows = self._planned()
        with tempfile.TemporaryDirectory(prefix="groundproof-") as scratch:
            run = self._create(Path(scratch) / "estimate.run", config, plans, rows)
            first = run.manifest[run.manifest.batch_id == 0]
            seconds = None
            if len(first):
                one = RunDirectory(run.path, config, run.scenes, first)
                started = time.perf_counter()
                run_tiles(one, self.model, Sources(one), _Quiet())
                seconds = (
                    (time.perf_counter() - started) * int((run.manifest.batch_id >= 0).sum()) / len(first)
                )
        plan = self._plan(config, plans, 0)
        area = "" if plan.area_m2 is None else f", {plan.area_m2 / 1e6:.3g} km2"
        took = "" if seconds is None else f", about {_duration(seconds)} (timed on {len(first)} of them)"
        return {
            "tiles": plan.tiles,
            "skipped": plan.skipped,
            "area_m2": plan.area_m2,
            "seconds": None if seconds is None else round(seconds, 1),
            "memory_bytes": plan.memory_bytes,
            "sentence": f"{plan.tiles} tiles, {plan.skipped} without data{area}{took}, "
            f"{plan.memory_bytes / 2**20:.0f} MB of pixels in memory at a time. Nothing was kept.",
        }

    @property
    def model(self) -> VisionLanguageModel:
        """The model, loaded when first needed. Raises ModelError."""
        if self._model is None:
            self._listener.stage("loading the model")
            self._model = open_model(self._spec)
        return self._model

    def check_outputs(self, target: Path, picture: Path | None, summary: Path | None) -> None:
        """Raise OutputError now for what would fail after the work."""
        check(target)
        for path in (picture, summary):
            if path is not None and not path.absolute().parent.is_dir():
                raise OutputError(
                    f"The folder {path.absolute().parent} does not exist. Make it, or write {path.name} elsewhere."
                )
        if target.suffix.lower() == ".geojson" and self._options.pixel_space:
            raise OutputError(
                "GeoJSON holds longitudes and latitudes, and pixel space has none. Write a .gpkg instead."
            )

    def run(self, directory: Path, *, fresh: bool = False) -> tuple[RunDirectory, Result]:
        """Answer all tiles, then the later passes, and assemble. Resumes what `directory` holds already.

        Raises RunError when it holds another run (unless fresh), and the errors of every stage; what was
        answered is kept in any case.
        """
        run = self._run or self._open(directory, fresh=fresh)
        if run.config.model_identity != self.model.identity:
            raise RunError(
                f"{run.path} was answered by {run.config.model_identity}; now {run.config.model} is "
                f"{self.model.identity}. Use the same weights, or start a new run with --fresh."
            )
        with run.lock():
            sources = Sources(run)
            self._listener.planned(self._plan_of(run))
            run_tiles(run, self.model, sources, _Telling(run, self._listener, self.profile))
            result = self._follow_up(run, sources)
        self._listener.stop_progress()
        return run, result

    def _follow_up(self, run: RunDirectory, sources: Sources) -> Result:
        result = assemble(run, self.profile, metadata=provenance(run))
        due = overviews_due(run)
        for area in due:
            self._listener.stage("looking at the whole area")
            overview(run, self.model, sources, area, result)
        if due:
            result = assemble(run, self.profile, metadata=provenance(run))
        if self._options.second_look or run.config.second_look:
            again = [area for area in areas(run) if not run.has_follow_up("second-look", area.answer_id)]
            for area in again:
                self._listener.stage("second look")
                evidence = result.evidence[result.evidence.answer_id == area.answer_id]
                look_again(run, self.model, sources, area, evidence)
            result = assemble(run, self.profile, metadata=provenance(run))
        return result

    def _open(self, directory: Path, *, fresh: bool) -> RunDirectory:
        existing = (directory / "run.toml").exists()
        if directory.exists() and not existing and (not directory.is_dir() or any(directory.iterdir())):
            unfinished = directory.is_dir() and (directory / "answers").is_dir()
            if not unfinished:
                raise RunError(f"{directory} exists and is no run directory. Name another --run-dir.")
        if existing and fresh:
            with RunDirectory.open(directory).lock():
                shutil.rmtree(directory)
            existing = False
        config, plans, rows = self._planned()
        if existing:
            run = RunDirectory.open(directory)
            run.require_same(config)
            self._same_files(run, plans)
            return run
        return self._create(directory, config, plans, rows)

    def _same_files(self, run: RunDirectory, plans: list[ScenePlan]) -> None:
        planned = {scene["path"]: scene["content_id"] for scene in run.scenes}
        for plan in plans:
            if planned.get(plan.row["path"]) != plan.row["content_id"]:
                raise RunError(
                    f"{plan.row['path']} has changed since {run.path} was started. Start anew with --fresh, "
                    "or name another --run-dir."
                )

    def _create(
        self, directory: Path, config: RunConfig, plans: list[ScenePlan], rows: list[dict[str, Any]]
    ) -> RunDirectory:
        scenes = pa.Table.from_pylist(rows, SCENES)
        return RunDirectory.create(directory, config, scenes, manifest(config, self.profile, plans, rows))

    def _planned(self) -> tuple[RunConfig, list[ScenePlan], list[dict[str, Any]]]:
        """Plan with the profile alone, so that a bad scene is said before weights are loaded."""
        options, profile = self._options, self.profile
        question = resolve_question(options.question, options.task, len(options.scenes))
        if options.out_crs is not None:
            _known_crs(options.out_crs, pixel_space=options.pixel_space)
        config = RunConfig(
            scenes=options.scenes,
            questions=(question,),
            model=options.model,
            model_identity="",
            profile=profile.name,
            prompt_version=PROMPT_VERSION,
            batch_size=1,
            scene_crs=options.scene_crs,
            pixel_space=options.pixel_space,
            bands=options.bands,
            aoi=options.aoi,
            aoi_field=options.aoi_field,
            tile_px=options.tile_px if options.tile_px is not None else profile.tile_px,
            overlap_px=_overlap(options, profile),
            gsd_m=options.gsd_m,
            max_new_tokens=profile.max_new_tokens,
            second_look=options.second_look,
            out_crs=options.out_crs,
        )
        plans, rows = plan_scenes(config, profile)
        model = self.model
        return (
            config.model_copy(update={"model_identity": model.identity, "batch_size": model.max_in_flight}),
            plans,
            rows,
        )

    def _plan(self, config: RunConfig, plans: list[ScenePlan], answered: int) -> Plan:
        estimates = [e for p in plans for e in p.estimates]
        known = [e.area_m2 for e in estimates if e.area_m2 is not None]
        return Plan(
            config,
            tiles=sum(e.tiles for e in estimates),
            skipped=sum(e.skipped for e in estimates),
            area_m2=sum(known) if known else None,
            memory_bytes=max((e.memory_bytes for e in estimates), default=0),
            answered=answered,
            notes=tuple(dict.fromkeys(note for p in plans for note in p.notes)),
        )

    def _plan_of(self, run: RunDirectory) -> Plan:
        """The plan as the run directory holds it, so that resuming needs to open no scene."""
        found = areas(run)
        known = [a.aoi_px.area * a.scene["gsd_m"] ** 2 for a in found if a.scene["gsd_m"]]
        tiles = run.manifest[run.manifest.batch_id >= 0]
        largest = int((tiles.model_width * tiles.model_height).max()) if len(tiles) else 0
        notes = dict.fromkeys(note for scene in run.scenes for note in scene["notes"])
        return Plan(
            run.config,
            tiles=len(tiles),
            skipped=len(run.manifest) - len(tiles),
            area_m2=float(sum(known)) if known else None,
            memory_bytes=largest * 3,
            answered=len(tiles) - int(tiles.batch_id.isin(run.pending()).sum()),
            notes=tuple(notes),
        )


class _Quiet:
    """An `Observer` that does nothing."""

    def event(self, scene: str, tile: Tile, event: Event) -> None:
        """Nothing."""

    def tile_done(self, scene: str, tile: Tile, status: TileStatus, reason: str | None) -> None:
        """Nothing."""


class _Telling:
    """Turns a runner's events into words for a listener: sizes and positions on the ground."""

    def __init__(self, run: RunDirectory, listener: Listener, profile: Profile) -> None:
        self._listener = listener
        self._profile = profile
        self._scenes = {
            str(row["scene"]): Georeferencer(grid_of(row)) for row in run.scenes if row["status"] == "ok"
        }

    def event(self, scene: str, tile: Tile, event: Event) -> None:
        """Plans and evidence are worth telling while the model writes."""
        if isinstance(event, PlanEvent):
            self._listener.saw_plan(event.text)
        elif isinstance(event, EvidenceEvent):
            where = self._scenes[scene]
            placed = to_pixels(
                event.evidence.box, self._profile.frame, tile, (where.grid.width, where.grid.height)
            )
            if placed.box is None or placed.problem is not None:
                return
            boxes = PixelBoxes.of([placed.box])
            x0, y0, x1, y1 = boxes.xyxy[0]
            x, y = where.to_map_points(np.array([(x0 + x1) / 2]), np.array([(y0 + y1) / 2]))
            _, width, height = where.sizes(boxes)
            size = (
                f"{x1 - x0:.0f} x {y1 - y0:.0f} px"
                if np.isnan(width[0])
                else f"{width[0]:.1f} x {height[0]:.1f} m"
            )
            self._listener.saw_evidence(
                Seen(
                    event.evidence.label,
                    event.evidence.quote,
                    size,
                    position_words(float(x[0]), float(y[0]), where.crs),
                )
            )

    def tile_done(self, scene: str, tile: Tile, status: TileStatus, reason: str | None) -> None:
        """Passed on."""
        self._listener.tile_done(status, reason)


def position_words(x: float, y: float, crs: CRS | None) -> str:
    """A place as people read it: degrees to about a decimetre, metres to a decimetre, pixels whole."""
    if crs is None:
        return f"column {x:.0f}, row {-y:.0f}"
    return f"{x:.6f}, {y:.6f}" if crs.is_geographic else f"{x:.1f}, {y:.1f}"


def provenance(run: RunDirectory) -> dict[str, Any]:
    """What a result says of how it was made, beside its configuration."""
    return {
        "model": run.config.model_identity,
        "profile": run.config.profile,
        "prompt_version": run.config.prompt_version,
        "versions": versions(),
    }


def merge_run(
    path: Path, *, iou: float | None = None, ios: float | None = None, out_crs: str | None = None
) -> tuple[RunDirectory, Result]:
    """The result of a run again, without a model. Raises RunError, UsageError."""
    run = RunDirectory.open(path)
    given = {key: value for key, value in (("iou", iou), ("ios", ios)) if value is not None}
    for key, value in given.items():
        if not 0 < value <= 1:
            raise UsageError(f"--{key} {value} is not an overlap. Give a number above 0, at most 1.")
    if out_crs is not None:
        _known_crs(out_crs, pixel_space=run.config.pixel_space)
    merge_config: MergeConfig = run.config.merge.model_copy(update=given)
    profile = _profile_of(run)
    return run, assemble(run, profile, metadata=provenance(run), merge_config=merge_config, out_crs=out_crs)


def _profile_of(run: RunDirectory) -> Profile:
    """Of the weights where they are still there, else by its name: parsing needs no weights."""
    return get_profile(run.config.profile)


def write_outputs(
    run: RunDirectory,
    result: Result,
    target: Path,
    *,
    picture: Path | None = None,
    summary: Path | None = None,
) -> dict[str, str]:
    """Write the result, and the picture and summary where asked. What was made, by kind; "result" last.

    Raises OutputError; the run directory keeps everything, so nothing is lost.
    """
    files: dict[str, str] = {}
    try:
        if summary is not None:
            write_summary(result, summary)
            files["summary"] = str(summary)
        if picture is not None:
            for number, area in enumerate(areas(run), start=1):
                path = picture if number == 1 else picture.with_stem(f"{picture.stem}-{number}")
                _draw(run, result, area, path)
                files["picture" if number == 1 else f"picture {number}"] = str(path)
        write(result, target)
    except OutputError as err:
        raise OutputError(
            f"{err} The answers are kept: write them with `groundproof merge {run.path} -o FILE`."
        ) from err
    files["result"] = str(target)
    return files


def failures(result: Result) -> str | None:
    """One line about failed tiles and scenes; None when all went well."""
    tiles = int(result.tiles.status.isin([s.value for s in FAILED]).sum() + result.tiles.status.isna().sum())
    scenes = result.scenes[result.scenes.status != "ok"]
    parts = []
    if tiles:
        parts.append(f"{tiles} of {len(result.tiles)} tiles failed")
    if len(scenes):
        reasons = "; ".join(f"{row.scene}: {row.reason}" for row in named_rows(scenes))
        parts.append(f"{len(scenes)} of {len(result.scenes)} scenes failed ({reasons})")
    return f"Answered, but {' and '.join(parts)}." if parts else None


def default_output(scene: str) -> Path:
    """`SCENE-answer.gpkg` in the current folder."""
    name = scene.rstrip("/").rpartition("/")[2].partition("?")[0]
    return Path(f"{Path(name).stem or 'scene'}-answer.gpkg")


@dataclass(frozen=True)
class Answer:
    """The answer to one question about one scene (or several).

    result: the four tables. run_dir: where the raw answers lie; None when they were not kept.
    """

    result: Result
    run_dir: Path | None

    @property
    def text(self) -> str:
        """The answer as a sentence; several are joined by line breaks."""
        return "\n".join(self.result.answers.answer)

    @property
    def value(self) -> Any:
        """The first answer for machines: a count, True or False, E-numbers, text."""
        return self.result.answers.value.iloc[0]

    @property
    def evidence(self) -> gpd.GeoDataFrame:
        """One row per box, with its polygon, quote, size and verdict."""
        return self.result.evidence

    @property
    def answers(self) -> gpd.GeoDataFrame:
        """One row per scene (or parcel), with plan, synthesis, coverage and audit."""
        return self.result.answers

    @property
    def coverage(self) -> dict[str, Any]:
        """What the first answer looked at, and what not."""
        return dict(self.result.answers.coverage.iloc[0])

    @property
    def audit(self) -> list[dict[str, Any]]:
        """What weakens or confirms the first answer."""
        return list(self.result.answers.audit.iloc[0])


def ask(
    scene: str | Path | list[str | Path],
    question: str,
    *,
    out: str | Path | None = None,
    picture: str | Path | None = None,
    run_dir: str | Path | None = None,
    listener: Listener | None = None,
    **options: Any,
) -> Answer:
    """Ask a question of a scene; see `AskOptions` for the further options (task, aoi, model, ...).

    Without out and run_dir nothing is left on disk. Raises a `GroundproofError` for whatever cannot be done.

    >>> answer = groundproof.ask("harbour.tif", "How many storage tanks are there?")  # doctest: +SKIP
    >>> answer.evidence[["evidence_id", "label", "area_m2"]]  # doctest: +SKIP
    """
    scenes = scene if isinstance(scene, list) else [scene]
    asked = AskOptions(scenes=tuple(str(s) for s in scenes), question=question, **options)
    kept = (
        Path(run_dir) if run_dir is not None else Path(out).with_suffix(".run") if out is not None else None
    )
    with tempfile.TemporaryDirectory(prefix="groundproof-") as scratch, Session(asked, listener) as session:
        if out is not None:
            session.check_outputs(Path(out), Path(picture) if picture else None, None)
        run, result = session.run(kept or Path(scratch) / "ask.run")
        if out is not None:
            write_outputs(run, result, Path(out), picture=Path(picture) if picture else None)
    return Answer(result, kept)


def _draw(run: RunDirectory, result: Result, area: Area, path: Path) -> None:
    """The area with a little of its surroundings, at most `PICTURE_PX` on its longest side."""
    window = _picture_window(area)
    scale = min(1.0, PICTURE_PX / max(window.width, window.height))
    tile = Tile(0, window, max(1, round(window.width * scale)), max(1, round(window.height * scale)))
    try:
        with Sources(run).views(str(area.scene["scene"])) as views:
            rgb = views.read(tile).rgb
    except SceneError as err:
        raise OutputError(f"The picture cannot be drawn: {err}") from err
    render_picture(result, rgb, window, path, answer_id=area.answer_id)


def _picture_window(area: Area) -> Window:
    x0, y0, x1, y1 = area.aoi_px.bounds
    margin = 0.05 * max(x1 - x0, y1 - y0)
    left, top = max(0, int(x0 - margin)), max(0, int(y0 - margin))
    right, bottom = min(area.grid.width, ceil(x1 + margin)), min(area.grid.height, ceil(y1 + margin))
    return Window(left, top, right - left, bottom - top)


def _overlap(options: AskOptions, profile: Profile) -> int:
    if options.overlap_px is not None:
        return options.overlap_px
    if options.tile_px is None:
        return profile.overlap_px
    return min(profile.overlap_px, options.tile_px // 4)


def _known_crs(text: str, *, pixel_space: bool) -> None:
    from groundproof.placement import parse_crs

    if pixel_space:
        raise UsageError(
            f"--out-crs {text} needs scenes with a georeference; --pixel-space results are in pixels."
        )
    parse_crs(text, "--out-crs")


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"

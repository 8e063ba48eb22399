"""From what was asked to a plan: which scenes, which areas, which tiles, in which batches.

Knows scenes, AOIs, tilings and the model's profile. Refuses to know weights and answers: a plan is
complete before any inference, and tells what it will cost.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import shapely
from affine import Affine
from pyproj import CRS
from shapely.geometry import MultiPolygon, Polygon

from groundproof.aoi import Aoi, resolve_aois
from groundproof.boxes import Grid, GroundControlPoint, Tile
from groundproof.config import Question, RunConfig
from groundproof.dates import check_dates
from groundproof.errors import AoiError, SceneError, UsageError
from groundproof.models.profiles import Profile
from groundproof.protocol import (
    Prompt,
    Task,
    check_question,
    infer_task,
    is_change,
    render,
    target_labels,
)
from groundproof.run import MANIFEST
from groundproof.scene import open_scene
from groundproof.tiling import Estimate, TilePlan, estimate, plan
from groundproof.validity import ValidityIndex, index_validity

SCENES = pa.schema(
    [
        ("scene", pa.string()),
        ("path", pa.string()),
        ("content_id", pa.string()),
        ("crs_wkt", pa.string()),
        ("affine", pa.list_(pa.float64())),
        ("gcps", pa.list_(pa.list_(pa.float64()))),
        ("width", pa.int64()),
        ("height", pa.int64()),
        ("gsd_m", pa.float64()),
        ("datetime", pa.string()),
        ("status", pa.string()),
        ("reason", pa.string()),
        ("notes", pa.list_(pa.string())),
        ("aois", pa.list_(pa.struct([("name", pa.string()), ("polygon_px", pa.binary())]))),
    ]
)
"""scenes.parquet. aois: what of the scene is asked about, WKB polygons in scene pixels, in answer order."""


@dataclass(frozen=True, slots=True)
class ScenePlan:
    """One readable scene with its areas and their tilings."""

    row: dict[str, Any]
    aois: tuple[Aoi, ...]
    plans: tuple[TilePlan, ...]
    estimates: tuple[Estimate, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GridPlan:
    """The areas asked about on one grid, with a tiling and its cost for each. notes: sentences for the user."""

    aois: tuple[Aoi, ...]
    plans: tuple[TilePlan, ...]
    estimates: tuple[Estimate, ...]
    notes: tuple[str, ...]


def resolve_question(text: str, task: str, n_scenes: int) -> Question:
    """The question with its task and the labels it asks for.

    Raises UsageError for an empty or too long question, an unknown task, or change with one date.
    """
    text = check_question(text)
    reason = None
    if task == "auto":
        guess = infer_task(text, n_scenes if is_change(text) else 1)
        chosen, reason = guess.task, guess.reason
    elif task in {t.value for t in Task}:
        chosen = Task(task)
    else:
        allowed = ", ".join(t.value for t in Task)
        raise UsageError(f"--task {task!r} is not a task. Give auto or one of: {allowed}.")
    if n_scenes < 2 and (chosen is Task.CHANGE or is_change(text)):
        raise UsageError(
            f"{text!r} asks for a change between dates, which one scene cannot show. Give the scenes of two or "
            "more dates, the earliest first, or ask about what is there now."
        )
    return Question(text=text, task=chosen.value, task_reason=reason, labels=target_labels(text, chosen))


def plan_scenes(config: RunConfig, profile: Profile) -> tuple[list[ScenePlan], list[dict[str, Any]]]:
    """Plans of the readable scenes, and rows of all scenes in the order given (failed ones with a reason).

    Raises the scene's own error when there is only one scene, SceneError when none can be read, and
    UsageError for options that fit none.
    """
    plans: list[ScenePlan] = []
    rows: list[dict[str, Any]] = []
    names: dict[str, int] = {}
    errors: list[SceneError | AoiError] = []
    for path in config.scenes:
        try:
            found = plan_scene(path, config, profile, names)
        except (SceneError, AoiError) as err:  # an area may lie in some of the scenes only
            if len(config.scenes) == 1:
                raise
            errors.append(err)
            rows.append(_failed_row(path, names, str(err)))
            continue
        plans.append(found)
        rows.append(found.row)
    if errors and all(isinstance(err, AoiError) for err in errors) and not plans:
        raise errors[0]
    if config.compares_dates:
        _as_dates(plans, rows)
    if not plans:
        reasons = "\n".join(f"  {row['path']}: {row['reason']}" for row in rows)
        raise SceneError(f"None of the {len(rows)} scenes can be used:\n{reasons}")
    return plans, rows


def _as_dates(plans: list[ScenePlan], rows: list[dict[str, Any]]) -> None:
    """All scenes are dates of one place: one answer, on the grid of the first. Raises SceneError."""
    failed = [row for row in rows if row["status"] != "ok"]
    if failed:
        raise SceneError(
            "To compare dates every scene is needed:\n" + "\n".join(f"  {r['reason']}" for r in failed)
        )
    first = plans[0]
    for later in plans[1:]:
        check_dates(grid_of(first.row), grid_of(later.row), later.row["scene"])
        later.row["aois"] = []
    del plans[1:]


def manifest(
    config: RunConfig, profile: Profile, plans: list[ScenePlan], rows: list[dict[str, Any]]
) -> pa.Table:
    """manifest.parquet: tiles in reading order, the questions about one tile next to each other."""
    return pa.Table.from_pylist(list(_rows(config, profile, plans, rows)), MANIFEST)


def _rows(
    config: RunConfig, profile: Profile, plans: list[ScenePlan], rows: list[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    dates = len(config.scenes) if config.compares_dates else 1
    prompts = [prompt_of(config, profile, question, dates) for question in config.questions]
    seq = batch = 0
    answer = 1
    for scene in plans:
        content = (
            "+".join(r["content_id"] for r in rows) if config.compares_dates else scene.row["content_id"]
        )
        filled = 0
        for tile_plan in scene.plans:
            ids = [f"A{answer + i}" for i in range(len(config.questions))]
            answer += len(ids)
            tiles = [(t, False) for t in tile_plan.tiles] + [(t, True) for t in tile_plan.skipped]
            for tile, skipped in tiles:
                for number, prompt in enumerate(prompts):
                    if not skipped and filled == config.batch_size:
                        batch, filled = batch + 1, 0
                    yield {
                        "seq": seq,
                        "batch_id": -1 if skipped else batch,
                        "tile_id": _tile_id(config, content, tile, prompt.system, prompt.text),
                        "answer_id": ids[number],
                        "scene": scene.row["scene"],
                        "question": number,
                        "tile": tile.index,
                        "x0": tile.window.x0,
                        "y0": tile.window.y0,
                        "width": tile.window.width,
                        "height": tile.window.height,
                        "model_width": tile.model_width,
                        "model_height": tile.model_height,
                    }
                    seq += 1
                    filled += not skipped
        if filled:
            batch += 1


def prompt_of(config: RunConfig, profile: Profile, question: Question, n_images: int) -> Prompt:
    """What every tile is asked. n_images: dates of one place."""
    earlier = None if config.follows is None else config.follows.text
    return render(Task(question.task), question.text, profile, question.labels, n_images, earlier=earlier)


def _tile_id(config: RunConfig, content_id: str, tile: Tile, system: str, text: str) -> str:
    """Hash of content identity, window, prompt, model and decoding: the same work has the same name."""
    window = tile.window
    parts = (
        content_id,
        config.bands,
        (window.x0, window.y0, window.width, window.height, tile.model_width, tile.model_height),
        (config.prompt_version, system, text),
        (config.model_identity, config.max_new_tokens, config.constrained),
    )
    return hashlib.blake2b(repr(parts).encode(), digest_size=12).hexdigest()


def plan_scene(path: str, config: RunConfig, profile: Profile, names: dict[str, int]) -> ScenePlan:
    """The plan of one scene. names: short names given so far, which become one more. Raises as `plan_scenes`."""
    with open_scene(
        path, scene_crs=config.scene_crs, pixel_space=config.pixel_space, bands=config.bands
    ) as scene:
        found = plan_grid(scene.grid, scene.name, scene.gsd_m, config, profile, lambda: index_validity(scene))
        notes = (*scene.notes, *found.notes)
        row = {
            "scene": _unique(scene.name, names),
            "path": path,
            "content_id": scene.content_id,
            **_place(scene.grid),
            "width": scene.width,
            "height": scene.height,
            "gsd_m": scene.gsd_m,
            "datetime": scene.datetime,
            "status": "ok",
            "reason": None,
            "notes": list(notes),
            "aois": [
                {"name": aoi.name, "polygon_px": shapely.to_wkb(_multi(aoi.polygon_px))} for aoi in found.aois
            ],
        }
        return ScenePlan(row, found.aois, found.plans, found.estimates, notes)


def plan_grid(
    grid: Grid,
    name: str,
    gsd_m: float | None,
    config: RunConfig,
    profile: Profile,
    valid: Callable[[], ValidityIndex | None] = lambda: None,
) -> GridPlan:
    """The areas and tilings of one grid; needs no pixels.

    name: of the scene, for sentences. gsd_m: of the grid, None in pixel space. valid: where the scene may hold
    pixels; asked when the areas are known. Raises AoiError, UsageError.
    """
    selection = resolve_aois(grid, config.aoi, config.aoi_field)
    scale, scale_note = _scale(name, gsd_m, config, profile)
    index = valid()
    plans = tuple(
        plan(
            grid,
            None if config.aoi is None else aoi.polygon_px,
            tile_px=config.tile_px,
            overlap_px=config.overlap_px,
            multiple_px=profile.patch_merge_px,
            scale=scale,
            valid=index,
        )
        for aoi in selection.aois
    )
    estimates = tuple(estimate(one, gsd_m) for one in plans)
    return GridPlan(selection.aois, plans, estimates, (*selection.notes, *scale_note))


def _multi(polygon: Polygon | MultiPolygon) -> MultiPolygon:
    return polygon if isinstance(polygon, MultiPolygon) else MultiPolygon([polygon])


def _scale(
    name: str, gsd_m: float | None, config: RunConfig, profile: Profile
) -> tuple[float, tuple[str, ...]]:
    """Model pixels per scene pixel, and a sentence when it is not 1 by our own decision."""
    if config.gsd_m is not None:
        if gsd_m is None:
            raise UsageError(
                f"--gsd {config.gsd_m:g} needs a scene whose pixels have a known size on the ground; "
                f"{name} is in pixel space. Leave --gsd out, or give the scene's CRS."
            )
        if config.gsd_m <= 0:
            raise UsageError(
                f"--gsd {config.gsd_m:g} is not a size. Give metres per pixel, such as --gsd 0.5."
            )
        return gsd_m / config.gsd_m, ()
    if profile.gsd_m is None or gsd_m is None:
        return 1.0, ()
    finest, coarsest = profile.gsd_m
    target = min(max(gsd_m, finest), coarsest)
    if target == gsd_m:
        return 1.0, ()
    note = (
        f"{name} has {gsd_m:.3g} m per pixel; {profile.name} was trained on {finest:g} to {coarsest:g} m, "
        f"so its tiles are resampled to {target:.3g} m. Choose otherwise with --gsd."
    )
    return gsd_m / target, (note,)


def grid_of(scene: dict[str, Any]) -> Grid:
    """The grid of one row of scenes.parquet."""
    crs, affine, gcps = scene["crs_wkt"], scene["affine"], scene["gcps"]
    return Grid(
        int(scene["width"]),
        int(scene["height"]),
        None if crs is None else CRS.from_wkt(crs),
        None if affine is None else Affine(*affine),
        () if gcps is None else tuple(GroundControlPoint(*point) for point in gcps),
    )


def _place(grid: Grid) -> dict[str, Any]:
    return {
        "crs_wkt": None if grid.crs is None or grid.is_pixel_space else grid.crs.to_wkt("WKT2_2019"),
        "affine": None if grid.affine is None else [float(v) for v in tuple(grid.affine)[:6]],
        "gcps": [[p.col, p.row, p.x, p.y] for p in grid.gcps] or None,
    }


def _failed_row(path: str, names: dict[str, int], reason: str) -> dict[str, Any]:
    name = path.rstrip("/").rpartition("/")[2].rpartition(".")[0] or path
    empty = dict.fromkeys(SCENES.names)
    return {
        **empty,
        "scene": _unique(name, names),
        "path": path,
        "status": "failed",
        "reason": reason,
        "notes": [],
        "aois": [],
    }


def _unique(name: str, names: dict[str, int]) -> str:
    unique = name
    while unique in names:  # a file may really be called "harbour (2)"
        names[name] += 1
        unique = f"{name} ({names[name]})"
    names[unique] = 1
    return unique

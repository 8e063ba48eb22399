"""From what was asked to a plan: which scenes, which areas, which tiles, in which batches.

Knows scenes, AOIs, tilings and the model's profile. Refuses to know weights and answers: a plan is
complete before any inference, and tells what it will cost.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from affine import Affine
from pyproj import CRS

from groundproof.aoi import Aoi, resolve_aois
from groundproof.boxes import Grid, GroundControlPoint
from groundproof.config import Question, RunConfig
from groundproof.datasets import short, without_secrets
from groundproof.dates import check_dates
from groundproof.duplicates import SeenFiles
from groundproof.errors import AoiError, MisfitError, OutsideError, SceneError, UsageError
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
from groundproof.run_files import SCENES
from groundproof.scene import open_scene
from groundproof.tiling import Estimate, TilePlan, estimate, plan
from groundproof.validity import ValidityIndex, index_validity

PLAN_THREADS = 8
PLANNED_AHEAD = 32
"""Scenes opened at the same time, and planned before they are written: bounds the memory."""


@dataclass(frozen=True, slots=True)
class ScenePlan:
    """One readable scene with its areas and their tilings.

    row: of `SCENES`, its areas still left out. content: what its tiles show, all dates of them.
    """

    row: dict[str, Any]
    content: str
    whole: bool
    """Nobody named an area: all of the scene is asked about."""
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


def plan_scenes(config: RunConfig, profile: Profile) -> Iterator[ScenePlan | dict[str, Any]]:
    """Plans of the readable scenes, and rows of those that failed, in the order given, as they are made.

    Raises the scene's own error when there is only one scene, and UsageError for options that fit none. Dates of
    one place are planned together: every one is needed.
    """
    found = _named(_at_once(config, profile))
    return iter(_as_dates(list(found))) if config.compares_dates else _once_each(found, config)


def _at_once(config: RunConfig, profile: Profile) -> Iterator[ScenePlan | dict[str, Any]]:
    """In the order given, several at a time: opening a file over a network is waiting."""

    def planned(path: str, aoi: str | None, taken: str, flaw: str) -> ScenePlan | dict[str, Any]:
        if flaw:
            return _failed_row(path, flaw, outside=False)
        try:
            plan = plan_scene(path, config.model_copy(update={"aoi": aoi}), profile)
        except (SceneError, MisfitError, AoiError) as err:
            # An area may lie in some of the scenes only; one that is no area is so for all, unless it is this one's.
            its_own = isinstance(err, OutsideError) or bool(config.scene_aois)
            if (len(config.scenes) == 1 and not config.batch) or (isinstance(err, AoiError) and not its_own):
                raise
            return _failed_row(path, str(err), outside=isinstance(err, OutsideError))
        plan.row["datetime"] = taken or plan.row["datetime"]
        return plan

    nothing = ("",) * len(config.scenes)
    asked = zip(
        config.scenes,
        config.aois,
        config.scene_datetimes or nothing,
        config.scene_flaws or nothing,
        strict=True,
    )
    ahead: deque[Future[ScenePlan | dict[str, Any]]] = deque()
    with ThreadPoolExecutor(PLAN_THREADS, "plan") as pool:
        try:
            for scene in asked:
                ahead.append(pool.submit(planned, *scene))
                if len(ahead) >= PLANNED_AHEAD:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            for waiting in ahead:
                waiting.cancel()


def _named(found: Iterator[ScenePlan | dict[str, Any]]) -> Iterator[ScenePlan | dict[str, Any]]:
    names: dict[str, int] = {}
    for one in found:
        row = one.row if isinstance(one, ScenePlan) else one
        row["scene"] = _unique(row["scene"], names)
        yield one


def _once_each(
    found: Iterator[ScenePlan | dict[str, Any]], config: RunConfig
) -> Iterator[ScenePlan | dict[str, Any]]:
    """A file that was planned before is a failed row that names it: its objects would count twice."""
    seen = SeenFiles()
    for one, aoi in zip(found, config.aois, strict=True):
        if isinstance(one, ScenePlan):
            try:
                earlier = seen.earlier(one.row["path"], one.row["content_id"], aoi, one.row["scene"])
            except OSError as err:
                reason = f"{one.row['path']} cannot be read any more: {err.strerror or err}."
                yield _failed_row(one.row["path"], reason, outside=False) | {"scene": one.row["scene"]}
                continue
            if earlier is not None:
                path = without_secrets(one.row["path"])
                reason = f"{path} is the same file as the scene {earlier}, which is looked at."
                yield _failed_row(one.row["path"], reason, outside=False) | {"scene": one.row["scene"]}
                continue
        yield one


def _as_dates(found: list[ScenePlan | dict[str, Any]]) -> list[ScenePlan | dict[str, Any]]:
    """All scenes are dates of one place: one answer, on the grid of the first. Raises SceneError."""
    plans = [one for one in found if isinstance(one, ScenePlan)]
    failed = [one for one in found if not isinstance(one, ScenePlan)]
    if failed:
        raise SceneError(
            "To compare dates every scene is needed:\n" + "\n".join(f"  {row['reason']}" for row in failed)
        )
    first = plans[0]
    for later in plans[1:]:
        check_dates(grid_of(first.row), grid_of(later.row), later.row["scene"])
    content = "+".join(plan.row["content_id"] for plan in plans)
    return [
        replace(first, content=content),
        *(replace(later, aois=(), plans=(), estimates=()) for later in plans[1:]),
    ]


def prompt_of(config: RunConfig, profile: Profile, question: Question, n_images: int) -> Prompt:
    """What every tile is asked. n_images: dates of one place."""
    earlier = None if config.follows is None else config.follows.text
    return render(Task(question.task), question.text, profile, question.labels, n_images, earlier=earlier)


def plan_scene(path: str, config: RunConfig, profile: Profile) -> ScenePlan:
    """The plan of one scene for `config.aoi`. Its row's name may be another scene's too. Raises as `plan_scenes`."""
    with open_scene(
        path, scene_crs=config.scene_crs, pixel_space=config.pixel_space, bands=config.bands
    ) as scene:
        found = plan_grid(scene.grid, scene.name, scene.gsd_m, config, profile, lambda: index_validity(scene))
        notes = (*scene.notes, *found.notes)
        row = {
            "scene": scene.name,
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
            "aois": [],
        }
        return ScenePlan(
            row, scene.content_id, config.aoi is None, found.aois, found.plans, found.estimates, notes
        )


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


def _scale(
    name: str, gsd_m: float | None, config: RunConfig, profile: Profile
) -> tuple[float, tuple[str, ...]]:
    """Model pixels per scene pixel, and a sentence when it is not 1 by our own decision."""
    if config.gsd_m is not None:
        if gsd_m is None:
            raise MisfitError(
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


def grid_of(scene: Mapping[str, Any]) -> Grid:
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


def _failed_row(path: str, reason: str, *, outside: bool) -> dict[str, Any]:
    name = short(path)
    empty = dict.fromkeys(SCENES.names)
    return {
        **empty,
        "scene": Path(name).stem or name,
        "path": path,
        "status": "skipped" if outside else "failed",
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

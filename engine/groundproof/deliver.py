"""A run's result again without its model, and its files: GeoPackage, picture, summary.

Knows run directories and outputs. Refuses to know models.
"""

from __future__ import annotations

from math import ceil
from pathlib import Path
from typing import Any

from groundproof.areas import Area, areas
from groundproof.assemble import assemble
from groundproof.boxes import Tile, Window
from groundproof.config import MergeConfig
from groundproof.doctor import versions
from groundproof.errors import OutputError, SceneError, UsageError
from groundproof.frames import named_rows
from groundproof.outputs import write, write_summary
from groundproof.placement import parse_crs
from groundproof.run import RunDirectory
from groundproof.sources import Sources
from groundproof.tables import FAILED, Result

PICTURE_PX = 2000
"""Longest side of a picture's image."""


def provenance(run: RunDirectory) -> dict[str, Any]:
    """What a result says of how it was made, beside its configuration."""
    return {
        "model": run.config.model_identity,
        "profile": run.config.profile.name,
        "prompt_version": run.config.prompt_version,
        "versions": versions(),
    }


def merge_run(
    path: Path,
    *,
    iou: float | None = None,
    ios: float | None = None,
    out_crs: str | None = None,
    dedupe_scenes: bool | None = None,
) -> tuple[RunDirectory, Result]:
    """The result of a run again, in memory, without a model. Raises RunError, UsageError."""
    run = RunDirectory.open(path)
    merge_config = other_thresholds(run, iou, ios)
    if out_crs is not None:
        known_crs(out_crs, pixel_space=run.config.pixel_space)
    result = assemble(
        run,
        metadata=provenance(run),
        merge_config=merge_config,
        out_crs=out_crs,
        dedupe_scenes=dedupe_scenes,
    )
    return run, result


def other_thresholds(run: RunDirectory, iou: float | None, ios: float | None) -> MergeConfig:
    """The run's own with others where they are given. Raises UsageError."""
    given = {key: value for key, value in (("iou", iou), ("ios", ios)) if value is not None}
    for key, value in given.items():
        if not 0 < value <= 1:
            raise UsageError(f"--{key} {value} is not an overlap. Give a number above 0, at most 1.")
    return run.config.merge.model_copy(update=given)


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
        write(result, target)  # first: a picture that cannot be drawn must not cost the result
        if summary is not None:
            write_summary(result, summary)
            files["summary"] = str(summary)
        if picture is not None:
            for number, area in enumerate(areas(run), start=1):
                path = picture if number == 1 else picture.with_stem(f"{picture.stem}-{number}")
                try:
                    write_picture(run, result, area, path)
                except SceneError as err:
                    raise OutputError(f"The picture cannot be drawn: {err}") from err
                files["picture" if number == 1 else f"picture {number}"] = str(path)
    except OutputError as err:
        raise OutputError(
            f"{err} The answers are kept: write them with `groundproof merge {run.path} -o FILE`."
        ) from err
    files["result"] = str(target)
    return files


def write_picture(run: RunDirectory, result: Result, area: Area, path: Path) -> None:
    """The area with a little of its surroundings, at most `PICTURE_PX` on its longest side.

    Raises SceneError when its scene is not there any more, OutputError.
    """
    from groundproof.outputs.picture import render_picture  # matplotlib: a second that `status` need not wait

    window = _picture_window(area)
    scale = min(1.0, PICTURE_PX / max(window.width, window.height))
    tile = Tile(0, window, max(1, round(window.width * scale)), max(1, round(window.height * scale)))
    with Sources(run).views(str(area.scene["scene"])) as views:
        rgb = views.read(tile).rgb
    render_picture(result, rgb, window, path, answer_id=area.answer_id)


def failures(result: Result) -> str | None:
    """One line about failed tiles and scenes; None when all went well."""
    tiles = int(result.tiles.status.isin([s.value for s in FAILED]).sum() + result.tiles.status.isna().sum())
    scenes = result.scenes[result.scenes.status == "failed"]
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


def _picture_window(area: Area) -> Window:
    x0, y0, x1, y1 = area.aoi_px.bounds
    margin = 0.05 * max(x1 - x0, y1 - y0)
    left, top = max(0, int(x0 - margin)), max(0, int(y0 - margin))
    right, bottom = min(area.grid.width, ceil(x1 + margin)), min(area.grid.height, ceil(y1 + margin))
    return Window(left, top, right - left, bottom - top)


def known_crs(text: str, *, pixel_space: bool) -> None:
    """Raise UsageError for an output CRS that PROJ does not know or pixel space cannot have."""
    if pixel_space:
        raise UsageError(
            f"--out-crs {text} needs scenes with a georeference; --pixel-space results are in pixels."
        )
    parse_crs(text, "--out-crs")

"""Tiles of a result as pictures, read again from its scenes as the model saw them.

Knows the scenes table and the run's configuration. Refuses to know boxes and formats.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from PIL import Image
from shapely.geometry import box

from groundproof.boxes import Grid, Tile, Window
from groundproof.errors import SceneError
from groundproof.frames import named_rows
from groundproof.reading import read_tile
from groundproof.review_export.truth import Bounds, TruthTile
from groundproof.scene import open_scene
from groundproof.stretch import measure_stretch
from groundproof.tables import Result
from groundproof.tiling import plan


@dataclass(frozen=True, slots=True)
class TilePicture:
    """One tile and its picture. name: of the file, from the hash of its pixels. png: lossless."""

    truth: TruthTile
    tile: Tile
    name: str
    png: bytes


def pictures(
    result: Result, tiles: tuple[TruthTile, ...], locate: Callable[[str], str] = str
) -> Iterator[TilePicture]:
    """The tiles with their pixels, scene by scene. Tiles of one scene stand together.

    Bands and stretch are the run's, so that a learner is shown what the model was. locate: as in `export`.
    Raises SceneError when a scene is gone or is another file than the one asked about.
    """
    scenes = {row.scene: row for row in named_rows(result.scenes)}
    run: dict[str, Any] = result.metadata.get("configuration") or {}
    for name, of_scene in groupby(tiles, key=lambda tile: tile.scene):
        row = scenes[name]
        path = locate(str(row.path or ""))
        try:
            with open_scene(
                path,
                scene_crs=run.get("scene_crs"),
                pixel_space=bool(run.get("pixel_space")),
                bands=tuple(run["bands"]) if run.get("bands") else None,
            ) as scene:
                if scene.content_id != row.content_id:
                    raise SceneError("it was changed or replaced since it was asked about")
                stretch = measure_stretch(scene)
                for truth in of_scene:
                    tile = as_seen(truth.window_px, (scene.width, scene.height), run)
                    pixels = read_tile(scene, stretch, tile)
                    yield TilePicture(truth, tile, f"{pixels.pixels_hash}.png", _png(pixels.rgb))
        except SceneError as err:
            raise SceneError(
                f"The pixels of the scene {name} are needed for its tiles, and {row.path} cannot be used: {err}. "
                "Put the file back, or ask again."
            ) from err


def as_seen(window_px: Bounds, scene_size: tuple[int, int], run: dict[str, Any]) -> Tile:
    """The tile of a window as the run's model saw it, planned again.

    window_px: inside the scene. scene_size: width, height, px. run: the run's configuration; without one the
    window is taken pixel by pixel. A scene that was enlarged to fill a single tile is taken as it is.
    """
    x0, y0, x1, y1 = window_px
    width, height = x1 - x0, y1 - y0
    if not run:
        return Tile(0, Window(x0, y0, width, height), width, height)
    side, longest = int(run["tile_px"]), max(width, height)
    is_part = width < scene_size[0] or height < scene_size[1]
    planned = plan(
        Grid(*scene_size),
        box(*window_px),
        tile_px=side,
        overlap_px=0,
        multiple_px=int(run["profile"]["patch_merge_px"]),
        scale=side / longest if is_part or longest > side else 1.0,
    )
    return planned.tiles[0]


def _png(rgb: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(rgb, "RGB").save(buffer, "PNG")
    return buffer.getvalue()

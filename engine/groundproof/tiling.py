"""Which windows cover an AOI so that every valid pixel is seen by the model.

Knows sizes and overlaps. Refuses to know pixels: what is empty comes as a `ValidityIndex`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, isfinite
from typing import TYPE_CHECKING

import numpy as np
import shapely

from groundproof.boxes import Grid, Tile, Window
from groundproof.errors import OutsideError, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from groundproof.validity import ValidityIndex

MAX_ASPECT = 2
"""Tiles of small scenes are at most this much longer than wide: what the embedded model was trained on."""
MIN_SIDE_MULTIPLES = 4
"""Smallest side of a tile, in multiples: GLM-4.1V's processor enlarges images below 112 x 112 px, and an
image must reach the model without another resize."""
WHOLE_IMAGE_PX = 112
"""From here a multiple is no patch but a whole image of its own (InternVL's blocks, GeoChat's only square)."""
MAX_TILES = 2_000_000
CHUNK = 100_000
"""Windows tested against the AOI at once: bounds the working memory."""
READ_AHEAD_TILES = 6
"""Tiles in memory while a plan is read: those ahead, the one being read and the one being answered."""


@dataclass(frozen=True, slots=True)
class TilePlan:
    """Tiles to look at and tiles proven empty, both in block-row order; indexes run through both.

    overlap_px: of neighbouring tiles, as the model sees it. scale: model pixels per scene pixel.
    shape: rows and columns of the grid of windows before those outside the AOI were dropped.
    aoi_px2: area of the AOI in scene pixels squared.
    """

    tiles: tuple[Tile, ...]
    skipped: tuple[Tile, ...]
    overlap_px: int
    scale: float
    shape: tuple[int, int]
    aoi_px2: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a dry run says. area_m2: of the AOI, from the GSD at the scene's centre, None in pixel space.

    model_px: pixels the model will see, overlaps counted as often as seen. memory_bytes: pixels held in
    memory while reading, GDAL's cache and the model not included.
    """

    tiles: int
    skipped: int
    area_m2: float | None
    model_px: int
    memory_bytes: int


def plan(
    grid: Grid,
    aoi_px: BaseGeometry | None,
    *,
    tile_px: int | tuple[int, int],
    overlap_px: int,
    multiple_px: int,
    scale: float = 1.0,
    valid: ValidityIndex | None = None,
) -> TilePlan:
    """Windows that cover the AOI.

    aoi_px: polygon in scene pixels, None for the whole scene. tile_px: side, or (width, height), of a
    tile as the model sees it; a multiple of multiple_px (patch x merge). overlap_px: as the model sees
    it. scale: model pixels per scene pixel; 0.5 shows the model twice as coarse an image.

    The last row and column are shifted back to the AOI's edge instead of reaching past it. A scene
    smaller than a tile gets a smaller tile, up to the next multiple, padded on the right and below, no
    more than 1:2 or 2:1 and no side below `least_side`. An AOI smaller than a tile is shown with the
    scene around it. Tiles that share no area with the AOI are dropped; those without a valid pixel are
    in `skipped`.

    Raises:
        UsageError: a tile side, overlap or scale that cannot be used; more than `MAX_TILES` tiles.
        OutsideError: the AOI shares no area with the scene.
    """
    sides = _checked_sides(tile_px, overlap_px, multiple_px)
    if not isfinite(scale) or scale <= 0:
        raise UsageError(
            f"the scale is {scale}; it must be a positive number of model pixels per scene pixel"
        )
    x0, y0, x1, y1 = _pixel_bounds(grid, aoi_px)
    model_w, model_h = _fitted(sides, grid, scale, multiple_px)
    window_w = _window_side(model_w, grid.width, scale)
    window_h = _window_side(model_h, grid.height, scale)
    overlap = ceil(overlap_px / scale)
    columns = _starts(x0, x1, window_w, overlap, grid.width)
    rows = _starts(y0, y1, window_h, overlap, grid.height)
    if len(columns) * len(rows) > MAX_TILES:
        raise UsageError(
            f"this makes {len(columns) * len(rows):,} tiles; at most {MAX_TILES:,} are planned at once. "
            "Use a larger --tile, a coarser --gsd or a smaller --aoi."
        )
    y, x = (v.ravel() for v in np.meshgrid(rows, columns, indexing="ij"))
    cells = np.stack(np.divmod(np.arange(len(x)), len(columns)), axis=1)
    boxes = np.stack(
        [x, y, np.minimum(x + window_w, grid.width), np.minimum(y + window_h, grid.height)], axis=1
    )
    if aoi_px is not None:
        touched = _touching(boxes, aoi_px)
        boxes, cells = boxes[touched], cells[touched]
    seen = np.ones(len(boxes), dtype=bool) if valid is None else valid.any_in(boxes)
    tiles = [
        Tile(i, Window(int(b[0]), int(b[1]), window_w, window_h), model_w, model_h, (int(c[0]), int(c[1])))
        for i, (b, c) in enumerate(zip(boxes, cells, strict=True))
    ]
    area = float(grid.width * grid.height if aoi_px is None else aoi_px.area)
    return TilePlan(
        tuple(t for t, s in zip(tiles, seen, strict=True) if s),
        tuple(t for t, s in zip(tiles, seen, strict=True) if not s),
        overlap_px,
        scale,
        (len(rows), len(columns)),
        area,
    )


def estimate(tile_plan: TilePlan, gsd_m: float | None) -> Estimate:
    """Numbers for a dry run. gsd_m: metres per scene pixel, None in pixel space."""
    model_px = sum(t.model_width * t.model_height for t in tile_plan.tiles)
    largest = max(
        (max(t.model_width * t.model_height, t.window.width * t.window.height) for t in tile_plan.tiles),
        default=0,
    )
    return Estimate(
        tiles=len(tile_plan.tiles),
        skipped=len(tile_plan.skipped),
        area_m2=None if gsd_m is None else tile_plan.aoi_px2 * gsd_m**2,
        model_px=model_px,
        memory_bytes=largest * 3 * READ_AHEAD_TILES,
    )


def least_side(multiple_px: int) -> int:
    """Smallest side of a tile as the model sees it, px, where sides are multiples of multiple_px."""
    return multiple_px if multiple_px >= WHOLE_IMAGE_PX else MIN_SIDE_MULTIPLES * multiple_px


def _checked_sides(tile_px: int | tuple[int, int], overlap_px: int, multiple_px: int) -> tuple[int, int]:
    sides = (tile_px, tile_px) if isinstance(tile_px, int) else tile_px
    least = least_side(multiple_px)
    for side in sides:
        if side < least:
            raise UsageError(f"--tile {side} is too small; the smallest tile of this model is {least} px")
        if side % multiple_px:
            below = max(side // multiple_px * multiple_px, least)
            raise UsageError(
                f"--tile {side} is not a multiple of {multiple_px}, which this model needs; "
                f"the nearest allowed are {below} and {below + multiple_px} px"
            )
    if overlap_px < 0 or overlap_px >= min(sides):
        raise UsageError(
            f"--overlap {overlap_px} does not fit tiles of {min(sides)} px; give 0 to {min(sides) - 1} px"
        )
    if max(sides) > MAX_ASPECT * min(sides):
        raise UsageError(f"--tile {sides[0]} x {sides[1]} is too narrow; sides may differ by a factor of 2")
    return sides


def _pixel_bounds(grid: Grid, aoi_px: BaseGeometry | None) -> tuple[int, int, int, int]:
    """Whole pixels that hold the AOI, cut at the scene: x0, y0, x1, y1."""
    if aoi_px is None:
        return 0, 0, grid.width, grid.height
    left, top, right, bottom = aoi_px.bounds if not aoi_px.is_empty else (0.0, 0.0, 0.0, 0.0)
    x0, y0 = max(floor(left), 0), max(floor(top), 0)
    x1, y1 = min(ceil(right), grid.width), min(ceil(bottom), grid.height)
    if aoi_px.area <= 0 or x0 >= x1 or y0 >= y1:
        raise OutsideError(
            f"the area of interest shares no pixel with the scene of {grid.width} x {grid.height} px"
        )
    return x0, y0, x1, y1


def _fitted(sides: tuple[int, int], grid: Grid, scale: float, multiple: int) -> tuple[int, int]:
    """Sides of the model's tile, smaller where the whole scene needs less, within `MAX_ASPECT`."""
    least = least_side(multiple)
    needed = [
        min(side, max(least, ceil(length * scale / multiple - 1e-9) * multiple))
        for side, length in zip(sides, (grid.width, grid.height), strict=True)
    ]
    longest = max(needed)
    shortest = ceil(longest / MAX_ASPECT / multiple) * multiple
    return max(needed[0], shortest), max(needed[1], shortest)


def _window_side(model_side: int, scene_side: int, scale: float) -> int:
    """Scene pixels a model side shows; a tile that was shrunk to hold the scene does hold all of it."""
    side = max(1, round(model_side / scale))
    return scene_side if side < scene_side <= ceil(model_side / scale) else side


def _starts(low: int, high: int, window: int, overlap: int, scene_side: int) -> NDArray[np.int64]:
    """Starts of windows covering low..high, the last shifted back; a single one is centred."""
    if window >= scene_side:
        return np.zeros(1, dtype=np.int64)
    if high - low <= window:
        centred = (low + high - window) // 2
        return np.array([min(max(centred, 0), scene_side - window)], dtype=np.int64)
    step = max(1, window - overlap)
    starts = low + step * np.arange(ceil((high - low - window) / step) + 1, dtype=np.int64)
    return np.minimum(starts, high - window)


def _touching(boxes: NDArray[np.int64], aoi_px: BaseGeometry) -> NDArray[np.bool_]:
    """Whether each box shares area, not just an edge, with the AOI."""
    shapely.prepare(aoi_px)
    out = np.zeros(len(boxes), dtype=bool)
    for at in range(0, len(boxes), CHUNK):
        squares = shapely.box(*boxes[at : at + CHUNK].T.astype(np.float64))
        out[at : at + CHUNK] = shapely.intersects(aoi_px, squares) & ~shapely.touches(aoi_px, squares)
    return out

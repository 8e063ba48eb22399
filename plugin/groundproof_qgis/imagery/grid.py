"""Pixels and where they lie: columns, rows and the affine from them to map coordinates.

Knows numbers. Refuses to know QGIS, coordinate reference systems and files.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from groundproof_qgis.imagery.scene import AffineNumbers

WINDOW_PX = 2048
"""Side of the windows a scene is sent in."""
SNAP_PX = 1e-6
"""A pixel's edge that is missed by less is meant: far below what can be seen, far above rounding of coordinates."""

Point = tuple[float, float]
"""(x, y) on the map, or (column, row) in pixels."""


@dataclass(frozen=True)
class Part:
    """A rectangle of whole pixels. x0, y0: its first column and row. width, height: px."""

    x0: int
    y0: int
    width: int
    height: int


@dataclass(frozen=True)
class Grid:
    """width, height: columns and rows. affine: as `AffineNumbers` says. Raises ValueError for pixels without a size."""

    width: int
    height: int
    affine: AffineNumbers

    def __post_init__(self) -> None:
        a, b, _, d, e, _ = self.affine
        if not all(map(math.isfinite, self.affine)) or a * e - b * d == 0:
            raise ValueError(f"the affine {list(self.affine)} gives pixels no size")

    def to_map(self, col: float, row: float) -> Point:
        """Map coordinates of a place in pixels; (0, 0) is the outer corner of the first pixel."""
        a, b, c, d, e, f = self.affine
        return a * col + b * row + c, d * col + e * row + f

    def to_pixel(self, x: float, y: float) -> Point:
        """(column, row) of map coordinates, with fractions; outside the grid too."""
        a, b, c, d, e, f = self.affine
        det = a * e - b * d
        x, y = x - c, y - f
        return (e * x - b * y) / det, (a * y - d * x) / det

    @property
    def centre(self) -> Point:
        """Map coordinates of the middle."""
        return self.to_map(self.width / 2, self.height / 2)

    @property
    def pixel_size(self) -> tuple[float, float]:
        """Lengths of one step along a row and down a column, in the map's units."""
        a, b, _, d, e, _ = self.affine
        return math.hypot(a, d), math.hypot(b, e)

    def corners(self, inset_px: float = 0.0) -> list[Point]:
        """Map coordinates of the four corners, around; inset_px: moved inwards."""
        x1, y1 = self.width - inset_px, self.height - inset_px
        return [self.to_map(*at) for at in ((inset_px, inset_px), (x1, inset_px), (x1, y1), (inset_px, y1))]

    def part(self, part: Part) -> Grid:
        """The same pixels, only those of `part`; it may reach outside."""
        a, b, _, d, e, _ = self.affine
        x, y = self.to_map(part.x0, part.y0)
        return Grid(part.width, part.height, (a, b, x, d, e, y))

    def coarser(self, factor: float) -> Grid:
        """The same ground in about `factor` times larger pixels; their number is whole, so their size is near it."""
        width = max(1, round(self.width / factor))
        height = max(1, round(self.height / factor))
        across, down = self.width / width, self.height / height
        a, b, c, d, e, f = self.affine
        return Grid(width, height, (a * across, b * down, c, d * across, e * down, f))

    def finer(self, times: int) -> Grid:
        """The same ground in `times` x `times` pixels for each."""
        a, b, c, d, e, f = self.affine
        return Grid(
            self.width * times, self.height * times, (a / times, b / times, c, d / times, e / times, f)
        )

    def parts(self, side: int = WINDOW_PX) -> Iterator[Part]:
        """Parts of at most side x side px that cover it once, rows of them from the top."""
        for y0 in range(0, self.height, side):
            for x0 in range(0, self.width, side):
                yield Part(x0, y0, min(side, self.width - x0), min(side, self.height - y0))

    def part_around(self, points: Iterable[Point]) -> Part | None:
        """The smallest part of the grid around the map points' bounding box in pixels; None when it lies outside."""
        places = [self.to_pixel(x, y) for x, y in points]
        x0, x1 = _whole([col for col, _ in places], self.width)
        y0, y1 = _whole([row for _, row in places], self.height)
        return Part(x0, y0, x1 - x0, y1 - y0) if x0 < x1 and y0 < y1 else None


def grid_around(
    points: Iterable[Point], step: float, rotation_deg: float = 0.0, anchor: Point | None = None
) -> Grid:
    """The smallest grid of square pixels around map points.

    step: a pixel's side in the map's units. rotation_deg: how far the map is turned clockwise on the picture, as a
    canvas has it. anchor: where the corner of a pixel shall lie, with rotation 0; None: at the points' bounding box.
    """
    angle = math.radians(rotation_deg)
    cos, sin = (math.cos(angle), math.sin(angle)) if rotation_deg % 360 else (1.0, 0.0)
    points = list(points)
    near_x, near_y = points[0]
    # Along the picture's rows and columns, in pixels, counted from a point nearby so that no digits are lost.
    places = [
        (
            ((x - near_x) * cos + (y - near_y) * sin) / step,
            ((x - near_x) * sin - (y - near_y) * cos) / step,
        )
        for x, y in points
    ]
    left, right = min(col for col, _ in places), max(col for col, _ in places)
    top, bottom = min(row for _, row in places), max(row for _, row in places)
    if anchor is not None:
        shift_x, shift_y = (anchor[0] - near_x) / step, (near_y - anchor[1]) / step
        left = math.floor(left - shift_x + SNAP_PX) + shift_x
        top = math.floor(top - shift_y + SNAP_PX) + shift_y
    width = max(1, math.ceil(right - left - SNAP_PX))
    height = max(1, math.ceil(bottom - top - SNAP_PX))
    x = near_x + step * (left * cos + top * sin)
    y = near_y + step * (left * sin - top * cos)
    return Grid(width, height, (step * cos, step * sin, x, step * sin, -step * cos, y))


def _whole(places: list[float], limit: int) -> tuple[int, int]:
    """First and one past the last whole pixel that the places reach, inside 0..limit."""
    first = max(0, min(limit, math.floor(min(places) + SNAP_PX)))
    last = max(0, min(limit, math.ceil(max(places) - SNAP_PX)))
    return first, last

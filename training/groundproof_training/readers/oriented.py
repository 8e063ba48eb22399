"""Oriented boxes: centre, sides and angle against four corners.

Knows geometry of the picture's plane, x to the right and y down. Refuses to know texts and datasets.

The sign: an angle is **clockwise on screen**, as in OpenCV's `RotatedRect`, in HIT-UAV (measured on its files) and in
the engine's boxes. GeoChat's and EarthDial's own labels follow it too: of 217 groups of theirs whose objects would
overlap differently by it, 206 overlap less this way (tests/training/readers/test_earthdial.py measures it), although
EarthDial's evaluator turns the other way.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import cos, isfinite, radians, sin

import numpy as np
from shapely.geometry import MultiPoint

from groundproof_training.samples.types import Quad


@dataclass(frozen=True, slots=True)
class TurnedBox:
    """A rectangle turned about its centre. Any unit, as long as both axes share it (px).

    width, height: its sides before it is turned, along x and y. angle_deg: clockwise on screen.
    """

    cx: float
    cy: float
    width: float
    height: float
    angle_deg: float

    def __post_init__(self) -> None:
        values = (self.cx, self.cy, self.width, self.height, self.angle_deg)
        if not all(isfinite(v) for v in values) or self.width <= 0 or self.height <= 0:
            raise ValueError(f"a turned box needs finite numbers and sides above 0, got {values}")

    @classmethod
    def of_corners(cls, xyxy: tuple[float, float, float, float], angle_deg: float) -> TurnedBox:
        """From left, top, right, bottom before it is turned. Raises ValueError for a box without a size."""
        x0, y0, x1, y1 = xyxy
        return cls((x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0, angle_deg)

    @property
    def quad(self) -> Quad:
        """Its corners: those that were upper left, upper right, lower right, lower left before it was turned."""
        c, s = cos(radians(self.angle_deg)), sin(radians(self.angle_deg))
        w, h = self.width / 2, self.height / 2
        corners = ((-w, -h), (w, -h), (w, h), (-w, h))
        return quad_of(
            v for dx, dy in corners for v in (self.cx + dx * c - dy * s, self.cy + dx * s + dy * c)
        )


def quad_of(numbers: Iterable[float]) -> Quad:
    """Eight numbers, x y of four corners, as a quad. Raises ValueError for more or fewer."""
    a, b, c, d, e, f, g, h = numbers
    return a, b, c, d, e, f, g, h


def enclosing(quad: Quad) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of the upright rectangle around four corners."""
    xs, ys = quad[0::2], quad[1::2]
    return min(xs), min(ys), max(xs), max(ys)


def smallest(quad: Quad) -> TurnedBox:
    """The smallest rectangle around four corners, self-crossing ones included (their hull counts).

    Its width is the side whose direction lies within [0, 90) degrees clockwise of x. Raises ValueError where the
    corners enclose no area.
    """
    around = MultiPoint([(quad[i], quad[i + 1]) for i in range(0, 8, 2)]).minimum_rotated_rectangle
    if around.geom_type != "Polygon" or around.area == 0:
        raise ValueError(f"the corners {quad} enclose no area")
    ring = np.asarray(around.exterior.coords)[:4]
    centre = ring.mean(axis=0)
    first, second = ring[1] - ring[0], ring[2] - ring[1]
    angle = float(np.degrees(np.arctan2(first[1], first[0]))) % 180
    if angle > 180 - 1e-9:
        angle = 0.0  # A hair below 0, which the remainder turned into 180.
    if angle >= 90:
        first, second, angle = second, first, angle - 90
    sides = float(np.hypot(*first)), float(np.hypot(*second))
    return TurnedBox(float(centre[0]), float(centre[1]), sides[0], sides[1], angle)


def scaled(quad: Quad, scale_x: float, scale_y: float) -> Quad:
    """Each corner times the scale of its axis: from a grid of percents to px, which shears unless both are equal."""
    return quad_of(v * (scale_x, scale_y)[i % 2] for i, v in enumerate(quad))

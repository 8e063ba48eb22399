"""Corners of boxes that are turned about their centre, right to the last bit. Knows numbers; refuses to know texts and
overlaps.

Why the last bit: files of whole numbers hold pairs whose IoU is a threshold exactly (EarthDial's for GeoChat: ten at
0.5, one of them at 22 and 26 degrees). Products and sums in plain floating point put such a pair on either side of it,
by the order of additions and by whether the processor fuses them, and with it a figure's fourth digit. Here each corner
is the double closest to dx cos + dy sin + centre of the given doubles, so that a file has the same figures everywhere.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from groundproof_training.metrics.boxes import Floats, as_boxes

_SPLIT = 2.0**27 + 1
"""Veltkamp's constant for doubles: cuts 53 bits into 26 and 27, whose products are exact."""


def turned_quads(boxes: ArrayLike, angles_deg: ArrayLike, *, clockwise: bool = True) -> Floats:
    """Corners (n, 8), x y, of boxes (n, 4) x0 y0 x1 y1 turned by angles (n,) in degrees about their centres: those that
    were upper left, upper right, lower right, lower left before. x to the right, y down; clockwise: as seen on screen,
    (dx, dy) goes to (dx cos - dy sin, dx sin + dy cos). An angle of 0 leaves a box as it is; NaN gives NaN.
    """
    xyxy = as_boxes(boxes)
    angle = np.radians(np.asarray(angles_deg, dtype=np.float64)) * (1.0 if clockwise else -1.0)
    centre = (xyxy[:, :2] + xyxy[:, 2:]) / 2.0
    low, high = xyxy[:, :2] - centre, xyxy[:, 2:] - centre
    dx = np.stack([low[:, 0], high[:, 0], high[:, 0], low[:, 0]], axis=1)
    dy = np.stack([low[:, 1], low[:, 1], high[:, 1], high[:, 1]], axis=1)
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    x = _sum_of_products(dx, cos, dy, -sin, centre[:, :1])
    y = _sum_of_products(dx, sin, dy, cos, centre[:, 1:])
    return np.stack([x, y], axis=2).reshape(-1, 8)


def _sum_of_products(a: Floats, b: Floats, c: Floats, d: Floats, e: Floats) -> Floats:
    """a b + c d + e with the errors of every step added again (Ogita, Rump and Oishi 2005, Dot2)."""
    first, lost_first = _product(a, b)
    second, lost_second = _product(c, d)
    part, lost_part = _sum(first, second)
    total, lost_total = _sum(part, e)
    return total + (lost_first + lost_second + lost_part + lost_total)


def _sum(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Sum and what it lost, exactly (Knuth 1969)."""
    total = a + b
    back = total - a
    return total, (a - (total - back)) + (b - back)


def _product(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Product and what it lost, exactly (Dekker 1971)."""
    product = a * b
    a_high, a_low = _halves(a)
    b_high, b_low = _halves(b)
    return product, ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


def _halves(a: Floats) -> tuple[Floats, Floats]:
    large = _SPLIT * a
    high = large - (large - a)
    return high, a - high

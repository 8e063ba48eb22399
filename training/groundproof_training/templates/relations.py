"""Which object a phrase refers to: largest, leftmost, nearest to, in a part of the tile. Geometry of boxes alone.

A phrase is offered only where it is clear: the second best must be worse by a margin that a person would see.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from groundproof_training.templates.tile import Tile

CLEAR_SIZE = 1.3
"""The largest area is at least this many times the second largest."""

CLEAR_STEP = 40
"""Per-mille by which the leftmost object's centre is further left than the next."""

CLEAR_DISTANCE = 1.35
"""The second nearest is at least this many times as far as the nearest."""

CLEAR_SIDE = 30
"""Per-mille by which an object's centre lies beyond the other object's centre to be "left of" it."""

EXTREMES = ("largest", "smallest", "leftmost", "rightmost", "topmost", "bottommost")
SIDES = ("left of", "right of", "above", "below")


def centre(tile: Tile, k: int) -> tuple[float, float]:
    """Centre of an object: x scaled by the tile's aspect, so that both axes have one unit."""
    x0, y0, x1, y1 = tile.boxes[k]
    return (x0 + x1) / 2 * tile.aspect, (y0 + y1) / 2


def area(tile: Tile, k: int) -> float:
    """Area of an object's box in per-mille squared."""
    x0, y0, x1, y1 = tile.boxes[k]
    return float((x1 - x0) * (y1 - y0))


def extreme(tile: Tile, among: Sequence[int], which: str) -> int | None:
    """The one object that is clearly `which`; the only one always is. None where it is not clear."""
    if len(among) < 2:
        return next(iter(among), None)
    if which in ("largest", "smallest"):
        order = sorted(among, key=lambda k: area(tile, k), reverse=which == "largest")
        big, small = sorted((area(tile, order[0]), area(tile, order[1])), reverse=True)
        return order[0] if big >= CLEAR_SIZE * small else None
    axis, sign = {"leftmost": (0, 1), "rightmost": (0, -1), "topmost": (1, 1), "bottommost": (1, -1)}[which]
    value: Callable[[int], float] = lambda k: sign * (tile.boxes[k][axis] + tile.boxes[k][axis + 2]) / 2  # noqa: E731
    order = sorted(among, key=value)
    return order[0] if value(order[1]) - value(order[0]) >= CLEAR_STEP else None


def nearest(tile: Tile, among: Sequence[int], to: int) -> int | None:
    """The object clearly nearest to another, by centres; None where two are about as near."""
    ranked = sorted((math.dist(centre(tile, k), centre(tile, to)), k) for k in among if k != to)
    if not ranked or (len(ranked) > 1 and ranked[1][0] < CLEAR_DISTANCE * ranked[0][0]):
        return None
    return ranked[0][1]


def on_side(tile: Tile, among: Sequence[int], side: str, of: int) -> list[int] | None:
    """Objects left of, right of, above or below another, by centres; None where one lies neither here nor there."""
    axis, sign = {"left of": (0, 1), "right of": (0, -1), "above": (1, 1), "below": (1, -1)}[side]
    value: Callable[[int], float] = lambda k: sign * (tile.boxes[k][axis] + tile.boxes[k][axis + 2]) / 2  # noqa: E731
    steps = {k: value(of) - value(k) for k in among if k != of}
    if any(abs(step) < CLEAR_SIDE for step in steps.values()):
        return None
    return [k for k, step in steps.items() if step > 0]


def clearly_placed(tile: Tile, k: int) -> bool:
    """Whether an object's centre keeps off the lines that divide the tile in thirds."""
    x0, y0, x1, y1 = tile.boxes[k]
    return all(abs(v - line) >= 12 for v in ((x0 + x1) / 2, (y0 + y1) / 2) for line in (1000 / 3, 2000 / 3))

"""Where to put labels so that they hide neither objects nor each other.

Knows rectangles on a page, y down. Refuses to know what the labels say. Greedy, in the order given: the
first free place of a fixed list, nearest first. Right beside its object a label keeps clear of the others, or it
could be read as theirs; farther places get a leader line; a label without a free place is left out, and the caller
says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rectangles = NDArray[np.float64]
"""(N, 4): x0, y0, x1, y1, page pixels, y down."""


CLEAR_GAPS = 2.5
"""How far a label without a leader line stays from other objects, in gaps: it is one gap from its own."""


@dataclass(frozen=True, slots=True)
class Place:
    """Top left corner of a label, page pixels. variant: which of its sizes was used, 0 the preferred one.

    leader: end points (x, y) of a line from object to label; None when the label touches its object.
    """

    x: float
    y: float
    variant: int
    leader: tuple[tuple[float, float], tuple[float, float]] | None


def place_labels(
    objects: Rectangles,
    sizes: list[list[tuple[float, float]]],
    frame: tuple[float, float, float, float],
    gap: float,
) -> list[Place | None]:
    """One place per object, or None where there is no room.

    sizes: for each object the (width, height) of its label's variants, the preferred first. frame: labels
    stay inside x0, y0, x1, y1. gap: free space between object and label, page pixels.
    """
    taken = np.empty((len(objects), 4))
    used = 0
    places: list[Place | None] = []
    for own, (box, variants) in enumerate(zip(objects, sizes, strict=True)):
        others = np.delete(objects, own, axis=0)
        found = None
        for distance in (gap, 5 * gap, 10 * gap):
            away = CLEAR_GAPS * gap if distance == gap else 0.0
            for variant, (width, height) in enumerate(variants):
                spots = _spots(box, width, height, distance)
                near = spots + np.array([-away, -away, away, away])
                free = _inside(spots, frame) & ~_hit(near, others) & ~_hit(spots, taken[:used])
                if free.any():
                    spot = spots[int(np.argmax(free))]
                    leader = None if distance == gap else _leader(box, spot)
                    found = Place(float(spot[0]), float(spot[1]), variant, leader)
                    taken[used] = spot
                    used += 1
                    break
            if found:
                break
        places.append(found)
    return places


def _spots(box: NDArray[np.float64], width: float, height: float, gap: float) -> Rectangles:
    """Candidate rectangles around a box, the most readable first: above, below, right, left."""
    x0, y0, x1, y1 = box
    middle_x, middle_y = (x0 + x1 - width) / 2, (y0 + y1 - height) / 2
    above, below, right, left = y0 - gap - height, y1 + gap, x1 + gap, x0 - gap - width
    corners = [
        (x0, above),
        (x1 - width, above),
        (middle_x, above),
        (x0, below),
        (x1 - width, below),
        (middle_x, below),
        (right, y0),
        (right, middle_y),
        (right, y1 - height),
        (left, y0),
        (left, middle_y),
        (left, y1 - height),
        (right, above),
        (left, above),
        (right, below),
        (left, below),
    ]
    xy = np.array(corners, dtype=np.float64)
    return np.hstack([xy, xy + np.array([width, height])])


def _inside(spots: Rectangles, frame: tuple[float, float, float, float]) -> NDArray[np.bool_]:
    x0, y0, x1, y1 = frame
    inside: NDArray[np.bool_] = (
        (spots[:, 0] >= x0) & (spots[:, 1] >= y0) & (spots[:, 2] <= x1) & (spots[:, 3] <= y1)
    )
    return inside


def _hit(spots: Rectangles, obstacles: Rectangles) -> NDArray[np.bool_]:
    """Which spots overlap any obstacle."""
    a, b = spots[:, np.newaxis], obstacles[np.newaxis]
    overlap = np.all(a[..., :2] < b[..., 2:], axis=-1) & np.all(a[..., 2:] > b[..., :2], axis=-1)
    return np.asarray(np.any(overlap, axis=1))


def _leader(
    box: NDArray[np.float64], spot: NDArray[np.float64]
) -> tuple[tuple[float, float], tuple[float, float]]:
    """The shortest line between the borders of two rectangles that lie apart."""
    centre = (box[:2] + box[2:]) / 2
    end = np.clip(centre, spot[:2], spot[2:])
    start = np.clip(end, box[:2], box[2:])
    return (float(start[0]), float(start[1])), (float(end[0]), float(end[1]))

"""Which boxes of two lists lie on each other, and which of them belong together one to one.

Knows pixel boxes and their overlap. Refuses to know labels, tiles and what a match means.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from groundproof.georeference import corners

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from groundproof.boxes import PixelBoxes


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of overlapping boxes: `first`, `second` int64 (K,) indices, `iou` float64 (K,) in (0, 1]."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    iou: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.iou)


def overlapping(a: PixelBoxes, b: PixelBoxes, min_iou: float) -> Pairs:
    """All pairs (i of `a`, j of `b`) whose intersection over union reaches `min_iou` > 0. Unordered.

    Symmetric: swapping `a` and `b` gives the same pairs with the same numbers. Through a spatial index,
    so a million boxes a side are fine while few of them overlap.
    """
    if not 0 < min_iou <= 1:
        raise ValueError(f"min_iou must be above 0 and at most 1, got {min_iou}")
    if not len(a) or not len(b):
        return Pairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    shapes_a = np.asarray(shapely.polygons(corners(a)), dtype=object)
    shapes_b = shapes_a if b is a else np.asarray(shapely.polygons(corners(b)), dtype=object)
    second, first = shapely.STRtree(shapes_a).query(shapes_b)
    rotated = ~np.isnan(a.angle_deg[first]) | ~np.isnan(b.angle_deg[second])
    inter = _flat_intersection(a.xyxy[first], b.xyxy[second])
    if rotated.any():
        inter[rotated] = shapely.area(
            shapely.intersection(shapes_a[first[rotated]], shapes_b[second[rotated]])
        )
    # Rounded, so that the last bits of shapely's order of operands cannot break the symmetry.
    iou = np.round(inter / (_area(a.xyxy)[first] + _area(b.xyxy)[second] - inter), 12)
    keep = iou >= min_iou
    return Pairs(first[keep].astype(np.int64), second[keep].astype(np.int64), iou[keep])


def one_to_one(pairs: Pairs, order: NDArray[np.int64] | None = None) -> list[tuple[int, int]]:
    """Greedy matching, best IoU first, every box at most once: [(i, j), ...] in the order chosen.

    order: int64 (K,), which pair comes first among equal IoU (smaller first); default: smaller i, then
    smaller j.
    """
    tie = (pairs.second, pairs.first) if order is None else (order,)
    taken_a: set[int] = set()
    taken_b: set[int] = set()
    matches: list[tuple[int, int]] = []
    for k in np.lexsort((*tie, -pairs.iou)):
        i, j = int(pairs.first[k]), int(pairs.second[k])
        if i not in taken_a and j not in taken_b:
            taken_a.add(i)
            taken_b.add(j)
            matches.append((i, j))
    return matches


def _area(xyxy: NDArray[np.float64]) -> NDArray[np.float64]:
    area: NDArray[np.float64] = (xyxy[:, 2] - xyxy[:, 0]) * (xyxy[:, 3] - xyxy[:, 1])
    return area


def _flat_intersection(p: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.float64]:
    """Area common to two axis-aligned boxes, row by row; (K, 4) each."""
    width = np.minimum(p[:, 2], q[:, 2]) - np.maximum(p[:, 0], q[:, 0])
    height = np.minimum(p[:, 3], q[:, 3]) - np.maximum(p[:, 1], q[:, 1])
    area: NDArray[np.float64] = np.maximum(width, 0) * np.maximum(height, 0)
    return area

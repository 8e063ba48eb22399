"""How far boxes overlap, and which predicted box finds which true one. Knows pixels; refuses to know labels.

Boxes are float (n, 4), x0 y0 x1 y1 px, continuous corners (no +1). A box without area, or with a number that is none,
overlaps nothing.
"""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment

Floats = NDArray[np.float64]
Pairs = list[tuple[int, int]]
"""(index of the prediction, index of the true box), each index at most once."""


def as_boxes(boxes: ArrayLike) -> Floats:
    """Anything that holds n boxes, an empty list too, as (n, 4)."""
    return np.asarray(boxes, dtype=np.float64).reshape(-1, 4)


def areas(boxes: Floats) -> Floats:
    """Area of boxes (n, 4) -> (n,), px2; 0 where the corners are swapped."""
    return np.maximum(boxes[:, 2] - boxes[:, 0], 0) * np.maximum(boxes[:, 3] - boxes[:, 1], 0)


def intersections(a: ArrayLike, b: ArrayLike) -> Floats:
    """Area common to boxes (n, 4) and (m, 4) -> (n, m), px2."""
    one, other = as_boxes(a)[:, None], as_boxes(b)[None]
    width = np.minimum(one[..., 2], other[..., 2]) - np.maximum(one[..., 0], other[..., 0])
    height = np.minimum(one[..., 3], other[..., 3]) - np.maximum(one[..., 1], other[..., 1])
    return np.maximum(width, 0) * np.maximum(height, 0)


def iou_matrix(a: ArrayLike, b: ArrayLike) -> Floats:
    """Intersection over union of axis-aligned boxes (n, 4) and (m, 4) -> (n, m), in [0, 1]."""
    one, other = as_boxes(a), as_boxes(b)
    common = intersections(one, other)
    return common / np.maximum(areas(one)[:, None] + areas(other)[None] - common, 1e-9)


def finite(boxes: ArrayLike) -> Floats:
    """Boxes (n, 4) with those that hold NaN or infinity made empty, so that they stay predictions and find nothing."""
    made = as_boxes(boxes).copy()
    made[~np.isfinite(made).all(axis=1)] = 0.0
    return made


def enclosing(quads: ArrayLike) -> Floats:
    """Upright boxes (n, 4) around quadrilaterals (n, 4, 2) or (n, 8), x first."""
    corners = np.asarray(quads, dtype=np.float64).reshape(-1, 4, 2)
    return np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1).reshape(-1, 4)


def oriented_iou_matrix(a: ArrayLike, b: ArrayLike) -> Floats:
    """Intersection over union of quadrilaterals (n, 4, 2) or (n, 8) and (m, ...), x first -> (n, m).

    By shapely; only pairs whose bounds meet are cut. A quadrilateral that crosses itself is taken as shapely's
    `make_valid` mends it; one with NaN or without area overlaps nothing.
    """
    one, other = polygons(a), polygons(b)
    overlap = np.zeros((len(one), len(other)))
    if not len(one) or not len(other):
        return overlap
    j, i = shapely.STRtree(one).query(other)
    common = shapely.area(shapely.intersection(one[i], other[j]))
    union = shapely.area(one)[i] + shapely.area(other)[j] - common
    overlap[i, j] = np.where(union > 0, common / np.maximum(union, 1e-9), 0.0)
    return overlap


def polygons(quads: ArrayLike) -> NDArray[np.object_]:
    """Shapely's polygons (n,) of quadrilaterals (n, 4, 2) or (n, 8), x first, mended where they cross themselves;
    empty of area for one with NaN or infinity."""
    corners = np.asarray(quads, dtype=np.float64).reshape(-1, 4, 2).copy()
    corners[~np.isfinite(corners).all(axis=(1, 2))] = 0.0
    shapes = np.asarray(shapely.polygons(corners), dtype=object).reshape(-1)
    return np.asarray(shapely.make_valid(shapes), dtype=object).reshape(-1)


def match_greedy(overlap: Floats, threshold: float) -> Pairs:
    """One-to-one, best overlap first, down to `threshold`; ties: the earlier prediction, then the earlier true box.

    overlap: (n, m); an overlap of 0 or less is never a match, whatever the threshold. No order of the predictions
    gains by it unless overlaps are equal to the last bit.
    """
    rows, columns = np.nonzero((overlap >= threshold) & (overlap > 0))
    order = np.argsort(-overlap[rows, columns], kind="stable")
    pairs: Pairs = []
    taken, found = set(), set()
    for i, j in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
        if i not in taken and j not in found:
            taken.add(i)
            found.add(j)
            pairs.append((i, j))
    return pairs


def match_optimal(overlap: Floats, threshold: float = 0.0) -> Pairs:
    """One-to-one with the most matches of at least `threshold`, and among those the largest summed overlap.

    Threshold 0: simply the largest summed overlap. By scipy's assignment (Jonker and Volgenant); pairs without
    overlap are left out. Sorted by prediction.
    """
    if not overlap.size:
        return []
    fits = (overlap >= threshold) & (overlap > 0)
    # A match is worth more than any sum of overlaps when matches are counted.
    worth = np.where(fits, overlap + (min(overlap.shape) if threshold > 0 else 0.0), 0.0)
    rows, columns = linear_sum_assignment(worth, maximize=True)
    return [(int(i), int(j)) for i, j in zip(rows, columns, strict=True) if fits[i, j]]

"""One object seen in two overlapping scenes counts once. Knows boxes on the ground in one plane; pure.

Refuses to know files, pixels and what becomes of the boxes. The rules, all of them:

- A pair may be one object when its boxes come from different scenes and have the same kind (question, label, date).
- The pair's overlap is intersection over the smaller when either box touches its scene's border, where the scene may
  have cut the object; IoU elsewhere.
- Pairs at or above the threshold are taken greedily, the best overlap first; two boxes of one scene never end in one
  group, not even through a third. These are the rules of `merge.py`, with scenes in place of tiles.
- Of a group the box farthest from its scene's border counts, then the larger, then the earlier one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import shapely
from pyproj import CRS

from groundproof.merge import joined_groups
from groundproof.projecting import period_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

QUERY_CHUNK = 50_000
"""Boxes looked up in the tree at once."""


@lru_cache(maxsize=1)
def ground() -> CRS:
    """The plane in which scenes of any CRS are compared: metres, areas true everywhere on the globe.

    Lambert's cylindrical equal-area projection (EPSG:6933). Shapes are stretched far from the equator, which changes
    no ratio of areas.
    """
    return CRS.from_epsg(6933)


@dataclass(frozen=True, slots=True)
class GroundBoxes:
    """Counted boxes of several scenes on the `ground`, one row each, in the order that decides last.

    corners: float64 (N, 4, 2), x and y in metres, continuous: a box over the antimeridian reaches past it. scene,
    kind: int (N,), codes. at_border: bool (N,), touches its scene's border. inset_m: float64 (N,), metres to it.
    """

    corners: NDArray[np.float64]
    scene: NDArray[np.int32]
    kind: NDArray[np.int32]
    at_border: NDArray[np.bool_]
    inset_m: NDArray[np.float64]

    def __post_init__(self) -> None:
        n = len(self.scene)
        shapes = [one.shape for one in (self.kind, self.at_border, self.inset_m)]
        if self.corners.shape != (n, 4, 2) or any(shape != (n,) for shape in shapes):
            raise ValueError(
                f"expected corners (N, 4, 2) and columns (N,), got {self.corners.shape}, {shapes}"
            )

    def __len__(self) -> int:
        return len(self.scene)


def keepers(boxes: GroundBoxes, iou: float = 0.5, over_smaller: float = 0.5) -> NDArray[np.int64]:
    """Of every box (N,) the row that counts for it: its own, or another scene's of the same object."""
    keeper = np.arange(len(boxes), dtype=np.int64)
    one, other, overlap = _pairs(boxes, iou, over_smaller)
    if not len(one):
        return keeper
    rows = np.unique(np.concatenate([one, other]))
    a, b = np.searchsorted(rows, one), np.searchsorted(rows, other)
    area = shapely.area(_shapes(boxes.corners[rows]))
    order = np.empty(len(rows), dtype=np.int64)
    order[np.lexsort((rows, -area, -boxes.inset_m[rows]))] = np.arange(len(rows))
    group = joined_groups(a, b, overlap, order, boxes.scene[rows].astype(np.int64))
    by_order = np.argsort(order)
    best = np.full(len(rows), -1, dtype=np.int64)
    best[group[by_order[::-1]]] = by_order[::-1]
    keeper[rows] = rows[best[group]]
    return keeper


def _pairs(
    boxes: GroundBoxes, iou: float, over_smaller: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Pairs of rows that may be one object, each once, with their overlap."""
    none = np.empty(0, dtype=np.int64)
    found = [(none, none, np.empty(0))]
    by_kind = np.argsort(boxes.kind, kind="stable")
    for rows in np.split(by_kind, np.flatnonzero(np.diff(boxes.kind[by_kind])) + 1):
        if len(rows) < 2 or len(np.unique(boxes.scene[rows])) < 2:
            continue
        rows = np.sort(rows)
        shapes = _shapes(boxes.corners[rows])
        for moved in _turns(shapes):
            tree = shapely.STRtree(moved)
            for start in range(0, len(rows), QUERY_CHUNK):
                a, b = tree.query(shapes[start : start + QUERY_CHUNK], predicate="intersects")
                a = a + start
                keep = (a < b) & (boxes.scene[rows[a]] != boxes.scene[rows[b]])
                a, b = a[keep], b[keep]
                overlap = _overlap(shapes[a], moved[b], boxes.at_border[rows[a]] | boxes.at_border[rows[b]])
                cut = boxes.at_border[rows[a]] | boxes.at_border[rows[b]]
                passes = (overlap > 0) & (overlap >= np.where(cut, over_smaller, iou))
                found.append((rows[a[passes]], rows[b[passes]], overlap[passes]))
    one, other, overlap = (np.concatenate(column) for column in zip(*found, strict=True))
    return one, other, overlap


def _overlap(
    one: NDArray[np.object_], other: NDArray[np.object_], over_smaller: NDArray[np.bool_]
) -> NDArray[np.float64]:
    both = shapely.area(shapely.intersection(one, other))
    area, area_other = shapely.area(one), shapely.area(other)
    whole = np.where(over_smaller, np.minimum(area, area_other), area + area_other - both)
    # Rounded, so that two scenes' ways of computing one corner do not decide at the threshold.
    return np.asarray(np.round(np.divide(both, whole, out=np.zeros_like(both), where=whole > 0), 9))


def _turns(shapes: NDArray[np.object_]) -> list[NDArray[np.object_]]:
    """The shapes, and where some reach over the antimeridian also a turn of the globe to the east and west."""
    period = period_of(ground()) or 0.0
    west, _, east, _ = shapely.total_bounds(shapes)
    if -period / 2 <= west and east <= period / 2:
        return [shapes]
    return [shapes, *(_moved(shapes, turn) for turn in (-period, period))]


def _moved(shapes: NDArray[np.object_], x: float) -> NDArray[np.object_]:
    return np.asarray(shapely.transform(shapes, lambda xy: xy + np.array([x, 0.0])), dtype=object)


def _shapes(corners: NDArray[np.float64]) -> NDArray[np.object_]:
    return np.asarray(shapely.polygons(corners), dtype=object)

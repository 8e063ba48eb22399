"""Which boxes of many images overlap, and how far: pairs as columns, in memory that grows with boxes and pairs found,
never with boxes x boxes. Knows groups (what may overlap at all: an image, or a class of one); refuses to know labels.

`boxes.iou_matrix` and `boxes.oriented_iou_matrix` say the same densely and are this module's oracles.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from groundproof_training.errors import TrainingError
from groundproof_training.metrics.boxes import Floats, areas, as_boxes, enclosing, polygons

Ints = NDArray[np.int64]

CHUNK = 1 << 21
"""Pairs that are compared at once: about 150 MB of columns."""
MOST_PAIRS = 60_000_000
"""Overlapping pairs that are kept: 1.4 GB. More are no detections but the same box over and over."""
_POLYGONS = 1 << 17
"""Pairs of polygons that are cut at once: shapely's objects are large."""


@dataclass(frozen=True, slots=True)
class Overlaps:
    """Pairs (p,) of n said and m true boxes that overlap, by said, then by true. said, true: their indices. iou:
    (p,), in (0, 1]. shape: (n, m)."""

    said: Ints
    true: Ints
    iou: Floats
    shape: tuple[int, int]

    def __len__(self) -> int:
        return len(self.iou)

    def where(self, keep: NDArray[np.bool_] | Ints) -> Overlaps:
        """The pairs chosen by a mask (p,) or by ascending indices."""
        return Overlaps(self.said[keep], self.true[keep], self.iou[keep], self.shape)

    def at_least(self, threshold: float) -> Overlaps:
        """The pairs of at least that IoU."""
        return self.where(self.iou >= threshold)

    def best_of_said(self) -> Floats:
        """The largest IoU of each said box (n,), 0 where it overlaps nothing."""
        best = np.zeros(self.shape[0])
        np.maximum.at(best, self.said, self.iou)
        return best

    def dense(self) -> Floats:
        """As a matrix (n, m), for few boxes."""
        made = np.zeros(self.shape)
        made[self.said, self.true] = self.iou
        return made


def overlaps(
    said: ArrayLike,
    said_groups: ArrayLike,
    true: ArrayLike,
    true_groups: ArrayLike,
    *,
    said_quads: Floats | None = None,
    true_quads: Floats | None = None,
    least: float = 0.0,
) -> Overlaps:
    """All pairs of one group with an IoU above 0 and of at least `least`.

    said (n, 4), true (m, 4): x0 y0 x1 y1, continuous corners; said_groups (n,), true_groups (m,): whole numbers >= 0.
    said_quads (n, 8), true_quads (m, 8): corners of oriented boxes, NaN for an upright one; a pair is compared as
    polygons where both have corners, else as upright boxes. A box without area or with a number that is none overlaps
    nothing. Raises TrainingError for more than MOST_PAIRS.
    """
    sides = [
        _Side.of(as_boxes(said), np.asarray(said_groups, dtype=np.int64), said_quads),
        _Side.of(as_boxes(true), np.asarray(true_groups, dtype=np.int64), true_quads),
    ]
    kept: list[tuple[Ints, Ints, Floats]] = []
    number = 0
    for i, j in _candidates(*sides):
        i, j, iou = _compare(sides[0], sides[1], i, j)
        keep = (iou > 0) & (iou >= least)
        if not keep.any():
            continue
        kept.append((i[keep], j[keep], iou[keep]))
        number += len(kept[-1][0])
        if number > MOST_PAIRS:
            raise TrainingError(
                f"The {sides[0].total} predicted and {sides[1].total} true boxes overlap in more than {MOST_PAIRS:,} "
                "pairs, which no image with separate objects does: look for boxes that are repeated without end, "
                "or for images that share one name."
            )
    shape = (sides[0].total, sides[1].total)
    if not kept:
        none = np.zeros(0, dtype=np.int64)
        return Overlaps(none, none, np.zeros(0), shape)
    i, j, iou = (np.concatenate(column) for column in zip(*kept, strict=True))
    order = np.lexsort((j, i))
    return Overlaps(i[order], j[order], iou[order], shape)


@dataclass(frozen=True, slots=True)
class _Side:
    """Boxes that can overlap something, sorted by group. index: of each in what was given. quads: (k, 8) or None."""

    xyxy: Floats
    groups: Ints
    index: Ints
    quads: Floats | None
    total: int

    @classmethod
    def of(cls, xyxy: Floats, groups: Ints, quads: Floats | None) -> _Side:
        if len(groups) != len(xyxy) or (quads is not None and len(quads) != len(xyxy)):
            raise ValueError(f"one group for each of {len(xyxy)} boxes is needed, got {len(groups)}")
        if quads is not None:
            turned = np.isfinite(quads).all(axis=1)[:, None]
            quads = np.where(turned, quads, np.nan)
            xyxy = np.where(turned, enclosing(quads), xyxy)
        with np.errstate(over="ignore", invalid="ignore"):
            usable = np.isfinite(xyxy).all(axis=1)
            usable &= np.isfinite(areas(xyxy)) & (areas(xyxy) > 0)
        index = np.flatnonzero(usable)
        index = index[np.argsort(groups[index], kind="stable")]
        return cls(
            np.ascontiguousarray(xyxy[index]),
            groups[index],
            index,
            None if quads is None else quads[index],
            len(xyxy),
        )


def _compare(said: _Side, true: _Side, i: Ints, j: Ints) -> tuple[Ints, Ints, Floats]:
    """Indices as they were given, and IoU, of candidates (sorted positions)."""
    iou = _upright(said.xyxy, true.xyxy, i, j)
    keep = iou > 0  # of a turned pair it is that of the bounds, which is 0 where the polygons' is
    i, j, iou = i[keep], j[keep], iou[keep]
    if said.quads is not None and true.quads is not None:
        turned = np.flatnonzero(np.isfinite(said.quads[i, 0]) & np.isfinite(true.quads[j, 0]))
        for at in range(0, len(turned), _POLYGONS):
            these = turned[at : at + _POLYGONS]
            iou[these] = _oriented(said.quads, true.quads, i[these], j[these])
    return said.index[i], true.index[j], iou


def _upright(said: Floats, true: Floats, i: Ints, j: Ints) -> Floats:
    width = np.minimum(said[i, 2], true[j, 2]) - np.maximum(said[i, 0], true[j, 0])
    height = np.minimum(said[i, 3], true[j, 3]) - np.maximum(said[i, 1], true[j, 1])
    met = np.flatnonzero((width > 0) & (height > 0))
    common = width[met] * height[met]
    union = areas(said)[i[met]] + areas(true)[j[met]] - common
    iou = np.zeros(len(i))
    iou[met] = common / np.maximum(union, 1e-9)
    return iou


def _oriented(said: Floats, true: Floats, i: Ints, j: Ints) -> Floats:
    one, one_of = np.unique(i, return_inverse=True)
    other, other_of = np.unique(j, return_inverse=True)
    a, b = polygons(said[one]), polygons(true[other])
    common = shapely.area(shapely.intersection(a[one_of], b[other_of]))
    union = shapely.area(a)[one_of] + shapely.area(b)[other_of] - common
    return np.where(union > 0, common / np.maximum(union, 1e-9), 0.0)


def _candidates(said: _Side, true: _Side) -> Iterator[tuple[Ints, Ints]]:
    """Positions of pairs of one group, at most about CHUNK at a time: all pairs of small groups, those whose bounds
    meet of large ones."""
    groups, first, number = np.unique(said.groups, return_index=True, return_counts=True)
    there = np.searchsorted(true.groups, groups, side="left")
    many = np.searchsorted(true.groups, groups, side="right") - there
    both = many > 0
    first, number, there, many = first[both], number[both], there[both], many[both]
    pairs = number * many
    large = pairs > CHUNK
    for k in np.flatnonzero(large):
        yield from _by_tree(
            said, true, slice(first[k], first[k] + number[k]), slice(there[k], there[k] + many[k])
        )
    first, number, there, many = first[~large], number[~large], there[~large], many[~large]
    total = np.cumsum(pairs[~large])
    at = 0
    while at < len(first):
        before = total[at - 1] if at else 0
        end = max(int(np.searchsorted(total, before + CHUNK, side="right")), at + 1)
        yield _all_pairs(first[at:end], number[at:end], there[at:end], many[at:end])
        at = end


def _all_pairs(first: Ints, number: Ints, there: Ints, many: Ints) -> tuple[Ints, Ints]:
    boxes = _ranges(first, number)
    width, start = np.repeat(many, number), np.repeat(there, number)
    return np.repeat(boxes, width), _ranges(start, width)


def _ranges(start: Ints, length: Ints) -> Ints:
    """start[0], start[0] + 1, ... for length[0] numbers, then the same of the next."""
    end = np.cumsum(length)
    return np.arange(end[-1] if len(end) else 0) + np.repeat(start - (end - length), length)


def _by_tree(said: _Side, true: _Side, these: slice, those: slice) -> Iterator[tuple[Ints, Ints]]:
    """One group through an R-tree (Leutenegger et al. 1997, shapely's STRtree), as many boxes in a query as surely
    meet no more than CHUNK: how many each meets is at most how many share its columns, or its rows."""
    mine, other = said.xyxy[these], true.xyxy[those]
    tree = shapely.STRtree(_diagonals(other))
    most = np.minimum(_sharing(mine, other, 0), _sharing(mine, other, 1))
    total = np.cumsum(most)
    at = 0
    while at < len(mine):
        before = total[at - 1] if at else 0
        end = max(int(np.searchsorted(total, before + 4 * CHUNK, side="right")), at + 1)
        i, j = tree.query(_diagonals(mine[at:end]))
        for cut in range(0, len(i), CHUNK):
            part = slice(cut, cut + CHUNK)
            yield i[part] + (these.start + at), j[part] + those.start
        at = end


def _sharing(mine: Floats, other: Floats, axis: int) -> Ints:
    begun = np.searchsorted(np.sort(other[:, axis]), mine[:, axis + 2], side="right")
    return begun - np.searchsorted(np.sort(other[:, axis + 2]), mine[:, axis], side="left")


def _diagonals(boxes: Floats) -> NDArray[np.object_]:
    """Lines with the boxes' bounds, which is all that the tree looks at: a third of a polygon's memory."""
    return np.asarray(shapely.linestrings(boxes.reshape(-1, 2, 2)), dtype=object).reshape(-1)

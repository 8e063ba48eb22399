"""One object seen by two tiles becomes one. Knows boxes in scene pixels, label codes and tile windows.

Refuses to know files, CRSs, what a label means and what becomes of the rows. Everything is compared in
scene pixels: in degrees a threshold would depend on the latitude.

The rules, all of them:

- A pair may be one object when its boxes come from different tiles, have the same label and image, overlap,
  and both intersect what the two tiles share.
- A box is *cut* when it touches an inner edge of its tile: one that is not the scene's border, within the
  edge tolerance. The pair's overlap is intersection over the smaller when either is cut, IoU otherwise.
  When each is cut by an edge that lies inside the other's tile, neither tile saw the whole object: then
  only what lies in the shared area counts. So a quay longer than two overlaps is still one quay.
- Pairs at or above the threshold are taken greedily, the best overlap first. A pair joins the groups of its
  two boxes unless the groups have a tile in common: boxes of one tile never end in one group, not even
  through a third. The boxes' numbers never change on the way.
- Ties go to the pair with the better box: farthest from the inner edges of its tile, then larger, then of
  the tile with the smaller rank, then by its numbers. The result does not depend on the order of the input.
- The best box of a group is its keeper. When a member is cut the merged box is the union of all members.

What follows from them: an object over the meeting point of four tiles becomes one box; one that crosses
several tiles becomes one box through its neighbours. A small box inside a large one of the same label from
another tile is taken for the same object when one of the two is cut (it cannot be told from a fragment),
and stays an object of its own when neither is. With no overlap between tiles nothing merges.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

QUERY_CHUNK = 20_000
"""Boxes or windows looked up in a tree at once: bounds the candidates held before the threshold."""


@dataclass(frozen=True, slots=True)
class SeenBoxes:
    """Boxes as the tiles saw them, one row each.

    xyxy: float64 (N, 4), scene px, axis-aligned (of a box with an angle, its hull). label, image, tile:
    int (N,), codes; tile indexes windows. windows: float64 (T, 4), x0, y0, x1, y1 in scene px. tile_rank:
    int (T,), the order of the tiles' ids. scene_size: width, height in px. edge_tolerance_px: how near an
    edge counts as touching, scene px, one number or (T,); one pixel of the model's image is right.
    """

    xyxy: Array
    label: Ints
    image: Ints
    tile: Ints
    windows: Array
    tile_rank: Ints
    scene_size: tuple[int, int]
    edge_tolerance_px: float | Array = 1.0

    def __post_init__(self) -> None:
        count = len(self.xyxy)
        if self.xyxy.shape != (count, 4) or any(
            c.shape != (count,) for c in (self.label, self.image, self.tile)
        ):
            shapes = [c.shape for c in (self.xyxy, self.label, self.image, self.tile)]
            raise ValueError(f"expected boxes (N, 4) with label, image and tile (N,), got {shapes}")
        tiles = len(self.windows)
        if self.windows.shape != (tiles, 4) or self.tile_rank.shape != (tiles,):
            raise ValueError(
                f"expected windows (T, 4), ranks (T,), got {self.windows.shape}, {self.tile_rank.shape}"
            )
        if count and not (self.tile.min() >= 0 and self.tile.max() < tiles):
            raise ValueError(f"tile indices must be 0..{tiles - 1}, got {self.tile.min()}..{self.tile.max()}")
        if not np.isfinite(self.xyxy).all():
            raise ValueError("boxes to merge must be finite; drop out-of-frame and degenerate rows first")


@dataclass(frozen=True, slots=True)
class Merged:
    """Who belongs to whom.

    keeper: int (N,), the row of the survivor each box belongs to; keepers point to themselves. keepers: int
    (K,), ascending. xyxy: float64 (K, 4), the merged boxes, scene px. united: bool (K,), the merged box is
    the union of its members, so the keeper's angle no longer holds. starts, members: int (K + 1,) and (N,);
    the members of keeper k are members[starts[k]:starts[k + 1]], the keeper first, then by their order.
    """

    keeper: Ints
    keepers: Ints
    xyxy: Array
    united: Bools
    starts: Ints
    members: Ints


def merge(seen: SeenBoxes, iou: float = 0.5, over_smaller: float = 0.5) -> Merged:
    """Join the boxes that different tiles saw of one object (rules in the module's first lines).

    iou, over_smaller: the least overlap of a pair, each in its own measure, in (0, 1].
    Time and memory grow with the boxes and the pairs that pass, not with their square.
    """
    if not (0.0 < iou <= 1.0 and 0.0 < over_smaller <= 1.0):
        raise ValueError(f"overlap thresholds must be above 0 and at most 1, got {iou} and {over_smaller}")
    keeper = np.arange(len(seen.xyxy), dtype=np.int64)
    place = np.zeros(len(seen.xyxy), dtype=np.int64)
    cut, distance = _edges(seen)
    one, other, overlap = _pairs(seen, cut, iou, over_smaller)
    if len(one):
        involved = np.zeros(len(keeper), dtype=bool)
        involved[one] = involved[other] = True
        rows = np.flatnonzero(involved)
        local = np.cumsum(involved) - 1
        a, b = local[one], local[other]
        order = _order(seen, distance, rows)
        group = joined_groups(a, b, overlap, order, seen.tile[rows])
        by_order = np.argsort(order)
        best = np.full(len(rows), -1, dtype=np.int64)
        best[group[by_order[::-1]]] = by_order[::-1]
        keeper[rows] = rows[best[group]]
        place[rows] = order
    return _collect(seen.xyxy, _any(cut), keeper, place)


def _edges(seen: SeenBoxes) -> tuple[Bools, Array]:
    """Which inner edges of its tile each box touches (N, 4: left, top, right, bottom), and the distance
    in px to the nearest inner edge (N,), inf in a tile without one."""
    width, height = seen.scene_size
    windows = seen.windows
    inner = np.stack(
        [windows[:, 0] > 0, windows[:, 1] > 0, windows[:, 2] < width, windows[:, 3] < height], axis=1
    )
    tolerance = np.broadcast_to(np.asarray(seen.edge_tolerance_px, dtype=np.float64), (len(windows),))
    sign = np.array([1.0, 1.0, -1.0, -1.0])
    gap = (seen.xyxy - windows[seen.tile]) * sign
    gap[~inner[seen.tile]] = np.inf
    touches = gap <= tolerance[seen.tile, None]
    return touches, np.maximum(gap.min(axis=1, initial=np.inf), 0.0)


def _pairs(seen: SeenBoxes, cut: Bools, iou: float, over_smaller: float) -> tuple[Ints, Ints, Array]:
    """All pairs of rows that may be one object and their overlap."""
    core = _cores(seen.windows)[seen.tile]
    alone = (seen.xyxy[:, :2] >= core[:, :2]).all(axis=1) & (seen.xyxy[:, 2:] <= core[:, 2:]).all(axis=1)
    shared = np.flatnonzero(~alone)
    label, image = (
        np.unique(code[shared], return_inverse=True)[1].ravel() for code in (seen.label, seen.image)
    )
    kind = label * (image.max(initial=0) + 1) + image
    found: list[tuple[Ints, Ints, Array]] = []
    by_kind = np.argsort(kind, kind="stable")
    for rows in np.split(shared[by_kind], np.flatnonzero(np.diff(kind[by_kind])) + 1):
        if len(rows) < 2:
            continue
        shapes = _shapes(seen.xyxy[rows])
        tree = shapely.STRtree(shapes)
        for at in range(0, len(rows), QUERY_CHUNK):
            near = tree.query(shapes[at : at + QUERY_CHUNK])
            a, b = near[0] + at, near[1]
            keep = (a < b) & (seen.tile[rows[a]] != seen.tile[rows[b]])
            one, other = rows[a[keep]], rows[b[keep]]
            overlap, by_smaller = _overlap(seen, cut, one, other)
            passes = (overlap > 0.0) & (overlap >= np.where(by_smaller, over_smaller, iou))
            found.append((one[passes], other[passes], overlap[passes]))
    if not found:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0)
    one, other, overlap = (np.concatenate(column) for column in zip(*found, strict=True))
    return one, other, overlap


def _overlap(seen: SeenBoxes, cut: Bools, one: Ints, other: Ints) -> tuple[Array, Bools]:
    """The overlap of pairs (P,), 0 where they are no candidates, and where it is over the smaller."""
    a, b = seen.xyxy[one], seen.xyxy[other]
    window_a, window_b = seen.windows[seen.tile[one]], seen.windows[seen.tile[other]]
    shared = _intersection(window_a, window_b)
    candidate = (_area(_intersection(a, shared)) > 0.0) & (_area(_intersection(b, shared)) > 0.0)
    by_smaller = _any(cut[one]) | _any(cut[other])
    neither_whole = _cut_inside(cut[one], window_a, window_b) & _cut_inside(cut[other], window_b, window_a)
    a = np.where(neither_whole[:, None], _intersection(a, shared), a)
    b = np.where(neither_whole[:, None], _intersection(b, shared), b)
    both, area_a, area_b = _area(_intersection(a, b)), _area(a), _area(b)
    whole = np.where(by_smaller, np.minimum(area_a, area_b), area_a + area_b - both)
    candidate &= whole > 0.0
    return np.where(candidate, both / np.where(candidate, whole, 1.0), 0.0), by_smaller


def _cut_inside(cut: Bools, own: Array, neighbour: Array) -> Bools:
    """Whether a box is cut by an edge of its own window that lies inside the neighbour's."""
    low, high = neighbour[:, [0, 1, 0, 1]], neighbour[:, [2, 3, 2, 3]]
    return _any(cut & (own > low) & (own < high))


def _any(flags: Bools) -> Bools:
    return np.asarray(flags.any(axis=1), dtype=np.bool_)


def _shapes(boxes: Array) -> NDArray[np.object_]:
    return np.asarray(shapely.box(*boxes.T), dtype=object)


def _intersection(a: Array, b: Array) -> Array:
    return np.concatenate([np.maximum(a[:, :2], b[:, :2]), np.minimum(a[:, 2:], b[:, 2:])], axis=1)


def _area(boxes: Array) -> Array:
    """Areas of (N, 4) boxes, 0 for those with nothing inside."""
    return np.asarray(np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0.0), axis=1))


def _cores(windows: Array) -> Array:
    """Of each window a part (T, 4) that no other window reaches: boxes inside it have no partner.

    Not the largest such part, but one: from each neighbour the side that costs least is cut off.
    """
    core = windows.astype(np.float64, copy=True)
    if len(windows) < 2:
        return core
    shapes = _shapes(windows)
    tree = shapely.STRtree(shapes)
    for start in range(0, len(windows), QUERY_CHUNK):
        own, other = tree.query(shapes[start : start + QUERY_CHUNK])
        own = own + start
        own, other = own[own != other], other[own != other]
        w, n = windows[own], windows[other]
        cost = np.stack([n[:, 2] - w[:, 0], n[:, 3] - w[:, 1], w[:, 2] - n[:, 0], w[:, 3] - n[:, 1]], axis=1)
        side = np.argmin(cost, axis=1)
        edge = np.take_along_axis(n, ((side + 2) % 4)[:, None], axis=1)[:, 0]
        low = side < 2
        np.maximum.at(core, (own[low], side[low]), edge[low])
        np.minimum.at(core, (own[~low], side[~low]), edge[~low])
    return core


def _order(seen: SeenBoxes, distance: Array, rows: Ints) -> Ints:
    """The place (len(rows),) of each row in the order in which boxes are preferred: 0 is the best."""
    box = seen.xyxy[rows]
    keys = (
        seen.image[rows],
        seen.label[rows],
        *(box[:, i] for i in range(4)),
        seen.tile_rank[seen.tile[rows]],
        -_area(box),
        -distance[rows],
    )
    order = np.empty(len(rows), dtype=np.int64)
    order[np.lexsort(keys)] = np.arange(len(rows))
    return order


def joined_groups(a: Ints, b: Ints, overlap: Array, order: Ints, tile: Ints) -> Ints:
    """The group (n,) of each of n boxes, named by one of its members, after greedy joining of the pairs.

    a, b: int (P,), the boxes of each pair; overlap: float64 (P,), the best is joined first. order: int (n,), the
    place of each box in the order that decides ties. tile: int (n,), of which no group has two boxes.

    Where all boxes that pairs connect are of different tiles no pair can be refused, whatever the order:
    that is nearly all of them, and it is found without a loop. Only the rest goes pair by pair.
    """
    group = _connected(a, b, len(order))
    by_tile = np.lexsort((tile, group))
    again = (np.diff(group[by_tile]) == 0) & (np.diff(tile[by_tile]) == 0)
    contested = np.zeros(len(order), dtype=bool)
    contested[group[by_tile][1:][again]] = True
    loop = contested[group]
    group[loop] = np.flatnonzero(loop)
    pairs = np.flatnonzero(loop[a])
    first, second = np.minimum(order[a], order[b])[pairs], np.maximum(order[a], order[b])[pairs]
    pairs = pairs[np.lexsort((second, first, -overlap[pairs]))]

    members = {int(i): [int(i)] for i in np.flatnonzero(loop)}
    tiles = {i: {int(tile[i])} for i in members}
    root = {i: i for i in members}
    for i, j in zip(a[pairs].tolist(), b[pairs].tolist(), strict=True):
        p, q = root[i], root[j]
        if p == q or not tiles[p].isdisjoint(tiles[q]):
            continue
        if len(members[p]) < len(members[q]):
            p, q = q, p
        tiles[p] |= tiles.pop(q)
        for moved in members[q]:
            root[moved] = p
        members[p] += members.pop(q)
    for i, p in root.items():
        group[i] = p
    return group


def _connected(a: Ints, b: Ints, count: int) -> Ints:
    """Connected components of pairs: the smallest index of its component for each of `count` nodes."""
    name = np.arange(count, dtype=np.int64)
    while True:
        least = np.minimum(name[a], name[b])
        before = name.copy()
        np.minimum.at(name, before[a], least)
        np.minimum.at(name, before[b], least)
        while True:
            shorter = name[name]
            if np.array_equal(shorter, name):
                break
            name = shorter
        if np.array_equal(before, name):
            return name


def _collect(xyxy: Array, cut: Bools, keeper: Ints, place: Ints) -> Merged:
    """Members by keeper, and the merged boxes."""
    members = np.lexsort((place, keeper))
    keepers, starts = np.unique(keeper[members], return_index=True)
    boxes = xyxy[keepers]
    united = np.zeros(len(keepers), dtype=bool)
    sizes = np.diff(np.append(starts, len(members)))
    if len(keepers):
        united = np.logical_or.reduceat(cut[members], starts) & (sizes > 1)
        low = np.minimum.reduceat(xyxy[members, :2], starts, axis=0)
        high = np.maximum.reduceat(xyxy[members, 2:], starts, axis=0)
        boxes[united] = np.concatenate([low, high], axis=1)[united]
    return Merged(keeper, keepers, boxes, united, np.append(starts, len(members)).astype(np.int64), members)

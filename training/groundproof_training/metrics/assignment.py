"""Which predicted box finds which true one, over pairs of any number of images at once. Knows pairs and ranks; refuses
to know boxes.

`boxes.match_greedy`, `boxes.match_optimal` and `detection.average_precision` say the same over one dense matrix and are
this module's oracles. All functions give indices (k,) of the chosen pairs, ascending.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, min_weight_full_bipartite_matching

from groundproof_training.metrics.boxes import Floats
from groundproof_training.metrics.overlaps import Ints, Overlaps

_ROUNDS = 24
"""Rounds of mutual choice before the rest, a long chain of overlapping boxes, is settled one by one."""
_DENSE = 1 << 20
"""Cells of a component's matrix up to which it is solved densely."""


def greedy(pairs: Overlaps) -> Ints:
    """One-to-one, best overlap first; ties: the earlier prediction, then the earlier true box."""
    rank = _ranks(np.argsort(-pairs.iou, kind="stable"))
    return _settle(pairs, rank, rank)


def in_turn(pairs: Overlaps, order: Ints) -> Ints:
    """COCO's rule: predictions in turn take the true box they overlap most among those still free; ties: the later
    true box, as COCOeval does. order: (n,) all predictions, the surest first."""
    liking = _ranks(np.lexsort((-pairs.true, -pairs.iou)))
    return _settle(pairs, liking, _ranks(order)[pairs.said])


def optimal(pairs: Overlaps, *, most: bool = True, first: NDArray[np.bool_] | None = None) -> Ints:
    """One-to-one with the most matches, and among those the largest summed overlap; most=False: simply the largest
    summed overlap.

    first: (n,) predictions that are matched rather than others where the number of matches stays the same. Each
    connected component is an assignment of its own (Jonker and Volgenant, by scipy): dense where it is small, sparse
    where it is not.
    """
    alone = np.bincount(pairs.said, minlength=pairs.shape[0])[pairs.said] == 1
    alone &= np.bincount(pairs.true, minlength=pairs.shape[1])[pairs.true] == 1
    rest = np.flatnonzero(~alone)
    if not len(rest):
        return np.arange(len(pairs))
    left = pairs.where(rest)
    free = np.zeros(len(left)) if first is None else first[left.said].astype(np.float64)
    return np.sort(np.concatenate([np.flatnonzero(alone), rest[_by_component(left, free, most=most)]]))


def _by_component(pairs: Overlaps, free: Floats, *, most: bool) -> Ints:
    rows, row = np.unique(pairs.said, return_inverse=True)
    columns, column = np.unique(pairs.true, return_inverse=True)
    nodes = len(rows) + len(columns)
    graph = coo_array((np.ones(len(pairs), dtype=np.int8), (row, column + len(rows))), shape=(nodes, nodes))
    _, part_of = connected_components(graph, directed=False)
    part = part_of[row]
    # The best pair of a component first: where all its pairs share a box (most do), it is the whole answer.
    order = np.lexsort((pairs.true, pairs.said, -pairs.iou, -free if most else np.zeros(len(pairs)), part))
    bounds = np.flatnonzero(np.diff(part[order], prepend=-1, append=-1))
    head = order[bounds[:-1]]
    own = np.repeat(head, np.diff(bounds))
    one_said = np.logical_and.reduceat(pairs.said[order] == pairs.said[own], bounds[:-1])
    one_true = np.logical_and.reduceat(pairs.true[order] == pairs.true[own], bounds[:-1])
    star = one_said | one_true
    chosen = [head[star]]
    chosen += [
        _solve(pairs, order[bounds[k] : bounds[k + 1]], free, most=most)
        for k in np.flatnonzero(~star).tolist()
    ]
    return np.concatenate(chosen)


def _solve(pairs: Overlaps, these: Ints, free: Floats, *, most: bool) -> Ints:
    rows, row = np.unique(pairs.said[these], return_inverse=True)
    columns, column = np.unique(pairs.true[these], return_inverse=True)
    worth = pairs.iou[these]
    if most:
        # A match is worth more than any sum of preferences, and a preference more than any sum of overlaps.
        more = min(len(rows), len(columns)) + 1.0
        worth = worth + more * free[these] + 2 * more**2
    if len(rows) * len(columns) <= _DENSE:
        matrix = np.zeros((len(rows), len(columns)))
        matrix[row, column] = worth
        pair = np.full(matrix.shape, -1)
        pair[row, column] = these
        found = pair[linear_sum_assignment(matrix, maximize=True)]
        return found[found >= 0]
    return _solve_sparse(row, column, worth, these, (len(rows), len(columns)))


def _solve_sparse(row: Ints, column: Ints, worth: Floats, these: Ints, shape: tuple[int, int]) -> Ints:
    """Every prediction may also take a column of its own, which is worth next to nothing: so a full matching is
    there."""
    n, m = shape
    top = worth.max() + 1.0
    cost = np.concatenate([top - worth, np.full(n, top)])
    at = (np.concatenate([row, np.arange(n)]), np.concatenate([column, m + np.arange(n)]))
    i, j = min_weight_full_bipartite_matching(coo_array((cost, at), shape=(n, m + n)).tocsr())
    real = j < m
    keys = row * m + column
    order = np.argsort(keys)
    return these[order[np.searchsorted(keys[order], i[real] * np.int64(m) + j[real])]]


def _ranks(order: Ints) -> Ints:
    """The place of each in an order."""
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.arange(len(order))
    return ranks


def _settle(pairs: Overlaps, by_said: Ints, by_true: Ints) -> Ints:
    """The stable matching where each prediction likes pairs by `by_said` and each true box by `by_true`, lower is
    better. Who chooses each other is matched, and both leave; whichever is first of all by `by_true`, then `by_said`,
    always is, so it ends, and with what taking them in that order gives."""
    n, m = pairs.shape
    last = np.iinfo(np.int64).max
    left = np.arange(len(pairs))
    chosen = []
    for _ in range(_ROUNDS):
        if not len(left):
            break
        said, true = pairs.said[left], pairs.true[left]
        best_said, best_true = np.full(n, last), np.full(m, last)
        np.minimum.at(best_said, said, by_said[left])
        np.minimum.at(best_true, true, by_true[left])
        agreed = (by_said[left] == best_said[said]) & (by_true[left] == best_true[true])
        chosen.append(left[agreed])
        gone_said, gone_true = np.zeros(n, dtype=bool), np.zeros(m, dtype=bool)
        gone_said[said[agreed]] = gone_true[true[agreed]] = True
        left = left[~(gone_said[said] | gone_true[true])]
    chosen.append(_one_by_one(pairs, left[np.lexsort((by_said[left], by_true[left]))]))
    return np.sort(np.concatenate(chosen))


def _one_by_one(pairs: Overlaps, order: Ints) -> Ints:
    taken: set[int] = set()
    found: set[int] = set()
    chosen = []
    for k, i, j in zip(order.tolist(), pairs.said[order].tolist(), pairs.true[order].tolist(), strict=True):
        if i not in taken and j not in found:
            taken.add(i)
            found.add(j)
            chosen.append(k)
    return np.array(chosen, dtype=np.int64)

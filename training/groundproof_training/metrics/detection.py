"""Figures of found boxes: precision, recall, F1, set-exact, average precision, mean and cumulative IoU.

Knows overlaps (n predictions, m true boxes). Refuses to know where they come from, and labels: who wants classes
kept apart sets the overlap of boxes whose names do not fit to 0 first.

Nothing true and nothing predicted is right: 1. Nothing true and something predicted, or the other way round: 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment

from groundproof_training.metrics.boxes import Floats, match_greedy, match_optimal


@dataclass(frozen=True, slots=True)
class Found:
    """Counts of one image, or the sum over several. predicted leaves out what fell on objects to ignore."""

    hits: int
    predicted: int
    true: int

    def __add__(self, other: Found) -> Found:
        return Found(self.hits + other.hits, self.predicted + other.predicted, self.true + other.true)

    @property
    def precision(self) -> float:
        """Hits over predictions; without predictions 1 where nothing is true, else 0."""
        return self.hits / self.predicted if self.predicted else float(not self.true)

    @property
    def recall(self) -> float:
        """Hits over true objects; without any 1 where nothing is predicted, else 0."""
        return self.hits / self.true if self.true else float(not self.predicted)

    @property
    def f1(self) -> float:
        """2 hits / (predictions + true objects); 1 where there are neither."""
        return 2 * self.hits / (self.predicted + self.true) if self.predicted + self.true else 1.0

    @property
    def exact(self) -> bool:
        """Every true object found and nothing else predicted."""
        return self.hits == self.predicted == self.true


def found(
    overlap: Floats, threshold: float, ignored: Floats | None = None, *, optimal: bool = False
) -> Found:
    """Counts by one-to-one matching at IoU >= threshold; a second box on one object is a mistake.

    ignored: (n, k) overlap with objects that count neither way (VOC's difficult): a prediction that matched nothing
    and reaches the threshold on one of them is left out. optimal: as many matches as there can be, whatever the order
    of the boxes; else greedy, best overlap first, where the order decides between equal overlaps.
    """
    matched = _matched(overlap, threshold, ignored, optimal)
    return Found(len(matched), int(_counted(matched, overlap, threshold, ignored).sum()), overlap.shape[1])


def counted(overlap: Floats, threshold: float, ignored: Floats | None = None) -> NDArray[np.bool_]:
    """Which predictions (n,) count: all but those that match no true box (optimally) and lie on an object to
    ignore."""
    return _counted(_matched(overlap, threshold, ignored, optimal=True), overlap, threshold, ignored)


def _counted(
    matched: list[int], overlap: Floats, threshold: float, ignored: Floats | None
) -> NDArray[np.bool_]:
    keep = ~_on_ignored(overlap, threshold, ignored)
    keep[matched] = True
    return keep


def _on_ignored(overlap: Floats, threshold: float, ignored: Floats | None) -> NDArray[np.bool_]:
    if ignored is None or not ignored.size:
        return np.zeros(len(overlap), dtype=bool)
    return ignored.max(axis=1) >= threshold


def _matched(overlap: Floats, threshold: float, ignored: Floats | None, optimal: bool) -> list[int]:
    """Predictions that match. Optimal: the most matches; among those, predictions that count anyway; among those,
    the largest summed overlap. So that neither number of `Found` depends on the order."""
    if not optimal:
        return [i for i, _ in match_greedy(overlap, threshold)]
    fits = (overlap >= threshold) & (overlap > 0)
    rows, columns = np.flatnonzero(fits.any(axis=1)), np.flatnonzero(fits.any(axis=0))
    fits = fits[np.ix_(rows, columns)]
    if not fits.size or (fits.sum(axis=0).max() == 1 == fits.sum(axis=1).max()):
        return rows.tolist()
    more = min(fits.shape) + 1.0
    free = ~_on_ignored(overlap, threshold, ignored)[rows]
    worth = fits * (2 * more**2 + more * free[:, None] + overlap[np.ix_(rows, columns)])
    pairs = zip(*linear_sum_assignment(worth, maximize=True), strict=True)
    return [int(rows[i]) for i, j in pairs if fits[i, j]]


class Ranking(StrEnum):
    """What ranks boxes that a model wrote without scores."""

    TIED = "tied"
    """All have the same score, so the curve has one point and AP is precision x recall. No order matters."""
    LISTED = "listed"
    """The order in which they are written, first the surest: what COCOeval does with equal scores."""


class Interpolation(StrEnum):
    """How the area under precision over recall is taken."""

    AREA = "area"
    """VOC from 2010 on: the whole area under the falling envelope."""
    COCO_101 = "coco-101"
    """COCO: the envelope's mean at recall 0, 0.01, ..., 1."""


def average_precision(
    overlap: Floats,
    threshold: float,
    ranking: Ranking | ArrayLike = Ranking.TIED,
    interpolation: Interpolation = Interpolation.AREA,
    ignored: Floats | None = None,
) -> float:
    """Average precision of one image, or of one class in one image.

    ranking: a policy, or scores (n,), highest first, ties as written. With LISTED or scores each prediction in
    turn takes the true box it overlaps most among those still free (COCO's rule; of equal ones the last, as COCOeval
    does); with TIED matching is optimal.
    """
    if overlap.shape[1] == 0 or len(overlap) == 0:
        return found(overlap, threshold, ignored, optimal=True).f1
    if isinstance(ranking, str) and Ranking(ranking) is Ranking.TIED:
        counts = found(overlap, threshold, ignored, optimal=True)
        return _area(np.array([counts.precision]), np.array([counts.recall]), interpolation)
    order = np.arange(len(overlap))
    if not isinstance(ranking, str):
        order = np.argsort(-np.asarray(ranking, dtype=np.float64), kind="stable")
    hit, counted = _in_turn(overlap[order], threshold, None if ignored is None else ignored[order])
    hits = np.cumsum(hit[counted])
    if not len(hits):
        return 0.0
    return _area(hits / np.arange(1, len(hits) + 1), hits / overlap.shape[1], interpolation)


def _in_turn(overlap: Floats, threshold: float, ignored: Floats | None) -> tuple[np.ndarray, np.ndarray]:
    free = np.ones(overlap.shape[1], dtype=bool)
    hit, counted = np.zeros(len(overlap), dtype=bool), np.ones(len(overlap), dtype=bool)
    for i, row in enumerate(overlap):
        best = len(row) - 1 - int(np.where(free, row, -1.0)[::-1].argmax())
        if free[best] and row[best] >= threshold and row[best] > 0:
            free[best], hit[i] = False, True
        elif ignored is not None and ignored.size and ignored[i].max() >= threshold:
            counted[i] = False
    return hit, counted


def _area(precision: Floats, recall: Floats, interpolation: Interpolation) -> float:
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    if Interpolation(interpolation) is Interpolation.AREA:
        return float((np.diff(recall, prepend=0.0) * envelope).sum())
    at = np.searchsorted(recall, np.linspace(0.0, 1.0, 101), side="left")
    return float(np.append(envelope, 0.0)[at].sum() / 101)


def mean_iou(overlap: Floats) -> float:
    """Summed IoU of the best one-to-one assignment over the larger of the two numbers of boxes.

    One true box and one prediction: their IoU. A second box for one object halves it, and so does an object missed
    of two: hedging with k boxes gains nothing over one guess.
    """
    most = max(overlap.shape)
    return sum(float(overlap[i, j]) for i, j in match_optimal(overlap)) / most if most else 1.0

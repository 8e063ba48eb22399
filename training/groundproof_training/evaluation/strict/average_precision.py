"""Average precision pooled over a data set, class by class, as a function of case weights.

COCO's curve: the falling envelope of precision, read at recall 0, 0.01, ..., 1 (pycocotools' `COCOeval.accumulate`);
the mean over classes that have a true object, and over IoU thresholds. Knows hits; refuses to know how they were found.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from groundproof_training.evaluation.figures import Measure
from groundproof_training.metrics.boxes import Floats
from groundproof_training.metrics.overlaps import Ints

RECALLS = np.linspace(0.0, 1.0, 101)


def table(case: Ints, group: Ints, shape: tuple[int, int]) -> csr_array:
    """How many of something each case has of each class: (cases, classes)."""
    return csr_array((np.ones(len(case)), (case, group)), shape=shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledAP(Measure):
    """Of the boxes of all cases together. rests_on: (cases,), which it applies to. true: (cases, classes), true
    objects."""

    rests_on: NDArray[np.bool_]
    true: csr_array

    @property
    def applies(self) -> NDArray[np.bool_]:
        """See `Measure.applies`."""
        return self.rests_on

    @property
    def informs(self) -> NDArray[np.bool_]:
        """(n,), cases with a true object."""
        return self.rests_on & (np.asarray(self.true.sum(axis=1)).reshape(-1) > 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class TiedAP(PooledAP):
    """Boxes without scores: all of a class are equally sure, so that its curve has one point. hits, predicted: of
    each IoU threshold."""

    hits: tuple[csr_array, ...]
    predicted: tuple[csr_array, ...]

    def of(self, weights: Floats) -> Floats:
        """See `Measure.of`."""
        columns = np.ascontiguousarray(weights.T)
        true = self.true.T @ columns
        total = np.zeros(weights.shape[0])
        for hits, predicted in zip(self.hits, self.predicted, strict=True):
            hit, listed = hits.T @ columns, predicted.T @ columns
            precision = _over(hit, listed)
            recall = _over(hit, true)
            total += _class_mean(precision * np.searchsorted(RECALLS, recall, side="right") / 101, true)
        return total / len(self.hits)

    def only(self, groups: Ints, rests_on: NDArray[np.bool_]) -> TiedAP:
        """The same of some classes alone."""
        hits, predicted = (tuple(one[:, groups] for one in many) for many in (self.hits, self.predicted))
        return replace(self, true=self.true[:, groups], hits=hits, predicted=predicted, rests_on=rests_on)


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedAP(PooledAP):
    """Boxes with scores. case, group: (n,) of predictions by class, then from the surest on.
    hits: of each IoU threshold, the places of those that found an object, ascending. left_out: of each, the places of
    those that count neither way."""

    case: Ints
    group: Ints
    hits: tuple[Ints, ...]
    left_out: tuple[Ints, ...]

    def of(self, weights: Floats) -> Floats:
        """See `Measure.of`."""
        return np.array([self._one(one) for one in np.asarray(weights, dtype=np.float64)])

    def only(self, groups: Ints, rests_on: NDArray[np.bool_]) -> RankedAP:
        """The same of some classes alone; groups: ascending."""
        keep = np.isin(self.group, groups)
        place = np.cumsum(keep) - 1
        hits, left_out = (tuple(place[one[keep[one]]] for one in many) for many in (self.hits, self.left_out))
        return replace(
            self,
            true=self.true[:, groups],
            case=self.case[keep],
            group=np.searchsorted(groups, self.group[keep]),
            hits=hits,
            left_out=left_out,
            rests_on=rests_on,
        )

    def _one(self, weights: Floats) -> float:
        true = self.true.T @ weights
        each = weights[self.case]
        start = np.searchsorted(self.group, np.arange(len(true)))
        listed = np.concatenate([[0.0], np.cumsum(each)])
        found = []
        for hits, left_out in zip(self.hits, self.left_out, strict=True):
            counted = listed
            if len(left_out):
                kept = each.copy()
                kept[left_out] = 0.0
                counted = np.concatenate([[0.0], np.cumsum(kept)])
            found.append(self._area(each, counted, hits, start, true))
        return float(_class_mean(np.array(found).T, true[:, None]).mean())

    def _area(self, each: Floats, listed: Floats, hits: Ints, start: Ints, true: Floats) -> Floats:
        """Of each class: (classes,)."""
        group = self.group[hits]
        summed = np.concatenate([[0.0], np.cumsum(each[hits])])
        first = np.searchsorted(group, np.arange(len(true)))
        hit = summed[1:] - summed[first[group]]
        precision = _over(hit, listed[hits + 1] - listed[start[group]])
        # The envelope of each class for itself: each class lies above the one after it.
        above = 2.0 * (len(true) - 1 - group)
        envelope = np.maximum.accumulate((precision + above)[::-1])[::-1] - above
        reached = np.searchsorted(RECALLS, _over(hit, true[group]), side="right")
        step = np.diff(reached, prepend=0)
        inside = first[first < len(group)]
        step[inside] = reached[inside]
        return np.bincount(group, envelope * step, minlength=len(true)) / 101


def _over(up: Floats, down: Floats) -> Floats:
    return np.divide(up, down, out=np.zeros(np.broadcast_shapes(up.shape, down.shape)), where=down > 0)


def _class_mean(values: Floats, true: Floats) -> Floats:
    """The mean over classes (first axis) that have a true object; NaN without any."""
    there = np.broadcast_to(true > 0, values.shape)
    number = there.sum(axis=0)
    return np.divide(
        np.where(there, values, 0.0).sum(axis=0), number, out=np.full(number.shape, np.nan), where=number > 0
    )

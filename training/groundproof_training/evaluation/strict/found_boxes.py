"""All boxes of many cases against all their objects, one to one, computed once for every measure that needs it.

Knows cases. A box in another image of its case, or under a name that does not fit, finds nothing (`columns`). A box
that found nothing and lies on an object to ignore counts neither way. Cases whose source does not give all its objects
take no part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from groundproof_training.evaluation.cases import NO_BOXES, Case, Status
from groundproof_training.evaluation.figures import Measure, Summed, ratio
from groundproof_training.evaluation.strict.average_precision import RankedAP, TiedAP, table
from groundproof_training.evaluation.strict.columns import (
    Columns,
    Flags,
    fitting,
    overlap_of,
    said_boxes,
)
from groundproof_training.evaluation.strict.object_classes import object_classes
from groundproof_training.metrics.assignment import in_turn, optimal
from groundproof_training.metrics.boxes import Floats
from groundproof_training.metrics.overlaps import Ints, Overlaps

MATCHED = "One to one, as many pairs as there can be, so that no order of the boxes matters."
TIED = (
    "The answers give no scores, so all boxes of a class are tied: its curve has one point, precision x recall, read "
    "at COCO's 101 recalls; no order of the boxes matters."
)
RANKED = (
    "Ranked by the answers' scores as COCOeval does: each box in turn takes its best free object; no limit on boxes "
    "per image."
)
POOLED = " Pooled over the data set per class, then the mean over classes that have a true object."


@dataclass(frozen=True, slots=True)
class Tally:
    """What of one IoU threshold: which predictions found an object, which true boxes were found by which prediction
    (pairs), which predictions count."""

    said: Ints
    true: Ints
    hit: Flags
    counted: Flags


class Table:
    """All boxes of the cases side by side, computed once. scored: (cases,), those whose truth is all there is."""

    def __init__(self, cases: Sequence[Case]) -> None:
        """See the class."""
        self.cases = cases
        self.scored = np.array(
            [case.truth.boxes is not None and case.truth.complete for case in cases], dtype=bool
        )
        self.ok = np.array([case.said.status is Status.OK for case in cases], dtype=bool)
        answered = zip(said_boxes(cases), self.scored, strict=True)
        self.said = Columns.of([boxes if use else NO_BOXES for boxes, use in answered])
        sets = [case.truth.boxes if case.truth.complete and case.truth.boxes else NO_BOXES for case in cases]
        both = Columns.of(sets)
        self.true, self._ignored = both.only(~both.ignore), both.only(both.ignore)

    @cached_property
    def pairs(self) -> Overlaps:
        """Predictions and true boxes that overlap and whose names fit."""
        return fitting(overlap_of(self.said, self.true), self.said, self.true, self.cases)

    @cached_property
    def ignored(self) -> Overlaps:
        """The same with the objects to ignore."""
        return fitting(overlap_of(self.said, self._ignored), self.said, self._ignored, self.cases)

    @cached_property
    def classes(self) -> tuple[tuple[str, ...], Ints, Ints]:
        """`object_classes` of predictions and true boxes."""
        return object_classes(self.said, self.true, self.pairs, self.cases)

    def on_ignored(self, threshold: float) -> Flags:
        """Predictions (n,) that lie on an object to ignore."""
        return self.ignored.best_of_said() >= threshold

    def tally(self, threshold: float) -> Tally:
        """One-to-one matches at that IoU, the most there can be."""
        pairs, on_ignored = self.pairs.at_least(threshold), self.on_ignored(threshold)
        chosen = pairs.where(optimal(pairs, first=~on_ignored))
        return self._tally(chosen, on_ignored)

    def _tally(self, chosen: Overlaps, on_ignored: Flags) -> Tally:
        hit = np.zeros(len(self.said), dtype=bool)
        hit[chosen.said] = True
        return Tally(chosen.said, chosen.true, hit, hit | ~on_ignored)

    @cached_property
    def half(self) -> Tally:
        """At IoU 0.5."""
        return self.tally(0.5)

    def sums(self, tally: Tally) -> Floats:
        """Hits, predictions and true objects of each case: (cases, 3); NaN where its truth is not all there is."""
        columns = [self.said.per_case(tally.hit), self.said.per_case(tally.counted), self.true.per_case()]
        return np.where(self.scored[:, None], np.stack(columns, axis=1), np.nan)

    def average_precision(self, name: str, thresholds: Sequence[float]) -> TiedAP | RankedAP:
        """Pooled per class. A box and an object of another class never match here."""
        names, said_class, true_class = self.classes
        width = len(names)
        pairs = self.pairs.where(said_class[self.pairs.said] == true_class[self.pairs.true])
        true = table(self.true.case, true_class, (len(self.cases), width))
        known = said_class < width
        if self.said.scores is None:
            hits, predicted = [], []
            for threshold in thresholds:
                near, on_ignored = pairs.at_least(threshold), self.on_ignored(threshold)
                tally = self._tally(near.where(optimal(near, first=~on_ignored)), on_ignored)
                for made, chosen in ((hits, tally.hit), (predicted, tally.counted & known)):
                    made.append(table(self.said.case[chosen], said_class[chosen], true.shape))
            return TiedAP(
                name=name,
                note=TIED + POOLED,
                rests_on=self.scored,
                true=true,
                hits=tuple(hits),
                predicted=tuple(predicted),
            )
        surest = np.argsort(-self.said.scores, kind="stable")
        ranked = surest[np.argsort(said_class[surest], kind="stable")]
        ranked = ranked[known[ranked]]
        places, left_out = [], []
        for threshold in thresholds:
            near, on_ignored = pairs.at_least(threshold), self.on_ignored(threshold)
            tally = self._tally(near.where(in_turn(near, surest)), on_ignored)
            places.append(np.flatnonzero(tally.hit[ranked]))
            left_out.append(np.flatnonzero(~tally.counted[ranked]))
        return RankedAP(
            name=name,
            note=RANKED + POOLED,
            rests_on=self.scored,
            true=true,
            case=self.said.case[ranked],
            group=said_class[ranked],
            hits=tuple(places),
            left_out=tuple(left_out),
        )

    def mean_iou(self) -> Floats:
        """Summed IoU of the best one-to-one pairs over the larger number of boxes, of each case; no box where none is
        true: 1 if the answer says so."""
        counted = self.half.counted
        pairs = self.pairs.where(counted[self.pairs.said])
        best = pairs.where(optimal(pairs, most=False))
        summed = np.bincount(self.said.case[best.said], best.iou, minlength=len(self.cases))
        most = np.maximum(self.said.per_case(counted), self.true.per_case())
        return np.divide(summed, most, out=self.ok.astype(np.float64), where=most > 0)


def precision(sums: Floats) -> Floats:
    """Of sums (d, 3) of hits, predictions and true objects; nothing predicted: 0, NaN where nothing is true either."""
    hits, predicted, true = sums.T
    value = np.divide(hits, predicted, out=np.zeros(len(sums)), where=predicted > 0)
    return np.where((predicted > 0) | (true > 0), value, np.nan)


def recall(sums: Floats) -> Floats:
    """Of the same sums; NaN where nothing is true."""
    return ratio(sums[:, [0, 2]])


def f1(sums: Floats) -> Floats:
    """Of the same sums; NaN where nothing is true or predicted."""
    return ratio(np.stack([2 * sums[:, 0], sums[:, 1] + sums[:, 2]], axis=1))


def counted_measures(parts: Floats, at: str, note: str) -> list[Measure]:
    """Precision, recall and F1 of hits, predictions and true objects (n, 3)."""
    made = (("precision", precision, (1,)), ("recall", recall, (2,)), ("f1", f1, (1, 2)))
    return [
        Summed(name=f"{name}@{at}", note=note, parts=parts, combine=combine, below=below)
        for name, combine, below in made
    ]

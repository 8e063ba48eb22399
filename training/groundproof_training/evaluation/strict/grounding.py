"""Measures of grounding: one phrase, one object, one box.

An answer is right with exactly one box on the object. One with more boxes is a miss, wherever they lie: else a model
that lists every object of the image would find them all. Nothing true: right is an answer that was read and has no box.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundproof_training.evaluation.cases import NO_BOXES, Case, Status
from groundproof_training.evaluation.figures import Measure, Summed, mean, ratio
from groundproof_training.evaluation.strict.columns import Columns, Flags, overlap_of, said_boxes
from groundproof_training.metrics.assignment import optimal
from groundproof_training.metrics.boxes import Floats

THRESHOLDS = (0.5, 0.75, 0.95)
HEDGE = "An answer with more boxes than objects is a miss, so that listing several boxes never pays."


@dataclass(frozen=True, slots=True)
class Grounded:
    """Of each case (n,), NaN where the source does not say where the object is.

    iou: of the box and the object; of several objects the mean over the best one-to-one pairs, an object without a box
    counts 0; nothing true: 1 for a readable answer without a box. worst: the smallest of those pairs, which decides
    whether all were found. common, joint: areas in square units of the case. boxes, objects: their numbers.
    """

    iou: Floats
    worst: Floats
    common: Floats
    joint: Floats
    boxes: Floats
    objects: Floats

    def right(self, threshold: float) -> NDArray[np.bool_]:
        """Which cases (n,) have one box for each object, all at least that close."""
        return (self.boxes == self.objects) & (self.worst >= threshold)


def grounded(cases: Sequence[Case]) -> Grounded:
    """Boxes against objects, as polygons where both sides have corners; names play no part. With more boxes than
    objects nothing is found."""
    known = np.array([case.truth.boxes is not None for case in cases], dtype=bool)
    ok = np.array([case.said.status is Status.OK for case in cases], dtype=bool)
    said = Columns.of(said_boxes(cases))
    true = Columns.of([case.truth.boxes or NO_BOXES for case in cases])
    true = true.only(~true.ignore)
    boxes, objects = said.per_case(), true.per_case()
    pairs = overlap_of(said, true)
    pairs = pairs.where((boxes <= objects)[said.case[pairs.said]])
    best = pairs.where(optimal(pairs, most=False))
    case_of = said.case[best.said]
    turned = said.listed & true.listed
    said_area, true_area = said.area(turned), true.area(turned)
    # IoU = common / (a + b - common)
    shared = (said_area[best.said] + true_area[best.true]) * best.iou / (1 + best.iou)
    common = np.bincount(case_of, shared, minlength=len(cases))
    total = np.bincount(said.case, said_area, len(cases)) + np.bincount(true.case, true_area, len(cases))
    nothing = (ok & (boxes == 0)).astype(np.float64)
    summed = np.bincount(case_of, best.iou, minlength=len(cases))
    worst = np.full(len(cases), 1.0)
    np.minimum.at(worst, case_of, best.iou)
    worst[np.bincount(case_of, minlength=len(cases)) < objects] = 0.0

    def of_known(values: Floats) -> Floats:
        return np.where(known, values, np.nan)

    return Grounded(
        iou=of_known(np.divide(summed, objects, out=nothing.copy(), where=objects > 0)),
        worst=of_known(np.where(objects > 0, worst, nothing)),
        common=of_known(common),
        joint=of_known(total - common),
        boxes=of_known(boxes),
        objects=of_known(objects),
    )


def measures(cases: Sequence[Case]) -> list[Measure]:
    """All of them."""
    found = grounded(cases)

    def of_known(values: Flags) -> Floats:
        return np.where(np.isnan(found.iou), np.nan, values)

    accuracy = [
        mean(
            f"acc@{threshold}",
            of_known(found.right(threshold)),
            note=f"Share of phrases with one box of IoU >= {threshold}. {HEDGE}",
        )
        for threshold in THRESHOLDS
    ]
    return [
        *accuracy,
        mean("mean-iou", found.iou, note=HEDGE),
        Summed(
            name="cumulative-iou",
            note=f"Summed common over summed joint area (RSVG): large objects weigh more. {HEDGE} "
            "Its boxes' areas are in the joint area.",
            parts=np.stack([found.common, found.joint], axis=1),
            combine=ratio,
        ),
        mean(
            "one-box-rate",
            np.where(found.objects == 1, found.boxes == 1, np.nan),
            note="Share of phrases for one object that got exactly one box.",
        ),
        mean(
            "parse-rate",
            np.array([case.said.status is Status.OK for case in cases], dtype=np.float64),
            note="Share of questions with an answer that could be read; all others are misses.",
        ),
    ]

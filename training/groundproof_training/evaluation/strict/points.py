"""Measures of boxes against objects of which the truth knows a position and no size (tree tops).

A box finds an object whose point lies in it; one to one, as many pairs as there can be, so that one box over the whole
image finds one object. How well a box fits its object is not measured, and cannot be.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from groundproof_training.evaluation.cases import Case, Status
from groundproof_training.evaluation.figures import Measure, Summed, ratio
from groundproof_training.metrics.boxes import Floats, as_boxes

NOTE = (
    "A box finds an object whose point lies in it, one to one, the most pairs there can be; its size is not judged, "
    "so as many boxes over everything as there are objects find them all. "
    "Boxes of the answer, or of the rationale where the answer has none."
)


def point_measures(cases: Sequence[Case]) -> list[Measure]:
    """Precision, recall and F1 over all boxes and points. Empty where no case's truth has points."""
    parts = np.full((len(cases), 3), np.nan)
    for k, case in enumerate(cases):
        if case.truth.points is not None:
            boxes = _boxes(case)
            parts[k] = hits(boxes, case.truth.points), len(boxes), len(case.truth.points)
    if np.isnan(parts).all():
        return []
    return [
        Summed(name="point-precision", note=NOTE, parts=parts[:, [0, 1]], combine=ratio, below=(1,)),
        Summed(name="point-recall", note=NOTE, parts=parts[:, [0, 2]], combine=ratio, below=(1,)),
        Summed(name="point-f1", note=NOTE, parts=parts, combine=_f1, below=(1, 2)),
    ]


def _boxes(case: Case) -> Floats:
    said = case.said
    if said.status is not Status.OK:
        return as_boxes([])
    return as_boxes((said.boxes if len(said.boxes) or said.evidence is None else said.evidence).xyxy)


def _f1(sums: Floats) -> Floats:
    return ratio(np.stack([2 * sums[:, 0], sums[:, 1] + sums[:, 2]], axis=1))


def hits(boxes: Floats, points: Floats) -> int:
    """Pairs of a box (n, 4) and a point (m, 2) in it, edges included, each once, the most there can be."""
    inside = contains(boxes, points)
    if not inside.any():
        return 0
    return int((maximum_bipartite_matching(csr_array(inside), perm_type="column") >= 0).sum())


def contains(boxes: Floats, points: Floats) -> NDArray[np.bool_]:
    """(n, m), whether a box holds a point; a box with NaN or without area holds none."""
    x, y = points[None, :, 0], points[None, :, 1]
    x0, y0, x1, y1 = (boxes[:, k, None] for k in range(4))
    fits: NDArray[np.bool_] = (x0 <= x) & (x <= x1) & (y0 <= y) & (y <= y1) & (x0 < x1) & (y0 < y1)
    return fits

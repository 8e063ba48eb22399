"""EarthDial's precision of boxes, which GeoVLM-R1's tables call acc@0.5 and mAP (hiyamdebary/EarthDial,
`src/earthdial/eval/{rs_detection,rs_change_detection,rs_grounding_description}`).

Knows the texts of its files and their grid. A box is right if any true one overlaps it far enough: no matching, no
recall. Two layers: texts or boxes to numbers (`said_and_true`), numbers to hits (`hits`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundproof_training.evaluation.cases import BoxSet, Case
from groundproof_training.evaluation.compat.sums import pooled
from groundproof_training.evaluation.compat.texts import answer_of, truth_of
from groundproof_training.evaluation.compat.written import PERCENT, turned, writes_percent
from groundproof_training.evaluation.figures import Measure
from groundproof_training.metrics.boxes import Floats, enclosing
from groundproof_training.metrics.overlaps import overlaps
from groundproof_training.metrics.turned_boxes import turned_quads

MOST_TRUE = 50
"""Grounded descriptions with as many true boxes or more are left out by the script."""
_ANY = re.compile(r"\[\s*(\d+(?:,\s*\d+)*)\s*\]")
_FIVE = re.compile(r"\[\s*(\d+),\s*(\d+),\s*(\d+),\s*(\d+),\s*(\d+)\s*\]")
_LARGEST = 10**7
"""Numbers beyond are cut, so that areas stay finite."""

Boxes = Floats | Sequence[Sequence[float]]
"""Of one case: columns (k, 5), or what a text holds, of any length each."""

_NO_MATCHING = (
    "Share of the predicted boxes that overlap any true box: a precision without matching, in which duplicates count "
    "as found, missed objects cost nothing, boxes with a negative number are dropped, and an angle turns against the "
    "labels' own sense"
)
_SIZES = ("small", "medium", "large")


@dataclass(frozen=True, slots=True)
class Written:
    """Boxes of n cases as columns. boxes: (b, 5) x0 y0 x1 y1 degrees. rows: (b,) case of each. usable: (b,), whether
    it has five numbers; the others count as predictions and find nothing. n: (n,) boxes of each case."""

    boxes: Floats
    rows: NDArray[np.int64]
    usable: NDArray[np.bool_]
    n: NDArray[np.int64]

    @classmethod
    def of(cls, found: Sequence[Boxes]) -> Written:
        """From the boxes of each case, as columns or as lists of any length."""
        made = [_columns(boxes) for boxes in found]
        n = np.array([len(boxes) for boxes in found], dtype=np.int64)
        return cls(
            boxes=np.concatenate([np.zeros((0, 5)), *(boxes for boxes, _ in made)]),
            rows=np.repeat(np.arange(len(found)), n),
            usable=np.concatenate([np.zeros(0, dtype=bool), *(usable for _, usable in made)]),
            n=n,
        )


def _columns(boxes: Boxes) -> tuple[Floats, NDArray[np.bool_]]:
    if isinstance(boxes, np.ndarray):
        return boxes, np.ones(len(boxes), dtype=bool)
    usable = np.array([len(box) == 5 for box in boxes], dtype=bool)
    made = np.zeros((len(boxes), 5))
    if usable.any():
        made[usable] = [box for box in boxes if len(box) == 5]
    return made, usable


def detection(cases: Sequence[Case]) -> list[Measure]:
    """acc@0.5 by size and number; for pairs of dates the "mAP" with the predicted angle taken as 0."""
    pairs = [said_and_true(case) for case in cases]
    said, true = Written.of([one for one, _ in pairs]), Written.of([other for _, other in pairs])
    if any(_is_later(case) for case in cases):
        made: list[Measure] = []
        for threshold in (0.5, 0.25):
            note = f"{_NO_MATCHING}; predicted angles are taken as 0, and the script holds 0.25 whatever a table says."
            found = hits(said, true, threshold, flat=True)
            made.append(pooled(f"map@{threshold:g}", found, said.n, note))
        return made
    found = hits(said, true, 0.5)
    groups = np.array([case.meta.get("size_group", "") for case in cases])
    one = true.n == 1
    note = f"{_NO_MATCHING}."
    made = [pooled("acc@0.5", found, said.n, note)]
    made += [
        pooled(f"acc@0.5 {size}", found, said.n, note, groups == size)
        for size in _SIZES
        if (groups == size).any()
    ]
    note = f"{_NO_MATCHING}; a question whose true boxes were all dropped counts as multiple."
    made += [
        pooled(f"acc@0.5 {name}", found, said.n, note, rows)
        for name, rows in (("single", one), ("multiple", ~one))
        if rows.any()
    ]
    return made


def description(cases: Sequence[Case]) -> tuple[list[Measure], NDArray[np.bool_]]:
    """Precision at 0.5 and 0.25 of the boxes in grounded descriptions, and which cases (n,) the script scores."""
    pairs = [said_and_true(case, _FIVE) for case in cases]
    said, true = Written.of([one for one, _ in pairs]), Written.of([other for _, other in pairs])
    few = true.n < MOST_TRUE
    note = f"{_NO_MATCHING}; images with {MOST_TRUE} or more true boxes are left out, so crowded ones never count."
    made: list[Measure] = [
        pooled(f"precision@{threshold:g}", hits(said, true, threshold), said.n, note, few)
        for threshold in (0.5, 0.25)
    ]
    return made, few


def said_and_true(case: Case, pattern: re.Pattern[str] = _ANY) -> tuple[Boxes, Boxes]:
    """Boxes of a case as the script sees them: of texts on its grid by its patterns, else the case's boxes written as
    whole numbers of that grid."""
    if writes_percent(case):
        return _read(answer_of(case), pattern), _read(truth_of(case), pattern)
    if case.size is None:
        return [], []
    true = case.truth.boxes
    return _drawn(case.said.boxes, case.size), [] if true is None else _drawn(true, case.size)


def hits(said: Written, true: Written, threshold: float, *, flat: bool = False) -> Floats:
    """How many predicted boxes of each case (n,) overlap a true one by at least `threshold`. flat: the predicted angle
    is taken as 0."""
    angles = np.zeros(len(said.boxes)) if flat else said.boxes[:, 4]
    one, other = said.usable, _before_broken(true)
    said_quads = turned_quads(said.boxes[one, :4], angles[one], clockwise=False)
    true_quads = turned_quads(true.boxes[other, :4], true.boxes[other, 4], clockwise=False)
    upright = not angles[one].any() and not true.boxes[other, 4].any()
    found = overlaps(
        enclosing(said_quads),
        said.rows[one],
        enclosing(true_quads),
        true.rows[other],
        said_quads=None if upright else said_quads,
        true_quads=None if upright else true_quads,
        least=threshold,
    )
    right = np.unique(found.said)
    return np.bincount(said.rows[one][right], minlength=len(said.n)).astype(np.float64)


def _before_broken(true: Written) -> NDArray[np.bool_]:
    """True boxes that are tried at all: the script gives up a prediction at the first without five numbers."""
    if true.usable.all():
        return true.usable
    broken = np.cumsum(~true.usable)
    start = np.concatenate([[0], np.cumsum(true.n)])[true.rows]
    before = np.concatenate([[0], broken])[start]
    tried: NDArray[np.bool_] = broken == before
    return tried


def _read(text: str, pattern: re.Pattern[str]) -> list[list[float]]:
    """Groups of whole numbers in brackets; one with a minus, a decimal point or a word is none, and so is dropped."""
    found = pattern.findall(text)
    if pattern.groups > 1:
        return [[_number(part) for part in one] for one in found]
    return [[_number(part) for part in one.split(",")] for one in found]


def _number(text: str) -> float:
    text = text.strip()
    return float(min(int(text), _LARGEST)) if len(text) < 20 else float(_LARGEST)


def _drawn(boxes: BoxSet, size: tuple[float, float]) -> Floats:
    made = turned(boxes, size, PERCENT)
    return made[(made >= 0).all(axis=1)]


def _is_later(case: Case) -> bool:
    """Whether the case's boxes lie on a second or later picture."""
    true = case.truth.boxes
    return any((true.images if true is not None else ()) + case.said.boxes.images)

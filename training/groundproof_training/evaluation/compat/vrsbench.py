"""VRSBench's own evaluation (lx709/VRSBench, `eval_fianl`): grounding and visual questions.

Grounding is on a grid of 0 to 100 with one added to every side. A visual question whose answer neither holds the truth
nor is yes, no or a number goes to GPT-4o-mini there; here our own comparison without a judge decides (`same_answer`),
and the figures say so. Captions are scored by COCO's caption tools, which is what the strict figures are, and by an
LLM (CLAIR), so there is no rule for them here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from groundproof_training.evaluation.cases import Case, Family
from groundproof_training.evaluation.compat.sums import mean_of_groups, pooled
from groundproof_training.evaluation.compat.texts import answer_of, truth_of, words_of
from groundproof_training.evaluation.compat.written import PERCENT, on_grid, upright
from groundproof_training.evaluation.figures import Measure, mean
from groundproof_training.metrics.boxes import Floats
from groundproof_training.metrics.text import same_answer

IOUS = (0.5, 0.7)
_DIGITS = re.compile(r"\d+")
_FRACTION = re.compile(r"\d\.\d")
"""In no truth of its files, where it would be two numbers: boxes of other sources are written as whole numbers."""
_EXACT = frozenset(("yes", "no", *map(str, range(100))))
_SAME_TYPE = {"image": "scene type", "rural or urban": "scene type"}
_UNIQUE = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}

_PLUS_ONE = (
    "On a grid of whole percents with 1 added to every side, so small objects overlap far more than in truth (two "
    "boxes of 3 x 3 that only touch: IoU .14); only the first box is read, and a minus is not seen"
)
_HELD = (
    "Right where the truth stands anywhere in the answer ('no' in 'not'), where yes, no and numbers are the same, and "
    "else by our comparison in place of GPT-4o-mini's judgement, which is stricter about synonyms"
)


class VrsBench:
    """See the module."""

    def measures(self, cases: Sequence[Case]) -> list[Measure]:
        """Grounding of one object each, and visual questions; nothing for other families."""
        if not cases:
            return []
        family = cases[0].family
        if family is Family.VQA:
            return _answers(cases)
        one_each = all(
            case.truth.boxes is not None and len(case.truth.boxes) == 1 and case.size is not None
            for case in cases
        )
        return _grounding(cases) if family in (Family.GROUNDING, Family.DETECTION) and one_each else []


def iou_plus_one(a: Floats, b: Floats) -> tuple[Floats, Floats, Floats]:
    """IoU, intersection and union (n,) of boxes (n, 4) whose right and lower numbers belong to them; IoU 0 where the
    union is 0."""
    side = np.maximum(0, np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2]) + 1)
    common = side[:, 0] * side[:, 1]
    one, other = a[:, 2:] - a[:, :2] + 1, b[:, 2:] - b[:, :2] + 1
    union = one[:, 0] * one[:, 1] + other[:, 0] * other[:, 1] - common
    return np.divide(common, union, out=np.zeros_like(common), where=union != 0), common, union


def is_right(answer: str, target: str) -> bool:
    """Its rule for visual questions, with ours in the judge's place."""
    said, true = answer.lower(), target.lower()
    if true in said:
        return True
    return said == true if true in _EXACT else same_answer(answer, target)


def _grounding(cases: Sequence[Case]) -> list[Measure]:
    pairs = [_first_boxes(case) for case in cases]
    there = np.array([said is not None and true is not None for said, true in pairs], dtype=bool)
    boxes = np.array(
        [[*(said or ()), *(true or ())] for (said, true), ok in zip(pairs, there, strict=True) if ok]
    )
    iou, common, union = (np.zeros(len(cases)) for _ in range(3))
    iou[there], common[there], union[there] = iou_plus_one(*np.split(boxes.reshape(-1, 8), 2, axis=1))
    unique = [_UNIQUE.get(case.meta.get("unique", "").casefold()) for case in cases]
    parts: list[tuple[str, NDArray[np.bool_]]] = [("", np.ones(len(cases), dtype=bool))]
    parts += [
        (name, np.array([one is kind for one in unique], dtype=bool))
        for name, kind in ((" unique", True), (" non-unique", False))
    ]
    note = f"{_PLUS_ONE}."
    made: list[Measure] = []
    for name, rows in parts:
        if rows.any():
            made += [
                mean(f"acc@{at:g}{name}", np.where(rows, (iou >= at).astype(float), np.nan), note=note)
                for at in IOUS
            ]
    note = f"{_PLUS_ONE}; answers without a box are left out of this one."
    return [*made, mean("miou", iou, note=f"{_PLUS_ONE}."), pooled("cumulative iou", common, union, note)]


def _first_boxes(case: Case) -> tuple[list[float] | None, list[float] | None]:
    true = case.truth.boxes
    if on_grid(case, PERCENT) and not _FRACTION.search(case.truth.text):
        return _first_four(answer_of(case)), _first_four(truth_of(case))
    if case.size is None or true is None:
        return None, None
    said, right = upright(case.said.boxes, case.size, PERCENT), upright(true, case.size, PERCENT)
    return (said[0].tolist() if len(said) else None), (right[0].tolist() if len(right) else None)


def _first_four(text: str) -> list[float] | None:
    found = _DIGITS.findall(text)[:4]
    return [float(one[:9]) for one in found] if len(found) == 4 else None


def _answers(cases: Sequence[Case]) -> list[Measure]:
    hits = np.array([is_right(words_of(case), truth_of(case)) for case in cases], dtype=np.float64)
    types = [_type(case) for case in cases]
    name = "accuracy (our comparison for GPT-4o-mini's)"
    made: list[Measure] = [mean(name, hits, note=f"{_HELD}.")]
    names = sorted(set(types) - {""})
    if len(names) < 2:
        return made
    kinds = np.array(types)
    made += [
        mean(f"accuracy {kind} (our comparison)", np.where(kinds == kind, hits, np.nan), note=f"{_HELD}.")
        for kind in names
    ]
    note = f"{_HELD}; every type counts the same, so a type of 20 questions weighs as much as one of 10,000."
    return [*made, mean_of_groups("accuracy, mean of types (our comparison)", hits, types, note)]


def _type(case: Case) -> str:
    kind = case.meta.get("type", "").casefold()
    return _SAME_TYPE.get(kind, kind)

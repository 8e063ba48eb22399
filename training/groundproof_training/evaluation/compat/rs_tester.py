"""RSThinker's RS_Tester (minglangL/RSThinker, `RS_Tester/metrics.py` at ea91280), presumably behind its tables.

It reads texts: where a set's own texts are bare numbers, those; boxes of other models are written per-mille first, as
RSThinker would. Anything unexpected makes it print nothing for the whole file; such figures are NaN here, and beside
detection stands one with the broken answers counted as wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np

from groundproof_training.evaluation.cases import NO_BOXES, Case, Family
from groundproof_training.evaluation.compat.rs_boxes import detected, grown_iou
from groundproof_training.evaluation.compat.rs_captions import (
    character_bleu,
    so_called_cider,
    without_marks,
)
from groundproof_training.evaluation.compat.sums import mean_unless
from groundproof_training.evaluation.compat.texts import (
    answer_of,
    meteor_name,
    meteor_of,
    references_of,
    rouge_l,
    truth_of,
    words_of,
)
from groundproof_training.evaluation.compat.written import (
    PER_MILLE,
    is_bare,
    knows_places,
    numbers_in,
    on_grid,
    upright,
)
from groundproof_training.evaluation.figures import Measure, mean
from groundproof_training.metrics.boxes import Floats

GROUNDING_IOUS = (0.5, 0.75, 0.95)
DETECTION_IOUS = (0.25, 0.5, 0.75)
TOLERANCES = (0.0, 0.1, 0.3, 0.5)
_NUMBER_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_AS_WORD = dict(zip(map(str, range(13)), (*_NUMBER_WORDS, "eleven", "twelve"), strict=True))
_DIGITS = re.compile(r"\d+")

_GROWN = (
    "x0 y0 x1 y1 is read as x0 y0 width height, so boxes grow with their distance from the upper left corner and "
    "overlap: a box shifted by a fifth of its size scores .8 here and 0 in truth"
)
_AP = (
    f"{_GROWN}; mean over images of an 11-point AP whatever the class, in the order of the text; a right answer for an "
    "image without objects scores 0, and one answer with a stray number ends the whole file"
)
_COUNT = (
    "The first number anywhere in the text counts, else a number word inside any word ('not' is 0, 'stone' is 1), "
    "else -1"
)
_WITHIN = "The truth need only stand somewhere in the answer: 'no' in 'not', '1' in '10'; listing every answer is right"


class RsTester:
    """See the module."""

    def measures(self, cases: Sequence[Case]) -> list[Measure]:
        """By family; all of its six tasks. Nothing for boxes where some truth has no places."""
        if not cases:
            return []
        family = cases[0].family
        on_boxes = family in (Family.GROUNDING, Family.DETECTION)
        if on_boxes and not all(knows_places(case, PER_MILLE) for case in cases):
            return []
        return _RULES[family](cases)


def first_number(text: str) -> int:
    """The count that its rule reads: the first digits, else the first of its words found anywhere, else -1."""
    found = _DIGITS.search(text)
    if found:
        return int(found[0][:18])
    words = text.lower()
    return next((number for number, word in enumerate(_NUMBER_WORDS) if word in words), -1)


def holds(answer: str, target: str) -> bool:
    """Whether an answer to a visual question holds the target, in digits or, up to twelve, as a word."""
    said, true = answer.lower(), target.lower()
    return true in said or (true in _AS_WORD and _AS_WORD[true] in said)


def holds_class(answer: str, target: str) -> bool:
    """Whether an answer holds the class's name, without underscores, hyphens and spaces."""
    said, true = (re.sub(r"[_\- ]", "", text.lower()) for text in (answer, target))
    return true in said


def _numbers(case: Case) -> tuple[Floats, Floats]:
    """All numbers of the answer's and of the true boxes, in one frame."""
    true = truth_of(case)
    if is_bare(true) or case.size is None or on_grid(case, PER_MILLE):
        return np.array(numbers_in(answer_of(case))), np.array(numbers_in(true))
    boxes = case.truth.boxes if case.truth.boxes is not None else NO_BOXES
    said, true_boxes = (upright(one, case.size, PER_MILLE).reshape(-1) for one in (case.said.boxes, boxes))
    return said, true_boxes


def _grounding(cases: Sequence[Case]) -> list[Measure]:
    pairs = [_numbers(case) for case in cases]
    there = np.array([len(said) >= 4 and len(true) >= 4 for said, true in pairs], dtype=bool)
    boxes = np.array([[*said[:4], *true[:4]] for (said, true), ok in zip(pairs, there, strict=True) if ok])
    boxes = boxes.reshape(-1, 8)
    iou, broken = np.zeros(len(cases)), np.zeros(len(cases), dtype=bool)
    iou[there], broken[there] = grown_iou(boxes[:, :4], boxes[:, 4:])
    iou = np.where(iou == -1.0, 0.0, iou)
    made: list[Measure] = [
        mean_unless(
            f"acc@{at:g}", (iou >= at).astype(float), broken, f"{_GROWN}; only the first box is read."
        )
        for at in GROUNDING_IOUS
    ]
    return [*made, mean_unless("miou", iou, broken, f"{_GROWN}; only the first box is read.")]


def _detection(cases: Sequence[Case]) -> list[Measure]:
    pairs = [_numbers(case) for case in cases]
    torn = np.array([len(said) % 4 or len(true) % 4 for said, true in pairs], dtype=bool)
    said, true = ([_boxes(pair[side]) for pair in pairs] for side in (0, 1))
    found = detected(said, true, DETECTION_IOUS)
    broken = torn | found.broken
    made: list[Measure] = []
    for column, at in enumerate(DETECTION_IOUS):
        made.append(mean_unless(f"ap@{at:g}", found.ap[:, column], broken, f"{_AP}."))
        for name in ("f1", "precision", "recall"):
            values = getattr(found, name)[:, column]
            made.append(
                mean_unless(f"{name}@{at:g}", values, broken, f"{_GROWN}; mean over images, not over boxes.")
            )
    if broken.any():
        note = f"{_AP}: this is not what it prints, but its rule with the {int(broken.sum())} broken answers wrong."
        made += [
            mean(f"ap@{at:g}, broken answers wrong", np.where(broken, 0.0, found.ap[:, column]), note=note)
            for column, at in enumerate(DETECTION_IOUS)
        ]
    return made


def _boxes(numbers: Floats) -> Floats:
    return numbers[: len(numbers) // 4 * 4].reshape(-1, 4)


def _counting(cases: Sequence[Case]) -> list[Measure]:
    true = np.array([_count(case) for case in cases])
    broken = np.isnan(true)
    error = np.abs(np.nan_to_num(true) - np.array([first_number(answer_of(case)) for case in cases]))
    made: list[Measure] = [
        mean_unless(
            f"acc, within {at:g}", (error <= at * np.nan_to_num(true)).astype(float), broken, f"{_COUNT}."
        )
        for at in TOLERANCES
    ]
    note = f"{_COUNT}; an answer without a number adds the truth and 1."
    return [*made, mean_unless("mae", error, broken, note, better="lower")]


def _count(case: Case) -> float:
    if case.truth.count is not None:
        return float(case.truth.count)
    try:
        return float(int(truth_of(case)[:18]))
    except ValueError:
        return float("nan")


def _held(rule: Callable[[str, str], bool], note: str) -> Callable[[Sequence[Case]], list[Measure]]:
    def measures(cases: Sequence[Case]) -> list[Measure]:
        hits = np.array([rule(words_of(case), truth_of(case)) for case in cases], dtype=np.float64)
        made: list[Measure] = [mean("acc", hits, note=f"{note}.")]
        types = np.array([case.meta.get("type", "") for case in cases])
        names = sorted(set(types.tolist()) - {""})
        if len(names) > 1:
            made += [
                mean(f"acc {name}", np.where(types == name, hits, np.nan), note=f"{note}.") for name in names
            ]
        return made

    return measures


def _captions(cases: Sequence[Case]) -> list[Measure]:
    said = [without_marks(words_of(case)) for case in cases]
    true = [references_of(case) for case in cases]
    pairs = list(zip(said, true, strict=True))
    bleu = np.array([character_bleu(text, several) for text, several in pairs]).reshape(-1, 4)
    note = "n-grams of characters and not of words, so any English sentence scores high: not comparable with BLEU."
    made: list[Measure] = [mean(f"character bleu-{n + 1}", bleu[:, n], note=note) for n in range(4)]
    meteors = [meteor_of(text.split(), [one.split() for one in several]) for text, several in pairs]
    cider = [so_called_cider(text, several[0]) if several else 0.0 for text, several in pairs]
    rouge = [rouge_l(several[0], text) if several else 0.0 for text, several in pairs]
    return [
        *made,
        mean(
            meteor_name(),
            np.array(meteors),
            note="nltk's METEOR on words cut at spaces, so 'field.' is no 'field'.",
        ),
        mean(
            "so-called cider",
            np.array(cider),
            note="No CIDEr: overlap and a cosine with the first reference alone, from 0 to 1, where every caption "
            "of fewer than four words is 0.",
        ),
        mean(
            "rouge-l",
            np.array(rouge),
            note="Against the first reference alone: right captions in other words lose.",
        ),
    ]


_RULES: dict[Family, Callable[[Sequence[Case]], list[Measure]]] = {
    Family.GROUNDING: _grounding,
    Family.DETECTION: _detection,
    Family.COUNTING: _counting,
    Family.VQA: _held(holds, _WITHIN),
    Family.CLASSIFICATION: _held(
        holds_class, "The class's name need only stand in the answer: listing all is right"
    ),
    Family.CAPTIONING: _captions,
}

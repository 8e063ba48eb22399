"""Measures of rationales, which none of the published evaluations has: does what is pointed at exist, does the answer
say what the evidence shows, does every claimed box rest on it, is a right answer right for the right reason.

Knows cases with boxes of a rationale. An answer without a readable rationale has no evidence: where others of the same
model have one, that is a fault of it and no way round these figures. The boxes of a rationale whose answer cannot be
read count all the same: a person sees them on the map, and a model that rambles would look more precise without them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from groundproof.protocol import is_existence
from groundproof.trace.claims import says_none
from groundproof_training.evaluation.cases import NO_BOXES, BoxSet, Case, Family, Status
from groundproof_training.evaluation.figures import Measure, Summed, mean, ratio
from groundproof_training.evaluation.strict.columns import Columns, overlap_of
from groundproof_training.evaluation.strict.found_boxes import Table, counted_measures
from groundproof_training.evaluation.strict.grounding import grounded
from groundproof_training.metrics.assignment import optimal
from groundproof_training.metrics.boxes import Floats
from groundproof_training.metrics.classes import key_of, read_classes, same_classes
from groundproof_training.metrics.evidence import SAME_IOU
from groundproof_training.metrics.text import Kind, kind_of, polarity, same_answer

Flags = NDArray[np.bool_]

RIGHT_EVIDENCE_F1 = 0.5
"""From here evidence counts as the right one. Ours."""

_ASKS_FOR = (Family.DETECTION, Family.GROUNDING, Family.COUNTING, Family.VQA)
"""Families whose questions ask for something that may be absent."""


def evidence_measures(cases: Sequence[Case]) -> list[Measure]:
    """Empty where no case has a rationale."""
    if not any(_has_rationale(case) for case in cases):
        return []
    board = Table(pointed_at(cases))
    sums = board.sums(board.half)
    agrees = _agreement(cases)
    answers, backed = _coverage(cases)
    absent = np.array([case.truth.absent and case.family in _ASKS_FOR for case in cases], dtype=bool)
    refused = np.array([_refuses(case) for case in cases], dtype=bool)
    correct = _right_answers(cases)
    total = sums[:, 1] + sums[:, 2]
    f1 = np.divide(2 * sums[:, 0], total, out=np.ones(len(cases)), where=total > 0)
    judged = ~np.isnan(correct) & ~np.isnan(sums[:, 0])
    good = f1 >= RIGHT_EVIDENCE_F1
    return [
        *(
            replace(measure, name=f"evidence-{measure.name}")
            for measure in counted_measures(
                sums, "0.5", "Boxes of the rationale against the true objects, over all boxes, one to one."
            )
        ),
        mean(
            "answer-evidence-agreement",
            agrees,
            note="Share of answers that say what their own evidence shows: the number is that of the evidence boxes, "
            "yes has evidence and no has none, the answer's boxes are the evidence's (one to one, IoU >= 0.5). "
            "Knows no truth.",
        ),
        Summed(
            name="evidence-coverage",
            note="Share of the answers' boxes that lie on a box of their rationale (IoU >= 0.5).",
            parts=np.stack([backed, np.where(np.isnan(backed), np.nan, answers)], axis=1),
            combine=ratio,
        ),
        mean(
            "refusal-on-absent",
            np.where(absent, refused, np.nan),
            note="Share of questions about what is not there where the answer says so and no box is pointed at.",
        ),
        mean(
            "right-for-the-right-reason",
            np.where(judged, (correct == 1) & good, np.nan),
            note=f"Share of all answers that are right and whose evidence is, too (F1@0.5 >= {RIGHT_EVIDENCE_F1}).",
        ),
        mean(
            "right-for-another-reason",
            np.where(judged & (correct == 1), ~good, np.nan),
            better="lower",
            note=f"Share of the right answers whose evidence is not (F1@0.5 < {RIGHT_EVIDENCE_F1}).",
        ),
    ]


def pointed_at(cases: Sequence[Case]) -> list[Case]:
    """The cases with the boxes of their rationales in place of their answers'."""
    made = []
    for case in cases:
        boxes = _evidence(case)
        status = Status.OK if len(boxes) else case.said.status
        made.append(replace(case, said=replace(case.said, boxes=boxes, status=status)))
    return made


def _has_rationale(case: Case) -> bool:
    return case.said.status is Status.OK and case.said.evidence is not None


def _evidence(case: Case) -> BoxSet:
    return case.said.evidence or NO_BOXES


def _answers(case: Case) -> BoxSet:
    return case.said.boxes if case.said.status is Status.OK else NO_BOXES


def _between(cases: Sequence[Case]) -> tuple[Columns, Columns]:
    """Boxes of the answers and of the rationales; names play no part, both are the model's own."""
    return Columns.of([_answers(case) for case in cases]), Columns.of([_evidence(case) for case in cases])


def _coverage(cases: Sequence[Case]) -> tuple[Floats, Floats]:
    """Of each case: boxes of the answer, and how many of them lie on evidence; NaN where there are none."""
    answers, evidence = _between(cases)
    near = overlap_of(answers, evidence, least=SAME_IOU)
    number = answers.per_case()
    backed = answers.per_case(np.unique(near.said))
    return number, np.where(number > 0, backed, np.nan)


def _agreement(cases: Sequence[Case]) -> Floats:
    """1 or 0 of each case; NaN where answer and evidence cannot be compared."""
    answers, evidence = _between(cases)
    near = overlap_of(answers, evidence, least=SAME_IOU)
    paired = answers.per_case(near.said[optimal(near)])
    same_boxes = (paired == answers.per_case()) & (paired == evidence.per_case())
    shown = evidence.per_case()
    found = np.full(len(cases), np.nan)
    for k, case in enumerate(cases):
        readable = _has_rationale(case)
        if case.family in (Family.DETECTION, Family.GROUNDING):
            found[k] = readable and same_boxes[k]
        elif case.family is Family.COUNTING:
            found[k] = readable and case.said.count == shown[k]
        elif case.family is Family.VQA and _asks_presence(case):
            stated = polarity(case.said.answer)
            found[k] = readable and stated is not None and stated == (shown[k] > 0)
    return found


def _asks_presence(case: Case) -> bool:
    true = case.truth.texts or (case.truth.text,)
    return is_existence(case.question) and kind_of(true[0]) is Kind.YES_NO


def _refuses(case: Case) -> bool:
    if case.said.status is not Status.OK or len(_evidence(case)) or len(case.said.boxes):
        return False
    if case.family in (Family.DETECTION, Family.GROUNDING):
        return True  # readable and without a box is what says so
    if case.family is Family.COUNTING:
        return case.said.count == 0
    return polarity(case.said.answer) is False or says_none(case.said.answer)


def _right_answers(cases: Sequence[Case]) -> Floats:
    """1 or 0 of each case; NaN where this family's answers are not simply right or wrong, or the truth is not
    known."""
    found = np.full(len(cases), np.nan)
    families = np.array([str(case.family) for case in cases])
    these = np.flatnonzero(families == Family.DETECTION)
    if len(these):
        part = Table([cases[k] for k in these.tolist()])
        sums = part.sums(part.half)
        exact = part.ok & (sums[:, 0] == sums[:, 1]) & (sums[:, 0] == sums[:, 2])
        found[these] = np.where(part.scored, exact, np.nan)
    these = np.flatnonzero(families == Family.GROUNDING)
    if len(these):
        placed = grounded([cases[k] for k in these.tolist()])
        found[these] = np.where(np.isnan(placed.iou), np.nan, placed.right(0.5))
    for k, case in enumerate(cases):
        verdict = _right_words(case)
        if verdict is not None:
            found[k] = verdict
    return found


def _right_words(case: Case) -> bool | None:
    ok, answer = case.said.status is Status.OK, case.said.answer
    if case.family is Family.COUNTING and case.truth.count is not None:
        return ok and case.said.count == case.truth.count
    if case.family is Family.VQA and case.truth.texts:
        return ok and any(same_answer(answer, one) for one in case.truth.texts)
    if case.family is Family.CLASSIFICATION and case.truth.classes:
        return ok and same_classes(
            read_classes(answer, case.choices), {key_of(one) for one in case.truth.classes}
        )
    return None

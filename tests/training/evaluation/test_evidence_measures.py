"""Measures of rationales: each by hand, and against the dense functions rewards use."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundproof.protocol import Task
from groundproof_training.evaluation.cases import NO_BOXES, BoxSet, Case, Family, Said, Status, Truth
from groundproof_training.evaluation.strict import evidence_measures
from groundproof_training.metrics.boxes import iou_matrix
from groundproof_training.metrics.detection import Found, found
from groundproof_training.metrics.evidence import coverage

A, B, FAR = (0, 0, 10, 10), (20, 20, 30, 30), (50, 50, 60, 60)


def boxes(*rows: tuple) -> BoxSet:
    return BoxSet(np.array(rows, dtype=float).reshape(-1, 4), ("plane",) * len(rows), (0,) * len(rows))


def case(
    family: Family, truth: Truth, said: Said, question: str = "Are there planes?", number: int = 0
) -> Case:
    return Case(f"{number:04}", f"{number:04}", family, Task.VQA, question, truth, said, asked=("plane",))


def detected(true: BoxSet, answer: BoxSet, evidence: BoxSet | None, number: int = 0) -> Case:
    return case(Family.DETECTION, Truth(boxes=true), Said(boxes=answer, evidence=evidence), number=number)


def counted(true: BoxSet, count: int | None, evidence: BoxSet | None, status: Status = Status.OK) -> Case:
    truth = Truth(boxes=true, count=len(true))
    return case(Family.COUNTING, truth, Said(count=count, evidence=evidence, status=status))


def present(true: BoxSet, answer: str, evidence: BoxSet) -> Case:
    truth = Truth(boxes=true, texts=("yes" if len(true) else "no",))
    return case(Family.VQA, truth, Said(answer=answer, evidence=evidence))


def values(*cases: Case) -> dict[str, float]:
    return {m.name: float(m.of(np.ones((1, len(cases))))[0]) for m in evidence_measures(cases)}


def test_without_any_rationale_there_is_nothing_to_measure() -> None:
    assert evidence_measures([]) == []
    assert evidence_measures([detected(boxes(A), boxes(A), None)]) == []
    assert evidence_measures([counted(boxes(A), 1, boxes(A), Status.FAILED)]) == []


small = st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(1, 8), st.integers(1, 8)).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)
sets = st.lists(small, max_size=5).map(lambda rows: boxes(*rows))


@settings(max_examples=60)
@given(st.lists(st.tuples(sets, sets, sets), min_size=1, max_size=5))
def test_evidence_and_coverage_are_the_dense_figures(rows: list) -> None:
    got = values(*(detected(*row, number=k) for k, row in enumerate(rows)))
    total = Found(0, 0, 0)
    for true, _, evidence in rows:
        total += found(iou_matrix(evidence.xyxy, true.xyxy), 0.5, optimal=True)
    if total.true and total.predicted:
        assert got["evidence-precision@0.5"] == pytest.approx(total.precision)
        assert got["evidence-recall@0.5"] == pytest.approx(total.recall)
        assert got["evidence-f1@0.5"] == pytest.approx(total.f1)
    shares = [(coverage(iou_matrix(a.xyxy, e.xyxy)), len(a)) for _, a, e in rows if len(a)]
    if shares:
        assert got["evidence-coverage"] == pytest.approx(
            sum(share * n for share, n in shares) / sum(n for _, n in shares)
        )
    agree = [found(iou_matrix(a.xyxy, e.xyxy), 0.5, optimal=True).exact for _, a, e in rows]
    assert got["answer-evidence-agreement"] == pytest.approx(np.mean(agree))


@pytest.mark.parametrize(
    ("one", "agrees"),
    [
        (counted(boxes(A), 2, boxes(A, FAR)), 1),
        (counted(boxes(A, B), 2, boxes(A)), 0),
        (counted(boxes(), 0, boxes()), 1),
        (present(boxes(A), "Yes, there are.", boxes(A)), 1),
        (present(boxes(A), "Yes.", boxes()), 0),
        (present(boxes(), "No.", boxes()), 1),
        (present(boxes(), "No.", boxes(A)), 0),
        (present(boxes(A), "It is hard to say.", boxes(A)), 0),
    ],
)
def test_an_answer_says_what_its_evidence_shows(one: Case, agrees: int) -> None:
    assert values(one)["answer-evidence-agreement"] == agrees


def test_an_answer_of_words_is_not_held_against_boxes() -> None:
    colour = case(
        Family.VQA, Truth(texts=("red",)), Said(answer="red", evidence=boxes(A)), "What colour is it?"
    )
    got = values(colour)
    assert np.isnan(got["answer-evidence-agreement"])
    assert np.isnan(got["evidence-f1@0.5"])


def test_right_for_the_right_reason() -> None:
    good = counted(boxes(A, B), 2, boxes(A, B))
    lucky = counted(boxes(A, B), 2, boxes(FAR, (70, 70, 80, 80)))
    wrong = counted(boxes(A, B), 3, boxes(A, B))
    got = values(good, lucky, wrong, wrong)
    assert got["right-for-the-right-reason"] == 0.25
    assert got["right-for-another-reason"] == 0.5  # one of two right answers
    assert np.isnan(values(wrong)["right-for-another-reason"])
    found_box = detected(boxes(A), boxes(A), boxes(A))
    assert values(found_box)["right-for-the-right-reason"] == 1
    assert values(replace(found_box, family=Family.GROUNDING))["right-for-the-right-reason"] == 1
    assert values(detected(boxes(A), boxes(A), boxes(FAR)))["right-for-another-reason"] == 1
    assert values(present(boxes(A), "yes", boxes(FAR)))["right-for-another-reason"] == 1


def test_no_rationale_beside_others_has_no_evidence() -> None:
    got = values(counted(boxes(A), 1, boxes(A)), counted(boxes(A), 1, None))
    assert got["evidence-recall@0.5"] == got["answer-evidence-agreement"] == 0.5
    assert got["right-for-the-right-reason"] == 0.5


def test_evidence_counts_where_the_answer_cannot_be_read() -> None:
    good = counted(boxes(A), 1, boxes(A))
    rambling = counted(boxes(A), 1, boxes(A, B, FAR), Status.UNREADABLE)
    got = values(good, rambling)
    assert got["evidence-recall@0.5"] == 1
    assert got["evidence-precision@0.5"] == 0.5  # two of four
    assert got["answer-evidence-agreement"] == got["right-for-the-right-reason"] == 0.5


def test_refusing_what_is_not_there() -> None:
    none = boxes()
    assert values(detected(none, NO_BOXES, none))["refusal-on-absent"] == 1
    assert (
        values(detected(none, NO_BOXES, boxes(A)))["refusal-on-absent"] == 0
    )  # the rationale still points at one
    assert values(counted(none, 0, none), counted(none, 1, none))["refusal-on-absent"] == 0.5
    assert values(present(none, "No.", none), present(none, "Yes.", none))["refusal-on-absent"] == 0.5
    assert np.isnan(values(counted(boxes(A), 1, boxes(A)))["refusal-on-absent"])
    silent = counted(none, 0, none, Status.MISSING)
    assert values(counted(none, 0, none), silent)["refusal-on-absent"] == 0.5


def test_truth_that_is_not_complete_judges_no_evidence() -> None:
    one = case(
        Family.COUNTING,
        Truth(boxes=boxes(A), count=3, complete=False),
        Said(count=3, evidence=boxes(A, B, FAR)),
    )
    got = values(one)
    assert np.isnan(got["evidence-precision@0.5"])
    assert np.isnan(got["right-for-the-right-reason"])
    assert got["answer-evidence-agreement"] == 1

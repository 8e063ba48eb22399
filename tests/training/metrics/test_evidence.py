"""Figures of a rationale, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from groundproof_training.metrics.evidence import (
    boxed,
    boxes_agree,
    count_agrees,
    coverage,
    presence_agrees,
    worded,
)


@pytest.mark.parametrize(
    ("section", "share"),
    [
        ("E1 ship, left [1,2,3,4]. E2 ship [5,6,7,8]. ", 1.0),
        ("E1 ship, left [1,2,3,4]. There are many ships on the right. ", 0.5),
        ("E1 ship {<1><2><3><4>|<30>}. E2 a truck. E3 a car. ", 1 / 3),
        ("No ship is visible. ", 1.0),
        ("E1 ship [1,2,3,4]. No other ship is visible. ", 1.0),
        ("", 1.0),
        ("A ship.", 0.0),
    ],
)
def test_a_sentence_that_claims_has_a_box(section: str, share: float) -> None:
    assert boxed(section) == pytest.approx(share)


def test_an_answer_agrees_with_its_evidence_or_not() -> None:
    assert (count_agrees(3, 3), count_agrees(4, 3), count_agrees(None, 0)) == (1, 0, 0)
    assert (presence_agrees(True, 2), presence_agrees(True, 0), presence_agrees(False, 0)) == (1, 0, 1)
    assert presence_agrees(None, 0) == presence_agrees(False, 1) == 0
    assert boxes_agree(np.eye(2)) == 1 == boxes_agree(np.zeros((0, 0)))
    assert boxes_agree(np.array([[1.0, 0.0]])) == pytest.approx(2 / 3)


def test_coverage_is_the_share_of_answer_boxes_with_evidence() -> None:
    assert coverage(np.array([[0.9, 0], [0.1, 0.2]])) == 0.5
    assert coverage(np.zeros((0, 3))) == 1
    assert coverage(np.zeros((2, 0))) == 0
    assert worded(("ship", "")) == 0.5
    assert worded(()) == 1

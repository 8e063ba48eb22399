"""Boxes against points: against every possible assignment, and by hand."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundproof.protocol import Task
from groundproof_training.evaluation.cases import BoxSet, Case, Family, Said, Status, Truth
from groundproof_training.evaluation.strict.points import contains, hits, point_measures


def case(boxes, points, status=Status.OK, number=0):
    rows = np.array(boxes, dtype=float).reshape(-1, 4)
    said = BoxSet(rows, ("tree",) * len(rows), (0,) * len(rows))
    truth = Truth(count=len(points), points=np.array(points, dtype=float).reshape(-1, 2))
    return Case(
        f"c{number}", f"g{number}", Family.COUNTING, Task.COUNT, "How many trees?", truth,
        Said(evidence=said, count=len(rows), status=status),
    )  # fmt: skip


def values(cases):
    return {m.name: float(m.of(np.ones((1, len(cases))))[0]) for m in point_measures(cases)}


def test_one_box_over_everything_finds_one_tree():
    made = values([case([(0, 0, 100, 100)], [(10, 10), (50, 50), (90, 90)])])
    assert made == pytest.approx({"point-precision": 1, "point-recall": 1 / 3, "point-f1": 0.5})


def test_a_box_that_could_take_either_leaves_the_other_to_the_box_that_cannot():
    wide, narrow = (0, 0, 100, 100), (40, 40, 60, 60)
    assert hits(np.array([wide, narrow], float), np.array([[50.0, 50], [90, 90]])) == 2


def test_points_on_the_edge_are_in_and_empty_or_broken_boxes_hold_none():
    boxes = np.array([[0, 0, 10, 10], [5, 5, 5, 9], [9, 9, 1, 1], [np.nan, 0, 10, 10]], float)
    assert contains(boxes, np.array([[10.0, 10]])).ravel().tolist() == [True, False, False, False]


def test_an_unreadable_answer_finds_nothing_and_misses_all():
    made = values(
        [case([(0, 0, 9, 9)], [(5, 5)], Status.UNREADABLE), case([(0, 0, 9, 9)], [(5, 5)], number=1)]
    )
    assert made["point-recall"] == 0.5
    assert made["point-precision"] == 1


def test_no_points_in_any_truth_is_no_measure_and_no_box_no_precision():
    plain = Case("c", "g", Family.COUNTING, Task.COUNT, "?", Truth(count=3), Said(count=3))
    assert point_measures([plain]) == []
    assert np.isnan(values([case([], [(1, 1)])])["point-precision"])


corner = st.integers(0, 12)
some_boxes = st.lists(st.tuples(corner, corner, st.integers(0, 6), st.integers(0, 6)), max_size=5).map(
    lambda rows: np.array([(x, y, x + w, y + h) for x, y, w, h in rows], float).reshape(-1, 4)
)
some_points = st.lists(st.tuples(corner, corner), max_size=5).map(lambda r: np.array(r, float).reshape(-1, 2))


@settings(max_examples=150)
@given(some_boxes, some_points)
def test_as_many_pairs_as_the_best_of_all_assignments(boxes, points):
    def holds(b, p):
        return b[0] < b[2] and b[1] < b[3] and b[0] <= p[0] <= b[2] and b[1] <= p[1] <= b[3]

    longer, shorter = (boxes, points) if len(boxes) >= len(points) else (points, boxes)
    swap = len(boxes) < len(points)
    best = max(
        sum(holds(s, o) if swap else holds(o, s) for s, o in zip(shorter, order, strict=True))
        for order in permutations(longer, len(shorter))
    )
    assert hits(boxes, points) == best

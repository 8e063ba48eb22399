"""Running sums of hits, against the greedy matching they rest on and by hand."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from groundproof_training.metrics.tally import Tally, hits

box = st.tuples(*[st.floats(0, 50)] * 2, *[st.floats(1, 50)] * 2).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)


def test_one_true_box_is_found_once():
    assert hits(np.array([[0, 0, 10, 10], [0, 0, 10, 10]]), np.array([[0, 0, 10, 10]])) == 1


@given(st.lists(box, max_size=8))
def test_a_set_finds_itself_whole(boxes):
    array = np.array(boxes).reshape(-1, 4)
    assert hits(array, array) == len(boxes)


def test_the_label_counts():
    tally = Tally()
    one = np.array([[0.0, 0, 10, 10]])
    tally.add(one, np.array([1]), one, np.array([0]))
    assert tally.f1 == 0


def test_sums_run_over_images():
    tally = Tally()
    one, two = np.array([[0.0, 0, 10, 10]]), np.array([[0.0, 0, 10, 10], [50, 50, 60, 60]])
    tally.add(one, np.array([0]), two, np.array([0, 0]))
    tally.add(two, np.array([0, 1]), one, np.array([0]))
    assert (tally.precision, tally.recall, tally.f1) == (2 / 3, 2 / 3, 2 / 3)

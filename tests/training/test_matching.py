"""Greedy one-to-one matching."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from groundproof_training.matching import Tally, match

box = st.tuples(*[st.floats(0, 50)] * 2, *[st.floats(1, 50)] * 2).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)


def test_one_true_box_is_found_once():
    assert match(np.array([[0, 0, 10, 10], [0, 0, 10, 10]]), np.array([[0, 0, 10, 10]])) == 1


@given(st.lists(box, max_size=8))
def test_a_set_matches_itself_whole(boxes):
    array = np.array(boxes).reshape(-1, 4)
    assert match(array, array) == len(boxes)


def test_the_label_counts():
    tally = Tally()
    one = np.array([[0.0, 0, 10, 10]])
    tally.add(one, np.array([1]), one, np.array([0]))
    assert tally.f1 == 0

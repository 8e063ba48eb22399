"""Greedy one-to-one matching."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from groundproof_training.matching import Tally, iou_matrix, match, match_pairs

box = st.tuples(*[st.floats(0, 50)] * 2, *[st.floats(1, 50)] * 2).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)


def test_one_true_box_is_found_once():
    assert match(np.array([[0, 0, 10, 10], [0, 0, 10, 10]]), np.array([[0, 0, 10, 10]])) == 1


@given(st.lists(box, max_size=8))
def test_a_set_matches_itself_whole(boxes):
    array = np.array(boxes).reshape(-1, 4)
    assert match(array, array) == len(boxes)


@settings(max_examples=100)
@given(st.lists(box, max_size=8), st.lists(box, max_size=8), st.sampled_from([0.1, 0.25, 0.5]))
def test_pairs_are_one_to_one_best_first_and_none_that_fits_is_left(boxes, truth, threshold):
    boxes, truth = np.array(boxes).reshape(-1, 4), np.array(truth).reshape(-1, 4)
    pairs = match_pairs(boxes, truth, threshold)
    overlap = iou_matrix(boxes, truth)
    free = np.ones_like(overlap, dtype=bool)
    for i, j in pairs:
        assert free[i, j]
        assert overlap[i, j] == overlap[free].max() >= threshold
        free[i, :] = free[:, j] = False
    assert not (overlap[free] >= threshold).any()
    assert match(boxes, truth, threshold) == len(pairs)


def test_the_label_counts():
    tally = Tally()
    one = np.array([[0.0, 0, 10, 10]])
    tally.add(one, np.array([1]), one, np.array([0]))
    assert tally.f1 == 0

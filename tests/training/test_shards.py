"""Flips and turns of scenes and boxes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from groundproof_training.shards import Objects, move_boxes, move_pixels


@given(
    width=st.integers(3, 12),
    height=st.integers(3, 12),
    data=st.data(),
    turn=st.booleans(),
    flip_x=st.booleans(),
    flip_y=st.booleans(),
)
def test_a_moved_box_holds_the_same_pixels(width, height, data, turn, flip_x, flip_y):
    x0, y0 = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    x1, y1 = data.draw(st.integers(x0 + 1, width)), data.draw(st.integers(y0 + 1, height))
    image = np.zeros((height, width, 3), dtype=np.uint8)
    image[y0:y1, x0:x1] = 255
    box = Objects(np.array([[x0, y0, x1, y1]], dtype=np.float32), np.array([2]))
    moved = move_boxes(box, width, height, turn, flip_x, flip_y)
    expected = np.zeros((width, height, 3) if turn else (height, width, 3), dtype=np.uint8)
    a, b, c, d = moved.boxes[0].astype(int)
    expected[b:d, a:c] = 255
    assert np.array_equal(move_pixels(image, turn, flip_x, flip_y), expected)
    assert moved.labels.tolist() == [2]


def test_the_eight_moves_differ():
    image = np.arange(27, dtype=np.uint8).reshape(3, 3, 3)
    moved = {
        move_pixels(image, t, x, y).tobytes()
        for t in (False, True)
        for x in (False, True)
        for y in (False, True)
    }
    assert len(moved) == 8

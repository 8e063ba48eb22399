"""A model's box in its tile: frames, cutting, problems, and corners of turned boxes."""

from __future__ import annotations

from math import inf, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.affinity import rotate
from shapely.geometry import Polygon, box

from groundproof.boxes import BoxFrame, ModelBox, PixelBox, PixelBoxes, Tile, Window
from groundproof.georeference import Placed, corners, to_model, to_pixels

SIZE = (5000, 4000)
TILE = Tile(0, Window(700, 300, 400, 200), model_width=896, model_height=448)
FRAMES = st.sampled_from(list(BoxFrame))


def test_per_mille_and_percent_scale_by_the_window_and_not_by_the_resized_image():
    expected = PixelBox(740, 320, 1100, 500)
    assert to_pixels(ModelBox(100, 100, 1000, 1000), BoxFrame.PER_MILLE, TILE, SIZE) == Placed(expected)
    assert to_pixels(ModelBox(10, 10, 100, 100), BoxFrame.PERCENT_ANGLE, TILE, SIZE) == Placed(expected)


def test_resized_pixels_scale_by_the_image_the_model_saw():
    placed = to_pixels(ModelBox(0, 0, 448, 448), BoxFrame.RESIZED_PIXELS, TILE, SIZE)
    assert placed == Placed(PixelBox(700, 300, 900, 500))
    turned = to_pixels(ModelBox(0, 0, 448, 448, 30.0), BoxFrame.RESIZED_PIXELS_ANGLE, TILE, SIZE)
    assert turned == Placed(PixelBox(700, 300, 900, 500, 30.0))


@settings(max_examples=150, deadline=None)
@given(
    FRAMES,
    st.tuples(st.integers(0, 4000), st.integers(0, 3000), st.integers(1, 1000), st.integers(1, 1000)),
    st.tuples(st.integers(28, 1792), st.integers(28, 1792)),
    st.lists(st.floats(0, 1), min_size=4, max_size=4),
    st.none() | st.floats(-360, 360),
)
def test_pixels_written_in_a_frame_and_read_back_are_the_same_pixels(frame, window, model, part, angle):
    tile = Tile(0, Window(*window), *model)
    w = tile.window
    xs, ys = sorted(part[:2]), sorted(part[2:])
    if xs[1] - xs[0] < 1e-6 or ys[1] - ys[0] < 1e-6:
        return
    pixel = PixelBox(
        w.x0 + xs[0] * w.width,
        w.y0 + ys[0] * w.height,
        w.x0 + xs[1] * w.width,
        w.y0 + ys[1] * w.height,
        angle,
    )
    back = to_pixels(to_model(pixel, frame, tile), frame, tile, SIZE)
    assert back.problem is None
    assert back.box is not None
    assert back.box.angle_deg == angle
    got = (back.box.x0, back.box.y0, back.box.x1, back.box.y1)
    assert got == pytest.approx((pixel.x0, pixel.y0, pixel.x1, pixel.y1), abs=1e-8)


@settings(max_examples=200, deadline=None)
@given(FRAMES, st.lists(st.floats(), min_size=4, max_size=4), st.none() | st.floats())
def test_any_numbers_give_a_place_inside_the_tile_or_a_problem(frame, numbers, angle):
    placed = to_pixels(ModelBox(*numbers, angle), frame, TILE, SIZE)
    if placed.problem is None:
        assert placed.box is not None
        if angle is None:
            window = box(700, 300, 1100, 500)
            assert window.covers(box(placed.box.x0, placed.box.y0, placed.box.x1, placed.box.y1))
    elif placed.problem == "degenerate":
        assert placed.box is None
    else:
        assert placed.box is not None


def test_corners_in_any_order_are_put_in_order():
    placed = to_pixels(ModelBox(900, 800, 100, 200), BoxFrame.PER_MILLE, TILE, SIZE)
    assert placed == Placed(PixelBox(740, 340, 1060, 460))


def test_a_box_reaching_out_is_cut_at_its_tile_and_says_so():
    placed = to_pixels(ModelBox(-50, 500, 1003, 1200), BoxFrame.PER_MILLE, TILE, SIZE)
    assert placed == Placed(PixelBox(700, 400, 1100, 500), clipped=True)


def test_a_box_in_the_padding_beyond_a_small_scene_is_cut_at_the_scene_or_out_of_frame():
    tile = Tile(0, Window(0, 0, 448, 448), 448, 448)
    cut = to_pixels(ModelBox(0, 0, 1000, 1000), BoxFrame.PER_MILLE, tile, (100, 60))
    assert cut == Placed(PixelBox(0, 0, 100, 60), clipped=True)
    out = to_pixels(ModelBox(500, 500, 1000, 1000), BoxFrame.PER_MILLE, tile, (100, 60))
    assert out == Placed(PixelBox(224, 224, 448, 448), "out-of-frame")


@pytest.mark.parametrize("numbers", [(1000, 0, 1500, 500), (-300, 0, -100, 500), (0, 1e300, 10, inf)])
def test_a_box_wholly_outside_is_out_of_frame_and_keeps_a_finite_place_if_it_has_an_area(numbers):
    placed = to_pixels(ModelBox(*numbers), BoxFrame.PER_MILLE, TILE, SIZE)
    if numbers[1] == 1e300:
        assert placed == Placed(None, "degenerate"), "both edges are cut to the same farthest place"
    else:
        assert placed.problem == "out-of-frame"
        assert placed.box is not None


@pytest.mark.parametrize("numbers", [(5, 5, 5, 9), (5, 5, 9, 5), (0, 0, 0, 0), (nan, 0, 1, 1)])
def test_a_box_without_an_area_or_without_numbers_is_degenerate(numbers):
    assert to_pixels(ModelBox(*numbers), BoxFrame.PER_MILLE, TILE, SIZE) == Placed(None, "degenerate")


def test_a_turned_box_is_not_cut_but_its_centre_must_be_inside():
    frame = BoxFrame.PERCENT_ANGLE
    assert to_pixels(ModelBox(-10, 0, 50, 50, 30.0), frame, TILE, SIZE) == Placed(
        PixelBox(660, 300, 900, 400, 30.0)
    )
    assert to_pixels(ModelBox(-60, 0, 10, 50, 30.0), frame, TILE, SIZE).problem == "out-of-frame"


@settings(max_examples=100, deadline=None)
@given(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3), st.floats(1, 500), st.floats(1, 500), st.floats(-400, 400))
def test_turned_corners_are_shapelys_rotation_clockwise_on_screen(x, y, w, h, angle):
    ours = Polygon(corners(PixelBoxes.of([PixelBox(x, y, x + w, y + h, angle)]))[0])
    # Shapely turns counter-clockwise with y up: with rows growing downwards that is clockwise on screen.
    oracle = rotate(box(x, y, x + w, y + h), angle, origin="center")
    assert ours.symmetric_difference(oracle).area <= 1e-6 * oracle.area + 1e-6


def test_a_quarter_turn_clockwise_moves_the_top_left_corner_to_the_top_right():
    turned = corners(PixelBoxes.of([PixelBox(0, 0, 10, 10, 90.0)]))[0]
    np.testing.assert_allclose(turned, [[10, 0], [10, 10], [0, 10], [0, 0]], atol=1e-12)


def test_boxes_without_an_angle_have_exact_corners_beside_turned_ones():
    got = corners(PixelBoxes.of([PixelBox(0.1, 0.2, 3.3, 4.4), PixelBox(0, 0, 1, 1, 10.0)]))
    assert got.shape == (2, 4, 2)
    assert got[0].tolist() == [[0.1, 0.2], [3.3, 0.2], [3.3, 4.4], [0.1, 4.4]]
    assert corners(PixelBoxes.of([])).shape == (0, 4, 2)

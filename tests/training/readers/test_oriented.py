"""Oriented boxes against OpenCV, shapely and HIT-UAV's measured convention."""

import math

import cv2
import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from shapely.geometry import Polygon

from groundproof_training.readers.oriented import TurnedBox, enclosing, scaled, smallest

coordinate = st.floats(-500, 500)
side = st.floats(2, 300)
angle = st.floats(-180, 360)


def polygon(quad):
    return Polygon([(quad[i], quad[i + 1]) for i in range(0, 8, 2)])


@given(coordinate, coordinate, side, side, angle)
def test_corners_are_those_of_opencv(cx, cy, width, height, turned):
    ours = polygon(TurnedBox(cx, cy, width, height, turned).quad)
    theirs = Polygon(cv2.boxPoints(((cx, cy), (width, height), turned)))
    assert ours.symmetric_difference(theirs).area < 0.01 * ours.area + 0.05
    assert ours.area == pytest.approx(width * height)


@example(0.0, -15.050776893334787, 45.0, 2.0000099999999996, 0.0)
@example(0.0, 0.0, 45.0, 2.0, 90.0)
@given(coordinate, coordinate, side, side, angle)
def test_the_smallest_rectangle_of_a_turned_box_is_itself(cx, cy, width, height, turned):
    box = TurnedBox(cx, cy, width, height, turned)
    again = smallest(box.quad)
    assert 0 <= again.angle_deg < 90
    assert polygon(again.quad).symmetric_difference(polygon(box.quad)).area < 0.001 * width * height + 1e-6


@given(st.lists(st.tuples(coordinate, coordinate), min_size=4, max_size=4))
def test_the_smallest_rectangle_holds_all_corners_and_is_no_larger_than_opencvs(points):
    quad = tuple(v for point in points for v in point)
    assume(polygon(quad).convex_hull.area > 5)
    mine = smallest(quad)
    assert polygon(mine.quad).buffer(1e-6).covers(polygon(quad).convex_hull)
    _, (w, h), _ = cv2.minAreaRect(np.array(points, dtype=np.float32))
    assert mine.width * mine.height <= w * h * 1.001 + 0.1


def test_a_self_crossing_quadrilateral_counts_by_its_hull():
    """DOTA's sample of mmrotate: 126 191 128 171 123 178 221 199."""
    quad = (126, 191, 128, 171, 123, 178, 221, 199)
    assert not polygon(quad).is_valid
    assert polygon(smallest(quad).quad).buffer(1e-6).covers(polygon(quad).convex_hull)


def test_positive_is_clockwise_on_screen():
    quad = TurnedBox.of_corners((0, 0, 10, 2), 90).quad
    np.testing.assert_allclose(quad, (6, -4, 6, 6, 4, 6, 4, -4), atol=1e-9)
    # HIT-UAV, radians: corner = (x + dx cos - dy sin, y + dx sin + dy cos).
    theta, (dx, dy) = 2.871098, (29.4466 / 2, 15.4153 / 2)
    corner = TurnedBox(368.0838, 171.8803, 29.4466, 15.4153, math.degrees(theta)).quad[4:6]
    assert corner[0] == pytest.approx(368.0838 + dx * math.cos(theta) - dy * math.sin(theta))
    assert corner[1] == pytest.approx(171.8803 + dx * math.sin(theta) + dy * math.cos(theta))


@given(coordinate, coordinate, side, side, angle)
def test_the_enclosing_rectangle_is_shapelys(cx, cy, width, height, turned):
    quad = TurnedBox(cx, cy, width, height, turned).quad
    np.testing.assert_allclose(enclosing(quad), polygon(quad).bounds)


def test_on_a_grid_of_percents_a_turn_becomes_a_shear():
    """30 degrees on an image twice as wide as high: turned in pixels it stays a rectangle, on the grid it does not."""
    in_pixels = polygon(TurnedBox.of_corners((80, 40, 120, 60), 30).quad)
    on_grid = polygon(scaled(TurnedBox.of_corners((40, 40, 60, 60), 30).quad, 2, 1))
    assert in_pixels.area == pytest.approx(on_grid.area) == pytest.approx(800)
    assert in_pixels.minimum_rotated_rectangle.area == pytest.approx(800)
    assert on_grid.minimum_rotated_rectangle.area > 900


@pytest.mark.parametrize("bad", [(0, 0, 0, 1, 0), (0, 0, 1, -1, 0), (0, 0, 1, 1, math.nan)])
def test_a_box_without_a_size_is_refused(bad):
    with pytest.raises(ValueError, match="turned box"):
        TurnedBox(*bad)


def test_corners_on_a_line_are_refused():
    with pytest.raises(ValueError, match="no area"):
        smallest((0, 0, 1, 1, 2, 2, 3, 3))

"""Corners of turned boxes against exact arithmetic, the engine and shapely's own rotation."""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from shapely import affinity
from shapely.geometry import Polygon, box

from groundproof.boxes import PixelBoxes
from groundproof.georeference import corners
from groundproof_training.metrics.boxes import oriented_iou_matrix
from groundproof_training.metrics.turned_boxes import turned_quads

NUMBERS = st.integers(-200, 1200)
BOXES = st.tuples(NUMBERS, NUMBERS, st.integers(0, 900), st.integers(0, 900))


def exactly(xyxy: tuple[float, ...], angle: float, clockwise: bool) -> list[float]:
    """The closest doubles, by fractions, of the corners for the given doubles of sine and cosine."""
    turn = np.radians(angle) * (1 if clockwise else -1)
    cos, sin = Fraction(float(np.cos(turn))), Fraction(float(np.sin(turn)))
    x0, y0, x1, y1 = map(Fraction, xyxy)
    cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
    made = []
    for x, y in ((x0, y0), (x1, y0), (x1, y1), (x0, y1)):
        dx, dy = x - cx, y - cy
        made += [float(cx + dx * cos - dy * sin), float(cy + dx * sin + dy * cos)]
    return made


@given(BOXES, st.integers(-360, 360), st.booleans())
def test_corners_are_the_closest_doubles_whichever_way_they_turn(box_, angle, clockwise):
    x, y, w, h = box_
    xyxy = (x, y, x + w, y + h)
    made = turned_quads([xyxy], [angle], clockwise=clockwise)[0]
    true = np.array(exactly(xyxy, angle, clockwise))
    assert (np.abs(made - true) <= np.spacing(np.abs(true))).all()
    assert (made == true).mean() >= 7 / 8


@given(st.lists(BOXES, max_size=5), st.integers(-360, 360))
def test_clockwise_is_the_engines_turn_and_shapelys_in_a_plane_with_y_down(boxes, angle):
    xyxy = np.array([(x, y, x + w, y + h) for x, y, w, h in boxes], dtype=float).reshape(-1, 4)
    made = turned_quads(xyxy, np.full(len(xyxy), angle))
    np.testing.assert_allclose(
        made, corners(PixelBoxes(xyxy, np.full(len(xyxy), float(angle)))).reshape(-1, 8), atol=1e-9
    )
    for quad, one in zip(made, xyxy, strict=True):
        turned = affinity.rotate(box(*one), angle, origin="center")
        assert Polygon(quad.reshape(4, 2)).symmetric_difference(turned).area < 1e-6


def test_an_angle_of_0_changes_nothing_and_no_number_stays_none():
    assert turned_quads([[1.5, 2, 7.25, 9]], [0]).tolist() == [[1.5, 2, 7.25, 2, 7.25, 9, 1.5, 9]]
    assert np.isnan(turned_quads([[0, 0, 1, np.nan]], [30])).any()
    assert turned_quads([], []).shape == (0, 8)


def test_a_box_of_half_the_area_within_another_falls_on_the_same_side_of_a_half_everywhere():
    outer, inner = turned_quads([[21, 79, 63, 91], [25, 80, 61, 87]], [22, 26], clockwise=False)
    assert 0 < 0.5 - oriented_iou_matrix([outer], [inner])[0, 0] < 1e-15

"""Grids: pixels to map and back, parts, and the smallest grid around a place."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qgis.core import QgsMapSettings, QgsRectangle
from qgis.PyQt.QtCore import QSize

from groundproof_qgis.imagery.grid import Grid, Part, grid_around

near = st.floats(-5000, 5000)
steps = st.floats(0.05, 50)
angles = st.floats(-360, 360)
corners = st.lists(st.tuples(near, near), min_size=3, max_size=8)


@given(st.floats(-1e6, 1e6), st.floats(-1e7, 1e7), steps, angles, st.floats(0, 5000), st.floats(0, 5000))
def test_pixels_go_to_the_map_and_back(x, y, step, angle, col, row):
    cos, sin = step * math.cos(math.radians(angle)), step * math.sin(math.radians(angle))
    grid = Grid(5000, 5000, (cos, sin, x, sin, -cos, y))
    assert grid.to_pixel(*grid.to_map(col, row)) == pytest.approx((col, row), abs=1e-6)


@given(corners, steps, angles)
def test_a_grid_around_points_holds_them_all_and_no_row_or_column_more(points, step, angle):
    points = [(x + 600_000, y + 5_700_000) for x, y in points]
    grid = grid_around(points, step, angle)
    places = [grid.to_pixel(*point) for point in points]
    cols, rows = [col for col, _ in places], [row for _, row in places]
    assert min(cols) == pytest.approx(0, abs=1e-4)
    assert min(rows) == pytest.approx(0, abs=1e-4)
    assert max(cols) <= grid.width + 1e-4
    assert max(rows) <= grid.height + 1e-4
    assert grid.width - max(cols) <= 1 + 1e-4
    assert grid.height - max(rows) <= 1 + 1e-4
    assert grid.pixel_size == pytest.approx((step, step))


@given(corners, steps, st.tuples(near, near))
def test_an_anchor_lies_on_a_corner_of_pixels(points, step, anchor):
    grid = grid_around(points, step, anchor=anchor)
    col, row = grid.to_pixel(*anchor)
    assert col == pytest.approx(round(col), abs=1e-4)
    assert row == pytest.approx(round(row), abs=1e-4)
    for x, y in points:
        col, row = grid.to_pixel(x, y)
        assert -1e-4 <= col <= grid.width + 1e-4
        assert -1e-4 <= row <= grid.height + 1e-4


@given(st.integers(1, 9000), st.integers(1, 9000), st.integers(1, 4000))
def test_parts_cover_a_grid_once(width, height, side):
    parts = list(Grid(width, height, (1, 0, 0, 0, -1, 0)).parts(max(side, 200)))
    assert sum(part.width * part.height for part in parts) == width * height
    assert len({(part.x0, part.y0) for part in parts}) == len(parts)
    assert all(part.x0 + part.width <= width and part.y0 + part.height <= height for part in parts)


@given(st.integers(1, 500), st.integers(1, 500), st.floats(1, 40), angles)
def test_a_coarser_grid_has_the_same_corners(width, height, factor, angle):
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    grid = Grid(width, height, (cos, sin, 5e5, sin, -cos, 5e6))
    coarser = grid.coarser(factor)
    assert [value for at in coarser.corners() for value in at] == pytest.approx(
        [value for at in grid.corners() for value in at], abs=1e-6
    )
    assert coarser.width == max(1, round(width / factor))


@pytest.mark.parametrize("rotation", [0.0, 30.0, 90.0, 200.0, -45.0])
def test_the_affine_is_that_of_qgis_for_a_turned_canvas(rotation):
    settings = QgsMapSettings()
    settings.setOutputSize(QSize(640, 480))
    settings.setExtent(QgsRectangle(600_000, 5_700_000, 600_320, 5_700_240))
    settings.setRotation(rotation)
    to_map = settings.mapToPixel()
    at = [to_map.toMapCoordinates(*corner) for corner in ((0, 0), (640, 0), (640, 480), (0, 480))]
    grid = grid_around([(p.x(), p.y()) for p in at], settings.mapUnitsPerPixel(), rotation)
    assert (grid.width, grid.height) == (640, 480)
    for col, row in ((0, 0), (640, 0), (17, 333), (640, 480)):
        expected = to_map.toMapCoordinates(col, row)
        assert grid.to_map(col, row) == pytest.approx((expected.x(), expected.y()), abs=1e-6)


def test_a_part_around_points_is_snapped_outward_and_cut():
    grid = Grid(100, 80, (0.5, 0, 10, 0, -0.5, 50))
    assert grid.part_around([(12.3, 45.2), (15.1, 44.9)]) == Part(4, 9, 7, 2)
    assert grid.part_around([(0, 100), (11, 49)]) == Part(0, 0, 2, 2)
    assert grid.part_around([(0, 0), (9, 100)]) is None
    assert grid.part_around([(10, 50), (60, 10)]) == Part(0, 0, 100, 80)


def test_pixels_without_a_size_are_refused():
    with pytest.raises(ValueError, match="gives pixels no size"):
        Grid(1, 1, (1, 1, 0, 1, 1, 0))

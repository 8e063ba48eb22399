"""Drawing the rectangle and lighting up boxes, on a real canvas."""

from __future__ import annotations

import pytest
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsGeometry,
    QgsPointXY,
    QgsRectangle,
)
from qgis.gui import QgsMapCanvas, QgsMapToolPan, QgsRubberBand
from qgis.PyQt.QtCore import QPoint, Qt

from groundproof_qgis.gui.hover import HoverMark
from groundproof_qgis.gui.rectangle_tool import RectangleTool

UTM = QgsCoordinateReferenceSystem("EPSG:32631")
DEGREES = QgsCoordinateReferenceSystem("EPSG:4326")


@pytest.fixture
def canvas(qgis_app, qgis_new_project, qtbot):
    made = QgsMapCanvas()
    qtbot.addWidget(made)
    made.resize(400, 300)
    made.setDestinationCrs(UTM)
    made.show()
    made.setExtent(QgsRectangle(500_000, 5_000_000, 500_400, 5_000_300))
    return made


@pytest.fixture
def tool(canvas):
    made = RectangleTool(canvas)
    yield made
    made.remove()


def drag(qtbot, canvas, first: QPoint, second: QPoint) -> None:
    qtbot.mousePress(canvas.viewport(), Qt.MouseButton.LeftButton, pos=first)
    qtbot.mouseMove(canvas.viewport(), second)
    qtbot.mouseRelease(canvas.viewport(), Qt.MouseButton.LeftButton, pos=second)


def corners(canvas, points: list[tuple[int, int]]) -> list[QgsPointXY]:
    return [canvas.getCoordinateTransform().toMapCoordinates(x, y) for x, y in points]


@pytest.mark.parametrize("rotation", [0, 30, 90])
def test_a_drag_draws_a_rectangle_whose_sides_are_the_screens(canvas, tool, qtbot, rotation):
    canvas.setRotation(rotation)
    tool.start()
    with qtbot.waitSignal(tool.drawn, timeout=500) as told:
        drag(qtbot, canvas, QPoint(50, 40), QPoint(250, 140))
    geometry, crs = told.args
    assert crs == UTM
    expected = corners(canvas, [(50, 40), (250, 40), (250, 140), (50, 140)])
    ring = geometry.asPolygon()[0]
    assert len(ring) == 5
    for made, wanted in zip(ring, expected):
        assert made.distance(wanted) < 1e-6 * canvas.mapUnitsPerPixel()


def test_two_clicks_draw_it_as_well(canvas, tool, qtbot):
    tool.start()
    qtbot.mouseClick(canvas.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(50, 40))
    with qtbot.waitSignal(tool.drawn, timeout=500) as told:
        qtbot.mouseClick(canvas.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(250, 140))
    wanted = QgsGeometry.fromPolygonXY([corners(canvas, [(50, 40), (250, 40), (250, 140), (50, 140)])])
    assert told.args[0].symDifference(wanted).area() < 1e-6


def test_the_former_tool_comes_back_after_drawing(canvas, tool, qtbot):
    former = QgsMapToolPan(canvas)
    canvas.setMapTool(former)
    tool.start()
    with qtbot.waitSignal(tool.drawn, timeout=500), qtbot.assertNotEmitted(tool.cancelled):
        drag(qtbot, canvas, QPoint(50, 40), QPoint(250, 140))
    assert canvas.mapTool() is former


def test_escape_draws_nothing_and_brings_the_former_tool_back(canvas, tool, qtbot):
    former = QgsMapToolPan(canvas)
    canvas.setMapTool(former)
    tool.start()
    qtbot.mousePress(canvas.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(50, 40))
    with qtbot.waitSignal(tool.cancelled, timeout=500), qtbot.assertNotEmitted(tool.drawn):
        qtbot.keyClick(canvas, Qt.Key.Key_Escape)
    assert canvas.mapTool() is former
    qtbot.mouseRelease(
        canvas.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(50, 40)
    )  # or what follows drags


def test_taking_another_tool_cancels(canvas, tool, qtbot):
    tool.start()
    with qtbot.waitSignal(tool.cancelled, timeout=500):
        canvas.setMapTool(QgsMapToolPan(canvas))


def test_starting_again_while_drawing_keeps_the_tool_that_was_there_first(canvas, tool, qtbot):
    former = QgsMapToolPan(canvas)
    canvas.setMapTool(former)
    tool.start()
    tool.start()
    qtbot.keyClick(canvas, Qt.Key.Key_Escape)
    assert canvas.mapTool() is former


def bands(canvas) -> list[QgsRubberBand]:
    return [item for item in canvas.scene().items() if isinstance(item, QgsRubberBand) and item.isVisible()]


def box(x: float, y: float, size: float = 20) -> QgsGeometry:
    return QgsGeometry.fromRect(QgsRectangle(x, y, x + size, y + size))


def test_boxes_light_up_where_they_are_in_any_crs(canvas):
    mark = HoverMark(canvas)
    there = QgsGeometry.fromRect(QgsRectangle(3.0, 45.15, 3.001, 45.151))
    mark.show([there], DEGREES)
    shown = bands(canvas)
    assert len(shown) == 2
    for band in shown:
        assert 500_000 - 1 <= band.asGeometry().boundingBox().xMinimum() <= 500_100
    mark.show([box(500_100, 5_000_100), box(500_200, 5_000_100)], UTM)
    assert bands(canvas)[0].asGeometry().boundingBox().width() == pytest.approx(120)
    mark.clear()
    assert bands(canvas) == []
    mark.remove()


def test_going_to_a_box_shows_it_whole_with_its_surroundings(canvas):
    mark = HoverMark(canvas)
    far = box(520_000, 5_010_000, 30)
    assert mark.zoom([far], UTM)
    visible = canvas.extent()
    assert visible.contains(far.boundingBox())
    assert 3 * 30 < visible.height() < 8 * 30
    mark.remove()


def test_a_box_that_is_seen_well_does_not_move_the_map(canvas):
    mark = HoverMark(canvas)
    before = canvas.extent()
    assert mark.zoom([box(500_100, 5_000_100, 80)], UTM)
    assert canvas.extent() == before
    mark.remove()


def test_a_small_box_is_gone_to_even_where_it_is_in_view(canvas):
    mark = HoverMark(canvas)
    before = canvas.extent().width()
    assert mark.zoom([box(500_100, 5_000_100, 12)], UTM)
    assert canvas.extent().width() < before / 2
    mark.remove()


def test_a_box_outside_of_the_maps_crs_is_told(canvas):
    mark = HoverMark(canvas)
    canvas.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:3857"))
    assert not mark.zoom([QgsGeometry.fromRect(QgsRectangle(0, 90, 1, 91))], DEGREES)
    mark.remove()


def test_nothing_stays_on_the_canvas(canvas):
    before = len(canvas.scene().items())
    mark, tool = HoverMark(canvas), RectangleTool(canvas)
    mark.show([box(500_100, 5_000_100)], UTM)
    mark.remove()
    tool.remove()
    assert len(canvas.scene().items()) == before


def test_a_rectangle_is_an_outline_that_leaves_the_picture_its_colours(canvas, tool, qtbot):
    tool.show_geometry(QgsGeometry.fromRect(canvas.extent()), UTM)
    assert tool._band.fillColor().alpha() == 0

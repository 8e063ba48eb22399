"""Draws the rectangle that is asked about. It follows the screen, so on a turned map it is turned as well.

Knows the canvas and the mouse. Refuses to know what the rectangle is for.
"""

from __future__ import annotations

from qgis.core import QgsCoordinateReferenceSystem, QgsGeometry, QgsPointXY, QgsWkbTypes
from qgis.gui import QgsMapCanvas, QgsMapMouseEvent, QgsMapTool, QgsRubberBand
from qgis.PyQt.QtCore import QEvent, QObject, QPoint, Qt, pyqtSignal
from qgis.PyQt.QtGui import QColor

MIN_PX = 4
"""A smaller drag is a click: the second corner is clicked then."""
LINE_PX = 2
COLOUR = "#f0e442"


class RectangleTool(QgsMapTool):
    """drawn: a polygon of four corners and its CRS, once the second corner is set. cancelled: Esc, or another tool.

    Press, drag, release; or click two corners. The rectangle stays visible until `clear`.
    """

    drawn = pyqtSignal(QgsGeometry, QgsCoordinateReferenceSystem)
    cancelled = pyqtSignal()

    def __init__(self, canvas: QgsMapCanvas) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._first: QPoint | None = None
        self._former: QgsMapTool | None = None
        self._is_done = True
        self._band = QgsRubberBand(canvas, QgsWkbTypes.GeometryType.PolygonGeometry)
        self._band.setStrokeColor(QColor(COLOUR))
        self._band.setFillColor(QColor(0, 0, 0, 0))  # an outline: the picture under it keeps its colours
        self._band.setSecondaryStrokeColor(QColor("#101820"))
        self._band.setWidth(LINE_PX)
        self._band.hide()
        self.setCursor(Qt.CursorShape.CrossCursor)

    @property
    def is_drawing(self) -> bool:
        """One corner is set, the other is not."""
        return self._first is not None

    def start(self) -> None:
        """Take the canvas; the tool that had it gets it back afterwards."""
        if self._canvas.mapTool() is not self:
            self._former = self._canvas.mapTool()
        self._first = None
        self._is_done = False
        self._canvas.setMapTool(self)

    def show_geometry(self, geometry: QgsGeometry, crs: QgsCoordinateReferenceSystem) -> None:
        """Draw a rectangle from elsewhere, such as an earlier question's."""
        self._band.setToGeometry(geometry, crs)
        self._band.show()

    def stop(self) -> None:
        """Give the canvas back, where it is taken."""
        if self._canvas.mapTool() is self:
            self._restore()

    def clear(self) -> None:
        """Draw none any more."""
        self._first = None
        self._band.reset(QgsWkbTypes.GeometryType.PolygonGeometry)
        self._band.hide()

    def remove(self) -> None:
        """Take everything off the canvas: the plugin is unloaded."""
        self.stop()
        self._canvas.scene().removeItem(self._band)

    def canvasPressEvent(self, event: QgsMapMouseEvent) -> None:  # noqa: N802 - QGIS's name
        """The first corner, or the second one of two clicks."""
        if event.button() != Qt.MouseButton.LeftButton:
            return
        here = QPoint(event.pixelPoint())  # a copy: the event's own does not outlive it on QGIS 3.22
        if self._first is None:
            self._first = here
        else:
            self._finish(here)

    def canvasMoveEvent(self, event: QgsMapMouseEvent) -> None:  # noqa: N802 - QGIS's name
        """Follow the mouse."""
        if self._first is not None:
            self._draw(self._corners(self._first, QPoint(event.pixelPoint())))

    def canvasReleaseEvent(self, event: QgsMapMouseEvent) -> None:  # noqa: N802 - QGIS's name
        """The second corner of a drag."""
        here = QPoint(event.pixelPoint())
        if (
            self._first is not None
            and event.button() == Qt.MouseButton.LeftButton
            and _is_drag(self._first, here)
        ):
            self._finish(here)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Esc gives the canvas back. A filter, because the canvas hands no keys on while a mouse button is down."""
        if event.type() == QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Escape:
            self.stop()
            return True
        return False

    def activate(self) -> None:
        """The canvas is ours."""
        super().activate()
        self._canvas.installEventFilter(self)

    def deactivate(self) -> None:
        """Another tool was taken, or this one is done."""
        super().deactivate()
        self._canvas.removeEventFilter(self)
        if not self._is_done:
            self._is_done = True
            self.clear()
            self.cancelled.emit()

    def _corners(self, first: QPoint, second: QPoint) -> list[QgsPointXY]:
        """In map coordinates, of a rectangle whose sides are the screen's."""
        around = (first, QPoint(second.x(), first.y()), second, QPoint(first.x(), second.y()))
        return [QgsPointXY(self.toMapCoordinates(corner)) for corner in around]

    def _draw(self, corners: list[QgsPointXY]) -> None:
        self._band.setToGeometry(_polygon(corners), QgsCoordinateReferenceSystem())
        self._band.show()

    def _finish(self, second: QPoint) -> None:
        if self._first is None or not _is_drag(self._first, second):
            return
        corners = self._corners(self._first, second)
        self._draw(corners)
        self._first = None
        self._is_done = True
        crs = self._canvas.mapSettings().destinationCrs()
        self._restore()
        self.drawn.emit(_polygon(corners), crs)

    def _restore(self) -> None:
        former, self._former = self._former, None
        if former is not None:
            self._canvas.setMapTool(former)
        else:
            self._canvas.unsetMapTool(self)


def _polygon(corners: list[QgsPointXY]) -> QgsGeometry:
    return QgsGeometry.fromPolygonXY([[*corners, corners[0]]])


def _is_drag(first: QPoint, second: QPoint) -> bool:
    return min(abs(second.x() - first.x()), abs(second.y() - first.y())) >= MIN_PX

"""Hears clicks on the map, whichever harmless tool is in hand, so that a click on a box finds its sentence.

Knows the canvas and the mouse. Refuses to know boxes. It only listens: every tool goes on as always.
"""

from __future__ import annotations

from qgis.core import QgsPointXY
from qgis.gui import QgsMapCanvas, QgsMapTool
from qgis.PyQt.QtCore import QEvent, QObject, QPoint, Qt, pyqtSignal

from groundproof_qgis.gui.rectangle_tool import RectangleTool

CLICK_PX = 4
"""A mouse that moved further was dragged."""


class BoxClicks(QObject):
    """clicked: where, in the map's CRS, and how far a few pixels reach. Not while something is drawn or edited."""

    clicked = pyqtSignal(QgsPointXY, float)

    def __init__(self, canvas: QgsMapCanvas) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._pressed: QPoint | None = None
        canvas.viewport().installEventFilter(self)

    def stop(self) -> None:
        """Listen no more."""
        self._canvas.viewport().removeEventFilter(self)
        self.deleteLater()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Never takes an event away."""
        if event.type() == QEvent.Type.MouseButtonPress:
            is_left = event.button() == Qt.MouseButton.LeftButton and not event.modifiers()
            self._pressed = QPoint(event.pos()) if is_left else None
        elif event.type() == QEvent.Type.MouseButtonRelease and self._pressed is not None:
            pressed, self._pressed = self._pressed, None
            here = QPoint(event.pos())
            if (here - pressed).manhattanLength() <= CLICK_PX and not self._is_at_work():
                to_map = self._canvas.getCoordinateTransform()
                point = to_map.toMapCoordinates(here.x(), here.y())
                self.clicked.emit(QgsPointXY(point), CLICK_PX * to_map.mapUnitsPerPixel())
        return False

    def _is_at_work(self) -> bool:
        tool = self._canvas.mapTool()
        return isinstance(tool, RectangleTool) or (
            tool is not None and bool(tool.flags() & QgsMapTool.Flag.EditTool)
        )

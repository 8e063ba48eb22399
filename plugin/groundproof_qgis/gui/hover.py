"""Lights up boxes on the map while they are pointed at, and flashes those that are gone to.

Knows geometries and their CRS. Refuses to know evidence.
"""

from __future__ import annotations

from collections.abc import Sequence

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCsException,
    QgsGeometry,
    QgsProject,
    QgsRectangle,
    QgsWkbTypes,
)
from qgis.gui import QgsMapCanvas, QgsRubberBand
from qgis.PyQt.QtGui import QColor

SURROUNDINGS = 2.5
"""Zooming shows this many times the largest box's side around it, so that its surroundings are seen."""
EDGE = 0.1
"""And around many boxes this part of their extent."""
CLEAR_PX = 56.0
"""A box that is in view and whose longer side is this long on the screen is seen well: the map stays as it is."""
MAX_AT_ONCE = 500
"""More boxes are not lit one by one."""

_LINES = (("#101820", 6), ("#ffd400", 3))
"""(colour, width in px): a dark casing under a bright line is seen on any image."""


class HoverMark:
    """One for a canvas. crs: of the geometries; an invalid one for pixel space, where the map has none either."""

    def __init__(self, canvas: QgsMapCanvas) -> None:
        self._canvas = canvas
        self._bands = []
        for colour, width in _LINES:
            band = QgsRubberBand(canvas, QgsWkbTypes.GeometryType.PolygonGeometry)
            band.setStrokeColor(QColor(colour))
            band.setFillColor(QColor(0, 0, 0, 0))
            band.setWidth(width)
            band.hide()
            self._bands.append(band)

    def show(self, geometries: Sequence[QgsGeometry], crs: QgsCoordinateReferenceSystem) -> None:
        """Light up these and no others; none at all puts out the light."""
        if not geometries:
            self.clear()
            return
        together = QgsGeometry.collectGeometry(list(geometries[:MAX_AT_ONCE]))
        for band in self._bands:
            band.setToGeometry(together, crs)
            band.show()

    def clear(self) -> None:
        """Light up nothing."""
        for band in self._bands:
            band.reset(QgsWkbTypes.GeometryType.PolygonGeometry)
            band.hide()

    def flash(self, geometries: Sequence[QgsGeometry], crs: QgsCoordinateReferenceSystem) -> None:
        """Draw the eye to these for a moment."""
        self._canvas.flashGeometries(
            list(geometries[:MAX_AT_ONCE]), crs, QColor(255, 212, 0, 255), QColor(255, 212, 0, 0), 3, 400
        )

    def zoom(self, geometries: Sequence[QgsGeometry], crs: QgsCoordinateReferenceSystem) -> bool:
        """Show all of these with some ground around; whether they lie on this map at all.

        The map moves no more than it must: it stays where all of them are in view and large enough to be seen well.
        """
        settings = self._canvas.mapSettings()
        transform = QgsCoordinateTransform(crs, settings.destinationCrs(), QgsProject.instance())
        try:
            boxes = [transform.transformBoundingBox(one.boundingBox()) for one in geometries]
        except QgsCsException:
            return False
        extent = QgsRectangle()
        for one in boxes:
            extent.combineExtentWith(one)
        if extent.isNull() or not extent.isFinite():
            return False
        side = max(max(one.width(), one.height()) for one in boxes)
        if settings.visibleExtent().contains(extent) and side / settings.mapUnitsPerPixel() >= CLEAR_PX:
            return True
        extent.grow(max(SURROUNDINGS * side, EDGE * max(extent.width(), extent.height())))
        self._canvas.zoomToFeatureExtent(extent)
        return True

    def remove(self) -> None:
        """Take everything off the canvas: the plugin is unloaded."""
        for band in self._bands:
            self._canvas.scene().removeItem(band)
        self._bands = []

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

MARGIN = 1.8
"""Zooming shows this many times a box's size, so that its surroundings are seen."""
MIN_SIDE_PX = 16.0
"""A smaller box is zoomed to, even when it is in view."""
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

        The scale stays where they are small but visible and in view: the map moves no more than it must.
        """
        extent = QgsRectangle()
        for geometry in geometries:
            extent.combineExtentWith(geometry.boundingBox())
        settings = self._canvas.mapSettings()
        try:
            transform = QgsCoordinateTransform(crs, settings.destinationCrs(), QgsProject.instance())
            extent = transform.transformBoundingBox(extent)
        except QgsCsException:
            return False
        if extent.isNull() or not extent.isFinite():
            return False
        extent.scale(MARGIN)
        side_px = max(extent.width(), extent.height()) / settings.mapUnitsPerPixel()
        if settings.visibleExtent().contains(extent) and side_px >= MIN_SIDE_PX * MARGIN:
            return True
        self._canvas.zoomToFeatureExtent(extent)
        return True

    def remove(self) -> None:
        """Take everything off the canvas: the plugin is unloaded."""
        for band in self._bands:
            self._canvas.scene().removeItem(band)
        self._bands = []

"""The grid of a layer that has no pixels of its own: tile services and map services.

Knows zoom levels. Refuses to know how tiles are fetched.
"""

from __future__ import annotations

import math

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCoordinateTransformContext,
    QgsCsException,
    QgsGeometry,
    QgsPointXY,
    QgsRasterLayer,
)
from qgis.gui import QgsMapCanvas

from groundproof_qgis.i18n_text import tr
from groundproof_qgis.imagery.errors import PixelError
from groundproof_qgis.imagery.grid import Grid
from groundproof_qgis.imagery.ground import outside_crs, scale_at, screen_pixel_m
from groundproof_qgis.imagery.what import LayerPixels

WEB_MERCATOR_EDGE = 20037508.342789244
"""Where the first tile of every level begins: its west, and its north."""


def service_grid(
    choice: LayerPixels,
    layer: QgsRasterLayer,
    carried: QgsGeometry,
    context: QgsCoordinateTransformContext,
    canvas: QgsMapCanvas | None,
) -> tuple[Grid, str]:
    """The whole layer as a grid, at the level nearest to the wanted resolution, and a sentence about it.

    carried: the place, in the layer's CRS. Without a chosen resolution that of the canvas is wanted; without a canvas
    the finest level. Raises PixelError when the layer has neither levels nor anything that says how fine it shall be.
    """
    middle = carried.boundingBox().center()
    scale = scale_at(layer.crs(), (middle.x(), middle.y()), context).mean_m
    levels = [units for units in layer.dataProvider().nativeResolutions() if units > 0]
    wanted = choice.resolution or _canvas_m(canvas, middle, layer, context)
    if not levels:
        if wanted is None:
            raise PixelError(
                tr('The layer "{layer}" has no resolution of its own. Choose one in metres per px.').format(
                    layer=layer.name()
                )
            )
        return _grid(layer, wanted / scale), tr("{gsd:.3g} m per px, as asked of the service").format(
            gsd=wanted
        )
    units = min(levels, key=lambda level: level if wanted is None else abs(math.log(level * scale / wanted)))
    said = tr('{gsd:.3g} m per px, a level of "{layer}"').format(gsd=units * scale, layer=layer.name())
    return _grid(layer, units), said


def _grid(layer: QgsRasterLayer, units: float) -> Grid:
    """All of the layer's extent, on the tiles' pixels where these are known to begin at Web Mercator's corner."""
    extent = layer.extent()
    left, top = extent.xMinimum(), extent.yMaximum()
    if layer.crs() == QgsCoordinateReferenceSystem("EPSG:3857"):
        left = units * math.floor((left + WEB_MERCATOR_EDGE) / units) - WEB_MERCATOR_EDGE
        top = WEB_MERCATOR_EDGE - units * math.floor((WEB_MERCATOR_EDGE - top) / units)
    width = max(1, math.ceil((extent.xMaximum() - left) / units))
    height = max(1, math.ceil((top - extent.yMinimum()) / units))
    return Grid(width, height, (units, 0.0, left, 0.0, -units, top))


def _canvas_m(
    canvas: QgsMapCanvas | None,
    middle: QgsPointXY,
    layer: QgsRasterLayer,
    context: QgsCoordinateTransformContext,
) -> float | None:
    """Metres per pixel of the screen at the place; None without a canvas."""
    if canvas is None:
        return None
    crs = canvas.mapSettings().destinationCrs()
    try:
        here = QgsCoordinateTransform(layer.crs(), crs, context).transform(middle)
    except QgsCsException as err:
        raise outside_crs(crs) from err
    return screen_pixel_m(canvas, scale_at(crs, (here.x(), here.y()), context))

"""Take a person to boxes on the map: zoom with a margin, flash, select.

Knows a canvas and a layer. Refuses to know which box is which (`index`).
"""

from __future__ import annotations

from collections.abc import Sequence

from qgis.core import (
    QgsCoordinateTransform,
    QgsCsException,
    QgsFeatureRequest,
    QgsProject,
    QgsRectangle,
    QgsVectorLayer,
)
from qgis.gui import QgsMapCanvas

from groundproof_qgis.i18n_text import tr
from groundproof_qgis.layers.errors import LayerError

ONE_BOX = 8.0
"""One box takes an eighth of the canvas: its surroundings say what it is."""

SEVERAL_BOXES = 1.2


def show_evidence(canvas: QgsMapCanvas, layer: QgsVectorLayer, fids: Sequence[int]) -> None:
    """Zoom to features and flash them; nothing happens for none. Raises LayerError where they are not on this map."""
    around = extent_of(layer, fids)
    if around.isNull():
        return
    transform = QgsCoordinateTransform(
        layer.crs(), canvas.mapSettings().destinationCrs(), QgsProject.instance()
    )
    try:
        around = transform.transformBoundingBox(around)
    except QgsCsException as err:
        raise LayerError(
            tr("The box lies outside of what the map's coordinate reference system can show.")
        ) from err
    if around.isEmpty():
        around.grow(1e-4 if canvas.mapSettings().destinationCrs().isGeographic() else 10)
    around.scale(ONE_BOX if len(fids) == 1 else SEVERAL_BOXES)
    canvas.setExtent(around)
    canvas.refresh()
    flash(canvas, layer, fids)


def flash(canvas: QgsMapCanvas, layer: QgsVectorLayer, fids: Sequence[int]) -> None:
    """Let features light up where they are."""
    canvas.flashFeatureIds(layer, list(fids))


def select(layer: QgsVectorLayer, fids: Sequence[int]) -> None:
    """Make these the layer's selection."""
    layer.selectByIds(list(fids))


def extent_of(layer: QgsVectorLayer, fids: Sequence[int]) -> QgsRectangle:
    """The rectangle around features, in the layer's CRS; null for none."""
    around = QgsRectangle()
    around.setMinimal()
    request = QgsFeatureRequest().setFilterFids(list(fids)).setNoAttributes()
    for feature in layer.getFeatures(request):
        around.combineExtentWith(feature.geometry().boundingBox())
    return around

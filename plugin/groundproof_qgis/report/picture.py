"""The map of a report: the imagery, and the boxes with their numbers as the project draws them.

Knows map settings and rendering in the background. Refuses to know what a box means.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from qgis.core import (
    QgsCoordinateTransform,
    QgsCsException,
    QgsMapLayer,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsProject,
    QgsRectangle,
)
from qgis.PyQt.QtCore import QObject, QSize
from qgis.PyQt.QtGui import QColor, QImage

DPI = 150
MARGIN = 1.08


def picture_settings(
    base: QgsMapSettings, layers: Sequence[QgsMapLayer], extent: QgsRectangle | None, size: QSize
) -> QgsMapSettings:
    """Settings of a picture. base: of the canvas; its CRS, rotation and transformations hold.

    layers: from top to bottom. extent: in the CRS of base; None: what the canvas shows. size: px of the picture.
    """
    settings = QgsMapSettings(base)
    settings.setLayers(list(layers))
    settings.setOutputSize(size)
    settings.setOutputDpi(DPI)
    settings.setDevicePixelRatio(1)
    settings.setBackgroundColor(QColor("#ffffff"))
    settings.setExtent(base.extent() if extent is None else extent)
    settings.setFlag(QgsMapSettings.Flag.Antialiasing, True)
    settings.setFlag(QgsMapSettings.Flag.DrawLabeling, True)
    settings.setFlag(QgsMapSettings.Flag.DrawSelection, False)
    settings.setFlag(QgsMapSettings.Flag.RenderPartialOutput, False)
    return settings


def area_of(layer: QgsMapLayer, settings: QgsMapSettings) -> QgsRectangle | None:
    """Where a layer lies, with a margin, in the CRS of the settings; None where that CRS cannot show it."""
    transform = QgsCoordinateTransform(layer.crs(), settings.destinationCrs(), QgsProject.instance())
    try:
        around = transform.transformBoundingBox(layer.extent())
    except QgsCsException:
        return None
    if around.isEmpty() or not around.isFinite():
        return None
    around.scale(MARGIN)
    return around


class MapPicture(QObject):
    """Renders in background threads and calls `done` with the picture, on the thread that made it (the main one).

    cancel: nothing is called any more.
    """

    def __init__(self, settings: QgsMapSettings, done: Callable[[QImage], None]) -> None:
        super().__init__()
        self._done: Callable[[QImage], None] | None = done
        self._job = QgsMapRendererParallelJob(settings)
        self._job.finished.connect(self._finished)
        self._job.start()

    def cancel(self) -> None:
        """Stop, without waiting."""
        self._done = None
        self._job.cancelWithoutBlocking()

    def _finished(self) -> None:
        done, self._done = self._done, None
        if done is not None:
            done(self._job.renderedImage())

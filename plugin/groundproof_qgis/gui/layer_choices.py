"""What the project offers to ask about: raster layers, polygons, map themes.

Knows QgsProject and listens to it. Refuses to know widgets. The plugin's own result layers are no imagery and are left
out.
"""

from __future__ import annotations

from dataclasses import dataclass

from qgis.core import (
    QgsDistanceArea,
    QgsMapLayer,
    QgsPointXY,
    QgsProject,
    QgsRasterInterface,
    QgsRasterLayer,
    QgsVectorLayer,
    QgsWkbTypes,
)
from qgis.PyQt.QtCore import QObject, QTimer, pyqtSignal

from groundproof_qgis.layers.group import is_ours

MAX_BANDS_NAMED = 30


@dataclass(frozen=True)
class RasterChoice:
    """One raster layer. native_m: metres per px of its own grid, None for services without one. bands: their names."""

    layer_id: str
    name: str
    native_m: float | None = None
    bands: tuple[str, ...] = ()


@dataclass(frozen=True)
class PolygonChoice:
    """One polygon layer. selected: how many of its features are."""

    layer_id: str
    name: str
    selected: int = 0


@dataclass(frozen=True)
class LayerList:
    """All there is to ask about. empty: nothing at all that could be drawn."""

    rasters: tuple[RasterChoice, ...] = ()
    polygons: tuple[PolygonChoice, ...] = ()
    themes: tuple[str, ...] = ()
    empty: bool = True


def native_metres(layer: QgsRasterLayer) -> float | None:
    """Ground size of a pixel at the layer's centre, geodesic; None when it has no grid of its own or no CRS."""
    provider = layer.dataProvider()
    if provider is None or not provider.capabilities() & QgsRasterInterface.Capability.Size:
        return None
    if not layer.crs().isValid() or layer.width() < 1 or layer.height() < 1:
        return None
    centre = layer.extent().center()
    step = layer.rasterUnitsPerPixelX()
    measure = QgsDistanceArea()
    measure.setSourceCrs(layer.crs(), QgsProject.instance().transformContext())
    measure.setEllipsoid(layer.crs().ellipsoidAcronym() or "EPSG:7030")
    length = measure.measureLine(
        QgsPointXY(centre.x() - step / 2, centre.y()), QgsPointXY(centre.x() + step / 2, centre.y())
    )
    return length if 0 < length < float("inf") else None


def _band_names(layer: QgsRasterLayer) -> tuple[str, ...]:
    return tuple(layer.bandName(band) for band in range(1, min(layer.bandCount(), MAX_BANDS_NAMED) + 1))


class LayerChoices(QObject):
    """The project's layers as choices; `changed` comes once after a burst of changes."""

    changed = pyqtSignal()

    def __init__(self, project: QgsProject, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._project = project
        self._followed: set[str] = set()
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self.changed)
        project.layersAdded.connect(self._added)
        project.layersRemoved.connect(self._removed)
        project.cleared.connect(self._later)
        project.layerTreeRoot().layerOrderChanged.connect(self._later)
        project.mapThemeCollection().mapThemesChanged.connect(self._later)
        self._added(list(project.mapLayers().values()))

    def _later(self) -> None:
        self._soon.start()

    def _added(self, layers: list) -> None:
        for layer in layers:
            if layer.id() in self._followed:
                continue
            self._followed.add(layer.id())
            layer.nameChanged.connect(self._later)
            layer.crsChanged.connect(self._later)
            if isinstance(layer, QgsVectorLayer):
                layer.selectionChanged.connect(self._later)
        self._later()

    def _removed(self, layer_ids: list) -> None:
        self._followed.difference_update(layer_ids)
        self._later()

    def _in_order(self) -> list[QgsMapLayer]:
        """Layers from the top of the tree down, without the plugin's own; layers outside the tree last."""
        ordered = list(self._project.layerTreeRoot().layerOrder())
        known = {layer.id() for layer in ordered}
        rest = [one for key, one in self._project.mapLayers().items() if key not in known]
        return [one for one in ordered + rest if not is_ours(one)]

    def now(self) -> LayerList:
        """What there is at this moment."""
        layers = self._in_order()
        rasters = tuple(
            RasterChoice(one.id(), one.name(), native_metres(one), _band_names(one))
            for one in layers
            if isinstance(one, QgsRasterLayer) and one.isValid()
        )
        polygons = tuple(
            PolygonChoice(one.id(), one.name(), one.selectedFeatureCount())
            for one in layers
            if isinstance(one, QgsVectorLayer)
            and one.isValid()
            and one.geometryType() == QgsWkbTypes.GeometryType.PolygonGeometry
        )
        themes = tuple(self._project.mapThemeCollection().mapThemes())
        return LayerList(rasters, polygons, themes, empty=not any(one.isSpatial() for one in layers))

"""What the map shows, planned as one scene in a local metric CRS.

Knows the canvas's layers, themes and scale. Refuses to know how the pixels are drawn later (`rendered.py`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCoordinateTransformContext,
    QgsCsException,
    QgsGeometry,
    QgsMapLayer,
    QgsMapSettings,
    QgsPointXY,
    QgsProject,
    QgsRasterInterface,
    QgsRasterLayer,
)
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtGui import QColor

from groundproof_qgis.i18n_text import tr
from groundproof_qgis.imagery.acquired import acquired
from groundproof_qgis.imagery.carry import carry, points_of
from groundproof_qgis.imagery.errors import PixelError
from groundproof_qgis.imagery.grid import WINDOW_PX, Grid, Point, grid_around
from groundproof_qgis.imagery.ground import Scale, scale_at, screen_pixel_m
from groundproof_qgis.imagery.local_crs import local_metric_crs
from groundproof_qgis.imagery.place import Place
from groundproof_qgis.imagery.plan import (
    RESAMPLED_TIMES,
    Plan,
    Preview,
    area_of,
    check_size,
    measured,
    parts_to_send,
    wkt_of,
)
from groundproof_qgis.imagery.rendered import RenderedSource, is_turned
from groundproof_qgis.imagery.scene import SceneSpec
from groundproof_qgis.imagery.seen_layers import copies, seen_layers, style_overrides, widened
from groundproof_qgis.imagery.what import Seen

INCH_M = 0.0254
NATIVE_TIMES = 4.0
"""A canvas that shows a raster so much coarser still means the raster: models need the objects' own pixels, which are
16 times the screen's then. Beyond it the person looks at a region, and gets the screen's.
"""
ON_GRID_PX = 0.01
TURNED_DEG = 10.0
"""Beyond this the local CRS's north is not up on the canvas any more, and the picture is turned to match."""


def plan_seen(choice: Seen, place: Place, project: QgsProject, canvas: QgsMapCanvas | None) -> Plan:
    """A scene of what is seen at the place. Raises PixelError when that is nothing, or too much."""
    context = project.transformContext()
    layers = seen_layers(choice, project, canvas)
    middle = place.polygons.boundingBox().center()
    here = scale_at(place.crs, (middle.x(), middle.y()), context)
    bounds = place.polygons.boundingBox()
    reach_m = math.hypot(bounds.width() * here.x_m, bounds.height() * here.y_m) / 2
    crs = local_metric_crs(place.crs, (middle.x(), middle.y()), context, reach_m)
    carried = carry(place.polygons, place.crs, crs, context)
    centre_point = carried.boundingBox().center()
    centre = (centre_point.x(), centre_point.y())
    scale = scale_at(crs, centre, context)
    metres, said, finest = _resolution(choice, layers, crs, centre, canvas, here, context)
    step = metres / scale.mean_m
    rotation = place.rotation_deg
    if place.rotation_deg or abs(here.north_deg - scale.north_deg) > TURNED_DEG:
        rotation += scale.north_deg - here.north_deg if crs != place.crs else 0.0
    grid = _grid(points_of(carried), step, rotation, crs, finest)
    check_size(grid)
    ground_m, gsd_m = measured(grid, crs, context)
    area = area_of(place, carried, grid, crs, context)
    rasters = [layer for layer in layers if isinstance(layer, QgsRasterLayer)]
    if len(rasters) == len(layers) and not any(_reaches(layer, carried, crs, context) for layer in rasters):
        raise PixelError(
            tr("No visible layer reaches the place. Zoom to your imagery, or switch a layer on.")
        )
    times = 1 if all(_lies_on(grid, crs, layer) for layer in rasters) else RESAMPLED_TIMES
    side = WINDOW_PX if times == 1 else WINDOW_PX // 2
    parts = parts_to_send(grid, carried, area, side)
    spec = SceneSpec(
        name=choice.theme or (layers[0].name() if len(layers) == 1 else tr("map")),
        width=grid.width,
        height=grid.height,
        crs_wkt=wkt_of(crs),
        affine=grid.affine,
        datetime=acquired(rasters[0]) if len(rasters) == 1 else None,
        sparse=sum(part.width * part.height for part in parts) < grid.width * grid.height,
    )
    overrides = style_overrides(choice, project, canvas)

    def make() -> RenderedSource:
        settings = _settings(canvas, project, crs, grid.pixel_size[0] / times)
        copied = widened(copies(layers, overrides), carried, crs, context)
        return RenderedSource(spec, grid, parts, settings, copied, times)

    return Plan(Preview(spec, area, ground_m, gsd_m, said, ()), make)


def _settings(
    canvas: QgsMapCanvas | None,
    project: QgsProject,
    crs: QgsCoordinateReferenceSystem,
    step: float,
) -> QgsMapSettings:
    """The canvas's settings (time, expressions, antialiasing), drawing only map content, one pixel for one pixel.

    Symbols keep their size on the ground: the picture's scale is the canvas's, so its dots per inch differ.
    """
    settings = QgsMapSettings() if canvas is None else QgsMapSettings(canvas.mapSettings())
    settings.setLayers([])
    settings.setLayerStyleOverrides({})
    settings.setTransformContext(project.transformContext())
    settings.setDestinationCrs(crs)
    settings.setRotation(0.0)
    settings.setBackgroundColor(QColor(0, 0, 0, 0))
    if hasattr(settings, "setDevicePixelRatio"):
        settings.setDevicePixelRatio(1.0)
    for flag in (
        Qgis.MapSettingsFlag.DrawLabeling,
        Qgis.MapSettingsFlag.DrawSelection,
        Qgis.MapSettingsFlag.DrawEditingInfo,
    ):
        settings.setFlag(flag, False)
    if canvas is not None and canvas.scale() > 0:
        settings.setOutputDpi(canvas.scale() * INCH_M / step)
    return settings


def _resolution(
    choice: Seen,
    layers: Sequence[QgsMapLayer],
    crs: QgsCoordinateReferenceSystem,
    centre: Point,
    canvas: QgsMapCanvas | None,
    here: Scale,
    context: QgsCoordinateTransformContext,
) -> tuple[float, str, tuple[QgsRasterLayer, float] | None]:
    """Metres per px, a sentence where they come from, and the layer whose own pixels they are."""
    if choice.resolution_m is not None:
        return choice.resolution_m, tr("{gsd:.3g} m per px, as chosen").format(gsd=choice.resolution_m), None
    own = None if canvas is None else screen_pixel_m(canvas, here)
    natives = [
        (native, layer)
        for layer in layers
        if isinstance(layer, QgsRasterLayer)
        and (native := _native_m(layer, crs, centre, context)) is not None
    ]
    if natives:
        native, layer = min(natives, key=lambda pair: pair[0])
        if own is None or own <= native * NATIVE_TIMES:
            said = tr('{gsd:.3g} m per px, native to "{layer}"').format(gsd=native, layer=layer.name())
            return native, said, (layer, native)
    if own is None:
        raise PixelError(tr("No layer at the place says how fine it is. Choose a resolution."))
    return own, tr("{gsd:.3g} m per px, as on the canvas").format(gsd=own), None


def _native_m(
    layer: QgsRasterLayer,
    crs: QgsCoordinateReferenceSystem,
    centre: Point,
    context: QgsCoordinateTransformContext,
) -> float | None:
    """Metres per px of a raster of known size that covers the centre; None for others, such as map services."""
    if not _has_size(layer) or not layer.crs().isValid():
        return None
    try:
        at = QgsCoordinateTransform(crs, layer.crs(), context).transform(QgsPointXY(*centre))
    except QgsCsException:  # the centre has no place in the layer's CRS, so it does not cover it
        return None
    if not layer.extent().contains(at):
        return None
    scale = scale_at(layer.crs(), (at.x(), at.y()), context)
    return scale.mean_m * math.sqrt(layer.rasterUnitsPerPixelX() * layer.rasterUnitsPerPixelY())


def _grid(
    points: list[Point],
    step: float,
    rotation: float,
    crs: QgsCoordinateReferenceSystem,
    finest: tuple[QgsRasterLayer, float] | None,
) -> Grid:
    """Square pixels around the points; a raster's own where those are the resolution, so that none is resampled."""
    if finest is not None and not rotation:
        layer = finest[0]
        across, down = layer.rasterUnitsPerPixelX(), layer.rasterUnitsPerPixelY()
        if layer.crs() == crs and math.isclose(across, down, rel_tol=1e-9):
            extent = layer.extent()
            return grid_around(points, across, anchor=(extent.xMinimum(), extent.yMaximum()))
    return grid_around(points, step, rotation)


def _lies_on(grid: Grid, crs: QgsCoordinateReferenceSystem, layer: QgsRasterLayer) -> bool:
    """Whether a raster's pixels are the grid's, so that none is resampled; services draw as they are asked to."""
    if not _has_size(layer):
        return True
    extent, step = layer.extent(), grid.pixel_size[0]
    col, row = grid.to_pixel(extent.xMinimum(), extent.yMaximum())
    return (
        layer.crs() == crs
        and not is_turned(grid)
        and math.isclose(layer.rasterUnitsPerPixelX(), step, rel_tol=1e-9)
        and math.isclose(layer.rasterUnitsPerPixelY(), step, rel_tol=1e-9)
        and max(abs(col - round(col)), abs(row - round(row))) < ON_GRID_PX
    )


def _has_size(layer: QgsRasterLayer) -> bool:
    """Whether it has pixels of its own; map services have not."""
    provider = layer.dataProvider()
    return (
        bool(provider.capabilities() & QgsRasterInterface.Capability.Size)
        and provider.name() != "wms"
        and layer.width() > 0
    )


def _reaches(
    layer: QgsRasterLayer,
    carried: QgsGeometry,
    crs: QgsCoordinateReferenceSystem,
    context: QgsCoordinateTransformContext,
) -> bool:
    """Whether a raster's extent meets the place's; true where that cannot be told."""
    if not layer.crs().isValid():
        return True
    try:
        extent = QgsCoordinateTransform(layer.crs(), crs, context).transformBoundingBox(layer.extent())
    except QgsCsException:  # a world map has corners that a local CRS has not
        return True
    return not extent.isFinite() or extent.intersects(carried.boundingBox())

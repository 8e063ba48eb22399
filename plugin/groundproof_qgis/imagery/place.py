"""Where is asked: polygons on the map, frozen when they are taken from the canvas or a layer.

Knows how each way to say "here" becomes polygons. Refuses to know pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsExpression,
    QgsExpressionContext,
    QgsExpressionContextUtils,
    QgsGeometry,
    QgsPointXY,
    QgsRasterLayer,
    QgsRectangle,
    QgsVectorLayer,
    QgsWkbTypes,
)
from qgis.gui import QgsMapCanvas

from groundproof_qgis.i18n_text import tr
from groundproof_qgis.imagery.errors import PixelError


@dataclass(frozen=True)
class Place:
    """polygons: in `crs`. rotation_deg: how far the map is turned clockwise on the canvas; so is the picture.

    parts: (name, polygon) of each selected feature, when there are several; one answer can be given for each.
    """

    polygons: QgsGeometry = field(hash=False)
    crs: QgsCoordinateReferenceSystem = field(hash=False)
    rotation_deg: float = 0.0
    parts: tuple[tuple[str, QgsGeometry], ...] = field(default=(), hash=False)


def place_of_canvas(canvas: QgsMapCanvas) -> Place:
    """What the canvas shows: its four corners, not its bounding box. Raises PixelError for one without size or CRS."""
    settings = canvas.mapSettings()
    size, to_map = settings.outputSize(), settings.mapToPixel()  # logical pixels, both of them
    if size.isEmpty() or not settings.hasValidSettings():
        raise PixelError(tr("The map canvas is empty. Add imagery and zoom to it, then ask again."))
    corners = ((0, 0), (size.width(), 0), (size.width(), size.height()), (0, size.height()))
    ring = [to_map.toMapCoordinates(*corner) for corner in corners]
    return Place(
        QgsGeometry.fromPolygonXY([[*ring, ring[0]]]),
        _known(
            settings.destinationCrs(),
            tr("The project has no coordinate reference system. Set one in the project's properties."),
        ),
        settings.rotation(),
    )


def place_of_rectangle(rect: QgsRectangle, crs: QgsCoordinateReferenceSystem) -> Place:
    """A rectangle drawn on the map. Raises PixelError for one without area or CRS."""
    if not rect.isFinite() or rect.isEmpty():
        raise PixelError(tr("The rectangle has no area. Draw a larger one."))
    return Place(
        QgsGeometry.fromRect(rect),
        _known(
            crs,
            tr("The rectangle has no coordinate reference system. Set one in the project's properties."),
        ),
    )


def place_of_selection(layer: QgsVectorLayer | None) -> Place:
    """The selected polygons, named by the layer's display expression. Raises PixelError when there are none."""
    if layer is None or not layer.isValid():
        raise PixelError(tr("There is no layer with polygons. Add one and select polygons in it."))
    if layer.geometryType() != QgsWkbTypes.GeometryType.PolygonGeometry:
        raise PixelError(
            tr('The layer "{layer}" holds no polygons. Choose a polygon layer.').format(layer=layer.name())
        )
    crs = _known(
        layer.crs(),
        tr(
            'The layer "{layer}" has no coordinate reference system. Set one in the layer\'s properties.'
        ).format(layer=layer.name()),
    )
    expression = QgsExpression(layer.displayExpression())
    context = QgsExpressionContext(QgsExpressionContextUtils.globalProjectLayerScopes(layer))
    expression.prepare(context)
    parts: list[tuple[str, QgsGeometry]] = []
    for feature in layer.getSelectedFeatures():
        geometry = feature.geometry()
        if geometry.isNull() or geometry.isEmpty():
            continue
        geometry.convertToStraightSegment(geometry.boundingBox().width() / 1000)
        context.setFeature(feature)
        value = expression.evaluate(context)
        parts.append((str(value) if value else str(feature.id()), _valid(geometry)))
    if not parts:
        raise PixelError(
            tr('No polygon is selected in "{layer}". Select one or more, then ask again.').format(
                layer=layer.name()
            )
        )
    return Place(
        _union([geometry for _, geometry in parts]), crs, parts=_named_apart(parts) if len(parts) > 1 else ()
    )


def place_of_layer(layer: QgsRasterLayer | None) -> Place:
    """A raster layer's extent; without CRS where it has none (pixel space). Raises PixelError without a layer."""
    if layer is None or not layer.isValid():
        raise PixelError(tr("There is no raster layer. Add imagery, or open the demo scene."))
    extent = layer.extent()
    if not extent.isFinite() or extent.isEmpty():
        raise PixelError(
            tr('The layer "{layer}" does not say how far it reaches. Draw a rectangle instead.').format(
                layer=layer.name()
            )
        )
    return Place(QgsGeometry.fromRect(extent), layer.crs())


def polygon_of(points: list[tuple[float, float]]) -> QgsGeometry:
    """A polygon around (x, y) corners."""
    ring = [QgsPointXY(*point) for point in points]
    return QgsGeometry.fromPolygonXY([[*ring, ring[0]]])


def _union(geometries: list[QgsGeometry]) -> QgsGeometry:
    """One geometry of all. The form asks for the same ones with every key that is pressed, so the last is kept."""
    key = tuple(bytes(geometry.asWkb()) for geometry in geometries)
    if _last_union.get(key) is None:
        _last_union.clear()
        _last_union[key] = QgsGeometry.unaryUnion(geometries)
    return QgsGeometry(_last_union[key])


_last_union: dict[tuple[bytes, ...], QgsGeometry] = {}


def _valid(geometry: QgsGeometry) -> QgsGeometry:
    """Self-crossing outlines mended, so that areas can be compared."""
    if geometry.isGeosValid():
        return geometry
    mended = geometry.makeValid()
    return mended if mended.type() == QgsWkbTypes.GeometryType.PolygonGeometry else geometry.buffer(0, 1)


def _named_apart(parts: list[tuple[str, QgsGeometry]]) -> tuple[tuple[str, QgsGeometry], ...]:
    """The parts with names of their own: "field", "field (2)", ..."""
    seen: dict[str, int] = {}
    named = []
    for name, geometry in parts:
        seen[name] = seen.get(name, 0) + 1
        named.append((name if seen[name] == 1 else f"{name} ({seen[name]})", geometry))
    return tuple(named)


def _known(crs: QgsCoordinateReferenceSystem, sentence: str) -> QgsCoordinateReferenceSystem:
    if not crs.isValid():
        raise PixelError(sentence)
    return crs

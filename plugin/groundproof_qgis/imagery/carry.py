"""Polygons carried from one CRS into another, whole or not at all.

Knows densifying and tears. Refuses to know what the polygons are for.
"""

from __future__ import annotations

import math
import statistics

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCoordinateTransformContext,
    QgsCsException,
    QgsGeometry,
    QgsPointXY,
)

from groundproof_qgis.i18n_text import tr
from groundproof_qgis.imagery.errors import PixelError
from groundproof_qgis.imagery.grid import Point
from groundproof_qgis.imagery.ground import crs_name, outside_crs

PIECES = 32
"""Pieces the longer side of a polygon's bounding box is cut into; an edge between two is straight in either CRS."""
TEAR = 50.0
"""An edge that grows so many times more than the others is torn by the end of the map (the antimeridian)."""

Ring = list[QgsPointXY]


def carry(
    polygons: QgsGeometry,
    source: QgsCoordinateReferenceSystem,
    target: QgsCoordinateReferenceSystem,
    context: QgsCoordinateTransformContext,
    near_longitude: float | None = None,
) -> QgsGeometry:
    """The polygons in `target`, edges densified first.

    near_longitude: with a geographic target, longitudes are given within 180 degrees of it, so that what crosses the
    antimeridian stays in one piece. Raises PixelError when a point has no place in `target`, or an edge is torn.
    """
    if source == target and near_longitude is None:
        return QgsGeometry(polygons)
    bounds = polygons.boundingBox()
    dense = polygons.densifyByDistance(max(bounds.width(), bounds.height()) / PIECES or 1.0)
    transform = QgsCoordinateTransform(source, target, context)
    wrap = near_longitude if target.isGeographic() else None
    parts = dense.asMultiPolygon() if dense.isMultipart() else [dense.asPolygon()]
    carried = [[_ring(ring, transform, wrap) for ring in rings] for rings in parts if rings]
    return QgsGeometry.fromMultiPolygonXY(carried)


def points_of(polygons: QgsGeometry) -> list[Point]:
    """(x, y) of every vertex of the outer rings."""
    parts = polygons.asMultiPolygon() if polygons.isMultipart() else [polygons.asPolygon()]
    return [(point.x(), point.y()) for rings in parts if rings for point in rings[0]]


def _ring(ring: Ring, transform: QgsCoordinateTransform, wrap: float | None) -> Ring:
    target = transform.destinationCrs()
    try:
        carried = [transform.transform(point) for point in ring]
    except QgsCsException as err:
        raise outside_crs(target) from err
    if not all(math.isfinite(point.x()) and math.isfinite(point.y()) for point in carried):
        raise outside_crs(target)
    if wrap is not None:
        carried = [
            QgsPointXY(point.x() + 360.0 * round((wrap - point.x()) / 360.0), point.y()) for point in carried
        ]
    growth = [
        after / before
        for before, after in zip(_lengths(ring), _lengths(carried))
        if before > 0 and math.isfinite(after / before)
    ]
    if growth and max(growth) > TEAR * statistics.median(growth) > 0:
        raise PixelError(
            tr(
                "The place crosses the edge of {crs} (the 180 degree meridian or a pole). Ask about each side of it on "
                "its own."
            ).format(crs=crs_name(target))
        )
    return carried


def _lengths(ring: Ring) -> list[float]:
    return [math.hypot(b.x() - a.x(), b.y() - a.y()) for a, b in zip(ring, ring[1:])]

"""Coordinate reference systems as the engine names them, and geometries of its documents.

Knows "EPSG:code", WKT2 and GeoJSON's geometry objects. Refuses to know layers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qgis.core import QgsCoordinateReferenceSystem, QgsGeometry, QgsPointXY

from groundproof_qgis.i18n_text import tr
from groundproof_qgis.layers.errors import LayerError


def crs_of(name: str | None) -> QgsCoordinateReferenceSystem:
    """The CRS of an "EPSG:code" or WKT; the invalid one (no CRS) for None, which is pixel space.

    Raises LayerError for a name that this QGIS does not know: an answer must not be drawn in the wrong place.
    """
    if name is None:
        return QgsCoordinateReferenceSystem()
    crs = QgsCoordinateReferenceSystem(name)
    if not crs.isValid():
        crs = QgsCoordinateReferenceSystem.fromWkt(name)
    if not crs.isValid():
        raise LayerError(
            tr(
                "The answer came in a coordinate reference system that this QGIS does not know: {name}. Ask in a "
                "layer or project with a common one."
            ).format(name=name[:200])
        )
    return crs


def is_local(crs: QgsCoordinateReferenceSystem) -> bool:
    """Whether it lies nowhere on Earth: GeoPackage's "undefined Cartesian", which is pixel space. QGIS takes it for a
    CRS, cannot transform it, and would draw nothing where the imagery has none.
    """
    return crs.isValid() and crs.toWkt(QgsCoordinateReferenceSystem.WktVariant.WKT2_2019).startswith("ENGCRS")


def geometry_of(document: Mapping[str, Any] | None) -> QgsGeometry:
    """A GeoJSON Polygon or MultiPolygon, x before y; a null geometry for None."""
    if document is None:
        return QgsGeometry()
    if document["type"] == "Polygon":
        return QgsGeometry.fromPolygonXY(_rings(document["coordinates"]))
    return QgsGeometry.fromMultiPolygonXY([_rings(rings) for rings in document["coordinates"]])


def _rings(rings: Any) -> list[list[QgsPointXY]]:
    return [[QgsPointXY(point[0], point[1]) for point in ring] for ring in rings]

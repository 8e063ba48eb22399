"""A CRS in which a metre is a metre and north is up, at one place.

Knows UTM and azimuthal projections. Refuses to know layers and canvases.
"""

from __future__ import annotations

import math

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCoordinateTransformContext,
    QgsCsException,
    QgsPointXY,
)

from groundproof_qgis.imagery.grid import Point
from groundproof_qgis.imagery.ground import outside_crs, scale_at

TOLERANCE = 0.01
"""How much longer or shorter than a metre a unit of a metric CRS may be, and how far its axes from a right angle."""
COMMON_METHODS = (
    "Transverse_Mercator",
    "Lambert_Conformal_Conic_1SP",
    "Lambert_Conformal_Conic_2SP",
    "Albers_Conic_Equal_Area",
    "Lambert_Azimuthal_Equal_Area",
    "Polar_Stereographic",
    "Oblique_Stereographic",
    "Mercator_1SP",
    "Mercator_2SP",
)
"""Of projections without a code, as GDAL names them: GeoTIFFs, in which the engine keeps scenes, hold these."""
UTM_LATITUDES = (-80.0, 84.0)
UTM_REACH_M = 400_000.0
"""How far UTM is good from its centre; what reaches farther gets a projection of its own."""


def local_metric_crs(
    crs: QgsCoordinateReferenceSystem,
    centre_in_crs: Point,
    context: QgsCoordinateTransformContext | None = None,
    reach_m: float = 0.0,
) -> QgsCoordinateReferenceSystem:
    """`crs` itself when it is common and metric at the centre; else UTM; else an equal-area projection there.

    centre_in_crs: (x, y) in `crs`. reach_m: how far the place reaches from its centre. The equal-area projection is
    taken beyond UTM's latitudes and for places too large for a zone. Raises PixelError where `crs` has no meaning.
    """
    if is_metric(crs, centre_in_crs, context) and is_common(crs):
        return crs
    longitude, latitude = to_degrees(crs, centre_in_crs, context)
    if UTM_LATITUDES[0] <= latitude <= UTM_LATITUDES[1] and reach_m <= UTM_REACH_M:
        zone = int((longitude + 180.0) // 6.0) % 60 + 1
        return QgsCoordinateReferenceSystem(f"EPSG:{(32600 if latitude >= 0 else 32700) + zone}")
    return QgsCoordinateReferenceSystem.fromWkt(_equal_area_wkt(round(longitude, 4), round(latitude, 4)))


def is_metric(
    crs: QgsCoordinateReferenceSystem, at: Point, context: QgsCoordinateTransformContext | None = None
) -> bool:
    """Whether a unit along either axis is a metre on the ground there, and the axes are at right angles."""
    if crs.isGeographic():
        return False
    scale = scale_at(crs, at, context)
    return (
        abs(scale.x_m - 1) <= TOLERANCE
        and abs(scale.y_m - 1) <= TOLERANCE
        and abs(math.cos(math.radians(scale.between_deg))) <= TOLERANCE
    )


def is_common(crs: QgsCoordinateReferenceSystem) -> bool:
    """Whether every program has it and every file holds it: an EPSG code, or one of the usual methods."""
    if crs.authid().startswith("EPSG:"):
        return True
    wkt1 = crs.toWkt(QgsCoordinateReferenceSystem.WktVariant.WKT1_GDAL)
    return any(f'PROJECTION["{method}"' in wkt1 for method in COMMON_METHODS)


def to_degrees(
    crs: QgsCoordinateReferenceSystem, at: Point, context: QgsCoordinateTransformContext | None = None
) -> Point:
    """(longitude, latitude) in WGS84, longitude in -180 .. 180. Raises PixelError where `crs` has no meaning."""
    wgs84 = QgsCoordinateReferenceSystem("EPSG:4326")
    try:
        point = QgsCoordinateTransform(crs, wgs84, context or QgsCoordinateTransformContext()).transform(
            QgsPointXY(*at)
        )
    except QgsCsException as err:
        raise outside_crs(crs) from err
    if not (math.isfinite(point.x()) and abs(point.y()) <= 90):
        raise outside_crs(crs)
    return (point.x() + 180.0) % 360.0 - 180.0, point.y()


def _equal_area_wkt(longitude: float, latitude: float) -> str:
    """WKT2, because PROJ writes "unknown" for everything it is told in its own words."""
    degree, metre = 'ANGLEUNIT["degree",0.0174532925199433]', 'LENGTHUNIT["metre",1]'
    return (
        f'PROJCRS["Equal area around {longitude:g} {latitude:g}",BASEGEOGCRS["WGS 84",'
        f'DATUM["World Geodetic System 1984",ELLIPSOID["WGS 84",6378137,298.257223563,{metre}]],'
        f'PRIMEM["Greenwich",0,{degree}],ID["EPSG",4326]],'
        'CONVERSION["around the place",METHOD["Lambert Azimuthal Equal Area",ID["EPSG",9820]],'
        f'PARAMETER["Latitude of natural origin",{latitude!r},{degree},ID["EPSG",8801]],'
        f'PARAMETER["Longitude of natural origin",{longitude!r},{degree},ID["EPSG",8802]],'
        f'PARAMETER["False easting",0,{metre},ID["EPSG",8806]],'
        f'PARAMETER["False northing",0,{metre},ID["EPSG",8807]]],'
        f'CS[Cartesian,2],AXIS["(E)",east,ORDER[1],{metre}],AXIS["(N)",north,ORDER[2],{metre}]]'
    )

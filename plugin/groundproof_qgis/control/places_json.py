"""A place as a run's record keeps it.

Knows WKT. Refuses to know records.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qgis.core import QgsCoordinateReferenceSystem, QgsGeometry

from groundproof_qgis.imagery.place import Place
from groundproof_qgis.imagery.plan import wkt_of

DIGITS = 17


def place_to_json(place: Place) -> dict[str, Any]:
    """JSON values; the parts of a selection are not kept, only all of it."""
    return {
        "polygons": place.polygons.asWkt(DIGITS),
        "crs": wkt_of(place.crs) if place.crs.isValid() else None,
        "rotation_deg": place.rotation_deg,
    }


def place_from_json(document: Mapping[str, Any]) -> Place | None:
    """The place that `place_to_json` wrote; None for anything else."""
    polygons = QgsGeometry.fromWkt(str(document.get("polygons") or ""))
    if polygons.isNull():
        return None
    crs = document.get("crs")
    known = QgsCoordinateReferenceSystem.fromWkt(str(crs)) if crs else QgsCoordinateReferenceSystem()
    return Place(polygons, known, float(document.get("rotation_deg") or 0.0))

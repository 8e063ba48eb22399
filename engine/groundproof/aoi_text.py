"""Areas written out as text: GeoJSON and WKT, as a list of scenes or a script holds them.

Knows the two notations. Refuses to know scenes; what neither notation claims is a bbox or a file's name,
which `aoi.py` tells apart.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import shapely
from pyproj import CRS
from shapely.errors import ShapelyError

from groundproof.errors import AoiError
from groundproof.placement import parse_crs

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?(?:nan|inf(?:inity)?)"
_BBOX = re.compile(rf"\s*(?:{_NUMBER})\s*[,;]", re.IGNORECASE)
_WKT = re.compile(
    r"\s*(?:SRID\s*=\s*(\d+)\s*;)?\s*"
    r"((?:MULTI)?(?:POLYGON|POINT|LINESTRING)\s*(?:ZM?|M)?\s*(?:\(|EMPTY\b).*"
    r"|GEOMETRYCOLLECTION\s*(?:ZM?|M)?\s*\(.*)",
    re.IGNORECASE | re.DOTALL,
)
_SHOWN = 60
MAX_NAME = 255
"""Longer texts are no file's name; asking the file system about them is an error of its own."""


def looks_like_bbox(text: str) -> bool:
    """Whether a text begins as "x0,y0,x1,y1" does (a file's name may, too)."""
    return _BBOX.match(text) is not None


def is_written_out(text: str) -> bool:
    """Whether a text is GeoJSON or WKT, right or wrong, and no bbox and no file's name."""
    if text.lstrip().startswith("{"):
        return True
    return _WKT.fullmatch(text) is not None and not (len(text) < MAX_NAME and Path(text).exists())


def written_out(text: str) -> tuple[BaseGeometry, CRS | None]:
    """The geometry of a text for which `is_written_out`, and its CRS; None: the scene's own.

    GeoJSON (a geometry or a Feature): longitude, latitude on WGS 84 (RFC 7946). WKT: the scene's CRS, or
    the EPSG code of "SRID=4326;POLYGON(...)" as PostGIS writes it, x first in either case.

    Raises:
        AoiError: not to be read.
        UsageError: an SRID that PROJ does not know.
    """
    wkt = _WKT.fullmatch(text)
    if wkt is None:
        return _geojson(text), CRS("EPSG:4326")
    srid, body = wkt.groups()
    try:
        geometry = shapely.from_wkt(body)
    except ShapelyError as err:
        raise AoiError(f"--aoi {_short(text)} cannot be read as WKT: {str(err).rstrip('.')}.") from err
    return geometry, parse_crs(f"EPSG:{srid}", "the SRID of --aoi") if srid else None


def _geojson(text: str) -> BaseGeometry:
    try:
        content: Any = json.loads(text)
        if isinstance(content, dict) and content.get("type") == "Feature":
            content = content.get("geometry")
        return shapely.from_geojson(json.dumps(content))
    except (ValueError, RecursionError, ShapelyError) as err:
        raise AoiError(
            f"--aoi {_short(text)} cannot be read as GeoJSON. Give a Polygon or MultiPolygon, in longitudes and "
            "latitudes, or a Feature with one."
        ) from err


def _short(text: str) -> str:
    line = " ".join(text[: 2 * _SHOWN].split())
    return line if len(line) <= _SHOWN else line[: _SHOWN - 3] + "..."

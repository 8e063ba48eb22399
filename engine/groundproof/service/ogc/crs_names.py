"""Coordinate systems as OGC API - Features Part 2 writes them: a URI, and axes in the authority's order.

Knows names and axis orders. Refuses to know coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from pyproj import CRS, Transformer

from groundproof.outputs.geojson import CRS84
from groundproof.projecting import transformer

CRS84_URI = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
EPSG_URI = "http://www.opengis.net/def/crs/EPSG/0/"


@dataclass(frozen=True, slots=True)
class StoredCrs:
    """A collection's own CRS as clients name it. swapped: its authority writes y (latitude, northing) first."""

    uri: str
    swapped: bool
    geographic: bool

    @classmethod
    @lru_cache(maxsize=256)
    def of(cls, crs: CRS) -> StoredCrs | None:
        """None for a CRS without an EPSG code: it cannot be asked for."""
        uri = crs_uri(crs)
        return None if uri is None else cls(uri, is_swapped(crs), bool(crs.is_geographic))


def crs_uri(crs: CRS) -> str | None:
    """The URI of a CRS; None for one without an EPSG code."""
    authority = crs.to_authority(min_confidence=100)
    if authority == ("OGC", "CRS84"):
        return CRS84_URI
    return EPSG_URI + authority[1] if authority is not None and authority[0] == "EPSG" else None


def is_swapped(crs: CRS) -> bool:
    """Whether the authority writes y (latitude, northing) first. Everything here holds x first.

    Asked of PROJ itself, by transforming a point with and without `always_xy`.
    """
    area = crs.area_of_use
    west, south, east, north = area.bounds if area is not None else (0.0, 0.0, 30.0, 60.0)
    # Off the middle and off the diagonal: its two coordinates differ wherever the axes cross.
    if west > east:
        east += 360.0
    place = (west + 0.4 * (east - west), south + 0.7 * (north - south))
    as_authority = Transformer.from_crs(CRS84, crs).transform(*place)
    as_xy = transformer(CRS84, crs).transform(*place)
    return bool(abs(as_authority[0] - as_xy[0]) > abs(as_authority[0] - as_xy[1]))

"""Lengths and areas on the ellipsoid. Knows longitude and latitude; refuses to know CRSs and pixels.

Small quadrilaterals are measured by their chords in geocentric coordinates: one closed form for every
latitude, poles and antimeridian included, with a relative error of (side / earth radius)^2 / 12, that
is 2e-7 at 10 km. Larger ones go through Karney's geodesics (`pyproj.Geod`), one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pyproj import Geod

Array = NDArray[np.float64]

CHORD_LIMIT_M = 10_000.0
"""Sides up to this long are measured by chords."""
CURVATURE_LIMIT = 2e-5
"""Largest relative area error accepted from treating a parallel of latitude as straight."""
CHUNK = 100_000
"""Quadrilaterals measured at once: bounds the working memory to some 30 MB."""


def geocentric(lonlat: Array, geod: Geod) -> Array:
    """(..., 2) longitude and latitude in radians to (..., 3) X, Y, Z in metres, height 0."""
    sin_lat, cos_lat = np.sin(lonlat[..., 1]), np.cos(lonlat[..., 1])
    normal = geod.a / np.sqrt(1.0 - geod.es * sin_lat**2)
    out = np.empty((*lonlat.shape[:-1], 3))
    out[..., 0] = normal * cos_lat * np.cos(lonlat[..., 0])
    out[..., 1] = normal * cos_lat * np.sin(lonlat[..., 0])
    out[..., 2] = normal * (1.0 - geod.es) * sin_lat
    return out


def quad_sizes(corners: Array, geod: Geod) -> tuple[Array, Array, Array, NDArray[np.bool_]]:
    """Areas and sides of (N, 4, 2) quadrilaterals in radians, corners in ring order.

    Returns area (m2), the mean of sides 0-1 and 2-3 (m), the mean of sides 1-2 and 3-0 (m), and where
    these chords are good enough (see `CHORD_LIMIT_M`, `CURVATURE_LIMIT`). Not finite where a corner is not.
    """
    count = len(corners)
    area, width, height = np.empty(count), np.empty(count), np.empty(count)
    for at in range(0, count, CHUNK):
        part = slice(at, at + CHUNK)
        with np.errstate(invalid="ignore"):
            p = geocentric(corners[part], geod)
        area[part] = _norm(np.cross(p[:, 2] - p[:, 0], p[:, 3] - p[:, 1])) / 2.0
        width[part] = (_norm(p[:, 1] - p[:, 0]) + _norm(p[:, 2] - p[:, 3])) / 2.0
        height[part] = (_norm(p[:, 2] - p[:, 1]) + _norm(p[:, 3] - p[:, 0])) / 2.0
    longest = np.maximum(width, height)
    # The two parallels that bound a box bulge by side^2 tan(lat) / (8 R) each, to the same side; what
    # they do not share is the change of tan(lat) over the box.
    with np.errstate(invalid="ignore"):
        secant = 1.0 / np.cos(corners[..., 1]).min(axis=1, initial=1.0).clip(1e-9)
    bulge = (longest / geod.a * secant) ** 2 / 12.0
    return area, width, height, (longest <= CHORD_LIMIT_M) & (bulge <= CURVATURE_LIMIT)


def path_sizes(path: Array, geod: Geod) -> tuple[float, float, float]:
    """As `quad_sizes`, exactly (Karney 2013), of one open ring (4 n, 2) in radians, n parts to a side."""
    lon, lat = np.degrees(np.vstack([path, path[:1]])).T
    part = len(path) // 4
    sides = [
        float(geod.line_length(lon[k : k + part + 1], lat[k : k + part + 1]))
        for k in range(0, 4 * part, part)
    ]
    area = abs(float(geod.polygon_area_perimeter(lon[:-1], lat[:-1])[0]))
    return area, (sides[0] + sides[2]) / 2.0, (sides[1] + sides[3]) / 2.0


def _norm(vectors: Array) -> Array:
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", vectors, vectors)))

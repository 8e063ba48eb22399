"""The order of a table's rows along a Hilbert curve, so that what is near on the ground is near in the file.

Knows geometries' centres. Refuses to know files of results. The curve is geopandas' (`hilbert_distance`), of level
16: 65,536 steps along each side of the table's extent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from groundproof.outputs.geoparquet import bounds_of
from groundproof.tables import CHUNK_ROWS

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from groundproof.outputs.arrow import Stored

_LAST = np.uint64(2**32 - 1)
_ROW_BITS = np.uint64(32)


def along_curve(tables: Stored, name: str, scratch: Path) -> NDArray[np.uint32]:
    """Places of the table's rows in the order of the curve; equal ones as they are, those without a shape last.

    scratch: a file that does not exist, for the centres; it is removed. Memory: 12 bytes a row at the end.
    """
    extent = np.array([np.inf, np.inf, -np.inf, -np.inf])
    with scratch.open("wb") as file:
        for batch in tables.batches(name):
            bounds = bounds_of(batch)
            known = bounds[~np.isnan(bounds[:, 0])]
            if len(known):
                extent[:2] = np.minimum(extent[:2], known[:, :2].min(axis=0))
                extent[2:] = np.maximum(extent[2:], known[:, 2:].max(axis=0))
            ((bounds[:, :2] + bounds[:, 2:]) / 2.0).tofile(file)
    # One number for a row, its distance above its place: sorted in place, without a second array.
    keys = np.empty(tables.count(name), dtype=np.uint64)
    with scratch.open("rb") as file:
        for start in range(0, len(keys), CHUNK_ROWS):
            centres = np.fromfile(file, dtype=np.float64, count=2 * CHUNK_ROWS).reshape(-1, 2)
            here = keys[start : start + len(centres)]
            here[:] = distances(centres, extent)
            here <<= _ROW_BITS
            here |= np.arange(start, start + len(centres), dtype=np.uint64)
    scratch.unlink()
    keys.sort()
    return keys.astype(np.uint32)


def distances(centres: NDArray[np.float64], extent: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Along the curve over `extent` (xmin, ymin, xmax, ymax), of centres (N, 2) x, y; NaN gives the last."""
    found = np.full(len(centres), _LAST, dtype=np.uint64)
    known = ~np.isnan(centres).any(axis=1)
    if known.any():
        points = gpd.GeoSeries(shapely.points(centres[known]))
        found[known] = points.hilbert_distance(total_bounds=extent, level=16).to_numpy(dtype=np.uint64)
    return found

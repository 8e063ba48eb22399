"""Where and when a result's scenes are, as catalogues write it.

Knows degrees and times. Refuses to know what the scenes show.
"""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from groundproof.outputs.geojson import degrees

Box = tuple[float, float, float, float]

TOLERANCE_PX_M = 10.0
"""Footprints are drawn as for pixels of this size: their straight edges lie within a metre of the bent ones."""


def footprints(scenes: gpd.GeoDataFrame) -> NDArray[np.object_]:
    """The scenes' outlines in CRS84, cut at the antimeridian; None for scenes that could not be read."""
    return degrees(scenes, TOLERANCE_PX_M)


def bbox(shapes: NDArray[np.object_]) -> Box | None:
    """West, south, east, north of shapes in CRS84, cut at the antimeridian; None when there are none.

    Shapes on both sides of the antimeridian, touching it, give west > east (RFC 7946, 5.2).
    """
    bounds = shapely.bounds(shapely.get_parts(shapes[~shapely.is_missing(shapes)])).reshape(-1, 4)
    if not len(bounds):
        return None
    west, south, east, north = bounds.T
    if west.min() == -180.0 and east.max() == 180.0 and (east - west).max() < 180.0:
        behind = west < 0.0
        if behind.any() and not behind.all():
            ends = (west[~behind].min(), south.min(), east[behind].max(), north.max())
            return tuple(float(v) for v in ends)  # type: ignore[return-value]
    return float(west.min()), float(south.min()), float(east.max()), float(north.max())


def interval(scenes: pd.DataFrame) -> tuple[str, str] | None:
    """When the first and the last scene was taken, RFC 3339 UTC; None when no scene says."""
    stamps = pd.to_datetime(scenes["datetime"].astype(object), utc=True, format="ISO8601", errors="coerce")
    known: Any = stamps.dropna()
    return None if known.empty else (_rfc3339(known.min()), _rfc3339(known.max()))


def _rfc3339(stamp: pd.Timestamp) -> str:
    return str(stamp.isoformat(timespec="milliseconds" if stamp.microsecond else "seconds")).replace(
        "+00:00", "Z"
    )

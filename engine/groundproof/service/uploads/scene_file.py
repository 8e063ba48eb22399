"""The GeoTIFF a scene is kept in: its place and date written into pixels that are there already.

Knows one file of this service's own. Refuses to know uploads and windows.
"""

from __future__ import annotations

import os
from pathlib import Path

import rasterio
import rasterio.crs
from pyproj import CRS
from pyproj.exceptions import CRSError as ProjCRSError
from rasterio.errors import CRSError, RasterioError
from rasterio.io import MemoryFile

from groundproof.errors import UsageError
from groundproof.service.uploads.scene_spec import AffineNumbers

DATE_TAG = "ACQUISITIONDATETIME"
"""The tag in which `groundproof.scene` looks for a date."""


def describe(path: Path, *, crs: str | None, affine: AffineNumbers | None, datetime: str | None) -> None:
    """Write place and date into a GeoTIFF and bring it to the disk. None leaves what the file says.

    Raises OSError and RasterioError when the disk does not take it.
    """
    with rasterio.Env(GDAL_PAM_ENABLED=False), rasterio.open(path, "r+", driver="GTiff") as dataset:
        if affine is not None:
            dataset.transform = rasterio.Affine(*affine)
        if crs is not None and affine is not None:
            dataset.crs = _rasterio_crs(crs)
        if datetime is not None:
            dataset.update_tags(**{DATE_TAG: datetime})
    with path.open("rb") as file:
        os.fsync(file.fileno())


def check_keepable(crs: str) -> None:
    """Raise UsageError for a CRS that a GeoTIFF cannot hold: it would be another one when the file is read."""
    try:
        with rasterio.Env(GDAL_PAM_ENABLED=False), MemoryFile() as memory:
            with memory.open(
                driver="GTiff",
                width=1,
                height=1,
                count=1,
                dtype="uint8",
                crs=_rasterio_crs(crs),
                transform=rasterio.Affine(1.0, 0.0, 1.0, 0.0, -1.0, 1.0),
            ):
                pass
            with memory.open() as dataset:
                kept = dataset.crs
        same = bool(kept) and CRS.from_wkt(kept.to_wkt(version="WKT2_2019")).equals(
            _flat(crs), ignore_axis_order=True
        )
    except (CRSError, ProjCRSError, RasterioError) as err:
        raise _not_kept(crs) from err
    if not same:
        raise _not_kept(crs)


def _not_kept(crs: str) -> UsageError:
    return UsageError(
        f"The coordinate reference system {crs[:60]} cannot be kept in a GeoTIFF. Give one with an EPSG code, or a "
        "projected one of the usual methods."
    )


def _flat(crs: str) -> CRS:
    """The horizontal part: heights of a scene's CRS mean nothing to its pixels."""
    found = CRS.from_user_input(crs)
    return found.sub_crs_list[0] if found.is_compound else found


def _rasterio_crs(crs: str) -> rasterio.crs.CRS:
    return rasterio.crs.CRS.from_wkt(_flat(crs).to_wkt())

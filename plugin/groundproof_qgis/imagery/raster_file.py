"""A raster file as GDAL knows it: its real grid, its bands, its dates.

Knows osgeo.gdal. Refuses to know styles and places.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from osgeo import gdal
from qgis.core import QgsRasterLayer

from groundproof_qgis.i18n_text import tr
from groundproof_qgis.imagery.errors import PixelError
from groundproof_qgis.imagery.grid import Grid

RAW_TYPES = {gdal.GDT_Byte: "uint8", gdal.GDT_UInt16: "uint16"}
"""What the engine takes as it is."""
DATE_TAGS = (
    ("IMAGERY", "ACQUISITIONDATETIME"), ("", "ACQUISITIONDATETIME"), ("", "ACQUISITION_DATETIME"),
    ("", "DATETIME"), ("", "EXIF_DateTimeOriginal"), ("", "TIFFTAG_DATETIME"),
)  # fmt: skip
"""Likeliest first, as the engine looks for them in files it opens itself."""


@dataclass(frozen=True)
class RasterFile:
    """grid: real, also rotated or south-up; of the warped picture for a raster placed by control points.

    dtypes: of each band, None where it is neither uint8 nor uint16. control_points: how many place it; 0 for an affine.
    dates: texts that may say when it was taken.
    """

    uri: str
    grid: Grid
    dtypes: tuple[str | None, ...]
    control_points: int
    dates: tuple[str, ...]


def file_of(layer: QgsRasterLayer) -> RasterFile | None:
    """What the layer's file is; None for layers that GDAL does not read. Cheap when asked again.

    Raises PixelError when the file cannot be opened any more.
    """
    provider = layer.dataProvider()
    if provider is None or provider.name() != "gdal":
        return None
    uri = provider.dataSourceUri(True)
    file = Path(uri.split("|")[0])
    return _file(uri, file.stat().st_mtime_ns if file.is_file() else 0)


def open_raster(uri: str) -> gdal.Dataset:
    """The dataset, warped to north up when control points place it (as QGIS shows it).

    uri: as QGIS's gdal provider writes it: a name, then "|option:NAME=VALUE". Raises PixelError.
    """
    name, *extras = uri.split("|")
    options = [extra[len("option:") :] for extra in extras if extra.startswith("option:")]
    gdal.PushErrorHandler("CPLQuietErrorHandler")
    try:
        dataset = gdal.OpenEx(name, gdal.OF_RASTER | gdal.OF_VERBOSE_ERROR, open_options=options)
        if dataset is not None and _is_placed_by_points(dataset):
            dataset = gdal.Warp(
                "", dataset, format="VRT", resampleAlg="near", dstAlpha=True, errorThreshold=0
            )
    except RuntimeError as err:  # when somebody in this QGIS has called gdal.UseExceptions()
        raise _gone(name, str(err)) from err
    finally:
        gdal.PopErrorHandler()
    if dataset is None:
        raise _gone(name, gdal.GetLastErrorMsg())
    return dataset


@lru_cache(maxsize=32)
def _file(uri: str, stamp: int) -> RasterFile:
    """stamp: when the file was changed, so that one written anew is looked at anew."""
    del stamp
    dataset = open_raster(uri)
    c, a, b, f, d, e = dataset.GetGeoTransform(can_return_null=True) or (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
    bands = [dataset.GetRasterBand(number) for number in range(1, dataset.RasterCount + 1)]
    dates = (dataset.GetMetadataItem(tag, domain) for domain, tag in DATE_TAGS)
    return RasterFile(
        uri,
        Grid(dataset.RasterXSize, dataset.RasterYSize, (a, b, c, d, e, f)),
        tuple(_dtype(band) for band in bands),
        _control_points(uri),
        tuple(text for text in dates if text),
    )


def _control_points(uri: str) -> int:
    name, *_ = uri.split("|")
    dataset = gdal.OpenEx(name, gdal.OF_RASTER)
    return dataset.GetGCPCount() if dataset is not None and _is_placed_by_points(dataset) else 0


def _is_placed_by_points(dataset: gdal.Dataset) -> bool:
    return dataset.GetGeoTransform(can_return_null=True) is None and dataset.GetGCPCount() > 0


def _dtype(band: gdal.Band) -> str | None:
    if band.GetMetadataItem("PIXELTYPE", "IMAGE_STRUCTURE") == "SIGNEDBYTE":
        return None
    return RAW_TYPES.get(band.DataType)


def _gone(name: str, reason: str) -> PixelError:
    reason = reason.strip().rstrip(".").removeprefix(f"{name}: ")
    return PixelError(
        tr("{name} cannot be opened: {reason}. Check that it is still there, then ask again.").format(
            name=name, reason=reason or tr("it is no raster that GDAL knows")
        )
    )

"""Pixels of a raster file as they were measured, read window by window.

Knows GDAL's reading, masks and no data. Refuses to know layers, styles and the map.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Callable

import numpy as np
from osgeo import gdal

from groundproof_qgis.i18n_text import tr
from groundproof_qgis.imagery.errors import PixelError
from groundproof_qgis.imagery.grid import Part
from groundproof_qgis.imagery.raster_file import open_raster
from groundproof_qgis.imagery.scene import PixelSource, PixelWindow, SceneSpec

OPAQUE = 255
HALF = 128
"""A coarser pixel is data when at least half of it is."""


@dataclass(frozen=True)
class SentBand:
    """number: 1-based, of the file. use_nodata: whether the file's own mask and no data value count.

    nodata: further (lowest, highest) values that the layer declares to be none.
    """

    number: int
    use_nodata: bool = True
    nodata: tuple[tuple[float, float], ...] = ()


class FileSource(PixelSource):
    """Raw windows of a file: its bands as they are, alpha last where a band has a mask or no data.

    of_file: which pixels of the file the scene is. With a scene of fewer pixels they are averaged.
    """

    def __init__(
        self, spec: SceneSpec, uri: str, bands: Sequence[SentBand], of_file: Part, parts: Sequence[Part]
    ) -> None:
        self.spec = spec
        self._uri = uri
        self._bands = tuple(bands)
        self._of_file = of_file
        self._parts = tuple(parts)

    def windows(self, cancelled: Callable[[], bool]) -> Iterator[PixelWindow]:
        """See `PixelSource`. Raises PixelError when the file is gone or damaged."""
        dataset = open_raster(self._uri)
        for part in self._parts:
            if cancelled():
                return
            body = self._read(dataset, part)
            yield PixelWindow(part.x0, part.y0, part.width, part.height, body, "application/octet-stream")

    def close(self) -> None:
        """See `PixelSource`. Nothing is held: the file is open only while it is read."""

    def _read(self, dataset: gdal.Dataset, part: Part) -> bytes:
        bands = [dataset.GetRasterBand(band.number) for band in self._bands]
        values = [self._values(band, part) for band in bands]
        masks = [self._mask(sent, band, part) for sent, band in zip(self._bands, bands)]
        valid = [_without(sent, value, mask) for sent, value, mask in zip(self._bands, values, masks)]
        layers = list(values)
        if any(sent.nodata or _has_mask(sent, band) for sent, band in zip(self._bands, bands)):
            alpha = np.max(valid, axis=0)  # data where any band has some, as the engine reads files
            layers.append(alpha.astype(np.uint16) * 257 if self.spec.dtype == "uint16" else alpha)
        return np.stack(layers, axis=-1).astype(np.dtype(self.spec.dtype).newbyteorder("<")).tobytes()

    def _values(self, band: gdal.Band, part: Part) -> Any:
        return self._pixels(band, part, self.spec.dtype)

    def _mask(self, sent: SentBand, band: gdal.Band, part: Part) -> Any:
        """0 .. 255, one for each pixel."""
        if not _has_mask(sent, band):
            return np.full((part.height, part.width), OPAQUE, dtype=np.uint8)
        mask = self._pixels(band.GetMaskBand(), part, "uint8")
        return mask if self._is_whole else np.where(mask >= HALF, OPAQUE, 0).astype(np.uint8)

    @property
    def _is_whole(self) -> bool:
        return (self.spec.width, self.spec.height) == (self._of_file.width, self._of_file.height)

    def _pixels(self, band: gdal.Band, part: Part, dtype: str) -> Any:
        across, down = self._of_file.width / self.spec.width, self._of_file.height / self.spec.height
        gdal.PushErrorHandler("CPLQuietErrorHandler")
        try:
            raw = band.ReadRaster(
                self._of_file.x0 + part.x0 * across,
                self._of_file.y0 + part.y0 * down,
                part.width * across,
                part.height * down,
                buf_xsize=part.width,
                buf_ysize=part.height,
                buf_type=gdal.GDT_Byte if dtype == "uint8" else gdal.GDT_UInt16,
                resample_alg=gdal.GRIORA_NearestNeighbour if self._is_whole else gdal.GRIORA_Average,
            )
        except RuntimeError as err:  # when somebody in this QGIS has called gdal.UseExceptions()
            raise self._unreadable(str(err)) from err
        finally:
            gdal.PopErrorHandler()
        if raw is None:
            raise self._unreadable(gdal.GetLastErrorMsg())
        return np.frombuffer(raw, dtype=dtype).reshape(part.height, part.width)

    def _unreadable(self, reason: str) -> PixelError:
        return PixelError(
            tr("{name} cannot be read: {reason}. Check the file and its drive, then ask again.").format(
                name=self._uri.split("|")[0], reason=reason.strip().rstrip(".")
            )
        )


def _has_mask(sent: SentBand, band: gdal.Band) -> bool:
    """Whether the file says that some pixels are none. A mask of the whole file counts even if its no data does not."""
    flags = band.GetMaskFlags()
    if flags & gdal.GMF_ALL_VALID:
        return False
    return sent.use_nodata or not flags & gdal.GMF_NODATA


def _without(sent: SentBand, values: Any, mask: Any) -> Any:
    """The mask without the values that are none."""
    for lowest, highest in sent.nodata:
        mask = np.where((values >= lowest) & (values <= highest), 0, mask).astype(np.uint8)
    return mask

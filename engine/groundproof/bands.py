"""What the pixels of a scene mean: which bands are shown, and which pixels hold a measurement.

Knows colour interpretation, colour tables, alpha, nodata and masks. Refuses to know brightness
(`stretch.py`), tiles and places.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from rasterio.enums import ColorInterp, MaskFlags, Resampling
from rasterio.windows import Window as RioWindow

from groundproof.datasets import short
from groundproof.errors import MisfitError, SceneError, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from rasterio.io import DatasetReader

    from groundproof.boxes import Window

MAX_READ_BYTES = 2**30
"""One window is read as a whole; larger ones are refused rather than swapping the machine to a halt."""


@dataclass(frozen=True, slots=True, eq=False)
class RawPixels:
    """Pixels as the file has them.

    values: (bands, height, width), 1 or 3 bands, the file's dtype (colour tables expanded to uint8,
    complex numbers replaced by their magnitude, float32).
    valid: bool (height, width), True where the pixel holds a measurement; None when all do.
    buffer: the memory that was read into; it may be given to the next read when this one is done with.
    """

    values: NDArray[np.generic]
    valid: NDArray[np.bool_] | None
    buffer: NDArray[np.generic] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Bands:
    """Which bands are shown and how invalid pixels are told.

    indexes: 1-based, one band (grey) or three (shown as red, green, blue). dtype: as rasterio names it.
    palette: uint8 (entries, 4) RGBA of a colour table, else None. alpha: 1-based band, 0 = invalid.
    nodata: per index, None where a band has none. internal_mask: the file carries a mask of its own.
    notes: sentences on what was chosen and why, for the user.
    """

    indexes: tuple[int, ...]
    dtype: str
    palette: NDArray[np.uint8] | None
    alpha: int | None
    nodata: tuple[float | None, ...]
    internal_mask: bool
    notes: tuple[str, ...]

    @property
    def all_valid(self) -> bool:
        """Whether the file has no way to mark a pixel as invalid."""
        no_mark = self.alpha is None and not self.internal_mask and all(v is None for v in self.nodata)
        return (
            no_mark and not self._has_nan and (self.palette is None or bool((self.palette[:, 3] > 0).all()))
        )

    @property
    def is_display_rgb(self) -> bool:
        """Whether the pixels already are 8-bit colours, to be shown as they are."""
        return self.palette is not None or (len(self.indexes) == 3 and self.dtype == "uint8")

    @property
    def _has_nan(self) -> bool:
        return self.dtype.startswith(("float", "complex"))

    def read(
        self,
        dataset: DatasetReader,
        window: Window,
        size: tuple[int, int] | None = None,
        *,
        smooth: bool = True,
        buffer: NDArray[np.generic] | None = None,
    ) -> RawPixels:
        """Pixels of a window that lies inside the dataset.

        size: (width, height) to resample to, None for the window's own. smooth: area average when
        shrinking and bilinear when enlarging; False takes the nearest pixel, unmixed. buffer: of an
        earlier read of this dataset, used again when it has the right shape.

        Raises:
            rasterio.errors.RasterioIOError: when GDAL cannot read the window.
            SceneError: when the read would need more than `MAX_READ_BYTES`.
        """
        width, height = size or (window.width, window.height)
        native = self.palette is not None and smooth and (width, height) != (window.width, window.height)
        if native:
            width, height = window.width, window.height
        needed = width * height * (len(self.indexes) + 1) * 4
        if needed > MAX_READ_BYTES:
            raise SceneError(
                f"a window of {window.width} x {window.height} px needs {needed / 2**30:.1f} GiB at once; "
                f"at most {MAX_READ_BYTES / 2**30:.0f} GiB is read. Use smaller tiles or a finer --gsd."
            )
        indexes = list(self.indexes) if self.alpha is None else [*self.indexes, self.alpha]
        rio_window = RioWindow(window.x0, window.y0, window.width, window.height)
        if (width, height) == (window.width, window.height):
            fits = buffer is not None and buffer.shape == (len(indexes), height, width)
            values = dataset.read(indexes, window=rio_window, out=buffer if fits else None)
            mask = dataset.read_masks(self.indexes[0], window=rio_window) if self.internal_mask else None
        else:
            shrinks = width <= window.width and height <= window.height
            how = (Resampling.average if shrinks else Resampling.bilinear) if smooth else Resampling.nearest
            values = dataset.read(
                indexes, window=rio_window, out_shape=(len(indexes), height, width), resampling=how
            )
            mask = None
            if self.internal_mask:
                mask = dataset.read_masks(self.indexes[0], window=rio_window, out_shape=(height, width))
        valid = self._valid(values, mask)
        read_into = values
        values = values[: len(self.indexes)]
        if np.iscomplexobj(values):
            values = np.abs(values).astype(np.float32, copy=False)
        raw = RawPixels(values, None if valid is None or bool(valid.all()) else valid, read_into)
        if self.palette is not None:
            raw = self._expanded(raw)
            if native and size is not None:
                raw = _resized(raw, size)
        return raw

    def _valid(self, values: NDArray[np.generic], mask: NDArray[np.uint8] | None) -> NDArray[np.bool_] | None:
        """Valid: alpha and mask above 0, and at least one shown band neither nodata nor NaN."""
        shown = values[: len(self.indexes)]
        valid: NDArray[np.bool_] | None = None
        if self._has_nan or any(v is not None for v in self.nodata):
            valid = np.zeros(shown.shape[1:], dtype=bool)
            for band, nodata in zip(shown, self.nodata, strict=True):
                valid |= _measured(band, nodata)
        for extra in (mask, None if self.alpha is None else values[-1]):
            if extra is not None:
                valid = extra > 0 if valid is None else valid & (extra > 0)
        return valid

    def _expanded(self, raw: RawPixels) -> RawPixels:
        assert self.palette is not None  # noqa: S101 - the caller asked
        planes = [np.take(colour, raw.values[0], mode="clip") for colour in self.palette.T]
        valid = raw.valid
        if not bool((self.palette[:, 3] > 0).all()):
            opaque = planes[3] > 0
            valid = opaque if valid is None else valid & opaque
        return RawPixels(np.stack(planes[:3]), valid)


def _measured(band: NDArray[np.generic], nodata: float | None) -> NDArray[np.bool_]:
    """True where one band holds neither its nodata value nor NaN or infinity."""
    has_nan = np.issubdtype(band.dtype, np.inexact)
    good: NDArray[np.bool_] = np.isfinite(band) if has_nan else np.ones(band.shape, dtype=bool)
    if nodata is None or np.isnan(nodata):
        return good
    if has_nan:  # the file's float32 holds the nearest float32 to the double in its header
        return np.asarray(good & (band != band.dtype.type(nodata)), dtype=bool)
    info = np.iinfo(band.dtype.str)
    if nodata != int(nodata) or not info.min <= nodata <= info.max:
        return good
    return np.asarray(band != band.dtype.type(nodata), dtype=bool)


def _resized(raw: RawPixels, size: tuple[int, int]) -> RawPixels:
    """Colours of a colour table mixed as colours, never as table entries. uint8 in and out."""
    shrinks = size[0] <= raw.values.shape[2] and size[1] <= raw.values.shape[1]
    how = Image.Resampling.BOX if shrinks else Image.Resampling.BILINEAR
    values = np.stack(
        [np.asarray(Image.fromarray(np.ascontiguousarray(b)).resize(size, how)) for b in raw.values]
    )
    if raw.valid is None:
        return RawPixels(values, None)
    share = np.asarray(Image.fromarray(raw.valid.astype(np.uint8) * 255).resize(size, how))
    return RawPixels(values, share >= 128)


def choose_bands(dataset: DatasetReader, wanted: tuple[int, ...] | None = None) -> Bands:
    """Which bands to show, from the file's own colour interpretation unless `wanted` says otherwise.

    wanted: 1-based, one band or three in the order red, green, blue.

    Raises:
        MisfitError: when `wanted` names bands that are not there.
        UsageError: when it names neither one nor three.
        SceneError: when the file has no raster band.
    """
    name = short(dataset.name)
    if dataset.count == 0:
        inside = len(dataset.subdatasets)
        hint = f"It holds {inside} rasters inside, for example {dataset.subdatasets[0]}. " if inside else ""
        raise SceneError(f"{name} has no raster bands. {hint}Give a raster with at least one band.")
    roles = dataset.colorinterp
    alpha = next((i + 1 for i, role in enumerate(roles) if role == ColorInterp.alpha), None)
    notes: list[str] = []
    if wanted is None:
        indexes = _by_meaning(dataset, alpha, notes)
    else:
        _check_wanted(wanted, dataset.count, name)
        indexes = wanted
        if alpha in indexes:
            alpha = None
    palette = _palette(dataset, indexes)
    flags = set(dataset.mask_flag_enums[indexes[0] - 1])
    internal = MaskFlags.per_dataset in flags and MaskFlags.alpha not in flags
    nodata = tuple(None if alpha == i else dataset.nodatavals[i - 1] for i in indexes)
    dtype = dataset.dtypes[indexes[0] - 1]
    return Bands(indexes, dtype, palette, alpha, nodata, internal, tuple(notes))


def _check_wanted(wanted: tuple[int, ...], count: int, name: str) -> None:
    text = ",".join(map(str, wanted))
    if len(wanted) not in (1, 3):
        raise UsageError(f"--bands {text} names {len(wanted)} bands. Name one, or three as red,green,blue.")
    if any(not 1 <= i <= count for i in wanted):
        raise MisfitError(f"--bands {text} does not fit {name}, whose bands are 1 to {count}.")


def _by_meaning(dataset: DatasetReader, alpha: int | None, notes: list[str]) -> tuple[int, ...]:
    roles = list(dataset.colorinterp)
    colours = (ColorInterp.red, ColorInterp.green, ColorInterp.blue)
    if all(c in roles for c in colours):
        indexes = tuple(roles.index(c) + 1 for c in colours)
        if indexes != (1, 2, 3):
            notes.append(f"Bands {_listed(indexes)} are shown as red, green, blue: the file says so.")
        return indexes
    names = [(text or "").strip().lower() for text in dataset.descriptions]
    if all(c in names for c in ("red", "green", "blue")):
        indexes = tuple(names.index(c) + 1 for c in ("red", "green", "blue"))
        notes.append(f"Bands {_listed(indexes)} are shown as red, green, blue: they are named so.")
        return indexes
    rest = tuple(i for i in range(1, dataset.count + 1) if i != alpha)
    if not rest:
        return (1,)
    if len(rest) < 3:
        if len(rest) == 2:
            notes.append("Band 1 of 2 is shown in grey: the file names no colours. Choose with --bands.")
        return rest[:1]
    notes.append(
        f"Bands {_listed(rest[:3])} of {dataset.count} are shown as red, green, blue: "
        "the file does not say which bands are colours. Choose others with --bands."
    )
    return rest[:3]


def _listed(indexes: tuple[int, ...]) -> str:
    return ", ".join(map(str, indexes))


def _palette(dataset: DatasetReader, indexes: tuple[int, ...]) -> NDArray[np.uint8] | None:
    if len(indexes) != 1 or dataset.colorinterp[indexes[0] - 1] != ColorInterp.palette:
        return None
    try:
        table = dataset.colormap(indexes[0])
    except ValueError:  # the band says palette, but carries none: shown as grey
        return None
    entries = np.zeros((max(table) + 1, 4), dtype=np.uint8)
    for entry, colour in table.items():
        entries[entry] = colour
    return entries

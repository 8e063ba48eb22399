"""Opening a raster: what it is called, where it lies, how fine it is, which bands are shown.

Knows one raster at a time and hands out one GDAL handle per thread. Refuses to know tiles and prompts.
"""

from __future__ import annotations

import hashlib
import re
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from datetime import UTC
from datetime import datetime as DateTime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from rasterio.errors import RasterioError

from groundproof.bands import Bands, choose_bands
from groundproof.datasets import (
    DatasetPool,
    Layout,
    bound_cache,
    gdal_options,
    layout_of,
    open_dataset,
    short,
)
from groundproof.georeference import Georeferencer, gsd_m
from groundproof.placement import place

if TYPE_CHECKING:
    from types import TracebackType

    import numpy as np
    from numpy.typing import NDArray
    from rasterio.io import DatasetReader

    from groundproof.bands import RawPixels
    from groundproof.boxes import Grid, Window

HEADER_BYTES = 65536
"""How much of a file's start is hashed into its content identity."""
HTTP_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """One raster, opened. A context manager; `close` lets go of its handles. Pickles (handles reopen).

    path: as given. name: short, without folder and extension. content_id: changes when the file does.
    gsd_m: metres per pixel at the centre, geodesic (`georeference.gsd_m`); None in pixel space and
    where the centre has no place on the globe. datetime: of acquisition, RFC 3339, when the file
    says. notes: sentences the user should see.
    """

    path: str
    name: str
    grid: Grid
    bands: Bands
    layout: Layout
    content_id: str
    gsd_m: float | None
    datetime: str | None
    notes: tuple[str, ...]
    pool: DatasetPool = field(repr=False)

    @property
    def width(self) -> int:
        """Columns, px."""
        return self.grid.width

    @property
    def height(self) -> int:
        """Rows, px."""
        return self.grid.height

    def dataset(self) -> DatasetReader:
        """This thread's own GDAL handle.

        Raises:
            SceneError: when the file can no longer be opened.
        """
        return self.pool.get()

    def read(
        self,
        window: Window,
        size: tuple[int, int] | None = None,
        *,
        smooth: bool = True,
        buffer: NDArray[np.generic] | None = None,
    ) -> RawPixels:
        """Pixels of a window inside the scene with this thread's handle; see `Bands.read`.

        Raises:
            rasterio.errors.RasterioIOError: when GDAL cannot read the window. Others may still be read.
            SceneError: when the file can no longer be opened, or the window is too large.
        """
        try:
            with gdal_options(self.path):
                return self.bands.read(self.pool.get(), window, size, smooth=smooth, buffer=buffer)
        except RasterioError:
            self.pool.discard()
            raise

    def close(self) -> None:
        """Close all handles. No thread may be reading."""
        self.pool.close()

    def __enter__(self) -> Scene:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_scene(
    path_or_url: str | Path,
    *,
    scene_crs: str | None = None,
    pixel_space: bool = False,
    bands: tuple[int, ...] | None = None,
) -> Scene:
    """Open anything GDAL reads: GeoTIFF or COG (path, http(s):// or s3://), VRT, JPEG, PNG, ...

    scene_crs: CRS to take in place of, or for want of, the file's own. pixel_space: results in pixels,
    whatever the file says. bands: 1-based, one or three (red, green, blue); None: by the file's meaning.

    Raises:
        SceneError: nothing there, unreadable, no bands, or no usable georeference.
        UsageError: bands or scene_crs that do not fit.
    """
    path = str(Path(path_or_url).expanduser()) if str(path_or_url).startswith("~") else str(path_or_url)
    with open_dataset(path) as dataset:
        chosen = choose_bands(dataset, bands)
        layout = layout_of(dataset)
        bound_cache(dataset)
        placement = place(dataset, scene_crs=scene_crs, pixel_space=pixel_space)
        notes = [*chosen.notes, *placement.notes]
        content_id = _content_id(path, dataset)
        taken = _acquired(dataset)
    grid = placement.grid
    gsd = gsd_m(grid)
    if grid.gcps:
        residual = Georeferencer(grid).gcp_residual_px
        notes.append(f"Placed by {len(grid.gcps)} ground control points, met to {residual:.2g} px (RMS).")
    if gsd is None and not grid.is_pixel_space:
        notes.append("The size of a pixel on the ground is unknown: its centre has no place on the globe.")
    return Scene(
        path=path,
        name=Path(short(path)).stem or short(path),
        grid=grid,
        bands=chosen,
        layout=layout,
        content_id=content_id,
        gsd_m=gsd,
        datetime=taken,
        notes=tuple(notes),
        pool=DatasetPool(path, layout.decode_threads),
    )


def _content_id(path: str, dataset: DatasetReader) -> str:
    """Size, mtime or ETag, and a hash of the first 64 kB; never of a whole file."""
    local = Path(path)
    if local.is_file():
        stat = local.stat()
        with local.open("rb") as file:
            head = file.read(HEADER_BYTES)
        return _identity(head, str(stat.st_size), str(stat.st_mtime_ns))
    if urlsplit(path).scheme in {"http", "https"}:
        try:
            return _http_identity(path)
        except (OSError, urllib.error.URLError, ValueError):
            pass  # servers that GDAL can read and Python cannot (certificates, proxies): structure below
    return _identity(_structure(dataset))


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Who may name a URL was decided for that address, not for where it sends us."""

    def redirect_request(self, *_args: object) -> None:
        """None: the redirect is an HTTPError, and the identity is taken from what GDAL reads."""


_direct = urllib.request.build_opener(_NoRedirect)


def _identity(head: bytes, *parts: str) -> str:
    digest = hashlib.sha256(head).hexdigest()[:32]
    return "-".join((*parts, digest))


def _http_identity(url: str) -> str:
    request = urllib.request.Request(url, headers={"Range": f"bytes=0-{HEADER_BYTES - 1}"})  # noqa: S310 - http(s) only
    with _direct.open(request, timeout=HTTP_TIMEOUT_S) as reply:
        head = reply.read(HEADER_BYTES)
        size = reply.headers.get("Content-Range", "").rpartition("/")[2] or reply.headers.get(
            "Content-Length", ""
        )
        stamp = reply.headers.get("ETag") or reply.headers.get("Last-Modified") or ""
    return _identity(head, size, hashlib.sha256(stamp.encode()).hexdigest()[:12])


def _structure(dataset: DatasetReader) -> bytes:
    """What distinguishes a raster when its bytes cannot be had: profile, tags and where its blocks lie."""
    rows = -(-dataset.height // dataset.block_shapes[0][0])
    cols = -(-dataset.width // dataset.block_shapes[0][1])
    blocks = [
        dataset.get_tag_item(f"BLOCK_{what}_{i}_{j}", "TIFF", bidx=1)
        for what in ("OFFSET", "SIZE")
        for i, j in ((0, 0), (cols - 1, rows - 1), (cols // 2, rows // 2))
    ]
    parts = (
        sorted(dataset.profile.items(), key=lambda item: item[0]),
        sorted(dataset.tags().items()),
        blocks,
    )
    return repr(parts).encode()


_DATE = re.compile(
    r"(\d{4})[:\-/]?(\d{2})[:\-/]?(\d{2})"
    r"(?:[T ]+(\d{2}):?(\d{2})(?::?(\d{2})(\.\d+)?)?)?\s*(Z|UTC|[+\-]\d{2}:?\d{2})?\s*"
)


def parse_datetime(text: str) -> str | None:
    """RFC 3339 of what TIFF, IMAGERY and EXIF tags hold ("2018:07:16 06:06:23"); None when it is no date.

    TIFF's DateTime has no zone; it is taken as UTC.
    """
    match = _DATE.fullmatch(text.strip())
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    offset = "+00:00" if zone in (None, "Z", "UTC") else zone if ":" in zone else f"{zone[:3]}:{zone[3:]}"
    iso = (
        f"{year}-{month}-{day}T{hour or '00'}:{minute or '00'}:{second or '00'}{(fraction or '')[:7]}{offset}"
    )
    try:
        moment = DateTime.fromisoformat(iso)
        return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError):
        return None


def _acquired(dataset: DatasetReader) -> str | None:
    """When the scene was taken: GDAL's IMAGERY domain first, then common tags, TIFF's own last."""
    imagery = dataset.tags(ns="IMAGERY")
    tags = {key.upper(): value for key, value in dataset.tags().items()}
    candidates = (
        imagery.get("ACQUISITIONDATETIME"),
        *(tags.get(key) for key in ("ACQUISITIONDATETIME", "ACQUISITION_DATETIME", "DATETIME")),
        tags.get("EXIF_DATETIMEORIGINAL"),
        tags.get("TIFFTAG_DATETIME"),
    )
    return next((parsed for text in candidates if text and (parsed := parse_datetime(text))), None)

"""Opening raster files and URLs with GDAL: options, block layouts, one handle per thread.

Knows drivers, blocks and threads, and turns GDAL's complaints into sentences. Refuses to know what
pixels mean (`bands.py`) and where they lie (`placement.py`).
"""

from __future__ import annotations

import os
import threading
import warnings
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import rasterio
from rasterio.enums import Compression, Interleaving
from rasterio.errors import NotGeoreferencedWarning, RasterioError

from groundproof.errors import SceneError, UnreachableError

if TYPE_CHECKING:
    from rasterio.io import DatasetReader

# `placement.py` says it in a sentence that tells what to do.
warnings.filterwarnings("ignore", category=NotGeoreferencedWarning)

CACHE_BYTES = 256 * 2**20
"""GDAL's block cache, shared by the process. Its default is 5 % of RAM; 64 MB to 500 MB measure the same."""
WIDE_CACHE_BYTES = 1024 * 2**20
"""Upper bound of the cache for very wide scenes, whose rows of blocks do not fit into `CACHE_BYTES`."""
ROWS_PER_TILE_ROW = 1200
"""Rows of blocks that one row of tiles keeps in use: about one tile of 896 px and a block."""
MAX_BLOCK_BYTES = 2**30
"""One block is decoded as a whole; a file with larger blocks cannot be read in bounded memory."""

ITEM_BYTES = {
    "uint8": 1, "int8": 1, "uint16": 2, "int16": 2, "float16": 2, "uint32": 4, "int32": 4, "float32": 4,
    "complex_int16": 4,
}  # fmt: skip

STRICT_OPTIONS: dict[str, str | int | bool] = {
    "GDAL_PNG_WHOLE_IMAGE_OPTIM": "NO",
    "GDAL_ERROR_ON_LIBJPEG_WARNING": "YES",
}
"""Without these a truncated PNG or JPEG reads as grey or black ground, and nothing tells."""

REMOTE_OPTIONS: dict[str, str | int | bool] = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_HTTP_MERGE_CONSECUTIVE_RANGES": "YES",
    "GDAL_HTTP_MULTIPLEX": "YES",
    "GDAL_HTTP_VERSION": "2",
    "GDAL_HTTP_CONNECTTIMEOUT": "15",
    "GDAL_HTTP_TIMEOUT": "120",
    "GDAL_HTTP_MAX_RETRY": "3",
    "GDAL_HTTP_RETRY_DELAY": "0.5",
    "VSI_CACHE": "TRUE",
    "VSI_CACHE_SIZE": "5000000",
    "GDAL_INGESTED_BYTES_AT_OPEN": "32768",
    "CPL_VSIL_CURL_CACHE_SIZE": "200000000",
}
"""What cloud-optimised GeoTIFFs are read with: few, large, parallel requests (titiler's list)."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file stores its pixels. block_width, block_height: px; compressed: any codec but none."""

    driver: str
    block_width: int
    block_height: int
    striped: bool
    compressed: bool
    decode_threads: int
    """GDAL threads worth using: more than one only for tiled, compressed GeoTIFF that is not JPEG; with
    uncompressed or striped files they make reading 2 to 7 times slower."""


def is_remote(path: str) -> bool:
    """Whether GDAL will read `path` over a network."""
    remote_vsi = ("/vsicurl", "/vsis3", "/vsigs", "/vsiaz", "/vsiadls", "/vsioss", "/vsiswift", "/vsihdfs")
    scheme = urlsplit(path).scheme.rpartition("+")[2] if "://" in path else ""
    return scheme in {"http", "https", "ftp", "s3", "gs", "az", "oss", "hdfs"} or path.startswith(remote_vsi)


def short(path: str) -> str:
    """The last part of a path or URL, without a URL's query (which may hold a signature)."""
    text = urlsplit(path).path if "://" in path else path
    return Path(text.rstrip("/\\")).name or path


def without_secrets(path: str) -> str:
    """A URL without user, password and query (which may hold a signature); anything else as it is."""
    if "://" not in path:
        return path
    start = path.partition("://")[0].rpartition("/")[0]
    if start.startswith("/vsi"):  # GDAL's own names have the URL behind a folder: /vsicurl/https://...
        return f"{start}/{without_secrets(path[len(start) + 1 :])}"
    parts = urlsplit(path)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def gdal_options(path: str) -> AbstractContextManager[object]:
    """Options that must be in force while `path` is opened or read."""
    options: AbstractContextManager[object] = rasterio.Env(
        **STRICT_OPTIONS, **(REMOTE_OPTIONS if is_remote(path) else {})
    )
    return options


def open_dataset(path: str, *, decode_threads: int = 1) -> DatasetReader:
    """A new GDAL handle for reading, to be used by one thread only.

    path: as GDAL takes it; http(s):// and s3:// go through /vsicurl and /vsis3.

    Raises:
        SceneError: when there is nothing there, or GDAL cannot read it; UnreachableError where a network may
            be the reason.
    """
    options = {"NUM_THREADS": str(decode_threads)} if decode_threads > 1 else {}
    again = {"CPL_VSIL_CURL_NON_CACHED": _vsi(path)} if path in _unreached else {}
    try:
        with gdal_options(path), rasterio.Env(**again):
            dataset = rasterio.open(path, **options)
    except (RasterioError, OSError, ValueError, TypeError) as err:
        if not is_remote(path) or _is_refusal(err):
            raise SceneError(_why_not(path, err)) from err
        _unreached.add(path)
        raise UnreachableError(_why_not(path, err)) from err
    _unreached.discard(path)
    return dataset


_unreached: set[str] = set()
"""What could not be opened over a network the last time. GDAL remembers that, and would say so again without asking."""


def _vsi(path: str) -> str:
    """As GDAL's file system handlers name what lies on a network."""
    if path.startswith("/vsi"):
        return path
    scheme, _, rest = path.partition("://")
    scheme = scheme.rpartition("+")[2]
    return f"/vsicurl/{scheme}://{rest}" if scheme in {"http", "https", "ftp"} else f"/vsi{scheme}/{rest}"


def _is_refusal(err: Exception) -> bool:
    """Whether a server answered, and the answer is no: asking again would change nothing."""
    return any(f"code: {status}" in str(err) for status in (401, 403, 404, 410))


def _why_not(path: str, err: Exception) -> str:
    name = short(path)
    if not is_remote(path) and "://" not in path and ":" not in path[2:] and not path.startswith("/vsi"):
        place = Path(path)
        if not place.exists():
            return f"{path} is not there. Give the path or URL of a raster file."
        if place.is_dir():
            return f"{path} is a folder. Give a raster file inside it, or several."
        if not os.access(place, os.R_OK):
            return f"{path} may not be read by this user. Change its permissions or copy it."
        if place.stat().st_size == 0:
            return f"{name} is an empty file. Copy or download it again."
    return (
        f"{name} cannot be opened as a raster: {str(err).rstrip('.')}. "
        "Give a GeoTIFF, a VRT, a JPEG, a PNG or another raster that GDAL reads."
    )


def layout_of(dataset: DatasetReader) -> Layout:
    """How the first band is stored.

    Raises:
        SceneError: when one block alone would not fit into bounded memory.
    """
    block_height, block_width = dataset.block_shapes[0]
    pixel_bytes = _bytes_per_pixel(dataset)
    if block_width * block_height * pixel_bytes > MAX_BLOCK_BYTES:
        raise SceneError(
            f"{short(dataset.name)} is stored in blocks of {block_width} x {block_height} px, too large to "
            "read piece by piece. Rewrite it: gdal_translate -co TILED=YES -co COMPRESS=DEFLATE IN OUT.tif"
        )
    striped = block_width >= dataset.width
    compression = dataset.compression
    compressed = compression not in (None, Compression.none)
    worth_it = dataset.driver == "GTiff" and not striped and compressed and compression != Compression.jpeg
    threads = min(4, os.cpu_count() or 1) if worth_it else 1
    return Layout(dataset.driver, block_width, block_height, striped, compressed, threads)


def _bytes_per_pixel(dataset: DatasetReader) -> int:
    """Of one band, or of all where bands are interleaved by pixel and so decoded together."""
    sizes = [ITEM_BYTES.get(dtype, 8) for dtype in dataset.dtypes]
    return sum(sizes) if dataset.interleaving == Interleaving.pixel else max(sizes)


_cache_lock = threading.Lock()
_cache_bytes = 0


def bound_cache(dataset: DatasetReader) -> None:
    """Bound GDAL's block cache for the process, large enough for one row of tiles of this dataset.

    A cache size that the user set with the environment variable GDAL_CACHEMAX is left alone.
    """
    global _cache_bytes
    if os.environ.get("GDAL_CACHEMAX"):
        return
    row_bytes = dataset.width * ROWS_PER_TILE_ROW * _bytes_per_pixel(dataset)
    wanted = min(max(CACHE_BYTES, row_bytes), WIDE_CACHE_BYTES)
    with _cache_lock:
        if wanted > _cache_bytes:
            with rasterio.Env(GDAL_CACHEMAX=wanted):
                _cache_bytes = wanted


class DatasetPool:
    """One open handle per thread for one path: GDAL handles must not be shared between threads.

    Pickles as its path; handles are opened anew where it arrives.
    """

    def __init__(self, path: str, decode_threads: int = 1) -> None:
        self._path = path
        self._decode_threads = decode_threads
        self._lock = threading.Lock()
        self._handles: dict[int, DatasetReader] = {}

    def __reduce__(self) -> tuple[type[DatasetPool], tuple[str, int]]:
        return DatasetPool, (self._path, self._decode_threads)

    def get(self) -> DatasetReader:
        """This thread's handle, opened on first use.

        Raises:
            SceneError: when the file can no longer be opened.
        """
        me = threading.get_ident()
        handle = self._handles.get(me)
        if handle is None:
            handle = open_dataset(self._path, decode_threads=self._decode_threads)
            with self._lock:
                self._handles[me] = handle
        return handle

    def release(self) -> None:
        """Close this thread's handle, if it has one. A thread that ends calls it."""
        with self._lock:
            handle = self._handles.pop(threading.get_ident(), None)
        if handle is not None:
            handle.close()

    def discard(self) -> None:
        """After a failed read: forget this thread's handle, and decode with one thread from now on.

        GDAL 3.10 with NUM_THREADS leaves blocks it could not decode in its cache as zeros: the first read
        of a damaged block fails, the next one would call it black. Closing the handle empties its cache.
        """
        self._decode_threads = 1
        self.release()

    def close(self) -> None:
        """Close every handle. No thread may be reading."""
        with self._lock:
            handles, self._handles = list(self._handles.values()), {}
        for handle in handles:
            handle.close()

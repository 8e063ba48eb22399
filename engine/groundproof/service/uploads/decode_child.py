"""The process that decodes uploads: a small server that forks one child per file and holds nothing worth having.

    python decode_child.py      stdin: a SOCK_SEQPACKET socket; each message a JSON request with one pipe to answer on

Knows GDAL and one file at a time. Refuses to know the service: it is started with an empty environment and
imports nothing of groundproof, so that a decoder taken over by a crafted file finds neither token nor model.
GDAL, numpy and their tables are loaded once; a fork then costs milliseconds where a new interpreter costs 200.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import math
import os
import resource
import signal
import socket
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import ColorInterp
from rasterio.errors import CRSError, NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window

BLOCK_PX = 512
"""Side of a tile in the files written here; a multiple of 16, as TIFF wants."""
CHUNK_BYTES = 64 << 20
"""Pixels held at a time."""
MESSAGE_BYTES = 1 << 16
DTYPES = frozenset({"uint8", "uint16", "int16", "uint32", "int32", "float32", "float64"})
MAX_GCPS = 5000
PR_SET_PDEATHSIG = 1

DATE_TAGS = (
    ("IMAGERY", "ACQUISITIONDATETIME"), (None, "ACQUISITIONDATETIME"), (None, "ACQUISITION_DATETIME"),
    (None, "DATETIME"), (None, "EXIF_DateTimeOriginal"), (None, "TIFFTAG_DATETIME"),
)  # fmt: skip


class Refused(Exception):  # noqa: N818 - an answer, not a failure
    """The image is understood and not taken. too_large: by its size; else by what it is."""

    def __init__(self, sentence: str, *, too_large: bool = False) -> None:
        super().__init__(sentence)
        self.too_large = too_large


def clean_copy(
    source: str, target: str, driver: str, *, max_pixels: int, max_bands: int, described: bool = True
) -> dict[str, Any]:
    """Write `source` anew as a tiled GeoTIFF that says only what is known here; return what was found, JSON-able.

    Colour tables are expanded; nodata, masks and alpha become one alpha band behind the others (uint8 and
    uint16) or an internal mask (other types). Nothing else of the file's metadata is taken over.

    driver: the only GDAL driver that may open it. described: keep band names and colours; else bands are just
    numbers.

    Raises:
        Refused: too many pixels or bands, a data type that is not taken.
        RasterioError: GDAL cannot decode it.
    """
    with rasterio.open(source, driver=driver) as src:
        _check_size(src.width, src.height, max_pixels)
        palette = _palette(src)
        measured = [i for i, role in enumerate(src.colorinterp, 1) if role != ColorInterp.alpha] or [1]
        count = 3 if palette is not None else len(measured)
        dtype = "uint8" if palette is not None else _dtype(src, measured)
        if count > max_bands:
            raise Refused(f"The image has {count} bands; at most {max_bands} are taken.")
        with_alpha = dtype in ("uint8", "uint16")
        gcps, gcp_crs = src.gcps
        has_affine = src.transform != rasterio.Affine.identity()
        crs = src.crs if has_affine or not gcps else gcp_crs
        found = {
            "width": src.width,
            "height": src.height,
            "bands": count,
            "dtype": dtype,
            "affine": list(src.transform[:6]) if has_affine else None,
            "crs": _wkt(crs),
            "gcps": 0 if has_affine else len(gcps),
            "dates": _dates(src),
        }
        roles = [src.colorinterp[i - 1] for i in measured]
        rgb = palette is not None or roles[:3] == [ColorInterp.red, ColorInterp.green, ColorInterp.blue]
        shape = profile(src.width, src.height, count, dtype, alpha=with_alpha, rgb=rgb)
        with rasterio.open(target, "w", **shape) as dst:
            if has_affine:
                dst.transform = src.transform
            elif gcps and found["crs"]:
                if len(gcps) > MAX_GCPS:
                    raise Refused(
                        f"The image has {len(gcps)} ground control points; at most {MAX_GCPS} are taken."
                    )
                dst.gcps = (gcps, gcp_crs)
            if has_affine and found["crs"]:
                dst.crs = src.crs
            if described and palette is None:
                _describe(src, dst, measured, with_alpha=with_alpha)
            for window in _chunks(src.width, src.height, (count + 1) * np.dtype(dtype).itemsize):
                _copy_chunk(src, dst, window, measured, palette, with_alpha=with_alpha)
    return found


def profile(width: int, height: int, bands: int, dtype: str, *, alpha: bool, rgb: bool) -> dict[str, Any]:
    """How scenes and windows are kept: tiled, lossless, blocks that hold nothing not written.

    bands: without the alpha band, which stands behind them. rgb: whether the first three are red, green, blue.
    """
    side = min(BLOCK_PX, -(-max(width, height) // 16) * 16)
    return {
        "driver": "GTiff",
        "width": width,
        "height": height,
        "count": bands + alpha,
        "dtype": dtype,
        "tiled": True,
        "blockxsize": side,
        "blockysize": side,
        "interleave": "pixel",
        "compress": "deflate",
        "zlevel": 1,  # lossless, and 3x faster than the default
        "predictor": 3 if dtype.startswith("float") else 2,
        "photometric": "RGB" if rgb else "MINISBLACK",
        "alpha": "UNSPECIFIED" if alpha else "NO",
        "bigtiff": "IF_SAFER",
        "sparse_ok": True,
    }


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise Refused(
            f"The image has {width:,} x {height:,} = {width * height:,} px; at most {max_pixels:,} px are taken "
            "at once. Send it in pieces: POST /scenes, then one PUT per window.",
            too_large=True,
        )


def _dtype(src: Any, measured: list[int]) -> str:
    dtypes = {src.dtypes[i - 1] for i in measured}
    if len(dtypes) > 1 or not dtypes <= DTYPES:
        raise Refused(
            f"The image's pixels are of type {', '.join(sorted(dtypes))}; one of {', '.join(sorted(DTYPES))} is taken. "
            "Convert it with gdal_translate -ot."
        )
    return str(dtypes.pop())


def _palette(src: Any) -> NDArray[np.uint8] | None:
    """RGBA of every value of a one-band image with a colour table."""
    if src.colorinterp[0] != ColorInterp.palette or src.dtypes[0] not in ("uint8", "uint16"):
        return None
    try:
        table = src.colormap(1)
    except ValueError:  # says palette, has none: shown as grey
        return None
    colours = np.zeros((256 if src.dtypes[0] == "uint8" else 65536, 4), dtype=np.uint8)
    colours[:, 3] = 255  # values outside the table are black, as GDAL shows them
    for value, colour in table.items():
        colours[value] = colour
    return colours


def _wkt(crs: Any) -> str | None:
    if not crs:
        return None
    try:
        return str(crs.to_wkt(version="WKT2_2019"))
    except CRSError:
        return None


def _dates(src: Any) -> list[str]:
    """What the file says about when it was taken, likeliest first."""
    found = [src.tags(ns=domain).get(key) if domain else src.tags().get(key) for domain, key in DATE_TAGS]
    return [text[:64] for text in found if text]


def _describe(src: Any, dst: Any, measured: list[int], *, with_alpha: bool) -> None:
    roles = [src.colorinterp[i - 1] for i in measured]
    dst.colorinterp = [*roles, ColorInterp.alpha] if with_alpha else roles
    for number, index in enumerate(measured, 1):
        name = src.descriptions[index - 1]
        if name:
            dst.set_band_description(number, name[:64])


def _chunks(width: int, height: int, pixel_bytes: int) -> Iterator[Window]:
    """Rows of blocks, left to right, of at most about `CHUNK_BYTES`."""
    cols = max(1, CHUNK_BYTES // (pixel_bytes * BLOCK_PX * BLOCK_PX)) * BLOCK_PX
    for y in range(0, height, BLOCK_PX):
        for x in range(0, width, cols):
            yield Window(x, y, min(cols, width - x), min(BLOCK_PX, height - y))


def _copy_chunk(
    src: Any,
    dst: Any,
    window: Window,
    measured: list[int],
    palette: NDArray[np.uint8] | None,
    *,
    with_alpha: bool,
) -> None:
    valid = src.dataset_mask(window=window)
    if palette is not None:
        expanded = palette[src.read(1, window=window)]
        values = np.moveaxis(expanded[..., :3], 2, 0)
        valid = np.minimum(valid, expanded[..., 3])
    else:
        values = src.read(measured, window=window)
    if with_alpha:
        alpha = valid.astype(np.uint16) * 257 if values.dtype == np.uint16 else valid
        dst.write(np.concatenate([values, alpha[None]]), window=window)
    else:
        dst.write(values, window=window)
        dst.write_mask(valid, window=window)


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    try:
        return clean_copy(
            request["source"],
            request["target"],
            request["driver"],
            max_pixels=request["max_pixels"],
            max_bands=request["max_bands"],
        )
    except Refused as err:
        return {"error": "too_large" if err.too_large else "refused", "sentence": str(err)}
    except MemoryError:
        return {"error": "memory"}
    except Exception as err:  # noqa: BLE001 - whatever a crafted file makes GDAL, rasterio or numpy raise
        # GDAL's own words; they name the temporary file, which says nothing to anybody.
        text = str(err.__cause__ or err) if isinstance(err, RasterioError) else f"{type(err).__name__}: {err}"
        for name in (request["source"], os.path.basename(request["source"])):  # noqa: PTH119 - a name, as GDAL has it
            text = text.replace(name, "the image")
        return {"error": "unreadable", "sentence": text[:300]}


def _confine(request: dict[str, Any]) -> None:
    """From here on this process can use so much memory, time and disk, leaves no core, and dies with its parent."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    seconds = float(request["seconds"])
    for what, bound in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_AS, int(request["bytes"])),
        (resource.RLIMIT_CPU, math.ceil(seconds)),
        (resource.RLIMIT_FSIZE, int(request["file_bytes"])),
    ):
        resource.setrlimit(what, (bound, bound))
    signal.setitimer(
        signal.ITIMER_REAL, seconds
    )  # nobody handles SIGALRM, so it ends the process, even inside C
    os.dup2(os.open(os.devnull, os.O_RDWR), 2)


def serve(requests: socket.socket) -> None:
    """Fork a child per request until the other side is gone."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children are not waited for: their pipe says all
    while True:
        message, pipes, _, _ = socket.recv_fds(requests, MESSAGE_BYTES, 1)
        if not message:
            return
        if os.fork() == 0:
            code = 1
            with contextlib.suppress(
                BaseException
            ):  # the answer is what came through the pipe; never go on here
                requests.close()
                request = json.loads(message)
                _confine(request)
                with os.fdopen(pipes[0], "wb") as pipe:
                    pipe.write(json.dumps(_answer(request)).encode())
                code = 0
            os._exit(code)
        os.close(pipes[0])


def main() -> None:
    """Load what decoding needs, then serve the socket on standard input."""
    warnings.filterwarnings("ignore", category=NotGeoreferencedWarning)
    with socket.socket(fileno=os.dup(sys.stdin.fileno())) as requests, rasterio.Env():
        serve(requests)


if __name__ == "__main__":
    main()

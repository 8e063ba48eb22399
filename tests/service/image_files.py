"""Image files of every format that uploads may have, written by GDAL and, for what it cannot write, by hand."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray

AFFINE = (0.3, 0.02, 500_000.0, 0.02, -0.3, 5_200_000.0)
CRS = "EPSG:32631"


def noise(bands: int, height: int, width: int, dtype: str = "uint8", seed: int = 0) -> NDArray[Any]:
    """(bands, height, width), every value likely."""
    top = np.iinfo(dtype).max
    return np.random.default_rng(seed).integers(0, top, (bands, height, width), dtype=dtype, endpoint=True)


def smooth(bands: int, height: int, width: int) -> NDArray[np.uint8]:
    """What lossy codecs keep almost as it is."""
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([(x * (b + 1) + y * 2) * 255 // (4 * (height + width)) for b in range(bands)]).astype(
        np.uint8
    )


def write(path: Path, pixels: NDArray[Any], driver: str, *, placed: bool = False, **options: Any) -> Path:
    """One image file. placed: with the affine and CRS above."""
    if placed:
        options |= {"crs": CRS, "transform": Affine(*AFFINE)}
    count, height, width = pixels.shape
    with rasterio.open(
        path, "w", driver=driver, width=width, height=height, count=count, dtype=pixels.dtype, **options
    ) as file:
        file.write(pixels)
    path.with_name(path.name + ".aux.xml").unlink(missing_ok=True)
    return path


def palette_png(path: Path, indices: NDArray[np.uint8], colours: NDArray[np.uint8]) -> Path:
    """An 8-bit PNG with a colour table. colours: (n, 4) RGBA."""
    height, width = indices.shape
    rows = b"".join(b"\0" + row.tobytes() for row in indices)
    return png_of_chunks(
        path,
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        (b"PLTE", colours[:, :3].tobytes()),
        (b"tRNS", colours[:, 3].tobytes()),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )


def png_of_chunks(path: Path, *chunks: tuple[bytes, bytes]) -> Path:
    """A PNG of the chunks given, with right checksums."""
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    return path


def huge_png(path: Path, width: int, height: int) -> Path:
    """A PNG of a few bytes that says it is huge."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return png_of_chunks(path, (b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b""))


def huge_tiff(path: Path, width: int, height: int) -> Path:
    """A sparse GeoTIFF of a few bytes that is huge."""
    with rasterio.open(
        path, "w", driver="GTiff", width=width, height=height, count=3, dtype="uint8", tiled=True,
        blockxsize=4096, blockysize=4096, compress="deflate", sparse_ok=True, bigtiff="yes",
    ):  # fmt: skip
        pass
    return path


def samples(folder: Path, side: int = 48) -> dict[str, Path]:
    """One file of every accepted format and way of storing, by name."""
    rgb, rgb16, grey = noise(3, side, side), noise(3, side, side, "uint16"), noise(1, side, side)
    lossy = smooth(3, side, side)
    colours = np.random.default_rng(1).integers(0, 256, (64, 4), dtype=np.uint8)

    def tiff(name: str, pixels: NDArray[Any], placed: bool = False, **options: Any) -> Path:
        return write(folder / f"{name}.tif", pixels, "GTiff", placed=placed, **options)

    tiles = {"tiled": True, "blockxsize": 16, "blockysize": 16}
    return {
        "tiff-strips": tiff("strips", rgb, placed=True, blockysize=8),
        "tiff-bands-apart": tiff("apart", rgb, interleave="band"),
        "tiff-tiles": tiff("tiles", rgb, placed=True, **tiles),
        "tiff-big": tiff("big", rgb, bigtiff="yes", **tiles),
        "tiff-lzw": tiff("lzw", rgb, compress="lzw", predictor=2),
        "tiff-deflate": tiff("deflate", rgb16, placed=True, compress="deflate", predictor=2, **tiles),
        "tiff-jpeg": tiff("jpeg", lossy, compress="jpeg", photometric="ycbcr", **tiles),
        "tiff-float": tiff("float", rgb.astype("float32"), compress="deflate", predictor=3),
        "tiff-alpha": tiff("alpha", noise(4, side, side), placed=True, photometric="rgb"),
        "tiff-nodata": tiff("nodata", grey, nodata=7),
        "png": write(folder / "rgb.png", rgb, "PNG"),
        "png-alpha": write(folder / "rgba.png", noise(4, side, side), "PNG"),
        "png-16": write(folder / "rgb16.png", rgb16, "PNG"),
        "png-grey": write(folder / "grey.png", grey, "PNG"),
        "png-palette": palette_png(folder / "palette.png", grey[0] % 64, colours),
        "jpeg": write(folder / "rgb.jpg", lossy, "JPEG"),
        "jpeg-grey": write(folder / "grey.jpg", lossy[:1], "JPEG"),
        "jpeg-progressive": write(folder / "progressive.jpg", lossy, "JPEG", progressive=True),
        "webp": write(folder / "rgb.webp", rgb, "WEBP", lossless=True),
        "webp-lossy": write(folder / "lossy.webp", noise(4, side, side), "WEBP"),
    }

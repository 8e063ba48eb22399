"""Whether one window fits the scene it was sent for, said in sentences.

Knows numbers: sizes, bands, affines. Refuses to know files, but for raw pixels, which are nothing but numbers.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from rasterio.windows import Window as RioWindow

from groundproof.boxes import Window
from groundproof.errors import TooLargeError, UsageError
from groundproof.placement import parse_crs
from groundproof.service.uploads.decode_child import BLOCK_PX, profile
from groundproof.service.uploads.decoding import Decoded
from groundproof.service.uploads.scene_record import RawPixels, Record
from groundproof.service.uploads.scene_spec import AffineNumbers

TOLERANCE_PX = 0.05
"""How far a window's own affine may lie from its place on the scene's grid, anywhere in the window."""


def fit(record: Record, x0: int, y0: int, decoded: Decoded) -> Window:
    """The window's place in the scene. Raises UsageError when it reaches outside, or is of other pixels."""
    if x0 < 0 or y0 < 0 or x0 + decoded.width > record.width or y0 + decoded.height > record.height:
        raise UsageError(
            f"The window at {x0},{y0} is {decoded.width} x {decoded.height} px and reaches outside the scene of "
            f"{record.width} x {record.height} px. Cut it at the scene's edge."
        )
    if (decoded.bands, decoded.dtype) != (record.bands, record.dtype):
        raise UsageError(
            f"The window at {x0},{y0} has {decoded.bands} {'band' if decoded.bands == 1 else 'bands'} of "
            f"{decoded.dtype} (alpha not counted); the scene was declared with {record.bands} of {record.dtype}."
        )
    return Window(x0, y0, decoded.width, decoded.height)


def check_same_crs(record: Record, decoded: Decoded) -> None:
    """Raise UsageError when a georeferenced window is in another CRS than its scene."""
    if record.crs is None or decoded.crs is None or decoded.affine is None:
        return
    ours, theirs = parse_crs(record.crs, "crs"), parse_crs(decoded.crs, "the window's crs")
    if not ours.equals(theirs, ignore_axis_order=True):
        raise UsageError(
            f"The window is in {theirs.name}, the scene in {ours.name}. Warp it onto the scene's grid, or send it "
            "without a georeference."
        )


def check_window_affine(window: Window, own: AffineNumbers, scene: AffineNumbers) -> None:
    """Raise UsageError when a window's own affine puts one of its corners elsewhere than its place in the scene."""
    expected = np.array([(x, y) for x in (window.x0, window.x1) for y in (window.y0, window.y1)], dtype=float)
    place = ~Affine(*scene) @ Affine(*own)
    corners = [place @ (x - window.x0, y - window.y0) for x, y in expected]
    off = float(np.abs(np.array(corners) - expected).max())
    if not off <= TOLERANCE_PX:
        raise UsageError(
            f"The window at {window.x0},{window.y0} has an affine of its own that puts it {off:.3g} px away from its "
            f"place in the scene; at most {TOLERANCE_PX} px is taken for the same place. Warp it onto the scene's "
            "grid, or send it without an affine."
        )


def affine_of_scene(window: Window, own: AffineNumbers) -> AffineNumbers:
    """The scene's affine, from that of one window of it."""
    numbers = Affine(*own) @ Affine.translation(-window.x0, -window.y0)
    return (numbers.a, numbers.b, numbers.c, numbers.d, numbers.e, numbers.f)


def keep_raw(upload: Path, target: Path, raw: RawPixels, record: Record, max_pixels: int) -> Decoded:
    """Write raw pixels as a window file, as `decoding.decode` does for images: bands, then alpha.

    Raises UsageError when the bytes are not as many as the size says, TooLargeError for too many pixels.
    """
    if raw.width * raw.height > max_pixels:
        raise TooLargeError(
            f"The window has {raw.width:,} x {raw.height:,} px; at most {max_pixels:,} px are taken at once. Send "
            "smaller windows."
        )
    dtype = np.dtype(record.dtype).newbyteorder("<")
    came, one = upload.stat().st_size, raw.width * raw.height * dtype.itemsize
    if came not in (one * record.bands, one * (record.bands + 1)):
        raise UsageError(
            f"{came:,} bytes came for {raw.width} x {raw.height} px; {record.bands} bands of {record.dtype} make "
            f"{one * record.bands:,}, with alpha {one * (record.bands + 1):,}. Send them row by row, the bands of a "
            "pixel side by side."
        )
    bands = came // one
    pixels = np.memmap(upload, dtype=dtype, mode="r", shape=(raw.height, raw.width, bands))
    opaque = np.iinfo(dtype).max
    with rasterio.open(
        target,
        "w",
        **profile(raw.width, raw.height, record.bands, record.dtype, alpha=True, rgb=record.bands == 3),
    ) as dst:
        for y in range(0, raw.height, BLOCK_PX):
            rows = np.moveaxis(pixels[y : y + BLOCK_PX], 2, 0).astype(record.dtype)
            if bands == record.bands:
                rows = np.concatenate([rows, np.full_like(rows[:1], opaque)])
            dst.write(rows, window=RioWindow(0, y, raw.width, rows.shape[1]))
    return Decoded(raw.width, raw.height, record.bands, record.dtype, None, None, 0, None)

"""What one picture looks like, in numbers: hashes of bytes and pixels, perceptual hashes, a thumbnail.

Knows pixels. Refuses to know samples, splits and other pictures.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from groundproof_training.readers.base import opened_image

Window = tuple[int, int, int, int]

SIDE_PX = 32
"""Side of the thumbnail. It is what `imagehash.phash` reduces a picture to, so nothing is resized twice."""

TRANSFORMS = (
    None,
    Image.Transpose.ROTATE_90,
    Image.Transpose.ROTATE_180,
    Image.Transpose.ROTATE_270,
    Image.Transpose.FLIP_LEFT_RIGHT,
    Image.Transpose.FLIP_TOP_BOTTOM,
    Image.Transpose.TRANSPOSE,
    Image.Transpose.TRANSVERSE,
)
"""The eight ways to turn and mirror a picture: overhead imagery has no up."""

TRANSFORM_WORDS = (
    "as it is",
    "turned by 90 degrees",
    "turned by 180 degrees",
    "turned by 270 degrees",
    "mirrored left to right",
    "mirrored top to bottom",
    "mirrored along the diagonal",
    "mirrored along the other diagonal",
)

LOOK_VERSION = 1
"""Of what is computed here; a cache of another version is not read."""


class UnreadableError(Exception):
    """A file that cannot be decoded; `str` is one sentence."""


@dataclass(frozen=True, slots=True)
class Look:
    """One picture. sha256: of the file's bytes, hex. pixels: sha256 over size and RGB pixels of what is shown, hex.
    hashes: uint64 (8,), pHash (64 bits) of the picture in each of `TRANSFORMS`. thumbnail: uint8 (32, 32), grey.
    """

    sha256: str
    pixels: str
    hashes: NDArray[np.uint64]
    thumbnail: NDArray[np.uint8]


def look(file: Path, windows: list[Window | None], pixels: int) -> list[Look]:
    """Each window of the file (None: all of it), decoded once. A window past the edge is black there, as shown to a
    model. pixels: what the sample says it has; a file with more is not opened. Raises UnreadableError."""
    try:
        content = file.read_bytes()
        with opened_image(io.BytesIO(content), pixels) as opened:
            picture = ImageOps.exif_transpose(opened).convert("RGB")
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError) as err:
        raise UnreadableError(str(err).splitlines()[0] if str(err) else type(err).__name__) from err
    digest = hashlib.sha256(content).hexdigest()
    return [_look(digest, picture if window is None else picture.crop(window)) for window in windows]


def _look(digest: str, picture: Image.Image) -> Look:
    pixels = hashlib.sha256(f"{picture.width}x{picture.height}:".encode())
    pixels.update(picture.tobytes())
    thumbnail = picture.convert("L").resize((SIDE_PX, SIDE_PX), Image.Resampling.LANCZOS)
    turned = [thumbnail if way is None else thumbnail.transpose(way) for way in TRANSFORMS]
    hashes = np.array([_bits(imagehash.phash(one)) for one in turned], dtype=np.uint64)
    return Look(digest, pixels.hexdigest(), hashes, np.asarray(thumbnail))


def _bits(value: imagehash.ImageHash) -> int:
    return int.from_bytes(np.packbits(value.hash.ravel()).tobytes(), "big")


def transformed(thumbnails: NDArray[np.uint8], way: int) -> NDArray[np.uint8]:
    """Thumbnails (N, 32, 32) in the `way`th of `TRANSFORMS`, as Pillow turns them."""
    turns = {1: 1, 2: 2, 3: 3}
    if way in turns:
        return np.rot90(thumbnails, turns[way], axes=(1, 2))
    if way == 4:
        return thumbnails[:, :, ::-1]
    if way == 5:
        return thumbnails[:, ::-1]
    if way == 6:
        return thumbnails.transpose(0, 2, 1)
    if way == 7:
        return thumbnails[:, ::-1, ::-1].transpose(0, 2, 1)
    return thumbnails

"""A window of a scene as the model sees it: RGB uint8.

Knows pixels. Refuses to know CRS, prompts and answers, and which window comes next (`runners/ahead.py`). Pixels
are never warped here.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from rasterio.errors import RasterioError

from groundproof.boxes import Tile, Window
from groundproof.data_cells import pack
from groundproof.datasets import short
from groundproof.errors import ReadError, SceneError
from groundproof.stretch import FILL, Stretch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from groundproof.bands import RawPixels
    from groundproof.scene import Scene


@dataclass(frozen=True)
class TilePixels:
    """What the model sees of one tile.

    rgb: uint8 (model_height, model_width, 3), C order; invalid pixels and padding are `stretch.FILL`.
    valid_share: 0..1, valid pixels over all pixels of the tile, padding counted as invalid; 0.0 exactly
    when there is nothing to look at.
    """

    rgb: NDArray[np.uint8]
    valid_share: float
    valid_cells: bytes | None = None
    """Where the valid ones lie, coarsely (`data_cells.pack`); None where the scene has no gap here."""

    @cached_property
    def pixels_hash(self) -> str:
        """BLAKE2b-128 of size and pixels, hex. Made when first asked for: it costs 5 ms per megapixel."""
        digest = hashlib.blake2b(repr(self.rgb.shape).encode(), digest_size=16)
        digest.update(np.ascontiguousarray(self.rgb).data)
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class RawTile:
    """Raw pixels of the part of a tile that lies in the scene, and where it goes: x, y in model pixels."""

    raw: RawPixels
    x: int
    y: int


def read_tile(scene: Scene, stretch: Stretch, tile: Tile) -> TilePixels:
    """Read one tile with this thread's handle. Where it reaches past the scene it is padded.

    Raises:
        ReadError: when its pixels cannot be read; other tiles may still be readable.
    """
    return finish_tile(read_raw(scene, tile), stretch, tile)


def read_raw(scene: Scene, tile: Tile, buffer: NDArray[np.generic] | None = None) -> RawTile:
    """The first half of `read_tile`: decoding. buffer: see `Bands.read`. Raises ReadError."""
    window = tile.window
    x0, y0 = max(window.x0, 0), max(window.y0, 0)
    x1, y1 = min(window.x1, scene.width), min(window.y1, scene.height)
    if x0 >= x1 or y0 >= y1:
        raise ReadError(
            f"tile {tile.index} lies outside {scene.name}, which is {scene.width} x {scene.height} px"
        )
    inside = Window(x0, y0, x1 - x0, y1 - y0)
    scale_x, scale_y = tile.model_width / window.width, tile.model_height / window.height
    left, top = round((x0 - window.x0) * scale_x), round((y0 - window.y0) * scale_y)
    left, top = min(left, tile.model_width - 1), min(top, tile.model_height - 1)
    size = (
        max(1, min(round((x1 - window.x0) * scale_x), tile.model_width) - left),
        max(1, min(round((y1 - window.y0) * scale_y), tile.model_height) - top),
    )
    try:
        raw = scene.read(inside, size, buffer=buffer)
    except (RasterioError, SceneError, OSError, MemoryError) as err:
        raise ReadError(
            f"{short(scene.path)}: columns {x0} to {x1}, rows {y0} to {y1} cannot be read ({_reason(err)})"
        ) from err
    return RawTile(raw, left, top)


def may_pass(err: ReadError) -> bool:
    """Whether another try may succeed: the file system, the network or GDAL failed, not the request."""
    below = err.__cause__
    while below is not None:
        if isinstance(below, RasterioError | OSError):
            return True
        below = below.__cause__
    return False


def _reason(err: BaseException) -> str:
    """GDAL's own words rather than rasterio's "Read failed. See previous exception for details."."""
    if isinstance(err, MemoryError):
        return "not enough memory"
    deepest: BaseException = err
    while deepest.__cause__ is not None:
        deepest = deepest.__cause__
    return str(deepest).strip().rstrip(".") or type(deepest).__name__


def finish_tile(piece: RawTile, stretch: Stretch, tile: Tile) -> TilePixels:
    """The second half of `read_tile`: brightness and padding."""
    height, width = piece.raw.values.shape[1:]
    rgb = np.empty((tile.model_height, tile.model_width, 3), dtype=np.uint8)
    whole = (width, height) == (tile.model_width, tile.model_height)
    if not whole:
        rgb.fill(FILL)
    stretch.to_rgb(piece.raw, rgb[piece.y : piece.y + height, piece.x : piece.x + width])
    valid = piece.raw.valid
    n_valid = width * height if valid is None else int(np.count_nonzero(valid))
    cells = None
    if valid is not None and n_valid < width * height:
        if not whole:
            valid, inner = np.zeros((tile.model_height, tile.model_width), dtype=bool), valid
            valid[piece.y : piece.y + height, piece.x : piece.x + width] = inner
        cells = pack(valid)
    return TilePixels(rgb, n_valid / (tile.model_width * tile.model_height), cells)

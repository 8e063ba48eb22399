"""Where in a tile the image holds data: a coarse mask of a few bytes, kept beside the tile's answer.

Knows masks and boxes. Refuses to know what is in the pixels. Errs on one side only: a cell is called empty
when not one of its pixels is valid.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from groundproof.boxes import PixelBox, Tile

CELL_PX = 8
"""Side of a cell, pixels of the model's image: a box of an object that a model can see covers several."""


def pack(valid: NDArray[np.bool_]) -> bytes:
    """The cells of a mask (height, width) of the model's image, one bit each, row by row."""
    rows, cols = (-(-side // CELL_PX) for side in valid.shape)
    padded = np.zeros((rows * CELL_PX, cols * CELL_PX), dtype=bool)
    padded[: valid.shape[0], : valid.shape[1]] = valid
    return np.packbits(padded.reshape(rows, CELL_PX, cols, CELL_PX).any(axis=(1, 3))).tobytes()


def share_without_data(box: PixelBox, tile: Tile, cells: bytes) -> float:
    """Share of a box's area (its upright frame, scene pixels) on cells of the tile without data, 0..1.

    Exactly 1.0 where no cell that the box touches holds data. Parts of the box outside the tile count as data.
    Raises ValueError for cells that are not of a tile of this size.
    """
    rows, cols = -(-tile.model_height // CELL_PX), -(-tile.model_width // CELL_PX)
    bits = np.unpackbits(np.frombuffer(cells, dtype=np.uint8))
    if not rows * cols <= len(bits) < rows * cols + 8:
        raise ValueError(f"{len(bits)} bits are not {rows} x {cols} cells")
    empty = bits[: rows * cols].reshape(rows, cols) == 0
    window = tile.window
    x = _covered(box.x0, box.x1, window.x0, tile.model_width / window.width, cols)
    y = _covered(box.y0, box.y1, window.y0, tile.model_height / window.height, rows)
    area = np.outer(y, x)
    whole = (
        (box.x1 - box.x0) * (box.y1 - box.y0)
        * (tile.model_width / window.width) * (tile.model_height / window.height)
    )  # fmt: skip
    if not (area > 0).any() or whole <= 0:
        return 0.0
    if empty[area > 0].all() and np.isclose(area.sum(), whole):
        return 1.0
    return float(min(area[empty].sum() / whole, 1.0))


def _covered(low: float, high: float, start: int, scale: float, cells: int) -> NDArray[np.float64]:
    """How much of every cell along one axis lies between two scene coordinates, model pixels."""
    edges = np.arange(cells + 1, dtype=np.float64) * CELL_PX
    a, b = (low - start) * scale, (high - start) * scale
    length: NDArray[np.float64] = np.minimum(edges[1:], b) - np.maximum(edges[:-1], a)
    return np.maximum(length, 0.0)

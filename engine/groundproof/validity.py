"""Where a scene may hold a measurement, found without looking at every pixel twice.

Knows masks, coarsely. Errs on one side only: a place is called empty when that is *proven* (its mask was
read in full, or its blocks were never written); everything else may be valid, and the reader finds out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from rasterio.errors import RasterioError

from groundproof.boxes import Window
from groundproof.datasets import is_remote

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from rasterio.io import DatasetReader

    from groundproof.scene import Scene

EXACT_PX = 16 * 2**20
"""Masks of local scenes up to this many pixels are read in full: well under a second."""
CELL_PX = 16
STRIP_BYTES = 32 * 2**20
MAX_BLOCKS = 2_000_000


@dataclass(frozen=True, slots=True, eq=False)
class ValidityIndex:
    """Cells of a scene that may hold a valid pixel.

    may_hold: bool (rows, cols), False only where every pixel is proven invalid. cell_width, cell_height:
    px; the last row and column of cells may reach past the scene.
    """

    may_hold: NDArray[np.bool_]
    cell_width: int
    cell_height: int

    def any_in(self, windows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether each window touches a cell that may hold a valid pixel. (N, 4): x0, y0, x1, y1."""
        rows, cols = self.may_hold.shape
        total = np.zeros((rows + 1, cols + 1), dtype=np.int64)
        total[1:, 1:] = self.may_hold.cumsum(axis=0, dtype=np.int64).cumsum(axis=1)
        x0 = np.clip(windows[:, 0] // self.cell_width, 0, cols)
        x1 = np.clip(-(-windows[:, 2] // self.cell_width), 0, cols)
        y0 = np.clip(windows[:, 1] // self.cell_height, 0, rows)
        y1 = np.clip(-(-windows[:, 3] // self.cell_height), 0, rows)
        return np.asarray(total[y1, x1] - total[y0, x1] - total[y1, x0] + total[y0, x0] > 0)


def index_validity(scene: Scene) -> ValidityIndex | None:
    """The scene's index, or None when nothing of it can be ruled out.

    Local scenes up to `EXACT_PX` are indexed by their full mask; larger ones by which blocks of a sparse
    GeoTIFF were never written. Unreadable parts may be valid: their tiles will report the failure.
    """
    if scene.bands.all_valid:
        return None
    if scene.width * scene.height <= EXACT_PX and not is_remote(scene.path):
        return _from_mask(scene)
    return _from_blocks(scene, scene.dataset())


def _from_mask(scene: Scene) -> ValidityIndex | None:
    cols, rows = -(-scene.width // CELL_PX), -(-scene.height // CELL_PX)
    may_hold = np.ones((rows, cols), dtype=bool)
    strip_rows = max(1, STRIP_BYTES // (scene.width * len(scene.bands.indexes) * 4 * CELL_PX))
    for row in range(0, rows, strip_rows):
        y0, y1 = row * CELL_PX, min((row + strip_rows) * CELL_PX, scene.height)
        try:
            raw = scene.read(Window(0, y0, scene.width, y1 - y0))
        except RasterioError:  # stays "may hold": the tiles here will say that they cannot be read
            continue
        if raw.valid is not None:
            used = -(-(y1 - y0) // CELL_PX)
            padded = np.zeros((used * CELL_PX, cols * CELL_PX), dtype=bool)
            padded[: y1 - y0, : scene.width] = raw.valid
            cells = padded.reshape(used, CELL_PX, cols, CELL_PX)
            may_hold[row : row + used] = cells.any(axis=(1, 3))
    return None if may_hold.all() else ValidityIndex(may_hold, CELL_PX, CELL_PX)


def _from_blocks(scene: Scene, dataset: DatasetReader) -> ValidityIndex | None:
    """Blocks a sparse GeoTIFF never wrote read as nodata, or as alpha 0: then, and only then, empty."""
    bands = scene.bands
    proof = [bands.alpha] if bands.alpha else list(bands.indexes) if None not in bands.nodata else []
    width, height = scene.layout.block_width, scene.layout.block_height
    cols, rows = -(-scene.width // width), -(-scene.height // height)
    if scene.layout.driver != "GTiff" or not proof or rows * cols * len(proof) > MAX_BLOCKS:
        return None
    may_hold = np.zeros((rows, cols), dtype=bool)
    for band in proof:
        for row in range(rows):
            for col in range(cols):
                if not may_hold[row, col]:
                    offset = dataset.get_tag_item(f"BLOCK_OFFSET_{col}_{row}", "TIFF", bidx=band)
                    may_hold[row, col] = offset is not None
    return None if may_hold.all() else ValidityIndex(may_hold, width, height)

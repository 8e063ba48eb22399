"""The grid of vision tokens over a tile: patches of 14 px, merged two by two into cells of 28 px.

Knows pixels and cells. Refuses to know models: without torch, the benchmark and the readers of pictures can use it.
"""

from __future__ import annotations

import numpy as np

PATCH_PX = 14
CELL_PX = 2 * PATCH_PX
"""Side of one merged vision token: patch 14 x merge 2."""


def anchor_cells(boxes: np.ndarray, width: int, height: int) -> np.ndarray:
    """Row-major index (n,) of the cell that holds the centre of each box (n, 4) px; width, height: of the tile, px."""
    columns, rows = width // CELL_PX, height // CELL_PX
    x = np.clip((boxes[:, 0] + boxes[:, 2]) / 2 // CELL_PX, 0, columns - 1)
    y = np.clip((boxes[:, 1] + boxes[:, 3]) / 2 // CELL_PX, 0, rows - 1)
    return (y * columns + x).astype(np.int64)

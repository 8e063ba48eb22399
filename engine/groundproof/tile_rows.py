"""Rows of the tiles table from rows of the plan beside their answers, some thousands at a time.

Knows the columns of `RunDirectory.answered` and of the tiles table. Refuses to know what the texts say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from groundproof.boxes import PixelBoxes
from groundproof.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from groundproof.boxes import Grid
    from groundproof.georeference import Georeferencer

COLUMNS = [*(c.name for c in TABLES["tiles"]), "geometry"]


def windows_of(answered: pd.DataFrame) -> NDArray[np.int64]:
    """Windows (N, 4): x0, y0, x1, y1, scene px; they may reach past the scene."""
    start = answered[["x0", "y0"]].to_numpy(dtype=np.int64)
    return np.concatenate([start, start + answered[["width", "height"]].to_numpy(dtype=np.int64)], axis=1)


def inside(windows: NDArray[np.int64], grid: Grid) -> NDArray[np.int64]:
    """The part of each window that the scene has pixels for."""
    return np.minimum(windows, [grid.width, grid.height, grid.width, grid.height])


def tile_rows(answered: pd.DataFrame, n_boxes: Sequence[int], georeferencer: Georeferencer) -> pd.DataFrame:
    """The tiles table's rows. n_boxes: what each tile's own answer gave."""
    asked = answered.status.notna() & (answered.batch_id >= 0)
    windows = inside(windows_of(answered), georeferencer.grid)
    why = answered.error.where(answered.error.astype(bool), answered.text)
    return pd.DataFrame(
        {
            "tile_id": answered.tile_id.to_numpy(),
            "answer_id": answered.answer_id.to_numpy(),
            "scene": answered.scene.to_numpy(),
            "window_px": pd.Series(windows.tolist(), dtype=object),
            "status": _known(answered.status),
            "attempts": answered.attempts.where(asked, 0).to_numpy(dtype=np.int64),
            "seconds": answered.seconds.where(asked).to_numpy(dtype=np.float64),
            "n_evidence": np.asarray(n_boxes, dtype=np.int64),
            "text": _known(why.where(asked)),
            "pixels_hash": _known(answered.pixels_hash.where(asked)),
            "geometry": _polygons(windows, georeferencer),
        },
        columns=COLUMNS,
    )


def _known(values: pd.Series[Any]) -> NDArray[np.object_]:
    """None where there is nothing."""
    return values.astype(object).where(values.notna(), None).to_numpy()


def _polygons(windows: NDArray[np.int64], georeferencer: Georeferencer) -> NDArray[np.object_]:
    """None where the scene has no pixels, or a corner has no place."""
    polygons = np.full(len(windows), None, dtype=object)
    some = np.flatnonzero((windows[:, 0] < windows[:, 2]) & (windows[:, 1] < windows[:, 3]))
    boxes = PixelBoxes(windows[some].astype(np.float64), np.full(len(some), np.nan))
    polygons[some] = georeferencer.polygons(boxes)
    return polygons

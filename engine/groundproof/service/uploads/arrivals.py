"""Which pixels of a scene have come, told from the rectangles that came.

Knows rectangles. Refuses to know files.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from groundproof.boxes import Window
from groundproof.service.uploads.scene_spec import Missing


def missing_of(width: int, height: int, windows: Sequence[Window]) -> Missing:
    """What no window covers. Windows lie inside the scene and may overlap.

    A sweep over the rows where a window begins or ends; between two of them all rows are alike. Exact, and its memory
    is that of one row of distinct columns, whatever the number of pixels.
    """
    if not windows:
        return Missing(width * height, Window(0, 0, width, height))
    rects = np.array([(w.x0, w.y0, w.x1, w.y1) for w in windows], dtype=np.int64)
    xs = np.unique(np.concatenate([rects[:, 0], rects[:, 2], [0, width]]))
    ys = np.unique(np.concatenate([rects[:, 1], rects[:, 3], [0, height]]))
    starts, ends = np.searchsorted(xs, rects[:, 0]), np.searchsorted(xs, rects[:, 2])
    widths = np.diff(xs)
    pixels = 0
    first: Window | None = None
    depth = np.zeros(len(xs), dtype=np.int64)
    begins = {int(y): np.flatnonzero(rects[:, 1] == y) for y in np.unique(rects[:, 1])}
    finishes = {int(y): np.flatnonzero(rects[:, 3] == y) for y in np.unique(rects[:, 3])}
    for y0, y1 in zip(ys[:-1].tolist(), ys[1:].tolist(), strict=True):
        for rows, sign in ((begins.get(y0), 1), (finishes.get(y0), -1)):
            if rows is not None:
                np.add.at(depth, starts[rows], sign)
                np.add.at(depth, ends[rows], -sign)
        gap = depth.cumsum()[:-1] == 0
        if gap.any():
            pixels += int(widths[gap].sum()) * (y1 - y0)
            first = first or _first_run(gap, xs, y0, y1)
    return Missing(pixels, first)


def _first_run(gap: NDArray[np.bool_], xs: NDArray[np.int64], y0: int, y1: int) -> Window:
    start = int(gap.argmax())
    rest = gap[start:]
    stop = start + (len(rest) if rest.all() else int(rest.argmin()))
    return Window(int(xs[start]), y0, int(xs[stop] - xs[start]), y1 - y0)

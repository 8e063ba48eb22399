"""The windows of a scene, laid into one GeoTIFF.

Knows window files that this service wrote itself and where each lies. Refuses to know uploads.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import rasterio
from rasterio.enums import ColorInterp
from rasterio.windows import Window as RioWindow

from groundproof.boxes import Window
from groundproof.service.uploads.decode_child import BLOCK_PX, profile

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from rasterio.io import DatasetReader

CHUNK_COLS = 8 * BLOCK_PX
OPEN_FILES = 64


@dataclass(frozen=True, slots=True)
class Piece:
    """One window's pixels: a GeoTIFF with the scene's bands and an alpha band behind them."""

    window: Window
    path: Path


def assemble(target: Path, width: int, height: int, bands: int, dtype: str, pieces: Sequence[Piece]) -> None:
    """Write one GeoTIFF: bands, then alpha. Later pieces lie over earlier ones; where none lies alpha is 0.

    Blocks without any piece are not written, so a sparse scene costs what came of it.

    Raises OSError and RasterioError when the disk does not take it.
    """
    rects = np.array([(p.window.x0, p.window.y0, p.window.x1, p.window.y1) for p in pieces]).reshape(-1, 4)
    with (
        rasterio.Env(GDAL_PAM_ENABLED=False),
        rasterio.open(target, "w", **profile(width, height, bands, dtype, alpha=True, rgb=bands == 3)) as dst,
        _OpenPieces() as opened,
    ):
        roles = (
            [ColorInterp.red, ColorInterp.green, ColorInterp.blue]
            if bands == 3
            else [ColorInterp.undefined] * bands
        )
        dst.colorinterp = [ColorInterp.gray] * (bands == 1) + roles * (bands != 1) + [ColorInterp.alpha]
        for y in range(0, height, BLOCK_PX):
            for x in range(0, width, CHUNK_COLS):
                chunk = Window(x, y, min(CHUNK_COLS, width - x), min(BLOCK_PX, height - y))
                touching = np.flatnonzero(
                    (rects[:, 0] < chunk.x1)
                    & (rects[:, 2] > x)
                    & (rects[:, 1] < chunk.y1)
                    & (rects[:, 3] > y)
                )
                if len(touching):
                    values = np.zeros((bands + 1, chunk.height, chunk.width), dtype=dtype)
                    for number in touching.tolist():
                        _lay(values, chunk, pieces[number], opened)
                    dst.write(values, window=RioWindow(x, y, chunk.width, chunk.height))


def _lay(values: NDArray[np.generic], chunk: Window, piece: Piece, opened: _OpenPieces) -> None:
    """Copy what a piece and a chunk have in common."""
    window = piece.window
    x0, x1 = max(chunk.x0, window.x0), min(chunk.x1, window.x1)
    y0, y1 = max(chunk.y0, window.y0), min(chunk.y1, window.y1)
    source = RioWindow(x0 - window.x0, y0 - window.y0, x1 - x0, y1 - y0)
    values[:, y0 - chunk.y0 : y1 - chunk.y0, x0 - chunk.x0 : x1 - chunk.x0] = opened.get(piece.path).read(
        window=source
    )


class _OpenPieces:
    """The files last read from, kept open: a piece is met again in the next row of chunks."""

    def __init__(self) -> None:
        self._open: OrderedDict[Path, DatasetReader] = OrderedDict()

    def get(self, path: Path) -> DatasetReader:
        if path not in self._open:
            if len(self._open) >= OPEN_FILES:
                self._open.popitem(last=False)[1].close()
            self._open[path] = rasterio.open(path, driver="GTiff")
        self._open.move_to_end(path)
        return self._open[path]

    def __enter__(self) -> _OpenPieces:
        return self

    def __exit__(self, *_: object) -> None:
        with ExitStack() as stack:
            for dataset in self._open.values():
                stack.callback(dataset.close)

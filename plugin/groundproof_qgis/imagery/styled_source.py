"""Pixels of one raster layer in its style's colours, on a grid of its own CRS.

Knows the layer's pipe (provider, renderer, colour filters). Refuses to know map projections: nothing is warped here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Callable

from qgis.core import QgsRasterBlockFeedback, QgsRasterLayer, QgsRectangle
from qgis.PyQt.QtCore import QTimer
from qgis.PyQt.QtGui import QImage

from groundproof_qgis.i18n_text import tr
from groundproof_qgis.imagery.errors import PixelError
from groundproof_qgis.imagery.fetching import Fetching, TileReplies
from groundproof_qgis.imagery.grid import Grid, Part
from groundproof_qgis.imagery.picture import averaged, png
from groundproof_qgis.imagery.rendered import POLL_MS, LayerCopies
from groundproof_qgis.imagery.scene import PixelSource, PixelWindow, SceneSpec


class StyledSource(PixelSource):
    """PNG windows, RGBA, alpha 0 where the layer shows nothing.

    layer: a copy, taken over. grid: north up, in the layer's CRS. parts: of it, to send. times: how much finer is
    read, then averaged: pixels that are not the layer's own are the nearest of them.
    """

    def __init__(
        self, spec: SceneSpec, grid: Grid, parts: Sequence[Part], layer: QgsRasterLayer, times: int = 1
    ) -> None:
        self.spec = spec
        self._times = times
        self._grid = grid
        self._parts = tuple(parts)
        layer.renderer().setOpacity(1.0)  # a transparent layer has the same pixels
        self._name = layer.name()
        self._tiles = TileReplies([layer])
        self._copies = LayerCopies([layer])

    def windows(self, cancelled: Callable[[], bool]) -> Iterator[PixelWindow]:
        """See `PixelSource`. Raises PixelError when the layer cannot be read: a service that does not answer."""
        with self._copies as (layer,):
            for part in self._parts:
                image = None if cancelled() else self._read(layer, part, cancelled)
                if image is None:
                    return
                yield PixelWindow(part.x0, part.y0, part.width, part.height, png(image), "image/png")

    def close(self) -> None:
        """See `PixelSource`."""
        self._tiles.close()
        self._copies.forget()

    def _read(self, layer: QgsRasterLayer, part: Part, cancelled: Callable[[], bool]) -> QImage | None:
        grid = self._grid.part(part).finer(self._times)
        (left, top), (right, bottom) = grid.to_map(0, 0), grid.to_map(grid.width, grid.height)
        feedback, timer = QgsRasterBlockFeedback(), QTimer()
        # While a provider waits for the network it runs this thread's events, this timer among them.
        timer.timeout.connect(lambda: feedback.cancel() if cancelled() else None)
        timer.start(POLL_MS)
        with Fetching(self._tiles) as fetching:
            block = (
                layer.pipe()
                .last()
                .block(1, QgsRectangle(left, bottom, right, top), grid.width, grid.height, feedback)
            )
        timer.stop()
        if feedback.isCanceled():
            return None
        fetching.check()
        if feedback.errors() or block is None or not block.isValid():
            reason = feedback.errors()[0] if feedback.errors() else tr("nothing came")
            raise PixelError(
                tr('The layer "{layer}" cannot be read: {reason}. Check its source, then ask again.').format(
                    layer=self._name, reason=reason.strip().rstrip(".")
                )
            )
        return averaged(block.image(), self._times)

"""Pixels of a map, drawn window by window in the thread that sends them.

Knows map settings and copies of layers. Refuses to know the canvas and the project: both may change meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Callable

from qgis.core import (
    QgsMapLayer,
    QgsMapRendererCustomPainterJob,
    QgsMapSettings,
    QgsRectangle,
)
from qgis.PyQt.QtCore import (
    QCoreApplication,
    QSize,
    QThread,
    QTimer,
)
from qgis.PyQt.QtGui import QImage, QPainter

from groundproof_qgis.i18n_text import tr
from groundproof_qgis.imagery.errors import PixelError
from groundproof_qgis.imagery.fetching import Fetching, TileReplies
from groundproof_qgis.imagery.grid import SNAP_PX, Grid, Part, grid_around
from groundproof_qgis.imagery.picture import averaged, png, turned
from groundproof_qgis.imagery.scene import PixelSource, PixelWindow, SceneSpec

MARGIN_PX = 64
"""Drawn around each window and cut off, so that symbols and resampling cross the seams unseen."""
POLL_MS = 100


def thread_free(layers: Sequence[QgsMapLayer]) -> list[QgsMapLayer]:
    """The layers, once they belong to no thread; the one that reads them takes them. From their own thread."""
    for layer in layers:
        layer.moveToThread(None)
    return list(layers)


class LayerCopies:
    """Copies of layers, for any one thread at a time; back on the main thread when it is done with them."""

    def __init__(self, layers: Sequence[QgsMapLayer]) -> None:
        self.layers = thread_free(layers)
        self._names = {layer.id(): layer.name() for layer in layers}

    def __enter__(self) -> list[QgsMapLayer]:
        for layer in self.layers:
            layer.moveToThread(QThread.currentThread())
        return self.layers

    def __exit__(self, *_: object) -> None:
        main = QCoreApplication.instance().thread()
        for layer in self.layers:
            layer.moveToThread(main)

    def name(self, layer_id: str) -> str:
        """What the layer is called, for sentences."""
        return self._names.get(layer_id, layer_id)

    def forget(self) -> None:
        """Delete them. From the main thread, when nobody reads."""
        self.layers = []


class RenderedSource(PixelSource):
    """A map as one scene: PNG windows, RGBA, alpha 0 where nothing is drawn.

    settings: all but layers, extent and size; upright. grid: square pixels, in the settings' CRS. parts: of it, to
    send. times: how much finer is drawn, then averaged: QGIS takes the nearest pixel of a raster that it resamples, so
    everything in it may be off by half a pixel of what is drawn.
    """

    def __init__(
        self,
        spec: SceneSpec,
        grid: Grid,
        parts: Sequence[Part],
        settings: QgsMapSettings,
        layers: Sequence[QgsMapLayer],
        times: int = 1,
    ) -> None:
        self.spec = spec
        self._times = times
        self._grid = grid
        self._parts = tuple(parts)
        self._settings = settings
        self._tiles = TileReplies(layers)
        self._copies = LayerCopies(layers)

    def windows(self, cancelled: Callable[[], bool]) -> Iterator[PixelWindow]:
        """See `PixelSource`. Raises PixelError when a layer cannot be drawn: empty ground is never an error unseen."""
        with self._copies as layers:
            self._settings.setLayers(layers)
            for part in self._parts:
                image = None if cancelled() else self._draw(part, cancelled)
                if image is None:
                    return
                yield PixelWindow(part.x0, part.y0, part.width, part.height, png(image), "image/png")

    def close(self) -> None:
        """See `PixelSource`."""
        self._settings.setLayers([])
        self._tiles.close()
        self._copies.forget()

    def _draw(self, part: Part, cancelled: Callable[[], bool]) -> QImage | None:
        wanted = self._grid.part(part)
        upright = grid_around(wanted.corners(), wanted.pixel_size[0]) if is_turned(wanted) else wanted
        drawn = upright.part(
            Part(-MARGIN_PX, -MARGIN_PX, upright.width + 2 * MARGIN_PX, upright.height + 2 * MARGIN_PX)
        )
        drawn = drawn.finer(self._times)
        frame(self._settings, drawn)
        image = draw(self._settings, self._copies, self._tiles, cancelled)
        if image is None:
            return None
        fine = wanted.finer(self._times)
        if is_turned(wanted):
            return averaged(turned(image, drawn, fine), self._times)
        margin = self._times * MARGIN_PX
        return averaged(image.copy(margin, margin, fine.width, fine.height), self._times)


def is_turned(grid: Grid) -> bool:
    """Whether its rows do not run along the map's x axis."""
    return grid.affine[1] != 0 or grid.affine[0] < 0


def frame(settings: QgsMapSettings, grid: Grid) -> None:
    """Make the settings draw exactly this upright grid.

    QGIS draws rasters into whole pixels outwards of the extent: rounding must not put that a hair outside the picture,
    or they are stretched by a pixel. So the extent that is drawn is a hair smaller.
    """
    (x, y), (step, _) = grid.centre, grid.pixel_size
    across, down = grid.width * step / 2, grid.height * step / 2
    settings.setOutputSize(QSize(grid.width, grid.height))
    settings.setExtent(QgsRectangle(x - across, y - down, x + across, y + down))
    settings.setExtentBuffer(-SNAP_PX * step)


def draw(
    settings: QgsMapSettings, copies: LayerCopies, tiles: TileReplies, cancelled: Callable[[], bool]
) -> QImage | None:
    """The picture, drawn in this thread; None when it was cancelled. Raises PixelError for what cannot be drawn."""
    image = QImage(settings.outputSize(), QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(0)
    painter, timer = QPainter(image), QTimer()
    job = QgsMapRendererCustomPainterJob(settings, painter)
    # While a provider waits for the network it runs this thread's events, this timer among them.
    timer.timeout.connect(lambda: job.cancelWithoutBlocking() if cancelled() else None)
    timer.start(POLL_MS)
    with Fetching(tiles) as fetching:
        job.renderSynchronously()
    timer.stop()
    painter.end()
    if cancelled():
        return None
    for error in job.errors():
        raise PixelError(
            tr(
                'The layer "{layer}" cannot be drawn: {reason}. Repair it or switch it off, then ask again.'
            ).format(layer=copies.name(error.layerID), reason=error.message.strip().rstrip("."))
        )
    fetching.check()
    return image

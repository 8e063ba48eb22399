"""A window of a scene as the model sees it: RGB uint8, in block order, ahead of the model, bounded memory.

Knows pixels and threads. Refuses to know CRS, prompts and answers. Pixels are never warped here.
"""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from dataclasses import dataclass
from functools import cached_property
from queue import Empty, Full, Queue
from typing import TYPE_CHECKING

import numpy as np
from rasterio.errors import RasterioError

from groundproof.boxes import Tile, Window
from groundproof.data_cells import pack
from groundproof.datasets import short
from groundproof.errors import ReadError, SceneError
from groundproof.stretch import FILL, Stretch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType

    from numpy.typing import NDArray

    from groundproof.bands import RawPixels
    from groundproof.scene import Scene

AHEAD_TILES = 4
"""Tiles read before they are asked for. Four hide a network's delay and cost 10 MB at 896 px."""
POLL_S = 0.1


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
class _Piece:
    """Raw pixels of the part of a tile that lies in the scene, and where it goes: x, y in model pixels."""

    raw: RawPixels
    x: int
    y: int


_Item = tuple[Tile, "_Piece | ReadError"] | BaseException | None


def read_tile(scene: Scene, stretch: Stretch, tile: Tile) -> TilePixels:
    """Read one tile with this thread's handle. Where it reaches past the scene it is padded.

    Raises:
        ReadError: when its pixels cannot be read; other tiles may still be readable.
    """
    return _finish(_read_piece(scene, tile), stretch, tile)


def _read_piece(scene: Scene, tile: Tile, buffer: NDArray[np.generic] | None = None) -> _Piece:
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
    return _Piece(raw, left, top)


def _reason(err: BaseException) -> str:
    """GDAL's own words rather than rasterio's "Read failed. See previous exception for details."."""
    if isinstance(err, MemoryError):
        return "not enough memory"
    deepest: BaseException = err
    while deepest.__cause__ is not None:
        deepest = deepest.__cause__
    return str(deepest).strip().rstrip(".") or type(deepest).__name__


def _finish(piece: _Piece, stretch: Stretch, tile: Tile) -> TilePixels:
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


class TileReader:
    """Reads tiles in the given order in a background thread, at most `ahead` of who iterates.

    Iterating yields (tile, TilePixels or ReadError); a tile that cannot be read never stops the others.
    Decoding happens in the background; brightness and padding in the thread that iterates, so that both
    cores work. Tiles are pulled lazily. Iterate once; `close` (or leaving the `with`) stops the thread.
    """

    def __init__(
        self, scene: Scene, stretch: Stretch, tiles: Iterable[Tile], *, ahead: int = AHEAD_TILES
    ) -> None:
        if ahead < 1:
            raise ValueError(f"a reader must be at least 1 tile ahead, got {ahead}")
        self._scene = scene
        self._stretch = stretch
        self._tiles = tiles
        self._queue: Queue[_Item] = Queue(maxsize=ahead)
        # Memory goes round: fresh pages for every tile would cost as much as the stretch.
        self._spares: deque[NDArray[np.generic]] = deque(maxlen=ahead + 2)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def __iter__(self) -> Iterator[tuple[Tile, TilePixels | ReadError]]:
        if self._thread is not None:
            raise RuntimeError("a TileReader is iterated once; make another one")
        self._thread = threading.Thread(target=self._work, name=f"read {self._scene.name}", daemon=True)
        self._thread.start()
        return self._results()

    def _results(self) -> Iterator[tuple[Tile, TilePixels | ReadError]]:
        try:
            while not self._stop.is_set():
                try:
                    item = self._queue.get(timeout=POLL_S)
                except Empty:
                    continue
                if item is None:
                    return
                if isinstance(item, BaseException):
                    raise item
                tile, piece = item
                if isinstance(piece, ReadError):
                    yield tile, piece
                    continue
                pixels = _finish(piece, self._stretch, tile)
                if piece.raw.buffer is not None:
                    self._spares.append(piece.raw.buffer)
                yield tile, pixels
        finally:
            self.close()

    def _work(self) -> None:
        try:
            for tile in self._tiles:
                if self._stop.is_set():
                    return
                try:
                    result: _Piece | ReadError = _read_piece(self._scene, tile, self._spare())
                except ReadError as err:
                    result = err
                self._put((tile, result))
            self._put(None)
        except BaseException as err:  # noqa: BLE001 - carried to the thread that iterates and raised there
            self._put(err)
        finally:
            self._scene.pool.release()

    def _spare(self) -> NDArray[np.generic] | None:
        try:
            return self._spares.popleft()
        except IndexError:
            return None

    def _put(self, item: _Item) -> None:
        while not self._stop.is_set():
            try:
                self._queue.put(item, timeout=POLL_S)
            except Full:
                continue
            return

    def close(self) -> None:
        """Stop reading. Safe to call twice and from any thread; waits for the window being read."""
        self._stop.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def __enter__(self) -> TileReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

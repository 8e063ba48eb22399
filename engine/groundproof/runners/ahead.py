"""Pixels of tiles before they are asked for, from scene to scene: decoding, brightness and hashes in the background.

Knows threads, the order of tiles, and when to try again. Refuses to know what is asked of a tile.

Tiles of one scene that follow each other are read by one thread with one handle, in the order given, so that GDAL
decodes no block twice; the next scene is opened and read by the other thread meanwhile. So at most two scenes
are open, and at most `ahead` tiles wait, however many there are of either.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from itertools import islice
from types import TracebackType
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from groundproof.boxes import Tile
from groundproof.errors import ReadError, SceneError, UnreachableError
from groundproof.reading import TilePixels, may_pass

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from groundproof.reading import RawTile
    from groundproof.sources import Views

AHEAD_TILES = 4
"""Tiles read before they are asked for, at least. Four hide a network's delay and cost 10 MB at 896 px."""
READERS = 2
"""Threads that read, each with one scene open."""
TRIES = 3
"""How often a scene is opened, or a tile read, before it counts as unreadable."""
BACKOFF_S = 0.5
"""Wait before the second try; twice as long before each further one."""
PATIENCE_TILES = 20
"""Tiles in a row that stayed unreadable, after which a scene is taken for damaged: its further ones are tried once,
or a damaged scene of 100,000 tiles would be waited for two days."""


class Wanted(Protocol):
    """A tile to read; the reader gives it back with its pixels."""

    @property
    def scene(self) -> str:
        """The scene's name."""

    @property
    def tile(self) -> Tile:
        """Which window of it."""


W = TypeVar("W", bound=Wanted)


class Openable(Protocol):
    """What opens scenes by name: `Sources`."""

    def views(self, name: str) -> AbstractContextManager[Views]:
        """Raises SceneError."""


@dataclass(frozen=True, slots=True)
class Found:
    """Pixels of every date of one tile, or why they cannot be had.

    of_scene: the whole scene cannot be opened, or is another file than was planned. tries: how often it was tried.
    """

    pixels: tuple[TilePixels, ...] | SceneError
    tries: int
    of_scene: bool = False


class Ahead(Generic[W]):
    """Reads tiles in the given order in the background, at most `ahead` before who iterates.

    Iterating yields each with what was `Found`; what cannot be read never stops the others. Tiles are pulled lazily,
    in the thread that iterates. Iterate once; `close` (or leaving the `with`) stops the threads.
    """

    def __init__(self, sources: Openable, wanted: Iterable[W], *, ahead: int = AHEAD_TILES) -> None:
        if ahead < 1:
            raise ValueError(f"a reader must be at least 1 tile ahead, got {ahead}")
        self._wanted = iter(wanted)
        self._ahead = ahead
        self._stop = threading.Event()
        self._iterated = False
        # Memory goes round: fresh pages for every tile would cost as much as the stretch.
        self._spares: deque[NDArray[np.generic]] = deque(maxlen=ahead + READERS)
        self._readers = [_Reader(sources, self._stop, self._spares) for _ in range(READERS)]
        self._threads = [ThreadPoolExecutor(1, thread_name_prefix=f"read {n}") for n in range(READERS)]
        self._finisher = ThreadPoolExecutor(1, thread_name_prefix="finish")
        self._scene: str | None = None
        self._turn = 0

    def __iter__(self) -> Iterator[tuple[W, Found]]:
        if self._iterated:
            raise RuntimeError("tiles are read once; make another reader")
        self._iterated = True
        return self._results()

    def _results(self) -> Iterator[tuple[W, Found]]:
        # Not closed in a `finally`: the garbage collector ends a forgotten generator wherever it likes, also inside a
        # lock that closing needs.
        waiting: deque[tuple[W, Future[Found]]] = deque()
        while not self._stop.is_set():
            for wanted in islice(self._wanted, self._ahead + 1 - len(waiting)):
                waiting.append((wanted, self._begin(wanted)))
            if not waiting:
                self.close()
                return
            wanted, result = waiting.popleft()
            yield wanted, result.result()

    def _begin(self, wanted: W) -> Future[Found]:
        if wanted.scene != self._scene:
            self._scene, self._turn = wanted.scene, (self._turn + 1) % READERS
        result: Future[Found] = Future()
        self._threads[self._turn].submit(
            self._read, self._readers[self._turn], wanted.scene, wanted.tile, result
        )
        return result

    def _read(self, reader: _Reader, scene: str, tile: Tile, result: Future[Found]) -> None:
        if self._stop.is_set():
            result.cancel()
            return
        try:
            found = reader.read(scene, tile)
            if isinstance(found, Found):
                result.set_result(found)
            else:
                self._finisher.submit(self._finish, found, tile, result)
        except BaseException as err:  # noqa: BLE001 - carried to the thread that iterates and raised there
            result.set_exception(err)

    def _finish(self, decoded: _Decoded, tile: Tile, result: Future[Found]) -> None:
        try:
            pixels = decoded.views.finish(decoded.raw, tile)
            for piece in decoded.raw:
                if piece.raw.buffer is not None:
                    self._spares.append(piece.raw.buffer)
            _ = pixels[0].pixels_hash  # made here, where nobody waits
            result.set_result(Found(pixels, decoded.tries))
        except BaseException as err:  # noqa: BLE001 - as above
            result.set_exception(err)

    def close(self) -> None:
        """Stop reading. Safe to call twice and from any thread; waits for the windows being read."""
        self._stop.set()
        for reader, thread in zip(self._readers, self._threads, strict=True):
            try:
                thread.submit(reader.leave)  # handles are closed by the thread that has them
            except RuntimeError:  # closed before
                continue
        for thread in (*self._threads, self._finisher):
            thread.shutdown(wait=True)

    def __enter__(self) -> Ahead[W]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class _Decoded:
    """A tile of every date, before brightness."""

    views: Views
    raw: tuple[RawTile, ...]
    tries: int


class _Reader:
    """What one thread does: one scene open at a time, tiles of it decoded, failures tried again."""

    def __init__(self, sources: Openable, stop: threading.Event, spares: deque[NDArray[np.generic]]) -> None:
        self._sources = sources
        self._stop = stop
        self._spares = spares
        self._scene: str | None = None
        self._open = ExitStack()
        self._views: Views | None = None
        self._lost: Found | None = None
        """Why the scene at hand cannot be opened: said of all its tiles, tried once."""
        self._unreadable = 0
        """Tiles of it in a row."""

    def read(self, scene: str, tile: Tile) -> _Decoded | Found:
        """A tile, tried `TRIES` times; the scene is opened anew, and its identity checked, before each further one."""
        if scene != self._scene:
            self.leave()
            self._scene, self._lost, self._unreadable = scene, None, 0
        if self._lost is not None:
            return self._lost
        for tried in range(1, TRIES + 1):
            try:
                raw = self._opened(scene).decode(tile, self._spare)
            except SceneError as err:
                self.leave()
                if tried < TRIES and self._worth_another(err) and not self._wait(tried):
                    continue
                return self._failed(err, tried)
            self._unreadable = 0
            return _Decoded(self._opened(scene), raw, tried)
        raise AssertionError("the last try returns")

    def leave(self) -> None:
        """Close the scene that is open, if any."""
        self._open.close()
        self._views = None

    def _opened(self, scene: str) -> Views:
        if self._views is None:
            self._views = self._open.enter_context(self._sources.views(scene))
        return self._views

    def _worth_another(self, err: SceneError) -> bool:
        if isinstance(err, ReadError):
            return may_pass(err) and self._unreadable < PATIENCE_TILES
        return isinstance(err, UnreachableError)

    def _wait(self, tried: int) -> bool:
        """True when there is nobody to wait for any more."""
        return self._stop.wait(BACKOFF_S * 2 ** (tried - 1))

    def _failed(self, err: SceneError, tries: int) -> Found:
        if isinstance(err, ReadError):
            self._unreadable += 1
            return Found(err, tries)
        self._lost = Found(err, tries, of_scene=True)
        return self._lost

    def _spare(self) -> NDArray[np.generic] | None:
        try:
            return self._spares.popleft()
        except IndexError:
            return None

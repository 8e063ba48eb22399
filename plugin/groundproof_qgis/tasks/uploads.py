"""Sending windows of pixels while the next ones are made.

Knows that two threads work: the one that reads pixels hands windows over, this one sends them. Refuses to know where
pixels come from.
"""

from __future__ import annotations

import queue
from collections.abc import Callable
from types import TracebackType

from qgis.PyQt.QtCore import QThread

from groundproof_qgis.engine.client import EngineClient
from groundproof_qgis.engine.errors import EngineError
from groundproof_qgis.engine.exchange import LOOK_MS, cancelled_error
from groundproof_qgis.engine.patience import patiently
from groundproof_qgis.imagery.scene import PixelWindow

AHEAD = 2
"""Windows that wait to be sent; each holds its bytes."""

CONFLICT = 409


class Uploads:
    """Use it as a context; leaving it waits until all is sent, or stops at once when an exception leaves it.

    client: not used by anybody else meanwhile. sent: told the pixels of each window that has arrived, from another
    thread. waiting: told why a window is tried again, from another thread.
    """

    def __init__(
        self, client: EngineClient, sent: Callable[[int], None], waiting: Callable[[str], None]
    ) -> None:
        self._client = client
        self._sent = sent
        self._waiting = waiting
        self._queue: queue.Queue[tuple[str, PixelWindow] | None] = queue.Queue(AHEAD)
        self._error: BaseException | None = None
        self._stopped = False
        self._thread = _Sender(self._send_all)

    def __enter__(self) -> Uploads:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped = kind is not None
        try:
            self._hand_over(None)
        finally:
            self._thread.wait()
        if kind is None and self._error is not None:
            raise self._error

    def put(self, scene_id: str, window: PixelWindow) -> None:
        """Hand a window over; waits while others wait. Raises EngineError of an earlier window, or cancelled."""
        if not self._hand_over((scene_id, window)):
            raise self._error or cancelled_error()

    def _hand_over(self, item: tuple[str, PixelWindow] | None) -> bool:
        while self._error is None:
            if item is not None and self._client.cancelled():
                return False
            try:
                self._queue.put(item, timeout=LOOK_MS / 1000)
            except queue.Full:
                continue
            return True
        return False

    def _send_all(self) -> None:
        try:
            while (item := self._queue.get()) is not None:
                if self._stopped:
                    return
                self._send(*item)
        except BaseException as err:  # noqa: BLE001 - raised again in the thread that hands windows over
            self._error = err

    def _send(self, scene_id: str, window: PixelWindow) -> None:
        def put() -> None:
            try:
                self._client.put_window(scene_id, window)
            except EngineError as err:
                # The last window completes a scene. When only the answer to it was lost and it is sent again (Qt does
                # that by itself too), nothing more is taken.
                if err.status != CONFLICT or self._client.scene(scene_id).get("missing_pixels") != 0:
                    raise

        patiently(put, self._client.cancelled, self._waiting, again_after_drop=True)
        self._sent(window.width * window.height)


class _Sender(QThread):
    """A thread of Qt's, so that what QGIS keeps for each thread is cleaned up with it."""

    def __init__(self, work: Callable[[], None]) -> None:
        super().__init__()
        self._work = work

    def run(self) -> None:
        """Called by Qt."""
        self._work()

"""One request and its answer, waited for in the thread that asks.

Knows waiting: cancelling, silence, limits of size. Refuses to know what is asked, and how it is sent (`transfer`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import Empty
from typing import Any

from qgis.PyQt.QtCore import QCoreApplication, QEventLoop, QThread, QTimer

from groundproof_qgis.engine.address import EngineAddress
from groundproof_qgis.engine.errors import CANCELLED, FAILED, EngineError
from groundproof_qgis.engine.network_error import dropped, silent
from groundproof_qgis.engine.problem import error_of
from groundproof_qgis.engine.requests import Request
from groundproof_qgis.engine.transfer import End, Parcel, Piece, courier
from groundproof_qgis.i18n_text import tr

LOOK_MS = 100
"""How often somebody who cancels is looked for."""

TURN_MS = 10
"""The same of what has come, on the main thread, which delivers it itself meanwhile."""

MAX_ANSWER_BYTES = 256 << 20
"""Of an answer that is held in memory."""

Cancelled = Callable[[], bool]
Taken = Callable[[bytes], None]


@dataclass(frozen=True)
class Waiting:
    """How an answer is waited for.

    silence_s: without a byte in either direction. grace_s: how much longer after somebody cancelled, for requests whose
    answer should not be lost. taken: is given the body of a 2xx answer as it comes, in place of `Answer.body`; what it
    raises is raised. looked: called about every `LOOK_MS`. accepted: statuses that are answers, beside 2xx.
    """

    silence_s: float = 60.0
    grace_s: float = 0.0
    taken: Taken | None = None
    looked: Callable[[], None] | None = None
    max_bytes: int = MAX_ANSWER_BYTES
    accepted: tuple[int, ...] = ()


@dataclass(frozen=True)
class Answer:
    """status: of HTTP. headers: by lower-case name. body: empty where it was taken."""

    status: int
    headers: dict[str, str] = field(hash=False)
    body: bytes


def never() -> bool:
    """Nobody cancels."""
    return False


def exchange(address: EngineAddress, request: Request, cancelled: Cancelled, waiting: Waiting) -> Answer:
    """Send, wait, and give the answer. In a worker thread; on the main one its events go on meanwhile.

    Raises EngineError of every kind, and what `waiting.taken` and `waiting.looked` raise.
    """
    parcel = Parcel(address, request)
    courier().send(parcel)
    try:
        return _Exchange(parcel, cancelled, waiting).answer()
    finally:
        courier().drop(parcel)


class _Exchange:
    def __init__(self, parcel: Parcel, cancelled: Cancelled, waiting: Waiting) -> None:
        self._parcel = parcel
        self._url = parcel.address.url
        self._cancelled = cancelled
        self._waiting = waiting
        self._body = bytearray()
        self._received = 0
        self._alive = time.monotonic()
        self._given_up_at: float | None = None
        self._next_look = 0.0

    def answer(self) -> Answer:
        take = _turned if QThread.currentThread() == QCoreApplication.instance().thread() else _waited
        while True:
            self._look()
            came = take(self._parcel)
            if came is None:
                continue
            self._alive = time.monotonic()
            if isinstance(came, Piece):
                self._take(came)
            elif isinstance(came, End):
                return self._judged(came)

    def _take(self, piece: Piece) -> None:
        self._received += len(piece.data)
        if self._waiting.taken is not None and piece.status is not None and 200 <= piece.status < 300:
            self._waiting.taken(piece.data)
            return
        if self._received > self._waiting.max_bytes:
            sentence = tr("The answer of {url} is larger than {limit} MB, so it was not read to its end.")
            limit = self._waiting.max_bytes >> 20
            raise EngineError(sentence.format(url=self._url, limit=limit), FAILED, piece.status)
        self._body += piece.data

    def _judged(self, end: End) -> Answer:
        if end.error is not None:
            raise end.error
        status = end.status or 0
        if not (200 <= status < 300 or status in self._waiting.accepted):
            raise error_of(self._url, status, end.headers, bytes(self._body))
        if 200 <= status < 300 and end.dropped is not None:
            raise dropped(self._url, end.dropped)
        whole = end.headers.get("content-length", "")
        if whole.isdecimal() and int(whole) != self._received:
            sentence = tr("{received} of {whole} bytes came")
            raise dropped(self._url, sentence.format(received=self._received, whole=whole))
        return Answer(status, end.headers, bytes(self._body))

    def _look(self) -> None:
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + LOOK_MS / 1000
        if self._waiting.looked is not None:
            self._waiting.looked()
        if self._given_up_at is None and self._cancelled():
            self._given_up_at = now
        if self._given_up_at is not None and now - self._given_up_at >= self._waiting.grace_s:
            raise cancelled_error()
        if now - self._alive > self._waiting.silence_s:
            raise silent(self._url, self._waiting.silence_s)


def _waited(parcel: Parcel) -> Any:
    """What comes next; None when nothing came in time."""
    try:
        return parcel.inbox.get(timeout=LOOK_MS / 1000)
    except Empty:
        return None


def _turned(parcel: Parcel) -> Any:
    """The same on the main thread."""
    if parcel.inbox.empty():
        loop = QEventLoop()
        QTimer.singleShot(TURN_MS, loop.quit)
        loop.exec()
    try:
        return parcel.inbox.get_nowait()
    except Empty:
        return None


def cancelled_error() -> EngineError:
    """Somebody on this side did not want to wait."""
    return EngineError(tr("Cancelled."), CANCELLED)


def pause(seconds: float, cancelled: Cancelled) -> None:
    """Wait in a worker thread. Raises EngineError (cancelled) soon after somebody cancels."""
    end = time.monotonic() + seconds
    while True:
        if cancelled():
            raise cancelled_error()
        left = end - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(left, LOOK_MS / 1000))

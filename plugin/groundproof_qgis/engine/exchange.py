"""One request and its answer, waited for in the thread that asks.

Knows waiting: an event loop of its own, cancelling, silence, limits of size. Refuses to know what is asked.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from qgis.PyQt import sip
from qgis.PyQt.QtCore import QEventLoop, QTimer
from qgis.PyQt.QtNetwork import QNetworkReply, QNetworkRequest, QSslError

from groundproof_qgis.engine.address import EngineAddress
from groundproof_qgis.engine.errors import CANCELLED, FAILED, EngineError
from groundproof_qgis.engine.network_error import dropped, no_answer, silent
from groundproof_qgis.engine.problem import error_of
from groundproof_qgis.engine.requests import Request, manager_for, send
from groundproof_qgis.i18n_text import tr

LOOK_MS = 100
"""How often somebody who cancels is looked for."""

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
    """Send, wait, and give the answer. Not for the GUI thread.

    Raises EngineError of every kind, and what `waiting.taken` raises.
    """
    manager = manager_for(address)
    reply = send(manager, address, request)
    try:
        return _Exchange(address.url, reply, cancelled, waiting).answer()
    finally:
        sip.delete(reply)  # deleteLater would wait for a loop of this thread that may never come


class _Exchange:
    def __init__(self, url: str, reply: QNetworkReply, cancelled: Cancelled, waiting: Waiting) -> None:
        self._url = url
        self._reply = reply
        self._cancelled = cancelled
        self._waiting = waiting
        self._body = bytearray()
        self._received = 0
        self._alive = time.monotonic()
        self._given_up_at: float | None = None
        self._error: Exception | None = None
        self._tls_errors: list[str] = []

    def answer(self) -> Answer:
        self._wait()
        if self._error is None:
            self._read()
        if self._error is not None:
            raise self._error
        return self._finished()

    def _wait(self) -> None:
        loop, timer = QEventLoop(), QTimer()
        timer.setInterval(LOOK_MS)
        timer.timeout.connect(self._look)
        self._reply.readyRead.connect(self._read)
        self._reply.uploadProgress.connect(self._sent)
        self._reply.sslErrors.connect(self._mistrusted)
        self._reply.finished.connect(loop.quit)
        timer.start()
        if not self._reply.isFinished():
            loop.exec()
        timer.stop()
        # A reply that is deleted says once more that there is something to read. Disconnecting is not enough: PyQt
        # finds slots by addresses, and those of an earlier reply, deleted a moment ago in this thread, may be the same.
        self._reply.blockSignals(True)

    def _finished(self) -> Answer:
        status = self._status()
        if status is None:
            raise no_answer(self._url, self._reply, self._tls_errors)
        headers = {
            bytes(name).decode("latin-1").lower(): bytes(value).decode("latin-1")
            for name, value in self._reply.rawHeaderPairs()
        }
        is_answer = 200 <= status < 300 or status in self._waiting.accepted
        if not is_answer:
            raise error_of(self._url, status, headers, bytes(self._body))
        whole = headers.get("content-length", "")
        if 200 <= status < 300 and self._reply.error() != QNetworkReply.NetworkError.NoError:
            raise dropped(self._url, self._reply.errorString().strip().rstrip("."))
        if whole.isdecimal() and int(whole) != self._received:
            sentence = tr("{received} of {whole} bytes came")
            raise dropped(self._url, sentence.format(received=self._received, whole=whole))
        return Answer(status, headers, bytes(self._body))

    def _status(self) -> int | None:
        value = self._reply.attribute(QNetworkRequest.Attribute.HttpStatusCodeAttribute)
        return None if value is None else int(value)

    def _read(self) -> None:
        piece = bytes(self._reply.readAll())
        if not piece or self._error is not None:
            return
        self._alive = time.monotonic()
        self._received += len(piece)
        status = self._status()
        if self._waiting.taken is not None and status is not None and 200 <= status < 300:
            self._safely(lambda taken: taken(piece), self._waiting.taken)
            return
        if self._received > self._waiting.max_bytes:
            sentence = tr("The answer of {url} is larger than {limit} MB, so it was not read to its end.")
            limit = self._waiting.max_bytes >> 20
            self._stop(EngineError(sentence.format(url=self._url, limit=limit), FAILED, status))
            return
        self._body += piece

    def _sent(self, _sent: int, _total: int) -> None:
        self._alive = time.monotonic()

    def _mistrusted(self, errors: list[QSslError]) -> None:
        self._tls_errors = [error.errorString().strip().rstrip(".") for error in errors]

    def _look(self) -> None:
        now = time.monotonic()
        if self._waiting.looked is not None:
            self._safely(lambda looked: looked(), self._waiting.looked)
        if self._given_up_at is None and self._cancelled():
            self._given_up_at = now
        if self._given_up_at is not None and now - self._given_up_at >= self._waiting.grace_s:
            self._stop(cancelled_error())
        elif now - self._alive > self._waiting.silence_s:
            self._stop(silent(self._url, self._waiting.silence_s))

    def _safely(self, call: Callable[[Callable], None], what: Callable) -> None:
        """Call what is not ours; an exception must not leave a slot, Qt would end QGIS."""
        try:
            call(what)
        except Exception as err:  # noqa: BLE001 - raised again by `answer`
            self._stop(err)

    def _stop(self, error: Exception) -> None:
        if self._error is None:
            self._error = error
            self._reply.abort()


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

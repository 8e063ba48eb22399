"""What map services did not deliver, so that empty ground is never a failed request unseen.

Knows QGIS's network access: providers draw failed tiles as nothing and say so only in the log. Refuses to know pixels.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from urllib.parse import unquote

from qgis.core import (
    QgsDataSourceUri,
    QgsMapLayer,
    QgsNetworkAccessManager,
    QgsNetworkReplyContent,
    QgsNetworkRequestParameters,
)
from qgis.PyQt.QtCore import QObject, pyqtSignal, pyqtSlot
from qgis.PyQt.QtNetwork import QNetworkReply, QNetworkRequest

from groundproof_qgis.i18n_text import tr
from groundproof_qgis.imagery.errors import PixelError

EMPTY = (QNetworkReply.NetworkError.NoError, QNetworkReply.NetworkError.ContentNotFoundError)
"""A tile that is not found is ground without imagery: services have no tiles there."""
CANCELLED = QNetworkReply.NetworkError.OperationCanceledError
CAUGHT_UP_S = 30.0
"""How long is waited for a busy main thread, through which the tiles' replies are heard of."""

_HOST = re.compile(r"[a-z][a-z0-9+.-]*://(?:[^/?#@]*@)?(\[[^\]]*\]|[^/?#:]+)", re.IGNORECASE)
_HOLE = re.compile(r"\{[^{}]*\}")


class TileReplies(QObject):
    """Hears which tiles of these layers' services did not come. Made and closed on the main thread.

    Since QGIS 3.26 tiles are fetched in a thread of QGIS's own, whose replies are told on the main thread, of all
    layers of QGIS together. So what counts is the host.
    """

    _asked = pyqtSignal(object)

    def __init__(self, layers: Sequence[QgsMapLayer]) -> None:
        super().__init__()
        self.failed: dict[str, tuple[str, str]] = {}
        self._hosts = [host for host in map(_host_of, layers) if host is not None]
        self._asked.connect(self._answer)
        self._signals = []
        if self._hosts:
            network = QgsNetworkAccessManager.instance()
            self._signals = [
                (network.finished[QgsNetworkReplyContent], self._finished),
                (network.requestTimedOut[QgsNetworkRequestParameters], self._timed_out),
            ]
        for signal, slot in self._signals:
            signal.connect(slot)

    def catch_up(self) -> None:
        """Wait until everything that was replied up to now has been heard. From the thread that reads.

        Raises PixelError when the main thread does not come to it: then nobody knows whether all tiles came.
        """
        if not self._hosts:
            return
        heard = threading.Event()
        self._asked.emit(heard)
        if not heard.wait(CAUGHT_UP_S):
            raise PixelError(
                tr(
                    "QGIS was busy for {n:.0f} s, so it is not known whether all imagery came. Wait until QGIS "
                    "responds, then ask again."
                ).format(n=CAUGHT_UP_S)
            )

    def close(self) -> None:
        """Listen no more. Safe to call twice."""
        for signal, slot in self._signals:
            signal.disconnect(slot)
        self._signals = []

    @pyqtSlot(object)
    def _answer(self, heard: threading.Event) -> None:
        heard.set()

    def _finished(self, reply: QgsNetworkReplyContent) -> None:
        if (
            reply.error() != CANCELLED
        ):  # the canvas cancels tiles whenever it moves; QGIS's time-outs are told apart
            _note(self.failed, reply)

    def _timed_out(self, request: QgsNetworkRequestParameters) -> None:
        url = request.request().url()
        self.failed[url.toString()] = (url.host(), tr("it did not answer in time"))

    def is_ours(self, host: str) -> bool:
        """Whether a layer's tiles come from there."""
        return any(pattern.fullmatch(host) for pattern in self._hosts)


class Fetching:
    """Listens to this thread's requests and to those for tiles while it is entered.

    The last answer for an address counts, after retries.
    """

    def __init__(self, tiles: TileReplies) -> None:
        self._tiles = tiles
        self._failed: dict[str, tuple[str, str]] = {}

    def __enter__(self) -> Fetching:
        self._tiles.failed.clear()
        self._replies = QgsNetworkAccessManager.instance().finished[QgsNetworkReplyContent]
        self._replies.connect(self._note)
        return self

    def __exit__(self, *_: object) -> None:
        self._replies.disconnect(self._note)

    def check(self) -> None:
        """Raise PixelError when something was asked for and did not come."""
        self._tiles.catch_up()
        of_tiles = (one for one in list(self._tiles.failed.values()) if self._tiles.is_ours(one[0]))
        for host, reason in (*self._failed.values(), *of_tiles):
            raise PixelError(
                tr(
                    "Imagery from {host} cannot be fetched: {reason}. Check the connection and the layer, then ask "
                    "again."
                ).format(host=host, reason=reason.strip().rstrip("."))
            )

    def _note(self, reply: QgsNetworkReplyContent) -> None:
        _note(self._failed, reply)


def _note(failed: dict[str, tuple[str, str]], reply: QgsNetworkReplyContent) -> None:
    url = reply.request().url()
    if reply.error() in EMPTY:
        failed.pop(url.toString(), None)
        return
    status = reply.attribute(QNetworkRequest.Attribute.HttpStatusCodeAttribute)
    if reply.error() == CANCELLED:
        reason = tr("it did not answer in time")
    else:
        reason = reply.errorString() if status is None else f"HTTP {status}"
    failed[url.toString()] = (url.host(), reason)


def _host_of(layer: QgsMapLayer) -> re.Pattern[str] | None:
    """Of the layer's service; None without one. Braces, as in "{switch:a,b}.tiles.example", stand for anything."""
    uri = QgsDataSourceUri()
    uri.setEncodedUri(layer.source())
    match = _HOST.match(_HOLE.sub("*", unquote(uri.param("url"))))
    if match is None:
        return None
    pieces = match.group(1).strip("[]").split("*")
    return re.compile(".*".join(re.escape(piece) for piece in pieces), re.IGNORECASE)

"""What map services did not deliver, so that empty ground is never a failed request unseen.

Knows QGIS's network access of one thread. Refuses to know layers: providers draw failed tiles as nothing and say so
only in the log.
"""

from __future__ import annotations

from qgis.core import QgsNetworkAccessManager, QgsNetworkReplyContent
from qgis.PyQt.QtNetwork import QNetworkReply, QNetworkRequest

from groundproof_qgis.i18n_text import tr
from groundproof_qgis.imagery.errors import PixelError

EMPTY = (QNetworkReply.NetworkError.NoError, QNetworkReply.NetworkError.ContentNotFoundError)
"""A tile that is not found is ground without imagery: services have no tiles there."""


class Fetching:
    """Listens to this thread's requests while it is entered; the last answer for an address counts, after retries."""

    def __init__(self) -> None:
        self._failed: dict[str, tuple[str, str]] = {}

    def __enter__(self) -> Fetching:
        self._replies = QgsNetworkAccessManager.instance().finished[QgsNetworkReplyContent]
        self._replies.connect(self._note)
        return self

    def __exit__(self, *_: object) -> None:
        self._replies.disconnect(self._note)

    def check(self) -> None:
        """Raise PixelError when something was asked for and did not come."""
        for host, reason in self._failed.values():
            raise PixelError(
                tr(
                    "Imagery from {host} cannot be fetched: {reason}. Check the connection and the layer, then ask "
                    "again."
                ).format(host=host, reason=reason.strip().rstrip("."))
            )

    def _note(self, reply: QgsNetworkReplyContent) -> None:
        url = reply.request().url()
        if reply.error() in EMPTY:
            self._failed.pop(url.toString(), None)
            return
        status = reply.attribute(QNetworkRequest.Attribute.HttpStatusCodeAttribute)
        reason = reply.errorString() if status is None else f"HTTP {status}"
        self._failed[url.toString()] = (url.host(), reason)

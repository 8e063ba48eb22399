"""One request on its way, on the main thread: what comes is put into an inbox that whoever asked empties.

Knows Qt's replies. They are made, heard and let go of on the main thread only: PyQt finds its wrappers and slots by
address, and with replies in several threads an address that was just freed is found again under the wrong name (it
crashed QGIS 3.22 within seconds under load). Refuses to wait and to judge answers (`exchange`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any

from qgis.core import QgsNetworkAccessManager
from qgis.PyQt.QtCore import QCoreApplication, QObject, pyqtSignal, pyqtSlot
from qgis.PyQt.QtNetwork import (
    QNetworkAccessManager,
    QNetworkProxy,
    QNetworkReply,
    QNetworkRequest,
    QSslError,
)

from groundproof_qgis.engine.address import EngineAddress
from groundproof_qgis.engine.errors import EngineError
from groundproof_qgis.engine.network_error import no_answer
from groundproof_qgis.engine.requests import Request, send


@dataclass(frozen=True)
class Piece:
    """Bytes of an answer's body. status: of HTTP."""

    status: int | None
    data: bytes


@dataclass(frozen=True)
class Sent:
    """Some of the request's body has left."""


@dataclass(frozen=True)
class End:
    """Nothing follows. status: of HTTP, None without an answer; then `error` says why. headers: by lower-case name.

    dropped: why the connection broke off before the answer was whole; None when it did not.
    """

    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict, hash=False)
    dropped: str | None = None
    error: Exception | None = None


class Parcel:
    """A request from any thread. inbox: Piece, Sent, and one End, in order."""

    def __init__(self, address: EngineAddress, request: Request) -> None:
        self.address = address
        self.request = request
        self.inbox: SimpleQueue[Any] = SimpleQueue()


class Courier(QObject):
    """The one sender; lives on the main thread, and may be called from any."""

    _wanted = pyqtSignal(object)
    _unwanted = pyqtSignal(object)

    def __init__(self) -> None:
        super().__init__()
        self._direct: QNetworkAccessManager | None = None
        self._transfers: dict[Parcel, _Transfer] = {}
        # Slots that Qt knows run on this object's thread, wherever it was made.
        self._wanted.connect(self._send)
        self._unwanted.connect(self._drop)

    def send(self, parcel: Parcel) -> None:
        """Begin."""
        self._wanted.emit(parcel)

    def drop(self, parcel: Parcel) -> None:
        """Nobody wants the rest; nothing more comes, if it has not come by then."""
        self._unwanted.emit(parcel)

    @pyqtSlot(object)
    def _send(self, parcel: Parcel) -> None:
        try:
            reply = send(self._manager(parcel.address), parcel.address, parcel.request)
        except EngineError as err:
            parcel.inbox.put(End(error=err))
            return
        self._transfers[parcel] = _Transfer(parcel, reply, self)

    @pyqtSlot(object)
    def _drop(self, parcel: Parcel) -> None:
        transfer = self._transfers.pop(parcel, None)
        if transfer is not None:
            transfer.abort()

    def ended(self, parcel: Parcel) -> None:
        """A transfer says that it is over."""
        self._transfers.pop(parcel, None)

    def _manager(self, address: EngineAddress) -> QNetworkAccessManager:
        """QGIS's own; to this computer one without proxy: a proxy would look for the engine on its own computer."""
        if not (address.is_loopback and address.is_plain):
            return QgsNetworkAccessManager.instance()
        if self._direct is None:
            self._direct = direct_manager(self)
        return self._direct


class _Transfer(QObject):
    """Moves what a reply says into the inbox."""

    def __init__(self, parcel: Parcel, reply: QNetworkReply, courier: Courier) -> None:
        super().__init__(courier)
        self._parcel = parcel
        self._reply = reply
        self._courier = courier
        self._tls_errors: list[str] = []
        reply.readyRead.connect(self._read)
        reply.uploadProgress.connect(self._sent)
        reply.sslErrors.connect(self._mistrusted)
        reply.finished.connect(self._finished)

    def abort(self) -> None:
        """Say nothing more."""
        self._let_go()
        self._reply.abort()
        self._reply.deleteLater()
        self.deleteLater()

    def _read(self) -> None:
        data = bytes(self._reply.readAll())
        if data:
            self._parcel.inbox.put(Piece(self._status(), data))

    def _sent(self, _sent: int, _total: int) -> None:
        self._parcel.inbox.put(Sent())

    def _mistrusted(self, errors: list[QSslError]) -> None:
        self._tls_errors = [error.errorString().strip().rstrip(".") for error in errors]

    def _finished(self) -> None:
        self._read()
        self._let_go()
        reply, url, status = self._reply, self._parcel.address.url, self._status()
        if status is None:
            end = End(error=no_answer(url, reply, self._tls_errors))
        else:
            headers = {
                bytes(name).decode("latin-1").lower(): bytes(value).decode("latin-1")
                for name, value in reply.rawHeaderPairs()
            }
            broken = reply.error() != QNetworkReply.NetworkError.NoError
            end = End(status, headers, reply.errorString().strip().rstrip(".") if broken else None)
        self._parcel.inbox.put(end)
        self._courier.ended(self._parcel)
        reply.deleteLater()
        self.deleteLater()

    def _status(self) -> int | None:
        value = self._reply.attribute(QNetworkRequest.Attribute.HttpStatusCodeAttribute)
        return None if value is None else int(value)

    def _let_go(self) -> None:
        self._reply.readyRead.disconnect(self._read)
        self._reply.uploadProgress.disconnect(self._sent)
        self._reply.sslErrors.disconnect(self._mistrusted)
        self._reply.finished.disconnect(self._finished)


def direct_manager(parent: QObject) -> QNetworkAccessManager:
    """A new one without proxy."""
    manager = QNetworkAccessManager(parent)
    manager.setProxy(QNetworkProxy(QNetworkProxy.ProxyType.NoProxy))
    return manager


_couriers: list[Courier] = []


def courier() -> Courier:
    """The one of this QGIS; made when first needed, in whichever thread that is."""
    if not _couriers:
        made = Courier()
        made.moveToThread(QCoreApplication.instance().thread())
        _couriers.append(made)
        QCoreApplication.instance().aboutToQuit.connect(_couriers.clear)
    return _couriers[0]

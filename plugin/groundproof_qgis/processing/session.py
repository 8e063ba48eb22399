"""One algorithm's hold on an engine and on frozen pixels, from its preparation to its end.

Knows which thread may do what: made and ended on the main thread, waited for in any. Refuses to know questions.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from qgis.core import QgsProcessingException, QgsProcessingFeedback
from qgis.PyQt.QtCore import QCoreApplication, QEventLoop, QObject, QThread, QTimer, pyqtSignal

from groundproof_qgis.engine import settings as engine_settings
from groundproof_qgis.engine.address import AddressSource, EngineAddress
from groundproof_qgis.engine.local import INSTALLING, READY, STARTING, LocalEngine
from groundproof_qgis.i18n_text import tr
from groundproof_qgis.imagery.scene import PixelSource
from groundproof_qgis.processing.host import Host

TURN_MS = 100
"""Between two looks at an engine that starts."""

Result = TypeVar("Result")
_HELD: set[QObject] = set()


class Session(QObject):
    """Make it in `prepareAlgorithm`; `end` it when the run is over, in whichever thread.

    url: of an engine; "": as in the settings. authcfg: of QGIS's authentication, for `url`. agreed: the person agrees
    that imagery is sent to an engine elsewhere, for this run. Raises EngineError for a URL that is none, and
    QgsProcessingException without consent.
    """

    _over = pyqtSignal()
    _read = pyqtSignal(object)

    def __init__(self, host: Host, url: str, authcfg: str, *, agreed: bool) -> None:
        super().__init__()
        self.sources: Sequence[PixelSource] = ()
        self._own: LocalEngine | None = None
        self._local: LocalEngine | None = None
        self._over.connect(self._end)  # runs on the thread this was made on
        self._read.connect(self._close)
        self.address = self._chosen(host, url, authcfg, agreed)
        _HELD.add(self)  # until its end, whatever becomes of the algorithm

    def _chosen(self, host: Host, url: str, authcfg: str, agreed: bool) -> AddressSource:
        chosen = engine_settings.load()
        if url.strip():
            return _elsewhere(EngineAddress(url, authcfg), agreed)
        if chosen.who == engine_settings.REMOTE:
            return _elsewhere(chosen.remote_address(), agreed)
        if host.engine is None:
            self._own = LocalEngine()
        local = self._own or host.engine
        local.start()
        self._local = local
        return local.address

    def wait_until_ready(self, feedback: QgsProcessingFeedback) -> None:
        """Until an engine on this computer can be asked; one elsewhere is asked at once.

        Raises QgsProcessingException with the reason when it cannot, or the person cancels.
        """
        local, said = self._local, ""
        while local is not None and local.state in (STARTING, INSTALLING):
            if feedback.isCanceled():
                raise QgsProcessingException(tr("Cancelled before anything was asked."))
            if local.sentence != said:
                said = local.sentence
                feedback.pushInfo(said)
            _turn()
        if local is not None and local.state != READY:
            raise QgsProcessingException(local.sentence)

    def let_go(self, source: PixelSource) -> None:
        """Close one that was made during the run; on the main thread, as all of them are closed."""
        self._read.emit(source)

    def end(self) -> None:
        """Let go of the pixels, and of an engine that was started for this run."""
        self._over.emit()

    def _close(self, source: PixelSource) -> None:
        source.close()

    def _end(self) -> None:
        for source in self.sources:
            source.close()
        self.sources = ()
        if self._own is not None:
            self._own.shut_down()
            self._own = None
        _HELD.discard(self)


def _elsewhere(address: EngineAddress, agreed: bool) -> EngineAddress:
    if not (agreed or engine_settings.has_consent(address)):
        raise QgsProcessingException(
            tr(
                "Imagery would be sent to {url}, and nobody has agreed to that yet. Agree in the dock, or set this "
                "algorithm's parameter CONSENT."
            ).format(url=address.url)
        )
    return address


def off_main_thread(call: Callable[[], Result]) -> Result:
    """What `call` gives or raises, in a worker thread: requests to the engine are sent on the main one.

    In a worker already, simply called. On the main thread (qgis_process) its events go on meanwhile.
    """
    if not _on_main_thread():
        return call()
    worker, loop = _Worker(call), QEventLoop()
    worker.finished.connect(loop.quit)
    worker.start()
    loop.exec()
    worker.wait()
    if worker.error is not None:
        raise worker.error
    return worker.value


class _Worker(QThread):
    def __init__(self, call: Callable[[], Any]) -> None:
        super().__init__()
        self._call = call
        self.value: Any = None
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            self.value = self._call()
        except Exception as err:  # noqa: BLE001 - raised again by `off_main_thread`
            self.error = err


def _turn() -> None:
    """Wait a moment; on the main thread with its events, without which an engine would never say that it is there."""
    if not _on_main_thread():
        time.sleep(TURN_MS / 1000)
        return
    loop = QEventLoop()
    QTimer.singleShot(TURN_MS, loop.quit)
    loop.exec()


def _on_main_thread() -> bool:
    return QThread.currentThread() == QCoreApplication.instance().thread()

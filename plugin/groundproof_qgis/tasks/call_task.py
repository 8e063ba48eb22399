"""One call to an engine as one of QGIS's tasks: ready, estimate, audit, diff, export."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qgis.core import QgsTask
from qgis.PyQt.QtCore import pyqtSignal

from groundproof_qgis.engine.address import AddressSource
from groundproof_qgis.engine.client import EngineClient
from groundproof_qgis.engine.errors import CANCELLED, FAILED, EngineError
from groundproof_qgis.engine.exchange import cancelled_error
from groundproof_qgis.tasks.patience import wait_for_address
from groundproof_qgis.tasks.quietly import QUIETLY
from groundproof_qgis.tasks.unexpected import unexpected


class CallTask(QgsTask):
    """Give it to QgsApplication.taskManager() and keep a reference until one of its signals.

    Exactly one of two comes, on the main thread. done: what the call gave. failed: an EngineError.
    """

    done = pyqtSignal(object)
    failed = pyqtSignal(object)

    def __init__(self, description: str, address: AddressSource, call: Callable[[EngineClient], Any]) -> None:
        """An engine that starts is waited for. description: for QGIS's list of tasks. QGIS may be closed meanwhile.

        call: done in a worker thread; may raise EngineError and OSError, and must not touch the project.
        """
        super().__init__(description, QgsTask.Flag.CanCancel | QgsTask.Flag.CancelWithoutPrompt | QUIETLY)
        self._client = EngineClient(address, self.isCanceled)
        self._call = call
        self._given: Any = None
        self._error: EngineError | None = cancelled_error()

    def run(self) -> bool:
        """In a worker thread; called by QGIS."""
        try:
            wait_for_address(self._client)
            self._given = self._call(self._client)
        except EngineError as err:
            self._error = err
        except OSError as err:
            self._error = EngineError(str(err), FAILED)
        except Exception:  # noqa: BLE001 - a bug; told as a sentence, kept in QGIS's log
            self._error = EngineError(unexpected(), FAILED)
        else:
            self._error = None
        return self._error is None

    def finished(self, result: bool) -> None:
        """On the main thread; called by QGIS."""
        if self.isCanceled() and (self._error is None or self._error.kind != CANCELLED):
            self._error = cancelled_error()
        if self._error is None:
            self.done.emit(self._given)
        else:
            self.failed.emit(self._error)

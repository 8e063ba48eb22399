"""Work of the plugin's own that takes too long for the GUI thread: reading, copying, deleting files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qgis.core import QgsTask
from qgis.PyQt.QtCore import pyqtSignal

from groundproof_qgis.i18n_text import tr
from groundproof_qgis.tasks.quietly import QUIETLY
from groundproof_qgis.tasks.unexpected import unexpected


class WorkTask(QgsTask):
    """Give it to QgsApplication.taskManager() and keep a reference until one of its signals.

    Exactly one of two comes, on the main thread. done: what the work gave. failed: a sentence.
    """

    done = pyqtSignal(object)
    failed = pyqtSignal(str)

    def __init__(
        self, description: str, work: Callable[[], Any], expected: tuple[type[Exception], ...] = ()
    ) -> None:
        """work: done in a worker thread; must not touch the project. expected: errors whose text is for a person,
        beside OSError.
        """
        super().__init__(description, QgsTask.Flag.CancelWithoutPrompt | QUIETLY)
        self._work = work
        self._expected = (OSError, *expected)
        self._given: Any = None
        self._problem = tr("It was not begun.")

    def run(self) -> bool:
        """In a worker thread; called by QGIS."""
        try:
            self._given = self._work()
        except self._expected as err:
            self._problem = str(err)
        except Exception:  # noqa: BLE001 - a bug; told as a sentence, kept in QGIS's log
            self._problem = unexpected()
        else:
            self._problem = ""
        return not self._problem

    def finished(self, result: bool) -> None:
        """On the main thread; called by QGIS."""
        if self._problem:
            self.failed.emit(self._problem)
        else:
            self.done.emit(self._given)

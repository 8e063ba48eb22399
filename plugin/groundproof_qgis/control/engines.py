"""Who answers now: the engine on this computer or the one elsewhere, as one thing with one state.

Knows the choice in the settings and how each engine is looked after. Refuses to know questions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QObject, QTimer, pyqtSignal

from groundproof_qgis.engine import settings as engine_settings
from groundproof_qgis.engine.address import AddressSource
from groundproof_qgis.engine.client import EngineClient, Readiness
from groundproof_qgis.engine.errors import UNAUTHORIZED, EngineError
from groundproof_qgis.engine.local import ABSENT, READY, STARTING, STOPPED, LocalEngine
from groundproof_qgis.gui.engine_line import UNREACHABLE
from groundproof_qgis.i18n_text import tr
from groundproof_qgis.tasks.call_task import CallTask

LOOK_MS = 30_000
"""Between looks at an engine elsewhere; nobody tells when it goes away."""
LOADING_MS = 2_000
"""The same while its model is loaded."""


class Engines(QObject):
    """`changed` after every change of state, sentence or model; `replaced` when the settings may name another engine.

    state: of `engine.local`, or UNREACHABLE.
    """

    changed = pyqtSignal()
    replaced = pyqtSignal()

    def __init__(self, local: LocalEngine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.local = local
        self.state = STOPPED
        self.sentence = ""
        self.model: Mapping[str, Any] = {}
        self._settings = engine_settings.load()
        self._task: CallTask | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(lambda: self.look())
        local.status_changed.connect(self._local_changed)
        self.use_settings()

    @property
    def is_remote(self) -> bool:
        """Whether imagery would go to an engine that this plugin did not start."""
        return self._settings.who == engine_settings.REMOTE

    @property
    def is_ready(self) -> bool:
        """Whether a question would be answered now."""
        return self.state == READY

    @property
    def is_present(self) -> bool:
        """Whether there is somebody who could answer, perhaps after starting."""
        return self.state not in (ABSENT, UNREACHABLE)

    @property
    def title(self) -> str:
        """Who answers, for records and reports: where, and which model."""
        name = str(self.model.get("name") or "")[:80]
        where = self._settings.url if self.is_remote else tr("this computer")
        return tr("{model} on {where}").format(model=name, where=where) if name else where

    @property
    def at(self) -> str:
        """Which engine it is, for records: the URL, or "local"."""
        return self._settings.url if self.is_remote else engine_settings.LOCAL

    def source(self) -> AddressSource:
        """Where to ask the engine that is chosen now, also after another one was chosen. Raises EngineError.

        The engine on this computer has another port and token each time it starts.
        """
        return self._settings.remote_address() if self.is_remote else self.local.address

    def use_settings(self) -> None:
        """The settings have changed: look anew."""
        self._settings = engine_settings.load()
        self.replaced.emit()
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
        self._timer.stop()
        if self.is_remote:
            self._become(
                STARTING, tr("{url}: asking whether it is there.").format(url=self._settings.url), {}
            )
            self.look()
        else:
            self.local.look()
            self._local_changed(self.local.state, self.local.sentence)

    def close(self) -> None:
        """Look no more."""
        self._timer.stop()
        self.local.status_changed.disconnect(self._local_changed)
        task, self._task = self._task, None
        if task is not None:
            task.cancel()

    def look(self, *, asked: bool = False) -> None:
        """Ask an engine elsewhere whether it is there; the one on this computer tells by itself.

        asked: by a person, who may be asked for QGIS's master password.
        """
        if not self.is_remote or self._task is not None:
            return
        try:
            address = self._settings.remote_address()
        except EngineError as err:
            self._become(UNREACHABLE, str(err), {})
            return
        task = CallTask(
            tr("Is the engine there"), address, lambda client: _asked(client if asked else client.quietly())
        )
        task.done.connect(lambda said: self._said(task, said))
        task.failed.connect(lambda err: self._failed(task, err))
        self._task = task
        QgsApplication.taskManager().addTask(task)

    def start(self) -> None:
        """Make an engine on this computer ready, where it is only stopped; ask one elsewhere again."""
        if self.is_remote:
            self.look(asked=True)
        else:
            self.local.start()

    def _local_changed(self, state: str, sentence: str) -> None:
        if not self.is_remote:
            self._become(state, sentence, self.local.model)

    def _said(self, task: CallTask, said: Readiness) -> None:
        if task is not self._task:
            return
        self._task = None
        host = self._settings.remote_address().host
        if said.ready:
            name = str(said.model.get("name") or "")[:80]
            self._become(READY, tr("{host}, {model}: ready.").format(host=host, model=name), said.model)
        else:
            sentence = tr("{host}: {sentence}").format(host=host, sentence=said.sentence)
            self._become(STARTING, sentence, said.model)
        self._timer.start(LOOK_MS if said.ready else LOADING_MS)

    def _failed(self, task: CallTask, err: EngineError) -> None:
        if task is not self._task:
            return
        self._task = None
        self._become(UNREACHABLE, str(err), {})
        if err.kind != UNAUTHORIZED:  # that helps only once a person has done something
            self._timer.start(LOOK_MS)

    def _become(self, state: str, sentence: str, model: Mapping[str, Any]) -> None:
        if (state, sentence, model) != (self.state, self.sentence, self.model):
            self.state, self.sentence, self.model = state, sentence, model
            self.changed.emit()


def _asked(client: EngineClient) -> Readiness:
    client.health()  # the first to say that something else listens there, or another version
    return client.ready()

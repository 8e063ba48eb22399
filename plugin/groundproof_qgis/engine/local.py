"""The engine on this computer: finding, installing, starting and stopping it.

Knows its state and says it in a sentence. Lives on the GUI thread and never waits there, but for a moment when QGIS
ends.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QObject, QStandardPaths, QTimer, pyqtSignal
from qgis.PyQt.QtNetwork import QNetworkReply, QNetworkRequest

from groundproof_qgis.engine import settings as engine_settings
from groundproof_qgis.engine.address import EngineAddress
from groundproof_qgis.engine.child import EngineChild
from groundproof_qgis.engine.client import Readiness, readiness
from groundproof_qgis.engine.command import split_command
from groundproof_qgis.engine.data_folder import DataFolder
from groundproof_qgis.engine.errors import BUSY, UNREACHABLE, EngineError
from groundproof_qgis.engine.exchange import Answer
from groundproof_qgis.engine.installation import Installation
from groundproof_qgis.engine.installed import EngineFolder, Installed
from groundproof_qgis.engine.requests import Request, send
from groundproof_qgis.engine.settings import EngineSettings
from groundproof_qgis.engine.transfer import direct_manager
from groundproof_qgis.i18n_text import tr

ABSENT = "absent"
INSTALLING = "installing"
STOPPED = "stopped"
STARTING = "starting"
READY = "ready"
DEAD = "dead"

POLL_MS = 250
LISTEN_LIMIT_MS = 180_000
"""For an engine to say where it listens; a cold disk and a virus scanner make the first start slow."""

HELD = "Another process is working on"
"""What an engine says when an earlier one has not let go of its folder yet."""
HELD_TRIES = 15
HELD_PAUSE_MS = 1_000

CANNOT = "The model cannot answer"
"""How an engine begins to say that its model could not be loaded."""

END_WAIT_MS = 3_000


def default_folder() -> Path:
    """In the user's data, not in QGIS's profile: profiles share one engine."""
    where = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.AppLocalDataLocation)
    return Path(where) / "groundproof"


class LocalEngine(QObject):
    """One for QGIS. status_changed: state and a sentence. said: a line of progress of an installation.

    settings: asked at each start. folder: for the installed engine, scenes and jobs.
    """

    status_changed = pyqtSignal(str, str)
    said = pyqtSignal(str)

    def __init__(
        self,
        folder: Path | None = None,
        settings: Callable[[], EngineSettings] = engine_settings.load,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.folder = default_folder() if folder is None else folder
        self.state = STOPPED
        self.sentence = ""
        self.model: Mapping[str, Any] = {}
        self._settings = settings
        self._engine_folder = EngineFolder(self.folder / "engine")
        self._data: DataFolder | None = None
        self._child: EngineChild | None = None
        self._running: tuple[list[str] | None, str] = (None, "")
        self._installation: Installation | None = None
        self._address: EngineAddress | None = None
        self._after_stop: Callable[[], None] | None = None
        self._held = 0
        self._poll = QTimer(self)
        self._poll.setInterval(POLL_MS)
        self._poll.timeout.connect(self._ask_ready)
        self._manager = direct_manager(self)
        self._asked: tuple[QNetworkReply, EngineAddress] | None = None
        self._limit = QTimer(self)
        self._limit.setSingleShot(True)
        self._limit.setInterval(LISTEN_LIMIT_MS)
        self._limit.timeout.connect(self._never_listened)
        application = QgsApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self.shut_down)
        self.look()

    def address(self) -> EngineAddress:
        """Where it answers now; from any thread. Raises EngineError: busy while it starts, unreachable without one."""
        address, state, sentence = self._address, self.state, self.sentence
        if address is not None:
            return address
        comes = state in (STARTING, INSTALLING) or self._after_stop is not None
        raise EngineError(sentence, BUSY if comes else UNREACHABLE, None, 0.5)

    def look(self) -> None:
        """Find out anew which engine there is; call it when the settings have changed.

        One that runs with another command or model than the settings say is started anew.
        """
        if self._child is not None and self.state in (STARTING, READY):
            if self._after_stop is None and self._running != (self._command(), self._settings().model):
                self.restart()
            return
        if self.state not in (ABSENT, STOPPED, DEAD):
            return
        if self._command() is None:
            self._become(ABSENT, _absent())
        elif self.state != DEAD:
            self._become(STOPPED, _not_running())

    def start(self) -> None:
        """Start it, unless it runs, starts or is being installed."""
        if self.state in (STARTING, READY, INSTALLING):
            return
        if self._child is not None:  # it is still ending; two would want one folder
            self._after_stop = self._after_stop or self.start
            return
        self._held = 0
        self._start()

    def restart(self) -> None:
        """Stop it if need be and start it anew, with another port and token. Unfinished jobs go on."""
        self.when_stopped(self.start)

    def stop(self) -> None:
        """Ask it to end; unfinished jobs are kept and go on at the next start."""
        if self._child is not None:
            self._forget_address()
            self._child.stop()
            if self.state != DEAD:
                self._become(STOPPED, tr("The engine on this computer is stopping."))
        elif self.state == STARTING:
            self._become(STOPPED, _not_running())

    def install(self, source: str, python: str = "") -> None:
        """Install it, or another version; the person has agreed. source, python: as in EngineSettings.

        Raises EngineError (invalid) for a source that is none, and for an empty one: nothing is ever looked for.
        """
        if self.state == INSTALLING:
            return
        installation = Installation(self._engine_folder, source, python, self)
        self.when_stopped(lambda: self._install(installation))

    def installed(self) -> Installed | None:
        """The engine that this plugin installed, if it did."""
        return self._engine_folder.installed()

    def when_stopped(self, act: Callable[[], None]) -> None:
        """Stop it if it runs, then do this."""
        if self._child is None:
            self.stop()
            act()
        else:
            self._after_stop = act
            self.stop()

    def cancel_install(self) -> None:
        """Break an installation off."""
        if self._installation is not None:
            self._installation.cancel()

    def shut_down(self) -> None:
        """With QGIS: ask, wait a little, then kill. Safe to call twice."""
        self._poll.stop()
        self._limit.stop()
        self._drop_asked()
        self._address = None
        if self._installation is not None:
            self._installation.abandon(END_WAIT_MS)
            self._installation = None
        if self._child is not None:
            self._child.stop_now(END_WAIT_MS)
            self._child = None
        if self._data is not None:
            self._data.release()
            self._data = None
        self.state, self.sentence = STOPPED, _not_running()

    def _command(self) -> list[str] | None:
        chosen = self._settings().command.strip()
        if chosen:
            return split_command(chosen)
        installed = self._engine_folder.installed()
        return None if installed is None else [str(installed.command)]

    def _start(self) -> None:
        command = self._command()
        if command is None:
            self.state = STOPPED
            self.look()
            return
        try:
            if self._data is None:
                self._data = DataFolder(self.folder)
        except EngineError as err:
            self._become(DEAD, str(err))
            return
        self._become(STARTING, tr("The engine on this computer is starting."))
        self._limit.start()
        self._running = command, self._settings().model
        self._child = EngineChild(*self._running, self._data.path, self)
        self._child.listens.connect(self._listens)
        self._child.ended.connect(self._ended)
        self._child.start()

    def _start_again(self) -> None:
        if self.state == STARTING and self._child is None:  # nobody stopped it meanwhile
            self._start()

    def _listens(self, address: EngineAddress) -> None:
        self._limit.stop()
        self._held = 0
        self._address = address
        self._poll.start()
        self._ask_ready()

    def _never_listened(self) -> None:
        if self._child is not None:
            self._child.stop()

    def _ask_ready(self) -> None:
        if self._asked is None and self._address is not None:
            reply = send(self._manager, self._address, Request("GET", "/ready"))
            self._asked = (reply, self._address)
            reply.finished.connect(self._said_ready)

    def _said_ready(self) -> None:
        if self._asked is None:
            return
        reply, address = self._asked
        said = _readiness(address, reply)
        self._drop_asked()
        if said is None or address is not self._address:
            return  # it will be asked again
        if said.ready:
            self._poll.stop()
            self.model = said.model
            name = str(said.model.get("name") or "")
            self._become(READY, tr("This computer, {model}: ready.").format(model=name[:80]))
        elif said.sentence.startswith(CANNOT) and self._child is not None:
            self._forget_address()
            self._child.stop()
            self._become(DEAD, said.sentence)
        else:
            self._become(STARTING, said.sentence)

    def _ended(self, asked: bool, said: str) -> None:
        starting = self.state == STARTING and self._address is None
        self._forget_address()
        self._limit.stop()
        if self._child is not None:
            self._child.deleteLater()
            self._child = None
        after, self._after_stop = self._after_stop, None
        if asked:
            if self.state != DEAD:
                self._become(STOPPED, _not_running())
            if after is not None:
                after()
        elif starting and HELD in said and self._held < HELD_TRIES:
            self._held += 1
            self._become(STARTING, tr("An earlier engine has not ended yet; waiting for it."))
            QTimer.singleShot(HELD_PAUSE_MS, self._start_again)
        else:
            sentence = tr("The engine on this computer has ended: {said} Start it again; questions go on.")
            self._become(DEAD, sentence.format(said=said if said.endswith(".") else f"{said}."))

    def _install(self, installation: Installation) -> None:
        self._installation = installation
        installation.said.connect(self.said)
        installation.said.connect(lambda line: self._become(INSTALLING, line))
        installation.ended.connect(self._install_ended)
        installation.start()

    def _install_ended(self, worked: bool, sentence: str) -> None:
        if self._installation is not None:
            self._installation.deleteLater()
            self._installation = None
        there = self._command() is not None
        self._become(STOPPED if there else ABSENT, sentence)
        if worked:
            self.start()

    def _forget_address(self) -> None:
        self._address = None
        self.model = {}
        self._poll.stop()
        self._drop_asked()

    def _drop_asked(self) -> None:
        if self._asked is not None:
            reply, _ = self._asked
            reply.finished.disconnect(self._said_ready)
            reply.abort()
            reply.deleteLater()
            self._asked = None

    def _become(self, state: str, sentence: str) -> None:
        if (state, sentence) != (self.state, self.sentence):
            self.state, self.sentence = state, sentence
            self.status_changed.emit(state, sentence)


def _absent() -> str:
    if os.name == "nt":  # it locks files and limits processes in ways that only Unix has
        return tr("The engine does not run on Windows yet. Connect to one on another computer.")
    return tr(
        "The engine is not installed on this computer. Install it, or connect to one that runs elsewhere."
    )


def _not_running() -> str:
    return tr("The engine on this computer is not running.")


def _readiness(address: EngineAddress, reply: QNetworkReply) -> Readiness | None:
    """What a reply of `/ready` says; None when it says nothing (yet)."""
    status = reply.attribute(QNetworkRequest.Attribute.HttpStatusCodeAttribute)
    if status is None:
        return None
    try:
        return readiness(address, Answer(int(status), {}, bytes(reply.readAll())))
    except EngineError:
        return None  # not this engine's own answer; the next look will tell, or the process's end

"""What the dock says about who answers, and the buttons that change it.

Knows the engine line and the notice for people without an engine. Refuses to know questions.
"""

from __future__ import annotations

from pathlib import Path

from qgis.gui import QgisInterface
from qgis.PyQt.QtCore import QObject, QUrl, pyqtSignal
from qgis.PyQt.QtGui import QDesktopServices

from groundproof_qgis.control.engines import Engines
from groundproof_qgis.control.installing import Installing
from groundproof_qgis.engine import settings as engine_settings
from groundproof_qgis.engine.local import ABSENT
from groundproof_qgis.gui import engine_line
from groundproof_qgis.gui.dock import GroundproofDock
from groundproof_qgis.gui.messages import WARNING
from groundproof_qgis.gui.options_page import PAGE
from groundproof_qgis.i18n_text import tr

HELP = Path(__file__).parents[1] / "help" / "index.html"
INSTALL = "install"
"""Button of a message."""


class EngineControls(QObject):
    """`ready` when an engine has become ready, or another one."""

    ready = pyqtSignal()

    def __init__(
        self, dock: GroundproofDock, iface: QgisInterface, engines: Engines, installing: Installing
    ) -> None:
        super().__init__(dock)
        self._iface = iface
        self._engines = engines
        self._installing = installing
        self._panel, self._line, self._messages = dock.ask_panel, dock.engine_line, dock.messages
        engines.changed.connect(self.show)
        self._line.pressed.connect(self._pressed)
        self._messages.pressed.connect(self._message_pressed)
        self._panel.engine_start_requested.connect(self._start)
        self._panel.engine_connect_requested.connect(self._open_settings)

    def show(self) -> None:
        """Say who answers now."""
        engines = self._engines
        self._line.set_state(engines.state, engines.sentence, local=not engines.is_remote)
        self._panel.set_engine_present(engines.is_present)
        model = engines.model
        self._panel.set_model(tuple(model.get("labels") or ()), tuple(model.get("tasks") or ()))
        if engines.is_ready:
            self.ready.emit()

    def say_nobody_answers(self) -> None:
        """Why a question cannot be asked, with the button that helps."""
        button = (INSTALL, tr("Install...")) if self._engines.state == ABSENT else None
        self._messages.show_message(self._engines.sentence, WARNING, button)

    def _pressed(self, which: str) -> None:
        {
            engine_line.INSTALL: self._install,
            engine_line.CANCEL: self._engines.local.cancel_install,
            engine_line.START: self._engines.start,
            engine_line.STOP: self._engines.local.stop,
            engine_line.RESTART: self._engines.start,
            engine_line.RETRY: self._engines.start,
            engine_line.CONNECT: self._open_settings,
            engine_line.SETTINGS: self._open_settings,
            engine_line.HELP: lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(HELP))),
        }[which]()

    def _message_pressed(self, which: str) -> None:
        if which == INSTALL:
            self._install()

    def _start(self) -> None:
        if self._engines.state == ABSENT:
            self._install()
        else:
            self._engines.start()

    def _install(self) -> None:
        self._installing.install(engine_settings.load())

    def _open_settings(self) -> None:
        self._iface.showOptionsDialog(self._iface.mainWindow(), PAGE)

"""Getting, starting and trying engines, on the person's word: for the engine line and the page of settings.

Knows consent and what is said before it. Refuses to know how pip is run.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QObject
from qgis.PyQt.QtWidgets import QDialog, QFileDialog, QMessageBox, QWidget

from groundproof_qgis.control.engines import Engines
from groundproof_qgis.engine.client import EngineClient
from groundproof_qgis.engine.errors import EngineError
from groundproof_qgis.engine.settings import EngineSettings
from groundproof_qgis.gui.consent import install_dialog
from groundproof_qgis.gui.messages import WARNING, MessageBar
from groundproof_qgis.gui.options_page import OptionsHost
from groundproof_qgis.i18n_text import tr
from groundproof_qgis.tasks.call_task import CallTask
from groundproof_qgis.tasks.work_task import WorkTask


class Installing(QObject, OptionsHost):
    """Asks before anything is downloaded or removed."""

    def __init__(self, engines: Engines, messages: MessageBar, window: QWidget) -> None:
        super().__init__()
        self._engines = engines
        self._local = engines.local
        self._messages = messages
        self._window = window
        self._tasks: set[object] = set()

    def installed(self) -> str:
        """Version and folder of the engine on this computer; "" without one."""
        found = self._local.installed()
        if found is None:
            return ""
        return tr("Version {version}, in {folder}").format(version=found.version, folder=found.environment)

    def install(self, settings: EngineSettings) -> None:
        """Install or update, after consent."""
        source = settings.source or self._chosen_wheel()
        if not source:
            return
        dialog = install_dialog(
            source,
            str(self._local.folder / "engine"),
            tr("about 2 GB on disk; 7 GB where PyTorch comes only with CUDA"),
            settings.python,
            self._window,
        )
        if dialog.exec() != QDialog.DialogCode.Accepted:
            return
        try:
            self._local.install(source, settings.python)
        except EngineError as err:
            self._messages.show_message(str(err), WARNING)

    def _chosen_wheel(self) -> str:
        """The engine is on no package index, so the person says where it is; "" when they do not."""
        name, _ = QFileDialog.getOpenFileName(
            self._window, tr("Choose the engine's wheel"), str(Path.home()), tr("Wheel (groundproof-*.whl)")
        )
        return name

    def remove(self) -> None:
        """Delete the installed engine, after asking back; results and settings stay."""
        folder = self._local.folder / "engine"
        question = tr("Remove the engine on this computer, {folder}? Results stay.").format(folder=folder)
        buttons = QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.Cancel
        said = QMessageBox.question(self._window, "groundproof", question, buttons)
        if said != QMessageBox.StandardButton.Yes:
            return
        self._local.when_stopped(lambda: self._delete(folder))

    def test(self, settings: EngineSettings, done: Callable[[bool, str], None]) -> None:
        """Try a remote engine's address and token."""
        try:
            address = settings.remote_address()
        except EngineError as err:
            done(False, str(err))
            return
        task = CallTask(tr("Trying the connection"), address, _tried)
        task.done.connect(lambda sentence: self._over(task, done, True, sentence))
        task.failed.connect(lambda err: self._over(task, done, False, str(err)))
        self._begin(task)

    def applied(self) -> None:
        """The settings have changed."""
        self._engines.use_settings()

    def _delete(self, folder: Path) -> None:
        task = WorkTask(tr("Removing the engine"), lambda: shutil.rmtree(folder))
        task.done.connect(lambda _: self._removed(task, tr("The engine was removed.")))
        task.failed.connect(lambda sentence: self._removed(task, sentence))
        self._begin(task)

    def _removed(self, task: WorkTask, sentence: str) -> None:
        self._tasks.discard(task)
        self._messages.show_message(sentence, seconds=10)
        self._local.look()

    def _begin(self, task: CallTask | WorkTask) -> None:
        self._tasks.add(task)
        QgsApplication.taskManager().addTask(task)

    def _over(self, task: CallTask, done: Callable[[bool, str], None], works: bool, sentence: str) -> None:
        self._tasks.discard(task)
        done(works, sentence)


def _tried(client: EngineClient) -> str:
    health = client.health()
    return tr("Version {version}: {sentence}").format(
        version=health.version, sentence=client.ready().sentence
    )

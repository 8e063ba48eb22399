"""The project's earlier runs: the list, and what can be done with its entries.

Knows folders of records and the dialog. Refuses to know how a run is shown or asked.
"""

from __future__ import annotations

from collections.abc import Sequence

from qgis.core import QgsApplication, QgsProject, QgsVectorLayer
from qgis.PyQt.QtCore import QObject, pyqtSignal
from qgis.PyQt.QtWidgets import QMessageBox, QWidget

from groundproof_qgis.answer.answer import Answer
from groundproof_qgis.control.engines import Engines
from groundproof_qgis.control.run import Run
from groundproof_qgis.engine.client import EngineClient
from groundproof_qgis.engine.errors import FAILED, EngineError
from groundproof_qgis.gui.history_menu import (
    AGAIN,
    COMPARE,
    GO_ON,
    OPEN,
    REMOVE,
    HistoryDialog,
    HistoryEntry,
    when_words,
)
from groundproof_qgis.history import store
from groundproof_qgis.history.folders import folders
from groundproof_qgis.i18n_text import tr
from groundproof_qgis.layers.compare import (
    ask_for_difference,
    differences,
    drawn,
    show_differences,
    summary,
)
from groundproof_qgis.layers.errors import LayerError
from groundproof_qgis.layers.group import remove_layers, show_only
from groundproof_qgis.layers.tables import read_tables
from groundproof_qgis.tasks.call_task import CallTask

SCOPE, SHOWN = "groundproof", "shown"


class Runs(QObject):
    """open_requested, go_on_requested, again_requested: with a run. compared: a sentence. removed: a run's id.

    problem: a sentence.
    """

    open_requested = pyqtSignal(object)
    go_on_requested = pyqtSignal(object)
    again_requested = pyqtSignal(object)
    compared = pyqtSignal(str)
    removed = pyqtSignal(str)
    problem = pyqtSignal(str)

    def __init__(self, project: QgsProject, engines: Engines, window: QWidget) -> None:
        super().__init__()
        self._project = project
        self._engines = engines
        self._window = window
        self._dialog: HistoryDialog | None = None
        self._running = ""
        self._tasks: set[CallTask] = set()
        self._is_closed = False
        project.cleared.connect(self._forget)

    def set_running(self, run: Run | None) -> None:
        """The run that is being asked now."""
        self._running = "" if run is None else run.record.run_id
        self.refresh()

    def close(self) -> None:
        """Take the list away, and show no comparison that has not come yet."""
        if not self._is_closed:
            self._is_closed = True
            self._project.cleared.disconnect(self._forget)
            self._forget()
        if self._dialog is not None:
            self._dialog.close()
            self._dialog.deleteLater()
            self._dialog = None

    def remember(self, run: Run | None) -> None:
        """The project opens this run again."""
        if run is not None and self.last_shown_id() != run.record.run_id:
            self._project.writeEntry(SCOPE, SHOWN, run.record.run_id)

    def last_shown_id(self) -> str:
        """Of the run that was shown when the project was saved; "" for none."""
        return self._project.readEntry(SCOPE, SHOWN, "")[0]

    def all(self) -> list[store.Listed]:
        """Newest first."""
        return store.listed(folders(self._project), {self._running} - {""})

    def find(self, run_id: str) -> Run | None:
        """An earlier run, without its answer."""
        found = next((one for one in self.all() if one.record.run_id == run_id), None)
        if found is None:
            return None
        answer = Answer(found.record.question)
        answer.end(found.record.status, found.record.sentence)
        return Run(found.record, found.folder, answer)

    def show(self) -> None:
        """The list."""
        if self._dialog is None:
            self._dialog = HistoryDialog(self._window)
            self._dialog.chosen.connect(self._chosen)
        self._dialog.show()
        self._dialog.raise_()
        self.refresh()

    def refresh(self) -> None:
        """The list, if it is open, as it is now."""
        if self._dialog is not None and self._dialog.isVisible():
            self._dialog.set_entries(_entry(one) for one in self.all())

    def _chosen(self, what: str, run_ids: Sequence[str]) -> None:
        runs = [run for run in map(self.find, run_ids) if run is not None]
        if len(runs) < len(run_ids):
            self.problem.emit(tr("The run is not there any more; somebody removed its files."))
        elif what == COMPARE:
            self._compare(runs[0], runs[1])
        elif what == REMOVE:
            self._remove(runs)
        else:
            {OPEN: self.open_requested, GO_ON: self.go_on_requested, AGAIN: self.again_requested}[what].emit(
                runs[0]
            )
        self.refresh()

    def _remove(self, runs: Sequence[Run]) -> None:
        words = (
            tr("Remove this question and delete its GeoPackage?")
            if len(runs) == 1
            else tr("Remove these {n} questions and delete their GeoPackages?").format(n=len(runs))
        )
        buttons = QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.Cancel
        said = QMessageBox.question(self._dialog, "groundproof", words, buttons)
        if said != QMessageBox.StandardButton.Yes:
            return
        for run in runs:
            remove_layers(self._project, run.record.run_id)
            try:
                store.remove(store.Listed(run.record, run.folder))
            except OSError as err:
                self.problem.emit(str(err))
            else:
                self.removed.emit(run.record.run_id)

    def _compare(self, before: Run, after: Run) -> None:
        pairs = [(run.path, run.record.job) for run in (before, after)]

        context = self._project.transformContext()

        def call(client: EngineClient) -> tuple[QgsVectorLayer, str]:
            try:
                document = ask_for_difference(pairs[0], pairs[1], client)
                found = list(differences(document, read_tables(pairs[0][0]), read_tables(pairs[1][0])))
                return drawn(found, context), summary(document, found)
            except LayerError as err:
                raise EngineError(str(err), FAILED) from err

        self._engines.start()
        task = CallTask(tr("Comparing two runs"), self._engines.source(), call)
        task.done.connect(lambda found: self._compared(task, before, after, *found))
        task.failed.connect(lambda err: self._not_compared(task, err))
        self._tasks.add(task)
        QgsApplication.taskManager().addTask(task)

    def _compared(
        self, task: CallTask, before: Run, after: Run, layer: QgsVectorLayer, sentence: str
    ) -> None:
        if not self._is_awaited(task):
            return
        run_id = f"{before.record.run_id}..{after.record.run_id}"
        title = tr("Changes {before} to {after}").format(
            before=when_words(before.record.asked_at), after=when_words(after.record.asked_at)
        )
        show_differences(self._project, layer, run_id, title)
        show_only(self._project, run_id)
        self.compared.emit(sentence)

    def _not_compared(self, task: CallTask, err: EngineError) -> None:
        if self._is_awaited(task):
            self.problem.emit(str(err))

    def _forget(self) -> None:
        """Comparisons of a project that is closed come into no other one."""
        self._tasks.clear()

    def _is_awaited(self, task: CallTask) -> bool:
        if task not in self._tasks:
            return False
        self._tasks.discard(task)
        return True


def _entry(one: store.Listed) -> HistoryEntry:
    record = one.record
    return HistoryEntry(
        record.run_id,
        record.question or record.sentence,
        record.answer,
        record.asked_at,
        record.engine,
        record.status,
        one.has_result,
    )

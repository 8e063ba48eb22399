"""A run's GeoPackage read and shown, off the GUI thread where that takes time.

Knows how a saved result becomes a run's answer and layers. Refuses to know how it was made.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from qgis.core import QgsApplication, QgsProject
from qgis.PyQt.QtCore import QObject, pyqtSignal

from groundproof_qgis.answer.answer import Answer
from groundproof_qgis.control.run import Run
from groundproof_qgis.i18n_text import tr
from groundproof_qgis.layers.errors import LayerError
from groundproof_qgis.layers.index import EvidenceIndex
from groundproof_qgis.layers.result import find_result, opening
from groundproof_qgis.layers.tables import read_tables
from groundproof_qgis.tasks.garbage import no_garbage_collection
from groundproof_qgis.tasks.turns import Turns
from groundproof_qgis.tasks.work_task import WorkTask


class Results(QObject):
    """opened: the run has its answer and layers. failed: it could not be; a sentence. One comes for each call, unless
    the project is closed before: what was read of one project's run never comes into the next one, and into none while
    QGIS closes, which would crash with a layer in a project that it has emptied already.
    """

    opened = pyqtSignal(object)
    failed = pyqtSignal(object, str)

    def __init__(self, project: QgsProject, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._project = project
        self._tasks: set[WorkTask] = set()
        self._turns = Turns(self)
        self._is_closed = False
        project.cleared.connect(self._forget)

    def open(self, run: Run, *, layers: bool = True) -> None:
        """Read the GeoPackage, and show its layers; layers: False leaves the project as it is."""
        if self._is_closed:
            return
        path = run.path
        task = WorkTask(tr("Reading the result"), lambda: _read(path), (LayerError,))
        task.done.connect(lambda made: self._read(task, run, *made, layers))
        task.failed.connect(lambda sentence: self._not_read(task, run, sentence))
        self._tasks.add(task)
        QgsApplication.taskManager().addTask(task)

    def close(self) -> None:
        """Open nothing more."""
        if self._is_closed:
            return
        self._is_closed = True
        self._project.cleared.disconnect(self._forget)
        self._forget()

    def read_anew(self, run: Run) -> None:
        """Its file says something new. Layers that somebody took off the map stay away."""
        self.open(run, layers=False)

    def _forget(self) -> None:
        """What is being read was of a project that is closed."""
        self._tasks.clear()
        self._turns.stop()

    def _read(
        self, task: WorkTask, run: Run, made: Answer, asked: dict[str, tuple[str, ...]], layers: bool
    ) -> None:
        if self._is_awaited(task):
            self._turns.add(self._showing(run, made, asked, layers))

    def _showing(
        self, run: Run, made: Answer, asked: dict[str, tuple[str, ...]], layers: bool
    ) -> Iterator[None]:
        problem = ""
        try:
            if layers:
                shown = yield from opening(self._project, run.path, run.record.run_id, run.title)
            else:
                shown = find_result(self._project, run.record.run_id)
        except LayerError as err:
            shown, problem = run.layers, str(err)
        made.notes = list(run.answer.notes)
        if not run.answer.is_running:
            made.end(run.answer.status, run.answer.sentence)
        run.answer, run.asked, run.layers = made, asked, shown
        if problem:
            self.failed.emit(run, problem)
            return
        run.live = None
        if shown is None:
            run.index = None
        elif run.index is None or run.index.layer is not shown.evidence:
            run.index = EvidenceIndex(shown.evidence, made.evidence)
        self.opened.emit(run)
        yield
        if run.index is not None:
            run.index.prepare()

    def _not_read(self, task: WorkTask, run: Run, sentence: str) -> None:
        if self._is_awaited(task):
            self.failed.emit(run, sentence)

    def _is_awaited(self, task: WorkTask) -> bool:
        if task not in self._tasks:
            return False
        self._tasks.discard(task)
        return True


def _read(path: Path) -> tuple[Answer, dict[str, tuple[str, ...]]]:
    """The answer, and the labels its questions asked for; the rows they are made of are let go at once."""
    with no_garbage_collection():
        return _answer(path)


def _answer(path: Path) -> tuple[Answer, dict[str, tuple[str, ...]]]:
    tables = read_tables(path)
    return tables.answer(), tables.labels_asked

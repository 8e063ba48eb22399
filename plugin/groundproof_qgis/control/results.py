"""A run's GeoPackage read and shown, off the GUI thread where that takes time.

Knows how a saved result becomes a run's answer and layers. Refuses to know how it was made.
"""

from __future__ import annotations

from qgis.core import QgsApplication, QgsProject
from qgis.PyQt.QtCore import QObject, pyqtSignal

from groundproof_qgis.answer.answer import Answer
from groundproof_qgis.control.run import Run
from groundproof_qgis.i18n_text import tr
from groundproof_qgis.layers.errors import LayerError
from groundproof_qgis.layers.index import EvidenceIndex
from groundproof_qgis.layers.result import find_result, open_result
from groundproof_qgis.layers.tables import read_tables
from groundproof_qgis.tasks.garbage import no_garbage_collection
from groundproof_qgis.tasks.work_task import WorkTask


class Results(QObject):
    """opened: the run has its answer and layers. failed: it could not be; a sentence. One comes for each call."""

    opened = pyqtSignal(object)
    failed = pyqtSignal(object, str)

    def __init__(self, project: QgsProject, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._project = project
        self._tasks: set[WorkTask] = set()

    def open(self, run: Run, *, layers: bool = True) -> None:
        """Read the GeoPackage, and show its layers; layers: False leaves the project as it is."""
        path = run.path

        def read() -> tuple[Answer, dict[str, tuple[str, ...]]]:
            with no_garbage_collection():
                tables = read_tables(path)
                return tables.answer(), tables.labels_asked

        task = WorkTask(tr("Reading the result"), read, (LayerError,))
        task.done.connect(lambda made: self._read(task, run, *made, layers))
        task.failed.connect(lambda sentence: self._not_read(task, run, sentence))
        self._tasks.add(task)
        QgsApplication.taskManager().addTask(task)

    def _read(
        self, task: WorkTask, run: Run, made: Answer, asked: dict[str, tuple[str, ...]], layers: bool
    ) -> None:
        self._tasks.discard(task)
        before = run.answer
        made.notes = list(before.notes)
        if not before.is_running:
            made.end(before.status, before.sentence)
        run.answer, run.asked = made, asked
        try:
            if layers:
                run.layers = open_result(self._project, run.path, run.record.run_id, run.title)
            else:
                run.layers = find_result(self._project, run.record.run_id)
        except LayerError as err:
            self.failed.emit(run, str(err))
            return
        run.live = None
        if run.layers is not None and (run.index is None or run.index.layer is not run.layers.evidence):
            run.index = EvidenceIndex(run.layers.evidence, made.evidence)
        self.opened.emit(run)

    def _not_read(self, task: WorkTask, run: Run, sentence: str) -> None:
        self._tasks.discard(task)
        self.failed.emit(run, sentence)

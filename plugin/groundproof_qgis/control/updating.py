"""Answers made anew after a review: by the engine, in the order of saving, and written into the GeoPackage.

Knows which runs are waited for. Refuses to know who reviews. What could not be made anew is kept in the record as due,
and made when the run is opened again.
"""

from __future__ import annotations

from collections.abc import Callable

from qgis.core import QgsApplication, QgsProject
from qgis.PyQt.QtCore import QObject, pyqtSignal

from groundproof_qgis.control.engines import Engines
from groundproof_qgis.control.run import Run
from groundproof_qgis.engine.errors import EngineError
from groundproof_qgis.i18n_text import tr
from groundproof_qgis.layers.errors import LayerError
from groundproof_qgis.layers.result import find_result
from groundproof_qgis.review.errors import ReviewError
from groundproof_qgis.review.update import Update, ask_for_update, write_back
from groundproof_qgis.tasks.call_task import CallTask


class Updating(QObject):
    """answer_due: the run's GeoPackage says something new; read it again. problem: a sentence."""

    answer_due = pyqtSignal(object)
    problem = pyqtSignal(str)

    def __init__(self, project: QgsProject, engines: Engines, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._project = project
        self._engines = engines
        self._tasks: dict[str, CallTask] = {}
        self._kept: set[CallTask] = set()
        self._waiting: dict[str, list[Callable[[], None]]] = {}

    def update(self, run: Run) -> None:
        """Make the answer anew from what is saved; an earlier update of the run that has not come is forgotten."""
        self._note(run, due=True)
        self._engines.start()
        path, job = run.path, run.record.job
        task = CallTask(
            tr("The answer after the review"),
            self._engines.source(),
            lambda client: ask_for_update(path, job, client),
        )
        task.done.connect(lambda update: self._updated(task, run, update))
        task.failed.connect(lambda err: self._not_updated(task, run, err))
        self._tasks[run.record.run_id] = task
        self._kept.add(task)
        QgsApplication.taskManager().addTask(task)

    def when_current(self, run: Run, act: Callable[[], None]) -> None:
        """Do it now; or, while the run's answer is being made anew, once that has come or failed."""
        if run.record.run_id in self._tasks:
            self._waiting.setdefault(run.record.run_id, []).append(act)
        else:
            act()

    def _updated(self, task: CallTask, run: Run, update: Update) -> None:
        if not self._is_newest(task, run):
            return
        layers = find_result(self._project, run.record.run_id)  # somebody may have removed them meanwhile
        if layers is not None and not layers.evidence.isModified():
            try:
                write_back(layers, update)
            except (ReviewError, LayerError) as err:
                self.problem.emit(str(err))
            else:
                self._note(run, due=False)
        self._over(run)

    def _not_updated(self, task: CallTask, run: Run, err: EngineError) -> None:
        if not self._is_newest(task, run):
            return
        self.problem.emit(
            tr(
                "The review is saved. The answer could not be made anew: {reason} It is tried again when the run is "
                "opened."
            ).format(reason=err)
        )
        self._over(run)

    def _is_newest(self, task: CallTask, run: Run) -> bool:
        self._kept.discard(task)
        if self._tasks.get(run.record.run_id) is not task:
            return False
        del self._tasks[run.record.run_id]
        return True

    def _over(self, run: Run) -> None:
        self.answer_due.emit(run)
        for act in self._waiting.pop(run.record.run_id, []):
            act()

    def _note(self, run: Run, *, due: bool) -> None:
        try:
            run.note(answer_due=due)
        except OSError as err:
            self.problem.emit(str(err))

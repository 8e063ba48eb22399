"""What leaves QGIS: a copy of the GeoPackage, a report, corrections as training data.

Knows file dialogs. Refuses to know what is written.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from qgis.core import QgsApplication, QgsProject, QgsSettings
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QObject, pyqtSignal
from qgis.PyQt.QtWidgets import QFileDialog, QWidget

from groundproof_qgis.control.engines import Engines
from groundproof_qgis.control.reporting import Reporting
from groundproof_qgis.control.reviewing import Reviewing
from groundproof_qgis.control.run import Run
from groundproof_qgis.control.updating import Updating
from groundproof_qgis.i18n_text import tr
from groundproof_qgis.layers.errors import LayerError
from groundproof_qgis.layers.hand_over import hand_over
from groundproof_qgis.review.errors import ReviewError
from groundproof_qgis.review.export import Exported, export_corrections
from groundproof_qgis.tasks.call_task import CallTask
from groundproof_qgis.tasks.work_task import WorkTask

LAST_FOLDER = "groundproof/last_folder"
MAX_NAME = 60


class Exports(QObject):
    """written: a sentence, and the file. problem: a sentence."""

    written = pyqtSignal(str, str)
    problem = pyqtSignal(str)

    def __init__(
        self,
        engines: Engines,
        reviewing: Reviewing,
        updating: Updating,
        project: QgsProject,
        canvas: QgsMapCanvas,
        window: QWidget,
    ) -> None:
        super().__init__()
        self._engines = engines
        self._reviewing = reviewing
        self._updating = updating
        self._window = window
        self._reporting = Reporting(project, canvas, self)
        self._reporting.done.connect(
            lambda path: self.written.emit(tr("The report was written to {path}.").format(path=path), path)
        )
        self._reporting.failed.connect(self.problem)
        self._tasks: set[CallTask | WorkTask] = set()

    def save_copy(self, run: Run) -> None:
        """A clean single file for somebody else, the review in it."""
        target = self._chosen(tr("Save the result as"), run, ".gpkg", tr("GeoPackage (*.gpkg)"))
        if target is not None and self._reviewing.save():
            self._updating.when_current(run, lambda: self._copy(run.path, target))

    def _copy(self, source: Path, target: Path) -> None:
        task = WorkTask(tr("Saving the result"), lambda: hand_over(source, target), (LayerError,))
        words = tr("The result was saved as {path}: all boxes, the review and the styles are in it.")
        task.done.connect(lambda path: self._over(task, words.format(path=path), str(path)))
        task.failed.connect(lambda sentence: self._failed(task, sentence))
        self._begin(task)

    def report(self, run: Run, form: str) -> None:
        """A page with the map's picture. form: html or pdf."""
        kind = tr("Web page (*.html)") if form == "html" else tr("PDF (*.pdf)")
        target = self._chosen(tr("Save the report as"), run, f".{form}", kind)
        if target is not None and self._reviewing.save():
            self._updating.when_current(run, lambda: self._reporting.write(run, target))

    def corrections(self, run: Run, form: str) -> None:
        """Training samples of what was reviewed. form: geo-cot, coco or yolo."""
        target = self._chosen(tr("Export corrections as"), run, f"-{form}.zip", tr("Archive (*.zip)"))
        if target is None or not self._reviewing.save():
            return
        self._updating.when_current(run, lambda: self._correct(run, form, target))

    def _correct(self, run: Run, form: str, target: Path) -> None:
        source, job = run.path, run.record.job
        self._engines.start()
        task = CallTask(
            tr("Exporting corrections"),
            self._engines.source(),
            lambda client: _exported(lambda: export_corrections(source, job, form, target, client)),
        )
        task.done.connect(lambda made: self._exported(task, made))
        task.failed.connect(lambda err: self._failed(task, str(err)))
        self._begin(task)

    def _exported(self, task: CallTask, made: Exported | str) -> None:
        if isinstance(made, Exported):
            self._over(task, made.sentence, str(made.path))
        else:
            self._failed(task, made)

    def _begin(self, task: CallTask | WorkTask) -> None:
        self._tasks.add(task)
        QgsApplication.taskManager().addTask(task)

    def _over(self, task: CallTask | WorkTask, sentence: str, path: str) -> None:
        self._tasks.discard(task)
        self.written.emit(sentence, path)

    def _failed(self, task: CallTask | WorkTask, sentence: str) -> None:
        self._tasks.discard(task)
        self.problem.emit(sentence)

    def _chosen(self, title: str, run: Run, ending: str, kind: str) -> Path | None:
        """The file the person names; None when they do not."""
        kept = QgsSettings().value(LAST_FOLDER, "") or str(Path.home())
        start = str(Path(str(kept)) / f"{file_stem(run.record.question)}{ending}")
        name, _ = QFileDialog.getSaveFileName(self._window, title, start, kind)
        if not name:
            return None
        path = Path(name)
        QgsSettings().setValue(LAST_FOLDER, str(path.parent))
        last = f".{ending.rpartition('.')[2]}"
        return path if path.suffix.lower() == last else path.with_name(path.name + last)


def file_stem(question: str) -> str:
    """A file's name made of a question: letters, digits and dashes."""
    words = re.sub(r"[^\w]+", "-", question.strip().lower()).strip("-_")
    return words[:MAX_NAME].rstrip("-") or "groundproof"


def _exported(export: Callable[[], Exported]) -> Exported | str:
    """What was made; or, as the review and the file cannot be changed by trying again, why not."""
    try:
        return export()
    except (ReviewError, LayerError) as err:
        return str(err)

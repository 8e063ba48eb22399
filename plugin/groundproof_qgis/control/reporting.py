"""A report of a run: the map around its area drawn in the background, then the page or PDF written.

Knows which layers belong on the picture. Refuses to know what the page says.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from qgis.core import QgsApplication, QgsMapLayer, QgsProject
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QObject, QSize, pyqtSignal
from qgis.PyQt.QtGui import QImage

from groundproof_qgis.control.run import Run
from groundproof_qgis.i18n_text import tr
from groundproof_qgis.imagery.ground import crs_name
from groundproof_qgis.layers.errors import LayerError
from groundproof_qgis.layers.folders import Folders
from groundproof_qgis.layers.group import is_ours
from groundproof_qgis.layers.tables import read_tables
from groundproof_qgis.report.files import write_html, write_pdf
from groundproof_qgis.report.picture import MapPicture, area_of, picture_settings
from groundproof_qgis.report.report import Facts, scene_lines
from groundproof_qgis.tasks.work_task import WorkTask

PICTURE = QSize(1320, 960)
"""Twice the page's width: sharp on paper."""


class Reporting(QObject):
    """done: the path. failed: a sentence. The review as it is saved is what the report says."""

    done = pyqtSignal(str)
    failed = pyqtSignal(str)

    def __init__(self, project: QgsProject, canvas: QgsMapCanvas, parent: QObject) -> None:
        super().__init__(parent)
        self._project = project
        self._canvas = canvas
        self._kept: set[object] = set()

    def write(self, run: Run, target: Path) -> None:
        """Write target, .html or .pdf."""
        layers = [one for one in self._canvas.layers() if not is_ours(one)]
        extent = None
        settings = self._canvas.mapSettings()
        if run.layers is not None:
            layers = [run.layers.evidence, run.layers.answers, *layers]
            extent = area_of(run.layers.answers, settings)
        layer: QgsMapLayer | None = None if run.layers is None else run.layers.evidence
        crs = crs_name(layer.crs()) if layer is not None and layer.crs().isValid() else ""
        picture = MapPicture(
            picture_settings(settings, layers, extent, PICTURE),
            lambda image: self._drawn(picture, run, crs, target, image),
        )
        self._kept.add(picture)

    def _drawn(self, picture: MapPicture, run: Run, crs: str, target: Path, image: QImage) -> None:
        self._kept.discard(picture)
        record, path, now = run.record, run.path, run.answer
        notes, status, sentence = list(now.notes), now.status, now.sentence

        def write() -> str:
            tables = read_tables(path)
            folders = Folders(tables.scenes, tables.metadata)
            told = replace(
                tables, answers=folders.value(tables.answers), metadata=folders.value(tables.metadata)
            )
            answer = told.answer()
            answer.notes = [folders.without(note) for note in notes]
            answer.end(status, sentence)
            facts = Facts(record.asked_at, record.engine, crs, scene_lines(tables.scenes), record.gpkg)
            (write_html if target.suffix == ".html" else write_pdf)(target, answer, facts, image)
            return str(target)

        task = WorkTask(tr("Writing the report"), write, (LayerError,))
        task.done.connect(lambda made: self._written(task, made))
        task.failed.connect(lambda sentence: self._not_written(task, sentence))
        self._kept.add(task)
        QgsApplication.taskManager().addTask(task)

    def _written(self, task: WorkTask, path: str) -> None:
        self._kept.discard(task)
        self.done.emit(path)

    def _not_written(self, task: WorkTask, sentence: str) -> None:
        self._kept.discard(task)
        self.failed.emit(sentence)

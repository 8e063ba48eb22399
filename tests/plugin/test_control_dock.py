"""The dock, its layers and the project together: what is taken away is let go of, and nothing is done twice."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from qgis.core import QgsApplication, QgsProject, QgsRasterLayer, QgsVectorLayer
from qgis.gui import QgsMapToolPan
from qgis.PyQt.QtCore import QPoint, Qt
from qgis.PyQt.QtWidgets import QApplication, QMessageBox

from groundproof_qgis.answer.answer import Answer
from groundproof_qgis.asking.form import CANVAS, RECTANGLE
from groundproof_qgis.control.run import Run
from groundproof_qgis.engine.local import LocalEngine
from groundproof_qgis.engine.settings import EngineSettings
from groundproof_qgis.gui.history_menu import HistoryDialog
from groundproof_qgis.gui.messages import GOOD, WARNING
from groundproof_qgis.history import store
from groundproof_qgis.history.record import new_record
from groundproof_qgis.layers.live import LiveLayer
from groundproof_qgis.tasks.work_task import WorkTask
from tests.plugin.desks import AtWork
from tests.plugin.engine_waiting import until
from tests.plugin.results import parcels, result, scene


@pytest.fixture
def work(qgis_app, tmp_path: Path):
    project = QgsProject.instance()
    project.clear()
    project.setFileName(str(tmp_path / "project.qgz"))
    local = LocalEngine(tmp_path / "none", lambda: EngineSettings())
    made = AtWork(local)
    yield made
    made.close()
    local.shut_down()
    project.clear()
    project.setFileName("")


def kept(work: AtWork, make=result, status: str = "done", job: str | None = None) -> str:
    """A run of the project, as if it had been asked earlier; its id."""
    folder = Path(work.project.fileName()).with_name("project_groundproof")
    folder.mkdir(exist_ok=True)
    record = new_record("How many airplanes are there?", "auto", {}, "tiny on this computer")
    if make is not None:
        make(folder, record.gpkg)
    document = {**json.loads(record.as_json()), "status": status, "job": job}
    store.save(folder, type(record).from_json(json.dumps(document)))
    return record.run_id


def opened(work: AtWork, run_id: str) -> Run:
    work.desk.runs._chosen("open", [run_id])
    until(lambda: work.desk.showing.run is not None and work.desk.showing.run.layers is not None)
    return work.desk.showing.run


def test_dragging_the_map_says_its_size_once_at_the_end(work, monkeypatch):
    work.show(QgsRasterLayer(str(scene()), "field"))
    until(
        lambda: (
            work.size != "" and not work.desk._map_moves._timer.isActive() and not work.panel._soon.isActive()
        )
    )
    work.desk._map_moves._timer.setInterval(3_000)  # a busy computer may need a second for one movement
    asked: list[object] = []
    former = work.desk.places.previews
    monkeypatch.setattr(work.desk.places, "previews", lambda *words: asked.append(words) or former(*words))
    for _ in range(60):
        work.canvas.setExtent(work.canvas.extent().buffered(-0.5))
        QApplication.processEvents()
    assert asked == []
    until(lambda: asked)
    assert len(asked) == 1


def test_a_rectangle_is_drawn_through_whatever_changes_in_the_dock_meanwhile(work, qtbot):
    work.show(QgsRasterLayer(str(scene()), "field"))
    work.panel.where.bar.button(RECTANGLE).click()
    viewport, left = work.canvas.viewport(), Qt.MouseButton.LeftButton
    begin, end = QPoint(200, 150), QPoint(400, 300)
    qtbot.mousePress(viewport, left, pos=begin)
    qtbot.mouseMove(viewport, end)
    work.panel.changed.emit()  # 250 ms after Rectangle was pressed; or the map has moved, the engine is ready
    qtbot.mouseRelease(viewport, left, pos=end)
    assert work.panel.where.problem == ""
    drawn = work.desk.places.place(work.panel.form()).polygons.boundingBox()
    assert drawn.width() == pytest.approx(200 * work.canvas.mapUnitsPerPixel())


def test_choosing_another_place_gives_the_map_back(work, qtbot):
    work.show(QgsRasterLayer(str(scene()), "field"))
    former = QgsMapToolPan(work.canvas)
    work.canvas.setMapTool(former)
    work.panel.where.bar.button(RECTANGLE).click()
    assert work.canvas.mapTool() is not former
    work.panel.where.bar.button(CANVAS).click()
    until(lambda: work.canvas.mapTool() is former)


def test_a_growing_answer_listens_to_its_layer_once(work):
    work.show(QgsRasterLayer(str(scene()), "field"))
    run = Run(new_record("q", "auto", {}, "e"), Path(), Answer("q"))
    run.live = LiveLayer(work.project, run.record.run_id, "q", "EPSG:32631")
    work.desk.showing.show(run)
    layer = run.live.layer
    before = layer.receivers(layer.selectionChanged)
    for _ in range(20):
        work.desk._grew(run)
    assert layer.receivers(layer.selectionChanged) == before


def test_a_live_layer_that_somebody_removes_is_let_go_of(work):
    work.show(QgsRasterLayer(str(scene()), "field"))
    run = Run(new_record("q", "auto", {}, "e"), Path(), Answer("q"))
    run.live = LiveLayer(work.project, run.record.run_id, "q", "EPSG:32631")
    work.desk.showing.show(run)
    work.project.removeMapLayer(run.live.layer.id())
    work.answers.evidence_selected.emit(["t1:1"])
    work.answers.evidence_activated.emit(["t1:1"])
    work.desk.showing._clicked(work.canvas.extent().center(), 1.0)
    assert run.live.layer is None


def test_boxes_taken_off_the_map_come_back_when_they_are_to_be_reviewed(work):
    run = opened(work, kept(work))
    work.project.removeMapLayer(run.layers.tiles.id())
    assert run.layers is None
    work.answers.review_button.click()
    assert work.messages.sentence == "The boxes of this answer are not on the map."
    assert not work.answers.review_button.isChecked()
    work.messages.notice.pressed.emit("show")
    until(lambda: run.layers is not None)
    work.answers.review_button.click()
    assert run.layers.evidence.isEditable()
    run.layers.evidence.rollBack()


def test_a_run_removed_from_the_history_leaves_the_dock_and_the_map(work, monkeypatch):
    run = opened(work, kept(work))
    path = run.path
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Yes)
    work.desk.runs._chosen("remove", [run.record.run_id])
    assert not path.exists()
    assert work.desk.showing.run is None
    assert work.answers.model.total == 0
    assert work.desk.runs.all() == []


def test_one_run_is_on_the_map_at_a_time(work):
    first, second = kept(work), kept(work, parcels)
    one = opened(work, first)
    work.desk.runs._chosen("open", [second])
    until(lambda: work.desk.showing.run.record.run_id == second and work.desk.showing.run.layers is not None)
    two = work.desk.showing.run
    root = work.project.layerTreeRoot()
    assert not root.findLayer(one.layers.evidence.id()).isVisible()
    assert root.findLayer(two.layers.evidence.id()).isVisible()
    opened(work, first)
    until(lambda: root.findLayer(one.layers.evidence.id()).isVisible())
    assert not root.findLayer(two.layers.evidence.id()).isVisible()


def test_reading_an_answer_anew_moves_nothing_in_the_dock(work):
    run = opened(work, kept(work))
    keys = [one.key for one in run.answer.evidence]
    work.answers.filter.setText("airplane")
    work.answers.select_evidence(keys[1:2])
    work.desk.results.open(run)
    former = run.answer
    until(lambda: run.answer is not former)
    until(lambda: work.answers.view.selected_keys == keys[1:2])
    assert work.answers.filter.text() == "airplane"


def test_a_box_on_the_map_and_its_row_select_each_other(work):
    run = opened(work, kept(work))
    feature = next(run.layers.evidence.getFeatures("\"evidence_id\" = 'E2'"))
    work.look_at(run.layers.evidence, run.layers.evidence.extent())
    work.desk.showing._clicked(feature.geometry().centroid().asPoint(), 0.5)
    assert work.answers.view.selected_keys == ["A1:E2"]
    work.answers.evidence_selected.emit(["A1:E1"])
    assert [one["evidence_id"] for one in run.layers.evidence.selectedFeatures()] == ["E1"]


def test_a_question_that_never_reached_the_engine_is_filled_in_again(work):
    run_id = kept(work, make=None, status="asking")
    work.desk.runs._chosen("go_on", [run_id])
    assert "never reached the engine" in work.messages.sentence or "cannot be read" in work.messages.sentence
    assert not work.desk.asking.is_busy


def test_a_warning_that_nobody_closed_comes_back(work):
    work.messages.show_message("The disk is full.", WARNING)
    work.messages.show_message("The report was written.", GOOD)
    assert work.messages.sentence == "The report was written."
    work.messages.close_button.click()
    assert work.messages.sentence == "The disk is full."
    work.messages.close_button.click()
    assert work.messages.sentence == ""


def test_a_project_that_is_closed_takes_its_answer_and_its_messages_with_it(work):
    opened(work, kept(work))
    work.messages.show_message("Go on?", WARNING, ("go_on", "Go on"))
    work.project.clear()
    assert work.messages.sentence == ""
    assert work.answers.model.total == 0
    assert work.desk.showing.run is None


def ended_tasks() -> None:
    """Until nothing runs in the background any more, and what it gave was told."""
    until(lambda: not QgsApplication.taskManager().count())
    for _ in range(20):
        QApplication.processEvents()


def test_what_is_read_of_a_closed_project_does_not_come_into_the_next_one(work):
    run, other = opened(work, kept(work)), kept(work)
    work.desk.runs._chosen("open", [other])
    work.project.clear()
    ended_tasks()
    assert work.project.mapLayers() == {}
    work.desk.updating.answer_due.emit(run)  # its review was saved before
    ended_tasks()
    assert work.project.mapLayers() == {}
    task = object()
    work.desk.runs._tasks.add(task)
    work.project.clear()
    layer = QgsVectorLayer("Polygon", "changes", "memory")
    work.desk.runs._compared(task, run, run, layer, "25 airplanes before, 27 after")
    assert work.project.mapLayers() == {}


def test_nothing_comes_into_a_project_while_qgis_closes(work):
    run = opened(work, kept(work))
    work.desk.runs.show()
    slow = WorkTask("a slow disk", lambda: time.sleep(0.5))
    QgsApplication.taskManager().addTask(slow)
    run.layers.evidence.startEditing()
    run.layers.evidence.rollBack()  # "Discard", says the person whom QGIS asks
    work.desk.results.open(run)
    work.project.clear()
    work.desk.results.open(run)
    work.desk._quit()
    ended_tasks()
    assert work.project.mapLayers() == {}
    lists = [one for one in QApplication.topLevelWidgets() if isinstance(one, HistoryDialog)]
    assert not any(one.isVisible() for one in lists)


def test_the_plugin_leaves_the_canvas_as_it_was(qgis_app, work):
    run = opened(work, kept(work))
    layer = run.layers.evidence
    work.desk.close()
    work.desk = None
    rubber = [one for one in work.canvas.scene().items() if type(one).__name__ == "QgsRubberBand"]
    assert rubber == []
    layer.selectByIds([1])
    work.canvas.setExtent(work.canvas.extent().buffered(5))
    work.project.removeMapLayer(layer.id())
    QApplication.processEvents()

"""What cannot be asked, and who cannot be asked: one clear sentence each, and nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from osgeo import gdal
from qgis.core import QgsCoordinateReferenceSystem, QgsProject, QgsRasterLayer, QgsRectangle
from qgis.PyQt.QtCore import QTimer
from qgis.PyQt.QtWidgets import QApplication

from groundproof_qgis.engine import settings as engine_settings
from groundproof_qgis.engine.local import READY, LocalEngine
from groundproof_qgis.engine.settings import REMOTE, EngineSettings
from groundproof_qgis.gui import preferences
from groundproof_qgis.gui.engine_line import UNREACHABLE
from groundproof_qgis.imagery.what import LayerPixels
from tests.plugin.desks import AtWork, records
from tests.plugin.engine_faults import HEALTH, Call, FaultyServer
from tests.plugin.engine_waiting import until
from tests.plugin.results import ENGINE, need_engine, scene

READY_S = 150.0


@pytest.fixture
def project(qgis_app, tmp_path: Path):
    one = QgsProject.instance()
    one.clear()
    one.setFileName(str(tmp_path / "project.qgz"))
    engine_settings.save(EngineSettings())
    preferences.save(preferences.Preferences())
    yield one
    one.clear()
    one.setFileName("")
    engine_settings.save(EngineSettings())
    preferences.save(preferences.Preferences())


@pytest.fixture(scope="module")
def engine(qgis_app, tmp_path_factory: pytest.TempPathFactory):
    """One that runs, for all tests that need one."""
    need_engine()
    made = LocalEngine(tmp_path_factory.mktemp("engine"), lambda: EngineSettings(command=str(ENGINE)))
    made.start()
    until(lambda: made.state == READY, READY_S)
    yield made
    made.shut_down()


@pytest.fixture
def work(project, engine):
    made = AtWork(engine)
    yield made
    made.close()


@pytest.fixture
def idle(project, tmp_path: Path):
    """A dock whose engine on this computer is not there."""
    local = LocalEngine(tmp_path / "none", lambda: EngineSettings())
    made = AtWork(local)
    yield made
    made.close()
    local.shut_down()


def field(name: str = "field") -> QgsRasterLayer:
    return QgsRasterLayer(str(scene()), name)


def test_without_a_layer_it_says_what_to_do(work):
    work.press_ask()
    assert work.size == "There is no imagery to ask about. Add a layer, or open the demo scene."
    assert not work.desk.asking.is_busy
    assert not work.panel.no_imagery.isHidden()


def test_an_empty_canvas_is_not_asked_about(work):
    layer = field()
    far = QgsRectangle(layer.extent())
    work.project.addMapLayer(layer)
    work.canvas.setDestinationCrs(layer.crs())
    work.canvas.setLayers([])
    work.canvas.setExtent(far)
    work.press_ask()
    assert work.messages.sentence.startswith("Nothing is visible on the map.")
    assert not work.desk.asking.is_busy
    assert not records(Path(work.project.fileName()).with_name("project_groundproof"))


def test_a_layer_without_a_crs_is_asked_about_in_its_own_pixels(work, tmp_path):
    path = tmp_path / "plain.tif"
    pixels = gdal.Open(str(scene())).ReadAsArray()
    made = gdal.GetDriverByName("GTiff").Create(str(path), pixels.shape[2], pixels.shape[1], 3)
    made.WriteArray(pixels[:3])
    made.FlushCache()
    del made
    layer = QgsRasterLayer(str(path), "plain")
    layer.setCrs(QgsCoordinateReferenceSystem())
    work.show(layer)
    work.panel.pixels.pick(LayerPixels(layer.id()), work.panel.pixels.one)
    work.panel.where.choose("layer", layer.id())
    work.press_ask()
    assert work.messages.sentence == ""
    work.until_answered()
    run = work.desk.showing.run
    assert run.record.status == "done"
    evidence = run.layers.evidence
    assert not evidence.crs().isValid(), "the map must not carry pixels into its own coordinates"
    assert evidence.featureCount() > 0
    assert layer.extent().contains(evidence.extent()), (layer.extent(), evidence.extent())
    work.answers.evidence_activated.emit([run.answer.evidence[0].key])
    assert work.canvas.extent().contains(evidence.getFeature(run.fids(["A1:E1"])[0]).geometry().boundingBox())


def test_a_large_area_is_asked_about_only_after_a_yes(work):
    preferences.save(preferences.Preferences(confirm_tiles=1))
    work.show(field())
    until(lambda: "tile" in work.size)
    said: list[str] = []

    def press(agree: bool) -> None:
        dialog = QApplication.activeModalWidget()
        said.append(dialog.windowTitle())
        dialog.agree.click() if agree else dialog.reject()

    QTimer.singleShot(100, lambda: press(False))
    work.press_ask()
    assert said == ["A large area"]
    assert not work.desk.asking.is_busy
    QTimer.singleShot(100, lambda: press(True))
    work.press_ask()
    assert work.desk.asking.is_busy
    work.until_answered()
    assert work.desk.showing.run.record.status == "done"


def remote(answer) -> FaultyServer:
    server = FaultyServer(answer)
    engine_settings.save(EngineSettings(who=REMOTE, url=server.url))
    return server


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda call: call.problem(401, "Who are you?"), "token"),
        (lambda call: call.json({**HEALTH, "api": "2"}), "version"),
        (lambda call: call.json({"hello": "world"}), "groundproof"),
        (Call.drop, "127.0.0.1"),
    ],
    ids=["token", "version", "something else", "drops"],
)
def test_an_engine_that_cannot_be_asked_is_named_in_one_sentence(idle, answer, words):
    server = remote(answer)
    idle.desk.engines.use_settings()
    until(lambda: idle.desk.engines.state == UNREACHABLE)
    sentence = idle.dock.engine_line.sentence.text()
    assert words in sentence
    assert "Traceback" not in sentence
    idle.show(field())
    idle.press_ask()
    assert idle.messages.sentence == sentence
    assert not idle.desk.asking.is_busy
    server.stop()


def test_an_engine_that_is_not_there_is_said_to_be_not_there(idle):
    engine_settings.save(EngineSettings(who=REMOTE, url="http://127.0.0.1:9"))
    idle.desk.engines.use_settings()
    until(lambda: idle.desk.engines.state == UNREACHABLE)
    assert "127.0.0.1" in idle.dock.engine_line.sentence.text()
    assert idle.dock.engine_line.button("retry").isVisibleTo(idle.dock)


def test_a_project_whose_folder_cannot_be_written_keeps_its_answer_elsewhere(work):
    Path(work.project.fileName()).with_name("project_groundproof").write_text("a file in the way")
    work.show(field())
    work.press_ask()
    work.until_answered()
    run = work.desk.showing.run
    assert run.path.is_file()
    assert any("cannot be written" in note for note in run.answer.notes)
    assert [one.record.run_id for one in work.desk.runs.all()] == [run.record.run_id]


def test_a_result_that_somebody_removed_is_said_to_be_gone(work):
    work.show(field())
    work.press_ask()
    work.until_answered()
    run = work.desk.showing.run
    run.path.unlink()
    work.answers.save_requested.emit()
    assert (
        work.messages.sentence == f"{run.path} is not there any more: somebody moved, renamed or removed it."
    )
    work.answers.report_requested.emit("html")
    assert "is not there any more" in work.messages.sentence
    assert work.answers.model.total > 0

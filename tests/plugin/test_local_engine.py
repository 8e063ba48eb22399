"""The engine on this computer, and questions to it: real child processes, real pixels, the embedded model."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from osgeo import ogr
from qgis.core import Qgis, QgsApplication

from groundproof_qgis.asking.request import Question
from groundproof_qgis.engine.address import EngineAddress
from groundproof_qgis.engine.client import EngineClient
from groundproof_qgis.engine.errors import EngineError
from groundproof_qgis.engine.local import DEAD, READY, STOPPED, LocalEngine
from groundproof_qgis.engine.settings import EngineSettings
from groundproof_qgis.tasks.ask_task import AskTask
from groundproof_qgis.tasks.call_task import CallTask
from tests.plugin.engine_pixels import ROOT, FilePixels, render_scene
from tests.plugin.engine_waiting import Heard, in_worker, until

COMMAND = ROOT / ".venv" / "bin" / "groundproof"
LOADING_S = 300.0
QUESTION = Question("How many airplanes are there?")
pytestmark = pytest.mark.skipif(
    not COMMAND.exists(), reason="the engine is not installed; run scripts/demo once"
)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render_scene(tmp_path_factory.mktemp("scene"))


@pytest.fixture(scope="module")
def wide_scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render_scene(tmp_path_factory.mktemp("scene"), 1120, 672)


@pytest.fixture(scope="module")
def engine(qgis_app, tmp_path_factory: pytest.TempPathFactory) -> LocalEngine:
    made = LocalEngine(tmp_path_factory.mktemp("engine"), lambda: EngineSettings(command=str(COMMAND)))
    assert made.state == STOPPED
    made.start()
    until(lambda: made.state == READY, LOADING_S)
    yield made
    made.shut_down()


def tile_statuses(path: Path) -> list:
    file = ogr.Open(str(path))
    return [tile["status"] for tile in file.GetLayerByName("tiles")]


@pytest.fixture(autouse=True)
def no_tracebacks(qgis_app):
    """What the plugin keeps in QGIS's log of an exception that nobody raised on purpose."""
    logged: list[str] = []

    def keep(text: str, tag: str, level: int) -> None:
        logged.append(f"{tag}: {text}")

    QgsApplication.messageLog().messageReceived[str, str, Qgis.MessageLevel].connect(keep)
    yield
    QgsApplication.messageLog().messageReceived[str, str, Qgis.MessageLevel].disconnect(keep)
    assert not [text for text in logged if text.startswith("groundproof:")]


def test_the_engine_starts_with_a_clean_environment_and_says_that_it_is_ready(engine: LocalEngine) -> None:
    assert engine.sentence.startswith("This computer, ")
    assert engine.model["name"] == "tiny"
    child = engine._child._process.processId()
    environment = Path(f"/proc/{child}/environ").read_bytes()
    words = Path(f"/proc/{child}/cmdline").read_bytes()
    names = {line.partition(b"=")[0].decode() for line in environment.split(b"\0") if line}
    token = next(line for line in environment.split(b"\0") if line.startswith(b"GROUNDPROOF_TOKEN="))
    assert not [
        n
        for n in names
        if n.startswith(("QT_", "QGIS_", "GDAL_", "PROJ_", "LD_", "PYTHONHOME", "PYTHONPATH"))
    ]
    assert token.partition(b"=")[2] not in words


def test_a_question_comes_back_as_events_and_a_geopackage(
    engine: LocalEngine, scene: Path, tmp_path: Path
) -> None:
    source = FilePixels(scene)
    task = AskTask(engine.address, QUESTION, [source], tmp_path, "first")
    heard = Heard(task).start()
    status, sentence = heard.until_ended(LOADING_S)
    assert (status, sentence) == ("done", "Answered; kept in first.gpkg.")
    assert heard.threads == {True}
    assert heard.all[-1][0] == "ended"
    assert heard.of("job_started") == [(task.job_id,)]
    assert heard.of("uploaded")[-1] == (896.0 * 672, 896.0 * 672)
    names = heard.event_names()
    assert names[-1] == "done"
    assert {"plan", "evidence", "synthesis", "answer", "coverage", "audit"} <= set(names)
    assert heard.of("progressed")[-1][0] == heard.of("progressed")[-1][1] > 0
    assert source.closed == 1
    file = ogr.Open(str(task.outcome.path))
    final = [d for (batch,) in heard.of("events") for n, d in batch if n == "evidence" and d["final"]]
    assert file.GetLayerByName("evidence").GetFeatureCount() == len(final) > 0


def test_nothing_is_written_over_a_file_that_exists_or_is_open_elsewhere(
    engine: LocalEngine, scene: Path, tmp_path: Path
) -> None:
    (tmp_path / "kept.gpkg-wal").write_bytes(b"journal")
    heard = Heard(AskTask(engine.address, QUESTION, [FilePixels(scene)], tmp_path, "kept")).start()
    status, sentence = heard.until_ended()
    assert status == "failed"
    assert "kept.gpkg-wal exists already" in sentence
    assert not heard.of("job_started")


def test_a_cancelled_question_ends_in_the_engine_and_keeps_what_came(
    engine: LocalEngine, wide_scene: Path, tmp_path: Path
) -> None:
    task = AskTask(engine.address, QUESTION, [FilePixels(wide_scene)], tmp_path, "part")
    heard = Heard(task).start()
    until(lambda: "evidence" in heard.event_names() or heard.of("ended"), LOADING_S)
    assert not heard.of("ended")
    before = len(heard.all)
    task.give_up()
    status, sentence = heard.until_ended()
    assert status == "cancelled"
    assert [name for name, _ in heard.all[before:]] == ["ended"]
    assert sentence == "Cancelled. What came is kept in part.gpkg."
    assert " of " in task.outcome.partial
    assert None in tile_statuses(tmp_path / "part.gpkg")
    assert in_worker(lambda: EngineClient(engine.address).job(task.job_id))["status"] == "dismissed"


def test_a_wrong_token_is_one_sentence(engine: LocalEngine) -> None:
    wrong = EngineAddress(engine.address().url, token_source=lambda: "another-token")
    answers: list = []
    task = CallTask("ready", wrong, lambda client: client.ready())
    task.failed.connect(answers.append)
    QgsApplication.taskManager().addTask(task)
    until(lambda: answers)
    assert answers[0].kind == "unauthorized"
    assert str(answers[0]).startswith(f"The engine at {wrong.url} does not accept this token.")


def test_the_engines_own_sentence_is_shown_for_what_it_refuses(engine: LocalEngine) -> None:
    client = EngineClient(engine.address)
    with pytest.raises(EngineError) as refused:
        in_worker(lambda: client.ask({"question": "What?", "scenes": [{"id": "0" * 32}]}))
    assert refused.value.kind == "missing"
    with pytest.raises(EngineError) as refused:
        in_worker(lambda: client.execute_job("audit", {"job": "0" * 32}))
    assert "0" * 32 in str(refused.value)


def test_an_engine_killed_in_the_middle_of_an_answer_goes_on_after_a_restart(
    engine: LocalEngine, wide_scene: Path, tmp_path: Path
) -> None:
    told: list[tuple[str, str]] = []
    engine.status_changed.connect(lambda state, sentence: told.append((state, sentence)))
    task = AskTask(engine.address, QUESTION, [FilePixels(wide_scene)], tmp_path, "killed")
    heard = Heard(task).start()
    until(lambda: "evidence" in heard.event_names() or heard.of("ended"), LOADING_S)
    assert not heard.of("ended")
    first = engine.address()
    os.kill(engine._child._process.processId(), signal.SIGKILL)
    until(lambda: engine.state == DEAD)
    ended = "The engine on this computer has ended: It was ended from outside, or crashed."
    assert told[-1] == (DEAD, f"{ended} Start it again; questions go on.")
    engine.restart()
    status, sentence = heard.until_ended(LOADING_S)
    assert engine.address().url != first.url
    assert (status, sentence) == ("done", "Answered; kept in killed.gpkg.")
    assert task.outcome.after == len(heard.event_names())  # each once: they are numbered from 1
    assert heard.event_names().count("done") == 1
    assert set(tile_statuses(tmp_path / "killed.gpkg")) <= {"ok", "empty"}


def test_a_question_that_was_left_is_followed_later(
    engine: LocalEngine, wide_scene: Path, tmp_path: Path
) -> None:
    until(lambda: engine.state == READY, LOADING_S)
    task = AskTask(engine.address, QUESTION, [FilePixels(wide_scene)], tmp_path, "left")
    heard = Heard(task).start()
    until(lambda: "evidence" in heard.event_names() or heard.of("ended"), LOADING_S)
    assert not heard.of("ended")
    task.leave()
    status, sentence = heard.until_ended()
    assert (status, sentence) == (
        "interrupted",
        "The engine goes on with the question; follow it again later.",
    )
    assert not list(tmp_path.iterdir())
    after = task.outcome.after
    assert after >= len(heard.event_names()) > 0
    later = AskTask.follow(engine.address, task.job_id, after, tmp_path, "left", QUESTION.text)
    heard_later = Heard(later).start()
    assert heard_later.until_ended(LOADING_S)[0] == "done"
    assert after + len(heard_later.event_names()) == later.outcome.after
    assert (tmp_path / "left.gpkg").exists()

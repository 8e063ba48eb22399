"""Asking, when things go wrong on the way: a server that misbehaves in place of the engine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from qgis.core import QgsApplication, QgsProcessingFeedback

from groundproof_qgis.asking.request import Question
from groundproof_qgis.engine import patience
from groundproof_qgis.engine import watch as watching
from groundproof_qgis.engine.address import EngineAddress
from groundproof_qgis.imagery.errors import PixelError
from groundproof_qgis.imagery.scene import PixelSource, PixelWindow, SceneSpec
from groundproof_qgis.processing.telling import Telling
from groundproof_qgis.tasks.ask import percent_sent
from groundproof_qgis.tasks.ask_task import AskTask
from groundproof_qgis.tasks.call_task import CallTask
from tests.plugin.engine_faults import HEALTH, Call, FaultyServer
from tests.plugin.engine_waiting import Heard, until

QUESTION = Question("How many squares are there?")


class Squares(PixelSource):
    """Four windows of four pixels each."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.spec = SceneSpec("squares", 4, 4, None, None)
        self.fails_at = fails_at
        self.closed = 0

    def windows(self, cancelled) -> Iterator[PixelWindow]:
        for y0 in range(4):
            if y0 == self.fails_at:
                raise PixelError("The layer could not be read: the network drive is gone.")
            if cancelled():
                return
            yield PixelWindow(0, y0, 4, 1, bytes([y0]) * 12, "application/octet-stream")

    def close(self) -> None:
        self.closed += 1


class Engine:
    """Enough of an engine for one question. `faults`: by "METHOD path", what to do in place of answering, in turn."""

    def __init__(self, **faults: list) -> None:
        self.faults = faults
        self.windows: dict[str, bytes] = {}
        self.cancelled = threading.Event()
        self.asked = threading.Event()
        self.long = False
        self.file = b"a GeoPackage"

    def __call__(self, call: Call) -> None:
        name = {"/health": "health", "/ask": "ask"}.get(call.path) or (
            "scenes" if call.path == "/scenes" else call.path.rpartition("/")[0].rpartition("/")[2] or "x"
        )
        name = "events" if call.path.endswith("/events") else name
        faults = self.faults.get(name, [])
        if call.command != "DELETE" and faults:
            fault = faults.pop(0)
            if fault is not None:
                fault(call)
                return
        getattr(self, f"{call.command.lower()}_{name}")(call)

    def get_health(self, call: Call) -> None:
        call.json(HEALTH)

    def post_scenes(self, call: Call) -> None:
        call.json({"id": "s1"}, 201)

    def put_windows(self, call: Call) -> None:
        self.windows[call.path] = call.body
        call.json({"finished": len(self.windows) == 4})

    def get_scenes(self, call: Call) -> None:
        call.json({"finished": True, "missing_pixels": 4 * (4 - len(self.windows))})

    def delete_scenes(self, call: Call) -> None:
        self.windows.clear()
        call.bytes(b"", 204)

    def post_ask(self, call: Call) -> None:
        self.asked.set()
        call.json({"jobID": "j1"}, 201)

    def get_jobs(self, call: Call) -> None:
        call.json({"status": "dismissed" if self.cancelled.is_set() else "running"})

    def delete_jobs(self, call: Call) -> None:
        self.cancelled.set()
        call.json({"status": "dismissed"})

    def get_events(self, call: Call) -> None:
        call.begin(Content_Type="text/event-stream")
        told = [
            ("progress", {"answered": 0, "tiles": 4, "failed": 0, "stage": "count"}),
            ("evidence", {"final": False, "key": "k", "answer_id": "A1"}),
            ("progress", {"answered": 4, "tiles": 4, "failed": 1, "stage": "count"}),
        ]
        told += [] if self.long else [("done", {"status": "successful", "message": "Done."})]
        after = int(call.headers["Last-Event-ID"])
        for number, (name, data) in list(enumerate(told, start=1))[after:]:
            call.write(f"id: {number}\nevent: {name}\ndata: {json.dumps(data)}\n\n".encode())
        if self.long:
            while not call.server.over.wait(0.1) and not self.cancelled.is_set():
                call.write(b": ping\n\n")

    def get_files(self, call: Call) -> None:
        if self.cancelled.is_set():
            call.bytes(self.file, Groundproof_Partial="1 of 4 tiles")
        else:
            call.bytes(self.file)


@pytest.fixture
def serve(qgis_app) -> Iterator:
    servers: list[FaultyServer] = []

    def start(answer) -> EngineAddress:
        servers.append(FaultyServer(answer))
        return EngineAddress(servers[-1].url)

    yield start
    for server in servers:
        server.stop()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "DROP_PAUSES_S", (0.01, 0.01, 0.01))
    monkeypatch.setattr(watching, "PAUSES_S", (0.01, 0.01, 0.01))


def asked(address, folder: Path, source: PixelSource | None = None) -> Heard:
    return Heard(AskTask(address, QUESTION, [source or Squares()], folder, "run")).start()


def drop(call: Call) -> None:
    call.drop()


def test_windows_whose_connection_drops_are_sent_again(serve, tmp_path: Path) -> None:
    engine = Engine(windows=[None, drop, drop, None, drop], scenes=[drop])
    heard = asked(serve(engine), tmp_path)
    assert heard.until_ended() == ("done", "Answered; kept in run.gpkg.")
    assert sorted(engine.windows.values()) == [bytes([n]) * 12 for n in range(4)]
    assert (tmp_path / "run.gpkg").read_bytes() == engine.file
    assert heard.of("uploaded")[-1] == (16.0, 16.0)
    assert heard.of("progressed")[-1][:3] == (4, 4, 1)


def test_a_last_window_whose_answer_was_lost_is_not_an_error(serve, tmp_path: Path) -> None:
    engine = Engine()

    def taken_then_dropped(call: Call) -> None:
        engine.windows[call.path] = call.body
        call.drop()

    def finished(call: Call) -> None:
        call.problem(409, "The scene s1 is finished and changes no more.")

    engine.faults["windows"] = [None, None, None, taken_then_dropped, finished]
    assert asked(serve(engine), tmp_path).until_ended() == ("done", "Answered; kept in run.gpkg.")


def test_a_busy_engine_is_asked_again(serve, tmp_path: Path) -> None:
    busy = lambda call: call.problem(429, "64 jobs wait or run.", Retry_After="0")  # noqa: E731
    pause = patience.BUSY_PAUSE_S
    patience.BUSY_PAUSE_S = 0.01
    try:
        heard = asked(serve(Engine(ask=[busy, busy])), tmp_path)
        assert heard.until_ended()[0] == "done"
    finally:
        patience.BUSY_PAUSE_S = pause
    assert ("64 jobs wait or run.",) in heard.of("stage")


def test_what_the_engine_refuses_is_said_and_the_imagery_forgotten(serve, tmp_path: Path) -> None:
    engine = Engine(ask=[lambda call: call.problem(422, "The AOI lies outside the scene. Draw it inside.")])
    source = Squares()
    heard = asked(serve(engine), tmp_path, source)
    assert heard.until_ended() == ("failed", "The AOI lies outside the scene. Draw it inside.")
    assert not engine.windows
    assert source.closed == 1
    assert heard.task.outcome.error_kind == "invalid"


def test_pixels_that_cannot_be_read_are_a_sentence(serve, tmp_path: Path) -> None:
    engine = Engine()
    source = Squares(fails_at=2)
    heard = asked(serve(engine), tmp_path, source)
    assert heard.until_ended() == ("failed", "The layer could not be read: the network drive is gone.")
    assert not engine.asked.is_set()
    assert source.closed == 1


def test_cancelling_ends_the_job_and_keeps_what_came(serve, tmp_path: Path) -> None:
    engine = Engine()
    engine.long = True
    source = Squares()
    heard = asked(serve(engine), tmp_path, source)
    until(lambda: "evidence" in heard.event_names())
    said = len(heard.all)
    heard.task.give_up()
    assert heard.until_ended() == ("cancelled", "Cancelled. What came is kept in run.gpkg.")
    assert engine.cancelled.is_set()
    assert [name for name, _ in heard.all[said:]] == ["ended"]
    assert heard.task.outcome.path == tmp_path / "run.gpkg"
    assert heard.task.outcome.partial == "1 of 4 tiles"
    assert source.closed == 1


def test_qgis_that_cancels_its_tasks_as_it_closes_leaves_the_question_to_the_engine(
    serve, tmp_path: Path
) -> None:
    engine = Engine()
    engine.long = True
    source = Squares()
    heard = asked(serve(engine), tmp_path, source)
    until(lambda: "evidence" in heard.event_names())
    assert heard.task.flags() & heard.task.CancelWithoutPrompt
    heard.task.cancel()
    assert heard.until_ended() == (
        "interrupted",
        "The engine goes on with the question; follow it again later.",
    )
    assert not engine.cancelled.is_set()
    assert source.closed == 1


def test_cancelling_in_the_middle_of_an_upload_asks_nothing(serve, tmp_path: Path) -> None:
    stuck = threading.Event()

    def never_answers(call: Call) -> None:
        stuck.set()
        call.server.over.wait(20)

    engine = Engine(windows=[None, never_answers])
    heard = asked(serve(engine), tmp_path)
    until(stuck.is_set)
    heard.task.give_up()
    assert heard.until_ended(5) == ("cancelled", "Cancelled before anything was asked.")
    assert not engine.asked.is_set()
    assert not engine.windows


def test_a_task_cancelled_before_it_begins_still_ends_once(serve, tmp_path: Path) -> None:
    source = Squares()
    task = AskTask(serve(Engine()), QUESTION, [source], tmp_path, "run")
    heard = Heard(task)
    task.hold()
    heard.start()
    task.give_up()
    assert heard.until_ended()[0] == "cancelled"
    assert len(heard.of("ended")) == 1
    assert source.closed == 1


def test_a_job_that_fails_says_why(serve, tmp_path: Path) -> None:
    def failed(call: Call) -> None:
        call.begin(Content_Type="text/event-stream")
        call.write(b'id: 1\nevent: error\ndata: {"detail": "The model ran out of memory."}\n\n')
        call.write(b'id: 2\nevent: done\ndata: {"status": "failed", "message": "x"}\n\n')

    none = lambda call: call.problem(409, "The job has not begun.")  # noqa: E731
    heard = asked(serve(Engine(events=[failed], files=[none])), tmp_path)
    assert heard.until_ended() == ("failed", "The model ran out of memory.")
    assert heard.task.job_id == "j1"


def test_an_engine_that_is_lost_leaves_an_interrupted_question(serve, tmp_path: Path) -> None:
    heard = asked(serve(Engine(events=[None, *[drop] * 20])), tmp_path)
    (tmp_path / "other").mkdir()
    engine_lost = asked(serve(Engine(events=[drop] * 20)), tmp_path / "other", Squares())
    assert heard.until_ended()[0] == "done"
    status, sentence = engine_lost.until_ended()
    assert status == "interrupted", sentence
    assert "Follow it again later" in sentence
    assert (engine_lost.task.job_id, engine_lost.task.outcome.after) == ("j1", 0)


def test_a_result_that_cannot_be_fetched_is_not_lost(serve, tmp_path: Path) -> None:
    heard = asked(serve(Engine(files=[drop] * 9)), tmp_path)
    status, sentence = heard.until_ended()
    assert status == "interrupted", sentence
    assert sentence.startswith("The question is answered, but the result could not be fetched: ")
    assert not list(tmp_path.iterdir())
    assert heard.task.outcome.after == 4


def test_a_folder_that_is_gone_is_a_sentence(serve, tmp_path: Path) -> None:
    heard = asked(serve(Engine()), tmp_path / "gone")
    assert heard.until_ended() == ("failed", f"The folder {tmp_path / 'gone'} does not exist.")


def test_a_bug_is_a_sentence_and_its_traceback_goes_to_the_log(serve, tmp_path: Path) -> None:
    class Broken(Squares):
        def windows(self, cancelled):
            raise ZeroDivisionError("a bug")

    source = Broken()
    heard = asked(serve(Engine()), tmp_path, source)
    status, sentence = heard.until_ended()
    assert status == "failed"
    assert "a bug" not in sentence
    assert source.closed == 1


def test_a_call_gives_its_value_or_its_error(serve) -> None:
    address = serve(Engine())
    given: list = []
    good = CallTask("health", address, lambda client: client.health().api)
    bad = CallTask("job", EngineAddress("http://127.0.0.1:9"), lambda client: client.health())
    good.done.connect(given.append)
    bad.failed.connect(lambda error: given.append(error.kind))
    for task in (good, bad):
        QgsApplication.taskManager().addTask(task)
    until(lambda: len(given) == 2)
    assert sorted(given) == ["1", "unreachable"]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("evidence", {"key": "k"}),
        ("evidence", {"key": "k", "answer_id": "A1", "box_px": ["a", 1, 2, 3]}),
        ("evidence", {"key": "k", "answer_id": "A1", "evidence_id": 7}),
        ("answer", {"answer": "3"}),
        ("audit", {"answer_id": "A1", "findings": ["not an object"]}),
        ("progress", {"answered": "many"}),
    ],
)
def test_events_that_are_not_what_they_should_be_are_one_sentence_and_reach_nobody(
    serve, tmp_path: Path, name: str, data: dict
) -> None:
    def told(call: Call) -> None:
        call.begin(Content_Type="text/event-stream")
        call.write(f"id: 1\nevent: {name}\ndata: {json.dumps(data)}\n\n".encode())

    heard = asked(serve(Engine(events=[told])), tmp_path)
    status, sentence = heard.until_ended()
    assert (status, heard.task.outcome.error_kind, heard.task.outcome.after) == ("interrupted", "version", 0)
    assert f'does not understand ("{name}")' in sentence
    assert not heard.of("events")


def test_progress_counts_failed_tiles_once_and_reaches_the_end() -> None:
    shown: list[float] = []
    feedback = QgsProcessingFeedback()
    feedback.progressChanged.connect(shown.append)
    telling = Telling(feedback)
    telling.sent(4, 4)
    telling.progressed(2, 4, 2, -1.0)  # as the engine counts: both of the two failed
    telling.progressed(4, 4, 2, -1.0)
    assert shown == [20.0, 60.0, 100.0]
    assert percent_sent(0, 0) == 20.0

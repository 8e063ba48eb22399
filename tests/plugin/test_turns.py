"""The main thread's event loop goes on while much is shown: steps, and what an answer tells, turn by turn."""

from __future__ import annotations

import gc
import time
from pathlib import Path

from qgis.PyQt.QtCore import QTimer

from groundproof_qgis.engine.sse import Event
from groundproof_qgis.tasks.ask import FAILED, Ask, Outcome
from groundproof_qgis.tasks.ask_task import EVENTS_AT_ONCE, AnswerTask
from groundproof_qgis.tasks.garbage import MANY_BOXES, no_garbage_collection, take_back
from groundproof_qgis.tasks.turns import Turns
from tests.plugin.engine_waiting import Heard, until

MANY = 3_000


def test_steps_are_done_in_order_and_other_events_between_them(qgis_app) -> None:
    said: list[str] = []
    turns = Turns()

    def steps(name: str, n: int):
        for i in range(n):
            said.append(f"{name}{i}")
            QTimer.singleShot(0, lambda: said.append("other"))
            yield

    turns.add(steps("a", 2))
    turns.add(steps("b", 1))
    assert not said
    until(lambda: said.count("other") == 3)
    assert [one for one in said if one != "other"] == ["a0", "a1", "b0"]
    assert said.index("other") < said.index("b0")


def test_stopped_steps_are_never_done_and_later_ones_are(qgis_app) -> None:
    said: list[str] = []
    turns = Turns()

    def steps():
        said.append("first")
        turns.stop()
        yield
        said.append("second")

    turns.add(steps())
    until(lambda: said)
    turns.add(iter([None]))
    done: list[int] = []

    def last():
        done.append(1)
        yield

    turns.add(last())
    until(lambda: done)
    assert said == ["first"]


def test_an_answer_of_many_boxes_is_told_in_turns_and_whole_before_it_ends(qgis_app) -> None:
    def tell(ask: Ask) -> Outcome:
        ask._listener.events([Event(n, "evidence", {"n": n}) for n in range(1, MANY + 1)])
        return Outcome(FAILED, "")

    task = AnswerTask("bench", lambda: None, Path("none"), tell, (), Outcome(FAILED, ""))
    heard = Heard(task)
    task.events.connect(lambda _events: time.sleep(0.004))
    beats: list[int] = []
    timer = QTimer()
    timer.timeout.connect(lambda: beats.append(len(heard.of("events"))))
    timer.start(5)
    heard.start().until_ended()
    timer.stop()
    lists = [batch for (batch,) in heard.of("events")]
    assert max(map(len, lists)) == EVENTS_AT_ONCE
    assert [data["n"] for batch in lists for _, data in batch] == list(range(1, MANY + 1))
    assert heard.all[-1][0] == "ended"
    assert len({n for n in beats if 0 < n < len(lists)}) >= 3


def test_the_collector_leaves_many_new_objects_alone_until_they_are_taken_back() -> None:
    take_back()
    gc.collect()
    with no_garbage_collection():
        few = [[n] for n in range(100)]
    assert gc.get_freeze_count() == 0
    with no_garbage_collection():
        many = [[n] for n in range(MANY_BOXES * 12)]
    assert gc.isenabled()
    assert gc.get_freeze_count() > len(many)
    take_back()
    assert gc.get_freeze_count() == 0
    assert few

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundproof.service.jobs.events import EventLog


def collect(log: EventLog, after: int = 0) -> list[int]:
    async def gather() -> list[int]:
        return [event.number async for event in log.follow(after)]

    return asyncio.run(asyncio.wait_for(gather(), 10))


def test_events_are_numbered_from_one_and_survive_a_restart(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.jsonl")
    log.append("plan", {"text": "Look."})
    log.append("evidence", {"label": "ship\u2028\u00e9"})
    again = EventLog(tmp_path / "events.jsonl")
    assert [(e.number, e.name, e.data) for e in again.after()] == [
        (1, "plan", {"text": "Look."}),
        (2, "evidence", {"label": "ship\u2028\u00e9"}),
    ]
    assert again.append("answer", {}).number == 3


@given(cut=st.integers(0, 200))
def test_a_line_cut_off_by_a_kill_is_dropped_and_its_number_used_again(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    path = tmp_path_factory.mktemp("log") / "events.jsonl"
    log = EventLog(path)
    for number in range(4):
        log.append("progress", {"answered": number, "sentence": "é" * number})
    raw = path.read_bytes()
    path.write_bytes(raw[: max(0, len(raw) - cut)])
    whole = raw[: max(0, len(raw) - cut)].count(b"\n")
    again = EventLog(path)
    assert len(again) == whole
    assert again.append("done", {}).number == whole + 1
    assert [json.loads(line)["id"] for line in path.read_bytes().splitlines()] == list(range(1, whole + 2))


def test_a_follower_gets_what_was_said_before_and_what_comes_and_ends_with_done(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.jsonl")
    log.append("plan", {})

    def write() -> None:
        for _ in range(50):
            log.append("evidence", {})
        log.append("done", {})

    writer = threading.Timer(0.05, write)
    writer.start()
    assert collect(log) == list(range(1, 53))
    writer.join()


def test_a_follower_that_comes_back_gets_only_what_it_missed(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.jsonl")
    for _ in range(5):
        log.append("evidence", {})
    log.append("done", {})
    assert collect(log, 4) == [5, 6]
    assert collect(log, 2) == [3, 4, 5, 6]
    assert log.ended


def test_many_followers_each_get_every_event_once(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.jsonl")

    async def all_of_them() -> list[list[int]]:
        async def one() -> list[int]:
            return [event.number async for event in log.follow()]

        followers = [asyncio.create_task(one()) for _ in range(20)]
        await asyncio.sleep(0.05)
        writer = threading.Thread(
            target=lambda: [log.append("evidence", {}) for _ in range(100)] + [log.append("done", {})]
        )
        writer.start()
        return list(await asyncio.wait_for(asyncio.gather(*followers), 10))

    assert asyncio.run(all_of_them()) == [list(range(1, 102))] * 20

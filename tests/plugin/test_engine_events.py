"""Events of a job: in pieces of any size, over connections that break off."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundproof_qgis.engine import watch as watching
from groundproof_qgis.engine.address import EngineAddress
from groundproof_qgis.engine.client import EngineClient
from groundproof_qgis.engine.errors import EngineError
from groundproof_qgis.engine.sse import Event, EventParser, NotEventsError
from groundproof_qgis.engine.watch import watch
from tests.plugin.engine_faults import Call, FaultyServer
from tests.plugin.engine_waiting import in_worker

EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["plan", "evidence", "note"]),
        st.dictionaries(st.text(max_size=3), st.text(max_size=9)),
    ),
    max_size=6,
)


def stream(events: list, newline: str = "\r\n") -> bytes:
    lines = [": ping", ""]
    for number, (name, data) in enumerate(events, start=1):
        lines += [
            f"id: {number}",
            f"event: {name}",
            f"data: {json.dumps(data, ensure_ascii=False)}",
            "retry: 2000",
            "",
        ]
    return "".join(line + newline for line in lines).encode("utf-8", "surrogatepass")


@given(EVENTS, st.sampled_from(["\n", "\r\n", "\r"]), st.data())
def test_events_are_the_same_however_their_bytes_are_cut(
    events: list, newline: str, data: st.DataObject
) -> None:
    raw = stream(events, newline)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=12)))
    parser, seen = EventParser(), []
    for start, end in zip([0, *cuts], [*cuts, len(raw)]):
        seen += parser.feed(raw[start:end])
    assert seen == [Event(number, name, told) for number, (name, told) in enumerate(events, start=1)]


@given(EVENTS, st.integers(0, 400))
def test_half_an_event_is_none(events: list, end: int) -> None:
    raw = stream(events)
    whole = [Event(n, name, told) for n, (name, told) in enumerate(events, start=1)]
    seen = EventParser().feed(raw[:end])
    assert seen == whole[: len(seen)]


def test_an_event_is_out_as_soon_as_its_blank_line_has_come() -> None:
    parser = EventParser()
    assert parser.feed(b"id: 1\r\nevent: plan\r\ndata: {}\r\n\r") == [Event(1, "plan", {})]
    assert parser.feed(b"\nid: 2\nevent: note\ndata: {\ndata: }\n\n") == [Event(2, "note", {})]


@pytest.mark.parametrize(
    "raw",
    [
        b"id: 1\ndata: {\n\n",
        b"data: {}\n\n",
        b"id: 1\ndata: []\n\n",
        b"data: \xff\n\n",
        b"id: x\ndata: {}\n\n",
    ],
)
def test_what_is_no_event_of_an_engine_is_said_to_be_none(raw: bytes) -> None:
    with pytest.raises(NotEventsError):
        EventParser().feed(raw)


class Job:
    """A job's events over connections that do what `breaks` says after so many events of one connection."""

    def __init__(self, count: int, breaks: list) -> None:
        self.events = [("evidence", {"n": n}) for n in range(1, count)] + [("done", {"status": "successful"})]
        self.breaks = iter(breaks)
        self.asked_after: list[int] = []

    def __call__(self, call: Call) -> None:
        after = int(call.headers["Last-Event-ID"])
        self.asked_after.append(after)
        number, how = next(self.breaks, (10**6, "close"))
        if how == "refuse":
            call.problem(503, "The service is being stopped.")
            return
        call.begin(Content_Type="text/event-stream")
        raw = b""
        for one, (name, data) in list(enumerate(self.events, start=1))[after : after + number]:
            raw += f"id: {one}\r\nevent: {name}\r\ndata: {json.dumps(data)}\r\n\r\n".encode()
        call.write(raw)
        if how == "drop":
            call.drop()
        elif how == "half":
            call.write(b"id: 99\r\nevent: evid")
        elif how == "silent":
            call.server.over.wait(20)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "PAUSES_S", (0.01, 0.01, 0.01, 0.01))
    monkeypatch.setattr(watching, "SILENCE_S", 0.6)


@pytest.fixture
def serve(qgis_app) -> Iterator:
    servers: list[FaultyServer] = []

    def start(answer) -> FaultyServer:
        servers.append(FaultyServer(answer))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


def follow(address, after: int = 0, cancelled=lambda: False) -> tuple[Event, list[int], list[str]]:
    told: list[int] = []
    troubles: list[str] = []

    def on_events(events: list[Event]) -> None:
        told.extend(event.number for event in events)

    client = EngineClient(address, cancelled)
    last = in_worker(lambda: watch(client, "j", after, on_events, troubles.append))
    return last, told, troubles


def test_nothing_is_missed_or_told_twice_when_connections_break_off(serve, quick) -> None:
    job = Job(40, [(3, "drop"), (0, "refuse"), (5, "half"), (7, "silent"), (2, "close"), (0, "drop")])
    last, told, _ = follow(EngineAddress(serve(job).url))
    assert last == Event(40, "done", {"status": "successful"})
    assert told == list(range(1, 41))
    assert job.asked_after[0] == 0
    assert job.asked_after == sorted(job.asked_after)


def test_a_job_is_followed_from_behind_the_event_told_last(serve) -> None:
    job = Job(9, [])
    assert follow(EngineAddress(serve(job).url), after=6)[1] == [7, 8, 9]
    assert job.asked_after == [6]


def test_an_engine_that_stays_away_is_given_up_with_a_sentence(serve, quick) -> None:
    server = serve(Job(9, [(2, "drop"), *[(0, "drop")] * 20]))
    told: list[int] = []
    troubles: list[str] = []
    client = EngineClient(EngineAddress(server.url))
    with pytest.raises(EngineError) as lost:
        in_worker(lambda: watch(client, "j", 0, lambda e: told.extend(x.number for x in e), troubles.append))
    assert lost.value.kind == "unreachable"
    assert "Follow it again later" in str(lost.value)
    assert told in ([1, 2], [])  # what a rude end of a connection takes with it is asked for again
    assert troubles[0].endswith("Trying again (3 of 4).")


def test_a_job_that_the_engine_does_not_know_is_not_asked_for_again(serve, quick) -> None:
    server = serve(lambda call: call.problem(404, "There is no job j."))
    with pytest.raises(EngineError) as missing:
        follow(EngineAddress(server.url))
    assert (missing.value.kind, str(missing.value)) == ("missing", "There is no job j.")
    assert len(server.calls) == 1


def test_garbage_in_place_of_events_is_a_sentence(serve, quick) -> None:
    server = serve(lambda call: call.bytes(b"id: 1\ndata: <html>\n\n"))
    with pytest.raises(EngineError) as garbage:
        follow(EngineAddress(server.url))
    assert garbage.value.kind == "version"


def test_an_engine_started_again_is_found_at_its_new_address(serve, quick) -> None:
    job = Job(12, [(4, "drop")])
    first = serve(job)
    second = serve(job)
    addresses = [EngineAddress(first.url), EngineAddress(second.url, token_source=lambda: "new")]

    def now() -> EngineAddress:
        return addresses[1] if first.calls else addresses[0]

    assert follow(now)[1] == list(range(1, 13))
    assert len(first.calls) == 1
    assert second.calls[-1].headers["Authorization"] == "Bearer new"


def test_a_silent_stream_can_be_cancelled(serve) -> None:
    asked = threading.Event()

    def silent(call: Call) -> None:
        call.begin(Content_Type="text/event-stream")
        asked.set()
        call.server.over.wait(20)

    server = serve(silent)
    with pytest.raises(EngineError) as cancelled:
        follow(EngineAddress(server.url), cancelled=asked.is_set)
    assert cancelled.value.kind == "cancelled"


def test_many_events_come_in_few_batches(serve) -> None:
    job = Job(5000, [])
    batches: list[int] = []
    client = EngineClient(EngineAddress(serve(job).url))
    in_worker(lambda: watch(client, "j", 0, lambda events: batches.append(len(events)), lambda _: None))
    assert sum(batches) == 5000
    assert len(batches) < 100

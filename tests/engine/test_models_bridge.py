"""The bridge between asynchronous adapters and the engine's iterator."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import AsyncGenerator, Iterator

import pytest

from groundproof.errors import ModelError
from groundproof.models import async_bridge
from groundproof.models.async_bridge import AsyncBridge
from groundproof.models.base import Piece, Request


def request(number: int) -> Request:
    return Request(str(number), (), "", "What is there?")


def endless(pulled: list[int] | None = None, count: int = 10**9) -> Iterator[Request]:
    for number in range(count):
        if pulled is not None:
            pulled.append(number)
        yield request(number)


async def words(asked: Request) -> AsyncGenerator[Piece, None]:
    for word in ("one ", "two ", "three"):
        await asyncio.sleep(0)
        yield Piece(asked.request_id, word, -0.5)
    yield Piece(asked.request_id, "", finish="stop")


class Watched:
    """Answers that never end, and how many of them run."""

    def __init__(self, pieces: int = 0) -> None:
        self.running = 0
        self.made = 0
        self._pieces = pieces

    async def answer(self, asked: Request) -> AsyncGenerator[Piece, None]:
        self.running += 1
        try:
            for _ in range(self._pieces):
                self.made += 1
                yield Piece(asked.request_id, "x")
            await asyncio.Event().wait()
            yield Piece(asked.request_id, "", finish="stop")
        finally:
            self.running -= 1


def until(condition: object) -> None:
    assert callable(condition)
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "did not happen"
        time.sleep(0.005)


@pytest.fixture
def bridges() -> Iterator[list[AsyncBridge]]:
    made: list[AsyncBridge] = []
    yield made
    for bridge in made:
        bridge.close()
        assert not bridge._thread.is_alive()


def test_every_request_is_answered_in_order_of_its_own_pieces(bridges: list[AsyncBridge]) -> None:
    bridge = AsyncBridge(words, 4, "words")
    bridges.append(bridge)
    texts: dict[str, str] = {}
    finished: Counter[str] = Counter()
    for piece in bridge.generate(endless(count=50)):
        texts[piece.request_id] = texts.get(piece.request_id, "") + piece.text
        finished[piece.request_id] += piece.finish == "stop"
    assert texts == {str(n): "one two three" for n in range(50)}
    assert set(finished.values()) == {1}


def test_no_more_than_max_in_flight_unanswered_requests_are_pulled(bridges: list[AsyncBridge]) -> None:
    bridge = AsyncBridge(words, 3, "words")
    bridges.append(bridge)
    pulled: list[int] = []
    answered = 0
    for piece in bridge.generate(endless(pulled, 30)):
        assert len(pulled) - answered <= 3
        answered += piece.finish is not None
    assert len(pulled) == answered == 30


def test_requests_are_pulled_in_the_callers_thread(bridges: list[AsyncBridge]) -> None:
    bridge = AsyncBridge(words, 3, "words")
    bridges.append(bridge)
    threads = set()

    def source() -> Iterator[Request]:
        for number in range(5):
            threads.add(threading.current_thread())
            yield request(number)

    list(bridge.generate(source()))
    assert threads == {threading.current_thread()}


def test_a_consumer_that_stops_reading_stops_the_model(
    bridges: list[AsyncBridge], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(async_bridge, "PIECES_WAITING", 8)
    watched = Watched(pieces=100_000)
    bridge = AsyncBridge(watched.answer, 2, "watched")
    bridges.append(bridge)
    pieces = bridge.generate(endless())
    next(pieces)
    until(lambda: watched.made >= 8)
    bridge.run(asyncio.sleep(0.05))
    made = watched.made
    assert made <= 8 + 2 + 1  # the queue, one waiting in each answer, the one taken
    for _ in range(500):
        next(pieces)
    assert watched.made > made
    pieces.close()
    until(lambda: watched.running == 0)


def test_pieces_are_handed_on_while_no_more_can_be_pulled(bridges: list[AsyncBridge]) -> None:
    go_on = threading.Event()

    async def answer(asked: Request) -> AsyncGenerator[Piece, None]:
        yield Piece(asked.request_id, "first")
        while not go_on.is_set():
            await asyncio.sleep(0.005)
        yield Piece(asked.request_id, "last", finish="stop")

    bridge = AsyncBridge(answer, 1, "slow")
    bridges.append(bridge)
    pieces = bridge.generate([request(1), request(2)])
    assert next(pieces).text == "first"  # the answer goes on, and its first piece is here
    go_on.set()
    assert [piece.text for piece in pieces] == ["last", "first", "last"]


def test_leaving_the_iterator_cancels_what_is_in_flight_and_the_bridge_goes_on(
    bridges: list[AsyncBridge],
) -> None:
    watched = Watched(pieces=1)
    bridge = AsyncBridge(watched.answer, 5, "watched")
    bridges.append(bridge)
    for number, _piece in enumerate(bridge.generate(endless())):
        if number == 3:
            break
    until(lambda: watched.running == 0)
    assert next(bridge.generate(endless())).text == "x"


def test_an_exception_of_the_request_source_cancels_and_comes_through(bridges: list[AsyncBridge]) -> None:
    watched = Watched()
    bridge = AsyncBridge(watched.answer, 5, "watched")
    bridges.append(bridge)

    def source() -> Iterator[Request]:
        yield request(0)
        until(lambda: watched.running == 1)
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        list(bridge.generate(source()))
    until(lambda: watched.running == 0)


def test_close_from_another_thread_ends_running_requests_as_cancelled() -> None:
    watched = Watched(pieces=1)
    said: list[str] = []
    bridge = AsyncBridge(watched.answer, 3, "watched")

    async def farewell() -> None:
        said.append(f"{watched.running} running")

    def close_when_all_run() -> None:
        until(lambda: watched.running == 3)
        bridge.close(farewell)

    closer = threading.Thread(target=close_when_all_run)
    closer.start()
    pulled: list[int] = []
    pieces = list(bridge.generate(endless(pulled)))
    closer.join()
    assert pulled == [0, 1, 2]
    assert sorted(p.request_id for p in pieces if p.finish == "cancelled") == ["0", "1", "2"]
    assert said == ["0 running"]
    assert not bridge._thread.is_alive()
    bridge.close()
    with pytest.raises(ModelError, match="watched was closed; open it again"):
        next(bridge.generate(endless()))
    with pytest.raises(ModelError, match="was closed"):
        bridge.run(asyncio.sleep(0))


def test_requests_pulled_while_closing_end_as_cancelled() -> None:
    watched = Watched()
    bridge = AsyncBridge(watched.answer, 3, "watched")

    def source() -> Iterator[Request]:
        yield request(0)
        bridge.close()
        yield request(1)
        raise AssertionError("nothing is pulled from a closed model")

    pieces = list(bridge.generate(source()))
    assert {p.request_id: p.finish for p in pieces} == {"0": "cancelled", "1": "cancelled"}


def test_one_failing_request_is_an_error_piece_and_the_others_go_on(bridges: list[AsyncBridge]) -> None:
    async def answer(asked: Request) -> AsyncGenerator[Piece, None]:
        if asked.request_id == "1":
            raise ValueError("no such token\nand a long trace")
        if asked.request_id == "2":
            yield Piece(asked.request_id, "cut")
            return
        async for piece in words(asked):
            yield piece

    bridge = AsyncBridge(answer, 2, "half")
    bridges.append(bridge)
    ends = {p.request_id: (p.finish, p.error) for p in bridge.generate(endless(count=4)) if p.finish}
    assert ends == {
        "0": ("stop", None),
        "1": ("error", "ValueError: no such token"),
        "2": ("error", "half stopped writing without saying why."),
        "3": ("stop", None),
    }


def test_a_dead_model_ends_everything_and_cancels_the_rest(bridges: list[AsyncBridge]) -> None:
    watched = Watched()

    async def answer(asked: Request) -> AsyncGenerator[Piece, None]:
        if asked.request_id == "2":
            raise ModelError("The engine died.")
        async for piece in watched.answer(asked):
            yield piece

    bridge = AsyncBridge(answer, 4, "dying")
    bridges.append(bridge)
    with pytest.raises(ModelError, match="The engine died"):
        list(bridge.generate(endless()))
    until(lambda: watched.running == 0)


def test_two_threads_may_generate_at_once_and_a_stuck_one_does_not_hold_up_the_other(
    bridges: list[AsyncBridge],
) -> None:
    bridge = AsyncBridge(words, 2, "words")
    bridges.append(bridge)
    stuck = bridge.generate(endless())
    next(stuck)
    counts: list[int] = []

    def ask() -> None:
        counts.append(sum(p.finish == "stop" for p in bridge.generate(endless(count=40))))

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert counts == [40, 40]
    stuck.close()


def test_a_loop_that_dies_is_said_to_everyone_who_waits() -> None:
    watched = Watched()

    async def answer(asked: Request) -> AsyncGenerator[Piece, None]:
        if asked.request_id == "1":
            raise SystemExit("out of descriptors")
        async for piece in watched.answer(asked):
            yield piece

    bridge = AsyncBridge(answer, 4, "dying")
    with pytest.raises(ModelError, match=r"loop of dying died .*out of descriptors"):
        list(bridge.generate(endless()))
    until(lambda: not bridge._thread.is_alive())
    assert watched.running == 0
    with pytest.raises(ModelError, match="was closed"):
        next(bridge.generate(endless()))
    bridge.close()


def test_run_gives_results_and_errors_and_is_cut_short_by_close() -> None:
    bridge = AsyncBridge(words, 1, "words")

    async def fail() -> None:
        raise KeyError("x")

    assert bridge.run(asyncio.sleep(0, "result")) == "result"
    with pytest.raises(KeyError):
        bridge.run(fail())
    timer = threading.Timer(0.05, bridge.close)
    timer.start()
    with pytest.raises(ModelError, match="was closed before"):
        bridge.run(asyncio.sleep(60))
    timer.join()


def test_max_in_flight_below_one_is_refused() -> None:
    with pytest.raises(ModelError, match="at least 1, got 0"):
        AsyncBridge(words, 0, "words")

"""Models that answer request by request (servers, vLLM) get one stream over all batches."""

from __future__ import annotations

import random
from collections.abc import Generator, Iterable
from itertools import islice
from pathlib import Path

import pytest

import groundproof.runners.local as local
import groundproof.session as session
from groundproof.ask_options import AskOptions
from groundproof.errors import ModelError, StoppedError
from groundproof.listening import Silent
from groundproof.models.base import Piece, Request
from groundproof.models.resolve import ModelSpec
from groundproof.session import Session

from .conftest import Squares
from .square_finder import PROFILE, SquareFinder

QUESTION = "How many airplanes are there?"


class Stream(SquareFinder):
    """Keeps `max_in_flight` requests going at once, across batches, and ends them in any order."""

    def __init__(self, *, die_at: int | None = None) -> None:
        super().__init__(max_in_flight=4)
        self.continuous = True
        self.die_at = die_at
        self.calls = 0
        self.most = 0

    def generate(self, requests: Iterable[Request]) -> Generator[Piece]:
        self.calls += 1
        source, chance = iter(requests), random.Random(4)
        going: dict[str, list[str]] = {}
        while True:
            for request in islice(source, self.max_in_flight - len(going)):
                going[request.request_id] = list(self.say(*request.images))
            if not going:
                return
            self.most = max(self.most, len(going))
            name = chance.choice(list(going))
            text = "".join(going[name][:40])
            del going[name][:40]
            if going[name]:
                yield Piece(name, text, logprob=-0.1)
                continue
            del going[name]
            self.answered += 1
            if self.die_at is not None and self.answered >= self.die_at:
                raise ModelError("the server is gone")
            yield Piece(name, text, logprob=-0.1, finish="stop")


def ask(
    model: SquareFinder, scene: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, listener: object = None
):
    monkeypatch.setattr(session, "resolve", lambda _: ModelSpec(PROFILE, Path()))
    monkeypatch.setattr(session, "open_model", lambda _: model)
    with Session(AskOptions((str(scene),), (QUESTION,)), listener or Silent()) as asking:  # type: ignore[arg-type]
        return asking.run(folder)


def test_one_stream_over_all_batches_gives_what_single_batches_give(
    squares: Squares, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batched = SquareFinder()
    _, expected = ask(batched, squares.path, tmp_path / "a", monkeypatch)
    stream = Stream()
    run, result = ask(stream, squares.path, tmp_path / "b", monkeypatch)
    assert stream.calls == 1
    assert stream.most == 4
    assert run.manifest.batches > 2
    assert result.answers.value.tolist() == expected.answers.value.tolist()
    assert result.evidence.box_px.tolist() == expected.evidence.box_px.tolist()
    assert result.tiles.status.tolist() == expected.tiles.status.tolist()


def test_when_the_model_dies_whole_batches_are_kept_and_only_the_rest_is_asked_again(
    squares: Squares, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Stream()
    _, expected = ask(whole, squares.path, tmp_path / "whole", monkeypatch)
    monkeypatch.setattr(local, "BACKOFF_S", 0.0)
    with pytest.raises(ModelError, match="the server is gone"):  # also when it is asked for anew
        ask(Stream(die_at=10), squares.path, tmp_path / "b", monkeypatch)
    again = Stream()
    run, result = ask(again, squares.path, tmp_path / "b", monkeypatch)
    assert 0 < again.answered < whole.answered
    assert not run.pending()
    assert result.evidence.box_px.tolist() == expected.evidence.box_px.tolist()


def test_a_listener_can_stop_the_work_at_any_piece_and_nothing_kept_is_lost(
    squares: Squares, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Impatient(Silent):
        left = 40

        def check(self) -> None:
            self.left -= 1
            if not self.left:
                raise StoppedError("enough")

    with pytest.raises(StoppedError):
        ask(Stream(), squares.path, tmp_path / "b", monkeypatch, Impatient())
    kept = len(list((tmp_path / "b" / "answers").glob("batch-*.parquet")))
    again = Stream()
    run, result = ask(again, squares.path, tmp_path / "b", monkeypatch)
    assert 0 < kept < run.manifest.batches
    assert result.answers.value.iloc[0] == len(squares.boxes)

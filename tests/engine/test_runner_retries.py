"""What is tried again: reads, openings, dead models, answers that cannot be read; and what is not."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable
from itertools import islice
from pathlib import Path

import pytest
import rasterio
from rasterio.errors import RasterioIOError

import groundproof.sources as sources_module
from groundproof.datasets import REMOTE_OPTIONS, gdal_options
from groundproof.errors import ModelError, ReadError, RunError, SceneError, StoppedError
from groundproof.listening import Unobserved
from groundproof.models.base import Piece, Request
from groundproof.protocol.constraint import grammar
from groundproof.run import RunDirectory
from groundproof.runners import ahead, local
from groundproof.runners.local import run_tiles
from groundproof.sources import Sources
from groundproof.tables import TileStatus

from .conftest import BOXES, Squares, write_squares
from .flaky_server import serving
from .runs import Noting, planned, same_answers
from .square_finder import SquareFinder


@pytest.fixture(autouse=True)
def hardly_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "BACKOFF_S", 0.001)
    monkeypatch.setattr(local, "BACKOFF_S", 0.001)
    monkeypatch.setitem(REMOTE_OPTIONS, "GDAL_HTTP_MAX_RETRY", "0")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def expected(squares: Squares, tmp_path: Path) -> RunDirectory:
    """The run without any trouble."""
    model = SquareFinder()
    run = planned([squares.path], tmp_path / "expected.run", model)
    run_all(run, model)
    return run


def run_all(run: RunDirectory, model: SquareFinder, observer=None, **options) -> None:
    batches = range(run.manifest.batches)
    run_tiles(run, model, Sources(run), observer or Unobserved(), batches, **options)


def break_reads(
    monkeypatch: pytest.MonkeyPatch, times: dict[int, int], cause: type[Exception] | None
) -> dict[int, int]:
    """Tiles (by index) whose first `times` reads fail; returns how often each was read."""
    real, reads = sources_module.read_raw, {}

    def flaky(scene, tile, buffer=None):
        reads[tile.index] = reads.get(tile.index, 0) + 1
        if reads[tile.index] <= times.get(tile.index, 0):
            raise ReadError("the drive hiccups") from (cause("I/O") if cause else None)
        return real(scene, tile, buffer)

    monkeypatch.setattr(sources_module, "read_raw", flaky)
    return reads


# -- reading ---------------------------------------------------------------------------------------------


def test_a_tile_that_can_be_read_the_third_time_is_answered_as_ever(
    squares: Squares, expected: RunDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_reads(monkeypatch, {2: 1, 5: 2}, RasterioIOError)
    run = planned([squares.path], tmp_path / "a.run", SquareFinder())
    run_all(run, SquareFinder())
    same_answers(run, expected)
    attempts = run.answers().attempts
    assert attempts[2] == 2
    assert attempts[5] == 3
    assert set(attempts.drop([2, 5])) == {1}


def test_a_tile_that_stays_unreadable_is_tried_three_times_and_is_a_row(
    squares: Squares, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = break_reads(monkeypatch, {2: 99}, OSError)
    run = planned([squares.path], tmp_path / "a.run", SquareFinder())
    run_all(run, SquareFinder())
    rows = run.answers()
    assert list(rows.index[rows.status == "read_error"]) == [2]
    assert rows.attempts[2] == reads[2] == 3
    assert rows.error[2] == "the drive hiccups"


def test_what_no_other_try_can_mend_is_tried_once(
    squares: Squares, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = break_reads(monkeypatch, {2: 99}, None)
    run = planned([squares.path], tmp_path / "a.run", SquareFinder())
    run_all(run, SquareFinder())
    assert run.answers().attempts[2] == reads[2] == 1


def test_a_scene_that_stays_broken_is_waited_for_only_so_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, "PATIENCE_TILES", 2)
    scene = write_squares(tmp_path / "a.tif", BOXES).path
    broken = dict.fromkeys(range(5), 99)
    reads = break_reads(monkeypatch, broken | {6: 99, 7: 99, 8: 99}, OSError)
    run = planned([scene], tmp_path / "a.run", SquareFinder())
    run_all(run, SquareFinder())
    assert [reads[tile] for tile in range(9)] == [
        3,
        3,
        1,
        1,
        1,
        1,
        3,
        3,
        1,
    ]  # tile 5 could be read: hope again


def test_waits_double(monkeypatch: pytest.MonkeyPatch) -> None:
    waits = []

    class Clock:
        def wait(self, seconds: float) -> bool:
            waits.append(seconds)
            return False

    class Gone:
        def views(self, name: str) -> None:
            from groundproof.errors import UnreachableError

            raise UnreachableError("no route")

    monkeypatch.setattr(ahead, "BACKOFF_S", 0.5)
    found = ahead._Reader(Gone(), Clock(), [])  # type: ignore[arg-type]
    assert found.read("a", None).tries == 3  # type: ignore[arg-type,union-attr]
    assert waits == [0.5, 1.0]


def test_a_server_that_fails_for_a_moment_costs_no_tile(tmp_path: Path) -> None:
    for name, n in (("a", 5), ("b", 4)):
        write_squares(tmp_path / f"{name}.tif", BOXES[:n])
    with serving(tmp_path) as server:
        model = SquareFinder()
        run = planned([server.url("a.tif"), server.url("b.tif")], tmp_path / "a.run", model)
        forget_http(server.url("b.tif"))
        server.fail = {"b.tif": (2, 503)}
        run_all(run, model)
    rows = run.answers()
    assert set(rows.status) == {"ok", "empty"}
    assert set(rows.attempts) > {1}


def forget_http(url: str) -> None:
    """What GDAL kept of a file it read well."""
    with gdal_options(url), rasterio.Env(CPL_VSIL_CURL_NON_CACHED=f"/vsicurl/{url}"):
        rasterio.open(url).close()


def test_a_file_that_a_server_does_not_have_any_more_is_asked_for_once(tmp_path: Path) -> None:
    for name, n in (("a", 5), ("b", 4)):
        write_squares(tmp_path / f"{name}.tif", BOXES[:n])
    with serving(tmp_path) as server:
        model = SquareFinder()
        run = planned([server.url("a.tif"), server.url("b.tif")], tmp_path / "a.run", model)
        (tmp_path / "b.tif").unlink()
        forget_http_of(server, "b.tif")
        run_all(run, model)
    rows = run.answers()
    of_b = rows.seq >= run.scenes[1]["aois"][0]["first"]
    assert set(rows.status[of_b]) == {"read_error"}
    assert "404" in rows.error[of_b].iloc[0]
    assert set(rows.attempts[of_b]) == {1}
    assert set(rows.status[~of_b]) == {"ok", "empty"}


def forget_http_of(server, name: str) -> None:
    with pytest.raises(RasterioIOError):
        forget_http(server.url(name))


# -- scenes that changed ---------------------------------------------------------------------------------


def test_a_scene_replaced_after_planning_is_unreadable_and_the_others_are_answered(tmp_path: Path) -> None:
    a, b = (write_squares(tmp_path / f"{name}.tif", BOXES[:n]).path for name, n in (("a", 5), ("b", 4)))
    model = SquareFinder()
    run = planned([a, b], tmp_path / "a.run", model, batch=5)
    write_squares(a, BOXES[:2])
    run_all(run, model)
    rows = run.answers()
    of_b = rows.seq >= run.scenes[1]["aois"][0]["first"]
    assert set(rows.status[~of_b]) == {"read_error"}
    assert rows.error[~of_b].str.contains("changed or replaced").all()
    assert rows.text[~of_b].eq("").all()
    assert set(rows.status[of_b]) == {"ok", "empty"}


def test_a_scene_overwritten_while_it_is_read_is_never_mixed(tmp_path: Path) -> None:
    a, b = (write_squares(tmp_path / f"{name}.tif", BOXES[:n]).path for name, n in (("a", 5), ("b", 4)))
    new = write_squares(tmp_path / "new.tif", []).path

    class Overwriting(SquareFinder):
        def say(self, *images):
            if self.answered == 4:
                with a.open("r+b") as file:
                    file.write(new.read_bytes())
                os.utime(a, ns=(0, 0))
            return super().say(*images)

    model = Overwriting(max_in_flight=2)
    run = planned([a, b], tmp_path / "a.run", model)
    run_all(run, model)
    rows = run.answers()
    first_b = run.scenes[1]["aois"][0]["first"]
    of_a = rows[rows.seq < first_b]
    assert of_a.status.iloc[0] == "ok"
    read = of_a.status != "read_error"
    assert read.sum() <= 4 + 2 + ahead.AHEAD_TILES
    assert of_a.error[~read].str.contains("changed or replaced").all()
    whole = planned([b], tmp_path / "b.run", model)
    assert set(rows[rows.seq >= first_b].status) == {"ok", "empty"}
    assert whole.manifest.rows == len(rows[rows.seq >= first_b])


def test_the_only_scene_is_an_error_unless_rows_are_wanted(squares: Squares, tmp_path: Path) -> None:
    model = SquareFinder()
    run = planned([squares.path], tmp_path / "a.run", model)
    squares.path.unlink()
    with pytest.raises(SceneError, match="is not there"):
        run_all(run, model)
    assert run.answers().empty
    run_all(run, model, raise_alone=False)
    rows = run.answers()
    assert set(rows.status) == {"read_error"}
    assert set(rows.attempts) == {1}
    assert len(rows) == run.manifest.rows


# -- a model that dies -----------------------------------------------------------------------------------


class Mortal(SquareFinder):
    """Dies when it has answered `lives` requests, some of the batch among them."""

    def __init__(self, lives: int | None, *, continuous: bool = False) -> None:
        super().__init__()
        self.lives = lives
        self.continuous = continuous
        self.seen: list[str] = []

    def generate(self, requests: Iterable[Request]) -> Generator[Piece]:
        source = iter(requests)
        while together := list(islice(source, self.max_in_flight)):
            for request in together:
                self.seen.append(request.request_id)
                if self.lives is not None and len(self.seen) > self.lives:
                    raise ModelError("the engine is dead")
                yield Piece(request.request_id, self.say(*request.images), logprob=-0.1, finish="stop")


@pytest.mark.parametrize("continuous", [False, True])
def test_a_model_that_dies_is_opened_again_and_asked_the_same_batch_from_its_first_row(
    squares: Squares, tmp_path: Path, continuous: bool
) -> None:
    healthy = Mortal(None, continuous=continuous)
    expected = planned([squares.path], tmp_path / "expected.run", healthy)
    run_all(expected, healthy)
    first, second = Mortal(6, continuous=continuous), Mortal(None, continuous=continuous)
    run = planned([squares.path], tmp_path / "a.run", first)
    noting = Noting()
    run_all(run, first, noting, reopen=lambda: second)
    same_answers(run, expected)
    assert first.seen == [str(n) for n in range(7)]
    assert second.seen == [str(n) for n in range(4, run.manifest.rows)]
    attempts = run.answers().attempts.tolist()
    assert attempts[:7] == [1, 1, 1, 1, 2, 2, 2]
    assert set(attempts[8:]) == {1}
    assert [asked.tile_id for asked, _, _ in noting.done] == expected.answers().tile_id.tolist()


def test_a_model_that_dies_again_and_again_without_a_batch_ends_the_run(
    squares: Squares, tmp_path: Path
) -> None:
    models = [Mortal(5), Mortal(0), Mortal(1), Mortal(0), Mortal(None)]
    run = planned([squares.path], tmp_path / "a.run", models[0])
    left = iter(models[1:])
    with pytest.raises(ModelError, match="the engine is dead"):
        run_all(run, models[0], reopen=lambda: next(left))
    assert len(list(left)) == 1  # three were opened
    assert run.pending()[0] == 1


def test_deaths_with_batches_between_them_never_end_the_run(squares: Squares, tmp_path: Path) -> None:
    run = planned([squares.path], tmp_path / "a.run", Mortal(0))
    opened = []

    def reopen() -> Mortal:
        opened.append(Mortal(5))
        return opened[-1]

    run_all(run, Mortal(5), reopen=reopen)
    assert not run.pending()
    assert len(opened) >= 2


def test_an_engine_that_does_not_come_up_at_once_is_tried_again(squares: Squares, tmp_path: Path) -> None:
    run = planned([squares.path], tmp_path / "a.run", Mortal(0))
    left = iter([ModelError("no memory yet"), Mortal(None)])

    def reopen() -> Mortal:
        one = next(left)
        if isinstance(one, Exception):
            raise one
        return one

    run_all(run, Mortal(5), reopen=reopen)
    assert not run.pending()


def test_another_model_in_its_place_is_refused(squares: Squares, tmp_path: Path) -> None:
    run = planned([squares.path], tmp_path / "a.run", Mortal(0))
    other = Mortal(None)
    other.identity = "somebody else"
    with pytest.raises(RunError, match="somebody else"):
        run_all(run, Mortal(5), reopen=lambda: other)


def test_without_a_way_to_open_it_again_a_dead_model_ends_the_run(squares: Squares, tmp_path: Path) -> None:
    run = planned([squares.path], tmp_path / "a.run", Mortal(0))
    with pytest.raises(ModelError):
        run_all(run, Mortal(5))
    assert run.pending()[0] == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt, StoppedError("enough")])
def test_who_wants_to_stop_is_not_kept(squares: Squares, tmp_path: Path, error: BaseException) -> None:
    class Leaving(Noting):
        def tile_done(self, *told) -> None:
            super().tile_done(*told)
            if len(self.done) == 6:
                raise error

    def reopen() -> SquareFinder:
        raise AssertionError("nobody asked for it")

    run = planned([squares.path], tmp_path / "a.run", SquareFinder())
    with pytest.raises(error if isinstance(error, type) else type(error)):
        run_all(run, SquareFinder(), Leaving(), reopen=reopen)
    assert run.pending()[0] == 1


# -- answers that cannot be read -------------------------------------------------------------------------


class Rambling(SquareFinder):
    """Rambles over some tiles (by seq) unless it is held to a grammar; `stubborn` ones even then."""

    def __init__(
        self, rambles: set[int], stubborn: set[int] = frozenset(), *, continuous: bool = False
    ) -> None:
        super().__init__()
        self.constrains = True
        self.continuous = continuous
        self.rambles, self.stubborn = rambles, stubborn
        self.seen: list[Request] = []

    def generate(self, requests: Iterable[Request]) -> Generator[Piece]:
        source = iter(requests)
        while together := list(islice(source, self.max_in_flight)):
            self.seen += together
            for request in reversed(together):
                seq = int(request.request_id)
                lost = seq in self.rambles and (request.grammar is None or seq in self.stubborn)
                text = f"Well. {'Hm. ' * seq}" if lost else self.say(*request.images)
                yield Piece(request.request_id, text, logprob=-0.1, finish="stop")


@pytest.mark.parametrize("continuous", [False, True])
def test_an_answer_that_cannot_be_read_is_asked_once_more_under_the_grammar(
    squares: Squares, expected: RunDirectory, tmp_path: Path, continuous: bool
) -> None:
    model = Rambling({1, 3, 6, 7}, {6}, continuous=continuous)
    run = planned([squares.path], tmp_path / "a.run", model)
    noting = Noting()
    run_all(run, model, noting)
    rows, clear = run.answers(), expected.answers()
    assert list(rows.index[rows.status == TileStatus.PARSE_ERROR]) == [6]
    assert rows.text[6].startswith("Well.")
    others = rows.index != 6
    assert rows.text[others].tolist() == clear.text[others].tolist()
    assert rows.attempts.tolist() == [2 if seq in {1, 3, 6, 7} else 1 for seq in rows.seq]
    assert len(noting.done) == len(rows)
    again = [request for request in model.seen if request.grammar is not None]
    assert [int(request.request_id) for request in again] == [1, 3, 6, 7]
    question = run.config.questions[0]
    assert again[0].grammar == grammar(
        "count", question.text, model.profile.frame, question.labels, sections=True
    )
    assert again[0].images[0] is next(r for r in model.seen if r.request_id == "1").images[0]


def test_those_of_a_batch_are_asked_again_together_when_all_others_have_come(
    squares: Squares, tmp_path: Path
) -> None:
    model = Rambling({1, 3, 6})
    run = planned([squares.path], tmp_path / "a.run", model)
    run_all(run, model)
    seen = [(int(request.request_id), request.grammar is not None) for request in model.seen]
    assert seen[:10] == [
        (0, False), (1, False), (2, False), (3, False), (1, True), (3, True),
        (4, False), (5, False), (6, False), (7, False),
    ]  # fmt: skip
    assert seen[10] == (6, True)


def test_where_no_grammar_is_new_nothing_is_asked_again(squares: Squares, tmp_path: Path) -> None:
    free = Rambling({1})
    free.constrains = False
    own = Rambling({1})
    own.profile = own.profile.model_copy(update={"answer_form": "own"})
    for number, (model, constrained) in enumerate([(free, False), (Rambling({1}, {1}), True), (own, False)]):
        run = planned([squares.path], tmp_path / f"{number}.run", model)
        run.config = run.config.model_copy(update={"constrained": constrained})
        run_all(run, model)
        assert len(model.seen) == run.manifest.rows
        assert run.answers().attempts.eq(1).all()

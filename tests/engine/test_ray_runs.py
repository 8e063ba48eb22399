"""The same run on Ray and in one process: the same answers, whatever the workers, the shards and what fails."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest

from groundproof.errors import ModelError, StoppedError
from groundproof.models.base import Request
from groundproof.run import RunDirectory
from groundproof.runners import ray_data
from groundproof.runners.ray_cluster import connected
from groundproof.runners.ray_data import run_on_ray
from groundproof.runners.ray_model import RayModel
from groundproof.tables import TileStatus

from .ray_models import another, asked, finder, logged, unloadable, workers
from .ray_runs import Told, answered_here, left_over, planned, told_of, write_scenes
from .square_finder import SquareFinder

BATCH = 4


@pytest.fixture(scope="module")
def ray() -> Iterator[object]:
    with connected(None, 4) as ray:
        yield ray


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_scenes(tmp_path_factory.mktemp("scenes") / "s", 6)


@pytest.fixture(scope="module")
def expected(scenes: list[Path], tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return answered_here(planned(tmp_path_factory.mktemp("local") / "a.run", scenes))


@pytest.fixture
def run(ray: object, scenes: list[Path], tmp_path: Path) -> Iterator[RunDirectory]:
    run = planned(tmp_path / "a.run", scenes)
    with run.lock():
        yield run


@pytest.fixture
def log(tmp_path: Path) -> Path:
    (tmp_path / "log").mkdir()
    return tmp_path / "log"


@pytest.mark.parametrize(("number", "tiles"), [(2, 256), (3, 1)])
def test_workers_answer_what_one_process_answers(
    run: RunDirectory,
    expected: pd.DataFrame,
    log: Path,
    number: int,
    tiles: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ray_data, "SHARD_TILES", tiles)
    monkeypatch.setattr(ray_data, "SHARD_STREAMS", 1)
    told = Told()
    opener = partial(logged, log=log, pause_s=0.03)
    run_on_ray(run, "tiny", told, run.pending(), workers=number, opener=opener)
    pd.testing.assert_frame_equal(told_of(run), expected)
    assert sorted(asked(log)) == sorted(run.answers().seq)  # nothing twice
    assert len(workers(log)) == number
    assert Counter(status.value for _, status, _ in told.tiles) == run.status().by_status
    assert {told.tile_id for told, _, _ in told.tiles} == set(expected.tile_id)
    assert left_over(run) == []


class Killer(threading.Thread):
    """Kills workers with -9, each some time after the first tile was asked of it."""

    def __init__(self, log: Path, kills: int, chance: random.Random) -> None:
        super().__init__(daemon=True)
        self.log, self.left, self.chance = log, kills, chance
        self.killed: set[int] = set()

    def run(self) -> None:
        while self.left:
            time.sleep(0.05)
            for pid in workers(self.log) - self.killed:
                time.sleep(self.chance.uniform(0, 0.6))
                os.kill(pid, signal.SIGKILL)
                self.killed.add(pid)
                self.left -= 1
                break


def check_after_kills(run: RunDirectory, expected: pd.DataFrame, log: Path, lost: int) -> None:
    pd.testing.assert_frame_equal(told_of(run), expected)
    assert left_over(run) == []
    times = Counter(asked(log))
    assert set(times) == set(expected.seq)
    assert (
        times.total() - len(times) <= lost * BATCH
    )  # at most the batch in hand, for each worker that was lost


def test_workers_that_are_killed_cost_the_batch_in_hand_and_nothing_else(
    run: RunDirectory, expected: pd.DataFrame, log: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    killer = Killer(log, 2, random.Random())
    killer.start()
    told = Told()
    opener = partial(logged, log=log, pause_s=0.08)
    run_on_ray(run, "tiny", told, run.pending(), workers=2, opener=opener)
    assert len(killer.killed) == 2
    check_after_kills(run, expected, log, 2)
    assert len(told.tiles) == len(expected)
    assert capfd.readouterr().out == ""  # standard output is for results


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_workers_killed_at_random_moments(
    run: RunDirectory, expected: pd.DataFrame, log: Path, seed: int
) -> None:
    killer = Killer(log, 1 + seed % 3, random.Random(seed))
    killer.start()
    opener = partial(logged, log=log, pause_s=0.08)
    run_on_ray(run, "tiny", Told(), run.pending(), workers=2, opener=opener)
    check_after_kills(run, expected, log, len(killer.killed))


def test_a_tile_that_kills_every_worker_is_given_up_and_the_rest_is_answered(
    run: RunDirectory, expected: pd.DataFrame, log: Path
) -> None:
    poison = 21
    told = Told()
    opener = partial(logged, log=log, kills=(poison,), breaks=(45,))  # and a device that dies once
    run_on_ray(run, "tiny", told, run.pending(), workers=2, opener=opener)
    rows = run.answers()
    given_up = rows[rows.status == TileStatus.ENGINE_ERROR.value]
    assert list(given_up.seq) == [20, 21, 22, 23]
    assert set(given_up.error) == {"3 workers died over this batch"}
    assert asked(log).count(poison) == 3
    rest = told_of(run)
    pd.testing.assert_frame_equal(
        rest[~rest.seq.isin(given_up.seq)].reset_index(drop=True),
        expected[~expected.seq.isin(given_up.seq)].reset_index(drop=True),
    )
    assert [reason for _, status, reason in told.tiles if status is TileStatus.ENGINE_ERROR] == list(
        given_up.error
    )
    assert run.retryable() == [5]


@pytest.mark.parametrize(
    ("opener", "reason"),
    [
        (another, r"planned for square-finder; on .* the model is circle-finder"),
        pytest.param(unloadable, "weights of tiny are not on this machine", marks=pytest.mark.slow),
    ],
)
def test_another_model_or_none_on_a_worker_ends_the_job_before_anything_is_asked(
    run: RunDirectory, opener: Callable[[str], SquareFinder], reason: str
) -> None:
    with pytest.raises(ModelError, match=reason):
        run_on_ray(run, "tiny", Told(), run.pending(), workers=2, opener=opener)
    assert run.status().answered == 0


def test_a_scene_that_is_gone_is_rows_and_the_others_are_answered(
    ray: object, tmp_path: Path, log: Path
) -> None:
    scenes = write_scenes(tmp_path / "s", 3)
    here, there = planned(tmp_path / "here.run", scenes), planned(tmp_path / "there.run", scenes)
    scenes[1].unlink()
    expected = answered_here(here)
    assert set(expected.status) > {TileStatus.READ_ERROR.value}
    told = Told()
    with there.lock():
        run_on_ray(there, "tiny", told, there.pending(), workers=2, opener=partial(logged, log=log))
    pd.testing.assert_frame_equal(told_of(there), expected)
    assert {reason for _, status, reason in told.tiles if status is TileStatus.READ_ERROR} == set(
        expected.error.dropna()
    )


def test_who_stops_is_obeyed_at_once_and_the_rest_is_answered_later(
    run: RunDirectory, expected: pd.DataFrame, log: Path
) -> None:
    class Impatient(Told):
        def check(self) -> None:
            if self.tiles:
                self.since = time.monotonic()
                raise StoppedError("enough")

    told = Impatient()
    opener = partial(logged, log=log, pause_s=0.2)
    with pytest.raises(StoppedError, match="enough"):
        run_on_ray(run, "tiny", told, run.pending(), workers=2, opener=opener)
    assert time.monotonic() - told.since < 5
    so_far = len(asked(log))
    time.sleep(1)
    assert len(asked(log)) == so_far
    kept = sorted(set(range(run.manifest.batches)) - set(run.pending()))
    assert 0 < len(kept) < run.manifest.batches
    before = Counter(asked(log))
    wanted = sorted(
        {kept[0], *run.pending()}
    )  # one has an answer and is to be asked again, as resuming may want
    run_on_ray(run, "tiny", Told(), wanted, workers=2, opener=partial(logged, log=log))
    pd.testing.assert_frame_equal(told_of(run), expected)
    assert run.answers([kept[0]]).attempts.tolist() == [2] * BATCH
    now = Counter(asked(log)) - before
    assert now == Counter(expected.seq[(expected.seq // BATCH).isin(wanted)])
    assert left_over(run) == []


def test_a_ray_of_this_machine_alone_listens_on_loopback_and_asks_for_a_token(ray: object) -> None:
    mine = psutil.Process()
    listening = {
        found.laddr.ip.removeprefix("::ffff:")
        for process in [mine, *mine.children(recursive=True)]
        for found in process.net_connections("inet")
        if found.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}
    assert os.environ["RAY_AUTH_MODE"] == "token"
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"


def test_a_model_on_the_cluster_is_and_says_what_it_does_here(ray: object) -> None:
    here = SquareFinder()
    chance = np.random.default_rng(3)
    images = [chance.integers(0, 256, (56, 84, 3), dtype=np.uint8) for _ in range(6)]
    requests = [Request(str(number), (image,), "", "how many?") for number, image in enumerate(images)]
    with RayModel("tiny", opener=finder) as there:
        assert list(there.generate(iter(requests))) == list(here.generate(requests))
        there.release()  # the next question starts another process
        for name in ("profile", "identity", "max_in_flight", "constrains", "continuous"):
            assert getattr(there, name) == getattr(here, name)
    with RayModel("tiny", opener=unloadable) as there, pytest.raises(ModelError, match="not on this machine"):
        there.identity  # noqa: B018

"""The process that drives the workers is killed, at any moment: they end, and what is resumed ends the same."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import psutil
import pytest

from groundproof.run import RunDirectory

from .ray_models import asked, workers
from .ray_runs import answered_here, left_over, planned, told_of, write_scenes

ROOT = Path(__file__).parents[2]
BATCH = 4
WORKERS = 2


def drive(run: RunDirectory, log: Path, pause_s: float) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "tests.engine.ray_driver", str(run.path), str(log), str(pause_s)]
    return subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def kill_and_resume(folder: Path, scenes: list[Path], expected: pd.DataFrame, chance: random.Random) -> None:
    run, log = planned(folder / "a.run", scenes), folder / "log"
    log.mkdir()
    driver = drive(run, log, 0.08)
    while not workers(log):
        assert driver.poll() is None, driver.stderr
        time.sleep(0.02)
    time.sleep(chance.uniform(0, 2.0))
    driver.kill()
    driver.wait()
    until = time.monotonic() + 20
    while any(psutil.pid_exists(pid) for pid in workers(log)):
        assert time.monotonic() < until, "workers outlive their driver"
        time.sleep(0.05)
    before = len(run.answers())
    again = drive(run, log, 0.0)
    _, said = again.communicate(timeout=400)
    assert again.returncode == 0, said.decode()
    pd.testing.assert_frame_equal(told_of(run), expected)
    assert left_over(run) == []
    times = asked(log)
    assert set(times) == set(expected.seq)
    assert len(times) - len(expected) <= WORKERS * BATCH
    assert len(times) >= before


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_scenes(tmp_path_factory.mktemp("scenes") / "s", 6)


@pytest.fixture(scope="module")
def expected(scenes: list[Path], tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return answered_here(planned(tmp_path_factory.mktemp("local") / "a.run", scenes))


def test_a_driver_that_is_killed_takes_its_workers_along_and_the_run_goes_on(
    scenes: list[Path], expected: pd.DataFrame, tmp_path: Path
) -> None:
    kill_and_resume(tmp_path, scenes, expected, random.Random(os.getpid()))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_drivers_killed_at_random_moments(
    scenes: list[Path], expected: pd.DataFrame, tmp_path: Path, seed: int
) -> None:
    kill_and_resume(tmp_path, scenes, expected, random.Random(seed))

"""Killed at any moment, a full disk, a folder that cannot be written: nothing kept is lost, nothing is done twice."""

from __future__ import annotations

import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from groundproof.errors import OutputError
from groundproof.listening import Unobserved
from groundproof.run import RunDirectory
from groundproof.runners.local import run_tiles
from groundproof.sources import Sources

from .conftest import BOXES, write_squares
from .killed import Counted, Workers, model_named, work
from .runs import planned, same_answers
from .square_finder import SquareFinder


def seqs(side: Path) -> list[int]:
    return [int(line) for line in side.read_text().split()] if side.exists() else []


def batches_of(run: RunDirectory, asked: list[int]) -> set[int]:
    (rows,) = run.manifest.frames()
    return set(rows.batch_id[rows.seq.isin(asked)])


class Trial:
    """A plan, its uninterrupted run, and copies of the plan that are killed."""

    def __init__(self, folder: Path, workers: Workers, name: str = "", *, n_scenes: int = 6) -> None:
        self.folder, self.workers, self.name = folder, workers, name
        self.model = model_named(name)
        scenes = [
            write_squares(folder / f"s{n}.tif", BOXES[: n % 5 + 1], width=700 - 60 * n).path
            for n in range(n_scenes)
        ]
        planned(scenes, folder / "plan.run", self.model, batch=4)
        shutil.copytree(folder / "plan.run", folder / "whole.run")
        self.whole = RunDirectory.open(folder / "whole.run")
        started = time.perf_counter()
        self.finish(self.whole, folder / "whole.txt")
        self.seconds = time.perf_counter() - started

    def finish(self, run: RunDirectory, side: Path) -> None:
        work(run, Counted(self.model, side) if not self.name else Counted(self.model, side, 0.0))

    def kill(self, number: int, after_s: float) -> bool:
        """One kill and what must hold after it. Whether it found the process at work."""
        run_dir = self.folder / f"{number}.run"
        shutil.copytree(self.folder / "plan.run", run_dir)
        before, after = (self.folder / f"{number}-{when}.txt" for when in ("before", "after"))
        alive = self.workers.kill(run_dir, before, after_s, self.name)
        run = RunDirectory.open(run_dir)
        kept = set(range(run.manifest.batches)) - set(run.pending())
        self.finish(run, after)
        same_answers(run, self.whole)
        twice = batches_of(run, seqs(before)) & batches_of(run, seqs(after))
        assert len(twice) <= 1
        assert not kept & batches_of(run, seqs(after))
        assert not [path for path in run_dir.rglob("*") if ".tmp" in path.name]
        assert run.status().answered == run.status().planned
        return alive


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with Workers() as running:
        yield running


@pytest.fixture
def trial(tmp_path: Path, workers: Workers) -> Trial:
    return Trial(tmp_path, workers)


def killed_at_work(trial: Trial, times: int) -> None:
    """Kills at random moments, until so many found the process at work; what it takes drifts on a shared machine."""
    chance, span, found = random.Random(), trial.seconds, 0
    for number in range(5 * times):
        at_work = trial.kill(number, chance.uniform(0, span))
        found += at_work
        span *= 1.0 if at_work else 0.8
        if found == times:
            return
    raise AssertionError(f"only {found} of {5 * times} kills found the process at work")


def test_killed_at_four_random_moments_the_answers_are_those_of_an_uninterrupted_run(trial: Trial) -> None:
    killed_at_work(trial, 4)


@pytest.mark.slow
def test_killed_at_twenty_random_moments(trial: Trial) -> None:
    killed_at_work(trial, 20)


@pytest.mark.slow
@pytest.mark.weights
def test_the_embedded_model_killed_answers_letter_for_letter_as_uninterrupted(
    tmp_path: Path, workers: Workers
) -> None:
    """The same text, so the same boxes; logarithms of probabilities, kept as float32, are compared too."""
    killed_at_work(Trial(tmp_path, workers, "tiny", n_scenes=2), 3)


def test_killed_again_and_again_it_still_ends_in_the_same_answers(trial: Trial) -> None:
    run_dir = trial.folder / "again.run"
    shutil.copytree(trial.folder / "plan.run", run_dir)
    for n, share in enumerate((0.1, 0.3, 0.2)):
        trial.workers.kill(run_dir, trial.folder / f"again-{n}.txt", trial.seconds * share)
    run = RunDirectory.open(run_dir)
    trial.finish(run, trial.folder / "again-last.txt")
    same_answers(run, trial.whole)


# -- disks -----------------------------------------------------------------------------------------------


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system of its own; skips where it may not be mounted."""
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], check=False)
    if done.returncode:
        pytest.skip("needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def plan_on(disk: Path, scenes: list[Path]) -> RunDirectory:
    return planned(scenes, disk / "a.run", SquareFinder(), batch=4)


def finished(run: RunDirectory, folder: Path, scenes: list[Path]) -> None:
    """The run ends as one that had no trouble."""
    work(run, SquareFinder())
    whole = planned(scenes, folder / "whole.run", SquareFinder(), batch=4)
    work(whole, SquareFinder())
    same_answers(run, whole)
    assert not list(run.path.rglob("*.tmp"))


def test_a_full_disk_stops_with_a_sentence_and_space_lets_it_go_on(tmp_path: Path) -> None:
    scenes = [write_squares(tmp_path / f"s{n}.tif", BOXES[: n + 1]).path for n in range(3)]
    with small_disk(tmp_path / "disk", "400k") as disk:
        run = plan_on(disk, scenes)
        filler = disk / "filler"
        filler.write_bytes(bytes(shutil.disk_usage(disk).free - 40_960))
        with pytest.raises(
            OutputError, match=r"disk is full while writing .* kept; free some space and resume"
        ):
            work(run, SquareFinder())
        kept = run.manifest.batches - len(run.pending())
        assert 0 < kept < run.manifest.batches
        assert not list(run.path.rglob("*.tmp"))
        filler.unlink()
        finished(run, tmp_path, scenes)


def test_a_folder_that_may_not_be_written_any_more_stops_with_a_sentence(tmp_path: Path) -> None:
    scenes = [write_squares(tmp_path / "a.tif", BOXES).path]
    with small_disk(tmp_path / "disk", "4m") as disk:
        run = plan_on(disk, scenes)

        class Remounting(SquareFinder):
            def say(self, *images):
                if self.answered == 6:
                    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
                return super().say(*images)

        with pytest.raises(OutputError, match=r"Cannot write .*batch-00000001.*Read-only file system"):
            run_tiles(run, Remounting(), Sources(run), Unobserved(), run.pending())
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        assert run.pending()[0] == 1
        finished(run, tmp_path, scenes)

"""The run directory: whole or not at all, locked, and refusing what does not fit."""

from __future__ import annotations

from pathlib import Path

import pytest

import groundproof
from groundproof.errors import OutputError, RunError
from groundproof.run import RunDirectory
from groundproof.run_files import writing

from .conftest import Squares
from .square_finder import SquareFinder

QUESTION = "How many airplanes are there?"


@pytest.fixture
def run(squares: Squares, finder: SquareFinder, tmp_path: Path) -> RunDirectory:
    groundproof.ask(squares.path, QUESTION, run_dir=tmp_path / "a.run")
    return RunDirectory.open(tmp_path / "a.run")


def test_every_tile_and_question_has_a_row_before_any_inference(run: RunDirectory) -> None:
    assert list(run.answers().seq) == list(range(run.manifest.rows))
    assert run.pending() == []
    assert run.status().answered == run.status().planned


def test_a_part_file_that_is_missing_makes_its_batch_pending_again(run: RunDirectory) -> None:
    parts = sorted((run.path / "answers").glob("batch-*.parquet"))
    parts[1].unlink()
    assert run.pending() == [1]


def test_what_a_killed_writer_left_is_swept_and_never_read(run: RunDirectory) -> None:
    left = run.path / "answers" / "batch-00000001.parquet.0a1b2c3d.tmp"
    left.write_bytes(b"half a file")
    assert len(run.answers()) == run.manifest.rows
    with run.lock():
        assert not left.exists()


def test_two_processes_cannot_work_on_one_run(run: RunDirectory) -> None:
    with run.lock(), pytest.raises(RunError, match="Another process"), RunDirectory.open(run.path).lock():
        pass


def test_a_configuration_changed_by_hand_is_refused(run: RunDirectory) -> None:
    toml = run.path / "run.toml"
    toml.write_text(toml.read_text().replace("overlap_px = 56", "overlap_px = 28"))
    with pytest.raises(RunError, match="changed by hand"):
        RunDirectory.open(run.path)


def test_a_folder_that_is_no_run_is_refused_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="not a run directory"):
        RunDirectory.open(tmp_path)


def test_a_damaged_manifest_is_said_to_be_damaged(run: RunDirectory) -> None:
    (run.path / "manifest.parquet").write_bytes(b"PAR1 nonsense")
    with pytest.raises(RunError, match="damaged"):
        RunDirectory.open(run.path)


def test_a_full_disk_says_that_nothing_is_lost() -> None:
    with pytest.raises(OutputError, match="full"), writing(Path("answers")):
        raise OSError(28, "No space left on device")


def test_the_same_configuration_gives_the_same_hash_and_another_gives_another(run: RunDirectory) -> None:
    config = run.config
    assert config.inference_hash() == config.model_copy().inference_hash()
    assert config.inference_hash() != config.model_copy(update={"overlap_px": 28}).inference_hash()
    merged_otherwise = config.model_copy(update={"merge": config.merge.model_copy(update={"iou": 0.3})})
    assert config.inference_hash() == merged_otherwise.inference_hash()


def test_what_a_discarded_run_left_never_answers_the_next_one(
    run: RunDirectory, squares: Squares, finder: SquareFinder
) -> None:
    (run.path / "run.toml").unlink()  # killed while being removed
    finder.answered = 0
    groundproof.ask(squares.path, "How many ships are there?", run_dir=run.path)
    assert finder.answered == RunDirectory.open(run.path).status().planned


def test_discarding_a_damaged_run_leaves_what_is_not_the_runs_own(run: RunDirectory) -> None:
    (run.path / "notes.txt").write_text("mine")
    (run.path / "run.toml").write_text("not toml at all")
    RunDirectory.discard(run.path)
    assert (run.path / "notes.txt").read_text() == "mine"
    assert not list(run.path.rglob("*.parquet"))
    assert not RunDirectory.is_unfinished(run.path)


def test_a_damaged_answer_is_named_with_what_to_do(run: RunDirectory) -> None:
    (run.path / "answers" / "batch-00000001.parquet").write_bytes(b"PAR1 nonsense")
    with pytest.raises(RunError, match="batch-00000001"):
        run.answers()

"""`groundproof-train audit-splits`: what it writes and how it ends."""

import json

from typer.testing import CliRunner

from groundproof_training.cli import app
from groundproof_training.samples.storage import write_samples

from .test_leakage import ground, sample


def ran(folder, *more):
    cache = str(folder / "looks.sqlite")
    sources = [str(folder / "train.jsonl"), str(folder / "test.jsonl")]
    return CliRunner().invoke(app, ["audit-splits", *sources, "--cache", cache, *map(str, more)])


def prepared(folder, seed_of_test):
    ground(1).save(folder / "a.png")
    ground(2).save(folder / "b.png")
    ground(seed_of_test).save(folder / "t.jpg", quality=70)
    write_samples(folder / "train.jsonl", [sample("one", "a.png"), sample("two", "b.png")])
    write_samples(folder / "test.jsonl", [sample("three", "t.jpg", split="test")])


def test_a_pair_of_train_and_test_ends_with_1_unless_allowed(tmp_path):
    prepared(tmp_path, 2)
    result = ran(tmp_path, "--json", tmp_path / "a.json", "--report", tmp_path / "a.html")
    assert result.exit_code == 1
    assert "train and test: 1" in result.stdout
    assert json.loads((tmp_path / "a.json").read_text())["pairs"][0]["kind"] == "looks the same"
    assert (tmp_path / "a.html").is_file()
    assert ran(tmp_path, "--allow").exit_code == 0


def test_the_list_of_what_to_drop_names_part_and_sample(tmp_path):
    prepared(tmp_path, 2)
    ran(tmp_path, "--write-clean", tmp_path / "drop.txt")
    assert (tmp_path / "drop.txt").read_text() == "made/train\ttwo\n"


def test_no_pair_ends_with_0(tmp_path):
    prepared(tmp_path, 3)
    assert ran(tmp_path).exit_code == 0


def test_a_missing_file_is_a_sentence(tmp_path):
    from groundproof_training.errors import TrainingError

    result = ran(tmp_path)
    assert isinstance(result.exception, TrainingError)

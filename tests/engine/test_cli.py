"""The command line: exit codes, one clear sentence for every mistake, JSON for machines, the path last."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from groundproof.cli import app

from .conftest import BOXES, Squares, write_squares
from .square_finder import SquareFinder

QUESTION = "How many airplanes are there?"


def run(*words: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def test_ask_prints_the_story_and_ends_with_the_path(
    squares: Squares, finder: SquareFinder, tmp_path: Path
) -> None:
    out = tmp_path / "a.gpkg"
    code, stdout, _ = run("ask", squares.path, "-q", QUESTION, "-o", out, "--picture", tmp_path / "a.png")
    assert code == 0
    assert stdout.splitlines()[-1] == str(out)
    for word in ("Answer", "Plan", "Evidence", "E5", "Synthesis", "Coverage", "looked at"):
        assert word in stdout
    assert out.is_file()
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"


def test_ask_in_json_is_one_document(squares: Squares, finder: SquareFinder, tmp_path: Path) -> None:
    code, stdout, _ = run("ask", squares.path, "-q", QUESTION, "-o", tmp_path / "a.gpkg", "--json")
    document = json.loads(stdout)
    assert code == 0
    assert document["answers"][0]["value"] == len(BOXES) == len(document["evidence"])
    assert document["files"]["result"] == str(tmp_path / "a.gpkg")


def test_failed_tiles_end_with_exit_code_5_and_say_so(
    squares: Squares, finder: SquareFinder, tmp_path: Path
) -> None:
    finder.confused_by = 2
    code, stdout, stderr = run("ask", squares.path, "-q", QUESTION, "-o", tmp_path / "a.gpkg")
    assert code == 5
    assert "1 of" in stderr
    assert stdout.splitlines()[-1] == str(tmp_path / "a.gpkg")


def test_a_dry_run_asks_nothing_and_leaves_nothing(
    squares: Squares, finder: SquareFinder, tmp_path: Path
) -> None:
    code, stdout, _ = run("ask", squares.path, "-q", QUESTION, "-o", tmp_path / "a.gpkg", "--dry-run")
    assert code == 0
    assert "tiles" in stdout
    assert sorted(p.name for p in tmp_path.iterdir()) == ["squares.tif"]


def test_an_interrupt_keeps_what_is_done_and_resume_goes_on(
    squares: Squares, finder: SquareFinder, tmp_path: Path
) -> None:
    finder.die_after = 5
    code, _, stderr = run("ask", squares.path, "-q", QUESTION, "-o", tmp_path / "a.gpkg")
    assert code == 130
    assert f"groundproof resume {tmp_path / 'a.run'}" in stderr
    code, stdout, _ = run("status", tmp_path / "a.run", "--json", "--texts")
    state = json.loads(stdout)
    assert 0 < state["answered"] < state["tiles"]
    assert state["parses"] == {"answers": state["answered"], "repaired": 0, "failed": 0}
    finder.die_after = None
    code, stdout, _ = run("resume", tmp_path / "a.run")
    assert code == 0
    assert stdout.splitlines()[-1] == str(tmp_path / "a.gpkg")


def test_an_interrupted_batch_says_where_resume_is_to_write(
    squares: Squares, finder: SquareFinder, tmp_path: Path
) -> None:
    finder.die_after = 5
    out, table = tmp_path / "the ships.gpkg", tmp_path / "ships.csv"
    arguments = ("batch", squares.path, "-q", QUESTION, "--run-dir", tmp_path / "r", "-o", out)
    code, _, stderr = run(*arguments, "--summary", table)
    assert code == 130
    assert f"groundproof resume {tmp_path / 'r'} -o '{out}' --summary {table}" in stderr


def test_results_can_be_merged_audited_and_compared(
    squares: Squares, finder: SquareFinder, tmp_path: Path
) -> None:
    run("ask", squares.path, "-q", QUESTION, "-o", tmp_path / "a.gpkg")
    code, stdout, _ = run("merge", tmp_path / "a.run", "-o", tmp_path / "b.gpkg")
    assert (code, stdout.splitlines()[-1]) == (0, str(tmp_path / "b.gpkg"))
    code, stdout, _ = run("audit", tmp_path / "b.gpkg")
    assert code == 0
    assert "5 airplanes" in stdout
    code, stdout, _ = run("diff", tmp_path / "a.gpkg", tmp_path / "b.gpkg", "--json")
    assert code == 0
    assert json.loads(stdout)["is_empty"] is True


MISTAKES = {
    "missing file": (["ask", "{dir}/none.tif", "-q", QUESTION], 3, "none.tif"),
    "a folder": (["ask", "{dir}", "-q", QUESTION], 3, "folder"),
    "text named .tif": (["ask", "{dir}/text.tif", "-q", QUESTION], 3, "text.tif"),
    "no georeference": (["ask", "{dir}/plain.png", "-q", QUESTION], 3, "--pixel-space"),
    "unknown crs": (["ask", "{dir}/squares.tif", "-q", QUESTION, "--out-crs", "EPSG:1"], 2, "EPSG:1"),
    "aoi outside": (["ask", "{dir}/squares.tif", "-q", QUESTION, "--aoi", "0,0,1,1"], 2, "scene covers"),
    "aoi that is nothing": (["ask", "{dir}/squares.tif", "-q", QUESTION, "--aoi", "nowhere"], 2, "nowhere"),
    "empty question": (["ask", "{dir}/squares.tif", "-q", "  "], 2, "question"),
    "unknown task": (["ask", "{dir}/squares.tif", "-q", QUESTION, "--task", "guess"], 2, "count"),
    "bad bands": (["ask", "{dir}/squares.tif", "-q", QUESTION, "--bands", "red"], 2, "--bands"),
    "bands that are not there": (["ask", "{dir}/squares.tif", "-q", QUESTION, "--bands", "7,8,9"], 2, "7"),
    "odd tile": (["ask", "{dir}/squares.tif", "-q", QUESTION, "--tile", "225"], 2, "224"),
    "too much overlap": (["ask", "{dir}/squares.tif", "-q", QUESTION, "--overlap", "224"], 2, "--overlap"),
    "no folder for output": (
        ["ask", "{dir}/squares.tif", "-q", QUESTION, "-o", "{dir}/no/such/a.gpkg"],
        2,
        "no/such",
    ),
    "unknown format": (["ask", "{dir}/squares.tif", "-q", QUESTION, "-o", "{dir}/a.xyz"], 2, ".gpkg"),
    "not a run": (["resume", "{dir}"], 2, "not a run directory"),
    "no such result": (["audit", "{dir}/none.gpkg"], 2, "none.gpkg"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_every_mistake_ends_with_a_sentence_and_its_code(
    name: str, squares: Squares, finder: SquareFinder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.tif").write_text("this is no raster")
    write_squares(tmp_path / "plain.tif", [], crs=None).path.rename(tmp_path / "plain.png")
    words, expected, part = MISTAKES[name]
    code, _, stderr = run(*(word.format(dir=tmp_path) for word in words))
    assert code == expected
    assert part in stderr
    assert "Traceback" not in stderr
    assert len(stderr.strip().splitlines()) <= 3


def test_a_scene_that_ends_in_the_middle_keeps_what_could_be_read(
    squares: Squares, finder: SquareFinder, tmp_path: Path
) -> None:
    whole = squares.path.read_bytes()
    squares.path.write_bytes(whole[: len(whole) * 2 // 3])
    code, _, stderr = run("ask", squares.path, "-q", QUESTION, "-o", tmp_path / "a.gpkg")
    assert code in (3, 5)
    assert "Traceback" not in stderr


def test_a_wrong_model_folder_is_exit_code_4(squares: Squares, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for model, word in (("nosuch", "nosuch"), (tmp_path / "empty", "config.json"), ("rsthinker", "FOLDER")):
        code, _, stderr = run(
            "ask", squares.path, "-q", QUESTION, "--model", model, "-o", tmp_path / "a.gpkg"
        )
        assert code == 4
        assert word in stderr


def test_help_shows_a_real_command_and_the_exit_codes() -> None:
    assert "Exit codes" in run("--help")[1]
    assert "groundproof ask harbour.tif" in run("ask", "--help")[1]


def test_doctor_and_models_speak_json() -> None:
    assert {"topic", "level", "sentence", "advice"} <= set(json.loads(run("doctor", "--json")[1])[0])
    assert {"tiny", "rsthinker"} <= {row["name"] for row in json.loads(run("models", "--json")[1])}


def test_json_holds_no_character_that_steers_a_terminal(
    squares: Squares, finder: SquareFinder, tmp_path: Path
) -> None:
    question = "How many airplanes \x9b2J\u202e are there?"
    code, stdout, _ = run("ask", squares.path, "-q", question, "-o", tmp_path / "a.gpkg", "--json")
    assert code == 0
    assert not {"\x9b", "\u202e"} & set(stdout)
    assert json.loads(stdout)["answers"][0]["task"] == "count"


def test_an_input_is_never_overwritten(squares: Squares, finder: SquareFinder, tmp_path: Path) -> None:
    before = squares.path.read_bytes()
    words = ("ask", squares.path, "-q", QUESTION, "-o", tmp_path / "a.gpkg", "--picture", squares.path)
    code, _, stderr = run(*words)
    assert code == 2
    assert "would be lost" in stderr
    assert squares.path.read_bytes() == before


def test_an_empty_output_name_is_a_sentence(squares: Squares, finder: SquareFinder) -> None:
    code, _, stderr = run("ask", squares.path, "-q", QUESTION, "-o", "")
    assert code == 2
    assert ".gpkg" in stderr


def test_resume_inside_the_run_directory_writes_beside_it(
    squares: Squares, finder: SquareFinder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("ask", squares.path, "-q", QUESTION, "-o", tmp_path / "a.gpkg")
    monkeypatch.chdir(tmp_path / "a.run")
    code, stdout, _ = run("resume", ".")
    assert (code, stdout.splitlines()[-1]) == (0, str(tmp_path / "a.gpkg"))

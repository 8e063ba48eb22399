"""A result is made again from what it says of itself, and every deviation is named."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio

from groundproof.ask_options import AskOptions
from groundproof.audit import reaudit
from groundproof.deliver import merge_run
from groundproof.errors import RunError, UsageError
from groundproof.outputs import read, write
from groundproof.replay import replay
from groundproof.session import Session

from .conftest import Squares, write_squares
from .square_finder import SquareFinder

QUESTIONS = ("How many airplanes are there?", "Are there any ships?")


@pytest.fixture
def made(squares: Squares, finder: SquareFinder, tmp_path: Path) -> Path:
    """A result of two scenes and two questions. The second scene is not there."""
    other = write_squares(
        tmp_path / "other.tif", [(30, 30, 90, 80), (200, 210, 260, 250)], width=400, height=300
    )
    options = AskOptions(
        scenes=(str(squares.path), str(other.path), str(tmp_path / "gone.tif")), questions=QUESTIONS
    )
    with Session(options) as session:
        _, result = session.run(tmp_path / "made.run")
    write(result, tmp_path / "made.gpkg")
    return tmp_path / "made.gpkg"


def change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")  # they need a GIS's functions
        connection.execute(statement)


def test_an_untouched_result_is_made_again_in_all_three_ways(made: Path) -> None:
    found = replay(made, pixels=True, tiles=None, model=SquareFinder())
    assert found.same, found.sentences
    answers, pixels, model = found.checks
    result = read(made)
    assert (
        answers.compared
        == answers.equal
        == sum(result.count(t) for t in ("evidence", "answers", "tiles", "scenes"))
    )
    assert pixels.equal == result.tiles.window_px.map(tuple).groupby(result.tiles.scene).nunique().sum()
    assert model.equal == len(result.tiles)
    assert found.sentences[-1] == "The result was made again from its provenance."
    assert not list(made.parent.glob("*replay*"))


def test_a_sample_asks_whole_batches_and_always_the_same_ones(made: Path) -> None:
    few, again = (SquareFinder(), SquareFinder())
    one = replay(made, tiles=5, model=few).checks[-1]
    assert 5 <= one.compared < len(read(made).tiles)
    assert one.compared == few.answered
    assert replay(made, tiles=5, model=again).checks[-1] == one


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        (
            "UPDATE evidence SET label = 'ship' WHERE evidence_id = 'E2' AND answer_id = 'A1'",
            "evidence.label",
        ),
        ("UPDATE answers SET value = '99' WHERE answer_id = 'A1'", "answers.value"),
        ("DELETE FROM tiles WHERE fid = 3", "made now but not in the file"),
        ("UPDATE tiles SET tile_id = 'x' WHERE fid = 3", "not made again"),
        ("UPDATE scenes SET reason = 'none' WHERE status = 'failed'", "scenes.reason"),
        (
            "UPDATE evidence SET geom = (SELECT geom FROM evidence WHERE fid = 1) WHERE fid = 2",
            "evidence.geometry",
        ),
    ],
)
def test_what_somebody_changed_in_the_file_is_named(made: Path, statement: str, named: str) -> None:
    change(made, statement)
    found = replay(made)
    assert not found.same
    assert any(named in sentence for sentence in found.sentences), found.sentences
    assert found.sentences[-1] == "The result was not made again."


def test_what_an_analyst_reviewed_differs_for_a_good_reason(made: Path) -> None:
    change(made, "UPDATE evidence SET review = 'rejected' WHERE evidence_id = 'E1' AND answer_id = 'A1'")
    assert replay(made).same
    reviewed = reaudit(read(made))
    write(reviewed, made.with_name("reviewed.gpkg"))
    found = replay(made.with_name("reviewed.gpkg"))
    assert found.same, found.sentences
    assert any("an analyst reviewed" in sentence for sentence in found.sentences)
    change(made.with_name("reviewed.gpkg"), "UPDATE evidence SET quote = 'no' WHERE review = 'rejected'")
    assert not replay(made.with_name("reviewed.gpkg")).same


def test_a_result_merged_otherwise_is_made_again_as_it_was(made: Path) -> None:
    _, merged = merge_run(made.with_suffix(".run"), ios=1.0, out_crs="EPSG:4326")
    path = made.with_name("merged.gpkg")
    write(merged, path)
    assert len(merged.evidence) != len(read(made).evidence)
    assert replay(path).same


def test_a_changed_scene_and_other_pixels_are_told_apart_from_a_changed_file(
    made: Path, squares: Squares
) -> None:
    with rasterio.open(squares.path, "r+") as scene:
        scene.write(np.full((3, 50, 50), 90, dtype=np.uint8), window=((0, 50), (0, 50)))
    found = replay(made, pixels=True)
    assert found.checks[0].same
    assert not found.checks[1].same
    assert "was changed or replaced" in " ".join(found.sentences)
    assert found.checks[1].compared == len(read(made).tiles) // 2


def test_a_model_that_answers_otherwise_is_named(made: Path) -> None:
    class Silenced(SquareFinder):
        def say(self, *images: np.ndarray) -> str:
            return "<think><plan>None.</plan></think><answer>0</answer>"

    other = Silenced()
    other.identity = "another"
    model = replay(made, tiles=None, model=other).checks[-1]
    assert not model.same
    assert "given by square-finder; asked now was another" in model.deviations[0]
    assert "text" in model.deviations[1]
    assert model.equal < model.compared


def test_a_run_that_moved_with_its_result_is_found_and_one_that_is_gone_is_asked_for(
    made: Path, tmp_path: Path
) -> None:
    there = tmp_path / "there"
    there.mkdir()
    shutil.move(made, there / made.name)
    shutil.move(made.with_suffix(".run"), there / "made.run")
    assert replay(there / made.name).same
    shutil.move(there / "made.run", tmp_path / "elsewhere.run")
    with pytest.raises(RunError, match="--run-dir"):
        replay(there / made.name)
    assert replay(there / made.name, run_dir=tmp_path / "elsewhere.run").same


def test_another_run_is_no_provenance(
    made: Path, squares: Squares, finder: SquareFinder, tmp_path: Path
) -> None:
    with Session(AskOptions(scenes=(str(squares.path),), questions=QUESTIONS[:1])) as session:
        session.run(tmp_path / "b.run")
    found = replay(made, run_dir=tmp_path / "b.run")
    assert not found.same
    assert "another run" in found.sentences[1]


def test_other_versions_are_noted_and_what_is_no_result_is_refused(made: Path, tmp_path: Path) -> None:
    result = read(made)
    older = replace(result, metadata=result.metadata | {"versions": {"numpy": "1.0.0"}})
    write(older, tmp_path / "older.gpkg")
    found = replay(tmp_path / "older.gpkg")
    assert found.same
    assert "numpy 1.0.0 then" in " ".join(found.sentences)
    (tmp_path / "no.gpkg").write_text("no database")
    with pytest.raises(UsageError):
        replay(tmp_path / "no.gpkg")

"""`groundproof batch`: many scenes, good and bad, to one result; stopped and gone on with; told in numbers."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from affine import Affine

import groundproof.session as session_module
from groundproof.batch_summary import summarise
from groundproof.errors import ModelError
from groundproof.outputs import read
from groundproof.run import RunDirectory
from groundproof.tables import TABLES

from .conftest import BOXES, write_squares
from .square_finder import SquareFinder
from .test_cli import run

QUESTION = "How many airplanes are there?"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Five scenes: 1, 2, 3 and 5 squares; one that is no raster."""
    scenes = tmp_path / "scenes"
    scenes.mkdir()
    for number in (1, 2, 3, 5):
        write_squares(scenes / f"s{number}.tif", BOXES[:number])
    (scenes / "s4.tif").write_bytes(b"no raster at all")
    return scenes


def batch(folder: Path, *words: object, question: str = QUESTION) -> tuple[int, str, str]:
    out = folder.parent / "b.gpkg"
    return run("batch", f"{folder}/*.tif", "-q", question, "-o", out, *words)


def test_every_scene_has_its_answer_or_its_reason(folder: Path, finder: SquareFinder) -> None:
    code, stdout, stderr = batch(folder)
    out = folder.parent / "b.gpkg"
    assert (code, stdout.splitlines()[-1]) == (5, str(out))
    result = read(out)
    assert dict(zip(result.answers.scene, result.answers.value, strict=True)) == {
        "s1": 1, "s2": 2, "s3": 3, "s5": 5,
    }  # fmt: skip
    assert list(result.scenes.status) == ["ok", "ok", "ok", "failed", "ok"]
    assert "11 in all, in 4 of 4 answers" in stdout
    assert "5 scenes: 4 looked at, 1 failed" in stderr
    listed = list(csv.DictReader((folder.parent / "b.run" / "failed.csv").open()))
    assert [(row["scene"], row["status"]) for row in listed] == [("s4", "failed")]
    assert "s4.tif" in listed[0]["reason"]


def test_one_scene_gives_what_ask_gives(tmp_path: Path, finder: SquareFinder) -> None:
    scene = write_squares(tmp_path / "one.tif", BOXES).path
    run("ask", scene, "-q", QUESTION, "-o", tmp_path / "a.gpkg")
    run("batch", scene, "-q", QUESTION, "-o", tmp_path / "b.gpkg")
    a, b = read(tmp_path / "a.gpkg"), read(tmp_path / "b.gpkg")
    for name in TABLES:
        one, other = (getattr(each, name).drop(columns=["geometry"]) for each in (a, b))
        own = ["seconds"] if name == "tiles" else []
        pd.testing.assert_frame_equal(one.drop(columns=own), other.drop(columns=own))
        assert getattr(a, name).geometry.equals(getattr(b, name).geometry)


def test_several_questions_are_asked_of_each_tile_which_is_read_once(
    folder: Path, finder: SquareFinder, monkeypatch: pytest.MonkeyPatch
) -> None:
    from groundproof.scene import Scene

    reads = []
    read_window = Scene.read
    monkeypatch.setattr(Scene, "read", lambda *a, **k: (reads.append(a[1]), read_window(*a, **k))[1])
    (folder / "s4.tif").unlink()
    code, stdout, _ = batch(folder, "-q", "Are there any airplanes?", "--json")
    assert code == 0
    document = json.loads(stdout)
    assert [one["total"] for one in document["questions"]] == [11, None]
    assert document["questions"][1]["values"] == {"yes": 4}
    tiles = pd.concat(RunDirectory.open(folder.parent / "b.run").manifest.frames())
    assert sum(1 for window in reads if window.width <= 224) == len(tiles) / 2


def test_interrupted_the_same_command_goes_on_and_gives_the_same(folder: Path, finder: SquareFinder) -> None:
    batch(folder, "--fresh")
    whole = read(folder.parent / "b.gpkg")
    finder.answered, finder.die_after = 0, 21
    code, _, stderr = batch(folder, "--fresh")
    assert code == 130
    assert "groundproof resume" in stderr
    state = json.loads(run("status", folder.parent / "b.run", "--json")[1])
    assert 0 < state["answered"] < state["tiles"]
    assert (state["running"], state["scenes"]) == (False, {"ok": 4, "failed": 1})
    finder.die_after, finder.answered = None, 0
    assert batch(folder)[0] == 5
    assert finder.answered == state["tiles"] - state["answered"]
    again = read(folder.parent / "b.gpkg")
    pd.testing.assert_frame_equal(
        whole.evidence.drop(columns="geometry"), again.evidence.drop(columns="geometry")
    )
    assert not list((folder.parent / "b.run").rglob("*.tmp"))
    assert not (folder.parent / "b.run" / "result.spool").exists()


def test_a_model_that_dies_is_opened_again(
    folder: Path, finder: SquareFinder, monkeypatch: pytest.MonkeyPatch
) -> None:
    import groundproof.runners.local as local

    monkeypatch.setattr(local, "BACKOFF_S", 0.0)
    opened = []

    class Frail(SquareFinder):
        def generate(self, requests: Any) -> Any:
            for piece in super().generate(requests):
                if self.answered == 10 and len(opened) < 3:
                    raise ModelError("the engine died")
                yield piece

    monkeypatch.setattr(session_module, "open_model", lambda spec: opened.append(Frail()) or opened[-1])
    code, _, stderr = batch(folder)
    assert code == 5
    assert len(opened) == 3
    assert "opened again" in stderr
    assert sum(read(folder.parent / "b.gpkg").answers.value) == 11


def test_too_many_failures_stop_it_with_a_list_and_nothing_is_lost(
    folder: Path, finder: SquareFinder, monkeypatch: pytest.MonkeyPatch
) -> None:
    finder.confused_by = 3
    code, _, stderr = batch(folder, "--max-failed", "0.005")
    assert code == 5
    assert "more than --max-failed 0.005 allows (0)" in stderr
    assert not (folder.parent / "b.gpkg").exists()
    listed = list(csv.DictReader((folder.parent / "b.run" / "failed.csv").open()))
    assert [row["status"] for row in listed] == ["failed", "parse_error"]
    assert len(listed[1]["window_px"].split()) == 4
    answered = RunDirectory.open(folder.parent / "b.run").status().answered
    assert answered > 0
    code, _, _ = run("resume", folder.parent / "b.run", "--max-failed", "1")
    assert code == 5
    assert sum(read(folder.parent / "b.gpkg").answers.value) in (10, 11)


def test_a_list_brings_areas_and_dates(tmp_path: Path, finder: SquareFinder) -> None:
    write_squares(tmp_path / "a.tif", BOXES[:1], affine=Affine(1, 0, 443000, 0, -1, 4100000))
    write_squares(tmp_path / "b.tif", BOXES[:2], affine=Affine(1, 0, 443000, 0, -1, 4100000))
    write_squares(tmp_path / "c.tif", BOXES[:3], affine=Affine(1, 0, 443000, 0, -1, 4100000))
    (tmp_path / "list.csv").write_text(
        "scene,aoi,datetime\n"
        'a.tif,,2024-05-01T00:00:00Z\nb.tif,"443000,4099900,443100,4100000",\nc.tif,"500000,0,500100,100",\n'
    )
    code, _, _ = run("batch", tmp_path / "list.csv", "-q", QUESTION, "-o", tmp_path / "b.gpkg")
    result = read(tmp_path / "b.gpkg")
    assert code == 0
    assert list(result.answers.value) == [1, 1]
    assert list(result.scenes.status) == ["ok", "ok", "skipped"]
    assert str(result.scenes.datetime[0]).startswith("2024-05-01")


def test_a_part_of_the_scenes_is_the_same_part_every_time(folder: Path, finder: SquareFinder) -> None:
    (folder / "s4.tif").unlink()
    picked = []
    for _ in range(2):
        code, _, stderr = batch(folder, "--sample", "2", "--fresh")
        assert (code, "2 of 4 scenes" in stderr) == (0, True)
        picked.append(list(read(folder.parent / "b.gpkg").scenes.scene))
    assert picked[0] == picked[1]
    assert len(picked[0]) == 2


def test_a_dry_run_needs_no_output_and_names_what_cannot_be_used(folder: Path, finder: SquareFinder) -> None:
    code, stdout, stderr = run("batch", folder, "-q", QUESTION, "--dry-run")
    assert code == 0
    assert "4 of 5 scenes" in stdout
    assert "s4" in stderr
    assert sorted(path.name for path in folder.parent.iterdir()) == ["scenes"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-q", QUESTION], "--run-dir DIR"),
        (["-q", QUESTION, "-o", "{dir}/b.gpkg", "--max-failed", "2"], "is no share"),
        (["-q", QUESTION, "-o", "{dir}/b.gpkg", "--on", "dask"], "local or ray"),
        (["-q", QUESTION, "-o", "{dir}/b.gpkg", "--workers", "2"], "--on ray"),
        (["-q", QUESTION, "-o", "{dir}/b.xyz"], "Allowed are"),
        (["-q", "", "-o", "{dir}/b.gpkg"], "question"),
    ],
)
def test_mistakes_end_with_a_sentence(
    folder: Path, finder: SquareFinder, words: list[str], said: str
) -> None:
    code, _, stderr = run("batch", folder, *(word.format(dir=folder.parent) for word in words))
    assert code == 2
    assert said in stderr


def test_the_summary_counts_what_the_tables_hold(folder: Path, finder: SquareFinder) -> None:
    finder.confused_by = 3
    batch(folder, "-q", "Are there any ships?")
    result = read(folder.parent / "b.gpkg")
    found = summarise(result)
    assert sum(found.tiles.values()) == len(result.tiles)
    assert found.failed_tiles == 1
    assert found.evidence == len(result.evidence)
    assert found.questions[0].total == sum(v for v in result.answers.value[::2] if v is not None)


def test_merged_again_without_the_model_and_replayed(folder: Path, finder: SquareFinder) -> None:
    batch(folder)
    out = folder.parent / "b.gpkg"
    finder.answered = 0
    code, stdout, _ = run("merge", folder.parent / "b.run", "-o", folder.parent / "c.gpkg", "--ios", "0.9")
    assert (code, stdout.splitlines()[-1]) == (5, str(folder.parent / "c.gpkg"))
    assert sum(read(folder.parent / "c.gpkg").answers.value) >= 11
    assert not list(folder.parent.glob(".*spool"))
    code, stdout, _ = run("replay", out, "--pixels")
    assert (code, "made again" in stdout) == (0, True)
    (folder / "s1.tif").unlink()
    code, stdout, _ = run("replay", out, "--pixels", "--json")
    assert (code, json.loads(stdout)["same"]) == (1, False)
    assert finder.answered == 0


def test_a_stac_item_and_a_folder_of_parts(folder: Path, finder: SquareFinder) -> None:
    import geopandas as gpd

    code, stdout, _ = run("batch", folder, "-q", QUESTION, "-o", folder.parent / "parts/")
    assert (code, stdout.splitlines()[-1].rstrip("/")) == (5, str(folder.parent / "parts"))
    parts = sorted((folder.parent / "parts" / "evidence").glob("*.parquet"))
    assert sum(len(gpd.read_parquet(part)) for part in parts) == 11
    item = json.loads((folder.parent / "parts.stac.json").read_text())
    assert item["type"] == "Feature"
    assert item["properties"]["mlm:name"] == "square-finder"
    assert run("status", folder.parent / "parts.run")[0] == 0


def test_the_summary_has_a_row_for_what_was_not_looked_at(folder: Path, finder: SquareFinder) -> None:
    cut = folder / "cut.tif"
    cut.write_bytes((folder / "s5.tif").read_bytes()[:1200])
    _, stdout, stderr = batch(folder, "--summary", folder.parent / "b.csv")
    rows = {row["scene"]: row for row in csv.DictReader((folder.parent / "b.csv").open())}
    assert sorted(rows) == ["cut", "s1", "s2", "s3", "s4", "s5"]
    assert (rows["s4"]["value"], rows["s4"]["coverage"]) == ("", "not looked at")
    assert rows["cut"]["value"] == ""
    assert "6 scenes: 4 looked at, 2 failed" in stderr
    assert "11 boxes" in stdout

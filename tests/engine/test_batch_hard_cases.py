"""`groundproof batch` where something is wrong beside the work: options, names, scenes that go, two at a time."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import groundproof.duplicates as duplicates
import groundproof.planning as planning
from groundproof.datasets import without_secrets
from groundproof.outputs import read
from groundproof.run import RunDirectory
from groundproof.run_files import FAILED_LIST, locked
from groundproof.runners.ray_cluster import _own_sigterm

from .conftest import BOXES, write_squares
from .square_finder import SquareFinder
from .test_batch import QUESTION, batch, folder  # noqa: F401 - a fixture
from .test_cli import run


def test_a_share_that_is_none_leaves_the_run_as_it_was(folder: Path, finder: SquareFinder) -> None:  # noqa: F811
    batch(folder)
    code, _, stderr = run("resume", folder.parent / "b.run", "--max-failed", "5")
    assert (code, "is no share" in stderr) == (2, True)
    assert RunDirectory.open(folder.parent / "b.run").config.max_failed == 1


@pytest.mark.parametrize("words", [("-q", "What has changed?"), ("-q", "What is this?", "--task", "change")])
def test_a_batch_does_not_take_places_for_dates(
    folder: Path,  # noqa: F811
    finder: SquareFinder,
    words: tuple[str, ...],
) -> None:
    code, _, stderr = run("batch", folder, *words, "-o", folder.parent / "b.gpkg")
    assert (code, finder.answered) == (2, 0)
    assert "every scene by itself" in stderr
    assert not (folder.parent / "b.run").exists()


def test_a_kill_while_it_is_planned_afresh_is_gone_on_with(
    folder: Path,  # noqa: F811
    finder: SquareFinder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert batch(folder)[0] == 5
    directory = folder.parent / "b.run"
    assert (directory / FAILED_LIST).exists()
    (directory / "result.spool").mkdir()  # of a kill while an earlier result was made
    with monkeypatch.context() as patched:
        patched.setattr(RunDirectory, "_write_plan", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        assert batch(folder, "--fresh")[0] == 130
    assert not (directory / "run.toml").exists()
    assert not (directory / FAILED_LIST).exists()
    code, _, stderr = batch(folder)
    assert code == 5, stderr


def test_two_do_not_plan_in_the_same_place(tmp_path: Path, finder: SquareFinder) -> None:
    scene = write_squares(tmp_path / "one.tif", BOXES).path
    directory = tmp_path / "b.run"
    (directory / "answers").mkdir(parents=True)
    with locked(directory):
        code, _, stderr = run("batch", scene, "-q", QUESTION, "-o", tmp_path / "b.gpkg")
    assert (code, "Another process" in stderr) == (2, True)
    assert not (directory / "run.toml").exists()


@pytest.mark.parametrize("second_look", [False, True])
def test_a_scene_that_goes_before_the_later_passes_costs_its_own_answer_alone(
    folder: Path,  # noqa: F811
    finder: SquareFinder,
    second_look: bool,
) -> None:
    question = QUESTION if second_look else "Describe the image."
    assert batch(folder, question=question)[0] == 5
    for part in (folder.parent / "b.run" / "answers").glob("overview-*"):
        part.unlink()
    (folder / "s2.tif").unlink()
    if second_look:
        run_ = RunDirectory.open(folder.parent / "b.run")
        run_.adopt(run_.config.model_copy(update={"second_look": True}))
    code, _, stderr = run("resume", folder.parent / "b.run", "-o", folder.parent / "b.gpkg")
    assert code == 5, stderr
    assert {"s1", "s3", "s5"} <= set(read(folder.parent / "b.gpkg").answers.scene)


def test_resume_writes_where_the_batch_would_have(tmp_path: Path, finder: SquareFinder) -> None:
    scene = write_squares(tmp_path / "one.tif", BOXES).path
    other = tmp_path / "harbours.gpkg"
    other.write_bytes(b"of the run harbours")
    for words in (("batch", scene, "-q", QUESTION, "--run-dir"), ("resume",)):
        code, stdout, _ = run(*words, tmp_path / "harbours.v2")
        assert (code, stdout.splitlines()[-1]) == (0, str(tmp_path / "harbours.v2.gpkg"))
    assert other.read_bytes() == b"of the run harbours"


def test_another_list_of_scenes_is_told_in_a_sentence(folder: Path, finder: SquareFinder) -> None:  # noqa: F811
    batch(folder)
    (folder / "s3.tif").rename(folder / "s6.tif")
    code, _, stderr = batch(folder)
    assert code == 2
    assert "scenes were 5, are 5: 1 new, 1 gone" in stderr
    assert "s6.tif" in stderr
    assert "s1.tif" not in stderr


def test_secrets_of_an_address_are_in_no_name_and_no_reason() -> None:
    row = planning._failed_row("https://u:pw@host/a.b.tif?sig=SECRET/x.y", "gone", outside=False)
    assert row["scene"] == "a.b"
    for before in ("", "/vsicurl/", "/vsizip//vsicurl/"):
        assert without_secrets(f"{before}https://u:pw@host/a.tif?sig=S") == f"{before}https://host/a.tif"
    assert without_secrets("/vsis3/bucket/a.tif") == "/vsis3/bucket/a.tif"


def test_a_name_that_is_no_text_is_a_failed_scene(folder: Path, finder: SquareFinder) -> None:  # noqa: F811
    odd = os.fsdecode(bytes(folder) + b"/\xff\n=1+1.tif")
    (folder / "s1.tif").rename(odd)
    code, stdout, stderr = run("batch", folder, "-q", QUESTION, "-o", folder.parent / "b.gpkg", "--json")
    document = json.loads(stdout)
    assert code == 5, stderr
    assert document["scenes"]["failed"] == 2


def test_a_polite_stop_made_before_ray_comes_is_kept() -> None:
    def ours(_signal: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, ours)
    try:
        with _own_sigterm():
            signal.signal(signal.SIGTERM, lambda *_: None)  # as ray.init does
        assert signal.getsignal(signal.SIGTERM) is ours
    finally:
        signal.signal(signal.SIGTERM, before)


def test_nothing_but_nodata_is_a_result(tmp_path: Path, finder: SquareFinder) -> None:
    import numpy as np
    import rasterio

    scene = write_squares(tmp_path / "one.tif", BOXES).path
    with rasterio.open(scene, "r+") as target:
        target.write(np.zeros((3, 500, 700), np.uint8))
        target.nodata = 0
    code, stdout, stderr = run("batch", scene, "-q", QUESTION, "-o", tmp_path / "b.gpkg", "--json")
    assert code == 0, stderr
    assert json.loads(stdout)["evidence"] == 0
    assert finder.answered == 0


@pytest.mark.parametrize("words", [("--summary", "list.csv"), ("--out", "list.geojson")])
def test_what_names_the_scenes_is_not_replaced(
    folder: Path,  # noqa: F811
    finder: SquareFinder,
    words: tuple[str, str],
) -> None:
    named = folder.parent / words[1]
    box = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}
    item = {"type": "Feature", "properties": {"location": str(folder / "s1.tif")}, "geometry": box}
    collection = json.dumps({"type": "FeatureCollection", "features": [item]})
    text = f"scene\n{folder / 's1.tif'}\n" if named.suffix == ".csv" else collection
    named.write_text(text)
    out = ("-o", folder.parent / "b.gpkg") if words[0] == "--summary" else ("--run-dir", folder.parent / "r")
    code, _, stderr = run("batch", named, "-q", QUESTION, *out, words[0], named)
    assert (code, "would be lost" in stderr) == (2, True), stderr
    assert named.read_text() == text


def test_the_run_directory_is_no_place_for_the_result(folder: Path, finder: SquareFinder) -> None:  # noqa: F811
    code, _, stderr = run(
        "batch", folder, "-q", QUESTION, "--run-dir", folder.parent / "r", "-o", f"{folder.parent / 'r'}/"
    )
    assert (code, finder.answered) == (2, 0)
    assert "is the run directory" in stderr


def test_asking_again_loses_no_answer(folder: Path, finder: SquareFinder) -> None:  # noqa: F811
    finder.max_in_flight = 64
    batch(folder)
    directory = RunDirectory.open(folder.parent / "b.run")
    (part,) = (directory.path / "answers").glob("batch-*.parquet")
    before = pq.read_table(part)
    rows = before.to_pylist()
    rows[0] |= {"status": "read_error", "text": "", "error": "the network drive was gone"}
    pq.write_table(pa.Table.from_pylist(rows, before.schema), part)
    (folder / "s2.tif").rename(folder / "away")
    assert run("resume", directory.path, "-o", folder.parent / "b.gpkg")[0] == 5
    after = pq.read_table(part)
    for name in ("seq", "status", "text", "pixels_hash"):
        assert after[name].to_pylist() == before[name].to_pylist()
    assert set(after["attempts"].to_pylist()) == {2}


def test_files_that_begin_alike_are_read_once_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[str] = []
    digest = duplicates._digest
    monkeypatch.setattr(duplicates, "_digest", lambda path: (reads.append(path.name), digest(path))[1])
    seen = duplicates.SeenFiles()
    for number in range(20):
        path = tmp_path / f"{number}"
        path.write_bytes(bytes([number % 19]))
        assert seen.earlier(str(path), "1-2-3", None, path.name) == ("0" if number == 19 else None)
    assert sorted(reads) == sorted(map(str, range(20)))

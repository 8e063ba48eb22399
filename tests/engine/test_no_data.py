"""Boxes on ground where the image holds no data: not counted where wholly so, named in the audit where mostly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import rasterio

import groundproof
from groundproof.audit import no_data, reaudit
from groundproof.boxes import BoxFrame, ModelBox, PixelBox, Tile, Window
from groundproof.data_cells import pack, share_without_data
from groundproof.deliver import merge_run
from groundproof.protocol import Finding, count_trace
from groundproof.run import RunDirectory

from .conftest import write_squares
from .square_finder import SquareFinder

BOXES = [(20, 20, 60, 60), (80, 100, 180, 120), (150, 20, 190, 60)]
"""On data; mostly without (the right half of the scene holds none); wholly without."""


@pytest.fixture
def half(tmp_path: Path) -> Path:
    path = write_squares(tmp_path / "half.tif", [], width=224, height=224).path
    with rasterio.open(path, "r+") as scene:
        scene.nodata = 0
        pixels = scene.read()
        pixels[:, :, 112:] = 0
        scene.write(pixels)
    return path


def sees(finder: SquareFinder, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [Finding("airplane", ModelBox(*(v / 0.224 for v in box)), "") for box in BOXES]
    words = count_trace("Scan.", found, BoxFrame.PER_MILLE, ("airplane",))
    monkeypatch.setattr(finder, "say", lambda *images: words)


def of_kind(answer: Any, kind: str) -> list[tuple[str, list[str]]]:
    return [(f["severity"], f["evidence"]) for f in answer["audit"] if f["kind"] == kind]


def test_a_box_where_the_image_holds_nothing_is_no_object(
    half: Path, finder: SquareFinder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sees(finder, monkeypatch)
    answer = groundproof.ask(half, "How many airplanes are there?", run_dir=tmp_path / "a.run")
    assert answer.value == 2
    by_place = {
        round(box[0]): verdict
        for box, verdict in zip(answer.evidence.box_px, answer.evidence.verdict, strict=True)
    }
    assert by_place == {20: "unchecked", 80: "unchecked", 150: "out-of-frame"}
    row = answer.answers.iloc[0]
    assert of_kind(row, "no-data") == [("warning", ["E2"])]
    assert of_kind(row, "out-of-frame") == [("info", ["E3"])]
    again = merge_run(tmp_path / "a.run")[1]
    assert of_kind(again.answers.iloc[0], "no-data") == [("warning", ["E2"])]
    assert of_kind(reaudit(again).answers.iloc[0], "no-data") == [("warning", ["E2"])]
    again.evidence.loc[again.evidence.evidence_id == "E2", "review"] = "rejected"
    assert not of_kind(reaudit(again).answers.iloc[0], "no-data")


def test_answers_of_an_earlier_version_know_no_cells_and_are_read(
    half: Path, finder: SquareFinder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sees(finder, monkeypatch)
    groundproof.ask(half, "How many airplanes are there?", run_dir=tmp_path / "a.run")
    for part in (tmp_path / "a.run" / "answers").glob("batch-*.parquet"):
        pq.write_table(pq.read_table(part).drop_columns(["valid_cells"]), part)
    assert RunDirectory.open(tmp_path / "a.run").answers().valid_cells.tolist() == [None]
    assert merge_run(tmp_path / "a.run")[1].answers.value.tolist() == [3]


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_the_share_without_data_is_that_of_the_pixels(scale: float) -> None:
    side = int(112 * scale)
    tile = Tile(0, Window(100, 200, 112, 112), side, side)
    valid = np.zeros((side, side), dtype=bool)
    valid[:, : side // 2] = True  # to column 156 of the scene
    if scale == 0.5:
        valid[:, 24:] = False  # cells of 8 px: to column 148
    edge = 156 if scale == 1.0 else 148
    cells = pack(valid)
    assert share_without_data(PixelBox(101, 201, 120, 220), tile, cells) == 0.0
    assert share_without_data(PixelBox(edge + 4, 201, edge + 20, 220), tile, cells) == 1.0
    assert share_without_data(PixelBox(edge - 5, 201, edge + 15, 220), tile, cells) == pytest.approx(0.75)
    # Beyond the tile nothing is known: only its part inside can be without data.
    assert share_without_data(PixelBox(202, 201, 222, 221), tile, cells) == pytest.approx(0.5)


def test_one_valid_pixel_makes_a_cell_hold_data() -> None:
    valid = np.zeros((28, 28), dtype=bool)
    valid[20, 20] = True
    tile = Tile(0, Window(0, 0, 28, 28), 28, 28)
    assert share_without_data(PixelBox(17, 17, 23, 23), tile, pack(valid)) == 0.0
    assert share_without_data(PixelBox(1, 1, 15, 15), tile, pack(valid)) == 1.0
    with pytest.raises(ValueError, match="cells"):
        share_without_data(PixelBox(1, 1, 15, 15), tile, b"1234567")


def test_no_box_no_finding() -> None:
    assert no_data([]) is None

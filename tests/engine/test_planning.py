"""Many scenes, good and bad, become a plan: each a row with its reason, tiles in full batches."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import rasterio
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st

from groundproof.ask_options import AskOptions
from groundproof.errors import AoiError, SceneError
from groundproof.manifest import GROUP_ROWS, MANIFEST, Manifest, write_manifest
from groundproof.run import RunDirectory
from groundproof.session import Session

from .conftest import BOXES, write_squares
from .square_finder import SquareFinder

QUESTION = "How many airplanes are there?"


def planned(tmp_path: Path, *scenes: Path | str, **options: object) -> RunDirectory:
    asked = AskOptions(tuple(str(one) for one in scenes), (QUESTION,), **options)  # type: ignore[arg-type]
    with Session(asked) as session:
        run, _ = session.run(tmp_path / "a.run")
    return run


def test_bad_scenes_among_good_ones_are_rows_with_their_reason(tmp_path: Path, finder: SquareFinder) -> None:
    good = write_squares(tmp_path / "good.tif", BOXES[:1]).path
    (tmp_path / "corrupt.tif").write_bytes(b"II*\0 not a raster")
    (tmp_path / "empty.tif").touch()
    bare = write_squares(tmp_path / "bare.tif", BOXES, crs=None).path
    grey = tmp_path / "grey.tif"
    with rasterio.open(
        grey, "w", driver="GTiff", width=300, height=300, count=1, dtype="uint8", crs="EPSG:32631",
        transform=Affine(0.5, 0, 443000, 0, -0.5, 4100000),
    ) as target:  # fmt: skip
        target.write(np.full((1, 300, 300), 40, dtype=np.uint8))
    copy = Path(shutil.copy(good, tmp_path / "copy.tif"))
    other_crs = write_squares(tmp_path / "other.tif", BOXES[:2], crs="EPSG:32632").path
    run = planned(
        tmp_path,
        *(tmp_path / "corrupt.tif", good, tmp_path / "empty.tif", bare, grey, good, copy, other_crs),
        *(tmp_path / "gone.tif", "http://127.0.0.1:9/none.tif"),
        bands=(1, 2, 3),
    )
    rows = pd.DataFrame(run.scenes)
    assert list(rows.status) == ["failed", "ok", *["failed"] * 5, "ok", "failed", "failed"]
    reasons = dict(zip(rows.scene, rows.reason, strict=True))
    assert "coordinate reference system" in reasons["bare"] or "georeference" in reasons["bare"]
    assert "--bands 1,2,3 does not fit" in reasons["grey"]
    assert "same file as the scene good" in reasons["good (2)"]
    assert "same file as the scene good" in reasons["copy"]
    assert all(isinstance(r, str) for s, r in reasons.items() if s not in ("good", "other"))
    assert rows.scene.is_unique


def test_a_scene_outside_the_area_is_skipped_and_an_area_that_is_none_stops_all(
    tmp_path: Path, finder: SquareFinder
) -> None:
    near = write_squares(tmp_path / "near.tif", BOXES).path
    far = write_squares(tmp_path / "far.tif", BOXES, affine=Affine(0.5, 0, 600000, 0, -0.5, 4100000)).path
    run = planned(tmp_path, near, far, aoi="443000,4099900,443200,4100000")
    assert [row["status"] for row in run.scenes] == ["ok", "skipped"]
    with pytest.raises(AoiError, match="neither a file"):
        planned(tmp_path / "b", near, far, aoi="no-such-file.gpkg")


def test_when_no_scene_can_be_used_every_reason_is_said(tmp_path: Path, finder: SquareFinder) -> None:
    with pytest.raises(SceneError, match=r"(?s)None of the 2 scenes.*one\.tif.*two\.tif"):
        planned(tmp_path, tmp_path / "one.tif", tmp_path / "two.tif")


def test_small_scenes_share_batches_and_the_questions_about_a_tile_share_one(
    tmp_path: Path, finder: SquareFinder
) -> None:
    scenes = [
        write_squares(tmp_path / f"{n}.tif", [(20, 20 + n, 60, 70)], width=200, height=200).path
        for n in range(7)
    ]
    asked = AskOptions(
        tuple(map(str, scenes)), (QUESTION, "Are there any ships?", "How many ships are there?")
    )
    finder.max_in_flight = 7
    with Session(asked) as session:
        run, result = session.run(tmp_path / "a.run")
    rows = pd.concat(run.manifest.frames())
    tiles = rows.groupby(["scene", "tile"]).batch_id
    assert (tiles.min() == tiles.max()).all()
    assert list(rows.groupby("batch_id").size()) == [6, 6, 6, 3]
    assert list(result.answers.answer_id) == [f"A{n}" for n in range(1, 22)]
    assert list(result.answers.value[::3]) == [1] * 7


@given(
    lengths=st.lists(st.integers(0, 3), max_size=12),
    batch_of=st.integers(1, 5),
    picked=st.sets(st.integers(0, 30)),
)
def test_batches_are_read_as_a_whole_table_would_give_them(
    lengths: list[int], batch_of: int, picked: set[int]
) -> None:
    import tempfile

    batches: list[int] = []
    asked = 0
    for n, length in enumerate(lengths):
        for _ in range(length * GROUP_ROWS // 3):
            if n % 3 == 2:
                batches.append(-1)
            else:
                batches.append(asked // (batch_of * 1500))
                asked += 1
    table = pa.table(
        {
            field.name: pa.array(batches, field.type)
            if field.name == "batch_id"
            else pa.array(
                ["x"] * len(batches) if field.type == pa.string() else [0] * len(batches), field.type
            )
            for field in MANIFEST
            if field.name != "seq"
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "manifest.parquet"
        write_manifest(path, [table.slice(at, 1000) for at in range(0, len(table), 1000)])
        manifest, whole = Manifest(path), pq.read_table(path).to_pandas()
        assert manifest.rows == len(batches)
        assert manifest.batches == max(batches, default=-1) + 1
        found = {batch: list(rows.seq) for batch, rows in manifest.of_batches(sorted(picked))}
        expected = {
            batch: list(rows.seq)
            for batch, rows in whole[whole.batch_id.isin(picked)].groupby("batch_id")
            if batch >= 0
        }
        assert found == expected

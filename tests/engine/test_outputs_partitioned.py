"""Results as folders of GeoParquet: whole, sorted along the curve, and read by others' readers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
import shapely

from groundproof.errors import OutputError, UsageError
from groundproof.outputs import Spool, check, partitioned, read, write
from groundproof.outputs import spool as spool_module
from groundproof.tables import TABLES, Result
from tests.engine import outputs_samples as samples


def scattered(n: int = 500, crs=samples.UTM) -> Result:
    """Boxes in no order, two of them without a place, and tiles on a grid."""
    rng = np.random.default_rng(4)
    at = rng.uniform(0, 10_000, (n, 2))
    evidence = [
        samples.evidence_row(i, geometry=shapely.box(5e5 + x, 4e6 + y, 5e5 + x + 9, 4e6 + y + 6))
        for i, (x, y) in enumerate(at)
    ]
    evidence[3]["geometry"] = evidence[7]["geometry"] = None
    evidence[5] |= {"quote": "nul\x00", "parents": [], "text_start": None}
    tiles = [
        samples.tile_row(
            i, geometry=shapely.box(*(c := (5e5 + i % 13 * 800, 4e6 + i // 13 * 800)), c[0] + 800, c[1] + 800)
        )
        for i in rng.permutation(150)
    ]
    answers = [samples.answer_row(answer_id=f"A{i + 1}") for i in range(23)]
    return samples.result(crs=crs, evidence=evidence, answers=answers, tiles=tiles)


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr(partitioned, "ROWS_PER_PART", 60)
    monkeypatch.setattr(partitioned, "ROW_GROUP", 16)
    monkeypatch.setattr(partitioned, "OPEN_FILES", 3)
    monkeypatch.setattr(spool_module, "CHUNK_ROWS", 37)


@pytest.fixture
def folder(tmp_path, small_parts):
    write(scattered(), tmp_path / "out")
    return tmp_path / "out"


def test_every_row_is_there_once_in_parts_of_bounded_size(folder):
    result = scattered()
    for name, keys in {
        "evidence": ["evidence_id"],
        "answers": ["answer_id"],
        "tiles": ["tile_id"],
        "scenes": ["scene"],
    }.items():
        files = sorted((folder / name).iterdir())
        assert [f.name for f in files] == [f"part-{i:05d}.parquet" for i in range(len(files))]
        sizes = [pq.read_metadata(f).num_rows for f in files]
        assert sizes == [60] * (result.count(name) // 60) + [result.count(name) % 60] * (
            result.count(name) % 60 > 0
        )
        got = gpd.read_parquet(folder / name).sort_values(keys).reset_index(drop=True)
        want = getattr(result, name).sort_values(keys).reset_index(drop=True)
        assert got.crs == want.crs
        assert list(got[keys[0]]) == list(want[keys[0]])
        for a, b in zip(got.geometry, want.geometry, strict=True):
            assert a == b or a.equals(b)
    whole = gpd.read_parquet(folder / "evidence").set_index("evidence_id")
    assert [list(v) for v in whole.loc[["E2", "E9"], "box_px"]] == [
        [10, 4.5, 18.25, 11],
        [80, 36, 88.25, 42.5],
    ]
    assert whole.quote["E6"] == "nul\ufffd"


@pytest.mark.parametrize("name", ["evidence", "tiles"])
def test_rows_lie_along_geopandas_own_curve_over_the_whole_table(folder, name):
    rows = pd.concat([gpd.read_parquet(f) for f in sorted((folder / name).iterdir())], ignore_index=True)
    placed = rows[~rows.geometry.isna()]
    along = placed.geometry.hilbert_distance(total_bounds=placed.total_bounds).to_numpy()
    assert (np.diff(along.astype(np.int64)) >= 0).all()
    assert list(rows.index[rows.geometry.isna()]) == list(range(len(placed), len(rows)))
    # It is worth something: the parts together are hardly larger than the whole.
    boxes = [shapely.box(*gpd.read_parquet(f).total_bounds).area for f in sorted((folder / name).iterdir())]
    assert sum(boxes) < 2.5 * shapely.box(*placed.total_bounds).area


def test_a_filter_by_place_gives_the_rows_of_a_plain_loop_and_skips_row_groups(folder):
    whole = scattered().evidence
    window = (500_000.0, 4_000_000.0, 502_500.0, 4_001_500.0)
    want = {
        e
        for e, g in zip(whole.evidence_id, whole.geometry, strict=True)
        if g is not None and shapely.box(*window).intersects(g)
    }
    assert len(want) > 8
    assert set(gpd.read_parquet(folder / "evidence", bbox=window).evidence_id) == want
    hits = (
        (ds.field("bbox", "xmin") <= window[2])
        & (ds.field("bbox", "xmax") >= window[0])
        & (ds.field("bbox", "ymin") <= window[3])
        & (ds.field("bbox", "ymax") >= window[1])
    )
    data = ds.dataset(folder / "evidence")
    assert set(data.to_table(columns=["evidence_id"], filter=hits)["evidence_id"].to_pylist()) == want
    groups = [g for f in data.get_fragments() for g in f.split_by_row_group()]
    kept = [g for f in data.get_fragments() for g in f.split_by_row_group(hits)]
    assert len(groups) == sum(-(-pq.read_metadata(f).num_rows // 16) for f in (folder / "evidence").iterdir())
    assert len(kept) < len(groups) / 3


def test_the_files_say_what_geoparquet_asks_for(folder):
    for name in TABLES:
        for file in (folder / name).iterdir():
            kept = pq.read_metadata(file).metadata
            geo = json.loads(kept[b"geo"])
            column = geo["columns"][geo["primary_column"]]
            assert geo["version"] == "1.1.0"
            assert column["covering"]["bbox"]["ymax"] == ["bbox", "ymax"]
            bounds = gpd.read_parquet(file).total_bounds
            assert column["bbox"] == list(bounds)
            assert (b"groundproof" in kept) == (file.name == "part-00000.parquet")
    metadata = json.loads(ds.dataset(folder / "evidence").schema.metadata[b"groundproof"])
    assert metadata == samples.METADATA | {"replaced_characters": {"evidence.quote": 1}}


def test_a_folder_is_read_back_and_can_be_written_again(folder, tmp_path):
    back = read(folder)
    assert back.crs == samples.UTM
    assert back.metadata["model"] == "tiny"
    assert {n: back.count(n) for n in TABLES} == {n: scattered().count(n) for n in TABLES}
    assert back.answers.coverage[0] == scattered().answers.coverage[0]
    assert back.tiles.window_px[0] == scattered().tiles.set_index("tile_id").window_px[back.tiles.tile_id[0]]
    write(back, tmp_path / "out.gpkg")
    again = read(tmp_path / "out.gpkg")
    assert list(again.evidence.parents) == list(back.evidence.parents)


@pytest.mark.parametrize("crs", [samples.UTM, None])
def test_an_empty_result_and_one_in_pixels_are_folders_too(tmp_path, crs):
    for name, result in (("empty", samples.empty(crs)), ("some", samples.result(crs=crs))):
        made = write(result, f"{tmp_path}/{name}/")
        assert made == [tmp_path / name, *(tmp_path / name / t / "part-00000.parquet" for t in TABLES)]
        back = read(tmp_path / name)
        assert back.crs == crs
        assert {n: back.count(n) for n in TABLES} == {n: result.count(n) for n in TABLES}
        assert str(pq.read_schema(made[1]).field("box_px").type).startswith("list<")


def test_a_folder_from_disk_is_the_one_from_memory(tmp_path, small_parts):
    result = scattered()
    with Spool(tmp_path / "spool", result.crs) as spool:
        spool.metadata = result.metadata
        for name in TABLES:
            spool.add(name, getattr(result, name))
        write(spool, tmp_path / "disk")
    write(result, tmp_path / "memory")
    files = [p.relative_to(tmp_path / "disk") for p in sorted((tmp_path / "disk").rglob("*.parquet"))]
    assert files == [
        p.relative_to(tmp_path / "memory") for p in sorted((tmp_path / "memory").rglob("*.parquet"))
    ]
    for file in files:
        assert (tmp_path / "disk" / file).read_bytes() == (tmp_path / "memory" / file).read_bytes()


def test_long_texts_make_smaller_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(partitioned, "PART_BYTES", 100_000)
    tiles = [samples.tile_row(i, text="x" * 10_000) for i in range(40)]
    write(samples.result(tiles=tiles), tmp_path / "out")
    sizes = [pq.read_metadata(f).num_rows for f in sorted((tmp_path / "out" / "tiles").iterdir())]
    assert sum(sizes) == 40
    assert max(sizes) <= 10


def test_a_new_result_replaces_the_old_one_and_never_mixes(folder):
    assert len(list((folder / "evidence").iterdir())) == 9
    check(folder)
    write(samples.result(3), folder)
    assert [p.name for p in (folder / "evidence").iterdir()] == ["part-00000.parquet"]
    assert len(read(folder).evidence) == 3
    assert [p.name for p in folder.parent.iterdir()] == ["out"]


@pytest.mark.parametrize("what", ["thesis.docx", "evidence/notes.txt", "evidence/part-00000.parquet"])
def test_a_folder_that_is_something_else_is_not_touched(tmp_path, what):
    (tmp_path / "out" / "evidence").mkdir(parents=True)
    (tmp_path / "out" / what).write_text("three years of work")
    for act in (check, lambda path: write(samples.result(), path)):
        with pytest.raises(OutputError, match=r"so it is not replaced\. Give the name of a new folder"):
            act(tmp_path / "out")
    assert (tmp_path / "out" / what).read_text() == "three years of work"
    with pytest.raises(UsageError, match="is not a result of groundproof"):
        read(tmp_path / "out")


def test_a_file_in_the_way_is_said(tmp_path):
    (tmp_path / "out").write_text("x")
    with pytest.raises(OutputError, match="out is a file, and a folder of this name was asked for"):
        write(samples.result(), tmp_path / "out")


def test_a_write_that_fails_leaves_the_old_folder_and_nothing_else(folder, monkeypatch):
    before = {p: p.read_bytes() for p in folder.rglob("*.parquet")}

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(partitioned, "sync", full)
    with pytest.raises(OutputError, match="no space is left on the disk"):
        write(samples.result(), folder)
    assert {p: p.read_bytes() for p in folder.rglob("*.parquet")} == before
    assert [p.name for p in folder.parent.iterdir()] == ["out"]


PEAK = """
import resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import numpy as np, shapely
from groundproof.outputs import Spool, write
from tests.engine import outputs_samples as samples

chunk = samples.frame("evidence", [samples.evidence_row(i) for i in range(5_000)], samples.UTM)
folder, rng = Path(sys.argv[2]), np.random.default_rng(0)
with Spool(folder / "spool", samples.UTM) as spool:
    for _ in range(int(sys.argv[3])):
        x, y = rng.uniform(0, 1e5, (2, len(chunk)))
        spool.add("evidence", chunk.set_geometry(shapely.box(x, y, x + 9, y + 9), crs=samples.UTM))
    write(spool, folder / "out")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_result(tmp_path):
    def peak(chunks: int) -> float:
        (tmp_path / str(chunks)).mkdir()
        command = [
            sys.executable,
            "-c",
            PEAK,
            str(Path(__file__).parents[2]),
            str(tmp_path / str(chunks)),
            str(chunks),
        ]
        return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    # 300,000 more rows are some 900 MB as Python objects; both results have more than one part.
    assert peak(100) - peak(40) < 60

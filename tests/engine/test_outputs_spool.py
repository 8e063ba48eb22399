"""The spool: what comes out is what went in, in bounded pieces, and nothing stays behind."""

from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from groundproof.errors import OutputError
from groundproof.outputs import spool as spool_module
from groundproof.outputs.decoding import gather
from groundproof.outputs.spool import Spool
from groundproof.tables import TABLES
from tests.engine import outputs_samples as samples

FINITE = st.floats(-1e6, 1e6)
TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**50), 2**50) | FINITE | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
ROWS: dict[str, st.SearchStrategy[Any]] = {
    "evidence": st.fixed_dictionaries(
        {
            "quote": st.none() | TEXT,
            "text_start": st.none() | st.integers(0, 10_000),
            "box_px": st.lists(FINITE, min_size=4, max_size=4),
            "tile_ids": st.lists(TEXT, max_size=3),
            "parents": st.lists(
                st.fixed_dictionaries(
                    {
                        "tile_id": TEXT,
                        "number": st.integers(1, 9),
                        "box_px": st.lists(FINITE, min_size=4, max_size=4),
                    }
                ),
                max_size=2,
            ),
            "score": st.none() | FINITE,
            "reviewed_at": st.none()
            | st.datetimes().map(lambda t: t.strftime("%Y-%m-%dT%H:%M:%SZ").zfill(20)),
        }
    ),
    "answers": st.fixed_dictionaries(
        {"value": JSON, "coverage": st.none() | st.dictionaries(TEXT, JSON), "context": JSON}
    ),
    "tiles": st.fixed_dictionaries(
        {
            "window_px": st.lists(st.integers(0, 2**31), min_size=4, max_size=4),
            "status": st.none() | st.just("ok"),
            "seconds": st.none() | FINITE,
            "text": st.none() | TEXT,
        }
    ),
    "scenes": st.fixed_dictionaries(
        {
            "affine": st.none() | st.lists(FINITE, min_size=6, max_size=6),
            "gcps": st.none() | st.lists(st.lists(FINITE, min_size=4, max_size=4), max_size=3),
            "width": st.none() | st.integers(1, 10**6),
            "geometry": st.none() | st.just(shapely.box(0, 0, 1, 1)),
        }
    ),
}
MAKE = {
    "evidence": lambda changes: samples.evidence_row(0, **changes),
    "answers": lambda changes: samples.answer_row(**changes),
    "tiles": lambda changes: samples.tile_row(0, **changes),
    "scenes": lambda changes: samples.scene_row(samples.UTM, **changes),
}


def plain(value: Any) -> Any:
    """A cell for comparison: what is missing in any of pandas' ways is None, numbers are Python's."""
    if isinstance(value, np.generic):
        value = value.item()
    return None if value is None or value is pd.NA or value != value else value


def cells(frame: gpd.GeoDataFrame) -> list[list[Any]]:
    columns = [frame[name] if name != "geometry" else frame.geometry.to_wkb() for name in frame.columns]
    return [[plain(v) for v in row] for row in zip(*columns, strict=True)]


@settings(max_examples=40, deadline=None)
@given(st.data())
@pytest.mark.parametrize("table", list(TABLES))
def test_rows_come_back_as_they_went_in(tmp_path_factory, table, data):
    rows = [MAKE[table](changes) for changes in data.draw(st.lists(ROWS[table], min_size=1, max_size=6))]
    if table == "answers":
        for row in rows:
            row["geometry"] = shapely.MultiPolygon([row["geometry"]])
    frame = samples.frame(table, rows, samples.UTM)
    cut = data.draw(st.integers(0, len(rows)))
    with Spool(tmp_path_factory.mktemp("spool") / "s", samples.UTM) as spool:
        spool.add(table, frame.iloc[:cut])
        spool.add(table, frame.iloc[cut:])
        got = pd.concat(list(spool.frames(table)))
    assert got.crs == samples.UTM
    assert cells(got) == cells(frame)
    assert list(got.index) == list(range(len(rows)))


def test_windows_stay_whole_numbers_that_index(tmp_path):
    with Spool(tmp_path / "s", None) as spool:
        spool.add("tiles", samples.result(crs=None).tiles)
        (frame,) = spool.frames("tiles")
    assert [type(v) for v in frame.window_px[1]] == [int] * 4


def test_a_plain_frame_of_shapes_will_do(tmp_path):
    rows = [samples.tile_row(i) for i in range(3)]
    with Spool(tmp_path / "s", samples.UTM) as spool:
        spool.add("tiles", pd.DataFrame(rows))
        (frame,) = spool.frames("tiles")
    assert frame.crs == samples.UTM
    assert [g.wkb for g in frame.geometry] == [row["geometry"].wkb for row in rows]


@pytest.mark.parametrize("rows", [1, 3, 4])
def test_chunks_are_as_full_as_they_may_be_however_rows_came(tmp_path, monkeypatch, rows):
    monkeypatch.setattr(spool_module, "CHUNK_ROWS", rows)
    whole = samples.result(11).evidence
    with Spool(tmp_path / "s", samples.UTM) as spool:
        for start, stop in [(0, 1), (1, 2), (2, 9), (9, 9), (9, 11)]:
            spool.add("evidence", whole.iloc[start:stop])
        assert spool.count("evidence") == 11
        sizes = [len(frame) for frame in spool.frames("evidence")]
        again = pd.concat(list(spool.frames("evidence")))
    assert sizes == [rows] * (11 // rows) + [11 % rows] * (11 % rows > 0)
    assert list(again.evidence_id) == list(whole.evidence_id)


def test_long_texts_make_shorter_chunks(tmp_path, monkeypatch):
    monkeypatch.setattr(spool_module, "CHUNK_BYTES", 20_000)
    tiles = [samples.tile_row(i, text="x" * 5_000) for i in range(20)]
    with Spool(tmp_path / "s", samples.UTM) as spool:
        spool.add("tiles", samples.frame("tiles", tiles, samples.UTM))
        frames = list(spool.frames("tiles"))
    assert max(int(f.text.str.len().sum()) for f in frames) <= 20_000
    assert [t for f in frames for t in f.tile_id] == [f"t{i}" for i in range(20)]


def test_rows_may_be_added_after_reading(tmp_path):
    with Spool(tmp_path / "s", samples.UTM) as spool:
        for i in range(3):
            spool.add("evidence", samples.frame("evidence", [samples.evidence_row(i)], samples.UTM))
            assert [e for f in spool.frames("evidence") for e in f.evidence_id] == [
                f"E{k + 1}" for k in range(i + 1)
            ]


def test_text_that_cannot_be_stored_is_replaced_and_counted_in_the_metadata(tmp_path):
    rows = [samples.evidence_row(i, quote=t) for i, t in enumerate(samples.HOSTILE)]
    with Spool(tmp_path / "s", samples.UTM) as spool:
        spool.metadata = {"model": "tiny"}
        assert spool.metadata == {"model": "tiny"}
        spool.add("evidence", samples.frame("evidence", rows, samples.UTM))
        (frame,) = spool.frames("evidence")
        assert spool.metadata == {"model": "tiny", "replaced_characters": {"evidence.quote": 3}}
    assert list(frame.quote.str.len()) == [len(t) for t in samples.HOSTILE]
    assert "nul\ufffdinside" in set(frame.quote)


def test_a_whole_result_can_be_gathered_even_an_empty_one(tmp_path):
    for name, result in (("some", samples.result(5)), ("none", samples.empty())):
        with Spool(tmp_path / name, result.crs) as spool:
            spool.metadata = result.metadata
            for table in TABLES:
                spool.add(table, getattr(result, table))
            got = gather(spool)
        assert {t: len(getattr(got, t)) for t in TABLES} == {t: result.count(t) for t in TABLES}
        assert got.crs == result.crs
        assert got.metadata == result.metadata


def test_rows_of_another_shape_or_crs_are_refused(tmp_path):
    result = samples.result()
    with Spool(tmp_path / "s", samples.UTM) as spool:
        with pytest.raises(ValueError, match="expected columns"):
            spool.add("tiles", result.scenes)
        with pytest.raises(ValueError, match="expected rows in EPSG:32631"):
            spool.add("tiles", result.tiles.to_crs("EPSG:4326"))
        with pytest.raises(ValueError, match="got a point"):
            spool.add("tiles", pd.DataFrame([samples.tile_row(0, geometry=shapely.Point(0, 0))]))
        with pytest.raises(KeyError):
            spool.add("clouds", result.scenes)


def test_nothing_stays_behind_also_after_an_error(tmp_path):
    def spooled() -> None:
        with Spool(tmp_path / "s", samples.UTM) as spool:
            spool.add("tiles", samples.result().tiles)
            list(spool.frames("tiles"))
            assert len(list((tmp_path / "s").iterdir())) > 1
            raise RuntimeError

    with pytest.raises(RuntimeError):
        spooled()
    assert list(tmp_path.iterdir()) == []


def _fill_and_die(folder: str) -> None:
    spool = Spool(Path(folder), samples.UTM)
    spool.add("tiles", samples.result().tiles)
    list(spool.frames("tiles"))
    spool.add("evidence", samples.result().evidence)
    os.kill(os.getpid(), signal.SIGKILL)


def test_what_a_killed_process_left_is_cleared(tmp_path):
    folder = tmp_path / "s"
    child = multiprocessing.get_context("spawn").Process(target=_fill_and_die, args=(str(folder),))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    assert any(p.suffix == ".arrow" for p in folder.iterdir())
    with Spool(folder, samples.UTM) as spool:
        assert spool.count("tiles") == 0
        assert list(spool.frames("tiles")) == []
        spool.add("tiles", samples.result().tiles)
        assert sum(len(f) for f in spool.frames("tiles")) == 2
    assert not folder.exists()


def test_two_do_not_share_a_folder(tmp_path):
    with Spool(tmp_path / "s", samples.UTM) as first:
        first.add("tiles", samples.result().tiles)
        with pytest.raises(OutputError, match="Another process is putting a result together"):
            Spool(tmp_path / "s", samples.UTM)
        assert sum(len(f) for f in first.frames("tiles")) == 2


def test_a_folder_of_somebody_else_is_not_touched(tmp_path):
    mine = tmp_path / "thesis.docx"
    mine.write_text("three years of work")
    with pytest.raises(OutputError, match=r"holds other files \(thesis\.docx\)"):
        Spool(tmp_path, samples.UTM)
    assert mine.read_text() == "three years of work"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_said_in_words(tmp_path):
    with Spool(tmp_path / "s", samples.UTM) as spool:
        (tmp_path / "s" / "tiles-0.arrow").symlink_to("/dev/full")
        spool.add("tiles", samples.result().tiles)
        with pytest.raises(OutputError, match=r"cannot be put together in .* no space is left on the disk"):
            list(spool.frames("tiles"))

"""Writers read chunks: a result on disk gives the same files as one in memory, in little memory."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from groundproof import tables
from groundproof.errors import OutputError
from groundproof.outputs import Spool, read, write, write_summary
from groundproof.outputs import spool as spool_module
from groundproof.tables import TABLES, Result
from tests.engine import outputs_samples as samples


def many(crs=samples.UTM) -> Result:
    """Rows enough for several small chunks, with text that no file can hold and values of all shapes."""
    hostile = [samples.evidence_row(i, quote=t) for i, t in enumerate(samples.HOSTILE)]
    gaps = [
        samples.evidence_row(
            20,
            text_start=None,
            score=None,
            angle_deg=30.0,
            review="accepted",
            reviewed_at="2026-05-04T10:20:30Z",
        ),
        samples.evidence_row(21, tile_ids=[], parents=[]),
        samples.evidence_row(22, tile_ids=['with "quotes" and \\', "x\n"]),
    ]
    values = (3, 2.5, True, None, "ship", ["a", 1], {"k": [None]})
    answers = [samples.answer_row(answer_id=f"A{i + 1}", value=v) for i, v in enumerate(values)]
    tiles = [samples.tile_row(i) for i in range(9)] + [
        samples.tile_row(9, status=None, seconds=None, text=None)
    ]
    scenes = [
        samples.scene_row(crs, scene="good"),
        samples.scene_row(
            crs, scene="bad", affine=None, width=None, gsd_m=None, status="failed", geometry=None
        ),
    ]
    return samples.result(crs=crs, evidence=hostile + gaps, answers=answers, tiles=tiles, scenes=scenes)


@pytest.fixture(params=["utm", "pixels"])
def both(request, tmp_path, monkeypatch):
    """The same result in memory and on disk, both in chunks of four rows."""
    monkeypatch.setattr(tables, "CHUNK_ROWS", 4)
    monkeypatch.setattr(spool_module, "CHUNK_ROWS", 4)
    result = many(samples.UTM if request.param == "utm" else None)
    with Spool(tmp_path / "spool", result.crs) as spool:
        spool.metadata = result.metadata
        for name in TABLES:
            spool.add(name, getattr(result, name))
        yield result, spool


def rows(path: Path) -> dict[str, list[tuple]]:
    """All that is in a GeoPackage but times of writing."""
    with sqlite3.connect(path) as connection:
        names = [
            n for (n,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")
        ]
        kept = [
            n
            for n in names
            if not n.startswith(("rtree", "sqlite")) or n.startswith("rtree_evidence_geom_node")
        ]
        found = {n: connection.execute(f'SELECT * FROM "{n}"').fetchall() for n in kept}  # noqa: S608
        found["gpkg_contents"] = connection.execute(
            "SELECT table_name, data_type, min_x, min_y, max_x, max_y, srs_id FROM gpkg_contents"
        ).fetchall()
    found.pop("gpkg_metadata_reference")
    found["layer_styles"] = [row[:-1] for row in found["layer_styles"]]
    return found


def test_a_geopackage_from_disk_is_the_one_from_memory(tmp_path, both):
    result, spool = both
    write(result, tmp_path / "memory.gpkg")
    write(spool, tmp_path / "disk.gpkg")
    assert rows(tmp_path / "disk.gpkg") == rows(tmp_path / "memory.gpkg")
    assert read(tmp_path / "disk.gpkg").metadata["replaced_characters"] == {"evidence.quote": 3}


def test_parquet_from_disk_is_that_from_memory(tmp_path, both):
    result, spool = both
    in_memory = write(result, tmp_path / "memory.parquet")
    on_disk = write(spool, tmp_path / "disk.parquet")
    for a, b in zip(in_memory, on_disk, strict=True):
        one, other = pq.read_table(a), pq.read_table(b)
        assert one.equals(other, check_metadata=True)
        assert json.loads(one.schema.metadata[b"groundproof"])["replaced_characters"] == {"evidence.quote": 3}


def test_geojson_from_disk_is_that_from_memory(tmp_path, both):
    result, spool = both
    if result.crs is None:
        for tables_of_pixels in both:
            with pytest.raises(OutputError, match="this result in pixels"):
                write(tables_of_pixels, tmp_path / "out.geojson")
        return
    write(result, tmp_path / "memory.geojson")
    write(spool, tmp_path / "disk.geojson")
    one, other = (json.loads((tmp_path / f"{n}.geojson").read_text("utf-8")) for n in ("memory", "disk"))
    assert one == other
    assert len(other["features"]) == len(result.evidence)
    assert [a["value"] for a in other["groundproof"]["answers"]] == list(result.answers.value)


def test_a_summary_from_disk_is_that_from_memory(tmp_path, both):
    result, spool = both
    write_summary(result, tmp_path / "memory.csv")
    write_summary(spool, tmp_path / "disk.csv")
    assert (tmp_path / "disk.csv").read_bytes() == (tmp_path / "memory.csv").read_bytes()
    unseen = set(result.scenes.scene[result.scenes.status != "ok"]) - set(result.answers.scene)
    assert len((tmp_path / "disk.csv").read_text().splitlines()) == 1 + len(result.answers) + len(unseen)


PEAK = """
import resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import pandas as pd
from groundproof.outputs import Spool, write
from tests.engine import outputs_samples as samples

chunk = samples.frame("evidence", [samples.evidence_row(i) for i in range(5_000)], samples.UTM)
folder, chunks = Path(sys.argv[2]), int(sys.argv[3])

def peak_mib():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

with Spool(folder / "spool", samples.UTM) as spool:
    for _ in range(chunks):
        spool.add("evidence", chunk)
    write(spool, folder / f"out{sys.argv[4]}")
print(peak_mib())
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX resource usage")
@pytest.mark.parametrize("suffix", [".gpkg", ".parquet"])
def test_memory_does_not_grow_with_the_result(tmp_path, suffix):
    def peak(chunks: int) -> float:
        folder = tmp_path / str(chunks)
        folder.mkdir()
        command = [
            sys.executable,
            "-c",
            PEAK,
            str(Path(__file__).parents[2]),
            str(folder),
            str(chunks),
            suffix,
        ]
        return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    # 100,000 more rows are some 300 MB as Python objects.
    assert peak(30) - peak(10) < 100

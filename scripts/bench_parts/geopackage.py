"""Writing 1,000,000 evidence rows as GeoPackage, against pyogrio's own Arrow write of the same table.

    python scripts/bench_parts/geopackage.py [ROWS] [REPEATS]

Two references, interleaved with ours in one run, each in a process of its own so that peak memory is its own:

same table: `pyogrio.write_dataframe(evidence, use_arrow=True)` on the very frame we are given, lists and all.
ready text: the same call on a frame whose lists are JSON text already, so that it has nothing left to encode.

Ours does more than either: it checks every text, encodes lists, syncs, and adds three tables, styles and
provenance. Aim: at most 1.15 times the first. Written twice: "ours" from a frame in memory, "ours from disk" from a
`Spool`, which is how batches are written: the rows were never in memory together. `peak_mib` is above what the
process held when the write began, which is the whole table for all but the last; `process_mib` is everything.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import psutil
import pyogrio
import shapely
from pyproj import CRS

from groundproof.outputs import Spool, write
from groundproof.outputs.jsontext import encode_alike
from groundproof.tables import CHUNK_ROWS, TABLES, Result, Tables

KINDS = ("ours", "ours from disk", "same table", "ready text")
MIB = 2**20


def evidence(rows: int) -> gpd.GeoDataFrame:
    """A plausible table: one box per row, one parent each, no reviews."""
    rng = np.random.default_rng(0)
    corner = rng.uniform(0, 1e5, (rows, 2)).round(2)
    size = rng.uniform(5, 50, (rows, 2)).round(2)
    boxes = np.hstack([corner, corner + size]).round(2).tolist()
    ids = [f"{i:016x}" for i in range(rows)]
    index = np.arange(rows)
    data: dict[str, Any] = {
        "evidence_id": [f"E{i + 1}" for i in range(rows)],
        "answer_id": ["A1"] * rows,
        "run_id": ["20260504-102030"] * rows,
        "scene": ["harbour"] * rows,
        "image": np.zeros(rows, dtype=np.int64),
        "tile_ids": [[i] for i in ids],
        "parents": [[{"tile_id": i, "number": 1, "box_px": b}] for i, b in zip(ids, boxes, strict=True)],
        "role": ["evidence"] * rows,
        "label": ["storage tank"] * rows,
        "label_raw": ["storage tanks"] * rows,
        "quote": [f"a white tank beside pier {i % 977}" for i in range(rows)],
        "text_start": index % 700,
        "text_end": index % 700 + 28,
        "box_px": boxes,
        "angle_deg": np.full(rows, np.nan),
        "area_m2": size.prod(axis=1),
        "width_m": size[:, 0],
        "height_m": size[:, 1],
        "score": rng.uniform(0, 1, rows),
        "verdict": ["unchecked"] * rows,
        "review": pd.Series([None] * rows, dtype=object),
        "reviewed_at": pd.Series([None] * rows, dtype=object),
    }
    x0, y0, x1, y1 = np.asarray(boxes).T
    shapes = shapely.box(5e5 + x0, 4e6 - y1, 5e5 + x1, 4e6 - y0)
    return gpd.GeoDataFrame(data, geometry=shapes, crs="EPSG:32631")


def nothing(table: str) -> gpd.GeoDataFrame:
    """An empty table of the contract."""
    columns = {c.name: pd.Series([], dtype=object) for c in TABLES[table]}
    return gpd.GeoDataFrame(columns, geometry=gpd.GeoSeries([], crs="EPSG:32631"))


class PeakMemory:
    """Resident memory above that at entry, sampled: the high-water mark is that of making the table."""

    def __enter__(self) -> PeakMemory:
        self.peak_bytes = 0
        self._process = psutil.Process()
        self._start = self._process.memory_info().rss
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def _watch(self) -> None:
        while not self._done.wait(0.02):
            self.peak_bytes = max(self.peak_bytes, self._process.memory_info().rss - self._start)

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()


@contextmanager
def tables_of(kind: str, rows: int, folder: str) -> Iterator[Tables]:
    """The result to write, in memory or on disk."""
    others = {name: nothing(name) for name in TABLES if name != "evidence"}
    if kind == "ours":
        yield Result(evidence=evidence(rows), **others, metadata={})
        return
    with Spool(Path(folder) / "spool", CRS.from_epsg(32631)) as spool:
        for start in range(0, rows, CHUNK_ROWS):
            spool.add("evidence", evidence(min(CHUNK_ROWS, rows - start)))
        yield spool


def reference(kind: str, rows: int) -> gpd.GeoDataFrame:
    """The frame pyogrio is to write."""
    frame = evidence(rows)
    if kind == "ready text":
        for name in ("tile_ids", "parents", "box_px"):
            frame[name] = encode_alike(frame[name]).to_pandas()
    return frame


def one(kind: str, rows: int, folder: str) -> dict[str, float]:
    """Seconds and bytes of one write."""
    path = Path(folder) / f"{kind.replace(' ', '_')}.gpkg"
    if kind.startswith("ours"):
        with tables_of(kind, rows, folder) as tables:
            return measured(lambda: write(tables, path), path)
    frame = reference(kind, rows)
    return measured(
        lambda: pyogrio.write_dataframe(frame, path, layer="evidence", driver="GPKG", use_arrow=True), path
    )


def measured(act: Callable[[], Any], path: Path) -> dict[str, float]:
    """What the writing of `path` takes."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    with PeakMemory() as memory:
        start = time.perf_counter()
        act()
        seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_SELF)
    size = path.stat().st_size
    path.unlink()
    return {
        "seconds": seconds,
        "cpu_seconds": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "peak_mib": memory.peak_bytes / MIB,
        "process_mib": after.ru_maxrss / 1024,
        "file_mib": size / MIB,
    }


def run(rows: int = 1_000_000, repeats: int = 3) -> list[dict[str, Any]]:
    """Medians of interleaved writes, and ours over each reference (wall and CPU time)."""
    seen: dict[str, list[dict[str, float]]] = {kind: [] for kind in KINDS}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(repeats):
            for kind in KINDS:
                command = [sys.executable, __file__, "--one", kind, str(rows), folder]
                done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
                seen[kind].append(json.loads(done.stdout))
    middle = {
        kind: {key: statistics.median(one[key] for one in many) for key in many[0]}
        for kind, many in seen.items()
    }
    lines: list[dict[str, Any]] = []
    for kind in KINDS:
        line = {"part": "geopackage", "what": f"{rows:,} rows, {kind}", **middle[kind]}
        if not kind.startswith("ours"):
            for ours in ("ours", "ours from disk"):
                name = ours.replace(" ", "_")
                line[f"{name}_over_this"] = middle[ours]["seconds"] / middle[kind]["seconds"]
                line[f"{name}_over_this_cpu"] = middle[ours]["cpu_seconds"] / middle[kind]["cpu_seconds"]
        if kind == "same table":
            line["aim"] = "ours_over_this and ours_from_disk_over_this <= 1.15"
        lines.append(line)
    return lines


def main() -> None:
    """Prints one JSON line per measurement."""
    if sys.argv[1:2] == ["--one"]:
        kind, rows, folder = sys.argv[2:5]
        print(json.dumps(one(kind, int(rows), folder)))
        return
    for line in run(*(int(a) for a in sys.argv[1:3])):
        print(json.dumps({k: round(v, 3) if isinstance(v, float) else v for k, v in line.items()}))


if __name__ == "__main__":
    main()

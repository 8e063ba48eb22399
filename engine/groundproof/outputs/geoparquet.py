"""A result as GeoParquet 1.1: lists as lists, a bounding box per row for fast spatial filters.

Knows GeoParquet. One file holds one table, so the evidence goes to the path asked for and the other three
beside it. All four are written before the first is renamed.

Source: https://geoparquet.org/releases/v1.1.0/
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from groundproof.outputs import jsontext
from groundproof.outputs.arrow import GEOMETRY_TYPES, schema, stream
from groundproof.outputs.files import replacing
from groundproof.tables import TABLES, Tables

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray
    from pyproj import CRS

METADATA_KEY = b"groundproof"
"""Key of the file's metadata that holds the result's metadata as JSON."""
GEO_KEY = b"geo"
SIDES = ("xmin", "ymin", "xmax", "ymax")
ROW_GROUP = 65_536
_ROW_GROUP_BYTES = 64 * 2**20
"""A row group is closed when it holds this much before compression: it is held in memory until then."""


def write_geoparquet(tables: Tables, path: Path) -> list[Path]:
    """Writes OUT.parquet (evidence) and OUT.answers.parquet, OUT.tiles.parquet, OUT.scenes.parquet.

    Columns as in `tables.py`; `value`, `coverage`, `audit` and `context`, whose shapes differ from row to
    row, are JSON text here too. Geometry is WKB, in the result's CRS; pixel space has a null CRS.

    Raises:
        OutputError: see `files.replacing`.
    """
    paths = {name: path if name == "evidence" else sibling(path, name) for name in TABLES}
    replaced: Counter[str] = Counter()
    # The evidence is entered first and so renamed last: whoever waits for it finds the others complete.
    with ExitStack() as stack:
        temporary = {name: stack.enter_context(replacing(paths[name])) for name in TABLES}
        with ExitStack() as open_files:
            files = {
                name: open_files.enter_context(GeoParquetFile(temporary[name], name, tables.crs))
                for name in TABLES
            }
            for name, file in files.items():
                for batch in stream(tables, name, lists=True, replaced=replaced):
                    file.add(batch)
            metadata = dict(tables.metadata) | ({"replaced_characters": dict(replaced)} if replaced else {})
            for file in files.values():
                file.finish(metadata)
    return list(paths.values())


def sibling(path: Path, table: str) -> Path:
    """Where a table other than the evidence goes: harbour.parquet -> harbour.answers.parquet."""
    return path.with_name(f"{path.stem}.{table}{path.suffix}")


class GeoParquetFile:
    """One file of one table, written a row group at a time. A context manager; complete only after `finish`."""

    def __init__(self, path: Path, table: str, crs: CRS | None, row_group: int = ROW_GROUP) -> None:
        self._table = table
        self._crs = crs
        self._row_group = row_group
        self._bounds = np.array([np.inf, np.inf, -np.inf, -np.inf])
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_rows = self._waiting_bytes = 0
        self._sink = pa.OSFile(str(path), "wb")
        self._writer = pq.ParquetWriter(self._sink, file_schema(table), compression="zstd")

    def add(self, rows: pa.RecordBatch) -> None:
        """Adds rows of `arrow.schema(table, lists=True)`."""
        while rows.num_rows:
            part = rows.slice(0, self._row_group - self._waiting_rows)
            rows = rows.slice(part.num_rows)
            self._waiting.append(self._with_bounds(part))
            self._waiting_rows += part.num_rows
            self._waiting_bytes += part.nbytes
            if self._waiting_rows >= self._row_group or self._waiting_bytes >= _ROW_GROUP_BYTES:
                self._flush()

    def finish(self, metadata: Mapping[str, Any] | None) -> None:
        """Writes what waits, the standard's metadata and the result's, where this file is to have them."""
        self._flush()
        own = {GEO_KEY: self._geo().encode()}
        if metadata is not None:
            own[METADATA_KEY] = jsontext.dumps(dict(metadata)).encode()
        # Arrow's readers of whole folders see only what is in the schema that Arrow keeps in the file, and that
        # was written before bounds were known: put anew, as https://arrow.apache.org/docs/cpp/parquet.html says.
        whole = file_schema(self._table).with_metadata(own)
        kept = base64.b64encode(whole.serialize().to_pybytes())
        self._writer.add_key_value_metadata(own | {b"ARROW:schema": kept})
        self._writer.close()
        self._sink.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # after an error the file is not wanted, and may not be writable either
            self._writer.close()
        self._sink.close()

    def _with_bounds(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        bounds = bounds_of(rows)
        known = bounds[~np.isnan(bounds[:, 0])]
        if len(known):
            self._bounds[:2] = np.minimum(self._bounds[:2], known[:, :2].min(axis=0))
            self._bounds[2:] = np.maximum(self._bounds[2:], known[:, 2:].max(axis=0))
        sides = [pa.array(side, mask=np.isnan(side)) for side in bounds.T]
        box = pa.StructArray.from_arrays(sides, list(SIDES))
        return pa.RecordBatch.from_arrays([*rows.columns, box], schema=file_schema(self._table))

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(pa.Table.from_batches(self._waiting), row_group_size=self._waiting_rows)
            self._waiting = []
            self._waiting_rows = self._waiting_bytes = 0

    def _geo(self) -> str:
        """The `geo` metadata of the standard."""
        column: dict[str, Any] = {
            "encoding": "WKB",
            "geometry_types": [GEOMETRY_TYPES[self._table]],
            "crs": None if self._crs is None else self._crs.to_json_dict(),
            "covering": {"bbox": {side: ["bbox", side] for side in SIDES}},
        }
        if np.isfinite(self._bounds).all():
            column["bbox"] = self._bounds.tolist()
        return json.dumps({"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}})


def file_schema(table: str) -> pa.Schema:
    """Of a file: the table's columns, `geometry`, and `bbox` (xmin, ymin, xmax, ymax of each geometry)."""
    return schema(table, lists=True).append(
        pa.field("bbox", pa.struct([pa.field(side, pa.float64()) for side in SIDES]))
    )


def bounds_of(rows: pa.RecordBatch) -> NDArray[np.float64]:
    """(N, 4) xmin, ymin, xmax, ymax of the rows' geometries; NaN where there is none."""
    shapes = shapely.from_wkb(rows["geometry"].to_numpy(zero_copy_only=False))
    return np.asarray(shapely.bounds(shapes), dtype=np.float64).reshape(-1, 4)

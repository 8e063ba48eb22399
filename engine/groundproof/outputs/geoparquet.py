"""A result as GeoParquet 1.1: lists as lists, a bounding box per row for fast spatial filters.

Knows GeoParquet. One file holds one table, so the evidence goes to the path asked for and the other three
beside it. All four are written before the first is renamed.

Source: https://geoparquet.org/releases/v1.1.0/
"""

from __future__ import annotations

import json
from collections import Counter
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from groundproof.outputs import jsontext
from groundproof.outputs.arrow import GEOMETRY_TYPES, batches, schema
from groundproof.outputs.files import replacing
from groundproof.tables import TABLES, Result

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd
    from pyproj import CRS

METADATA_KEY = b"groundproof"
"""Key of the file's metadata that holds `Result.metadata` as JSON."""
_SIDES = ("xmin", "ymin", "xmax", "ymax")
_ROW_GROUP = 65_536


def write_geoparquet(result: Result, path: Path) -> list[Path]:
    """Writes OUT.parquet (evidence) and OUT.answers.parquet, OUT.tiles.parquet, OUT.scenes.parquet.

    Columns as in `tables.py`; `value`, `coverage`, `audit` and `context`, whose shapes differ from row to
    row, are JSON text here too. Geometry is WKB, in the result's CRS; pixel space has a null CRS.

    Raises:
        OutputError: see `files.replacing`.
    """
    paths = {name: path if name == "evidence" else sibling(path, name) for name in TABLES}
    replaced: Counter[str] = Counter()
    tables = {name: _table(name, getattr(result, name), replaced) for name in TABLES}
    metadata = dict(result.metadata) | ({"replaced_characters": dict(replaced)} if replaced else {})
    own = {METADATA_KEY: jsontext.dumps(metadata).encode()}
    # The evidence is entered first and so renamed last: whoever waits for it finds the others complete.
    with ExitStack() as stack:
        for name, table in tables.items():
            temporary = stack.enter_context(replacing(paths[name]))
            geo = {b"geo": _geo(name, getattr(result, name)).encode()}
            pq.write_table(
                table.replace_schema_metadata(own | geo),
                temporary,
                compression="zstd",
                row_group_size=_ROW_GROUP,
            )
    return list(paths.values())


def sibling(path: Path, table: str) -> Path:
    """Where a table other than the evidence goes: harbour.parquet -> harbour.answers.parquet."""
    return path.with_name(f"{path.stem}.{table}{path.suffix}")


def _table(name: str, frame: gpd.GeoDataFrame, replaced: Counter[str]) -> pa.Table:
    rows = pa.Table.from_batches(
        batches(name, frame, lists=True, replaced=replaced), schema=schema(name, lists=True)
    )
    bounds = shapely.bounds(np.asarray(frame.geometry.array, dtype=object)).reshape(-1, 4)
    sides = [pa.array(bounds[:, i], mask=np.isnan(bounds[:, i])) for i in range(4)]
    return rows.append_column("bbox", pa.StructArray.from_arrays(sides, list(_SIDES)))


def _geo(name: str, frame: gpd.GeoDataFrame) -> str:
    """The `geo` metadata of the standard."""
    column: dict[str, Any] = {
        "encoding": "WKB",
        "geometry_types": [GEOMETRY_TYPES[name]],
        "crs": _projjson(frame.crs),
        "covering": {"bbox": {side: ["bbox", side] for side in _SIDES}},
    }
    if len(frame) and not np.isnan(frame.total_bounds).any():
        column["bbox"] = frame.total_bounds.tolist()
    return json.dumps({"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}})


def _projjson(crs: CRS | None) -> Any:
    return None if crs is None else crs.to_json_dict()

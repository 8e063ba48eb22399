"""Arrow columns back as the (Geo)DataFrames of `tables.py`: the other direction of `arrow.py`.

Knows how pandas holds the column kinds. Refuses to know files. Missing text, lists and times are None; whole
numbers with gaps are pandas `Int64`; times are RFC 3339 text in UTC.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from groundproof.errors import UsageError
from groundproof.outputs.arrow import schema
from groundproof.tables import TABLES, Column, Result, Tables

if TYPE_CHECKING:
    from pyproj import CRS


def frame(
    table: str, rows: pa.Table | pa.RecordBatch, crs: CRS | None, *, where: str = "the result", start: int = 0
) -> gpd.GeoDataFrame:
    """Rows with the table's columns and `geometry` (WKB), in any order, as its frame; lists may be JSON text.

    where: what to call the source in a message. start: the first row's place in the table, for the index.

    Raises:
        UsageError: JSON that somebody broke.
    """
    index = pd.RangeIndex(start, start + rows.num_rows)
    data = {c.name: _values(rows[c.name], c, f"{where}, table {table}", index) for c in TABLES[table]}
    shapes = shapely.from_wkb(rows["geometry"].to_numpy(zero_copy_only=False))
    return gpd.GeoDataFrame(data, index=index, geometry=gpd.GeoSeries(shapes, index=index, crs=crs))


def gather(tables: Tables) -> Result:
    """The whole result in memory, for who needs it at once."""
    if isinstance(tables, Result):
        return tables
    whole = {}
    for name in TABLES:
        parts = list(tables.frames(name))
        whole[name] = (
            pd.concat(parts) if parts else frame(name, schema(name, lists=True).empty_table(), tables.crs)
        )
    return Result(**whole, metadata=dict(tables.metadata))


def _values(array: pa.Array | pa.ChunkedArray, column: Column, where: str, index: pd.RangeIndex) -> Any:
    if column.kind == "float":
        return array.cast(pa.float64()).to_numpy(zero_copy_only=False)
    if column.kind == "int":
        if array.null_count:
            return pd.array(array.to_pylist(), dtype="Int64")
        return array.cast(pa.int64()).to_numpy(zero_copy_only=False)
    if column.kind == "time":
        values = [None if t is None else _rfc3339(t) for t in array.to_pylist()]
    elif column.kind == "json" and pa.types.is_list(array.type):
        values = (_whole(array) if column.name == "window_px" else array).to_pylist()
    elif column.kind == "json":
        values = [_decoded(text, index.start + i, column, where) for i, text in enumerate(array.to_pylist())]
    else:
        values = array.to_pylist()
    return pd.Series(values, index=index, dtype=object)


def _whole(array: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Lists of whole numbers as integers: windows are used as positions. Others stay as they are."""
    try:
        return pc.cast(array, pa.list_(pa.int64()))
    except pa.ArrowInvalid:
        return array


def _rfc3339(time: Any) -> str:
    stamp = pd.Timestamp(time)
    stamp = stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp.tz_convert("UTC")
    return str(stamp.isoformat(timespec="milliseconds" if stamp.microsecond else "seconds")).replace(
        "+00:00", "Z"
    )


def _decoded(text: str | None, row: int, column: Column, where: str) -> Any:
    if text is None or text == "":
        return None
    try:
        return json.loads(text)
    except json.JSONDecodeError as err:
        raise UsageError(f"{where}, row {row + 1}: {column.name} is not JSON ({err}).") from err

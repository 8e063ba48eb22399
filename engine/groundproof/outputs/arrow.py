"""A table of a result as typed Arrow batches: the one way from rows to GeoPackage, Parquet and the spool.

Knows the column kinds of `tables.py` and how pandas may hold them. Refuses to know files. Works in
batches, so that writing a million rows never holds a second copy of them. `decoding.py` is the way back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd
import pyarrow as pa
import shapely

from groundproof.outputs import jsontext
from groundproof.outputs.text import strings
from groundproof.tables import CHUNK_ROWS, TABLES, Column, Tables

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

GEOMETRY_TYPES = {"evidence": "Polygon", "answers": "MultiPolygon", "tiles": "Polygon", "scenes": "Polygon"}

_NUMBERS = pa.list_(pa.float64())
_PARENT = pa.struct([("tile_id", pa.string()), ("number", pa.int64()), ("box_px", _NUMBERS)])
LISTS: dict[str, pa.DataType] = {
    "tile_ids": pa.list_(pa.string()),
    "parents": pa.list_(_PARENT),
    "box_px": _NUMBERS,
    "window_px": _NUMBERS,
    "affine": _NUMBERS,
    "gcps": pa.list_(_NUMBERS),
}
"""json columns whose values are all of one shape: lists in Parquet. The others are JSON text everywhere."""

_TYPES = {"str": pa.string(), "int": pa.int64(), "float": pa.float64(), "time": pa.timestamp("ms", tz="UTC")}


def schema(table: str, *, lists: bool) -> pa.Schema:
    """Arrow schema of a table, `geometry` (WKB) last. lists: typed lists, not JSON text, where possible."""
    fields = [(c.name, _type(c, lists=lists)) for c in TABLES[table]]
    return pa.schema([*fields, ("geometry", pa.binary())])


def _type(column: Column, *, lists: bool) -> pa.DataType:
    if column.kind == "json":
        return LISTS.get(column.name, pa.string()) if lists else pa.string()
    return _TYPES[column.kind]


@runtime_checkable
class Stored(Tables, Protocol):
    """A result that lies as Arrow batches already, so that writing it need not make Python objects of its rows."""

    def batches(self, name: str) -> Iterator[pa.RecordBatch]:
        """The table in order, as `schema(name, lists=True)`, text fit to be stored."""


def stream(tables: Tables, name: str, *, lists: bool, replaced: Counter[str]) -> Iterator[pa.RecordBatch]:
    """A table of a result as record batches, whatever holds it. Arguments and errors as for `batches`."""
    if isinstance(tables, Stored):
        for batch in tables.batches(name):
            yield batch if lists else _with_json_text(name, batch)
    else:
        for frame in tables.frames(name):
            yield from batches(name, frame, lists=lists, replaced=replaced)


def _with_json_text(name: str, batch: pa.RecordBatch) -> pa.RecordBatch:
    target = schema(name, lists=False)
    arrays = [
        jsontext.encode_array(array) if field.name in LISTS else array
        for field, array in zip(target, batch.columns, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=target)


def batches(
    table: str, frame: pd.DataFrame, *, lists: bool, replaced: Counter[str]
) -> Iterator[pa.RecordBatch]:
    """The frame as record batches of `schema(table, lists=lists)`. Its `geometry` may be a plain column of shapes.

    replaced: filled with "table.column" -> rows whose text or time could not be stored as it came (see
    `text.py`; a time that cannot be read becomes NULL).

    Raises:
        ValueError: a geometry is not a polygon (a multi-part one is allowed in `answers` only).
    """
    target = schema(table, lists=lists)
    for start in range(0, len(frame), CHUNK_ROWS):
        part = frame.iloc[start : start + CHUNK_ROWS]
        arrays = []
        for column in TABLES[table]:
            array, changed = _array(part[column.name], column, lists=lists)
            if changed:
                replaced[f"{table}.{column.name}"] += changed
            # Columns of concatenated frames come in chunks; a record batch takes none.
            arrays.append(array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array)
        arrays.append(_wkb(table, part["geometry"].array))
        yield pa.RecordBatch.from_arrays(arrays, schema=target)


def _array(values: pd.Series[Any], column: Column, *, lists: bool) -> tuple[pa.Array, int]:
    """One column of one batch, and the number of its values that had to be changed."""
    if column.kind == "str":
        return strings(values)
    if column.kind == "json":
        objects = values.astype(object).where(values.notna(), None) if values.hasnans else values
        if column.name not in LISTS:
            return jsontext.encode_free(objects), 0
        if lists:
            return pa.array(objects, LISTS[column.name], from_pandas=True), 0
        return jsontext.encode_alike(objects), 0
    if column.kind == "time":
        return _times(values)
    if column.kind == "int":
        return pa.array(values.astype("Int64"), pa.int64()), 0
    numbers = pd.to_numeric(values).to_numpy(dtype=np.float64, na_value=np.nan)
    return pa.array(numbers, mask=~np.isfinite(numbers)), 0


def _times(values: pd.Series[Any]) -> tuple[pa.Array, int]:
    """RFC 3339 text as UTC milliseconds. Text without a zone counts as UTC; unreadable text is NULL."""
    stamps = pd.to_datetime(values.astype(object), utc=True, format="ISO8601", errors="coerce")
    lost = int((stamps.isna() & values.notna()).sum())
    return pa.array(stamps, pa.timestamp("ms", tz="UTC"), from_pandas=True, safe=False), lost


def _wkb(table: str, geometries: Any) -> pa.Array:
    shapes = np.asarray(geometries, dtype=object)
    types = shapely.get_type_id(shapes)
    single, multi = shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON
    if GEOMETRY_TYPES[table] == "MultiPolygon":
        promote = types == single
        if promote.any():
            shapes = shapes.copy()
            shapes[promote] = shapely.multipolygons(shapes[promote, np.newaxis].tolist())
        wrong = ~np.isin(types, [single, multi, shapely.GeometryType.MISSING])
    else:
        wrong = ~np.isin(types, [single, shapely.GeometryType.MISSING])
    if wrong.any():
        got = shapely.GeometryType(types[wrong][0]).name.lower()
        raise ValueError(f"table {table}: expected {GEOMETRY_TYPES[table]} geometries, got a {got}")
    return pa.array(shapely.to_wkb(shapes, flavor="iso"), pa.binary(), from_pandas=True)

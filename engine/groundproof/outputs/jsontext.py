"""Lists and dicts as JSON text: one careful encoder, and a fast one for columns of one shape.

Knows JSON. Refuses to know which column it encodes. Strict JSON: NaN and infinities become null, text
stays readable (no ASCII escapes), lone surrogates become U+FFFD; control characters stay, escaped.
"""

from __future__ import annotations

import json
import re
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from groundproof.outputs.text import REPLACEMENT

if TYPE_CHECKING:
    from collections.abc import Iterable

_SURROGATES = re.compile("[\ud800-\udfff]")


def dumps(value: Any) -> str:
    """Any JSON-able value as compact strict JSON. NumPy values count as their Python twins, paths as text."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain)
    except ValueError:  # NaN or an infinity somewhere inside
        text = json.dumps(_finite(value), ensure_ascii=False, separators=(",", ":"), default=_plain)
    return _SURROGATES.sub(REPLACEMENT, text)


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return _finite(value.tolist())
    if isinstance(value, frozenset | set):
        return sorted(value)
    return str(value)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    return value


def encode_free(values: Iterable[Any]) -> pa.Array:
    """JSON text of values of any shapes, one by one. None becomes NULL."""
    return pa.array([None if v is None else dumps(v) for v in values], pa.string())


def encode_alike(values: Iterable[Any]) -> pa.Array:
    """JSON text of many values of one shape (boxes, ids), about five times as fast as one by one.

    None becomes NULL. Dicts are expected to have the same keys: a key missing in some rows is written as
    null there. Columns that turn out not to be alike are encoded one by one.
    """
    try:
        return _encode(pa.array(values, from_pandas=True))
    except (pa.ArrowException, UnicodeEncodeError, OverflowError):
        return encode_free(values)


def encode_array(array: pa.Array) -> pa.Array:
    """JSON text of each value of an Arrow array of lists or structs. NULL stays NULL."""
    try:
        return _encode(array)
    except pa.ArrowException:
        return encode_free(array.to_pylist())


def _encode(array: pa.Array) -> pa.Array:
    """JSON text of each value of a nested Arrow array; NULL stays NULL. Raises ArrowInvalid if it cannot."""
    kind = array.type
    if pa.types.is_null(kind) or pa.types.is_boolean(kind) or pa.types.is_integer(kind):
        return pc.cast(array, pa.string())
    if pa.types.is_floating(kind):
        finite = pc.is_finite(array)
        if not pc.all(finite, min_count=0).as_py():
            array = pc.if_else(finite, array, pa.scalar(None, kind))
        return pc.cast(array, pa.string())
    if pa.types.is_string(kind):
        return _encode_strings(array)
    if pa.types.is_list(kind):
        # Offsets of a sliced array do not start at 0; `flatten` drops what the slice does not show.
        lengths = pc.fill_null(pc.list_value_length(array), 0).to_numpy()
        offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32())
        items = pc.fill_null(_encode(array.flatten()), "null")
        joined = pc.binary_join(pa.ListArray.from_arrays(offsets, items), ",")
        text = pc.binary_join_element_wise("[", joined, "]", "")
        return pc.if_else(array.is_valid(), text, pa.scalar(None, pa.string()))
    if pa.types.is_struct(kind):
        parts: list[Any] = []
        for i, field in enumerate(kind):
            key = ("{" if i == 0 else ",") + dumps(field.name) + ":"
            parts += [key, pc.fill_null(_encode(array.field(i)), "null")]
        if not parts:
            raise pa.ArrowInvalid("a struct without fields is encoded one by one")
        text = pc.binary_join_element_wise(*parts, "}", "")
        return pc.if_else(array.is_valid(), text, pa.scalar(None, pa.string()))
    raise pa.ArrowInvalid(f"no fast JSON for Arrow type {kind}")


_QUOTED = (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"))


def _encode_strings(array: pa.Array) -> pa.Array:
    data = array.buffers()[2]
    present = np.bincount(np.frombuffer(data, dtype=np.uint8), minlength=128) if data is not None else None
    if present is not None:
        if present[:9].any() or present[11:13].any() or present[14:32].any():
            raise pa.ArrowInvalid("control characters are escaped one by one")
        for raw, escaped in _QUOTED:
            if present[ord(raw)]:
                array = pc.replace_substring(array, raw, escaped)
    return pc.binary_join_element_wise('"', array, '"', "")

"""Model text made fit to be stored: what no file format can hold is replaced, visibly and countably.

Knows code points only. Refuses to know columns and files, and escapes nothing for HTML: that belongs
to whoever shows the text.

Replaced by U+FFFD (one for one, so that `text_start` and `text_end` stay true): C0 control characters
except tab, line feed and carriage return (NUL ends a string in C, ESC drives terminals), DEL, and lone
surrogates (not encodable as UTF-8). Everything else is kept as it came.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterable

REPLACEMENT = "\ufffd"
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_UNFIT_BYTE = np.zeros(256, dtype=bool)
_UNFIT_BYTE[[i for i in range(32) if i not in (9, 10, 13)] + [127]] = True


def clean(text: str) -> str:
    """The text with every character that cannot be stored replaced by U+FFFD; same length."""
    return _UNFIT.sub(REPLACEMENT, text)


def strings(values: Iterable[Any]) -> tuple[pa.Array, int]:
    """A column of text as an Arrow string array, cleaned, and the number of rows that had to be changed.

    None and NaN become NULL; whatever else is not text is stored as its `str`. Clean columns, nearly
    all, are checked as bytes; only the others pay for a look at each row.
    """
    try:
        array = pa.array(values, pa.string(), from_pandas=True)
        if not _has_unfit_bytes(array):
            return array, 0
    except (UnicodeEncodeError, pa.ArrowInvalid, pa.ArrowTypeError):
        pass  # a lone surrogate, or a value that is not text: both are handled row by row below
    rows = [None if _is_missing(v) else str(v) for v in values]
    cleaned = [None if r is None else clean(r) for r in rows]
    changed = sum(a != b for a, b in zip(rows, cleaned, strict=True))
    return pa.array(cleaned, pa.string()), changed


def _has_unfit_bytes(array: pa.Array) -> bool:
    if isinstance(array, pa.ChunkedArray):
        return any(_has_unfit_bytes(chunk) for chunk in array.chunks)
    data = array.buffers()[2]
    return data is not None and bool(_UNFIT_BYTE[np.frombuffer(data, dtype=np.uint8)].any())


def _is_missing(value: Any) -> bool:
    return value is None or value != value or type(value).__name__ in ("NAType", "NaTType")

"""All boxes that the tiles of one answer saw, as columns: an answer may have millions of them.

Knows how a tile's audit gives boxes. Refuses to know which of them are one object, and the map.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from groundproof.tables import NOT_COUNTED, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from groundproof.findings import BoxFinding

VERDICTS = tuple(Verdict)
"""By code."""

_CODES = {verdict: code for code, verdict in enumerate(VERDICTS)}
_COUNTS = np.array([verdict not in NOT_COUNTED for verdict in VERDICTS])

_NUMBERS = np.dtype(
    [
        ("box", np.float64, 4),
        ("angle", np.float64),
        ("score", np.float64),
        ("without_data", np.float64),
        ("tile", np.int32),
        ("number", np.int32),
        ("image", np.int32),
        ("label", np.int32),
        ("label_raw", np.int32),
        ("text_start", np.int32),
        ("text_end", np.int32),
        ("verdict", np.int8),
        ("in_evidence", np.bool_),
    ]
)

_BLOCK = 16_384
"""Boxes held as Python objects at a time."""


def verdict_code(verdict: str) -> int:
    """The code of a verdict in a column."""
    return _CODES[Verdict(verdict)]


def counts(verdicts: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Which rows (N,) of a column of verdicts are counted."""
    return np.asarray(_COUNTS[verdicts], dtype=np.bool_)


@dataclass(frozen=True, slots=True)
class SeenColumns:
    """Boxes in the order in which they were added.

    numbers: structured (N,), see `_NUMBERS`: box in scene px; angle and score NaN where there is none; tile: index
    of the tile, label and label_raw: index into `labels` and `labels_raw`; verdict: index into `VERDICTS`.
    quotes: N texts.
    """

    numbers: NDArray[Any]
    labels: list[str]
    labels_raw: list[str]
    quotes: pa.ChunkedArray

    def __len__(self) -> int:
        return len(self.numbers)

    def take(self, rows: NDArray[np.int64]) -> SeenColumns:
        """Some of them."""
        return SeenColumns(self.numbers[rows], self.labels, self.labels_raw, self.quotes.take(pa.array(rows)))


@dataclass(slots=True)
class SeenInTiles:
    """Collects the boxes of one answer, tile by tile."""

    _rows: list[tuple[Any, ...]] = field(default_factory=list)
    _quotes: list[str] = field(default_factory=list)
    _labels: dict[str, int] = field(default_factory=dict)
    _raw: dict[str, int] = field(default_factory=dict)
    _blocks: list[NDArray[Any]] = field(default_factory=list)
    _texts: list[pa.Array] = field(default_factory=list)

    def add(self, tile: int, boxes: Iterable[BoxFinding]) -> None:
        """Rows of one tile. tile: its index."""
        nan = float("nan")
        for one in boxes:
            box, source = one.box, one.source
            self._rows.append(
                (
                    (box.x0, box.y0, box.x1, box.y1),
                    nan if box.angle_deg is None else box.angle_deg,
                    nan if source.score is None else source.score,
                    one.without_data,
                    tile,
                    source.number,
                    source.image,
                    self._labels.setdefault(source.label, len(self._labels)),
                    self._raw.setdefault(source.label_raw, len(self._raw)),
                    source.text_start,
                    source.text_end,
                    _CODES[one.verdict],
                    source.role == "evidence",
                )
            )
            self._quotes.append(source.quote)
        if len(self._rows) >= _BLOCK:
            self._close_block()

    def columns(self) -> SeenColumns:
        """All that was added so far."""
        self._close_block()
        numbers = np.concatenate(self._blocks) if self._blocks else np.empty(0, dtype=_NUMBERS)
        return SeenColumns(
            numbers, list(self._labels), list(self._raw), pa.chunked_array(self._texts, pa.large_string())
        )

    def _close_block(self) -> None:
        if self._rows:
            self._blocks.append(np.array(self._rows, dtype=_NUMBERS))
            self._texts.append(pa.array(self._quotes, pa.large_string()))
            self._rows, self._quotes = [], []

"""The plan of a run on disk: one row per (tile, question), streamed in and out, never whole in memory.

Knows the columns of manifest.parquet and their order. Refuses to know what is asked, and what was answered.

`seq` is the number of a row, 0, 1, ..., so that any range of rows is found without looking; `batch_id` never falls
from row to row but for the -1 of tiles without a valid pixel, which are skipped and never shown to the model.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import cast

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

MANIFEST = pa.schema(
    [
        ("seq", pa.int64()),
        ("batch_id", pa.int64()),
        ("tile_id", pa.string()),
        ("answer_id", pa.string()),
        ("scene", pa.string()),
        ("question", pa.int32()),
        ("tile", pa.int64()),
        ("x0", pa.int64()),
        ("y0", pa.int64()),
        ("width", pa.int64()),
        ("height", pa.int64()),
        ("model_width", pa.int32()),
        ("model_height", pa.int32()),
    ]
)

GROUP_ROWS = 8192
"""Rows of a row group: what is in memory at a time. 1.5 MB as a data frame."""


def write_manifest(path: Path, tables: Iterable[pa.Table]) -> None:
    """Write rows as they come, numbering them; every row group but the last has `GROUP_ROWS` rows.

    tables: of `MANIFEST` without `seq`. Raises OSError, pa.ArrowException; what `tables` raises passes through.
    """
    columns = [name for name in MANIFEST.names if name != "seq"]
    seq = 0
    with pq.ParquetWriter(path, MANIFEST, compression="zstd") as writer:

        def put(rows: pa.Table) -> None:
            nonlocal seq
            numbers = pa.array(range(seq, seq + len(rows)), pa.int64())
            whole = pa.Table.from_arrays([numbers, *(rows[name] for name in columns)], schema=MANIFEST)
            writer.write_table(whole, row_group_size=GROUP_ROWS)
            seq += len(rows)

        waiting: list[pa.Table] = []
        n_waiting = 0
        for table in tables:
            waiting.append(table)
            n_waiting += len(table)
            if n_waiting >= GROUP_ROWS:
                rows = pa.concat_tables(waiting)
                whole = n_waiting - n_waiting % GROUP_ROWS
                put(rows.slice(0, whole))
                waiting, n_waiting = [rows.slice(whole)], n_waiting - whole
        if n_waiting:
            put(pa.concat_tables(waiting))


class Manifest:
    """manifest.parquet of one run. Raises OSError or pa.ArrowException when it is damaged."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._groups = [
            (group.column(1).statistics, group.num_rows)
            for group in map(self._file.metadata.row_group, range(self._file.metadata.num_row_groups))
        ]

    @cached_property
    def _file(self) -> pq.ParquetFile:
        return pq.ParquetFile(self._path)

    @property
    def rows(self) -> int:
        """All rows, those of skipped tiles too."""
        return int(self._file.metadata.num_rows)

    @cached_property
    def batches(self) -> int:
        """How many batches there are; their ids are 0, 1, ... without a gap."""
        return max((int(stats.max) for stats, _ in self._groups), default=-1) + 1

    def frames(self, low: int = 0, high: int | None = None) -> Iterator[pd.DataFrame]:
        """Rows with low <= seq < high in order, at most `GROUP_ROWS` at a time."""
        end = self.rows if high is None else min(high, self.rows)
        for group in range(low // GROUP_ROWS, -(-end // GROUP_ROWS)):
            start = group * GROUP_ROWS
            table = self._file.read_row_group(group)
            first, last = max(low - start, 0), min(end - start, len(table))
            if first < last:
                yield table.slice(first, last - first).to_pandas()

    def of_batches(self, batches: Iterable[int]) -> Iterator[tuple[int, pd.DataFrame]]:
        """Each batch with its rows, in order. batches: ascending ids; others than the run's are left out."""
        wanted = iter(batches)
        batch = next(wanted, None)
        if batch is None:
            return
        left: pd.DataFrame | None = None
        for low, high, last in self._ends():
            if batch is None:
                return
            if last < batch:
                left = None
                continue
            for frame in self.frames(low, high):
                rows = frame if left is None else pd.concat([left, frame], ignore_index=True)
                for found, of_batch in rows[rows.batch_id >= batch].groupby("batch_id"):
                    number = int(cast("int", found))
                    if number == last and high < self.rows:
                        break  # it may go on in the next group
                    while batch is not None and batch < number:
                        batch = next(wanted, None)
                    if batch == number:
                        yield number, of_batch
                        batch = next(wanted, None)
                left = rows[rows.batch_id == last]

    def _ends(self) -> Iterator[tuple[int, int, int]]:
        """Of each row group: its first row, the row behind its last, and the highest batch so far."""
        starts = [0]
        for _, count in self._groups:
            starts.append(starts[-1] + count)
        last = -1
        for (low, high), (stats, _) in zip(pairwise(starts), self._groups, strict=True):
            last = max(last, int(stats.max))
            yield low, high, last

"""The tables of a result on disk while it is put together: rows are added in pieces, read in chunks.

Knows Arrow files and memory. Refuses to know where rows come from and what becomes of them. What is held in memory
is bounded, whatever the size of the result: `CHUNK_ROWS` rows or `CHUNK_BYTES` of each table.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

import geopandas as gpd
import pyarrow as pa

from groundproof.errors import OutputError
from groundproof.outputs.arrow import batches, schema
from groundproof.outputs.decoding import frame
from groundproof.outputs.files import reason
from groundproof.outputs.workshop import LOCK, hold
from groundproof.tables import CHUNK_ROWS, TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from types import TracebackType

    import pandas as pd
    from pyproj import CRS

CHUNK_BYTES = 32 * 2**20
"""A chunk is closed when it holds this much, so that a table of long texts does not fill the memory either."""

_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4")


class Spool:
    """`Tables` on disk, in a folder of its own that is gone with it. A context manager.

    Text is made fit to be stored while it is added, as the writers do (see `text.py`); `metadata` then holds
    `replaced_characters`, {"table.column": rows}. Everything else comes back as it was added: lists, dicts, None,
    NaN; times as RFC 3339 text in UTC, milliseconds. What a killed process left at the same place is cleared.

    Not for several threads. Raises OutputError when the folder is another's, in use, or cannot be written.
    """

    def __init__(self, folder: Path, crs: CRS | None) -> None:
        self.folder = folder
        self.crs = crs
        self.replaced: Counter[str] = Counter()
        self._metadata: dict[str, Any] = {}
        with self._told():
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = self._locked()
            self._clear()
        self._tables = {name: _Table(folder, name) for name in TABLES}

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Provenance, and which columns had text that could not be stored as it came."""
        return self._metadata | ({"replaced_characters": dict(self.replaced)} if self.replaced else {})

    @metadata.setter
    def metadata(self, value: Mapping[str, Any]) -> None:
        self._metadata = dict(value)

    def add(self, table: str, rows: pd.DataFrame) -> None:
        """Puts rows behind those the table has. A plain frame's `geometry` is a column of shapes in the spool's CRS.

        Raises:
            ValueError: other columns than the table's, another CRS, or shapes that the table does not hold.
            OutputError: the disk is full, for example.
        """
        expected = [*(c.name for c in TABLES[table]), "geometry"]
        if list(rows.columns) != expected:
            raise ValueError(f"table {table}: expected columns {expected}, got {list(rows.columns)}")
        if isinstance(rows, gpd.GeoDataFrame) and rows.crs != self.crs:
            raise ValueError(f"table {table}: expected rows in {self.crs}, got rows in {rows.crs}")
        with self._told():
            for batch in batches(table, rows, lists=True, replaced=self.replaced):
                self._tables[table].add(batch)

    def count(self, name: str) -> int:
        """How many rows were added to the table."""
        return self._tables[name].rows

    def batches(self, name: str) -> Iterator[pa.RecordBatch]:
        """The table as Arrow batches, see `arrow.Stored`."""
        with self._told():
            yield from self._tables[name].batches()

    def frames(self, name: str) -> Iterator[gpd.GeoDataFrame]:
        """The table's rows in order, see `tables.Tables`."""
        start = 0
        for batch in self.batches(name):
            yield frame(name, batch, self.crs, start=start)
            start += batch.num_rows

    def close(self) -> None:
        """Removes the folder. Whatever cannot be removed is cleared by the next spool at this place."""
        for table in self._tables.values():
            table.discard()
        shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self._lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _locked(self) -> int:
        """A lock that goes with the process, however it ends: what lies in an unlocked folder is left over."""
        try:
            return hold(self.folder / LOCK)[0]
        except BlockingIOError as err:
            raise OutputError(
                f"Another process is putting a result together in {self.folder}. Wait for it, or stop it."
            ) from err

    def _clear(self) -> None:
        found = [path for path in self.folder.iterdir() if path.name != LOCK]
        foreign = [path.name for path in found if not _is_ours(path)]
        if foreign:
            raise OutputError(
                f"{self.folder} holds other files ({', '.join(sorted(foreign)[:3])}), so no result is put together "
                "there. Give a folder that does not exist."
            )
        for path in found:
            path.unlink()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as err:
            raise OutputError(
                f"The result cannot be put together in {self.folder}: {reason(self.folder, err)}"
            ) from err


def _is_ours(path: Path) -> bool:
    return path.suffix == ".arrow" and path.stem.split("-")[0] in TABLES and not path.is_dir()


class _Table:
    """One table: files that are complete, the one being written, and rows that wait for a chunk to be full."""

    def __init__(self, folder: Path, name: str) -> None:
        self.rows = 0
        self._folder, self._name = folder, name
        self._schema = schema(name, lists=True)
        self._files: list[Path] = []
        self._writer: pa.ipc.RecordBatchFileWriter | None = None
        self._sink: Any = None
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_rows = self._waiting_bytes = 0

    def add(self, batch: pa.RecordBatch) -> None:
        self.rows += batch.num_rows
        while batch.num_rows:
            room = CHUNK_ROWS - self._waiting_rows
            row_bytes = max(1, batch.nbytes // batch.num_rows)
            room = max(1, min(room, (CHUNK_BYTES - self._waiting_bytes) // row_bytes))
            self._wait(batch.slice(0, room))
            if batch.num_rows >= room:
                self._flush()
            batch = batch.slice(room)

    def _wait(self, batch: pa.RecordBatch) -> None:
        """Keeps rows until a chunk is full. Parts are joined as they double: most answers give very few rows."""
        self._waiting_rows += batch.num_rows
        self._waiting_bytes += batch.nbytes
        self._waiting.append(batch)
        while len(self._waiting) > 1 and self._waiting[-2].num_rows <= self._waiting[-1].num_rows:
            self._waiting[-2:] = [pa.concat_batches(self._waiting[-2:])]

    def batches(self) -> Iterator[pa.RecordBatch]:
        self._flush()
        self._finish()
        for path in self._files:
            # Not mapped into memory: pages of a mapped file count as the process's own.
            with pa.OSFile(str(path)) as source:
                reader = pa.ipc.open_file(source)
                for i in range(reader.num_record_batches):
                    yield reader.get_batch(i)

    def discard(self) -> None:
        """Lets go of the file being written, which is to be removed: it need not be complete."""
        self._writer = None
        if self._sink is not None:
            self._sink.close()

    def _finish(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._sink.close()
            self._writer = self._sink = None

    def _flush(self) -> None:
        if not self._waiting:
            return
        if self._writer is None:
            path = self._folder / f"{self._name}-{len(self._files)}.arrow"
            self._sink = pa.OSFile(str(path), "wb")
            self._writer = pa.ipc.new_file(self._sink, self._schema, options=_OPTIONS)
            self._files.append(path)
        self._writer.write(pa.concat_batches(self._waiting))
        self._waiting = []
        self._waiting_rows = self._waiting_bytes = 0

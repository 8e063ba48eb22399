"""A result of any size as a folder of GeoParquet files: FOLDER/{evidence,answers,tiles,scenes}/part-00000.parquet.

Knows how rows become files: evidence and tiles lie along a Hilbert curve over the whole table, so that a filter by
place reads few files and few row groups of them. The other tables keep their order. Memory is bounded: 12 bytes for
each row of the table being sorted, and one part.

Source: https://geoparquet.org/releases/v1.1.0/
"""

from __future__ import annotations

import os
import re
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from groundproof.errors import OutputError
from groundproof.outputs.arrow import Stored, schema
from groundproof.outputs.files import WRITERS_ERRORS, explain, sync
from groundproof.outputs.geoparquet import METADATA_KEY, GeoParquetFile
from groundproof.outputs.hilbert import along_curve
from groundproof.outputs.spool import Spool
from groundproof.outputs.workshop import workshop
from groundproof.tables import TABLES, Tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

ROWS_PER_PART = 250_000
PART_BYTES = 64 * 2**20
"""Of a part before compression, on average: a part is sorted in memory. Long texts make parts of fewer rows."""
ROW_GROUP = 16_384
"""Rows of a part whose bounding boxes have statistics of their own: what a filter by place can skip."""
OPEN_FILES = 128
"""So many parts are filled in one pass over the table; a process may have some 1,000 files open."""

SORTED = ("evidence", "tiles")
_PART = re.compile(r"part-\d{5,}\.parquet")


def write_partitioned(tables: Tables, path: Path) -> list[Path]:
    """Writes the folder, whole or not at all, and returns it and its files.

    Every table has at least one file, also an empty one. The result's metadata are in each table's first.
    A folder that is a result already is replaced: it is moved away, the new one takes its name.

    Raises:
        OutputError: see `refuse_other_folder`, `files.explain`.
    """
    target = Path(os.path.realpath(path))
    refuse_other_folder(target)
    try:
        with workshop(target) as shop, ExitStack() as stack:
            # Read several times, as Arrow: a result in memory is put on disk first.
            stored = tables if isinstance(tables, Stored) else _copied(tables, shop, stack)
            made = shop / "made"
            for name in TABLES:
                (made / name).mkdir(parents=True)
                _write_table(stored, name, made / name, shop)
                sync(made / name)
            files = [file.relative_to(made) for name in TABLES for file in sorted((made / name).iterdir())]
            refuse_other_folder(target)  # again: writing may have taken minutes
            _replace(made, target, shop)
    except WRITERS_ERRORS as err:
        raise OutputError(explain(path, err)) from err
    return [path, *(path / file for file in files)]


def refuse_other_folder(path: Path) -> None:
    """Raises OutputError when a folder of this name cannot be made, or is something other than a result."""
    if not path.parent.is_dir():
        raise OutputError(
            f"{path.name} cannot be written: there is no folder {path.parent}. Make it or choose another."
        )
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise OutputError(
            f"{path.name} cannot be written: the folder {path.parent} is not writable. Choose another."
        )
    if not path.exists():
        return
    if not path.is_dir():
        raise OutputError(
            f"{path.name} is a file, and a folder of this name was asked for. Choose another name."
        )
    strange = [p.relative_to(path).as_posix() for p in path.rglob("*") if not _belongs(p, path)]
    if strange or (any(path.iterdir()) and not is_partitioned(path)):
        what = f"other files ({', '.join(sorted(strange)[:3])})" if strange else "no result of groundproof"
        raise OutputError(f"{path} holds {what}, so it is not replaced. Give the name of a new folder.")


def is_partitioned(path: Path) -> bool:
    """Whether the folder is a result that `write_partitioned` made."""
    first = path / "evidence" / "part-00000.parquet"
    try:
        return first.is_file() and METADATA_KEY in (pq.read_metadata(first).metadata or {})
    except (pa.ArrowException, OSError):
        return False


def parts(path: Path, table: str) -> list[Path]:
    """A table's files, in order."""
    return sorted(p for p in (path / table).iterdir() if _PART.fullmatch(p.name))


def _belongs(file: Path, folder: Path) -> bool:
    names = file.relative_to(folder).parts
    if names[0] not in TABLES:
        return False
    return file.is_dir() if len(names) == 1 else len(names) == 2 and bool(_PART.fullmatch(names[1]))


def _copied(tables: Tables, shop: Path, stack: ExitStack) -> Spool:
    spool = stack.enter_context(Spool(shop / "spool", tables.crs))
    for name in TABLES:
        for frame in tables.frames(name):
            spool.add(name, frame)
    spool.metadata = tables.metadata
    return spool


def _write_table(tables: Stored, name: str, folder: Path, shop: Path) -> None:
    rows = tables.count(name)
    if not rows:
        _write_part(tables, name, folder, 0, iter(()))
        return
    per_part = min(ROWS_PER_PART, max(1, PART_BYTES * rows // max(1, _size(tables, name))))
    if name not in SORTED:
        for part, batches in enumerate(_in_order(tables, name, per_part)):
            _write_part(tables, name, folder, part, iter(batches))
        return
    order = along_curve(tables, name, shop / "centres")
    buckets = shop / "buckets"
    n_parts = -(-rows // per_part)
    for first in range(0, n_parts, OPEN_FILES):
        buckets.mkdir()
        some = range(first, min(first + OPEN_FILES, n_parts))
        _fill(tables, name, order, per_part, some, buckets)
        for part in some:
            mine = order[part * per_part : (part + 1) * per_part]
            _write_part(tables, name, folder, part, _sorted_rows(buckets / f"{part}.arrow", mine))
            (buckets / f"{part}.arrow").unlink()
        buckets.rmdir()


def _size(tables: Stored, name: str) -> int:
    return sum(batch.nbytes for batch in tables.batches(name))


def _in_order(tables: Stored, name: str, per_part: int) -> Iterator[list[pa.RecordBatch]]:
    waiting: list[pa.RecordBatch] = []
    room = per_part
    for whole in tables.batches(name):
        batch = whole
        while batch.num_rows:
            waiting.append(batch.slice(0, room))
            batch = batch.slice(room)
            room -= waiting[-1].num_rows
            if not room:
                yield waiting
                waiting, room = [], per_part
    if waiting:
        yield waiting


def _fill(
    tables: Stored, name: str, order: NDArray[np.uint32], per_part: int, some: range, buckets: Path
) -> None:
    """Puts the rows of some parts into a file for each, in the table's order."""
    part_of = np.full(tables.count(name), -1, dtype=np.int32)
    for part in some:
        part_of[order[part * per_part : (part + 1) * per_part]] = part
    target = schema(name, lists=True)
    with ExitStack() as stack:
        writers = {}
        for part in some:
            sink = stack.enter_context(pa.OSFile(str(buckets / f"{part}.arrow"), "wb"))
            options = pa.ipc.IpcWriteOptions(compression="lz4")
            writers[part] = stack.enter_context(pa.ipc.new_file(sink, target, options=options))
        start = 0
        for batch in tables.batches(name):
            here = part_of[start : start + batch.num_rows]
            start += batch.num_rows
            by_part = np.argsort(here, kind="stable")
            found, at = np.unique(here[by_part], return_index=True)
            for part, rows in zip(found.tolist(), np.split(by_part, at[1:]), strict=True):
                if part >= 0:
                    writers[part].write(batch.take(pa.array(rows)))


def _sorted_rows(bucket: Path, mine: NDArray[np.uint32]) -> Iterator[pa.RecordBatch]:
    """The rows of a part along the curve. mine: their places in the table, along the curve."""
    with pa.OSFile(str(bucket)) as source:
        (whole,) = pa.ipc.open_file(source).read_all().combine_chunks().to_batches()
    place = np.searchsorted(np.sort(mine), mine)
    for start in range(0, len(place), ROW_GROUP):
        yield whole.take(pa.array(place[start : start + ROW_GROUP]))


def _write_part(
    tables: Tables, name: str, folder: Path, part: int, batches: Iterator[pa.RecordBatch]
) -> None:
    path = folder / f"part-{part:05d}.parquet"
    metadata: dict[str, Any] | None = dict(tables.metadata) if part == 0 else None
    with GeoParquetFile(path, name, tables.crs, row_group=ROW_GROUP) as file:
        for batch in batches:
            file.add(batch)
        file.finish(metadata)
    sync(path)


def _replace(made: Path, target: Path, shop: Path) -> None:
    """Gives `made` the name `target`. No system replaces a full folder in one step; a failure puts the old one back."""
    if not target.exists():
        made.rename(target)
    else:
        old = shop / "old"
        target.rename(old)
        try:
            made.rename(target)
        except OSError:
            old.rename(target)
            raise
    sync(target.parent)

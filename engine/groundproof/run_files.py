"""Files of a run directory: their columns, and writing them whole or not at all.

Knows Parquet, locks and what a disk may refuse. Refuses to know what a run is.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from groundproof.errors import OutputError, RunError

SCENES = pa.schema(
    [
        ("scene", pa.string()),
        ("path", pa.string()),
        ("content_id", pa.string()),
        ("crs_wkt", pa.string()),
        ("affine", pa.list_(pa.float64())),
        ("gcps", pa.list_(pa.list_(pa.float64()))),
        ("width", pa.int64()),
        ("height", pa.int64()),
        ("gsd_m", pa.float64()),
        ("datetime", pa.string()),
        ("status", pa.string()),
        ("reason", pa.string()),
        ("notes", pa.list_(pa.string())),
        (
            "aois",
            pa.list_(
                pa.struct(
                    [
                        ("name", pa.string()),
                        ("polygon_px", pa.binary()),
                        ("whole", pa.bool_()),
                        ("first", pa.int64()),
                        ("rows", pa.int64()),
                    ]
                )
            ),
        ),
    ]
)
"""scenes.parquet. aois: what of the scene is asked about, in answer order: a WKB polygon in scene pixels, whether
it is the whole scene, and which manifest rows are about it, all questions together."""

PART = pa.schema(
    [
        ("seq", pa.int64()),
        ("tile_id", pa.string()),
        ("answer_id", pa.string()),
        ("status", pa.string()),
        ("attempts", pa.int32()),
        ("seconds", pa.float64()),
        ("finish", pa.string()),
        ("text", pa.string()),
        ("error", pa.string()),
        ("piece_lengths", pa.list_(pa.int32())),
        ("piece_logprobs", pa.list_(pa.float32())),
        ("pixels_hash", pa.string()),
        ("valid_share", pa.float64()),
        ("valid_cells", pa.list_(pa.binary())),
    ]
)
"""One answered tile. piece_*: characters and log-probability of each piece of `text`, in order. valid_cells: of
every date's image, see `data_cells`; NULL in what earlier versions wrote."""

FOLLOW_UP = pa.schema(
    [
        ("kind", pa.string()),
        ("answer_id", pa.string()),
        ("key", pa.string()),
        ("outcome", pa.string()),
        ("text", pa.string()),
        ("reason", pa.string()),
        ("finish", pa.string()),
        ("seconds", pa.float64()),
    ]
)
"""One answer of a later pass: kind "overview" (of an AOI) or "second-look" (key: the box looked at)."""


FAILED_LIST = "failed.csv"
"""In the run directory: what failed, where something did; see `failed_list.py`."""
SPOOL = "result.spool"
"""In the run directory, only while a result is made: see `on_disk.py`."""

LOCK_TRIES = 3
LOCK_PAUSE_S = 0.1
"""A lock that is held for an instant by who asks `is_locked` is waited for."""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the system's refusals to write into an OutputError that says where and what to do."""
    try:
        yield
    except OSError as err:
        if err.errno in (errno.ENOSPC, errno.EDQUOT):
            raise OutputError(
                f"The disk is full while writing {path}. What was answered so far is kept; "
                "free some space and resume."
            ) from err
        raise OutputError(
            f"Cannot write {path}: {err.strerror or err}. Name a place you may write to."
        ) from err


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a folder for this process alone. Raises RunError when another one does."""
    with writing(path):
        handle = (path / "run.lock").open("w")
    with handle:
        for left in reversed(range(LOCK_TRIES)):
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as err:
                if not left:
                    raise RunError(f"Another process is working on {path}. Wait for it, or stop it.") from err
                time.sleep(LOCK_PAUSE_S)
        yield


def is_locked(path: Path) -> bool:
    """Whether a process works on the folder now."""
    try:
        handle = (path / "run.lock").open()
    except FileNotFoundError:
        return False
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def read_part(path: Path, schema: pa.Schema) -> pa.Table:
    """The columns of `schema` of one file. Raises RunError, which says what to do, when it is damaged."""
    try:
        return pq.read_table(path, schema=schema)
    except (OSError, pa.ArrowException) as err:
        raise RunError(
            f"{path} is damaged: {err}. Delete it and resume: only its tiles are asked again."
        ) from err


def write_table(path: Path, table: pa.Table) -> None:
    """As `write_file`. Raises OutputError."""
    write_file(path, lambda temporary: pq.write_table(table, temporary, compression="zstd"))


def write_file(path: Path, write: Callable[[Path], Any]) -> None:
    """Write whole or not at all: temporary name, sync, rename, sync the folder.

    The name is the writer's own: a worker believed dead may still write what another one does again.

    Raises OutputError; what `write` raises otherwise passes through.
    """
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
    with writing(path):
        try:
            write(temporary)
            with temporary.open("rb") as handle:
                os.fsync(handle.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

"""Writing a file whole or not at all, and saying in words why it could not be written.

Knows paths, temporary names and locks. Refuses to know formats.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
from pyogrio.errors import DataLayerError, DataSourceError, FeatureError, FieldError

from groundproof.errors import OutputError
from groundproof.outputs.workshop import workshop

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIDECARS = ("-wal", "-journal", "-shm")
WRITERS_ERRORS = (
    OSError,
    sqlite3.Error,
    pa.ArrowException,
    DataSourceError,
    DataLayerError,
    FeatureError,
    FieldError,
)
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FREE_ENOUGH = 16 * 2**20
"""A failure of the database library with less than this many bytes free is told as a full disk: it does not
hand out the operating system's own reason."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Gives a temporary path on the same disk; on success it becomes `path`, else nothing is left of it.

    The finished file is synced before it is renamed, so that after a power cut there is the old file or
    the new one. A symbolic link is followed: the file it points to is replaced.

    Raises:
        OutputError: the place cannot be written, the old file is open elsewhere, or the disk is full.
    """
    target = Path(os.path.realpath(path))
    refuse_if_in_use(target)
    try:
        with workshop(target) as folder:
            temporary = folder / target.name  # GDAL wants the format's own suffix
            yield temporary
            sync(temporary)
            refuse_if_in_use(target)  # again: writing may have taken minutes
            os.replace(temporary, target)  # noqa: PTH105 (an atomic replace, on every platform)
            sync(target.parent)
    except WRITERS_ERRORS as err:
        raise OutputError(explain(path, err)) from err


def refuse_if_in_use(path: Path) -> None:
    """Raises OutputError when `path` cannot or must not be replaced. See the messages for the cases."""
    folder = path.parent
    if not folder.is_dir():
        raise OutputError(
            f"{path.name} cannot be written: there is no folder {folder}. Make it or choose another."
        )
    if path.is_dir():
        raise OutputError(f"{path} is a folder. Give the name of a file, such as {path / 'result.gpkg'}.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(
            f"{path.name} cannot be written: the folder {folder} is not writable. Choose another."
        )
    for suffix in _SIDECARS:
        if Path(f"{path}{suffix}").exists():
            raise OutputError(
                f"{path.name} is open in another program ({path.name}{suffix} is beside it). "
                "Close it there or choose another name."
            )
    if path.exists():
        if not os.access(path, os.W_OK):
            raise OutputError(f"{path.name} is read-only. Choose another name, or allow writing to it.")
        if _is_locked(path):
            raise OutputError(
                f"{path.name} is locked by another program. Close it there or choose another name."
            )


def _is_locked(path: Path) -> bool:
    """Whether another program holds a lock on an SQLite file. Files of other kinds are never locked."""
    with path.open("rb") as file:
        header = file.read(20)
    # A file in WAL mode that is in use has a -wal beside it; opening it here would make one.
    if not header.startswith(b"SQLite format 3\x00") or header[18:20] == b"\x02\x02":
        return False
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=0)
    try:
        connection.execute("BEGIN EXCLUSIVE")
        connection.rollback()
    except sqlite3.OperationalError as err:
        return err.sqlite_errorcode in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    except sqlite3.DatabaseError:
        return False  # damaged or not a database after all: nobody can hold a lock that matters
    finally:
        connection.close()
    return False


def explain(path: Path, err: Exception) -> str:
    """One sentence on why `path` was not written."""
    kept = "What was there is untouched." if path.exists() else "Nothing was left behind."
    return f"{path.name} was not written: {reason(path, err)} {kept}"


def reason(path: Path, err: Exception) -> str:
    """Why `path` could not be written, and what to do, as the end of a sentence."""
    number = err.errno if isinstance(err, OSError) else None
    if number in _NO_SPACE or "disk is full" in str(err) or (number is None and _is_nearly_full(path)):
        return f"no space is left on the disk of {path.parent}. Free some or choose another."
    if isinstance(err, PermissionError):
        return f"{err.strerror or err}. Close it elsewhere or choose another place."
    return f"{err}."


def _is_nearly_full(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.parent).free < _FREE_ENOUGH
    except OSError:  # the folder itself is gone, which `err` says already
        return False


def sync(path: Path) -> None:
    """Forces a file, or the entry of a folder, to the disk. Folders cannot be synced everywhere."""
    if path.is_dir() and os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    except OSError as err:
        if not (path.is_dir() and err.errno in (errno.EINVAL, errno.ENOTSUP)):
            raise
    finally:
        os.close(descriptor)

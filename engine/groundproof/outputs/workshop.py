"""A hidden folder beside what is being made, gone when it is done, whoever died in between.

Knows folders and locks. Refuses to know what is made in them. A lock goes with its process, however that ends; so an
unlocked workshop is one that a killed process left, and the next one at the same place removes it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOCK = "lock"
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
_NAME_LENGTH = 50
"""Characters of the target's name to keep: file systems take 255 bytes, a character may have four."""


@contextmanager
def workshop(target: Path) -> Iterator[Path]:
    """An empty folder beside `target`, on the same disk, so that what was made in it can be renamed to `target`.

    Raises OSError when it cannot be made.
    """
    start = f".{target.stem[:_NAME_LENGTH]}."
    _clear(target.parent, re.compile(re.escape(start) + r"[0-9a-f]{8}\.part"))
    folder, lock = _opened(target.parent, start)
    try:
        yield folder
    finally:
        # What cannot be removed now is removed by the next workshop here.
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def hold(path: Path) -> tuple[int, bool]:
    """Locks the file `path`, which is made: an open descriptor, and whether this file system knows locks at all.

    Raises:
        BlockingIOError: somebody else holds it.
    """
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as err:
        if err.errno in _NO_LOCKS:
            return lock, False
        os.close(lock)
        raise
    return lock, True


def _opened(parent: Path, start: str) -> tuple[Path, int]:
    while True:
        # The suffix marks it as unfinished; the leading dot keeps it out of file dialogs.
        folder = parent / f"{start}{secrets.token_hex(4)}.part"
        folder.mkdir()
        try:
            lock, _ = hold(folder / LOCK)
        except (BlockingIOError, FileNotFoundError):
            continue  # somebody took it for a leftover in the moment before it was locked
        if (folder / LOCK).exists():
            return folder, lock
        os.close(lock)


def _clear(parent: Path, name: re.Pattern[str]) -> None:
    for folder in parent.iterdir():
        if not name.fullmatch(folder.name) or not (folder / LOCK).exists():
            continue
        try:
            lock, known = hold(folder / LOCK)
        except OSError:
            continue  # in use, or just gone, or another user's
        if known:
            shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)

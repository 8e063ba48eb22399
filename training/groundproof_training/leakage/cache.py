"""Looks kept between runs: one SQLite file, one row for each window of each file.

A row counts while path, size and modification time of its file are the same. Written as it goes, so that an audit
that was killed goes on where it stopped. Refuses to know what the looks are compared for.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from groundproof_training.errors import TrainingError
from groundproof_training.leakage.look import LOOK_VERSION, SIDE_PX, TRANSFORMS, Look, Window

_TABLE = """
CREATE TABLE IF NOT EXISTS looks (
    path TEXT, window TEXT, size INTEGER, mtime_ns INTEGER, version INTEGER,
    sha256 TEXT, pixels TEXT, hashes BLOB, thumbnail BLOB, PRIMARY KEY (path, window)
)
"""


class LookCache:
    """A context manager. file: None keeps nothing. Raises TrainingError where the file is no such cache."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._base = sqlite3.connect(file or ":memory:")
            self._base.execute("PRAGMA journal_mode = WAL")  # a commit a file, without a sync each
            self._base.execute("PRAGMA synchronous = NORMAL")
            self._base.execute(_TABLE)
        except sqlite3.Error as err:
            raise TrainingError(
                f"{file} cannot be used as the cache of looks: {err}. Give another --cache."
            ) from err

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._base.commit()
        self._base.close()

    def find(self, file: Path, windows: Iterable[Window | None]) -> list[Look | None]:
        """What is known of the file as it is now."""
        windows = list(windows)
        try:
            stat = file.stat()
        except OSError:
            return [None] * len(windows)
        with closing(
            self._base.execute(
                "SELECT window, sha256, pixels, hashes, thumbnail FROM looks "
                "WHERE path = ? AND size = ? AND mtime_ns = ? AND version = ?",
                (str(file), stat.st_size, stat.st_mtime_ns, LOOK_VERSION),
            )
        ) as rows:
            known = {row[0]: _look(row[1:]) for row in rows}
        return [known.get(_name(window)) for window in windows]

    def keep(self, file: Path, windows: list[Window | None], looks: list[Look]) -> None:
        """Remember; a file that has gone since is not."""
        try:
            stat = file.stat()
        except OSError:
            return
        self._base.executemany(
            "INSERT OR REPLACE INTO looks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (str(file), _name(window), stat.st_size, stat.st_mtime_ns, LOOK_VERSION, one.sha256, one.pixels,
                 one.hashes.tobytes(), one.thumbnail.tobytes())
                for window, one in zip(windows, looks, strict=True)
            ],
        )  # fmt: skip
        self._base.commit()


def _name(window: Window | None) -> str:
    return "" if window is None else ",".join(str(value) for value in window)


def _look(row: tuple[str, str, bytes, bytes]) -> Look:
    sha256, pixels, hashes, thumbnail = row
    return Look(
        sha256,
        pixels,
        np.frombuffer(hashes, np.uint64, len(TRANSFORMS)),
        np.frombuffer(thumbnail, np.uint8).reshape(SIDE_PX, SIDE_PX),
    )

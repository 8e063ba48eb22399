"""A result as one clean file for somebody else: everything that is saved, and nothing beside it.

Knows SQLite's journal files. Refuses to know what is in the tables: styles, provenance and the review all go with it.
QGIS keeps a GeoPackage in two files while it is open (`-wal`); a copy of the first alone would lack the review.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from groundproof_qgis.i18n_text import tr
from groundproof_qgis.layers.errors import LayerError

SUFFIX = ".gpkg"


def hand_over(source: Path, target: Path) -> Path:
    """Write the saved state of a GeoPackage into another file, also while QGIS shows it; gives the file's path.

    Edits that are not saved are not in it: save the review first. A file at target is replaced, unless somebody has it
    open. Raises LayerError.
    """
    target = target if target.suffix.lower() == SUFFIX else target.with_name(target.name + SUFFIX)
    if not source.is_file():
        raise LayerError(tr("The file {path} is not there.").format(path=source))
    if target.exists() and target.samefile(source):
        raise LayerError(tr("{path} is the file that is open. Choose another name.").format(path=target))
    if target.with_name(target.name + "-wal").exists():
        raise LayerError(
            tr("{path} is open in a program. Close it there, or choose another name.").format(path=target)
        )
    beside = target.with_name(f".{target.name}.new")
    try:
        beside.unlink(missing_ok=True)
        _copy(source, beside)
        beside.replace(target)
    except (OSError, sqlite3.Error) as err:
        raise LayerError(
            tr("{path} could not be written: {reason}. Choose another place.").format(path=target, reason=err)
        ) from err
    return target


def _copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as reader, closing(sqlite3.connect(target)) as writer:
        reader.backup(writer)
        # The copy says that it is kept in two files, as the original is; this folds it into one.
        writer.execute("PRAGMA journal_mode=DELETE")

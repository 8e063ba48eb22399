"""A result as one clean file for somebody else: everything that is saved, and nothing beside it.

Knows SQLite's journal files, and which columns can name folders of this computer: in the copy they name files only.
Refuses to know what else is in the tables: styles, provenance and the review all go with it. QGIS keeps a GeoPackage in
two files while it is open (`-wal`); a copy of the first alone would lack the review.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from groundproof_qgis.i18n_text import tr
from groundproof_qgis.layers.errors import LayerError
from groundproof_qgis.layers.folders import Folders
from groundproof_qgis.layers.gpkg_metadata import documents, put

SUFFIX = ".gpkg"

_WITH_PATHS = (
    ("SELECT path, fid FROM scenes", "UPDATE scenes SET path = ? WHERE fid = ?"),
    ("SELECT reason, fid FROM scenes", "UPDATE scenes SET reason = ? WHERE fid = ?"),
    ("SELECT coverage, fid FROM answers", "UPDATE answers SET coverage = ? WHERE fid = ?"),
    ("SELECT audit, fid FROM answers", "UPDATE answers SET audit = ? WHERE fid = ?"),
    ("SELECT context, fid FROM answers", "UPDATE answers SET context = ? WHERE fid = ?"),
    # Tiles' texts are the model's own words, but for those that failed.
    (
        "SELECT text, fid FROM tiles WHERE status NOT IN ('ok', 'empty')",
        "UPDATE tiles SET text = ? WHERE fid = ?",
    ),
)
"""Where files are named: images, and where something could not be read."""


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
        _without_folders(writer)
        # The copy says that it is kept in two files, as the original is; this folds it into one.
        writer.execute("PRAGMA journal_mode=DELETE")


def _without_folders(connection: sqlite3.Connection) -> None:
    """Only names of files, where the result names its images, its run and its model."""
    # The spatial index's triggers name these functions, and never call them: no geometry changes here.
    for name in ("ST_IsEmpty", "ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY"):
        connection.create_function(name, 1, lambda _geometry: 0)
    metadata = {key: found for key, found in documents(connection) if found}
    scenes = [{"path": path} for (path,) in connection.execute("SELECT path FROM scenes")]
    folders = Folders(scenes, {str(key): found for key, found in metadata.items()})
    if not folders:
        return
    for key, found in metadata.items():
        put(connection, key, folders.value(found))
    for read, write in _WITH_PATHS:
        rows = [(text, fid) for text, fid in connection.execute(read) if text]
        changed = [(folders.without(text), fid) for text, fid in rows if folders.without(text) != text]
        connection.executemany(write, changed)
    connection.commit()

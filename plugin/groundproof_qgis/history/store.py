"""The runs of a project in their folders: written whole or not at all, listed newest first, none ever lost.

Knows files. Refuses to know projects (`folders`) and layers.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

from groundproof_qgis.history.record import ASKING, DAMAGED, INTERRUPTED, RunRecord
from groundproof_qgis.i18n_text import tr

RECORD, RESULT = ".json", ".gpkg"


@dataclass(frozen=True)
class Listed:
    """One run of the list. path: of its GeoPackage, whether it is there or not."""

    record: RunRecord
    folder: Path

    @property
    def path(self) -> Path:
        """Of the GeoPackage."""
        return self.folder / self.record.gpkg

    @property
    def has_result(self) -> bool:
        """Whether there is a GeoPackage to open."""
        return self.path.is_file()


def save(folder: Path, record: RunRecord) -> Path:
    """Write a record, in place of its earlier state. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{record.run_id}{RECORD}"
    beside = folder / f".{record.run_id}{RECORD}.new"
    with beside.open("w", encoding="utf-8") as file:
        file.write(record.as_json())
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    return path


def listed(folders: Iterable[Path], running: Collection[str] = ()) -> list[Listed]:
    """All runs of these folders, newest first. running: ids of those that are still watched in this QGIS.

    A run that was asking and is not watched any more is interrupted; a record that cannot be read, and a GeoPackage
    without one, are listed as damaged.
    """
    found: dict[str, Listed] = {}
    for folder in dict.fromkeys(folders):
        if not folder.is_dir():
            continue
        for path in folder.glob(f"*{RECORD}"):
            found.setdefault(path.stem, Listed(_read(path, running), folder))
        for path in folder.glob(f"*{RESULT}"):
            if not path.name.startswith("."):
                found.setdefault(path.stem, Listed(_damaged(path), folder))
    return sorted(found.values(), key=lambda one: (one.record.asked_at, one.record.run_id), reverse=True)


def remove(run: Listed) -> None:
    """Delete a run's record and GeoPackage. Raises OSError, such as for a file that a program holds."""
    if run.has_result and run.path.with_name(run.path.name + "-wal").exists():
        raise OSError(tr("{path} is open. Take its layers out of the project first.").format(path=run.path))
    run.path.unlink(missing_ok=True)
    (run.folder / f"{run.record.run_id}{RECORD}").unlink(missing_ok=True)


def _read(path: Path, running: Collection[str]) -> RunRecord:
    try:
        record = RunRecord.from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return _damaged(path)
    if record.run_id != path.stem:
        return _damaged(path)
    if record.status == ASKING and record.run_id not in running:
        sentence = tr("QGIS was closed before the answer was complete.")
        return replace(record, status=INTERRUPTED, sentence=record.sentence or sentence)
    return record


def _damaged(path: Path) -> RunRecord:
    """What can be said of a run from its files' names and times."""
    when = datetime.fromtimestamp(path.stat().st_mtime, timezone.utc).isoformat(timespec="seconds")
    return RunRecord(
        path.stem,
        when.replace("+00:00", "Z"),
        "",
        gpkg=f"{path.stem}{RESULT}",
        status=DAMAGED,
        sentence=tr("What was asked cannot be read any more; the result, where there is one, can be opened."),
    )

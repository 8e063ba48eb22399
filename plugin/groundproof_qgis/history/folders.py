"""Where the runs of a project are kept: beside the project file, else in the user's own folder.

Knows projects and folders. Refuses to know what a run is. The project remembers its folders, relative to its file where
that is possible, so that a project that was moved, or saved only after asking, finds its runs.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from qgis.core import QgsProject
from qgis.PyQt.QtCore import QStandardPaths

from groundproof_qgis.i18n_text import tr

SCOPE, ENTRY = "groundproof", "folders"
BESIDE = "_groundproof"


@dataclass(frozen=True)
class RunFolder:
    """Where new runs go. sentence: what a person should know about it, "" for nothing."""

    path: Path
    sentence: str = ""


def user_folder() -> Path:
    """The folder for runs of projects that have no place of their own."""
    where = QStandardPaths.StandardLocation.AppLocalDataLocation
    return Path(QStandardPaths.writableLocation(where)) / "groundproof" / "runs"


def beside(project: QgsProject) -> Path | None:
    """The folder beside the project's file; None while it has no file, or lies in a database."""
    file = Path(project.absoluteFilePath()) if project.absoluteFilePath() else None
    return None if file is None else file.with_name(file.stem + BESIDE)


def folders(project: QgsProject) -> list[Path]:
    """All folders that hold runs of this project."""
    known, _ = project.readListEntry(SCOPE, ENTRY)
    found = [Path(project.readPath(text)) for text in known]
    here = beside(project)
    return list(dict.fromkeys([*([here] if here is not None else []), *found]))


def folder_for_new_runs(
    project: QgsProject, elsewhere: Path | None = None, chosen: Path | None = None
) -> RunFolder:
    """The folder for runs that begin now: made, writable, and remembered by the project.

    elsewhere: the user's folder. chosen: where the person keeps all results; None: beside the project. Raises OSError
    when that, or the user's folder, cannot be written.
    """
    base = user_folder() if elsewhere is None else elsewhere
    here = beside(project)
    if chosen is not None:
        mine = [one for one in folders(project) if one.parent == chosen]
        folder = mine[0] if mine else chosen / (_unsaved() if here is None else here.name)
        _prepare(folder)
        _remember(project, folder)
        return RunFolder(folder)
    if here is None:
        mine = [one for one in folders(project) if one.parent == base]
        chosen = mine[0] if mine else base / _unsaved()
        _prepare(chosen)
        _remember(project, chosen)
        sentence = tr("The project is not saved yet; results are kept in {folder}.").format(folder=chosen)
        return RunFolder(chosen, sentence)
    try:
        _prepare(here)
    except OSError as err:
        name = hashlib.sha256(str(here).encode()).hexdigest()[:8]
        chosen = base / f"{here.name[: -len(BESIDE)]}-{name}"
        _prepare(chosen)
        _remember(project, chosen)
        sentence = tr("{folder} cannot be written ({reason}); results are kept in {other}.")
        return RunFolder(chosen, sentence.format(folder=here, reason=err.strerror or str(err), other=chosen))
    _remember(project, here)
    return RunFolder(here)


def _unsaved() -> str:
    return f"unsaved-{datetime.now(timezone.utc):%Y%m%d}-{secrets.token_hex(3)}"


def _prepare(folder: Path) -> None:
    """Make the folder, and prove that files can be made in it."""
    folder.mkdir(parents=True, exist_ok=True)
    probe = folder / f".{secrets.token_hex(4)}"
    probe.touch()
    probe.unlink()


def _remember(project: QgsProject, folder: Path) -> None:
    known, _ = project.readListEntry(SCOPE, ENTRY)
    if folder not in [Path(project.readPath(text)) for text in known]:
        project.writeEntry(SCOPE, ENTRY, [*known, project.writePath(str(folder))])

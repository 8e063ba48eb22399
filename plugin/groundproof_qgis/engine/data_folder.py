"""The folder in which the engine on this computer keeps scenes and jobs.

One engine at a time works on a folder. A second QGIS, or qgis_process beside it, takes another one; who starts alone
always gets the first, where earlier jobs are.
"""

from __future__ import annotations

from pathlib import Path

from qgis.PyQt.QtCore import QLockFile

from groundproof_qgis.engine.errors import FAILED, EngineError
from groundproof_qgis.i18n_text import tr

MOST = 16


class DataFolder:
    """Held until `release` or the end of the process. Raises EngineError (failed) when the disk does not take it."""

    def __init__(self, root: Path) -> None:
        for number in range(1, MOST + 1):
            path = root / f"data-{number}"
            try:
                path.mkdir(parents=True, exist_ok=True)
            except OSError as err:
                sentence = tr("The engine's folder cannot be made: {why}.")
                raise EngineError(sentence.format(why=err), FAILED) from err
            lock = QLockFile(str(path / "qgis.lock"))
            lock.setStaleLockTime(0)  # stale only when the process that made it is gone
            if lock.tryLock(0):
                self.path, self._lock = path, lock
                return
        sentence = tr("{n} engines run for QGIS on this computer already. Close one of the QGIS windows.")
        raise EngineError(sentence.format(n=MOST), FAILED)

    def release(self) -> None:
        """Let others have it."""
        self._lock.unlock()

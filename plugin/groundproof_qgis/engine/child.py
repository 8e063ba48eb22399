"""One running `groundproof serve` as QGIS's child.

Knows its command line, how it says where it listens, and how it ends. Refuses to know whether it is ready, and what to
do when it is gone.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from qgis.PyQt.QtCore import QObject, QProcess, QTimer, pyqtSignal

from groundproof_qgis.engine.address import EngineAddress
from groundproof_qgis.engine.clean_environment import clean_environment
from groundproof_qgis.engine.command import process_environment, readable
from groundproof_qgis.i18n_text import tr

HANDED_OVER_AS = "GROUNDPROOF_TOKEN"
KEEP_SCENES_HOURS = 720
"""Follow-up questions of a project opened weeks later still find their imagery."""

TERMINATE_AFTER_MS = 6_000
KILL_AFTER_MS = 10_000
"""Counted from when it was asked to stop by closing its standard input."""

KEPT_LINES = 30
MAX_STDOUT = 20_000

GIVES_WAY = 5
"""Unix's niceness. An engine keeps every core busy for minutes, and QGIS's window would wait for its turn each time;
alone on the computer the engine is as fast as ever.
"""

_LISTENS = re.compile(r"groundproof serves .*? at\s+(http://\S+)\s", re.DOTALL)


class EngineChild(QObject):
    """Made, connected, then started, once.

    listens: the address, once. ended: whether it was asked to, and the last thing it said, as a sentence; once.
    """

    listens = pyqtSignal(object)
    ended = pyqtSignal(bool, str)

    def __init__(self, command: Sequence[str], model: str, data: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._token = secrets.token_urlsafe(32)
        self._stdout = ""
        self._listening = self._stopping = self._over = False
        self._lines: list[str] = []
        self._process = QProcess(self)
        variables = {**clean_environment(os.environ), HANDED_OVER_AS: self._token}
        self._process.setProcessEnvironment(process_environment(variables))
        self._process.setWorkingDirectory(str(data.parent))
        self._process.readyReadStandardOutput.connect(self._read_stdout)
        self._process.readyReadStandardError.connect(self._read_stderr)
        self._process.started.connect(self._give_way)
        self._process.finished.connect(self._finished)
        self._process.errorOccurred.connect(self._error)
        self._words = [*command, *arguments(model, data)]

    def start(self) -> None:
        """Begin."""
        self._process.start(self._words[0], self._words[1:])

    def stop(self) -> None:
        """Ask it to end; soon more firmly. `ended` follows."""
        if self._stopping or self._over:
            return
        self._stopping = True
        self._process.closeWriteChannel()
        QTimer.singleShot(TERMINATE_AFTER_MS, self._process.terminate)
        QTimer.singleShot(KILL_AFTER_MS, self._process.kill)

    def stop_now(self, milliseconds: int) -> None:
        """At QGIS's end, when there is no event loop any more: ask, wait a little, then kill. No signal follows."""
        self.blockSignals(True)
        self._stopping = True
        if self._process.state() == QProcess.ProcessState.NotRunning:
            return
        self._process.closeWriteChannel()
        if not self._process.waitForFinished(milliseconds):
            self._process.kill()
            self._process.waitForFinished(1000)

    def _give_way(self) -> None:
        """QGIS goes first. Right after the start, because threads have the niceness of who starts them."""
        if hasattr(os, "setpriority"):
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, self._process.processId(), GIVES_WAY)

    def _read_stdout(self) -> None:
        text = bytes(self._process.readAllStandardOutput()).decode("utf-8", "replace")
        if self._listening:
            return  # nothing more that matters is said there
        self._stdout = (self._stdout + text)[:MAX_STDOUT]
        found = _LISTENS.search(self._stdout)
        if found:
            self._listening = True
            token = self._token
            self.listens.emit(EngineAddress(found.group(1), token_source=lambda: token))

    def _read_stderr(self) -> None:
        raw = bytes(self._process.readAllStandardError()).splitlines()
        said = [readable(line) for line in raw if not line.startswith((b" ", b"\t"))]  # not code of a warning
        self._lines = [*self._lines, *filter(None, said)][-KEPT_LINES:]

    def _finished(self, code: int, status: QProcess.ExitStatus) -> None:
        self._read_stderr()
        if status == QProcess.ExitStatus.CrashExit:  # whatever it said last was not about that
            said = tr("It was ended from outside, or crashed.")
        else:
            said = last_sentence(self._lines) or tr("It said nothing and ended with code {code}.").format(
                code=code
            )
        self._end(said)

    def _error(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            sentence = tr("{program} cannot be started: {why}.")
            self._end(sentence.format(program=self._process.program(), why=self._process.errorString()))

    def _end(self, sentence: str) -> None:
        if not self._over:
            self._over = True
            self.ended.emit(self._stopping, sentence)


def arguments(model: str, data: Path) -> list[str]:
    """What `groundproof` is told. The token is not among it: everybody on the computer can read command lines."""
    return [
        "serve",
        *("--host", "127.0.0.1", "--port", "0", "--token-env", HANDED_OVER_AS),
        *("--model", model, "--data-dir", str(data)),
        *("--keep-scenes-hours", str(KEEP_SCENES_HOURS)),
        "--stop-with-stdin",
    ]


def last_sentence(lines: Sequence[str]) -> str:
    """The last thing an engine said on standard error that a person can read; its log lines are JSON."""
    for line in reversed(lines):
        if not line.startswith("{"):
            return line
        try:
            said = json.loads(line)
        except ValueError:  # cut off
            continue
        if isinstance(said, dict) and isinstance(said.get("message"), str):
            return said["message"]
    return ""

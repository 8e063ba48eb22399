"""One program that runs to its end beside QGIS, line by line."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from qgis.PyQt.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, pyqtSignal

from groundproof_qgis.i18n_text import tr

KEPT_LINES = 40
MAX_LINE = 500


def split_command(text: str) -> list[str]:
    """The program and its words, as typed: a path with spaces needs no quotes when it is all there is.

    On Windows backslashes are part of paths.
    """
    if Path(text).exists():
        return [text]
    try:
        if os.name != "nt":
            return shlex.split(text)
        return [word.strip('"') for word in shlex.split(text, posix=False)]
    except ValueError:  # a quote that does not end
        return [text]


def process_environment(variables: Mapping[str, str]) -> QProcessEnvironment:
    """For QProcess: these variables and no others."""
    environment = QProcessEnvironment()
    for name, value in variables.items():
        environment.insert(name, value)
    return environment


class Command(QObject):
    """A program with its output, both kinds in one. Never waited for.

    said: a line. ended: whether it worked (exit code 0), exactly once. `lines` holds the last ones.
    """

    said = pyqtSignal(str)
    ended = pyqtSignal(bool)

    def __init__(
        self,
        words: Sequence[str],
        environment: Mapping[str, str],
        parent: QObject | None = None,
        limit_s: float | None = None,
    ) -> None:
        super().__init__(parent)
        self.lines: list[str] = []
        self._words = list(words)
        self._rest = b""
        self._over = False
        self._process = QProcess(self)
        self._process.setProcessEnvironment(process_environment(environment))
        self._process.setProcessChannelMode(QProcess.ProcessChannelMode.MergedChannels)
        self._process.readyReadStandardOutput.connect(self._read)
        self._process.finished.connect(self._finished)
        self._process.errorOccurred.connect(self._error)
        self._limit = QTimer(self)
        self._limit.setSingleShot(True)
        self._limit.timeout.connect(self.kill)
        if limit_s is not None:
            self._limit.setInterval(int(limit_s * 1000))

    def start(self) -> None:
        """Begin."""
        self._process.start(self._words[0], self._words[1:])
        self._process.closeWriteChannel()
        if self._limit.interval() > 0:
            self._limit.start()

    def kill(self) -> None:
        """End it now; `ended` follows."""
        self._process.kill()

    def wait(self, milliseconds: int) -> None:
        """Only at QGIS's end, when there is no event loop any more."""
        self._process.waitForFinished(milliseconds)

    @property
    def last_line(self) -> str:
        """What it said last; empty for a silent one."""
        return self.lines[-1] if self.lines else ""

    def _read(self) -> None:
        *whole, self._rest = (self._rest + bytes(self._process.readAllStandardOutput())).split(b"\n")
        for raw in whole:
            self._line(raw)

    def _line(self, raw: bytes) -> None:
        text = readable(raw)
        if text:
            self.lines = [*self.lines, text][-KEPT_LINES:]
            self.said.emit(text)

    def _finished(self, code: int, status: QProcess.ExitStatus) -> None:
        self._read()
        self._line(self._rest)
        self._end(status == QProcess.ExitStatus.NormalExit and code == 0)

    def _error(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            sentence = tr("{program} cannot be started: {why}.")
            self.lines.append(sentence.format(program=self._words[0], why=self._process.errorString()))
            self._end(False)

    def _end(self, worked: bool) -> None:
        self._limit.stop()
        if not self._over:
            self._over = True
            self.ended.emit(worked)


def readable(raw: bytes) -> str:
    """A line of a terminal without what only terminals understand. Frames drawn around it are taken off."""
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", raw.decode("utf-8", "replace"))
    text = text.rsplit("\r", 1)[-1] if text.rstrip("\r").count("\r") else text
    text = "".join(" " if not c.isprintable() else c for c in text)
    return text.strip(" \u2502\u256d\u256e\u2570\u256f\u2500")[:MAX_LINE]

"""Waiting in tests, with the main thread's event loop turning, as in QGIS."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QCoreApplication, QEventLoop, QThread, QTimer

SOON_S = 30.0


def until(condition: Callable[[], Any], seconds: float = SOON_S) -> None:
    """Run the event loop, as QGIS does, until the condition holds. Fails after so many seconds."""
    end = time.monotonic() + seconds
    loop, timer = QEventLoop(), QTimer()

    def look() -> None:
        if condition() or time.monotonic() > end:
            loop.quit()

    timer.setInterval(10)
    timer.timeout.connect(look)
    timer.start()
    if not condition():
        loop.exec()
    timer.stop()
    if not condition():
        raise AssertionError(f"nothing came within {seconds} s")


class _Worker(QThread):
    def __init__(self, call: Callable[[], Any]) -> None:
        super().__init__()
        self._call = call
        self.value: Any = None
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self.value = self._call()
        except BaseException as err:  # noqa: BLE001 - raised again by `in_worker`
            self.error = err


def in_worker(call: Callable[[], Any], seconds: float = SOON_S) -> Any:
    """What `call` gives or raises, done in a thread of Qt's."""
    worker = _Worker(call)
    worker.start()
    until(worker.isFinished, seconds)
    worker.wait()
    if worker.error is not None:
        raise worker.error
    return worker.value


class Heard:
    """Everything an AnswerTask says, in order."""

    def __init__(self, task: Any) -> None:
        self.task = task
        self.all: list[tuple[str, tuple[Any, ...]]] = []
        self.threads: set[Any] = set()
        for name in ("stage", "uploaded", "job_started", "progressed", "events", "ended"):
            getattr(task, name).connect(lambda *values, name=name: self._hear(name, values))

    def _hear(self, name: str, values: tuple[Any, ...]) -> None:
        self.threads.add(QThread.currentThread() == QCoreApplication.instance().thread())
        self.all.append((name, values))

    def of(self, name: str) -> list[tuple[Any, ...]]:
        return [values for told, values in self.all if told == name]

    def event_names(self) -> list[str]:
        return [name for (batch,) in self.of("events") for name, _ in batch]

    def start(self) -> Heard:
        QgsApplication.taskManager().addTask(self.task)
        return self

    def until_ended(self, seconds: float = SOON_S) -> tuple[str, str]:
        until(lambda: self.of("ended"), seconds)
        return self.of("ended")[0]

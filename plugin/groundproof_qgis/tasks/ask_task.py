"""Asking as one of QGIS's tasks.

Knows threads: work is done in a worker, signals come on the main thread. Refuses to know the project and widgets.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from qgis.core import QgsTask
from qgis.PyQt.QtCore import Qt, QTimer, pyqtSignal

from groundproof_qgis.asking.request import Question
from groundproof_qgis.engine.address import AddressSource
from groundproof_qgis.engine.sse import Event
from groundproof_qgis.i18n_text import tr
from groundproof_qgis.imagery.scene import PixelSource
from groundproof_qgis.tasks.ask import (
    CANCELLED,
    FAILED,
    INTERRUPTED,
    Ask,
    AskListener,
    Outcome,
    percent_answered,
    percent_sent,
)
from groundproof_qgis.tasks.unexpected import unexpected

TURN_S = 0.015
"""What is told may take of one turn of the main thread's event loop. An answer's numbered boxes come all at once."""
EVENTS_AT_ONCE = 100
LOOK_S = 0.02


class AnswerTask(QgsTask):
    """Waits for an answer. Give it to QgsApplication.taskManager() and keep a reference until `ended`.

    QGIS deletes its part of the task soon after `ended`; `outcome` and `job_id` stay.

    All signals are emitted on the main thread. After `give_up()`, `leave()` or `cancel()` only `ended`.

    `cancel()` is QGIS's, and does what `leave()` does: QGIS calls it without asking when it is closed, and what was
    asked must not be lost then.

    stage: a sentence. uploaded: pixels that arrived, and of how many. job_started: the engine's id of the job.
    progressed: tiles answered, tiles, tiles failed, seconds left or -1. events: short lists of (name,
    data). ended: done, cancelled, failed or interrupted, and a sentence; exactly once, `outcome` holds all of it.
    """

    stage = pyqtSignal(str)
    uploaded = pyqtSignal(float, float)
    job_started = pyqtSignal(str)
    progressed = pyqtSignal(int, int, int, float)
    events = pyqtSignal(list)
    ended = pyqtSignal(str, str)
    _told = pyqtSignal()

    def __init__(
        self,
        title: str,
        address: AddressSource,
        file: Path,
        work: Callable[[Ask], Outcome],
        sources: Sequence[PixelSource],
        outcome: Outcome,
    ) -> None:
        """work: what is done in the worker. outcome: if it never begins. sources: closed in the end."""
        super().__init__(
            tr("groundproof: {question}").format(question=title[:80]),
            QgsTask.Flag.CanCancel | QgsTask.Flag.CancelWithoutPrompt,
        )
        self.outcome = outcome
        self._work = work
        self._sources = list(sources)
        self._leaving = threading.Event()
        self._unwanted = threading.Event()
        self._calls: deque[tuple[Any, tuple[Any, ...]]] = deque()
        self._turn = QTimer()
        self._turn.setSingleShot(True)
        self._turn.timeout.connect(self._deliver)
        self._told.connect(self._turn.start, Qt.ConnectionType.QueuedConnection)
        self._ask = Ask(address, file, _Relay(self), self._unwanted.is_set, self._is_left)

    @property
    def job_id(self) -> str | None:
        """The engine's, as soon as it is known."""
        return self.outcome.job_id

    def give_up(self) -> None:
        """The person does not want the answer any more: the engine ends the job, and what came so far is fetched."""
        self._unwanted.set()
        self.cancel()

    def leave(self) -> None:
        """Stop watching and let the engine go on; ends as interrupted. For QGIS's end."""
        self._leaving.set()

    def run(self) -> bool:
        """In a worker thread; called by QGIS."""
        try:
            self.outcome = self._work(self._ask)
        except Exception:  # noqa: BLE001 - a bug; told as a sentence, kept in QGIS's log
            self.outcome = replace(self.outcome, status=FAILED, sentence=unexpected())
        while self._calls and not self._is_left():
            time.sleep(LOOK_S)  # the main thread takes its time
        return self.outcome.status != FAILED  # of others QGIS would say that they failed

    def finished(self, result: bool) -> None:
        """On the main thread; called by QGIS, whatever happened, exactly once."""
        while self._calls:
            self._deliver()
        self._turn.stop()
        for source in self._sources:
            source.close()
        self.ended.emit(self.outcome.status, self.outcome.sentence)

    def say(self, signal: Any, *values: Any) -> None:
        """From any thread: emit it on the main thread, unless somebody cancels before."""
        self._calls.append((signal, values))
        self._told.emit()

    def _is_left(self) -> bool:
        return self._leaving.is_set() or self.isCanceled()

    def _deliver(self) -> None:
        """Tell what waits, as long as a turn may take; the rest in the next one."""
        end = time.monotonic() + TURN_S
        while self._calls:
            signal, values = self._calls.popleft()
            if not self._is_left():
                signal.emit(*values)
            if time.monotonic() > end:
                self._turn.start()
                return


class AskTask(AnswerTask):
    """Sends pixels and asks."""

    def __init__(
        self,
        address: AddressSource,
        question: Question,
        sources: Sequence[PixelSource],
        folder: Path | str,
        name: str,
    ) -> None:
        """folder: exists. name: of the GeoPackage to come, without its ending."""
        kept = list(sources)
        super().__init__(
            question.text,
            address,
            Path(folder) / f"{name}.gpkg",
            lambda ask: ask.ask(question, kept),
            kept,
            Outcome(CANCELLED, tr("Cancelled before anything was asked.")),
        )

    @staticmethod
    def follow(
        address: AddressSource, job_id: str, after_event: int, folder: Path | str, name: str, title: str
    ) -> FollowTask:
        """A task that goes on with a job that was left or interrupted."""
        return FollowTask(address, job_id, after_event, folder, name, title)


class FollowTask(AnswerTask):
    """Watches a job that was asked before, from behind the last event told. title: its question."""

    def __init__(
        self, address: AddressSource, job_id: str, after_event: int, folder: Path | str, name: str, title: str
    ) -> None:
        super().__init__(
            title,
            address,
            Path(folder) / f"{name}.gpkg",
            lambda ask: ask.follow(job_id, after_event),
            (),
            Outcome(
                INTERRUPTED,
                tr("The engine goes on with the question; follow it again later."),
                job_id,
                after_event,
            ),
        )


class _Relay(AskListener):
    """Turns what a worker hears into signals. Signals are looked up on the task each time: bound ones are not kept."""

    def __init__(self, task: AnswerTask) -> None:
        self._task = task

    def stage(self, sentence: str) -> None:
        self._task.say(self._task.stage, sentence)

    def sent(self, pixels: int, of: int) -> None:
        self._task.setProgress(percent_sent(pixels, of))
        self._task.say(self._task.uploaded, float(pixels), float(of))

    def job_started(self, job_id: str) -> None:
        self._task.outcome = Outcome(INTERRUPTED, "", job_id)
        self._task.say(self._task.job_started, job_id)

    def progressed(self, answered: int, tiles: int, failed: int, seconds_left: float) -> None:
        if tiles:
            self._task.setProgress(percent_answered(answered, tiles))
        self._task.say(self._task.progressed, answered, tiles, failed, seconds_left)

    def events(self, events: Sequence[Event]) -> None:
        self._task.outcome = replace(self._task.outcome, after=events[-1].number)
        told = [(event.name, event.data) for event in events]
        for at in range(0, len(told), EVENTS_AT_ONCE):
            self._task.say(self._task.events, told[at : at + EVENTS_AT_ONCE])

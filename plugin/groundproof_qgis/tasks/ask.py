"""One question from pixels to a GeoPackage, in whichever thread it is asked.

Knows the order: reach the engine, send scenes, ask, watch, fetch. Tells a listener what happens, and never raises what
a person could meet: everything ends in an `Outcome`. Refuses to know QGIS's tasks and the project.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from groundproof_qgis.answer.answer import Answer
from groundproof_qgis.asking.request import Question
from groundproof_qgis.engine.address import AddressSource
from groundproof_qgis.engine.client import EngineClient
from groundproof_qgis.engine.errors import BUSY, CANCELLED, MISSING, VERSION, EngineError
from groundproof_qgis.engine.exchange import Cancelled, cancelled_error, never, pause
from groundproof_qgis.engine.patience import patiently
from groundproof_qgis.engine.sse import Event
from groundproof_qgis.engine.watch import watch
from groundproof_qgis.i18n_text import tr
from groundproof_qgis.imagery.errors import PixelError
from groundproof_qgis.imagery.scene import PixelSource
from groundproof_qgis.tasks.uploads import Uploads

DONE = "done"
FAILED = "failed"
INTERRUPTED = "interrupted"
"""The engine may still answer: follow the job again."""
# CANCELLED, of engine.errors, is the fourth.

RESULT = "result.gpkg"
SENDING_PERCENT = 20.0
"""Of a progress bar; the rest is answering."""
START_LIMIT_S = 300.0
"""For an engine on this computer to start."""


@dataclass(frozen=True)
class Outcome:
    """How a question ended. status: DONE, CANCELLED, FAILED or INTERRUPTED. sentence: for a person.

    job_id: the engine's; None when it was not asked. after: number of the last event that was told. path: the
    GeoPackage; None without one. partial: what of the job it holds, such as "3 of 7 tiles"; None: all. error_kind: of
    EngineError, None when there was none.
    """

    status: str
    sentence: str
    job_id: str | None = None
    after: int = 0
    path: Path | None = None
    partial: str | None = None
    error_kind: str | None = None


class AskListener:
    """Hears what happens, in the asking thread and in one that sends pixels. Each method may be left out."""

    def stage(self, sentence: str) -> None:
        """What is being done now."""

    def sent(self, pixels: int, of: int) -> None:
        """How much of the imagery has arrived."""

    def job_started(self, job_id: str) -> None:
        """The engine took the question."""

    def progressed(self, answered: int, tiles: int, failed: int, seconds_left: float) -> None:
        """Tiles; answered includes failed. seconds_left is -1 while it is not known."""

    def events(self, events: Sequence[Event]) -> None:
        """What the engine told, in order."""


class Ask:
    """Asks one question, or follows one. file: of the result; never one that exists.

    cancelled: the person does not want the answer any more: the job is ended, and what came is fetched. left: nobody
    watches any more, but the engine shall go on.
    """

    def __init__(
        self,
        address: AddressSource,
        file: Path,
        listener: AskListener,
        cancelled: Cancelled = never,
        left: Cancelled = never,
    ) -> None:
        self._cancelled = cancelled
        self._left = left
        self._client = EngineClient(address, self._gone)
        self._address = address
        self._file = file
        self._listener = listener
        self._after = 0
        self._rate = _Rate()
        self._problem = ""

    def ask(self, question: Question, sources: Sequence[PixelSource]) -> Outcome:
        """Send and ask. Sources are not closed."""
        scenes: list[str] = []
        try:
            free(self._file)
            reach(self._client, self._gone, self._listener.stage)
            self._send(sources, scenes)
            self._listener.stage(tr("Asking."))
            key = str(uuid4())
            job_id = self._patiently(
                lambda: self._client.ask(question.as_json(scenes), key), again_after_drop=False
            )
        except (EngineError, PixelError, OSError) as err:
            self._forget(scenes)
            if self._gone():
                return Outcome(CANCELLED, tr("Cancelled before anything was asked."), error_kind=CANCELLED)
            return Outcome(FAILED, str(err), error_kind=getattr(err, "kind", None))
        self._listener.job_started(job_id)
        return self.follow(job_id, 0)

    def follow(self, job_id: str, after: int) -> Outcome:
        """Watch a job from behind event number `after` to its end."""
        self._after = after
        try:
            free(self._file)
            last = watch(self._client, job_id, after, self._told, self._listener.stage)
        except EngineError as err:
            return self._broken_off(job_id, err)
        except OSError as err:
            return Outcome(INTERRUPTED, str(err), job_id, self._after)
        status, said = last.data.get("status"), str(last.data.get("message", ""))
        if status == "successful":
            return self._fetched(Outcome(DONE, "", job_id, self._after))
        problem = self._problem or said or tr("The engine could not answer.")
        if status == "dismissed":
            problem = tr("The question was cancelled in the engine; what was answered is kept.")
        outcome = Outcome(CANCELLED if status == "dismissed" else FAILED, problem, job_id, self._after)
        return self._with_what_came(outcome)

    def _gone(self) -> bool:
        return self._cancelled() or self._left()

    def _send(self, sources: Sequence[PixelSource], scenes: list[str]) -> None:
        """Declare and fill scenes; their ids go into `scenes` at once, so that they can be forgotten."""
        whole, arrived = sum(source.spec.pixels for source in sources), 0

        def sent(pixels: int) -> None:
            nonlocal arrived
            arrived += pixels
            self._listener.sent(arrived, whole)

        self._listener.sent(0, whole)
        with Uploads(EngineClient(self._address, self._gone), sent, self._listener.stage) as uploads:
            for source in sources:
                self._listener.stage(tr("Sending imagery."))
                scenes.append(
                    self._patiently(lambda s=source: self._client.create_scene(s.spec), again_after_drop=True)
                )
                for window in source.windows(self._gone):
                    uploads.put(scenes[-1], window)
                if self._gone():
                    raise cancelled_error()

    def _patiently(self, call: Callable[[], Any], *, again_after_drop: bool) -> Any:
        return patiently(call, self._gone, self._listener.stage, again_after_drop=again_after_drop)

    def _told(self, events: Sequence[Event]) -> None:
        if self._gone():
            return
        for event in events:
            if not Answer.understands(event.name, event.data):
                sentence = tr(
                    "The engine at {url} tells about the answer in a way that this plugin does not understand "
                    '("{name}"). Update the older of the two; the engine keeps the answer.'
                )
                raise EngineError(
                    sentence.format(url=self._client.address.url, name=event.name[:40]), VERSION
                )
        self._after = events[-1].number
        self._listener.events(events)
        for event in events:
            if event.name == "error":
                self._problem = str(event.data.get("detail", ""))
        progress = next((event.data for event in reversed(events) if event.name == "progress"), None)
        if progress is not None:
            answered, tiles, failed = (_count(progress.get(name)) for name in ("answered", "tiles", "failed"))
            self._listener.stage(str(progress.get("stage", ""))[:500])
            self._listener.progressed(answered, tiles, failed, self._rate.seconds_left(answered, tiles))

    def _broken_off(self, job_id: str, err: EngineError) -> Outcome:
        if self._left() and not self._cancelled():
            sentence = tr("The engine goes on with the question; follow it again later.")
            return Outcome(INTERRUPTED, sentence, job_id, self._after, error_kind=err.kind)
        if self._cancelled():
            return self._ended_early(job_id)
        status = FAILED if err.kind == MISSING else INTERRUPTED
        return Outcome(status, str(err), job_id, self._after, error_kind=err.kind)

    def _ended_early(self, job_id: str) -> Outcome:
        outcome = Outcome(CANCELLED, tr("Cancelled."), job_id, self._after, error_kind=CANCELLED)
        try:
            self._client.patient().cancel(job_id)
        except EngineError as err:
            sentence = tr("Cancelled here, but the engine could not be told, and may go on: {why}")
            return replace(outcome, sentence=sentence.format(why=err))
        return self._with_what_came(outcome)

    def _fetched(self, outcome: Outcome) -> Outcome:
        """With the result. It stays in the engine too, so a failure here loses nothing."""
        self._listener.stage(tr("Fetching the result."))
        path = f"/jobs/{quote(outcome.job_id or '', safe='')}/files/{RESULT}"
        client = self._client.patient() if outcome.status == CANCELLED else self._client

        def fetch() -> Any:
            free(self._file)
            return client.download(path, self._file)

        try:
            got = patiently(fetch, client.cancelled, self._listener.stage, again_after_drop=True)
        except (EngineError, OSError) as err:
            sentence = tr("The question is answered, but the result could not be fetched: {why}")
            kind = getattr(err, "kind", None)
            return replace(outcome, status=INTERRUPTED, sentence=sentence.format(why=err), error_kind=kind)
        sentence = tr("Answered; kept in {file}.").format(file=got.path.name)
        return replace(outcome, sentence=sentence, path=got.path, partial=got.partial)

    def _with_what_came(self, outcome: Outcome) -> Outcome:
        """With the part of a result that there is, if any; how it ended stays as it is."""
        got = self._fetched(outcome)
        if got.path is None:
            return outcome
        sentence = tr("{how} What came is kept in {file}.").format(how=outcome.sentence, file=got.path.name)
        return replace(got, status=outcome.status, sentence=sentence)

    def _forget(self, scenes: Sequence[str]) -> None:
        """Scenes nobody will ask about. One that cannot be deleted now expires in the engine."""
        client = self._client.patient()
        for scene in scenes:
            try:
                client.delete_scene(scene)
            except EngineError:
                return


def reach(client: EngineClient, gone: Cancelled, on_wait: Callable[[str], None]) -> None:
    """Wait until an engine that starts can be spoken to. Its model may still be loading: the job waits for it.

    Raises EngineError.
    """
    end = time.monotonic() + START_LIMIT_S
    while True:
        try:
            client.health()
        except EngineError as err:
            if err.kind != BUSY or time.monotonic() > end:
                raise
            on_wait(str(err))
            pause(err.retry_after_s or 0.5, gone)
        else:
            return


def free(file: Path) -> None:
    """Raises FileExistsError or another OSError with a sentence when a GeoPackage cannot be written there."""
    for taken in (file, *(file.with_name(file.name + end) for end in ("-wal", "-shm", "-journal"))):
        if taken.exists():
            sentence = tr("{path} exists already, and nothing is written over it. Choose another name.")
            raise FileExistsError(sentence.format(path=taken))
    if not file.parent.is_dir():
        raise NotADirectoryError(tr("The folder {path} does not exist.").format(path=file.parent))


def percent_sent(pixels: int, of: int) -> float:
    """Where a progress bar stands while imagery is sent."""
    return SENDING_PERCENT * pixels / of if of else SENDING_PERCENT


def percent_answered(answered: int, tiles: int) -> float:
    """The same while tiles are answered. answered: as `AskListener.progressed`, so with those that failed."""
    return SENDING_PERCENT + (100.0 - SENDING_PERCENT) * (min(answered / tiles, 1.0) if tiles else 0.0)


def _count(value: Any) -> int:
    return value if isinstance(value, int) else 0


class _Rate:
    """How fast tiles are answered, from the first count heard of."""

    def __init__(self) -> None:
        self._first: tuple[int, float] | None = None

    def seconds_left(self, answered: int, tiles: int) -> float:
        """-1 until two counts are known."""
        now = time.monotonic()
        if self._first is None:
            self._first = (answered, now)
        count, moment = self._first
        if not tiles or answered <= count:
            return -1.0
        return (tiles - answered) * (now - moment) / (answered - count)

"""Tells a job's clients what happens: a `Listener` that writes events.

Knows the order of events. Refuses to know HTTP and how a job is queued.

While the model writes: `note`, `progress`, `plan`, `evidence` (final false). When all tiles have answered,
for every answer: `evidence` (final true), `synthesis`, `answer`, `coverage`, `audit`. `error` when it
failed. `done` is always last.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from pyproj import CRS

from groundproof.errors import StoppedError, TooLargeError
from groundproof.listening import Plan, Seen
from groundproof.placement import parse_crs
from groundproof.service.documents import answer_documents, evidence_documents, seen_document
from groundproof.service.jobs.events import EventLog
from groundproof.service.metrics import Metrics
from groundproof.tables import FAILED, Result, TileStatus

PROGRESS_S = 0.5
"""Least time between two progress events."""

MAX_LIVE_EVIDENCE = 20_000
"""Boxes told while the model writes; more are in the job's items."""


class JobListener:
    """Writes what a session tells into a job's events.

    stop: set from another thread to cancel. progressed: called with tiles answered and planned, and a sentence.
    out_crs: of the request; None: the scene's. Boxes told before a restart are not told again.
    """

    def __init__(
        self,
        events: EventLog,
        stop: threading.Event,
        progressed: Callable[[int, int, str], None],
        metrics: Metrics,
        *,
        max_tiles: int,
        out_crs: str | None = None,
    ) -> None:
        self.together = 1
        """Tiles that the model answers together, and whose answers come together."""
        self._events = events
        self._stop = stop
        self._metrics = metrics
        self._progressed = progressed
        self._max_tiles = max_tiles
        self._out_crs: CRS | None = None if out_crs is None else parse_crs(out_crs, "out_crs")
        earlier = events.after()
        self._told = {str(e.data["key"]) for e in earlier if e.name == "evidence"}
        self._said = {(e.name, str(e.data.get("text"))) for e in earlier}
        self._tiles = self._answered = self._failed = 0
        self._began = self._ended = 0.0
        self._before = 0
        self._pace: float | None = None
        self._stage = ""
        self._last = 0.0

    def check(self) -> None:
        """Raises StoppedError when somebody asked for it."""
        if self._stop.is_set():
            raise StoppedError("The job was cancelled. What was answered is kept.")

    def note(self, sentence: str) -> None:
        """A `note` event, each sentence once."""
        self._say("note", sentence)

    def planned(self, plan: Plan) -> None:
        """Notes and the first progress. Raises TooLargeError over the operator's limit of tiles."""
        if plan.tiles > self._max_tiles:
            raise TooLargeError(
                f"The question needs {plan.tiles:,} tiles; this service allows {self._max_tiles:,} for one job. "
                "Ask about a smaller area, or with a coarser gsd."
            )
        self.check()
        for sentence in (*plan.notes, plan.config.profile.caution):
            if sentence:
                self.note(sentence)
        self._tiles, self._answered = plan.tiles, plan.answered
        self._before, self._began = plan.answered, time.monotonic()
        self._stage = plan.sentence()
        self._progress(now=True)

    def saw_plan(self, text: str) -> None:
        """A `plan` event, each wording once."""
        self._say("plan", text)

    def saw_evidence(self, seen: Seen) -> None:
        """An `evidence` event of one tile."""
        self._metrics.evidence.inc()
        if len(self._told) >= MAX_LIVE_EVIDENCE:
            return
        document = seen_document(seen, self._out_crs)
        if document["key"] not in self._told:
            self._told.add(document["key"])
            self._events.append("evidence", document)

    def tile_done(self, status: TileStatus, reason: str | None) -> None:
        """Progress; a failed tile is a note with its reason."""
        self._answered += 1
        self._ended = time.monotonic()
        self._metrics.tiles.labels(status.value).inc()
        if status in FAILED:
            self._failed += 1
            self.note(f"A tile failed ({status.value}): {reason or 'no reason was given'}")
        tiles, seconds = self.measured
        whole = tiles % self.together == 0  # within a batch, tiles per second say nothing
        if whole:
            self._pace = seconds / tiles
        self._progress(now=self._answered == self._tiles or (whole and self.together > 1))
        self.check()

    def stage(self, sentence: str) -> None:
        """A later stage begins."""
        self._stage = sentence
        self._progress(now=True)
        self.check()

    def stop_progress(self) -> None:
        """Nothing: progress is events."""

    def finished(self, result: Result) -> None:
        """The events of the answers."""
        for document in answer_documents(result):
            answer_id = document["answer_id"]
            for evidence in evidence_documents(result, answer_id):
                self._events.append("evidence", evidence)
            self._events.append("synthesis", {"answer_id": answer_id, "text": document["synthesis"]})
            kept = ("answer_id", "scene", "question", "task", "answer", "value", "plan", "context")
            self._events.append("answer", {name: document[name] for name in kept})
            self._events.append("coverage", {"answer_id": answer_id, **document["coverage"]})
            self._events.append("audit", {"answer_id": answer_id, "findings": document["audit"]})

    @property
    def measured(self) -> tuple[int, float]:
        """Tiles answered since the plan was made (not those of an earlier run), and the seconds they took."""
        return self._answered - self._before, max(0.0, self._ended - self._began)

    def _seconds_left(self) -> float | None:
        """Until all tiles have answered, at this job's own pace; None before it is known and after the last tile."""
        left = self._tiles - self._answered
        return None if self._pace is None or left <= 0 else round(self._pace * left, 1)

    def _say(self, name: str, text: str) -> None:
        if text and (name, text) not in self._said:
            self._said.add((name, text))
            self._events.append(name, {"text": text})

    def _progress(self, *, now: bool) -> None:
        moment = time.monotonic()
        if not now and moment - self._last < PROGRESS_S:
            return
        self._last = moment
        data = {
            "answered": self._answered,
            "tiles": self._tiles,
            "failed": self._failed,
            "seconds_left": self._seconds_left(),
            "stage": self._stage,
        }
        self._events.append("progress", data)
        self._progressed(self._answered, self._tiles, self._stage)

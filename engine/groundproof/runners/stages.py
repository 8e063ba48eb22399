"""What every runner shares: a tile and its questions go in, a row for each comes out, whole batches are kept.

Knows the order of stages and what becomes a row. Refuses to know where pixels come from (`ahead.py`), what the
answers mean on the ground and how they are shown: an `Observer` is told as they come.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, Protocol

import pandas as pd

from groundproof.boxes import Tile, Window
from groundproof.config import Question
from groundproof.errors import ModelError, StoppedError
from groundproof.frames import named_rows
from groundproof.models.base import Piece, Request, VisionLanguageModel
from groundproof.models.profiles import Profile
from groundproof.planning import prompt_of
from groundproof.protocol import Task
from groundproof.reading import TilePixels
from groundproof.run import RunDirectory
from groundproof.runners.ahead import Found
from groundproof.tables import TileStatus
from groundproof.trace import Event, TraceParser

BOXLESS_TASKS = frozenset({Task.CLASSIFY, Task.CAPTION, Task.REGION_CAPTION})
"""Tasks whose answer is complete without a box."""

UNREADABLE = "no answer and no box could be read in what the model wrote"


@dataclass(frozen=True, slots=True)
class Asked:
    """One tile of one answer, as the manifest names it."""

    scene: str
    tile_id: str
    answer_id: str
    tile: Tile


class Observer(Protocol):
    """Is told what happens, in the runner's thread. Its methods return quickly."""

    def check(self) -> None:
        """Called at every tile and every piece of text. Raises StoppedError to stop; batches that are whole are
        kept."""

    def event(self, asked: Asked, event: Event) -> None:
        """Something of a tile's trace is complete while the model still writes. A tile that is asked once more, or
        whose model died, tells again."""

    def tile_done(self, asked: Asked, status: TileStatus, reason: str | None) -> None:
        """A tile has its row. Once for every row."""


@dataclass(frozen=True, slots=True)
class Work:
    """One tile of one batch, with its manifest rows: the questions about it, which stand next to each other."""

    batch: int
    batch_rows: int
    """Rows of the whole batch."""
    scene: str
    tile: Tile
    rows: tuple[Any, ...]
    """Named tuples of `MANIFEST`."""


def tile_of(row: Any) -> Tile:
    """The tile of one manifest row (a named tuple)."""
    window = Window(int(row.x0), int(row.y0), int(row.width), int(row.height))
    return Tile(int(row.tile), window, int(row.model_width), int(row.model_height))


def works(batches: Iterable[tuple[int, pd.DataFrame]]) -> Iterator[Work]:
    """The tiles of batches (their ids and manifest rows), in order."""
    for batch, frame in batches:
        for (scene, tile), rows in groupby(named_rows(frame), lambda row: (str(row.scene), tile_of(row))):
            yield Work(batch, len(frame), scene, tile, tuple(rows))


@dataclass(slots=True)
class _Answering:
    """One tile's answer while it is being written."""

    work: Work
    row: Any
    request: Request
    parser: TraceParser
    pixels: TilePixels
    cells: list[bytes | None]
    """Where each date's image holds data."""
    question: Question
    started: float
    again: bool = False
    """Whether this is the second time, after an answer that could not be read."""
    seconds: float = 0.0
    """Of the first time."""
    text: list[str] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    logprobs: list[float | None] = field(default_factory=list)


@dataclass(slots=True)
class _Batch:
    """A batch that is not kept yet."""

    missing: int
    """Rows still to come."""
    before: dict[int, int]
    """Attempts made before, by seq."""
    rows: list[dict[str, Any]] = field(default_factory=list)
    unclear: list[_Answering] = field(default_factory=list)
    """Answers that could not be read: asked once more, together, when all others have come."""


class Asking:
    """Answers batches; each is kept as soon as its last row has come.

    kept: ids of the batches that were.
    """

    def __init__(self, run: RunDirectory, profile: Profile, observer: Observer, *, raise_alone: bool) -> None:
        self._run = run
        self._config = run.config
        self._profile = profile
        self._observer = observer
        self._raises = raise_alone and len(run.scenes) == 1
        self._open: dict[str, _Answering] = {}
        self._batches: dict[int, _Batch] = {}
        self._once_more: deque[_Answering] = deque()
        self._tries: Counter[int] = Counter()
        """Failed and finished attempts of this call, by seq, for batches that are not kept yet."""
        self._told: set[int] = set()
        self.kept: set[int] = set()

    def answer(self, model: VisionLanguageModel, found: Iterable[tuple[Work, Found]]) -> None:
        """Keep a row for every row given.

        Raises ModelError when the model dies, OutputError when a batch cannot be kept, StoppedError; and, if alone,
        the SceneError of the only scene.
        """
        self._hear(model, self._requests(model, iter(found)))
        while self._once_more:
            self._hear(model, self._second_requests())
        if self._open:
            raise ModelError(
                f"the model left {len(self._open)} tiles without an answer; resume to ask them again"
            )

    def forget(self) -> None:
        """The model died: what was answered of batches that are not whole is dropped, to be asked again."""
        self._open.clear()
        self._batches.clear()
        self._once_more.clear()

    def _hear(self, model: VisionLanguageModel, requests: Iterator[Request]) -> None:
        pieces = model.generate(requests)
        with closing(pieces):
            for piece in pieces:
                self._observer.check()
                self._take(model, piece)

    # -- requests --------------------------------------------------------------------------------------

    def _requests(self, model: VisionLanguageModel, found: Iterator[tuple[Work, Found]]) -> Iterator[Request]:
        for work, here in found:
            yield from self._second_requests()
            if work.batch not in self._batches:
                self._batches[work.batch] = _Batch(work.batch_rows, self._run.attempts(work.batch))
            for row in work.rows:
                self._observer.check()
                request = self._request(work, row, here)
                if request is not None:
                    yield request

    def _second_requests(self) -> Iterator[Request]:
        while self._once_more:
            answering = self._once_more.popleft()
            self._begin(answering)
            yield answering.request

    def _request(self, work: Work, row: Any, found: Found) -> Request | None:
        """None where there is nothing to show the model: the row is kept at once."""
        seq, pixels = int(row.seq), found.pixels
        self._tries[seq] += found.tries - 1
        if isinstance(pixels, Exception):
            if found.of_scene and self._raises:
                raise pixels
            self._tries[seq] += 1
            self._keep(work, row, TileStatus.READ_ERROR, reason=str(pixels))
            return None
        if any(view.valid_share == 0.0 for view in pixels):  # without one date nothing can be compared
            self._tries[seq] += 1
            self._keep(work, row, TileStatus.SKIPPED, pixels=pixels[0])
            return None
        question = self._config.questions[int(row.question)]
        prompt = prompt_of(self._config, self._profile, question, len(pixels))
        request = Request(
            str(seq),
            tuple(view.rgb for view in pixels),
            prompt.system,
            prompt.text,
            self._config.max_new_tokens,
            self._grammar(question) if self._config.constrained else None,
        )
        answering = _Answering(
            work,
            row,
            request,
            self._parser(question),
            pixels[0],
            [view.valid_cells for view in pixels],
            question,
            0.0,
        )
        self._begin(answering)
        return request

    def _begin(self, answering: _Answering) -> None:
        answering.started = time.perf_counter()
        self._tries[int(answering.row.seq)] += 1
        self._open[answering.request.request_id] = answering

    def _grammar(self, question: Question) -> str:
        from groundproof.protocol.constraint import grammar

        return grammar(
            Task(question.task),
            question.text,
            self._profile.frame,
            question.labels,
            sections=self._profile.answer_form == "geo-cot",
        )

    def _parser(self, question: Question) -> TraceParser:
        return TraceParser(self._profile.frame, Task(question.task), question.labels)

    # -- answers ---------------------------------------------------------------------------------------

    def _take(self, model: VisionLanguageModel, piece: Piece) -> None:
        answering = self._open[piece.request_id]
        if piece.text:
            answering.text.append(piece.text)
            answering.lengths.append(len(piece.text))
            answering.logprobs.append(piece.logprob)
            self._tell(answering, answering.parser.feed(piece.text, piece.logprob))
        if piece.finish is None:
            return
        del self._open[piece.request_id]
        if piece.finish == "cancelled":
            raise StoppedError(
                "The model was closed while it answered. What was answered is kept; resume to go on."
            )
        self._tell(answering, answering.parser.close())
        answering.seconds += time.perf_counter() - answering.started
        status = TileStatus.ENGINE_ERROR if piece.finish == "error" else _status(answering)
        if status is TileStatus.PARSE_ERROR and self._may_ask_again(model, answering):
            self._batches[answering.work.batch].unclear.append(answering)
        else:
            self._keep(
                answering.work,
                answering.row,
                status,
                pixels=answering.pixels,
                answering=answering,
                finish=piece.finish,
                reason=piece.error,
            )
        self._ask_unclear(answering.work.batch)

    def _may_ask_again(self, model: VisionLanguageModel, answering: _Answering) -> bool:
        """Once, and only where the grammar is something new: the same request would be answered the same."""
        return (
            not answering.again
            and model.constrains
            and not self._config.constrained
            and self._profile.answer_form == "geo-cot"
        )

    def _ask_unclear(self, batch: int) -> None:
        """Once all others have come, whatever their order: so the same batch is always asked the same way."""
        waiting = self._batches.get(batch)
        if waiting is None or not waiting.unclear or waiting.missing > len(waiting.unclear):
            return
        for answering in sorted(waiting.unclear, key=lambda one: int(one.row.seq)):
            self._once_more.append(
                replace(
                    answering,
                    request=replace(answering.request, grammar=self._grammar(answering.question)),
                    parser=self._parser(answering.question),
                    again=True,
                    text=[],
                    lengths=[],
                    logprobs=[],
                )
            )
        waiting.unclear.clear()

    def _tell(self, answering: _Answering, events: list[Event]) -> None:
        for event in events:
            self._observer.event(_asked(answering.work, answering.row), event)

    def _keep(
        self,
        work: Work,
        row: Any,
        status: TileStatus,
        *,
        pixels: TilePixels | None = None,
        answering: _Answering | None = None,
        finish: str | None = None,
        reason: str | None = None,
    ) -> None:
        given = answering is not None and all(value is not None for value in answering.logprobs)
        batch, seq = self._batches[work.batch], int(row.seq)
        batch.rows.append(
            {
                "seq": seq,
                "tile_id": row.tile_id,
                "answer_id": row.answer_id,
                "status": status.value,
                "attempts": batch.before.get(seq, 0) + self._tries[seq],
                "seconds": answering.seconds if answering else 0.0,
                "finish": finish,
                # Half a surrogate pair from a broken tokenizer cannot be stored as UTF-8.
                "text": "".join(answering.text).encode("utf-8", "replace").decode() if answering else "",
                "error": reason,
                "piece_lengths": answering.lengths if answering and given else None,
                "piece_logprobs": answering.logprobs if answering and given else None,
                "pixels_hash": pixels.pixels_hash if pixels else None,
                "valid_share": pixels.valid_share if pixels else None,
                "valid_cells": answering.cells if answering and any(answering.cells) else None,
            }
        )
        if seq not in self._told:
            self._told.add(seq)
            said = UNREADABLE if status is TileStatus.PARSE_ERROR else reason
            self._observer.tile_done(_asked(work, row), status, said)
        batch.missing -= 1
        if batch.missing:
            self._ask_unclear(work.batch)
            return
        self._run.write_part(work.batch, sorted(batch.rows, key=lambda made: int(made["seq"])))
        del self._batches[work.batch]
        for made in batch.rows:
            self._told.discard(made["seq"])
            del self._tries[made["seq"]]
        self.kept.add(work.batch)


def _asked(work: Work, row: Any) -> Asked:
    return Asked(work.scene, row.tile_id, row.answer_id, work.tile)


def _status(answering: _Answering) -> TileStatus:
    trace = answering.parser.trace
    if not trace.usable:
        return TileStatus.PARSE_ERROR
    if not trace.evidence and not trace.answer_boxes and Task(answering.question.task) not in BOXLESS_TASKS:
        return TileStatus.EMPTY
    return TileStatus.OK

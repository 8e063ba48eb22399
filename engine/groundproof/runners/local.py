"""One machine: tiles are read ahead in a thread, the model answers, each batch is kept as it ends.

Knows the order of stages and what becomes a row. Refuses to know what the answers mean on the ground
and how they are shown: an `Observer` is told as they come.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

import pandas as pd

from groundproof.boxes import Tile, Window
from groundproof.config import Question
from groundproof.errors import ModelError, SceneError, StoppedError
from groundproof.frames import named_rows
from groundproof.models.base import Piece, Request, VisionLanguageModel
from groundproof.models.profiles import Profile
from groundproof.planning import prompt_of
from groundproof.protocol import Task
from groundproof.reading import TilePixels
from groundproof.run import RunDirectory
from groundproof.sources import Sources
from groundproof.tables import TileStatus
from groundproof.trace import Event, Trace, TraceParser

_BatchRows = tuple[int, pd.DataFrame]
"""A batch id and its manifest rows."""

BOXLESS_TASKS = frozenset({Task.CLASSIFY, Task.CAPTION, Task.REGION_CAPTION})
"""Tasks whose answer is complete without a box."""


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
        """Called at every piece of text. Raises StoppedError to stop; batches that are whole are kept."""

    def event(self, asked: Asked, event: Event) -> None:
        """Something of a tile's trace is complete while the model still writes."""

    def tile_done(self, asked: Asked, status: TileStatus, reason: str | None) -> None:
        """A tile has its row."""


@dataclass(slots=True)
class _Answering:
    """One tile's answer while it is being written."""

    row: Any
    tile: Tile
    parser: TraceParser
    pixels: TilePixels
    cells: list[bytes | None]
    """Where each date's image holds data."""
    task: Task
    started: float
    text: list[str] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    logprobs: list[float | None] = field(default_factory=list)


def run_tiles(
    run: RunDirectory,
    model: VisionLanguageModel,
    sources: Sources,
    observer: Observer,
    again: Collection[int] = (),
) -> None:
    """Answer every pending batch. Interrupted anywhere, the next call goes on with the first batch not kept.

    Raises ModelError when the model dies, OutputError when a batch cannot be kept, SceneError when a
    scene is gone or is no longer the file that was planned; batches already kept stay. Unreadable tiles
    and unusable answers become rows with their status; among several scenes so do all tiles of one that is
    gone. again: batches answered before that are asked once more, as a whole.
    """
    answers = run.answers() if again else None
    tried = {} if answers is None else dict(zip(answers.seq, answers.attempts, strict=True))
    wanted = run.manifest[run.manifest.batch_id.isin({*run.pending(), *again})].sort_values("seq")
    for scene, rows in wanted.groupby("scene", sort=False):
        kept: set[int] = set()
        try:
            with sources.views(str(scene)) as views, views.reader(_distinct_tiles(rows)) as reader:
                pixels = _Current(reader)
                batches = _by_batch(rows)
                for together in [batches] if model.continuous else [[batch] for batch in batches]:
                    asking = _Asking(run, model.profile, views.name, observer, tried, kept)
                    asking.answer(model, together, pixels)
        except SceneError as err:
            if len(run.scenes) == 1:
                raise
            lost = [(batch, found) for batch, found in _by_batch(rows) if batch not in kept]
            _Asking(run, model.profile, str(scene), observer, tried, kept).unreadable(lost, str(err))


def _by_batch(rows: pd.DataFrame) -> list[_BatchRows]:
    """Batches in order, each with its rows."""
    return [(int(cast("int", batch)), found) for batch, found in rows.groupby("batch_id")]


def tile_of(row: Any) -> Tile:
    """The tile of one manifest row (a named tuple)."""
    window = Window(int(row.x0), int(row.y0), int(row.width), int(row.height))
    return Tile(int(row.tile), window, int(row.model_width), int(row.model_height))


def _distinct_tiles(rows: pd.DataFrame) -> Iterator[Tile]:
    """Tiles in order, each once: several questions about one tile stand next to each other."""
    last: Tile | None = None
    for row in named_rows(rows):
        tile = tile_of(row)
        if tile != last:
            yield tile
            last = tile


class _Current:
    """The pixels of the tile at hand; goes on when the next tile is asked for."""

    def __init__(self, reader: Iterator[tuple[Tile, tuple[TilePixels, ...] | Exception]]) -> None:
        self._reader = iter(reader)
        self._tile: Tile | None = None
        self._pixels: tuple[TilePixels, ...] | Exception = ()

    def of(self, tile: Tile) -> tuple[TilePixels, ...] | Exception:
        if tile != self._tile:
            self._tile, self._pixels = next(self._reader)
            if self._tile != tile:
                raise RuntimeError(f"the reader is at {self._tile}, the batch at {tile}")
        return self._pixels


class _Asking:
    """Answers batches of one scene; each is kept as soon as its last row has come."""

    def __init__(
        self,
        run: RunDirectory,
        profile: Profile,
        scene: str,
        observer: Observer,
        tried: dict[int, int],
        kept: set[int],
    ) -> None:
        self._run = run
        self._kept = kept
        """Batches kept by this call; filled here."""
        self._tried = tried
        self._config = run.config
        self._profile = profile
        self._scene = scene
        self._observer = observer
        self._open: dict[str, _Answering] = {}
        self._rows: dict[int, list[dict[str, Any]]] = {}
        self._missing: dict[int, int] = {}
        """Rows still to come, by batch."""

    def answer(self, model: VisionLanguageModel, batches: list[_BatchRows], pixels: _Current) -> None:
        """Keep a row for every row given."""
        rows = self._expect(batches)
        pieces = model.generate(self._requests(rows, pixels))
        with closing(pieces):
            for piece in pieces:
                self._observer.check()
                self._take(piece)
        if self._open:
            raise ModelError(
                f"the model left {len(self._open)} tiles without an answer; resume to ask them again"
            )

    def unreadable(self, batches: list[_BatchRows], reason: str) -> None:
        """Keep rows of a scene that cannot be read at all."""
        for row in named_rows(self._expect(batches)):
            self._keep(row, tile_of(row), TileStatus.READ_ERROR, reason=reason)

    def _expect(self, batches: list[_BatchRows]) -> pd.DataFrame:
        self._missing = {batch: len(rows) for batch, rows in batches}
        self._rows = {batch: [] for batch, _ in batches}
        return pd.concat([rows for _, rows in batches]) if batches else pd.DataFrame()

    def _requests(self, rows: pd.DataFrame, pixels: _Current) -> Iterator[Request]:
        for row in named_rows(rows):
            tile = tile_of(row)
            found = pixels.of(tile)
            if isinstance(found, Exception):
                self._keep(row, tile, TileStatus.READ_ERROR, reason=str(found))
                continue
            question = self._config.questions[int(row.question)]
            if any(view.valid_share == 0.0 for view in found):  # without one date nothing can be compared
                self._keep(row, tile, TileStatus.SKIPPED, pixels=found[0])
                continue
            request_id = str(row.seq)
            self._open[request_id] = _Answering(
                row,
                tile,
                self._parser(question),
                found[0],
                [view.valid_cells for view in found],
                Task(question.task),
                time.perf_counter(),
            )
            prompt = prompt_of(self._config, self._profile, question, len(found))
            yield Request(
                request_id,
                tuple(view.rgb for view in found),
                prompt.system,
                prompt.text,
                self._config.max_new_tokens,
                self._grammar(question),
            )

    def _grammar(self, question: Question) -> str | None:
        if not self._config.constrained:
            return None
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

    def _take(self, piece: Piece) -> None:
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
        status = TileStatus.ENGINE_ERROR if piece.finish == "error" else _status(answering)
        self._keep(
            answering.row,
            answering.tile,
            status,
            pixels=answering.pixels,
            answering=answering,
            finish=piece.finish,
            reason=piece.error,
        )

    def _tell(self, answering: _Answering, events: list[Event]) -> None:
        for event in events:
            self._observer.event(self._asked(answering.row, answering.tile), event)

    def _asked(self, row: Any, tile: Tile) -> Asked:
        return Asked(self._scene, row.tile_id, row.answer_id, tile)

    def _keep(
        self,
        row: Any,
        tile: Tile,
        status: TileStatus,
        *,
        pixels: TilePixels | None = None,
        answering: _Answering | None = None,
        finish: str | None = None,
        reason: str | None = None,
    ) -> None:
        given = answering is not None and all(value is not None for value in answering.logprobs)
        batch = int(row.batch_id)
        self._rows[batch].append(
            {
                "seq": int(row.seq),
                "tile_id": row.tile_id,
                "answer_id": row.answer_id,
                "status": status.value,
                "attempts": self._tried.get(int(row.seq), 0) + 1,
                "seconds": time.perf_counter() - answering.started if answering else 0.0,
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
        unreadable = "no answer and no box could be read in what the model wrote"
        self._observer.tile_done(
            self._asked(row, tile), status, unreadable if status is TileStatus.PARSE_ERROR else reason
        )
        self._missing[batch] -= 1
        if not self._missing[batch]:
            self._run.write_part(batch, sorted(self._rows.pop(batch), key=lambda made: int(made["seq"])))
            self._kept.add(batch)


def _status(answering: _Answering) -> TileStatus:
    trace: Trace = answering.parser.trace
    if not trace.usable:
        return TileStatus.PARSE_ERROR
    if not trace.evidence and not trace.answer_boxes and answering.task not in BOXLESS_TASKS:
        return TileStatus.EMPTY
    return TileStatus.OK

"""One machine: tiles are read ahead in a thread, the model answers, each batch is kept as it ends.

Knows the order of stages and what becomes a row. Refuses to know what the answers mean on the ground
and how they are shown: an `Observer` is told as they come.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any, Protocol

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

BatchRows = tuple[int, pd.DataFrame]
"""A batch id and its manifest rows."""

SceneTile = tuple[str, Tile]
"""A scene's name and one tile of it."""

Found = tuple[SceneTile, tuple[TilePixels, ...] | Exception]
"""A tile and its pixels (of every date), or why they cannot be had."""

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
    tried: int
    """Attempts made before."""
    started: float
    text: list[str] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    logprobs: list[float | None] = field(default_factory=list)


def run_tiles(
    run: RunDirectory,
    model: VisionLanguageModel,
    sources: Sources,
    observer: Observer,
    batches: Collection[int],
) -> None:
    """Answer batches of the run, in order. Interrupted anywhere, those kept stay.

    batches: ascending; one that was answered before is asked once more, as a whole. Raises ModelError when the
    model dies, OutputError when a batch cannot be kept, SceneError when the only scene is gone or is no longer the
    file that was planned. Unreadable tiles and unusable answers become rows with their status; among several scenes
    so do all tiles of one that is gone.
    """
    asking = _Asking(run, model.profile, observer)
    pixels = _Current(_read(sources, _tiles(run.manifest.of_batches(batches)), alone=len(run.scenes) == 1))
    found = run.manifest.of_batches(batches)
    with closing(pixels):
        if model.continuous:
            asking.answer(model, found, pixels)
        else:
            for batch in found:
                asking.answer(model, iter([batch]), pixels)


def tile_of(row: Any) -> Tile:
    """The tile of one manifest row (a named tuple)."""
    window = Window(int(row.x0), int(row.y0), int(row.width), int(row.height))
    return Tile(int(row.tile), window, int(row.model_width), int(row.model_height))


def _tiles(batches: Iterator[BatchRows]) -> Iterator[SceneTile]:
    """Tiles in order, each once: several questions about one tile stand next to each other."""
    last: SceneTile | None = None
    for _, rows in batches:
        for row in named_rows(rows):
            place = str(row.scene), tile_of(row)
            if place != last:
                yield place
                last = place


def _read(sources: Sources, tiles: Iterator[SceneTile], *, alone: bool) -> Iterator[Found]:
    """The pixels of every tile, scene by scene, or why they cannot be had. alone: a scene's error is raised."""
    for scene, places in groupby(tiles, key=itemgetter(0)):
        of_scene = (tile for _, tile in places)
        try:
            with sources.views(scene) as views, views.reader(of_scene) as reader:
                for tile, pixels in reader:
                    yield (scene, tile), pixels
        except SceneError as err:
            if alone:
                raise
            for tile in of_scene:
                yield (scene, tile), err


class _Current:
    """The pixels of the tile at hand; goes on when the next tile is asked for."""

    def __init__(self, found: Iterator[Found]) -> None:
        self._found = found
        self._place: SceneTile | None = None
        self._pixels: tuple[TilePixels, ...] | Exception = ()

    def of(self, place: SceneTile) -> tuple[TilePixels, ...] | Exception:
        if place != self._place:
            self._place, self._pixels = next(self._found)
            if self._place != place:
                raise RuntimeError(f"the reader is at {self._place}, the batch at {place}")
        return self._pixels

    def close(self) -> None:
        """Stop reading."""
        self._found.close()  # type: ignore[attr-defined]


class _Asking:
    """Answers batches; each is kept as soon as its last row has come."""

    def __init__(self, run: RunDirectory, profile: Profile, observer: Observer) -> None:
        self._run = run
        self._tried: dict[int, int] = {}
        """Attempts made before, by row."""
        self._config = run.config
        self._profile = profile
        self._observer = observer
        self._open: dict[str, _Answering] = {}
        self._rows: dict[int, list[dict[str, Any]]] = {}
        self._missing: dict[int, int] = {}
        """Rows still to come, by batch."""

    def answer(self, model: VisionLanguageModel, batches: Iterator[BatchRows], pixels: _Current) -> None:
        """Keep a row for every row given."""
        pieces = model.generate(self._requests(batches, pixels))
        with closing(pieces):
            for piece in pieces:
                self._observer.check()
                self._take(piece)
        if self._open:
            raise ModelError(
                f"the model left {len(self._open)} tiles without an answer; resume to ask them again"
            )

    def _requests(self, batches: Iterator[BatchRows], pixels: _Current) -> Iterator[Request]:
        for batch, rows in batches:
            self._missing[batch], self._rows[batch] = len(rows), []
            before = self._run.answers([batch])
            self._tried = dict(zip(before.seq.tolist(), before.attempts.tolist(), strict=True))
            for row in named_rows(rows):
                request = self._request(row, pixels.of((str(row.scene), tile_of(row))))
                if request is not None:
                    yield request

    def _request(self, row: Any, found: tuple[TilePixels, ...] | Exception) -> Request | None:
        """None where there is nothing to show the model: the row is kept at once."""
        tile, tried = tile_of(row), self._tried.get(int(row.seq), 0)
        if isinstance(found, Exception):
            self._keep(row, tile, TileStatus.READ_ERROR, tried, reason=str(found))
            return None
        question = self._config.questions[int(row.question)]
        if any(view.valid_share == 0.0 for view in found):  # without one date nothing can be compared
            self._keep(row, tile, TileStatus.SKIPPED, tried, pixels=found[0])
            return None
        request_id = str(row.seq)
        self._open[request_id] = _Answering(
            row,
            tile,
            self._parser(question),
            found[0],
            [view.valid_cells for view in found],
            Task(question.task),
            tried,
            time.perf_counter(),
        )
        prompt = prompt_of(self._config, self._profile, question, len(found))
        return Request(
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
            answering.tried,
            pixels=answering.pixels,
            answering=answering,
            finish=piece.finish,
            reason=piece.error,
        )

    def _tell(self, answering: _Answering, events: list[Event]) -> None:
        for event in events:
            self._observer.event(self._asked(answering.row, answering.tile), event)

    def _asked(self, row: Any, tile: Tile) -> Asked:
        return Asked(str(row.scene), row.tile_id, row.answer_id, tile)

    def _keep(
        self,
        row: Any,
        tile: Tile,
        status: TileStatus,
        tried: int,
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
                "attempts": tried + 1,
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
            del self._missing[batch]
            self._run.write_part(batch, sorted(self._rows.pop(batch), key=lambda made: int(made["seq"])))


def _status(answering: _Answering) -> TileStatus:
    trace: Trace = answering.parser.trace
    if not trace.usable:
        return TileStatus.PARSE_ERROR
    if not trace.evidence and not trace.answer_boxes and answering.task not in BOXLESS_TASKS:
        return TileStatus.EMPTY
    return TileStatus.OK

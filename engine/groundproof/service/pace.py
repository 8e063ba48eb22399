"""How fast this service's model answers tiles, measured: from earlier questions, else from a trial.

Knows seconds, tiles and a small file that survives a restart. Refuses to guess: where nothing was measured
there is no pace.
"""

from __future__ import annotations

import json
import logging
import statistics
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from groundproof.errors import GroundproofError, OutputError
from groundproof.models.base import Request, VisionLanguageModel
from groundproof.protocol import Task, render, target_labels
from groundproof.run_files import writing
from groundproof.service.engine import Engine
from groundproof.stretch import FILL

log = logging.getLogger(__name__)

KEPT = 20
"""Questions remembered of each model, the latest: what else the computer does changes the pace."""

TRIAL_TILES = 16
"""Of a trial, at most; no more than the model computes together."""

LIKE = 2.0
"""A tile has as many pixels as another one up to this factor: pixels are most of what a tile costs."""

FULL_BOXES = 12
"""Of a tile full of objects, for the upper end of an estimate from empty ones."""

TOKENS_PER_BOX = 16
"""What a model writes for one box: a label, a place and four numbers (15 in the embedded model's form)."""

TRIAL_QUESTION = "How many airplanes are there?"


@dataclass(frozen=True, slots=True)
class Measured:
    """Tiles answered together. pixels: of one tile as the model sees it, on average, all its images counted.

    seconds: from the first tile's beginning to the last one's end. trial: tiles without objects, made up for
    measuring, not a person's question. full_seconds: of a trial, what the same tiles would take full of objects, by
    the time that the model took for each token; None where that could not be told.
    """

    tiles: int
    seconds: float
    pixels: float
    trial: bool = False
    full_seconds: float | None = None

    @property
    def seconds_per_tile(self) -> float:
        """Its pace."""
        return self.seconds / self.tiles


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds for one tile, and in words what was measured; trial: tiles without objects, the least there is.

    seconds_per_full_tile: of a trial, about what tiles full of objects would take.
    """

    seconds_per_tile: float
    measured_on: str
    trial: bool
    seconds_per_full_tile: float | None = None


class PaceStore:
    """Measurements by model identity, kept in one file. Safe to use from any thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._measured = _read(path)

    def add(self, identity: str, measured: Measured) -> None:
        """Remember a measurement; one that the disk does not take is remembered until the service stops."""
        if measured.tiles <= 0 or not measured.seconds > 0:
            return
        with self._lock:
            kept = [*self._measured.get(identity, []), measured]
            self._measured[identity] = kept[-KEPT:]
            document = {name: [asdict(one) for one in rows] for name, rows in self._measured.items()}
            temporary = self._path.with_suffix(".tmp")
            try:
                with writing(self._path):
                    temporary.write_text(json.dumps(document), encoding="utf-8")
                    temporary.replace(self._path)
            except OutputError as err:
                log.warning("the pace of the model cannot be kept: %s", err)

    def pace(self, identity: str, pixels: float) -> Pace | None:
        """Of tiles with about so many pixels: the median of questions, each counted by its tiles.

        A trial counts only where no question was measured. None: nothing like that was measured.
        """
        with self._lock:
            like = [
                one for one in self._measured.get(identity, ()) if 1 / LIKE <= one.pixels / pixels <= LIKE
            ]
        asked = [one for one in like if not one.trial]
        rows = asked or like[-1:]
        if not rows:
            return None
        tiles = sum(one.tiles for one in rows)
        full = None
        if not asked:
            full = None if rows[0].full_seconds is None else rows[0].full_seconds / rows[0].tiles
            what = f"{tiles} trial {'tile' if tiles == 1 else 'tiles'} without objects"
        else:
            what = f"{tiles:,} {'tile' if tiles == 1 else 'tiles'} of {len(rows)} earlier " + (
                "question" if len(rows) == 1 else "questions"
            )
        return Pace(_weighted_median(rows), what, trial=not asked, seconds_per_full_tile=full)


class Trial:
    """Asks the model about empty tiles once, in a thread of its own, where no pace is known otherwise."""

    def __init__(self, engine: Engine, store: PaceStore) -> None:
        self._engine = engine
        self._store = store
        self._lock = threading.Lock()
        self._going: dict[tuple[int, int], threading.Event] = {}

    def begin(self, side: tuple[int, int]) -> threading.Event:
        """Time tiles of a width and height, when the model is loaded. The event is set when that is over.

        Each size is tried once while the service runs: a model that cannot answer would fail again.
        """
        with self._lock:
            if side in self._going:
                return self._going[side]
            over = self._going[side] = threading.Event()
        threading.Thread(target=self._run, args=(side, over), name="time a trial tile", daemon=True).start()
        return over

    def _run(self, side: tuple[int, int], over: threading.Event) -> None:
        try:
            model = self._engine.model
            self._store.add(model.identity, time_trial(model, *side))
        except GroundproofError as err:
            log.warning("the model's pace could not be measured: %s", err)
        finally:
            over.set()


def time_trial(model: VisionLanguageModel, width: int, height: int) -> Measured:
    """Time a batch of empty tiles, after a first tile that warms the model up. Raises ModelError."""
    task = Task.COUNT
    prompt = render(task, TRIAL_QUESTION, model.profile, target_labels(TRIAL_QUESTION, task), 1)
    pixels = np.full((height, width, 3), FILL, dtype=np.uint8)
    count = max(1, min(model.max_in_flight, TRIAL_TILES))
    seconds, full = 0.0, None
    for tiles in (1, count):
        requests = [Request(f"trial-{i}", (pixels,), prompt.system, prompt.text) for i in range(tiles)]
        written: Counter[str] = Counter()
        started = time.perf_counter()
        first = None
        for piece in model.generate(requests):
            if piece.text:
                first = time.perf_counter() if first is None else first
                written[piece.request_id] += 1
        seconds = time.perf_counter() - started
        longest = max(written.values(), default=0)
        if first is not None and longest > 1:
            # Tiles of a batch write at the same time, so that each step costs as much as a token of one of them.
            step = (started + seconds - first) / (longest - 1)
            full = seconds + FULL_BOXES * TOKENS_PER_BOX * step
    return Measured(count, seconds, float(width * height), trial=True, full_seconds=full)


def _weighted_median(rows: list[Measured]) -> float:
    """Of the paces, each as often as it has tiles (a question of 1,000 tiles says more than one of 2)."""
    ordered = sorted(rows, key=lambda one: one.seconds_per_tile)
    total, run = sum(one.tiles for one in ordered), 0
    middle: list[float] = []
    for one in ordered:
        before, run = run, run + one.tiles
        if 2 * before <= total <= 2 * run:
            middle.append(one.seconds_per_tile)
    return statistics.fmean(middle)


def _read(path: Path) -> dict[str, list[Measured]]:
    """What was kept; nothing of a file that is damaged, which costs no more than a new measurement."""
    try:
        document: dict[str, list[dict[str, Any]]] = json.loads(path.read_text(encoding="utf-8"))
        return {name: [Measured(**row) for row in rows] for name, rows in document.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as err:
        log.warning("%s cannot be read and is begun anew: %s", path.name, err)
        return {}

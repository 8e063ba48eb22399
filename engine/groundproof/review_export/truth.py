"""Which tiles of a reviewed result have a known truth, and which boxes it is.

Knows the tables of a result and the rule of counting. Refuses to know pixels and formats.

A tile teaches only where all that lies in it is known: a box that nobody reviewed would be shown to a learner
as background, so its tile is left out whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import shapely
from shapely.geometry import Polygon

from groundproof.audit.review import SEEN
from groundproof.boxes import BoxFrame, PixelBox, PixelBoxes
from groundproof.counting import answers_to, counted
from groundproof.frames import named_rows
from groundproof.georeference import corners
from groundproof.protocol import Task, target_labels
from groundproof.tables import Result, TileStatus
from groundproof.trace import parse

MIN_PART_PX = 3.0
"""A part of a box that a tile's edge leaves smaller than this, on either side, is not in that tile: nobody could
tell what it is."""

NO_LABEL = "object"
"""Label of a box without one, drawn by hand."""

UNREVIEWED = "tiles with boxes that nobody reviewed"
NOTHING_REVIEWED = "tiles without a reviewed box"
NOT_LOOKED_AT = "tiles that the model did not look at"
SEVERAL_DATES = "tiles of answers that compare dates"

Bounds = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class TrueBox:
    """One object as far as it lies in one tile.

    box: upright, scene pixels, cut at the tile; or turned, when the whole turned box lies in the tile.
    polygon: the same, four or more corners.
    """

    evidence_id: str
    label: str
    box: PixelBox
    polygon: Polygon

    @property
    def upright(self) -> PixelBox:
        """The box, or the upright one around a turned one."""
        return PixelBox(*map(float, self.polygon.bounds))


@dataclass(frozen=True, slots=True)
class Taught:
    """One question about one tile with its true boxes. labels: normalised, asked for; may be empty.

    plan: the model's own words for what it would do, "" when it gave none.
    """

    answer_id: str
    question: str
    task: Task
    labels: tuple[str, ...]
    plan: str
    boxes: tuple[TrueBox, ...]

    @property
    def asked_for(self) -> tuple[TrueBox, ...]:
        """Those of the boxes that the question asks about."""
        fits = answers_to(pd.DataFrame({"label": [box.label for box in self.boxes]}), self.labels)
        return tuple(box for box, fit in zip(self.boxes, fits, strict=True) if fit)


@dataclass(frozen=True, slots=True)
class TruthTile:
    """A tile whose truth is known. window_px: x0, y0, x1, y1 in scene pixels, inside the scene."""

    scene: str
    window_px: Bounds
    taught: tuple[Taught, ...]

    @property
    def boxes(self) -> tuple[TrueBox, ...]:
        """All true boxes, each object once however many questions found it."""
        distinct = {(box.label, box.polygon.bounds): box for one in self.taught for box in one.boxes}
        return tuple(distinct.values())


@dataclass(frozen=True, slots=True)
class Truth:
    """tiles: by scene, in the order of the tiles table. left_out: how many tiles, by reason."""

    tiles: tuple[TruthTile, ...]
    left_out: dict[str, int] = field(default_factory=dict)


def truth(result: Result, *, include_unchecked: bool = False) -> Truth:
    """What an analyst's review of a result says about its tiles. `result` has been through `audit.reaudit`.

    True are the boxes a person accepted, adjusted or added; with include_unchecked also those that nobody
    reviewed and the rule of counting counts. A tile is taken when all its counted boxes are true and, unless
    include_unchecked, one of its boxes was reviewed: one with rejected boxes only shows that nothing is there.
    """
    answers = {row.answer_id: row for row in named_rows(result.answers)}
    asked = _labels(result)
    boxes = _Boxes(result.evidence, include_unchecked)
    taught: dict[tuple[str, Bounds], list[Taught | str]] = {}
    for tile in named_rows(result.tiles):
        answer = answers[tile.answer_id]
        window: Bounds = tuple(int(v) for v in tile.window_px)  # type: ignore[assignment]
        found: Taught | str
        if answer.task == Task.CHANGE:
            found = SEVERAL_DATES
        elif tile.status not in (TileStatus.OK, TileStatus.EMPTY):
            found = NOT_LOOKED_AT
        else:
            found = boxes.of_tile(answer, asked(answer), tile.text, window)
        taught.setdefault((str(tile.scene), window), []).append(found)
    tiles, left_out = [], Counter[str]()
    for (scene, window), parts in taught.items():
        known = [part for part in parts if isinstance(part, Taught)]
        reasons = [part for part in parts if isinstance(part, str)]
        if UNREVIEWED in reasons or not known:
            left_out[UNREVIEWED if UNREVIEWED in reasons else reasons[0]] += 1
        else:
            tiles.append(TruthTile(scene, window, tuple(known)))
    tiles.sort(key=lambda tile: tile.scene)
    return Truth(tuple(tiles), dict(left_out))


def _labels(result: Result) -> Callable[[Any], tuple[str, ...]]:
    """Which labels an answer's question asks for, as the run understood it."""
    run = result.metadata.get("configuration") or {}
    known = {q["text"]: tuple(q["labels"]) for q in run.get("questions", ()) if "labels" in q}
    return lambda answer: known.get(answer.question, target_labels(answer.question, Task(answer.task)))


class _Boxes:
    """The evidence table, for questions about one tile after another."""

    def __init__(self, evidence: pd.DataFrame, include_unchecked: bool) -> None:
        self._evidence = evidence
        self._all = include_unchecked
        self._counted = counted(evidence)
        self._seen = evidence["review"].isin(list(SEEN)).to_numpy(dtype=bool)
        self._reviewed = self._seen | (evidence["review"] == "rejected").to_numpy(dtype=bool)
        self._rows = evidence.groupby("answer_id", sort=False).indices
        xyxy = np.array([list(box) for box in evidence["box_px"]], dtype=np.float64).reshape(-1, 4)
        self._boxes = PixelBoxes(xyxy, evidence["angle_deg"].to_numpy(dtype=np.float64))
        self._polygons = np.atleast_1d(np.asarray(shapely.polygons(corners(self._boxes)), dtype=object))

    def of_tile(self, answer: Any, labels: tuple[str, ...], text: str | None, window: Bounds) -> Taught | str:
        """What one answer teaches about one tile, or why it teaches nothing."""
        rows = np.asarray(self._rows.get(answer.answer_id, ()), dtype=np.intp)
        rows = rows[shapely.intersects(self._polygons[rows], shapely.box(*window))]
        parts = {int(row): part for row in rows if (part := self._part(int(row), window)) is not None}
        if not self._all:
            if any(self._counted[row] and not self._seen[row] for row in parts):
                return UNREVIEWED
            if not any(self._reviewed[row] for row in parts):
                return NOTHING_REVIEWED
        task = Task(answer.task)
        true = tuple(part for row, part in parts.items() if self._counted[row])
        plan = parse(text or "", BoxFrame.PER_MILLE, task, labels).plan or ""
        return Taught(answer.answer_id, answer.question, task, labels, plan.strip(), true)

    def _part(self, row: int, window: Bounds) -> TrueBox | None:
        whole: Polygon = self._polygons[row]
        frame = shapely.box(*window)
        cut = whole if frame.covers(whole) else whole.intersection(frame)
        x0, y0, x1, y1 = (float(v) for v in cut.bounds)
        if not isinstance(cut, Polygon) or (
            cut is not whole and not (x1 - x0 >= MIN_PART_PX and y1 - y0 >= MIN_PART_PX)
        ):
            return None
        angle = float(self._boxes.angle_deg[row])
        box = PixelBox(x0, y0, x1, y1)
        if cut is whole and angle == angle:
            left, top, right, bottom = self._boxes.xyxy[row].tolist()
            box = PixelBox(left, top, right, bottom, angle)
        cells = self._evidence.iloc[row]
        return TrueBox(str(cells["evidence_id"]), str(cells["label"] or NO_LABEL), box, cut)


def distinct_labels(tiles: tuple[TruthTile, ...]) -> Iterator[str]:
    """Labels of the true boxes, in alphabetical order."""
    yield from sorted({box.label for tile in tiles for box in tile.boxes})

"""A run directory -> its result: parse, place, audit, merge, number, count, say. Pure, needs no model.

Knows the order of the cheap stages. Refuses to know pixels and models: what is not in the run directory
does not exist here, so the same directory always gives the same result.

Goes from area to area and hands on what is finished, so that memory does not grow with the scenes, and little with
the tiles of one. `assemble` gathers it into a `Result`; `assemble_to` gives it to any sink (`outputs.Spool`).
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import groupby
from typing import Any, Protocol

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyproj import CRS
from shapely.geometry import MultiPolygon

from groundproof.areas import Area, each_area
from groundproof.audit import audit_answer, audit_tile, in_order, on_data
from groundproof.config import MergeConfig
from groundproof.coverage import Tally
from groundproof.datasets import without_secrets
from groundproof.evidence_rows import Evidence, EvidenceRows, TilesOfAnswer
from groundproof.findings import Said, TileAudit, TileReply
from groundproof.frames import named_rows
from groundproof.georeference import Georeferencer, to_pixels
from groundproof.placement import parse_crs
from groundproof.planning import grid_of
from groundproof.protocol import Task
from groundproof.run import RunDirectory
from groundproof.runners.stages import tile_of
from groundproof.seen_boxes import SeenInTiles
from groundproof.seen_elsewhere import Elsewhere, seen_elsewhere, shared_ground
from groundproof.synthesis import synthesise, within_training
from groundproof.tables import TABLES, Result, TileStatus
from groundproof.tile_rows import inside, tile_rows, windows_of
from groundproof.trace import parse

OVERVIEW = "overview"

ROWS_AT_A_TIME = 2048
"""Tiles whose texts and log-probabilities are in memory at a time."""

SCENES_AT_A_TIME = 1024

LOOKED_AT = (TileStatus.OK.value, TileStatus.EMPTY.value)


class Sink(Protocol):
    """Takes the rows of a result, piece by piece."""

    def add(self, table: str, rows: pd.DataFrame) -> None:
        """Puts rows behind those the table has; `geometry` is a column of shapes in the result's CRS."""


def assemble(
    run: RunDirectory,
    *,
    metadata: Mapping[str, Any],
    merge_config: MergeConfig | None = None,
    out_crs: str | None = None,
    dedupe_scenes: bool | None = None,
) -> Result:
    """The result of what the run has answered so far, in memory; tiles not asked yet are in the coverage.

    metadata: provenance to write beside what the run itself knows. merge_config, out_crs, dedupe_scenes: instead of
    the run's own. Raises UsageError for an unknown out_crs.
    """
    crs = output_crs(run, out_crs)
    gathered = _Gathered()
    whole = assemble_to(
        run, gathered, crs, metadata=metadata, merge_config=merge_config, dedupe_scenes=dedupe_scenes
    )
    return Result(**gathered.tables(crs), metadata=whole)


def assemble_to(
    run: RunDirectory,
    sink: Sink,
    crs: CRS | None,
    *,
    metadata: Mapping[str, Any],
    merge_config: MergeConfig | None = None,
    dedupe_scenes: bool | None = None,
) -> dict[str, Any]:
    """Give the result of what the run has answered so far to a sink; returns its metadata.

    crs: of the result, see `output_crs`. Evidence and tiles come in the order of the plan, answer by answer and
    tile by tile; scenes last. dedupe_scenes: count once what two overlapping scenes both show; the texts of such
    scenes are read twice then. None: as the run says.
    """
    config = merge_config or run.config.merge
    dedupe = run.config.dedupe_scenes if dedupe_scenes is None else dedupe_scenes
    elsewhere = _elsewhere(run, crs, config) if dedupe else {}
    accuracy: dict[str, Any] = {}
    lost: dict[str, str] = {}
    for scene, of_scene in groupby(each_area(run), key=lambda area: str(area.scene["scene"])):
        reading = _Reading()
        georeferencer: Georeferencer | None = None
        for _, together in groupby(of_scene, key=lambda area: (area.rows, area.aoi_name)):
            asked = list(together)
            georeferencer = georeferencer or Georeferencer(asked[0].grid, crs)
            _AreaPass(run, asked, georeferencer, config).hand_on(sink, reading, elsewhere)
        if georeferencer is not None:
            accuracy[scene] = georeferencer.accuracy
        if reading.reason is not None:
            lost[scene] = reading.reason
    for rows in _scenes(run, crs, lost):
        sink.add("scenes", rows)
    return {
        "run_id": run.run_id,
        "run_directory": str(run.path),
        "configuration": run.config.model_copy(
            update={"scenes": tuple(without_secrets(path) for path in run.config.scenes)}
        ).model_dump(mode="json"),
        "merge": config.model_dump(),
        "dedupe_scenes": dedupe,
        "transform_accuracy": accuracy,
        **metadata,
    }


def output_crs(run: RunDirectory, asked: str | None = None) -> CRS | None:
    """The one CRS of a result: asked for, shared by all scenes, or EPSG:4326; None in pixel space.

    asked: instead of the run's own. Raises UsageError for one that PROJ does not know.
    """
    texts = {row["crs_wkt"] for row in run.scenes if row["status"] == "ok"}
    asked = asked or run.config.out_crs
    if texts == {None}:
        return None
    if asked is not None:
        return parse_crs(asked, "--out-crs")
    systems = [CRS.from_wkt(text) for text in texts if text is not None]
    return systems[0] if all(system.equals(systems[0]) for system in systems) else CRS.from_epsg(4326)


class _Gathered:
    """A sink in memory."""

    def __init__(self) -> None:
        self._pieces: dict[str, list[pd.DataFrame]] = {name: [] for name in TABLES}

    def add(self, table: str, rows: pd.DataFrame) -> None:
        if len(rows):
            self._pieces[table].append(rows)

    def tables(self, crs: CRS | None) -> dict[str, gpd.GeoDataFrame]:
        return {name: self._table(name, crs) for name in TABLES}

    def _table(self, name: str, crs: CRS | None) -> gpd.GeoDataFrame:
        columns, pieces = [*(c.name for c in TABLES[name]), "geometry"], self._pieces[name]
        data = pd.concat(pieces, ignore_index=True)[columns] if pieces else pd.DataFrame(columns=columns)
        return gpd.GeoDataFrame(data, geometry="geometry", crs=crs)


class _Reading:
    """Whether any tile of a scene could be read. reason: why not one of those asked could."""

    def __init__(self) -> None:
        self._tiles = self._unread = 0
        self._reasons: list[str] = []
        """Different ones, two at most."""

    def add(self, answered: pd.DataFrame) -> None:
        asked = answered[answered.batch_id >= 0]
        unread = asked[asked.status == TileStatus.READ_ERROR.value]
        self._tiles += len(asked)
        self._unread += len(unread)
        new = (str(reason) for reason in unread.error.unique())
        self._reasons = list(dict.fromkeys([*self._reasons, *new]))[:2]

    @property
    def reason(self) -> str | None:
        if not self._tiles or self._unread < self._tiles:
            return None
        if len(self._reasons) == 1:
            return self._reasons[0]
        return f"none of its {self._tiles:,} tiles could be read; the first: {self._reasons[0]}"


def _elsewhere(run: RunDirectory, crs: CRS | None, config: MergeConfig) -> dict[str, Elsewhere]:
    """By answer what another scene's answer counts."""
    if run.config.compares_dates:
        return {}
    shared = shared_ground(run)

    def answers() -> Iterator[tuple[Area, Evidence]]:
        for _, together in groupby(each_area(run), key=lambda area: (str(area.scene["scene"]), area.rows)):
            asked = list(together)
            if str(asked[0].scene["scene"]) in shared:
                places = Georeferencer(asked[0].grid, crs)
                yield from _AreaPass(run, asked, places, config).evidence()

    return seen_elsewhere(answers(), shared, config.edge_px)


class _AreaPass:
    """Makes the rows of all answers about one area, in one pass over what was said of its tiles."""

    def __init__(
        self, run: RunDirectory, asked: list[Area], georeferencer: Georeferencer, thresholds: MergeConfig
    ) -> None:
        self._run = run
        self._rows = asked[0].rows
        self._georeferencer = georeferencer
        self._answers = {area.answer_id: _Answer(run, area, georeferencer, thresholds) for area in asked}

    def hand_on(self, sink: Sink, reading: _Reading, elsewhere: Mapping[str, Elsewhere]) -> None:
        """Give all rows to the sink. elsewhere: by answer what another scene's answer counts."""
        for answered in self._slices():
            reading.add(answered)
            n_boxes = self._take(answered)
            tiles = tile_rows(answered, n_boxes, self._georeferencer)
            for answer_id, answer in self._answers.items():
                answer.cover(tiles[(answered.answer_id == answer_id).to_numpy()])
            sink.add("tiles", tiles)
        for answer_id in list(self._answers):
            answer = self._answers.pop(answer_id)
            evidence = answer.evidence(elsewhere.get(answer_id))
            row = answer.row(evidence)
            for rows in evidence.frames():
                sink.add("evidence", rows)
            # Values of any kind: beside numbers, pandas would make a number of a "no".
            sink.add("answers", pd.DataFrame([row]).astype({"value": object}))

    def evidence(self) -> Iterator[tuple[Area, Evidence]]:
        """The evidence of every answer alone."""
        for answered in self._slices():
            self._take(answered)
        for answer_id in list(self._answers):
            answer = self._answers.pop(answer_id)
            yield answer.area, answer.evidence()

    def _take(self, answered: pd.DataFrame) -> list[int]:
        """Tiles to their answers; how many boxes each gave."""
        windows = windows_of(answered)
        for answer_id, answer in self._answers.items():
            mine = (answered.answer_id == answer_id).to_numpy()
            answer.lie(windows[mine], answered[mine])
        seen = inside(windows, self._georeferencer.grid).tolist()
        return [
            self._answers[row.answer_id].take(row, window)
            for row, window in zip(named_rows(answered), seen, strict=True)
        ]

    def _slices(self) -> Iterator[pd.DataFrame]:
        low, high = self._rows
        for start in range(low, high, ROWS_AT_A_TIME):
            yield from self._run.answered(start, min(start + ROWS_AT_A_TIME, high))


class _Answer:
    """One answer: what its tiles say, then the row that follows from it."""

    def __init__(
        self,
        run: RunDirectory,
        area: Area,
        georeferencer: Georeferencer,
        thresholds: MergeConfig,
    ) -> None:
        self._run = run
        self._profile = run.config.profile
        self.area = area
        self._task = Task(area.question.task)
        self._size = (area.grid.width, area.grid.height)
        self._georeferencer = georeferencer
        self._evidence = EvidenceRows(run, area, georeferencer, thresholds)
        self._replies: list[TileReply] = []
        self._boxes = SeenInTiles()
        self._tally = Tally()
        self._windows = array("q")
        self._scale = 0.0

    def take(self, row: Any, window_px: list[int]) -> int:
        """One tile and what was said of it, a named tuple; window_px: the part inside the scene.

        How many boxes its own answer gave.
        """
        status = None if row.status is None else TileStatus(row.status)
        said = status is not None and row.batch_id >= 0
        trace = audited = None
        if said and row.status in LOOKED_AT:
            labels = self.area.question.labels
            trace = parse(row.text, self._profile.frame, self._task, labels, logprobs=_pieces(row))
            audited = self._audited(trace, row)
            self._boxes.add(len(self._replies), audited.boxes)
        self._replies.append(
            TileReply(
                row.tile_id,
                len(self._replies) + 1,
                tuple(window_px),  # type: ignore[arg-type]
                status or TileStatus.ENGINE_ERROR,
                None if trace is None else Said.of(trace),
                row.finish if said else None,
                1.0 if not said or np.isnan(row.valid_share) else row.valid_share,
                None if audited is None else len(audited.boxes),
                () if audited is None else tuple(box.problem for box in audited.unplaced),
            )
        )
        return 0 if audited is None else len(audited.boxes)

    def lie(self, windows: NDArray[np.int64], answered: pd.DataFrame) -> None:
        """Where some of its tiles lie: windows (N, 4) and rows of the plan."""
        self._windows.frombytes(np.ascontiguousarray(windows).tobytes())
        if len(answered):
            self._scale = max(self._scale, float((answered.width / answered.model_width).max()))

    def cover(self, tiles: pd.DataFrame) -> None:
        """What became of some of its tiles, rows of the tiles table."""
        self._tally.add(tiles)

    def evidence(self, elsewhere: Elsewhere | None = None) -> Evidence:
        """Its evidence, once. elsewhere: what another scene's answer counts."""
        tiles = TilesOfAnswer(
            [reply.tile_id for reply in self._replies],
            np.frombuffer(self._windows, dtype=np.int64).reshape(-1, 4).astype(np.float64),
            self._scale,
        )
        boxes, self._boxes = self._boxes.columns(), SeenInTiles()
        return self._evidence.make(boxes, tiles, elsewhere)

    def row(self, evidence: Evidence) -> dict[str, Any]:
        """Its row of the answers table."""
        replies = self._replies
        cover = self._tally.coverage(_valid_share(replies))
        overview = self._overview(len(replies) + 1)
        labels = self.area.question.labels
        said = (self.area.question.text, self._task, labels, replies, evidence.said(), cover)
        answer = within_training(synthesise(*said, overview=overview), labels, self._profile)
        found = audit_answer(*said, overview=overview, profile=self._profile, elsewhere=evidence.elsewhere)
        audit = in_order((*found, *evidence.findings))
        aoi = self._georeferencer.geometry_from_pixels(self.area.aoi_px)
        return {
            "answer_id": self.area.answer_id,
            "run_id": self._run.run_id,
            "scene": self.area.scene["scene"],
            "question": self.area.question.text,
            "task": self._task.value,
            "answer": f"{self.area.aoi_name}: {answer.answer}" if self.area.aoi_name else answer.answer,
            "value": answer.value,
            "plan": answer.plan,
            "synthesis": answer.synthesis,
            "coverage": cover,
            "audit": [finding.as_dict() for finding in audit],
            "context": self._context(),
            "geometry": aoi if aoi is None or isinstance(aoi, MultiPolygon) else MultiPolygon([aoi]),
        }

    def _audited(self, trace: Any, row: Any) -> TileAudit:
        tile, frame = tile_of(row), self._profile.frame
        placed = [
            to_pixels(one.box, frame, tile, self._size) for one in (*trace.evidence, *trace.answer_boxes)
        ]
        audited = audit_tile(trace, placed)
        if row.valid_cells is None:
            return audited
        return replace(audited, boxes=on_data(audited.boxes, tile, row.valid_cells))

    def _context(self) -> dict[str, Any] | None:
        context: dict[str, Any] = {"area": self.area.aoi_name} if self.area.aoi_name else {}
        if self._run.config.follows is not None:
            context["follows"] = self._run.config.follows.model_dump(mode="json")
        return context or None

    def _overview(self, number: int) -> TileReply | None:
        rows = self._run.follow_ups(OVERVIEW, self.area.answer_id)
        if not rows:
            return None
        row = rows[0]
        said = None
        status = TileStatus(row["outcome"])
        if row["outcome"] in LOOKED_AT:
            said = Said.of(parse(row["text"], self._profile.frame, self._task, self.area.question.labels))
        return TileReply("overview", number, self.area.aoi_px.bounds, status, said, row["finish"])


def _pieces(said: Any) -> list[tuple[int, float]] | None:
    if said.piece_logprobs is None or said.piece_lengths is None:
        return None
    return list(zip(said.piece_lengths.tolist(), said.piece_logprobs.tolist(), strict=True))


def _valid_share(replies: list[TileReply]) -> float | None:
    """Share of the tiles' area that holds data; 0 for skipped tiles. Overlaps count as often as tiled."""
    areas_px = [(r.window_px[2] - r.window_px[0]) * (r.window_px[3] - r.window_px[1]) for r in replies]
    if not sum(areas_px):
        return None
    valid = [0.0 if r.status is TileStatus.SKIPPED else min(1.0, r.valid_share) for r in replies]
    return float(np.average(valid, weights=areas_px))


def _scenes(run: RunDirectory, crs: CRS | None, lost: Mapping[str, str]) -> Iterator[pd.DataFrame]:
    """Rows of the scenes table. lost: why not one tile of a scene could be read."""
    for start in range(0, len(run.scenes), SCENES_AT_A_TIME):
        yield pd.DataFrame([_scene(one, crs, lost) for one in run.scenes[start : start + SCENES_AT_A_TIME]])


def _scene(scene: Mapping[str, Any], crs: CRS | None, lost: Mapping[str, str]) -> dict[str, Any]:
    affine, gcps = scene["affine"], scene["gcps"]
    row = {
        **{c.name: scene[c.name] for c in TABLES["scenes"]},
        "path": without_secrets(scene["path"]),
        "affine": None if affine is None else [float(v) for v in affine],
        "gcps": None if gcps is None else [[float(v) for v in point] for point in gcps],
        "geometry": Georeferencer(grid_of(scene), crs).footprint() if scene["status"] == "ok" else None,
    }
    if scene["scene"] in lost:
        row |= {"status": "failed", "reason": lost[scene["scene"]]}
    return row

"""A run directory -> its Result: parse, place, audit, merge, number, count, say. Pure, needs no model.

Knows the order of the cheap stages. Refuses to know pixels and models: what is not in the run directory
does not exist here, so the same directory always gives the same result.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from pyproj import CRS
from shapely.geometry import MultiPolygon

from groundproof.areas import Area, areas
from groundproof.audit import audit_answer, audit_tile, in_order, on_data
from groundproof.boxes import Window
from groundproof.config import MergeConfig
from groundproof.coverage import coverage
from groundproof.datasets import without_secrets
from groundproof.evidence_rows import EvidenceRows, SeenInTiles
from groundproof.findings import TileReply
from groundproof.frames import named_rows
from groundproof.georeference import Georeferencer, to_pixels
from groundproof.placement import parse_crs
from groundproof.planning import grid_of
from groundproof.protocol import Task
from groundproof.run import RunDirectory
from groundproof.runners.local import tile_of
from groundproof.synthesis import synthesise, within_training
from groundproof.tables import TABLES, Result, TileStatus
from groundproof.trace import Trace, parse

OVERVIEW = "overview"


def assemble(
    run: RunDirectory,
    *,
    metadata: dict[str, Any],
    merge_config: MergeConfig | None = None,
    out_crs: str | None = None,
) -> Result:
    """The result of what the run has answered so far; tiles not asked yet are in the coverage.

    metadata: provenance to write beside what the run itself knows. merge_config, out_crs: instead of the
    run's own. Raises UsageError for an unknown out_crs.
    """
    target = _target_crs(run, out_crs or run.config.out_crs)
    pieces: dict[str, list[pd.DataFrame]] = {name: [] for name in ("evidence", "answers", "tiles")}
    accuracy: dict[str, Any] = {}
    for area in areas(run):
        georeferencer = Georeferencer(area.grid, target)
        accuracy[area.scene["scene"]] = georeferencer.accuracy
        one = _Answer(run, area, georeferencer, merge_config or run.config.merge)
        for name, frame in one.tables().items():
            pieces[name].append(frame)
    tables = {name: _table(name, frames, target) for name, frames in pieces.items()}
    return Result(
        **tables,
        scenes=_scenes(run, target),
        metadata={
            "run_id": run.run_id,
            "run_directory": str(run.path),
            "configuration": run.config.model_copy(
                update={"scenes": tuple(without_secrets(path) for path in run.config.scenes)}
            ).model_dump(mode="json"),
            "merge": (merge_config or run.config.merge).model_dump(),
            "transform_accuracy": accuracy,
            **metadata,
        },
    )


class _Answer:
    """Makes the rows of one answer."""

    def __init__(
        self,
        run: RunDirectory,
        area: Area,
        georeferencer: Georeferencer,
        merge_config: MergeConfig,
    ) -> None:
        self._run = run
        self._profile = run.config.profile
        self._area = area
        self._task = Task(area.question.task)
        self._georeferencer = georeferencer
        rows = pd.concat(list(run.answered(*area.rows)), ignore_index=True)
        self._manifest = rows[rows.answer_id == area.answer_id]
        self._evidence = EvidenceRows(run, area, georeferencer, self._manifest, merge_config)

    def tables(self) -> dict[str, pd.DataFrame]:
        replies, tiles, boxes = self._replies()
        evidence = self._evidence.table(boxes, [reply.tile_id for reply in replies])
        cover = coverage(tiles, _valid_share(replies))
        overview = self._overview(len(replies) + 1)
        said = (self._area.question.text, self._task, self._area.question.labels, replies, evidence, cover)
        answer = within_training(
            synthesise(*said, overview=overview), self._area.question.labels, self._profile
        )
        audit = in_order(
            (*audit_answer(*said, overview=overview, profile=self._profile), *self._evidence.findings)
        )
        aoi = self._georeferencer.geometry_from_pixels(self._area.aoi_px)
        row = {
            "answer_id": self._area.answer_id,
            "run_id": self._run.run_id,
            "scene": self._area.scene["scene"],
            "question": self._area.question.text,
            "task": self._task.value,
            "answer": f"{self._area.aoi_name}: {answer.answer}" if self._area.aoi_name else answer.answer,
            "value": answer.value,
            "plan": answer.plan,
            "synthesis": answer.synthesis,
            "coverage": cover,
            "audit": [finding.as_dict() for finding in audit],
            "context": self._context(),
            "geometry": aoi if aoi is None or isinstance(aoi, MultiPolygon) else MultiPolygon([aoi]),
        }
        return {"evidence": evidence, "answers": pd.DataFrame([row]), "tiles": tiles}

    def _context(self) -> dict[str, Any] | None:
        context: dict[str, Any] = {"area": self._area.aoi_name} if self._area.aoi_name else {}
        if self._run.config.follows is not None:
            context["follows"] = self._run.config.follows.model_dump(mode="json")
        return context or None

    def _replies(self) -> tuple[list[TileReply], pd.DataFrame, SeenInTiles]:
        replies: list[TileReply] = []
        rows: list[dict[str, Any]] = []
        boxes = SeenInTiles()
        size = (self._area.grid.width, self._area.grid.height)
        for number, row in enumerate(named_rows(self._manifest), start=1):
            tile = tile_of(row)
            status = None if row.status is None else TileStatus(row.status)
            said = None if status is None or row.batch_id < 0 else row
            window = tile.window
            right, bottom = min(window.x1, size[0]), min(window.y1, size[1])
            trace = audited = None
            if said is not None and status in (TileStatus.OK, TileStatus.EMPTY):
                trace = parse(
                    said.text,
                    self._profile.frame,
                    self._task,
                    self._area.question.labels,
                    logprobs=_pieces(said),
                )
                named = (*trace.evidence, *trace.answer_boxes)
                audited = audit_tile(
                    trace, [to_pixels(e.box, self._profile.frame, tile, size) for e in named]
                )
                if said.valid_cells is not None:
                    boxes_on_data = on_data(audited.boxes, tile, said.valid_cells)
                    audited = replace(audited, boxes=boxes_on_data)
                for found in audited.boxes:
                    boxes.found.append(found)
                    boxes.tile.append(number - 1)
            replies.append(
                TileReply(
                    row.tile_id,
                    number,
                    (window.x0, window.y0, right, bottom),
                    status or TileStatus.ENGINE_ERROR,
                    trace,
                    audited,
                    None if said is None else said.finish,
                    1.0
                    if said is None or said.valid_share is None or np.isnan(said.valid_share)
                    else said.valid_share,
                )
            )
            rows.append(self._tile_row(row, window, (right, bottom), status, said, audited))
        return replies, pd.DataFrame(rows, columns=[*(c.name for c in TABLES["tiles"]), "geometry"]), boxes

    def _tile_row(
        self,
        row: Any,
        window: Window,
        end: tuple[int, int],
        status: TileStatus | None,
        said: Any,
        audited: Any,
    ) -> dict[str, Any]:
        why = None if said is None else said.error
        return {
            "tile_id": row.tile_id,
            "answer_id": row.answer_id,
            "scene": row.scene,
            "window_px": [window.x0, window.y0, *end],
            "status": None if status is None else status.value,
            "attempts": 0 if said is None else int(said.attempts),
            "seconds": None if said is None else float(said.seconds),
            "n_evidence": 0 if audited is None else len(audited.boxes),
            "text": why if why else (None if said is None else said.text),
            "pixels_hash": None if said is None else said.pixels_hash,
            "geometry": self._georeferencer.polygon_of_window(window),
        }

    def _overview(self, number: int) -> TileReply | None:
        rows = self._run.follow_ups(OVERVIEW, self._area.answer_id)
        if not rows:
            return None
        row = rows[0]
        trace: Trace = parse(row["text"], self._profile.frame, self._task, self._area.question.labels)
        status = TileStatus(row["outcome"])
        bounds = self._area.aoi_px.bounds
        answered = trace if status in (TileStatus.OK, TileStatus.EMPTY) else None
        return TileReply("overview", number, bounds, status, answered, None, row["finish"])


def _pieces(said: Any) -> list[tuple[int, float]] | None:
    if said.piece_logprobs is None or said.piece_lengths is None:
        return None
    return [(int(n), float(p)) for n, p in zip(said.piece_lengths, said.piece_logprobs, strict=True)]


def _valid_share(replies: list[TileReply]) -> float | None:
    """Share of the tiles' area that holds data; 0 for skipped tiles. Overlaps count as often as tiled."""
    areas_px = [(r.window_px[2] - r.window_px[0]) * (r.window_px[3] - r.window_px[1]) for r in replies]
    if not sum(areas_px):
        return None
    valid = [0.0 if r.status is TileStatus.SKIPPED else min(1.0, r.valid_share) for r in replies]
    return float(np.average(valid, weights=areas_px))


def _target_crs(run: RunDirectory, asked: str | None) -> CRS | None:
    """The one CRS of the output: asked for, shared by all scenes, or EPSG:4326; None in pixel space."""
    texts = {row["crs_wkt"] for row in run.scenes if row["status"] == "ok"}
    if texts == {None}:
        return None
    if asked is not None:
        return parse_crs(asked, "--out-crs")
    systems = [CRS.from_wkt(text) for text in texts if text is not None]
    return systems[0] if all(system.equals(systems[0]) for system in systems) else CRS.from_epsg(4326)


def _table(name: str, frames: list[pd.DataFrame], crs: CRS | None) -> gpd.GeoDataFrame:
    columns = [*(c.name for c in TABLES[name]), "geometry"]
    filled = [frame for frame in frames if len(frame)]
    data = pd.concat(filled, ignore_index=True)[columns] if filled else pd.DataFrame(columns=columns)
    return gpd.GeoDataFrame(data, geometry="geometry", crs=crs)


def _scenes(run: RunDirectory, target: CRS | None) -> gpd.GeoDataFrame:
    rows = []
    for scene in run.scenes:
        footprint = None
        if scene["status"] == "ok":
            footprint = Georeferencer(grid_of(scene), target).footprint()
        affine, gcps = scene["affine"], scene["gcps"]
        rows.append(
            {
                **{c.name: scene[c.name] for c in TABLES["scenes"]},
                "path": without_secrets(scene["path"]),
                "affine": None if affine is None else [float(v) for v in affine],
                "gcps": None if gcps is None else [[float(v) for v in point] for point in gcps],
                "geometry": footprint,
            }
        )
    return _table("scenes", [pd.DataFrame(rows)], target)

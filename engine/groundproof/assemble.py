"""A run directory -> its Result: parse, place, audit, merge, number, count, say. Pure, needs no model.

Knows the order of the cheap stages. Refuses to know pixels and models: what is not in the run directory
does not exist here, so the same directory always gives the same result.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from shapely.geometry import MultiPolygon
from shapely.geometry.base import BaseGeometry

from groundproof.audit import audit_answer, audit_tile, in_order
from groundproof.boxes import Grid, PixelBoxes, Window
from groundproof.config import MergeConfig, Question
from groundproof.coverage import coverage
from groundproof.findings import AuditFinding, BoxFinding, Kind, TileReply
from groundproof.frames import named_rows
from groundproof.georeference import Georeferencer, corners, to_pixels
from groundproof.merge import SeenBoxes, merge
from groundproof.models.profiles import Profile
from groundproof.placement import parse_crs
from groundproof.planning import grid_of
from groundproof.protocol import Task
from groundproof.run import RunDirectory
from groundproof.runners.local import tile_of
from groundproof.second_look import SecondLook, findings_of
from groundproof.synthesis import synthesise
from groundproof.tables import NOT_COUNTED, TABLES, Result, TileStatus, Verdict
from groundproof.trace import Trace, parse

OVERVIEW = "overview"
SECOND_LOOK = "second-look"


@dataclass(frozen=True, slots=True)
class Area:
    """One answer's place in the run: which scene, area and question it is about."""

    answer_id: str
    scene: dict[str, Any]
    grid: Grid
    aoi_name: str
    aoi_px: BaseGeometry
    whole_scene: bool
    question: Question


@dataclass(slots=True)
class _Boxes:
    """All boxes of one answer that have a place, as columns."""

    found: list[BoxFinding] = field(default_factory=list)
    tile: list[int] = field(default_factory=list)

    def xyxy(self) -> NDArray[np.float64]:
        return np.array(
            [(f.box.x0, f.box.y0, f.box.x1, f.box.y1) for f in self.found], dtype=np.float64
        ).reshape(-1, 4)


def assemble(
    run: RunDirectory,
    profile: Profile,
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
    answers = run.answers().set_index("seq")
    pieces: dict[str, list[pd.DataFrame]] = {name: [] for name in ("evidence", "answers", "tiles")}
    accuracy: dict[str, Any] = {}
    for area in areas(run):
        georeferencer = Georeferencer(area.grid, target)
        accuracy[area.scene["scene"]] = georeferencer.accuracy
        one = _Answer(run, profile, area, georeferencer, answers, merge_config or run.config.merge)
        for name, frame in one.tables().items():
            pieces[name].append(frame)
    tables = {name: _table(name, frames, target) for name, frames in pieces.items()}
    return Result(
        **tables,
        scenes=_scenes(run, target),
        metadata={
            "run_id": run.run_id,
            "run_directory": str(run.path),
            "configuration": run.config.model_dump(mode="json"),
            "merge": (merge_config or run.config.merge).model_dump(),
            "transform_accuracy": accuracy,
            **metadata,
        },
    )


def areas(run: RunDirectory) -> list[Area]:
    """Every (scene, area, question) of the run, in answer order (the order in which the manifest names them)."""
    found: list[Area] = []
    number = 1
    for scene in run.scenes:
        if scene["status"] != "ok":
            continue
        grid = grid_of(scene)
        for aoi in scene["aois"]:
            for question in run.config.questions:
                found.append(
                    Area(
                        f"A{number}",
                        scene,
                        grid,
                        aoi["name"],
                        shapely.from_wkb(aoi["polygon_px"]),
                        run.config.aoi is None,
                        question,
                    )
                )
                number += 1
    return found


class _Answer:
    """Makes the rows of one answer."""

    def __init__(
        self,
        run: RunDirectory,
        profile: Profile,
        area: Area,
        georeferencer: Georeferencer,
        answers: pd.DataFrame,
        merge_config: MergeConfig,
    ) -> None:
        self._run = run
        self._profile = profile
        self._area = area
        self._task = Task(area.question.task)
        self._georeferencer = georeferencer
        self._merge = merge_config
        self._manifest = run.manifest[run.manifest.answer_id == area.answer_id]
        self._answers = answers
        self._findings: list[AuditFinding] = []
        self._looks: list[tuple[str, SecondLook]] = []

    def tables(self) -> dict[str, pd.DataFrame]:
        replies, tiles, boxes = self._replies()
        evidence = self._evidence(boxes, [reply.tile_id for reply in replies])
        cover = coverage(tiles, _valid_share(replies))
        overview = self._overview(len(replies) + 1)
        said = (self._area.question.text, self._task, self._area.question.labels, replies, evidence, cover)
        answer = synthesise(*said, overview=overview)
        audit = in_order((*audit_answer(*said, overview=overview, profile=self._profile), *self._findings))
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
            "context": {"area": self._area.aoi_name} if self._area.aoi_name else None,
            "geometry": aoi if aoi is None or isinstance(aoi, MultiPolygon) else MultiPolygon([aoi]),
        }
        return {"evidence": evidence, "answers": pd.DataFrame([row]), "tiles": tiles}

    def _replies(self) -> tuple[list[TileReply], pd.DataFrame, _Boxes]:
        replies: list[TileReply] = []
        rows: list[dict[str, Any]] = []
        boxes = _Boxes()
        size = (self._area.grid.width, self._area.grid.height)
        for number, row in enumerate(named_rows(self._manifest), start=1):
            tile = tile_of(row)
            said = self._answers.loc[row.seq] if row.seq in self._answers.index else None
            status = (
                TileStatus.SKIPPED if row.batch_id < 0 else None if said is None else TileStatus(said.status)
            )
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

    def _evidence(self, boxes: _Boxes, tile_ids: list[str]) -> pd.DataFrame:
        columns = [*(c.name for c in TABLES["evidence"]), "geometry"]
        keep = self._inside(boxes)
        if not keep.any():
            return pd.DataFrame(columns=columns)
        found = [f for f, k in zip(boxes.found, keep, strict=True) if k]
        tile = np.array(boxes.tile)[keep]
        groups = self._groups(found, tile, tile_ids)
        rows = [self._row(found, tile, tile_ids, members, box) for members, box in groups]
        placed = PixelBoxes(
            np.array([row["box_px"] for row in rows]).reshape(-1, 4),
            np.array([np.nan if row["angle_deg"] is None else row["angle_deg"] for row in rows]),
        )
        polygons = self._georeferencer.polygons(placed)
        area, width, height = self._georeferencer.sizes(placed)
        frame = pd.DataFrame(rows)
        frame["area_m2"], frame["width_m"], frame["height_m"], frame["geometry"] = (
            area,
            width,
            height,
            polygons,
        )
        lost = frame.geometry.isna()
        if lost.any():
            self._findings.append(
                AuditFinding(
                    Kind.UNPLACED,
                    "warning",
                    f"{int(lost.sum())} boxes have no place in the output CRS and were left out; "
                    "choose another --out-crs",
                )
            )
        frame = self._second_looked(frame[~lost].copy())
        counted = ~frame.verdict.isin([str(v) for v in NOT_COUNTED])
        centre = np.array([((b[1] + b[3]) / 2, (b[0] + b[2]) / 2) for b in frame.box_px]).reshape(-1, 2)
        order = np.lexsort((centre[:, 1], centre[:, 0], ~counted.to_numpy(dtype=bool)))
        frame = frame.iloc[order].reset_index(drop=True)
        frame["evidence_id"] = [f"E{i}" for i in range(1, len(frame) + 1)]
        self._findings += self._second_look_findings(frame)
        return frame[columns]

    def _second_look_findings(self, frame: pd.DataFrame) -> list[AuditFinding]:
        ids = {
            look_key(row.box_px, row.label): str(row.evidence_id) for row in named_rows(frame) if self._looks
        }
        looks = [replace(look, index=index) for index, (_, look) in enumerate(self._looks)]
        return findings_of([ids[key] for key, _ in self._looks], looks)

    def _inside(self, boxes: _Boxes) -> NDArray[np.bool_]:
        """Boxes whose centre lies in the area asked about; tiles see more than that."""
        xyxy = boxes.xyxy()
        if self._area.whole_scene or not len(xyxy):
            return np.ones(len(xyxy), dtype=bool)
        shapely.prepare(self._area.aoi_px)
        inside = shapely.intersects_xy(
            self._area.aoi_px, (xyxy[:, 0] + xyxy[:, 2]) / 2, (xyxy[:, 1] + xyxy[:, 3]) / 2
        )
        outside = int((~inside).sum())
        if outside:
            self._findings.append(
                AuditFinding(
                    Kind.OUT_OF_FRAME,
                    "info",
                    f"{outside} {'box' if outside == 1 else 'boxes'} with the centre outside the area asked about "
                    f"{'was' if outside == 1 else 'were'} left out",
                )
            )
        return np.asarray(inside, dtype=bool)

    def _groups(
        self, found: list[BoxFinding], tile: NDArray[np.int64], tile_ids: list[str]
    ) -> list[tuple[list[int], tuple[float, float, float, float]]]:
        """Members (keeper first) and merged box of every object. Rows that are not counted stay alone."""
        xyxy = np.array([(f.box.x0, f.box.y0, f.box.x1, f.box.y1) for f in found], dtype=np.float64)
        mergeable = np.array([f.verdict not in NOT_COUNTED for f in found])
        rows = np.flatnonzero(mergeable)
        windows = np.array(
            [(r.x0, r.y0, r.x0 + r.width, r.y0 + r.height) for r in named_rows(self._manifest)]
        )
        merged = merge(
            SeenBoxes(
                xyxy=_hulls(found)[rows],
                label=pd.factorize(np.array([found[i].source.label for i in rows], dtype=object))[0].astype(
                    np.int64
                ),
                image=np.array([found[i].source.image for i in rows], dtype=np.int64),
                tile=tile[rows],
                windows=windows.astype(np.float64),
                tile_rank=np.argsort(np.argsort(np.array(tile_ids))).astype(np.int64),
                scene_size=(self._area.grid.width, self._area.grid.height),
                edge_tolerance_px=self._merge.edge_px
                * float((self._manifest.width / self._manifest.model_width).max()),
            ),
            iou=self._merge.iou,
            over_smaller=self._merge.ios,
        )
        groups: list[tuple[list[int], tuple[float, float, float, float]]] = []
        for k, keeper in enumerate(merged.keepers):
            members = [int(rows[m]) for m in merged.members[merged.starts[k] : merged.starts[k + 1]]]
            box = merged.xyxy[k] if merged.united[k] else xyxy[rows[keeper]]
            groups.append((members, tuple(box)))
        groups += [([int(i)], tuple(xyxy[i])) for i in np.flatnonzero(~mergeable)]
        return groups

    def _row(
        self,
        found: list[BoxFinding],
        tile: NDArray[np.int64],
        tile_ids: list[str],
        members: list[int],
        box: tuple[float, float, float, float],
    ) -> dict[str, Any]:
        keeper = found[members[0]]
        seen = [found[m] for m in members]
        backed = any(f.verdict is Verdict.UNCHECKED for f in seen)
        return {
            "evidence_id": "",
            "answer_id": self._area.answer_id,
            "run_id": self._run.run_id,
            "scene": self._area.scene["scene"],
            "image": keeper.source.image,
            "tile_ids": [tile_ids[tile[m]] for m in members],
            "parents": [
                {
                    "tile_id": tile_ids[tile[m]],
                    "number": found[m].source.number,
                    "box_px": [found[m].box.x0, found[m].box.y0, found[m].box.x1, found[m].box.y1],
                }
                for m in members
            ],
            "role": "evidence" if any(f.source.role == "evidence" for f in seen) else "answer",
            "label": keeper.source.label,
            "label_raw": keeper.source.label_raw,
            "quote": keeper.source.quote,
            "text_start": keeper.source.text_start,
            "text_end": keeper.source.text_end,
            "box_px": [float(v) for v in box],
            "angle_deg": keeper.box.angle_deg if tuple(box) == _numbers(keeper) else None,
            "score": keeper.source.score,
            "verdict": str(Verdict.UNCHECKED if backed else keeper.verdict),
            "review": None,
            "reviewed_at": None,
        }

    def _second_looked(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Verdicts of the second look, where it was made and could decide: the rest stays as it was."""
        kept = {row["key"]: row for row in self._run.follow_ups(SECOND_LOOK, self._area.answer_id)}
        keys = [look_key(box, label) for box, label in zip(frame.box_px, frame.label, strict=True)]
        for key, row in zip(keys, frame.index, strict=True):
            outcome = kept[key]["outcome"] if key in kept else Verdict.UNCHECKED
            if outcome != Verdict.UNCHECKED:
                frame.loc[row, "verdict"] = str(outcome)
        self._looks = [
            (key, SecondLook(0, Verdict(kept[key]["outcome"]), kept[key]["reason"] or ""))
            for key in keys
            if key in kept
        ]
        return frame

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


def _numbers(found: BoxFinding) -> tuple[float, float, float, float]:
    return (found.box.x0, found.box.y0, found.box.x1, found.box.y1)


def _hulls(found: list[BoxFinding]) -> NDArray[np.float64]:
    """Axis-aligned hulls (N, 4) of the boxes, which differ from their numbers only where they are turned."""
    quads = corners(PixelBoxes.of([f.box for f in found]))
    return np.concatenate([quads.min(axis=1), quads.max(axis=1)], axis=1)


def look_key(box: list[float], label: str) -> str:
    """What a second look is remembered by: the place (a hundredth of a pixel) and the label."""
    return ",".join(f"{v:.2f}" for v in box) + f" {label}"


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
    return systems[0] if len(systems) == 1 else CRS.from_epsg(4326)


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
                "affine": None if affine is None else [float(v) for v in affine],
                "gcps": None if gcps is None else [[float(v) for v in point] for point in gcps],
                "geometry": footprint,
            }
        )
    return _table("scenes", [pd.DataFrame(rows)], target)

"""The evidence rows of one answer: inside its area, merged over tiles, placed on the map, numbered.

Knows boxes of tiles and the evidence table. Refuses to know what the answer is, and pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from groundproof.areas import Area
from groundproof.audit.no_data import MOSTLY, no_data
from groundproof.boxes import PixelBoxes
from groundproof.config import MergeConfig
from groundproof.findings import AuditFinding, BoxFinding, Kind
from groundproof.frames import named_rows
from groundproof.georeference import Georeferencer, corners
from groundproof.merge import SeenBoxes, merge
from groundproof.run import RunDirectory
from groundproof.second_look import SecondLook, findings_of
from groundproof.tables import NOT_COUNTED, TABLES, Verdict

SECOND_LOOK = "second-look"


@dataclass(slots=True)
class SeenInTiles:
    """All boxes of one answer that have a place, as columns."""

    found: list[BoxFinding] = field(default_factory=list)
    tile: list[int] = field(default_factory=list)

    def xyxy(self) -> NDArray[np.float64]:
        """Columns x0, y0, x1, y1 (N, 4), scene pixels."""
        return np.array(
            [(f.box.x0, f.box.y0, f.box.x1, f.box.y1) for f in self.found], dtype=np.float64
        ).reshape(-1, 4)


class EvidenceRows:
    """Makes the evidence of one answer. findings: what came up on the way, for the answer's audit."""

    def __init__(
        self,
        run: RunDirectory,
        area: Area,
        georeferencer: Georeferencer,
        manifest: pd.DataFrame,
        thresholds: MergeConfig,
    ) -> None:
        self._run = run
        self._area = area
        self._georeferencer = georeferencer
        self._manifest = manifest
        self._merge = thresholds
        self.findings: list[AuditFinding] = []
        self._looks: list[tuple[str, SecondLook]] = []

    def table(self, boxes: SeenInTiles, tile_ids: list[str]) -> pd.DataFrame:
        """The answer's rows of the evidence table, numbered. tile_ids: by the boxes' tile index."""
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
            self.findings.append(
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
        self.findings += self._second_look_findings(frame)
        mostly = frame[(frame["without_data"] >= MOSTLY) & ~frame.verdict.isin([str(v) for v in NOT_COUNTED])]
        bare = no_data([str(one) for one in mostly["evidence_id"]])
        if bare is not None:
            self.findings.append(bare)
        return frame[columns]

    def _second_look_findings(self, frame: pd.DataFrame) -> list[AuditFinding]:
        ids = dict(zip(frame["looked"], frame["evidence_id"], strict=True))
        looks = [replace(look, index=index) for index, (_, look) in enumerate(self._looks)]
        return findings_of([str(ids[key]) for key, _ in self._looks], looks)

    def _inside(self, boxes: SeenInTiles) -> NDArray[np.bool_]:
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
            self.findings.append(
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
            "without_data": min(f.without_data for f in seen),
        }

    def _second_looked(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Verdicts of the second look, where it was made and could decide: the rest stays as it was.

        A row that was not counted was not looked at: a box listed twice has the same place and label as
        the one that stands, and must not rise with it. Column `looked`: the key, None for such rows.
        """
        kept = {row["key"]: row for row in self._run.follow_ups(SECOND_LOOK, self._area.answer_id)}
        keys = [
            None if verdict in NOT_COUNTED else look_key(box, label, int(image))
            for box, label, image, verdict in zip(
                frame.box_px, frame.label, frame.image, frame.verdict, strict=True
            )
        ]
        frame["looked"] = pd.Series(keys, index=frame.index, dtype=object)
        for key, row in zip(keys, frame.index, strict=True):
            outcome = kept[key]["outcome"] if key in kept else Verdict.UNCHECKED
            if outcome != Verdict.UNCHECKED:
                frame.loc[row, "verdict"] = str(outcome)
        self._looks = [
            (key, SecondLook(0, Verdict(kept[key]["outcome"]), kept[key]["reason"] or ""))
            for key in keys
            if key is not None and key in kept
        ]
        return frame


def _numbers(found: BoxFinding) -> tuple[float, float, float, float]:
    return (found.box.x0, found.box.y0, found.box.x1, found.box.y1)


def _hulls(found: list[BoxFinding]) -> NDArray[np.float64]:
    """Axis-aligned hulls (N, 4) of the boxes, which differ from their numbers only where they are turned."""
    quads = corners(PixelBoxes.of([f.box for f in found]))
    return np.concatenate([quads.min(axis=1), quads.max(axis=1)], axis=1)


def look_key(box: list[float], label: str, image: int) -> str:
    """What a second look is remembered by: the place (a hundredth of a pixel), the label, the date's image."""
    return ",".join(f"{v:.2f}" for v in box) + f" {image} {label}"

"""The evidence rows of one answer: inside its area, merged over tiles, placed on the map, numbered.

Knows boxes of tiles and the evidence table. Refuses to know what the answer is, and pixels. Rows are columns until
they are handed on, some thousands at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from groundproof.areas import Area
from groundproof.audit.no_data import MOSTLY, no_data
from groundproof.audit.other_scenes import other_scenes
from groundproof.boxes import PixelBoxes
from groundproof.config import MergeConfig
from groundproof.findings import AuditFinding, Kind
from groundproof.georeference import Georeferencer, corners
from groundproof.merge import SeenBoxes, merge
from groundproof.run import RunDirectory
from groundproof.second_look import SecondLook, findings_of
from groundproof.seen_boxes import VERDICTS, SeenColumns, counts, verdict_code
from groundproof.tables import TABLES, Verdict

SECOND_LOOK = "second-look"

ROWS_AT_A_TIME = 4096
"""Rows of the evidence table that are Python objects at a time: some 8 MB."""

COLUMNS = [*(c.name for c in TABLES["evidence"]), "geometry"]

_UNCHECKED = verdict_code(Verdict.UNCHECKED)
_DUPLICATE = verdict_code(Verdict.DUPLICATE)


@dataclass(frozen=True, slots=True)
class TilesOfAnswer:
    """The tiles of one answer, by the boxes' tile index.

    ids: their names. windows: float64 (T, 4), x0, y0, x1, y1, scene px. scale: scene px per px of the model's image.
    """

    ids: list[str]
    windows: NDArray[np.float64]
    scale: float


@dataclass(frozen=True, slots=True)
class _Objects:
    """Merged objects (G,). The members of object g, keeper first, are members[starts[g]:starts[g + 1]]."""

    members: NDArray[np.int64]
    starts: NDArray[np.int64]
    box: NDArray[np.float64]
    angle: NDArray[np.float64]
    verdict: NDArray[np.int8]
    in_evidence: NDArray[np.bool_]
    without_data: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.box)

    @property
    def keeper(self) -> NDArray[np.int64]:
        return self.members[self.starts[:-1]]

    def take(self, rows: NDArray[np.int64]) -> _Objects:
        sizes = np.diff(self.starts)[rows]
        starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        places = np.arange(starts[-1]) + np.repeat(self.starts[:-1][rows] - starts[:-1], sizes)
        return _Objects(
            self.members[places],
            starts,
            self.box[rows],
            self.angle[rows],
            self.verdict[rows],
            self.in_evidence[rows],
            self.without_data[rows],
        )


class Evidence:
    """The evidence of one answer, in the order of its E-numbers. findings: for the answer's audit.

    elsewhere: E-numbers of rows that another scene's answer counts. scale: scene px per px of the model's image.
    """

    def __init__(
        self,
        run_id: str,
        area: Area,
        georeferencer: Georeferencer,
        tiles: TilesOfAnswer,
        seen: SeenColumns,
        objects: _Objects,
        findings: list[AuditFinding],
        elsewhere: tuple[str, ...],
    ) -> None:
        self.findings = findings
        self.elsewhere = elsewhere
        self._run_id = run_id
        self.scale = tiles.scale
        self._area = area
        self._georeferencer = georeferencer
        self._tile_ids = pa.array(tiles.ids, pa.string())
        self._seen = seen
        self._objects = objects

    def __len__(self) -> int:
        return len(self._objects)

    @property
    def counted(self) -> NDArray[np.bool_]:
        """Which rows are counted (N,): those that are stand first."""
        return counts(self._objects.verdict)

    @property
    def boxes(self) -> PixelBoxes:
        """Where the rows lie, scene px."""
        return PixelBoxes(self._objects.box, self._objects.angle)

    @property
    def labels(self) -> tuple[NDArray[np.int32], list[str]]:
        """Of every row the index of its label, and the labels."""
        return self._seen.numbers["label"][self._objects.keeper], self._seen.labels

    @property
    def images(self) -> NDArray[np.int32]:
        """Which date's image every row is in."""
        return np.asarray(self._seen.numbers["image"][self._objects.keeper])

    def said(self) -> pd.DataFrame:
        """What audit and synthesis read of all rows, as small as it goes: lists are Arrow's, not Python's."""
        objects, keeper = self._objects, self._objects.keeper
        if not len(objects):
            return pd.DataFrame(columns=COLUMNS)
        return pd.DataFrame(
            {
                "evidence_id": _arrow(pa.array(self._ids(0, len(objects)), pa.string())),
                "label": self._words(self._seen.labels, self._seen.numbers["label"][keeper]),
                "image": self._seen.numbers["image"][keeper].astype(np.int64),
                "verdict": self._words([str(v) for v in VERDICTS], objects.verdict),
                "review": pd.Series([None] * len(objects), dtype=object),
                "tile_ids": _arrow(self._lists(objects, self._tile_ids_of(objects))),
                "box_px": _arrow(_boxes(objects.box)),
                "angle_deg": objects.angle,
            }
        )

    def frames(self) -> Iterator[pd.DataFrame]:
        """The rows of the evidence table, `ROWS_AT_A_TIME`."""
        for start in range(0, len(self), ROWS_AT_A_TIME):
            yield self._frame(start, min(start + ROWS_AT_A_TIME, len(self)))

    def _frame(self, start: int, end: int) -> pd.DataFrame:
        objects = self._objects.take(np.arange(start, end))
        numbers = self._seen.numbers[objects.keeper]
        placed = PixelBoxes(objects.box, objects.angle)
        area, width, height = self._georeferencer.sizes(placed)
        members = self._seen.numbers[objects.members]
        parents = pa.StructArray.from_arrays(
            [
                self._tile_ids_of(objects),
                pa.array(members["number"], pa.int64()),
                _boxes(np.ascontiguousarray(members["box"])),
            ],
            names=["tile_id", "number", "box_px"],
        )
        return pd.DataFrame(
            {
                "evidence_id": self._ids(start, end),
                "answer_id": self._area.answer_id,
                "run_id": self._run_id,
                "scene": self._area.scene["scene"],
                "image": numbers["image"].astype(np.int64),
                "tile_ids": _listed(self._lists(objects, self._tile_ids_of(objects))),
                "parents": _listed(self._lists(objects, parents)),
                "role": np.where(objects.in_evidence, "evidence", "answer").astype(object),
                "label": self._words(self._seen.labels, numbers["label"]),
                "label_raw": self._words(self._seen.labels_raw, numbers["label_raw"]),
                "quote": _listed(self._seen.quotes.take(pa.array(objects.keeper))),
                "text_start": numbers["text_start"].astype(np.int64),
                "text_end": numbers["text_end"].astype(np.int64),
                "box_px": _listed(_boxes(objects.box)),
                "angle_deg": objects.angle,
                "area_m2": area,
                "width_m": width,
                "height_m": height,
                "score": numbers["score"],
                "verdict": self._words([str(v) for v in VERDICTS], objects.verdict),
                "review": pd.Series([None] * len(objects), dtype=object),
                "reviewed_at": pd.Series([None] * len(objects), dtype=object),
                "geometry": self._georeferencer.polygons(placed),
            },
            columns=COLUMNS,
        )

    def _ids(self, start: int, end: int) -> list[str]:
        return [f"E{number}" for number in range(start + 1, end + 1)]

    def _words(self, words: list[str], codes: NDArray[Any]) -> NDArray[np.object_]:
        chosen: NDArray[np.object_] = np.array(words, dtype=object)[codes]
        return chosen

    def _tile_ids_of(self, objects: _Objects) -> pa.Array:
        return self._tile_ids.take(pa.array(self._seen.numbers["tile"][objects.members]))

    def _lists(self, objects: _Objects, values: pa.Array) -> pa.Array:
        return pa.LargeListArray.from_arrays(pa.array(objects.starts), values)


class EvidenceRows:
    """Makes the evidence of one answer."""

    def __init__(
        self, run: RunDirectory, area: Area, georeferencer: Georeferencer, thresholds: MergeConfig
    ) -> None:
        self._run = run
        self._area = area
        self._georeferencer = georeferencer
        self._merge = thresholds
        self._findings: list[AuditFinding] = []

    def make(
        self,
        seen: SeenColumns,
        tiles: TilesOfAnswer,
        elsewhere: Mapping[int, tuple[str, str]] | None = None,
    ) -> Evidence:
        """The answer's evidence.

        elsewhere: of objects that another scene's answer counts, by the number they have without it (7 for E7): that
        scene, and their E-number there.
        """
        self._findings = []
        inside = self._inside(np.ascontiguousarray(seen.numbers["box"]))
        if not inside.all():
            seen = seen.take(np.flatnonzero(inside))
        objects = self._placed(self._objects(seen, tiles))
        looks, verdict = self._second_looked(seen, objects)
        objects = replace(objects, verdict=verdict)
        order = _order(objects)
        objects, looks = objects.take(order), [looks[i] for i in order] if looks else looks
        lowered: dict[str, tuple[str, str]] = {}
        if elsewhere:
            rows = np.array(sorted(elsewhere), dtype=np.int64) - 1
            verdict = objects.verdict.copy()
            verdict[rows] = _DUPLICATE
            objects = replace(objects, verdict=verdict)
            again = _order(objects)
            objects, looks = objects.take(again), [looks[i] for i in again] if looks else looks
            number = np.empty(len(again), dtype=np.int64)
            number[again] = np.arange(1, len(again) + 1)
            lowered = {f"E{number[row]}": elsewhere[int(row) + 1] for row in rows}
        self._findings += [*_look_findings(looks), *other_scenes(lowered)]
        bare = no_data(
            [f"E{i + 1}" for i in np.flatnonzero((objects.without_data >= MOSTLY) & counts(objects.verdict))]
        )
        if bare is not None:
            self._findings.append(bare)
        return Evidence(
            self._run.run_id,
            self._area,
            self._georeferencer,
            tiles,
            seen,
            objects,
            self._findings,
            tuple(lowered),
        )

    def _inside(self, xyxy: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Boxes whose centre lies in the area asked about; tiles see more than that."""
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

    def _objects(self, seen: SeenColumns, tiles: TilesOfAnswer) -> _Objects:
        """Merged objects in the order of their keepers; then the rows that are not counted, which stay alone."""
        numbers = seen.numbers
        xyxy = np.ascontiguousarray(numbers["box"])
        mergeable = counts(numbers["verdict"])
        rows, alone = np.flatnonzero(mergeable), np.flatnonzero(~mergeable)
        ranks = np.argsort(np.argsort(np.array(tiles.ids))) if tiles.ids else np.empty(0)
        merged = merge(
            SeenBoxes(
                xyxy=_hulls(xyxy[rows], numbers["angle"][rows]),
                label=numbers["label"][rows].astype(np.int64),
                image=numbers["image"][rows].astype(np.int64),
                tile=numbers["tile"][rows].astype(np.int64),
                windows=tiles.windows,
                tile_rank=ranks.astype(np.int64),
                scene_size=(self._area.grid.width, self._area.grid.height),
                edge_tolerance_px=self._merge.edge_px * tiles.scale,
            ),
            iou=self._merge.iou,
            over_smaller=self._merge.ios,
        )
        members = np.concatenate([rows[merged.members], alone])
        starts = np.concatenate([merged.starts, len(rows) + 1 + np.arange(len(alone))])
        keeper = members[starts[:-1]]
        box = np.concatenate([xyxy[rows[merged.keepers]], xyxy[alone]])
        united = np.flatnonzero(merged.united)
        box[united] = merged.xyxy[united]
        if not len(keeper):
            none = np.empty(0)
            return _Objects(
                members, starts, box, none, none.astype(np.int8), none.astype(np.bool_), none.copy()
            )
        first = starts[:-1]
        backed = np.logical_or.reduceat((numbers["verdict"] == _UNCHECKED)[members], first)
        return _Objects(
            members,
            starts,
            box,
            np.where((box == xyxy[keeper]).all(axis=1), numbers["angle"][keeper], np.nan),
            np.where(backed, np.int8(_UNCHECKED), numbers["verdict"][keeper]),
            np.logical_or.reduceat(numbers["in_evidence"][members], first),
            np.minimum.reduceat(numbers["without_data"][members], first),
        )

    def _placed(self, objects: _Objects) -> _Objects:
        """Those that have a place in the output CRS."""
        has_place = np.ones(len(objects), dtype=bool)
        for start in range(0, len(objects), ROWS_AT_A_TIME):
            part = slice(start, start + ROWS_AT_A_TIME)
            polygons = self._georeferencer.polygons(PixelBoxes(objects.box[part], objects.angle[part]))
            has_place[part] = ~shapely.is_missing(polygons)
        if has_place.all():
            return objects
        self._findings.append(
            AuditFinding(
                Kind.UNPLACED,
                "warning",
                f"{int((~has_place).sum())} boxes have no place in the output CRS and were left out; "
                "choose another --out-crs",
            )
        )
        return objects.take(np.flatnonzero(has_place))

    def _second_looked(
        self, seen: SeenColumns, objects: _Objects
    ) -> tuple[list[tuple[str, SecondLook] | None], NDArray[np.int8]]:
        """Verdicts of the second look, where it was made and could decide: the rest stays as it was.

        A row that was not counted was not looked at: a box listed twice has the same place and label as
        the one that stands, and must not rise with it. The looks are by row; none at all where none was made.
        """
        kept = {row["key"]: row for row in self._run.follow_ups(SECOND_LOOK, self._area.answer_id)}
        verdict = objects.verdict.copy()
        if not kept:
            return [], verdict
        looks: list[tuple[str, SecondLook] | None] = [None] * len(objects)
        numbers = seen.numbers[objects.keeper]
        for row in np.flatnonzero(counts(objects.verdict)).tolist():
            key = look_key(
                objects.box[row].tolist(), seen.labels[numbers["label"][row]], int(numbers["image"][row])
            )
            if key in kept:
                outcome = Verdict(kept[key]["outcome"])
                looks[row] = key, SecondLook(row, outcome, kept[key]["reason"] or "")
                if outcome is not Verdict.UNCHECKED:
                    verdict[row] = verdict_code(outcome)
        return looks, verdict


def _look_findings(looks: list[tuple[str, SecondLook] | None]) -> list[AuditFinding]:
    """looks: by row, in the order of the E-numbers; each knows its row before that."""
    ids = {look[0]: f"E{i}" for i, look in enumerate(looks, start=1) if look is not None}
    made = sorted((look for look in looks if look is not None), key=lambda look: look[1].index)
    return findings_of(
        [ids[key] for key, _ in made], [replace(look, index=index) for index, (_, look) in enumerate(made)]
    )


def _order(objects: _Objects) -> NDArray[np.int64]:
    """Rows that are counted first, then by their centre: from the top down, from left to right."""
    box = objects.box
    return np.lexsort(
        ((box[:, 0] + box[:, 2]) / 2, (box[:, 1] + box[:, 3]) / 2, ~counts(objects.verdict))
    ).astype(np.int64)


def _hulls(xyxy: NDArray[np.float64], angle: NDArray[np.float64]) -> NDArray[np.float64]:
    """Axis-aligned hulls (N, 4) of the boxes, which differ from their numbers only where they are turned."""
    hulls = xyxy.copy()
    turned = np.flatnonzero(~np.isnan(angle))
    if len(turned):
        quads = corners(PixelBoxes(xyxy[turned], angle[turned]))
        hulls[turned] = np.concatenate([quads.min(axis=1), quads.max(axis=1)], axis=1)
    return hulls


def _boxes(xyxy: NDArray[np.float64]) -> pa.Array:
    """(N, 4) as N lists of numbers."""
    ends = pa.array(np.arange(0, 4 * len(xyxy) + 1, 4, dtype=np.int64))
    return pa.LargeListArray.from_arrays(ends, pa.array(xyxy.reshape(-1)))


def _arrow(values: pa.Array) -> pd.arrays.ArrowExtensionArray:
    return pd.arrays.ArrowExtensionArray(values)


def _listed(values: pa.Array | pa.ChunkedArray) -> pd.Series[Any]:
    """Python objects, one a row."""
    return pd.Series(values.to_pylist(), dtype=object)


def look_key(box: list[float], label: str, image: int) -> str:
    """What a second look is remembered by: the place (a hundredth of a pixel), the label, the date's image."""
    return ",".join(f"{v:.2f}" for v in box) + f" {image} {label}"

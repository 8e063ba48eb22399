"""Which objects of a run's answers the answer of another, overlapping scene counts: the run's side of `dedupe.py`.

Knows scenes, answers and their evidence. Refuses to know which pairs of boxes are one object. Holds columns of the
counted boxes that lie on ground of another scene, nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.affinity import translate
from shapely.geometry.base import BaseGeometry

from groundproof.areas import Area
from groundproof.boxes import Grid, PixelBoxes
from groundproof.dedupe import GroundBoxes, ground, keepers
from groundproof.evidence_rows import Evidence
from groundproof.georeference import Georeferencer, corners
from groundproof.planning import grid_of
from groundproof.projecting import period_of, project, unwrapped
from groundproof.run import RunDirectory

Elsewhere = dict[int, tuple[str, str]]
"""Of objects of one answer, by their number (7 for E7) while none is lowered: the scene that counts it, and its
E-number there."""


def shared_ground(run: RunDirectory) -> dict[str, BaseGeometry]:
    """Of every scene that overlaps others the ground of those others, on `dedupe.ground`. Empty in pixel space."""
    names, footprints = [], []
    for row in run.scenes:
        if row["status"] != "ok" or not row["aois"]:
            continue
        grid = grid_of(row)
        footprint = None if grid.is_pixel_space else Georeferencer(grid, ground()).footprint()
        if footprint is not None:
            names.append(str(row["scene"]))
            footprints.append(footprint)
    period = period_of(ground()) or 0.0
    turned = [translate(one, xoff=turn) for turn in (-period, 0.0, period) for one in footprints]
    own, other = shapely.STRtree(turned).query(np.array(footprints, dtype=object), predicate="intersects")
    found: dict[str, BaseGeometry] = {}
    for i, name in enumerate(names):
        others = [turned[j] for j in other[own == i] if j % len(names) != i]
        if others:
            found[name] = shapely.union_all(others)
    return found


def seen_elsewhere(
    answers: Iterable[tuple[Area, Evidence]], shared: Mapping[str, BaseGeometry], tolerance_px: float
) -> dict[str, Elsewhere]:
    """By answer the objects that another scene's answer counts.

    answers: of the scenes in `shared`, in order, with all their evidence counted. tolerance_px: how near its scene's
    border a box counts as touching it, px of the model's image.
    """
    gathered = _Gathered()
    for area, evidence in answers:
        gathered.add(area, evidence, shared[str(area.scene["scene"])], tolerance_px)
    return gathered.elsewhere()


class _Gathered:
    """The boxes on shared ground of all answers."""

    def __init__(self) -> None:
        self._answers: list[tuple[str, str]] = []
        self._scenes: dict[str, int] = {}
        self._kinds: dict[tuple[str, str, int], int] = {}
        self._parts: list[tuple[NDArray[Any], ...]] = []

    def add(
        self, area: Area, evidence: Evidence, ground_of_others: BaseGeometry, tolerance_px: float
    ) -> None:
        rows = np.flatnonzero(evidence.counted)
        places = _on_ground(area.grid, evidence.boxes.take(rows))
        near = np.asarray(np.isfinite(places).all(axis=(1, 2)))
        shapely.prepare(ground_of_others)
        rows, places = rows[near], places[near]
        near = np.asarray(shapely.intersects(ground_of_others, shapely.polygons(places)))
        rows, places = rows[near], places[near]
        scene = str(area.scene["scene"])
        self._answers.append((area.answer_id, scene))
        if not len(rows):
            return
        label, labels = evidence.labels
        code = np.array(
            [
                self._kinds.setdefault((area.question.text, labels[one], image), len(self._kinds))
                for one, image in zip(label[rows].tolist(), evidence.images[rows].tolist(), strict=True)
            ],
            dtype=np.int32,
        )
        quads = corners(evidence.boxes.take(rows))
        size = np.array([area.grid.width, area.grid.height])
        inset = np.minimum(quads, size - quads).min(axis=(1, 2))
        metres_per_px = np.sqrt(
            shapely.area(shapely.polygons(places)) / shapely.area(shapely.polygons(quads))
        )
        self._parts.append(
            (
                places,
                np.full(len(rows), self._scenes.setdefault(scene, len(self._scenes)), dtype=np.int32),
                code,
                inset <= tolerance_px * evidence.scale,
                np.maximum(inset, 0.0) * metres_per_px,
                np.full(len(rows), len(self._answers) - 1, dtype=np.int32),
                rows.astype(np.int32) + 1,
            )
        )

    def elsewhere(self) -> dict[str, Elsewhere]:
        if not self._parts:
            return {}
        columns = [np.concatenate(column) for column in zip(*self._parts, strict=True)]
        self._parts = []
        answer, number = columns.pop(-2), columns.pop(-1)
        keeper = keepers(GroundBoxes(*columns))
        lowered = keeper != np.arange(len(keeper))
        found: dict[str, Elsewhere] = {}
        numbers: dict[int, NDArray[np.int32]] = {
            int(one): np.sort(number[lowered & (answer == one)])
            for one in np.unique(np.concatenate([answer[lowered], answer[keeper[lowered]]]))
        }
        for row in np.flatnonzero(lowered).tolist():
            its = int(answer[keeper[row]])
            before = int(number[keeper[row]])
            # Those that are lowered go behind the others, so the keeper moves up by those before it.
            after = before - int(np.searchsorted(numbers[its], before))
            of = found.setdefault(self._answers[int(answer[row])][0], {})
            of[int(number[row])] = self._answers[its][1], f"E{after}"
        return found


def _on_ground(grid: Grid, boxes: PixelBoxes) -> NDArray[np.float64]:
    """Corners (N, 4, 2) on `dedupe.ground`, continuous, their middle in the first turn of the globe."""
    px = corners(boxes)
    xy = np.stack(Georeferencer(grid).to_map_points(px[..., 0], px[..., 1]), axis=-1)
    if grid.crs is None:
        return np.full(px.shape, np.nan)
    period = period_of(ground()) or 0.0
    there = unwrapped(project(xy, grid.crs.to_2d(), ground(), None), period)
    there[..., 0] -= period * np.round(there[..., 0].mean(axis=1, keepdims=True) / period)
    return there

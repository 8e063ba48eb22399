"""One table of a result, ready to be searched by place, time and words, and told as GeoJSON.

Knows rows and geometries. Refuses to know jobs, HTTP and how a request is written.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from shapely.geometry import Polygon

from groundproof.outputs.arrow import GEOMETRY_TYPES, batches
from groundproof.outputs.geojson import CRS84, degrees, finest_gsd
from groundproof.projecting import same_place
from groundproof.tables import Result

Positions = NDArray[np.intp]
"""Rows of a layer, counted from 0, in the layer's order."""

FILTERS: dict[str, tuple[str, ...]] = {
    "evidence": ("evidence_id", "answer_id", "scene", "image", "role", "label", "verdict", "review"),
    "answers": ("answer_id", "scene", "task"),
    "tiles": ("answer_id", "scene", "status"),
    "scenes": ("scene", "status"),
}
"""Columns whose values a client may ask for, by table: those that hold words, not texts."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows are wanted.

    boxes: in the axis order x, y; any of them is enough; None: everywhere. boxes_stored: they are in the stored
    CRS, not in CRS84. times: first and last moment, each None when open. equal: (column, text).
    """

    boxes: tuple[Polygon, ...] | None = None
    boxes_stored: bool = False
    times: tuple[np.datetime64 | None, np.datetime64 | None] | None = None
    equal: tuple[tuple[str, str], ...] = ()


class Layer:
    """A table with its geometries in degrees (CRS84) and as stored, and names for its rows.

    Names are stable once the job has ended: `A1-E3`, `A1`, `A1-TILE_ID`; scenes are numbered from 1.
    """

    def __init__(self, result: Result, table: str) -> None:
        self.table = table
        self.frame: gpd.GeoDataFrame = getattr(result, table)
        self.crs: CRS = result.scenes.crs
        self._degrees = degrees(self.frame, finest_gsd(result))
        self._degree_bounds = shapely.bounds(self._degrees).reshape(-1, 4)
        # What is stored in degrees may reach past 180; here it is cut there, in both of its CRSs.
        self._stored = (
            self._degrees
            if same_place(self.crs, CRS84)
            else np.asarray(self.frame.geometry.array, dtype=object)
        )
        self._stored_bounds = shapely.bounds(self._stored).reshape(-1, 4)
        self._names = _names(table, self.frame)
        self._position = {name: i for i, name in enumerate(self._names)}
        self._times = _times(self.frame, result.scenes)

    def __len__(self) -> int:
        return len(self.frame)

    def select(self, wanted: Selection) -> Positions:
        """The rows that fit, in the table's order. Rows without place or time fit no box and no moment."""
        fits = np.ones(len(self), dtype=bool)
        for column, text in wanted.equal:
            fits &= (self.frame[column].astype("string") == text).fillna(value=False).to_numpy(dtype=bool)
        if wanted.times is not None:
            first, last = wanted.times
            fits &= ~np.isnat(self._times)
            if first is not None:
                fits &= self._times >= first
            if last is not None:
                fits &= self._times <= last
        if wanted.boxes is not None:
            near = np.zeros(len(self), dtype=bool)
            for box in wanted.boxes:
                near |= self._touches(box, fits & ~near, stored=wanted.boxes_stored)
            fits &= near
        return np.flatnonzero(fits)

    def position(self, name: str) -> int | None:
        """Which row has this name."""
        return self._position.get(name)

    def features(self, rows: Positions, *, stored: bool, swapped: bool = False) -> list[dict[str, Any]]:
        """These rows as GeoJSON features. Arrays in properties are JSON text, as in the GeoPackage.

        stored: geometry in the stored CRS, not in CRS84. swapped: y before x, as that CRS's authority has it.
        """
        frame = self.frame.iloc[rows]
        shapes = (self._stored if stored else self._degrees)[rows]
        if swapped:
            shapes = shapely.transform(shapes, lambda xy: xy[:, ::-1])
        found: list[dict[str, Any]] = []
        for batch in batches(self.table, frame, lists=False, replaced=Counter()):
            for properties in batch.drop_columns(["geometry"]).to_pylist():
                row = len(found)
                found.append(
                    {
                        "type": "Feature",
                        "id": self._names[rows[row]],
                        "geometry": _geometry(shapes[row], GEOMETRY_TYPES[self.table]),
                        "properties": {name: _plain(value) for name, value in properties.items()},
                    }
                )
        return found

    def _touches(self, box: Polygon, among: NDArray[np.bool_], *, stored: bool) -> NDArray[np.bool_]:
        shapes, bounds = (
            (self._stored, self._stored_bounds) if stored else (self._degrees, self._degree_bounds)
        )
        west, south, east, north = box.bounds
        near: NDArray[np.bool_] = among & (bounds[:, 0] <= east) & (bounds[:, 2] >= west)
        near &= (bounds[:, 1] <= north) & (bounds[:, 3] >= south)
        rows = np.flatnonzero(near)
        near[rows] = shapely.intersects(shapes[rows], box)
        return near


def _names(table: str, frame: pd.DataFrame) -> list[str]:
    if table == "evidence":
        return [f"{a}-{e}" for a, e in zip(frame.answer_id, frame.evidence_id, strict=True)]
    if table == "answers":
        return [str(a) for a in frame.answer_id]
    if table == "tiles":
        return [f"{a}-{t}" for a, t in zip(frame.answer_id, frame.tile_id, strict=True)]
    return [str(number) for number in range(1, len(frame) + 1)]


def _times(frame: pd.DataFrame, scenes: pd.DataFrame) -> NDArray[np.datetime64]:
    """When each row's scene was taken, UTC; NaT when its file does not say."""
    taken = pd.to_datetime(scenes["datetime"].astype(object), utc=True, format="ISO8601", errors="coerce")
    by_scene = dict(zip(scenes["scene"], taken.dt.tz_localize(None), strict=True))
    return frame["scene"].map(by_scene).to_numpy(dtype="datetime64[ms]")


def _geometry(shape: Any, kind: str) -> dict[str, Any] | None:
    if shape is None or shape.is_empty:
        return None
    if kind == "MultiPolygon" and isinstance(shape, Polygon):
        shape = shapely.MultiPolygon([shape])
    return dict(shapely.geometry.mapping(shape))


def _plain(value: Any) -> Any:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if hasattr(value, "strftime") else value

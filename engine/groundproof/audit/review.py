"""What an analyst's edits mean for the evidence table: verdicts, numbers, places of boxes drawn by hand.

Knows the tables of one result as a GIS left them: cells may be NULL, geometries moved. Refuses to know
what the edits do to answers (`groundproof.audit.reaudit`).
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from affine import Affine
from pyproj import CRS

from groundproof.boxes import Grid, GroundControlPoint, PixelBox, PixelBoxes
from groundproof.errors import UsageError
from groundproof.georeference import Georeferencer, corners
from groundproof.tables import Result, Verdict

if TYPE_CHECKING:
    import geopandas as gpd

SEEN = frozenset({"accepted", "adjusted", "added"})
"""Reviews by which a person says: it is there."""

REVIEWS = SEEN | {"rejected"}
"""All words the column may hold."""

MOVED_PX = 0.01
"""A polygon that lies this near its box was not moved: rounding of transformations."""


def reviewed(result: Result) -> gpd.GeoDataFrame:
    """The evidence table with the analyst's decisions carried out; the rest untouched.

    A box that was accepted, adjusted or added is supported, whatever the machine thought; a rejected one
    keeps its verdict (and is not counted). A row without an id is one drawn by hand: it gets the next
    E-number of its answer and review "added". Where the polygon of an adjusted or added row was moved,
    `box_px` and the sizes follow it (upright in the scene's pixels). Raises UsageError for an added row
    that cannot be told to belong to one answer, or has no polygon in its scene, and for a word that is no
    review.
    """
    evidence = result.evidence.copy()
    unknown = sorted(
        {str(word) for word in evidence["review"].dropna() if str(word).strip() and word not in REVIEWS}
    )
    if unknown:
        raise UsageError(
            f"The column review holds {', '.join(map(repr, unknown))}. It may hold accepted, rejected, adjusted, added "
            "or nothing (NULL)."
        )
    by_hand = _blank(evidence["evidence_id"])
    last = _last_numbers(evidence)
    for row in np.flatnonzero(by_hand):
        _fill(evidence, int(row), result.answers, last)
    seen = evidence["review"].isin(list(SEEN)).to_numpy(dtype=bool)
    evidence.loc[seen, "verdict"] = str(Verdict.SUPPORTED)
    moved = evidence["review"].isin(["adjusted", "added"]).to_numpy(dtype=bool)
    for scene, rows in evidence[moved].groupby("scene", sort=False).indices.items():
        positions = np.flatnonzero(moved)[rows]
        _follow_polygons(evidence, positions, scene_grid(result.scenes, str(scene)), result.evidence.crs)
    return evidence


def put(frame: pd.DataFrame, row: int, name: str, value: Any) -> None:
    """Set one cell, by position; the value may be a list."""
    frame.at[frame.index[row], name] = value  # noqa: PD008 - loc would spread a list over rows


def _cell(frame: pd.DataFrame, row: int, name: str) -> Any:
    return frame[name].iloc[row]


def _blank(values: pd.Series[Any]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    return (values.isna() | (values == "")).to_numpy(dtype=bool)


def _last_numbers(evidence: gpd.GeoDataFrame) -> Counter[str]:
    """The greatest E-number of each answer."""
    numbers = (
        evidence["evidence_id"].astype("string").str.extract(r"^E(\d+)$", expand=False).dropna().astype(int)
    )
    return Counter(numbers.groupby(evidence["answer_id"]).max().to_dict())


def _fill(
    evidence: gpd.GeoDataFrame, row: int, answers: gpd.GeoDataFrame, last_numbers: Counter[str]
) -> None:
    """Give a row drawn by hand what the other rows have; its E-number is counted in `last_numbers`."""
    answer_id = _cell(evidence, row, "answer_id")
    known = list(answers["answer_id"])
    if (pd.isna(answer_id) or answer_id == "") and len(known) == 1:
        answer_id = known[0]
    if answer_id not in known:
        came = "no answer_id" if pd.isna(answer_id) or answer_id == "" else f"the answer_id {answer_id!r}"
        raise UsageError(
            f"A box added by hand has {came}; the file's answers are {', '.join(map(str, known[:10]))}. "
            "Write into its column answer_id to which of them it belongs."
        )
    answer = answers[answers["answer_id"] == answer_id].iloc[0]
    last_numbers[answer_id] += 1
    defaults = {
        "evidence_id": f"E{last_numbers[answer_id]}",
        "answer_id": answer_id,
        "run_id": answer["run_id"],
        "scene": answer["scene"],
        "image": 0,
        "role": "evidence",
        "label": "",
        "label_raw": "",
        "quote": "",
        "review": "added",
    }
    for name, value in defaults.items():
        cell = _cell(evidence, row, name)
        if not isinstance(cell, list | dict) and (pd.isna(cell) or cell == ""):
            put(evidence, row, name, value)


def scene_grid(scenes: gpd.GeoDataFrame, name: str) -> Grid:
    """The grid that a row of the scenes table describes. Raises UsageError for a name it does not have."""
    rows = scenes[scenes["scene"] == name]
    if rows.empty:
        raise UsageError(
            f"A box or answer belongs to the scene {name!r}, which the scenes table does not have."
        )
    row = rows.iloc[0]
    gcps = row["gcps"] if isinstance(row["gcps"], list | np.ndarray) else ()
    affine = row["affine"] if isinstance(row["affine"], list | np.ndarray) else None
    crs = None if pd.isna(row["crs_wkt"]) else CRS.from_wkt(row["crs_wkt"])
    return Grid(
        width=int(row["width"]),
        height=int(row["height"]),
        crs=crs,
        affine=None if affine is None or len(gcps) or crs is None else Affine(*affine),
        gcps=tuple(GroundControlPoint(*map(float, point)) for point in gcps),
    )


def _follow_polygons(evidence: gpd.GeoDataFrame, rows: Any, grid: Grid, crs: CRS | None) -> None:
    """Set `box_px`, the angle and the sizes of rows whose polygon does not lie where they say."""
    places = Georeferencer(grid)
    scene = shapely.box(0, 0, grid.width, grid.height)
    moved: dict[int, PixelBox] = {}
    for row in map(int, rows):
        geometry = evidence.geometry.iloc[row]
        shape = None if geometry is None or geometry.is_empty else places.geometry_to_pixels(geometry, crs)
        if shape is None or shape.is_empty or not shape.intersection(scene).area > 0:
            name = _cell(evidence, row, "evidence_id")
            raise UsageError(
                f"The reviewed box {name} has no polygon inside its scene. Draw it again, or delete the row."
            )
        bounds = tuple(float(v) for v in shape.bounds)
        if not _lies_at(_cell(evidence, row, "box_px"), _cell(evidence, row, "angle_deg"), bounds):
            moved[row] = PixelBox(*bounds)
    if not moved:
        return
    sizes = zip(*places.sizes(PixelBoxes.of(list(moved.values()))), strict=True)
    for (row, box), (area, width, height) in zip(moved.items(), sizes, strict=True):
        put(evidence, row, "box_px", [box.x0, box.y0, box.x1, box.y1])
        for name, value in (
            ("angle_deg", np.nan),
            ("area_m2", area),
            ("width_m", width),
            ("height_m", height),
        ):
            put(evidence, row, name, value)


def _lies_at(box_px: Any, angle: Any, bounds: tuple[float, ...]) -> bool:
    if not isinstance(box_px, list | tuple | np.ndarray):
        return False
    x0, y0, x1, y1 = map(float, box_px)
    box = PixelBox(x0, y0, x1, y1, None if pd.isna(angle) else float(angle))
    points = corners(PixelBoxes.of([box]))[0]
    own = (*points.min(axis=0), *points.max(axis=0))
    return all(abs(p - q) <= MOVED_PX for p, q in zip(own, bounds, strict=True))

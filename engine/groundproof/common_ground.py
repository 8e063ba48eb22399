"""Two answers about one piece of ground, seen on different pixels: which ground both looked at, and what lies on it.

Knows the tables of two results and the grids of their scenes. Refuses to know labels and what a difference means
(`diff.py`). Everything is brought into the pixel frame of the first answer's scene.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from pyproj import CRS

from groundproof.audit.review import scene_grid
from groundproof.coverage import LOOKED_AT
from groundproof.errors import SceneError, UsageError
from groundproof.georeference import Georeferencer
from groundproof.overlap import Pairs
from groundproof.projecting import period_of, project, same_place

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from groundproof.boxes import Grid
    from groundproof.tables import Result

    Polygons = NDArray[np.object_]

SAME_PX = 1e-6
"""Corners of two grids that differ by less are the same place."""

FEW = 25
"""Pairs of answers that are looked at one by one; of more, only those whose areas may meet."""

INSIDE = 0.5
"""Share of an object that must lie on the common ground for its absence on the other side to mean something."""


def same_grid(a: Grid, b: Grid) -> bool:
    """Whether each pixel of two grids is the same piece of ground; pixel space is one grid for all."""
    if a.is_pixel_space and b.is_pixel_space:
        return True
    if (a.width, a.height) != (b.width, b.height) or a.crs is None or b.crs is None:
        return False
    if not same_place(a.crs.to_2d(), b.crs.to_2d()):
        return False
    col, row = np.array([0.0, a.width, a.width, 0.0]), np.array([0.0, 0.0, a.height, a.height])
    there = Georeferencer(b).to_map_points(col, row)
    back = np.stack(Georeferencer(a).to_pixels(*there))
    return bool((np.abs(back - np.stack([col, row])) <= SAME_PX).all())


def on_same_grid(a: Result, b: Result, scene: str) -> bool:
    """Whether a scene of this name is the same grid in both results, as far as their scenes tables tell."""
    try:
        return same_grid(scene_grid(a.scenes, scene), scene_grid(b.scenes, scene))
    except UsageError:
        return True  # nothing says otherwise, and the name is the same


def paired_by_place(
    a: Result, b: Result, rows_a: Sequence[int], rows_b: Sequence[int]
) -> list[tuple[int, int]]:
    """Answers to the same question whose areas share ground, one to one, the largest common area first.

    rows_a, rows_b: positions of answers that are not paired yet. Answers in pixel space share no ground.
    """
    found = []
    near = _near(a, b) if len(rows_a) * len(rows_b) > FEW else None
    for i in rows_a:
        for j in rows_b:
            asked = a.answers["question"].iloc[i] == b.answers["question"].iloc[j]
            if asked and (near is None or near[i, j]):
                ground = CommonGround.of(a, b, i, j)
                if ground is not None:
                    found.append((-ground.area.area, i, j))
    pairs: list[tuple[int, int]] = []
    for _, i, j in sorted(found):
        if all(i != p and j != q for p, q in pairs):
            pairs.append((i, j))
    return sorted(pairs)


@dataclass(frozen=True, eq=False)
class CommonGround:
    """What two answers both looked at. places: of the first answer's scene. area: in its pixels.

    coarsest_px: side of the coarser grid's pixels, in pixels of the first.
    """

    places: Georeferencer
    area: BaseGeometry
    coarsest_px: float

    @classmethod
    def of(cls, a: Result, b: Result, i: int, j: int) -> CommonGround | None:
        """Of the i-th answer of `a` and the j-th of `b`; None where they share none, or have no place."""
        row_a, row_b = a.answers.iloc[i], b.answers.iloc[j]
        try:
            grid_a, grid_b = scene_grid(a.scenes, row_a["scene"]), scene_grid(b.scenes, row_b["scene"])
            places_a, places_b = Georeferencer(grid_a), Georeferencer(grid_b)
        except (UsageError, SceneError):
            return None
        if grid_a.is_pixel_space or grid_b.is_pixel_space:
            return None
        first = _looked_at(a, row_a, places_a)
        other = _looked_at(b, row_b, places_b)
        on_map = places_b.geometry_from_pixels(other) if not other.is_empty else None
        second = None if on_map is None else places_a.geometry_to_pixels(on_map, places_b.crs)
        if second is None:
            return None
        area = shapely.make_valid(first).intersection(shapely.make_valid(second))
        if not area.area > 0:
            return None
        return cls(places_a, area, max(1.0, float(np.sqrt(second.area / other.area))))

    def polygons(self, evidence: gpd.GeoDataFrame) -> Polygons:
        """Evidence of either result in the first scene's pixels; None where it has no place there."""
        shapes = np.asarray(evidence.geometry.array, dtype=object)
        target = self.places.crs
        if evidence.crs is None or target is None:
            return np.full(len(shapes), None, dtype=object)
        source: CRS = evidence.crs.to_2d()
        moved: Polygons = shapely.transform(shapes, lambda xy: self._to_px(xy, source, target))
        lost = ~np.isfinite(shapely.bounds(moved)).all(axis=1)
        moved[lost] = None
        crossed = ~shapely.is_valid(moved)
        moved[crossed] = shapely.make_valid(moved[crossed])
        return moved

    def parts(self, polygons: Polygons) -> tuple[Polygons, NDArray[np.bool_]]:
        """What of each polygon lies on the common ground, and whether that is most of it."""
        whole = shapely.area(polygons)
        shapely.prepare(self.area)
        parts = polygons.copy()
        cut = ~shapely.covers(self.area, polygons)
        parts[cut] = shapely.intersection(polygons[cut], self.area)
        share = np.divide(shapely.area(parts), whole, out=np.zeros(len(whole)), where=whole > 0)
        return parts, share >= INSIDE

    def _to_px(self, xy: NDArray[np.float64], source: CRS, target: CRS) -> NDArray[np.float64]:
        there = xy if same_place(source, target) else project(xy, source, target, None)
        period = period_of(target)
        if period is not None:
            there = there + np.column_stack(
                [period * np.round((self._middle - there[:, 0]) / period), np.zeros(len(there))]
            )
        return np.stack(self.places.to_pixels(there[:, 0], there[:, 1]), axis=-1)

    @cached_property
    def _middle(self) -> float:
        grid = self.places.grid
        x, _ = self.places.to_map_points(np.array(grid.width / 2), np.array(grid.height / 2))
        return float(x)


def metres(
    places: Georeferencer, first: NDArray[np.float64], second: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Geodesic distances (N,) of points (N, 2) in a scene's pixels; NaN in pixel space."""
    crs = places.crs
    geodetic = None if crs is None else crs.geodetic_crs
    geod = None if crs is None else crs.get_geod()
    if crs is None or geodetic is None or geod is None or not len(first):
        return np.full(len(first), np.nan)
    ends = [
        project(np.stack(places.to_map_points(p[:, 0], p[:, 1]), axis=-1), crs, geodetic, None)
        for p in (first, second)
    ]
    degrees = np.degrees(geodetic.axis_info[0].unit_conversion_factor)
    (x0, y0), (x1, y1) = ((end * degrees).T for end in ends)
    return np.asarray(geod.inv(x0, y0, x1, y1)[2], dtype=np.float64)


def overlapping_parts(a: Polygons, b: Polygons, min_iou: float) -> Pairs:
    """All pairs of polygons whose intersection over union reaches `min_iou`, as `overlap.overlapping`."""
    has_a, has_b = np.flatnonzero(shapely.area(a) > 0), np.flatnonzero(shapely.area(b) > 0)
    second, first = shapely.STRtree(a[has_a]).query(b[has_b])
    first, second = has_a[first], has_b[second]
    inter = shapely.area(shapely.intersection(a[first], b[second]))
    union = shapely.area(a)[first] + shapely.area(b)[second] - inter
    iou = np.round(inter / union, 12)
    keep = iou >= min_iou
    return Pairs(first[keep].astype(np.int64), second[keep].astype(np.int64), iou[keep])


def _near(a: Result, b: Result) -> NDArray[np.bool_] | None:
    """Whether the bounds of two answers' areas meet, (len(a), len(b)); None where that cannot be told."""
    if a.answers.crs is None or b.answers.crs is None:
        return None
    first, second = a.answers.geometry.bounds, b.answers.geometry.to_crs(a.answers.crs).bounds
    p, q = first.to_numpy()[:, None, :], second.to_numpy()[None, :, :]
    # Edges may bend beyond the corners of an area in another CRS.
    pad = 0.1 * (q[..., 2:] - q[..., :2])
    apart = (p[..., :2] > q[..., 2:] + pad) | (p[..., 2:] < q[..., :2] - pad)
    return np.asarray(~apart.any(axis=-1))


def _looked_at(result: Result, answer: pd.Series[Any], places: Georeferencer) -> BaseGeometry:
    """The part of an answer's area that the model looked at, in its scene's own pixels."""
    tiles = result.tiles[result.tiles["answer_id"] == answer["answer_id"]]
    seen = tiles[tiles["status"].isin([str(status) for status in LOOKED_AT])]
    windows = np.array([list(window) for window in seen["window_px"]], dtype=np.float64).reshape(-1, 4)
    scene = shapely.box(0, 0, places.grid.width, places.grid.height)
    looked = shapely.union_all(shapely.box(*windows.T)).intersection(scene)
    asked = answer["geometry"]
    if asked is None or asked.is_empty:
        return looked
    area = places.geometry_to_pixels(asked, result.answers.crs)
    return shapely.Polygon() if area is None else shapely.make_valid(area).intersection(looked)

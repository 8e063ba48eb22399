"""Model boxes to scene pixels to polygons on the map, and what they measure on the ground.

The only place where a box changes space. Knows frames, windows, grids and CRSs; refuses to know labels,
tiles' neighbours (`merge.py`) and files. Boxes are moved, never pixels: four corners each, never two.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.affinity import translate
from shapely.geometry import box as shapely_box

from groundproof import geodesy
from groundproof.boxes import BoxFrame, Grid, ModelBox, PixelBox, PixelBoxes, Tile, Window
from groundproof.errors import SceneError
from groundproof.gridmap import GridMap
from groundproof.outlines import Outliner, edge_points
from groundproof.projecting import (
    accuracy_of,
    map_geometry,
    period_of,
    project,
    same_place,
    split_antimeridian,
    transformer,
)

if TYPE_CHECKING:
    from pyproj import CRS
    from shapely.geometry import MultiPolygon, Polygon
    from shapely.geometry.base import BaseGeometry

__all__ = [
    "Georeferencer",
    "Placed",
    "corners",
    "gsd_m",
    "split_antimeridian",
    "to_model",
    "to_pixels",
    "transformer",
]

Array = NDArray[np.float64]
Problem = Literal["out-of-frame", "degenerate"]

FARTHEST_PX = 2.0**31
"""GDAL rasters have fewer columns and rows; a model's wilder numbers are cut to this."""
EXACT_PARTS = 64
"""Edges of boxes too large for chords are followed in this many geodesics."""
CHUNK = 250_000
"""Boxes transformed at once: bounds the working memory."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a model's box lies in the scene.

    box: scene pixels; None when it has no area or no finite numbers. problem: why it must not be counted,
    else None. clipped: the box reached past its tile or the scene and was cut there.
    """

    box: PixelBox | None
    problem: Problem | None = None
    clipped: bool = False


def to_pixels(box: ModelBox, frame: BoxFrame, tile: Tile, grid_size: tuple[int, int]) -> Placed:
    """Place a model's box in the scene. Any order of corners, any numbers; never raises for a box.

    Per-mille and percent are of the tile's *window*, whatever the model resized it to. The box is cut at
    the window and at the scene (grid_size: width, height, px). One wholly outside is out-of-frame and
    keeps its place. A box with an angle is never cut; it is out-of-frame when its centre is outside. Its
    angle is kept: that is exact where the model's image has the window's ratio, as that of every tile has.
    """
    sx, sy = _scale(frame, tile)
    window = tile.window
    values = (
        window.x0 + box.x0 * sx,
        window.y0 + box.y0 * sy,
        window.x0 + box.x1 * sx,
        window.y0 + box.y1 * sy,
    )
    angle = box.angle_deg
    if any(v != v for v in values) or (angle is not None and not isfinite(angle)):
        return Placed(None, "degenerate")
    ax, ay, bx, by = (min(max(v, -FARTHEST_PX), FARTHEST_PX) for v in values)
    x0, x1, y0, y1 = min(ax, bx), max(ax, bx), min(ay, by), max(ay, by)
    if x0 == x1 or y0 == y1:
        return Placed(None, "degenerate")
    whole = PixelBox(x0, y0, x1, y1, angle)
    right, bottom = min(window.x1, grid_size[0]), min(window.y1, grid_size[1])
    left, top = max(window.x0, 0), max(window.y0, 0)
    if angle is not None:
        inside = left <= (x0 + x1) / 2 <= right and top <= (y0 + y1) / 2 <= bottom
        return Placed(whole, None if inside else "out-of-frame")
    cut = (max(x0, left), max(y0, top), min(x1, right), min(y1, bottom))
    if cut[0] >= cut[2] or cut[1] >= cut[3]:
        return Placed(whole, "out-of-frame")
    return Placed(PixelBox(*cut), None, clipped=cut != (x0, y0, x1, y1))


def to_model(box: PixelBox, frame: BoxFrame, tile: Tile) -> ModelBox:
    """The inverse of `to_pixels` without its cutting: as the model would write the box, not rounded."""
    sx, sy = _scale(frame, tile)
    x, y = tile.window.x0, tile.window.y0
    return ModelBox((box.x0 - x) / sx, (box.y0 - y) / sy, (box.x1 - x) / sx, (box.y1 - y) / sy, box.angle_deg)


def _scale(frame: BoxFrame, tile: Tile) -> tuple[float, float]:
    """Scene pixels per unit of the frame, in x and y."""
    full = frame.full_scale
    width, height = (tile.model_width, tile.model_height) if full is None else (full, full)
    return tile.window.width / width, tile.window.height / height


def corners(boxes: PixelBoxes) -> Array:
    """Corners (N, 4, 2) in scene pixels (col, row): top left, top right, bottom right, bottom left.

    Names are those before the rotation, which is clockwise on screen (rows grow downwards) about the
    centre: (dx, dy) goes to (dx cos - dy sin, dx sin + dy cos).
    """
    x0, y0, x1, y1 = boxes.xyxy.T
    out = np.stack([x0, y0, x1, y0, x1, y1, x0, y1], axis=1).reshape(-1, 4, 2)
    turned = np.flatnonzero(np.isfinite(boxes.angle_deg))
    if len(turned):
        angle = np.radians(boxes.angle_deg[turned])
        cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
        centre = (boxes.xyxy[turned, None, :2] + boxes.xyxy[turned, None, 2:]) / 2.0
        d = out[turned] - centre
        out[turned] = centre + np.stack(
            [d[..., 0] * cos - d[..., 1] * sin, d[..., 0] * sin + d[..., 1] * cos], axis=-1
        )
    return out


class Georeferencer:
    """Scene pixels to the map and back, for one grid and one output CRS.

    grid: where the scene's pixels lie. out_crs: of the polygons; None means the scene's own.
    In pixel space x = col, y = -row, so that results lie on the image in a GIS, and sizes are NaN.
    Raises SceneError when the affine or the ground control points do not define a place.
    """

    def __init__(self, grid: Grid, out_crs: CRS | None = None) -> None:
        if grid.is_pixel_space and out_crs is not None:
            raise SceneError(
                f"pixel space has no place on the ground, so its boxes cannot be given in {out_crs.name}. "
                "Give the scene's CRS, or leave out the output CRS."
            )
        self.grid = grid
        self._asked = out_crs
        self._map = GridMap(grid)
        self.crs = self._map.crs
        self.out_crs = self.crs if out_crs is None else out_crs.to_2d()
        self._reprojects = (
            self.crs is not None and self.out_crs is not None and not same_place(self.crs, self.out_crs)
        )
        self._period = period_of(self.out_crs) if self.out_crs is not None and self._reprojects else None
        self._outliner = Outliner(
            self._to_out, self._map.is_affine and not self._reprojects, self._period, self._map.size
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """GDAL's transformers do not travel between processes; the grid does."""
        return Georeferencer, (self.grid, self._asked)

    def to_map_points(self, col: Array, row: Array) -> tuple[Array, Array]:
        """Pixel corners (not centres) to x, y in the *scene's* CRS; y = -row in pixel space."""
        xy = self._map.forward(np.stack(np.broadcast_arrays(col, row), axis=-1).astype(np.float64))
        return xy[..., 0], xy[..., 1]

    def to_pixels(self, x: Array, y: Array) -> tuple[Array, Array]:
        """x, y in the *scene's* CRS to continuous col, row: the inverse of `to_map_points`.

        With ground control points it is GDAL's own inverse: a fit of its own, not exactly the inverse.
        """
        px = self._map.inverse(np.stack(np.broadcast_arrays(x, y), axis=-1).astype(np.float64))
        return px[..., 0], px[..., 1]

    def polygons(self, boxes: PixelBoxes) -> NDArray[np.object_]:
        """Polygons (N,) of shapely in `out_crs`; None where a corner has no place there.

        Rings are counter-clockwise on the map and begin at the box's own top left corner. Four vertices,
        more where an edge bends by over 0.1 px from straight. In degrees a box over the antimeridian is
        continuous and reaches past 180; `split_antimeridian` cuts it.
        """
        out = np.full(len(boxes), None, dtype=object)
        for at in range(0, len(boxes), CHUNK):
            part = slice(at, at + CHUNK)
            px = corners(PixelBoxes(boxes.xyxy[part], boxes.angle_deg[part]))
            out[part] = self._outliner.polygons(px)
        return out

    def polygon_of_window(self, window: Window) -> Polygon | None:
        """The part of a window that the scene has pixels for, in `out_crs`.

        None if there are no such pixels or a corner has no place there.
        """
        x1, y1 = min(window.x1, self.grid.width), min(window.y1, self.grid.height)
        if window.x0 >= x1 or window.y0 >= y1:
            return None
        polygon: Polygon | None = self.polygons(PixelBoxes.of([PixelBox(window.x0, window.y0, x1, y1)]))[0]
        return polygon

    def footprint(self) -> Polygon | None:
        """The whole scene in `out_crs`; None when a corner has no place there."""
        return self.polygon_of_window(Window(0, 0, self.grid.width, self.grid.height))

    def transform_polygon(
        self, geometry: BaseGeometry, crs: CRS | None = None
    ) -> Polygon | MultiPolygon | None:
        """A polygon of any CRS (default the scene's) in `out_crs`, bent edges followed to 0.1 px.

        None when a part of it has no place there.
        """
        source, target = self.crs if crs is None else crs.to_2d(), self.out_crs
        if source is None or target is None:
            return map_geometry(geometry, np.copy, np.eye(2), period=None)
        return map_geometry(
            geometry,
            lambda xy: project(xy, source, target, self._map.area),
            self._map.to_px(self._to_out),
            period_of(target),
        )

    def geometry_from_pixels(self, geometry: BaseGeometry) -> Polygon | MultiPolygon | None:
        """A polygon in scene pixels (x = col, y = row) in `out_crs`, bent edges followed to 0.1 px."""
        return map_geometry(geometry, self._to_out, self._map.to_px(self._to_out), self._period)

    def geometry_to_pixels(
        self, geometry: BaseGeometry, crs: CRS | None = None
    ) -> Polygon | MultiPolygon | None:
        """A polygon of any CRS (default the scene's) in scene pixels, bent edges followed to 0.1 px.

        Far parts are cut off first, so that an AOI larger than a projection's area of use still works.
        None when nothing of it has a place near the scene; not yet clipped to the scene itself.
        """
        source, target = self.crs if crs is None else crs.to_2d(), self.crs
        if source is None or target is None:
            return map_geometry(geometry, self._map.inverse, np.eye(2), period=None)
        near = _near(geometry, Georeferencer(self.grid, source).footprint(), period_of(source))
        period, (middle, _) = period_of(target), self._map.forward(self._map.size / 2.0)

        def to_px(xy: Array) -> Array:
            if same_place(source, target):
                return self._map.inverse(xy)
            there = project(xy, source, target, self._map.area)
            if period is not None:
                # A scene may lie in another turn of the globe than PROJ's numbers: 0..360 degrees. An edge
                # at exactly half a turn stays on its side.
                there[..., 0] += period * np.round((1.0 - 1e-9) * (middle - there[..., 0]) / period)
            return self._map.inverse(there)

        return map_geometry(near, to_px, np.eye(2), period=None)

    def sizes(self, boxes: PixelBoxes) -> tuple[Array, Array, Array]:
        """Geodesic area (m2), width and height (m) of each box, (N,) each; NaN where there is no place.

        width is the mean of the two sides along the box's x, height of those along its y. Boxes below
        10 km by chords (see `geodesy`), the rest exactly, following their edges.
        """
        area, width, height = (np.full(len(boxes), np.nan) for _ in range(3))
        geod = self._map.geod
        if geod is None:
            return area, width, height
        for at in range(0, len(boxes), CHUNK):
            p = slice(at, at + CHUNK)
            px = corners(PixelBoxes(boxes.xyxy[p], boxes.angle_deg[p]))
            area[p], width[p], height[p], good = geodesy.quad_sizes(self._map.to_radians(px), geod)
            for i in np.flatnonzero(~good & np.isfinite(area[p])):
                path = self._map.to_radians(edge_points(px[i : i + 1], EXACT_PARTS))[0]
                area[at + i], width[at + i], height[at + i] = geodesy.path_sizes(path, geod)
        lost = ~np.isfinite(area)
        width[lost] = height[lost] = np.nan
        return area, width, height

    @cached_property
    def accuracy(self) -> dict[str, Any]:
        """Which operation leads to `out_crs` and what it states of itself (`projecting.accuracy_of`)."""
        if self.crs is None or self.out_crs is None:
            return {"operation": "none", "accuracy_m": None, "ballpark": False, "missing_grids": []}
        x, y = self._map.forward(self._map.size / 2.0)
        return accuracy_of(self.crs, self.out_crs, self._map.area, (float(x), float(y)))

    @property
    def gcp_residual_px(self) -> float | None:
        """Root mean square distance, px, of the ground control points from the fit; None without any."""
        return self._map.residual_px

    def _to_out(self, px: Array) -> Array:
        xy = self._map.forward(px)
        if not self._reprojects or self.crs is None or self.out_crs is None:
            return xy
        return project(xy, self.crs, self.out_crs, self._map.area)


def gsd_m(grid: Grid, col: float | None = None, row: float | None = None) -> float | None:
    """Ground sampling distance: metres per pixel along the ellipsoid at (col, row), default the centre.

    Of a pixel that is not square on the ground, the side of the square of the same area. None in pixel
    space, and where the place is not on the ground (the corner of a geostationary full disc).
    """
    x = grid.width / 2 if col is None else col
    y = grid.height / 2 if row is None else row
    area = Georeferencer(grid).sizes(PixelBoxes.of([PixelBox(x - 0.5, y - 0.5, x + 0.5, y + 0.5)]))[0][0]
    return float(np.sqrt(area)) if isfinite(area) and area > 0 else None


def _near(geometry: BaseGeometry, footprint: Polygon | None, period: float | None) -> BaseGeometry:
    """What of the geometry lies near the footprint, in the footprint's turn of the globe."""
    if footprint is None:
        return geometry
    west, south, east, north = footprint.bounds
    pad = max(east - west, north - south)
    aside = pad if period is None else min(pad, max(0.0, (period - (east - west)) / 2.0))
    collar = shapely_box(west - aside, south - pad, east + aside, north + pad)
    turns = (0.0,) if period is None else (-period, 0.0, period)
    return shapely.union_all([translate(geometry, xoff=t).intersection(collar) for t in turns])

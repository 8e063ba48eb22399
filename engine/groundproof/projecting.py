"""Between coordinate reference systems: one transformer factory, bent edges, the antimeridian.

Knows CRSs and arrays of (x, y). Refuses to know pixels, boxes and scenes (`georeference.py` does).
Axis order is x, y (longitude, latitude) everywhere, whatever the CRS's authority says.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.transformer import AreaOfInterest, TransformerGroup
from shapely.affinity import translate
from shapely.geometry import MultiPolygon, Polygon, box
from shapely.geometry.polygon import orient

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

Array = NDArray[np.float64]
Mapping = Callable[[Array], Array]
"""(..., 2) points to (..., 2) points; what cannot be mapped comes back non-finite."""
Area = tuple[float, float, float, float]
"""West, south, east, north in degrees; west > east when it crosses the antimeridian."""

SAG_PX = 0.1
"""An edge that bends further than this from its chord gets more vertices."""
EDGE_STEPS = np.array([0.25, 0.5, 0.75])
"""Where along an edge its bend is measured. The middle alone misses S-shaped edges."""
MAX_ROUNDS = 10
"""An edge is quartered at most this often: a millionth of it is below any pixel."""


@lru_cache(maxsize=256)
def transformer(source: CRS, target: CRS, area: Area | None = None) -> Transformer:
    """The only place where transformers are made: always x, y order; the best operation for `area`."""
    interest = None if area is None else AreaOfInterest(*area)
    return Transformer.from_crs(source, target, always_xy=True, area_of_interest=interest)


def project(xy: Array, source: CRS, target: CRS, area: Area | None) -> Array:
    """Points (..., 2) of one CRS in another; not finite where PROJ finds no place."""
    x, y = transformer(source, target, area).transform(xy[..., 0].ravel(), xy[..., 1].ravel())
    return np.stack([x, y], axis=-1).reshape(xy.shape)


def same_place(one: CRS, other: CRS) -> bool:
    """Whether equal x, y numbers mean equal places: the CRSs differ at most in axis order or name."""
    return bool(one.equals(other, ignore_axis_order=True))


def accuracy_of(source: CRS, target: CRS, area: Area | None, point: tuple[float, float]) -> dict[str, Any]:
    """What PROJ says of the operation it uses at `point` (x, y in `source`), for a result's metadata.

    operation: its name. accuracy_m: as stated, metres; None when not stated. ballpark: no datum shift is
    known, places may be off by a hundred metres. missing_grids: grid files that a better operation needs
    and this machine lacks.
    """
    if same_place(source, target):
        return {"operation": "none", "accuracy_m": 0.0, "ballpark": False, "missing_grids": []}
    used = transformer(source, target, area)
    used.transform(*point)
    operation = used.get_last_used_operation()
    stated = None if operation.accuracy < 0 else float(operation.accuracy)
    interest = None if area is None else AreaOfInterest(*area)
    with warnings.catch_warnings():
        # pyproj warns of what this function is there to report.
        warnings.simplefilter("ignore", UserWarning)
        group = TransformerGroup(source, target, always_xy=True, area_of_interest=interest)
    better = [
        other
        for other in group.unavailable_operations
        if other.accuracy >= 0 and (stated is None or other.accuracy < stated)
    ]
    return {
        "operation": operation.description,
        "accuracy_m": stated,
        "ballpark": "ballpark" in operation.description.lower(),
        "missing_grids": sorted({g.short_name for o in better for g in o.grids if not g.available}),
    }


@lru_cache(maxsize=256)
def period_of(crs: CRS) -> float | None:
    """After how many units of x a CRS is at the same place again; None when it does not repeat.

    360 for degrees, the length of the equator for Web Mercator and other cylinders. A box over the seam
    of such a CRS must not be drawn around the world.
    """
    geodetic = crs.geodetic_crs
    if geodetic is None:
        return None
    degree = np.radians(1.0) / geodetic.axis_info[0].unit_conversion_factor
    if crs.is_geographic:
        return float(360.0 * degree)
    start = np.array([[10.0, 0.0], [10.0, 50.0], [100.0, -20.0], [-40.0, 30.0]]) * degree
    one, other = (project(start + np.array([east, 0.0]), geodetic, crs, None) for east in (0.0, degree))
    step = (other - one)[:, 0]
    # A cylinder: a degree to the east is the same way everywhere (one of the four may cross the seam).
    usual = float(np.median(step))
    same = np.isclose(step, usual, rtol=1e-6) & np.isclose(other[:, 1], one[:, 1], rtol=0, atol=1e-3)
    return 360.0 * abs(usual) if usual and same.sum() >= len(step) - 1 else None


def unwrapped(paths: Array, period: float | None) -> Array:
    """Paths (..., n, 2) with x made continuous: no step over half a period. As they are without one."""
    if period is None:
        return paths
    out = paths.copy()
    out[..., 0] = np.unwrap(paths[..., 0], period=period)
    return out


def closed_ring(path: Array, period: float | None) -> Array:
    """An open continuous path (n, 2), closed; in degrees one around a pole is closed along the pole.

    A ring around a pole comes back a whole period from where it began. In the plane of longitude and
    latitude such a polygon reaches up to the pole's edge. The result is moved by whole periods so that
    its middle lies in the first one, -180..180 in degrees.
    """
    if period is None:
        return np.vstack([path, path[:1]])
    turn = float(unwrapped(np.stack([path[-1], path[0]]), period)[1, 0] - path[0, 0])
    if abs(turn) > period / 2.0:
        pole = np.copysign(period / 4.0, path[:, 1].mean())
        end = (path[0, 0] + turn, path[0, 1])
        path = np.vstack([path, end, (end[0], pole), (path[0, 0], pole)])
    middle = (float(path[:, 0].min()) + float(path[:, 0].max())) / 2.0
    back = np.array([period * np.ceil(middle / period - 0.5), 0.0])
    return np.asarray(np.vstack([path, path[:1]]) - back)


def split_antimeridian(polygon: Polygon | MultiPolygon) -> Polygon | MultiPolygon:
    """Cut a polygon in degrees at the antimeridian, all parts inside -180..180 (RFC 7946, 3.1.9).

    The input is continuous, reaching past 180 or -180 where it crosses, as `Georeferencer` makes it.
    A polygon already inside comes back as it is.
    """
    west, _, east, _ = polygon.bounds
    if west >= -180.0 and east <= 180.0:
        return polygon
    parts: list[Polygon] = []
    for turn in range(int(np.floor((west + 180.0) / 360.0)), int(np.ceil((east + 180.0) / 360.0))):
        piece = polygon.intersection(box(360.0 * turn - 180.0, -90.0, 360.0 * turn + 180.0, 90.0))
        moved = translate(piece, xoff=-360.0 * turn)
        parts += [g for g in shapely.get_parts(moved) if g.geom_type == "Polygon" and g.area > 0]
    parts = [orient(p) for p in parts]
    return parts[0] if len(parts) == 1 else MultiPolygon(parts)


def map_geometry(
    geometry: BaseGeometry, mapping: Mapping, to_px: Array, period: float | None
) -> Polygon | MultiPolygon | None:
    """A polygon or multipolygon through `mapping`, with vertices added where its edges bend.

    to_px: (2, 2), from a small difference in the target to pixels; edges stay within `SAG_PX` of the
    true curve. period: of the target (`period_of`). Exteriors are counter-clockwise. None when
    a vertex cannot be mapped, or nothing with an area comes out.
    """
    polygons: list[Polygon] = []
    for part in shapely.get_parts(geometry):
        if part.geom_type != "Polygon" or part.is_empty:
            continue
        rings = [_map_ring(shapely.get_coordinates(r), mapping, to_px, period) for r in _rings(part)]
        outer = rings[0]
        if outer is None:
            return None
        holes = []
        for ring in rings[1:]:
            if ring is None:
                return None
            if period is not None:
                turns = round((outer[:, 0].mean() - ring[:, 0].mean()) / period)
                ring = ring + np.array([period * turns, 0.0])
            holes.append(ring)
        polygons.append(orient(Polygon(outer, holes)))
    if not polygons:
        return None
    return polygons[0] if len(polygons) == 1 else MultiPolygon(polygons)


def _rings(polygon: Polygon) -> list[BaseGeometry]:
    return [polygon.exterior, *polygon.interiors]


def _map_ring(ring: Array, mapping: Mapping, to_px: Array, period: float | None) -> Array | None:
    """One closed ring through `mapping`, edges quartered until each is within `SAG_PX`; closed again."""
    source, target = ring, mapping(ring)
    bends = np.ones(len(ring) - 1, dtype=bool)
    for _ in range(MAX_ROUNDS):
        edges = np.flatnonzero(bends)
        if not len(edges):
            break
        start, end = source[edges], source[edges + 1]
        steps = start[:, None] + EDGE_STEPS[:, None] * (end - start)[:, None]
        between = mapping(steps)
        path = np.concatenate([target[edges, None], between, target[edges + 1, None]], axis=1)
        if not np.isfinite(path).all():
            return None
        bent = _bend_px(unwrapped(path, period), to_px) > SAG_PX
        if period is not None:
            bent |= np.abs(path[:, -1, 0] - path[:, 0, 0]) > period / 2.0
        where = np.repeat(edges[bent] + 1, len(EDGE_STEPS))
        source = np.insert(source, where, steps[bent].reshape(-1, 2), axis=0)
        target = np.insert(target, where, between[bent].reshape(-1, 2), axis=0)
        split = np.zeros(len(bends), dtype=np.int64)
        split[edges[bent]] = 1
        bends = np.repeat(split.astype(bool), 1 + len(EDGE_STEPS) * split)
    if not np.isfinite(target).all():
        return None
    return closed_ring(unwrapped(target[:-1], period), period)


def _bend_px(path: Array, to_px: Array) -> Array:
    """How far (N, n, 2) paths leave the chord between their ends, at most, in pixels: (N,)."""
    px = (path - path[:, :1]) @ to_px.T
    chord = px[:, -1]
    length = np.hypot(chord[:, 0], chord[:, 1])
    across = np.abs(px[..., 0] * chord[:, None, 1] - px[..., 1] * chord[:, None, 0]).max(axis=1)
    far = np.hypot(px[..., 0], px[..., 1]).max(axis=1)
    return np.asarray(np.where(length > 0, across / np.where(length > 0, length, 1.0), far))

"""Polygons of many quadrilaterals through a mapping that may bend their edges.

Knows arrays of corners and a mapping. Refuses to know what the corners mean and which CRSs are involved.
Most boxes are small enough to stay straight: how much the mapping bends is learnt once per scene, and
only boxes for which that bound is not enough are measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import isfinite

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import Polygon
from shapely.geometry.polygon import orient

from groundproof.projecting import EDGE_STEPS, SAG_PX, Mapping, closed_ring, unwrapped

Array = NDArray[np.float64]

CELLS = 16
"""The scene is cut into this many cells a side to learn how much its edges bend."""
SAFETY = 4.0
"""The bend learnt from the cells is multiplied by this before boxes are trusted to it."""
MAX_PARTS = 1024


@dataclass(frozen=True)
class Outliner:
    """Turns corners in pixels into polygons.

    mapping: pixels to the map. straight: it is affine, edges cannot bend. period: of the map in x, None if
    it does not repeat (`projecting.period_of`). size: width, height of the scene in px.
    """

    mapping: Mapping
    straight: bool
    period: float | None
    size: Array

    def polygons(self, px: Array) -> NDArray[np.object_]:
        """Corners (N, 4, 2) in ring order to polygons (N,), None where one cannot be mapped."""
        out = np.full(len(px), None, dtype=object)
        mapped = self.mapping(px)
        mapped[~np.isfinite(mapped).all(axis=(1, 2))] = np.nan
        finite = np.isfinite(mapped).all(axis=(1, 2))
        plain = finite.copy()
        if not self.straight:
            reach = np.ptp(px, axis=1).max(axis=1)
            plain &= (self._sag_rate * reach**2 <= SAG_PX) & ((px >= 0.0) & (px <= self.size)).all(
                axis=(1, 2)
            )
            if self.period is not None:
                x, half = mapped[..., 0], self.period / 2.0
                plain &= (np.ptp(x, axis=1) <= half) & (np.abs(x) <= half).all(axis=1)
        out[plain] = oriented(mapped[plain])
        for parts, which in self._by_parts(px, np.flatnonzero(finite & ~plain)):
            path = self.mapping(edge_points(px[which], parts))
            good = np.isfinite(path).all(axis=(1, 2))
            which, path = which[good], path[good]
            if self.period is None:
                out[which] = oriented(path)
            else:
                rings = [closed_ring(ring, self.period) for ring in unwrapped(path, self.period)]
                out[which] = [orient(Polygon(ring)) for ring in rings]
        return out

    def _by_parts(self, px: Array, which: NDArray[np.intp]) -> list[tuple[int, NDArray[np.intp]]]:
        """The boxes in groups, by how many parts their edges need to stay within `SAG_PX`."""
        if not len(which):
            return []
        path, sag = self._sag(px[which])
        with np.errstate(invalid="ignore", divide="ignore"):
            # A chord over 1/n of an edge sags 1/n^2 as much; the 2 leaves room for uneven bends.
            parts = np.where(sag <= SAG_PX, 1.0, 2.0 ** np.ceil(np.log2(np.sqrt(2.0 * sag / SAG_PX))))
        if self.period is not None:
            parts = np.where(np.ptp(path[..., 0], axis=1) > self.period / 2.0, np.maximum(parts, 4.0), parts)
        parts = np.clip(np.nan_to_num(parts, posinf=MAX_PARTS), 1, MAX_PARTS).astype(np.int64)
        return [(int(n), which[parts == n]) for n in np.unique(parts)]

    @cached_property
    def _sag_rate(self) -> float:
        """Sag, px, of an edge of 1 px at most; it grows with the square of the length. inf: unknown."""
        xs, ys = (np.linspace(0.0, n, CELLS + 1) for n in self.size)
        x0, y0 = (g.ravel() for g in np.meshgrid(xs[:-1], ys[:-1]))
        w, h = self.size / CELLS
        cells = np.stack([x0, y0, x0 + w, y0, x0 + w, y0 + h, x0, y0 + h], axis=1).reshape(-1, 4, 2)
        worst = float(self._sag(cells)[1].max()) / min(w, h) ** 2
        return SAFETY * worst if isfinite(worst) else float("inf")

    def _sag(self, px: Array) -> tuple[Array, Array]:
        """Mapped edges (N, 16, 2) of boxes (N, 4, 2), and the largest sag of an edge in px (N,)."""
        path = self.mapping(edge_points(px, 4))
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            path = unwrapped(path, self.period)
            ring = unwrapped(np.concatenate([path, path[:, :1]], axis=1), self.period)
            ends = ring[:, ::4]
            # The box's own axes in map units per pixel: they turn a deviation back into pixels.
            side = np.linalg.norm(px[:, [1, 3]] - px[:, :1], axis=2)
            ex, ey = (ends[:, 1] - ends[:, 0]) / side[:, :1], (ends[:, 3] - ends[:, 0]) / side[:, 1:]
            det = np.abs(ex[:, 0] * ey[:, 1] - ex[:, 1] * ey[:, 0])
            worst = np.zeros(len(px))
            for edge in range(4):
                start, end = ends[:, edge, None], ends[:, edge + 1, None]
                off = ring[:, 4 * edge + 1 : 4 * edge + 4] - (start + EDGE_STEPS[:, None] * (end - start))
                along = ex if edge % 2 == 0 else ey
                across = np.abs(off[..., 0] * along[:, None, 1] - off[..., 1] * along[:, None, 0])
                worst = np.maximum(worst, across.max(axis=1) / det)
        return path, np.where(np.isfinite(worst), worst, np.inf)


def edge_points(px: Array, parts: int) -> Array:
    """Quadrilaterals (N, 4, 2) to open rings (N, 4 * parts, 2), each edge in equal parts."""
    step = (np.arange(parts) / parts)[:, None]
    start, end = px[:, :, None], np.roll(px, -1, axis=1)[:, :, None]
    return np.asarray((start + step * (end - start)).reshape(len(px), -1, 2))


def oriented(rings: Array) -> NDArray[np.object_]:
    """Polygons of open rings (N, n, 2): counter-clockwise, the first vertex kept."""
    x, y = (rings[..., axis] - rings[:, :1, axis] for axis in (0, 1))
    twice = (x * np.roll(y, -1, axis=1) - np.roll(x, -1, axis=1) * y).sum(axis=1)
    backwards = np.roll(np.arange(rings.shape[1])[::-1], 1)
    rings = np.where((twice < 0)[:, None, None], rings[:, backwards], rings)
    return np.asarray(shapely.polygons(np.concatenate([rings, rings[:, :1]], axis=1)), dtype=object)

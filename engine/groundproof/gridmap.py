"""Where a grid's pixels lie in its own CRS: affine or ground control points, forward and back.

Knows grids and their CRS. Refuses to know boxes, tiles and output CRSs (`georeference.py` does).
Arrays are (..., 2): col, row in continuous corners (never centres), or x, y.
"""

from __future__ import annotations

from functools import cached_property
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from rasterio._err import CPLE_BaseError
from rasterio.control import GroundControlPoint as RasterioPoint
from rasterio.errors import RasterioError
from rasterio.transform import GCPTransformer

from groundproof.errors import SceneError
from groundproof.projecting import project, same_place

if TYPE_CHECKING:
    from pyproj import Geod

    from groundproof.boxes import Grid
    from groundproof.projecting import Area, Mapping

Array = NDArray[np.float64]

PIXEL_SPACE = Affine(1, 0, 0, 0, -1, 0)
"""x = col, y = -row: results lie on the image in a GIS that shows it without a georeference."""


class GridMap:
    """Pixels to the scene's CRS and back, and to longitude and latitude on its own ellipsoid.

    Raises SceneError when the affine or the ground control points do not define a place.
    """

    def __init__(self, grid: Grid) -> None:
        self.crs = None if grid.crs is None else grid.crs.to_2d()
        self.size = np.array([grid.width, grid.height], dtype=np.float64)
        self._points = grid.gcps
        self._fit = _fit(grid) if grid.gcps else None
        self._affine = PIXEL_SPACE if grid.affine is None else grid.affine
        values = self._affine[:6]
        if not all(isfinite(v) for v in values) or self._affine.determinant == 0:
            raise SceneError(
                f"the scene's affine {tuple(values)} does not give each pixel a place of its own. "
                "Mend the file's georeference, or use --pixel-space."
            )

    @property
    def is_affine(self) -> bool:
        """Whether straight lines of pixels are straight in the scene's CRS."""
        return self._fit is None

    def forward(self, px: Array) -> Array:
        """col, row to x, y in the scene's CRS."""
        if self._fit is None:
            return _apply(self._affine, px)
        x, y = self._fit.xy(px[..., 1].ravel(), px[..., 0].ravel(), offset="ul")
        return np.stack([x, y], axis=-1).reshape(px.shape)

    def inverse(self, xy: Array) -> Array:
        """x, y in the scene's CRS to col, row. With ground control points GDAL's inverse: a second fit."""
        if self._fit is None:
            return _apply(~self._affine, xy)
        row, col = self._fit.rowcol(xy[..., 0].ravel(), xy[..., 1].ravel(), op=np.positive)
        return np.stack([col, row], axis=-1).reshape(xy.shape)

    def to_radians(self, px: Array) -> Array:
        """col, row to longitude, latitude on the scene CRS's own datum; needs `geod`."""
        xy = self.forward(px)
        geodetic = None if self.crs is None else self.crs.geodetic_crs
        if self.crs is None or geodetic is None:
            return np.full(xy.shape, np.nan)
        unit = float(geodetic.axis_info[0].unit_conversion_factor)
        return (xy if same_place(self.crs, geodetic) else project(xy, self.crs, geodetic, None)) * unit

    @cached_property
    def geod(self) -> Geod | None:
        """The CRS's ellipsoid; None where there is none: pixel space, a local engineering CRS."""
        if self.crs is None or self.crs.geodetic_crs is None:
            return None
        return self.crs.get_geod()

    @cached_property
    def area(self) -> Area | None:
        """The scene in degrees, so that PROJ picks one operation for all of it; None when unknown."""
        steps = np.linspace(0.0, 1.0, 9)
        px = np.stack(np.meshgrid(steps * self.size[0], steps * self.size[1]), axis=-1)
        lonlat = np.degrees(self.to_radians(px)).reshape(-1, 2)
        lonlat = lonlat[np.isfinite(lonlat).all(axis=1)]
        if not len(lonlat):
            return None
        middle = lonlat[len(lonlat) // 2, 0]
        lon = (lonlat[:, 0] - middle + 180.0) % 360.0 - 180.0 + middle
        west, east = ((v + 180.0) % 360.0 - 180.0 for v in (float(lon.min()), float(lon.max())))
        return west, float(lonlat[:, 1].min()), east, float(lonlat[:, 1].max())

    @cached_property
    def residual_px(self) -> float | None:
        """Root mean square distance, px, of the ground control points from the fit; None without any."""
        if not self._points:
            return None
        given = np.array([(g.col, g.row) for g in self._points], dtype=np.float64)
        there = np.array([(g.x, g.y) for g in self._points], dtype=np.float64)
        miss = (self.forward(given) - there) @ self.to_px(self.forward).T
        return float(np.sqrt((miss**2).sum(axis=1).mean()))

    def to_px(self, mapping: Mapping) -> Array:
        """(2, 2): small differences in `mapping`'s target to pixels, as near the centre as there is one."""
        nodes = np.stack(np.meshgrid(*(np.linspace(0.0, n, 9) for n in self.size)), axis=-1).reshape(-1, 2)
        nodes = nodes[np.argsort(np.linalg.norm(nodes / self.size - 0.5, axis=1), kind="stable")]
        steps = np.array([[0.5, 0.0], [-0.5, 0.0], [0.0, 0.5], [0.0, -0.5]])
        at = mapping(nodes[:, None] + steps)
        with np.errstate(invalid="ignore"):  # infinite off the globe: sorted out below
            per_px = np.stack([at[:, 0] - at[:, 1], at[:, 2] - at[:, 3]], axis=2)
        per_px = per_px[np.isfinite(per_px).all(axis=(1, 2))]
        per_px = per_px[np.linalg.det(per_px) != 0.0]
        return np.asarray(np.linalg.inv(per_px[0]), dtype=np.float64) if len(per_px) else np.eye(2)


def _fit(grid: Grid) -> GCPTransformer:
    """GDAL's polynomial through the ground control points: the first order from 3, the second from 6."""
    points = np.array([(g.col, g.row, g.x, g.y) for g in grid.gcps], dtype=np.float64)
    centred = points - points.mean(axis=0)
    # GDAL turns two points into a place without a word, taking north to be up.
    spread = all(
        np.linalg.matrix_rank(centred[:, pair], tol=1e-9 * np.abs(centred[:, pair]).max()) == 2
        for pair in (slice(0, 2), slice(2, 4))
    )
    hint = "At least three that are not on one line are needed; or use --pixel-space."
    if not np.isfinite(points).all() or not spread:
        raise SceneError(f"the scene's {len(points)} ground control points do not define a place. {hint}")
    try:
        return GCPTransformer([RasterioPoint(row=g.row, col=g.col, x=g.x, y=g.y) for g in grid.gcps])
    except (RasterioError, CPLE_BaseError, ValueError) as err:
        raise SceneError(
            f"the scene's {len(points)} ground control points do not define a place ({err}). {hint}"
        ) from err


def _apply(affine: Affine, points: Array) -> Array:
    a, b, c, d, e, f = affine[:6]
    x, y = points[..., 0], points[..., 1]
    return np.stack([a * x + b * y + c, d * x + e * y + f], axis=-1)

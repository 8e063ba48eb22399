"""Map coordinates measured on the ground: how long a unit is there, and a grid's size.

Knows geodesics (QgsDistanceArea). Refuses to know layers and pixels' values.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransformContext,
    QgsCsException,
    QgsDistanceArea,
    QgsPointXY,
)
from qgis.gui import QgsMapCanvas

from groundproof_qgis.i18n_text import tr
from groundproof_qgis.imagery.errors import PixelError
from groundproof_qgis.imagery.grid import Grid, Point

STEP_M = 10.0
"""About how long the steps are by which a scale is measured."""
PIECES = 16
"""Straight pieces a long line is measured in; a geodesic would cut the corner of a parallel."""


@dataclass(frozen=True)
class Scale:
    """What one unit of a CRS is on the ground at one place.

    x_m, y_m: metres along each axis. between_deg: the angle between the axes; 90 where shapes are kept. north_deg: how
    far the y axis points to the right (east) of north.
    """

    x_m: float
    y_m: float
    between_deg: float
    north_deg: float

    @property
    def mean_m(self) -> float:
        """Metres per unit, the same area."""
        return math.sqrt(self.x_m * self.y_m * abs(math.sin(math.radians(self.between_deg))))


def measuring(
    crs: QgsCoordinateReferenceSystem, context: QgsCoordinateTransformContext | None = None
) -> QgsDistanceArea:
    """Geodesic measuring of lines in `crs`, on its own ellipsoid; on WGS84's where that has no name."""
    area = QgsDistanceArea()
    area.setSourceCrs(crs, context or QgsCoordinateTransformContext())
    named = crs.ellipsoidAcronym()
    area.setEllipsoid("EPSG:7030" if not named or named.startswith("PARAMETER") else named)
    return area


def scale_at(
    crs: QgsCoordinateReferenceSystem, at: Point, context: QgsCoordinateTransformContext | None = None
) -> Scale:
    """Measured along short steps to the east and north. Raises PixelError where the CRS has no meaning."""
    area = measuring(crs, context)
    step = STEP_M / 111_000 if crs.isGeographic() else STEP_M
    here = QgsPointXY(*at)
    east, north = QgsPointXY(at[0] + step, at[1]), QgsPointXY(at[0], at[1] + step)
    try:
        x_m, y_m, across_m = (
            area.measureLine(*ends) for ends in ((here, east), (here, north), (east, north))
        )
        north_deg = math.degrees(area.bearing(here, north))
    except QgsCsException as err:
        raise outside_crs(crs) from err
    if not (math.isfinite(x_m * y_m * across_m) and x_m > 0 and y_m > 0):
        raise outside_crs(crs)
    # From the triangle's sides: directions mean nothing close to a pole.
    cosine = (x_m**2 + y_m**2 - across_m**2) / (2 * x_m * y_m)
    between = math.degrees(math.acos(max(-1.0, min(1.0, cosine))))
    return Scale(x_m / step, y_m / step, between, _turn(north_deg))


def size_m(
    grid: Grid, crs: QgsCoordinateReferenceSystem, context: QgsCoordinateTransformContext | None = None
) -> tuple[float, float]:
    """Metres along the middle row and down the middle column, as far as they are on the ground: a picture of the whole
    Earth has edges in space. Raises PixelError where the CRS has no meaning.
    """
    area = measuring(crs, context)
    row = [grid.to_map(grid.width * i / PIECES, grid.height / 2) for i in range(PIECES + 1)]
    column = [grid.to_map(grid.width / 2, grid.height * i / PIECES) for i in range(PIECES + 1)]
    across, down = (_length_m(area, [QgsPointXY(*point) for point in line]) for line in (row, column))
    if across == 0 or down == 0:
        raise outside_crs(crs)
    return across, down


def _length_m(area: QgsDistanceArea, line: Sequence[QgsPointXY]) -> float:
    pieces_m = []
    for ends in zip(line, line[1:]):
        with suppress(QgsCsException):  # before QGIS 3.40 such a piece is infinitely long, or 0
            pieces_m.append(area.measureLine(*ends))
    return sum(piece for piece in pieces_m if math.isfinite(piece))


def pixel_m(
    grid: Grid, crs: QgsCoordinateReferenceSystem, context: QgsCoordinateTransformContext | None = None
) -> float:
    """Metres per px at the grid's centre: the side of a square as large as a pixel."""
    scale = scale_at(crs, grid.centre, context)
    a, b, _, d, e, _ = grid.affine
    return scale.mean_m * math.sqrt(abs(a * e - b * d))


def screen_pixel_m(canvas: QgsMapCanvas, here: Scale) -> float:
    """Metres per pixel of the screen (not per logical pixel) at a place. here: of the canvas's CRS."""
    settings = canvas.mapSettings()
    ratio = max(canvas.devicePixelRatioF(), settings.devicePixelRatio())
    return settings.mapUnitsPerPixel() / ratio * here.mean_m


def outside_crs(crs: QgsCoordinateReferenceSystem) -> PixelError:
    """The sentence for a place where a CRS ends."""
    return PixelError(
        tr(
            "The place lies outside what {crs} can describe. Choose a smaller place, or one inside its area of use."
        ).format(crs=crs_name(crs))
    )


def crs_name(crs: QgsCoordinateReferenceSystem) -> str:
    """What a person calls it: its code, else its description."""
    return crs.authid() or crs.description() or tr("this coordinate reference system")


def _turn(degrees: float) -> float:
    """The same direction in -180 .. 180."""
    return (degrees + 180.0) % 360.0 - 180.0

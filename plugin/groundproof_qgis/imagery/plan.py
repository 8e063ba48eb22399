"""A scene that could be sent, in numbers: what is shown before anything is copied or sent.

Knows what limits a scene and which part of it is asked about. Refuses to know where its pixels come from.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Callable

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransformContext,
    QgsGeometry,
    QgsRectangle,
)

from groundproof_qgis.asking.request import Area
from groundproof_qgis.i18n_text import tr
from groundproof_qgis.imagery.carry import carry
from groundproof_qgis.imagery.errors import PixelError
from groundproof_qgis.imagery.grid import WINDOW_PX, Grid, Part
from groundproof_qgis.imagery.ground import pixel_m, size_m
from groundproof_qgis.imagery.place import Place, polygon_of
from groundproof_qgis.imagery.scene import PixelSource, SceneSpec

MAX_PIXELS = 1_000_000_000
"""Of one scene, as the engine takes them."""
MAX_SIDE_PX = 1_000_000
CONTEXT_PX = 1024
"""What is sent around an area inside a larger scene: more than a tile, so that those at its edge see their ground."""
RESAMPLED_TIMES = 3
"""How much finer a picture with resampled rasters is drawn: QGIS takes nearest pixels, twice where it reprojects."""
NAME_FIELD = "name"
"""The property that names an area's parts."""


@dataclass(frozen=True)
class Preview:
    """What would be sent. spec: the scene's declaration (in pixel space without CRS). area: None for all of the scene.

    ground_m: (width, height) in metres along its middle, gsd_m: metres per px at its centre; None in pixel space.
    resolution: a sentence that says where that comes from. notes: sentences worth knowing before sending.
    """

    spec: SceneSpec
    area: Area | None
    ground_m: tuple[float, float] | None
    gsd_m: float | None
    resolution: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """One scene that can be made. make: copies what reading needs; on the main thread."""

    preview: Preview
    make: Callable[[], PixelSource]


def wkt_of(crs: QgsCoordinateReferenceSystem) -> str:
    """WKT2."""
    return crs.toWkt(QgsCoordinateReferenceSystem.WktVariant.WKT_PREFERRED)


def check_size(grid: Grid) -> None:
    """Raise PixelError for more pixels than the engine takes."""
    pixels = grid.width * grid.height
    if pixels > MAX_PIXELS or max(grid.width, grid.height) > MAX_SIDE_PX:
        raise PixelError(
            tr(
                "The place has {width:,} x {height:,} px; up to {most:,} px, and {side:,} px along a side, are "
                "allowed. Choose a smaller place or a coarser resolution."
            ).format(width=grid.width, height=grid.height, most=MAX_PIXELS, side=MAX_SIDE_PX)
        )


def measured(
    grid: Grid, crs: QgsCoordinateReferenceSystem, context: QgsCoordinateTransformContext
) -> tuple[tuple[float, float], float]:
    """(width, height) in metres and metres per px. Raises PixelError where the CRS has no meaning."""
    return size_m(grid, crs, context), pixel_m(grid, crs, context)


def area_of(
    place: Place,
    carried: QgsGeometry,
    grid: Grid,
    crs: QgsCoordinateReferenceSystem,
    context: QgsCoordinateTransformContext,
) -> Area | None:
    """The area to ask about; None when it is the whole scene, but for the pixels its edge runs through.

    carried: the place's polygons in `crs`, the scene's.
    """
    if place.parts:
        longitude = grid.centre[0] if crs.isGeographic() else None
        features = [
            feature(name, carry(geometry, place.crs, crs, context, longitude))
            for name, geometry in place.parts
        ]
        return Area({"type": "FeatureCollection", "features": features}, wkt_of(crs), NAME_FIELD)
    inset = 1.0 if min(grid.width, grid.height) > 2 else min(grid.width, grid.height) / 4
    if carried.contains(polygon_of(grid.corners(inset))):
        return None
    return Area(geojson(carried), wkt_of(crs))


def parts_to_send(
    grid: Grid, carried: QgsGeometry, area: Area | None, side: int = WINDOW_PX
) -> tuple[Part, ...]:
    """Windows of the scene that show the area or what lies around it; all of them for the whole scene."""
    parts = tuple(grid.parts(side))
    if area is None or len(parts) == 1:
        return parts
    reach = CONTEXT_PX * max(grid.pixel_size)
    return tuple(part for part in parts if carried.intersects(_around(grid.part(part), reach)))


def _around(grid: Grid, reach: float) -> QgsGeometry:
    xs, ys = zip(*grid.corners())
    return QgsGeometry.fromRect(
        QgsRectangle(min(xs) - reach, min(ys) - reach, max(xs) + reach, max(ys) + reach)
    )


def feature(name: str, geometry: QgsGeometry) -> dict[str, object]:
    """A polygon with the name that its answer gets."""
    return {"type": "Feature", "properties": {NAME_FIELD: name}, "geometry": geojson(geometry)}


def geojson(geometry: QgsGeometry) -> dict[str, object]:
    """A geometry as the engine's requests hold it, in its own CRS."""
    document: dict[str, object] = json.loads(geometry.asJson(17))
    return document

"""Where each of many scenes is asked about: all of it, or the polygons that touch it.

Knows which polygons touch which scene, and one area for several scenes. Refuses to know pixels and the engine.
"""

from __future__ import annotations

import json

from qgis.core import (
    QgsCoordinateTransformContext,
    QgsGeometry,
    QgsRasterLayer,
    QgsSpatialIndex,
)

from groundproof_qgis.asking.request import Area
from groundproof_qgis.i18n_text import tr
from groundproof_qgis.imagery.carry import carry
from groundproof_qgis.imagery.errors import OutsideError
from groundproof_qgis.imagery.place import Place, place_of_layer
from groundproof_qgis.imagery.plan import NAME_FIELD, feature, geojson, wkt_of


class Places:
    """For every scene of a run. Read in any one thread at a time.

    polygons: None: all of every scene. by_name: each of them has an answer of its own, when there are several.
    """

    def __init__(self, polygons: Place | None = None, *, by_name: bool = False) -> None:
        self._crs = None if polygons is None else polygons.crs
        self._parts = () if polygons is None else polygons.parts or (("", polygons.polygons),)
        self._by_name = by_name and len(self._parts) > 1
        self._characters: dict[int, int] = {}
        self._index = QgsSpatialIndex()
        for number, (_, polygon) in enumerate(self._parts):
            self._index.addFeature(number, polygon.boundingBox())

    def of(
        self, layer: QgsRasterLayer, context: QgsCoordinateTransformContext
    ) -> tuple[Place, frozenset[int]]:
        """Where this scene is asked about, and which polygons these are.

        Raises OutsideError where no polygon touches it, PixelError.
        """
        whole = place_of_layer(layer)
        if self._crs is None:
            return whole, frozenset()
        footprint = carry(whole.polygons, whole.crs, self._crs, context)
        near = self._index.intersects(footprint.boundingBox())
        touched = frozenset(number for number in near if self._parts[number][1].intersects(footprint))
        if not touched:
            raise OutsideError(tr('"{layer}" lies outside the polygons.').format(layer=layer.name()))
        chosen = [self._parts[number] for number in sorted(touched)]
        polygons = QgsGeometry.unaryUnion([polygon for _, polygon in chosen])
        return Place(polygons, self._crs, parts=tuple(chosen) if self._by_name else ()), touched

    def together(self, touched: frozenset[int]) -> Area | None:
        """One area for several scenes of one job: these polygons. Each scene is asked about what of them it shows."""
        if self._crs is None:
            return None
        numbers = sorted(touched)
        if not self._by_name:
            union = QgsGeometry.unaryUnion([self._parts[number][1] for number in numbers])
            return Area(geojson(union), wkt_of(self._crs))
        features = [feature(*self._parts[number]) for number in numbers]
        return Area({"type": "FeatureCollection", "features": features}, wkt_of(self._crs), NAME_FIELD)

    def characters(self, touched: frozenset[int]) -> int:
        """About how many these polygons take in a request."""
        return sum(map(self._characters_of, touched))

    def _characters_of(self, number: int) -> int:
        if number not in self._characters:
            self._characters[number] = len(json.dumps(geojson(self._parts[number][1]))) + 100
        return self._characters[number]

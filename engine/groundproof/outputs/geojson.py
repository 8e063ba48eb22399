"""Evidence as GeoJSON (RFC 7946), for the web and for a quick look.

Knows the rules of the RFC: longitude and latitude on WGS 84, counter-clockwise exteriors, cut at the
antimeridian, no `crs` member. Tiles and scenes are left to GeoPackage and GeoParquet.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from pyproj import CRS

from groundproof.errors import OutputError
from groundproof.georeference import split_antimeridian
from groundproof.outputs import jsontext
from groundproof.outputs.arrow import stream
from groundproof.outputs.files import replacing
from groundproof.projecting import transformer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import geopandas as gpd
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from groundproof.tables import Tables

CRS84 = CRS.from_authority("OGC", "CRS84")
DECIMALS = 8
"""About a millimetre; the RFC asks for no more than the data hold."""


def write_geojson(tables: Tables, path: Path) -> None:
    """Writes a FeatureCollection of the evidence. Arrays in properties are JSON text, as in GeoPackage.

    A feature's `id` is "A1/E1" (answer, evidence). The foreign member `groundproof` holds `answers` (all
    columns as plain JSON, the AOI as a GeoJSON geometry) and `metadata`.

    Raises:
        OutputError: the result is in pixel space, which has no longitude; or see `files.replacing`.
    """
    if tables.crs is None:
        raise OutputError(
            f"{path.name} cannot be written: GeoJSON is in longitude and latitude, this result in pixels. "
            "Choose .gpkg or .parquet, or give the scene's coordinate system with --scene-crs."
        )
    replaced: Counter[str] = Counter()
    gsd = finest_gsd(tables)
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        file.write('{"type":"FeatureCollection","features":[\n')
        for i, feature in enumerate(_features(tables, gsd, replaced)):
            file.write((",\n" if i else "") + jsontext.dumps(feature))
        file.write('\n],\n"groundproof":{"answers":[')
        for i, answer in enumerate(_answers(tables, gsd)):
            file.write(("," if i else "") + jsontext.dumps(answer))
        metadata = dict(tables.metadata) | ({"replaced_characters": dict(replaced)} if replaced else {})
        file.write('],"metadata":' + jsontext.dumps(metadata) + "}}\n")


def _features(tables: Tables, gsd: float, replaced: Counter[str]) -> Iterator[dict[str, Any]]:
    for batch in stream(tables, "evidence", lists=False, replaced=replaced):
        wkb = batch["geometry"].to_numpy(zero_copy_only=False)
        shapes = in_degrees(shapely.from_wkb(wkb), tables.crs, gsd)
        for properties, shape in zip(batch.drop_columns(["geometry"]).to_pylist(), shapes, strict=True):
            if properties["reviewed_at"] is not None:
                properties["reviewed_at"] = properties["reviewed_at"].strftime("%Y-%m-%dT%H:%M:%SZ")
            yield {
                "type": "Feature",
                "id": f"{properties['answer_id']}/{properties['evidence_id']}",
                "geometry": _geometry(shape),
                "properties": properties,
            }


def _answers(tables: Tables, gsd: float) -> Iterator[dict[str, Any]]:
    for frame in tables.frames("answers"):
        rows = frame.drop(columns="geometry").to_dict("records")
        for row, shape in zip(rows, degrees(frame, gsd), strict=True):
            whole = shapely.MultiPolygon([shape]) if isinstance(shape, shapely.Polygon) else shape
            yield {name: _or_none(value) for name, value in row.items()} | {"geometry": _geometry(whole)}


def _or_none(value: Any) -> Any:
    return None if isinstance(value, float) and value != value else value


def _geometry(shape: BaseGeometry | None) -> dict[str, Any] | None:
    return None if shape is None or shape.is_empty else dict(shapely.geometry.mapping(shape))


def degrees(frame: gpd.GeoDataFrame, gsd: float) -> NDArray[np.object_]:
    """The geometries of a frame as by `in_degrees`."""
    return in_degrees(np.asarray(frame.geometry.array, dtype=object), frame.crs, gsd)


def in_degrees(shapes: NDArray[np.object_], crs: CRS | None, gsd: float) -> NDArray[np.object_]:
    """Geometries in CRS84, bent edges kept, cut at the antimeridian, rounded, counter-clockwise.

    crs: theirs; not pixel space, which has no degrees (ValueError). gsd: metres per pixel; edges stay within a
    tenth of one.
    """
    if not len(shapes):
        return shapes
    if crs is None:
        raise ValueError("pixel space has no longitude and latitude")
    if crs.is_projected:
        step = _longest_straight_m(gsd) / crs.axis_info[0].unit_conversion_factor
        shapes = shapely.segmentize(shapes, step)
    to_crs84 = transformer(crs, CRS84)
    shapes = shapely.transform(shapes, lambda xy: np.column_stack(to_crs84.transform(*xy.T)))
    bounds = shapely.bounds(shapes).reshape(-1, 4)
    if crs.is_projected:
        # Nothing on a projected map is wider than half the world: it crosses the antimeridian.
        around = np.flatnonzero(bounds[:, 2] - bounds[:, 0] > 180.0)
        for i in around:
            shapes[i] = shapely.transform(shapes[i], _eastward)
        bounds[around] = shapely.bounds(shapes[around])
    for i in np.flatnonzero((bounds[:, 0] < -180.0) | (bounds[:, 2] > 180.0)):
        shapes[i] = split_antimeridian(shapes[i])
    rounded = shapely.transform(shapes, lambda xy: np.round(xy, DECIMALS))
    return np.asarray(shapely.orient_polygons(rounded), dtype=object)


def _eastward(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.column_stack([np.where(xy[:, 0] < 0.0, xy[:, 0] + 360.0, xy[:, 0]), xy[:, 1]])


def finest_gsd(tables: Tables) -> float:
    """Metres per pixel of the sharpest scene; 1 when none is known."""
    scenes = tables.frames("scenes")
    known = (float(g) for frame in scenes for g in frame["gsd_m"] if g is not None and g == g and g > 0)
    return min(known, default=1.0)


def _longest_straight_m(gsd: float) -> float:
    """The longest edge that stays within a tenth of a pixel when drawn straight in degrees.

    A 10 km edge of a UTM zone sags 2.7 m and sag grows with the square of the length; a factor of two is
    kept in hand for high latitudes.
    """
    return 5_000.0 * float(np.sqrt(0.1 * gsd / 2.7))

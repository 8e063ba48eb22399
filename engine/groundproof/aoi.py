"""The part of a scene asked about, in the scene's pixels.

Knows bboxes, vector files and their CRSs. Refuses to know tiles and pixels' values. Every AOI ends as a
polygon clipped to the scene; edges are followed when they bend between CRSs, never corners alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import geopandas as gpd
import numpy as np
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError
from pyproj.exceptions import CRSError, ProjError
from shapely.errors import ShapelyError
from shapely.geometry import MultiPolygon, Polygon, box

from groundproof.aoi_text import is_written_out, looks_like_bbox, written_out
from groundproof.errors import AoiError, OutsideError
from groundproof.georeference import Georeferencer
from groundproof.placement import label, parse_crs

if TYPE_CHECKING:
    from pyproj import CRS
    from shapely.geometry.base import BaseGeometry

    from groundproof.boxes import Grid

MIN_AREA_PX2 = 1e-6
"""Slivers left by clipping are not areas."""


@dataclass(frozen=True, slots=True, eq=False)
class Aoi:
    """One area of interest, clipped to the scene.

    name: "" for an AOI without one, else the feature's field value, unique. polygon_px: polygon or
    multipolygon in scene pixels, continuous corners. polygon: the same in the scene's CRS; in pixel
    space (col, -row).
    """

    name: str
    polygon_px: Polygon | MultiPolygon
    polygon: Polygon | MultiPolygon


@dataclass(frozen=True, slots=True)
class AoiSelection:
    """What was asked for. aois: at least one. notes: sentences for the user, such as parcels left out."""

    aois: tuple[Aoi, ...]
    notes: tuple[str, ...] = ()


def resolve_aois(grid: Grid, text: str | None, field: str | None = None) -> AoiSelection:
    """AOIs from what a person typed.

    text: None for the whole scene; "x0,y0,x1,y1" in the scene's CRS (pixels in pixel space) or
    "x0,y0,x1,y1,EPSG:4326"; a polygon as GeoJSON or WKT (`aoi_text.written_out`); else a vector file,
    "FILE|layername=NAME" for one of its layers.
    field: one AOI per feature, named by this field; None: all features together are one AOI.

    Raises:
        AoiError: wrong numbers, unreadable or empty file, no CRS, no such field, outside the scene.
        UsageError: a CRS that PROJ does not know.
    """
    if text is None or not text.strip():
        if field is not None:
            raise AoiError("--aoi-field names a field of a vector file. Give the file with --aoi FILE.")
        return AoiSelection((whole_scene(grid),))
    if is_written_out(text):
        if field is not None:
            raise AoiError("--aoi-field needs a vector file, but --aoi is one written-out polygon.")
        return from_shape(grid, *written_out(text))
    numbers = _as_bbox(text)
    if numbers is not None:
        if field is not None:
            raise AoiError(f'--aoi-field needs a vector file, but --aoi is the bbox "{text}".')
        return from_bbox(grid, *numbers)
    return from_file(grid, text, field)


def whole_scene(grid: Grid) -> Aoi:
    """All of a scene."""
    return _finished(grid, "", box(0, 0, grid.width, grid.height))


def from_bbox(grid: Grid, bounds: tuple[float, float, float, float], crs: CRS | None = None) -> AoiSelection:
    """An AOI from x0, y0, x1, y1 in `crs`, x first (longitude before latitude); None: the scene's CRS.

    In pixel space bounds are columns and rows. In degrees x0 > x1 crosses the antimeridian; elsewhere
    corners may come in any order.

    Raises:
        AoiError: numbers not finite, no area, outside the scene, a CRS in pixel space.
    """
    x0, y0, x1, y1 = bounds
    shown = ",".join(f"{v:.12g}" for v in bounds)
    if not np.isfinite(bounds).all():
        raise AoiError(f'the bbox "{shown}" holds numbers that are not finite. Give x0,y0,x1,y1.')
    if grid.is_pixel_space:
        if crs is not None:
            raise AoiError("a bbox with a CRS does not fit pixel space. Give x0,y0,x1,y1 in pixels.")
    elif crs is None:
        crs = grid.crs
    if crs is not None and crs.is_geographic and x0 > x1:
        x1 += 360.0
    shape = box(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
    if shape.area == 0:
        raise AoiError(f'the bbox "{shown}" has no area. Give x0,y0,x1,y1 with x0 < x1 and y0 < y1.')
    aoi, cut = _place(grid, "", shape, crs)
    if aoi is None:
        raise OutsideError(_outside(grid, "the bbox", shape, crs))
    return AoiSelection((aoi,), _cut_note(cut, "The bbox"))


def from_shape(grid: Grid, shape: BaseGeometry, crs: CRS | None = None) -> AoiSelection:
    """An AOI from the polygons of a geometry in `crs`, x first; None: the scene's CRS.

    In pixel space coordinates are columns and rows.

    Raises:
        AoiError: no polygon with an area, not finite, outside the scene, a CRS in pixel space.
    """
    if grid.is_pixel_space:
        if crs is not None:
            raise AoiError("a polygon with a CRS does not fit pixel space. Give WKT in pixels, without SRID.")
    elif crs is None:
        crs = grid.crs
    if not np.isfinite(shapely.get_coordinates(shape)).all():
        raise AoiError("the polygon of --aoi holds numbers that are not finite. Give all corners as x y.")
    polygon = _polygons_of(shapely.force_2d(shape))
    if polygon is None:
        raise AoiError(f"--aoi is a {shape.geom_type} without an area. Give a Polygon or MultiPolygon.")
    aoi, cut = _place(grid, "", polygon, crs)
    if aoi is None:
        raise OutsideError(_outside(grid, "the polygon", polygon, crs))
    return AoiSelection((aoi,), _cut_note(cut, "The polygon"))


def from_file(grid: Grid, source: str, field: str | None = None) -> AoiSelection:
    """AOIs from the polygons of a vector file; lines and points in it are left out.

    In pixel space the file must have no CRS and hold x = column, y = -row, as QGIS shows such images.

    Raises:
        AoiError: see `resolve_aois`.
    """
    frame = _read(source, field)
    name = Path(source.partition("|")[0]).name
    crs = _crs_of(frame, grid, name)
    polygons = [_polygons_of(g) for g in frame.geometry]
    kept = [i for i, p in enumerate(polygons) if p is not None]
    if not kept:
        raise AoiError(f"{name} holds {len(frame)} features but no polygon with an area. Give polygons.")
    shapes: list[BaseGeometry] = [p for p in polygons if p is not None]
    if grid.is_pixel_space:
        shapes = [shapely.transform(s, lambda xy: xy * (1.0, -1.0)) for s in shapes]
    if field is None:
        whole = shapely.union_all(shapes)
        aoi, cut = _place(grid, "", whole, crs)
        if aoi is None:
            raise OutsideError(_outside(grid, name, whole, crs))
        return AoiSelection((aoi,), _cut_note(cut, name))
    names = _names([frame[field].iloc[i] for i in kept], kept)
    aois: list[Aoi] = []
    outside: list[str] = []
    partly: list[str] = []
    for label_, shape in zip(names, shapes, strict=True):
        aoi, cut = _place(grid, label_, shape, crs)
        if aoi is None:
            outside.append(label_)
        else:
            aois.append(aoi)
            if cut:
                partly.append(label_)
    if not aois:
        raise OutsideError(_outside(grid, name, shapely.union_all(shapes), crs))
    notes = []
    if outside:
        notes.append(
            f"{len(outside)} of {len(shapes)} features of {name} lie outside the scene: {_few(outside)}."
        )
    if partly:
        notes.append(
            f"{len(partly)} features of {name} reach past the scene; "
            f"only the part inside counts: {_few(partly)}."
        )
    if len(frame) > len(shapes):
        notes.append(f"{len(frame) - len(shapes)} features of {name} are no polygons and were left out.")
    return AoiSelection(tuple(aois), tuple(notes))


def _as_bbox(text: str) -> tuple[tuple[float, float, float, float], CRS | None] | None:
    """The bbox a text means; None when it rather is a file's name."""
    if not looks_like_bbox(text) or Path(text.partition("|")[0]).exists():
        return None
    parts = [p.strip() for p in text.split(",", 4)]
    try:
        numbers = [float(p) for p in parts[:4]]
    except ValueError:
        numbers = []
    if len(numbers) != 4:
        raise AoiError(
            f'--aoi "{text}" is not a bbox: four numbers x0,y0,x1,y1 are needed, then maybe a CRS.'
        )
    crs = parse_crs(parts[4], "the CRS of --aoi") if len(parts) == 5 else None
    return (numbers[0], numbers[1], numbers[2], numbers[3]), crs


def _read(source: str, field: str | None) -> gpd.GeoDataFrame:
    path, _, rest = source.partition("|")
    layer = rest.removeprefix("layername=") or None
    if "://" not in path and not path.startswith("/vsi") and not Path(path).exists():
        raise AoiError(
            f"--aoi {source} is neither a file that is there nor a bbox. "
            "Give a vector file, or x0,y0,x1,y1 or x0,y0,x1,y1,EPSG:4326."
        )
    try:
        info = pyogrio.read_info(path, layer=layer)
        fields = list(info["fields"])
        if field is not None and field not in fields:
            has = ", ".join(fields) if fields else "no fields"
            raise AoiError(f'{Path(path).name} has no field "{field}". It has: {has}.')
        frame = pyogrio.read_dataframe(
            path, layer=layer, columns=[] if field is None else [field], force_2d=True
        )
    except (DataSourceError, DataLayerError, CRSError, ShapelyError, ValueError, OSError) as err:
        raise AoiError(
            f"{Path(path).name} cannot be read as a vector file: {str(err).rstrip('.')}. "
            "Give a GeoPackage, GeoJSON, Shapefile or another format that GDAL reads."
        ) from err
    if not isinstance(frame, gpd.GeoDataFrame) or len(frame) == 0:
        raise AoiError(f"{Path(path).name} holds no features with a geometry. Give a file with polygons.")
    return frame


def _crs_of(frame: gpd.GeoDataFrame, grid: Grid, name: str) -> CRS | None:
    crs: CRS | None = frame.crs
    if grid.is_pixel_space:
        if crs is not None:
            raise AoiError(
                f"{name} lies in {label(crs)}, but the scene is in pixel space. Give a bbox in pixels, "
                "or polygons without a CRS drawn on the image (y = -row)."
            )
        return None
    if crs is None:
        raise AoiError(f"{name} has no coordinate reference system. Set one in the file, then ask again.")
    return crs


def _polygons_of(geometry: BaseGeometry | None) -> Polygon | MultiPolygon | None:
    """The polygons inside any geometry, mended; None when there is none with an area."""
    if geometry is None or geometry.is_empty:
        return None
    if not shapely.is_valid(geometry):
        geometry = shapely.make_valid(geometry)
    parts = [p for p in _parts(geometry) if p.area > 0]
    return cast("Polygon | MultiPolygon", shapely.union_all(parts)) if parts else None


def _parts(geometry: BaseGeometry) -> list[Polygon]:
    if isinstance(geometry, Polygon):
        return [geometry]
    return [p for g in getattr(geometry, "geoms", ()) for p in _parts(g)]


def _names(values: list[object], features: list[int]) -> list[str]:
    """Names from field values, unique: a second "7" becomes "7 (2)"; without a value "feature 12"."""
    seen: dict[str, int] = {}
    names = []
    for value, number in zip(values, features, strict=True):
        missing = value is None or value != value or str(value).strip() in ("", "<NA>", "NaT")
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        base = f"feature {number + 1}" if missing else str(value).strip()
        seen[base] = seen.get(base, 0) + 1
        names.append(base if seen[base] == 1 else f"{base} ({seen[base]})")
    return names


def _place(grid: Grid, name: str, shape: BaseGeometry, crs: CRS | None) -> tuple[Aoi | None, bool]:
    """The AOI inside the scene, None when nothing is; and whether some of it lay outside."""
    if grid.is_pixel_space:
        in_pixels: BaseGeometry | None = shape
    else:
        try:
            in_pixels = Georeferencer(grid).geometry_to_pixels(shape, crs)
        except ProjError:
            in_pixels = None
    if in_pixels is None or in_pixels.is_empty:
        return None, True
    mended = _polygons_of(in_pixels)
    if mended is None:
        return None, True
    inside = _polygons_of(mended.intersection(box(0, 0, grid.width, grid.height)))
    if inside is None or inside.area < MIN_AREA_PX2:
        return None, True
    cut = inside.area < mended.area * (1 - 1e-9) - MIN_AREA_PX2
    return _finished(grid, name, inside), cut


def _finished(grid: Grid, name: str, polygon_px: Polygon | MultiPolygon) -> Aoi:
    on_map = Georeferencer(grid).geometry_from_pixels(polygon_px)
    if on_map is None:
        raise AoiError("the area of interest has no place on the map: parts of the scene lie off the globe.")
    return Aoi(name, polygon_px, on_map)


def _cut_note(cut: bool, what: str) -> tuple[str, ...]:
    return (f"{what} reaches past the scene; only the part inside is looked at.",) if cut else ()


def _few(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _outside(grid: Grid, what: str, shape: BaseGeometry, crs: CRS | None) -> str:
    """Both extents, in the AOI's own CRS where the scene has a place in it."""
    asked = _extent(shape.bounds)
    if grid.is_pixel_space or crs is None:
        size = f"{grid.width},{grid.height}"
        return f"{what} covers {asked} px, the scene 0,0 to {size}. Give a part of the scene."
    footprint = Georeferencer(grid, crs).footprint()
    if footprint is not None:
        return (
            f"{what} covers {asked} in {label(crs)}, but the scene covers {_extent(footprint.bounds)}. "
            "Give a part of the scene, or check the CRS of the numbers."
        )
    assert grid.crs is not None  # noqa: S101 - not pixel space
    own = Georeferencer(grid).footprint()
    where = "" if own is None else f" {_extent(own.bounds)}"
    return (
        f"{what} covers {asked} in {label(crs)}, but the scene covers{where} in {label(grid.crs)}. "
        "Give a part of the scene, or check the CRS of the numbers."
    )


def _extent(bounds: tuple[float, float, float, float]) -> str:
    x0, y0, x1, y1 = bounds
    return f"{x0:.8g},{y0:.8g} to {x1:.8g},{y1:.8g}"

"""Pixels to the map against GDAL, shapely and pyproj.Geod: real rasters and any affine."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS, Geod
from rasterio._err import CPLE_BaseError
from rasterio.control import GroundControlPoint as RasterioPoint
from rasterio.transform import GCPTransformer
from rasterio.transform import xy as gdal_xy
from rasterio.warp import transform as gdal_transform
from rasterio.warp import transform_geom
from shapely.affinity import translate
from shapely.geometry import Point, Polygon, box, mapping, shape

from groundproof.boxes import Grid, GroundControlPoint, PixelBox, PixelBoxes, Window
from groundproof.errors import SceneError
from groundproof.georeference import Georeferencer, corners, gsd_m, split_antimeridian

if TYPE_CHECKING:
    from pathlib import Path

WGS84 = CRS.from_epsg(4326)
MERCATOR = CRS.from_epsg(3857)
UTM60 = CRS.from_epsg(32660)
UTM31 = CRS.from_epsg(32631)


def grid_of(path: Path) -> Grid | None:
    with rasterio.open(path) as source:
        points, points_crs = source.gcps
        if points:
            crs = CRS.from_wkt(points_crs.to_wkt())
            gcps = tuple(GroundControlPoint(p.col, p.row, p.x, p.y) for p in points)
            return Grid(source.width, source.height, crs, gcps=gcps)
        if source.crs is None:
            return None
        return Grid(source.width, source.height, CRS.from_wkt(source.crs.to_wkt()), source.transform)


def rasters(data_dir: Path) -> list[tuple[str, Grid]]:
    found = sorted((data_dir / "rasters").glob("*.tif*"))
    grids = [(path.name, grid_of(path)) for path in found]
    assert sum(g is not None for _, g in grids) >= 22
    return [(name, grid) for name, grid in grids if grid is not None]


def random_boxes(grid: Grid, count: int = 40, largest: float = 1.0, turned: bool = True) -> PixelBoxes:
    rng = np.random.default_rng(grid.width)
    size = np.array([grid.width, grid.height])
    low = rng.uniform(0, 1, (count, 2)) * size * 0.9
    extent = np.maximum(rng.uniform(0, largest, (count, 2)) * (size - low), 0.5)
    angle = np.where(rng.random(count) < 0.3, rng.uniform(-90, 90, count), np.nan) if turned else np.nan
    return PixelBoxes(np.concatenate([low, low + extent], axis=1), np.broadcast_to(angle, (count,)).copy())


def gdal_points(grid: Grid, px: np.ndarray) -> np.ndarray:
    """GDAL's own pixel to map, (..., 2) corners."""
    rows, cols = px[..., 1].ravel(), px[..., 0].ravel()
    if grid.gcps:
        points = [RasterioPoint(row=g.row, col=g.col, x=g.x, y=g.y) for g in grid.gcps]
        with GCPTransformer(points) as fit:
            x, y = fit.xy(rows, cols, offset="ul")
    else:
        x, y = gdal_xy(grid.affine, rows, cols, offset="ul")
    return np.stack([x, y], axis=-1).reshape(px.shape)


def gdal_project(source: CRS, target: CRS, points: np.ndarray) -> np.ndarray:
    """GDAL's own reprojection of points (n, 2); all NaN when one of them has no place there."""
    try:
        return np.stack(gdal_transform(source.to_wkt(), target.to_wkt(), *points.T), axis=1)
    except CPLE_BaseError:
        return np.full(points.shape, np.nan)


def edge_path(px: np.ndarray, parts: int) -> np.ndarray:
    """A box's corners (4, 2) to its outline as many pixel points, made without the engine."""
    after = np.roll(px, -1, axis=0)
    return np.concatenate(
        [
            a + np.linspace(0, 1, parts, endpoint=False)[:, None] * (b - a)
            for a, b in zip(px, after, strict=True)
        ]
    )


def test_boxes_of_every_raster_lie_where_gdal_puts_them(data_dir):
    for name, grid in rasters(data_dir):
        boxes = random_boxes(grid)
        px = corners(boxes)
        polygons = Georeferencer(grid).polygons(boxes)
        oracle = gdal_points(grid, px)
        pixel = np.linalg.norm(oracle[:, 1] - oracle[:, 0], axis=1) / np.linalg.norm(
            px[:, 1] - px[:, 0], axis=1
        )
        for polygon, ring, unit in zip(polygons, oracle, pixel, strict=True):
            assert polygon.is_valid, name
            assert polygon.exterior.is_ccw, name
            miss = [min(np.hypot(x - a, y - b) for x, y in polygon.exterior.coords) for a, b in ring]
            assert max(miss) <= 0.001 * unit, name


def test_windows_of_every_raster_lie_where_gdal_puts_them(data_dir):
    for name, grid in rasters(data_dir):
        window = Window(grid.width // 3, grid.height // 4, grid.width, grid.height)
        polygon = Georeferencer(grid).polygon_of_window(window)
        px = np.array(
            [
                [window.x0, window.y0],
                [grid.width, window.y0],
                [grid.width, grid.height],
                [window.x0, grid.height],
            ]
        )
        outline = Polygon(gdal_points(grid, edge_path(px.astype(float), 16)))
        unit = np.sqrt(outline.area / box(*px.min(0), *px.max(0)).area)
        assert polygon.hausdorff_distance(outline) <= 0.1 * unit, name


@pytest.mark.parametrize("target", [WGS84, MERCATOR], ids=["4326", "3857"])
def test_reprojected_boxes_of_every_raster_follow_gdals_edges_to_a_tenth_of_a_pixel(data_dir, target):
    for name, grid in rasters(data_dir):
        boxes = random_boxes(grid, 12)
        georeferencer = Georeferencer(grid, target)
        for polygon, px in zip(georeferencer.polygons(boxes), corners(boxes), strict=True):
            path = gdal_points(grid, edge_path(px, 40))
            there = gdal_project(grid.crs, target, path)
            if polygon is None or not np.isfinite(there).all():
                assert polygon is None, name
                assert not np.isfinite(there).all(), name
                continue
            period = 360.0 if target is WGS84 else 2 * np.pi * 6378137.0
            there[:, 0] = np.unwrap(there[:, 0], period=period)
            middle = (polygon.bounds[0] + polygon.bounds[2]) / 2
            there[:, 0] += period * round((middle - (there[:, 0].min() + there[:, 0].max()) / 2) / period)
            # What a tenth of a pixel is there: along the shorter of the two pixel axes, per edge.
            step = np.linalg.norm(np.diff(there, axis=0, append=there[:1]), axis=1)
            step /= np.linalg.norm(np.diff(edge_path(px, 40), axis=0, append=edge_path(px, 40)[:1]), axis=1)
            ring = shapely.linearrings(np.array(polygon.exterior.coords))
            assert shapely.distance(shapely.points(there), ring).max() <= 0.1 * step.max(), name


def test_points_go_to_the_map_and_back_on_every_raster(data_dir):
    for name, grid in rasters(data_dir):
        georeferencer = Georeferencer(grid)
        px = corners(random_boxes(grid, turned=False)).reshape(-1, 2)
        col, row = georeferencer.to_pixels(*georeferencer.to_map_points(px[:, 0], px[:, 1]))
        # GDAL's inverse of control points is a second fit: as near as the fit itself.
        allowed = 1e-6 if georeferencer.gcp_residual_px is None else 2.0
        assert np.abs(np.stack([col, row], axis=1) - px).max() <= allowed, name


def test_control_points_of_a_real_raster_fit_to_about_a_pixel_and_have_the_residual_gdal_has(data_dir):
    grid = dict(rasters(data_dir))["rio-tiler__cog_gcps.tif"]
    residual = Georeferencer(grid).gcp_residual_px
    given = np.array([(g.col, g.row) for g in grid.gcps])
    there = np.array([(g.x, g.y) for g in grid.gcps])
    fitted = gdal_points(grid, given)
    geod = Geod(ellps="WGS84")
    metres = geod.inv(*there.T, *fitted.T)[2]
    assert residual == pytest.approx(np.sqrt((metres**2).mean()) / gsd_m(grid), rel=0.1)


finite = st.floats(-1, 1)


@st.composite
def affines(draw) -> Affine:
    """Rotated, sheared, mirrored, anisotropic; pixels of 1 mm to 1 km."""
    size = 10.0 ** draw(st.floats(-3, 3))
    return (
        Affine.translation(500_000 + draw(finite) * 1e5, 5_000_000 + draw(finite) * 1e6)
        * Affine.rotation(draw(st.floats(-180, 180)))
        * Affine.shear(draw(st.floats(-60, 60)), 0)
        * Affine.scale(size, size * draw(st.floats(0.2, 5)) * draw(st.sampled_from([-1, 1])))
    )


@settings(max_examples=150, deadline=None)
@given(affines(), st.integers(0, 2**16))
def test_any_affine_puts_boxes_where_gdal_does_and_takes_them_back(affine, seed):
    grid = Grid(3000, 2000, UTM31, affine)
    rng = np.random.default_rng(seed)
    low = rng.uniform(0, 1500, (5, 2))
    boxes = PixelBoxes(np.hstack([low, low + rng.uniform(0.5, 400, (5, 2))]), np.array([np.nan] * 4 + [33.0]))
    georeferencer = Georeferencer(grid)
    px = corners(boxes)
    oracle = gdal_points(grid, px)
    for polygon, ring, pixels in zip(georeferencer.polygons(boxes), oracle, px, strict=True):
        assert polygon.exterior.is_ccw
        assert len(polygon.exterior.coords) == 5
        np.testing.assert_allclose(polygon.exterior.coords[0], ring[0], rtol=1e-12)
        assert {tuple(np.round(c, 6)) for c in polygon.exterior.coords} == {
            tuple(np.round(c, 6)) for c in ring
        }
        assert polygon.area == pytest.approx(Polygon(pixels).area * abs(affine.determinant), rel=1e-3)
    col, row = georeferencer.to_pixels(oracle[..., 0], oracle[..., 1])
    np.testing.assert_allclose(np.stack([col, row], axis=-1), px, atol=2e-5 + 1e-8 / abs(affine.determinant))


def test_a_box_on_a_grid_turned_by_20_degrees_is_not_its_two_corner_box():
    affine = Affine.translation(5e5, 5e6) * Affine.rotation(20) * Affine.scale(1, -1)
    grid = Grid(1000, 1000, UTM31, affine)
    got = Georeferencer(grid).polygons(PixelBoxes.of([PixelBox(100, 100, 200, 200)]))[0]
    truth = Polygon([affine * c for c in ((100, 100), (200, 100), (200, 200), (100, 200))])

    def iou(a, b):
        return a.intersection(b).area / a.union(b).area

    (ax, ay), (bx, by) = affine * (100, 100), affine * (200, 200)
    two_corners = box(min(ax, bx), min(ay, by), max(ax, bx), max(ay, by))
    assert iou(got, truth) > 0.999999
    assert iou(two_corners, truth) < 0.6


def test_pixel_space_is_y_down_mirrored_and_has_no_sizes():
    grid = Grid(100, 50)
    georeferencer = Georeferencer(grid)
    boxes = PixelBoxes.of([PixelBox(1, 2, 4, 8)])
    assert georeferencer.polygons(boxes)[0].bounds == (1, -8, 4, -2)
    assert georeferencer.polygons(boxes)[0].exterior.is_ccw
    assert all(np.isnan(column).all() for column in georeferencer.sizes(boxes))
    assert gsd_m(grid) is None
    assert georeferencer.footprint().bounds == (0, -50, 100, 0)
    with pytest.raises(SceneError, match="pixel space"):
        Georeferencer(grid, WGS84)


def test_a_long_edge_gets_vertices_where_a_short_one_does_not():
    grid = Grid(100_000, 100_000, UTM31, Affine(1, 0, 4e5, 0, -1, 6e6))
    small, large = Georeferencer(grid, WGS84).polygons(
        PixelBoxes.of([PixelBox(10, 10, 60, 60), PixelBox(0, 0, 100_000, 100_000)])
    )
    assert len(small.exterior.coords) == 5
    assert len(large.exterior.coords) > 100
    # 100 km sag by some 280 m: the corners alone would miss this far.
    x, y = gdal_transform(UTM31.to_wkt(), "EPSG:4326", [450_000.0], [6e6])
    degree = 111_320.0
    assert large.exterior.distance(Point(x[0], y[0])) * degree < 0.11


def test_a_polygon_through_gdals_transform_geom_is_ours():
    grid = Grid(20_000, 20_000, UTM31, Affine(1, 0, 4e5, 0, -1, 6e6))
    aoi = box(4.02e5, 5.985e6, 4.15e5, 5.995e6).segmentize(50.0)
    oracle = shape(transform_geom(UTM31.to_wkt(), "EPSG:4326", mapping(aoi)))
    ours = Georeferencer(grid, WGS84).transform_polygon(box(*aoi.bounds), UTM31)
    assert ours.hausdorff_distance(oracle) * 111_320 < 25.5, "the oracle has a vertex every 50 m"
    assert ours.symmetric_difference(oracle).area / oracle.area < 1e-5


def test_an_aoi_in_degrees_comes_back_from_pixels_where_it_was():
    grid = Grid(20_000, 20_000, UTM31, Affine(1, 0, 4e5, 0, -1, 6e6))
    georeferencer = Georeferencer(grid, WGS84)
    aoi = Polygon(
        [(1.6, 54.05), (1.75, 54.02), (1.7, 54.12)], [[(1.67, 54.05), (1.69, 54.05), (1.68, 54.07)]]
    )
    pixels = georeferencer.geometry_to_pixels(aoi, WGS84)
    back = georeferencer.geometry_from_pixels(pixels)
    assert len(back.interiors) == 1
    assert back.symmetric_difference(aoi).area / aoi.area < 1e-4


def test_an_aoi_of_the_whole_world_is_cut_near_the_scene_before_it_is_projected():
    grid = Grid(2000, 1000, UTM31, Affine(10, 0, 4e5, 0, -10, 6e6))
    pixels = Georeferencer(grid).geometry_to_pixels(box(-180, -90, 180, 90), WGS84)
    assert pixels.covers(box(0, 0, 2000, 1000))


def test_an_aoi_meets_a_scene_whose_longitudes_run_from_0_to_360():
    grid = Grid(3600, 1800, WGS84, Affine(0.1, 0, 0, 0, -0.1, 90))
    pixels = Georeferencer(grid).geometry_to_pixels(box(-75, 40, -74, 41), WGS84)
    np.testing.assert_allclose(pixels.bounds, (2850, 490, 2860, 500), atol=1e-6)


def test_a_box_over_the_antimeridian_is_continuous_and_splits_in_two_for_geojson():
    grid = Grid(20_000, 20_000, UTM60, Affine(10, 0, 6e5, 0, -10, 5.8e6))
    whole = Georeferencer(grid, WGS84).footprint()
    assert whole.bounds[2] - whole.bounds[0] < 5
    parts = split_antimeridian(whole)
    assert len(parts.geoms) == 2
    assert all(-180 <= p.bounds[0] <= p.bounds[2] <= 180 and p.exterior.is_ccw for p in parts.geoms)
    assert parts.area == pytest.approx(whole.area)
    assert Georeferencer(grid, MERCATOR).footprint().area < 1e12


def test_splitting_leaves_alone_what_does_not_cross_and_puts_back_what_lies_wholly_beyond():
    inside = box(-180, -90, 180, 90)
    assert split_antimeridian(inside) is inside
    assert split_antimeridian(box(181, 0, 182, 1)).equals(box(-179, 0, -178, 1))
    holed = Polygon(box(170, 0, 190, 10).exterior.coords, [box(178, 4, 182, 6).exterior.coords])
    assert split_antimeridian(holed).area == pytest.approx(holed.area)


def test_a_scene_over_the_pole_becomes_a_polygon_that_reaches_the_pole():
    polar = CRS.from_epsg(3413)
    grid = Grid(1000, 1000, polar, Affine(1000, 0, -5e5, 0, -1000, 5e5))
    polygon = Georeferencer(grid, WGS84).footprint()
    assert polygon.is_valid
    assert polygon.bounds[3] == 90
    parts = split_antimeridian(polygon)
    lon, lat = gdal_transform(polar.to_wkt(), "EPSG:4326", [1e4, -3e5, 2e5, -6e5], [1e4, 2e5, -4e5, 0])
    assert [parts.covers(Point(p)) for p in zip(lon, lat, strict=True)] == [True, True, True, False]


def test_a_place_off_the_earth_is_none_and_its_sizes_are_nan(data_dir):
    grid = dict(rasters(data_dir))["rio-cogeo__image_geos.tif"]
    georeferencer = Georeferencer(grid, WGS84)
    boxes = PixelBoxes.of([PixelBox(0, 0, 5, 5), PixelBox(440, 540, 450, 560)])
    off, on = georeferencer.polygons(boxes)
    assert off is None
    assert on.is_valid
    area, width, height = georeferencer.sizes(boxes)
    assert np.isnan([area[0], width[0], height[0]]).all()
    assert np.isfinite([area[1], width[1], height[1]]).all()


def test_sizes_of_every_raster_are_those_of_geod(data_dir):
    for name, grid in rasters(data_dir):
        boxes = random_boxes(grid, 20, largest=0.3)
        area, width, height = Georeferencer(grid).sizes(boxes)
        geod = grid.crs.get_geod()
        geodetic = grid.crs.geodetic_crs
        for i, px in enumerate(corners(boxes)):
            path = gdal_points(grid, edge_path(px, 50))
            lonlat = gdal_project(grid.crs, geodetic, path)
            if not np.isfinite(lonlat).all():
                continue
            expected = abs(geod.polygon_area_perimeter(*lonlat.T)[0])
            # Geod's area of a polygon of 200 vertices is itself only good to some 1e-4 m2.
            assert area[i] == pytest.approx(expected, rel=1e-4, abs=3e-4), name
            ring = np.vstack([lonlat, lonlat[:1]])
            sides = [geod.line_length(*ring[k : k + 51].T) for k in range(0, 200, 50)]
            assert width[i] == pytest.approx((sides[0] + sides[2]) / 2, rel=1e-4), name
            assert height[i] == pytest.approx((sides[1] + sides[3]) / 2, rel=1e-4), name
            if area[i] < 100 and np.isnan(boxes.angle_deg[i]):
                assert area[i] == pytest.approx(width[i] * height[i], rel=1e-4), name


@settings(max_examples=100, deadline=None)
@given(st.floats(-89.9, 89.9), st.floats(-180, 180), st.floats(0, 4.5), st.floats(0.2, 5), st.floats(0, 90))
def test_sizes_in_degrees_hold_to_one_in_ten_thousand_at_every_latitude(lat, lon, log_size, aspect, angle):
    size = 10**log_size / 111_320
    grid = Grid(10, 10, WGS84, Affine(size / 10, 0, lon, 0, -size / 10 * aspect, lat))
    boxes = PixelBoxes.of([PixelBox(2, 2, 8, 8, angle)])
    path = gdal_points(grid, edge_path(corners(boxes)[0], 50))
    if np.abs(path[:, 1]).max() > 89.95:
        return
    # Geod's own sum over 200 tiny edges is off by some 4e-4 m2 (seen on a box of a quarter square metre).
    geod = Geod(ellps="WGS84")
    assert Georeferencer(grid).sizes(boxes)[0][0] == pytest.approx(
        abs(geod.polygon_area_perimeter(*path.T)[0]), rel=1e-4, abs=1e-3
    )


@pytest.mark.parametrize("code", [4326, 3857, 32631, 2056, 28992, 3413, 2154, 27572])
def test_sizes_hold_to_one_in_ten_thousand_up_to_ten_kilometres_and_beyond(code):
    crs = CRS.from_epsg(code)
    geodetic = crs.geodetic_crs
    degree = np.degrees(geodetic.axis_info[0].unit_conversion_factor)
    west, south, east, north = crs.area_of_use.bounds
    lon, lat = west + 0.4 * (east - west), south + 0.6 * (north - south)
    x, y = gdal_project(WGS84, crs, np.array([[lon, lat]]))[0]
    metre = 1 / 111_320 if crs.is_geographic else 1.0
    grid = Grid(20_000, 20_000, crs, Affine(2 * metre, 0, x, 0, -2 * metre, y))
    rng = np.random.default_rng(code)
    side = 10 ** rng.uniform(0.5, 4, 30)
    boxes = PixelBoxes(np.stack([0 * side, 0 * side, side, side * 0.7], axis=1), np.full(30, 12.0))
    area = Georeferencer(grid).sizes(boxes)[0]
    for i, px in enumerate(corners(boxes)):
        lonlat = gdal_project(crs, geodetic, gdal_points(grid, edge_path(px, 50))) * degree
        expected = abs(crs.get_geod().polygon_area_perimeter(*lonlat.T)[0])
        assert area[i] == pytest.approx(expected, rel=1e-4, abs=3e-4)


def test_the_ground_sampling_distance_is_geodesic():
    lat = 52.0
    y = 6378137.0 * np.log(np.tan(np.pi / 4 + np.radians(lat) / 2))
    grid = Grid(100, 100, MERCATOR, Affine(1, 0, -50, 0, -1, y + 50))
    # Web Mercator's metre is short by the cosine (on the sphere; the ellipsoid differs by 0.3 %).
    assert gsd_m(grid) == pytest.approx(np.cos(np.radians(lat)), rel=0.005)
    degrees = Grid(100, 100, WGS84, Affine(1e-5, 0, 0, 0, -1e-5, 60))
    x = Geod(ellps="WGS84").inv(0, 60, 1e-5, 60)[2]
    y = Geod(ellps="WGS84").inv(0, 60, 0, 60 + 1e-5)[2]
    assert gsd_m(degrees) == pytest.approx(np.sqrt(x * y), rel=1e-4)
    assert gsd_m(Grid(10, 10, WGS84, Affine(1, 0, 0, 0, -1, 50)), 5, 0) == pytest.approx(
        gsd_m(degrees) * 1e5, rel=0.2
    )


def test_the_operation_and_its_accuracy_are_stated():
    inside = Georeferencer(Grid(10, 10, UTM31, Affine(1, 0, 5e5, 0, -1, 5e6)))
    assert inside.accuracy == {"operation": "none", "accuracy_m": 0.0, "ballpark": False, "missing_grids": []}
    dutch = Georeferencer(Grid(10, 10, CRS.from_epsg(28992), Affine(1, 0, 155_000, 0, -1, 463_000)), WGS84)
    assert "Amersfoort to WGS 84" in dutch.accuracy["operation"]
    assert dutch.accuracy["accuracy_m"] == 1.0
    assert not dutch.accuracy["ballpark"]
    sphere = CRS.from_proj4("+proj=laea +lat_0=50 +lon_0=10 +R=6370000 +type=crs")
    unknown = Georeferencer(Grid(10, 10, sphere, Affine(1, 0, 0, 0, -1, 0)), WGS84)
    assert unknown.accuracy["ballpark"]
    assert unknown.accuracy["accuracy_m"] is None


def test_a_missing_grid_that_would_be_better_is_named():
    naip = Georeferencer(Grid(10, 10, CRS.from_epsg(26914), Affine(5, 0, 485_900, 0, -5, 5.2e6)), WGS84)
    if naip.accuracy["accuracy_m"] is not None and naip.accuracy["accuracy_m"] < 2:
        pytest.skip("this machine has the grid")
    assert naip.accuracy["missing_grids"]


@pytest.mark.parametrize(
    "affine", [Affine(0, 0, 1, 0, 0, 1), Affine(1, 1, 0, 1, 1, 0), Affine(float("nan"), 0, 0, 0, 1, 0)]
)
def test_an_affine_that_gives_pixels_no_place_is_refused_in_words(affine):
    with pytest.raises(SceneError, match="--pixel-space"):
        Georeferencer(Grid(10, 10, UTM31, affine))


def test_too_few_control_points_or_all_on_a_line_are_refused_in_words():
    two = tuple(GroundControlPoint(i, i, 3 + i / 100, 50 + i / 100) for i in range(2))
    line = tuple(GroundControlPoint(i, i, 3 + i / 100, 50 + i / 100) for i in range(8))
    for gcps in (two, line):
        with pytest.raises(SceneError, match="ground control points"):
            Georeferencer(Grid(10, 10, WGS84, gcps=gcps))


def test_nothing_gives_nothing():
    georeferencer = Georeferencer(Grid(10, 10, UTM31, Affine(1, 0, 5e5, 0, -1, 5e6)), WGS84)
    empty = PixelBoxes.of([])
    assert georeferencer.polygons(empty).shape == (0,)
    assert [len(column) for column in georeferencer.sizes(empty)] == [0, 0, 0]


def test_a_georeferencer_travels_to_another_process(data_dir):
    for name, grid in rasters(data_dir):
        georeferencer = Georeferencer(grid, WGS84)
        copy = pickle.loads(pickle.dumps(georeferencer))  # noqa: S301 - our own bytes
        boxes = random_boxes(grid, 3)
        for one, other in zip(georeferencer.polygons(boxes), copy.polygons(boxes), strict=True):
            assert (one is None and other is None) or one.equals_exact(other, 0), name


def test_moving_a_scene_by_whole_pixels_moves_its_boxes_by_them():
    grid = Grid(100, 100, UTM31, Affine(2, 0, 5e5, 0, -2, 5e6))
    one, other = Georeferencer(grid).polygons(PixelBoxes.of([PixelBox(0, 0, 5, 5), PixelBox(10, 20, 15, 25)]))
    assert other.equals_exact(translate(one, 20, -40), 1e-9)

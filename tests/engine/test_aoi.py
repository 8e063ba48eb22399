"""AOIs end as polygons in scene pixels: pyproj point by point is the oracle."""

from __future__ import annotations

import json

import geopandas as gpd
import numpy as np
import pytest
import shapely
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS, Transformer
from shapely.geometry import GeometryCollection, LineString, MultiPolygon, Point, Polygon, box, mapping

from groundproof.aoi import resolve_aois
from groundproof.boxes import Grid
from groundproof.errors import AoiError, UsageError

UTM = CRS("EPSG:32631")
NORTH_UP = Affine(0.5, 0, 500_000, 0, -0.5, 5_600_000)
GRID = Grid(2000, 1000, UTM, NORTH_UP)
PIXELS = Grid(2000, 1000)


def only(grid: Grid, text: str | None, field: str | None = None):
    (aoi,) = resolve_aois(grid, text, field).aois
    return aoi


def same(one, other, tolerance: float = 0.0) -> bool:
    return one.symmetric_difference(other).area <= tolerance


def vector(path, shapes, crs="EPSG:32631", **fields) -> str:
    gpd.GeoDataFrame(fields, geometry=shapes, crs=crs).to_file(path)
    return str(path)


def test_without_an_aoi_it_is_the_whole_scene() -> None:
    aoi = only(GRID, None)
    assert same(aoi.polygon_px, box(0, 0, 2000, 1000))
    assert same(aoi.polygon, box(500_000, 5_599_500, 501_000, 5_600_000))


def test_a_bbox_without_crs_is_in_the_scenes_own() -> None:
    aoi = only(GRID, "500100,5599700,500200,5599900")
    assert same(aoi.polygon_px, box(200, 200, 400, 600), 1e-6)
    assert same(aoi.polygon, box(500_100, 5_599_700, 500_200, 5_599_900), 1e-6)


def test_a_bbox_in_pixel_space_is_in_pixels() -> None:
    aoi = only(PIXELS, " 10, 20 ,110, 220 ")
    assert same(aoi.polygon_px, box(10, 20, 110, 220))
    assert same(aoi.polygon, box(10, -220, 110, -20))
    with pytest.raises(AoiError, match="in pixels"):
        resolve_aois(PIXELS, "1,1,9,9,EPSG:4326")


@given(st.floats(0, 360), st.floats(-0.5, 0.5), st.sampled_from([1, -1]))
@settings(max_examples=60, deadline=None)
def test_a_bbox_in_degrees_follows_bent_edges_on_any_grid(turn, shear, flip) -> None:
    affine = (
        Affine.translation(500_000, 5_600_000) @ Affine.rotation(turn) @ Affine.shear(np.degrees(shear), 0)
        @ Affine.scale(30, 30 * flip) @ Affine.translation(-2500, -2500)
    )  # fmt: skip
    grid = Grid(5000, 5000, UTM, affine)
    west, south, east, north = 2.7, 50.3, 3.4, 50.7
    aoi = only(grid, f"{west},{south},{east},{north},EPSG:4326")
    to_utm = Transformer.from_crs(4326, UTM, always_xy=True)
    t = np.linspace(0, 1, 401)
    lon = np.r_[west + t * (east - west), np.full(401, east), east - t * (east - west), np.full(401, west)]
    lat = np.r_[
        np.full(401, south), south + t * (north - south), np.full(401, north), north - t * (north - south)
    ]
    col, row = ~affine @ np.array(to_utm.transform(lon, lat))
    dense = Polygon(np.column_stack([col, row])).intersection(box(0, 0, 5000, 5000))
    assert shapely.hausdorff_distance(aoi.polygon_px.exterior, dense.exterior) < 0.2


def test_an_aoi_reaching_past_the_scene_is_clipped_and_said_so() -> None:
    selection = resolve_aois(GRID, "499000,5599000,500500,5601000")
    assert same(selection.aois[0].polygon_px, box(0, 0, 1000, 1000), 1e-6)
    assert any("past the scene" in note for note in selection.notes)
    assert resolve_aois(GRID, "500100,5599700,500200,5599900").notes == ()


def test_an_aoi_of_half_the_world_is_clipped_to_the_scene() -> None:
    aoi = only(GRID, "-170,-80,170,80,EPSG:4326")
    assert same(aoi.polygon_px, box(0, 0, 2000, 1000), 1.0)


def test_an_aoi_outside_names_both_extents() -> None:
    with pytest.raises(
        AoiError, match=r"10,60 to 11,61 in EPSG:4326, but the scene covers 3,50\.5.* to 3\.01"
    ):
        resolve_aois(GRID, "10,60,11,61,EPSG:4326")
    with pytest.raises(AoiError, match=r"3000,0 to 4000,100 px, the scene 0,0 to 2000,1000"):
        resolve_aois(PIXELS, "3000,0,4000,100")


def test_a_bbox_may_cross_the_antimeridian() -> None:
    utm60 = CRS("EPSG:32660")
    x, y = Transformer.from_crs(4326, utm60, always_xy=True).transform(179.9, 10.0)
    grid = Grid(4000, 1000, utm60, Affine(10, 0, x, 0, -10, y))
    aoi = only(grid, "179.95,9.92,-179.95,9.98,EPSG:4326")
    west, south, east, north = aoi.polygon_px.bounds
    left, _ = ~grid.affine @ np.array(
        Transformer.from_crs(4326, utm60, always_xy=True).transform(179.95, 9.95)
    )
    assert west == pytest.approx(left, abs=15)
    assert east - west == pytest.approx(0.1 * 111_320 * np.cos(np.radians(9.95)) / 10, rel=0.02)
    assert 0 < south < north < 1000


@pytest.mark.parametrize("text", ["1,2,3", "1,2,3,x", "1,2,nan,4", "inf,0,1,1", "5,5,5,9"])
def test_wrong_numbers_are_refused(text) -> None:
    with pytest.raises(AoiError, match="bbox"):
        resolve_aois(GRID, text)


def test_an_unknown_crs_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="EPSG:999999"):
        resolve_aois(GRID, "1,2,3,4,EPSG:999999")


def test_all_polygons_of_a_file_are_one_aoi(tmp_path) -> None:
    shapes = [box(500_100, 5_599_700, 500_200, 5_599_900), box(500_150, 5_599_700, 500_300, 5_599_900)]
    aoi = only(GRID, vector(tmp_path / "a.gpkg", shapes))
    assert aoi.name == ""
    assert same(aoi.polygon_px, box(200, 200, 600, 600), 1e-6)


def test_a_file_in_another_crs_lands_on_the_same_pixels(tmp_path) -> None:
    parcel = Polygon([(500_100, 5_599_700), (500_900, 5_599_750), (500_400, 5_599_900)])
    frame = gpd.GeoDataFrame(geometry=[parcel], crs=UTM)
    frame.to_crs("EPSG:3857").to_file(tmp_path / "b.geojson")
    aoi = only(GRID, str(tmp_path / "b.geojson"))
    assert same(aoi.polygon, parcel, parcel.area * 1e-4)


def test_a_field_gives_one_named_aoi_per_feature(tmp_path) -> None:
    shapes = [box(500_000 + 100 * i, 5_599_700, 500_050 + 100 * i, 5_599_900) for i in range(4)]
    shapes.append(box(0, 0, 10, 10))
    path = vector(tmp_path / "a.gpkg", shapes, parcel=["A", "A", None, "C", "far"])
    selection = resolve_aois(GRID, path, "parcel")
    assert [a.name for a in selection.aois] == ["A", "A (2)", "feature 3", "C"]
    assert any("far" in note and "1 of 5" in note for note in selection.notes)


def test_numbers_as_names_have_no_decimals(tmp_path) -> None:
    shapes = [box(500_100, 5_599_700, 500_200, 5_599_900)] * 2
    path = vector(tmp_path / "a.gpkg", shapes, parcel=[7, None])
    assert [a.name for a in resolve_aois(GRID, path, "parcel").aois] == ["7", "feature 2"]


def test_a_missing_field_is_refused_with_the_fields_there_are(tmp_path) -> None:
    path = vector(tmp_path / "a.gpkg", [box(500_100, 5_599_700, 500_200, 5_599_900)], name=["x"], code=[1])
    with pytest.raises(AoiError, match=r'no field "parcel"\. It has: name, code'):
        resolve_aois(GRID, path, "parcel")
    for text in (None, "500100,5599700,500200,5599900"):
        with pytest.raises(AoiError, match="--aoi-field"):
            resolve_aois(GRID, text, "parcel")


def test_files_that_cannot_be_areas_are_refused(tmp_path) -> None:
    text = tmp_path / "text.gpkg"
    text.write_text("not a vector file")
    points = vector(tmp_path / "points.gpkg", [Point(500_100, 5_599_800)])
    lines = vector(tmp_path / "lines.gpkg", [LineString([(500_100, 5_599_800), (500_200, 5_599_800)])])
    nowhere = vector(tmp_path / "nowhere.gpkg", [box(500_100, 5_599_700, 500_200, 5_599_900)], crs=None)
    for path, words in (
        (str(tmp_path / "none.gpkg"), "neither a file that is there nor a bbox"),
        (str(text), "text.gpkg cannot be read as a vector file"),
        (points, "no polygon"),
        (lines, "no polygon"),
        (nowhere, "no coordinate reference system"),
    ):
        with pytest.raises(AoiError, match=words):
            resolve_aois(GRID, path)


def test_bow_ties_holes_and_parts_survive(tmp_path) -> None:
    bow_tie = Polygon(
        [(500_100, 5_599_700), (500_200, 5_599_800), (500_200, 5_599_700), (500_100, 5_599_800)]
    )
    ring = box(500_300, 5_599_600, 500_500, 5_599_900) - box(500_350, 5_599_700, 500_400, 5_599_800)
    aoi = only(GRID, vector(tmp_path / "a.gpkg", [bow_tie, ring]))
    assert aoi.polygon_px.area == pytest.approx((5000 + 200 * 300 - 50 * 100) * 4)


def test_a_layer_of_a_file_is_named_as_in_qgis(tmp_path) -> None:
    path = tmp_path / "a.gpkg"
    for i, layer in enumerate(("north", "south")):
        shape = box(500_100, 5_599_600 + 100 * i, 500_200, 5_599_700 + 100 * i)
        gpd.GeoDataFrame(geometry=[shape], crs=UTM).to_file(path, layer=layer)
    assert same(
        only(GRID, f"{path}|layername=south").polygon, box(500_100, 5_599_700, 500_200, 5_599_800), 1e-6
    )
    with pytest.raises(AoiError, match="cannot be read"):
        resolve_aois(GRID, f"{path}|layername=west")


def test_in_pixel_space_polygons_without_crs_are_drawn_on_the_image(tmp_path) -> None:
    path = vector(tmp_path / "a.gpkg", [box(10, -220, 110, -20)], crs=None)
    assert same(only(PIXELS, path).polygon_px, box(10, 20, 110, 220))
    with pytest.raises(AoiError, match="pixel space"):
        resolve_aois(PIXELS, vector(tmp_path / "b.gpkg", [box(10, -220, 110, -20)]))


def test_a_file_whose_name_begins_with_numbers_is_a_file(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    vector(tmp_path / "12,parcels.gpkg", [box(500_100, 5_599_700, 500_200, 5_599_900)])
    assert same(only(GRID, "12,parcels.gpkg").polygon_px, box(200, 200, 400, 600), 1e-6)


TRIANGLE = Polygon([(500_100, 5_599_600), (500_900, 5_599_700), (500_400, 5_599_900)])


@pytest.mark.parametrize(
    "text",
    [
        TRIANGLE.wkt,
        f"SRID=32631;{TRIANGLE.wkt}",
        f"srid=32631; {MultiPolygon([TRIANGLE]).wkt}",
        shapely.to_wkt(shapely.force_3d(TRIANGLE, 7.0)),
        GeometryCollection([TRIANGLE, Point(500_200, 5_599_800)]).wkt,
    ],
)
def test_a_polygon_written_as_wkt_is_the_polygon_of_a_file(tmp_path, text) -> None:
    expected = only(GRID, vector(tmp_path / "a.gpkg", [TRIANGLE])).polygon_px
    assert same(only(GRID, text).polygon_px, expected, 1e-6)


def test_geojson_is_in_longitudes_and_latitudes(tmp_path) -> None:
    degrees = gpd.GeoSeries([TRIANGLE], crs=UTM).to_crs(4326)
    expected = only(GRID, vector(tmp_path / "a.gpkg", list(degrees), crs="EPSG:4326")).polygon_px
    for text in (
        shapely.to_geojson(degrees.iloc[0]),
        json.dumps({"type": "Feature", "properties": {}, "geometry": mapping(degrees.iloc[0])}, indent=1),
    ):
        assert same(only(GRID, text).polygon_px, expected, 1e-3)


def test_wkt_in_pixel_space_is_in_columns_and_rows() -> None:
    drawn = Polygon([(10, 20), (110, 20), (60, 90)])
    assert same(only(PIXELS, drawn.wkt).polygon_px, drawn)
    with pytest.raises(AoiError, match="does not fit pixel space"):
        resolve_aois(PIXELS, shapely.to_geojson(drawn))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "cannot be read as GeoJSON"),
        ('{"type": "Feature", "geometry": null}', "cannot be read as GeoJSON"),
        ('{"type": "Polygon", "coordinates": 7}', "cannot be read as GeoJSON"),
        ("POLYGON((0 0, 1 1", "cannot be read as WKT"),
        ("POLYGON EMPTY", "without an area"),
        ("LINESTRING(500100 5599600, 500900 5599700)", "LineString without an area"),
        ("POLYGON((inf 0, 1 1, 0 1, inf 0))", "not finite"),
        (
            "POLYGON((0 0, 1 0, 1 1, 0 0))",
            "the polygon covers 0,0 to 1,1 in EPSG:32631, but the scene covers",
        ),
    ],
)
def test_written_polygons_that_are_no_areas_are_refused(text, said) -> None:
    with pytest.raises(AoiError, match=said):
        resolve_aois(GRID, text)


def test_an_unknown_srid_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="EPSG:999999"):
        resolve_aois(GRID, "SRID=999999;POLYGON((0 0, 1 0, 1 1, 0 0))")


def test_a_field_needs_a_file_and_no_written_polygon() -> None:
    with pytest.raises(AoiError, match="--aoi-field needs a vector file"):
        resolve_aois(GRID, TRIANGLE.wkt, "name")


def test_a_file_whose_name_begins_like_wkt_is_a_file(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    vector(tmp_path / "polygon.gpkg", [TRIANGLE])
    vector(tmp_path / "polygon (2).gpkg", [TRIANGLE])
    for name in ("polygon.gpkg", "polygon (2).gpkg"):
        assert only(GRID, name).polygon_px.area > 0

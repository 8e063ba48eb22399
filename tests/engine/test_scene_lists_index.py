"""Raster tile indexes: gdaltindex writes them, pyogrio writes others, GDAL's GTI driver says what they mean."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import rasterio
from rasterio.transform import from_origin
from shapely.geometry import box

from groundproof.errors import TooLargeError, UsageError
from groundproof.scene_lists import find_scenes, tile_index

UTM = "EPSG:32631"


def raster(path: Path, column: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        path, "w", driver="GTiff", width=8, height=8, count=1, dtype="uint8", crs=UTM,
        transform=from_origin(500_000 + 8 * column, 5_600_000, 1, 1),
    ) as out:  # fmt: skip
        out.write(np.full((1, 8, 8), 10 + column, np.uint8))
    return path


def index(path: Path, *locations: object, field: str = "location", **options: object) -> Path:
    shapes = [box(500_000 + 8 * i, 5_599_992, 500_008 + 8 * i, 5_600_000) for i in range(len(locations))]
    frame = gpd.GeoDataFrame({"n": range(len(locations)), field: locations}, geometry=shapes, crs=UTM)
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        pyogrio.write_dataframe(frame, path, **options)
    return path


def paths(source: object) -> list[str]:
    return [scene.path for scene in find_scenes([str(source)]).scenes]


@pytest.mark.parametrize("suffix", [".shp", ".gpkg", ".fgb", ".geojson", ".gti.gpkg", ".gti.fgb"])
def test_what_gdaltindex_writes_is_read(tmp_path, suffix, monkeypatch) -> None:
    if shutil.which("gdaltindex") is None:
        pytest.skip("gdal-bin is not installed")
    for n, name in enumerate(("b", "a", "sub/c")):
        raster(tmp_path / f"{name}.tif", n)
    driver = {"shp": "ESRI Shapefile", "gpkg": "GPKG", "fgb": "FlatGeobuf", "geojson": "GeoJSON"}
    options = ["-f", driver[suffix.rpartition(".")[2]], "-lyr_name", "tiles"]
    monkeypatch.chdir(tmp_path)
    subprocess.run(["gdaltindex", *options, f"near{suffix}", "b.tif", "a.tif", "sub/c.tif"], check=True)
    (tmp_path / "away").mkdir()
    written = [str(tmp_path / f"{name}.tif") for name in ("b", "a", "sub/c")]
    subprocess.run(["gdaltindex", *options, f"away/far{suffix}", *written], check=True)
    assert paths(tmp_path / f"near{suffix}") == sorted(written)
    assert paths(tmp_path / "away" / f"far{suffix}") == sorted(written)
    for path in paths(tmp_path / f"near{suffix}"):
        with rasterio.open(path) as scene:
            assert scene.shape == (8, 8)


@pytest.mark.parametrize("suffix", [".shp", ".gpkg", ".fgb", ".geojson", ".parquet"])
@pytest.mark.parametrize("field", ["location", "LOCATION", "Location"])
def test_a_tile_index_of_any_format_is_relative_to_itself(tmp_path, suffix, field) -> None:
    there = [
        "z.tif",
        "sub/a.tif",
        "../b é.tif",
        "/data/c.tif",
        "https://example.org/d.tif",
        "/vsis3/bucket/e.tif",
        "z.tif",
    ]
    (tmp_path / "in").mkdir()
    place = index(tmp_path / "in" / f"i{suffix}", *there, field=field)
    absolute = ("/data", "https:", "/vsi")
    assert paths(place) == sorted(n if n.startswith(absolute) else f"{tmp_path}/in/{n}" for n in there)


def test_gdals_own_driver_finds_the_same_rasters(tmp_path) -> None:
    for n, name in enumerate(("b", "sub/a", "c")):
        raster(tmp_path / f"{name}.tif", n)
    place = index(tmp_path / "in.gti.gpkg", "b.tif", "sub/a.tif", "c.tif")
    with rasterio.open(place) as mosaic:
        assert mosaic.driver == "GTI"
        seen = mosaic.read(1)
        listed = [rasterio.open(path) for path in paths(place)]
        assert len(listed) == 3
        for scene in listed:
            with scene:
                row, col = mosaic.index(*(scene.transform @ (0.5, 0.5)))
                assert np.array_equal(seen[row : row + 8, col : col + 8], scene.read(1))


def test_the_metadata_of_gti_names_the_field_and_a_filter(tmp_path) -> None:
    for n, name in enumerate("abc"):
        raster(tmp_path / f"{name}.tif", n)
    meta = {"LOCATION_FIELD": "raster", "FILTER": "n <> 1"}
    place = index(tmp_path / "i.gti.gpkg", "a.tif", "b.tif", "c.tif", field="raster", layer_metadata=meta)
    assert paths(place) == [str(tmp_path / "a.tif"), str(tmp_path / "c.tif")]
    with rasterio.open(place) as mosaic:
        values = set(np.unique(mosaic.read(1)[:, :24])) - {0}
    assert values == {10, 12}
    wrong = index(tmp_path / "w.gpkg", "a.tif", layer_metadata={"LOCATION_FIELD": "gone"})
    with pytest.raises(UsageError, match=r'"gone" holds the rasters .*, but it has n and location'):
        find_scenes([str(wrong)])


def test_what_is_not_beside_the_index_is_looked_for_where_the_program_runs(tmp_path, monkeypatch) -> None:
    for n, name in ((0, "a"), (5, "b"), (1, "in/b")):
        raster(tmp_path / f"{name}.tif", n)
    place = index(tmp_path / "in" / "i.gti.gpkg", "a.tif", "b.tif", "gone.tif")
    monkeypatch.chdir(tmp_path)
    assert paths(place) == [str(tmp_path / "in" / "b.tif"), str(tmp_path / "in" / "gone.tif"), "a.tif"]
    with rasterio.open(index(tmp_path / "in" / "j.gti.gpkg", "a.tif", "b.tif")) as mosaic:
        assert set(np.unique(mosaic.read(1))) == {10, 11}  # a.tif and in/b.tif


def test_the_metadata_of_gti_names_the_layer(tmp_path) -> None:
    place = index(tmp_path / "i.gpkg", "a.tif", layer="one", dataset_metadata={"TILE_INDEX_LAYER": "two"})
    index(place, "b.tif", layer="two", append=True)
    assert paths(place) == [str(tmp_path / "b.tif")]
    assert paths(f"{place}|layername=one") == [str(tmp_path / "a.tif")]


def test_of_several_layers_the_one_with_the_field_is_read(tmp_path) -> None:
    place = index(tmp_path / "i.gpkg", "a.tif", layer="tiles")
    index(place, "x", field="name", layer="areas", append=True)
    assert paths(place) == [str(tmp_path / "a.tif")]
    index(place, "b.tif", layer="more", append=True)
    with pytest.raises(UsageError, match=r"holds 2 tile indexes. Name one: .*layername=tiles' .also more"):
        find_scenes([str(place)])
    assert paths(f"{place}|layername=more") == [str(tmp_path / "b.tif")]
    with pytest.raises(UsageError, match=r'no layer "less". It has: tiles, areas and more'):
        find_scenes([f"{place}|layername=less"])
    with pytest.raises(UsageError, match="lists no scenes"):
        find_scenes([f"{place}|layername=areas"])
    with pytest.raises(UsageError, match="only a tile index has layers"):
        find_scenes([f"{tmp_path / 'a.tif'}|layername=x"])


def test_a_geopackage_of_pixels_is_a_raster(tmp_path) -> None:
    pixels = np.full((3, 300, 300), 90, np.uint8)
    with rasterio.open(
        tmp_path / "r.gpkg", "w", driver="GPKG", width=300, height=300, count=3, dtype="uint8", crs=UTM,
        transform=from_origin(5e5, 56e5, 1, 1),
    ) as out:  # fmt: skip
        out.write(pixels)
    assert paths(tmp_path / "r.gpkg") == [str(tmp_path / "r.gpkg")]


def test_the_format_does_not_matter_to_what_a_geojson_is(tmp_path) -> None:
    place = index(tmp_path / "i.geojson", "a.tif", "b.tif")
    content = json.loads(place.read_text())
    assert paths(place) == [str(tmp_path / "a.tif"), str(tmp_path / "b.tif")]
    for feature in content["features"]:
        feature["assets"] = {"visual": {"href": "v.tif"}}
    place.write_text(json.dumps(content))
    assert paths(place) == [str(tmp_path / "v.tif")] * 2


@pytest.mark.parametrize("suffix", [".shp", ".gpkg", ".fgb", ".geojson", ".parquet"])
def test_polygons_without_the_field_are_areas(tmp_path, suffix) -> None:
    place = index(tmp_path / f"a{suffix}", "x", field="name")
    with pytest.raises(UsageError, match=r"n(, | and )name.* give it with --aoi"):
        find_scenes([str(place)])


@pytest.mark.parametrize("suffix", [".gpkg", ".fgb", ".geojson", ".parquet"])
def test_features_without_a_location_are_failed_scenes(tmp_path, suffix) -> None:
    place = index(tmp_path / f"i{suffix}", "b.tif", None, "")
    scenes = find_scenes([str(place)]).scenes
    assert [s.path for s in scenes if s.reason is None] == [str(tmp_path / "b.tif")]
    assert len({s.path for s in scenes if s.reason and s.path.startswith(f"{place}#")}) == 2
    assert all("is empty. Correct the tile index" in s.reason for s in scenes if s.reason)


@pytest.mark.parametrize("suffix", [".gpkg", ".fgb", ".parquet"])
def test_an_index_without_features_is_an_error(tmp_path, suffix) -> None:
    place = index(tmp_path / f"i{suffix}", "a.tif")
    if suffix == ".gpkg":
        with sqlite3.connect(place) as database:
            database.execute("DROP TRIGGER IF EXISTS rtree_i_geom_delete")
            database.execute("DELETE FROM i")
        database.close()
    else:
        empty = gpd.GeoDataFrame({"location": np.array([], dtype=object)}, geometry=[], crs=UTM)
        empty.to_parquet(place) if suffix == ".parquet" else empty.to_file(place)
    with pytest.raises(UsageError, match=r"has no features|lists no scenes"):
        find_scenes([str(place)])


@pytest.mark.parametrize("suffix", [".shp", ".gpkg", ".fgb", ".parquet"])
@pytest.mark.parametrize("content", [b"", b"no such format", b"SQLite format 3\0" + bytes(100)])
def test_damaged_files_are_refused(tmp_path, suffix, content) -> None:
    (tmp_path / f"d{suffix}").write_bytes(content)
    with pytest.raises(UsageError, match="cannot be read as"):
        find_scenes([str(tmp_path / f"d{suffix}")])


def test_stac_in_parquet_is_told_what_to_become(tmp_path) -> None:
    frame = gpd.GeoDataFrame(
        {"id": ["a"], "assets": [{"visual": {"href": "a.tif"}}]}, geometry=[box(0, 0, 1, 1)], crs=4326
    )
    frame.to_parquet(tmp_path / "s.parquet")
    with pytest.raises(UsageError, match=r"STAC GeoParquet .* as an ItemCollection"):
        find_scenes([str(tmp_path / "s.parquet")])


@pytest.mark.parametrize("suffix", [".gpkg", ".parquet"])
def test_indexes_are_bounded(tmp_path, monkeypatch, suffix) -> None:
    place = index(tmp_path / f"i{suffix}", "a.tif", "b.tif", "c.tif")
    monkeypatch.setattr("groundproof.scene_lists.listing.MAX_SCENES", 2)
    monkeypatch.setattr(tile_index, "MAX_SCENES", 2)
    with pytest.raises(TooLargeError, match="more than 2 scenes"):
        find_scenes([str(place)])

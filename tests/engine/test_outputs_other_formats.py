"""GeoParquet and GeoJSON, checked with readers that are not ours."""

from __future__ import annotations

import json

import geopandas as gpd
import numpy as np
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS, Transformer

from groundproof.errors import OutputError
from groundproof.outputs import write
from groundproof.outputs.jsontext import encode_alike, encode_free
from groundproof.tables import TABLES
from tests.engine import outputs_samples as samples


def test_parquet_is_read_by_geopandas_with_lists_as_lists(tmp_path):
    made = write(samples.result(4), tmp_path / "out.parquet")
    assert [p.name for p in made] == [
        "out.parquet",
        "out.answers.parquet",
        "out.tiles.parquet",
        "out.scenes.parquet",
    ]
    evidence = gpd.read_parquet(tmp_path / "out.parquet")
    assert evidence.crs == samples.UTM
    assert list(evidence["box_px"][1]) == [10.0, 4.5, 18.25, 11.0]
    assert list(evidence["tile_ids"][2]) == ["t2", "t9"]
    assert evidence["parents"][0][0]["tile_id"] == "t0"
    schema = pq.read_schema(tmp_path / "out.parquet")
    assert json.loads(schema.metadata[b"groundproof"]) == samples.METADATA
    assert json.loads(schema.metadata[b"geo"])["version"] == "1.1.0"
    answers = gpd.read_parquet(tmp_path / "out.answers.parquet")
    assert list(answers.geom_type) == ["MultiPolygon"]
    assert json.loads(answers["coverage"][0])["failed"] == 1


def test_parquet_covering_box_filters_rows(tmp_path):
    write(samples.result(50), tmp_path / "out.parquet")
    whole = gpd.read_parquet(tmp_path / "out.parquet")
    box = whole.geometry[20].bounds
    part = gpd.read_parquet(tmp_path / "out.parquet", bbox=box)
    assert 1 <= len(part) < len(whole)
    assert "E21" in set(part["evidence_id"])


@pytest.mark.parametrize("crs", [samples.UTM, None])
def test_empty_parquet_keeps_types(tmp_path, crs):
    made = write(samples.empty(crs), tmp_path / "out.parquet")
    for path, (name, columns) in zip(made, TABLES.items(), strict=True):
        frame = gpd.read_parquet(path)
        assert frame.crs == crs
        assert [c for c in frame.columns if c not in ("geometry", "bbox")] == [c.name for c in columns], name
    schema = pq.read_schema(made[0])
    assert str(schema.field("box_px").type).startswith("list<")


def test_geojson_follows_the_rfc(tmp_path):
    path = tmp_path / "out.geojson"
    write(samples.result(3), path)
    got = json.loads(path.read_text(encoding="utf-8"))
    assert got["type"] == "FeatureCollection"
    assert "crs" not in got
    to_degrees = Transformer.from_crs(samples.UTM, "OGC:CRS84", always_xy=True)
    for feature, sent in zip(got["features"], samples.result(3).evidence.geometry, strict=True):
        ring = np.array(feature["geometry"]["coordinates"][0])
        assert shapely.is_ccw(shapely.linearrings(ring))
        want = np.column_stack(to_degrees.transform(*np.array(sent.exterior.coords).T))
        assert {tuple(p) for p in ring.round(7)} == {tuple(p) for p in want.round(7)}
    assert got["features"][0]["id"] == "A1/E1"
    assert json.loads(got["features"][0]["properties"]["box_px"]) == [0, 0, 8.25, 6.5]
    assert got["groundproof"]["answers"][0]["value"] == 3
    assert got["groundproof"]["answers"][0]["geometry"]["type"] == "MultiPolygon"
    assert got["groundproof"]["metadata"] == samples.METADATA
    assert pyogrio.read_info(path)["features"] == 3


@pytest.mark.parametrize("crs", ["EPSG:32660", "EPSG:32701", "EPSG:4326", "EPSG:3832"])
def test_geojson_is_cut_at_the_antimeridian(tmp_path, crs):
    crs = CRS.from_user_input(crs)
    to_crs = Transformer.from_crs("OGC:CRS84", crs, always_xy=True)
    if crs.is_geographic:
        box = shapely.box(179.9, -10.1, 180.1, -10.0)
    else:
        west, south = to_crs.transform(179.95, 1.0)
        side = 20_000.0
        box = shapely.box(west, south, west + side, south + side)
    result = samples.result(crs=crs, evidence=[samples.evidence_row(0, geometry=box)], answers=[])
    write(result, tmp_path / "out.geojson")
    (feature,) = json.loads((tmp_path / "out.geojson").read_text(encoding="utf-8"))["features"]
    shape = shapely.geometry.shape(feature["geometry"])
    assert shape.geom_type == "MultiPolygon"
    assert shape.is_valid
    for part in shape.geoms:
        west, _, east, _ = part.bounds
        assert -180 <= west < east <= 180
        assert east - west < 1
        assert shapely.is_ccw(part.exterior)


def test_geojson_keeps_bent_edges_of_large_areas(tmp_path):
    side = 100_000
    area = shapely.box(200_000, 6_000_000, 200_000 + side, 6_000_000 + side)
    result = samples.result(answers=[samples.answer_row(geometry=area)])
    write(result, tmp_path / "out.geojson")
    got = json.loads((tmp_path / "out.geojson").read_text(encoding="utf-8"))
    shape = shapely.geometry.shape(got["groundproof"]["answers"][0]["geometry"])
    back = Transformer.from_crs("OGC:CRS84", samples.UTM, always_xy=True)
    # Points all along the edges drawn in degrees, back on the map: a tenth of a pixel (1 m) off at most.
    dense = shapely.segmentize(shape.geoms[0].exterior, 1e-4)
    x, y = back.transform(*np.array(dense.coords).T)
    assert shapely.distance(shapely.points(x, y), area.exterior).max() < 0.1


def test_geojson_of_pixels_is_refused_with_a_way_out(tmp_path):
    with pytest.raises(OutputError, match=r"Choose \.gpkg or \.parquet"):
        write(samples.result(crs=None), tmp_path / "out.geojson")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("make", ["empty", "hostile"])
def test_geojson_of_nothing_and_of_hostile_text_is_json(tmp_path, make):
    rows = [samples.evidence_row(i, quote=t) for i, t in enumerate(samples.HOSTILE)]
    result = samples.empty() if make == "empty" else samples.result(evidence=rows)
    write(result, tmp_path / "out.geojson")
    got = json.loads((tmp_path / "out.geojson").read_bytes().decode("utf-8", "strict"))
    assert len(got["features"]) == len(result.evidence)


NUMBERS = st.one_of(
    st.none(), st.lists(st.one_of(st.none(), st.floats(), st.integers(-(2**70), 2**70)), max_size=5)
)
WORDS = st.one_of(st.none(), st.lists(st.one_of(st.none(), st.text(max_size=6)), max_size=4))
DICTS = st.lists(st.fixed_dictionaries({"a": st.text(max_size=4), "b": st.lists(st.floats())}), max_size=3)
ANY = st.one_of(NUMBERS, WORDS, DICTS, st.booleans(), st.text(max_size=3))


@settings(max_examples=200, deadline=None)
@given(st.one_of(*(st.lists(kind, max_size=6) for kind in (NUMBERS, WORDS, DICTS, ANY))))
def test_the_fast_json_encoder_says_the_same_as_the_careful_one(values):
    fast, careful = encode_alike(values).to_pylist(), encode_free(values).to_pylist()
    assert [None if t is None else json.loads(t) for t in fast] == [
        None if t is None else json.loads(t) for t in careful
    ]

"""The GeoPackage is a contract: checked with GDAL (pyogrio) and sqlite3, never with our own reader alone."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyproj import CRS

from groundproof.errors import UsageError
from groundproof.outputs import read, write
from groundproof.outputs.styles import escaped, styles
from groundproof.outputs.text import clean
from groundproof.tables import TABLES, Result
from tests.engine import outputs_samples as samples

TYPES = {"str": "TEXT", "json": "TEXT", "int": "INTEGER", "float": "REAL", "time": "DATETIME"}
GEOMETRY = {"evidence": "POLYGON", "answers": "MULTIPOLYGON", "tiles": "POLYGON", "scenes": "POLYGON"}


def parse(qml: str) -> Element:
    return fromstring(qml)  # noqa: S314 (our own style)


def rows(path: Path, sql: str, *values: object) -> list[tuple]:
    with sqlite3.connect(path) as connection:
        return connection.execute(sql, values).fetchall()


@contextmanager
def editing(path: Path) -> Iterator[sqlite3.Connection]:
    """Without the spatial index's triggers, which need functions that only GDAL and QGIS register."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f'DROP TRIGGER "{name}"')
        yield connection


@pytest.mark.parametrize("make", [samples.result, samples.empty])
@pytest.mark.parametrize("crs", [samples.UTM, None])
def test_every_table_has_its_columns_types_geometry_and_spatial_index_even_when_empty(tmp_path, make, crs):
    path = tmp_path / "out.gpkg"
    write(make(crs=crs), path)
    for name, columns in TABLES.items():
        got = {r[1]: r[2] for r in rows(path, f"PRAGMA table_info({name})")}
        want = {"fid": "INTEGER", "geom": GEOMETRY[name]} | {c.name: TYPES[c.kind] for c in columns}
        assert got == want
        (geometry,) = rows(
            path, "SELECT geometry_type_name FROM gpkg_geometry_columns WHERE table_name = ?", name
        )
        assert geometry == (GEOMETRY[name],)
        assert rows(
            path,
            "SELECT 1 FROM gpkg_extensions WHERE table_name = ? AND extension_name = ?",
            name,
            "gpkg_rtree_index",
        )
        indexed = rows(path, f"SELECT count(*) FROM rtree_{name}_geom")  # noqa: S608 (a name of ours)
        assert indexed == [(len(getattr(make(crs=crs), name)),)]
    layers = {name for name, _ in pyogrio.list_layers(path)}
    assert set(TABLES) <= layers
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]
    assert rows(path, "PRAGMA foreign_key_check") == []


def test_gdal_reads_the_same_values_and_geometries(tmp_path):
    path = tmp_path / "out.gpkg"
    result = samples.result(5)
    write(result, path)
    got = gpd.read_file(path, layer="evidence")
    assert got.crs == samples.UTM
    assert shapely.equals(got.geometry.to_numpy(), result.evidence.geometry.to_numpy()).all()
    assert [json.loads(t) for t in got["box_px"]] == list(result.evidence["box_px"])
    assert [json.loads(t) for t in got["parents"]] == list(result.evidence["parents"])
    assert got["reviewed_at"].isna().all()
    answers = gpd.read_file(path, layer="answers")
    assert list(answers.geom_type) == ["MultiPolygon"]
    scenes = gpd.read_file(path, layer="scenes")
    assert scenes["datetime"][0] == pd.Timestamp("2026-05-04T10:20:30Z")
    # The first layer is what most tools open when none is named.
    assert pyogrio.list_layers(path)[0][0] == "evidence"


def test_styles_are_defaults_that_qgis_finds_and_are_wellformed(tmp_path):
    path = tmp_path / "out.gpkg"
    write(samples.empty(), path)
    for name in TABLES:
        # The query of QGIS itself (QgsOgrProviderMetadata::loadStyle).
        found = rows(
            path,
            "SELECT styleQML FROM layer_styles WHERE f_table_schema = '' AND f_table_name = ?"
            " AND f_geometry_column = 'geom' AND useAsDefault = 1",
            name,
        )
        assert len(found) == 1
        root = parse(found[0][0])
        assert root.tag == "qgis"
        assert root.find("renderer-v2/symbols/symbol") is not None
    assert rows(path, "SELECT data_type FROM gpkg_contents WHERE table_name = 'layer_styles'") == [
        ("attributes",)
    ]


def test_evidence_labels_stand_beside_objects_and_every_value_in_a_map_tip_is_escaped():
    for style in styles():
        root = parse(style.qml)
        tip = root.find("mapTip").text
        expressions = [part.split("%]")[0] for part in tip.split("[%")[1:]]
        assert expressions
        for expression in expressions:
            assert expression.strip().startswith(
                "replace(replace(replace(replace(replace(coalesce(to_string("
            )
    evidence = parse(next(s.qml for s in styles() if s.table == "evidence"))
    assert evidence.find(".//placement").get("placement") == "8"
    assert evidence.find(".//text-style").get("allowHtml") == "0"
    values = {c.get("value") for c in evidence.iter("category")}
    assert {"unchecked", "supported", "unsupported", "contradicted", "duplicate", "out-of-frame"} <= values


def test_the_escaping_expression_replaces_ampersands_first():
    # The expression's replace() calls, carried out as QGIS does: innermost first.
    text = '<b>&"x"</b>' + "'"
    pairs = [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#39;")]
    expression = escaped('"quote"')
    positions = [expression.index(entity) for _, entity in pairs]
    assert positions == sorted(positions)
    for raw, entity in pairs:
        text = text.replace(raw, entity)
    assert text == "&lt;b&gt;&amp;&quot;x&quot;&lt;/b&gt;&#39;"


def test_provenance_is_registered_as_the_standard_asks(tmp_path):
    path = tmp_path / "out.gpkg"
    write(samples.result(), path)
    ((scope, mime, text),) = rows(path, "SELECT md_scope, mime_type, metadata FROM gpkg_metadata")
    assert (scope, mime, json.loads(text)) == ("dataset", "application/json", samples.METADATA)
    assert rows(path, "SELECT reference_scope, md_file_id FROM gpkg_metadata_reference") == [
        ("geopackage", 1)
    ]
    registered = rows(path, "SELECT table_name FROM gpkg_extensions WHERE extension_name = 'gpkg_metadata'")
    assert sorted(registered) == [("gpkg_metadata",), ("gpkg_metadata_reference",)]
    # GDAL sees it too.
    assert samples.METADATA["prompt_version"] in str(
        pyogrio.read_info(path, layer="evidence")["dataset_metadata"]
    )


def test_pixel_space_is_undefined_cartesian_and_comes_back_without_a_crs(tmp_path):
    path = tmp_path / "out.gpkg"
    write(samples.result(crs=None), path)
    assert set(rows(path, "SELECT srs_id FROM gpkg_geometry_columns")) == {(-1,)}
    assert pyogrio.read_info(path, layer="evidence")["features"] == 3
    back = read(path)
    assert back.evidence.crs is None
    assert back.scenes["crs_wkt"][0] is None


CUSTOM = [
    "+proj=tmerc +lat_0=10 +lon_0=5.5 +k=0.9996 +x_0=100 +y_0=0 +ellps=GRS80 +units=m",
    "+proj=laea +lat_0=52 +lon_0=10 +x_0=4321000 +y_0=3210000 +ellps=bessel +units=us-ft",
    "+proj=ob_tran +o_proj=longlat +o_lon_p=-162 +o_lat_p=39.25 +lon_0=180",
]


@pytest.mark.parametrize("text", ["EPSG:4326", "EPSG:32719", "EPSG:2056", "ESRI:54009", "EPSG:7415", *CUSTOM])
def test_coordinate_systems_survive_with_and_without_a_code(tmp_path, text):
    crs = CRS.from_user_input(text)
    path = tmp_path / "out.gpkg"
    write(samples.result(crs=crs), path)
    back = read(path).evidence.crs
    assert back.equals(crs, ignore_axis_order=True)
    ((wkt2,),) = rows(
        path,
        "SELECT definition_12_063 FROM gpkg_spatial_ref_sys s JOIN gpkg_geometry_columns g"
        " ON s.srs_id = g.srs_id WHERE g.table_name = 'evidence'",
    )
    assert CRS.from_wkt(wkt2).name == crs.name or text.startswith("+")
    if not text.startswith("+"):
        assert ":".join(back.to_authority()) == text


def test_hostile_text_is_stored_and_changed_only_where_it_must(tmp_path):
    path = tmp_path / "out.gpkg"
    evidence = [samples.evidence_row(i, quote=t, label_raw=t, label=t) for i, t in enumerate(samples.HOSTILE)]
    tiles = [samples.tile_row(i, text=t) for i, t in enumerate(samples.HOSTILE)]
    answers = [samples.answer_row(answer=t, value=t, audit=[{"sentence": t}]) for t in samples.HOSTILE]
    write(samples.result(evidence=evidence, tiles=tiles, answers=answers), path)
    stored = gpd.read_file(path, layer="evidence")["quote"].tolist()
    assert stored == [clean(t) for t in samples.HOSTILE]
    assert [len(s) for s in stored] == [len(t) for t in samples.HOSTILE]
    back = read(path)
    assert back.tiles["text"].tolist() == [clean(t) for t in samples.HOSTILE]
    for value, sent in zip(back.answers["value"], samples.HOSTILE, strict=True):
        assert value.replace("\ufffd", "") == sent.replace("\ud800", "")
    changed = sum(clean(t) != t for t in samples.HOSTILE)
    assert back.metadata["replaced_characters"]["evidence.quote"] == changed


def test_numbers_that_json_cannot_hold_become_null(tmp_path):
    path = tmp_path / "out.gpkg"
    answers = [samples.answer_row(value=float("nan"), coverage={"valid_share": float("inf")})]
    evidence = [
        samples.evidence_row(
            0, area_m2=float("inf"), score=float("nan"), box_px=[0.0, 1.0, float("nan"), 2.0]
        )
    ]
    write(
        samples.result(evidence=evidence, answers=answers, metadata={"x": float("nan"), "p": Path("a")}), path
    )
    assert rows(path, "SELECT value, coverage FROM answers") == [(None, '{"valid_share":null}')]
    assert rows(path, "SELECT area_m2, score, box_px FROM evidence") == [(None, None, "[0,1,null,2]")]
    assert read(path).metadata == {"x": None, "p": "a"}


def test_a_result_that_an_analyst_edited_is_read_back(tmp_path):
    path = tmp_path / "out.gpkg"
    write(samples.result(2), path)
    with editing(path) as connection:
        connection.execute("ALTER TABLE evidence ADD COLUMN note TEXT")
        connection.execute("INSERT INTO evidence (evidence_id, review) VALUES ('E9', 'added')")
        connection.execute("UPDATE evidence SET review = 'accepted' WHERE evidence_id = 'E1'")
    back = read(path)
    last = back.evidence.iloc[-1]
    assert last["evidence_id"] == "E9"
    assert back.evidence["review"].tolist() == ["accepted", None, "added"]
    assert last["label"] is None
    assert last["box_px"] is None
    assert pd.isna(last["text_start"])
    assert last["geometry"] is None


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"not a database", "not a GeoPackage"), (None, "is not a file")],
)
def test_what_is_not_a_result_is_refused_in_words(tmp_path, content, words):
    path = tmp_path / "x.gpkg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=words):
        read(path)


def test_a_foreign_geopackage_and_broken_json_are_refused_in_words(tmp_path):
    foreign = tmp_path / "foreign.gpkg"
    gpd.GeoDataFrame({"a": [1]}, geometry=[shapely.box(0, 0, 1, 1)], crs=samples.UTM).to_file(foreign)
    with pytest.raises(UsageError, match="has no table evidence"):
        read(foreign)
    path = tmp_path / "out.gpkg"
    write(samples.result(), path)
    with editing(path) as connection:
        connection.execute("UPDATE answers SET coverage = '{oops'")
    with pytest.raises(UsageError, match="row 1: coverage is not JSON"):
        read(path)


def test_a_geometry_of_the_wrong_kind_is_a_bug_and_says_so(tmp_path):
    evidence = [samples.evidence_row(0, geometry=shapely.Point(0, 0))]
    with pytest.raises(ValueError, match="evidence: expected Polygon geometries, got a point"):
        write(samples.result(evidence=evidence), tmp_path / "out.gpkg")
    assert list(tmp_path.iterdir()) == []


TEXT = st.one_of(st.none(), st.text(max_size=30))
FLOAT = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False))
JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**53), 2**53),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=8),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
BOX = st.lists(st.floats(-1e6, 1e6), min_size=4, max_size=4)
EVIDENCE = st.lists(
    st.fixed_dictionaries(
        {
            "label": TEXT,
            "quote": TEXT,
            "image": st.integers(0, 3),
            "text_start": st.one_of(st.none(), st.integers(0, 10**6)),
            "score": FLOAT,
            "tile_ids": st.lists(st.text(max_size=6), max_size=3),
            "box_px": st.one_of(st.none(), BOX),
            "parents": st.lists(
                st.fixed_dictionaries(
                    {"tile_id": st.text(max_size=5), "number": st.integers(0, 99), "box_px": BOX}
                ),
                max_size=2,
            ),
        }
    ),
    max_size=5,
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(EVIDENCE, st.lists(JSON, max_size=4))
def test_what_is_written_is_read_back(tmp_path, evidence, values):
    path = tmp_path / "out.gpkg"
    sent = samples.result(
        evidence=[samples.evidence_row(i, **e) for i, e in enumerate(evidence)],
        answers=[samples.answer_row(value=v) for v in values],
    )
    write(sent, path)
    back = read(path)
    for name, columns in TABLES.items():
        one, other = getattr(sent, name), getattr(back, name)
        assert shapely.equals(one.geometry.to_numpy(), other.geometry.to_numpy()).all()
        for column in columns:
            for a, b in zip(one[column.name], other[column.name], strict=True):
                assert same(a, b, column.kind), (column.name, a, b)


def same(sent: object, got: object, kind: str) -> bool:
    if kind == "json":
        return cleaned(sent) == cleaned(got)
    if sent is None or sent != sent:
        return got is None or got is pd.NA or bool(np.isnan(got))
    return got == (clean(sent) if isinstance(sent, str) else sent)


def cleaned(value: object) -> object:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [cleaned(v) for v in value]
    if isinstance(value, dict):
        return {clean(k): cleaned(v) for k, v in value.items()}
    return value


def test_a_written_result_can_be_written_again(tmp_path):
    write(samples.result(), tmp_path / "a.gpkg")
    first = read(tmp_path / "a.gpkg")
    write(first, tmp_path / "b.gpkg")
    second = read(tmp_path / "b.gpkg")
    assert isinstance(second, Result)
    for name in TABLES:
        pd.testing.assert_frame_equal(pd.DataFrame(getattr(first, name)), pd.DataFrame(getattr(second, name)))
    assert first.metadata == second.metadata

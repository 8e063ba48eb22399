"""How the query of a collection's items is read, and which rows it finds. Oracle: shapely, row by row."""

from __future__ import annotations

import json
from contextlib import suppress

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS

from groundproof.errors import ParameterError
from groundproof.service.ogc.crs_names import StoredCrs
from groundproof.service.ogc.item_queries import items_query
from groundproof.service.ogc.layers import FILTERS, Layer, Selection
from tests.service.feature_samples import EPSG, result_of, rotated

UTM = CRS.from_epsg(32631)
LAYER = Layer(result_of(rotated(60, UTM), UTM), "evidence")
IN_DEGREES = shapely.from_geojson(
    [json.dumps(f["geometry"]) for f in LAYER.features(np.arange(60), stored=False)]
)
STORED = LAYER.frame.geometry.to_numpy()


@given(
    st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)),
    st.booleans(),
    st.booleans(),
)
def test_a_bbox_finds_what_touches_it_and_nothing_else(
    part: tuple[float, float, float, float], stored: bool, heights: bool
) -> None:
    shapes = STORED if stored else IN_DEGREES
    west, south, east, north = shapely.total_bounds(shapes)
    xs = sorted(west + p * (east - west) for p in part[:2])
    ys = sorted(south + p * (north - south) for p in part[2:])
    numbers = [xs[0], ys[0], 0.0, xs[1], ys[1], 9.0] if heights else [xs[0], ys[0], xs[1], ys[1]]
    texts = [("bbox", ",".join(repr(float(n)) for n in numbers))]
    if stored:
        texts.append(("bbox-crs", f"{EPSG}32631"))
    query = items_query(texts, FILTERS["evidence"], StoredCrs.of(UTM))
    found = LAYER.select(query.selection)
    expected = np.flatnonzero(shapely.intersects(shapes, shapely.box(xs[0], ys[0], xs[1], ys[1])))
    assert found.tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2026-05-04T10:20:30Z", True),
        ("2026-05-04T12:20:30+02:00", True),
        ("2026-05-04T10:20:31Z", False),
        ("2026-05-04", True),
        ("2026-05-05", False),
        ("2026-05-01/2026-05-04", True),
        ("2026-05-01/2026-05-03", False),
        ("../2026-05-04T10:20:30.5Z", True),
        ("/2026-05-03", False),
        ("2026-05-04T10:00:00Z/..", True),
        ("2026-05-05/", False),
    ],
)
def test_datetime_asks_for_when_the_scene_was_taken(text: str, found: bool) -> None:
    query = items_query([("datetime", text)], FILTERS["evidence"], None)
    assert len(LAYER.select(query.selection)) == (60 if found else 0)


def test_rows_of_undated_scenes_are_at_no_moment() -> None:
    layer = Layer(result_of(rotated(3, UTM), UTM, datetime=None), "evidence")
    assert len(layer.select(Selection())) == 3
    query = items_query([("datetime", "../2030-01-01")], FILTERS["evidence"], None)
    assert len(layer.select(query.selection)) == 0


@given(st.sampled_from(["bbox", "crs", "datetime", "limit", "offset", "bbox-crs"]), st.text(max_size=30))
def test_any_text_is_read_or_refused(name: str, text: str) -> None:
    with suppress(ParameterError):
        query = items_query([(name, text)], FILTERS["evidence"], StoredCrs.of(UTM))
        LAYER.features(LAYER.select(query.selection)[query.offset :][:2], stored=query.stored)


@pytest.mark.parametrize(
    ("code", "swapped"),
    [
        (4326, True),
        (4258, True),
        (3035, True),
        (31467, True),
        (32661, True),
        (32631, False),
        (5041, False),
        (3413, False),
        (3857, False),
        (2056, False),
    ],
)
def test_axis_orders_are_those_of_the_epsg_registry(code: int, swapped: bool) -> None:
    assert StoredCrs.of(CRS.from_epsg(code)) == StoredCrs(f"{EPSG}{code}", swapped, code in (4326, 4258))

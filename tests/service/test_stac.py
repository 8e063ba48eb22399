"""A job as a STAC item. Oracle: pystac with the schemas of the specification that it brings along."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pystac
import pytest
import shapely
from affine import Affine
from fastapi.testclient import TestClient
from pyproj import CRS
from pystac.validation import validate_dict
from shapely.geometry import shape

from tests.engine.conftest import BOXES, Squares, write_squares
from tests.engine.outputs_samples import frame, scene_row
from tests.service.feature_samples import finished, oracle, result_of, rotated
from tests.service.test_features import around, ask, get, service_of

UTM = CRS.from_epsg(32631)


def valid(document: dict[str, Any]) -> pystac.Item:
    """The item, checked against the specification's JSON schema and what the extensions require."""
    assert validate_dict(document, extensions=[])  # the extensions' schemas are not on this computer
    properties = document["properties"]
    for url, prefix in zip(document["stac_extensions"], ("proj:", "processing:"), strict=True):
        assert prefix.rstrip(":") in url.replace("projection", "proj")
        assert any(name.startswith(prefix) for name in properties)
    assert not any("mlm" in url for url in document["stac_extensions"])
    assert isinstance(properties["processing:software"], dict)
    assert all(isinstance(v, str) for v in properties["processing:software"].values())
    datetime.fromisoformat(properties["processing:datetime"])
    return pystac.Item.from_dict(document)


def test_an_item_says_where_how_and_with_what_files(client: TestClient, squares: Squares) -> None:
    job = ask(client, squares.path)
    reply = get(client, f"/jobs/{job}/stac")
    assert reply.headers["content-type"] == "application/geo+json"
    item = valid(reply.json())
    footprint = oracle([0, 0, 700, 500], squares.affine, "EPSG:32631", "OGC:CRS84")
    assert shape(item.geometry).hausdorff_distance(footprint) < 1e-7
    assert item.bbox == pytest.approx(footprint.bounds, abs=1e-7)
    assert item.properties["proj:code"] == "EPSG:32631"
    assert item.properties["proj:shape"] == [500, 700]
    assert Affine(*item.properties["proj:transform"]).almost_equals(squares.affine)
    assert item.properties["mlm:name"] == "square-finder"
    assert item.properties["mlm:tasks"] == ["object-detection"]
    assert "5 airplanes" in item.properties["description"]
    for asset in item.assets.values():
        got = client.get(asset.href)
        assert got.status_code == 200
        assert got.headers["content-type"].partition(";")[0] == asset.media_type
        assert asset.roles
    assert item.assets["gpkg"].media_type == pystac.MediaType.GEOPACKAGE
    assert item.assets["parquet"].media_type == "application/vnd.apache.parquet"  # as IANA has it


def test_an_undated_scene_gives_the_time_of_the_question(client: TestClient, squares: Squares) -> None:
    job = ask(client, squares.path)
    properties = get(client, f"/jobs/{job}/stac").json()["properties"]
    assert properties["datetime"] == service_of(client).jobs.get(job).created


def test_one_date_is_the_items_and_several_are_its_interval(client: TestClient) -> None:
    service = service_of(client)
    one = result_of(rotated(3, UTM), UTM)
    properties = get(client, f"/jobs/{finished(service.jobs, one)}/stac").json()["properties"]
    assert properties["datetime"] == "2026-05-04T10:20:30Z"
    dates = ("2026-05-04T10:20:30Z", None, "2024-02-03T04:05:06Z")
    rows = [scene_row(UTM, scene=f"s{n}", datetime=date) for n, date in enumerate(dates)]
    several = type(one)(one.evidence, one.answers, one.tiles, frame("scenes", rows, UTM), one.metadata)
    document = get(client, f"/jobs/{finished(service.jobs, several)}/stac").json()
    valid(document)
    properties = document["properties"]
    assert properties["datetime"] is None
    assert properties["start_datetime"] == "2024-02-03T04:05:06Z"
    assert properties["end_datetime"] == "2026-05-04T10:20:30Z"
    assert "proj:shape" not in properties
    assert properties["proj:code"] == "EPSG:32631"


def test_a_footprint_around_the_antimeridian_is_cut_there(client: TestClient, tmp_path: Path) -> None:
    affine = around(32660, (179.99999, -16.5))
    (tmp_path / "imagery").mkdir()
    squares = write_squares(tmp_path / "imagery" / "taveuni.tif", BOXES, affine=affine, crs="EPSG:32660")
    document = get(client, f"/jobs/{ask(client, squares.path)}/stac").json()
    valid(document)
    west, _, east, _ = document["bbox"]
    assert west > 179.9
    assert east < -179.9
    parts = shapely.get_parts(shape(document["geometry"]))
    assert len(parts) == 2
    assert all(np.ptp(part.bounds[::2]) < 0.01 for part in parts)


def test_a_crs_without_a_code_is_given_as_wkt2(client: TestClient) -> None:
    local = CRS.from_proj4("+proj=tmerc +lat_0=36 +lon_0=3 +k=0.9996 +x_0=500000 +y_0=4000000 +ellps=GRS80")
    document = get(
        client, f"/jobs/{finished(service_of(client).jobs, result_of(rotated(3, local), local))}/stac"
    ).json()
    valid(document)
    assert document["properties"]["proj:code"] is None
    assert CRS.from_wkt(document["properties"]["proj:wkt2"]).equals(local)


def test_pixel_space_has_no_item_and_says_why(client: TestClient, squares: Squares) -> None:
    job = ask(client, squares.path, pixel_space=True)
    assert "pixel space" in get(client, f"/jobs/{job}/stac", 409).json()["detail"]

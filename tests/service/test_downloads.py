"""A job's files: what is listed comes, whole, in ranges and of a running job; nothing else does."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import geopandas as gpd
import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from groundproof.outputs import read
from groundproof.service import downloads
from groundproof.service.jobs.ask_process import RESULT
from groundproof.tables import TABLES
from tests.engine.conftest import BOXES, Squares
from tests.service.conftest import Live
from tests.service.feature_samples import Gated, until
from tests.service.test_features import ask, get, service_of


@pytest.fixture
def job(client: TestClient, squares: Squares) -> str:
    return ask(client, squares.path)


def saved(client: TestClient, job: str, name: str, folder: Path) -> Path:
    path = folder / name
    path.write_bytes(get(client, f"/jobs/{job}/files/{name}").content)
    return path


def test_every_listed_file_comes_with_its_type_and_a_safe_name(client: TestClient, job: str) -> None:
    listing = get(client, f"/jobs/{job}/files").json()
    assert listing["partial"] is None
    names = [file["name"] for file in listing["files"]]
    assert names == [
        "result.gpkg",
        "result.parquet",
        "result.answers.parquet",
        "result.tiles.parquet",
        "result.scenes.parquet",
        "result.geojson",
        "summary.csv",
        "picture.png",
    ]
    for file in listing["files"]:
        reply = client.get(file["href"])
        assert reply.status_code == 200
        assert reply.headers["content-type"].partition(";")[0] == file["type"]
        assert reply.headers["content-disposition"] == (
            f'attachment; filename="groundproof-{job[:8]}-{file["name"]}"'
        )
        assert int(reply.headers["content-length"]) == len(reply.content) > 0
        assert "groundproof-partial" not in reply.headers
        head = client.head(file["href"])
        assert head.content == b""
        assert head.headers["content-length"] == reply.headers["content-length"]


def test_all_formats_hold_the_same_evidence(client: TestClient, job: str, tmp_path: Path) -> None:
    stored = saved(client, job, "result.gpkg", tmp_path)
    assert stored.read_bytes() == (service_of(client).jobs.folder(job) / RESULT).read_bytes()
    result = read(stored)
    for table in TABLES:
        name = "result.parquet" if table == "evidence" else f"result.{table}.parquet"
        frame = gpd.read_parquet(saved(client, job, name, tmp_path))
        assert frame.geometry.geom_equals_exact(getattr(result, table).geometry, 0).all()
    degrees = gpd.read_file(saved(client, job, "result.geojson", tmp_path))
    there = degrees.to_crs(result.evidence.crs).geometry
    assert there.hausdorff_distance(result.evidence.geometry).max() < 0.01
    (row,) = csv.DictReader(io.StringIO(get(client, f"/jobs/{job}/files/summary.csv").text))
    assert row["value"] == str(len(BOXES))


def test_the_picture_shows_the_scene_and_its_boxes(client: TestClient, job: str, tmp_path: Path) -> None:
    with Image.open(saved(client, job, "picture.png", tmp_path)) as image:
        pixels = np.asarray(image.convert("RGB")).reshape(-1, 3)
    assert len(pixels) > 700 * 500
    assert len(np.unique(pixels, axis=0)) > 10


def test_a_picture_whose_scene_is_gone_is_refused_and_the_rest_still_comes(
    client: TestClient, job: str, squares: Squares
) -> None:
    squares.path.unlink()
    said = get(client, f"/jobs/{job}/files/picture.png", 404).json()["detail"]
    assert "cannot be drawn" in said
    get(client, f"/jobs/{job}/files/result.parquet")


@pytest.mark.parametrize(
    "name",
    [
        "job.json",
        "events.jsonl",
        "run",
        "../job.json",
        "made",
        "%2e%2e/job.json",
        "/etc/passwd",
        "result.GPKG",
    ],
)
def test_only_names_on_the_list_are_files(client: TestClient, job: str, name: str) -> None:
    reply = client.get(f"/jobs/{job}/files/{quote(name, safe='')}")
    assert reply.status_code == 404
    assert "passwd" not in reply.text or "root:" not in reply.text


def test_a_file_can_be_had_in_ranges_and_only_when_it_changed(client: TestClient, job: str) -> None:
    url = f"/jobs/{job}/files/result.gpkg"
    whole = client.get(url)
    tag = whole.headers["etag"]
    part = client.get(url, headers={"Range": "bytes=100-199"})
    assert part.status_code == 206
    assert part.content == whole.content[100:200]
    assert part.headers["content-range"] == f"bytes 100-199/{len(whole.content)}"
    assert client.get(url, headers={"Range": "bytes=-50"}).content == whole.content[-50:]
    assert client.get(url, headers={"Range": f"bytes={len(whole.content)}-"}).status_code == 416
    changed = client.get(url, headers={"Range": "bytes=0-9", "If-Range": '"another"'})
    assert changed.status_code == 200
    same = client.get(url, headers={"If-None-Match": tag})
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    assert client.get(url, headers={"If-None-Match": '"another"'}).status_code == 200


def test_geojson_is_not_offered_for_many_boxes_and_says_what_is(
    client: TestClient, job: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "MAX_GEOJSON", len(BOXES))
    listing = get(client, f"/jobs/{job}/files").json()
    assert "result.geojson" not in [file["name"] for file in listing["files"]]
    said = get(client, f"/jobs/{job}/files/result.geojson", 413).json()["detail"]
    assert f"/collections/{job}-evidence/items" in said


def test_pixel_space_has_every_file_but_geojson(client: TestClient, squares: Squares) -> None:
    job = ask(client, squares.path, pixel_space=True)
    names = [file["name"] for file in get(client, f"/jobs/{job}/files").json()["files"]]
    assert "result.geojson" not in names
    assert "pixel space" in get(client, f"/jobs/{job}/files/result.geojson", 404).json()["detail"]
    for name in names:
        get(client, f"/jobs/{job}/files/{name}")


def test_files_of_a_running_job_hold_what_is_there_and_say_so(
    squares: Squares, start: Callable[..., Any], tmp_path: Path
) -> None:
    model = Gated(free=5)
    with start(model) as live:
        job = live.ask(squares.path)
        try:
            url = f"/jobs/{job}/files"
            until(lambda: live.http.get(url).json().get("partial") == "5 of 12 tiles")
            for name in ("result.gpkg", "result.parquet", "summary.csv", "picture.png"):
                reply = live.http.get(f"{url}/{name}")
                assert reply.status_code == 200
                assert reply.headers["groundproof-partial"] == "5 of 12 tiles"
                assert f"-partial-{name}" in reply.headers["content-disposition"]
            (tmp_path / "partial.gpkg").write_bytes(live.http.get(f"{url}/result.gpkg").content)
            partial = read(tmp_path / "partial.gpkg")
            assert partial.tiles.status.notna().sum() == 5
            assert 0 < len(partial.evidence) < len(BOXES)
        finally:
            model.allow()
        live.wait(job)
        reply = live.http.get(f"{url}/result.gpkg")
        assert "groundproof-partial" not in reply.headers
        (tmp_path / "whole.gpkg").write_bytes(reply.content)
        assert len(read(tmp_path / "whole.gpkg").evidence) == len(BOXES)


def test_files_of_earlier_states_do_not_pile_up(squares: Squares, start: Callable[..., Any]) -> None:
    model = Gated(free=0)
    with start(model) as live:
        job = live.ask(squares.path)
        url = f"/jobs/{job}/files"
        try:
            for free in range(1, 4):
                model.allow(free)
                until(lambda n=free: live.http.get(url).json().get("partial") == f"{n} of 12 tiles")
                live.http.get(f"{url}/summary.csv")
        finally:
            model.allow()
        live.wait(job)
        assert 1 <= len(list((live.service.jobs.folder(job) / "made").iterdir())) <= 2


def test_a_file_that_was_made_is_not_made_again(client: TestClient, job: str) -> None:
    url = f"/jobs/{job}/files/picture.png"
    assert client.get(url).headers["etag"] == client.get(url).headers["etag"]


def test_a_job_that_does_not_exist_has_no_files(live: Live) -> None:
    for name in ("0" * 32, "..", "x"):
        assert live.http.get(f"/jobs/{quote(name, safe='')}x/files").status_code == 404

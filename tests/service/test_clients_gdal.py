"""GDAL's own programs read a service's collections and files; what they get is what the GeoPackage holds."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
import shapely

from groundproof.outputs import read
from groundproof.service.jobs.ask_process import RESULT
from tests.engine.conftest import BOXES, Squares
from tests.service.conftest import TOKEN, Live
from tests.service.feature_samples import Gated, until

pytestmark = pytest.mark.skipif(shutil.which("ogr2ogr") is None, reason="gdal-bin is not installed")

NEAR = 1e-7
"""Degrees."""
BASIC = {"GDAL_HTTP_USERPWD": f"gdal:{TOKEN}"}
HEADER = {"GDAL_HTTP_HEADERS": f"Authorization: Bearer {TOKEN}"}


def gdal(*command: str, token: dict[str, str] = BASIC) -> str:
    """What a GDAL program prints; fails with its errors."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("GDAL_", "PROJ_"))}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, env={**clean, **token}
    )
    assert done.returncode == 0, done.stderr
    assert "ERROR" not in done.stderr, done.stderr
    return done.stdout


@pytest.fixture
def job(live: Live, squares: Squares) -> str:
    job = live.ask(squares.path)
    assert live.wait(job)["status"] == "successful"
    return job


@pytest.mark.parametrize("token", [BASIC, HEADER], ids=["basic", "bearer"])
def test_ogrinfo_lists_the_layers_with_either_way_to_give_the_token(
    live: Live, job: str, token: dict[str, str]
) -> None:
    said = gdal("ogrinfo", "-ro", f"OAPIF:{live.url}", token=token)
    for table in ("evidence", "answers", "tiles", "scenes"):
        assert f"{job}-{table}" in said


def test_ogrinfo_is_refused_without_the_token(live: Live, job: str) -> None:
    done = subprocess.run(
        ["ogrinfo", "-ro", f"OAPIF:{live.url}"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode != 0
    assert job not in done.stdout


def test_ogrinfo_says_title_extent_and_count(live: Live, job: str) -> None:
    said = gdal("ogrinfo", "-ro", "-so", f"OAPIF:{live.url}", f"{job}-evidence")
    assert f"Feature Count: {len(BOXES)}" in said
    assert "How many airplanes are there?" in said
    scene = read(live.service.jobs.folder(job) / RESULT).scenes.to_crs("OGC:CRS84").total_bounds
    line = next(line for line in said.splitlines() if line.startswith("Extent: "))
    numbers = [
        float(part) for part in line[8:].replace("(", "").replace(")", "").replace(" - ", ",").split(",")
    ]
    assert numbers == pytest.approx(list(scene), abs=1e-5)


@pytest.mark.parametrize("page", [2, 1000])
def test_ogr2ogr_gets_every_row_of_every_table(live: Live, job: str, tmp_path: Path, page: int) -> None:
    stored = read(live.service.jobs.folder(job) / RESULT)
    for table in ("evidence", "answers", "tiles", "scenes"):
        target = tmp_path / f"{table}-{page}.geojson"
        source = [f"OAPIF:{live.url}", f"{job}-{table}", "-oo", f"PAGE_SIZE={page}"]
        gdal("ogr2ogr", "-f", "GeoJSON", "-lco", "COORDINATE_PRECISION=9", str(target), *source)
        found, expected = gpd.read_file(target), getattr(stored, table).to_crs("OGC:CRS84")
        assert len(found) == len(expected)
        for name in ("answer_id", "scene", "status", "verdict", "label", "question"):
            if name in expected:
                assert found[name].tolist() == expected[name].tolist()
        if table == "evidence":
            assert found["evidence_id"].tolist() == expected["evidence_id"].tolist()
            assert [json.loads(t) if isinstance(t, str) else list(t) for t in found["box_px"]] == expected[
                "box_px"
            ].tolist()
            there = expected.geometry.to_numpy()
            assert shapely.hausdorff_distance(found.geometry.to_numpy(), there).max() < NEAR
        assert shapely.total_bounds(found.geometry) == pytest.approx(expected.total_bounds, abs=NEAR)


def test_ogr2ogr_filters_by_place_on_the_server(live: Live, job: str, tmp_path: Path) -> None:
    evidence = read(live.service.jobs.folder(job) / RESULT).evidence.to_crs("OGC:CRS84")
    box = [repr(float(v)) for v in evidence.geometry.iloc[2].buffer(-1e-7).bounds]
    target = tmp_path / "one.geojson"
    gdal("ogr2ogr", "-f", "GeoJSON", str(target), f"OAPIF:{live.url}", f"{job}-evidence", "-spat", *box)
    assert gpd.read_file(target)["evidence_id"].tolist() == [evidence.evidence_id.iloc[2]]


def test_gdal_opens_a_running_job(squares: Squares, start: Callable[..., Any], tmp_path: Path) -> None:
    model = Gated(free=5)
    with start(model) as live:
        job = live.ask(squares.path)
        try:
            files = f"/jobs/{job}/files"
            until(lambda: live.http.get(files).json().get("partial") == "5 of 12 tiles")
            said = gdal("ogrinfo", "-ro", "-so", f"OAPIF:{live.url}", f"{job}-evidence")
            counted = live.http.get(f"/collections/{job}-evidence/items").json()["numberMatched"]
            assert 0 < counted < len(BOXES)
            assert f"Feature Count: {counted}" in said
        finally:
            model.allow()
        live.wait(job)
        said = gdal("ogrinfo", "-ro", "-so", f"OAPIF:{live.url}", f"{job}-evidence")
        assert f"Feature Count: {len(BOXES)}" in said


def test_gdal_reads_the_geopackage_where_it_lies_by_ranges(live: Live, job: str) -> None:
    url = f"/vsicurl/{live.url}/jobs/{job}/files/result.gpkg"
    for token in (BASIC, HEADER):
        said = gdal("ogrinfo", "-ro", "-so", url, "evidence", token=token)
        assert f"Feature Count: {len(BOXES)}" in said

"""OGC API - Features over jobs: pages, boxes, coordinate systems, running jobs. Oracles: pyproj, shapely."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import shapely
from affine import Affine
from fastapi.testclient import TestClient
from pyproj import CRS, Transformer
from shapely.geometry import shape

from groundproof.outputs import read
from groundproof.service.jobs.ask_process import RESULT
from groundproof.service.ogc import snapshots
from groundproof.service.state import Service
from groundproof.tables import Result
from tests.engine.conftest import BOXES, Squares, write_squares
from tests.engine.outputs_samples import frame, scene_row
from tests.service.conftest import QUESTION, Live
from tests.service.feature_samples import (
    CRS84,
    EPSG,
    Gated,
    all_pages,
    finished,
    oracle,
    result_of,
    rotated,
    shapes,
    until,
)

UTM = CRS.from_epsg(32631)
NEAR = 1e-7
"""Degrees: about a centimetre."""


def service_of(client: TestClient) -> Service:
    return client.app.state.service  # type: ignore[attr-defined,no-any-return]


def ask(client: TestClient, scene: Path, **fields: Any) -> str:
    """A finished job about a scene; its id."""
    reply = client.post(
        "/ask",
        json={"question": QUESTION, "scenes": [{"path": str(scene)}], **fields},
        headers={"Accept": "application/json"},
    )
    assert reply.status_code == 200, reply.text
    return str(reply.json()["job"])


def get(client: TestClient, path: str, expected: int = 200, /, **params: Any) -> Any:
    reply = client.get(path, params={"bbox-crs" if k == "bbox_crs" else k: v for k, v in params.items()})
    assert reply.status_code == expected, reply.text
    return reply


@pytest.fixture
def imagery(tmp_path: Path) -> Path:
    """The folder below which scenes may be asked about."""
    (tmp_path / "imagery").mkdir()
    return tmp_path / "imagery"


@pytest.fixture
def job(client: TestClient, squares: Squares) -> str:
    return ask(client, squares.path)


def boxes_px(document: dict[str, Any]) -> dict[str, list[float]]:
    return {f["id"]: json.loads(f["properties"]["box_px"]) for f in document["features"]}


def test_evidence_lies_where_the_affine_and_pyproj_put_its_box(
    client: TestClient, job: str, squares: Squares
) -> None:
    reply = get(client, f"/collections/{job}-evidence/items")
    assert reply.headers["content-type"] == "application/geo+json"
    assert reply.headers["content-crs"] == f"<{CRS84}>"
    document = reply.json()
    assert document["numberMatched"] == document["numberReturned"] == len(BOXES)
    assert sorted(boxes_px(document)) == [f"A1-E{n}" for n in range(1, 6)]
    for name, box in boxes_px(document).items():
        expected = oracle(box, squares.affine, "EPSG:32631", "OGC:CRS84")
        assert shapes(document)[name].hausdorff_distance(expected) < NEAR
        assert shapes(document)[name].exterior.is_ccw


def test_evidence_comes_in_the_scenes_own_crs_when_asked_for(
    client: TestClient, job: str, squares: Squares
) -> None:
    reply = get(client, f"/collections/{job}-evidence/items", crs=f"{EPSG}32631")
    assert reply.headers["content-crs"] == f"<{EPSG}32631>"
    for name, box in boxes_px(reply.json()).items():
        expected = oracle(box, squares.affine, "EPSG:32631", "EPSG:32631")
        assert shapes(reply.json())[name].hausdorff_distance(expected) < 1e-6


def test_a_collection_says_its_extent_its_crs_and_what_it_answers(
    client: TestClient, job: str, squares: Squares
) -> None:
    listed = get(client, "/collections").json()["collections"]
    assert [c["id"] for c in listed] == [f"{job}-{t}" for t in ("evidence", "answers", "tiles", "scenes")]
    one = get(client, f"/collections/{job}-evidence").json()
    assert one == listed[0]
    assert QUESTION in one["title"]
    assert one["crs"] == [CRS84, f"{EPSG}32631"]
    assert one["storageCrs"] == f"{EPSG}32631"
    footprint = oracle([0, 0, 700, 500], squares.affine, "EPSG:32631", "OGC:CRS84")
    assert one["extent"]["spatial"]["bbox"][0] == pytest.approx(footprint.bounds, abs=NEAR)
    items = next(link for link in one["links"] if link["rel"] == "items")
    assert items["type"] == "application/geo+json"
    assert client.get(items["href"]).status_code == 200
    schema = get(client, f"/collections/{job}-evidence/schema").json()
    feature = client.get(items["href"]).json()["features"][0]
    assert set(feature["properties"]) == set(schema["properties"]) - {"geometry"}


def test_every_table_has_the_rows_of_the_geopackage(client: TestClient, job: str) -> None:
    stored = read(service_of(client).jobs.folder(job) / RESULT)
    for table in ("evidence", "answers", "tiles", "scenes"):
        document = get(client, f"/collections/{job}-{table}/items").json()
        rows = getattr(stored, table)
        assert document["numberMatched"] == len(rows)
        assert len({f["id"] for f in document["features"]}) == len(rows)
        for feature, expected in zip(document["features"], rows.to_crs("OGC:CRS84").geometry, strict=True):
            # Long edges gain vertices, so that they stay straight on the scene.
            assert shape(feature["geometry"]).hausdorff_distance(expected) < 1e-6
        kinds = {f["geometry"]["type"] for f in document["features"]}
        assert kinds == {"MultiPolygon" if table == "answers" else "Polygon"}


def test_pages_follow_each_other_without_gaps_or_repeats(client: TestClient, job: str) -> None:
    url = f"/collections/{job}-tiles/items"
    whole = get(client, url).json()["features"]
    assert len(whole) == 12
    for limit in (1, 5, 6, 12, 13):
        assert all_pages(client.get, f"{url}?limit={limit}") == whole
    page = get(client, url, limit=5).json()
    assert (page["numberMatched"], page["numberReturned"]) == (12, 5)
    assert page["timeStamp"].endswith("Z")


def test_a_single_feature_is_found_by_its_id(client: TestClient, job: str) -> None:
    url = f"/collections/{job}-evidence/items"
    for feature in get(client, url, crs=f"{EPSG}32631").json()["features"]:
        reply = get(client, f"{url}/{feature['id']}", crs=f"{EPSG}32631")
        assert reply.headers["content-crs"] == f"<{EPSG}32631>"
        assert {k: v for k, v in reply.json().items() if k != "links"} == feature
    assert "A1-E9" in get(client, f"{url}/A1-E9", 404).json()["detail"]


def test_columns_of_words_can_be_asked_for(client: TestClient, job: str) -> None:
    url = f"/collections/{job}-evidence/items"
    assert get(client, url, label="airplane", verdict="unchecked").json()["numberMatched"] == 5
    assert get(client, url, label="ship").json()["numberMatched"] == 0
    found = get(client, url, evidence_id="E2", image=0).json()["features"]
    assert [f["id"] for f in found] == ["A1-E2"]
    tiles = f"/collections/{job}-tiles/items"
    statuses = [f["properties"]["status"] for f in get(client, tiles).json()["features"]]
    assert get(client, tiles, status="empty").json()["numberMatched"] == statuses.count("empty") > 0


@pytest.mark.parametrize(
    "query",
    [
        "colour=red",
        "bbox=1,2,3",
        "bbox=a,b,c,d",
        "bbox=nan,0,1,1",
        "bbox=0,5,1,4",
        "limit=0",
        "limit=-1",
        "limit=ten",
        "limit=",
        "offset=-1",
        "crs=EPSG:4326",
        f"crs={EPSG}4326",
        f"bbox=0,0,1,1&bbox-crs={EPSG}3857",
        "datetime=yesterday",
        "datetime=../..",
        "datetime=2026-13-01",
        "datetime=2026-05-02/2026-05-01",
        "limit=1&limit=2",
        "text=airplane",
    ],
)
def test_a_parameter_that_is_unknown_or_unreadable_is_400_and_says_why(
    client: TestClient, job: str, query: str
) -> None:
    reply = client.get(f"/collections/{job}-evidence/items?{query}")
    assert reply.status_code == 400
    assert reply.headers["content-type"].startswith("application/problem+json")
    assert len(reply.json()["detail"]) > 20
    for path in ("/collections", f"/collections/{job}-evidence", f"/collections/{job}-evidence/items/A1-E1"):
        assert client.get(f"{path}?colour=red").status_code == 400


def test_a_limit_above_the_largest_page_is_no_error(client: TestClient, job: str) -> None:
    assert get(client, f"/collections/{job}-evidence/items", limit=1_000_000).json()["numberReturned"] == 5


def test_what_does_not_exist_is_404(client: TestClient, job: str) -> None:
    for name in (f"{job}-pixels", job, "x-evidence", f"{'0' * 32}-evidence", f"{job}-evidence-evidence"):
        assert client.get(f"/collections/{name}").status_code == 404
        assert client.get(f"/collections/{name}/items").status_code == 404


def test_a_job_in_pixel_space_has_files_and_no_collections(client: TestClient, squares: Squares) -> None:
    job = ask(client, squares.path, pixel_space=True)
    listing = get(client, "/collections").json()
    assert listing["collections"] == []
    assert f"/jobs/{job}/files" in listing["description"]
    said = get(client, f"/collections/{job}-evidence", 404).json()["detail"]
    assert "pixel" in said
    assert f"/jobs/{job}/files" in said


def test_a_crs_without_a_code_is_left_out_and_crs84_serves(client: TestClient, imagery: Path) -> None:
    local = "+proj=tmerc +lat_0=51.2 +lon_0=4.3 +k=0.99987 +x_0=100000 +y_0=50000 +ellps=GRS80 +units=m"
    affine = Affine(0.5, 0, 100000, 0, -0.5, 50000)
    squares = write_squares(imagery / "local.tif", BOXES, affine=affine, crs=local)
    job = ask(client, squares.path)
    one = get(client, f"/collections/{job}-evidence").json()
    assert one["crs"] == [CRS84]
    assert "storageCrs" not in one
    for name, box in boxes_px(document := get(client, f"/collections/{job}-evidence/items").json()).items():
        assert shapes(document)[name].hausdorff_distance(oracle(box, affine, local, "OGC:CRS84")) < NEAR


@pytest.mark.parametrize("code", [4326, 3035])
def test_axes_follow_the_authority_where_it_puts_northing_first(
    client: TestClient, imagery: Path, code: int
) -> None:
    affine = Affine(1e-5, 0, 4.3, 0, -1e-5, 51.2) if code == 4326 else Affine(0.5, 0, 3.9e6, 0, -0.5, 3.1e6)
    squares = write_squares(imagery / "north.tif", BOXES, affine=affine, crs=f"EPSG:{code}")
    job = ask(client, squares.path)
    url, uri = f"/collections/{job}-evidence/items", f"{EPSG}{code}"
    document = get(client, url, crs=uri).json()
    for name, box in boxes_px(document).items():
        expected = shapely.transform(oracle(box, affine, uri, uri), lambda xy: xy[:, ::-1])
        assert shapes(document)[name].hausdorff_distance(expected) < 1e-6
        bounds = ",".join(repr(v) for v in expected.buffer(-1e-6).bounds)
        found = get(client, url, bbox=bounds, bbox_crs=uri).json()["features"]
        assert [f["id"] for f in found] == [name]


def around(code: int, centre: tuple[float, float]) -> Affine:
    """Half a metre a pixel (or 1e-5 degrees), the point in the middle of a 700 x 500 scene."""
    x, y = oracle_point(centre, code)
    size = 1e-5 if code == 4326 else 0.5
    return Affine(size, 0, x - 350 * size, 0, -size, y + 250 * size)


def oracle_point(centre: tuple[float, float], code: int) -> tuple[float, float]:
    x, y = Transformer.from_crs("OGC:CRS84", code, always_xy=True).transform(*centre)
    return float(x), float(y)


@pytest.mark.parametrize("code", [32660, 4326])
def test_boxes_around_the_antimeridian_are_cut_there_and_found_from_both_sides(
    client: TestClient, imagery: Path, code: int
) -> None:
    affine = around(code, (179.99999, -16.5))
    squares = write_squares(imagery / "taveuni.tif", BOXES, affine=affine, crs=f"EPSG:{code}")
    job = ask(client, squares.path)
    url = f"/collections/{job}-evidence/items"
    document = get(client, url).json()
    crossing = [f for f in document["features"] if f["geometry"]["type"] == "MultiPolygon"]
    assert len(crossing) == 1
    for feature in document["features"]:
        for part in shapely.get_parts(shape(feature["geometry"])):
            west, _, east, _ = part.bounds
            assert -180 <= west < east <= 180
            assert east - west < 0.01
    west, south, east, north = get(client, f"/collections/{job}-evidence").json()["extent"]["spatial"][
        "bbox"
    ][0]
    assert west > 179.9
    assert east < -179.9
    assert get(client, url, bbox=f"{west},{south},{east},{north}").json()["numberMatched"] == 5
    left = get(client, url, bbox=f"{west},{south},180,{north}").json()["features"]
    right = get(client, url, bbox=f"-180,{south},{east},{north}").json()["features"]
    assert len(left) + len(right) == 6
    assert {f["id"] for f in left} & {f["id"] for f in right} == {crossing[0]["id"]}


def test_scenes_that_could_not_be_read_and_tables_without_rows_are_served(client: TestClient) -> None:
    lost = scene_row(UTM, status="failed", reason="it is gone", geometry=None, datetime=None)
    job = finished(
        service_of(client).jobs,
        Result(
            frame("evidence", [], UTM),
            frame("answers", [], UTM),
            frame("tiles", [], UTM),
            frame("scenes", [lost], UTM),
            {},
        ),
    )
    (scene,) = get(client, f"/collections/{job}-scenes/items").json()["features"]
    assert scene["geometry"] is None
    assert scene["properties"]["reason"] == "it is gone"
    for table in ("evidence", "answers", "tiles"):
        for query in ({}, {"bbox": "0,0,10,40"}, {"datetime": "2026-05-04"}, {"scene": "harbour"}):
            page = get(client, f"/collections/{job}-{table}/items", **query).json()
            assert (page["numberMatched"], page["features"]) == (0, [])
    assert "extent" not in get(client, f"/collections/{job}-evidence").json()
    assert get(client, f"/jobs/{job}/stac", 409).json()["detail"]


def test_a_running_job_gives_what_it_has_and_a_reading_keeps_its_state(
    squares: Squares, start: Callable[..., Any]
) -> None:
    model = Gated(free=5)
    with start(model) as live:
        job = live.ask(squares.path)
        try:
            url = f"/collections/{job}-tiles/items"
            answered = f"{url}?limit=1000"

            def statuses() -> list[str]:
                reply = live.http.get(answered)
                return [f["properties"]["status"] for f in reply.json().get("features", ())]

            until(lambda: sum(s is not None for s in statuses()) == 5)
            first = live.http.get(f"{url}?limit=7").json()
            found = live.http.get(f"/collections/{job}-evidence/items").json()["numberMatched"]
            assert 0 < found < len(BOXES)
            assert "so far" in live.http.get(f"/collections/{job}-evidence").json()["description"]
        finally:
            model.allow()
        live.wait(job)
        following = next(link["href"] for link in first["links"] if link["rel"] == "next")
        rest = live.http.get(following).json()
        unanswered = [f["properties"]["status"] for f in first["features"] + rest["features"]].count(None)
        assert unanswered == 7
        assert statuses().count(None) == 0
        assert live.http.get(f"/collections/{job}-evidence/items").json()["numberMatched"] == len(BOXES)


def test_a_job_that_has_not_begun_says_so(squares: Squares, start: Callable[..., Any]) -> None:
    model = Gated(free=0)
    with start(model, workers=1) as live:
        try:
            live.ask(squares.path)
            second = live.ask(squares.path)
            reply = live.http.get(f"/collections/{second}-evidence")
            assert reply.status_code == 409
            assert "Try again" in reply.json()["detail"]
            assert live.http.get("/collections").status_code == 200
        finally:
            model.allow()
        live.wait(second)


def test_links_lead_to_the_operators_public_address(squares: Squares, start: Callable[..., Any]) -> None:
    with start(public_url="https://imagery.example/gp/") as live:
        job = live.ask(squares.path)
        live.wait(job)
        document = live.http.get(f"/collections/{job}-evidence/items?limit=2").json()
        assert all(
            link["href"].startswith("https://imagery.example/gp/collections/") for link in document["links"]
        )


def test_a_deleted_jobs_collections_are_gone(live: Live, squares: Squares) -> None:
    job = live.ask(squares.path)
    live.wait(job)
    assert live.http.get(f"/collections/{job}-evidence/items").status_code == 200
    live.service.jobs.delete(job)
    assert live.http.get(f"/collections/{job}-evidence/items").status_code == 404
    assert live.http.get("/collections").json()["collections"] == []


def test_a_page_of_a_hundred_thousand_boxes_does_not_touch_them_all(client: TestClient) -> None:
    service = service_of(client)
    many = result_of(rotated(100_000, UTM), UTM)
    job = finished(service.jobs, many)
    url = f"/collections/{job}-evidence/items"
    started = time.perf_counter()
    whole = get(client, url).json()
    print(f"first page, with reading the GeoPackage: {time.perf_counter() - started:.2f} s")
    assert (whole["numberMatched"], whole["numberReturned"]) == (100_000, 100)
    everything = many.evidence.geometry.to_crs("OGC:CRS84").to_numpy()
    west, south, east, north = shapely.total_bounds(everything)
    middle = ((west + east) / 2, (south + north) / 2)
    half = (east - west) / 40
    box = (middle[0] - half, middle[1] - half, middle[0] + half, middle[1] + half)
    started = time.perf_counter()
    page = get(client, url, bbox=",".join(map(repr, map(float, box))), limit=1000).json()
    print(f"a page by bbox, {page['numberMatched']} found: {1e3 * (time.perf_counter() - started):.0f} ms")
    assert page["numberMatched"] == int(shapely.intersects(everything, shapely.box(*box)).sum()) > 0
    started = time.perf_counter()
    last = client.get(f"{url}?offset=99900&label=storage tank").json()
    print(f"the last page, by label: {1e3 * (time.perf_counter() - started):.0f} ms")
    assert last["features"][-1]["id"] == "A1-E100000"


def test_a_state_is_read_once_and_memory_is_bounded(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "MAX_ROWS", 30)
    service = service_of(client)
    jobs = [finished(service.jobs, result_of(rotated(10, UTM, seed=n), UTM)) for n in range(4)]
    first = service.snapshots.get(jobs[0])
    assert service.snapshots.get(jobs[0]) is first
    for job in jobs[1:]:
        service.snapshots.get(job)
    assert sum(s.rows for s in service.snapshots._kept.values()) <= 30
    assert service.snapshots.get(jobs[0]) is not first
    assert service.snapshots.get(jobs[0], first.version).version == first.version

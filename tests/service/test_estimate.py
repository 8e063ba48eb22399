"""`POST /estimate`: as many tiles as the ask then has, and no second that was not measured."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from fastapi.testclient import TestClient

from groundproof.models.base import Piece, Request
from groundproof.service.app import create_app
from groundproof.service.engine import Engine
from groundproof.service.pace import FULL_BOXES, TOKENS_PER_BOX, Measured, PaceStore, time_trial
from tests.engine.conftest import BOXES, Squares, write_squares
from tests.engine.square_finder import SquareFinder
from tests.service.conftest import QUESTION, TOKEN
from tests.service.test_ogc_processes import problem

ROTATED = Affine.translation(443000, 4100000) @ Affine.rotation(33) @ Affine.scale(0.5, -0.5)
NORTH_UP = Affine(0.6, 0, 443000, 0, -0.6, 4100000)


def described(affine: Affine, width: int, height: int, crs: str = "EPSG:32631") -> dict[str, Any]:
    return {"width": width, "height": height, "crs": crs, "affine": [float(v) for v in tuple(affine)[:6]]}


def estimate(client: TestClient, **body: Any) -> dict[str, Any]:
    reply = client.post("/estimate", json=body)
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = reply.json()
    return found


def tiles_of_the_ask(client: TestClient, path: Path, **fields: Any) -> int:
    reply = client.post(
        "/ask",
        json={"question": QUESTION, "scenes": [{"path": str(path)}], **fields},
        headers={"Accept": "application/json"},
    )
    assert reply.status_code == 200, reply.text
    return sum(int(answer["coverage"]["tiles"]) for answer in reply.json()["answers"])


def diamond(affine: Affine, *points: tuple[float, float]) -> dict[str, Any]:
    ring = [list(map(float, (affine @ point)[:2])) for point in (*points, points[0])]
    return {"type": "Polygon", "coordinates": [ring]}


@pytest.mark.parametrize("affine", [NORTH_UP, ROTATED], ids=["north-up", "rotated"])
@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"gsd": 1.1},
        {"tile": 168, "overlap": 28},
        {"aoi": "polygon"},
        {"aoi": "polygon", "gsd": 0.3},
        {"aoi": "parcels", "aoi_field": "name"},
    ],
    ids=str,
)
def test_an_estimate_has_the_tiles_that_the_ask_then_has(
    client: TestClient, tmp_path: Path, affine: Affine, asked: dict[str, Any]
) -> None:
    (tmp_path / "imagery").mkdir()
    size = {"width": 900, "height": 640}
    path = write_squares(tmp_path / "imagery" / "scene.tif", BOXES, affine=affine, **size).path
    area = diamond(affine, (450, 10), (880, 300), (450, 400), (100, 300))
    if asked.get("aoi") == "polygon":
        asked = {**asked, "aoi": area, "aoi_crs": "EPSG:32631"}
    elif asked.get("aoi") == "parcels":
        parts = [area, diamond(affine, (0, 400), (300, 400), (300, 640), (0, 640))]
        features = [
            {"type": "Feature", "properties": {"name": f"p{n}"}, "geometry": part}
            for n, part in enumerate(parts)
        ]
        asked = {
            **asked,
            "aoi": {"type": "FeatureCollection", "features": features},
            "aoi_crs": "EPSG:32631",
        }
    found = estimate(client, scenes=[described(affine, **size)], **asked)
    assert found["tiles"] == tiles_of_the_ask(client, path, **asked) > 0
    assert estimate(client, scenes=[{"path": str(path)}], **asked)["tiles"] == found["tiles"]
    assert found["gsd_m"] == pytest.approx(abs(affine.determinant) ** 0.5, rel=2e-3)
    assert found["model_gsd_m"] == pytest.approx(asked.get("gsd", found["gsd_m"]), rel=1e-9)
    if "aoi" not in asked:
        assert found["area_m2"] == pytest.approx(900 * 640 * abs(affine.determinant), rel=5e-3)


def test_a_scene_in_degrees_and_one_in_pixels_are_estimated_as_they_are_asked(
    client: TestClient, tmp_path: Path
) -> None:
    (tmp_path / "imagery").mkdir()
    degrees = Affine(5e-6, 0, 2.3, 0, -5e-6, 48.8)
    path = write_squares(
        tmp_path / "imagery" / "degrees.tif", BOXES, affine=degrees, crs="EPSG:4326", width=800
    ).path
    found = estimate(client, scenes=[described(degrees, 800, 500, "EPSG:4326")])
    assert found["tiles"] == tiles_of_the_ask(client, path)
    plain = estimate(client, scenes=[{"width": 800, "height": 500}], pixel_space=True)
    assert plain["tiles"] == tiles_of_the_ask(client, path, pixel_space=True)
    assert plain["area_m2"] is plain["gsd_m"] is plain["model_gsd_m"] is None


def test_a_scene_that_is_being_sent_and_one_that_has_come_are_estimated_by_id(client: TestClient) -> None:
    spec = {**described(NORTH_UP, 500, 300), "bands": 3}
    scene = client.post("/scenes", json=spec).json()["id"]
    before = estimate(client, scenes=[{"id": scene}])
    assert before["tiles"] == estimate(client, scenes=[described(NORTH_UP, 500, 300)])["tiles"]
    pixels = np.full((300, 500, 3), 90, np.uint8)
    alpha = np.full((300, 500, 1), 255, np.uint8)
    alpha[:, 250:] = 0
    with rasterio.MemoryFile() as file:
        with file.open(driver="GTiff", width=500, height=300, count=4, dtype="uint8", alpha=True) as target:
            target.write(np.concatenate([pixels, alpha], axis=2).transpose(2, 0, 1))
        reply = client.put(
            f"/scenes/{scene}/windows/0,0", content=file.read(), headers={"Content-Type": "image/tiff"}
        )
    assert reply.status_code in (200, 201), reply.text
    after = estimate(client, scenes=[{"id": scene}])
    assert (after["tiles"] + after["skipped"], after["skipped"] > 0) == (before["tiles"], True)
    assert "more hold no data" in after["sentence"]


def test_dates_of_one_place_are_looked_at_together(client: TestClient) -> None:
    scenes = [described(NORTH_UP, 500, 300)] * 2
    each = estimate(client, scenes=scenes)["tiles"]
    together = estimate(client, scenes=scenes, question="What changed?")["tiles"]
    assert each == 2 * together


def test_seconds_are_those_of_earlier_questions_also_after_a_restart(
    start: Callable[..., Any], squares: Squares
) -> None:
    scenes = [described(squares.affine, 700, 500)]
    with start(SteadyFinder(0.02)) as live:
        job = live.ask(squares.path)
        live.wait(job)
        found = live.http.post("/estimate", json={"scenes": scenes}).json()
        assert (found["timed_on"], found["at_least"]) == ("12 tiles of 1 earlier question", False)
        assert found["seconds_most"] is None
        assert found["tiles"] == 12
        assert 0.2 <= found["seconds"] < 5
        assert "timed on 12 tiles of 1 earlier question" in found["sentence"]
    model = SteadyFinder(0.02)
    with start(model) as live:
        again = live.http.post("/estimate", json={"scenes": scenes}).json()
        assert (again["seconds"], again["timed_on"]) == (found["seconds"], found["timed_on"])
        assert model.answered == 0


def test_without_earlier_questions_empty_tiles_are_timed_once_and_it_is_said(
    start: Callable[..., Any], squares: Squares
) -> None:
    model = SteadyFinder(0.05)
    with start(model) as live:
        body = {"scenes": [described(squares.affine, 700, 500)]}
        found = live.http.post("/estimate", json=body).json()
        assert (found["timed_on"], found["at_least"]) == ("4 trial tiles without objects", True)
        assert "where nothing is found to" in found["sentence"]
        assert found["seconds_most"] >= found["seconds"]
        assert found["seconds"] >= 0.6
        asked = model.answered
        live.http.post("/estimate", json=body)
        assert model.answered == asked
        live.wait(live.ask(squares.path))
        assert "earlier question" in live.http.post("/estimate", json=body).json()["timed_on"]


def test_while_the_model_loads_and_when_it_cannot_answer_there_are_tiles_and_no_seconds(
    settings: Any, squares: Squares, monkeypatch: pytest.MonkeyPatch
) -> None:
    loading = threading.Event()

    def slow(*_: Any, **__: Any) -> SquareFinder:
        loading.wait(30)
        return SquareFinder()

    monkeypatch.setattr("groundproof.service.engine.open_model", slow)
    with TestClient(create_app(settings), headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        found = estimate(client, scenes=[described(squares.affine, 700, 500)])
        loading.set()
        assert found["tiles"] == 12  # tiny's profile has the tiles of the finder's
        assert (found["seconds"], found["timed_on"]) == (None, None)
        assert "is being loaded" in found["sentence"]
        deadline = time.monotonic() + 30
        while (later := estimate(client, scenes=[described(squares.affine, 700, 500)]))["seconds"] is None:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert later["timed_on"].endswith("trial tiles without objects")


def test_a_model_that_cannot_answer_a_trial_gives_no_seconds(
    start: Callable[..., Any], squares: Squares
) -> None:
    from groundproof.errors import ModelError

    class Dead(SquareFinder):
        def generate(self, requests: Iterable[Request]) -> Generator[Piece]:
            raise ModelError("out of memory")
            yield

    with start(Dead()) as live:
        found = live.http.post("/estimate", json={"scenes": [described(squares.affine, 700, 500)]}).json()
        assert found["seconds"] is None
        assert "is not known: no tiles like these were timed here yet" in found["sentence"]


def test_second_looks_limits_and_the_queue_are_said_in_words(
    start: Callable[..., Any], squares: Squares
) -> None:
    with start(SteadyFinder(0.2), limits={"tiles": 15}) as live:
        job = live.ask(squares.path)
        body = {"scenes": [described(squares.affine, 7000, 500)], "second_look": True}
        found = live.http.post("/estimate", json=body).json()
        assert found["tiles"] > found["tiles_allowed"] == 15
        for words in (
            "This service allows 15 tiles",
            "The second look comes on top",
            "1 other question is being answered",
        ):
            assert words in found["sentence"]
        live.http.delete(f"/jobs/{job}")


def test_what_the_ask_would_refuse_is_refused_now(client: TestClient, squares: Squares) -> None:
    good = described(squares.affine, 700, 500)
    for body, status, words in (
        ({"scenes": []}, 422, "scenes"),
        ({"scenes": [{"width": 5}]}, 422, "width and height"),
        ({"scenes": [{**good, "id": "x"}]}, 422, "width and height"),
        ({"scenes": [{"id": "0" * 32}]}, 404, "no scene"),
        ({"scenes": [{"path": "/etc/passwd"}]}, 403, "not below a folder"),
        ({"scenes": [{"width": 700, "height": 500}]}, 422, "without a CRS"),
        ({"scenes": [{**good, "crs": "EPSG:99999999"}]}, 422, "not a coordinate reference system"),
        ({"scenes": [{**good, "affine": [0, 0, 0, 0, 0, 0]}]}, 422, "no size"),
        ({"scenes": [good], "aoi": [0, 0, 1, 1]}, 422, "but the scene covers"),
        ({"scenes": [good], "aoi": {"type": "Polygon"}, "aoi_crs": "nonsense"}, 422, "aoi_crs"),
        ({"scenes": [good], "tile": 150}, 422, "not a multiple of 28"),
        ({"scenes": [good], "tiles": 100}, 422, "not a field"),
    ):
        reply = client.post("/estimate", json=body)
        assert words in problem(reply, status)["detail"], body


# the pace itself


class SteadyFinder(SquareFinder):
    """Takes the same time for each tile."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def generate(self, requests: Iterable[Request]) -> Generator[Piece]:
        for piece in super().generate(requests):
            if piece.finish is not None:
                time.sleep(self._seconds)
            yield piece


def test_the_pace_is_a_median_of_questions_weighted_by_tiles(tmp_path: Path) -> None:
    store = PaceStore(tmp_path / "pace.json")
    for tiles, seconds in ((100, 100.0), (1, 50.0), (2, 0.1), (90, 99.0)):
        store.add("m", Measured(tiles, seconds, 50_176.0))
    pace = store.pace("m", 50_176.0)
    assert pace is not None
    assert pace.seconds_per_tile == 1.0
    assert pace.measured_on == "193 tiles of 4 earlier questions"
    assert store.pace("another", 50_176.0) is None
    assert store.pace("m", 50_176.0 * 4) is None, "tiles of another size were not timed"
    assert store.pace("m", 50_176.0 * 1.5) is not None


def test_only_the_last_questions_count_and_a_damaged_file_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "pace.json"
    store = PaceStore(path)
    store.add("m", Measured(1000, 9000.0, 1.0))
    for _ in range(20):
        store.add("m", Measured(10, 10.0, 1.0))
    found = PaceStore(path).pace("m", 1.0)
    assert found is not None
    assert found.seconds_per_tile == 1.0
    path.write_text('{"m": [{"tiles": 1', encoding="utf-8")
    assert PaceStore(path).pace("m", 1.0) is None


def test_a_trial_warms_up_first_and_counts_for_nothing_beside_real_questions(tmp_path: Path) -> None:
    measured = time_trial(SteadyFinder(0.01), 224, 224)
    assert (measured.tiles, measured.pixels, measured.trial) == (4, 224 * 224.0, True)
    assert 0.04 <= measured.seconds < 1
    store = PaceStore(tmp_path / "pace.json")
    store.add("m", measured)
    assert store.pace("m", 224 * 224.0) is not None
    store.add("m", Measured(5, 50.0, 224 * 224.0))
    pace = store.pace("m", 224 * 224.0)
    assert pace is not None
    assert (pace.seconds_per_tile, pace.trial) == (10.0, False)


def test_a_trial_tells_what_tiles_full_of_objects_would_take(tmp_path: Path) -> None:
    """The steps of a batch cost the time, and an empty tile has few of them."""

    class Slow(SquareFinder):
        def generate(self, requests: Iterable[Request]) -> Generator[Piece]:
            asked = list(requests)
            for _ in range(11):
                time.sleep(0.02)
                for request in asked:
                    yield Piece(request.request_id, "x")
            for request in asked:
                yield Piece(request.request_id, "", finish="stop")

    measured = time_trial(Slow(), 224, 224)
    assert measured.full_seconds is not None
    assert measured.full_seconds - measured.seconds == pytest.approx(
        FULL_BOXES * TOKENS_PER_BOX * 0.02, rel=0.5
    )
    store = PaceStore(tmp_path / "pace.json")
    store.add("m", measured)
    pace = PaceStore(tmp_path / "pace.json").pace("m", 224 * 224.0)
    assert pace is not None
    assert pace.seconds_per_full_tile == measured.full_seconds / 4
    store.add("m", Measured(5, 50.0, 224 * 224.0))
    asked = store.pace("m", 224 * 224.0)
    assert asked is not None
    assert asked.seconds_per_full_tile is None


def test_a_trial_of_an_earlier_version_knows_no_upper_end(tmp_path: Path) -> None:
    path = tmp_path / "pace.json"
    old = {"tiles": 4, "seconds": 2.0, "pixels": 224 * 224.0, "trial": True}
    path.write_text(json.dumps({"m": [old]}), encoding="utf-8")
    pace = PaceStore(path).pace("m", 224 * 224.0)
    assert pace is not None
    assert (pace.seconds_per_tile, pace.seconds_per_full_tile) == (0.5, None)


def test_progress_tells_the_seconds_left_at_the_jobs_own_pace(
    start: Callable[..., Any], squares: Squares
) -> None:
    with start(SteadyFinder(0.2)) as live:
        job = live.ask(squares.path)
        live.wait(job)
        events = [e.data for e in live.service.jobs.events(job).after() if e.name == "progress"]
    assert events[0]["seconds_left"] is None
    told = [e for e in events if e["seconds_left"] is not None]
    assert told, events
    for event in told:
        left = event["tiles"] - event["answered"]
        assert left * 0.19 <= event["seconds_left"] <= left * 0.2 * 5
    assert [e["answered"] for e in told if e["answered"] % 4 == 0] == [4, 8], "each batch of 4 is told"
    assert events[-1]["seconds_left"] is None


def test_ready_tells_what_a_form_needs(client: TestClient) -> None:
    model = client.get("/ready").json()["model"]
    assert {"name", "title", "labels", "tasks", "tile_px", "gsd_m"} <= set(model)
    assert Engine("tiny").profile.name == "tiny"

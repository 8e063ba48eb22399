"""Asking over HTTP: what comes back, in which order, and that it is what the engine itself says."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Generator, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import shapely
from fastapi.testclient import TestClient
from PIL import Image
from pyproj import Transformer
from shapely import box as rectangle
from shapely.affinity import affine_transform
from shapely.geometry import mapping, shape

import groundproof
import groundproof.session as session
from groundproof.models.base import Piece, Request
from groundproof.service.jobs.repeats import Once
from groundproof.service.jobs.store import JobStore
from tests.engine.conftest import Squares
from tests.engine.square_finder import SquareFinder

from .conftest import QUESTION, Live


class Gated(SquareFinder):
    """Answers `free` requests, then waits for `gate`."""

    def __init__(self, free: int = 4) -> None:
        super().__init__()
        self.free = free
        self.gate = threading.Event()
        self.waits = threading.Event()

    def generate(self, requests: Iterable[Request]) -> Generator[Piece]:
        for piece in super().generate(requests):
            if self.answered > self.free and not self.gate.is_set():
                self.waits.set()
                self.gate.wait(30)
            yield piece


def read_events(lines: Iterable[str]) -> list[tuple[int, str, dict[str, Any]]]:
    """What a server-sent events stream says: (id, event, data)."""
    found, number, name = [], 0, ""
    for line in lines:
        field, _, value = line.partition(": ")
        if field == "id":
            number = int(value)
        elif field == "event":
            name = value
        elif field == "data":
            found.append((number, name, json.loads(value)))
    return found


def events_of(live: Live, job: str, **headers: str) -> list[tuple[int, str, dict[str, Any]]]:
    with live.http.stream("GET", f"/jobs/{job}/events", headers=headers) as reply:
        assert reply.headers["content-type"].startswith("text/event-stream")
        return read_events(reply.iter_lines())


def test_asking_makes_a_job_and_says_where_it_is(client: TestClient, squares: Squares) -> None:
    reply = client.post("/ask", json={"question": QUESTION, "scenes": [{"path": str(squares.path)}]})
    assert reply.status_code == 201
    state = reply.json()
    assert reply.headers["location"] == f"/jobs/{state['jobID']}"
    assert state["processID"] == "ask"


def test_a_client_that_accepts_json_waits_and_gets_what_the_engine_itself_says(
    client: TestClient, squares: Squares, monkeypatch: pytest.MonkeyPatch
) -> None:
    reply = client.post(
        "/ask",
        json={"question": QUESTION, "scenes": [{"path": str(squares.path)}]},
        headers={"Accept": "application/json"},
    )
    assert reply.status_code == 200
    document = reply.json()

    monkeypatch.setattr(session, "open_model", lambda _: SquareFinder())
    own = groundproof.ask(squares.path, QUESTION)
    assert document["answers"][0]["value"] == own.value == len(squares.boxes)
    assert document["answers"][0]["coverage"] == own.coverage
    assert document["crs"] == "EPSG:32631"
    assert document["evidence_total"] == len(document["evidence"]) == len(own.evidence)
    to_degrees = Transformer.from_crs("EPSG:32631", "OGC:CRS84", always_xy=True)
    for row, (_, expected) in zip(document["evidence"], own.evidence.iterrows(), strict=True):
        assert row["evidence_id"] == expected.evidence_id
        assert row["final"] is True
        assert row["box_px"] == expected.box_px
        assert shape(row["geometry"]).equals_exact(expected.geometry, 1e-6)
        there = shape(row["geometry_wgs84"]).centroid
        x, y = to_degrees.transform(expected.geometry.centroid.x, expected.geometry.centroid.y)
        assert (there.x, there.y) == pytest.approx((x, y), abs=1e-7)


def test_events_tell_plan_evidence_answer_and_end_with_done(live: Live, squares: Squares) -> None:
    job = live.ask(squares.path)
    events = events_of(live, job)
    names = [name for _, name, _ in events]
    assert [number for number, _, _ in events] == list(range(1, len(events) + 1))
    assert names[-1] == "done"
    assert names.count("plan") == 1
    for name in ("synthesis", "answer", "coverage", "audit"):
        assert names.count(name) == 1
    live_boxes = [data for _, name, data in events if name == "evidence" and not data["final"]]
    merged = [data for _, name, data in events if name == "evidence" and data["final"]]
    assert len(merged) == len(squares.boxes)
    assert names.index("plan") < names.index("evidence") < names.index("answer")
    tiles = {(parent["tile_id"], parent["number"]) for box in merged for parent in box["parents"]}
    assert {
        (d["key"].split(":")[0], int(d["key"].split(":")[-1])) for d in live_boxes if d["role"] == "evidence"
    } == tiles
    for box in merged:
        assert shape(box["geometry"]).is_valid
        assert box["width_m"] == pytest.approx((box["box_px"][2] - box["box_px"][0]) * 0.5, rel=2e-3)


def test_a_client_that_comes_back_gets_only_the_events_it_missed(live: Live, squares: Squares) -> None:
    job = live.ask(squares.path)
    whole = events_of(live, job)
    assert events_of(live, job, **{"Last-Event-ID": "3"}) == whole[3:]
    with live.http.stream("GET", f"/jobs/{job}/events?after=5") as reply:
        assert read_events(reply.iter_lines()) == whole[5:]


def test_evidence_arrives_while_the_model_still_writes(start: Callable[..., Any], squares: Squares) -> None:
    model = Gated(free=2)
    with start(model) as live:
        job = live.ask(squares.path)
        assert model.waits.wait(20)
        seen = []
        with live.http.stream("GET", f"/jobs/{job}/events") as reply:
            for line in reply.iter_lines():
                seen.append(line)
                if line.startswith("data: ") and '"final": false' in line:
                    break
        assert live.service.jobs.get(job).status == "running"
        model.gate.set()
        assert live.wait(job)["status"] == "successful"


def test_asking_for_an_event_stream_gives_the_events_at_once(live: Live, squares: Squares) -> None:
    body = {"question": QUESTION, "scenes": [{"path": str(squares.path)}]}
    with live.http.stream("POST", "/ask", json=body, headers={"Accept": "text/event-stream"}) as reply:
        events = read_events(reply.iter_lines())
    assert reply.headers["location"].startswith("/jobs/")
    assert events[-1][1] == "done"
    assert events[-1][2]["status"] == "successful"


def test_a_service_stopped_in_the_middle_goes_on_and_gives_the_same_answer(
    start: Callable[..., Any], squares: Squares
) -> None:
    undisturbed = SquareFinder()
    with start(undisturbed) as live:
        job = live.ask(squares.path)
        live.wait(job)
        expected = events_of(live, job)
    model = Gated(free=5)
    with start(model) as live:
        job = live.ask(squares.path)
        assert model.waits.wait(20)
        threading.Timer(0.3, model.gate.set).start()
    interrupted = live.service.jobs.get(job)
    assert not interrupted.ended
    again = SquareFinder()
    with start(again) as live:
        assert live.wait(job)["status"] == "successful"
        events = events_of(live, job)
    assert 0 < again.answered < undisturbed.answered
    final = [
        (n, {k: v for k, v in d.items() if k not in ("key",)})
        for _, n, d in events
        if n == "answer" or d.get("final")
    ]
    wanted = [
        (n, {k: v for k, v in d.items() if k not in ("key",)})
        for _, n, d in expected
        if n == "answer" or d.get("final")
    ]
    assert final == wanted
    keys = [d["key"] for _, n, d in events if n == "evidence"]
    assert len(keys) == len(set(keys)), "a box told before the stop was told again"


def test_cancelling_keeps_what_was_answered(start: Callable[..., Any], squares: Squares) -> None:
    model = Gated(free=5)
    with start(model) as live:
        job = live.ask(squares.path)
        assert model.waits.wait(20)
        live.service.runner.cancel(job)
        model.gate.set()
        assert live.wait(job)["status"] == "dismissed"
        assert events_of(live, job)[-1][1:] == (
            "done",
            {"status": "dismissed", "message": "The job was cancelled. What was answered is kept."},
        )
        parts = list((live.service.jobs.run_directory(job) / "answers").glob("batch-*.parquet"))
        assert len(parts) == 1


@pytest.mark.parametrize("leave", ["continue", "cancel"])
def test_the_job_of_a_client_that_leaves_does_as_it_said(
    start: Callable[..., Any], squares: Squares, leave: str
) -> None:
    model = Gated(free=2)
    with start(model) as live:
        body = {"question": QUESTION, "scenes": [{"path": str(squares.path)}], "on_disconnect": leave}
        with live.http.stream("POST", "/ask", json=body, headers={"Accept": "text/event-stream"}) as reply:
            job = reply.headers["location"].rpartition("/")[2]
            assert model.waits.wait(20)
        threading.Timer(1.0, model.gate.set).start()
        assert live.wait(job)["status"] == ("successful" if leave == "continue" else "dismissed")


def test_a_full_queue_is_refused_with_the_time_to_come_back(
    start: Callable[..., Any], squares: Squares
) -> None:
    model = Gated(free=0)
    with start(model, limits={"queue": 3}, workers=1) as live:
        for _ in range(3):
            live.ask(squares.path)
        reply = live.http.post("/ask", json={"question": QUESTION, "scenes": [{"path": str(squares.path)}]})
        assert reply.status_code == 429
        assert int(reply.headers["retry-after"]) > 0
        assert reply.headers["content-type"] == "application/problem+json"
        assert "3 jobs wait or run" in reply.json()["detail"]
        model.gate.set()
        for job in live.service.jobs.all():
            live.wait(job.job_id)
        assert live.ask(squares.path)


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"question": ""}, 422, "question"),
        ({"question": "x" * 2001}, 422, "2000"),
        ({"scenes": []}, 422, "scenes"),
        ({"scenes": [{"id": "a" * 32}]}, 404, "no scene"),
        ({"scenes": [{"path": "/etc/passwd"}]}, 403, "/etc/passwd"),
        ({"scenes": [{"path": "x", "url": "y"}]}, 422, "exactly one"),
        ({"task": "sing"}, 422, "task"),
        ({"aoi_crs": "EPSG:99999999"}, 422, "aoi_crs"),
        ({"nonsense": 1}, 422, "nonsense"),
        ({"context": {"job": "b" * 32}}, 404, "no job"),
        ({"gsd": -1}, 422, "gsd"),
    ],
)
def test_what_cannot_be_asked_is_refused_at_once_in_a_sentence(
    client: TestClient, squares: Squares, change: dict[str, Any], status: int, words: str
) -> None:
    body = {"question": QUESTION, "scenes": [{"path": str(squares.path)}], **change}
    reply = client.post("/ask", json=body)
    assert reply.status_code == status, reply.text
    assert reply.headers["content-type"] == "application/problem+json"
    assert words in json.dumps(reply.json())


def test_an_error_of_the_engine_is_an_event_and_a_problem(client: TestClient, squares: Squares) -> None:
    body = {"question": QUESTION, "scenes": [{"path": str(squares.path)}], "aoi": [0, 0, 1, 1]}
    reply = client.post("/ask", json=body, headers={"Accept": "application/json"})
    assert reply.status_code == 422
    assert "but the scene covers" in reply.json()["detail"]
    job = reply.headers["location"].rpartition("/")[2]
    events = read_events(client.get(f"/jobs/{job}/events").iter_lines())
    assert [name for _, name, _ in events[-2:]] == ["error", "done"]


def test_an_image_sent_along_is_answered_where_it_lies(client: TestClient, squares: Squares) -> None:
    reply = client.post(
        "/ask",
        files={"image": ("harbour.tif", squares.path.read_bytes(), "image/tiff")},
        data={"question": QUESTION},
        headers={"Accept": "application/json"},
    )
    assert reply.status_code == 200, reply.text
    document = reply.json()
    assert document["answers"][0]["value"] == len(squares.boxes)
    assert document["answers"][0]["scene"] == "harbour"
    box = document["evidence"][0]
    corner = squares.affine @ (box["box_px"][0], box["box_px"][1])
    assert shape(box["geometry"]).exterior.coords[0] == pytest.approx(corner, abs=1e-4)


def test_an_image_without_a_place_gives_boxes_in_pixels(client: TestClient, tmp_path: Path) -> None:
    pixels = np.full((300, 400, 3), 40, np.uint8)
    pixels[50:90, 100:150] = 250
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    files = {"image": ("photo.png", (tmp_path / "photo.png").read_bytes(), "image/png")}
    headers = {"Accept": "application/json"}
    plain = client.post("/ask", files=files, data={"question": QUESTION}, headers=headers).json()
    assert plain["crs"] is None
    assert plain["evidence"][0]["box_px"] == pytest.approx([100, 50, 150, 90], abs=0.5)
    placed = client.post(
        "/ask",
        files=files,
        data={"question": QUESTION, "affine": "0.5,0,443000,0,-0.5,4100000", "crs": "EPSG:32631"},
        headers=headers,
    ).json()
    assert shape(placed["evidence"][0]["geometry"]).bounds == pytest.approx(
        (443050, 4099955, 443075, 4099975), abs=0.3
    )


def test_a_follow_up_about_a_box_looks_at_its_surroundings_and_names_what_it_follows(
    client: TestClient, squares: Squares
) -> None:
    headers = {"Accept": "application/json"}
    scenes = [{"path": str(squares.path)}]
    first = client.post("/ask", json={"question": QUESTION, "scenes": scenes}, headers=headers).json()
    chosen = first["evidence"][0]
    context = {"job": first["job"], "answer_id": "A1", "evidence": [chosen["evidence_id"]]}
    reply = client.post(
        "/ask", json={"question": QUESTION, "scenes": scenes, "context": context}, headers=headers
    )
    assert reply.status_code == 200, reply.text
    second = reply.json()
    assert [e["box_px"] for e in second["evidence"]] == [pytest.approx(chosen["box_px"], abs=0.5)]
    earlier = second["answers"][0]["context"]["follows"]
    assert earlier["question"] == QUESTION
    assert [e["evidence_id"] for e in earlier["evidence"]] == [chosen["evidence_id"]]


def test_polygons_as_geojson_give_one_answer_each(client: TestClient, squares: Squares) -> None:
    a = squares.affine
    to_degrees = Transformer.from_crs("EPSG:32631", "OGC:CRS84", always_xy=True).transform
    parts = [
        shapely.transform(
            affine_transform(rectangle(*px), [a.a, a.b, a.d, a.e, a.c, a.f]), to_degrees, interleaved=False
        )
        for px in [(0, 0, 350, 250), (250, 250, 700, 500)]
    ]
    aoi = {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "properties": {"name": name}, "geometry": mapping(part)}
            for name, part in zip(["north", "south"], parts, strict=True)
        ],
    }
    body = {"question": QUESTION, "scenes": [{"path": str(squares.path)}], "aoi": aoi, "aoi_field": "name"}
    reply = client.post("/ask", json=body, headers={"Accept": "application/json"})
    assert reply.status_code == 200, reply.text
    answers = reply.json()["answers"]
    assert [(a["context"]["area"], a["value"]) for a in answers] == [("north", 2), ("south", 2)]


def test_health_needs_no_token_and_everything_else_does(live: Live) -> None:
    assert httpx.get(f"{live.url}/health").json()["api"] == "1"
    for address in ("/ready", "/jobs", "/metrics", "/openapi.json", "/scenes"):
        assert httpx.get(live.url + address).status_code == 401
    assert live.http.get("/ready").json()["ready"] is True


def test_metrics_count_tiles_jobs_and_requests_and_hold_no_question(
    client: TestClient, squares: Squares
) -> None:
    body = {"question": "How many airplanes stand in Secretville?", "scenes": [{"path": str(squares.path)}]}
    client.post("/ask", json=body, headers={"Accept": "application/json"})
    text = client.get("/metrics").text
    assert 'groundproof_jobs{status="successful"} 1.0' in text
    assert "groundproof_model_ready 1.0" in text
    assert 'groundproof_requests_total{method="POST",route="/ask",status="200"} 1.0' in text
    tiles = sum(
        float(line.rpartition(" ")[2])
        for line in text.splitlines()
        if line.startswith("groundproof_tiles_total{")
    )
    assert tiles > 5
    assert "Secretville" not in text
    assert "squares" not in text


def test_a_request_that_comes_twice_is_one_job(live: Live, squares: Squares) -> None:
    """A client's library sends a request again when its connection was dead, and the service has it already."""
    body = {"question": QUESTION, "scenes": [{"path": str(squares.path)}]}
    first = live.http.post("/ask", json=body, headers={"Idempotency-Key": "click-1"})
    again = live.http.post("/ask", json=body, headers={"Idempotency-Key": "click-1"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["location"] == first.headers["location"]
    assert len(live.http.get("/jobs").json()["jobs"]) == 1
    events_of(live, first.json()["jobID"])
    squares.path.unlink()  # what was answered is found again without its scene
    later = live.http.post("/ask", json=body, headers={"Idempotency-Key": "click-1"})
    assert later.json()["jobID"] == first.json()["jobID"]
    assert later.json()["status"] == "successful"


def test_another_key_is_another_job_and_no_key_is_none(live: Live, squares: Squares) -> None:
    body = {"question": QUESTION, "scenes": [{"path": str(squares.path)}]}
    jobs = {
        live.http.post("/ask", json=body, headers=headers).json()["jobID"]
        for headers in ({"Idempotency-Key": "a"}, {"Idempotency-Key": "b"}, {}, {})
    }
    assert len(jobs) == 4


def test_a_key_that_was_sent_with_another_question_is_refused(client: TestClient, squares: Squares) -> None:
    body = {"question": QUESTION, "scenes": [{"path": str(squares.path)}]}
    assert client.post("/ask", json=body, headers={"Idempotency-Key": "a"}).status_code == 201
    other = {**body, "question": "How many ships are there?"}
    refused = client.post("/ask", json=other, headers={"Idempotency-Key": "a"})
    assert refused.status_code == 422
    assert "another question" in refused.json()["detail"]
    too_long = client.post("/ask", json=body, headers={"Idempotency-Key": "x" * 256})
    assert too_long.status_code == 422


def test_an_image_that_is_sent_twice_under_one_key_is_one_job_and_one_scene(
    client: TestClient, squares: Squares
) -> None:
    def send(key: str, data: bytes) -> httpx.Response:
        files = {"image": ("harbour.tif", data, "image/tiff")}
        return client.post("/ask", files=files, data={"question": QUESTION}, headers={"Idempotency-Key": key})

    pixels = squares.path.read_bytes()
    first, again = send("a", pixels), send("a", pixels)
    assert first.json()["jobID"] == again.json()["jobID"]
    assert send("b", pixels).json()["jobID"] != first.json()["jobID"]
    assert send("a", pixels + b"\0").status_code == 422


def test_a_key_is_remembered_over_a_restart_and_for_a_day(tmp_path: Path) -> None:
    store = JobStore(tmp_path / "jobs")
    once = Once.of("click", {"question": "What?"})
    made = store.create("ask", {"question": "What?"}, once=once)
    again = JobStore(tmp_path / "jobs")
    assert once.among(again.all()) == made
    old = replace(made, created="2020-01-01T00:00:00.000Z")
    assert once.among([old]) is None

"""The processes beside ask, and what becomes of jobs that are cancelled or outlive their service."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator, Iterable
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from affine import Affine
from fastapi.testclient import TestClient

from groundproof.models.base import Piece, Request
from groundproof.outputs import read
from tests.engine.conftest import BOXES, Squares, write_squares
from tests.engine.square_finder import SquareFinder
from tests.service.conftest import QUESTION
from tests.service.test_ogc_processes import ASYNC, asked, execute, inputs, problem

SLOW_S = 0.05


class SlowFinder(SquareFinder):
    """Answers some requests at once, and every later one a character at a time, slowly."""

    def __init__(self, quick: int) -> None:
        super().__init__(max_in_flight=1)
        self._quick = quick

    def generate(self, requests: Iterable[Request]) -> Generator[Piece]:
        for piece in super().generate(requests):
            if self.answered > self._quick:
                time.sleep(SLOW_S)
            yield piece


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)


# audit


def test_a_rejected_box_is_no_longer_counted(client: TestClient, squares: Squares) -> None:
    job = asked(client, squares)
    document = execute(client, "audit", {"job": job, "review": {"E2": "rejected", "A1:E3": "accepted"}})
    assert document["answers"][0]["value"] == len(BOXES) - 1
    boxes = {box["evidence_id"]: box for box in document["evidence"]}
    assert (boxes["E2"]["counted"], boxes["E2"]["review"]) == (False, "rejected")
    assert (boxes["E3"]["verdict"], boxes["E3"]["review"]) == ("supported", "accepted")
    assert boxes["E1"]["review"] is None


def test_an_audit_can_be_audited_again_and_keeps_the_review(
    client: TestClient, squares: Squares, settings: Any
) -> None:
    first = client.post(
        "/processes/audit/execution",
        json={"inputs": {"job": asked(client, squares), "review": {"E1": "rejected"}}},
    )
    job = first.headers["Location"].rpartition("/")[2]
    again = execute(client, "audit", {"job": job, "review": {"E2": "rejected"}})
    assert again["answers"][0]["value"] == len(BOXES) - 2
    kept = read(settings.data_dir / "jobs" / job / "result.gpkg").evidence
    assert kept.loc[kept.evidence_id == "E1", "reviewed_at"].iloc[0].endswith("Z")


def test_an_audit_without_a_review_changes_nothing(client: TestClient, squares: Squares) -> None:
    job = asked(client, squares)
    audit = client.post("/processes/audit/execution", json={"inputs": {"job": job}})
    found = execute(client, "diff", {"a": job, "b": audit.headers["Location"].rpartition("/")[2]})
    assert found["is_empty"] is True


def test_a_review_of_evidence_that_is_not_there_says_so(client: TestClient, squares: Squares) -> None:
    job = asked(client, squares)
    for review, status in (
        ({"E99": "accepted"}, 404),
        ({"A2:E1": "accepted"}, 404),
        ({"E1": "adored"}, 422),
        ({"the big one": "accepted"}, 422),
    ):
        reply = client.post("/processes/audit/execution", json={"inputs": {"job": job, "review": review}})
        problem(reply, status)


# merge


def test_merging_again_takes_other_thresholds_and_another_crs(client: TestClient, squares: Squares) -> None:
    job = asked(client, squares)
    strict = execute(client, "merge", {"job": job, "ios": 1.0, "iou": 1.0})
    assert strict["answers"][0]["value"] > len(BOXES)  # halves of one object stay two
    elsewhere = execute(client, "merge", {"job": job, "out_crs": "EPSG:4326"})
    assert elsewhere["crs"] == "EPSG:4326"
    assert elsewhere["answers"][0]["value"] == len(BOXES)


def test_only_an_ask_that_ended_can_be_merged(client: TestClient, squares: Squares) -> None:
    audit = client.post("/processes/audit/execution", json={"inputs": {"job": asked(client, squares)}})
    job = audit.headers["Location"].rpartition("/")[2]
    reply = client.post("/processes/merge/execution", json={"inputs": {"job": job}})
    assert "Only an ask" in problem(reply, 409)["detail"]


# diff


def test_a_difference_names_what_changed(client: TestClient, squares: Squares) -> None:
    job = asked(client, squares)
    strict = client.post("/processes/merge/execution", json={"inputs": {"job": job, "ios": 1.0, "iou": 1.0}})
    document = execute(client, "diff", {"a": job, "b": strict.headers["Location"].rpartition("/")[2]})
    assert document["is_empty"] is False
    assert document["answers"][0]["added"]
    assert f"{len(BOXES)} airplanes ->" in document["text"]


def test_two_canvases_of_one_place_are_compared_by_where_things_lie(
    client: TestClient, squares: Squares, tmp_path: Path
) -> None:
    """The second canvas is coarser and shows a part; one square has moved, one is gone, one is new."""
    north_up = Affine(0.5, 0, 443000, 0, -0.5, 4100000)
    first = write_squares(tmp_path / "imagery" / "first.tif", BOXES, affine=north_up).path
    # 0.4 m pixels that begin 60 m east (first column 120) and 5 m north; in metres: x = 60 + 0.4 col.
    coarser = Affine(0.4, 0, 443060, 0, -0.4, 4100005)

    def there(box: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
        x0, y0, x1, y1 = (
            (v * 0.5 - 60) / 0.4 if n % 2 == 0 else (v * 0.5 + 5) / 0.4 for n, v in enumerate(box)
        )
        return round(x0), round(y0), round(x1), round(y1)

    moved = (310, 305, 470, 345)  # of (300, 300, 460, 340): 5 m east and 2.5 m south
    kept = [BOXES[1], BOXES[2]]
    new = (500, 200, 540, 240)
    boxes = [there(box) for box in (*kept, moved, new)]
    second = write_squares(
        tmp_path / "imagery" / "second.tif", boxes, width=720, height=660, affine=coarser
    ).path
    jobs = []
    for path in (first, second):
        body = {"inputs": {"question": QUESTION, "scenes": [{"path": str(path)}]}}
        reply = client.post("/processes/ask/execution", json=body)
        jobs.append(reply.headers["Location"].rpartition("/")[2])
    document = execute(client, "diff", {"a": jobs[0], "b": jobs[1]})
    (answer,) = document["answers"]
    assert document["added"] == document["removed"] == []
    assert answer["same_pixels"] is False
    assert len(answer["kept"]) == 2
    (change,) = answer["changed"]
    assert change["moved_m"] == pytest.approx((5**2 + 2.5**2) ** 0.5, abs=0.4)
    assert [item["label"] for item in answer["added"]] == ["airplane"]
    assert [item["box_px"] for item in answer["removed"]] == [pytest.approx(BOXES[3], abs=0.01)]
    assert [item["box_px"] for item in answer["outside"]["before"]] == [pytest.approx(BOXES[0], abs=0.01)]
    assert answer["outside"]["after"] == []
    assert "1 added, 1 removed, 1 changed" in document["text"]


# review-export


def test_a_review_becomes_training_data(client: TestClient, squares: Squares) -> None:
    job = asked(client, squares)
    review = {f"E{number}": "accepted" for number in range(1, len(BOXES) + 1)}
    document = execute(client, "review-export", {"job": job, "format": "coco", "review": review})
    assert document["labels"] == ["airplane"]
    reply = client.get(document["archive"]["href"])
    assert reply.headers["content-type"] == "application/zip"
    with ZipFile(BytesIO(reply.content)) as archive:
        annotations = json.loads(archive.read("annotations.json"))
    assert len(annotations["images"]) == document["examples"]
    assert len(annotations["annotations"]) == document["boxes"] >= len(BOXES)


def test_an_export_without_a_review_fails_with_a_sentence(client: TestClient, squares: Squares) -> None:
    job = asked(client, squares)
    reply = client.post(
        "/processes/review-export/execution", json={"inputs": {"job": job, "format": "yolo"}}, headers=ASYNC
    )
    failed = reply.headers["Location"]
    until(lambda: client.get(failed).json()["status"] == "failed")
    assert "Accept or reject" in problem(client.get(f"{failed}/results"), 422)["detail"]
    assert "Accept or reject" in client.get(failed).json()["message"]


# a service that stops, and jobs that are cancelled


def test_a_job_goes_on_after_a_restart_and_gives_the_same_answer(
    start: Callable[..., Any], squares: Squares
) -> None:
    first = SlowFinder(quick=4)
    with start(first) as live:
        job = live.ask(squares.path)
        until(lambda: first.answered > 4)
        assert not live.service.jobs.get(job).ended
    second = SquareFinder(max_in_flight=1)
    with start(second) as live:
        assert live.wait(job)["status"] == "successful"
        whole = live.ask(squares.path)
        continued = second.answered
        live.wait(whole)
        assert 0 < continued < second.answered - continued  # fewer than a run from the beginning takes
        body = {"inputs": {"a": job, "b": whole}}
        assert live.http.post("/processes/diff/execution", json=body).json()["is_empty"] is True
        events = [event.name for event in live.service.jobs.events(job).after()]
        assert events.count("done") == 1
        assert events[-1] == "done"


def test_results_of_a_running_job_are_not_ready_and_cancelling_keeps_what_was_answered(
    start: Callable[..., Any], squares: Squares
) -> None:
    model = SlowFinder(quick=6)
    with start(model) as live:
        job = live.ask(squares.path)
        until(lambda: model.answered > 6)
        early = live.http.get(f"/jobs/{job}/results")
        assert early.status_code == 404
        assert early.json()["type"].endswith("/result-not-ready")
        assert live.http.get(f"/jobs/{job}").json()["status"] == "running"
        info = live.http.delete(f"/jobs/{job}").json()
        assert info["status"] == "dismissed"
        assert live.http.get(f"/jobs/{job}").json()["status"] == "dismissed"
        late = live.http.get(f"/jobs/{job}/results")
        assert late.status_code == 404
        assert "merge" in late.json()["detail"]
        merged = live.http.post("/processes/merge/execution", json={"inputs": {"job": job}}).json()
        coverage = merged["answers"][0]["coverage"]
        assert 0 < coverage["looked_at"] < coverage["tiles"]


def test_a_job_cancelled_in_the_queue_never_begins(start: Callable[..., Any], squares: Squares) -> None:
    model = SlowFinder(quick=0)
    with start(model, workers=1) as live:
        running = live.ask(squares.path)
        until(lambda: model.answered > 0)
        waiting = live.ask(squares.path)
        info = live.http.delete(f"/jobs/{waiting}").json()
        assert info["status"] == "dismissed"
        assert "started" not in info
        live.http.delete(f"/jobs/{running}")


def test_a_client_that_leaves_may_cancel_its_job(start: Callable[..., Any], squares: Squares) -> None:
    import httpx

    with start(SlowFinder(quick=0)) as live:
        body = {"inputs": inputs(squares, on_disconnect="cancel")}
        with pytest.raises(httpx.ReadTimeout):
            live.http.post("/processes/ask/execution", json=body, timeout=1.0)
        (job,) = live.service.jobs.all()
        assert live.wait(job.job_id)["status"] == "dismissed"


def test_a_request_waits_no_longer_than_the_operator_allows(
    start: Callable[..., Any], squares: Squares
) -> None:
    with start(SlowFinder(quick=0), limits={"wait_seconds": 0.2}) as live:
        reply = live.http.post("/processes/ask/execution", json={"inputs": inputs(squares)})
        assert reply.status_code == 202
        assert reply.headers["Location"].endswith(reply.json()["jobID"])
        live.http.delete(reply.headers["Location"])


def test_a_full_queue_is_said_with_when_to_come_back(start: Callable[..., Any], squares: Squares) -> None:
    with start(SlowFinder(quick=0), limits={"queue": 1}) as live:
        job = live.ask(squares.path)
        reply = live.http.post("/processes/ask/execution", json={"inputs": inputs(squares)})
        assert reply.status_code == 429
        assert int(reply.headers["Retry-After"]) > 0
        live.http.delete(f"/jobs/{job}")

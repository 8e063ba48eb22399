"""Reviews with boxes: adjusted and added, what they do to the result, and what of them is refused."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import pytest
from fastapi.testclient import TestClient
from shapely.geometry import Polygon, mapping, shape

from groundproof.outputs import read
from groundproof.service.settings import MIB
from tests.engine.conftest import BOXES, Squares, write_squares
from tests.engine.square_finder import SquareFinder
from tests.service.conftest import make_settings, serve
from tests.service.test_ogc_processes import asked, execute, inputs, problem

Numbers = tuple[float, float, float, float]
MISSED: Numbers = (500.0, 200.0, 540.0, 230.0)
"""A place in the scene of squares where the finder finds nothing, in pixels."""


def on_map(squares: Squares, box: Numbers) -> dict[str, Any]:
    """The polygon of a pixel box on the (rotated) map, by the affine alone."""
    x0, y0, x1, y1 = box
    ring = [squares.affine @ corner for corner in ((x0, y0), (x0, y1), (x1, y1), (x1, y0), (x0, y0))]
    return {"type": "Polygon", "coordinates": [[list(map(float, point[:2])) for point in ring]]}


def adjusted(polygon: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"review": "adjusted", "geometry": polygon, **more}


def test_a_box_that_was_moved_takes_its_pixels_sizes_and_name_along(
    client: TestClient, squares: Squares
) -> None:
    job = asked(client, squares)
    place = (160.0, 90.0, 240.0, 150.0)
    polygon = on_map(squares, place)
    document = execute(
        client, "audit", {"job": job, "review": {"E3": adjusted(polygon, label="Cargo Ships")}}
    )
    boxes = {box["evidence_id"]: box for box in document["evidence"]}
    moved = boxes["E3"]
    assert moved["box_px"] == pytest.approx(place, abs=1e-6)
    assert (moved["width_m"], moved["height_m"]) == pytest.approx((40.0, 30.0), rel=2e-3)
    assert moved["area_m2"] == pytest.approx(1200.0, rel=3e-3)
    assert (moved["review"], moved["verdict"], moved["counted"]) == ("adjusted", "supported", True)
    assert (moved["label"], moved["label_raw"]) == ("cargo ship", "airplane")
    assert shape(moved["geometry"]).equals_exact(shape(polygon), 1e-6)
    assert moved["reviewed_at"].endswith("Z")
    # A ship is no airplane: one less.
    assert document["answers"][0]["value"] == len(BOXES) - 1
    assert boxes["E1"]["review"] is None


def test_objects_that_the_model_missed_are_numbered_measured_and_counted(
    client: TestClient, squares: Squares
) -> None:
    job = asked(client, squares)
    boxes = [MISSED, (600.0, 100.0, 640.0, 120.0)]
    added = [
        {"geometry": on_map(squares, boxes[0]), "label": "airplane", "quote": "behind the hangar"},
        {"geometry": on_map(squares, boxes[1]), "label": "Planes", "answer_id": "A1"},
    ]
    document = execute(client, "audit", {"job": job, "added": added})
    answer = document["answers"][0]
    assert answer["value"] == len(BOXES) + 2
    assert answer["answer"].startswith(f"{len(BOXES) + 2} airplanes")
    new = document["evidence"][len(BOXES) :]
    assert [box["evidence_id"] for box in new] == [f"E{len(BOXES) + 1}", f"E{len(BOXES) + 2}"]
    for box, place in zip(new, boxes, strict=True):
        assert box["box_px"] == pytest.approx(place, abs=1e-6)
        assert (box["review"], box["label"], box["verdict"]) == ("added", "airplane", "supported")
        assert (box["scene"], box["run_id"]) == (
            document["evidence"][0]["scene"],
            document["evidence"][0]["run_id"],
        )
    assert new[0]["quote"] == "behind the hangar"
    assert f"E1 to E{len(BOXES) + 2}" in answer["synthesis"]


def test_the_changed_rows_are_all_a_client_needs_to_write_its_own_file_up_to_date(
    client: TestClient, squares: Squares, settings: Any
) -> None:
    job = asked(client, squares)
    review = {"E2": "rejected", "E4": adjusted(on_map(squares, (655, 440, 700, 480)))}
    added = [{"geometry": on_map(squares, MISSED), "label": "airplane"}]
    reply = client.post(
        "/processes/audit/execution", json={"inputs": {"job": job, "review": review, "added": added}}
    )
    changed = {box["row"]: box for box in reply.json()["changed"]}
    kept = settings.data_dir / "jobs"
    before = read(kept / job / "result.gpkg").evidence
    after = read(kept / reply.headers["Location"].rpartition("/")[2] / "result.gpkg").evidence
    assert set(changed) == {1, 3, len(BOXES)}
    for row in range(len(after)):
        now = plain(after.iloc[row])
        assert (row in changed) is (row >= len(before) or now != plain(before.iloc[row]))
        if row in changed:
            told = {name: value for name, value in changed[row].items() if name in now}
            assert told == now
            assert shape(changed[row]["geometry"]).equals_exact(after.geometry.iloc[row], 0)


def plain(row: Any) -> dict[str, Any]:
    """The cells of a row but its geometry, missing ones None."""
    found = row.drop("geometry").astype(object)
    return dict(found.where(found.notna(), None))


def test_changed_rows_are_not_cut_short_where_evidence_is(
    client: TestClient, squares: Squares, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("groundproof.service.documents.MAX_EVIDENCE", 2)
    review = {f"E{number}": "rejected" for number in range(1, len(BOXES) + 1)}
    document = execute(client, "audit", {"job": asked(client, squares), "review": review})
    assert len(document["evidence"]) == 2
    assert document["evidence_total"] == len(document["changed"]) == len(BOXES)


def test_an_added_box_that_is_moved_later_is_still_an_added_one(client: TestClient, squares: Squares) -> None:
    first = client.post(
        "/processes/audit/execution",
        json={
            "inputs": {
                "job": asked(client, squares),
                "added": [{"geometry": on_map(squares, MISSED), "label": "airplane"}],
            }
        },
    )
    name = f"E{len(BOXES) + 1}"
    there = (510.0, 200.0, 550.0, 230.0)
    again = execute(
        client,
        "audit",
        {
            "job": first.headers["Location"].rpartition("/")[2],
            "review": {name: adjusted(on_map(squares, there))},
        },
    )
    (box,) = again["changed"]
    assert (box["evidence_id"], box["review"]) == (name, "added")
    assert box["box_px"] == pytest.approx(there, abs=1e-6)


def test_in_pixel_space_y_is_minus_the_row(client: TestClient, squares: Squares) -> None:
    reply = client.post("/processes/ask/execution", json={"inputs": inputs(squares, pixel_space=True)})
    x0, y0, x1, y1 = MISSED
    drawn = dict(mapping(Polygon([(x0, -y0), (x0, -y1), (x1, -y1), (x1, -y0)])))
    job = reply.headers["Location"].rpartition("/")[2]
    document = execute(client, "audit", {"job": job, "added": [{"geometry": drawn, "label": "airplane"}]})
    (box,) = document["changed"]
    assert box["box_px"] == pytest.approx(MISSED)
    assert box["area_m2"] is None


def test_polygons_that_are_none_are_refused_with_what_is_wrong(client: TestClient, squares: Squares) -> None:
    job = asked(client, squares)
    good = on_map(squares, MISSED)
    (ring,) = good["coordinates"]
    ways: list[tuple[dict[str, Any], str]] = [
        ({**good, "coordinates": [ring[:3]]}, "at least 4"),
        (
            {**good, "coordinates": [[ring[0], ring[2], ring[1], ring[3], ring[0]]]},
            "crosses or touches itself",
        ),
        ({**good, "coordinates": [[ring[0]] * 5]}, "crosses or touches itself"),
        ({**good, "coordinates": [[[1.0, None], *ring[1:]]]}, "valid number"),
        ({**good, "type": "MultiPolygon"}, "Polygon"),
        ({"type": "Polygon"}, "coordinates is missing"),
        ({**good, "crs": "EPSG:4326"}, "not a field"),
    ]
    for polygon, words in ways:
        for given in (
            {"review": {"E1": adjusted(polygon)}},
            {"added": [{"geometry": polygon, "label": "airplane"}]},
        ):
            reply = client.post("/processes/audit/execution", json={"inputs": {"job": job, **given}})
            assert words in problem(reply, 422)["detail"], (polygon, reply.json())
    text = json.dumps({"inputs": {"job": job, "review": {"E1": adjusted(good)}}})
    for number in ("NaN", "Infinity", "1e999"):
        broken = text.replace(json.dumps(ring[1][0]), number, 1)
        reply = client.post(
            "/processes/audit/execution", content=broken, headers={"Content-Type": "application/json"}
        )
        assert reply.status_code == 422, reply.text


def test_a_box_away_from_its_scene_or_without_its_answer_is_refused(
    client: TestClient, squares: Squares
) -> None:
    job = asked(client, squares)
    away = on_map(squares, (800.0, 100.0, 850.0, 150.0))  # just beside: 700 columns
    far = {"type": "Polygon", "coordinates": [[[2.0, 48.0], [2.1, 48.0], [2.1, 48.1], [2.0, 48.0]]]}
    here = on_map(squares, MISSED)
    for given, status, words in (
        ({"review": {"E1": adjusted(away)}}, 422, "E1 has no polygon inside its scene"),
        ({"added": [{"geometry": away, "label": "x"}]}, 422, "E6 has no polygon inside its scene"),
        ({"added": [{"geometry": far, "label": "x"}]}, 422, "E6 has no polygon inside its scene"),
        ({"added": [{"geometry": here, "label": "x", "answer_id": "A7"}]}, 404, "no answer 'A7'"),
        ({"review": {"E9": adjusted(here)}}, 404, "no evidence E9"),
    ):
        reply = client.post("/processes/audit/execution", json={"inputs": {"job": job, **given}})
        assert words in problem(reply, status)["detail"]


def test_of_several_answers_an_added_box_names_its_own(client: TestClient, squares: Squares) -> None:
    parcels = {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "properties": {"name": name}, "geometry": on_map(squares, place)}
            for name, place in (("west", (0, 0, 350, 500)), ("east", (350, 0, 700, 500)))
        ],
    }
    request = inputs(squares, aoi=parcels, aoi_crs="EPSG:32631", aoi_field="name")
    reply = client.post("/processes/ask/execution", json={"inputs": request})
    job = reply.headers["Location"].rpartition("/")[2]
    box = {"geometry": on_map(squares, MISSED), "label": "airplane"}
    refused = client.post("/processes/audit/execution", json={"inputs": {"job": job, "added": [box]}})
    assert "A1, A2" in problem(refused, 404)["detail"]
    document = execute(client, "audit", {"job": job, "added": [{**box, "answer_id": "A2"}]})
    counts = [answer["value"] for answer in reply.json()["answers"]]
    assert [answer["value"] for answer in document["answers"]] == [counts[0], counts[1] + 1]


def test_corrections_with_drawn_boxes_become_training_data(client: TestClient, squares: Squares) -> None:
    review: dict[str, Any] = {f"E{number}": "accepted" for number in range(1, len(BOXES) + 1)}
    review["E1"] = adjusted(on_map(squares, (10, 20, 70, 80)))
    given = {
        "job": asked(client, squares),
        "format": "coco",
        "review": review,
        "added": [{"geometry": on_map(squares, MISSED), "label": "hangar"}],
    }
    document = execute(client, "review-export", given)
    assert document["labels"] == ["airplane", "hangar"]
    with ZipFile(BytesIO(client.get(document["archive"]["href"]).content)) as archive:
        annotations = json.loads(archive.read("annotations.json"))
    sizes = [box["bbox"][2:] for box in annotations["annotations"]]
    assert [60.0, 60.0] in [[round(v, 3) for v in size] for size in sizes]


def test_a_large_review_is_taken_and_not_kept_in_memory(tmp_path: Any) -> None:
    (tmp_path / "imagery").mkdir()
    squares = write_squares(tmp_path / "imagery" / "squares.tif", BOXES)
    with serve(make_settings(tmp_path), SquareFinder()) as live:
        job = live.ask(squares.path)
        live.wait(job)
        boxes = [
            {"geometry": on_map(squares, (x, y, x + 2, y + 2)), "label": "airplane", "quote": "seen " * 50}
            for x in range(500, 600, 4)
            for y in range(100, 400, 2)
        ]
        body = {"inputs": {"job": job, "added": boxes}}
        assert len(json.dumps(body)) > MIB
        reply = live.http.post("/processes/audit/execution", json=body)
        assert reply.status_code == 200, reply.text
        assert reply.json()["answers"][0]["value"] == len(BOXES) + len(boxes)
        assert len(reply.json()["changed"]) == len(boxes)
        audit = live.service.jobs.get(reply.headers["Location"].rpartition("/")[2])
        assert audit.inputs == {"job": job}

"""The process "import": a GeoPackage's rows as JSON become a result here, and open no door."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pyogrio
import pytest
from fastapi.testclient import TestClient
from shapely.geometry import mapping, shape

from groundproof.outputs import read
from groundproof.service.jobs.table_rows import Tables
from groundproof.tables import TABLES
from tests.engine.conftest import BOXES, Squares, write_squares
from tests.service.conftest import QUESTION
from tests.service.test_ogc_processes import asked, execute, inputs, problem
from tests.service.test_reviews import MISSED, adjusted, on_map, plain


def rows_of(gpkg: Path) -> dict[str, Any]:
    """A GeoPackage as a GIS would send it: GDAL's rows, JSON columns parsed, geometries as GeoJSON."""
    tables: dict[str, list[dict[str, Any]]] = {}
    for name, columns in TABLES.items():
        frame = pyogrio.read_dataframe(gpkg, layer=name, datetime_as_string=True)
        tables[name] = []
        for _, cells in frame.astype(object).where(frame.notna(), None).iterrows():
            row = {c.name: cells[c.name] for c in columns}
            for column in columns:
                if column.kind == "json" and row[column.name] is not None:
                    row[column.name] = json.loads(row[column.name])
                if column.kind == "int" and row[column.name] is not None:
                    row[column.name] = int(row[column.name])
            geometry = cells["geometry"]
            tables[name].append({**row, "geometry": None if geometry is None else mapping(geometry)})
    crs = read(gpkg).evidence.crs
    (metadata,) = sqlite3.connect(gpkg).execute("SELECT metadata FROM gpkg_metadata").fetchone()
    return {
        "crs": None if crs is None else crs.to_wkt(),
        "tables": json.loads(json.dumps(tables)),
        "metadata": json.loads(metadata),
    }


def imported(client: TestClient, rows: dict[str, Any]) -> str:
    reply = client.post("/processes/import/execution", json={"inputs": rows})
    assert reply.status_code == 200, reply.text
    return reply.headers["Location"].rpartition("/")[2]


@pytest.fixture
def sent(client: TestClient, squares: Squares, settings: Any) -> dict[str, Any]:
    """The rows of a result; the job that gave it is gone."""
    job = asked(client, squares)
    rows = rows_of(settings.data_dir / "jobs" / job / "result.gpkg")
    client.delete(f"/jobs/{job}")
    assert client.get(f"/jobs/{job}").status_code == 404
    return rows


def test_the_rows_are_those_of_the_tables() -> None:
    for name, columns in TABLES.items():
        field = Tables.model_fields[name]
        model = field.annotation.__args__[0]  # type: ignore[union-attr]
        assert set(model.model_fields) == {c.name for c in columns} | {"geometry"}, name


@pytest.mark.parametrize("pixel_space", [False, True])
def test_a_result_that_was_sent_back_is_the_same_result(
    client: TestClient, squares: Squares, settings: Any, pixel_space: bool
) -> None:
    reply = client.post("/processes/ask/execution", json={"inputs": inputs(squares, pixel_space=pixel_space)})
    job = reply.headers["Location"].rpartition("/")[2]
    first = settings.data_dir / "jobs" / job / "result.gpkg"
    again = imported(client, rows_of(first))
    before, after = read(first), read(settings.data_dir / "jobs" / again / "result.gpkg")
    for name in TABLES:
        a, b = getattr(before, name), getattr(after, name)
        assert [plain(a.iloc[i]) for i in range(len(a))] == [plain(b.iloc[i]) for i in range(len(b))], name
        assert a.geometry.geom_equals_exact(b.geometry, 0).all(), name
        assert a.crs == b.crs
    assert before.metadata == after.metadata
    document = execute(client, "diff", {"a": job, "b": again})
    assert document["is_empty"] is True
    assert client.get(f"/jobs/{again}/results").json()["changed"] == []


def test_what_was_imported_can_be_reviewed_compared_exported_and_listed(
    client: TestClient, squares: Squares, sent: dict[str, Any]
) -> None:
    job = imported(client, sent)
    audit = execute(client, "audit", {"job": job, "review": {"E2": "rejected"}})
    assert audit["answers"][0]["value"] == len(BOXES) - 1
    review = {f"E{number}": "accepted" for number in range(1, len(BOXES) + 1)}
    export = execute(client, "review-export", {"job": job, "format": "geo-cot", "review": review})
    with ZipFile(BytesIO(client.get(export["archive"]["href"]).content)) as archive:
        assert [name for name in archive.namelist() if name.endswith(".png")]
    items = client.get(f"/collections/{job}-evidence/items").json()
    assert items["numberMatched"] == len(BOXES)
    follow_up = {
        "question": "Where are the airplanes?",
        "scenes": [{"path": str(squares.path)}],
        "context": {"job": job, "answer_id": "A1", "evidence": ["E3"]},
    }
    reply = client.post("/ask", json=follow_up, headers={"Accept": "application/json"})
    assert reply.status_code == 200, reply.text
    assert reply.json()["answers"][0]["context"]["follows"]["answer_id"] == "A1"


def test_boxes_drawn_and_moved_in_a_gis_are_numbered_measured_and_told(
    client: TestClient, squares: Squares, sent: dict[str, Any], settings: Any
) -> None:
    rows = sent["tables"]["evidence"]
    place = (12.0, 22.0, 66.0, 77.0)
    rows[0] |= {
        "review": "adjusted",
        "geometry": on_map(squares, place),
        "reviewed_at": "2026-11-28T09:00:00Z",
    }
    rows.insert(
        1, {"geometry": on_map(squares, MISSED), "label": "airplane", "evidence_id": "", "review": ""}
    )
    reply = client.post("/processes/import/execution", json={"inputs": sent})
    changed = {box["row"]: box for box in reply.json()["changed"]}
    assert set(changed) == {0, 1}
    assert changed[0]["box_px"] == pytest.approx(place, abs=1e-6)
    assert changed[0]["verdict"] == "supported"
    assert (changed[1]["evidence_id"], changed[1]["review"]) == (f"E{len(BOXES) + 1}", "added")
    assert changed[1]["box_px"] == pytest.approx(MISSED, abs=1e-6)
    job = reply.headers["Location"].rpartition("/")[2]
    audit = execute(client, "audit", {"job": job})
    assert audit["answers"][0]["value"] == len(BOXES) + 1
    assert audit["changed"] == []
    kept = read(settings.data_dir / "jobs" / job / "result.gpkg").evidence
    assert shape(changed[1]["geometry"]).equals_exact(kept.geometry.iloc[1], 0)


def without(rows: dict[str, Any], table: str, column: str) -> dict[str, Any]:
    del rows["tables"][table][0][column]
    return rows


def changing(table: str, **cells: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda rows: rows["tables"][table][0].update(cells)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (changing("evidence", colour="red"), "tables.evidence.0.colour is not a field"),
        (changing("evidence", box_px=[1, 2, 3]), "tables.evidence.0.box_px"),
        (changing("evidence", box_px=[5, 0, 1, 9]), "x0 < x1"),
        (changing("evidence", box_px="[1,2,3,4]"), "tables.evidence.0.box_px"),
        (changing("evidence", verdict="splendid"), "tables.evidence.0.verdict"),
        (changing("evidence", review="adored"), "tables.evidence.0.review"),
        (changing("evidence", evidence_id="the big one"), "tables.evidence.0.evidence_id"),
        (changing("evidence", evidence_id="E2"), "Two rows of evidence are E2 of A1"),
        (changing("evidence", evidence_id=None, geometry=None), "needs its geometry"),
        (changing("evidence", answer_id="A9"), "evidence has the answer_id 'A9'"),
        (changing("evidence", scene="elsewhere"), "evidence has the scene 'elsewhere'"),
        (changing("evidence", box_px=None), "no evidence_id or no box_px"),
        (changing("evidence", reviewed_at="yesterday"), "2026-11-20T10:15:00Z"),
        (changing("evidence", parents=[{"tile_id": "t"}]), "parents.0.number is missing"),
        (changing("answers", coverage={"sentence": "all"}), "coverage.looked_at is missing"),
        (changing("answers", audit=[{"kind": "gossip", "severity": "info", "sentence": ""}]), "audit.0.kind"),
        (changing("answers", task="paint"), "tables.answers.0.task"),
        (changing("tiles", status="fine"), "tables.tiles.0.status"),
        (changing("tiles", answer_id="A2"), "tiles has the answer_id 'A2'"),
        (changing("tiles", window_px=[0, 0, 9000, 10]), "reaches past its scene"),
        (changing("scenes", crs_wkt="nonsense"), "not a coordinate reference system"),
        (changing("scenes", crs_wkt=None, affine=None), "is in pixel space"),
        (changing("scenes", affine=[0, 0, 0, 0, 0, 0]), "does not give each pixel a place"),
        (changing("scenes", width=10**7), "tables.scenes.0.width"),
        (
            lambda rows: rows["tables"]["scenes"].append(rows["tables"]["scenes"][0]),
            "Two rows have the scene",
        ),
        (lambda rows: rows.update(crs=None), "Both do, or neither"),
        (lambda rows: rows.update(crs="EPSG:99999999"), "not a coordinate reference system"),
        (lambda rows: rows["tables"].update(photos=[]), "tables.photos is not a field"),
        (lambda rows: rows["metadata"]["configuration"].update(tile_px=10**6), "configuration.tile_px"),
        (lambda rows: rows["metadata"]["configuration"]["profile"].update(frame="cubits"), "profile.frame"),
        (lambda rows: rows["metadata"].update(versions=[1]), "metadata.versions"),
    ],
)
def test_rows_that_no_result_has_are_refused_by_name(
    client: TestClient, sent: dict[str, Any], change: Callable[[dict[str, Any]], Any], words: str
) -> None:
    change(sent)
    reply = client.post("/processes/import/execution", json={"inputs": sent})
    detail = problem(reply, 422)["detail"]
    assert words in detail
    assert len(client.get("/jobs").json()["jobs"]) == 0, "it is refused before there is a job"


def test_a_result_without_metadata_can_be_audited_and_exported_as_boxes(
    client: TestClient, sent: dict[str, Any]
) -> None:
    del sent["metadata"]
    job = imported(client, sent)
    review = {"E1": "rejected"} | {f"E{n}": "accepted" for n in range(2, len(BOXES) + 1)}
    assert execute(client, "audit", {"job": job, "review": review})["answers"][0]["value"] == len(BOXES) - 1
    assert execute(client, "review-export", {"job": job, "format": "yolo", "review": review})["boxes"] > 0
    refused = client.post(
        "/processes/review-export/execution",
        json={"inputs": {"job": job, "format": "geo-cot", "review": review}},
    )
    assert "its metadata were lost" in problem(refused, 422)["detail"]


@pytest.mark.parametrize("way", ["outside", "relative", "vsi", "url", "kept elsewhere", "empty"])
def test_a_scenes_path_opens_nothing_that_could_not_be_asked_about(
    client: TestClient, sent: dict[str, Any], squares: Squares, tmp_path: Path, settings: Any, way: str
) -> None:
    secret = tmp_path / "secret.tif"
    shutil.copy2(squares.path, secret)  # with the content id of the one that was asked about
    foreign = settings.data_dir / "scenes" / ("0" * 32)
    foreign.mkdir(parents=True)
    shutil.copy2(squares.path, foreign / "squares.tif")
    path = {
        "outside": str(secret),
        "relative": "../secret.tif",
        "vsi": f"/vsisubfile/0,{secret}",
        "url": "http://127.0.0.1:1/secret.tif",
        "kept elsewhere": str(foreign / "squares.tif"),
        "empty": None,
    }[way]
    sent["tables"]["scenes"][0]["path"] = path
    job = imported(client, sent)
    review = {f"E{number}": "accepted" for number in range(1, len(BOXES) + 1)}
    reply = client.post(
        "/processes/review-export/execution",
        json={"inputs": {"job": job, "format": "coco", "review": review}},
    )
    assert "The imagery of the result is not here" in problem(reply, 403)["detail"]
    assert client.get(f"/jobs/{reply.headers['Location'].rpartition('/')[2]}/files").json()["files"] == []
    picture = client.get(f"/jobs/{job}/files/picture.png")
    assert picture.status_code == 404


def test_a_scene_that_is_kept_here_is_found_again_by_its_path(
    client: TestClient, squares: Squares, settings: Any
) -> None:
    with squares.path.open("rb") as file:
        reply = client.post(
            "/ask",
            files={"image": ("squares.tif", file, "image/tiff")},
            data={"question": QUESTION},
            headers={"Accept": "application/json"},
        )
    assert reply.status_code == 200, reply.text
    rows = rows_of(settings.data_dir / "jobs" / reply.json()["job"] / "result.gpkg")
    job = imported(client, rows)
    review = {f"E{number}": "accepted" for number in range(1, len(BOXES) + 1)}
    given = {"job": job, "format": "coco", "review": review}
    assert execute(client, "review-export", given)["boxes"] >= len(BOXES)
    (scene,) = client.get("/scenes").json()["scenes"]
    client.delete(f"/scenes/{scene['id']}")
    gone = client.post("/processes/review-export/execution", json={"inputs": given})
    assert "is not here" in problem(gone, 403)["detail"]


def test_a_scene_whose_content_is_another_now_is_refused(
    client: TestClient, sent: dict[str, Any], squares: Squares
) -> None:
    job = imported(client, sent)
    write_squares(squares.path, BOXES[:2])
    review = {f"E{number}": "accepted" for number in range(1, len(BOXES) + 1)}
    reply = client.post(
        "/processes/review-export/execution",
        json={"inputs": {"job": job, "format": "coco", "review": review}},
    )
    assert "changed or replaced" in problem(reply, 422)["detail"]


def test_a_moved_box_of_an_import_can_be_moved_again(
    client: TestClient, squares: Squares, sent: dict[str, Any]
) -> None:
    sent["tables"]["evidence"][0] |= {
        "review": "adjusted",
        "geometry": on_map(squares, (12.0, 22.0, 66.0, 77.0)),
    }
    job = imported(client, sent)
    there = (14.0, 24.0, 68.0, 79.0)
    (box,) = execute(client, "audit", {"job": job, "review": {"E1": adjusted(on_map(squares, there))}})[
        "changed"
    ]
    assert box["box_px"] == pytest.approx(there, abs=1e-6)

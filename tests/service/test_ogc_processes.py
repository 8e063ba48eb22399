"""OGC API - Processes part 1 (18-062r2): each conformance class that /conformance names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from fastapi.testclient import TestClient
from schemathesis.specs.openapi.definitions import OPENAPI_30

from groundproof.service.jobs.process_inputs import INPUTS
from tests.engine.conftest import BOXES, Squares
from tests.service.conftest import QUESTION

EXCEPTIONS = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0"
ASYNC = {"Prefer": "respond-async"}


def inputs(squares: Squares, **more: Any) -> dict[str, Any]:
    return {"question": QUESTION, "scenes": [{"path": str(squares.path)}], **more}


def execute(client: TestClient, process: str, given: dict[str, Any], **body: Any) -> dict[str, Any]:
    """The outputs of a process that was waited for."""
    reply = client.post(f"/processes/{process}/execution", json={"inputs": given, **body})
    assert reply.status_code == 200, reply.text
    document: dict[str, Any] = reply.json()
    return document


def asked(client: TestClient, squares: Squares) -> str:
    """An ask that has ended; its job."""
    reply = client.post("/processes/ask/execution", json={"inputs": inputs(squares)})
    assert reply.status_code == 200, reply.text
    return reply.headers["Location"].rpartition("/")[2]


def links(document: dict[str, Any]) -> dict[str, str]:
    return {link["rel"]: link["href"] for link in document["links"]}


# core and json


def test_the_landing_page_leads_to_everything(client: TestClient) -> None:
    found = links(client.get("/").json())
    rel = "http://www.opengis.net/def/rel/ogc/1.0"
    for name in ("self", "conformance", f"{rel}/processes", f"{rel}/job-list", "data", "service-doc"):
        assert client.get(found[name], headers={"Accept": "*/*"}).status_code == 200, name


@pytest.mark.parametrize(
    ("accept", "is_page"),
    [
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", True),
        ("application/json", False),
        ("*/*", False),
        ("text/html;q=0.5, application/json", False),
        ("text/html;q=nonsense", False),
    ],
)
def test_a_browser_is_sent_to_the_web_page_and_a_program_is_not(
    client: TestClient, accept: str, is_page: bool
) -> None:
    reply = client.get("/", headers={"Accept": accept}, follow_redirects=False)
    assert (reply.status_code, reply.headers.get("location")) == ((303, "app/") if is_page else (200, None))
    assert "Accept" in reply.headers["vary"].split(", ")


def test_a_browser_gets_the_document_when_it_asks_for_it(client: TestClient) -> None:
    reply = client.get("/?f=json", headers={"Accept": "text/html"}, follow_redirects=False)
    assert reply.json()["title"] == "groundproof"


def test_conformance_names_what_these_tests_hold_to(client: TestClient) -> None:
    base = "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf"
    named = client.get("/conformance").json()["conformsTo"]
    assert {f"{base}/{name}" for name in ("core", "json", "oas30", "job-list", "dismiss")} <= set(named)
    assert f"{base}/ogc-process-description" in named
    assert len(named) == len(set(named))


def test_a_process_is_done_and_its_outputs_come_back(client: TestClient, squares: Squares) -> None:
    reply = client.post("/processes/ask/execution", json={"inputs": inputs(squares)})
    document = reply.json()
    assert document["answers"][0]["value"] == len(BOXES) == document["evidence_total"]
    assert len(document["evidence"]) == len(BOXES)
    assert document["crs"] == "EPSG:32631"
    job = reply.headers["Location"]
    assert client.get(f"{job}/results").json() == document
    gpkg = client.get(document["geopackage"]["href"])
    assert gpkg.content.startswith(b"SQLite format 3")
    assert gpkg.headers["content-type"] == document["geopackage"]["type"]


def test_results_hold_no_bare_object(client: TestClient, squares: Squares) -> None:
    """inlineOrRefData of the results schema: no null, and an object only as a link."""
    for value in execute(client, "ask", inputs(squares)).values():
        assert value is not None
        assert not isinstance(value, dict) or "href" in value


def test_only_the_outputs_asked_for_come_back(client: TestClient, squares: Squares) -> None:
    wanted = {"evidence_total": {"transmissionMode": "value"}, "geopackage": {}}
    document = execute(client, "ask", inputs(squares), outputs=wanted)
    assert set(document) == {"evidence_total", "geopackage"}


def test_one_output_comes_raw(client: TestClient, squares: Squares) -> None:
    total = client.post(
        "/processes/ask/execution",
        json={"inputs": inputs(squares), "outputs": {"evidence_total": {}}, "response": "raw"},
    )
    assert total.json() == len(BOXES)
    assert execute(client, "ask", inputs(squares), outputs={"evidence_total": {}}) == len(BOXES)
    file = client.post(
        "/processes/ask/execution",
        json={"inputs": inputs(squares), "outputs": {"geopackage": {}}, "response": "raw"},
    )
    assert file.content.startswith(b"SQLite format 3")
    assert file.headers["content-type"] == "application/geopackage+sqlite3"


def test_respond_async_gives_the_job_at_once(client: TestClient, squares: Squares) -> None:
    reply = client.post("/processes/ask/execution", json={"inputs": inputs(squares)}, headers=ASYNC)
    assert reply.status_code == 201
    assert reply.headers["Preference-Applied"] == "respond-async"
    check_status(reply.json())
    job = reply.headers["Location"]
    assert job.endswith(reply.json()["jobID"])
    wait(client, job)
    state = client.get(job).json()
    check_status(state)
    assert state["status"] == "successful"
    assert state["progress"] == 100
    results = links(state)["http://www.opengis.net/def/rel/ogc/1.0/results"]
    assert client.get(results).json()["answers"][0]["value"] == len(BOXES)


def check_status(info: dict[str, Any]) -> None:
    """statusInfo.yaml of the standard."""
    schema = {
        "type": "object",
        "required": ["jobID", "status", "type"],
        "properties": {
            "processID": {"type": "string"},
            "type": {"type": "string", "enum": ["process"]},
            "jobID": {"type": "string"},
            "status": {"enum": ["accepted", "running", "successful", "failed", "dismissed"]},
            "message": {"type": "string"},
            "created": {"type": "string", "format": "date-time"},
            "started": {"type": "string", "format": "date-time"},
            "finished": {"type": "string", "format": "date-time"},
            "updated": {"type": "string", "format": "date-time"},
            "progress": {"type": "integer", "minimum": 0, "maximum": 100},
            "links": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["href"],
                    "properties": {"href": {"type": "string", "pattern": "^http"}},
                },
            },
        },
    }
    jsonschema.validate(info, schema)


def wait(client: TestClient, job: str) -> None:
    """Until the job's last event."""
    with client.stream("GET", f"{job}/events") as reply:
        for _ in reply.iter_lines():
            pass


def problem(reply: Any, status: int, kind: str | None = None) -> dict[str, Any]:
    assert reply.status_code == status, reply.text
    assert reply.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = reply.json()
    if kind is not None:
        assert document["type"] == f"{EXCEPTIONS}/{kind}"
    return document


def test_what_is_not_there_has_the_types_of_the_standard(client: TestClient) -> None:
    nobody = "0" * 32
    problem(client.get("/processes/paint"), 404, "no-such-process")
    problem(client.post("/processes/paint/execution", json={"inputs": {}}), 404, "no-such-process")
    for path in (f"/jobs/{nobody}", f"/jobs/{nobody}/results", "/jobs/nonsense"):
        problem(client.get(path), 404, "no-such-job")
    problem(client.delete(f"/jobs/{nobody}"), 404, "no-such-job")


def test_mistakes_in_a_request_are_sentences(client: TestClient, squares: Squares) -> None:
    def detail(process: str, body: dict[str, Any], status: int = 422) -> str:
        return str(problem(client.post(f"/processes/{process}/execution", json=body), status)["detail"])

    assert "inputs.colour" in detail("ask", {"inputs": inputs(squares, colour="red")})
    assert "inputs.question" in detail("ask", {"inputs": {"scenes": [{"path": str(squares.path)}]}})
    assert "no output picture" in detail("ask", {"inputs": inputs(squares), "outputs": {"picture": {}}})
    assert "holds one output" in detail("ask", {"inputs": inputs(squares), "response": "raw"})
    assert "subscriber" in detail("ask", {"inputs": inputs(squares), "subscriber": {}})
    by_reference = inputs(squares, aoi={"href": "http://example.com/a.json", "type": "application/json"})
    assert "fetches nothing" in detail("ask", {"inputs": by_reference})
    assert "There is no job" in detail("audit", {"inputs": {"job": "0" * 32}}, 404)
    elsewhere = {**inputs(squares), "scenes": [{"path": "/etc/passwd"}]}
    assert "/etc/passwd" in detail("ask", {"inputs": elsewhere}, 403)


def test_values_may_come_qualified(client: TestClient, squares: Squares) -> None:
    given = inputs(squares, aoi={"value": {"type": "Point"}, "mediaType": "application/geo+json"})
    reply = client.post("/processes/ask/execution", json={"inputs": given})
    assert "aoi" in problem(reply, 422)["detail"]  # it arrived: a point is no area
    given = {"question": {"value": QUESTION}, "scenes": [{"value": {"path": str(squares.path)}}]}
    assert execute(client, "ask", given)["evidence_total"] == len(BOXES)


# ogc-process-description and oas30


def test_every_process_is_listed_and_described(client: TestClient) -> None:
    listed = client.get("/processes").json()["processes"]
    assert [one["id"] for one in listed] == ["ask", "audit", "merge", "diff", "review-export", "import"]
    for one in listed:
        described = client.get(links(one)["process"]).json()
        assert {**one, "links": None} == {**{k: described[k] for k in one}, "links": None}
        assert described["jobControlOptions"] == ["sync-execute", "async-execute", "dismiss"]
        assert described["inputs"]
        assert described["outputs"]
        assert set(described["inputs"]) == set(INPUTS[one["id"]].model_fields)


def test_described_schemas_are_openapi_3_0_and_stand_alone(client: TestClient) -> None:
    schema = {"$ref": "#/definitions/Schema", "definitions": OPENAPI_30["definitions"]}
    validator = jsonschema.Draft4Validator(schema)
    for one in client.get("/processes").json()["processes"]:
        described = client.get(f"/processes/{one['id']}").json()
        for part in (*described["inputs"].values(), *described["outputs"].values()):
            # One word more than OpenAPI 3.0 has: schema.yaml of the standard.
            validator.validate({k: v for k, v in part["schema"].items() if k != "contentMediaType"})
            assert "$ref" not in json.dumps(part["schema"])


def test_every_input_that_has_no_default_is_said_to_be_needed(client: TestClient) -> None:
    for name, model in INPUTS.items():
        described = client.get(f"/processes/{name}").json()["inputs"]
        for field, info in model.model_fields.items():
            assert described[field]["minOccurs"] == int(info.is_required())


def test_the_examples_of_the_openapi_page_are_valid(client: TestClient) -> None:
    path = client.get("/openapi.json").json()["paths"]["/processes/{process_id}/execution"]
    examples = path["post"]["requestBody"]["content"]["application/json"]["examples"]
    assert set(examples) == set(INPUTS)
    for name, example in examples.items():
        INPUTS[name].model_validate(example["value"]["inputs"])


def test_the_api_describes_itself_in_openapi_3_0(client: TestClient) -> None:
    landing = client.get("/").json()["links"]
    link = next(one for one in landing if one["rel"] == "service-desc")
    reply = client.get(link["href"])
    assert reply.headers["content-type"] == link["type"] == "application/vnd.oai.openapi+json;version=3.0"
    document = reply.json()
    jsonschema.Draft4Validator(OPENAPI_30).validate(document)
    for path in ("/", "/conformance", "/processes", "/jobs", "/jobs/{job_id}/results"):
        assert "get" in document["paths"][path]


# job-list


def test_jobs_are_listed_newest_first_in_pages(client: TestClient, squares: Squares) -> None:
    jobs = [asked(client, squares) for _ in range(3)]
    first = client.get("/jobs", params={"limit": 2, "processID": "ask"}).json()
    assert [job["jobID"] for job in first["jobs"]] == [jobs[2], jobs[1]]
    assert "prev" not in links(first)
    second = client.get(links(first)["next"]).json()
    assert [job["jobID"] for job in second["jobs"]] == [jobs[0]]
    assert "next" not in links(second)
    assert client.get(links(second)["prev"]).json()["jobs"] == first["jobs"]
    for job in first["jobs"]:
        check_status(job)


def test_jobs_are_filtered(client: TestClient, squares: Squares) -> None:
    ask = asked(client, squares)
    execute(client, "audit", {"job": ask})

    def found(**query: str) -> list[str]:
        return [job["processID"] for job in client.get("/jobs", params=query).json()["jobs"]]

    assert found() == ["audit", "ask"]
    assert found(processID="audit") == ["audit"]
    assert found(processID="audit,ask") == ["audit", "ask"]
    assert found(status="successful") == ["audit", "ask"]
    assert found(status="failed,running") == []
    assert found(type="process") == ["audit", "ask"]
    assert found(type="wps") == []
    made = client.get(f"/jobs/{ask}").json()["created"]
    assert found(datetime=made) == ["ask"]
    assert found(datetime=f"../{made}") == ["ask"]
    assert found(datetime=f"{made}/..") == ["audit", "ask"]
    assert found(datetime="2020-01-01T00:00:00Z/2020-01-02T00:00:00Z") == []
    assert found(minDuration="3600") == []
    assert found(maxDuration="3600") == ["audit", "ask"]


def test_a_bad_filter_is_a_sentence(client: TestClient) -> None:
    for query in ("datetime=yesterday", "status=sleeping", "limit=0", "colour=red", "datetime=2026-13-01"):
        problem(client.get(f"/jobs?{query}"), 422)
    assert client.get("/jobs?limit=1000000").status_code == 200


# dismiss


def test_a_job_that_has_ended_is_deleted(client: TestClient, squares: Squares, settings: Any) -> None:
    job = asked(client, squares)
    folder: Path = settings.data_dir / "jobs" / job
    assert folder.is_dir()
    info = client.delete(f"/jobs/{job}").json()
    check_status(info)
    assert info["status"] == "dismissed"
    problem(client.get(f"/jobs/{job}"), 404, "no-such-job")
    assert not folder.exists()

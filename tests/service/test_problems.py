"""Every error is a problem document: a person learns what to do, and nothing of what is inside."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import StreamingResponse

from groundproof.errors import OUTCOMES, BusyError, GroundproofError, NotFoundError, outcome
from groundproof.service import problems
from groundproof.service.problems import document, shortened


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")
    width: int = Field(gt=0)
    names: list[str] = []


def application() -> FastAPI:
    app = FastAPI()
    problems.install(app)

    @app.post("/bodies")
    def bodies(body: Body) -> Body:
        return body

    @app.get("/raise/{what}")
    def raising(what: str) -> None:
        if what == "busy":
            raise BusyError("Too many ask at once.", 7)
        if what == "teapot":
            raise HTTPException(418, "Short and stout.", {"X-Pot": "tea"})
        raise {cls.__name__: cls for cls in OUTCOMES}[what]("A sentence.")

    @app.get("/bug")
    def bug() -> None:
        raise ZeroDivisionError("internal detail")

    @app.get("/stream")
    def stream() -> StreamingResponse:
        def pieces() -> Any:
            yield b"half"
            raise ZeroDivisionError("internal detail")

        return StreamingResponse(pieces())

    return app


@pytest.fixture
def client() -> TestClient:
    return TestClient(application())


@pytest.mark.parametrize(
    "cls", [cls for cls in OUTCOMES if cls is not BusyError], ids=lambda cls: cls.__name__
)
def test_every_error_on_purpose_has_its_status_and_its_sentence(
    client: TestClient, cls: type[GroundproofError]
) -> None:
    reply = client.get(f"/raise/{cls.__name__}?token=secret")
    assert reply.headers["content-type"] == "application/problem+json"
    problem = reply.json()
    assert problem["status"] == reply.status_code == outcome(cls("")).http_status
    assert problem["detail"] == "A sentence."
    assert problem["instance"] == f"/raise/{cls.__name__}"
    assert problem["type"].startswith("urn:groundproof:")
    assert problem["title"]


def test_busy_says_when_to_come_back(client: TestClient) -> None:
    reply = client.get("/raise/busy")
    assert (reply.status_code, reply.headers["retry-after"]) == (429, "7")


def test_an_error_may_name_the_type_of_a_standard() -> None:
    class NoSuchJobError(NotFoundError):
        problem_type = "http://example.org/no-such-job"

    assert document(NoSuchJobError("No."))["type"] == "http://example.org/no-such-job"


def test_unknown_addresses_and_methods_are_problems_too(client: TestClient) -> None:
    missing, wrong, teapot = client.get("/nowhere"), client.get("/bodies"), client.get("/raise/teapot")
    assert (missing.status_code, missing.json()["title"]) == (404, "Not Found")
    assert "/nowhere" in missing.json()["detail"]
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "POST")
    assert "GET is not answered here" in wrong.json()["detail"]
    assert (teapot.json()["detail"], teapot.headers["x-pot"]) == ("Short and stout.", "tea")


@pytest.mark.parametrize(("body", "sentence"), [
    ({}, "width is missing."),
    ({"width": 0}, "width: got 0. Input should be greater than 0."),
    ({"width": "x" * 5000}, "(5002 characters)"),
    ({"width": 1, "height": 2}, "height is not a field of this request."),
    ({"width": 1, "names": ["a", 3]}, "names.1: got 3. Input should be a valid string."),
    ({"width": list(range(5000))}, "width: got a list of 5000."),
    ({"width": {"a": 1}}, "width: got an object of 1 fields."),
])  # fmt: skip
def test_invalid_requests_say_the_field_what_came_and_what_is_allowed(
    client: TestClient, body: Any, sentence: str
) -> None:
    reply = client.post("/bodies", json=body)
    assert (reply.status_code, reply.headers["content-type"]) == (422, "application/problem+json")
    assert sentence in reply.json()["detail"]
    assert len(reply.content) < 2000
    assert all({"in", "field", "detail"} == set(error) for error in reply.json()["errors"])


def test_a_body_that_is_no_json_says_so(client: TestClient) -> None:
    reply = client.post("/bodies", content=b'{"width": ', headers={"Content-Type": "application/json"})
    assert reply.status_code == 422
    assert "not JSON" in reply.json()["detail"]


def test_bytes_are_never_repeated(client: TestClient) -> None:
    reply = client.post(
        "/bodies", content=b"\x89PNG secret bytes", headers={"Content-Type": "application/octet-stream"}
    )
    assert reply.status_code == 422
    assert "secret" not in reply.text


def test_a_bug_tells_the_client_a_number_and_the_log_the_rest(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        reply = client.get("/bug")
    problem = reply.json()
    assert (reply.status_code, problem["status"]) == (500, 500)
    assert "internal detail" not in reply.text
    assert "ZeroDivision" not in reply.text
    (record,) = [record for record in caplog.records if problem["id"] in record.getMessage()]
    assert record.exc_info is not None
    assert "internal detail" in str(record.exc_info[1])


def test_half_an_answer_is_broken_off_and_never_looks_whole(client: TestClient) -> None:
    with pytest.raises(ZeroDivisionError):
        client.get("/stream")


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=200) | st.binary(),
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(st.text(max_size=5), inner, max_size=5),
    max_leaves=20,
))  # fmt: skip
@settings(max_examples=100)
def test_whatever_came_is_quoted_short(value: Any) -> None:
    assert len(shortened(value)) < 100
    json.dumps(shortened(value))

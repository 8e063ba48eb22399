"""Bodies larger than their kind may be are refused before they are read, or while they come."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from pydantic import BaseModel

from groundproof.service import problems
from groundproof.service.access.body_limit import JSON_BYTES, BodyLimit

from .conftest import make_settings

UPLOAD_BYTES = 3 * JSON_BYTES


class Body(BaseModel):
    text: str


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    app = FastAPI()
    problems.install(app)
    read: list[int] = []
    app.state.read = read

    @app.put("/scenes/{scene}/windows/{place}")
    async def window(request: Request) -> int:
        stream = request.stream()
        while piece := await anext(stream, b""):
            read.append(len(piece))
        return sum(read)

    @app.post("/ask")
    async def ask(request: Request) -> int:
        read.append(len(await request.body()))
        return read[-1]

    @app.post("/other")
    async def other(body: Body) -> int:
        read.append(len(body.text))
        return read[-1]

    settings = make_settings(tmp_path, limits={"upload_bytes": UPLOAD_BYTES})
    app.add_middleware(BodyLimit, settings=settings)
    return TestClient(app)


def pieces(total: int) -> Iterator[bytes]:
    for _ in range(0, total, 1 << 16):
        yield bytes(1 << 16)


FORM = {"Content-Type": "multipart/form-data; boundary=x"}
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(("method", "path", "headers", "allowed"), [
    ("PUT", "/scenes/1/windows/0,0", {}, UPLOAD_BYTES),
    ("POST", "/ask", FORM, UPLOAD_BYTES),
    ("POST", "/ask", JSON, JSON_BYTES),
    ("POST", "/ask", {}, JSON_BYTES),
    ("POST", "/other", FORM, JSON_BYTES),
    ("POST", "/other", JSON, JSON_BYTES),
])  # fmt: skip
def test_each_kind_of_request_has_its_limit(
    client: TestClient, method: str, path: str, headers: dict[str, str], allowed: int
) -> None:
    declared = client.request(method, path, content=bytes(allowed + 1), headers=headers)
    assert (declared.status_code, declared.headers["content-type"]) == (413, "application/problem+json")
    assert f"{allowed:,} bytes" in declared.json()["detail"]
    assert client.app.state.read == [], "nothing was read"
    streamed = client.request(method, path, content=pieces(allowed + (1 << 17)), headers=headers)
    assert (streamed.status_code, streamed.headers["content-type"]) == (413, "application/problem+json")
    assert sum(client.app.state.read) <= allowed


def test_bodies_within_the_limit_pass_whole(client: TestClient) -> None:
    assert client.put("/scenes/1/windows/0,0", content=pieces(UPLOAD_BYTES)).json() == UPLOAD_BYTES
    assert client.post("/other", json={"text": "x" * 1000}).json() == 1000

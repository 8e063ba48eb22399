"""A service with the square finder for a model, in process (`client`) and behind a real socket (`live`)."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi.testclient import TestClient

from groundproof.service.app import create_app
from groundproof.service.settings import ServiceSettings
from groundproof.service.state import Service
from tests.engine.conftest import BOXES, Squares, write_squares
from tests.engine.square_finder import SquareFinder

TOKEN = "a-token-for-tests"  # noqa: S105
QUESTION = "How many airplanes are there?"


@pytest.fixture
def squares(tmp_path: Path) -> Squares:
    """A rotated UTM scene of 700 x 500 px with five bright squares; below the allowed root."""
    folder = tmp_path / "imagery"
    folder.mkdir()
    return write_squares(folder / "squares.tif", BOXES)


@pytest.fixture
def settings(tmp_path: Path) -> ServiceSettings:
    return make_settings(tmp_path)


def make_settings(folder: Path, **changes: Any) -> ServiceSettings:
    fields = {
        "data_dir": folder / "service",
        "token": TOKEN,
        "roots": (folder / "imagery",),
        "hosts": ("testserver",),
        **changes,
    }
    return ServiceSettings.model_validate(fields)


@pytest.fixture
def client(settings: ServiceSettings) -> Iterator[TestClient]:
    """Speaks to the service without a socket; sends the token."""
    app = create_app(settings, SquareFinder())
    with TestClient(app, headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        yield client


@dataclass
class Live:
    """A service behind a real socket. `http`: a client that sends the token."""

    url: str
    service: Service
    model: SquareFinder
    http: httpx.Client = field(repr=False)

    def ask(self, scene: Path, question: str = QUESTION, **fields: Any) -> str:
        """Ask about a file below the root; the job's id."""
        body = {"question": question, "scenes": [{"path": str(scene)}], **fields}
        reply = self.http.post("/ask", json=body)
        assert reply.status_code == 201, reply.text
        return str(reply.json()["jobID"])

    def wait(self, job: str, seconds: float = 60) -> dict[str, Any]:
        """The job's state when it has ended."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            state = self.service.jobs.get(job)
            if state.ended:
                return {"status": str(state.status), "message": state.message, "problem": state.problem}
            time.sleep(0.02)
        raise AssertionError(f"the job {job} did not end: {self.service.jobs.get(job)}")


@contextmanager
def serve(settings: ServiceSettings, model: Any) -> Iterator[Live]:
    """Run a service in a thread until the block ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    app = create_app(settings, model)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{port}"
    while not server.started:
        assert thread.is_alive(), "the service did not start"
        time.sleep(0.01)
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60) as http:
        yield Live(url, app.state.service, model, http)
    server.should_exit = True
    thread.join(20)


@pytest.fixture
def live(settings: ServiceSettings) -> Iterator[Live]:
    with serve(settings, SquareFinder()) as running:
        yield running


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., Any]:
    """`with start(model, **settings) as live:` for services that need other settings."""

    def starting(model: Any = None, **changes: Any) -> Any:
        return serve(make_settings(tmp_path, **changes), model or SquareFinder())

    return starting

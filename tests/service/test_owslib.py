"""OWSLib, a client nobody here wrote, lists, describes and executes processes of a running service."""

from __future__ import annotations

import pytest
from owslib.ogcapi.processes import Processes
from owslib.util import Authentication

from tests.engine.conftest import BOXES, Squares
from tests.service.conftest import QUESTION, TOKEN, Live


@pytest.fixture
def processes(live: Live) -> Processes:
    """OWSLib knows no bearer tokens; the token is HTTP Basic's password."""
    return Processes(live.url, auth=Authentication(username="token", password=TOKEN))


def test_owslib_lists_and_describes_processes(processes: Processes) -> None:
    assert [one["id"] for one in processes.processes()] == [
        "ask",
        "audit",
        "merge",
        "diff",
        "review-export",
        "import",
    ]
    described = processes.process("ask")
    assert described["inputs"]["question"]["minOccurs"] == 1
    assert "geopackage" in described["outputs"]


def test_owslib_reads_conformance_and_the_api(processes: Processes) -> None:
    assert any(name.endswith("processes-1/1.0/conf/core") for name in processes.conformance()["conformsTo"])
    assert "/processes/{process_id}/execution" in processes.api()["paths"]


def test_owslib_executes_a_process_and_waits(processes: Processes, squares: Squares) -> None:
    given = {"question": QUESTION, "scenes": [{"path": str(squares.path)}]}
    document = processes.execute("ask", inputs=given)
    assert document["answers"][0]["value"] == len(BOXES)


def test_owslib_executes_a_process_and_comes_back(processes: Processes, live: Live, squares: Squares) -> None:
    given = {"question": QUESTION, "scenes": [{"path": str(squares.path)}]}
    state = processes.execute("ask", inputs=given, async_=True)
    assert state["status"] in ("accepted", "running", "successful")
    assert processes.response_headers["Location"].endswith(f"/jobs/{state['jobID']}")
    assert live.wait(state["jobID"])["status"] == "successful"
    results = processes._request(path=f"jobs/{state['jobID']}/results")
    assert results["evidence_total"] == len(BOXES)


def test_owslib_chains_processes(processes: Processes, live: Live, squares: Squares) -> None:
    job = live.ask(squares.path)
    live.wait(job)
    document = processes.execute("audit", inputs={"job": job, "review": {"E1": "rejected"}})
    assert document["answers"][0]["value"] == len(BOXES) - 1

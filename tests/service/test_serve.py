"""`groundproof serve` as a process: its token, its address, how it stops and goes on. With the embedded model."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.engine.conftest import BOXES, write_squares

TOKEN = "0123456789abcdef"  # noqa: S105
COMMAND = [sys.executable, "-m", "groundproof.cli", "serve"]


@contextlib.contextmanager
def running(*words: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """The process, the address it printed and all it said before it was ready."""
    process = subprocess.Popen(
        [*COMMAND, "--port", "0", *words],
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    said = ""
    try:
        assert process.stdout is not None
        for line in process.stdout:
            said += line
            if line.startswith("Stop "):
                break
        found = re.search(r"http://\S+?(?=[/\s])", said)
        assert found, said
        for _ in range(600):
            with contextlib.suppress(httpx.HTTPError):
                httpx.get(f"{found[0]}/health")
                break
            time.sleep(0.05)
        yield process, found[0], said
    finally:
        process.kill()
        process.communicate()


def refused(*words: str, **environment: str) -> str:
    done = subprocess.run(
        [*COMMAND, *words], env={**os.environ, **environment}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2, done
    assert "Traceback" not in done.stderr
    return done.stderr


def test_without_a_token_one_is_made_and_its_link_opens_the_page(tmp_path: Path) -> None:
    with running("--data-dir", str(tmp_path)) as (_, address, said):
        assert address.startswith("http://127.0.0.1:")
        link = re.search(r"http://\S+token=\S+", said)
        assert link
        browser = httpx.Client(follow_redirects=True, headers={"Accept": "text/html"})
        page = browser.get(link[0])
        assert page.status_code == 200
        assert "token" not in str(page.url)
        assert "text/html" in page.headers["content-type"]
        assert browser.get(f"{address}/scenes").status_code == 200
        assert httpx.get(f"{address}/scenes").status_code == 401


def test_the_operators_token_is_taken_from_the_environment_and_never_shown(tmp_path: Path) -> None:
    with running("--data-dir", str(tmp_path), "--token-env", "GP_TOKEN", GP_TOKEN=TOKEN) as (
        process,
        address,
        said,
    ):
        assert TOKEN not in said
        assert TOKEN not in Path(f"/proc/{process.pid}/cmdline").read_text()
        headers = {"Authorization": f"Bearer {TOKEN}"}
        assert httpx.get(f"{address}/scenes", headers=headers).status_code == 200
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert TOKEN.encode() not in kept


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--host", "0.0.0.0"], "--token-env"),  # noqa: S104
        (["--token-env", "GP_NONE"], "GP_NONE holds 0 characters"),
        (["--token-env", "GP_SHORT"], "at least 16"),
        (["--log-level", "loud"], "debug, info, warning or error"),
    ],
)
def test_what_would_be_unsafe_is_refused_in_a_sentence(
    tmp_path: Path, words: list[str], sentence: str
) -> None:
    said = refused("--data-dir", str(tmp_path), *words, GP_SHORT="short")
    assert sentence in " ".join(said.split())


def test_a_port_in_use_and_a_folder_in_use_are_refused(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        said = refused("--data-dir", str(tmp_path), "--port", str(other.getsockname()[1]))
        assert "another --port" in " ".join(said.split())
    with running("--data-dir", str(tmp_path)):
        assert "Another process" in refused("--data-dir", str(tmp_path), "--port", "0")


def test_a_killed_service_goes_on_where_it_was_and_a_polite_stop_takes_seconds(tmp_path: Path) -> None:
    scene = write_squares(tmp_path / "squares.tif", BOXES, width=1400, height=1400).path
    words = ["--data-dir", str(tmp_path / "data"), "--allow-root", str(tmp_path), "--token-env", "GP_TOKEN"]
    headers = {"Authorization": f"Bearer {TOKEN}"}
    body = {"question": "How many airplanes are there?", "scenes": [{"path": str(scene)}]}
    with running(*words, GP_TOKEN=TOKEN) as (process, address, _):
        job = httpx.post(f"{address}/ask", json=body, headers=headers).json()["jobID"]
        answers = tmp_path / "data" / "jobs" / job / "run" / "answers"
        deadline = time.monotonic() + 120
        while not list(answers.glob("*.parquet")) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.kill()
        process.wait()
    before = {path.name: path.stat().st_mtime_ns for path in answers.glob("*.parquet")}
    assert before, "nothing was answered before the kill"
    with running(*words, GP_TOKEN=TOKEN) as (process, address, _):
        with httpx.stream("GET", f"{address}/jobs/{job}/events", headers=headers, timeout=120) as reply:
            names = [line[7:] for line in reply.iter_lines() if line.startswith("event: ")]
        assert names[-1] == "done"
        state = httpx.get(f"{address}/jobs/{job}", headers=headers).json()
        assert state["status"] == "successful", state
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) in (0, -signal.SIGTERM)
    after = {path.name: path.stat().st_mtime_ns for path in answers.glob("*.parquet")}
    assert before.items() <= after.items(), "a batch that was kept was answered again"


def test_a_service_ends_with_its_parents_pipe_and_goes_on_with_its_jobs_later(tmp_path: Path) -> None:
    scene = write_squares(tmp_path / "squares.tif", BOXES, width=1400, height=1400).path
    words = ["--data-dir", str(tmp_path / "data"), "--allow-root", str(tmp_path), "--token-env", "GP_TOKEN"]
    headers = {"Authorization": f"Bearer {TOKEN}"}
    body = {"question": "How many airplanes are there?", "scenes": [{"path": str(scene)}]}
    with running(*words, "--stop-with-stdin", GP_TOKEN=TOKEN) as (process, address, said):
        assert said.startswith(f"groundproof serves tiny at {address}\n")
        assert process.stdin is not None
        process.stdin.write("what is written does not matter\n")
        process.stdin.flush()
        job = httpx.post(f"{address}/ask", json=body, headers=headers).json()["jobID"]
        answers = tmp_path / "data" / "jobs" / job / "run" / "answers"
        deadline = time.monotonic() + 120
        while not list(answers.glob("*.parquet")) and time.monotonic() < deadline:
            time.sleep(0.05)
        # A client that watches must not hold it up.
        with httpx.stream("GET", f"{address}/jobs/{job}/events", headers=headers, timeout=60) as watched:
            process.stdin.close()
            process.stdin = None
            assert process.wait(60) == 0
            assert watched.status_code == 200
    assert json.loads((answers.parents[1] / "job.json").read_text())["status"] == "running"
    with running(*words, GP_TOKEN=TOKEN) as (process, address, _):
        with httpx.stream("GET", f"{address}/jobs/{job}/events", headers=headers, timeout=120) as reply:
            names = [line[7:] for line in reply.iter_lines() if line.startswith("event: ")]
        assert names[-1] == "done"
        assert names.count("done") == 1


def test_a_service_whose_parent_is_gone_before_it_listens_ends_too(tmp_path: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "--port", "0", "--data-dir", str(tmp_path), "--stop-with-stdin"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "by closing its standard input" in done.stdout

"""A real engine on a random port, and a question answered by it, for tests of what comes after the answer."""

from __future__ import annotations

import re
import secrets
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from groundproof_qgis.engine.address import EngineAddress
from groundproof_qgis.engine.client import EngineClient
from groundproof_qgis.engine.errors import UNREACHABLE, EngineError
from tests.plugin.engine_pixels import FilePixels
from tests.plugin.engine_waiting import in_worker, until
from tests.plugin.results import ENGINE, QUESTION, need_engine, scene

START_S = 90.0
ANSWER_S = 120.0


@contextmanager
def served(folder: Path) -> Iterator[EngineClient]:
    """`groundproof serve` while the block runs."""
    need_engine()
    token = secrets.token_urlsafe(24)
    child = subprocess.Popen(
        [ENGINE, "serve", "--port", "0", "--token-env", "GP_TEST", "--stop-with-stdin", "--data-dir", folder],
        env={"GP_TEST": token, "PATH": "/usr/bin:/bin", "HOME": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        found = re.search(r"http://[\d.]+:\d+", child.stdout.readline())
        assert found, "the engine said no address"
        client = EngineClient(EngineAddress(found[0], token_source=lambda: token))
        until(lambda: _is_ready(client), START_S)
        yield client
    finally:
        child.stdin.close()
        child.wait(30)


def _is_ready(client: EngineClient) -> bool:
    try:
        return in_worker(client.ready).ready
    except EngineError as err:
        if err.kind != UNREACHABLE:  # the address is said a moment before anything listens there
            raise
        return False


def asked(client: EngineClient, file: Path) -> str:
    """Ask about the scene, wait, and download the result; gives the job's id."""

    def ask() -> str:
        pixels = FilePixels(scene())
        scene_id = client.create_scene(pixels.spec)
        for window in pixels.windows(lambda: False):
            client.put_window(scene_id, window)
        job = client.ask({"question": QUESTION, "scenes": [{"id": scene_id}]})
        end = time.monotonic() + ANSWER_S
        while client.job(job)["status"] not in ("successful", "failed"):
            assert time.monotonic() < end, "no answer in time"
            time.sleep(0.2)
        client.download(f"/jobs/{job}/files/result.gpkg", file)
        return job

    return in_worker(ask, ANSWER_S)

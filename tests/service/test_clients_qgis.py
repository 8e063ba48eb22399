"""A real QGIS, without a screen, adds a job's evidence as a layer: finished, and while the job runs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import shapely

from tests.engine.conftest import BOXES, Squares
from tests.service.conftest import TOKEN, Live
from tests.service.feature_samples import Gated, oracle, until

PYTHON = shutil.which("python3", path="/usr/bin") or "python3"
"""Only the system's own Python sees a QGIS that the system's packages brought."""


def has_qgis() -> bool:
    """Whether that Python can import it."""
    found = subprocess.run([PYTHON, "-c", "import qgis.core"], capture_output=True, timeout=60, check=False)
    return found.returncode == 0


pytestmark = pytest.mark.skipif(not has_qgis(), reason="QGIS is not installed")


def opened(live: Live, collection: str, folder: Path) -> dict[str, Any]:
    """What QGIS shows of a collection."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("GDAL_", "PROJ_", "PYTHON", "DISPLAY"))}
    command = [PYTHON, str(Path(__file__).with_name("qgis_client.py")), live.url, collection, TOKEN]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
        env={
            **clean,
            "QT_QPA_PLATFORM": "offscreen",
            "QGIS_CUSTOM_CONFIG_PATH": str(folder),
            "XDG_CACHE_HOME": str(folder / "cache"),
        },
    )
    assert done.returncode == 0, done.stderr
    shown: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert shown["valid"], (shown["error"], done.stderr)
    return shown


def is_where_its_boxes_are(shown: dict[str, Any], squares: Squares) -> None:
    assert shown["count"] == len(shown["features"])
    for feature in shown["features"]:
        box = feature["box_px"]
        expected = oracle(
            json.loads(box) if isinstance(box, str) else box, squares.affine, "EPSG:32631", "OGC:CRS84"
        )
        assert shapely.from_wkt(feature["wkt"]).hausdorff_distance(expected) < 1e-7
    scene = oracle([0, 0, 700, 500], squares.affine, "EPSG:32631", "OGC:CRS84")
    assert shown["extent"] == pytest.approx(scene.bounds, abs=1e-6)


def test_qgis_shows_the_evidence_of_a_job_where_it_is(live: Live, squares: Squares, tmp_path: Path) -> None:
    job = live.ask(squares.path)
    live.wait(job)
    shown = opened(live, f"{job}-evidence", tmp_path / "qgis")
    assert sorted(f["evidence_id"] for f in shown["features"]) == [f"E{n}" for n in range(1, len(BOXES) + 1)]
    assert {"label", "quote", "verdict", "score", "area_m2"} <= set(shown["fields"])
    assert shown["crs"] in ("OGC:CRS84", "EPSG:4326")
    is_where_its_boxes_are(shown, squares)


def test_qgis_opens_a_running_job_and_later_shows_all_of_it(
    squares: Squares, start: Callable[..., Any], tmp_path: Path
) -> None:
    model = Gated(free=5)
    with start(model) as live:
        job = live.ask(squares.path)
        try:
            files = f"/jobs/{job}/files"
            until(lambda: live.http.get(files).json().get("partial") == "5 of 12 tiles")
            shown = opened(live, f"{job}-evidence", tmp_path / "qgis")
            assert 0 < shown["count"] < len(BOXES)
            is_where_its_boxes_are(shown, squares)
            kept = [f for f in (tmp_path / "qgis" / "cache").rglob("*.d") if job.encode() in f.read_bytes()]
            assert not kept, "QGIS would show these first boxes again from its disk"
        finally:
            model.allow()
        live.wait(job)
        shown = opened(live, f"{job}-evidence", tmp_path / "qgis")
        assert shown["count"] == len(BOXES)
        is_where_its_boxes_are(shown, squares)

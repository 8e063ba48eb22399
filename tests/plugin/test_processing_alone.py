"""The algorithms without a desktop: qgis_process starts an engine of its own for the run, and stops it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import zipfile
from pathlib import Path

import pytest

from groundproof_qgis.layers.tables import read_tables
from tests.plugin.results import ENGINE, QUESTION, need_engine, result, scene
from tests.plugin.test_package import packaged

PROGRAM = shutil.which("qgis_process.bin") or shutil.which("qgis_process")
"""Debian 12's wrapper `qgis_process` is broken; the program behind it is not."""


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """A user's folder with the built plugin installed and an engine chosen."""
    need_engine()
    home = tmp_path_factory.mktemp("home")
    profile = home / "config" / "profiles" / "default"
    with zipfile.ZipFile(packaged()) as archive:
        archive.extractall(profile / "python" / "plugins")
    (profile / "QGIS").mkdir()
    (profile / "QGIS" / "QGIS3.ini").write_text(
        f"[PythonPlugins]\ngroundproof_qgis=true\n\n[groundproof]\nengine\\command={ENGINE}\n"
    )
    return home


def qgis_process(home: Path, *words: str) -> dict:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("QT_", "QGIS_", "PYTHON", "GDAL_", "PROJ_", "XDG_", "VIRTUAL_ENV"))
    }
    environment = {
        **kept,
        "HOME": str(home),
        "QT_QPA_PLATFORM": "offscreen",
        "QGIS_CUSTOM_CONFIG_PATH": str(home / "config"),
    }
    done = subprocess.run(
        [PROGRAM, "--json", *words], capture_output=True, text=True, check=False, env=environment, timeout=180
    )
    document = json.loads(done.stdout[done.stdout.index("{") :]) if done.stdout else {}
    return {**document, "rc": done.returncode, "said": done.stderr}


def engines() -> list[str]:
    """Command lines of engines that run."""
    found = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return [
        line
        for line in found.splitlines()
        if "serve" in line and "groundproof" in line and "--data-dir" in line
    ]


def test_qgis_process_lists_and_explains_the_algorithms(home: Path) -> None:
    found = qgis_process(home, "list")["providers"]["groundproof"]["algorithms"]
    assert sorted(found) == [
        "groundproof:ask_imagery",
        "groundproof:ask_many_scenes",
        "groundproof:audit_evidence",
        "groundproof:compare_runs",
    ]
    details = qgis_process(home, "help", "groundproof:ask_imagery")
    assert {"INPUT", "QUESTION", "EXTENT", "AOI", "TASK", "ENGINE", "OUTPUT"} <= set(details["parameters"])
    assert {"ANSWER", "COUNT", "COVERAGE", "FILE", "OUTPUT"} <= set(details["outputs"])


def test_it_asks_with_an_engine_that_lives_as_long_as_the_run(home: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.gpkg"
    mine = str(home)
    document = qgis_process(
        home,
        "run",
        "groundproof:ask_imagery",
        "--",
        f"INPUT={scene()}",
        f"QUESTION={QUESTION}",
        "TASK=count",
        f"OUTPUT={output}",
    )
    assert document["rc"] == 0, document["said"][-3000:]
    expected = read_tables(result(tmp_path, "cli.gpkg"))
    found = read_tables(output)
    assert document["results"]["COUNT"] == expected.answers[0]["value"]
    assert sorted(tuple(row["box_px"]) for row in found.evidence) == sorted(
        tuple(row["box_px"]) for row in expected.evidence
    )
    end = time.monotonic() + 10
    while any(mine in line for line in engines()) and time.monotonic() < end:
        time.sleep(0.2)
    assert not [line for line in engines() if mine in line]


def test_a_bare_extent_is_the_layer_s_without_a_project(home: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.gpkg"
    document = qgis_process(
        home,
        "run",
        "groundproof:ask_imagery",
        "--",
        f"INPUT={scene()}",
        f"QUESTION={QUESTION}",
        "EXTENT=443050,443150,4099900,4100000",
        f"OUTPUT={output}",
    )
    assert document["rc"] == 0, document["said"][-3000:]
    ((area,),) = read_tables(output).answers[0]["geometry"]["coordinates"]
    assert (min(x for x, _ in area), max(y for _, y in area)) == pytest.approx((443050, 4100000), abs=0.01)


def test_a_failure_is_a_sentence_and_an_exit_code(home: Path, tmp_path: Path) -> None:
    document = qgis_process(
        home,
        "run",
        "groundproof:ask_imagery",
        "--",
        f"INPUT={scene()}",
        "QUESTION= ",
        f"OUTPUT={tmp_path / 'out.gpkg'}",
    )
    assert document["rc"] == 1
    assert "The question is empty" in document["said"]
    assert "Traceback" not in document["said"]

"""A batch's memory does not grow with its tiles: one scene of 3.6 gigapixels, 1,000 to 100,000 tiles of it.

The long one: ./scripts/test --long -k scale
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyogrio
import pytest

from .scale_job import ALL_A_SIDE, write_scene

ROOT = Path(__file__).resolve().parents[2]
FLAT = 1.25
"""Of peak memory, over that of 1,000 tiles."""
MOST_MIB = 500


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_scene(tmp_path_factory.mktemp("large"))


def measured(scene: Path, folder: Path, tiles_a_side: int) -> dict[str, Any]:
    """What `scale_job` says of a batch that it makes in `folder`."""
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "tests.engine.scale_job", str(scene), str(folder), str(tiles_a_side)],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    print(json.dumps(found))
    assert found["tiles"] == found["answered"] == tiles_a_side**2
    assert found["failures"] == 0
    for table, rows in (("tiles", found["tiles"]), ("evidence", found["evidence"]), ("answers", 1)):
        assert pyogrio.read_info(folder / "job.gpkg", layer=table)["features"] == rows
    assert found["total"] == found["evidence"] > 0
    assert not (folder / "job.run" / "result.spool").exists()
    return found


def peak(found: dict[str, Any]) -> float:
    return float(found["peak_mib"]["write"])


def test_scale_of_a_few_thousand_tiles(scene: Path, tmp_path: Path) -> None:
    small, more = (measured(scene, tmp_path / str(side), side) for side in (32, 64))
    assert peak(more) <= peak(small) * FLAT
    assert peak(more) <= MOST_MIB


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_scale_of_a_hundred_thousand_tiles(scene: Path, tmp_path: Path) -> None:
    small, more, most = (measured(scene, tmp_path / str(side), side) for side in (32, 100, ALL_A_SIDE))
    assert most["tiles"] > 100_000
    assert peak(more) <= peak(small) * FLAT
    assert peak(most) <= peak(small) * FLAT
    assert peak(most) <= MOST_MIB
    assert most["status_cpu_s"] < 1.0

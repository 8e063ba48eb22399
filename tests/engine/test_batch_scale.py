"""A batch's memory hardly grows with its tiles: one scene of 3.6 gigapixels, 1,000 to 100,000 tiles of it.

Planning and answering are flat. Putting one answer together holds what its tiles said: some bytes a tile.

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
"""Of peak memory until the last tile is answered, over that of 1,000 tiles."""
A_TILE_BYTES = 3_000
"""Most that a tile adds while its answer is put together."""


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


def check_memory(small: dict[str, Any], large: dict[str, Any]) -> None:
    before, after = small["peak_mib"], large["peak_mib"]
    assert after["answer"] <= before["answer"] * FLAT
    more_tiles = large["tiles"] - small["tiles"]
    assert after["write"] <= before["write"] * FLAT + more_tiles * A_TILE_BYTES / 2**20


def test_scale_of_a_few_thousand_tiles(scene: Path, tmp_path: Path) -> None:
    small, more = (measured(scene, tmp_path / str(side), side) for side in (32, 50))
    check_memory(small, more)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_scale_of_a_hundred_thousand_tiles(scene: Path, tmp_path: Path) -> None:
    small, more, most = (measured(scene, tmp_path / str(side), side) for side in (32, 100, ALL_A_SIDE))
    assert most["tiles"] > 100_000
    check_memory(small, more)
    check_memory(small, most)
    assert most["status_cpu_s"] < 1.0

"""Real results to test with: made once per run of the tests by the engine itself, from a scene drawn for it."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path

import pytest
from osgeo import ogr

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv" / "bin" / "python"
ENGINE = ROOT / ".venv" / "bin" / "groundproof"

QUESTION = "How many airplanes are there?"
WEST = {"x": (443000.0, 443118.0), "y": (4099700.0, 4100200.0)}
EAST = {"x": (443118.0, 443400.0), "y": (4099700.0, 4100200.0)}
"""Two parcels that cut the scene between columns of objects; EPSG:32631."""


def need_engine() -> None:
    """Skip where the engine is not installed; ./scripts/test installs it."""
    if not ENGINE.exists():
        pytest.skip("the engine's environment .venv is not here")


def engine(*words: str | Path, check: bool = True) -> subprocess.CompletedProcess:
    """Run the engine's command line."""
    return subprocess.run([ENGINE, *map(str, words)], check=check, capture_output=True, text=True)


@lru_cache(maxsize=1)
def _folder() -> tempfile.TemporaryDirectory:
    return tempfile.TemporaryDirectory(prefix="groundproof-results-")


@lru_cache(maxsize=1)
def scene() -> Path:
    """A GeoTIFF of airplanes, rotated against its grid."""
    need_engine()
    path = Path(_folder().name) / "field.tif"
    words = [
        PYTHON,
        ROOT / "scripts" / "demo_scene.py",
        path,
        "--seed",
        "2",
        "--width",
        "448",
        "--height",
        "336",
    ]
    subprocess.run(list(map(str, words)), check=True, capture_output=True)
    return path


@lru_cache(maxsize=1)
def _one() -> Path:
    path = Path(_folder().name) / "one.gpkg"
    engine("ask", scene(), "-q", QUESTION, "-o", path)
    return path


@lru_cache(maxsize=1)
def _parcels() -> Path:
    path = Path(_folder().name) / "parcels.gpkg"
    areas = path.with_suffix(".geojson")
    features = [
        {
            "type": "Feature",
            "properties": {"name": name},
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]]],
            },
        }
        for name, (x0, x1), (y0, y1) in (("west", WEST["x"], WEST["y"]), ("east", EAST["x"], EAST["y"]))
    ]
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32631"}}
    areas.write_text(json.dumps({"type": "FeatureCollection", "crs": crs, "features": features}))
    engine("ask", scene(), "-q", QUESTION, "--aoi", areas, "--aoi-field", "name", "-o", path)
    return path


def result(folder: Path, name: str = "run.gpkg") -> Path:
    """A copy of a result with one answer about airplanes, to be changed at will."""
    need_engine()
    return Path(shutil.copy(_one(), folder / name))


def with_duplicate(path: Path) -> Path:
    """The same result, its box E2 a duplicate; whether the model says something twice is not under test."""
    file = ogr.Open(str(path), 1)
    file.ExecuteSQL("UPDATE evidence SET verdict = 'duplicate' WHERE evidence_id = 'E2'")
    del file  # writes
    return path


def parcels(folder: Path, name: str = "run.gpkg") -> Path:
    """A copy of a result with an answer for each of two parcels."""
    need_engine()
    return Path(shutil.copy(_parcels(), folder / name))

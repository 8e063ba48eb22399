"""The real thing: `groundproof ask` with the embedded model in a process of its own, killed and resumed."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import rasterio
from affine import Affine
from rasterio.transform import xy as gdal_xy
from shapely.geometry import Polygon

from groundproof.models.embedded import EMBEDDED_FOLDER
from groundproof.tables import TABLES, TileStatus, Verdict
from groundproof_training.scenes import WorldSpec, make_scene

pytestmark = [
    pytest.mark.weights,
    pytest.mark.skipif(not EMBEDDED_FOLDER.is_dir(), reason="the embedded weights are not in this checkout"),
]

QUESTION = "How many airplanes are there?"
WIDTH, HEIGHT = 616, 448
AFFINE = Affine.translation(443000, 4100000) @ Affine.rotation(20) @ Affine.scale(0.5, -0.5)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scene") / "scene.tif"
    image = make_scene(11, WIDTH, HEIGHT, WorldSpec(classes=("airplane",), n_objects=(2, 4))).image
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=WIDTH,
        height=HEIGHT,
        count=3,
        dtype="uint8",
        photometric="RGB",
        crs="EPSG:32631",
        transform=AFFINE,
    ) as target:
        target.write(np.moveaxis(image, 2, 0))
    return path


def command(*words: object) -> list[str]:
    return [sys.executable, "-m", "groundproof.cli", *(str(word) for word in words)]


@pytest.fixture(scope="module")
def whole(scene: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("whole") / "answer.gpkg"
    done = subprocess.run(
        command("ask", scene, "-q", QUESTION, "-o", out), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == str(out)
    return out


def read(path: Path, layer: str):
    return pyogrio.read_dataframe(path, layer=layer)


def test_killed_and_resumed_it_gives_the_same_result(scene: Path, whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "answer.gpkg"
    child = subprocess.Popen(command("ask", scene, "-q", QUESTION, "-o", out), stdout=subprocess.DEVNULL)
    manifest = tmp_path / "answer.run" / "run.toml"
    deadline = time.monotonic() + 120
    while not manifest.exists() and time.monotonic() < deadline and child.poll() is None:
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert manifest.exists()
    assert not out.exists()
    done = subprocess.run(command("resume", manifest.parent), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for layer in ("evidence", "answers", "tiles", "scenes"):
        a, b = read(whole, layer), read(out, layer)
        timing = {"seconds"} & set(a.columns)
        assert a.drop(columns=list(timing)).equals(b.drop(columns=list(timing))), layer


def test_the_geopackage_keeps_its_contract(whole: Path) -> None:
    layers = {name for name, _ in pyogrio.list_layers(whole)}
    for name, columns in TABLES.items():
        assert name in layers
        frame = read(whole, name)
        assert set(frame.columns) >= {column.name for column in columns}
        assert frame.crs.to_epsg() == 32631
    with sqlite3.connect(whole) as database:
        assert database.execute("select count(*) from layer_styles").fetchone()[0] == 4
        metadata = json.loads(database.execute("select metadata from gpkg_metadata").fetchone()[0])
    assert metadata["model"].startswith("tiny")
    assert metadata["versions"]["groundproof"]


def test_every_box_lies_where_gdal_puts_its_pixels(whole: Path) -> None:
    for row in read(whole, "evidence").itertuples():
        x0, y0, x1, y1 = json.loads(row.box_px)
        pixels = ((x0, y0), (x1, y0), (x1, y1), (x0, y1))
        expected = Polygon([gdal_xy(AFFINE, y, x, offset="ul") for x, y in pixels])
        assert row.geometry.symmetric_difference(expected).area < 1e-3
        assert row.area_m2 == pytest.approx(expected.area, rel=0.01)  # the grid's scale factor is 0.9996


def test_every_tile_has_a_row_with_its_status_and_pixels(whole: Path) -> None:
    tiles = read(whole, "tiles")
    assert set(tiles.status) <= {s.value for s in TileStatus}
    assert tiles.pixels_hash.str.len().eq(32).all()
    evidence = read(whole, "evidence")
    assert set(evidence.verdict) <= {v.value for v in Verdict}
    assert {t for ids in evidence.tile_ids for t in json.loads(ids)} <= set(tiles.tile_id)


def test_the_count_is_the_number_of_counted_boxes(whole: Path) -> None:
    answers, evidence = read(whole, "answers"), read(whole, "evidence")
    counted = evidence[
        ~evidence.verdict.isin(["duplicate", "out-of-frame", "contradicted"]) & (evidence.label == "airplane")
    ]
    assert json.loads(str(answers["value"].iloc[0])) == len(counted)


def test_it_finds_most_of_what_is_there(whole: Path) -> None:
    """Not a benchmark: the embedded model must see airplanes at all, and in the right places."""
    truth = [
        o.box
        for o in make_scene(11, WIDTH, HEIGHT, WorldSpec(classes=("airplane",), n_objects=(2, 4))).objects
    ]
    boxes = [json.loads(b) for b in read(whole, "evidence").box_px]

    def hit(box: tuple[float, ...]) -> bool:
        return any(b[0] < (box[0] + box[2]) / 2 < b[2] and b[1] < (box[1] + box[3]) / 2 < b[3] for b in boxes)

    assert sum(map(hit, truth)) >= len(truth) / 2

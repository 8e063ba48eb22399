"""A whole question over a whole scene with vLLM in process, against transformers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import rasterio
from affine import Affine

import groundproof
from groundproof_training.scenes import WorldSpec, make_scene

QUESTION = "How many airplanes are there?"
WIDTH, HEIGHT = 448, 392


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
        crs="EPSG:32631",
        transform=Affine.translation(443000, 4100000) @ Affine.scale(0.5, -0.5),
    ) as target:
        target.write(np.moveaxis(image, 2, 0))
    return path


def test_asking_through_vllm_equals_asking_through_transformers(scene: Path, tmp_path: Path) -> None:
    ours, theirs = tmp_path / "vllm.gpkg", tmp_path / "transformers.gpkg"
    groundproof.ask(scene, QUESTION, out=theirs, model="tiny")
    words = ("ask", scene, "-q", QUESTION, "-o", ours, "--model", "vllm:tiny", "--free")
    done = subprocess.run(
        [sys.executable, "-m", "groundproof.cli", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    a, b = (pyogrio.read_dataframe(path, layer="evidence") for path in (ours, theirs))
    assert len(a) == len(b) > 0
    same = ["evidence_id", "label", "quote", "box_px", "verdict", "role"]
    assert a[same].equals(b[same])
    assert a.score.to_numpy() == pytest.approx(b.score.to_numpy(), abs=1e-3)
    answers = [pyogrio.read_dataframe(path, layer="answers") for path in (ours, theirs)]
    for column in ("answer", "value", "plan", "synthesis", "coverage"):
        assert answers[0][column].tolist() == answers[1][column].tolist()

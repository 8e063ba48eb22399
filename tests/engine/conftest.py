"""Scenes with known truth for tests of everything between a file and a result."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

import groundproof.session as session
from groundproof.models.resolve import ModelSpec

from .square_finder import PROFILE, SquareFinder


@dataclass(frozen=True)
class Squares:
    """A GeoTIFF of bright squares on dark ground. boxes: x0, y0, x1, y1, px."""

    path: Path
    boxes: list[tuple[int, int, int, int]]
    affine: Affine


def write_squares(
    path: Path,
    boxes: list[tuple[int, int, int, int]],
    *,
    width: int = 700,
    height: int = 500,
    affine: Affine | None = None,
    crs: str | None = "EPSG:32631",
) -> Squares:
    pixels = np.full((3, height, width), 40, dtype=np.uint8)
    for x0, y0, x1, y1 in boxes:
        pixels[:, y0:y1, x0:x1] = 250
    affine = affine or Affine.translation(443000, 4100000) @ Affine.rotation(20) @ Affine.scale(0.5, -0.5)
    profile = {"crs": crs, "transform": affine} if crs else {}
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=width,
        height=height,
        count=3,
        dtype="uint8",
        photometric="RGB",
        **profile,
    ) as target:
        target.write(pixels)
    return Squares(path, boxes, affine)


BOXES = [
    (20, 30, 60, 70),
    (160, 100, 230, 150),
    (400, 20, 440, 60),
    (660, 440, 695, 480),
    (300, 300, 460, 340),
]
"""The second and the last lie over borders of 224 px tiles with 56 px overlap; the last is in no tile whole."""


@pytest.fixture
def squares(tmp_path: Path) -> Squares:
    return write_squares(tmp_path / "squares.tif", BOXES)


@pytest.fixture
def finder(monkeypatch: pytest.MonkeyPatch) -> SquareFinder:
    """Every model asked for is the square finder."""
    model = SquareFinder()
    monkeypatch.setattr(session, "resolve", lambda name: ModelSpec(PROFILE, Path()))
    monkeypatch.setattr(session, "open_model", lambda spec: model)
    return model

"""The demo's scene as pixels to send."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Callable

from osgeo import gdal, osr

from groundproof_qgis.imagery.scene import PixelSource, PixelWindow, SceneSpec

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv" / "bin" / "python"


def render_scene(folder: Path, width: int = 896, height: int = 672) -> Path:
    """A procedural scene with airplanes, the same each time."""
    path = folder / f"scene-{width}x{height}.tif"
    words = [str(PYTHON), "scripts/demo_scene.py", str(path), "--seed", "2", "--width", str(width)]
    subprocess.run([*words, "--height", str(height)], cwd=ROOT, check=True, capture_output=True)
    return path


@lru_cache(maxsize=4)
def _read(path: Path) -> tuple[bytes, int, int, tuple[float, ...], str]:
    dataset = gdal.Open(str(path))
    pixels = dataset.ReadAsArray().transpose(1, 2, 0).tobytes()
    c, a, b, f, d, e = dataset.GetGeoTransform()
    crs = osr.SpatialReference(dataset.GetProjection()).ExportToWkt(["FORMAT=WKT2_2018"])
    return pixels, dataset.RasterXSize, dataset.RasterYSize, (a, b, c, d, e, f), crs


class FilePixels(PixelSource):
    """All of a file with three bands of bytes, in strips of raw pixels."""

    def __init__(self, path: Path, rows: int = 256, between: Callable[[], None] | None = None) -> None:
        self._pixels, width, height, affine, crs = _read(path)
        self.spec = SceneSpec(path.stem, width, height, crs, affine)
        self._rows = rows
        self._between = between
        self.closed = 0

    def windows(self, cancelled: Callable[[], bool]) -> Iterator[PixelWindow]:
        width, height = self.spec.width, self.spec.height
        for y0 in range(0, height, self._rows):
            if cancelled():
                return
            if self._between is not None:
                self._between()
            rows = min(self._rows, height - y0)
            body = self._pixels[y0 * width * 3 : (y0 + rows) * width * 3]
            yield PixelWindow(0, y0, width, rows, body, "application/octet-stream")

    def close(self) -> None:
        self.closed += 1

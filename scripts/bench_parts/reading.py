"""Times reading a 10,000 x 10,000 scene tile by tile against bare rasterio, and its memory.

    .venv/bin/python scripts/bench_parts/reading.py

Both read the same windows in the same order in the same run, alternating, on a file made here (RGB uint8,
DEFLATE, tiled and striped). Bare rasterio is one open dataset and `dataset.read(window=...)`; ours gives
finished tiles, so their pixels are compared before their times. Reported: the median of the ratios of
neighbouring measurements, with the spread, because a shared machine's speed drifts.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import rasterio
from rasterio.windows import Window

from groundproof.boxes import Tile
from groundproof.reading import TilePixels
from groundproof.runners.ahead import Ahead
from groundproof.scene import Scene, open_scene
from groundproof.sources import Views
from groundproof.stretch import Stretch, measure_stretch
from groundproof.tiling import plan

SIDE_PX = 10_000
TILE_PX, OVERLAP_PX, MULTIPLE_PX = 896, 128, 28
TILE_ROWS = 3
"""Rows of tiles per measurement: 39 tiles, far more than GDAL's cache keeps decoded between rows."""
REPEATS = 5
AIM = 0.95


def make_scene(path: Path, *, tiled: bool, side_px: int = SIDE_PX) -> None:
    """Write an RGB scene that compresses about as well as aerial imagery: smooth ground with noise."""
    rng = np.random.default_rng(1)
    layout = {"tiled": True, "blockxsize": 512, "blockysize": 512} if tiled else {"blockysize": 16}
    profile = {
        "driver": "GTiff", "width": side_px, "height": side_px, "count": 3, "dtype": "uint8",
        "compress": "deflate", "interleave": "pixel", "crs": "EPSG:32631",
        "transform": rasterio.Affine(0.3, 0, 500_000, 0, -0.3, 5_600_000), **layout,
    }  # fmt: skip
    cols = np.arange(side_px)
    with rasterio.open(path, "w", **profile) as out:
        for row in range(0, side_px, 512):
            rows = np.arange(row, min(row + 512, side_px))[:, None]
            ground = 90 + 50 * np.sin(cols / 211) * np.cos(rows / 173)
            bands = [ground + shade + rng.normal(0, 4, ground.shape) for shade in (0, 12, -9)]
            block = np.clip(bands, 0, 255).astype(np.uint8)
            out.write(block, window=Window(0, row, side_px, len(rows)))


def bare_seconds(path: Path, tiles: tuple[Tile, ...]) -> float:
    """One dataset, one read per tile, nothing else."""
    start = time.perf_counter()
    with rasterio.open(path) as dataset:
        for tile in tiles:
            w = tile.window
            dataset.read((1, 2, 3), window=Window(w.x0, w.y0, w.width, w.height))
    return time.perf_counter() - start


@dataclass(frozen=True)
class Place:
    """One tile of the only scene."""

    tile: Tile
    scene: str = "scene"


@dataclass(frozen=True)
class OneScene:
    """A scene that is open already."""

    scene: Scene
    stretch: Stretch

    @contextmanager
    def views(self, name: str) -> Iterator[Views]:
        """The scene, whatever its name."""
        yield Views(name, ((self.scene, self.stretch),))


def read_ahead(scene: Scene, stretch: Stretch, tiles: tuple[Tile, ...]) -> Iterator[tuple[Tile, TilePixels]]:
    """As a run reads them."""
    with Ahead(OneScene(scene, stretch), map(Place, tiles)) as reader:
        for place, found in reader:
            if isinstance(found.pixels, Exception):
                raise found.pixels
            yield place.tile, found.pixels[0]


def our_seconds(scene: Scene, stretch: Stretch, tiles: tuple[Tile, ...]) -> float:
    """Finished tiles, through the reader."""
    start = time.perf_counter()
    for _ in read_ahead(scene, stretch, tiles):
        pass
    return time.perf_counter() - start


def check_same(path: Path, scene: Scene, stretch: Stretch, tiles: tuple[Tile, ...]) -> None:
    """Equal pixels before equal times."""
    with rasterio.open(path) as dataset:
        for tile, pixels in read_ahead(scene, stretch, tiles):
            w = tile.window
            bare = dataset.read((1, 2, 3), window=Window(w.x0, w.y0, w.width, w.height))
            if not np.array_equal(pixels.rgb, bare.transpose(1, 2, 0)):
                raise RuntimeError(f"tile {tile.index} differs from rasterio's pixels")


class PeakMemory:
    """The process's largest resident memory above what it had at the start, sampled every 10 ms."""

    def __enter__(self) -> PeakMemory:
        self._process = psutil.Process(os.getpid())
        self._start = self._process.memory_info().rss
        self.peak_bytes = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def _watch(self) -> None:
        while not self._done.wait(0.01):
            self.peak_bytes = max(self.peak_bytes, self._process.memory_info().rss - self._start)

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()


def run(*, side_px: int = SIDE_PX, repeats: int = REPEATS) -> list[dict[str, Any]]:
    """Measure both layouts. Each row: what, ratio (bare / ours, larger is better), aim, seconds, memory."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="groundproof-bench-") as folder:
        for layout in ("tiled", "striped"):
            path = Path(folder) / f"{layout}.tif"
            make_scene(path, tiled=layout == "tiled", side_px=side_px)
            with open_scene(path) as scene:
                stretch = measure_stretch(scene)
                whole = plan(
                    scene.grid, None, tile_px=TILE_PX, overlap_px=OVERLAP_PX, multiple_px=MULTIPLE_PX
                )
                tiles = tuple(t for t in whole.tiles if t.cells[0] < TILE_ROWS)
                check_same(path, scene, stretch, tiles[:20])
                pairs = []
                for i in range(repeats):  # alternate who goes first, so that drift favours neither
                    ours_first = i % 2 == 1
                    ours = our_seconds(scene, stretch, tiles) if ours_first else 0.0
                    bare = bare_seconds(path, tiles)
                    ours = ours if ours_first else our_seconds(scene, stretch, tiles)
                    pairs.append((bare, ours))
                with PeakMemory() as memory:
                    our_seconds(scene, stretch, whole.tiles)
            ratios = [bare / ours for bare, ours in pairs]
            rows.append(
                {
                    "what": f"reading {side_px} x {side_px}, {layout} DEFLATE",
                    "ratio": round(statistics.median(ratios), 3),
                    "ratio_min": round(min(ratios), 3),
                    "ratio_max": round(max(ratios), 3),
                    "aim": AIM,
                    "ours_s": round(statistics.median(o for _, o in pairs), 3),
                    "bare_s": round(statistics.median(b for b, _ in pairs), 3),
                    "tiles": len(tiles),
                    "peak_mib": round(memory.peak_bytes / 2**20, 1),
                }
            )
    return rows


def main() -> None:
    """Print one line per layout."""
    side = int(sys.argv[1]) if len(sys.argv) > 1 else SIDE_PX
    print(f"{'what':44} {'bare/ours':>9} {'range':>13} {'aim':>5} {'ours ms/tile':>13} {'peak MiB':>9}")
    for row in run(side_px=side):
        spread = f"{row['ratio_min']}-{row['ratio_max']}"
        per_tile = row["ours_s"] / row["tiles"] * 1e3
        print(
            f"{row['what']:44} {row['ratio']:9} {spread:>13} {row['aim']:5} {per_tile:13.1f} {row['peak_mib']:9}"
        )


if __name__ == "__main__":
    main()

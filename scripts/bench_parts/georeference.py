"""How long a million boxes take to the map: python scripts/bench_parts/georeference.py

Corners, polygons and sizes apart, in the scene's CRS and reprojected, with an affine and with control points.
"""

from __future__ import annotations

import resource
import time
from typing import TYPE_CHECKING

import numpy as np
from affine import Affine
from pyproj import CRS

from groundproof.boxes import Grid, GroundControlPoint, PixelBoxes
from groundproof.georeference import Georeferencer, corners

if TYPE_CHECKING:
    from collections.abc import Callable

SIDE_PX = 40_000
UTM31, WGS84 = CRS.from_epsg(32631), CRS.from_epsg(4326)
AFFINE = Affine(0.5, 0.02, 4e5, 0.02, -0.5, 6e6)


def random_boxes(count: int, seed: int = 0) -> PixelBoxes:
    """Boxes of 5 to 100 px, a tenth of them turned."""
    rng = np.random.default_rng(seed)
    low = rng.uniform(0, SIDE_PX - 100, (count, 2))
    angle = np.where(rng.random(count) < 0.1, rng.uniform(-90, 90, count), np.nan)
    return PixelBoxes(np.concatenate([low, low + rng.uniform(5, 100, (count, 2))], axis=1), angle)


def run(count: int = 1_000_000) -> list[dict[str, object]]:
    """One row per measurement. seconds: wall clock; cpu_seconds: of this process."""
    boxes = random_boxes(count)
    affine = Grid(SIDE_PX, SIDE_PX, UTM31, AFFINE)
    steps = np.linspace(0, SIDE_PX, 6)
    points = tuple(GroundControlPoint(c, r, *(AFFINE * (c, r))) for c in steps for r in steps)
    fitted = Grid(SIDE_PX, SIDE_PX, UTM31, gcps=points)
    cases: list[tuple[str, Callable[[], object]]] = [
        ("corners", lambda: corners(boxes)),
        ("polygons, scene CRS", lambda: Georeferencer(affine).polygons(boxes)),
        ("polygons, EPSG:4326", lambda: Georeferencer(affine, WGS84).polygons(boxes)),
        ("polygons, control points", lambda: Georeferencer(fitted).polygons(boxes)),
        ("sizes", lambda: Georeferencer(affine).sizes(boxes)),
    ]
    rows: list[dict[str, object]] = []
    for case, work in cases:
        start, cpu = time.perf_counter(), time.process_time()
        work()
        rows.append(
            {
                "part": "georeference",
                "case": case,
                "boxes": count,
                "seconds": time.perf_counter() - start,
                "cpu_seconds": time.process_time() - cpu,
                "process_peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            }
        )
    return rows


def main() -> None:
    """Print the table."""
    for row in run():
        print("  ".join(f"{k}={v:.3f}" if isinstance(v, float) else f"{k}={v}" for k, v in row.items()))


if __name__ == "__main__":
    main()

"""Jobs with known features: finished ones from a given result, and a model that stops until it is let go."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterable
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from affine import Affine
from pyproj import CRS, Transformer
from shapely.affinity import affine_transform
from shapely.geometry import Polygon

from groundproof.models.base import Piece, Request
from groundproof.outputs import write
from groundproof.service.jobs.ask_process import RESULT
from groundproof.service.jobs.store import JobStatus, JobStore, timestamp
from groundproof.tables import Result
from tests.engine.outputs_samples import METADATA, answer_row, evidence_row, frame, scene_row, tile_row
from tests.engine.square_finder import SquareFinder

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"


class Gated(SquareFinder):
    """Answers `free` tiles, one part file each, and more when it is allowed to."""

    def __init__(self, free: int) -> None:
        super().__init__(max_in_flight=1)
        self._free = free
        self._more = threading.Condition()

    def allow(self, tiles: int | None = None) -> None:
        """Answer so many tiles in all; None: all there are."""
        with self._more:
            self._free = 1_000_000 if tiles is None else tiles
            self._more.notify_all()

    def generate(self, requests: Iterable[Request]) -> Generator[Piece]:
        def held() -> Generator[Request]:
            for request in requests:
                with self._more:
                    assert self._more.wait_for(lambda: self.answered < self._free, 120)
                yield request

        yield from super().generate(held())


def until(met: Callable[[], Any], seconds: float = 60) -> Any:
    """What `met` gives when it is true at last."""
    deadline = time.monotonic() + seconds
    while not (found := met()):
        assert time.monotonic() < deadline, f"did not happen within {seconds} s"
        time.sleep(0.05)
    return found


def result_of(
    polygons: list[Polygon], crs: CRS | None, *, footprint: Polygon | None = None, **scene: Any
) -> Result:
    """A result with these boxes as evidence E1, E2, ... of one answer about one scene."""
    outline = footprint or shapely.box(*shapely.total_bounds(polygons))
    rows = [evidence_row(i, geometry=polygon) for i, polygon in enumerate(polygons)]
    return Result(
        evidence=frame("evidence", rows, crs),
        answers=frame("answers", [answer_row(geometry=outline)], crs),
        tiles=frame("tiles", [tile_row(0, geometry=outline)], crs),
        scenes=frame("scenes", [scene_row(crs, geometry=outline, **scene)], crs),
        metadata=dict(METADATA, versions={"groundproof": "0"}),
    )


def finished(jobs: JobStore, result: Result) -> str:
    """A successful job that gave this result; its id."""
    job = jobs.create("ask", {"question": "q", "scenes": []})
    write(result, jobs.folder(job.job_id) / RESULT)
    jobs.update(job.job_id, status=JobStatus.SUCCESSFUL, finished=timestamp())
    return job.job_id


def rotated(n: int, crs: CRS, *, seed: int = 0) -> list[Polygon]:
    """Rectangles of 2 to 30 m turned by 30 degrees, within a few km."""
    numbers = np.random.default_rng(seed)
    at = numbers.uniform(0, 4_000, (n, 2))
    size = numbers.uniform(2, 30, (n, 2))
    turned = Affine.translation(500_000, 4_000_000) @ Affine.rotation(30)
    shape = [turned.a, turned.b, turned.d, turned.e, turned.c, turned.f]
    return [affine_transform(p, shape) for p in shapely.box(*at.T, *(at + size).T)]


def oracle(box_px: list[float], affine: Affine, source: str, target: str) -> Polygon:
    """A box in scene pixels in another CRS, corner by corner: affine, then pyproj. x before y."""
    x0, y0, x1, y1 = box_px
    corners = [affine @ corner for corner in ((x0, y0), (x1, y0), (x1, y1), (x0, y1))]
    to = Transformer.from_crs(source, target, always_xy=True)
    return Polygon([to.transform(*corner) for corner in corners])


def shapes(document: dict[str, Any]) -> gpd.GeoSeries:
    """The geometries of a FeatureCollection, by feature id."""
    found = {f["id"]: shapely.geometry.shape(f["geometry"]) for f in document["features"]}
    return gpd.GeoSeries(found)


def all_pages(get: Callable[[str], Any], url: str) -> list[dict[str, Any]]:
    """The features of all pages from this one on, by following `next`."""
    features: list[dict[str, Any]] = []
    while url:
        document = get(url).json()
        features += document["features"]
        url = next((link["href"] for link in document["links"] if link["rel"] == "next"), "")
    return features

"""One batch over a scene of 60,000 x 60,000 px in a process of its own, and what it took.

    python -m tests.engine.scale_job SCENE FOLDER TILES_A_SIDE

The scene is a VRT that repeats one small file, so that the real reader, planner, run directory, assembly and writer
work on 3.6 gigapixels without such a file. Only the model stands in: it looks for bright pixels, and is fast.
Prints JSON: seconds and peak memory at the end of each phase.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine

from groundproof.ask_options import AskOptions
from groundproof.batch import run_batch
from groundproof.boxes import BoxFrame, ModelBox
from groundproof.listening import Plan, Silent
from groundproof.models.base import Piece, Request
from groundproof.protocol import Finding, count_trace
from groundproof.run import RunDirectory
from groundproof.session import Session

from .square_finder import PROFILE

SIDE_PX = 60_000
SOURCE_PX = 2_000
TILE_PX, OVERLAP_PX = 224, 36
STEP_PX = TILE_PX - OVERLAP_PX
ALL_A_SIDE = -(-(SIDE_PX - TILE_PX) // STEP_PX) + 1
"""319: 101,761 tiles."""
WEST, NORTH, GSD_M = 440_000.0, 4_100_000.0, 0.5
QUESTION = "How many airplanes are there?"
OBJECTS = 40
"""In each repetition of the source: one for every three tiles."""


def write_scene(folder: Path, side_px: int = SIDE_PX) -> Path:
    """A VRT of one small GeoTIFF with bright squares, over and over."""
    rng = np.random.default_rng(3)
    pixels = rng.integers(30, 90, (3, SOURCE_PX, SOURCE_PX), dtype=np.uint8)
    for x, y in rng.integers(0, SOURCE_PX - 24, (OBJECTS, 2)):
        pixels[:, y : y + 20, x : x + 24] = 250
    affine = Affine(GSD_M, 0, WEST, 0, -GSD_M, NORTH)
    profile = {"driver": "GTiff", "width": SOURCE_PX, "height": SOURCE_PX, "count": 3, "dtype": "uint8"}
    profile |= {"crs": "EPSG:32631", "transform": affine}
    with rasterio.open(
        folder / "source.tif", "w", photometric="RGB", tiled=True, compress="deflate", zlevel=1, **profile
    ) as out:
        out.write(pixels)
    places = [(x, y) for y in range(0, side_px, SOURCE_PX) for x in range(0, side_px, SOURCE_PX)]
    bands = "".join(
        f'<VRTRasterBand dataType="Byte" band="{band}"><ColorInterp>{colour}</ColorInterp>'
        + "".join(
            '<SimpleSource><SourceFilename relativeToVRT="1">source.tif</SourceFilename>'
            f"<SourceBand>{band}</SourceBand>"
            f'<SourceProperties RasterXSize="{SOURCE_PX}" RasterYSize="{SOURCE_PX}" DataType="Byte" BlockXSize="256" '
            f'BlockYSize="256"/><SrcRect xOff="0" yOff="0" xSize="{SOURCE_PX}" ySize="{SOURCE_PX}"/>'
            f'<DstRect xOff="{x}" yOff="{y}" xSize="{SOURCE_PX}" ySize="{SOURCE_PX}"/></SimpleSource>'
            for x, y in places
        )
        + "</VRTRasterBand>"
        for band, colour in enumerate(("Red", "Green", "Blue"), start=1)
    )
    scene = folder / "large.vrt"
    scene.write_text(
        f'<VRTDataset rasterXSize="{side_px}" rasterYSize="{side_px}"><SRS>EPSG:32631</SRS>'
        f"<GeoTransform>{', '.join(map(str, affine.to_gdal()))}</GeoTransform>{bands}</VRTDataset>"
    )
    return scene


class Glance:
    """Stands where a model does: one box around the bright pixels of a tile, if there are any."""

    def __init__(self) -> None:
        self.profile = PROFILE
        self.identity = "glance"
        self.max_in_flight = 64
        self.constrains = self.continuous = False

    def generate(self, requests: Iterable[Request]) -> Generator[Piece]:
        for request in requests:
            text = self.say(request.images[0])
            for at in range(0, len(text), 60):
                yield Piece(request.request_id, text[at : at + 60], logprob=-0.1)
            yield Piece(request.request_id, "", finish="stop")

    def say(self, rgb: np.ndarray) -> str:
        bright = rgb[..., 0] > 200
        y, x = (np.flatnonzero(bright.any(axis=axis)) for axis in (1, 0))
        findings = []
        if len(x):
            height, width = bright.shape
            edges = (x[0] / width, y[0] / height, (x[-1] + 1) / width, (y[-1] + 1) / height)
            findings = [Finding("airplane", ModelBox(*(round(1e3 * float(edge), 1) for edge in edges)), "")]
        return count_trace("Look for bright squares.", findings, BoxFrame.PER_MILLE, ("airplane",))

    def close(self) -> None:
        """Nothing runs."""


def peak_mib() -> float:
    """Of this process since it began. getrusage would count the process it was forked from too."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


class Phases(Silent):
    """Notes when each phase of a batch ends, and the peak memory by then."""

    def __init__(self) -> None:
        self._phase = "plan"
        self._since = time.perf_counter(), time.process_time()
        self.seconds: dict[str, float] = {}
        self.cpu_seconds: dict[str, float] = {}
        self.peak_mib = {"start": peak_mib()}

    def planned(self, plan: Plan) -> None:
        self.enter("answer")

    def stage(self, sentence: str) -> None:
        self.enter({"putting the answers together": "assemble", "writing": "write"}[sentence])

    def enter(self, phase: str) -> None:
        now = time.perf_counter(), time.process_time()
        self.seconds[self._phase] = now[0] - self._since[0]
        self.cpu_seconds[self._phase] = now[1] - self._since[1]
        self.peak_mib[self._phase] = peak_mib()
        self._phase, self._since = phase, now


def job(scene: Path, folder: Path, tiles_a_side: int) -> dict[str, Any]:
    """A batch over the upper left corner of the scene, into a GeoPackage."""
    side_m = GSD_M * (TILE_PX + STEP_PX * (tiles_a_side - 1))
    part = f"{WEST},{NORTH - side_m},{WEST + side_m},{NORTH}"
    options = AskOptions(
        (str(scene),),
        (QUESTION,),
        aoi=part if tiles_a_side < ALL_A_SIDE else None,
        tile_px=TILE_PX,
        overlap_px=OVERLAP_PX,
        batch=True,
    )
    phases = Phases()
    with Session(options, phases, model=Glance()) as session:
        made = run_batch(session, folder / "job.run", folder / "job.gpkg")
    phases.enter("end")
    started = time.process_time()
    status = RunDirectory.open(folder / "job.run").status()
    return {
        "tiles": status.planned,
        "answered": status.answered,
        "by_status": status.by_status,
        "failures": made.failures,
        "evidence": made.summary.evidence,
        "total": made.summary.questions[0].total,
        "status_cpu_s": time.process_time() - started,
        "seconds": phases.seconds,
        "cpu_seconds": phases.cpu_seconds,
        "peak_mib": phases.peak_mib,
    }


if __name__ == "__main__":
    print(json.dumps(job(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))))

"""What the engine costs around the model: python scripts/bench_parts/asking.py

1. Tiles per second of a whole question (plan, read, parse, keep, merge, write a GeoPackage) against the bare
   model on the same tiles in memory, in the same batches. The model is loaded once, before both.
2. Peak memory of a whole `groundproof ask` over a 10,000 x 10,000 px scene, in a process of its own; the model
   and its libraries are measured alone for comparison. The tiles are resampled fourfold (--gsd 2 on 0.5 m), so that
   all pixels are read in a minute instead of ten.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine

from groundproof.ask_options import AskOptions
from groundproof.deliver import write_outputs
from groundproof.models.base import Request, VisionLanguageModel
from groundproof.models.open import open_model
from groundproof.protocol import Task, render
from groundproof.reading import read_tile
from groundproof.run import RunDirectory
from groundproof.runners.stages import tile_of
from groundproof.scene import open_scene
from groundproof.session import Session
from groundproof.stretch import measure_stretch
from groundproof_training.scenes import WorldSpec, make_scene

QUESTION = "How many airplanes are there?"
AIM = 0.95
SIDE_PX = 1400
REPEATS = 3
LARGE_SIDE_PX = 10_000


def write_scene(path: Path, side_px: int, repeat: int = 1, seed: int = 5) -> None:
    """A georeferenced procedural scene, repeated `repeat` times in both directions."""
    image = make_scene(seed, side_px, side_px, WorldSpec()).image
    row = np.concatenate([image] * repeat, axis=1)
    profile = {
        "driver": "GTiff",
        "width": side_px * repeat,
        "height": side_px * repeat,
        "count": 3,
        "dtype": "uint8",
        "photometric": "RGB",
        "tiled": True,
        "compress": "deflate",
        "crs": "EPSG:32631",
        "transform": Affine(0.5, 0, 440000, 0, -0.5, 4100000),
    }
    with rasterio.open(path, "w", **profile) as target:
        for part in range(repeat):
            window = rasterio.windows.Window(0, part * side_px, side_px * repeat, side_px)
            target.write(np.moveaxis(row, 2, 0), window=window)


def bare_seconds(model: VisionLanguageModel, run: RunDirectory) -> float:
    """The model alone: the run's own batches, pixels already in memory, text thrown away."""
    rows = [row for frame in run.manifest.frames() for row in frame.itertuples() if row.batch_id >= 0]
    pixels = {}
    for of_run in run.scenes:
        with open_scene(of_run["path"]) as scene:
            stretch = measure_stretch(scene)
            for row in rows:
                if row.scene == of_run["scene"]:
                    pixels[row.seq] = read_tile(scene, stretch, tile_of(row)).rgb
    prompt = render(Task.COUNT, QUESTION, model.profile)
    started = time.perf_counter()
    for batch in range(run.manifest.batches):
        for _ in model.generate(_requests(run, batch, pixels, prompt.text)):
            pass
    return time.perf_counter() - started


def _requests(run: RunDirectory, batch: int, pixels: dict[int, np.ndarray], text: str) -> Iterator[Request]:
    for row in next(run.manifest.of_batches([batch]))[1].itertuples():
        yield Request(str(row.seq), (pixels[row.seq],), "", text, run.config.max_new_tokens)


def speed(model: VisionLanguageModel, folder: Path) -> None:
    """Part 1."""
    scene = folder / "scene.tif"
    write_scene(scene, SIDE_PX)
    ratios, rates = [], []
    for repeat in range(REPEATS):
        out = folder / f"answer-{repeat}.gpkg"
        with Session(AskOptions((str(scene),), (QUESTION,))) as session:
            session._model = model  # noqa: SLF001 - loaded once, outside what is measured
            started = time.perf_counter()
            run, result = session.run(out.with_suffix(".run"))
            write_outputs(run, result, out)
            ask_s = time.perf_counter() - started
            session._model = None  # noqa: SLF001 - it goes on to the next repeat
        bare_s = bare_seconds(model, run)
        tiles = len(result.tiles)
        ratios.append(bare_s / ask_s)
        rates.append((tiles / ask_s, tiles / bare_s))
    ask_rate, bare_rate = (statistics.median(column) for column in zip(*rates, strict=True))
    print(f"{'part':34} {'ask tiles/s':>12} {'bare tiles/s':>13} {'ratio':>7} {'range':>13} {'aim':>6}")
    print(
        f"{f'{tiles} tiles of {SIDE_PX} x {SIDE_PX} px':34} {ask_rate:12.2f} {bare_rate:13.2f} "
        f"{statistics.median(ratios):7.3f} {f'{min(ratios):.3f}-{max(ratios):.3f}':>13} {AIM:6}"
    )


def memory(folder: Path) -> None:
    """Part 2."""
    scene = folder / "large.tif"
    write_scene(scene, LARGE_SIDE_PX // 5, 5)
    command = [
        sys.executable,
        "-m",
        "groundproof.cli",
        "ask",
        str(scene),
        "-q",
        QUESTION,
        "-o",
        str(folder / "large.gpkg"),
        "--gsd",
        "2",
    ]
    alone = peak_mib(
        [sys.executable, "-c", "from groundproof.models.open import open_model; open_model('tiny')"]
    )
    started = time.perf_counter()
    whole = peak_mib([*command, "--quiet"])
    print(
        f"ask over {LARGE_SIDE_PX} x {LARGE_SIDE_PX} px: "
        f"peak {whole:.0f} MiB in {time.perf_counter() - started:.0f} s; "
        f"libraries and model alone {alone:.0f} MiB; the scene's pixels would be {LARGE_SIDE_PX**2 * 3 / 2**20:.0f} MiB"
    )


def peak_mib(command: list[str]) -> float:
    """Peak resident memory of one command."""
    code = (
        "import resource, subprocess, sys; done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(done.returncode)"
    )
    done = subprocess.run([sys.executable, "-c", code, *command], check=True, capture_output=True, text=True)  # noqa: S603
    return int(done.stdout.split()[-1]) / 1024


def main() -> None:
    """Print both parts."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--no-memory", action="store_true", help="leave out the large scene (minutes)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="groundproof-") as scratch:
        speed(open_model("tiny"), Path(scratch))
        if not args.no_memory:
            memory(Path(scratch))


if __name__ == "__main__":
    main()

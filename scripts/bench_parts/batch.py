"""What a batch costs around the model: python scripts/bench_parts/batch.py [PART...]

speed    Tiles per second of a whole batch (plan, read, ask, parse, keep, merge, a GeoPackage) with the embedded model
         over the model's own rate on the same tiles in memory, in the same batches. For vLLM: ./scripts/bench vllm.
merging  Merging 1,000 to 100,000 boxes against SAHI's and supervision's mergers, and 1,000,000 by ours; each in a
         process of its own. Ours is compared with the dense definition at 1,000 and 10,000 boxes (and in
         ./scripts/bench merge at 20,000). The others live in an environment of their own:
           python3 -m venv .cache/merge-peers && .cache/merge-peers/bin/pip install sahi supervision
end      A scene of 100 tiles of 896 px, end to end, with a stand-in server that answers in 100 ms, against two ways of
         comparable tools: the whole raster in memory, one request per tile, one after another, as PNG or as JPEG.
kill     A batch with the embedded model is killed (kill -9) when half of it is answered, and gone on with: tiles asked
         twice, time lost, and whether the results are equal.

Reading against bare rasterio: ./scripts/bench reading. Writing 1,000,000 features: ./scripts/bench geopackage.
Memory from 1,000 to 100,000 tiles: ./scripts/test --long -k scale -s.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterable
from pathlib import Path

import merge_peers
import numpy as np
import pandas as pd
import service
from asking import QUESTION, bare_seconds, write_scene
from merge import dense_keepers, seen_boxes

from groundproof.ask_options import AskOptions
from groundproof.batch import run_batch
from groundproof.errors import RunError
from groundproof.listening import Plan, Silent
from groundproof.merge import merge
from groundproof.models.base import Piece, Request, VisionLanguageModel
from groundproof.models.open import open_model
from groundproof.outputs import read
from groundproof.run import RunDirectory
from groundproof.session import Session
from groundproof.tables import TABLES

ROOT = Path(__file__).resolve().parents[2]
AIM_SPEED = 0.97
REPEATS = 3
SCENES = 3
SIDE_PX = 1000
PEERS = ROOT / ".cache" / "merge-peers" / "bin" / "python"
PEER_KINDS = ("sahi-greedynmm", "sahi-nms", "supervision-nmm", "supervision-nms")
PEER_LIMIT_S = 60


class Clock(Silent):
    """Notes when the plan was made and when the last tile was kept."""

    def __init__(self) -> None:
        self.times: dict[str, tuple[float, float]] = {}

    def planned(self, plan: Plan) -> None:
        """Noted."""
        self._note("planned")

    def stage(self, sentence: str) -> None:
        """Noted."""
        self._note(sentence)

    def answering(self) -> float:
        """Seconds from the plan to the last answer."""
        return self.times["putting the answers together"][0] - self.times["planned"][0]

    def _note(self, name: str) -> None:
        self.times[name] = time.perf_counter(), time.process_time()


def options_of(scenes: Iterable[Path], **more: object) -> AskOptions:
    """A batch."""
    return AskOptions(tuple(map(str, scenes)), (QUESTION,), batch=True, **more)  # type: ignore[arg-type]


# Part "speed".


def speed(repeats: int) -> None:
    """Print the part. Batch and bare model alternate; planning and finishing cost some 0.6 s however few the tiles."""
    model = open_model("tiny")
    whole, answering = [], []
    with tempfile.TemporaryDirectory(prefix="groundproof-") as scratch:
        folder = Path(scratch)
        scenes = [folder / f"scene-{n}.tif" for n in range(SCENES)]
        for n, scene in enumerate(scenes):
            write_scene(scene, SIDE_PX, seed=5 + n)
        for repeat in range(repeats + 1):
            run_dir, clock = folder / f"{repeat}.run", Clock()
            started = time.perf_counter()
            with Session(options_of(scenes), clock, model=model) as session:
                made = run_batch(session, run_dir, folder / f"{repeat}.gpkg")
            batch_s = time.perf_counter() - started
            bare_s = bare_seconds(model, made.run)
            if repeat:  # the first one warms up
                whole.append(bare_s / batch_s)
                answering.append(bare_s / clock.answering())
                tiles = made.run.totals.tiles
                print(
                    f"{tiles} tiles, {made.run.manifest.batches} batches: batch {tiles / batch_s:.2f} tiles/s "
                    f"({tiles / clock.answering():.2f} while answering), bare {tiles / bare_s:.2f} tiles/s"
                )
    for name, ratios in (("whole batch", whole), ("answering alone", answering)):
        print(
            f"{name}: ratio {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f}), aim {AIM_SPEED}"
        )


# Part "merging".


def merging() -> None:
    """Print the part."""
    if not PEERS.is_file():
        print(f"The others are not there ({PEERS}); make their environment as --help says. Ours alone:")
    print(f"{'boxes':>9} {'case':8} {'by':16} {'seconds':>8} {'MiB':>6} {'survive':>8}")
    with tempfile.TemporaryDirectory(prefix="groundproof-") as scratch:
        path = Path(scratch) / "boxes.npz"
        for name, per_tile in (("sparse", 25.0), ("crowded", 400.0)):
            for count in (1_000, 10_000, 100_000, 1_000_000):
                seen = seen_boxes(count, per_tile)
                if count <= 10_000:
                    same = np.array_equal(merge(seen).keeper, dense_keepers(seen))
                    print(f"{count:9,} {name:8} ours, survivors as the dense definition: {same}")
                columns = ("xyxy", "label", "image", "tile", "windows", "tile_rank")
                np.savez(
                    path, **{one: getattr(seen, one) for one in columns}, scene_size=np.array(seen.scene_size)
                )
                peers = PEER_KINDS if PEERS.is_file() and count <= 100_000 else ()
                for kind in ("ours", *peers):
                    print(f"{count:9,} {name:8} {kind:16} {_merged(kind, path)}", flush=True)


def _merged(kind: str, path: Path) -> str:
    python = sys.executable if kind == "ours" else str(PEERS)
    try:
        done = subprocess.run(  # noqa: S603
            [python, merge_peers.__file__, kind, str(path)],
            capture_output=True,
            text=True,
            timeout=PEER_LIMIT_S,
        )
    except subprocess.TimeoutExpired:
        return f"stopped after {PEER_LIMIT_S} s"
    if done.returncode:
        return done.stderr.strip().splitlines()[-1]
    found = json.loads(done.stdout)
    return found.get("error") or f"{found['seconds']:8.3f} {found['mib']:6.0f} {found['survivors']:8,}"


# Part "end".


def batch_seconds(scene: Path, port: int) -> float:
    """A whole batch, GeoPackage and all."""
    model = f"{service.PROFILE}:http://127.0.0.1:{port}/v1"
    options = options_of([scene], model=model, tile_px=service.TILE_PX, overlap_px=service.OVERLAP_PX)
    with tempfile.TemporaryDirectory() as scratch, Session(options) as session:
        started = time.perf_counter()
        made = run_batch(session, Path(scratch) / "b.run", Path(scratch) / "b.gpkg")
        seconds = time.perf_counter() - started
    if made.summary.failed:
        raise SystemExit(made.summary.coverage_sentence())
    return seconds


WAYS = {
    "batch": batch_seconds,
    "one by one, PNG": service.loop_seconds,
    "one by one, JPEG": lambda scene, port: service.loop_seconds(scene, port, "JPEG"),
}


def end(repeats: int, port: int = 8934, side: int = 10) -> None:
    """Print the part."""
    found: dict[str, list[tuple[float, ...]]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory(prefix="groundproof-") as scratch:
        scene = Path(scratch) / "scene.tif"
        write_scene(scene, service.side_px(side) // 8, 8)
        url = f"http://127.0.0.1:{port}/v1/models"
        with service.background(service.__file__, "--stand-in", str(port), url=url):
            for _ in range(repeats):
                for way, measured in found.items():
                    command = [sys.executable, __file__, "--one", way, str(scene), str(port)]
                    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
                    measured.append(tuple(json.loads(done.stdout)))
    for way, measured in found.items():
        seconds, before, mib = (statistics.median(column) for column in zip(*measured, strict=True))
        ratio = statistics.median(
            own[0] / ours[0] for own, ours in zip(measured, found["batch"], strict=True)
        )
        print(
            f"{way:18} {seconds:7.2f} s  {side**2 / seconds:5.1f} tiles/s  {ratio:5.1f} x  "
            f"{mib - before:5.0f} MiB above the {before:.0f} of this bench's own imports"
        )


# Part "kill".


class Counting:
    """A model whose requests are written down as they reach it."""

    def __init__(self, model: VisionLanguageModel, side: Path) -> None:
        self._model = model
        self._side = os.open(side, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        self.profile, self.identity, self.max_in_flight = model.profile, model.identity, model.max_in_flight
        self.constrains, self.continuous = model.constrains, model.continuous

    def generate(self, requests: Iterable[Request]) -> Generator[Piece]:
        """The model's own answers."""

        def counted() -> Generator[Request]:
            for request in requests:
                os.write(self._side, f"{request.request_id}\n".encode())
                yield request

        return self._model.generate(counted())

    def close(self) -> None:
        """As the model."""
        self._model.close()


def counted_batch(scene: Path, run_dir: Path) -> None:
    """A batch beside whose run directory the requests are listed."""
    model = Counting(open_model("tiny"), run_dir.with_suffix(f".{time.time_ns()}.asked"))
    with Session(options_of([scene]), model=model) as session:
        run_batch(session, run_dir, run_dir.with_suffix(".gpkg"))
    model.close()


def kill() -> None:
    """Print the part."""
    with tempfile.TemporaryDirectory(prefix="groundproof-") as scratch:
        folder = Path(scratch)
        scene = folder / "scene.tif"
        write_scene(scene, 1400)
        whole_s = _until(scene, folder / "whole.run", share=None)
        first_s = _until(scene, folder / "killed.run", share=0.5)
        kept = RunDirectory.open(folder / "killed.run").status()
        rest_s = _until(scene, folder / "killed.run", share=None)
        before, after = (
            {int(line) for line in path.read_text().split()} for path in sorted(folder.glob("killed.*.asked"))
        )
        size = RunDirectory.open(folder / "killed.run").config.batch_size
        same = _same(folder / "whole.gpkg", folder / "killed.gpkg")
    print(
        f"killed with {kept.answered} of {kept.planned} tiles kept, {len(before)} asked; then {len(after)} asked"
    )
    print(f"asked twice: {len(before & after)} tiles (a batch holds {size})")
    print(
        f"uninterrupted {whole_s:.1f} s; killed {first_s:.1f} s + resumed {rest_s:.1f} s "
        "(the start of the process is in each)"
    )
    print(f"results equal: {same}")


def _until(scene: Path, run_dir: Path, share: float | None) -> float:
    """Seconds of one process: to its end, or until this share is answered, when it is killed."""
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, __file__, "--work", str(scene), str(run_dir)])  # noqa: S603
    while share is not None and process.poll() is None:
        time.sleep(0.1)
        try:
            state = RunDirectory.open(run_dir).status()
        except RunError:
            continue  # not planned yet
        if state.answered >= share * state.planned:
            process.send_signal(signal.SIGKILL)
            break
    code = process.wait()
    if code != (0 if share is None else -signal.SIGKILL):
        raise SystemExit(f"The batch ended with {code}.")
    return time.perf_counter() - started


def _same(one: Path, other: Path) -> bool:
    """Whether two results hold the same rows, but for the time each tile took."""
    a, b = read(one), read(other)
    for name in TABLES:
        frames = [getattr(each, name).drop(columns="seconds", errors="ignore") for each in (a, b)]
        try:
            pd.testing.assert_frame_equal(*(pd.DataFrame(frame) for frame in frames))
        except AssertionError as err:
            print(f"{name}: {err}")
            return False
    return True


PARTS: dict[str, Callable[[int], None]] = {
    "speed": speed,
    "merging": lambda _: merging(),
    "end": end,
    "kill": lambda _: kill(),
}


def main() -> None:
    """Print the parts asked for, with the machine's load beside them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"one of {', '.join(PARTS)}; default: all")
    parser.add_argument(
        "--repeats", type=int, default=REPEATS, help="of speed and end (default: %(default)s)"
    )
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--work", nargs=2, type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        way, scene, port = args.one
        before = service.peak_mib()
        print(json.dumps([WAYS[way](Path(scene), int(port)), before, service.peak_mib()]))
        return
    if args.work:
        counted_batch(*args.work)
        return
    unknown = [name for name in args.parts if name not in PARTS]
    if unknown:
        parser.error(f"there is no part {unknown[0]!r}; parts: {', '.join(PARTS)}")
    for name in args.parts or PARTS:
        print(f"-- {name} ({os.cpu_count()} processors, load {os.getloadavg()[0]:.1f})", flush=True)
        PARTS[name](args.repeats)


if __name__ == "__main__":
    main()

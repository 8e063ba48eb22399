"""What the service and the remote model adapter cost: python scripts/bench_parts/service.py [PART...]

remote      A scene of 100 tiles of 896 px through an OpenAI-compatible stand-in that answers in 100 ms: wall time
            and peak memory of the engine (16 requests at a time) against the loop of comparable tools: the whole
            raster in memory, one PNG after the other, one request after the other. The engine also with 25 and with
            400 tiles.
latency     From the model's closing bracket to the client's `evidence` event, p50 and p99.
concurrent  200 asks at once against `groundproof serve` with the embedded model: each answered or refused.

The stand-in, the engine and the loop each run in a process of their own.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import io
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import psutil
from asking import write_scene
from PIL import Image

from groundproof.ask_options import AskOptions
from groundproof.models.base import Piece, Request
from groundproof.models.profiles import get_profile
from groundproof.session import Session

QUESTION = "How many airplanes are there?"
PROFILE = "rsthinker"
TILE_PX, OVERLAP_PX = 896, 224
ANSWER_S = 0.1
ANSWER = (
    "<think><plan>Scan.</plan><evidence>E1 airplane, centre [400,400,600,600]. </evidence>"
    "<synthesis>E1 is an airplane, 1 in all.</synthesis></think><answer>1</answer>"
)
AIM_REMOTE = 10.0
ASKS = 200


def side_px(tiles_a_side: int) -> int:
    """Side of a scene that this many tiles cover in one direction."""
    return TILE_PX + (tiles_a_side - 1) * (TILE_PX - OVERLAP_PX)


# The stand-in: speaks the protocol, needs no model.


def stand_in(port: int) -> None:
    """Answers every chat completion after ANSWER_S with the same text; streams where asked."""
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request as Asked
    from starlette.responses import JSONResponse, Response, StreamingResponse
    from starlette.routing import Route

    async def models(_: Asked) -> Response:
        return JSONResponse({"object": "list", "data": [{"id": "stand-in", "object": "model"}]})

    async def complete(asked: Asked) -> Response:
        body = await asked.json()
        await asyncio.sleep(ANSWER_S)
        head = {"id": "1", "created": 0, "model": "stand-in"}
        if not body.get("stream"):
            message = {"role": "assistant", "content": ANSWER}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            return JSONResponse({**head, "object": "chat.completion", "choices": [choice]})

        async def chunks() -> Iterator[str]:  # type: ignore[misc]
            for text, finish in ((ANSWER[:60], None), (ANSWER[60:], None), ("", "stop")):
                choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
                yield f"data: {json.dumps({**head, 'object': 'chat.completion.chunk', 'choices': [choice]})}\n\n"
            yield "data: [DONE]\n\n"

        return StreamingResponse(chunks(), media_type="text/event-stream")

    app = Starlette(
        routes=[Route("/v1/models", models), Route("/v1/chat/completions", complete, methods=["POST"])]
    )
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error")


@contextmanager
def background(*words: str, url: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that serves `url`, until the block ends."""
    process = subprocess.Popen([sys.executable, *words], stdout=subprocess.DEVNULL)  # noqa: S603
    try:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                httpx.get(url, timeout=1)
                break
            except httpx.HTTPError:
                time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        process.wait(30)


# Part "remote".


def engine_seconds(scene: Path, port: int) -> float:
    """A whole question by the engine."""
    model = f"{PROFILE}:http://127.0.0.1:{port}/v1"
    options = AskOptions((str(scene),), (QUESTION,), model=model, tile_px=TILE_PX, overlap_px=OVERLAP_PX)
    with tempfile.TemporaryDirectory() as scratch, Session(options) as session:
        started = time.perf_counter()
        _, result = session.run(Path(scratch) / "run")
        seconds = time.perf_counter() - started
    if not (result.tiles.status == "ok").all():
        raise SystemExit(f"The engine failed: {result.tiles.status.value_counts().to_dict()}")
    return seconds


def loop_seconds(scene: Path, port: int, form: str = "PNG") -> float:
    """What comparable tools do: all pixels in memory, one request after another. form: of the pictures."""
    import rasterio

    started = time.perf_counter()
    with rasterio.open(scene) as source:
        pixels = np.moveaxis(source.read(), 0, 2)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}/v1", timeout=60) as client:
        for y in range(0, pixels.shape[0] - TILE_PX + 1, TILE_PX - OVERLAP_PX):
            for x in range(0, pixels.shape[1] - TILE_PX + 1, TILE_PX - OVERLAP_PX):
                buffer = io.BytesIO()
                Image.fromarray(pixels[y : y + TILE_PX, x : x + TILE_PX]).save(buffer, form)
                address = f"data:image/{form.lower()};base64," + base64.b64encode(buffer.getvalue()).decode()
                content = [
                    {"type": "image_url", "image_url": {"url": address}},
                    {"type": "text", "text": QUESTION},
                ]
                body = {"model": "stand-in", "messages": [{"role": "user", "content": content}]}
                client.post("/chat/completions", json=body).raise_for_status()
    return time.perf_counter() - started


def one(kind: str, scene: Path, port: int) -> tuple[float, float]:
    """Seconds and peak MiB of one way, in a process of its own."""
    command = [sys.executable, __file__, "--one", kind, str(scene), str(port)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    seconds, peak = done.stdout.split()
    return float(seconds), float(peak)


def peak_mib() -> float:
    """Of this process since it began. getrusage would count the process it was forked from too."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def remote(port: int = 8931) -> None:
    """Print the part."""
    with tempfile.TemporaryDirectory(prefix="groundproof-") as scratch:
        scenes = {}
        for count in (5, 10, 20):
            scenes[count] = Path(scratch) / f"scene-{count}.tif"
            write_scene(scenes[count], side_px(count) // 8, 8)
        with background(__file__, "--stand-in", str(port), url=f"http://127.0.0.1:{port}/v1/models"):
            others = {count: one("engine", scenes[count], port) for count in (5, 20)}
            ours = [one("engine", scenes[10], port) for _ in range(3)]
            loop_s, loop_mib = one("loop", scenes[10], port)
    ratios = [loop_s / seconds for seconds, _ in ours]
    seconds, mib = sorted(ours)[1]
    for count, (other_s, other_mib) in others.items():
        print(f"engine, {count**2} tiles    {other_s:6.2f} s  peak {other_mib:5.0f} MiB")
    print(f"engine, 100 tiles   {seconds:6.2f} s  peak {mib:5.0f} MiB  {100 / seconds:.1f} tiles/s")
    print(f"loop, 100 tiles     {loop_s:6.2f} s  peak {loop_mib:5.0f} MiB  {100 / loop_s:.1f} tiles/s")
    print(f"ratio {sorted(ratios)[1]:.1f} ({min(ratios):.1f} to {max(ratios):.1f}), aim {AIM_REMOTE:.0f}")


# Part "latency".


class Stamping:
    """Writes boxes with pauses and notes when each bracket closes."""

    def __init__(self, boxes: int) -> None:
        self.profile = get_profile("tiny")
        self.identity = "stamping"
        self.max_in_flight = 1
        self.constrains = self.continuous = False
        self.closed_at: list[float] = []
        self._boxes = boxes

    def generate(self, requests: Iterable[Request]) -> Generator[Piece]:
        """One tile's boxes, a piece every 5 ms or so."""
        for request in requests:
            yield Piece(request.request_id, "<think><plan>Scan.</plan><evidence>")
            for n in range(self._boxes):
                x, y = n % 30 * 30, n // 30 * 30
                yield Piece(request.request_id, f"E{n + 1} ship, here [{x},{y},{x + 20},{y + 20}")
                time.sleep(0.005)
                self.closed_at.append(time.perf_counter())
                yield Piece(request.request_id, "]")
                yield Piece(request.request_id, ". ")
            yield Piece(
                request.request_id,
                "</evidence><synthesis>.</synthesis></think><answer>0</answer>",
                finish="stop",
            )

    def close(self) -> None:
        """Nothing runs."""


def latency(boxes: int = 400, port: int = 8932) -> None:
    """Print the part."""
    import uvicorn

    from groundproof.service.app import create_app
    from groundproof.service.settings import ServiceSettings

    with tempfile.TemporaryDirectory(prefix="groundproof-") as scratch:
        folder = Path(scratch)
        write_scene(folder / "scene.tif", 224)
        model = Stamping(boxes)
        settings = ServiceSettings(data_dir=folder / "data", token="t" * 16, roots=(folder,), port=port)  # type: ignore[arg-type]
        server = uvicorn.Server(
            uvicorn.Config(create_app(settings, model), host="127.0.0.1", port=port, log_level="error")
        )
        thread = threading.Thread(target=server.run)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        body = {"question": "How many ships are there?", "scenes": [{"path": str(folder / "scene.tif")}]}
        headers = {"Authorization": f"Bearer {'t' * 16}", "Accept": "text/event-stream"}
        with httpx.stream(
            "POST", f"http://127.0.0.1:{port}/ask", json=body, headers=headers, timeout=60
        ) as reply:
            arrived = [
                time.perf_counter()
                for line in reply.iter_lines()
                if line.startswith("data: ") and '"final": false' in line
            ]
        server.should_exit = True
        thread.join()
    milliseconds = (np.array(arrived) - np.array(model.closed_at[: len(arrived)])) * 1e3
    p50, p99 = np.percentile(milliseconds, [50, 99])
    print(f"{len(arrived)} boxes: bracket to event p50 {p50:.1f} ms, p99 {p99:.1f} ms")


# Part "concurrent".


def concurrent(port: int = 8933) -> None:
    """Print the part."""
    pixels = Image.new("RGB", (224, 224), (70, 80, 60))
    buffer = io.BytesIO()
    pixels.save(buffer, "PNG")
    token = "t" * 32
    os.environ["BENCH_TOKEN"] = token
    with tempfile.TemporaryDirectory(prefix="groundproof-") as scratch:
        words = ["-m", "groundproof.cli", "serve", "--port", str(port), "--token-env", "BENCH_TOKEN"]
        with background(*words, "--data-dir", scratch, url=f"http://127.0.0.1:{port}/health") as process:
            headers = {"Authorization": f"Bearer {token}"}
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers) as client:
                while client.get("/ready").status_code != 200:
                    time.sleep(0.2)
            before = psutil.Process(process.pid).memory_info().rss / 2**20
            started = time.perf_counter()
            outcomes, peak = asyncio.run(_all_at_once(port, headers, buffer.getvalue(), process.pid))
            seconds = time.perf_counter() - started
    counts = {status: outcomes.count(status) for status in sorted(set(outcomes))}
    print(f"{ASKS} asks at once: {counts} (200 answered, 429 refused), {seconds:.1f} s")
    print(f"service: {before:.0f} MiB before, peak {peak:.0f} MiB")


async def _all_at_once(port: int, headers: dict[str, str], image: bytes, pid: int) -> tuple[list[int], float]:
    peak = 0.0
    limits = httpx.Limits(max_connections=ASKS)

    async def watch() -> None:
        nonlocal peak
        family = psutil.Process(pid)
        while True:
            peak = max(peak, family.memory_info().rss / 2**20)
            await asyncio.sleep(0.1)

    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=600, limits=limits
    ) as client:

        async def ask() -> int:
            files = {"image": ("tile.png", image, "image/png")}
            reply = await client.post(
                "/ask", files=files, data={"question": QUESTION}, headers={"Accept": "application/json"}
            )
            return reply.status_code

        watching = asyncio.create_task(watch())
        outcomes = await asyncio.gather(*(ask() for _ in range(ASKS)))
        watching.cancel()
    return list(outcomes), peak


PARTS = {"remote": remote, "latency": latency, "concurrent": concurrent}


def main() -> None:
    """Print the parts asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"one of {', '.join(PARTS)}; default: all")
    parser.add_argument("--stand-in", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.stand_in:
        stand_in(args.stand_in)
        return
    if args.one:
        kind, scene, port = args.one
        seconds = {"engine": engine_seconds, "loop": loop_seconds}[kind](Path(scene), int(port))
        print(seconds, peak_mib())
        return
    for name in args.parts or PARTS:
        print(f"-- {name}")
        PARTS[name]()


if __name__ == "__main__":
    main()

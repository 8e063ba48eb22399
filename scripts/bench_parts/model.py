"""The embedded model: how fast, and what int8 and torch.compile would change.

    python scripts/bench_parts/model.py [--tiles 32]

How good it is says `groundproof-train evaluate --model tiny --suite bench-v1`.

1. Tiles per second and peak memory at batches of 1, 4 and 8, float32, 224 px tiles, a count question each.
2. Variants, each in a process of its own against the plain model in the same process, chunk by chunk in turns, so that
   the machine's speed cancels out: dynamic int8 of the linear layers (language model; all) and torch.compile (vision
   tower; decoder step with a static cache). Identical: share of answers equal to the plain model's, letter by letter.

Nothing here changes the engine. Weights come through the engine's own loader.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import resource
import statistics
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers.cache_utils import StaticCache

from groundproof.boxes import BoxFrame
from groundproof.labels import plural
from groundproof.models import transformers_adapter
from groundproof.models.base import Request
from groundproof.models.decoding import Batch, Decoding, Row
from groundproof.models.open import open_model
from groundproof.models.transformers_adapter import TransformersModel
from groundproof.protocol import Task, render
from groundproof.trace import parse
from groundproof_training.metrics.tally import hits as hits_of
from groundproof_training.scenes import CLASSES, WorldSpec, make_scene

TILE_PX = 224
FIRST_SEED = 950_000_000
"""Past every seed of training and of the frozen benchmark."""

SPEC = WorldSpec(n_objects=(1, 16), size_px=(8, 64), min_centre_px=20.0, empty=0.0)
"""As the ordinary scenes of the frozen benchmark."""

BATCHES = (1, 4, 8)
CHUNK = 8
BATCH_TILES = 16
CACHE_TOKENS = 1024
"""Room of the static cache: 64 image tokens, the question and at most 768 tokens of answer."""

WARM_UP_TOKENS = 8
TIMED_OUT = 3
"""Exit code of a variant that did not compile in time."""

Texts = list[str]


@dataclass(frozen=True, slots=True)
class Asked:
    """One tile with its question and truth: boxes (n, 4) px."""

    request: Request
    label: str
    boxes: np.ndarray


def asked_tiles(model: TransformersModel, count: int) -> list[Asked]:
    """Procedural tiles; each is asked for the class that it holds most of, every sixth for one it does not hold."""
    known = model.profile.labels or CLASSES
    made = []
    for k in range(count):
        scene = make_scene(FIRST_SEED + k, TILE_PX, TILE_PX, SPEC)
        numbers = {label: sum(o.label == label for o in scene.objects) for label in known}
        label = (min if k % 6 == 5 else max)(numbers, key=lambda one: numbers[one])
        boxes = [o.box for o in scene.objects if o.label == label]
        prompt = render(Task.COUNT, f"How many {plural(label)} are there?", model.profile, (label,))
        request = Request(str(k), (scene.image,), prompt.system, prompt.text)
        made.append(Asked(request, label, np.array(boxes, dtype=float).reshape(-1, 4)))
    return made


def answer(model: TransformersModel, tiles: list[Asked], tokens: int | None = None) -> Texts:
    """Whole texts, in the order of the tiles."""
    texts = {one.request.request_id: "" for one in tiles}
    requests = (
        Request(r.request_id, r.images, r.system, r.text, tokens) for r in (one.request for one in tiles)
    )
    for piece in model.generate(requests):
        if piece.finish == "error":
            raise RuntimeError(f"tile {piece.request_id}: {piece.error}")
        texts[piece.request_id] += piece.text
    return list(texts.values())


def f1(tiles: list[Asked], texts: Texts) -> float:
    """2 hits / (said + true) at IoU 0.5 over all tiles."""
    hits = total = 0
    for one, text in zip(tiles, texts, strict=True):
        trace = parse(text, BoxFrame.PER_MILLE, Task.COUNT, (one.label,))
        corners = [[e.box.x0, e.box.y0, e.box.x1, e.box.y1] for e in trace.evidence if e.label == one.label]
        said = np.array(corners, dtype=float).reshape(-1, 4) * TILE_PX / 1000
        hits += hits_of(said, one.boxes)
        total += len(said) + len(one.boxes)
    return 2 * hits / max(1, total)


def int8(model: TransformersModel, *, vision: bool) -> None:
    """Weights of the linear layers as int8, activations quantised as they come, in place."""
    parts = [model.model.model.language_model, *([model.model.model.visual] if vision else [])]
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # torchao is to replace it; it is not a dependency
        for part in parts:
            torch.ao.quantization.quantize_dynamic(part, {nn.Linear}, dtype=torch.qint8, inplace=True)
        head = nn.Sequential(model.model.lm_head)
        torch.ao.quantization.quantize_dynamic(head, {nn.Linear}, dtype=torch.qint8, inplace=True)
        model.model.lm_head = head[0]


def compile_vision(model: TransformersModel) -> None:
    """The vision tower, for batches of one shape."""
    tower = model.model.model.visual
    tower.forward = torch.compile(tower.forward, dynamic=False)


def compile_decoder(model: TransformersModel) -> None:
    """The language model's step of one token; the prompt stays as it is."""
    language = model.model.model.language_model
    plain = language.forward
    compiled = torch.compile(plain, dynamic=False)

    def forward(*args: Any, **kwargs: Any) -> Any:
        step = kwargs["inputs_embeds"].shape[1] == 1
        return (compiled if step else plain)(*args, **kwargs)

    language.forward = forward


class StaticBatch(Batch):
    """The engine's batch with shapes that never change: a cache of one size, and rows that stay to the end."""

    def __init__(self, model: Any, rows: list[Row], decoding: Decoding) -> None:
        if decoding.repetition_penalty != 1.0:
            raise ValueError("the static batch is for models without a repetition penalty")
        self._model, self._decoding, self._device = model, decoding, model.device
        self._cache = StaticCache(config=model.config.get_text_config(), max_cache_len=CACHE_TOKENS)
        self._pending = None
        self._alive = list(range(len(rows)))
        with torch.inference_mode():
            self._start(rows)
            longest = max(len(row.prepared.ids) + len(row.tokens) for row in rows)
            mask = torch.ones(len(rows), CACHE_TOKENS, dtype=torch.long, device=self._device)
            if self._mask is not None:
                mask[:, :longest] = self._mask
            self._mask = mask

    def _step(self) -> tuple[list[int], list[float]]:
        if self._pending is not None:
            self._logits = self._forward(self._pending, self._next_position)
            self._next_position = self._next_position + 1
        tokens = self._logits.argmax(-1, keepdim=True)
        logprobs = self._logits.gather(-1, tokens) - self._logits.logsumexp(-1, keepdim=True)
        self._pending = tokens
        chosen, sure = tokens.flatten().tolist(), logprobs.flatten().tolist()
        return [chosen[k] for k in self._alive], [sure[k] for k in self._alive]

    def keep(self, rows: list[int]) -> None:
        """Rows that ended are computed on, unseen."""
        self._alive = [self._alive[k] for k in rows]


@dataclass(frozen=True, slots=True)
class Variant:
    """What is done to a copy of the plain model. static: decode with `StaticBatch`."""

    title: str
    change: Callable[[TransformersModel], None]
    static: bool = False


VARIANTS = {
    "int8-language": Variant("int8, language model", lambda model: int8(model, vision=False)),
    "int8-all": Variant("int8, all linear layers", lambda model: int8(model, vision=True)),
    "compile-vision": Variant("torch.compile, vision tower", compile_vision),
    "compile-decoder": Variant("torch.compile, decoder step", compile_decoder, static=True),
}


@contextmanager
def batches_of(static: bool) -> Iterator[None]:
    """Decode with `StaticBatch` inside."""
    usual = transformers_adapter.Batch
    transformers_adapter.Batch = StaticBatch if static else usual
    try:
        yield
    finally:
        transformers_adapter.Batch = usual


def plain_model(in_flight: int) -> TransformersModel:
    """The embedded model in float32 on the CPU."""
    model = open_model("tiny", device="cpu", max_in_flight=in_flight)
    if not isinstance(model, TransformersModel) or model.model.dtype != torch.float32:
        raise RuntimeError(f"{model.identity} is not a float32 model in this process")
    return model


def changed(plain: TransformersModel, variant: Variant) -> TransformersModel:
    """A copy of the plain model with the variant's change."""
    model = plain_model(plain.max_in_flight)
    model.model = copy.deepcopy(plain.model)
    variant.change(model)
    return model


def peak_mib() -> float:
    """Peak resident memory of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure_batches(count: int) -> dict[str, Any]:
    """Part 1, in this process."""
    model = plain_model(1)
    tiles = asked_tiles(model, min(count, BATCH_TILES))
    answer(model, tiles[:1], WARM_UP_TOKENS)
    rows = []
    for size in BATCHES:
        model.max_in_flight = size
        started = time.perf_counter()
        texts = answer(model, tiles)
        seconds = time.perf_counter() - started
        rows.append(
            {
                "batch": size,
                "tiles_per_s": len(tiles) / seconds,
                "characters": statistics.mean(map(len, texts)),
                "peak_mib": peak_mib(),
            }
        )
    return {"model": model.identity, "tiles": len(tiles), "rows": rows}


def measure_variant(name: str, count: int, cap_s: float) -> dict[str, Any]:
    """Part 2, one variant in this process."""
    variant = VARIANTS[name]
    plain = plain_model(CHUNK)
    tiles = asked_tiles(plain, count)
    chunks = [tiles[k : k + CHUNK] for k in range(0, count, CHUNK)]
    started = time.perf_counter()
    answer(plain, chunks[0], WARM_UP_TOKENS)
    plain_s = time.perf_counter() - started
    watch = threading.Timer(cap_s, lambda: os._exit(TIMED_OUT))
    watch.daemon = True
    watch.start()
    started = time.perf_counter()
    model = changed(plain, variant)
    with batches_of(variant.static):
        answer(model, chunks[0], WARM_UP_TOKENS)
    prepare_s = max(0.0, time.perf_counter() - started - plain_s)
    watch.cancel()
    texts: dict[str, Texts] = {"plain": [], "variant": []}
    ratios = []
    for k, chunk in enumerate(chunks):  # who goes first alternates, so that drift favours neither
        took = {}
        for who in ("plain", "variant") if k % 2 else ("variant", "plain"):
            started = time.perf_counter()
            with batches_of(variant.static and who == "variant"):
                texts[who] += answer(model if who == "variant" else plain, chunk)
            took[who] = time.perf_counter() - started
        ratios.append(took["plain"] / took["variant"])
    same = [a == b for a, b in zip(texts["plain"], texts["variant"], strict=True)]
    return {
        "ratios": ratios,
        "identical": sum(same) / len(same),
        "f1_plain": f1(tiles, texts["plain"]),
        "f1": f1(tiles, texts["variant"]),
        "prepare_s": prepare_s,
        "peak_mib": peak_mib(),
    }


def child(words: list[str]) -> dict[str, Any] | str:
    """One measurement in a process of its own; a sentence when it gave none."""
    done = subprocess.run(  # noqa: S603
        [sys.executable, __file__, *words],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "TORCHINDUCTOR_COMPILE_THREADS": "1"},
    )
    if done.returncode == TIMED_OUT:
        return "not compiled in time"
    if done.returncode:
        return (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1][:90]
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def main() -> None:
    """Print both parts; with --part, measure one and print it as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tiles", type=int, default=32, help=f"tiles, a multiple of {CHUNK}")
    parser.add_argument(
        "--compile-cap", type=float, default=180.0, help="seconds a variant may take to compile"
    )
    parser.add_argument("--part", choices=["batches", *VARIANTS], help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.tiles < CHUNK or args.tiles % CHUNK:
        parser.error(f"--tiles {args.tiles}: give a multiple of {CHUNK}")
    if args.part:
        result = (
            measure_batches(args.tiles)
            if args.part == "batches"
            else measure_variant(args.part, args.tiles, args.compile_cap)
        )
        print(json.dumps(result))
        return
    words = ["--tiles", str(args.tiles), "--compile-cap", str(args.compile_cap)]
    plain = child([*words, "--part", "batches"])
    if isinstance(plain, str):
        raise SystemExit(f"the plain model could not be measured: {plain}")
    print(f"\n{plain['model']}, {plain['tiles']} tiles of {TILE_PX} px, {torch.get_num_threads()} threads")
    print(f"{'batch':>6} {'tiles/s':>8} {'characters a tile':>18} {'peak MiB':>9}")
    for row in plain["rows"]:
        print(f"{row['batch']:6} {row['tiles_per_s']:8.2f} {row['characters']:18.0f} {row['peak_mib']:9.0f}")
    print(
        f"\n{f'variant, batches of {CHUNK}, {args.tiles} tiles':34} {'speed/plain':>11} {'range':>11} "
        f"{'identical':>9} {'F1 plain':>9} {'F1':>6} {'prepare s':>9} {'peak MiB':>9}",
        flush=True,
    )
    for name, variant in VARIANTS.items():
        found = child([*words, "--part", name])
        if isinstance(found, str):
            print(f"{variant.title:34} {found}", flush=True)
            continue
        ratios = found["ratios"]
        print(
            f"{variant.title:34} {statistics.median(ratios):11.2f} {f'{min(ratios):.2f}-{max(ratios):.2f}':>11} "
            f"{found['identical']:9.2f} {found['f1_plain']:9.3f} {found['f1']:6.3f} {found['prepare_s']:9.1f} "
            f"{found['peak_mib']:9.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()

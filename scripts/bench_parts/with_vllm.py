"""What the engine costs around vLLM: python scripts/bench_parts/with_vllm.py [PART...]

offline   A whole question over a scene of 100 tiles by the engine, vLLM in process, against `LLM.generate` of the
          same vLLM with the same settings, prompts (token for token), images and sampling, all of them in memory
          beforehand: tiles per second.
http      `groundproof serve --model vllm:tiny` asked by 16 clients at once, each sending one image after the
          other in a form (Accept: application/json), against `LLM.generate` with all those prompts and images.
paced     Both again around a stand-in that is as slow as a model of 9B on a GPU, and takes no processor time here: it
          answers 16 at once, each in 5 seconds.
grammar   The engine with and without the grammar on the same tiles: tiles per second, answers that were mended
          or could not be read. And what one token costs the grammar with a vocabulary of a large model's size.

The sides take turns, each repeat has tiles of its own, and vLLM's caches are emptied in between. Run it with the
environment of scripts/_vllm_environment.sh, as `./scripts/bench vllm` does. (A file vllm.py here would hide the
package of that name.)
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pacing
import psutil
from asking import write_scene
from pacing import PACE_S, Paced
from PIL import Image
from service import background
from transformers import AutoConfig

from groundproof.ask_options import AskOptions
from groundproof.deliver import write_outputs
from groundproof.models import vllm_adapter
from groundproof.models.base import Request
from groundproof.models.resolve import resolve
from groundproof.models.vllm_adapter import Reading, VllmModel
from groundproof.parses import parses
from groundproof.protocol import Task, constraint
from groundproof.run import RunDirectory
from groundproof.session import Session
from groundproof_training.scenes import WorldSpec, make_scene

MODEL = "vllm:tiny"
QUESTION = "How many airplanes are there?"
TILES_A_SIDE = 10
REPEATS = 3
CLIENTS = 16
IMAGES = 5 * CLIENTS
PORT = 8935
TOKEN = "t" * 32
AIM_OFFLINE, AIM_HTTP = 0.97, 0.90

VOCABULARY = 151_000

SMALL = (
    "The model has 7 million parameters, and engine, service and model share the processor. A tile of a large model "
    "takes a hundred times longer on a device of its own, so 'offline' and 'http' show far lower ratios than it has."
)


@dataclass(frozen=True, slots=True)
class Took:
    """What one side took: seconds on the clock, and of processor time outside vLLM's own engine process."""

    wall_s: float
    cpu_s: float
    texts: tuple[str, ...] = ()


class Raw:
    """vLLM's offline class, with the settings, prompts and sampling that our adapter gives to vLLM."""

    def __init__(self, model: VllmModel) -> None:
        from vllm import LLM

        spec = resolve(MODEL)
        config = AutoConfig.from_pretrained(spec.folder, local_files_only=True)
        dtype = str(model._engine.model_config.dtype).removeprefix("torch.")  # noqa: SLF001
        kind = vllm_adapter._installed().kind  # noqa: SLF001
        self._model = model
        self._reading = Reading(spec.folder, config)
        settings = vllm_adapter._settings(spec.folder, config, spec.profile, dtype, kind, model.max_in_flight)  # noqa: SLF001
        self._llm = LLM(**settings)

    def took(self, requests: Sequence[Request]) -> Took:
        """All of them in one call, as vLLM's documentation recommends."""
        from vllm.sampling_params import RequestOutputKind

        self._llm.reset_prefix_cache()
        self._llm.reset_mm_cache()
        prompts, samplings = [], []
        for request in requests:
            prompt = self._reading.prompt(request)
            del prompt["multi_modal_uuids"]  # vLLM names images itself
            prompts.append(prompt)
            samplings.append(self._model._sampling(request))  # noqa: SLF001
            samplings[-1].output_kind = RequestOutputKind.FINAL_ONLY
        started, cpu = time.perf_counter(), time.process_time()
        outputs = self._llm.generate(prompts, samplings, use_tqdm=False)
        wall_s, cpu_s = time.perf_counter() - started, time.process_time() - cpu
        return Took(wall_s, cpu_s, tuple(self._text(output.outputs[0].token_ids) for output in outputs))

    def _text(self, tokens: Sequence[int]) -> str:
        ours = [token for token in tokens if token not in self._reading.stop_ids]
        return str(self._reading.tokenizer.decode(ours, skip_special_tokens=False))


def forget(model: VllmModel) -> None:
    """Empty the caches of the adapter's vLLM."""
    for reset in (model._engine.reset_prefix_cache, model._engine.reset_mm_cache):  # noqa: SLF001
        model._bridge.run(reset())  # noqa: SLF001


def asked(scenes: Sequence[Path], directory: Path, *, pixel_space: bool = False) -> list[Request]:
    """What the engine asks a model about these scenes, in order."""
    noting = Paced()
    names = tuple(str(scene) for scene in scenes)
    options = AskOptions(names, (QUESTION,), model=MODEL, pixel_space=pixel_space, constrained=False)
    with Session(options, model=noting) as session:
        session.run(directory)
    return noting.noted


def engine(
    model: VllmModel | Paced, scene: Path, out: Path, *, constrained: bool
) -> tuple[Took, RunDirectory]:
    """A whole question by the engine, from planning to the GeoPackage."""
    if isinstance(model, VllmModel):
        forget(model)
    options = AskOptions((str(scene),), (QUESTION,), model=MODEL, constrained=constrained)
    started, cpu = time.perf_counter(), time.process_time()
    with Session(options, model=model) as session:
        run, result = session.run(out.with_suffix(".run"))
        write_outputs(run, result, out)
    wall_s, cpu_s = time.perf_counter() - started, time.process_time() - cpu
    return Took(wall_s, cpu_s, tuple(run.answers().text)), run


def table(
    ours: Sequence[Took], raws: Sequence[Took], tiles: int, aim: float, baseline: str = "raw vLLM"
) -> None:
    """Rates, their ratio, and the processor time around the model."""
    ratios = [raw.wall_s / mine.wall_s for mine, raw in zip(ours, raws, strict=True)]
    print(f"{'':12} {'tiles/s':>8} {'range':>13} {'ms of CPU a tile beside the model':>35}")
    for name, side in (("engine", ours), (baseline, raws)):
        rates = [tiles / took.wall_s for took in side]
        cpu_ms = statistics.median(took.cpu_s for took in side) / tiles * 1e3
        print(
            f"{name:12} {statistics.median(rates):8.2f} {f'{min(rates):.2f}-{max(rates):.2f}':>13} {cpu_ms:35.1f}"
        )
    print(f"ratio {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f}), aim {aim}")


def offline(folder: Path, model: VllmModel, raw: Raw) -> None:
    """Print the part."""
    ours, raws, same = [], [], 0
    for repeat in range(REPEATS + 1):
        scene = folder / f"offline-{repeat}.tif"
        write_scene(scene, scene_px(model), seed=100 + repeat)
        requests = asked([scene], folder / f"offline-{repeat}-noted.run")
        theirs = raw.took(requests) if repeat % 2 else None
        mine, _ = engine(model, scene, scene.with_suffix(".gpkg"), constrained=False)
        theirs = theirs or raw.took(requests)
        if repeat:  # the first is for warming up
            ours.append(mine)
            raws.append(theirs)
            same += sum(a == b for a, b in zip(mine.texts, theirs.texts, strict=True))
    print(
        f"{len(requests)} tiles, {REPEATS} repeats; {same} of {len(ours) * len(requests)} answers are the same"
    )
    table(ours, raws, len(requests), AIM_OFFLINE)


def scene_px(model: VllmModel) -> int:
    """Side of a scene of TILES_A_SIDE x TILES_A_SIDE tiles."""
    profile = model.profile
    return profile.tile_px + (TILES_A_SIDE - 1) * (profile.tile_px - profile.overlap_px)


def http(folder: Path, model: VllmModel, raw: Raw) -> None:
    """Print the part."""
    ours, raws = [], []
    with serving(folder, "-m", "groundproof.cli", "serve", "--model", MODEL) as (client, service):
        for repeat in range(REPEATS + 1):
            images = write_images(folder / f"http-{repeat}", 1000 * (repeat + 1), model.profile.tile_px)
            requests = asked(images, folder / f"http-{repeat}-noted.run", pixel_space=True)
            theirs = raw.took(requests) if repeat % 2 else None
            mine = clients(client, images, service)
            theirs = theirs or raw.took(requests)
            if repeat:
                ours.append(mine)
                raws.append(theirs)
    print(f"{CLIENTS} clients, {IMAGES} images, {REPEATS} repeats")
    table(ours, raws, IMAGES, AIM_HTTP)


@contextmanager
def serving(folder: Path, *words: str) -> Iterator[tuple[httpx.Client, psutil.Process]]:
    """A service started with these words, ready; a client for it, and its process."""
    os.environ["BENCH_TOKEN"] = TOKEN
    url = f"http://127.0.0.1:{PORT}"
    words += ("--port", str(PORT), "--workers", str(CLIENTS), "--data-dir", str(folder / "service"))
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with (
        background(*words, "--token-env", "BENCH_TOKEN", url=f"{url}/health") as process,
        httpx.Client(base_url=url, headers=headers, timeout=600) as client,
    ):
        while client.get("/ready").status_code != 200:
            time.sleep(0.5)
        yield client, psutil.Process(process.pid)


def paced(folder: Path, model: VllmModel, raw: Raw) -> None:
    """Print the part."""
    scene = folder / "paced.tif"
    write_scene(scene, scene_px(model), seed=300)
    alone = [alone_took(asked([scene], folder / "paced-noted.run"))]
    mine, _ = engine(Paced(PACE_S), scene, folder / "paced.gpkg", constrained=False)
    print(f"offline: {TILES_A_SIDE**2} tiles")
    table([mine], alone, TILES_A_SIDE**2, AIM_OFFLINE, "stand-in")
    images = write_images(folder / "paced", 9000, model.profile.tile_px)
    alone = [alone_took(asked(images, folder / "paced-http-noted.run", pixel_space=True))]
    with serving(folder / "paced", pacing.__file__) as (client, service):
        clients(client, images[:CLIENTS], service)
        mine = clients(client, images, service)
    print(f"http: {CLIENTS} clients, {IMAGES} images")
    table([mine], alone, IMAGES, AIM_HTTP, "stand-in")


def alone_took(requests: Sequence[Request]) -> Took:
    """The stand-in without an engine."""
    started, cpu = time.perf_counter(), time.process_time()
    for _ in Paced(PACE_S).generate(requests):
        pass
    return Took(time.perf_counter() - started, time.process_time() - cpu)


def write_images(folder: Path, seed: int, side: int) -> list[Path]:
    """Procedural tiles as PNG."""
    folder.mkdir()
    images = []
    for number in range(IMAGES):
        images.append(folder / f"{number}.png")
        Image.fromarray(make_scene(seed + number, side, side, WorldSpec()).image).save(images[-1])
    return images


def clients(client: httpx.Client, images: Sequence[Path], service: psutil.Process) -> Took:
    """CLIENTS at once; an image is sent when the client before has its answer."""

    def ask(image: Path) -> None:
        reply = client.post(
            "/ask",
            files={"image": (image.name, image.read_bytes(), "image/png")},
            data={"question": QUESTION, "options": '{"constrained": false}'},
            headers={"Accept": "application/json"},
        )
        if reply.status_code != 200:
            raise SystemExit(f"The service answered {reply.status_code}: {reply.text[:500]}")

    started, cpu = time.perf_counter(), sum(service.cpu_times()[:4])
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(ask, images))
    return Took(time.perf_counter() - started, sum(service.cpu_times()[:4]) - cpu)


def grammar(folder: Path, model: VllmModel, raw: Raw) -> None:
    """Print the part."""
    sides: dict[bool, list[tuple[Took, RunDirectory]]] = {False: [], True: []}
    for repeat in range(REPEATS):
        scene = folder / f"grammar-{repeat}.tif"
        write_scene(scene, scene_px(model), seed=200 + repeat)
        for constrained in (False, True) if repeat % 2 else (True, False):
            out = folder / f"grammar-{repeat}-{constrained}.gpkg"
            sides[constrained].append(engine(model, scene, out, constrained=constrained))
    print(
        f"{'':12} {'tiles/s':>8} {'range':>13} {'answers':>8} {'mended':>7} {'unreadable':>11} {'with boxes':>11}"
    )
    for constrained, made in sides.items():
        rates = [len(took.texts) / took.wall_s for took, _ in made]
        counts = [parses(run) for _, run in made]
        boxes = sum(int((run.answers().status == "ok").sum()) for _, run in made)
        columns = (
            sum(c.answers for c in counts),
            sum(c.repaired for c in counts),
            sum(c.failed for c in counts),
        )
        print(
            f"{'grammar' if constrained else 'free':12} {statistics.median(rates):8.2f} "
            f"{f'{min(rates):.2f}-{max(rates):.2f}':>13} {columns[0]:8} {columns[1]:7} {columns[2]:11} {boxes:11}"
        )

    print(f"the grammar takes {mask_ms():.2f} ms a token of prose with {VOCABULARY:,} made-up words")


def mask_ms() -> float:
    """Time to find the tokens that may come next inside `<plan>`, on average."""
    import xgrammar

    ebnf = constraint.grammar(Task.COUNT, QUESTION, resolve(MODEL).profile.frame)
    words = made_up(VOCABULARY)
    info = xgrammar.TokenizerInfo(words, xgrammar.VocabType.RAW, stop_token_ids=[0])
    compiler = xgrammar.GrammarCompiler(info, max_threads=1)
    matcher = xgrammar.GrammarMatcher(compiler.compile_grammar(xgrammar.Grammar.from_ebnf(ebnf)))
    mask = xgrammar.allocate_token_bitmask(1, len(words))
    matcher.accept_string("<think><plan>")
    seconds = []
    for letter in "Scan the quay from west to east, row by row":
        started = time.perf_counter()
        matcher.fill_next_token_bitmask(mask)
        seconds.append(time.perf_counter() - started)
        matcher.accept_string(letter)
    return statistics.mean(seconds[1:]) * 1e3


def made_up(size: int) -> list[bytes]:
    """A vocabulary: single bytes, then words, many behind a blank, some with a bracket or a comma at one end."""
    chance = random.Random(0)
    found = dict.fromkeys([b"<end>", *(bytes([byte]) for byte in range(256))])
    while len(found) < size:
        word = "".join(chance.choices("etaoinshrdlucmfwypvbgkqjxz", k=chance.randint(2, 10)))
        ends = chance.choices(("", " ", "[", "<", ",", "("), weights=(40, 50, 2, 2, 3, 3), k=2)
        found[f"{ends[0]}{word}{ends[1].strip()}".encode()] = None
    return list(found)


PARTS = {"offline": offline, "http": http, "paced": paced, "grammar": grammar}


def main() -> None:
    """Print the parts asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"one of {', '.join(PARTS)}; default: all")
    args = parser.parse_args()
    print(SMALL)
    model = vllm_adapter.load(resolve(MODEL))
    try:
        raw = Raw(model)
        with tempfile.TemporaryDirectory(prefix="groundproof-") as scratch:
            for name in args.parts or PARTS:
                print(f"-- {name}", flush=True)
                PARTS[name](Path(scratch), model, raw)
    finally:
        model.close()


if __name__ == "__main__":  # vLLM starts its engine as a new Python process, which imports this module
    main()

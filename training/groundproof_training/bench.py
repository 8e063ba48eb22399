"""`bench-v1`: held-out scenes and questions with exact truth, frozen by seeds and by the generator's hash.

    python -c "from groundproof_training.bench import freeze; freeze(print)"

A benchmark is a name. Whoever changes the generator makes other scenes from the same seeds, so the name then refuses
to work, and a new one is frozen. Knows which scenes and which questions; refuses to know models and scores.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from groundproof_training.cells import anchor_cells
from groundproof_training.shards import HELD_OUT_SEED
from groundproof_training.templates import Sample, Tile, make_change_sample, make_sample, permille_boxes
from groundproof_training.templates.draw import choose
from groundproof_training.templates.listing import list_class
from groundproof_training.templates.words import CLASS_WEIGHTS, WORDS

if TYPE_CHECKING:
    from groundproof_training.scenes import Pair, Scene, WorldSpec

SCENES = 1000
FIRST_SEED = {"bench-v1": HELD_OUT_SEED}
"""Version -> seed of its first scene; the others follow without a gap."""

SHAPES = (*[(224, 224)] * 7, (168, 168), (280, 280), (224, 336))
"""Width and height in px of scene i is `SHAPES[i % 10]`."""

MOST_OBJECTS = 60
FURTHER = (
    "detect", "ground", "vqa", "classify", "caption", "grounded-caption", "region-caption", "change",
)  # fmt: skip
"""The task of the third question of scene i is `FURTHER[i % 8]`; the first two are counts."""


class BenchScene(NamedTuple):
    """One scene to render: `make_scene(*scene)`."""

    seed: int
    width: int
    height: int
    spec: WorldSpec


@dataclass(frozen=True, slots=True)
class BenchQuestion:
    """One question about one held-out scene, with its truth.

    scene: index within the benchmark. images: (H, W, 3) uint8, two for change. sample: the question, and the
    completion a perfect model would write. boxes: (n, 4) px, of the sample's evidence in its order.
    """

    scene: int
    images: tuple[np.ndarray, ...]
    sample: Sample
    boxes: np.ndarray

    @property
    def width(self) -> int:
        """Pixels."""
        return int(self.images[0].shape[1])

    @property
    def height(self) -> int:
        """Pixels."""
        return int(self.images[0].shape[0])


class BenchChangedError(ValueError):
    """The generator or the questions are not those that the benchmark was frozen with."""


def bench_scenes(version: str = "bench-v1") -> Iterator[BenchScene]:
    """Seed, width, height and spec of every scene. Raises ValueError for an unknown version.

    Of every fifty rows of ten scenes four are empty and five are crowded with small objects.
    """
    from groundproof_training.scenes import WorldSpec

    if version not in FIRST_SEED:
        raise ValueError(f"there is no benchmark {version!r}; there is {', '.join(FIRST_SEED)}")
    for i in range(SCENES):
        width, height = SHAPES[i % len(SHAPES)]
        most = MOST_OBJECTS * 224 * 224 // (width * height)
        row = i // len(SHAPES) % 50
        if row < 4:
            spec = WorldSpec(n_objects=(0, 12), size_px=(8, 64), empty=1.0)
        elif row < 9:
            spec = WorldSpec(n_objects=(most // 3, most), size_px=(8, 24), min_centre_px=10.0, empty=0.0)
        else:
            spec = WorldSpec(n_objects=(1, min(16, most)), size_px=(8, 64), min_centre_px=20.0, empty=0.0)
        yield BenchScene(FIRST_SEED[version] + i, width, height, spec)


def shuffled(version: str = "bench-v1") -> list[int]:
    """Indices of the scenes in a mixed order that never changes; its first n are a fair part of the whole."""
    return np.random.default_rng(FIRST_SEED[version]).permutation(SCENES).tolist()


def bench_questions(
    version: str = "bench-v1", scenes: Iterable[int] | None = None
) -> Iterator[BenchQuestion]:
    """Every question, scene by scene. scenes: indices to render, None for all, in order."""
    listed = list(bench_scenes(version))
    for i in range(SCENES) if scenes is None else scenes:
        yield from scene_questions(i, listed[i])


def scene_questions(index: int, asked: BenchScene, scene: Scene | None = None) -> Iterator[BenchQuestion]:
    """A count of a present class (a focus class where there is one), a count of an absent class, and one more.

    scene: the rendered scene, where somebody has it already.
    """
    from groundproof_training import scenes

    rng = np.random.default_rng([asked.seed, 1])
    scene = scenes.make_scene(*asked) if scene is None else scene
    tile, boxes = tile_of(scene)
    present = sorted(set(tile.labels))
    focus = [label for label in present if label in CLASS_WEIGHTS]
    absent = [label for label in WORDS if label in scenes.CLASSES and label not in present]
    counted = [focus[int(rng.integers(len(focus)))]] if focus else present[:1]
    counted += [choose(rng, absent, CLASS_WEIGHTS)] if absent else []
    for label in counted:
        sample = list_class(rng, tile, "count", label)
        yield BenchQuestion(index, (scene.image,), sample, boxes[list(sample.objects)])
    task = FURTHER[index % len(FURTHER)]
    if task == "change":
        yield _change_question(rng, index, scenes.make_pair(*asked))
        return
    sample = make_sample(
        rng, tile.labels, tile.boxes, tile.anchors, [task],
        unknown_share=0.0, scene_type=tile.scene_type, aspect=tile.aspect,
    )  # fmt: skip
    yield BenchQuestion(index, (scene.image,), sample, boxes[list(sample.objects)])


def _change_question(rng: np.random.Generator, index: int, pair: Pair) -> BenchQuestion:
    height, width = pair.before.image.shape[:2]
    boxes = np.array([c.object.box for c in pair.changes], dtype=float).reshape(-1, 4)
    kinds, labels = [c.kind for c in pair.changes], [c.object.label for c in pair.changes]
    cells = anchor_cells(boxes, width, height).tolist()
    sample = make_change_sample(rng, kinds, labels, permille_boxes(boxes, width, height), cells)
    return BenchQuestion(index, (pair.before.image, pair.after.image), sample, boxes[list(sample.objects)])


def tile_of(scene: Scene) -> tuple[Tile, np.ndarray]:
    """A scene as the templates know it, and its boxes (n, 4) px."""
    height, width = scene.image.shape[:2]
    boxes = np.array([o.box for o in scene.objects], dtype=float).reshape(-1, 4)
    labels = tuple(o.label for o in scene.objects)
    kind = scene.scene_type
    cells = tuple(anchor_cells(boxes, width, height).tolist())
    return Tile(labels, tuple(permille_boxes(boxes, width, height)), cells, kind, width / height), boxes


def frozen_path(version: str = "bench-v1") -> Path:
    """Where the frozen facts of a benchmark lie."""
    return Path(__file__).with_name(f"{version}.json")


def check_generator(version: str = "bench-v1", path: Path | None = None) -> dict:
    """The frozen facts, when the generator is the one they were frozen with. Raises BenchChangedError otherwise."""
    from groundproof_training.scenes import generator_hash

    path = path or frozen_path(version)
    if not path.exists():
        raise BenchChangedError(f"{version} is not frozen yet: {path.name} is missing; run bench.freeze()")
    facts, now = json.loads(path.read_text()), generator_hash()
    if facts["generator"] != now:
        raise BenchChangedError(
            f"{version} was frozen with generator {facts['generator']}, this is {now}: "
            "a changed generator is a new name"
        )
    return facts


def freeze(
    report: Callable[[str], None] = lambda line: None, version: str = "bench-v1", path: Path | None = None
) -> dict:
    """Render every scene, write the facts of the benchmark beside this module, return them."""
    from groundproof_training.scenes import generator_hash

    facts = {"name": version, "scenes": SCENES, "first_seed": FIRST_SEED[version],
             "generator": generator_hash(), **hashes(version, report)}  # fmt: skip
    (path or frozen_path(version)).write_text(json.dumps(facts, indent=1) + "\n")
    return facts


def verify(report: Callable[[str], None] = lambda line: None, version: str = "bench-v1") -> None:
    """Render every scene and compare with the frozen facts. Raises BenchChangedError, saying what differs."""
    facts = check_generator(version)
    for key, value in hashes(version, report).items():
        if facts[key] != value:
            raise BenchChangedError(f"{version}: {key} is {value}, frozen was {facts[key]}: it is a new name")


def hashes(version: str, report: Callable[[str], None]) -> dict[str, str]:
    """sha256 of all truth boxes (labels, quarters of a pixel) and of all questions with their answers."""
    from groundproof_training.scenes import make_scene

    truth, asked = hashlib.sha256(), hashlib.sha256()
    for i, one in enumerate(bench_scenes(version)):
        scene = make_scene(*one)
        boxes = " ".join(f"{o.label} {[round(4 * v) for v in o.box]}" for o in scene.objects)
        truth.update(f"{one.seed} {boxes}\n".encode())
        for question in scene_questions(i, one, scene):
            asked.update(f"{question.sample.prompt}\n{question.sample.completion}\n".encode())
        if (i + 1) % 50 == 0:
            report(f"{i + 1}/{SCENES} scenes")
    return {"truth_sha256": truth.hexdigest(), "questions_sha256": asked.hexdigest()}

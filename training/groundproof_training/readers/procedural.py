"""This project's own world as a dataset: scenes rendered when they are asked for, or those of `groundproof-train
scenes`, with every task's questions and rationales from the templates.

Knows seeds, shards and where pictures are written. Refuses to know how a question is worded.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from pydantic import Field

from groundproof.protocol import Task
from groundproof_training.cells import anchor_cells
from groundproof_training.readers.base import DatasetCard, Options, Problems, Reader, WrongFolderError
from groundproof_training.readers.template_samples import LICENCE, to_sample
from groundproof_training.samples import Sample, SampleImage, Split, TrueBox
from groundproof_training.shards import HELD_OUT_SEED, training_spec
from groundproof_training.templates import (
    DEFAULT_WEIGHTS,
    MOST,
    make_change_sample,
    make_sample,
    permille_boxes,
)

FIRST_SEED: dict[Split, int] = {
    "train": 20_000_000,
    "val": HELD_OUT_SEED + 10_000_000,
    "test": HELD_OUT_SEED + 20_000_000,
}
"""Of the scenes of each split. The embedded model's training starts at 1,000,000, `bench-v1` at `HELD_OUT_SEED`:
none of these meet."""

SHARD_SPLITS: dict[int, Split] = {18: "val", 19: "test"}
"""Of twenty scenes of a shard these go to another split than train."""

TRIES = 6
"""For a question of the drawn task, before the scene goes on with fewer."""

CARD = DatasetCard(
    name="procedural",
    title="the procedural world",
    tasks=tuple(Task),
    licence=LICENCE,
    source="this project: groundproof_training.scenes",
    layout=(
        "any folder, empty or new: pictures are rendered into images/<split>/",
        "or 224x224/images-0000.npy and objects-0000.npz, as `groundproof-train scenes` writes them",
    ),
    splits=("train", "val", "test"),
    verified="by construction: the truth is what was painted",
)


class ProceduralOptions(Options):
    """scenes: how many are rendered for a split, or at most taken from shards. width, height: px, of rendered
    scenes. questions: asked about each scene. tasks: of one image, "change" for pairs; empty: all. change_share: of
    rendered scenes, how many are pairs of two dates when all tasks are asked for. absent_share: of questions about a
    class, how many are about one that is not there. most: objects that one question may list."""

    scenes: int = Field(500, gt=0)
    width: int = Field(224, ge=56)
    height: int = Field(224, ge=56)
    questions: int = Field(3, gt=0)
    tasks: tuple[Task, ...] = ()
    change_share: float = Field(0.1, ge=0, le=1)
    absent_share: float = Field(0.2, ge=0, le=1)
    most: int = Field(MOST, gt=0)


@dataclass(frozen=True, slots=True)
class _Place:
    """A scene as the templates take it. objects: px, tight around what is visible."""

    name: str
    seed: int
    image: SampleImage
    objects: tuple[TrueBox, ...]
    scene_type: str | None
    cells: list[int] = field(default_factory=list)


class ProceduralReader:
    """See the module."""

    card = CARD
    options = ProceduralOptions

    def read(self, root: Path, split: Split, options: Options, problems: Problems) -> Iterator[Sample]:
        """Scene by scene; the same seeds, questions and bytes every time."""
        given = ProceduralOptions.model_validate(options.model_dump())
        if root.exists() and not root.is_dir():
            raise WrongFolderError(root, self.card, "a folder to render into")
        shards = sorted(root.glob("*x*/images-*.npy"))
        return _from_shards(root, shards, split, given) if shards else _rendered(root, split, given)


READERS: tuple[Reader, ...] = (ProceduralReader(),)


def _rendered(root: Path, split: Split, options: ProceduralOptions) -> Iterator[Sample]:
    from groundproof_training.scenes import make_pair, make_scene

    size = (options.width, options.height)
    share = options.change_share
    if options.tasks:
        share = 0.0 if Task.CHANGE not in options.tasks else 1.0 / len(options.tasks)
    for index in range(options.scenes):
        seed = FIRST_SEED[split] + index
        if np.random.default_rng([options.seed, seed, 7]).random() < share:
            yield from _asked_of_pair(root, split, seed, make_pair(seed, *size, training_spec(seed)), options)
            continue
        scene = make_scene(seed, *size, training_spec(seed))
        image = _written(root, f"images/{split}/{seed}.png", scene.image)
        objects = tuple(_true_box(one) for one in scene.objects)
        yield from _asked(_Place(str(seed), seed, image, objects, scene.scene_type), split, options)


def _from_shards(
    root: Path, shards: list[Path], split: Split, options: ProceduralOptions
) -> Iterator[Sample]:
    from groundproof_training.scenes import CLASSES, SCENE_TYPES

    made = 0
    for path in shards:
        number = path.stem.rpartition("-")[2]
        pixels = np.load(path, mmap_mode="r")
        with np.load(path.with_name(f"objects-{number}.npz")) as file:
            data = {key: file[key] for key in file.files}
        ends = np.cumsum(data["counts"])
        for k, (first, last) in enumerate(zip(ends - data["counts"], ends, strict=True)):
            if SHARD_SPLITS.get(k % 20, "train") != split:
                continue
            if made == options.scenes:
                return
            made += 1
            name = f"{path.parent.name}-{number}-{k:03d}"
            image = _written(root, f"images/{split}/{name}.png", np.asarray(pixels[k]))
            objects = tuple(
                TrueBox(label=CLASSES[int(label)], **_corners(box.tolist()))
                for box, label in zip(data["boxes"][first:last], data["labels"][first:last], strict=True)
            )
            kind = int(data["scene_types"][k])
            seed = int(hashlib.sha256(name.encode()).hexdigest()[:12], 16)
            yield from _asked(
                _Place(name, seed, image, objects, SCENE_TYPES[kind] if kind >= 0 else None), split, options
            )


def _asked(place: _Place, split: Split, options: ProceduralOptions) -> Iterator[Sample]:
    """The questions about one scene."""
    from groundproof_training.scenes import SCENE_TYPES

    weights = {t: w for t, w in DEFAULT_WEIGHTS.items() if not options.tasks or Task(t) in options.tasks}
    if not weights:
        return
    width, height = place.image.width, place.image.height
    boxes = np.array([b.xyxy for b in place.objects], dtype=float).reshape(-1, 4)
    rng = np.random.default_rng([options.seed, place.seed, 1])
    asked = set[tuple[str, str]]()
    for _ in range(options.questions * TRIES):
        if len(asked) == options.questions:
            return
        task = str(rng.choice(list(weights), p=np.array(list(weights.values())) / sum(weights.values())))
        written = make_sample(
            rng,
            [b.label for b in place.objects],
            permille_boxes(boxes, width, height),
            anchor_cells(boxes, width, height).tolist(),
            [task],
            absent_share=options.absent_share,
            unknown_share=0.0,
            scene_type=place.scene_type,
            aspect=width / height,
            most=options.most,
        )
        # A task that gives no clear question here comes back as a count; that one is asked for on its own.
        if written.task != task or (written.task, written.prompt) in asked:
            continue
        sample = to_sample(
            written,
            (place.image,),
            place.objects,
            sample_id=f"procedural-{split}-{place.name}-{len(asked)}",
            source=CARD.name,
            split=split,
            choices=SCENE_TYPES,
        )
        if sample is not None:
            asked.add((written.task, written.prompt))
            yield sample


def _asked_of_pair(
    root: Path, split: Split, seed: int, pair: Any, options: ProceduralOptions
) -> Iterator[Sample]:
    images = tuple(
        _written(root, f"images/{split}/{seed}-{date}.png", scene.image)
        for date, scene in (("before", pair.before), ("after", pair.after))
    )
    width, height = images[0].width, images[0].height
    objects = tuple(
        _true_box(c.object).model_copy(update={"image": int(c.kind == "appeared")}) for c in pair.changes
    )
    boxes = np.array([b.xyxy for b in objects], dtype=float).reshape(-1, 4)
    cells = anchor_cells(boxes, width, height).tolist()
    rng = np.random.default_rng([options.seed, seed, 2])
    asked = set[str]()
    for _ in range(options.questions * TRIES):
        if len(asked) == options.questions:
            return
        written = make_change_sample(
            rng,
            [c.kind for c in pair.changes],
            [b.label for b in objects],
            permille_boxes(boxes, width, height),
            cells,
        )
        if written.prompt in asked:
            continue
        sample = to_sample(
            written,
            images,
            objects,
            sample_id=f"procedural-{split}-{seed}-change-{len(asked)}",
            source=CARD.name,
            split=split,
        )
        if sample is not None:
            asked.add(written.prompt)
            yield sample


def _true_box(one: Any) -> TrueBox:
    return TrueBox(label=one.label, truncated=one.visible < 1.0, **_corners(one.box))


def _corners(box: Any) -> dict[str, float]:
    return dict(zip(("x0", "y0", "x1", "y1"), map(float, box), strict=True))


def _written(root: Path, path: str, pixels: np.ndarray) -> SampleImage:
    """The picture's file, written unless the same bytes lie there already."""
    buffer = io.BytesIO()
    Image.fromarray(pixels, "RGB").save(buffer, "PNG", compress_level=3)
    content, file = buffer.getvalue(), root / path
    if not file.is_file() or file.read_bytes() != content:
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary = file.with_suffix(".part")
        temporary.write_bytes(content)
        temporary.replace(file)
    return SampleImage(
        path=path,
        width=pixels.shape[1],
        height=pixels.shape[0],
        sha256=hashlib.sha256(content).hexdigest(),
    )

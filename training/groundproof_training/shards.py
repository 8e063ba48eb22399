"""Scenes rendered once to disk, and read back in batches of one shape with the eight flips and turns.

One folder per shape (width x height); numbered shards of images (`.npy`, memory-mapped) and objects (`.npz`).
A shard is written to a temporary name and renamed, so rendering resumes where it stopped. Refuses to know
what a scene looks like (`scenes`) and what is learnt from it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

SHARD_SIZE = 250
"""Scenes per shard: half a minute of work at most, so a stopped run loses little."""

SMALL_FIRST = 1.5
"""A shape is drawn in proportion to its area to the power of minus this."""

HELD_OUT_SEED = 900_000_000
"""Seeds from here on are never rendered for training."""


class ShardConfig(BaseModel):
    """What is rendered. Shapes are (width, height) in px; the transposed shapes come from turning."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shapes: tuple[tuple[int, int], ...] = (
        (168, 168), (224, 224), (280, 280), (336, 336), (168, 336), (224, 280), (224, 336), (168, 224)
    )  # fmt: skip
    scenes_per_shape: int = 2500
    objects_at_most: int = 12
    processes: int = 2
    first_seed: int = 1_000_000


@dataclass(frozen=True, slots=True)
class Objects:
    """Objects of one image: `boxes` (n, 4) float32 x0 y0 x1 y1 in px, `labels` (n,) int64 into `CLASSES`."""

    boxes: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True, slots=True)
class Batch:
    """Images of one shape: (B, H, W, 3) uint8, with the objects of each."""

    images: np.ndarray
    objects: tuple[Objects, ...]

    @property
    def height(self) -> int:
        """Pixels."""
        return int(self.images.shape[1])

    @property
    def width(self) -> int:
        """Pixels."""
        return int(self.images.shape[2])


def scene_seed(cfg: ShardConfig, shape_index: int, index: int) -> int:
    """The seed of one scene; never repeats between shapes and never reaches the held-out seeds."""
    return cfg.first_seed + shape_index * 1_000_000 + index


def render(seed: int, width: int, height: int, objects_at_most: int) -> tuple[np.ndarray, Objects]:
    """One scene as arrays; at most `objects_at_most` objects whatever the area."""
    from groundproof_training.scenes import CLASSES, WorldSpec, make_scene

    per_area = int(objects_at_most * 224 * 224 / (width * height) + 0.25)
    scene = make_scene(seed, width, height, WorldSpec(n_objects=(0, max(1, per_area))))
    boxes = np.array([o.box for o in scene.objects], dtype=np.float32).reshape(-1, 4)
    labels = np.array([CLASSES.index(o.label) for o in scene.objects], dtype=np.int64)
    return scene.image, Objects(boxes, labels)


def _write_shard(folder: Path, number: int, seeds: list[int], shape: tuple[int, int], at_most: int) -> int:
    os.nice(5)
    images, boxes, labels, counts = [], [], [], []
    for seed in seeds:
        image, objects = render(seed, shape[0], shape[1], at_most)
        images.append(image)
        boxes.append(objects.boxes)
        labels.append(objects.labels)
        counts.append(len(objects.labels))
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f"tmp-{number:04d}.npy"
    np.savez(folder / f"objects-{number:04d}.npz", boxes=np.concatenate(boxes), labels=np.concatenate(labels),
             counts=np.array(counts))  # fmt: skip
    np.save(temporary, np.stack(images))
    temporary.rename(folder / f"images-{number:04d}.npy")
    return len(seeds)


def render_shards(folder: Path, cfg: ShardConfig) -> Iterator[str]:
    """Render what is missing under `folder`; yields progress lines. Shards of all shapes grow together."""
    todo = []
    for number in range(-(-cfg.scenes_per_shape // SHARD_SIZE)):
        for i, shape in enumerate(cfg.shapes):
            target = folder / f"{shape[0]}x{shape[1]}"
            if not (target / f"images-{number:04d}.npy").exists():
                stop = min(cfg.scenes_per_shape, (number + 1) * SHARD_SIZE)
                seeds = [scene_seed(cfg, i, k) for k in range(number * SHARD_SIZE, stop)]
                todo.append((target, number, seeds, shape, cfg.objects_at_most))
    if not todo:
        yield "all shards exist"
        return
    start, done, total = time.monotonic(), 0, sum(len(job[2]) for job in todo)
    with ProcessPoolExecutor(cfg.processes) as pool:
        for future in as_completed([pool.submit(_write_shard, *job) for job in todo]):
            done += future.result()
            rate = done / (time.monotonic() - start)
            yield f"{done}/{total} scenes, {rate:.0f} a second, {(total - done) / rate:.0f} s left"


def move_boxes(objects: Objects, width: int, height: int, turn: bool, flip_x: bool, flip_y: bool) -> Objects:
    """The objects of a (width x height) image after `move_pixels` with the same arguments; exact."""
    x0, y0, x1, y1 = objects.boxes.T
    if turn:
        x0, y0, x1, y1, width, height = y0, x0, y1, x1, height, width
    if flip_x:
        x0, x1 = width - x1, width - x0
    if flip_y:
        y0, y1 = height - y1, height - y0
    return Objects(np.stack([x0, y0, x1, y1], axis=-1).astype(np.float32), objects.labels)


def move_pixels(image: np.ndarray, turn: bool, flip_x: bool, flip_y: bool) -> np.ndarray:
    """One of the eight symmetries of the square on (H, W, 3): transpose, then mirror x, then mirror y. A view."""
    if turn:
        image = image.transpose(1, 0, 2)
    return image[:: -1 if flip_y else 1, :: -1 if flip_x else 1]


Choose = Callable[[Sequence[Objects], int, int], np.ndarray]
"""(objects of each candidate, width, height) -> indices of the candidates to keep."""


class Shards:
    """All shards under a folder, as batches. Draws with replacement; state is the generator alone."""

    def __init__(
        self, folder: Path, shapes: Sequence[tuple[int, int]] | None = None, small_first: float = SMALL_FIRST
    ) -> None:
        self._shapes: list[tuple[tuple[int, int], list[np.ndarray], list[Objects]]] = []
        for target in sorted(folder.iterdir()):
            shape = tuple(int(side) for side in target.name.split("x"))
            if shapes is not None and shape not in shapes:
                continue
            images, objects = [], []
            for path in sorted(target.glob("images-*.npy")):
                images.append(np.load(path, mmap_mode="r"))
                data = np.load(path.with_name(path.name.replace("images", "objects")).with_suffix(".npz"))
                boxes, labels, counts = data["boxes"], data["labels"], data["counts"]
                ends = np.cumsum(counts)
                objects += [
                    Objects(boxes[a:b], labels[a:b]) for a, b in zip(ends - counts, ends, strict=True)
                ]
            if images:
                self._shapes.append((shape, images, objects))
        if not self._shapes:
            raise FileNotFoundError(f"no shards under {folder}; run `groundproof-train scenes` first")
        # Scenes of every shape hold about as many objects, so small ones teach more per token computed.
        share = np.array([1 / (w * h) ** small_first for (w, h), _, _ in self._shapes])
        self._share = share / share.sum()

    def __len__(self) -> int:
        return sum(len(objects) for _, _, objects in self._shapes)

    def draw(
        self, rng: np.random.Generator, tokens: int, choose: Choose | None = None, candidates: int = 1
    ) -> Batch:
        """A batch of one random shape with about `tokens` merged vision tokens in all, randomly turned and flipped.

        With `choose`, `candidates` times as many are looked at (objects only, no pixels) and `choose` says which to
        keep.
        """
        (width, height), images, objects = self._shapes[rng.choice(len(self._shapes), p=self._share)]
        size = max(1, round(tokens * 28 * 28 / (width * height)))
        picks = rng.integers(len(objects), size=size * candidates)
        turn = bool(rng.integers(2))
        flips = rng.integers(2, size=(len(picks), 2)) > 0
        moved = [
            move_boxes(objects[k], width, height, turn, fx, fy)
            for k, (fx, fy) in zip(picks, flips, strict=True)
        ]
        out_w, out_h = (height, width) if turn else (width, height)
        keep = np.arange(size) if choose is None else choose(moved, out_w, out_h)
        shard = len(images[0])
        pixels = np.empty((len(keep), out_h, out_w, 3), dtype=np.uint8)
        for row, i in enumerate(keep):
            pixels[row] = move_pixels(images[picks[i] // shard][picks[i] % shard], turn, *flips[i])
        return Batch(pixels, tuple(moved[i] for i in keep))

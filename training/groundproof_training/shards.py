"""Scenes rendered once to disk, and read back in batches of one shape with the eight flips and turns.

One folder per shape (width x height); numbered shards of images and class masks (`.npy`, memory-mapped) and of
objects (`.npz`). A shard is written to a temporary name and renamed, so rendering resumes where it
stopped. Refuses to know what a scene looks like (`scenes`) and what is learnt from it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from signal import SIG_DFL, SIGINT, signal
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict

from groundproof_training.cells import CELL_PX

if TYPE_CHECKING:
    from groundproof_training.scenes import WorldSpec

SHARD_SIZE = 250
"""Scenes per shard: half a minute of work at most, so a stopped run loses little."""

MASK_STEP = 2
"""Masks keep every second pixel."""

HELD_OUT_SEED = 900_000_000
"""Seeds from here on are never rendered for training."""


class ShardConfig(BaseModel):
    """What is rendered. Shapes are (width, height) in px; the transposed shapes come from turning."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shapes: tuple[tuple[int, int], ...] = ((224, 224), (168, 168), (280, 280), (224, 336))
    shares: tuple[float, ...] = (0.7, 0.1, 0.1, 0.1)
    scenes: int = 32_000
    processes: int = 2
    first_seed: int = 1_000_000


@dataclass(frozen=True, slots=True)
class Objects:
    """Objects of one image: `boxes` (n, 4) float32 x0 y0 x1 y1 in px, `labels` (n,) int64 into `CLASSES`;
    `scene_type` indexes `SCENE_TYPES`, -1 where it is not known."""

    boxes: np.ndarray
    labels: np.ndarray
    scene_type: int = -1


@dataclass(frozen=True, slots=True)
class Batch:
    """Images of one shape: (B, H, W, 3) uint8, with the objects of each. masks (B, H/2, W/2) uint8: the class index
    plus 1 that covers each 2 px cell, 0 for none; None where the shards have none."""

    images: np.ndarray
    objects: tuple[Objects, ...]
    masks: np.ndarray | None = None

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


def render(seed: int, width: int, height: int) -> tuple[np.ndarray, np.ndarray, Objects]:
    """One scene as arrays: image, mask (every `MASK_STEP`-th pixel), objects."""
    from groundproof_training.scenes import CLASSES, SCENE_TYPES, make_scene

    scene = make_scene(seed, width, height, training_spec(seed))
    boxes = np.array([o.box for o in scene.objects], dtype=np.float32).reshape(-1, 4)
    labels = np.array([CLASSES.index(o.label) for o in scene.objects], dtype=np.int64)
    objects = Objects(boxes, labels, SCENE_TYPES.index(scene.scene_type))
    return scene.image, np.ascontiguousarray(scene.mask[::MASK_STEP, ::MASK_STEP]), objects


def training_spec(seed: int) -> WorldSpec:
    """What a training scene may hold: mostly one object per vision token, a tenth of the scenes crowded."""
    from groundproof_training.scenes import WorldSpec

    if seed % 10 == 0:
        return WorldSpec(n_objects=(0, 40), size_px=(8, 40), min_centre_px=12.0)
    if seed % 10 == 1:
        return WorldSpec(n_objects=(0, 8), size_px=(24, 110))
    return WorldSpec(n_objects=(0, 12), size_px=(9, 72))


def _write_shard(folder: Path, number: int, seeds: list[int], shape: tuple[int, int]) -> int:
    os.nice(5)
    rendered = [render(seed, *shape) for seed in seeds]
    objects = [o for _, _, o in rendered]
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(
        folder / f"objects-{number:04d}.npz",
        boxes=np.concatenate([o.boxes for o in objects]),
        labels=np.concatenate([o.labels for o in objects]),
        counts=np.array([len(o.labels) for o in objects]),
        scene_types=np.array([o.scene_type for o in objects]),
    )
    np.save(folder / f"masks-{number:04d}.npy", np.stack([mask for _, mask, _ in rendered]))
    temporary = folder / f"tmp-{number:04d}.npy"
    np.save(temporary, np.stack([image for image, _, _ in rendered]))
    temporary.rename(folder / f"images-{number:04d}.npy")
    return len(seeds)


def render_shards(folder: Path, cfg: ShardConfig) -> Iterator[str]:
    """Render what is missing under `folder`; yields progress lines. Shards of all shapes grow together."""
    todo = []
    for i, (shape, share) in enumerate(zip(cfg.shapes, cfg.shares, strict=True)):
        wanted = round(cfg.scenes * share)
        for number in range(-(-wanted // SHARD_SIZE)):
            target = folder / f"{shape[0]}x{shape[1]}"
            if not (target / f"images-{number:04d}.npy").exists():
                stop = min(wanted, (number + 1) * SHARD_SIZE)
                seeds = [scene_seed(cfg, i, k) for k in range(number * SHARD_SIZE, stop)]
                todo.append((number / wanted, (target, number, seeds, shape)))
    todo.sort(key=lambda job: job[0])
    if not todo:
        yield "all shards exist"
        return
    start, done, total = time.monotonic(), 0, sum(len(job[2]) for _, job in todo)
    # Ctrl+C reaches the workers too: they end at once, without a traceback each.
    pool = ProcessPoolExecutor(cfg.processes, initializer=signal, initargs=(SIGINT, SIG_DFL))
    try:
        for future in as_completed([pool.submit(_write_shard, *job) for _, job in todo]):
            done += future.result()
            rate = done / (time.monotonic() - start)
            yield f"{done}/{total} scenes, {rate:.0f} a second, {(total - done) / rate:.0f} s left"
    finally:
        pool.shutdown(cancel_futures=True)


def move_boxes(objects: Objects, width: int, height: int, turn: bool, flip_x: bool, flip_y: bool) -> Objects:
    """The objects of a (width x height) image after `move_pixels` with the same arguments; exact."""
    x0, y0, x1, y1 = objects.boxes.T
    if turn:
        x0, y0, x1, y1, width, height = y0, x0, y1, x1, height, width
    if flip_x:
        x0, x1 = width - x1, width - x0
    if flip_y:
        y0, y1 = height - y1, height - y0
    boxes = np.stack([x0, y0, x1, y1], axis=-1).astype(np.float32)
    return Objects(boxes, objects.labels, objects.scene_type)


def move_pixels(image: np.ndarray, turn: bool, flip_x: bool, flip_y: bool) -> np.ndarray:
    """One of the eight symmetries of the square on (H, W, ...): transpose, then mirror x, then mirror y. A view."""
    if turn:
        image = image.swapaxes(0, 1)
    return image[:: -1 if flip_y else 1, :: -1 if flip_x else 1]


Choose = Callable[[Sequence[Objects], int, int], np.ndarray]
"""(objects of each candidate, width, height) -> indices of the candidates to keep."""


@dataclass(frozen=True, slots=True)
class _Shape:
    """Everything of one width and height: shards of images and masks, the objects of each image."""

    size: tuple[int, int]
    images: list[np.ndarray]
    masks: list[np.ndarray]
    objects: list[Objects]


class Shards:
    """All shards under a folder, as batches. Draws with replacement; state is the generator alone."""

    def __init__(self, folder: Path) -> None:
        self._shapes: list[_Shape] = []
        for target in sorted(folder.iterdir()):
            images, masks, objects = [], [], []
            for path in sorted(target.glob("images-*.npy")):
                number = path.stem.rpartition("-")[2]
                images.append(np.load(path, mmap_mode="r"))
                masks.append(np.load(target / f"masks-{number}.npy", mmap_mode="r"))
                with np.load(target / f"objects-{number}.npz") as file:
                    data = {key: file[key] for key in file.files}  # each access would decompress it anew
                ends = np.cumsum(data["counts"])
                objects += [
                    Objects(data["boxes"][a:b], data["labels"][a:b], int(kind))
                    for a, b, kind in zip(ends - data["counts"], ends, data["scene_types"], strict=True)
                ]
            if images:
                width, height = (int(side) for side in target.name.split("x"))
                self._shapes.append(_Shape((width, height), images, masks, objects))
        if not self._shapes:
            raise FileNotFoundError(f"no shards under {folder}; run `groundproof-train scenes` first")
        share = np.array([len(s.objects) for s in self._shapes], dtype=float)
        self._share = share / share.sum()

    def __len__(self) -> int:
        return sum(len(s.objects) for s in self._shapes)

    def draw(
        self, rng: np.random.Generator, tokens: int, choose: Choose | None = None, candidates: int = 1
    ) -> Batch:
        """A batch of one random shape with about `tokens` merged vision tokens in all, randomly turned and flipped.

        With `choose`, `candidates` times as many are looked at (objects only, no pixels) and `choose` says which to
        keep.
        """
        shape = self._shapes[rng.choice(len(self._shapes), p=self._share)]
        width, height = shape.size
        size = max(1, round(tokens * CELL_PX**2 / (width * height)))
        picks = rng.integers(len(shape.objects), size=size * candidates)
        turn = bool(rng.integers(2))
        flips = rng.integers(2, size=(len(picks), 2)) > 0
        moved = [
            move_boxes(shape.objects[k], width, height, turn, fx, fy)
            for k, (fx, fy) in zip(picks, flips, strict=True)
        ]
        out_w, out_h = (height, width) if turn else (width, height)
        keep = np.arange(size) if choose is None else choose(moved, out_w, out_h)
        pixels = np.empty((len(keep), out_h, out_w, 3), dtype=np.uint8)
        masks = np.empty((len(keep), out_h // MASK_STEP, out_w // MASK_STEP), dtype=np.uint8)
        for row, i in enumerate(keep):
            shard, k = divmod(int(picks[i]), len(shape.images[0]))
            pixels[row] = move_pixels(shape.images[shard][k], turn, *flips[i])
            masks[row] = move_pixels(shape.masks[shard][k], turn, *flips[i])
        return Batch(pixels, tuple(moved[i] for i in keep), masks)

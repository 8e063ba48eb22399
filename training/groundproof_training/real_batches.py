"""Batches of real tiles among the procedural ones: what is known of them is learnt, the rest is left alone.

A tree point says that an object is there, and of which class, but not how large it is. A class that is certainly
absent must be found nowhere, on real ground with all its roofs, shadows and pools. Knows tiles and what is true of
them; refuses to know files (`real_data`) and sequences.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F

from groundproof_training.cells import CELL_PX, anchor_cells
from groundproof_training.dense import DenseConfig, DenseHeads, Targets, anchor_loss
from groundproof_training.real_data import RealImage, crops
from groundproof_training.scenes import CLASSES
from groundproof_training.shards import Batch, Objects
from groundproof_training.templates import Sample, Tile, permille_boxes
from groundproof_training.templates.listing import list_class

TILE_PX = 224
TASKS = ("count", "detect", "ground", "vqa")


class RealTiles:
    """Random tiles of the pictures that may be trained on; those held out are dropped."""

    def __init__(self, images: Sequence[RealImage]) -> None:
        self._images = [image for image in images if not image.held_out]
        if not self._images:
            raise ValueError("no real pictures to train on: all are held out, or the list is empty")

    def draw(self, rng: np.random.Generator, tokens: int) -> tuple[Batch, list[RealImage]]:
        """A batch of square tiles with about `tokens` vision tokens in all, and what is known of each."""
        size = max(1, round(tokens * CELL_PX**2 / TILE_PX**2))
        picks = rng.integers(len(self._images), size=size)
        tiles = [crops(rng, self._images[k], TILE_PX, TILE_PX) for k in picks]
        objects = tuple(
            Objects(tile.boxes, np.array([CLASSES.index(label) for label in tile.labels], dtype=np.int64))
            for tile in tiles
        )
        return Batch(np.stack([tile.image for tile in tiles]), objects), tiles


def real_sample(rng: np.random.Generator, known: RealImage) -> Sample:
    """A question about a class of which the tile is known to hold these objects, or none."""
    height, width = known.image.shape[:2]
    boxes = permille_boxes(known.boxes, width, height)
    cells = anchor_cells(known.boxes, width, height)
    tile = Tile(known.labels, tuple(boxes), tuple(int(c) for c in cells), aspect=width / height)
    unsized = set(known.point_labels)  # points cannot be listed as boxes
    boxed = [label for label in known.complete if label not in unsized and len(known.ignored) == 0]
    names = boxed if boxed and known.labels and rng.random() < 0.7 else [*known.absent]
    return list_class(rng, tile, str(rng.choice(TASKS)), str(rng.choice(names)))


def real_loss(
    heads: DenseHeads, tokens: torch.Tensor, batch: Batch, tiles: Sequence[RealImage], cfg: DenseConfig
) -> tuple[torch.Tensor, dict[str, float]]:
    """The dense loss as far as the truth goes. tokens: merged tokens (B, T, size).

    Boxes: as for procedural tiles. Points: objectness and class. Elsewhere, outside of ignored areas, only the
    classes whose every object is known are pushed down.
    """
    flat = tokens.flatten(0, 1)
    columns, n = batch.width // CELL_PX, tokens.shape[1]
    points, labels, pushed = [], [], torch.zeros(len(flat), len(CLASSES))
    for row, tile in enumerate(tiles):
        spots = np.concatenate([tile.points, tile.points], axis=-1) if len(tile.points) else np.zeros((0, 4))
        cells = anchor_cells(spots, batch.width, batch.height)
        points += [row * n + int(c) for c in cells]
        labels += [CLASSES.index(label) for label in tile.point_labels]
        known = [CLASSES.index(label) for label in {*tile.absent, *tile.complete}]
        area = torch.zeros(n, len(CLASSES))
        area[:, known] = 1
        area[cells] = 0
        for x0, y0, x1, y1 in np.concatenate([tile.boxes, tile.ignored]):
            over = np.ix_(
                range(int(y0 // CELL_PX), min(int(y1 // CELL_PX) + 1, batch.height // CELL_PX)),
                range(int(x0 // CELL_PX), min(int(x1 // CELL_PX) + 1, columns)),
            )
            area[(over[0] * columns + over[1]).ravel()] = 0
        pushed[row * n : (row + 1) * n] = area
    here = heads.objectness(flat).squeeze(-1)
    kinds = heads.label(flat).softmax(-1)
    wrong = here.sigmoid() * (kinds * pushed).sum(-1)
    loss = -torch.log1p(-wrong.clamp(max=0.999)).sum() / len(tiles)
    parts = {"real_wrong": wrong.detach().max().item()}
    if points:
        at = torch.tensor(points)
        loss = loss + F.softplus(-here[at]).mean()
        loss = loss + F.cross_entropy(heads.label(flat[at]), torch.tensor(labels))
    targets = Targets(batch)
    if len(targets.where):
        loss = loss + F.softplus(-here[targets.where]).mean()
        loss = loss + anchor_loss(heads, flat[targets.where], targets, cfg)[0]
    return loss, parts

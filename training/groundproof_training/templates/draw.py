"""Which question a tile gets: task, class, present or absent. The entry point of the templates.

A class with too many instances is never listed in part: another class is asked about instead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from groundproof_training.templates import asking, describing
from groundproof_training.templates.listing import list_class, list_unknown
from groundproof_training.templates.referring import refer
from groundproof_training.templates.tile import Box, Sample, Tile
from groundproof_training.templates.words import CLASS_WEIGHTS, WORDS

DEFAULT_WEIGHTS: dict[str, float] = {
    "count": 0.30,
    "detect": 0.25,
    "ground": 0.17,
    "vqa": 0.13,
    "classify": 0.04,
    "caption": 0.05,
    "grounded-caption": 0.03,
    "region-caption": 0.03,
}
"""Shares of the tasks of one image. Change needs two, see `make_change_sample`."""

TASKS = tuple(DEFAULT_WEIGHTS)

MOST = 24
"""Instances of one class that are still listed."""

REFER_SHARE = 0.6
"""Share of `ground` that asks with a picking phrase; the rest locates every instance."""

VQA_SHARES = {"exists": 0.5, "compare": 0.22, "extreme": 0.12, "here": 0.16}

_WHOLE_TILE: dict[str, Callable[[np.random.Generator, Tile], Sample | None]] = {
    "classify": describing.classify,
    "caption": describing.caption,
    "grounded-caption": describing.grounded_caption,
    "region-caption": describing.region_caption,
}


def choose(rng: np.random.Generator, names: Sequence[str], weights: Mapping[str, float]) -> str:
    """One name; those without a weight weigh 1."""
    share = np.array([weights.get(name, 1.0) for name in names], dtype=float)
    return names[int(rng.choice(len(names), p=share / share.sum()))]


def draw_class(rng: np.random.Generator, tile: Tile, absent: bool, most: int = MOST) -> str | None:
    """A class that is there, no more than `most` times, or one that is absent; the other where there is none.

    None where every class is there, and each more than `most` times.
    """
    counts = tile.counts()
    present = sorted(label for label, n in counts.items() if n <= most and label in WORDS)
    missing = [label for label in WORDS if label not in counts]
    names = (missing or present) if absent else (present or missing)
    return choose(rng, names, CLASS_WEIGHTS) if names else None


def make_sample(
    rng: np.random.Generator,
    labels: Sequence[str],
    boxes: Sequence[Box],
    anchors: Sequence[int],
    tasks: Mapping[str, float] | Sequence[str] | None = None,
    absent_share: float = 0.2,
    unknown_share: float = 0.04,
    scene_type: str | None = None,
    aspect: float = 1.0,
    most: int = MOST,
) -> Sample:
    """One question about a tile with these objects, and its completion.

    labels: class names. boxes: per-mille. anchors: the cell of each, which sets the order of evidence. tasks: their
    weights, or names with the default weights, None for all. absent_share, unknown_share: of questions about one
    class or thing. scene_type: None where unknown, then nothing is classified. aspect: width / height of the tile.
    A task that the tile gives no clear question for becomes a count. Raises ValueError for a task that is not in
    `TASKS`.
    """
    weights = _weights(tasks)
    tile = Tile(tuple(labels), tuple(boxes), tuple(int(a) for a in anchors), scene_type, aspect)
    if scene_type is None and len(weights) > 1:
        weights.pop("classify", None)
    task = choose(rng, list(weights), weights)
    if task in _WHOLE_TILE:
        made = _WHOLE_TILE[task](rng, tile)
        if made is not None:
            return made
        task = "count"
    draw = rng.random()
    if draw < unknown_share:
        return list_unknown(rng, tile, task)
    absent = draw < unknown_share + absent_share
    label = draw_class(rng, tile, absent, most)
    if label is None:
        return list_unknown(rng, tile, task)
    if task == "ground" and rng.random() < REFER_SHARE:
        return refer(rng, tile, label)
    if task == "vqa":
        kind = choose(rng, list(VQA_SHARES), VQA_SHARES)
        made = _ask(rng, tile, kind, label)
        if made is not None:
            return made
    return list_class(rng, tile, task, label)


def _ask(rng: np.random.Generator, tile: Tile, kind: str, label: str) -> Sample | None:
    if kind == "compare":
        return asking.ask_comparison(rng, tile, label)
    if kind == "extreme":
        return asking.ask_extreme(rng, tile)
    return asking.ask_here(rng, tile, label) if kind == "here" else None


def _weights(tasks: Mapping[str, float] | Sequence[str] | None) -> dict[str, float]:
    if tasks is None:
        return dict(DEFAULT_WEIGHTS)
    names = [str(task) for task in tasks]
    if unknown := [name for name in names if name not in DEFAULT_WEIGHTS]:
        raise ValueError(f"no template for the task {unknown[0]!r}; there are {', '.join(TASKS)}")
    if isinstance(tasks, Mapping):
        return {str(task): float(weight) for task, weight in tasks.items() if weight > 0}
    return {name: DEFAULT_WEIGHTS[name] for name in names}

"""The texts on which the tokenizer is trained: random samples of every task, and every noun as a text of its own."""

from __future__ import annotations

import numpy as np

from groundproof_training.templates.changing import KINDS, make_change_sample
from groundproof_training.templates.draw import TASKS, make_sample
from groundproof_training.templates.tile import Sample
from groundproof_training.templates.wordings import QUESTIONS
from groundproof_training.templates.words import (
    PLACE_PHRASES,
    PLACE_SYNONYMS,
    UNKNOWN,
    WORDS,
    scene_words,
)

SIDE = 8
"""Cells along each side of the tiles that samples are made up from."""

NOUNS_EVERY = 40
"""After so many samples the nouns come once more: they must become one or two tokens."""


def known_scene_types() -> tuple[str, ...]:
    """The generator's scene types."""
    from groundproof_training.scenes import SCENE_TYPES

    return SCENE_TYPES


def random_tile(
    rng: np.random.Generator, n: int, classes: int = 4
) -> tuple[list[str], list[tuple[int, int, int, int]], list[int]]:
    """Labels, per-mille boxes and anchors of a made-up tile with n different objects."""
    names = list(WORDS)
    share = [names[i] for i in rng.permutation(len(names))[:classes]]
    labels = [share[i] for i in rng.integers(len(share), size=n)]
    boxes = []
    for x, y, w, h in zip(*rng.integers(0, 960, (2, n)), *rng.integers(20, 220, (2, n)), strict=True):
        boxes.append((int(x), int(y), int(min(999, x + w)), int(min(999, y + h))))
    cells = [int((b[1] + b[3]) * SIDE / 2000) * SIDE + int((b[0] + b[2]) * SIDE / 2000) for b in boxes]
    return labels, boxes, cells


def random_sample(rng: np.random.Generator, task: str | None = None, **settings: float) -> Sample:
    """A sample of a made-up tile or pair; of one task where it is given."""
    types = known_scene_types()
    n = int(rng.integers(0, 7)) if rng.random() < 0.8 else int(rng.integers(7, 20))
    labels, boxes, cells = random_tile(rng, n, int(rng.integers(1, 5)))
    if task == "change" or (task is None and rng.random() < 0.03):
        kinds = [KINDS[int(k)] for k in rng.integers(2, size=n)]
        return make_change_sample(rng, kinds, labels, boxes, cells)
    scene_type = types[int(rng.integers(len(types)))] if rng.random() < 0.9 else None
    tasks = TASKS if task is None else (task,)
    return make_sample(rng, labels, boxes, cells, tasks, scene_type=scene_type, **settings)


def nouns() -> list[str]:
    """Every noun, place, scene type and question wording, with and without a word in front."""
    words = [word for wordings in WORDS.values() for pair in wordings for word in pair]
    types = [text for name in known_scene_types() for text in (name, scene_words(name), name.capitalize())]
    places = [*PLACE_PHRASES, *PLACE_PHRASES.values(), *(p for ps in PLACE_SYNONYMS.values() for p in ps)]
    single = [*words, *types, *places]
    wordings = [text for texts in QUESTIONS.values() for text in texts]
    return [*single, *(f"the {text}" for text in single), *wordings, " ".join(UNKNOWN)]


def corpus(n: int = 4000) -> list[str]:
    """Texts on which the tokenizer is trained: n samples, and the nouns again and again."""
    rng = np.random.default_rng(0)
    texts, again = [], nouns()
    for k in range(n):
        if k % NOUNS_EVERY == 0:
            texts += again
        sample = random_sample(rng, unknown_share=0.2)
        texts.append(sample.prompt + "\n" + sample.completion)
    return texts

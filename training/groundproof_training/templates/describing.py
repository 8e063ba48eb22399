"""Classify, caption, grounded caption, region caption: what a tile or a part of it shows, in a sentence or two."""

from __future__ import annotations

import numpy as np

from groundproof.labels import plural, with_article
from groundproof.protocol.grammar import format_box
from groundproof.wording import amount, amounts, e_list, joined
from groundproof_training.templates.tile import PER_MILLE, Box, Sample, Tile, compose, model_box, pick
from groundproof_training.templates.wordings import (
    CAPTION,
    CAPTION_PLANS,
    CLASSIFY,
    CLASSIFY_PLANS,
    GROUNDED_CAPTION,
    REGION,
    REGION_PLANS,
)
from groundproof_training.templates.words import CLASS_WEIGHTS, DECIDES, PLACE_PHRASES, scene_words

DECIDING = 4
"""Objects that show a scene type, at most."""

NAMED = 3
"""Classes that one description names, at most."""

CAPTION_ITEMS, GROUNDED_ITEMS, REGION_ITEMS = 16, 10, 8
"""Evidence of one description, at most."""


def things(counts: list[tuple[str, int]]) -> str:
    """ "2 ships and a storage tank"."""
    return joined([with_article(label) if n == 1 else amount(n, label) for label, n in counts])


def capital(sentence: str) -> str:
    """The sentence with its first letter large."""
    return sentence[:1].upper() + sentence[1:]


def classify(rng: np.random.Generator, tile: Tile) -> Sample | None:
    """The scene type; None where it is not known."""
    if tile.scene_type is None:
        return None
    counts = tile.counts()
    telling = [label for label in DECIDES.get(tile.scene_type, ()) if counts[label]]
    label = telling[0] if telling else max(sorted(counts), key=lambda name: counts[name], default="")
    listed = tile.of(label)[:DECIDING]
    if listed:
        names = e_list(f"E{n}" for n in range(1, len(listed) + 1))
        synthesis = f"{names} {'shows' if len(listed) == 1 else 'show'} {scene_words(tile.scene_type)}."
    else:
        synthesis = f"The ground shows {scene_words(tile.scene_type)}."
    return compose(
        tile, "classify", pick(rng, CLASSIFY), pick(rng, CLASSIFY_PLANS), listed, synthesis, tile.scene_type
    )


def named_classes(tile: Tile, items: int) -> list[tuple[str, int]]:
    """The classes a description names, with their counts: what matters most first, whole classes only."""
    counts = tile.counts()
    order = sorted(counts, key=lambda name: (-CLASS_WEIGHTS.get(name, 1.0), -counts[name], name))
    named: list[tuple[str, int]] = []
    for label in order:
        if len(named) < NAMED and sum(n for _, n in named) + counts[label] <= items:
            named.append((label, counts[label]))
    return named


def caption(rng: np.random.Generator, tile: Tile) -> Sample | None:
    """One or two sentences; None where every class is too numerous to list."""
    named = named_classes(tile, CAPTION_ITEMS)
    if tile.labels and not named:
        return None
    listed = tile.of(*(label for label, _ in named))
    scene = scene_words(tile.scene_type) if tile.scene_type else ""
    if named and scene:
        wording = pick(rng, ("{scene} with {things}.", "{things} at {scene}.", "{scene} with {things}."))
    elif named:
        wording = pick(rng, ("{things}.", "The image shows {things}."))
    else:
        wording = "{scene} without objects." if scene else "No object."
    answer = capital(wording.format(scene=scene, things=things(named)))
    where = _where(tile, named)
    if where and rng.random() < 0.6:
        answer = f"{answer} {where}"
    synthesis = f"{amounts(named)}." if named else "Nothing stands out."
    return compose(tile, "caption", pick(rng, CAPTION), pick(rng, CAPTION_PLANS), listed, synthesis, answer)


def _where(tile: Tile, named: list[tuple[str, int]]) -> str:
    """ "The ships lie in the upper left." of the first named class that lies in one place; "" without one."""
    for label, n in named:
        places = {tile.place(k) for k in tile.of(label)}
        if len(places) == 1:
            who = f"The {label if n == 1 else plural(label)} {'lies' if n == 1 else 'lie'}"
            return f"{who} {PLACE_PHRASES[places.pop()]}."
    return ""


def grounded_caption(rng: np.random.Generator, tile: Tile) -> Sample | None:
    """A description with the boxes of each named object right behind its name."""
    named = named_classes(tile, GROUNDED_ITEMS)
    if tile.labels and not named:
        return None
    parts, repeated = [], []
    for label, n in named:
        mine = tile.of(label)
        boxes = ",".join(format_box(model_box(tile.boxes[k]), PER_MILLE) for k in mine)
        parts.append(f"{with_article(label) if n == 1 else amount(n, label)} {boxes}")
        repeated += mine
    scene = scene_words(tile.scene_type) if tile.scene_type else ""
    if parts:
        answer = capital(joined(parts)) + (f" at {scene}." if scene else ".")
    else:
        answer = capital(f"{scene} without objects.") if scene else "No object."
    synthesis = f"{amounts(named)}." if named else "Nothing stands out."
    return compose(
        tile, "grounded-caption", pick(rng, GROUNDED_CAPTION), pick(rng, CAPTION_PLANS),
        tile.of(*(label for label, _ in named)), synthesis, answer, repeated=repeated,
    )  # fmt: skip


def region_caption(rng: np.random.Generator, tile: Tile) -> Sample | None:
    """What lies in a box that the question gives; None where no clear box was drawn."""
    for _ in range(12):
        box = _draw_region(rng, tile)
        inside = _inside(tile, box)
        if inside is not None and len(inside) <= REGION_ITEMS:
            return _describe_region(rng, tile, box, inside)
    return None


def _draw_region(rng: np.random.Generator, tile: Tile) -> Box:
    if tile.boxes and rng.random() < 0.8:
        x0, y0, x1, y1 = tile.boxes[int(rng.integers(len(tile.boxes)))]
        left, top, right, bottom = rng.uniform(0, 0.15, 4)
        w, h = x1 - x0, y1 - y0
        made = (x0 - left * w, y0 - top * h, x1 + right * w, y1 + bottom * h)
    else:
        w, h = rng.uniform(120, 520, 2)
        x0, y0 = rng.uniform(0, 999 - w), rng.uniform(0, 999 - h)
        made = (x0, y0, x0 + w, y0 + h)
    low, high = np.clip(np.round(made[:2]), 0, 998), np.clip(np.round(made[2:]), 1, 999)
    return int(low[0]), int(low[1]), int(max(high[0], low[0] + 1)), int(max(high[1], low[1] + 1))


def _inside(tile: Tile, region: Box) -> list[int] | None:
    """Objects in the region, in order; None where one is neither clearly in nor clearly out."""
    rx0, ry0, rx1, ry1 = region
    size = (rx1 - rx0) * (ry1 - ry0)
    inside = []
    for k, (x0, y0, x1, y1) in enumerate(tile.boxes):
        shared = max(0, min(x1, rx1) - max(x0, rx0)) * max(0, min(y1, ry1) - max(y0, ry0))
        share = shared / max(1, (x1 - x0) * (y1 - y0))
        if share >= 0.75:
            inside.append(k)
        elif share > 0.15 or shared > 0.3 * size:
            return None
    return tile.order(inside)


def _describe_region(rng: np.random.Generator, tile: Tile, box: Box, listed: list[int]) -> Sample:
    counts: dict[str, int] = {}
    for k in listed:
        counts[tile.labels[k]] = counts.get(tile.labels[k], 0) + 1
    named = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    question = pick(rng, REGION).format(box=format_box(model_box(box), PER_MILLE))
    answer = f"{capital(things(named))}." if named else "No object."
    synthesis = f"{amounts(named)} in the box." if named else "The box is empty."
    return compose(tile, "region-caption", question, pick(rng, REGION_PLANS), listed, synthesis, answer)

"""Ground with a phrase that picks: "the largest ship", "the tree nearest to the building", "the tanks on the left"."""

from __future__ import annotations

import numpy as np

from groundproof.labels import plural
from groundproof.wording import e_list
from groundproof_training.templates.listing import boxes_answer, list_class, noun
from groundproof_training.templates.relations import (
    EXTREMES,
    SIDES,
    clearly_placed,
    extreme,
    nearest,
    on_side,
)
from groundproof_training.templates.tile import Sample, Tile, compose, pick
from groundproof_training.templates.wordings import REFER, REFER_MANY, REFER_PLANS
from groundproof_training.templates.words import PLACE_PHRASES, PLACE_SYNONYMS

AT_MOST = 8
"""Targets of one phrase; a longer list is for "locate every"."""


def refer(rng: np.random.Generator, tile: Tile, label: str) -> Sample:
    """A phrase about objects of `label` that is clear in this tile; "locate every" where none is."""
    if label not in tile.labels:
        which, (one, _) = pick(rng, EXTREMES), noun(rng, label)
        return _write(rng, tile, label, f"the {which} {one}", f"the {which} {label}", [])
    kinds = [(_nearest, _extreme, _in_place, _beside)[int(k)] for k in rng.permutation(4)]
    if len(tile.of(label)) == 1:
        # The only ship is the largest and the leftmost too: true, and of little use to learn from.
        kinds.sort(key=lambda kind: kind is _extreme)
    for kind in kinds:
        made = kind(rng, tile, label)
        if made is not None:
            return made
    return list_class(rng, tile, "ground", label)


def _extreme(rng: np.random.Generator, tile: Tile, label: str) -> Sample | None:
    mine = tile.of(label)
    clear = [(w, k) for w in EXTREMES if (k := extreme(tile, mine, w)) is not None]
    if not clear:
        return None
    which, k = clear[int(rng.integers(len(clear)))]
    one, _ = noun(rng, label)
    which = "biggest" if which == "largest" and rng.random() < 0.2 else which
    return _write(rng, tile, label, f"the {which} {one}", f"the {which} {label}", [k])


def _nearest(rng: np.random.Generator, tile: Tile, label: str) -> Sample | None:
    mine, counts = tile.of(label), tile.counts()
    others = [other for other, n in counts.items() if n == 1 and other != label]
    rng.shuffle(others)
    for other in others:
        k = nearest(tile, mine, tile.of(other)[0])
        if k is not None:
            (one, _), (that, _) = noun(rng, label), noun(rng, other)
            near = "closest" if rng.random() < 0.3 else "nearest"
            phrase = f"the {one} {near} to the {that}"
            return _write(rng, tile, label, phrase, f"the {label} nearest to the {other}", [k])
    return None


def _in_place(rng: np.random.Generator, tile: Tile, label: str) -> Sample | None:
    mine = tile.of(label)
    if not mine or not all(clearly_placed(tile, k) for k in mine):
        return None
    present = sorted({tile.place(k) for k in mine})
    where = pick(rng, present) if rng.random() < 0.85 else pick(rng, list(PLACE_PHRASES))
    listed = [k for k in mine if tile.place(k) == where]
    if len(listed) > AT_MOST:
        return None
    one, many = noun(rng, label)
    here, several = pick(rng, PLACE_SYNONYMS[where]), len(listed) > 1
    phrase = f"the {many if several else one} {here}"
    if " " in where and rng.random() < 0.4:
        phrase = f"the {where} {many if several else one}"
    said = f"{plural(label) if several else label} {PLACE_PHRASES[where]}"
    return _write(rng, tile, label, phrase, f"the {said}", listed, f"{label} {PLACE_PHRASES[where]}")


def _beside(rng: np.random.Generator, tile: Tile, label: str) -> Sample | None:
    mine, counts = tile.of(label), tile.counts()
    others = [other for other, n in counts.items() if n == 1 and other != label]
    if not others or not mine:
        return None
    other, side = pick(rng, others), pick(rng, SIDES)
    listed = on_side(tile, mine, side, tile.of(other)[0])
    if listed is None or len(listed) > AT_MOST or (not listed and rng.random() < 0.7):
        return None
    (one, many), (that, _) = noun(rng, label), noun(rng, other)
    several = len(listed) > 1
    phrase = f"the {many if several else one} {side} the {that}"
    said = f"{plural(label) if several else label} {side} the {other}"
    return _write(rng, tile, label, phrase, f"the {said}", tile.order(listed), f"{label} {side} the {other}")


def _write(
    rng: np.random.Generator,
    tile: Tile,
    label: str,
    phrase: str,
    said: str,
    listed: list[int],
    absent: str = "",
) -> Sample:
    """phrase: as the question says it; said: in the answer's own names."""
    question = pick(rng, REFER_MANY if len(listed) > 1 else REFER).format(phrase=phrase)
    plan = pick(rng, REFER_PLANS).format(phrase=said, many=plural(label))
    if listed:
        verb = "is" if len(listed) == 1 else "are"
        synthesis = f"{e_list(f'E{n}' for n in range(1, len(listed) + 1))} {verb} {said}."
    else:
        synthesis = "Nothing fits."
    return compose(
        tile, "ground", question, plan, listed, synthesis, boxes_answer(tile, listed),
        label=label, absent=[absent or label], repeated=listed,
    )  # fmt: skip

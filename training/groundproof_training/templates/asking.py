"""Visual questions beyond "is there any": comparisons, the largest object, presence in a part of the tile."""

from __future__ import annotations

import numpy as np

from groundproof.labels import plural
from groundproof.wording import amount, amounts
from groundproof_training.templates.listing import noun, with_right_article
from groundproof_training.templates.relations import clearly_placed, extreme
from groundproof_training.templates.tile import Sample, Tile, compose, pick
from groundproof_training.templates.wordings import (
    COMMON,
    COMPARE,
    COMPARE_PLANS,
    EXISTS_HERE,
    EXTREME,
    EXTREME_PLANS,
    PLANS,
)
from groundproof_training.templates.words import PLACE_PHRASES, PLACE_SYNONYMS, WORDS

AT_MOST = 16
"""Evidence of a question about several classes."""


def ask_comparison(rng: np.random.Generator, tile: Tile, label: str) -> Sample | None:
    """ "Are there more A than B?" (yes or no) or "Which is more common?" (the name); None where lists grow long."""
    counts = tile.counts()
    present = [name for name in counts if name != label]
    other = pick(rng, present if present and rng.random() < 0.75 else [n for n in WORDS if n != label])
    listed = tile.of(label, other)
    if len(listed) > AT_MOST:
        return None
    first, second = (label, other) if rng.random() < 0.5 else (other, label)
    a, b = noun(rng, first)[1], noun(rng, second)[1]
    n, m = counts[first], counts[second]
    if n != m and rng.random() < 0.4:
        question, answer = pick(rng, COMMON), plural(first if n > m else second)
    else:
        question, answer = pick(rng, COMPARE), "yes" if n > m else "no"
    plan = pick(rng, COMPARE_PLANS).format(a=plural(first), b=plural(second))
    synthesis = f"{amounts([(first, n), (second, m)])}." if listed else "Nothing fits."
    return compose(
        tile, "vqa", question.format(a=a, b=b), plan, listed, synthesis, answer, absent=[first, second]
    )


def ask_extreme(rng: np.random.Generator, tile: Tile) -> Sample | None:
    """ "What is the largest object?"; None where that is not clear."""
    which = "largest" if rng.random() < 0.7 else "smallest"
    k = extreme(tile, range(len(tile.labels)), which)
    if k is None:
        return None
    label = tile.labels[k]
    question = pick(rng, EXTREME).format(most=which)
    plan = pick(rng, EXTREME_PLANS).format(most=which)
    return compose(tile, "vqa", question, plan, [k], f"E1 is the {which} object.", label)


def ask_here(rng: np.random.Generator, tile: Tile, label: str) -> Sample | None:
    """ "Is there an airplane in the upper left?"; None where an object lies on the line between two parts."""
    mine = tile.of(label)
    if not all(clearly_placed(tile, k) for k in mine):
        return None
    present = sorted({tile.place(k) for k in mine})
    where = pick(rng, present) if present and rng.random() < 0.55 else pick(rng, list(PLACE_PHRASES))
    listed = [k for k in mine if tile.place(k) == where]
    one, many = noun(rng, label)
    here = PLACE_PHRASES[where]
    question = pick(rng, EXISTS_HERE).format(one=one, many=many, here=pick(rng, PLACE_SYNONYMS[where]))
    plan = f"{pick(rng, PLANS).format(many=plural(label))[:-1]} {here}."
    if len(plan.split()) > 12:
        plan = f"Look for {plural(label)} {here}."
    synthesis = f"{amount(len(listed), label)} {here}." if listed else "Nothing fits."
    return compose(
        tile, "vqa", with_right_article(question), plan, listed, synthesis, "yes" if listed else "no",
        label=label, absent=[f"{label} {here}"],
    )  # fmt: skip

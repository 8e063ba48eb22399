"""Count, detect, locate every, and "is there any": one class or thing, all of its objects listed."""

from __future__ import annotations

import numpy as np

from groundproof.boxes import ModelBox
from groundproof.labels import plural, with_article
from groundproof.protocol.grammar import count_synthesis, detect_answer
from groundproof.wording import amount
from groundproof_training.templates.tile import PER_MILLE, Sample, Tile, compose, findings, model_box, pick
from groundproof_training.templates.wordings import COUNT, DETECT, EXISTS, GROUND, PLACES, PLANS
from groundproof_training.templates.words import UNKNOWN, WORDS

LISTING = {"count": COUNT, "detect": DETECT, "ground": GROUND, "vqa": EXISTS}


def noun(rng: np.random.Generator, label: str) -> tuple[str, str]:
    """Singular and plural of one wording of a class; half of the time its own name."""
    wordings = WORDS[label]
    return wordings[0 if rng.random() < 0.5 else int(rng.integers(len(wordings)))]


def place(rng: np.random.Generator, label: str = "") -> str:
    """A place for a question; never a harbour in the harbour."""
    words = pick(rng, PLACES)
    return "" if label and label in words else words


def boxes_answer(tile: Tile, listed: list[int]) -> str:
    """`[[x0,y0,x1,y1],...]`."""
    frames: list[ModelBox] = [model_box(tile.boxes[k]) for k in listed]
    return detect_answer(frames, PER_MILLE)


def list_class(rng: np.random.Generator, tile: Tile, task: str, label: str) -> Sample:
    """Every object of a known class, present or not."""
    one, many = noun(rng, label)
    question = pick(rng, LISTING[task]).format(one=one, many=many, place=place(rng, label))
    return _listed(rng, tile, task, with_right_article(question), tile.of(label), label)


def list_unknown(rng: np.random.Generator, tile: Tile, task: str) -> Sample:
    """Something that was never learnt: nothing is found, and the answer does not repeat its name, because a small
    model cannot spell words it has not seen."""
    one = pick(rng, UNKNOWN)
    question = pick(rng, LISTING[task]).format(one=one, many=plural(one), place=place(rng))
    return _listed(rng, tile, task, with_right_article(question), [], None)


def _listed(
    rng: np.random.Generator, tile: Tile, task: str, question: str, listed: list[int], label: str | None
) -> Sample:
    many = plural(label) if label else "anything that fits"
    found = findings(tile, listed)
    if task == "count":
        answer, synthesis = str(len(listed)), count_synthesis(found)
    elif task == "vqa":
        answer = "yes" if listed else "no"
        synthesis = f"{amount(len(listed), label or '')} in all." if listed else "Nothing fits."
    else:
        answer, synthesis = boxes_answer(tile, listed), count_synthesis(found)
        if listed and rng.random() < 0.3:
            synthesis = f"{amount(len(listed), label or '')} in all."
    repeated = listed if task in ("detect", "ground") else []
    plan = pick(rng, PLANS).format(many=many)
    return compose(
        tile, task, question, plan, listed, synthesis, answer,
        label=label or "", absent=[label or "match"], repeated=repeated,
    )  # fmt: skip


def with_right_article(question: str) -> str:
    """ "Is there a airplane" -> "Is there an airplane"."""
    for lead in ("there a ", "Is a "):
        head, found, tail = question.partition(lead)
        if found:
            return head + lead[:-2] + with_article(tail)
    return question

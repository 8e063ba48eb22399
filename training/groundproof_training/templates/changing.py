"""Change between two images of one place. The evidence says in which image a box lies: "left of image 2".

What disappeared is shown in image 1, what appeared in image 2; evidence of image 1 comes first.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from groundproof.protocol.grammar import Finding, detect_answer, evidence_text, format_trace
from groundproof.wording import amount, joined
from groundproof_training.templates.listing import noun
from groundproof_training.templates.tile import PER_MILLE, Box, Sample, Tile, model_box, pick, write_prompt
from groundproof_training.templates.wordings import (
    ANY_CHANGE,
    CHANGE_COUNT,
    CHANGE_FIND,
    CHANGE_PLANS,
    CHANGED,
)
from groundproof_training.templates.words import WORDS

KINDS = ("appeared", "disappeared")


def make_change_sample(
    rng: np.random.Generator,
    kinds: Sequence[str],
    labels: Sequence[str],
    boxes: Sequence[Box],
    anchors: Sequence[int],
) -> Sample:
    """One question about two images, from what changed.

    kinds: "appeared" or "disappeared", of each change; labels, boxes (per-mille), anchors: of the object, in the
    image where it is to be seen. Raises ValueError for another kind.
    """
    if wrong := sorted(set(kinds) - set(KINDS)):
        raise ValueError(f"a change is one of {KINDS}, got {wrong}")
    tile = Tile(tuple(labels), tuple(boxes), tuple(int(a) for a in anchors))
    form = rng.random()
    if form < 0.35:
        return _write(rng, tile, kinds, pick(rng, CHANGED), range(len(kinds)), "what")
    if form < 0.5:
        return _write(rng, tile, kinds, pick(rng, ANY_CHANGE), range(len(kinds)), "any")
    kind = KINDS[int(rng.random() < 0.35)]
    names = sorted({label for label, which in zip(labels, kinds, strict=True) if which == kind})
    label = pick(rng, names if names and rng.random() < 0.8 else list(WORDS))
    picked = [k for k in range(len(kinds)) if kinds[k] == kind and labels[k] == label]
    one, many = noun(rng, label)
    wordings = CHANGE_COUNT if form < 0.8 else CHANGE_FIND
    question = pick(rng, wordings[kind]).format(one=one, many=many)
    return _write(rng, tile, kinds, question, picked, "count" if form < 0.8 else "find", label, kind)


def _write(
    rng: np.random.Generator,
    tile: Tile,
    kinds: Sequence[str],
    question: str,
    picked: Sequence[int],
    form: str,
    label: str = "",
    kind: str = "",
) -> Sample:
    image = [int(kind == "appeared") for kind in kinds]
    listed = sorted(tile.order(picked), key=lambda k: image[k])
    frames = [model_box(tile.boxes[k]) for k in listed]
    found = [
        Finding(tile.labels[k], box, f"{tile.place(k)} of image {image[k] + 1}")
        for k, box in zip(listed, frames, strict=True)
    ]
    said = changes_said(tile, kinds, listed, f"No {label} {kind}." if label else "Nothing changed.")
    if form == "what":
        answer = said
    elif form == "any":
        answer = "yes" if listed else "no"
    elif form == "count":
        answer = str(len(listed))
    else:
        boxes = detect_answer(frames, PER_MILLE)
        answer = f"image {image[listed[0]] + 1}: {boxes}" if listed else boxes
    missing = "change" if not label else f"changed {label}"
    evidence = evidence_text(found, PER_MILLE, [missing])
    repeated = listed if form == "find" else []
    return Sample(
        task="change",
        prompt=write_prompt("change", question),
        completion=format_trace(pick(rng, CHANGE_PLANS), evidence, said, answer),
        answer=answer,
        label=label,
        boxes=tuple(tile.boxes[k] for k in listed),
        labels=tuple(tile.labels[k] for k in listed),
        anchors=tuple(tile.anchors[k] for k in listed),
        objects=tuple(listed),
        answer_boxes=tuple(tile.boxes[k] for k in repeated),
        answer_anchors=tuple(tile.anchors[k] for k in repeated),
        images=tuple(image[k] for k in listed),
        n_images=2,
    )


def changes_said(tile: Tile, kinds: Sequence[str], listed: Sequence[int], nothing: str) -> str:
    """ "2 ships appeared, 1 vehicle disappeared."; `nothing` where nothing is listed."""
    parts = []
    for kind in KINDS:
        names = [tile.labels[k] for k in listed if kinds[k] == kind]
        counted = [amount(names.count(label), label) for label in dict.fromkeys(sorted(names))]
        if counted:
            parts.append(f"{joined(counted)} {kind}")
    return f"{', '.join(parts)}." if parts else nothing

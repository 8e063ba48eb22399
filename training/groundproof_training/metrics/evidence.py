"""Figures of a rationale: does its evidence exist, does the answer follow from it, does each claim have its box.

Knows overlaps, counts and sentences. Refuses to know models. Evidence precision, recall and F1 are
`metrics.detection.found` of evidence boxes against true ones.
"""

from __future__ import annotations

import re

import numpy as np

from groundproof.trace.claims import says_none
from groundproof.trace.prose import BOUNDARY, HAS_LETTER
from groundproof_training.metrics.boxes import Floats
from groundproof_training.metrics.detection import found

SAME_IOU = 0.5
"""From here an answer's box is the evidence's, as in the engine's audit."""

_NUMBERS = re.compile(r"[\[({][^\])}]*\d[^\])}]*[\])}]")
_E_NUMBER = re.compile(r"^\W*[Ee]\s?\d{1,5}\b")


def count_agrees(stated: int | None, evidence: int) -> float:
    """1 where the number the answer states is the number of evidence boxes, else 0; unreadable: 0."""
    return float(stated == evidence)


def presence_agrees(stated: bool | None, evidence: int) -> float:
    """1 where yes comes with evidence and no without any, else 0; unreadable: 0."""
    return float(stated is not None and stated == (evidence > 0))


def boxes_agree(overlap: Floats, threshold: float = SAME_IOU) -> float:
    """F1 of the answer's boxes against the evidence's; overlap: (answers, evidence). Neither has any: 1."""
    return found(overlap, threshold, optimal=True).f1


def coverage(overlap: Floats, threshold: float = SAME_IOU) -> float:
    """Share of the answer's boxes that some evidence box backs; overlap: (answers, evidence). No answer box: 1."""
    if not len(overlap):
        return 1.0
    if not overlap.shape[1]:
        return 0.0
    return float((overlap.max(axis=1) >= threshold).mean())


def worded(names: tuple[str, ...]) -> float:
    """Share of evidence boxes whose sentence names what they are; names: as written, "" for none. No box: 1."""
    return float(np.mean([bool(name) for name in names])) if names else 1.0


def boxed(section: str) -> float:
    """Share of the evidence section's sentences that have a box; one that says that something is not there needs
    none and is left out. No sentence: 1."""
    with_box = without = 0
    for sentence in BOUNDARY.split(section):
        words = _E_NUMBER.sub("", sentence)
        if _NUMBERS.search(words):
            with_box += 1
        elif HAS_LETTER.search(words) and not says_none(words):
            without += 1
    return with_box / (with_box + without) if with_box + without else 1.0

"""What may be said not to be there, where a sample has no box to cite. Knows a sample's truth; refuses to guess."""

from __future__ import annotations

import re

from groundproof.label_tables import ADJECTIVES
from groundproof.protocol import Task
from groundproof_training.rationales.words import is_class
from groundproof_training.samples import Sample, class_name, same_class

_PARTICULAR = re.compile(
    r"\b(?:left|right|upper|lower|top|bottom|cent(?:re|er)|middle|corner|edge|north\w*|south\w*|east\w*|west\w*|near|"
    r"next|beside|above|below|between|behind|around|along|inside|within|nearest|"
    r"closest|same|that|which|with|on the|at the|of the)\b",
    re.IGNORECASE,
)
"""Words of questions about some objects of a class, not about the class."""

_PLAIN = re.compile(
    r"\b(?:please|locate|find|detect|show|mark|point|out|at|me|where|is|are|there|give|identify|all|every|each|any|the|an?|"
    r"largest|smallest|biggest|longest|[a-z]+most|in|this|image|picture|scene|tile|photo|here|bounding|box(?:es)?|of|locations?)\b|[^\w\s-]",
    re.IGNORECASE,
)
"""What a question says beside the class where no object of the class is the only reason for no answer: of any two
ships one is the largest."""


def absent_words(sample: Sample) -> str:
    """The words behind "No" in the evidence of a sample without boxes; "" where nothing of the kind is known.

    Where a phrase points at nothing, others of its class may well be there; where all are difficult, some are.
    """
    names = " or ".join(dict.fromkeys(class_name(name) for name in sample.asked))
    if sample.counted or not sample.complete:
        return ""
    if sample.task is Task.CHANGE:
        return f"changed {names}" if names else "change"
    if sample.task is Task.GROUND and not _asks_for_all(sample):
        return f"{names or 'object'} that fits"
    if not names:
        return ""
    if sample.task is Task.VQA and _PARTICULAR.search(sample.question):
        return f"{names} that fits"
    if any(box.ignore and same_class(name, box.label) for name in sample.asked for box in sample.boxes):
        return f"clear {names}"
    return names


def _asks_for_all(sample: Sample) -> bool:
    """ "Locate every ship" asks for a class; "the red ship" points."""
    left = " ".join(_PLAIN.sub(" ", sample.question).split())
    if left.casefold().partition(" ")[0] in ADJECTIVES and left.casefold() not in sample.asked:
        return False
    return any(is_class(left, name) for name in sample.asked)


def all_of_class(sample: Sample) -> str:
    """What `completion_of` says by itself where a rationale does not say what is absent."""
    return " or ".join(sample.asked) if sample.complete else ""

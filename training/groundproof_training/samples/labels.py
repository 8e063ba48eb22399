"""Class names of datasets, as words. Knows the engine's label words; refuses to know any dataset."""

from __future__ import annotations

import re

from groundproof.labels import normalise, singular


def class_name(raw: str) -> str:
    """A dataset's spelling as plain words: "small-vehicle" -> "small vehicle", "BareLand" -> "bare land",
    "T junction" -> "t junction". What tells classes apart is kept, unlike in `normalise`."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", raw)
    return " ".join(re.sub(r"[-_/]", " ", words).casefold().split())


def same_class(said: str, true: str) -> bool:
    """Whether a model's words mean the true class: the same words, the last in singular or plural, or the same noun
    where at most one of the two carries an adjective. "Plane" is "airplane", "vehicle" is "small vehicle"; "large
    vehicle" is not."""
    ours, theirs = class_name(said), class_name(true)
    if ours == theirs or _one_of(ours) == _one_of(theirs):
        return True
    noun = normalise(said)
    if not noun or noun != normalise(true):
        return False
    length = len(noun.split())
    return len(ours.split()) <= length or len(theirs.split()) <= length


def _one_of(name: str) -> tuple[str, ...]:
    words = name.split()
    return (*words[:-1], *map(singular, words[-1:]))

"""Scene classes: which ones an answer names, and how they compare with the true ones.

Knows words, and our own table of super-categories (`class_groups`). Refuses to know datasets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from groundproof.label_tables import SYNONYMS, words
from groundproof_training.metrics.text import words_of
from groundproof_training.samples.labels import class_name

SetMeasure = Callable[[Collection[str], Collection[str]], float]
"""Of the said and the true classes of one case."""

_DIVIDER = re.compile(r"\s*[,;|/\n]\s*(?:and\s+|or\s+)?|\s+(?:and|or)\s+", re.IGNORECASE)
_FILLER = words(
    "and or this is it the of scene image class category shows show land use cover belongs to type area region zone "
    "are present include contain in picture satellite aerial following there"
)
_DENIAL = frozenset(("no", "not", "neither", "nor", "without"))
_EDGES = " \t\n.!\"'`*"


def key_of(name: str) -> str:
    """One spelling of a class: "StorageTanks", "storage_tank" and "oil tanks" are one; "dense residential" and
    "residential" are two."""
    return " ".join(words_of(class_name(name)))


@dataclass(frozen=True, slots=True)
class Named:
    """The classes an answer names, as keys, in order, each once. other: words that are no class of the list."""

    classes: tuple[str, ...]
    other: tuple[str, ...] = ()

    @property
    def number(self) -> int:
        """How many things were named, known or not."""
        return len(self.classes) + len(self.other)


@lru_cache(maxsize=4096)
def read_classes(text: str, choices: tuple[str, ...] = ()) -> Named:
    """The classes an answer names. choices: the closed list, whose names may hold commas and "and" (BigEarthNet's
    do); the longest name that fits is taken. Without a list, what commas, "and" and "or" divide.

    Where the answer names a choice, words around it that only lead up to it ("The scene is a") are nothing; other
    words stay as one `other` for each part.
    """
    plain = text.strip(_EDGES)[:4000]
    if not choices:
        return Named(_unique(key_of(part) for part in _DIVIDER.split(plain) if part.strip(_EDGES)))
    spoken = words_of(class_name(plain))
    keys = {key_of(one) for one in choices} - {""}
    longest = max((len(key.split()) for key in keys), default=1)
    found: list[str] = []
    other: list[list[str]] = [[]]
    at = 0
    while at < len(spoken):
        spans = ((n, " ".join(spoken[at : at + n])) for n in range(longest + 2, 0, -1))
        key, n = next(((k, n) for n, span in spans if (k := SYNONYMS.get(span, span)) in keys), ("", 1))
        if key and at and spoken[at - 1] in _DENIAL:
            other[-1].append(key)  # "no forest" names no class of the scene
        elif key:
            found.append(key)
            other.append([])
        elif spoken[at] not in _FILLER:
            other[-1].append(spoken[at])
        at += n
    return Named(_unique(found), _unique(map(" ".join, other)))


def is_divided(name: str) -> bool:
    """Whether an answer without a closed list would be cut within this name."""
    return bool(_DIVIDER.search(name.strip(_EDGES)))


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, names)))


def same_classes(said: Named, true: Collection[str]) -> bool:
    """Whether exactly the true classes (keys) were named, in any order, and nothing else."""
    return not said.other and set(said.classes) == set(true)


def group_of(key: str, groups: Mapping[str, Sequence[str]]) -> str | None:
    """The super-category a class belongs to; None where the table does not have it. groups: name -> classes."""
    return _groups(tuple((name, tuple(members)) for name, members in groups.items())).get(key)


@lru_cache(maxsize=16)
def _groups(table: tuple[tuple[str, tuple[str, ...]], ...]) -> dict[str, str]:
    return {key_of(member): name for name, members in table for member in members}


def same_group(said: str, true: str, groups: Mapping[str, Sequence[str]]) -> bool:
    """Whether two class keys share a super-category of the table."""
    mine = group_of(said, groups)
    return mine is not None and mine == group_of(true, groups)


def recall(said: Collection[str], true: Collection[str]) -> float:
    """Share of the true classes that were named. Naming every class there is gives 1. Nothing true: 1 where nothing
    is named."""
    return len(set(said) & set(true)) / len(set(true)) if true else float(not said)


def precision(said: Collection[str], true: Collection[str]) -> float:
    """Share of the named classes that are true. Nothing named: 1 where nothing is true."""
    return len(set(said) & set(true)) / len(set(said)) if said else float(not true)


def f1(said: Collection[str], true: Collection[str]) -> float:
    """Harmonic mean of precision and recall of class sets; both empty: 1."""
    total = len(set(said)) + len(set(true))
    return 2 * len(set(said) & set(true)) / total if total else 1.0


def jaccard(said: Collection[str], true: Collection[str]) -> float:
    """Classes in both over classes in either; both empty: 1."""
    either = set(said) | set(true)
    return len(set(said) & set(true)) / len(either) if either else 1.0

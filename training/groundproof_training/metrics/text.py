"""Answers in words, compared without a judge: one spelling for each answer, and how alike two texts are.

Knows English answers of visual questions, and the engine's noun tables. Refuses to know questions and boxes.
Deterministic: VRSBench's official rule asks GPT-4o-mini whether an answer is right, which nobody can repeat.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from enum import StrEnum
from functools import lru_cache

from rapidfuzz.distance import Levenshtein

from groundproof.labels import KINDS, SYNONYMS, is_kind_of, normalise, singular
from groundproof.number_words import numbers_in
from groundproof.trace.claims import yes_or_no
from groundproof_training.metrics.counting import read_single

MAX_ANSWER = 2000
"""Characters of an answer that are compared; a longer one is cut, and is wrong by its length anyway."""

_ARTICLES = frozenset(("a", "an", "the"))
_SPELLINGS = {
    "gray": "grey",
    "color": "colour",
    "center": "centre",
    "middle": "centre",
    "central": "centre",
    "upper": "top",
    "lower": "bottom",
    "leftmost": "left",
    "rightmost": "right",
    "topmost": "top",
    "bottommost": "bottom",
    "meter": "metre",
}
"""Words of places and British spellings. Ours: no benchmark publishes such a table."""
_NOT_ONE_NUMBER = frozenset(("single", "pair", "couple", "dozen", "dozens", "one"))
_WORD = re.compile(r"[<>≤≥](?= ?=? ?\d)|\d+(?:[.,]\d+)*|[^\W\d_]+(?:'[^\W\d_]+)?")
_YES_WORD = re.compile(r"\b(?:yes|yeah|yep|true|correct)\b", re.IGNORECASE)
_NO_WORD = re.compile(r"\b(?:no|nope|not|false|incorrect|none)\b", re.IGNORECASE)
_UNSURE = re.compile(
    r"\b(?:maybe|perhaps|possibly|or|either|unsure|unclear|unknown|cannot|can't)\b|/", re.IGNORECASE
)
_DECIMAL = re.compile(r"[-+−]?\d+(?:\.\d+)?")


class Kind(StrEnum):
    """What a true answer is, which decides how a given one is compared."""

    YES_NO = "yes-no"
    NUMBER = "number"
    WORDS = "words"


def kind_of(true: str) -> Kind:
    """The kind of a true answer: "Yes" yes-no, "12" or "two" a number, everything else words."""
    text = true.strip()
    if text.casefold().rstrip(".") in ("yes", "no", "true", "false"):
        return Kind.YES_NO
    if _DECIMAL.fullmatch(text.rstrip(".")):
        return Kind.NUMBER
    return Kind.NUMBER if read_single(text) is not None and len(text.split()) == 1 else Kind.WORDS


@lru_cache(maxsize=4096)
def words_of(text: str) -> tuple[str, ...]:
    """The words of an answer in one spelling: lower case, no articles or punctuation ("<" and ">" before a
    number are words), singular, numbers in digits,
    "upper" as "top", "grey" as "gray"; a whole phrase that the engine knows by another name under that name."""
    plain = unicodedata.normalize("NFKC", text[:MAX_ANSWER]).casefold()
    for number in reversed(numbers_in(plain)):
        written = plain[number.start : number.end]
        if number.in_words and number.value and written not in _NOT_ONE_NUMBER:
            plain = f"{plain[: number.start]}{number.value}{plain[number.end :]}"
    found = [word for word in _WORD.findall(plain) if word not in _ARTICLES]
    found = [_SPELLINGS.get(word, word) for word in map(singular, found)]
    phrase = SYNONYMS.get(" ".join(found))
    return tuple(phrase.split()) if phrase else tuple(found)


def polarity(text: str) -> bool | None:
    """Yes or no; None where the answer says neither, both ("yes and no") or leaves it open ("yes or no", "maybe")."""
    head = text[:200]
    if _UNSURE.search(head) or (_YES_WORD.search(head) and _NO_WORD.search(head)):
        return None
    return yes_or_no(text)


def number_of(text: str) -> float | None:
    """The one number an answer states, decimals and a sign allowed where it stands alone; None for hedges."""
    alone = text.strip().rstrip(".")
    if _DECIMAL.fullmatch(alone) and len(alone) < 30:
        return float(alone.replace("−", "-"))
    return read_single(text)


def same_answer(said: str, true: str) -> bool:
    """Whether an answer is the true one: by polarity, by its number, or by its words in their order."""
    kind = kind_of(true)
    if kind is Kind.YES_NO:
        return polarity(said) is not None and polarity(said) == polarity(true)
    if kind is Kind.NUMBER:
        return number_of(said) is not None and number_of(said) == number_of(true)
    return bool(words_of(said)) and words_of(said) == words_of(true)


def nearly_same(said: str, true: str, least_f1: float = 0.5) -> bool:
    """Whether an answer in words is partly the true one: a kind of it or its kind ("car", "vehicle"), or token F1 of
    at least `least_f1`. Ours: RSThinker gives 0.6 for "partially correct" and never says what that is.

    Never for yes-no and numbers; never with other numbers than the truth's; and never with more words than the truth
    has, so that listing alternatives ("urban or rural", "red blue green") earns nothing.
    """
    if kind_of(true) is not Kind.WORDS:
        return False
    one, other = words_of(said), words_of(true)
    if not one or (len(one) > len(other) and not _is_listed_kind(said)):
        return False
    if sorted(filter(str.isdigit, one)) != sorted(filter(str.isdigit, other)):
        return False
    return is_kind_of(said, true) or is_kind_of(true, said) or token_f1(said, true) >= least_f1


def _is_listed_kind(said: str) -> bool:
    """A name of the engine's table and nothing else: "tanker truck" may be longer than "truck", "urban rural" may not
    pass for a kind of rural."""
    name = normalise(said)
    return name in KINDS and len(name.split()) == len(words_of(said))


def token_f1(said: str, true: str) -> float:
    """Harmonic mean of precision and recall over words as `words_of` spells them, each counted as often as it
    stands (SQuAD's F1, Rajpurkar et al. 2016, with our normaliser). Both empty: 1; one empty: 0."""
    one, other = Counter(words_of(said)), Counter(words_of(true))
    total = sum(one.values()) + sum(other.values())
    return 2 * sum((one & other).values()) / total if total else 1.0


def jaccard(said: str, true: str) -> float:
    """Words in both over words in either, as sets. Both empty: 1; one empty: 0."""
    one, other = set(words_of(said)), set(words_of(true))
    return len(one & other) / len(one | other) if one | other else 1.0


def levenshtein_ratio(said: str, true: str) -> float:
    """1 - edits / (length of the longer), over characters in lower case with white space collapsed (rapidfuzz's
    normalised similarity). Both empty: 1."""
    one, other = (" ".join(text.casefold().split()) for text in (said, true))
    return Levenshtein.normalized_similarity(one, other)

"""What an object is called: raw noun phrases to one normalised label, and which label is a kind of which.

Knows English nouns of overhead imagery, their synonyms and how plurals are made. Refuses to know boxes,
tasks and models. A label that is not in the tables is kept, in lower case and singular: vocabularies are
open, only spelling is unified.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from groundproof.label_tables import (
    ADJECTIVES,
    ES_ENDINGS,
    IRREGULAR,
    KINDS,
    KNOWN,
    LEADING,
    NOT_A_KIND,
    O_ES,
    SINGULAR_ENDINGS,
    SYNONYMS,
)

__all__ = [
    "KINDS",
    "KNOWN",
    "SYNONYMS",
    "cut_phrase",
    "is_kind_of",
    "normalise",
    "plural",
    "singular",
    "with_article",
]

MAX_LABEL = 80
"""Characters of a normalised label; a longer phrase is a sentence, and its end is what names things."""

_CUT = re.compile(
    r"\b(?:in|on|at|of|by|near|beside|besides|next|within|inside|outside|under|over|above|below|behind|"
    r"between|among|along|across|around|from|to|with|without|that|which|who|whose|where|is|are|was|were|"
    r"parked|moored|docked|anchored|located|situated|visible|facing|heading|pointing|surrounded|"
    r"adjacent|close|here|there|too|and|or|but|can|could|do|does|seen|present|has|have)\b"
)
_PHRASE_END = re.compile(r"[,;:()\[\]{}|\n。，；：]|\.(?=\s|$)|\s[–—-]\s")
_JUNK = re.compile(r"[^\w\s'-]+|_+")
_NUMBERISH = re.compile(r"^(?:e|#)?\d[\d.,]*(?:st|nd|rd|th)?$")


@lru_cache(maxsize=4096)
def normalise(raw: str) -> str:
    """One spelling of what `raw` names: "the two white Planes" -> "airplane"; "" when it names nothing.

    Lower case, articles, counting words and plain adjectives (colour, size, state) stripped, the phrase
    cut at its first preposition, the last word made singular, synonyms unified. Words that make another
    thing are kept: "cargo ship" stays (it is a kind of ship, `is_kind_of`). Idempotent; never raises.
    """
    text = unicodedata.normalize("NFKC", raw[: 8 * MAX_LABEL]).casefold()
    text = _JUNK.sub(" ", text.replace("-", " "))
    words = [w for w in text.replace("'s ", " ").replace("'", " ").split() if w]
    previous: list[str] | None = None
    while words != previous:
        # A step can uncover work for an earlier one ("tanks of" -> "tanks" -> "tank"), so until it rests.
        previous = words
        words = _step(words)
    return " ".join(words)


def _step(words: list[str]) -> list[str]:
    while words and (words[0] in LEADING or _NUMBERISH.match(words[0])):
        words = words[1:]
    while len(words) > 1 and _NUMBERISH.match(words[-1]):
        words = words[:-1]
    if len(words) > 1 and words[0] in ADJECTIVES and " ".join(words) not in SYNONYMS:
        return words[1:]
    match = _CUT.search(" ".join(words))
    if match and match.start() > 0:
        words = " ".join(words)[: match.start()].split()
    elif match and match.start() == 0:
        words = words[1:]
    while len(" ".join(words)) > MAX_LABEL and len(words) > 1:
        words = words[1:]
    if not words:
        return words
    words = [*words[:-1], singular(words[-1])[:MAX_LABEL]]
    return SYNONYMS.get(" ".join(words), " ".join(words)).split()


def cut_phrase(text: str) -> str:
    """The noun phrase at the beginning of `text`, as written: up to punctuation, a preposition or a verb.

    "A white tank beside the pier, partly hidden" -> "A white tank"; "" when the text begins otherwise.
    """
    stop = _PHRASE_END.search(text)
    phrase = text[: stop.start()] if stop else text
    cut = _CUT.search(phrase.lower()) if phrase.isascii() else _CUT.search(phrase)
    return (phrase[: cut.start()] if cut else phrase).strip()


def singular(word: str) -> str:
    """One lower-case English noun in the singular; unknown words by rule ("hangars" -> "hangar")."""
    if word in IRREGULAR:
        return IRREGULAR[word]
    if len(word) < 4 or not word.endswith("s") or word.endswith(SINGULAR_ENDINGS):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(ES_ENDINGS) or word in O_ES:
        return word[:-2] if word.endswith("es") else word[:-1]
    return word[:-1]


_PLURALS = {"person": "people", "man": "men", "woman": "women", "child": "children", "leaf": "leaves",
            "wharf": "wharves", "foot": "feet", "goose": "geese", "ox": "oxen", "axis": "axes",
            "tomato": "tomatoes", "volcano": "volcanoes", "bus": "buses"}  # fmt: skip
_UNCOUNTED = {word for word, one in IRREGULAR.items() if word == one}


def plural(label: str) -> str:
    """A normalised label in the plural: "storage tank" -> "storage tanks"."""
    head, _, last = label.rpartition(" ")
    if last in _PLURALS:
        many = _PLURALS[last]
    elif last in _UNCOUNTED:
        many = last
    elif last.endswith("y") and len(last) > 1 and last[-2] not in "aeiou":
        many = last[:-1] + "ies"
    elif last.endswith(("ch", "sh", "s", "x", "z")):
        many = last + "es"
    else:
        many = last + "s"
    return f"{head} {many}" if head else many


def with_article(label: str) -> str:
    """ "an airplane", "a ship"."""
    return f"{'an' if label[:1] in set('aeiou') and not label.startswith('u') else 'a'} {label}"


def is_kind_of(label: str, asked: str) -> bool:
    """True when an object called `label` answers a question about `asked`. Raw or normalised names.

    Equal; or listed in `KINDS` ("car" is a vehicle); or a compound whose head is `asked` ("cargo ship" is
    a ship). Never the other way round: "vehicle" is not a kind of car.
    """
    one, other = normalise(label), normalise(asked)
    if not one or not other:
        return False
    seen: set[str] = set()
    while one and one not in seen:
        if one == other:
            return True
        seen.add(one)
        if one in NOT_A_KIND:
            return False
        if one.endswith(" " + other):
            return True
        one = KINDS.get(one) or _head(one)
    return False


def _head(label: str) -> str:
    """The last words of a compound, as far as they are a listed kind: "blue pickup truck" -> "truck"."""
    words = label.split()
    for i in range(1, len(words)):
        tail = " ".join(words[i:])
        if tail in KINDS or tail in SYNONYMS:
            return SYNONYMS.get(tail, tail)
    return ""

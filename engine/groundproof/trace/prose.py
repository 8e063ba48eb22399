"""Clauses around a box: where a sentence begins, which noun it names, which image it speaks of.

Knows English sentences as models write them. Refuses to know boxes and sections.
"""

from __future__ import annotations

import re
from functools import lru_cache

from groundproof.label_tables import words
from groundproof.labels import KINDS, SYNONYMS, cut_phrase, is_kind_of, normalise, plural

BOUNDARY = re.compile(r"[.!?][)\"'”’*\]]{0,3}\s+|\n\s*|[。！？]\s*")
"""The end of a sentence, with the white space behind it."""

HAS_LETTER = re.compile(r"[^\W\d_]")
_SEPARATORS = re.compile(
    r"(?:[\s,;&+|/\[\](){}、，-]|\band\b|\bor\b|</?box>|<delim>|</?ref>)*+", re.IGNORECASE
)
_OPENING = re.compile(
    r"(?:[\s,;:.)\]}|*#•–—>\"'`~/(\[{!?-]|(?:and|or|then|also|json)\b|</?(?:ref|box|p)>|<delim>|"
    r"(?P<number>[Ee]\s?(?P<digits>\d{1,5})\b)|\d{1,4}[.):](?=\s))+"
)
_ENDING = re.compile(r"(?:[\s,;:.!?(\[{\"'`|*–—=-]|</?(?:ref|box|p)>|<delim>)+\Z")
_MARKUP = re.compile(r"<[^<>]{0,40}>|[*_`#|]+")
_PREPOSITION = re.compile(
    r"(?:in|on|at|near|beside|to|towards?|along|around|by|from|within|inside|between|of|with|for|under"
    r"|over|above|below)\b",
    re.IGNORECASE,
)
_ENDS_IN_PREPOSITION = re.compile(rf"\b{_PREPOSITION.pattern}\s*\Z", re.IGNORECASE)
_LEAD_IN = re.compile(
    r"(?:(?:next|first|second|third|here|now|so|thus|finally|additionally|i|we|one can|you can|it|this|these|that"
    r"|those|also|clearly|can)\b[\s,]*){0,4}"
    r"(?:there(?: is| are|'s| appears? to be| seems? to be)"
    r"|(?:the |this )?(?:[\w-]{1,12} ){0,3}?(?:image|picture|scene|tile|area|box|region|photo|part|side|corner|section)"
    r"(?: clearly| also)? (?:shows?|contains?|has|holds?|depicts?)"
    r"|see|found|find|spot(?:ted)?|detect(?:ed)?|identify|identified"
    r"|observed?|noticed?|mark(?:ed)?|is|are|be|shows?|contains?)\b[\s:]*",
    re.IGNORECASE,
)
_PARTS = re.compile(r"[,;:()|–—]\s*")
_VERB_IN = re.compile(
    r"\b(?:there(?: is| are|'s)|(?:i|we|one can) (?:can )?(?:see|find|spot)|is|are|shows?|contains?)\b",
    re.IGNORECASE,
)
_LAST_PHRASE = re.compile(
    r"\b(?:an?|the|another|one|two|three|\d{1,4})\s+(?P<phrase>(?:(?!an?\b|the\b)[^\W\d_]+[ -]?){1,3})\Z",
    re.IGNORECASE,
)
_FOLLOWS_ON = re.compile(
    r"\b(?:at|in|near|by|is|are|box|coordinates|location|on|and|or)\s*[:=]?\s*\Z", re.IGNORECASE
)
_NAMELESS = words(
    """
    object objects box boxes bounding region area location position coordinate coordinates corner
    side left right upper lower top bottom centre center middle part evidence item instance target
    one it they them first second third fourth last next image picture scene tile answer result
    results detection detections count total here there following i we plan list final edge half
    row column bbox point central leftmost rightmost north south east west northern southern
    eastern western most you
    """
)
_IMAGE = re.compile(
    r"\b(?:image|picture|date|scene|photo|frame)\s*#?\s*(?P<number>\d{1,2}|one|two|three|four)\b"
    r"|\b(?P<ordinal>first|second|third|fourth|earlier|later|before|after|pre|post|last)(?:[ -](?:event"
    r"|change|disaster))?[ -]"
    r"(?:image|picture|date|scene|photo|frame)\b",
    re.IGNORECASE,
)
_IMAGE_NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4}
_ORDINALS = {"first": 0, "earlier": 0, "before": 0, "pre": 0, "second": 1, "later": 1, "after": 1, "post": 1,
             "last": 1, "third": 2, "fourth": 3}  # fmt: skip
_HEADING = re.compile(r"(?:\A|\n)[ \t*#]{0,8}(?P<mention>[^\n:.]{0,30}):")


def only_separators(text: str) -> bool:
    """True when two boxes with this between them belong to one list."""
    return _SEPARATORS.fullmatch(text) is not None


def trim(text: str, start: int, end: int) -> tuple[int, int, int | None]:
    """text[start:end] without the punctuation around it and without its E-number, which comes third."""
    opening = _OPENING.match(text, start, end)
    number: int | None = None
    if opening:
        start = opening.end()
        number = int(opening["digits"]) if opening["digits"] else None
    ending = _ENDING.search(text, max(start, end - 60), end)
    if ending:
        end = max(ending.start(), start)
    return start, end, number


def noun(clause: str, asked: tuple[str, ...]) -> tuple[str, str]:
    """(as written, normalised) of what the clause names; ("", "") when it names no object.

    The first noun phrase counts ("a white airplane beside the hangar"), lead-ins ("In the upper left there
    is") are passed over; a noun that is asked for wins over one that is not.
    """
    text = clause[-400:]
    if _MARKUP.search(text):
        text = _MARKUP.sub(" ", text)
    phrase, label = _first_noun(text.strip())
    if not asked or (label and any(is_kind_of(label, one) for one in asked)):
        return phrase, label
    names = _names_of(asked)
    for match in names.finditer(text):
        following = text[match.end() :].lstrip()
        if not following or not following[0].isalpha() or cut_phrase(following) == "":
            return match.group(), normalise(match.group())
    return phrase, label


def _first_noun(text: str) -> tuple[str, str]:
    """The first phrase between punctuation that names something; else what stands right before the box."""
    for part in _PARTS.split(text, maxsplit=6):
        phrase = cut_phrase(_skip_lead_in(part.strip()))
        label = _named(phrase)
        if label:
            return phrase, label
    last = _LAST_PHRASE.search(text, max(len(text) - 80, 0))
    if last is None or _ENDS_IN_PREPOSITION.search(text[: last.start()]):
        return "", ""  # "near the hangar" names a place, not the object
    label = _named(last["phrase"])
    return (last["phrase"], label) if label else ("", "")


def _named(phrase: str) -> str:
    label = normalise(phrase) if phrase else ""
    return "" if all(word in _NAMELESS or word.isdecimal() for word in label.split()) else label


def _skip_lead_in(text: str) -> str:
    """A part of a sentence from its noun phrase on: without "there is", "In the upper left we see"."""
    for _ in range(3):
        if _PREPOSITION.match(text):
            inner = _VERB_IN.search(text)
            if inner is None:
                return ""
            text = text[inner.start() :]
        lead = _LEAD_IN.match(text)
        if lead is None:
            return text
        text = text[lead.end() :].lstrip()
    return text


@lru_cache(maxsize=1024)
def _names_of(asked: tuple[str, ...]) -> re.Pattern[str]:
    """Every known name, singular and plural, of the labels asked for and of their kinds."""
    names = set(asked)
    names |= {kind for kind in KINDS if any(is_kind_of(kind, one) for one in asked)}
    names |= {other for other, label in SYNONYMS.items() if label in names}
    names |= {plural(name) for name in names}
    ordered = sorted((re.escape(n) for n in names if n), key=len, reverse=True)
    return re.compile(rf"\b(?:{'|'.join(ordered) or '(?!)'})\b", re.IGNORECASE)


def asked_in(text: str, labels: tuple[str, ...]) -> list[str]:
    """Normalised names of the labels and of their kinds that the text mentions, in its order, each once."""
    # One pattern for each label, not for all: sets of labels differ from tile to tile and compiling is dear.
    found = {m.start(): m.group() for label in labels for m in _names_of((label,)).finditer(text)}
    return list(dict.fromkeys(normalise(found[at]) for at in sorted(found)))


def belongs_to_next(clause: str) -> bool:
    """True when a clause between two boxes leads to the second: "[..] and a ship at [..]"."""
    return _FOLLOWS_ON.search(clause) is not None


def image_in(sentence: str) -> int | None:
    """Index of the image that a sentence names last ("image 2", "the second image"); None: none."""
    found: int | None = None
    for match in _IMAGE.finditer(sentence):
        word = (match["number"] or "").lower()
        if match["ordinal"]:
            found = _ORDINALS[match["ordinal"].lower()]
        elif word.isdecimal():
            found = max(int(word) - 1, 0)
        else:
            found = _IMAGE_NUMBERS[word] - 1
    return found


def heading_image(text: str) -> int | None:
    """Index of the image that the last heading of the text names: "Image 2: ..."; None: no heading."""
    found: int | None = None
    for match in _HEADING.finditer(text):
        image = image_in(match["mention"])
        found = image if image is not None else found
    return found

"""What the sentences of a rationale assert: classes, numbers, E-numbers, and where they came from.

Knows words and a vocabulary of class names. Refuses to know boxes' places and tags.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from groundproof.label_tables import KINDS, SYNONYMS, words
from groundproof.labels import is_kind_of, normalise, plural, singular
from groundproof.number_words import numbers_in
from groundproof_training.samples import Sample, class_name, same_class

_AMBIGUOUS = frozenset({"center", "centre", "square", "object", "image", "area", "other"})
"""Class names of some datasets that are words of any description."""

_MOVING = ("vehicle", "ship", "airplane", "helicopter")
MOVABLE = frozenset(name for name in (*KINDS, *SYNONYMS, *_MOVING) if any(is_kind_of(name, one) for one in _MOVING)) | {
    "submarine", "train", "locomotive", "bicycle", "motorbike", "animal", "cow", "sheep", "horse",
} - {"coach"}  # fmt: skip
"""Things that come and go. Whether one is there no landscape tells, so it is never said without the truth."""

_PLACES_OF = (
    r"(?![\s-]+(?:stations?|stops?|yards?|tracks?|bridges?|parks?|lots?|channels?|lanes?|trails?|roads?|terminals?|"
    r"depots?|docks?|berths?|ramps?|farms?|pastures?)\b)"
)
"""A bus station is no bus."""

GIVEAWAY = re.compile(
    r"\b(?:ground[ -]truth|(?:given|provided|supplied|verified|true|reference|annotated|listed)\s+(?:bounding )?"
    r"(?:box(?:es)?|annotations?|labels?|coordinates|answer|description|caption|objects?|list|truth|data)"
    r"|annotations?|annotated|as (?:provided|given|instructed|specified|stated|annotated|listed|supplied)"
    r"|(?:was|were|is|are) (?:provided|supplied)"
    r"|according to the (?:data|labels?|list|description|captions?|boxes|information|metadata|prompt)"
    r"|i (?:was|am|have been) (?:told|given)|the (?:correct|expected|true|right) answer|the prompt|the user"
    r"|metadata|worked example|(?:box(?:es)?|list|text|description) (?:above|below|states?|says?|gives?))\b",
    re.IGNORECASE,
)
"""Words of somebody who was told the truth. A model that learns them says them where nobody told it anything.

"The given box" of a question about a region is allowed, see `gives_away`.
"""

_SENTENCE = re.compile(r"(?<=[.!?;])\s+")
_NEGATION = re.compile(
    r"\b(?:no|not|none|without|absent|absence|zero|nothing|neither|nor|never|lacks?|0)\b|n't", re.IGNORECASE
)
_ASSERTS = re.compile(
    r"(?:\b(?:an?|the|some|several|many|few|multiple|numerous|both|one|two|three|four|five|six|seven|eight|nine|ten|"
    r"[1-9]\d*)\s+(?:(?!for\b)[\w-]+\s+){0,2})\Z",
    re.IGNORECASE,
)
_ASSERTED = re.compile(r"\s+(?:is|are|was|were|can be|lies?|stands?)\b", re.IGNORECASE)
_E_NUMBERS = re.compile(r"\b(?:E|(?i:evidence)\s+)(\d{1,5})\b(?:\s*(?:to|-|–|through)\s*E(\d{1,5})\b)?")
_ADJECTIVES = re.compile(
    r"\s+(?:(?!(?:is|are|was|of|in|on|and|or|to|the|an?|with|for|than)\b)[^\W\d_-]+[\s-]+){0,3}"
)
_E_LIST = r"\bE\d{1,5}\b(?:\s*(?:,|and|to|-|–|through|, and)\s*E\d{1,5}\b)*"
_NAMED_AS = re.compile(
    rf"(?P<numbers>{_E_LIST})\s+(?:is|are|looks? like|seems? to be)\s+(?P<what>[a-z][a-z -]*)",
    re.IGNORECASE,
)
_ARE_NAMED = re.compile(
    rf"\b(?P<what>[a-z][a-z -]{{1,40}})\s+(?:is|are|:)\s+(?P<numbers>{_E_LIST})", re.IGNORECASE
)
_ONLY = re.compile(
    rf"\b(?:only|just)\s+(?P<numbers>{_E_LIST})\s+(?:is|are)\s+(?P<what>[a-z][a-z -]*)", re.IGNORECASE
)


_ENGLISH = words("the a an of is are for and to no by what which from this that with where it as")
_FOREIGN = words(
    """
    und sind der die das ein eine im den ist auf oben unten les des une est sont dans sur aux los las una son del por
    con nel della che il gli het een zijn van uma dos nas em
    """
)
"""Two of these and none of the English ones stand in a sentence of a language that is not checked here."""


@dataclass(frozen=True)
class Vocabulary:
    """Class names of a dataset, in plain words; what a rationale must not speak of unless it is true. `MOVABLE` belongs
    to every dataset's."""

    names: frozenset[str]
    pattern: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        known = {class_name(name) for name in self.names} - _AMBIGUOUS - {""}
        normal = {normalise(name) for name in known}
        known |= {other for other, label in SYNONYMS.items() if label in normal}
        known |= {plural(name) for name in known}
        moving = {other for name in MOVABLE for other in (name, plural(name))} - known
        written = {name: re.escape(name).replace("\\ ", r"[\s_-]+") for name in known | moving}
        ordered = sorted(written, key=len, reverse=True)
        names = "|".join(written[name] + (rf"\b{_PLACES_OF}" if name in moving else "") for name in ordered)
        pattern = re.compile(rf"\b(?:{names})\b", re.IGNORECASE)
        object.__setattr__(self, "pattern", pattern)

    @classmethod
    def of(cls, samples: Iterable[Sample]) -> Vocabulary:
        """Every class that the samples label, ask for or choose from."""
        names: set[str] = set()
        for sample in samples:
            names.update(box.label for box in sample.boxes)
            names.update(sample.asked)
            names.update(sample.choices)
        return cls(frozenset(names))

    def mentions(self, text: str) -> Iterator[re.Match[str]]:
        """Where the text names a class, the longest name first: "storage tank", not "tank"."""
        return self.pattern.finditer(text)


def sentences(text: str) -> list[str]:
    """The sentences of a text; a semicolon divides too."""
    return [part for part in _SENTENCE.split(text) if part.strip()]


def is_class(said: str, true: str) -> bool:
    """`same_class` of a name that may stand in the plural, as in "large vehicles"."""
    return same_class(said, true) or same_class(in_singular(said), true)


def in_singular(name: str) -> str:
    """A class name in the singular, otherwise as it is."""
    head, space, last = class_name(name).rpartition(" ")
    return f"{head}{space}{singular(last)}"


def alike(one: str, other: str) -> bool:
    """Whether two names may speak of one thing: the same class, or one a kind of the other."""
    if is_class(one, other) or is_class(other, one):
        return True
    return normalise(one) != normalise(other) and (is_kind_of(one, other) or is_kind_of(other, one))


def is_negated(sentence: str) -> bool:
    """Whether the sentence denies anything."""
    return _NEGATION.search(sentence) is not None


def asserted(sentence: str, mention: re.Match[str]) -> bool:
    """Whether the sentence says that the mentioned thing is there."""
    if is_negated(sentence):
        return False
    before, after = sentence[: mention.start()], sentence[mention.end() :]
    return _ASSERTS.search(before) is not None or _ASSERTED.match(after) is not None


def counts_of(text: str, vocabulary: Vocabulary) -> list[tuple[str, int]]:
    """(class in the singular, number) of each "three white ships": a number with adjectives at most before a class. The
    engine's reader knows a phrase's end by verbs and prepositions of its own list; this one by the class names."""
    found: list[tuple[str, int]] = []
    for sentence in sentences(text):
        numbers = numbers_in(sentence)
        for mention in vocabulary.mentions(sentence):
            before = [n for n in numbers if n.end <= mention.start()]
            if before and _ADJECTIVES.fullmatch(sentence[before[-1].end : mention.start()]):
                found.append((in_singular(mention[0]), before[-1].value))
    return found


def is_english(text: str, known: str) -> bool:
    """Whether a text is in the language that is checked here. known: words of the source, which may be of any."""
    if any(letter.isalpha() and letter > "\u024f" and letter not in known for letter in text):
        return False
    said = set(re.findall(r"[a-z]+", text.casefold()))
    return len(_FOREIGN & said) < 2 or bool(_ENGLISH & said)


def e_numbers(text: str) -> list[int]:
    """Every E-number the text names, those within "E2 to E5" too."""
    found: list[int] = []
    for first, last in _E_NUMBERS.findall(text):
        found += range(int(first), int(last) + 1) if last else [int(first)]
    return found


def named_as(text: str) -> Iterator[tuple[list[int], str]]:
    """(E-numbers, noun phrase) of each "E1 and E2 are white airplanes" and "the airplanes are E1 and E2"."""
    for pattern in (_NAMED_AS, _ARE_NAMED):
        for match in pattern.finditer(text):
            yield e_numbers(match["numbers"]), match["what"].strip()


def only_named(text: str) -> Iterator[tuple[list[int], str]]:
    """(E-numbers, noun phrase) of each "only E1 is an airplane"."""
    for match in _ONLY.finditer(text):
        yield e_numbers(match["numbers"]), match["what"].strip()


def gives_away(text: str, *, about_regions: bool) -> str:
    """The words of `GIVEAWAY` in the text, or "". about_regions: the question itself gives a box."""
    for match in GIVEAWAY.finditer(text):
        if not (about_regions and re.fullmatch(r"(?:given|listed)\s+(?:box|boxes)", match[0], re.IGNORECASE)):
            return match[0]
    return ""

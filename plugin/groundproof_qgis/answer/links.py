"""Where a text points: E-numbers, ranges of them and tiles, as links of our own scheme.

Knows how people and the engine write numbers of boxes. Refuses to know HTML and which boxes there are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from groundproof_qgis.answer.evidence import number_of

SCHEME = "groundproof"

MOST_IN_RANGE = 5_000
"""Boxes that one link shows at once: what the engine puts into one document."""

_ANSWER = r"A[1-9]\d{0,5}"
_NUMBER = r"E[1-9]\d{0,8}"
_IN_TEXT = re.compile(
    rf"(?<![\w/])(?:(?P<answer>{_ANSWER})[/:])?(?P<first>{_NUMBER})"
    rf"(?:\s*(?:-|–|to|through)\s*(?P<last>{_NUMBER}))?(?!\w)|(?<!\w)tile (?P<tile>[1-9]\d{{0,8}})(?!\w)"
)
_HREF = re.compile(
    rf"{SCHEME}:(?:(?P<answer>{_ANSWER})/)?(?P<first>{_NUMBER})(?:-(?P<last>{_NUMBER}))?"
    rf"|{SCHEME}:tile/(?P<tile>[\w.-]{{1,100}})"
)


@dataclass(frozen=True)
class Link:
    """What a link points at. evidence: "E3", with last the range of them; tile: a tile's id, and no evidence.

    answer_id: None where there is one answer only.
    """

    evidence: str | None = None
    last: str | None = None
    answer_id: str | None = None
    tile: str | None = None

    @property
    def href(self) -> str:
        """As an address: groundproof:E3, groundproof:A2/E3, groundproof:E1-E17, groundproof:tile/ID."""
        if self.tile is not None:
            return f"{SCHEME}:tile/{self.tile}"
        answer = f"{self.answer_id}/" if self.answer_id else ""
        return f"{SCHEME}:{answer}{self.evidence}" + (f"-{self.last}" if self.last else "")

    @property
    def evidence_ids(self) -> tuple[str, ...]:
        """Every number of the range, at most `MOST_IN_RANGE`; those that do not exist among them."""
        first = number_of(self.evidence)
        if not first:
            return ()
        last = min(number_of(self.last) or first, first + MOST_IN_RANGE - 1)
        return tuple(f"E{n}" for n in range(first, last + 1))


@dataclass(frozen=True)
class Mention:
    """A place in a text, start <= characters < end, that names boxes (first, last the same for one) or a tile.

    answer_id: only where the text says it ("A2/E3"). tile: the tile's number, 1 is the first; 0 for boxes.
    """

    start: int
    end: int
    first: str = ""
    last: str = ""
    answer_id: str | None = None
    tile: int = 0


def mentions(text: str) -> Iterator[Mention]:
    """Everything the text points at, in order."""
    for found in _IN_TEXT.finditer(text):
        if found["tile"]:
            yield Mention(*found.span(), tile=int(found["tile"]))
            continue
        first, last = found["first"], found["last"] or found["first"]
        if number_of(last) < number_of(first):
            first, last = last, first
        yield Mention(*found.span(), first, last, found["answer"])


def parse_link(href: str) -> Link | None:
    """What an address of our scheme points at; None for any other address."""
    found = _HREF.fullmatch(href)
    if found is None:
        return None
    return Link(evidence=found["first"], last=found["last"], answer_id=found["answer"], tile=found["tile"])


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each sentence, with the white space after it: together they are the text."""
    start = 0
    for found in re.finditer(r"[.!?]+(?=\s)\s+|\n+", text):
        yield start, found.end()
        start = found.end()
    if start < len(text):
        yield start, len(text)

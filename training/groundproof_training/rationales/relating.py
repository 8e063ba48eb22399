"""What sentences say of the places and sizes of cited objects: the part of the image, and one against the other.

Knows cited boxes as shares of their image. Refuses to judge what it cannot tie to one object: "left of the pier".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from groundproof.boxes import ModelBox
from groundproof_training.rationales.words import e_numbers, sentences

SLACK = 0.1
"""Of a side: a box whose centre is this far past the middle may still be called left or right, and one this far outside
of the middle third central."""

MARGIN = 0.02
"""Of a side: centres nearer than this are neither left nor right of each other."""

LARGER = 1.1
"""Areas within this factor may be called either way."""


@dataclass(frozen=True, slots=True)
class Placed:
    """The centre of a cited box as shares of its image's width and height, and its area as a share of the image.
    image: its number, from 0."""

    x: float
    y: float
    area: float
    image: int = 0

    @classmethod
    def of(cls, box: ModelBox, size: tuple[float, float], image: int = 0) -> Placed:
        """size: width and height of the box's frame."""
        width, height = size
        area = (box.x1 - box.x0) * (box.y1 - box.y0) / (width * height)
        return cls((box.x0 + box.x1) / 2 / width, (box.y0 + box.y1) / 2 / height, area, image)


_SIDES = {
    "left": (-1, 0),
    "right": (1, 0),
    "top": (0, -1),
    "upper": (0, -1),
    "bottom": (0, 1),
    "lower": (0, 1),
}
_IMAGE = r"(?:(?:image|picture|scene|tile|photo|frame|view)\b)"
_NOT_OF = (
    rf"(?!\s*[-\w]*\s+of\s+(?!(?:the\s+)?{_IMAGE}))"
    rf"(?!\s+(?:of|next|beside|behind|to|wing)\b(?!\s+(?:the\s+)?{_IMAGE}))"
)
"""Not "upper left of the pier", which is a part of something else; "of the image" may follow."""

_CORNER = (
    rf"(?:upper|top|lower|bottom)[\s-]+(?:left|right)(?:[\s-]+(?:corner|part|side|quarter|edge))?{_NOT_OF}"
)
_SIDE = (
    r"(?:(?:on|at|in|along|near|towards?|to)\s+the\s+(?:far\s+)?(?:left|right|top|bottom)"
    rf"(?:[\s-]+(?:side|edge|part|half|border|margin))?|,\s*(?:left|right|top|bottom)(?=\s*(?:[,.;]|of\s+{_IMAGE}|\Z))){_NOT_OF}"
)
_CENTRE = (
    rf"(?:(?:in|at|near)\s+the\s+(?:very\s+)?(?:centre|center|middle){_NOT_OF}"
    rf"|,\s*(?:centre|center|middle)(?=\s*(?:[,.;]|of\s+{_IMAGE}|\Z)))"
)
_PLACE = re.compile(rf"{_CORNER}|{_SIDE}|{_CENTRE}", re.IGNORECASE)

_E_GROUP = re.compile(r"\bE\d{1,5}\b(?:\s*(?:,|and|to|-|–|through|, and)\s*E\d{1,5}\b)*")

_RELATION = re.compile(
    r"\bE(?P<one>\d{1,5})\b(?P<between>[^.;:]{0,60}?)\b(?P<how>(?:to the )?(?:left|right) of|above|below|"
    r"larger than|bigger than|smaller than)\s+E(?P<other>\d{1,5})\b",
    re.IGNORECASE,
)


def misplaced(text: str, where: Placed) -> str:
    """The words of a sentence about one object that name another part of the image than its centre lies in; "" else."""
    return next((said for said in _places(text) if not _fits(said, where)), "")


def misplaced_by_number(text: str, cited: Sequence[Placed | None]) -> Iterator[tuple[int, str]]:
    """(E-number, words) of each place that a text gives a cited object and that is not its own.

    A place belongs to the E-numbers before it ("E1, in the upper left"), or behind it in a sentence that begins with
    one ("In the upper left lies E1").
    """
    for sentence in sentences(text):
        groups = list(_E_GROUP.finditer(sentence))
        places = list(_PLACE.finditer(sentence))
        if not groups or not places:
            continue
        ahead = places[0].start() < groups[0].start()
        for place in places:
            if ahead:
                group = next((g for g in groups if g.start() >= place.end()), None)
            else:
                group = next((g for g in reversed(groups) if g.end() <= place.start()), None)
            for n in e_numbers(group[0]) if group else ():
                where = cited[n - 1] if 1 <= n <= len(cited) else None
                if where is not None and not _fits(place[0], where):
                    yield n, _words(place[0])


def untrue_relations(text: str, cited: Sequence[Placed | None]) -> Iterator[str]:
    """Phrases such as "E1 ... left of E2" and "E1 ... larger than E2" that the boxes say otherwise."""
    for match in _RELATION.finditer(text):
        numbers = int(match["one"]), int(match["other"])
        if not all(1 <= n <= len(cited) for n in numbers) or re.search(
            r"\bE\d|\bnot\b|n't", match["between"]
        ):
            continue
        one, other = (cited[n - 1] for n in numbers)
        if one is None or other is None or one.image != other.image:
            continue
        how = match["how"].casefold().removeprefix("to the ")
        wrong = {
            "left of": one.x > other.x + MARGIN,
            "right of": one.x < other.x - MARGIN,
            "above": one.y > other.y + MARGIN,
            "below": one.y < other.y - MARGIN,
            "larger than": one.area * LARGER < other.area,
            "bigger than": one.area * LARGER < other.area,
            "smaller than": one.area > other.area * LARGER,
        }[how]
        if wrong:
            yield " ".join(match[0].split())


def _places(text: str) -> Iterator[str]:
    for match in _PLACE.finditer(text):
        yield _words(match[0])


def _words(place: str) -> str:
    return " ".join(place.casefold().replace("-", " ").lstrip(", ").split())


def _fits(said: str, where: Placed) -> bool:
    words = _words(said).split()
    if {"centre", "center", "middle"} & set(words):
        low, high = 1 / 3 - SLACK, 2 / 3 + SLACK
        return low <= where.x <= high and low <= where.y <= high
    for word in words:
        right, down = _SIDES.get(word, (0, 0))
        if right * (where.x - 0.5) < -SLACK or down * (where.y - 0.5) < -SLACK:
            return False
    return True

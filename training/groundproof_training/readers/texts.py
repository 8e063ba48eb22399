"""Boxes and marks in the texts of instruction sets: GeoChat's, VRSBench's, EarthDial's, FIT-RS's.

Knows three spellings of a box, `{<x><y><x><y>|<angle>}`, `[x, y, x, y, angle]` in any nesting of lists, and both
inside `<box>` or `<rbox>`; and the tags, tokens and marks around them. Refuses to know files and images.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from groundproof.labels import cut_phrase, normalise, singular
from groundproof_training.readers.clc import split_classes
from groundproof_training.readers.oriented import TurnedBox, enclosing, scaled
from groundproof_training.samples import TrueBox, class_name
from groundproof_training.samples.types import Quad

_NUMBER = r"-?\d+(?:\.\d+)?"
_BRACES = rf"\{{\s*(?:<\s*{_NUMBER}\s*>\s*){{4}}(?:\|?\s*<\s*{_NUMBER}\s*>\s*)?\}}"
_BRACKETS = rf"\[\s*{_NUMBER}(?:\s*,\s*{_NUMBER}){{3,4}}\s*\]"
_ONE = re.compile(rf"{_BRACES}|{_BRACKETS}")
_GROUP = re.compile(
    rf"(?:<r?box>\s*)?(?:\[\s*)*(?:{_ONE.pattern})"
    rf"(?:(?:\s*\])*\s*(?:,|<delim>)?\s*(?:\[\s*)*(?:{_ONE.pattern}))*(?:\s*\])*(?:\s*</r?box>)?"
)
_TOKENS = re.compile(r"<(?:image|video|ImageHere)>|\\n")
_TAG = re.compile(r"^\s*\[([A-Za-z][\w.-]*)\]\s*")
_MARKS = re.compile(r"</?(?:p|ref|box|rbox|obj|phrase)>|<delim>")
_ENDING = re.compile(r"(?<![\s.?])[\s.?]*A short answer to the question is\s*$", re.IGNORECASE)
"""From the beginning of its blanks and stops only: a text of stops alone would take time by its length squared."""
_CLASSES = re.compile(
    r"\b(?:classes|options|categories)\s*:\s*(.+?)\s*(?:\.\s|\.?\"|\.?$)", re.IGNORECASE | re.DOTALL
)
_LISTED = re.compile(r"\bwhich ones\b[^?]*\?\s*(.+?)\.\s*Answer with a list", re.IGNORECASE | re.DOTALL)

_COLOURS = {"aqua", "fuchsia", "lime", "maroon", "navy", "olive", "teal"}
"""Of the colour names GeoChat writes, those the engine's table of adjectives has no use for."""
_GLUED = {
    f"{one}{two}{s}": f"{one} {two}{s}"
    for one, two in (
        ("tennis", "court"), ("basketball", "court"), ("baseball", "field"), ("baseball", "diamond"),
        ("football", "field"), ("golf", "field"), ("golf", "course"), ("train", "station"), ("storage", "tank"),
    )
    for s in ("", "s")
}  # fmt: skip
_GLUED |= {f"groundtrackfield{s}": f"ground track field{s}" for s in ("", "s")}
_GLUED |= {"overpasss": "overpasses"}


@dataclass(frozen=True, slots=True)
class WrittenBox:
    """A box as a text gives it, in the text's own grid. angle_deg: None where it gives none. phrase, label: the words
    in `<p>` or `<ref>` before it, and their noun for this box; empty where there are none."""

    numbers: tuple[float, float, float, float]
    angle_deg: float | None = None
    phrase: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """What the numbers of a text mean.

    full: the number of the right or lower edge. layout: two corners before the turn, or centre and sides.
    clockwise: the sign of the angle, on screen. turned_in: whether the rectangle is turned as it lies in px, or on the
    grid itself, which shears it on images that are not square. floored: the numbers were cut to whole ones, so that a
    box without a width is one whole step wide.
    """

    full: float = 100.0
    layout: Literal["corners", "centre"] = "corners"
    clockwise: bool = True
    turned_in: Literal["pixels", "grid"] = "pixels"
    floored: bool = True

    def place(
        self, box: WrittenBox, size: tuple[int, int]
    ) -> tuple[tuple[float, float, float, float], Quad | None]:
        """Left, top, right, bottom in px of an image of `size` (width, height), and the corners of a turned box.

        Raises ValueError for a box that ends before it begins, or without a size.
        """
        x0, y0, x1, y1 = box.numbers
        if self.layout == "centre":
            x0, y0, x1, y1 = x0 - x1 / 2, y0 - y1 / 2, x0 + x1 / 2, y0 + y1 / 2
        if self.floored:
            x1, y1 = x1 + (x0 == x1), y1 + (y0 == y1)
        if x0 >= x1 or y0 >= y1:
            raise ValueError(f"the box {list(box.numbers)} ends before it begins")
        sx, sy = size[0] / self.full, size[1] / self.full
        upright = (x0 * sx, y0 * sy, x1 * sx, y1 * sy)
        if not box.angle_deg:
            return upright, None
        angle = box.angle_deg if self.clockwise else -box.angle_deg
        if self.turned_in == "grid":
            quad = scaled(TurnedBox.of_corners((x0, y0, x1, y1), angle).quad, sx, sy)
        else:
            quad = TurnedBox.of_corners(upright, angle).quad
        return enclosing(quad), quad


PERCENT = Grid()
"""0 to 100 of each axis, two corners before a clockwise turn: GeoChat, VRSBench and EarthDial."""


def boxes_in(text: str) -> list[WrittenBox]:
    """Every box of the text, in its order."""
    return [_written(found[0]) for found in _ONE.finditer(text)]


def lift(text: str, kind: Literal["region", "box"], first: int = 0) -> tuple[str, list[WrittenBox]]:
    """The text with a marker in place of each box (`<box:0>`, counted from `first`), and the boxes."""
    found: list[WrittenBox] = []
    last = 0

    def marked(group: re.Match[str]) -> str:
        nonlocal last
        boxes = boxes_in(group[0])
        phrase = (phrases_in(text[last : group.start()]) or [""])[-1]
        labels = labels_of(phrase, len(boxes)) if phrase else ("",) * len(boxes)
        start, last = first + len(found), group.end()
        found.extend(
            replace(box, phrase=phrase, label=label) for box, label in zip(boxes, labels, strict=True)
        )
        return ", ".join(f"<{kind}:{start + n}>" for n in range(len(boxes)))

    return _GROUP.sub(marked, text), found


def _written(text: str) -> WrittenBox:
    numbers = [float(n) for n in re.findall(_NUMBER, text)]
    return WrittenBox(
        (numbers[0], numbers[1], numbers[2], numbers[3]), numbers[4] if len(numbers) > 4 else None
    )


def tags_of(text: str) -> tuple[str, ...]:
    """The tags a text begins with, in lower case: "[refer] [hr_rgb_0.5] <image> ..." -> ("refer", "hr_rgb_0.5")."""
    tags = []
    text = _TOKENS.sub(" ", text.strip().strip('"'))
    while match := _TAG.match(text):
        tags.append(match[1].casefold())
        text = text[match.end() :]
    return tuple(tags)


def plain(text: str) -> str:
    """The words of a question or answer without tags, picture tokens and marks; also without a literal backslash-n.

    Boxes stay. "[refer] give me the location of <p>2 ships</p>" -> "give me the location of 2 ships".
    """
    text = _TOKENS.sub(" ", text.strip().strip('"'))
    while match := _TAG.match(text):
        text = text[match.end() :]
    text = _ENDING.sub(lambda m: m[0].lstrip()[0] if m[0].lstrip()[:1] in (".", "?") else "", text)
    without = _MARKS.sub(" ", text)
    words = " ".join(without.split())
    return words if without == text else re.sub(r"\s+([.,?!])(?=\s|$)", r"\1", words)


def phrases_in(text: str) -> list[str]:
    """What stands in `<p>` or `<ref>`, in order."""
    # behind the last end nothing is found, and every beginning there would be read to the text's end
    text = text[: max(text.rfind("</p>"), text.rfind("</ref>")) + len("</ref>")]
    return [" ".join(m[1].split()) for m in re.finditer(r"<(?:p|ref)>(.*?)</(?:p|ref)>", text, re.DOTALL)]


def object_in(phrase: str) -> str:
    """The noun of a phrase: "2 gray large ships at the right" -> "ship"; "object" where none is found.

    A class written with hyphens keeps all its words: "1 gray large small-vehicle" -> "small vehicle".
    """
    words = [w for w in cut_phrase(" ".join(phrase.split())).split() if w.casefold() not in _COLOURS]
    if words and "-" in words[-1].strip("-"):
        *front, last = words[-1].casefold().strip("-").split("-")
        return " ".join((*front, singular(last)))
    if words:
        words[-1] = class_words(words[-1])
    return normalise(" ".join(words)) or "object"


def class_words(raw: str) -> str:
    """`samples.class_name`, and names that DIOR and FAIR1M write as one word apart: "tenniscourt" -> "tennis court"."""
    name = class_name(raw)
    return _GLUED.get(name, name)


def objects_in(phrase: str) -> tuple[tuple[int, str], ...]:
    """Number and noun of each kind a phrase counts, in order; () where it gives no number.

    "3 small harbors ,, 1 white ship at the bottom" -> ((3, "harbour"), (1, "ship")). In GeoChat's test set the numbers
    add up to the boxes in 6,274 of 6,276 such phrases, so that a box's place says its kind.
    """
    starts = list(re.finditer(r"(?:^|(?<=[\s,]))(\d+)(?=\s)", phrase))
    ends = [m.start() for m in starts[1:]] + [len(phrase)] * bool(starts)
    return tuple((int(m[1]), object_in(phrase[m.end() : end])) for m, end in zip(starts, ends, strict=True))


def labels_of(phrase: str, n_boxes: int) -> tuple[str, ...]:
    """The label of each of the boxes a phrase refers to; the phrase's first noun where its numbers do not tell."""
    kinds = objects_in(phrase)
    if kinds and sum(number for number, _ in kinds) == n_boxes:
        return tuple(noun for number, noun in kinds for _ in range(number))
    noun = kinds[0][1] if kinds else object_in(phrase)
    return (noun,) * n_boxes


def classes_in(question: str) -> tuple[str, ...]:
    """The closed list a question gives after "Classes:" or "Options:", or before "Answer with a list", in plain words
    (`samples.class_name`); () where it gives none."""
    match = _CLASSES.search(question) or _LISTED.search(question)
    return tuple(dict.fromkeys(split_classes(match[1]))) if match else ()


def true_box(box: WrittenBox, size: tuple[int, int], grid: Grid, label: str, image: int = 0) -> TrueBox:
    """The box in px of an image of `size`. Raises ValueError where it has no size or lies outside the image."""
    (x0, y0, x1, y1), quad = grid.place(box, size)
    if x0 >= size[0] or y0 >= size[1] or x1 <= 0 or y1 <= 0:
        raise ValueError(f"the box {list(box.numbers)} lies outside the image")
    return TrueBox(label=label, x0=x0, y0=y0, x1=x1, y1=y1, quad=quad, image=image, phrase=box.phrase)

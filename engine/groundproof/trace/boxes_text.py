"""The numbers of one bracket to a `ModelBox`, and what had to be mended.

Knows how models spell four numbers. Refuses to know sentences, and where the box lies.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from groundproof.boxes import BoxFrame, ModelBox
from groundproof.trace.lexer import Token

_SIMPLE = re.compile(r"[\[(]\s*\d{1,9}\s*,\s*\d{1,9}\s*,\s*\d{1,9}\s*,\s*\d{1,9}\s*[\])]")
_NUMBER = re.compile(
    r"(?<![\w.])(?P<value>[-+−]?(?:\d{1,9}(?:\.\d{0,20})?|\.\d{1,20}))(?![\d.])\s*(?P<unit>%|％|px\b|pixels?\b|°|deg\b|m\b)?"
)
_NAME = re.compile(
    r"\b(?:[xy]_?(?:min|max|[0-4])?|left|top|right|bottom|angle|theta|width|height)\s*[:=]\s*", re.IGNORECASE
)
_FILLER = " \t\r\n,;:|/，、；…~"
_OBJECT_BOX = re.compile(
    r"""["'](?:bbox(?:_?2d)?|box(?:es|_?2d)?|bboxes|coordinates|coords|location|position)["']\s*:\s*"""
)
_OBJECT_LABEL = re.compile(
    r"""["'](?:label|category|class|name|object|type)["']\s*:\s*["']([^"'{}\[\]]{0,200})["']"""
)
_INNER_LIST = re.compile(r"\[[^\[\]]{0,200}\]")


@dataclass(frozen=True, slots=True)
class BoxReading:
    """What one bracket says. box is None when it is to be dropped, and then `notes` say why.

    notes: (kind, sentence) pairs for `Repair`. numbers_start, numbers_end: where the digits stand, in the
    raw text. label, label_start: what the bracket itself says it is (JSON), else "" and 0.
    """

    box: ModelBox | None
    notes: tuple[tuple[str, str], ...]
    numbers_start: int
    numbers_end: int
    label: str = ""
    label_start: int = 0


@dataclass(frozen=True, slots=True)
class Point:
    """A bracket with two numbers; two in a row are the corners of a box."""

    x: float
    y: float


def read_bracket(token: Token, frame: BoxFrame) -> list[BoxReading] | Point | None:
    """The boxes of a bracket token; None when the bracket is ordinary text ("[2020]", "(see E3)").

    Several readings only for a JSON object with a list of boxes. Never raises.
    """
    if token.kind == "object":
        return _read_object(token, frame) or None
    if _SIMPLE.fullmatch(token.text):
        values = [float(part) for part in token.text[1:-1].split(",")]
        return [_to_box(values, frame, token.start, token.end, [])]
    if token.kind == "angled":
        values = [float(v) for v in re.findall(r"[-+]?\d+(?:\.\d+)?", token.text)]
        return [_to_box(values, frame, token.start, token.end, [])]
    return _read_list(token.text, token.start, frame, in_parens=token.kind == "pair")


def _read_list(text: str, start: int, frame: BoxFrame, *, in_parens: bool) -> list[BoxReading] | Point | None:
    content = _NAME.sub(" ", text[1:-1])
    found = list(_NUMBER.finditer(content))
    if len(found) < 2 and not _looks_like_box(content):
        return None
    rest = _NUMBER.sub(" ", content).strip(_FILLER)
    if rest:
        if not in_parens and _looks_like_box(content):
            note = (
                "unreadable-box",
                f"{text[:60]!r} looks like a box but its numbers cannot be read; dropped",
            )
            return [BoxReading(None, (note,), start, start + len(text))]
        return None
    values = [float(m["value"].replace("−", "-")) for m in found]
    if len(values) == 2:
        return Point(values[0], values[1]) if in_parens else None
    if in_parens and len(values) not in (4, 5):
        return None
    notes: list[tuple[str, str]] = []
    units = {m["unit"] for m in found if m["unit"]}
    values = _without_units(values, units, frame, notes)
    return [_to_box(values, frame, start, start + len(text), notes)]


def _looks_like_box(content: str) -> bool:
    digits = sum(c.isdigit() for c in content)
    return (
        digits >= 4 and len(re.findall(r"\d+", content)) >= 3 and digits * 2 >= len(content.replace(" ", ""))
    )


def _without_units(
    values: list[float], units: set[str], frame: BoxFrame, notes: list[tuple[str, str]]
) -> list[float]:
    percent = bool(units & {"%", "％"})
    if percent and frame is BoxFrame.PER_MILLE and len(values) == 4:
        notes.append(("percent", "the box is written in percent; taken times ten"))
        return [10 * v for v in values]
    if units - {"°", "deg"} and not (percent and frame is BoxFrame.PERCENT_ANGLE):
        notes.append(("units", f"units in a box ({', '.join(sorted(units))}) were left out"))
    return values


def _read_object(token: Token, frame: BoxFrame) -> list[BoxReading]:
    key = _OBJECT_BOX.search(token.text)
    if key is None:
        return []
    label = _OBJECT_LABEL.search(token.text)
    name, name_start = (label[1], token.start + label.start(1)) if label else ("", 0)
    readings: list[BoxReading] = []
    for inner in _INNER_LIST.finditer(token.text, key.end()):
        read = _read_list(inner.group(), token.start + inner.start(), frame, in_parens=False)
        if isinstance(read, list):
            readings += [
                BoxReading(r.box, r.notes, r.numbers_start, r.numbers_end, name, name_start) for r in read
            ]
    return readings


def _to_box(
    values: list[float], frame: BoxFrame, start: int, end: int, notes: list[tuple[str, str]]
) -> BoxReading:
    count = len(values)
    angle: float | None = None
    if count == 5:
        if frame.has_angle:
            angle = values[4]
        else:
            notes.append(
                ("five-numbers", "a box with five numbers; the fifth is no coordinate and was left out")
            )
    elif count == 8:
        notes.append(("eight-numbers", "a box given by four corners; taken as the rectangle around them"))
        xs, ys = values[0::2], values[1::2]
        values = [min(xs), min(ys), max(xs), max(ys)]
    elif count != 4:
        notes.append(("box-numbers", f"a box has four numbers, this one has {count}; dropped"))
        return BoxReading(None, tuple(notes), start, end)
    return BoxReading(order(values[:4], angle, frame, notes), tuple(notes), start, end)


def order(
    values: list[float], angle: float | None, frame: BoxFrame, notes: list[tuple[str, str]]
) -> ModelBox:
    """The box with x0 <= x1 and y0 <= y1; notes what was swapped, scaled, or lies outside the frame."""
    scale = frame.full_scale
    if scale is not None and max(values) <= 1 and any(v != int(v) for v in values):
        notes.append(("fractions", f"the box is written in fractions of the image; taken times {scale:g}"))
        values = [v * scale for v in values]
    x0, y0, x1, y1 = values
    if x0 > x1 or y0 > y1:
        notes.append(("box-order", "the box's corners are not left, top, right, bottom; sorted"))
        x0, x1, y0, y1 = min(x0, x1), max(x0, x1), min(y0, y1), max(y0, y1)
    if min(x0, y0) < 0 or (scale is not None and max(x1, y1) > scale):
        limit = f"0 to {scale:g}" if scale is not None else "the image"
        notes.append(("outside", f"the box reaches outside {limit}; kept as written"))
    return ModelBox(x0, y0, x1, y1, angle)

"""The four parts of a rationale's text, read strictly: whatever the engine's parser would have to mend is refused.

Knows the canonical form (`groundproof.protocol.grammar`). Refuses to know what is true.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from groundproof.protocol.grammar import TAGS

_WHOLE = re.compile(
    r"\s*<think>\s*<plan>(?P<plan>.*?)</plan>\s*<evidence>(?P<evidence>.*?)</evidence>\s*"
    r"<synthesis>(?P<synthesis>.*?)</synthesis>\s*</think>\s*<answer>(?P<answer>.*?)</answer>\s*",
    re.DOTALL,
)
_BOX = r"\[[\d\s.,+-]{7,}\]|\{[<>\d\s.,|+-]{7,}\}"
ANY_BOX = re.compile(_BOX)
_LINE = re.compile(
    rf"\s*E(?P<number>\d{{1,5}})[\s:.,)]+(?P<text>[^\[\]{{}}]+?)[\s,:;]*(?P<box>{_BOX})\s*[.;]?\s*"
)
_NOTHING = re.compile(
    r"\s*No (?P<what>[^.\[\]{}]{1,160}?) (?:is|are) (?:visible|present|there|seen|found)"
    r"(?: in (?:the|this) \w+)?\.?\s*",
    re.IGNORECASE,
)
_MARKUP = re.compile(
    rf"</?(?:{'|'.join(TAGS)})\b|<\|[a-z_]+\|>|<[!?]|```|https?://|</?[a-z]+\b[^<>]*>", re.IGNORECASE
)


class ShapeError(Exception):
    """The text has not the canonical form; `str` is a sentence that says what to write instead."""


@dataclass(frozen=True, slots=True)
class Line:
    """One evidence sentence. number: as written behind E. text: without number and box."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Shape:
    """The parts, trimmed. lines: evidence with boxes; absent: what a lone "No ... is visible." says is not there."""

    plan: str
    lines: tuple[Line, ...]
    absent: str
    synthesis: str
    answer: str


def read_shape(text: str) -> Shape:
    """Raises ShapeError."""
    whole = _WHOLE.fullmatch(text)
    if whole is None:
        raise ShapeError(_what_is_wrong(text))
    parts = {name: " ".join(part.split()) for name, part in whole.groupdict().items()}
    for name, part in parts.items():
        if found := _MARKUP.search(part):
            raise ShapeError(f"The {name} holds {found[0]!r}; write plain sentences inside the tags.")
        if not part and name != "evidence":
            raise ShapeError(f"The {name} is empty; fill it.")
    for name in ("plan", "synthesis"):
        if found := ANY_BOX.search(parts[name]):
            raise ShapeError(
                f"The {name} holds the box {found[0]}; write boxes in evidence and answer only, and name them by their "
                "E-numbers elsewhere."
            )
    lines, absent = _lines(parts["evidence"])
    for place, line in enumerate(lines, start=1):
        if line.number != place:
            raise ShapeError(
                f"The evidence has E{line.number} where E{place} is due; number from E1 without gaps."
            )
    return Shape(parts["plan"], lines, absent, parts["synthesis"], parts["answer"])


def _lines(evidence: str) -> tuple[tuple[Line, ...], str]:
    if nothing := _NOTHING.fullmatch(evidence):
        return (), nothing["what"].strip()
    lines: list[Line] = []
    at = 0
    while at < len(evidence):
        match = _LINE.match(evidence, at)
        if match is None:
            raise ShapeError(
                f"The evidence cannot be read from {evidence[at : at + 60]!r} on; write each sentence as "
                '"E1 what it is, where it is [box]. ", or "No ... is visible." alone.'
            )
        lines.append(Line(int(match["number"]), match["text"].strip()))
        at = match.end()
    return tuple(lines), ""


def _what_is_wrong(text: str) -> str:
    if not text.strip():
        return "The text is empty."
    for tag in TAGS:
        opened, closed = text.count(f"<{tag}>"), text.count(f"</{tag}>")
        if opened != 1 or closed != 1:
            return f"<{tag}> stands {opened} times and </{tag}> {closed} times; each tag must stand exactly once."
    return (
        "The text has not the form <think><plan>..</plan><evidence>..</evidence><synthesis>..</synthesis></think>"
        "<answer>..</answer>; write nothing before, between or behind these tags."
    )

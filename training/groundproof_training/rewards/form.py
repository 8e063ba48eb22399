"""Whether a completion has the form it should: each tag once, in order, nothing outside. Refuses to know contents."""

from __future__ import annotations

import re

from groundproof.protocol.grammar import TAGS
from groundproof_training.samples import Form

_OUTER = re.compile(r"\s*<think>(?P<think>.*)</think>\s*<answer>(?P<answer>.*)</answer>\s*", re.DOTALL)
_ANSWER = re.compile(r"\s*<answer>(?P<answer>.*)</answer>\s*", re.DOTALL)
_SECTIONS = re.compile(
    r"\s*<plan>(.*)</plan>\s*<evidence>(.*)</evidence>\s*<synthesis>(.*)</synthesis>\s*", re.DOTALL
)
_BOUNDS = ("think", "answer")
_INNER = tuple(tag for tag in TAGS if tag not in _BOUNDS)


def _once(text: str, tag: str) -> bool:
    return text.count(f"<{tag}>") == text.count(f"</{tag}>") == 1


def _absent(text: str, tag: str) -> bool:
    return f"<{tag}>" not in text and f"</{tag}>" not in text


def is_well_formed(text: str, form: Form) -> bool:
    """One `<think>` with something in it, then one `<answer>` with something in it, and nothing outside but white
    space; for `Form.ANSWER` the answer alone. A truncated completion lacks its end, so it is not."""
    if form is Form.ANSWER:
        match = _ANSWER.fullmatch(text)
        alone = _once(text, "answer") and _absent(text, "think")
        return match is not None and alone and bool(match["answer"].strip())
    match = _OUTER.fullmatch(text)
    if not match or not all(_once(text, tag) for tag in _BOUNDS):
        return False
    return bool(match["think"].strip()) and bool(match["answer"].strip())


def is_exact(text: str, form: Form) -> bool:
    """`is_well_formed`, and inside `<think>`, for `Form.GEO_COT`, plan, evidence and synthesis, once each, in that
    order, none empty, nothing between them; for the other forms, no tag of the protocol at all."""
    if not is_well_formed(text, form):
        return False
    if form is not Form.GEO_COT:
        return all(_absent(text, tag) for tag in _INNER)
    match = _OUTER.fullmatch(text)
    inside = _SECTIONS.fullmatch(match["think"]) if match else None
    if inside is None or not all(_once(text, tag) for tag in _INNER):
        return False
    return all(part.strip() for part in inside.groups())

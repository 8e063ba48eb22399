"""What an answer says to a machine, and which counts sentences state.

Knows yes and no, numbers before and behind nouns. Refuses to know boxes' places; whether a stated count is
true is for `audit`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from groundproof.labels import KNOWN, cut_phrase, is_kind_of, normalise
from groundproof.number_words import WrittenNumber, numbers_in, read_count
from groundproof.protocol.tasks import Task
from groundproof.trace.prose import asked_in

Value = int | float | bool | str | None

MAX_CLAIM_TEXT = 4000
"""Characters of synthesis or answer read for counts; beyond, a text repeats itself."""

_YES = re.compile(r"\W*(?:yes|yeah|yep|true|ja|oui|s[ií]|是的?|有|correct)\b", re.IGNORECASE)
_NO = re.compile(r"\W*(?:no|nope|false|nein|non|不是|没有|否|incorrect)\b(?!\s+[^\W\d_])", re.IGNORECASE)
_NONE_THERE = re.compile(
    r"\b(?:there (?:is|are|was|were) (?:no|not|none)|no\s+[\w\s]{1,40}\b(?:is|are|visible|present|found"
    r"|seen)|none"
    r"|nothing|not? (?:visible|present|found|seen)|cannot (?:see|find))\b",
    re.IGNORECASE,
)
_THERE = re.compile(
    r"\W*(?:there (?:is|are)|i can see|(?:an?|the|some) [\w\s]{1,40}\b(?:is|are) (?:visible|present|there))\b",
    re.IGNORECASE,
)
_BRACKETS = re.compile(r"\[[\[\]\d\s.,;-]*\]|\{[<>\d|.\s-]*\}|\([\d\s.,-]{7,}\)")
_IN_ALL = re.compile(r"\s*,?\s*(?:in (?:all|total)|altogether|overall)\b", re.IGNORECASE)
_TOTAL_OF = re.compile(
    r"\b(?:total(?:\s+(?:number|count))?(?:\s+of)?|count)\s*(?:is|are|=|:|of)?\s*\Z", re.IGNORECASE
)
_SENTENCE = re.compile(r"(?<=[.!?;。；])\s+|[\n。；]+")
_NOT_A_COUNT = re.compile(
    r"(?:\b(?:image|picture|evidence|row|step|box|figure|date|e)|#)\s*\Z", re.IGNORECASE
)
_NOUN_NUMBER = re.compile(r"(?P<noun>[^\W\d_][\w -]{1,40}?)\s*[:=]\s*\Z")


def read_value(text: str, task: Task | None, asked: tuple[str, ...], *, has_boxes: bool) -> Value:
    """The answer as a value: int for a count, bool for yes/no, None for boxes and what cannot be read.

    task None: read as what it looks like. Everything else is the text without a final full stop.
    """
    plain = _BRACKETS.sub(" ", text[:MAX_CLAIM_TEXT]).strip()
    if task is Task.COUNT:
        return _count(plain, asked)
    if task in (Task.DETECT, Task.GROUND):
        return None
    said = yes_or_no(plain) if task in (Task.VQA, None) else None
    if said is not None:
        return said
    if task in (Task.VQA, None) and len(plain) < 40:
        number = _bare_number(plain)
        if number is not None:
            return number
    if has_boxes and not re.search(r"[^\W_]", plain):
        return None
    whole = text.strip()
    return (whole[:-1].rstrip() if whole.endswith(".") and "." not in whole[:-1] else whole) or None


def yes_or_no(text: str) -> bool | None:
    """What an answer to "is there" says; None when it says neither.

    "No" alone or before a comma is a no; "No airplane is visible" and "There are no ships" too.
    """
    head = text[:200]
    if _YES.match(head):
        return True
    if _NO.match(head) or (re.match(r"\W*(?:no|none|there (?:is|are) no)\b", head, re.IGNORECASE) and
                           len(head) < 120 and _NONE_THERE.search(head)):  # fmt: skip
        return False
    if _THERE.match(head) and len(text) < 120 and not re.search(r"\bnot?\b", head) and not numbers_in(head):
        return True
    return None


def says_none(text: str) -> bool:
    """True when an answer that should hold boxes says that there are none: "[]", "none", "no ships"."""
    short = text[:200]
    return bool(re.search(r"\[\s*\]|\bnone\b|\bno\b", short, re.IGNORECASE) or _NONE_THERE.search(short))


def _count(text: str, asked: tuple[str, ...]) -> int | None:
    """The count an answer to "how many" states; over several labels, the sum of what is stated."""
    number = _bare_number(text)
    if isinstance(number, int):
        return number
    if "total" not in text.lower():
        stated: dict[str, int] = {}
        for label, n in sentence_counts(text, asked):
            if not asked or any(is_kind_of(label, one) for one in asked):
                stated.setdefault(label, n)
        if stated and (asked or len(stated) == 1):
            return sum(stated.values())
    return read_count(text)


def _bare_number(text: str) -> int | None:
    numbers = numbers_in(text[:60]) if len(text) <= 60 else []
    if len(numbers) == 1:
        rest = text[: numbers[0].start] + text[numbers[0].end :]
        if not re.search(r"[^\W_]", rest):
            return numbers[0].value
    return None


def stated_counts(
    synthesis: str, answer: str, value: Value, task: Task | None, asked: tuple[str, ...], seen: Iterable[str]
) -> tuple[tuple[str, int], ...]:
    """(label or "", number) pairs that the synthesis and the answer state, each once, in order.

    Only nouns that are known objects, asked for, or `seen` (labels of evidence) count: "2 rows" states
    nothing about objects. An answer that is a bare number counts what was asked.
    """
    pairs = list(sentence_counts(synthesis, asked, seen))
    answer_pairs = list(sentence_counts(answer, asked, seen))
    if (
        not answer_pairs
        and isinstance(value, int)
        and not isinstance(value, bool)
        and task in (Task.COUNT, None)
    ):
        answer_pairs.append((asked[0] if len(asked) == 1 else "", value))
    return tuple(dict.fromkeys(pairs + answer_pairs))


def sentence_counts(text: str, asked: tuple[str, ...], seen: Iterable[str] = ()) -> list[tuple[str, int]]:
    """The counts of one text; see `stated_counts`."""
    plain = _BRACKETS.sub(" ", text[:MAX_CLAIM_TEXT])
    nouns = {*asked, *seen}
    pairs: list[tuple[str, int]] = []
    for sentence in _SENTENCE.split(plain):
        if not sentence:
            continue
        numbers = numbers_in(sentence)
        for i, number in enumerate(numbers):
            until = numbers[i + 1].start if i + 1 < len(numbers) else len(sentence)
            label = _counted(sentence, number, until, nouns, asked)
            if label is not None:
                pairs.append((label, number.value))
    return pairs


def _counted(
    sentence: str, number: WrittenNumber, until: int, nouns: set[str], asked: tuple[str, ...]
) -> str | None:
    """What a number counts: a label, "" for a total of something unnamed, None for no count of objects."""
    before, after = sentence[: number.start], sentence[number.end : until]
    if _NOT_A_COUNT.search(before[-20:]):
        return None
    phrase = cut_phrase(after.lstrip(" *_"))
    label = normalise(phrase) if phrase and len(phrase) < 80 else ""
    if label and _is_object(label, nouns):
        return label
    noun = _NOUN_NUMBER.search(before[-60:])
    if noun and (label := _object_at_end(noun["noun"], nouns)):
        return label
    if _IN_ALL.match(after) or _TOTAL_OF.search(before[-40:]):
        named = asked_in(sentence, tuple(sorted(nouns))) if nouns else []
        named = [name for name in named if name in nouns] or named
        return named[0] if len(named) == 1 else _object_at_end(before, nouns) if not named else ""
    return None


def _object_at_end(text: str, nouns: set[str]) -> str:
    """The known object that the last words of a text name, else ""."""
    words = re.findall(r"[^\W\d_]+", text[-60:])
    for length in (3, 2, 1):
        label = normalise(" ".join(words[-length:]))
        if label and _is_object(label, nouns):
            return label
    return ""


def _is_object(label: str, nouns: set[str]) -> bool:
    return label in KNOWN or label in nouns or any(is_kind_of(label, one) for one in nouns)

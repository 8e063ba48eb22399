"""Whether an answer is the true one, by task.

Knows the sample's answer as it would be written for the model. Refuses to know the rationale around it.
"""

from __future__ import annotations

import re

import numpy as np

from groundproof.models.profile import Profile
from groundproof.number_words import numbers_in
from groundproof.protocol import Task
from groundproof.trace import Trace, parse
from groundproof_training.rationales.citing import assign, ious
from groundproof_training.rationales.shape import ANY_BOX
from groundproof_training.samples import Sample, answer_of, class_name, write_box

Size = tuple[int, int]


def plain(text: str) -> str:
    """Words and numbers alone, in small letters, without boxes: how answers are compared."""
    return " ".join(re.findall(r"[^\W_]+", ANY_BOX.sub(" ", text).casefold()))


def wrong_answer(
    said: str, trace: Trace, sample: Sample, profile: Profile, seen: tuple[Size, ...], min_iou: float
) -> str:
    """A sentence that says what the answer must be; "" where it is right.

    said: as written inside `<answer>`. trace: of the whole text.
    """
    true = answer_of(sample, profile, seen)
    if sample.task in (Task.DETECT, Task.GROUND):
        return _boxes(said, trace, sample, profile, seen, min_iou, true)
    if sample.task is Task.COUNT and re.fullmatch(r"\s*\d+\s*", true):
        right = trace.value == int(true) and re.fullmatch(r"\d+", said) is not None
        return "" if right else f"The answer is {said[:80]!r}; it must be the number {true.strip()} alone."
    if sample.task is Task.CLASSIFY:
        return _classes(said, sample, true)
    if said != true and plain(said) not in {
        plain(t) for t in (true, *sample.answers, *sample.captions) if plain(t)
    }:
        return f"The answer is {said[:80]!r}; it must be {true!r}, word for word."
    expected = parse(f"<answer>{true}</answer>", profile.frame, sample.task).answer_boxes
    overlap = ious([e.box for e in trace.answer_boxes], [e.box for e in expected])
    if len(expected) != len(trace.answer_boxes) or (overlap.size and overlap.diagonal().min() < min_iou):
        return f"The boxes of the answer must be those of {true!r}, in that order."
    return ""


_CONCLUDED = re.compile(
    r"(?:\b(?:answer|result|total|count)\b[^.;:]{0,20}?(?:\bis\b|\bare\b|:|=)"
    r"|\b(?:so|thus|hence|therefore)\b[,:]?|(?:\A|(?<=[.;!])\s))"
    r"\s*(?P<said>(?!(?:so|thus|hence|therefore)\b)[\w-]+)(?=\s*(?:[.,;:!]|\Z))",
    re.IGNORECASE,
)


def contradicted(synthesis: str, sample: Sample) -> str:
    """The words of a synthesis that conclude another yes, no or number than the answer is; "" where none do."""
    true = sample.answer.strip().casefold().rstrip(".")
    if true not in ("yes", "no") and not re.fullmatch(r"\d{1,9}", true):
        return ""
    for match in _CONCLUDED.finditer(synthesis):
        said = match["said"].casefold()
        numbers = numbers_in(said)
        number = str(numbers[0].value) if numbers and numbers[0].end - numbers[0].start == len(said) else ""
        if (true in ("yes", "no") and said in ("yes", "no") and said != true) or (
            true.isdecimal() and number and number != true
        ):
            return " ".join(match[0].split())
    return ""


def _boxes(
    said: str,
    trace: Trace,
    sample: Sample,
    profile: Profile,
    seen: tuple[Size, ...],
    min_iou: float,
    true: str,
) -> str:
    wanted = [write_box(b, sample.images[b.image], profile.frame, seen[b.image]) for b in sample.counted]
    if not wanted:
        return (
            ""
            if plain(said) == "" and "[]" in said.replace(" ", "")
            else "The answer must be [], for there is none."
        )
    overlap = ious([e.box for e in trace.answer_boxes], wanted)
    found = assign(overlap, np.ones(overlap.shape, dtype=bool), min_iou)
    if plain(said):
        return f"The answer holds words ({said[:60]!r}); it must be the list of boxes alone."
    if len(found) == len(wanted) and None not in found:
        return ""
    shown = true if len(true) <= 400 else f"{true[:400]}..."
    return (
        f"The answer has {len(found)} boxes, {sum(k is not None for k in found)} of them true; it must have the "
        f"{len(wanted)} true boxes: {shown}."
    )


def _classes(said: str, sample: Sample, true: str) -> str:
    """Names may hold commas, so true names are taken out of the answer, and nothing may be left."""
    left = class_name(said).strip(" .")
    for name in sorted({class_name(name) for name in sample.answers or (true,)}, key=len, reverse=True):
        found = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", left)
        if found is None:
            return f"The answer is {said[:80]!r}; it must be {true!r}."
        left = left[: found.start()] + left[found.end() :]
    extra = re.sub(r"\band\b|[\s,;.]", "", left)
    return f"The answer is {said[:80]!r}; it must be {true!r} and nothing else." if extra else ""

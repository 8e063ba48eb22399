"""One question and answer of an instruction set as a sample: task, markers, boxes, closed lists.

Knows what GeoChat's and EarthDial's tags mean and what a text without tags looks like. Refuses to know files.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from groundproof.protocol import Task, infer_task
from groundproof_training.readers.base import Problems
from groundproof_training.readers.clc import split_classes
from groundproof_training.readers.sources import make
from groundproof_training.readers.texts import (
    PERCENT,
    Grid,
    WrittenBox,
    classes_in,
    labels_of,
    lift,
    phrases_in,
    plain,
    tags_of,
    true_box,
)
from groundproof_training.samples import Sample, SampleImage, TrueBox, class_name

_OF_TAG = {
    "refer": Task.GROUND,
    "identify": Task.REGION_CAPTION,
    "grounding": Task.GROUNDED_CAPTION,
    "caption": Task.CAPTION,
    "classify": Task.CLASSIFY,
    "changedet": Task.CHANGE,
    "vqa": Task.VQA,
}
_MANY = ("answer with a list", "which ones", "all that apply")


@dataclass(frozen=True, slots=True)
class Turn:
    """A question with its answer as written. captions: further references. fields: what the sample shares with others
    of its source, `sample_id`, `source`, `split` and `licence` among them. on: which image boxes lie on. task: None
    means what tags and texts say."""

    question: str
    answer: str
    images: tuple[SampleImage, ...]
    fields: dict[str, Any]
    grid: Grid = PERCENT
    captions: tuple[str, ...] = ()
    on: int = 0
    task: Task | None = None
    choices: tuple[str, ...] = ()
    meta: dict[str, str] = field(default_factory=dict)


def sample_of(turn: Turn, problems: Problems, where: str) -> Sample | None:
    """The sample; None, and a problem noted, where a box of it cannot be right or a part is missing."""
    question, asked_about = lift(turn.question, "region")
    answer, found = lift(turn.answer, "box")
    question, answer = plain(question), plain(answer)
    if not question or not answer:
        problems.add("broken label", where, "an empty " + ("answer" if question else "question"))
        return None
    task = turn.task or task_of(
        turn.question, question, answer, len(turn.images), bool(asked_about), bool(found)
    )
    if task is Task.GROUND and not found:
        problems.add("no box", where, f"the answer to a reference has none: {answer[:60]!r}")
        return None
    if task is Task.GROUND:
        found = _named_by_question(turn.question, found)
    size = turn.images[turn.on].shown_size
    try:
        boxes = tuple(true_box(b, size, turn.grid, b.label or "object", turn.on) for b in found)
        regions = tuple(true_box(b, size, turn.grid, b.label or "region", turn.on) for b in asked_about)
    except ValueError as err:
        problems.add("box outside" if "outside" in str(err) else "broken box", where, str(err))
        return None
    fields: dict[str, Any] = {**turn.fields, "meta": {**turn.fields.get("meta", {}), **turn.meta}}
    if task is Task.CLASSIFY:
        fields |= _classification(turn, question, answer)
    elif task is Task.GROUND:
        fields |= {"asked": _asked(boxes), "answer": ""}
    else:
        fields |= {"answer": answer, "captions": _captions(task, turn, answer)}
    return make(
        problems, where, **fields, task=task, images=turn.images, question=question, boxes=boxes, regions=regions,
        complete=task is Task.GROUND,
    )  # fmt: skip


def task_of(raw: str, question: str, answer: str, n_images: int, has_region: bool, has_boxes: bool) -> Task:
    """By the tag of the raw question where it has one; without a tag by what the texts hold.

    A question about one picture that asks for a number stays vqa: these sets give no box for what is counted.
    """
    closed = bool(classes_in(question)) or any(words in question.casefold() for words in _MANY)
    for tag in tags_of(raw):
        task = _OF_TAG.get(tag)
        if task is None:
            continue
        if task in (Task.CHANGE, Task.REGION_CAPTION) and closed:
            return Task.CLASSIFY
        if task is Task.GROUNDED_CAPTION and not has_boxes:
            return Task.CHANGE if n_images > 1 else Task.CAPTION
        return task
    if closed and not has_boxes:
        return Task.CLASSIFY
    if has_boxes:
        only = not answer.replace(",", " ").replace("<box:", "").replace(">", "").strip(" 0123456789.[]")
        return Task.GROUND if only else Task.GROUNDED_CAPTION
    if has_region:
        return Task.REGION_CAPTION
    if n_images > 1:
        return Task.CHANGE
    guess = infer_task(question[:2000]).task
    return Task.CAPTION if guess in (Task.CAPTION, Task.GROUNDED_CAPTION) else Task.VQA


def _named_by_question(raw: str, found: Sequence[WrittenBox]) -> list[WrittenBox]:
    phrases = phrases_in(raw)
    phrase = phrases[0] if phrases else ""
    labels = labels_of(phrase, len(found)) if phrase else ("object",) * len(found)
    return [replace(box, phrase=phrase, label=label) for box, label in zip(found, labels, strict=True)]


def _asked(boxes: tuple[TrueBox, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(box.label for box in boxes if box.label != "object"))


def _classification(turn: Turn, question: str, answer: str) -> dict[str, Any]:
    choices = turn.choices or classes_in(question)
    many = any(words in question.casefold() for words in _MANY)
    named = split_classes(answer) if many else (answer.rstrip("."),)
    answers = tuple(dict.fromkeys(_of_list(class_name(name), choices) for name in named))
    return {"answer": ", ".join(answers), "answers": answers, "choices": choices}


def _of_list(name: str, choices: tuple[str, ...]) -> str:
    """The spelling of the closed list: "mediumresidential" -> "medium residential"."""
    together = name.replace(" ", "")
    return next((choice for choice in choices if choice.replace(" ", "") == together), name)


def _captions(task: Task, turn: Turn, answer: str) -> tuple[str, ...]:
    if task not in (Task.CAPTION, Task.REGION_CAPTION, Task.GROUNDED_CAPTION, Task.CHANGE):
        return ()
    said = re.sub(r",? ?<box:\d+>", "", answer)
    return (said, *(plain(c) for c in turn.captions if plain(c)))

"""A row of a question, its truth and a model's text as a case: which family it is, what is true, what was said.

Knows texts with boxes in them. Refuses to know files and the names of their keys.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from enum import StrEnum

from groundproof.boxes import BoxFrame
from groundproof.errors import UsageError
from groundproof.protocol import Task, target_labels
from groundproof.trace import TraceEvidence, parse
from groundproof.trace.claims import says_none
from groundproof_training.evaluation.cases import (
    NO_BOXES,
    BoxSet,
    Case,
    Family,
    Said,
    Status,
    Truth,
    px_facts,
)
from groundproof_training.evaluation.prediction_files.base import FileOptions, Frame, Tally
from groundproof_training.evaluation.prediction_files.frames import Extent, box_set
from groundproof_training.metrics.counting import read_single
from groundproof_training.metrics.text import Kind, kind_of
from groundproof_training.readers.clc import split_classes
from groundproof_training.readers.texts import (
    WrittenBox,
    boxes_in,
    classes_in,
    lift,
    object_in,
    objects_in,
    phrases_in,
    plain,
)
from groundproof_training.readers.turns import task_of

FAMILY_OF = {
    Task.COUNT: Family.COUNTING,
    Task.DETECT: Family.DETECTION,
    Task.GROUND: Family.DETECTION,
    Task.CLASSIFY: Family.CLASSIFICATION,
    Task.VQA: Family.VQA,
    Task.CAPTION: Family.CAPTIONING,
    Task.REGION_CAPTION: Family.CAPTIONING,
    Task.GROUNDED_CAPTION: Family.CAPTIONING,
    Task.CHANGE: Family.CAPTIONING,
}
"""References in these files name any number of objects, so they are compared as detections are."""
TASK_OF = {
    Family.GROUNDING: Task.GROUND,
    Family.DETECTION: Task.DETECT,
    Family.COUNTING: Task.COUNT,
    Family.CLASSIFICATION: Task.CLASSIFY,
    Family.VQA: Task.VQA,
    Family.CAPTIONING: Task.CAPTION,
}

_MANY = ("answer with a list", "which ones", "all that apply")
_MARKER = re.compile(r"[,;]? ?<(?:box|region):\d+>")
_RUNS = (
    (re.compile(r"\s{32,}"), " "),
    (re.compile(r"(?:\[\s*){9,}"), "[" * 8),
    (re.compile(r"(?:\]\s*){9,}"), "]" * 8),
)
"""What a model repeats without end: taking boxes out of such a text would take time by its length squared."""
MAX_TEXT = 200_000
"""Characters of an answer that are read; nothing longer was meant as one."""


class Notation(StrEnum):
    """How an answer is read."""

    GRID = "grid"
    """Boxes wherever they stand: `[[x, y, x, y, angle]]`, `{<x><y><x><y>|<angle>}`."""
    GEO_COT = "geo-cot"
    """By the engine's parser: a rationale, then the answer."""


@dataclass(frozen=True, slots=True)
class TextRow:
    """A question with its truth, before it is known what family it is. truth: as written. references: further right
    texts. n_images: how many the question shows. size: of the image, px, where known. task: None: by its content."""

    where: str
    case_id: str
    group: str
    question: str
    truth: str
    references: tuple[str, ...] = ()
    meta: dict[str, str] = field(default_factory=dict)
    n_images: int = 1
    size: tuple[float, float] | None = None
    task: Task | None = None
    family: Family | None = None


@dataclass(slots=True)
class TextCases:
    """Makes cases of rows in one frame, and watches what the frame looks like. said, true: how far the boxes reach."""

    frame: Frame
    options: FileOptions
    tally: Tally
    notation: Notation
    said: Extent = field(default_factory=Extent)
    true: Extent = field(default_factory=Extent)

    def posed(self, row: TextRow) -> Case | None:
        """The row's question and truth as a case without an answer yet; None, and the row left out, where the truth
        cannot be one."""
        question, regions = lift(calm(row.question), "region")
        truth, found = lift(calm(row.truth), "box")
        words, said = plain(question), plain(truth)
        task = row.task or _task(row, words, said, regions=bool(regions), boxes=bool(found))
        family = self.options.family or row.family or FAMILY_OF[task]
        if FAMILY_OF[task] is not family and not (task is Task.GROUND and family is Family.GROUNDING):
            task = TASK_OF[family]
        on_boxes = family in (Family.DETECTION, Family.GROUNDING)
        if on_boxes and not found and not _nothing(row.truth):
            self.tally.leave_out("no truth", row.where, f"no box in what should be true: {row.truth[:60]!r}")
            return None
        if not on_boxes and not said.strip():
            self.tally.leave_out("no truth", row.where, "what should be true is empty")
            return None
        image = _on(row.question, row.n_images)
        boxes = None
        if on_boxes or (task is Task.GROUNDED_CAPTION and found):
            boxes = self._boxes(found, image)
            self.true.add(boxes.xyxy, self._size(row))
        meta = {key: value for key, value in row.meta.items() if value}
        if on_boxes:
            meta.setdefault("number", {0: "none", 1: "single"}.get(len(found), "multiple"))
        return Case(
            case_id=row.case_id,
            group=row.group,
            family=family,
            task=task,
            question=words,
            truth=_truth(row, family, boxes, on_boxes=on_boxes),
            said=Said(status=Status.MISSING),
            size=self._size(row),
            asked=_asked(row, task),
            choices=classes_in(words) if family is Family.CLASSIFICATION else (),
            meta={**meta, **(px_facts(row.size) if self.frame.full is None else {})},
        )

    def answered(
        self, case: Case, text: str | None, where: str, n_images: int = 1, raw_question: str = ""
    ) -> Case:
        """The case with what was said. None: nothing was, which is noted and stays a wrong answer."""
        if text is None:
            self.tally.note("no answer", where, "the row has no answer; it counts as a wrong one")
            return case
        image = _on(raw_question or case.question, n_images)
        text = text[:MAX_TEXT]
        said = self._by_parser(case, text, image) if self.notation is Notation.GEO_COT else None
        said = said or self._by_grid(case, text, image)
        if said.status is Status.UNREADABLE:
            self.tally.note("unreadable answer", where, f"{text[:80]!r}; it counts as a wrong one")
        self.said.add(said.boxes.xyxy, case.size)
        return replace(case, said=said)

    def _size(self, row: TextRow) -> tuple[float, float] | None:
        full = self.frame.full
        return row.size if full is None else (full, full)

    def _boxes(self, found: list[WrittenBox], image: int) -> BoxSet:
        return box_set(
            [box.numbers for box in found],
            [box.angle_deg for box in found],
            clockwise=self.options.clockwise is not False,
            image=image,
        )

    def _by_grid(self, case: Case, text: str, image: int) -> Said:
        think, answer = parted(text)
        boxes = self._boxes(boxes_in(answer), image)
        evidence = self._boxes(boxes_in(think), image) if think is not None else None
        return _said(case, text, answer, boxes, evidence)

    def _by_parser(self, case: Case, text: str, image: int) -> Said | None:
        """By the engine's parser, which knows torn and nested tags; None for boxes it does not know, such as 5 numbers
        in a frame without angles."""
        trace = parse(text, BoxFrame.RESIZED_PIXELS_ANGLE, case.task, case.asked)
        if not trace.usable:
            return None
        evidence = self._traced(trace.evidence, image) if trace.has_rationale else None
        return _said(case, text, trace.answer, self._traced(trace.answer_boxes, image), evidence)

    def _traced(self, found: tuple[TraceEvidence, ...], image: int) -> BoxSet:
        return box_set(
            [(one.box.x0, one.box.y0, one.box.x1, one.box.y1) for one in found],
            [one.box.angle_deg for one in found],
            clockwise=self.options.clockwise is not False,
            image=image,
        )


def parted(text: str) -> tuple[str | None, str]:
    """What stands in `<think>` (None: there is none that ends), and what in the last `<answer>`, else behind it."""
    low = text.lower() if len(text.lower()) == len(text) else text
    think, rest = None, 0
    opened = low.find("<think>")
    closed = low.find("</think>", opened) if opened >= 0 else -1
    if closed >= 0:
        think, rest = text[opened + len("<think>") : closed], closed + len("</think>")
    begin = low.rfind("<answer>", rest)
    if begin < 0:
        return think, text[rest:]
    end = low.find("</answer>", begin)
    return think, text[begin + len("<answer>") : end if end >= 0 else len(text)]


def calm(text: str) -> str:
    """A text without endless runs of blanks and brackets, cut to a length that was meant to be read."""
    text = text[:MAX_TEXT]
    for run, short in _RUNS:
        text = run.sub(short, text)
    return text


def words_in(text: str) -> str:
    """A text without boxes, tags and marks."""
    return plain(_MARKER.sub("", lift(calm(text), "box")[0]))


def _said(case: Case, text: str, answer: str, boxes: BoxSet, evidence: BoxSet | None) -> Said:
    words = words_in(answer)
    on_boxes = case.family in (Family.DETECTION, Family.GROUNDING)
    keep = on_boxes or case.truth.boxes is not None
    count = None if on_boxes or case.family is Family.CAPTIONING else read_single(words)
    if on_boxes:
        readable = len(boxes) > 0 or (bool(answer.strip()) and says_none(answer))
    elif case.family is Family.COUNTING:
        readable = count is not None
    else:
        readable = any(c.isalnum() for c in words)
    return Said(
        text=text,
        answer=answer.strip() if on_boxes else words,
        boxes=boxes if keep else NO_BOXES,
        evidence=evidence,
        count=count,
        status=Status.OK if readable else Status.UNREADABLE,
    )


def _truth(row: TextRow, family: Family, boxes: BoxSet | None, *, on_boxes: bool) -> Truth:
    if on_boxes:
        return Truth(text=row.truth, boxes=boxes)
    words = words_in(row.truth)
    if family is Family.CLASSIFICATION:
        many = any(one in row.question.casefold() for one in _MANY)
        classes = split_classes(words) if many else (words.rstrip("."),)
        return Truth(text=row.truth, texts=(words,), classes=tuple(dict.fromkeys(classes)))
    if family is Family.CAPTIONING:
        references = (words, *(words_in(one) for one in row.references))
        return Truth(
            text=row.truth, texts=tuple(one for one in references if one), boxes=boxes, complete=False
        )
    texts = tuple(dict.fromkeys(one for one in (words, *map(words_in, row.references)) if one))
    number = read_single(words) if family is Family.COUNTING or kind_of(words) is Kind.NUMBER else None
    return Truth(text=row.truth, texts=texts, count=number)


def _task(row: TextRow, question: str, answer: str, *, regions: bool, boxes: bool) -> Task:
    try:
        return task_of(row.question, question or "?", answer, row.n_images, regions, boxes)
    except UsageError:
        return Task.GROUND if boxes else Task.VQA


def _asked(row: TextRow, task: Task) -> tuple[str, ...]:
    """What is asked for: of a marked phrase its kinds ("2 ships 1 pier" has two), else what the engine reads."""
    if task not in (Task.DETECT, Task.GROUND, Task.COUNT, Task.VQA):
        return ()
    phrases = phrases_in(row.question)
    if task is not Task.GROUND or not phrases:
        return target_labels(plain(lift(calm(row.question), "region")[0]), task)
    kinds = [noun for _, noun in objects_in(phrases[0])] or [object_in(phrases[0])]
    return tuple(dict.fromkeys(noun for noun in kinds if noun != "object"))


def _nothing(text: str) -> bool:
    """A truth that says there is no object: "[]", "none"."""
    return bool(text.strip()) and len(text) < 60 and says_none(text)


def _on(question: str, n_images: int) -> int:
    """On which date boxes lie: the last, unless only the one before a disaster is spoken of."""
    words = question.casefold()
    return 0 if "pre-disaster" in words and "post-disaster" not in words else max(n_images, 1) - 1

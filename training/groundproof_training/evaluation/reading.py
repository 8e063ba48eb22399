"""A model's completion -> a case: what it says, read by the engine's own parser, beside what the sample says is true.

Knows completions and samples. Refuses to know models, files and metrics.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from groundproof.boxes import PixelBoxes
from groundproof.georeference import FARTHEST_PX, corners
from groundproof.labels import normalise
from groundproof.models.base import Finish
from groundproof.models.profile import Profile
from groundproof.protocol import Task
from groundproof.trace import Trace, TraceEvidence, parse
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
from groundproof_training.evaluation.questions import Question
from groundproof_training.metrics.boxes import Floats
from groundproof_training.metrics.counting import read_single
from groundproof_training.rewards.reading import Boxes, Reading, Size, form_of, prose, says_boxes
from groundproof_training.rewards.truth import is_absent, references, true_count, wordings
from groundproof_training.samples import Sample, TrueBox, answer_of

SMALL_PX2, MEDIUM_PX2 = 32.0**2, 96.0**2
"""Limits of the size groups where the source has none: COCO's, box area in px of the original."""

BREAKDOWN_FACTS = ("type", "size_group", "class", "number", "unique")
_TEXT_FAMILIES = (Family.CLASSIFICATION, Family.VQA, Family.CAPTIONING)


@dataclass(frozen=True)
class _Scored(Reading):
    """A reading whose boxes have scores. logprobs: see `parse`."""

    logprobs: Sequence[tuple[int, float | None]] = ()

    @cached_property
    def trace(self) -> Trace:
        """As `Reading.trace`."""
        asked = tuple(dict.fromkeys(filter(None, map(normalise, self.sample.asked))))
        return parse(self.text, self.profile.frame, self.sample.task, asked, self.logprobs or None)


def case_of(
    question: Question,
    text: str,
    finish: Finish | None,
    profile: Profile,
    seen: tuple[Size, ...],
    logprobs: Sequence[tuple[int, float | None]] = (),
) -> Case:
    """The case of one completion. finish: why it ended; "error": the model failed and `text` is worth nothing.
    seen: size of each image as the model saw it, px. logprobs: (characters, natural log-probability) of the pieces the
    text came in; where they cover every box, boxes have scores (exp of the mean over the tokens of its numbers).
    Boxes are in px of the whole original image.

    The status is UNREADABLE where nothing of the asked kind can be read: no box and no word that there is none
    (grounding, detection), no single number (counting), no word beside boxes (all others).
    """
    sample = question.sample
    if finish == "error":
        said = Said(text=text, status=Status.FAILED)
    else:
        said = _said(_Scored(text, sample, profile, seen, form_of(profile), logprobs), question.family)
    return case_with(question, said, profile, seen)


def case_with(question: Question, said: Said, profile: Profile, seen: tuple[Size, ...]) -> Case:
    """The case of what was said, or that nothing was (status MISSING)."""
    sample = question.sample
    image = sample.images[0]
    size = float(image.width), float(image.height)
    return Case(
        case_id=question.case_id,
        group=image.path,
        family=question.family,
        task=sample.task,
        question=sample.question,
        truth=replace(truth_of_sample(sample, profile, seen), points=question.points),
        said=said,
        size=size,
        asked=sample.asked,
        choices=sample.choices,
        meta={**_facts(sample, question.family), **px_facts(size)},
    )


def family_of(sample: Sample) -> Family:
    """The family of a sample's task, where no suite names one. A phrase that names several objects is detection."""
    if sample.task is Task.GROUND:
        return Family.GROUNDING if len(sample.counted) == 1 else Family.DETECTION
    if sample.task is Task.CHANGE:
        return Family.CAPTIONING if sample.captions else Family.VQA
    return _FAMILIES[sample.task]


_FAMILIES = {
    Task.COUNT: Family.COUNTING,
    Task.DETECT: Family.DETECTION,
    Task.CLASSIFY: Family.CLASSIFICATION,
    Task.CAPTION: Family.CAPTIONING,
    Task.REGION_CAPTION: Family.CAPTIONING,
    Task.GROUNDED_CAPTION: Family.CAPTIONING,
    Task.VQA: Family.VQA,
}


def truth_of_sample(sample: Sample, profile: Profile, seen: tuple[Size, ...]) -> Truth:
    """What the sample says is true. text: as a model of this profile would write it; boxes: px of the original, cut
    to what is shown of it."""
    boxes, any_shown = _true_boxes(sample)
    knows_places = bool(sample.boxes) or is_absent(sample)
    text = answer_of(sample, profile, seen) if any_shown or not sample.boxes else sample.answer
    captions = sample.captions or sample.task in (
        Task.CAPTION, Task.REGION_CAPTION, Task.GROUNDED_CAPTION
    )  # fmt: skip
    texts = () if says_boxes(sample.task) else references(sample) if captions else wordings(sample)
    classes: tuple[str, ...] = ()
    if sample.task is Task.CLASSIFY:
        classes = tuple(dict.fromkeys(filter(None, sample.answers or (sample.answer,))))
    return Truth(
        text=text,
        texts=texts,
        classes=classes,
        count=true_count(sample) if sample.task is Task.COUNT else None,
        boxes=boxes if knows_places else None,
        complete=sample.complete,
    )


def _said(reading: Reading, family: Family) -> Said:
    trace = reading.trace
    none = says_none(trace.answer) if trace.answer else False
    count = read_single(trace.answer)
    if count is None and none and family is Family.COUNTING:
        count = 0
    boxes = _boxes(reading.answers, trace.answer_boxes, reading)
    evidence = None if reading.form is None else _boxes(reading.evidence, trace.evidence, reading)
    if family in (Family.GROUNDING, Family.DETECTION):
        readable = len(boxes) > 0 or none
    elif family is Family.COUNTING:
        readable = count is not None
    else:
        readable = bool(prose(trace.answer))
    return Said(
        text=reading.text,
        answer=trace.answer,
        boxes=boxes,
        evidence=evidence,
        count=count,
        status=Status.OK if readable else Status.UNREADABLE,
    )


def _boxes(placed: Boxes, found: list[TraceEvidence] | tuple[TraceEvidence, ...], reading: Reading) -> BoxSet:
    if not len(placed):
        return NO_BOXES
    scores = [one.score for one in found]
    given = np.array(scores, dtype=np.float64) if None not in scores else None
    return BoxSet(placed.xyxy, placed.labels, placed.images, quads=_quads(found, reading), scores=given)


def _quads(found: list[TraceEvidence] | tuple[TraceEvidence, ...], reading: Reading) -> Floats | None:
    """Corners (n, 8), px of the original, of boxes that were written with angles; None where none was."""
    angles = np.array([np.nan if f.box.angle_deg is None else f.box.angle_deg for f in found], dtype=float)
    if not np.isfinite(angles).any():
        return None
    images, full = reading.sample.images, reading.profile.frame.full_scale
    scale, shift = np.ones((len(found), 4)), np.zeros((len(found), 2))
    for row, one in enumerate(found):
        number = one.image if one.image < len(images) else 0
        (width, height), seen = images[number].shown_size, reading.seen[number]
        scale[row] = [width / (full or seen[0]), height / (full or seen[1])] * 2
        shift[row] = images[number].shown[:2]
    rows = np.array([(f.box.x0, f.box.y0, f.box.x1, f.box.y1) for f in found], dtype=float) * scale
    rows = np.clip(rows, -FARTHEST_PX, FARTHEST_PX)
    rows = np.concatenate(
        [np.minimum(rows[:, :2], rows[:, 2:]), np.maximum(rows[:, :2], rows[:, 2:])], axis=1
    )
    turned = corners(PixelBoxes(rows, angles)) + shift[:, None, :]
    return np.asarray(turned, dtype=np.float64).reshape(len(found), 8)


def _true_boxes(sample: Sample) -> tuple[BoxSet, bool]:
    """The boxes that are shown at all, and whether all of them are."""
    rows: list[tuple[float, float, float, float]] = []
    kept: list[TrueBox] = []
    for box in sample.boxes:
        x0, y0, x1, y1 = sample.images[box.image].shown
        row = (max(box.x0, x0), max(box.y0, y0), min(box.x1, x1), min(box.y1, y1))
        if row[0] < row[2] and row[1] < row[3]:
            rows.append(row)
            kept.append(box)
    if not kept:
        return NO_BOXES, False
    quads = None
    if any(box.quad for box in kept):
        quads = np.array(
            [box.quad or _corners_of(row) for box, row in zip(kept, rows, strict=True)], dtype=np.float64
        )
    ignore = np.array([box.ignore for box in kept])
    return BoxSet(
        np.array(rows, dtype=np.float64),
        tuple(box.label for box in kept),
        tuple(box.image for box in kept),
        quads=quads,
        ignore=ignore if ignore.any() else None,
    ), len(kept) == len(sample.boxes)


def _corners_of(row: tuple[float, float, float, float]) -> tuple[float, ...]:
    x0, y0, x1, y1 = row
    return x0, y0, x1, y0, x1, y1, x0, y1


def _facts(sample: Sample, family: Family) -> dict[str, str]:
    """What figures are broken down by, see `scoring.BREAKDOWNS`. The source's own facts come first; a size group is
    ours where the source has none and there is one object (COCO's limits)."""
    facts = {name: sample.meta[name] for name in BREAKDOWN_FACTS if sample.meta.get(name)}
    counted = sample.counted
    if family in (Family.GROUNDING, Family.DETECTION):
        if counted and "number" not in facts:
            facts["number"] = "single" if len(counted) == 1 else "multiple"
        if family is Family.GROUNDING and len(counted) == 1 and "size_group" not in facts:
            x0, y0, x1, y1 = counted[0].xyxy
            area = (x1 - x0) * (y1 - y0)
            facts["size_group"] = "small" if area < SMALL_PX2 else "medium" if area < MEDIUM_PX2 else "large"
    if "class" in facts:
        return facts
    if family is Family.CLASSIFICATION and len(sample.answers or (sample.answer,)) == 1:
        facts["class"] = (sample.answers or (sample.answer,))[0]
    elif family not in _TEXT_FAMILIES and len(sample.asked) == 1:
        facts["class"] = sample.asked[0]
    return facts

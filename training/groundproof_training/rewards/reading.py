"""What a completion says, read once for every reward: well-formed or not, and its boxes in pixels.

Knows the engine's parser and the sample's images. Refuses to know what a reward makes of it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from groundproof.boxes import BoxFrame, ModelBox, PixelBoxes
from groundproof.georeference import FARTHEST_PX, corners
from groundproof.label_tables import LEADING
from groundproof.labels import is_kind_of, normalise
from groundproof.models.profile import Profile
from groundproof.protocol import Task
from groundproof.trace import Trace, TraceEvidence, parse
from groundproof.trace.claims import says_none
from groundproof_training.metrics.boxes import Floats, enclosing, iou_matrix
from groundproof_training.rewards.form import is_well_formed
from groundproof_training.samples import Form, Sample, SampleImage, TrueBox, same_class

SAME_OBJECT_IOU = 0.9
"""Two boxes of the truth that overlap a written box by this are one object annotated twice."""

Size = tuple[int, int]
"""Width and height, px."""


@dataclass(frozen=True, slots=True)
class Boxes:
    """Boxes as columns. xyxy: (n, 4) px of the original image, upright (a turned box is the one around it), cut to
    what is shown; a box without area is zeros. labels: as written, else what the parser calls it; "" for none."""

    xyxy: Floats
    labels: tuple[str, ...]
    images: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.labels)

    def only(self, keep: Sequence[bool]) -> Boxes:
        """Those where `keep` is true."""
        chosen = [i for i, one in enumerate(keep) if one]
        return Boxes(
            self.xyxy[chosen].reshape(-1, 4),
            tuple(self.labels[i] for i in chosen),
            tuple(self.images[i] for i in chosen),
        )


@dataclass(frozen=True)
class Reading:
    """One completion for one sample. form: what the completion should hold; None: a family's own notation."""

    text: str
    sample: Sample
    profile: Profile
    seen: tuple[Size, ...]
    form: Form | None

    @cached_property
    def trace(self) -> Trace:
        """The engine's parse."""
        asked = tuple(dict.fromkeys(filter(None, map(normalise, self.sample.asked))))
        return parse(self.text, self.profile.frame, self.sample.task, asked)

    @cached_property
    def well_formed(self) -> bool:
        """The outer tags once each, in order, with nothing around them (`form.is_well_formed`); what ended too early
        is not, and neither is what repeats itself without end (`trace`'s repair "repetition"). Of a family's own
        notation: whether anything could be read."""
        outer = is_well_formed(self.text, self.form) if self.form else self.trace.usable
        return outer and not any(repair.kind == "repetition" for repair in self.trace.repairs)

    @cached_property
    def evidence(self) -> Boxes:
        """The boxes of the rationale."""
        return _placed(self.trace.evidence, self)

    @cached_property
    def answers(self) -> Boxes:
        """The boxes of the answer."""
        return _placed(self.trace.answer_boxes, self)

    @cached_property
    def truth(self) -> Boxes:
        """The sample's boxes that are asked for."""
        return _true(self.sample, [box for box in self.sample.boxes if not box.ignore])

    @cached_property
    def ignored(self) -> Boxes:
        """The sample's boxes that count neither way."""
        return _true(self.sample, [box for box in self.sample.boxes if box.ignore])


def form_of(profile: Profile) -> Form | None:
    """The form that models of a profile write; None for a notation of their own."""
    return {"geo-cot": Form.GEO_COT, "think": Form.THINK}.get(profile.answer_form)


def overlap_of(said: Boxes, true: Boxes, asked: Sequence[str], *, by_name: bool = True) -> Floats:
    """IoU (n, m), 0 where images or names do not fit, and 0 for copies: the same box written again stays a prediction
    and finds nothing, unless the truth lists that object more than once too (two true boxes of SAME_OBJECT_IOU with
    it)."""
    overlap = iou_matrix(said.xyxy, true.xyxy)
    if not overlap.size:
        return overlap
    overlap[np.array(said.images)[:, None] != np.array(true.images)[None]] = 0.0
    if by_name:
        rows, row_of = np.unique(np.array(said.labels), return_inverse=True)
        columns, column_of = np.unique(np.array(true.labels), return_inverse=True)
        fits = np.array([[names_fit(str(a), str(b), asked) for b in columns] for a in rows])
        overlap[~fits[row_of][:, column_of]] = 0.0
    written: Counter[tuple[float, ...]] = Counter()
    for i, box in enumerate(said.xyxy.tolist()):
        key = (said.images[i], *box)
        if written[key] and written[key] >= (overlap[i] >= SAME_OBJECT_IOU).sum():
            overlap[i] = 0.0
        written[key] += 1
    return overlap


def names_fit(said: str, true: str, asked: Sequence[str]) -> bool:
    """Whether a box called `said` may be an object called `true`: the same class; or it is called what was asked for,
    and the object is of that kind ("vehicle" for a car). A box without a name fits where one class is asked for or
    none."""
    words = said.split()
    while words and words[0].casefold() in LEADING:
        words = words[1:]
    bare = " ".join(words)
    if not bare:
        return len(asked) <= 1
    return same_class(bare, true) or any(same_class(bare, one) and is_kind_of(true, one) for one in asked)


def _placed(found: Sequence[TraceEvidence], reading: Reading) -> Boxes:
    images = reading.sample.images
    written = [one.image for one in found]
    at = [image if image < len(images) else 0 for image in written]
    rows = np.zeros((len(found), 4))
    for number in set(at):
        these = [i for i, image in enumerate(at) if image == number]
        boxes = [found[i].box for i in these]
        rows[these] = place(boxes, reading.profile.frame, images[number], reading.seen[number])
    labels = tuple(one.label_raw.strip() or one.label for one in found)
    return Boxes(rows, labels, tuple(written))


def place(boxes: Sequence[ModelBox], frame: BoxFrame, image: SampleImage, seen: Size) -> Floats:
    """Upright boxes (n, 4), px of the file, cut to what is shown of it; zeros for what has no area there.

    What `georeference.to_pixels` gives, for many boxes at once: a completion has hundreds, a step dozens of those.
    """
    width, height = image.shown_size
    full = frame.full_scale
    scale = np.array([width / (full or seen[0]), height / (full or seen[1])] * 2)
    rows = np.array([(b.x0, b.y0, b.x1, b.y1) for b in boxes], dtype=np.float64).reshape(-1, 4) * scale
    rows = np.clip(rows, -FARTHEST_PX, FARTHEST_PX)
    rows = np.concatenate(
        [np.minimum(rows[:, :2], rows[:, 2:]), np.maximum(rows[:, :2], rows[:, 2:])], axis=1
    )
    # Before it is turned: a line that is turned has a box around it, and is none.
    flat = ~(rows[:, :2] < rows[:, 2:]).all(axis=1)
    angles = np.array([np.nan if b.angle_deg is None else b.angle_deg for b in boxes], dtype=np.float64)
    if np.isfinite(angles).any():
        rows = enclosing(corners(PixelBoxes(rows, angles)))
    rows = np.clip(rows, 0, [width, height, width, height])
    rows[flat | ~(rows[:, :2] < rows[:, 2:]).all(axis=1)] = np.nan
    return np.nan_to_num(rows + np.array(image.shown[:2] * 2, dtype=np.float64), nan=0.0)


def _true(sample: Sample, boxes: Sequence[TrueBox]) -> Boxes:
    rows, kept = [], []
    for box in boxes:
        x0, y0, x1, y1 = sample.images[box.image].shown
        row = (max(box.x0, x0), max(box.y0, y0), min(box.x1, x1), min(box.y1, y1))
        if row[0] < row[2] and row[1] < row[3]:
            rows.append(row)
            kept.append(box)
    return Boxes(
        np.array(rows, dtype=np.float64).reshape(-1, 4),
        tuple(box.label for box in kept),
        tuple(box.image for box in kept),
    )


_BRACKETS = re.compile(r"\[[\[\]\d\s.,;-]*\]|\{[<>\d|.\s-]*\}|</?(?:box|ref|p)>|<\|[^|<>\n]{1,40}\|>")


def prose(text: str) -> str:
    """A text without its boxes, for metrics of words."""
    return " ".join(_BRACKETS.sub(" ", text).split())


def says_boxes(task: Task) -> bool:
    """Whether the answer to a task is boxes alone."""
    return task in (Task.DETECT, Task.GROUND)


def says_nothing_there(reading: Reading) -> bool:
    """An answer without boxes that says so ("[]", "none"), and not merely one in which none can be read."""
    return not len(reading.answers) and says_none(reading.trace.answer)

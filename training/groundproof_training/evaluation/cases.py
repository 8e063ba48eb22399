"""One question with what is true and what was said: the only thing that a metric reads.

Knows no files, models, suites or metrics. Everything that can be scored is turned into cases first: a model's answer to
a sample (`reading`), a row of somebody's prediction file (`prediction_files`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from groundproof.protocol import Task
from groundproof_training.metrics.boxes import Floats


class Family(StrEnum):
    """How an answer is compared with the truth; the tasks of both papers fall into these."""

    GROUNDING = "grounding"
    """One phrase, one object, one box."""
    DETECTION = "detection"
    """Every object of a class or a phrase, any number."""
    COUNTING = "counting"
    CLASSIFICATION = "classification"
    """One class of a list, or several (multi-label)."""
    VQA = "vqa"
    CAPTIONING = "captioning"
    """Texts against references: images, regions, changes; grounded descriptions have boxes as well."""


class Status(StrEnum):
    """What became of a question. All but OK are wrong answers of every metric, never left out of it."""

    OK = "ok"
    UNREADABLE = "unreadable"
    """There is a text, and nothing of the kind that was asked for can be read in it."""
    MISSING = "missing"
    """No prediction for this question."""
    FAILED = "failed"
    """The model gave an error instead of a text."""


@dataclass(frozen=True, slots=True)
class BoxSet:
    """Boxes as columns, in the units of their case.

    xyxy: (n, 4) x0 y0 x1 y1, upright; of a turned box the one around it. labels: one for each box, "" for none.
    images: which of the case's images, one for each box. quads: (n, 8) corners x y of oriented boxes, None where there
    are none (all are upright). scores: (n,), None where the source gives none: scores are never invented. ignore: (n,),
    objects that count neither way (DOTA's difficult ones), None for none.
    """

    xyxy: Floats
    labels: tuple[str, ...]
    images: tuple[int, ...]
    quads: Floats | None = None
    scores: Floats | None = None
    ignore: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.xyxy)


GRIDS = frozenset(((100.0, 100.0), (1000.0, 1000.0)))
"""Sizes of cases whose boxes are in percent or per mille, unless their meta says that an image really is that large."""


def px_facts(size: tuple[float, float] | None) -> dict[str, str]:
    """What the meta of a case in px needs, so that an image of 1000 x 1000 px is not taken for a per-mille grid."""
    return {"units": "px"} if size in GRIDS else {}


NO_BOXES = BoxSet(np.zeros((0, 4)), (), ())


@dataclass(frozen=True, slots=True)
class Truth:
    """What is true. text: the answer as its source writes it, boxes and all, for metrics that read texts. texts: every
    right wording (VQA) or every reference (captions), without boxes. classes: names as the source spells them. boxes:
    None where the source does not say where the objects are; an empty set says that there are none. complete: the boxes
    are all there are of what was asked for. points: (n, 2) x y, in the units of the boxes, where the source gives one
    position for every object and no box (tree tops); they are all there are."""

    text: str = ""
    texts: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    count: int | None = None
    boxes: BoxSet | None = None
    complete: bool = True
    points: Floats | None = None

    @property
    def absent(self) -> bool:
        """What was asked for is not there at all, and the source says so."""
        return self.count == 0 or (self.complete and self.boxes is not None and not len(self.boxes))


@dataclass(frozen=True, slots=True)
class Said:
    """What was said. text: the whole output as it was written. answer: its answer without tags and rationale. boxes: of
    the answer. evidence: of the rationale; None where the output's form has no rationale. count: the one whole number
    that the answer states, None where it states none."""

    text: str = ""
    answer: str = ""
    boxes: BoxSet = NO_BOXES
    evidence: BoxSet | None = None
    count: int | None = None
    status: Status = Status.OK


@dataclass(frozen=True, slots=True)
class Case:
    """One scored question. case_id: unique, the same for every model, so that two models can be paired. group: what is
    resampled together, usually the image: its questions depend on each other. size: width and height of the image in
    the boxes' units (px of the original, 100 x 100 for percent grids, 1000 x 1000 for per-mille); None where unknown.
    meta: facts for breakdowns (type, size_group, class); "units": "px" where a size that is also a grid's is in px."""

    case_id: str
    group: str
    family: Family
    task: Task
    question: str
    truth: Truth
    said: Said
    size: tuple[float, float] | None = None
    asked: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    meta: Mapping[str, str] = field(default_factory=dict)

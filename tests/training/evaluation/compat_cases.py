"""Cases of texts for the tests of published rules."""

from __future__ import annotations

import numpy as np

from groundproof.protocol import Task
from groundproof_training.evaluation.cases import NO_BOXES, BoxSet, Case, Family, Said, Status, Truth
from groundproof_training.evaluation.figures import Measure

TASKS = {
    Family.GROUNDING: Task.GROUND,
    Family.DETECTION: Task.DETECT,
    Family.COUNTING: Task.COUNT,
    Family.CLASSIFICATION: Task.CLASSIFY,
    Family.VQA: Task.VQA,
    Family.CAPTIONING: Task.CAPTION,
}


def upright(rows, image: int = 0) -> BoxSet:
    """Boxes without labels."""
    xyxy = np.asarray(rows, dtype=float).reshape(-1, 4)
    return BoxSet(xyxy, ("",) * len(xyxy), (image,) * len(xyxy))


def case(
    family: Family,
    said: str,
    true: str,
    *,
    references: tuple[str, ...] = (),
    size: tuple[float, float] | None = None,
    said_boxes: BoxSet = NO_BOXES,
    true_boxes: BoxSet | None = None,
    task: Task | None = None,
    count: int | None = None,
    status: Status = Status.OK,
    number: int = 0,
    **meta: str,
) -> Case:
    """One case of texts."""
    return Case(
        case_id=str(number),
        group=str(number),
        family=family,
        task=task or TASKS[family],
        question="?",
        truth=Truth(text=true, texts=references, boxes=true_boxes, count=count),
        said=Said(text=said, answer=said, boxes=said_boxes, status=status),
        size=size,
        meta=meta,
    )


def values(measures: list[Measure], weights=None) -> dict[str, float]:
    """Each measure's value at weights (n,), 1 for every case where none are given."""
    out = {}
    for one in measures:
        w = np.ones(len(one.applies)) if weights is None else np.asarray(weights, dtype=float)
        out[one.name] = float(one.of(w[None])[0])
    return out

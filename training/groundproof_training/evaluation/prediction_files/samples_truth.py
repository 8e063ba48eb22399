"""Our files of samples as truth for other people's predictions. Knows samples; refuses to know predictions."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from groundproof.protocol import Task
from groundproof_training.errors import TrainingError
from groundproof_training.evaluation.cases import NO_BOXES, BoxSet, Case, Family, Said, Status, Truth
from groundproof_training.evaluation.prediction_files.base import FileOptions, Frame
from groundproof_training.evaluation.prediction_files.joining import TruthIndex, image_name
from groundproof_training.metrics.boxes import Floats
from groundproof_training.rewards import truth as truths
from groundproof_training.samples import Sample
from groundproof_training.samples.storage import read_samples

_FAMILY = {
    Task.COUNT: Family.COUNTING,
    Task.DETECT: Family.DETECTION,
    Task.CLASSIFY: Family.CLASSIFICATION,
    Task.VQA: Family.VQA,
    Task.CAPTION: Family.CAPTIONING,
    Task.REGION_CAPTION: Family.CAPTIONING,
    Task.GROUNDED_CAPTION: Family.CAPTIONING,
}


def is_samples(path: Path) -> bool:
    """Whether a file of truth is one of our samples, by its first line."""
    if path.suffix == ".parquet":
        return True
    try:
        with path.open("rb") as file:
            first = json.loads(file.readline(1 << 24))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(first, dict) and {"sample_id", "task", "images"} <= set(first)


def sample_index(path: Path, frame: Frame, options: FileOptions) -> TruthIndex:
    """Its samples as questions without answers. Boxes are brought into the frame of the predictions. Raises
    TrainingError where none has a truth that answers can be held against."""
    index = TruthIndex()
    for sample in read_samples(path):
        if truths.truth_of(sample) is None:
            continue
        name = image_name(sample.images[-1].path)
        keys = [("id", sample.sample_id), ("image", name, " ".join(sample.question.casefold().split()))]
        index.add(posed_of(sample, frame, options.family), keys, name)
    if not index.cases:
        raise TrainingError(f"{path} holds no sample with a truth that answers can be held against.")
    return index


def family_of(sample: Sample) -> Family:
    """How answers to a sample are compared."""
    if sample.task is Task.GROUND:
        return Family.GROUNDING if len(sample.boxes) == 1 else Family.DETECTION
    if sample.task is Task.CHANGE:
        return Family.CAPTIONING if sample.captions else Family.VQA
    return _FAMILY[sample.task]


def posed_of(sample: Sample, frame: Frame, family: Family | None = None) -> Case:
    """A sample as a case without an answer, its boxes in `frame` of the shown part of its image (of the last one)."""
    family = family or family_of(sample)
    shown = sample.images[-1].shown_size
    full = frame.full
    size = (full, full) if full is not None else (float(shown[0]), float(shown[1]))
    on_boxes = family in (Family.DETECTION, Family.GROUNDING)
    known = on_boxes or bool(sample.boxes)
    texts = truths.references(sample) if family is Family.CAPTIONING else truths.wordings(sample)
    return Case(
        case_id=sample.sample_id,
        group="+".join(image.path for image in sample.images),
        family=family,
        task=sample.task,
        question=sample.question,
        truth=Truth(
            text=sample.answer,
            texts=texts,
            classes=(sample.answers or (sample.answer,)) if family is Family.CLASSIFICATION else (),
            count=truths.true_count(sample) if family is Family.COUNTING else None,
            boxes=boxes_of(sample, frame) if known else None,
            complete=sample.complete,
        ),
        said=Said(status=Status.MISSING),
        size=size,
        asked=sample.asked,
        choices=sample.choices,
        meta=dict(sample.meta),
    )


def boxes_of(sample: Sample, frame: Frame) -> BoxSet:
    """The true boxes, in `frame` of what is shown."""
    boxes = sample.boxes
    if not boxes:
        return NO_BOXES
    rows = np.array([box.xyxy for box in boxes], dtype=np.float64)
    turned = any(box.quad is not None for box in boxes)
    quads = np.array(
        [box.quad or (box.x0, box.y0, box.x1, box.y0, box.x1, box.y1, box.x0, box.y1) for box in boxes],
        dtype=np.float64,
    )
    for n, box in enumerate(boxes):
        rows[n], quads[n] = (_framed(part[n], sample, box.image, frame) for part in (rows, quads))
    return BoxSet(
        xyxy=rows,
        labels=("",) * len(boxes),
        images=tuple(box.image for box in boxes),
        quads=quads if turned else None,
        ignore=np.array([box.ignore for box in boxes], dtype=np.bool_),
    )


def _framed(numbers: Floats, sample: Sample, image: int, frame: Frame) -> Floats:
    """x y x y ... from px of the file to the frame of the shown part."""
    x0, y0, x1, y1 = sample.images[image].shown
    moved = numbers.reshape(-1, 2) - (x0, y0)
    if frame.full is not None:
        moved = moved * (frame.full / (x1 - x0), frame.full / (y1 - y0))
    return np.asarray(moved.reshape(-1), dtype=np.float64)

"""Our files of samples as truth for other people's predictions. Knows samples; refuses to know predictions."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from groundproof.models.profiles import get_profile
from groundproof_training.errors import TrainingError
from groundproof_training.evaluation.cases import (
    NO_BOXES,
    BoxSet,
    Case,
    Family,
    Said,
    Status,
    px_facts,
)
from groundproof_training.evaluation.prediction_files.base import FileOptions, Frame
from groundproof_training.evaluation.prediction_files.joining import TruthIndex, image_name
from groundproof_training.evaluation.reading import family_of, truth_of_sample
from groundproof_training.rewards.truth import truth_of
from groundproof_training.samples import Sample
from groundproof_training.samples.storage import read_samples


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
        if truth_of(sample) is None:
            continue
        name = image_name(sample.images[-1].path)
        keys = [("id", sample.sample_id), ("image", name, " ".join(sample.question.casefold().split()))]
        index.add(posed_of(sample, frame, options.family), keys, name)
    if not index.cases:
        raise TrainingError(f"{path} holds no sample with a truth that answers can be held against.")
    return index


def posed_of(sample: Sample, frame: Frame, family: Family | None = None) -> Case:
    """A sample as a case without an answer, its boxes in `frame` of what is shown of their image, cut to that.

    Boxes have no names where several classes were asked for: files name none, so any true one may be meant.
    """
    family = family or family_of(sample)
    shown = sample.images[-1].shown_size
    full = frame.full
    profile = get_profile(_WRITES[frame])
    truth = truth_of_sample(sample, profile, tuple(image.shown_size for image in sample.images))
    boxes = None
    if truth.boxes is not None:
        boxes = _framed(truth.boxes, sample, frame)
        if len(sample.asked) > 1:
            boxes = replace(boxes, labels=("",) * len(boxes))
    elif family in (Family.DETECTION, Family.GROUNDING):
        boxes = NO_BOXES
    in_px = float(shown[0]), float(shown[1])
    return Case(
        case_id=sample.sample_id,
        group="+".join(image.path for image in sample.images),
        family=family,
        task=sample.task,
        question=sample.question,
        truth=replace(truth, boxes=boxes),
        said=Said(status=Status.MISSING),
        size=(full, full) if full is not None else in_px,
        asked=sample.asked,
        choices=sample.choices,
        meta={**sample.meta, **(px_facts(in_px) if full is None else {})},
    )


_WRITES = {
    Frame.PER_MILLE: "rsthinker",
    Frame.PERCENT: "geochat",
    Frame.FRACTION: "rsthinker",
    Frame.PX: "qwen2.5-vl",
}
"""A profile that writes boxes in a frame, for the truth as text; none writes fractions."""


def _framed(boxes: BoxSet, sample: Sample, frame: Frame) -> BoxSet:
    """From px of whole images to the frame of what is shown of each."""
    shown = np.array([sample.images[n].shown for n in boxes.images], dtype=np.float64).reshape(-1, 4)
    scale = np.ones((len(boxes), 2))
    if frame.full is not None:
        scale = frame.full / (shown[:, 2:] - shown[:, :2])
    moved = (boxes.xyxy - np.tile(shown[:, :2], 2)) * np.tile(scale, 2)
    quads = boxes.quads
    if quads is not None:
        quads = (quads - np.tile(shown[:, :2], 4)) * np.tile(scale, 4)
    return replace(boxes, xyxy=moved, quads=quads)

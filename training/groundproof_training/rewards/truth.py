"""What a sample says is true, as rewards need it: a count, words, classes, captions, or that nothing is there.

Knows samples. Refuses to know completions. None: the sample does not say, so no reward may depend on it.
"""

from __future__ import annotations

from enum import StrEnum

from groundproof.protocol import Task, is_existence
from groundproof_training.metrics.classes import key_of
from groundproof_training.metrics.counting import read_single
from groundproof_training.metrics.text import Kind, kind_of, polarity
from groundproof_training.samples import Sample
from groundproof_training.samples.types import MARKER


class Truth(StrEnum):
    """How the answer to a sample is compared."""

    BOXES = "boxes"
    REFERENT = "referent"
    COUNT = "count"
    CLASSES = "classes"
    WORDS = "words"
    CAPTIONS = "captions"


def truth_of(sample: Sample) -> Truth | None:
    """What kind of truth the sample has for its task; None where it has none that an answer can be held against:
    detection whose boxes are not all objects, or a text task without a text."""
    task = sample.task
    if task is Task.DETECT:
        return Truth.BOXES if sample.complete else None
    if task is Task.GROUND:
        return Truth.REFERENT
    if task is Task.COUNT:
        return Truth.COUNT if true_count(sample) is not None else None
    if task is Task.CLASSIFY:
        return Truth.CLASSES if true_classes(sample) else None
    if task in (Task.CAPTION, Task.REGION_CAPTION, Task.GROUNDED_CAPTION) or (
        task is Task.CHANGE and sample.captions
    ):
        return Truth.CAPTIONS if references(sample) else None
    return Truth.WORDS if wordings(sample) else None


def true_count(sample: Sample) -> int | None:
    """The number of objects: the answer's, else that of the boxes where they are all there are."""
    said = read_single(sample.answer)
    if said is not None:
        return said
    return len(sample.counted) if sample.complete and not sample.answer else None


def true_classes(sample: Sample) -> tuple[str, ...]:
    """Keys of the true classes (`metrics.classes.key_of`), each once."""
    names = sample.answers or (sample.answer,)
    return tuple(dict.fromkeys(filter(None, map(key_of, names))))


def wordings(sample: Sample) -> tuple[str, ...]:
    """Every answer that is right, without boxes."""
    return tuple(dict.fromkeys(filter(None, map(_plain, (sample.answer, *sample.answers)))))


def references(sample: Sample) -> tuple[str, ...]:
    """The reference captions, without boxes; the answers where there are none."""
    return tuple(filter(None, map(_plain, sample.captions))) or wordings(sample)


def _plain(text: str) -> str:
    """Without the markers of boxes and regions."""
    return " ".join(MARKER.sub(" ", text).split())


def is_absent(sample: Sample) -> bool:
    """Whether the sample says that what it asks for is not there at all: no box, and an answer that agrees."""
    if sample.boxes or not sample.complete:
        return False
    if sample.task in (Task.DETECT, Task.GROUND):
        return True
    if sample.task is Task.COUNT:
        return true_count(sample) == 0
    return (
        sample.task is Task.VQA
        and bool(sample.asked)
        and is_existence(sample.question)
        and kind_of(sample.answer) is Kind.YES_NO
        and polarity(sample.answer) is False
    )


def knows_objects(sample: Sample) -> bool:
    """Whether the sample's boxes are all the objects its question is about, none included."""
    return sample.complete and (bool(sample.boxes) or is_absent(sample))

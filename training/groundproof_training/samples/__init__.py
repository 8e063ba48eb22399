"""Samples: the one type, how a model reads and writes one, and the files they are kept in."""

from groundproof_training.samples.labels import class_name, same_class
from groundproof_training.samples.rendering import (
    Form,
    answer_of,
    completion_of,
    prompt_of,
    seen_size,
    write_box,
)
from groundproof_training.samples.types import (
    EvidenceLine,
    Rationale,
    Sample,
    SampleImage,
    Split,
    TrueBox,
)

__all__ = [
    "EvidenceLine",
    "Form",
    "Rationale",
    "Sample",
    "SampleImage",
    "Split",
    "TrueBox",
    "answer_of",
    "class_name",
    "completion_of",
    "prompt_of",
    "same_class",
    "seen_size",
    "write_box",
]

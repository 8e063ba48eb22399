"""A reward of the rationale itself: is what it points at there, does the answer follow, has each claim its box.

Ours; neither paper rewards the chain of thought it shows. Knows evidence and truth; refuses to know captions' words.
"""

from __future__ import annotations

import re

from groundproof.protocol import Task, is_existence
from groundproof_training.metrics.counting import read_single
from groundproof_training.metrics.detection import found
from groundproof_training.metrics.evidence import (
    boxed,
    boxes_agree,
    count_agrees,
    presence_agrees,
    worded,
)
from groundproof_training.metrics.text import polarity
from groundproof_training.rewards.reading import Reading, overlap_of, prose, says_boxes, says_nothing_there
from groundproof_training.rewards.settings import FaithfulnessSettings
from groundproof_training.rewards.truth import is_absent, knows_objects
from groundproof_training.samples import Form

_EVIDENCE = re.compile(r"<evidence>(.*?)</evidence>", re.DOTALL)


def faithfulness(reading: Reading, settings: FaithfulnessSettings) -> float | None:
    """F1 of the evidence's boxes times the weighted mean of agreement, worded and boxed.

    None where the sample does not know its objects or the form has no rationale. 0 for what is not well-formed.
    Nothing there: 1 for no evidence box and an answer that says so, else 0. So an empty rationale earns nothing where
    something is there, however right the answer.
    """
    sample = reading.sample
    if reading.form not in (Form.GEO_COT, Form.THINK) or not knows_objects(sample):
        return None
    if not reading.well_formed:
        return 0.0
    if is_absent(sample):
        return float(not len(reading.evidence) and agreement(reading) == 1.0 and refuses(reading))
    overlap = overlap_of(reading.evidence, reading.truth, sample.asked)
    ignored = overlap_of(reading.evidence, reading.ignored, sample.asked)
    cited = found(overlap, settings.iou, ignored, optimal=True).f1
    parts = [
        (settings.agreement, agreement(reading)),
        (settings.worded, worded(tuple(one.label_raw.strip() for one in reading.trace.evidence))),
        (settings.boxed, _boxed(reading)),
    ]
    told = [(weight, value) for weight, value in parts if value is not None and weight]
    total = sum(weight for weight, _ in told)
    return cited * (sum(weight * value for weight, value in told) / total if total else 1.0)


def agreement(reading: Reading) -> float | None:
    """How far the answer says what the evidence shows, in [0, 1]; None where the two cannot be compared."""
    task, answer = reading.sample.task, prose(reading.trace.answer)
    if says_boxes(task) or (task is Task.GROUNDED_CAPTION and len(reading.answers)):
        return boxes_agree(overlap_of(reading.answers, reading.evidence, (), by_name=False))
    if task is Task.COUNT:
        return count_agrees(read_single(answer), len(reading.evidence))
    if task is Task.VQA and is_existence(reading.sample.question):
        return presence_agrees(polarity(answer), len(reading.evidence))
    return None


def refuses(reading: Reading) -> bool:
    """Whether the answer says that what is asked for is not there."""
    answer = prose(reading.trace.answer)
    if says_boxes(reading.sample.task):
        return says_nothing_there(reading)
    if reading.sample.task is Task.COUNT:
        return read_single(answer) == 0
    return polarity(answer) is False


def _boxed(reading: Reading) -> float | None:
    if reading.form is not Form.GEO_COT:
        return None
    section = _EVIDENCE.search(reading.text)
    if section is None:
        return 0.0
    inside = [section.start(1) <= one.text_start < section.end(1) for one in reading.trace.evidence]
    # Boxes of the plan or the synthesis are evidence to the parser, but no sentence of the evidence has them.
    return boxed(section[1]) * (sum(inside) / len(inside) if inside else 1.0)

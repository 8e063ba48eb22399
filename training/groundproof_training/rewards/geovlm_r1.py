"""GeoVLM-R1's task rewards (arXiv 2509.25026): what is compared is published by name, the formulas are ours.

The paper adds a format reward of 0 or 1 (`form.is_well_formed`); that is a function of its own here, so that a trainer
logs both. A completion that is not well-formed gets 0 for its task as well (ours).
"""

from __future__ import annotations

from groundproof.protocol import Task
from groundproof_training.metrics.classes import read_classes, recall
from groundproof_training.metrics.detection import average_precision, counted, mean_iou
from groundproof_training.metrics.text import (
    Kind,
    jaccard,
    kind_of,
    levenshtein_ratio,
    same_answer,
    token_f1,
    words_of,
)
from groundproof_training.rewards.reading import Reading, overlap_of, prose, says_nothing_there
from groundproof_training.rewards.settings import GeoVLMR1Settings
from groundproof_training.rewards.similarity import similarity_of
from groundproof_training.rewards.truth import Truth, references, true_classes, true_count, truth_of, wordings
from groundproof_training.samples import Sample


def geovlm_r1(reading: Reading, settings: GeoVLMR1Settings) -> float | None:
    """The task reward of one completion; None where the sample has no truth for its task.

    Raises TrainingError where sentences have to be compared and the settings do not say how.
    """
    sample, truth = reading.sample, truth_of(reading.sample)
    if truth is None:
        return None
    if not reading.well_formed:
        return 0.0
    if truth in (Truth.BOXES, Truth.REFERENT):
        return boxes(reading, settings, detect=truth is Truth.BOXES)
    if truth is Truth.CLASSES:
        return classes(reading, settings)
    answer = prose(reading.trace.answer)
    if truth is Truth.COUNT:
        return float(same_answer(answer, str(true_count(sample))))
    if truth is Truth.WORDS:
        return max(words(answer, one, settings) for one in wordings(sample))
    right = [prose(one) for one in references(sample)]
    if sample.task is Task.CAPTION:
        return max(levenshtein_ratio(answer, one) for one in right)
    lexical = max(token_f1(answer, one) for one in right)
    if sample.task is Task.GROUNDED_CAPTION:
        return (lexical + boxes(reading, settings, detect=False)) / 2 if len(reading.truth) else lexical
    alike = similarity_of(settings)
    return (lexical + max(alike(answer, one) for one in right)) / 2


def needs_similarity(sample: Sample, settings: GeoVLMR1Settings) -> bool:
    """Whether this sample's reward compares sentences."""
    truth = truth_of(sample)
    if truth is Truth.CAPTIONS:
        return sample.task not in (Task.CAPTION, Task.GROUNDED_CAPTION)
    return truth is Truth.WORDS and any(_is_long(one, settings) for one in wordings(sample))


def _is_long(true: str, settings: GeoVLMR1Settings) -> bool:
    return kind_of(true) is Kind.WORDS and len(words_of(true)) > settings.short_words


def boxes(reading: Reading, settings: GeoVLMR1Settings, *, detect: bool) -> float:
    """IoU of the best assignment over the larger number of boxes; to detect, its mean with AP at the threshold.

    Turned boxes are taken as the upright boxes around them (published). Nothing true: 1 for saying so.
    """
    if not len(reading.truth) and not len(reading.answers):
        return float(says_nothing_there(reading))
    asked = reading.sample.asked
    overlap = overlap_of(reading.answers, reading.truth, asked, by_name=detect and len(asked) != 1)
    if not detect:
        return mean_iou(overlap)
    ignored = overlap_of(reading.answers, reading.ignored, asked, by_name=False)
    overlap = overlap[counted(overlap, settings.iou, ignored)]
    return (mean_iou(overlap) + average_precision(overlap, settings.iou)) / 2


def classes(reading: Reading, settings: GeoVLMR1Settings) -> float:
    """Share of the true classes that are named; guarded: times true over named classes where more are named."""
    said = read_classes(prose(reading.trace.answer), reading.sample.choices)
    true = true_classes(reading.sample)
    share = recall(said.classes, true)
    if settings.classes == "recall":
        return share
    return share * min(1.0, len(true) / max(1, said.number))


def words(said: str, true: str, settings: GeoVLMR1Settings) -> float:
    """1 for a right answer; else Jaccard for a short one, similarity for a longer one; 0 where the truth is yes, no or
    a number."""
    if same_answer(said, true):
        return 1.0
    if kind_of(true) is not Kind.WORDS:
        return 0.0
    return similarity_of(settings)(said, true) if _is_long(true, settings) else jaccard(said, true)

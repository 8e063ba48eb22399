"""RSThinker's rewards by task (arXiv 2509.22221, table 3), with what it leaves open decided in the settings.

Outcome only: nothing here reads the rationale. A completion that is not well-formed gets 0 (ours).
"""

from __future__ import annotations

from groundproof_training.metrics.cider import Frequencies
from groundproof_training.metrics.classes import read_classes, same_classes, same_group
from groundproof_training.metrics.counting import read_single, relative
from groundproof_training.metrics.detection import average_precision, found, mean_iou
from groundproof_training.metrics.text import nearly_same, same_answer
from groundproof_training.rewards.captioning import caption_score
from groundproof_training.rewards.reading import Reading, overlap_of, prose, says_nothing_there
from groundproof_training.rewards.settings import RSThinkerSettings
from groundproof_training.rewards.truth import Truth, references, true_classes, true_count, truth_of, wordings


def rsthinker(
    reading: Reading, settings: RSThinkerSettings, table: Frequencies | None = None
) -> float | None:
    """The reward of one completion; None where the sample has no truth for its task. table: for CIDEr."""
    truth = truth_of(reading.sample)
    if truth is None:
        return None
    if not reading.well_formed:
        return 0.0
    if truth is Truth.BOXES:
        return detection(reading, settings)
    if truth is Truth.REFERENT:
        return grounding(reading)
    if truth is Truth.COUNT:
        return count(reading, settings.alpha)
    if truth is Truth.CLASSES:
        return classes(reading, settings)
    answer = prose(reading.trace.answer)
    if truth is Truth.CAPTIONS:
        return caption_score(answer, references(reading.sample), settings, table)
    return words(answer, wordings(reading.sample), settings)


def detection(reading: Reading, settings: RSThinkerSettings) -> float:
    """F1 and AP at the IoU threshold, weighted; nothing true: 1 for saying so, 0 for any box or unreadable answer."""
    if not len(reading.truth) and not len(reading.answers):
        return float(says_nothing_there(reading))
    asked = reading.sample.asked
    names = len(asked) != 1
    overlap = overlap_of(reading.answers, reading.truth, asked, by_name=names)
    ignored = overlap_of(reading.answers, reading.ignored, asked, by_name=names)
    f1 = found(overlap, settings.iou, ignored, optimal=True).f1
    ap = average_precision(overlap, settings.iou, settings.ranking, ignored=ignored)
    return settings.f1_share * f1 + (1 - settings.f1_share) * ap


def grounding(reading: Reading) -> float:
    """IoU of the one box; of several, their best assignment over the larger number (`metrics.detection.mean_iou`)."""
    if not len(reading.truth):
        return float(says_nothing_there(reading))
    return mean_iou(overlap_of(reading.answers, reading.truth, (), by_name=False))


def count(reading: Reading, alpha: float) -> float:
    """1 - alpha |said - true| / max; 0 for an answer that is not one number."""
    said, true = read_single(prose(reading.trace.answer)), true_count(reading.sample)
    return 0.0 if said is None or true is None else relative(said, true, alpha)


def classes(reading: Reading, settings: RSThinkerSettings) -> float:
    """1 for exactly the true classes, the partial credit for one class of the true one's super-category, else 0.

    Several classes: the partial credit only where all that are named are true and at least half of the true ones are.
    """
    said = read_classes(prose(reading.trace.answer), reading.sample.choices)
    true = true_classes(reading.sample)
    if same_classes(said, true):
        return 1.0
    if said.other or not said.classes:
        return 0.0
    if len(true) == 1:
        near = len(said.classes) == 1 and same_group(said.classes[0], true[0], settings.groups)
        return settings.partial * near
    named = set(said.classes)
    return settings.partial * (named <= set(true) and 2 * len(named) >= len(true))


def words(said: str, right: tuple[str, ...], settings: RSThinkerSettings) -> float:
    """1 for a right answer, the partial credit for one that is nearly right, else 0."""
    if any(same_answer(said, one) for one in right):
        return 1.0
    return settings.partial * any(nearly_same(said, one, settings.token_f1) for one in right)

"""One answer against its truth, as sums: every figure is a numerator over a denominator, so that any group of
questions, and any resampling of scenes, is a sum of the same numbers. Knows no models.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from groundproof.boxes import BoxFrame
from groundproof.protocol import Task
from groundproof.trace import Trace, TraceEvidence, parse
from groundproof_training.bench import BenchQuestion
from groundproof_training.matching import match_pairs

Sums = dict[str, tuple[float, float]]

SIZES = (("under 8", 8.0), ("8-16", 16.0), ("16-32", 32.0), ("32-64", 64.0), ("over 64", np.inf))
"""Names and upper limits of object sizes: the square root of the box area, px."""

WITHOUT_F1 = ("classify",)
"""Tasks whose evidence is a choice among equals; left out of every F1."""

WORD_ANSWERS = ("count", "vqa", "classify", "region-caption", "change")
"""Tasks whose answer is compared as text."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model said. boxes (n, 4) px, labels, images: of its evidence; answer_boxes (m, 4) px; parsed: whole,
    without a repair."""

    text: str
    trace: Trace
    boxes: np.ndarray
    labels: tuple[str, ...]
    images: tuple[int, ...]
    answer_boxes: np.ndarray
    parsed: bool

    @property
    def answer(self) -> str:
        """The text of the answer."""
        return self.trace.answer


@dataclass(frozen=True, slots=True)
class Mark:
    """One true object or one predicted box. label and size are the true object's where they belong together."""

    label: str
    size: str
    true: bool
    hit: bool
    loose: bool


def read_reply(text: str, question: BenchQuestion) -> Reply:
    """Parse a completion with the engine's parser; boxes to pixels of the tile."""
    sample = question.sample
    asked = (sample.label,) if sample.label else ()
    trace = parse(text, BoxFrame.PER_MILLE, Task(sample.task), asked)
    scale = np.array([question.width, question.height] * 2) / 1000
    whole = text.startswith("<think>") and text.endswith("</answer>") and trace.complete and not trace.repairs
    return Reply(
        text,
        trace,
        _corners(trace.evidence) * scale,
        tuple(e.label for e in trace.evidence),
        tuple(e.image for e in trace.evidence),
        _corners(trace.answer_boxes) * scale,
        whole,
    )


def _corners(found: Sequence[TraceEvidence]) -> np.ndarray:
    """Boxes (n, 4) per-mille."""
    corners = [[e.box.x0, e.box.y0, e.box.x1, e.box.y1] for e in found]
    return np.array(corners, dtype=float).reshape(-1, 4)


def size_name(box: Sequence[float]) -> str:
    """The size group of a box in px."""
    side = max(0.0, (box[2] - box[0]) * (box[3] - box[1])) ** 0.5
    return next(name for name, limit in SIZES if side < limit)


def marks(question: BenchQuestion, reply: Reply) -> list[Mark]:
    """Every true object and every predicted box of one question; names and images must agree to match."""
    sample = question.sample
    made: list[Mark] = []
    true_keys = list(zip(sample.labels, sample.images, strict=True))
    said_keys = list(zip(reply.labels, reply.images, strict=True))
    for key in dict.fromkeys([*true_keys, *said_keys]):
        truth = question.boxes[[k for k, other in enumerate(true_keys) if other == key]].reshape(-1, 4)
        said = reply.boxes[[k for k, other in enumerate(said_keys) if other == key]].reshape(-1, 4)
        tight, loose = dict(match_pairs(said, truth, 0.5)), dict(match_pairs(said, truth, 0.25))
        hit, near = set(tight.values()), set(loose.values())
        made += [Mark(key[0], size_name(box), True, j in hit, j in near) for j, box in enumerate(truth)]
        for i, box in enumerate(said):
            like = truth[tight[i]] if i in tight else truth[loose[i]] if i in loose else box
            made.append(Mark(key[0], size_name(like), False, i in tight, i in loose))
    return made


def box_sums(made: Iterable[Mark]) -> Sums:
    """F1, precision and recall of marks."""
    made = list(made)
    true, said = sum(m.true for m in made), sum(not m.true for m in made)
    hits, near = sum(m.true and m.hit for m in made), sum(m.true and m.loose for m in made)
    return {
        "f1": (2 * hits, true + said),
        "f1_iou25": (2 * near, true + said),
        "precision": (hits, said),
        "recall": (hits, true),
    }


def consistent(question: BenchQuestion, reply: Reply) -> bool | None:
    """Whether the answer says what the evidence shows; None where the two cannot be compared."""
    sample, n = question.sample, len(reply.boxes)
    if sample.task == "count":
        return reply.answer == str(n)
    if sample.task == "vqa":
        return reply.answer == ("yes" if n else "no") if sample.label else None
    if sample.task in ("detect", "ground"):
        return reply.answer.startswith("[") and np.array_equal(reply.boxes, reply.answer_boxes)
    if sample.task in ("caption", "grounded-caption", "region-caption"):
        counts = all(reply.labels.count(label) == k for label, k in reply.trace.stated_counts if label)
        boxed = sample.task != "grounded-caption" or sorted(map(tuple, reply.boxes)) == sorted(
            map(tuple, reply.answer_boxes)
        )
        return counts and boxed
    return None


def score(question: BenchQuestion, reply: Reply) -> Sums:
    """Every figure of one question as (numerator, denominator); a figure that does not apply is not there."""
    sample = question.sample
    sums = box_sums(marks(question, reply)) if sample.task not in WITHOUT_F1 else {}
    sums["parsed"] = (reply.parsed, 1)
    agrees = consistent(question, reply)
    if agrees is not None:
        sums["consistent"] = (agrees, 1)
    right = reply.answer.strip().casefold() == sample.answer.casefold()
    if sample.task in WORD_ANSWERS and not sample.answer_boxes:
        sums["answer"] = (right, 1)
    if sample.task in ("vqa", "classify"):
        sums[f"{sample.task}_accuracy"] = (right, 1)
    if sample.task == "count":
        n = len(sample.boxes)
        sums["exact_all"] = (right, 1)
        value = reply.trace.value
        said = value if isinstance(value, int) and not isinstance(value, bool) else len(reply.boxes)
        sums["count_mae"] = (abs(said - n), 1)
        if n:
            sums["exact"] = (right, 1)
    if sample.task in ("count", "detect", "ground", "vqa") and not sample.boxes:
        sums["absent"] = (right and not len(reply.boxes), 1)
    return sums


def add(many: Iterable[Sums]) -> Sums:
    """The sums of several questions."""
    total: dict[str, list[float]] = {}
    for sums in many:
        for key, (up, down) in sums.items():
            both = total.setdefault(key, [0.0, 0.0])
            both[0] += up
            both[1] += down
    return {key: (up, down) for key, (up, down) in total.items()}


def ratios(sums: Sums) -> dict[str, float]:
    """Numerator over denominator, three decimals; what has no denominator is left out."""
    return {key: round(float(up / down), 3) for key, (up, down) in sums.items() if down}


def intervals(
    by_scene: Sequence[Sums], keys: Sequence[str], draws: int = 1000
) -> dict[str, tuple[float, float]]:
    """Bootstrap 95 % intervals of ratios over scenes (percentile method, Efron 1979), from a fixed seed."""
    if not by_scene:
        return {}
    rng = np.random.default_rng(0)
    table = np.array([[sums.get(key, (0.0, 0.0)) for key in keys] for sums in by_scene], dtype=float)
    weights = rng.multinomial(len(table), np.full(len(table), 1 / len(table)), size=draws)
    drawn = np.einsum("ds,skt->dkt", weights, table)
    made = {}
    for k, key in enumerate(keys):
        up, down = drawn[:, k, 0], drawn[:, k, 1]
        if (down > 0).any():
            low, high = np.quantile(up[down > 0] / down[down > 0], (0.025, 0.975))
            made[key] = (round(float(low), 3), round(float(high), 3))
    return made

"""Predicted boxes against true ones: one-to-one, greedy by overlap, at IoU 0.5. Knows nothing of models."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


def iou_matrix(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersection over union of boxes (n, 4) and (m, 4), x0 y0 x1 y1 -> (n, m)."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    inter = np.clip(high - low, 0, None).prod(-1)
    area = lambda boxes: np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(-1)  # noqa: E731
    return inter / np.maximum(area(a)[:, None] + area(b)[None] - inter, 1e-9)


def match_pairs(boxes: np.ndarray, truth: np.ndarray, threshold: float) -> list[tuple[int, int]]:
    """Indices of predictions (n, 4) and the true boxes (m, 4) they find, one to one, best overlap first, down to an
    overlap of `threshold`."""
    pairs: list[tuple[int, int]] = []
    if len(boxes) == 0 or len(truth) == 0:
        return pairs
    overlap = iou_matrix(np.asarray(boxes, dtype=float), np.asarray(truth, dtype=float))
    while True:
        i, j = np.unravel_index(overlap.argmax(), overlap.shape)
        if overlap[i, j] < threshold:
            return pairs
        pairs.append((int(i), int(j)))
        overlap[i, :] = overlap[:, j] = -1


def match(boxes: np.ndarray, truth: np.ndarray, threshold: float = 0.5) -> int:
    """How many predictions (n, 4) find a true box (m, 4) of their own."""
    return len(match_pairs(boxes, truth, threshold))


@dataclass
class Tally:
    """Running sums of true positives, predictions and true objects, per class."""

    hits: dict[int, int] = field(default_factory=dict)
    predicted: dict[int, int] = field(default_factory=dict)
    true: dict[int, int] = field(default_factory=dict)

    def add(
        self, boxes: np.ndarray, labels: np.ndarray, true_boxes: np.ndarray, true_labels: np.ndarray
    ) -> None:
        """One image; labels are class indices."""
        for label in {*labels.tolist(), *true_labels.tolist()}:
            mine, theirs = boxes[labels == label], true_boxes[true_labels == label]
            self.hits[label] = self.hits.get(label, 0) + match(mine, theirs)
            self.predicted[label] = self.predicted.get(label, 0) + len(mine)
            self.true[label] = self.true.get(label, 0) + len(theirs)

    @property
    def precision(self) -> float:
        """Share of predictions that hit."""
        return sum(self.hits.values()) / max(1, sum(self.predicted.values()))

    @property
    def recall(self) -> float:
        """Share of true objects that were hit."""
        return sum(self.hits.values()) / max(1, sum(self.true.values()))

    @property
    def f1(self) -> float:
        """2 hits / (predictions + true objects), micro-averaged over everything added."""
        return 2 * sum(self.hits.values()) / max(1, sum(self.predicted.values()) + sum(self.true.values()))

    def line(self) -> str:
        """P, R and the number of true objects."""
        return f"P {self.precision:.2f} R {self.recall:.2f} over {sum(self.true.values())} objects"

"""Running sums of hits while a detector is trained: one-to-one, greedy by overlap, at IoU 0.5. Knows no models."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from groundproof_training.metrics.boxes import iou_matrix, match_greedy


def hits(boxes: np.ndarray, truth: np.ndarray, threshold: float = 0.5) -> int:
    """How many predictions (n, 4) find a true box (m, 4) of their own."""
    return len(match_greedy(iou_matrix(boxes, truth), threshold))


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
            self.hits[label] = self.hits.get(label, 0) + hits(mine, theirs)
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

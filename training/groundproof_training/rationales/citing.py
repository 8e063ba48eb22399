"""Cited boxes against true ones, one to one. Knows numbers of one box frame. Refuses to know text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from groundproof.boxes import ModelBox
from groundproof_training.metrics.boxes import iou_matrix


def ious(one: Sequence[ModelBox], other: Sequence[ModelBox]) -> NDArray[np.float64]:
    """Intersection over union (N, M). Both in one frame, which may scale x and y differently: IoU does not mind."""
    return iou_matrix(_corners(one), _corners(other))


def _corners(boxes: Sequence[ModelBox]) -> NDArray[np.float64]:
    return np.array([(box.x0, box.y0, box.x1, box.y1) for box in boxes], dtype=float).reshape(-1, 4)


def assign(overlap: NDArray[np.float64], fits: NDArray[np.bool_], min_iou: float) -> list[int | None]:
    """For each cited box its true one, or None: as many as possible, pairs whose names fit before those that do not.

    overlap, fits: (cited, true). Every true box is used once.
    """
    found: list[int | None] = [None] * overlap.shape[0]
    if not overlap.size:
        return found
    # A pair at all is worth more than a better one, and the right name more than a better overlap.
    worth = np.where(overlap >= min_iou, 4.0 + 2.0 * fits + overlap, 0.0)
    for cited, true in zip(*linear_sum_assignment(worth, maximize=True), strict=True):
        if overlap[cited, true] >= min_iou:
            found[int(cited)] = int(true)
    return found

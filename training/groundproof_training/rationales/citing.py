"""Cited boxes against true ones, one to one. Knows numbers of one box frame. Refuses to know text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from groundproof.boxes import ModelBox


def ious(one: Sequence[ModelBox], other: Sequence[ModelBox]) -> NDArray[np.float64]:
    """Intersection over union (N, M). Both in one frame, which may scale x and y differently: IoU does not mind."""
    if not one or not other:
        return np.zeros((len(one), len(other)))
    a, b = (np.array([(x.x0, x.y0, x.x1, x.y1) for x in boxes], dtype=float) for boxes in (one, other))
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    area_a, area_b = ((x[:, 2:] - x[:, :2]).clip(0).prod(axis=1) for x in (a, b))
    both = area_a[:, None] + area_b[None, :] - shared
    return np.divide(shared, both, out=np.zeros_like(shared), where=both > 0)


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

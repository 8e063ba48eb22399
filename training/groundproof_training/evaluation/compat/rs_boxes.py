"""How RS_Tester scores boxes (minglangL/RSThinker, `RS_Tester/metrics.py`). Knows boxes (n, 4) as numbers; refuses to
know texts.

Its function for IoU is always called so that x0 y0 x1 y1 is taken for x0 y0 width height: a box grows by its distance
from the upper left corner. Everything here is over many images at once, step by step over the boxes of each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundproof_training.metrics.boxes import Floats

RECALLS = np.arange(0, 1.1, 0.1)
"""Where its average precision is read off; 0.30000000000000004 and the like are the script's own."""
_CELLS = 1 << 21
"""Pairs or boxes of a chunk of images that are held at once."""


def grown_iou(a: Floats, b: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """IoU of boxes (..., 4) with (..., 4), the last two numbers of each taken as width and height; -1 where it is no
    number. And where the script divides by 0."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        a_end, b_end = a[..., :2] + a[..., 2:], b[..., :2] + b[..., 2:]
        side = np.maximum(0.0, np.minimum(a_end, b_end) - np.maximum(a[..., :2], b[..., :2]))
        common = side[..., 0] * side[..., 1]
        a_side, b_side = a_end - a[..., :2], b_end - b[..., :2]
        union = a_side[..., 0] * a_side[..., 1] + b_side[..., 0] * b_side[..., 1] - common
        iou = common / union
    return np.where(np.isnan(iou), -1.0, iou), union == 0


@dataclass(frozen=True, slots=True)
class Detected:
    """Of n images at t thresholds, (n, t) each. broken: (n,), where the script gives up the whole file."""

    ap: Floats
    precision: Floats
    recall: Floats
    f1: Floats
    broken: NDArray[np.bool_]


def detected(said: Sequence[Floats], true: Sequence[Floats], thresholds: Sequence[float]) -> Detected:
    """Per-image figures. said, true: boxes (k, 4) of each image.

    AP: a box is right where it overlaps its best true box by more than the threshold and is the first to; the order of
    the text ranks. F1: a box takes the best true box still free, at the threshold or above. Without true boxes all
    are 0, whatever was said.
    """
    n, t = len(said), len(thresholds)
    ap, precision, recall, f1 = np.zeros((4, n, t))
    out = Detected(ap, precision, recall, f1, np.zeros(n, dtype=bool))
    n_said = np.array([len(boxes) for boxes in said], dtype=np.int64)
    n_true = np.array([len(boxes) for boxes in true], dtype=np.int64)
    for rows in _chunks(n_said, n_true):
        _detect([said[i] for i in rows], [true[i] for i in rows], np.asarray(thresholds), rows, out)
    return out


def _chunks(n_said: NDArray[np.int64], n_true: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Images with like numbers of boxes, the most predictions first in each chunk."""
    order = np.lexsort((n_true, n_said))[::-1]
    width = np.maximum(np.maximum(n_said, n_true), 1)[order]
    at = 0
    while at < len(order):
        end = at + 1
        widest = int(width[at])
        while end < len(order):
            widest = max(widest, int(width[end]))
            if widest * (end - at + 1) > _CELLS:
                break
            end += 1
        yield order[at:end]
        at = end


def _detect(
    said: list[Floats], true: list[Floats], thresholds: Floats, rows: NDArray[np.int64], out: Detected
) -> None:
    boxes, n_said = _padded(said)
    objects, n_true = _padded(true)
    k, t, most = len(rows), len(thresholds), boxes.shape[1]
    absent = np.arange(objects.shape[1]) >= n_true[:, None]
    right = np.zeros((t, k, most), dtype=bool)
    taken_ap = np.zeros((t, k, objects.shape[1]), dtype=bool)
    taken_f1, hits = taken_ap.copy(), np.zeros((t, k))
    for step in range(most if objects.shape[1] else 0):
        now = int((n_said > step).sum())  # images come with the most predictions first
        line = np.arange(now)
        iou, none = grown_iou(boxes[:now, step, None], objects[:now])
        out.broken[rows[:now]] |= (none & ~absent[:now]).any(axis=1)
        iou = np.where(absent[:now], -1.0, iou)
        best = iou.argmax(axis=1)
        for number, threshold in enumerate(thresholds):
            first = (iou[line, best] > threshold) & ~taken_ap[number, line, best]
            right[number, :now, step] = first
            taken_ap[number, line[first], best[first]] = True
            free = np.where(taken_f1[number, :now], -1.0, iou)
            choice = free.argmax(axis=1)
            found = free[line, choice] >= threshold
            taken_f1[number, line[found], choice[found]] = True
            hits[number, :now] += found
    precision = _share(hits, n_said)
    recall = _share(hits, n_true)
    both = precision + recall
    out.ap[rows] = np.stack([_ap(one, n_said, n_true) for one in right], axis=1)
    out.precision[rows], out.recall[rows] = precision.T, recall.T
    out.f1[rows] = np.divide(2 * precision * recall, both, out=np.zeros_like(both), where=both > 0).T


def _ap(right: NDArray[np.bool_], n_said: NDArray[np.int64], n_true: NDArray[np.int64]) -> Floats:
    """Mean over 11 recalls of the best precision at that recall or beyond. right: (k, most)."""
    k, most = right.shape
    if not most:
        return np.zeros(k)
    found = right.cumsum(axis=1)
    there = np.arange(most) < n_said[:, None]
    precision = np.where(there, found / np.arange(1, most + 1), 0.0)
    best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    recall = np.where(n_true[:, None] > 0, found / np.maximum(n_true, 1)[:, None], -1.0)
    ap = np.zeros(k)
    for least in RECALLS:
        at = (recall < least).sum(axis=1)
        ap += np.where(at < most, best[np.arange(k), np.minimum(at, most - 1)], 0.0) / 11
    return ap


def _share(hits: Floats, of: NDArray[np.int64]) -> Floats:
    return np.divide(hits, of, out=np.zeros_like(hits), where=of > 0)


def _padded(boxes: list[Floats]) -> tuple[Floats, NDArray[np.int64]]:
    n = np.array([len(one) for one in boxes], dtype=np.int64)
    out = np.zeros((len(boxes), int(n.max(initial=0)), 4))
    out[np.arange(out.shape[1]) < n[:, None]] = np.concatenate([np.zeros((0, 4)), *boxes])
    return out, n

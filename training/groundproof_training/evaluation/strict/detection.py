"""Measures of detection: boxes against all objects of what was asked for, one to one.

Micro over boxes where a box is what counts (precision, recall, F1), a mean over questions where an answer is
(set-exact, mean IoU, count MAE). Knows cases; `found_boxes` says what is matched with what. Cases whose source does not
give all its objects are in none of these but the parse rate.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from groundproof_training.evaluation.cases import GRIDS, Case
from groundproof_training.evaluation.figures import Measure, mean
from groundproof_training.evaluation.strict.columns import Flags
from groundproof_training.evaluation.strict.found_boxes import MATCHED, Table, counted_measures
from groundproof_training.metrics.boxes import Floats
from groundproof_training.metrics.overlaps import Ints

THRESHOLDS = (0.5, 0.25, 0.75)
COCO_IOUS = tuple(np.linspace(0.5, 0.95, 10).tolist())
SILENCE = "An unreadable or missing answer is no box: it misses all that is there."

SIZES_PX2 = (
    ("tiny (ours, under 16 x 16 px)", 0.0, 16.0**2),
    ("small (COCO, under 32 x 32 px)", 0.0, 32.0**2),
    ("medium (COCO, 32 x 32 to 96 x 96 px)", 32.0**2, 96.0**2),
    ("large (COCO, from 96 x 96 px)", 96.0**2, np.inf),
)
"""By area, px2, the lower bound inside; tiny is a part of small."""
MOST_CLASSES = 60
"""Classes with figures of their own, the most frequent ones; the rest are one group together."""


def measures(cases: Sequence[Case]) -> list[Measure]:
    """All of them."""
    board = Table(cases)

    def scored(values: Floats) -> Floats:
        return np.where(board.scored, values, np.nan)

    half = board.sums(board.half)
    counts = []
    for threshold in THRESHOLDS:
        parts = half if threshold == 0.5 else board.sums(board.tally(threshold))
        counts += counted_measures(parts, str(threshold), f"Over all boxes. {MATCHED} {SILENCE}")
    exact = board.ok & (half[:, 0] == half[:, 1]) & (half[:, 0] == half[:, 2])
    error = np.abs(half[:, 1] - half[:, 2])
    nothing = board.scored & np.array([case.truth.absent for case in cases], dtype=bool)
    silent = board.ok & (half[:, 1] == 0)
    return [
        *counts[:3],
        mean(
            "set-exact@0.5", scored(exact), note="Share of answers with every object found and nothing else."
        ),
        mean(
            "mean-iou",
            scored(board.mean_iou()),
            note="Of each answer: summed IoU of the best one-to-one pairs over the larger number of boxes.",
        ),
        board.average_precision("ap@0.5", (0.5,)),
        board.average_precision("ap@[.5:.95]", COCO_IOUS),
        *counts[3:],
        mean(
            "count-mae",
            scored(np.where(board.ok, error, np.maximum(error, 1))),
            better="lower",
            unit="boxes",
            note="Boxes against objects; an unreadable or missing answer is off by all, at least by 1.",
        ),
        mean(
            "absent-left-empty",
            np.where(nothing, silent, np.nan),
            note="Share of questions about what is not there that got an answer without a box.",
        ),
        mean("parse-rate", board.ok, note="Share of questions with an answer that could be read."),
    ]


def breakdowns(cases: Sequence[Case]) -> dict[str, dict[str, list[Measure]]]:
    """By "class" of the objects and "size" of the boxes (`SIZES_PX2`) -> group -> measures over all the cases, of the
    boxes in that group alone; "" where all are in one.

    Matched once, all groups together: a pair is in its true box's group, a box that found nothing in its own.
    """
    board = Table(cases)
    made = {"class": _by_class(board), "size": _by_size(board)}
    return {key: groups for key, groups in made.items() if len(groups) > 1}


def _by_class(board: Table) -> dict[str, list[Measure]]:
    names, said, true = board.classes
    number = np.bincount(true, minlength=len(names))
    listed = np.sort(np.argsort(-number, kind="stable")[:MOST_CLASSES])
    precision = board.average_precision("ap@0.5", (0.5,))

    def group(chosen: Ints, note: str) -> list[Measure]:
        made = _of_group(board, np.isin(said, chosen), np.isin(true, chosen), note)
        return [*made, precision.only(chosen, made[0].applies)]

    note = "Boxes of this class; a box under a name that is no class is in none."
    groups = {names[k]: group(np.array([k]), note) for k in listed.tolist()}
    others = np.setdiff1d(np.arange(len(names)), listed)
    if len(others):
        note = f"All but the {MOST_CLASSES} most frequent classes together."
        groups[f"{len(others)} other classes"] = group(others, note)
    return groups


def _by_size(board: Table) -> dict[str, list[Measure]]:
    in_px = np.array(
        [case.size not in GRIDS or case.meta.get("units") == "px" for case in board.cases], dtype=bool
    )
    note = (
        "By area in px; boxes on a percent or per-mille grid have none and are in no size."
        if not in_px.all()
        else ""
    )
    said_area, true_area = board.said.area(), board.true.area()
    said_px, true_px = in_px[board.said.case], in_px[board.true.case]
    groups = {}
    for name, low, high in SIZES_PX2:
        said = said_px & (said_area >= low) & (said_area < high)
        true = true_px & (true_area >= low) & (true_area < high)
        if true.any():
            groups[name] = _of_group(board, said, true, note)
    return groups


def _of_group(board: Table, said: Flags, true: Flags, note: str) -> list[Measure]:
    """Precision, recall and F1 at IoU 0.5 of the boxes of a group; said: (n,), true: (m,)."""
    half = board.half
    hits = true[half.true]
    listed = said & half.counted & ~half.hit
    columns = [
        board.true.per_case(half.true[hits]),
        board.said.per_case(listed) + board.true.per_case(half.true[hits]),
        board.true.per_case(true),
    ]
    parts = np.stack(columns, axis=1)
    parts[~board.scored | (parts.sum(axis=1) == 0)] = np.nan
    return counted_measures(parts, "0.5", note)

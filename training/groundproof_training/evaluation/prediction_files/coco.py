"""COCO results: one JSON list of {image_id, category_id, bbox, score}, with a COCO table of truth.

Knows the two files. Boxes are left, top, width, height in px; with `frame` they are of the image's size. An image
without a row is one in which nothing was found, as COCO's own evaluation has it. A box that cannot be one (NaN, a
negative side) stays a prediction that finds nothing; a score that is none ranks last.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from groundproof.protocol import Task
from groundproof_training.errors import TrainingError
from groundproof_training.evaluation.cases import BoxSet, Case, Family, Said, Truth, px_facts
from groundproof_training.evaluation.prediction_files.base import (
    FileOptions,
    Frame,
    Loaded,
    Say,
    Tally,
    checked,
    rows_of,
    shown,
    silent,
)
from groundproof_training.evaluation.prediction_files.coco_truth import (
    CocoTable,
    Columns,
    TrueImage,
    is_usable,
    numbers_of,
    read_table,
)
from groundproof_training.evaluation.prediction_files.frames import Extent, looks_wrong
from groundproof_training.evaluation.prediction_files.joining import unique
from groundproof_training.metrics.boxes import Floats

_MIX = np.array(
    [0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x27D4EB2F165667C5,
     0x85EBCA77C2B2AE63, 0xD6E8FEB86659FD93, 0xA0761D6478BD642F, 0xE7037ED1A0B428DB], dtype=np.uint64,
)  # fmt: skip
"""Odd multipliers of a 64-bit hash of a row."""


class CocoResults:
    """See the module."""

    name = "coco"
    summary = (
        "a JSON list of {image_id, category_id, bbox x y w h, score}; --truth: COCO annotations (required)"
    )

    def read(self, path: Path, truth: Path | None, options: FileOptions, say: Say = silent) -> Loaded:
        """One case for each image of the truth, with all its classes."""
        if truth is None:
            raise TrainingError(
                "the format coco needs --truth FILE with COCO annotations of the same images."
            )
        if options.family not in (None, Family.DETECTION):
            raise TrainingError(f"COCO results are detections and cannot be scored as {options.family}.")
        checked(path, options)
        tally = Tally.telling(say)
        table = read_table(truth, tally.problems, options)
        found = _results(path, table, tally, options)
        sizes = np.array([image.size or (np.nan, np.nan) for image in table.images], dtype=np.float64)
        frame = options.frame or Frame.PX
        tally.wrong_frame(path.name, _frame_warning(found, sizes, frame))
        _scale(found, sizes, frame, tally, path.name)
        _count_duplicates(found, tally, path.name)
        return Loaded.of(unique(list(_cases(table, found, tally))), tally)


def detection_case(
    image: TrueImage, asked: tuple[str, ...], truth: BoxSet, said: Said, question: str = ""
) -> Case:
    """All classes of one image of a table as one case."""
    name = image.name or str(image.key)
    size = (float(image.size[0]), float(image.size[1])) if image.size else None
    return Case(
        case_id=name,
        group=name,
        family=Family.DETECTION,
        task=Task.DETECT,
        question=question,
        truth=Truth(boxes=truth),
        said=said,
        size=size,
        asked=asked,
        meta=px_facts(size),
    )


def _results(path: Path, table: CocoTable, tally: Tally, options: FileOptions) -> Columns:
    found, unscored = Columns(), 0
    for where, _, row in rows_of(path, tally, options):
        numbers, key, kind = numbers_of(row.get("bbox")), row.get("image_id"), row.get("category_id")
        if (
            numbers is None
            or isinstance(key, bool | dict | list | None)
            or isinstance(kind, dict | list | None)
        ):
            tally.leave_out(
                "broken row", where, f"it needs image_id, category_id and bbox, got {shown(row, 80)}"
            )
            continue
        place = table.find(key)
        if place is None:
            tally.leave_out("unknown image", where, f"the truth has no image {shown(key, 60)}")
            continue
        if kind not in table.kind_of:
            tally.leave_out("unknown class", where, f"the truth has no category {shown(kind, 60)}")
            continue
        if not is_usable(numbers):
            tally.note(
                "broken box", where, f"{shown(row['bbox'], 80)} has no area; it counts and finds nothing"
            )
            numbers = (0.0, 0.0, 0.0, 0.0, math.nan)
        score = _score(row.get("score"))
        unscored += score == -math.inf
        found.add(place, table.kind_of[kind], numbers, score)
    if unscored == len(found) and len(found):
        tally.warnings.append("no row has a score, so AP takes all boxes for equally sure")
        found.score = type(found.score)("d", [math.nan]) * len(found)
    elif unscored:
        tally.problems.counts["no score"] += unscored
        tally.problems.examples["no score"].append(
            f"{path.name}: {unscored} boxes without a number; they rank last"
        )
    return found


def _score(value: Any) -> float:
    """-inf for what is none."""
    try:
        score = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    except OverflowError:
        score = math.nan
    return score if math.isfinite(score) else -math.inf


def _frame_warning(found: Columns, sizes: Floats, frame: Frame) -> str | None:
    if not len(found):
        return None
    extent, owners, rows = Extent(), np.array(found.owner), found.rows[:, :4]
    known = np.isfinite(sizes[owners, 0])
    extent.add(rows[~known], None)
    if known.any():
        ends = sizes[owners][known] if frame.full is None else (frame.full, frame.full)
        extent.add(rows[known], ends, as_xywh=True)
    smallest = float(np.nanmin(sizes)) if np.isfinite(sizes).any() else None
    return looks_wrong(extent, frame, smallest)


def _scale(found: Columns, sizes: Floats, frame: Frame, tally: Tally, where: str) -> None:
    """To px of each image; boxes of images without a size become empty ones, and are counted."""
    if frame.full is None or not len(found):
        return
    rows = found.rows.copy()
    rows[:, :4] *= np.tile(sizes[np.array(found.owner)] / frame.full, 2)
    lost = ~np.isfinite(rows[:, :4]).all(axis=1)
    for _ in range(int(lost.sum())):
        tally.note("no size", where, f"the truth states no size of a box's image, so {frame} cannot be read")
    rows[lost, :4] = 0.0
    found.numbers = type(found.numbers)("d", rows.tobytes())


def _count_duplicates(found: Columns, tally: Tally, where: str) -> None:
    """Rows that repeat another one in everything: they stay, and precision pays for them. Boxes without area, which
    are counted as broken, are none."""
    rows = found.rows
    keep = rows[:, 0] < rows[:, 2]
    columns = [np.array(found.owner, dtype=np.int64), np.array(found.kind, dtype=np.int64)]
    columns += [column.view(np.int64) for column in rows.T.copy()]
    columns.append(np.array(found.score, dtype=np.float64).view(np.int64))
    mixed = np.zeros(int(keep.sum()), dtype=np.uint64)
    for column, odd in zip(columns, _MIX, strict=True):
        mixed = (mixed ^ column[keep].view(np.uint64)) * odd
        mixed ^= mixed >> np.uint64(29)
    copies = len(mixed) - len(np.unique(mixed))
    if copies:
        tally.problems.counts["duplicate box"] += copies
        tally.problems.examples["duplicate box"].append(
            f"{where}: {copies} rows repeat another one in everything; they count as boxes of their own"
        )


def _cases(table: CocoTable, found: Columns, tally: Tally) -> Iterator[Case]:
    n = len(table.images)
    scored = bool(np.isfinite(np.array(found.score)).any())
    answers, truths = found.of_each(n, table.names, scored=scored), table.boxes.of_each(n, table.names)
    for image, said, true in zip(table.images, answers, truths, strict=True):
        if not len(said):
            tally.note(
                "image without a prediction", image.name or str(image.key), "taken as: nothing was found"
            )
        yield detection_case(image, table.names, true, Said(boxes=said))

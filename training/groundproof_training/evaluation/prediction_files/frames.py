"""Boxes of a file as columns, and whether their numbers look like the frame they are said to be in.

Knows numbers and extents. Refuses to rescale by itself: a wrong frame is a warning that names the likely one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from groundproof_training.evaluation.cases import NO_BOXES, BoxSet
from groundproof_training.evaluation.prediction_files.base import Frame
from groundproof_training.metrics.boxes import Floats, enclosing
from groundproof_training.metrics.turned_boxes import turned_quads

MOST = 0.5
"""Share of the boxes that must speak for another frame before one is warned."""
ENOUGH = 10
"""Boxes below which their extent alone tells nothing."""
NEARLY_ALL = 0.9
"""Share of one side's boxes within a range that most of the other side's leave, before the two are said to differ."""
FARTHEST = 1e7
"""Numbers beyond are cut, so that areas stay finite."""


def box_set(
    numbers: Sequence[Sequence[float]] | Floats,
    angles: Sequence[float | None] | Floats | None = None,
    *,
    clockwise: bool = True,
    labels: Sequence[str] | None = None,
    scores: Floats | None = None,
    image: int = 0,
) -> BoxSet:
    """Columns of boxes in their own units. numbers: (n, 4) opposite corners, in any order, before the turn; a box with
    NaN is without area, and so finds nothing. angles: degrees about the centre; None for upright ones.

    No box is left out: what cannot be right is still a prediction.
    """
    rows = np.asarray(numbers, dtype=np.float64).reshape(-1, 4)
    if not len(rows):
        return NO_BOXES
    rows = np.where(np.isfinite(rows).all(axis=1, keepdims=True), rows, 0.0).clip(-FARTHEST, FARTHEST)
    rows = np.concatenate(
        [np.minimum(rows[:, :2], rows[:, 2:]), np.maximum(rows[:, :2], rows[:, 2:])], axis=1
    )
    turns = np.array(
        [np.nan if a is None else a for a in ([] if angles is None else angles)], dtype=np.float64
    )
    quads = None
    if np.isfinite(turns).any():
        # An angle of 0 is one too: a turned box is compared with an upright one corner by corner.
        quads = turned_quads(rows, np.where(np.isfinite(turns), turns, 0.0), clockwise=clockwise)
        rows = enclosing(quads)
    return BoxSet(
        xyxy=rows,
        labels=tuple(labels) if labels is not None else ("",) * len(rows),
        images=(image,) * len(rows),
        quads=quads,
        scores=scores,
    )


@dataclass(slots=True)
class Extent:
    """How far the boxes of a file reach. unit: boxes within 0 to 1, with a fraction among them; hundred, thousand:
    boxes within 0 to that; beyond: boxes that reach more than 2 % beyond their image; known: boxes whose image has a
    known extent; corner_fits: boxes that reach beyond as left, top, width, height, and would not as two corners."""

    boxes: int = 0
    largest: float = 0.0
    unit: int = 0
    hundred: int = 0
    thousand: int = 0
    beyond: int = 0
    known: int = 0
    corner_fits: int = 0

    def add(self, xyxy: Floats, size: tuple[float, float] | Floats | None, as_xywh: bool = False) -> None:
        """xyxy: (n, 4). size: width and height in the same units, of all or (n, 2). as_xywh: the file wrote left, top,
        width, height."""
        rows = np.asarray(xyxy, dtype=np.float64).reshape(-1, 4)
        rows = rows[np.isfinite(rows).all(axis=1)]
        if not len(rows):
            return
        top = rows.max(axis=1)
        low = rows.min(axis=1) >= -1e-9
        self.boxes += len(rows)
        self.largest = max(self.largest, float(top.max()))
        self.unit += int(((top <= 1.0 + 1e-9) & low & (rows % 1 != 0).any(axis=1)).sum())
        self.hundred += int(((top <= 100) & low).sum())
        self.thousand += int(((top <= 1000) & low).sum())
        if size is None:
            return
        ends = np.broadcast_to(np.asarray(size, dtype=np.float64), (len(rows), 2))
        out = (rows[:, 2:] > ends * 1.02).any(axis=1)
        self.known += len(rows)
        self.beyond += int(out.sum())
        if as_xywh:
            w, h = rows[:, 2] - rows[:, 0], rows[:, 3] - rows[:, 1]
            inside = (
                (w <= ends[:, 0] * 1.001) & (h <= ends[:, 1] * 1.001) & (w > rows[:, 0]) & (h > rows[:, 1])
            )
            self.corner_fits += int((out & inside).sum())


def looks_wrong(
    said: Extent, frame: Frame, smallest_image: float | None = None, true: Extent | None = None
) -> str | None:
    """A sentence where the boxes look like another frame than `frame`; None where nothing speaks against it.

    smallest_image: the shorter side of the smallest image, px, where known. true: of the boxes of a truth that was read
    in `frame` too; where it fits and the answers do not, another frame for both helps nothing, and none is named.
    """
    if not said.boxes:
        return None
    if frame is Frame.PX and said.unit < said.boxes and _is_beyond(said):
        return _beyond(said)
    found = _by_range(said, frame) or _by_image(said, frame, smallest_image) or _by_truth(said, frame, true)
    apart = _apart(said, true)
    if found is None:
        return apart and (
            f"the boxes of answers and truth look like different frames: {apart}; both were taken as {frame}, so bring "
            "them into one frame"
        )
    likely, why = found
    of_both = apart or (true is not None and true.boxes and _by_range(true, frame) is None)
    advice = (
        "bring them into the truth's frame (--frame is of both)"
        if of_both
        else f"check the file, or say --frame {likely}"
    )
    return (
        f"the boxes look like {likely} and not like {frame}: {why}; they were taken as {frame}, so {advice}"
    )


def _by_range(said: Extent, frame: Frame) -> tuple[Frame, str] | None:
    """By what the numbers can be in their frame."""
    if said.unit > MOST * said.boxes and said.largest <= 2 and frame is not Frame.FRACTION:
        many = "all of them" if said.unit == said.boxes else f"{said.unit} of {said.boxes}"
        return Frame.FRACTION, f"{many} lie within 0 to 1, none reaches beyond {max(1, said.largest):g}"
    within = {Frame.FRACTION: said.unit, Frame.PERCENT: said.hundred, Frame.PER_MILLE: said.thousand}
    if frame not in within or within[frame] >= (1 - MOST) * said.boxes:
        return None
    why = f"{said.boxes - within[frame]} of {said.boxes} reach beyond {frame.full:g}, as far as {said.largest:g}"
    if frame is Frame.FRACTION and said.hundred == said.boxes:
        return Frame.PERCENT, why
    if frame is not Frame.PER_MILLE and said.thousand == said.boxes:
        return Frame.PER_MILLE, why
    return Frame.PX, why


def _by_image(said: Extent, frame: Frame, smallest_image: float | None) -> tuple[Frame, str] | None:
    """By how boxes in px lie in their images."""
    if frame is not Frame.PX:
        return None
    if said.known and said.beyond > MOST * said.known:
        return Frame.PER_MILLE, f"{said.beyond} of {said.known} reach beyond their image, none beyond 1000"
    if smallest_image and smallest_image > 200 and said.boxes >= ENOUGH and said.hundred == said.boxes:
        return Frame.PERCENT, f"none reaches beyond 100, the smallest image is {smallest_image:g} px"
    return None


def _by_truth(said: Extent, frame: Frame, true: Extent | None) -> tuple[Frame, str] | None:
    """By a truth that reaches ten times as far, or a tenth."""
    if true is None or min(said.boxes, true.boxes) < ENOUGH or min(said.largest, true.largest) <= 0:
        return None
    ratio = true.largest / said.largest
    why = f"they reach to {said.largest:g}, the truth to {true.largest:g}"
    if frame is Frame.PER_MILLE and 7.5 < ratio < 13:
        return Frame.PERCENT, why
    return (Frame.PER_MILLE, why) if frame is Frame.PERCENT and 0.075 < ratio < 0.13 else None


def _apart(said: Extent, true: Extent | None) -> str | None:
    """How far either side reaches, where nearly all boxes of one lie within a range that most of the other leave."""
    if true is None or min(said.boxes, true.boxes) < ENOUGH:
        return None
    for within in ("unit", "hundred", "thousand"):
        ours, theirs = getattr(said, within) / said.boxes, getattr(true, within) / true.boxes
        if max(ours, theirs) >= NEARLY_ALL and min(ours, theirs) < 1 - MOST:
            return f"answers reach to {said.largest:g}, the truth to {true.largest:g}"
    return None


def _is_beyond(said: Extent) -> bool:
    """Whether most boxes reach beyond their image in a way that another frame does not explain."""
    if said.beyond <= MOST * max(said.known, 1):
        return False
    return said.corner_fits > MOST * said.beyond or said.thousand < said.boxes


def _beyond(said: Extent) -> str:
    """Of boxes beyond their images and beyond 1000."""
    out = f"{said.beyond} of {said.known} boxes reach beyond their image"
    if said.corner_fits > MOST * said.beyond:
        return (
            f"the boxes look like two corners (x0 y0 x1 y1) and not like x y width height: {out}, and "
            f"{said.corner_fits} of them would not as corners; they were taken as the format says, so check the file"
        )
    return (
        f"{out}: they look like px of a larger image or of another tiling; they were taken as they are, so check the "
        "file"
    )

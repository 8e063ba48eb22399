"""A large image as overlapping windows, and which of its objects count in each.

Knows windows and areas; no pixels are read or written. Refuses to know datasets.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import shapely

from groundproof_training.readers.objects import LabelledImage, outline_of
from groundproof_training.samples import TrueBox

Window = tuple[int, int, int, int]
"""x0, y0, x1, y1 px."""

LEAST_PX = 1.0
"""What the edge leaves of an object must be this long on both sides to be seen at all."""


def starts(length: int, side: int, stride: int) -> list[int]:
    """Where windows begin along one axis: every `stride`, the last one shifted back so that it ends at the edge."""
    if length <= side:
        return [0]
    return [*range(0, length - side, stride), length - side]


def windows(width: int, height: int, side: int, stride: int) -> list[Window]:
    """Row by row. An axis shorter than a window is taken whole: nothing is padded."""
    return [
        (x, y, min(x + side, width), min(y + side, height))
        for y in starts(height, side, stride)
        for x in starts(width, side, stride)
    ]


def cut(whole: LabelledImage, side: int, stride: int, min_inside: float) -> Iterator[LabelledImage]:
    """One image per window. Objects with at least `min_inside` of their area in it count, cut ones marked truncated;
    those with less are to be ignored, so that finding a part is no mistake and no class they have is called absent.
    Names end in the window's left and top, as DOTA_devkit's do: `P0706__1__600___0`.
    """
    things = (*whole.objects, *whole.areas)
    outlines = np.array([outline_of(one.xyxy, one.quad) for one in things], dtype=object)
    areas = shapely.area(outlines)
    tree = shapely.STRtree(outlines)
    for window in windows(whole.image.width, whole.image.height, side, stride):
        frame = shapely.box(*window)
        near = np.sort(tree.query(frame))
        parts = shapely.intersection(outlines[near], frame)
        kept: list[TrueBox] = []
        ignored: list[TrueBox] = []
        for k, part in zip(near.tolist(), parts, strict=True):
            made = _part(things[k], part, float(areas[k]), min_inside)
            if made is not None:
                (kept if k < len(whole.objects) else ignored).append(made)
        yield replace(
            whole,
            key=f"{whole.key}__1__{window[0]}___{window[1]}",
            image=whole.image.model_copy(update={"window": window}),
            objects=tuple(kept),
            areas=tuple(ignored),
        )


def _part(one: TrueBox, part: shapely.Geometry, area: float, min_inside: float) -> TrueBox | None:
    share = part.area / area
    if share >= 1 - 1e-9:
        return one
    x0, y0, x1, y1 = part.bounds if part.area > 0 else (0.0, 0.0, 0.0, 0.0)
    if x1 - x0 < LEAST_PX or y1 - y0 < LEAST_PX:
        return None
    return one.model_copy(
        update={
            "x0": x0,
            "y0": y0,
            "x1": x1,
            "y1": y1,
            "quad": None,
            "truncated": True,
            "ignore": one.ignore or share < min_inside,
        }
    )

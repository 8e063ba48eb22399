"""The two sides of a comparison: which objects of one lie on which of the other, and which were moved.

Knows boxes on one grid, and polygons on common ground. Refuses to know labels and what a match means (`diff.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from groundproof.common_ground import CommonGround, overlapping_parts
from groundproof.overlap import Pairs, overlapping

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from groundproof.boxes import PixelBoxes
    from groundproof.tables import Result

MOVED_PX = 0.01
"""Box edges that differ by less are the same: files keep every digit, transformers nearly so."""

GROUND_MOVED_PX = 2.0
"""Where the grids differ: edges that differ by less, in pixels of the coarser one. A model that sees other pixels
draws other edges, and nothing has moved."""


@dataclass(frozen=True, slots=True)
class InPixels:
    """Boxes of both sides on one grid."""

    a: PixelBoxes
    b: PixelBoxes

    def overlapping(self, min_iou: float) -> Pairs:
        """Pairs that are one object if any are."""
        return overlapping(self.a, self.b, min_iou)

    def moved(self, i: int, j: int) -> dict[str, tuple[Any, Any]]:
        """{"box_px": (before, after)} of a pair whose boxes differ, else nothing."""
        return _moved(self.a.xyxy[i], self.b.xyxy[j], MOVED_PX)

    def seen_by_both(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Of each side's objects, whether the other side looked there."""
        return np.ones(len(self.a), dtype=bool), np.ones(len(self.b), dtype=bool)


@dataclass(frozen=True, slots=True)
class OnGround:
    """What of both sides' polygons lies on the common ground, and whether that is most of each."""

    a: NDArray[np.object_]
    b: NDArray[np.object_]
    seen_a: NDArray[np.bool_]
    seen_b: NDArray[np.bool_]
    tolerance_px: float

    @classmethod
    def of(
        cls, a: Result, b: Result, i: int, j: int, rows_a: gpd.GeoDataFrame, rows_b: gpd.GeoDataFrame
    ) -> OnGround:
        """The evidence of the i-th answer of `a` and the j-th of `b`, which share ground (`paired_by_place`)."""
        ground = CommonGround.of(a, b, i, j)
        if ground is None:
            raise ValueError("answers that share no ground cannot be compared on it")
        parts_a, seen_a = ground.parts(ground.polygons(rows_a))
        parts_b, seen_b = ground.parts(ground.polygons(rows_b))
        return cls(parts_a, parts_b, seen_a, seen_b, GROUND_MOVED_PX * ground.coarsest_px)

    def overlapping(self, min_iou: float) -> Pairs:
        """Pairs that are one object if any are."""
        return overlapping_parts(self.a, self.b, min_iou)

    def moved(self, i: int, j: int) -> dict[str, tuple[Any, Any]]:
        """{"box_px": (before, after)} of a pair whose parts differ, in the first scene's pixels, else nothing."""
        bounds = shapely.bounds([self.a[i], self.b[j]])
        return _moved(bounds[0], bounds[1], self.tolerance_px)

    def seen_by_both(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Of each side's objects, whether the other side looked there."""
        return self.seen_a, self.seen_b


def _moved(a: NDArray[np.float64], b: NDArray[np.float64], tolerance_px: float) -> dict[str, tuple[Any, Any]]:
    if (np.abs(a - b) <= tolerance_px).all():
        return {}
    return {"box_px": (tuple(map(float, a)), tuple(map(float, b)))}

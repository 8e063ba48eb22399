"""The vocabulary of places: model boxes, pixel boxes, windows, and the grid they lie on.

Different types on purpose: a function that takes four bare floats is a bug waiting. This module
converts nothing (that is `georeference.py`) and opens nothing (that is `scene.py`).

Pixel coordinates are continuous: (0, 0) is the outer corner of the first pixel, x grows with the
column, y with the row, and a box edge at x = 3.0 is the border between columns 2 and 3.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from math import isfinite

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from pyproj import CRS


class BoxFrame(StrEnum):
    """How a model family writes the numbers of a box (x first, two opposite corners)."""

    PER_MILLE = "per-mille"
    """0..1000 of the tile's width and height: GLM-4.1V, RSThinker, Qwen3-VL, InternVL."""
    RESIZED_PIXELS = "resized-pixels"
    """Absolute pixels of the image after the model's own resize: Qwen2.5-VL."""
    RESIZED_PIXELS_ANGLE = "resized-pixels-angle"
    """The same, then an angle in degrees: GeoVLM-R1."""
    PERCENT_ANGLE = "percent-angle"
    """0..100 of width and height, then an angle in degrees: GeoChat, EarthDial."""

    @property
    def full_scale(self) -> float | None:
        """The number that means the image's right or lower edge; None where that is its size in pixels."""
        return {BoxFrame.PER_MILLE: 1000.0, BoxFrame.PERCENT_ANGLE: 100.0}.get(self)

    @property
    def has_angle(self) -> bool:
        """Whether a fifth number is the box's rotation (see `ModelBox`); a box may do without."""
        return self in (BoxFrame.PERCENT_ANGLE, BoxFrame.RESIZED_PIXELS_ANGLE)


@dataclass(frozen=True, slots=True)
class ModelBox:
    """A box as a model wrote it, in the model's own `BoxFrame`. Not ordered, not clipped, not checked.

    The corners are those before the rotation. angle_deg: rotation about the box centre, clockwise on screen,
    of the rectangle as it lies in *pixels* (percents are of each axis, so on their grid it would be sheared);
    None for an axis-aligned box.
    """

    x0: float
    y0: float
    x1: float
    y1: float
    angle_deg: float | None = None


@dataclass(frozen=True, slots=True)
class PixelBox:
    """A box in scene pixels, x0 < x1 and y0 < y1. See the module's docstring for the pixel origin.

    angle_deg: rotation of the box about its centre, clockwise on screen; None when axis-aligned.
    """

    x0: float
    y0: float
    x1: float
    y1: float
    angle_deg: float | None = None

    def __post_init__(self) -> None:
        values = (self.x0, self.y0, self.x1, self.y1)
        if not all(isfinite(v) for v in values) or self.x0 >= self.x1 or self.y0 >= self.y1:
            raise ValueError(f"a pixel box needs finite x0 < x1 and y0 < y1, got {values}")


@dataclass(frozen=True, slots=True)
class PixelBoxes:
    """Many pixel boxes as columns, for work on a million of them.

    xyxy: float64 (N, 4), scene pixels, x0 < x1, y0 < y1.
    angle_deg: float64 (N,), clockwise on screen about the centre; NaN where axis-aligned.
    """

    xyxy: NDArray[np.float64]
    angle_deg: NDArray[np.float64]

    def __post_init__(self) -> None:
        if self.xyxy.ndim != 2 or self.xyxy.shape[1] != 4 or self.angle_deg.shape != (len(self.xyxy),):
            raise ValueError(
                f"expected (N, 4) boxes and (N,) angles, got {self.xyxy.shape}, {self.angle_deg.shape}"
            )

    @classmethod
    def of(cls, boxes: list[PixelBox]) -> PixelBoxes:
        """Columns of single boxes."""
        xyxy = np.array([(b.x0, b.y0, b.x1, b.y1) for b in boxes], dtype=np.float64).reshape(-1, 4)
        angle = np.array([np.nan if b.angle_deg is None else b.angle_deg for b in boxes], dtype=np.float64)
        return cls(xyxy, angle)

    def __len__(self) -> int:
        return len(self.xyxy)

    def take(self, rows: NDArray[np.int64]) -> PixelBoxes:
        """Some of them."""
        return PixelBoxes(self.xyxy[rows], self.angle_deg[rows])


@dataclass(frozen=True, slots=True)
class Window:
    """A rectangle of whole scene pixels: columns x0 .. x0+width-1, rows y0 .. y0+height-1.

    It may reach past the right and bottom edge of a scene smaller than one tile; the reader pads there.
    """

    x0: int
    y0: int
    width: int
    height: int

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ValueError(f"a window needs at least one pixel, got {self.width} x {self.height}")

    @property
    def x1(self) -> int:
        """First column after the window."""
        return self.x0 + self.width

    @property
    def y1(self) -> int:
        """First row after the window."""
        return self.y0 + self.height


@dataclass(frozen=True, slots=True)
class Tile:
    """One window of a scene as the model will see it.

    index: position in the plan, 0-based. window: scene pixels. model_width, model_height: pixels of the
    image given to the model (equal to the window's unless `--gsd` resamples); multiples of the model's
    patch x merge. cells: the row and column of the tile in the plan's grid.
    """

    index: int
    window: Window
    model_width: int
    model_height: int
    cells: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class GroundControlPoint:
    """A known place: pixel (col, row), continuous corners, and map (x, y) in the grid's CRS."""

    col: float
    row: float
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Grid:
    """Where a scene's pixels lie: size, CRS, and either an affine, or GCPs, or neither (pixel space).

    affine maps (col, row) corners to map (x, y) in `crs`, GDAL order after `Affine`'s convention.
    crs None together with affine None and no gcps: pixel space; results carry y = -row and no sizes.
    """

    width: int
    height: int
    crs: CRS | None = None
    affine: Affine | None = None
    gcps: tuple[GroundControlPoint, ...] = field(default=())

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ValueError(f"a grid needs at least one pixel, got {self.width} x {self.height}")
        if (self.affine is not None or self.gcps) and self.crs is None:
            raise ValueError("a georeferenced grid needs a CRS; without one use pixel space")
        if self.affine is not None and self.gcps:
            raise ValueError("a grid has an affine or ground control points, not both")

    @property
    def is_pixel_space(self) -> bool:
        """Neither affine nor ground control points: results stay in pixels."""
        return self.affine is None and not self.gcps

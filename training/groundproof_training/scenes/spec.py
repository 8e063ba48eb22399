"""The values of the procedural world: what is asked for (`WorldSpec`) and what comes back (`Scene`).

Refuses to know how anything is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

CLASSES: tuple[str, ...] = (
    "airplane",
    "ship",
    "storage tank",
    "vehicle",
    "building",
    "bridge",
    "tree",
    "sports field",
    "roundabout",
    "harbour",
)

SCENE_TYPES: tuple[str, ...] = (
    "airport",
    "port",
    "open water",
    "storage depot",
    "industrial area",
    "residential area",
    "parking lot",
    "farmland",
    "grassland",
    "desert",
    "forest",
    "river",
    "road junction",
    "sports complex",
)

FOCUS_SHARE = 0.65
"""Share of scenes whose main class is one of `WorldSpec.focus`."""

MIN_SIDE_PX = 56
"""Smallest width or height of a scene: two vision tokens of 28 px."""

MIN_VISIBLE = 0.35
"""An object with a smaller share of its area inside the frame is not drawn at all."""


@dataclass(frozen=True, slots=True)
class SceneObject:
    """One object of a scene. Pixel coordinates are continuous; (0, 0) is the outer corner of the first pixel.

    `box` is x0, y0, x1, y1, tight around the visible part without its shadow, clipped to the frame.
    `corners` are the four corners (x, y) of the oriented rectangle, clockwise on screen, not clipped.
    `visible` is the share of the object's area inside the frame, in [MIN_VISIBLE, 1].
    `length_m` and `width_m` are the longer and the shorter side of the oriented rectangle, metres.
    """

    label: str
    box: tuple[float, float, float, float]
    corners: tuple[tuple[float, float], ...]
    visible: float
    length_m: float
    width_m: float


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture, (height, width, 3) uint8 RGB, with everything of `CLASSES` that is in it.

    ground: what was painted below; scene_type: one of SCENE_TYPES. gsd_m: metres per pixel.
    epsg: a UTM zone. affine: a, b, c, d, e, f with x = a * col + b * row + c and y = d * col + e * row + f,
        metres in that zone; (col, row) = (0, 0) is the outer corner of the first pixel.
    mask: (height, width) uint8, 0 nothing, k + 1 where an object of class CLASSES[k] is on top.
    """

    image: np.ndarray
    objects: tuple[SceneObject, ...]
    ground: str
    gsd_m: float
    scene_type: str
    epsg: int
    affine: tuple[float, float, float, float, float, float]
    mask: np.ndarray


@dataclass(frozen=True, slots=True)
class WorldSpec:
    """What the world may contain.

    n_objects: fewest and most objects per 224 x 224 px of area, inclusive, scaled with the area and rounded
        (a bound of one or more stays at least one). The fewest is tried for; a crowded frame may hold less.
        Where the most is above 16, few objects are more usual than many.
    size_px: shortest and longest longer side of an object's oriented rectangle, px. Movable things and tanks
        pass 64 px (or twice the shortest) in one scene of ten only.
    min_centre_px: least Chebyshev distance between the centres of any two visible boxes, px.
    classes: the labels that may appear.
    max_classes: most classes per scene.
    empty: share of scenes that hold no object although they look the same.
    sensors: whether optics, noise, colour, haze and compression are applied.
    clutter: how much that is no object is strewn about; 0 none, 1 the usual.
    min_visible: objects with a smaller share of their area inside the frame are never drawn.
    focus: the labels around which FOCUS_SHARE of the scenes are built, as far as `classes` has them.
    """

    n_objects: tuple[int, int] = (0, 12)
    size_px: tuple[float, float] = (8.0, 110.0)
    min_centre_px: float = 28.0
    classes: tuple[str, ...] = CLASSES
    max_classes: int = 4
    empty: float = 0.08
    sensors: bool = True
    clutter: float = 1.0
    min_visible: float = MIN_VISIBLE
    focus: tuple[str, ...] = ("airplane", "ship", "storage tank")

    def __post_init__(self) -> None:
        if len(self.n_objects) != 2 or not 0 <= self.n_objects[0] <= self.n_objects[1]:
            raise ValueError(
                f"n_objects is {self.n_objects!r}; allowed: (fewest, most) with 0 <= fewest <= most"
            )
        if len(self.size_px) != 2 or not 6.0 <= self.size_px[0] <= self.size_px[1] <= 1000.0:
            raise ValueError(f"size_px is {self.size_px!r}; allowed: (shortest, longest) within 6 to 1000 px")
        if not 0.0 <= self.min_centre_px <= 1000.0:
            raise ValueError(f"min_centre_px is {self.min_centre_px!r}; allowed: 0 to 1000 px")
        if (
            not self.classes
            or len(set(self.classes)) != len(self.classes)
            or not set(self.classes) <= set(CLASSES)
        ):
            raise ValueError(f"classes is {self.classes!r}; allowed: one or more of {CLASSES}, each once")
        if len(set(self.focus)) != len(self.focus) or not set(self.focus) <= set(CLASSES):
            raise ValueError(f"focus is {self.focus!r}; allowed: any of {CLASSES}, each once")
        if self.max_classes < 1:
            raise ValueError(f"max_classes is {self.max_classes!r}; allowed: 1 or more")
        if not 0.0 <= self.empty <= 1.0:
            raise ValueError(f"empty is {self.empty!r}; allowed: a share, 0 to 1")
        if not 0.0 <= self.clutter <= 4.0:
            raise ValueError(f"clutter is {self.clutter!r}; allowed: 0 to 4")
        if not MIN_VISIBLE <= self.min_visible <= 1.0:
            raise ValueError(f"min_visible is {self.min_visible!r}; allowed: {MIN_VISIBLE} to 1")

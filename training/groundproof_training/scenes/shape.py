"""Flat coloured parts that make up a thing seen from above, and the pixels they turn into.

A shape lives in its own frame: x forward, y to its right, any unit; a `Pose` says how many pixels that is.
Refuses to know which class a shape is, and where it may stand.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache

import cv2
import numpy as np

Colour = tuple[float, float, float]
"""Red, green, blue, 0 to 255."""

SHIFT = 4
"""Fractional bits of the fixed-point coordinates that cv2 draws with."""

FINE_BELOW_PX = 40.0
"""Shapes shorter than this are drawn with 4 x 4 samples a pixel, longer ones with 2 x 2."""


@dataclass(frozen=True, slots=True)
class Part:
    """One polygon, (N, 2) float, of one colour.

    solid: whether it belongs to the silhouette (and so to the box); others only show where a solid part is.
    lift: lowest and highest height above ground, in the unit of the points; None casts no shadow.
    """

    points: np.ndarray
    rgb: Colour
    solid: bool = False
    lift: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a shape stands: origin in px, heading in radians clockwise on screen from +x, px per unit."""

    x: float
    y: float
    heading: float
    scale: float = 1.0

    def place(self, points: np.ndarray) -> np.ndarray:
        """(N, 2) points of the shape's frame as scene pixels."""
        c, s = math.cos(self.heading) * self.scale, math.sin(self.heading) * self.scale
        x, y = points[:, 0], points[:, 1]
        out = np.empty(points.shape)
        out[:, 0] = c * x - s * y + self.x
        out[:, 1] = s * x + c * y + self.y
        return out


@dataclass(frozen=True, slots=True)
class Shape:
    """Parts in painting order.

    points: (N, 2), the points of all parts one after the other; as one array, for speed.
    spans: each part's slice of them. solid: indices of the solid ones. extent: x0, y0, x1, y1 of those.
    """

    parts: tuple[Part, ...]
    points: np.ndarray = field(init=False, repr=False, compare=False)
    spans: tuple[slice, ...] = field(init=False, repr=False)
    solid: np.ndarray = field(init=False, repr=False, compare=False)
    extent: tuple[float, float, float, float] = field(init=False)

    def __post_init__(self) -> None:
        ends = np.cumsum([len(p.points) for p in self.parts]).tolist()
        spans = tuple(slice(a, b) for a, b in zip([0, *ends[:-1]], ends, strict=True))
        points = np.concatenate([p.points for p in self.parts])
        solid = np.array(
            [i for s, p in zip(spans, self.parts, strict=True) if p.solid for i in range(s.start, s.stop)]
        )
        object.__setattr__(self, "points", points)
        object.__setattr__(self, "spans", spans)
        object.__setattr__(self, "solid", solid)
        object.__setattr__(self, "extent", _bounds(points[solid]))

    def unit(self) -> Shape:
        """The same shape centred on its extent, its longer side 1: `Pose.scale` is then its length in px."""
        x0, y0, x1, y1 = self.extent
        k = 1 / max(x1 - x0, y1 - y0)
        moved = (self.points - ((x0 + x1) / 2, (y0 + y1) / 2)) * k
        return Shape(
            tuple(
                Part(moved[s], p.rgb, p.solid, None if p.lift is None else (p.lift[0] * k, p.lift[1] * k))
                for p, s in zip(self.parts, self.spans, strict=True)
            )
        )


@dataclass(frozen=True, slots=True)
class Sprite:
    """Pixels of one placed shape, cropped to the frame.

    rgb (h, w, 3) uint8 and alpha (h, w) float32 in 0..1 lie at column `x`, row `y` of the scene.
    """

    x: int
    y: int
    rgb: np.ndarray
    alpha: np.ndarray
    box: tuple[float, float, float, float]
    corners: tuple[tuple[float, float], ...]
    visible: float

    @property
    def centre(self) -> tuple[float, float]:
        """x and y of the visible box's middle."""
        return (self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2

    def paste(self, image: np.ndarray) -> None:
        """Blend onto an (H, W, 3) uint8 scene in place."""
        h, w = self.alpha.shape
        view = image[self.y : self.y + h, self.x : self.x + w]
        a = self.alpha[..., None]
        view[...] = (view * (1.0 - a) + self.rgb * a + 0.5).astype(np.uint8)


def fixed(points: np.ndarray, scale: float = 1.0) -> np.ndarray:
    """Continuous corner coordinates as cv2 fixed-point ones, where whole numbers are pixel centres."""
    return np.rint((points * scale - 0.5) * (1 << SHIFT)).astype(np.int32)


def rasterise(shape: Shape, pose: Pose, width: int, height: int) -> Sprite | None:
    """The shape's pixels within a width x height frame; None when nothing of it is inside."""
    placed = pose.place(shape.points)
    fx0, fy0, fx1, fy1 = _bounds(placed[shape.solid])
    ox, oy = math.floor(fx0) - 1, math.floor(fy0) - 1
    w, h = math.ceil(fx1) + 1 - ox, math.ceil(fy1) + 1 - oy
    cx0, cy0, cx1, cy1 = max(ox, 0), max(oy, 0), min(ox + w, width), min(oy + h, height)
    if cx0 >= cx1 or cy0 >= cy1:
        return None
    ss = 4 if max(w, h) < FINE_BELOW_PX * 1.2 else 2
    mask = np.zeros((h * ss, w * ss), np.uint8)
    spots = fixed(placed - (ox, oy), ss)
    for span, part in zip(shape.spans, shape.parts, strict=True):
        if part.solid:
            cv2.fillPoly(mask, [spots[span]], 255, cv2.LINE_8, SHIFT)
    window = mask[(cy0 - oy) * ss : (cy1 - oy) * ss, (cx0 - ox) * ss : (cx1 - ox) * ss]
    bx, by, bw, bh = cv2.boundingRect(window)
    if bw == 0 or bh == 0:
        return None
    visible = cv2.countNonZero(window) / cv2.countNonZero(mask)
    base = next(p.rgb for p in reversed(shape.parts) if p.solid)
    canvas = np.empty((h * ss, w * ss, 3), np.uint8)
    cv2.rectangle(canvas, (0, 0), (w * ss, h * ss), base, -1)
    for span, part in zip(shape.spans, shape.parts, strict=True):
        cv2.fillPoly(canvas, [spots[span]], part.rgb, cv2.LINE_8, SHIFT)
    inside = (slice(cy0 - oy, cy1 - oy), slice(cx0 - ox, cx1 - ox))
    rgb, alpha = _shrunk(canvas, ss)[inside], _shrunk(mask, ss)[inside]
    x0, y0, x1, y1 = shape.extent
    ring = pose.place(np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)]))
    return Sprite(
        x=cx0,
        y=cy0,
        rgb=rgb,
        alpha=alpha.astype(np.float32) * np.float32(1 / 255),
        box=(cx0 + bx / ss, cy0 + by / ss, cx0 + (bx + bw) / ss, cy0 + (by + bh) / ss),
        corners=tuple((float(x), float(y)) for x, y in ring),
        visible=visible,
    )


def _shrunk(samples: np.ndarray, by: int) -> np.ndarray:
    """Means of by x by samples; `by` is 2 or 4. Halving twice is three times as fast as quartering in cv2."""
    while by > 1:
        h, w = samples.shape[:2]
        samples = cv2.resize(samples, (w // 2, h // 2), interpolation=cv2.INTER_AREA)
        by //= 2
    return samples


def cast(shadow: np.ndarray, shape: Shape, pose: Pose, sun: tuple[float, float]) -> None:
    """Draw the shape's shadow into an (H, W) uint8 mask; `sun`: shadow's px (x, y) per px of height."""
    spots = fixed(pose.place(shape.points))
    k = pose.scale * (1 << SHIFT)
    for span, part in zip(shape.spans, shape.parts, strict=True):
        if part.lift is None:
            continue
        polygon = spots[span]
        low, high = (np.array([round(sun[0] * z * k), round(sun[1] * z * k)], np.int32) for z in part.lift)
        hull = cv2.convexHull(np.concatenate([polygon + low, polygon + high]))
        cv2.fillConvexPoly(shadow, hull, 255, cv2.LINE_AA, SHIFT)


def draw(image: np.ndarray, shape: Shape, pose: Pose) -> None:
    """Paint a shape that is no object straight onto the scene (antialiased, not measured)."""
    spots = fixed(pose.place(shape.points))
    for span, part in zip(shape.spans, shape.parts, strict=True):
        cv2.fillPoly(image, [spots[span]], part.rgb, cv2.LINE_AA, SHIFT)


def rectangle(x0: float, y0: float, x1: float, y1: float) -> np.ndarray:
    """(4, 2) corners."""
    return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])


def disc(x: float, y: float, rx: float, ry: float | None = None, n: int = 20) -> np.ndarray:
    """An ellipse as an n-gon."""
    return unit_circle(n) * (rx, rx if ry is None else ry) + (x, y)


@lru_cache(maxsize=64)
def unit_circle(n: int) -> np.ndarray:
    """(n, 2) points of the unit circle; shared, so not to be written to."""
    t = np.arange(n) * (2 * math.pi / n)
    return np.stack([np.cos(t), np.sin(t)], axis=1)


def _bounds(points: np.ndarray) -> tuple[float, float, float, float]:
    x, y = points[:, 0], points[:, 1]
    return float(x.min()), float(y.min()), float(x.max()), float(y.max())


def shade(rgb: Colour, k: float) -> Colour:
    """A lighter (k > 1) or darker colour."""
    r, g, b = rgb
    return min(255.0, max(0.0, r * k)), min(255.0, max(0.0, g * k)), min(255.0, max(0.0, b * k))

"""Grounds: what lies under the objects, and where which of them may stand.

A `Site` is a painted ground with its main axis, water, roads and quay. Refuses to know the objects.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import cv2
import numpy as np

from groundproof_training.scenes.shape import SHIFT, Colour, Pose, fixed, shade


@dataclass(slots=True)
class Site:
    """A ground under construction.

    image: (H, W, 3) uint8. axis: radians, clockwise on screen; roads, joints and quays follow it.
    water: (H, W) uint8, 0 land, 1 open water, 2 neither (a jetty); None where all is land.
    roads: lines (x, y, direction, width in px) through a point.
    quay: (x, y, direction towards the water) or None.
    slots: per label, places made for it: (x, y, heading, length in px, style); a harbour's is on the quay.
    """

    name: str
    image: np.ndarray
    axis: float
    px_per_m: float
    water: np.ndarray | None = None
    roads: list[tuple[float, float, float, float]] = field(default_factory=list)
    quay: tuple[float, float, float] | None = None
    slots: dict[str, list[tuple[float, float, float, float, int]]] = field(default_factory=dict)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in px."""
        return self.image.shape[1], self.image.shape[0]


PALETTES: dict[str, tuple[tuple[Colour, ...], ...]] = {
    "concrete": (
        ((150, 146, 136), (172, 168, 158), (190, 186, 175)),
        ((118, 117, 112), (140, 139, 134), (156, 155, 150)),
        ((176, 164, 144), (196, 186, 168), (212, 204, 190)),
        ((96, 100, 100), (116, 120, 120), (130, 132, 130)),
        ((125, 118, 108), (150, 140, 126), (168, 160, 146)),
    ),
    "asphalt": (
        ((62, 64, 66), (76, 78, 80), (92, 92, 92)),
        ((84, 84, 80), (100, 100, 95), (114, 112, 106)),
        ((45, 48, 52), (56, 60, 64), (70, 72, 74)),
    ),
    "grass": (
        ((52, 74, 38), (78, 98, 52), (110, 120, 70)),
        ((84, 92, 54), (112, 114, 72), (142, 136, 96)),
        ((40, 56, 36), (58, 76, 46), (84, 96, 62)),
        ((70, 88, 50), (96, 116, 64), (130, 140, 84)),
    ),
    "soil": (
        ((112, 86, 62), (140, 110, 82), (164, 136, 104)),
        ((92, 74, 58), (116, 96, 76), (150, 128, 104)),
        ((140, 92, 62), (164, 112, 78), (186, 138, 100)),
    ),
    "desert": (
        ((176, 148, 110), (198, 170, 130), (214, 190, 152)),
        ((160, 136, 108), (184, 162, 132), (204, 186, 158)),
        ((188, 160, 128), (206, 184, 154), (226, 208, 180)),
    ),
    "water": (
        ((14, 34, 52), (22, 48, 66), (34, 64, 82)),
        ((26, 52, 54), (40, 70, 68), (58, 90, 84)),
        ((10, 18, 28), (16, 26, 36), (26, 38, 48)),
        ((40, 84, 100), (60, 110, 122), (84, 136, 144)),
        ((56, 66, 54), (76, 86, 70), (96, 104, 86)),
        ((30, 42, 62), (44, 58, 80), (66, 82, 104)),
    ),
}

ROOFS: tuple[Colour, ...] = (
    (226, 226, 222),
    (190, 190, 186),
    (150, 148, 144),
    (110, 112, 116),
    (160, 96, 72),
    (180, 120, 90),
    (120, 70, 58),
    (96, 120, 140),
    (86, 110, 92),
    (205, 190, 160),
    (70, 72, 76),
    (240, 240, 238),
)


def stops(rng: np.random.Generator, kind: str) -> tuple[Colour, ...]:
    """Colours of one surface kind, jittered once."""
    options = PALETTES[kind]
    k, tint = rng.uniform(0.85, 1.15), rng.normal(0, 2.5 if kind in ("asphalt", "concrete") else 5, 3)
    r, g, b = (float(t) for t in tint)
    return tuple((c[0] * k + r, c[1] * k + g, c[2] * k + b) for c in options[rng.integers(len(options))])


def band(
    image: np.ndarray,
    x: float,
    y: float,
    direction: float,
    width: float,
    rgb: Colour,
    reach: float,
    start: float | None = None,
) -> None:
    """Paint a straight band through (x, y), `width` px wide, from `start` (None: -reach) to `reach` px."""
    c, s = math.cos(direction), math.sin(direction)
    a = -reach if start is None else start
    h = width / 2
    quad = np.array(
        [
            (x + a * c - h * s, y + a * s + h * c),
            (x + reach * c - h * s, y + reach * s + h * c),
            (x + reach * c + h * s, y + reach * s - h * c),
            (x + a * c + h * s, y + a * s - h * c),
        ]
    )
    cv2.fillConvexPoly(image, fixed(quad), rgb, cv2.LINE_AA, SHIFT)


def strokes(image: np.ndarray, ends: np.ndarray, rgb: Colour, width: int = 1) -> None:
    """Paint many thin straight lines at once; ends is (N, 2, 2): line, end, (x, y)."""
    if len(ends):
        cv2.polylines(image, list(fixed(ends)), False, rgb, width, cv2.LINE_AA, SHIFT)


def along(x: float, y: float, direction: float, at: np.ndarray) -> np.ndarray:
    """Points at distances `at` from (x, y): (..., 2) for distances of any shape (...)."""
    return np.stack([x + math.cos(direction) * at, y + math.sin(direction) * at], axis=-1)


def dashes(
    image: np.ndarray, x: float, y: float, direction: float, dash: float, rgb: Colour, reach: float
) -> None:
    """A dashed line through (x, y); gaps as long as the dashes, px."""
    start = np.arange(-reach, reach, dash * 2)
    strokes(image, along(x, y, direction, np.stack([start, start + dash], axis=1)), rgb)


def combs(x: float, y: float, direction: float, at: np.ndarray, low: float, high: float) -> np.ndarray:
    """(N, 2, 2) lines across `direction`, one at each distance of `at`, from `low` to `high` px beside it."""
    c, s = math.cos(direction), math.sin(direction)
    foot = along(x, y, direction, at)[:, None, :]
    ends: np.ndarray = foot + np.array([(-s * low, c * low), (-s * high, c * high)])
    return ends


def tinted(image: np.ndarray, mask: np.ndarray, rgb: Colour, strength: float) -> None:
    """Blend a colour in place, as far as the (H, W) uint8 mask says."""
    x, y, w, h = cv2.boundingRect(mask)
    if w == 0:
        return
    # Two table look-ups and saturating uint8 arithmetic: ten times as fast as floats.
    view, part = image[y : y + h, x : x + w], mask[y : y + h, x : x + w]
    share = np.arange(256) * (strength / 255)
    keep = cv2.LUT(part, (255 * (1 - share) + 0.5).astype(np.uint8))
    added = (np.array(rgb) * share[:, None] + 0.5).astype(np.uint8)[None]
    kept = cv2.multiply(view, cv2.merge((keep, keep, keep)), scale=1 / 255)
    cv2.add(kept, cv2.LUT(cv2.merge((part, part, part)), added), dst=kept)
    view[...] = kept


def add_roads(rng: np.random.Generator, site: Site, count: int, cross: bool = True) -> None:
    """Roads along the axis (and across it), with lane markings."""
    w, h = site.size
    reach = math.hypot(w, h)
    for i in range(count):
        direction = site.axis + (math.pi / 2 if cross and i % 2 else 0.0)
        width = float(np.clip(rng.uniform(7, 16) * site.px_per_m, 8, 60))
        x, y = rng.uniform(0.1, 0.9) * w, rng.uniform(0.1, 0.9) * h
        tone = shade(stops(rng, "asphalt")[1], rng.uniform(0.9, 1.2))
        band(site.image, x, y, direction, width * 1.25, shade(tone, 1.25), reach)
        band(site.image, x, y, direction, width, tone, reach)
        if rng.random() < 0.6 and width > 12:
            paint = (210, 205, 190) if rng.random() < 0.7 else (200, 165, 60)
            dash = rng.uniform(6, 14)
            dashes(site.image, x, y, direction, dash, paint, reach)
        site.roads.append((x, y, direction, width))


def bund(site: Site, pose: Pose) -> None:
    """An earth wall, square and along the axis, round a tank: one lit and one shaded line."""
    side = pose.scale * 0.72
    square = Pose(pose.x, pose.y, site.axis).place(
        np.array([(-side, -side), (side, -side), (side, side), (-side, side)])
    )
    x, y = (min(max(int(v), 0), n - 1) for v, n in zip((pose.x, pose.y), site.size, strict=True))
    tone: Colour = tuple(site.image[y, x].astype(float).tolist())
    for offset, k in ((0.0, 1.2), (1.3, 0.72)):
        cv2.polylines(site.image, [fixed(square + offset)], True, shade(tone, k), 1, cv2.LINE_AA, SHIFT)


def joints(rng: np.random.Generator, site: Site, spacing: float, rgb: Colour) -> None:
    """Slab joints: thin lines in both directions, `spacing` px apart."""
    w, h = site.size
    reach = math.hypot(w, h)
    at = np.arange(rng.uniform(0, spacing) - reach / 2, reach / 2, spacing)
    for direction in (site.axis, site.axis + math.pi / 2):
        strokes(site.image, combs(w / 2, h / 2, direction, at, -reach, reach), rgb)

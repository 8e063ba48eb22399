"""Places made for one object each: a river crossing, an overpass, a junction's middle, a berth on the quay.

Paints the roads that lead there and notes the slot on the site. Refuses to draw the object itself.
"""

from __future__ import annotations

import math

import numpy as np

from groundproof_training.scenes.crossing import BRIDGE_WIDTHS, ROADS
from groundproof_training.scenes.ground import Site, band, dashes, stops
from groundproof_training.scenes.shape import Colour, shade
from groundproof_training.scenes.shore import carve

Sizes = tuple[float, float]


def between(rng: np.random.Generator, sizes: Sizes) -> float:
    """Log-uniform."""
    return float(sizes[0] * (sizes[1] / sizes[0]) ** rng.random())


def river(rng: np.random.Generator, site: Site, sizes: Sizes | None) -> None:
    """Carve a river; with `sizes`, leave a slot for a bridge and paint its road on both banks."""
    w, h = site.size
    if sizes is None:
        carve(rng, site, rng.uniform(0.18, 0.45) * min(w, h))
        return
    length, style = between(rng, sizes), int(rng.integers(1 << 10))
    x, y, direction = carve(rng, site, length * rng.uniform(0.72, 0.9))
    heading = direction + math.pi / 2
    tone = ROADS[style // 8 % len(ROADS)]
    road = length * BRIDGE_WIDTHS[style % len(BRIDGE_WIDTHS)] * 0.8
    reach = math.hypot(w, h)
    for turn in (heading, heading + math.pi):
        _road(rng, site, x, y, turn, road, tone, length / 2 - 1, reach)
    site.slots["bridge"] = [(x, y, heading, length, style)]


def overpass(rng: np.random.Generator, site: Site, sizes: Sizes) -> None:
    """A wide road along the axis and a slot for a bridge across it."""
    w, h = site.size
    length, style = between(rng, sizes), int(rng.integers(1 << 10))
    x, y = w * rng.uniform(0.35, 0.65), h * rng.uniform(0.35, 0.65)
    reach = math.hypot(w, h)
    below = length * rng.uniform(0.6, 0.8)
    tone: Colour = shade(stops(rng, "asphalt")[1], 0.85)
    band(site.image, x, y, site.axis, below * 1.2, shade(tone, 1.3), reach)
    _road(rng, site, x, y, site.axis, below, tone, -reach, reach)
    c, s = math.cos(site.axis), math.sin(site.axis)
    for side in (-0.25, 0.25):
        dashes(site.image, x - s * below * side, y + c * below * side, site.axis, 6, (205, 202, 190), reach)
    site.roads.append((x, y, site.axis, below))
    heading = site.axis + math.pi / 2 + rng.normal(0, 0.1)
    road = length * BRIDGE_WIDTHS[style % len(BRIDGE_WIDTHS)] * 0.8
    for turn in (heading, heading + math.pi):
        _road(rng, site, x, y, turn, road, ROADS[style // 8 % len(ROADS)], length / 2 - 1, reach)
    site.slots["bridge"] = [(x, y, heading, length, style)]


def circle(rng: np.random.Generator, site: Site, sizes: Sizes) -> None:
    """Three or four roads that meet, and a slot for a roundabout where they do."""
    w, h = site.size
    length, style = between(rng, sizes), int(rng.integers(1 << 10))
    x, y = w * rng.uniform(0.3, 0.7), h * rng.uniform(0.3, 0.7)
    reach = math.hypot(w, h)
    tone = ROADS[style // 8 % len(ROADS)]
    width = max(length * rng.uniform(0.22, 0.34), 3.0)
    arms = 4 if rng.random() < 0.6 else 3
    for i in range(arms):
        turn = site.axis + i * math.pi / 2 + (rng.normal(0, 0.12) if rng.random() < 0.5 else 0.0)
        _road(rng, site, x, y, turn, width, tone, 0.0, reach)
    site.roads.append((x, y, site.axis, width))
    if arms == 4:
        site.roads.append((x, y, site.axis + math.pi / 2, width))
    site.slots["roundabout"] = [(x, y, rng.uniform(0, math.pi), length, style)]


def berths(rng: np.random.Generator, site: Site, sizes: Sizes, count: int) -> None:
    """Slots for harbours along the quay, `count` times four of them."""
    if site.quay is None:
        return
    w, h = site.size
    x, y, towards = site.quay
    c, s = math.cos(towards), math.sin(towards)
    slots = []
    for _ in range(4 * count):
        t = rng.uniform(-0.4, 0.4) * min(w, h)
        slots.append((x - s * t, y + c * t, towards, between(rng, sizes), int(rng.integers(1 << 10))))
    site.slots["harbour"] = slots


def _road(
    rng: np.random.Generator,
    site: Site,
    x: float,
    y: float,
    direction: float,
    width: float,
    tone: Colour,
    start: float,
    reach: float,
) -> None:
    """A road from `start` px on, with shoulders and lane marks."""
    band(site.image, x, y, direction, width * 1.25 + 1, shade(tone, 1.3), reach, start)
    band(site.image, x, y, direction, width, tone, reach, start)
    if width > 7 and rng.random() < 0.7:
        c, s = math.cos(direction), math.sin(direction)
        for a in np.arange(max(start, -reach) + 4, reach, 12):
            band(site.image, x + c * a, y + s * a, direction, 0.9, (212, 208, 190), 6.0, 0.0)

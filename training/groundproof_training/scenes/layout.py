"""Where objects could stand: rows at gates, grids of tanks, files on roads, ships along a quay, or anywhere.

Yields candidates; refuses to decide (the world checks overlap, distance and the frame).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    from groundproof_training.scenes.ground import Site


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place: centre in px, heading in radians, longer side in px; `style` groups things that look alike."""

    x: float
    y: float
    heading: float
    length_px: float
    style: int | None = None
    anchored: bool = False
    """Whether (x, y) is the middle of the rear edge (a harbour's quay side) and not the centre."""


SLOTTED = ("bridge", "roundabout", "harbour")
ALIGNED = ("storage tank", "building", "sports field")
"""Classes that stand along the site's axis."""


def candidates(
    rng: np.random.Generator, site: Site, label: str, count: int, sizes: tuple[float, float], gap_px: float
) -> Iterator[Candidate]:
    """About 6 x count candidates: a pattern first, then scattered ones, smaller towards the end.

    What needs a slot gets nothing else: each slot a few times, for as many shapes, then a little smaller.
    """
    if label in SLOTTED:
        for k in range(10):
            for x, y, heading, size, kind in site.slots.get(label, ()):
                shrunk = size if label == "bridge" else max(sizes[0], size * (1 - 0.05 * k))
                yield Candidate(x, y, heading, shrunk, kind + (8 * 97 * k), anchored=label == "harbour")
        return
    w, h = site.size
    low, high = sizes
    length = _length(rng, low, high)
    style = int(rng.integers(1 << 30))
    pattern = rng.random()
    same = rng.random() < 0.7
    if count > 1 or label in ("vehicle", "ship"):
        if label == "vehicle" and site.roads and pattern < 0.6:
            yield from _on_roads(rng, site, count, low, high)
        elif label == "ship" and site.quay and pattern < 0.6:
            yield from _moored(rng, site, site.quay, count, low, high)
        elif label == "ship" and "harbour" in site.slots and pattern < 0.9:
            yield from _berthed(rng, site, count, low, high)
        elif pattern < {"storage tank": 0.75, "tree": 0.4, "sports field": 0.3}.get(label, 0.6):
            yield from _grid(rng, site, label, count, length, low, high, gap_px, style)
    for i in range(5 * count + 45):
        shrink = 1.0 if i < 3 * count + 5 else 0.5
        size = _length(rng, low, max(low, low + (high - low) * shrink))
        loose = label not in ALIGNED and rng.random() < 0.6
        turn = rng.uniform(0, 2 * math.pi) if loose else site.axis + math.pi / 2 * rng.integers(4)
        yield Candidate(
            rng.uniform(-0.02, 1.02) * w, rng.uniform(-0.02, 1.02) * h, turn, size, style if same else None
        )


def _length(rng: np.random.Generator, low: float, high: float) -> float:
    """Log-uniform, so that small objects are as usual as large ones."""
    return low * math.exp(rng.random() * math.log(high / low)) if high > low else low


def _grid(
    rng: np.random.Generator,
    site: Site,
    label: str,
    count: int,
    length: float,
    low: float,
    high: float,
    gap_px: float,
    style: int,
) -> Iterator[Candidate]:
    """A row or a few rows along the site's axis."""
    w, h = site.size
    c, s = math.cos(site.axis), math.sin(site.axis)
    stretch = 1 / max(abs(c), abs(s))  # Chebyshev distance of a turned grid
    tight = label == "storage tank" and rng.random() < 0.4
    step = max(
        length * (rng.uniform(1.03, 1.12) if tight else rng.uniform(1.08, 1.7)), gap_px * stretch * 1.02
    )
    rows = 1 if label != "storage tank" and rng.random() < 0.5 else int(rng.integers(1, 4))
    across = max(
        length * (rng.uniform(1.03, 1.15) if tight else rng.uniform(1.1, 1.9)), gap_px * stretch * 1.02
    )
    columns = max(1, min(math.ceil(count / rows) + 1, math.ceil(1.3 * max(w, h) / step)))
    x0, y0 = rng.uniform(0.25, 0.75) * w, rng.uniform(0.25, 0.75) * h
    heading = (
        site.axis
        + math.pi / 2 * (1 if rng.random() < 0.5 else -1)
        + (rng.normal(0, 0.3) if rng.random() < 0.3 else 0)
    )
    for j in range(rows):
        for i in range(columns):
            if rng.random() < 0.08:
                continue
            u, v = (i - (columns - 1) / 2) * step + rng.normal(0, 0.6), (j - (rows - 1) / 2) * across
            size = min(high, max(low, length * rng.uniform(0.9, 1.05)))
            flip = math.pi if label == "vehicle" and rng.random() < 0.4 else 0.0
            yield Candidate(x0 + c * u - s * v, y0 + s * u + c * v, heading + flip, size, style)


def _on_roads(
    rng: np.random.Generator, site: Site, count: int, low: float, high: float
) -> Iterator[Candidate]:
    w, h = site.size
    reach = math.hypot(w, h) / 2
    for _ in range(3 * count):
        x, y, direction, width = site.roads[rng.integers(len(site.roads))]
        c, s = math.cos(direction), math.sin(direction)
        t = rng.uniform(-reach, reach)
        side = 1 if rng.random() < 0.5 else -1
        lane = side * width * 0.23
        heading = direction + (0.0 if side > 0 else math.pi) + rng.normal(0, 0.03)
        yield Candidate(x + c * t - s * lane, y + s * t + c * lane, heading, _length(rng, low, high))


def _moored(
    rng: np.random.Generator,
    site: Site,
    quay: tuple[float, float, float],
    count: int,
    low: float,
    high: float,
) -> Iterator[Candidate]:
    """Alongside the quay, bow either way; at times several side by side."""
    x, y, towards = quay
    w, h = site.size
    reach = math.hypot(w, h) / 2
    c, s = math.cos(towards), math.sin(towards)
    raft = 1 if rng.random() < 0.6 else int(rng.integers(2, 5))
    for _ in range(3 * count):
        length = _length(rng, low, high)
        t = rng.uniform(-reach, reach)
        heading = site.axis + (math.pi if rng.random() < 0.5 else 0.0)
        beam = length * rng.uniform(0.2, 0.34)
        for k in range(raft):
            off = length * rng.uniform(0.12, 0.2) + 2 + k * beam
            yield Candidate(x + c * off - s * t, y + s * off + c * t, heading, length)


def _berthed(
    rng: np.random.Generator, site: Site, count: int, low: float, high: float
) -> Iterator[Candidate]:
    """Small craft among the fingers of the harbours, along or across them."""
    for _ in range(6 * count):
        x, y, towards, size, _ = site.slots["harbour"][rng.integers(len(site.slots["harbour"]))]
        out, beside = rng.uniform(0.05, 1.1) * size, rng.uniform(-0.5, 0.5) * size
        c, s = math.cos(towards), math.sin(towards)
        heading = towards + math.pi / 2 * int(rng.integers(4)) + rng.normal(0, 0.03)
        length = _length(rng, low, max(low, min(high, size * 0.3)))
        yield Candidate(x + c * out - s * beside, y + s * out + c * beside, heading, length)

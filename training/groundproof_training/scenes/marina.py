"""Harbours from above: pier complexes that stand out from a quay, with berths between the fingers.

Refuses to know the ships that lie there. Frame: x runs out into the water, the quay is at the lowest x.
"""

from __future__ import annotations

import numpy as np

from groundproof_training.scenes.shape import Colour, Part, Shape, rectangle, shade

LENGTH_M = (30.0, 170.0)
PIERS: tuple[Colour, ...] = (
    (206, 202, 192),
    (176, 170, 158),
    (150, 122, 92),
    (228, 228, 224),
    (128, 124, 118),
)


def harbour(rng: np.random.Generator, style: int) -> Shape:
    """One pier complex; its longer side about 1."""
    tone = shade(PIERS[style % len(PIERS)], rng.uniform(0.85, 1.1))
    t = rng.uniform(0.03, 0.055)
    z = (0.0, 0.02)
    kind = ("comb", "parallel", "tees")[rng.choice(3, p=(0.45, 0.35, 0.2))]
    bars: list[tuple[float, float, float, float]] = []
    if kind == "comb":  # a spine with fingers on both sides
        reach = rng.uniform(0.16, 0.3)
        bars.append((0.0, -t / 2, 1.0, t / 2))
        fingers = np.linspace(rng.uniform(0.16, 0.25), 1.0 - t * 0.7, int(rng.integers(4, 8)))
        bars += [(x, -reach, x + t * 0.7, reach) for x in fingers.tolist()]
        if rng.random() < 0.4:
            bars.append((1.0 - t, -reach * 1.3, 1.0, reach * 1.3))
    elif kind == "parallel":  # a walkway with piers side by side
        n, deep = int(rng.integers(3, 6)), rng.uniform(0.35, 0.75)
        bars.append((0.0, -0.5, t * 1.4, 0.5))
        for i, y in enumerate(np.linspace(-0.5 + t / 2, 0.5 - t / 2, n)):
            end = deep * (1.0 if i % 2 else rng.uniform(0.85, 1.0))
            bars.append((0.0, y - t / 2, end, y + t / 2))
            if rng.random() < 0.5:
                stubs = np.linspace(deep * 0.4, end - t, 3)
                bars += [(x, y - 0.07, x + t * 0.5, y + 0.07) for x in stubs.tolist()]
    else:  # jetties with heads
        for y in (-0.3, 0.3) if rng.random() < 0.6 else (0.0,):
            end, half = rng.uniform(0.5, 0.75), rng.uniform(0.18, 0.26)
            bars.append((0.0, y - t * 0.6, end, y + t * 0.6))
            bars.append((end - t * 1.5, y - half, end + t * 0.6, y + half))
        bars.append((0.0, -0.5, t * 1.6, 0.5))
    parts = [Part(rectangle(*bar), tone, True, z) for bar in bars]
    parts += [
        Part(rectangle(x0, y1 - t * 0.25, x1, y1) if x1 - x0 > y1 - y0 else rectangle(x1 - t * 0.25, y0, x1, y1),
             shade(tone, 0.7))
        for x0, y0, x1, y1 in bars
    ]  # fmt: skip
    return Shape(tuple(parts))

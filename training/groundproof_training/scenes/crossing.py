"""Bridges and roundabouts from above.

Refuses to know which water or road they serve: the roads that lead there are painted by the place.
"""

from __future__ import annotations

import math

import numpy as np

from groundproof_training.scenes.shape import Colour, Part, Shape, disc, rectangle, shade
from groundproof_training.scenes.sports import ring

BRIDGE_M = (18.0, 170.0)
ROUNDABOUT_M = (18.0, 75.0)
BRIDGE_WIDTHS = (0.12, 0.15, 0.19, 0.24, 0.3, 0.38)
"""Deck width as a share of its length, by style."""

ROADS: tuple[Colour, ...] = (
    (70, 72, 74),
    (88, 88, 86),
    (104, 103, 98),
    (122, 120, 114),
    (140, 136, 128),
    (56, 60, 64),
)
"""Colours of roads, by style: a crossing and the roads to it share one."""


def bridge(rng: np.random.Generator, style: int) -> Shape:
    """A deck of length 1 along x with rails, lanes and, at times, a truss or pylons."""
    b = BRIDGE_WIDTHS[style % len(BRIDGE_WIDTHS)] / 2
    road = shade(ROADS[style // 8 % len(ROADS)], rng.uniform(0.9, 1.1))
    rails: tuple[Colour, ...] = ((205, 202, 194), (170, 168, 162), (150, 96, 70), (120, 140, 130))
    edge = shade(rails[rng.choice(4, p=(0.5, 0.3, 0.1, 0.1))], rng.uniform(0.85, 1.1))
    lift = (rng.uniform(0.03, 0.1),) * 2
    kerb = max(b * 0.24, 0.016)
    parts = [
        Part(rectangle(-0.5, -b, 0.5, b), edge, True, lift),
        Part(rectangle(-0.5, -b + kerb, 0.5, b - kerb), shade(road, 0.75)),
        Part(rectangle(-0.5, -b + kerb * 1.3, 0.5, b - kerb), road),
    ]
    paint = (226, 222, 205) if rng.random() < 0.7 else (205, 165, 65)
    if rng.random() < 0.75:
        t = max(b * 0.05, 0.006)
        n = int(rng.integers(4, 10))
        lanes = (0.0,) if b < 0.1 or rng.random() < 0.5 else (-b * 0.36, 0.0, b * 0.36)
        for y in lanes:
            if y == 0.0 and rng.random() < 0.35:
                parts.append(Part(rectangle(-0.5, -t, 0.5, t), paint))
                continue
            parts += [
                Part(rectangle(x, y - t, x + 0.5 / n, y + t), paint) for x in np.linspace(-0.5, 0.5, n, False)
            ]
    roll = rng.random()
    if roll < 0.25:  # a truss
        for x in np.linspace(-0.46, 0.44, int(rng.integers(6, 12))):
            parts.append(Part(rectangle(x, -b, x + 0.016, b), shade(edge, 0.8)))
    elif roll < 0.55:  # expansion joints
        for x in np.linspace(-0.5, 0.48, int(rng.integers(2, 5))):
            parts.append(Part(rectangle(x, -b, x + 0.012, b), shade(road, 0.6)))
    return Shape(tuple(parts))


def roundabout(rng: np.random.Generator, style: int) -> Shape:
    """A ring road of radius 1 with its island."""
    road = shade(ROADS[style // 8 % len(ROADS)], rng.uniform(0.97, 1.03))
    island = rng.uniform(0.42, 0.66)
    green = shade(((78, 104, 54), (100, 116, 66), (62, 88, 48))[rng.integers(3)], rng.uniform(0.8, 1.15))
    inner = (
        green
        if rng.random() < 0.75
        else shade(((190, 180, 160), (150, 130, 100))[rng.integers(2)], rng.uniform(0.8, 1.1))
    )
    kerb = shade((205, 203, 196), rng.uniform(0.8, 1.1))
    parts = [Part(disc(0, 0, 1.0, n=44), road, True)]
    if rng.random() < 0.6:
        r = (1 + island) / 2
        n = 14
        for i in range(n):
            t = np.linspace(2 * math.pi * i / n, 2 * math.pi * (i + 0.5) / n, 4)
            arc = np.stack([np.cos(t), np.sin(t)], axis=1)
            parts.append(Part(np.concatenate([arc * (r + 0.015), arc[::-1] * (r - 0.015)]), kerb))
    parts += [Part(disc(0, 0, island + 0.05, n=36), kerb), Part(disc(0, 0, island, n=36), inner)]
    roll = rng.random()
    if roll < 0.4:
        parts.append(Part(ring(0, 0, island * 0.72, island * 0.1, 28), shade(inner, 0.7)))
        parts.append(Part(disc(0, 0, island * 0.3, n=16), shade(inner, 1.3)))
    elif roll < 0.7:
        for _ in range(int(rng.integers(3, 8))):
            r, a = island * rng.uniform(0.1, 0.75), rng.uniform(0, 2 * math.pi)
            parts.append(
                Part(
                    disc(r * math.cos(a), r * math.sin(a), island * 0.13, n=8),
                    shade(green, rng.uniform(0.5, 0.8)),
                )
            )
    return Shape(tuple(parts))

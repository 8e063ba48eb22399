"""Trees from above: one round, pointed or palm crown each.

Refuses to know woods. A crown's frame is the sun's: shadows fall along +x, so its lit side is -x.
"""

from __future__ import annotations

import math

import numpy as np

from groundproof_training.scenes.shape import Colour, Part, Shape, disc, shade

LENGTH_M = (3.5, 16.0)
LEAVES: tuple[Colour, ...] = (
    (58, 84, 44),
    (44, 66, 40),
    (76, 98, 54),
    (86, 92, 56),
    (38, 58, 46),
    (96, 104, 70),
    (130, 100, 56),
    (104, 84, 62),
)
_SHARE = (0.24, 0.2, 0.18, 0.12, 0.12, 0.06, 0.04, 0.04)


def tree(rng: np.random.Generator, length_m: float) -> Shape:
    """One crown of radius about 1."""
    tone = shade(LEAVES[rng.choice(len(LEAVES), p=_SHARE)], rng.uniform(0.7, 1.2))
    kind = "round" if (roll := rng.random()) < 0.76 else "cone" if roll < 0.92 else "palm"
    z = (0.0, rng.uniform(1.0, 2.2))
    return Shape(tuple({"round": _round, "cone": _cone, "palm": _palm}[kind](rng, tone, z)))


def _round(rng: np.random.Generator, tone: Colour, z: tuple[float, float]) -> list[Part]:
    n = 26
    t = np.linspace(0, 2 * math.pi, n, endpoint=False)
    lobes = int(rng.integers(5, 9))
    rim = 0.9 + 0.08 * np.abs(np.sin(t * lobes / 2 + rng.uniform(0, 6))) + rng.uniform(-0.07, 0.04, n)
    outline = np.stack([rim * np.cos(t), rim * np.sin(t) * rng.uniform(0.85, 1.0)], axis=1)
    parts = [
        Part(outline, shade(tone, 0.58), True, z),
        Part(outline * 0.84 - (0.12, 0.0), shade(tone, 0.95)),
        Part(outline * 0.5 - (0.3, 0.0), shade(tone, 1.22)),
    ]
    for _ in range(16):
        r, a = 0.85 * math.sqrt(rng.random()), rng.uniform(0, 2 * math.pi)
        x, y = r * math.cos(a), r * math.sin(a)
        size = rng.uniform(0.08, 0.22)
        light = 1.0 - 0.42 * x
        parts.append(Part(disc(x + size * 0.5, y, size, n=7), shade(tone, light * rng.uniform(0.5, 0.72))))
        parts.append(Part(disc(x, y, size, size * 0.8, n=7), shade(tone, light * rng.uniform(0.9, 1.25))))
    return parts


def _cone(rng: np.random.Generator, tone: Colour, z: tuple[float, float]) -> list[Part]:
    """A conifer: jagged outline, darker away from the sun, bright tip."""
    n = 2 * int(rng.integers(7, 11))
    t = np.linspace(0, 2 * math.pi, n, endpoint=False)
    rim = np.where(np.arange(n) % 2, 0.72, 1.0) * rng.uniform(0.9, 1.0, n)
    outline = np.stack([rim * np.cos(t), rim * np.sin(t)], axis=1)
    tone = shade(tone, 0.85)
    parts = [Part(outline, shade(tone, 0.75), True, z)]
    for i in range(n):
        a, b = outline[i], outline[(i + 1) % n]
        light = 0.85 - 0.4 * math.cos(t[i]) + (0.14 if i % 2 else 0.0)
        parts.append(Part(np.array([(0.0, 0.0), a, b]), shade(tone, light)))
    parts.append(Part(disc(-0.08, 0, 0.12, n=8), shade(tone, 1.45)))
    return parts


def _palm(rng: np.random.Generator, tone: Colour, z: tuple[float, float]) -> list[Part]:
    n = int(rng.integers(8, 13))
    parts = []
    for i in range(n):
        a = 2 * math.pi * i / n + rng.normal(0, 0.12)
        c, s = math.cos(a), math.sin(a)
        frond = np.array([(0, -0.06), (0.5, -0.17), (1, 0), (0.5, 0.17), (0, 0.06)]) * (
            rng.uniform(0.8, 1),
            1,
        )
        parts.append(
            Part(frond @ np.array([[c, s], [-s, c]]), shade(tone, 0.95 - 0.35 * c + 0.2 * (i % 2)), True, z)
        )
    parts.append(Part(disc(0, 0, 0.16, n=8), shade(tone, 1.3), True, z))
    return parts

"""Storage tanks from above: cone roofs, floating roofs with the rim's shadow inside, domes, dark tanks.

Refuses to know about tank farms; the layout makes those.
"""

from __future__ import annotations

import math

import numpy as np

from groundproof_training.scenes.shape import Colour, Part, Shape, disc, rectangle, shade, unit_circle

DIAMETER_M = (6.0, 90.0)
COLOURS: tuple[tuple[Colour, float], ...] = (
    ((244, 244, 240), 0.42),
    ((214, 208, 192), 0.16),
    ((165, 165, 165), 0.15),
    ((158, 104, 74), 0.1),
    ((74, 76, 80), 0.1),
    ((150, 170, 160), 0.04),
    ((118, 78, 60), 0.03),
)
ROUND = 40
"""Corners of a tank's outline."""


def tank(rng: np.random.Generator, finish: int) -> Shape:
    """One tank of radius 1, where shadows fall along +x (a tank is round: its heading is the sun's).

    finish: a number that fixes colour and roof, so that the tanks of one farm look alike.
    """
    style = np.random.default_rng(finish)
    weights = np.array([w for _, w in COLOURS])
    base = COLOURS[style.choice(len(COLOURS), p=weights / weights.sum())][0]
    roof = "cone" if (roll := style.random()) < 0.45 else "floating" if roll < 0.8 else "dome"
    base = shade(base, rng.uniform(0.85, 1.06))
    height = rng.uniform(0.35, 1.1)
    parts: list[Part] = []
    lean, towards = rng.uniform(0.0, 0.14) if rng.random() < 0.4 else 0.0, rng.uniform(0, 2 * math.pi)
    dx, dy = lean * math.cos(towards), lean * math.sin(towards)
    if lean > 0.03:
        facing = math.cos(towards)
        parts.append(
            Part(disc(-dx, -dy, 0.99, n=ROUND), shade(base, 0.6 - 0.25 * facing), True, (0.0, height))
        )
    parts.append(Part(disc(0, 0, 1.0, n=ROUND), shade(base, 0.85), True, (0.0, height)))
    if roof == "floating":
        parts += _floating(rng, base)
    else:
        parts += _cone(rng, base, depth=0.1 if roof == "cone" else 0.2)
    turn = rng.uniform(0, 2 * math.pi)
    if rng.random() < 0.5:
        parts.append(_arc(0.97, 0.05, turn, rng.uniform(0.5, 1.4), shade(base, 0.55)))
    if rng.random() < 0.35:
        c, s = math.cos(turn), math.sin(turn)
        walk = rectangle(0.0, -0.03, 0.95, 0.03) @ np.array([[c, s], [-s, c]])
        parts.append(Part(walk, shade(base, 0.65)))
    if rng.random() < 0.3:
        for _ in range(rng.integers(1, 4)):
            r, t = rng.uniform(0.1, 0.8), rng.uniform(0, 2 * math.pi)
            parts.append(Part(disc(r * math.cos(t), r * math.sin(t), 0.06, n=8), shade(base, 0.7)))
    return Shape(tuple(parts))


def _cone(rng: np.random.Generator, base: Colour, depth: float) -> list[Part]:
    """A roof that is lighter towards the sun, in sectors."""
    n = 10
    parts = []
    for i in range(n):
        t0, t1 = 2 * math.pi * i / n, 2 * math.pi * (i + 1) / n + 0.02
        rim = [(0.94 * math.cos(t), 0.94 * math.sin(t)) for t in np.linspace(t0, t1, 4)]
        light = 1.0 - depth * math.cos((t0 + t1) / 2)
        parts.append(Part(np.array([(0.0, 0.0), *rim]), shade(base, light)))
    if rng.random() < 0.6:
        parts.append(Part(disc(0, 0, rng.uniform(0.05, 0.14), n=10), shade(base, rng.uniform(0.6, 0.9))))
    return parts


def _floating(rng: np.random.Generator, base: Colour) -> list[Part]:
    """A bright rim, a sunken deck and the rim's shadow on it."""
    deck = shade(base, rng.uniform(0.6, 0.98)) if rng.random() < 0.7 else (95, 92, 88)
    drop = rng.uniform(0.05, 0.4)
    parts = [
        Part(disc(0, 0, 1.0, n=ROUND), shade(base, 1.05)),
        Part(disc(0, 0, 0.93, n=ROUND), shade(deck, 0.42)),
    ]
    # The lit part of the deck is the deck's disc cut by the same disc moved along the shadow.
    ring = 0.92 * unit_circle(ROUND)
    lit = ring + np.array((drop, 0.0))  # the moved circle, pulled back into the deck where it leaves it
    r = np.linalg.norm(lit, axis=1, keepdims=True)
    lit = np.where(r > 0.92, lit * (0.92 / r), lit)
    parts.append(Part(lit, deck))
    if rng.random() < 0.6:
        parts.append(_arc(0.78, 0.03, 0.0, 2 * math.pi, shade(deck, 0.85)))
    if rng.random() < 0.4:
        parts.append(Part(disc(0, 0, 0.12, n=12), shade(deck, 0.8)))
    return parts


def _arc(radius: float, width: float, start: float, sweep: float, rgb: Colour) -> Part:
    t = np.linspace(start, start + sweep, 16)
    unit = np.stack([np.cos(t), np.sin(t)], axis=1)
    return Part(np.concatenate([unit * radius, unit[::-1] * (radius - width)]), rgb)

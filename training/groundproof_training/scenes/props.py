"""Shapes that are no objects: pools, solar panels, jet bridges, containers, bushes, painted rings, foam.

A fixed stock of each kind, in pixels. Refuses to know where they go.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from groundproof_training.scenes.shape import Part, Shape, disc, rectangle, shade, unit_circle
from groundproof_training.scenes.ship import BOXES

VARIANTS = 64
"""Different shapes per kind."""


@lru_cache(maxsize=4096)
def stock(kind: str, variant: int) -> Shape:
    """One of a fixed number of shapes of a kind; making them costs more than drawing them."""
    return MAKERS[kind](np.random.default_rng((7, list(MAKERS).index(kind), variant)))


def _pool(rng: np.random.Generator) -> Shape:
    a, b = rng.uniform(3, 8), rng.uniform(2, 4)
    blue = shade((90, 190, 205), rng.uniform(0.7, 1.1))
    round_ = rng.random() < 0.3
    rim = disc(0, 0, a + 1, b + 1) if round_ else rectangle(-a - 1, -b - 1, a + 1, b + 1)
    water = disc(0, 0, a, b) if round_ else rectangle(-a, -b, a, b)
    return Shape((Part(rim, shade((214, 208, 196), rng.uniform(0.7, 1.1)), True), Part(water, blue)))


def _solar(rng: np.random.Generator) -> Shape:
    """Rows of solar panels on the ground."""
    a, n = rng.uniform(8, 24), int(rng.integers(2, 7))
    tone = shade((44, 56, 88), rng.uniform(0.6, 1.4))
    rows = [rectangle(-a, i * 5.0, a, i * 5.0 + 3) for i in range(n)]
    return Shape(
        tuple(Part(row, tone, True, (0.5, 1.5)) for row in rows)
        + tuple(
            Part(row * (1, 0) + (0, row[0, 1]) + ((0, 0), (0, 0), (0, 0.5), (0, 0.5)), shade(tone, 1.7))
            for row in rows
        )
    )


def _greenhouse(rng: np.random.Generator) -> Shape:
    """Plastic tunnels side by side."""
    a, n = rng.uniform(10, 30), int(rng.integers(2, 6))
    tone = shade((214, 222, 218), rng.uniform(0.6, 1.05))
    parts = []
    for i in range(n):
        y = i * 6.0
        parts += [
            Part(rectangle(-a, y, a, y + 5), shade(tone, 0.8), True, (0.0, 2.0)),
            Part(rectangle(-a, y + 1, a, y + 3), tone),
        ]
    return Shape(tuple(parts))


def _jet_bridge(rng: np.random.Generator) -> Shape:
    a, b = rng.uniform(9, 26), rng.uniform(1.2, 2.8)
    tone = shade((225, 225, 222), rng.uniform(0.6, 1.05))
    return Shape(
        (
            Part(rectangle(-a, -b, a, b), tone, True, (2.0, 5.0)),
            Part(rectangle(a - 4, -b - 1, a + 2, b + 1), shade(tone, 0.8), True, (1.0, 5.0)),
            Part(disc(-a, 0, b + 1.2, n=10), shade(tone, 0.9), True, (1.0, 5.0)),
        )
    )


def _cart(rng: np.random.Generator) -> Shape:
    """A file of small carts or pallets, each too small to be a vehicle."""
    tone = shade((190, 185, 175), rng.uniform(0.3, 1.2))
    return Shape(
        tuple(
            Part(rectangle(x, -1.0, x + 2.6, 1.0), tone, True, (0.0, 1.2))
            for x in np.arange(rng.integers(1, 6)) * 4.0
        )
    )


def _boxes(rng: np.random.Generator) -> Shape:
    """A block of stacked containers."""
    rows, columns = int(rng.integers(2, 6)), int(rng.integers(2, 5))
    a, b = rng.uniform(9, 16), rng.uniform(3, 4.5)
    parts = []
    for i in range(columns):
        for j in range(rows):
            tone = shade(BOXES[rng.integers(len(BOXES))], rng.uniform(0.8, 1.15))
            parts.append(
                Part(rectangle(i * a, j * b, i * a + a * 0.96, j * b + b * 0.95), tone, True, (0.0, 3.0))
            )
    return Shape(tuple(parts))


def _bush(rng: np.random.Generator) -> Shape:
    r = rng.uniform(1, 3)
    return Shape(
        (
            Part(
                disc(0, 0, r, r * rng.uniform(0.6, 1), n=8),
                shade((70, 78, 50), rng.uniform(0.6, 1.3)),
                True,
                (0.0, r),
            ),
        )
    )


def _circle(rng: np.random.Generator) -> Shape:
    """A painted ring or a flat round patch: round like a tank, but with no wall and no shadow."""
    r = rng.uniform(6, 18)
    paint = shade(
        ((205, 170, 70), (215, 212, 205), (90, 90, 88), (120, 130, 90))[rng.integers(4)],
        rng.uniform(0.7, 1.1),
    )
    if rng.random() < 0.25:
        return Shape((Part(disc(0, 0, r, n=32), shade(paint, 0.7), True),))
    rim, gap = disc(0, 0, r, n=32), disc(0, 0, r - rng.uniform(1, 2.2), n=32)
    return Shape((Part(np.concatenate([rim, rim[:1], gap[:1], gap[::-1]]), paint, True),))


def _stain(rng: np.random.Generator) -> Shape:
    """Oil, tar patches, wet spots."""
    tone = shade((105, 102, 96), rng.uniform(0.5, 1.2))
    rim = rng.uniform(3, 9) * rng.uniform(0.5, 1.0, 10)
    return Shape((Part(unit_circle(10) * rim[:, None] * (1.0, rng.uniform(0.3, 1)), tone, True),))


def _slab(rng: np.random.Generator) -> Shape:
    a, b = rng.uniform(5, 25), rng.uniform(4, 12)
    return Shape((Part(rectangle(-a, -b, a, b), shade((160, 155, 145), rng.uniform(0.5, 1.0)), True),))


def _mast(rng: np.random.Generator) -> Shape:
    return Shape(
        (
            Part(
                disc(0, 0, 1.1, n=8),
                shade((200, 200, 195), rng.uniform(0.6, 1.2)),
                True,
                (0.0, rng.uniform(6, 20)),
            ),
        )
    )


def _crane(rng: np.random.Generator) -> Shape:
    tone = ((200, 120, 40), (60, 90, 150), (200, 200, 200), (180, 50, 40))[rng.integers(4)]
    a = rng.uniform(14, 30)
    return Shape(
        (
            Part(rectangle(-a, -1.2, a, -0.2), tone, True, (6.0, 9.0)),
            Part(rectangle(-a, 0.6, a, 1.6), tone, True, (6.0, 9.0)),
            Part(rectangle(-5, -4, 4, 4.4), shade(tone, 0.8), True, (0.0, 6.0)),
        )
    )


def _buoy(rng: np.random.Generator) -> Shape:
    return Shape((Part(disc(0, 0, rng.uniform(0.8, 1.8), n=8), (200, 80, 50), True),))


def _foam(rng: np.random.Generator) -> Shape:
    """A streak of foam or a breaking wave: bright and long like a ship, but thin and soft."""
    a, b = rng.uniform(3, 14), rng.uniform(0.3, 0.9)
    tone = shade((170, 182, 184), rng.uniform(0.6, 1.2))
    return Shape((Part(np.array([(-a, 0), (0, -b), (a, 0.4), (0, b)]), tone, True),))


MAKERS = {
    "pool": _pool, "solar": _solar, "jet bridge": _jet_bridge, "cart": _cart, "boxes": _boxes, "bush": _bush,
    "greenhouse": _greenhouse, "circle": _circle, "stain": _stain, "slab": _slab, "mast": _mast,
    "crane": _crane, "buoy": _buoy, "foam": _foam,
}  # fmt: skip

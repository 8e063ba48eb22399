"""Buildings from above: houses, L and U blocks, flat roofs, warehouses.

Refuses to know streets. The roof's shaded side is +y; who places a building turns that away from the sun.
"""

from __future__ import annotations

import numpy as np

from groundproof_training.scenes.ground import ROOFS
from groundproof_training.scenes.shape import Colour, Part, Shape, disc, rectangle, shade

LENGTH_M = (7.0, 110.0)


def building(rng: np.random.Generator, length_m: float) -> Shape:
    """One building; what kind depends on its length. Frame: longer side about 1, along x."""
    house = length_m < 24
    warm = house and rng.random() < 0.5
    tone = shade(
        ROOFS[rng.choice((4, 5, 6, 9)) if warm else rng.integers(len(ROOFS))], rng.uniform(0.75, 1.15)
    )
    b = rng.uniform(0.28, 0.46) if house else rng.uniform(0.14, 0.42)
    z = (0.0, (rng.uniform(3.5, 8) if house else rng.uniform(4, 22)) / length_m)
    kinds, weights = (
        (("gable", "hip", "angle", "flat"), (0.34, 0.3, 0.22, 0.14))
        if house
        else (("flat", "hall", "angle", "court", "gable", "hip"), (0.36, 0.26, 0.14, 0.1, 0.08, 0.06))
    )
    kind = kinds[rng.choice(len(kinds), p=weights)]
    if kind == "gable":
        parts = _gable(-0.5, -b, 0.5, b, tone, z)
    elif kind == "hip":
        parts = _hip(b, tone, z)
    elif kind == "flat":
        parts = _flat(rng, -0.5, -b, 0.5, b, tone, z)
    elif kind == "hall":
        parts = _hall(rng, b, tone, z)
    else:
        parts = _wings(rng, tone, z, flat=not house and rng.random() < 0.6, both=kind == "court")
    if house and rng.random() < 0.5:  # a chimney and its shadow
        x, y = rng.uniform(-0.3, 0.3), rng.uniform(-0.1, 0.1)
        parts.append(Part(rectangle(x, y, x + 0.09, y + 0.12), shade(tone, 0.45)))
        parts.append(Part(rectangle(x, y, x + 0.06, y + 0.06), shade((170, 160, 150), rng.uniform(0.7, 1.3))))
    return Shape(tuple(parts))


def _gable(
    x0: float, y0: float, x1: float, y1: float, tone: Colour, z: tuple[float, float], *, across: bool = False
) -> list[Part]:
    """Two roof planes; the ridge runs along x, or along y when `across`."""
    mx, my = (x0 + x1) / 2, (y0 + y1) / 2
    t = 0.06 * min(x1 - x0, y1 - y0)
    dark = rectangle(mx, y0, x1, y1) if across else rectangle(x0, my, x1, y1)
    ridge = rectangle(mx - t, y0, mx + t, y1) if across else rectangle(x0, my - t, x1, my + t)
    return [
        Part(rectangle(x0, y0, x1, y1), tone, True, z),
        Part(dark, shade(tone, 0.68)),
        Part(ridge, shade(tone, 1.2)),
    ]


def _hip(b: float, tone: Colour, z: tuple[float, float]) -> list[Part]:
    r = max(0.5 - b, 0.02)
    return [
        Part(rectangle(-0.5, -b, 0.5, b), tone, True, z),
        Part(np.array([(-0.5, -b), (0.5, -b), (r, 0), (-r, 0)]), shade(tone, 1.12)),
        Part(np.array([(-0.5, b), (0.5, b), (r, 0), (-r, 0)]), shade(tone, 0.64)),
        Part(np.array([(0.5, -b), (0.5, b), (r, 0)]), shade(tone, 0.82)),
        Part(np.array([(-0.5, -b), (-0.5, b), (-r, 0)]), shade(tone, 0.96)),
        Part(rectangle(-r, -0.015, r, 0.015), shade(tone, 1.25)),
    ]


def _flat(
    rng: np.random.Generator, x0: float, y0: float, x1: float, y1: float, tone: Colour, z: tuple[float, float]
) -> list[Part]:
    """A parapet, its inner shadow, and machines on the roof."""
    e = 0.025
    parts = [
        Part(rectangle(x0, y0, x1, y1), shade(tone, 1.14), True, z),
        Part(rectangle(x0 + e, y0 + e, x1 - e, y1 - e), shade(tone, 0.66)),
        Part(rectangle(x0 + e * 1.4, y0 + e * 2.2, x1 - e, y1 - e), shade(tone, 0.94)),
    ]
    if x1 - x0 > 0.4 and rng.random() < 0.3:  # a higher storey
        cx, cy = rng.uniform(x0 + 0.1, x1 - 0.2), rng.uniform(y0 + 0.05, (y0 + y1) / 2)
        a, c = 0.16, 0.45 * (y1 - y0)
        parts.append(Part(rectangle(cx, cy, cx + a + 0.02, cy + c + 0.03), shade(tone, 0.5)))
        parts.append(Part(rectangle(cx, cy, cx + a, cy + c), shade(tone, 1.1)))
    for _ in range(rng.integers(1, 8)):
        r = rng.uniform(0.012, 0.04)
        x, y = rng.uniform(x0 + 0.06, x1 - 0.06), rng.uniform(y0 + 0.05, y1 - 0.05)
        vent = rectangle(x - r, y - r, x + r, y + r) if rng.random() < 0.6 else disc(x, y, r, n=10)
        parts.append(Part(vent + 0.016, shade(tone, 0.5)))
        parts.append(Part(vent, shade(tone, rng.uniform(1.05, 1.3))))
    return parts


def _hall(rng: np.random.Generator, b: float, tone: Colour, z: tuple[float, float]) -> list[Part]:
    """A warehouse: one to three shallow gables, sheets, skylights, loading doors."""
    bays = int(rng.integers(1, 4))
    parts = [Part(rectangle(-0.5, -b, 0.5, b), tone, True, z)]
    step = 2 * b / bays
    for i in range(bays):
        y = -b + i * step
        parts.append(Part(rectangle(-0.5, y + step / 2, 0.5, y + step), shade(tone, rng.uniform(0.76, 0.9))))
        parts.append(
            Part(rectangle(-0.5, y + step / 2 - 0.008, 0.5, y + step / 2 + 0.008), shade(tone, 1.15))
        )
    sheets = np.linspace(-0.45, 0.45, int(rng.integers(4, 12)))
    parts += [Part(rectangle(x, -b, x + 0.008, b), shade(tone, 0.86)) for x in sheets]
    if rng.random() < 0.5:
        glass = shade((215, 225, 230), rng.uniform(0.5, 1.1))
        panes = np.linspace(-0.4, 0.38, int(rng.integers(3, 8)))
        parts += [Part(rectangle(x, -b * 0.8, x + 0.03, -b * 0.2), glass) for x in panes]
    return parts


def _wings(
    rng: np.random.Generator, tone: Colour, z: tuple[float, float], *, flat: bool, both: bool
) -> list[Part]:
    """An L, or with `both` a U: a main wing along x and one or two across."""
    deep, thick = rng.uniform(0.55, 0.85), rng.uniform(0.2, 0.3)
    ends = (-0.5, 0.5 - thick) if both else ((-0.5,) if rng.random() < 0.5 else (0.5 - thick,))
    parts: list[Part] = []
    for x in ends:
        box = (x, 0.0, x + thick, deep)
        parts += _flat(rng, *box, tone, z) if flat else _gable(*box, tone, z, across=True)
    main = (-0.5, 0.0, 0.5, thick)
    return parts + (_flat(rng, *main, tone, z) if flat else _gable(*main, tone, z))

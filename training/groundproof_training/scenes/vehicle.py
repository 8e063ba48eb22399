"""Vehicles from above: cars, vans, pickups, buses, lorries with trailers.

Refuses to know about roads.
"""

from __future__ import annotations

import numpy as np

from groundproof_training.scenes.shape import Colour, Part, Shape, rectangle, shade

LENGTH_M = (4.0, 19.0)
PAINT: tuple[tuple[Colour, float], ...] = (
    ((242, 242, 242), 0.32),
    ((40, 42, 46), 0.18),
    ((150, 152, 156), 0.18),
    ((170, 36, 34), 0.1),
    ((40, 66, 130), 0.1),
    ((205, 170, 60), 0.04),
    ((60, 100, 70), 0.03),
    ((140, 110, 80), 0.05),
)
GLASS: Colour = (38, 44, 54)


def vehicle(rng: np.random.Generator, length_m: float) -> Shape:
    """One vehicle; what kind depends on its length. Frame: length 1, front at x = 0.5."""
    weights = np.array([w for _, w in PAINT])
    paint = shade(PAINT[rng.choice(len(PAINT), p=weights / weights.sum())][0], rng.uniform(0.85, 1.12))
    if length_m < 6.5:
        return _car(rng, paint)
    if length_m < 10 and rng.random() < 0.5:
        return _van(rng, paint)
    return _bus(rng, paint) if rng.random() < 0.3 else _lorry(rng, paint, length_m)


def _body(b: float, cut: float = 0.06) -> np.ndarray:
    """A rectangle of length 1 and half width b with cut corners."""
    c = cut * b * 6
    return np.array(
        [
            (-0.5, -b + c),
            (-0.5 + c * 0.7, -b),
            (0.5 - c, -b),
            (0.5, -b + c),
            (0.5, b - c),
            (0.5 - c, b),
            (-0.5 + c * 0.7, b),
            (-0.5, b - c),
        ]
    )


def _car(rng: np.random.Generator, paint: Colour) -> Shape:
    b = rng.uniform(0.2, 0.235)
    front, rear = rng.uniform(0.16, 0.24), rng.uniform(-0.4, -0.3)
    parts = [
        Part(_body(b), paint, True, (0.0, 0.32)),
        Part(
            np.array(
                [(front, -b * 0.86), (front, b * 0.86), (front - 0.13, b * 0.7), (front - 0.13, -b * 0.7)]
            ),
            GLASS,
        ),
        Part(
            np.array([(rear, -b * 0.8), (rear, b * 0.8), (rear + 0.08, b * 0.66), (rear + 0.08, -b * 0.66)]),
            GLASS,
        ),
        Part(rectangle(rear + 0.08, -b * 0.72, front - 0.13, b * 0.72), shade(paint, 1.08)),
        Part(rectangle(front + 0.02, -b * 0.8, 0.46, b * 0.8), shade(paint, 0.93)),
    ]
    parts += [
        Part(rectangle(rear + 0.08, y - 0.012, front - 0.1, y + 0.012), shade(GLASS, 1.2))
        for y in (-b * 0.84, b * 0.84)
    ]
    if rng.random() < 0.18:  # a pickup's bed
        parts.append(Part(rectangle(-0.47, -b * 0.78, -0.06, b * 0.78), shade(paint, 0.55)))
    return Shape(tuple(parts))


def _van(rng: np.random.Generator, paint: Colour) -> Shape:
    b = rng.uniform(0.16, 0.19)
    return Shape(
        (
            Part(_body(b, 0.04), paint, True, (0.0, 0.4)),
            Part(rectangle(0.3, -b * 0.85, 0.4, b * 0.85), GLASS),
            Part(rectangle(-0.46, -b * 0.85, 0.28, b * 0.85), shade(paint, 1.06)),
            Part(rectangle(-0.1, -b * 0.85, -0.08, b * 0.85), shade(paint, 0.85)),
        )
    )


def _bus(rng: np.random.Generator, paint: Colour) -> Shape:
    b = rng.uniform(0.1, 0.125)
    parts = [
        Part(_body(b, 0.03), paint, True, (0.0, 0.28)),
        Part(rectangle(0.44, -b * 0.85, 0.48, b * 0.85), GLASS),
    ]
    parts += [
        Part(rectangle(x0, -b * 0.5, x0 + 0.08, b * 0.5), shade(paint, 0.8))
        for x0 in rng.uniform(-0.4, 0.3, rng.integers(1, 4))
    ]
    return Shape(tuple(parts))


def _lorry(rng: np.random.Generator, paint: Colour, length_m: float) -> Shape:
    b = rng.uniform(0.075, 0.1) if length_m > 13 else rng.uniform(0.11, 0.15)
    cab = 0.5 - (0.14 if length_m > 13 else 0.22)
    load = paint if rng.random() < 0.3 else shade((236, 236, 232), rng.uniform(0.6, 1.05))
    parts = [
        Part(rectangle(cab - 0.06, -b * 0.5, cab + 0.02, b * 0.5), (60, 60, 62), True, (0.0, 0.1)),
        Part(rectangle(cab + 0.01, -b * 0.95, 0.5, b * 0.95), paint, True, (0.0, 0.2)),
        Part(rectangle(0.44, -b * 0.85, 0.485, b * 0.85), GLASS),
        Part(rectangle(-0.5, -b, cab - 0.03, b), load, True, (0.0, 0.26)),
    ]
    if rng.random() < 0.3:  # open load
        parts.append(
            Part(
                rectangle(-0.47, -b * 0.8, cab - 0.06, b * 0.8), shade((120, 100, 80), rng.uniform(0.6, 1.3))
            )
        )
    else:
        parts.append(Part(rectangle(-0.5, b * 0.2, cab - 0.03, b), shade(load, 0.92)))
    return Shape(tuple(parts))

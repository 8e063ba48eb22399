"""Ships from above: container, bulk, tanker, ferry, warship, barge and small craft.

Refuses to know where the water is.
"""

from __future__ import annotations

import numpy as np

from groundproof_training.scenes.shape import Colour, Part, Shape, disc, rectangle, shade

LENGTH_M = (8.0, 300.0)
BOXES: tuple[Colour, ...] = (
    (160, 50, 40),
    (40, 70, 140),
    (200, 200, 200),
    (40, 110, 70),
    (190, 120, 40),
    (110, 110, 115),
    (150, 60, 60),
)
DECKS: tuple[Colour, ...] = (
    (120, 60, 48),
    (110, 115, 118),
    (60, 90, 75),
    (70, 75, 85),
    (150, 145, 135),
    (95, 45, 40),
    (45, 50, 58),
)


def ship(rng: np.random.Generator, length_m: float) -> Shape:
    """One ship; what kind depends on its length. Frame: length 1, bow at x = 0.5."""
    if length_m < 35:
        return _boat(rng)
    kind = ("container", "bulk", "tanker", "ferry", "warship", "barge")[
        rng.choice(6, p=(0.24, 0.22, 0.22, 0.12, 0.1, 0.1))
    ]
    b = (
        1
        / rng.uniform(
            *{"warship": (7.5, 10.0), "barge": (3.5, 5.5), "ferry": (4.5, 6.5)}.get(kind, (5.0, 7.5))
        )
        / 2
    )
    deck = DECKS[rng.integers(len(DECKS))]
    if kind == "warship":
        deck = shade((130, 136, 142), rng.uniform(0.7, 1.2))
    if kind == "ferry":
        deck = shade((235, 235, 235), rng.uniform(0.85, 1.05))
    white = shade((238, 238, 234), rng.uniform(0.85, 1.05))
    rim = shade(deck, rng.uniform(0.6, 0.85)) if rng.random() < 0.6 else shade(white, 0.95)
    bow = 0.06 if kind == "barge" else rng.uniform(0.13, 0.3)
    parts = [
        Part(_hull(b, bow, blunt=kind == "barge"), rim, True, (0.0, 0.05)),
        Part(_hull(b * 0.86, bow, blunt=kind == "barge", length=0.485), deck),
    ]
    if kind == "container":
        parts += _stacks(rng, b * 0.8)
    elif kind == "bulk":
        n = rng.integers(4, 8)
        lid = shade(deck, rng.uniform(1.2, 1.6)) if rng.random() < 0.7 else shade(deck, 0.6)
        for x0 in np.linspace(-0.24, 0.3, n):
            w = 0.54 / n * 0.7
            parts.append(Part(rectangle(x0, -b * 0.55, x0 + w, b * 0.55), lid))
            parts.append(Part(rectangle(x0, -b * 0.03, x0 + w, b * 0.03), shade(lid, 0.75)))
    elif kind == "tanker":
        parts.append(Part(rectangle(-0.25, -b * 0.12, 0.38, b * 0.12), shade(deck, 1.4)))
        parts.append(Part(rectangle(0.02, -b * 0.75, 0.06, b * 0.75), shade(deck, 1.5)))
        for x0 in np.linspace(-0.2, 0.32, 5):
            parts.append(Part(rectangle(x0, -b * 0.8, x0 + 0.008, b * 0.8), shade(deck, 0.75)))
    elif kind == "ferry":
        parts.append(Part(rectangle(-0.42, -b * 0.7, 0.25, b * 0.7), shade(white, 0.92)))
        parts.append(Part(rectangle(-0.3, -b * 0.35, 0.1, b * 0.35), shade(white, 1.05)))
        parts.append(Part(rectangle(-0.22, -b * 0.3, -0.14, b * 0.3), (150, 60, 50)))
    elif kind == "warship":
        parts.append(Part(rectangle(-0.2, -b * 0.65, 0.18, b * 0.65), shade(deck, 1.15)))
        parts.append(Part(rectangle(-0.1, -b * 0.4, 0.1, b * 0.4), shade(deck, 0.8)))
        parts.append(Part(disc(0.28, 0, b * 0.35, n=10), shade(deck, 1.25)))
        parts.append(Part(disc(-0.36, 0, b * 0.55, n=12), shade(deck, 0.85)))
    else:
        load = BOXES[rng.integers(len(BOXES))]
        parts.append(Part(rectangle(-0.42, -b * 0.65, 0.4, b * 0.65), shade(load, rng.uniform(0.5, 1.1))))
    if kind in ("container", "bulk", "tanker"):
        aft, wide = rng.uniform(-0.46, -0.42), rng.uniform(0.07, 0.12)
        parts.append(Part(rectangle(aft, -b * 0.85, aft + wide, b * 0.85), white, False, (0.05, 0.13)))
        parts.append(Part(rectangle(aft + wide * 0.55, -b * 0.85, aft + wide, b * 0.85), shade(white, 0.82)))
        parts.append(Part(rectangle(aft - 0.03, -b * 0.25, aft + wide * 0.3, b * 0.25), shade(deck, 0.7)))
    return Shape(tuple(parts))


def _hull(b: float, bow: float, *, blunt: bool = False, length: float = 0.5) -> np.ndarray:
    """The outline of a hull of half beam `b`; `bow` is the length of its taper."""
    nose = 0.55 if blunt else 0.0
    half = [
        (-length, 0.72),
        (-length + 0.04, 0.96),
        (-length + 0.12, 1.0),
        (length - bow, 1.0),
        (length - bow * 0.55, 0.82),
        (length - bow * 0.2, 0.42 + nose * 0.5),
        (length, nose),
    ]
    return np.array([(x, y * b) for x, y in half] + [(x, -y * b) for x, y in reversed(half)])


def _stacks(rng: np.random.Generator, b: float) -> list[Part]:
    """Rows of containers across the deck."""
    rows, columns = int(rng.integers(5, 9)), int(rng.integers(2, 5))
    parts = []
    for x0 in np.linspace(-0.3, 0.3, rows):
        if rng.random() < 0.1:
            continue
        w = 0.6 / rows * 0.88
        for j in range(columns):
            y0 = -b + 2 * b * j / columns
            tone = shade(BOXES[rng.integers(len(BOXES))], rng.uniform(0.8, 1.2))
            parts.append(Part(rectangle(x0, y0, x0 + w, y0 + 2 * b / columns * 0.94), tone))
    return parts


def _boat(rng: np.random.Generator) -> Shape:
    """A yacht, launch or fishing boat."""
    b = 1 / rng.uniform(2.8, 4.6) / 2
    light = rng.random() < 0.75
    body = shade((240, 240, 238), rng.uniform(0.8, 1.05)) if light else DECKS[rng.integers(len(DECKS))]
    inner = shade(body, rng.uniform(0.7, 0.95)) if rng.random() < 0.6 else (150, 115, 80)
    parts = [
        Part(_hull(b, rng.uniform(0.35, 0.55)), body, True, (0.0, 0.08)),
        Part(_hull(b * 0.7, 0.4, length=0.42), inner),
    ]
    x0 = rng.uniform(-0.25, -0.05)
    cabin = shade((245, 245, 245), rng.uniform(0.7, 1.0))
    parts.append(Part(rectangle(x0, -b * 0.6, x0 + 0.28, b * 0.6), cabin, False, (0.08, 0.18)))
    parts.append(Part(rectangle(x0 + 0.2, -b * 0.5, x0 + 0.28, b * 0.5), (50, 60, 75)))
    if rng.random() < 0.4:
        parts.append(Part(rectangle(-0.46, -b * 0.6, -0.32, b * 0.6), shade(inner, 0.7)))
    return Shape(tuple(parts))


def wake(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two foam polygons behind a hull of length 1: churned track and the opening V; no part of the box."""
    long, half = rng.uniform(0.6, 2.2), rng.uniform(0.03, 0.07)
    track = np.array([(-0.42, -half), (-0.5 - long, -half * 1.8), (-0.5 - long, half * 1.8), (-0.42, half)])
    open_ = rng.uniform(0.15, 0.3) * long
    vee = np.array(
        [
            (0.3, 0.06),
            (-0.5 - long * 0.7, open_),
            (-0.5 - long * 0.7, open_ * 0.8),
            (0.1, 0.0),
            (-0.5 - long * 0.7, -open_ * 0.8),
            (-0.5 - long * 0.7, -open_),
            (0.3, -0.06),
        ]
    )
    return track, vee

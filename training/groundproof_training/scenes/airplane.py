"""Airplanes from above: airliners, business jets, propeller planes and deltas in many liveries.

Refuses to know where they stand.
"""

from __future__ import annotations

import numpy as np

from groundproof_training.scenes.shape import Colour, Part, Shape, disc, rectangle, shade

LENGTH_M = (9.0, 75.0)
LIVERIES: tuple[Colour, ...] = (
    (200, 40, 40),
    (30, 60, 150),
    (20, 110, 70),
    (230, 150, 30),
    (60, 60, 70),
    (120, 40, 110),
    (30, 140, 180),
)


def airplane(rng: np.random.Generator, length_m: float) -> Shape:
    """One airplane; what kind depends on its size. Frame: fuselage length 1, nose at x = 0.5."""
    roll = rng.random()
    if length_m < 16:
        kind = "prop" if roll < 0.6 else "jet" if roll < 0.85 else "delta"
    elif length_m < 28:
        kind = "jet" if roll < 0.45 else "airliner" if roll < 0.75 else "prop" if roll < 0.9 else "delta"
    else:
        kind = "airliner" if roll < 0.95 else "prop"
    tone = rng.random()
    level = (
        rng.uniform(225, 255)
        if tone < 0.65
        else rng.uniform(150, 215)
        if tone < 0.9
        else rng.uniform(60, 120)
    )
    tint = rng.normal(0, 4, 3)
    body: Colour = tuple(float(np.clip(level + t, 30, 255)) for t in tint)  # type: ignore[assignment]
    wing = shade(body, rng.uniform(0.78, 1.0))
    contrast = rng.random()
    if contrast < 0.1:  # bright wings on a dark fuselage
        wing, body = shade((232, 232, 230), rng.uniform(0.85, 1.05)), shade(body, rng.uniform(0.3, 0.6))
    elif contrast < 0.22:  # grey wings on a white fuselage
        wing = shade((150, 154, 160), rng.uniform(0.8, 1.2))
    livery = (
        LIVERIES[rng.integers(len(LIVERIES))] if rng.random() < 0.5 else shade(body, rng.uniform(0.6, 1.0))
    )

    radius = {
        "airliner": rng.uniform(0.042, 0.06),
        "jet": rng.uniform(0.045, 0.06),
        "prop": rng.uniform(0.05, 0.075),
        "delta": rng.uniform(0.04, 0.06),
    }[kind]
    if kind == "airliner":
        span, sweep, root, tip = (
            rng.uniform(0.42, 0.54),
            rng.uniform(0.22, 0.36),
            rng.uniform(0.17, 0.23),
            0.045,
        )
        at = rng.uniform(0.08, 0.16)
    elif kind == "jet":
        span, sweep, root, tip = (
            rng.uniform(0.4, 0.52),
            rng.uniform(0.14, 0.26),
            rng.uniform(0.14, 0.19),
            0.05,
        )
        at = rng.uniform(-0.02, 0.08)
    elif kind == "prop":
        span, sweep, root, tip = rng.uniform(0.5, 0.72), rng.uniform(-0.02, 0.05), rng.uniform(0.13, 0.2), 0.1
        at = rng.uniform(0.12, 0.22)
    else:
        span, sweep, root, tip = rng.uniform(0.3, 0.42), rng.uniform(0.3, 0.42), rng.uniform(0.42, 0.5), 0.06
        at = rng.uniform(0.1, 0.18)

    parts: list[Part] = []
    lift = (0.05, 0.09)
    tail_span, tail_root = span * rng.uniform(0.32, 0.42), root * rng.uniform(0.45, 0.6)
    if kind != "delta" or rng.random() < 0.5:
        back, tail_rgb = max(sweep, 0.02) * 0.42, shade(wing, 0.97)
        parts += [
            _wing(side, -0.37, tail_root, tail_root * 0.45, tail_span, back, tail_rgb, (0.07, 0.11))
            for side in (-1, 1)
        ]
    engine = shade(body, rng.uniform(0.6, 0.95))
    if kind == "airliner":
        count = 2 if rng.random() < 0.2 and length_m > 45 else 1
        for side in (-1, 1):
            for i in range(count):
                y = side * span * (0.33 + 0.28 * i)
                x = at - sweep * abs(y) / span
                parts.append(
                    Part(rectangle(x - 0.03, y - 0.022, x + 0.055, y + 0.022), engine, True, (0.03, 0.05))
                )
    parts += [
        _wing(side, at, root, tip, span, sweep, shade(wing, 1.0 if side > 0 else 0.93), lift)
        for side in (-1, 1)
    ]
    if kind == "airliner" and rng.random() < 0.6:
        for side in (-1, 1):
            flap = np.array(
                [
                    (at - root + 0.02, side * radius),
                    (at - root * 0.75 - sweep * 0.5, side * span * 0.55),
                    (at - root * 0.82 - sweep * 0.5, side * span * 0.55),
                    (at - root, side * radius),
                ]
            )
            parts.append(Part(flap, shade(wing, 0.8)))
    if kind == "jet":
        for side in (-1, 1):
            y = side * radius * 1.75
            parts.append(Part(rectangle(-0.34, y - 0.028, -0.2, y + 0.028), engine, True, (0.05, 0.09)))
    if kind == "prop" and rng.random() < 0.5:
        for side in (-1, 1):
            y = side * span * 0.36
            parts.append(Part(rectangle(at - root * 0.6, y - 0.03, at + 0.09, y + 0.03), engine, True, lift))
    parts += _fuselage(radius, body)
    if rng.random() < 0.6:
        parts.append(Part(rectangle(-0.46, -radius * 0.3, -0.28, radius * 0.3), livery))
    else:
        parts.append(
            Part(np.array([(-0.5, 0), (-0.36, -radius * 0.8), (-0.3, 0), (-0.36, radius * 0.8)]), livery)
        )
    if rng.random() < 0.8:
        parts.append(
            Part(
                np.array([(0.455, -radius * 0.5), (0.475, 0), (0.455, radius * 0.5), (0.44, 0)]), (40, 45, 55)
            )
        )
    return Shape(tuple(parts))


def _wing(
    side: int,
    at: float,
    root: float,
    tip: float,
    span: float,
    sweep: float,
    rgb: Colour,
    lift: tuple[float, float],
) -> Part:
    """A tapered wing; `at` is where its leading edge meets the middle line."""
    lead = at - sweep
    return Part(
        np.array([(at, 0.0), (lead, side * span), (lead - tip, side * span), (at - root, 0.0)]),
        rgb,
        True,
        lift,
    )


def _fuselage(r: float, body: Colour) -> list[Part]:
    stations = ((0.5, 0.0), (0.485, 0.45), (0.45, 0.8), (0.39, 1.0), (-0.22, 1.0), (-0.4, 0.55), (-0.5, 0.12))
    right = [(x, y * r) for x, y in stations]
    left = [(x, -y * r) for x, y in reversed(stations)]
    outline = np.array(right + left)
    lower = np.array([*right, (-0.5, 0.0)])
    parts = [Part(outline, body, True, (0.05, 0.13)), Part(lower, shade(body, 0.84))]
    parts.append(Part(rectangle(-0.3, -r * 0.3, 0.42, r * 0.15), shade(body, 1.08)))
    parts.append(Part(disc(0.46, 0, 0.015, n=8), shade(body, 1.03)))
    return parts

"""Sports fields from above: soccer, tennis and basketball courts, baseball diamonds, running tracks.

Refuses to know what lies around them. Flat: nothing here casts a shadow.
"""

from __future__ import annotations

import math

import numpy as np

from groundproof_training.scenes.shape import Colour, Part, Shape, disc, rectangle, shade

LENGTH_M = (16.0, 180.0)
WHITE: Colour = (232, 232, 226)
TURF: tuple[Colour, ...] = ((64, 104, 52), (82, 122, 60), (54, 92, 58), (104, 124, 72), (48, 110, 70))
COURT: tuple[Colour, ...] = (
    (60, 110, 90),
    (50, 90, 140),
    (150, 84, 62),
    (70, 120, 70),
    (130, 120, 110),
    (170, 90, 60),
)


def sports_field(rng: np.random.Generator, length_m: float) -> Shape:
    """One field; what kind depends on its length. Frame: longer side about 1, along x."""
    if length_m < 30:
        return Shape(tuple(_court(rng)))
    if length_m < 70:
        roll = rng.random()
        return Shape(tuple(_tennis(rng) if roll < 0.6 else _pitch(rng) if roll < 0.85 else _diamond(rng)))
    if length_m < 132:
        return Shape(tuple(_pitch(rng) if rng.random() < 0.68 else _diamond(rng)))
    return Shape(tuple(_track(rng)))


def frame(x0: float, y0: float, x1: float, y1: float, t: float) -> np.ndarray:
    """A rectangle's outline of thickness t as one polygon."""
    out, hole = rectangle(x0, y0, x1, y1), rectangle(x0 + t, y0 + t, x1 - t, y1 - t)
    return np.concatenate([out, out[:1], hole[:1], hole[::-1]])


def ring(x: float, y: float, r: float, t: float, n: int = 24) -> np.ndarray:
    """A circle's outline of thickness t as one polygon."""
    out, hole = disc(x, y, r, n=n), disc(x, y, r - t, n=n)
    return np.concatenate([out, out[:1], hole[:1], hole[::-1]])


def _lines(a: float, b: float, t: float, paint: Colour) -> list[Part]:
    """The markings of a soccer pitch of half sides a and b."""
    parts = [
        Part(frame(-a, -b, a, b, t), paint),
        Part(rectangle(-t / 2, -b, t / 2, b), paint),
        Part(ring(0, 0, 0.18 * a + t, t), paint),
    ]
    for side in (-1, 1):
        x0, x1 = sorted((side * a, side * a * 0.69))
        parts.append(Part(frame(x0, -b * 0.6, x1, b * 0.6, t), paint))
        x0, x1 = sorted((side * a, side * a * 0.9))
        parts.append(Part(frame(x0, -b * 0.28, x1, b * 0.28, t), paint))
    return parts


def _pitch(rng: np.random.Generator) -> list[Part]:
    """Soccer or, with a line every few metres, American football."""
    b = rng.uniform(0.28, 0.37)
    turf = shade(TURF[rng.integers(len(TURF))], rng.uniform(0.8, 1.15))
    parts = [Part(rectangle(-0.5, -b, 0.5, b), turf, True)]
    if rng.random() < 0.6:  # mown stripes
        n = int(rng.integers(4, 9))
        parts += [
            Part(rectangle(-0.5 + i / n, -b, -0.5 + (i + 0.5) / n, b), shade(turf, rng.uniform(1.1, 1.22)))
            for i in range(n)
        ]
    paint, t = shade(WHITE, rng.uniform(0.8, 1.05)), rng.uniform(0.009, 0.016)
    if rng.random() < 0.8:
        parts += _lines(0.47, b - 0.03, t, paint)
    else:
        parts.append(Part(frame(-0.48, -b + 0.02, 0.48, b - 0.02, t), paint))
        parts += [
            Part(rectangle(x - t / 2, -b + 0.02, x + t / 2, b - 0.02), paint)
            for x in np.linspace(-0.4, 0.4, 11)
        ]
        zone = shade(COURT[rng.integers(3)], 0.9)
        parts += [Part(rectangle(x, -b + 0.035, x + 0.065, b - 0.035), zone) for x in (-0.465, 0.4)]
    return parts


def _tennis_court(
    x: float, y: float, a: float, b: float, inner: Colour, paint: Colour, t: float
) -> list[Part]:
    """One court along y, half sides a (across) and b (along)."""
    return [
        Part(rectangle(x - a, y - b, x + a, y + b), inner),
        Part(frame(x - a, y - b, x + a, y + b, t), paint),
        Part(rectangle(x - a * 0.75 - t / 2, y - b, x - a * 0.75 + t / 2, y + b), paint),
        Part(rectangle(x + a * 0.75 - t / 2, y - b, x + a * 0.75 + t / 2, y + b), paint),
        Part(rectangle(x - a * 0.75, y - b * 0.54 - t / 2, x + a * 0.75, y - b * 0.54 + t / 2), paint),
        Part(rectangle(x - a * 0.75, y + b * 0.54 - t / 2, x + a * 0.75, y + b * 0.54 + t / 2), paint),
        Part(rectangle(x - t / 2, y - b * 0.54, x + t / 2, y + b * 0.54), paint),
        Part(rectangle(x - a * 1.15, y - t * 0.8, x + a * 1.15, y + t * 0.8), shade(inner, 0.5)),
    ]


def _tennis(rng: np.random.Generator) -> list[Part]:
    """Two to four courts side by side on one surface."""
    n = int(rng.integers(2, 5))
    outer, inner = (shade(COURT[i], rng.uniform(0.8, 1.15)) for i in rng.choice(len(COURT), 2, replace=False))
    if rng.random() < 0.4:
        inner = shade(outer, 1.2)
    width, long = 17.0, 36.0
    parts = [Part(rectangle(-n * width / 2, -long / 2, n * width / 2, long / 2), outer, True)]
    for i in range(n):
        parts += _tennis_court((i - (n - 1) / 2) * width, 0.0, 5.5, 11.9, inner, WHITE, 0.7)
    return parts


def _court(rng: np.random.Generator) -> list[Part]:
    """Basketball, or a single tennis court."""
    outer, inner = (shade(COURT[i], rng.uniform(0.8, 1.15)) for i in rng.choice(len(COURT), 2, replace=False))
    if rng.random() < 0.45:
        turn = np.array([[0.0, 1.0], [-1.0, 0.0]])
        parts = _tennis_court(0, 0, 5.5, 11.9, inner, WHITE, 0.6)
        return [
            Part(rectangle(-17, -8.5, 17, 8.5), outer, True),
            *(Part(p.points @ turn, p.rgb) for p in parts),
        ]
    parts = [
        Part(rectangle(-16, -9.5, 16, 9.5), outer, True),
        Part(rectangle(-14, -7.5, 14, 7.5), inner),
        Part(frame(-14, -7.5, 14, 7.5, 0.55), WHITE),
        Part(rectangle(-0.28, -7.5, 0.28, 7.5), WHITE),
        Part(ring(0, 0, 2.1, 0.5, 16), WHITE),
    ]
    for side in (-1, 1):
        x0, x1 = sorted((side * 14.0, side * 8.2))
        parts += [Part(rectangle(x0, -2.4, x1, 2.4), outer), Part(frame(x0, -2.4, x1, 2.4, 0.5), WHITE)]
        arc = np.linspace(-math.pi / 2, math.pi / 2, 12)
        bow = np.stack([side * (12.5 - 6.75 * np.cos(arc)), 6.75 * np.sin(arc)], axis=1)
        parts.append(Part(np.concatenate([bow, bow[::-1] - (side * 0.5, 0)]), WHITE))
    return parts


def _diamond(rng: np.random.Generator) -> list[Part]:
    """A baseball field: home at the left, the outfield a quarter of a disc."""
    turf = shade(TURF[rng.integers(len(TURF))], rng.uniform(0.85, 1.15))
    dirt = shade(((176, 132, 92), (158, 108, 76), (196, 164, 124))[rng.integers(3)], rng.uniform(0.85, 1.1))
    arc = np.linspace(-math.pi / 4, math.pi / 4, 18)
    fan = np.stack([np.cos(arc), np.sin(arc)], axis=1)
    infield = rng.uniform(0.42, 0.52)
    side = infield * 0.62
    base = np.array(
        [(0.07, 0), (0.07 + side * 0.7, -side * 0.7), (0.07 + side * 1.4, 0), (0.07 + side * 0.7, side * 0.7)]
    )
    home = [(-0.06, -0.05), *fan.tolist(), (-0.06, 0.05)]
    parts = [
        Part(np.array(home), shade(dirt, 0.95), True),
        Part(np.array([(0.02, 0.0), *(fan * 0.95).tolist()]), turf),
        Part(np.array([(-0.02, 0.0), *(fan * infield * 1.35).tolist()]), dirt),
        Part(base, shade(turf, 1.05)),
        Part(disc(0.07 + side * 0.7, 0, 0.045, n=12), dirt),
        Part(disc(0.03, 0, 0.07, n=12), dirt),
    ]
    for s in (-1, 1):
        q = math.sqrt(0.5)
        parts.append(Part(np.array([(0.0, 0.0), (q, s * q), (q - 0.012, s * q), (0.0, s * 0.004)]), WHITE))
    return parts


def _stadium(a: float, r: float) -> np.ndarray:
    """Two half discs of radius r, 2a apart, joined."""
    t = np.linspace(-math.pi / 2, math.pi / 2, 14)
    right = np.stack([a + r * np.cos(t), r * np.sin(t)], axis=1)
    return np.concatenate([right, -right])


def _track(rng: np.random.Generator) -> list[Part]:
    """A running track around a pitch."""
    tones: tuple[Colour, ...] = ((168, 80, 62), (150, 70, 60), (70, 100, 140), (176, 110, 84))
    tone = shade(tones[rng.choice(4, p=(0.5, 0.25, 0.1, 0.15))], rng.uniform(0.8, 1.1))
    turf = shade(TURF[rng.integers(len(TURF))], rng.uniform(0.85, 1.15))
    a, r = 42.0, 46.0
    parts = [Part(_stadium(a, r), tone, True)]
    for out in (45.0, 42.5, 40.0):
        line = np.concatenate(
            [_stadium(a, out), _stadium(a, out)[:1], _stadium(a, out - 0.5)[:1], _stadium(a, out - 0.5)[::-1]]
        )
        parts.append(Part(line, shade(tone, 1.3)))
    parts.append(Part(_stadium(a, 37), turf))
    parts += [Part(p.points * (104.0, 104.0), p.rgb) for p in _lines(0.47, 0.29, 0.012, shade(WHITE, 0.95))]
    return parts

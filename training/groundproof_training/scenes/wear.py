"""What time does to a ground: second materials with ragged borders, repairs, tyre marks, dirt.

Refuses to know what the ground is for; never touches water.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from groundproof_training.scenes.ground import Site, band, stops, tinted
from groundproof_training.scenes.shape import SHIFT, fixed, shade
from groundproof_training.scenes.texture import sample, surface

MATERIALS = ("grass", "soil", "desert", "concrete", "asphalt")
PAVED = ("apron", "runway", "industrial", "parking", "urban", "harbour", "junction")


def weather(rng: np.random.Generator, site: Site) -> None:
    """Age the land of a site in place."""
    if rng.random() < 0.3:
        _second(rng, site)
    if rng.random() < 0.4:
        w, h = site.size
        dirt = sample(rng, "cloud" if rng.random() < 0.5 else "rough", w, h, rng.uniform(0.3, 1.5))
        level = int(rng.integers(135, 185))
        rgb = shade(stops(rng, ("soil", "asphalt", "desert")[rng.integers(3)])[0], rng.uniform(0.5, 1.2))
        tinted(site.image, cv2.threshold(dirt, level, 255, cv2.THRESH_TOZERO)[1], rgb, rng.uniform(0.1, 0.5))
    if site.name in PAVED and rng.random() < 0.4:
        _repairs(rng, site)
    if rng.random() < 0.3:
        _tyres(rng, site)


def _second(rng: np.random.Generator, site: Site) -> None:
    """Another material over a part of the ground, its border ragged or soft."""
    w, h = site.size
    noise = sample(rng, "cloud", w, h, rng.uniform(0.8, 2.5))
    level = int(rng.integers(125, 180))
    mask = cv2.threshold(noise, level, 255, cv2.THRESH_BINARY)[1]
    kinds = MATERIALS if site.name in ("apron", "industrial", "parking") else MATERIALS[:3]
    kind = kinds[rng.integers(len(kinds))]
    other = surface(rng, w, h, stops(rng, kind), rng.uniform(0.3, 1.2), rng.uniform(0.3, 0.9))
    if rng.random() < 0.35:
        cv2.copyTo(other, mask, site.image)
        return
    tinted(site.image, cv2.GaussianBlur(mask, (0, 0), 3), stops(rng, kind)[1], rng.uniform(0.4, 0.9))


def _repairs(rng: np.random.Generator, site: Site) -> None:
    """Rectangles of newer or older paving, along the axis."""
    w, h = site.size
    for _ in range(rng.integers(1, 7)):
        mask = np.zeros((h, w), np.uint8)
        direction = site.axis + (math.pi / 2 if rng.random() < 0.5 else 0.0)
        band(mask, rng.uniform(0, w), rng.uniform(0, h), direction, rng.uniform(4, 45), (255, 255, 255),
             rng.uniform(6, 80), 0.0)  # fmt: skip
        level = rng.uniform(30, 220)
        tinted(site.image, mask, (level, level, level * 0.96), rng.uniform(0.08, 0.35))


def _tyres(rng: np.random.Generator, site: Site) -> None:
    """Pairs of curved tracks, dark on paving and light on soil."""
    w, h = site.size
    mask = np.zeros((h, w), np.uint8)
    gauge = max(1.6 * site.px_per_m, 1.5)
    for _ in range(rng.integers(1, 6)):
        t = np.linspace(0, rng.uniform(0.3, 2.0), 16)
        r = rng.uniform(40, 300)
        cx, cy, a = rng.uniform(-r, w + r), rng.uniform(-r, h + r), rng.uniform(0, 2 * math.pi)
        for radius in (r, r + gauge):
            points = np.stack([cx + radius * np.cos(t + a), cy + radius * np.sin(t + a)], axis=1)
            cv2.polylines(mask, [fixed(points)], False, 255, 1, cv2.LINE_AA, SHIFT)
    rgb = (40, 40, 42) if site.name in PAVED or rng.random() < 0.4 else (196, 180, 150)
    tinted(site.image, mask, rgb, rng.uniform(0.15, 0.55))

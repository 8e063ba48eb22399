"""Water: open sea, and basins with a quay and jetties beside land.

Refuses to know ships.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from groundproof_training.scenes.ground import Site, band, stops, tinted
from groundproof_training.scenes.shape import shade
from groundproof_training.scenes.texture import sample, surface


def water_surface(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """Water with swell, wind streaks and, sometimes, glint."""
    image = surface(
        rng, width, height, stops(rng, "water"), rng.uniform(0.8, 3.0), rng.uniform(0.05, 0.4), name="cloud"
    )
    wave = sample(rng, "swell", width, height, rng.uniform(0.35, 1.2))
    strength = rng.uniform(0.0, 0.28) ** 1.3
    image = cv2.addWeighted(image, 1.0, cv2.merge((wave, wave, wave)), strength, -128 * strength)
    if rng.random() < 0.25:
        caps = cv2.threshold(wave, int(rng.integers(205, 240)), 255, cv2.THRESH_BINARY)[1]
        tinted(image, caps, (225, 230, 230), rng.uniform(0.2, 0.6))
    return image


def open_water(rng: np.random.Generator, w: int, h: int, ppm: float, axis: float) -> Site:
    """Open water everywhere."""
    site = Site("water", water_surface(rng, w, h), axis, ppm)
    site.water = np.ones((h, w), np.uint8)
    return site


def flood(rng: np.random.Generator, site: Site) -> None:
    """Turn one side of a land site into a basin with a quay along the axis."""
    w, h = site.size
    reach = math.hypot(w, h)
    towards = site.axis + math.pi / 2 * (1 if rng.random() < 0.5 else -1)
    c, s = math.cos(towards), math.sin(towards)
    off = rng.uniform(-0.15, 0.1) * min(w, h)
    x, y = w / 2 + c * off, h / 2 + s * off
    mask = np.zeros((h, w), np.uint8)
    band(mask, x + c * reach / 2, y + s * reach / 2, site.axis, reach, (255, 255, 255), reach)
    cv2.copyTo(water_surface(rng, w, h), mask, site.image)
    site.water = (mask > 127).astype(np.uint8)
    edge = rng.uniform(1.5, 5)
    band(
        site.image,
        x - c * edge / 2,
        y - s * edge / 2,
        site.axis,
        edge,
        shade(stops(rng, "concrete")[2], 1.05),
        reach,
    )
    band(site.image, x + c * 1.5, y + s * 1.5, site.axis, rng.uniform(1.5, 4), (20, 24, 26), reach)
    site.quay = (x, y, towards)
    if rng.random() < 0.3:  # a jetty
        t = rng.uniform(-0.3, 0.3) * w
        jx, jy = x - s * t, y + c * t
        tone = shade(stops(rng, "concrete")[1], 1.0)
        band(site.image, jx, jy, towards, rng.uniform(4, 12), tone, rng.uniform(0.2, 0.6) * min(w, h), 0.0)
        pier = np.zeros((h, w), np.uint8)
        band(pier, jx, jy, towards, 14, (255, 255, 255), 0.6 * min(w, h), 0.0)
        site.water[pier > 0] = 2  # neither land nor open water

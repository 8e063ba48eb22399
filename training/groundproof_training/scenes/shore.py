"""Water: open sea, and basins with a quay beside land, rivers.

Refuses to know ships and bridges.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from groundproof_training.scenes.ground import Site, band, stops, tinted
from groundproof_training.scenes.shape import SHIFT, fixed, shade
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


def carve(rng: np.random.Generator, site: Site, width: float) -> tuple[float, float, float]:
    """A river of `width` px along the site's axis, gently winding; returns a point on it and its direction."""
    w, h = site.size
    reach = math.hypot(w, h) * 0.75
    bend, wave = rng.uniform(0.0, 0.16) * reach, rng.uniform(1.2, 3.0) * reach
    phase = rng.uniform(0, 2 * math.pi)
    c, s = math.cos(site.axis), math.sin(site.axis)
    at = rng.uniform(-0.12, 0.12) * min(w, h)
    t = np.linspace(-reach, reach, 40)
    u = bend * (np.sin(2 * math.pi * t / wave + phase) - math.sin(phase)) + at
    line = np.stack([w / 2 + c * t - s * u, h / 2 + s * t + c * u], axis=1)
    along = np.gradient(line, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    normal = np.stack([-along[:, 1], along[:, 0]], axis=1)
    for half, rgb in (
        (width / 2 + rng.uniform(1, 5), shade(stops(rng, "soil")[1], rng.uniform(0.7, 1.1))),
        (width / 2, None),
    ):
        outline = fixed(np.concatenate([line + normal * half, (line - normal * half)[::-1]]))
        if rgb is not None:
            cv2.fillPoly(site.image, [outline], rgb, cv2.LINE_AA, SHIFT)
            continue
        mask = np.zeros((h, w), np.uint8)
        cv2.fillPoly(mask, [outline], 255, cv2.LINE_8, SHIFT)
        cv2.copyTo(water_surface(rng, w, h), mask, site.image)
        site.water = (mask > 127).astype(np.uint8)
    i = 20 + int(rng.integers(-3, 4))
    return float(line[i, 0]), float(line[i, 1]), math.atan2(along[i, 1], along[i, 0])

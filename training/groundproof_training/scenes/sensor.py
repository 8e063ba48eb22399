"""What optics, air, electronics and compression do to a picture.

Refuses to know what is in it; never moves a pixel, so boxes stay true.
"""

from __future__ import annotations

import cv2
import numpy as np

from groundproof_training.scenes.texture import crop, sample

THERMAL_SHARE = 0.05
HOT = (0.5, 0.9, 0.4, 1.0, 0.8, 0.5, -0.5, 0.1, 0.5, 0.5)
"""Usual warmth against the ground per class, in the order of CLASSES."""


def degrade(rng: np.random.Generator, image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A new (H, W, 3) uint8 picture as a random sensor would have delivered this one.

    mask: (H, W) uint8, class index + 1 or 0; only a thermal sensor looks at it.
    """
    h, w = image.shape[:2]
    if rng.random() < 0.1:  # thin cloud or uneven haze
        veil = sample(rng, "cloud", w, h, rng.uniform(2, 5))
        image = cv2.addWeighted(image, 1.0, cv2.merge((veil, veil, veil)), rng.uniform(0.1, 0.4), -20)
    kind = rng.random()
    if kind < THERMAL_SHARE:
        image = _thermal(rng, image, mask)
    elif kind < THERMAL_SHARE + 0.14:
        grey = cv2.transform(image, rng.dirichlet((4.0, 5.0, 2.0))[None])
        image = cv2.merge((grey, grey, grey))
    elif kind < 0.6:  # saturation
        k = rng.uniform(0.35, 1.4)
        mix = np.eye(3) * k + (1 - k) * np.array([0.3, 0.59, 0.11])
        image = cv2.transform(image, mix)
    if rng.random() < 0.8:
        image = cv2.GaussianBlur(image, (7, 7), 0.3 + 1.3 * rng.random() ** 1.4)
    if rng.random() < 0.15:  # delivered coarser than it is shown
        k = rng.uniform(0.5, 0.9)
        small = cv2.resize(image, (max(1, round(w * k)), max(1, round(h * k))), interpolation=cv2.INTER_AREA)
        image = cv2.resize(small, (w, h), interpolation=cv2.INTER_CUBIC)
    if rng.random() < 0.35:  # the sharpening that providers apply
        soft = cv2.GaussianBlur(image, (5, 5), 1.2)
        k = rng.uniform(0.3, 1.3)
        image = cv2.addWeighted(image, 1 + k, soft, -k, 0)
    image = cv2.LUT(image, _tone(rng, float(np.mean(cv2.mean(image)[:3])) / 255))
    sigma = abs(rng.normal(0, 4.5))
    if sigma > 0.7:
        if rng.random() < 0.5:
            grain = crop(rng, "white", w, h)
            noise = cv2.merge((grain, grain, grain))
        else:
            noise = cv2.merge([crop(rng, "white", w, h) for _ in range(3)])
        k = sigma / 48
        image = cv2.addWeighted(image, 1.0, noise, k, -128 * k)
    if rng.random() < 0.4:
        flags = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(30, 96))]
        packed = cv2.imencode(".jpg", image, flags)[1]
        # cv2 takes red for blue both ways, which costs nothing but slightly different chroma rounding.
        image = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
    return image


def _thermal(rng: np.random.Generator, image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Grey, soft, with things warmer or colder than the ground; which of both is bright may flip."""
    grey = cv2.GaussianBlur(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (5, 5), 0.8)
    heat = np.zeros(256)
    heat[1 : len(HOT) + 1] = np.array(HOT) * rng.uniform(50, 110) + rng.normal(0, 12, len(HOT))
    warm = cv2.LUT(mask, np.clip(heat, 0, 255).astype(np.uint8)[None])
    cold = cv2.LUT(mask, np.clip(-heat, 0, 255).astype(np.uint8)[None])
    grey = cv2.addWeighted(grey, k := rng.uniform(0.25, 0.55), grey, 0, 90 * (1 - k))
    grey = cv2.subtract(cv2.add(grey, warm), cold)
    if rng.random() < 0.4:
        grey = cv2.bitwise_not(grey)
    return cv2.merge((grey, grey, grey))


def _tone(rng: np.random.Generator, mean: float) -> np.ndarray:
    """A (1, 256, 3) lookup table: gamma, contrast about the picture's mean (0..1), haze and colour cast."""
    out = np.linspace(0, 1, 256) ** (gamma := rng.uniform(0.7, 1.4))
    pivot = mean**gamma
    level = min(max(pivot + rng.normal(0, 0.07), 0.14), 0.78)
    out = (out - pivot) * rng.uniform(0.6, 1.4) + level
    if rng.random() < 0.25:
        haze = rng.uniform(0.1, 0.45)
        out = out * (1 - haze) + haze * rng.uniform(0.6, 0.9)
    cast = 0.06 if rng.random() < 0.25 else 0.03
    gains, lifts = rng.normal(1, cast, 3), rng.normal(0, cast / 3, 3)
    table: np.ndarray = (np.clip(out[:, None] * gains + lifts, 0, 1) * 255 + 0.5).astype(np.uint8)
    return table[None]

"""Noise fields, made once per process from fixed seeds, and coloured surfaces cut from them.

Refuses to know what a surface means.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from groundproof_training.scenes.shape import Colour

BANK_PX = 1024
"""Side of a noise field; it tiles without a seam."""

FIELDS: dict[str, tuple[float, float, int]] = {
    # name: (fall-off of the amplitude with frequency, stretch along x, seed)
    "cloud": (1.7, 1.0, 11),
    "rough": (1.15, 1.0, 12),
    "grain": (0.55, 1.0, 13),
    "streak": (1.2, 10.0, 14),
    "white": (0.0, 1.0, 15),
}


@cache
def field(name: str) -> np.ndarray:
    """A (BANK_PX, BANK_PX) uint8 field, mean about 128, standard deviation about 48."""
    fall, stretch, seed = FIELDS[name]
    rng = np.random.default_rng(seed)
    spectrum = np.fft.rfft2(rng.standard_normal((BANK_PX, BANK_PX)))
    fy = np.fft.fftfreq(BANK_PX)[:, None] * BANK_PX
    fx = np.fft.rfftfreq(BANK_PX)[None, :] * BANK_PX * stretch
    f = np.hypot(fx, fy)
    f[0, 0] = 1.0
    spectrum *= np.maximum(f, 3.0) ** -fall
    spectrum[0, 0] = 0.0
    value = np.fft.irfft2(spectrum, s=(BANK_PX, BANK_PX))
    return levels(value)


def levels(value: np.ndarray) -> np.ndarray:
    """A real field as uint8 of mean 128 and standard deviation 48."""
    out: np.ndarray = np.clip(128 + value * (48 / value.std()), 0, 255).astype(np.uint8)
    return out


@cache
def swell() -> np.ndarray:
    """A (BANK_PX, BANK_PX) uint8 field of waves that run along x with wavelengths of 8 to 40 px."""
    rng = np.random.default_rng(21)
    spectrum = np.fft.rfft2(rng.standard_normal((BANK_PX, BANK_PX)))
    fy = np.fft.fftfreq(BANK_PX)[:, None]
    fx = np.fft.rfftfreq(BANK_PX)[None, :]
    f = np.hypot(fx, fy) + 1e-9
    along = (fx / f) ** 6
    spectrum *= along * np.exp(-((np.log(f) - math.log(1 / 18)) ** 2) / 0.4)
    spectrum[0, 0] = 0.0
    value = np.fft.irfft2(spectrum, s=(BANK_PX, BANK_PX))
    return levels(value)


def sample(
    rng: np.random.Generator, name: str, width: int, height: int, scale: float, angle: float | None = None
) -> np.ndarray:
    """A (height, width) uint8 cut, turned by `angle` (random when None), `scale` times the bank's size.

    Made at half the resolution and enlarged, which costs a quarter; `crop` is for fine grain.
    """
    bank = swell() if name == "swell" else field(name)
    turn = rng.uniform(0, 2 * math.pi) if angle is None else angle
    c, s = 2 * math.cos(turn) / scale, 2 * math.sin(turn) / scale
    ox, oy = rng.uniform(0, BANK_PX, 2)
    matrix = np.array([[c, s, ox], [-s, c, oy]])
    half = cv2.warpAffine(
        bank,
        matrix,
        (-(-width // 2), -(-height // 2)),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_WRAP,
    )
    return cv2.resize(half, (width, height), interpolation=cv2.INTER_LINEAR)


def crop(rng: np.random.Generator, name: str, width: int, height: int) -> np.ndarray:
    """A (height, width) uint8 cut without turning or scaling; the cheapest one."""
    bank = field(name)
    if width <= BANK_PX and height <= BANK_PX:
        x, y = rng.integers(0, BANK_PX - width + 1), rng.integers(0, BANK_PX - height + 1)
        return bank[y : y + height, x : x + width]
    x, y = rng.integers(0, BANK_PX, 2)
    rows, columns = np.arange(y, y + height) % BANK_PX, np.arange(x, x + width) % BANK_PX
    wrapped: np.ndarray = bank[np.ix_(rows, columns)]
    return wrapped


def colour(noise: np.ndarray, stops: tuple[Colour, ...], contrast: float = 1.0) -> np.ndarray:
    """(H, W) uint8 noise as (H, W, 3) uint8: its values 60 to 196 span the colour stops."""
    at = (np.clip((np.arange(256) - 128) * contrast / 68.0, -1, 1) + 1) / 2 * (len(stops) - 1)
    table = np.array(stops, np.float64)
    lut = np.stack([np.interp(at, np.arange(len(stops)), table[:, i]) for i in range(3)], axis=1)
    return cv2.LUT(cv2.merge((noise, noise, noise)), np.clip(lut, 0, 255).astype(np.uint8)[None])


def surface(
    rng: np.random.Generator,
    width: int,
    height: int,
    stops: tuple[Colour, ...],
    scale: float = 1.0,
    roughness: float = 0.5,
    angle: float | None = None,
    name: str = "rough",
) -> np.ndarray:
    """A coloured surface: large-scale variation and fine grain; `roughness`, 0..1, is the grain's share."""
    coarse = sample(rng, name, width, height, scale, angle)
    fine = crop(rng, "grain", width, height)
    return colour(cv2.addWeighted(coarse, 1 - roughness * 0.6, fine, roughness * 0.6, 0), stops)

"""A large fixed stock of shapes per class, each made once per process when first asked for.

Making a shape costs as much as drawing it; the stock makes long runs fast. It stays deterministic,
because a shape is a function of its key alone. Refuses to know places.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from groundproof_training.scenes.airplane import LENGTH_M as AIRPLANE_M
from groundproof_training.scenes.airplane import airplane
from groundproof_training.scenes.ship import LENGTH_M as SHIP_M
from groundproof_training.scenes.ship import ship
from groundproof_training.scenes.tank import DIAMETER_M as TANK_M
from groundproof_training.scenes.tank import tank
from groundproof_training.scenes.vehicle import LENGTH_M as VEHICLE_M
from groundproof_training.scenes.vehicle import vehicle

if TYPE_CHECKING:
    from groundproof_training.scenes.shape import Shape

SIZES_M = {"airplane": AIRPLANE_M, "ship": SHIP_M, "storage tank": TANK_M, "vehicle": VEHICLE_M}
"""Shortest and longest longer side per class."""

VARIANTS = 96
"""Different shapes per class and size step (tanks: finishes, with FINISH_VARIANTS tanks of each)."""

FINISH_VARIANTS = 8
SIZE_STEP = 1.15
"""Shapes are made for lengths this factor apart; the drawn size is exact all the same."""

_STREAM = {"airplane": 1, "ship": 2, "storage tank": 3, "vehicle": 4}


def pick(rng: np.random.Generator, label: str, length_m: float, style: int | None) -> Shape:
    """A shape of longer side 1. `style`: things of one style look alike (tanks only); None draws afresh."""
    if label == "storage tank":
        finish = int(rng.integers(VARIANTS)) if style is None else style % VARIANTS
        return _make(label, finish, int(rng.integers(FINISH_VARIANTS)))
    return _make(label, round(math.log(length_m) / math.log(SIZE_STEP)), int(rng.integers(VARIANTS)))


@lru_cache(maxsize=1 << 14)
def _make(label: str, group: int, variant: int) -> Shape:
    rng = np.random.default_rng((_STREAM[label], group + 1000, variant))
    if label == "storage tank":
        return tank(rng, group).unit()
    make = {"airplane": airplane, "ship": ship, "vehicle": vehicle}[label]
    return make(rng, SIZE_STEP**group).unit()

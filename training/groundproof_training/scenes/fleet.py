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
from groundproof_training.scenes.building import LENGTH_M as BUILDING_M
from groundproof_training.scenes.building import building
from groundproof_training.scenes.crossing import BRIDGE_M, ROUNDABOUT_M, bridge, roundabout
from groundproof_training.scenes.marina import LENGTH_M as HARBOUR_M
from groundproof_training.scenes.marina import harbour
from groundproof_training.scenes.ship import LENGTH_M as SHIP_M
from groundproof_training.scenes.ship import ship
from groundproof_training.scenes.sports import LENGTH_M as SPORTS_M
from groundproof_training.scenes.sports import sports_field
from groundproof_training.scenes.tank import DIAMETER_M as TANK_M
from groundproof_training.scenes.tank import tank
from groundproof_training.scenes.tree import LENGTH_M as TREE_M
from groundproof_training.scenes.tree import tree
from groundproof_training.scenes.vehicle import LENGTH_M as VEHICLE_M
from groundproof_training.scenes.vehicle import vehicle

if TYPE_CHECKING:
    from groundproof_training.scenes.shape import Shape

SIZES_M = {
    "airplane": AIRPLANE_M,
    "ship": SHIP_M,
    "storage tank": TANK_M,
    "vehicle": VEHICLE_M,
    "building": BUILDING_M,
    "bridge": BRIDGE_M,
    "tree": TREE_M,
    "sports field": SPORTS_M,
    "roundabout": ROUNDABOUT_M,
    "harbour": HARBOUR_M,
}
"""Shortest and longest longer side per class."""

VARIANTS = 48
"""Different shapes per class and size step (or styles, with STYLE_VARIANTS shapes of each)."""

STYLE_VARIANTS = 8
SIZE_STEP = 1.15
"""Shapes are made for lengths this factor apart; the drawn size is exact all the same."""

_STYLED = {"storage tank": tank, "bridge": bridge, "roundabout": roundabout, "harbour": harbour}
"""Classes whose look a style fixes in part."""

_SIZED = {
    "airplane": airplane,
    "ship": ship,
    "vehicle": vehicle,
    "building": building,
    "tree": tree,
    "sports field": sports_field,
}


def pick(rng: np.random.Generator, label: str, length_m: float, style: int | None) -> Shape:
    """A shape of longer side 1. `style`: what is of one style looks alike; None draws afresh."""
    if label in _STYLED:
        group = int(rng.integers(VARIANTS)) if style is None else style % VARIANTS
        return _make(label, group, int(rng.integers(STYLE_VARIANTS)))
    return _make(label, round(math.log(length_m) / math.log(SIZE_STEP)), int(rng.integers(VARIANTS)))


@lru_cache(maxsize=1 << 13)
def _make(label: str, group: int, variant: int) -> Shape:
    rng = np.random.default_rng((list(SIZES_M).index(label) + 1, group + 1000, variant))
    if label in _STYLED:
        return _STYLED[label](rng, group).unit()
    return _SIZED[label](rng, SIZE_STEP**group).unit()

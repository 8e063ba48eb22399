"""Who plays in a scene: its type, its classes, their sizes and numbers, and the ground sampling distance.

Refuses to know places in the picture and how anything looks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from groundproof_training.scenes.fleet import SIZES_M
from groundproof_training.scenes.spec import FOCUS_SHARE, WorldSpec

GSD_M = (0.25, 1.5)
"""Usual ground sampling distances; left only when the sizes asked for cannot be had otherwise."""

REFERENCE_AREA_PX = 224 * 224
COARSEST_M = {"ship": 4.0, "harbour": 2.5, "bridge": 2.5, "sports field": 2.5}
"""What GSD_M may go up to for large classes."""

USUAL_PX = 64.0
LARGE_SHARE = 0.1
"""Share of scenes in which anything may pass USUAL_PX."""

LARGE = ("building", "bridge", "sports field", "roundabout", "harbour")
"""Classes that may pass USUAL_PX in any scene."""

LEAST_PX = {"bridge": 20.0, "sports field": 15.0, "roundabout": 15.0, "harbour": 26.0}
"""What these classes need for being recognised, where the sizes asked for allow it."""

SINGLE = {"bridge": 1, "roundabout": 1, "harbour": 2, "sports field": 4}
"""Most objects of these classes per reference area."""

TYPES_OF: dict[str, dict[str, float]] = {
    "airplane": {"airport": 8, "grassland": 1, "desert": 1},
    "ship": {"open water": 4, "port": 5, "river": 0.8},
    "storage tank": {
        "storage depot": 6,
        "industrial area": 3,
        "port": 1,
        "desert": 1.2,
        "farmland": 0.8,
        "grassland": 1,
    },
    "vehicle": {
        "parking lot": 4,
        "residential area": 3,
        "industrial area": 1,
        "road junction": 1.5,
        "farmland": 0.6,
        "desert": 0.6,
    },
    "building": {"residential area": 5, "industrial area": 2, "farmland": 1, "grassland": 0.5, "desert": 0.7},
    "bridge": {"river": 3, "road junction": 1},
    "tree": {"forest": 3, "grassland": 2, "farmland": 1.5, "residential area": 1, "desert": 0.4},
    "sports field": {"sports complex": 4, "residential area": 0.6, "grassland": 0.6},
    "roundabout": {"road junction": 1},
    "harbour": {"port": 1},
}

COMPANIONS: dict[str, dict[str, float]] = {
    "airport": {"airplane": 0.9, "vehicle": 0.25, "building": 0.3, "tree": 0.06, "storage tank": 0.06},
    "port": {
        "ship": 0.75,
        "harbour": 0.4,
        "building": 0.35,
        "vehicle": 0.25,
        "storage tank": 0.2,
        "tree": 0.1,
    },
    "open water": {"ship": 0.9},
    "storage depot": {"storage tank": 0.9, "vehicle": 0.25, "building": 0.35, "tree": 0.25},
    "industrial area": {"building": 0.7, "vehicle": 0.4, "storage tank": 0.35, "tree": 0.25},
    "residential area": {"building": 0.85, "tree": 0.6, "vehicle": 0.5, "sports field": 0.1},
    "parking lot": {"vehicle": 0.9, "tree": 0.4, "building": 0.35},
    "farmland": {"tree": 0.5, "building": 0.4, "vehicle": 0.2, "storage tank": 0.1},
    "grassland": {"tree": 0.5, "building": 0.2, "vehicle": 0.15},
    "desert": {"building": 0.25, "vehicle": 0.25, "tree": 0.1},
    "forest": {"tree": 0.9, "building": 0.2, "vehicle": 0.15},
    "river": {"bridge": 0.7, "ship": 0.35, "tree": 0.5, "building": 0.35, "vehicle": 0.15},
    "road junction": {"roundabout": 0.35, "bridge": 0.3, "vehicle": 0.6, "tree": 0.4, "building": 0.35},
    "sports complex": {"sports field": 0.9, "tree": 0.5, "building": 0.35, "vehicle": 0.3},
}


@dataclass(frozen=True, slots=True)
class Casting:
    """counts: how many of each label to try for, the main one first. sizes: shortest and longest side, px."""

    scene_type: str
    counts: dict[str, int]
    gsd_m: float
    sizes: dict[str, tuple[float, float]]


def draw_cast(rng: np.random.Generator, width: int, height: int, spec: WorldSpec) -> Casting:
    """Decide who plays."""
    k = width * height / REFERENCE_AREA_PX
    count = _count(rng, k, spec)
    main = _main(rng, spec)
    low = spec.size_px[0]
    most = max(low, min(spec.size_px[1], 0.95 * min(width, height)))
    usual = most if rng.random() < LARGE_SHARE else min(most, max(USUAL_PX, 2 * low))
    tops = {label: most if label in LARGE else usual for label in spec.classes}
    gsd = _gsd(rng, main, low, tops[main])
    scene_type = str(pick(rng, TYPES_OF[main]))
    labels = [main]
    options = COMPANIONS[scene_type]
    for i in rng.permutation(len(options)):
        label = list(options)[i]
        wanted = rng.random() < options[label]
        if not wanted or label in labels or label not in spec.classes or len(labels) >= spec.max_classes:
            continue
        small, large = SIZES_M[label]
        if small / gsd * 1.2 <= tops[label] and large / gsd >= max(low, LEAST_PX.get(label, 0.0)) * 1.2:
            labels.append(label)
    sizes = {}
    for label in labels:
        small, large = SIZES_M[label]
        bottom = min(max(low, small / gsd, LEAST_PX.get(label, 0.0)), tops[label])
        sizes[label] = (bottom, max(bottom, min(tops[label], large / gsd)))
    return Casting(scene_type, _shares(rng, labels, count, k), gsd, sizes)


def pick(rng: np.random.Generator, weights: dict[str, float]) -> str:
    """A key, as often as its weight says."""
    keys = list(weights)
    p = np.array([weights[k] for k in keys], float)
    return keys[rng.choice(len(keys), p=p / p.sum())]


def _count(rng: np.random.Generator, k: float, spec: WorldSpec) -> int:
    empty = rng.random() < spec.empty
    low, high = (max(round(n * k), min(n, 1)) for n in spec.n_objects)
    u = rng.random()
    if high > 16 * k:
        u **= 2.5
    count = min(high, low + int(u * (high - low + 1)))
    return 0 if empty else count


def _main(rng: np.random.Generator, spec: WorldSpec) -> str:
    focus = [label for label in spec.classes if label in spec.focus]
    others = [label for label in spec.classes if label not in spec.focus]
    chosen = focus if focus and (not others or rng.random() < FOCUS_SHARE) else others
    return chosen[rng.integers(len(chosen))]


def _gsd(rng: np.random.Generator, label: str, low: float, high: float) -> float:
    small, large = SIZES_M[label]
    # Room for sizes that differ by a fifth, unless fewer are asked for.
    room = min(1.2, math.sqrt(high / low))
    bottom = min(max(low, LEAST_PX.get(label, 0.0)), high)
    a, b = small / high * room, large / bottom / room
    a2, b2 = max(a, GSD_M[0]), min(b, COARSEST_M.get(label, GSD_M[1]))
    a, b = (a2, b2) if a2 <= b2 else (min(a, b), max(a, b))
    return math.exp(rng.uniform(math.log(a), math.log(b)))


def _shares(rng: np.random.Generator, labels: list[str], count: int, k: float) -> dict[str, int]:
    """The main class gets most, the others share the rest; single things give theirs away."""
    counts = dict.fromkeys(labels, 0)
    rest = count if len(labels) == 1 else max(min(count, 1), round(count * rng.uniform(0.4, 0.9)))
    counts[labels[0]] = rest
    if len(labels) > 1:
        share = rng.multinomial(count - rest, rng.dirichlet(np.full(len(labels) - 1, 2.0)))
        counts.update(zip(labels[1:], share.tolist(), strict=True))
    spare = 0
    for label in labels:
        most = math.ceil(SINGLE[label] * k) if label in SINGLE else count
        spare += max(0, counts[label] - most)
        counts[label] = min(counts[label], most)
    common = [label for label in labels if label not in SINGLE]
    if common:
        counts[common[rng.integers(len(common))]] += round(spare * 0.6)
    return counts

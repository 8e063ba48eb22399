"""The same place at two dates, with what came and what went.

Refuses to know how places are made; `world` does that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from groundproof_training.scenes.spec import Scene, SceneObject, WorldSpec
from groundproof_training.scenes.world import DEFAULT, dress, finish, generator, stage

if TYPE_CHECKING:
    import numpy as np

UNCHANGED_SHARE = 0.25
"""Share of pairs in which nothing came or went."""

MOVABLE = ("airplane", "ship", "vehicle")


@dataclass(frozen=True, slots=True)
class Change:
    """One object that is there at one date only: "appeared" in the later, "disappeared" from the earlier."""

    kind: Literal["appeared", "disappeared"]
    object: SceneObject


@dataclass(frozen=True, slots=True)
class Pair:
    """One place at two dates; every object that is not in both is in `changes`."""

    before: Scene
    after: Scene
    changes: tuple[Change, ...]


def make_pair(seed: int, width: int, height: int, spec: WorldSpec = DEFAULT) -> Pair:
    """The pair of a seed; sun, clutter that moves and sensor are drawn for each date.

    The sun's direction differs little, as it does between passes at the same local time; its height is free.
    Raises ValueError as make_scene does.
    """
    rng = generator(seed, width, height)
    place = stage(rng, width, height, spec)
    fates = [""] * len(place.things)
    if place.things and rng.random() >= UNCHANGED_SHARE:
        share = rng.uniform(0.1, 0.5)
        fates = [_fate(rng, share * (1.4 if thing.label in MOVABLE else 0.6)) for thing in place.things]
        if not any(fates):
            fates[int(rng.integers(len(fates)))] = _fate(rng, 1.0)
    earlier, later = (
        [thing for thing, fate in zip(place.things, fates, strict=True) if fate != other]
        for other in ("appeared", "disappeared")
    )
    date, other_date = rng.spawn(2)
    before = finish(dress(date, place, earlier, place.sun, spec))
    after = finish(dress(other_date, place, later, place.sun + rng.normal(0, 0.25), spec))
    changes = tuple(
        Change("appeared" if fate == "appeared" else "disappeared", thing.truth)
        for thing, fate in zip(place.things, fates, strict=True)
        if fate
    )
    return Pair(before, after, changes)


def _fate(rng: np.random.Generator, share: float) -> str:
    if rng.random() >= share:
        return ""
    return "appeared" if rng.random() < 0.5 else "disappeared"

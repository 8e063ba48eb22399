"""The kinds of place: apron, runway, grass, desert, field, water, harbour, industrial, urban, junction, river.

Each builder paints one `Site`; `GROUNDS` says which make up a scene type. Refuses to draw objects.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

from groundproof_training.scenes import slots
from groundproof_training.scenes.casting import pick
from groundproof_training.scenes.ground import (
    Site,
    add_roads,
    band,
    combs,
    dashes,
    joints,
    stops,
    strokes,
    tinted,
)
from groundproof_training.scenes.shape import SHIFT, disc, fixed, shade
from groundproof_training.scenes.shore import flood, open_water
from groundproof_training.scenes.texture import sample, surface
from groundproof_training.scenes.wear import weather

if TYPE_CHECKING:
    from collections.abc import Callable

    from groundproof_training.scenes.casting import Casting

GROUNDS: dict[str, dict[str, float]] = {
    "airport": {"apron": 5, "runway": 2},
    "port": {"harbour": 1},
    "open water": {"water": 1},
    "storage depot": {"industrial": 5, "soil": 1.5, "grass": 1},
    "industrial area": {"industrial": 5, "soil": 1, "parking": 0.5},
    "residential area": {"urban": 1},
    "parking lot": {"parking": 1},
    "farmland": {"field": 1},
    "grassland": {"grass": 1},
    "desert": {"desert": 1},
    "forest": {"forest": 1},
    "river": {"river": 1},
    "road junction": {"junction": 1},
    "sports complex": {"sports": 1},
}


def make_site(rng: np.random.Generator, cast: Casting, width: int, height: int) -> Site:
    """A place of the cast's scene type, with slots for its bridges, roundabouts and harbours."""
    name = pick(rng, GROUNDS[cast.scene_type])
    base = name
    if name == "harbour":
        base = ("apron", "industrial", "soil", "parking")[rng.choice(4, p=(0.25, 0.4, 0.15, 0.2))]
    site = BUILDERS[base](rng, width, height, 1 / cast.gsd_m, rng.uniform(0, math.pi))
    site.name = name
    if name != "water":
        weather(rng, site)
    bridge = cast.sizes["bridge"] if cast.counts.get("bridge") else None
    if name == "harbour":
        flood(rng, site)
        if cast.counts.get("harbour"):
            slots.berths(rng, site, cast.sizes["harbour"], cast.counts["harbour"])
    elif name == "river":
        slots.river(rng, site, bridge)
    elif name == "junction":
        if cast.counts.get("roundabout"):
            slots.circle(rng, site, cast.sizes["roundabout"])
        elif bridge is not None:
            slots.overpass(rng, site, bridge)
        else:
            add_roads(rng, site, 2)
    return site


def _apron(rng: np.random.Generator, w: int, h: int, ppm: float, axis: float) -> Site:
    colours = stops(rng, "concrete" if rng.random() < 0.75 else "asphalt")
    site = Site("apron", surface(rng, w, h, colours, rng.uniform(0.4, 1.5), rng.uniform(0.2, 0.7)), axis, ppm)
    reach = math.hypot(w, h)
    if rng.random() < 0.65:
        spacing = float(np.clip(rng.uniform(5, 15) * ppm, 9, 60))
        joints(rng, site, spacing, shade(colours[0], rng.uniform(0.82, 1.12)))
    stains = sample(rng, "streak", w, h, rng.uniform(0.3, 0.8), axis)
    tinted(
        site.image, cv2.threshold(stains, 170, 255, cv2.THRESH_TOZERO)[1], (50, 48, 46), rng.uniform(0, 0.35)
    )
    _taxi_lines(rng, site, reach)
    if rng.random() < 0.35:
        _half(rng, site, "grass" if rng.random() < 0.6 else "asphalt")
    return site


def _taxi_lines(rng: np.random.Generator, site: Site, reach: float) -> None:
    w, h = site.size
    for _ in range(rng.integers(0, 4)):
        paint = (205, 170, 70) if rng.random() < 0.6 else (215, 212, 200)
        if rng.random() < 0.3:
            paint = (150, 50, 44)
        x, y = rng.uniform(0, w), rng.uniform(0, h)
        direction = site.axis + (math.pi / 2 if rng.random() < 0.5 else 0.0)
        band(site.image, x, y, direction, rng.uniform(0.8, 2.0), paint, reach)
        if rng.random() < 0.4:
            radius = rng.uniform(15, 70)
            ring = fixed(disc(x, y, radius, n=40))
            cv2.polylines(site.image, [ring], rng.random() < 0.3, paint, 1, cv2.LINE_AA, SHIFT)
    if rng.random() < 0.3:  # stand markings
        x, y = rng.uniform(0, w), rng.uniform(0, h)
        at = np.arange(-8, 9) * rng.uniform(25, 70)
        strokes(site.image, combs(x, y, site.axis, at, 0.0, rng.uniform(15, 40)), (208, 204, 190))


def _runway(rng: np.random.Generator, w: int, h: int, ppm: float, axis: float) -> Site:
    site = Site(
        "runway",
        surface(rng, w, h, stops(rng, "grass" if rng.random() < 0.7 else "soil"), 1.0, 0.6),
        axis,
        ppm,
    )
    reach = math.hypot(w, h)
    for _ in range(rng.integers(1, 3)):
        colours = stops(rng, "asphalt" if rng.random() < 0.6 else "concrete")
        width = float(np.clip(rng.uniform(30, 60) * ppm, 40, 0.6 * reach))
        x, y = rng.uniform(0.2, 0.8) * w, rng.uniform(0.2, 0.8) * h
        strip = np.zeros((h, w), np.uint8)
        band(strip, x, y, axis, width, (255, 255, 255), reach)
        paved = surface(rng, w, h, colours, 0.8, 0.5)
        cv2.copyTo(paved, strip, site.image)
        for side in (-1, 1):
            dx, dy = -math.sin(axis) * width * 0.45 * side, math.cos(axis) * width * 0.45 * side
            band(site.image, x + dx, y + dy, axis, 1.2, (215, 212, 200), reach)
        dash = rng.uniform(10, 30)
        dashes(site.image, x, y, axis, dash, (225, 222, 212), reach)
    return site


def _plain(kind: str) -> Callable[[np.random.Generator, int, int, float, float], Site]:
    def build(rng: np.random.Generator, w: int, h: int, ppm: float, axis: float) -> Site:
        name = "cloud" if rng.random() < 0.4 else "rough"
        image = surface(rng, w, h, stops(rng, kind), rng.uniform(0.4, 2.0), rng.uniform(0.2, 0.9), name=name)
        site = Site(kind, image, axis, ppm)
        if rng.random() < 0.5:
            streaks = sample(rng, "streak", w, h, rng.uniform(0.4, 1.5), axis)
            tinted(
                image,
                cv2.threshold(streaks, 150, 255, cv2.THRESH_TOZERO)[1],
                stops(rng, "soil")[1],
                rng.uniform(0.1, 0.5),
            )
        if rng.random() < 0.5:
            add_roads(rng, site, int(rng.integers(1, 3)))
        return site

    return build


def _field(rng: np.random.Generator, w: int, h: int, ppm: float, axis: float) -> Site:
    """Parcels of different crops with furrows."""
    site = Site("field", surface(rng, w, h, stops(rng, "grass"), 1.0, 0.5), axis, ppm)
    reach = math.hypot(w, h)
    for _ in range(rng.integers(1, 4)):
        parcel = np.zeros((h, w), np.uint8)
        width = rng.uniform(0.15, 0.4) * reach
        band(
            parcel,
            rng.uniform(0, w),
            rng.uniform(0, h),
            axis,
            width,
            (255, 255, 255),
            reach,
            rng.uniform(-0.5, 0.2) * reach,
        )
        crop = surface(
            rng,
            w,
            h,
            stops(rng, ("grass", "soil", "desert")[rng.integers(3)]),
            0.6,
            0.3,
            angle=axis,
            name="streak" if rng.random() < 0.6 else "rough",
        )
        cv2.copyTo(crop, parcel, site.image)
    add_roads(rng, site, 1)
    return site


def _industrial(rng: np.random.Generator, w: int, h: int, ppm: float, axis: float) -> Site:
    kind = ("concrete", "soil", "asphalt", "grass", "desert")[rng.choice(5, p=(0.35, 0.25, 0.15, 0.15, 0.1))]
    site = Site(
        "industrial",
        surface(rng, w, h, stops(rng, kind), rng.uniform(0.3, 1.2), rng.uniform(0.4, 1.0)),
        axis,
        ppm,
    )
    reach = math.hypot(w, h)
    for _ in range(rng.integers(0, 5)):  # pads
        direction = axis + (math.pi / 2 if rng.random() < 0.5 else 0)
        tone = stops(rng, "concrete" if rng.random() < 0.6 else "soil")[1]
        band(
            site.image,
            rng.uniform(0, w),
            rng.uniform(0, h),
            direction,
            rng.uniform(20, 90),
            tone,
            rng.uniform(20, 90),
        )
    if rng.random() < 0.7:
        add_roads(rng, site, int(rng.integers(1, 3)))
    for _ in range(rng.integers(0, 3)):  # pipe racks
        x, y = rng.uniform(0, w), rng.uniform(0, h)
        direction = axis + (math.pi / 2 if rng.random() < 0.5 else 0)
        for k in range(rng.integers(1, 5)):
            tone = shade((170, 168, 160), rng.uniform(0.5, 1.3))
            band(site.image, x + k * 2.2, y + k * 2.2, direction, 1.1, tone, reach)
    return site


def _urban(rng: np.random.Generator, w: int, h: int, ppm: float, axis: float) -> Site:
    kind = ("grass", "concrete", "soil", "desert")[rng.choice(4, p=(0.35, 0.35, 0.2, 0.1))]
    site = Site("urban", surface(rng, w, h, stops(rng, kind), rng.uniform(0.3, 0.9), 0.8), axis, ppm)
    add_roads(rng, site, int(rng.integers(2, 5)))
    return site


def _bare(rng: np.random.Generator, w: int, h: int, ppm: float, axis: float) -> Site:
    """Land without roads, for what paints its own."""
    kind = ("grass", "soil", "concrete", "desert")[rng.choice(4, p=(0.5, 0.22, 0.18, 0.1))]
    image = surface(rng, w, h, stops(rng, kind), rng.uniform(0.3, 1.5), rng.uniform(0.3, 1.0))
    return Site("junction", image, axis, ppm)


def _forest(rng: np.random.Generator, w: int, h: int, ppm: float, axis: float) -> Site:
    """A dark floor with undergrowth, and perhaps a track."""
    dark = tuple(shade(c, rng.uniform(0.6, 0.95)) for c in stops(rng, "grass"))
    site = Site("forest", surface(rng, w, h, dark, rng.uniform(0.25, 0.8), rng.uniform(0.6, 1.0)), axis, ppm)
    if rng.random() < 0.35:
        add_roads(rng, site, 1)
    return site


def _sports(rng: np.random.Generator, w: int, h: int, ppm: float, axis: float) -> Site:
    """Lawn or paving with paths."""
    kind = "grass" if rng.random() < 0.7 else ("concrete", "soil")[rng.integers(2)]
    image = surface(rng, w, h, stops(rng, kind), rng.uniform(0.4, 1.5), rng.uniform(0.3, 0.8))
    site = Site("sports", image, axis, ppm)
    for _ in range(rng.integers(0, 4)):
        direction = axis + (math.pi / 2 if rng.random() < 0.5 else 0)
        tone = stops(rng, "concrete")[1]
        band(
            image, rng.uniform(0, w), rng.uniform(0, h), direction, rng.uniform(2, 5), tone, math.hypot(w, h)
        )
    return site


def _parking(rng: np.random.Generator, w: int, h: int, ppm: float, axis: float) -> Site:
    kind = "asphalt" if rng.random() < 0.7 else "concrete"
    site = Site(
        "parking",
        surface(rng, w, h, stops(rng, kind), rng.uniform(0.4, 1.2), rng.uniform(0.3, 0.8)),
        axis,
        ppm,
    )
    if rng.random() < 0.4:
        _half(rng, site, "grass")
    bay = float(np.clip(2.6 * ppm, 4, 16))
    depth = bay * 2
    for _ in range(rng.integers(1, 4)):  # bays
        at = np.arange(-12, 13) * bay
        lines = combs(rng.uniform(0, w), rng.uniform(0, h), axis, at, -depth, depth)
        strokes(site.image, lines, shade((205, 205, 200), rng.uniform(0.7, 1.1)))
    if rng.random() < 0.5:
        add_roads(rng, site, 1)
    return site


def _half(rng: np.random.Generator, site: Site, kind: str) -> None:
    """Cover one side of the site with another surface."""
    w, h = site.size
    mask = np.zeros((h, w), np.uint8)
    reach = math.hypot(w, h)
    c, s = math.cos(site.axis), math.sin(site.axis)
    off = rng.uniform(0.15, 0.45) * min(w, h) * (1 if rng.random() < 0.5 else -1)
    x, y = (
        w / 2 - s * (off + math.copysign(reach / 2, off)),
        h / 2 + c * (off + math.copysign(reach / 2, off)),
    )
    band(mask, x, y, site.axis, reach, (255, 255, 255), reach)
    cv2.copyTo(surface(rng, w, h, stops(rng, kind), 0.8, 0.6), mask, site.image)


BUILDERS: dict[str, Callable[[np.random.Generator, int, int, float, float], Site]] = {
    "apron": _apron,
    "runway": _runway,
    "grass": _plain("grass"),
    "desert": _plain("desert"),
    "soil": _plain("soil"),
    "field": _field,
    "industrial": _industrial,
    "urban": _urban,
    "parking": _parking,
    "water": open_water,
    "river": _bare,
    "junction": _bare,
    "forest": _forest,
    "sports": _sports,
}

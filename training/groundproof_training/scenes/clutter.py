"""Puts things that are no objects, although some look a bit like them, around the objects.

They yield to objects: nothing is painted where the occupancy map is taken. Refuses to know the classes.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

from groundproof_training.scenes.props import VARIANTS, stock
from groundproof_training.scenes.shape import (
    SHIFT,
    Pose,
    Shape,
    cast,
    draw,
    fixed,
    rectangle,
)

if TYPE_CHECKING:
    from groundproof_training.scenes.ground import Site

KINDS: dict[str, tuple[str, ...]] = {
    "apron": ("cart", "cart", "cart", "jet bridge", "circle", "stain", "stain", "mast", "slab"),
    "runway": ("bush", "circle", "stain", "cart"),
    "grass": ("bush", "bush", "bush", "stain", "slab"),
    "desert": ("bush", "bush", "bush", "stain"),
    "soil": ("bush", "boxes", "stain", "circle", "slab"),
    "field": ("bush", "bush", "greenhouse", "solar"),
    "industrial": ("boxes", "slab", "mast", "circle", "cart", "solar", "bush", "stain"),
    "urban": ("pool", "pool", "solar", "bush", "bush", "slab", "stain", "circle"),
    "parking": ("circle", "slab", "mast", "bush", "stain"),
    "harbour": ("boxes", "boxes", "slab", "crane", "circle", "cart", "stain"),
    "water": ("buoy", "foam", "foam"),
    "forest": ("bush", "bush", "bush", "stain"),
    "river": ("bush", "bush", "foam", "stain", "slab"),
    "junction": ("bush", "bush", "mast", "slab", "stain"),
    "sports": ("bush", "slab", "mast", "circle", "pool"),
}


def strew(
    rng: np.random.Generator,
    site: Site,
    taken: np.ndarray,
    sun: tuple[float, float],
    shadow: np.ndarray,
    amount: float,
) -> list[tuple[Shape, Pose]]:
    """Choose, place and shadow clutter; returns it. Marks `taken` and `shadow`, (H, W) uint8, in place."""
    w, h = site.size
    kinds = KINDS[site.name]
    expected = amount * rng.uniform(0, 1) ** 1.5 * 20 * w * h / 224**2
    out: list[tuple[Shape, Pose]] = []
    for _ in range(min(int(rng.poisson(expected)), 400)):
        kind = kinds[rng.integers(len(kinds))]
        shape = stock(kind, int(rng.integers(VARIANTS)))
        turn = site.axis + (math.pi / 2) * int(rng.integers(4))
        if kind in ("bush", "foam", "stain") or rng.random() < 0.1:
            turn = rng.uniform(0, 2 * math.pi)
        pose = Pose(rng.uniform(0, w), rng.uniform(0, h), turn)
        x0, y0, x1, y1 = shape.extent
        foot = pose.place(rectangle(x0 - 2, y0 - 2, x1 + 2, y1 + 2))
        if not _free(site, taken, foot, wet=kind in ("buoy", "foam")):
            continue
        if kind not in ("circle", "stain", "foam"):
            cv2.fillConvexPoly(taken, fixed(foot), 255, cv2.LINE_8, SHIFT)
            cast(shadow, shape, pose, sun)
        out.append((shape, pose))
    return out


def dock(
    rng: np.random.Generator,
    site: Site,
    taken: np.ndarray,
    sun: tuple[float, float],
    shadow: np.ndarray,
    planes: list[Pose],
) -> list[tuple[Shape, Pose]]:
    """Jet bridges and loaders beside the noses of some parked airplanes."""
    if site.name not in ("apron", "harbour") or rng.random() < 0.5:
        return []
    out: list[tuple[Shape, Pose]] = []
    side = 1 if rng.random() < 0.5 else -1
    for plane in planes:
        if plane.scale < 30 or rng.random() < 0.3:
            continue
        shape = stock("jet bridge", int(rng.integers(VARIANTS)))
        x0, y0, x1, y1 = shape.extent
        turn = plane.heading + math.pi + side * rng.uniform(0.9, 1.5)
        # The bridge's head (its +x end) comes to the left or right of the nose.
        head = plane.place(np.array([(rng.uniform(0.28, 0.4), side * 0.09)]))[0]
        c, s = math.cos(turn), math.sin(turn)
        pose = Pose(head[0] - c * (x1 + 2), head[1] - s * (x1 + 2), turn)
        foot = pose.place(rectangle(x0, y0, x1, y1))
        mask = np.zeros_like(taken)
        cv2.fillConvexPoly(mask, fixed(foot), 255, cv2.LINE_8, SHIFT)
        if cv2.countNonZero(cv2.bitwise_and(mask, taken)) or (
            site.water is not None and (site.water[mask > 0] != 0).any()
        ):
            continue
        np.maximum(taken, mask, out=taken)
        cast(shadow, shape, pose, sun)
        out.append((shape, pose))
    return out


def _free(site: Site, taken: np.ndarray, foot: np.ndarray, *, wet: bool) -> bool:
    """Whether the quad's bounding rectangle touches nothing taken and is all on the right element."""
    h, w = taken.shape
    xs, ys = foot[:, 0], foot[:, 1]
    x0, y0 = max(int(xs.min()), 0), max(int(ys.min()), 0)
    x1, y1 = min(int(xs.max()) + 2, w), min(int(ys.max()) + 2, h)
    if x0 >= x1 or y0 >= y1:
        return False
    if cv2.countNonZero(taken[y0:y1, x0:x1]):
        return False
    if site.water is None:
        return not wet
    element = site.water[y0:y1, x0:x1]
    return bool((element == 1).all()) if wet else not cv2.countNonZero(element)


def paint(image: np.ndarray, pieces: list[tuple[Shape, Pose]]) -> None:
    """Draw clutter onto an (H, W, 3) uint8 image in place."""
    for shape, pose in pieces:
        draw(image, shape, pose)

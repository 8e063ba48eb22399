"""Puts a scene together: site, objects, clutter, shadows, sensor; and keeps the truth.

`plan` makes every random decision, `render` paints a plan. A plan can be painted without some of its objects:
that is how tests measure where an object's pixels really are. Refuses to know how single things look.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from groundproof_training.scenes import clutter, fleet
from groundproof_training.scenes.ground import Site, bund, tinted
from groundproof_training.scenes.layout import Candidate, candidates
from groundproof_training.scenes.sensor import degrade
from groundproof_training.scenes.shape import SHIFT, Pose, Sprite, cast, fixed, rasterise
from groundproof_training.scenes.ship import wake
from groundproof_training.scenes.sites import make_site
from groundproof_training.scenes.spec import MIN_SIDE_PX, Scene, SceneObject, WorldSpec

if TYPE_CHECKING:
    from collections.abc import Collection

GENERATOR_VERSION = "2"
"""Changes whenever the same seed gives different pixels or a different truth."""

GSD_M = (0.25, 1.5)
"""Usual ground sampling distances; left only when the sizes asked for cannot be had otherwise."""

MIN_CONTRAST = 24.0
"""Least difference, of 255, between an object's and its ground's mean colour in some channel."""

DEFAULT = WorldSpec()
REFERENCE_AREA_PX = 224 * 224


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything decided: what lies below (shadows, wakes and clutter included), and the objects upon it.

    backdrop (H, W, 3) uint8; sprites and objects are parallel; sensor_seed None leaves the pixels as painted.
    """

    backdrop: np.ndarray
    sprites: tuple[Sprite, ...]
    objects: tuple[SceneObject, ...]
    ground: str
    gsd_m: float
    sensor_seed: int | None


def make_scene(seed: int, width: int, height: int, spec: WorldSpec = DEFAULT) -> Scene:
    """The scene of a seed: the same (seed, width, height, spec) always gives the same pixels and truth.

    Raises ValueError for a negative seed or a side shorter than 56 px.
    """
    made = plan(seed, width, height, spec)
    return Scene(render(made), made.objects, made.ground, made.gsd_m)


def plan(seed: int, width: int, height: int, spec: WorldSpec) -> Plan:
    """Decide everything about a scene."""
    if seed < 0:
        raise ValueError(f"seed is {seed}; allowed: 0 or more")
    if min(width, height) < MIN_SIDE_PX:
        raise ValueError(f"size is {width} x {height} px; allowed: {MIN_SIDE_PX} px or more on each side")
    rng = np.random.default_rng((seed, width, height))
    count = _count(rng, width, height, spec)
    labels, gsd_m, sizes = _cast_of(rng, width, height, spec)
    site = make_site(rng, labels, width, height, 1 / gsd_m)
    angle = rng.uniform(0, 2 * math.pi)
    reach = rng.uniform(0.3, 1.8)
    sun = (reach * math.cos(angle), reach * math.sin(angle))

    bunds = rng.random() < 0.5
    taken = np.zeros((height, width), np.uint8)
    shadow = np.zeros((height, width), np.uint8)
    planes: list[Pose] = []
    sprites: list[Sprite] = []
    objects: list[SceneObject] = []
    weights = rng.dirichlet(np.full(len(labels), 2.0)) if len(labels) > 1 else np.ones(1)
    share = rng.multinomial(count, weights)
    for label, wanted in sorted(zip(labels, share.tolist(), strict=True), key=lambda p: -sizes[p[0]][1]):
        placed = 0
        for spot in candidates(rng, site, label, wanted, sizes[label], spec.min_centre_px) if wanted else ():
            if placed == wanted:
                break
            if not _plausible(spot, sprites, taken, spec) or not _stands(site, label, spot):
                continue
            shape = fleet.pick(rng, label, spot.length_px * gsd_m, spot.style)
            heading = angle if label == "storage tank" else spot.heading  # a tank's frame is the sun's
            pose = Pose(spot.x, spot.y, heading, spot.length_px)
            sprite = rasterise(shape, pose, width, height)
            if (
                sprite is None
                or not _fits(sprite, sprites, taken, spec)
                or not _stands_out(sprite, site.image)
            ):
                continue
            if label == "ship" and rng.random() < (0.3 if site.quay else 0.5):
                _wake(rng, site, pose)
            if label == "storage tank" and bunds:
                bund(site, pose)
            if label == "airplane":
                planes.append(pose)
            cast(shadow, shape, pose, sun)
            _occupy(taken, sprite)
            sprites.append(sprite)
            objects.append(SceneObject(label, sprite.box, sprite.corners, sprite.visible))
            placed += 1
    pieces = []
    if spec.clutter:
        pieces += clutter.dock(rng, site, taken, sun, shadow, planes)
        pieces += clutter.strew(rng, site, taken, sun, shadow, spec.clutter)
    backdrop = site.image
    flat = [p for p in pieces if all(part.lift is None for part in p[0].parts)]
    tall = [p for p in pieces if any(part.lift is not None for part in p[0].parts)]
    clutter.paint(backdrop, flat)
    if shadow.any():
        tinted(backdrop, shadow, (8, 12, 20), rng.uniform(0.35, 0.75))
    clutter.paint(backdrop, tall)
    sensor_seed = int(rng.integers(1 << 62)) if spec.sensors else None
    return Plan(backdrop, tuple(sprites), tuple(objects), site.name, gsd_m, sensor_seed)


def render(made: Plan, without: Collection[int] = ()) -> np.ndarray:
    """Paint a plan, (H, W, 3) uint8, leaving out the objects of these indices (shadows and wakes stay)."""
    image = made.backdrop.copy()
    for i, sprite in enumerate(made.sprites):
        if i not in without:
            sprite.paste(image)
    return image if made.sensor_seed is None else degrade(np.random.default_rng(made.sensor_seed), image)


def _count(rng: np.random.Generator, width: int, height: int, spec: WorldSpec) -> int:
    empty = rng.random() < spec.empty
    k = width * height / REFERENCE_AREA_PX
    low, high = (max(round(n * k), min(n, 1)) for n in spec.n_objects)
    count = int(rng.integers(low, high + 1))
    return 0 if empty else count


def _cast_of(
    rng: np.random.Generator, width: int, height: int, spec: WorldSpec
) -> tuple[tuple[str, ...], float, dict[str, tuple[float, float]]]:
    """Classes that can share a scene, the ground sampling distance, and each class's sizes in px."""
    low = spec.size_px[0]
    high = max(low, min(spec.size_px[1], 0.95 * min(width, height)))
    order = [spec.classes[i] for i in rng.permutation(len(spec.classes))]
    most = int(rng.integers(1, min(spec.max_classes, len(order)) + 1))
    span: tuple[float, float] | None = None
    chosen: list[str] = []
    for label in order:
        small, large = fleet.SIZES_M[label]
        # Room for sizes that differ by a fifth, unless fewer are asked for.
        room = min(1.2, math.sqrt(high / low))
        a, b = small / high * room, large / low / room
        if span is None:
            a2, b2 = max(a, GSD_M[0]), min(b, GSD_M[1])
            span, chosen = ((a2, b2) if a2 <= b2 else (a, max(a, b))), [label]
        elif len(chosen) < most and max(a, span[0]) <= min(b, span[1]):
            span, chosen = (max(a, span[0]), min(b, span[1])), [*chosen, label]
    if span is None:
        raise RuntimeError("no class chosen although a spec names one at least")
    gsd = math.exp(rng.uniform(math.log(span[0]), math.log(span[1])))
    sizes = {}
    for label in chosen:
        small, large = fleet.SIZES_M[label]
        bottom = min(max(low, small / gsd), high)
        sizes[label] = (bottom, max(bottom, min(high, large / gsd)))
    return tuple(chosen), gsd, sizes


def _stands(site: Site, label: str, spot: Candidate) -> bool:
    """Whether the ground below carries such an object (checked along its middle line and at its corners)."""
    if label == "storage tank":
        for x, y, direction, width in site.roads:
            if (
                abs((spot.y - y) * math.cos(direction) - (spot.x - x) * math.sin(direction))
                < (width + spot.length_px) / 2
            ):
                return False
    if site.water is None:
        return True
    h, w = site.water.shape
    half, side = spot.length_px / 2, spot.length_px / (2 if label in ("airplane", "storage tank") else 7)
    probe = np.array(
        [
            (0, 0),
            (half, 0),
            (-half, 0),
            (0, side),
            (0, -side),
            (half * 0.7, side * 0.7),
            (-half, side),
            (half * 0.7, -side * 0.7),
            (-half, -side),
        ]
    )
    at = Pose(spot.x, spot.y, spot.heading).place(probe).astype(int)
    element = site.water[
        np.minimum(np.maximum(at[:, 1], 0), h - 1), np.minimum(np.maximum(at[:, 0], 0), w - 1)
    ]
    return bool((element == (1 if label == "ship" else 0)).all())


def _fits(sprite: Sprite, others: list[Sprite], taken: np.ndarray, spec: WorldSpec) -> bool:
    if sprite.visible < spec.min_visible:
        return False
    x, y = sprite.centre
    for other in others:
        ox, oy = other.centre
        if max(abs(x - ox), abs(y - oy)) < spec.min_centre_px:
            return False
    h, w = sprite.alpha.shape
    return not taken[sprite.y : sprite.y + h, sprite.x : sprite.x + w][sprite.alpha > 0].any()


def _stands_out(sprite: Sprite, image: np.ndarray) -> bool:
    """Whether an eye could find the object: its colour differs from the ground's, or its detail is strong.

    Boxes around what cannot be seen would teach a model to guess.
    """
    h, w = sprite.alpha.shape
    mask = (sprite.alpha > 0.5).astype(np.uint8)
    mean, deviation = cv2.meanStdDev(sprite.rgb, mask=mask)
    below = cv2.mean(image[sprite.y : sprite.y + h, sprite.x : sprite.x + w], mask)
    difference = max(abs(float(mean[i, 0]) - below[i]) for i in range(3))
    return difference >= MIN_CONTRAST or float(deviation.max()) >= MIN_CONTRAST * 1.3


def _plausible(spot: Candidate, others: list[Sprite], taken: np.ndarray, spec: WorldSpec) -> bool:
    """Whether a candidate is worth drawing; the drawn sprite decides."""
    h, w = taken.shape
    outside = max(-spot.x, spot.x - w, -spot.y, spot.y - h)
    if outside > 0.2 * spot.length_px:
        return False
    if outside < 0 and taken[int(spot.y), int(spot.x)]:
        return False
    near = 0.6 * spec.min_centre_px
    return all(max(abs(spot.x - x), abs(spot.y - y)) >= near for x, y in (o.centre for o in others))


def _occupy(taken: np.ndarray, sprite: Sprite) -> None:
    """Mark the object's pixels and one more around them."""
    h, w = sprite.alpha.shape
    view = taken[sprite.y : sprite.y + h, sprite.x : sprite.x + w]
    mask = cv2.dilate((sprite.alpha > 0).astype(np.uint8) * 255, np.ones((3, 3), np.uint8))
    np.maximum(view, mask, out=view)


def _wake(rng: np.random.Generator, site: Site, pose: Pose) -> None:
    mask = np.zeros(site.image.shape[:2], np.uint8)
    track, vee = wake(rng)
    for points, level in ((vee, rng.uniform(60, 140)), (track, 255)):
        cv2.fillPoly(mask, [fixed(pose.place(points))], level, cv2.LINE_AA, SHIFT)
    if site.water is not None:
        mask[site.water != 1] = 0
    tinted(site.image, cv2.GaussianBlur(mask, (0, 0), 1.5), (215, 222, 222), rng.uniform(0.25, 0.75))

"""Puts a scene together: site, objects, clutter, shadows, sensor; and keeps the truth.

`stage` decides the place and its objects, `dress` one date of it (which of them are there, sun, clutter),
`render` paints. A plan can be painted without some of its objects: that is how tests measure where an
object's pixels really are. Refuses to know how single things look.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from groundproof_training.scenes import clutter, fleet
from groundproof_training.scenes.casting import draw_cast
from groundproof_training.scenes.checks import fits, occupy, plausible, stands, stands_out
from groundproof_training.scenes.ground import Site, bund, tinted
from groundproof_training.scenes.layout import SLOTTED, Candidate, candidates
from groundproof_training.scenes.sensor import degrade
from groundproof_training.scenes.shape import SHIFT, Pose, Shape, Sprite, cast, fixed, rasterise
from groundproof_training.scenes.ship import wake
from groundproof_training.scenes.sites import make_site
from groundproof_training.scenes.spec import CLASSES, MIN_SIDE_PX, Scene, SceneObject, WorldSpec
from groundproof_training.scenes.texture import crop

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

DEFAULT = WorldSpec()

GRAIN = {
    "tree": 0.4,
    "sports field": 0.18,
    "building": 0.12,
    "bridge": 0.14,
    "roundabout": 0.2,
    "harbour": 0.12,
}
"""How strongly a class's surfaces are grained; all others 0.06."""


@dataclass(frozen=True, slots=True)
class Thing:
    """One object where it stands; wake: its foam polygons in its own frame, or None."""

    label: str
    shape: Shape
    pose: Pose
    sprite: Sprite
    truth: SceneObject
    wake: tuple[np.ndarray, np.ndarray] | None


@dataclass(frozen=True, slots=True)
class Stage:
    """A place with all that ever stands on it; sun: the direction of the shadows, radians;
    clutter_seed: what is no object stays where it is, so that dates differ by objects."""

    site: Site
    things: tuple[Thing, ...]
    taken: np.ndarray
    scene_type: str
    gsd_m: float
    sun: float
    clutter_seed: int
    epsg: int
    affine: tuple[float, float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything decided: what lies below (shadows, wakes and clutter included), and the objects upon it.

    backdrop (H, W, 3) uint8; sprites and objects are parallel; sensor_seed None leaves the pixels as painted.
    """

    backdrop: np.ndarray
    sprites: tuple[Sprite, ...]
    objects: tuple[SceneObject, ...]
    stage: Stage
    sensor_seed: int | None


def make_scene(seed: int, width: int, height: int, spec: WorldSpec = DEFAULT) -> Scene:
    """The scene of a seed: the same (seed, width, height, spec) always gives the same pixels and truth.

    Raises ValueError for a negative seed or a side shorter than 56 px.
    """
    return finish(plan(seed, width, height, spec))


def plan(seed: int, width: int, height: int, spec: WorldSpec) -> Plan:
    """Decide everything about a scene."""
    rng = generator(seed, width, height)
    made = stage(rng, width, height, spec)
    return dress(rng, made, made.things, made.sun, spec)


def generator(seed: int, width: int, height: int) -> np.random.Generator:
    """The source of a scene's decisions. Raises ValueError for what make_scene refuses."""
    if seed < 0:
        raise ValueError(f"seed is {seed}; allowed: 0 or more")
    if min(width, height) < MIN_SIDE_PX:
        raise ValueError(f"size is {width} x {height} px; allowed: {MIN_SIDE_PX} px or more on each side")
    return np.random.default_rng((seed, width, height))


def finish(made: Plan) -> Scene:
    """A plan's picture and truth."""
    where = made.stage
    return Scene(
        image=render(made),
        objects=made.objects,
        ground=where.site.name,
        gsd_m=where.gsd_m,
        scene_type=where.scene_type,
        epsg=where.epsg,
        affine=where.affine,
        mask=class_mask(made),
    )


def stage(rng: np.random.Generator, width: int, height: int, spec: WorldSpec) -> Stage:
    """Decide a place and put objects on it."""
    roles = draw_cast(rng, width, height, spec)
    site = make_site(rng, roles, width, height)
    sun = rng.uniform(0, 2 * math.pi)
    bunds = rng.random() < 0.5
    taken = np.zeros((height, width), np.uint8)
    sprites: list[Sprite] = []
    things: list[Thing] = []
    order = sorted(roles.counts.items(), key=lambda p: (p[0] not in SLOTTED, -roles.sizes[p[0]][1]))
    for label, wanted in order:
        placed = 0
        spots = candidates(rng, site, label, wanted, roles.sizes[label], spec.min_centre_px) if wanted else ()
        for spot in spots:
            if placed == wanted:
                break
            if not plausible(spot, sprites, taken, spec) or not stands(site, label, spot):
                continue
            shape = fleet.pick(rng, label, spot.length_px * roles.gsd_m, spot.style)
            pose = _pose(label, spot, shape, sun)
            sprite = rasterise(shape, pose, width, height)
            if sprite is None or not fits(sprite, sprites, taken, spec) or not stands_out(sprite, site.image):
                continue
            if label == "harbour" and any(_meet(sprite, other) for other in sprites):
                continue
            _grain(rng, sprite, GRAIN.get(label, 0.06))
            if label == "storage tank" and bunds:
                bund(site, pose)
            foam = wake(rng) if label == "ship" and rng.random() < (0.2 if site.quay else 0.5) else None
            occupy(taken, sprite)
            sprites.append(sprite)
            things.append(Thing(label, shape, pose, sprite, _truth(label, sprite, roles.gsd_m), foam))
            placed += 1
    epsg, affine = _georeference(rng, roles.gsd_m)
    clutter_seed = int(rng.integers(1 << 62))
    return Stage(site, tuple(things), taken, roles.scene_type, roles.gsd_m, sun, clutter_seed, epsg, affine)


def dress(
    rng: np.random.Generator, made: Stage, things: Sequence[Thing], sun: float, spec: WorldSpec
) -> Plan:
    """One date of a place: these things on it, shadows falling towards `sun`, clutter, a sensor."""
    site = Site(**{name: getattr(made.site, name) for name in Site.__dataclass_fields__})
    site.image = made.site.image.copy()
    taken = made.taken.copy()
    shadow: np.ndarray = np.zeros(taken.shape, np.uint8)
    reach = rng.uniform(0.15, 1.0) if rng.random() < 0.5 else rng.uniform(0.5, 2.0)
    fall = (reach * math.cos(sun), reach * math.sin(sun))
    for thing in things:
        if thing.wake is not None:
            _foam(rng, site, thing.pose, thing.wake)
        cast(shadow, thing.shape, thing.pose, fall)
    pieces = []
    if spec.clutter:
        planes = [thing.pose for thing in made.things if thing.label == "airplane"]
        steady = np.random.default_rng(made.clutter_seed)
        pieces += clutter.dock(steady, site, taken, fall, shadow, planes)
        pieces += clutter.strew(steady, site, taken, fall, shadow, spec.clutter)
    flat = [p for p in pieces if all(part.lift is None for part in p[0].parts)]
    tall = [p for p in pieces if any(part.lift is not None for part in p[0].parts)]
    clutter.paint(site.image, flat)
    if shadow.any() and rng.random() < 0.9:
        if rng.random() < 0.5:
            shadow = cv2.GaussianBlur(shadow, (5, 5), rng.uniform(0.4, 1.4))
        tinted(site.image, shadow, (8, 12, 20), rng.uniform(0.25, 0.8))
    clutter.paint(site.image, tall)
    sensor_seed = int(rng.integers(1 << 62)) if spec.sensors else None
    sprites, objects = tuple(t.sprite for t in things), tuple(t.truth for t in things)
    return Plan(site.image, sprites, objects, made, sensor_seed)


def render(made: Plan, without: Collection[int] = ()) -> np.ndarray:
    """Paint a plan, (H, W, 3) uint8, leaving out the objects of these indices (shadows and wakes stay)."""
    image = made.backdrop.copy()
    for i, sprite in enumerate(made.sprites):
        if i not in without:
            sprite.paste(image)
    if made.sensor_seed is None:
        return image
    return degrade(np.random.default_rng(made.sensor_seed), image, class_mask(made))


def class_mask(made: Plan) -> np.ndarray:
    """(H, W) uint8: 0, or k + 1 where an object of CLASSES[k] is on top."""
    mask = np.zeros(made.backdrop.shape[:2], np.uint8)
    for sprite, thing in zip(made.sprites, made.objects, strict=True):
        h, w = sprite.alpha.shape
        view = mask[sprite.y : sprite.y + h, sprite.x : sprite.x + w]
        view[sprite.alpha > 0.5] = CLASSES.index(thing.label) + 1
    return mask


def _pose(label: str, spot: Candidate, shape: Shape, sun: float) -> Pose:
    heading = spot.heading
    if label in ("storage tank", "tree"):  # their frames are the sun's
        heading = sun
    elif label == "building" and math.cos(heading + math.pi / 2 - sun) < 0:
        heading += math.pi  # the dark side of the roof lies where the shadow falls
    x, y = spot.x, spot.y
    if spot.anchored:
        out = shape.extent[2] * spot.length_px - 1.5
        x, y = x + math.cos(heading) * out, y + math.sin(heading) * out
    return Pose(x, y, heading, spot.length_px)


def _meet(a: Sprite, b: Sprite) -> bool:
    return a.box[0] < b.box[2] and b.box[0] < a.box[2] and a.box[1] < b.box[3] and b.box[1] < a.box[3]


def _truth(label: str, sprite: Sprite, gsd_m: float) -> SceneObject:
    a, b, c, _ = sprite.corners
    sides = sorted((math.dist(a, b) * gsd_m, math.dist(b, c) * gsd_m))
    return SceneObject(label, sprite.box, sprite.corners, sprite.visible, sides[1], sides[0])


def _grain(rng: np.random.Generator, sprite: Sprite, strength: float) -> None:
    h, w = sprite.alpha.shape
    noise = crop(rng, "grain", w, h)
    sprite.rgb[...] = cv2.addWeighted(
        sprite.rgb, 1.0, cv2.merge((noise, noise, noise)), strength, -128 * strength
    )


def _georeference(
    rng: np.random.Generator, gsd_m: float
) -> tuple[int, tuple[float, float, float, float, float, float]]:
    """A place in some UTM zone; three in ten lie turned against the zone's grid."""
    epsg = (32600 if rng.random() < 0.6 else 32700) + int(rng.integers(1, 61))
    turn = rng.uniform(-math.pi, math.pi) if rng.random() < 0.3 else 0.0
    c, s = math.cos(turn) * gsd_m, math.sin(turn) * gsd_m
    east, north = round(rng.uniform(250_000, 750_000), 2), round(rng.uniform(1_200_000, 8_000_000), 2)
    return epsg, (c, s, east, s, -c, north)


def _foam(rng: np.random.Generator, site: Site, pose: Pose, polygons: tuple[np.ndarray, np.ndarray]) -> None:
    mask = np.zeros(site.image.shape[:2], np.uint8)
    track, vee = polygons
    for points, level in ((vee, rng.uniform(60, 140)), (track, 255)):
        cv2.fillPoly(mask, [fixed(pose.place(points))], level, cv2.LINE_AA, SHIFT)
    if site.water is not None:
        mask[site.water != 1] = 0
    tinted(site.image, cv2.GaussianBlur(mask, (0, 0), 1.5), (215, 222, 222), rng.uniform(0.25, 0.75))

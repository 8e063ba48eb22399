"""Whether a place may carry an object: ground, room, frame and contrast.

Refuses to choose places.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

from groundproof_training.scenes.layout import SLOTTED
from groundproof_training.scenes.shape import Pose, Sprite

if TYPE_CHECKING:
    from groundproof_training.scenes.ground import Site
    from groundproof_training.scenes.layout import Candidate
    from groundproof_training.scenes.spec import WorldSpec

MIN_CONTRAST = 17.0
"""Least difference, of 255, between an object's and its ground's mean colour in some channel."""

OFF_ROAD = {"storage tank": 0.5, "building": 0.5, "sports field": 0.5, "tree": 0.3}
"""Share of its length that an object of the class keeps between its centre and a road's edge."""

_BROAD = ("airplane", "storage tank", "tree", "sports field", "building")


def stands(site: Site, label: str, spot: Candidate) -> bool:
    """Whether the ground below carries such an object (checked along its middle line and at its corners)."""
    if label in SLOTTED:
        return True
    if label in OFF_ROAD:
        keep = OFF_ROAD[label] * spot.length_px
        for x, y, direction, width in site.roads:
            if (
                abs((spot.y - y) * math.cos(direction) - (spot.x - x) * math.sin(direction))
                < width / 2 + keep
            ):
                return False
    if site.water is None:
        return label != "ship"
    h, w = site.water.shape
    half, side = spot.length_px / 2, spot.length_px / (2 if label in _BROAD else 7)
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


def fits(sprite: Sprite, others: list[Sprite], taken: np.ndarray, spec: WorldSpec) -> bool:
    """Whether enough of it is in the frame, far enough from the others' centres, on nothing taken."""
    if sprite.visible < spec.min_visible:
        return False
    x, y = sprite.centre
    for other in others:
        ox, oy = other.centre
        if max(abs(x - ox), abs(y - oy)) < spec.min_centre_px:
            return False
    h, w = sprite.alpha.shape
    return not taken[sprite.y : sprite.y + h, sprite.x : sprite.x + w][sprite.alpha > 0].any()


def stands_out(sprite: Sprite, image: np.ndarray) -> bool:
    """Whether an eye could find the object: its colour differs from the ground's, or its detail is strong.

    Boxes around what cannot be seen would teach a model to guess.
    """
    h, w = sprite.alpha.shape
    mask = (sprite.alpha > 0.5).astype(np.uint8)
    mean, deviation = cv2.meanStdDev(sprite.rgb, mask=mask)
    below = cv2.mean(image[sprite.y : sprite.y + h, sprite.x : sprite.x + w], mask)
    difference = max(abs(float(mean[i, 0]) - below[i]) for i in range(3))
    return difference >= MIN_CONTRAST or float(deviation.max()) >= MIN_CONTRAST * 1.6


def plausible(spot: Candidate, others: list[Sprite], taken: np.ndarray, spec: WorldSpec) -> bool:
    """Whether a candidate is worth drawing; the drawn sprite decides."""
    if spot.anchored:
        return True
    h, w = taken.shape
    outside = max(-spot.x, spot.x - w, -spot.y, spot.y - h)
    if outside > 0.2 * spot.length_px:
        return False
    if outside < 0 and taken[int(spot.y), int(spot.x)]:
        return False
    near = 0.6 * spec.min_centre_px
    return all(max(abs(spot.x - x), abs(spot.y - y)) >= near for x, y in (o.centre for o in others))


def occupy(taken: np.ndarray, sprite: Sprite) -> None:
    """Mark the object's pixels and one more around them."""
    h, w = sprite.alpha.shape
    view = taken[sprite.y : sprite.y + h, sprite.x : sprite.x + w]
    mask = cv2.dilate((sprite.alpha > 0).astype(np.uint8) * 255, np.ones((3, 3), np.uint8))
    np.maximum(view, mask, out=view)

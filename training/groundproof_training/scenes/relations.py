"""Relations between a scene's objects that a question may ask for; None or False where a person could argue.

All over visible boxes, on screen: above means higher in the picture. Refuses to know words and prompts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from groundproof_training.scenes.spec import SceneObject

LARGER_BY = 1.15
"""How many times the second's area the largest must have (and the smallest's the second must have)."""

FURTHER_PX = 8.0
"""How much further out than the second the outermost centre must lie."""

NEARER_BY = 1.15
"""How many times the nearest one's distance the second nearest must be away."""


def centre(thing: SceneObject) -> tuple[float, float]:
    """x and y of the visible box's middle, px."""
    x0, y0, x1, y1 = thing.box
    return (x0 + x1) / 2, (y0 + y1) / 2


def left_of(a: SceneObject, b: SceneObject) -> bool:
    """Whether a's centre lies further left than b's box begins."""
    return centre(a)[0] < b.box[0]


def right_of(a: SceneObject, b: SceneObject) -> bool:
    """Whether a's centre lies further right than b's box ends."""
    return centre(a)[0] > b.box[2]


def above(a: SceneObject, b: SceneObject) -> bool:
    """Whether a's centre lies higher in the picture than b's box begins."""
    return centre(a)[1] < b.box[1]


def below(a: SceneObject, b: SceneObject) -> bool:
    """Whether a's centre lies lower in the picture than b's box ends."""
    return centre(a)[1] > b.box[3]


def gap(a: SceneObject, b: SceneObject) -> float:
    """Distance between the two boxes, px; 0 where they touch or overlap."""
    dx = max(a.box[0] - b.box[2], b.box[0] - a.box[2], 0.0)
    dy = max(a.box[1] - b.box[3], b.box[1] - a.box[3], 0.0)
    return float((dx * dx + dy * dy) ** 0.5)


def next_to(a: SceneObject, b: SceneObject) -> bool:
    """Whether the gap is below half the smaller one's longer side; an object is not next to itself."""
    longer = (max(t.box[2] - t.box[0], t.box[3] - t.box[1]) for t in (a, b))
    return a is not b and gap(a, b) < min(longer) / 2


def nearest(thing: SceneObject, others: Iterable[SceneObject]) -> SceneObject | None:
    """The one whose centre is clearly nearest; None without others or where two are about as near."""
    x, y = centre(thing)

    def distance(other: SceneObject) -> float:
        ox, oy = centre(other)
        return float(((ox - x) ** 2 + (oy - y) ** 2) ** 0.5)

    ranked = sorted((o for o in others if o is not thing), key=distance)
    if len(ranked) > 1 and distance(ranked[1]) < distance(ranked[0]) * NEARER_BY:
        return None
    return ranked[0] if ranked else None


def largest(objects: Iterable[SceneObject], label: str) -> SceneObject | None:
    """The class's clearly largest by visible box area; None where there is none or no clear one."""
    ranked = sorted((o for o in objects if o.label == label), key=_area, reverse=True)
    if len(ranked) > 1 and _area(ranked[0]) < _area(ranked[1]) * LARGER_BY:
        return None
    return ranked[0] if ranked else None


def smallest(objects: Iterable[SceneObject], label: str) -> SceneObject | None:
    """The class's clearly smallest by visible box area; None where there is none or no clear one."""
    ranked = sorted((o for o in objects if o.label == label), key=_area)
    if len(ranked) > 1 and _area(ranked[1]) < _area(ranked[0]) * LARGER_BY:
        return None
    return ranked[0] if ranked else None


def leftmost(objects: Iterable[SceneObject], label: str) -> SceneObject | None:
    """The class's object whose centre lies clearly furthest left, or None."""
    return _outermost(objects, label, lambda o: centre(o)[0])


def rightmost(objects: Iterable[SceneObject], label: str) -> SceneObject | None:
    """The class's object whose centre lies clearly furthest right, or None."""
    return _outermost(objects, label, lambda o: -centre(o)[0])


def topmost(objects: Iterable[SceneObject], label: str) -> SceneObject | None:
    """The class's object whose centre lies clearly highest in the picture, or None."""
    return _outermost(objects, label, lambda o: centre(o)[1])


def bottommost(objects: Iterable[SceneObject], label: str) -> SceneObject | None:
    """The class's object whose centre lies clearly lowest in the picture, or None."""
    return _outermost(objects, label, lambda o: -centre(o)[1])


def _area(thing: SceneObject) -> float:
    x0, y0, x1, y1 = thing.box
    return (x1 - x0) * (y1 - y0)


def _outermost(
    objects: Iterable[SceneObject], label: str, place: Callable[[SceneObject], float]
) -> SceneObject | None:
    ranked = sorted((o for o in objects if o.label == label), key=place)
    if len(ranked) > 1 and place(ranked[1]) - place(ranked[0]) < FURTHER_PX:
        return None
    return ranked[0] if ranked else None

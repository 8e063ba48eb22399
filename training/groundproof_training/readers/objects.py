"""The labelled objects of one image, from what a file says to boxes that can be trusted.

Knows pixels, class names and what can be wrong with a label. Refuses to know file formats and questions.

Every format's reader says its objects as `Found`, in continuous corners of the whole image; `cleaned` keeps those
that are boxes, and counts the rest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Literal

import shapely
from pydantic import Field
from shapely.geometry import MultiPoint, Polygon, box

from groundproof.protocol import Task
from groundproof_training.readers.base import Options, Problems
from groundproof_training.readers.oriented import enclosing
from groundproof_training.samples import SampleImage, Split, TrueBox, class_name
from groundproof_training.samples.types import Quad

EDGE_PX = 1e-6
"""A box may pass an edge by this much without being outside: sums of floats do."""

Corners = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Found:
    """One object as a label file gives it: nothing is checked yet.

    name: the file's spelling of its class. xyxy: left, top, right, bottom, continuous px of the image. quad: four
    corners of the oriented box, where the file has them; then xyxy encloses them. ignore: difficult, a crowd.
    """

    name: str
    xyxy: Corners
    quad: Quad | None = None
    ignore: bool = False
    truncated: bool = False
    attributes: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_quad(cls, name: str, quad: Quad, *, ignore: bool = False, truncated: bool = False) -> Found:
        """From four corners."""
        return cls(name, enclosing(quad), quad, ignore, truncated)


@dataclass(frozen=True, slots=True)
class LabelledImage:
    """An image, or a window of one, with everything known about its objects.

    key: unique among the source's images, the same every time. objects: px of the whole image. classes: every object
    of these is labelled, so one that is not in `objects` is absent. areas: where objects of any class may lie
    unlabelled; each is a box to ignore. meta: facts kept with every sample.
    """

    key: str
    image: SampleImage
    objects: tuple[TrueBox, ...]
    classes: tuple[str, ...]
    areas: tuple[TrueBox, ...] = ()
    meta: Mapping[str, str] = field(default_factory=dict)


class ObjectOptions(Options):
    """Of every reader of labelled objects. What no publication states is ours [U]; see DATASETS.md.

    tasks: asked about each class. max_objects: a class with more in one image is not asked about. absent_share: of
    the questions, how many are about a class that is not there. empty_share: of images without an object, how many
    are asked about. wording: "published" is always the first one; "varied" draws one by seed and sample.
    outside: what happens to a box that passes the image's edge: cut to it, or left out; both are counted.
    classes: only these are asked about (plain words); empty: all.
    patch_px, stride_px: images are read as windows of this side, this far apart; None: whole. min_inside: share of
    its area that an object keeps inside a window to count there; with less it is ignored.
    val_share, test_share: by hash of the image, of sources without splits of their own.
    """

    tasks: tuple[Task, ...] = (Task.COUNT, Task.DETECT, Task.GROUND, Task.VQA)
    max_objects: int = Field(100, gt=0)
    absent_share: float = Field(0.2, ge=0, lt=1)
    empty_share: float = Field(0.2, ge=0, le=1)
    wording: Literal["published", "varied"] = "varied"
    outside: Literal["clip", "drop"] = "clip"
    classes: tuple[str, ...] = ()
    patch_px: int | None = Field(None, gt=0)
    stride_px: int | None = Field(None, gt=0)
    min_inside: float = Field(0.7, gt=0, le=1)
    val_share: float = Field(0.1, ge=0, lt=1)
    test_share: float = Field(0.2, ge=0, lt=1)


def cleaned(
    found: Iterable[Found],
    image: SampleImage,
    classes: Iterable[str],
    options: ObjectOptions,
    problems: Problems,
    where: str,
    words: Mapping[str, str] | None = None,
) -> tuple[TrueBox, ...]:
    """The boxes that lie in the image and have a known class, in the file's order; the others are counted.

    classes: allowed names in plain words; empty: any. words: the file's spelling -> plain words, where
    `class_name` would not find them. where: the file, for the report.
    """
    known, kept = set(classes), []
    for number, one in enumerate(found, start=1):
        label = (words or {}).get(one.name) or class_name(one.name)
        at = f"{where}, object {number}"
        if known and label not in known:
            problems.add("unknown class", at, f"{one.name!r} is no class of this dataset")
            continue
        made = _box(one, label, image, options, problems, at)
        if made is not None:
            kept.append(made)
    return tuple(kept)


def _box(
    one: Found, label: str, image: SampleImage, options: ObjectOptions, problems: Problems, at: str
) -> TrueBox | None:
    x0, y0, x1, y1 = one.xyxy
    if not all(map(isfinite, (*one.xyxy, *(one.quad or ())))):
        problems.add("broken label", at, f"{one.xyxy} are no coordinates")
        return None
    if x0 >= x1 or y0 >= y1:
        problems.add("empty box", at, f"{one.name} {one.xyxy} has no area")
        return None
    width, height = image.width, image.height
    quad, truncated = one.quad, one.truncated
    if x0 < -EDGE_PX or y0 < -EDGE_PX or x1 > width + EDGE_PX or y1 > height + EDGE_PX:
        outline = outline_of(one.xyxy, quad).intersection(box(0, 0, width, height))
        lost = options.outside == "drop" or outline.area == 0
        problems.add(
            "box outside",
            at,
            f"{one.name} {one.xyxy} passes the edge of {width} x {height} px; it was "
            f"{'left out' if lost else 'cut'}",
        )
        if lost:
            return None
        x0, y0, x1, y1 = outline.bounds
        # What is left of a turned box is no rectangle any more; its upright box says what is seen.
        quad, truncated = None, True
    x0, y0, x1, y1 = max(x0, 0.0), max(y0, 0.0), min(x1, float(width)), min(y1, float(height))
    if quad is not None and (mended := valid_quad(quad)) != quad:
        problems.add("self-crossing outline", at, f"{one.name}: its convex hull is used")
        quad = mended
    return TrueBox(
        label=label,
        x0=x0,
        y0=y0,
        x1=x1,
        y1=y1,
        quad=quad,
        ignore=one.ignore,
        truncated=truncated,
        attributes=dict(one.attributes),
    )


def valid_quad(quad: Quad) -> Quad | None:
    """The same corners where they are a simple outline; else those of their convex hull; None where it has not four."""
    ring = [(quad[i], quad[i + 1]) for i in range(0, 8, 2)]
    if Polygon(ring).is_valid:
        return quad
    hull = MultiPoint(ring).convex_hull
    if hull.geom_type != "Polygon" or len(hull.exterior.coords) != 5:
        return None
    return tuple(float(v) for point in hull.exterior.coords[:4] for v in point)


def outline_of(xyxy: Corners, quad: Quad | None) -> Polygon:
    """The area of an object: its oriented box where there is one, self-crossing ones as their hull."""
    if quad is None:
        return box(*xyxy)
    ring = Polygon([(quad[i], quad[i + 1]) for i in range(0, 8, 2)])
    if ring.is_valid and ring.area > 0:
        return ring
    hull = shapely.convex_hull(ring)
    return hull if hull.area > 0 else box(*xyxy)


def share_of(key: str, salt: object = "") -> float:
    """A number in [0, 1) that depends on the key alone: the same on every machine, in every order of reading."""
    digest = hashlib.sha256(f"{salt}:{key}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def in_split(key: str, split: Split, options: ObjectOptions) -> bool:
    """Whether an image belongs to the split, of a source that has none. key: of the image, or of its place."""
    drawn = share_of(key, "split")
    if drawn < options.test_share:
        return split == "test"
    return split == ("val" if drawn < options.test_share + options.val_share else "train")

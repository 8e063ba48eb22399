"""COCO annotations as truth: images, classes and boxes as columns, read piece by piece.

Knows COCO's keys, `annotation` for `annotations` included (HIT-UAV). Refuses to know masks and predictions.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundproof_training.errors import TrainingError
from groundproof_training.evaluation.cases import NO_BOXES, BoxSet
from groundproof_training.evaluation.prediction_files.base import FileOptions, checked, clean, shown
from groundproof_training.evaluation.prediction_files.frames import box_set
from groundproof_training.evaluation.prediction_files.joining import image_name
from groundproof_training.evaluation.prediction_files.json_stream import BrokenJsonError, members
from groundproof_training.metrics.boxes import Floats
from groundproof_training.readers.base import Problems, is_id, stated_size

Ints = NDArray[np.int64]


@dataclass(slots=True)
class Columns:
    """Boxes as they come. owner: which image. kind: which class, a place in a list of names. numbers: five for each
    box, x0 y0 x1 y1 px before a turn and the turn in degrees (NaN: none). score: NaN for none."""

    owner: array[int] = field(default_factory=lambda: array("q"))
    kind: array[int] = field(default_factory=lambda: array("q"))
    numbers: array[float] = field(default_factory=lambda: array("d"))
    score: array[float] = field(default_factory=lambda: array("d"))
    ignore: array[int] = field(default_factory=lambda: array("b"))

    def __len__(self) -> int:
        return len(self.owner)

    def add(
        self, owner: int, kind: int, numbers: tuple[float, ...], score: float = math.nan, ignore: bool = False
    ) -> None:
        """One more box."""
        self.owner.append(owner)
        self.kind.append(kind)
        self.numbers.extend(numbers)
        self.score.append(score)
        self.ignore.append(ignore)

    @property
    def rows(self) -> Floats:
        """(n, 5)."""
        return np.frombuffer(self.numbers, dtype=np.float64).reshape(-1, 5) if len(self) else np.zeros((0, 5))

    def of_each(self, n: int, names: tuple[str, ...], *, scored: bool = False) -> Iterator[BoxSet]:
        """The boxes of owner 0, 1, ... n - 1, in the order they came. scored: with scores."""
        owners = np.array(self.owner, dtype=np.int64)
        order = np.argsort(owners, kind="stable")
        ends = np.searchsorted(owners[order], np.arange(n + 1))
        rows = self.rows[order]
        kinds = np.array(self.kind, dtype=np.int64)[order]
        scores = np.array(self.score, dtype=np.float64)[order]
        ignore = np.array(self.ignore, dtype=np.bool_)[order]
        turned = np.isfinite(rows[:, 4])
        every = box_set(
            rows[:, :4], rows[:, 4] if turned.any() else None, labels=[names[k] for k in kinds.tolist()]
        )
        for at, end in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True):
            if at == end:
                yield NO_BOXES
                continue
            part = slice(at, end)
            yield BoxSet(
                xyxy=every.xyxy[part],
                labels=every.labels[part],
                images=every.images[part],
                quads=every.quads[part] if every.quads is not None and turned[part].any() else None,
                scores=scores[part] if scored else None,
                ignore=ignore[part] if ignore[part].any() else None,
            )


@dataclass(slots=True)
class TrueImage:
    """One image of the table. size: width and height, px; None where it states none."""

    key: Any
    name: str
    size: tuple[int, int] | None


@dataclass(frozen=True)
class CocoTable:
    """A whole table. boxes: their owner is a place in `images`, their kind one in `names`."""

    images: tuple[TrueImage, ...]
    names: tuple[str, ...]
    kind_of: dict[Any, int]
    boxes: Columns

    @cached_property
    def by_id(self) -> dict[Any, int]:
        """Places of images by id."""
        return {image.key: n for n, image in enumerate(self.images)}

    @cached_property
    def by_name(self) -> dict[str, int]:
        """Places of images by the file's name without folders and ending; names that two images have are left out."""
        found: dict[str, int] = {}
        twice = set()
        for n, image in enumerate(self.images):
            name = image_name(image.name) or str(image.key)
            if found.setdefault(name, n) != n:
                twice.add(name)
        return {name: n for name, n in found.items() if name not in twice}

    def find(self, key: Any) -> int | None:
        """The place of an image by its id, the id as text, or its file's name."""
        place = self.by_id.get(key)
        if place is None and isinstance(key, str):
            place = self.by_name.get(image_name(key))
            if place is None and key.isdecimal() and len(key) < 19:
                place = self.by_id.get(int(key))
        elif place is None:
            place = self.by_id.get(str(key), self.by_name.get(str(key)))
        return place


def numbers_of(bbox: Any) -> tuple[float, ...] | None:
    """x0 y0 x1 y1 and turn in degrees of a `bbox`: left, top, width, height; or, with a fifth number, centre, sides and
    radians clockwise on screen (HIT-UAV's). None where it is no list of four or five numbers."""
    if not isinstance(bbox, list) or len(bbox) not in (4, 5):
        return None
    try:
        x, y, w, h = (float(v) for v in bbox[:4])
        turn = math.degrees(float(bbox[4])) if len(bbox) == 5 else math.nan
    except (TypeError, ValueError, OverflowError):
        return None
    if len(bbox) == 5:
        return x - w / 2, y - h / 2, x + w / 2, y + h / 2, turn
    return x, y, x + w, y + h, turn


def is_usable(numbers: tuple[float, ...]) -> bool:
    """Whether the four corners are finite and in order."""
    return all(map(math.isfinite, numbers[:4])) and numbers[0] < numbers[2] and numbers[1] < numbers[3]


def read_table(path: Path, problems: Problems, options: FileOptions) -> CocoTable:
    """A file of annotations. What cannot be used is left out and counted. Raises TrainingError for what is none."""
    raw, seen_image, seen_kind = Columns(), dict[Any, int](), dict[Any, int]()
    listed, categories, ids = list[TrueImage](), list[tuple[Any, str]](), set[Any]()
    try:
        for name, one in members(checked(path, options, "truth")):
            if not isinstance(one, dict):
                if name in ("images", "annotations", "annotation", "categories"):
                    problems.add("broken truth", path.name, f"in {name}: {shown(one, 60)}")
            elif name == "images":
                _image(one, listed, ids, problems, path.name)
            elif name == "categories" and is_id(one.get("id")):
                categories.append((one["id"], clean(str(one.get("name", one["id"])))))
            elif name in ("annotations", "annotation"):
                _annotation(one, raw, seen_image, seen_kind, problems, path.name)
                if len(raw) > options.max_rows:
                    raise TrainingError(f"{path} has more than {options.max_rows:,} boxes; split it.")
    except (BrokenJsonError, OSError) as err:
        raise TrainingError(f"{path} is no COCO table of truth: {err}.") from err
    if not listed or not categories:
        raise TrainingError(
            f"{path} is no COCO table of truth: it has no {'categories' if listed else 'images'}."
        )
    return _linked(raw, seen_image, seen_kind, listed, categories, problems, path.name)


def _image(
    one: dict[str, Any], listed: list[TrueImage], ids: set[Any], problems: Problems, where: str
) -> None:
    key, name = one.get("id"), one.get("file_name") or one.get("filename")
    if not is_id(key):
        problems.add("broken truth", where, f"an image without id: {shown(one, 80)}")
    elif key in ids:
        problems.add("duplicate id", where, f"image id {shown(key)} comes twice; the first counts")
    else:
        ids.add(key)
        size = stated_size(one.get("width"), one.get("height"))
        listed.append(TrueImage(key, clean(name) if isinstance(name, str) else "", size))


def _annotation(
    one: dict[str, Any],
    raw: Columns,
    images: dict[Any, int],
    kinds: dict[Any, int],
    problems: Problems,
    where: str,
) -> None:
    key, kind, numbers = one.get("image_id"), one.get("category_id"), numbers_of(one.get("bbox"))
    if not is_id(key) or not is_id(kind) or numbers is None or not all(map(math.isfinite, numbers[:4])):
        problems.add(
            "broken truth", where, f"annotation {shown(one.get('id'))}: no image_id, category_id or bbox"
        )
        return
    if not is_usable(numbers):
        problems.add(
            "empty box",
            where,
            f"annotation {shown(one.get('id'))} has no area; it stays, and nothing finds it",
        )
    ignore = bool(one.get("iscrowd") or one.get("ignore") or one.get("difficult"))
    raw.add(images.setdefault(key, len(images)), kinds.setdefault(kind, len(kinds)), numbers, ignore=ignore)


def _linked(
    raw: Columns,
    seen_image: dict[Any, int],
    seen_kind: dict[Any, int],
    listed: list[TrueImage],
    categories: list[tuple[Any, str]],
    problems: Problems,
    where: str,
) -> CocoTable:
    """The boxes with their images' and classes' places; those of unknown ones are left out and counted."""
    place = {image.key: n for n, image in enumerate(listed)}
    kind_of = {key: n for n, (key, _) in enumerate(categories)}
    image_at = np.array([place.get(key, -1) for key in seen_image] or [-1], dtype=np.int64)
    kind_at = np.array([kind_of.get(key, -1) for key in seen_kind] or [-1], dtype=np.int64)
    owner = image_at[np.array(raw.owner, dtype=np.int64)] if len(raw) else np.zeros(0, dtype=np.int64)
    kind = kind_at[np.array(raw.kind, dtype=np.int64)] if len(raw) else np.zeros(0, dtype=np.int64)
    for known, word, key in ((owner, "image", "no image"), (kind, "category", "unknown class")):
        for _ in range(int((known < 0).sum())):
            problems.add(key, where, f"an annotation is of an {word} that is not listed")
    keep = (owner >= 0) & (kind >= 0)
    boxes = Columns(
        array("q", owner[keep].tobytes()),
        array("q", kind[keep].tobytes()),
        array("d", np.ascontiguousarray(raw.rows[keep]).tobytes()),
        array("d", np.array(raw.score, dtype=np.float64)[keep].tobytes()),
        array("b", np.array(raw.ignore, dtype=np.int8)[keep].tobytes()),
    )
    return CocoTable(tuple(listed), tuple(name for _, name in categories), kind_of, boxes)

"""MUDS (SpaceNet 7): monthly mosaics of growing places with every building by a number that stays its own.

Knows its folders and GeoJSON in pixels. Parts of a mosaic that clouds hide are transparent; windows with such parts
are not used, because a building may stand there unseen.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from PIL import Image
from pydantic import Field
from shapely.geometry import shape

from groundproof.protocol import Task
from groundproof_training.errors import TrainingError
from groundproof_training.readers.base import (
    DatasetCard,
    Options,
    Problems,
    Reader,
    WrongFolderError,
    look_at,
)
from groundproof_training.readers.objects import LabelledImage, ObjectOptions, in_split, share_of
from groundproof_training.readers.patches import windows
from groundproof_training.readers.questions import asked_about
from groundproof_training.samples import Sample, SampleImage, Split, TrueBox

LABELS = ("labels_match_pix", "labels_match_pix_buildings")
IMAGES = ("images_masked", "images")
_MONTH = re.compile(r"global_monthly_(\d{4})_(\d{2})_mosaic_(.+?)(?:_Buildings)?$")

COUNTED = (
    "How many new buildings appeared between the first and the last image?",
    "Count the buildings that were newly built between the two dates.",
)
ANY = (
    "Has anything been built between the two images?",
    "Were new buildings constructed between the two dates?",
)


class MudsOptions(ObjectOptions):
    """tasks: change compares two months. patch_px: side of the windows; a mosaic has 1,024 px of 4 m. gap_months:
    between the two dates of a pair. single: whether buildings of the later date alone are asked about too."""

    tasks: tuple[Task, ...] = (Task.COUNT, Task.DETECT, Task.GROUND, Task.VQA, Task.CHANGE)
    patch_px: int | None = Field(256, gt=0)
    stride_px: int | None = Field(256, gt=0)
    gap_months: int = Field(12, gt=0)
    single: bool = True


@dataclass(frozen=True, slots=True)
class _Month:
    """One mosaic: its building outlines by Id, px, and where it can be seen, (height, width) bool."""

    name: str
    image: SampleImage
    outlines: dict[str, shapely.Geometry]
    seen: np.ndarray


def parse_buildings(text: str, problems: Problems, where: str) -> dict[str, shapely.Geometry]:
    """Outlines by Id, px. Raises ValueError for what is no GeoJSON."""
    try:
        features = json.loads(text)["features"]
        if not isinstance(features, list):
            raise TypeError("features is a list")
    except (KeyError, TypeError) as err:
        raise ValueError(f"it has no features ({err!r})") from err
    found: dict[str, shapely.Geometry] = {}
    for number, one in enumerate(features, start=1):
        at = f"{where}, feature {number}"
        try:
            about, outline = one["properties"], shape(one["geometry"])
            name = str(about["Id"] if "Id" in about else about["id"])
        except (
            KeyError,
            TypeError,
            ValueError,
            AttributeError,
            IndexError,
            shapely.errors.ShapelyError,
        ) as err:
            problems.add("broken label", at, f"{err!r}")
            continue
        if not np.isfinite(shapely.get_coordinates(outline)).all():
            problems.add("broken label", at, f"building {name} has no coordinates")
        elif outline.is_empty or outline.area == 0:
            problems.add("empty box", at, f"building {name} has no area")
        elif name in found:
            problems.add("duplicate id", at, f"Id {name} came before; the first is kept")
        else:
            found[name] = outline if outline.is_valid else shapely.make_valid(outline)
    return found


class MudsReader:
    """Pairs of months of each place, window by window."""

    card = DatasetCard(
        name="muds",
        title="MUDS (SpaceNet 7)",
        tasks=(Task.CHANGE, Task.COUNT, Task.DETECT, Task.GROUND, Task.VQA),
        licence="CC BY-SA 4.0 (second-hand)",
        source="spacenet.ai/sn7-challenge",
        layout=(
            "train/<place>/images_masked/global_monthly_2018_01_mosaic_<place>.tif",
            "train/<place>/labels_match_pix/global_monthly_2018_01_mosaic_<place>_Buildings.geojson",
        ),
        splits=("train", "val", "test"),
        verified="layout from loaders of others; no file of it was read here; the labelled part has no splits, ours "
        "are by hash of the place",
    )
    options = MudsOptions

    def read(self, root: Path, split: Split, options: Options, problems: Problems) -> Iterator[Sample]:
        """Place by place, by name."""
        given = MudsOptions.model_validate(options.model_dump())
        base = root / "train" if (root / "train").is_dir() else root
        places = [p for p in sorted(base.iterdir()) if p.is_dir()] if base.is_dir() else []
        places = [p for p in places if any((p / name).is_dir() for name in LABELS)]
        if not places:
            raise WrongFolderError(root, self.card, f"train/<place>/{LABELS[0]}")
        if given.patch_px is None:
            raise TrainingError("muds is read in windows; patch_px takes a number")
        for place in places:
            if in_split(place.name, split, given):
                yield from self._place(root, place, split, given, problems)

    def _place(
        self, root: Path, place: Path, split: Split, options: MudsOptions, problems: Problems
    ) -> Iterator[Sample]:
        folder = next(place / name for name in LABELS if (place / name).is_dir())
        paths = sorted(folder.glob("*_Buildings.geojson"))
        for k in range(0, len(paths) - options.gap_months, options.gap_months):
            dates = [
                self._month(root, place, path, options, problems)
                for path in (paths[k], paths[k + options.gap_months])
            ]
            if dates[0] is not None and dates[1] is not None:
                yield from self._pair(place.name, dates[0], dates[1], split, options, problems)

    def _month(
        self, root: Path, place: Path, path: Path, options: MudsOptions, problems: Problems
    ) -> _Month | None:
        where = path.relative_to(root).as_posix()
        stem = path.stem.removesuffix("_Buildings")
        picture = next(
            (place / f / f"{stem}.tif" for f in IMAGES if (place / f / f"{stem}.tif").is_file()),
            place / IMAGES[0] / f"{stem}.tif",
        )
        image = look_at(root, picture.relative_to(root).as_posix(), options, problems)
        if image is None:
            return None
        try:
            outlines = parse_buildings(path.read_text(encoding="utf-8-sig"), problems, where)
        except (OSError, ValueError) as err:
            problems.add("broken label", where, str(err))
            return None
        with Image.open(picture) as file:
            opaque = np.asarray(file)[..., 3] > 0 if file.mode == "RGBA" else np.ones(file.size[::-1], bool)
        month = _MONTH.match(stem)
        date = f"{month[1]}-{month[2]}" if month else None
        return _Month(stem, image.model_copy(update={"date": date}), outlines, opaque)

    def _pair(
        self,
        place: str,
        before: _Month,
        after: _Month,
        split: Split,
        options: MudsOptions,
        problems: Problems,
    ) -> Iterator[Sample]:
        size = before.image.shown_size
        if size != after.image.shown_size:
            problems.add(
                "size differs", after.name, f"{after.image.shown_size}, the earlier month has {size}"
            )
            return
        boxes = {uid: _box(outline) for uid, outline in after.outlines.items()}
        side = options.patch_px or size[0]
        for window in windows(*size, side, options.stride_px or side):
            x0, y0, x1, y1 = window
            if not (before.seen[y0:y1, x0:x1].all() and after.seen[y0:y1, x0:x1].all()):
                problems.add(
                    "hidden by clouds", f"{after.name}, {window}", "a part of the window is not to be seen"
                )
                continue
            kept = {
                uid: part for uid, box in boxes.items() if (part := _inside(box, window, options.min_inside))
            }
            key = f"{place}-{after.name}__1__{x0}___{y0}"
            images = tuple(m.image.model_copy(update={"window": window}) for m in (before, after))
            if options.single:
                one = LabelledImage(key, images[1], tuple(kept.values()), ("building",))
                yield from asked_about(one, self.card, split, options, problems)
            if Task.CHANGE in options.tasks:
                new = {uid: b for uid, b in kept.items() if uid not in before.outlines}
                yield from self._change(key, images, new, split, options, problems)

    def _change(
        self,
        key: str,
        images: tuple[SampleImage, ...],
        new: dict[str, TrueBox],
        split: Split,
        options: MudsOptions,
        problems: Problems,
    ) -> Iterator[Sample]:
        counted = sum(not box.ignore for box in new.values())
        if counted > options.max_objects:
            problems.add(
                "too many objects", key, f"{counted} new buildings, max_objects is {options.max_objects}"
            )
            return
        # A part of a new building is neither nothing nor one.
        if not counted and (new or share_of(key, options.seed) >= options.absent_share):
            return
        boxes = tuple(box.model_copy(update={"image": 1}) for box in new.values())
        drawn = share_of(key, "wording") if options.wording == "varied" else 0.0
        for name, texts, answer in (
            ("count", COUNTED, str(counted)),
            ("any", ANY, "yes" if counted else "no"),
        ):
            yield Sample(
                sample_id=f"muds-{split}-{key}-new-{name}",
                source=self.card.name,
                split=split,
                licence=self.card.licence,
                task=Task.CHANGE,
                images=images,
                question=texts[int(drawn * len(texts))],
                answer=answer,
                asked=("building",),
                boxes=boxes,
                meta={"type": name},
            )


def _box(outline: shapely.Geometry) -> TrueBox:
    x0, y0, x1, y1 = outline.bounds
    return TrueBox(label="building", x0=x0, y0=y0, x1=x1, y1=y1)


def _inside(box: TrueBox, window: tuple[int, int, int, int], min_inside: float) -> TrueBox | None:
    x0, y0 = max(box.x0, window[0]), max(box.y0, window[1])
    x1, y1 = min(box.x1, window[2]), min(box.y1, window[3])
    if x0 >= x1 or y0 >= y1:
        return None
    share = (x1 - x0) * (y1 - y0) / ((box.x1 - box.x0) * (box.y1 - box.y0))
    cut: dict[str, Any] = {
        "x0": x0,
        "y0": y0,
        "x1": x1,
        "y1": y1,
        "truncated": True,
        "ignore": share < min_inside,
    }
    return box if share > 1 - 1e-9 else box.model_copy(update=cut)


READERS: tuple[Reader, ...] = (MudsReader(),)

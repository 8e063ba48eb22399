"""fMoW (RGB): what a place is used for, seen at several dates.

Knows its folders and the JSON beside each image: a box around the place in question, its class and the time. Shows that
box with its surroundings, as the authors' baseline does, because an image may hold several places of different classes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, floor, isfinite
from pathlib import Path
from typing import Any

from pydantic import Field

from groundproof.protocol import Task
from groundproof_training.readers.base import DatasetCard, Options, Problems, Reader, need, stated_size
from groundproof_training.readers.sources import Images, check_split, make, options_of
from groundproof_training.samples import Sample, SampleImage, Split, class_name

_NAMES = """
airport airport_hangar airport_terminal amusement_park aquaculture archaeological_site barn border_checkpoint
burial_site car_dealership construction_site crop_field dam debris_or_rubble educational_institution
electric_substation factory_or_powerplant fire_station flooded_road fountain gas_station golf_course
ground_transportation_station helipad hospital impoverished_settlement interchange lake_or_pond lighthouse
military_facility multi-unit_residential nuclear_powerplant office_building oil_or_gas_facility park
parking_lot_or_garage place_of_worship police_station port prison race_track railway_bridge
recreational_facility road_bridge runway shipyard shopping_mall single-unit_residential smokestack solar_farm
space_facility stadium storage_tank surface_mine swimming_pool toll_booth tower tunnel_opening waste_disposal
water_treatment_facility wind_farm zoo
"""
CLASSES = tuple(class_name(name) for name in _NAMES.split())
QUESTION = "Classify the given {images} in one of the following classes. Classes: {classes}."
"""EarthDial's wording."""

CARD = DatasetCard(
    name="fmow",
    title="Functional Map of the World (fMoW-rgb)",
    tasks=(Task.CLASSIFY,),
    licence="Functional Map of the World Challenge Public License",
    source="GitHub fMoW/dataset (AWS)",
    layout=(
        "train/<class>/<class>_12/<class>_12_3_rgb.jpg and .json",
        "val/ likewise",
    ),
    splits=("train", "val"),
    verified="Classes, licence and box format from the authors' README, the JSON's keys (bounding_boxes with ID, "
    "category and box; timestamp, img_width, img_height) from their baseline's code; no file seen by us. The test "
    "set, whose classes come in an archive of their own, is not read.",
)


class FmowOptions(Options):
    """dates: most of one place that are shown, evenly from first to last; EarthDial shows 4. least: places with fewer
    are left out. context: shown around the box on each side, in sides of the box; None: the whole image. question:
    with {images} and {classes}."""

    dates: int = Field(4, ge=1)
    least: int = Field(1, ge=1)
    context: float | None = Field(0.5, ge=0)
    question: str = QUESTION


@dataclass(frozen=True, slots=True)
class _View:
    """One date of one place. box: left, top, width, height, px."""

    time: str
    path: str
    category: str
    box: tuple[float, float, float, float]
    size: tuple[int, int] | None


class Fmow:
    """See the module."""

    card = CARD
    options = FmowOptions

    def read(self, root: Path, split: Split, options: Options, problems: Problems) -> Iterator[Sample]:
        """Class by class, place by place, by name."""
        own = options_of(FmowOptions, options)
        check_split(CARD, split)
        need(root, CARD, (split,))
        return self._samples(root, split, own, problems)

    def _samples(
        self, root: Path, split: Split, options: FmowOptions, problems: Problems
    ) -> Iterator[Sample]:
        images = Images(root, options, problems)
        for folder in sorted(p for p in (root / split).glob("*/*") if p.is_dir()):
            for identity, views in sorted(_places(root, folder, problems).items()):
                where = f"{folder.relative_to(root).as_posix()}, box {identity}"
                names = {view.category for view in views}
                label = class_name(views[0].category)
                if len(names) > 1 or label not in CLASSES:
                    problems.add("unknown class", where, ", ".join(sorted(names)))
                    continue
                if len(views) < options.least:
                    problems.add("too few dates", where, f"{len(views)} of {options.least}")
                    continue
                shown = [
                    s
                    for view in spread(views, options.dates)
                    if (s := _shown(view, options, images, problems, where))
                ]
                if len(shown) < min(options.least, len(views)):
                    continue
                question = options.question.replace("{classes}", ", ".join(CLASSES))
                sample = make(
                    problems, where, sample_id=f"fmow/{folder.relative_to(root).as_posix()}/{identity}",
                    source=CARD.name, split=split, licence=CARD.licence, task=Task.CLASSIFY, images=tuple(shown),
                    question=question.replace("{images}", "images" if len(shown) > 1 else "image"), answer=label,
                    answers=(label,), choices=CLASSES, complete=False, meta={"dates": str(len(views))},
                )  # fmt: skip
                if sample is not None:
                    yield sample


def _places(root: Path, folder: Path, problems: Problems) -> dict[str, list[_View]]:
    """Views of each box, by its ID, in the order of time. The pan-sharpened `_rgb` pictures alone are read."""
    found: dict[str, list[_View]] = {}
    for file in sorted(folder.glob("*_rgb.json")):
        where = file.relative_to(root).as_posix()
        try:
            content = json.loads(file.read_text(encoding="utf-8-sig"))
            boxes = content["bounding_boxes"]
            for one in boxes if isinstance(boxes, list) else [boxes]:
                view = _View(
                    str(content.get("timestamp") or ""),
                    file.with_suffix(".jpg").relative_to(root).as_posix(),
                    str(one["category"]),
                    _four(one["box"]),
                    stated_size(content.get("img_width"), content.get("img_height")),
                )
                found.setdefault(str(one.get("ID", 0)), []).append(view)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError) as err:
            problems.add("broken label", where, f"{type(err).__name__}: {err}")
    return {identity: sorted(views, key=lambda v: (v.time, v.path)) for identity, views in found.items()}


def _four(numbers: Any) -> tuple[float, float, float, float]:
    x, y, width, height = (float(n) for n in numbers)
    if not all(map(isfinite, (x, y, width, height))):
        raise ValueError(f"no box: {numbers}")
    return x, y, width, height


def spread(views: list[_View], most: int) -> list[_View]:
    """At most so many of them, evenly, the first and the last among them."""
    if len(views) <= most:
        return views
    if most == 1:
        return views[-1:]
    return [views[round(n * (len(views) - 1) / (most - 1))] for n in range(most)]


def _shown(
    view: _View, options: FmowOptions, images: Images, problems: Problems, where: str
) -> SampleImage | None:
    image = images.get(view.path, where, view.size)
    if image is None:
        return None
    changes: dict[str, Any] = {"date": view.time[:10] or None}
    if options.context is not None:
        x, y, width, height = view.box
        more_x, more_y = options.context * width, options.context * height
        window = (
            max(0, floor(x - more_x)),
            max(0, floor(y - more_y)),
            min(image.width, ceil(x + width + more_x)),
            min(image.height, ceil(y + height + more_y)),
        )
        if window[0] >= window[2] or window[1] >= window[3]:
            problems.add(
                "box outside", where, f"{view.box} of {image.width} x {image.height} px in {view.path}"
            )
            return None
        changes["window"] = window
    return image.model_copy(update=changes)


READERS: tuple[Reader, ...] = (Fmow(),)

"""COCO's detection JSON, and the datasets that nearly keep to it: NWPU VHR-10's later labels, HIT-UAV.

Knows images, annotations and categories. Refuses to know masks: segmentations are not looked at.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from groundproof_training.errors import TrainingError
from groundproof_training.readers.base import (
    DatasetCard,
    Problems,
    Reader,
    WrongFolderError,
    is_id,
    look_at,
    stated_size,
)
from groundproof_training.readers.objects import Found, LabelledImage, ObjectOptions, cleaned, in_split
from groundproof_training.readers.oriented import TurnedBox
from groundproof_training.readers.questions import ObjectReader
from groundproof_training.readers.voc import BOX_TASKS
from groundproof_training.samples import SampleImage, Split, TrueBox, class_name

LABEL_FILES = (
    "annotations/instances_{split}2017.json",
    "annotations/instances_{split}.json",
    "annotations/{split}.json",
    "{split}/_annotations.coco.json",
    "{split}.json",
)
"""Where a split of its own may lie; "valid" is tried for "val"."""

SINGLE_FILES = ("annotations.json", "_annotations.coco.json", "instances.json", "annotations/instances.json")
"""Labels of a whole dataset; the splits are drawn by hash."""


@dataclass(frozen=True, slots=True)
class CocoImage:
    """One image's entry and its annotations, as the file gives them."""

    file_name: str
    size: tuple[int, int] | None
    annotations: list[dict[str, Any]] = field(default_factory=list)


class CocoOptions(ObjectOptions):
    """labels: the JSON file below the folder. images: the folder of the pictures. Both are searched for where "" is."""

    labels: str = ""
    images: str = ""


def parse_coco(document: Any, problems: Problems, where: str) -> tuple[dict[Any, CocoImage], dict[Any, str]]:
    """Images by id, in the file's order, with their annotations; category names by id.

    Ids are taken as given, from 0 or 1 or as texts. Annotations lie under `annotations`, or `annotation` as in
    HIT-UAV. Raises TrainingError for what is no such table.
    """
    try:
        listed, categories = document["images"], document["categories"]
        annotations = document["annotations"] if "annotations" in document else document["annotation"]
        names = {one["id"]: str(one["name"]) for one in categories}
        if not isinstance(listed, list) or not isinstance(annotations, list):
            raise TypeError("images and annotations are lists")
    except (KeyError, TypeError) as err:
        raise TrainingError(
            f"{where} is no COCO table with images, annotations and categories ({err!r})"
        ) from err
    images: dict[Any, CocoImage] = {}
    for one in listed:
        name = _name_of(one)
        if not name or not is_id(one.get("id")):
            problems.add("broken label", where, f"an image without id or file_name: {str(one)[:80]}")
        elif one["id"] in images:
            problems.add(
                "duplicate id", where, f"image id {one['id']} is {images[one['id']].file_name} and {name}"
            )
        else:
            images[one["id"]] = CocoImage(name, stated_size(one.get("width"), one.get("height")))
    seen = set[Any]()
    for one in annotations:
        ids = [one.get(key) for key in ("image_id", "category_id", "id")] if isinstance(one, dict) else []
        if not ids or not all(i is None or is_id(i) for i in ids):
            problems.add("broken label", where, f"an annotation whose ids are none: {str(one)[:80]}")
        elif one.get("image_id") not in images:
            problems.add(
                "no image", where, f"annotation {one.get('id')} is of image {one.get('image_id')}, not listed"
            )
        elif one.get("id") is not None and one["id"] in seen:
            problems.add("duplicate id", where, f"annotation id {one['id']} came before; the first is kept")
        else:
            seen.add(one.get("id"))
            images[one["image_id"]].annotations.append(one)
    return images, names


def _name_of(image: Any) -> str:
    """The file's name; "" where there is none."""
    name = image.get("file_name") or image.get("filename") if isinstance(image, dict) else None
    return name if isinstance(name, str) and Path(name).name and "\0" not in name else ""


def found_in(
    one: CocoImage, names: dict[Any, str], problems: Problems, where: str, *, radians: bool = True
) -> list[Found]:
    """The objects of one image: bbox is left, top, width, height; with a fifth number it is centre, sides and angle
    clockwise on screen. radians: the unit of that."""
    made = []
    for number, label in enumerate(one.annotations, start=1):
        name, at = names.get(label.get("category_id")), f"{where}, object {number}"
        if name is None:
            problems.add("unknown class", at, f"there is no category {label.get('category_id')}")
            continue
        try:
            numbers = [float(v) for v in label["bbox"]]
            ignore = bool(label.get("iscrowd") or label.get("ignore") or label.get("difficult"))
            if len(numbers) == 5:
                angle = math.degrees(numbers[4]) if radians else numbers[4]
                made.append(Found.of_quad(name, TurnedBox(*numbers[:4], angle).quad, ignore=ignore))
            else:
                x, y, w, h = numbers
                made.append(Found(name, (x, y, x + w, y + h), ignore=ignore))
        except (KeyError, TypeError, ValueError) as err:
            problems.add("broken label", at, f"its bbox is unusable: {err}")
    return made


def load_json(path: Path) -> Any:
    """A JSON file. Raises TrainingError, naming it, where it is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as err:
        raise TrainingError(f"{path} cannot be read as JSON: {err}") from err


def key_of(file_name: str) -> str:
    """A file's name as part of a sample's id."""
    return Path(file_name).with_suffix("").as_posix().replace("/", "-")


def size_fits(image: SampleImage, size: tuple[int, int] | None, problems: Problems, where: str) -> bool:
    """Whether a picture has the size its labels were made for; counted where not."""
    if size is None or size == (image.width, image.height):
        return True
    problems.add(
        "size differs",
        where,
        f"it was labelled at {size[0]} x {size[1]} px, the picture has {image.width} x {image.height}",
    )
    return False


class CocoReader(ObjectReader):
    """Any COCO-like folder. Its classes are the categories that annotations have, and every object of them is taken to
    be labelled."""

    card = DatasetCard(
        name="coco",
        title="a COCO detection dataset",
        tasks=BOX_TASKS,
        licence="as its owner says",
        source="your own folder",
        layout=(
            "annotations/instances_<split>.json, <split>/_annotations.coco.json or <split>.json;",
            "or one annotations.json, whose splits are drawn by hash",
            "pictures in <split>2017/, images/<split>/, <split>/, images/ or beside the labels",
        ),
        splits=("train", "val", "test"),
        verified="COCO's format: bbox is left, top, width, height; a crowd is to be ignored",
    )
    options = CocoOptions
    ignored: frozenset[str] = frozenset()
    """Category names that are areas where anything may lie."""

    def images(
        self, root: Path, split: Split, options: ObjectOptions, problems: Problems
    ) -> Iterator[LabelledImage]:
        """In the file's order of images."""
        assert isinstance(options, CocoOptions)  # noqa: S101  (of this class)
        file, is_split = self.label_file(root, split, options)
        where = file.relative_to(root).as_posix()
        images, names = parse_coco(load_json(file), problems, where)
        # A category that no annotation has is a heading, as exports put one in front, or a class nobody labelled.
        used = {label.get("category_id") for one in images.values() for label in one.annotations}
        classes = tuple(
            sorted(
                {class_name(name) for key, name in names.items() if key in used and name not in self.ignored}
            )
        )
        folders = self.picture_folders(root, split, options, file)
        for one in images.values():
            if not is_split and not in_split(self.place(one.file_name), split, options):
                continue
            at = f"{where}, {one.file_name}"
            path = next(
                (f"{f}{one.file_name}" for f in folders if (root / f / one.file_name).is_file()), None
            )
            image = look_at(root, path or f"{folders[0]}{one.file_name}", options, problems, one.size)
            if image is None or not size_fits(image, one.size, problems, at):
                continue
            found = found_in(one, names, problems, at)
            objects = cleaned(found, image, (), options, problems, at)
            areas = tuple(
                TrueBox(**{**b.model_dump(), "ignore": True})
                for b in objects
                if b.label in {class_name(n) for n in self.ignored}
            )
            kept = tuple(b for b in objects if b.label in classes)
            yield LabelledImage(key_of(one.file_name), image, kept, classes, areas)

    def place(self, file_name: str) -> str:
        """What decides the split where there is none: pictures of one place go to one side."""
        return file_name

    def label_file(self, root: Path, split: Split, options: CocoOptions) -> tuple[Path, bool]:
        """The labels, and whether they are of this split alone."""
        if options.labels:
            file = root / options.labels
            if not file.is_file():
                raise WrongFolderError(root, self.card, options.labels)
            return file, split in options.labels
        for name in (split, *(("valid",) if split == "val" else ())):
            for pattern in LABEL_FILES:
                if (root / pattern.format(split=name)).is_file():
                    return root / pattern.format(split=name), True
        if any((root / p.format(split="train")).is_file() for p in LABEL_FILES):
            raise WrongFolderError(root, self.card, f"a file of labels for {split}")
        for name in SINGLE_FILES:
            if (root / name).is_file():
                return root / name, False
        raise WrongFolderError(root, self.card, f"annotations/instances_{split}.json")

    def picture_folders(self, root: Path, split: Split, options: CocoOptions, file: Path) -> list[str]:
        """Folders that may hold the pictures, each with its slash."""
        beside = file.parent.relative_to(root).as_posix()
        names = [options.images] if options.images else []
        names += [f"{split}2017", f"images/{split}", split, "images", beside if beside != "." else "", ""]
        if split == "val":
            names.append("valid")
        return [f"{name.rstrip('/')}/" if name else "" for name in names if (root / name).is_dir()]


class HitUavReader(CocoReader):
    """HIT-UAV, upright (`normal_json`) or turned boxes (`rotate_json`), and the 60 frames in one folder."""

    ignored = frozenset({"DontCare"})
    card = DatasetCard(
        name="hit-uav",
        title="HIT-UAV",
        tasks=BOX_TASKS,
        licence="CC BY 4.0",
        source="github.com/suojiashun/HIT-UAV-Infrared-Thermal-Dataset",
        layout=(
            "annotations/{train,val,test}.json and the frames in {train,val,test}/ (normal_json or rotate_json)",
            "or annotations.json and images/*.jpg",
        ),
        splits=("train", "val", "test"),
        counts={
            "train images": 2_029, "val images": 290, "test images": 579,
            "train boxes": 17_628, "val boxes": 2_460, "test boxes": 4_811,
        },
        verified="measured on its files: key `annotation`; bbox is left, top, width, height (its README says centre); "
        "turned ones are true centres with radians, clockwise on screen",
    )  # fmt: skip

    def images(
        self, root: Path, split: Split, options: ObjectOptions, problems: Problems
    ) -> Iterator[LabelledImage]:
        """As COCO, with what the frame's name says: day or night, altitude, camera angle, as facts."""
        for one in super().images(root, split, options, problems):
            parts = one.key.split("-")[-1].split("_")
            if len(parts) == 5 and all(p.isdigit() for p in parts):
                meta = {
                    "light": "day" if parts[0] == "0" else "night",
                    "altitude_m": parts[1],
                    "camera_angle_deg": parts[2],
                }
                yield LabelledImage(one.key, one.image, one.objects, one.classes, one.areas, meta)
            else:
                yield one

    def place(self, file_name: str) -> str:
        """Light and altitude tell the flights apart; frames of one flight overlap."""
        return "_".join(Path(file_name).stem.split("_")[:2])


READERS: tuple[Reader, ...] = (CocoReader(), HitUavReader())

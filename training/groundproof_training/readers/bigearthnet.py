"""BigEarthNet (Sentinel-2): several land cover classes for one patch of 1.2 km.

Knows its patch folders, its 43 classes and the 19 they were grouped into. A patch is twelve band files and no picture:
a picture is made of bands 4, 3 and 2, reflectance 0 to `white` as 0 to 255, one stretch for all patches, so that dark
water stays dark. That is our choice; pictures rendered elsewhere are taken from `rgb_dir` instead.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import rasterio
from PIL import Image
from pydantic import Field
from rasterio.errors import RasterioError

from groundproof.protocol import Task
from groundproof_training.errors import TrainingError
from groundproof_training.readers.base import DatasetCard, Options, Problems, Reader, WrongFolderError
from groundproof_training.readers.clc import GROUP_OF, LABELS_19, LABELS_43
from groundproof_training.readers.sources import Images, check_split, make, options_of, share
from groundproof_training.samples import Sample, Split, class_name

QUESTION = (
    "From the following scene categories, which ones are depicted in the provided remote sensing image? {classes}. "
    "Answer with a list of classes."
)
"""EarthDial's wording."""
_BANDS = ("B04", "B03", "B02")
_PATCHES = ("BigEarthNet-v1.0", "BigEarthNet-S2-v1.0", "")

CARD = DatasetCard(
    name="bigearthnet",
    title="BigEarthNet (Sentinel-2, v1.0)",
    tasks=(Task.CLASSIFY,),
    licence="not given by our sources; see bigearth.net",
    source="bigearth.net",
    layout=(
        "BigEarthNet-v1.0/<patch>/<patch>_B02.tif, _B03.tif, _B04.tif",
        "BigEarthNet-v1.0/<patch>/<patch>_labels_metadata.json",
        "train.csv, val.csv, test.csv (also below splits/): patch names; or the option `train_share`",
    ),
    splits=("train", "val", "test"),
    counts={"patches": 590_326},
    verified="Tree, keys and class names as TorchGeo reads them; the grouping into 19 as its authors published it. The "
    "picture made of the bands is ours.",
)


class BigEarthNetOptions(Options):
    """classes: 19 or 43. rgb_dir: folder below the root with <patch>.png, .jpg or .tif, used instead of bands. made:
    folder below the root to which pictures are written. white: reflectance x 10,000 that becomes 255. train_share,
    val_share: draw the split by patch name (ours) instead of the CSV lists. question: with {classes}."""

    classes: Literal[19, 43] = 19
    rgb_dir: str | None = None
    made: str = "groundproof-rgb"
    white: int = Field(2750, gt=0)
    train_share: float | None = Field(None, ge=0, le=1)
    val_share: float = Field(0.0, ge=0, le=1)
    question: str = QUESTION


class BigEarthNet:
    """See the module."""

    card = CARD
    options = BigEarthNetOptions

    def read(self, root: Path, split: Split, options: Options, problems: Problems) -> Iterator[Sample]:
        """Patch by patch, by name."""
        own = options_of(BigEarthNetOptions, options)
        check_split(CARD, split)
        folder = next((f for f in _PATCHES if any((root / f).glob("*/*_labels_metadata.json"))), None)
        if folder is None:
            raise WrongFolderError(root, CARD, "BigEarthNet-v1.0/<patch>/<patch>_labels_metadata.json")
        listed = None if own.train_share is not None else _listed(root, split)
        patches = (p for p in sorted((root / folder).iterdir()) if p.is_dir())
        return self._samples(root, split, own, problems, patches, listed)

    def _samples(
        self,
        root: Path,
        split: Split,
        options: BigEarthNetOptions,
        problems: Problems,
        patches: Iterator[Path],
        listed: set[str] | None,
    ) -> Iterator[Sample]:
        images = Images(root, options, problems)
        names = LABELS_19 if options.classes == 19 else LABELS_43
        choices = tuple(class_name(name) for name in names)
        question = options.question.replace("{classes}", ", ".join(choices))
        missing = set(listed or ())
        for patch in patches:
            missing.discard(patch.name)
            if (patch.name not in listed) if listed is not None else (_drawn(options, patch.name) != split):
                continue
            content = _content(patch, problems)
            if content is None:
                continue
            answers = _classes(content["labels"], options.classes, patch.name, problems)
            if not answers:
                problems.add("no class", patch.name, f"none of its labels is one of the {options.classes}")
                continue
            path = _picture(root, patch, options, problems)
            image = images.get(path, patch.name, (120, 120)) if path is not None else None
            if image is None:
                continue
            date = str(content.get("acquisition_date") or "")[:10] or None
            sample = make(
                problems, patch.name, sample_id=f"bigearthnet/{patch.name}", source=CARD.name, split=split,
                licence=CARD.licence, task=Task.CLASSIFY, images=(image.model_copy(update={"date": date}),),
                question=question, answer=", ".join(answers), answers=answers, choices=choices, complete=False,
                meta={"classes": str(options.classes)},
            )  # fmt: skip
            if sample is not None:
                yield sample
        for name in sorted(missing):
            problems.add("no label", name, f"the list {split}.csv names it, its folder is not there")


def _listed(root: Path, split: Split) -> set[str]:
    file = next((f for f in (root / f"{split}.csv", root / "splits" / f"{split}.csv") if f.is_file()), None)
    if file is None:
        raise WrongFolderError(root, CARD, f"{split}.csv (or the option `train_share`)")
    with file.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
        return {row[0].strip() for row in csv.reader(lines) if row and row[0].strip()}


def _drawn(options: BigEarthNetOptions, name: str) -> Split:
    drawn, first = share(options.seed, name), options.train_share or 0.0
    if drawn < first:
        return "train"
    return "val" if drawn < first + options.val_share else "test"


def _content(patch: Path, problems: Problems) -> dict[str, Any] | None:
    file = patch / f"{patch.name}_labels_metadata.json"
    try:
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as err:
        problems.add("broken label", patch.name, str(err))
        return None
    if not isinstance(content, dict) or not isinstance(content.get("labels"), list):
        problems.add("broken label", patch.name, 'no list "labels"')
        return None
    return content


def _classes(labels: list[Any], classes: int, where: str, problems: Problems) -> tuple[str, ...]:
    """In plain words, in the order of the closed list. The 43 classes that have no group are no problem with 19."""
    known = [label for label in labels if label in LABELS_43]
    for label in labels:
        if label not in LABELS_43:
            problems.add("unknown class", where, str(label))
    if classes == 43:
        return tuple(class_name(label) for label in LABELS_43 if label in known)
    groups = {GROUP_OF[label] for label in known if label in GROUP_OF}
    return tuple(class_name(group) for group in LABELS_19 if group in groups)


def _picture(root: Path, patch: Path, options: BigEarthNetOptions, problems: Problems) -> str | None:
    """The path of the patch's picture below root; made of its bands where it is not there yet."""
    if options.rgb_dir is not None:
        suffixes = (".png", ".jpg", ".tif")
        there = next(
            (s for s in suffixes if (root / options.rgb_dir / f"{patch.name}{s}").is_file()), suffixes[0]
        )
        return f"{options.rgb_dir}/{patch.name}{there}"
    path = f"{options.made}/white-{options.white}/{patch.name}.png"
    if (root / path).is_file() or not options.need_images:
        return path
    bands = []
    for band in _BANDS:
        try:
            with rasterio.open(patch / f"{patch.name}_{band}.tif") as source:
                bands.append(source.read(1))
        except RasterioError as err:
            problems.add("broken image", f"{patch.name}, {band}", str(err))
            return None
    if len({band.shape for band in bands}) != 1:
        problems.add("broken image", patch.name, f"bands of different size: {[band.shape for band in bands]}")
        return None
    scaled = np.stack(bands, axis=-1).astype(np.float32) * (255 / options.white)
    try:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        part = (root / path).with_suffix(".part")
        Image.fromarray(np.clip(np.round(scaled), 0, 255).astype(np.uint8)).save(part, format="PNG")
        part.replace(root / path)
    except OSError as err:
        raise TrainingError(
            f"pictures made of bands have to be written to {root / options.made}, and that failed: {err}. Name another "
            "folder with the option `made`, or render them elsewhere and name it with `rgb_dir`."
        ) from err
    return path


READERS: tuple[Reader, ...] = (BigEarthNet(),)

"""NWPU VHR-10 with its own text labels, or with the COCO labels of later years. The two disagree: never both.

Knows both label files. Refuses to guess which one is wanted where both lie there: the option says it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from groundproof_training.readers.base import DatasetCard, Problems, Reader, WrongFolderError, look_at
from groundproof_training.readers.coco import found_in, load_json, parse_coco, size_fits
from groundproof_training.readers.objects import Found, LabelledImage, ObjectOptions, cleaned, in_split
from groundproof_training.readers.questions import ObjectReader
from groundproof_training.readers.voc import BOX_TASKS, picture_of
from groundproof_training.samples import Split

CLASSES = (
    "airplane", "ship", "storage tank", "baseball diamond", "tennis court", "basketball court", "ground track field",
    "harbor", "bridge", "vehicle",
)  # fmt: skip
"""In the order of the text labels' numbers, from 1."""

_LINE = re.compile(r"\(\s*(\d+)\s*,\s*(\d+)\s*\)\s*,\s*\(\s*(\d+)\s*,\s*(\d+)\s*\)\s*,\s*(\d+)")
POSITIVE, NEGATIVE, TRUTH = "positive image set", "negative image set", "ground truth"
COCO_FILES = ("annotations.json", "instances.json", "annotations/annotations.json")


class Vhr10Options(ObjectOptions):
    """labels: the paper's text files, or the COCO file that others made for the same images."""

    labels: Literal["txt", "coco"] = "txt"


def parse_vhr10(text: str, problems: Problems, where: str) -> list[Found]:
    """Lines `(x1,y1),(x2,y2),class`; blanks may stand anywhere between."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            problems.add("broken label", f"{where}, line {number}", f"{line.strip()[:60]!r} is no box")
            continue
        x0, y0, x1, y1, kind = map(int, match.groups())
        if not 1 <= kind <= len(CLASSES):
            problems.add("unknown class", f"{where}, line {number}", f"there is no class {kind}")
            continue
        found.append(Found(CLASSES[kind - 1], (x0, y0, x1, y1)))
    return found


class Vhr10Reader(ObjectReader):
    """See the module. The 150 images of the negative set hold none of the ten classes."""

    card = DatasetCard(
        name="nwpu-vhr10",
        title="NWPU VHR-10",
        tasks=BOX_TASKS,
        licence="academic use; the COCO labels MIT",
        source="gcheng-nwpu.github.io; COCO labels github.com/chaozhong2010/VHR-10_dataset_coco",
        layout=(
            f"{POSITIVE}/001.jpg (650), {NEGATIVE}/001.jpg (150)",
            f"{TRUTH}/001.txt for labels = txt, annotations.json for labels = coco",
        ),
        splits=("train", "val", "test"),
        counts={"positive images": 650, "negative images": 150, "coco boxes": 3_921, "coco vehicles": 604},
        verified="COCO labels: ids from 0, counts read in the file; text lines from pages and loaders of others; "
        "the source has no splits, ours are by hash",
    )
    options = Vhr10Options

    def images(
        self, root: Path, split: Split, options: ObjectOptions, problems: Problems
    ) -> Iterator[LabelledImage]:
        """The positive set by name or in the COCO file's order, then the negative set."""
        assert isinstance(options, Vhr10Options)  # noqa: S101  (of this class)
        base = next((p for p in (root, root / "NWPU VHR-10 dataset") if (p / POSITIVE).is_dir()), None)
        if base is None:
            raise WrongFolderError(root, self.card, f"{POSITIVE}/")
        prefix = base.relative_to(root).as_posix()
        positive, negative = (f"{prefix}/{n}".removeprefix("./") for n in (POSITIVE, NEGATIVE))
        if options.labels == "coco":
            yield from self._coco(root, base, positive, split, options, problems)
        else:
            yield from self._txt(root, base, positive, split, options, problems)
        for path in sorted((base / NEGATIVE).glob("*.jpg")) if (base / NEGATIVE).is_dir() else ():
            if in_split(f"negative {path.stem}", split, options):
                image = look_at(root, f"{negative}/{path.name}", options, problems)
                if image is not None:
                    yield LabelledImage(f"negative-{path.stem}", image, (), CLASSES)

    def _txt(
        self, root: Path, base: Path, folder: str, split: Split, options: ObjectOptions, problems: Problems
    ) -> Iterator[LabelledImage]:
        if not (base / TRUTH).is_dir():
            raise WrongFolderError(root, self.card, f"{TRUTH}/")
        for path in sorted((base / TRUTH).glob("*.txt")):
            if not in_split(path.stem, split, options):
                continue
            where = path.relative_to(root).as_posix()
            image = look_at(root, picture_of(root, (folder,), path.stem), options, problems)
            if image is not None:
                found = parse_vhr10(path.read_text(encoding="utf-8-sig", errors="replace"), problems, where)
                yield LabelledImage(
                    path.stem, image, cleaned(found, image, CLASSES, options, problems, where), CLASSES
                )

    def _coco(
        self, root: Path, base: Path, folder: str, split: Split, options: ObjectOptions, problems: Problems
    ) -> Iterator[LabelledImage]:
        file = next((base / n for n in COCO_FILES if (base / n).is_file()), None)
        if file is None:
            raise WrongFolderError(root, self.card, COCO_FILES[0])
        where = file.relative_to(root).as_posix()
        images, names = parse_coco(load_json(file), problems, where)
        for one in images.values():
            if not in_split(Path(one.file_name).stem, split, options):
                continue
            at = f"{where}, {one.file_name}"
            image = look_at(root, f"{folder}/{one.file_name}", options, problems, one.size)
            if image is not None and size_fits(image, one.size, problems, at):
                found = found_in(one, names, problems, at)
                objects = cleaned(found, image, CLASSES, options, problems, at)
                yield LabelledImage(Path(one.file_name).stem, image, objects, CLASSES)


READERS: tuple[Reader, ...] = (Vhr10Reader(),)

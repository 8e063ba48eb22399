"""PASCAL VOC XML, and any dataset that keeps to it.

Knows one XML file for each image, with upright or oriented boxes. Refuses to know which dataset it is (`voc_sets`).

VOC counts pixels from 1 and names the first and the last one a box covers; here edges are continuous, with 0 the
outer corner of the first pixel. So x0 = xmin - 1 and x1 = xmax: the box covers xmax - xmin + 1 pixels, as in the VOC
development kit. `first_pixel = 0` reads files that count from 0 and mean edges: x0 = xmin, x1 = xmax.
"""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from groundproof.protocol import Task
from groundproof_training.readers.base import (
    DatasetCard,
    Problems,
    Reader,
    WrongFolderError,
    look_at,
    stated_size,
)
from groundproof_training.readers.objects import Found, LabelledImage, ObjectOptions, cleaned, in_split
from groundproof_training.readers.oriented import TurnedBox
from groundproof_training.readers.questions import ObjectReader
from groundproof_training.samples import Split, class_name
from groundproof_training.samples.types import Quad

BOX_TASKS = (Task.COUNT, Task.DETECT, Task.GROUND, Task.VQA)
PICTURES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".JPG", ".PNG", ".TIF")
ROTATED_CORNERS = ("left_top", "right_top", "right_bottom", "left_bottom")


@dataclass(frozen=True, slots=True)
class VocFile:
    """One XML file. size: width and height it states, px; None where it does not or says 0."""

    filename: str
    size: tuple[int, int] | None
    objects: tuple[Found, ...]


class VocOptions(ObjectOptions):
    """first_pixel: the number of the first pixel, 1 in VOC; 0: numbers are edges already."""

    first_pixel: Literal[0, 1] = 1


def parse_voc(text: str | bytes, problems: Problems, where: str, first_pixel: int = 1) -> VocFile:
    """One file's content. Raises ET.ParseError for what is no XML; an object without a box is counted, and left out."""
    root = ET.fromstring(text)  # noqa: S314  expat resolves no external entities and bounds expansion
    found = []
    for number, one in enumerate(root.iterfind("object"), start=1):
        try:
            found.append(_object(one, first_pixel))
        except (TypeError, ValueError) as err:
            problems.add("broken label", f"{where}, object {number}", str(err))
    return VocFile(root.findtext("filename", "").strip(), _size(root), tuple(found))


def _size(root: ET.Element) -> tuple[int, int] | None:
    return stated_size(root.findtext("size/width"), root.findtext("size/height"))


def _object(one: ET.Element, first_pixel: int) -> Found:
    name = (one.findtext("name") or "").strip()
    if not name:
        raise ValueError("it has no name")
    difficult, truncated = one.findtext("difficult", "0").strip(), one.findtext("truncated", "0").strip()
    flags = {"ignore": difficult not in ("0", ""), "truncated": truncated == "1"}
    turned = one.find("robndbox")
    if turned is not None:
        return Found.of_quad(name, _quad(turned, first_pixel), **flags)
    around = one.find("bndbox")
    if around is None:
        raise ValueError(f"the {name} has no box")
    xmin, ymin, xmax, ymax = (float(around.findtext(tag, "nan")) for tag in ("xmin", "ymin", "xmax", "ymax"))
    return Found(name, (xmin - first_pixel, ymin - first_pixel, xmax, ymax), **flags)


def _quad(turned: ET.Element, first_pixel: int) -> Quad:
    """Four corners x_left_top .. y_left_bottom (DIOR-R), or centre, sides and radians (roLabelImg), clockwise.

    A corner of an oriented box is a point, not a pixel that is covered: half of the counting from 1 is taken off.
    """
    shift = first_pixel / 2
    if turned.find("cx") is not None:
        cx, cy, w, h, angle = (float(turned.findtext(tag, "nan")) for tag in ("cx", "cy", "w", "h", "angle"))
        return TurnedBox(cx - shift, cy - shift, w, h, math.degrees(angle)).quad
    values = [
        float(turned.findtext(f"{axis}_{corner}", "nan")) - shift
        for corner in ROTATED_CORNERS
        for axis in ("x", "y")
    ]
    return tuple(values)


def read_voc_image(
    root: Path,
    xml: Path,
    folders: tuple[str, ...],
    classes: tuple[str, ...],
    options: ObjectOptions,
    problems: Problems,
    words: dict[str, str] | None = None,
    *,
    first_pixel: int = 1,
    suffixes: tuple[str, ...] = PICTURES,
) -> LabelledImage | None:
    """An XML file with its picture, found by the file's stem in one of `folders`. None, and counted, where it cannot
    be used; so is a picture whose size is not the one the file states, because its boxes would lie elsewhere."""
    where = xml.relative_to(root).as_posix()
    try:
        voc = parse_voc(xml.read_bytes(), problems, where, first_pixel)
    except FileNotFoundError:
        problems.add("no label", where, "the list names it, there is no such file")
        return None
    except (ET.ParseError, OSError, ValueError) as err:
        problems.add("broken label", where, str(err))
        return None
    path = picture_of(root, folders, xml.stem, suffixes)
    image = look_at(root, path, options, problems, voc.size)
    if image is None:
        return None
    if voc.size is not None and voc.size != (image.width, image.height):
        problems.add(
            "size differs",
            where,
            f"it was made for {voc.size[0]} x {voc.size[1]} px, the picture has {image.width} x {image.height}",
        )
        return None
    objects = cleaned(voc.objects, image, classes, options, problems, where, words)
    known = classes or tuple(sorted({b.label for b in objects}))
    return LabelledImage(xml.stem, image, objects, known)


def picture_of(root: Path, folders: tuple[str, ...], stem: str, suffixes: tuple[str, ...] = PICTURES) -> str:
    """The picture's path below root; the first guess where there is none."""
    for folder in folders:
        for suffix in suffixes:
            if (root / folder / f"{stem}{suffix}").is_file():
                return f"{folder}/{stem}{suffix}" if folder else f"{stem}{suffix}"
    return f"{folders[0]}/{stem}{suffixes[0]}"


def listed(path: Path) -> list[str]:
    """The names of a split list: the first word group of each line, without a flag behind it."""
    names = []
    for line in path.read_text(encoding="utf-8-sig", errors="replace").splitlines():
        name = line.strip()
        # VOC's lists of one class end in " 1", " -1" or " 0".
        head, _, flag = name.rpartition(" ")
        names.append(head.strip() if flag in ("1", "-1", "0") and head else name)
    return [name for name in names if name]


class VocReader(ObjectReader):
    """Any folder in VOC's layout. Its classes are those its files name."""

    card = DatasetCard(
        name="voc",
        title="a PASCAL VOC dataset",
        tasks=BOX_TASKS,
        licence="as its owner says",
        source="your own folder",
        layout=(
            "Annotations/*.xml",
            "JPEGImages/*.jpg (or images/)",
            "ImageSets/Main/{train,val,test}.txt; without them the splits are drawn by hash",
        ),
        splits=("train", "val", "test"),
        verified="VOC's development kit: 1-based pixels, both ends covered",
    )
    options = VocOptions

    def images(
        self, root: Path, split: Split, options: ObjectOptions, problems: Problems
    ) -> Iterator[LabelledImage]:
        """By the split's list, else by name. Objects of classes that an image does not hold are absent there only if
        another image of the dataset has them, so all files are looked through once."""
        assert isinstance(options, VocOptions)  # noqa: S101  (of this class)
        labels = root / "Annotations"
        if not labels.is_dir():
            raise WrongFolderError(root, self.card, "Annotations/")
        paths = sorted(labels.glob("*.xml"))
        classes = _classes_of(paths)
        splits = root / "ImageSets" / "Main"
        if (splits / "train.txt").is_file():
            file = splits / f"{split}.txt"
            paths = [labels / f"{name}.xml" for name in listed(file)] if file.is_file() else []
        else:
            paths = [path for path in paths if in_split(path.stem, split, options)]
        for path in paths:
            made = read_voc_image(
                root,
                path,
                ("JPEGImages", "images", ""),
                classes,
                options,
                problems,
                first_pixel=options.first_pixel,
            )
            if made is not None:
                yield made


def _classes_of(paths: list[Path]) -> tuple[str, ...]:
    names = set[str]()
    for path in paths:
        try:
            parsed = ET.parse(path)  # noqa: S314  as in parse_voc
        except (ET.ParseError, OSError, ValueError):
            continue  # it is counted where it is read
        names |= {class_name(n.text) for n in parsed.iterfind("object/name") if n.text and n.text.strip()}
    return tuple(sorted(names))


READERS: tuple[Reader, ...] = (VocReader(),)

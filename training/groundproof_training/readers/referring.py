"""Expressions that refer to one object: DIOR-RSVG, OPT-RSVG and RSVG, as VOC files with a description per object.

Knows the trap of their splits: a number in `train.txt` is an **object's**, counted over all XML files in the order of
their names, not an image's. So one image's expressions can lie in train and in test; `image_level_split` mends that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from groundproof.protocol import Task
from groundproof_training.readers.base import DatasetCard, Options, Problems, Reader, WrongFolderError, need
from groundproof_training.readers.sources import Images, check_split, make, options_of
from groundproof_training.readers.texts import class_words
from groundproof_training.samples import Sample, Split, TrueBox

_ORDER: tuple[Split, ...] = ("test", "val", "train")


class ReferringOptions(Options):
    """image_level_split: an image's expressions all go to the most held-out of the splits any of them is in (test
    before val before train): ours, without the official split's leak between train and test."""

    image_level_split: bool = False


@dataclass(frozen=True, slots=True)
class Expression:
    """One described object. index: over all files, from 0. image: its file's name. size: px, where the file says it.
    box: as written, x0 y0 x1 y1; None where it is unreadable. where: for people."""

    index: int
    label: str
    description: str
    box: tuple[float, float, float, float] | None
    image: str
    size: tuple[int, int] | None
    where: str


@dataclass(frozen=True, slots=True)
class DescribedObjects:
    """`Annotations/*.xml`, `JPEGImages/` and three lists of object numbers."""

    card: DatasetCard
    options: type[Options] = ReferringOptions

    def read(self, root: Path, split: Split, options: Options, problems: Problems) -> Iterator[Sample]:
        """In the order of the objects' numbers. A missing or unreadable XML file is a wrong folder, because every
        number after it would name another object."""
        own = options_of(ReferringOptions, options)
        check_split(self.card, split)
        need(root, self.card, ("Annotations", *(f"{name}.txt" for name in self.card.splits)))
        split_of = self._split_of(root, problems)
        files = self._files(root)
        n_objects = sum(map(len, files))
        if split_of and max(split_of) >= n_objects:
            raise WrongFolderError(
                root,
                self.card,
                f"every XML file: the lists name object {max(split_of)}, the files hold {n_objects} objects, so the "
                "numbers cannot be trusted. One of them",
            )
        return self._samples(root, split, own, problems, files, split_of)

    def _split_of(self, root: Path, problems: Problems) -> dict[int, Split]:
        found: dict[int, Split] = {}
        for split in self.card.splits:
            for line in (root / f"{split}.txt").read_text(encoding="utf-8-sig", errors="replace").split():
                if not line.isdecimal():
                    raise WrongFolderError(
                        root, self.card, f"a list of object numbers in {split}.txt ({line!r})"
                    )
                if found.setdefault(int(line), split) != split:
                    problems.add(
                        "duplicate id", f"{split}.txt", f"object {line} is also in {found[int(line)]}.txt"
                    )
        return found

    def _files(self, root: Path) -> list[list[Expression]]:
        """The expressions of each file, in the order of their names."""
        files: list[list[Expression]] = []
        first = 0
        for file in sorted((root / "Annotations").glob("*.xml"), key=lambda p: p.name):
            try:
                # Labels are the user's own, and Expat bounds the growth of entities itself since 2.4.1.
                tree = ET.parse(file).getroot()  # noqa: S314
            except (ET.ParseError, OSError, ValueError) as err:
                raise WrongFolderError(root, self.card, f"a readable {file.name} ({err})") from err
            files.append(_expressions(tree, file, first))
            first += len(files[-1])
        return files

    def _samples(
        self,
        root: Path,
        split: Split,
        options: ReferringOptions,
        problems: Problems,
        files: list[list[Expression]],
        split_of: dict[int, Split],
    ) -> Iterator[Sample]:
        images = Images(root, options, problems)
        for expressions in files:
            falls_to = {e.index: split_of[e.index] for e in expressions if e.index in split_of}
            if options.image_level_split and falls_to:
                falls_to = dict.fromkeys(falls_to, next(s for s in _ORDER if s in falls_to.values()))
            for expression in expressions:
                if expression.index not in falls_to:
                    problems.add("object in no split", expression.where, "no list names its number")
                elif falls_to[expression.index] == split:
                    sample = self._sample(expression, split, images, problems)
                    if sample is not None:
                        yield sample

    def _sample(self, given: Expression, split: Split, images: Images, problems: Problems) -> Sample | None:
        if given.box is None or not given.description:
            problems.add("broken label", given.where, "no box" if given.box is None else "no description")
            return None
        x0, y0, x1, y1 = given.box
        if x0 >= x1 or y0 >= y1:
            problems.add("empty box", given.where, str(given.box))
            return None
        paths = tuple(f"{folder}/{given.image}" for folder in ("JPEGImages", "Image", "images"))
        image = images.one_of(paths, given.where, given.size)
        if image is None:
            return None
        if x0 >= image.width or y0 >= image.height:
            problems.add("box outside", given.where, f"{given.box} of {image.width} x {image.height} px")
            return None
        box = TrueBox(label=given.label, x0=x0, y0=y0, x1=x1, y1=y1, phrase=given.description)
        return make(
            problems, given.where, sample_id=f"{self.card.name}/{given.index:06}", source=self.card.name, split=split,
            licence=self.card.licence, task=Task.GROUND, images=(image,), question=given.description,
            asked=(given.label,), boxes=(box,), meta={"object": str(given.index)},
        )  # fmt: skip


def _expressions(tree: ET.Element, file: Path, first: int) -> list[Expression]:
    """Every `object`, those without a description too: they have numbers like the others."""
    image = (tree.findtext("filename") or "").strip() or f"{file.stem}.jpg"
    size = _numbers(tree, "size/", ("width", "height"))
    found = []
    for index, element in enumerate(tree.findall("object"), start=first):
        corners = _numbers(element, "bndbox/", ("xmin", "ymin", "xmax", "ymax"))
        found.append(
            Expression(
                index,
                class_words(element.findtext("name") or "object"),
                " ".join((element.findtext("description") or "").split()),
                (corners[0], corners[1], corners[2], corners[3]) if corners else None,
                image,
                (int(size[0]), int(size[1])) if size else None,
                f"{file.name}, object {index}",
            )
        )
    return found


def _numbers(element: ET.Element, below: str, tags: tuple[str, ...]) -> list[float] | None:
    try:
        return [float(element.findtext(below + tag) or "") for tag in tags]
    except ValueError:
        return None


def _card(
    name: str, title: str, source: str, licence: str, counts: dict[str, int], verified: str
) -> DatasetCard:
    return DatasetCard(
        name=name, title=title, tasks=(Task.GROUND,), licence=licence, source=source,
        layout=(
            "Annotations/*.xml: VOC, with a <description> in each <object>",
            "JPEGImages/<filename>",
            "train.txt, val.txt, test.txt: numbers of objects over the sorted XML files, from 0",
        ),
        splits=("train", "val", "test"), counts=counts, verified=verified,
    )  # fmt: skip


READERS: tuple[Reader, ...] = (
    DescribedObjects(
        _card(
            "dior-rsvg", "DIOR-RSVG", "GitHub ZhanYang-nwpu/RSVG-pytorch", "not given (images are DIOR's)",
            {"expressions": 38_320, "train": 26_991, "val": 3_829, "test": 7_500},
            "The lists are checked against the authors' own: disjoint, all of 0 to 38,319. The XML's form is that of "
            "the authors' loader; boxes are taken as it takes them, corners as written.",
        )
    ),
    DescribedObjects(
        _card(
            "opt-rsvg", "OPT-RSVG", "GitHub like413/OPT-RSVG", "not given",
            {"expressions": 48_952, "train": 19_580, "val": 4_895, "test": 24_477},
            "Counts from the authors' README; the layout is said to be DIOR-RSVG's and was not seen by us.",
        )
    ),
    DescribedObjects(
        _card(
            "rsvg", "RSVG (GeoVG, ACM MM 2022)", "the authors' page", "not given",
            {"expressions": 7_933, "train": 5_505, "val": 1_201, "test": 1_227},
            "Unverified: counts are second-hand and the layout is our choice, DIOR-RSVG's. Convert yours to "
            "it where it differs.",
        )
    ),
)  # fmt: skip

"""DOTA 1.0, 1.5 and 2.0: oriented boxes in large images, read as overlapping patches; and patches that DOTA_devkit cut.

Knows labelTxt. Refuses to know how windows are laid (`patches`) and what is asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Literal

from pydantic import Field

from groundproof_training.readers.base import DatasetCard, Problems, Reader, WrongFolderError, look_at
from groundproof_training.readers.objects import Found, LabelledImage, ObjectOptions, cleaned
from groundproof_training.readers.questions import ObjectReader
from groundproof_training.readers.voc import BOX_TASKS, picture_of
from groundproof_training.samples import Split

_V10 = (
    "plane", "baseball diamond", "bridge", "ground track field", "small vehicle", "large vehicle", "ship",
    "tennis court", "basketball court", "storage tank", "soccer ball field", "roundabout", "harbor",
    "swimming pool", "helicopter",
)  # fmt: skip
CLASSES: dict[str, tuple[str, ...]] = {
    "1.0": _V10,
    "1.5": (*_V10, "container crane"),
    "2.0": (*_V10, "container crane", "airport", "helipad"),
}

PATCH_PX, STRIDE_PX = 800, 600
"""RSThinker's patches are 800 px; their overlap is not published, 200 px is ours [U]."""

CUT_BY_DEVKIT = "2"
"""Where `difficult` stands: the object was cut by the patch to less than 0.7 of its area."""

_HEADER = re.compile(r"(imagesource|gsd|acquisition dates)\s*:\s*(.*)", re.IGNORECASE)
_OBJECT = re.compile(r"(-?[\d.]+\s+){8}\S+(\s+[012])?$")
LOOKED_AT = 20
"""Text files, and lines of each, that tell whether a folder holds labels."""

_CUT_NAME = re.compile(r"__[\d.]+__-?\d+___-?\d+$")


class DotaOptions(ObjectOptions):
    """version: whose classes, and whose folder of labels where several lie there. skip_difficult: leave difficult
    objects out altogether instead of ignoring them."""

    version: Literal["1.0", "1.5", "2.0"] = "2.0"
    skip_difficult: bool = False
    patch_px: int | None = Field(PATCH_PX, gt=0)
    stride_px: int | None = Field(STRIDE_PX, gt=0)


def parse_dota(
    text: str, problems: Problems, where: str, *, skip_difficult: bool = False
) -> tuple[list[Found], dict[str, str]]:
    """The objects of one labelTxt file, and its header as facts (`gsd_m`, `image_source`).

    A line is eight numbers, a class and, unless it is missing, `difficult`: 1 is ignored, 2 is ignored and truncated.
    """
    found, facts = [], dict[str, str]()
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if not words:
            continue
        header = _HEADER.match(line.strip())
        if header:
            value = header[2].strip()
            if value.casefold() not in ("", "none", "null"):
                facts[{"imagesource": "image_source", "gsd": "gsd_m"}.get(header[1].casefold(), "dates")] = (
                    value
                )
            continue
        try:
            if len(words) not in (9, 10):
                raise ValueError(f"{len(words)} words, expected 8 numbers, a class and difficult")
            quad = tuple(float(w) for w in words[:8])
            difficult = words[9] if len(words) == 10 else "0"
            if difficult not in ("0", "1", CUT_BY_DEVKIT):
                raise ValueError(f"difficult is {difficult}, expected 0, 1 or 2")
        except ValueError as err:
            problems.add("broken label", f"{where}, line {number}", str(err))
            continue
        if not (difficult == "1" and skip_difficult):
            found.append(
                Found.of_quad(words[8], quad, ignore=difficult != "0", truncated=difficult == CUT_BY_DEVKIT)
            )
    return found, facts


def _has_labels(folder: Path) -> bool:
    """Whether one of its first text files holds a line of DOTA, or all are empty (images without objects)."""
    files = list(islice(sorted(folder.glob("*.txt")), LOOKED_AT))
    lines: list[str] = []
    for path in files:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            lines += [line.strip() for line in islice(file, LOOKED_AT) if line.strip()]
    return any(_HEADER.match(line) or _OBJECT.match(line) for line in lines) or bool(files and not lines)


class DotaReader(ObjectReader):
    """See the module. Whole images become patches of `patch_px`; files that are patches already stay as they are."""

    card = DatasetCard(
        name="dota",
        title="DOTA",
        tasks=BOX_TASKS,
        licence="academic use only; images from Google Earth, GF-2, JL-1",
        source="captain-whu.github.io/DOTA",
        layout=(
            "{train,val}/images/*.png and {train,val}/labelTxt/*.txt (or labelTxt-v1.5/, labelTxt-v2.0/)",
            "or images/ and labelTxt/ of one split, whose name is then not looked at",
        ),
        splits=("train", "val"),
        counts={"v1.0 images": 2_806, "v1.0 instances": 188_282},
        verified="label format from the devkit and real files; the test set has no labels; empty-patch and overlap "
        "policies of the published builds are not known, ours are options",
    )
    options = DotaOptions

    def images(
        self, root: Path, split: Split, options: ObjectOptions, problems: Problems
    ) -> Iterator[LabelledImage]:
        """By name of the label file."""
        assert isinstance(options, DotaOptions)  # noqa: S101  (of this class)
        base = root / split if (root / split).is_dir() else root
        labels = self.label_folder(base, split, options.version)
        if labels is None:
            inner = f"{split}/labelTxt" if base != root else "labelTxt"
            raise WrongFolderError(root, self.card, inner)
        classes = CLASSES[options.version]
        prefix = base.relative_to(root).as_posix()
        folders = tuple(f"{prefix}/{name}".removeprefix("./").rstrip("/") for name in ("images", ""))
        beside = labels.relative_to(root).as_posix()
        for path in sorted(labels.glob("*.txt")):
            where = path.relative_to(root).as_posix()
            found, facts = parse_dota(
                path.read_text(encoding="utf-8-sig", errors="replace"),
                problems,
                where,
                skip_difficult=options.skip_difficult,
            )
            image = look_at(root, picture_of(root, (*folders, beside), path.stem), options, problems)
            if image is None:
                continue
            objects = cleaned(found, image, classes, options, problems, where)
            yield LabelledImage(path.stem, image, objects, classes, meta=facts)

    def label_folder(self, base: Path, split: Split, version: str) -> Path | None:
        """The folder with labels of the version; where there is but one, that one."""
        names = [f"labelTxt-v{version}", f"labelTxt-v{version}/DOTA-v{version}_{split}", "labelTxt"]
        names += [f"labelTxt/DOTA-v{version}_{split}", "annfiles", ""]
        return next((base / n for n in names if _has_labels(base / n)), None)

    def parts(self, whole: LabelledImage, options: ObjectOptions) -> Iterator[LabelledImage]:
        """Windows of a whole image; the image itself where its name says that it is a window."""
        if _CUT_NAME.search(whole.key):
            yield whole
        else:
            yield from super().parts(whole, options)


READERS: tuple[Reader, ...] = (DotaReader(),)

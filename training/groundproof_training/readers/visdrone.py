"""VisDrone-DET: drone frames with people and vehicles, and regions where nobody labelled.

Knows its text lines. Refuses to know video and tracking sets of the same name.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from groundproof_training.readers.base import DatasetCard, Problems, Reader, WrongFolderError, look_at
from groundproof_training.readers.objects import Found, LabelledImage, ObjectOptions, cleaned
from groundproof_training.readers.questions import ObjectReader
from groundproof_training.readers.voc import BOX_TASKS, picture_of
from groundproof_training.samples import Split

CATEGORIES = (
    "ignored region", "pedestrian", "people", "bicycle", "car", "van", "truck", "tricycle", "awning tricycle", "bus",
    "motor", "others",
)  # fmt: skip
AREAS = ("ignored region", "others")
"""What lies in these is no object of a class, and finding something there no mistake."""
CLASSES = tuple(name for name in CATEGORIES if name not in AREAS)
OCCLUSION = ("none", "partial", "heavy")

FOLDERS = {
    "train": "VisDrone2019-DET-train",
    "val": "VisDrone2019-DET-val",
    "test": "VisDrone2019-DET-test-dev",
}


def parse_visdrone(text: str, problems: Problems, where: str) -> list[Found]:
    """Lines `x,y,w,h,score,category,truncation,occlusion`, px from the top left; a comma may end them.

    A score of 0 means that the benchmark does not look at the object: it is ignored.
    """
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = [w.strip() for w in line.strip().rstrip(",").split(",")]
        if words == [""]:
            continue
        at = f"{where}, line {number}"
        try:
            if len(words) != 8:
                raise ValueError(f"{len(words)} values, expected 8")
            x, y, w, h, score, category, truncation, occlusion = (int(float(v)) for v in words)
        except (ValueError, OverflowError) as err:
            problems.add("broken label", at, str(err))
            continue
        if not 0 <= category < len(CATEGORIES):
            problems.add("unknown class", at, f"there is no category {category}")
            continue
        name = CATEGORIES[category]
        hidden = {"occlusion": OCCLUSION[occlusion]} if 0 <= occlusion < len(OCCLUSION) else {}
        found.append(
            Found(
                name,
                (x, y, x + w, y + h),
                ignore=name in AREAS or score == 0,
                truncated=truncation > 0,
                attributes=hidden if name in CLASSES else {},
            )
        )
    return found


class VisDroneReader(ObjectReader):
    """See the module."""

    card = DatasetCard(
        name="visdrone",
        title="VisDrone-DET 2019",
        tasks=BOX_TASKS,
        licence="academic use",
        source="github.com/VisDrone/VisDrone-Dataset",
        layout=tuple(f"{folder}/images/*.jpg and {folder}/annotations/*.txt" for folder in FOLDERS.values()),
        splits=("train", "val", "test"),
        verified="line format as published; category 0 is a region where objects are not labelled",
    )

    def images(
        self, root: Path, split: Split, options: ObjectOptions, problems: Problems
    ) -> Iterator[LabelledImage]:
        """By name of the label file. An image with a region that is not labelled is never counted in."""
        base = next((root / f for f in (FOLDERS[split], split) if (root / f).is_dir()), root)
        labels = base / "annotations"
        if not labels.is_dir() or (base == root and root.name != FOLDERS[split]):
            raise WrongFolderError(root, self.card, f"{FOLDERS[split]}/annotations")
        folder = (base / "images").relative_to(root).as_posix()
        for path in sorted(labels.glob("*.txt")):
            where = path.relative_to(root).as_posix()
            image = look_at(root, picture_of(root, (folder,), path.stem), options, problems)
            if image is None:
                continue
            found = parse_visdrone(path.read_text(encoding="utf-8-sig", errors="replace"), problems, where)
            boxes = cleaned(found, image, CATEGORIES, options, problems, where)
            objects = tuple(b for b in boxes if b.label not in AREAS)
            areas = tuple(b for b in boxes if b.label in AREAS)
            yield LabelledImage(path.stem, image, objects, CLASSES, areas)


READERS: tuple[Reader, ...] = (VisDroneReader(),)

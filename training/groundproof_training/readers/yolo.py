"""YOLO's text labels: centre and sides, or four corners of an oriented box, as shares of the image.

Knows data.yaml, classes.txt and label lines. Refuses to follow paths out of the dataset's folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from groundproof_training.errors import TrainingError
from groundproof_training.readers.base import DatasetCard, Problems, Reader, WrongFolderError, look_at
from groundproof_training.readers.coco import key_of
from groundproof_training.readers.objects import Found, LabelledImage, ObjectOptions, cleaned, in_split
from groundproof_training.readers.questions import ObjectReader
from groundproof_training.readers.voc import BOX_TASKS, PICTURES
from groundproof_training.samples import Split, class_name


@dataclass(frozen=True, slots=True)
class _Layout:
    """names: by class number. pictures: paths below the root. is_split: they are those of one split alone."""

    names: dict[int, str]
    pictures: list[str]
    is_split: bool


def parse_yolo(
    text: str, names: dict[int, str], size: tuple[int, int], problems: Problems, where: str
) -> list[Found]:
    """The objects of one label file. size: of the image, px.

    Five numbers are class, centre x, centre y, width, height. Nine are class and four corners; more, in pairs, an
    outline whose upright box is taken. Six are a prediction with its score, which is no truth.
    """
    width, height = size
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if not words:
            continue
        at = f"{where}, line {number}"
        try:
            values = [float(w) for w in words]
            index = int(values[0])
            if index != values[0]:
                raise ValueError(f"the class {words[0]} is no whole number")
            if len(values) == 5:
                x, y, w, h = values[1] * width, values[2] * height, values[3] * width, values[4] * height
                made = ((x - w / 2, y - h / 2, x + w / 2, y + h / 2), None)
            elif len(values) >= 7 and len(values) % 2 == 1:
                xs, ys = [v * width for v in values[1::2]], [v * height for v in values[2::2]]
                quad = tuple(v for xy in zip(xs, ys, strict=True) for v in xy) if len(values) == 9 else None
                made = ((min(xs), min(ys), max(xs), max(ys)), quad)
            else:
                raise ValueError(f"{len(values)} numbers, expected 5 (a box) or 9 (four corners)")
        except (ValueError, OverflowError) as err:
            problems.add("broken label", at, str(err))
            continue
        if index not in names:
            problems.add("unknown class", at, f"there is no class {index}, there are {len(names)}")
            continue
        found.append(Found(names[index], *made))
    return found


class YoloReader(ObjectReader):
    """Any YOLO folder. A picture without a label file holds no object, as YOLO's own training takes it."""

    card = DatasetCard(
        name="yolo",
        title="a YOLO dataset",
        tasks=BOX_TASKS,
        licence="as its owner says",
        source="your own folder",
        layout=(
            "data.yaml (names, train, val, test) or classes.txt",
            "images/*.jpg (or images/<split>/) and labels/*.txt beside them in the same order of folders",
            "without folders or lists of splits these are drawn by hash",
        ),
        splits=("train", "val", "test"),
        verified="Ultralytics' format: shares of the image, x to the right, y down; nine numbers are an oriented box",
    )

    def images(
        self, root: Path, split: Split, options: ObjectOptions, problems: Problems
    ) -> Iterator[LabelledImage]:
        """By path of the picture."""
        layout = self._layout(root, split, problems)
        classes = tuple(dict.fromkeys(class_name(name) for name in layout.names.values()))
        for path in layout.pictures:
            if not layout.is_split and not in_split(path, split, options):
                continue
            image = look_at(root, path, options, problems)
            if image is None:
                continue
            label = _label_of(root, path)
            text = label.read_text(encoding="utf-8-sig", errors="replace") if label.is_file() else ""
            where = label.relative_to(root).as_posix()
            found = parse_yolo(text, layout.names, (image.width, image.height), problems, where)
            objects = cleaned(found, image, classes, options, problems, where)
            yield LabelledImage(key_of(path.removeprefix("images/")), image, objects, classes)
        if not layout.is_split:
            _count_orphans(root, problems)

    def _layout(self, root: Path, split: Split, problems: Problems) -> _Layout:
        file = next((root / n for n in ("data.yaml", "data.yml") if (root / n).is_file()), None)
        if file is not None:
            document = _yaml(file)
            names = _names(document.get("names"))
            if not names:
                raise WrongFolderError(root, self.card, "a list of names in data.yaml")
            given = {s: document.get(s) or (document.get("valid") if s == "val" else None)
                     for s in ("train", "val", "test")}  # fmt: skip
            base = str(document.get("path") or "")
            pictures = _pictures(root, base, given[split], problems)
            others = [given[s] for s in given if s != split and given[s] is not None]
            # An export names one folder for all of its splits; then they are drawn.
            own = given[split] is not None and given[split] not in others
            if own:
                return _Layout(names, pictures, True)
            if given[split] is None and any(given.values()) and len({str(o) for o in others}) > 1:
                return _Layout(names, [], True)
            every = _pictures(root, base, given[split] or next(iter(others), "images"), problems)
            return _Layout(names, every, False)
        listed = root / "classes.txt"
        if not listed.is_file():
            raise WrongFolderError(root, self.card, "data.yaml or classes.txt")
        lines = [
            line.strip() for line in listed.read_text(encoding="utf-8-sig", errors="replace").splitlines()
        ]
        names = dict(enumerate(line for line in lines if line))
        folders = (f"images/{split}", f"{split}/images") + ((f"images/{'valid'}",) if split == "val" else ())
        own_folder = next((f for f in folders if (root / f).is_dir()), None)
        if own_folder:
            return _Layout(names, _pictures(root, "", own_folder, problems), True)
        if not (root / "images").is_dir():
            raise WrongFolderError(root, self.card, "images/")
        return _Layout(names, _pictures(root, "", "images", problems), False)


def _yaml(file: Path) -> dict[str, Any]:
    import yaml

    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, yaml.YAMLError) as err:
        raise TrainingError(f"{file} cannot be read as YAML: {str(err).splitlines()[0]}") from err
    return document if isinstance(document, dict) else {}


def _names(names: Any) -> dict[int, str]:
    if isinstance(names, dict):
        return {int(number): str(name) for number, name in names.items()}
    return {number: str(name) for number, name in enumerate(names or [])}


def _pictures(root: Path, base: str, given: Any, problems: Problems) -> list[str]:
    """Pictures of a folder, of a text file that lists them, or of several of these; paths below the root."""
    found: dict[str, None] = {}
    for one in given if isinstance(given, list) else [given]:
        if one is None:
            continue
        place = _inside(root, base, str(one))
        if place is None:
            problems.add("no image", str(one), "data.yaml names it, nothing is there below the folder")
        elif place.is_dir():
            listed = sorted(p for p in place.rglob("*") if p.suffix.lower() in {s.lower() for s in PICTURES})
            found |= {p.relative_to(root).as_posix(): None for p in listed}
        else:
            for line in place.read_text(encoding="utf-8-sig", errors="replace").splitlines():
                picture = _inside(root, base, line.strip()) if line.strip() else None
                if picture is not None:
                    found[picture.relative_to(root).as_posix()] = None
                elif line.strip():
                    problems.add("no image", line.strip(), f"{place.name} lists it, there is no such file")
    return list(found)


def _inside(root: Path, base: str, given: str) -> Path | None:
    """A path that data.yaml gives, below root. Absolute ones and `../train/images`, as exports have them, are looked
    for by their last parts."""
    parts = [p for p in PurePosixPath(given.replace("\\", "/")).parts if p not in ("/", "..", ".")]
    before = [p for p in PurePosixPath(base).parts if p not in ("/", "..", ".")]
    for front in (before, []):
        for start in range(len(parts)):
            place = root.joinpath(*front, *parts[start:])
            if place.exists() and place.resolve().is_relative_to(root.resolve()):
                return place
    return root if not parts else None


def _label_of(root: Path, picture: str) -> Path:
    """images/a/b.jpg -> labels/a/b.txt, by the last part that is "images"; without one, beside the picture."""
    parts = list(PurePosixPath(picture).with_suffix(".txt").parts)
    for k in range(len(parts) - 2, -1, -1):
        if parts[k] == "images":
            parts[k] = "labels"
            break
    return root.joinpath(*parts)


def _count_orphans(root: Path, problems: Problems) -> None:
    for label in sorted((root / "labels").rglob("*.txt")) if (root / "labels").is_dir() else ():
        inner = label.relative_to(root / "labels")
        if not any((root / "images" / inner).with_suffix(s).is_file() for s in PICTURES):
            problems.add(
                "no image", label.relative_to(root).as_posix(), "the label has no image; it was left out"
            )


READERS: tuple[Reader, ...] = (YoloReader(),)

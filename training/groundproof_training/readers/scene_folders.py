"""Scene classification sets that are one folder per class.

Knows their classes and trees. Refuses to know what a scene class means. None of them publishes a split (that of
RESISC45 by file lists of others apart): the shares are ours, drawn by each file's name, or read from lists.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field, model_validator

from groundproof.protocol import Task
from groundproof_training.errors import TrainingError
from groundproof_training.readers.base import DatasetCard, Options, Problems, Reader, WrongFolderError
from groundproof_training.readers.sources import Images, check_split, make, options_of, share
from groundproof_training.samples import Sample, Split, class_name

_SUFFIXES = {".jpg", ".jpeg", ".png", ".tif", ".tiff"}
QUESTION = "Classify the given image in one of the following classes. Classes: {classes}."
"""EarthDial's wording for these sets."""


class SceneOptions(Options):
    """train_share, val_share: of each class, the rest is test; ours. lists: folder below the root with train.txt,
    val.txt or test.txt, one file name (or path) a line, used instead. question: with {classes} for the list."""

    train_share: float = Field(0.8, ge=0, le=1)
    val_share: float = Field(0.0, ge=0, le=1)
    lists: str | None = None
    question: str = QUESTION

    @model_validator(mode="after")
    def _shares_fit(self) -> SceneOptions:
        if self.train_share + self.val_share > 1:
            raise ValueError(
                f"train_share {self.train_share} and val_share {self.val_share} are more than all"
            )
        return self


@dataclass(frozen=True, slots=True)
class SceneFolders:
    """A set of classes. inside: folders below the root in which the class folders may lie, the likeliest first. size:
    width and height, px. ordered: class folders carry a letter of order in front (RSSCN7's `aGrass`)."""

    card: DatasetCard
    classes: tuple[str, ...]
    inside: tuple[str, ...]
    size: tuple[int, int]
    ordered: bool = False
    options: type[Options] = SceneOptions

    def read(self, root: Path, split: Split, options: Options, problems: Problems) -> Iterator[Sample]:
        """Class by class, files by name."""
        own = options_of(SceneOptions, options)
        check_split(self.card, split)
        folders = self._folders(root)
        listed = _listed(root, own.lists, split) if own.lists else None
        return self._samples(root, split, own, problems, folders, listed)

    def _folders(self, root: Path) -> list[Path]:
        known = {_squashed(name) for name in self.classes}
        for inside in (".", *self.inside):
            parent = root / inside
            found = [p for p in sorted(parent.iterdir()) if p.is_dir()] if parent.is_dir() else []
            if sum(self._key(p.name) in known for p in found) * 2 > len(known):
                return found
        raise WrongFolderError(root, self.card, f"one folder for each of its {len(self.classes)} classes")

    def _key(self, folder: str) -> str:
        return _squashed(folder[1:] if self.ordered else folder)

    def _samples(
        self,
        root: Path,
        split: Split,
        options: SceneOptions,
        problems: Problems,
        folders: list[Path],
        listed: set[str] | None,
    ) -> Iterator[Sample]:
        names = {_squashed(name): name for name in self.classes}
        images = Images(root, options, problems)
        question = options.question.replace("{classes}", ", ".join(self.classes))
        how = f"list {options.lists}/{split}.txt" if listed is not None else _how(options)
        for missing in sorted(set(names) - {self._key(p.name) for p in folders}):
            problems.add("class without a folder", names[missing], "none of its images can be read")
        for folder in folders:
            label = names.get(self._key(folder.name))
            if label is None:
                problems.add(
                    "unknown class", folder.name, f"not one of the {len(self.classes)} of {self.card.title}"
                )
                continue
            for file in sorted(p for p in folder.iterdir() if p.suffix.lower() in _SUFFIXES):
                path = file.relative_to(root).as_posix()
                if listed is not None:
                    if not ({file.name, f"{folder.name}/{file.name}", path} & listed):
                        continue
                elif split != _drawn(options, f"{label}/{file.name}"):
                    continue
                image = images.get(path, path, self.size)
                if image is None:
                    continue
                sample = make(
                    problems, path, sample_id=f"{self.card.name}/{label}/{file.name}", source=self.card.name,
                    split=split, licence=self.card.licence, task=Task.CLASSIFY, images=(image,), question=question,
                    answer=label, answers=(label,), choices=self.classes, complete=False, meta={"split": how},
                )  # fmt: skip
                if sample is not None:
                    yield sample


def _squashed(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", class_name(name))


def _how(options: SceneOptions) -> str:
    return f"ours: by name, seed {options.seed}, train {options.train_share:g}, val {options.val_share:g}"


def _drawn(options: SceneOptions, name: str) -> Split:
    drawn = share(options.seed, name)
    if drawn < options.train_share:
        return "train"
    return "val" if drawn < options.train_share + options.val_share else "test"


def _listed(root: Path, folder: str | None, split: Split) -> set[str]:
    file = root / str(folder) / f"{split}.txt"
    if not file.is_file():
        raise TrainingError(f"the list {file} is not there; without `lists` the split is drawn by name.")
    lines = (line.strip() for line in file.read_text(encoding="utf-8-sig", errors="replace").splitlines())
    return {line for line in lines if line}


def _card(name: str, title: str, licence: str, source: str, tree: str, n: int, verified: str) -> DatasetCard:
    return DatasetCard(
        name=name, title=title, tasks=(Task.CLASSIFY,), licence=licence, source=source,
        layout=(tree, "(or that folder's content itself)"), splits=("train", "val", "test"),
        counts={"images": n}, verified=f"{verified} The split is ours.",
    )  # fmt: skip


def _words(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(","))


READERS: tuple[Reader, ...] = (
    SceneFolders(
        _card(
            "nwpu-resisc45", "NWPU-RESISC45", "not given (research use; images from Google Earth)",
            "the authors' page; Hugging Face isaaccorley/resisc45", "NWPU-RESISC45/<class>/<class>_001.jpg", 31_500,
            "Tree and classes as TorchGeo reads them.",
        ),
        _words("airplane, airport, baseball diamond, basketball court, beach, bridge, chaparral, church, circular "
               "farmland, cloud, commercial area, dense residential, desert, forest, freeway, golf course, ground "
               "track field, harbor, industrial area, intersection, island, lake, meadow, medium residential, mobile "
               "home park, mountain, overpass, palace, parking lot, railway, railway station, rectangular farmland, "
               "river, roundabout, runway, sea ice, ship, snowberg, sparse residential, stadium, storage tank, tennis "
               "court, terrace, thermal power station, wetland"),
        ("NWPU-RESISC45", "NWPU_RESISC45", "images"), (256, 256),
    ),
    SceneFolders(
        _card(
            "aid", "AID", "not given (research use; images from Google Earth)", "the authors' page (Wuhan University)",
            "AID/<Class>/<class>_12.jpg", 10_000, "Classes as in EarthDial's published AID file; tree from mirrors.",
        ),
        _words("airport, bare land, baseball field, beach, bridge, center, church, commercial, dense residential, "
               "desert, farmland, forest, industrial, meadow, medium residential, mountain, park, parking, playground, "
               "pond, port, railway station, resort, river, school, sparse residential, square, stadium, storage "
               "tanks, viaduct"),
        ("AID",), (600, 600),
    ),
    SceneFolders(
        _card(
            "ucmerced", "UC Merced Land Use", "public domain (USGS)", "the authors' page (UC Merced)",
            "UCMerced_LandUse/Images/<class>/<class>00.tif", 2_100,
            "Tree as TorchGeo reads it; a few images are 1 or 2 px smaller than 256 (known from others).",
        ),
        _words("agricultural, airplane, baseball diamond, beach, buildings, chaparral, dense residential, forest, "
               "freeway, golf course, harbor, intersection, medium residential, mobile home park, overpass, parking "
               "lot, river, runway, sparse residential, storage tanks, tennis court"),
        ("UCMerced_LandUse/Images", "Images", "images"), (256, 256),
    ),
    SceneFolders(
        _card(
            "whu-rs19", "WHU-RS19", "not given (images from Google Earth)", "the authors' page (Wuhan University)",
            "WHU-RS19/<Class>/<class>_01.jpg", 1_005, "Unverified: the tree differs between mirrors.",
        ),
        _words("airport, beach, bridge, commercial, desert, farmland, football field, forest, industrial, meadow, "
               "mountain, park, parking, pond, port, railway station, residential, river, viaduct"),
        ("WHU-RS19", "RSDataset", "images"), (600, 600),
    ),
    SceneFolders(
        _card(
            "siri-whu", "SIRI-WHU", "not given (images from Google Earth)", "the RSIDEA group, Wuhan University",
            "<class>/0001.tif", 2_400, "Unverified: the tree, and how the class folders are spelled.",
        ),
        _words("agriculture, commercial, harbor, idle land, industrial, meadow, overpass, park, pond, residential, "
               "river, water"),
        ("SIRI-WHU", "Google dataset of SIRI-WHU_earth_im_tiff/12class_tif", "12class_tif"), (200, 200),
    ),
    SceneFolders(
        _card(
            "rsscn7", "RSSCN7", "not given (images from Google Earth)", "GitHub palewithout/RSSCN7",
            "aGrass/a001.jpg", 2_800, "Tree as the reference notes give it; not seen by us.",
        ),
        _words("grass, field, industry, river lake, forest, resident, parking"),
        ("RSSCN7", "RSSCN7-master"), (400, 400), ordered=True,
    ),
)  # fmt: skip

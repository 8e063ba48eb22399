"""xBD: buildings before and after a disaster, and how far each is damaged.

Knows its pairs of images and JSON labels. Boxes are those around the polygons; polygons of the two dates may lie
apart, so that buildings are paired by `uid` alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import shapely
from pydantic import Field

from groundproof.protocol import Task
from groundproof_training.readers.base import (
    DatasetCard,
    Options,
    Problems,
    Reader,
    WrongFolderError,
    look_at,
)
from groundproof_training.readers.objects import Found, LabelledImage, ObjectOptions, cleaned, share_of
from groundproof_training.readers.questions import ObjectReader
from groundproof_training.samples import Sample, SampleImage, Split, TrueBox, class_name

LEVELS = ("no damage", "minor damage", "major damage", "destroyed")
UNKNOWN = "un classified"
"""Nobody could say how far; such a building is there, and its damage is never asked for."""
AFFECTED = ("none", "one", "two", "many")
"""How many buildings are affected, in EarthDial's words; "many" begins at three [U]."""

FOLDERS: dict[Split, tuple[str, ...]] = {
    "train": ("train", "tier1", "tier3"),
    "val": ("hold",),
    "test": ("test",),
}

DAMAGE = (
    "Compare the building at <region:0> in the two images. How far was it damaged in the second one?",
    "What is the level of damage of the building at <region:0> after the disaster?",
    "Classify the damage of the building at <region:0> in the second image.",
)
HOW_MANY = "How many buildings are affected by the disaster: none, one, two or many?"
COUNTED = "How many buildings were destroyed between the two images?"
FOUND = "Detect all buildings that were destroyed between the two images."


class XbdOptions(ObjectOptions):
    """tasks: classify asks how far buildings are damaged. regions: buildings of each level of damage that are asked
    about in one pair. pairs: whether questions about both dates are asked at all. single: whether buildings of one
    date are."""

    tasks: tuple[Task, ...] = (Task.COUNT, Task.DETECT, Task.GROUND, Task.VQA, Task.CLASSIFY)
    regions: int = Field(2, ge=0)
    pairs: bool = True
    single: bool = True


@dataclass(frozen=True, slots=True)
class _Date:
    """One image with its buildings by uid; the damage is among a box's attributes after the disaster."""

    image: SampleImage
    buildings: dict[str, TrueBox]
    facts: dict[str, str]


def parse_xbd(text: str, problems: Problems, where: str) -> tuple[dict[str, Found], dict[str, str]]:
    """Buildings by uid, as boxes around their polygons in px, and facts of the metadata. Raises ValueError for what
    is no label of xBD."""
    try:
        document = json.loads(text)
        listed, metadata = document["features"]["xy"], document.get("metadata") or {}
        if not isinstance(listed, list) or not isinstance(metadata, dict):
            raise TypeError("features.xy is a list, metadata an object")
    except (KeyError, TypeError) as err:
        raise ValueError(f"it has no features.xy ({err!r})") from err
    found: dict[str, Found] = {}
    for number, one in enumerate(listed, start=1):
        at = f"{where}, feature {number}"
        try:
            about: dict[str, Any] = one["properties"]
            uid, outline = str(about["uid"]), shapely.from_wkt(str(one["wkt"]))
        except (KeyError, TypeError, shapely.errors.ShapelyError) as err:
            problems.add("broken label", at, str(err).splitlines()[0])
            continue
        if uid in found:
            problems.add("duplicate id", at, f"uid {uid} came before; the first is kept")
            continue
        bounds = tuple(float(v) for v in outline.bounds) if not outline.is_empty else (0.0,) * 4
        level = class_name(str(about["subtype"])) if about.get("subtype") else ""
        if level and level not in (*LEVELS, UNKNOWN):
            problems.add("unknown class", at, f"{about['subtype']!r} is no level of damage")
            level = UNKNOWN
        found[uid] = Found("building", bounds, attributes={"damage": level} if level else {})
    kept = {"disaster": "disaster", "disaster_type": "disaster_type", "gsd": "gsd_m", "sensor": "sensor"}
    facts = {name: str(metadata[key]) for key, name in kept.items() if metadata.get(key) not in (None, "")}
    if metadata.get("capture_date"):
        facts["date"] = str(metadata["capture_date"])
    return found, facts


class XbdReader(ObjectReader):
    """Questions about buildings in each image, then about each pair."""

    card = DatasetCard(
        name="xbd",
        title="xBD (xView2)",
        tasks=(Task.COUNT, Task.DETECT, Task.GROUND, Task.VQA, Task.CLASSIFY),
        licence="CC BY-NC-SA 4.0 (second-hand)",
        source="xview2.org",
        layout=(
            "{train,tier3,test,hold}/images/<disaster>_00000012_{pre,post}_disaster.png",
            "{train,tier3,test,hold}/labels/<disaster>_00000012_{pre,post}_disaster.json",
        ),
        splits=("train", "val", "test"),
        counts={"train pairs (train and tier3)": 8_399, "test pairs": 933, "hold pairs, read as val": 933},
        verified="fields from the baseline's code; un-classified buildings are never asked about by damage",
    )
    options = XbdOptions

    def images(
        self, root: Path, split: Split, options: ObjectOptions, problems: Problems
    ) -> Iterator[LabelledImage]:
        """Both dates of each pair, the earlier first."""
        for key, before, after in self._pairs(root, split, options, problems):
            for name, date in (("pre", before), ("post", after)):
                if date is not None:
                    objects = tuple(date.buildings.values())
                    yield LabelledImage(f"{key}-{name}", date.image, objects, ("building",), meta=date.facts)

    def read(self, root: Path, split: Split, options: Options, problems: Problems) -> Iterator[Sample]:
        """Single images first, then pairs; labels are read for each."""
        given = XbdOptions.model_validate(options.model_dump())
        if given.single:
            yield from super().read(root, split, given, problems)
        if given.pairs:
            # What is wrong with a file was counted above already.
            aside = Problems() if given.single else problems
            for key, before, after in self._pairs(root, split, given, aside):
                if before is None or after is None:
                    problems.add("no pair", key, "one of the two dates cannot be used")
                else:
                    yield from self._asked_of(key, before, after, split, given, problems)

    def _pairs(
        self, root: Path, split: Split, options: ObjectOptions, problems: Problems
    ) -> Iterator[tuple[str, _Date | None, _Date | None]]:
        folders = [name for name in FOLDERS[split] if (root / name / "labels").is_dir()]
        if not folders and (root / "labels").is_dir():
            folders = ["."]
        if not folders:
            raise WrongFolderError(root, self.card, f"{FOLDERS[split][0]}/labels")
        for folder in folders:
            posts = sorted((root / folder / "labels").glob("*_post_disaster.json"))
            if folder == "." and not posts:
                raise WrongFolderError(root, self.card, "labels/*_post_disaster.json")
            for post in posts:
                key = post.name.removesuffix("_post_disaster.json")
                dates = [
                    self._date(root, folder, f"{key}_{when}_disaster", options, problems)
                    for when in ("pre", "post")
                ]
                yield key, dates[0], dates[1]

    def _date(
        self, root: Path, folder: str, stem: str, options: ObjectOptions, problems: Problems
    ) -> _Date | None:
        prefix = "" if folder == "." else f"{folder}/"
        where = f"{prefix}labels/{stem}.json"
        try:
            found, facts = parse_xbd((root / where).read_text(encoding="utf-8-sig"), problems, where)
        except FileNotFoundError:
            problems.add("no label", where, "its other date is there, this one is not")
            return None
        except (OSError, ValueError) as err:
            problems.add("broken label", where, str(err))
            return None
        image = look_at(root, f"{prefix}images/{stem}.png", options, problems)
        if image is None:
            return None
        buildings = {}
        for uid, one in found.items():
            for box in cleaned([one], image, (), options, problems, f"{where}, {uid}"):
                buildings[uid] = box
        date = facts.get("date", "")[:10] or None
        return _Date(image.model_copy(update={"date": date}), buildings, facts)

    def _asked_of(
        self, key: str, before: _Date, after: _Date, split: Split, options: XbdOptions, problems: Problems
    ) -> Iterator[Sample]:
        for uid in sorted(after.buildings.keys() - before.buildings.keys()):
            problems.add("no pair", key, f"building {uid} has no outline before the disaster")
        paired = {uid: box for uid, box in after.buildings.items() if uid in before.buildings}
        levels = [box.attributes.get("damage", UNKNOWN) for box in after.buildings.values()]
        if not any(level in LEVELS for level in levels):
            return
        if Task.CLASSIFY in options.tasks:
            yield from self._damage(key, before, after, paired, split, options)
        if UNKNOWN in levels:
            return
        affected = sum(level != "no damage" for level in levels)
        word = AFFECTED[min(affected, 3)]
        changed = tuple(b.model_copy(update={"image": 1}) for b in after.buildings.values()
                        if b.attributes["damage"] != "no damage")  # fmt: skip
        if Task.CLASSIFY in options.tasks and len(changed) <= options.max_objects:
            yield self._sample(
                f"{key}-affected", before, after, split, Task.CLASSIFY, HOW_MANY,
                answer=word, answers=(word,), choices=AFFECTED, boxes=changed,
            )  # fmt: skip
        gone = tuple(b.model_copy(update={"label": "destroyed building"}) for b in changed
                     if b.attributes["damage"] == "destroyed")  # fmt: skip
        if len(gone) > options.max_objects or (
            not gone and share_of(key, options.seed) >= options.absent_share
        ):
            return
        for task, question in ((Task.COUNT, COUNTED), (Task.DETECT, FOUND)):
            if task in options.tasks:
                yield self._sample(
                    f"{key}-destroyed-{task}", before, after, split, task, question,
                    answer=str(len(gone)) if task is Task.COUNT else "", asked=("destroyed building",), boxes=gone,
                )  # fmt: skip

    def _damage(
        self,
        key: str,
        before: _Date,
        after: _Date,
        paired: dict[str, TrueBox],
        split: Split,
        options: XbdOptions,
    ) -> Iterator[Sample]:
        for level in LEVELS:
            uids = [uid for uid, box in paired.items() if box.attributes.get("damage") == level]
            uids.sort(key=lambda uid: share_of(uid, options.seed))
            for uid in uids[: options.regions]:
                box = paired[uid].model_copy(update={"image": 1})
                # The question must not tell the answer: the region is the building, without its damage.
                region = box.model_copy(update={"attributes": {}})
                texts = DAMAGE if options.wording == "varied" else DAMAGE[:1]
                yield self._sample(
                    f"{key}-damage-{uid}", before, after, split, Task.CLASSIFY,
                    texts[int(share_of(uid, "wording") * len(texts))],
                    answer=level, answers=(level,), choices=LEVELS, boxes=(box,), regions=(region,),
                )  # fmt: skip

    def _sample(
        self, name: str, before: _Date, after: _Date, split: Split, task: Task, question: str, **truth: Any
    ) -> Sample:
        return Sample(
            sample_id=f"xbd-{split}-{name}",
            source=self.card.name,
            split=split,
            licence=self.card.licence,
            task=task,
            images=(before.image, after.image),
            question=question,
            meta=after.facts,
            **truth,
        )


READERS: tuple[Reader, ...] = (XbdReader(),)

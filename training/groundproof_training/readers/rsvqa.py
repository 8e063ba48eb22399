"""RSVQA: questions about Sentinel-2 (LR) and aerial (HR) images in three JSON files, joined by id.

Knows that images, questions and answers each carry an `active` flag, and that a split file keeps the inactive ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from groundproof.protocol import Task
from groundproof_training.readers.base import DatasetCard, Options, Problems, Reader, WrongFolderError, is_id
from groundproof_training.readers.sources import Images, check_split, load_json, make, options_of
from groundproof_training.samples import Sample, Split

_PARTS = ("images", "questions", "answers")
_STEPS = (10, 100, 1000)
"""Upper ends of the groups the authors score counts (LR) and areas (HR) in; more is one group."""


class RsvqaOptions(Options):
    """types: only these (GeoVLM-R1 and EarthDial leave out count and area); empty: all. prefix: of the three files,
    where the split's name does not tell. groups: answers to count and area as the authors' groups, not as numbers;
    written groups stay as they are."""

    types: tuple[str, ...] = ()
    prefix: str | None = None
    groups: bool = False


@dataclass(frozen=True, slots=True)
class Rsvqa:
    """One resolution. size: width and height, px. folders: where `<id>.tif` may lie."""

    card: DatasetCard
    size: tuple[int, int]
    folders: tuple[str, ...]
    options: type[Options] = RsvqaOptions

    def read(self, root: Path, split: Split, options: Options, problems: Problems) -> Iterator[Sample]:
        """Question by question, in the file's order."""
        own = options_of(RsvqaOptions, options)
        check_split(self.card, split)
        prefix = own.prefix or self._prefix(root, split)
        tables = []
        for part in _PARTS:
            content = load_json(root, f"{prefix}_{part}.json", self.card)
            rows = content.get(part) if isinstance(content, dict) else None
            if not isinstance(rows, list):
                raise WrongFolderError(root, self.card, f'a list "{part}" in {prefix}_{part}.json')
            tables.append(list(_with_ids(rows, f"{prefix}_{part}.json", problems)))
        return self._samples(root, split, own, problems, tables)

    def _prefix(self, root: Path, split: Split) -> str:
        found = sorted(p.name.removesuffix("_questions.json") for p in root.glob("*_questions.json"))
        fitting = [name for name in found if name == split or name.endswith(f"_{split}")]
        if len(fitting) != 1:
            there = ", ".join(found) or "none"
            said = f"one file *_{split}_questions.json (there: {there}; the option `prefix` names one)"
            raise WrongFolderError(root, self.card, said)
        return fitting[0]

    def _samples(
        self,
        root: Path,
        split: Split,
        options: RsvqaOptions,
        problems: Problems,
        tables: list[list[dict[str, Any]]],
    ) -> Iterator[Sample]:
        pictures, questions, answers = tables
        active = {row.get("id"): row for row in pictures if row.get("active", True)}
        inactive = {row.get("id") for row in pictures} - set(active)
        said: dict[Any, list[str]] = {}
        for row in answers:
            if row.get("active", True) and row.get("answer") is not None:
                said.setdefault(row.get("question_id"), []).append(" ".join(str(row["answer"]).split()))
        images = Images(root, options, problems)
        ids: set[Any] = set()
        for row in questions:
            if not row.get("active", True) or row.get("img_id") in inactive:
                continue
            kind = str(row.get("type") or "")
            if options.types and kind not in options.types:
                continue
            where = f"question {row.get('id')}"
            if row.get("id") in ids:
                problems.add("duplicate id", where, "a question with this id came before")
                continue
            ids.add(row.get("id"))
            if row.get("img_id") not in active:
                problems.add("broken label", where, f"its image {row.get('img_id')} is in no list")
                continue
            wordings = tuple(dict.fromkeys(said.get(row.get("id"), [])))
            if not wordings or not row.get("question"):
                problems.add(
                    "broken label", where, "no active answer" if row.get("question") else "no question"
                )
                continue
            name = f"{row['img_id']}.tif"
            image = images.one_of(tuple(f"{f}/{name}".lstrip("/") for f in self.folders), where, self.size)
            if image is None:
                continue
            question = " ".join(str(row["question"]).split())
            if options.groups:
                wordings = tuple(dict.fromkeys(group_of(kind, w) for w in wordings))
            sample = make(
                problems, where, sample_id=f"{self.card.name}/{split}/{row['id']}", source=self.card.name, split=split,
                licence=self.card.licence, task=Task.VQA, images=(image,), question=question,
                answer=wordings[0], answers=wordings, complete=False, meta={"type": kind},
            )  # fmt: skip
            if sample is not None:
                yield sample


def _with_ids(rows: list[Any], file: str, problems: Problems) -> Iterator[dict[str, Any]]:
    """Rows whose ids can be looked up; others are noted."""
    for number, row in enumerate(rows):
        ids = [row.get(key) for key in ("id", "img_id", "question_id")] if isinstance(row, dict) else []
        if ids and all(one is None or is_id(one) for one in ids):
            yield row
        else:
            problems.add("broken label", f"{file}[{number}]", f"no row with ids: {str(row)[:60]}")


def group_of(kind: str, answer: str) -> str:
    """The group of a count or an area in m2: "427" -> "between 100 and 1000", "35m2" -> "between 10m2 and 100m2".

    Answers of other kinds, and written groups, are returned as they are.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(m2)?", answer)
    if kind not in ("count", "area") or not match:
        return answer
    unit = match[2] or ("m2" if kind == "area" else "")
    value, low = float(match[1]), 0
    if value == 0:
        return f"0{unit}"
    for high in _STEPS:
        if value <= high:
            return f"between {low}{unit} and {high}{unit}"
        low = high
    return f"more than {low}{unit}"


def _card(name: str, title: str, source: str, n: int, what: str) -> DatasetCard:
    return DatasetCard(
        name=name, title=title, tasks=(Task.VQA,), licence="not given by our sources; see the Zenodo record",
        source=source,
        layout=(
            "*_{train,val,test}_images.json, ..._questions.json, ..._answers.json",
            f"{what}/<id>.tif (or images/, or beside the files)",
        ),
        splits=("train", "val", "test"), counts={"images": n},
        verified="Keys, flags and types from the authors' specification; the files' own names, the folder of the "
        "images and the groups of counts and areas (`groups`) are not verified.",
    )  # fmt: skip


def _rsvqa(kind: Literal["lr", "hr"]) -> Reader:
    if kind == "lr":
        card = _card("rsvqa-lr", "RSVQA-LR", "Zenodo 6344334, GitHub syvlo/RSVQA", 772, "Images_LR")
        return Rsvqa(card, (256, 256), ("Images_LR", "images", "Data", ""))
    card = _card("rsvqa-hr", "RSVQA-HR", "Zenodo 6344367, GitHub syvlo/RSVQA", 10_659, "Images_HR")
    return Rsvqa(card, (512, 512), ("Images_HR", "Data", "images", ""))


READERS: tuple[Reader, ...] = (_rsvqa("lr"), _rsvqa("hr"))

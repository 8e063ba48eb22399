"""Rows of answers against the questions they belong to: their own, or those of another file of truth.

Knows keys of rows. Refuses to know formats: a reader gives rows, and makes a question of one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from groundproof_training.evaluation.cases import Case
from groundproof_training.evaluation.prediction_files.base import (
    FileOptions,
    Tally,
    checked,
    clean,
    rows_of,
)
from groundproof_training.evaluation.prediction_files.text_rows import TextCases, TextRow

IDS = ("question_id", "sample_id", "id")
IMAGES = ("image", "image_id", "image_path", "img", "images", "file_name")
QUESTIONS = ("question", "text", "prompt")

Key = tuple[str, ...]


def image_of(row: dict[str, Any], *, whole: bool = False) -> str:
    """The image a row names, as a file's name without folders and ending (whole: as written); "" where it names
    none."""
    for key in IMAGES:
        value = row.get(key)
        if isinstance(value, list) and value:
            value = value[0]
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
            return clean(str(value)) if whole else image_name(str(value))
    return ""


def image_name(path: str) -> str:
    """A file's name without folders and ending."""
    name = PurePosixPath(clean(path).replace("\\", "/")).name
    stem, _, ending = name.rpartition(".")
    return stem if stem and ending.isalnum() and len(ending) <= 4 else name


def question_of(row: dict[str, Any]) -> str:
    """The question a row asks; "" where it tells none."""
    return next((clean(v) for k in QUESTIONS if isinstance(v := row.get(k), str) and v.strip()), "")


def keys_of(row: dict[str, Any], *, whole: bool = False) -> list[Key]:
    """What a row's question can be known by, the surest first: its id; its image and words. [] for neither. whole:
    the image with its folders, which differ between files but not within one."""
    keys: list[Key] = []
    for key in IDS:
        value = row.get(key)
        if isinstance(value, str | int) and not isinstance(value, bool):
            keys.append(("id", clean(str(value))))
            break
    if image := image_of(row, whole=whole):
        keys.append(("image", image, " ".join(question_of(row).casefold().split())))
    return keys


def case_id_of(row: dict[str, Any], number: int, truth: str) -> str:
    """The same for every model: by the row's own id, else by image and question, else by its place and content."""
    keys = keys_of(row, whole=True)
    if keys and keys[0][0] == "id":
        return keys[0][1]
    content = hashlib.sha256(f"{question_of(row)}\n{truth}".encode()).hexdigest()[:12]
    return f"{keys[0][1]}:{content}" if keys else f"{number}:{content}"


@dataclass(slots=True)
class TruthIndex:
    """The questions of a file of truth. cases: without answers. n_images, raw: of each, as the reader of answers needs
    them. by_key: places in `cases`."""

    cases: list[Case] = field(default_factory=list)
    rows: list[TextRow | None] = field(default_factory=list)
    by_key: dict[Key, int] = field(default_factory=dict)
    images: set[str] = field(default_factory=set)

    def add(self, case: Case, keys: list[Key], image: str, row: TextRow | None = None) -> None:
        """One more. A key that two questions share stays the first one's."""
        for key in keys:
            self.by_key.setdefault(key, len(self.cases))
        self.cases.append(case)
        self.rows.append(row)
        self.images.add(image)

    def find(self, row: dict[str, Any]) -> int | None:
        """The place of the question a row answers. An id that is there decides; without one, image and words."""
        for key in keys_of(row):
            if key in self.by_key:
                return self.by_key[key]
        return None


def joined(
    path: Path,
    index: TruthIndex,
    said_of: Callable[[dict[str, Any]], str | None],
    maker: TextCases,
    options: FileOptions,
) -> Iterator[Case]:
    """The cases of a file of answers whose truth is in another file: every question of it once, answered or MISSING.

    Answers to questions that are not there, and second answers, are left out and counted.
    """
    tally = maker.tally
    given: dict[int, Case] = {}
    for where, _, row in rows_of(checked(path, options), tally, options):
        place = index.find(row)
        if place is None:
            image = image_of(row)
            if not keys_of(row):
                tally.leave_out("no question", where, f"neither {' nor '.join(IDS)} nor an image is named")
            elif image and index.images and image not in index.images:
                tally.leave_out("unknown image", where, f"the truth has no question about {image}")
            else:
                tally.leave_out("unknown question", where, f"the truth has no {keys_of(row)[0][-1][:80]!r}")
        elif place in given:
            tally.leave_out(
                "duplicate question",
                where,
                f"{index.cases[place].case_id} was answered before; the first counts",
            )
        else:
            case, asked = index.cases[place], index.rows[place]
            raw, number = (asked.question, asked.n_images) if asked else (case.question, 1)
            given[place] = maker.answered(case, said_of(row), where, number, raw)
    for place, case in enumerate(index.cases):
        if place not in given:
            tally.note("missing prediction", case.case_id, "the truth asks it, the file does not answer it")
        yield given.get(place, case)


@dataclass(slots=True)
class Seen:
    """Questions that were answered before, by what they can be known by."""

    keys: set[Key] = field(default_factory=set)

    def again(self, row: dict[str, Any], where: str, tally: Tally) -> bool:
        """Whether the row's question came before; then it is left out and counted."""
        keys = keys_of(row, whole=True)
        if keys and keys[0] in self.keys:
            tally.leave_out(
                "duplicate question", where, f"{keys[0][-1][:80]!r} was answered before; the first counts"
            )
            return True
        self.keys.update(keys[:1])
        return False


def unique(cases: list[Case]) -> list[Case]:
    """The cases with ids that occur twice told apart by a number behind them."""
    seen: dict[str, int] = {}
    made = []
    for case in cases:
        n = seen[case.case_id] = seen.get(case.case_id, 0) + 1
        made.append(case if n == 1 else replace(case, case_id=f"{case.case_id}#{n}"))
    return made

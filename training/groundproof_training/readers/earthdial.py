"""EarthDial-Instruct: rows of a question, its truth and one to four pictures, in shards by task.

Knows its columns, tags and two list syntaxes of turned boxes. Refuses to take a model's `answer` for the truth: its
published result files have one beside it.

Which way an angle turns: its labels turn **clockwise on screen** in px, as measured on the GeoChat part; its evaluator
turns them the other way on a 0 to 100 grid. Both are options.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from groundproof.protocol import Task
from groundproof_training.readers.base import DatasetCard, Options, Problems, Reader, WrongFolderError
from groundproof_training.readers.conversations import turns_of
from groundproof_training.readers.shards import picture_path, rows_of, shards_below
from groundproof_training.readers.sources import Images, check_split, options_of, strings
from groundproof_training.readers.texts import Grid, plain, tags_of
from groundproof_training.readers.turns import Turn, sample_of
from groundproof_training.samples import Sample, SampleImage, Split

_PICTURES = (("jpg_A", "jpg_B", "jpg_C", "jpg_D"), ("jpg",), ("image",), ("images",))
_TRUTHS = ("gt_bbox", "groundtruth", "groundtruth0", "annotation", "caption0")
"""Columns of the truth, in the shards and in the published result files; the first that is there counts."""
_FURTHER = tuple(f"{name}{n}" for n in range(1, 5) for name in ("groundtruth", "caption"))
_KEPT = {"task_type": "type", "ttype": "type", "vqa_type": "type", "size_group": "size_group"}

CARD = DatasetCard(
    name="earthdial-instruct",
    title="EarthDial-Instruct",
    tasks=(
        Task.GROUND,
        Task.REGION_CAPTION,
        Task.GROUNDED_CAPTION,
        Task.CAPTION,
        Task.CLASSIFY,
        Task.VQA,
        Task.CHANGE,
    ),
    licence="not given for the data (code MIT); its parts keep their own: xBD CC BY-NC-SA 4.0, DOTA academic, ...",
    source="Hugging Face akshaydudhane/EarthDial-Dataset",
    layout=(
        "any folders with data-*.arrow (as `datasets` saves to disk), *.parquet or *.jsonl",
        "the split is read from their path: test, val(id) or, without either word, train",
    ),
    splits=("train", "val", "test"),
    counts={"pairs": 11_110_000},
    verified="Columns (jpg or jpg_A to jpg_D; conversations as JSON text; question, groundtruth, ttype, size_group) as "
    "the authors' code reads them; questions and truths parsed from their published result files. The shards and their "
    "folders were not seen by us.",
)


class EarthDialOptions(Options):
    """include: a glob of shards below the root. pictures: folder below the root to which pictures inside the shards are
    written. clockwise, turned_in: what an angle means, see the module."""

    include: str = "**/*"
    pictures: str = "groundproof-pictures"
    clockwise: bool = True
    turned_in: Literal["pixels", "grid"] = "pixels"

    @property
    def grid(self) -> Grid:
        """Of its boxes."""
        return Grid(clockwise=self.clockwise, turned_in=self.turned_in)


class EarthDial:
    """See the module."""

    card = CARD
    options = EarthDialOptions

    def read(self, root: Path, split: Split, options: Options, problems: Problems) -> Iterator[Sample]:
        """Shard by shard, by name, row by row."""
        own = options_of(EarthDialOptions, options)
        check_split(CARD, split)
        files = shards_below(root, own.include) if root.is_dir() else []
        if not files:
            raise WrongFolderError(root, CARD, "a shard (data-*.arrow, *.parquet or *.jsonl)")
        files = [f for f in files if split_of(f.relative_to(root)) == split]
        if not files:
            raise WrongFolderError(root, CARD, f"a shard of the split {split}, by the words of its path,")
        return self._samples(root, split, own, problems, files)

    def _samples(
        self, root: Path, split: Split, options: EarthDialOptions, problems: Problems, files: list[Path]
    ) -> Iterator[Sample]:
        images = Images(root, options, problems)
        for file in files:
            shard = file.relative_to(root).with_suffix("").as_posix()
            for number, row in rows_of(file, problems):
                where = f"{shard}[{number}]"
                pictures = _pictures(row, root, options, images, problems, where)
                if pictures:
                    fields = {
                        "sample_id": f"earthdial/{shard}/{number}", "source": CARD.name, "split": split,
                        "licence": CARD.licence, "meta": {"shard": shard},
                    }  # fmt: skip
                    yield from samples_of_row(row, pictures, fields, options.grid, problems, where)


def split_of(path: Path) -> Split:
    """By the words of a shard's path, which capitals and signs divide: "xBD_TestSet" is test, "Naval" is not val."""
    words = [word.casefold() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", path.as_posix())]
    if any(word.startswith("test") for word in words):
        return "test"
    return "val" if any(word in ("val", "valid", "valset", "validation") for word in words) else "train"


def samples_of_row(
    row: dict[str, Any],
    pictures: tuple[SampleImage, ...],
    fields: dict[str, Any],
    grid: Grid,
    problems: Problems,
    where: str,
) -> Iterator[Sample]:
    """The samples of one row: one for each turn of its conversation, or the one question. fields: what they share."""
    turns: list[tuple[str, str, tuple[str, ...]]]
    if row.get("conversations"):
        turns = [(q, a, ()) for q, a in turns_of(_opened(row), problems, where)]
    else:
        turns = _single(row, problems, where)
    kept = {_KEPT[key]: str(row[key]).strip('"') for key in _KEPT if row.get(key)}
    for number, (question, answer, captions) in enumerate(turns):
        tags = tags_of(question)
        meta = {**kept, **({"modality": tags[-1]} if tags and "_" in tags[-1] else {})}
        own = {**fields, "sample_id": f"{fields['sample_id']}/{number}"}
        on = _on(question, len(pictures))
        sample = sample_of(
            Turn(question, answer, pictures, own, grid, captions, on, meta=meta), problems, where
        )
        if sample is not None:
            yield sample


def _single(row: dict[str, Any], problems: Problems, where: str) -> list[tuple[str, str, tuple[str, ...]]]:
    question = row.get("question")
    key = next((k for k in _TRUTHS if isinstance(row.get(k), str) and row[k].strip()), None)
    if not isinstance(question, str) or key is None:
        problems.add("broken label", where, "no question, or no truth beside it")
        return []
    first, *more = _listed(row[key])
    further = [row[k] for k in _FURTHER if isinstance(row.get(k), str) and plain(row[k])]
    return [(question, first, (*more, *further))]


def _listed(text: str) -> list[str]:
    """A truth that is a JSON list of sentences in a text (SYSU's) as its sentences."""
    if text.strip().startswith('["'):
        try:
            return strings(json.loads(text)) or [text]
        except ValueError:
            return [text]
    return [text]


def _opened(row: dict[str, Any]) -> dict[str, Any]:
    """The row with its conversation as a list: the shards keep it as JSON text, some with one more level."""
    said = row["conversations"]
    if isinstance(said, str):
        try:
            said = json.loads(said)
        except ValueError:
            said = None
    return {"conversations": said.get("conversations") if isinstance(said, dict) else said}


def _on(question: str, n_images: int) -> int:
    """On which date boxes lie: the last, unless only the one before a disaster is spoken of."""
    words = question.casefold()
    return 0 if "pre-disaster" in words and "post-disaster" not in words else n_images - 1


def _pictures(
    row: dict[str, Any], root: Path, options: EarthDialOptions, images: Images, problems: Problems, where: str
) -> tuple[SampleImage, ...]:
    """All pictures of the row; none where one of them cannot be used."""
    keys = next((keys for keys in _PICTURES if row.get(keys[0]) is not None), None)
    if keys is None:
        problems.add(
            "no image",
            where,
            "no column of pictures (jpg, jpg_A, image); bands are not shown",
        )
        return ()
    values = [v for key in keys if (v := row.get(key)) is not None]
    values = [one for value in values for one in (value if isinstance(value, list) else [value])]
    shown = []
    for value in values:
        path = picture_path(root, options.pictures, value, problems, where)
        image = images.get(path, where) if path is not None else None
        if image is None:
            return ()
        shown.append(image)
    return tuple(shown)


READERS: tuple[Reader, ...] = (EarthDial(),)

"""A row's samples, with paths below the common data root and ids that are unique in the whole build.

Knows readers by name. Refuses to know what becomes of the samples.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from pydantic import ValidationError

from groundproof_training.build.composition import Composition, Origin, Row
from groundproof_training.errors import TrainingError
from groundproof_training.leakage.audit import Part, original_of
from groundproof_training.readers.archives import unpacked
from groundproof_training.readers.base import DatasetCard, Options, Problems, Reader
from groundproof_training.readers.registry import reader
from groundproof_training.samples import Sample, Split


def card_of(row: Row) -> DatasetCard:
    """Raises TrainingError for a reader or a split that is not there."""
    card = _reader(row).card
    for split in row.splits:
        if split not in card.splits:
            raise TrainingError(
                f"row {row.name}: {card.title} has no split {split!r}; it has {', '.join(card.splits)}."
            )
    return card


def _reader(row: Row) -> Reader:
    try:
        return reader(row.reader)
    except TrainingError as err:
        raise TrainingError(f"row {row.name}: {err}") from err


def options_of(row: Row, **forced: object) -> Options:
    """The reader's options as the row gives them; `forced` ones that the reader has win. Raises TrainingError."""
    kind = _reader(row).options
    given = dict(row.options)
    if row.tasks and "tasks" in kind.model_fields:
        given.setdefault("tasks", row.tasks)
    given |= {name: value for name, value in forced.items() if name in kind.model_fields}
    try:
        return kind.model_validate(given)
    except ValidationError as err:
        first = err.errors()[0]
        at = ".".join(map(str, first["loc"]))
        raise TrainingError(f"row {row.name}: the option {at} = {first['input']!r}: {first['msg']}.") from err


def folder_of(row: Row, data: Path) -> Path | None:
    """Where the row's dataset lies: a folder, or a zip of that name; None where it is not there. A reader that makes
    its data itself needs none."""
    place = data / row.folder
    if place.exists():
        return place
    packed = place.with_name(f"{place.name}.zip")
    if packed.is_file():
        return packed
    return place if row.reader == "procedural" else None


def read_row(row: Row, data: Path, problems: Problems, **forced: object) -> Iterator[Sample]:
    """Its samples of all its splits, as the official splits call them. Raises TrainingError where the folder is missing
    or wrong."""
    card, place = card_of(row), folder_of(row, data)
    options = options_of(row, **forced)
    if place is None:
        raise TrainingError(
            f"row {row.name}: {data / row.folder} is not there. {card.title} comes from {card.source}."
        )
    root = unpacked(place)
    below = Path(os.path.relpath(root, data)).as_posix()
    seen: set[str] = set()

    def samples() -> Iterator[Sample]:
        for split in row.splits:
            for sample in _reader(row).read(root, split, options, problems):
                if row.tasks and sample.task not in row.tasks:
                    continue
                if sample.sample_id in seen:
                    problems.add(
                        "duplicate id", f"{row.name}: {sample.sample_id}", "a sample of this id came before"
                    )
                    continue
                seen.add(sample.sample_id)
                images = tuple(i.model_copy(update={"path": _joined(below, i.path)}) for i in sample.images)
                yield sample.model_copy(
                    update={"images": images, "sample_id": f"{row.name}/{sample.sample_id}"}
                )

    try:
        yield from islice(samples(), row.limit)
    except (OSError, UnicodeDecodeError) as err:
        raise TrainingError(f"row {row.name}: {root} could not be worked through to its end: {err}") from err


def _joined(below: str, path: str) -> str:
    return path if below == "." else f"{below}/{path}"


def split_of(sample: Sample, composition: Composition, origin: Origin | None = None) -> Split:
    """train or val, by the picture: all questions about one file (whatever its windows) go together, and about all
    files that names say were cut from one original. Else the audit would drop most of an original from train because
    one patch of it is in val."""
    image = sample.images[0]
    cut_from = None if origin is None else original_of(image.path, (origin.family, origin.pattern))
    name = f"{composition.seed}:{cut_from or image.sha256 or image.path}"
    drawn = int(hashlib.sha256(name.encode()).hexdigest()[:12], 16) / 16**12
    return "val" if drawn < composition.val_share else "train"


def audit_parts_of(composition: Composition, data: Path, problems: Problems) -> Iterator[Part]:
    """Every row that is there, by its official splits; for `audit-splits CONFIG.toml`."""
    for row in composition.rows:
        card = card_of(row)
        if folder_of(row, data) is None:
            problems.add(
                "no dataset", row.name, f"{data / row.folder} is not there; {card.title} was not looked at"
            )
            continue
        for split in row.splits:
            one = row.model_copy(update={"splits": (split,)})
            origin = (row.origin.family, row.origin.pattern) if row.origin else None
            yield Part(row.name, split, data, read_row(one, data, problems, decode=False), origin)

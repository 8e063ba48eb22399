"""What readers of texts share: images looked at once, JSON read without holding all of it, shares drawn by name.

Knows files and problems. Refuses to know any dataset.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from groundproof_training.errors import TrainingError
from groundproof_training.readers.base import DatasetCard, Options, Problems, WrongFolderError, look_at
from groundproof_training.samples import Sample, SampleImage, Split

O = TypeVar("O", bound=Options)  # noqa: E741 - the usual letter of "options"

_CHUNK = 1 << 20
"""Characters read at a time from a JSON list."""


def options_of(kind: type[O], given: Options) -> O:
    """The options as the reader's own class; keys of another class are refused. Raises TrainingError."""
    if isinstance(given, kind):
        return given
    try:
        return kind.model_validate(given.model_dump())
    except ValidationError as err:
        raise TrainingError(f"these options are not for this reader: {err.errors()[0]['msg']}") from err


def check_split(card: DatasetCard, split: Split) -> None:
    """Raises TrainingError for a split the dataset has none of."""
    if split not in card.splits:
        raise TrainingError(f"{card.title} has no split {split!r}; it has {', '.join(card.splits)}.")


@dataclass(slots=True)
class Images:
    """The pictures of one dataset, each looked at once however many samples ask for it."""

    root: Path
    options: Options
    problems: Problems
    seen: dict[str, SampleImage | None] = field(default_factory=dict)

    def get(self, path: str, where: str, size: tuple[int, int] | None = None) -> SampleImage | None:
        """The picture at root/path. None where it cannot be used: the picture is noted as a problem once, each sample
        that needs it as one of its own. size: width and height by the labels, for when no image is needed."""
        if path not in self.seen:
            self.seen[path] = look_at(self.root, path, self.options, self.problems, size)
        image = self.seen[path]
        if image is None:
            self.problems.add("sample without its image", where, path)
        return image

    def one_of(
        self, paths: tuple[str, ...], where: str, size: tuple[int, int] | None = None
    ) -> SampleImage | None:
        """The first of the paths that is there; where none is, the first is noted as missing."""
        there = next((p for p in paths if self.seen.get(p) or (self.root / p).is_file()), paths[0])
        return self.get(there, where, size)


def make(problems: Problems, where: str, **fields: Any) -> Sample | None:
    """The sample; None, and a problem noted, where its parts do not fit together."""
    try:
        return Sample(**fields)
    except ValidationError as err:
        first = err.errors()[0]
        problems.add("broken label", where, f"{'.'.join(str(p) for p in first['loc'])}: {first['msg']}")
        return None


def load_json(root: Path, path: str, card: DatasetCard) -> Any:
    """A whole JSON file. Raises WrongFolderError where it is missing or no JSON."""
    try:
        return json.loads((root / path).read_text(encoding="utf-8-sig"))
    except FileNotFoundError as err:
        raise WrongFolderError(root, card, path) from err
    except (OSError, ValueError) as err:
        raise WrongFolderError(root, card, f"{path} as JSON ({err})") from err


def json_lines(file: Path, problems: Problems) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line number, counted from 1, and object of a JSON-lines file; other lines are noted."""
    with file.open("rb") as lines:
        for number, raw in enumerate(lines, start=1):
            if not raw.strip():
                continue
            try:
                line = raw.decode("utf-8-sig" if number == 1 else "utf-8")
                record = json.loads(line)
            except ValueError as err:
                problems.add("broken label", f"{file.name}:{number}", f"no JSON: {err}")
                continue
            if isinstance(record, dict):
                yield number, record
            else:
                problems.add("broken label", f"{file.name}:{number}", f"not an object: {line.strip()[:60]}")


_GAP = re.compile(r"[\s,\ufeff]*")


def json_list(file: Path, problems: Problems) -> Iterator[tuple[int, dict[str, Any]]]:
    """Place, counted from 0, and object of a file that is one JSON list, read piece by piece: instruction sets have
    gigabytes. A file that breaks off yields what came before, and the break is noted."""
    decoder = json.JSONDecoder()
    with file.open(encoding="utf-8-sig", errors="replace") as source:
        text = source.read(_CHUNK)
        start = _GAP.match(text)
        at = start.end() if start else 0
        if text[at : at + 1] != "[":
            problems.add("broken label", file.name, "it is not a JSON list")
            return
        at, number, more = at + 1, 0, True
        while True:
            gap = _GAP.match(text, at)
            at = gap.end() if gap else at
            if text[at : at + 1] == "]":
                return
            broken = ""
            try:
                record, end = decoder.raw_decode(text, at)
            except ValueError as err:
                record, end, broken = None, len(text), str(err)
            if end == len(text) and more:
                # Half an object, or a number that may go on: more of the file tells.
                piece = source.read(max(_CHUNK, len(text) - at))
                more = bool(piece)
                text, at = text[at:] + piece, 0
                continue
            if broken:
                said = f"no JSON from here on: {broken}" if text[at:].strip() else "the list has no end"
                problems.add("broken label", f"{file.name}[{number}]", said)
                return
            unreadable = "\ufffd" in text[at:end]
            at = end
            if unreadable:
                problems.add("broken label", f"{file.name}[{number}]", "bytes that are no UTF-8")
            elif isinstance(record, dict):
                yield number, record
            else:
                problems.add("broken label", f"{file.name}[{number}]", f"not an object: {str(record)[:60]}")
            number += 1


def records(file: Path, problems: Problems) -> Iterator[tuple[int, dict[str, Any]]]:
    """Number and object of a `.jsonl` or `.json` file."""
    return json_lines(file, problems) if file.suffix == ".jsonl" else json_list(file, problems)


def share(seed: int, name: str) -> float:
    """A number in [0, 1) that depends on the seed and the name alone: what a file falls to does not change when other
    files come or go."""
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def strings(value: Any) -> list[str]:
    """The texts of a value that should be a list of texts; others are left out, a single text is a list of one."""
    if isinstance(value, str):
        return [value]
    return [v for v in value if isinstance(v, str)] if isinstance(value, list) else []

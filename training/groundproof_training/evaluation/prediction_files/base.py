"""What every format of predictions shares: options, limits, and the account of what was read and what was left out.

Knows rows and their number. Refuses to know formats and metrics. Files are untrusted: sizes are bounded, nothing in
them is evaluated, and what is shown of them is printable.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field

from groundproof_training.errors import TrainingError
from groundproof_training.evaluation.cases import Case, Family
from groundproof_training.evaluation.prediction_files.json_stream import BrokenJsonError, items
from groundproof_training.progress import Progress
from groundproof_training.readers.base import Problems

Say = Callable[[str], None]


def silent(_line: str) -> None:
    """Says nothing."""


WRONG_FRAME = "wrong frame"
MIXED = "mixed tasks"
"""Kinds of problems that are warnings too."""


class Frame(StrEnum):
    """What the numbers of a box mean."""

    FRACTION = "fraction"
    PERCENT = "percent"
    PER_MILLE = "per-mille"
    PX = "px"

    @property
    def full(self) -> float | None:
        """The number of the right or lower edge; None where that is the image's size."""
        return {Frame.FRACTION: 1.0, Frame.PERCENT: 100.0, Frame.PER_MILLE: 1000.0}.get(self)


class FileOptions(BaseModel):
    """What a reader of predictions can be told. Frozen; unknown keys are refused.

    frame: of the boxes; None: the format's own. family: how every row is compared; None: by each row's content.
    clockwise: which way an angle turns on screen; None: as the format's own evaluator turns it. max_mb: of a file.
    max_line_mb: of one row. max_rows: of a file.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    frame: Frame | None = None
    family: Family | None = None
    clockwise: bool | None = None
    max_mb: float = Field(4096, gt=0)
    max_line_mb: float = Field(8, gt=0)
    max_rows: int = Field(20_000_000, gt=0)


@dataclass(slots=True)
class Tally:
    """The account of one file. rows: those that were there, broken ones too. left_out: those of them that gave no
    case. warnings: sentences about the whole file. progress: told of every row, where somebody waits."""

    problems: Problems = field(default_factory=Problems)
    rows: int = 0
    left_out: int = 0
    warnings: list[str] = field(default_factory=list)
    progress: Progress | None = None

    @classmethod
    def telling(cls, say: Say) -> Tally:
        """One that says now and then how many rows were read."""
        return cls(progress=Progress(say, "rows"))

    def row(self) -> None:
        """One more row is there."""
        self.rows += 1
        if self.progress is not None:
            self.progress.step()

    def leave_out(self, kind: str, where: str, sentence: str) -> None:
        """One more row is no case, and why."""
        self.left_out += 1
        self.problems.add(kind, where, shown(sentence))

    def note(self, kind: str, where: str, sentence: str) -> None:
        """Something is wrong with a row that is a case all the same."""
        self.problems.add(kind, where, shown(sentence))

    def wrong_frame(self, where: str, sentence: str | None) -> None:
        """The boxes look like another frame than they were taken in; None: they do not."""
        if sentence is not None:
            self.problems.add(WRONG_FRAME, where, sentence)
            self.warnings.append(sentence)


@dataclass(frozen=True, slots=True)
class Loaded:
    """One file of predictions as cases. rows, left_out, warnings: see `Tally`. facts: figures of the whole file, such
    as the coverage of a run."""

    cases: tuple[Case, ...]
    problems: Problems
    rows: int
    left_out: int
    warnings: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, cases: list[Case], tally: Tally, **facts: Any) -> Loaded:
        """The account closed. Rows of several families are no mistake, and said all the same."""
        families = Counter(case.family for case in cases)
        if len(families) > 1:
            each = ", ".join(f"{families[family]:,} {family}" for family in Family if families[family])
            sentence = f"it holds {len(families)} kinds of questions ({each}); each is scored by itself"
            tally.problems.counts[MIXED] = len(families)
            tally.problems.examples[MIXED].append(sentence)
            tally.warnings.append(sentence)
        return cls(
            tuple(cases), tally.problems, tally.rows, tally.left_out, tuple(tally.warnings), dict(facts)
        )

    def by_family(self) -> dict[Family, list[Case]]:
        """The cases of each family, in the order of `Family`."""
        parts = {family: [case for case in self.cases if case.family is family] for family in Family}
        return {family: cases for family, cases in parts.items() if cases}


class Format(Protocol):
    """Reads one format."""

    name: str
    summary: str

    def read(self, path: Path, truth: Path | None, options: FileOptions, say: Say = silent) -> Loaded:
        """All cases of a file. truth: another file with what is true, where the format allows or needs one. say: is
        told how far it is. Raises TrainingError where no case can be made at all."""
        ...


def shown(text: object, length: int = 160) -> str:
    """A text of a file on one line, printable and cut, so that no example can steer a terminal."""
    line = " ".join(str(text)[: 4 * length].split())
    safe = "".join(c if c.isprintable() else "\ufffd" for c in line)
    return safe if len(safe) <= length else f"{safe[: length - 3]}..."


def clean(text: str) -> str:
    """A text without halves of surrogate pairs, which JSON can spell and no file can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def text_of(value: Any) -> str | None:
    """A value of a row as text: a number or a list as JSON writes it; None for nothing."""
    if value is None:
        return None
    if isinstance(value, str):
        return clean(value)
    return clean(json.dumps(value, ensure_ascii=False))


_UNREAD = {
    b"\x1f\x8b": "compressed by gzip; unpack it first",
    b"PK\x03\x04": "a zip archive; unpack it first",
    b"\x28\xb5\x2f\xfd": "compressed by zstd; unpack it first",
    b"\xff\xfe": "text in UTF-16; save it as UTF-8",
    b"\xfe\xff": "text in UTF-16; save it as UTF-8",
}
"""How files begin whose lines could only be called broken, and what to do with them."""


def checked(path: Path, options: FileOptions, what: str = "predictions") -> Path:
    """The path. Raises TrainingError for one that is no file, too large, compressed or not in UTF-8 from the start."""
    if not path.is_file():
        raise TrainingError(f"{path} is not a file of {what}; give the path of one.")
    size = path.stat().st_size / 1e6
    if size > options.max_mb:
        raise TrainingError(
            f"{path} has {size:,.0f} MB, and files of {what} up to {options.max_mb:,.0f} MB are read; split it."
        )
    with path.open("rb") as file:
        head = file.read(4)
    for begin, wrong in _UNREAD.items():
        if head.startswith(begin):
            raise TrainingError(f"{path} is {wrong}.")
    return path


def rows_of(path: Path, tally: Tally, options: FileOptions) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Where ("file:line"), number of the line counted from 1, and object of each row of JSON lines; a file that is one
    JSON list is read too, by place ("file[0]"). What is no object is left out and counted. Empty lines are no rows.

    Raises TrainingError for more rows than `max_rows`.
    """
    listed = _begins_with_list(path)
    for where, number, row in (
        _from_list(path, tally, options) if listed else _from_lines(path, tally, options)
    ):
        if tally.rows > options.max_rows:
            raise TrainingError(f"{path} has more than {options.max_rows:,} rows; split it.")
        if isinstance(row, dict):
            yield where, number, row
        elif row is not _BROKEN:
            tally.leave_out("broken line", where, f"not an object: {shown(row, 60)}")


_BROKEN = object()


def _from_lines(path: Path, tally: Tally, options: FileOptions) -> Iterator[tuple[str, int, Any]]:
    limit = int(options.max_line_mb * 1e6)
    with path.open("rb") as file:
        number = 0
        while raw := file.readline(limit + 1):
            number += 1
            where = f"{path.name}:{number}"
            if len(raw) > limit and not raw.endswith(b"\n"):
                while (rest := file.readline(limit)) and not rest.endswith(b"\n"):
                    pass
                tally.row()
                tally.leave_out("line too long", where, f"it has more than {options.max_line_mb:g} MB")
                continue
            if not raw.strip(b" \t\r\n\0\xef\xbb\xbf"):
                continue
            tally.row()
            try:
                row = json.loads(raw.decode("utf-8-sig" if number == 1 else "utf-8"))
            except (ValueError, RecursionError) as err:
                tally.leave_out("broken line", where, f"no JSON: {err}")
                row = _BROKEN
            yield where, number, row


def _from_list(path: Path, tally: Tally, options: FileOptions) -> Iterator[tuple[str, int, Any]]:
    number = 0
    try:
        for number, row in enumerate(items(path, limit=int(options.max_line_mb * 1e6)), start=1):
            tally.row()
            yield f"{path.name}[{number - 1}]", number, row
    except BrokenJsonError as err:
        tally.row()
        tally.leave_out("broken line", f"{path.name}[{number}]", f"no JSON from here on: {err}")


def _begins_with_list(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4096).lstrip(b" \t\r\n\xef\xbb\xbf").startswith(b"[")

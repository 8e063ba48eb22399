"""What was tried and what came of it, one line a sample, appended and synced: a run that was killed goes on from here.

Knows lines. Refuses to know samples' truth and teachers.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from groundproof_training.rationales.prompting import PROMPT_VERSION
from groundproof_training.samples import Rationale, Sample

Outcome = Literal["accepted", "rejected", "unanswered"]


class Attempt(BaseModel):
    """One text of a teacher. text: as it came, "" without an answer. rules, reasons: of the verifier, or the kind and
    sentence of what went wrong. tokens, seconds: what it cost."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    rules: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    input_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0
    answered: bool = True


class Entry(BaseModel):
    """What became of one sample. key: of `key_of`. unanswered entries are asked anew in the next run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    sample_id: str
    outcome: Outcome
    rationale: Rationale | None = None
    attempts: tuple[Attempt, ...] = ()


def key_of(sample: Sample, teacher: str, profile: str) -> str:
    """By content: hashes of the images, all the sample says, the prompt's version, the teacher and the notation."""
    truth = sample.model_dump(mode="json", exclude={"rationale", "sample_id", "split"})
    for image in truth["images"]:
        if image["sha256"]:
            image["path"] = ""  # the same picture may lie elsewhere tomorrow
    text = json.dumps([truth, PROMPT_VERSION, teacher, profile], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


class Ledger:
    """A context manager over FOLDER/*.jsonl. Every run appends to a file of its own; all are read. Only keys and
    places are kept in memory."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._where: dict[str, tuple[Path, int]] = {}
        self.broken = 0
        """Lines that a kill cut short."""
        for part in sorted(folder.glob("*.jsonl")):
            for key, place in self._keys(part):
                self._where[key] = part, place
        number = 1 + max((int(p.stem) for p in folder.glob("*.jsonl") if p.stem.isdecimal()), default=0)
        self._part = folder / f"{number:06}.jsonl"
        self._file = self._part.open("ab")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        if self._part.stat().st_size == 0:
            self._part.unlink()

    def _keys(self, part: Path) -> Iterator[tuple[str, int]]:
        place = 0
        with part.open("rb") as file:
            for line in file:
                try:
                    entry = Entry.model_validate_json(line)
                except ValidationError:
                    self.broken += 1
                else:
                    if entry.outcome != "unanswered":
                        yield entry.key, place
                place += len(line)

    def find(self, key: str) -> Entry | None:
        """The newest entry of that key that need not be asked again."""
        if key not in self._where:
            return None
        part, place = self._where[key]
        with part.open("rb") as file:
            file.seek(place)
            return Entry.model_validate_json(file.readline())

    def keep(self, entry: Entry) -> None:
        """Append and sync; after this the entry survives a kill. Raises OSError when the disk is full."""
        place = self._file.tell()
        self._file.write(entry.model_dump_json().encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        if entry.outcome != "unanswered":
            self._where[entry.key] = self._part, place

"""Answers that were given, in an append-only file: a finished question is never asked again.

Knows rows and keys. Refuses to know models and samples.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from groundproof_training.errors import TrainingError

NAME = "answers.jsonl"


class NotKeptError(TrainingError):
    """The disk does not take an answer; asking on would be wasted."""


@dataclass(frozen=True, slots=True)
class Key:
    """What an answer depends on. prompt: a hash of system text, user text, and the pictures as they are shown (content,
    window, size). decoding: a hash of how tokens are chosen and how many."""

    case_id: str
    model: str
    prompt: str
    decoding: str


@dataclass(frozen=True, slots=True)
class Kept:
    """One answer. finish: "stop", "length" or "error". seconds: its share of the time that was waited. logprobs:
    (characters, natural log-probability) of the pieces the text came in, where they tell scores of boxes."""

    key: Key
    text: str
    finish: str
    error: str = ""
    seconds: float = 0.0
    logprobs: tuple[tuple[int, float | None], ...] = ()


class Answers:
    """The file of one evaluation, all models and entries in it. path: None: nothing is kept.

    A later row of a key takes the place of an earlier one. Lines that cannot be read (a kill breaks the last one off)
    are in `broken` and count as not asked.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.broken: list[int] = []
        self._kept: dict[Key, Kept] = {}
        self._ends_open = False
        if path is not None and path.is_file():
            self._read(path)

    def find(self, key: Key) -> Kept | None:
        """The answer to exactly this, if there is one."""
        return self._kept.get(key)

    def of_model(self, model: str) -> list[Kept]:
        """All answers of a model."""
        return [one for key, one in self._kept.items() if key.model == model]

    def keep(self, rows: Iterable[Kept]) -> None:
        """Append them in one write and wait until the disk has them. Raises NotKeptError where that fails."""
        rows = list(rows)
        for row in rows:
            self._kept[row.key] = row
        if self.path is None or not rows:
            return
        text = "".join(json.dumps(asdict(row), ensure_ascii=True) + "\n" for row in rows)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.write("\n" + text if self._ends_open else text)
                file.flush()
                os.fsync(file.fileno())
        except OSError as err:
            raise NotKeptError(
                f"Answers cannot be kept in {self.path} ({err.strerror or err}). Those before are. Give "
                "another --out, or make room where the disk is full, and run the same command again."
            ) from err
        self._ends_open = False

    def _read(self, path: Path) -> None:
        raw = path.read_bytes()
        self._ends_open = bool(raw) and not raw.endswith(b"\n")
        for number, line in enumerate(raw.split(b"\n"), start=1):
            if not line.strip():
                continue
            row = _row(line)
            if row is None:
                self.broken.append(number)
            else:
                self._kept[row.key] = row


def _row(line: bytes) -> Kept | None:
    try:
        document: Any = json.loads(line)
        key = Key(**document.pop("key"))
        pieces = tuple((int(n), None if p is None else float(p)) for n, p in document.pop("logprobs", ()))
        row = Kept(key, **document, logprobs=pieces)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
        return None
    texts = (*asdict(key).values(), row.text, row.finish, row.error)
    fits = all(isinstance(one, str) for one in texts) and isinstance(row.seconds, float | int)
    return row if fits and all(n >= 0 for n, _ in pieces) else None

"""What a batch came to, in numbers and sentences: scenes, tiles, and one line for every question.

Knows `Tables`, which it reads in chunks. Refuses to know terminals and files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from groundproof.frames import named_rows
from groundproof.tables import FAILED, NOT_COUNTED, Tables
from groundproof.wording import joined

NAMED = 5
"""Answers named one by one for each question."""


@dataclass(slots=True)
class QuestionSummary:
    """The answers to one question. total: of counts; None where the question does not count."""

    question: str
    task: str
    answers: int = 0
    could_not_say: int = 0
    """No value: not (all) looked at, or nothing the model knows."""
    total: int | None = None
    with_some: int = 0
    """Answers with a count or a list above none, or yes."""
    most: list[tuple[int, str]] = field(default_factory=list)
    """(count, place), the largest first."""
    values: Counter[str] = field(default_factory=Counter)
    """Classes and short texts, how often each was given."""

    def add(self, place: str, value: Any) -> None:
        """One more answer."""
        self.answers += 1
        if value is None or value != value:
            self.could_not_say += 1
        elif isinstance(value, bool):
            self.with_some += value
            self.values["yes" if value else "no"] += 1
        elif isinstance(value, int | float | list) and self.task in _COUNTED:
            count = len(value) if isinstance(value, list) else int(value)
            self.total = (self.total or 0) + count
            self.with_some += count > 0
            if count:
                self.most = sorted([*self.most, (count, place)], key=lambda one: (-one[0], one[1]))[:NAMED]
        else:
            for one in value if isinstance(value, list) else [value]:
                self.values[str(one)[:60]] += 1

    def sentence(self) -> str:
        """For a person."""
        parts = []
        if self.total is not None:
            parts.append(f"{self.total:,} in all, in {self.with_some:,} of {self.answers:,} answers")
            if self.most and len(self.most) < self.with_some:
                parts.append("most in " + joined([f"{place} ({n:,})" for n, place in self.most]))
            elif self.most:
                parts.append(joined([f"{place} ({n:,})" for n, place in self.most]))
        if self.values:
            parts.append(joined([f"{value} ({n:,})" for value, n in self.values.most_common(NAMED)]))
            if len(self.values) > NAMED:
                parts.append(f"and {len(self.values) - NAMED:,} other answers")
        if self.could_not_say:
            parts.append(f"{self.could_not_say:,} could not say")
        return "; ".join(parts) or "no answer"


_COUNTED = ("count", "detect", "ground", "change")


@dataclass(frozen=True, slots=True)
class BatchSummary:
    """Counts by status, and the questions in their order."""

    scenes: Mapping[str, int]
    tiles: Mapping[str, int]
    evidence: int
    not_counted: Mapping[str, int]
    """Boxes that are no part of a count, by verdict."""
    questions: tuple[QuestionSummary, ...]

    @property
    def failed_tiles(self) -> int:
        """Tiles (each once for every question) that were tried, or not asked, and gave no usable answer."""
        return sum(n for status, n in self.tiles.items() if status in _NOT_LOOKED_AT)

    @property
    def failed(self) -> bool:
        """Whether anything was not looked at that should have been."""
        return bool(self.failed_tiles or self.scenes.get("failed"))

    def scenes_sentence(self) -> str:
        """ "312 scenes: 309 looked at, 1 outside the area asked about, 2 failed"."""
        parts = [f"{self.scenes.get('ok', 0):,} looked at"]
        if self.scenes.get("skipped"):
            parts.append(f"{self.scenes['skipped']:,} outside the area asked about")
        if self.scenes.get("failed"):
            parts.append(f"{self.scenes['failed']:,} failed")
        total = sum(self.scenes.values())
        return f"{total:,} {'scene' if total == 1 else 'scenes'}: {', '.join(parts)}"

    def evidence_sentence(self) -> str:
        """ "1,765 boxes, 408 of them not counted (duplicate 408)"."""
        left = sum(self.not_counted.values())
        kinds = ", ".join(f"{verdict} {n:,}" for verdict, n in self.not_counted.items())
        return f"{self.evidence:,} boxes" + (f", {left:,} of them not counted ({kinds})" if left else "")

    def coverage_sentence(self) -> str:
        """ "looked at 6,200 of 6,240 tiles; 38 hold no data; 2 failed (read_error 2)"."""
        looked = self.tiles.get("ok", 0) + self.tiles.get("empty", 0)
        parts = [f"looked at {looked:,} of {sum(self.tiles.values()):,} tiles"]
        if self.tiles.get("skipped"):
            parts.append(f"{self.tiles['skipped']:,} hold no data")
        if self.failed_tiles:
            kinds = [f"{status} {n:,}" for status, n in self.tiles.items() if status in _NOT_LOOKED_AT and n]
            parts.append(f"{self.failed_tiles:,} failed ({', '.join(kinds)})")
        return "; ".join(parts)

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return {
            "scenes": dict(self.scenes),
            "tiles": dict(self.tiles),
            "evidence": self.evidence,
            "not_counted": dict(self.not_counted),
            "questions": [
                {
                    "question": one.question,
                    "task": one.task,
                    "answers": one.answers,
                    "could_not_say": one.could_not_say,
                    "total": one.total,
                    "with_some": one.with_some,
                    "values": dict(one.values.most_common(100)),
                }
                for one in self.questions
            ],
        }


NOT_ASKED = "not asked"
_NOT_LOOKED_AT = frozenset({*(str(status) for status in FAILED), NOT_ASKED})


def summarise(tables: Tables) -> BatchSummary:
    """Read the tables once, in chunks."""
    scenes: Counter[str] = Counter()
    tiles: Counter[str] = Counter()
    questions: dict[tuple[str, str], QuestionSummary] = {}
    left = [str(verdict) for verdict in NOT_COUNTED]
    for frame in tables.frames("scenes"):
        scenes.update(frame.status)
    for frame in tables.frames("tiles"):
        tiles.update(frame.status.fillna(NOT_ASKED))
    verdicts: Counter[str] = Counter()
    for frame in tables.frames("evidence"):
        verdicts.update(frame.verdict[frame.verdict.isin(left)])
    for frame in tables.frames("answers"):
        for row in named_rows(frame):
            key = (row.question, row.task)
            found = questions.setdefault(key, QuestionSummary(*key))
            area = row.context.get("area") if isinstance(row.context, dict) else None
            found.add(f"{row.scene}: {area}" if area else row.scene, row.value)
    return BatchSummary(
        dict(scenes), dict(tiles), tables.count("evidence"), dict(verdicts), tuple(questions.values())
    )

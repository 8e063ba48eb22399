"""The `rationales` command, without its command line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from groundproof.errors import ModelError
from groundproof.models.profile import Profile
from groundproof.models.profiles import get_profile
from groundproof_training.errors import TrainingError
from groundproof_training.rationales.ledger import Ledger
from groundproof_training.rationales.making import Maker, Settings
from groundproof_training.rationales.report import write_report
from groundproof_training.rationales.teachers import EngineTeacher, Teacher, open_teacher
from groundproof_training.readers.base import Problems
from groundproof_training.samples import Sample
from groundproof_training.samples.storage import read_samples, write_samples

TEMPLATE = "template"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line says; see its help."""

    samples: Path
    out: Path
    teacher: str = TEMPLATE
    model: str | None = None
    data: Path | None = None
    profile: str = "rsthinker"
    timeout_s: float = 120.0
    max_tokens: int = 4096
    temperature: float | None = None
    report: Path | None = None
    limit: int | None = None
    cache: Path | None = None
    settings: dict[str, Any] = field(default_factory=dict)


def settings_of(given: dict[str, Any]) -> Settings:
    """Raises TrainingError, naming the setting."""
    try:
        return Settings.model_validate(given)
    except ValidationError as err:
        first = err.errors()[0]
        raise TrainingError(
            f"{'.'.join(map(str, first['loc']))} is {first['input']!r}: {first['msg']}."
        ) from err


def profile_of(name: str) -> Profile:
    """Raises TrainingError."""
    try:
        return get_profile(name)
    except ModelError as err:
        raise TrainingError(str(err)) from err


def run(wanted: Wanted, say: Callable[[str], None], teacher: Teacher | None = None) -> list[str]:
    """Write `wanted.out`, OUT.statistics.json and the report; lines for people. teacher: in place of the one named.

    Raises TrainingError.
    """
    settings, profile = settings_of(wanted.settings), profile_of(wanted.profile)
    if wanted.out.absolute() == wanted.samples.absolute():
        raise TrainingError(f"{wanted.out} is the file that is read; write to another one.")
    if teacher is None and wanted.teacher != TEMPLATE:
        teacher = open_teacher(
            wanted.teacher, wanted.model, concurrency=settings.concurrency, timeout_s=wanted.timeout_s,
            max_tokens=wanted.max_tokens, temperature=wanted.temperature,
        )  # fmt: skip
    if isinstance(teacher, EngineTeacher):
        profile = teacher.profile  # it writes boxes in its family's notation, whatever else is asked for
    problems = Problems()
    maker = Maker(wanted.data or wanted.samples.parent, profile, settings, problems, teacher, None, say)

    def read() -> Iterable[Sample]:
        return islice(read_samples(wanted.samples), wanted.limit)

    written = _write(maker, read, wanted)
    numbers = maker.statistics.as_json(settings)
    statistics = wanted.out.with_name(f"{wanted.out.name}.statistics.json")
    statistics.write_text(
        json.dumps(numbers | {"problems": dict(problems.counts)}, indent=1) + "\n", encoding="utf-8"
    )
    if wanted.report is not None:
        write_report(maker, wanted.report)
    return list(_lines(maker, written))


def _write(maker: Maker, read: Callable[[], Iterable[Sample]], wanted: Wanted) -> int:
    try:
        if maker.teacher is None:
            return write_samples(wanted.out, maker.make(read))
        folder = wanted.cache or wanted.out.with_name(f"{wanted.out.name}.answers")
        with Ledger(folder) as ledger:
            maker.ledger = ledger
            return write_samples(wanted.out, maker.make(read))
    except OSError as err:
        raise TrainingError(f"{wanted.out} cannot be written: {err.strerror or err}.") from err


def _lines(maker: Maker, written: int) -> Iterator[str]:
    statistics, settings = maker.statistics, maker.settings
    yield f"{written:,} samples: " + ", ".join(f"{n:,} {who}" for who, n in statistics.made.most_common())
    if statistics.texts:
        accepted = sum(statistics.tries.values())
        yield f"{statistics.texts:,} texts of the teacher, {accepted:,} accepted ({accepted / statistics.texts:.0%})"
    if statistics.reasons:
        yield "rejected for: " + ", ".join(f"{rule} {n:,}" for rule, n in statistics.reasons.most_common())
    if statistics.errors:
        yield "not answered: " + ", ".join(f"{kind} {n:,}" for kind, n in statistics.errors.most_common())
    if statistics.input_tokens or statistics.output_tokens:
        cost = (
            statistics.input_tokens * settings.input_price + statistics.output_tokens * settings.output_price
        ) / 1e6
        priced = f", cost {cost:.2f}" if cost else ""
        yield f"{statistics.input_tokens:,} input and {statistics.output_tokens:,} output tokens{priced}"
    yield from maker.problems.lines()

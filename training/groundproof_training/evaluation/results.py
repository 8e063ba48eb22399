"""What an evaluation found, as the files and the report keep it. Knows figures; refuses to know how they are drawn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from groundproof_training.evaluation.cases import Case, Family
from groundproof_training.evaluation.figures import Difference, Figure


@dataclass(frozen=True, slots=True)
class Published:
    """One published number of one system for one metric. metric: as the paper names it. value: as printed. source:
    paper and table. note: what keeps it from being compared (other samples, other rule)."""

    system: str
    metric: str
    value: float
    source: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Scores:
    """All figures of one set of cases. strict: ours. evidence: of rationales; empty where no output has one. compat:
    published rules by their name (`rs_tester`, `earthdial`, `vrsbench`, `geochat`). breakdowns: by what ("size",
    "class", "type") -> group -> strict figures of it. statuses: status -> number of cases."""

    n: int
    strict: tuple[Figure, ...]
    evidence: tuple[Figure, ...] = ()
    compat: dict[str, tuple[Figure, ...]] = field(default_factory=dict)
    breakdowns: dict[str, dict[str, tuple[Figure, ...]]] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shown:
    """One case for a gallery. picture: the image(s) of the case as RGB PNG or JPEG bytes, None where there is none."""

    case: Case
    picture: bytes | None
    score: float


@dataclass(frozen=True, slots=True)
class EntryResult:
    """One benchmark. scores: by model (or file), in the order they were named; empty where it was not run. status:
    "scored", "no data", "not run", "failed". reason: a sentence for all but "scored". compared: "a vs b" ->
    differences. problems: kind -> number, and `examples` names the first few of each. gallery: model -> cases to
    look at."""

    name: str
    title: str
    family: Family
    status: str
    reason: str = ""
    scores: dict[str, Scores] = field(default_factory=dict)
    compared: dict[str, tuple[Difference, ...]] = field(default_factory=dict)
    published: tuple[Published, ...] = ()
    published_samples: str = ""
    problems: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[str]] = field(default_factory=dict)
    gallery: dict[str, tuple[Shown, ...]] = field(default_factory=dict)
    configuration: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One run of `evaluate`. configuration: everything that decides the numbers: command line, versions, models with
    content hashes, seeds, thresholds, policies."""

    title: str
    models: tuple[str, ...]
    entries: tuple[EntryResult, ...]
    configuration: dict[str, Any]

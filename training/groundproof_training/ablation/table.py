"""Cells over seeds: means, intervals, differences, and what may be said of them. Pure; knows no files.

An interval is that of the mean over seeds at resampled images, the same images for every cell and seed: what other
images would have given. It does not hold what other seeds would have given: their own values stand beside it, and a
difference has an interval over seeds as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from groundproof_training.ablation.cells import CELLS, Cell
from groundproof_training.ablation.columns import COLUMNS, Column
from groundproof_training.ablation.results import CellResult, Value
from groundproof_training.evaluation.statistics import interval
from groundproof_training.metrics.boxes import Floats

FEWEST_SEEDS = 2
"""Below which no difference is called one: a run of training differs from the next by chance, too."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A figure over seeds. value: mean of the seeds' own, None where none has one. low, high: 95 %, None where they
    cannot be told. seeds: one value each. n: questions it rests on."""

    value: float | None
    low: float | None
    high: float | None
    seeds: tuple[float, ...]
    n: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A cell. figures: by column; real: set -> figure -> entry. missing: seeds that are not there, with the reason."""

    cell: Cell
    results: tuple[CellResult, ...]
    figures: dict[str, Entry]
    real: dict[str, dict[str, Entry]]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Contrast:
    """other - one in a column. low, high: 95 % over images. seeds: the difference of each seed that both have.
    seed_low, seed_high: 95 % over seeds, None of one seed."""

    column: Column
    one: Cell
    other: Cell
    value: float
    low: float | None
    high: float | None
    seeds: tuple[float, ...]
    seed_low: float | None
    seed_high: float | None

    @property
    def pairs(self) -> int:
        """Seeds that both have."""
        return len(self.seeds)

    @property
    def shown(self) -> bool:
        """Whether these runs differ: the interval over images leaves 0 out, and all of several seeds agree on the sign.

        Cells that differ by nothing but chance pass this, too, where runs differ by more than images do: three seeds
        have one sign in a quarter of all cases."""
        if self.low is None or self.high is None or self.pairs < FEWEST_SEEDS:
            return False
        alike = len({np.sign(d) for d in self.seeds}) == 1
        return alike and (self.low > 0 or self.high < 0)

    @property
    def lasting(self) -> bool:
        """Whether other seeds would show it as well: the interval over seeds leaves 0 out, too."""
        if self.seed_low is None or self.seed_high is None:
            return False
        return self.shown and (self.seed_low > 0 or self.seed_high < 0)

    @property
    def better(self) -> bool:
        """Whether the other is the better one, shown or not."""
        return (self.value > 0) == (self.column.better == "higher")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of the ablation: what the second cell has that the first has not. columns: that it is about. most: the
    one that is said to gain most, "" where none is."""

    question: str
    one: str
    other: str
    columns: tuple[str, ...]
    most: str = ""


QUESTIONS = (
    Asked(
        "Does a chain of thought help detection most?",
        "sft-answer",
        "sft-cot",
        ("detection", "grounding", "counting", "captions", "classes", "vqa"),
        most="detection",
    ),
    Asked(
        "Does GRPO refine a model with a chain of thought?",
        "sft-cot",
        "sft-cot-grpo",
        ("detection", "grounding", "counting", "captions", "classes", "vqa", "evidence-precision"),
    ),
    Asked(
        "Does GRPO without a chain of thought hurt counting?",
        "sft-answer",
        "sft-answer-grpo",
        ("counting", "exact-counts"),
    ),
    Asked(
        "Does the format collapse without KL?",
        "sft-cot-grpo",
        "sft-cot-grpo-no-kl",
        ("parsed", "counting", "evidence-precision"),
    ),
    Asked(
        "Does rewarding faithfulness make evidence better?",
        "sft-cot-grpo",
        "sft-cot-grpo-faithful",
        ("evidence-precision", "evidence-recall", "counting"),
    ),
)


def rows_of(results: Sequence[CellResult], seeds: int) -> list[Row]:
    """A row for every cell, of whatever results there are."""
    made = []
    for one in CELLS:
        mine = [r for r in results if r.cell == one.name]
        good = tuple(sorted((r for r in mine if r.status == "ok"), key=lambda r: r.seed))
        wanted = range(1 if one.stage == "base" else seeds)
        reasons = {r.seed: r.reason for r in mine if r.status == "failed"}
        there = {r.seed for r in good}
        missing = tuple(f"seed {k}: {reasons.get(k, 'not run yet')}" for k in wanted if k not in there)
        figures = {
            column.name: entry([r.figures[column.name] for r in good if column.name in r.figures])
            for column in COLUMNS
        }
        names = dict.fromkeys(name for r in good for name in r.real)
        real = {
            name: {
                key: entry([r.real[name][key] for r in good if key in r.real.get(name, {})])
                for key in dict.fromkeys(key for r in good for key in r.real.get(name, {}))
            }
            for name in names
        }
        made.append(Row(one, good, figures, real, missing))
    return made


def entry(values: Sequence[Value]) -> Entry:
    """Mean over seeds; its interval over the draws that all seeds share. None where no draw moves the value: 100 of
    100 right answers say little of the next one, and a width of 0 would say all."""
    own = tuple(v.value for v in values if v.value is not None)
    if not own or len(own) < len(values):
        note = next((v.note for v in values if v.value is None), "")
        return Entry(None, None, None, own, max((v.n for v in values), default=0), note)
    low, high = interval(_mean(values)) if all(v.draws for v in values) else (None, None)
    if low == high:
        low = high = None
    return Entry(float(np.mean(own)), low, high, own, min(v.n for v in values))


def _mean(values: Sequence[Value]) -> Floats:
    """(draws,), NaN where a seed's value is not defined."""
    drawn = np.array([[np.nan if d is None else d for d in v.draws or ()] for v in values], dtype=np.float64)
    return np.asarray(drawn.mean(axis=0), dtype=np.float64)


def contrast(one: Row, other: Row, column: Column) -> Contrast | None:
    """other - one over the seeds that both have, at the same images; None where there are none, or where one of them
    has no value: the seeds that still have evidence to judge are not those that collapsed."""
    a, b = _by_seed(one, column), _by_seed(other, column)
    both = sorted(set(a) & set(b))
    if not both or any(v.value is None for k in both for v in (a[k], b[k])):
        return None
    differences = tuple(_known(b[k]) - _known(a[k]) for k in both)
    low = high = None
    if all(v.draws for k in both for v in (a[k], b[k])):
        low, high = interval(_mean([b[k] for k in both]) - _mean([a[k] for k in both]))
    value = float(np.mean(differences))
    return Contrast(column, one.cell, other.cell, value, low, high, differences, *over_seeds(differences))


def over_seeds(values: Sequence[float]) -> tuple[float | None, float | None]:
    """95 % interval of the mean of values, one a seed, by Student's t (1908); None of fewer than two. Few seeds make it
    wide: of three it is 2.5 standard deviations to either side."""
    if len(values) < FEWEST_SEEDS:
        return None, None
    degrees = len(values) - 1
    reach = float(stdtrit(degrees, 0.975) * np.std(values, ddof=1) / np.sqrt(len(values)))
    middle = float(np.mean(values))
    return middle - reach, middle + reach


def _by_seed(row: Row, column: Column) -> dict[int, Value]:
    return {r.seed: r.figures[column.name] for r in row.results if column.name in r.figures}


def _paired(one: Row, other: Row) -> bool:
    return bool({r.seed for r in one.results} & {r.seed for r in other.results})


def _known(value: Value) -> float:
    return float("nan") if value.value is None else value.value


def answers_to(rows: Sequence[Row]) -> list[tuple[Asked, list[Contrast], list[Column]]]:
    """Every question of the ablation with the contrasts it is about, and the columns that have none although both
    cells were run."""
    by_name: Mapping[str, Row] = {row.cell.name: row for row in rows}
    columns = {column.name: column for column in COLUMNS}
    made = []
    for asked in QUESTIONS:
        one, other = by_name[asked.one], by_name[asked.other]
        found = {name: contrast(one, other, columns[name]) for name in asked.columns}
        untold = [columns[name] for name, c in found.items() if c is None and _paired(one, other)]
        made.append((asked, [c for c in found.values() if c is not None], untold))
    return made

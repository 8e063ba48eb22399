"""What the measures of words share: whether there is an answer at all, and sums over cases by class.

Knows statuses and class numbers. Refuses to know what a class or an answer means.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from groundproof_training.evaluation.cases import Case, Status
from groundproof_training.evaluation.figures import Measure, Summed, mean
from groundproof_training.metrics.boxes import Floats

Bools = NDArray[np.bool_]


def answer_of(case: Case) -> str | None:
    """The answer's words; None where there is none that can be read."""
    return case.said.answer if case.said.status is Status.OK else None


def parse_rate(readable: Sequence[bool] | Bools, what: str) -> Summed:
    """Share of cases whose answer is `what`; the others are wrong answers of every measure beside it."""
    return mean(
        "parse-rate",
        np.asarray(readable, dtype=np.float64),
        note=f"Share of questions whose answer is {what}; all others count as wrong answers in every figure.",
    )


def where(condition: Sequence[bool] | Bools, values: Sequence[float] | Floats | Bools) -> Floats:
    """values (n,) as floats, NaN where the condition (n,) does not hold: there the measure does not apply."""
    return np.where(np.asarray(condition, dtype=bool), np.asarray(values, dtype=np.float64), np.nan)


@dataclass(frozen=True, slots=True, kw_only=True)
class ByClass(Measure):
    """Metrics that follow from sums over cases by class, such as macro-averages. tables: (n, k) each, sparse, for a
    case has few of many classes. combine: sums (d, k), one array for each table -> values (d,). rests_on: (n,)."""

    tables: tuple[csr_array, ...]
    combine: Callable[..., Floats]
    rests_on: Bools

    @property
    def applies(self) -> Bools:
        """(n,), as given."""
        return self.rests_on

    def of(self, weights: Floats) -> Floats:
        """See `Measure.of`."""
        values: Floats = self.combine(*(np.asarray(weights @ table) for table in self.tables))
        return np.where(weights @ self.rests_on.astype(np.float64) > 0, values, np.nan)


def table(rows: Sequence[int], classes: Sequence[int], shape: tuple[int, int]) -> csr_array:
    """(n, k) with 1 at each (row, class), more where a pair stands more often."""
    ones = np.ones(len(rows))
    return csr_array(
        (ones, (np.asarray(rows, dtype=np.intp), np.asarray(classes, dtype=np.intp))), shape=shape
    )


def share(up: Floats, down: Floats) -> Floats:
    """up / down, NaN where down is 0."""
    made: Floats = np.divide(up, down, out=np.full(np.shape(up), np.nan), where=down > 0)
    return made


def mean_of_defined(values: Floats) -> Floats:
    """(d, k) -> (d,), the mean of those that are not NaN; NaN where all are."""
    known = ~np.isnan(values)
    return share(np.where(known, values, 0.0).sum(axis=1), known.sum(axis=1).astype(np.float64))

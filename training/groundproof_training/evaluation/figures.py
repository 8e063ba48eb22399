"""What a metric gives: a function of the weights of cases, so that a value, its interval, its difference between two
models and a breakdown are all the same function at other weights. Knows no cases and no statistics.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from groundproof_training.metrics.boxes import Floats

Better = Literal["higher", "lower"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure(ABC):
    """One metric over n cases. name: "f1@0.5", "bleu-4", "mae". note: one sentence a reader of the number needs; of a
    published metric, what it hides. unit: "" for a share of 1."""

    name: str
    better: Better = "higher"
    note: str = ""
    unit: str = ""

    @property
    @abstractmethod
    def applies(self) -> NDArray[np.bool_]:
        """(n,), which cases the metric rests on."""

    @property
    def informs(self) -> NDArray[np.bool_]:
        """(n,), which of those the value depends on: of a precision those with a prediction."""
        return self.applies

    @abstractmethod
    def of(self, weights: Floats) -> Floats:
        """Values (d,) at weights (d, n) >= 0, how often each case counts; NaN where nothing with a weight applies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summed(Measure):
    """Metrics that follow from sums over cases. parts: (n, k), NaN in the row of a case it does not apply to.
    combine: sums (d, k) -> values (d,); it must give NaN, not warn, where a denominator is 0. below: columns of the
    denominator, where a case with none of it leaves the value as it is."""

    parts: Floats
    combine: Callable[[Floats], Floats]
    below: tuple[int, ...] = ()

    @property
    def applies(self) -> NDArray[np.bool_]:
        """(n,), rows without NaN."""
        return ~np.isnan(self.parts).any(axis=1)

    @property
    def informs(self) -> NDArray[np.bool_]:
        """(n,), rows with a denominator."""
        return self.applies & (self.parts[:, self.below] > 0).any(axis=1) if self.below else self.applies

    def of(self, weights: Floats) -> Floats:
        """See `Measure.of`."""
        keep = self.applies
        sums = weights @ np.where(keep[:, None], self.parts, 0.0)  # no copy of the weights, which are large
        return np.where(weights @ keep.astype(np.float64) > 0, self.combine(sums), np.nan)


def ratio(sums: Floats) -> Floats:
    """First sum over second; NaN where the second is 0."""
    up, down = sums[:, 0], sums[:, 1]
    return np.divide(up, down, out=np.full(len(up), np.nan), where=down > 0)


def mean(name: str, values: Floats, better: Better = "higher", note: str = "", unit: str = "") -> Summed:
    """The mean over cases; a value of NaN: the metric does not apply to that case."""
    given = np.asarray(values, dtype=np.float64)
    parts = np.stack([given, np.where(np.isnan(given), np.nan, 1.0)], axis=1)
    return Summed(name=name, better=better, note=note, unit=unit, parts=parts, combine=ratio)


@dataclass(frozen=True, slots=True)
class Figure:
    """A measure's value. low, high: 95 % interval by bootstrap over groups; None where there are too few groups to
    resample. n: cases it rests on. value: NaN where it is not defined."""

    name: str
    value: float
    low: float | None
    high: float | None
    n: int
    better: Better = "higher"
    note: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """A measure of two models on the same cases. low, high: 95 % interval of b - a by paired bootstrap. p: two-sided,
    by random exchange of the two models' answers group by group (approximate randomisation); None where there are
    too few groups."""

    name: str
    a: float
    b: float
    low: float | None
    high: float | None
    p: float | None
    n: int
    better: Better = "higher"

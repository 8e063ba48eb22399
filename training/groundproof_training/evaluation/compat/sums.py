"""Measures that published rules share: means, ratios over a whole file, and metrics that one bad answer spoils.

Knows numbers per case. Refuses to know texts and boxes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from groundproof_training.evaluation.figures import Better, Summed, ratio
from groundproof_training.metrics.boxes import Floats


def pooled(
    name: str, up: ArrayLike, down: ArrayLike, note: str, rows: NDArray[np.bool_] | None = None
) -> Summed:
    """Sum of `up` over sum of `down`, both (n,); 0 where `down` is 0, as the scripts print it. rows: (n,), the cases it
    rests on; None: all."""
    parts = np.stack([np.asarray(up, dtype=np.float64), np.asarray(down, dtype=np.float64)], axis=1)
    if rows is not None:
        parts = np.where(rows[:, None], parts, np.nan)
    return Summed(name=name, note=note, parts=parts, combine=_ratio_or_0, below=(1,))


def mean_unless(
    name: str,
    values: ArrayLike,
    broken: NDArray[np.bool_],
    note: str,
    better: Better = "higher",
    unit: str = "",
) -> Summed:
    """The mean of values (n,); NaN as soon as one broken case (n,) has a weight: the published script then prints
    nothing for the whole file."""
    given = np.where(broken, 0.0, np.asarray(values, dtype=np.float64))
    parts = np.stack([given, np.ones(len(given)), broken.astype(np.float64)], axis=1)
    return Summed(name=name, note=note, better=better, unit=unit, parts=parts, combine=_mean_or_nothing)


def mean_of_groups(name: str, values: ArrayLike, groups: Sequence[str], note: str) -> Summed:
    """The mean over groups of the mean of values (n,) in each, every group counting the same; groups without a weight
    are left out. groups: (n,), "" for cases that count nowhere."""
    given = np.asarray(values, dtype=np.float64)
    names = sorted(set(groups) - {""})
    member = np.array([[group == one for one in names] for group in groups], dtype=np.float64)
    member = member.reshape(len(given), len(names))
    parts = np.concatenate([member * given[:, None], member], axis=1)
    parts[member.sum(axis=1) == 0] = np.nan
    return Summed(name=name, note=note, parts=parts, combine=_mean_of_means)


def _ratio_or_0(sums: Floats) -> Floats:
    return np.nan_to_num(ratio(sums))


def _mean_or_nothing(sums: Floats) -> Floats:
    return np.where(sums[:, 2] > 0, np.nan, ratio(sums[:, :2]))


def _mean_of_means(sums: Floats) -> Floats:
    k = sums.shape[1] // 2
    up, down = sums[:, :k], sums[:, k:]
    there = down > 0
    means = np.divide(up, down, out=np.zeros_like(up), where=there)
    return ratio(np.stack([means.sum(axis=1), there.sum(axis=1)], axis=1))

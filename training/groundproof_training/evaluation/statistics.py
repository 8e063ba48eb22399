"""Intervals and tests: bootstrap over groups of cases, paired for two models. Knows measures; refuses to know cases.

A measure is a function of case weights, so a resample is a row of weights: how often each case's group was drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from groundproof_training.evaluation.figures import Difference, Figure, Measure
from groundproof_training.metrics.boxes import Floats

DRAWS = 1000
FEWEST_GROUPS = 5
"""Groups below which resampling them says nothing; counted over the groups that a measure applies to."""
LEVEL_PERCENT = 95.0
CELLS = 4_000_000
"""Weights held at once, 32 MB: draws come in chunks of that size, so memory does not grow with their number."""
_TIE = 1e-12
"""Differences closer than this are one: sums of floats in another order."""


def estimate(
    measures: Sequence[Measure], groups: Sequence[str], *, draws: int = DRAWS, seed: int = 0
) -> tuple[Figure, ...]:
    """Value and 95 % percentile interval (Efron 1979) of each measure; groups: (n,), of each case.

    Whole groups are drawn with replacement, as many as there are (cluster bootstrap, Field and Welsh 2007). Draws in
    which a measure is not defined are left out of its interval; where that is more than half of them, where fewer
    than FEWEST_GROUPS groups apply, or at draws = 0, there is no interval. Resamples of nothing but right answers are
    all right, which says nothing of the next one: a share of 0 or 1 that no draw moves has the exact binomial interval
    of as many groups instead (Clopper and Pearson 1934), those that the value depends on: 200 of 200 give 0.982 to 1,
    and a precision of five right boxes in 200 images 0.478 to 1. Raises ValueError where measures
    and groups differ in number.
    """
    index, _ = _indexed(groups)
    _check(measures, len(index))
    values = [float(measure.of(np.ones((1, len(index))))[0]) for measure in measures]
    usable = [
        draws > 0 and not np.isnan(value) and _groups_of(measure.applies, index) >= FEWEST_GROUPS
        for measure, value in zip(measures, values, strict=True)
    ]
    drawn = np.full((len(measures), draws), np.nan)
    drawn[np.array(usable, dtype=bool)] = resampled(
        [m for m, use in zip(measures, usable, strict=True) if use], groups, draws, seed
    )
    made = []
    for measure, value, own in zip(measures, values, drawn, strict=True):
        low, high = interval(own)
        if not measure.unit and low == high == value and value in (0.0, 1.0):
            low, high = _all_alike(value, max(1, _groups_of(measure.informs, index)))
        made.append(
            Figure(
                name=measure.name,
                value=value,
                low=low,
                high=high,
                n=int(measure.applies.sum()),
                better=measure.better,
                note=measure.note,
                unit=measure.unit,
            )
        )
    return tuple(made)


def resampled(measures: Sequence[Measure], groups: Sequence[str], draws: int, seed: int = 0) -> Floats:
    """Values (m, draws) of measures at resampled groups; the same groups in the same order and the same seed draw the
    same, so that draw i of two models is of the same images. NaN where a draw leaves a measure undefined."""
    index, number = _indexed(groups)
    _check(measures, len(index))
    drawn = np.full((len(measures), draws), np.nan)
    if measures:
        for rows, weights in _resamples(index, number, draws, np.random.default_rng([seed, 0])):
            for k, measure in enumerate(measures):
                drawn[k, rows] = measure.of(weights)
    return drawn


def compare(
    measures: Sequence[Measure], groups: Sequence[str], *, draws: int = DRAWS, seed: int = 0
) -> tuple[Difference, ...]:
    """Two models by measures over 2n cases, the first model's n, then the second's in the same order; groups: (n,).

    Interval of b - a: both models at the same resampled groups. p: the two models' answers are exchanged group by
    group with probability 1/2 and the difference is at least as large in (hits + 1) / (draws + 1) of the exchanges
    (Noreen 1989); it is never 0, and not below 1 / (draws + 1) nor 2 / 2^groups: of all exchanges, none and all are as
    large, so that what is drawn of few groups cannot show more than they hold. One test for each measure:
    nothing is corrected for there being several. Raises ValueError where the measures do not have 2n cases.
    """
    index, number = _indexed(groups)
    n = len(index)
    _check(measures, 2 * n)
    whole = np.ones((1, n))
    values = [_both(measure, whole) for measure in measures]
    differences = [float((b - a)[0]) for a, b in values]
    pairs = [measure.applies[:n] | measure.applies[n:] for measure in measures]
    informing = [_groups_of(own, index) for own in pairs]
    usable = [
        draws > 0 and not np.isnan(difference) and own >= FEWEST_GROUPS
        for difference, own in zip(differences, informing, strict=True)
    ]
    drawn = np.full((len(measures), draws), np.nan)
    hits = np.zeros(len(measures), dtype=np.int64)
    if any(usable):
        for rows, weights in _resamples(index, number, draws, np.random.default_rng([seed, 0]), columns=4):
            for k, measure in enumerate(measures):
                if usable[k]:
                    a, b = _both(measure, weights)
                    drawn[k, rows] = b - a
        for _, swapped in _exchanges(index, number, draws, np.random.default_rng([seed, 1])):
            kept = 1.0 - swapped
            for k, measure in enumerate(measures):
                if usable[k]:
                    a = measure.of(np.hstack([kept, swapped]))
                    b = measure.of(np.hstack([swapped, kept]))
                    # undefined after an exchange: no evidence against chance
                    hits[k] += int((~(np.abs(b - a) < abs(differences[k]) - _TIE)).sum())
    made = []
    for k, (measure, own) in enumerate(zip(measures, informing, strict=True)):
        low, high = interval(drawn[k])
        made.append(
            Difference(
                name=measure.name,
                a=float(values[k][0][0]),
                b=float(values[k][1][0]),
                low=low,
                high=high,
                p=max((int(hits[k]) + 1) / (draws + 1), 2.0 * 0.5**own) if usable[k] else None,
                n=int(pairs[k].sum()),
                better=measure.better,
            )
        )
    return tuple(made)


def _indexed(groups: Sequence[str]) -> tuple[NDArray[np.intp], int]:
    """(n,) number of each case's group in order of first appearance, and how many groups there are."""
    known: dict[str, int] = {}
    index = np.array([known.setdefault(group, len(known)) for group in groups], dtype=np.intp)
    return index, len(known)


def _check(measures: Sequence[Measure], n: int) -> None:
    for measure in measures:
        if len(measure.applies) != n:
            raise ValueError(
                f"{measure.name} is over {len(measure.applies)} cases, and the groups are of {n}"
            )


def _groups_of(applies: NDArray[np.bool_], index: NDArray[np.intp]) -> int:
    return len(np.unique(index[applies]))


def _chunks(draws: int, cells: int) -> Iterator[slice]:
    step = max(1, CELLS // max(1, cells))
    return (slice(start, min(start + step, draws)) for start in range(0, draws, step))


def _resamples(
    index: NDArray[np.intp], number: int, draws: int, rng: np.random.Generator, columns: int = 1
) -> Iterator[tuple[slice, Floats]]:
    """Rows of the draws and weights (d, n). columns: how many times n the user of the weights needs."""
    for rows in _chunks(draws, len(index) * columns):
        d = rows.stop - rows.start
        chosen = rng.integers(0, number, size=(d, number))
        chosen += np.arange(d)[:, None] * number
        times = np.bincount(chosen.ravel(), minlength=d * number).reshape(d, number).astype(np.float64)
        yield rows, _of_cases(times, index)


def _exchanges(
    index: NDArray[np.intp], number: int, draws: int, rng: np.random.Generator
) -> Iterator[tuple[slice, Floats]]:
    """Rows of the draws and 1 where a case's group is exchanged, else 0, (d, n)."""
    for rows in _chunks(draws, len(index) * 4):
        swapped = rng.random((rows.stop - rows.start, number)) < 0.5
        yield rows, _of_cases(swapped.astype(np.float64), index)


def _of_cases(by_group: Floats, index: NDArray[np.intp]) -> Floats:
    """(d, groups) -> (d, n). Groups are numbered as they appear, so as many groups as cases are the cases."""
    return by_group if by_group.shape[1] == len(index) else by_group[:, index]


def _both(measure: Measure, weights: Floats) -> tuple[Floats, Floats]:
    """Values (d,) of the first and the second model at weights (d, n)."""
    none = np.zeros_like(weights)
    return measure.of(np.hstack([weights, none])), measure.of(np.hstack([none, weights]))


def _all_alike(value: float, groups: int) -> tuple[float, float]:
    """Of a share of 0 or 1 in every group."""
    least = ((100.0 - LEVEL_PERCENT) / 200.0) ** (1.0 / groups)
    return (least, 1.0) if value else (0.0, 1.0 - least)


def interval(drawn: Floats) -> tuple[float | None, float | None]:
    """95 % percentile interval of drawn values (draws,); None where most of them are not defined."""
    defined = drawn[~np.isnan(drawn)]
    if not len(defined) or 2 * len(defined) < len(drawn):
        return None, None
    tail = (100.0 - LEVEL_PERCENT) / 2
    low, high = np.percentile(defined, [tail, 100.0 - tail])
    return float(low), float(high)

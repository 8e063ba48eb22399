"""Intervals and tests: bootstrap over groups of cases, paired for two models. Knows measures; refuses to know cases."""

from __future__ import annotations

from collections.abc import Sequence

from groundproof_training.evaluation.figures import Difference, Figure, Measure

DRAWS = 1000
FEWEST_GROUPS = 5
"""Groups below which resampling them says nothing."""


def estimate(
    measures: Sequence[Measure], groups: Sequence[str], *, draws: int = DRAWS, seed: int = 0
) -> tuple[Figure, ...]:
    """Value and 95 % percentile interval (Efron 1979) of each measure; groups: (n,), of each case."""
    raise NotImplementedError


def compare(
    measures: Sequence[Measure], groups: Sequence[str], *, draws: int = DRAWS, seed: int = 0
) -> tuple[Difference, ...]:
    """Two models by measures over 2n cases, the first model's n, then the second's in the same order; groups: (n,)."""
    raise NotImplementedError

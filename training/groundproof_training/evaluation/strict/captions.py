"""Measures of captions."""

from __future__ import annotations

from collections.abc import Sequence

from groundproof_training.evaluation.cases import Case
from groundproof_training.evaluation.figures import Measure


def measures(cases: Sequence[Case]) -> list[Measure]:
    """All of them."""
    raise NotImplementedError

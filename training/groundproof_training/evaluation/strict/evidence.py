"""Measures of rationales, which none of the published evaluations has."""

from __future__ import annotations

from collections.abc import Sequence

from groundproof_training.evaluation.cases import Case
from groundproof_training.evaluation.figures import Measure


def evidence_measures(cases: Sequence[Case]) -> list[Measure]:
    """Empty where no case has a rationale."""
    raise NotImplementedError

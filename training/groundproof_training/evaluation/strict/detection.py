"""Measures of detection."""

from __future__ import annotations

from collections.abc import Sequence

from groundproof_training.evaluation.cases import Case
from groundproof_training.evaluation.figures import Measure


def measures(cases: Sequence[Case]) -> list[Measure]:
    """All of them."""
    raise NotImplementedError


def breakdowns(cases: Sequence[Case]) -> dict[str, dict[str, list[Measure]]]:
    """By "class" of the objects and "size" of the boxes (COCO's small, medium, large and ours) -> group -> measures
    over all the cases, of the boxes in that group alone."""
    raise NotImplementedError

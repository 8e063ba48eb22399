"""Measures of counting: the one number an answer states, against the true one.

Knows stated numbers. Refuses to count boxes: an answer that only draws objects states no number (whether number and
boxes agree is a measure of evidence).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from groundproof_training.evaluation.cases import Case, Status
from groundproof_training.evaluation.figures import Measure, Summed, mean, ratio
from groundproof_training.evaluation.strict.answered import parse_rate, where
from groundproof_training.metrics.boxes import Floats
from groundproof_training.metrics.counting import near

TOLERANCES = (0.1, 0.3, 0.5)
"""RS_Tester's, of the true number."""

NUMBERS = {"0": 0, "1 to 5": 5, "6 to 10": 10, "11 and more": float("inf")}
"""How many objects there are, at most, by the group's name."""

_FILLED = "An answer without a number counts as 0 said, and as 1 off where 0 is true"


def measures(cases: Sequence[Case]) -> list[Measure]:
    """All of them, over the cases whose true number is known: stated, or the number of all true boxes."""
    true = np.array([_true(case) for case in cases], dtype=np.float64)
    known = ~np.isnan(true)
    said = np.array([_said(case) for case in cases], dtype=np.float64)
    readable = ~np.isnan(said)
    error = np.where(readable, said - true, -np.maximum(true, 1.0))
    both = known & readable
    share = f"{both.sum() / known.sum():.1%}" if known.any() else "none"
    alone = f"Over the answers that state one number ({share} of these): wrong where parse-rate is low."
    return [
        mean("accuracy", where(known, near(said, true, 0.0)), note="The number is exactly the true one."),
        *(
            mean(
                f"accuracy@{tolerance}",
                where(known, near(said, true, tolerance)),
                note=f"|said - true| <= {tolerance} x true.",
            )
            for tolerance in TOLERANCES
        ),
        mean("mae", where(known, np.abs(error)), "lower", f"{_FILLED}.", "objects"),
        _root_mean_square("rmse", where(known, error), f"{_FILLED}."),
        mean("mae-readable", where(both, np.abs(error)), "lower", alone, "objects"),
        _root_mean_square("rmse-readable", where(both, error), alone),
        mean(
            "bias-readable",
            where(both, error),
            note=f"Mean of said - true, best at 0; below 0: too few are counted. {alone}",
            unit="objects",
        ),
        mean(
            "refusal",
            where(known & (true == 0), said == 0),
            note="Share of the questions about what is not there that are answered with 0.",
        ),
        mean(
            "false-refusal",
            where(known & (true > 0), said == 0),
            "lower",
            "Share of the questions about what is there that are answered with 0.",
        ),
        parse_rate(readable, "one whole number"),
    ]


def by_number(cases: Sequence[Case]) -> dict[str, list[Case]]:
    """Cases whose true number is known, by `NUMBERS`; groups without a case are left out."""
    groups: dict[str, list[Case]] = {name: [] for name in NUMBERS}
    for case in cases:
        true = _true(case)
        if not np.isnan(true):
            groups[next(name for name, most in NUMBERS.items() if true <= most)].append(case)
    return {name: group for name, group in groups.items() if group}


def _true(case: Case) -> float:
    truth = case.truth
    if truth.count is not None:
        return float(truth.count)
    if truth.boxes is None or not truth.complete:
        return float("nan")
    ignored = 0 if truth.boxes.ignore is None else int(truth.boxes.ignore.sum())
    return float(len(truth.boxes) - ignored)


def _said(case: Case) -> float:
    stated = case.said.count if case.said.status is Status.OK else None
    return float("nan") if stated is None else float(stated)


def _root_mean_square(name: str, error: Floats, note: str) -> Summed:
    parts = np.stack([error**2, np.where(np.isnan(error), np.nan, 1.0)], axis=1)
    return Summed(name=name, better="lower", note=note, unit="objects", parts=parts, combine=_root)


def _root(sums: Floats) -> Floats:
    return np.sqrt(ratio(sums))

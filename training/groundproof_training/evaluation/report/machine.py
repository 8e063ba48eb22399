"""The report for machines: what `report.json` holds and `evaluate --json` prints. Knows results; computes nothing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from groundproof_training.evaluation.figures import Difference, Figure
from groundproof_training.evaluation.results import EntryResult, Evaluation, Scores


def as_json(evaluation: Evaluation) -> dict[str, Any]:
    """{"title", "models", "entries": {name: {"title", "family", "status", "reason", "models", "compared", "published",
    "published_samples", "problems", "examples", "configuration"}}, "configuration"}.

    `models` of an entry: by model (or file) {"n", "statuses", "strict", "evidence", "compat", "breakdowns"}. Figures
    and differences are keyed by their names. Numbers are unrounded; one that is not defined is null.
    """
    return {
        "title": evaluation.title,
        "models": list(evaluation.models),
        "entries": {entry.name: _entry(entry) for entry in evaluation.entries},
        "configuration": plain(evaluation.configuration),
    }


def plain(value: Any) -> Any:
    """A value as JSON has it: no NaN, no paths, no tuples."""
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(one) for one in value]
    if isinstance(value, bool | int | str) or value is None:
        return value
    return number(value) if isinstance(value, float) else str(value)


def number(value: float | None) -> float | None:
    """A number that JSON has; None for NaN and infinity."""
    return None if value is None or not math.isfinite(value) else float(value)


def _entry(entry: EntryResult) -> dict[str, Any]:
    return {
        "title": entry.title,
        "family": str(entry.family),
        "status": entry.status,
        "reason": entry.reason,
        "models": {model: _scores(scores) for model, scores in entry.scores.items()},
        "compared": {key: {d.name: _difference(d) for d in made} for key, made in entry.compared.items()},
        "published": [plain(asdict(one)) for one in entry.published],
        "published_samples": entry.published_samples,
        "problems": dict(entry.problems),
        "examples": {kind: list(found) for kind, found in entry.examples.items()},
        "configuration": plain(entry.configuration),
    }


def _scores(scores: Scores) -> dict[str, Any]:
    return {
        "n": scores.n,
        "statuses": dict(scores.statuses),
        "strict": _figures(scores.strict),
        "evidence": _figures(scores.evidence),
        "compat": {rule: _figures(figures) for rule, figures in scores.compat.items()},
        "breakdowns": {
            by: {group: _figures(figures) for group, figures in groups.items()}
            for by, groups in scores.breakdowns.items()
        },
    }


def _figures(figures: Iterable[Figure]) -> dict[str, Any]:
    return {one.name: _figure(one) for one in figures}


def _figure(one: Figure) -> dict[str, Any]:
    return {
        "value": number(one.value), "low": number(one.low), "high": number(one.high), "n": one.n,
        "better": one.better, "unit": one.unit, "note": one.note,
    }  # fmt: skip


def _difference(one: Difference) -> dict[str, Any]:
    return {
        "a": number(one.a), "b": number(one.b), "difference": number(one.b - one.a), "low": number(one.low),
        "high": number(one.high), "p": number(one.p), "n": one.n, "better": one.better,
    }  # fmt: skip

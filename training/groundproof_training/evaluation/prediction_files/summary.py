"""What scoring files of predictions found, for machines and for a terminal. Knows results; computes nothing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from groundproof_training.evaluation.figures import Difference, Figure
from groundproof_training.evaluation.prediction_files.base import Loaded, shown
from groundproof_training.evaluation.prediction_files.evaluating import Scored
from groundproof_training.evaluation.results import Evaluation, Scores


def as_json(scored: Scored) -> dict[str, Any]:
    """Of one file: {"file", "format", "families", "problems", "examples", "compared"}; of several {"files": [...],
    "compared"}. Numbers are unrounded; what is not defined is null."""
    evaluation = scored.evaluation
    files = [_file(title, one, evaluation) for title, one in scored.loaded.items()]
    compared = {
        entry.name: {key: {d.name: difference(d) for d in made} for key, made in entry.compared.items()}
        for entry in evaluation.entries
        if entry.compared
    }
    if len(files) == 1:
        return {**files[0], "compared": compared}
    return {"files": files, "compared": compared}


def figure(one: Figure) -> dict[str, Any]:
    """A figure with its interval."""
    return {
        "value": number(one.value), "low": number(one.low), "high": number(one.high), "n": one.n,
        "better": one.better, "unit": one.unit, "note": one.note,
    }  # fmt: skip


def difference(one: Difference) -> dict[str, Any]:
    """Two files' figures and what lies between them."""
    return {
        "a": number(one.a), "b": number(one.b), "difference": number(one.b - one.a), "low": number(one.low),
        "high": number(one.high), "p": number(one.p), "n": one.n, "better": one.better,
    }  # fmt: skip


def number(value: float | None) -> float | None:
    """A number that JSON has; None for NaN and infinity."""
    return None if value is None or not math.isfinite(value) else float(value)


def lines(evaluation: Evaluation) -> Iterator[str]:
    """A table for a terminal: each file's figures with their 95 % intervals, ours and the published rules' apart."""
    for entry in evaluation.entries:
        for title, scores in entry.scores.items():
            said = ", ".join(f"{n:,} {status}" for status, n in scores.statuses.items())
            yield f"{entry.title}: {shown(title)}, {scores.n:,} questions ({said})"
            yield from _rows(scores.strict)
            if scores.evidence:
                yield "  evidence"
                yield from _rows(scores.evidence)
            for rule, figures in scores.compat.items():
                yield f"  as {rule} computes it (not ours; notes say what it hides)"
                yield from _rows(figures, noted=True)
            for by, groups in scores.breakdowns.items():
                yield f"  by {by}"
                for group, figures in groups.items():
                    first = figures[0]
                    for one in figures[:3]:
                        word = shown(group, 24) if one is first else ""
                        yield f"    {word:<24}  {one.name:<18} {_value(one):>9}  {_interval(one):<18} n {one.n:,}"
        for key, made in entry.compared.items():
            yield f"{entry.title}: {shown(key)}"
            for d in made:
                p = "" if d.p is None else f"p {d.p:.3f}"
                span = "" if d.low is None or d.high is None else f"[{d.low:+.4f}, {d.high:+.4f}]"
                yield f"  {d.name:<26} {d.a:9.4f} {d.b:9.4f}  {d.b - d.a:+.4f} {span:<20} {p:<8} n {d.n:,}"


def problem_lines(loaded: Mapping[str, Loaded]) -> Iterator[str]:
    """For stderr: what was left out or looks wrong, file by file."""
    for title, one in loaded.items():
        for warning in one.warnings:
            yield f"{shown(title)}: {warning}"
        found = one.problems.lines()
        if found:
            yield f"{shown(title)}: of {one.rows:,} rows {one.left_out:,} were left out"
            yield from (f"  {line}" for line in found)


def _file(title: str, one: Loaded, evaluation: Evaluation) -> dict[str, Any]:
    return {
        "file": title,
        "format": evaluation.configuration["format"],
        "rows": one.rows,
        "left_out": one.left_out,
        "families": {
            entry.name: _scores(entry.scores[title]) for entry in evaluation.entries if title in entry.scores
        },
        "problems": dict(one.problems.counts),
        "examples": {kind: list(found) for kind, found in one.problems.examples.items()},
        "warnings": list(one.warnings),
        "facts": {key: _plain(value) for key, value in one.facts.items()},
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
    return {one.name: figure(one) for one in figures}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return number(value) if isinstance(value, float) else value


def _rows(figures: Iterable[Figure], *, noted: bool = False) -> Iterator[str]:
    for one in figures:
        note = f"  {one.note}" if noted and one.note else ""
        yield f"    {one.name:<26} {_value(one):>9}  {_interval(one):<18} n {one.n:,}{note}"


def _value(one: Figure) -> str:
    text = "-" if math.isnan(one.value) else f"{one.value:.4f}"
    return f"{text} {one.unit}".strip()


def _interval(one: Figure) -> str:
    return "" if one.low is None or one.high is None else f"[{one.low:.4f}, {one.high:.4f}]"

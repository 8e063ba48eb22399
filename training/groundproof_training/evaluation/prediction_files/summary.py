"""What scoring files of predictions found, for machines and for a terminal. Knows results; computes nothing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from groundproof_training.evaluation.figures import Difference, Figure
from groundproof_training.evaluation.prediction_files.base import MIXED, WRONG_FRAME, Loaded, shown
from groundproof_training.evaluation.prediction_files.evaluating import Scored
from groundproof_training.evaluation.results import Evaluation, Scores

GROUPS_SHOWN = 8
"""Of a breakdown, on a terminal."""


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


def evaluation_json(evaluation: Evaluation) -> dict[str, Any]:
    """Of a suite: {"title", "models", "entries": {name: {"status", "reason", "family", "models", "compared",
    "problems", "examples"}}, "configuration"}; `models` holds for each what `as_json` holds for a family."""
    entries = {
        entry.name: {
            "title": entry.title,
            "family": str(entry.family),
            "status": entry.status,
            "reason": entry.reason,
            "models": {model: _scores(scores) for model, scores in entry.scores.items()},
            "compared": {key: {d.name: difference(d) for d in made} for key, made in entry.compared.items()},
            "published": [plain(asdict(one)) for one in entry.published],
            "problems": dict(entry.problems),
            "examples": {kind: list(found) for kind, found in entry.examples.items()},
            "configuration": plain(entry.configuration),
        }
        for entry in evaluation.entries
    }
    return {
        "title": evaluation.title,
        "models": list(evaluation.models),
        "entries": entries,
        "configuration": plain(evaluation.configuration),
    }


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


def plain(value: Any) -> Any:
    """A value as JSON has it: no NaN, no paths, no tuples."""
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(one) for one in value]
    if isinstance(value, bool | int | str) or value is None:
        return value
    return number(value) if isinstance(value, float) else str(value)


def lines(evaluation: Evaluation) -> Iterator[str]:
    """A table for a terminal: each file's figures with their 95 % intervals, ours and the published rules' apart."""
    for entry in evaluation.entries:
        if entry.status != "scored":
            yield f"{entry.title}: {entry.status}" + (f"; {entry.reason}" if entry.reason else "")
        for title, scores in entry.scores.items():
            said = ", ".join(f"{n:,} {status}" for status, n in scores.statuses.items())
            yield f"{entry.title}: {shown(title)}, {scores.n:,} questions ({said})"
            yield from _rows(scores.strict)
            if scores.evidence:
                yield "  evidence"
                yield from _rows(scores.evidence)
            for rule, figures in scores.compat.items():
                yield f"  as {rule} computes it, for published tables only; --json tells what each number hides"
                yield from _rows(figures)
            for by, groups in scores.breakdowns.items():
                yield f"  by {by}"
                yield from _groups(groups)
        for key, made in entry.compared.items():
            yield f"{entry.title}: {shown(key)}"
            for d in made:
                p = "" if d.p is None else f"p {d.p:.3f}"
                span = "" if d.low is None or d.high is None else f"[{d.low:+.4f}, {d.high:+.4f}]"
                yield f"    {d.name:<24} {d.a:9.4f} {d.b:9.4f}  {d.b - d.a:+.4f} {span:<20} {p:<8} n {d.n:,}"


def _groups(groups: Mapping[str, Sequence[Figure]]) -> Iterator[str]:
    """The largest groups of a breakdown, the first figures of each."""
    largest = sorted(groups, key=lambda group: -max((one.n for one in groups[group]), default=0))
    for group in largest[:GROUPS_SHOWN]:
        for number_of, one in enumerate(groups[group][:3]):
            word = shown(group, 38) if number_of == 0 else ""
            yield f"    {word:<38} {one.name:<16} {_value(one):>9}  {_interval(one):<18} n {one.n:,}"
    if len(largest) > GROUPS_SHOWN:
        yield f"    and {len(largest) - GROUPS_SHOWN} smaller ones, in --json"


def problem_lines(loaded: Mapping[str, Loaded], evaluation: Evaluation) -> Iterator[str]:
    """For stderr: what was left out or looks wrong, file by file, and between them."""
    for entry in evaluation.entries:
        yield from entry.examples.get("different truth", [])
    for title, one in loaded.items():
        if seen := one.facts.get("coverage"):
            yield (
                f"{shown(title)}: looked at {seen['looked_at']:,} of {seen['tiles']:,} tiles; {seen['failed']:,} "
                f"failed, {seen['skipped']:,} hold no data"
            )
        for warning in one.warnings:
            yield f"{shown(title)}: {warning}"
        found = [kind for kind, _ in one.problems.counts.most_common() if kind not in (WRONG_FRAME, MIXED)]
        if found:
            yield f"{shown(title)}: of {one.rows:,} rows {one.left_out:,} were left out"
        for kind in found:
            yield f"  {one.problems.counts[kind]:,} x {kind}"
            yield from (f"    {line}" for line in one.problems.examples[kind])


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
        "facts": {key: plain(value) for key, value in one.facts.items()},
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


def _rows(figures: Iterable[Figure]) -> Iterator[str]:
    for one in figures:
        yield f"    {one.name:<24} {_value(one):>9}  {_interval(one):<18} n {one.n:,}"


def _value(one: Figure) -> str:
    text = "-" if math.isnan(one.value) else f"{one.value:.4f}"
    return f"{text} {one.unit}".strip()


def _interval(one: Figure) -> str:
    return "" if one.low is None or one.high is None else f"[{one.low:.4f}, {one.high:.4f}]"

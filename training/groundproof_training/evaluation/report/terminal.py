"""The report for a terminal: every figure of each entry, models side by side, within 100 columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from groundproof_training.evaluation.report.numbers import p_text, verdict
from groundproof_training.evaluation.report.rows import (
    EVIDENCE_BREAKDOWN,
    Row,
    breakdowns_of,
    compared,
    groups_of,
    headline,
    headlines,
    letter,
    models_of,
    of_models,
    published_rows,
    rows,
    rules_of,
)
from groundproof_training.evaluation.report.writing import line, short
from groundproof_training.evaluation.results import EntryResult, Evaluation

COLUMNS = 100
GROUPS_SHOWN = 8
"""Of a breakdown."""
_NAME, _MODEL, _N = 22, 23, 7
_AT_ONCE = (COLUMNS - 2 - _NAME - _N) // _MODEL


def table(evaluation: Evaluation) -> str:
    """Every entry. No line is longer than COLUMNS; no text of a file or model can steer the terminal."""
    return "\n".join(one[:COLUMNS].rstrip() for one in _lines(evaluation))


def _lines(evaluation: Evaluation) -> Iterator[str]:
    models = models_of(evaluation)
    yield short(evaluation.title, COLUMNS)
    for index, model in enumerate(models):
        yield f"  {letter(index)}  {short(model, COLUMNS - 6)}"
    for entry in evaluation.entries:
        yield ""
        title = short(entry.title, 60)
        title += f" ({entry.family})" if entry.title != str(entry.family) else ""
        if entry.status != "scored":
            yield f"{title}: {line(entry.status)}"
            yield from _wrapped(entry.reason)
            continue
        yield title
        mine = [model for model in models if model in entry.scores]
        for start in range(0, len(mine), _AT_ONCE):
            yield from _block(entry, models, mine[start : start + _AT_ONCE])
        yield from _differences(entry, models)
        for kind, number in entry.problems.items():
            yield f"  {number:,} x {short(kind, COLUMNS - 16)}"


def _block(entry: EntryResult, models: Sequence[str], shown: Sequence[str]) -> Iterator[str]:
    heads = "".join(f"{letter(models.index(model)) + ' ' + short(model, 18):<{_MODEL}}" for model in shown)
    yield f"  {'':<{_NAME}}{heads}{'n':>{_N}}"
    yield from map(_row, of_models(entry, shown, lambda scores: scores.strict))
    proof = of_models(entry, shown, lambda scores: scores.evidence)
    if proof:
        yield "  evidence"
        yield from map(_row, proof)
    for rule in rules_of(entry):
        yield f"  as {short(rule, 20)} computes it, for published tables only; -o and --json tell what it hides"
        yield from map(_row, published_rows(entry, shown, rule))
    for by in breakdowns_of(entry):
        yield from _groups(entry, shown, by)


def _groups(entry: EntryResult, shown: Sequence[str], by: str) -> Iterator[str]:
    """The headline figure of the largest groups of a breakdown, under the groups' names."""
    chosen = []
    for group, of in groups_of(by, entry, shown).items():
        first = headline(rows(of), entry.family, "evidence-" if by.startswith(EVIDENCE_BREAKDOWN) else "")
        if first is not None:
            chosen.append((first.name, replace(first, name=group or "none")))
    if chosen:
        yield f"  {short(chosen[0][0], 40)} by {short(by.replace('_', ' '), 40)}"
    largest = sorted(chosen, key=lambda one: -max((f.n for f in one[1].figures if f is not None), default=0))
    yield from (_row(row) for _, row in largest[:GROUPS_SHOWN])
    if len(largest) > GROUPS_SHOWN:
        yield f"    and {len(largest) - GROUPS_SHOWN} smaller ones, in -o and --json"


def _row(row: Row) -> str:
    cells = []
    for figure in row.figures:
        text = "" if figure is None else f"{row.way.value(figure)} {row.way.interval(figure)}".strip()
        if figure is not None and row.way.unit:
            text = text.replace(row.way.suffix, "")
        if len(text) >= _MODEL:
            text = text.replace(" %", "%").replace(", ", ",")
        cells.append(f"{text:<{_MODEL - 1}.{_MODEL - 1}} ")
    name = f"  {short(row.name, _NAME - 5)} {row.way.arrow}"
    return f"  {name:<{_NAME}}{''.join(cells)}{row.n.split(' ')[0]:>{_N}}"


def _differences(entry: EntryResult, models: Sequence[str]) -> Iterator[str]:
    for one in compared(entry, models):
        found = {d.name: d for d in one.differences}
        for row in headlines(of_models(entry, models, lambda scores: scores.strict), entry.family)[:1]:
            if row.name in found:
                d = found[row.name]
                p = f" (p {p_text(d.p)})" if d.p is not None else ""
                yield f"  {one.a} and {one.b}, {short(d.name, 30)}: {verdict(d, one.a, one.b).sentence}{p}"


def _wrapped(reason: str) -> Iterator[str]:
    words, current = line(reason, 600).split(" "), " "
    for word in words:
        if len(current) + 1 + len(word) > COLUMNS and current.strip():
            yield current
            current = " "
        current += f" {word}"
    if current.strip():
        yield current

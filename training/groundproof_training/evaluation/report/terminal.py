"""The report for a terminal: each entry's headline figures, models side by side, within 100 columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from groundproof_training.evaluation.report.numbers import p_text, verdict
from groundproof_training.evaluation.report.rows import (
    Row,
    compared,
    headline,
    headlines,
    letter,
    models_of,
    of_models,
)
from groundproof_training.evaluation.report.writing import line, short
from groundproof_training.evaluation.results import EntryResult, Evaluation

COLUMNS = 100
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
        title = f"{short(entry.title, 60)} ({entry.family})"
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
    found = of_models(entry, shown, lambda scores: scores.strict)
    for row in headlines(found, entry.family):
        yield _row(row)
    proof = of_models(entry, shown, lambda scores: scores.evidence)
    first = headline(proof, entry.family, "evidence-")
    if first is not None:
        yield _row(first)


def _row(row: Row) -> str:
    cells = []
    for figure in row.figures:
        text = "" if figure is None else f"{row.way.value(figure)} {row.way.interval(figure)}".strip()
        if figure is not None and row.way.unit:
            text = text.replace(row.way.suffix, "")
        cells.append(f"{text:<{_MODEL - 1}.{_MODEL - 1}} ")
    name = f"{short(row.name, _NAME - 4)} {row.way.arrow}"
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

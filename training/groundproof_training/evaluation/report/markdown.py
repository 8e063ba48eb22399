"""The report as Markdown, short enough for an issue. Knows results; refuses to know HTML."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from groundproof_training.evaluation.report.numbers import p_text, verdict
from groundproof_training.evaluation.report.rows import (
    Compared,
    Row,
    compared,
    count_of,
    letter,
    models_of,
    notes_of,
    of_models,
    published_rows,
    rules_of,
    summary_rows,
)
from groundproof_training.evaluation.report.writing import marked_down, short
from groundproof_training.evaluation.results import EntryResult, Evaluation

LIMIT = 60_000
"""Characters; GitHub takes 65,536 in an issue."""


def markdown(evaluation: Evaluation, limit: int = LIMIT) -> str:
    """Summary first, then a section for each entry; entries that would not fit are named at the end."""
    models = models_of(evaluation)
    text = "\n".join(_summary(evaluation, models)) + "\n"
    left_out = []
    for entry in evaluation.entries:
        if not entry.scores:
            continue
        made = "\n" + "\n".join(_entry(entry, models)) + "\n"
        if len(text) + len(made) > limit - 200:
            left_out.append(entry)
        else:
            text += made
    if left_out:
        text += f"\n{count_of(left_out, 'benchmark')} left out here for length; all are in report.html.\n"
    return (
        text
        if len(text) <= limit
        else text[: limit - 60] + "\n\nCut here for length; all is in report.html.\n"
    )


def _summary(evaluation: Evaluation, models: Sequence[str]) -> Iterator[str]:
    yield f"# {marked_down(short(evaluation.title or 'Evaluation', 150))}"
    yield ""
    for index, model in enumerate(models):
        yield f"- **{letter(index)}** {marked_down(short(model, 150))}"
    yield ""
    yield "95 % intervals in brackets. \u2191 higher is better, \u2193 lower is better."
    scored = [entry for entry in evaluation.entries if entry.status == "scored" and entry.scores]
    if scored:
        yield ""
        yield from _head(["Benchmark", "Figure", "n", *(letter(i) for i in range(len(models)))])
        for entry in scored:
            for row in summary_rows(of_models(entry, models, lambda scores: scores.strict), entry.family):
                yield _cells([_title(entry), *_row(row)])
    rest = [entry for entry in evaluation.entries if entry.status != "scored"]
    if rest:
        yield ""
        yield from _head(["Not scored", "Status", "Why"])
        for entry in rest:
            yield _cells([_title(entry), marked_down(entry.status, 40), marked_down(entry.reason, 240)])
    if not evaluation.entries:
        yield ""
        yield "Nothing was evaluated: there is no benchmark in this run."


def _entry(entry: EntryResult, models: Sequence[str]) -> Iterator[str]:
    indices = [i for i, model in enumerate(models) if model in entry.scores]
    mine = [models[i] for i in indices]
    letters = [letter(i) for i in indices]
    yield f"## {_title(entry)}"
    yield ""
    for i in indices:
        scores = entry.scores[models[i]]
        said = ", ".join(f"{n:,} {marked_down(status, 40)}" for status, n in scores.statuses.items())
        yield f"- {letter(i)}: {count_of(scores.n, 'question')}{': ' if said else ''}{said}"
    for kind, number in entry.problems.items():
        yield f"- {number:,} x {marked_down(kind, 120)}"
    yield ""
    yield from _head(["Our figure", "n", *letters])
    for row in of_models(entry, mine, lambda scores: scores.strict):
        yield _cells(_row(row))
    proof = of_models(entry, mine, lambda scores: scores.evidence)
    if proof:
        yield ""
        yield from _head(["Evidence", "n", *letters])
        for row in proof:
            yield _cells(_row(row))
    for one in compared(entry, models):
        yield from _differences(one, of_models(entry, mine, lambda scores: scores.strict))
    for rule in rules_of(entry):
        yield ""
        yield f"Published rule `{marked_down(rule, 60)}`, **not comparable with our figures**:"
        yield ""
        yield from _head(["Published figure", "n", *letters])
        found = published_rows(entry, mine, rule)
        for row in found:
            yield _cells(_row(row))
        yield ""
        for names, notes in notes_of(found):
            yield f"- {marked_down('; '.join(names), 300)}: {marked_down(notes[0], 400)}"
    if entry.published:
        yield ""
        rest = marked_down(entry.published_samples, 240) or "not published"
        yield f"Published rows, as printed; they rest on: {rest}."
        yield ""
        yield from _head(["System", "Metric", "Value", "Source", "Mind"])
        for p in entry.published:
            words = (marked_down(text, 160) for text in (p.system, p.metric))
            yield _cells([*words, f"{p.value:g}", marked_down(p.source, 160), marked_down(p.note, 160)])


def _differences(one: Compared, found: Sequence[Row]) -> Iterator[str]:
    ways = {row.name: row.way for row in found}
    yield ""
    yield from _head(["Difference", "n", f"{one.b} \u2212 {one.a}", "p", "In words"])
    for d in one.differences:
        if d.name not in ways:
            continue
        way = ways[d.name]
        half = None if d.low is None or d.high is None else (d.high - d.low) / 2
        text = way.number(d.b - d.a, half, sign=True)
        if math.isfinite(d.b - d.a):
            text += " points" if way.share else way.suffix
        if half is not None:
            text += f" [{way.number(d.low, half, sign=True)}, {way.number(d.high, half, sign=True)}]"
        yield _cells(
            [marked_down(d.name, 80), f"{d.n:,}", text, p_text(d.p), verdict(d, one.a, one.b).sentence]
        )


def _row(row: Row) -> list[str]:
    values = [
        "" if one is None else f"{row.way.value(one)} {row.way.interval(one)}".strip() for one in row.figures
    ]
    return [f"{marked_down(row.name, 80)} {row.way.arrow}", row.n, *values]


def _title(entry: EntryResult) -> str:
    return marked_down(short(entry.title or entry.name, 100))


def _head(names: Sequence[str]) -> Iterator[str]:
    yield _cells(names)
    yield _cells(["---"] * len(names))


def _cells(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"

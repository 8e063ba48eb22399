"""The report as one HTML file that needs nothing else: no network, no scripts, no fonts. Knows results."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files

from groundproof_training.evaluation.report import plots, tables
from groundproof_training.evaluation.report.pictures import Pictures
from groundproof_training.evaluation.report.rows import (
    FAMILIES,
    PARSE_RATE,
    Row,
    count_of,
    letter,
    models_of,
    of_models,
    statuses,
    summary_rows,
)
from groundproof_training.evaluation.report.sections import configuration, section
from groundproof_training.evaluation.report.writing import escaped, short
from groundproof_training.evaluation.results import EntryResult, Evaluation

LIMIT_BYTES = 24 * 2**20
"""Of the file: pictures that would not fit are left out, and said to be."""


def page(evaluation: Evaluation, limit: int = LIMIT_BYTES) -> str:
    """The whole file. limit: bytes that it has at most, unless its texts and tables alone are longer."""
    models = models_of(evaluation)
    pictures = Pictures()
    sections = [
        section(entry, number, models, pictures) for number, entry in enumerate(evaluation.entries, start=1)
    ]
    style = files(__package__).joinpath("style.css").read_text(encoding="utf-8")
    allowed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
    title = escaped(short(evaluation.title or "Evaluation", 200))
    head = (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{allowed}'; "
        "img-src data:; base-uri 'none'; form-action 'none'\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer"><meta name="color-scheme" content="light dark">'
        f"<title>{title}</title><style>{style}</style></head><body>"
    )
    top = (
        f"<header><h1>{title}</h1>{_opening(evaluation, models)}</header><main>{_summary(evaluation, models)}"
    )
    last = (
        '<section aria-labelledby="configuration"><h2 id="configuration">Configuration</h2>'
        f"<details><summary>Everything that decides the numbers</summary>{configuration(evaluation.configuration)}"
        "</details></section></main>"
    )
    body = "\n".join([top, *sections, last])
    end = "</body></html>\n"
    room = limit - sum(len(part.encode("utf-8")) for part in (head, body, end)) - 400
    store, left_out = pictures.store(room)
    told = ""
    if left_out:
        told = (
            f'<p class="status">{count_of(left_out, "picture")} left out: the file would be larger than '
            f"{limit / 2**20:.0f} MiB.</p>"
        )
    return f"{head}{body}{told}{store}{end}"


def _opening(evaluation: Evaluation, models: Sequence[str]) -> str:
    by_status = statuses(evaluation)
    became = ", ".join(f"{len(found):,} {escaped(status, 40)}" for status, found in by_status.items())
    draws, seed = (evaluation.configuration.get(key) for key in ("draws", "seed"))
    how = "95 % intervals by bootstrap over images (over questions, where these are not known)"
    if isinstance(draws, int):
        how += f", {draws:,} draws, seed {escaped(seed, 20)}" if draws else ": none, at 0 draws"
    legend = "".join(
        f'<li>{plots.mark(index)} <strong>{letter(index)}</strong> <span dir="auto">{escaped(model, 400)}</span></li>'
        for index, model in enumerate(models)
    )
    return (
        f"<p>{count_of(models, 'model')}, {count_of(evaluation.entries, 'benchmark')}: {became}. {how}.</p>"
        f'<ul class="models" aria-label="Models">{legend}</ul>'
        "<details><summary>How to read this report</summary><ul>"
        "<li>Below each value stands its 95 % interval, also as a line with the value's mark. The digits of a value "
        "follow the width of its interval. n is the number of questions that a figure rests on.</li>"
        "<li>\u2191 higher is better, \u2193 lower is better, \u2192 best at that value.</li>"
        "<li>Two models differ where the interval of their difference leaves out 0 and p is below 0.05. "
        "Overlapping intervals of two models say less than that.</li>"
        "<li><em>Published rules</em> are computed as the papers' programs do, quirks included, and stand apart: "
        "dashed frame, with what each number hides.</li>"
        "<li>Questions whose answer could not be read, is missing or failed are wrong in all of our figures.</li>"
        "</ul></details>"
    )


def _summary(evaluation: Evaluation, models: Sequence[str]) -> str:
    by_status = statuses(evaluation)
    numbers = {id(entry): number for number, entry in enumerate(evaluation.entries, start=1)}
    parts = ['<section aria-labelledby="summary"><h2 id="summary">Summary</h2>']
    scored = [entry for entry in by_status["scored"] if entry.scores]
    if not evaluation.entries:
        parts.append('<p class="status">Nothing was evaluated: there is no benchmark in this run.</p>')
    if scored:
        parts.append(_headlines(scored, models, numbers))
    rest = [entry for status, found in by_status.items() if status != "scored" for entry in found]
    if rest:
        body = "".join(
            f'<tr><th scope="row"><a href="#entry-{numbers[id(entry)]}">{escaped(short(entry.title or entry.name, 90))}'
            f"</a></th><td>{escaped(entry.status, 40)}</td><td>{escaped(entry.reason, 400)}</td></tr>"
            for entry in rest
        )
        head = '<tr><th scope="col">Benchmark</th><th scope="col">Status</th><th scope="col">Why</th></tr>'
        parts.append(
            tables.wrapped("Not scored", head, body, "figures rows", "Benchmarks that were not scored")
        )
    return "".join(parts) + "</section>"


def _headlines(scored: Sequence[EntryResult], models: Sequence[str], numbers: dict[int, int]) -> str:
    """One row for each entry: what speaks for it, drawn beside the others."""
    indices = range(len(models))
    body = []
    for entry in scored:
        found = of_models(entry, models, lambda scores: scores.strict)
        chosen = summary_rows(found, entry.family)
        title = (
            f'<th scope="rowgroup" rowspan="{max(1, len(chosen))}"><a href="#entry-{numbers[id(entry)]}">'
            f"{escaped(short(entry.title or entry.name, 70))}</a>"
            f'<span class="family">{FAMILIES[entry.family]}</span></th>'
        )
        if not chosen:
            body.append(f'<tr>{title}<td colspan="{len(models) + 3}">no figure</td></tr>')
        read = next((one for one in found if one.name == PARSE_RATE), None)
        for number, row in enumerate(chosen):
            cells = "".join(_cell(row, None if number else read, index) for index in indices)
            drawn = plots.strip(row.figures, indices) if row.way.share else ""
            body.append(
                f"<tr>{'' if number else title}<td>{escaped(row.name, 60)}&nbsp;"
                f'<span title="{row.way.direction}">{row.way.arrow}</span></td>'
                f'<td class="n">{row.n}</td>{cells}<td class="plot">{drawn}</td></tr>'
            )
    head = (
        '<tr><th scope="col">Benchmark</th><th scope="col">Figure</th><th scope="col" class="n">n</th>'
        f"{tables.model_heads(models, indices)}"
        f'<th scope="col" class="plot">{plots.axis("0", "50 %", "100")}</th></tr>'
    )
    return tables.wrapped(
        "Our headline figures, 95 % intervals; how many answers could be read stands below, if not all",
        head,
        "".join(body),
        label="Headline figures",
    )


def _cell(row: Row, read: Row | None, index: int) -> str:
    made = tables.cell(row, row.figures[index])
    figure = None if read is None else read.figures[index]
    if read is None or figure is None or not figure.value < 1:
        return made
    return made.removesuffix("</td>") + f'<span class="read">{read.way.value(figure)} read</span></td>'

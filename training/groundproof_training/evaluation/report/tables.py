"""Tables of figures in HTML. Knows rows; refuses to know what an entry is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from groundproof_training.evaluation.figures import Figure
from groundproof_training.evaluation.report import plots
from groundproof_training.evaluation.report.numbers import half_width, p_text, verdict
from groundproof_training.evaluation.report.rows import Compared, Row, letter, notes_of
from groundproof_training.evaluation.report.writing import escaped, short
from groundproof_training.evaluation.results import Published

HEAD = 26
"""Characters of a model's name above its column; the whole one is in the list at the top."""


def wrapped(caption: str, head: str, body: str, name: str = "figures", label: str | None = None) -> str:
    """A table that scrolls sideways by itself where the page is narrow. caption, head, body: HTML; label: plain."""
    said = f' aria-label="{escaped(label)}"' if label else ""
    return (
        f'<div class="scroll" role="region" tabindex="0"{said}><table class="{name}">'
        f"<caption><span>{caption}</span></caption><thead>{head}</thead><tbody>{body}</tbody></table></div>"
    )


def model_heads(models: Sequence[str], indices: Sequence[int]) -> str:
    """A column head for each model: letter, colour and shape, name."""
    return "".join(
        f'<th scope="col" class="model" title="{escaped(models[i], 300)}">{plots.mark(i)} {letter(i)} '
        f'<span class="name">{escaped(short(models[i], HEAD))}</span></th>'
        for i in indices
    )


def metric(row: Row) -> str:
    """A row's name with which way is better."""
    return (
        f'<th scope="row">{escaped(row.name, 80)}&nbsp;<span class="way" title="{row.way.direction}">'
        f'<span aria-hidden="true">{row.way.arrow}</span><span class="unseen">({row.way.direction})</span></span></th>'
    )


def cell(row: Row, figure: Figure | None) -> str:
    """A value over its interval."""
    if figure is None:
        return '<td class="value none">not computed</td>'
    if not math.isfinite(figure.value):
        return '<td class="value none">not defined</td>'
    interval = row.way.interval(figure)
    below = (
        f'<span class="interval">{interval}</span>'
        if interval
        else '<span class="interval">no interval</span>'
    )
    return f'<td class="value"><span class="number">{escaped(row.way.value(figure))}</span> {below}</td>'


def figures_table(
    caption: str, found: Sequence[Row], models: Sequence[str], indices: Sequence[int], *, drawn: bool = True
) -> str:
    """One row for each figure: what it is, n, each model's value and interval, drawn. indices: of the models that have
    columns, of which the rows' figures are. drawn: with plots."""
    plotted = drawn and any(row.way.share for row in found)
    scale = f'<th scope="col" class="plot">{plots.axis("0", "50 %", "100")}</th>' if plotted else ""
    head = (
        f'<tr><th scope="col">Figure</th><th scope="col" class="n">n</th>{model_heads(models, indices)}'
        f"{scale}</tr>"
    )
    body = []
    for row in found:
        cells = "".join(cell(row, figure) for figure in row.figures)
        plot = f'<td class="plot">{_strip(row, indices)}</td>' if plotted else ""
        body.append(f'<tr>{metric(row)}<td class="n">{row.n}</td>{cells}{plot}</tr>')
    return wrapped(caption, head, "".join(body))


def notes_list(found: Sequence[Row]) -> str:
    """What the figures mean; rows that share a note share its line."""
    return "".join(
        f"<dt>{escaped('; '.join(names), 400)}</dt><dd>{'<br>'.join(escaped(note, 600) for note in notes)}</dd>"
        for names, notes in notes_of(found)
    )


def meanings(found: Sequence[Row]) -> str:
    """`notes_list`, folded."""
    inside = notes_list(found)
    return f"<details><summary>What each figure means</summary><dl>{inside}</dl></details>" if inside else ""


def differences_table(one: Compared, found: Sequence[Row], style: int) -> str:
    """Every difference b - a with its interval, p and what that says."""
    ways = {row.name: row.way for row in found}
    shares = [d for d in one.differences if d.name in ways and ways[d.name].share]
    ends = [abs(v) for d in shares for v in (d.low, d.high, d.b - d.a) if v is not None and math.isfinite(v)]
    reach = max(0.05, math.ceil(max(ends, default=0.0) * 20) / 20)
    plus = f"{reach * 100:.0f}"
    scale = plots.axis(f"\u2212{plus}", "0", f"+{plus} points")
    head = (
        f'<tr><th scope="col">Figure</th><th scope="col" class="n">n</th><th scope="col">{one.a}</th>'
        f'<th scope="col">{one.b}</th><th scope="col">{one.b} \u2212 {one.a}</th>'
        f'<th scope="col" class="plot">{scale}</th>'
        f'<th scope="col">p</th><th scope="col">In words</th></tr>'
    )
    body = []
    for d in one.differences:
        row = next((row for row in found if row.name == d.name), None)
        if row is None:
            continue
        way, half = row.way, half_width(d)
        suffix = " points" if way.share else way.suffix
        told = verdict(d, one.a, one.b)
        delta = way.number(d.b - d.a, half, sign=True)
        if delta != "not defined":
            delta += suffix
        interval = ""
        if d.low is not None and d.high is not None:
            interval = f"[{way.number(d.low, half, sign=True)}, {way.number(d.high, half, sign=True)}]"
        drawn = plots.difference_strip(d, reach, style) if way.share else ""
        body.append(
            f'<tr class="{told.kind}">{metric(row)}<td class="n">{d.n:,}</td>'
            f'<td class="value">{_plain(way.number(d.a, half), way.suffix)}</td>'
            f'<td class="value">{_plain(way.number(d.b, half), way.suffix)}</td>'
            f'<td class="value"><span class="number">{escaped(delta)}</span> '
            f'<span class="interval">{interval}</span></td><td class="plot">{drawn}</td>'
            f'<td class="value">{p_text(d.p)}</td><td class="told">{escaped(told.sentence)}</td></tr>'
        )
    caption = (
        f"{one.b} \u2212 {one.a} on the questions that both answered, 95 % intervals. p: how often chance exchange "
        "of the two models' answers gives as much. One test for each figure, not corrected for their number."
    )
    return wrapped(caption, head, "".join(body), label=f"{one.b} compared with {one.a}")


def tally(one: Compared) -> str:
    """How many figures speak for whom."""
    kinds = [verdict(d, one.a, one.b).kind for d in one.differences]
    parts = [
        (kinds.count("better"), "better"),
        (kinds.count("worse"), "worse"),
        (kinds.count("none"), "no difference shown"),
        (kinds.count("unknown"), "cannot be told"),
    ]
    return ", ".join(f"{number} {words}" for number, words in parts if number) or "no figure in common"


def published_table(rows: Sequence[Published], samples: str) -> str:
    """Rows as they were printed; none is filled in."""
    mind = '<th scope="col">Mind</th>' if any(one.note for one in rows) else ""
    head = (
        '<tr><th scope="col">System</th><th scope="col">Metric, as the paper names it</th>'
        f'<th scope="col">As printed</th><th scope="col">Source</th>{mind}</tr>'
    )
    body = "".join(
        f'<tr><th scope="row">{escaped(one.system, 80)}</th><td>{escaped(one.metric, 120)}</td>'
        f'<td class="value">{one.value:g}</td><td>{escaped(one.source, 200)}</td>'
        + (f'<td class="note">{escaped(one.note, 400)}</td></tr>' if mind else "</tr>")
        for one in rows
    )
    rest = escaped(samples, 600) if samples else "not published"
    caption = f"Published rows, as printed. They rest on: {rest}. Rows that were not published are not here."
    return wrapped(caption, head, body, "figures rows", "Published rows")


def groups_table(
    caption: str, groups: Iterable[tuple[str, Row]], models: Sequence[str], indices: Sequence[int], first: str
) -> str:
    """One figure in every group of a breakdown. first: head of the groups' column."""
    body = []
    listed = list(groups)
    plotted = any(row.way.share for _, row in listed)
    for group, row in listed:
        drawn = f'<td class="plot">{_strip(row, indices)}</td>' if plotted else ""
        body.append(
            f'<tr><th scope="row">{escaped(group, 100)}</th><td class="n">{row.n}</td>'
            f"{''.join(cell(row, figure) for figure in row.figures)}{drawn}</tr>"
        )
    scale = f'<th scope="col" class="plot">{plots.axis("0", "50 %", "100")}</th>' if plotted else ""
    head = (
        f'<tr><th scope="col">{escaped(first, 60)}</th><th scope="col" class="n">n</th>'
        f"{model_heads(models, indices)}{scale}</tr>"
    )
    return wrapped(caption, head, "".join(body))


def _strip(row: Row, indices: Sequence[int]) -> str:
    if not row.way.share:
        return ""
    return plots.strip(row.figures, indices)


def _plain(number: str, suffix: str) -> str:
    return escaped(number if number == "not defined" else number + suffix)

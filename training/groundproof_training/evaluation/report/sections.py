"""The section of one entry. Knows an entry and the models' order; refuses to know the page around it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from groundproof_training.evaluation.report import galleries, tables
from groundproof_training.evaluation.report.machine import plain
from groundproof_training.evaluation.report.pictures import Pictures
from groundproof_training.evaluation.report.rows import (
    EVIDENCE_BREAKDOWN,
    FAMILIES,
    Row,
    breakdowns_of,
    compared,
    count_of,
    groups_of,
    headline,
    letter,
    of_models,
    published_rows,
    rows,
    rules_of,
)
from groundproof_training.evaluation.report.writing import escaped, short
from groundproof_training.evaluation.results import EntryResult

MOST_GROUPS = 80
"""Of one breakdown in the page; all are in report.json."""


def section(entry: EntryResult, number: int, models: Sequence[str], pictures: Pictures) -> str:
    """All that is known of an entry."""
    title = f'<h2 id="entry-{number}">{escaped(short(entry.title or entry.name, 160))}</h2>'
    told = dict.fromkeys(one for one in (entry.name, FAMILIES[entry.family]) if one != entry.title)
    facts = f'<p class="quiet">{escaped(", ".join(told), 200)}</p>'
    indices = [index for index, model in enumerate(models) if model in entry.scores]
    mine = [models[index] for index in indices]
    parts = [title, facts]
    if entry.status != "scored":
        parts.append(
            f'<p class="status"><strong>{escaped(entry.status, 60)}</strong>. {escaped(entry.reason, 1500)}</p>'
        )
    if mine:
        parts += [
            _strict(entry, models, indices, mine),
            _differences(entry, models, indices, mine),
            _published(entry, models, indices, mine),
            _evidence(entry, models, indices),
            _breakdowns(entry, models, indices),
        ]
    elif entry.published:
        parts.append(_published(entry, models, indices, mine))
    parts += [_problems(entry), _gallery(entry, models, pictures)]
    parts.append(_configuration(entry))
    return f'<section class="entry" aria-labelledby="entry-{number}">{"".join(parts)}</section>'


def configuration(value: Any) -> str:
    """Settings as text, exactly."""
    return f"<pre>{escaped(json.dumps(plain(value), indent=1, ensure_ascii=False, allow_nan=False))}</pre>"


def _strict(entry: EntryResult, models: Sequence[str], indices: Sequence[int], mine: Sequence[str]) -> str:
    found = of_models(entry, mine, lambda scores: scores.strict)
    what = (
        "Below each value its 95 % interval. Answers that could not be read, are missing or failed are wrong."
    )
    return (
        f"<h3>Our figures</h3>{_answers(entry, models, indices)}"
        f"{tables.figures_table(what, found, models, indices)}{tables.meanings(found)}"
    )


def _answers(entry: EntryResult, models: Sequence[str], indices: Sequence[int]) -> str:
    """What became of the questions, in a line for each model."""
    items = []
    for index in indices:
        scores = entry.scores[models[index]]
        said = ", ".join(f"{n:,} {escaped(status, 40)}" for status, n in scores.statuses.items())
        items.append(
            f"<li><strong>{letter(index)}</strong> {count_of(scores.n, 'question')}: {said or 'no status'}</li>"
        )
    return f'<ul class="answers" aria-label="What became of the questions">{"".join(items)}</ul>'


def _differences(
    entry: EntryResult, models: Sequence[str], indices: Sequence[int], mine: Sequence[str]
) -> str:
    made = compared(entry, models)
    if not made:
        return ""
    found = of_models(entry, mine, lambda scores: scores.strict)
    parts = ["<h3>Differences between models</h3>"]
    for number, one in enumerate(made):
        style = next((i for i in indices if letter(i) == one.b), 0)
        names = f"{one.b} ({short(one.name_b, 40)})" if one.name_b else one.b
        other = f"{one.a} ({short(one.name_a, 40)})" if one.name_a else one.a
        summary = f"{escaped(names)} against {escaped(other)}: {tables.tally(one)}"
        opened = " open" if number == 0 else ""
        parts.append(
            f"<details{opened}><summary>{summary}</summary>"
            f"{tables.differences_table(one, found, style)}</details>"
        )
    return "".join(parts)


def _published(entry: EntryResult, models: Sequence[str], indices: Sequence[int], mine: Sequence[str]) -> str:
    rules = rules_of(entry)
    if not rules and not entry.published:
        return ""
    what = "rules" if rules else "rows"
    head = f'<h3><span class="badge">Published {what}</span> not comparable with our figures</h3>'
    parts = [f'<div class="published">{head}']
    if rules:
        parts.append(
            "<p>Computed on the answers above by the rules that published tables rest on, with their quirks, to "
            "stand beside those tables and for nothing else.</p>"
        )
    for rule in rules:
        found = published_rows(entry, mine, rule)
        caption = f"By the rule <code>{escaped(rule, 60)}</code>, on our questions and answers."
        parts.append(tables.figures_table(caption, found, models, indices))
        parts.append(f'<p class="hides">What these numbers hide</p><dl>{tables.notes_list(found)}</dl>')
    if entry.published:
        n = " / ".join(dict.fromkeys(f"{entry.scores[model].n:,}" for model in mine))
        if n:
            parts.append(
                f"<p>Ours rest on {n} questions. A published row compares only with the same rule on the same samples; "
                "at 200 samples a share is uncertain by 3 to 7 points either way.</p>"
            )
        parts.append(tables.published_table(entry.published, entry.published_samples))
    elif rules:
        parts.append('<p class="quiet">No published row is known for this entry.</p>')
    return "".join(parts) + "</div>"


def _evidence(entry: EntryResult, models: Sequence[str], indices: Sequence[int]) -> str:
    """Of the models whose answers have rationales; the others are named."""
    having = [index for index in indices if entry.scores[models[index]].evidence]
    if not having:
        return ""
    found = rows([entry.scores[models[index]].evidence for index in having])
    what = (
        "Whether the rationale points at what is there, and whether the answer follows from it: no published "
        "evaluation asks."
    )
    silent = ", ".join(letter(index) for index in indices if index not in having)
    told = f'<p class="quiet">Without rationales: {silent}.</p>' if silent else ""
    return (
        f"<h3>Evidence</h3>{tables.figures_table(what, found, models, having)}{told}{tables.meanings(found)}"
    )


def _breakdowns(entry: EntryResult, models: Sequence[str], indices: Sequence[int]) -> str:
    parts = [
        _breakdown(by, entry, models, [i for i in indices if entry.scores[models[i]].breakdowns.get(by)])
        for by in breakdowns_of(entry)
    ]
    return f"<h3>Where it holds and where it fails</h3>{''.join(parts)}" if any(parts) else ""


def _breakdown(by: str, entry: EntryResult, models: Sequence[str], indices: Sequence[int]) -> str:
    groups = groups_of(by, entry, [models[index] for index in indices])
    prefix = "evidence-" if by.startswith(EVIDENCE_BREAKDOWN) else ""
    words = by.replace("_", " ")
    chosen: list[tuple[str, Row]] = []
    everything: list[str] = []
    for group, of in list(groups.items())[:MOST_GROUPS]:
        found = rows(of)
        first = headline(found, entry.family, prefix)
        if first is not None:
            chosen.append((group, first))
        everything.append(
            tables.figures_table(
                f"{escaped(words)}: {escaped(group, 100)}", found, models, indices, drawn=False
            )
        )
    if not chosen:
        return ""
    figure = chosen[0][1].name
    left = len(groups) - MOST_GROUPS
    rest = f'<p class="quiet">{left:,} more groups are in report.json.</p>' if left > 0 else ""
    caption = f"{escaped(figure, 60)} by {escaped(words, 60)}, 95 % intervals"
    return (
        f"{tables.groups_table(caption, chosen, models, indices, words.capitalize())}{rest}"
        f"<details><summary>All figures by {escaped(words, 60)}</summary>{''.join(everything)}</details>"
    )


def _problems(entry: EntryResult) -> str:
    if not entry.problems:
        return ""
    items = []
    for kind, number in entry.problems.items():
        examples = "".join(
            f'<li dir="auto">{escaped(text, 300)}</li>' for text in entry.examples.get(kind, [])
        )
        listed = f"<details><summary>Examples</summary><ul>{examples}</ul></details>" if examples else ""
        items.append(f"<li><strong>{number:,}</strong> {escaped(kind, 200)}{listed}</li>")
    return f'<h3>Problems</h3><ul class="problems">{"".join(items)}</ul>'


def _gallery(entry: EntryResult, models: Sequence[str], pictures: Pictures) -> str:
    found = [(index, model) for index, model in enumerate(models) if entry.gallery.get(model)]
    if not found:
        return ""
    points = any(one.case.truth.points is not None for shown in entry.gallery.values() for one in shown)
    parts = ["<h3>Cases to look at</h3>", galleries.legend(points=points)]
    for number, (index, model) in enumerate(found):
        shown = entry.gallery[model]
        opened = " open" if number == 0 else ""
        parts.append(
            f"<details{opened}><summary>{letter(index)} {escaped(short(model, 60))}: "
            f"{count_of(shown, 'case')}, the best, the worst, missed and invented objects</summary>"
            f"{galleries.gallery(shown, pictures)}</details>"
        )
    return "".join(parts)


def _configuration(entry: EntryResult) -> str:
    if not entry.configuration:
        return ""
    return f"<details><summary>Configuration of this entry</summary>{configuration(entry.configuration)}</details>"

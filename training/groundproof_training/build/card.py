"""The data card: what is in a build, from where, under which licence, what was left out, and what the audit found.

Knows facts of a build. Refuses to compute them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from groundproof_training.build.composition import Composition, Row
from groundproof_training.leakage.audit import Audit
from groundproof_training.leakage.report import table
from groundproof_training.readers.base import DatasetCard, Problems


@dataclass(slots=True)
class RowFacts:
    """One row as it was read. tasks: samples by task. problems: what was left out while reading, by kind."""

    row: Row
    card: DatasetCard
    tasks: Counter[str]
    images: int
    problems: dict[str, int]
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class BuildFacts:
    """The whole. missing: rows that were not there. audit: before anything was dropped; after: of the written files and
    the test sets; left: pairs between splits in it, and pictures that could not be read. files: samples by file."""

    composition: Composition
    rows: list[RowFacts]
    missing: list[Row]
    audit: Audit
    after: Audit
    left: int
    files: Mapping[Path, int]
    problems: Problems
    rationales: list[str]


def write_card(file: Path, facts: BuildFacts) -> None:
    """Markdown."""
    file.write_text("\n".join([*_lines(facts), ""]), encoding="utf-8")


def _lines(facts: BuildFacts) -> list[str]:
    composition = facts.composition
    lines = [f"# {composition.title}", ""]
    if composition.about:
        lines += [composition.about, ""]
    lines += ["| file | samples |", "|---|---|"]
    lines += [f"| `{path.name}` | {number:,} |" for path, number in facts.files.items()]
    lines += ["", "Images' paths are relative to this folder.", "", "## Sources", ""]
    lines.append("| row | dataset | use | samples | images | dropped as leaks | published |")
    lines.append("|---|---|---|---|---|---|---|")
    for one in facts.rows:
        published = "" if one.row.published is None else f"{one.row.published:,}"
        lines.append(
            f"| {one.row.name} | {one.card.title} | {one.row.use} | {one.tasks.total():,} | {one.images:,} | "
            f"{one.dropped:,} | {published} |"
        )
    lines += ["", "Licences and origins:", ""]
    lines += [f"- {title}: {licence}; {source}" for title, licence, source in dict.fromkeys(
        (one.card.title, one.card.licence, one.card.source) for one in facts.rows)]  # fmt: skip
    if facts.missing:
        names = ", ".join(f"{row.name} (published {row.published or 'not given'})" for row in facts.missing)
        lines += ["", f"Not in this build, for their folders were missing: {names}"]
    lines += _notes(facts)
    lines += ["", "## Rationales", ""]
    lines += [f"- {line.strip()}" for line in facts.rationales] or ["None were written."]
    lines += ["", "## Left out", ""]
    lines += ["```", *facts.problems.lines(), "```"] if facts.problems.counts else ["Nothing."]
    left = (
        "no picture of train is in val or test, none of val in test"
        if not facts.left
        else f"{facts.left} pictures are in two, or unreadable"
    )
    lines += ["", "## Leakage", "", "Before anything was dropped:", "", "```", table(facts.audit), "```", ""]
    said = "The written files and the test sets, audited anew:"
    lines += [
        f"Pairs side by side: `audit.html`; all of them: `audit.json`. {said}",
        "",
        "```",
        table(facts.after),
    ]
    lines += ["```", "", f"**{left[0].upper()}{left[1:]}**, test sets included."]
    lines += ["Data for SFT and for GRPO of one split may share pictures."]
    lines += ["A row says how many of its pictures each column shows too."]
    return lines


def _notes(facts: BuildFacts) -> list[str]:
    notes = [f"- {one.row.name}: {one.row.note}" for one in facts.rows if one.row.note]
    return ["", "On the published counts:", "", *notes] if notes else []

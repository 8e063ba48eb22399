"""The ablation as a page: tables, the questions answered no stronger than the intervals allow, a picture.

    OUT/ablation.md, OUT/ablation.json, OUT/ablation.png

Knows how figures are written. Refuses to know how they come about.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path

from groundproof_training.ablation.columns import COLUMNS, Column, shown_as
from groundproof_training.ablation.conclusions import WITHOUT_KL, answer, collapse
from groundproof_training.ablation.figure import draw
from groundproof_training.ablation.published import HEADS, NOTE, ROWS
from groundproof_training.ablation.results import CellResult
from groundproof_training.ablation.settings import AblationSettings, packages
from groundproof_training.ablation.table import FEWEST_SEEDS, Asked, Contrast, Entry, Row, answers_to, rows_of

PAGE, FACTS, PICTURE = "ablation.md", "ablation.json", "ablation.png"
MEANS = (
    "Mean over seeds, 95 % interval over images (the same images for all cells); the seeds' own values stand "
    "below and as dots in the picture. Higher is better but where ↓ stands. No interval where no resample moves the "
    "value, such as 100, which does not make it certain."
)
SHOWN = (
    "Better or worse: the interval over images (in brackets) and the one over seeds (Student's t, in the JSON) leave 0 "
    "out, and all seeds, at least two, agree on the sign. In these runs: the one over seeds does not, so that other "
    "seeds may show the opposite; three seeds are few, and by chance alone they have one sign in a quarter of all "
    "cases. These are {number} comparisons, not corrected for their number."
)
QUARTERS = "(first -> last quarter of the steps; without KL there is no reference to measure one to)"
TRAINING_HEADS = (
    "with CoT, %",
    "characters",
    "repetition",
    "unreadable",
    "steps",
    "reward",
    "KL",
    "tokens",
    "training, s",
    "asking, s",
)
REAL_UNITS = {"mae": "objects"}


def write(out: Path, results: Sequence[CellResult], settings: AblationSettings, command: str) -> list[Path]:
    """The three files, of whatever cells are done with these settings. command: that makes them again."""
    out.mkdir(parents=True, exist_ok=True)
    rows = rows_of(results, settings.seeds)
    text = "\n".join(["# Ablation", "", f"`{command}`", "", *lines_of(rows, settings)]) + "\n"
    (out / PAGE).write_text(text, encoding="utf-8")
    (out / FACTS).write_text(json.dumps(facts_of(rows, settings), indent=1) + "\n", encoding="utf-8")
    draw(rows, out / PICTURE)
    return [out / PAGE, out / FACTS, out / PICTURE]


def append_log(log: Path, results: Sequence[CellResult], settings: AblationSettings, command: str) -> None:
    """A dated section behind the title and the first lines of a log of experiments, newest first."""
    rows = rows_of(results, settings.seeds)
    made = [f"## {date.today().isoformat()}: the ablation at small scale", "", f"`{command}`", ""]
    made += lines_of(rows, settings)
    before = log.read_text(encoding="utf-8") if log.is_file() else "# Log of experiments\n\n"
    head, mark, rest = before.partition("\n## ")
    text = f"{head.rstrip()}\n\n" + "\n".join(made) + "\n" + (f"\n## {rest}" if mark else "")
    log.write_text(text, encoding="utf-8")


def lines_of(rows: Sequence[Row], settings: AblationSettings) -> list[str]:
    """The page below its title."""
    lines = [budget(settings), "", *table(rows), ""]
    lines += [MEANS, ""]
    missing = [f"- {row.cell.title}: {'; '.join(row.missing)}" for row in rows if row.missing]
    if missing:
        lines += ["Not there:", "", *missing, ""]
    lines += ["Questions:", ""]
    answered = answers_to(rows)
    for asked, found, undefined in answered:
        lines.append(f"- **{asked.question}** {_answer(rows, settings, asked, found, undefined)}")
    lines += ["", SHOWN.format(number=sum(len(found) for _, found, _ in answered))]
    lines += [
        "",
        f"What the answers look like, and what training logged {QUARTERS}:",
        "",
        *training(rows),
        "",
    ]
    lines += ["Lowest and highest seed:", "", *spread(rows), ""]
    real = real_table(rows)
    if real:
        lines += ["Real pictures (through tiles and merge):", "", *real, ""]
    lines += [
        "Published, RSThinker (grounding mIoU, counting MAE ↓, detection mAP@0.5, BLEU-4, scene class, VQA):",
        "",
        "| | " + " | ".join(HEADS) + " |",
        "|---|" + "---|" * len(HEADS),
        *("| " + " | ".join([name, *(f"{v:g}" for v in values)]) + " |" for name, values in ROWS.items()),
        "",
        NOTE,
    ]
    return lines


def _answer(
    rows: Sequence[Row],
    settings: AblationSettings,
    asked: Asked,
    found: Sequence[Contrast],
    undefined: Sequence[Column],
) -> str:
    said = answer(asked, found, undefined)
    explained = collapse(rows, settings.grpo.beta) if asked.other == WITHOUT_KL else ""
    return f"{said} {explained}".strip()


def budget(settings: AblationSettings) -> str:
    """Of every cell, in a sentence."""
    s, g, e = settings.sft, settings.grpo, settings.evaluation
    return (
        f"SFT: {s.steps} steps of {s.batch} samples, learning rate {s.learning_rate:g}. GRPO: {g.steps} steps of "
        f"{g.prompts} x {g.k} answers, learning rate {g.learning_rate:g}, beta {g.beta:g}. {settings.seeds} seeds. "
        f"Evaluated on the first {e.scenes} scenes of bench-v1 and {e.pictures} pictures of each real set."
    )


def table(rows: Sequence[Row]) -> list[str]:
    """Cells by columns."""
    heads = [column.title + (" ↓" if column.better == "lower" else "") for column in COLUMNS]
    lines = ["| | " + " | ".join(heads) + " |", "|---|" + "---|" * len(heads)]
    for row in rows:
        values = [told(row.figures[column.name], column.unit) for column in COLUMNS]
        lines.append("| " + " | ".join([row.cell.title, *values]) + " |")
    asked = [max(row.figures[column.name].n for row in rows) for column in COLUMNS]
    return [*lines, "| " + " | ".join(["questions", *map(str, asked)]) + " |"]


def spread(rows: Sequence[Row]) -> list[str]:
    """Cells of several seeds by columns: what another seed did, which no interval over images says."""
    lines = ["| | " + " | ".join(column.title for column in COLUMNS) + " |", "|---|" + "---|" * len(COLUMNS)]
    for row in rows:
        if len(row.results) < FEWEST_SEEDS:
            continue
        values = []
        for column in COLUMNS:
            factor, digits = shown_as(column.unit)
            own = [factor * value for value in row.figures[column.name].seeds]
            values.append(f"{min(own):.{digits}f} to {max(own):.{digits}f}" if own else "-")
        lines.append("| " + " | ".join([row.cell.title, *values]) + " |")
    return lines if len(lines) > 2 else ["No cell has several seeds yet."]


def told(one: Entry, unit: str) -> str:
    """ "41.2 [36.0, 46.1]", in percent where the unit is; "-" where it is not defined."""
    if one.value is None:
        return "-"
    factor, digits = shown_as(unit)
    value = f"{one.value * factor:.{digits}f}"
    if one.low is None or one.high is None:
        return value
    return f"{value} [{one.low * factor:.{digits}f}, {one.high * factor:.{digits}f}]"


def training(rows: Sequence[Row]) -> list[str]:
    """Means over seeds: length and repetition of answers, steps, time, and of GRPO reward, KL and length in the first
    and the last quarter of its steps."""
    lines = [
        "| | " + " | ".join(TRAINING_HEADS) + " |",
        "|---|" + "---|" * len(TRAINING_HEADS),
    ]
    for row in rows:
        if not row.results:
            continue
        answers = [r.answers for r in row.results if r.answers is not None]
        reasoned = [100 * a.reasoned for a in answers if a.reasoned is not None]
        cells = [
            f"{_mean(reasoned):.1f}" if reasoned else "-",
            f"{_mean([a.mean_chars for a in answers]):.0f}",
            f"{_mean([a.repetition for a in answers]):.3f}",
            f"{_mean([a.unreadable for a in answers]):.1f} of {answers[0].n}" if answers else "-",
            str(max((r.trained.steps for r in row.results if r.trained), default="-")),
            _ends([r.trained.reward if r.trained else None for r in row.results], 2),
            _ends([r.trained.kl if r.trained else None for r in row.results], 4),
            _ends([r.trained.tokens if r.trained else None for r in row.results], 0),
            f"{_mean([r.train_seconds for r in row.results]):.0f}",
            f"{_mean([r.evaluate_seconds for r in row.results]):.0f}",
        ]
        lines.append("| " + " | ".join([row.cell.title, *cells]) + " |")
    return lines


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else float("nan")


def _ends(pairs: Sequence[tuple[float, float] | None], digits: int) -> str:
    known = [pair for pair in pairs if pair is not None]
    if not known:
        return "-"
    first, last = _mean([a for a, _ in known]), _mean([b for _, b in known])
    return f"{first:.{digits}f} -> {last:.{digits}f}"


def real_table(rows: Sequence[Row]) -> list[str]:
    """Sets and figures by cells; empty where no real set was asked."""
    names = dict.fromkeys((name, key) for row in rows for name, own in row.real.items() for key in own)
    if not names:
        return []
    lines = [
        "| | " + " | ".join(f"{name.removesuffix('-count')}, {key}" for name, key in names) + " |",
        "|---|" + "---|" * len(names),
    ]
    for row in rows:
        if row.real:
            values = [
                told(row.real[name][key], REAL_UNITS.get(key, "%")) if key in row.real.get(name, {}) else "-"
                for name, key in names
            ]
            lines.append("| " + " | ".join([row.cell.title, *values]) + " |")
    return lines


def facts_of(rows: Sequence[Row], settings: AblationSettings) -> dict:
    """Everything unrounded."""
    return {
        "settings": settings.model_dump(mode="json"),
        "packages": packages(),
        "columns": [column.name for column in COLUMNS],
        "cells": [
            {
                "cell": row.cell.name,
                "title": row.cell.title,
                "figures": {name: asdict(one) for name, one in row.figures.items()},
                "real": {name: {k: asdict(v) for k, v in own.items()} for name, own in row.real.items()},
                "missing": list(row.missing),
                "seeds": [_without_draws(r) for r in row.results],
            }
            for row in rows
        ],
        "questions": [
            {
                "question": asked.question,
                "answer": _answer(rows, settings, asked, found, undefined),
                "contrasts": [_contrast(c) for c in found],
                "undefined": [one.name for one in undefined],
            }
            for asked, found, undefined in answers_to(rows)
        ],
        "published": {"heads": list(HEADS), "rows": {k: list(v) for k, v in ROWS.items()}, "note": NOTE},
    }


def _contrast(c: Contrast) -> dict:
    return {
        "column": c.column.name,
        "one": c.one.name,
        "other": c.other.name,
        "value": c.value,
        "low": c.low,
        "high": c.high,
        "seeds": list(c.seeds),
        "seed_low": c.seed_low,
        "seed_high": c.seed_high,
        "shown": c.shown,
        "lasting": c.lasting,
    }


def _without_draws(result: CellResult) -> dict:
    return result.model_dump(
        mode="json", include={"seed", "key", "train_seconds", "evaluate_seconds", "trained", "answers"}
    )

"""Sentences on the questions of the ablation, none stronger than the intervals allow. Pure; knows no files.

"better", "worse": over images and over seeds. "in these runs": over images only, so that other seeds may differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from groundproof_training.ablation.columns import Column, shown_as
from groundproof_training.ablation.published import printed
from groundproof_training.ablation.results import Answers, CellResult
from groundproof_training.ablation.table import FEWEST_SEEDS, Asked, Contrast, Row, over_seeds

WITH_KL, WITHOUT_KL = "sft-cot-grpo", "sft-cot-grpo-no-kl"
SLIGHT = 0.01
"""A KL term below this is slight beside advantages, whose standard deviation in a group is 1."""


def answer(asked: Asked, found: Sequence[Contrast], undefined: Sequence[Column] = ()) -> str:
    """Everything that is said of a question but what explains it."""
    said = [sentence(found, undefined)]
    if asked.most and found:
        said.append(most(found, asked.most))
    said.append(ordering(found))
    return " ".join(part for part in said if part)


def sentence(found: Sequence[Contrast], undefined: Sequence[Column] = ()) -> str:
    """What the contrasts of a question show, that the others show nothing, and which there are none of."""
    untold = f"Not defined for every seed: {'; '.join(one.title for one in undefined)}." if undefined else ""
    if not found:
        return untold or "Not answered: a cell is missing."
    pairs = min(c.pairs for c in found)
    parts = [f"{named(c)}, {direction(c)}" for c in found if c.lasting]
    parts += [f"{named(c)}, {direction(c)} in these runs" for c in found if c.shown and not c.lasting]
    rest = [named(c) for c in found if not c.shown]
    said = f"{'; '.join(parts)}. " if parts else ""
    if rest:
        none = "No difference shown" if pairs >= FEWEST_SEEDS else "One seed cannot show a difference"
        said += f"{none} in {'; '.join(rest)}. "
    return f"{said}{untold}".strip() + f" ({pairs} seed{'s' if pairs != 1 else ''})"


def named(c: Contrast) -> str:
    """ "detection, AP@0.5 +3.1 points [+0.4, +6.0]"."""
    factor, digits = shown_as(c.column.unit)
    value = f"{c.column.title} {c.value * factor:+.{digits}f}{' points' if c.column.unit == '%' else ''}"
    if c.low is None or c.high is None:
        return value
    return f"{value} [{c.low * factor:+.{digits}f}, {c.high * factor:+.{digits}f}]"


def direction(c: Contrast) -> str:
    """Of a difference that is shown."""
    return "better" if c.better else "worse"


def most(found: Sequence[Contrast], name: str) -> str:
    """Whether a column gains more points than every other share: its interval over images lies above theirs, and so
    does the gain beside theirs, seed by seed, over seeds. Columns in other units are not compared."""
    mine = next((c for c in found if c.column.name == name), None)
    others = [c for c in found if c.column.name != name and c.column.unit == "%"]
    if mine is None or not others:
        return ""
    if mine.lasting and mine.better and all(_above(mine, other) for other in others):
        return f"Of the shares, {name} gains the most points."
    return f"That {name} gains the most points is not shown."


def _above(one: Contrast, other: Contrast) -> bool:
    if one.low is None or other.high is None or len(one.seeds) != len(other.seeds):
        return False
    low, _ = over_seeds([a - b for a, b in zip(one.seeds, other.seeds, strict=True)])
    return one.low > other.high and low is not None and low > 0


def ordering(found: Sequence[Contrast]) -> str:
    """Whether a difference has the sign of the published one, column by column; "" where none is published."""
    same, opposite, unclear = [], [], []
    for c in found:
        before, after = (printed(one.published, c.column.published) for one in (c.one, c.other))
        if before is None or after is None or before == after:
            continue
        kind = unclear if not c.shown else same if (after > before) == (c.value > 0) else opposite
        kind.append(c.column.name + ("" if c.lasting or not c.shown else " in these runs"))
    parts = [
        f"{word}: {', '.join(names)}"
        for word, names in (("the same", same), ("reversed", opposite), ("open", unclear))
        if names
    ]
    return f"Beside the published order, {'; '.join(parts)}." if parts else ""


def collapse(rows: Sequence[Row], beta: float) -> str:
    """What GRPO's answers look like without KL beside those with it, whether that is the published collapse into
    repetition, and what the KL of the cell that has one says of it. "" where a cell is missing.

    A sign counts where the interval over seeds leaves 0 out, as differences between cells do."""
    by_name = {row.cell.name: row for row in rows}
    pairs = _pairs(by_name[WITH_KL], by_name[WITHOUT_KL])
    if not pairs:
        return ""
    signs, told = {}, []
    for name, digits, of in (
        ("unreadable, %", 1, lambda a: 100 * a.unreadable / max(1, a.n)),
        ("repetition", 3, lambda a: a.repetition),
        ("characters", 0, lambda a: a.mean_chars),
    ):
        held, free = [of(a) for a, _ in pairs], [of(b) for _, b in pairs]
        low, _ = over_seeds([b - a for a, b in zip(held, free, strict=True)])
        signs[name] = low is not None and low > 0
        told.append(f"{name} {fmean(held):.{digits}f} -> {fmean(free):.{digits}f}")
    said = (
        f"With -> without KL: {', '.join(told)} (mean of {len(pairs)} seed{'s' if len(pairs) != 1 else ''}). "
    )
    unreadable, repetition = signs["unreadable, %"], signs["repetition"]
    if unreadable and repetition:
        said += "More is unreadable and more repeats itself: both signs of the published collapse are shown."
    elif unreadable or repetition:
        only = "More is unreadable, but" if unreadable else "More repeats itself, but not more is unreadable:"
        said += f"{only} the published collapse into repetition is not shown."
    else:
        said += "No sign of a collapse into repetition is shown."
    kept = [r.trained.kl[1] for r in by_name[WITH_KL].results if r.trained and r.trained.kl]
    if kept:
        term = beta * fmean(kept)
        said += (
            f" With KL it ended at {fmean(kept):.4f}, a term of {term:.2g} in the loss beside advantages whose "
            "standard deviation is 1"
        )
        small = term < SLIGHT and not (unreadable and repetition)
        said += ", so it held little back, and these steps may be too few to need it." if small else "."
    return said


def _pairs(one: Row, other: Row) -> list[tuple[Answers, Answers]]:
    a, b = _answers(one.results), _answers(other.results)
    return [(a[seed], b[seed]) for seed in sorted(set(a) & set(b))]


def _answers(results: Sequence[CellResult]) -> dict[int, Answers]:
    return {r.seed: r.answers for r in results if r.answers is not None}

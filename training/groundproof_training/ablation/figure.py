"""The ablation as one picture: a panel for each column, a mark for each cell, the published order beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from groundproof_training.ablation.columns import COLUMNS, Column, shown_as
from groundproof_training.ablation.published import printed
from groundproof_training.ablation.table import Row

OURS, SEEDS, PAPER = "#0072b2", "#56b4e9", "#d55e00"
"""Okabe and Ito's colours, which colour-blind people can tell apart; marks differ in shape, too."""
ABOVE, BELOW = 0.24, -0.24
"""Places of seeds and of published values beside a row's middle, so that no mark hides another."""


def draw(rows: Sequence[Row], picture: Path) -> None:
    """Ours: mean over seeds with its 95 % interval, the seeds as dots. RSThinker's: crosses on an axis of their own
    above, because the values are not comparable, only their order."""
    from matplotlib.figure import Figure

    across = 5
    down = -(-len(COLUMNS) // across)
    figure = Figure(figsize=(17, 1.3 + down * (0.36 * len(rows) + 1.3)), layout="constrained")
    panels = figure.subplots(down, across, sharey=True, squeeze=False)
    places = list(range(len(rows)))[::-1]
    for number, panel in enumerate(panels.ravel()):
        if number >= len(COLUMNS):
            panel.set_visible(False)
            continue
        _panel(panel, COLUMNS[number], rows, places)
    for line in panels:
        line[0].set_yticks(places, [row.cell.title for row in rows], fontsize=9)
    figure.suptitle(
        "Ablation at small scale: ours (blue: mean, 95 % interval over images, each seed a dot above it) and the "
        "order that RSThinker published (orange crosses, upper axis; values not comparable)",
        fontsize=10,
    )
    figure.savefig(picture, dpi=110)


def _panel(panel: Any, column: Column, rows: Sequence[Row], places: Sequence[int]) -> None:
    factor, _ = shown_as(column.unit)
    for row, place in zip(rows, places, strict=True):
        one = row.figures[column.name]
        if one.value is None:
            continue
        panel.plot(
            [v * factor for v in one.seeds],
            [place + ABOVE] * len(one.seeds),
            "o",
            color=SEEDS,
            ms=4,
            zorder=2,
        )
        if one.low is not None and one.high is not None:
            panel.plot([one.low * factor, one.high * factor], [place, place], color=OURS, lw=1.6, zorder=1)
        panel.plot([one.value * factor], [place], "s", color=OURS, ms=6, zorder=3)
    side = "higher is better" if column.better == "higher" else "lower is better"
    panel.set_xlabel(f"{column.unit} ({side})", fontsize=8)
    panel.set_title(column.title, fontsize=10)
    panel.set_ylim(-0.7, len(rows) - 0.3)
    panel.grid(axis="x", alpha=0.3)
    for place in places[::2]:
        panel.axhspan(place - 0.5, place + 0.5, color="0.95", lw=0, zorder=0)
    panel.tick_params(labelsize=8)
    values = [
        (printed(row.cell.published, column.published), place + BELOW)
        for row, place in zip(rows, places, strict=True)
    ]
    known = [(value, place) for value, place in values if value is not None]
    if known:
        above = panel.twiny()
        above.plot(*zip(*known, strict=True), "x", color=PAPER, ms=6, zorder=4)
        above.tick_params(labelsize=7, colors=PAPER)
        above.margins(x=0.12)

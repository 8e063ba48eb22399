"""Learning curves of a run, drawn from the logs that its stages leave in the work folder."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

_STEP = re.compile(r"^step (\d+) .*?left: (.*)$")
_CHECK = re.compile(r"by numbers ([\d.]+), by offsets ([\d.]+)")

PANELS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("dense", "Dense warm-up: the tower's own F1@0.5", {}),
    ("dense", "Dense warm-up: shares that are right", {"right": "class of an anchor", "mask_right": "2 px cells"}),
    ("dense", "Dense warm-up: error of a box edge, px", {"offset_px": "edge error"}),
    (
        "pointer",
        "Pointer: attention on the right token",
        {"mass": "all positions", "mass_next": "where the next object is chosen", "link": "link to the one before"},
    ),
    ("pointer", "Pointer: error of a written number, per mille", {"median": "median"}),
    ("curriculum", "Curriculum: attention on the right token", {"mass": "all positions", "mass_next": "next object"}),
)  # fmt: skip
"""Stage, title, and the logged value of each line with its name; the first draws the checks instead."""


class NoLogsError(FileNotFoundError):
    """There is nothing to draw."""


def read_log(path: Path) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Logged values by name, each (n, 2) of step and value, and the checks (m, 3): step, F1 by numbers, by offsets."""
    values: dict[str, list[tuple[float, float]]] = {}
    checks: list[tuple[float, float, float]] = []
    step = 0
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        if found := _STEP.match(line):
            step = int(found[1])
            words = found[2].split()
            for name, text in zip(words[::2], words[1::2], strict=False):
                try:
                    values.setdefault(name, []).append((step, float(text)))
                except ValueError:
                    break  # the trainer's last line holds words
        elif found := _CHECK.search(line):
            checks.append((step, float(found[1]), float(found[2])))
    return {name: np.array(rows) for name, rows in values.items()}, np.array(checks).reshape(-1, 3)


def draw_curves(work: Path, picture: Path) -> None:
    """One picture of all stages that have a log under `work`. Raises NoLogsError when none has."""
    from matplotlib.figure import Figure

    logs = {stage: read_log(work / f"{stage}.log") for stage in ("dense", "pointer", "curriculum")}
    if not any(values for values, _ in logs.values()):
        raise NoLogsError(f"{work} holds no dense.log, pointer.log or curriculum.log; run a stage first")
    figure = Figure(figsize=(12, 6.4), layout="constrained")
    for axes, (stage, title, names) in zip(figure.subplots(2, 3).ravel(), PANELS, strict=True):
        values, checks = logs[stage]
        axes.set_title(title, fontsize=10)
        axes.set_xlabel("step", fontsize=9)
        axes.grid(alpha=0.3)
        if not names:
            axes.plot(checks[:, 0], checks[:, 2], label="offsets from the cell")
            axes.plot(checks[:, 0], checks[:, 1], label="numbers, as the language model writes them")
        for key, name in names.items():
            if key in values:
                axes.plot(*values[key].T, label=name)
        if axes.lines:
            axes.legend(fontsize=8)
        axes.set_ylim(bottom=0)
    figure.savefig(picture, dpi=110)

"""Results as cells leave them, made up for tests of tables and pages."""

import numpy as np

from groundproof_training.ablation.columns import COLUMNS
from groundproof_training.ablation.results import Answers, CellResult, Trained, Value

DRAWS = 200


def result(cell, seed, level=0.5, spread=0.02, status="ok", columns=None):
    """Draw i of every cell moves with the same images: what they share cancels in a difference."""
    if status == "failed":
        return CellResult(cell=cell, seed=seed, key="k", status="failed", reason="it fell over")
    shared = np.random.default_rng(1).normal(0, spread, DRAWS)
    own = np.random.default_rng([seed, sum(map(ord, cell))]).normal(0, spread / 10, DRAWS)
    names = [column.name for column in COLUMNS] if columns is None else columns
    value = Value(value=level, n=40, draws=tuple((level + shared + own).tolist()))
    trained = None if cell == "base" else Trained(steps=3, reward=(0.1, 0.2), kl=(0.0, 0.01))
    return CellResult(
        cell=cell,
        seed=seed,
        key="k",
        status="ok",
        train_seconds=10,
        evaluate_seconds=5,
        trained=trained,
        answers=Answers(n=40, mean_chars=100, repetition=0.1, unreadable=2, reasoned=0.25),
        figures=dict.fromkeys(names, value),
    )

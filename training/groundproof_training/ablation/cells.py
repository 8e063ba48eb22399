"""The cells of the ablation and what each begins with. Refuses to know how a cell is trained."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from groundproof_training.errors import TrainingError
from groundproof_training.samples import Form

Stage = Literal["base", "sft", "grpo"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One row of the table.

    form: what completions hold; None of the base, which was trained with both. begins: name of the cell whose model
    this one begins with. kl: whether GRPO is held near its reference. faithful: whether evidence is rewarded, too.
    published: its row in RSThinker's table, None where there is none.
    """

    name: str
    title: str
    stage: Stage
    form: Form | None = None
    begins: str | None = None
    kl: bool = True
    faithful: bool = False
    published: str | None = None


BASE = Cell("base", "base", "base", published="base")
CELLS = (
    BASE,
    Cell("sft-answer", "SFT without CoT", "sft", Form.ANSWER, "base", published="+ SFT without CoT"),
    Cell("sft-cot", "SFT with CoT", "sft", Form.GEO_COT, "base", published="+ SFT with CoT"),
    Cell(
        "sft-answer-grpo",
        "SFT without CoT, GRPO",
        "grpo",
        Form.ANSWER,
        "sft-answer",
        published="+ SFT without CoT + GRPO",
    ),
    Cell(
        "sft-cot-grpo",
        "SFT with CoT, GRPO",
        "grpo",
        Form.GEO_COT,
        "sft-cot",
        published="+ SFT with CoT + GRPO",
    ),
    Cell("sft-cot-grpo-no-kl", "SFT with CoT, GRPO without KL", "grpo", Form.GEO_COT, "sft-cot", kl=False),
    Cell(
        "sft-cot-grpo-faithful",
        "SFT with CoT, GRPO with faithfulness",
        "grpo",
        Form.GEO_COT,
        "sft-cot",
        faithful=True,
    ),
)
"""In an order in which every cell comes after the one it begins with."""


def cell(name: str) -> Cell:
    """By name. Raises TrainingError."""
    for one in CELLS:
        if one.name == name:
            return one
    raise TrainingError(f"the ablation has no cell {name!r}; it has {', '.join(one.name for one in CELLS)}")


def runs(names: tuple[str, ...], seeds: int) -> Iterator[tuple[Cell, int]]:
    """Cell and seed in the order of work: seed by seed, so that a stopped run has whole rows of few seeds. The base is
    not trained, so it has one seed for all. names: empty for all cells; what those begin with comes too."""
    wanted: set[str] = set()
    for name in names or tuple(one.name for one in CELLS):
        one: Cell | None = cell(name)
        while one is not None:
            wanted.add(one.name)
            one = None if one.begins is None else cell(one.begins)
    for seed in range(seeds):
        for one in CELLS:
            if one.name in wanted and (one.stage != "base" or seed == 0):
                yield one, seed

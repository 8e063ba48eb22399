"""What a finished cell leaves: OUT/cells/CELL/seed-N/result.json.

Knows the file. Refuses to know training and tables.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from groundproof_training.errors import TrainingError

FILE = "result.json"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Value(_Frozen):
    """A figure. value: None where it is not defined (`note` says why). draws: its values at resampled images, the same
    images for every cell; None for the same reason, or where too few images are left."""

    value: float | None
    n: int
    draws: tuple[float | None, ...] | None = None
    note: str = ""


class Answers(_Frozen):
    """How the answers to bench-v1 look. mean_chars: length. repetition: share of groups of four words that were there
    before in the same answer. unreadable: answers in which what was asked for cannot be read. reasoned: share of
    answers that begin a chain of thought, readable or not: does a cell answer in the form that it was trained in."""

    n: int
    mean_chars: float
    repetition: float
    unreadable: int
    reasoned: float | None = None


class Trained(_Frozen):
    """Means over the first and the last quarter of what the trainer logged; None where the stage has it not. loss of
    SFT; reward, KL to the model that GRPO began with, and answers' mean length in tokens, of GRPO."""

    steps: int
    loss: tuple[float, float] | None = None
    reward: tuple[float, float] | None = None
    kl: tuple[float, float] | None = None
    tokens: tuple[float, float] | None = None


class CellResult(_Frozen):
    """One cell and seed. key: hash of everything that decides it. figures: by column. real: set -> figure by name."""

    cell: str
    seed: int
    key: str
    status: Literal["ok", "failed"]
    reason: str = ""
    train_seconds: float = 0.0
    evaluate_seconds: float = 0.0
    trained: Trained | None = None
    answers: Answers | None = None
    figures: dict[str, Value] = {}
    real: dict[str, dict[str, Value]] = {}
    real_left_out: dict[str, str] = {}


def path_of(out: Path, cell: str, seed: int) -> Path:
    """Folder of a cell."""
    return out / "cells" / cell / f"seed-{seed}"


def keep(folder: Path, result: CellResult) -> None:
    """Whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f"{FILE}.part"
    temporary.write_text(result.model_dump_json(indent=1) + "\n", encoding="utf-8")
    temporary.replace(folder / FILE)


def read(file: Path) -> CellResult:
    """Raises TrainingError for a file that is none of ours."""
    try:
        return CellResult.model_validate_json(file.read_text(encoding="utf-8"))
    except (OSError, ValidationError, UnicodeDecodeError) as err:
        raise TrainingError(
            f"{file} cannot be read as a cell's result ({type(err).__name__}); delete it, and the cell is run again"
        ) from err

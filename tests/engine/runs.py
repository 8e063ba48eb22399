"""Runs for tests of the runner: planned as a session plans them, then given to `run_tiles` by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from groundproof.ask_options import AskOptions, configuration
from groundproof.models.base import VisionLanguageModel
from groundproof.plan_rows import lay_out
from groundproof.planning import plan_scenes, resolve_question
from groundproof.run import RunDirectory
from groundproof.runners.stages import Asked
from groundproof.tables import TileStatus
from groundproof.trace import Event

QUESTION = "How many airplanes are there?"

NOT_THE_SAME_TWICE = ["seconds", "attempts"]
"""Columns of an answer that say how it came about."""


def planned(
    scenes: Sequence[Path | str],
    folder: Path,
    model: VisionLanguageModel,
    questions: Sequence[str] = (QUESTION,),
    *,
    batch: int | None = None,
) -> RunDirectory:
    """A run directory with a plan and no answers. batch: rows of a batch; None for what the model takes at once."""
    options = AskOptions(tuple(map(str, scenes)), tuple(questions))
    asked = tuple(resolve_question(text, "auto", len(scenes)) for text in questions)
    config = configuration(options, model.profile, asked).model_copy(
        update={"model_identity": model.identity, "batch_size": batch or model.max_in_flight}
    )
    return RunDirectory.create(
        folder, config, lay_out(config, model.profile, plan_scenes(config, model.profile))
    )


def kept(run: RunDirectory) -> pd.DataFrame:
    """Answers, without what may differ between two runs of the same plan, by seq."""
    return run.answers().drop(columns=NOT_THE_SAME_TWICE)


def same_answers(one: RunDirectory, other: RunDirectory) -> None:
    """Raise AssertionError where two runs of one plan answered differently."""
    pd.testing.assert_frame_equal(kept(one), kept(other))


@dataclass
class Noting:
    """An `Observer` that writes down what it was told."""

    done: list[tuple[Asked, TileStatus, str | None]] = field(default_factory=list)
    events: int = 0

    def check(self) -> None:
        pass

    def event(self, asked: Asked, event: Event) -> None:
        self.events += 1

    def tile_done(self, asked: Asked, status: TileStatus, reason: str | None) -> None:
        self.done.append((asked, status, reason))

"""How well the model kept to the protocol: how many of its answers had to be mended, how many were no use.

Knows a run's raw texts. Refuses to know what they say on the ground.
"""

from __future__ import annotations

from dataclasses import dataclass

from groundproof.frames import named_rows
from groundproof.protocol import Task
from groundproof.run import RunDirectory
from groundproof.tables import TileStatus
from groundproof.trace import parse

WRITTEN = (TileStatus.OK.value, TileStatus.EMPTY.value, TileStatus.PARSE_ERROR.value)
"""Statuses of tiles the model wrote something about."""


@dataclass(frozen=True, slots=True)
class Parses:
    """Counts of answers. repaired: usable after the parser mended or dropped something; failed: not usable."""

    answers: int
    repaired: int
    failed: int

    def sentence(self) -> str:
        """For a person."""
        if not self.answers:
            return "The model has written nothing yet."
        return (
            f"Of {self.answers} answers {self.repaired} were mended ({self.repaired / self.answers:.0%}) and "
            f"{self.failed} could not be read ({self.failed / self.answers:.0%})."
        )


def parses(run: RunDirectory) -> Parses:
    """Of the answers kept so far."""
    answers = repaired = failed = 0
    for rows in run.answered():
        for said in named_rows(rows[rows.status.isin(WRITTEN)]):
            question = run.config.questions[int(said.question)]
            trace = parse(said.text, run.config.profile.frame, Task(question.task), question.labels)
            answers += 1
            failed += not trace.usable
            repaired += trace.usable and bool(trace.repairs)
    return Parses(answers, repaired, failed)

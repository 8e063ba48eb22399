"""Published metrics with their quirks, in our own words: for comparing with published tables, and for nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from groundproof_training.evaluation.cases import Case
from groundproof_training.evaluation.compat.earthdial import EarthDial
from groundproof_training.evaluation.compat.geochat import GeoChat
from groundproof_training.evaluation.compat.rs_tester import RsTester
from groundproof_training.evaluation.compat.vrsbench import VrsBench
from groundproof_training.evaluation.figures import Measure


class Compat(Protocol):
    """The rules of one published evaluation."""

    def measures(self, cases: Sequence[Case]) -> list[Measure]:
        """Empty for a family that the evaluation has no rule for. Each note says what the number hides."""
        ...


COMPAT: dict[str, Compat] = {
    "rs_tester": RsTester(),
    "earthdial": EarthDial(),
    "vrsbench": VrsBench(),
    "geochat": GeoChat(),
}

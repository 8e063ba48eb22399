"""What the verifier says: rules, reasons, and the rationale where there is none."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from groundproof_training.samples import Rationale


class Rule(StrEnum):
    """Why a rationale is rejected; statistics are kept by these."""

    FORMAT = "format"
    """Not the canonical form, or something that the engine's parser would have to mend."""
    LENGTH = "length"
    BOX_NOT_TRUE = "box not true"
    BOX_TWICE = "box cited twice"
    BOX_MISSING = "box not cited"
    LABEL = "wrong name"
    IMAGE = "wrong image"
    PLACE = "wrong place"
    REFERENCE = "no such evidence"
    NUMBER = "wrong number"
    ANSWER = "wrong answer"
    OUTSIDE = "outside the truth"
    GIVEAWAY = "speaks of being told"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why not, as a sentence that a teacher can act on."""

    rule: Rule
    sentence: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """rationale: None where rejected. reasons: empty where accepted."""

    rationale: Rationale | None
    reasons: tuple[Reason, ...]

    @property
    def accepted(self) -> bool:
        """Whether every rule was kept."""
        return self.rationale is not None

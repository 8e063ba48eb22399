"""GeoChat's own evaluation (mbzuai-oryx/GeoChat, `geochat/eval`), as far as its repository defines one.

Only scene classification is scored there. For VQA, grounding and region captions its scripts write answers and score
nothing, and its documentation names no rule, so there is none here: what the paper prints for them cannot be checked
against code. EarthDial's evaluator, which scores GeoChat's detection set, is `earthdial`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from groundproof_training.evaluation.cases import Case, Family
from groundproof_training.evaluation.compat.texts import truth_of, words_of
from groundproof_training.evaluation.figures import Measure, mean

_NOTE = (
    "The answer in small letters without spaces and full stops must be the class to the letter: hides how many answers "
    "are right in other words (Harbor for Port), and which classes fail."
)


class GeoChat:
    """See the module."""

    def measures(self, cases: Sequence[Case]) -> list[Measure]:
        """Scene accuracy; nothing for other families."""
        if not cases or cases[0].family is not Family.CLASSIFICATION:
            return []
        hits = [_written(words_of(case)) == truth_of(case).replace(" ", "").lower() for case in cases]
        return [mean("accuracy", np.array(hits, dtype=float), note=_NOTE)]


def _written(text: str) -> str:
    return text.replace(" ", "").lower().replace(".", "")

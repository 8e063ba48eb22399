"""What is counted: the one rule, for audits, answers and summaries alike.

Knows the evidence table's verdict, review and label. Refuses to know tiles and texts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from groundproof.labels import is_kind_of
from groundproof.tables import NOT_COUNTED

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray


def counted(evidence: pd.DataFrame) -> NDArray[np.bool_]:
    """Which rows of the evidence table are counted: bool (N,).

    Not those whose verdict is in `tables.NOT_COUNTED`, nor those an analyst rejected. A row without a
    verdict (drawn by hand) counts.
    """
    lowered = evidence["verdict"].isin([str(v) for v in NOT_COUNTED])
    rejected = evidence["review"] == "rejected"
    return ~(lowered | rejected).to_numpy(dtype=bool)


def counted_before_review(evidence: pd.DataFrame, raised: Collection[str] = ()) -> NDArray[np.bool_]:
    """Which rows were counted before an analyst reviewed them: bool (N,).

    Not those the analyst drew. raised: E-numbers of rows that were not counted until the analyst vouched for
    them; their verdict no longer says so.
    """
    lowered = evidence["verdict"].isin([str(v) for v in NOT_COUNTED])
    later = (evidence["review"] == "added") | evidence["evidence_id"].isin(list(raised))
    return ~(lowered | later).to_numpy(dtype=bool)


def answers_to(evidence: pd.DataFrame, asked: Collection[str]) -> NDArray[np.bool_]:
    """Which rows are what was asked for: bool (N,).

    asked: normalised labels; empty asks for anything. A car answers to "vehicle" (`labels.is_kind_of`),
    and a row without a label to everything.
    """
    if not asked:
        return np.ones(len(evidence), dtype=bool)
    codes, names = pd.factorize(evidence["label"].fillna("").astype(str))
    fits = [not name or any(is_kind_of(name, one) for one in asked) for name in names]
    return np.asarray(fits, dtype=bool)[codes] if len(codes) else np.zeros(0, dtype=bool)


def count(evidence: pd.DataFrame, label: str | None = None) -> int:
    """Number of counted rows of the evidence table; of one normalised label when given."""
    return int((counted(evidence) & answers_to(evidence, [label] if label else [])).sum())

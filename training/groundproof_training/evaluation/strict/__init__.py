"""Our metrics. Each module turns cases of one family into measures."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from groundproof_training.evaluation.cases import Case, Family
from groundproof_training.evaluation.figures import Measure
from groundproof_training.evaluation.strict import (
    captions,
    classification,
    counting,
    detection,
    grounding,
    vqa,
)
from groundproof_training.evaluation.strict.evidence import evidence_measures

STRICT: dict[Family, Callable[[Sequence[Case]], list[Measure]]] = {
    Family.GROUNDING: grounding.measures,
    Family.DETECTION: detection.measures,
    Family.COUNTING: counting.measures,
    Family.CLASSIFICATION: classification.measures,
    Family.VQA: vqa.measures,
    Family.CAPTIONING: captions.measures,
}

__all__ = ["STRICT", "evidence_measures"]

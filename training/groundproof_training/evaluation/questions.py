"""A question that can be asked: a sample with its pictures. Knows samples; refuses to know models and answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundproof_training.evaluation.cases import Family
from groundproof_training.metrics.boxes import Floats
from groundproof_training.samples import Sample

Picture = NDArray[np.uint8]
"""(height, width, 3), RGB."""


@dataclass(frozen=True, slots=True)
class Question:
    """pictures: opens the shown part of every image of the sample, in its order; they are opened when they are asked
    and not kept. text: the published wording of the whole prompt, `{boxes}` and all filled in; None: the engine's own
    prompt for the sample's task and question. points: (n, 2) x y, px of the original: the truth of a source that gives
    one position for every object and no boxes."""

    sample: Sample
    family: Family
    pictures: Callable[[], tuple[Picture, ...]]
    text: str | None = None
    points: Floats | None = None

    @property
    def case_id(self) -> str:
        """Of the sample."""
        return self.sample.sample_id

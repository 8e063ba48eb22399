"""Models that look at nothing: what a metric gives for saying always the same. They pass the same parser as any model.

Knows tasks and the list of classes in a question. Refuses to know the truth.

| | `baseline:none` | `baseline:centre` |
|---|---|---|
| count | 0 | 1 |
| detect, ground | `[]` | one box over the middle half of width and height |
| classify | the first class of the list in the question; "none" where it has no list | the same |
| vqa | "no"; "0" where it asks how many | "yes"; "1" |
| caption, region-caption | nothing | nothing |
| grounded-caption | nothing | the same box, without words |
| change, described | "there is no difference" | the same |
| change, asked | "no" | "yes" |

Saying nothing is unreadable, and counts as that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from groundproof.boxes import BoxFrame, ModelBox
from groundproof.models.profile import Profile
from groundproof.protocol import Task, detect_answer, infer_task
from groundproof_training.errors import TrainingError
from groundproof_training.samples import Sample

PREFIX = "baseline:"
NAMES = ("none", "centre")

MIDDLE = ModelBox(250, 250, 750, 750)
"""Half the width, half the height, in the middle; per mille."""

PROFILE = Profile(
    name="baseline",
    title="says always the same",
    licence="Apache-2.0",
    source="none",
    prompt_style="plain",
    answer_form="own",
    frame=BoxFrame.PER_MILLE,
    patch_merge_px=28,
    tile_px=896,
    overlap_px=224,
)
"""How a baseline writes: boxes per mille, an answer without tags and rationale."""

VERSION = 1
"""Part of the identity; a changed answer is a new model."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """One of them. It needs no picture, so none is opened for it."""

    kind: Literal["none", "centre"]

    @property
    def profile(self) -> Profile:
        """How it writes."""
        return PROFILE

    @property
    def identity(self) -> str:
        """As of a model."""
        return f"{PREFIX}{self.kind}-v{VERSION}"

    def answer(self, sample: Sample) -> str:
        """What it says to a question, as text to be parsed."""
        centre = self.kind == "centre"
        boxes = detect_answer([MIDDLE] if centre else [], PROFILE.frame)
        task = sample.task
        if task is Task.COUNT:
            return "1" if centre else "0"
        if task in (Task.DETECT, Task.GROUND):
            return boxes
        if task is Task.CLASSIFY:
            return sample.choices[0] if sample.choices else "none"
        if task in (Task.CAPTION, Task.REGION_CAPTION):
            return ""
        if task is Task.GROUNDED_CAPTION:
            return boxes if centre else ""
        if task is Task.CHANGE and sample.captions:
            return "there is no difference"
        if infer_task(sample.question).task is Task.COUNT:
            return "1" if centre else "0"
        return "yes" if centre else "no"

    def close(self) -> None:
        """Nothing is open."""


def is_baseline(model: str) -> bool:
    """Whether a model's name is a baseline's."""
    return model.startswith(PREFIX)


def baseline(model: str) -> Baseline:
    """Of its name, `baseline:none` or `baseline:centre`. Raises TrainingError for another one."""
    kind = model.removeprefix(PREFIX)
    if kind == "none":
        return Baseline("none")
    if kind == "centre":
        return Baseline("centre")
    raise TrainingError(
        f"there is no baseline {kind!r}; there is {', '.join(PREFIX + name for name in NAMES)}"
    )

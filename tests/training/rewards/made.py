"""Samples and completions to score."""

from __future__ import annotations

from collections.abc import Sequence

from groundproof.models.profiles import get_profile
from groundproof.protocol import Task
from groundproof_training.samples import Sample, SampleImage, TrueBox

TINY = get_profile("tiny")
RSTHINKER = get_profile("rsthinker")
SEEN = ((1000, 1000),)
IMAGE = SampleImage(path="a.png", width=1000, height=1000)
Four = tuple[float, float, float, float]

QUESTIONS = {
    Task.COUNT: "How many ships are there?",
    Task.DETECT: "Find all ships.",
    Task.GROUND: "the ship at the pier",
    Task.VQA: "Is there a ship?",
    Task.CLASSIFY: "Which class is this scene?",
}


def ship(box: Four | TrueBox) -> TrueBox:
    """A true ship."""
    return (
        box if isinstance(box, TrueBox) else TrueBox(label="ship", x0=box[0], y0=box[1], x1=box[2], y1=box[3])
    )


def sample(task: Task, boxes: Sequence[Four | TrueBox] = (), **changes: object) -> Sample:
    """A sample of one image of 1000 x 1000 px, so that per-mille boxes are pixels."""
    fields = dict(
        sample_id="s1", source="made", split="train", licence="none", task=task, images=(IMAGE,),
        asked=("ship",) if task in (Task.COUNT, Task.DETECT, Task.GROUND, Task.VQA) else (),
        question=QUESTIONS.get(task, "Describe the image."),
        boxes=tuple(map(ship, boxes)),
    )  # fmt: skip
    return Sample.model_validate({**fields, **changes})


def grid(n: int, size: int = 40) -> list[Four]:
    """n boxes apart from each other."""
    return [
        (60.0 * (i % 10), 60.0 * (i // 10), 60.0 * (i % 10) + size, 60.0 * (i // 10) + size) for i in range(n)
    ]


def listed(boxes: Sequence[Sequence[float]]) -> str:
    """As the per-mille answer writes them."""
    return "[" + ",".join(f"[{','.join(f'{v:g}' for v in b)}]" for b in boxes) + "]"


def trace(answer: str, evidence: Sequence[Sequence[float]] = (), name: str = "ship", extra: str = "") -> str:
    """A Geo-CoT text whose evidence is these boxes."""
    lines = "".join(
        f"E{n} {name} [{','.join(f'{v:g}' for v in b)}]. " for n, b in enumerate(evidence, start=1)
    )
    inside = (
        f"<plan>Look.</plan><evidence>{lines}{extra or ('' if lines else 'No ship is visible. ')}</evidence>"
    )
    return f"<think>{inside}<synthesis>So it is.</synthesis></think><answer>{answer}</answer>"

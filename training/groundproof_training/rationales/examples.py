"""Worked examples for a teacher: made-up truths with good rationales, written in any profile's frame.

The tests hold every example to the verifier. Knows no pictures: an example shows how to write, not what to see.
"""

from __future__ import annotations

from dataclasses import dataclass

from groundproof.protocol import Task
from groundproof_training.samples import EvidenceLine, Rationale, Sample, SampleImage, TrueBox


def _box(label: str, x0: float, y0: float, x1: float, y1: float, image: int = 0) -> TrueBox:
    return TrueBox(label=label, x0=x0, y0=y0, x1=x1, y1=y1, image=image)


@dataclass(frozen=True, slots=True)
class Example:
    """A sample whose rationale is as it should be."""

    sample: Sample


def _example(
    task: Task,
    question: str,
    plan: str,
    lines: tuple[str, ...],
    synthesis: str,
    *,
    images: int = 1,
    **fields: object,
) -> Example:
    rationale = Rationale(
        plan=plan,
        evidence=tuple(EvidenceLine(text=line, box=k) for k, line in enumerate(lines)),
        synthesis=synthesis,
        by="example",
    )
    sample = Sample.model_validate(
        {
            "sample_id": f"example-{task}",
            "source": "made up",
            "split": "train",
            "licence": "this project",
            "task": task,
            "images": tuple(SampleImage(path=f"{k}.png", width=800, height=800) for k in range(images)),
            "question": question,
            "rationale": rationale,
            **fields,
        }
    )
    return Example(sample)


_PLANES = (_box("airplane", 96, 64, 160, 128), _box("airplane", 560, 600, 640, 672))
_FIELD = _box("tennis court", 300, 420, 380, 560)

EXAMPLES: dict[Task, Example] = {
    Task.COUNT: _example(
        Task.COUNT, "How many airplanes are there?",
        "Search the aprons and taxiways from top to bottom for airplanes, by their wings and shadows.",
        ("airplane on the northern apron, upper left", "airplane beside the terminal, lower right"),
        "E1 and E2 are airplanes, 2 in all.",
        answer="2", asked=("airplane",), boxes=_PLANES,
    ),
    Task.DETECT: _example(
        Task.DETECT, "Detect all airplanes.",
        "Go over the paved areas row by row and mark each airplane.",
        ("airplane parked on the apron, upper left", "airplane, lower right"),
        "E1 and E2 are the only airplanes, 2 in all.",
        asked=("airplane",), boxes=_PLANES,
    ),
    Task.GROUND: _example(
        Task.GROUND, "the tennis court left of the white building",
        "Find the tennis court by its lines and its position left of the bright roof.",
        ("tennis court, centre, left of a bright roof",),
        "E1 lies left of the bright roof and is the tennis court that is meant.",
        asked=("tennis court",), boxes=(_FIELD,),
    ),
    Task.CLASSIFY: _example(
        Task.CLASSIFY, "What type of scene is this?",
        "Look at what covers the ground and which structures stand out.",
        ("tennis court with painted lines, centre",),
        "E1 and the fenced, painted surfaces around it belong to a place for sport: sports complex.",
        answer="sports complex", answers=("sports complex",), boxes=(_FIELD,),
    ),
    Task.CAPTION: _example(
        Task.CAPTION, "Describe the image.",
        "Look at the ground first, then at what stands on it.",
        ("airplane, upper left", "airplane, lower right"),
        "E1 and E2 are airplanes on a wide paved area, so the place is an airport's apron.",
        answer="Two airplanes are parked on an apron.", captions=("Two airplanes are parked on an apron.",),
        boxes=_PLANES,
    ),
    Task.REGION_CAPTION: _example(
        Task.REGION_CAPTION, "Describe <region:0>.",
        "Look only at the area that the question marks.",
        (),
        "The marked area is a rectangle with painted lines and a net in its middle: a tennis court.",
        answer="a tennis court", regions=(_FIELD,),
    ),
    Task.GROUNDED_CAPTION: _example(
        Task.GROUNDED_CAPTION, "Describe the image with boxes.",
        "Go from the upper left to the lower right and note each object.",
        ("airplane on the apron, upper left", "airplane beside the terminal, lower right"),
        "E1 and E2 are airplanes; nothing else stands out.",
        answer="One airplane <box:0> stands in the upper left and one <box:1> in the lower right.", boxes=_PLANES,
    ),
    Task.VQA: _example(
        Task.VQA, "Are there any airplanes?",
        "Search the paved areas for the shape of wings.",
        ("airplane, upper left", "airplane, lower right"),
        "E1 and E2 are airplanes, so there are some.",
        answer="yes", asked=("airplane",), boxes=_PLANES,
    ),
    Task.CHANGE: _example(
        Task.CHANGE, "What has changed?",
        "Compare both images area by area, beginning in the upper left.",
        ("airplane, upper left of image 2",),
        "E1 is an airplane that stands in image 2 only: it appeared.",
        images=2, answer="An airplane appeared.", boxes=(_box("airplane", 96, 64, 160, 128, 1),),
    ),
}  # fmt: skip

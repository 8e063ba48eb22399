"""Samples that these tests share: a harbour of two ships and a tank, 1000 x 1000 px, so that per-mille is px."""

from groundproof.models.profiles import get_profile
from groundproof.protocol import Task
from groundproof_training.samples import Sample, SampleImage, TrueBox

PROFILE = get_profile("rsthinker")
IMAGE = SampleImage(path="a.png", width=1000, height=1000)
SEEN = ((1000, 1000),)
SHIPS = (
    TrueBox(label="ship", x0=100, y0=100, x1=200, y1=140),
    TrueBox(label="ship", x0=700, y0=720, x1=760, y1=760),
)
TANK = TrueBox(label="storage tank", x0=400, y0=420, x1=460, y1=480)
NAMES = frozenset({"ship", "storage tank", "airplane", "bridge", "harbor", "ground track field"})


def sample(task: Task = Task.COUNT, **changes: object) -> Sample:
    fields: dict[str, object] = dict(
        sample_id="s1", source="made", split="train", licence="none", task=task, images=(IMAGE,), asked=("ship",),
        question="How many ships are there?", answer="2", boxes=SHIPS,
    )  # fmt: skip
    return Sample.model_validate({**fields, **changes})


def text(
    plan: str = "Scan the image row by row for ships.",
    evidence: str = "E1 ship, upper left [100,100,200,140]. E2 ship, lower right [700,720,760,760]. ",
    synthesis: str = "E1 and E2 are ships, 2 in all.",
    answer: str = "2",
) -> str:
    return (
        f"<think><plan>{plan}</plan><evidence>{evidence}</evidence><synthesis>{synthesis}</synthesis></think>"
        f"<answer>{answer}</answer>"
    )

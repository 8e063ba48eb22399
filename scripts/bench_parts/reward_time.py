"""What rewards cost: one GRPO step's completions, each with many boxes in its rationale and again in its answer.

    python scripts/bench_parts/reward_time.py          # a table; `scripts/bench training` uses `seconds`

Every completion is another text, so nothing is read from memory; the rewards of one call share one parse each.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence

from groundproof.models.profiles import get_profile
from groundproof.protocol import Task
from groundproof_training.rewards import get
from groundproof_training.rewards.trl import Readings, trl_functions
from groundproof_training.samples import Sample, SampleImage, TrueBox

RECIPES: dict[str, tuple[str, ...]] = {
    "rsthinker": ("rsthinker",),
    "geovlm-r1": ("geovlm-r1-format", "geovlm-r1"),
    "all of ours": ("rsthinker", "format", "faithfulness"),
}
CAPTION = "Many airplanes are parked beside the terminal of an airport with several buildings and a large parking lot."


def seconds(
    rewards: Sequence[str], completions: int = 64, boxes: int = 200, task: Task = Task.DETECT
) -> float:
    """CPU seconds of all `rewards` over so many completions of `boxes` boxes each (captions: 60 words), 8 a prompt.

    CPU, not wall: one thread does it, and others on the machine do not show.
    """
    rng = random.Random(0)
    profile = get_profile("rsthinker" if task is Task.CAPTION else "tiny")
    prompts = [_sample(rng, number, boxes, task) for number in range(max(1, completions // 8))]
    rows = [prompts[i % len(prompts)] for i in range(completions)]
    texts = [_text(rng, row, task) for row in rows]
    chosen = {"geovlm-r1": {"similarity": "lexical"}}
    functions = trl_functions([get(name, chosen.get(name), prompts) for name in rewards], Readings(profile))
    columns = {"sample": [row.model_dump_json() for row in rows]}
    start = time.process_time()
    for function in functions:
        function(prompts=[""] * completions, completions=texts, completion_ids=[[]] * completions, **columns)
    return time.process_time() - start


def _sample(rng: random.Random, number: int, boxes: int, task: Task) -> Sample:
    true = tuple(TrueBox(label="vehicle", **dict(zip(("x0", "y0", "x1", "y1"), _box(rng), strict=True)))
                 for _ in range(boxes if task is not Task.CAPTION else 0))  # fmt: skip
    return Sample(
        sample_id=f"bench-{number}", source="bench", split="train", licence="none", task=task,
        images=(SampleImage(path=f"{number}.png", width=1000, height=1000),), question="Find all vehicles.",
        asked=("vehicle",), boxes=true, captions=(CAPTION,) * 5 if task is Task.CAPTION else (),
        answer=str(boxes) if task is Task.COUNT else "",
    )  # fmt: skip


def _box(rng: random.Random) -> tuple[int, int, int, int]:
    x, y, side = rng.randint(0, 900), rng.randint(0, 900), rng.randint(8, 60)
    return x, y, x + side, y + side


def _text(rng: random.Random, row: Sample, task: Task) -> str:
    """A completion that finds most of the truth, a few pixels off."""
    if task is Task.CAPTION:
        words = CAPTION.lower().rstrip(".").split()
        return f"<think>It shows an airport.</think><answer>{' '.join(rng.choices(words, k=60))}</answer>"
    said = [tuple(int(v) + rng.randint(0, 4) for v in box.xyxy) for box in row.boxes]
    texts = [f"[{','.join(map(str, box))}]" for box in said]
    evidence = "".join(f"E{n} vehicle, upper left {text}. " for n, text in enumerate(texts, start=1))
    answer = f"[{','.join(texts)}]" if task is Task.DETECT else str(len(texts))
    synthesis = f"E1 to E{len(texts)} are vehicles, {len(texts)} in all."
    inside = f"<plan>Scan.</plan><evidence>{evidence}</evidence><synthesis>{synthesis}</synthesis>"
    return f"<think>{inside}</think><answer>{answer}</answer>"


def main() -> None:
    """Every recipe on every task that is dear, the median of three."""
    print(f"{'task':>8} {'boxes':>6} {'rewards':<14} {'64 completions, s':>18}")
    for task, boxes in ((Task.DETECT, 200), (Task.DETECT, 20), (Task.COUNT, 200), (Task.CAPTION, 0)):
        for name, rewards in RECIPES.items():
            taken = sorted(seconds(rewards, boxes=boxes, task=task) for _ in range(3))[1]
            print(f"{task:>8} {boxes:>6} {name:<14} {taken:>18.3f}")


if __name__ == "__main__":
    main()

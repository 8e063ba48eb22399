"""Questions in many wordings and their Geo-CoT answers, as text.

Completions are written with the engine's own grammar (`groundproof.protocol`):

    <think><plan>..</plan><evidence>E1 ship, left [x0,y0,x1,y1]. </evidence>
    <synthesis>..</synthesis></think><answer>..</answer>

Boxes are integers 0..999, per-mille of the tile. Evidence is listed in the raster order of the anchor cells, which
is the order in which the language model meets them. Refuses to know tokens and pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from groundproof.boxes import BoxFrame, ModelBox
from groundproof.labels import plural
from groundproof.protocol.grammar import (
    Finding,
    count_synthesis,
    detect_answer,
    evidence_text,
    format_trace,
    place_words,
    quantise_per_mille,
)

Box = tuple[int, int, int, int]

WORDS: dict[str, tuple[tuple[str, str], ...]] = {
    "airplane": (("airplane", "airplanes"), ("plane", "planes"), ("aircraft", "aircraft"), ("jet", "jets")),
    "ship": (("ship", "ships"), ("boat", "boats"), ("vessel", "vessels")),
    "storage tank": (("storage tank", "storage tanks"), ("tank", "tanks"), ("oil tank", "oil tanks")),
    "vehicle": (("vehicle", "vehicles"), ("car", "cars")),
}
"""Singular and plural of every wording; the first is the label that answers use."""

UNKNOWN = (
    "tree", "house", "bridge", "tennis court", "swimming pool", "helicopter", "train", "dog", "wind turbine", "stadium",
    "building", "crane", "roundabout", "football field", "person", "cow", "horse", "solar panel", "church", "road",
    "river", "lake", "mountain", "cloud", "chimney", "container", "bus stop", "bicycle", "windmill", "greenhouse",
    "dam", "tower", "antenna", "baseball field", "basketball court", "parking lot", "garage", "island", "beach",
    "golf course", "fountain", "tent", "hangar", "runway", "pipeline", "fence", "rock", "elephant", "submarine",
)  # fmt: skip
"""Things the model is never taught to see; asked about, it says that nothing fits, without repeating the word."""

PLACES = (
    "",
    "",
    "",
    " in the image",
    " in the tile",
    " here",
    " in this scene",
    " in the harbour",
    " at the airport",
)

COUNT = (
    "How many {many} are there{place}?", "Count the {many}{place}.", "How many {many} do you see{place}?",
    "Number of {many}{place}?", "Count all {many}{place}.", "how many {many}{place}",
    "How many {many} are visible{place}?",
    "Count {many}.", "What is the number of {many}{place}?",
)  # fmt: skip
DETECT = (
    "Find all {many}{place}.", "Detect all {many}{place}.", "Detect every {one}{place}.", "Find the {many}{place}.",
    "Mark the {many}{place}.", "{many}", "Detect {many}.", "Where are the {many}{place}?",
)  # fmt: skip
GROUND = (
    "Locate every {one}{place}.", "Locate the {many}{place}.", "Locate all {many}.", "Show me the {many}{place}.",
    "Point at each {one}{place}.", "the {many}{place}",
)  # fmt: skip
EXISTS = (
    "Are there any {many}{place}?", "Is there a {one}{place}?", "Is there any {one}{place}?",
    "Do you see {many}{place}?",
    "Are {many} visible{place}?", "Is a {one} visible{place}?", "Can you see any {many}{place}?",
)  # fmt: skip

QUESTIONS = {"count": COUNT, "detect": DETECT, "ground": GROUND, "vqa": EXISTS}
TASKS = tuple(QUESTIONS)


@dataclass(frozen=True, slots=True)
class Sample:
    """One question and its completion. `boxes` are those listed, in order; `anchors` their cells (row-major)."""

    task: str
    prompt: str
    completion: str
    label: str
    boxes: tuple[Box, ...]
    anchors: tuple[int, ...]


def write_completion(task: str, label: str, boxes: Sequence[Box], known: bool = True) -> str:
    """The Geo-CoT text of one answer, in the engine's own grammar.

    label: names each evidence. known: False for a thing that was never learnt; the text then does not repeat its
    name, because a small model cannot spell words it has not seen.
    """
    many = plural(label) if known else "anything that fits"
    frames = [ModelBox(*(float(v) for v in box)) for box in boxes]
    findings = [Finding(label, box, place_words(box, BoxFrame.PER_MILLE)) for box in frames]
    evidence = evidence_text(findings, BoxFrame.PER_MILLE, [label if known else "match"])
    if task == "count":
        answer = str(len(boxes))
    elif task == "vqa":
        answer = "yes" if boxes else "no"
    else:
        answer = detect_answer(frames, BoxFrame.PER_MILLE)
    return format_trace(f"Scan the tile row by row for {many}.", evidence, count_synthesis(findings), answer)


def write_prompt(task: str, question: str) -> str:
    """What the user turn says after the image."""
    return f"[{task}] {question}"


def make_sample(
    rng: np.random.Generator,
    labels: Sequence[str],
    boxes: Sequence[Box],
    anchors: Sequence[int],
    tasks: Sequence[str] = TASKS,
    absent_share: float = 0.2,
    unknown_share: float = 0.04,
) -> Sample:
    """One question about a tile with these objects.

    labels: class names; boxes: per-mille; anchors: cell of each (sets the order). Present classes are asked about
    unless the draw says absent or unknown.
    """
    task = str(rng.choice(list(tasks)))
    present = sorted(set(labels))
    absent = [label for label in WORDS if label not in present]
    draw = rng.random()
    if draw < unknown_share:
        one = UNKNOWN[rng.integers(len(UNKNOWN))]
        many, label, picked = one + "s", one, []
    else:
        pool = absent if (absent and (draw < unknown_share + absent_share or not present)) else present
        label = pool[rng.integers(len(pool))]
        wordings = WORDS[label]
        one, many = wordings[0 if rng.random() < 0.5 else rng.integers(len(wordings))]
        picked = sorted((k for k, name in enumerate(labels) if name == label), key=lambda k: anchors[k])
    wording = QUESTIONS[task][rng.integers(len(QUESTIONS[task]))]
    question = wording.format(one=one, many=many, place=PLACES[rng.integers(len(PLACES))])
    listed = tuple(boxes[k] for k in picked)
    return Sample(
        task=task,
        prompt=write_prompt(task, question),
        completion=write_completion(task, label, listed, known=label in WORDS),
        label=label,
        boxes=listed,
        anchors=tuple(int(anchors[k]) for k in picked),
    )


def permille_boxes(boxes_px: np.ndarray, width: int, height: int) -> list[Box]:
    """Pixel boxes (n, 4) of a tile -> whole numbers 0..999, never empty."""
    made = [quantise_per_mille(*box, width, height) for box in boxes_px.tolist()]
    return [(int(b.x0), int(b.y0), int(b.x1), int(b.y1)) for b in made]


def corpus(n: int = 4000) -> list[str]:
    """Texts on which the tokenizer is trained: every wording, and random answers."""
    rng = np.random.default_rng(0)
    names = list(WORDS)
    texts = []
    for _ in range(n):
        k = int(rng.integers(0, 6))
        corners = np.sort(rng.integers(0, 1000, size=(k, 2, 2)), axis=1).reshape(k, 4)
        labels = [names[i] for i in rng.integers(len(names), size=k)]
        sample = make_sample(
            rng, labels, [tuple(b) for b in corners.tolist()], list(range(k)), unknown_share=0.2
        )
        texts.append(sample.prompt + "\n" + sample.completion)
    return texts

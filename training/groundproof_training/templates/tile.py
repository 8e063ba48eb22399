"""What a template knows of a tile (`Tile`), and what comes out (`Sample`). Refuses to know wordings, tokens, pixels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from groundproof.boxes import BoxFrame, ModelBox
from groundproof.protocol.grammar import Finding, evidence_text, format_trace, place_words, quantise_per_mille

Box = tuple[int, int, int, int]

PER_MILLE = BoxFrame.PER_MILLE
"""The frame of every box in a training text: whole numbers 0..999 of the tile's width and height."""


@dataclass(frozen=True, slots=True)
class Tile:
    """The objects of one tile, as parallel tuples.

    boxes: per-mille x0 y0 x1 y1. anchors: row-major index of the cell of each. aspect: width / height of the tile,
    for distances. scene_type: None where nobody knows it.
    """

    labels: tuple[str, ...]
    boxes: tuple[Box, ...]
    anchors: tuple[int, ...]
    scene_type: str | None = None
    aspect: float = 1.0

    def __post_init__(self) -> None:
        if not len(self.labels) == len(self.boxes) == len(self.anchors):
            raise ValueError(
                f"a tile has as many labels as boxes and anchors, got {len(self.labels)}, {len(self.boxes)} "
                f"and {len(self.anchors)}"
            )

    def order(self, indices: Iterable[int]) -> list[int]:
        """Raster order of the anchor cells, then of x: the order in which evidence is written."""
        return sorted(indices, key=lambda k: (self.anchors[k], self.boxes[k][0] + self.boxes[k][2], k))

    def of(self, *labels: str) -> list[int]:
        """Objects of these classes, in the order of evidence."""
        return self.order(k for k, label in enumerate(self.labels) if label in labels)

    def counts(self) -> Counter[str]:
        """How many objects each present class has."""
        return Counter(self.labels)

    def place(self, index: int) -> str:
        """The words for where an object lies: "upper left"."""
        return place_words(model_box(self.boxes[index]), PER_MILLE)


@dataclass(frozen=True, slots=True)
class Sample:
    """One question and its completion.

    label: the class asked about; "" where the question names none or several. boxes, labels, anchors, images,
    objects: of the evidence, in the order written; objects are indices into the tile's own lists, images are 0 for
    the only or earlier image. answer_boxes, answer_anchors: of the boxes that the answer repeats, as written there.
    n_images: images before the question; with several no anchor is used.
    """

    task: str
    prompt: str
    completion: str
    answer: str
    label: str
    boxes: tuple[Box, ...]
    labels: tuple[str, ...]
    anchors: tuple[int, ...]
    objects: tuple[int, ...]
    answer_boxes: tuple[Box, ...] = ()
    answer_anchors: tuple[int, ...] = ()
    images: tuple[int, ...] = ()
    n_images: int = 1


def without_rationale(sample: Sample) -> Sample:
    """The same question, answered without plan, evidence and synthesis."""
    return replace(
        sample,
        completion=f"<answer>{sample.answer}</answer>",
        boxes=(),
        labels=(),
        anchors=(),
        objects=(),
        images=(),
    )


def model_box(box: Box) -> ModelBox:
    """A per-mille box as the grammar takes it."""
    return ModelBox(*(float(v) for v in box))


def write_prompt(task: str, question: str) -> str:
    """What the user turn says after the image."""
    return f"[{task}] {question}"


def pick(rng: np.random.Generator, options: Sequence[str]) -> str:
    """One of the wordings."""
    return options[int(rng.integers(len(options)))]


def findings(tile: Tile, listed: Sequence[int]) -> list[Finding]:
    """Objects as the grammar's evidence."""
    return [Finding(tile.labels[k], model_box(tile.boxes[k]), tile.place(k)) for k in listed]


def compose(
    tile: Tile,
    task: str,
    question: str,
    plan: str,
    listed: Sequence[int],
    synthesis: str,
    answer: str,
    *,
    label: str = "",
    absent: Sequence[str] = (),
    repeated: Sequence[int] = (),
) -> Sample:
    """The sample whose evidence is `listed`.

    absent: what "No .. is visible" names when nothing is listed. repeated: objects whose boxes stand in the answer.
    """
    evidence = evidence_text(findings(tile, listed), PER_MILLE, absent)
    return Sample(
        task=task,
        prompt=write_prompt(task, question),
        completion=format_trace(plan, evidence, synthesis, answer),
        answer=answer,
        label=label,
        boxes=tuple(tile.boxes[k] for k in listed),
        labels=tuple(tile.labels[k] for k in listed),
        anchors=tuple(int(tile.anchors[k]) for k in listed),
        objects=tuple(int(k) for k in listed),
        answer_boxes=tuple(tile.boxes[k] for k in repeated),
        answer_anchors=tuple(int(tile.anchors[k]) for k in repeated),
        images=(0,) * len(listed),
    )


def permille_boxes(boxes_px: np.ndarray, width: int, height: int) -> list[Box]:
    """Pixel boxes (n, 4) of a tile -> whole numbers 0..999, never empty."""
    made = [quantise_per_mille(*box, width, height) for box in boxes_px.tolist()]
    return [(int(b.x0), int(b.y0), int(b.x1), int(b.y1)) for b in made]

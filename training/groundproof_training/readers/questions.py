"""Questions about the labelled objects of an image, and the reader that every format of boxes shares.

Knows wordings and which questions have a certain answer. Refuses to know file formats.

The published wording stands first (RSThinker's "Detect all ... in the image."); the others are ours.
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from groundproof.labels import is_kind_of, plural, singular, with_article
from groundproof.protocol import Task
from groundproof_training.errors import TrainingError
from groundproof_training.readers.base import DatasetCard, Options, Problems
from groundproof_training.readers.objects import LabelledImage, ObjectOptions, share_of
from groundproof_training.readers.patches import cut
from groundproof_training.samples import Sample, Split, TrueBox

WORDINGS: dict[Task, tuple[str, ...]] = {
    Task.COUNT: (
        "How many {many} are there in the image?",
        "Count the {many} in the image.",
        "How many {many} can be seen?",
        "What is the number of {many} in this image?",
        "Count all {many}.",
    ),
    Task.DETECT: (
        "Detect all {many} in the image.",
        "Find all {many} in the image.",
        "Detect every {one} in the image.",
        "Mark all {many}.",
        "Mark every {one}.",
    ),
    Task.GROUND: (
        "Locate every {one} in the image.",
        "Locate all {many} in the image.",
        "Give the location of every {one}.",
        "Show me all {many}.",
    ),
    Task.VQA: (
        "Are there any {many} in the image?",
        "Is there {a_one} in the image?",
        "Can you see any {many} in the image?",
        "Does the image show any {many}?",
    ),
}
"""{one} {many} a noun, {a_one} with its article. The engine reads each as its task without being told, except that
"locate every" is detect to it: there a phrase is a class."""


def nouns(label: str) -> tuple[str, str]:
    """Singular and plural of a class name, whichever of the two the dataset uses: "people" -> "person", "people"."""
    front, _, last = label.rpartition(" ")
    one = f"{front} {singular(last)}".strip()
    return one, plural(one)


def question(task: Task, label: str, sample_id: str, options: ObjectOptions) -> str:
    """One wording. Drawn ones depend on the seed and the sample alone."""
    texts = WORDINGS[task]
    k = 0 if options.wording == "published" else int(share_of(sample_id, options.seed) * len(texts))
    one, many = nouns(label)
    return texts[k].format(one=one, many=many, a_one=with_article(one))


def asked_about(
    one: LabelledImage, card: DatasetCard, split: Split, options: ObjectOptions, problems: Problems
) -> Iterator[Sample]:
    """Every question about one image: each task about each class that is there, and some about ones that are not.

    A class whose objects are all to be ignored is neither there nor absent. Where areas may hold unlabelled objects,
    nothing is counted and nothing is called absent.
    """
    wanted = [label for label in one.classes if not options.classes or label in options.classes]
    present = {b.label for b in one.objects if not b.ignore}
    tasks = [t for t in options.tasks if t in WORDINGS and not (t is Task.COUNT and one.areas)]
    asked = 0
    for label in wanted:
        if label not in present:
            continue
        boxes = tuple(b for b in one.objects if b.label == label)
        number = sum(not b.ignore for b in boxes)
        if number > options.max_objects:
            problems.add(
                "too many objects",
                one.key,
                f"{number} {nouns(label)[1]}, more than max_objects = {options.max_objects}",
            )
            continue
        asked += 1
        for task in tasks:
            yield _sample(one, card, split, options, task, label, (*boxes, *one.areas), number)
    if one.areas:
        return
    rng = random.Random(f"{options.seed}:{card.name}:{one.key}")
    for label in _absent(one, wanted, asked, bool(present), options, rng):
        for task in tasks:
            yield _sample(one, card, split, options, task, label, (), 0)


def _absent(
    one: LabelledImage,
    wanted: Sequence[str],
    asked: int,
    holds_some: bool,
    options: ObjectOptions,
    rng: random.Random,
) -> list[str]:
    if options.absent_share == 0 or (not holds_some and rng.random() >= options.empty_share):
        return []
    there = {b.label for b in one.objects}
    missing = [
        label for label in wanted if not any(is_kind_of(t, label) or is_kind_of(label, t) for t in there)
    ]
    # Of n + m questions m are about what is absent: m = n * share / (1 - share), the rest of it drawn.
    exact = asked * options.absent_share / (1 - options.absent_share) if holds_some else 1.0
    number = min(int(exact) + (rng.random() < exact % 1), len(missing))
    return rng.sample(missing, number)


def _sample(
    one: LabelledImage,
    card: DatasetCard,
    split: Split,
    options: ObjectOptions,
    task: Task,
    label: str,
    boxes: tuple[TrueBox, ...],
    number: int,
) -> Sample:
    sample_id = f"{card.name}-{split}-{one.key}-{task}-{label.replace(' ', '_')}"
    answer = {Task.COUNT: str(number), Task.VQA: "yes" if number else "no"}.get(task, "")
    return Sample(
        sample_id=sample_id,
        source=card.name,
        split=split,
        licence=card.licence,
        task=task,
        images=(one.image,),
        question=question(task, label, sample_id, options),
        answer=answer,
        asked=(label,),
        boxes=boxes,
        meta=dict(one.meta),
    )


class ObjectReader(ABC):
    """A reader of one format of labelled objects: it says the images, this class asks about them."""

    card: ClassVar[DatasetCard]
    options: ClassVar[type[Options]] = ObjectOptions

    @abstractmethod
    def images(
        self, root: Path, split: Split, options: ObjectOptions, problems: Problems
    ) -> Iterator[LabelledImage]:
        """The labelled images of one split, whole, in a fixed order, lazily. Raises WrongFolderError."""

    def read(self, root: Path, split: Split, options: Options, problems: Problems) -> Iterator[Sample]:
        """See `Reader.read`. An image whose key came before is left out and counted."""
        given = self.options.model_validate(options.model_dump())
        assert isinstance(given, ObjectOptions)  # noqa: S101  (of the class above)
        if split not in self.card.splits:
            raise TrainingError(
                f"{self.card.title} has no {split} split; it has {', '.join(self.card.splits)}"
            )
        keys = set[str]()
        for whole in self.images(root, split, given, problems):
            if whole.key in keys:
                problems.add("duplicate id", whole.key, "the image came before; its first labels are kept")
                continue
            keys.add(whole.key)
            for one in self.parts(whole, given):
                yield from asked_about(one, self.card, split, given, problems)

    def parts(self, whole: LabelledImage, options: ObjectOptions) -> Iterator[LabelledImage]:
        """The image itself, or its windows where `patch_px` is given and the image is larger."""
        side = options.patch_px
        if side is None or (whole.image.width <= side and whole.image.height <= side):
            yield whole
        else:
            yield from cut(whole, side, options.stride_px or side, options.min_inside)

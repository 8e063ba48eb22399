"""What is true of a scene and a question, for results of ours: by a COCO table, samples, or a reviewed GeoPackage.

Knows scenes by the names of their files. Refuses to know what was predicted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from groundproof.counting import answers_to, counted
from groundproof.errors import GroundproofError
from groundproof.labels import is_kind_of, normalise
from groundproof.outputs import read
from groundproof.protocol import Task, is_existence, target_labels
from groundproof.tables import Result
from groundproof_training.errors import TrainingError
from groundproof_training.evaluation.cases import (
    NO_BOXES,
    BoxSet,
    Case,
    Family,
    Said,
    Status,
    Truth,
    px_facts,
)
from groundproof_training.evaluation.prediction_files.base import FileOptions, Frame, Tally
from groundproof_training.evaluation.prediction_files.coco_truth import CocoTable, read_table
from groundproof_training.evaluation.prediction_files.frames import box_set
from groundproof_training.evaluation.prediction_files.joining import TruthIndex, image_name
from groundproof_training.evaluation.prediction_files.samples_truth import is_samples, sample_index
from groundproof_training.metrics.boxes import Floats

_BY_BOXES = {Task.COUNT: Family.COUNTING, Task.DETECT: Family.DETECTION, Task.GROUND: Family.DETECTION}


class RunTruth(Protocol):
    """A source of truth for scenes."""

    def pose(
        self,
        name: str,
        question: str,
        task: Task,
        labels: tuple[str, ...],
        size: tuple[float, float] | None,
        windows: Floats,
    ) -> Case:
        """The question as a case without an answer. windows: (n, 4), what was to be looked at, px; truth outside them
        was not asked for. Raises LookupError(kind, sentence) where the source does not say what is true."""
        ...

    def unasked(self, questions: list[tuple[str, str]], seen: Collection[tuple[str, str]]) -> Iterator[Case]:
        """Cases of images that nobody answered for. questions: (question, task). seen: (image, question) answered."""
        ...


def truth_for_runs(path: Path, tally: Tally, options: FileOptions) -> RunTruth:
    """The source in a file, by what it holds. Raises TrainingError."""
    if path.suffix == ".gpkg":
        try:
            return Reviewed(read(path), tally)
        except GroundproofError as err:
            raise TrainingError(f"{path} cannot be read as a reviewed result: {err}") from err
    if not path.is_file():
        raise TrainingError(
            f"{path} is not a file of truth; give COCO annotations, samples or a reviewed GeoPackage."
        )
    if is_samples(path):
        return BySamples(sample_index(path, Frame.PX, options))
    return ByTable(read_table(path, tally.problems, options), tally)


@dataclass(slots=True)
class ByTable:
    """Boxes of a COCO table in pixels of scenes, which are found by their files' names."""

    table: CocoTable
    tally: Tally
    sets: list[BoxSet] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sets = list(self.table.boxes.of_each(len(self.table.images), self.table.names))

    def pose(
        self,
        name: str,
        question: str,
        task: Task,
        labels: tuple[str, ...],
        size: tuple[float, float] | None,
        windows: Floats,
    ) -> Case:
        """See `RunTruth`."""
        place = self.table.by_name.get(image_name(name))
        if place is None:
            raise LookupError("unknown image", f"the truth has no image {image_name(name)}")
        if labels and not any(_is_kind(one, labels) for one in self.table.names):
            raise LookupError(
                "unknown class",
                f"{', '.join(labels)}: none of the truth's classes ({', '.join(self.table.names[:8])})",
            )
        stated = self.table.images[place].size
        if stated and size and stated != (round(size[0]), round(size[1])):
            self.tally.note(
                "size differs",
                image_name(name),
                f"the truth is of {stated[0]} x {stated[1]} px, the scene has {size[0]:g} x {size[1]:g}",
            )
        return posed_by_boxes(name, question, task, labels, size or stated, self.sets[place], windows)

    def unasked(self, questions: list[tuple[str, str]], seen: Collection[tuple[str, str]]) -> Iterator[Case]:
        """See `RunTruth`."""
        for question, task in questions:
            for image in self.table.images:
                name = image.name or str(image.key)
                if (image_name(name), question) not in seen:
                    try:
                        yield self.pose(
                            name, question, Task(task), target_labels(question, Task(task)), image.size, _ALL
                        )
                    except LookupError:
                        continue  # the same question was left out, and counted, where it was answered


@dataclass(slots=True)
class BySamples:
    """Samples whose images are the scenes' files; the question decides, or the only sample of the task."""

    index: TruthIndex

    def pose(
        self,
        name: str,
        question: str,
        task: Task,
        labels: tuple[str, ...],
        size: tuple[float, float] | None,
        windows: Floats,
    ) -> Case:
        """See `RunTruth`."""
        image, words = image_name(name), " ".join(question.casefold().split())
        if image not in self.index.images:
            raise LookupError("unknown image", f"the truth has no image {image}")
        place = self.index.by_key.get(("image", image, words))
        if place is None:
            raise LookupError("unknown question", f"the truth does not ask {question[:80]!r} about {image}")
        return replace(self.index.cases[place], group=name)

    def unasked(self, questions: list[tuple[str, str]], seen: Collection[tuple[str, str]]) -> Iterator[Case]:
        """See `RunTruth`."""
        answered = {(image, " ".join(question.casefold().split())) for image, question in seen}
        for key, place in self.index.by_key.items():
            if key[0] == "image" and key[1:] not in answered:
                yield self.index.cases[place]


@dataclass(slots=True)
class Reviewed:
    """The counted boxes of a result that an analyst has reviewed, by scene."""

    result: Result
    tally: Tally

    def __post_init__(self) -> None:
        if self.result.evidence.review.isna().all():
            self.tally.warnings.append(
                "no box of the file of truth was reviewed, so it is another answer of a model and not what is true"
            )

    def pose(
        self,
        name: str,
        question: str,
        task: Task,
        labels: tuple[str, ...],
        size: tuple[float, float] | None,
        windows: Floats,
    ) -> Case:
        """See `RunTruth`."""
        answers, image = self.result.answers, image_name(name)
        paths = {row.scene: image_name(str(row.path or row.scene)) for row in self.result.scenes.itertuples()}
        mine = answers[answers.scene.map(paths) == image]
        if not len(mine):
            raise LookupError("unknown image", f"the reviewed result has no scene {image}")
        same = mine[mine.question.str.casefold() == question.casefold()]
        if not len(same):
            raise LookupError(
                "unknown question", f"the reviewed result does not ask {question[:80]!r} about {image}"
            )
        evidence = self.result.evidence
        keep = (
            (evidence.answer_id == same.answer_id.iloc[0]).to_numpy()
            & counted(evidence)
            & answers_to(evidence, labels)
        )
        rows = evidence[keep]
        boxes = NO_BOXES
        if len(rows):
            boxes = box_set(
                np.array([list(map(float, box)) for box in rows.box_px], dtype=np.float64),
                rows.angle_deg.to_numpy(dtype=np.float64),
                labels=[str(label or "") for label in rows.label],
            )
        return posed_by_boxes(name, question, task, labels, size, boxes, windows)

    def unasked(self, questions: list[tuple[str, str]], seen: Collection[tuple[str, str]]) -> Iterator[Case]:
        """See `RunTruth`."""
        scenes = {row.scene: row for row in self.result.scenes.itertuples()}
        for row in self.result.answers.itertuples():
            scene = scenes[row.scene]
            name = str(scene.path or row.scene)
            if (image_name(name), row.question) not in seen and (row.question, row.task) in questions:
                task = Task(row.task)
                try:
                    yield self.pose(name, row.question, task, target_labels(row.question, task), None, _ALL)
                except LookupError:
                    continue  # a task that boxes cannot decide; counted where it was answered


_ALL = np.array([[-np.inf, -np.inf, np.inf, np.inf]])


def posed_by_boxes(
    name: str,
    question: str,
    task: Task,
    labels: tuple[str, ...],
    size: tuple[float, float] | tuple[int, int] | None,
    boxes: BoxSet,
    windows: Floats,
) -> Case:
    """A question whose right answer follows from the true boxes: which, how many, or whether any. Raises LookupError
    for another question."""
    mine = only(boxes, labels, windows)
    lost = mine.ignore if mine.ignore is not None else np.zeros(len(mine), dtype=np.bool_)
    number = int((~lost).sum())
    existence = task is Task.VQA and is_existence(question)
    if task not in _BY_BOXES and not existence:
        raise LookupError("no truth", f"boxes do not say what is right for {question[:60]!r} ({task})")
    family = Family.VQA if existence else _BY_BOXES[task]
    word = "yes" if number else "no"
    whole = (float(size[0]), float(size[1])) if size else None
    return Case(
        case_id=f"{image_name(name)}: {question}",
        group=name,
        family=family,
        task=task,
        question=question,
        truth=Truth(
            text=word if existence else "",
            texts=(word,) if existence else (),
            count=number if family is Family.COUNTING else None,
            boxes=mine,
        ),
        said=Said(status=Status.MISSING),
        size=whole,
        asked=labels,
        meta=px_facts(whole),
    )


def only(boxes: BoxSet, labels: tuple[str, ...], windows: Floats) -> BoxSet:
    """The boxes of what was asked for whose centres lie in one of the windows. A label is the asked one it is a kind
    of, and in any case normalised."""
    if not len(boxes):
        return boxes
    centres = (boxes.xyxy[:, :2] + boxes.xyxy[:, 2:]) / 2
    inside = np.zeros(len(boxes), dtype=np.bool_)
    for x0, y0, x1, y1 in windows.tolist():
        inside |= (centres >= (x0, y0)).all(axis=1) & (centres < (x1, y1)).all(axis=1)
    fits = np.array([not labels or _is_kind(one, labels) for one in boxes.labels], dtype=np.bool_)
    keep = np.flatnonzero(inside & fits)
    named: list[str] = []
    for n in keep.tolist():
        name = normalise(boxes.labels[n]) or boxes.labels[n]
        one = labels[0] if len(labels) == 1 else next((a for a in labels if is_kind_of(name, a)), name)
        named.append(one)

    def rows(part: Any) -> Any:
        return None if part is None else part[keep]

    return BoxSet(
        boxes.xyxy[keep],
        tuple(named),
        tuple(boxes.images[n] for n in keep.tolist()),
        rows(boxes.quads),
        None,
        rows(boxes.ignore),
    )


def _is_kind(name: str, labels: tuple[str, ...]) -> bool:
    plain = normalise(name) or name
    return any(is_kind_of(plain, one) or plain == one for one in labels)

"""What an analyst corrected, as `groundproof review export` writes it: Geo-CoT messages, COCO or YOLO.

Knows the export's folder or zip. Conversations are read back with the engine's own parser, in the box frame that the
export's provenance names. Refuses to know what was reviewed, and by whom.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from groundproof.boxes import BoxFrame, Tile, Window
from groundproof.errors import GroundproofError
from groundproof.georeference import to_pixels
from groundproof.labels import normalise
from groundproof.models.profile import Profile
from groundproof.models.profiles import get_profile
from groundproof.protocol import Task, infer_task, render, target_labels
from groundproof.trace import Trace, TraceEvidence, parse
from groundproof_training.errors import TrainingError
from groundproof_training.readers.archives import unpacked
from groundproof_training.readers.base import (
    DatasetCard,
    Options,
    Problems,
    Reader,
    WrongFolderError,
    look_at,
)
from groundproof_training.readers.coco import CocoReader
from groundproof_training.readers.objects import LabelledImage, ObjectOptions, in_split
from groundproof_training.readers.oriented import TurnedBox, enclosing
from groundproof_training.readers.questions import ObjectReader
from groundproof_training.readers.voc import BOX_TASKS
from groundproof_training.readers.yolo import YoloReader
from groundproof_training.samples import EvidenceLine, Rationale, Sample, SampleImage, Split, TrueBox

LICENCE = "the imagery's own; corrections are their analyst's"
GEO_COT, PROVENANCE = "geo-cot.jsonl", "provenance.json"

CARD = DatasetCard(
    name="corrections",
    title="reviewed results (groundproof review export)",
    tasks=BOX_TASKS,
    licence=LICENCE,
    source="groundproof review export RESULT.gpkg -o FOLDER (or .zip)",
    layout=(
        "images/*.png and provenance.json, with",
        "geo-cot.jsonl, or annotations.json, or data.yaml and labels/*.txt",
        "a .zip is unpacked beside itself, into a folder of its name",
    ),
    splits=("train", "val", "test"),
    verified="against the engine's exporter, in its three formats; splits are by hash of the picture",
)


class _Coco(CocoReader):
    card = CARD


class _Yolo(YoloReader):
    card = CARD


class CorrectionsReader(ObjectReader):
    """See the module. A zip's pictures lie, after reading, in the folder of its name: that is the samples' root."""

    card = CARD

    def images(
        self, root: Path, split: Split, options: ObjectOptions, problems: Problems
    ) -> Iterator[LabelledImage]:
        """Of an export as COCO or YOLO. Which of its classes a picture was asked about it does not say, so with several
        of them one that is not in the picture is not called absent."""
        one: CocoReader | YoloReader = _Coco() if (root / "annotations.json").is_file() else _Yolo()
        given = one.options.model_validate(options.model_dump())
        for found in one.images(root, split, given, problems):
            several = len(found.classes) > 1
            there = tuple(label for label in found.classes if any(b.label == label for b in found.objects))
            yield replace(found, classes=there) if several else found

    def read(self, root: Path, split: Split, options: Options, problems: Problems) -> Iterator[Sample]:
        """Conversations as they are; of COCO and YOLO, questions about their boxes."""
        folder = unpacked(root)
        given = ObjectOptions.model_validate(options.model_dump())
        if (folder / GEO_COT).is_file():
            return self._conversations(folder, split, given, problems)
        if not any((folder / name).is_file() for name in ("annotations.json", "data.yaml")):
            raise WrongFolderError(root, self.card, f"{GEO_COT}, annotations.json or data.yaml")
        return super().read(folder, split, given, problems)

    def _conversations(
        self, root: Path, split: Split, options: ObjectOptions, problems: Problems
    ) -> Iterator[Sample]:
        known = _Provenance(root)
        with (root / GEO_COT).open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                where = f"{GEO_COT}, line {number}"
                if not line.strip():
                    continue
                try:
                    record = json.loads(line)
                    path = record["images"][0]
                    said = {m["role"]: m["content"] for m in record["messages"]}
                    asked, answered = said["user"].removeprefix("<image>"), said["assistant"]
                except (ValueError, KeyError, TypeError, IndexError, AttributeError) as err:
                    problems.add("broken label", where, f"no conversation about an image: {err!r}")
                    continue
                if not in_split(path, split, options):
                    continue
                image = look_at(root, path, options, problems)
                if image is None:
                    continue
                try:
                    yield _sample(f"corrections-{split}-{number}", split, asked, answered, image, known)
                except ValueError as err:
                    problems.add("broken label", where, str(err))


class _Provenance:
    """What the export says about itself. Raises TrainingError where it does not say how boxes are written."""

    def __init__(self, root: Path) -> None:
        try:
            document = json.loads((root / PROVENANCE).read_text(encoding="utf-8"))
            self.frame = BoxFrame(document["box_frame"])
            self.questions = [str(q["text"]) for q in document.get("questions", [])]
        except (OSError, ValueError, KeyError, TypeError) as err:
            raise TrainingError(
                f"{root / PROVENANCE} does not say how the conversations write boxes (box_frame): {err!r}. "
                "Export the corrections again."
            ) from err
        self.profile: Profile | None = None
        # One of the analyst's own machine is not known here: the task is read from the question then.
        with suppress(GroundproofError):
            self.profile = get_profile(str(document.get("profile")))

    def asked(self, text: str, trace_of: Any) -> tuple[Task, str, tuple[str, ...], Trace]:
        """Task, question, labels and trace of a conversation. text: what the user said. trace_of: a task and
        labels -> the trace."""
        question = max((q for q in self.questions if q in text), key=len, default=text)
        guess = infer_task(question).task
        for task in dict.fromkeys((guess, *BOX_TASKS)):
            labels = target_labels(question, task)
            same = self.profile is not None and render(task, question, self.profile, labels).text == text
            if same or text.startswith(f"[{task}]"):
                guess = task
                break
        labels = target_labels(question, guess)
        return guess, question, labels, trace_of(guess, labels)


def _sample(
    sample_id: str, split: Split, asked: str, answered: str, image: SampleImage, known: _Provenance
) -> Sample:
    task, question, labels, trace = known.asked(
        asked, lambda task, labels: parse(answered, known.frame, task, labels)
    )
    if task not in BOX_TASKS or not trace.usable:
        raise ValueError(f"the answer to {question!r} cannot be read back")
    boxes = tuple(_true_box(one, image, known.frame, labels) for one in trace.evidence)
    answer = {Task.COUNT: str(len(boxes)), Task.VQA: "yes" if boxes else "no"}.get(task, "")
    if task in (Task.COUNT, Task.VQA) and trace.answer.strip() != answer:
        raise ValueError(f"the answer {trace.answer!r} is not what its {len(boxes)} boxes say")
    if task in (Task.DETECT, Task.GROUND) and len(trace.answer_boxes) != len(boxes):
        raise ValueError(f"the answer has {len(trace.answer_boxes)} boxes, the evidence {len(boxes)}")
    return Sample(
        sample_id=sample_id,
        source=CARD.name,
        split=split,
        licence=LICENCE,
        task=task,
        images=(image,),
        question=question,
        answer=answer,
        asked=labels,
        boxes=boxes,
        rationale=Rationale(
            plan=trace.plan,
            evidence=tuple(
                EvidenceLine(text=one.quote.strip().rstrip(","), box=k)
                for k, one in enumerate(trace.evidence)
            ),
            synthesis=trace.synthesis,
            by="template",
        ),
    )


def _true_box(one: TraceEvidence, image: SampleImage, frame: BoxFrame, labels: tuple[str, ...]) -> TrueBox:
    size = (image.width, image.height)
    placed = to_pixels(one.box, frame, Tile(0, Window(0, 0, *size), *size), size).box
    if placed is None:
        raise ValueError(f"the box of {one.quote!r} has no place in the picture")
    label = one.label or (labels[0] if labels else normalise(one.quote)) or "object"
    xyxy = (placed.x0, placed.y0, placed.x1, placed.y1)
    quad = None
    if placed.angle_deg:
        quad = TurnedBox.of_corners(xyxy, placed.angle_deg).quad
        xyxy = enclosing(quad)
    x0, y0, x1, y1 = xyxy
    return TrueBox(label=label, x0=x0, y0=y0, x1=x1, y1=y1, quad=quad)


READERS: tuple[Reader, ...] = (CorrectionsReader(),)

"""VRSBench: questions, references and captions about 512 px patches of DOTA-v2 and DIOR.

Knows its train records, its three evaluation files and its annotation files. Its boxes in texts are whole percents,
cut down, not rounded: up to 1 % of the side (5 px) is lost, and a box may have no width. The annotation files and the
referring evaluation hold the corners; `boxes="corners"` takes those.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import isfinite
from pathlib import Path
from typing import Any, Literal

from groundproof.protocol import Task
from groundproof_training.readers.base import DatasetCard, Options, Problems, Reader, need
from groundproof_training.readers.conversations import turns_of
from groundproof_training.readers.oriented import enclosing, quad_of, scaled
from groundproof_training.readers.sources import Images, check_split, json_list, options_of
from groundproof_training.readers.texts import class_words, phrases_in, plain, tags_of
from groundproof_training.readers.turns import Turn, sample_of
from groundproof_training.samples import Sample, SampleImage, Split, TrueBox
from groundproof_training.samples.types import Quad

Kind = Literal["vqa", "refer", "caption"]
SIZE = (512, 512)

CARD = DatasetCard(
    name="vrsbench",
    title="VRSBench",
    tasks=(Task.VQA, Task.GROUND, Task.CAPTION),
    licence="CC-BY-4.0 (annotations); images of DOTA-v2 (academic use) and DIOR",
    source="Hugging Face xiang709/VRSBench, GitHub lx709/VRSBench",
    layout=(
        "VRSBench_train.json, for train",
        "VRSBench_EVAL_vqa.json, VRSBench_EVAL_referring.json, VRSBench_EVAL_Cap.json, for test",
        "Images_train/P1427_0151.png and Images_val/ (also nested once more)",
        "Annotations_train/P1427_0151.json and Annotations_val/, for classes and corners; may be absent",
    ),
    splits=("train", "test"),
    counts={
        "train records": 142_390,
        "train vqa": 85_813,
        "train refer": 36_313,
        "train caption": 20_264,
        "test vqa": 37_409,
        "test refer": 16_159,
        "test caption": 9_350,
    },
    verified="File names, sizes, keys and box texts read in the authors' repository and on their page; the files "
    "themselves were not seen by us. Its validation images are its test.",
)
_FILES: dict[Kind, str] = {
    "vqa": "VRSBench_EVAL_vqa.json",
    "refer": "VRSBench_EVAL_referring.json",
    "caption": "VRSBench_EVAL_Cap.json",
}
_TASK: dict[str, Task] = {"vqa": Task.VQA, "refer": Task.GROUND, "caption": Task.CAPTION}
_SCORED_AS = {"image": "scene type", "rural or urban": "scene type"}
"""Question types the authors' scripts count under another."""


class VrsBenchOptions(Options):
    """kinds: which records. boxes: "published", the whole percents the authors score, or "corners", the oriented boxes
    of the annotation files where they are known."""

    kinds: tuple[Kind, ...] = ("vqa", "refer", "caption")
    boxes: Literal["published", "corners"] = "published"


class VrsBench:
    """See the module."""

    card = CARD
    options = VrsBenchOptions

    def read(self, root: Path, split: Split, options: Options, problems: Problems) -> Iterator[Sample]:
        """In the files' order; for test, the evaluation files of the asked kinds one after another."""
        own = options_of(VrsBenchOptions, options)
        check_split(CARD, split)
        if split == "train":
            need(root, CARD, ("VRSBench_train.json",))
            return self._train(root, own, problems)
        need(root, CARD, tuple(_FILES[kind] for kind in own.kinds))
        return self._test(root, own, problems)

    def _train(self, root: Path, options: VrsBenchOptions, problems: Problems) -> Iterator[Sample]:
        images, notes = Images(root, options, problems), _Annotations(root, "Annotations_train")
        for number, record in json_list(root / "VRSBench_train.json", problems):
            where = f"VRSBench_train.json[{number}]"
            name = str(record.get("image") or "")
            for turn, (question, answer) in enumerate(turns_of(record, problems, where)):
                kind = next((tag for tag in tags_of(question) if tag in _TASK), None)
                if kind is None:
                    problems.add("broken label", where, f"no tag of a task: {question[:60]!r}")
                    continue
                if kind not in options.kinds:
                    continue
                image = _image(images, "Images_train", name, where)
                if image is None:
                    continue
                fields = _fields("train", f"{number}" if not turn else f"{number}-{turn}")
                asked = Turn(question, answer, (image,), fields, task=_TASK[kind], meta={"type": kind})
                sample = sample_of(asked, problems, where)
                if sample is not None and kind == "refer":
                    phrase = (phrases_in(question) or [""])[0]
                    sample = _noted(sample, notes.of(name, phrase), options)
                if sample is not None:
                    yield sample

    def _test(self, root: Path, options: VrsBenchOptions, problems: Problems) -> Iterator[Sample]:
        images = Images(root, options, problems)
        for kind in options.kinds:
            for number, row in json_list(root / _FILES[kind], problems):
                where = f"{_FILES[kind]}[{number}]"
                question, answer = row.get("question"), row.get("ground_truth")
                if not isinstance(question, str) or answer is None:
                    problems.add("broken label", where, "no question or no ground_truth")
                    continue
                image = _image(images, "Images_val", str(row.get("image_id") or ""), where)
                if image is None:
                    continue
                if kind == "refer":
                    question = f"[refer] give me the location of <p>{plain(question)}</p>"
                meta = _meta(row, kind)
                turn = Turn(
                    question,
                    str(answer),
                    (image,),
                    _fields("test", f"{kind}/{number}"),
                    task=_TASK[kind],
                    meta=meta,
                )
                sample = sample_of(turn, problems, where)
                if sample is not None and kind == "refer":
                    sample = _noted(sample, row, options)
                if sample is not None:
                    yield sample


class _Annotations:
    """The annotation file of the image last asked about. Records of one image follow each other, so one is kept."""

    def __init__(self, root: Path, folder: str) -> None:
        self.folder = next((f for f in (root / folder / folder, root / folder) if f.is_dir()), None)
        self.name, self.objects = "", list[dict[str, Any]]()

    def of(self, image: str, sentence: str) -> dict[str, Any]:
        """What is noted of the object a sentence refers to; empty where nothing is, or two objects share it."""
        if self.folder is None:
            return {}
        if image != self.name:
            self.name, self.objects = image, []
            try:
                content = json.loads(
                    (self.folder / f"{Path(image).stem}.json").read_text(encoding="utf-8-sig")
                )
                self.objects = [o for o in content.get("objects", []) if isinstance(o, dict)]
            except (OSError, ValueError, AttributeError, TypeError):
                return {}
        same = [o for o in self.objects if _same(str(o.get("referring_sentence", "")), sentence)]
        return same[0] if len(same) == 1 else {}


def _same(one: str, other: str) -> bool:
    return plain(one).casefold().rstrip(". ") == plain(other).casefold().rstrip(". ")


def _image(images: Images, folder: str, name: str, where: str) -> SampleImage | None:
    name = name if Path(name).suffix else f"{name}.png"
    return images.one_of((f"{folder}/{name}", f"{folder}/{folder}/{name}", f"images/{name}"), where, SIZE)


def _fields(split: Split, name: str) -> dict[str, Any]:
    return {
        "sample_id": f"vrsbench/{split}/{name}", "source": CARD.name, "split": split, "licence": CARD.licence,
    }  # fmt: skip


def _meta(row: dict[str, Any], kind: Kind) -> dict[str, str]:
    said = str(row.get("type") or kind)
    meta = {"type": said, "question_id": str(row.get("question_id", ""))}
    if kind == "vqa":
        meta["scored_as"] = _SCORED_AS.get(said, said)
    if kind == "refer":
        meta |= {
            "unique": "yes" if row.get("unique") else "no",
            "size_group": str(row.get("size_group") or ""),
        }
    return meta


def _noted(sample: Sample, note: dict[str, Any], options: VrsBenchOptions) -> Sample:
    """With the class and corners that annotations give for the one object it refers to."""
    if len(sample.boxes) != 1:
        return sample
    box, meta = sample.boxes[0], dict(sample.meta)
    changes: dict[str, Any] = {}
    if note.get("obj_cls"):
        changes["label"] = class_words(str(note["obj_cls"]))
    corners = _corners(note.get("obj_corner"), sample.images[0])
    if options.boxes == "corners" and corners is not None:
        x0, y0, x1, y1 = enclosing(corners)
        if x0 < x1 and y0 < y1:
            changes |= {"quad": corners, "x0": x0, "y0": y0, "x1": x1, "y1": y1}
    meta["box"] = "corners" if "quad" in changes else "whole percents, cut down: up to 1 % smaller"
    box = TrueBox.model_validate({**box.model_dump(), **changes})
    asked = (box.label,) if box.label != "object" else ()
    return sample.model_copy(update={"boxes": (box,), "asked": asked, "meta": meta})


def _corners(numbers: Any, image: SampleImage) -> Quad | None:
    """Eight numbers from 0 to 1, in px."""
    try:
        quad = scaled(quad_of(float(n) for n in numbers), image.width, image.height)
    except (TypeError, ValueError, OverflowError):
        return None
    return quad if all(map(isfinite, quad)) else None


READERS: tuple[Reader, ...] = (VrsBench(),)

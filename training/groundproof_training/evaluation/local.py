"""The sets that need no download: `bench-v1`, and real pictures as scenes. What is asked about them, and what is true.

Knows folders, readers and which pictures the embedded model was not trained on. Refuses to know models, answers and
figures. The scales were chosen by sizes of objects and sensors before any score was seen, and are the same for every
model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from groundproof.protocol import Task
from groundproof_training import bench
from groundproof_training.bench import BenchQuestion
from groundproof_training.errors import TrainingError
from groundproof_training.evaluation.cases import Family
from groundproof_training.evaluation.questions import Picture, Question
from groundproof_training.evaluation.scenes import SceneOptions
from groundproof_training.readers.base import Problems, Reader, open_shown
from groundproof_training.readers.objects import LabelledImage, ObjectOptions
from groundproof_training.readers.questions import ObjectReader, asked_about
from groundproof_training.readers.registry import reader
from groundproof_training.readers.template_samples import to_sample
from groundproof_training.real_data import (
    TREES_NAIP_LICENCE,
    is_held_out,
    read_trees_naip,
)
from groundproof_training.samples import Sample, SampleImage, TrueBox
from groundproof_training.samples.types import Split
from groundproof_training.templates import Sample as Written

BENCH_FAMILIES: dict[Task, Family] = {
    Task.COUNT: Family.COUNTING,
    Task.DETECT: Family.DETECTION,
    Task.GROUND: Family.DETECTION,  # a phrase for one object or many
    Task.VQA: Family.VQA,
    Task.CLASSIFY: Family.CLASSIFICATION,
    Task.CAPTION: Family.CAPTIONING,
    Task.GROUNDED_CAPTION: Family.CAPTIONING,
    Task.REGION_CAPTION: Family.CAPTIONING,
    Task.CHANGE: Family.VQA,  # one wording is right: a number, yes or no, what changed; or boxes, `_family`
}


def _family(written: Written) -> Family:
    """Change is asked in words and for boxes ("image 2: [[...]]", "[]")."""
    boxes = written.task == Task.CHANGE and (written.answer_boxes or written.answer.startswith("["))
    return Family.DETECTION if boxes else BENCH_FAMILIES[Task(written.task)]


def bench_samples(scenes: int = bench.SCENES, version: str = "bench-v1") -> Iterator[Question]:
    """The questions of the first `scenes` scenes in the benchmark's mixed order, their pictures in memory.

    Raises BenchChangedError where the generator is not the one that the benchmark was frozen with.
    """
    bench.check_generator(version)
    number = dict[int, int]()
    for one in bench.bench_questions(version, bench.shuffled(version)[:scenes]):
        number[one.scene] = number.get(one.scene, -1) + 1
        yield bench_question(one, f"{version}-{one.scene:04d}-{number[one.scene]}", version)


def bench_question(one: BenchQuestion, sample_id: str, source: str = "bench-v1") -> Question:
    """A question of the benchmark as every other one. Raises ValueError for one that names an unknown thing, which
    the benchmark does not have."""
    written = one.sample
    images = tuple(
        SampleImage(path=f"{source}/{one.scene:04d}{end}.png", width=one.width, height=one.height)
        for end in (("",) if len(one.images) == 1 else ("-before", "-after"))
    )
    objects = [TrueBox(label="", x0=0, y0=0, x1=1, y1=1)] * (max(written.objects, default=-1) + 1)
    for row, k, label, image in zip(one.boxes, written.objects, written.labels, written.images, strict=True):
        x0, y0, x1, y1 = map(float, row)
        objects[k] = TrueBox(label=label, x0=x0, y0=y0, x1=x1, y1=y1, image=image)
    from groundproof_training.scenes import SCENE_TYPES

    sample = to_sample(
        written, images, objects, sample_id=sample_id, source=source, split="test", choices=SCENE_TYPES
    )
    if sample is None:
        raise ValueError(f"{sample_id} asks for a thing that the generator does not know")
    kind = ("present" if sample.boxes else "absent") if sample.task is Task.COUNT else str(sample.task)
    meta = {"type": kind} | ({"class": written.label} if written.label else {})
    return Question(sample.model_copy(update={"meta": meta}), _family(written), partial(_given, one.images))


@dataclass(frozen=True, slots=True)
class SceneSet:
    """Real pictures that are asked as whole scenes. reader: its name. folders: below the data folder, each read by
    itself. scale: asked px per px of the picture. held_out: only pictures that the embedded model was not trained on.
    words: class of the source -> class that is asked for; also_ignored: class -> classes whose objects are neither
    right nor wrong for it. ignore_truncated: objects that the edge cuts are neither counted nor mistakes."""

    name: str
    title: str
    reader: str
    folders: tuple[str, ...]
    scale: float
    held_out: bool = False
    words: Mapping[str, str] = field(default_factory=dict)
    also_ignored: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ignore_truncated: bool = False
    note: str = ""


SCENE_SETS: dict[str, SceneSet] = {
    one.name: one
    for one in (
        SceneSet(
            "aircraft",
            "Airbus aircraft (Pleiades, about 0.5 m)",
            "airbus-aircraft",
            ("aircraft",),
            # Airplanes of 34 to 225 px (median 91) become 17 to 112 px.
            scale=0.5,
            ignore_truncated=True,
            note="resampled by 0.5; airplanes that the edge cuts count neither way",
        ),
        SceneSet(
            "storage_tanks",
            "Airbus oil storage tanks (SPOT, about 1.2 m)",
            "airbus-tanks",
            ("storage_tanks",),
            # Tanks of 4 to 90 px (median 17).
            scale=1.0,
        ),
        SceneSet(
            "thermal_uav",
            "HIT-UAV thermal frames",
            "hit-uav",
            ("thermal_uav",),
            scale=1.0,
            held_out=True,
            words={"car": "vehicle", "other vehicle": "vehicle"},
            also_ignored={"vehicle": ("bicycle",)},
            note="frames of places that the embedded model was not trained on; cars and other vehicles are asked for "
            "as vehicles, bicycles count neither way there; nothing is counted where the source says that objects may "
            "be unlabelled",
        ),
        SceneSet(
            "dota",
            "DOTA samples",
            "dota",
            ("labels/dota", "labels/dota/split_1024"),
            # 0.26 m becomes about 0.5 m, as of the aircraft.
            scale=0.5,
            words={"small vehicle": "vehicle", "large vehicle": "vehicle"},
            note="three pictures, resampled by 0.5; small and large vehicles are asked for as vehicles; boxes are "
            "upright ones around the oriented truth",
        ),
    )
}


def scene_questions(one: SceneSet, data: Path, problems: Problems) -> Iterator[Question]:
    """A count and a detection of every class in every picture, and of some classes that are absent; both are one look
    at the picture (`scenes.SceneAsker`). Raises WrongFolderError where the data is another."""
    source: Reader = reader(one.reader)
    if not isinstance(source, ObjectReader):
        raise TypeError(f"the reader {one.reader} gives no objects")
    wanted: dict[str, object] = {
        "tasks": (Task.COUNT, Task.DETECT),
        "max_objects": 1_000_000,
        "wording": "published",
    }
    if "patch_px" in source.options.model_fields:
        wanted["patch_px"] = None  # whole pictures
    options = source.options.model_validate(wanted)
    assert isinstance(options, ObjectOptions)  # noqa: S101  (of an ObjectReader)
    for folder in one.folders:
        root = data / folder
        for split in _splits(source):
            for whole in source.images(root, split, options, problems):
                if one.held_out and not is_held_out(Path(whole.image.path).name):
                    continue
                changed = _as_asked(whole, one)
                for sample in asked_about(changed, source.card, split, options, problems):
                    yield _scene_question(sample, root)


def tree_questions(data: Path) -> Iterator[Question]:
    """How many trees are there, in pictures of places that the embedded model was not trained on, with the trees'
    positions: the truth holds points and no boxes. Raises RealDataError."""
    root = data / "trees_naip"
    for one in read_trees_naip(root):
        if not one.held_out:
            continue
        rows, columns = one.image.shape[:2]
        sample = Sample(
            sample_id=f"trees_naip-test-{one.name}-count-tree",
            source="trees_naip",
            split="test",
            licence=TREES_NAIP_LICENCE,
            task=Task.COUNT,
            images=(SampleImage(path=f"images/{one.name}.tif", width=columns, height=rows),),
            question="How many trees are there in the image?",
            answer=str(len(one.points)),
            asked=("tree",),
            complete=False,
            meta={"class": "tree"},
        )
        pictures = (one.image,)
        points = one.points.astype(np.float64)
        yield Question(sample, Family.COUNTING, partial(_given, pictures), points=points)


def _given(pictures: tuple[Picture, ...]) -> tuple[Picture, ...]:
    return pictures


def _splits(source: ObjectReader) -> tuple[Split, ...]:
    """Every split where the source has none of its own and draws them; else the first: a folder of samples is one."""
    return source.card.splits if source.card.name != "dota" else ("val",)


def _as_asked(whole: LabelledImage, one: SceneSet) -> LabelledImage:
    objects = [
        box.model_copy(
            update={
                "label": one.words.get(box.label, box.label),
                "ignore": box.ignore or (one.ignore_truncated and box.truncated),
                "quad": None,  # the engine's rows are asked for as upright boxes
            }
        )
        for box in whole.objects
    ]
    for label, others in one.also_ignored.items():
        objects += [
            box.model_copy(update={"label": label, "ignore": True})
            for box in whole.objects
            if box.label in others
        ]
    classes = tuple(dict.fromkeys(one.words.get(name, name) for name in whole.classes))
    return replace(whole, objects=tuple(objects), classes=classes)


def _scene_question(sample: Sample, root: Path) -> Question:
    counting = sample.task is Task.COUNT
    meta = {**sample.meta, "class": sample.asked[0]}
    return Question(
        sample.model_copy(update={"meta": meta}),
        Family.COUNTING if counting else Family.DETECTION,
        partial(_opened, root, sample.images),
    )


def _opened(root: Path, images: tuple[SampleImage, ...]) -> tuple[Picture, ...]:
    return tuple(np.asarray(open_shown(root, image), dtype=np.uint8) for image in images)


LARGEST_BENCH_PX = 336 * 336
"""No picture of `bench-v1` is larger; models of smaller tiles are shown it whole all the same."""


@dataclass(frozen=True, slots=True)
class LocalEntry:
    """One table of the suite. questions: of the first `limit` pictures (None: all), read from the data folder.
    needs: folders below it; empty: none. scene: how pictures are asked as whole scenes; None: each as one picture.
    max_pixels: of one picture as the model sees it, where it is asked as one."""

    name: str
    title: str
    family: Family
    questions: Callable[[Path, int | None, Problems], Iterator[Question]]
    needs: tuple[str, ...] = ()
    scene: SceneOptions | None = None
    max_pixels: int | None = None
    note: str = ""


def _bench_part(
    tasks: frozenset[Task], family: Family, data: Path, limit: int | None, problems: Problems
) -> Iterator[Question]:
    for question in _bench_kept(bench.SCENES if limit is None else limit):
        if question.sample.task in tasks and question.family is family:
            yield question


@lru_cache(maxsize=1)
def _bench_kept(scenes: int) -> tuple[Question, ...]:
    """Rendered once for all entries; 150 kB a scene."""
    return tuple(bench_samples(scenes))


def _scene_part(
    one: SceneSet, family: Family, data: Path, limit: int | None, problems: Problems
) -> Iterator[Question]:
    return _first(limit, (q for q in scene_questions(one, data, problems) if q.family is family))


def _tree_part(data: Path, limit: int | None, problems: Problems) -> Iterator[Question]:
    return _first(limit, tree_questions(data))


def _first(limit: int | None, questions: Iterator[Question]) -> Iterator[Question]:
    """Those about the first `limit` pictures."""
    seen = set[str]()
    for question in questions:
        seen.add(question.sample.images[0].path)
        if limit is not None and len(seen) > limit:
            return
        yield question


_UNTRAINED = "the embedded model was not trained on it"
_BENCH = (
    ("count", "counting", (Task.COUNT,), Family.COUNTING, "a class that is there and one that is not"),
    ("objects", "objects of a class or a phrase", (Task.DETECT, Task.GROUND), Family.DETECTION, ""),
    ("vqa", "yes or no, and comparisons", (Task.VQA,), Family.VQA, ""),
    ("classify", "kind of scene", (Task.CLASSIFY,), Family.CLASSIFICATION, ""),
    (
        "caption",
        "captions",
        (Task.CAPTION, Task.GROUNDED_CAPTION, Task.REGION_CAPTION),
        Family.CAPTIONING,
        "",
    ),
    ("change", "two dates, in words", (Task.CHANGE,), Family.VQA, _UNTRAINED),
    (
        "change-objects",
        "two dates, what is new or gone",
        (Task.CHANGE,),
        Family.DETECTION,
        _UNTRAINED,
    ),
)


def entries() -> tuple[LocalEntry, ...]:
    """All of the suite `local`, in the order of its report."""
    made = [
        LocalEntry(
            f"bench-v1-{name}",
            f"bench-v1, {title}",
            family,
            partial(_bench_part, frozenset(tasks), family),
            max_pixels=LARGEST_BENCH_PX,
            note="procedural scenes, held out" + (f"; {note}" if note else ""),
        )
        for name, title, tasks, family, note in _BENCH
    ]
    for one in SCENE_SETS.values():
        made += [
            LocalEntry(
                f"{one.name}-{name}",
                f"{one.title}, {title}",
                family,
                partial(_scene_part, one, family),
                one.folders,
                SceneOptions(scale=one.scale),
                note="; ".join(filter(None, ("whole pictures through tiles and merge", one.note))),
            )
            for name, title, family in (
                ("detect", "detection", Family.DETECTION),
                ("count", "counting", Family.COUNTING),
            )
        ]
    made.append(
        LocalEntry(
            "trees_naip-count",
            "Urban trees (NAIP, 0.6 m), counting",
            Family.COUNTING,
            _tree_part,
            ("trees_naip",),
            SceneOptions(),
            note="whole pictures through tiles and merge; places that the embedded model was not trained on; the truth "
            "is points, so a box finds a tree whose point it holds",
        )
    )
    return tuple(made)


def refuse_checkout(out: Path) -> None:
    """Raises TrainingError for a folder inside this project's checkout: the report shows imagery that may be used for
    tests only, and must not get into the project's history."""
    for parent in (out.resolve(), *out.resolve().parents):
        project = parent / "pyproject.toml"
        if (
            (parent / ".git").exists()
            and project.is_file()
            and 'name = "groundproof"' in project.read_text(encoding="utf-8")
        ):
            raise TrainingError(
                f"{out} lies inside the checkout {parent}, and the report of the suite local shows test imagery that "
                "must stay out of it. Name a folder elsewhere."
            )

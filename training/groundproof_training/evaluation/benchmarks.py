"""One benchmark as the runner sees it: how its questions are read, and how a model is asked them.

Knows entries of suites and of the local sets. Refuses to know scores.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from groundproof.labels import plural
from groundproof.models.profile import PLACEHOLDER
from groundproof.protocol import Task
from groundproof_training.errors import TrainingError
from groundproof_training.evaluation import local
from groundproof_training.evaluation.answers import Answers
from groundproof_training.evaluation.asking import Account, Asked, AskSettings, Model, Say, ask
from groundproof_training.evaluation.baselines import Baseline
from groundproof_training.evaluation.cases import Case, Family
from groundproof_training.evaluation.questions import Picture, Question
from groundproof_training.evaluation.results import Published
from groundproof_training.evaluation.scenes import SceneOptions, ask_scenes, scene_case
from groundproof_training.evaluation.suites import EntryConfig, SourceConfig, load_suite
from groundproof_training.readers.archives import unpacked
from groundproof_training.readers.base import Problems, WrongFolderError, open_shown
from groundproof_training.readers.objects import share_of
from groundproof_training.readers.registry import reader
from groundproof_training.samples import Sample, SampleImage, Split, TrueBox
from groundproof_training.samples.types import MARKER

Prompt = Literal["engine", "published"]
SPLITS_TRIED: tuple[Split, ...] = ("test", "val", "train")
BENCH = "bench-v1"
LOCAL = ("local", BENCH)
"""Suites that are made by `local`, beside those of `suites`."""


class NoDataError(TrainingError):
    """An entry's data is not below --data; the sentence says what was expected."""


@dataclass(frozen=True, slots=True)
class Read:
    """An entry's questions. facts: which folder, reader and options they come from."""

    questions: list[Question]
    problems: Problems
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Benchmark:
    """read: at most `limit` questions (None: all) below a folder, in a fixed order. scene: pictures are asked whole,
    through tiles and merge; None: each as one picture. max_pixels: of one picture as the model sees it."""

    name: str
    title: str
    family: Family
    read: Callable[[Path, int | None], Read]
    scene: SceneOptions | None = None
    max_pixels: int | None = None
    published: tuple[Published, ...] = ()
    published_samples: str = ""
    facts: dict[str, Any] = field(default_factory=dict)

    def answer(
        self,
        questions: list[Question],
        model: Model,
        answers: Answers,
        settings: AskSettings,
        say: Say,
        account: Account,
        problems: Problems,
    ) -> list[Case]:
        """A case for every question. A baseline is not shown tiles: it says the same of the whole picture."""
        if self.max_pixels is not None and settings.max_pixels is None:
            settings = settings.model_copy(update={"max_pixels": self.max_pixels})
        if self.scene is None or isinstance(model, Baseline):
            done = ask(questions, model, answers, settings, say, account)
            for one in done:
                _note(one, model, problems)
            return [one.case(model.profile) for one in done]
        cases = []
        for question, answer in zip(
            questions, ask_scenes(questions, model, answers, self.scene, say, account), strict=True
        ):
            if answer.error:
                problems.add("model error", f"{model.identity}, {question.case_id}", answer.error)
            elif answer.failed_tiles:
                problems.add(
                    "failed tiles",
                    f"{model.identity}, {question.case_id}",
                    f"{answer.failed_tiles} of {answer.tiles}",
                )
            cases.append(scene_case(question, answer, model.profile))
        return cases


def benchmarks(suite: str, prompt: Prompt = "engine") -> list[Benchmark]:
    """Those of a suite: a name of `suites`, "all", "local", "bench-v1", or a TOML file. Raises TrainingError."""
    if suite in LOCAL:
        return [_of_local(one) for one in local.entries() if suite == "local" or one.name.startswith(suite)]
    return [_of_suite(one, prompt) for one in load_suite(suite).entry]


def _of_local(one: local.LocalEntry) -> Benchmark:
    def read(data: Path, limit: int | None) -> Read:
        missing = [name for name in one.needs if not (data / name).is_dir()]
        if missing:
            raise NoDataError(f"{' and '.join(missing)} is not in {data}")
        problems = Problems()
        questions = list(one.questions(data, limit, problems))
        if not questions and not one.needs and limit is not None:
            raise NoDataError(
                f"none of the first {limit:,} scenes gives such a question (--limit {limit}); a larger --limit, or "
                "none, does"
            )
        return Read(questions, problems, {"folders": list(one.needs)})

    facts = {"note": one.note, "scene": one.scene.model_dump() if one.scene else None}
    return Benchmark(one.name, one.title, one.family, read, one.scene, one.max_pixels, facts=facts)


def _of_suite(entry: EntryConfig, prompt: Prompt) -> Benchmark:
    kept = {
        "note": entry.note,
        "verified": entry.verified,
        "listed_again": entry.listed_again,
        "prompt": prompt if entry.published_prompt or prompt == "engine" else "engine: none is published",
        "published_prompt": entry.published_prompt,
    }
    return Benchmark(
        entry.name,
        entry.title,
        entry.family,
        partial(_read_entry, entry, prompt),
        published=tuple(one.row for one in entry.published),
        published_samples=entry.published_samples,
        facts={name: value for name, value in kept.items() if value},
    )


def _read_entry(entry: EntryConfig, prompt: Prompt, data: Path, limit: int | None) -> Read:
    refused = []
    for source in entry.source:
        for root in _folders(data, source):
            problems = Problems()
            try:
                split, samples = _samples(unpacked(root), source, problems)
            except WrongFolderError as err:
                refused.append(str(err))
                continue
            chosen = _drawn(_kept(samples, source, problems), limit)
            if not chosen:
                left_out = "\n  ".join(problems.lines())
                refused.append(f"{root} gives no sample for it.\n  {left_out}".rstrip())
                continue
            text = (source.published_prompt or entry.published_prompt) if prompt == "published" else ""
            questions = [_question(sample, unpacked(root), entry.family, text) for sample in chosen]
            facts = {
                "reader": source.reader, "folder": root.name, "split": split, "tasks": list(map(str, source.tasks)),
                "options": source.reader_options.model_dump(mode="json"),
                "licence": reader(source.reader).card.licence,
            }  # fmt: skip
            return Read(questions, problems, facts)
    raise NoDataError("\n".join(refused) if refused else _expected(entry, data))


def _folders(data: Path, source: SourceConfig) -> list[Path]:
    """Folders (or archives) below data that have one of the names, whatever their case and signs."""
    there: dict[str, Path] = {}
    for path in sorted(data.iterdir()) if data.is_dir() else []:
        there.setdefault(_letters(path.stem if path.is_file() else path.name), path)
    found = [data if name == "." else there.get(_letters(name)) for name in source.folders]
    return list(dict.fromkeys(path for path in found if path is not None))


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9.]", "", name.casefold())


def _expected(entry: EntryConfig, data: Path) -> str:
    said = []
    for source in entry.source:
        card = reader(source.reader).card
        layout = "\n".join(f"    {line}" for line in card.layout)
        set_so = ", ".join(f"{name} = {value}" for name, value in source.options.items())
        said.append(
            f"{card.title}, in a folder {' or '.join(source.folders)}, with\n{layout}"
            + (f"\n    read with {set_so}" if set_so else "")
            + f"\n  (from {card.source})"
        )
    there = ", ".join(sorted(path.name for path in data.iterdir())[:12]) if data.is_dir() else ""
    return f"no folder of it is in {data} (there: {there or 'nothing'}). Expected:\n  " + "\n  or ".join(said)


def _samples(root: Path, source: SourceConfig, problems: Problems) -> tuple[Split, Iterable[Sample]]:
    """The first split that the reader finds. Raises WrongFolderError."""
    one = reader(source.reader)
    splits = SPLITS_TRIED if source.split == "any" else (source.split,)
    refused: WrongFolderError | None = None
    for split in (s for s in splits if s in one.card.splits):
        try:
            samples = iter(one.read(root, split, source.reader_options, problems))
            first = next(samples, None)
        except WrongFolderError as err:
            refused = refused or err
            continue
        if first is not None:
            return split, _chained(first, samples)
    if refused is not None:
        raise refused
    return splits[0], ()


def _chained(first: Sample, rest: Iterator[Sample]) -> Iterator[Sample]:
    yield first
    yield from rest


def _kept(samples: Iterable[Sample], source: SourceConfig, problems: Problems) -> Iterator[Sample]:
    seen = set[str]()
    for sample in samples:
        if source.tasks and sample.task not in source.tasks:
            continue
        if source.types and sample.meta.get("type") not in source.types:
            continue
        if sample.sample_id in seen:
            problems.add("duplicate id", sample.sample_id, "a sample of this id came before")
            continue
        seen.add(sample.sample_id)
        yield _as_asked(sample, source)


def _as_asked(sample: Sample, source: SourceConfig) -> Sample:
    if source.as_task is None:
        return sample
    changes: dict[str, Any] = {"task": source.as_task}
    if source.choices:
        changes["choices"] = source.choices
    if source.as_task in (Task.CLASSIFY, Task.VQA):
        said = sample.captions or sample.answers or (sample.answer,)
        changes |= {"answer": said[0], "answers": said, "captions": ()}
    return sample.model_copy(update=changes)


def _drawn(samples: Iterable[Sample], limit: int | None) -> list[Sample]:
    """All, or those whose ids' hashes are the smallest: the same whenever they are read, a smaller draw inside every
    larger one. In the order of the source."""
    if limit is None:
        return list(samples)
    ranked = ((share_of(sample.sample_id, "drawn"), n, sample) for n, sample in enumerate(samples))
    chosen = heapq.nsmallest(limit, ranked, key=lambda one: one[:2])
    return [sample for _, _, sample in sorted(chosen, key=lambda one: one[1])]


def _question(sample: Sample, root: Path, family: Family, text: str) -> Question:
    return Question(
        sample, family, partial(_opened, root, sample.images), published_text(text, sample) if text else None
    )


def _opened(root: Path, images: tuple[SampleImage, ...]) -> tuple[Picture, ...]:
    return tuple(np.asarray(open_shown(root, image), dtype=np.uint8) for image in images)


def published_text(template: str, sample: Sample) -> str:
    """A published user text filled in. Regions are written as EarthDial writes them, whatever the model's own frame:
    that is what was published."""
    question = MARKER.sub(lambda m: _percent(sample.regions[int(m[2])], sample), sample.question)
    phrase = sample.boxes[0].phrase if sample.boxes else ""
    values = {
        "question": question,
        "referred": question.replace(phrase, f"<ref>{phrase}</ref>", 1) if phrase else question,
        "objects": " and ".join(plural(name) for name in sample.asked) or question,
        "labels": ", ".join(sample.choices),
    }
    return PLACEHOLDER.sub(lambda m: values.get(m[1], m[0]), template)


def _percent(box: TrueBox, sample: Sample) -> str:
    """`<box>[[x0, y0, x1, y1, angle]]</box>`: whole percents of the upright box before it is turned, degrees clockwise
    on screen."""
    left, top, *_ = sample.images[box.image].shown
    width, height = sample.images[box.image].shown_size
    x0, y0, x1, y1, angle = *box.xyxy, 0.0
    if box.quad is not None:
        corners = np.array(box.quad, dtype=np.float64).reshape(4, 2)
        along, across = corners[1] - corners[0], corners[3] - corners[0]
        half = np.array([np.linalg.norm(along), np.linalg.norm(across)]) / 2
        (x0, y0), (x1, y1) = corners.mean(axis=0) - half, corners.mean(axis=0) + half
        angle = float(np.degrees(np.arctan2(along[1], along[0]))) % 180
    numbers = (
        (x0 - left) / width * 100,
        (y0 - top) / height * 100,
        (x1 - left) / width * 100,
        (y1 - top) / height * 100,
        angle,
    )
    return f"<box>[[{', '.join(str(round(float(v))) for v in numbers)}]]</box>"


def _note(one: Asked, model: Model, problems: Problems) -> None:
    where = f"{model.identity}, {one.question.case_id}"
    if one.finish == "error":
        problems.add("model error", where, one.error or "no text")
    elif one.finish == "length":
        problems.add(
            "cut answer",
            where,
            "it reached the most tokens it may have; it is read as far as it goes",
        )
    tasks = model.profile.tasks
    if tasks is not None and one.question.sample.task not in tasks:
        problems.add(
            "untrained task", where, f"{model.profile.name} was not trained on {one.question.sample.task}"
        )

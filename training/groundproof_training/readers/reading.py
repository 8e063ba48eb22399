"""A dataset read into a file of samples, with what was left out: the work behind `groundproof-train samples`.

Knows readers, options as texts, and the formats of files. Refuses to know any dataset.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import ValidationError

from groundproof.errors import GroundproofError
from groundproof.models.profile import Profile
from groundproof.models.profiles import get_profile
from groundproof.protocol import Task
from groundproof.version import __version__
from groundproof_training.errors import TrainingError
from groundproof_training.progress import Progress
from groundproof_training.readers.archives import unpacked
from groundproof_training.readers.base import Options, Problems, Reader
from groundproof_training.readers.registry import reader
from groundproof_training.samples import Form, Sample, Split, seen_size
from groundproof_training.samples.cropping import Cropper
from groundproof_training.samples.llamafactory import to_messages, write_messages
from groundproof_training.samples.pictures import Pictures
from groundproof_training.samples.storage import write_jsonl, write_parquet
from groundproof_training.samples.trl import to_row, write_rows

SPLITS: tuple[Split, ...] = ("train", "val", "test")
FORMATS = ("jsonl", "parquet", "llamafactory", "trl")
PROGRESS_S = 5.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What `samples` was told. settings: texts `option=value`. form: a `Form` or "auto". limit: of each split.
    pictures: a folder for the shown part of every image, which then is the samples' root; None: images stay where
    they are."""

    reader: str
    folder: Path
    out: Path
    splits: tuple[str, ...] = ("train",)
    tasks: tuple[str, ...] = ()
    limit: int | None = None
    pictures: Path | None = None
    settings: tuple[str, ...] = ()
    format: str = "jsonl"
    profile: str = "rsthinker"
    form: str = "auto"
    min_pixels: int = 3_136
    max_pixels: int = 1_003_520


@dataclass(slots=True)
class _Tally:
    tasks: Counter[str] = field(default_factory=Counter)
    boxes: int = 0
    images: set[str] = field(default_factory=set)

    def add(self, sample: Sample) -> None:
        self.tasks[str(sample.task)] += 1
        self.boxes += len(sample.counted)
        self.images |= {f"{image.path} {image.window}" for image in sample.images}


def write(wanted: Wanted, report: Callable[[str], None] = lambda line: None) -> list[str]:
    """Write the file and, beside it, OUT.provenance.json; returns the summary, line by line.

    Raises TrainingError for anything a person can put right: an unknown reader, option, split or task, a wrong
    folder, a target that cannot be written.
    """
    one = reader(wanted.reader)
    splits, tasks = _splits(one, wanted.splits), _tasks(one, wanted.tasks)
    options = parse_settings(one, wanted.settings, tasks)
    root = unpacked(wanted.folder)
    problems, tally = Problems(), _Tally()

    cropper = None if wanted.pictures is None else Cropper(root, wanted.pictures)

    def stream() -> Iterator[Sample]:
        progress, seen = Progress(report, "samples", every_s=PROGRESS_S), set[str]()
        for split in splits:
            found = _told(root, one.read(root, split, options, problems))
            for sample in islice((s for s in found if not tasks or s.task in tasks), wanted.limit):
                if sample.sample_id in seen:
                    problems.add("duplicate id", sample.sample_id, "a sample of this id came before")
                    continue
                seen.add(sample.sample_id)
                made = _cut(cropper, sample, problems)
                if made is None:
                    continue
                sample = made
                tally.add(sample)
                progress.step()
                yield sample
        if not seen:
            raise TrainingError(_nothing(wanted, problems))

    try:
        written = _write(wanted, wanted.pictures or root, options, stream(), problems)
        _provenance(wanted, one, options, written, tally, problems)
    except OSError as err:
        kept = "the same command goes on" if wanted.format == "jsonl" else "nothing was left behind"
        raise TrainingError(f"{wanted.out} cannot be written: {err}; {kept}.") from err
    return _summary(wanted, one, written, tally, problems)


def _cut(cropper: Cropper | None, sample: Sample, problems: Problems) -> Sample | None:
    if cropper is None:
        return sample
    try:
        return cropper.cropped(sample)
    except ValueError as err:
        problems.add("box outside", sample.sample_id, str(err).splitlines()[0])
        return None


def _told(root: Path, samples: Iterator[Sample]) -> Iterator[Sample]:
    """The same samples; what the disk refuses in between is told as a failure to read, not to write."""
    try:
        yield from samples
    except (OSError, UnicodeDecodeError) as err:
        raise TrainingError(f"{root} could not be worked through to its end: {err}") from err


def _write(
    wanted: Wanted, root: Path, options: Options, samples: Iterator[Sample], problems: Problems
) -> int:
    if wanted.format not in FORMATS:
        raise TrainingError(f"there is no format {wanted.format!r}; there is {', '.join(FORMATS)}")
    if wanted.format == "jsonl":
        identity = f"{asdict(wanted)}\n{options.model_dump_json()}\n{__version__}"
        return write_jsonl(wanted.out, samples, identity=identity)
    if wanted.format == "parquet":
        return write_parquet(wanted.out, samples)
    try:
        profile = get_profile(wanted.profile)
    except GroundproofError as err:
        raise TrainingError(str(err)) from err
    rows = _rows(wanted, profile, Pictures(root, wanted.out), samples, problems)
    return (write_messages if wanted.format == "llamafactory" else write_rows)(wanted.out, rows)


def _rows(
    wanted: Wanted, profile: Profile, pictures: Pictures, samples: Iterator[Sample], problems: Problems
) -> Iterator[dict[str, Any]]:
    make = to_messages if wanted.format == "llamafactory" else to_row
    for sample in samples:
        form = Form(wanted.form) if wanted.form != "auto" else (
            Form.ANSWER if sample.rationale is None else Form.GEO_COT
        )  # fmt: skip
        seen = tuple(
            seen_size(image.shown_size, profile, wanted.min_pixels, wanted.max_pixels)
            for image in sample.images
        )
        try:
            row = make(sample, profile, seen, form, [pictures.path_of(image) for image in sample.images])
        except ValueError as err:
            problems.add("not writable", sample.sample_id, str(err))
            continue
        yield row


def parse_settings(one: Reader, settings: tuple[str, ...], tasks: tuple[Task, ...] = ()) -> Options:
    """`option=value` texts as the reader's options. Lists are divided by commas; null is None.

    tasks: what will be kept, so that a reader that can choose makes nothing else. Raises TrainingError.
    """
    given: dict[str, Any] = {}
    for text in settings:
        key, sep, value = text.partition("=")
        key = key.strip().replace("-", "_")
        if not sep:
            raise TrainingError(f"--set takes option=value, got {text!r}")
        if key not in one.options.model_fields:
            known = ", ".join(one.options.model_fields)
            raise TrainingError(f"the reader {one.card.name} has no option {key!r}; it has {known}")
        given[key] = _value(one.options.model_fields[key].annotation, value.strip())
    if tasks and "tasks" in one.options.model_fields and "tasks" not in given:
        given["tasks"] = tasks
    try:
        return one.options.model_validate(given)
    except ValidationError as err:
        first = err.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise TrainingError(f"the option {key} = {first['input']!r}: {first['msg']}") from err


def _value(annotation: Any, text: str) -> Any:
    kinds = (annotation, *get_args(annotation))
    if any(get_origin(kind) in (tuple, list, frozenset, set) for kind in kinds) and not text.startswith("["):
        return [part.strip() for part in text.split(",") if part.strip()]
    if str in kinds or any(isinstance(choice, str) for choice in get_args(annotation)):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _splits(one: Reader, names: tuple[str, ...]) -> list[Split]:
    unknown = [name for name in names if name not in one.card.splits]
    if unknown:
        raise TrainingError(
            f"{one.card.title} has no split {unknown[0]!r}; it has {', '.join(one.card.splits)}"
        )
    return [split for split in SPLITS if split in names]


def _tasks(one: Reader, names: tuple[str, ...]) -> tuple[Task, ...]:
    known = [str(task) for task in Task]
    for name in names:
        if name not in known:
            raise TrainingError(f"there is no task {name!r}; there is {', '.join(known)}")
        if Task(name) not in one.card.tasks:
            raise TrainingError(
                f"{one.card.title} gives no {name}; it gives {', '.join(map(str, one.card.tasks))}"
            )
    return tuple(Task(name) for name in names)


def _provenance(
    wanted: Wanted, one: Reader, options: Options, written: int, tally: _Tally, problems: Problems
) -> None:
    document = {
        "made_by": f"groundproof-train samples {__version__}",
        "reader": one.card.name,
        "title": one.card.title,
        "source": one.card.source,
        "licence": one.card.licence,
        "root": str(wanted.pictures or wanted.folder),
        "read_from": str(wanted.folder),
        "splits": list(wanted.splits),
        "tasks": list(wanted.tasks),
        "limit": wanted.limit,
        "format": wanted.format,
        "profile": wanted.profile if wanted.format in ("llamafactory", "trl") else None,
        "options": options.model_dump(mode="json"),
        "samples": written,
        "by_task": dict(tally.tasks),
        "boxes": tally.boxes,
        "images": len(tally.images),
        "problems": dict(problems.counts),
        "examples": dict(problems.examples),
    }
    path = wanted.out.with_name(f"{wanted.out.name}.provenance.json")
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _summary(wanted: Wanted, one: Reader, written: int, tally: _Tally, problems: Problems) -> list[str]:
    tasks = ", ".join(f"{number:,} {task}" for task, number in tally.tasks.most_common())
    lines = [f"{written:,} samples of {one.card.title} ({tasks or 'none'})"]
    lines.append(
        f"{len(tally.images):,} images or windows, {tally.boxes:,} boxes; licence: {one.card.licence}"
    )
    if problems.counts:
        lines += ["left out or mended:", *(f"  {line}" for line in problems.lines())]
    return lines


def _nothing(wanted: Wanted, problems: Problems) -> str:
    asked = [*wanted.splits, *wanted.tasks, *wanted.settings]
    lines = [f"{wanted.folder} gives no sample for {', '.join(asked)}; {wanted.out} was not written."]
    if problems.counts:
        lines += ["left out:", *(f"  {line}" for line in problems.lines())]
    if problems.counts["no image"]:
        lines.append("To read labels without their images: --set need_images=false")
    return "\n".join(lines)

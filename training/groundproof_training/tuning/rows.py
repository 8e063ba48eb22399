"""A file of samples as rows to train on: what fits is kept by its place in the file, what does not is named.

Knows JSON lines, prompts, completions and token counts. Reads samples again when they are needed, so that memory does
not grow with the file. Refuses to open images and to know trainers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from groundproof.errors import GroundproofError
from groundproof.models.profile import Profile
from groundproof.protocol import Prompt, Task
from groundproof_training.errors import TrainingError
from groundproof_training.samples import Form, Sample, completion_of, prompt_of, seen_size
from groundproof_training.tuning.checkpoint import Checkpoint
from groundproof_training.tuning.configuration import DataConfig
from groundproof_training.tuning.left_out import LeftOut

Say = Callable[[str], None]
Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Row:
    """A sample as the model is shown it. seen: width and height of each image, px. completion: None for GRPO."""

    sample: Sample
    prompt: Prompt
    completion: str | None
    seen: tuple[Size, ...]


def make_row(sample: Sample, profile: Profile, data: DataConfig, form: Form | None) -> Row:
    """form: None makes no completion. Raises ValueError where the sample cannot be written so."""
    seen = tuple(
        seen_size(image.shown_size, profile, data.min_pixels, data.max_pixels) for image in sample.images
    )
    completion = None if form is None else completion_of(sample, profile, seen, form)
    return Row(sample, prompt_of(sample, profile, seen), completion, seen)


class Encoder:
    """Token counts and ids of rows for one checkpoint."""

    def __init__(self, point: Checkpoint) -> None:
        self._processing = point.processing
        self._backend = point.tokenizer.backend_tokenizer
        self._end = point.end_id
        self._cell = point.profile.patch_merge_px**2
        self._control = point.processing.prompts.control_ids

    def completion(self, text: str) -> list[int]:
        """Ids with the end token, without what the prompt already opens. Raises ValueError on control tokens."""
        ids = self._backend.encode(text.removeprefix(self._processing.opening), add_special_tokens=False).ids
        if self._control.intersection(ids):
            raise ValueError("its text holds control tokens of the model")
        return [*ids, self._end]

    def image_tokens(self, row: Row) -> int:
        """Of all images of a row."""
        return sum(width * height // self._cell for width, height in row.seen)

    def tokens(self, row: Row) -> tuple[int, int]:
        """Tokens of the prompt with its images, and of the completion (0 without one)."""
        images = len(row.seen)
        prompt = len(self._processing.prompts.ids(row.prompt.system, row.prompt.text, images)) - images
        completion = 0 if row.completion is None else len(self.completion(row.completion))
        return prompt + self.image_tokens(row), completion


@dataclass(frozen=True, slots=True)
class Lengths:
    """Tokens of the kept rows, one number a row."""

    prompt: np.ndarray
    completion: np.ndarray
    images: np.ndarray


class Rows:
    """The usable samples of one JSONL file, in its order. `form` None: without completions, for GRPO.

    Making it reads the file once, leaves out what cannot be trained on (`left_out` says what and why) and keeps the
    places of the rest. Raises TrainingError when nothing is left.
    """

    def __init__(
        self,
        path: Path,
        root: Path,
        point: Checkpoint,
        data: DataConfig,
        form: Form | None,
        left_out: LeftOut,
        room: int = 0,
        limit: int | None = None,
        say: Say = lambda line: None,
    ) -> None:
        """room: tokens that must stay free for an answer. limit: rows kept at most."""
        check_file(path)
        self.path, self.root, self.left_out = path, root, left_out
        self._profile, self._data, self._form = point.profile, data, form
        self._encoder = Encoder(point)
        offsets, lengths, self.tasks = [], [], []
        seen_ids: set[str] = set()
        for offset, line in _lines(path):
            where = f"{path.name} byte {offset}"
            try:
                row = self._parse(line)
                where = row.sample.sample_id
                lengths.append((*self._check(row, room, seen_ids), self._encoder.image_tokens(row)))
            except _NotUsableError as err:
                left_out.add(err.kind, where, str(err))
                continue
            offsets.append(offset)
            self.tasks.append(row.sample.task)
            if len(offsets) % 20_000 == 0:
                say(f"{len(offsets)} samples read")
            if limit is not None and len(offsets) >= limit:
                break
        if not offsets:
            reasons = "; ".join(left_out.problems.lines()[:4]) or "the file is empty"
            raise TrainingError(f"no sample of {path} can be trained on: {reasons}")
        self._offsets = np.array(offsets, dtype=np.int64)
        prompt, completion, images = np.array(lengths, dtype=np.int64).T
        self.lengths = Lengths(prompt, completion, images)

    def __len__(self) -> int:
        return len(self._offsets)

    def __getitem__(self, index: int) -> Row:
        with self.path.open("rb") as file:
            file.seek(int(self._offsets[index]))
            return self._parse(file.readline())

    def _parse(self, line: bytes) -> Row:
        try:
            sample = Sample.model_validate_json(line)
        except ValidationError as err:
            fault = err.errors()[0]
            place = ".".join(str(part) for part in fault["loc"])
            raise _NotUsableError("broken line", f"{place}: {fault['msg']}") from err
        if self._form not in (None, Form.ANSWER) and sample.rationale is None:
            raise _NotUsableError(
                "no rationale",
                f"the form {self._form} needs one: `groundproof-train rationales` writes them",
            )
        try:
            return make_row(sample, self._profile, self._data, self._form)
        except (ValueError, GroundproofError) as err:
            raise _NotUsableError("cannot be written", str(err)) from err

    def _check(self, row: Row, room: int, seen_ids: set[str]) -> tuple[int, int]:
        key = f"{row.sample.source}:{row.sample.sample_id}"
        if key in seen_ids:
            raise _NotUsableError("duplicate id", "a sample of this source and id came before")
        try:
            prompt, completion = self._encoder.tokens(row)
        except (ValueError, GroundproofError) as err:
            raise _NotUsableError("cannot be written", str(err)) from err
        if prompt + completion + room > self._data.max_tokens:
            free = f" and {room} kept free for the answer" if room else ""
            raise _NotUsableError(
                "too long", f"{prompt + completion} tokens{free}; allowed are {self._data.max_tokens}"
            )
        for image in row.sample.images:
            if not (self.root / image.path).is_file():
                raise _NotUsableError("no image", f"{image.path} is not below {self.root}")
        seen_ids.add(key)
        return prompt, completion

    def of_tasks(self, order: Iterable[Task]) -> Iterator[tuple[Task, list[int]]]:
        """Indices by task, in the order asked for."""
        for task in order:
            yield task, [index for index, found in enumerate(self.tasks) if found == task]


class _NotUsableError(ValueError):
    def __init__(self, kind: str, why: str) -> None:
        super().__init__(why)
        self.kind = kind


def check_file(path: Path) -> None:
    """Raises TrainingError where there are no samples to read."""
    if not path.is_file():
        raise TrainingError(f"the samples {path} are not there; make them with groundproof-train samples")
    if path.suffix == ".parquet":
        raise TrainingError(f"{path} is Parquet; training reads JSON lines (--format jsonl writes them)")


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as file:
        offset = 0
        for line in file:
            if line.strip():
                yield offset, line
            offset += len(line)

"""Questions about whole pictures, asked as a user asks them: through tiles, merge and audit of the engine.

What is said is what the engine's answer counts: the evidence rows that are what was asked for, after the merge, and the
answer's number. A model of small tiles and one of large ones get the same question about the same picture. Knows the
engine's session and the file of answers; refuses to know data sets, truth and figures.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import rasterio
from pydantic import BaseModel, ConfigDict, Field
from rasterio.errors import NotGeoreferencedWarning

from groundproof.counting import answers_to, counted
from groundproof.errors import GroundproofError
from groundproof.labels import normalise
from groundproof.listening import Plan, Silent
from groundproof.models.base import VisionLanguageModel
from groundproof.protocol import PROMPT_VERSION
from groundproof.session import AskOptions, Session
from groundproof.tables import FAILED, TileStatus
from groundproof.version import __version__
from groundproof_training.errors import TrainingError
from groundproof_training.evaluation.questions import Picture, Question
from groundproof_training.metrics.boxes import as_boxes
from groundproof_training.readers.questions import nouns

Say = Callable[[str], None]

SAY_S = 10.0
"""Seconds between two lines of progress."""


class SceneOptions(BaseModel):
    """How a picture is asked. scale: asked px per px of the picture: a picture without a CRS has no ground sampling
    distance that the engine could resample to, so it is resampled before (cv2.INTER_AREA) and the boxes are scaled
    back. tile_px, overlap_px: None for the model's own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scale: float = Field(1.0, gt=0, le=4)
    tile_px: int | None = None
    overlap_px: int | None = None
    second_look: bool = False


@dataclass(frozen=True, slots=True)
class SceneAnswer:
    """What the engine answered. boxes: the counted rows that are what was asked for, x0 y0 x1 y1, px of the shown part
    of the picture. count: the answer's own number, None where it gives none. text: the answer as a sentence. error:
    why there is none; it is not kept, so that the question is asked again."""

    boxes: tuple[tuple[float, ...], ...] = ()
    count: int | None = None
    text: str = ""
    tiles: int = 0
    empty_tiles: int = 0
    failed_tiles: int = 0
    seconds: float = 0.0
    error: str = ""


def scene_question(question: Question) -> str:
    """One wording for every set, so that detection and counting are one look at the picture."""
    return f"How many {nouns(_asked(question))[1]} are there?"


def _asked(question: Question) -> str:
    if len(question.sample.asked) != 1 or len(question.sample.images) != 1:
        raise TrainingError(
            f"{question.case_id} asks for {len(question.sample.asked)} classes in {len(question.sample.images)} "
            "pictures; a whole scene is asked for one class in one picture."
        )
    return question.sample.asked[0]


class SceneAsker:
    """Asks one model about whole pictures; a finished one is never asked again.

    log: file of answers, one JSON object a line, appended and synced after every picture; None keeps them in memory.
    An answer counts for the same weights, profile, engine, prompt, settings, picture and question only.
    """

    def __init__(
        self,
        model: VisionLanguageModel,
        log: Path | None = None,
        options: SceneOptions | None = None,
        report: Say = lambda line: None,
    ) -> None:
        self._model, self._log, self._report = model, log, report
        self._options = options or SceneOptions()
        self._kept = {} if log is None else _read(log)
        self.asked = 0
        """How many pictures were really asked."""

    def key(self, question: Question) -> str:
        """What decides the answer, as a hash; the same for detection and counting."""
        image = question.sample.images[0]
        parts = {
            "model": self._model.identity,
            "profile": self._model.profile.model_dump(mode="json"),
            "engine": f"{__version__}, prompt {PROMPT_VERSION}",
            "options": self._options.model_dump(),
            "picture": [image.path, image.sha256, image.shown],
            "question": scene_question(question),
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:24]

    def answers(self, questions: Sequence[Question]) -> list[SceneAnswer]:
        """One for each question, in their order. Raises TrainingError where the file of answers cannot be written."""
        keys = [self.key(question) for question in questions]
        todo = {key: question for key, question in zip(keys, questions, strict=True) if key not in self._kept}
        progress = _Progress(self._report, len(todo))
        failed: dict[str, SceneAnswer] = {}
        for key, question in todo.items():
            answer = ask_scene(self._model, question, self._options, progress)
            self.asked += 1
            if answer.error:
                failed[key] = answer
            else:
                self._keep(key, question, answer)
            progress.picture_done()
        return [self._kept.get(key) or failed[key] for key in keys]

    def _keep(self, key: str, question: Question, answer: SceneAnswer) -> None:
        self._kept[key] = answer
        if self._log is None:
            return
        row = {
            "key": key,
            "model": self._model.identity,
            "picture": question.sample.images[0].path,
            "question": scene_question(question),
            **asdict(answer),
        }
        try:
            self._log.parent.mkdir(parents=True, exist_ok=True)
            with self._log.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as err:
            raise TrainingError(
                f"{self._log} cannot be written: {err}; make room or name another folder."
            ) from err


def _read(log: Path) -> dict[str, SceneAnswer]:
    """Answers by key. The last line may be torn by an interruption: that picture is asked again."""
    if not log.is_file():
        return {}
    kept: dict[str, SceneAnswer] = {}
    content = log.read_text(encoding="utf-8")
    lines = content.split("\n")
    if lines[-1]:  # no line break behind it: what follows must not be written into the same line
        with log.open("w", encoding="utf-8") as file:
            file.write("".join(f"{line}\n" for line in lines[:-1]))
    for number, line in enumerate(lines[:-1], start=1):
        try:
            row = json.loads(line)
            key = row.pop("key")
            fields = {name: row[name] for name in SceneAnswer.__slots__}
            boxes = tuple(tuple(float(v) for v in box) for box in fields.pop("boxes"))
        except (ValueError, KeyError, TypeError, AttributeError) as err:
            raise TrainingError(
                f"{log}, line {number} is no answer ({err!r}); delete that line to ask its picture again."
            ) from err
        kept[key] = SceneAnswer(boxes=boxes, **fields)
    return kept


def ask_scene(
    model: VisionLanguageModel, question: Question, options: SceneOptions, progress: _Progress | None = None
) -> SceneAnswer:
    """One picture through the engine. A picture that cannot be read or asked gives an answer with `error`."""
    asked = _asked(question)
    progress = progress or _Progress(lambda line: None, 1)
    with tempfile.TemporaryDirectory(prefix="groundproof-") as scratch:
        started = time.monotonic()
        try:
            (picture,) = question.pictures()
            path, factor = _written(picture, options.scale, Path(scratch) / "scene.tif")
            wanted = AskOptions(
                scenes=(str(path),),
                question=scene_question(question),
                task="count",
                model=model.profile.name,
                pixel_space=True,
                tile_px=options.tile_px,
                overlap_px=options.overlap_px,
                second_look=options.second_look,
            )
            with Session(wanted, progress, model=model) as session:
                _, result = session.run(Path(scratch) / "scene.run")
        except (GroundproofError, OSError) as err:
            return SceneAnswer(error=f"{type(err).__name__}: {err}", seconds=time.monotonic() - started)
        seconds = time.monotonic() - started
    evidence = result.evidence
    label = normalise(asked) or asked
    evidence = evidence[counted(evidence) & answers_to(evidence, (label,))]
    boxes = as_boxes(list(evidence.box_px)) / np.tile(factor, 2)
    value = result.answers.value.iloc[0] if len(result.answers) else None
    tiles = len(result.tiles)
    if tiles and progress.failed >= tiles:
        return SceneAnswer(
            error=f"all {tiles} tiles failed", tiles=tiles, failed_tiles=tiles, seconds=seconds
        )
    return SceneAnswer(
        boxes=tuple(tuple(box) for box in boxes.round(2).tolist()),
        count=int(value) if isinstance(value, int | float | np.number) and not _is_nan(value) else None,
        text="\n".join(map(str, result.answers.answer)),
        tiles=tiles,
        empty_tiles=progress.empty,
        failed_tiles=progress.failed,
        seconds=round(seconds, 1),
    )


def _is_nan(value: Any) -> bool:
    return bool(value != value)


def _written(picture: Picture, scale: float, target: Path) -> tuple[Path, np.ndarray]:
    """The picture to ask as a GeoTIFF without a place, and its px per px of the picture in x and y."""
    rows, columns = picture.shape[:2]
    size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    if size != (columns, rows):
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        picture = cv2.resize(picture, size, interpolation=how)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)  # the original has no place either
        with rasterio.open(
            target,
            "w",
            driver="GTiff",
            width=size[0],
            height=size[1],
            count=3,
            dtype="uint8",
            photometric="RGB",
        ) as file:
            file.write(np.moveaxis(picture, 2, 0))
    return target, np.array([size[0] / columns, size[1] / rows])


class _Progress(Silent):
    """Counts tiles over all pictures and says the time left, every `SAY_S` seconds."""

    def __init__(self, report: Say, pictures: int) -> None:
        self._report, self._left = report, pictures
        self._tiles = self._done = self._here = 0
        self._started = self._said = time.monotonic()
        self.failed = self.empty = 0

    def planned(self, plan: Plan) -> None:
        """Pictures of one set are about equally large, so this one's tiles tell how many all have."""
        self._tiles, self._here = plan.tiles, 0
        self.failed = self.empty = 0

    def tile_done(self, status: TileStatus, reason: str | None) -> None:
        """Counted."""
        self._done += 1
        self._here += 1
        self.failed += status in FAILED
        self.empty += status is TileStatus.EMPTY
        now = time.monotonic()
        if now - self._said > SAY_S:
            self._said = now
            per_tile = (now - self._started) / self._done
            left = per_tile * (self._tiles * self._left - self._here)
            self._report(
                f"{self._left} pictures to do, {self._here}/{self._tiles} tiles of this one, "
                f"{per_tile:.2f} s a tile, {left:.0f} s left"
            )

    def picture_done(self) -> None:
        """One picture has its answer."""
        self._left -= 1
        self._here = 0

"""Questions about whole pictures, asked as a user asks them: through tiles, merge and audit of the engine.

What is said is what the engine's answer counts: the evidence rows that are what was asked for, after the merge, and the
answer's number. A model of small tiles and one of large ones get the same question about the same picture. Knows the
engine's session and the file of answers; refuses to know data sets, truth and figures.
"""

from __future__ import annotations

import hashlib
import json
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
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from rasterio.errors import NotGeoreferencedWarning

from groundproof.ask_options import AskOptions
from groundproof.counting import answers_to, counted
from groundproof.errors import GroundproofError, ModelError
from groundproof.labels import normalise
from groundproof.listening import Plan, Silent
from groundproof.models.base import VisionLanguageModel
from groundproof.models.profile import Profile
from groundproof.protocol import PROMPT_VERSION
from groundproof.session import Session
from groundproof.tables import FAILED, TileStatus
from groundproof.version import __version__
from groundproof_training.errors import TrainingError
from groundproof_training.evaluation.answers import Answers, Kept, Key
from groundproof_training.evaluation.asking import HASH_HEX, Account, AskSettings, ModelDiedError, decoding_of
from groundproof_training.evaluation.cases import NO_BOXES, BoxSet, Case, Family, Said, Status
from groundproof_training.evaluation.questions import Picture, Question
from groundproof_training.evaluation.reading import case_with
from groundproof_training.metrics.boxes import (
    Floats,
    areas,
    as_boxes,
    intersections,
    iou_matrix,
    match_greedy,
)
from groundproof_training.readers.questions import nouns

Say = Callable[[str], None]

SCENE = "scene "
"""How the keys of answers about whole pictures begin; their seconds are those of many tiles."""
FORM = 2
"""Of the kept answers; 2 has scores."""
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
    of the picture. scores: the engine's, one for each box; empty where the model gave none for one of them. count: the
    answer's own number, None where it gives none. text: the answer as a sentence. error: why there is none; it is not
    kept, so that the question is asked again."""

    boxes: tuple[tuple[float, ...], ...] = ()
    scores: tuple[float, ...] = ()
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


def ask_scenes(
    questions: Sequence[Question],
    model: VisionLanguageModel,
    answers: Answers,
    options: SceneOptions | None = None,
    say: Say = lambda line: None,
    account: Account | None = None,
) -> list[SceneAnswer]:
    """One answer for each question, in their order; what is in `answers` is not asked, and detection and counting of
    one class in one picture are one look. An answer with an error is not kept. account: filled, in looks.

    Raises ModelDiedError when the model is gone; answers until then are kept.
    """
    options, account = options or SceneOptions(), account if account is not None else Account()
    keys = [scene_key(question, model, options) for question in questions]
    todo = {key: one for key, one in zip(keys, questions, strict=True) if answers.find(key) is None}
    account.kept += len(set(keys)) - len(todo)
    progress = _Progress(say, len(todo))
    failed: dict[Key, SceneAnswer] = {}
    for key, question in todo.items():
        answer = ask_scene(model, question, options, progress)
        account.asked += 1
        if answer.error:
            account.failed += 1
            failed[key] = answer
        else:
            answers.keep([Kept(key, json.dumps(asdict(answer)), "stop", seconds=answer.seconds)])
        progress.picture_done()
    return [failed[key] if key in failed else _kept(answers, key) for key in keys]


def scene_key(question: Question, model: VisionLanguageModel, options: SceneOptions) -> Key:
    """What decides the answer; the same for detection and counting, and for whatever the truth is."""
    image = question.sample.images[0]
    parts = {
        "profile": model.profile.model_dump(mode="json"),
        "engine": f"{__version__}, prompt {PROMPT_VERSION}",
        "options": options.model_dump(),
        "picture": [image.path, image.sha256, image.shown],
        "question": scene_question(question),
        "form": FORM,
    }
    prompt = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:HASH_HEX]
    decoding = hashlib.sha256(json.dumps(decoding_of(model.profile, AskSettings())).encode()).hexdigest()[
        :HASH_HEX
    ]
    return Key(f"{SCENE}{image.path} {_asked(question)}", model.identity, prompt, decoding)


def _kept(answers: Answers, key: Key) -> SceneAnswer:
    kept = answers.find(key)
    try:
        row = json.loads(kept.text if kept is not None else "")
        boxes = tuple(tuple(float(v) for v in box) for box in row.pop("boxes"))
        scores = tuple(float(v) for v in row.pop("scores"))
        return SceneAnswer(boxes=boxes, scores=scores, **row)
    except (ValueError, KeyError, TypeError, AttributeError) as err:
        raise TrainingError(
            f"{answers.path}: the answer to {key.case_id} cannot be read ({err!r}); delete its line to ask it again."
        ) from err


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
                questions=(scene_question(question),),
                task="count",
                model=model.profile.name,
                pixel_space=True,
                tile_px=options.tile_px,
                overlap_px=options.overlap_px,
                second_look=options.second_look,
            )
            with Session(wanted, progress, model=model) as session:
                _, result = session.run(Path(scratch) / "scene.run")
        except ModelError as err:
            raise ModelDiedError(
                f"{err} Pictures before this one are kept: run the same command when the model is back."
            ) from err
        except (GroundproofError, OSError) as err:
            return SceneAnswer(error=f"{type(err).__name__}: {err}", seconds=time.monotonic() - started)
        seconds = time.monotonic() - started
    evidence = result.evidence
    label = normalise(asked) or asked
    evidence = evidence[counted(evidence) & answers_to(evidence, (label,))]
    boxes = as_boxes(list(evidence.box_px)) / np.tile(factor, 2)
    scores = evidence.score.to_numpy(dtype=np.float64, na_value=np.nan)
    value = result.answers.value.iloc[0] if len(result.answers) else None
    tiles = len(result.tiles)
    if tiles and progress.failed >= tiles:
        return SceneAnswer(
            error=f"all {tiles} tiles failed", tiles=tiles, failed_tiles=tiles, seconds=seconds
        )
    return SceneAnswer(
        boxes=tuple(tuple(box) for box in boxes.round(2).tolist()),
        scores=tuple(scores.round(6).tolist()) if np.isfinite(scores).all() else (),
        count=int(value) if isinstance(value, int | float | np.number) and not _is_nan(value) else None,
        text="\n".join(map(str, result.answers.answer)),
        tiles=tiles,
        empty_tiles=progress.empty,
        failed_tiles=progress.failed,
        seconds=round(seconds, 1),
    )


IGNORED_IOU, IGNORED_SHARE = 0.25, 0.5
"""A box with this overlap with an object to ignore, or this share of its area inside one, is about that object."""


def scene_case(question: Question, answer: SceneAnswer, profile: Profile) -> Case:
    """The case of one answer about a whole picture. Its boxes are both the evidence and, for detection, the answer.

    Of a count what lies on objects to ignore, and on no true object, is taken off, with its boxes: it is neither asked
    for nor wrong. Of detection the metric leaves those boxes out.
    """
    image = question.sample.images[0]
    x0, y0, *_ = image.shown
    rows = as_boxes(list(answer.boxes)) + np.array([x0, y0, x0, y0], dtype=np.float64)
    label = _asked(question)
    scores = np.array(answer.scores, dtype=np.float64) if len(answer.scores) == len(rows) else None
    if answer.error:
        said = Said(text=answer.error, status=Status.FAILED)
    elif question.family is Family.COUNTING:
        off = about_ignored(rows, question)
        count = len(rows) if answer.count is None else answer.count
        said = Said(
            text=answer.text,
            answer=answer.text,
            evidence=_named(rows[~off], label, scores[~off] if scores is not None else None),
            count=max(0, count - int(off.sum())),
        )
    else:
        boxes = _named(rows, label, scores)
        said = Said(text=answer.text, answer=answer.text, boxes=boxes, evidence=boxes)
    return case_with(question, said, profile, (image.shown_size,))


def _named(rows: Floats, label: str, scores: Floats | None) -> BoxSet:
    return BoxSet(rows, (label,) * len(rows), (0,) * len(rows), scores=scores) if len(rows) else NO_BOXES


def about_ignored(said: Floats, question: Question) -> NDArray[np.bool_]:
    """(n,), which boxes hit no true object at an IoU of 0.5 and lie on one to ignore."""
    truth = as_boxes([box.xyxy for box in question.sample.boxes if not box.ignore])
    ignored = as_boxes([box.xyxy for box in question.sample.boxes if box.ignore])
    if not len(said) or not len(ignored):
        return np.zeros(len(said), dtype=bool)
    hits = [i for i, _ in match_greedy(iou_matrix(said, truth), 0.5)]
    inside = intersections(said, ignored) / np.maximum(areas(said), 1e-9)[:, None]
    close = (iou_matrix(said, ignored) >= IGNORED_IOU) | (inside > IGNORED_SHARE)
    about = np.zeros(len(said), dtype=bool)
    about[np.flatnonzero(close.any(axis=1))] = True
    about[hits] = False
    return about


def _is_nan(value: Any) -> bool:
    return bool(value != value)


def _written(picture: Picture, scale: float, target: Path) -> tuple[Path, np.ndarray]:
    """The picture to ask as a GeoTIFF without a place, and its px per px of the picture in x and y."""
    rows, columns = picture.shape[:2]
    size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    if size != (columns, rows):
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        picture = np.asarray(cv2.resize(picture, size, interpolation=how), dtype=np.uint8)
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

"""Questions asked of a model: whatever the engine can load or reach, or a baseline. Interrupted, it goes on.

Knows prompts, pictures' sizes, batches and answers kept. Refuses to know what an answer means.

Batches: a model that computes together what is pulled together (`continuous` False: transformers in process) gets
fixed batches, by the question's place in the list, and a batch's answers are kept together when it has ended. So an
interrupted batch is asked again as a whole, none of it was kept, and the bits do not depend on where a run stopped.
Other models get one stream, and each answer is kept as it ends.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from groundproof.errors import GroundproofError, ModelError
from groundproof.models.base import Finish, Piece, Request, VisionLanguageModel
from groundproof.models.profile import Profile
from groundproof.protocol import Task
from groundproof.protocol.prompts import system_text
from groundproof.tiling import least_side
from groundproof_training.errors import TrainingError
from groundproof_training.evaluation.answers import Answers, Kept, Key
from groundproof_training.evaluation.baselines import Baseline, baseline, is_baseline
from groundproof_training.evaluation.cases import Case
from groundproof_training.evaluation.questions import Picture, Question
from groundproof_training.evaluation.reading import case_of
from groundproof_training.progress import Progress
from groundproof_training.rewards.reading import Size
from groundproof_training.samples import prompt_of, seen_size

Say = Callable[[str], None]
Model = VisionLanguageModel | Baseline

HASH_HEX = 16
WITH_BOXES = (Task.COUNT, Task.DETECT, Task.GROUND, Task.GROUNDED_CAPTION)
"""Tasks whose answers' log-probabilities are kept: they tell the scores of boxes."""
LOGPROB_DIGITS = 4


class AskSettings(BaseModel):
    """How questions are asked. max_new_tokens: None: the profile's. max_pixels: area of a picture as the model sees it;
    None: that of the profile's tile. retry_failed: ask those again that the model gave an error for; without it an
    error stays that question's answer, so that the same command gives the same figures."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_new_tokens: int | None = Field(None, gt=0)
    max_pixels: int | None = Field(None, gt=0)
    retry_failed: bool = False


class ModelDiedError(TrainingError):
    """The model answers no more; every answer before is kept."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and what came of it. seen: size of each picture as the model saw it. error: a sentence, with finish
    "error". logprobs: see `Kept`."""

    question: Question
    text: str
    finish: Finish
    seen: tuple[Size, ...]
    error: str = ""
    logprobs: tuple[tuple[int, float | None], ...] = ()

    def case(self, profile: Profile) -> Case:
        """To be scored."""
        return case_of(self.question, self.text, self.finish, profile, self.seen, self.logprobs)


@dataclass(slots=True)
class Account:
    """What happened: questions asked now, taken from the file, failed (kept ones too), and lines that were broken."""

    asked: int = 0
    kept: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class _Planned:
    """A question with its place in the list, prompt and key; request: None where it cannot be asked."""

    place: int
    question: Question
    seen: tuple[Size, ...]
    key: Key
    system: str = ""
    text: str = ""
    error: str = ""


def open_any(model: str, device: str = "auto", max_in_flight: int | None = None) -> Model:
    """A baseline by its name, else what the engine opens. Raises TrainingError, ModelError."""
    if is_baseline(model):
        return baseline(model)
    from groundproof.models.open import open_model

    return open_model(model, device, max_in_flight)


def check_model(model: str) -> None:
    """Raises TrainingError or ModelError for a name that is no model, before anything is read or loaded."""
    if is_baseline(model):
        baseline(model)
        return
    from groundproof.models.resolve import resolve

    resolve(model)


def shown_size(shown: Size, profile: Profile, max_pixels: int | None = None) -> Size:
    """The size at which a picture is shown: `samples.seen_size` within the area of the profile's tile and the least
    that a family's processor takes without a resize of its own."""
    step, least = profile.patch_merge_px, least_side(profile.patch_merge_px) ** 2
    most = max(least, profile.tile_px**2 if max_pixels is None else max_pixels)
    width, height = seen_size(shown, profile, least, most)
    while width * height < least:
        width, height = (width + step, height) if width <= height else (width, height + step)
    return width, height


def ask(
    questions: Sequence[Question],
    model: Model,
    answers: Answers,
    settings: AskSettings | None = None,
    say: Say = lambda line: None,
    account: Account | None = None,
) -> list[Asked]:
    """Every question's answer, in their order; what is in `answers` is not asked. account: filled.

    Raises ModelDiedError when the model is gone, and whatever interrupts it; answers until then are kept.
    """
    settings, account = settings or AskSettings(), account if account is not None else Account()
    planned = [_plan(place, question, model, settings) for place, question in enumerate(questions)]
    done: dict[int, Asked] = {}
    for one in planned:
        kept = answers.find(one.key)
        if one.error:
            done[one.place] = Asked(one.question, "", "error", one.seen, one.error)
        elif kept is not None and not (settings.retry_failed and kept.finish == "error"):
            done[one.place] = _asked(one, kept)
            account.kept += 1
    waiting = [one for one in planned if one.place not in done]
    progress = Progress(say, "questions", len(waiting))
    for ended in _answered(waiting, model, answers, settings):
        done |= {one.place: _asked(one, kept) for one, kept in ended}
        account.asked += len(ended)
        progress.step(len(ended))
    account.failed += sum(one.finish == "error" for one in done.values())
    return [done[place] for place in range(len(planned))]


def decoding_of(profile: Profile, settings: AskSettings) -> dict[str, float | int]:
    """How tokens are chosen."""
    return {
        "temperature": profile.temperature,
        "top_p": profile.top_p,
        "repetition_penalty": profile.repetition_penalty,
        "max_new_tokens": settings.max_new_tokens or profile.max_new_tokens,
    }


def _answered(
    waiting: list[_Planned], model: Model, answers: Answers, settings: AskSettings
) -> Iterator[list[tuple[_Planned, Kept]]]:
    """What ended together, kept before it is given."""
    if isinstance(model, Baseline):
        rows = [(one, Kept(one.key, model.answer(one.question.sample), "stop")) for one in waiting]
        answers.keep(row for _, row in rows)
        yield rows
        return
    if model.continuous:
        for one, row in _generated(waiting, model, settings):
            if not _unread(row):
                answers.keep([row])
            yield [(one, row)]
        return
    batches: dict[int, list[_Planned]] = {}
    for one in waiting:
        batches.setdefault(one.place // model.max_in_flight, []).append(one)
    for batch in batches.values():
        rows = list(_generated(batch, model, settings))
        answers.keep(row for _, row in rows if not _unread(row))
        yield rows


UNREAD = "the picture cannot be read: "


def _unread(row: Kept) -> bool:
    """A picture that could not be opened is no answer of the model: it is not kept."""
    return row.finish == "error" and row.error.startswith(UNREAD)


@dataclass(slots=True)
class _Stream:
    """Requests as the model pulls them. Questions whose pictures cannot be opened are in `unread`."""

    questions: list[_Planned]
    settings: AskSettings
    unread: list[tuple[_Planned, Kept]] = field(default_factory=list)

    def __iter__(self) -> Iterator[Request]:
        for one in self.questions:
            try:
                pictures = one.question.pictures()
                images = tuple(_resized(p, size) for p, size in zip(pictures, one.seen, strict=True))
            except (OSError, SyntaxError, ValueError) as err:
                why = str(err).splitlines()[0] if str(err) else type(err).__name__
                self.unread.append((one, Kept(one.key, "", "error", f"{UNREAD}{why}")))
                continue
            yield Request(str(one.place), images, one.system, one.text, self.settings.max_new_tokens)


def _generated(
    questions: list[_Planned], model: VisionLanguageModel, settings: AskSettings
) -> Iterator[tuple[_Planned, Kept]]:
    """Answers as they end. The time between two ends is shared out to the one that ended."""
    by_id = {str(one.place): one for one in questions}
    pieces_of: dict[str, list[Piece]] = {}
    stream = _Stream(questions, settings)
    ended, before = 0, time.monotonic()
    try:
        with closing(model.generate(iter(stream))) as pieces:
            for piece in pieces:
                pieces_of.setdefault(piece.request_id, []).append(piece)
                if piece.finish is None:
                    continue
                if piece.finish == "cancelled":
                    raise ModelError("it was closed while it answered")
                now = time.monotonic()
                one = by_id.pop(piece.request_id)
                ended += 1
                yield one, _row(one, pieces_of.pop(piece.request_id), now - before)
                before = now
    except ModelError as err:
        raise ModelDiedError(
            f"{err} {ended} answers of this batch had ended; whatever was kept is not asked again: run the same "
            "command when the model is back."
        ) from err
    for one, row in stream.unread:
        by_id.pop(str(one.place))
        yield one, row
    if by_id:
        raise ModelDiedError(
            f"The model {model.identity} left {len(by_id)} questions without an answer, "
            f"{next(iter(by_id.values())).question.case_id} among them; run the same command again."
        )


def _row(one: _Planned, pieces: list[Piece], seconds: float) -> Kept:
    last = pieces[-1]
    logprobs: tuple[tuple[int, float | None], ...] = ()
    if one.question.sample.task in WITH_BOXES and any(piece.logprob is not None for piece in pieces):
        logprobs = tuple(
            (len(piece.text), None if piece.logprob is None else round(piece.logprob, LOGPROB_DIGITS))
            for piece in pieces
            if piece.text
        )
    text = "".join(piece.text for piece in pieces)
    return Kept(one.key, text, last.finish or "stop", last.error or "", round(seconds, 3), logprobs)


def _plan(place: int, question: Question, model: Model, settings: AskSettings) -> _Planned:
    profile = model.profile
    sample = question.sample
    seen = tuple(shown_size(image.shown_size, profile, settings.max_pixels) for image in sample.images)
    decoding = _hash(decoding_of(profile, settings))
    if isinstance(model, Baseline):
        asked = [sample.task, sample.question, sample.choices, bool(sample.captions)]
        return _Planned(place, question, seen, Key(question.case_id, model.identity, _hash(asked), decoding))
    system, text, error = system_text(profile), question.text or "", ""
    if question.text is None:
        try:
            prompt = prompt_of(sample, profile, seen)
            system, text = prompt.system, prompt.text
        except (GroundproofError, ValueError) as err:
            error = f"it cannot be asked: {err}"
    images = [
        (image.sha256 or image.path, image.shown, size)
        for image, size in zip(sample.images, seen, strict=True)
    ]
    key = Key(question.case_id, model.identity, _hash([system, text, images]), decoding)
    return _Planned(place, question, seen, key, system, text, error)


def _asked(one: _Planned, kept: Kept) -> Asked:
    finish: Finish = "error" if kept.finish == "error" else "length" if kept.finish == "length" else "stop"
    return Asked(one.question, kept.text, finish, one.seen, kept.error, kept.logprobs)


def _resized(picture: Picture, size: Size) -> Picture:
    """As training shows pictures (`tuning.pictures`): the engine's adapters refuse to resize."""
    height, width = picture.shape[:2]
    if (width, height) == size:
        return np.ascontiguousarray(picture)
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC))


def _hash(value: object) -> str:
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:HASH_HEX]

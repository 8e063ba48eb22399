"""Samples get rationales: from what was accepted before, a teacher whose texts are verified, or the templates.

Knows the order of things and what it costs. Refuses to know prompts and rules.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from groundproof.models.profile import Profile
from groundproof_training.errors import TrainingError
from groundproof_training.progress import Progress
from groundproof_training.rationales.ledger import Attempt, Entry, Ledger, key_of
from groundproof_training.rationales.prompting import teacher_prompt
from groundproof_training.rationales.teachers import Teacher, TeacherError
from groundproof_training.rationales.verifier import Limits, Verifier, required
from groundproof_training.rationales.words import Vocabulary
from groundproof_training.rationales.writer import in_reading_order, write_rationale
from groundproof_training.readers.base import Problems, open_shown
from groundproof_training.samples import Form, Rationale, Sample, completion_of, seen_size

Size = tuple[int, int]

CARDS_OF_A_KIND = 4

SILENT_BEFORE_STOP = 50
"""After so many questions in a row without any answer the run stops: the teacher is not there. Nothing is lost."""


class Settings(BaseModel):
    """Our choices. attempts: texts a teacher may write for one sample. fallback: what a sample gets that no text was
    accepted for. concurrency: questions at the same time. most_boxes: samples that must cite more go to the templates.
    min_pixels, max_pixels: area of an image as the teacher sees it. input_price, output_price: of a million tokens, in
    whatever currency. replace: write anew where a sample has a rationale already; one that is kept is verified all
    the same, and written anew where it is not true."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    attempts: int = Field(3, ge=1)
    fallback: Literal["template", "drop"] = "template"
    concurrency: int = Field(16, ge=1)
    most_boxes: int = Field(40, ge=0)
    min_pixels: int = 112 * 112
    max_pixels: int = 1_003_520
    input_price: float = Field(0.0, ge=0)
    output_price: float = Field(0.0, ge=0)
    replace: bool = False
    limits: Limits = Limits()


@dataclass(slots=True)
class Statistics:
    """What happened. made: samples by who wrote what they got ("teacher", "template", "kept", "dropped"). tries:
    accepted texts by the number of the attempt. reasons: rejected texts by rule, each rule once a text. errors: by
    kind, of questions without an answer. Tokens and seconds of all questions of this run."""

    made: Counter[str] = field(default_factory=Counter)
    tries: Counter[int] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    texts: int = 0
    reused: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0

    def take(self, attempt: Attempt) -> None:
        """Count one question of this run."""
        self.texts += attempt.answered
        self.input_tokens += attempt.input_tokens
        self.output_tokens += attempt.output_tokens
        self.seconds += attempt.seconds
        (self.reasons if attempt.answered else self.errors).update(set(attempt.rules))

    def as_json(self, settings: Settings) -> dict[str, object]:
        """For a file beside the samples; with the cost where prices are known."""
        cost = (self.input_tokens * settings.input_price + self.output_tokens * settings.output_price) / 1e6
        accepted = sum(self.tries.values())
        return {
            "samples": dict(self.made),
            "accepted_at_attempt": {str(n): k for n, k in sorted(self.tries.items())},
            "texts": self.texts,
            "accepted_share_of_texts": round(accepted / self.texts, 4) if self.texts else None,
            "reused": self.reused,
            "rejected_by": dict(self.reasons.most_common()),
            "errors": dict(self.errors.most_common()),
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "cost": round(cost, 4) if cost else None,
            "seconds_of_answers": round(self.seconds, 1),
            "settings": settings.model_dump(mode="json"),
        }


@dataclass(frozen=True, slots=True)
class Card:
    """One sample of a report. made: "teacher", "template" or "dropped"; attempts: of the teacher, the last one last."""

    sample: Sample
    made: str
    attempts: tuple[Attempt, ...] = ()


@dataclass(slots=True)
class Maker:
    """Makes rationales for samples. root: their images' paths are relative to it. ledger: of this teacher's answers;
    only needed with a teacher."""

    root: Path
    profile: Profile
    settings: Settings
    problems: Problems
    teacher: Teacher | None = None
    ledger: Ledger | None = None
    say: Callable[[str], None] = lambda _: None
    statistics: Statistics = field(default_factory=Statistics)
    cards: list[Card] = field(default_factory=list)
    """A few samples for a report: of each task and outcome the first `CARDS_OF_A_KIND`."""
    _verifiers: dict[str, Verifier] = field(default_factory=dict)
    _broken: set[str] = field(default_factory=set)
    _silent: int = 0
    _progress: Progress = field(init=False)

    def make(self, read: Callable[[], Iterable[Sample]]) -> Iterator[Sample]:
        """The samples with rationales, in their order. read: gives them anew each time: for the vocabularies, for the
        teacher, for the output. Raises TrainingError when the teacher cannot be reached; run again to go on."""
        total = self._learn(read())
        if self.teacher is not None:
            self._progress = Progress(self.say, "samples asked about", total)
            asyncio.run(self._ask_all(read()))
        progress = Progress(self.say, "samples written", total)
        for sample in read():
            made = self._finished(sample)
            progress.step()
            if made is not None:
                yield made

    def seen(self, sample: Sample) -> tuple[Size, ...]:
        """Size of each image as the teacher sees it, px."""
        limits = self.settings.min_pixels, self.settings.max_pixels
        return tuple(seen_size(image.shown_size, self.profile, *limits) for image in sample.images)

    def verifier(self, sample: Sample) -> Verifier:
        """With the vocabulary of the sample's source."""
        return self._verifiers[sample.source]

    def _learn(self, samples: Iterable[Sample]) -> int:
        """One vocabulary a source: a word that is a class of one dataset is a plain word in another. How many samples
        there are."""
        names: dict[str, set[str]] = {}
        total = 0
        for total, sample in enumerate(samples, start=1):  # noqa: B007 - the last number is asked for
            found = names.setdefault(sample.source, set())
            found.update(sample.asked, sample.choices, (box.label for box in sample.boxes))
        for source, found in names.items():
            self._verifiers[source] = Verifier(
                self.profile, Vocabulary(frozenset(found)), self.settings.limits
            )
        return total

    # -- the teacher -----------------------------------------------------------------------------------

    async def _ask_all(self, samples: Iterable[Sample]) -> None:
        """A fixed number of workers take samples from one iterator, so that no more than that are in memory."""
        assert self.teacher is not None  # noqa: S101 - `make` asked
        waiting = iter(samples)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self.settings.concurrency):
                    group.create_task(self._work(waiting))
        except* TrainingError as errors:
            raise errors.exceptions[0] from None
        finally:
            await self.teacher.close()

    async def _work(self, waiting: Iterator[Sample]) -> None:
        assert self.teacher is not None  # noqa: S101
        assert self.ledger is not None  # noqa: S101
        for sample in waiting:
            one = in_reading_order(sample) if self._is_for_teacher(sample) else None
            if one is None:
                self._progress.step()
                continue
            key = key_of(one, self.teacher.name, self.profile.name)
            known = self.ledger.find(key)
            if known is not None and (
                self._still_true(one, known.rationale) or len(known.attempts) >= self.settings.attempts
            ):
                self.statistics.reused += 1
                self._progress.step()
                continue
            try:
                images = await asyncio.to_thread(self._images, one)
                entry = await self._tried(one, key, images)
            except (OSError, ValueError) as err:
                self.problems.add("broken sample", sample.sample_id, str(err).splitlines()[0])
                self._broken.add(sample.sample_id)
                continue
            try:
                self.ledger.keep(entry)
            except OSError as err:
                raise TrainingError(
                    f"The teacher's answers cannot be kept ({err.strerror or err}). Those before are; make room and "
                    "run the command again to go on."
                ) from err
            self._progress.step(more=f", {sum(self.statistics.tries.values()):,} accepted")

    def _is_for_teacher(self, sample: Sample) -> bool:
        if sample.rationale is not None and not self.settings.replace:
            return False
        return len(required(sample)) <= self.settings.most_boxes

    def _images(self, sample: Sample) -> tuple[NDArray[np.uint8], ...]:
        pictures = []
        for image, size in zip(sample.images, self.seen(sample), strict=True):
            shown = open_shown(self.root, image)
            pictures.append(np.asarray(shown.resize(size, Image.Resampling.BICUBIC)))
        return tuple(pictures)

    async def _tried(self, sample: Sample, key: str, images: tuple[NDArray[np.uint8], ...]) -> Entry:
        assert self.teacher is not None  # noqa: S101
        seen, verifier = self.seen(sample), self.verifier(sample)
        attempts: list[Attempt] = []
        rejected, reasons = "", ()
        for _ in range(self.settings.attempts):
            prompt = teacher_prompt(sample, self.profile, seen, rejected, reasons)
            try:
                reply = await self.teacher.ask(prompt, images)
            except TeacherError as err:
                attempts.append(Attempt(text="", rules=(err.kind,), reasons=(str(err),), answered=False))
                self.statistics.take(attempts[-1])
                self._silence(err)
                continue
            self._silent = 0
            verdict = verifier.verify(reply.text.strip(), sample, seen, f"teacher:{self.teacher.name}")
            attempt = Attempt(
                text=reply.text,
                rules=tuple(dict.fromkeys(str(reason.rule) for reason in verdict.reasons)),
                reasons=tuple(reason.sentence for reason in verdict.reasons),
                input_tokens=reply.input_tokens,
                output_tokens=reply.output_tokens,
                seconds=reply.seconds,
            )
            attempts.append(attempt)
            self.statistics.take(attempt)
            if verdict.rationale is not None:
                self.statistics.tries[len(attempts)] += 1
                return Entry(
                    key=key, sample_id=sample.sample_id, outcome="accepted", rationale=verdict.rationale,
                    attempts=tuple(attempts),
                )  # fmt: skip
            rejected, reasons = reply.text, attempt.reasons
        outcome = "rejected" if all(attempt.answered for attempt in attempts) else "unanswered"
        return Entry(key=key, sample_id=sample.sample_id, outcome=outcome, attempts=tuple(attempts))

    def _silence(self, err: TeacherError) -> None:
        self._silent += 1
        if err.dead or self._silent >= max(SILENT_BEFORE_STOP, 2 * self.settings.concurrency):
            raise TrainingError(
                f"The teacher cannot be asked: {err}. What was accepted is kept; run the command again to go on."
            )

    # -- what a sample gets ----------------------------------------------------------------------------

    def _finished(self, sample: Sample) -> Sample | None:
        if sample.rationale is not None and not self.settings.replace:
            if reason := self._untrue(sample, sample.rationale):
                self.problems.add("rationale rejected", sample.sample_id, reason)
                if self.settings.fallback == "drop":
                    return self._counted(sample, None, "dropped")
            else:
                return self._counted(sample, sample.rationale, "kept")
        one = in_reading_order(sample.model_copy(update={"rationale": None}))
        if sample.sample_id in self._broken:
            return self._counted(one, None, "dropped")
        attempts: tuple[Attempt, ...] = ()
        if self.teacher is not None and self.ledger is not None and self._is_for_teacher(sample):
            entry = self.ledger.find(key_of(one, self.teacher.name, self.profile.name))
            attempts = entry.attempts if entry else ()
            if entry is not None and self._still_true(one, entry.rationale):
                return self._counted(one, entry.rationale, "teacher", attempts)
            if self.settings.fallback == "drop":
                self.problems.add("no rationale", sample.sample_id, "no text of the teacher was accepted")
                return self._counted(one, None, "dropped", attempts)
        rationale = self._template(one)
        return self._counted(one, rationale, "template" if rationale else "dropped", attempts)

    def _counted(
        self, sample: Sample, rationale: Rationale | None, made: str, attempts: tuple[Attempt, ...] = ()
    ) -> Sample | None:
        done = sample.model_copy(update={"rationale": rationale})
        self.statistics.made[made] += 1
        alike = sum(card.made == made and card.sample.task is sample.task for card in self.cards)
        if alike < CARDS_OF_A_KIND:
            self.cards.append(Card(done, made, attempts))
        return done if rationale else None

    def _template(self, sample: Sample) -> Rationale | None:
        """Verified like any other: data that contradicts itself is found here."""
        try:
            rationale = write_rationale(sample)
            if rationale is None:
                self.problems.add(
                    "no evidence",
                    sample.sample_id,
                    f"its boxes do not carry the answer {sample.answer[:40]!r}",
                )
                return None
        except ValueError as err:
            self.problems.add("broken sample", sample.sample_id, str(err).splitlines()[0])
            return None
        if reason := self._untrue(sample, rationale):
            self.problems.add("template rejected", sample.sample_id, reason)
            return None
        return rationale

    def _still_true(self, sample: Sample, rationale: Rationale | None) -> bool:
        """Of an answer that was kept: the verifier may have become stricter since."""
        return rationale is not None and not self._untrue(sample, rationale)

    def _untrue(self, sample: Sample, rationale: Rationale) -> str:
        """The verifier's first reason against a rationale as it would be written; "" where there is none."""
        seen, one = self.seen(sample), sample.model_copy(update={"rationale": rationale})
        try:
            text = completion_of(one, self.profile, seen, Form.GEO_COT)
            verdict = self.verifier(sample).verify(text, sample, seen, rationale.by)
        except ValueError as err:
            return str(err).splitlines()[0]
        return "" if verdict.accepted else verdict.reasons[0].sentence

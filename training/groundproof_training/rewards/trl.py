"""Rewards as TRL's `GRPOTrainer` calls them: `f(prompts, completions, completion_ids, **columns)`.

Each row of the dataset carries its sample as JSON in the column `sample`, and may carry `seen`, each image's size as
the model sees it ([[width, height], ...]). None tells TRL that a reward does not apply to a row.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

from groundproof.models.profile import Profile
from groundproof_training.errors import TrainingError
from groundproof_training.rewards.reading import Reading, Size, form_of
from groundproof_training.rewards.registry import Reward
from groundproof_training.samples import Form, Sample, answer_of, seen_size

RewardFunction = Callable[..., list[float | None]]

SAMPLE_COLUMN = "sample"
SEEN_COLUMN = "seen"
KEPT = 4096
"""Readings kept, so that each completion is parsed once for all rewards of a step."""


class Readings:
    """Completions as read, shared by the reward functions of one run.

    form: what completions should hold (default: what the profile's models write). opening: what the chat template
    writes before the completion (`<think>` for some models), put back before reading. pixels: least and most of an
    image as the model sees it, for rows without `seen`; needed where boxes are in resized pixels.
    """

    def __init__(
        self,
        profile: Profile,
        form: Form | None = None,
        opening: str = "",
        pixels: tuple[int, int] | None = None,
    ) -> None:
        self.profile, self.form, self.opening, self._pixels = (
            profile,
            form or form_of(profile),
            opening,
            pixels,
        )
        self._kept: OrderedDict[tuple[str, str, tuple[Size, ...]], Reading] = OrderedDict()

    def of(self, completion: Any, sample_json: str, seen: Any = None) -> Reading:
        """One completion (a text, or TRL's list of messages), read or taken from memory."""
        sample = _sample(sample_json)
        sizes = self._seen(sample, seen)
        key = (text_of(completion), sample_json, sizes)
        if key not in self._kept:
            self._kept[key] = Reading(self.opening + key[0], sample, self.profile, sizes, self.form)
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return self._kept[key]

    def _seen(self, sample: Sample, seen: Any) -> tuple[Size, ...]:
        if seen is not None:
            sizes = tuple((int(width), int(height)) for width, height in seen)
            if len(sizes) != len(sample.images):
                raise TrainingError(
                    f"{sample.sample_id} has {len(sample.images)} images, and its row says the sizes of {len(sizes)}."
                )
            return sizes
        if self._pixels is not None:
            return tuple(seen_size(image.shown_size, self.profile, *self._pixels) for image in sample.images)
        if self.profile.frame.full_scale is None:
            raise TrainingError(
                f"{self.profile.name} writes boxes in pixels of the resized image: give each row a column "
                f"`{SEEN_COLUMN}`, or the least and most pixels of an image."
            )
        return tuple(image.shown_size for image in sample.images)


@lru_cache(maxsize=1024)
def _sample(text: str) -> Sample:
    return Sample.model_validate_json(text)


def text_of(completion: Any) -> str:
    """The words of a completion: a text, a list of messages, or messages whose content is a list of parts."""
    if isinstance(completion, str):
        return completion
    content = completion[-1]["content"] if completion else ""
    if isinstance(content, str):
        return content
    return "".join(part.get("text") or "" for part in content or ())


def trl_function(reward: Reward, readings: Readings, *, tells: bool = False) -> RewardFunction:
    """One reward as a function for `reward_funcs`. It logs its mean for each task where TRL offers `log_metric`.

    tells: log each row's id, task, question and true answer too (one function of a run is enough).
    """

    def score(
        prompts: Sequence[Any],
        completions: Sequence[Any],
        completion_ids: Sequence[Any] | None = None,
        log_metric: Callable[[str, float], None] | None = None,
        log_extra: Callable[[str, list[str]], None] | None = None,
        **columns: Any,
    ) -> list[float | None]:
        samples = columns.get(SAMPLE_COLUMN)
        if samples is None:
            raise TrainingError(
                f"Rewards need the dataset's column `{SAMPLE_COLUMN}`: each row's sample as JSON."
            )
        seen = columns.get(SEEN_COLUMN) or [None] * len(completions)
        scores: list[float | None] = []
        read: list[Reading] = []
        by_task: defaultdict[str, list[float]] = defaultdict(list)
        for completion, sample, sizes in zip(completions, samples, seen, strict=True):
            reading = readings.of(completion, sample, sizes)
            read.append(reading)
            scores.append(reward.of(reading))
            if scores[-1] is not None:
                by_task[reading.sample.task].append(scores[-1])
        if log_metric is not None:
            for task, values in by_task.items():
                log_metric(f"rewards/{reward.name}/{task}", sum(values) / len(values))
        if tells and log_extra is not None:
            log_extra("sample", [one.sample.sample_id for one in read])
            log_extra("task", [str(one.sample.task) for one in read])
            log_extra("question", [one.sample.question for one in read])
            log_extra("truth", [answer_of(one.sample, one.profile, one.seen) for one in read])
        return scores

    score.__name__ = reward.name
    return score


def trl_functions(rewards: Iterable[Reward], readings: Readings) -> list[RewardFunction]:
    """Several rewards that share their readings."""
    return [trl_function(reward, readings, tells=not number) for number, reward in enumerate(rewards)]

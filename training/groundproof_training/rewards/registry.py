"""Rewards by name: each scores one completion for one sample.

    reward = get("rsthinker")
    reward("<think>...</think><answer>3</answer>", sample, profile, seen)      # 0.75, or None: not applicable

Every reward is in [0, 1], or None where it says nothing about this sample; one mixed run routes by the sample's task.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import BaseModel, ValidationError

from groundproof.models.profile import Profile
from groundproof_training.errors import TrainingError
from groundproof_training.metrics.cider import Frequencies
from groundproof_training.rewards.faithfulness import faithfulness
from groundproof_training.rewards.form import is_exact, is_well_formed
from groundproof_training.rewards.geovlm_r1 import geovlm_r1, needs_similarity
from groundproof_training.rewards.reading import Reading, Size, form_of
from groundproof_training.rewards.rsthinker import rsthinker
from groundproof_training.rewards.settings import (
    FaithfulnessSettings,
    FormatSettings,
    GeoVLMR1Settings,
    RSThinkerSettings,
)
from groundproof_training.rewards.similarity import similarity_of
from groundproof_training.rewards.truth import Truth, references, truth_of
from groundproof_training.samples import Form, Sample

_SETTINGS: dict[str, type[BaseModel]] = {
    "rsthinker": RSThinkerSettings,
    "geovlm-r1": GeoVLMR1Settings,
    "geovlm-r1-format": FormatSettings,
    "format": FormatSettings,
    "faithfulness": FaithfulnessSettings,
}
NAMES = tuple(_SETTINGS)
"""Rewards there are. A paper's recipe is a list of them: RSThinker's is `rsthinker`, GeoVLM-R1's
`geovlm-r1-format` and `geovlm-r1`, added."""


class _Scores(Protocol):
    def __call__(self, reading: Reading) -> float | None: ...


@dataclass(frozen=True)
class Reward:
    """One reward with its settings."""

    name: str
    settings: BaseModel
    _score: _Scores

    def of(self, reading: Reading) -> float | None:
        """Of a completion that is read already; several rewards share one reading."""
        score = self._score(reading)
        return None if score is None else min(1.0, max(0.0, float(score)))

    def __call__(
        self,
        text: str,
        sample: Sample,
        profile: Profile,
        seen: tuple[Size, ...],
        form: Form | None = None,
    ) -> float | None:
        """In [0, 1]; None: says nothing about this sample. seen: each image's size as the model sees it. form: what
        the completion should hold; default: what the profile's models write."""
        return self.of(Reading(text, sample, profile, seen, form or form_of(profile)))


def get(
    name: str,
    settings: BaseModel | dict[str, Any] | None = None,
    samples: Iterable[Sample] = (),
) -> Reward:
    """The reward of this name. settings: its own class, or its fields. samples: the training set; CIDEr's table is
    made of its reference captions where the settings name no file, and what the settings lack for it is said at once.

    Raises TrainingError for an unknown name or setting, or captions that are to be scored without a CIDEr table.
    """
    chosen = checked(name, settings)
    if isinstance(chosen, RSThinkerSettings):
        table = _table(chosen, samples)
        return Reward(name, chosen, lambda reading: _rsthinker(reading, chosen, table))
    if isinstance(chosen, GeoVLMR1Settings):
        if chosen.similarity is not None or any(needs_similarity(sample, chosen) for sample in samples):
            similarity_of(chosen)  # what is missing shows now, not after hours of rollouts
        return Reward(name, chosen, lambda reading: geovlm_r1(reading, chosen))
    if isinstance(chosen, FaithfulnessSettings):
        return Reward(name, chosen, lambda reading: faithfulness(reading, chosen))
    check = is_exact if name == "format" else is_well_formed
    return Reward(
        name,
        chosen,
        lambda reading: None if reading.form is None else float(check(reading.text, reading.form)),
    )


def checked(name: str, settings: BaseModel | dict[str, Any] | None) -> BaseModel:
    """The settings of a reward as its own class. Raises TrainingError for an unknown name or setting."""
    if name not in _SETTINGS:
        raise TrainingError(f"There is no reward {name!r}. Rewards: {', '.join(NAMES)}.")
    wanted = _SETTINGS[name]
    if isinstance(settings, BaseModel):
        if not isinstance(settings, wanted):
            raise TrainingError(f"The reward {name} takes {wanted.__name__}, got {type(settings).__name__}.")
        return settings
    try:
        return wanted.model_validate(settings or {})
    except ValidationError as err:
        fault = err.errors()[0]
        allowed = ", ".join(wanted.model_fields) or "none"
        raise TrainingError(
            f"The reward {name}: {'.'.join(map(str, fault['loc']))} is {fault['input']!r}: {fault['msg']}. "
            f"Settings: {allowed}."
        ) from err


def _table(settings: RSThinkerSettings, samples: Iterable[Sample]) -> Frequencies | None:
    if not settings.captions.cider:
        return None
    if settings.cider_table is not None:
        return Frequencies.load(settings.cider_table)
    captioned = {
        (sample.source, *(image.path for image in sample.images)): references(sample)
        for sample in samples
        if truth_of(sample) is Truth.CAPTIONS
    }
    return Frequencies.of(captioned.values()) if captioned else None


def _rsthinker(reading: Reading, settings: RSThinkerSettings, table: Frequencies | None) -> float | None:
    if settings.captions.cider and table is None and truth_of(reading.sample) is Truth.CAPTIONS:
        raise TrainingError(
            f"{reading.sample.sample_id} is a caption, and CIDEr has no table of document frequencies: give the "
            "training samples to `get`, name a file in cider_table, or set captions.cider = 0."
        )
    return rsthinker(reading, settings, table)

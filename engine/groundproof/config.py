"""What a run was asked to do, resolved: every default filled in, so that a run says all about itself.

Knows values and their allowed ranges. Refuses to know files' contents, models and how work is done.
"""

from __future__ import annotations

import hashlib
import json

from pydantic import BaseModel, ConfigDict, Field

from groundproof.models.profiles import Profile

INFERENCE_FREE = frozenset({"merge", "out_crs", "second_look", "batch", "max_failed", "dedupe_scenes"})
"""Fields that change what is made of the answers, not the answers of the tiles: they may differ on resume."""


class Question(BaseModel):
    """One question. task is resolved (never "auto"); task_reason says how it was inferred, if it was."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    task: str
    task_reason: str | None = None
    labels: tuple[str, ...] = ()
    """Normalised labels asked for; empty when the question names none."""


class MergeConfig(BaseModel):
    """Thresholds of `merge.py`. Changing them never needs the model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    iou: float = Field(default=0.5, gt=0, le=1)
    """Intersection over union from which two whole boxes are one object."""
    ios: float = Field(default=0.5, gt=0, le=1)
    """Intersection over the smaller box, where one of them touches its tile's edge."""
    edge_px: float = Field(default=4.0, ge=0)
    """How near its tile's edge a box counts as touching it, in pixels of the model's image."""


class CitedEvidence(BaseModel):
    """One box of an earlier answer that a question refers to. box_px: x0, y0, x1, y1 in scene pixels."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    evidence_id: str
    label: str
    quote: str
    box_px: tuple[float, float, float, float]


class FollowUp(BaseModel):
    """The earlier answer that a question follows up, and the evidence it selects (none: the whole answer)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run_id: str
    answer_id: str
    question: str
    answer: str
    evidence: tuple[CitedEvidence, ...] = ()

    @property
    def text(self) -> str:
        """For a prompt."""
        lines = [f'It was asked: "{self.question}"', f'The answer was: "{self.answer}"']
        lines += [f'{cited.evidence_id}, {cited.label}: "{cited.quote}"' for cited in self.evidence]
        return "\n".join(lines)


class RunConfig(BaseModel):
    """One question set over one or more scenes. Written to `run.toml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scenes: tuple[str, ...]
    questions: tuple[Question, ...]
    model: str
    """As asked for: a profile's name or a folder."""
    model_identity: str
    """What answered, exactly; see `VisionLanguageModel.identity`."""
    profile: Profile
    """What was known of the model; its box frame is needed to read the answers again."""
    prompt_version: str
    batch_size: int = Field(gt=0)
    """Tiles the model sees together. Fixed at the start, so that a resumed run repeats the same batches."""
    scene_crs: str | None = None
    pixel_space: bool = False
    bands: tuple[int, ...] | None = None
    aoi: str | None = None
    scene_aois: tuple[str, ...] = ()
    """An area for each scene, in place of `aoi`; "": `aoi` holds. Empty: no scene has its own."""
    scene_datetimes: tuple[str, ...] = ()
    """When each scene was taken, by the list that names it; "": the file says. Empty: no list says."""
    scene_flaws: tuple[str, ...] = ()
    """Why the list's entry leads to no raster, for each scene; "": it does. Empty: all do."""
    aoi_field: str | None = None
    tile_px: int
    overlap_px: int
    gsd_m: float | None = None
    """Ground sampling distance asked for with --gsd; None: the profile's range decides."""
    max_new_tokens: int = Field(gt=0)
    constrained: bool = False
    """Whether the model's output is held to the protocol's grammar while it writes."""
    follows: FollowUp | None = None
    second_look: bool = False
    merge: MergeConfig = MergeConfig()
    out_crs: str | None = None
    batch: bool = False
    """Many scenes, of which any may fail: the result is put together on disk, and a lone scene's failure is a row."""
    max_failed: float = Field(default=1.0, ge=0, le=1)
    """Share of failed tiles above which a batch stops."""
    dedupe_scenes: bool = False
    """Whether what two overlapping scenes show counts once."""

    @property
    def aois(self) -> tuple[str | None, ...]:
        """What of each scene is asked about; None: all of it."""
        return tuple(own or self.aoi for own in self.scene_aois or ("",) * len(self.scenes))

    @property
    def compares_dates(self) -> bool:
        """The scenes are dates of one place, and the answer is one for all."""
        return any(question.task == "change" for question in self.questions)

    def inference_hash(self) -> str:
        """Hex digest of everything the tiles' answers depend on; resume refuses another one."""
        fields = self.model_dump(mode="json", exclude=set(INFERENCE_FREE))
        return hashlib.blake2b(json.dumps(fields, sort_keys=True).encode(), digest_size=16).hexdigest()

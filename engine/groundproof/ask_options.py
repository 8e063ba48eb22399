"""What a person asked for, and the run's configuration that follows from it.

Knows options, a model's profile and what contradicts it. Refuses to know scenes and how work is done.
"""

from __future__ import annotations

from dataclasses import dataclass

from groundproof.config import FollowUp, Question, RunConfig
from groundproof.errors import UsageError
from groundproof.models.base import VisionLanguageModel
from groundproof.models.profiles import Profile
from groundproof.protocol import PROMPT_VERSION, Task, is_change


@dataclass(frozen=True, slots=True)
class AskOptions:
    """What a person asked for, nothing filled in yet. See `groundproof ask --help` for each."""

    scenes: tuple[str, ...]
    questions: tuple[str, ...]
    """Asked of every tile, one after the other."""
    task: str = "auto"
    aoi: str | None = None
    aoi_field: str | None = None
    bands: tuple[int, ...] | None = None
    tile_px: int | None = None
    overlap_px: int | None = None
    gsd_m: float | None = None
    model: str = "tiny"
    scene_crs: str | None = None
    pixel_space: bool = False
    out_crs: str | None = None
    second_look: bool = False
    constrained: bool | None = None
    """Hold the output to the protocol's grammar; None: where the model can."""
    follows: FollowUp | None = None
    scene_aois: tuple[str, ...] = ()
    scene_datetimes: tuple[str, ...] = ()
    scene_flaws: tuple[str, ...] = ()
    """What a list says of each scene; see `RunConfig`, as for the three below."""
    batch: bool = False
    max_failed: float = 1.0
    dedupe_scenes: bool = False


@dataclass(frozen=True, slots=True)
class Spread:
    """Where tiles are answered. on: "local" (this process) or "ray". workers: of Ray; None: as many as there is
    room for. address: of a Ray cluster; None: see `runners.ray_data`."""

    on: str = "local"
    workers: int | None = None
    address: str | None = None


def configuration(options: AskOptions, profile: Profile, questions: tuple[Question, ...]) -> RunConfig:
    """What was asked for with every default filled in, as far as it is known before a model is opened."""
    return RunConfig(
        scenes=options.scenes,
        questions=questions,
        model=options.model,
        model_identity="",
        profile=profile,
        prompt_version=PROMPT_VERSION,
        batch_size=1,
        scene_crs=options.scene_crs,
        pixel_space=options.pixel_space,
        bands=options.bands,
        aoi=options.aoi,
        aoi_field=options.aoi_field,
        tile_px=options.tile_px if options.tile_px is not None else profile.tile_px,
        overlap_px=_overlap(options, profile),
        gsd_m=options.gsd_m,
        max_new_tokens=profile.max_new_tokens,
        second_look=options.second_look,
        out_crs=options.out_crs,
        follows=options.follows,
        scene_aois=options.scene_aois,
        scene_datetimes=options.scene_datetimes,
        scene_flaws=options.scene_flaws,
        batch=options.batch,
        max_failed=options.max_failed,
        dedupe_scenes=options.dedupe_scenes,
    )


def refuse_change(options: AskOptions) -> None:
    """Raise UsageError: the scenes of a batch are places, not dates of one."""
    asked = [text for text in options.questions if options.task == Task.CHANGE or is_change(text)]
    if asked:
        raise UsageError(
            f"{asked[0]!r} asks for a change between dates, and a batch looks at every scene by itself. Give the dates "
            "of one place, the earliest first, to `groundproof ask`, or ask about what each scene shows."
        )


def held_to_grammar(options: AskOptions, model: VisionLanguageModel) -> bool:
    """Whether the model is held to the protocol's grammar. Raises UsageError when it was asked for and cannot be."""
    if options.constrained and not model.constrains:
        raise UsageError(
            f"{model.identity} cannot be held to a grammar while it writes: that needs vLLM (--model vllm:... or a "
            "vLLM server). Leave --constrained out; every answer is parsed and checked in any case."
        )
    profile = model.profile
    if profile.answer_form == "own":
        if options.constrained:
            raise UsageError(
                f"{profile.name} answers in a notation of its own, which the grammar of this protocol does not know. "
                "Leave --constrained out; every answer is parsed and checked in any case."
            )
        return False
    return model.constrains if options.constrained is None else options.constrained


def _overlap(options: AskOptions, profile: Profile) -> int:
    if options.overlap_px is not None:
        return options.overlap_px
    if options.tile_px is None:
        return profile.overlap_px
    return min(profile.overlap_px, options.tile_px // 4)

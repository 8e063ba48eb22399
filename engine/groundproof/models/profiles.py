"""What is known of one model family: its prompt style, box frame, sizes and decoding.

Knows no weights and no network. A profile is data; adapters read it.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from groundproof.boxes import BoxFrame
from groundproof.errors import ModelError


class Profile(BaseModel):
    """One model family. Frozen; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    """One line for `groundproof models`."""
    licence: str
    source: str
    """Where the weights come from: "embedded", or a hub id for people with a network."""
    prompt_style: str
    """"native": trained on this project's protocol (task tag and question only); "instructed": the
    protocol is explained in the system text."""
    frame: BoxFrame
    patch_merge_px: int
    """Tile sides are multiples of this (patch x merge)."""
    tile_px: int
    """Default side of a tile as the model sees it."""
    overlap_px: int
    """Default overlap of neighbouring tiles, as the model sees it."""
    gsd_m: tuple[float, float] | None = None
    """Range of ground sampling distances it was trained on; None: any."""
    labels: tuple[str, ...] | None = None
    """Normalised labels it was trained to find; None: open vocabulary. Asking for others is said aloud."""
    tasks: tuple[str, ...] | None = None
    """Tasks it was trained for; None: all."""
    max_new_tokens: int = 2048
    repetition_penalty: float = 1.0
    caution: str | None = None
    """What a person must know before using an answer; shown with every one."""
    weights_run: bool = False
    """True when this project has run weights of this family at their real size. False: only the loading
    and decoding code has run, with small weights of the same architecture. `groundproof models` says which."""


_PROFILES = (
    Profile(
        name="tiny",
        title="Embedded default: a small GLM-4.1V-architecture model for CPU; ten kinds of objects",
        licence="Apache-2.0",
        source="embedded",
        prompt_style="native",
        frame=BoxFrame.PER_MILLE,
        patch_merge_px=28,
        tile_px=224,
        overlap_px=56,
        labels=(
            "airplane",
            "ship",
            "storage tank",
            "vehicle",
            "building",
            "bridge",
            "tree",
            "sports field",
            "roundabout",
            "harbour",
        ),
        tasks=(
            "count",
            "detect",
            "ground",
            "vqa",
            "classify",
            "caption",
            "grounded-caption",
            "region-caption",
        ),
        max_new_tokens=768,
        caution="tiny is a small model: it misses small objects and takes other things for objects; check each box",
        weights_run=True,
    ),
    # Boxes per mille of the tile (THUDM/GLM-V issues 114 and 161; checked against RSThinker's own samples).
    Profile(
        name="rsthinker",
        title="RSThinker: GLM-4.1V-9B with Geo-CoT training; reasons with boxes over remote sensing images",
        licence="Apache-2.0",
        source="minglanga/RSThinker",
        prompt_style="native",
        frame=BoxFrame.PER_MILLE,
        patch_merge_px=28,
        tile_px=896,
        overlap_px=224,
        max_new_tokens=8192,
        repetition_penalty=1.1,
    ),
    Profile(
        name="glm-4.1v-thinking",
        title="GLM-4.1V-9B-Thinking: a general reasoning model; the protocol is in the prompt",
        licence="MIT",
        source="zai-org/GLM-4.1V-9B-Thinking",
        prompt_style="instructed",
        frame=BoxFrame.PER_MILLE,
        patch_merge_px=28,
        tile_px=896,
        overlap_px=224,
        max_new_tokens=8192,
    ),
    # Absolute pixels of the resized image (VLM-R1's resize_bbox); tiles are multiples of 28, so nothing is resized.
    Profile(
        name="qwen2.5-vl",
        title="Qwen2.5-VL: a general model; the protocol is in the prompt",
        licence="Apache-2.0 (7B); the 3B and 72B sizes have their own licences",
        source="Qwen/Qwen2.5-VL-7B-Instruct",
        prompt_style="instructed",
        frame=BoxFrame.RESIZED_PIXELS,
        patch_merge_px=28,
        tile_px=896,
        overlap_px=224,
    ),
    # Patch 16 x merge 2; boxes per mille (Qwen3-VL cookbook, 2D grounding).
    Profile(
        name="qwen3-vl",
        title="Qwen3-VL: a general model; the protocol is in the prompt",
        licence="Apache-2.0",
        source="Qwen/Qwen3-VL-8B-Instruct",
        prompt_style="instructed",
        frame=BoxFrame.PER_MILLE,
        patch_merge_px=32,
        tile_px=896,
        overlap_px=224,
    ),
    # Trained on images of 448 x 448 pixels, boxes in those pixels.
    Profile(
        name="geovlm-r1",
        title="GeoVLM-R1: Qwen2.5-VL-3B with remote sensing rewards; the protocol is in the prompt",
        licence="not stated by its authors; the base Qwen2.5-VL-3B has the Qwen Research licence",
        source="mbzuai-oryx/GeoVLM-R1",
        prompt_style="instructed",
        frame=BoxFrame.RESIZED_PIXELS,
        patch_merge_px=28,
        tile_px=448,
        overlap_px=112,
    ),
)

PROFILES: dict[str, Profile] = {profile.name: profile for profile in _PROFILES}
"""Built-in profiles by name; the first is the default model."""

DEFAULT_PROFILE = _PROFILES[0].name


def get_profile(name: str) -> Profile:
    """The built-in profile of this name.

    Raises: ModelError naming the known ones.
    """
    if name not in PROFILES:
        raise ModelError(f"There is no model profile {name!r}. Known profiles: {', '.join(PROFILES)}.")
    return PROFILES[name]

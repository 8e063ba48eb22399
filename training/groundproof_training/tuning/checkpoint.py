"""The folder a run begins with: how its model is asked, its tokens, and its weights made ready to learn.

Knows folders, tokens and which weights learn. Refuses to know samples and optimisers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoConfig, AutoModelForImageTextToText, PreTrainedModel

from groundproof.errors import GroundproofError
from groundproof.models.embedded import EMBEDDED_FOLDER
from groundproof.models.patch_embedding import patch_embedding_as_linear
from groundproof.models.processing import GridProcessing, load_processing
from groundproof.models.profiles import Profile, get_profile
from groundproof.models.resolve import resolve
from groundproof_training.errors import TrainingError
from groundproof_training.tuning.configuration import EMBEDDED, Configuration, LoraSettings

VISUAL_TOKENS = (
    "image",
    "video",
    "image_start",
    "image_end",
    "video_start",
    "video_end",
    "vision_start",
    "vision_end",
)
"""`<name>_token_id` in the configurations of the families: what stands for pixels and must never be sampled."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model folder, opened without its weights. end_id: ends a completion. visual_ids: never written by the model."""

    folder: Path
    profile: Profile
    config: Any
    processing: GridProcessing
    end_id: int
    visual_ids: tuple[int, ...]

    @property
    def tokenizer(self) -> Any:
        """The folder's tokenizer."""
        return self.processing.tokenizer


def find_folder(source: str) -> Path:
    """`source` as a folder on this machine; a hub id is fetched with the hub's own client. Raises TrainingError."""
    if source == EMBEDDED:
        return EMBEDDED_FOLDER
    path = Path(source).expanduser()
    if path.is_dir():
        return path
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", source):
        raise TrainingError(
            f"the model {source} is neither a folder nor a hub id; give a folder with --model"
        )
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(source))
    except Exception as err:  # the hub's client has many; all mean that the model is not here
        reason = str(err).splitlines()[0] if str(err) else type(err).__name__
        raise TrainingError(
            f"the model {source} is no folder here and could not be fetched ({reason}); give its folder with --model"
        ) from err


def open_checkpoint(cfg: Configuration, source: str | None = None) -> Checkpoint:
    """The folder of `source` or of the configuration, checked. Raises TrainingError."""
    folder = find_folder(source or cfg.model.source)
    try:
        profile = get_profile(cfg.model.profile) if cfg.model.profile else resolve(str(folder)).profile
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        processing = load_processing(folder, config)
    except (GroundproofError, OSError, ValueError) as err:
        raise TrainingError(str(err).splitlines()[0]) from err
    if not isinstance(processing, GridProcessing):
        raise TrainingError(
            f"{folder} holds a model of type {config.model_type}; trained here are glm4v, qwen2_5_vl and qwen3_vl"
        )
    step = processing.image_processor.patch_size * processing.image_processor.merge_size
    if profile.patch_merge_px % step:
        raise TrainingError(
            f"the profile {profile.name} has image sides in multiples of {profile.patch_merge_px} px, the model in "
            f"{folder} takes multiples of {step} px; choose a profile that fits"
        )
    _check_pixels(cfg, processing.image_processor)
    return Checkpoint(
        folder, profile, config, processing, _end_id(cfg, processing.tokenizer), _visual_ids(config)
    )


def _check_pixels(cfg: Configuration, images: Any) -> None:
    """The image processor must not resize what was resized before: its limits must hold ours."""
    low, high = images.size["shortest_edge"], images.size["longest_edge"]
    # GLM-4V's processor counts the frames that a still image fills, Qwen's does not.
    frames = images.temporal_patch_size if "Glm4v" in type(images).__name__ else 1
    if cfg.data.min_pixels * frames < low or cfg.data.max_pixels * frames > high:
        raise TrainingError(
            f"min_pixels {cfg.data.min_pixels} and max_pixels {cfg.data.max_pixels} reach past the model's own limits, "
            f"{-(-low // frames)} to {high // frames} px: it would resize images once more; change [data], or `size` "
            "in its preprocessor_config.json"
        )


def _end_id(cfg: Configuration, tokenizer: Any) -> int:
    found = tokenizer.convert_tokens_to_ids(cfg.model.end_token)
    if found is None or found == tokenizer.unk_token_id:
        raise TrainingError(
            f"the tokenizer has no token {cfg.model.end_token!r} (model.end_token); its end is "
            f"{tokenizer.eos_token!r}"
        )
    return int(found)


def _visual_ids(config: Any) -> tuple[int, ...]:
    found = {getattr(config, f"{name}_token_id", None) for name in VISUAL_TOKENS}
    return tuple(sorted(token for token in found if token is not None))


def load_weights(point: Checkpoint, cfg: Configuration) -> PreTrainedModel:
    """The model on the CPU in training mode, ready for a trainer: what is frozen is frozen, its end token ends
    generation. Weights that learn are float32; under adapters the others are in the precision of the computation."""
    frozen_base = cfg.train.lora is not None and cfg.train.precision == "bfloat16"
    try:
        model = AutoModelForImageTextToText.from_pretrained(
            point.folder,
            dtype=torch.bfloat16 if frozen_base else torch.float32,
            attn_implementation="sdpa",
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
        )
    except (OSError, ValueError, RuntimeError) as err:
        raise TrainingError(
            f"the model in {point.folder} cannot be loaded: {str(err).splitlines()[0]}"
        ) from err
    if not torch.cuda.is_available():
        patch_embedding_as_linear(model)
    freeze(model, cfg)
    end_with(model, point)
    return model.train()


def end_with(model: Any, point: Checkpoint) -> None:
    """Make the end token one of those that end generation. The trainer sets them to the tokenizer's when it begins, so
    this is done before a run and again before the model is written."""
    generation = model.generation_config
    ends = generation.eos_token_id if generation.eos_token_id is not None else point.tokenizer.eos_token_id
    ends = [ends] if isinstance(ends, int) else list(ends or [])
    generation.eos_token_id = ends if point.end_id in ends else [*ends, point.end_id]


def freeze(model: nn.Module, cfg: Configuration) -> None:
    """Stop the gradients of the vision tower where it is to stay as it is."""
    model.model.visual.requires_grad_(cfg.train.vision == "trained")


def adapter_targets(model: nn.Module) -> str:
    """A pattern of module names: every linear layer of the language model, none of the tower, not the output layer."""
    leaves = {
        name.rpartition(".")[2]
        for name, module in model.model.language_model.named_modules()
        if isinstance(module, nn.Linear)
    }
    return rf".*language_model\..*\.({'|'.join(sorted(leaves))})$"


def adapters(model: nn.Module, settings: LoraSettings) -> Any:
    """peft's configuration of the adapters."""
    from peft import LoraConfig

    return LoraConfig(
        r=settings.r,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules=adapter_targets(model),
        task_type="CAUSAL_LM",
    )

"""A model's sizes from its configuration alone: weights counted on the meta device, activations on one real layer.

Knows architectures. Refuses to know recipes and hardware. No weights are read, and no memory is taken for them but that
of one layer at a time.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoConfig, AutoModelForImageTextToText

from groundproof_training.errors import TrainingError
from groundproof_training.tuning.checkpoint import adapter_targets, find_folder
from groundproof_training.tuning.configuration import Configuration, folder

PROBE_TOKENS = 64
"""Of the forward pass in which a layer's saved activations are counted; they grow with the number of tokens."""


@dataclass(frozen=True, slots=True)
class Architecture:
    """Numbers of weights, and bytes that one layer keeps for the backward pass per token (vision: per patch), in
    bfloat16 where attention keeps no matrix of its weights. embedding: the table that is looked up, not multiplied.
    adapter: weights of one unit of LoRA rank."""

    name: str
    total: int
    vision: int
    language: int
    embedding: int
    adapter: int
    layers: int
    width: int
    layer_bytes: float
    vision_layers: int
    vision_width: int
    vision_layer_bytes: float
    merge: int


def read_config(cfg: Configuration, model: str | None) -> tuple[str, Any]:
    """Name and transformers configuration: of the folder asked for, else of the file beside the TOML."""
    if model is None and cfg.model.architecture is not None:
        path = folder() / cfg.model.architecture
        if not path.is_file():
            path = Path(cfg.model.architecture)
        try:
            return path.stem, AutoConfig.for_model(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError) as err:
            raise TrainingError(f"the architecture {path} cannot be read: {err}") from err
    place = find_folder(model or cfg.model.source)
    try:
        return place.name, AutoConfig.from_pretrained(place, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError) as err:
        raise TrainingError(f"{place} holds no model: {str(err).splitlines()[0]}") from err


def on_meta(config: Any) -> nn.Module:
    """The model without memory for its weights."""
    with torch.device("meta"):
        model = AutoModelForImageTextToText.from_config(config)
    model.tie_weights()
    return model


def measure(name: str, config: Any) -> Architecture:
    """Count a model's weights and measure one layer of each part. A second or two for 9 billion weights."""
    model = on_meta(config)
    text = config.get_text_config()
    vision = config.vision_config
    visual = model.model.visual
    language = sum(p.numel() for p in model.model.language_model.parameters())
    head = model.lm_head.weight.numel()
    embedding = model.model.language_model.embed_tokens.weight.numel()
    tied = model.lm_head.weight is model.model.language_model.embed_tokens.weight
    return Architecture(
        name,
        total=count(model),
        vision=count(visual),
        language=language + (0 if tied else head),
        # A tied table is multiplied once as the output layer.
        embedding=0 if tied else embedding,
        adapter=_adapter_weights(model),
        layers=text.num_hidden_layers,
        width=text.hidden_size,
        layer_bytes=_language_bytes(model, text),
        vision_layers=vision.depth,
        vision_width=vision.hidden_size,
        vision_layer_bytes=_vision_bytes(visual, vision),
        merge=vision.spatial_merge_size**2,
    )


def count(module: nn.Module) -> int:
    """Weights, shared ones once."""
    return sum(p.numel() for p in module.parameters())


def _adapter_weights(model: nn.Module) -> int:
    pattern = re.compile(adapter_targets(model))
    return sum(
        module.in_features + module.out_features
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and pattern.fullmatch(name)
    )


def _real(layer: nn.Module) -> nn.Module:
    """The same layer with memory, bfloat16; its values do not matter."""
    made = layer.to_empty(device="cpu").to(torch.bfloat16)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.fill_(0.01)
    return made


def _saved(forward: Any, weights: set[int]) -> int:
    """Bytes that autograd keeps in one forward pass, weights left out, shared storage once."""
    seen: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            seen[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        out = forward()
    del out
    return sum(seen.values())


def _weights_of(layer: nn.Module) -> set[int]:
    return {p.untyped_storage().data_ptr() for p in layer.parameters()}


def _language_bytes(model: nn.Module, text: Any) -> float:
    layer = _real(model.model.language_model.layers[0])
    head = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    part = (text.rope_parameters or {}).get("partial_rotary_factor", 1.0)
    turned = int(head * part)
    cos = torch.ones(1, PROBE_TOKENS, turned, dtype=torch.bfloat16)
    x = torch.zeros(1, PROBE_TOKENS, text.hidden_size, dtype=torch.bfloat16, requires_grad=True)
    layer.self_attn.config._attn_implementation = "sdpa"  # noqa: SLF001 - transformers has no public setter
    saved = _saved(
        lambda: layer(x, position_embeddings=(cos, cos.clone()), attention_mask=None), _weights_of(layer)
    )
    return saved / PROBE_TOKENS


def _vision_bytes(visual: nn.Module, vision: Any) -> float:
    block = _real(visual.blocks[0])
    head = vision.hidden_size // vision.num_heads
    cos = torch.ones(PROBE_TOKENS, head, dtype=torch.bfloat16)
    x = torch.zeros(PROBE_TOKENS, vision.hidden_size, dtype=torch.bfloat16, requires_grad=True)
    ends = torch.tensor([0, PROBE_TOKENS], dtype=torch.int32)
    block.attn.config._attn_implementation = "sdpa"  # noqa: SLF001
    saved = _saved(
        lambda: block(x, cu_seqlens=ends, position_embeddings=(cos, cos.clone())), _weights_of(block)
    )
    return saved / PROBE_TOKENS

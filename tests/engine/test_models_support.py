"""A random Glm4v of two layers with its own tokenizer, written to a folder like any checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import Glm4vConfig, Glm4vForConditionalGeneration, PreTrainedTokenizerFast
from transformers.models.glm4v.image_processing_pil_glm4v import Glm4vImageProcessorPil

from groundproof.models.base import Piece, Request

SPECIAL = (
    "<|endoftext|>",
    "<|system|>",
    "<|user|>",
    "<|assistant|>",
    "<|begin_of_image|>",
    "<|image|>",
    "<|end_of_image|>",
    "<|begin_of_video|>",
    "<|video|>",
    "<|end_of_video|>",
)

CHAT_TEMPLATE = """\
{%- for m in messages -%}
<|{{ m.role }}|>
{% if m.content is string %}{{ m.content }}{% else %}{% for part in m.content -%}
{%- if part.type == 'image' %}<|begin_of_image|><|image|><|end_of_image|>
{%- elif part.type == 'text' %}{{ part.text }}{% endif %}
{%- endfor %}{% endif %}
{%- endfor -%}
{%- if add_generation_prompt %}<|assistant|>
{% endif %}"""

WORDS = [
    "How many airplanes are in the image? [12, 345, 678, 999] ship storage tank vehicle",
    "Répondez en français: combien d'avions, où sont-ils? 機場 🛩️",
]


def make_tokenizer() -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(WORDS, trainer)
    tokenizer.add_special_tokens([AddedToken(text, normalized=False) for text in SPECIAL])
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token=SPECIAL[0], eos_token=SPECIAL[0])
    fast.chat_template = CHAT_TEMPLATE
    return fast


def make_config(tokenizer: PreTrainedTokenizerFast) -> Glm4vConfig:
    ids = {text: tokenizer.convert_tokens_to_ids(text) for text in SPECIAL}
    stops = [ids["<|endoftext|>"], ids["<|user|>"]]
    return Glm4vConfig(
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "max_position_embeddings": 512,
            "pad_token_id": stops[0],
            "eos_token_id": stops,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 100.0,
                "partial_rotary_factor": 1.0,
                "mrope_section": [2, 1, 1],
            },
        },
        vision_config={
            "depth": 2,
            "hidden_size": 32,
            "num_heads": 2,
            "image_size": 112,
            "out_hidden_size": 32,
            "intermediate_size": 64,
            "rope_parameters": {"rope_type": "axial", "rope_theta": 100.0},
        },
        image_token_id=ids["<|image|>"],
        video_token_id=ids["<|video|>"],
        image_start_token_id=ids["<|begin_of_image|>"],
        image_end_token_id=ids["<|end_of_image|>"],
        video_start_token_id=ids["<|begin_of_video|>"],
        video_end_token_id=ids["<|end_of_video|>"],
        eos_token_id=stops,
        pad_token_id=stops[0],
    )


def write_checkpoint(folder: Path, seed: int = 0) -> Path:
    """Random weights at a scale where answers differ between images and end at different lengths."""
    tokenizer = make_tokenizer()
    torch.manual_seed(seed)
    model = Glm4vForConditionalGeneration(make_config(tokenizer))
    for name, weight in model.named_parameters():
        if weight.ndim > 1:
            torch.nn.init.normal_(weight, std=1.0 if "embed" in name else 2.0 / weight[0].numel() ** 0.5)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    size = {"shortest_edge": 56 * 56, "longest_edge": 28 * 28 * 4096}
    Glm4vImageProcessorPil(size=size).save_pretrained(folder)
    return folder


def noise(seed: int, height: int = 84, width: int = 112) -> NDArray[np.uint8]:
    coarse = np.random.default_rng(seed).integers(0, 256, (height // 14, width // 14, 3), dtype=np.uint8)
    return coarse.repeat(14, axis=0).repeat(14, axis=1)


def ask(
    seed: int, text: str = "How many ships?", size: tuple[int, int] = (84, 112), **kwargs: Any
) -> Request:
    return Request(f"r{seed}", (noise(seed, *size),), "Look.", text, **kwargs)


def texts(pieces: list[Piece]) -> dict[str, str]:
    out: dict[str, str] = {}
    for piece in pieces:
        out[piece.request_id] = out.get(piece.request_id, "") + piece.text
    return out


def finishes(pieces: list[Piece]) -> dict[str, str]:
    return {piece.request_id: piece.finish for piece in pieces if piece.finish is not None}

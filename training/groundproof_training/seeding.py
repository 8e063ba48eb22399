"""First weights of the language model from what the dense stage learnt to read, before it has seen any text.

The dense heads know in which directions of a vision token its class and its box lie. The pointer stage would have to
find them again; here they are put where they will be needed. Changes weights only, in place, once.
"""

from __future__ import annotations

import math

import torch
from transformers import Glm4vForConditionalGeneration, PreTrainedTokenizerFast

from groundproof_training.dense import DenseHeads
from groundproof_training.number_code import CODE_SIZE
from groundproof_training.pointing import LossConfig
from groundproof_training.scenes import CLASSES
from groundproof_training.templates import WORDS

CLASS_SHARE = 0.8
"""How much of a class word's embedding is the direction in which vision tokens carry that class."""


@torch.no_grad()
def seed_language(
    model: Glm4vForConditionalGeneration,
    heads: DenseHeads,
    tokenizer: PreTrainedTokenizerFast,
    cfg: LossConfig,
) -> None:
    """Class words point where vision tokens carry the class; attention begins by matching like with like; the
    pointing heads carry the box of the token that they look at."""
    _seed_words(model, heads, tokenizer)
    layers = model.model.language_model.layers
    for layer in layers[: cfg.pointer_layer + 1]:
        attention = layer.self_attn
        side, groups = attention.head_dim, attention.num_key_value_groups
        keys = attention.k_proj.weight.view(-1, side, attention.k_proj.in_features)
        queries = attention.q_proj.weight.view(-1, side, attention.q_proj.in_features)
        queries[::groups] = keys
    _seed_boxes(layers[cfg.pointer_layer].self_attn, heads, cfg)


def _seed_words(
    model: Glm4vForConditionalGeneration, heads: DenseHeads, tokenizer: PreTrainedTokenizerFast
) -> None:
    table = model.model.language_model.embed_tokens.weight
    size = table.shape[1]
    directions = heads.label.weight - heads.label.weight.mean(0)
    directions = directions / directions.norm(dim=-1, keepdim=True) * math.sqrt(size)
    rest = math.sqrt(1 - CLASS_SHARE**2)
    for k, label in enumerate(CLASSES):
        for wording in {word for pair in WORDS[label] for word in pair}:
            last = tokenizer.encode(f" {wording}", add_special_tokens=False)[-1]
            table[last] = CLASS_SHARE * directions[k] + rest * table[last]


def _seed_boxes(attention: torch.nn.Module, heads: DenseHeads, cfg: LossConfig) -> None:
    """Value and output of the pointing heads: two of the four number codes each, into subspaces of their own."""
    side, groups = attention.head_dim, attention.num_key_value_groups
    if side < 2 * CODE_SIZE:
        return  # a head of a toy model has no room for two codes
    size = attention.v_proj.in_features
    codes = heads.numbers.weight / heads.numbers.weight.norm(dim=-1, keepdim=True)
    generator = torch.Generator().manual_seed(1)
    free = torch.linalg.qr(torch.randn(size, 4 * CODE_SIZE, generator=generator)).Q
    for n, head in enumerate(cfg.pointer_heads[:2]):
        rows = slice(2 * n * CODE_SIZE, (2 * n + 2) * CODE_SIZE)
        group = head // groups
        attention.v_proj.weight[group * side : group * side + 2 * CODE_SIZE] = codes[rows]
        columns = slice(head * side, head * side + 2 * CODE_SIZE)
        attention.o_proj.weight[:, columns] = free[:, rows] * 1.5

"""The losses of the language stages: next token, smooth numbers, and where to look.

Used by the pointer stage and by the SFT trainer alike. Everything is computed from the stock model's own layers
through hooks; nothing of this is needed to load or run the model.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from pydantic import BaseModel, ConfigDict
from torch import nn
from transformers import Glm4vForConditionalGeneration
from transformers.models.glm4v.modeling_glm4v import apply_rotary_pos_emb

from groundproof_training.cells import anchor_cells
from groundproof_training.number_code import N_NUMBERS, soft_numbers
from groundproof_training.sequences import SequenceBatch
from groundproof_training.shards import Objects


class LossConfig(BaseModel):
    """Weights and places of the language losses. Defaults are those of the shipped `tiny`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pointer_layer: int = 3
    pointer_heads: tuple[int, ...] = (0, 2)
    pointer_weight: float = 1.0
    number_weight: float = 1.0
    number_sigma_permille: float = 5.0
    link_layer: int = 2
    link_heads: tuple[int, ...] = (0, 2)
    link_weight: float = 1.0
    decision_weight: float = 4.0


class Tap:
    """Remembers what enters one layer's attention during a forward pass."""

    def __init__(self, model: Glm4vForConditionalGeneration, layer: int) -> None:
        self.attention = model.model.language_model.layers[layer].self_attn
        self._normed: torch.Tensor | None = None
        self._places: tuple[torch.Tensor, torch.Tensor] | None = None
        self._handle = self.attention.register_forward_pre_hook(self._see, with_kwargs=True)

    def _see(self, _module: nn.Module, args: tuple, kwargs: dict) -> None:
        self._normed = kwargs["hidden_states"] if "hidden_states" in kwargs else args[0]
        self._places = kwargs["position_embeddings"]

    def log_attention(
        self,
        heads: Sequence[int],
        first: int,
        rows: Sequence[int] | None = None,
        places: Sequence[int] = (),
        allowed: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Causal log attention of these heads from position `first` on: (B, heads, L - first, L). Right padding.

        With `rows` and `places` (n each): of those single positions only, (n, heads, L). allowed (B, L, L): which
        position may look at which, where that is not plain causal attention.
        """
        a = self.attention
        x = self._normed
        b, length, _ = x.shape
        q = a.q_proj(x).view(b, length, -1, a.head_dim).transpose(1, 2)
        k = a.k_proj(x).view(b, length, -1, a.head_dim).transpose(1, 2)
        q, k = apply_rotary_pos_emb(q, k, *self._places)
        q = q[:, list(heads)]
        k = k[:, [h // a.num_key_value_groups for h in heads]]
        if rows is not None:
            scores = torch.einsum("nhd,nhld->nhl", q[rows, :, places], k[rows]) * a.scaling
            later = torch.arange(length)[None] > torch.tensor(places)[:, None]
            return scores.masked_fill(later[:, None], -1e9).log_softmax(-1)
        q = q[:, :, first:]
        scores = q @ k.transpose(2, 3) * a.scaling
        hidden = torch.ones(1, length, length, dtype=torch.bool).triu(1) if allowed is None else ~allowed
        return scores.masked_fill(hidden[:, None, first:], -1e9).log_softmax(-1)

    def close(self) -> None:
        """Remove the hook."""
        self._handle.remove()


def link_loss(
    tap: Tap,
    heads: Sequence[int],
    objects: Sequence[Objects],
    image_start: int,
    size_px: tuple[int, int],
) -> tuple[torch.Tensor, float]:
    """Each anchor token should look back at the anchor before it of its own class, the first at `<|begin_of_image|>`.

    With that link in its key, "the object after the one just written" is a plain match of two boxes for the pointer
    layer, instead of a search. Returns the loss and the mean attention on the right token.
    """
    rows, places, goals = [], [], []
    for row, o in enumerate(objects):
        cells = anchor_cells(o.boxes, *size_px)
        for label in set(o.labels.tolist()):
            chain = sorted(int(c) for c in cells[o.labels == label])
            rows += [row] * len(chain)
            places += [image_start + c for c in chain]
            goals += [image_start - 1] + [image_start + c for c in chain[:-1]]
    if not rows:
        return torch.zeros(()), 1.0
    looked = tap.log_attention(heads, 0, rows, places)[torch.arange(len(rows)), :, goals]
    return -looked.mean(), looked.exp().mean().item()


def language_loss(
    model: Glm4vForConditionalGeneration,
    tap: Tap,
    link: Tap,
    hidden: torch.Tensor,
    batch: SequenceBatch,
    objects: Sequence[Objects],
    size_px: tuple[int, int],
    image_start: int,
    first_number: int,
    cfg: LossConfig,
) -> tuple[torch.Tensor, dict[str, float]]:
    """All language losses of one batch of equal-sized tiles.

    hidden: last hidden states (B, L, size) of the language model; objects: of each row's tile; size_px: width, height.
    """
    weight, target = batch.weights[:, 1:], batch.ids[:, 1:]
    value, point = batch.numbers[:, 1:], batch.points[:, 1:]
    learn = (weight > 0).nonzero(as_tuple=True)
    logits = model.lm_head(hidden[:, :-1][learn])
    target, value, w = target[learn], value[learn], weight[learn]
    norm = logits.logsumexp(-1)
    text = value < 0
    picked = logits[text].gather(1, target[text][:, None])[:, 0]
    loss_text = ((norm[text] - picked) * w[text]).sum() / w[text].sum()
    right = (logits[text].argmax(-1) == target[text]).float().mean().item()
    parts = {"text": loss_text.item(), "right": right}
    total = loss_text
    if bool((~text).any()):
        block = logits[~text][:, first_number : first_number + N_NUMBERS]
        soft = soft_numbers(value[~text], cfg.number_sigma_permille)
        entropy = -(soft * soft.clamp(min=1e-9).log()).sum(-1).mean()
        loss_number = (norm[~text] - (soft * block).sum(-1)).mean() - entropy
        error = (block.argmax(-1) - value[~text]).abs().float()
        parts.update(number=loss_number.item(), error=error.mean().item(), median=error.median().item())
        total = total + cfg.number_weight * loss_number
    if bool((point >= 0).any()):
        loss_pointer, pointer_parts = _pointer_loss(tap, batch, point, int(learn[1].min()), cfg)
        parts.update(pointer_parts)
        total = total + cfg.pointer_weight * loss_pointer
    loss_link, parts["link"] = link_loss(link, cfg.link_heads, objects, image_start, size_px)
    return total + cfg.link_weight * loss_link, parts


def _pointer_loss(
    tap: Tap, batch: SequenceBatch, point: torch.Tensor, first: int, cfg: LossConfig
) -> tuple[torch.Tensor, dict[str, float]]:
    """Cross-entropy of the attention on the token to look at; positions that choose the next object weigh more."""
    log_attention = tap.log_attention(cfg.pointer_heads, first, allowed=batch.allowed())
    rows, places = (point[:, first:] >= 0).nonzero(as_tuple=True)
    goal = point[rows, places + first]
    looked = log_attention[rows, :, places, goal]
    decided = batch.weights[rows, places + first + 1] > 1
    share = 1 + (cfg.decision_weight - 1) * decided.float()
    loss = -(looked.mean(-1) * share).sum() / share.sum()
    parts = {"pointer": loss.item(), "mass": looked.exp().mean().item()}
    if bool(decided.any()):
        parts["mass_next"] = looked[decided].exp().mean().item()
    return loss, parts


def image_positions(length: int, image_start: int, columns: int, rows: int) -> torch.Tensor:
    """The model's own 3-D positions (3, length) of a prompt whose image begins at `image_start`, without a batch.

    The same numbers as `Glm4vModel.get_rope_index` (a test compares them), which loops over rows in Python.
    """
    text = torch.arange(length)
    positions = text.expand(3, length).clone()
    cells = torch.arange(rows * columns)
    end = image_start + rows * columns
    positions[0, image_start:end] = image_start
    positions[1, image_start:end] = image_start + cells // columns
    positions[2, image_start:end] = image_start + cells % columns
    positions[:, end:] = text[: length - end] + image_start + max(rows, columns)
    return positions

"""Greedy decoding of a few rows at once, one token per row and step.

Knows a transformers model's forward, its key/value cache and M-RoPE positions. Refuses to know requests,
text and threads. A loop of its own instead of `model.generate`, because rows must stream, stop, shrink and
be cancelled one by one, and because the log-probability of every token is wanted.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import Cache, DynamicCache, DynamicLayer

from groundproof.models.processing import Patches, Prepared, joined, left_padded


class GrowingLayer(DynamicLayer):  # type: ignore[misc]  # transformers is untyped here
    """One layer's keys and values in storage that grows by half, so that a step copies one token, not all.

    transformers' own layer concatenates the whole cache at every step.
    """

    keys: Tensor
    values: Tensor

    def update(
        self, key_states: Tensor, value_states: Tensor, *_args: Any, **_kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """Append states (batch, heads, new, head size); returns all of them so far."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
            self._storage: list[Tensor] = []
        old = self.get_seq_length()
        new = old + key_states.shape[-2]
        if not self._storage or new > self._storage[0].shape[-2]:
            self._storage = [
                self._grown(states, like, old, new)
                for states, like in ((self.keys, key_states), (self.values, value_states))
            ]
        keys, values = self._storage
        keys[:, :, old:new] = key_states
        values[:, :, old:new] = value_states
        self.keys, self.values = keys[:, :, :new], values[:, :, :new]
        return self.keys, self.values

    def batch_select_indices(self, indices: Tensor) -> None:
        """Keep only these rows of the batch."""
        length = self.get_seq_length()
        self._storage = [states[indices] for states in self._storage]
        self.keys, self.values = (states[:, :, :length] for states in self._storage)

    @staticmethod
    def _grown(states: Tensor, like: Tensor, old: int, new: int) -> Tensor:
        batch, heads, _, size = like.shape
        storage = like.new_empty(batch, heads, new + max(64, new // 2), size)
        if old:
            storage[:, :, :old] = states
        return storage


@dataclass(frozen=True, slots=True)
class Decoding:
    """How tokens are chosen. stop_ids: end the answer, are no part of it. repetition_penalty: as in CTRL
    (arXiv 1909.05858) and transformers, over prompt and answer; 1.0: none. pad_id: fills short rows."""

    stop_ids: frozenset[int]
    pad_id: int
    repetition_penalty: float = 1.0


@dataclass(slots=True)
class Row:
    """One answer in the making. tokens: chosen so far, without the stop token; limit: how many at most."""

    prepared: Prepared
    limit: int
    tokens: list[int] = field(default_factory=list)


class Batch:
    """Rows decoded together. Left padded; a row that is no longer wanted is dropped with `keep`.

    An image that several rows hold (the same `Patches`) goes through the vision tower once. Rows that begin
    with the same system text and images also share that beginning's keys and values: it is computed once, and
    the questions are read behind it. Which rows share depends on the rows alone.

    Padding is masked out exactly (weight zero), and positions count real tokens only, so a row's result
    depends on its companions through the rounding of larger matrix products alone.
    """

    def __init__(self, model: Any, rows: list[Row], decoding: Decoding) -> None:
        self._model = model
        self._decoding = decoding
        self._device = model.device
        self._cache = _new_cache(model)
        self._pending: Tensor | None = None
        """Chosen tokens (rows, 1) that the model has not seen yet."""
        with torch.inference_mode():
            self._start(rows)

    def _start(self, rows: list[Row]) -> None:
        texts = [row.prepared.ids + row.tokens for row in rows]
        ids = left_padded(texts, self._decoding.pad_id)
        kinds = left_padded([r.prepared.image_mask + [0] * len(r.tokens) for r in rows], 0)
        longest = ids.shape[1]
        padded = any(len(text) < longest for text in texts)
        mask = left_padded([[1] * len(text) for text in texts], 0)
        patches = [one for row in rows for one in row.prepared.patches]
        positions, self._next_position = self._positions(ids, kinds, mask, patches)
        self._seen = self._seen_tokens(ids, mask) if self._decoding.repetition_penalty != 1.0 else None
        sharing = _sharing(rows)
        if sharing is not None and all(isinstance(layer, GrowingLayer) for layer in self._cache.layers):
            self._read_shared(rows, sharing, ids, mask, positions)
            return
        self._mask = mask.to(self._device) if padded else None
        tensors = _joined([row.prepared.others for row in rows])
        if not self._has_mrope:
            takes = inspect.signature(type(self._model).forward).parameters
            masks = {"mm_token_type_ids": kinds, "token_type_ids": kinds}
            tensors = {name: value for name, value in {**masks, **tensors}.items() if name in takes}
        moved = {name: value.to(self._device) for name, value in tensors.items()}
        self._logits = self._forward(
            ids.to(self._device), positions.to(self._device), **self._encoded(patches), **moved
        )

    def _read_shared(
        self, rows: list[Row], sharing: _Sharing, ids: Tensor, mask: Tensor, positions: Tensor
    ) -> None:
        """Read each distinct beginning once, give every row a copy of its keys and values, read the rest."""
        length = ids.shape[1]
        starts = [length - len(row.prepared.ids) - len(row.tokens) for row in rows]
        ends = [start + row.prepared.beginning for start, row in zip(starts, rows, strict=True)]
        beginnings = [(k, starts[k], ends[k]) for k in sharing.first]
        rests = [(k, end, length) for k, end in enumerate(ends)]
        pad = self._decoding.pad_id
        begun = _cut(mask, beginnings, 0)
        self._mask = None if begun.all() else begun.to(self._device)
        self._forward(
            _cut(ids, beginnings, pad).to(self._device),
            _cut(positions, beginnings, 0).to(self._device),
            **self._encoded([one for k in sharing.first for one in rows[k].prepared.patches]),
        )
        which = torch.tensor(sharing.which)
        for layer in self._cache.layers:
            layer.batch_select_indices(which.to(self._device))
        whole = torch.cat([begun[which], _cut(mask, rests, 0)], dim=1)
        self._mask = None if whole.all() else whole.to(self._device)
        self._logits = self._forward(
            _cut(ids, rests, pad).to(self._device), _cut(positions, rests, 0).to(self._device)
        )

    def _encoded(self, patches: list[Patches]) -> dict[str, Any]:
        """The images' features for the model's forward: each distinct image is computed once."""
        if not patches:
            return {}
        places = {one: place for place, one in enumerate(dict.fromkeys(patches))}
        output = self._model.model.get_image_features(
            joined([one.values for one in places]).to(self._device),
            joined([one.grid for one in places]).to(self._device),
            return_dict=True,
        )
        order = [places[one] for one in patches]
        output.pooler_output = tuple(output.pooler_output[place] for place in order)
        deep = getattr(output, "deepstack_features", None)
        if (
            deep is not None
        ):  # Qwen3-VL's: of some layers of the tower, for the first layers of the language model
            output.deepstack_features = [tuple(layer[place] for place in order) for layer in deep]
        return {"mm_encoder_outputs": {"image": output}}

    @property
    def _has_mrope(self) -> bool:
        return hasattr(getattr(self._model, "model", None), "get_rope_index")

    def _positions(
        self, ids: Tensor, kinds: Tensor, mask: Tensor, patches: list[Patches]
    ) -> tuple[Tensor, Tensor]:
        """Positions of the prompt, (3, rows, length) with M-RoPE else (rows, length), and of what follows."""
        if not self._has_mrope:
            positions = (mask.cumsum(-1) - 1).clamp(min=0)
            return positions, (positions[:, -1:] + 1).to(self._device)
        grids = joined([one.grid for one in patches]) if patches else None
        positions, deltas = self._model.model.get_rope_index(
            ids, kinds, image_grid_thw=grids, attention_mask=mask
        )
        following = mask.sum(-1, keepdim=True) + deltas
        return positions, following.unsqueeze(0).expand(3, -1, -1).to(self._device)

    def _seen_tokens(self, ids: Tensor, mask: Tensor) -> Tensor:
        vocabulary = self._model.get_output_embeddings().weight.shape[0]
        seen = torch.zeros(ids.shape[0], vocabulary, dtype=torch.bool)
        for row, (line, real) in enumerate(zip(ids, mask.bool(), strict=True)):
            seen[row, line[real]] = True
        return seen.to(self._device)

    def _forward(self, ids: Tensor, positions: Tensor, **tensors: Any) -> Tensor:
        output = self._model(
            input_ids=ids,
            position_ids=positions,
            attention_mask=self._mask,
            **{_cache_name(type(self._model).forward): self._cache},
            use_cache=True,
            logits_to_keep=1,
            **tensors,
        )
        logits: Tensor = output.logits[:, -1].float()
        return logits

    def step(self) -> tuple[list[int], list[float]]:
        """The next token of every row and its natural log-probability under the model (before any penalty)."""
        with torch.inference_mode():
            return self._step()

    def _step(self) -> tuple[list[int], list[float]]:
        if self._pending is not None:
            if self._mask is not None:
                self._mask = torch.cat([self._mask, self._mask.new_ones(len(self._mask), 1)], dim=1)
            self._logits = self._forward(self._pending, self._next_position)
            self._next_position = self._next_position + 1
        logits = self._logits
        scores = logits
        if self._seen is not None:
            penalty = self._decoding.repetition_penalty
            scores = torch.where(
                self._seen, torch.where(logits < 0, logits * penalty, logits / penalty), logits
            )
        tokens = scores.argmax(-1, keepdim=True)
        logprobs = logits.gather(-1, tokens) - logits.logsumexp(-1, keepdim=True)
        if self._seen is not None:
            self._seen.scatter_(1, tokens, value=True)
        self._pending = tokens
        return tokens.flatten().tolist(), logprobs.flatten().tolist()

    def keep(self, rows: list[int]) -> None:
        """Go on with these rows of the batch only, in this order."""
        with torch.inference_mode():
            self._keep(rows)

    def _keep(self, rows: list[int]) -> None:
        index = torch.tensor(rows, device=self._device)
        for layer in self._cache.layers:
            layer.batch_select_indices(index)
        if self._pending is not None:
            self._pending = self._pending[index]
        self._next_position = self._next_position[..., index, :]
        self._mask = None if self._mask is None else self._mask[index]
        self._seen = None if self._seen is None else self._seen[index]


@dataclass(frozen=True, slots=True)
class _Sharing:
    """Rows with the same beginning. first: the first row of each distinct one; which: each row's place in it."""

    first: list[int]
    which: list[int]


def _sharing(rows: list[Row]) -> _Sharing | None:
    """None where no two rows begin with the same system text and images, or a row holds no image."""
    places: dict[tuple[tuple[Patches, ...], tuple[int, ...]], int] = {}
    first: list[int] = []
    which: list[int] = []
    for number, row in enumerate(rows):
        prepared = row.prepared
        key = (prepared.patches, tuple(prepared.ids[: prepared.beginning]))
        if key not in places:
            places[key] = len(first)
            first.append(number)
        which.append(places[key])
    shared = len(first) < len(rows) and all(row.prepared.patches for row in rows)
    return _Sharing(first, which) if shared else None


def _cut(padded: Tensor, spans: list[tuple[int, int, int]], fill: int) -> Tensor:
    """Parts (row, left, right) of (..., rows, length) as rows of their own, filled from the left."""
    longest = max(right - left for _, left, right in spans)
    out = padded.new_full((*padded.shape[:-2], len(spans), longest), fill)
    for place, (row, left, right) in enumerate(spans):
        out[..., place, longest - (right - left) :] = padded[..., row, left:right]
    return out


@cache
def _cache_name(forward: Callable[..., Any]) -> str:
    """What a model's forward calls its cache: transformers is renaming it, class by class."""
    return "cache" if "cache" in inspect.signature(forward).parameters else "past_key_values"


def _joined(parts: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    names = dict.fromkeys(name for part in parts for name in part)
    return {name: torch.cat([part[name] for part in parts if name in part]) for name in names}


def _new_cache(model: Any) -> Cache:
    """Growing storage where all layers are plain attention; else what transformers makes of the config."""
    text = model.config.get_text_config()
    kinds = set(getattr(text, "layer_types", None) or ["full_attention"])
    if kinds == {"full_attention"} and not getattr(text, "sliding_window", None):
        return Cache(layers=[GrowingLayer() for _ in range(text.num_hidden_layers)])
    return DynamicCache(config=text)

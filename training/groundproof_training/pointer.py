"""Pointer stage: the language model learns to read tiles, list their objects and stop; the tower is frozen.

    groundproof-train pointer --minutes 40

Its own short loop instead of a trainer, for speed: tiles of one shape, features from the batched tower, several
questions behind one copy of an image (they do not see each other), rows of about the same length in one batch. First
short lists, then everything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from torch import nn
from transformers import Glm4vForConditionalGeneration, PreTrainedTokenizerFast

from groundproof_training.cells import CELL_PX, anchor_cells
from groundproof_training.dense import DenseHeads
from groundproof_training.model import IMAGE_MEAN, IMAGE_STD, patches_of, vision_features
from groundproof_training.optim import make_optimiser
from groundproof_training.pace import Pace
from groundproof_training.pointing import LossConfig, Tap, image_positions, language_loss
from groundproof_training.real_batches import RealTiles, real_sample
from groundproof_training.real_data import RealImage
from groundproof_training.scenes import CLASSES, SCENE_TYPES
from groundproof_training.sequences import Encoder, Sequence1, collate
from groundproof_training.shards import Batch, Objects, Shards
from groundproof_training.templates import Sample, make_sample, permille_boxes, without_rationale
from groundproof_training.tokenizer import first_number_id


class PointerConfig(BaseModel):
    """One pointer run. Defaults are those of the shipped `tiny`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    minutes: float = 40.0
    max_steps: int = 1_000_000
    image_tokens_per_step: int = 640
    questions: int = 3
    most: int = 10
    candidates: int = 3
    learning_rate: float = 2e-3
    floor: float = 0.3
    warmup_steps: int = 60
    easy_share: float = 0.15
    easy_objects: int = 3
    real_share: float = 0.06
    tasks: tuple[str, ...] | None = ("count", "detect", "ground", "vqa")
    forms: Literal["geo-cot", "answer", "both"] = "geo-cot"
    """Completions with a rationale, without, or each for half of the questions."""
    seed: int = 2
    checkpoint_s: float = 180.0
    loss: LossConfig = LossConfig()


class Draw:
    """Draws tiles with questions about each, rows about equally long in one batch; sometimes real tiles."""

    def __init__(
        self, shards: Shards, encoder: Encoder, cfg: PointerConfig, real: RealTiles | None = None
    ) -> None:
        self._shards, self._encoder, self._cfg, self._real = shards, encoder, cfg, real

    def __call__(
        self, rng: np.random.Generator, easy: bool
    ) -> tuple[Batch, list[list[Sequence1]], list[RealImage] | None]:
        """One batch, the sequences of each tile, and, for real tiles, what is known of each; `easy` keeps the lists
        short."""
        cfg = self._cfg
        if self._real is not None and not easy and rng.random() < cfg.real_share:
            batch, known = self._real.draw(rng, cfg.image_tokens_per_step)
            tokens = (batch.width // CELL_PX) * (batch.height // CELL_PX)
            encode = self._encoder.encode
            return (
                batch,
                [
                    [encode(self._formed(rng, real_sample(rng, k)), tokens) for _ in range(cfg.questions)]
                    for k in known
                ],
                known,
            )
        made: list[list[Sequence1]] = []

        def choose(candidates: Sequence[Objects], width: int, height: int) -> np.ndarray:
            tokens = (width // CELL_PX) * (height // CELL_PX)
            size = max(1, len(candidates) // cfg.candidates)
            asked = [self._ask(rng, o, width, height) for o in candidates]
            order = sorted(range(len(asked)), key=lambda k: sum(len(s.completion) for s in asked[k]))
            if easy:
                short = [k for k in order if max(len(s.boxes) for s in asked[k]) <= cfg.easy_objects]
                order = short if len(short) >= size else order[: max(size, len(short))]
            start = int(rng.integers(len(order) - size + 1))
            keep = np.array(order[start : start + size])
            made.extend([self._encoder.encode(s, tokens) for s in asked[k]] for k in keep)
            return keep

        batch = self._shards.draw(rng, cfg.image_tokens_per_step, choose, cfg.candidates)
        return batch, made, None

    def _ask(self, rng: np.random.Generator, o: Objects, width: int, height: int) -> list[Sample]:
        cells = anchor_cells(o.boxes, width, height)
        boxes = permille_boxes(o.boxes, width, height)
        names = [CLASSES[k] for k in o.labels]
        kind = SCENE_TYPES[o.scene_type] if o.scene_type >= 0 else None
        return [
            self._formed(
                rng,
                make_sample(
                    rng,
                    names,
                    boxes,
                    cells,
                    self._cfg.tasks,
                    scene_type=kind,
                    aspect=width / height,
                    most=self._cfg.most,
                ),
            )
            for _ in range(self._cfg.questions)
        ]

    def _formed(self, rng: np.random.Generator, sample: Sample) -> Sample:
        forms = self._cfg.forms
        if forms == "geo-cot" or (forms == "both" and rng.random() < 0.5):
            return sample
        return without_rationale(sample)


def train_pointer(
    model: Glm4vForConditionalGeneration,
    tokenizer: PreTrainedTokenizerFast,
    heads: DenseHeads,
    shards_dir: Path,
    out: Path,
    cfg: PointerConfig,
    real: RealTiles | None = None,
) -> Iterator[str]:
    """Train the model in place until the minutes or steps are up; checkpoints to `out` and resumes from it.

    heads: of the dense stage; kept in the checkpoint beside the tower they read, for SFT. real: tiles of real pictures,
    mixed in at `real_share`.
    """
    torch.manual_seed(cfg.seed)
    encoder = Encoder(tokenizer)
    language, visual = model.model.language_model, model.model.visual
    visual.requires_grad_(False)
    optimiser = make_optimiser([language, model.lm_head], cfg.learning_rate)
    base = [group["lr"] for group in optimiser.param_groups]
    step, spent = 0, 0.0
    if out.exists():
        state = torch.load(out, weights_only=True)
        model.load_state_dict(state["model"])
        heads.load_state_dict(state["heads"])
        optimiser.load_state_dict(state["optimiser"])
        step, spent = state["step"], state["spent_s"]
        yield f"resumed at step {step}, {spent:.0f} s spent"
    rng = np.random.default_rng([cfg.seed, step])
    draw = Draw(Shards(shards_dir), encoder, cfg, real)
    tap, link = Tap(model, cfg.loss.pointer_layer), Tap(model, cfg.loss.link_layer)
    pad, zero = tokenizer.pad_token_id, first_number_id(tokenizer)
    trained = [p for group in optimiser.param_groups for p in group["params"]]
    pace = Pace(cfg.minutes, cfg.max_steps, cfg.checkpoint_s, step, spent)
    while pace.going:
        progress = pace.progress
        images, sequences, _ = draw(rng, easy=progress < cfg.easy_share)
        columns, rows = images.width // CELL_PX, images.height // CELL_PX
        patches = patches_of(torch.from_numpy(images.images), IMAGE_MEAN, IMAGE_STD)
        with torch.no_grad():
            features = vision_features(visual, patches, images.height, images.width)
        start, end = encoder.image_start, encoder.image_start + columns * rows
        batch = collate(sequences, end + 1, pad, cfg.loss.decision_weight)
        embedded = language.embed_tokens(batch.ids)
        embedded = torch.cat([embedded[:, :start], features, embedded[:, end:]], dim=1)
        positions = image_positions(int(batch.places.max()) + 1, start, columns, rows)[:, batch.places]
        allowed = batch.allowed()
        hidden = language(
            inputs_embeds=embedded,
            position_ids=positions,
            attention_mask=None if allowed is None else allowed[:, None],
            use_cache=False,
        ).last_hidden_state
        loss, parts = language_loss(
            model,
            tap,
            link,
            hidden,
            batch,
            images.objects,
            (images.width, images.height),
            start,
            zero,
            cfg.loss,
        )
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(trained, 2.0)
        factor = pace.factor(cfg.warmup_steps, cfg.floor)
        for group, lr in zip(optimiser.param_groups, base, strict=True):
            group["lr"] = lr * factor
        optimiser.step()
        line = pace.stepped(sum(len(s) for s in sequences), parts, factor)
        if line:
            yield line
        if pace.save_due():
            state = {"model": model.state_dict(), "heads": heads.state_dict(), "optimiser": optimiser.state_dict(),
                         "step": pace.step, "spent_s": pace.spent_s}  # fmt: skip
            out.parent.mkdir(parents=True, exist_ok=True)
            torch.save(state, out.with_suffix(".tmp"))
            out.with_suffix(".tmp").rename(out)
    tap.close()
    link.close()
    visual.requires_grad_(True)

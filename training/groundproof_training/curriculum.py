"""The embedded model's own fine-tuning stage, with TRL's `SFTTrainer`: all tasks, all shapes, and losses that point.

    groundproof-train curriculum --minutes 25

The trainer, its checkpoints and its resume are TRL's. The collator makes a whole batch per step (tiles of one shape
with some questions each, as in the pointer stage), and `compute_loss` adds the terms of `pointing` and the dense loss,
on completions only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from pydantic import BaseModel, ConfigDict
from transformers import Glm4vForConditionalGeneration, PreTrainedTokenizerFast, TrainerCallback
from transformers.modeling_outputs import BaseModelOutputWithPooling
from transformers.trainer_callback import PrinterCallback
from trl import SFTConfig, SFTTrainer

from groundproof_training.cells import CELL_PX
from groundproof_training.dense import DenseConfig, DenseHeads, Targets, dense_loss, patch_loss
from groundproof_training.model import IMAGE_MEAN, IMAGE_STD, patches_of, vision_states
from groundproof_training.optim import make_optimiser
from groundproof_training.pace import Clock
from groundproof_training.pointer import Draw, PointerConfig
from groundproof_training.pointing import LossConfig, Tap, image_positions, language_loss
from groundproof_training.real_batches import RealTiles, real_loss
from groundproof_training.real_data import RealImage
from groundproof_training.sequences import Encoder, collate
from groundproof_training.shards import Batch, Shards
from groundproof_training.tokenizer import first_number_id


class CurriculumSettings(BaseModel):
    """One run of the stage. Defaults are those of the shipped `tiny`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    minutes: float = 25.0
    max_steps: int = 2000
    image_tokens_per_step: int = 640
    questions: int = 3
    most: int = PointerConfig().most
    """Objects a question may ask for; the same as in the pointer stage. Lists of up to 24 made answers ramble."""
    learning_rate: float = 8e-4
    tower_share: float = 0.1
    dense_weight: float = 0.5
    warmup_steps: int = 5
    save_steps: int = 60
    logging_steps: int = 20
    seed: int = 3
    loss: LossConfig = LossConfig()


class Collator:
    """Row = one step's number; returns the language model's inputs of a whole batch plus what the losses need."""

    def __init__(self, draw: Draw, encoder: Encoder, pad_id: int, settings: CurriculumSettings) -> None:
        self._draw, self._encoder, self._pad, self._settings = draw, encoder, pad_id, settings

    def __call__(self, rows: list[dict[str, int]]) -> dict[str, Any]:
        """Keys of the model's forward, and `extra` (not a tensor: it is not moved or split)."""
        rng = np.random.default_rng([self._settings.seed, rows[0]["step"]])
        images, sequences, known = self._draw(rng, easy=False)
        columns, lines = images.width // CELL_PX, images.height // CELL_PX
        start = self._encoder.image_start
        batch = collate(
            sequences, start + columns * lines + 1, self._pad, self._settings.loss.decision_weight
        )
        allowed = batch.allowed()
        return {
            "input_ids": batch.ids,
            "attention_mask": None if allowed is None else allowed[:, None],
            "position_ids": image_positions(int(batch.places.max()) + 1, start, columns, lines)[
                :, batch.places
            ],
            "labels": torch.where(batch.weights > 0, batch.ids, -100),
            "extra": (batch, images, known),
        }


def tower_loss(
    heads: DenseHeads,
    states: torch.Tensor,
    tokens: torch.Tensor,
    batch: Batch,
    known: Sequence[RealImage] | None,
    cfg: DenseConfig,
) -> tuple[torch.Tensor, dict[str, float]]:
    """What keeps the tower's tokens readable while the language model learns with it; `known`: of real tiles."""
    if known is not None:
        return real_loss(heads, tokens, batch, known, cfg)
    targets = Targets(batch)
    loss, parts = dense_loss(heads, tokens, targets, cfg)
    loss_patch, _ = patch_loss(heads, states, targets, cfg)
    kept = ("objectness", "error", "right")
    return loss + loss_patch, {f"dense_{key}": parts[key] for key in kept if key in parts}


class PointingTrainer(SFTTrainer):
    """`SFTTrainer` whose loss also says where to look."""

    def attach(
        self,
        taps: tuple[Tap, Tap],
        heads: DenseHeads,
        encoder: Encoder,
        settings: CurriculumSettings,
    ) -> None:
        """What `compute_loss` needs beside the model; called once after construction."""
        self._taps, self._heads = taps, heads
        self._encoder, self._settings = encoder, settings
        self.parts: dict[str, list[float]] = {}

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):  # type: ignore[override]
        """Next token, numbers, attention and the tower's dense loss."""
        batch, images, known = inputs.pop("extra")
        inputs.pop("labels")
        s = self._settings
        visual = model.model.visual
        patches = patches_of(torch.from_numpy(images.images), IMAGE_MEAN, IMAGE_STD)
        with torch.set_grad_enabled(s.tower_share > 0 and model.training):
            states, tokens = vision_states(visual, patches, images.height, images.width)
        seen = {"image": BaseModelOutputWithPooling(pooler_output=tuple(tokens))}
        outputs = model.model(**inputs, mm_encoder_outputs=seen, use_cache=False)
        loss, parts = language_loss(
            model, *self._taps, outputs.last_hidden_state, batch, images.objects,
            (images.width, images.height), self._encoder.image_start, first_number_id(self.processing_class), s.loss,
        )  # fmt: skip
        if s.tower_share > 0:
            extra, dense_parts = tower_loss(self._heads, states, tokens, images, known, DenseConfig())
            parts.update(dense_parts)
            loss = loss + s.dense_weight * extra
        for key, value in parts.items():
            self.parts.setdefault(key, []).append(value)
        return (loss, outputs) if return_outputs else loss

    def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
        """Adds the parts of the loss to the trainer's own log."""
        means = {key: round(float(np.mean(values)), 4) for key, values in self.parts.items()}
        self.parts.clear()
        super().log({**logs, **means}, *args, **kwargs)


class _Watch(TrainerCallback):
    """Ends the run when its time is up, and hands the trainer's log lines on, with the time left."""

    def __init__(self, clock: Clock, say: Callable[[str], None]) -> None:
        self._clock, self._say = clock, say

    def on_step_end(self, args, state, control, **kwargs):  # type: ignore[no-untyped-def]
        """Stop, with a checkpoint, once the time is up."""
        self._clock.step = state.global_step
        if self._clock.progress >= 1:
            control.should_training_stop = control.should_save = True

    def on_log(self, args, state, control, logs=None, **kwargs):  # type: ignore[no-untyped-def]
        """One line."""
        parts = " ".join(
            f"{k} {v:.3g}" if isinstance(v, float) else f"{k} {v}" for k, v in (logs or {}).items()
        )
        self._say(f"step {state.global_step} {self._clock.left_s:.0f} s left: {parts}")


def train_curriculum(
    model: Glm4vForConditionalGeneration,
    tokenizer: PreTrainedTokenizerFast,
    heads: DenseHeads,
    shards_dir: Path,
    out: Path,
    settings: CurriculumSettings,
    say: Callable[[str], None],
    real: RealTiles | None = None,
) -> None:
    """Train in place; TRL's checkpoints go to `out` and the newest is resumed. say: gets the log lines."""
    encoder = Encoder(tokenizer)
    shards = Shards(shards_dir)
    pointer = PointerConfig(
        questions=settings.questions,
        most=settings.most,
        image_tokens_per_step=settings.image_tokens_per_step,
        tasks=None,
        loss=settings.loss,
    )
    collator = Collator(Draw(shards, encoder, pointer, real), encoder, tokenizer.pad_token_id, settings)
    optimiser = make_optimiser([model.model.language_model, model.lm_head], settings.learning_rate)
    model.model.visual.requires_grad_(settings.tower_share > 0)
    if settings.tower_share > 0:
        slower = settings.learning_rate * settings.tower_share
        for group in make_optimiser([model.model.visual, heads], slower).param_groups:
            optimiser.add_param_group(group)
    for group in optimiser.param_groups:
        group.setdefault("initial_lr", group["lr"])
    steps, warm = settings.max_steps, settings.warmup_steps
    done = max((int(path.name.rpartition("-")[2]) for path in out.glob("checkpoint-*")), default=0)
    clock = Clock(settings.minutes, steps, done)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser,
        lambda step: min((step + 1) / warm, max(0.02, (1 - max(step / steps, clock.progress)) / 0.8), 1.0),
    )
    args = SFTConfig(
        output_dir=str(out),
        max_steps=steps,
        per_device_train_batch_size=1,
        max_length=None,
        use_cpu=True,
        bf16=False,
        gradient_checkpointing=False,
        max_grad_norm=2.0,
        logging_steps=settings.logging_steps,
        save_steps=settings.save_steps,
        save_total_limit=2,
        remove_unused_columns=False,
        dataset_kwargs={"skip_prepare_dataset": True},
        report_to=[],
        disable_tqdm=True,
        dataloader_num_workers=0,
        seed=settings.seed,
    )
    trainer = PointingTrainer(
        model=model,
        args=args,
        train_dataset=Dataset.from_dict({"step": list(range(steps))}),
        data_collator=collator,
        processing_class=tokenizer,
        optimizers=(optimiser, schedule),
        callbacks=[_Watch(clock, say)],
    )
    trainer.remove_callback(PrinterCallback)  # it would print every line a second time
    tap, link = Tap(model, settings.loss.pointer_layer), Tap(model, settings.loss.link_layer)
    trainer.attach((tap, link), heads, encoder, settings)
    model.train()
    trainer.train(resume_from_checkpoint=done > 0)
    tap.close()
    link.close()

"""Supervised fine-tuning on samples with TRL's `SFTTrainer`: next-token loss on completions only.

    groundproof-train sft tiny --data samples.jsonl --root images -o out/sft

The trainer, its optimiser, checkpoints and resume are TRL's. Ours are the rows and the collator: prompts are the
engine's, images have the size that the model sees, and nothing is ever cut.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Any

import torch
from datasets import Dataset
from trl import SFTConfig, SFTTrainer

from groundproof_training.tuning.checkpoint import Checkpoint, adapters, open_checkpoint
from groundproof_training.tuning.left_out import LeftOut
from groundproof_training.tuning.pictures import Pictures
from groundproof_training.tuning.processor import prepare
from groundproof_training.tuning.rows import Encoder, Rows
from groundproof_training.tuning.run import (
    Order,
    accumulation,
    common_arguments,
    go,
    model_of,
    open_out,
    quiet,
    read_rows,
    world,
)
from groundproof_training.tuning.saving import CarefulSaving

Say = Callable[[str], None]
IGNORE = -100


class SampleTrainer(CarefulSaving, SFTTrainer):
    """`SFTTrainer` that survives a full disk."""


@dataclass(frozen=True, slots=True)
class Example:
    """One row as tokens, unpadded. completion: ids with the end token."""

    prompt: Any
    completion: list[int]


class Collator:
    """Rows by number -> a batch of the model's forward, padded on the right; labels on completions only."""

    def __init__(self, rows: Rows, point: Checkpoint) -> None:
        self._pictures, self._point = Pictures(rows), point
        self._encoder = Encoder(point)

    def example(self, index: int) -> Example:
        """The row, or the one that stands in for it where its image is broken."""
        row, images = self._pictures.get(index)
        prompt = prepare(self._point.processing, row.prompt.system, row.prompt.text, images)
        return Example(prompt, self._encoder.completion(row.completion or ""))

    def __call__(self, rows: list[dict[str, int]]) -> dict[str, torch.Tensor]:
        """input_ids, attention_mask, labels, mm_token_type_ids (rows, longest) and the patches of all images."""
        examples = [self.example(row["row"]) for row in rows]
        longest = max(len(e.prompt.ids) + len(e.completion) for e in examples)
        pad = self._point.tokenizer.pad_token_id or 0

        def padded(parts: list[list[int]], fill: int) -> torch.Tensor:
            return torch.tensor([part + [fill] * (longest - len(part)) for part in parts])

        batch = {
            "input_ids": padded([e.prompt.ids + e.completion for e in examples], pad),
            "attention_mask": padded([[1] * (len(e.prompt.ids) + len(e.completion)) for e in examples], 0),
            "labels": padded([[IGNORE] * len(e.prompt.ids) + e.completion for e in examples], IGNORE),
            "mm_token_type_ids": padded([e.prompt.image_mask + [0] * len(e.completion) for e in examples], 0),
        }
        for key in examples[0].prompt.tensors:
            batch[key] = torch.cat([e.prompt.tensors[key] for e in examples])
        return batch


def make_trainer(order: Order, point: Checkpoint, rows: Rows) -> SampleTrainer:
    """The trainer of a run, its model loaded."""
    cfg = order.cfg
    steps = order.max_steps or cfg.sft.max_steps or ceil(len(rows) / cfg.sft.batch * cfg.sft.epochs)
    # Before the model: under DeepSpeed's ZeRO-3 the arguments make it load in shares.
    args = quiet(
        lambda: SFTConfig(
            per_device_train_batch_size=cfg.sft.per_device,
            gradient_accumulation_steps=accumulation(cfg.sft.batch, cfg.sft.per_device, world()),
            max_length=None,
            dataset_kwargs={"skip_prepare_dataset": True},
            **common_arguments(order, cfg.sft, steps),
        )
    )
    model = model_of(point, cfg)
    return quiet(
        lambda: SampleTrainer(
            model=model,
            args=args,
            train_dataset=Dataset.from_dict({"row": list(range(len(rows)))}),
            data_collator=Collator(rows, point),
            processing_class=point.tokenizer,
            peft_config=None if cfg.train.lora is None else adapters(model, cfg.train.lora),
        )
    )


def run_sft(order: Order, say: Say) -> None:
    """One run from samples to a model folder. Raises TrainingError, Interrupted."""
    point = open_checkpoint(order.cfg, order.model)
    checkpoint = open_out(order, "sft", say)
    left_out = LeftOut(order.out / "left-out.jsonl")
    rows = read_rows(order, point, order.cfg.data.form, left_out, 0, say)
    go(make_trainer(order, point, rows), point, order, checkpoint, left_out, say)

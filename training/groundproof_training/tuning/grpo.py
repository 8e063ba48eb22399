"""Group-relative policy optimisation on samples with TRL's `GRPOTrainer`, from an SFT checkpoint.

    groundproof-train grpo tiny --model out/sft --data samples.jsonl --root images -o out/grpo

The trainer, its loss, rollouts and checkpoints are TRL's. Ours are the rows, the processor, the rewards by task, and
three things that TRL leaves open: a KL to the model that the run begins with (TRL's default is none), no token that
stands for an image in an answer, and tasks in one mixed run or one after another.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from math import ceil, isnan
from pathlib import Path
from typing import Any

from datasets import Dataset
from trl import GRPOConfig, GRPOTrainer

from groundproof_training.errors import TrainingError
from groundproof_training.rewards import get
from groundproof_training.rewards.trl import SAMPLE_COLUMN, SEEN_COLUMN, Readings, trl_functions
from groundproof_training.tuning.checkpoint import Checkpoint, adapters, open_checkpoint
from groundproof_training.tuning.configuration import Configuration, VllmConfig
from groundproof_training.tuning.left_out import LeftOut
from groundproof_training.tuning.pictures import Pictures
from groundproof_training.tuning.processor import TuningProcessor
from groundproof_training.tuning.rows import Rows
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

ANSWERS_KEPT = 4
"""Answers written to OUT/answers.jsonl at each log step, for people to read."""

BANNED = -100.0
"""The least logit bias that vLLM takes."""


class RewardedTrainer(CarefulSaving, GRPOTrainer):
    """`GRPOTrainer` that survives a full disk, and shows some answers with their rewards."""

    def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
        """As TRL's, after writing the newest answers."""
        if self._logs["completion"] and self.accelerator.is_main_process:
            self._show(list(self._logs["completion"])[-ANSWERS_KEPT:])
        super().log(logs, *args, **kwargs)

    def _show(self, answers: list[Any]) -> None:
        first = -len(answers)
        with (Path(self.args.output_dir).parent / "answers.jsonl").open("a", encoding="utf-8") as file:
            for number, answer in enumerate(answers, start=first):
                rewards = {name: values[number] for name, values in self._logs["rewards"].items()}
                advantage = self._logs["advantages"][number]
                told = {name: values[number] for name, values in self._logs["extra"].items()}
                entry = {"step": self.state.global_step, **told, "answer": answer[-1]["content"]}
                entry |= {"rewards": {k: None if isnan(v) else v for k, v in rewards.items()}}
                file.write(json.dumps({**entry, "advantage": advantage}, ensure_ascii=False) + "\n")


class Prompts:
    """Rows by number -> what `GRPOTrainer` takes: messages, images, and what the rewards read."""

    def __init__(self, rows: Rows) -> None:
        self._pictures = Pictures(rows)

    def __call__(self, batch: dict[str, list[int]]) -> dict[str, list[Any]]:
        """prompt: messages. images: PIL, of the size the model sees. sample: JSON. seen: sizes."""
        columns: dict[str, list[Any]] = {"prompt": [], "images": [], SAMPLE_COLUMN: [], SEEN_COLUMN: []}
        for index in batch["row"]:
            row, images = self._pictures.get(index)
            messages = [{"role": "user", "content": row.prompt.text}]
            if row.prompt.system:
                messages.insert(0, {"role": "system", "content": row.prompt.system})
            columns["prompt"].append(messages)
            columns["images"].append(images)
            columns[SAMPLE_COLUMN].append(row.sample.model_dump_json())
            columns[SEEN_COLUMN].append([list(size) for size in row.seen])
        return columns


def order_of_rows(rows: Rows, cfg: Configuration, say: Say) -> list[int]:
    """Rows in the order of training: as they are for a mixed run, which TRL shuffles; else one task after another,
    each for all epochs, shuffled within."""
    if cfg.grpo.tasks == "mixed":
        return list(range(len(rows)))
    order, rng = [], random.Random(cfg.train.seed)
    for task, indices in rows.of_tasks(cfg.grpo.tasks):
        if not indices:
            say(f"no sample of the task {task}")
        for _ in range(ceil(cfg.grpo.epochs)):
            rng.shuffle(indices)
            order += indices
    others = sorted(set(rows.tasks) - set(cfg.grpo.tasks))
    if others:
        number = sum(task in others for task in rows.tasks)
        say(f"{number} samples of {', '.join(others)} are not in grpo.tasks and are not trained on")
    if not order:
        raise TrainingError("no sample is of a task in grpo.tasks")
    return order


def vllm_arguments(vllm: VllmConfig | None) -> dict[str, Any]:
    """Rollouts by vLLM, in TRL's words."""
    if vllm is None:
        return {"use_vllm": False}
    return dict(
        use_vllm=True,
        vllm_mode=vllm.mode,
        vllm_gpu_memory_utilization=vllm.memory,
        vllm_max_model_length=vllm.max_model_length,
        vllm_tensor_parallel_size=vllm.tensor_parallel,
        vllm_enable_sleep_mode=vllm.sleep and vllm.mode == "colocate",
        vllm_server_base_url=vllm.server_url,
    )


def without_visual_tokens(point: Checkpoint, vllm: VllmConfig | None) -> dict[str, Any]:
    """Generation settings under which no token that stands for pixels can be sampled: one would have no image
    behind it, and the next forward pass would fail."""
    if vllm is None:
        return {"suppress_tokens": list(point.visual_ids)}
    return {"logit_bias": dict.fromkeys(point.visual_ids, BANNED)}


def grpo_arguments(order: Order, point: Checkpoint, steps: int) -> dict[str, Any]:
    """Everything TRL's `GRPOConfig` is told."""
    grpo = order.cfg.grpo
    return dict(
        per_device_train_batch_size=grpo.per_device,
        gradient_accumulation_steps=accumulation(grpo.prompts * grpo.k, grpo.per_device, world()),
        num_generations=grpo.k,
        max_completion_length=grpo.max_completion_tokens,
        temperature=grpo.temperature,
        top_p=grpo.top_p,
        beta=grpo.beta,
        epsilon=grpo.epsilon,
        epsilon_high=None,  # symmetric
        loss_type=grpo.loss,
        scale_rewards=grpo.scale_rewards,
        mask_truncated_completions=grpo.mask_truncated,
        reward_weights=[reward.weight for reward in grpo.rewards],
        shuffle_dataset=grpo.tasks == "mixed",
        generation_kwargs=without_visual_tokens(point, grpo.vllm),
        log_completions=False,
        log_multimodal=False,
        **vllm_arguments(grpo.vllm),
        **common_arguments(order, grpo, steps),
    )


def make_trainer(order: Order, point: Checkpoint, rows: Rows, say: Say) -> RewardedTrainer:
    """The trainer of a run, its model, its reference and its rewards loaded."""
    cfg = order.cfg
    rewards = [
        get(asked.name, asked.settings, (rows[index].sample for index in range(len(rows))))
        for asked in cfg.grpo.rewards
    ]
    readings = Readings(point.profile, cfg.data.form, point.processing.opening)
    indices = order_of_rows(rows, cfg, say)
    epochs = cfg.grpo.epochs if cfg.grpo.tasks == "mixed" else 1
    steps = order.max_steps or cfg.grpo.max_steps or ceil(len(indices) * epochs / cfg.grpo.prompts)
    dataset = Dataset.from_dict({"row": indices})
    dataset.set_transform(Prompts(rows))
    args = quiet(lambda: GRPOConfig(**grpo_arguments(order, point, steps)))
    model = model_of(point, cfg)
    return quiet(
        lambda: RewardedTrainer(
            model=model,
            reward_funcs=trl_functions(rewards, readings),
            args=args,
            train_dataset=dataset,
            processing_class=TuningProcessor(point),
            peft_config=None if cfg.train.lora is None else adapters(model, cfg.train.lora),
        )
    )


def run_grpo(order: Order, say: Say) -> None:
    """One run from an SFT checkpoint to a model folder. Raises TrainingError, Interrupted."""
    cfg = order.cfg
    point = open_checkpoint(cfg, order.model)
    checkpoint = open_out(order, "grpo", say)
    left_out = LeftOut(order.out / "left-out.jsonl")
    rows = read_rows(order, point, None, left_out, cfg.grpo.max_completion_tokens, say)
    if cfg.grpo.beta == 0:
        say("beta = 0: nothing keeps the model near its SFT checkpoint")
    go(make_trainer(order, point, rows, say), point, order, checkpoint, left_out, say)

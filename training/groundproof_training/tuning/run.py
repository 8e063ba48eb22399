"""What SFT and GRPO have in common: the output folder, resuming, stopping, the finished model.

Knows folders and trainers. Refuses to know losses and rewards.

    OUT/configuration.toml   the whole configuration, resolved
    OUT/run.json             stage, model, data
    OUT/checkpoints/         the trainer's, for --resume
    OUT/log.jsonl            everything logged, a line a log step
    OUT/left-out.jsonl       samples that were not trained on, and why
    OUT/*.safetensors ...    the finished model: `groundproof ask --model OUT`
    OUT/adapter/             the LoRA adapter, where one was trained (the weights above have it merged)
"""

from __future__ import annotations

import json
import os
import shlex
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w
import torch
from transformers.trainer_callback import PrinterCallback

from groundproof_training.errors import TrainingError
from groundproof_training.tuning.checkpoint import Checkpoint, load_weights
from groundproof_training.tuning.configuration import Configuration, OptimiserConfig, resolved
from groundproof_training.tuning.left_out import LeftOut
from groundproof_training.tuning.rows import Rows
from groundproof_training.tuning.saving import newest_checkpoint, remove_incomplete, write_folder
from groundproof_training.tuning.watch import Watch, stop_requests

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Order:
    """What a person asked for on the command line. root: the folder that images' paths begin at. resume: go on from
    the newest checkpoint in `out`."""

    cfg: Configuration
    model: str | None
    data: Path
    root: Path
    out: Path
    resume: bool = False
    max_steps: int | None = None


class Interrupted(Exception):  # noqa: N818 - not a fault
    """The run was asked to stop and saved; the message says how to go on."""


def world() -> int:
    """Processes of a distributed run; accelerate and torchrun say so in the environment."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_first() -> bool:
    """Whether this process speaks for all."""
    return int(os.environ.get("RANK", "0")) == 0


def accumulation(batch: int, per_device: int, devices: int) -> int:
    """Backward passes per step. Raises TrainingError when the batch cannot be shared out."""
    at_once = per_device * devices
    if batch % at_once:
        raise TrainingError(
            f"a batch of {batch} is not a multiple of per_device x devices = {per_device} x {devices}; change one"
        )
    return batch // at_once


def open_out(order: Order, stage: str, say: Say) -> Path | None:
    """Make the output folder; the checkpoint to go on from. Raises TrainingError over another run's folder.

    Of several processes the first does it and the others wait, so that none takes its files for another run's.
    """
    if world() > 1:
        from accelerate import PartialState

        state = PartialState()
        if state.is_main_process:
            _claim(order, stage, say)
        state.wait_for_everyone()
    else:
        _claim(order, stage, say)
    checkpoint = newest_checkpoint(order.out / "checkpoints") if order.resume else None
    if order.resume and checkpoint is None:
        say("there is no checkpoint yet; the run begins from the start")
    return checkpoint


def _claim(order: Order, stage: str, say: Say) -> None:
    run = {
        "stage": stage,
        "model": str(order.model or order.cfg.model.source),
        "data": str(order.data),
        "root": str(order.root),
    }
    text = tomli_w.dumps(resolved(order.cfg))
    described, configured = order.out / "run.json", order.out / "configuration.toml"
    if described.exists() and not _has_begun(order.out):
        described.unlink()  # a run that ended before its first step leaves nothing to go on with
    if described.exists() and not order.resume:
        raise TrainingError(
            f"{order.out} holds a run already; add --resume to go on with it, or choose another folder"
        )
    if described.exists():
        before = json.loads(described.read_text(encoding="utf-8"))
        differing = [key for key in run if before.get(key) != run[key]]
        if configured.read_text(encoding="utf-8") != text:
            differing.append("configuration")
        if differing:
            raise TrainingError(
                f"the run in {order.out} had another {' and '.join(differing)}, so it cannot be gone on with; "
                f"its own are in {described.name} and {configured.name}"
            )
    (order.out / "checkpoints").mkdir(parents=True, exist_ok=True)
    remove_incomplete(order.out / "checkpoints", say)
    described.write_text(json.dumps(run, indent=1) + "\n", encoding="utf-8")
    configured.write_text(text, encoding="utf-8")


def _has_begun(out: Path) -> bool:
    """Whether a step was logged, saved or finished in the folder."""
    kept = (out / "log.jsonl", *out.glob("*.safetensors"), *(out / "checkpoints").glob("checkpoint-*"))
    return any(path.exists() for path in kept)


def common_arguments(order: Order, optimiser: OptimiserConfig, steps: int) -> dict[str, Any]:
    """Arguments that TRL's two configurations share."""
    cfg, cuda = order.cfg, torch.cuda.is_available()
    return dict(
        output_dir=str(order.out / "checkpoints"),
        max_steps=steps,
        learning_rate=optimiser.learning_rate,
        lr_scheduler_type=optimiser.schedule,
        warmup_steps=round(optimiser.warmup * steps),
        weight_decay=optimiser.weight_decay,
        max_grad_norm=optimiser.max_grad_norm,
        bf16=cfg.train.precision == "bfloat16",
        use_cpu=not cuda,
        gradient_checkpointing=cfg.train.gradient_checkpointing,
        seed=cfg.train.seed,
        data_seed=cfg.train.seed,
        logging_steps=cfg.saving.log_every,
        logging_first_step=True,
        save_steps=cfg.saving.every,
        save_total_limit=cfg.saving.keep,
        remove_unused_columns=False,
        dataloader_num_workers=cfg.data.workers,
        dataloader_pin_memory=cuda,
        report_to=[],
        disable_tqdm=True,
    )


def quiet(make: Callable[[], Any]) -> Any:
    """Runs `make` without the warnings of names that transformers is about to change, which a person cannot act on."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=FutureWarning)
        return make()


def model_of(point: Checkpoint, cfg: Configuration) -> Any:
    """The model, with its number of learning weights checked."""
    model = load_weights(point, cfg)
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise TrainingError("nothing learns under this configuration")
    return model


def read_rows(order: Order, point: Checkpoint, form: Any, left_out: LeftOut, room: int, say: Say) -> Rows:
    """The usable samples, and what is said of the others."""
    rows = Rows(order.data, order.root, point, order.cfg.data, form, left_out, room=room, say=say)
    say(f"{len(rows)} samples of {order.data.name}")
    for line in left_out.problems.lines():
        say(f"left out: {line.strip()}")
    return rows


def go(
    trainer: Any, point: Checkpoint, order: Order, checkpoint: Path | None, left_out: LeftOut, say: Say
) -> None:
    """Train to the end and write the model. Raises Interrupted after a stop that was asked for."""
    trainer.say = say
    trainer.remove_callback(PrinterCallback)
    with stop_requests() as request:
        watch = Watch(request, order.out / "log.jsonl", left_out, say)
        trainer.add_callback(watch)
        if checkpoint is not None:
            say(f"going on from {checkpoint.name}")
        trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
    if watch.stopped:
        raise Interrupted(
            f"stopped at step {trainer.state.global_step} of {trainer.state.max_steps} and saved. "
            f"Go on with: {going_on()}"
        )
    finish(trainer, point, order)
    counted = left_out.counted()
    if counted:
        said = ", ".join(f"{number} x {kind}" for kind, number in counted.most_common())
        say(f"left out over the whole run: {said} (see {left_out.path})")


def going_on() -> str:
    """The command that was typed, with --resume."""
    words = ["groundproof-train", *sys.argv[1:]]
    return shlex.join(words if "--resume" in words else [*words, "--resume"])


def finish(trainer: Any, point: Checkpoint, order: Order) -> None:
    """Write the finished model; adapters are kept and merged."""
    dtype = getattr(torch, order.cfg.saving.dtype)
    state = trainer.accelerator.get_state_dict(trainer.model_wrapped)
    model = trainer.accelerator.unwrap_model(trainer.model_wrapped)
    if not trainer.is_world_process_zero():
        return
    if order.cfg.train.lora is None:
        write_folder(model, state, point, dtype, order.out)
        return
    from peft import PeftModel

    model.save_pretrained(order.out / "adapter", state_dict=state)
    base = load_weights(point, order.cfg)
    merged = PeftModel.from_pretrained(base, order.out / "adapter").merge_and_unload()
    write_folder(merged, None, point, dtype, order.out)

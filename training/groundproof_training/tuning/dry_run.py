"""What a run would take: memory, tokens, steps, time. Arithmetic on the real architecture and the real samples.

Knows sizes and rates. Refuses to load weights. Memory and time are estimates, from one measured layer and from the
[hardware] of the configuration; nothing here was timed on such hardware.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from groundproof.errors import GroundproofError
from groundproof.models.profiles import get_profile
from groundproof_training.errors import TrainingError
from groundproof_training.samples import Sample
from groundproof_training.tuning.architecture import Architecture, measure, read_config
from groundproof_training.tuning.checkpoint import open_checkpoint
from groundproof_training.tuning.configuration import Configuration, GrpoConfig, SftConfig
from groundproof_training.tuning.left_out import LeftOut
from groundproof_training.tuning.rows import Rows, check_file, make_row
from groundproof_training.tuning.watch import duration

Say = Callable[[str], None]

READ_AT_MOST = 2_000
"""Samples of which the lengths are taken."""
CHARACTERS_PER_TOKEN = 3.0
"""Of this protocol's text, without a tokenizer: half of it are numbers (the embedded model's tokenizer: 2.9)."""
TEXT_TOKENS = (120, 300)
"""Of a prompt without its images and of a completion, without samples."""
GB = 1e9
ADAM_BYTES = 8
"""Two float32 moments of a weight."""
OVERHEAD_GB = 1.5
"""CUDA context, kernels and fragments, per device; ours."""
DECODED_AT_ONCE = 64
"""Answers that one device generates together."""


class Tokens(BaseModel):
    """Per sample, means; longest: of all together. counted: how they were counted."""

    model_config = ConfigDict(frozen=True)

    samples: int
    prompt_text: float
    images: float
    completion: float
    longest: int
    counted: str


class Estimate(BaseModel):
    """One dry run. memory_gb: per device, with every part shared over all devices (FSDP, ZeRO-3); single_gb: the sum
    on one device alone."""

    model_config = ConfigDict(frozen=True)

    stage: str
    architecture: str
    parameters: dict[str, int]
    tokens: Tokens
    samples_per_step: int
    steps: int
    memory_gb: dict[str, float]
    total_gb: float
    single_gb: float
    device: str
    devices: int
    seconds_per_step: dict[str, float]
    hours: float
    left_out: dict[str, int]
    notes: list[str]


def estimate(
    cfg: Configuration,
    stage: str,
    model: str | None,
    data: Path | None,
    root: Path | None,
    max_steps: int | None,
    say: Say = lambda line: None,
) -> Estimate:
    """All figures of one stage. Raises TrainingError."""
    name, config = read_config(cfg, model)
    say(f"counting {name}")
    shape = measure(name, config)
    left_out = LeftOut()
    tokens = count_tokens(cfg, stage, model, data, root, left_out, shape)
    part: SftConfig | GrpoConfig = cfg.sft if stage == "sft" else cfg.grpo
    per_step = cfg.sft.batch if stage == "sft" else cfg.grpo.prompts
    steps = max_steps or part.max_steps or ceil(tokens.samples * part.epochs / per_step)
    memory, single = memory_gb(cfg, stage, shape, tokens)
    seconds = seconds_per_step(cfg, stage, shape, tokens)
    total = sum(memory.values())
    notes = [tokens.counted]
    room = cfg.hardware.memory_gb
    if total > room:
        notes.append(
            f"{total:.0f} GB do not fit into {room:g} GB: a smaller per_device, LoRA, or more devices"
        )
    notes.append(
        f"time assumes {cfg.hardware.tflops:g} TFLOP/s x {cfg.hardware.efficiency:g} on {cfg.hardware.devices} x "
        f"{cfg.hardware.name}; it was not measured there"
    )
    return Estimate(
        stage=stage,
        architecture=name,
        parameters=_parameters(cfg, shape),
        tokens=tokens,
        samples_per_step=per_step,
        steps=steps,
        memory_gb={key: round(value, 3) for key, value in memory.items()},
        total_gb=round(total, 2),
        single_gb=round(single, 2),
        device=cfg.hardware.name,
        devices=cfg.hardware.devices,
        seconds_per_step={key: round(value, 3) for key, value in seconds.items()},
        hours=steps * sum(seconds.values()) / 3600,
        left_out=dict(left_out.problems.counts),
        notes=notes,
    )


def learning(cfg: Configuration, shape: Architecture) -> int:
    """Weights that learn."""
    if cfg.train.lora is not None:
        return shape.adapter * cfg.train.lora.r
    return shape.total - (shape.vision if cfg.train.vision == "frozen" else 0)


def _parameters(cfg: Configuration, shape: Architecture) -> dict[str, int]:
    return {
        "total": shape.total,
        "vision": shape.vision,
        "language": shape.total - shape.vision,
        "learning": learning(cfg, shape),
    }


def count_tokens(
    cfg: Configuration,
    stage: str,
    model: str | None,
    data: Path | None,
    root: Path | None,
    left_out: LeftOut,
    shape: Architecture,
) -> Tokens:
    """From the samples with the model's tokenizer, or with characters where there is none, or without samples."""
    cell = 28 * 28 if cfg.model.profile is None else get_profile(cfg.model.profile).patch_merge_px ** 2
    if data is None:
        prompt, completion = TEXT_TOKENS
        images = cfg.data.max_pixels / cell
        return Tokens(
            samples=cfg.data.expected,
            prompt_text=prompt,
            images=images,
            completion=completion,
            longest=cfg.data.max_tokens,
            counted=f"tokens are assumed, without --data: the largest image, {prompt} + {completion} of text",
        )
    form = cfg.data.form if stage == "sft" else None
    if cfg.model.architecture is None or model is not None:
        point = open_checkpoint(cfg, model)
        room = 0 if form else cfg.grpo.max_completion_tokens
        rows = Rows(data, root or data.parent, point, cfg.data, form, left_out, room)
        lengths = rows.lengths
        half = cfg.grpo.max_completion_tokens // 2
        said = lengths.completion if form else np.full(len(rows), half)
        return Tokens(
            samples=len(rows),
            prompt_text=float((lengths.prompt - lengths.images).mean()),
            images=float(lengths.images.mean()),
            completion=float(said.mean()),
            longest=int((lengths.prompt + said).max()),
            counted=f"tokens of {len(rows)} samples, counted with the model's tokenizer"
            + ("" if form else "; answers taken for half as long as they may be"),
        )
    return _by_characters(cfg, data, cell, form is not None, left_out)


def _by_characters(
    cfg: Configuration, data: Path, cell: int, with_completion: bool, left_out: LeftOut
) -> Tokens:
    check_file(data)
    profile = get_profile(cfg.model.profile or "tiny")
    found, number = [], 0
    with data.open("rb") as file:
        for line in file:
            number += 1
            if len(found) >= READ_AT_MOST:
                continue
            try:
                sample = Sample.model_validate_json(line)
                row = make_row(sample, profile, cfg.data, cfg.data.form if with_completion else None)
            except (ValueError, GroundproofError) as err:
                left_out.add("cannot be written", f"line {number}", str(err).splitlines()[0])
                continue
            found.append(
                (
                    len(row.prompt.system + row.prompt.text) / CHARACTERS_PER_TOKEN,
                    sum(width * height // cell for width, height in row.seen),
                    len(row.completion or "") / CHARACTERS_PER_TOKEN,
                )
            )
    if not found:
        raise TrainingError(f"no sample of {data} can be written for {profile.name}")
    prompt, images, completion = np.array(found).T
    said = completion if with_completion else np.full(len(found), cfg.grpo.max_completion_tokens / 2)
    return Tokens(
        samples=number,
        prompt_text=float(prompt.mean()),
        images=float(images.mean()),
        completion=float(said.mean()),
        longest=int((prompt + images + said).max()),
        counted=f"text of {len(found)} samples at {CHARACTERS_PER_TOKEN:g} characters a token: give --model FOLDER to "
        "count with its tokenizer",
    )


def memory_gb(
    cfg: Configuration, stage: str, shape: Architecture, tokens: Tokens
) -> tuple[dict[str, float], float]:
    """Per device when shared, by part; and the sum on one device alone."""
    devices = cfg.hardware.devices
    learns, lora = learning(cfg, shape), cfg.train.lora is not None
    frozen_bytes = 2 if lora and cfg.train.precision == "bfloat16" else 4
    shared = {
        "weights": ((shape.total - (0 if lora else learns)) * frozen_bytes + learns * 4) / GB,
        "gradients": learns * 4 / GB,
        "optimiser": learns * ADAM_BYTES / GB,
    }
    if stage == "grpo" and not lora:
        shared["reference"] = shape.total * 4 / GB
    own = {"activations": activations_gb(cfg, stage, shape, tokens)}
    if cfg.train.precision == "bfloat16" and not lora:
        # One layer's weights are cast (and under sharding gathered) at a time; without checkpointing all are kept.
        layers = 1 if cfg.train.gradient_checkpointing else shape.layers
        own["casts"] = 2 * (shape.language - shape.embedding) / shape.layers * layers / GB
    if stage == "grpo" and cfg.grpo.vllm is not None and cfg.grpo.vllm.mode == "colocate":
        own["vllm"] = cfg.grpo.vllm.memory * cfg.hardware.memory_gb
    if cfg.hardware.memory_gb >= 16:
        own["overhead"] = OVERHEAD_GB
    each = {key: value / devices for key, value in shared.items()} | own
    return each, sum(shared.values()) + sum(own.values())


def activations_gb(cfg: Configuration, stage: str, shape: Architecture, tokens: Tokens) -> float:
    """Of one backward pass, rows padded to the longest sample: what a layer was measured to keep, of all layers, or
    with checkpointing one layer's and the others' inputs. The output layer works in chunks and keeps its input."""
    rows = cfg.sft.per_device if stage == "sft" else cfg.grpo.per_device
    wide = 1 if cfg.train.precision == "bfloat16" else 2
    along = rows * min(tokens.longest, cfg.data.max_tokens)
    if cfg.train.gradient_checkpointing:
        kept = along * (2 * shape.width * shape.layers + shape.layer_bytes)
    else:
        kept = along * shape.layer_bytes * shape.layers
    kept += along * 2 * shape.width
    if cfg.train.vision == "trained":
        patches = rows * tokens.images * shape.merge
        if cfg.train.gradient_checkpointing:
            kept += patches * (2 * shape.vision_width * shape.vision_layers + shape.vision_layer_bytes)
        else:
            kept += patches * shape.vision_layer_bytes * shape.vision_layers
    return wide * kept / GB


def seconds_per_step(cfg: Configuration, stage: str, shape: Architecture, tokens: Tokens) -> dict[str, float]:
    """By part: 2 operations a weight and token forward, twice that backward (once where weights do not learn), once
    more with checkpointing; attention by its two products. Generation reads all weights once a token and batch."""
    hardware = cfg.hardware
    rate = hardware.tflops * 1e12 * hardware.efficiency * hardware.devices
    again = 1 if cfg.train.gradient_checkpointing else 0
    passes = 1 + again + (1 if cfg.train.lora is not None else 2)
    length = tokens.prompt_text + tokens.images + tokens.completion
    forward = 2 * (shape.language - shape.embedding) * length + 2 * length**2 * shape.width * shape.layers
    tower = 2 * shape.vision * tokens.images * shape.merge
    tower_passes = 1 + ((2 + again) if cfg.train.vision == "trained" else 0)
    if stage == "sft":
        return {"training": cfg.sft.batch * (forward * passes + tower * tower_passes) / rate}
    answers = cfg.grpo.prompts * cfg.grpo.k
    each = answers / hardware.devices
    batches = ceil(each / DECODED_AT_ONCE)
    written = tokens.completion * batches * 2 * shape.total / (hardware.bandwidth_gb_s * GB)
    read = answers * (forward * (length - tokens.completion) / length + tower) / rate
    scored = answers * (forward + tower) / rate * (1 + (cfg.grpo.vllm is not None))
    return {
        "rollouts": written + read,
        "reference and old policy": scored,
        "training": answers * (forward * passes + tower * tower_passes) / rate,
    }


def _billions(number: int) -> str:
    return f"{number / 1e9:.3f} billion" if number >= 1e8 else f"{number / 1e6:.2f} million"


def table(found: Estimate) -> str:
    """For people."""
    p, t = found.parameters, found.tokens
    things = "samples" if found.stage == "sft" else "prompts"
    lines = [
        f"{found.stage} of {found.architecture}",
        f"  weights      {_billions(p['total'])} (vision {_billions(p['vision'])}), {_billions(p['learning'])} learn",
        f"  a sample     {t.images:.0f} image tokens, {t.prompt_text:.0f} of question, {t.completion:.0f} of answer",
        f"  longest      {t.longest} tokens",
        f"  steps        {found.steps} of {found.samples_per_step} {things} ({t.samples} in all)",
        f"  memory       {found.total_gb:.1f} GB on each of {found.devices} x {found.device}",
        f"               {found.single_gb:.1f} GB where nothing is shared out",
    ]
    lines += [f"                 {key:12} {value:8.2f} GB" for key, value in found.memory_gb.items()]
    lines.append(f"  time         {duration(found.hours * 3600)}")
    lines += [
        f"                 {key:24} {value:8.2f} s a step" for key, value in found.seconds_per_step.items()
    ]
    lines += [f"  left out     {number} x {kind}" for kind, number in found.left_out.items()]
    lines += [f"  note         {note}" for note in found.notes]
    return "\n".join(lines)

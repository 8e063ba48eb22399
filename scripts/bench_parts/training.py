"""Training: samples/s against TRL's own trainer, rewards as a share of a GRPO step, cutting a DOTA-size image.

    python scripts/bench_parts/training.py                  the embedded model, procedural samples
    python scripts/bench_parts/training.py --rounds 5       more rounds: timings on shared machines wobble

Bare is TRL's `SFTTrainer` with TRL's own collator on rows of prompt, completion and images that were prepared before:
no samples are parsed, no boxes written, no image resized. Rounds of both alternate; CPU seconds are compared.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
import time
import warnings
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from datasets import Dataset, Image, Sequence
from PIL import Image as Picture
from transformers import ProcessorMixin
from transformers.feature_extraction_utils import BatchFeature
from transformers.utils import logging as transformers_logging
from trl import SFTConfig, SFTTrainer

from groundproof_training.readers.base import Problems
from groundproof_training.readers.objects import LabelledImage
from groundproof_training.readers.patches import cut
from groundproof_training.readers.procedural import ProceduralOptions, ProceduralReader
from groundproof_training.samples import Sample, SampleImage, TrueBox
from groundproof_training.samples.cropping import Cropper
from groundproof_training.tuning import grpo, sft
from groundproof_training.tuning.checkpoint import Checkpoint, load_weights, open_checkpoint
from groundproof_training.tuning.configuration import Configuration, read_configuration
from groundproof_training.tuning.left_out import LeftOut
from groundproof_training.tuning.pictures import Pictures
from groundproof_training.tuning.rows import Rows
from groundproof_training.tuning.run import Order

STEPS, BATCH = 4, 16
SIDE_PX, OBJECTS, PATCH_PX, STRIDE_PX = 4000, 400, 800, 600


class BareProcessor(ProcessorMixin):
    """What transformers' processor of GLM-4V does, which needs torchvision: image tokens repeated, text tokenized."""

    def __init__(self, point: Checkpoint) -> None:
        self.tokenizer, self.image_processor = point.tokenizer, point.processing.image_processor
        self.image_token = self.tokenizer.convert_ids_to_tokens(point.config.image_token_id)
        self.image_token_id = point.config.image_token_id
        self.chat_template = self.tokenizer.chat_template

    def to_dict(self, **kwargs: Any) -> dict[str, Any]:
        """For TRL's log."""
        return {}

    def __call__(self, images: Any = None, text: Any = None, **kwargs: Any) -> BatchFeature:
        """ids, masks, token types, patches."""
        made: dict[str, Any] = {}
        if images is not None:
            flat = [image for row in images for image in row]
            made |= self.image_processor(images=flat, return_tensors="pt")
            counts = iter((made["image_grid_thw"].prod(-1) // self.image_processor.merge_size**2).tolist())
            text = [
                "".join(
                    part + (self.image_token * next(counts) if k < one.count(self.image_token) else "")
                    for k, part in enumerate(one.split(self.image_token))
                )
                for one in text
            ]
        encoded = self.tokenizer(
            text,
            padding=True,
            padding_side=kwargs["padding_side"],
            return_tensors="pt",
            add_special_tokens=False,
        )
        made |= {"input_ids": encoded["input_ids"], "attention_mask": encoded["attention_mask"]}
        made["mm_token_type_ids"] = (made["input_ids"] == self.image_token_id).long()
        return BatchFeature(made)


def samples_in(folder: Path) -> Path:
    """Procedural samples with their images."""
    reader, path = ProceduralReader(), folder / "samples.jsonl"
    options = ProceduralOptions(scenes=40, change_share=0.0)
    with path.open("w", encoding="utf-8") as file:
        for sample in reader.read(folder, "train", options, Problems()):
            file.write(sample.model_dump_json() + "\n")
    return path


def bare_rows(rows: Rows, point: Checkpoint, folder: Path) -> Dataset:
    """The same samples as TRL takes them: images of the right size, finished texts."""
    pictures, made = Pictures(rows), []
    prompts, end = point.processing.prompts, point.tokenizer.convert_ids_to_tokens(point.end_id)
    for index in range(len(rows)):
        row, images = pictures.get(index)
        paths = []
        for number, image in enumerate(images):
            paths.append(str(folder / f"bare-{index}-{number}.png"))
            image.save(paths[-1])
        text = prompts.string(row.prompt.system, row.prompt.text, len(images))
        made.append({"prompt": text, "completion": f"{row.completion}{end}", "images": paths})
    return Dataset.from_list(made).cast_column("images", Sequence(Image()))


def bare_trainer(point: Checkpoint, cfg: Configuration, dataset: Dataset, out: Path) -> SFTTrainer:
    """TRL's own, untouched."""
    args = SFTConfig(
        output_dir=str(out), max_steps=STEPS, per_device_train_batch_size=BATCH, max_length=None, use_cpu=True,
        bf16=False, gradient_checkpointing=False, learning_rate=cfg.sft.learning_rate, save_strategy="no",
        report_to=[], disable_tqdm=True, logging_steps=1000, seed=0,
    )  # fmt: skip
    return SFTTrainer(
        model=load_weights(point, cfg),
        args=args,
        train_dataset=dataset,
        processing_class=BareProcessor(point),
    )


def timed(trainer: Any) -> tuple[float, float]:
    """CPU and wall seconds of `train`."""
    cpu, wall = time.process_time(), time.perf_counter()
    trainer.train()
    return time.process_time() - cpu, time.perf_counter() - wall


def measure_sft(order: Order, point: Checkpoint, rows: Rows, folder: Path, rounds: int) -> None:
    """Samples/s of both, in turns."""
    cfg = order.cfg
    dataset = bare_rows(rows, point, folder)
    kinds = {
        "ours": lambda: sft.make_trainer(order, point, rows),
        "bare": lambda: bare_trainer(point, cfg, dataset, folder / "bare"),
    }
    taken: dict[str, list[tuple[float, float]]] = {kind: [] for kind in kinds}
    for number in range(rounds + 1):
        for kind, make in kinds.items():
            seconds = timed(make())
            if number:  # the first round warms up
                taken[kind].append(seconds)
    seen = STEPS * BATCH
    for kind, pairs in taken.items():
        cpu, wall = (median(values) for values in zip(*pairs, strict=True))
        print(
            f"sft {kind:5} {seen / cpu:7.2f} samples per CPU second, {seen / wall:7.2f} per second of the clock"
        )
    ratios = [b[0] / o[0] for o, b in zip(taken["ours"], taken["bare"], strict=True)]
    print(
        f"sft ours / bare {median(ratios):.3f} in CPU time (rounds {min(ratios):.3f} to {max(ratios):.3f}; aim 0.95)"
    )


def measure_rewards(order: Order, point: Checkpoint) -> None:
    """Share of GRPO steps that rewards take."""
    cfg = order.cfg
    rows = Rows(order.data, order.root, point, cfg.data, None, LeftOut(), cfg.grpo.max_completion_tokens)
    trainer = grpo.make_trainer(order, point, rows, lambda line: None)
    spent = 0.0

    def clocked(function: Any) -> Any:
        def score(*args: Any, **kwargs: Any) -> Any:
            nonlocal spent
            began = time.process_time()
            scores = function(*args, **kwargs)
            spent += time.process_time() - began
            return scores

        return score

    trainer.reward_funcs = [clocked(function) for function in trainer.reward_funcs]
    cpu, _ = timed(trainer)
    answers = STEPS * cfg.grpo.prompts * cfg.grpo.k
    each, share = 1000 * spent / answers, spent / cpu
    print(f"grpo {cpu / STEPS:.2f} CPU s a step of {answers // STEPS} answers")
    print(f"grpo rewards {each:.2f} ms an answer, {share:.2%} of a step (aim below 2 %)")


def measure_patches(folder: Path) -> None:
    """Windows of one large image: finding what is in each, and writing them; beside slicing and writing alone."""
    rng = np.random.default_rng(0)
    base = rng.integers(0, 255, (SIDE_PX // 8, SIDE_PX // 8, 3), dtype=np.uint8)
    Picture.fromarray(base).resize((SIDE_PX, SIDE_PX)).save(folder / "large.png", compress_level=1)
    corner = rng.uniform(0, SIDE_PX - 60, (OBJECTS, 2))
    boxes = [TrueBox(label="ship", x0=x, y0=y, x1=x + 40, y1=y + 30) for x, y in corner.tolist()]
    image = SampleImage(path="large.png", width=SIDE_PX, height=SIDE_PX)
    whole = LabelledImage("large", image, tuple(boxes), ("ship",))
    began = time.process_time()
    parts = list(cut(whole, PATCH_PX, STRIDE_PX, 0.7))
    found = time.process_time() - began
    cropper = Cropper(folder, folder / "patches")
    began = time.process_time()
    for number, part in enumerate(parts):
        cropper.cropped(
            Sample(
                sample_id=str(number), source="bench", split="train", licence="-", task="count", answer="0",
                images=(part.image,), question="How many ships?", boxes=part.objects,
            )
        )  # fmt: skip
    written = time.process_time() - began
    began = time.process_time()
    pixels = np.asarray(Picture.open(folder / "large.png"))
    (folder / "plain").mkdir()
    for number, part in enumerate(parts):
        x0, y0, x1, y1 = part.image.shown
        Picture.fromarray(pixels[y0:y1, x0:x1]).save(folder / f"plain/{number}.png", compress_level=3)
    plain = time.process_time() - began
    print(
        f"patches {SIDE_PX} x {SIDE_PX} px: {len(parts)} windows, {OBJECTS} objects found in {found:.3f} CPU s"
    )
    print(f"patches written in {written:.2f} CPU s; slicing and writing alone {plain:.2f}")


def main() -> None:
    """All three, one line each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    warnings.filterwarnings("ignore")
    transformers_logging.disable_progress_bar()
    logging.getLogger("transformers").setLevel(logging.ERROR)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        measure_patches(folder)
        data = samples_in(folder)
        cfg = read_configuration("tiny")
        point = open_checkpoint(cfg)
        rows = Rows(data, folder, point, cfg.data, cfg.data.form, LeftOut())
        order = Order(cfg, None, data, folder, folder / "out", max_steps=STEPS)
        (order.out / "checkpoints").mkdir(parents=True)
        measure_sft(order, point, rows, folder, args.rounds)
        measure_rewards(order, point)


if __name__ == "__main__":
    main()

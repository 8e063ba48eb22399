"""The stages in order, and the files by which each finds what the one before left.

    groundproof-train recipe out/tiny                 about two hours on two cores
    groundproof-train recipe out/tiny --minutes 20    a weak model of the same size
    groundproof-train recipe out/tiny --small         a minute; a toy that knows nothing

Under the work folder: scenes/, tokenizer/, dense.pt, pointer.pt, curriculum/, curriculum.pt, and a log of each stage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from transformers import Glm4vForConditionalGeneration, PreTrainedTokenizerFast

from groundproof_training.curriculum import CurriculumSettings, train_curriculum
from groundproof_training.dense import DenseConfig, DenseHeads, train_dense
from groundproof_training.errors import TrainingError
from groundproof_training.export import export
from groundproof_training.model import TinyConfig, make_model
from groundproof_training.pointer import PointerConfig, train_pointer
from groundproof_training.pointing import LossConfig
from groundproof_training.real_batches import RealTiles
from groundproof_training.real_data import RealDataError, read_thermal_uav, read_trees_naip
from groundproof_training.seeding import seed_language
from groundproof_training.shards import ShardConfig, render_shards
from groundproof_training.starting import take_language
from groundproof_training.templates import corpus
from groundproof_training.tokenizer import first_number_id, load_tokenizer, make_tokenizer, special_ids

Say = Callable[[str], None]

RECIPE_MINUTES = DenseConfig().minutes + PointerConfig().minutes + CurriculumSettings().minutes

TINY = TinyConfig()
SMALL_MODEL = TinyConfig(
    vision_layers=2,
    vision_size=48,
    vision_heads=2,
    local_heads=1,
    text_layers=3,
    text_size=64,
    text_heads=4,
    text_mlp=64,
)
SMALL_LOSS = LossConfig(pointer_layer=2, link_layer=1)
EXPORTED = ("pointer", "curriculum")
"""Stages that leave a whole model."""


def the_tokenizer(work: Path) -> PreTrainedTokenizerFast:
    """The run's tokenizer, made at the first call."""
    folder = work / "tokenizer"
    if not (folder / "tokenizer.json").exists():
        make_tokenizer(corpus()).save_pretrained(folder)
    return load_tokenizer(folder)


def new_model(
    work: Path, cfg: TinyConfig
) -> tuple[Glm4vForConditionalGeneration, PreTrainedTokenizerFast, DenseHeads]:
    """An untrained model, its tokenizer and dense heads that fit."""
    tokenizer = the_tokenizer(work)
    model = make_model(cfg, len(tokenizer), special_ids(tokenizer), first_number_id(tokenizer))
    return model, tokenizer, DenseHeads(cfg.text_size, cfg.vision_size)


def _left_by(work: Path, stage: str, what: str = "") -> dict[str, Any]:
    """The checkpoint of a stage. what: to do in place of that stage. Raises TrainingError where there is none."""
    path = work / f"{stage}.pt"
    if not path.is_file():
        raise TrainingError(
            f"{path} is not there: the stage `{stage}` writes it; run that stage with the same --work, or give the "
            f"--work of a run that has it{what}"
        )
    state: dict[str, Any] = torch.load(path, weights_only=True)
    return state


def run_dense(
    work: Path, cfg: DenseConfig, model_cfg: TinyConfig = TINY, start: Path | None = None
) -> Iterator[str]:
    """Dense warm-up; writes dense.pt. start: see `train_dense`."""
    model, _, _ = new_model(work, model_cfg)
    yield from train_dense(model.model.visual, work / "scenes", work / "dense.pt", cfg, start)


def real_tiles(data: Path | None) -> RealTiles | None:
    """Tiles of trees_naip and thermal_uav under `data`, as far as they are there; None without a folder."""
    if data is None:
        return None
    images = []
    for name, read in (("trees_naip", read_trees_naip), ("thermal_uav", read_thermal_uav)):
        if (data / name).is_dir():
            images += read(data / name)
    if not images:
        raise RealDataError(
            f"{data} holds neither trees_naip nor thermal_uav; leave --data out to train without"
        )
    return RealTiles(images)


def run_pointer(
    work: Path,
    cfg: PointerConfig,
    model_cfg: TinyConfig = TINY,
    data: Path | None = None,
    start: Path | None = None,
) -> Iterator[str]:
    """Pointer stage from dense.pt; writes pointer.pt. start: a model folder whose language model it begins with.

    Raises TrainingError where there is no dense.pt.
    """
    state = _left_by(work, "dense")
    model, tokenizer, heads = new_model(work, model_cfg)
    model.model.visual.load_state_dict(state["visual"])
    heads.load_state_dict(state["heads"])
    if start is None:
        seed_language(model, heads, tokenizer, cfg.loss)
    else:
        take_language(model, tokenizer, start)
    out = work / "pointer.pt"
    yield from train_pointer(model, tokenizer, heads, work / "scenes", out, cfg, real_tiles(data))


def run_curriculum(
    work: Path, settings: CurriculumSettings, say: Say, model_cfg: TinyConfig = TINY, data: Path | None = None
) -> None:
    """The curriculum from pointer.pt; writes curriculum.pt and TRL's checkpoints under curriculum/.

    Raises TrainingError where there is no pointer.pt.
    """
    state = _left_by(work, "pointer")
    model, tokenizer, heads = new_model(work, model_cfg)
    model.load_state_dict(state["model"])
    heads.load_state_dict(state["heads"])
    train_curriculum(
        model, tokenizer, heads, work / "scenes", work / "curriculum", settings, say, real_tiles(data)
    )
    torch.save({"model": model.state_dict()}, work / "curriculum.pt")


def run_export(work: Path, folder: Path, stage: str, model_cfg: TinyConfig = TINY) -> int:
    """Write the model folder from pointer.pt or curriculum.pt; bytes of weights.

    Raises TrainingError for another stage, and where the stage left no checkpoint.
    """
    if stage not in EXPORTED:
        raise TrainingError(
            f"--stage {stage} leaves no whole model; give --stage {' or '.join(EXPORTED)}, or --model FOLDER "
            "for one that `sft` or `grpo` made"
        )
    others = [one for one in EXPORTED if one != stage and (work / f"{one}.pt").is_file()]
    instead = f", or give --stage {others[0]}, which is there" if others else ""
    state = _left_by(work, stage, f"{instead}, or --model with a folder that `sft` or `grpo` wrote")
    model, tokenizer, _ = new_model(work, model_cfg)
    model.load_state_dict(state["model"])
    return export(model, tokenizer, folder, torch.bfloat16)


def logged(work: Path, stage: str, say: Say) -> Say:
    """`say`, and the same line into WORK/STAGE.log, from which `curves` draws."""
    work.mkdir(parents=True, exist_ok=True)

    def both(line: str) -> None:
        with (work / f"{stage}.log").open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        say(f"{stage}: {line}")

    return both


def follow(work: Path, stage: str, lines: Iterator[str], say: Say) -> None:
    """Run a stage to its end."""
    tell = logged(work, stage, say)
    for line in lines:
        tell(line)


def run_recipe(
    work: Path,
    folder: Path,
    say: Say,
    *,
    small: bool,
    data: Path | None = None,
    minutes: float = RECIPE_MINUTES,
) -> None:
    """Every stage that is not finished yet, then the export. minutes: of training, shared out over the stages."""
    real_tiles(data)  # a wrong folder is told before anything is rendered
    if small:
        cfg = SMALL_MODEL
        shards = ShardConfig(shapes=((112, 112), (112, 168)), shares=(0.5, 0.5), scenes=48)
        dense = DenseConfig(max_steps=20, tokens_per_step=128)
        pointer = PointerConfig(max_steps=20, image_tokens_per_step=96, loss=SMALL_LOSS)
        settings = CurriculumSettings(
            max_steps=2, image_tokens_per_step=64, save_steps=2, logging_steps=1, loss=SMALL_LOSS
        )
    else:
        share = minutes / RECIPE_MINUTES
        cfg, shards = TINY, ShardConfig(scenes=int(max(2000, min(32_000, 32_000 * share))))
        dense = DenseConfig(minutes=DenseConfig().minutes * share)
        pointer = PointerConfig(minutes=PointerConfig().minutes * share)
        settings = CurriculumSettings(minutes=CurriculumSettings().minutes * share)
    follow(work, "scenes", render_shards(work / "scenes", shards), say)
    follow(work, "dense", run_dense(work, dense, cfg), say)
    follow(work, "pointer", run_pointer(work, pointer, cfg, data), say)
    run_curriculum(work, settings, logged(work, "curriculum", say), cfg, data)
    size = run_export(work, folder, "curriculum", cfg)
    say(f"wrote {folder} ({size / 1e6:.1f} MB of weights)")

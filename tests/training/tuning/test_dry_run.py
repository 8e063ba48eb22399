"""Dry runs: weights counted on the real architectures, figures that a real small run bears out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoConfig, AutoModelForImageTextToText
from typer.testing import CliRunner

from groundproof_training.cli import app
from groundproof_training.errors import TrainingError
from groundproof_training.tuning.architecture import measure, read_config
from groundproof_training.tuning.checkpoint import open_checkpoint
from groundproof_training.tuning.configuration import read_configuration
from groundproof_training.tuning.dry_run import Tokens, estimate, memory_gb, table
from groundproof_training.tuning.left_out import LeftOut
from groundproof_training.tuning.rows import Rows
from groundproof_training.tuning.sft import Collator, run_sft
from tests.training.tuning.small import ENDS, small_settings, small_tokenizer, visual_ids, write_model
from tests.training.tuning.test_sft import Lines, logged, order

TOKENS = Tokens(samples=10, prompt_text=50, images=100, completion=50, longest=200, counted="")


@pytest.mark.parametrize(
    ("name", "total"),
    # What the two published checkpoints hold: 10.3 and 3.75 billion.
    [("rsthinker-9b", 10_292_777_472), ("geovlm-r1-3b", 3_754_622_976)],
)
def test_the_real_architectures_have_the_published_number_of_weights(name: str, total: int) -> None:
    shape = measure(*read_config(read_configuration(name), None))
    assert shape.total == total


def test_weights_are_counted_as_they_are(models: dict[str, Path]) -> None:
    for kind, folder in models.items():
        shape = measure(*read_config(small_settings(kind), str(folder)))
        model = AutoModelForImageTextToText.from_pretrained(folder)
        assert shape.total == sum(p.numel() for p in model.parameters())
        assert shape.vision == sum(p.numel() for p in model.model.visual.parameters())


@pytest.mark.parametrize("kind", ["glm4v", "qwen2_5_vl"])
def test_activations_are_about_what_a_whole_model_keeps(
    models: dict[str, Path], data: Path, kind: str
) -> None:
    """The layer's bytes times layers and tokens against what autograd keeps of the language model, float32."""
    cfg = small_settings(kind, train__vision="frozen")
    point = open_checkpoint(cfg, str(models[kind]))
    rows = Rows(data, data.parent, point, cfg.data, cfg.data.form, LeftOut())
    batch = Collator(rows, point)([{"row": 0}])  # one row needs no mask, which grows with the square
    model = AutoModelForImageTextToText.from_pretrained(models[kind])
    model.model.visual.requires_grad_(requires_grad=False)
    weights = {p.untyped_storage().data_ptr() for p in model.parameters()}
    kept: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        out = model.model(**{k: v for k, v in batch.items() if k != "labels"}, use_cache=False)
    assert out.last_hidden_state.requires_grad
    shape = measure(*read_config(cfg, str(models[kind])))
    expected = 2 * batch["input_ids"].numel() * shape.layer_bytes * shape.layers
    assert sum(kept.values()) == pytest.approx(expected, rel=0.35)


def test_memory_follows_its_arithmetic() -> None:
    cfg = read_configuration("rsthinker-9b")
    shape = measure(*read_config(cfg, None))
    each, single = memory_gb(cfg, "sft", shape, TOKENS)
    learns = 10_292_777_472 - 892_498_432
    assert each["optimiser"] == pytest.approx(learns * 8 / 8 / 1e9)
    assert each["gradients"] == pytest.approx(learns * 4 / 8 / 1e9)
    assert each["weights"] == pytest.approx(10_292_777_472 * 4 / 8 / 1e9)
    assert single > 8 * each["optimiser"]
    grpo, _ = memory_gb(cfg, "grpo", shape, TOKENS)
    assert grpo["reference"] == pytest.approx(10_292_777_472 * 4 / 8 / 1e9)
    assert grpo["vllm"] == pytest.approx(0.3 * 80)


def test_a_dry_run_of_samples_counts_their_tokens(models: dict[str, Path], data: Path) -> None:
    cfg = small_settings()
    found = estimate(cfg, "sft", str(models["glm4v"]), data, None, None)
    point = open_checkpoint(cfg, str(models["glm4v"]))
    lengths = Rows(data, data.parent, point, cfg.data, cfg.data.form, LeftOut()).lengths
    assert found.tokens.completion == pytest.approx(lengths.completion.mean())
    assert found.tokens.longest == (lengths.prompt + lengths.completion).max()
    assert found.tokens.images == 9
    assert found.steps == 6  # 24 samples by 4
    assert "6 of 4 samples" in table(found)


@pytest.mark.parametrize("stage", ["sft", "grpo"])
@pytest.mark.parametrize("name", ["rsthinker-9b", "geovlm-r1-3b", "tiny"])
def test_every_configuration_can_be_dry_run(stage: str, name: str, data: Path) -> None:
    found = CliRunner().invoke(app, [stage, name, "--dry-run", "--data", str(data), "--json"])
    assert found.exit_code == 0, found.output
    figures = json.loads(found.stdout)
    assert figures["steps"] > 0
    assert 0 < figures["hours"] < 1000
    assert figures["total_gb"] > 0
    assert np.isclose(sum(figures["memory_gb"].values()), figures["total_gb"], rtol=0.02)


def test_a_dry_run_needs_no_data() -> None:
    found = CliRunner().invoke(app, ["sft", "rsthinker-9b", "--dry-run"])
    assert "384591 in all" in found.stdout
    assert "tokens are assumed" in found.stdout
    assert "was not measured there" in found.stdout


def test_a_run_without_its_options_says_which(tmp_path: Path) -> None:
    found = subprocess.run(
        [sys.executable, "-m", "groundproof_training.cli", "sft", "tiny"],
        capture_output=True, text=True, check=False, env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert found.returncode == 2
    assert found.stderr.strip() == (
        "error: a run needs --data SAMPLES.jsonl and -o FOLDER; a --dry-run needs neither"
    )


@pytest.mark.slow
@pytest.mark.parametrize(("name", "kind"), [("rsthinker-9b", "glm4v"), ("geovlm-r1-3b", "qwen2_5_vl")])
def test_two_steps_at_full_width_with_one_layer_each(
    name: str, kind: str, data: Path, tmp_path: Path
) -> None:
    """The real widths and vocabularies, one layer of language and vision, adapters on bfloat16 weights: about 5 GB."""
    cfg = read_configuration(name)
    config = read_config(cfg, None)[1]
    tokenizer = small_tokenizer(kind)
    tree = config.to_dict()
    tree["text_config"] |= {"num_hidden_layers": 1, "pad_token_id": tokenizer.pad_token_id}
    tree["text_config"].pop("layer_types", None)
    tree["vision_config"]["depth"] = 1
    if kind == "qwen2_5_vl":
        tree["vision_config"]["fullatt_block_indexes"] = [0]
    tree |= visual_ids(kind, tokenizer)
    cut = AutoConfig.for_model(**tree)
    folder = write_model(kind, tmp_path / "cut", cut, torch.bfloat16)
    settings = small_settings(
        kind,
        model__end_token=ENDS[kind],
        train__vision="frozen",
        train__precision="bfloat16",
        train__lora={"r": 8, "alpha": 16},
        train__gradient_checkpointing=True,
        sft__batch=2,
        sft__per_device=2,
        saving__dtype="bfloat16",
    )
    out = tmp_path / "out"
    run_sft(order(settings, folder, data, out, max_steps=2), Lines().append)
    losses = logged(out)
    assert len(losses) == 2
    assert all(np.isfinite(losses))


def test_a_dry_run_of_nothing_is_a_sentence(tmp_path: Path) -> None:
    cfg = read_configuration("rsthinker-9b")
    with pytest.raises(TrainingError, match="are not there"):
        estimate(cfg, "sft", None, tmp_path / "none.jsonl", None, None)
    with pytest.raises(TrainingError, match="holds no model"):
        estimate(cfg, "sft", str(tmp_path), None, None, None)

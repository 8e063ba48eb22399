"""SFT really runs: loss falls, a stopped run goes on as if nothing had happened, its folder answers."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from groundproof.models.base import Request
from groundproof.models.resolve import resolve
from groundproof.models.transformers_adapter import load
from groundproof_training.errors import TrainingError
from groundproof_training.tuning.checkpoint import open_checkpoint
from groundproof_training.tuning.configuration import Configuration
from groundproof_training.tuning.run import Interrupted, Order, accumulation
from groundproof_training.tuning.sft import run_sft
from tests.training.tuning.small import KINDS, make_sample, small_settings, write_samples

Lines = list[str]


def order(cfg: Configuration, model: Path, data: Path, out: Path, **more: Any) -> Order:
    return Order(cfg, str(model), data, data.parent, out, **more)


def logged(out: Path, key: str = "loss") -> list[float]:
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return [line[key] for line in lines if key in line]


def test_the_loss_falls_in_twenty_steps_and_the_engine_asks_the_result(
    models: dict[str, Path], data: Path, tmp_path: Path
) -> None:
    out, said = tmp_path / "out", Lines()
    run_sft(order(small_settings(sft__epochs=10.0), models["glm4v"], data, out, max_steps=20), said.append)
    losses = logged(out)
    assert len(losses) == 20
    assert np.mean(losses[-4:]) < 0.7 * np.mean(losses[:2])
    assert any(re.fullmatch(r"step 20/20, 0 s left: loss .*", line) for line in said)

    spec = resolve(str(out))
    assert (spec.profile.prompt_style, spec.note) == ("native", None)
    model = load(spec, device="cpu")
    end = model.model.generation_config.eos_token_id
    assert open_checkpoint(small_settings(), str(out)).end_id in end  # or it would never stop
    image = np.zeros((84, 84, 3), dtype=np.uint8)
    pieces = list(model.generate([Request("r", (image,), "", "[count] How many ships?", max_new_tokens=4)]))
    assert pieces[-1].finish in ("length", "stop")


@pytest.mark.parametrize("kind", KINDS[1:])
def test_the_other_architectures_train_too(
    models: dict[str, Path], data: Path, tmp_path: Path, kind: str
) -> None:
    out = tmp_path / "out"
    run_sft(order(small_settings(kind), models[kind], data, out, max_steps=4), Lines().append)
    losses = logged(out)
    assert losses[-1] < losses[0]
    assert load(resolve(str(out)), device="cpu").profile.prompt_style == "instructed"


def test_a_stopped_run_goes_on_with_the_same_next_step(
    models: dict[str, Path], data: Path, tmp_path: Path
) -> None:
    cfg = small_settings()
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    run_sft(order(cfg, models["glm4v"], data, whole, max_steps=8), Lines().append)

    def stop_at_three(line: str) -> None:
        if line.startswith("step 3/8"):
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Interrupted, match=r"stopped at step 4 of 8 and saved. Go on with: .*--resume"):
        run_sft(order(cfg, models["glm4v"], data, halves, max_steps=8), stop_at_three)
    assert not list(halves.glob("*.safetensors"))
    (halves / "checkpoints/checkpoint-9").mkdir()  # a kill in the middle of saving leaves such a folder
    said = Lines()
    run_sft(order(cfg, models["glm4v"], data, halves, max_steps=8, resume=True), said.append)
    assert "going on from checkpoint-4" in said
    assert "checkpoint-9 is incomplete and was removed" in said
    assert logged(halves) == logged(whole)
    ours, theirs = (load_file(place / "model.safetensors") for place in (halves, whole))
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs)


def test_a_folder_with_a_run_is_not_overwritten_and_not_mixed(
    models: dict[str, Path], data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run_sft(order(small_settings(), models["glm4v"], data, out, max_steps=1), Lines().append)
    with pytest.raises(TrainingError, match="holds a run already; add --resume"):
        run_sft(order(small_settings(), models["glm4v"], data, out, max_steps=2), Lines().append)
    other = small_settings(sft__learning_rate=1e-5)
    with pytest.raises(TrainingError, match="another configuration"):
        run_sft(order(other, models["glm4v"], data, out, max_steps=2, resume=True), Lines().append)


def test_a_full_disk_at_a_checkpoint_costs_that_checkpoint_alone(
    models: dict[str, Path], data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, said = tmp_path / "out", Lines()
    write = torch.save

    def full(content: Any, path: Any, *args: Any, **kwargs: Any) -> None:
        if "checkpoint-4" in str(path):
            raise OSError(errno.ENOSPC, "No space left on device")
        write(content, path, *args, **kwargs)

    monkeypatch.setattr(torch, "save", full)
    cfg = small_settings(saving__every=2, saving__keep=3)
    run_sft(order(cfg, models["glm4v"], data, out, max_steps=6), said.append)
    kept = sorted(path.name for path in (out / "checkpoints").iterdir() if path.is_dir())
    assert kept == ["checkpoint-2", "checkpoint-6"]
    assert [line for line in said if "disk is full" in line and "checkpoint-2 is" in line]
    assert (out / "model.safetensors").exists()


def test_a_full_disk_at_the_end_leaves_no_half_model(
    models: dict[str, Path], data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("groundproof_training.tuning.saving.copy_texts", full)
    out = tmp_path / "out"
    with pytest.raises(TrainingError, match=r"the disk is full.*the last checkpoint is kept"):
        run_sft(order(small_settings(), models["glm4v"], data, out, max_steps=1), Lines().append)
    assert not (out / "unfinished").exists()
    assert not (out / "model.safetensors").exists()
    monkeypatch.undo()
    run_sft(order(small_settings(), models["glm4v"], data, out, max_steps=1, resume=True), Lines().append)
    assert (out / "model.safetensors").exists()


def test_a_frozen_tower_stays_and_the_language_model_learns(
    models: dict[str, Path], data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    cfg = small_settings(train__vision="frozen")
    run_sft(order(cfg, models["glm4v"], data, out, max_steps=2), Lines().append)
    before, after = load_file(models["glm4v"] / "model.safetensors"), load_file(out / "model.safetensors")
    changed = {key for key in before if not torch.equal(before[key], after[key])}
    assert changed
    assert not [key for key in changed if "visual" in key]


@pytest.mark.parametrize("kind", KINDS)
def test_adapters_learn_in_the_language_model_and_are_merged(
    models: dict[str, Path], data: Path, tmp_path: Path, kind: str
) -> None:
    out = tmp_path / "out"
    cfg = small_settings(kind, train__vision="frozen", train__lora={"r": 4, "alpha": 8})
    run_sft(order(cfg, models[kind], data, out, max_steps=2), Lines().append)
    before, after = load_file(models[kind] / "model.safetensors"), load_file(out / "model.safetensors")
    assert before.keys() == after.keys()
    changed = {key for key in before if not torch.equal(before[key], after[key])}
    assert changed
    assert all("layers." in key and "visual" not in key and "norm" not in key for key in changed)
    adapter = load_file(out / "adapter/adapter_model.safetensors")
    low = {key: value for key, value in adapter.items() if "lora_A" in key}
    for key, value in low.items():
        # Qwen2.5-VL is saved under the hub's names, which have no language_model.
        name = re.search(r"layers\.\d+\..*(?=\.lora_A)", key)
        assert name is not None
        stored = next(k for k in before if k.endswith(f".{name[0]}.weight") and "visual" not in k)
        expected = before[stored] + 2.0 * adapter[key.replace("lora_A", "lora_B")] @ value
        torch.testing.assert_close(after[stored], expected, rtol=1e-5, atol=1e-6)


def test_training_without_a_chain_of_thought_writes_answers_alone(
    models: dict[str, Path], tmp_path: Path
) -> None:
    data = write_samples(tmp_path, [make_sample(tmp_path, n, rationale=None) for n in range(4)])
    out = tmp_path / "out"
    run_sft(
        order(small_settings(data__form="answer"), models["glm4v"], data, out, max_steps=1), Lines().append
    )
    assert len(logged(out)) == 1


def test_a_run_over_broken_images_ends_well_and_names_them(models: dict[str, Path], tmp_path: Path) -> None:
    data = write_samples(tmp_path, [make_sample(tmp_path, number) for number in range(8)])
    (tmp_path / "images/3-0.png").write_bytes(b"no image")
    out, said = tmp_path / "out", Lines()
    run_sft(order(small_settings(), models["glm4v"], data, out, max_steps=2), said.append)
    assert "squares-3" in (out / "left-out.jsonl").read_text()
    assert any(line.startswith("left out over the whole run: 1 x broken image") for line in said)


def test_images_are_loaded_by_other_processes_too(models: dict[str, Path], tmp_path: Path) -> None:
    data = write_samples(tmp_path, [make_sample(tmp_path, number) for number in range(8)])
    (tmp_path / "images/3-0.png").write_bytes(b"no image")
    out, said = tmp_path / "out", Lines()
    run_sft(order(small_settings(data__workers=2), models["glm4v"], data, out, max_steps=2), said.append)
    assert any("1 x broken image" in line for line in said)


def test_a_batch_that_cannot_be_shared_out_is_refused() -> None:
    assert accumulation(128, 2, 8) == 8
    with pytest.raises(TrainingError, match="a batch of 12 is not a multiple"):
        accumulation(12, 8, 1)


def test_a_run_that_never_began_does_not_keep_its_folder(
    models: dict[str, Path], data: Path, tmp_path: Path
) -> None:
    empty, out = tmp_path / "empty.jsonl", tmp_path / "out"
    empty.write_text("")
    with pytest.raises(TrainingError, match="the file is empty"):
        run_sft(order(small_settings(), models["glm4v"], empty, out, max_steps=1), Lines().append)
    run_sft(order(small_settings(), models["glm4v"], data, out, max_steps=1), Lines().append)
    with pytest.raises(TrainingError, match="holds a run already"):
        run_sft(order(small_settings(), models["glm4v"], data, out, max_steps=1), Lines().append)

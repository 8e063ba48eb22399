"""GRPO really runs: with a KL, without visual tokens in answers, resumable, tasks mixed or one after another."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file

from groundproof.models.resolve import resolve
from groundproof.models.transformers_adapter import load
from groundproof.protocol import Task
from groundproof_training.tuning import grpo
from groundproof_training.tuning.checkpoint import open_checkpoint
from groundproof_training.tuning.grpo import make_trainer, order_of_rows, run_grpo, without_visual_tokens
from groundproof_training.tuning.left_out import LeftOut
from groundproof_training.tuning.rows import Rows
from groundproof_training.tuning.run import Interrupted
from tests.training.tuning.small import KINDS, make_sample, small_settings, write_samples
from tests.training.tuning.test_sft import Lines, logged, order


def a_reward(prompts: Any, completions: Any, completion_ids: Any, **columns: Any) -> list[float]:
    """Differs between answers of a random model, which ours would all give zero."""
    return [sum(ids) % 7 / 7 for ids in completion_ids]


def varying(function: Any) -> Any:
    def score(prompts: Any, completions: Any, completion_ids: Any, **columns: Any) -> list[float]:
        function(prompts, completions, completion_ids, **columns)  # tells what it tells
        return a_reward(prompts, completions, completion_ids)

    score.__name__ = function.__name__
    return score


@pytest.fixture
def varied(monkeypatch: pytest.MonkeyPatch) -> None:
    real = grpo.trl_functions
    monkeypatch.setattr(grpo, "trl_functions", lambda *run: [varying(one) for one in real(*run)])


@pytest.mark.usefixtures("varied")
def test_five_steps_run_with_a_kl_and_the_engine_asks_the_result(
    models: dict[str, Path], data: Path, tmp_path: Path
) -> None:
    out, said = tmp_path / "out", Lines()
    run_grpo(order(small_settings(), models["glm4v"], data, out, max_steps=5), said.append)
    kl = logged(out, "kl")
    assert len(kl) == 5
    assert kl[0] == 0  # the first answers are the reference's own
    assert kl[-1] > 0
    assert all(np.isfinite(logged(out)))
    assert any("kl" in line and "left" in line for line in said)
    assert load(resolve(str(out)), device="cpu").profile.prompt_style == "native"
    answers = [json.loads(line) for line in (out / "answers.jsonl").read_text().splitlines()]
    assert {"step", "sample", "task", "question", "truth", "answer", "rewards", "advantage"} <= set(
        answers[-1]
    )
    assert logged(out, "step")[-1] == answers[-1]["step"]


@pytest.mark.parametrize("kind", KINDS[1:])
@pytest.mark.usefixtures("varied")
def test_the_other_architectures_run_too(
    models: dict[str, Path], data: Path, tmp_path: Path, kind: str
) -> None:
    out = tmp_path / "out"
    run_grpo(order(small_settings(kind), models[kind], data, out, max_steps=1), Lines().append)
    assert len(logged(out, "kl")) == 1


@pytest.mark.usefixtures("varied")
def test_adapters_take_the_model_beneath_them_as_reference(
    models: dict[str, Path], data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    cfg = small_settings(train__vision="frozen", train__lora={"r": 4, "alpha": 8})
    run_grpo(order(cfg, models["glm4v"], data, out, max_steps=3), Lines().append)
    kl = logged(out, "kl")
    assert kl[0] == 0
    assert kl[-1] > 0
    assert (out / "adapter/adapter_config.json").exists()


@pytest.mark.usefixtures("varied")
def test_a_stopped_run_goes_on_with_the_same_next_step(
    models: dict[str, Path], data: Path, tmp_path: Path
) -> None:
    cfg = small_settings()
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    run_grpo(order(cfg, models["glm4v"], data, whole, max_steps=4), Lines().append)

    def stop_at_one(line: str) -> None:
        if line.startswith("step 1/4"):
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted, match="stopped at step 2 of 4"):
        run_grpo(order(cfg, models["glm4v"], data, halves, max_steps=4), stop_at_one)
    run_grpo(order(cfg, models["glm4v"], data, halves, max_steps=4, resume=True), Lines().append)
    assert logged(halves, "reward") == logged(whole, "reward")
    ours, theirs = (load_file(place / "model.safetensors") for place in (halves, whole))
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs)


def test_no_visual_token_is_ever_sampled(
    models: dict[str, Path], data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def keep(prompts: Any, completions: Any, completion_ids: Any, **columns: Any) -> list[float]:
        seen.extend(token for ids in completion_ids for token in ids)
        return [0.0] * len(completions)

    monkeypatch.setattr(grpo, "trl_functions", lambda rewards, readings: [keep for _ in rewards])
    point = open_checkpoint(small_settings(), str(models["glm4v"]))
    make_model = grpo.model_of

    def eager(*args: Any) -> Any:
        """A model that would write nothing but visual tokens, if it were let."""
        model = make_model(*args)

        def prefer(module: Any, inputs: Any, logits: torch.Tensor) -> torch.Tensor:
            logits = logits.clone()
            logits[..., list(point.visual_ids)] += 100.0
            return logits

        model.lm_head.register_forward_hook(prefer)
        return model

    monkeypatch.setattr(grpo, "model_of", eager)
    run_grpo(order(small_settings(), models["glm4v"], data, tmp_path / "out", max_steps=1), Lines().append)
    assert len(point.visual_ids) == 6
    assert seen
    assert not set(seen) & set(point.visual_ids)


def test_vllm_is_told_the_same(models: dict[str, Path]) -> None:
    cfg = small_settings(grpo__vllm={"mode": "server", "server_url": "http://127.0.0.1:8000"})
    point = open_checkpoint(cfg, str(models["glm4v"]))
    assert without_visual_tokens(point, cfg.grpo.vllm) == {
        "logit_bias": dict.fromkeys(point.visual_ids, -100.0)
    }


def test_training_without_a_kl_has_to_be_asked_for() -> None:
    with pytest.raises(ValidationError, match="collapsed"):
        small_settings(grpo__beta=0.0)
    assert small_settings(grpo__beta=0.0, grpo__allow_no_kl=True).grpo.beta == 0


def test_the_papers_loss_is_what_trl_is_told(models: dict[str, Path], data: Path, tmp_path: Path) -> None:
    cfg = small_settings()
    point = open_checkpoint(cfg, str(models["glm4v"]))
    rows = Rows(data, data.parent, point, cfg.data, None, LeftOut())
    trainer = make_trainer(
        order(cfg, models["glm4v"], data, tmp_path, max_steps=1), point, rows, Lines().append
    )
    assert (trainer.args.loss_type, trainer.epsilon_low, trainer.epsilon_high) == ("grpo", 0.2, 0.2)
    assert trainer.beta == 0.04
    assert trainer.ref_model is not None
    assert trainer.reward_func_names == ["rsthinker", "format", "faithfulness"]


def test_tasks_one_after_another(models: dict[str, Path], tmp_path: Path) -> None:
    tasks = [Task.COUNT, Task.VQA, Task.DETECT, Task.COUNT, Task.VQA, Task.CAPTION]
    samples = [make_sample(tmp_path, n, task=task, rationale=None) for n, task in enumerate(tasks)]
    path = write_samples(tmp_path, samples)
    cfg = small_settings(grpo__tasks=["vqa", "count", "classify"], grpo__epochs=2.0)
    point = open_checkpoint(cfg, str(models["glm4v"]))
    rows, said = Rows(path, tmp_path, point, cfg.data, None, LeftOut()), Lines()
    order = order_of_rows(rows, cfg, said.append)
    assert [rows.tasks[index] for index in order] == [Task.VQA] * 4 + [Task.COUNT] * 4
    assert "no sample of the task classify" in said
    assert any("2 samples of caption, detect are not in grpo.tasks" in line for line in said)


@pytest.mark.parametrize("ends", [False, True])
@pytest.mark.usefixtures("varied")
def test_only_answers_that_were_cut_off_are_masked(
    models: dict[str, Path], data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ends: bool
) -> None:
    cfg = small_settings(grpo__mask_truncated=True)
    end = open_checkpoint(cfg, str(models["glm4v"])).end_id
    make_model = grpo.model_of

    def biased(*args: Any) -> Any:
        """A model that ends an answer often, or never."""
        model = make_model(*args)

        def prefer(module: Any, inputs: Any, logits: torch.Tensor) -> torch.Tensor:
            bias = torch.zeros(logits.shape[-1])
            bias[end] = 7.0 if ends else -100.0
            return logits + bias

        model.lm_head.register_forward_hook(prefer)
        return model

    monkeypatch.setattr(grpo, "model_of", biased)
    run_grpo(order(cfg, models["glm4v"], data, tmp_path / "out", max_steps=1), Lines().append)
    clipped, gradient = (
        logged(tmp_path / "out", "completions/clipped_ratio"),
        logged(tmp_path / "out", "grad_norm"),
    )
    assert (clipped[0] < 1) == ends
    assert (gradient[0] > 0) == ends

"""What is run again and what is not, and what a failure stops. Training and asking are fakes but in the last test."""

import json

import pytest
from typer.testing import CliRunner

import groundproof_training.ablation.running as running
from groundproof.models.embedded import EMBEDDED_FOLDER
from groundproof_training.ablation.cells import CELLS
from groundproof_training.ablation.evaluating import Evaluated
from groundproof_training.ablation.results import FILE, Answers, Trained, path_of, read
from groundproof_training.ablation.running import Ablation, prepare, trained_of
from groundproof_training.ablation.settings import DataSettings, read_settings
from groundproof_training.cli import app
from groundproof_training.errors import TrainingError
from groundproof_training.samples.storage import read_samples
from groundproof_training.tuning.run import Interrupted


@pytest.fixture
def settings():
    whole = read_settings("tiny")
    return whole.model_copy(update={"seeds": 2})


@pytest.fixture
def fakes(monkeypatch):
    """Names of the cells that were trained and asked, in order."""
    seen = {"trained": [], "asked": [], "fails": set(), "stops": set()}

    def train(self, cell, seed, out, say):
        if cell.name in seen["stops"]:
            raise Interrupted("stopped")
        if cell.name in seen["fails"]:
            raise TrainingError("no room")
        seen["trained"].append((cell.name, seed, self._model_of(cell, seed, begins=True)))
        return Trained(steps=1)

    def ask(model, settings, data, keep_in, say):
        seen["asked"].append(model)
        return Evaluated(Answers(n=1, mean_chars=1, repetition=0, unreadable=0), {}, {}, {})

    monkeypatch.setattr(Ablation, "_train", train)
    monkeypatch.setattr(running, "evaluate", ask)
    monkeypatch.setattr(running, "prepare", lambda *given: None)
    return seen


def job(out, settings, **given):
    return Ablation(out, settings, EMBEDDED_FOLDER, None, lambda line: None, **given)


def test_every_cell_begins_with_the_model_of_its_own_seed(tmp_path, settings, fakes):
    results = list(job(tmp_path, settings).run())
    assert len(results) == 1 + 2 * (len(CELLS) - 1)
    began = {(name, seed): model for name, seed, model in fakes["trained"]}
    assert began["sft-cot", 1] == EMBEDDED_FOLDER
    assert began["sft-cot-grpo", 1] == path_of(tmp_path, "sft-cot", 1) / "model"
    assert began["sft-answer-grpo", 0] == path_of(tmp_path, "sft-answer", 0) / "model"
    assert fakes["asked"][0] == EMBEDDED_FOLDER


def test_what_is_done_is_not_done_again(tmp_path, settings, fakes):
    first = list(job(tmp_path, settings).run())
    number = len(fakes["trained"])
    assert list(job(tmp_path, settings).run()) == first
    assert len(fakes["trained"]) == number


def test_another_budget_makes_only_the_cells_again_that_it_is_about(tmp_path, settings, fakes):
    list(job(tmp_path, settings).run())
    fakes["trained"].clear()
    more = settings.model_copy(update={"grpo": settings.grpo.model_copy(update={"steps": 99})})
    list(job(tmp_path, more).run())
    assert {name for name, *_ in fakes["trained"]} == {one.name for one in CELLS if one.stage == "grpo"}


def test_a_failure_is_a_row_stops_only_what_begins_with_it_and_is_tried_again(tmp_path, settings, fakes):
    fakes["fails"].add("sft-cot")
    results = {(r.cell, r.seed): r for r in job(tmp_path, settings).run()}
    assert results["sft-cot", 0].status == "failed"
    assert results["sft-cot", 0].reason == "no room"
    assert "begins with sft-cot" in results["sft-cot-grpo-no-kl", 1].reason
    assert results["sft-answer-grpo", 1].status == "ok"
    fakes["fails"].clear()
    assert all(r.status == "ok" for r in job(tmp_path, settings).run())


def test_a_stop_keeps_what_is_done(tmp_path, settings, fakes):
    fakes["stops"].add("sft-answer-grpo")
    with pytest.raises(Interrupted):
        list(job(tmp_path, settings).run())
    assert read(path_of(tmp_path, "sft-cot", 0) / FILE).status == "ok"
    fakes["stops"].clear()
    before = list(fakes["trained"])
    list(job(tmp_path, settings).run())
    assert fakes["trained"][: len(before)] == before
    assert ("sft-cot", 0) not in [(name, seed) for name, seed, _ in fakes["trained"][len(before) :]]


def test_scenes_of_sft_and_grpo_are_not_the_same(tmp_path):
    prepare(tmp_path, DataSettings(sft_scenes=3, grpo_scenes=2), lambda line: None)
    sft, grpo = (
        {one.images[0].path for one in read_samples(tmp_path / f"{name}.jsonl")} for name in ("sft", "grpo")
    )
    assert (len(sft), len(grpo)) == (3, 2)
    assert not sft & grpo
    assert all((tmp_path / path).is_file() for path in sft | grpo)
    said = []
    prepare(tmp_path, DataSettings(sft_scenes=3, grpo_scenes=2), said.append)
    assert not said


def test_first_and_last_of_a_log(tmp_path):
    rows = [
        {"step": 1, "reward": 0.1, "kl": 0.0, "loss": 1.0},
        {"step": 2, "reward": 0.3, "kl": 0.02, "loss": 2.0},
    ]
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    found = trained_of(tmp_path / "log.jsonl")
    assert (found.steps, found.reward, found.kl, found.loss) == (2, (0.1, 0.3), (0.0, 0.02), None)


def test_a_dry_run_lists_cells_and_runs_none(tmp_path, fakes):
    found = CliRunner().invoke(app, ["ablation", "-o", str(tmp_path / "out"), "--seeds", "1", "--dry-run"])
    assert found.exit_code == 0
    assert [line.split()[0] for line in found.stdout.splitlines()] == [one.name for one in CELLS]
    assert not fakes["asked"]


@pytest.mark.slow
def test_the_whole_ablation_at_toy_size(tmp_path):
    toy = tmp_path / "toy.toml"
    toy.write_text(
        """configuration = "tiny"
seeds = 1
[data]
sft_scenes = 12
grpo_scenes = 8
[sft]
steps = 2
batch = 4
learning_rate = 3e-4
[grpo]
steps = 1
prompts = 2
k = 2
learning_rate = 1e-4
beta = 0.04
faithfulness = 0.3
max_completion_tokens = 120
[evaluation]
scenes = 8
pictures = 0
draws = 50
""",
        encoding="utf-8",
    )
    out = tmp_path / "out"
    found = CliRunner().invoke(app, ["ablation", "-o", str(out), "--config", str(toy)])
    assert found.exit_code == 0, found.output
    page = (out / "ablation.md").read_text(encoding="utf-8")
    assert "not run yet" not in page
    again = CliRunner().invoke(app, ["ablation", "-o", str(out), "--config", str(toy)])
    assert again.exit_code == 0
    assert "rendering" not in again.output

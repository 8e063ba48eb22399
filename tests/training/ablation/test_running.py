"""What is run again and what is not, and what a failure stops. Training and asking are fakes but in the last test."""

import json
import os
import signal
import time

import pytest
from typer.testing import CliRunner

import groundproof_training.ablation.running as running
from groundproof.models.embedded import EMBEDDED_FOLDER
from groundproof.models.profiles import get_profile
from groundproof_training.ablation.cells import CELLS, cell
from groundproof_training.ablation.columns import COLUMNS
from groundproof_training.ablation.evaluating import Evaluated
from groundproof_training.ablation.results import FILE, Answers, Trained, path_of, read
from groundproof_training.ablation.running import Ablation, prepare, trained_of
from groundproof_training.ablation.settings import DataSettings, configuration_of, read_settings
from groundproof_training.cli import app
from groundproof_training.errors import TrainingError
from groundproof_training.rewards import get
from groundproof_training.rewards.trl import Readings, trl_functions
from groundproof_training.samples import Form, completion_of
from groundproof_training.samples.storage import read_samples
from groundproof_training.tuning.configuration import folder
from groundproof_training.tuning.left_out import LeftOut
from groundproof_training.tuning.run import Interrupted
from groundproof_training.tuning.watch import stop_requests


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


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_that_a_trainer_was_too_far_to_heed_begins_no_other_cell(
    tmp_path, settings, monkeypatch, number
):
    def train(order, say):
        with stop_requests():  # as a trainer in its last step: it hears of it, and finishes
            os.kill(os.getpid(), number)
        order.out.mkdir(parents=True)
        (order.out / "model.safetensors").touch()
        (order.out / "log.jsonl").write_text('{"step": 1, "loss": 1.0}\n', encoding="utf-8")

    monkeypatch.setattr("groundproof_training.tuning.sft.run_sft", train)
    out, handlers = tmp_path / "model", [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(Interrupted):
        job(tmp_path, settings)._train(cell("sft-cot"), 0, out, print)
    assert [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)] == handlers
    assert signal.set_wakeup_fd(-1) == -1
    assert (
        job(tmp_path, settings)._train(cell("sft-cot"), 0, out, print).steps == 1
    )  # and is not trained again


def test_a_polite_kill_between_trainings_is_a_sentence_that_says_how_to_go_on(tmp_path, fakes, monkeypatch):
    def asks(*given):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)

    monkeypatch.setattr(running, "evaluate", asks)
    before = signal.getsignal(signal.SIGTERM)
    found = CliRunner().invoke(app, ["ablation", "-o", str(tmp_path / "out"), "--seeds", "1"])
    assert found.exit_code == 130
    assert "Go on with: groundproof-train " in found.output
    assert signal.getsignal(signal.SIGTERM) == before
    assert not list((tmp_path / "out").glob("cells/*/*/result.json"))


def test_a_column_that_is_measured_otherwise_is_scored_again_without_training(
    tmp_path, settings, monkeypatch
):
    one = job(tmp_path, settings)
    before, model = one.key(cell("sft-cot"), 0), one.model_key(cell("sft-cot"), 0)
    monkeypatch.setattr(running, "COLUMNS", COLUMNS[:-1])
    assert one.key(cell("sft-cot"), 0) != before
    assert one.model_key(cell("sft-cot"), 0) == model


def test_other_questions_need_no_training(tmp_path, settings, fakes):
    list(job(tmp_path, settings).run())
    fakes["trained"].clear()
    (path_of(tmp_path, "sft-cot", 0) / "model").mkdir()
    more = settings.model_copy(
        update={"evaluation": settings.evaluation.model_copy(update={"scenes": 7, "draws": 9})}
    )
    again = job(tmp_path, more)
    assert not again.results()
    list(again.run())
    assert (path_of(tmp_path, "sft-cot", 0) / "model").is_dir()
    assert again.model_key(cell("sft-cot"), 0) == job(tmp_path, settings).model_key(cell("sft-cot"), 0)


def test_the_table_takes_no_result_of_other_settings_or_seeds(tmp_path, settings, fakes):
    list(job(tmp_path, settings).run())
    longer = settings.model_copy(update={"sft": settings.sft.model_copy(update={"steps": 99})})
    list(job(tmp_path, longer, only=("sft-cot",)).run())
    kept = {(r.cell, r.seed) for r in job(tmp_path, longer).results()}
    assert kept == {("base", 0), ("sft-cot", 0), ("sft-cot", 1)}
    fewer = job(tmp_path, longer.model_copy(update={"seeds": 1}))
    assert {(r.cell, r.seed) for r in fewer.results()} == {("base", 0), ("sft-cot", 0)}


def test_versions_of_packages_and_the_whole_training_configuration_decide_a_model(
    tmp_path, settings, monkeypatch
):
    one, before = job(tmp_path, settings), job(tmp_path, settings).model_key(cell("sft-cot"), 0)
    own = tmp_path / "own.toml"
    text = (folder() / "tiny.toml").read_text(encoding="utf-8")
    own.write_text(text.replace('dtype = "float32"  ', 'dtype = "bfloat16"  '), encoding="utf-8")
    other = settings.model_copy(update={"configuration": str(own)})
    assert job(tmp_path, other).model_key(cell("sft-cot"), 0) != before
    monkeypatch.setattr(running, "packages", lambda: {"trl": "0"})
    assert one.model_key(cell("sft-cot"), 0) != before


def test_a_failed_evaluation_keeps_the_model_and_the_time_it_took(tmp_path, settings, fakes, monkeypatch):
    def breaks(*given):
        raise OSError("no such picture")

    asks = running.evaluate
    monkeypatch.setattr(running, "evaluate", breaks)
    results = list(job(tmp_path, settings, only=("base",)).run())
    assert [r.reason for r in results] == ["OSError: no such picture"]
    folder = path_of(tmp_path, "base", 0)
    (folder / "seconds.json").write_text('{"train": 7.0}', encoding="utf-8")
    (folder / "model").mkdir()
    monkeypatch.setattr(running, "evaluate", asks)
    (result,) = job(tmp_path, settings, only=("base",)).run()
    assert result.status == "ok"
    assert result.train_seconds == 7.0
    assert (folder / "model").is_dir()


def test_samples_that_one_cell_alone_leaves_out_fail_it(tmp_path, settings):
    out = tmp_path / "model"
    out.mkdir()
    (out / "model.safetensors").touch()
    (out / "log.jsonl").write_text('{"step": 1, "loss": 1.0}\n', encoding="utf-8")
    train = job(tmp_path, settings)._train
    assert train(cell("sft-cot"), 0, out, print).steps == 1
    LeftOut(out / "left-out.jsonl").add("too long", "a", "1,600 tokens")
    with pytest.raises(TrainingError, match="1 samples could not be trained on"):
        train(cell("sft-cot"), 0, out, print)


def test_a_model_that_was_not_moved_into_its_place_is_not_finished(tmp_path, settings, monkeypatch):
    out = tmp_path / "model"
    (out / "unfinished").mkdir(parents=True)
    (out / "model.safetensors").touch()
    (out / "log.jsonl").write_text('{"step": 1, "loss": 1.0}\n', encoding="utf-8")
    seen = []
    monkeypatch.setattr("groundproof_training.tuning.sft.run_sft", lambda order, say: seen.append(order))
    job(tmp_path, settings)._train(cell("sft-cot"), 0, out, print)
    assert len(seen) == 1


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


def test_a_log_is_told_by_quarters_and_a_step_done_again_counts_once(tmp_path):
    killed = [{"step": step, "reward": 99.0} for step in (1, 2)]
    rows = killed + [{"step": step, "reward": float(step)} for step in range(1, 9)]
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    found = trained_of(tmp_path / "log.jsonl")
    assert (found.steps, found.reward) == (8, (1.5, 7.5))


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


def test_a_right_answer_is_rewarded_in_its_own_form_and_none_in_the_other(tmp_path, settings):
    prepare(tmp_path, DataSettings(sft_scenes=3, grpo_scenes=4), lambda line: None)
    profile, samples = get_profile("tiny"), list(read_samples(tmp_path / "grpo.jsonl"))
    rewarded = {one.name: configuration_of(one, 0, settings) for one in CELLS if one.stage == "grpo"}
    for cfg in rewarded.values():
        rewards = [get(one.name, one.settings, samples) for one in cfg.grpo.rewards]
        functions = trl_functions(rewards, Readings(profile, cfg.data.form))
        for sample in samples:
            seen = tuple(image.shown_size for image in sample.images)
            texts = [completion_of(sample, profile, seen, form) for form in (Form.ANSWER, Form.GEO_COT)]
            own = 0 if cfg.data.form is Form.ANSWER else 1
            given = {"sample": [sample.model_dump_json()] * 2, "seen": [[list(s) for s in seen]] * 2}
            for reward in functions[:2]:
                scores = reward([None] * 2, texts, **given)
                assert scores[own] > 0.9
                assert scores[1 - own] == 0

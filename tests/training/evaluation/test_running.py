"""A suite from folders on disk to figures: tiny data sets in the layouts of their readers, and nothing asked twice."""

import io
import json
import shutil
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from groundproof.errors import ModelError
from groundproof.models.base import Piece
from groundproof.models.profiles import get_profile
from groundproof_training.errors import TrainingError
from groundproof_training.evaluation import asking, running
from groundproof_training.evaluation.answers import NAME, Answers, Kept, Key
from groundproof_training.evaluation.asking import ModelDiedError
from groundproof_training.evaluation.benchmarks import BENCH, benchmarks, published_text
from groundproof_training.evaluation.running import run_suite
from groundproof_training.evaluation.scenes import SCENE
from groundproof_training.readers.base import Problems
from groundproof_training.readers.registry import reader
from groundproof_training.samples import Sample, SampleImage, TrueBox
from groundproof_training.scenes import WorldSpec, make_scene
from tests.engine.model_server import ModelServer, pictures, refuse

BASELINES = ["baseline:none", "baseline:centre"]
UCM = [name.replace(" ", "") for name in reader("ucmerced").classes]
FIVE = [
    "there is a ship .", "a ship is near the pier .", "one ship .", "a ship on the water .", "the ship is white ."
]  # fmt: skip


def painted(path, seed, side=112):
    path.parent.mkdir(parents=True, exist_ok=True)
    scene = make_scene(seed, side, side, WorldSpec(classes=("airplane",), n_objects=(1, 3)))
    Image.fromarray(scene.image).save(path)


def ucmerced(root):
    for number, name in enumerate(UCM):
        painted(root / "UCMerced_LandUse" / "Images" / name / f"{name}00.tif", number)


def rsod(root, number=12):
    for n in range(number):
        painted(root / "RSOD" / "aircraft" / "JPEGImages" / f"aircraft_{n}.jpg", n)
        boxes = "".join(
            f"<object><name>aircraft</name><bndbox><xmin>{x}</xmin><ymin>11</ymin><xmax>{x + 19}</xmax><ymax>30</ymax>"
            "</bndbox></object>"
            for x in range(11, 11 + 30 * (1 + n % 3), 30)
        )
        xml = root / "RSOD" / "aircraft" / "Annotation" / "xml" / f"aircraft_{n}.xml"
        xml.parent.mkdir(parents=True, exist_ok=True)
        size = "<size><width>112</width><height>112</height><depth>3</depth></size>"
        xml.write_text(f"<annotation><filename>aircraft_{n}.jpg</filename>{size}{boxes}</annotation>")
    for name in ("oiltank", "overpass", "playground"):
        (root / "RSOD" / name / "JPEGImages").mkdir(parents=True, exist_ok=True)
        (root / "RSOD" / name / "Annotation" / "xml").mkdir(parents=True, exist_ok=True)


def rsvqa(root):
    folder = root / "RSVQA_HR"
    kinds = ("presence", "comp", "count")
    questions = [
        {"id": n, "img_id": n % 2, "type": kinds[n % 3], "question": f"Is a road at {n}?", "active": True}
        for n in range(9)
    ]
    answers = [
        {"id": n, "question_id": n, "answer": ("yes", "no", "3")[n % 3], "active": True} for n in range(9)
    ]
    parts = {
        "images": [{"id": n, "active": True} for n in range(2)],
        "questions": questions,
        "answers": answers,
    }
    for n in range(2):
        painted(folder / "Images_HR" / f"{n}.tif", n)
    for name, rows in parts.items():
        (folder / f"USGS_split_test_{name}.json").write_text(json.dumps({name: rows}))


def captions(root):
    folder = root / "UCM_captions"
    rows = []
    for n in range(4):
        painted(folder / "imgs" / f"{n}.tif", n)
        raw = [{"raw": s, "tokens": s.split(), "imgid": n, "sentid": k} for k, s in enumerate(FIVE)]
        rows.append({"filename": f"{n}.tif", "imgid": n, "split": "test", "sentences": raw})
    (folder / "dataset.json").write_text(json.dumps({"images": rows, "dataset": "ucm"}))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    for make in (ucmerced, rsod, rsvqa, captions):
        make(root)
    return root


HERE = ("SC_UCM", "OC_RSOD", "VQA_RSVQA-HR", "IC_UCM")


@pytest.fixture(scope="module")
def evaluation(data, tmp_path_factory):
    return run_suite(BASELINES, "rsthinker", data, tmp_path_factory.mktemp("out"), draws=20)


def test_what_is_there_is_scored_and_what_is_not_says_what_was_expected(evaluation):
    by_status = {
        status: [e for e in evaluation.entries if e.status == status] for status in ("scored", "no data")
    }
    assert [e.name for e in by_status["scored"]] == sorted(
        HERE, key=[e.name for e in evaluation.entries].index
    )
    assert len(evaluation.entries) == len(by_status["scored"]) + len(by_status["no data"]) == 24
    missing = next(e for e in by_status["no data"] if e.name == "VG_RRSISD")
    assert "RRSIS-D or rrsisd" in missing.reason
    assert "instances.json" in missing.reason
    assert not missing.scores


def test_figures_are_those_of_the_truth(evaluation, data):
    entry = {e.name: e for e in evaluation.entries}

    def figure(name, model, metric):
        return {f.name: f for f in entry[name].scores[model].strict}[metric]

    one = reader("rsod")  # pictures of one, two or three objects; the split draws some of them
    options = one.options(tasks=("count",), absent_share=0)
    true = [int(sample.answer) for sample in one.read(data / "RSOD", "test", options, Problems())]
    assert set(true) <= {1, 2, 3}
    assert figure("OC_RSOD", "baseline:none", "accuracy").value == 0.0
    assert figure("OC_RSOD", "baseline:centre", "accuracy").value == pytest.approx(true.count(1) / len(true))
    assert figure("OC_RSOD", "baseline:none", "mae").value == pytest.approx(sum(true) / len(true))
    assert figure("VQA_RSVQA-HR", "baseline:none", "accuracy").value == pytest.approx(3 / 9)
    assert figure("VQA_RSVQA-HR", "baseline:centre", "accuracy").value == pytest.approx(3 / 9)
    assert entry["VQA_RSVQA-HR"].scores["baseline:none"].breakdowns["type"].keys() == {
        "presence",
        "comp",
        "count",
    }
    assert entry["IC_UCM"].scores["baseline:none"].statuses == {"unreadable": 4}
    assert entry["SC_UCM"].scores["baseline:none"].n == len(UCM) == 21


def test_what_a_report_needs_is_there(evaluation):
    entry = next(e for e in evaluation.entries if e.name == "OC_RSOD")
    assert list(entry.compared) == ["baseline:none vs baseline:centre"]
    assert {row.system for row in entry.published} >= {"RSThinker"}
    assert entry.published_samples == "200"
    assert entry.configuration["reader"] == "rsod"
    assert entry.configuration["answers"]["baseline:none"]["asked"] == entry.configuration["questions"]
    shown = entry.gallery["baseline:centre"]
    assert shown
    with Image.open(io.BytesIO(shown[0].picture)) as picture:
        assert picture.format == "JPEG"
        assert max(picture.size) <= 512
    configuration = evaluation.configuration
    assert configuration["models"]["baseline:none"]["identity"] == "baseline:none-v1"
    assert configuration["versions"]["numpy"]
    json.dumps(configuration)


class Stepping:
    """A served model that is interrupted, or dies, after so many answers of all its life."""

    continuous, constrains, max_in_flight = True, False, 2
    identity = "stepping-1"

    def __init__(self, after=None, error=KeyboardInterrupt):
        self.profile, self.after, self.error = get_profile("tiny"), after, error
        self.asked = []

    def generate(self, requests):
        for request in requests:
            if len(self.asked) == self.after:
                raise self.error("it is gone.")
            self.asked.append((request.text, request.images[0].tobytes()))
            yield Piece(request.request_id, "<answer>1</answer>", None, "stop")

    def close(self):
        pass


def with_model(monkeypatch, model):
    real = running.open_any
    monkeypatch.setattr(running, "check_model", lambda name: None)
    monkeypatch.setattr(
        running, "open_any", lambda name, device="auto": model if name == "m" else real(name, device)
    )
    return model


@pytest.mark.parametrize("error", [KeyboardInterrupt, ModelError])
def test_an_interrupted_evaluation_asks_nothing_twice(monkeypatch, data, tmp_path, error):
    """Stopped in the middle of the second entry of four; what both runs asked is what one run asks, each once."""

    def run(out):
        return run_suite(["m"], "rsthinker", data, out, only=HERE, draws=0)

    whole = with_model(monkeypatch, Stepping())
    expected = run(tmp_path / "whole")
    first = with_model(monkeypatch, Stepping(25, error))
    with pytest.raises(KeyboardInterrupt if error is KeyboardInterrupt else ModelDiedError):
        run(tmp_path / "cut")
    second = with_model(monkeypatch, Stepping())
    found = run(tmp_path / "cut")
    assert len(first.asked) == 25
    assert sorted(first.asked + second.asked) == sorted(whole.asked)
    third = with_model(monkeypatch, Stepping())
    run(tmp_path / "cut")
    assert third.asked == []
    for a, b in zip(expected.entries, found.entries, strict=True):
        for one, other in zip(a.scores["m"].strict, b.scores["m"].strict, strict=True):
            assert one == other or np.isnan([one.value, other.value]).all()


def test_one_entry_that_fails_does_not_stop_the_others(data, tmp_path, monkeypatch):
    real = running.score

    def broken(cases, **settings):
        if cases[0].case_id.startswith("rsvqa"):
            raise ZeroDivisionError("nothing to divide by")
        return real(cases, **settings)

    monkeypatch.setattr(running, "score", broken)
    found = run_suite(BASELINES[:1], "rsthinker", data, None, only=HERE, draws=0)
    status = {e.name: (e.status, e.reason) for e in found.entries}
    assert status["VQA_RSVQA-HR"] == (
        "failed",
        "it could not be scored: ZeroDivisionError: nothing to divide by",
    )
    assert [status[name][0] for name in HERE if name != "VQA_RSVQA-HR"] == ["scored"] * 3


def test_a_limit_draws_by_content_and_a_smaller_one_lies_inside(data):
    (one,) = (b for b in benchmarks("rsthinker") if b.name == "VQA_RSVQA-HR")

    def drawn(limit):
        return [question.case_id for question in one.read(data, limit).questions]

    assert drawn(None) == [f"rsvqa-hr/test/{n}" for n in range(9)]
    assert set(drawn(2)) < set(drawn(5)) < set(drawn(None))
    assert drawn(5) != drawn(None)[:5]
    assert drawn(5) == drawn(5)


def test_folders_are_found_whatever_their_case_and_signs(data, tmp_path):
    shutil.copytree(data / "RSVQA_HR", tmp_path / "rsvqa-hr")
    found = run_suite(BASELINES[:1], "geovlm-r1", tmp_path, None, only=["vqa-rsvqa-hr"], draws=0)
    (entry,) = found.entries
    assert entry.status == "scored"
    assert entry.configuration["folder"] == "rsvqa-hr"
    assert entry.scores["baseline:none"].n == 6  # without counts, as published


def test_a_folder_of_another_data_set_is_no_data_and_says_why(tmp_path):
    (tmp_path / "RSICD" / "pictures").mkdir(parents=True)
    (entry,) = run_suite(BASELINES[:1], "rsthinker", tmp_path, None, only=["IC_RSICD"], draws=0).entries
    assert entry.status == "no data"
    assert "dataset_rsicd.json" in entry.reason


def test_a_dry_run_asks_a_few_questions_and_scores_none(monkeypatch, data, tmp_path):
    model = with_model(monkeypatch, Stepping())
    found = run_suite(["m"], "rsthinker", data, tmp_path, only=HERE, dry_run=True)
    assert [e.status for e in found.entries] == ["not run"] * 4
    assert len(model.asked) == running.TIMED + 1  # one to warm up, which is not kept
    assert len((tmp_path / "answers.jsonl").read_text().splitlines()) == running.TIMED
    assert "9 questions" in next(e.reason for e in found.entries if e.name == "VQA_RSVQA-HR")


class Slowly(Stepping):
    """Fixed batches: the first one of all takes 100 s more, and each takes 8 s, however many are in it."""

    continuous, max_in_flight, now = False, 16, 0.0

    def generate(self, requests):
        batch = list(requests)
        self.now += 8 + (0 if self.asked else 100)
        for request in batch:
            self.asked.append(request.request_id)
            yield Piece(request.request_id, "<answer>1</answer>", None, "stop")


def expected_seconds(monkeypatch, data, out):
    model = with_model(monkeypatch, Slowly())
    monkeypatch.setattr(asking, "time", SimpleNamespace(monotonic=lambda: model.now))
    (entry,) = run_suite(["m"], "rsthinker", data, out, only=["SC_UCM"], dry_run=True).entries
    return entry.configuration["seconds"]["m"]


def test_a_dry_run_times_a_warm_model_in_whole_batches(monkeypatch, data):
    assert expected_seconds(monkeypatch, data, None) == pytest.approx(21 * 8 / 16)


def test_a_dry_run_counts_kept_answers_of_one_step_and_no_whole_scenes(monkeypatch, data, tmp_path):
    kept = {"a": 8.0, "b": 0.0, "c": 0.0, "d": 0.0, f"{SCENE}a.tif ship": 500.0}
    Answers(tmp_path / NAME).keep(
        Kept(Key(name, "stepping-1", "", ""), "", "stop", seconds=seconds) for name, seconds in kept.items()
    )
    assert expected_seconds(monkeypatch, data, tmp_path) == pytest.approx(21 * 2.0)


def test_a_limit_without_such_a_scene_says_that_a_larger_one_has_it():
    (entry,) = run_suite(BASELINES[:1], BENCH, None, None, only=["bench-v1-change-objects"], limit=3).entries
    assert entry.status == "no data"
    assert entry.reason.startswith("none of the first 3 scenes gives such a question")
    assert "larger --limit" in entry.reason


def test_errors_of_a_model_are_counted_and_shown(monkeypatch, data):
    class Failing(Stepping):
        def generate(self, requests):
            for request in requests:
                yield Piece(request.request_id, "", None, "error", "out of memory")

    with_model(monkeypatch, Failing())
    (entry,) = run_suite(["m"], "rsthinker", data, None, only=["SC_UCM"], draws=0).entries
    assert entry.scores["m"].statuses == {"failed": 21}
    assert entry.problems["model error"] == 21
    assert "out of memory" in entry.examples["model error"][0]
    assert {f.name: f.value for f in entry.scores["m"].strict}["exact"] == 0.0


@pytest.mark.parametrize(
    ("models", "suite", "more", "said"),
    [
        ([], "rsthinker", {}, "one model"),
        (["baseline:none"] * 2, "rsthinker", {}, "different"),
        (["baseline:left"], "rsthinker", {"only": ["SC_UCM"]}, "no baseline"),
        (BASELINES, "rsthinker", {"only": ["SC_UMC"]}, "no entry"),
        (BASELINES, "nothing", {}, "no suite"),
    ],
)
def test_a_mistake_is_a_sentence(data, models, suite, more, said):
    with pytest.raises(TrainingError, match=said):
        run_suite(models, suite, data, None, **more)


def test_no_data_folder_is_a_sentence(tmp_path):
    with pytest.raises(TrainingError, match="--data DIR"):
        run_suite(BASELINES, "rsthinker", None, None)
    with pytest.raises(TrainingError, match="is no folder"):
        run_suite(BASELINES, "rsthinker", tmp_path / "none", None)


def test_a_published_prompt_is_filled_in_as_earthdial_writes_boxes():
    size, regions = (200, 100), (
        TrueBox(label="ship", x0=20, y0=10, x1=40, y1=30),
        TrueBox(label="ship", x0=50, y0=20, x1=70, y1=40, quad=(60, 20, 70, 30, 60, 40, 50, 30)),
    )  # fmt: skip
    sample = Sample(
        sample_id="a", source="s", split="test", licence="l", task="region-caption", question="What is in <region:0>?",
        images=(SampleImage(path="a.png", width=size[0], height=size[1]),), regions=regions, answer="a ship",
    )  # fmt: skip
    assert (
        published_text("[identify] {question}", sample)
        == "[identify] What is in <box>[[10, 10, 20, 30, 0]]</box>?"
    )
    turned = sample.model_copy(update={"question": "<region:1>"})
    side = 10 * 2**0.5 / 2  # half the side of the square that stands on its corner
    expected = [round(v) for v in ((60 - side) / 2, 30 - side, (60 + side) / 2, 30 + side)]
    assert published_text("{question}", turned) == f"<box>[[{', '.join(map(str, expected))}, 45]]</box>"


def test_a_served_model_that_goes_away_is_asked_for_the_rest_later(monkeypatch, data, tmp_path):
    """Over real HTTP: greedy, one picture each; the key is refused after ten answers, and the run stops there."""
    opened = running.open_any  # two at a time: what is on its way when the server refuses is lost
    monkeypatch.setattr(running, "open_any", lambda name, device: opened(name, device, 2))
    told = ["<think>", "sand", "</think>", "<answer>", "beach", "</answer>"]
    with ModelServer(lambda body: told) as server:
        name = f"rsthinker:{server.url}"
        server.script.extend([None] * 10)
        server.always = refuse(401, "no such key")
        with pytest.raises(ModelDiedError):
            run_suite([name], "rsthinker", data, tmp_path, only=["SC_UCM"], draws=0)
        kept = len((tmp_path / "answers.jsonl").read_text().splitlines())
        assert 0 < kept <= 10
        server.always = None
        before = len(server.bodies)
        (entry,) = run_suite([name], "rsthinker", data, tmp_path, only=["SC_UCM"], draws=0).entries
        assert len(server.bodies) - before == 21 - kept
        body = server.bodies[-1]
    assert entry.configuration["answers"][name] == {"asked": 21 - kept, "kept": kept, "failed": 0}
    assert {f.name: f.value for f in entry.scores[name].strict}["exact"] == pytest.approx(1 / 21)
    assert body["temperature"] == 0
    assert [(one.shape[0] % 28, one.shape[1] % 28) for one in pictures(body)] == [(0, 0)]


KILLED = """
import sys
from pathlib import Path
from groundproof_training.evaluation import running
from groundproof_training.evaluation.running import run_suite
opened = running.open_any
running.open_any = lambda name, device: opened(name, "cpu", 2)
run_suite(["tiny"], "rsthinker", Path(sys.argv[1]), Path(sys.argv[2]), only=["SC_UCM"], limit=8, draws=0)
"""


def test_a_killed_evaluation_goes_on_and_asks_nothing_twice(monkeypatch, data, tmp_path):
    """SIGKILL between two batches of the embedded model; then to the end, with the texts of an undisturbed run."""
    file = tmp_path / "cut" / "answers.jsonl"
    command = [sys.executable, "-c", KILLED, str(data), str(file.parent)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 120
        while (
            process.poll() is None
            and time.monotonic() < until
            and not (file.is_file() and file.stat().st_size)
        ):
            time.sleep(0.01)
    finally:
        process.kill()
        process.wait()
    before = file.read_text().splitlines()
    assert 2 <= len(before) < 8, "it was killed too early or too late"
    opened = running.open_any
    monkeypatch.setattr(running, "open_any", lambda name, device: opened(name, "cpu", 2))
    for out in (file.parent, tmp_path / "whole"):
        run_suite(["tiny"], "rsthinker", data, out, only=["SC_UCM"], limit=8, draws=0)
    after = file.read_text().splitlines()
    assert after[: len(before)] == before
    cut, whole = (
        {row["key"]["case_id"]: row["text"] for row in map(json.loads, path.read_text().splitlines())}
        for path in (file, tmp_path / "whole" / "answers.jsonl")
    )
    assert cut == whole
    assert len(after) == len(cut) == 8


def test_the_embedded_model_through_a_suite(data, tmp_path):
    """The real thing on four pictures: what it wrote is parsed, scored and kept."""
    found = run_suite(["tiny"], "rsthinker", data, tmp_path, only=["SC_UCM"], limit=2, draws=0)
    assert found.entries[0].scores["tiny"].n == 2
    again = run_suite(["tiny"], "rsthinker", data, tmp_path, only=["SC_UCM"], limit=2, draws=0)
    assert again.entries[0].configuration["answers"]["tiny"] == {"asked": 0, "kept": 2, "failed": 0}

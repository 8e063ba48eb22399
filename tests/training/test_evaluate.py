"""Figures of answers whose quality is known: perfect, empty, shifted, mislabelled, garbled."""

import numpy as np
import pytest

from groundproof_training import bench
from groundproof_training import evaluate as measure
from groundproof_training.bench import BenchQuestion
from groundproof_training.scoring import add, box_sums, intervals, marks, ratios, read_reply, score, size_name
from groundproof_training.templates import TASKS, make_change_sample, make_sample
from groundproof_training.templates.texts import random_tile

SIDE = 224


def question(task, seed, scene=None):
    rng = np.random.default_rng([seed, len(task)])
    labels, boxes, cells = random_tile(rng, int(rng.integers(0, 8)), 3)
    if task == "change":
        kinds = [("appeared", "disappeared")[k] for k in rng.integers(2, size=len(labels))]
        sample = make_change_sample(rng, kinds, labels, boxes, cells)
    else:
        sample = make_sample(rng, labels, boxes, cells, [task], 0.2, 0.0, scene_type="port")
    image = np.zeros((SIDE, SIDE, 3), dtype=np.uint8)
    truth = np.array(sample.boxes, dtype=float).reshape(-1, 4) * SIDE / 1000
    return BenchQuestion(seed if scene is None else scene, (image,) * sample.n_images, sample, truth)


@pytest.fixture(scope="module")
def questions():
    return [question(task, seed) for task in (*TASKS, "change") for seed in range(25)]


def pairs(questions, rewrite=lambda q: q.sample.completion):
    return [(q, read_reply(rewrite(q), q)) for q in questions]


def test_perfect_answers_get_perfect_figures(questions):
    result = measure.figures(pairs(questions))
    for name, figures in [("all", result["all"]), *result["task"].items(), *result["class"].items()]:
        for key, value in figures.items():
            if key == "count_mae":
                assert value == 0, name
            elif key not in ("questions", "objects", "intervals"):
                assert value == 1, (name, key)
    assert {"vqa_accuracy", "classify_accuracy", "exact", "absent", "consistent"} <= set(result["all"])


def test_saying_nothing_has_no_recall_and_does_not_parse(questions):
    all_ = measure.figures(pairs(questions, lambda q: ""))["all"]
    assert all_["recall"] == all_["f1"] == all_["parsed"] == all_["exact"] == all_["absent"] == 0
    assert "precision" not in all_


def test_a_model_that_always_refuses_is_right_where_nothing_is():
    refusal = (
        "<think><plan>p</plan><evidence>No ship is visible. </evidence><synthesis>Nothing to count.</synthesis>"
        "</think><answer>0</answer>"
    )
    asked = [question("count", seed) for seed in range(60)]
    all_ = measure.figures(pairs(asked, lambda q: refusal))["all"]
    assert all_["absent"] == 1
    assert all_["exact"] == 0
    assert all_["exact_all"] == pytest.approx(np.mean([not q.sample.boxes for q in asked]), abs=1e-3)
    assert all_["count_mae"] == pytest.approx(np.mean([len(q.sample.boxes) for q in asked]), abs=1e-3)


def box_question(boxes, labels, task="detect"):
    rng = np.random.default_rng(0)
    cells = list(range(len(boxes)))
    sample = make_sample(rng, labels, boxes, cells, [task], 0.0, 0.0)
    return BenchQuestion(
        0, (np.zeros((1000, 1000, 3), np.uint8),), sample, np.array(sample.boxes, dtype=float)
    )


def test_a_box_moved_by_a_third_misses_half_overlap_but_not_a_quarter():
    q = box_question([(100, 100, 160, 160)], ["ship"])
    text = q.sample.completion.replace("[100,100,160,160]", "[125,100,185,160]")
    assert ratios(box_sums(marks(q, read_reply(text, q)))) == {
        "f1": 0.0, "f1_iou25": 1.0, "precision": 0.0, "recall": 0.0,
    }  # fmt: skip


def test_a_second_box_on_the_same_object_is_a_false_one():
    q = box_question([(100, 100, 160, 160)], ["ship"])
    twice = "[100,100,160,160]. E2 ship, upper left [101,101,161,161]. </evidence>"
    text = q.sample.completion.replace("[100,100,160,160]. </evidence>", twice)
    sums = ratios(box_sums(marks(q, read_reply(text, q))))
    assert (sums["precision"], sums["recall"]) == (0.5, 1.0)


def test_a_right_box_with_a_wrong_name_is_no_hit():
    q = box_question([(100, 100, 160, 160)], ["ship"])
    text = q.sample.completion.replace("E1 ship", "E1 airplane")
    assert {(m.label, m.true, m.hit) for m in marks(q, read_reply(text, q))} == {
        ("ship", True, False),
        ("airplane", False, False),
    }


def test_a_change_in_the_wrong_image_is_no_hit():
    sample = make_change_sample(np.random.default_rng(1), ["appeared"], ["ship"], [(10, 10, 60, 60)], [0])
    while not sample.boxes:
        sample = make_change_sample(np.random.default_rng(3), ["appeared"], ["ship"], [(10, 10, 60, 60)], [0])
    image = np.zeros((1000, 1000, 3), np.uint8)
    q = BenchQuestion(0, (image, image), sample, np.array(sample.boxes, dtype=float))
    wrong = sample.completion.replace("of image 2", "of image 1")
    assert ratios(box_sums(marks(q, read_reply(sample.completion, q))))["f1"] == 1
    assert ratios(box_sums(marks(q, read_reply(wrong, q))))["f1"] == 0


def test_object_sizes_are_named_by_the_root_of_their_area():
    sides = {4: "under 8", 8: "8-16", 15.9: "8-16", 16: "16-32", 32: "32-64", 63: "32-64", 64: "over 64"}
    assert {side: size_name((0, 0, side, side)) for side in sides} == sides
    assert size_name((0, 0, 4, 64)) == "16-32"


def test_an_answer_that_contradicts_its_evidence_is_inconsistent():
    q = box_question([(100, 100, 160, 160)], ["ship"], "count")
    text = q.sample.completion.replace("<answer>1<", "<answer>2<")
    made = score(q, read_reply(text, q))
    assert made["consistent"] == (False, 1)
    assert made["exact"] == (False, 1)
    assert made["count_mae"] == (1, 1)


@pytest.mark.parametrize(
    "garble", [lambda t: t[:-9], lambda t: t.replace("</plan>", ""), lambda t: "Sure. " + t]
)
def test_what_needs_a_repair_does_not_count_as_parsed(garble):
    q = box_question([(100, 100, 160, 160)], ["ship"], "count")
    assert score(q, read_reply(garble(q.sample.completion), q))["parsed"] == (False, 1)


def test_intervals_hold_the_figure_and_shrink_with_more_scenes():
    rng = np.random.default_rng(0)
    few = [{"exact": (float(rng.random() < 0.7), 1.0)} for _ in range(40)]
    low, high = intervals(few, ["exact"])["exact"]
    assert low <= ratios(add(few))["exact"] <= high
    low_many, high_many = intervals(few * 25, ["exact"])["exact"]
    assert high_many - low_many < (high - low) / 3
    assert intervals(few, ["exact"])["exact"] == (low, high)


def test_batches_hold_every_question_once_and_one_shape_each(questions):
    made = measure.batches(questions, 16)
    assert sorted(k for batch in made for k in batch) == list(range(len(questions)))
    for batch in made:
        assert len(batch) <= 16
        assert len({len(questions[k].images) for k in batch}) == 1


class Perfect:
    """Answers with the truth."""

    def __init__(self, folder):
        self.folder = folder

    def replies(self, questions, max_new_tokens):
        return [read_reply(q.sample.completion, q) for q in questions]


def test_a_run_over_the_benchmark_gives_a_table_and_a_sheet(monkeypatch, tmp_path):
    monkeypatch.setattr(measure, "Answerer", Perfect)
    lines = []
    cfg = measure.EvaluateConfig(scenes=12, must_be_frozen=False)
    result = measure.evaluate(tmp_path, cfg, lines.append, tmp_path / "sheet.png")
    assert result["scenes"] == 12
    assert len({q.scene for q in measure.questions_of(cfg)}) == 12
    assert result["all"]["f1"] == result["all"]["parsed"] == 1
    assert lines[-1] == f"{result['questions']}/{result['questions']} questions, 0 s left"
    text = measure.table(result)
    assert {len(line) for line in text.split("\n\n")[0].splitlines()} == {len(text.splitlines()[0])}
    assert (tmp_path / "sheet.png").stat().st_size > 1000


def test_without_a_frozen_benchmark_a_run_is_refused_or_marked(monkeypatch, tmp_path):
    monkeypatch.setattr(measure, "Answerer", Perfect)
    monkeypatch.setattr(bench, "frozen_path", lambda version: tmp_path / "missing.json")
    with pytest.raises(bench.BenchChangedError, match="not frozen"):
        measure.evaluate(tmp_path, measure.EvaluateConfig(scenes=1))
    result = measure.evaluate(tmp_path, measure.EvaluateConfig(scenes=1, must_be_frozen=False))
    assert "not comparable" in measure.table(result)

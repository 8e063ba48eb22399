"""The local suite: bench-v1 as ordinary questions, real pictures as scenes; figures against the older evaluation's."""

import re
from pathlib import Path

import numpy as np
import pytest

from groundproof.labels import normalise
from groundproof.models.profiles import get_profile
from groundproof.protocol import Task
from groundproof_training import bench
from groundproof_training.bench import BenchQuestion
from groundproof_training.errors import TrainingError
from groundproof_training.evaluation import local
from groundproof_training.evaluation.cases import Family, Status
from groundproof_training.evaluation.local import (
    SCENE_SETS,
    bench_question,
    bench_samples,
    entries,
    refuse_checkout,
    scene_questions,
    tree_questions,
)
from groundproof_training.evaluation.reading import case_of
from groundproof_training.evaluation.running import run_suite
from groundproof_training.evaluation.strict import evidence_measures
from groundproof_training.metrics.boxes import iou_matrix, match_greedy
from groundproof_training.readers.base import Problems
from groundproof_training.real_data import is_held_out
from groundproof_training.samples import Form, completion_of, prompt_of
from groundproof_training.templates import TASKS, make_change_sample, make_sample
from groundproof_training.templates.texts import random_tile

PROFILE = get_profile("tiny")
SIDE = 224


def written(task, seed):
    """A question of the benchmark's kind about a scene of random boxes."""
    rng = np.random.default_rng([seed, len(task)])
    labels, boxes, cells = random_tile(rng, int(rng.integers(0, 8)), 3)
    if task == "change":
        kinds = [("appeared", "disappeared")[k] for k in rng.integers(2, size=len(labels))]
        sample = make_change_sample(rng, kinds, labels, boxes, cells)
    else:
        sample = make_sample(rng, labels, boxes, cells, [task], 0.2, 0.0, scene_type="port")
    image = np.zeros((SIDE, SIDE, 3), dtype=np.uint8)
    truth = np.array(sample.boxes, dtype=float).reshape(-1, 4) * SIDE / 1000
    return BenchQuestion(seed, (image,) * sample.n_images, sample, truth)


@pytest.fixture(scope="module")
def pairs():
    """The benchmark's questions, and what they become."""
    made = []
    for task in (*TASKS, "change"):
        for seed in range(20):
            one = written(task, seed)
            if "anything that fits" not in one.sample.completion:
                made.append((one, bench_question(one, f"q-{task}-{seed}")))
    return made


def test_every_question_of_the_benchmark_is_in_one_table(monkeypatch, pairs):
    monkeypatch.setattr(local, "_bench_kept", lambda scenes: tuple(question for _, question in pairs))
    asked = [
        question
        for entry in entries()
        if entry.name.startswith("bench-v1")
        for question in entry.questions(None, None, Problems())
    ]
    assert sorted(q.case_id for q in asked) == sorted(q.case_id for _, q in pairs)
    assert {q.sample.task for q in asked} == set(Task)


def test_the_prompt_and_the_perfect_completion_are_the_benchmarks_own(pairs):
    for one, question in pairs:
        sample = question.sample
        seen = tuple(image.shown_size for image in sample.images)
        assert prompt_of(sample, PROFILE, seen).text == one.sample.prompt
        # Which of two sentences says that nothing is there is the sample's own matter.
        made, wanted = (
            re.sub(r"No [^.]* is visible\.", "None.", text)
            for text in (completion_of(sample, PROFILE, seen, Form.GEO_COT), one.sample.completion)
        )
        assert made == wanted


def test_the_truth_is_the_benchmarks_own(pairs):
    for one, question in pairs:
        sample = question.sample
        assert [box.label for box in sample.boxes] == list(one.sample.labels)
        assert [box.image for box in sample.boxes] == list(one.sample.images)
        got = np.array([box.xyxy for box in sample.boxes]).reshape(-1, 4)
        assert np.array_equal(got, one.boxes)
        assert len(question.pictures()) == len(sample.images) == one.sample.n_images


def test_a_perfect_answer_is_readable_and_right_in_every_family(pairs):
    for one, question in pairs:
        case = case_of(
            question, one.sample.completion, "stop", PROFILE, ((SIDE, SIDE),) * one.sample.n_images
        )
        assert case.said.status is Status.OK, one.sample.completion
        if case.family is Family.COUNTING:
            assert case.said.count == case.truth.count == len(one.boxes)
        assert len(case.said.evidence) == len(one.boxes)
        if case.family is Family.DETECTION and case.truth.boxes is not None:
            assert case.said.boxes.xyxy == pytest.approx(case.said.evidence.xyxy)
            assert np.abs(case.said.boxes.xyxy - case.truth.boxes.xyxy).max(initial=0) < 1
        if case.family is Family.VQA:
            assert case.said.answer in case.truth.texts


def test_readable_answers_have_the_figures_of_the_older_evaluation(pairs):
    """Evidence of answers that are partly wrong, matched by name and image: hits, boxes and objects of every question
    as `iou_matrix` and a plain loop over names count them."""
    rng = np.random.default_rng(7)
    cases, wanted = [], []
    for one, question in pairs:
        text = spoilt(one.sample.completion, rng)
        case = case_of(question, text, "stop", PROFILE, ((SIDE, SIDE),) * one.sample.n_images)
        if case.said.status is Status.OK and case.truth.boxes is not None:
            cases.append(case)
            wanted.append(counted(case))
    hits, said, true = np.sum(wanted, axis=0)
    assert 0 < hits < said
    made = {m.name: float(m.of(np.ones((1, len(cases))))[0]) for m in evidence_measures(cases)}
    assert made["evidence-precision@0.5"] == pytest.approx(hits / said)
    assert made["evidence-recall@0.5"] == pytest.approx(hits / true)
    assert made["evidence-f1@0.5"] == pytest.approx(2 * hits / (said + true))


def spoilt(text, rng):
    """Some boxes moved, so that they hit at half overlap or do not."""

    def moved(found):
        x0, y0, x1, y1 = map(int, found.groups())
        step = int((x1 - x0) * rng.choice([0.0, 0.2, 0.6]))
        return f"[{x0 + step},{y0},{min(x1 + step, 999)},{y1}]"

    return re.sub(r"\[(\d+),(\d+),(\d+),(\d+)\]", moved, text)


def counted(case):
    """Hits, boxes and objects: image by image and name by name, best overlap first."""
    said, true = case.said.evidence, case.truth.boxes
    keys = [set(zip(side.images, map(normalise, side.labels), strict=True)) for side in (said, true)]
    hits = 0
    for key in keys[0] & keys[1]:
        rows = [
            side.xyxy[[(i, normalise(n)) == key for i, n in zip(side.images, side.labels, strict=True)]]
            for side in (said, true)
        ]
        hits += len(match_greedy(iou_matrix(*rows), 0.5))
    return hits, len(said), len(true)


def test_the_first_scenes_are_those_of_the_mixed_order_and_ids_stay_when_more_are_asked():
    few, more = list(bench_samples(3)), list(bench_samples(5))
    assert [q.case_id for q in more[: len(few)]] == [q.case_id for q in few]
    assert len({q.case_id for q in more}) == len(more)
    order = [f"bench-v1/{k:04d}" for k in bench.shuffled()[:5]]
    assert list(dict.fromkeys(q.sample.images[0].path[:13] for q in more)) == order


def test_another_generator_is_not_bench_v1(monkeypatch, tmp_path):
    monkeypatch.setattr(bench, "frozen_path", lambda version: tmp_path / "missing.json")
    with pytest.raises(bench.BenchChangedError, match="not frozen"):
        next(bench_samples(1))


def test_the_real_sets_are_read_whole(data_dir):
    """1,095 airplanes and 36 truncated ones in the table; one of the former passes the edge, so it is truncated."""
    problems = Problems()
    aircraft = [
        q for q in scene_questions(SCENE_SETS["aircraft"], data_dir, problems) if q.family is Family.COUNTING
    ]
    boxes = [box for q in aircraft for box in q.sample.boxes]
    assert (len(aircraft), sum(not b.ignore for b in boxes), sum(b.ignore for b in boxes)) == (34, 1094, 37)
    assert sum(int(q.sample.answer) for q in aircraft) == 1094
    tanks = [
        q
        for q in scene_questions(SCENE_SETS["storage_tanks"], data_dir, problems)
        if q.family is Family.DETECTION
    ]
    assert (len(tanks), sum(len(q.sample.counted) for q in tanks)) == (18, 2425 - 2)
    assert problems.counts["empty box"] == 2


def test_what_the_embedded_model_was_trained_on_is_not_asked(data_dir):
    thermal = list(scene_questions(SCENE_SETS["thermal_uav"], data_dir, Problems()))
    trees = list(tree_questions(data_dir))
    for question in (*thermal, *trees):
        assert is_held_out(question.sample.images[0].path.rpartition("/")[2])
    assert len({q.sample.images[0].path for q in thermal}) == 9
    assert len(trees) == 18


def test_cars_are_vehicles_bicycles_count_neither_way_and_nothing_is_counted_beside_unlabelled_areas(
    data_dir,
):
    thermal = list(scene_questions(SCENE_SETS["thermal_uav"], data_dir, Problems()))
    vehicles = [q.sample for q in thermal if q.sample.asked == ("vehicle",)]
    assert vehicles
    assert all(
        box.ignore == (box.label != "vehicle") or box.label == "vehicle" for s in vehicles for box in s.boxes
    )
    for question in thermal:
        if question.family is Family.COUNTING:
            assert not any(box.label == "dontcare" for box in question.sample.boxes)
            assert question.sample.answer == str(len(question.sample.counted))
    assert not any(q.sample.asked[0] in ("car", "other vehicle", "dontcare") for q in thermal)


def test_trees_have_a_number_and_points_and_no_boxes(data_dir):
    for question in tree_questions(data_dir):
        case = case_of(question, "<answer>3</answer>", "stop", PROFILE, ((256, 256),))
        assert case.truth.boxes is None
        assert len(case.truth.points) == case.truth.count == int(question.sample.answer)
        (picture,) = question.pictures()
        assert picture.shape == (256, 256, 3)


def test_dota_is_asked_with_upright_boxes_and_what_has_no_picture_is_counted(data_dir):
    problems = Problems()
    made = list(scene_questions(SCENE_SETS["dota"], data_dir, problems))
    assert len({q.sample.images[0].path for q in made}) == 3
    assert problems.counts["no image"] == 5
    assert all(box.quad is None for q in made for box in q.sample.boxes)
    for question in made:
        (picture,) = question.pictures()
        image = question.sample.images[0]
        assert picture.shape == (image.height, image.width, 3)


def test_a_limit_is_of_pictures_and_both_tables_ask_about_the_same_ones(data_dir):
    by_name = {entry.name: entry for entry in entries()}
    detect = list(by_name["aircraft-detect"].questions(data_dir, 3, Problems()))
    count = list(by_name["aircraft-count"].questions(data_dir, 3, Problems()))
    paths = [q.sample.images[0].path for q in detect]
    assert len(set(paths)) == 3
    assert paths == [q.sample.images[0].path for q in count]
    assert {q.family for q in detect} == {Family.DETECTION}


def test_baselines_are_scored_on_every_local_set_side_by_side(data_dir, tmp_path):
    """As `evaluate --suite local` does; a few pictures of each."""
    made = run_suite(["baseline:none", "baseline:centre"], "local", data_dir, tmp_path, limit=5, draws=20)
    statuses = {entry.name: entry.status for entry in made.entries}
    few = {name for name, status in statuses.items() if status == "no data"}
    assert all(name.startswith("bench-v1") for name in few)  # five scenes ask not everything
    assert {status for name, status in statuses.items() if name not in few} == {"scored"}
    figures = {
        (entry.name, model): {f.name: f.value for f in scores.strict}
        for entry in made.entries
        for model, scores in entry.scores.items()
    }
    none, centre = (figures["aircraft-count", f"baseline:{name}"] for name in ("none", "centre"))
    assert figures["aircraft-detect", "baseline:none"]["recall@0.5"] == none["accuracy"] == 0
    assert centre["mae"] == none["mae"] - 1
    counts = [int(q.sample.answer) for q in bench_samples(5) if q.family is Family.COUNTING]
    assert figures["bench-v1-count", "baseline:none"]["accuracy"] == pytest.approx(
        counts.count(0) / len(counts)
    )
    kinds = made.entries[0].scores["baseline:none"].breakdowns["type"]
    exact = {kind: next(f.value for f in found if f.name == "accuracy") for kind, found in kinds.items()}
    assert exact == {"absent": 1, "present": 0}
    assert all(entry.compared and entry.gallery for entry in made.entries if entry.status == "scored")


def test_the_report_is_refused_a_place_inside_the_checkout(tmp_path):
    refuse_checkout(tmp_path / "out")
    with pytest.raises(TrainingError, match="must stay out"):
        refuse_checkout(Path(__file__).parent / "pictures")

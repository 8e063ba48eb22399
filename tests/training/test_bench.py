"""The frozen benchmark: which scenes, which questions, and what happens when the generator changes."""

import json

import numpy as np
import pytest

from groundproof_training import bench, scenes
from groundproof_training.bench import (
    FURTHER,
    SCENES,
    BenchChangedError,
    bench_questions,
    bench_scenes,
    check_generator,
    freeze,
    frozen_path,
    shuffled,
    verify,
)
from groundproof_training.shards import HELD_OUT_SEED, ShardConfig, scene_seed

FOCUS = {"airplane", "ship", "storage tank"}
SOME = [0, 1, 7, 8, 9, 58, 100, 487, 555, 711]


@pytest.fixture(scope="module")
def listed():
    return list(bench_scenes())


@pytest.fixture(scope="module")
def asked():
    return list(bench_questions(scenes=SOME))


def test_seeds_are_held_out_and_follow_without_a_gap(listed):
    assert [s.seed for s in listed] == list(range(HELD_OUT_SEED, HELD_OUT_SEED + SCENES))
    cfg = ShardConfig()
    assert max(scene_seed(cfg, k, cfg.scenes) for k in range(len(cfg.shapes))) < HELD_OUT_SEED


def test_shapes_empty_and_crowded_scenes_have_their_shares(listed):
    shapes = [(s.width, s.height) for s in listed]
    wanted = {(224, 224): 700, (168, 168): 100, (280, 280): 100, (224, 336): 100}
    assert {shape: shapes.count(shape) for shape in set(shapes)} == wanted
    assert sum(s.spec.empty == 1 for s in listed) == 80
    assert sum(s.spec.size_px[1] <= 24 for s in listed) == 100
    for s in listed:
        assert s.spec.size_px[0] == 8
        assert s.spec.size_px[1] <= 64
        assert s.spec.n_objects[1] * s.width * s.height / 224**2 <= 60


def test_every_shape_has_empty_and_crowded_scenes(listed):
    for shape in {(s.width, s.height) for s in listed}:
        mine = [s for s in listed if (s.width, s.height) == shape]
        assert sum(s.spec.empty == 1 for s in mine) == 0.08 * len(mine)
        assert sum(s.spec.size_px[1] <= 24 for s in mine) == 0.1 * len(mine)


def test_an_unknown_benchmark_is_refused():
    with pytest.raises(ValueError, match="there is no benchmark 'bench-v0'"):
        next(bench_scenes("bench-v0"))


def test_the_mixed_order_holds_every_scene_once_and_never_changes():
    assert sorted(shuffled()) == list(range(SCENES))
    assert shuffled() == shuffled() != list(range(SCENES))


def test_a_scene_gets_a_present_count_an_absent_count_and_one_more(asked, listed):
    for i in SOME:
        mine = [q for q in asked if q.scene == i]
        present = {o.label for o in scenes.make_scene(*listed[i]).objects}
        counts = mine[:-1]
        assert all(q.sample.task == "count" for q in counts)
        assert [q.sample.label in present for q in counts] == ([True, False] if present else [False])
        if present & FOCUS:
            assert counts[0].sample.label in FOCUS
        if FURTHER[i % len(FURTHER)] in ("classify", "change", "detect"):
            assert mine[-1].sample.task == FURTHER[i % len(FURTHER)]


def test_truth_is_the_generators(asked, listed):
    for q in asked:
        if q.sample.task != "count":
            continue
        objects = scenes.make_scene(*listed[q.scene]).objects
        truth = [o.box for o in objects if o.label == q.sample.label]
        assert sorted(map(tuple, q.boxes)) == sorted(truth)
        assert q.sample.answer == str(len(truth))


def test_boxes_and_their_text_agree(asked):
    for q in asked:
        scale = np.array([q.width, q.height] * 2) / 1000
        said = np.array(q.sample.boxes).reshape(-1, 4) * scale
        assert np.abs(said - q.boxes).max(initial=0) <= 1.5 * scale.max()


def test_every_task_is_asked():
    assert {*FURTHER, "count"} == {str(task) for task in bench_tasks()}


def bench_tasks():
    from groundproof.protocol import Task

    return list(Task)


def test_change_shows_two_images_and_changes_in_the_right_one(listed):
    index = next(i for i in range(7, SCENES, 8) if listed[i].spec.empty < 1)
    question = list(bench_questions(scenes=[index]))[-1]
    assert question.sample.task == "change"
    assert len(question.images) == 2
    assert (question.images[0] != question.images[1]).any()


def test_questions_are_the_same_every_time(asked):
    again = list(bench_questions(scenes=SOME[:4]))
    first = [q for q in asked if q.scene in SOME[:4]]
    assert [q.sample for q in again] == [q.sample for q in first]


@pytest.fixture
def short(monkeypatch, tmp_path):
    monkeypatch.setattr(bench, "SCENES", 4)
    path = tmp_path / "bench-v1.json"
    monkeypatch.setattr(bench, "frozen_path", lambda version="bench-v1": path)
    return path


def test_what_was_frozen_verifies(short):
    with pytest.raises(BenchChangedError, match=r"bench-v1 is not frozen yet: .* is missing"):
        check_generator()
    facts = freeze()
    assert json.loads(short.read_text()) == facts
    assert facts["generator"] == scenes.generator_hash()
    verify()


def test_another_generator_is_refused_by_name(short, monkeypatch):
    freeze()
    monkeypatch.setattr(scenes, "generator_hash", lambda: "0123")
    wanted = r"bench-v1 was frozen with generator \w+, this is 0123: a changed generator is a new name"
    with pytest.raises(BenchChangedError, match=wanted):
        check_generator()


def test_other_truth_is_refused(short):
    facts = freeze()
    short.write_text(json.dumps(facts | {"truth_sha256": "0"}))
    with pytest.raises(BenchChangedError, match="truth_sha256"):
        verify()


@pytest.mark.skipif(not frozen_path().exists(), reason="bench-v1 is not frozen yet")
def test_the_generator_is_the_one_bench_v1_was_frozen_with():
    assert check_generator()["name"] == "bench-v1"

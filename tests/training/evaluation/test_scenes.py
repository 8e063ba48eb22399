"""Whole pictures through the engine: where boxes come back, what is counted, and that nothing is asked twice."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st

from groundproof.errors import ModelError
from groundproof.models.profiles import get_profile
from groundproof.protocol import Task
from groundproof_training.errors import TrainingError
from groundproof_training.evaluation import scenes
from groundproof_training.evaluation.answers import Answers
from groundproof_training.evaluation.asking import Account, ModelDiedError
from groundproof_training.evaluation.cases import Family, Status
from groundproof_training.evaluation.questions import Question
from groundproof_training.evaluation.scenes import (
    SceneAnswer,
    SceneOptions,
    about_ignored,
    ask_scene,
    ask_scenes,
    scene_case,
    scene_question,
)
from groundproof_training.samples import Sample, SampleImage, TrueBox

PROFILE = get_profile("tiny")


class Model:
    """Only what decides an answer."""

    def __init__(self, identity="m-1"):
        self.identity, self.profile = identity, PROFILE


def question(name="a", boxes=(), ignored=(), task=Task.COUNT, size=(449, 300), asked="airplane", fails=None):
    made = [
        TrueBox(label=asked, x0=b[0], y0=b[1], x1=b[2], y1=b[3], ignore=ignore)
        for rows, ignore in ((boxes, False), (ignored, True))
        for b in rows
    ]
    sample = Sample(
        sample_id=f"{name}-{task}", source="s", split="test", licence="l", task=task,
        images=(SampleImage(path=f"{name}.png", width=size[0], height=size[1]),),
        question="?", answer=str(len(boxes)) if task is Task.COUNT else "", asked=(asked,), boxes=tuple(made),
    )  # fmt: skip

    def pictures():
        if fails:
            raise fails
        return (np.full((size[1], size[0], 3), 120, np.uint8),)

    return Question(sample, Family.COUNTING if task is Task.COUNT else Family.DETECTION, pictures)


def engine(monkeypatch, evidence, value=2, look=lambda options, path: None, fails=None):
    """The engine with a fixed result."""

    class Session:
        def __init__(self, options, listener, *, model):
            self.options = options

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def run(self, directory):
            if fails:
                raise fails
            look(self.options, self.options.scenes[0])
            table = pd.DataFrame(evidence, columns=["box_px", "verdict", "review", "label", "score"])
            answers = pd.DataFrame({"value": pd.Series([value], dtype=object), "answer": ["Two."]})
            return None, SimpleNamespace(evidence=table, answers=answers, tiles=pd.DataFrame({"n": [1, 2]}))

    monkeypatch.setattr(scenes, "Session", Session)


def test_boxes_come_back_in_px_of_the_picture_and_only_counted_rows_that_were_asked_for(monkeypatch):
    """449 x 300 px at half are asked as 224 x 150."""
    rows = [
        ((10.0, 20.0, 50.0, 60.0), "supported", None, "airplane", 0.5),
        ((112.0, 75.0, 224.0, 150.0), "unchecked", "accepted", "airplane", 0.25),
        ((1.0, 1.0, 9.0, 9.0), "contradicted", None, "airplane", 0.5),
        ((2.0, 2.0, 9.0, 9.0), "supported", "rejected", "airplane", 0.5),
        ((3.0, 3.0, 9.0, 9.0), "supported", None, "ship", 0.5),
    ]

    def look(options, path):
        with pytest.warns(rasterio.errors.NotGeoreferencedWarning), rasterio.open(path) as file:
            assert (file.width, file.height, file.count) == (224, 150, 3)
        assert options.questions[0] == "How many airplanes are there?"
        assert options.pixel_space

    engine(monkeypatch, rows, look=look)
    answer = ask_scene(Model(), question(), SceneOptions(scale=0.5))
    wide = 449 / 224
    wanted = [[10 * wide, 40, 50 * wide, 120], [112 * wide, 150, 449, 300]]
    assert np.abs(np.array(answer.boxes) - wanted).max() <= 0.005
    assert (answer.count, answer.tiles, answer.error) == (2, 2, "")
    assert answer.scores == (0.5, 0.25)


def test_boxes_have_the_engines_scores_or_none_at_all(monkeypatch):
    asked = question(task=Task.DETECT)
    rows = [
        ((1.0, 1, 9, 9), "unchecked", None, "airplane", 0.5),
        ((20.0, 1, 29, 9), "unchecked", None, "airplane", 0.7),
    ]
    engine(monkeypatch, rows)
    case = scene_case(asked, ask_scene(Model(), asked, SceneOptions()), PROFILE)
    assert case.said.boxes.scores.tolist() == [0.5, 0.7]
    engine(monkeypatch, [rows[0], (*rows[1][:4], None)])
    case = scene_case(asked, ask_scene(Model(), asked, SceneOptions()), PROFILE)
    assert len(case.said.boxes) == 2
    assert case.said.boxes.scores is None


def test_detection_and_counting_are_one_look_and_a_finished_picture_is_never_asked_again(
    monkeypatch, tmp_path
):
    looked = []
    engine(monkeypatch, [], value=0, look=lambda options, path: looked.append(options.questions[0]))
    both = [question("a", task=Task.COUNT), question("a", task=Task.DETECT), question("b")]
    path = tmp_path / "answers.jsonl"
    first = ask_scenes(both, Model(), Answers(path))
    assert len(looked) == 2
    account = Account()
    again = ask_scenes(both, Model(), Answers(path), account=account)
    assert (len(looked), account.asked, account.kept) == (2, 0, 2)
    assert again == first
    ask_scenes(both, Model("m-2"), Answers(path))
    assert len(looked) == 4
    ask_scenes(both[:1], Model(), Answers(path), SceneOptions(scale=0.5))
    assert len(looked) == 5


def test_an_interrupted_evaluation_goes_on_at_the_picture_it_broke_off(monkeypatch, tmp_path):
    looked = []

    def look(options, path):
        looked.append(options.questions[0])
        if len(looked) == 2:
            raise KeyboardInterrupt

    engine(monkeypatch, [], look=look)
    three = [question(name) for name in "abc"]
    with pytest.raises(KeyboardInterrupt):
        ask_scenes(three, Model(), Answers(tmp_path / "a.jsonl"))
    account = Account()
    ask_scenes(three, Model(), Answers(tmp_path / "a.jsonl"), account=account)
    assert (account.kept, account.asked) == (1, 2)


def test_a_picture_that_cannot_be_read_is_a_failed_case_and_is_tried_again(monkeypatch, tmp_path):
    engine(monkeypatch, [])
    asked = question(fails=OSError("torn"))
    account = Account()
    (answer,) = ask_scenes([asked], Model(), Answers(tmp_path / "a.jsonl"), account=account)
    assert "torn" in answer.error
    assert scene_case(asked, answer, PROFILE).said.status is Status.FAILED
    assert account.failed == 1
    assert Answers(tmp_path / "a.jsonl").of_model("m-1") == []


def test_a_dead_model_stops_the_evaluation(monkeypatch):
    engine(monkeypatch, [], fails=ModelError("gone."))
    with pytest.raises(ModelDiedError, match="same command"):
        ask_scenes([question()], Model(), Answers(None))


def test_a_kept_answer_that_is_none_is_named(tmp_path, monkeypatch):
    engine(monkeypatch, [])
    path = tmp_path / "a.jsonl"
    ask_scenes([question()], Model(), Answers(path))
    row = json.loads(path.read_text())
    path.write_text(json.dumps(row | {"text": "17"}) + "\n")
    with pytest.raises(TrainingError, match=r"scene a\.png airplane"):
        ask_scenes([question()], Model(), Answers(path))


def test_one_class_in_one_picture_is_asked_for():
    asked = question()
    two = Question(asked.sample.model_copy(update={"asked": ("ship", "tank")}), asked.family, asked.pictures)
    with pytest.raises(TrainingError, match="2 classes"):
        scene_question(two)


def test_what_lies_on_an_ignored_object_is_neither_right_nor_wrong_and_not_counted():
    asked = question(boxes=[(0, 0, 10, 10)], ignored=[(100, 0, 140, 40)])
    said = np.array([[0, 0, 10, 9], [100, 0, 140, 38], [110, 10, 120, 20], [300, 0, 310, 10]], dtype=float)
    assert about_ignored(said, asked).tolist() == [False, True, True, False]
    answer = SceneAnswer(boxes=tuple(map(tuple, said.tolist())), count=4)
    case = scene_case(asked, answer, PROFILE)
    assert (case.said.count, case.truth.count, len(case.said.evidence)) == (2, 1, 2)


def test_a_true_object_inside_an_ignored_one_still_counts():
    asked = question(boxes=[(10, 10, 20, 20)], ignored=[(0, 0, 50, 50)])
    assert not about_ignored(np.array([[10.0, 10, 20, 20]]), asked).any()


def test_a_case_has_the_boxes_as_answer_and_evidence_under_the_name_asked_for():
    asked = question(boxes=[(0, 0, 10, 10)], task=Task.DETECT)
    case = scene_case(asked, SceneAnswer(boxes=((0.0, 0, 10, 10),), count=1, text="One."), PROFILE)
    assert (case.said.boxes.labels, case.said.evidence.labels) == (("airplane",), ("airplane",))
    assert (case.size, case.group, case.truth.boxes.xyxy.tolist()) == ((449, 300), "a.png", [[0, 0, 10, 10]])


box = st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(4, 30), st.integers(4, 30)).map(
    lambda b: (float(b[0]), float(b[1]), float(b[0] + b[2]), float(b[1] + b[3]))
)


@settings(max_examples=80)
@given(st.lists(box, max_size=6), st.lists(box, max_size=4), st.lists(box, max_size=4))
def test_nothing_is_about_ignored_objects_but_what_touches_one(said, true, ignored):
    asked = question(boxes=true, ignored=ignored)
    found = about_ignored(np.array(said).reshape(-1, 4), asked)
    for row, about in zip(said, found, strict=True):
        touches = any(
            min(row[2], g[2]) > max(row[0], g[0]) and min(row[3], g[3]) > max(row[1], g[1]) for g in ignored
        )
        assert touches or not about
    if not ignored:
        assert not found.any()


@pytest.mark.weights
def test_a_picture_goes_the_whole_way_through_the_engine():
    from groundproof.models.open import open_model

    model = open_model("tiny")
    try:
        answer = ask_scene(model, question(size=(448, 448)), SceneOptions(scale=0.5))
    finally:
        model.close()
    assert (answer.tiles, answer.failed_tiles, answer.error) == (1, 0, "")
    found = np.array(answer.boxes).reshape(-1, 4)
    assert ((found >= 0) & (found <= 448)).all()
    assert answer.count == len(found) == len(answer.scores)

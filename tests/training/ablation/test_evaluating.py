"""Columns against plain sums, with a model that looks at nothing."""

from pathlib import Path

import numpy as np
import pytest

from groundproof.models.profiles import get_profile
from groundproof.protocol import Task
from groundproof_training.ablation.columns import COLUMNS, ENTRIES, cases_of, measure_of
from groundproof_training.ablation.evaluating import evaluate, repetition
from groundproof_training.ablation.settings import EvaluationSettings
from groundproof_training.bench import bench_questions, shuffled
from groundproof_training.evaluation.benchmarks import BENCH, benchmarks
from groundproof_training.evaluation.figures import mean
from groundproof_training.evaluation.reading import case_of
from groundproof_training.evaluation.statistics import estimate, resampled
from groundproof_training.samples import Form, completion_of

SCENES = 60


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    settings = EvaluationSettings(scenes=SCENES, pictures=1, draws=200)
    return evaluate(Path("baseline:none"), settings, None, tmp_path_factory.mktemp("a"), lambda line: None)


def test_columns_are_what_they_are_called(found):
    questions = list(bench_questions("bench-v1", shuffled()[:SCENES]))
    counts = [len(q.sample.boxes) for q in questions if q.sample.task == Task.COUNT]
    figures = found.figures
    assert set(figures) == {column.name for column in COLUMNS}
    assert figures["counting"].n == len(counts)
    assert figures["counting"].value == pytest.approx(np.mean(counts))
    assert figures["exact-counts"].value == pytest.approx(np.mean([c == 0 for c in counts]))
    drawn = [q for q in questions if q.sample.task == Task.DETECT]
    assert figures["detection"].n == len(drawn)
    assert figures["grounding"].n == sum(q.sample.task == Task.GROUND for q in questions)
    assert figures["detection"].value == 0


@pytest.mark.parametrize(("form", "evidence"), [(Form.ANSWER, 0), (Form.GEO_COT, 1)])
def test_true_answers_are_right_in_both_forms_and_show_evidence_in_one(form, evidence):
    profile, cases = get_profile("tiny"), {}
    for one in benchmarks(BENCH):
        for q in one.read(Path(), SCENES).questions if one.name in ENTRIES else ():
            seen = tuple(image.shown_size for image in q.sample.images)
            said = completion_of(q.sample, profile, seen, form)
            cases.setdefault(one.name, []).append(case_of(q, said, None, profile, seen))
    for column in COLUMNS:
        own = cases_of(column, cases)
        value = float(measure_of(column, own).of(np.ones((1, len(own))))[0])
        right = float(evidence if column.kind == "evidence" else column.better == "higher")
        assert value == pytest.approx(right, abs=0.02), column.name  # boxes are written in per mille


def test_real_pictures_that_are_not_there_are_said(found):
    assert not found.real
    assert set(found.real_left_out) == {"aircraft-count", "storage_tanks-count"}


def test_answers_are_described(found):
    assert found.answers.n == sum(value.n for key, value in found.figures.items() if key == "parsed")
    assert found.answers.reasoned == 0
    assert 0 <= found.answers.unreadable <= found.answers.n


def test_draws_are_those_of_the_intervals_and_the_same_for_every_model():
    rng = np.random.default_rng(0)
    values = rng.random(40)
    groups = [f"image-{k // 2}" for k in range(40)]
    one, other = mean("a", values), mean("b", values * 2 + 1)
    drawn = resampled([one, other], groups, 300)
    assert np.allclose(drawn[1], drawn[0] * 2 + 1)
    figure = estimate([one], groups, draws=300)[0]
    assert (figure.low, figure.high) == tuple(np.percentile(drawn[0], [2.5, 97.5]))
    assert np.array_equal(resampled([other], groups, 300)[0], drawn[1])


def test_repetition_is_the_share_of_groups_that_were_there_before():
    assert repetition("a b c d e f g h") == 0
    assert repetition("a b c") == 0
    assert repetition("a b c d a b c d") == pytest.approx(1 / 5)
    assert repetition("x " * 100) > 0.9

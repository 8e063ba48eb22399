"""Rewards as TRL calls them: rows of several tasks in one batch, each scored by its own."""

from __future__ import annotations

import pytest

from groundproof.models.profiles import get_profile
from groundproof.protocol import Task
from groundproof_training.errors import TrainingError
from groundproof_training.rewards import get
from groundproof_training.rewards.trl import Readings, text_of, trl_function, trl_functions
from groundproof_training.samples import Form, SampleImage, TrueBox

from .made import SEEN, TINY, grid, listed, sample, trace

COUNT = sample(Task.COUNT, grid(3), answer="3")
DETECT = sample(Task.DETECT, grid(2), sample_id="s2")
UNKNOWN = sample(Task.DETECT, grid(2), sample_id="s3", complete=False)
NO_BOXES = sample(Task.COUNT, answer="3", sample_id="s4")


def said(*texts: str) -> list[list[dict[str, str]]]:
    return [[{"role": "assistant", "content": text}] for text in texts]


def call(function: object, completions: list, samples: list, **more: object) -> list[float | None]:
    rows = [one.model_dump_json() for one in samples]
    return function(prompts=[None] * len(rows), completions=completions, completion_ids=[[1]] * len(rows),
                    sample=rows, trainer_state=None, **more)  # fmt: skip


def test_one_batch_of_several_tasks_is_routed_by_sample() -> None:
    logged: dict[str, float] = {}
    paper, faithful = trl_functions([get("rsthinker"), get("faithfulness")], Readings(TINY))
    rows = [COUNT, DETECT, UNKNOWN, NO_BOXES, COUNT]
    completions = said(trace("3", grid(3)), trace(listed(grid(1))), trace("[]"), trace("3"), trace("2"))
    got = call(paper, completions, rows, log_metric=logged.__setitem__, log_extra=None)
    assert got == [1, pytest.approx((2 / 3 + 1 / 2) / 2), None, 1, pytest.approx(2 / 3)]
    assert logged == {
        "rewards/rsthinker/count": pytest.approx((1 + 1 + 2 / 3) / 3),
        "rewards/rsthinker/detect": pytest.approx(7 / 12),
    }
    assert call(faithful, completions, rows) == [1, 0, None, None, 0]
    assert [paper.__name__, faithful.__name__] == ["rsthinker", "faithfulness"]


PARTS = [{"role": "assistant", "content": [{"type": "text", "text": "<x>"}]}]


@pytest.mark.parametrize("completion", ["<x>", [{"role": "assistant", "content": "<x>"}], PARTS])
def test_a_completion_comes_in_three_forms(completion: object) -> None:
    assert text_of(completion) == "<x>"


def test_nothing_said_is_malformed() -> None:
    paper = trl_function(get("rsthinker"), Readings(TINY))
    assert text_of([]) == text_of([{"role": "assistant", "content": None}]) == ""
    assert call(paper, [[], "", [{"role": "assistant", "content": None}]], [COUNT] * 3) == [0, 0, 0]


def test_what_the_chat_template_opens_is_put_back() -> None:
    function = trl_function(get("format"), Readings(TINY, opening="<think>"))
    assert call(function, said(trace("3").removeprefix("<think>")), [COUNT]) == [1]


def test_a_run_without_rationales_has_its_own_form() -> None:
    function = trl_function(get("format"), Readings(TINY, Form.ANSWER))
    assert call(function, said("<answer>3</answer>", trace("3")), [COUNT, COUNT]) == [1, 0]


def test_a_completion_is_read_once_for_all_rewards() -> None:
    readings = Readings(TINY)
    row = COUNT.model_dump_json()
    assert readings.of(said("x")[0], row) is readings.of("x", row)
    assert readings.of("x", row) is not readings.of("x", DETECT.model_dump_json())


def test_boxes_in_pixels_need_the_size_the_model_saw() -> None:
    qwen = get_profile("qwen2.5-vl")
    wide = sample(Task.DETECT, [TrueBox(label="ship", x0=100, y0=50, x1=200, y1=100)],
                  images=(SampleImage(path="a.png", width=1000, height=500),))  # fmt: skip
    completion = said(trace("[[56,28,112,56]]"))
    for readings, more in (
        (Readings(qwen), {"seen": [[[560, 280]]]}),
        (Readings(qwen, pixels=(1, 560 * 280)), {}),
    ):
        assert call(trl_function(get("rsthinker"), readings), completion, [wide], **more) == [1]
    with pytest.raises(TrainingError, match="give each row a column `seen`"):
        call(trl_function(get("rsthinker"), Readings(qwen)), completion, [wide])
    with pytest.raises(TrainingError, match="s1 has 1 images, and its row says the sizes of 2"):
        call(trl_function(get("rsthinker"), Readings(qwen)), completion, [wide], seen=[[SEEN[0], SEEN[0]]])


def test_a_dataset_without_samples_is_refused() -> None:
    with pytest.raises(TrainingError, match="column `sample`"):
        trl_function(get("rsthinker"), Readings(TINY))(prompts=[1], completions=["x"], completion_ids=[[1]])

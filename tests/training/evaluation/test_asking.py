"""Questions asked: what is kept, what is asked again, in which batches; a model that only counts is enough for that."""

import json

import numpy as np
import pytest

from groundproof.errors import ModelError
from groundproof.models.base import Piece
from groundproof.models.profiles import get_profile
from groundproof.protocol import Task
from groundproof_training.evaluation.answers import Answers, Kept, Key
from groundproof_training.evaluation.asking import (
    Account,
    AskSettings,
    ModelDiedError,
    ask,
    open_any,
    shown_size,
)
from groundproof_training.evaluation.baselines import PROFILE, baseline
from groundproof_training.evaluation.cases import Family, Status
from groundproof_training.evaluation.questions import Question
from groundproof_training.samples import Sample, SampleImage


class Counting:
    """Answers with the number of requests so far. dies_after, stops_after: answers before it is gone, or before a
    person presses Ctrl+C; fails: ids of samples that get an error."""

    def __init__(
        self, identity="m-1", continuous=True, in_flight=3, dies_after=None, stops_after=None, fails=()
    ):
        self.identity, self.continuous, self.max_in_flight = identity, continuous, in_flight
        self.profile, self.constrains = get_profile("tiny"), False
        self.dies_after, self.stops_after, self.fails = dies_after, stops_after, fails
        self.batches, self.sizes, self.texts = [], [], []
        self.answered = 0

    def generate(self, requests):
        batch = list(requests)
        self.batches.append([r.request_id for r in batch])
        for request in batch:
            if self.answered == self.dies_after:
                raise ModelError("the device is gone.")
            if self.answered == self.stops_after:
                raise KeyboardInterrupt
            self.answered += 1
            self.sizes.append([image.shape for image in request.images])
            self.texts.append(request.text)
            if any(name in request.text for name in self.fails):
                yield Piece(request.request_id, "", None, "error", "no memory")
                continue
            yield Piece(request.request_id, "<answer>")
            yield Piece(request.request_id, f"{len(request.text)}</answer>", None, "stop")

    def close(self):
        pass


def question(n, size=(224, 224), text=None, pictures=None, words="How many ships are there, "):
    sample = Sample(
        sample_id=f"q{n}", source="s", split="test", licence="l", task=Task.COUNT, question=f"{words}q{n}?", answer="1",
        asked=("ship",), images=(SampleImage(path=f"{n}.png", width=size[0], height=size[1]),),
    )  # fmt: skip
    blank = np.zeros((size[1], size[0], 3), np.uint8)
    return Question(sample, Family.COUNTING, pictures or (lambda: (blank,)), text)


QUESTIONS = [question(n) for n in range(8)]


def run(model, path, questions=QUESTIONS, **settings):
    account = Account()
    done = ask(questions, model, Answers(path), AskSettings(**settings), account=account)
    return [one.text for one in done], account


@pytest.mark.parametrize("continuous", [True, False])
def test_what_was_answered_is_never_asked_again(tmp_path, continuous):
    path = tmp_path / "answers.jsonl"
    first, account = run(Counting(continuous=continuous), path)
    assert (account.asked, account.kept) == (8, 0)
    again = Counting(continuous=continuous)
    assert run(again, path) == (first, Account(asked=0, kept=8))
    assert again.answered == 0


@pytest.mark.parametrize(("continuous", "left"), [(True, 3), (False, 5)])
def test_ctrl_c_keeps_what_had_ended(tmp_path, continuous, left):
    """Five had ended: a stream keeps all of them, batches of three the first batch."""
    path = tmp_path / "answers.jsonl"
    with pytest.raises(KeyboardInterrupt):
        run(Counting(continuous=continuous, stops_after=5), path)
    model = Counting(continuous=continuous)
    _, account = run(model, path)
    assert (account.asked, account.kept, model.answered) == (left, 8 - left, left)


def test_batches_are_the_same_wherever_a_run_stopped(tmp_path):
    whole, stopped, resumed = (Counting(continuous=False, **k) for k in ({}, {"stops_after": 4}, {}))
    run(whole, None)
    with pytest.raises(KeyboardInterrupt):
        run(stopped, tmp_path / "a.jsonl")
    run(resumed, tmp_path / "a.jsonl")
    assert whole.batches == [["0", "1", "2"], ["3", "4", "5"], ["6", "7"]]
    assert [stopped.batches[0], *resumed.batches] == whole.batches


def test_a_dead_model_ends_the_run_and_keeps_what_it_said(tmp_path):
    path = tmp_path / "answers.jsonl"
    with pytest.raises(ModelDiedError, match="device is gone"):
        run(Counting(dies_after=6), path)
    assert run(Counting(), path)[1].kept == 6


def test_an_error_is_an_answer_unless_it_is_asked_for_again(tmp_path):
    path = tmp_path / "answers.jsonl"
    model = Counting(fails=("q3",))
    account = Account()
    done = ask(QUESTIONS, model, Answers(path), account=account)
    assert done[3].case(model.profile).said.status is Status.FAILED
    assert account.failed == 1
    assert run(Counting(), path)[1] == Account(asked=0, kept=8, failed=1)
    assert run(Counting(), path, retry_failed=True)[1] == Account(asked=1, kept=7, failed=0)
    assert run(Counting(), path)[1] == Account(asked=0, kept=8, failed=0)


def test_a_broken_last_line_is_told_and_its_question_asked_again(tmp_path):
    path = tmp_path / "answers.jsonl"
    run(Counting(), path)
    raw = path.read_bytes()
    path.write_bytes(raw[:-20])
    answers = Answers(path)
    assert answers.broken == [8]
    assert run(Counting(), path)[1] == Account(asked=1, kept=7)
    assert Answers(path).broken == [8]  # append-only: the torn line stays, and swallows none that came later
    assert run(Counting(), path)[1] == Account(asked=0, kept=8)


@pytest.mark.parametrize(
    "line", ["[]", "null", '{"key": 3}', '{"key": {"case_id": "a"}}', "{", "\x00", '{"key": {}, "text": 1}']
)
def test_lines_that_are_no_answers_are_no_crash(tmp_path, line):
    path = tmp_path / "answers.jsonl"
    path.write_text(line + "\n")
    assert Answers(path).broken == [1]


def test_another_model_prompt_picture_or_decoding_gets_answers_of_its_own(tmp_path):
    path = tmp_path / "answers.jsonl"
    run(Counting(), path)
    assert run(Counting("m-2"), path)[1].asked == 8
    assert run(Counting(), path, max_new_tokens=5)[1].asked == 8
    assert run(Counting(), path, max_pixels=112 * 112)[1].asked == 8
    assert run(Counting(), path, [question(n, words="Count ships, ") for n in range(8)])[1].asked == 8
    assert run(Counting(), path, [question(n, text="as published") for n in range(8)])[1].asked == 8
    assert run(Counting(), path)[1].asked == 0


def test_a_published_prompt_is_sent_as_it_is():
    model = Counting()
    run(model, None, [question(0, text="[refer] Where?"), question(1)])
    assert model.texts[0] == "[refer] Where?"
    assert "q1?" in model.texts[1]


def test_a_picture_that_cannot_be_opened_fails_alone_and_is_tried_again_next_time(tmp_path):
    def broken():
        raise OSError("truncated file")

    questions = [question(0), question(1, pictures=broken), question(2)]
    path = tmp_path / "answers.jsonl"
    model = Counting(continuous=False)
    done = ask(questions, model, Answers(path))
    assert [one.finish for one in done] == ["stop", "error", "stop"]
    assert "truncated file" in done[1].error
    assert run(Counting(), path, [question(n) for n in range(3)])[1] == Account(asked=1, kept=2)


@pytest.mark.parametrize("size", [(30, 300), (1, 1), (224, 224), (5000, 300), (640, 512), (17, 2000)])
@pytest.mark.parametrize("name", ["tiny", "rsthinker", "geochat", "earthdial", "geovlm-r1"])
def test_pictures_come_in_a_size_the_model_takes(name, size):
    profile = get_profile(name)
    width, height = shown_size(size, profile)
    step = profile.patch_merge_px
    assert width % step == height % step == 0
    assert width * height >= min(112**2, step**2)
    if step < 112:
        assert width * height >= (4 * step) ** 2
    if max(size) < 20 * min(size):
        assert width * height <= max(profile.tile_px, step) ** 2
    model = Counting()
    model.profile = profile
    ask([question(0, size)], model, Answers(None))
    assert model.sizes == [[(height, width, 3)]]


def test_the_embedded_model_answers_the_same_whether_it_was_interrupted_or_not(tmp_path):
    class Stopping:
        """The embedded model, and Ctrl+C in its second batch."""

        def __init__(self, model):
            self._model, self.calls = model, 0

        def __getattr__(self, name):
            return getattr(self._model, name)

        def generate(self, requests):
            self.calls += 1
            for piece in self._model.generate(requests):
                if self.calls == 2 and piece.finish:
                    raise KeyboardInterrupt
                yield piece

    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 255, (112, 112, 3), dtype=np.uint8) for _ in range(5)]
    questions = [question(n, (112, 112), pictures=lambda n=n: (pictures[n],)) for n in range(5)]
    model = open_any("tiny", "cpu", 2)
    settings = AskSettings(max_new_tokens=24)
    whole = [one.text for one in ask(questions, model, Answers(None), settings)]
    path = tmp_path / "answers.jsonl"
    with pytest.raises(KeyboardInterrupt):
        ask(questions, Stopping(model), Answers(path), settings)
    account = Account()
    assert [one.text for one in ask(questions, model, Answers(path), settings, account=account)] == whole
    assert (account.kept, account.asked) == (2, 3)
    assert all(json.loads(line)["key"]["model"] == model.identity for line in path.read_text().splitlines())
    model.close()


def sample(task, question="?", **more):
    return Sample(
        sample_id="a", source="s", split="test", licence="l", task=task, question=question,
        images=(SampleImage(path="a.png", width=100, height=80),), **more,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("task", "words", "more", "none", "centre"),
    [
        (Task.COUNT, "?", {"answer": "3"}, "0", "1"),
        (Task.DETECT, "?", {}, "[]", "[[250,250,750,750]]"),
        (Task.CLASSIFY, "?", {"answer": "b", "choices": ("c", "b")}, "c", "c"),
        (Task.VQA, "Is there a road?", {"answer": "yes"}, "no", "yes"),
        (Task.VQA, "How many roads are there?", {"answer": "2"}, "0", "1"),
        (Task.CAPTION, "?", {"captions": ("a",)}, "", ""),
        (Task.CHANGE, "?", {"captions": ("a",)}, "there is no difference", "there is no difference"),
        (Task.CHANGE, "Was anything built?", {"answer": "yes"}, "no", "yes"),
    ],
)
def test_baselines_say_always_the_same(task, words, more, none, centre):
    asked = sample(task, words, **more)
    assert (baseline("baseline:none").answer(asked), baseline("baseline:centre").answer(asked)) == (
        none,
        centre,
    )


def test_a_baseline_opens_no_picture_and_passes_the_parser():
    def never():
        raise AssertionError("a baseline looks at nothing")

    asked = Question(sample(Task.DETECT, asked=("ship",)), Family.DETECTION, never)
    case = ask([asked], baseline("baseline:centre"), Answers(None))[0].case(PROFILE)
    assert case.said.boxes.xyxy.tolist() == [[25, 20, 75, 60]]
    assert case.said.evidence is None
    none = ask([asked], baseline("baseline:none"), Answers(None))[0].case(PROFILE)
    assert (none.said.status, len(none.said.boxes)) == (Status.OK, 0)


def test_a_later_row_counts():
    answers = Answers(None)
    key = Key("a", "m", "p", "d")
    answers.keep([Kept(key, "one", "stop"), Kept(key, "two", "stop")])
    assert answers.find(key).text == "two"


def test_log_probabilities_are_kept_where_they_tell_scores_of_boxes(tmp_path):
    class Sure(Counting):
        def generate(self, requests):
            for request in requests:
                yield Piece(request.request_id, "<answer>[[1,2,", -0.25)
                yield Piece(request.request_id, "30,40]]</answer>", -0.75, "stop")

    one = question(0)
    boxes = Question(one.sample.model_copy(update={"task": Task.DETECT}), Family.DETECTION, one.pictures)
    words = Question(one.sample.model_copy(update={"task": Task.VQA}), Family.VQA, one.pictures)
    path = tmp_path / "answers.jsonl"
    ask([boxes, words], Sure(), Answers(path))
    again = ask([boxes, words], Sure(dies_after=0), Answers(path))  # from the file
    assert again[0].logprobs == ((14, -0.25), (16, -0.75))
    assert again[0].case(get_profile("tiny")).said.boxes.scores.tolist() == pytest.approx([np.exp(-0.5)])
    assert again[1].logprobs == ()

"""A completion as a case: what it says, in px of the original, and what became of it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundproof.boxes import BoxFrame
from groundproof.models.profiles import get_profile
from groundproof.protocol import Task
from groundproof_training.evaluation.cases import Family, Status
from groundproof_training.evaluation.questions import Question
from groundproof_training.evaluation.reading import case_of, family_of
from groundproof_training.samples import (
    EvidenceLine,
    Form,
    Rationale,
    Sample,
    SampleImage,
    TrueBox,
    answer_of,
    completion_of,
)

TINY = get_profile("tiny")
SEEN = ((224, 224),)


def box(x0, y0, x1, y1, label="ship", **more):
    return TrueBox(label=label, x0=x0, y0=y0, x1=x1, y1=y1, **more)


def sample(task, window=None, size=(400, 200), **more):
    more.setdefault("asked", ("ship",))
    return Sample(
        sample_id="a", source="s", split="test", licence="l", task=task, question=more.pop("question", "?"),
        images=(SampleImage(path="a.png", width=size[0], height=size[1], window=window),), **more,
    )  # fmt: skip


def case(one, text, finish="stop", profile=TINY, seen=SEEN, family=None):
    return case_of(Question(one, family or family_of(one), lambda: ()), text, finish, profile, seen)


def test_boxes_are_in_px_of_the_original():
    made = case(sample(Task.DETECT, boxes=(box(40, 20, 80, 60),)), "<answer>[[100,100,200,300]]</answer>")
    assert made.said.boxes.xyxy.tolist() == [[40, 20, 80, 60]]
    assert made.truth.boxes.xyxy.tolist() == [[40, 20, 80, 60]]
    assert made.size == (400, 200)
    assert (made.group, made.said.status) == ("a.png", Status.OK)


def test_boxes_of_a_window_are_in_px_of_the_whole_image_and_cut_to_it():
    one = sample(Task.DETECT, (100, 50, 200, 150), boxes=(box(90, 60, 120, 80), box(300, 100, 310, 110)))
    made = case(one, "<answer>[[0,100,200,300]]</answer>")
    assert made.said.boxes.xyxy.tolist() == [[100, 60, 120, 80]]
    assert made.truth.boxes.xyxy.tolist() == [[100, 60, 120, 80]]  # the other one is not shown


@pytest.mark.parametrize(
    ("task", "family", "text", "status"),
    [
        (Task.DETECT, None, "<answer>[]</answer>", Status.OK),
        (Task.DETECT, None, "<answer>none</answer>", Status.OK),
        (Task.DETECT, None, "<answer>I am not sure about that</answer>", Status.UNREADABLE),
        (Task.DETECT, None, "", Status.UNREADABLE),
        (Task.GROUND, Family.GROUNDING, "<answer>somewhere</answer>", Status.UNREADABLE),
        (Task.COUNT, None, "<answer>7</answer>", Status.OK),
        (Task.COUNT, None, "<answer>none</answer>", Status.OK),
        (Task.COUNT, None, "<answer>3 or 4</answer>", Status.UNREADABLE),
        (Task.VQA, None, "<answer></answer>", Status.UNREADABLE),
        (Task.VQA, None, "<answer>[]</answer>", Status.UNREADABLE),
        (Task.VQA, None, "<answer>yes</answer>", Status.OK),
    ],
)
def test_what_cannot_be_read_is_said_so(task, family, text, status):
    more = {"answer": "2"} if task is Task.COUNT else {"answer": "yes"} if task is Task.VQA else {}
    assert case(sample(task, **more), text, family=family).said.status is status


def test_an_error_of_the_model_is_a_failed_case_and_no_answer():
    made = case(sample(Task.COUNT, answer="2"), "2", "error")
    assert made.said.status is Status.FAILED
    assert made.said.count is None


def test_counts():
    def count(text):
        return case(sample(Task.COUNT, answer="2"), text).said.count

    assert (
        count("<answer>12</answer>"),
        count("<answer>no ships</answer>"),
        count("<answer>two</answer>"),
    ) == (12, 0, 2)


def test_truth_says_where_things_are_only_where_the_source_does():
    there = sample(Task.COUNT, answer="1", boxes=(box(1, 1, 9, 9),))
    gone = sample(Task.COUNT, answer="0")
    unknown = sample(Task.VQA, answer="blue", complete=False, asked=())
    assert len(case(there, "").truth.boxes) == 1
    assert len(case(gone, "").truth.boxes) == 0
    assert case(gone, "").truth.absent
    assert case(unknown, "").truth.boxes is None
    assert not case(unknown, "").truth.absent


def test_truth_of_texts_and_classes():
    words = case(sample(Task.VQA, answer="yes", answers=("yes", "y")), "").truth
    assert (words.text, words.texts) == ("yes", ("yes", "y"))
    captions = case(sample(Task.CAPTION, captions=("a <box:0> b", "c"), boxes=(box(1, 1, 9, 9),)), "").truth
    assert captions.texts == ("a b", "c")
    many = case(sample(Task.CLASSIFY, answer="Bare Land, sea", answers=("Bare Land", "sea")), "").truth
    assert many.classes == ("Bare Land", "sea")


def test_facts_for_breakdowns():
    small = case(sample(Task.GROUND, boxes=(box(0, 0, 20, 20),)), "")
    assert dict(small.meta) == {"number": "single", "size_group": "small", "class": "ship"}
    own = case(
        sample(Task.GROUND, boxes=(box(0, 0, 20, 20),), meta={"size_group": "large", "type": "unique"}), ""
    )
    assert (own.meta["size_group"], own.meta["type"]) == ("large", "unique")
    two = case(sample(Task.DETECT, boxes=(box(0, 0, 20, 20), box(30, 0, 50, 20))), "")
    assert two.meta["number"] == "multiple"
    assert case(sample(Task.CLASSIFY, answer="sea", asked=()), "").meta == {"class": "sea"}


def test_objects_to_ignore_stay_marked():
    truth = case(sample(Task.DETECT, boxes=(box(0, 0, 20, 20), box(30, 0, 50, 20, ignore=True))), "").truth
    assert truth.boxes.ignore.tolist() == [False, True]


def test_turned_boxes_keep_their_corners():
    """A square turned by 45 degrees stands on its corner: its half diagonal is 20 * sqrt(2)."""
    profile = get_profile("geochat")
    one = sample(Task.DETECT, size=(200, 200), boxes=(box(80, 80, 120, 120),))
    made = case(one, "{<40><40><60><60>|<45>}", profile=profile, seen=((504, 504),))
    reach = 20 * 2**0.5
    assert made.said.boxes.quads.reshape(4, 2).tolist() == pytest.approx(
        np.array([[100, 100 - reach], [100 + reach, 100], [100, 100 + reach], [100 - reach, 100]])
    )
    assert made.said.boxes.xyxy[0].tolist() == pytest.approx([100 - reach] * 2 + [100 + reach] * 2)
    assert made.said.evidence is None  # this family writes no rationale


@given(
    st.lists(st.tuples(*[st.integers(0, 90)] * 2, st.integers(10, 60), st.integers(10, 60)), max_size=6),
    st.sampled_from(["tiny", "qwen2.5-vl", "geovlm-r1", "rsthinker"]),
)
@settings(deadline=None, max_examples=60)
def test_the_truth_written_by_a_profile_is_read_back_as_the_truth(places, name):
    """Nothing is lost but what whole numbers of the profile's frame round off: at most one of its steps."""
    profile, seen = get_profile(name), ((448, 224),)
    boxes = tuple(box(2 * x, y, 2 * x + w, y + h) for x, y, w, h in dict.fromkeys(places))
    one = sample(Task.DETECT, boxes=boxes)
    made = case(one, f"<answer>{answer_of(one, profile, seen)}</answer>", profile=profile, seen=seen)
    assert made.said.status is Status.OK
    assert made.truth.text == answer_of(one, profile, seen)
    step = 400 / (profile.frame.full_scale or 448)
    assert (
        np.abs(made.said.boxes.xyxy - np.array([b.xyxy for b in boxes]).reshape(-1, 4)).max(initial=0) <= step
    )
    assert profile.frame in BoxFrame


def test_a_true_rationale_is_the_evidence():
    line = EvidenceLine(text="ship, left", box=0)
    why = Rationale(plan="Look.", evidence=(line,), synthesis="One.", by="template")
    one = sample(Task.COUNT, answer="1", boxes=(box(40, 20, 80, 60),), rationale=why)
    made = case(one, completion_of(one, TINY, SEEN, Form.GEO_COT))
    assert made.said.evidence.xyxy.tolist() == [[40, 20, 80, 60]]
    assert (made.said.count, made.said.status) == (1, Status.OK)


@given(st.text(max_size=200), st.sampled_from(list(Task)), st.sampled_from(["tiny", "geochat", "geovlm-r1"]))
@settings(deadline=None, max_examples=150)
def test_any_text_gives_a_case(text, task, name):
    more = (
        {"answer": "1"}
        if task is Task.COUNT
        else {"answer": "x"}
        if task not in (Task.DETECT, Task.GROUND)
        else {}
    )
    made = case(sample(task, **more), text, profile=get_profile(name))
    assert np.isfinite(made.said.boxes.xyxy).all()
    assert made.said.text == text


def test_boxes_have_scores_where_the_tokens_of_every_one_have_probabilities():
    one = sample(Task.DETECT, boxes=(box(40, 20, 80, 60),))
    pieces = [
        ("<answer>[", -0.1),
        ("[100,100,200,300]", -0.5),
        (",", -3.0),
        ("[0,0,50,50]", -1.0),
        ("]</answer>", 0.0),
    ]
    text = "".join(piece for piece, _ in pieces)
    logprobs = [(len(piece), p) for piece, p in pieces]
    question = Question(one, Family.DETECTION, lambda: ())
    scored = case_of(question, text, "stop", TINY, SEEN, logprobs).said.boxes
    assert scored.scores.tolist() == pytest.approx(np.exp([-0.5, -1.0]))
    assert case_of(question, text, "stop", TINY, SEEN, logprobs[:2]).said.boxes.scores is None
    plain = case_of(question, text, "stop", TINY, SEEN).said.boxes
    assert plain.scores is None
    assert plain.xyxy.tolist() == scored.xyxy.tolist()

"""What a policy would try: each trick with its number, beside that of an honest answer that is only half good."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from groundproof.protocol import Task
from groundproof_training.metrics.boxes import iou_matrix
from groundproof_training.metrics.cider import Frequencies
from groundproof_training.metrics.class_groups import GROUPS
from groundproof_training.rewards import NAMES, get
from groundproof_training.samples import Sample

from .made import SEEN, TINY, grid, listed, sample, trace

PAPER, GEO, FAITH = get("rsthinker"), get("geovlm-r1", {"similarity": "lexical"}), get("faithfulness")
FORMAT = get("format")
TEN = grid(10)
FAR = [(900, 900 - 50 * i, 940, 940 - 50 * i) for i in range(6)]

SHIPS = sample(Task.DETECT, TEN)
ONE = sample(Task.GROUND, [(100, 100, 200, 200)])
FOUR = sample(Task.COUNT, TEN[:4], answer="4")
SCENE = sample(
    Task.CLASSIFY, answer="dense residential", choices=tuple(c for g in GROUPS.values() for c in g)
)
SEVERAL = sample(Task.CLASSIFY, answer="forest, lake, meadow", answers=("forest", "lake", "meadow"),
                 choices=SCENE.choices)  # fmt: skip
COLOUR = sample(Task.VQA, question="What colour is the roof?", asked=(), answer="dark red")
YES = sample(Task.VQA, TEN[:1], answer="yes")

HALF = [*TEN[:5], *FAR[:2]]
"""Honest and middling: five of ten objects found, two mistakes."""
SAME = listed(HALF)
EVERY_CLASS = ", ".join(SCENE.choices)
WHOLE = (0, 0, 999, 999)
CARPET = [(x, y, x + 40, y + 40) for x in range(0, 960, 40) for y in range(0, 960, 40)]

TRICKS = [
    ("one confident box", PAPER, SHIPS, trace(listed(TEN[:1])), 0.1409, trace(SAME), 0.4727),
    ("one confident box", GEO, SHIPS, trace(listed(TEN[:1])), 0.1, trace(SAME), 0.4286),
    ("one confident box cited", FAITH, SHIPS, trace(listed(TEN[:1]), TEN[:1]), 0.1818, trace(SAME, HALF), 0.5882),
    ("one box twenty times", PAPER, SHIPS, trace(listed(TEN[:1] * 20)), 0.0358, trace(SAME), 0.4727),
    ("one box a hundred times", PAPER, SHIPS, trace(listed(TEN[:1] * 100)), 0.0, trace(SAME), 0.4727),
    ("the truth five times", PAPER, SHIPS, trace(listed(TEN * 5)), 0.2667, trace(SAME), 0.4727),
    ("the truth five times", GEO, SHIPS, trace(listed(TEN * 5)), 0.2, trace(SAME), 0.4286),
    ("the truth cited five times", FAITH, SHIPS, trace(listed(TEN), TEN * 5), 0.2222, trace(SAME, HALF), 0.5882),
    ("one giant box", PAPER, SHIPS, trace(listed([WHOLE])), 0.0, trace(SAME), 0.4727),
    ("one giant box", GEO, SHIPS, trace(listed([WHOLE])), 0.0001, trace(SAME), 0.4286),
    ("one giant box cited", FAITH, SHIPS, trace(listed([WHOLE]), [WHOLE]), 0.0, trace(SAME, HALF), 0.5882),
    ("a carpet of boxes", PAPER, SHIPS, trace(listed(CARPET)), 0.0107, trace(SAME), 0.4727),
    ("refusing always", PAPER, SHIPS, trace("[]"), 0.0, trace(SAME), 0.4727),
    ("refusing always", FAITH, SHIPS, trace("[]"), 0.0, trace(SAME, HALF), 0.5882),
    ("numbers that are none", PAPER, SHIPS, trace("[[nan,0,inf,40],[NaN,NaN,NaN,NaN],[1e999,0,1e999,9]]"), 0.0,
     trace(SAME), 0.4727),
    ("numbers without end", PAPER, SHIPS, trace(f"[[0,0,{'9' * 300},40],[-5,-5,99999,99999]]"), 0.0,
     trace(SAME), 0.4727),
    ("one giant box for one object", PAPER, ONE, trace(listed([WHOLE])), 0.01, trace("[[100,100,200,150]]"), 0.5),
    ("ten guesses for one object", PAPER, ONE, trace(listed([(100, 100, 200, 200), *FAR, *TEN[:3]])), 0.1,
     trace("[[100,100,200,150]]"), 0.5),
    ("the right box twice", PAPER, ONE, trace("[[100,100,200,200],[100,100,200,200]]"), 0.5,
     trace("[[100,100,200,150]]"), 0.5),
    ("a count hedged", PAPER, FOUR, trace("3 or 4"), 0.0, trace("3"), 0.75),
    ("a count hedged by a range", PAPER, FOUR, trace("3-5"), 0.0, trace("3"), 0.75),
    ("a count of all numbers", PAPER, FOUR, trace("1 2 3 4 5 6 7"), 0.0, trace("3"), 0.75),
    ("a count that is no number", PAPER, FOUR, trace("NaN"), 0.0, trace("3"), 0.75),
    ("a count without end", PAPER, FOUR, trace("inf"), 0.0, trace("3"), 0.75),
    ("no rationale, right answer", FAITH, FOUR, trace("4"), 0.0, trace("3", TEN[:3]), 0.8571),
    ("empty rationale, right answer", PAPER, FOUR, "<think> </think><answer>4</answer>", 0.0, trace("3"), 0.75),
    ("empty evidence, right answer", FORMAT, FOUR,
     "<think><plan>a</plan><evidence></evidence><synthesis>b</synthesis></think><answer>4</answer>", 0.0,
     trace("3"), 1.0),
    ("boxes without sentences", FAITH, FOUR, trace("4", TEN[:4], name=""), 0.75, trace("3", TEN[:3]), 0.8571),
    ("evidence for show", FAITH, FOUR, trace("9", TEN[:4]), 0.5, trace("3", TEN[:3]), 0.8571),
    ("sentences for show", FAITH, FOUR, trace("4", TEN[:4], extra="A ship. " * 12), 0.8125,
     trace("3", TEN[:3]), 0.8571),
    ("answer inside the thinking", PAPER, FOUR, "<think>So. <answer>4</answer></think>", 0.0, trace("3"), 0.75),
    ("two answers", PAPER, FOUR, trace("4") + "<answer>3</answer>", 0.0, trace("3"), 0.75),
    ("text after the answer", PAPER, FOUR, trace("4") + " I am right.", 0.0, trace("3"), 0.75),
    ("every class", PAPER, SCENE, trace(EVERY_CLASS), 0.0, trace("medium residential"), 0.6),
    ("every class", PAPER, SEVERAL, trace(EVERY_CLASS), 0.0, trace("forest, lake"), 0.6),
    ("every class", GEO, SEVERAL, trace(EVERY_CLASS), 0.0405, trace("forest, beach"), 0.3333),
    ("every class in a row", GEO, SEVERAL, trace(EVERY_CLASS.replace(",", "")), 0.0405, trace("forest, beach"), 0.3333),
    ("every colour", PAPER, COLOUR, trace("red or dark blue or white"), 0.0, trace("red"), 0.6),
    ("every colour in a row", PAPER, COLOUR, trace("dark red blue white green"), 0.0, trace("red"), 0.6),
    ("every colour", GEO, COLOUR, trace("dark, red, blue, white, green, grey"), 0.3333, trace("red"), 0.5),
    ("yes and no", PAPER, YES, trace("yes and no"), 0.0, trace("yes"), 1.0),
    ("yes for show", FAITH, YES, trace("yes"), 0.0, trace("yes", [TEN[0], FAR[0]]), 0.6667),
]  # fmt: skip


@pytest.mark.parametrize(("name", "reward", "asked", "trick", "value", "honest", "honest_value"), TRICKS,
                         ids=[f"{row[1].name}: {row[0]}" for row in TRICKS])  # fmt: skip
def test_a_trick_earns_no_more_than_an_honest_half_good_answer(
    name: str, reward: object, asked: Sample, trick: str, value: float, honest: str, honest_value: float
) -> None:
    assert reward(trick, asked, TINY, SEEN) == pytest.approx(value, abs=6e-5)
    assert reward(honest, asked, TINY, SEEN) == pytest.approx(honest_value, abs=6e-5)
    assert value <= honest_value


REFERENCES = (
    "Many airplanes are parked near the terminal of the airport.",
    "Several planes are parked beside a terminal.",
    "An airport with many planes and some buildings.",
)
OTHERS = [
    ("a river runs through the forest", "there is a river between trees"),
    ("many buildings are near a road", "a road with some buildings"),
    ("a ship is in the harbour", "some ships near a pier"),
    ("a green meadow with trees",),
]
WORDS = sorted(
    {word for texts in (REFERENCES, *OTHERS) for text in texts for word in text.lower().strip(".").split()}
)


def test_captions_that_repeat_or_list_words_earn_less_than_a_middling_one(tmp_path: Path) -> None:
    Frequencies.of([REFERENCES, *OTHERS]).save(tmp_path / "df.json")
    reward = get("rsthinker", {"cider_table": tmp_path / "df.json"})
    asked = sample(Task.CAPTION, captions=REFERENCES)
    score = lambda text: reward(trace(text), asked, TINY, SEEN)  # noqa: E731
    middling = "There are some planes at the airport."
    assert score(middling) == pytest.approx(0.174, abs=5e-4)
    assert score("airplanes " * 30) == pytest.approx(0.016, abs=5e-4)
    assert score(" ".join(WORDS)) == pytest.approx(0.093, abs=5e-4)
    assert score("a the of are near many some.") == pytest.approx(0.146, abs=5e-4)
    for text in (*REFERENCES, middling):
        assert score(f"{text} {text}") < score(text)
        assert score(f"{text} " * 10) < score(text) / 4
    assert score(" ".join(REFERENCES)) < score(REFERENCES[0])


def test_a_text_that_ends_in_a_loop_is_malformed() -> None:
    loop = "There are ships. " * 60
    text = f"<think><plan>Look.</plan><evidence>No ship. </evidence><synthesis>{loop}</synthesis></think>"
    assert PAPER(f"{text}<answer>4</answer>", FOUR, TINY, SEEN) == 0


box = st.tuples(*[st.integers(0, 80)] * 2, *[st.integers(5, 40)] * 2).map(
    lambda b: (b[0] * 10, b[1] * 10, min(999, b[0] * 10 + b[2] * 5), min(999, b[1] * 10 + b[3] * 5))
)
boxes = st.lists(box, max_size=6)


@settings(max_examples=60, deadline=None)
@given(boxes, boxes, st.randoms(), st.sampled_from([Task.DETECT, Task.GROUND]))
def test_the_order_of_boxes_is_worth_nothing(said: list, true: list, random: object, task: Task) -> None:
    asked = sample(task, true)
    shuffled = random.sample(said, len(said))
    for reward in (PAPER, GEO, FAITH):
        first = reward(trace(listed(said), said), asked, TINY, SEEN)
        assert reward(trace(listed(shuffled), shuffled), asked, TINY, SEEN) == pytest.approx(first)


@settings(max_examples=60, deadline=None)
@given(st.lists(box, min_size=1, max_size=5), boxes, st.data(), st.sampled_from([Task.DETECT, Task.GROUND]))
def test_writing_a_box_again_never_helps(said: list, true: list, data: st.DataObject, task: Task) -> None:
    overlap = iou_matrix(true, true) - np.eye(len(true))
    assume(not (overlap > 0.7).any())  # an object annotated twice may be written twice
    asked = sample(task, true)
    again = [*said, data.draw(st.sampled_from(said))]
    for reward in (PAPER, GEO):
        assert (
            reward(trace(listed(again)), asked, TINY, SEEN)
            <= reward(trace(listed(said)), asked, TINY, SEEN) + 1e-9
        )
    cited = FAITH(trace(listed(said), said), asked, TINY, SEEN)
    assert FAITH(trace(listed(again), again), asked, TINY, SEEN) <= cited + 1e-9


piece = st.one_of(
    st.sampled_from(["<think>", "</think>", "<answer>", "</answer>", "<plan>", "</plan>", "<evidence>", "</evidence>",
                     "E1 ship [1,2,3,4]. ", "[[", "]]", "nan", "inf", "yes", "no", "3 or 4", "-1", "1e999",
                     "[9,9,1,1]"]),
    st.text(max_size=12),
)  # fmt: skip
ALL = [SHIPS, ONE, FOUR, SCENE, SEVERAL, COLOUR, YES, sample(Task.DETECT), sample(Task.COUNT, answer="0"),
       sample(Task.CAPTION, captions=REFERENCES), sample(Task.CHANGE, answer="a new building appeared in the east"),
       sample(Task.REGION_CAPTION, answer="a ship at a pier"), sample(Task.GROUNDED_CAPTION, TEN[:2],
                                                                      answer="A ship <box:0>.")]  # fmt: skip
NO_CIDER = {"captions": {"cider": 0}}


@settings(max_examples=150, deadline=None)
@given(st.lists(piece, max_size=14).map("".join), st.sampled_from(ALL), st.booleans())
def test_every_reward_of_any_text_is_between_0_and_1(text: str, asked: Sample, wrapped: bool) -> None:
    said = f"<think>x</think><answer>{text}</answer>" if wrapped else text
    chosen = {"rsthinker": NO_CIDER, "geovlm-r1": {"similarity": "lexical"}}
    for name in NAMES:
        value = get(name, chosen.get(name))(said, asked, TINY, SEEN)
        assert value is None or 0 <= value <= 1


@pytest.mark.parametrize("section", ["Look.", "So it is."])
def test_evidence_belongs_into_the_evidence(section: str) -> None:
    cited = " ".join(
        f"E{n} ship [{','.join(map(str, map(int, b)))}]." for n, b in enumerate(TEN[:4], start=1)
    )
    elsewhere = trace("4").replace(section, cited)
    assert FAITH(trace("4", TEN[:4]), FOUR, TINY, SEEN) == 1
    assert FAITH(elsewhere, FOUR, TINY, SEEN) == pytest.approx(0.75)


def test_a_class_that_is_denied_is_not_named() -> None:
    for reward in (PAPER, GEO):
        assert reward(trace("no forest, no lake, no meadow"), SEVERAL, TINY, SEEN) == 0
        assert reward(trace("not dense residential"), SCENE, TINY, SEEN) == 0
        assert reward(trace("A dense residential area."), SCENE, TINY, SEEN) == 1

"""Any text, any cut: the parser never raises, and a stream says what the whole text says."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundproof.boxes import BoxFrame, ModelBox
from groundproof.protocol import Task, format_box
from groundproof.trace import Event, Trace, TraceParser, parse

SEEDS = (
    (
        "<think><plan>Scan for airplanes.</plan><evidence>E1 airplane, upper left [120,80,200,160]. "
        "E2 airplane [4,3,47,47]. </evidence><synthesis>E1 to E2 are airplanes, 2 in all.</synthesis></think>"
        "<answer>2</answer>"
    ),
    "<think><evidence>No ship is visible. </evidence><synthesis>Nothing.</synthesis></think><answer>0</answer>",
    "<think>First the apron. A white airplane at [1, 2, 30, 40]. Two.</think><answer>[[1, 2, 30, 40]]</answer>",
    "There are a total of 6 airplanes.",
    '[{"bbox_2d": [1, 2, 30, 40], "label": "plane"}]',
    '```json\n[{"bbox_2d": [5, 6, 7, 8], "label": "ship"}]\n```',
    "{<12><34><56><78>|<90>}{<1><2><3><4>|<5>}",
    "[[49, 30, 89, 78, 90]][[1, 2, 3, 4, 5]]",
    "<ref>1 small person</ref> <box>[[[39, 45, 41, 47, 2]]]</box> at center",
    "<think>x</think><|begin_of_box|>[[1,2,3,4]]<|end_of_box|>",
    '<think>A sign: "<answer>5</answer>" here.</think><answer>no</answer>',
    "<think>In image 2: house [1,2,3,4]. The first image: tree (5,6),(7,8).</think><answer>yes</answer>",
    "[1,2,3,4] airplane, [5,6,7,8] ship.",
    "E1 ship [10%, 20%, 30%, 40%]. E2 ship [0.1,0.2,0.3,0.4]",
    "<answer>six airplanes and twenty-one ships</answer>",
    "图中有六架飞机 [1,2,3,4]。<answer>六架</answer>",
    "<evidence>E1 [1,2,3] E2 [30,2,3,4] E3 [1,2,3,4,5,6,7,8] (9, 9, 12, 12)</evidence>",
    "<think><think>ab</plan></think></answer><answer>1<answer>2</answer>",
    "ship ship ship ship ship ship",
    "<a href='x'>[1,2,3,4]</a> \ufffd {\"bbox\": [1,2",
)
FRAGMENTS = (
    "<think>", "</think>", "<plan>", "</plan>", "<evidence>", "</evidence>", "<synthesis>",
    "</synthesis>", "<answer>",
    "</answer>", "<|begin_of_box|>", "<|end_of_box|>", "[", "]", "{", "}", "(", ")", "<", ">", ",", '"',
    "`", "'", ". ",
    "\n", "E1 ", "[1,2,3,4]", "(5,6)", "{<1><2><3><4>}", '{"bbox_2d": [1,2,3,4], "label": "car"}',
    "\ufffd", "0", "-", "%",
    "image 2: ", "and ", "ship", " ", "９", "飞机", "```json", "<box>", "|", "1e9", "99999999999", ".5",
)  # fmt: skip
FRAMES = tuple(BoxFrame)
TASKS = (None, *Task)
ASKED = ((), ("ship",), ("airplane", "ship"))


def whole(text: str, frame: BoxFrame, task: Task | None, asked: tuple[str, ...]) -> tuple[list[Event], Trace]:
    parser = TraceParser(frame, task, asked)
    events = parser.feed(text) + parser.close()
    return events, parser.trace


def streamed(
    text: str, cuts: list[int], frame: BoxFrame, task: Task | None, asked: tuple[str, ...]
) -> tuple[list[Event], Trace]:
    parser = TraceParser(frame, task, asked)
    events: list[Event] = []
    at = 0
    for cut in [*sorted(cuts), len(text)]:
        events += parser.feed(text[at:cut])
        at = max(at, cut)
    return events + parser.close(), parser.trace


def check(text: str, trace: Trace) -> None:
    for listed, role in ((trace.evidence, "evidence"), (trace.answer_boxes, "answer")):
        assert [e.number for e in listed] == list(range(1, len(listed) + 1))
        for e in listed:
            assert e.role == role
            assert 0 <= e.text_start <= e.text_end <= len(text)
            assert e.box.x0 <= e.box.x1
            assert e.box.y0 <= e.box.y1
    assert trace.usable or not trace.evidence


def mutated(rng: random.Random) -> str:
    """A seed with one to four fragments deleted, doubled, swapped or put in."""
    text = rng.choice(SEEDS)
    for _ in range(rng.randint(1, 4)):
        a, b = sorted(rng.randint(0, len(text)) for _ in range(2))
        b = min(b, a + 40)
        kind = rng.randrange(5)
        if kind == 0:
            text = text[:a] + text[b:]
        elif kind == 1:
            text = text[:b] + text[a:b] + text[b:]
        elif kind == 2:
            c = min(b + (b - a), len(text))
            text = text[:a] + text[b:c] + text[a:b] + text[c:]
        elif kind == 3:
            text = text[:a] + rng.choice(FRAGMENTS) + text[a:]
        else:
            text = text[:a] + rng.choice(SEEDS)[: rng.randint(1, 60)] + text[a:]
    return text[:1500]


def random_cuts(rng: random.Random, length: int) -> list[int]:
    if rng.random() < 0.3:
        return list(range(length))
    return [rng.randint(0, length) for _ in range(rng.randint(1, 12))]


_pieces = st.lists(st.sampled_from(FRAGMENTS + SEEDS) | st.text(max_size=12), max_size=14).map("".join)


@settings(max_examples=200, deadline=None)
@given(
    text=st.text(max_size=300) | _pieces,
    cuts=st.lists(st.integers(0, 2000), max_size=20),
    frame=st.sampled_from(FRAMES),
    task=st.sampled_from(TASKS),
    asked=st.sampled_from(ASKED),
)
def test_streaming_equals_whole_for_any_text_and_any_cuts(
    text: str, cuts: list[int], frame: BoxFrame, task: Task | None, asked: tuple[str, ...]
) -> None:
    events, trace = whole(text, frame, task, asked)
    check(text, trace)
    cuts = [min(cut, len(text)) for cut in cuts]
    for some in (cuts, list(range(len(text)))):
        assert streamed(text, some, frame, task, asked) == (events, trace)


def test_a_hundred_thousand_mutations_never_raise_and_stream_as_the_whole() -> None:
    rng = random.Random(20260101)
    for i in range(100_000):
        text = mutated(rng)
        frame, task, asked = FRAMES[i % 3], TASKS[i % len(TASKS)], ASKED[i % len(ASKED)]
        if i % 25:
            parse(text, frame, task, asked)
            continue
        events, trace = whole(text, frame, task, asked)
        check(text, trace)
        cuts = random_cuts(rng, len(text))
        assert streamed(text, cuts, frame, task, asked) == (events, trace), (text, cuts)


@pytest.mark.parametrize(
    "unit",
    ["[", "{", "(", "<", "[[", "[1,2,3,", "[1,2,3]", "[1,2,3,4]", "(1,2)", "{<1><2>", '{"a', '"',
     "<think>", "</plan>", "a. ",
     "\n", " ", ".", "a", "[1,2,3,4] a [5,6,7,8]\n", "<answer>1</answer>", "<|begin_of_box|>",
      "1 ", "E1 ", "- ", ", "],
)  # fmt: skip
def test_a_text_ten_times_as_long_is_bounded_work(unit: str) -> None:
    # 100 kB of anything ends; quadratic work would take minutes, the suite's timeout is the judge.
    for prefix in ("", "<think>", "<answer>"):
        text = prefix + unit * (100_000 // len(unit))
        events, trace = whole(text, BoxFrame.PER_MILLE, Task.CHANGE, ("ship",))
        check(text, trace)
        assert len(trace.repairs) <= 200
        assert len(events) < 5000


_number = st.integers(0, 1000) | st.floats(0, 1000, allow_nan=False).map(lambda v: round(v, 6))


@settings(max_examples=150, deadline=None)
@given(
    values=st.tuples(_number, _number, _number, _number),
    angle=st.none() | st.integers(0, 90),
    frame=st.sampled_from(FRAMES),
)
def test_a_box_written_in_its_frame_reads_back_as_the_same_numbers(
    values: tuple[float, float, float, float], angle: int | None, frame: BoxFrame
) -> None:
    scale = 100 if frame is BoxFrame.PERCENT_ANGLE else 1000
    x0, x1 = sorted((values[0] * scale / 1000, values[2] * scale / 1000))
    y0, y1 = sorted((values[1] * scale / 1000, values[3] * scale / 1000))
    x1, y1 = max(x1, 2.0), max(y1, 2.0)  # a box within one unit reads as fractions of the image
    x0, y0, x1, y1 = (round(v, 6) for v in (x0, y0, x1, y1))
    box = ModelBox(x0, y0, x1, y1, angle if frame is BoxFrame.PERCENT_ANGLE else None)
    text = f"<evidence>E1 ship, left {format_box(box, frame)}. </evidence>"
    trace = parse(text, frame)
    assert [e.box for e in trace.evidence] == [box]
    assert trace.repairs == ()

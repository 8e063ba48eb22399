"""The grammar of an answer, against the writer of canonical texts and the reader of all texts.

The grammar is regular, so it is translated into one regular expression here: an oracle that runs without a
server. tests/vllm checks the same texts with xgrammar, the implementation that servers use.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundproof.boxes import BoxFrame, ModelBox
from groundproof.protocol import Finding, Task, detect_answer, format_trace
from groundproof.protocol.constraint import after_opening, grammar
from groundproof.protocol.grammar import count_synthesis, evidence_text
from groundproof.trace import parse

QUESTION = "How many ships are there?"
CLASSES = ("harbour", "industrial area", 'with "quotes" and \\')
LIMIT = {
    BoxFrame.PER_MILLE: 1000,
    BoxFrame.RESIZED_PIXELS: 99999,
    BoxFrame.RESIZED_PIXELS_ANGLE: 99999,
    BoxFrame.PERCENT_ANGLE: 100,
}
frames = st.sampled_from(BoxFrame)
tasks = st.sampled_from(Task)


def pattern(ebnf: str) -> str:
    """A Python regular expression for the language of a grammar without recursion."""
    rules = dict(line.split(" ::= ", 1) for line in ebnf.strip().splitlines())
    part = re.compile(r'"(?:[^"\\]|\\.)*"|\[(?:[^\]\\]|\\.)*\]|[A-Za-z_]+|.')

    def expand(body: str) -> str:
        out = []
        for word in part.findall(body):
            if word[0] == '"':
                out.append(f"(?:{re.escape(json.loads(word))})")
            elif word[0].isalpha():
                out.append(f"(?:{expand(rules[word])})")
            elif not word.isspace():
                out.append(word.replace("[^<[", r"[^<\["))
        return "".join(out)

    return expand(rules["root"])


def accepts(ebnf: str, text: str) -> bool:
    return re.fullmatch(pattern(ebnf), text, re.DOTALL) is not None


@st.composite
def boxes(draw: st.DrawFn, frame: BoxFrame) -> ModelBox:
    numbers = [draw(st.integers(0, LIMIT[frame])) for _ in range(4)]
    angle = draw(st.none() | st.integers(-360, 360)) if frame.has_angle else None
    return ModelBox(*map(float, numbers), None if angle is None else float(angle))


prose = st.text(
    st.characters(codec="utf-8", exclude_characters="<[]{}", exclude_categories=("Cs",)), max_size=40
)


@st.composite
def canonical(draw: st.DrawFn) -> tuple[Task, str, BoxFrame, str]:
    """(task, question, frame, text) of a text as `protocol.grammar` writes it."""
    task, frame = draw(tasks), draw(frames)
    label = draw(st.sampled_from(("ship", "storage tank", "airplane")))
    found = [
        Finding(label, draw(boxes(frame)), draw(st.sampled_from(("", "upper left", "centre"))))
        for _ in range(draw(st.integers(0, 4)))
    ]
    question = draw(st.sampled_from((QUESTION, "Are there any ships?", "What is beside the quay?")))
    answers: dict[Task, Callable[[], str]] = {
        Task.COUNT: lambda: str(len(found)),
        Task.DETECT: lambda: detect_answer([f.box for f in found], frame),
        Task.GROUND: lambda: detect_answer([f.box for f in found], frame),
        Task.CLASSIFY: lambda: ", ".join(CLASSES[: 1 + len(found) % 3]),
    }
    text_answer = "yes" if question.startswith("Are") else "A quay with ships, all moored."
    answer = answers.get(task, lambda: text_answer)()
    evidence = evidence_text(found, frame, (label,))
    return (
        task,
        question,
        frame,
        format_trace("Scan the tile row by row.", evidence, count_synthesis(found), answer),
    )


@given(canonical())
def test_every_canonical_text_is_accepted(case: tuple[Task, str, BoxFrame, str]) -> None:
    task, question, frame, text = case
    assert accepts(grammar(task, question, frame, CLASSES), text)
    assert accepts(grammar(task, question, frame, CLASSES, sections=False), _without_sections(text))


def _without_sections(text: str) -> str:
    return re.sub(r"</?(?:plan|evidence|synthesis)>", "", text)


@given(st.data(), tasks, frames, st.booleans())
@settings(max_examples=100)
def test_whatever_is_accepted_is_read_as_a_complete_answer(
    data: st.DataObject, task: Task, frame: BoxFrame, sections: bool
) -> None:
    question = data.draw(st.sampled_from((QUESTION, "Is there a ship?", "What is it?")))
    classes = data.draw(st.sampled_from(((), CLASSES)))
    ebnf = grammar(task, question, frame, classes, sections=sections)
    text = data.draw(st.from_regex(re.compile(pattern(ebnf), re.DOTALL), fullmatch=True))
    trace = parse(text, frame, task)
    assert trace.usable
    assert trace.complete
    kinds = {repair.kind for repair in trace.repairs}
    assert not kinds & {"unreadable-box", "box-numbers", "unclosed-tag", "stray-tag", "quoted-tag", "units"}
    if task is Task.VQA and question.startswith("Is"):
        assert isinstance(trace.value, bool)


@given(prose, prose, st.sampled_from(BoxFrame))
def test_prose_is_free(plan: str, synthesis: str, frame: BoxFrame) -> None:
    text = format_trace(plan, "No ship is visible. ", synthesis, "0")
    assert accepts(grammar(Task.COUNT, QUESTION, frame), text)


GOOD = (
    "<think><plan>Scan.</plan><evidence>E1 ship [1,2,30,40]. </evidence><synthesis>E1 is a ship, 1 in all."
    "</synthesis></think><answer>1</answer>"
)


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        ("</plan>", ""),
        ("<evidence>", ""),
        ("</think>", ""),
        ("<answer>1</answer>", ""),
        ("</answer>", ""),
        ("<plan>Scan.", "<plan>Scan <plan>."),
        ("[1,2,30,40]", "[1,2,30,40"),
        ("[1,2,30,40]", "[1,2,30]"),
        ("[1,2,30,40]", "[1,2,30,40,50]"),
        ("[1,2,30,40]", "[1,2,30,4000]"),
        ("[1,2,30,40]", "[1,2,30,1001]"),
        ("[1,2,30,40]", "[1,2,30,-4]"),
        ("[1,2,30,40]", "[1,2,30,4.5]"),
        ("[1,2,30,40]", "[01,2,30,40]"),
        ("[1,2,30,40]", "[x0,2,30,40]"),
        ("[1,2,30,40]", "{<1><2><30><40>}"),
        ("E1 is a ship", "1,2,30,40] is a ship"),
        (">1<", ">one<"),
        (">1<", ">01<"),
        (">1<", "><"),
        (">1<", ">1 ship<"),
        ("</answer>", "</answer> More."),
    ],
)
def test_broken_tags_boxes_and_answers_are_not_accepted(written: str, instead: str) -> None:
    ebnf = grammar(Task.COUNT, QUESTION, BoxFrame.PER_MILLE)
    assert accepts(ebnf, GOOD)
    assert written in GOOD
    assert not accepts(ebnf, GOOD.replace(written, instead, 1))


@pytest.mark.parametrize(
    ("task", "question", "answer", "is_one"),
    [
        (Task.DETECT, "Find all ships.", "[]", True),
        (Task.DETECT, "Find all ships.", "[[1,2,3,4], [5,6,7,8]]", True),
        (Task.DETECT, "Find all ships.", "[1,2,3,4]", False),
        (Task.DETECT, "Find all ships.", "none", False),
        (Task.VQA, "Are there ships?", "no", True),
        (Task.VQA, "Are there ships?", "maybe", False),
        (Task.VQA, "What is it?", "maybe a ship [1,2,3,4]", True),
        (Task.CAPTION, "Describe it.", " . ", False),
        (Task.CLASSIFY, "Which class?", "harbour, industrial area", True),
        (Task.CLASSIFY, "Which class?", "desert", False),
    ],
)
def test_the_answer_has_its_tasks_form(task: Task, question: str, answer: str, is_one: bool) -> None:
    text = GOOD.replace("<answer>1<", f"<answer>{answer}<")
    assert accepts(grammar(task, question, BoxFrame.PER_MILLE, CLASSES), text) is is_one


def test_classes_that_hold_brackets_leave_the_answer_free() -> None:
    ebnf = grammar(Task.CLASSIFY, "Which class?", BoxFrame.PER_MILLE, ("</answer>", "harbour"))
    assert accepts(ebnf, GOOD.replace("<answer>1<", "<answer>Something else<"))


def test_an_opened_thinking_is_not_opened_again() -> None:
    ebnf = grammar(Task.COUNT, QUESTION, BoxFrame.PER_MILLE)
    rest = GOOD.removeprefix("<think>")
    assert accepts(after_opening(ebnf), rest)
    assert not accepts(after_opening(ebnf), GOOD)
    assert after_opening('root ::= "x"') == 'root ::= "x"'

"""Constrained decoding: the grammar as xgrammar reads it, and what it does to answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import pytest
import xgrammar
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from groundproof.boxes import BoxFrame
from groundproof.models.embedded import EMBEDDED_FOLDER
from groundproof.models.vllm_adapter import VllmModel
from groundproof.protocol import Task, infer_task, target_labels
from groundproof.protocol.constraint import after_opening, grammar
from groundproof.trace import Trace, parse
from tests.engine.test_constraint import CLASSES, GOOD, QUESTION, accepts, canonical

from .conftest import by_request, question, request, texts

HOT = 1.3
"""Temperature of the test that wants mistakes: greedily, the embedded model keeps to the protocol by itself."""

FORMAL = {
    "unreadable-box",
    "box-numbers",
    "units",
    "five-numbers",
    "stray-tag",
    "quoted-tag",
    "unopened-think",
}
"""Repairs of what a grammar can forbid; wrong numbers in well-formed boxes it cannot."""

TOKENIZER = AutoTokenizer.from_pretrained(EMBEDDED_FOLDER, local_files_only=True)
INFO = xgrammar.TokenizerInfo.from_huggingface(TOKENIZER, vocab_size=len(TOKENIZER))
COMPILER = xgrammar.GrammarCompiler(INFO)


def accepts_text(ebnf: str, text: str) -> bool:
    """Whether xgrammar takes the text and may stop there."""
    matcher = xgrammar.GrammarMatcher(COMPILER.compile_grammar(ebnf))
    return bool(matcher.accept_string(text)) and bool(matcher.accept_token(TOKENIZER.eos_token_id))


@given(canonical())
@settings(max_examples=50)
def test_xgrammar_accepts_every_canonical_text(case: tuple[Task, str, BoxFrame, str]) -> None:
    task, asked, frame, text = case
    ebnf = grammar(task, asked, frame, CLASSES)
    assert accepts_text(ebnf, text)
    assert accepts_text(after_opening(ebnf), text.removeprefix("<think>"))


@given(canonical(), st.data())
@settings(max_examples=100)
def test_xgrammar_and_the_regular_expression_of_the_other_tests_agree(
    case: tuple[Task, str, BoxFrame, str], data: st.DataObject
) -> None:
    task, asked, frame, text = case
    ebnf = grammar(task, asked, frame, CLASSES)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(start + 12, len(text))))
    mutated = (
        text[:start]
        + data.draw(st.sampled_from(("", "[", "]", "0", "9", "<", "</plan>", "é", ",", " ")))
        + text[end:]
    )
    assert accepts_text(ebnf, mutated) == accepts(ebnf, mutated)


@pytest.mark.parametrize("label", ["Straße", "港口", "🛰 dish", 'a "b" \\ c'])
def test_classes_of_any_script_are_literals(label: str) -> None:
    ebnf = grammar(Task.CLASSIFY, "Which class?", BoxFrame.PER_MILLE, (f"x {label}",))
    assert accepts_text(ebnf, GOOD.replace("<answer>1<", f"<answer>x {label}<"))
    assert not accepts_text(ebnf, GOOD.replace("<answer>1<", "<answer>x<"))


def test_the_tags_added_tokens_are_allowed_and_control_tokens_are_not() -> None:
    """The embedded tokenizer has the tags as added tokens that are not special; xgrammar takes both as text."""
    matcher = xgrammar.GrammarMatcher(
        COMPILER.compile_grammar(grammar(Task.COUNT, QUESTION, BoxFrame.PER_MILLE))
    )
    mask = xgrammar.allocate_token_bitmask(1, len(TOKENIZER))
    control = [
        TOKENIZER.convert_tokens_to_ids(t) for t in ("<|user|>", "<|image|>", "[gMASK]", "<sop>", "[count]")
    ]
    for token in TOKENIZER.encode(GOOD, add_special_tokens=False):
        matcher.fill_next_token_bitmask(mask)
        allowed = [bool(mask[0, i // 32].item() >> (i % 32) & 1) for i in (token, *control)]
        assert allowed == [True, *[False] * len(control)]
        assert matcher.accept_token(token)
    assert matcher.accept_token(TOKENIZER.eos_token_id)


@pytest.fixture
def hot(model: VllmModel) -> Iterator[VllmModel]:
    """The same engine, sampling."""
    profile = model.profile
    model.profile = profile.model_copy(update={"temperature": HOT})
    yield model
    model.profile = profile


def _traces(model: VllmModel, *, constrained: bool, tokens: int | None) -> list[tuple[Trace, bool]]:
    """Each answer, and whether it came to its own end."""
    answers = by_request(
        list(
            model.generate(request(i, question(i), constrained=constrained, tokens=tokens) for i in range(50))
        )
    )
    found = []
    for name, pieces in answers.items():
        asked = question(int(name))
        task = infer_task(asked).task
        text = "".join(p.text for p in pieces)
        trace = parse(text, model.profile.frame, task, target_labels(asked, task))
        found.append((trace, pieces[-1].finish == "stop"))
    return found


def _shares(name: str, traces: list[tuple[Trace, bool]]) -> str:
    failed = sum(not trace.usable for trace, _ in traces)
    repaired = sum(bool(trace.repairs) for trace, _ in traces)
    kinds = Counter(repair.kind for trace, _ in traces for repair in trace.repairs)
    return f"{name}: {failed} failed and {repaired} repaired of {len(traces)}; {dict(kinds)}"


def test_constrained_answers_have_no_broken_form(hot: VllmModel, tell: Callable[[str], None]) -> None:
    """Which mistakes sampling makes differs from run to run, so the shares are told and not compared."""
    tell(_shares(f"free, temperature {HOT}", _traces(hot, constrained=False, tokens=400)))
    held = _traces(hot, constrained=True, tokens=400)
    tell(_shares(f"constrained, temperature {HOT}", held))
    for trace, ended in held:
        assert not {repair.kind for repair in trace.repairs} & FORMAL
        assert trace.complete is ended
        assert trace.usable or not ended


def test_a_model_that_keeps_to_the_protocol_writes_the_same_with_the_grammar(
    model: VllmModel, tell: Callable[[str], None]
) -> None:
    free = texts(list(model.generate(request(i, question(i)) for i in range(16))))
    held = texts(list(model.generate(request(i, question(i), constrained=True) for i in range(16))))
    same = sum(free[name] == held[name] for name in free)
    tell(f"{same} of {len(free)} greedy answers are the same with and without the grammar")
    assert same >= 14

"""The same questions through the evaluation with vLLM and with transformers: the same texts, cases and figures."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from groundproof.models.profiles import get_profile
from groundproof.models.transformers_adapter import TransformersModel
from groundproof.models.vllm_adapter import VllmModel
from groundproof_training.evaluation.answers import Answers
from groundproof_training.evaluation.asking import Account, Asked, AskSettings, ask
from groundproof_training.evaluation.cases import Family
from groundproof_training.evaluation.questions import Picture, Question
from groundproof_training.evaluation.reading import family_of
from groundproof_training.evaluation.scoring import score
from groundproof_training.readers.base import Problems, open_shown
from groundproof_training.readers.registry import reader
from groundproof_training.samples import Sample

NUMBER = 30
SETTINGS = AskSettings(max_new_tokens=160)
"""Enough for most answers to end by themselves; on two cores more would only take longer."""


def _opened(root: Path, sample: Sample) -> tuple[Picture, ...]:
    return tuple(np.asarray(open_shown(root, image), dtype=np.uint8) for image in sample.images)


@pytest.fixture(scope="module")
def questions(tmp_path_factory: pytest.TempPathFactory) -> list[Question]:
    root = tmp_path_factory.mktemp("procedural")
    one = reader("procedural")
    options = one.options.model_validate({"scenes": 16, "questions": 2, "change_share": 0.0})
    samples = list(one.read(root, "test", options, Problems()))[:NUMBER]
    assert len(samples) == NUMBER
    return [Question(sample, family_of(sample), partial(_opened, root, sample)) for sample in samples]


@pytest.fixture(scope="module")
def both(
    model: VllmModel,
    reference: TransformersModel,
    questions: list[Question],
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[list[Asked], list[Asked], Answers]:
    answers = Answers(tmp_path_factory.mktemp("answers") / "answers.jsonl")
    theirs = ask(questions, reference, answers, SETTINGS)
    return ask(questions, model, answers, SETTINGS), theirs, answers


def test_answers_are_the_same_but_for_near_ties(
    both: tuple[list[Asked], list[Asked], Answers], tell: Callable[[str], None]
) -> None:
    """Token for token: the texts are equal from their first to their last letter. A text that is not is listed with
    the place where it parts; batches of other shapes round the last bits differently, and a near tie may then fall the
    other way. At most one in ten may."""
    ours, theirs, _ = both
    differing = []
    for a, b in zip(ours, theirs, strict=True):
        assert (a.question.case_id, a.finish == "error") == (b.question.case_id, False)
        if a.text != b.text:
            at = next((i for i, (x, y) in enumerate(zip(a.text, b.text, strict=False)) if x != y), None)
            differing.append(
                f"{a.question.case_id} parts at letter {at}: {a.text[at:][:40]!r}, {b.text[at:][:40]!r}"
            )
    tell(
        f"evaluation: {len(ours) - len(differing)} of {len(ours)} texts are the same with vLLM and with transformers"
    )
    for line in differing:
        tell(f"  {line}")
    assert len(differing) <= NUMBER // 10


def test_the_same_texts_give_the_same_figures(both: tuple[list[Asked], list[Asked], Answers]) -> None:
    """All but average precision exactly: that ranks boxes by their scores, which are not equal to the last bit."""
    ours, theirs, _ = both
    same = [(a, b) for a, b in zip(ours, theirs, strict=True) if a.text == b.text]
    profile = get_profile("tiny")
    families = {a.question.family for a, _ in same}
    assert {Family.COUNTING, Family.DETECTION} <= families
    for family in families - {Family.CAPTIONING}:
        pairs = [pair for pair in same if pair[0].question.family is family]
        one, other = (score([pair[k].case(profile) for pair in pairs], draws=0) for k in (0, 1))
        assert one.statuses == other.statuses
        for a, b in zip((*one.strict, *one.evidence), (*other.strict, *other.evidence), strict=True):
            assert (a.name, a.n) == (b.name, b.n)
            assert a.value == pytest.approx(
                b.value, abs=0.02 if a.name.startswith("ap@") else 1e-9, nan_ok=True
            )


def test_neither_is_asked_again(
    both: tuple[list[Asked], list[Asked], Answers],
    model: VllmModel,
    reference: TransformersModel,
    questions: list[Question],
) -> None:
    """The two have identities of their own, so that neither gets the other's answers."""
    ours, theirs, answers = both
    assert model.identity != reference.identity
    for one, before in ((model, ours), (reference, theirs)):
        account = Account()
        again = ask(questions, one, Answers(answers.path), SETTINGS, account=account)
        assert (account.asked, account.kept) == (0, NUMBER)
        assert [a.text for a in again] == [b.text for b in before]

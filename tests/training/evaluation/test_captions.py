"""Caption measures against pycocoevalcap, rouge-score and nltk."""

from __future__ import annotations

import contextlib
import io
import math
import shutil
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.translate.meteor_score import single_meteor_score
from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.rouge.rouge import Rouge
from rouge_score import rouge_scorer

from groundproof.protocol import Task
from groundproof_training.evaluation.cases import BoxSet, Case, Family, Said, Status, Truth
from groundproof_training.evaluation.figures import Measure
from groundproof_training.evaluation.statistics import compare
from groundproof_training.evaluation.strict import captions, official_captions
from groundproof_training.evaluation.strict.captions import measures
from groundproof_training.evaluation.strict.official_captions import official

word = st.sampled_from(["a", "ship", "ships", "tank", "near", "white", "две", "日本", "é"])
sentence = st.lists(word, max_size=9).map(" ".join)
written = st.lists(word, min_size=1, max_size=9).map(" ".join)
corpus = st.lists(st.tuples(written, st.lists(written, min_size=1, max_size=3)), min_size=2, max_size=6)


def case(k: int, said: str | None, references: Sequence[str]) -> Case:
    status = Status.MISSING if said is None else Status.OK
    return Case(
        str(k), str(k), Family.CAPTIONING, Task.CAPTION, "", Truth(texts=tuple(references)),
        Said(answer=said or "", status=status),
    )  # fmt: skip


def values(cases: Sequence[Case]) -> dict[str, float]:
    return {m.name: float(m.of(np.ones((1, len(cases))))[0]) for m in measures(cases)}


def cocos(scorer: object, pairs: Sequence[tuple[str, Sequence[str]]]) -> tuple[object, object]:
    with contextlib.redirect_stdout(io.StringIO()):
        return scorer.compute_score(
            {k: list(refs) for k, (_, refs) in enumerate(pairs)},
            {k: [said] for k, (said, _) in enumerate(pairs)},
        )


@settings(max_examples=60, deadline=None)
@given(corpus)
def test_a_set_has_cocos_bleu_rouge_and_cider(pairs: list[tuple[str, list[str]]]) -> None:
    found = values([case(k, said, refs) for k, (said, refs) in enumerate(pairs)])
    assert found["rouge-l"] == pytest.approx(cocos(Rouge(), pairs)[0], abs=1e-9)
    assert found["cider-d"] == pytest.approx(cocos(Cider(), pairs)[0], abs=1e-9)
    for n, theirs in enumerate(cocos(Bleu(4), pairs)[0], start=1):
        if found[f"bleu-{n}"]:
            assert found[f"bleu-{n}"] == pytest.approx(theirs, rel=1e-5)
        else:
            assert theirs <= 1.001 * 1e-6 ** (1 / n)  # COCO's has 1e-15 / 1e-9 where nothing matches


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(["a", "ship", "ships", "tank"]), min_size=1).map(" ".join),
    st.lists(st.sampled_from(["a", "ship", "tank"]), min_size=1).map(" ".join),
)
def test_rouge_1_is_rouge_scores_and_meteor_nltks(said: str, true: str) -> None:
    class Nothing:
        @staticmethod
        def synsets(_: str) -> list[str]:
            return []

    found = values([case(0, said, [true])])
    assert found["rouge-1"] == pytest.approx(
        rouge_scorer.RougeScorer(["rouge1"]).score(true, said)["rouge1"].fmeasure
    )
    variant = next(name for name in found if name.startswith("meteor"))
    if variant == "meteor-exact-stem":
        theirs = single_meteor_score(true.split(), said.split(), wordnet=Nothing)
        assert found[variant] == pytest.approx(theirs)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.none() | sentence, st.lists(sentence, max_size=2)), min_size=1, max_size=5))
def test_any_set_has_values_in_their_range(pairs: list[tuple[str | None, list[str]]]) -> None:
    cases = [case(k, said, refs) for k, (said, refs) in enumerate(pairs)]
    for measure in measures(cases):
        value = measure.of(np.ones((1, len(cases))))[0]
        assert np.isnan(value) or 0 <= value <= (10 + 1e-9 if measure.name == "cider-d" else 100)


def test_a_missing_caption_is_worth_nothing_and_stays() -> None:
    text = "a white ship is near the harbour"
    both = [case(0, text, [text]), case(1, "two tanks are in a field", ["two tanks are in a field"])]
    full, half = values(both), values([both[0], case(1, None, both[1].truth.texts)])
    assert full["bleu-4"] == full["rouge-l"] == full["rouge-1"] == pytest.approx(1)
    assert full["cider-d"] == pytest.approx(10)
    assert half["rouge-l"] == half["rouge-1"] == half["parse-rate"] == half["empty"] == 0.5
    assert half["cider-d"] == pytest.approx(5)
    assert half["bleu-4"] == pytest.approx(np.exp(1 - 13 / 7))  # the missing one is too short
    assert half["length-ratio"] == pytest.approx(7 / 13)


def test_one_case_alone_has_no_cider_and_one_without_references_is_not_scored() -> None:
    assert np.isnan(values([case(0, "a ship", ["a ship"])])["cider-d"])
    cases = [case(0, "a ship", ["a ship"]), case(1, "a tank", [])]
    applies = {measure.name: measure.applies.tolist() for measure in measures(cases)}
    assert applies["bleu-1"] == applies["rouge-l"] == applies["repeated"] == [True, False]


@pytest.mark.parametrize("empty", ["", " ", "...", "!"])
def test_a_reference_without_a_word_is_none(empty: str) -> None:
    pairs = [("many green", ["many green trees are around the house"]), ("", ["a white roof"])]
    plain = [case(k, said, true) for k, (said, true) in enumerate(pairs)]
    with_empty = [case(k, said, [empty, *true]) for k, (said, true) in enumerate(pairs)]
    assert values(with_empty) == values(plain)


def test_weights_are_repetitions() -> None:
    texts = ["a white ship", "two tanks near a ship", "a tank", "a ship near a tank"]
    cases = [case(k, said, [texts[k - 1]]) for k, said in enumerate(texts)]
    repeated = [cases[0], cases[0], cases[2]]
    found = {m.name: m.of(np.array([[2.0, 0, 1, 0]]))[0] for m in measures(cases)}
    theirs = values(repeated)
    for name in ("bleu-1", "bleu-2", "rouge-l", "rouge-1", "length-ratio"):
        assert found[name] == pytest.approx(theirs[name])


def test_two_models_are_compared_at_what_each_has_alone() -> None:
    references = [
        ["a white ship"],
        ["two tanks near a road"],
        ["a field"],
        ["a road"],
        ["a harbour"],
        ["two ships"],
    ]
    one = [case(k, "a white ship near nothing", refs) for k, refs in enumerate(references)]
    other = [
        case(k, "two strange tanks" if k else "a white ship near nothing", refs)
        for k, refs in enumerate(references)
    ]
    found = compare(measures([*one, *other]), [c.group for c in one], draws=20)
    for side, cases in (("a", one), ("b", other)):
        alone = values(cases)
        for each in found:
            assert getattr(each, side) == pytest.approx(alone[each.name]), each.name


def test_a_description_with_boxes_is_held_to_them_as_well() -> None:
    box = BoxSet(np.array([[10.0, 10, 20, 20]]), ("ship",), (0,))
    far = BoxSet(np.array([[10.0, 10, 20, 20], [60, 60, 80, 80]]), ("ship", "ship"), (0, 0))
    base = case(0, "a ship", ["a ship"])
    cases = [
        replace(
            base,
            truth=replace(base.truth, boxes=box, complete=False),
            said=replace(base.said, boxes=far),
            size=(100, 100),
        ),
        case(1, "a tank", ["a tank"]),
    ]
    found = values(cases)
    assert (found["boxes-precision@0.5"], found["boxes-recall@0.5"]) == (0.5, 1)
    assert found["boxes-f1@0.5"] == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    "said",
    [
        "One ship [10,20,30,40] and two tanks [[1,2,3,4],[5,6,7,8]].",
        "One <p>ship</p> {<10><20><30><40>|<90>} and two tanks.",
        "One ship and two tanks.",
    ],
)
def test_boxes_of_a_grounded_caption_are_no_words(said: str) -> None:
    other = case(1, "white ships near a tank", ["white ships near a tank"])
    found = values([case(0, said, ["One ship and two tanks."]), other])
    plain = values([case(0, "One ship and two tanks.", ["One ship and two tanks."]), other])
    assert found["bleu-4"] == pytest.approx(1)
    assert {k: v for k, v in found.items() if not math.isnan(v)} == pytest.approx(
        {k: v for k, v in plain.items() if not math.isnan(v)}
    )


def test_without_java_or_models_the_official_tools_are_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(official_captions, "_SPICE_MODELS", ("no.jar",))
    if shutil.which("java"):
        made, problems = official([case(0, "a ship", ["a ship"])], ["spice"])
        assert not made
        assert problems == [
            "spice cannot run: its models no.jar are not in pycocoevalcap's folder spice/lib."
        ]
    monkeypatch.setattr(official_captions.shutil, "which", lambda _: None)
    made, problems = official([case(0, "a ship", ["a ship"])])
    assert not made
    assert len(problems) == 1
    assert "no Java" in problems[0]


@pytest.mark.skipif(shutil.which("java") is None, reason="METEOR 1.5 needs Java")
def test_meteor_of_coco_runs() -> None:
    text = "a white ship is near the harbour"
    cases = [
        case(0, text, [text]),
        case(1, None, [text]),
        case(2, "...", [text]),
        case(3, "x ||| a\nship", [text]),
        case(4, "a", []),
    ]
    made, problems = official(cases, ["meteor-1.5"])
    assert not problems
    each = [made[0].of(np.eye(5)[[k]])[0] for k in range(5)]
    assert each[0] == pytest.approx(1, abs=1e-6)
    assert each[1] == each[2] == 0 < each[3] < each[0]
    assert np.isnan(each[4])


def test_meteor_says_which_it_is() -> None:
    found: list[Measure] = measures([case(0, "a ship", ["a ship"])])
    assert [m.name for m in found if "meteor" in m.name] == [f"meteor-{captions._variant()}"]

"""Counting, classification and visual questions against scikit-learn, hand-computed cases and published answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn
from sklearn.preprocessing import MultiLabelBinarizer

from groundproof.protocol import Task
from groundproof_training.evaluation.cases import NO_BOXES, Case, Family, Said, Status, Truth
from groundproof_training.evaluation.scoring import differences, score
from groundproof_training.evaluation.strict import classification, counting, vqa

CLASSES = ("river", "forest", "airport", "beach")


def values(made: Sequence[object], n: int) -> dict[str, float]:
    return {m.name: float(m.of(np.ones((1, n)))[0]) for m in made}


def count_case(said: int | None, true: int | None, **truth: object) -> Case:
    status = Status.UNREADABLE if said is None else Status.OK
    return Case(
        "x", "x", Family.COUNTING, Task.COUNT, "", Truth(count=true, **truth), Said(count=said, status=status)
    )


def class_case(said: str | None, *true: str, choices: tuple[str, ...] = CLASSES) -> Case:
    status = Status.FAILED if said is None else Status.OK
    return Case(
        "x", "x", Family.CLASSIFICATION, Task.CLASSIFY, "", Truth(classes=true), Said(answer=said or "", status=status),
        choices=choices,
    )  # fmt: skip


def vqa_case(said: str | None, *true: str, kind: str = "") -> Case:
    status = Status.MISSING if said is None else Status.OK
    return Case(
        "x", "x", Family.VQA, Task.VQA, "", Truth(texts=true), Said(answer=said or "", status=status),
        meta={"type": kind},
    )  # fmt: skip


def counted(cases: list[Case]) -> dict[str, float]:
    return values(counting.measures(cases), len(cases))


def classified(cases: list[Case]) -> dict[str, float]:
    return values(classification.measures(cases), len(cases))


def answered(cases: list[Case]) -> dict[str, float]:
    return values(vqa.measures(cases), len(cases))


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=1, max_size=20))
def test_counts_are_scikit_learns(pairs: list[tuple[int, int]]) -> None:
    said, true = zip(*pairs, strict=True)
    found = counted([count_case(a, b) for a, b in pairs])
    assert found["mae"] == found["mae-readable"] == pytest.approx(sklearn.mean_absolute_error(true, said))
    assert (
        found["rmse"] == found["rmse-readable"] == pytest.approx(sklearn.root_mean_squared_error(true, said))
    )
    assert found["bias-readable"] == pytest.approx(np.mean(said) - np.mean(true))
    assert found["accuracy"] == pytest.approx(sklearn.accuracy_score(true, said))
    for tenths in (1, 3, 5):
        near = [10 * abs(a - b) <= tenths * b for a, b in pairs]
        assert found[f"accuracy@0.{tenths}"] == pytest.approx(np.mean(near))


def test_an_answer_without_a_number_is_wrong_everywhere() -> None:
    found = counted([count_case(10, 10), count_case(None, 4), count_case(None, 0), count_case(12, 10)])
    assert found["accuracy"] == 0.25
    assert found["accuracy@0.3"] == found["parse-rate"] == 0.5
    assert found["mae"] == (0 + 4 + 1 + 2) / 4
    assert found["rmse"] == pytest.approx(np.sqrt((16 + 1 + 4) / 4))
    assert (found["mae-readable"], found["bias-readable"]) == (1, 1)
    notes = {m.name: m.note for m in counting.measures([count_case(1, 1), count_case(None, 4)])}
    assert "50.0% of these" in notes["mae-readable"]


def test_refusal_is_of_what_is_not_there() -> None:
    found = counted(
        [count_case(0, 0), count_case(2, 0), count_case(None, 0), count_case(0, 5), count_case(5, 5)]
    )
    assert found["refusal"] == pytest.approx(1 / 3)
    assert found["false-refusal"] == 0.5
    assert np.isnan(counted([count_case(1, 1)])["refusal"])


def test_true_numbers_may_be_those_of_all_true_boxes() -> None:
    assert counted([count_case(0, None, boxes=NO_BOXES)])["accuracy"] == 1
    part = count_case(0, None, boxes=NO_BOXES, complete=False)
    assert not any(m.applies.any() for m in counting.measures([part]) if m.name != "parse-rate")


single = st.lists(
    st.tuples(st.sampled_from([*CLASSES, "harbor gate"]), st.sampled_from(CLASSES)), min_size=1, max_size=25
)


@settings(deadline=None)
@given(single)
def test_single_classes_are_scikit_learns(pairs: list[tuple[str, str]]) -> None:
    said, true = zip(*pairs, strict=True)
    found = classified([class_case(a, b) for a, b in pairs])
    labels = sorted(set(true))
    assert found["exact"] == found["exact-letters"] == pytest.approx(sklearn.accuracy_score(true, said))
    macro = sklearn.f1_score(true, said, labels=labels, average="macro", zero_division=0)
    assert found["macro-f1"] == pytest.approx(macro)
    recall = sklearn.recall_score(true, said, labels=labels, average="macro", zero_division=0)
    assert found["balanced-accuracy"] == pytest.approx(recall)
    assert found["outside-list"] == pytest.approx(np.mean([one not in CLASSES for one in said]))


several = st.lists(
    st.tuples(st.sets(st.sampled_from(CLASSES)), st.sets(st.sampled_from(CLASSES), min_size=1)),
    min_size=1,
    max_size=15,
).filter(lambda pairs: any(len(true) > 1 for _, true in pairs))


@settings(deadline=None)
@given(several)
def test_several_classes_are_scikit_learns(pairs: list[tuple[set[str], set[str]]]) -> None:
    found = classified([class_case(", ".join(sorted(a)), *sorted(b)) for a, b in pairs])
    encoder = MultiLabelBinarizer(classes=CLASSES)
    said, true = (encoder.fit_transform([pair[side] for pair in pairs]) for side in (0, 1))
    occurring = [k for k in range(len(CLASSES)) if true[:, k].any()]
    expected = {
        "exact": sklearn.accuracy_score(true, said),
        "micro-f1": sklearn.f1_score(true, said, average="micro", zero_division=0),
        "micro-recall": sklearn.recall_score(true, said, average="micro", zero_division=0),
        "macro-f1": sklearn.f1_score(true, said, labels=occurring, average="macro", zero_division=0),
        "example-f1": sklearn.f1_score(true, said, average="samples", zero_division=0),
        "jaccard": sklearn.jaccard_score(true, said, average="samples", zero_division=0),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    if said.any():
        assert found["micro-precision"] == pytest.approx(sklearn.precision_score(true, said, average="micro"))


@settings(deadline=None)
@given(single, st.randoms())
def test_weights_of_classes_are_repetitions(pairs: list[tuple[str, str]], random: object) -> None:
    cases = [class_case(a, b) for a, b in pairs]
    times = [random.randint(0, 3) for _ in cases]
    again = [case for case, n in zip(cases, times, strict=True) for _ in range(n)]
    if again:
        found = {m.name: m.of(np.array([times], dtype=float))[0] for m in classification.measures(cases)}
        assert found == pytest.approx(classified(again))


def test_a_class_is_named_alone_or_it_is_wrong() -> None:
    found = classified(
        [class_case("river", "river"), class_case("river or forest", "river"), class_case(None, "river"),
         class_case("The scene is a river.", "river"), class_case("moon base", "forest")]
    )  # fmt: skip
    assert found["exact"] == pytest.approx(2 / 5)
    assert found["exact-letters"] == pytest.approx(1 / 5)
    assert found["outside-list"] == pytest.approx(2 / 5)
    assert found["parse-rate"] == pytest.approx(4 / 5)
    assert found["balanced-accuracy"] == pytest.approx((2 / 4 + 0) / 2)


def test_names_with_commas_are_one_class_each() -> None:
    names = ("Coniferous forest", "Land principally occupied by agriculture, with natural vegetation")
    for choices in ((), (*names, "Pastures")):
        right = [class_case(", ".join(order), *names, choices=choices) for order in (names, names[::-1])]
        found = classified(right)
        assert all(found[name] == 1 for name in ("exact", "exact-letters", "micro-f1", "macro-f1", "jaccard"))
        wrong = [
            class_case(text, *names, choices=choices) for text in (names[0], ", ".join((*names, "Pastures")))
        ]
        found = classified(wrong)
        assert found["exact"] == found["exact-letters"] == 0
    assert classified([class_case(names[1], names[1], choices=())])["exact"] == 1


def test_what_is_named_beside_the_list_costs_precision() -> None:
    found = classified([class_case("river, moon base", "river", "forest")])
    assert found["micro-precision"] == 0.5
    assert found["exact"] == 0


@pytest.mark.parametrize(("said", "true"), [("5", "<5"), (">5", "<5"), ("> 5 m", "< 5 m"), ("<5", ">=5")])
def test_less_is_not_more(said: str, true: str) -> None:
    assert answered([vqa_case(said, true)])["accuracy"] == 0
    assert answered([vqa_case(true, true)])["accuracy"] == 1


def test_two_families_are_not_compared() -> None:
    with pytest.raises(ValueError, match="one family"):
        differences([vqa_case("yes", "yes")], [count_case(1, 1)])


def test_yes_no_numbers_and_words_by_hand() -> None:
    cases = [
        vqa_case("Yes.", "yes", kind="presence"), vqa_case("yes", "no", kind="presence"),
        vqa_case("yes", "yes", kind="presence"), vqa_case("maybe", "no", kind="presence"),
        vqa_case("six", "6", kind="count"), vqa_case("6 or 7", "6", kind="count"),
        vqa_case("An urban area", "rural", "urban area", kind="scene"), vqa_case(None, "rural", kind="scene"),
    ]  # fmt: skip
    found = answered(cases)
    assert found["accuracy"] == 0.5
    assert found["accuracy-letters"] == 1 / 8
    assert found["accuracy-yes-no"] == found["balanced-yes-no"] == found["accuracy-numbers"] == 0.5
    assert found["accuracy-without-counts"] == found["accuracy-words"] == found["accuracy-by-type"] == 0.5
    assert found["parse-rate"] == 5 / 8


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["yes", "no"]), st.sampled_from(["yes", "no"])), min_size=1, max_size=20
    )
)
def test_balanced_yes_no_is_scikit_learns(pairs: list[tuple[str, str]]) -> None:
    said, true = zip(*pairs, strict=True)
    found = answered([vqa_case(a, b) for a, b in pairs])
    expected = sklearn.recall_score(true, said, labels=sorted(set(true)), average="macro", zero_division=0)
    assert found["balanced-yes-no"] == pytest.approx(expected)


@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=20)), min_size=1, max_size=5))
def test_any_text_is_an_answer_or_none(pairs: list[tuple[str, str]]) -> None:
    for found in (
        answered([vqa_case(a, b) for a, b in pairs]),
        classified([class_case(a, b) for a, b in pairs]),
    ):
        assert all(np.isnan(value) or 0 <= value <= 1 for value in found.values())


def test_no_case_has_no_figure() -> None:
    for module in (counting, classification, vqa):
        assert all(np.isnan(value) for value in values(module.measures([]), 0).values())


def rows(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_rsvqa_has_the_published_accuracies(data_dir: Path) -> None:
    found = rows(data_dir / "predictions/earthdial/rs_vqa/RSVQA_LR.jsonl")
    made = score([vqa_case(row["answer"], row["annotation"], kind=row["vqa_type"]) for row in found], draws=0)
    by_type = {kind: figures[0].value for kind, figures in made.breakdowns["type"].items()}
    assert by_type == pytest.approx(
        {"presence": 0.9259, "comp": 0.9275, "rural_urban": 0.94, "count": 0.2769}, abs=5e-5
    )
    whole = {figure.name: figure.value for figure in made.strict}
    assert whole["accuracy-without-counts"] == pytest.approx(0.9270, abs=5e-5)
    assert whole["accuracy-by-type"] == pytest.approx(np.mean(list(by_type.values())))


def test_aid_has_the_accuracy_by_letters_that_was_found_by_hand(data_dir: Path) -> None:
    found = rows(data_dir / "predictions/earthdial/rs_classification/AID.jsonl")
    choices = tuple(found[0]["question"].split("Classes:")[1].strip(" .").split(", "))
    made = classified([class_case(row["answer"], row["annotation"], choices=choices) for row in found])
    assert made["exact-letters"] == pytest.approx(0.8847, abs=5e-5)
    assert made["exact"] == pytest.approx(made["exact-letters"] + 1 / 3000)


def test_counts_are_broken_down_by_how_many_there_are() -> None:
    cases = [count_case(0, 0), count_case(4, 5), count_case(6, 6), count_case(None, 11), count_case(9, 40)]
    groups = score([*cases, count_case(3, None)], draws=0).breakdowns["number"]
    found = {name: {one.name: one.value for one in figures} for name, figures in groups.items()}
    assert list(found) == ["0", "1 to 5", "6 to 10", "11 and more"]
    assert [one["parse-rate"] for one in found.values()] == [1, 1, 1, 0.5]
    assert [one["mae"] for one in found.values()] == [0, 1, 0, (11 + 31) / 2]


def test_one_group_of_numbers_is_no_breakdown() -> None:
    assert "number" not in score([count_case(2, 2), count_case(3, 4)], draws=0).breakdowns

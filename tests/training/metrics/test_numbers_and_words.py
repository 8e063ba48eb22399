"""Counts, answers in words, and classes, against hand-computed cases and scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sklearn
from sklearn.preprocessing import MultiLabelBinarizer

from groundproof_training.metrics import classes, counting, text
from groundproof_training.metrics.class_groups import GROUPS
from groundproof_training.metrics.classes import Named, key_of, read_classes, same_classes, same_group

counts = st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), min_size=1, max_size=20)


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("6", 6), ("six", 6), ("Six airplanes.", 6), ("There are 6 airplanes.", 6), ("none", 0), ("0", 0),
        ("No ships are visible.", 0), ("1,200", 1200), ("twenty-one", 21), ("6.", 6), ("6 (six)", 6),
        ("3 or 4", None), ("3-4", None), ("3–4", None), ("3 to 4", None), ("between 3 and 4", None), ("3/4", None),
        ("at least 3", None), ("more than 3", None), ("3+", None), ("~3", None), (">3", None), ("not 3", None),
        ("2.5", None), ("-3", None), ("NaN", None), ("inf", None), ("infinity", None), ("1e9", None), ("", None),
        ("many", None), ("1 2 3 4 5 6", None), ("9" * 40, None), ("3" * 2000, None),
    ],
)  # fmt: skip
def test_a_count_is_one_whole_number_without_a_way_out(said: str, number: int | None) -> None:
    assert counting.read_single(said) == number


@given(st.text(max_size=60))
def test_any_text_is_read_as_a_count_or_not(said: str) -> None:
    value = counting.read_single(said)
    assert value is None or value >= 0


@pytest.mark.parametrize(
    ("said", "true", "alpha", "expected"),
    [(3, 4, 1, 0.75), (4, 3, 1, 0.75), (0, 0, 1, 1), (0, 5, 1, 0), (5, 0, 1, 0), (10, 5, 1, 0.5), (3, 4, 2, 0.5),
     (1, 100, 2, 0)],
)  # fmt: skip
def test_the_relative_reward_by_hand(said: int, true: int, alpha: float, expected: float) -> None:
    assert counting.relative(said, true, alpha) == pytest.approx(expected)


@given(counts)
def test_exact_counts_are_scikit_learns(pairs: list[tuple[int, int]]) -> None:
    said, true = np.array(pairs, dtype=float).T
    assert counting.near(said, true).mean() == pytest.approx(sklearn.accuracy_score(true, said))


def test_an_unreadable_count_is_never_within_the_tolerance() -> None:
    said, true = np.array([math.nan, 9, 11]), np.array([5.0, 10, 10])
    assert counting.near(said, true, 0.1).tolist() == [False, True, True]


@pytest.mark.parametrize(
    ("said", "true", "same", "near"),
    [
        ("Yes.", "yes", True, False), ("yes, there is one", "Yes", True, False), ("no", "yes", False, False),
        ("yes and no", "yes", False, False), ("yes or no", "yes", False, False), ("maybe", "yes", False, False),
        ("There are no ships", "no", True, False), ("", "no", False, False),
        ("two", "2", True, False), ("2.0", "2", True, False), ("2 or 3", "2", False, False), ("3", "2", False, False),
        ("0.5", "0.5", True, False), ("nan", "2", False, False),
        ("The planes", "plane", True, False), ("aircraft", "airplane", True, False), ("gray", "Grey", True, False),
        ("upper left", "top-left", True, False), ("Top-left.", "upper left", True, False),
        ("car", "vehicle", False, True), ("vehicle", "car", False, True), ("cargo ship", "ship", False, False),
        ("tanker truck", "truck", False, True),
        ("top left", "top right", False, True), ("left", "top left", False, True),
        ("left right", "left", False, False), ("urban or rural", "urban", False, False),
        ("urban rural", "rural", False, False), ("airplane car ship", "ship", False, False),
        ("car and ship and airplane", "vehicle", False, False), ("red, blue, green", "red", False, False),
        ("between 0 and 10", "between 10 and 100", False, False), ("between 0 and 10", "between 0 and 10", True, False),
        ("harbour", "airport", False, False), ("", "airport", False, False),
    ],
)  # fmt: skip
def test_answers_are_right_nearly_right_or_wrong(said: str, true: str, same: bool, near: bool) -> None:
    assert text.same_answer(said, true) is same
    assert (text.nearly_same(said, true) and not same) is near


@given(st.text(max_size=80), st.sampled_from(["yes", "no", "7", "storage tank", "top left corner"]))
def test_comparing_never_fails_and_stays_in_range(said: str, true: str) -> None:
    text.same_answer(said, true)
    text.nearly_same(said, true)
    for measure in (text.token_f1, text.jaccard, text.levenshtein_ratio):
        assert 0 <= measure(said, true) <= 1
        assert measure(true, true) == 1


def test_likeness_by_hand() -> None:
    assert text.levenshtein_ratio("kitten", "sitting") == pytest.approx(4 / 7)
    assert text.levenshtein_ratio("A  Ship", "a ship") == 1
    assert text.token_f1("two large ships", "a ship") == pytest.approx(2 * 1 / (3 + 1))
    assert text.jaccard("red roof", "red car roof") == pytest.approx(2 / 3)
    assert text.token_f1("", "") == text.jaccard("", "") == text.levenshtein_ratio("", "") == 1
    assert text.token_f1("", "ship") == text.jaccard("ship", "") == 0


@pytest.mark.parametrize(
    ("said", "choices", "named"),
    [
        ("StorageTanks", (), Named(("storage tank",))),
        ("airport, beach and bridge", (), Named(("airport", "beach", "bridge"))),
        ("The scene is a dense residential area.", ("residential", "dense residential"),
         Named(("dense residential",))),
        ("The image shows an airport.", ("airport", "airplane"), Named(("airport",))),
        ("plane", ("airport", "airplane"), Named(("airplane",))),
        ("Land principally occupied by agriculture, with significant areas of natural vegetation; Pastures",
         ("Pastures", "Land principally occupied by agriculture, with significant areas of natural vegetation"),
         Named((key_of("Land principally occupied by agriculture with significant areas of natural vegetation"),
                "pasture"))),
        ("", ("airport",), Named(())),
    ],
)  # fmt: skip
def test_classes_are_read_from_an_answer(said: str, choices: tuple[str, ...], named: Named) -> None:
    assert read_classes(said, choices) == named


def test_classes_that_differ_by_a_word_are_not_the_same() -> None:
    assert key_of("dense residential") != key_of("residential")
    assert same_classes(read_classes("storage_tanks"), [key_of("StorageTanks")])
    assert same_group(key_of("medium residential"), key_of("dense residential"), GROUPS)
    assert not same_group("airport", "forest", GROUPS)
    assert not same_group("never heard of", "never heard of", GROUPS)


def test_no_class_belongs_to_two_groups() -> None:
    keys = [key for members in GROUPS.values() for key in {key_of(member) for member in members}]
    assert len(keys) == len(set(keys))


@given(st.sets(st.sampled_from("abcdef"), min_size=1), st.sets(st.sampled_from("abcdef"), min_size=1))
def test_class_sets_are_compared_as_scikit_learn_does(said: set[str], true: set[str]) -> None:
    rows = MultiLabelBinarizer(classes=list("abcdef")).fit_transform([true, said])
    y, p = rows[:1], rows[1:]
    assert classes.jaccard(said, true) == pytest.approx(sklearn.jaccard_score(y, p, average="samples"))
    for ours, theirs in (
        (classes.f1, sklearn.f1_score),
        (classes.recall, sklearn.recall_score),
        (classes.precision, sklearn.precision_score),
    ):
        assert ours(said, true) == pytest.approx(theirs(y, p, average="samples", zero_division=0))


def test_empty_class_sets() -> None:
    for measure in (classes.jaccard, classes.f1, classes.recall, classes.precision):
        assert measure([], []) == 1
        assert measure(["a"], []) == measure([], ["a"]) == 0

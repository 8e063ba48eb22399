"""Labels: one spelling per thing, kinds, plurals; and numbers in words."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundproof.labels import (
    KINDS,
    KNOWN,
    SYNONYMS,
    cut_phrase,
    is_kind_of,
    normalise,
    plural,
    singular,
    with_article,
)
from groundproof.number_words import numbers_in, read_count


@pytest.mark.parametrize(
    ("raw", "label"),
    [
        ("airplane", "airplane"),
        ("Planes", "airplane"),
        ("the two white aircraft", "airplane"),
        ("an aeroplane", "airplane"),
        ("jets", "airplane"),
        ("boats", "ship"),
        ("vessel", "ship"),
        ("automobiles", "car"),
        ("car", "car"),
        ("truck", "truck"),
        ("oil tanks", "storage tank"),
        ("a white tank beside the pier", "storage tank"),
        ("storage_tank", "storage tank"),
        ("Storage-Tanks", "storage tank"),
        ("tree crowns", "tree"),
        ("small-vehicle", "vehicle"),
        ("cargo ships", "cargo ship"),
        ("battle tanks", "battle tank"),
        ("swimming pools", "swimming pool"),
        ("harbor", "harbour"),
        ("buses", "bus"),
        ("bus", "bus"),
        ("glass", "glass"),
        ("houses", "house"),
        ("factories", "factory"),
        ("benches", "bench"),
        ("people", "person"),
        ("sheep", "sheep"),
        ("wharves", "wharf"),
        ("E1 airplane", "airplane"),
        ("airplane 3", "airplane"),
        ("12 ships", "ship"),
        ("zorbs", "zorb"),
        ("", ""),
        ("the", ""),
        ("!!!", ""),
    ],
)
def test_names_of_one_thing_become_one_label(raw: str, label: str) -> None:
    assert normalise(raw) == label


def test_every_synonym_normalises_to_its_label_and_no_label_is_a_synonym() -> None:
    for name, label in SYNONYMS.items():
        assert normalise(name) == label
        assert label not in SYNONYMS


@pytest.mark.parametrize("label", sorted(KNOWN - set(SYNONYMS)))
def test_a_known_label_survives_its_own_plural_and_article(label: str) -> None:
    assert normalise(label) == label
    assert normalise(plural(label)) == label
    assert normalise(with_article(label)) == label


_words = st.lists(
    st.sampled_from(
        [*SYNONYMS, *KINDS, "the", "two", "white", "of", "near", "tanks", "Planes", "'s", "-", "12"]
    ),
    max_size=8,
).map(" ".join)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200) | _words)
def test_normalising_twice_changes_nothing_and_never_raises(raw: str) -> None:
    once = normalise(raw)
    assert normalise(once) == once
    assert len(once) <= 80


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60) | _words, st.text(max_size=60) | _words)
def test_kinds_never_raise_and_everything_named_is_its_own_kind(one: str, other: str) -> None:
    is_kind_of(one, other)
    assert is_kind_of(one, one) == (normalise(one) != "")


@pytest.mark.parametrize(
    ("label", "asked", "answer"),
    [
        ("car", "vehicle", True),
        ("trucks", "vehicles", True),
        ("van", "vehicle", True),
        ("blue pickup", "vehicle", True),
        ("tanker truck", "vehicle", True),
        ("vehicle", "car", False),
        ("car", "truck", False),
        ("cargo ship", "ship", True),
        ("yacht", "boat", True),
        ("oil tank", "storage tank", True),
        ("battle tank", "storage tank", False),
        ("aircraft carrier", "airplane", False),
        ("airplane hangar", "airplane", False),
        ("airplane", "vehicle", False),
        ("airplane", "plane", True),
        ("", "ship", False),
        ("ship", "", False),
    ],
)
def test_a_kind_answers_for_what_it_is_a_kind_of_and_not_the_other_way(
    label: str, asked: str, answer: bool
) -> None:
    assert is_kind_of(label, asked) is answer


def test_kinds_have_no_circle() -> None:
    for start in KINDS:
        seen, label = set(), start
        while label in KINDS:
            assert label not in seen
            seen.add(label)
            label = KINDS[label]


def test_a_phrase_ends_at_a_preposition_a_verb_or_punctuation() -> None:
    assert cut_phrase("A white tank beside the pier, partly hidden") == "A white tank"
    assert cut_phrase("two ships are moored") == "two ships"
    assert cut_phrase("in the harbour") == ""


def test_words_that_end_in_s_and_are_one_stay() -> None:
    for word in ("bus", "gas", "glass", "tennis", "canvas", "campus", "crossroads"):
        assert singular(word) == word


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("six airplanes and two ships", [6, 2]),
        ("twenty-one", [21]),
        ("one hundred and five trees", [105]),
        ("two thousand three hundred", [2300]),
        ("a dozen boats", [12]),
        ("two dozen boats", [24]),
        ("no ships", [0]),
        ("one or two", [1, 2]),
        ("1,204 cars", [1204]),
        ("3, 4 and 5", [3, 4, 5]),
        ("E1 to E12", []),
        ("P0003_0002", []),
        ("2.5 m", []),
        ("6.0", [6]),
        ("50%", []),
        ("123456789012345678901234567890", []),
        ("六架飞机", [6]),
        ("二十三艘", [23]),
        ("十辆", [10]),
        ("a ship", []),
        ("", []),
    ],
)
def test_numbers_are_read_in_digits_and_words(text: str, values: list[int]) -> None:
    assert [n.value for n in numbers_in(text)] == values


@settings(max_examples=150, deadline=None)
@given(
    st.text(max_size=200)
    | st.lists(
        st.sampled_from(
            ["one", "two", "twenty", "hundred", "and", "dozen", "a", "no", "3", "1,000", "-", "十", "架"]
        )
    ).map(" ".join)
)
def test_numbers_never_raise_and_lie_in_the_text_in_order(text: str) -> None:
    numbers = numbers_in(text)
    assert all(0 <= n.start < n.end <= len(text) and n.value >= 0 for n in numbers)
    assert numbers == sorted(numbers, key=lambda n: n.start)
    read_count(text)

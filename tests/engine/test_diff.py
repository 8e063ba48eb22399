"""What changed between two results."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from groundproof.diff import diff, format_diff
from tests.engine.audit_cases import answer_row, cover_of, result, row, table, tiles_table

if TYPE_CHECKING:
    from groundproof.tables import Result


def one(*rows: dict[str, Any], **answer: Any) -> Result:
    return result(table(*rows), [answer_row(**answer)], tiles_table("ok"))


def test_a_result_does_not_differ_from_itself() -> None:
    a = one(row("E1"), row("E2", (20, 20, 30, 30)), answer="2 airplanes", value=2)
    found = diff(a, a)
    assert found.is_empty
    assert found.answers[0].kept == (("E1", "E1"), ("E2", "E2"))
    assert "no difference" in format_diff(found)


def test_other_numbers_of_the_same_boxes_are_no_difference() -> None:
    a = one(row("E1"), row("E2", (20, 20, 30, 30)))
    b = one(row("E1", (20, 20, 30, 30)), row("E2"))
    found = diff(a, b)
    assert found.is_empty
    assert set(found.answers[0].kept) == {("E1", "E2"), ("E2", "E1")}


def test_boxes_that_came_went_and_changed_are_told_apart() -> None:
    a = one(
        row("E1"), row("E2", (20, 20, 30, 30)), row("E3", (40, 40, 50, 50)), answer="3 airplanes", value=3
    )
    b = one(
        row("E1"),
        row("E2", (22, 20, 32, 30), verdict="contradicted"),
        row("E3", (70, 70, 80, 80)),
        answer="2 airplanes",
        value=2,
    )
    (found,) = diff(a, b).answers
    assert [i.evidence_id for i in found.removed] == ["E3"]
    assert [i.box_px for i in found.added] == [(70, 70, 80, 80)]
    assert found.kept == (("E1", "E1"),)
    assert set(found.changed[0].what) == {"box_px", "verdict"}
    assert found.answer == ("3 airplanes", "2 airplanes")
    text = format_diff(diff(a, b))
    for words in (
        "3 airplanes -> 2 airplanes",
        "1 added, 1 removed, 1 changed",
        "2.0 px",
        "unchecked -> contradicted",
    ):
        assert words in text


def test_the_same_place_with_another_label_or_in_another_image_is_another_object() -> None:
    a = one(row("E1"), row("E2", (20, 20, 30, 30)))
    b = one(row("E1", label="ship"), row("E2", (20, 20, 30, 30), image=1))
    (found,) = diff(a, b).answers
    assert (len(found.added), len(found.removed), len(found.kept)) == (2, 2, 0)


def test_a_review_is_a_change() -> None:
    (found,) = diff(one(row("E1")), one(row("E1", review="rejected"))).answers
    assert found.changed[0].what == {"review": (None, "rejected")}


def test_what_only_a_review_made_neither_came_nor_went() -> None:
    a = one(
        row("E1"),
        row("E2", (20, 20, 30, 30), review="added"),
        row("E3", (40, 40, 50, 50), review="rejected"),
        row("E4", (60, 60, 70, 70)),
        value=3,
    )
    b = one(row("E1"), row("E2", (80, 80, 90, 90), review="added"), value=27)
    (found,) = diff(a, b).answers
    assert [i.evidence_id for i in found.removed] == ["E4"]
    assert found.added == ()
    assert [i.evidence_id for i in found.by_review.before] == ["E2", "E3"]
    assert [i.evidence_id for i in found.by_review.after] == ["E2"]
    assert found.sentence == "3 -> 27 airplanes"
    text = format_diff(diff(a, b))
    assert "3 -> 27 airplanes" in text
    assert "drawn in review of the first only: E2" in text
    assert "rejected in review of the first only: E3" in text
    only_drawn = diff(one(row("E1")), one(row("E1"), row("E2", (80, 80, 90, 90), review="added")))
    assert not only_drawn.is_empty


def test_what_became_of_an_answer_is_one_short_sentence() -> None:
    def sentence(first: dict[str, Any], second: dict[str, Any]) -> str:
        return diff(one(row("E1"), **first), one(row("E1"), **second)).answers[0].sentence

    assert sentence({"value": 2}, {"value": 2}) == "2 airplanes in both"
    listed = {"task": "detect", "question": "Where are the ships?"}
    assert sentence({**listed, "value": ["E1", "E2"]}, {**listed, "value": []}) == "2 -> 0 ships"
    asked = {"task": "vqa", "question": "Is it a harbour?"}
    assert sentence({**asked, "answer": "yes"}, {**asked, "answer": "no"}) == "yes -> no"
    assert sentence({**asked, "answer": "word " * 30}, {**asked, "answer": "no"}) == ""


def test_coverage_that_grew_is_told() -> None:
    a, b = one(coverage=cover_of("ok", "read_error")), one(coverage=cover_of("ok", "ok"))
    assert "looked at 1 of 2 tiles" in format_diff(diff(a, b))
    assert "looked at 2 of 2 tiles" in format_diff(diff(a, b))


def test_questions_that_only_one_result_has_are_told() -> None:
    a, b = one(question="How many ships?"), one(question="How many cars?")
    found = diff(a, b)
    assert found.removed == (("scene", "How many ships?"),)
    assert found.added == (("scene", "How many cars?"),)
    assert "only in the first" in format_diff(found)


def test_parcels_with_one_question_belong_together_in_order() -> None:
    answers = [answer_row(), answer_row(answer_id="A2")]
    a = result(table(row("E1"), row("E1", (20, 20, 30, 30), answer_id="A2")), answers, tiles_table("ok"))
    b = result(table(row("E1"), row("E1", (21, 20, 31, 30), answer_id="A2")), answers, tiles_table("ok"))
    first, second = diff(a, b).answers
    assert first.is_empty
    assert second.changed[0].what["box_px"] == ((20, 20, 30, 30), (21, 20, 31, 30))


def test_a_diff_is_json() -> None:
    a, b = (
        one(row("E1"), value=[1, {"x": 2}]),
        one(row("E1", verdict="supported"), row("E2", (20, 20, 30, 30))),
    )
    assert json.loads(json.dumps(diff(a, b).as_dict()))["is_empty"] is False


places = st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(1, 4), st.integers(1, 4))
rows = st.lists(
    st.tuples(places, st.sampled_from(["airplane", "ship"]), st.sampled_from(["unchecked", "contradicted"])),
    max_size=7,
)


def drawn(items: list[Any]) -> Result:
    return one(
        *(
            row(f"E{i}", (x, y, x + w, y + h), label, verdict=v)
            for i, ((x, y, w, h), label, v) in enumerate(items, 1)
        )
    )


@settings(max_examples=40, deadline=None)
@given(rows, rows)
def test_the_way_back_is_the_mirror_of_the_way_there(first: list[Any], second: list[Any]) -> None:
    a, b = drawn(first), drawn(second)
    (there,), (back,) = diff(a, b).answers, diff(b, a).answers
    assert there.added == back.removed
    assert there.removed == back.added
    assert sorted(there.kept) == sorted((j, i) for i, j in back.kept)
    assert {(c.before, c.after) for c in there.changed} == {(c.after, c.before) for c in back.changed}
    assert len(there.kept) + len(there.changed) + len(there.removed) == len(first)
    assert len(there.kept) + len(there.changed) + len(there.added) == len(second)


@settings(max_examples=25, deadline=None)
@given(rows)
def test_any_result_is_the_same_as_itself(items: list[Any]) -> None:
    assert diff(drawn(items), drawn(items)).is_empty

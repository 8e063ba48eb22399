"""The audit of one tile: which boxes become rows, and with which verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundproof.audit import audit_tile
from groundproof.boxes import PixelBox
from groundproof.georeference import Placed
from groundproof.tables import Verdict
from tests.engine.audit_cases import placed_as_written, said, trace

if TYPE_CHECKING:
    from groundproof.trace import Trace, TraceEvidence

TAIL = (0, 0, 10, 10)
HALF = (0, 5, 10, 15)  # IoU with TAIL: 50 / 150
CLOSE = (0, 2, 10, 12)  # 80 / 120: 0.67
SAME = (0, 1, 10, 11)  # 90 / 110: 0.82


def rows(one: Trace) -> list[tuple[str, int, str]]:
    found = audit_tile(one, placed_as_written(one))
    return [(r.source.role, r.source.number, str(r.verdict)) for r in found.boxes]


def answer(
    numbers: tuple[float, float, float, float], label: str = "airplane", number: int = 1, **more: object
) -> TraceEvidence:
    return said(numbers, label, "answer", number, **more)


def test_every_evidence_box_starts_unchecked() -> None:
    assert rows(trace([said(TAIL), said((50, 50, 60, 60), number=2)])) == [
        ("evidence", 1, "unchecked"),
        ("evidence", 2, "unchecked"),
    ]


def test_an_answer_box_that_matches_an_evidence_box_is_that_evidence() -> None:
    one = trace([said(TAIL)], [answer(CLOSE)])
    found = audit_tile(one, placed_as_written(one))
    assert rows(one) == [("evidence", 1, "unchecked")]
    assert found.matched == 1
    assert not found.answers_only


def test_an_answer_box_that_no_sentence_points_at_is_an_unsupported_row() -> None:
    assert rows(trace([said(TAIL)], [answer(HALF)])) == [
        ("evidence", 1, "unchecked"),
        ("answer", 1, "unsupported"),
    ]


def test_an_answer_box_with_another_label_does_not_match() -> None:
    assert rows(trace([said(TAIL, "ship")], [answer(TAIL, "airplane")]))[1] == ("answer", 1, "unsupported")


def test_an_unnamed_answer_box_matches_evidence_of_any_name() -> None:
    one = trace([said(TAIL, "car")], [answer(TAIL, "vehicle", raw="")])
    assert rows(one) == [("evidence", 1, "unchecked")]


def test_an_answer_box_named_by_kind_matches_the_more_exact_evidence() -> None:
    assert rows(trace([said(TAIL, "car")], [answer(TAIL, "vehicle")])) == [("evidence", 1, "unchecked")]


def test_boxes_in_different_images_never_match() -> None:
    one = trace([said(TAIL, image=0)], [answer(TAIL, image=1)])
    assert rows(one) == [("evidence", 1, "unchecked"), ("answer", 1, "unsupported")]


def test_matching_is_one_to_one_and_the_best_pair_wins() -> None:
    # The second answer box lies better on the evidence than the first one.
    one = trace([said(TAIL)], [answer(CLOSE), answer(TAIL, number=2)])
    assert rows(one) == [("evidence", 1, "unchecked"), ("answer", 1, "unsupported")]


def test_boxes_of_an_answer_without_rationale_are_unchecked_rows_and_it_is_said() -> None:
    one = trace([], [answer(TAIL), answer((50, 50, 60, 60), number=2)], has_rationale=False)
    found = audit_tile(one, placed_as_written(one))
    assert [r.verdict for r in found.boxes] == [Verdict.UNCHECKED, Verdict.UNCHECKED]
    assert found.answers_only


def test_the_same_object_listed_twice_is_a_duplicate_the_second_time() -> None:
    assert rows(trace([said(TAIL), said(SAME, number=2)])) == [
        ("evidence", 1, "unchecked"),
        ("evidence", 2, "duplicate"),
    ]


def test_neighbours_that_overlap_are_not_duplicates() -> None:
    assert rows(trace([said(TAIL), said(CLOSE, number=2)]))[1] == ("evidence", 2, "unchecked")


def test_two_labels_on_one_place_are_not_duplicates() -> None:
    assert rows(trace([said(TAIL), said(TAIL, "ship", number=2)]))[1] == ("evidence", 2, "unchecked")


def test_a_slowly_drifting_list_is_not_one_object() -> None:
    steps = [said((0, i, 10, i + 10), number=i + 1) for i in range(4)]
    # Each box is a duplicate of the one before, but only boxes that stand can make another a duplicate.
    assert [v for _, _, v in rows(trace(steps))] == ["unchecked", "duplicate", "unchecked", "duplicate"]


def test_an_object_listed_twice_in_thinking_and_answer_is_counted_once() -> None:
    one = trace([said(TAIL), said(TAIL, number=2)], [answer(TAIL), answer(TAIL, number=2)])
    assert rows(one) == [("evidence", 1, "unchecked"), ("evidence", 2, "duplicate")]


def test_an_answer_that_repeats_a_matched_box_gives_a_duplicate_not_another_object() -> None:
    one = trace([said(TAIL)], [answer(TAIL), answer(TAIL, number=2)])
    assert rows(one) == [("evidence", 1, "unchecked"), ("answer", 2, "duplicate")]


def test_a_box_out_of_its_tile_is_out_of_frame_and_one_without_a_place_is_dropped_and_listed() -> None:
    one = trace([said(TAIL), said((200, 0, 210, 10), number=2), said((5, 5, 5, 9), number=3)])
    places = [
        Placed(PixelBox(*TAIL)),
        Placed(PixelBox(200, 0, 210, 10), "out-of-frame"),
        Placed(None, "degenerate"),
    ]
    found = audit_tile(one, places)
    assert [r.verdict for r in found.boxes] == [Verdict.UNCHECKED, Verdict.OUT_OF_FRAME]
    assert [(u.source.number, "area" in u.problem) for u in found.unplaced] == [(3, True)]


def test_as_many_placements_as_boxes_are_needed() -> None:
    with pytest.raises(ValueError, match="2 boxes"):
        audit_tile(trace([said(TAIL), said(TAIL, number=2)]), [Placed(PixelBox(*TAIL))])


def test_rotated_boxes_are_compared_as_they_lie() -> None:
    # A long box and itself turned by 90 degrees share a square only: 4 of 36 parts.
    one = trace([said((0, 0, 20, 2)), said((0, 0, 20, 2), number=2)])
    flat = [Placed(PixelBox(0, 0, 20, 2, 0.0)), Placed(PixelBox(0, 0, 20, 2, 90.0))]
    same = [Placed(PixelBox(0, 0, 20, 2, 30.0)), Placed(PixelBox(0, 0, 20, 2, 210.0))]
    assert [r.verdict for r in audit_tile(one, flat).boxes] == [Verdict.UNCHECKED, Verdict.UNCHECKED]
    assert [r.verdict for r in audit_tile(one, same).boxes] == [Verdict.UNCHECKED, Verdict.DUPLICATE]


corner = st.integers(0, 12)
side = st.integers(1, 8)


@st.composite
def traces(draw: st.DrawFn) -> Trace:
    def boxes(role: str) -> list[TraceEvidence]:
        n = draw(st.integers(0, 6))
        found = []
        for number in range(1, n + 1):
            x, y, w, h = draw(corner), draw(corner), draw(side), draw(side)
            label = draw(st.sampled_from(["airplane", "ship"]))
            found.append(said((x, y, x + w, y + h), label, role, number))
        return found

    return trace(boxes("evidence"), boxes("answer"), has_rationale=draw(st.booleans()))


def iou(p: PixelBox, q: PixelBox) -> float:
    w, h = min(p.x1, q.x1) - max(p.x0, q.x0), min(p.y1, q.y1) - max(p.y0, q.y0)
    common = max(w, 0) * max(h, 0)
    return common / ((p.x1 - p.x0) * (p.y1 - p.y0) + (q.x1 - q.x0) * (q.y1 - q.y0) - common)


@settings(max_examples=150, deadline=None)
@given(traces())
def test_whatever_is_listed_no_box_is_lost_invented_or_raised(one: Trace) -> None:
    found = audit_tile(one, placed_as_written(one))
    n_boxes = len(one.evidence) + len(one.answer_boxes)
    assert len(found.boxes) + found.matched + len(found.unplaced) == n_boxes
    assert {r.verdict for r in found.boxes} <= {Verdict.UNCHECKED, Verdict.UNSUPPORTED, Verdict.DUPLICATE}
    assert [r.source for r in found.boxes if r.source.role == "evidence"] == list(one.evidence)
    for r in found.boxes:
        if r.source.role == "evidence":
            assert r.verdict in (Verdict.UNCHECKED, Verdict.DUPLICATE)


@settings(max_examples=150, deadline=None)
@given(traces())
def test_boxes_that_count_are_never_one_object_twice(one: Trace) -> None:
    found = audit_tile(one, placed_as_written(one))
    for role in ("evidence", "answer"):
        standing = [r for r in found.boxes if r.source.role == role and r.verdict is not Verdict.DUPLICATE]
        for i, p in enumerate(standing):
            for q in standing[:i]:
                assert p.source.label != q.source.label or iou(p.box, q.box) < 0.8

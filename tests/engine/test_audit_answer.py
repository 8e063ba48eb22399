"""The audit of an answer: claims against the merged evidence, and what weakens the answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from groundproof.audit import AuditFinding, ClaimVerdict, Kind, audit_answer, audit_tile, count
from groundproof.boxes import BoxFrame
from groundproof.models.profiles import Profile
from groundproof.protocol import Task
from groundproof.tables import NOT_COUNTED, TileStatus, Verdict
from groundproof.trace import Repair
from tests.engine.audit_cases import cover_of, placed_as_written, reply, row, said, table, trace, unasked

if TYPE_CHECKING:
    from groundproof.findings import TileReply

HOW_MANY = "How many airplanes are there?"
ANY = "Are there any airplanes?"


def audited(
    replies: list[TileReply],
    evidence: object,
    question: str = HOW_MANY,
    task: Task = Task.COUNT,
    asked: tuple[str, ...] = ("airplane",),
    **more: object,
) -> list[AuditFinding]:
    cover = more.pop("cover", cover_of(*(str(r.status) for r in replies)))
    return list(audit_answer(question, task, asked, replies, evidence, cover, **more))  # type: ignore[arg-type]


def of_kind(findings: list[AuditFinding], kind: Kind) -> AuditFinding:
    (found,) = [f for f in findings if f.kind is kind]
    return found


def test_a_stated_count_that_the_map_shows_is_supported() -> None:
    one = reply(1, trace([said((0, 0, 9, 9))], value=2))
    found = of_kind(audited([one], table(row("E1"), row("E2"))), Kind.COUNT)
    assert found.verdict is ClaimVerdict.SUPPORTED
    assert found.severity == "info"
    assert found.evidence == ("E1", "E2")


def test_a_stated_count_that_differs_from_the_map_is_contradicted_in_words_with_both_numbers() -> None:
    one = reply(1, trace([said((0, 0, 9, 9))], value=16))
    found = of_kind(audited([one], table(*(row(f"E{i}") for i in range(1, 18)))), Kind.COUNT)
    assert found.verdict is ClaimVerdict.CONTRADICTED
    assert found.severity == "warning"
    assert "16" in found.claim
    assert "16" in found.sentence
    assert "17" in found.sentence


def test_rows_that_are_not_counted_do_not_support_a_count() -> None:
    evidence = table(
        row("E1"), row("E2", verdict="duplicate"), row("E3", review="rejected"), row("E4", label="ship")
    )
    one = reply(1, trace([said((0, 0, 9, 9))], value=4))
    found = of_kind(audited([one], evidence), Kind.COUNT)
    assert found.verdict is ClaimVerdict.CONTRADICTED
    assert found.evidence == ("E1",)


def test_a_count_of_a_model_that_shows_no_boxes_stays_unchecked() -> None:
    found = of_kind(audited([reply(1, trace(value=6))], table()), Kind.COUNT)
    assert found.verdict is ClaimVerdict.UNCHECKED
    assert found.severity == "warning"


def test_none_stated_and_none_shown_agree() -> None:
    assert of_kind(audited([reply(1, trace(value=0))], table()), Kind.COUNT).verdict is ClaimVerdict.SUPPORTED


def test_each_tile_is_held_against_what_the_map_shows_of_that_tile() -> None:
    replies = [
        reply(1, trace([said((0, 0, 9, 9))], value=2)),
        reply(2, trace([said((0, 0, 9, 9))], value=3)),
        reply(3, trace([said((0, 0, 9, 9))], value=1)),
    ]
    evidence = table(row("E1"), row("E2", tiles=(1, 2)), row("E3", tiles=(2,)), row("E4", tiles=(3,)))
    counts = [f for f in audited(replies, evidence) if f.kind is Kind.COUNT]
    against, agrees = counts
    assert against.verdict is ClaimVerdict.CONTRADICTED
    assert "tile 2" in against.sentence
    assert "3" in against.claim
    assert agrees.verdict is ClaimVerdict.SUPPORTED
    assert "tiles 1 and 3" in agrees.sentence


def test_a_tile_s_text_that_fits_in_one_number_and_not_in_another_is_not_said_to_fit() -> None:
    replies = [
        reply(1, trace([said((0, 0, 9, 9))], stated_counts=(("airplane", 1), ("building", 1)))),
        reply(2, trace([said((0, 0, 9, 9))], stated_counts=(("airplane", 1),))),
        reply(3, trace([said((0, 0, 9, 9))], stated_counts=(("airplane", 1),))),
    ]
    evidence = table(row("E1"), row("E2", tiles=(2,)), row("E3", tiles=(3,)))
    found = audited(replies, evidence, "Describe the scene.", Task.CAPTION, ())
    doubt, fits = (f for f in found if f.kind is Kind.COUNT)
    assert "tile 1 says 1 building" in doubt.sentence
    assert "tiles 2 and 3 say fits" in fits.sentence


def test_parts_of_a_whole_are_not_held_against_it() -> None:
    counts = (("airplane", 3), ("airplane", 2), ("airplane", 5))
    one = reply(1, trace([said((0, 0, 9, 9))], stated_counts=counts, value=5))
    found = of_kind(audited([one], table(*(row(f"E{i}") for i in range(1, 6)))), Kind.COUNT)
    assert found.verdict is ClaimVerdict.SUPPORTED


def test_a_text_that_says_two_numbers_is_caught_where_it_says_more_than_the_map_shows() -> None:
    one = reply(1, trace([said((0, 0, 9, 9))], stated_counts=(("airplane", 7),), value=5))
    counts = [f for f in audited([one], table(*(row(f"E{i}") for i in range(1, 6)))) if f.kind is Kind.COUNT]
    assert [f.verdict for f in counts] == [ClaimVerdict.CONTRADICTED, ClaimVerdict.SUPPORTED]
    assert "7" in counts[0].sentence


def test_a_text_that_says_several_numbers_and_none_of_the_map_is_quoted_with_all_of_them() -> None:
    one = reply(1, trace([said((0, 0, 9, 9))], stated_counts=(("airplane", 7), ("airplane", 2))))
    found = of_kind(audited([one], table(*(row(f"E{i}") for i in range(1, 26)))), Kind.COUNT)
    assert found.verdict is ClaimVerdict.CONTRADICTED
    assert found.claim == "7 airplanes and 2 airplanes"


def test_a_count_of_a_kind_counts_what_is_of_that_kind() -> None:
    one = reply(1, trace([said((0, 0, 9, 9))], value=2))
    evidence = table(row("E1", label="car"), row("E2", label="truck"))
    found = of_kind(audited([one], evidence, "How many vehicles are there?", asked=("vehicle",)), Kind.COUNT)
    assert found.verdict is ClaimVerdict.SUPPORTED


def test_boxes_left_out_because_they_lie_outside_the_area_do_not_make_a_text_wrong() -> None:
    said_three = trace([said((i * 20, 0, i * 20 + 9, 9), number=i + 1) for i in range(3)], value=3)
    one = reply(1, said_three, n_boxes=len(audit_tile(said_three, placed_as_written(said_three)).boxes))
    found = of_kind(audited([one], table(row("E1"), row("E2"))), Kind.COUNT)
    assert found.verdict is ClaimVerdict.SUPPORTED


def test_a_box_drawn_by_hand_counts_for_the_tiles_it_lies_in() -> None:
    replies = [reply(n, trace([said((0, 0, 9, 9))], value=n)) for n in (1, 2)]
    by_hand = row("E4", (110, 10, 120, 20), tiles=(), review="added", verdict="supported")
    evidence = table(row("E1"), row("E2", tiles=(2,)), by_hand)
    counts = [f for f in audited(replies, evidence) if f.kind is Kind.COUNT]
    assert [f.verdict for f in counts] == [ClaimVerdict.SUPPORTED]


def test_the_overview_is_held_against_the_whole_map() -> None:
    replies = [reply(n, trace([said((0, 0, 9, 9))])) for n in (1, 2)]
    evidence = table(row("E1"), row("E2", tiles=(2,)))
    overview = reply(3, trace(stated_counts=(("airplane", 2),)))
    found = of_kind(audited(replies, evidence, "Describe it", Task.CAPTION, overview=overview), Kind.COUNT)
    assert found.verdict is ClaimVerdict.SUPPORTED


def test_yes_with_evidence_is_supported_and_without_stays_unchecked() -> None:
    yes = [reply(1, trace([said((0, 0, 9, 9))], value=True))]
    with_box = of_kind(audited(yes, table(row("E1")), ANY, Task.VQA), Kind.PRESENCE)
    without = of_kind(audited(yes, table(row("E1", label="ship")), ANY, Task.VQA), Kind.PRESENCE)
    assert (with_box.verdict, with_box.evidence) == (ClaimVerdict.SUPPORTED, ("E1",))
    assert (without.verdict, without.severity) == (ClaimVerdict.UNCHECKED, "warning")


def test_no_against_evidence_is_contradicted() -> None:
    no = [reply(1, trace(value=False))]
    assert (
        of_kind(audited(no, table(row("E1")), ANY, Task.VQA), Kind.PRESENCE).verdict
        is ClaimVerdict.CONTRADICTED
    )
    assert of_kind(audited(no, table(), ANY, Task.VQA), Kind.PRESENCE).verdict is ClaimVerdict.SUPPORTED


def test_yes_to_a_question_about_no_object_is_no_presence_claim() -> None:
    findings = audited([reply(1, trace(value=True))], table(), "Is it a rural area?", Task.VQA, ())
    assert not [f for f in findings if f.kind is Kind.PRESENCE]


def test_a_number_in_a_caption_without_boxes_is_no_claim() -> None:
    one = reply(1, trace(stated_counts=(("ship", 2),)))
    assert audited([one], table(), "Describe it", Task.CAPTION, ()) == []


def test_rows_are_reported_by_what_is_wrong_with_them() -> None:
    evidence = table(
        row("E1"),
        row("E2", (20, 0, 30, 10), role="answer", verdict="unsupported"),
        row("E3", label="ship"),
        row("E4", verdict="duplicate"),
        row("E5", verdict="out-of-frame"),
        row("E6", verdict="contradicted"),
        row("E7", review="rejected"),
    )
    findings = audited([reply(1, trace([said((0, 0, 9, 9))]))], evidence)
    by_kind = {f.kind: f.evidence for f in findings}
    assert by_kind == {
        Kind.ANSWER_BOX: ("E2",),
        Kind.OTHER_LABEL: ("E3",),
        Kind.LISTED_TWICE: ("E4",),
        Kind.OUT_OF_FRAME: ("E5",),
        Kind.CONTRADICTED: ("E6",),
        Kind.REVIEW: ("E7",),
    }
    assert "1 ship" in of_kind(findings, Kind.OTHER_LABEL).sentence


def test_what_a_text_lacks_is_reported_with_its_tile() -> None:
    bare = trace([], [said((0, 0, 9, 9), role="answer")], has_rationale=False)
    cut = reply(2, trace([said((0, 0, 9, 9))]), finish="length")
    dropped = trace([said((5, 5, 5, 5))], repairs=(Repair("box-order", "corners swapped", 0, 4),))
    flat = reply(
        3, dropped, unplaced=tuple(box.problem for box in audit_tile(dropped, [_nowhere()]).unplaced)
    )
    findings = audited([reply(1, bare), cut, flat], table(row("E1")))
    assert "tile 1" in of_kind(findings, Kind.NO_RATIONALE).sentence
    assert "tile 2" in of_kind(findings, Kind.TRUNCATED).sentence
    assert "tile 3" in of_kind(findings, Kind.UNPLACED).sentence
    assert "corners swapped" in of_kind(findings, Kind.REPAIRED).sentence


def _nowhere() -> object:
    from groundproof.georeference import Placed

    return Placed(None, "degenerate")


def test_tiles_that_were_not_looked_at_weaken_the_answer() -> None:
    replies = [reply(1, trace(value=0)), unasked(2, TileStatus.READ_ERROR)]
    found = of_kind(audited(replies, table()), Kind.COVERAGE)
    assert found.severity == "warning"
    assert "1 of 2 tiles" in found.sentence
    none = of_kind(audited([unasked(1, TileStatus.ENGINE_ERROR)], table()), Kind.COVERAGE)
    assert none.severity == "error"


def test_asking_a_model_for_what_it_was_not_trained_for_is_said_aloud() -> None:
    profile = Profile(
        name="tiny", title="", licence="", source="", prompt_style="native", frame=BoxFrame.PER_MILLE,
        patch_merge_px=28, tile_px=224, overlap_px=56, labels=("airplane", "ship"), tasks=("count",),
    )  # fmt: skip
    one = [reply(1, trace(value=0))]
    assert not audited(one, table(), profile=profile)[1:]
    label = of_kind(audited(one, table(), asked=("windmill",), profile=profile), Kind.UNTRAINED)
    assert "windmills" in label.sentence
    assert "airplanes" in label.sentence
    task = of_kind(audited(one, table(), task=Task.DETECT, profile=profile), Kind.UNTRAINED)
    assert "detect" in task.sentence


def test_an_open_question_is_said_to_be_a_guess() -> None:
    profile = Profile(
        name="tiny", title="", licence="", source="", prompt_style="native", frame=BoxFrame.PER_MILLE,
        patch_merge_px=28, tile_px=224, overlap_px=56, labels=("airplane", "ship"), tasks=("vqa",),
    )  # fmt: skip
    question = "Which airplane is the largest?"
    found = audited([reply(1, trace())], table(), question, Task.VQA, (), profile=profile)
    assert "guess" in of_kind(found, Kind.UNTRAINED).sentence
    assert not [
        f
        for f in audited([reply(1, trace())], table(), ANY, Task.VQA, profile=profile)
        if f.kind is Kind.UNTRAINED
    ]


def test_the_most_severe_findings_come_first() -> None:
    replies = [reply(1, trace([said((0, 0, 9, 9))], value=9)), unasked(2, TileStatus.READ_ERROR)]
    severities = [f.severity for f in audited(replies, table(row("E1"), row("E2", verdict="duplicate")))]
    assert severities == sorted(severities, key=["error", "warning", "info"].index)


def test_findings_travel_through_json() -> None:
    findings = audited([reply(1, trace([said((0, 0, 9, 9))], value=9))], table(row("E1")))
    items = json.loads(json.dumps([f.as_dict() for f in findings]))
    assert [AuditFinding.from_dict(item) for item in items] == findings
    assert set(items[0]) == {"kind", "severity", "claim", "verdict", "sentence", "evidence"}


rows = st.lists(
    st.tuples(
        st.sampled_from([str(v) for v in Verdict]),
        st.sampled_from(["accepted", "rejected", "adjusted", "added", None]),
        st.sampled_from(["airplane", "ship", "cargo ship", "", None]),
    ),
    max_size=12,
)


@settings(max_examples=100, deadline=None)
@given(rows)
def test_the_count_is_the_rows_that_are_neither_lowered_nor_rejected(
    drawn: list[tuple[str, str | None, str | None]],
) -> None:
    evidence = table(
        *(row(f"E{i}", verdict=v, review=r, label=n) for i, (v, r, n) in enumerate(drawn, start=1))
    )
    expected = [n for v, r, n in drawn if v not in {str(x) for x in NOT_COUNTED} and r != "rejected"]
    assert count(evidence) == len(expected) <= len(evidence)
    assert count(evidence, "ship") == sum(n in ("ship", "cargo ship", "", None) for n in expected)
    assert count(evidence, "cargo ship") <= count(evidence, "ship") <= count(evidence)


@settings(max_examples=60, deadline=None)
@given(rows, st.integers(0, 5))
def test_an_answer_audit_changes_no_row_and_names_only_rows_that_exist(
    drawn: list[tuple[str, str | None, str | None]], stated: int
) -> None:
    evidence = table(
        *(row(f"E{i}", verdict=v, review=r, label=n) for i, (v, r, n) in enumerate(drawn, start=1))
    )
    before = evidence.copy(deep=True)
    findings = audited([reply(1, trace([said((0, 0, 9, 9))], value=stated))], evidence)
    assert evidence.equals(before)
    assert {one for f in findings for one in f.evidence} <= set(evidence["evidence_id"])
    claimed = [f for f in findings if f.kind is Kind.COUNT]
    assert (claimed[0].verdict is ClaimVerdict.SUPPORTED) == (stated == count(evidence, "airplane"))


def test_boxes_that_lie_on_each_other_are_named_as_perhaps_one_object() -> None:
    evidence = table(
        row("E1", (0, 0, 10, 10)),
        row("E2", (2, 0, 12, 10)),
        row("E3", (50, 50, 60, 60)),
        row("E4", (2, 0, 12, 10), label="ship"),
        row("E5", (1, 0, 11, 10), verdict="duplicate"),
    )
    found = audited([reply(1, trace())], evidence)
    overlap = [f for f in found if f.kind is Kind.OVERLAP]
    assert [(f.sentence, f.evidence, f.severity) for f in overlap] == [
        ("counted boxes overlap: E1 and E2 by 67 %; perhaps one object", ("E1", "E2"), "warning")
    ]
    evidence["review"] = "accepted"
    assert not [f for f in audited([reply(1, trace())], evidence.iloc[:2]) if f.kind is Kind.OVERLAP]


def test_many_overlapping_pairs_are_counted_rather_than_listed() -> None:
    evidence = table(
        *(
            row(f"E{i + 1}", (i * 20 // 2 * 2 + i % 2 * -18, 0, i * 20 // 2 * 2 + i % 2 * -18 + 10, 10))
            for i in range(16)
        )
    )
    [overlap] = [f for f in audited([reply(1, trace())], evidence) if f.kind is Kind.OVERLAP]
    assert "and 3 other pairs; each pair is perhaps one object" in overlap.sentence
    assert len(overlap.evidence) == 16

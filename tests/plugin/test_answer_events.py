"""An answer as it grows from events, and as a saved result holds it."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundproof_qgis.answer.answer import Answer
from groundproof_qgis.answer.counting import count, is_counted


def live(n, answer_id="A1", **more):
    return {
        "final": False,
        "key": f"tile:{answer_id}:{n}",
        "evidence_id": None,
        "answer_id": answer_id,
        "label": "ship",
        "quote": f"a ship, number {n}",
        "score": None,
        "verdict": "unchecked",
        "counted": True,
        "box_px": [0, 0, 10.0, 5.0],
        "width_m": 12.34,
        "height_m": 5.04,
        "crs": "EPSG:32631",
        "geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]},
        **more,
    }


def final(n, answer_id="A1", **more):
    return live(n, answer_id, key=f"{answer_id}:E{n}", evidence_id=f"E{n}", final=True, **more)


def whole(answer_id="A1", boxes=2, answer="2 ships"):
    return [
        *[("evidence", final(n, answer_id)) for n in range(1, boxes + 1)],
        ("synthesis", {"answer_id": answer_id, "text": "E1 and E2 are ships."}),
        (
            "answer",
            {
                "answer_id": answer_id,
                "scene": "s",
                "question": "How many ships?",
                "task": "count",
                "answer": answer,
                "value": 2,
                "plan": "Scan.",
            },
        ),
        (
            "coverage",
            {
                "answer_id": answer_id,
                "looked_at": 63,
                "tiles": 64,
                "skipped": 0,
                "failed": 1,
                "sentence": "looked at 63 of 64 tiles; 1 failed: read error (network drive)",
                "failures": [{"window_px": [0, 0, 8, 8], "status": "read_error", "reason": "network drive"}],
            },
        ),
        (
            "audit",
            {
                "answer_id": answer_id,
                "findings": [
                    {
                        "kind": "count",
                        "severity": "warning",
                        "sentence": "the text says 7; the map shows 2",
                        "evidence": ["E1", "E2"],
                    },
                    {
                        "kind": "coverage",
                        "severity": "warning",
                        "sentence": "the answer holds for a part",
                        "evidence": [],
                    },
                    {"kind": "review", "severity": "info", "sentence": "fine", "evidence": []},
                ],
            },
        ),
    ]


def grown(*events):
    answer = Answer("How many ships?")
    for name, data in events:
        answer.add(name, data)
    return answer


def test_while_the_model_writes_the_line_says_how_far_it_is():
    answer = grown(
        ("progress", {"answered": 20, "tiles": 64, "failed": 0, "stage": "asking the model"}),
        *[("evidence", live(n)) for n in range(12)],
    )
    assert answer.line == "12 boxes so far, 20 of 64 tiles"
    assert answer.is_running


def test_one_box_is_not_called_boxes():
    answer = grown(("progress", {"answered": 1, "tiles": 2, "failed": 1, "stage": ""}), ("evidence", live(1)))
    assert answer.line == "1 box so far, 1 of 2 tiles, 1 failed"


def test_final_evidence_replaces_the_tiles_own_boxes():
    answer = grown(*[("evidence", live(n)) for n in range(5)], *whole())
    assert [one.evidence_id for one in answer.evidence] == ["E1", "E2"]
    assert answer.line == "2 ships"
    assert answer.find("E2").size == "12 x 5.0 m"


def test_an_answer_without_boxes_forgets_the_live_ones():
    answer = grown(("evidence", live(1)), *whole(boxes=0, answer="no ships found"))
    assert answer.evidence == ()
    assert answer.line == "no ships found"


def test_live_boxes_that_come_late_change_nothing():
    answer = grown(*whole())
    assert answer.box("tile:A1:1") is None
    assert answer.box("A1:E2") is answer.find("E2")
    assert not answer.add("evidence", live(9))
    assert len(answer.evidence) == 2


def test_what_weakens_the_answer_comes_with_coverage_first_and_once():
    answer = grown(*whole())
    assert answer.weaknesses == (
        "looked at 63 of 64 tiles; 1 failed: read error (network drive)",
        "the text says 7; the map shows 2",
    )
    assert answer.parts["A1"].coverage.failures[0].reason == "network drive"


def test_several_answers_are_told_apart():
    answer = grown(*whole("A1"), *whole("A2", answer="no ships"), *whole("A3"), *whole("A4", answer="1 ship"))
    assert answer.line == "A1 2 ships; A2 no ships; A3 2 ships; and 1 more answers"
    assert answer.find("E1", "A2").answer_id == "A2"
    assert answer.find("E1", "A9") is None


@pytest.mark.parametrize(
    ("told", "status"), [("successful", "done"), ("dismissed", "cancelled"), ("failed", "failed")]
)
def test_done_says_how_it_ended(told, status):
    answer = grown(("evidence", live(1)), ("done", {"status": told, "message": "It ended."}))
    assert (answer.status, answer.sentence, answer.is_running) == (status, "It ended.", False)


def test_a_failed_job_keeps_what_came_and_says_why():
    answer = grown(
        ("evidence", live(1)),
        ("error", {"title": "Model", "detail": "The model is out of memory."}),
        ("done", {"status": "failed", "message": "x"}),
    )
    assert answer.weaknesses == ("The model is out of memory.",)
    assert answer.line == "1 box, no answer"
    assert len(answer.evidence) == 1


@given(st.data())
def test_events_told_again_after_a_reconnect_change_nothing(data):
    events = [
        *[("evidence", live(n)) for n in range(4)],
        ("plan", {"text": "Scan the quay."}),
        ("note", {"text": "small"}),
        *whole("A1"),
        *whole("A2"),
        ("done", {"status": "successful", "message": "ok"}),
    ]
    told = []
    for i, event in enumerate(events):
        again = data.draw(st.lists(st.integers(0, i), max_size=2))
        told += [event, *[events[j] for j in again if events[j][0] != "done"]]
    plainly, repeated = grown(*events), grown(*told)
    assert repeated.evidence == plainly.evidence
    assert (repeated.line, repeated.plans, repeated.notes) == (plainly.line, plainly.plans, plainly.notes)
    assert repeated.weaknesses == plainly.weaknesses


def test_the_order_of_an_answers_own_events_does_not_matter():
    events = whole()[2:]
    made = {
        (answer.line, answer.weaknesses, answer.parts["A1"].synthesis, len(answer.evidence))
        for answer in (
            grown(("evidence", live(1)), *order, *whole()[:2]) for order in itertools.permutations(events)
        )
    }
    assert len(made) == 1


def test_unknown_events_are_left_alone():
    assert not Answer().add("__init__", {})
    assert not Answer().add("weather", {})


def test_a_saved_result_reads_like_the_events_did():
    row = {
        "evidence_id": "E1",
        "answer_id": "A1",
        "label": "ship",
        "quote": "q",
        "verdict": "duplicate",
        "review": None,
        "box_px": "[0,0,10,5]",
        "width_m": float("nan"),
        "score": None,
        "image": 0,
        "tile_ids": '["t"]',
        "geometry": None,
    }
    answers = [
        {
            "answer_id": "A1",
            "question": "How many ships?",
            "task": "count",
            "answer": "no ships",
            "value": "0",
            "plan": "Scan.",
            "synthesis": "None.",
            "scene": "s",
            "coverage": '{"looked_at":1,"tiles":1,"skipped":0,"failed":0,"sentence":"looked at 1 of 1"}',
            "audit": "[]",
            "context": None,
        }
    ]
    tiles = [{"answer_id": "A1", "tile_id": "t", "window_px": "[0,0,8,8]"}]
    answer = Answer.from_tables([row], answers, tiles, crs="EPSG:4326", metadata={"model": "tiny"})
    assert answer.line == "no ships"
    assert answer.parts["A1"].value == 0
    one = answer.find("E1")
    assert (one.counted, one.size, one.crs, one.tile_ids) == (False, "10 x 5 px", "EPSG:4326", ("t",))
    assert answer.parts["A1"].tile_at((0.0, 0.0, 8.0, 8.0)) == "t"
    assert answer.question == "How many ships?"


def test_the_count_follows_the_engines_rule():
    rows = [
        ("unchecked", None, "ship"),
        ("unchecked", "rejected", "ship"),
        ("duplicate", None, "ship"),
        ("duplicate", "accepted", "ship"),
        (None, "added", ""),
        ("unchecked", None, "crane"),
    ]
    assert count(rows, not_asked={"crane"}).counted == 3
    assert count(rows, {"crane"}).sentence == "3 counted after your review (1 accepted, 1 rejected, 1 added)"
    assert count(rows[:1]).sentence == "1 counted"
    assert count(rows, {"crane"}, task="ground").counted == 4
    assert not is_counted("contradicted", None)


def test_labels_that_were_not_asked_for_come_from_the_audit():
    answer = grown(("evidence", final(1)), ("evidence", final(2, label="crane")))
    answer.add(
        "audit",
        {
            "answer_id": "A1",
            "findings": [{"kind": "other-label", "severity": "info", "sentence": "", "evidence": ["E2"]}],
        },
    )
    assert answer.parts["A1"].asked_labels_missed == {"crane"}


def test_an_area_with_margins_says_how_much_of_it_has_no_imagery():
    for share, words in (
        (0.772, "looked at 3 of 3 tiles; 23 % of the area has no imagery"),
        (0.99, "looked at 3 of 3 tiles"),
    ):
        answer = Answer("?")
        cover = {"looked_at": 3, "tiles": 3, "sentence": "looked at 3 of 3 tiles", "valid_share": share}
        answer.add("coverage", {"answer_id": "A1", **cover})
        assert answer.coverage_sentence == words

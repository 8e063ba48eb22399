"""Coverage: numbers that add up, and a sentence that never hides what was not looked at."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundproof.coverage import NOT_ASKED, coverage, is_complete, where_looked
from groundproof.tables import TileStatus
from tests.engine.audit_cases import cover_of, tiles_table


def test_failures_are_said_with_their_reason() -> None:
    texts = {3: "network drive", 4: "network drive"}
    cover = coverage(tiles_table("ok", "empty", "read_error", "read_error", texts=texts), 0.9)
    assert (cover["looked_at"], cover["tiles"], cover["failed"], cover["skipped"]) == (2, 4, 2, 0)
    assert cover["sentence"] == "looked at 2 of 4 tiles; 2 failed: read error (network drive)"
    assert cover["valid_share"] == 0.9
    assert cover["failures"][0] == {
        "window_px": [200, 0, 300, 100],
        "status": "read_error",
        "reason": "network drive",
    }


def test_failures_of_several_kinds_are_told_apart() -> None:
    texts = {2: "network drive", 3: "out of memory", 4: "out of memory"}
    sentence = coverage(tiles_table("ok", "read_error", "engine_error", "engine_error", texts=texts))[
        "sentence"
    ]
    assert "3 failed" in sentence
    assert "1 read error (network drive)" in sentence
    assert "2 model errors (out of memory)" in sentence


def test_tiles_without_data_are_skipped_and_said_and_hide_nothing() -> None:
    cover = cover_of("ok", "skipped", "skipped")
    assert "2 hold no data" in cover["sentence"]
    assert is_complete(cover)
    assert where_looked(cover) == ""


def test_an_answer_that_could_not_be_read_is_a_failure_that_shows_how_it_began() -> None:
    cover = coverage(tiles_table("parse_error", texts={1: "I like \n turtles"}))
    assert cover["failed"] == 1
    assert "I like turtles" in cover["sentence"]


def test_tiles_never_asked_are_failures_too() -> None:
    cover = cover_of("ok", None)
    assert cover["failed"] == 1
    assert cover["failures"][0]["status"] == NOT_ASKED
    assert where_looked(cover) == " in the 1 of 2 tiles looked at"


def test_no_tile_at_all_is_not_complete() -> None:
    cover = cover_of()
    assert not is_complete(cover)
    assert "no tile" in cover["sentence"]
    assert not is_complete(cover_of("skipped"))


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_outside_0_to_1_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match=r"0\.\.1"):
        coverage(tiles_table("ok"), share)


def test_a_long_reason_is_cut() -> None:
    assert len(coverage(tiles_table("read_error", texts={1: "x" * 10_000}))["sentence"]) < 400


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from([*(str(s) for s in TileStatus), None]), max_size=30))
def test_coverage_adds_up_for_any_mix_of_tiles(statuses: list[str | None]) -> None:
    cover = cover_of(*statuses)
    assert cover["looked_at"] + cover["skipped"] + cover["failed"] == cover["tiles"] == len(statuses)
    assert len(cover["failures"]) == cover["failed"]
    assert cover["looked_at"] == sum(s in ("ok", "empty") for s in statuses)
    if cover["failed"]:
        assert "failed" in cover["sentence"]
        assert not is_complete(cover)

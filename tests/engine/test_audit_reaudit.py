"""A finished result audited again after an analyst's review."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyproj import Geod

from groundproof.audit import reaudit
from groundproof.errors import UsageError
from groundproof.outputs import read, write
from groundproof.tables import Result
from tests.engine.audit_cases import answer_row, cover_of, on_map, result, row, table, tiles_table

SAYS_TWO = (
    "<think><plan>Scan.</plan><evidence>E1 airplane [0,0,100,100]. E2 airplane [200,0,300,100]. </evidence>"
    "<synthesis>E1 to E2 are airplanes, 2 in all.</synthesis></think><answer>2</answer>"
)
EARLIER = [
    {
        "kind": "truncated",
        "severity": "warning",
        "claim": "",
        "verdict": "unchecked",
        "sentence": "the model's text was cut off",
        "evidence": [],
    }
]


def two(*changes: dict[str, Any], answers: list[dict[str, Any]] | None = None) -> Result:
    first, second = (*changes, {}, {})[:2]
    rows = [
        row("E1", **first),
        row("E2", (20, 0, 30, 10), **second),
        *(row(None, **more) for more in changes[2:]),  # type: ignore[arg-type]
    ]
    made = answers or [answer_row(answer="2 airplanes", value=2)]
    return result(table(*rows), made, tiles_table("ok", texts={1: SAYS_TWO}, n_evidence=2))


def test_a_rejected_box_changes_count_answer_and_audit() -> None:
    after = reaudit(two({}, {"review": "rejected"}))
    row_ = after.answers.iloc[0]
    assert row_["value"] == 1
    assert row_["answer"] == "1 airplane"
    assert "rejected" in row_["synthesis"]
    count = next(f for f in row_["audit"] if f["kind"] == "count")
    assert count["verdict"] == "contradicted"
    assert "2" in count["sentence"]
    assert after.evidence["verdict"].tolist() == ["unchecked", "unchecked"]


def test_a_count_that_fitted_until_the_review_is_told_apart_from_one_that_never_did() -> None:
    rejected = reaudit(two({}, {"review": "rejected"})).answers.iloc[0]["audit"]
    [count] = [f for f in rejected if f["kind"] == "count"]
    assert count["severity"] == "info"
    assert count["sentence"] == (
        "changed by the review: the text says 2 airplanes, as the map did before it; now the map shows 1"
    )
    added = reaudit(
        two({}, {}, {"label": "airplane", "numbers": (50, 50, 60, 60), "review": "added"})
    ).answers.iloc[0]["audit"]
    assert [f["severity"] for f in added if f["kind"] == "count"] == ["info"]
    never = two({"review": "rejected"}, {"verdict": "contradicted"})
    [count] = [f for f in reaudit(never).answers.iloc[0]["audit"] if f["kind"] == "count"]
    assert count["severity"] == "warning"
    assert count["sentence"] == "the text says 2 airplanes; the map shows 0 (1 before the review)"


def test_boxes_that_only_the_analyst_made_count_are_told_and_remembered() -> None:
    """Accepting overwrites the verdict: the second audit has only the first one to know it from."""
    given = two({"review": "accepted"}, {"review": "accepted", "verdict": "duplicate"})
    given.tiles["text"] = SAYS_TWO.replace("2 in all", "1 in all").replace("<answer>2", "<answer>1")
    for after in (reaudit(given), reaudit(reaudit(given))):
        findings = {f["kind"]: f for f in after.answers.iloc[0]["audit"]}
        assert findings["raised"]["evidence"] == ["E2"]
        assert findings["count"]["severity"] == "info"
        assert "changed by the review" in findings["count"]["sentence"]


def test_yes_and_no_that_the_review_turned_are_no_weakness() -> None:
    asked = {"question": "Are there any airplanes?", "task": "vqa"}
    says_no = "<think><plan>Scan.</plan><evidence></evidence><synthesis>None.</synthesis></think><answer>no</answer>"
    drawn = result(
        table(row("E1", review="added")), [answer_row(**asked)], tiles_table("ok", texts={1: says_no})
    )
    [presence] = [f for f in reaudit(drawn).answers.iloc[0]["audit"] if f["kind"] == "presence"]
    assert (presence["severity"], presence["verdict"]) == ("info", "contradicted")
    assert "as the map did before" in presence["sentence"]


def test_what_the_analyst_saw_is_supported_and_counted() -> None:
    after = reaudit(two({"review": "accepted"}, {"review": "accepted", "verdict": "duplicate"}))
    assert after.evidence["verdict"].tolist() == ["supported", "supported"]
    assert after.answers.iloc[0]["value"] == 2


def test_a_result_nobody_reviewed_keeps_its_answer_and_doing_it_twice_changes_nothing() -> None:
    once = reaudit(two())
    twice = reaudit(once)
    assert once.answers.iloc[0]["answer"] == "2 airplanes"
    pd.testing.assert_frame_equal(pd.DataFrame(once.answers), pd.DataFrame(twice.answers))
    pd.testing.assert_frame_equal(pd.DataFrame(once.evidence), pd.DataFrame(twice.evidence))


def test_the_result_given_is_not_changed() -> None:
    given = two({}, {"review": "rejected"})
    reaudit(given)
    assert given.answers.iloc[0]["value"] == 2


def test_findings_only_the_run_could_make_are_carried_over_once() -> None:
    after = reaudit(reaudit(two(answers=[answer_row(audit=EARLIER)])))
    assert [f["kind"] for f in after.answers.iloc[0]["audit"]].count("truncated") == 1


def test_words_of_the_model_are_kept() -> None:
    caption = answer_row(task="caption", question="Describe it", answer="An apron.", value="An apron.")
    after = reaudit(two({}, {"review": "rejected"}, answers=[caption]))
    assert after.answers.iloc[0]["answer"] == "An apron."


def test_the_parcel_stays_in_the_answer() -> None:
    parcel = answer_row(answer="North: 2 airplanes", value=2, context={"area": "North"})
    assert (
        reaudit(two({}, {"review": "rejected"}, answers=[parcel])).answers.iloc[0]["answer"]
        == "North: 1 airplane"
    )


def test_tiles_that_were_not_looked_at_still_weaken_the_answer() -> None:
    evidence = table(row("E1", review="rejected"))
    cover = cover_of("ok", "read_error")
    given = result(evidence, [answer_row(coverage=cover)], tiles_table("ok", None, texts={1: SAYS_TWO}))
    after = reaudit(given).answers.iloc[0]
    assert "none found in the 1 of 2 tiles looked at" in after["answer"]
    assert any(f["kind"] == "coverage" for f in after["audit"])


BY_HAND: dict[str, Any] = dict.fromkeys(
    (
        "answer_id",
        "run_id",
        "scene",
        "image",
        "tile_ids",
        "parents",
        "role",
        "label",
        "label_raw",
        "quote",
        "verdict",
    )
)


def added(numbers: tuple[float, float, float, float], **more: Any) -> Result:
    given = two({}, {}, BY_HAND | more)
    evidence = given.evidence.copy()
    evidence.loc[2, "geometry"] = on_map(numbers)
    cells = evidence["box_px"].tolist()
    cells[2] = None
    evidence["box_px"] = pd.Series(cells, dtype=object)
    return Result(evidence, given.answers, given.tiles, given.scenes, given.metadata)


def test_a_box_drawn_by_hand_gets_number_place_and_size_and_is_counted() -> None:
    after = reaudit(added((40, 10, 50, 15)))
    drawn = after.evidence.iloc[2]
    assert (drawn["evidence_id"], drawn["answer_id"], drawn["review"]) == ("E3", "A1", "added")
    assert drawn["verdict"] == "supported"
    assert drawn["box_px"] == pytest.approx([40, 10, 50, 15], abs=1e-6)
    # 10 by 5 pixels of 2 m in UTM, near the central meridian: the scale there is 0.9996.
    lonlat = after.evidence.to_crs(4326).geometry.iloc[2]
    area = abs(Geod(ellps="WGS84").geometry_area_perimeter(lonlat)[0])
    assert drawn["area_m2"] == pytest.approx(area, rel=1e-4)
    assert after.answers.iloc[0]["value"] == 3


def test_a_box_that_was_moved_takes_its_numbers_along() -> None:
    given = two({}, {"review": "adjusted"})
    evidence = given.evidence.copy()
    evidence.loc[1, "geometry"] = on_map((25, 3, 36, 14))
    after = reaudit(Result(evidence, given.answers, given.tiles, given.scenes, given.metadata))
    assert after.evidence["box_px"].iloc[1] == pytest.approx([25, 3, 36, 14], abs=1e-6)
    assert after.evidence["box_px"].iloc[0] == [0, 0, 10, 10]
    assert np.isfinite(after.evidence["width_m"].iloc[1])


def test_a_box_drawn_by_hand_must_say_to_which_of_several_answers_it_belongs() -> None:
    given = added((40, 10, 50, 15))
    answers = pd.concat([given.answers, given.answers.assign(answer_id="A2")], ignore_index=True)
    several = Result(given.evidence, answers, given.tiles, given.scenes, given.metadata)
    with pytest.raises(UsageError, match="A1, A2"):
        reaudit(several)


def test_a_geopackage_can_be_audited_again(tmp_path: Any) -> None:
    path = tmp_path / "reviewed.gpkg"
    write(two({"review": "accepted"}, {"review": "rejected"}), path)
    after = reaudit(read(path))
    assert after.answers.iloc[0]["value"] == 1
    write(after, tmp_path / "after.gpkg")
    assert read(tmp_path / "after.gpkg").answers.iloc[0]["answer"] == "1 airplane"


def test_a_word_that_is_no_review_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match=r"holds 'accept'. It may hold accepted, rejected"):
        reaudit(two({}, {"review": "accept"}))

"""One answer from many tiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from groundproof.audit import count
from groundproof.protocol import Task
from groundproof.synthesis import SceneAnswer, plan_of, synthesise
from groundproof.tables import TileStatus, Verdict
from groundproof.wording import amount, e_list, tile_list
from tests.engine.audit_cases import cover_of, reply, row, said, table, trace, unasked

if TYPE_CHECKING:
    from groundproof.findings import TileReply

HOW_MANY = "How many airplanes are there?"
ANY = "Are there any airplanes?"


def answer(
    replies: list[TileReply],
    evidence: Any,
    question: str = HOW_MANY,
    task: Task = Task.COUNT,
    asked: tuple[str, ...] = ("airplane",),
    overview: TileReply | None = None,
) -> SceneAnswer:
    cover = cover_of(*(str(r.status) for r in replies))
    return synthesise(question, task, asked, replies, evidence, cover, overview=overview)


def test_a_count_is_of_merged_boxes_and_not_of_what_tiles_say() -> None:
    replies = [reply(1, trace([said((0, 0, 9, 9))], value=2)), reply(2, trace([said((0, 0, 9, 9))], value=2))]
    evidence = table(row("E1", tiles=(1,)), row("E2", tiles=(1, 2)), row("E3", tiles=(2,)))
    got = answer(replies, evidence)
    assert got.value == 3
    assert got.answer == "3 airplanes"
    assert "E1 to E3" in got.synthesis
    assert "tiles 1 and 2" in got.synthesis


def test_one_is_singular() -> None:
    assert answer([reply(1, trace())], table(row("E1"))).answer == "1 airplane"


def test_what_is_not_counted_is_named_with_the_reason() -> None:
    evidence = table(
        row("E1"), row("E2", verdict="duplicate"), row("E3", review="rejected"), row("E4", label="ship")
    )
    got = answer([reply(1, trace())], evidence)
    assert got.value == 1
    assert "E2 (duplicate)" in got.synthesis
    assert "E3 (rejected in review)" in got.synthesis
    assert "E4 (not asked for)" in got.synthesis


def test_nothing_found_everywhere_is_zero() -> None:
    got = answer([reply(1, trace(value=0)), reply(2, trace(value=0))], table())
    assert got.value == 0
    assert got.answer == "no airplanes found"


def test_nothing_found_with_failed_tiles_says_where_was_looked() -> None:
    got = answer([reply(1, trace(value=0)), unasked(2, TileStatus.READ_ERROR)], table())
    assert "none found in the 1 of 2 tiles looked at" in got.answer


def test_a_count_with_failed_tiles_says_where_it_holds() -> None:
    got = answer([reply(1, trace()), unasked(2, TileStatus.READ_ERROR)], table(row("E1")))
    assert got.answer == "1 airplane in the 1 of 2 tiles looked at"


def test_without_any_tile_looked_at_there_is_no_answer() -> None:
    for task in Task:
        for statuses in ([TileStatus.ENGINE_ERROR], [TileStatus.SKIPPED], []):
            got = answer([unasked(i, s) for i, s in enumerate(statuses, start=1)], table(), ANY, task)
            assert got.value is None
            assert "could not look" in got.answer


def test_a_number_without_boxes_is_not_hidden_behind_a_zero() -> None:
    got = answer([reply(1, trace(value=6))], table())
    assert got.value == 0
    assert "6" in got.answer


def test_boxes_that_turned_out_wrong_leave_nothing_and_no_yes() -> None:
    wrong = table(row("E1", verdict="contradicted"))
    replies = [reply(1, trace([said((0, 0, 9, 9))], value=True))]
    assert answer(replies, wrong, ANY, Task.VQA).value is False
    assert answer([reply(1, trace([said((0, 0, 9, 9))], value=1))], wrong).answer == "no airplanes found"


def test_several_labels_are_counted_apart_and_together() -> None:
    evidence = table(row("E1"), row("E2", label="cargo ship"), row("E3", label="ship"))
    got = answer([reply(1, trace())], evidence, "How many airplanes and ships?", asked=("airplane", "ship"))
    assert got.value == 3
    assert "1 airplane and 2 ships" in got.answer
    assert "3 in all" in got.answer


def test_detect_lists_the_evidence() -> None:
    evidence = table(*(row(f"E{i}", label="storage tank") for i in range(1, 18)))
    got = answer([reply(1, trace())], evidence, "Find the storage tanks", Task.DETECT, ("storage tank",))
    assert got.answer == "17 storage tanks: E1 to E17"
    assert got.value == [f"E{i}" for i in range(1, 18)]


def test_ground_takes_what_the_model_points_at_by_any_name() -> None:
    evidence = table(row("E1", label="barge"))
    got = answer([reply(1, trace())], evidence, "the boat at the left", Task.GROUND, ("ship",))
    assert got.value == ["E1"]
    nothing = answer([reply(1, trace()), unasked(2, TileStatus.READ_ERROR)], table(), "the boat", Task.GROUND)
    assert nothing.value == []
    assert "1 of 2 tiles" in nothing.answer


def test_existence_is_yes_by_any_evidence() -> None:
    replies = [reply(1, trace(value=False)), reply(2, trace([said((0, 0, 9, 9))], value=True))]
    got = answer(replies, table(row("E1", tiles=(2,))), ANY, Task.VQA)
    assert got.value is True
    assert "E1" in got.answer


def test_no_goes_only_as_far_as_was_looked() -> None:
    assert answer([reply(1, trace(value=False))], table(), ANY, Task.VQA).value is False
    part = answer([reply(1, trace(value=False)), unasked(2, TileStatus.READ_ERROR)], table(), ANY, Task.VQA)
    assert part.value is None
    assert "1 of 2 tiles" in part.answer
    assert not part.answer.startswith("no:")


def test_yes_without_a_box_says_so() -> None:
    got = answer([reply(1, trace(value=True))], table(), ANY, Task.VQA)
    assert got.value is True
    assert "no box" in got.answer


def test_classes_are_weighed_by_valid_area() -> None:
    replies = [
        reply(1, trace(value="harbour", answer="harbour"), valid_share=0.5),
        reply(2, trace(value="airport", answer="airport")),
        reply(3, trace(value="Harbour", answer="Harbour."), valid_share=0.25),
    ]
    got = answer(replies, table(), "Which class is it?", Task.CLASSIFY, ())
    # Areas: harbour 5,000 + 2,500 px, airport 10,000 px of 17,500 px.
    assert got.value == "airport"
    assert "57 %" in got.answer
    assert "43 %" in got.answer
    assert "tiles 1 and 3" in got.synthesis


def test_several_classes_are_united_with_their_tiles() -> None:
    replies = [
        reply(1, trace(value="forest, river", answer="forest, river")),
        reply(2, trace(value="forest", answer="forest")),
    ]
    got = answer(replies, table(), "Which classes apply?", Task.CLASSIFY, ())
    assert got.value == ["forest", "river"]
    assert "2 of 2 tiles" in got.answer
    assert "1 of 2 tiles" in got.answer


def test_a_caption_is_the_overviews_when_there_is_one() -> None:
    replies = [reply(1, trace(answer="A pier.")), reply(2, trace(answer="Water."))]
    overview = reply(3, trace(answer="A harbour with a pier.", value="A harbour with a pier."))
    got = answer(replies, table(), "Describe it", Task.CAPTION, (), overview)
    assert got.answer == got.value == "A harbour with a pier."
    apart = answer(replies, table(), "Describe it", Task.CAPTION, ())
    assert "tile 1: A pier." in apart.answer
    assert "tile 2: Water." in apart.answer
    assert apart.value == ["A pier.", "Water."]


def test_tiles_of_one_mind_give_one_answer() -> None:
    replies = [reply(n, trace(answer="rural", value="rural")) for n in (1, 2)]
    got = answer(replies, table(), "Rural or urban?", Task.VQA, ())
    assert (got.answer, got.value) == ("rural", "rural")


def test_change_over_several_tiles_is_told_by_its_boxes() -> None:
    replies = [reply(1, trace(answer="a new house")), reply(2, trace(answer="nothing"))]
    evidence = table(row("E1", label="house", image=1), row("E2", label="road", image=1))
    got = answer(replies, evidence, "What changed?", Task.CHANGE, ())
    assert got.value == ["E1", "E2"]
    assert "1 house and 1 road" in got.answer


def test_a_plan_is_told_once_or_by_its_tiles() -> None:
    same = [reply(n, trace(plan="Scan for airplanes.")) for n in (1, 2)]
    assert plan_of(same) == "Scan for airplanes."
    both = plan_of([*same, reply(3, trace(plan="Look at the apron."))])
    assert "Tiles 1 and 2: Scan for airplanes." in both
    assert "Tile 3: Look at the apron." in both
    many = plan_of([reply(n, trace(plan=f"Plan {n}.")) for n in range(1, 60)])
    assert len(many.splitlines()) < 10
    assert plan_of([unasked(1, TileStatus.READ_ERROR)]) == ""


def test_the_only_tiles_own_synthesis_is_kept() -> None:
    got = answer([reply(1, trace(synthesis="One airplane stands alone."))], table(row("E1")))
    assert "One airplane stands alone." in got.synthesis


def test_lists_read_as_people_write_them() -> None:
    assert e_list(["E2", "E1"]) == "E1 and E2"
    assert e_list(["E9", "E10", "E11", "E1"]) == "E1 and E9 to E11"
    assert e_list([]) == ""
    assert tile_list([3]) == "tile 3"
    assert tile_list([7, 1, 2, 3]) == "tiles 1 to 3 and 7"
    assert amount(0, "ship") == "0 ships"
    assert amount(1, "") == "1 object"


@settings(max_examples=100, deadline=None)
@given(st.sets(st.integers(1, 60)))
def test_a_compressed_list_names_exactly_what_it_was_given(numbers: set[int]) -> None:
    words = e_list(f"E{n}" for n in numbers).replace(" and ", ", ").split(", ")
    named: set[int] = set()
    for word in filter(None, words):
        ends = [int(one[1:]) for one in word.split(" to ")]
        named |= set(range(ends[0], ends[-1] + 1))
    assert named == numbers


boxes = st.lists(
    st.tuples(
        st.sampled_from([str(v) for v in Verdict]),
        st.sampled_from(["accepted", "rejected", None]),
        st.integers(1, 3),
    ),
    max_size=8,
)


@settings(max_examples=80, deadline=None)
@given(boxes, st.lists(st.sampled_from(list(TileStatus)), min_size=2, max_size=4))
def test_the_value_of_a_count_is_the_count_whatever_tiles_failed(
    drawn: list[tuple[str, str | None, int]], statuses: list[TileStatus]
) -> None:
    evidence = table(
        *(row(f"E{i}", verdict=v, review=r, tiles=(t,)) for i, (v, r, t) in enumerate(drawn, start=1))
    )
    looked = (TileStatus.OK, TileStatus.EMPTY)
    replies = [
        reply(n, trace(), s) if s in looked else unasked(n, s) for n, s in enumerate(statuses, start=1)
    ]
    got = answer(replies, evidence)
    if not any(s in looked for s in statuses):
        assert got.value is None
        return
    assert got.value == count(evidence, "airplane")
    failed = any(s not in (*looked, TileStatus.SKIPPED) for s in statuses)
    assert ("tiles looked at" in got.answer) == failed


def test_a_model_that_knows_no_wind_turbines_cannot_say_that_there_are_none() -> None:
    from groundproof.models.profiles import get_profile
    from groundproof.synthesis import SceneAnswer, within_training

    none = SceneAnswer("no wind turbines found", 0, "", "")
    told = within_training(none, ("wind turbine",), get_profile("tiny"))
    assert told.value is None
    assert "cannot say" in told.answer
    assert within_training(none, ("car",), get_profile("tiny")) == none
    assert within_training(none, ("wind turbine",), get_profile("rsthinker")) == none

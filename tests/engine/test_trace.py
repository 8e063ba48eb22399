"""What the trace parser reads in texts that follow the protocol, and in those that nearly do."""

from __future__ import annotations

from math import exp, log

import pytest

from groundproof.boxes import BoxFrame, ModelBox
from groundproof.protocol import Task
from groundproof.trace import (
    AnswerEvent,
    EvidenceEvent,
    PlanEvent,
    RepairEvent,
    SynthesisEvent,
    Trace,
    TraceEvidence,
    TraceParser,
    parse,
)

MILLE = BoxFrame.PER_MILLE
CANONICAL = (
    "<think><plan>Scan the tile row by row for airplanes.</plan><evidence>E1 airplane, upper left "
    "[120,80,200,160]. E2 airplane, centre [410,395,470,470]. </evidence><synthesis>E1 to E2 are airplanes, "
    "2 in all.</synthesis></think><answer>2</answer>"
)
NOTHING = (
    "<think><plan>Scan the tile row by row for airplanes.</plan><evidence>No airplane is visible. </evidence>"
    "<synthesis>Nothing to count.</synthesis></think><answer>0</answer>"
)
RSTHINKER = (
    "<think>First I will look at the apron. Then I will check the runway. There is a large white airplane parked "
    "near the terminal at [10, 20, 130, 140], and another one at [250, 260, 370, 380]. No other objects are "
    "visible on the runway. There are two airplanes in total.</think>"
    "<answer>[[10, 20, 130, 140], [250, 260, 370, 380]]</answer>"
)


def boxes(items: tuple[TraceEvidence, ...]) -> list[tuple[float, float, float, float]]:
    return [(e.box.x0, e.box.y0, e.box.x1, e.box.y1) for e in items]


def kinds(trace: Trace) -> list[str]:
    return [repair.kind for repair in trace.repairs]


def wrapped(evidence: str, answer: str = "1") -> str:
    return f"<think><evidence>{evidence}</evidence></think><answer>{answer}</answer>"


# -- the canonical text ------------------------------------------------------------------------------------


def test_the_canonical_count_is_read_completely() -> None:
    trace = parse(CANONICAL, MILLE, Task.COUNT, ("airplane",))
    assert trace.plan == "Scan the tile row by row for airplanes."
    assert boxes(trace.evidence) == [(120, 80, 200, 160), (410, 395, 470, 470)]
    assert [e.label for e in trace.evidence] == ["airplane", "airplane"]
    assert [e.quote for e in trace.evidence] == ["airplane, upper left", "airplane, centre"]
    assert [e.number for e in trace.evidence] == [1, 2]
    assert trace.synthesis == "E1 to E2 are airplanes, 2 in all."
    assert (trace.answer, trace.value) == ("2", 2)
    assert trace.stated_counts == (("airplane", 2),)
    assert (trace.repairs, trace.answer_boxes) == ((), ())
    assert trace.has_rationale
    assert trace.complete
    assert trace.usable


def test_the_canonical_nothing_is_a_zero_and_not_a_failure() -> None:
    trace = parse(NOTHING, MILLE, Task.COUNT, ("airplane",))
    assert (trace.value, trace.evidence, trace.usable, trace.complete) == (0, (), True, True)
    assert trace.stated_counts == (("airplane", 0),)


def test_a_quote_lies_in_the_raw_text_where_it_says() -> None:
    for text in (CANONICAL, RSTHINKER):
        for evidence in parse(text, MILLE).evidence:
            assert text[evidence.text_start : evidence.text_end] == evidence.quote


def test_evidence_is_out_at_the_closing_bracket_and_not_before() -> None:
    parser = TraceParser(MILLE, Task.COUNT, ("airplane",))
    first, second, rest = CANONICAL.partition("[120,80,200,160")
    assert [type(e) for e in parser.feed(first)] == [PlanEvent]
    assert parser.feed(second) == []
    (event,) = parser.feed(rest[0])
    assert isinstance(event, EvidenceEvent)
    assert event.evidence.box == ModelBox(120, 80, 200, 160)
    parser.feed(rest[1:])
    parser.close()
    assert parser.trace.evidence[0] == event.evidence


def test_events_come_in_the_order_of_the_text() -> None:
    parser = TraceParser(MILLE, Task.COUNT, ("airplane",))
    events = parser.feed(CANONICAL) + parser.close()
    assert [type(e) for e in events] == [PlanEvent, EvidenceEvent, EvidenceEvent, SynthesisEvent, AnswerEvent]
    assert events[-1] == AnswerEvent("2", 2)


def test_feeding_after_close_says_what_to_do_and_closing_twice_is_harmless() -> None:
    parser = TraceParser(MILLE)
    parser.feed("2")
    assert parser.close() != []
    assert parser.close() == []
    with pytest.raises(ValueError, match="new TraceParser"):
        parser.feed("3")


# -- RSThinker -----------------------------------------------------------------------------------------


def test_free_prose_splits_into_plan_evidence_and_synthesis_around_its_boxes() -> None:
    trace = parse(RSTHINKER, MILLE, Task.DETECT, ("airplane",))
    assert trace.plan == "First I will look at the apron. Then I will check the runway."
    assert boxes(trace.evidence) == [(10, 20, 130, 140), (250, 260, 370, 380)]
    assert trace.evidence[0].label == "airplane"
    assert trace.evidence[0].label_raw == "a large white airplane"
    assert trace.evidence[0].quote == "There is a large white airplane parked near the terminal at"
    assert trace.synthesis == "No other objects are visible on the runway. There are two airplanes in total."
    assert boxes(trace.answer_boxes) == boxes(trace.evidence)
    assert {e.role for e in trace.answer_boxes} == {"answer"}
    assert trace.stated_counts == (("airplane", 2),)


def test_prose_names_boxes_by_their_subject_and_not_by_the_place_behind_them() -> None:
    text = (
        "<think>Let me look at the image. The top-left region contains one airplane with box [100,100,200,200]. "
        "Moving right, I identify a second airplane: [300,100,400,200]. The third is located at "
        "[500,100,600,200] near the hangar.\n\nIn total 3 airplanes.</think>"
        "<answer>There are a total of 3 airplanes.</answer>"
    )
    for asked in ((), ("airplane",)):
        trace = parse(text, MILLE, Task.COUNT, asked)
        assert [e.label for e in trace.evidence] == ["airplane"] * 3
        assert trace.evidence[2].quote == "The third is located at"
        assert (trace.plan, trace.synthesis) == ("Let me look at the image.", "In total 3 airplanes.")
        assert (trace.value, trace.stated_counts) == (3, (("airplane", 3),))


def test_prose_without_boxes_is_synthesis() -> None:
    trace = parse(
        "<think>There are six airplanes on the apron.</think><answer>6</answer>",
        MILLE,
        Task.COUNT,
        ("airplane",),
    )
    assert (trace.plan, trace.synthesis) == ("", "There are six airplanes on the apron.")
    assert trace.stated_counts == (("airplane", 6),)


def test_a_box_named_again_later_in_prose_is_a_citation() -> None:
    text = "<think>A ship is at [1,2,30,40]. So the ship at [1,2,30,40] is moored.</think><answer>1</answer>"
    trace = parse(text, MILLE, Task.COUNT, ("ship",))
    assert len(trace.evidence) == 1
    assert trace.synthesis == "So the ship at [1,2,30,40] is moored."


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        ("There are a total of 6 airplanes.", 6),
        ("six", 6),
        ("6", 6),
        ("6.", 6),
        ("**6**", 6),
        ("There are no airplanes.", 0),
        ("none", 0),
        ("a dozen", 12),
        ("twenty-one airplanes", 21),
        ("one hundred and five", 105),
        ("1,204 airplanes", 1204),
        ("I searched 3 rows and found 7 airplanes.", 7),
        ("Es sind sechs Flugzeuge.", 6),
        ("Il y a trois avions.", 3),
        ("Hay cuatro aviones.", 4),
        ("图中有六架飞机。", 6),
        ("many", None),
        ("2.5", None),
        ("", None),
    ],
)
def test_a_count_is_read_however_it_is_written(answer: str, value: int | None) -> None:
    assert parse(f"<answer>{answer}</answer>", MILLE, Task.COUNT, ("airplane",)).value == value


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        ("yes", True),
        ("Yes, there are two ships.", True),
        ("No.", False),
        ("no", False),
        ("No ships are visible.", False),
        ("There are no ships.", False),
        ("oui", True),
        ("nein", False),
        ("sí", True),
        ("是", True),
        ("没有", False),
        ("3", 3),
        ("asphalt", "asphalt"),
    ],
)
def test_yes_and_no_are_read_in_a_question_of_existence(answer: str, value: object) -> None:
    found = parse(f"<think>x</think><answer>{answer}</answer>", MILLE, Task.VQA, ("ship",)).value
    assert found == value
    assert type(found) is type(value)


def test_a_class_and_a_caption_are_their_text() -> None:
    assert parse("<answer>Harbour.</answer>", MILLE, Task.CLASSIFY).value == "Harbour"
    text = "<answer>A harbour with ships. It is sunny.</answer>"
    assert parse(text, MILLE, Task.CAPTION).value == "A harbour with ships. It is sunny."


def test_an_empty_list_of_boxes_is_an_answer() -> None:
    trace = parse("<think>x</think><answer>[]</answer>", MILLE, Task.DETECT, ("ship",))
    assert (trace.usable, trace.value, trace.answer_boxes) == (True, None, ())


def test_counts_of_several_kinds_are_told_apart() -> None:
    text = "<think><synthesis>I see six airplanes and two ships, in 3 rows.</synthesis></think><answer>8</answer>"
    trace = parse(text, MILLE, Task.COUNT, ("airplane", "ship"))
    assert trace.stated_counts == (("airplane", 6), ("ship", 2), ("", 8))


# -- what PITFALLS lists ---------------------------------------------------------------------------------


def test_nested_brackets_give_each_inner_box_once() -> None:
    trace = parse("<answer>[[[1,2,3,4],[5,6,7,8]]]</answer>", MILLE, Task.DETECT)
    assert boxes(trace.answer_boxes) == [(1, 2, 3, 4), (5, 6, 7, 8)]


def test_a_box_with_three_numbers_is_dropped_and_said() -> None:
    trace = parse(wrapped("E1 ship [1,2,3]. E2 ship [1,2,3,4]."), MILLE)
    assert boxes(trace.evidence) == [(1, 2, 3, 4)]
    assert "box-numbers" in kinds(trace)


def test_a_fifth_number_is_an_angle_only_where_the_frame_has_one() -> None:
    text = wrapped("E1 ship [10,20,30,40,45].")
    assert parse(text, BoxFrame.PERCENT_ANGLE).evidence[0].box == ModelBox(10, 20, 30, 40, 45)
    trace = parse(text, MILLE)
    assert trace.evidence[0].box == ModelBox(10, 20, 30, 40)
    assert kinds(trace) == ["five-numbers"]


def test_swapped_corners_are_sorted_and_said() -> None:
    trace = parse(wrapped("E1 ship [30,40,10,20]."), MILLE)
    assert trace.evidence[0].box == ModelBox(10, 20, 30, 40)
    assert kinds(trace) == ["box-order"]


def test_values_over_the_frame_are_kept_and_said() -> None:
    trace = parse(wrapped("E1 ship [900,900,1100,1050]."), MILLE)
    assert trace.evidence[0].box == ModelBox(900, 900, 1100, 1050)
    assert kinds(trace) == ["outside"]


def test_a_box_in_resized_pixels_may_be_larger_than_a_thousand() -> None:
    assert kinds(parse(wrapped("E1 ship [900,900,1100,1050]."), BoxFrame.RESIZED_PIXELS)) == []


def test_decimals_are_kept() -> None:
    assert parse(wrapped("E1 ship [1.5, 2.25, 30.0, 40.75]."), MILLE).evidence[0].box == ModelBox(
        1.5, 2.25, 30, 40.75
    )


def test_fractions_of_the_image_become_per_mille() -> None:
    trace = parse(wrapped("E1 ship [0.1, 0.2, 0.3, 0.4]."), MILLE)
    assert trace.evidence[0].box == ModelBox(100, 200, 300, 400)
    assert kinds(trace) == ["fractions"]


def test_units_are_left_out_and_percent_is_converted() -> None:
    pixels = parse(wrapped("E1 ship [10px, 20 px, 30px, 40px]."), BoxFrame.RESIZED_PIXELS)
    assert (pixels.evidence[0].box, kinds(pixels)) == (ModelBox(10, 20, 30, 40), ["units"])
    percent = parse(wrapped("E1 ship [10%, 20%, 30%, 40%]."), MILLE)
    assert (percent.evidence[0].box, kinds(percent)) == (ModelBox(100, 200, 300, 400), ["percent"])


def test_named_coordinates_and_round_brackets_are_boxes() -> None:
    text = wrapped("E1 ship [x0=1, y0=2, x1=3, y1=4]. E2 ship (5, 6, 7, 8). E3 ship from (9,10) to (11,12).")
    trace = parse(text, MILLE)
    assert boxes(trace.evidence) == [(1, 2, 3, 4), (5, 6, 7, 8), (9, 10, 11, 12)]


def test_boxes_in_prose_get_the_noun_beside_them() -> None:
    text = (
        "<think>In the upper left there is a tanker [1,2,3,4] and two cars [5,6,7,8], [9,9,12,12] wait. "
        "Also a tree (crown) at [20,20,30,30].</think><answer>ok</answer>"
    )
    trace = parse(text, MILLE)
    assert [e.label for e in trace.evidence] == ["tanker", "car", "car", "tree"]


def test_the_same_box_twice_is_kept_for_the_audit_and_said() -> None:
    trace = parse(wrapped("E1 ship [1,2,3,4]. E2 ship [1,2,3,4]."), MILLE)
    assert len(trace.evidence) == 2
    assert kinds(trace) == ["same-box"]


def test_boxes_only_in_the_answer_are_answer_boxes() -> None:
    trace = parse("<think>Easy.</think><answer>[[1,2,3,4]]</answer>", MILLE, Task.DETECT, ("ship",))
    assert trace.evidence == ()
    assert [(e.label, e.number, e.role) for e in trace.answer_boxes] == [("ship", 1, "answer")]


def test_boxes_only_in_the_thinking_are_evidence() -> None:
    trace = parse("<think>A ship at [1,2,3,4].</think><answer>yes</answer>", MILLE, Task.VQA, ("ship",))
    assert (len(trace.evidence), trace.answer_boxes, trace.value) == (1, (), True)


def test_an_answer_box_takes_its_name_from_the_same_box_of_the_evidence() -> None:
    text = "<think>A ship at [1,2,3,4]. A tree at [5,6,7,8].</think><answer>[[5,6,7,8],[1,2,3,4]]</answer>"
    assert [e.label for e in parse(text, MILLE, Task.DETECT).answer_boxes] == ["tree", "ship"]


def test_no_tags_at_all_is_an_answer_without_a_rationale() -> None:
    trace = parse("There are 2 ships: [1,2,3,4] and [5,6,7,8].", MILLE, Task.COUNT, ("ship",))
    assert (trace.has_rationale, trace.evidence, trace.plan, trace.value) == (False, (), "", 2)
    assert [e.label for e in trace.answer_boxes] == ["ship", "ship"]
    assert trace.complete


def test_thinking_without_its_opening_tag_is_still_thinking() -> None:
    trace = parse("A ship at [1,2,3,4].</think><answer>1</answer>", MILLE, Task.COUNT, ("ship",))
    assert len(trace.evidence) == 1
    assert trace.has_rationale
    assert kinds(trace) == ["unopened-think"]


@pytest.mark.parametrize("cut", range(1, len(CANONICAL)))
def test_a_text_cut_anywhere_gives_what_was_complete(cut: int) -> None:
    trace = parse(CANONICAL[:cut], MILLE, Task.COUNT, ("airplane",))
    closed = CANONICAL[:cut].count("]")
    if cut > len("<think>"):
        assert len(trace.evidence) == closed
        assert trace.complete == (cut == len(CANONICAL))
    if closed:
        assert trace.usable


def test_unclosed_tags_end_with_the_next_tag() -> None:
    text = "<think><plan>Look.<evidence>E1 ship [1,2,3,4].<synthesis>E1 is a ship, 1 in all.<answer>1"
    trace = parse(text, MILLE, Task.COUNT, ("ship",))
    assert (trace.plan, trace.synthesis, trace.value) == ("Look.", "E1 is a ship, 1 in all.", 1)
    assert len(trace.evidence) == 1
    assert set(kinds(trace)) == {"unclosed-tag"}
    assert not trace.complete


def test_a_box_cut_by_the_end_is_no_box() -> None:
    assert parse("<think><evidence>E1 ship [1,2,3,", MILLE).evidence == ()


def test_tags_inside_quotation_marks_are_text() -> None:
    text = '<think>A sign reads "<answer>5</answer>" here. A ship at [1,2,3,4].</think><answer>1</answer>'
    trace = parse(text, MILLE, Task.COUNT, ("ship",))
    assert (trace.value, len(trace.evidence)) == (1, 1)
    assert kinds(trace) == ["quoted-tag", "quoted-tag"]
    assert parse('<think>A 5" pipe, "open</think><answer>2</answer>', MILLE, Task.COUNT).value == 2


def test_box_marks_of_glm_stand_around_the_answer() -> None:
    text = (
        "<think>A ship at <|begin_of_box|>[1,2,3,4]<|end_of_box|>.</think>"
        "<answer>It is <|begin_of_box|>3<|end_of_box|> of 4.</answer>"
    )
    trace = parse(text, MILLE, Task.COUNT, ("ship",))
    assert (trace.value, len(trace.evidence)) == (3, 1)
    assert trace.answer == "It is 3 of 4."
    bare = parse("<think>x</think><|begin_of_box|>[[1,2,3,4]]<|end_of_box|>", MILLE, Task.DETECT)
    assert boxes(bare.answer_boxes) == [(1, 2, 3, 4)]
    assert bare.answer == "[[1,2,3,4]]"


def test_geochat_boxes_have_an_angle() -> None:
    trace = parse("{<12><34><56><78>|<90>}{<1><2><3><4>}", BoxFrame.PERCENT_ANGLE, Task.GROUND, ("ship",))
    assert [e.box for e in trace.answer_boxes] == [ModelBox(12, 34, 56, 78, 90), ModelBox(1, 2, 3, 4)]


def test_qwen_json_carries_its_labels_inside_fences_and_bare() -> None:
    body = '[{"bbox_2d": [1, 2, 30, 40], "label": "plane"},\n {"label": "boats", "bbox_2d": [5, 6, 70, 80]}]'
    for text in (body, f"```json\n{body}\n```", f"<think>x</think><answer>{body}</answer>"):
        trace = parse(text, BoxFrame.RESIZED_PIXELS, Task.DETECT)
        assert [(e.label_raw, e.label) for e in trace.answer_boxes] == [
            ("plane", "airplane"),
            ("boats", "ship"),
        ]
        assert [text[e.text_start : e.text_end] for e in trace.answer_boxes] == ["plane", "boats"]
        assert boxes(trace.answer_boxes) == [(1, 2, 30, 40), (5, 6, 70, 80)]


def test_both_list_syntaxes_of_earthdial_are_read() -> None:
    for text in (
        "[[39, 21, 46, 27, 0], [27, 31, 33, 36, 90]]",
        "[[39, 21, 46, 27, 0]][[27, 31, 33, 36, 90]]",
    ):
        trace = parse(text, BoxFrame.PERCENT_ANGLE, Task.DETECT, ("building",))
        assert [e.box.angle_deg for e in trace.answer_boxes] == [0, 90]
    text = (
        "<ref>1 small person </ref> <box>[[[39, 45, 41, 47, 2]]]</box> located at center,  "
        "<ref>7 small bicycle </ref> <box>[[[61, 51, 65, 52, 2]][[51, 29, 53, 34, 2]]]</box>"
    )
    trace = parse(text, BoxFrame.PERCENT_ANGLE, Task.GROUNDED_CAPTION)
    assert [e.label for e in trace.answer_boxes] == ["person", "bicycle", "bicycle"]


def test_a_box_before_its_noun_waits_for_it() -> None:
    trace = parse(wrapped("[1,2,3,4] airplane, [5,6,7,8] ship."), MILLE)
    assert [(e.label, e.quote) for e in trace.evidence] == [("airplane", "airplane"), ("ship", "ship")]


def test_half_a_character_at_a_cut_costs_one_box_at_most() -> None:
    trace = parse(wrapped("E1 ship [1\ufffd0,20,30,40]. E2 ship\ufffd [1,2,3,4]."), MILLE)
    assert boxes(trace.evidence) == [(1, 2, 3, 4)]
    assert kinds(trace) == ["unreadable-box", "numbering"]


def test_endless_repetition_is_bounded_and_said() -> None:
    trace = parse("<think><evidence>" + "E1 ship [1,2,3,4]. " * 5000, MILLE)
    assert len(trace.evidence) == 20
    assert "repetition" in kinds(trace)
    words = parse("<think>" + "the ship is moored and " * 500, MILLE)
    assert "repetition" in kinds(words)


def test_at_most_two_thousand_boxes_are_kept() -> None:
    text = "<answer>[" + ",".join(f"[{i % 900},{i // 900},950,960]" for i in range(3000)) + "]</answer>"
    trace = parse(text, MILLE, Task.DETECT)
    assert len(trace.answer_boxes) == 2000
    assert kinds(trace).count("too-many-boxes") == 1


def test_html_and_links_stay_plain_text() -> None:
    text = wrapped('E1 <img src=x onerror="alert(1)"> ship <a href="http://x.example">here</a> [1,2,3,4].')
    (evidence,) = parse(text, MILLE, None, ("ship",)).evidence
    assert evidence.quote == '<img src=x onerror="alert(1)"> ship <a href="http://x.example">here</a>'
    assert evidence.label == "ship"


@pytest.mark.parametrize(
    "text",
    ["see E3", "[2020]", "[E1, E2]", "[12]", "(see 3)", "[refer]", "[1, 2]", "{a: 1}", "in 2020 (5 m)"],
)
def test_references_years_and_sizes_are_no_boxes(text: str) -> None:
    trace = parse(wrapped(f"The ship {text} is new."), MILLE)
    assert (trace.evidence, trace.repairs) == ((), ())


def test_a_sentence_names_the_image_of_its_box_when_there_are_several() -> None:
    text = wrapped(
        "E1 building, image 1 [1,2,3,4]. In the second image a house [5,6,7,8]. E3 tree [9,10,11,12]."
    )
    assert [e.image for e in parse(text, MILLE, Task.CHANGE).evidence] == [0, 1, 0]
    assert [e.image for e in parse(text, MILLE, Task.DETECT).evidence] == [0, 0, 0]
    headed = wrapped("Image 2:\nE1 building [1,2,3,4].\nE2 house [5,6,7,8].\nImage 1:\nE3 house [9,6,11,8].")
    assert [e.image for e in parse(headed, MILLE, Task.CHANGE).evidence] == [1, 1, 0]


def test_numbers_of_the_text_that_differ_are_said() -> None:
    assert kinds(parse(wrapped("E2 ship [1,2,3,4]."), MILLE)) == ["numbering"]


def test_a_label_not_asked_for_stays_what_it_is() -> None:
    trace = parse(
        wrapped("E1 bicycle, left [1,2,3,4]. E2 red car [5,6,7,8]. E3 [9,9,12,12]."),
        MILLE,
        Task.COUNT,
        ("vehicle",),
    )
    assert [e.label for e in trace.evidence] == ["bicycle", "car", "vehicle"]


def test_a_second_answer_does_not_replace_the_first() -> None:
    trace = parse("<answer>2</answer><answer>[[1,2,3,4]]</answer>", MILLE, Task.COUNT)
    assert (trace.value, trace.answer_boxes, kinds(trace)) == (2, (), ["second-answer"])
    assert parse("<answer></answer><answer>2</answer>", MILLE, Task.COUNT).value == 2


def test_an_answer_spoken_of_in_the_thinking_is_not_the_answer() -> None:
    text = "<think>I must write <answer>4 or so</think><answer>2</answer>"
    assert parse(text, MILLE, Task.COUNT).value == 2


@pytest.mark.parametrize("text", ["", " \n", "<think></think>", "<answer></answer>", "<think>hm"])
def test_an_empty_text_is_not_usable(text: str) -> None:
    assert not parse(text, MILLE, Task.COUNT).usable


def test_every_event_of_a_repair_is_in_the_trace() -> None:
    parser = TraceParser(MILLE)
    events = parser.feed(wrapped("E2 ship [30,2,3,4,5].")) + parser.close()
    assert tuple(e.repair for e in events if isinstance(e, RepairEvent)) == parser.trace.repairs


# -- scores ----------------------------------------------------------------------------------------------


def test_a_score_is_the_mean_over_the_pieces_with_digits() -> None:
    pieces = [("<evidence>E1 ship ", -9.0), ("[", -8.0), ("12", log(0.5)), (",", -7.0), ("3", log(0.25)), (",", -6.0),
              ("40", log(0.5)), (",", -5.0), ("50", log(0.25)), ("]", -4.0), (".</evidence>", -3.0)]  # fmt: skip
    text = "".join(piece for piece, _ in pieces)
    (evidence,) = parse(text, MILLE, logprobs=[(len(p), lp) for p, lp in pieces]).evidence
    assert evidence.score == pytest.approx(exp((2 * log(0.5) + 2 * log(0.25)) / 4))


def test_a_score_is_never_invented() -> None:
    text = "<evidence>E1 ship [12,3,40,50].</evidence>"
    assert parse(text, MILLE).evidence[0].score is None
    assert parse(text, MILLE, logprobs=[(21, -0.1)]).evidence[0].score is None
    assert parse(text, MILLE, logprobs=[(21, -0.1), (21, None)]).evidence[0].score is None

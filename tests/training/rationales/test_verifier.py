"""The verifier against cases worked out by hand: for every rule what passes and what does not."""

import pytest

from groundproof.models.profiles import get_profile
from groundproof.protocol import Task
from groundproof_training.rationales import Limits, Rule, Verifier, Vocabulary
from groundproof_training.samples import Form, SampleImage, TrueBox, completion_of

from .made import IMAGE, NAMES, PROFILE, SEEN, SHIPS, TANK, sample, text

VERIFIER = Verifier(PROFILE, Vocabulary(NAMES))
NONE = "No ship is visible. "


def rules(said: str, of=None, verifier=VERIFIER, seen=SEEN):
    verdict = verifier.verify(said, of or sample(), seen, "teacher:x")
    assert verdict.accepted == (not verdict.reasons)
    return [reason.rule for reason in verdict.reasons]


def test_what_is_true_becomes_a_rationale_with_the_boxes_of_the_truth():
    verdict = VERIFIER.verify(text(), sample(), SEEN, "teacher:x")
    rationale = verdict.rationale
    assert [(line.text, line.box) for line in rationale.evidence] == [
        ("ship, upper left", 0),
        ("ship, lower right", 1),
    ]
    assert (rationale.plan, rationale.by) == ("Scan the image row by row for ships.", "teacher:x")
    written = completion_of(sample(rationale=rationale), PROFILE, SEEN, Form.GEO_COT)
    assert written == text()


def test_evidence_may_come_in_any_order_and_keeps_it():
    swapped = "E1 ship at the pier, lower right [700,720,760,760]. E2 a white vessel [100,100,200,140]."
    verdict = VERIFIER.verify(text(evidence=swapped), sample(), SEEN, "t")
    assert [line.box for line in verdict.rationale.evidence] == [1, 0]


FORMATS = {
    "words before": "Sure! " + text(),
    "no plan": text().replace("<plan>", "").replace("</plan>", ""),
    "an empty synthesis": text(synthesis=" "),
    "two answers": text() + "<answer>2</answer>",
    "cut off": text()[:-9],
    "numbers with a gap": text().replace("E2 ship", "E3 ship"),
    "a sentence without a box": text(
        evidence="E1 ship, upper left [100,100,200,140]. There is one more ship. "
    ),
    "two boxes in a sentence": text(evidence="E1 ships [100,100,200,140] [700,720,760,760]. "),
    "a box in the plan": text(plan="Look at [100,100,200,140] for ships."),
    "a box in the synthesis": text(synthesis="2 ships, one of them at [100,100,200,140]."),
    "a fence": text(plan="```Scan for ships.```"),
    "a link": text(plan="See https://example.org for ships."),
    "corners in the wrong order": text().replace("[100,100,200,140]", "[200,140,100,100]"),
    "nothing": "",
    "nonsense": "I cannot help with that.",
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_text_that_would_have_to_be_mended_is_rejected(name):
    assert set(rules(FORMATS[name])) == {Rule.FORMAT}


def test_white_space_between_the_tags_is_no_fault():
    assert rules(text().replace("</plan>", "</plan>\n").replace("<answer>", "\n<answer>") + "\n") == []


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ([100, 100, 200, 140], []),
        ([101, 100, 200, 140], []),  # IoU 0.99
        ([100, 100, 190, 140], []),  # IoU 0.90, exactly the limit
        ([100, 100, 189, 140], [Rule.BOX_NOT_TRUE, Rule.BOX_MISSING]),  # 0.89
        ([300, 300, 400, 340], [Rule.BOX_NOT_TRUE, Rule.BOX_MISSING]),
    ],
)
def test_a_cited_box_is_a_true_box(box, expected):
    said = text().replace("upper left [100,100,200,140]", f"{box}".replace(" ", ""))
    assert rules(said) == expected


def test_how_near_is_a_setting():
    said = text().replace("[100,100,200,140]", "[100,100,170,140]")  # IoU 0.7
    assert rules(said, verifier=Verifier(PROFILE, Vocabulary(NAMES), Limits(min_iou=0.7))) == []
    assert Rule.BOX_NOT_TRUE in rules(said)


def test_every_true_box_is_cited_exactly_once():
    one = text(evidence="E1 ship, upper left [100,100,200,140]. ", synthesis="E1 is a ship.")
    assert rules(one) == [Rule.BOX_MISSING]
    thrice = text(
        evidence="E1 ship [100,100,200,140]. E2 ship [700,720,760,760]. E3 ship [100,100,200,140]. ",
        synthesis="E1 and E2 are ships.",
    )
    assert rules(thrice) == [Rule.BOX_TWICE]


def test_two_true_boxes_that_are_one_on_a_coarse_grid_are_both_cited():
    twins = (
        TrueBox(label="ship", x0=100, y0=100, x1=200, y1=140),
        TrueBox(label="ship", x0=100.2, y0=100, x1=200, y1=140),
    )
    said = text(evidence="E1 ship [100,100,200,140]. E2 ship [100,100,200,140]. ")
    assert rules(said, sample(boxes=twins)) == []
    assert rules(said, sample(boxes=twins[:1], answer="1"))[0] is Rule.BOX_TWICE


def test_an_object_the_source_is_not_sure_of_is_neither_needed_nor_cited():
    unsure = TrueBox(label="ship", x0=500, y0=500, x1=520, y1=520, ignore=True)
    of = sample(boxes=(*SHIPS, unsure))
    assert rules(text(), of) == []
    more = text(evidence="E1 ship [100,100,200,140]. E2 ship [700,720,760,760]. E3 ship [500,500,520,520]. ")
    assert rules(more, of) == [Rule.BOX_NOT_TRUE]


def test_names_agree():
    assert rules(text().replace("E1 ship", "E1 boat")) == []  # a synonym
    assert rules(text().replace("E1 ship", "E1 large white ship")) == []
    assert rules(text().replace("E1 ship", "E1 cargo ship")) == [Rule.LABEL]  # more than the truth says
    assert set(rules(text().replace("E1 ship", "E1 airplane"))) == {Rule.LABEL, Rule.OUTSIDE}
    assert rules(text(synthesis="E1 and E2 are storage tanks."), sample(boxes=(*SHIPS, TANK), task=Task.CLASSIFY,
                 answer="2", asked=()))[0] is Rule.LABEL  # fmt: skip


def test_a_corner_that_is_named_is_where_the_box_lies():
    assert rules(text().replace("upper left", "lower right")) == [Rule.PLACE]
    assert rules(text().replace("ship, upper left", "ship at the upper left of the pier")) == []


def test_numbers_are_those_of_the_truth():
    assert rules(text(synthesis="There are two ships.")) == []
    assert rules(text(synthesis="There are three ships.")) == [Rule.NUMBER]
    assert rules(text(synthesis="One ship lies in the north.")) == [Rule.NUMBER]
    assert rules(text(plan="Find the 4 ships.")) == [Rule.NUMBER]
    assert rules(text(plan="Look in 4 rows.")) == []


def test_evidence_that_is_named_is_there():
    assert rules(text(synthesis="E1 to E2 are ships.")) == []
    assert rules(text(synthesis="E1 to E3 are ships.")) == [Rule.REFERENCE]


def test_nothing_beyond_the_truth_is_asserted():
    for words in ("They lie beside a bridge.", "No airplane is there.", "A plane is near."):
        assert rules(text(synthesis=f"E1 and E2 are ships. {words}")) == [Rule.OUTSIDE]
    assert rules(text(synthesis="E1 and E2 are ships beside the pier.")) == []  # no class of this dataset
    captioned = sample(captions=("Two ships lie near a bridge.",))
    assert rules(text(synthesis="E1 and E2 are ships near a bridge."), captioned) == []


def test_where_nothing_is_the_evidence_says_so_and_nothing_else_does():
    nothing = sample(boxes=(), answer="0")
    good = text(evidence=NONE, synthesis="No ship is in the image.", answer="0")
    assert rules(good, nothing) == []
    assert rules(text(evidence="", synthesis="No ship.", answer="0"), nothing) == [Rule.FORMAT]
    assert rules(text(evidence=NONE, synthesis="A ship lies at the pier.", answer="0"), nothing) == [
        Rule.OUTSIDE
    ]
    assert rules(text(evidence="No airplane is visible.", synthesis="None.", answer="0"), nothing) == [
        Rule.OUTSIDE
    ]
    denied = rules(text(evidence=NONE, synthesis="E1 is a ship."), sample())
    assert {Rule.BOX_MISSING, Rule.REFERENCE} <= set(denied)
    assert Rule.OUTSIDE in rules(text(synthesis="There is no ship."))


def test_where_a_phrase_points_at_nothing_the_class_is_not_denied():
    nothing = sample(Task.GROUND, boxes=(), answer="", question="the ship left of the bridge")
    parts = {"plan": "Look left of the bridge.", "synthesis": "Nothing fits.", "answer": "[]"}
    assert rules(text(evidence="No ship that fits is visible.", **parts), nothing) == []
    assert rules(text(evidence="No ship left of the bridge is visible.", **parts), nothing) == []
    assert rules(text(evidence="No ship is visible.", **parts), nothing) == [Rule.OUTSIDE]
    unsure = TrueBox(label="ship", x0=500, y0=500, x1=520, y1=520, ignore=True)
    difficult = sample(boxes=(unsure,), answer="0")
    parts = {"synthesis": "No clear ship is visible.", "answer": "0"}
    assert rules(text(evidence="No clear ship is visible.", **parts), difficult) == []
    assert rules(text(evidence=NONE, **parts), difficult) == [Rule.OUTSIDE]


def test_nobody_speaks_of_what_he_was_given():
    for words in (
        "according to the ground truth",
        "matching the given boxes",
        "as provided",
        "in the annotations",
    ):
        assert rules(text(synthesis=f"E1 and E2 are ships, {words}.")) == [Rule.GIVEAWAY]
    region = sample(
        Task.REGION_CAPTION,
        asked=(),
        boxes=(),
        regions=(TANK,),
        question="Describe <region:0>.",
        answer="a tank",
    )
    said = text(
        plan="Look only inside the given box.", evidence="", synthesis="It is round.", answer="a tank"
    )
    assert rules(said, region) == []


def test_parts_have_a_length():
    assert rules(text(plan="Look for ships " + " ".join(f"behind pier P{n}" for n in range(40)) + ".")) == [
        Rule.LENGTH
    ]
    long = text().replace("E1 ship, upper left", "E1 ship, " + "long and grey, " * 20)
    assert Rule.LENGTH in rules(long)


ANSWERS = [
    (Task.COUNT, {"answer": "2"}, "2", "3"),
    (Task.COUNT, {"answer": "2"}, "2", "two ships"),
    (Task.VQA, {"answer": "yes", "question": "Are there ships?"}, "Yes", "no"),
    (Task.VQA, {"answer": "white", "answers": ("grey",), "question": "Which colour?"}, "grey", "red"),
    (Task.VQA, {"answer": "10", "boxes": (), "asked": (), "question": "?"}, "10", "1"),
    (Task.CLASSIFY, {"answer": "port", "answers": ("port",)}, "Port", "port, farmland"),
    (Task.CLASSIFY, {"answer": "Bare Land", "answers": ("bare land",)}, "BareLand", "land"),
    (Task.CLASSIFY, {"answer": "a, with b, c", "answers": ("a, with b", "c")}, "c, a, with b", "a, with b"),
    (Task.CAPTION, {"answer": "Two ships.", "captions": ("Two ships.", "Ships at sea.")}, "ships at sea", "A sea."),
    (Task.DETECT, {"answer": ""}, "[[700,720,760,760],[100,100,200,140]]", "[[700,720,760,760]]"),
    (Task.DETECT, {"answer": ""}, "[[100,100,200,140],[700,720,760,760]]",
     "[[100,100,200,140],[700,720,760,760],[5,5,9,9]]"),
    (Task.GROUND, {"answer": "", "question": "the ships"}, "[[100,100,200,140],[700,720,760,760]]",
     "the ships [[100,100,200,140],[700,720,760,760]]"),
    (Task.DETECT, {"answer": ""}, "[[100,100,200,140],[700,720,760,760]]", "[]"),
    (Task.GROUNDED_CAPTION, {"answer": "A ship <box:0> and a ship <box:1>.", "asked": ()},
     "A ship [100,100,200,140] and a ship [700,720,760,760].",
     "A ship [700,720,760,760] and a ship [100,100,200,140]."),
    (Task.GROUNDED_CAPTION, {"answer": "Ships <box:0> <box:1>.", "asked": ()},
     "Ships [100,100,200,140] [700,720,760,760].", "Ships [100,100,200,140]."),
]  # fmt: skip


@pytest.mark.parametrize(("task", "changes", "right", "wrong"), ANSWERS)
def test_the_answer_is_the_truth(task, changes, right, wrong):
    of = sample(task, **changes)
    parts = {} if of.boxes else {"evidence": "", "synthesis": "It is so.", "plan": "Look."}
    assert rules(text(answer=right, **parts), of) == []
    assert Rule.ANSWER in rules(text(answer=wrong, **parts), of)


def test_an_empty_list_where_there_is_none():
    nothing = sample(Task.DETECT, boxes=(), answer="")
    assert rules(text(evidence=NONE, synthesis="None.", answer="[]"), nothing) == []
    assert Rule.ANSWER in rules(text(evidence=NONE, synthesis="None.", answer="[[1,2,30,40]]"), nothing)


def test_of_several_images_the_sentence_names_the_right_one():
    later = TrueBox(label="ship", x0=100, y0=100, x1=200, y1=140, image=1)
    of = sample(Task.CHANGE, images=(IMAGE, SampleImage(path="b.png", width=1000, height=1000)), boxes=(later,),
                question="What changed?", answer="A ship appeared.", asked=())  # fmt: skip
    parts = {"plan": "Compare the images.", "synthesis": "E1 is a new ship.", "answer": "A ship appeared."}
    assert (
        rules(text(evidence="E1 ship, upper left of image 2 [100,100,200,140].", **parts), of, seen=SEEN * 2)
        == []
    )
    assert rules(
        text(evidence="E1 ship, upper left of image 1 [100,100,200,140].", **parts), of, seen=SEEN * 2
    ) == [Rule.IMAGE]


def test_boxes_are_read_in_the_frame_of_the_profile():
    geochat = Verifier(get_profile("geochat"), Vocabulary(NAMES))
    said = text(evidence="E1 ship {<10><10><20><14>}. E2 ship {<70><72><76><76>}. ")
    assert rules(said, verifier=geochat) == []
    qwen = Verifier(get_profile("qwen2.5-vl"), Vocabulary(NAMES))
    said = text(evidence="E1 ship [50,50,100,70]. E2 ship [350,360,380,380]. ")
    assert rules(said, verifier=qwen, seen=((500, 500),)) == []
    assert Rule.BOX_NOT_TRUE in rules(text(), verifier=qwen, seen=((500, 500),))


def test_a_reason_is_a_sentence_that_says_what_to_do():
    verdict = VERIFIER.verify(text(evidence="E1 ship, upper left [100,100,200,140]. "), sample(), SEEN, "t")
    assert verdict.reasons[0].sentence == (
        "The ship at [700,720,760,760] is not cited; add a sentence for it."
    )


BROKEN = {
    "a box moved by half its width": lambda t: t.replace("[100,100,200,140]", "[150,100,250,140]"),
    "a box twice as large": lambda t: t.replace("[700,720,760,760]", "[670,700,790,780]"),
    "two boxes exchanged for one": lambda t: t.replace("[700,720,760,760]", "[100,100,200,140]"),
    "a line left out": lambda t: t.replace("E2 ship, lower right [700,720,760,760]. ", ""),
    "a number more": lambda t: t.replace("2 in all", "3 in all"),
    "an answer more": lambda t: t.replace("<answer>2", "<answer>3"),
    "an answer in words": lambda t: t.replace("<answer>2", "<answer>There are 2 ships"),
    "another class": lambda t: t.replace("E1 ship", "E1 bridge"),
    "a class that is not there": lambda t: t.replace("are ships", "are ships and airplanes"),
    "an evidence that is not there": lambda t: t.replace("E1 and E2", "E1 and E4"),
    "another corner": lambda t: t.replace("lower right", "upper left"),
    "no synthesis": lambda t: t.replace("E1 and E2 are ships, 2 in all.", ""),
    "a tag lost": lambda t: t.replace("</evidence>", ""),
    "a loop": lambda t: t.replace("2 in all.", "2 in all. " * 60),
    "the truth named": lambda t: t.replace("Scan", "Given the provided boxes, scan"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_whatever_is_broken_in_a_good_text_is_noticed(name):
    broken = BROKEN[name](text())
    assert broken != text()
    assert rules(broken)


SHIPS_TANK = (
    "E1 ship, upper left [100,100,200,140]. E2 ship, lower right [700,720,760,760]. E3 storage tank, centre "
)
SHIPS_TANK += "[400,420,460,480]. "

UNTRUE = {
    # more objects than there are
    "another one": (dict(synthesis="E1 and E2 are ships. Another ship lies behind them."), Rule.NUMBER),
    "a third one": (dict(synthesis="E1 and E2 are ships; a third ship lies outside."), Rule.NUMBER),
    "a third thing": (dict(synthesis="The third object is cut by the edge."), Rule.NUMBER),
    "dozens": (dict(synthesis="Dozens of white ships lie here, E1 and E2 among them."), Rule.NUMBER),
    "several": (dict(synthesis="E1 and E2 are two of several ships."), Rule.NUMBER),
    "a number behind": (dict(synthesis="The ships number three."), Rule.NUMBER),
    "a number after a colon": (dict(synthesis="Ships: 3."), Rule.NUMBER),
    "half a dozen": (dict(synthesis="E1 and E2 belong to half a dozen ships."), Rule.NUMBER),
    "a number in a sentence of evidence": (
        dict(evidence="E1 ship, one of 7 ships [100,100,200,140]. E2 ship [700,720,760,760]. "), Rule.NUMBER),
    "evidence that is spelled out": (dict(synthesis="Evidence 3 shows a ship."), Rule.REFERENCE),
    # fewer
    "only one": (dict(synthesis="Only E1 is a ship."), Rule.NUMBER),
    "absent": (dict(synthesis="Ships are absent."), Rule.OUTSIDE),
    "not seen": (dict(synthesis="Ships cannot be seen."), Rule.OUTSIDE),
    "not one": (dict(synthesis="E1 is not a ship."), Rule.OUTSIDE),
    "not one, in its own sentence": (
        dict(evidence="E1 ship, or rather not a ship [100,100,200,140]. E2 ship [700,720,760,760]. "), Rule.OUTSIDE),
    # elsewhere
    "another side": (
        dict(evidence="E1 ship, right [100,100,200,140]. E2 ship [700,720,760,760]. "), Rule.PLACE),
    "another side in words": (
        dict(evidence="E1 ship at the bottom of the image [100,100,200,140]. E2 ship [700,720,760,760]. "), Rule.PLACE),
    "the centre": (dict(evidence="E1 ship, centre [100,100,200,140]. E2 ship [700,720,760,760]. "), Rule.PLACE),
    "exchanged in the synthesis": (
        dict(synthesis="E1, in the lower right, and E2, in the upper left, are ships."), Rule.PLACE),
    "below": (dict(synthesis="E1 lies below E2."), Rule.PLACE),
    "right of": (dict(synthesis="E1 lies to the right of E2."), Rule.PLACE),
    "larger": (dict(synthesis="E2 is larger than E1."), Rule.PLACE),
    # other things
    "a thing that comes and goes": (dict(synthesis="E1 and E2 are ships; a truck stands near."), Rule.OUTSIDE),
    "an animal": (dict(plan="Look for ships and cows."), Rule.OUTSIDE),
    # other ends
    "another conclusion": (dict(synthesis="E1 and E2 are ships, so the answer is 5."), Rule.ANSWER),
    # not to be checked
    "another language": (dict(synthesis="E1 und E2 sind Schiffe, drei insgesamt."), Rule.FORMAT),
    "another script": (dict(synthesis="共有三艘船。"), Rule.FORMAT),
    "a comment": (dict(synthesis="E1 and E2 are ships. <!-- 3 -->"), Rule.FORMAT),
    "what stands above": (dict(synthesis="E1 and E2 are ships, as the boxes above state."), Rule.GIVEAWAY),
}  # fmt: skip


@pytest.mark.parametrize("name", UNTRUE)
def test_what_is_untrue_is_noticed_however_it_is_said(name):
    parts, rule = UNTRUE[name]
    assert rule in rules(text(**parts))


@pytest.mark.parametrize(
    "parts",
    [
        dict(synthesis="A pair of ships: E1 in the upper left, E2 in the lower right."),
        dict(synthesis="In the upper left lies E1, in the lower right E2."),
        dict(synthesis="Both E1 and E2 are ships; E1 is larger than E2 and lies above E2."),
        dict(synthesis="E1 and E2 are ships. No other ship is visible."),
        dict(synthesis="E1 and E2 are ships near the bus station, so the answer is 2."),
        dict(evidence="E1 ship in the upper left corner of the basin [100,100,200,140]. E2 ship, left of the pier "
             "[700,720,760,760]. "),
        dict(evidence="E1 ship on the left side [100,100,200,140]. E2 another ship at the bottom of the image "
             "[700,720,760,760]. "),
    ],
)  # fmt: skip
def test_what_is_true_may_be_said_in_many_ways(parts):
    assert rules(text(**parts)) == []


def test_other_names_for_cited_objects_are_noticed_in_either_order():
    three = sample(Task.VQA, question="What is there?", answer="ships", boxes=(*SHIPS, TANK), asked=())
    parts = {"evidence": SHIPS_TANK, "answer": "ships"}
    for said in ("The ships are E1, E2 and E3.", "E1, E2 and E3 are ships.", "E1 looks like a storage tank."):
        assert rules(text(synthesis=said, **parts), three) == [Rule.LABEL]
    assert rules(text(synthesis="The ships are E1 and E2; E3 is a storage tank.", **parts), three) == []


def test_a_yes_is_not_reasoned_from_a_no():
    asked = sample(Task.VQA, question="Are there ships?", answer="yes")
    for said in ("No, nothing of that kind is here.", "Yes, there are ships. So: no.", "The answer is no."):
        assert Rule.ANSWER in rules(text(synthesis=said, answer="yes"), asked)
    assert rules(text(synthesis="E1 and E2 are ships. So: yes.", answer="yes"), asked) == []


def test_what_is_not_there_is_not_spoken_of_as_if_it_were():
    nothing = sample(boxes=(), answer="0")
    for said in (
        "Moored ships line the pier.",
        "Ships are moored at the pier.",
        "A ship may lie in the harbour.",
    ):
        assert rules(text(evidence=NONE, synthesis=said, answer="0"), nothing) == [Rule.OUTSIDE]
    for said in (
        "Ships would show by their wakes; none does.",
        "No ship is visible.",
        "The search for ships ends here.",
    ):
        assert rules(text(evidence=NONE, synthesis=said, answer="0"), nothing) == []


def test_changes_are_counted_by_the_date_they_are_on():
    one = TrueBox(label="ship", x0=100, y0=100, x1=200, y1=140)
    later = [TrueBox(label="ship", x0=x, y0=720, x1=x + 60, y1=760, image=1) for x in (700, 800)]
    of = sample(Task.CHANGE, images=(IMAGE, SampleImage(path="b.png", width=1000, height=1000)), boxes=(one, *later),
                question="What changed?", answer="yes", asked=())  # fmt: skip
    evidence = (
        "E1 ship, upper left of image 1 [100,100,200,140]. E2 ship, lower right of image 2 [700,720,760,760]. "
        "E3 ship, lower right of image 2 [800,720,860,760]. "
    )
    parts = {"plan": "Compare the images.", "evidence": evidence, "answer": "yes"}
    for said, expected in (
        ("2 ships appeared, 1 ship disappeared.", []),
        ("1 ship appeared, 2 ships disappeared.", [Rule.NUMBER, Rule.NUMBER]),
        ("3 ships appeared.", [Rule.NUMBER]),
    ):
        assert rules(text(synthesis=said, **parts), of, seen=SEEN * 2) == expected

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

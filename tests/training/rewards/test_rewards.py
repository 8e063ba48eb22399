"""Each reward by hand: what it gives, what it gives for nothing, and for what is malformed."""

from __future__ import annotations

from pathlib import Path

import pytest

from groundproof.models.profiles import get_profile
from groundproof.protocol import Task
from groundproof_training.errors import TrainingError
from groundproof_training.metrics.cider import Frequencies
from groundproof_training.readers import procedural
from groundproof_training.readers.base import Problems
from groundproof_training.readers.procedural import ProceduralOptions
from groundproof_training.rewards import NAMES, get
from groundproof_training.samples import Form, SampleImage, TrueBox, completion_of
from groundproof_training.samples.types import EvidenceLine, Rationale

from .made import RSTHINKER, SEEN, TINY, grid, listed, sample, trace

PAPER, GEO, FAITH = get("rsthinker"), get("geovlm-r1", {"similarity": "lexical"}), get("faithfulness")
FORMAT, OUTER = get("format"), get("geovlm-r1-format")
TEN = grid(10)
FAR = [(900, 900 - 50 * i, 940, 940 - 50 * i) for i in range(6)]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [("4", 1), ("3", 0.75), ("8", 0.5), ("four", 1), ("0", 0), ("3 or 4", 0), ("nan", 0)],
)
def test_a_count_is_scored_by_its_relative_error(answer: str, expected: float) -> None:
    four = sample(Task.COUNT, grid(4), answer="4")
    assert PAPER(trace(answer), four, TINY, SEEN) == pytest.approx(expected)
    assert GEO(trace(answer), four, TINY, SEEN) == float(expected == 1)


def test_alpha_steepens_the_count_and_nothing_falls_below_0() -> None:
    four = sample(Task.COUNT, grid(4), answer="4")
    assert get("rsthinker", {"alpha": 2})(trace("3"), four, TINY, SEEN) == pytest.approx(0.5)
    assert get("rsthinker", {"alpha": 9})(trace("3"), four, TINY, SEEN) == 0


def test_detection_is_the_mean_of_f1_and_ap() -> None:
    ten = sample(Task.DETECT, TEN)
    assert PAPER(trace(listed(TEN)), ten, TINY, SEEN) == 1
    # 5 hits of 7 boxes and 10 objects: F1 10/17, AP with tied ranks 5/7 x 1/2
    said = [*TEN[:5], *FAR[:2]]
    assert PAPER(trace(listed(said)), ten, TINY, SEEN) == pytest.approx((10 / 17 + 5 / 14) / 2)
    # summed IoU 5 over 10 objects, and AP
    assert GEO(trace(listed(said)), ten, TINY, SEEN) == pytest.approx((5 / 10 + 5 / 14) / 2)


def test_a_listed_ranking_rewards_the_surer_box_first() -> None:
    ranked = get("rsthinker", {"ranking": "listed", "f1_share": 0})
    two = sample(Task.DETECT, TEN[:2])
    assert ranked(trace(listed([TEN[0], FAR[0]])), two, TINY, SEEN) == pytest.approx(0.5)
    assert ranked(trace(listed([FAR[0], TEN[0]])), two, TINY, SEEN) == pytest.approx(0.25)


def test_grounding_is_the_iou() -> None:
    one = sample(Task.GROUND, [(100, 100, 200, 200)])
    half = trace("[[100,100,200,150]]")
    assert PAPER(half, one, TINY, SEEN) == GEO(half, one, TINY, SEEN) == pytest.approx(0.5)
    assert PAPER(trace("[]"), one, TINY, SEEN) == 0
    assert PAPER(trace("[[100,100,200,200],[700,700,800,800]]"), one, TINY, SEEN) == pytest.approx(0.5)


@pytest.mark.parametrize("reward", [PAPER, GEO])
@pytest.mark.parametrize("task", [Task.DETECT, Task.GROUND])
def test_of_an_absent_object_the_right_answer_is_to_refuse(reward: object, task: Task) -> None:
    absent = sample(task)
    assert reward(trace("[]"), absent, TINY, SEEN) == 1
    assert reward(trace("none"), absent, TINY, SEEN) == 1
    assert reward(trace("[[1,1,9,9]]"), absent, TINY, SEEN) == 0
    assert reward(trace("a ship"), absent, TINY, SEEN) == 0


@pytest.mark.parametrize(
    ("answer", "true", "paper", "geo"),
    [
        ("dense residential", "dense residential", 1, 1), ("DenseResidential.", "dense residential", 1, 1),
        ("medium residential", "dense residential", 0.6, 0), ("forest", "dense residential", 0, 0),
        ("dense residential, forest", "dense residential", 0, 0.5),
    ],
)  # fmt: skip
def test_a_class_is_right_or_of_the_same_group(answer: str, true: str, paper: float, geo: float) -> None:
    asked = sample(Task.CLASSIFY, answer=true)
    assert PAPER(trace(answer), asked, TINY, SEEN) == pytest.approx(paper)
    assert GEO(trace(answer), asked, TINY, SEEN) == pytest.approx(geo)


def test_several_classes() -> None:
    asked = sample(Task.CLASSIFY, answer="Pastures, Forest", answers=("Pastures", "Forest"),
                   choices=("Pastures", "Forest", "Water", "Urban"))  # fmt: skip
    assert PAPER(trace("Forest, Pastures"), asked, TINY, SEEN) == 1
    assert PAPER(trace("Forest"), asked, TINY, SEEN) == pytest.approx(0.6)
    assert PAPER(trace("Forest, Water"), asked, TINY, SEEN) == 0
    assert GEO(trace("Forest"), asked, TINY, SEEN) == pytest.approx(0.5)
    assert GEO(trace("Forest, Water, Pastures, Urban"), asked, TINY, SEEN) == pytest.approx(0.5)
    published = get("geovlm-r1", {"classes": "recall"})
    assert published(trace("Forest, Water, Pastures, Urban"), asked, TINY, SEEN) == 1  # its weakness


@pytest.mark.parametrize(
    ("answer", "true", "paper", "geo"),
    [
        ("Yes", "yes", 1, 1), ("no", "yes", 0, 0), ("yes and no", "yes", 0, 0), ("two", "2", 1, 1), ("3", "2", 0, 0),
        ("vehicle", "car", 0.6, 0), ("top left", "top right", 0.6, 1 / 3), ("upper left", "top-left", 1, 1),
    ],
)  # fmt: skip
def test_short_answers(answer: str, true: str, paper: float, geo: float) -> None:
    asked = sample(Task.VQA, question="What is it?", asked=(), answer=true)
    assert PAPER(trace(answer), asked, TINY, SEEN) == pytest.approx(paper)
    assert GEO(trace(answer), asked, TINY, SEEN) == pytest.approx(geo)


def test_another_wording_of_the_answer_is_right_too() -> None:
    asked = sample(Task.VQA, question="What is it?", asked=(), answer="pier", answers=("jetty",))
    assert PAPER(trace("jetty"), asked, TINY, SEEN) == GEO(trace("jetty"), asked, TINY, SEEN) == 1


CAPTIONS = (
    "Many airplanes are parked near a terminal.",
    "Several airplanes stand beside the terminal of an airport.",
)


def test_a_caption_is_the_weighted_sum_of_its_metrics() -> None:
    captioned = sample(Task.CAPTION, captions=CAPTIONS)
    others = [sample(Task.CAPTION, captions=(f"a {word} in a field",), sample_id=word,
                     images=(SampleImage(path=f"{word}.png", width=9, height=9),))
              for word in ("river", "road", "forest")]  # fmt: skip
    reward = get("rsthinker", samples=[captioned, *others])
    alone = {name: get("rsthinker", {"captions": {"bleu_4": 0, "meteor": 0, "cider": 0, "rouge_l": 0, name: 1}},
                       samples=[captioned, *others]) for name in ("bleu_4", "meteor", "cider", "rouge_l")}  # fmt: skip
    said = trace("Many airplanes are parked beside the terminal.")
    parts = [one(said, captioned, TINY, SEEN) for one in alone.values()]
    assert reward(said, captioned, TINY, SEEN) == pytest.approx(sum(parts) / 4)
    assert min(parts) > 0.2
    assert max(parts) < 1
    assert reward(trace(CAPTIONS[0]), captioned, TINY, SEEN) > 0.8
    assert reward(trace("A river."), captioned, TINY, SEEN) < 0.1


def test_a_caption_of_two_words_can_be_right() -> None:
    region = sample(Task.REGION_CAPTION, answer="A ship.")
    reward = get("rsthinker", samples=[region])
    assert reward(trace("A ship."), region, TINY, SEEN) == 1
    assert reward(trace("a large ship"), region, TINY, SEEN) == pytest.approx(2 / 3)
    assert reward(trace("a car"), region, TINY, SEEN) == 0


def test_captions_without_a_cider_table_are_refused_with_what_to_do(tmp_path: Path) -> None:
    captioned = sample(Task.CAPTION, captions=CAPTIONS)
    with pytest.raises(TrainingError, match="name a file in cider_table, or set captions"):
        get("rsthinker")(trace("A ship."), captioned, TINY, SEEN)
    Frequencies.of([CAPTIONS, ("a river",)]).save(tmp_path / "df.json")
    from_file = get("rsthinker", {"cider_table": tmp_path / "df.json"})
    assert from_file(trace(CAPTIONS[0]), captioned, TINY, SEEN) > 0.5


def test_geovlm_r1_compares_captions_as_its_paper_names_them() -> None:
    caption = sample(Task.CAPTION, captions=("kitten",))
    assert GEO(trace("sitting"), caption, TINY, SEEN) == pytest.approx(4 / 7)
    region = sample(Task.REGION_CAPTION, answer="a white ship at a pier")
    assert GEO(trace("a white ship"), region, TINY, SEEN) == pytest.approx(2 * 2 / (2 + 4))
    box = TrueBox(label="ship", x0=100, y0=100, x1=200, y1=200)
    grounded = sample(Task.GROUNDED_CAPTION, answer="A ship <box:0> at a pier.", boxes=(box,))
    text = trace("A ship [100,100,200,150] at a pier.", [(100, 100, 200, 150)])
    assert GEO(text, grounded, TINY, SEEN) == pytest.approx((1 + 0.5) / 2)


def test_how_sentences_are_compared_has_to_be_chosen() -> None:
    region = sample(Task.REGION_CAPTION, answer="a white ship at a pier")
    with pytest.raises(TrainingError, match='similarity = "lexical", which takes the F1 of words'):
        get("geovlm-r1")(trace("a ship"), region, TINY, SEEN)
    with pytest.raises(TrainingError, match='similarity = "lexical"'):
        get("geovlm-r1", samples=[region])
    assert get("geovlm-r1", samples=[sample(Task.COUNT, answer="3")])(trace("3"), sample(Task.COUNT, answer="3"),
                                                                      TINY, SEEN) == 1  # fmt: skip
    with pytest.raises(TrainingError, match="encoder"):
        get("geovlm-r1", {"similarity": "sentence-encoder"})
    with pytest.raises(TrainingError, match=r"config\.json is expected"):
        get("geovlm-r1", {"similarity": "sentence-encoder", "encoder": "nowhere"})


@pytest.mark.parametrize(
    ("text", "outer", "exact"),
    [
        (trace("3"), 1, 1),
        (f"  {trace('3')}\n", 1, 1),
        ("<think>It is so.</think>\n<answer>3</answer>", 1, 0),
        ("<think> </think><answer>3</answer>", 0, 0),
        ("<think>So.</think><answer> </answer>", 0, 0),
        (trace("3")[:-5], 0, 0),
        (trace("3") + "x", 0, 0),
        ("x" + trace("3"), 0, 0),
        ("<answer>3</answer><think>So.</think>", 0, 0),
        ("<think>So. <answer>3</answer></think>", 0, 0),
        ("<think>So. <answer>3</answer></think><answer>3</answer>", 0, 0),
        ("<think>So.</think><think>So.</think><answer>3</answer>", 0, 0),
        (trace("3") + "<answer>4</answer>", 0, 0),
        (
            "<think><plan>a</plan><synthesis>c</synthesis><evidence>b</evidence></think><answer>3</answer>",
            1,
            0,
        ),
        (
            "<think><plan>a</plan>!<evidence>b</evidence><synthesis>c</synthesis></think><answer>3</answer>",
            1,
            0,
        ),
        (
            "<think><plan>a</plan><evidence> </evidence><synthesis>c</synthesis></think><answer>3</answer>",
            1,
            0,
        ),
        ("<answer>3</answer>", 0, 0),
        ("3", 0, 0),
        ("", 0, 0),
    ],
)
def test_the_form(text: str, outer: float, exact: float) -> None:
    three = sample(Task.COUNT, answer="3")
    assert OUTER(text, three, TINY, SEEN) == outer
    assert FORMAT(text, three, TINY, SEEN) == exact
    assert PAPER(text, three, TINY, SEEN) == outer  # what is malformed earns nothing for its task either


def test_other_forms_have_other_tags() -> None:
    three = sample(Task.COUNT, answer="3")
    prose = "<think>I see three.</think><answer>3</answer>"
    assert FORMAT(prose, three, RSTHINKER, SEEN) == 1
    assert FORMAT(trace("3"), three, RSTHINKER, SEEN) == 0
    assert FORMAT("<answer>3</answer>", three, TINY, SEEN, Form.ANSWER) == 1
    assert PAPER("<answer>3</answer>", three, TINY, SEEN, Form.ANSWER) == 1
    assert FORMAT(prose, three, TINY, SEEN, Form.ANSWER) == 0
    own = get_profile("geochat")
    assert FORMAT("3", three, own, SEEN) is None
    assert PAPER("3", three, own, SEEN) == 1


def test_what_is_not_known_is_not_rewarded() -> None:
    assert PAPER(trace("[]"), sample(Task.DETECT, TEN, complete=False), TINY, SEEN) is None
    assert PAPER(trace("3"), sample(Task.COUNT, complete=False), TINY, SEEN) is None
    assert PAPER(trace("x"), sample(Task.CAPTION), TINY, SEEN) is None
    assert PAPER(trace("x"), sample(Task.VQA), TINY, SEEN) is None
    assert FAITH(trace("3"), sample(Task.COUNT, complete=False, answer="3"), TINY, SEEN) is None
    assert (
        FAITH(trace("3"), sample(Task.COUNT, answer="3"), TINY, SEEN) is None
    )  # 3, and no boxes: not absence
    assert FAITH("<answer>3</answer>", sample(Task.COUNT, TEN[:3]), TINY, SEEN, Form.ANSWER) is None


def test_what_is_difficult_counts_neither_way() -> None:
    hard = TrueBox(label="ship", x0=800, y0=800, x1=840, y1=840, ignore=True)
    easy = sample(Task.DETECT, TEN[:2])
    both = easy.model_copy(update={"boxes": (*easy.boxes, hard)})
    for reward in (PAPER, GEO):
        for said in (TEN[:2], [*TEN[:2], (800, 800, 840, 840)]):
            assert reward(trace(listed(said)), both, TINY, SEEN) == 1
    alone = easy.model_copy(update={"boxes": (hard,)})
    assert (
        PAPER(trace("[]"), alone, TINY, SEEN) == PAPER(trace("[[800,800,840,840]]"), alone, TINY, SEEN) == 1
    )
    assert FAITH(trace(listed(said), said), both, TINY, SEEN) == 1


def test_classes_are_kept_apart_where_several_are_asked_for() -> None:
    ship, truck = TEN[:2]
    boxes = (TrueBox(label="ship", x0=ship[0], y0=ship[1], x1=ship[2], y1=ship[3]),
             TrueBox(label="truck", x0=truck[0], y0=truck[1], x1=truck[2], y1=truck[3]))  # fmt: skip
    two = sample(Task.DETECT, boxes=boxes, asked=("ship", "truck"))
    right = f"<think>E1 ship {listed([ship])[1:-1]}. E2 truck {listed([truck])[1:-1]}.</think>"
    swapped = f"<think>E1 truck {listed([ship])[1:-1]}. E2 ship {listed([truck])[1:-1]}.</think>"
    answer = f"<answer>{listed([ship, truck])}</answer>"
    assert PAPER(right + answer, two, TINY, SEEN) == 1
    assert PAPER(swapped + answer, two, TINY, SEEN) == 0


def test_an_object_annotated_twice_may_be_written_twice() -> None:
    twice = sample(Task.DETECT, [TEN[0], TEN[0]])
    assert PAPER(trace(listed([TEN[0], TEN[0]])), twice, TINY, SEEN) == 1


def test_boxes_of_a_window_and_of_pixel_frames_are_placed_in_the_file() -> None:
    window = SampleImage(path="a.png", width=1000, height=500, window=(100, 50, 300, 150))
    box = TrueBox(label="ship", x0=100, y0=50, x1=200, y1=100)
    shown = sample(Task.DETECT, images=(window,), boxes=(box,))
    assert PAPER(trace("[[0,0,500,500]]"), shown, TINY, SEEN) == 1
    qwen = get_profile("qwen2.5-vl")
    assert PAPER(trace("[[0,0,112,56]]"), shown, qwen, ((224, 112),)) == 1
    turned = get_profile("geovlm-r1")
    assert GEO(trace("[[0,0,112,56,180]]"), shown, turned, ((224, 112),)) == 1


FAITHFUL = [
    ("all cited, answer follows", trace("3", TEN[:3]), 1.0),
    ("a sentence without a box", trace("3", TEN[:3], extra="A ship at the pier. "), (2 + 1 + 3 / 4) / 4),
    ("one invented", trace("4", [*TEN[:3], FAR[0]]), 6 / 7),
    ("one missed, answer right by luck", trace("3", TEN[:2]), 4 / 5 * 2 / 4),
    ("answer does not follow", trace("4", TEN[:3]), 2 / 4),
    ("boxes without words", trace("3", TEN[:3], name=""), (2 + 0 + 1) / 4),
    ("another class", trace("3", TEN[:3], name="truck"), 0.0),
    ("a kind of it", trace("3", TEN[:3], name="A white boat"), 1.0),
    ("no evidence", trace("3"), 0.0),
    ("truncated", trace("3", TEN[:3])[:-3], 0.0),
]


@pytest.mark.parametrize(
    ("text", "expected"), [row[1:] for row in FAITHFUL], ids=[row[0] for row in FAITHFUL]
)
def test_a_rationale_is_worth_its_evidence_and_what_follows_from_it(text: str, expected: float) -> None:
    assert FAITH(text, sample(Task.COUNT, TEN[:3], answer="3"), TINY, SEEN) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("task", "right", "wrong", "changes"),
    [
        (Task.COUNT, "0", "1", {"answer": "0"}),
        (Task.DETECT, "[]", "[[1,1,9,9]]", {}),
        (Task.GROUND, "[]", "a ship", {}),
        (Task.VQA, "no", "yes", {"answer": "no"}),
    ],
)
def test_refusing_what_is_absent_is_faithful(task: Task, right: str, wrong: str, changes: dict) -> None:
    absent = sample(task, **changes)
    assert FAITH(trace(right), absent, TINY, SEEN) == 1
    assert FAITH(trace(wrong), absent, TINY, SEEN) == 0
    assert FAITH(trace(right, [(1, 1, 9, 9)]), absent, TINY, SEEN) == 0


def test_yes_needs_evidence() -> None:
    present = sample(Task.VQA, TEN[:1], answer="yes")
    assert FAITH(trace("yes", TEN[:1]), present, TINY, SEEN) == 1
    assert FAITH(trace("no", TEN[:1]), present, TINY, SEEN) == pytest.approx(0.5)
    assert FAITH(trace("yes"), present, TINY, SEEN) == 0


@pytest.mark.parametrize("profile", ["tiny", "rsthinker", "qwen3-vl", "qwen2.5-vl"])
@pytest.mark.parametrize("task", [Task.COUNT, Task.DETECT, Task.GROUND])
def test_the_true_completion_earns_everything(profile: str, task: Task) -> None:
    family = get_profile(profile)
    rationale = Rationale(plan="Look.", evidence=tuple(EvidenceLine(text="ship", box=n) for n in range(3)),
                          synthesis="E1 to E3 are ships.", by="template")  # fmt: skip
    true = sample(task, TEN[:3], answer="3" if task is Task.COUNT else "", rationale=rationale)
    form = Form.THINK if family.answer_form == "think" else Form.GEO_COT
    text = completion_of(true, family, SEEN, form)
    for reward in (PAPER, GEO, FAITH, FORMAT, OUTER):
        assert reward(text, true, family, SEEN) == pytest.approx(1), reward.name


def test_names_and_settings_are_checked() -> None:
    with pytest.raises(TrainingError, match="Rewards: rsthinker, geovlm-r1"):
        get("rsthinkr")
    with pytest.raises(TrainingError, match=r"alfa is 1.*Settings: alpha"):
        get("rsthinker", {"alfa": 1})
    with pytest.raises(TrainingError, match="alpha is -1"):
        get("rsthinker", {"alpha": -1})
    with pytest.raises(TrainingError, match="takes FaithfulnessSettings"):
        get("faithfulness", PAPER.settings)
    for name in NAMES:
        assert get(name).name == name


def test_of_a_question_that_is_not_whether_something_is_there_no_is_no_absence() -> None:
    compared = sample(Task.VQA, question="Is the ship longer than the pier?", answer="no")
    assert FAITH(trace("no"), compared, TINY, SEEN) is None


def test_the_procedural_worlds_own_completions_are_right_and_faithful(tmp_path: Path) -> None:
    options = ProceduralOptions(scenes=12, questions=4)
    samples = list(procedural.READERS[0].read(tmp_path, "train", options, Problems()))
    assert len({one.task for one in samples}) >= 6
    paper = get("rsthinker", samples=samples)
    for profile in (TINY, RSTHINKER):
        form = Form.THINK if profile.answer_form == "think" else Form.GEO_COT
        for one in samples:
            seen = tuple(image.shown_size for image in one.images)
            text = completion_of(one, profile, seen, form)
            assert FORMAT(text, one, profile, seen) == 1
            assert FAITH(text, one, profile, seen) in (None, 1), text
            for reward in (paper, GEO):
                assert reward(text, one, profile, seen) > 0.9, text  # boxes in whole per mille

"""VRSBench's and GeoChat's rules, and the words that published rules share, against nltk and rouge-score."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.tokenize import word_tokenize
from rouge_score.rouge_scorer import RougeScorer

from groundproof_training.evaluation.cases import Family, px_facts
from groundproof_training.evaluation.compat import COMPAT
from groundproof_training.evaluation.compat.sums import mean_of_groups, mean_unless, pooled
from groundproof_training.evaluation.compat.texts import answer_of, rouge_1, rouge_l, treebank
from groundproof_training.evaluation.compat.vrsbench import iou_plus_one, is_right
from tests.training.evaluation.compat_cases import case, upright, values

VRS, GEOCHAT = COMPAT["vrsbench"], COMPAT["geochat"]
GRID = (100.0, 100.0)
PIXELS = st.integers(0, 12)


@given(st.tuples(PIXELS, PIXELS, PIXELS, PIXELS), st.tuples(PIXELS, PIXELS, PIXELS, PIXELS))
def test_plus_one_is_a_count_of_cells_with_both_ends(a, b):
    boxes = [(x, y, x + w, y + h) for x, y, w, h in (a, b)]
    cells = [{(i, j) for i in range(x0, x1 + 1) for j in range(y0, y1 + 1)} for x0, y0, x1, y1 in boxes]
    iou, common, union = iou_plus_one(*(np.array([box], dtype=float) for box in boxes))
    assert (common[0], union[0]) == (len(cells[0] & cells[1]), len(cells[0] | cells[1]))
    assert iou[0] == pytest.approx(len(cells[0] & cells[1]) / len(cells[0] | cells[1]))


def test_vrsbench_grounding_by_unique_and_all():
    one = upright([[10, 10, 20, 20]])
    made = [
        case(
            Family.GROUNDING,
            "{<10><10><20><20>}",
            "{<10><10><20><20>}",
            size=GRID,
            true_boxes=one,
            unique="yes",
        ),
        case(Family.GROUNDING, "nothing", "{<10><10><20><20>}", size=GRID, true_boxes=one, unique="no"),
        case(
            Family.GROUNDING,
            "{<10><10><20><15>}",
            "{<10><10><20><20>}",
            size=GRID,
            true_boxes=one,
            unique="no",
        ),
    ]
    found = values(VRS.measures(made))
    assert found["acc@0.5"] == pytest.approx(2 / 3)
    assert found["acc@0.7"] == pytest.approx(1 / 3)
    assert (found["acc@0.5 unique"], found["acc@0.5 non-unique"]) == (1, 0.5)
    assert found["miou"] == pytest.approx((1 + 66 / 121) / 3)
    assert found["cumulative iou"] == pytest.approx((121 + 66) / 242)


def test_vrsbench_writes_px_on_its_grid():
    box = upright([[100, 50, 200, 100]])
    far = case(Family.GROUNDING, "", "", size=(1000, 500), said_boxes=box, true_boxes=box)
    assert values(VRS.measures([far]))["acc@0.7"] == 1


@pytest.mark.parametrize(
    ("said", "true", "right"),
    [("It is not", "no", True), ("yes", "no", False), ("13", "12", False), ("a large ship", "ship", True),
     ("upper left", "top left", True), ("red", "blue", False), ("2", "two", True)],
)  # fmt: skip
def test_vrsbench_answers(said, true, right):
    assert is_right(said, true) is right


def test_vrsbench_means_over_types_and_joins_three_of_them():
    made = [
        case(Family.VQA, "yes", "yes", type="object existence"),
        case(Family.VQA, "no", "yes", type="object existence"),
        case(Family.VQA, "urban", "urban", type="rural or urban"),
        case(Family.VQA, "port", "port", type="scene type"),
    ]
    found = values(VRS.measures(made))
    assert found["accuracy (our comparison for GPT-4o-mini's)"] == 0.75
    assert found["accuracy, mean of types (our comparison)"] == 0.75
    assert found["accuracy scene type (our comparison)"] == 1
    assert VRS.measures([case(Family.CAPTIONING, "a", "a")]) == []


def test_geochat_compares_letters_and_scores_scenes_alone():
    made = [case(Family.CLASSIFICATION, said, "DenseResidential") for said in ("Dense Residential.", "dense")]
    assert values(GEOCHAT.measures(made)) == {"accuracy": 0.5}
    assert GEOCHAT.measures([case(Family.VQA, "yes", "yes")]) == []


def test_an_answer_is_what_its_tags_hold():
    texts = {
        "<think>a 1</think>\n<answer>two</answer>": "two",
        "<answer>cut": "cut",
        "no tags 3": "no tags 3",
        "<think>never ends": "<think>never ends",
    }
    assert {text: answer_of(case(Family.VQA, text, "x")) for text in texts} == texts


SENTENCE = st.text(alphabet="abcRST 019.,-'!?äß", max_size=40)


@settings(deadline=None)
@given(SENTENCE, SENTENCE)
def test_rouge_is_the_librarys(one, other):
    theirs = RougeScorer(["rouge1", "rougeL"], use_stemmer=True).score(one, other)
    assert rouge_1(one, other) == pytest.approx(theirs["rouge1"].fmeasure)
    assert rouge_l(one, other) == pytest.approx(theirs["rougeL"].fmeasure)


@given(SENTENCE.filter(lambda text: not any(end in text[:-1] for end in ".?!")))
def test_words_of_one_sentence_are_nltks(text):
    assert list(treebank(text)) == word_tokenize(text, preserve_line=True)


def test_sentences_end_at_full_stops():
    assert treebank("A field. Two roads.") == ("A", "field", ".", "Two", "roads", ".")


def test_sums_follow_weights():
    w = np.array([2.0, 0, 1])
    assert pooled("p", [1, 5, 0], [2, 5, 4], "").of(w[None])[0] == pytest.approx(2 / 8)
    assert pooled("p", [1, 0], [2, 0], "", np.array([False, True])).of(np.ones((1, 2)))[0] == 0
    assert mean_unless("m", [1, 9, 4], np.array([False, True, False]), "").of(w[None])[0] == pytest.approx(2)
    grouped = mean_of_groups("g", [1, 1, 0, 1], ["a", "a", "b", ""], "")
    assert grouped.of(np.array([[1, 1, 1, 1], [1, 0, 0, 5]], dtype=float)).tolist() == [0.5, 1]
    assert grouped.applies.tolist() == [True, True, True, False]


def test_no_rule_for_boxes_scores_scenes_whose_truth_has_no_places():
    points = case(
        Family.DETECTION, "[[1, 1, 2, 2]]", "3 trees", size=(256, 256), said_boxes=upright([[1, 1, 2, 2]])
    )
    assert all(rule.measures([points]) == [] for rule in COMPAT.values())
    assert all(rule.measures([]) == [] for rule in COMPAT.values())


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(list(Family)),
    st.text(max_size=60),
    st.text(max_size=60),
    st.sampled_from([None, GRID, (9, 7)]),
)
def test_no_text_stops_a_rule_and_no_figure_leaves_its_range(family, said, true, size):
    boxes = upright([[np.nan, 0, 1, 1], [0, 0, 3, 3]])
    one = case(
        family, said, true, size=size, said_boxes=boxes, true_boxes=upright([[0, 0, 3, 3]]), type="comp"
    )
    for rule in COMPAT.values():
        for name, value in values(rule.measures([one, one])).items():
            assert np.isnan(value) or value >= 0
            assert name == "mae" or np.isnan(value) or value <= 1 + 1e-9


@pytest.mark.parametrize("width", [100.0, 256.0, 1000.0])
def test_an_image_as_large_as_a_grid_is_scored_as_any_other(width):
    box = upright([[0.1 * width, 0.1 * width, 0.3 * width, 0.3 * width]])
    one = case(
        Family.DETECTION, '[{"bbox_2d": [45, 45, 134, 134]}]', '[{"bbox_2d": [45, 45, 134, 134]}]',
        size=(width, width), said_boxes=box, true_boxes=box, **px_facts((width, width)),
    )  # fmt: skip
    for name, rule in COMPAT.items():
        found = values(rule.measures([one]))
        assert found == {key: pytest.approx(1) for key in found}, name


@pytest.mark.parametrize("write", ["{{<{}><{}><{}><{}>|<0>}}", "{{<{}.0><{}.0><{}.0><{}.0>|<0.0>}}"])
def test_boxes_in_geochat_s_braces_have_the_figures_of_the_same_boxes_in_px(write):
    rows = np.array([[10, 20, 30, 40], [50, 50, 90, 60], [1, 1, 9, 9]])
    moved = rows + np.array([[0, 0, 0, 0], [0, 8, 0, 8], [3, 0, 3, 0]])
    braced, drawn = [], []
    for said, true in zip(moved, rows, strict=True):
        boxes = {"said_boxes": upright([said]), "true_boxes": upright([true])}
        texts = write.format(*said), write.format(*true)
        braced.append(case(Family.DETECTION, *texts, size=GRID, **boxes))
        boxes = {"said_boxes": upright([said * 5]), "true_boxes": upright([true * 5])}
        drawn.append(case(Family.DETECTION, "", "", size=(500, 500), **boxes))
    for name, rule in COMPAT.items():
        assert values(rule.measures(braced)) == values(rule.measures(drawn)), name
    assert values(COMPAT["earthdial"].measures(braced))["acc@0.5"] == pytest.approx(1 / 3)


def test_boxes_of_an_image_of_unknown_size_have_no_figure_rather_than_0():
    box = upright([[1, 1, 9, 9]])
    assert all(
        rule.measures([case(Family.DETECTION, "", "", said_boxes=box, true_boxes=box)]) == []
        for rule in COMPAT.values()
    )

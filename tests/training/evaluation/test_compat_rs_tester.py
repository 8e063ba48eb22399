"""RS_Tester's rules against the same rules written as plain loops, nltk and scikit-learn."""

import math
import re
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.translate.bleu_score import sentence_bleu
from sklearn.feature_extraction.text import TfidfVectorizer

from groundproof_training.evaluation.cases import Family, Status
from groundproof_training.evaluation.compat import COMPAT
from groundproof_training.evaluation.compat.rs_captions import WEIGHTS, character_bleu, so_called_cider
from groundproof_training.evaluation.compat.rs_tester import first_number, holds, holds_class
from groundproof_training.evaluation.compat.written import is_bare, numbers_in
from tests.training.evaluation.compat_cases import case, upright, values

RULE = COMPAT["rs_tester"]
NUMBERS = st.integers(0, 60)
BOX = st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS).map(list)
IMAGES = st.lists(st.tuples(st.lists(BOX, max_size=5), st.lists(BOX, max_size=4)), min_size=1, max_size=5)


def grown(a, b):
    """IoU with the last two numbers as width and height."""
    ax, ay, bx, by = a[0] + a[2], a[1] + a[3], b[0] + b[2], b[1] + b[3]
    common = max(0, min(ax, bx) - max(a[0], b[0])) * max(0, min(ay, by) - max(a[1], b[1]))
    return common / ((ax - a[0]) * (ay - a[1]) + (bx - b[0]) * (by - b[1]) - common)


def image_ap(said, true, threshold):
    taken, right = set(), []
    for box in said:
        best, which = 0, None
        for j, other in enumerate(true):
            if (iou := grown(box, other)) > best:
                best, which = iou, j
        right.append(best > threshold and which not in taken)
        if right[-1]:
            taken.add(which)
    points, hits = [], 0
    for rank, one in enumerate(right, start=1):
        hits += one
        points.append((hits / len(true) if true else math.nan, hits / rank))
    return sum(max((p for r, p in points if r >= at), default=0) for at in np.arange(0, 1.1, 0.1)) / 11


def image_f1(said, true, threshold):
    taken = set()
    for box in said:
        free = [(grown(box, other), -j) for j, other in enumerate(true) if j not in taken]
        if free and max(free)[0] > 0 and max(free)[0] >= threshold:
            taken.add(-max(free)[1])
    p = len(taken) / len(said) if said else 0
    r = len(taken) / len(true) if true else 0
    return p, r, 2 * p * r / (p + r) if p + r else 0


def text(boxes):
    return "[" + ",".join(f"[{','.join(map(str, box))}]" for box in boxes) + "]"


def detection(images):
    return [
        case(Family.DETECTION, text(a), text(b), size=(1000, 1000), true_boxes=upright(b)) for a, b in images
    ]


@settings(max_examples=150, deadline=None)
@given(IMAGES)
def test_detection_is_the_published_loop_over_images(images):
    found = values(RULE.measures(detection(images)))
    for at in (0.25, 0.5, 0.75):
        try:
            ap = np.mean([image_ap(a, b, at) for a, b in images])
            f1 = np.mean([image_f1(a, b, at) for a, b in images], axis=0)
        except ZeroDivisionError:
            assert math.isnan(found[f"ap@{at:g}"])
            continue
        assert found[f"ap@{at:g}"] == pytest.approx(ap, abs=1e-12)
        measured = [found[f"{name}@{at:g}"] for name in ("precision", "recall", "f1")]
        assert measured == pytest.approx(list(f1), abs=1e-12)


def test_one_answer_with_a_stray_number_ends_the_whole_file_unless_it_has_no_weight():
    cases = [*detection([([[1, 2, 3, 4]], [[1, 2, 3, 4]])] * 2)]
    cases.append(case(Family.DETECTION, "2 ships: [[1,2,3,4]]", "[[1,2,3,4]]", size=(1000, 1000)))
    made = RULE.measures(cases)
    assert math.isnan(values(made)["ap@0.5"])
    assert values(made, [1, 1, 0])["ap@0.5"] == pytest.approx(1)
    assert values(made)["ap@0.5, broken answers wrong"] == pytest.approx(2 / 3)


def test_a_right_answer_for_an_image_without_objects_scores_nothing():
    assert values(RULE.measures(detection([([], [])])))["ap@0.5"] == 0


def test_a_box_shifted_by_a_fifth_of_its_size_passes_as_found():
    made = values(RULE.measures(detection([([[520, 520, 620, 620]], [[500, 500, 600, 600]])])))
    assert made["ap@0.5"] == pytest.approx(1)
    assert made["ap@0.75"] == pytest.approx(1)


def test_boxes_in_px_are_written_per_mille_first_and_bare_texts_are_read_as_they_are():
    ours = upright([[10, 10, 60, 110]])
    px = case(
        Family.GROUNDING, '[{"bbox_2d": [1, 1, 2, 2]}]', '{"bbox_2d": [3]}', size=(100, 200),
        said_boxes=ours, true_boxes=ours,
    )  # fmt: skip
    assert values(RULE.measures([px]))["miou"] == 1
    bare = case(
        Family.GROUNDING,
        "<think>no 7</think><answer>[[100,50,600,550]]</answer>",
        "[[100,50,600,550]]",
        size=(100, 200),
    )
    assert values(RULE.measures([bare]))["acc@0.95"] == 1


@given(st.lists(st.tuples(BOX, BOX), min_size=1, max_size=6))
def test_grounding_reads_the_first_four_numbers(pairs):
    cases = [case(Family.GROUNDING, f"at {text([a])} 9", text([b]), size=(1000, 1000)) for a, b in pairs]
    found = values(RULE.measures(cases))
    try:
        ious = [grown(a, b) for a, b in pairs]
    except ZeroDivisionError:
        assert math.isnan(found["miou"])
        return
    assert found["miou"] == pytest.approx(np.mean(ious))
    assert found["acc@0.75"] == pytest.approx(np.mean([iou >= 0.75 for iou in ious]))


def test_answers_without_a_box_are_wrong_and_stay_in_the_mean():
    cases = [
        case(Family.GROUNDING, "[[1,1,9,9]]", "[[1,1,9,9]]", size=(1000, 1000)),
        case(Family.GROUNDING, "", "[[1,1,9,9]]", size=(1000, 1000), status=Status.MISSING),
        case(Family.GROUNDING, "[[1,1,9,9]]", "[[1,1,9,9]]", size=(1000, 1000), status=Status.FAILED),
    ]
    assert values(RULE.measures(cases))["acc@0.5"] == pytest.approx(1 / 3)


def test_numbers_take_the_minus_before_them():
    assert numbers_in("100-200 and .5, -.25") == [100, -200, 0.5, -0.25]


@pytest.mark.parametrize(
    ("written", "bare"),
    [("[[1,2,3,4]]", True), ("1, 2, 3, 4", True), ("[[1,2,3,4,90]]" * 4, False), ("[]", False), ("2: [1,2,3,4]", False),
     ('{"bbox_2d": [1,2,3,4]}', False), ("[[1,2,3,4],[5,6,7,8]]", True)],
)  # fmt: skip
def test_texts_of_bare_boxes(written, bare):
    assert is_bare(written) is bare


@pytest.mark.parametrize(
    ("answer", "number"),
    [("There are 12 of 30", 12), ("not here", 0), ("a stone", 1), ("seventeen", 7), ("", -1), ("fog", -1)],
)
def test_counts_are_the_first_digits_or_a_word_within_any_word(answer, number):
    assert first_number(answer) == number


def test_counting_adds_minus_one_to_the_error_and_a_truth_without_number_ends_the_file():
    cases = [case(Family.COUNTING, said, "10") for said in ("10", "about 11", "many", "13")]
    found = values(RULE.measures(cases))
    assert [found[f"acc, within {at}"] for at in ("0", "0.1", "0.3", "0.5")] == [0.25, 0.5, 0.75, 0.75]
    assert found["mae"] == pytest.approx((0 + 1 + 11 + 3) / 4)
    assert math.isnan(values(RULE.measures([*cases, case(Family.COUNTING, "1", "a few")]))["mae"])


def test_answers_and_classes_need_only_hold_the_truth():
    assert holds("It is not", "no")
    assert holds("10", "1")
    assert holds("Twelve ships", "12")
    assert not holds("13", "thirteen")
    assert holds_class("a Dense_Residential area", "dense-residential")
    assert not holds_class("dense", "dense residential")


WORDS = st.lists(
    st.sampled_from(["a", "the", "two", "planes", "ships", "at", "Airport", "near", "port", "3", "field."]),
    max_size=8,
)
CAPTION = WORDS.map(" ".join)


@settings(max_examples=80, deadline=None)
@given(CAPTION, st.lists(CAPTION.filter(bool), min_size=1, max_size=3))
def test_bleu_is_nltks_over_characters(said, references):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = [sentence_bleu(references, said, weights=weights) if said else 0 for weights in WEIGHTS]
    assert character_bleu(said, references) == pytest.approx(theirs, abs=1e-12)


def published_cider(said, reference):
    total = 0
    for n in range(1, 5):
        one, other = (
            [tuple(t.split()[i : i + n]) for i in range(len(t.split()) - n + 1)] for t in (said, reference)
        )
        left, shared = list(other), 0
        for gram in one:
            if gram in left:
                left.remove(gram)
                shared += 1
        total += shared / max(len(one), len(other))
        matrix = TfidfVectorizer(ngram_range=(n, n)).fit_transform([said, reference]).toarray()
        total += matrix[0] @ matrix[1]
    return total / 8


@settings(max_examples=80, deadline=None)
@given(CAPTION, CAPTION)
def test_what_it_calls_cider_is_a_cosine_of_two_texts(said, reference):
    try:
        theirs = published_cider(said, reference)
    except (ZeroDivisionError, ValueError):
        theirs = 0
    assert so_called_cider(said, reference) == pytest.approx(theirs, abs=1e-12)


def test_every_note_says_something_and_all_six_tasks_have_a_rule():
    for family in Family:
        made = RULE.measures(
            [case(family, "[[1,2,3,4]]", "[[1,2,3,4]]" if "i" in family[:2] else "4", size=(1000, 1000))]
        )
        assert made
        assert all(re.search(r"\w{4}", one.note) for one in made)
    assert RULE.measures([]) == []

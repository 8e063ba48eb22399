"""Strict detection against pycocotools, and against the dense functions of one matrix for each case."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from groundproof.protocol import Task
from groundproof_training.evaluation.cases import NO_BOXES, BoxSet, Case, Family, Said, Status, Truth
from groundproof_training.evaluation.figures import Measure
from groundproof_training.evaluation.strict import detection
from groundproof_training.evaluation.strict.average_precision import RankedAP, TiedAP
from groundproof_training.evaluation.strict.columns import may_be
from groundproof_training.metrics.boxes import finite, iou_matrix
from groundproof_training.metrics.detection import (
    Found,
    Interpolation,
    average_precision,
    counted,
    found,
    mean_iou,
)
from groundproof_training.rewards.reading import names_fit

NAMES = ("plane", "ship", "tank")


def boxes_of(
    rows: Sequence, scores: Sequence[float] | None = None, ignore: Sequence[bool] | None = None
) -> BoxSet:
    """rows: (name, image, x0, y0, x1, y1)."""
    return BoxSet(
        np.array([one[2:] for one in rows], dtype=float).reshape(-1, 4),
        tuple(one[0] for one in rows),
        tuple(one[1] for one in rows),
        scores=None if scores is None else np.array(scores, dtype=float),
        ignore=None if ignore is None else np.array(ignore, dtype=bool),
    )


def case(true: BoxSet | None, said: BoxSet, number: int = 0, **more: object) -> Case:
    status = more.pop("status", Status.OK)
    complete = more.pop("complete", True)
    return Case(
        f"{number:04}", f"{number:04}", Family.DETECTION, Task.DETECT, "Where are they?",
        Truth(boxes=true, complete=complete), Said(boxes=said, status=status), **more,
    )  # fmt: skip


def value(cases: Sequence[Case], name: str, weights: Sequence[float] | None = None) -> float:
    return value_of(detection.measures(cases), name, len(cases), weights)


def value_of(made: list[Measure], name: str, n: int, weights: Sequence[float] | None = None) -> float:
    (measure,) = [one for one in made if one.name == name]
    return float(measure.of(np.array([weights if weights is not None else [1.0] * n], dtype=float))[0])


whole = st.integers(0, 14)
row = st.tuples(
    st.sampled_from(NAMES), st.integers(0, 1), whole, whole, st.integers(1, 9), st.integers(1, 9)
).map(lambda b: (b[0], b[1], b[2], b[3], b[2] + b[4], b[3] + b[5]))
ignores = st.lists(st.booleans(), min_size=6, max_size=6)
odd = st.sampled_from(
    [
        ("plane", 0, np.nan, 0, 5, 5),
        ("ship", 0, 5, 5, 5, 9),
        ("tank", 0, 0, 0, np.inf, 9),
        ("", 0, 1, 1, 6, 6),
    ]
)
said_rows = st.lists(st.one_of(row, row, row, odd), max_size=6)
true_rows = st.lists(row, max_size=6)


@st.composite
def many(draw: Callable, most: int = 5) -> list[Case]:
    made = []
    for k in range(draw(st.integers(1, most))):
        true, said = draw(true_rows), draw(said_rows)
        said += [
            true[i] for i in draw(st.lists(st.integers(0, 5), max_size=3)) if i < len(true)
        ]  # some are right, or twice
        status = draw(st.sampled_from([Status.OK, Status.OK, Status.OK, Status.MISSING]))
        ignore = draw(ignores)[: len(true)]
        made.append(case(boxes_of(true, ignore=ignore), boxes_of(said), k, status=status))
    return made


def matrices(one: Case) -> tuple[np.ndarray, np.ndarray]:
    """Overlaps with the objects and with those to ignore, densely."""
    said = one.said.boxes if one.said.status is Status.OK else NO_BOXES
    true = one.truth.boxes
    overlap = iou_matrix(finite(said.xyxy), true.xyxy)
    for i in range(len(said)):
        for j in range(len(true)):
            same = said.images[i] == true.images[j] and names_fit(said.labels[i], true.labels[j], one.asked)
            overlap[i, j] *= same
    return overlap[:, ~true.ignore], overlap[:, true.ignore]


@settings(max_examples=60)
@given(many(), st.lists(st.integers(0, 3), min_size=5, max_size=5))
def test_figures_are_those_of_dense_matrices_case_by_case(cases: list[Case], times: list[int]) -> None:
    weights = np.array(times[: len(cases)], dtype=float)
    made = detection.measures(cases)
    dense = [matrices(one) for one in cases]
    got = lambda name: value_of(made, name, len(cases), weights)  # noqa: E731
    average = lambda values: float(np.average(values, weights=weights))  # noqa: E731
    for threshold in (0.25, 0.5, 0.75):
        each = [found(real, threshold, hard, optimal=True) for real, hard in dense]
        total = Found(*(int(sum(w * getattr(f, key) for w, f in zip(weights, each, strict=True)))
                        for key in ("hits", "predicted", "true")))  # fmt: skip
        if total.predicted:
            assert got(f"precision@{threshold}") == pytest.approx(total.precision)
        if total.true:
            assert got(f"recall@{threshold}") == pytest.approx(total.recall)
        if total.true + total.predicted:
            assert got(f"f1@{threshold}") == pytest.approx(total.f1)
    if not weights.sum():
        assert np.isnan([got(one.name) for one in made]).all()
        return
    ok = [one.said.status is Status.OK for one in cases]
    half = [found(real, 0.5, hard, optimal=True) for real, hard in dense]
    assert got("set-exact@0.5") == pytest.approx(
        average([a and f.exact for a, f in zip(ok, half, strict=True)])
    )
    closeness = [
        mean_iou(real[counted(real, 0.5, hard)]) if a or real.shape[1] else 0.0
        for a, (real, hard) in zip(ok, dense, strict=True)
    ]
    assert got("mean-iou") == pytest.approx(average(closeness))
    errors = [abs(f.predicted - f.true) if a else max(f.true, 1) for a, f in zip(ok, half, strict=True)]
    assert got("count-mae") == pytest.approx(average(errors))
    assert got("parse-rate") == pytest.approx(average(ok))


@settings(max_examples=40)
@given(many(), st.randoms())
def test_no_order_of_boxes_or_cases_matters(cases: list[Case], random: object) -> None:
    moved = []
    for one in cases:
        true, said = list(range(len(one.truth.boxes))), list(range(len(one.said.boxes)))
        random.shuffle(true)
        random.shuffle(said)
        moved.append(replace(one, truth=Truth(boxes=picked(one.truth.boxes, true)),
                             said=replace(one.said, boxes=picked(one.said.boxes, said))))  # fmt: skip
    random.shuffle(moved)
    ones = np.ones((1, len(cases)))
    for a, b in zip(detection.measures(cases), detection.measures(moved), strict=True):
        assert a.of(ones) == pytest.approx(b.of(ones), nan_ok=True), a.name


def picked(boxes: BoxSet, order: list[int]) -> BoxSet:
    return BoxSet(
        boxes.xyxy[order],
        tuple(boxes.labels[i] for i in order),
        tuple(boxes.images[i] for i in order),
        ignore=None if boxes.ignore is None else boxes.ignore[order],
    )


def coco_precision(cases: Sequence[Case]) -> np.ndarray:
    """pycocotools' precision (thresholds, recalls, classes) over all areas, one image for each image of a case."""
    truths, results = [], []
    for k, one in enumerate(cases):
        for boxes, rows in ((one.truth.boxes, truths), (one.said.boxes, results)):
            for i, (x0, y0, x1, y1) in enumerate(boxes.xyxy.tolist()):
                score = 1.0 if boxes.scores is None else boxes.scores[i]
                rows.append({"image_id": k * 2 + boxes.images[i], "category_id": NAMES.index(boxes.labels[i]),
                             "bbox": [x0, y0, x1 - x0, y1 - y0], "area": (x1 - x0) * (y1 - y0), "iscrowd": 0,
                             "id": len(rows) + 1, "score": score})  # fmt: skip
    truth = COCO()
    with contextlib.redirect_stdout(io.StringIO()):
        truth.dataset = {
            "images": [{"id": k} for k in range(2 * len(cases))],
            "categories": [{"id": k} for k in range(len(NAMES))],
            "annotations": truths,
        }
        truth.createIndex()
        run = COCOeval(truth, truth.loadRes(results), "bbox")
        run.params.maxDets = [100_000]
        run.params.areaRng, run.params.areaRngLbl = [[0, 1e10]], ["all"]
        run.evaluate()
        run.accumulate()
    return run.eval["precision"][:, :, :, 0, 0]


@st.composite
def ranked(draw: Callable) -> list[Case]:
    """Cases with scores of few levels, so that many are equal."""
    made = []
    for k in range(draw(st.integers(1, 5))):
        true, said = draw(true_rows), draw(st.lists(row, max_size=7))
        said += [true[i] for i in draw(st.lists(st.integers(0, 5), max_size=4)) if i < len(true)]
        said.sort(key=lambda one: one[1])  # pycocotools ranks equal scores image by image
        scores = [draw(st.sampled_from([0.1, 0.5, 0.9])) for _ in said]
        made.append(case(boxes_of(true), boxes_of(said, scores), k))
    return made


@settings(max_examples=80)
@given(ranked())
def test_average_precision_with_scores_is_pycocotools(cases: list[Case]) -> None:
    if not any(len(one.said.boxes) for one in cases):
        return  # pycocotools refuses an empty list of results
    precision = coco_precision(cases)
    there = sorted({NAMES.index(name) for one in cases for name in one.truth.boxes.labels})
    made = detection.measures(cases)
    if not there:
        assert np.isnan(value_of(made, "ap@0.5", len(cases)))
        return
    assert value_of(made, "ap@0.5", len(cases)) == pytest.approx(precision[0][:, there].mean(), abs=1e-12)
    assert value_of(made, "ap@[.5:.95]", len(cases)) == pytest.approx(
        precision[:, :, there].mean(), abs=1e-12
    )


@settings(max_examples=40)
@given(ranked(), st.lists(st.integers(0, 3), min_size=5, max_size=5))
def test_a_weight_of_two_is_the_same_case_twice(cases: list[Case], times: list[int]) -> None:
    cases = [
        replace(one, said=replace(one.said, boxes=distinct(one.said.boxes, k))) for k, one in enumerate(cases)
    ]
    repeated = [one for one, n in zip(cases, times, strict=False) for _ in range(n)]
    if not any(len(one.said.boxes) for one in repeated) or not any(len(one.truth.boxes) for one in repeated):
        return
    for name in ("ap@0.5", "ap@[.5:.95]", "f1@0.5", "mean-iou"):
        got = value(cases, name, times[: len(cases)])
        assert got == pytest.approx(value(repeated, name), nan_ok=True, abs=1e-9)


def distinct(boxes: BoxSet, k: int) -> BoxSet:
    """No score stands twice: of equal ones the order would decide, and copies of a case lie elsewhere in it."""
    return replace(boxes, scores=np.argsort(np.argsort(boxes.scores, kind="stable")) * 100.0 + k)


@settings(max_examples=40)
@given(ranked())
def test_tied_average_precision_is_the_dense_one_of_all_images_in_one(cases: list[Case]) -> None:
    plain = [
        replace(one, said=replace(one.said, boxes=replace(one.said.boxes, scores=None))) for one in cases
    ]
    expected = []
    for name in NAMES:
        said = [b for one in plain for b in boxes_named(one.said.boxes, name, one.case_id)]
        true = [b for one in plain for b in boxes_named(one.truth.boxes, name, one.case_id)]
        if true:
            overlap = iou_matrix([b[1:] for b in said], [b[1:] for b in true])
            same = np.array([[a[0] == b[0] for b in true] for a in said], dtype=float).reshape(overlap.shape)
            expected.append(average_precision(overlap * same, 0.5, interpolation=Interpolation.COCO_101))
    got = value(plain, "ap@0.5")
    assert got == pytest.approx(np.mean(expected)) if expected else np.isnan(got)


def boxes_named(boxes: BoxSet, name: str, case_id: str) -> list[tuple]:
    rows = zip(boxes.labels, boxes.images, boxes.xyxy.tolist(), strict=True)
    return [((case_id, image), *box) for label, image, box in rows if label == name]


PLANE, SHIP = ("plane", 0, 0, 0, 10, 10), ("ship", 0, 50, 50, 60, 60)


def test_scores_rank_only_where_every_box_has_one() -> None:
    ranked_cases = [case(boxes_of([PLANE]), boxes_of([PLANE], [0.5])), case(boxes_of([PLANE]), NO_BOXES, 1)]
    mixed = [*ranked_cases, case(boxes_of([PLANE]), boxes_of([PLANE]), 2)]
    broken = [*ranked_cases, case(boxes_of([PLANE]), boxes_of([PLANE], [np.nan]), 2)]
    kind = lambda cases: type(next(m for m in detection.measures(cases) if m.name == "ap@0.5"))  # noqa: E731
    assert kind(ranked_cases) is RankedAP
    assert kind(mixed) is kind(broken) is TiedAP
    notes = [m.note for m in detection.measures(mixed) if m.name.startswith("ap@")]
    assert all("no scores" in note for note in notes)


def test_nothing_said_of_nothing_is_right_and_silence_is_not() -> None:
    empty = case(boxes_of([]), NO_BOXES)
    silent = replace(empty, case_id="b", said=Said(status=Status.UNREADABLE))
    guess = replace(empty, case_id="c", said=Said(boxes=boxes_of([PLANE])))
    made = detection.measures([empty, silent, guess])
    got = {one.name: one.of(np.eye(3)) for one in made}
    assert (
        got["set-exact@0.5"].tolist()
        == got["absent-left-empty"].tolist()
        == got["mean-iou"].tolist()
        == [1, 0, 0]
    )
    assert got["count-mae"].tolist() == [0, 1, 1]
    assert got["parse-rate"].tolist() == [1, 0, 1]
    assert np.isnan(got["f1@0.5"][:2]).all()
    assert got["precision@0.5"][2] == got["f1@0.5"][2] == 0


def test_a_failed_answer_misses_everything() -> None:
    for status in (Status.MISSING, Status.UNREADABLE, Status.FAILED):
        one = case(boxes_of([PLANE, SHIP]), boxes_of([PLANE, SHIP]), status=status)
        made = {m.name: float(m.of(np.ones((1, 1)))[0]) for m in detection.measures([one])}
        assert made.pop("count-mae") == 2
        assert np.isnan(made.pop("absent-left-empty"))
        assert set(made.values()) == {0.0}


def test_a_source_that_does_not_know_all_objects_judges_nothing_but_the_form() -> None:
    cases = [
        case(boxes_of([PLANE]), boxes_of([PLANE, SHIP]), complete=False),
        case(None, boxes_of([PLANE]), 1),
    ]
    values = {m.name: float(m.of(np.ones((1, 2)))[0]) for m in detection.measures(cases)}
    assert values.pop("parse-rate") == 1
    assert np.isnan(list(values.values())).all()
    assert not any(m.applies.any() for m in detection.measures(cases) if m.name != "parse-rate")


def test_names_are_compared_as_words_and_a_box_without_a_name_is_what_was_asked_for() -> None:
    airplane = ("airplane", 0, 0, 0, 10, 10)
    spelt = [case(boxes_of([airplane]), boxes_of([PLANE]))]
    assert value(spelt, "f1@0.5") == value(spelt, "ap@0.5") == 1
    assert value([case(boxes_of([PLANE]), boxes_of([("ship", *PLANE[1:])]))], "f1@0.5") == 0
    bare = boxes_of([("", *PLANE[1:])])
    assert value([case(boxes_of([PLANE]), bare, asked=("plane",))], "f1@0.5") == 1
    assert value([case(boxes_of([PLANE]), bare, asked=("plane",))], "ap@0.5") == 1
    assert value([case(boxes_of([PLANE]), bare, asked=("plane", "ship"))], "f1@0.5") == 0
    assert value([case(bare, boxes_of([PLANE]))], "f1@0.5") == value([case(bare, bare)], "ap@0.5") == 1


@pytest.mark.parametrize(
    ("said", "asked", "found"),
    [
        ("vehicle", ("small vehicle", "large vehicle"), False),
        ("the vehicles", ("small vehicle", "large vehicle"), False),
        ("small vehicles", ("small vehicle", "large vehicle"), True),
        ("vehicle", ("small vehicle", "ship"), True),
        ("vehicle", ("vehicle", "small vehicle"), True),
        ("the vehicle", ("vehicle", "small vehicle"), True),
        ("vehicle", ("vehicle",), True),
    ],
)
def test_a_name_that_may_be_several_of_the_classes_asked_for_is_none(said, asked, found) -> None:
    assert may_be(said, "small vehicle", asked) is found


def test_a_box_in_the_other_image_finds_nothing() -> None:
    assert value([case(boxes_of([PLANE]), boxes_of([("plane", 1, *PLANE[2:])]))], "f1@0.5") == 0


def test_a_wrong_name_lowers_no_other_classes_ap_but_f1() -> None:
    cases = [case(boxes_of([PLANE]), boxes_of([PLANE, ("unicorn", 0, 0, 0, 9, 9)]))]
    assert value(cases, "ap@0.5") == 1
    assert value(cases, "f1@0.5") == pytest.approx(2 / 3)


def test_corners_are_compared_where_both_sides_have_them() -> None:
    diamond = np.array([[5, 0, 10, 5, 5, 10, 0, 5]], dtype=float)
    square = np.array([[0, 0, 10, 0, 10, 10, 0, 10]], dtype=float)
    turned = lambda quads: replace(boxes_of([PLANE]), quads=quads)  # noqa: E731
    assert value([case(turned(square), turned(diamond))], "mean-iou") == pytest.approx(0.5)
    assert value([case(boxes_of([PLANE]), turned(diamond))], "mean-iou") == 1
    part = np.vstack(
        [diamond, np.full((1, 8), np.nan)]
    )  # an upright box among turned ones has its own corners
    both = replace(boxes_of([PLANE, SHIP]), quads=part)
    assert value([case(both, both)], "f1@0.75") == 1


def test_breakdowns_split_pairs_by_the_true_box_and_misses_by_their_own() -> None:
    small, large = ("plane", 0, 0, 0, 10, 10), ("plane", 0, 100, 100, 220, 220)
    said = boxes_of(
        [("plane", 0, 0, 0, 17, 10), large, ("plane", 0, 300, 300, 305, 305), ("ship", 0, 400, 0, 500, 200)]
    )
    cases = [case(boxes_of([small, large, SHIP]), said), case(boxes_of([]), NO_BOXES, 1)]
    made = detection.breakdowns(cases)
    assert set(made) == {"class", "size"}
    ones = np.ones((1, 2))
    figures = {
        (key, g, m.name): float(m.of(ones)[0]) for key, gs in made.items() for g, ms in gs.items() for m in ms
    }
    assert figures["class", "plane", "precision@0.5"] == pytest.approx(2 / 3)
    assert figures["class", "plane", "recall@0.5"] == 1
    assert figures["class", "ship", "f1@0.5"] == 0
    tiny, _, medium, big = (name for name, *_ in detection.SIZES_PX2)
    assert (
        figures["size", tiny, "recall@0.5"] == 0.5
    )  # the plane's box is found, by one of 17 x 10 px; the ship is not
    assert figures["size", tiny, "precision@0.5"] == 0.5
    assert figures["size", big, "precision@0.5"] == 0.5
    assert ("size", medium, "f1@0.5") not in figures
    plane = made["class"]["plane"][0]
    assert plane.applies.tolist() == [True, False]


@settings(max_examples=40)
@given(ranked(), st.booleans())
def test_average_precision_by_class_averages_to_that_of_all(cases: list[Case], tied: bool) -> None:
    if tied:
        cases = [
            replace(one, said=replace(one.said, boxes=replace(one.said.boxes, scores=None))) for one in cases
        ]
    by_class = detection.breakdowns(cases).get("class", {})
    if not by_class:
        return
    each = [value_of(made, "ap@0.5", len(cases)) for made in by_class.values()]
    assert np.mean(each) == pytest.approx(value(cases, "ap@0.5"))
    if not tied and any(len(one.said.boxes) for one in cases):
        precision = coco_precision(cases)[0].mean(axis=0)
        assert each == pytest.approx([precision[NAMES.index(name)] for name in by_class], abs=1e-12)


def test_a_grid_has_no_pixels() -> None:
    boxes = boxes_of([PLANE, ("plane", 0, 20, 20, 70, 70)])
    assert "size" not in detection.breakdowns([case(boxes, boxes, size=(100.0, 100.0))])
    assert "size" in detection.breakdowns([case(boxes, boxes, size=(640.0, 480.0))])
    assert "size" in detection.breakdowns([case(boxes, boxes, size=(1000.0, 1000.0), meta={"units": "px"})])


def test_many_classes_are_the_frequent_ones_and_the_rest() -> None:
    rows = [(f"kind {k}", 0, 20 * k, 0, 20 * k + 10, 10) for k in range(70)]
    groups = detection.breakdowns([case(boxes_of(rows), boxes_of(rows[:65]))])["class"]
    assert len(groups) == detection.MOST_CLASSES + 1
    assert value_of(groups["10 other classes"], "recall@0.5", 1) == pytest.approx(0.5)


def test_no_case_and_no_box_are_no_error() -> None:
    assert all(np.isnan(one.of(np.ones((1, 0)))).all() for one in detection.measures([]))
    assert detection.breakdowns([]) == {}
    assert detection.breakdowns([case(boxes_of([]), NO_BOXES)]) == {}

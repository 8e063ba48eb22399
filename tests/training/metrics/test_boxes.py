"""Overlaps against shapely, matching against every possible assignment, AP against pycocotools."""

from __future__ import annotations

import contextlib
import io
import itertools

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from groundproof_training.metrics.boxes import (
    enclosing,
    finite,
    iou_matrix,
    match_greedy,
    match_optimal,
    oriented_iou_matrix,
)
from groundproof_training.metrics.detection import (
    Found,
    Interpolation,
    Ranking,
    average_precision,
    counted,
    found,
    mean_iou,
)

box = st.tuples(*[st.integers(0, 60)] * 2, *[st.integers(1, 40)] * 2).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)
boxes = st.lists(box, max_size=6)
corner = st.tuples(st.integers(0, 60), st.integers(0, 60))
overlaps = st.integers(0, 5).flatmap(
    lambda n: st.integers(0, 5).flatmap(
        lambda m: st.lists(
            st.lists(st.integers(0, 20).map(lambda v: v / 20), min_size=m, max_size=m), min_size=n, max_size=n
        ).map(lambda rows: np.array(rows, dtype=float).reshape(n, m))
    )
)


@given(boxes, boxes)
def test_upright_overlap_is_shapelys(a: list, b: list) -> None:
    shapes = [[shapely.box(*one) for one in many] for many in (a, b)]
    expected = [[p.intersection(q).area / p.union(q).area for q in shapes[1]] for p in shapes[0]]
    assert iou_matrix(a, b) == pytest.approx(np.array(expected).reshape(len(a), len(b)), abs=1e-9)


@given(st.lists(st.lists(corner, min_size=4, max_size=4), max_size=4), st.lists(box, max_size=3))
def test_oriented_overlap_is_shapelys_pair_by_pair(quads: list, upright: list) -> None:
    hulls = [np.array(shapely.MultiPoint(q).convex_hull.exterior.coords)[:-1] for q in quads
             if shapely.MultiPoint(q).convex_hull.geom_type == "Polygon"]  # fmt: skip
    hulls = [hull for hull in hulls if len(hull) == 4]
    rectangles = [[(x0, y0), (x1, y0), (x1, y1), (x0, y1)] for x0, y0, x1, y1 in upright]
    shapes = [[shapely.Polygon(one) for one in many] for many in (hulls, rectangles)]
    expected = [[p.intersection(q).area / p.union(q).area for q in shapes[1]] for p in shapes[0]]
    got = oriented_iou_matrix(hulls, rectangles)
    assert got == pytest.approx(np.array(expected).reshape(len(hulls), len(upright)), abs=1e-9)
    assert oriented_iou_matrix(rectangles, rectangles) == pytest.approx(
        iou_matrix(upright, upright), abs=1e-9
    )


def test_numbers_that_are_none_overlap_nothing() -> None:
    broken = finite([[0, 0, np.nan, 10], [0, 0, np.inf, np.inf], [0, 0, 10, 10]])
    assert iou_matrix(broken, [[0, 0, 10, 10]]).tolist() == [[0], [0], [1]]
    assert oriented_iou_matrix([[0, 0, np.nan, 0, 1, 1, 0, 1]], [[0, 0, 1, 0, 1, 1, 0, 1]]).tolist() == [[0]]


def test_a_turned_box_has_an_upright_one_around_it() -> None:
    assert enclosing([[5, 0, 10, 5, 5, 10, 0, 5]]).tolist() == [[0, 0, 10, 10]]
    assert enclosing([]).shape == (0, 4)


@given(overlaps, st.sampled_from([0.1, 0.25, 0.5]))
def test_greedy_matching_takes_the_best_of_what_is_left(overlap: np.ndarray, threshold: float) -> None:
    free = np.ones_like(overlap, dtype=bool)
    for i, j in match_greedy(overlap, threshold):
        assert free[i, j]
        assert overlap[i, j] == overlap[free].max() >= threshold
        free[i, :] = free[:, j] = False
    assert not (overlap[free] >= threshold).any()


@given(overlaps, st.sampled_from([0.0, 0.25, 0.5]))
def test_optimal_matching_beats_every_other_assignment(overlap: np.ndarray, threshold: float) -> None:
    n, m = overlap.shape
    best = (0, 0.0)
    for size in range(min(n, m) + 1):
        for rows in itertools.combinations(range(n), size):
            for columns in itertools.permutations(range(m), size):
                values = [overlap[i, j] for i, j in zip(rows, columns, strict=True)]
                if all(v >= threshold and v > 0 for v in values):
                    key = (len(values), sum(values)) if threshold else (0, sum(values))
                    best = max(best, key)
    pairs = match_optimal(overlap, threshold)
    got = sum(overlap[i, j] for i, j in pairs)
    assert got == pytest.approx(best[1])
    assert len(pairs) == best[0] or not threshold
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)


def coco_ap(said: list, true: list, scores: list[float]) -> float:
    """pycocotools' AP at IoU 0.5 of one image and one class."""
    xywh = lambda b: [b[0], b[1], b[2] - b[0], b[3] - b[1]]  # noqa: E731
    truth = COCO()
    with contextlib.redirect_stdout(io.StringIO()):
        truth.dataset = {
            "images": [{"id": 1}], "categories": [{"id": 1}],
            "annotations": [{"id": k + 1, "image_id": 1, "category_id": 1, "bbox": xywh(b), "area": 1, "iscrowd": 0}
                            for k, b in enumerate(true)],
        }  # fmt: skip
        truth.createIndex()
        results = truth.loadRes([{"image_id": 1, "category_id": 1, "bbox": xywh(b), "score": s}
                                 for b, s in zip(said, scores, strict=True)])  # fmt: skip
        run = COCOeval(truth, results, "bbox")
        run.params.iouThrs = np.array([0.5])
        run.evaluate()
        run.accumulate()
    return float(run.eval["precision"][0, :, 0, 0, 2].mean())


@settings(max_examples=60, deadline=None)
@given(st.lists(box, min_size=1, max_size=7), st.lists(box, min_size=1, max_size=6), st.randoms())
def test_average_precision_is_pycocotools(said: list, true: list, random: object) -> None:
    overlap = iou_matrix(said, true)
    constant = average_precision(overlap, 0.5, Ranking.LISTED, Interpolation.COCO_101)
    assert constant == pytest.approx(coco_ap(said, true, [1.0] * len(said)), abs=1e-9)
    scores = [round(random.random(), 1) for _ in said]
    ranked = average_precision(overlap, 0.5, scores, Interpolation.COCO_101)
    assert ranked == pytest.approx(coco_ap(said, true, scores), abs=1e-9)


def test_average_precision_by_hand() -> None:
    # hit, miss, hit of three: precision 1, 1/2, 2/3 at recall 1/3, 1/3, 2/3; envelope 1, 2/3, 2/3
    overlap = np.array([[0.9, 0, 0], [0, 0, 0], [0, 0.8, 0]])
    assert average_precision(overlap, 0.5, Ranking.LISTED) == pytest.approx(1 / 3 + 2 / 9)
    # without an order: one point, precision 2/3 at recall 2/3
    assert average_precision(overlap, 0.5, Ranking.TIED) == pytest.approx(4 / 9)


@given(overlaps, st.permutations(range(5)), st.lists(st.sampled_from([0.0, 0.6]), min_size=5, max_size=5))
def test_optimal_counts_and_tied_average_precision_know_no_order(
    overlap: np.ndarray, order: list[int], hard: list[float]
) -> None:
    rows = [i for i in order if i < len(overlap)]
    ignored = np.array(hard[: len(overlap)]).reshape(-1, 1)
    first = found(overlap, 0.5, ignored, optimal=True)
    assert found(overlap[rows], 0.5, ignored[rows], optimal=True) == first
    assert first.hits == len(match_optimal(overlap, 0.5)) >= found(overlap, 0.5, ignored).hits
    same = average_precision(overlap, 0.5, ignored=ignored)
    assert average_precision(overlap[rows], 0.5, ignored=ignored[rows]) == pytest.approx(same)


def test_a_greedy_match_can_depend_on_the_order_where_overlaps_are_equal() -> None:
    overlap = np.array([[0.5, 0.0], [0.5, 0.5]])
    assert found(overlap, 0.5).hits == 2
    assert found(overlap[::-1], 0.5).hits == 1
    assert found(overlap, 0.5, optimal=True).hits == found(overlap[::-1], 0.5, optimal=True).hits == 2


@pytest.mark.parametrize(
    ("n", "m", "expected"),
    [(0, 0, 1.0), (0, 3, 0.0), (2, 0, 0.0)],
    ids=["neither", "no boxes", "nothing true"],
)
def test_what_empty_means_is_the_same_everywhere(n: int, m: int, expected: float) -> None:
    overlap = np.zeros((n, m))
    counts = found(overlap, 0.5)
    for value in (counts.precision, counts.recall, counts.f1, counts.exact, mean_iou(overlap)):
        assert value == expected
    for ranking in Ranking:
        assert average_precision(overlap, 0.5, ranking) == expected


def test_counts_add_up_over_images() -> None:
    total = Found(1, 2, 4) + Found(2, 2, 2)
    assert (total.precision, total.recall, total.f1) == (3 / 4, 1 / 2, 6 / 10)
    assert not total.exact


def test_what_lies_on_an_object_to_ignore_counts_neither_way() -> None:
    overlap, ignored = np.array([[0.9], [0.0], [0.0]]), np.array([[0.8], [0.7], [0.1]])
    assert counted(overlap, 0.5, ignored).tolist() == [True, False, True]
    assert found(overlap, 0.5, ignored) == Found(1, 2, 1)
    assert average_precision(overlap, 0.5, ignored=ignored) == 0.5
    assert average_precision(overlap, 0.5, Ranking.LISTED, ignored=ignored) == 1.0
    assert average_precision(np.zeros((1, 0)), 0.5, ignored=np.array([[0.9]])) == 1.0


def test_mean_iou_of_one_box_is_its_iou_and_a_hedge_gains_nothing() -> None:
    assert mean_iou(np.array([[0.7]])) == pytest.approx(0.7)
    assert mean_iou(np.array([[1.0], [0.0]])) == 0.5
    assert mean_iou(np.array([[0.6, 0.5], [0.5, 0.0]])) == pytest.approx(
        0.5
    )  # the best sum, not the best pair


def test_many_boxes_are_matched_in_milliseconds() -> None:
    rng = np.random.default_rng(0)
    low = rng.uniform(0, 900, (1000, 2))
    many = np.concatenate([low, low + rng.uniform(5, 90, (1000, 2))], axis=1)
    assert found(iou_matrix(many, many), 0.5).exact

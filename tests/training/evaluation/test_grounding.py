"""Strict grounding against shapely's areas and the dense functions of one pair, and what must not pay."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from groundproof.protocol import Task
from groundproof_training.evaluation.cases import NO_BOXES, BoxSet, Case, Family, Said, Status, Truth
from groundproof_training.evaluation.strict import grounding


def boxes(*rows: tuple, image: int = 0) -> BoxSet:
    return BoxSet(np.array(rows, dtype=float).reshape(-1, 4), ("",) * len(rows), (image,) * len(rows))


def case(true: BoxSet | None, said: BoxSet, number: int = 0, status: Status = Status.OK) -> Case:
    name = f"{number:04}"
    return Case(
        name,
        name,
        Family.GROUNDING,
        Task.GROUND,
        "the left one",
        Truth(boxes=true),
        Said(boxes=said, status=status),
    )


def values(*cases: Case) -> dict[str, float]:
    return {m.name: float(m.of(np.ones((1, len(cases))))[0]) for m in grounding.measures(cases)}


one_box = st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(1, 20), st.integers(1, 20)).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)
broken = st.sampled_from([(0, 0, np.nan, 5), (5, 5, 5, 5), (9, 9, 2, 2), (0, 0, np.inf, 5)])
guess = st.one_of(st.none(), one_box, one_box, broken)


@given(st.lists(st.tuples(one_box, guess), min_size=1, max_size=8))
def test_figures_are_those_of_every_pair_by_itself(pairs: list) -> None:
    got = values(*(case(boxes(t), boxes(*([] if s is None else [s])), k) for k, (t, s) in enumerate(pairs)))
    iou, common, union = [], 0.0, 0.0
    for true, said in pairs:
        usable = said is not None and np.isfinite(said).all() and said[0] < said[2]
        a, b = shapely.box(*true), shapely.box(*said) if usable else shapely.Polygon()
        iou.append(a.intersection(b).area / a.union(b).area)
        common, union = common + a.intersection(b).area, union + a.union(b).area
    assert got["mean-iou"] == pytest.approx(np.mean(iou))
    for threshold in (0.5, 0.75, 0.95):
        assert got[f"acc@{threshold}"] == pytest.approx(np.mean(np.array(iou) >= threshold))
    assert got["cumulative-iou"] == pytest.approx(common / union)
    assert got["one-box-rate"] == pytest.approx(np.mean([s is not None for _, s in pairs]))


TRUE = (10, 10, 20, 20)


@given(st.lists(one_box, min_size=1, max_size=5))
def test_listing_more_boxes_never_pays(others: list) -> None:
    hedge = values(case(boxes(TRUE), boxes(TRUE, *others)))
    assert hedge["acc@0.5"] == hedge["mean-iou"] == hedge["cumulative-iou"] == hedge["one-box-rate"] == 0
    wrong = values(case(boxes(TRUE), boxes(others[0])))
    assert all(hedge[name] <= wrong[name] for name in hedge)


def test_an_answer_that_is_none_is_a_miss_and_not_left_out() -> None:
    for status in (Status.MISSING, Status.UNREADABLE, Status.FAILED):
        got = values(case(boxes(TRUE), boxes(TRUE)), case(boxes(TRUE), boxes(TRUE), 1, status))
        assert set(got.values()) == {0.5}


def test_the_wrong_image_is_a_miss() -> None:
    got = values(case(boxes(TRUE), boxes(TRUE, image=1)))
    assert got["acc@0.5"] == got["mean-iou"] == got["cumulative-iou"] == 0


def test_what_is_not_there_is_rightly_left_without_a_box() -> None:
    assert values(case(NO_BOXES, NO_BOXES))["acc@0.5"] == 1
    assert values(case(NO_BOXES, boxes(TRUE)))["acc@0.5"] == 0
    assert values(case(NO_BOXES, NO_BOXES, status=Status.UNREADABLE))["mean-iou"] == 0


def test_of_several_objects_each_needs_its_box() -> None:
    two = boxes(TRUE, (30, 30, 40, 40))
    assert values(case(two, two))["acc@0.95"] == 1
    half = values(case(two, boxes(TRUE)))
    assert (half["acc@0.5"], half["mean-iou"]) == (0, 0.5)
    near = values(case(two, boxes(TRUE, (30, 30, 40, 34))))  # a mean of 0.7 finds not both
    assert (near["acc@0.5"], near["mean-iou"]) == (0, pytest.approx(0.7))


def test_turned_boxes_are_compared_as_polygons_where_both_are_turned() -> None:
    diamond = replace(boxes((0, 0, 10, 10)), quads=np.array([[5, 0, 10, 5, 5, 10, 0, 5]], dtype=float))
    square = replace(boxes((0, 0, 10, 10)), quads=np.array([[0, 0, 10, 0, 10, 10, 0, 10]], dtype=float))
    got = values(case(square, diamond))
    assert got["mean-iou"] == got["cumulative-iou"] == pytest.approx(0.5)
    upright = values(case(boxes((0, 0, 10, 10)), diamond))
    assert upright["mean-iou"] == upright["cumulative-iou"] == 1


def test_a_place_that_nobody_knows_is_not_judged() -> None:
    got = values(case(None, boxes(TRUE)))
    assert got.pop("parse-rate") == 1
    assert np.isnan(list(got.values())).all()

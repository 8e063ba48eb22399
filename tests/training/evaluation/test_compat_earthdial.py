"""EarthDial's rules: its own files give its own figures, and the rule for boxes is the same as a plain loop."""

from __future__ import annotations

import re
import time
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import affinity
from shapely.geometry import box

from groundproof.protocol import Task
from groundproof_training.evaluation.cases import BoxSet, Case, Family
from groundproof_training.evaluation.compat import COMPAT
from groundproof_training.evaluation.compat.earthdial import _BOXES, _described, token_recall
from groundproof_training.evaluation.compat.earthdial_boxes import Written, hits
from groundproof_training.evaluation.prediction_files import load
from groundproof_training.evaluation.statistics import estimate
from groundproof_training.metrics.boxes import match_greedy, oriented_iou_matrix
from tests.training.evaluation.compat_cases import case, upright, values

RULE = COMPAT["earthdial"]
GRID = (100.0, 100.0)


@cache
def read(path: Path) -> tuple[Case, ...]:
    return load(path, "earthdial").cases


def figures(data_dir: Path, name: str) -> dict[str, float]:
    return values(RULE.measures(read(data_dir / "predictions/earthdial" / f"{name}.jsonl")))


def test_geochat_detection_gives_the_figures_of_its_own_script(data_dir: Path) -> None:
    found = figures(data_dir, "rs_detection/GeoChat")
    theirs = {"small": 0.1143, "medium": 0.3173, "large": 0.3907, "single": 0.3427, "multiple": 0.1341}
    assert {name: found[f"acc@0.5 {name}"] for name in theirs} == pytest.approx(theirs, abs=5e-5)


def test_geochat_detection_is_scored_in_seconds_and_has_intervals(data_dir: Path) -> None:
    cases = read(data_dir / "predictions/earthdial/rs_detection/GeoChat.jsonl")
    start = time.perf_counter()
    made = RULE.measures(cases)
    assert time.perf_counter() - start < 10
    for one in estimate(made, [c.group for c in cases], draws=200):
        assert one.low is not None
        assert one.low < one.value < one.high


def test_negative_numbers_are_what_the_script_loses(data_dir: Path) -> None:
    """With every box read, the same scoring gives the other row of figures, but for the one pair that overlaps by
    exactly a half and was counted there."""
    cases = read(data_dir / "predictions/earthdial/rs_detection/GeoChat.jsonl")
    signed = re.compile(r"\[\s*(-?\d+(?:,\s*-?\d+)*)\s*\]")
    said, true = (
        Written.of([[list(map(int, one.split(","))) for one in signed.findall(text)] for text in texts])
        for texts in ([c.said.text for c in cases], [c.truth.text for c in cases])
    )
    found = hits(said, true, 0.5)
    sizes = np.array([c.meta["size_group"] for c in cases])
    rows = {
        "small": sizes == "small", "medium": sizes == "medium", "large": sizes == "large",
        "single": true.n == 1, "multiple": true.n != 1,
    }  # fmt: skip
    shares = {name: found[row].sum() / said.n[row].sum() for name, row in rows.items()}
    theirs = {"small": 0.1175, "medium": 0.3333, "large": 0.4261, "single": 0.3478, "multiple": 0.1500}
    assert shares == pytest.approx(theirs, abs=2.5e-4)
    same = ("small", "large", "multiple")
    assert [shares[name] for name in same] == pytest.approx([theirs[name] for name in same], abs=6e-5)


def test_the_strict_figures_of_the_same_boxes(data_dir: Path) -> None:
    """Every box kept, one-to-one, turned as the script turns them: the convention of strict figures of such files."""
    cases = read(data_dir / "predictions/earthdial/rs_detection/GeoChat.jsonl")
    found = [
        match_greedy(oriented_iou_matrix(c.said.boxes.quads, c.truth.boxes.quads), 0.5)  # type: ignore[union-attr]
        for c in cases
    ]
    n_said = np.array([len(c.said.boxes) for c in cases])
    n_true = np.array([len(c.truth.boxes) for c in cases])  # type: ignore[arg-type]
    right = np.array([len(pairs) for pairs in found])
    figures = {
        "p": right.sum() / n_said.sum(),
        "r": right.sum() / n_true.sum(),
        "f1": 2 * right.sum() / (n_said.sum() + n_true.sum()),
        "set": ((right == n_said) & (right == n_true)).mean(),
    }
    assert figures == pytest.approx({"p": 0.2635, "r": 0.2484, "f1": 0.2557, "set": 0.2664}, abs=5e-5)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("rs_classification/AID", {"token recall": 0.8847}),
        ("rs_change_detection/FMoW", {"token recall": 0.88}),
        ("rs_change_detection/xBD_testset_1", {"token recall": 0.96}),
        ("rs_change_detection/xBD_referred_object_detection", {"map@0.25": 0.04}),
        ("rs_change_detection/LEVIR_MCI", {"rouge-1": 0.2952, "rouge-l": 0.2542}),
        ("rs_grounding_description/NWPU_VHR_10",
         {"precision@0.5": 0.1136, "precision@0.25": 0.4773, "rouge-1": 0.2708, "rouge-l": 0.2657}),
        ("rs_image_caption/UCM_captions", {"rouge-1": 0.3999, "rouge-l": 0.3415}),
        ("rs_image_caption/RSITMD_Captions", {"rouge-1": 0.2674, "rouge-l": 0.2172}),
        ("rs_region_captioning/NWPU_VHR_10_test", {"rouge-1": 0.7214, "rouge-l": 0.7214}),
    ],
)  # fmt: skip
def test_other_files_give_what_the_published_scripts_print(
    data_dir: Path, name: str, expected: dict[str, float]
) -> None:
    found = figures(data_dir, name)
    assert {key: found[key] for key in expected} == pytest.approx(expected, abs=6e-5)


def test_rsvqa_by_type_and_over_questions(data_dir: Path) -> None:
    found = figures(data_dir, "rs_vqa/RSVQA_LR")
    types = {"presence": 0.9259, "comp": 0.9275, "rural_urban": 0.94}
    assert {name: found[f"token recall {name}"] for name in types} == pytest.approx(types, abs=5e-5)
    assert found["token recall, published types"] == pytest.approx(0.9270, abs=5e-5)


def test_geochats_own_rule_on_aid(data_dir: Path) -> None:
    cases = read(data_dir / "predictions/earthdial/rs_classification/AID.jsonl")
    assert values(COMPAT["geochat"].measures(cases))["accuracy"] == pytest.approx(0.8847, abs=5e-5)


SIDE = st.integers(-4, 20)
TURNED = st.tuples(SIDE, SIDE, st.integers(1, 20), st.integers(1, 20), st.integers(0, 180)).map(
    lambda b: [b[0], b[1], b[0] + b[2], b[1] + b[3], b[4]]
)
ROWS = st.lists(st.tuples(st.lists(TURNED, max_size=4), st.lists(TURNED, max_size=4)), min_size=1, max_size=5)


def written(boxes: list[list[int]]) -> str:
    return "".join(f"[[{', '.join(map(str, one))}]]" for one in boxes)


def plain_loop(rows, at: float, flat: bool = False) -> float:
    """shapely's own rotation, against the labels' sense; a box with a minus is not seen."""
    hits = total = 0
    for said, true in rows:
        said, true = ([b for b in side if min(b) >= 0] for side in (said, true))
        shapes = [affinity.rotate(box(*b[:4]), -b[4], origin="center") for b in true]
        for one in said:
            mine = affinity.rotate(box(*one[:4]), 0 if flat else -one[4], origin="center")
            ious = [mine.intersection(s).area / mine.union(s).area for s in shapes]
            if any(abs(iou - at) < 1e-9 for iou in ious):
                return float("nan")  # either way is right
            hits += any(iou >= at for iou in ious)
            total += 1
    return hits / total if total else 0.0


@settings(max_examples=150, deadline=None)
@given(ROWS, st.booleans())
def test_precision_without_matching_is_the_plain_loop(rows, later):
    cases = [
        case(
            Family.DETECTION,
            written(a),
            written(b),
            size=GRID,
            true_boxes=upright([[0, 0, 1, 1]], int(later)),
        )
        for a, b in rows
    ]
    found = values(RULE.measures(cases))
    for at, name in ((0.5, "map@0.5"), (0.25, "map@0.25")) if later else ((0.5, "acc@0.5"),):
        expected = plain_loop(rows, at, flat=later)
        assert np.isnan(expected) or found[name] == pytest.approx(expected)


def test_duplicates_count_and_what_is_missed_costs_nothing():
    true = written([[0, 0, 10, 10, 0], [50, 50, 60, 60, 0]])
    twice = case(Family.DETECTION, written([[0, 0, 10, 10, 0]] * 2), true, size=GRID)
    assert values(RULE.measures([twice]))["acc@0.5"] == 1


def test_a_row_left_without_truth_counts_as_multiple_and_four_numbers_find_nothing():
    lost = case(Family.DETECTION, "[[1, 1, 5, 5, 0]]", "[[-1, 1, 5, 5, 0]]", size=GRID, size_group="small")
    four = case(Family.DETECTION, "[[1, 1, 5, 5]]", "[[1, 1, 5, 5, 0]]", size=GRID, size_group="small")
    right = case(Family.DETECTION, "[[1, 1, 5, 5, 0]]", "[[1, 1, 5, 5, 0]]", size=GRID, size_group="small")
    found = values(RULE.measures([lost, four, right]))
    assert (found["acc@0.5 multiple"], found["acc@0.5 single"]) == (0, 0.5)
    assert found["acc@0.5 small"] == pytest.approx(1 / 3)


def test_a_true_box_without_five_numbers_ends_the_search_of_a_prediction():
    broken = case(Family.DETECTION, "[[1, 1, 5, 5, 0]]", "[[9, 9]] [[1, 1, 5, 5, 0]]", size=GRID)
    after = case(Family.DETECTION, "[[1, 1, 5, 5, 0]]", "[[1, 1, 5, 5, 0]] [[9, 9]]", size=GRID)
    assert values(RULE.measures([broken]))["acc@0.5"] == 0
    assert values(RULE.measures([after, broken]))["acc@0.5"] == 0.5


def test_boxes_in_px_are_written_on_the_grid_with_their_angle():
    corners = np.array([[30, 10, 50, 30, 30, 50, 10, 30]], dtype=float) * 10
    turned = BoxSet(np.array([[100.0, 100, 500, 500]]), ("",), (0,), quads=corners)
    one = case(Family.DETECTION, "", "", size=(1000, 1000), said_boxes=turned, true_boxes=turned)
    other = case(
        Family.DETECTION,
        "",
        "",
        size=(1000, 1000),
        said_boxes=upright([[100, 100, 500, 500]]),
        true_boxes=turned,
    )
    assert values(RULE.measures([one]))["acc@0.5"] == 1
    assert (
        values(RULE.measures([other]))["acc@0.5"] == 0
    )  # half of it, but 28 x 28 on the grid of whole numbers
    beyond = case(
        Family.DETECTION, "", "", size=(100, 50), said_boxes=upright([[-3, 0, 9, 9], [0, 0, 9, 9]]),
        true_boxes=upright([[0, 0, 9, 9]]),
    )  # fmt: skip
    assert values(RULE.measures([beyond]))["acc@0.5"] == 1


def test_crowded_descriptions_are_left_out():
    many = written([[i, i, i + 5, i + 5, 0] for i in range(50)])
    task = Task.GROUNDED_CAPTION
    crowded = case(Family.CAPTIONING, "a [[90, 90, 99, 99, 0]]", f"ships {many}", size=GRID, task=task)
    calm = case(
        Family.CAPTIONING, "one ship [[0, 0, 9, 9, 0]]", "<ref>one ship</ref> <box>[[[0, 0, 9, 9, 0]]]</box>",
        size=GRID, task=task,
    )  # fmt: skip
    assert values(RULE.measures([crowded, calm])) == pytest.approx(
        {"precision@0.5": 1, "precision@0.25": 1, "rouge-1": 1, "rouge-l": 1}
        | {key: v for key, v in values(RULE.measures([calm])).items() if key.startswith("meteor")}
    )


@pytest.mark.parametrize(
    ("true", "said", "recall"),
    [
        ("Dense Residential", "denseresidential", 1),
        ("a, b", "b, c", 2 / 3),
        ("a", "", 0),
        ("", "a", 0),
        ("a, a", "a", 1 / 3),
    ],
)
def test_token_recall(true, said, recall):
    assert token_recall(true, said) == pytest.approx(recall)


def test_notes_tell_what_is_hidden(data_dir: Path) -> None:
    for name in ("rs_detection/GeoChat", "rs_vqa/RSVQA_LR", "rs_image_caption/UCM_captions"):
        for one in RULE.measures(read(data_dir / "predictions/earthdial" / f"{name}.jsonl")):
            assert re.match(r"^[A-Za-z].*\.$", one.note)


@given(
    st.lists(st.sampled_from(["[[", "]]", "</box>", "<box>", "\n", "[", "1", "a "]), max_size=14).map("".join)
)
def test_descriptions_lose_their_boxes_as_the_script_s_pattern_takes_them(text: str) -> None:
    assert _described(text) == _BOXES.sub("", text)


def test_beginnings_of_boxes_without_end_take_no_longer_than_the_text() -> None:
    started = time.perf_counter()
    assert _described("a ship [[1, 2]]" + "[[" * 10_000) == "a ship " + "[[" * 10_000
    assert time.perf_counter() - started < 1

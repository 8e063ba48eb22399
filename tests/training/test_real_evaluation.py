"""Evaluation on whole real pictures: truth as annotated, matching with ignored objects, resuming, pictures."""

import csv
import json
import warnings
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pandas as pd
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from groundproof_training import real_evaluation, real_truth
from groundproof_training.matching import iou_matrix
from groundproof_training.real_evaluation import RealConfig, evaluate_real, run_command, table
from groundproof_training.real_truth import Picture, RealEvaluationError, judge, read_pictures

NONE = np.zeros((0, 4))
TRUTH = {"a": [(10, 10, 50, 40), (100, 100, 160, 150)], "b": [(200, 20, 230, 60)], "c": []}


def folder_of_aircraft(root: Path) -> Path:
    """Three small pictures; in `b` also a truncated airplane."""
    (root / "aircraft" / "images").mkdir(parents=True)
    rows = []
    for name, boxes in TRUTH.items():
        cv2.imwrite(str(root / "aircraft" / "images" / f"{name}.jpg"), np.full((224, 280, 3), 90, np.uint8))
        rows += [(name, box, "Airplane") for box in boxes]
    rows.append(("b", (0, 100, 20, 140), "Truncated_airplane"))
    with (root / "aircraft" / "annotations.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "image_id", "geometry", "class"])
        for k, (name, (x0, y0, x1, y1), kind) in enumerate(rows):
            ring = [(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)]
            writer.writerow([k, f"{name}.jpg", str(ring), kind])
    return root


def answers(boxes_of):
    """A stand-in for asking: the boxes given, of the file's pixels; counts how often it was asked."""
    asked = []

    def ask_picture(model, picture, which, cfg, progress=None):
        asked.append(picture.name)
        boxes = boxes_of(picture)
        return {
            "boxes": [list(map(float, b)) for b in boxes],
            "count": len(boxes),
            "tiles": 4,
            "empty_tiles": 0,
            "failed_tiles": 0,
            "tile_boxes": len(boxes),
            "seconds": 1.0,
        }

    return ask_picture, asked


def test_closed_polygons_become_boxes_and_truncated_airplanes_are_ignored(tmp_path):
    a, b, c = read_pictures(folder_of_aircraft(tmp_path), "aircraft")
    assert a.boxes.tolist() == [list(map(float, box)) for box in TRUTH["a"]]
    assert b.ignored.tolist() == [[0, 100, 20, 140]]
    assert c.boxes.shape == (0, 4)


def test_bounds_in_a_string_are_read_and_never_run(tmp_path):
    (tmp_path / "storage_tanks" / "images").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "storage_tanks" / "images" / "a.jpg"), np.zeros((64, 64, 3), np.uint8))
    path = tmp_path / "storage_tanks" / "annotations.csv"
    path.write_text('image_id,class,bounds\na,tank,"(1, 2, 30, 40)"\na,tank,"(5, 5, 5, 9)"\n')
    (picture,) = read_pictures(tmp_path, "storage_tanks")
    assert picture.boxes.tolist() == [[1, 2, 30, 40]]
    path.write_text("image_id,class,bounds\na,tank,\"__import__('os').getcwd()\"\n")
    with pytest.raises(RealEvaluationError, match="line 2"):
        read_pictures(tmp_path, "storage_tanks")


def test_a_missing_folder_is_refused_by_name(tmp_path):
    with pytest.raises(RealEvaluationError, match=r"annotations\.csv"):
        read_pictures(tmp_path, "aircraft")


def test_what_lies_on_an_ignored_object_is_neither_right_nor_wrong():
    truth, ignored = np.array([[0.0, 0, 10, 10]]), np.array([[100.0, 0, 140, 40]])
    said = np.array([[0, 0, 10, 9], [100, 0, 140, 38], [110, 10, 120, 20], [300, 0, 310, 10]], dtype=float)
    v = judge(said, truth, ignored)
    assert v.hit.tolist() == [True, False, False, False]
    assert v.off.tolist() == [False, True, True, False]


def test_a_true_object_inside_an_ignored_one_still_counts():
    v = judge(np.array([[10.0, 10, 20, 20]]), np.array([[10.0, 10, 20, 20]]), np.array([[0.0, 0, 50, 50]]))
    assert v.hit.all()
    assert not v.off.any()


boxes = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(4, 30), st.integers(4, 30)), max_size=8
).map(lambda rows: np.array([[x, y, x + w, y + h] for x, y, w, h in rows], dtype=float).reshape(-1, 4))


@settings(max_examples=150)
@given(said=boxes, truth=boxes)
def test_matches_are_one_to_one_and_never_more_than_the_best_assignment_has(said, truth):
    v = judge(said, truth, NONE)
    assert v.hit.sum() == v.found.sum()
    assert v.near.sum() == v.found_near.sum()
    if len(said) and len(truth):
        good = iou_matrix(said, truth) >= 0.5
        rows, columns = linear_sum_assignment(-good.astype(int))
        assert v.hit.sum() <= good[rows, columns].sum()
        assert (v.hit.sum() > 0) == good.any()


def test_perfect_answers_score_one_and_the_result_is_json(tmp_path, monkeypatch):
    data = folder_of_aircraft(tmp_path / "data")
    ask, _ = answers(lambda p: [*p.boxes, *p.ignored])
    monkeypatch.setattr(real_evaluation, "ask_picture", ask)
    result = evaluate_real("tiny", data, "aircraft", RealConfig(), out=tmp_path / "out")
    figures = json.loads(json.dumps(result))["figures"]
    assert figures["f1"] == figures["recall"] == figures["precision_iou25"] == 1
    assert figures["count_mae"] == 0
    assert result["off"] == 1
    assert len(list((tmp_path / "out").glob("aircraft-best*.jpg"))) == 1
    assert len(list((tmp_path / "out").glob("aircraft-worst*.jpg"))) == 1
    assert "3 pictures" in table(result)


def test_sizes_are_those_of_the_picture_as_asked(tmp_path, monkeypatch):
    data = folder_of_aircraft(tmp_path)
    ask, _ = answers(lambda p: p.boxes[:1])
    monkeypatch.setattr(real_evaluation, "ask_picture", ask)
    half = evaluate_real("tiny", data, "aircraft", RealConfig(scale=0.5))["figures"]
    whole = evaluate_real("tiny", data, "aircraft", RealConfig(scale=1))["figures"]
    # sides of 34.6, 54.8 and 34.6 px in the file; the second of `a` is not found
    assert (half["recall 16-32"], whole["recall 32-64"]) == (0.667, 0.667)
    assert "recall 16-32" not in whole


def test_a_finished_picture_is_not_asked_again_until_a_setting_changes(tmp_path, monkeypatch):
    data = folder_of_aircraft(tmp_path / "data")
    ask, asked = answers(lambda p: p.boxes)
    monkeypatch.setattr(real_evaluation, "ask_picture", ask)
    first = evaluate_real("tiny", data, "aircraft", RealConfig(limit=2), out=tmp_path / "out")
    evaluate_real("tiny", data, "aircraft", RealConfig(draws=50), out=tmp_path / "out")
    assert asked == ["a", "b", "c"]
    assert first["pictures"] == 2
    evaluate_real("tiny", data, "aircraft", RealConfig(scale=1.0, limit=1), out=tmp_path / "out")
    assert asked[3:] == ["a"]


def test_pictures_are_refused_a_place_inside_the_checkout(tmp_path):
    inside = Path(__file__).parent / "pictures"
    with pytest.raises(RealEvaluationError, match="must stay out"):
        evaluate_real("tiny", folder_of_aircraft(tmp_path), "aircraft", RealConfig(), out=inside)
    assert not inside.exists()


def test_an_unknown_set_is_refused(tmp_path):
    with pytest.raises(RealEvaluationError, match="aircraft, storage_tanks"):
        run_command("tiny", tmp_path, "ships", None, None)


def test_boxes_come_back_in_the_pixels_of_the_file(tmp_path, monkeypatch):
    """449 x 300 px at half are asked as 224 x 150; of the rows only counted airplanes come back."""
    path = tmp_path / "a.jpg"
    cv2.imwrite(str(path), np.full((300, 449, 3), 120, np.uint8))
    evidence = pd.DataFrame(
        [
            ((10.0, 20.0, 50.0, 60.0), "supported", None, "airplane"),
            ((112.0, 75.0, 224.0, 150.0), "unchecked", "accepted", "airplane"),
            ((1.0, 1.0, 9.0, 9.0), "contradicted", None, "airplane"),
            ((2.0, 2.0, 9.0, 9.0), "supported", "rejected", "airplane"),
            ((3.0, 3.0, 9.0, 9.0), "supported", None, "ship"),
        ],
        columns=["box_px", "verdict", "review", "label"],
    )
    tiles = pd.DataFrame({"n_evidence": [3, 4]})

    def ask(scene, question, **options):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
            with rasterio.open(scene) as file:
                assert (file.width, file.height, file.count) == (224, 150, 3)
        assert question == "How many airplanes are there?"
        assert options["pixel_space"]
        return SimpleNamespace(evidence=evidence, value=2, result=SimpleNamespace(tiles=tiles))

    monkeypatch.setattr(real_evaluation.groundproof, "ask", ask)
    answer = real_evaluation.ask_picture("tiny", Picture(path, NONE, NONE), "aircraft", RealConfig(scale=0.5))
    wide = 449 / 224
    wanted = [[10 * wide, 40, 50 * wide, 120], [112 * wide, 150, 449, 300]]
    assert np.abs(np.array(answer["boxes"]) - wanted).max() <= 0.005
    assert (answer["count"], answer["tiles"], answer["tile_boxes"]) == (2, 2, 7)


@pytest.mark.weights
def test_a_picture_goes_the_whole_way_through_ask(tmp_path):
    path = tmp_path / "a.jpg"
    cv2.imwrite(str(path), np.full((448, 448, 3), 120, np.uint8))
    answer = real_evaluation.ask_picture("tiny", Picture(path, NONE, NONE), "aircraft", RealConfig(scale=0.5))
    assert (answer["tiles"], answer["failed_tiles"]) == (1, 0)
    found = np.array(answer["boxes"]).reshape(-1, 4)
    assert ((found >= 0) & (found <= 448)).all()


def test_the_real_annotations_are_read_whole(data_dir):
    aircraft = read_pictures(data_dir, "aircraft")
    assert (len(aircraft), sum(len(p.boxes) for p in aircraft)) == (34, 1095)
    assert sum(len(p.ignored) for p in aircraft) == 36
    tanks = read_pictures(data_dir, "storage_tanks")
    assert (len(tanks), sum(len(p.boxes) for p in tanks)) == (18, 2425 - 2)
    assert set(real_truth.SETS) == {"aircraft", "storage_tanks"}

"""Trainable real imagery: readers against the files themselves, crops against painted pixels."""

import json

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundproof_training import real_data
from groundproof_training.real_data import (
    RealDataError,
    RealImage,
    crops,
    is_held_out,
    place_of,
    read_thermal_uav,
    read_trees_naip,
)
from groundproof_training.scenes import CLASSES


def painted(boxes, points=(), ignored=(), width=400, height=380):
    """A black picture with white boxes."""
    image = np.zeros((height, width, 3), dtype=np.uint8)
    for x0, y0, x1, y1 in boxes:
        image[y0:y1, x0:x1] = 255
    return RealImage(
        "harbour",
        image,
        np.array(boxes, dtype=np.float32).reshape(-1, 4),
        ("vehicle",) * len(boxes),
        np.array(points, dtype=np.float32).reshape(-1, 2),
        ("tree",) * len(points),
        ("ship",),
        ("vehicle",),
        np.array(ignored, dtype=np.float32).reshape(-1, 4),
        "here",
        "CC0",
    )


@settings(max_examples=60)
@given(
    seed=st.integers(0, 10_000), width=st.sampled_from([168, 224, 336]), height=st.sampled_from([168, 280])
)
def test_a_crop_keeps_boxes_on_the_pixels_they_were_on(seed, width, height):
    crop = crops(np.random.default_rng(seed), painted([(150, 160, 230, 220)]), width, height)
    assert crop.image.shape == (height, width, 3)
    lit = np.argwhere(crop.image[..., 0] > 127)
    for x0, y0, x1, y1 in crop.boxes if len(crop.boxes) else crop.ignored:
        assert np.abs(np.array([lit[:, 1].min(), lit[:, 0].min()]) - (x0, y0)).max() <= 1.5
        assert np.abs(np.array([lit[:, 1].max(), lit[:, 0].max()]) + 1 - (x1, y1)).max() <= 1.5
    assert (len(lit) > 0) == (len(crop.boxes) + len(crop.ignored) > 0)


@settings(max_examples=60)
@given(seed=st.integers(0, 10_000))
def test_points_move_with_the_pixels_and_stay_inside(seed):
    image = painted([(199, 189, 202, 192)], points=[(200.5, 190.5)])
    crop = crops(np.random.default_rng(seed), image, 168, 168)
    lit = np.argwhere(crop.image[..., 0] > 60)
    if len(crop.points):
        assert np.abs(lit.mean(0)[::-1] + 0.5 - crop.points[0]).max() < 2.5
        assert crop.point_labels == ("tree",)
    else:
        assert crop.point_labels == ()


def test_what_is_left_of_a_box_with_little_inside_becomes_an_ignored_area():
    image = painted([(0, 0, 100, 100)], width=168, height=168)
    window = real_data._window(image, 70, 0, 98, 168)
    assert len(window.boxes) == 0
    assert window.labels == ()
    assert window.ignored.tolist() == [[0, 0, 30, 100]]
    half = real_data._window(image, 50, 0, 118, 168)
    assert half.boxes.tolist() == [[0, 0, 50, 100]]


def test_a_picture_smaller_than_the_crop_is_enlarged():
    crop = crops(np.random.default_rng(0), painted([(10, 10, 90, 90)], width=100, height=100), 336, 168)
    assert crop.image.shape == (168, 336, 3)


@pytest.mark.parametrize("side", [140, 170, 364])
def test_a_side_the_model_does_not_take_is_refused(side):
    with pytest.raises(ValueError, match="multiples of 28 from 168 to 336"):
        crops(np.random.default_rng(0), painted([]), side, 224)


def test_pictures_of_one_place_stay_on_one_side_of_the_split():
    assert place_of("long_beach_2016_46.tif") == place_of("long_beach_2018_46")
    assert is_held_out("long_beach_2016_46") == is_held_out("long_beach_2018_46.tif")
    assert place_of("palm_springs_2020_65") == place_of("palm_springs_2018_64")
    assert place_of("1_60_30_0_00065.jpg") == place_of("1_60_50_0_00319")


def test_a_wrong_folder_is_refused_with_what_was_found(tmp_path):
    (tmp_path / "labels").mkdir()
    with pytest.raises(RealDataError, match="holds labels"):
        read_trees_naip(tmp_path)
    with pytest.raises(RealDataError, match="does not exist"):
        read_thermal_uav(tmp_path / "nowhere")
    (tmp_path / "images").mkdir()
    cv2.imwrite(str(tmp_path / "images" / "1_60_30_0_1.jpg"), np.zeros((20, 20), np.uint8))
    with pytest.raises(RealDataError, match="annotation"):
        read_thermal_uav(tmp_path)


def test_thermal_categories_become_vehicles_or_ignored_areas(tmp_path):
    (tmp_path / "images").mkdir()
    cv2.imwrite(str(tmp_path / "images" / "1_60_30_0_1.jpg"), np.full((64, 80), 90, np.uint8))
    names = ["Person", "Car", "Bicycle", "OtherVehicle", "DontCare"]
    table = {
        "images": [{"filename": "1_60_30_0_1.jpg", "id": 7}],
        "categories": [{"id": k, "name": name} for k, name in enumerate(names)],
        "annotation": [
            {"image_id": 7, "category_id": k, "bbox": [10 * k, 5, 8, 60]} for k in range(len(names))
        ],
    }
    (tmp_path / "annotations.json").write_text(json.dumps(table))
    (image,) = read_thermal_uav(tmp_path)
    assert image.boxes.tolist() == [[10, 5, 18, 64], [30, 5, 38, 64]]
    assert len(image.ignored) == 3
    assert image.image.shape == (64, 80, 3)


def test_the_naip_pictures_are_read_with_their_points(data_dir):
    images = read_trees_naip(data_dir / "trees_naip")
    assert len(images) == 100
    assert all(i.image.shape == (256, 256, 3) and len(i.boxes) == 0 for i in images)
    lines = [
        len((data_dir / "trees_naip" / "points_px" / f"{i.name}.csv").read_text().split()) for i in images
    ]
    assert [len(i.points) for i in images] == [n - 1 for n in lines]
    assert all(((i.points >= 0) & (i.points <= 256)).all() for i in images)
    assert 15 <= sum(i.held_out for i in images) <= 25
    assert set(real_data.NOT_RULED_OUT) <= {i.name for i in images}


def test_the_thermal_frames_are_read_with_their_vehicles(data_dir):
    images = read_thermal_uav(data_dir / "thermal_uav")
    assert len(images) == 60
    assert sum(len(i.boxes) for i in images) == 160 + 6
    assert sum(len(i.ignored) for i in images) == 541 - 166
    held = [i for i in images if i.held_out]
    assert 6 <= len(held) <= 18
    assert any(len(i.boxes) for i in held)
    assert {c for i in images for c in (*i.labels, *i.absent, *i.complete)} <= set(CLASSES)

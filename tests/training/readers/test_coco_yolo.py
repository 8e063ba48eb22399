"""COCO's JSON, HIT-UAV, NWPU VHR-10 and YOLO's lines: numbers, ids, classes, odd folders."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pycocotools.coco import COCO

from groundproof_training.errors import TrainingError
from groundproof_training.readers.base import Problems, WrongFolderError
from groundproof_training.readers.coco import CocoImage, found_in
from groundproof_training.readers.nwpu_vhr10 import parse_vhr10
from groundproof_training.readers.yolo import parse_yolo

from .folders import WHOLE, images, picture, read, write


def table(annotations, key="annotations", name_key="file_name", **changes):
    document = {
        "images": [
            {"id": 0, name_key: "001.jpg", "width": 100, "height": 80},
            {"id": 7, name_key: "sub/002.jpg", "width": 100, "height": 80},
        ],
        "categories": [
            {"id": 0, "name": "my-ships-v3"},
            {"id": 1, "name": "Small-Vehicle"},
            {"id": 5, "name": "ship"},
        ],
        key: annotations,
    }
    return json.dumps(document | changes)


def folder(root, text):
    for name in ("001.jpg", "sub/002.jpg"):
        picture(root / "images" / name)
    write(root / "annotations.json", text)
    return root


def one(number, image=0, category=1, bbox=(10, 20, 30, 40), **more):
    return {
        "id": number,
        "image_id": image,
        "category_id": category,
        "bbox": list(bbox),
        "iscrowd": 0,
        **more,
    }


def test_boxes_are_those_pycocotools_reads(tmp_path):
    root = folder(tmp_path, table([one(1), one(2, 7, 5, (1.5, 2.5, 10.25, 4)), one(3, 7)]))
    found, problems = images("coco", root, **WHOLE)
    theirs = COCO(str(root / "annotations.json"))
    for key, image_id in (("001", 0), ("sub-002", 7)):
        boxes = [a["bbox"] for a in theirs.loadAnns(theirs.getAnnIds(imgIds=[image_id]))]
        ours = [(b.x0, b.y0, b.x1 - b.x0, b.y1 - b.y0) for b in found[key].objects]
        assert ours == [tuple(b) for b in boxes]
    assert found["001"].classes == ("ship", "small vehicle")  # not the heading, which has no annotation
    assert not problems.counts


def test_crowds_and_masks_are_not_objects_to_count(tmp_path):
    rle = {"counts": [0, 10, 7990], "size": [80, 100]}
    root = folder(tmp_path, table([one(1, iscrowd=1, segmentation=rle), one(2, bbox=(50, 50, 5, 5))]))
    crowd, single = images("coco", root, **WHOLE)[0]["001"].objects
    assert (crowd.ignore, single.ignore) == (True, False)
    counts = {s.answer for s in read("coco", root, **WHOLE, tasks=("count",), absent_share=0)[0]}
    assert counts == {"1"}


def test_what_is_wrong_with_a_table_is_counted(tmp_path):
    wrong = [one(1), one(1, bbox=(1, 1, 5, 5)), one(2, image=99), one(3, category=42), one(4, bbox=(1, 2, 3)),
             one(5, bbox=(1, 2, 0, 4)), {"id": 6, "image_id": 0, "category_id": 1}]  # fmt: skip
    document = json.loads(table(wrong))
    document["images"] += [
        {"id": 0, "file_name": "again.jpg"},
        {"id": 12},
        {"id": 13, "file_name": "gone.jpg"},
    ]
    root = folder(tmp_path, json.dumps(document))
    found, problems = images("coco", root, **WHOLE)
    assert len(found["001"].objects) == 1
    assert problems.counts == {"duplicate id": 2, "no image": 2, "unknown class": 1, "broken label": 3,
                               "empty box": 1}  # fmt: skip


def test_splits_of_their_own_files_and_folders(tmp_path):
    for split, folder_name in (("train", "train2017"), ("val", "val2017")):
        picture(tmp_path / folder_name / f"{split}.jpg")
        write(tmp_path / "annotations" / f"instances_{split}2017.json",
              table([one(1)], images=[{"id": 0, "file_name": f"{split}.jpg"}]))  # fmt: skip
    assert list(images("coco", tmp_path, "val")[0]) == ["val"]
    with pytest.raises(WrongFolderError, match="labels for test"):
        images("coco", tmp_path, "test")


def test_a_file_that_is_no_table_is_a_sentence(tmp_path):
    for text, said in (
        ("{", "cannot be read as JSON"),
        ("[]", "no COCO table"),
        ('{"images": []}', "no COCO table"),
    ):
        write(tmp_path / "annotations.json", text)
        with pytest.raises(TrainingError, match=said):
            images("coco", tmp_path)


@given(st.floats(20, 80), st.floats(20, 60), st.floats(2, 30), st.floats(2, 30), st.floats(0, math.pi))
def test_a_turned_box_is_centre_sides_and_radians_clockwise(cx, cy, w, h, theta):
    """HIT-UAV: corner = (x + dx cos - dy sin, y + dx sin + dy cos), y down."""
    label = one(1, bbox=(cx, cy, w, h, theta))
    (found,) = found_in(CocoImage("a", None, [label]), {1: "car"}, Problems(), "a")
    c, s = math.cos(theta), math.sin(theta)
    expected = [
        (cx + dx * c - dy * s, cy + dx * s + dy * c)
        for dx, dy in ((-w / 2, -h / 2), (w / 2, -h / 2), (w / 2, h / 2), (-w / 2, h / 2))
    ]
    assert np.allclose(np.reshape(found.quad, (4, 2)), expected)
    xs, ys = zip(*expected, strict=True)
    assert np.allclose(found.xyxy, (min(xs), min(ys), max(xs), max(ys)))


def test_hit_uav_has_another_key_and_areas_nobody_labelled(tmp_path):
    names = ["Person", "Car", "Bicycle", "OtherVehicle", "DontCare"]
    labels = [one(1, 0, 1), one(2, 7, 0), one(3, 7, 4, (60, 60, 20, 10))]
    root = folder(
        tmp_path,
        table(labels, key="annotation", name_key="filename",
              categories=[{"id": k, "name": n} for k, n in enumerate(names)]),
    )  # fmt: skip
    samples, problems = read("hit-uav", root, **WHOLE, absent_share=0.5, tasks=("count", "vqa"))
    assert not problems.counts
    hidden = [s for s in samples if s.images[0].path.endswith("002.jpg")]
    # A count, or a "no", would be a guess where an area is not labelled.
    assert [(s.task, s.answer) for s in hidden] == [("vqa", "yes")]
    assert [b.ignore for b in hidden[0].boxes] == [False, True]
    assert any(s.answer == "no" for s in samples)


def test_the_thermal_frames_are_read_as_measured(data_dir):
    root = data_dir / "thermal_uav"
    found, problems = images("hit-uav", root, **WHOLE)
    document = json.loads((root / "annotations.json").read_text())
    assert len(found) == 60
    assert not problems.counts
    assert sum(len(i.objects) + len(i.areas) for i in found.values()) == len(document["annotation"]) == 541
    first = document["annotation"][0]
    name = next(i["filename"] for i in document["images"] if i["id"] == first["image_id"])
    x, y, w, h = first["bbox"]
    assert any(b.xyxy == (x, y, x + w, y + h) for b in found[name[:-4]].objects)
    lights = [
        {k.split("_")[0] + k.split("_")[1] for k in images("hit-uav", root, s)[0]}
        for s in ("train", "val", "test")
    ]
    assert not lights[0] & lights[1]
    assert not lights[0] & lights[2]


def test_vhr10_lines_with_blanks_anywhere():
    text = "(563,478),(630,573),1\n( 575,114 ), (635,162), 10 \n\n(1,2),(3,4)\n(1,2),(3,4),11\n"
    problems = Problems()
    first, second = parse_vhr10(text, problems, "001.txt")
    assert (first.name, first.xyxy) == ("airplane", (563, 478, 630, 573))
    assert second.name == "vehicle"
    assert problems.counts == {"broken label": 1, "unknown class": 1}


def vhr10(root):
    for folder_name in ("positive image set", "negative image set"):
        picture(root / folder_name / "001.jpg", 958, 808)
    write(root / "ground truth" / "001.txt", "(563,478),(630,573),1\n")
    document = {
        "images": [{"id": 0, "file_name": "001.jpg", "width": 958, "height": 808}],
        "categories": [{"id": 1, "name": "airplane"}, {"id": 3, "name": "storage_tank"}],
        "annotations": [one(0, bbox=(563.0, 485.0, 66.0, 86.0)), one(1, category=3, bbox=(1, 1, 20, 20))],
    }
    write(root / "annotations.json", json.dumps(document))
    return root


def test_vhr10_never_mixes_its_two_truths(tmp_path):
    root = vhr10(tmp_path)
    for labels, boxes in (("txt", {"airplane"}), ("coco", {"airplane", "storage tank"})):
        found, problems = images("nwpu-vhr10", root, **WHOLE, labels=labels)
        assert {b.label for b in found["001"].objects} == boxes
        assert not problems.counts
        assert found["negative-001"].objects == ()
    # Image ids count from 0, the file is 001.jpg.
    assert images("nwpu-vhr10", root, **WHOLE, labels="coco")[0]["001"].objects[0].y0 == 485


NAMES = {0: "ship", 1: "storage tank"}


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.01, 1), st.floats(0.01, 1))
def test_yolo_shares_become_pixels(x, y, w, h):
    (found,) = parse_yolo(f"1 {x:.17g} {y:.17g} {w:.17g} {h:.17g}", NAMES, (640, 480), Problems(), "a.txt")
    x0, y0, x1, y1 = found.xyxy
    assert np.allclose(((x0 + x1) / 1280, (y0 + y1) / 960, (x1 - x0) / 640, (y1 - y0) / 480), (x, y, w, h))


def test_yolo_oriented_boxes_outlines_and_nonsense():
    text = (
        "0 0.780814 0.295524 0.860685 0.265742 0.876018 0.420879 0.796147 0.450660\n"
        "0 0.1 0.1 0.2 0.1 0.2 0.2\n"
        "0 0.5 0.5 0.1 0.1 0.93\n"
        "0.5 0.5 0.5 0.1 0.1\n"
        "7 0.5 0.5 0.1 0.1\nship 1 2 3 4\n"
    )
    problems = Problems()
    turned, outline = parse_yolo(text, NAMES, (100, 100), problems, "a.txt")
    assert np.allclose(turned.quad[:2], (78.0814, 29.5524))
    assert np.allclose(outline.xyxy, (10, 10, 20, 20))
    assert outline.quad is None
    assert problems.counts == {"broken label": 3, "unknown class": 1}


def yolo(root, given):
    write(root / "data.yaml", yaml.safe_dump(given))
    for split in ("train", "valid"):
        picture(root / split / "images" / f"{split}.jpg")
        write(root / split / "labels" / f"{split}.txt", "0 0.5 0.5 0.1 0.1\n")
    return root


@pytest.mark.parametrize("front", ["../", "", "/home/somebody/sets/mine/"])
def test_yolo_paths_as_exports_have_them_are_found_below_the_folder(tmp_path, front):
    given = {"names": ["ship"], "train": f"{front}train/images", "val": f"{front}valid/images"}
    root = yolo(tmp_path, given)
    assert list(images("yolo", root)[0]) == ["train-images-train"]
    assert list(images("yolo", root, "val")[0]) == ["valid-images-valid"]
    assert images("yolo", root, "test")[0] == {}


def test_yolo_never_leaves_its_folder(tmp_path):
    outside = picture(tmp_path / "outside" / "images" / "secret.jpg")
    root = tmp_path / "set"
    root.mkdir()
    (root / "link").symlink_to(outside.parent)
    write(
        root / "data.yaml", yaml.safe_dump({"names": ["ship"], "train": "../outside/images", "val": "link"})
    )
    assert images("yolo", root)[0] == {}
    assert images("yolo", root, "val")[0] == {}


def test_yolo_without_splits_and_a_label_without_its_picture(tmp_path):
    write(tmp_path / "classes.txt", "ship\nstorage tank\n")
    for name in ("a", "b"):
        picture(tmp_path / "images" / f"{name}.jpg")
    write(tmp_path / "labels" / "a.txt", "0 0.5 0.5 0.1 0.1\n")
    write(tmp_path / "labels" / "c.txt", "0 0.5 0.5 0.1 0.1\n")
    found, problems = images("yolo", tmp_path, **WHOLE)
    assert {k: len(i.objects) for k, i in found.items()} == {"a": 1, "b": 0}
    assert problems.counts == {"no image": 1}
    parts = [set(images("yolo", tmp_path, split)[0]) for split in ("train", "val", "test")]
    assert set.union(*parts) == {"a", "b"}
    assert sum(map(len, parts)) == 2


def test_yolo_yaml_cannot_run_anything(tmp_path):
    picture(tmp_path / "images" / "a.jpg")
    write(tmp_path / "data.yaml", "names: !!python/object/apply:os.system ['echo no']\n")
    with pytest.raises(TrainingError, match="YAML"):
        images("yolo", tmp_path)

"""fMoW places we write, with the JSON keys of its baseline."""

import json

import pytest
from PIL import Image

from groundproof.protocol import Task
from groundproof_training.readers.base import Options, Problems, WrongFolderError
from groundproof_training.readers.fmow import CLASSES, Fmow, FmowOptions
from groundproof_training.readers.texts import classes_in


def view(root, place, number, year, boxes, split="train", kind="rgb", size=(400, 300)):
    category = place.rsplit("_", 1)[0]
    folder = root / split / category / place
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{place}_{number}_{kind}.jpg"
    Image.new("RGB", size, (year % 256, number * 9, 0)).save(file)
    content = {
        "bounding_boxes": boxes, "timestamp": f"{year}-07-02T10:20:30Z", "gsd": 0.5, "cloud_cover": 3,
        "img_width": size[0], "img_height": size[1], "utm": "31U",
    }  # fmt: skip
    file.with_suffix(".json").write_text(json.dumps(content))


def one(category, box=(100, 50, 40, 20), identity=1):
    return {"ID": identity, "category": category, "box": list(box)}


def read(root, split="train", **options):
    problems = Problems()
    return list(Fmow().read(root, split, FmowOptions(**options), problems)), problems


def test_a_place_is_a_sequence_of_dates(tmp_path):
    for number, year in enumerate((2016, 2002, 2010, 2012, 2013, 2014)):
        view(tmp_path, "multi-unit_residential_12", number, year, [one("multi-unit_residential")])
    view(tmp_path, "multi-unit_residential_12", 0, 2001, [one("multi-unit_residential")], kind="msrgb")
    (sample,), problems = read(tmp_path)
    assert not problems.counts
    assert sample.task is Task.CLASSIFY
    assert [i.date for i in sample.images] == ["2002-07-02", "2012-07-02", "2013-07-02", "2016-07-02"]
    assert (sample.answer, sample.choices) == ("multi unit residential", CLASSES)
    assert classes_in(sample.question) == CLASSES
    assert "images" in sample.question
    assert {i.window for i in sample.images} == {(80, 40, 160, 80)}
    assert len(read(tmp_path, dates=9)[0][0].images) == 6
    assert read(tmp_path, dates=1)[0][0].images[0].date == "2016-07-02"
    assert read(tmp_path, context=None)[0][0].images[0].window is None
    assert not read(tmp_path, least=7)[0]


def test_two_places_in_one_image_are_two_samples(tmp_path):
    boxes = [one("airport", (0, 0, 100, 100), 1), one("airport", (350, 250, 80, 80), 2)]
    view(tmp_path, "airport_3", 0, 2010, boxes, split="val")
    first, second = read(tmp_path, "val")[0]
    assert (first.images[0].window, second.images[0].window) == ((0, 0, 150, 150), (310, 210, 400, 300))
    assert first.sample_id != second.sample_id
    assert "given image in" in first.question


def test_one_box_without_a_list_is_taken(tmp_path):
    view(tmp_path, "zoo_1", 0, 2010, one("zoo"))
    assert [s.answer for s in read(tmp_path)[0]] == ["zoo"]


def test_what_is_broken_is_counted(tmp_path):
    view(tmp_path, "zoo_1", 0, 2010, [one("false_detection")])
    view(tmp_path, "zoo_2", 0, 2010, [one("zoo")])
    view(tmp_path, "zoo_2", 1, 2011, [one("port")])
    view(tmp_path, "zoo_3", 0, 2010, [{"ID": 1}])
    view(tmp_path, "zoo_4", 0, 2010, [one("zoo", (900, 10, 10, 10))])
    view(tmp_path, "zoo_5", 0, 2010, [one("zoo")])
    (tmp_path / "train/zoo/zoo_5/zoo_5_0_rgb.jpg").write_bytes(b"no picture")
    samples, problems = read(tmp_path)
    assert not samples
    assert problems.counts == {
        "unknown class": 2, "broken label": 1, "box outside": 1, "broken image": 1, "sample without its image": 1,
    }  # fmt: skip


def test_classes_are_the_readmes_62():
    assert len(CLASSES) == len(set(CLASSES)) == 62
    assert {"lake or pond", "wind farm", "airport"} <= set(CLASSES)


def test_they_are_those_of_earthdials_published_question(data_dir):
    lines = (data_dir / "predictions/earthdial/rs_change_detection/FMoW.jsonl").read_text().splitlines()
    assert set(classes_in(json.loads(lines[0])["question"])) == set(CLASSES)


def test_a_wrong_folder_is_told_what_was_expected(tmp_path):
    with pytest.raises(WrongFolderError, match=r"val is not there[\s\S]+Expected:"):
        Fmow().read(tmp_path, "val", Options(), Problems())

"""VisDrone, Airbus's samples, xBD, MUDS: what each set's own labels mean."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from PIL import Image
from shapely.geometry import box, mapping

from groundproof.protocol import Task
from groundproof_training.readers.airbus import bounds_of, polygon_bounds
from groundproof_training.readers.base import Problems, WrongFolderError
from groundproof_training.readers.visdrone import parse_visdrone

from .folders import WHOLE, images, picture, read, write


def test_visdrone_regions_scores_and_a_comma_at_the_end():
    text = "10,20,30,40,1,4,0,2,\n0,0,50,50,0,0,0,0\n1,1,9,9,0,5,1,0\n1,1,9,9,1,12,0,0\n1,2,3\n5,5,5,5,1,11,0,0\n"
    problems = Problems()
    car, region, unscored, others = parse_visdrone(text, problems, "a.txt")
    assert (car.name, car.xyxy, car.ignore, car.attributes) == (
        "car",
        (10, 20, 40, 60),
        False,
        {"occlusion": "heavy"},
    )
    assert (region.name, region.ignore, others.ignore) == ("ignored region", True, True)
    assert (unscored.name, unscored.ignore, unscored.truncated) == ("van", True, True)
    assert problems.counts == {"unknown class": 1, "broken label": 1}


def test_an_image_with_an_unlabelled_region_is_never_counted_in(tmp_path):
    for name, text in (("a", "10,20,30,40,1,4,0,0\n0,0,9,9,0,0,0,0\n"), ("b", "10,20,30,40,1,4,0,0\n")):
        picture(tmp_path / "VisDrone2019-DET-train" / "images" / f"{name}.jpg")
        write(tmp_path / "VisDrone2019-DET-train" / "annotations" / f"{name}.txt", text)
    samples, _ = read("visdrone", tmp_path, absent_share=0.6)
    hidden, clear = ([s for s in samples if s.images[0].path.endswith(f"{n}.jpg")] for n in "ab")
    assert {s.task for s in clear} >= {Task.COUNT, Task.VQA}
    assert Task.COUNT not in {s.task for s in hidden}
    assert "no" not in {s.answer for s in hidden}
    # The region goes along, so that finding something in it is no mistake.
    assert all([b.label for b in s.boxes] == ["car", "ignored region"] for s in hidden)
    with pytest.raises(WrongFolderError, match="VisDrone2019-DET-val"):
        read("visdrone", tmp_path, "val")


def test_tuples_in_a_table_are_read_as_literals_and_never_run():
    assert bounds_of("(1205, 1493, 1231, 1516)") == (1205, 1493, 1231, 1516)
    closed = "[(135, 522), (245, 522), (245, 600), (135, 600), (135, 522)]"
    assert polygon_bounds(closed) == (135, 522, 245, 600)
    for text in ("__import__('os').getcwd()", "(1, 2, 3)", "", "nan", "(" * 500):
        with pytest.raises(ValueError, match=r"literal|numbers"):
            bounds_of(text)
        with pytest.raises(ValueError, match=r"literal|outline"):
            polygon_bounds(text)


def test_airbus_tables_against_the_csv_itself(data_dir):
    for name, folder, column in (
        ("airbus-aircraft", "aircraft", "geometry"),
        ("airbus-tanks", "storage_tanks", "bounds"),
    ):
        found, problems = images(name, data_dir / folder, **WHOLE, decode=False)
        with (data_dir / folder / "annotations.csv").open() as file:
            rows = list(csv.DictReader(file))
        lost = problems.counts["empty box"]
        assert sum(len(i.objects) for i in found.values()) == len(rows) - lost
        assert set(problems.counts) <= {"empty box", "box outside"}
        assert {r["image_id"].removesuffix(".jpg") for r in rows} <= set(found)
        if column == "geometry":
            cut = sum("Truncated" in r["class"] for r in rows)
            assert cut <= sum(b.truncated for i in found.values() for b in i.objects) <= cut + 4


def xbd(root):
    """One pair: building a destroyed, b unharmed, c un-classified (second pair only), d without an outline before."""

    def label(buildings, **metadata):
        features = [
            {"properties": {"feature_type": "building", "uid": uid, **({"subtype": level} if level else {})},
             "wkt": box(*bounds).wkt}
            for uid, (bounds, level) in buildings.items()
        ]  # fmt: skip
        return json.dumps({"features": {"lng_lat": [], "xy": features}, "metadata": metadata})

    places = {"a": (10, 10, 30, 30), "b": (40, 40, 60, 70)}
    damages = {
        "flood_00000001": {"a": "destroyed", "b": "no-damage"},
        "flood_00000002": {"a": "destroyed", "b": "un-classified", "d": "major-damage"},
    }
    for pair, damage in damages.items():
        folder = root / "train"
        before = {uid: (places[uid], None) for uid in places}
        # Outlines of the two dates lie 3 px apart.
        after = {
            uid: (tuple(v + 3 for v in places.get(uid, (70, 50, 90, 70))), level)
            for uid, level in damage.items()
        }
        for when, buildings, date in (("pre", before, "2018-01-01"), ("post", after, "2018-09-01")):
            write(folder / "labels" / f"{pair}_{when}_disaster.json",
                  label(buildings, disaster="flood", gsd=1.5, capture_date=f"{date}T10:00:00Z"))  # fmt: skip
            picture(folder / "images" / f"{pair}_{when}_disaster.png")
    return root


def test_xbd_asks_about_each_date_and_each_pair(tmp_path):
    samples, problems = read("xbd", xbd(tmp_path), absent_share=0.9)
    assert problems.counts == {"no pair": 1}
    by_id = {s.sample_id: s for s in samples}
    count = by_id["xbd-train-flood_00000002-post-count-building"]
    assert count.answer == "3"  # un-classified buildings are buildings
    damage = by_id["xbd-train-flood_00000001-damage-a"]
    assert (damage.answer, damage.task, len(damage.images)) == ("destroyed", Task.CLASSIFY, 2)
    assert damage.choices == ("no damage", "minor damage", "major damage", "destroyed")
    assert damage.regions[0].xyxy == (13, 13, 33, 33)  # where it lies after the disaster
    assert damage.regions[0].image == 1
    assert not damage.regions[0].attributes
    assert [i.date for i in damage.images] == ["2018-01-01", "2018-09-01"]
    assert by_id["xbd-train-flood_00000001-affected"].answer == "one"
    gone = by_id["xbd-train-flood_00000001-destroyed-detect"]
    assert [(b.image, b.xyxy) for b in gone.boxes] == [(1, (13, 13, 33, 33))]


def test_xbd_never_asks_what_nobody_could_classify(tmp_path):
    samples, _ = read("xbd", xbd(tmp_path))
    second = [s for s in samples if "flood_00000002" in s.sample_id and len(s.images) == 2]
    # Only the one building whose damage is known and that is in both dates.
    assert [s.sample_id for s in second] == ["xbd-train-flood_00000002-damage-a"]


def test_xbd_without_one_date_or_with_a_broken_label(tmp_path):
    root = xbd(tmp_path)
    (root / "train/images/flood_00000001_pre_disaster.png").unlink()
    write(root / "train/labels/flood_00000002_post_disaster.json", '{"features": []}')
    samples, problems = read("xbd", root)
    assert problems.counts == {"no image": 1, "broken label": 1, "no pair": 2}
    assert all(len(s.images) == 1 for s in samples)


def muds(root, months=13):
    place = root / "train" / "L15-0001"
    for k in range(months):
        stem = f"global_monthly_{2018 + k // 12}_{k % 12 + 1:02d}_mosaic_L15-0001"
        alpha = np.full((64, 64), 255, np.uint8)
        if k == 12:
            alpha[:32, 32:] = 0  # clouds, upper right
        pixels = np.dstack([np.full((64, 64, 3), 90, np.uint8), alpha])
        (place / "images_masked").mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels, "RGBA").save(place / "images_masked" / f"{stem}.tif")
        buildings = {1: (2, 2, 8, 8)} | (
            {2: (10, 10, 16, 16), 3: (40, 40, 50, 50), 4: (30, 2, 40, 8)} if k == 12 else {}
        )
        features = [
            {"type": "Feature", "properties": {"Id": uid}, "geometry": mapping(box(*bounds))}
            for uid, bounds in buildings.items()
        ]
        write(place / "labels_match_pix" / f"{stem}_Buildings.geojson", json.dumps({"features": features}))
    return root


def test_muds_counts_what_is_new_window_by_window_and_not_under_clouds(tmp_path):
    samples, problems = read("muds", muds(tmp_path), **WHOLE, patch_px=32, stride_px=32, absent_share=0.99)
    assert problems.counts == {"hidden by clouds": 1}
    new = {s.images[1].window: s for s in samples if s.task is Task.CHANGE and s.meta["type"] == "count"}
    assert set(new) <= {(0, 0, 32, 32), (0, 32, 32, 64), (32, 32, 64, 64)}
    # Building 2 is new; of 4 a fifth lies in this window, which is not a building to count.
    first = new[(0, 0, 32, 32)]
    assert first.answer == "1"
    assert [(b.xyxy, b.image, b.ignore) for b in first.boxes] == [
        ((10, 10, 16, 16), 1, False),
        ((30, 2, 32, 8), 1, True),
    ]
    assert [i.date for i in first.images] == ["2018-01", "2019-01"]
    assert new[(32, 32, 64, 64)].boxes[0].xyxy == (40, 40, 50, 50)
    assert new[(0, 32, 32, 64)].answer == "0"
    single = [s for s in samples if s.task is Task.COUNT and s.images[0].window == (0, 0, 32, 32)]
    assert [s.answer for s in single] == ["2"]


def test_muds_in_a_wrong_folder(tmp_path):
    (tmp_path / "train" / "somewhere").mkdir(parents=True)
    with pytest.raises(WrongFolderError, match="labels_match_pix"):
        read("muds", tmp_path)

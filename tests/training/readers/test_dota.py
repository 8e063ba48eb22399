"""DOTA and patches: what a label line means, and which objects count in which window."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from groundproof_training.readers.base import Problems, WrongFolderError, open_shown
from groundproof_training.readers.dota import parse_dota
from groundproof_training.readers.objects import Found, LabelledImage, ObjectOptions, cleaned, valid_quad
from groundproof_training.readers.patches import cut, starts, windows
from groundproof_training.samples import SampleImage, TrueBox

from .folders import images, picture, read, write

HEADER = "imagesource:GoogleEarth\ngsd:0.2556\n"
PLANE = "398.0 716.0 398.0 694.0 464.0 698.0 465.0 718.0 plane 0\n"
CROSSED = "126.0 191.0 128.0 171.0 123.0 178.0 221.0 199.0 plane 0\n"


def parsed(text):
    problems = Problems()
    found, facts = parse_dota(text, problems, "P0001.txt")
    return found, facts, problems


def test_headers_are_facts_and_never_objects():
    found, facts, problems = parsed(HEADER + PLANE)
    assert facts == {"image_source": "GoogleEarth", "gsd_m": "0.2556"}
    assert found[0].xyxy == (398, 694, 465, 718)
    assert not problems.counts
    _, facts, problems = parsed(f"imagesource:GF2\ngsd:None\nacquisition dates:2016-05-04\n{PLANE}")
    assert facts == {"image_source": "GF2", "dates": "2016-05-04"}
    assert not problems.counts
    assert parsed("gsd:null\n")[1] == {}


def test_difficult_may_be_missing_and_the_devkit_writes_a_two():
    lines = [f"0 0 9 0 9 9 0 9 ship{flag}" for flag in ("", " 0", " 1", " 2")]
    found, _, _ = parsed("\n".join(lines))
    assert [(f.ignore, f.truncated) for f in found] == [
        (False, False),
        (False, False),
        (True, False),
        (True, True),
    ]


def test_lines_that_are_none_are_counted():
    _, _, problems = parsed("1 2 3 ship 0\n0 0 9 0 9 9 0 nine ship 0\n0 0 9 0 9 9 0 9 ship 7\n")
    assert problems.counts == {"broken label": 3}


def test_a_self_crossing_outline_becomes_its_hull():
    (found,), _, _ = parsed(CROSSED)
    ring = shapely.Polygon(np.reshape(found.quad, (4, 2)))
    assert not ring.is_valid
    mended = valid_quad(found.quad)
    hull = shapely.convex_hull(ring)
    if mended is None:
        assert len(hull.exterior.coords) != 5
    else:
        assert shapely.Polygon(np.reshape(mended, (4, 2))).equals(hull)
    problems = Problems()
    image = SampleImage(path="a.png", width=1024, height=1024)
    (box,) = cleaned([found], image, ("plane",), ObjectOptions(), problems, "a")
    assert box.xyxy == (123, 171, 221, 199) == hull.bounds
    assert problems.counts == {"self-crossing outline": 1}


@given(st.lists(st.integers(0, 60), min_size=8, max_size=8))
def test_mended_corners_enclose_what_the_corners_enclosed(numbers):
    quad = tuple(map(float, numbers))
    mended = valid_quad(quad)
    if mended is not None:
        ring = shapely.Polygon(np.reshape(mended, (4, 2)))
        assert ring.is_valid
        if mended != quad:
            assert ring.equals(shapely.MultiPoint(np.reshape(quad, (4, 2))).convex_hull)


@given(st.integers(1, 4000), st.integers(28, 1000), st.integers(1, 1000))
def test_every_pixel_is_in_a_window_and_no_window_passes_the_edge(length, side, stride):
    stride = min(stride, side)
    first = starts(length, side, stride)
    assert first == sorted(set(first))
    covered = np.zeros(length, bool)
    for x in first:
        assert x >= 0
        assert x + side <= max(length, side)
        covered[x : x + side] = True
    assert covered.all()
    assert all(b - a <= stride for a, b in pairwise(first))


def test_an_axis_shorter_than_a_window_is_taken_whole():
    assert windows(500, 1900, 800, 600) == [(0, 0, 500, 800), (0, 600, 500, 1400), (0, 1100, 500, 1900)]


boxes = st.tuples(st.floats(0, 900), st.floats(0, 900), st.floats(4, 300), st.floats(4, 300))


@settings(max_examples=60)
@given(st.lists(boxes, max_size=12), st.integers(100, 400), st.integers(60, 400))
def test_objects_count_where_enough_of_them_lies(made, side, stride):
    """Against shapely, window by window and object by object: no tree, no shortcut."""
    objects = tuple(
        TrueBox(label="ship", x0=x, y0=y, x1=min(x + w, 1000), y1=min(y + h, 1000)) for x, y, w, h in made
    )
    whole = LabelledImage("P1", SampleImage(path="a.png", width=1000, height=1000), objects, ("ship",))
    stride = min(stride, side)
    for part, window in zip(cut(whole, side, stride, 0.7), windows(1000, 1000, side, stride), strict=True):
        assert part.image.window == window
        frame = shapely.box(*window)
        expected = []
        for one in objects:
            outline = shapely.box(*one.xyxy)
            inside = outline.intersection(frame)
            share = inside.area / outline.area
            x0, y0, x1, y1 = inside.bounds if inside.area else (0, 0, 0, 0)
            if share >= 1 - 1e-9:
                expected.append((one.xyxy, False, False))
            elif x1 - x0 >= 1 and y1 - y0 >= 1:
                expected.append(((x0, y0, x1, y1), True, share < 0.7))
        assert [(b.xyxy, b.truncated, b.ignore) for b in part.objects] == expected


def test_an_oriented_box_is_cut_by_its_area_not_by_its_upright_box():
    """A thin diagonal: its upright box is nearly half inside, itself it is nearly whole."""
    quad = (10.0, 0.0, 110.0, 100.0, 100.0, 110.0, 0.0, 10.0)
    image = SampleImage(path="a.png", width=400, height=400)
    (box,) = cleaned([Found.of_quad("ship", quad)], image, ("ship",), ObjectOptions(), Problems(), "a")
    whole = LabelledImage("P1", image, (box,), ("ship",))
    first = next(cut(whole, 100, 100, 0.7))
    share = shapely.Polygon(np.reshape(quad, (4, 2))).intersection(shapely.box(0, 0, 100, 100)).area / (
        shapely.Polygon(np.reshape(quad, (4, 2))).area
    )
    assert 0.7 < share < 1
    (part,) = first.objects
    assert part.truncated
    assert not part.ignore
    assert part.quad is None


def dota(root, text=HEADER + PLANE + "1200 1200 1300 1200 1300 1300 1200 1300 ship 1\n", size=(1400, 1400)):
    picture(root / "train" / "images" / "P0001.png", *size)
    write(root / "train" / "labelTxt-v1.5" / "P0001.txt", text)
    return root


def test_a_large_image_is_asked_about_patch_by_patch_in_its_own_pixels(tmp_path):
    root = dota(tmp_path)
    samples, problems = read("dota", root, absent_share=0, version="1.5")
    assert not problems.counts
    shown = {s.images[0].window for s in samples}
    # The plane lies whole in two of four; the difficult ship is not asked about.
    assert shown == {(0, 0, 800, 800), (0, 600, 800, 1400)}
    assert all(s.boxes[0].xyxy == (398, 694, 465, 718) for s in samples)
    assert all(s.meta["gsd_m"] == "0.2556" for s in samples)
    assert open_shown(root, samples[0].images[0]).size == (800, 800)
    assert samples[0].sample_id.startswith("dota-train-P0001__1__0___0-count")
    lower = next(s.images[0] for s in samples if s.images[0].window[1] == 600)
    assert (
        np.asarray(open_shown(root, lower)) == np.asarray(Image.open(root / lower.path))[600:1400, :800]
    ).all()


def test_a_difficult_object_makes_its_class_neither_there_nor_absent(tmp_path):
    samples, _ = read("dota", dota(tmp_path), absent_share=0.9, empty_share=1.0, version="1.5")
    corner = [s for s in samples if s.images[0].window == (600, 600, 1400, 1400)]
    assert corner
    assert not any("ship" in s.asked for s in corner)


def test_classes_of_a_later_version_are_unknown_to_an_earlier_one(tmp_path):
    root = dota(tmp_path, "0 0 90 0 90 90 0 90 helipad 0\n")
    (root / "train" / "labelTxt-v1.5").rename(root / "train" / "labelTxt")
    for version, number in (("2.0", 0), ("1.5", 1), ("1.0", 1)):
        assert images("dota", root, version=version)[1].counts["unknown class"] == number


def test_patches_the_devkit_cut_stay_as_they_are(tmp_path):
    for name in ("P0706__1__0___924", "P0706__0.5__-4___0"):
        picture(tmp_path / "images" / f"{name}.png", 1024, 1024)
        write(tmp_path / "labelTxt" / f"{name}.txt", PLANE)
    samples, _ = read("dota", tmp_path, absent_share=0)
    assert {s.images[0].window for s in samples} == {None}
    assert len({s.images[0].path for s in samples}) == 2


def test_a_folder_of_other_texts_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("one two three four five six seven eight nine\n")
    with pytest.raises(WrongFolderError, match="labelTxt"):
        read("dota", tmp_path)


def test_a_folder_without_labels_is_refused(tmp_path):
    (tmp_path / "train" / "images").mkdir(parents=True)
    with pytest.raises(WrongFolderError, match="labelTxt"):
        read("dota", tmp_path)


def test_the_real_label_files_hold_what_their_lines_say(data_dir):
    root = data_dir / "labels" / "dota"
    for path in sorted(root.glob("*/*.txt")):
        found, facts, problems = parsed(path.read_text())
        rows = [line.split() for line in path.read_text().splitlines() if len(line.split()) >= 9]
        assert len(found) == len(rows)
        assert not problems.counts
        assert [f.ignore for f in found] == [row[9] != "0" for row in rows]
        assert [f.name for f in found] == [row[8] for row in rows]
        for one, row in zip(found, rows, strict=True):
            assert one.quad == tuple(map(float, row[:8]))
        assert ("gsd_m" in facts) == ("gsd" in path.read_text())


def test_every_object_of_a_real_image_counts_in_some_patch(data_dir):
    found, _ = images("dota", data_dir / "labels" / "dota")
    for name, number in (("P0706", 536), ("P1888", 64)):
        whole = found[name]
        assert len(whole.objects) == number
        counted = set()
        for part in cut(whole, 800, 600, 0.7):
            counted |= {b.xyxy for b in part.objects if not b.ignore and not b.truncated}
        # With 200 px of overlap everything smaller than that is whole in one of them.
        small = {
            b.xyxy
            for b in whole.objects
            if max(b.x1 - b.x0, b.y1 - b.y0) < 200 and not b.ignore and not b.truncated
        }
        assert small <= counted


def test_a_split_with_a_self_crossing_outline_and_a_picture_that_is_only_its_corner(data_dir):
    """Its labels are of 1024 px, the picture that came along has 285 x 294: what lies outside is said, not shown."""
    root = data_dir / "labels" / "dota" / "split_1024"
    found, problems = images("dota", root)
    (one,) = found.values()
    assert one.image.shown_size == Image.open(root / one.image.path).size == (285, 294)
    assert problems.counts == {"self-crossing outline": 1, "box outside": 3}
    assert [b.xyxy for b in one.objects] == [(123, 171, 221, 199)]

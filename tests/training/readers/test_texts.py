"""Boxes and words of instruction sets: the spellings that DATASETS.md notes (A1, A11, A12, A18)."""

import json
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Polygon

from groundproof_training.readers.clc import GROUPS, LABELS_19, LABELS_43, split_classes
from groundproof_training.readers.texts import (
    PERCENT,
    Grid,
    WrittenBox,
    boxes_in,
    class_words,
    classes_in,
    labels_of,
    lift,
    object_in,
    objects_in,
    phrases_in,
    plain,
    tags_of,
    true_box,
)

number = st.integers(0, 120)


def numbers(text):
    return [(*box.numbers, box.angle_deg) for box in boxes_in(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{<39><51><59><73>}", [(39, 51, 59, 73, None)]),
        ("{<8><82><16><90>|<69>}{<1><2><3><4>|<0>}", [(8, 82, 16, 90, 69), (1, 2, 3, 4, 0)]),
        ("{<8><82><16><90>|<69>}<delim>{<1><2><3><4>|<90>}", [(8, 82, 16, 90, 69), (1, 2, 3, 4, 90)]),
        ("<rbox>{<52.38><20.1><3><4.5>|<-30>}</rbox>", [(52.38, 20.1, 3, 4.5, -30)]),
        ("[[49, 30, 89, 78, 90]]", [(49, 30, 89, 78, 90)]),
        ("[[31, 30, 37, 37, 0]][[43, 21, 46, 27, 0]]", [(31, 30, 37, 37, 0), (43, 21, 46, 27, 0)]),
        ("[[39, 21, 46, 27, 0], [27, 31, 33, 36, 0]]", [(39, 21, 46, 27, 0), (27, 31, 33, 36, 0)]),
        (
            "<box>[[[61, 51, 65, 52, 2]][[51, 29, 53, 34, 2]]]</box>",
            [(61, 51, 65, 52, 2), (51, 29, 53, 34, 2)],
        ),
        ("[10, 20, 30, 40]", [(10, 20, 30, 40, None)]),
        ("[refer] [1, 2] no box {<1><2><3>}", []),
    ],
)
def test_every_spelling_of_a_box(text, expected):
    assert numbers(text) == expected
    lifted, found = lift(text, "box")
    assert [(*b.numbers, b.angle_deg) for b in found] == expected
    if expected:
        assert lifted == ", ".join(f"<box:{n}>" for n in range(len(expected)))


@given(st.lists(st.tuples(number, number, number, number, st.integers(0, 90)), min_size=1, max_size=5))
def test_both_list_syntaxes_and_braces_say_the_same(boxes):
    one = "".join(f"[[{', '.join(map(str, b))}]]" for b in boxes)
    other = f"[{', '.join('[' + ', '.join(map(str, b)) + ']' for b in boxes)}]"
    braces = "".join(f"{{<{b[0]}><{b[1]}><{b[2]}><{b[3]}>|<{b[4]}>}}" for b in boxes)
    assert numbers(one) == numbers(other) == numbers(braces) == [tuple(map(float, b)) for b in boxes]
    for text in (one, other, braces):
        marked, found = lift(f"see {text} there", "region", first=2)
        assert marked == f"see {', '.join(f'<region:{2 + n}>' for n in range(len(boxes)))} there"
        assert len(found) == len(boxes)


def test_phrases_before_boxes_name_them():
    text = (
        "In the satellite image, there is  <ref>1 gray medium tennis court </ref> <box>[[[8, 33, 22, 40, 0]]]</box> "
        "located at left,  <ref>2 gray ships </ref> <box>[[[8, 41, 22, 49, 0]][[7, 49, 21, 58, 0]]]</box> "
        "located at left."
    )
    marked, found = lift(text, "box")
    assert plain(marked) == (
        "In the satellite image, there is 1 gray medium tennis court <box:0> located at left, "
        "2 gray ships <box:1>, <box:2> located at left."
    )
    assert [b.label for b in found] == ["tennis court", "ship", "ship"]
    assert found[1].phrase == "2 gray ships"


@pytest.mark.parametrize(
    ("raw", "words", "tags"),
    [
        (
            "[refer] give me the location of <p>2 a220 airplanes at the bottom left</p>",
            "give me the location of 2 a220 airplanes at the bottom left",
            ("refer",),
        ),
        (
            "[refer] [hr_rgb_0.5] <image> \\n Give me the location of <ref>1 gray large tree at the center</ref>",
            "Give me the location of 1 gray large tree at the center",
            ("refer", "hr_rgb_0.5"),
        ),
        ("[hr_rgb_0.5] <image>\\n Is there a road?", "Is there a road?", ("hr_rgb_0.5",)),
        ("[grounding] [Inf_thermal_1] <image> \n Describe it.", "Describe it.", ("grounding", "inf_thermal_1")),
        ("<image>\n[vqa] What is it? A short answer to the question is", "What is it?", ("vqa",)),
        ("<image>\n[vqa] Is it a ship. A short answer to the question is", "Is it a ship.", ("vqa",)),
        ('"many planes are parked . "', "many planes are parked .", ()),
    ],
)  # fmt: skip
def test_tags_tokens_and_marks_go_and_words_stay(raw, words, tags):
    assert plain(raw) == words
    assert tags_of(raw) == tags


@pytest.mark.parametrize(
    ("phrase", "noun"),
    [
        ("2 a220 airplanes at the bottom left", "a220 airplane"),
        ("1 gray large tree at the center", "tree"),
        ("1 olive large small-vehicle", "small vehicle"),
        ("3 dry-cargo-ships , close to each other", "dry cargo ship"),
        ("4 tenniscourts", "tennis court"),
        ("teal van", "van"),
        ("", "object"),
    ],
)
def test_the_noun_of_a_phrase(phrase, noun):
    assert object_in(phrase) == noun


def test_kinds_of_one_phrase_are_told_apart_by_their_numbers():
    phrase = "3 small harbors ,, 1 white ship at the bottom right of the image."
    assert objects_in(phrase) == ((3, "harbour"), (1, "ship"))
    assert labels_of(phrase, 4) == ("harbour",) * 3 + ("ship",)
    assert labels_of(phrase, 5) == ("harbour",) * 5
    assert labels_of("white vans", 2) == ("van", "van")


def test_dior_writes_some_names_as_one_word():
    assert class_words("groundtrackfield") == "ground track field"
    assert class_words("Expressway-Service-area") == "expressway service area"


@given(
    st.integers(0, 99), st.integers(0, 99), st.integers(1, 60), st.integers(1, 60), st.integers(-90, 90),
    st.tuples(st.integers(50, 2000), st.integers(50, 2000)),
)  # fmt: skip
def test_a_turned_box_keeps_its_area_and_centre_in_pixels(x, y, w, h, angle, size):
    xyxy, quad = PERCENT.place(WrittenBox((x, y, x + w, y + h), angle), size)
    sx, sy = size[0] / 100, size[1] / 100
    if angle == 0:
        assert quad is None
        np.testing.assert_allclose(xyxy, (x * sx, y * sy, (x + w) * sx, (y + h) * sy))
        return
    turned = Polygon(np.reshape(quad, (4, 2)))
    assert turned.area == pytest.approx(w * sx * h * sy)
    np.testing.assert_allclose(turned.centroid.coords[0], ((x + w / 2) * sx, (y + h / 2) * sy))
    np.testing.assert_allclose(xyxy, turned.bounds)
    assert turned.minimum_rotated_rectangle.area == pytest.approx(turned.area, rel=1e-6)


def test_sign_and_frame_on_an_image_twice_as_wide_as_high():
    """30 degrees: EarthDial's evaluator turns the other way, and on the grid, where the rectangle is sheared."""
    box, size = WrittenBox((40, 40, 60, 60), 30), (200, 100)
    right = Polygon(np.reshape(Grid().place(box, size)[1], (4, 2)))
    left = Polygon(np.reshape(Grid(clockwise=False).place(box, size)[1], (4, 2)))
    sheared = Polygon(np.reshape(Grid(turned_in="grid").place(box, size)[1], (4, 2)))
    assert right.area == left.area == pytest.approx(sheared.area)
    assert right.minimum_rotated_rectangle.area == pytest.approx(right.area)
    assert sheared.minimum_rotated_rectangle.area > 1.1 * sheared.area
    # Mirrored in the horizontal line through the centre, one is the other.
    mirrored = Polygon([(px, 100 - py) for px, py in left.exterior.coords])
    assert right.symmetric_difference(mirrored).area < 1e-6
    # EarthDial's formula, x' = x c + y s and y' = -x s + y c, is the turn to the left on the grid.
    c, s = np.cos(np.radians(30)), np.sin(np.radians(30))
    square = np.array([(-10, -10), (10, -10), (10, 10), (-10, 10)])
    theirs = square @ np.array([[c, -s], [s, c]]) + 50
    ours = np.reshape(Grid(clockwise=False, turned_in="grid").place(box, (100, 100))[1], (4, 2))
    np.testing.assert_allclose(ours, theirs)


def test_centre_and_sides_are_another_layout():
    grid = Grid(layout="centre", floored=False)
    assert grid.place(WrittenBox((50, 50, 20, 10)), (200, 100)) == ((80, 45, 120, 55), None)


def test_a_floored_box_without_a_width_is_one_step_wide():
    """VRSBench: int(x * 100) of a tiny object can give x1 == x2."""
    assert true_box(WrittenBox((39, 51, 39, 51)), (512, 512), PERCENT, "x").xyxy == pytest.approx(
        (39 * 5.12, 51 * 5.12, 40 * 5.12, 52 * 5.12)
    )
    with pytest.raises(ValueError, match="ends before"):
        true_box(WrittenBox((39, 51, 38, 60)), (512, 512), PERCENT, "x")
    with pytest.raises(ValueError, match="outside"):
        true_box(WrittenBox((100, 1, 120, 5)), (512, 512), PERCENT, "x")


def test_closed_lists_of_the_real_questions(data_dir):
    folder = data_dir / "predictions/earthdial"

    def first(path):
        return json.loads((folder / path).read_text().splitlines()[0])["question"]

    assert classes_in(first("rs_change_detection/xBD_testset_1.jsonl")) == (
        "volcano", "fire", "earthquake", "flood", "tsunami", "wind",
    )  # fmt: skip
    assert len(classes_in(first("rs_classification/AID.jsonl"))) == 30
    fmow = classes_in(first("rs_change_detection/FMoW.jsonl"))
    assert len(fmow) == 62
    assert "multi unit residential" in fmow
    assert classes_in("How many classes are there?") == ()


def test_names_of_land_cover_classes_may_hold_commas():
    assert (len(LABELS_43), len(LABELS_19), len(set(LABELS_43))) == (43, 19, 43)
    question = f"Which ones are depicted? {', '.join(LABELS_43)}. Answer with a list of classes."
    assert len(classes_in(question)) == 43
    for name in GROUPS:
        assert len(split_classes(f"port areas, {name}, water bodies")) == 3
    assert split_classes("Beaches, dunes, sands, pastures.") == ("beaches, dunes, sands", "pastures")
    assert phrases_in("<p>2  ships</p> and <ref>a car</ref>") == ["2 ships", "a car"]


def test_a_text_of_stops_or_of_tags_without_end_takes_no_longer_than_its_length():
    assert plain("Is there a road? . A short answer to the question is ") == "Is there a road?"
    started = time.perf_counter()
    assert plain(". " * 100_000 + "x").endswith("x")
    assert phrases_in("<p>a ship</p> of <ref>two</ref>" + "<ref>" * 40_000) == ["a ship", "two"]
    assert phrases_in("<ref>" * 40_000 + "x</p>") == ["<ref>" * 39_999 + "x"]
    assert time.perf_counter() - started < 3

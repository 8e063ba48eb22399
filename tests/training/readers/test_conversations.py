"""GeoChat-Instruct, FIT-RS and TEOChatlas records, as DATASETS.md A9, A11 and A18 note them."""

import json

import numpy as np
import pytest
from PIL import Image
from shapely.geometry import Polygon

from groundproof.protocol import Task
from groundproof_training.readers.base import Options, Problems, WrongFolderError
from groundproof_training.readers.conversations import READERS, ConversationOptions

BY_NAME = {one.card.name: one for one in READERS}


def talk(*texts):
    return [{"from": ("human", "gpt")[n % 2], "value": text} for n, text in enumerate(texts)]


def geochat(root, *conversations):
    (root / "images").mkdir(exist_ok=True)
    Image.new("RGB", (1000, 500)).save(root / "images/P0.png")
    rows = [{"id": str(n), "image": "P0.png", "conversations": c} for n, c in enumerate(conversations)]
    (root / "GeoChat_Instruct.json").write_text(json.dumps(rows))


def read(name, root, split="train", **options):
    problems = Problems()
    return list(BY_NAME[name].read(root, split, ConversationOptions(**options), problems)), problems


def test_a_reference_to_two_turned_boxes(tmp_path):
    geochat(tmp_path, talk(
        "<image>\n[refer] give me the location of <p>2 a220 airplanes at the bottom left</p>",
        "{<8><82><16><90>|<69>}<delim>{<20><80><30><84>|<0>}",
    ))  # fmt: skip
    (sample,), problems = read("geochat-instruct", tmp_path)
    assert not problems.counts
    assert sample.task is Task.GROUND
    assert sample.question == "give me the location of 2 a220 airplanes at the bottom left"
    assert (sample.asked, sample.answer, sample.complete) == (("a220 airplane",), "", True)
    first, second = sample.boxes
    quad = Polygon(np.reshape(first.quad, (4, 2)))
    assert quad.area == pytest.approx(80 * 40)
    assert quad.centroid.coords[0] == pytest.approx((120, 430))
    # Clockwise on screen: the long side, along x before the turn, points down to the right.
    ux, uy = np.subtract(first.quad[2:4], first.quad[0:2])
    assert np.degrees(np.arctan2(uy, ux)) == pytest.approx(69)
    assert second.quad is None
    assert second.xyxy == (200, 400, 300, 420)
    (left,), _ = read("geochat-instruct", tmp_path, clockwise=False)
    assert left.boxes[0].quad != first.quad


def test_a_region_a_grounded_description_and_a_class(tmp_path):
    geochat(
        tmp_path,
        talk("<image>\n[identify] {<8><82><16><90>|<0>}", "1 gray ship at the left"),
        talk("<image>\n[grounding] describe the image in detail",
             "There are <p>1 ship</p> {<8><82><16><90>|<0>} and <p>2 cars</p> {<1><2><3><4>|<9>}{<5><6><7><8>|<9>} ."),
        talk("<image>\nClassify the image within one of the given classes: airport, beach, dense residential area. "
             "Answer with one word or short phrase.", "beach"),
        talk("<image>\nIs there a river?\nAnswer the question using a single word or phrase.", "No"),
        talk("<image>\nDescribe the image.", "A long text."),
    )  # fmt: skip
    (region, grounded, scene, question, caption), problems = read("geochat-instruct", tmp_path)
    assert not problems.counts
    assert (region.task, region.question) == (Task.REGION_CAPTION, "<region:0>")
    assert region.regions[0].xyxy == (80, 410, 160, 450)
    assert grounded.task is Task.GROUNDED_CAPTION
    assert grounded.answer == "There are 1 ship <box:0> and 2 cars <box:1>, <box:2>."
    assert grounded.captions == ("There are 1 ship and 2 cars.",)
    assert [b.label for b in grounded.boxes] == ["ship", "car", "car"]
    assert (scene.task, scene.choices) == (Task.CLASSIFY, ("airport", "beach", "dense residential area"))
    assert scene.answers == ("beach",)
    assert (question.task, question.answer) == (Task.VQA, "No")
    assert caption.task is Task.CAPTION


def test_later_turns_are_asked_alone_or_left_out(tmp_path):
    geochat(tmp_path, talk("<image>\nWhat is it?", "A port.", "Is it big?", "Yes", "And old?"))
    samples, problems = read("geochat-instruct", tmp_path)
    assert [s.question for s in samples] == ["What is it?", "Is it big?"]
    assert [s.meta["turn"] for s in samples] == ["0", "1"]
    assert problems.counts == {"broken label": 1}
    assert len(read("geochat-instruct", tmp_path, later_turns=False)[0]) == 1


def test_what_cannot_be_right_is_counted(tmp_path):
    geochat(
        tmp_path,
        talk("<image>\n[refer] <p>1 ship</p>", "{<50><50><40><60>|<0>}"),
        talk("<image>\n[refer] <p>1 ship</p>", "{<110><50><120><60>|<0>}"),
        talk("<image>\n[refer] <p>1 ship</p>", "it is not there"),
        talk("<image>\n", "an answer"), talk("<image>\nWhat?", " "), [], [{"from": "human"}], "talk",
    )  # fmt: skip
    samples, problems = read("geochat-instruct", tmp_path)
    assert not samples
    assert problems.counts == {"broken box": 1, "box outside": 1, "no box": 1, "broken label": 5}


def test_fit_rs_boxes_are_centre_and_sides(tmp_path):
    (tmp_path / "imgv2_split_512_100_vaild").mkdir()
    rows = [{"id": "1", "image": "0000__512__0___0.png", "conversations": talk(
        "<image>\nWhere is the ship?", "<ref>ship</ref><rbox>{<50.00><25.00><20.00><10.00>|<30>}</rbox>"
    )}]  # fmt: skip
    (tmp_path / "FIT-RS-train-1415k.json").write_text(json.dumps(rows))
    (sample,), _ = read("fit-rs", tmp_path, need_images=False)
    assert sample.task is Task.GROUNDED_CAPTION
    assert sample.answer == "ship <box:0>"
    quad = Polygon(np.reshape(sample.boxes[0].quad, (4, 2)))
    assert quad.centroid.coords[0] == pytest.approx((256, 128))
    assert quad.area == pytest.approx(102.4 * 51.2)
    _, problems = read("fit-rs", tmp_path)
    assert problems.counts == {"no image": 1, "sample without its image": 1}


def test_several_images_of_one_place(tmp_path):
    for name in "ab":
        Image.new("RGB", (10, 10)).save(tmp_path / f"{name}.png")
    rows = [
        {
            "video": ["a.png", "b.png"],
            "conversations": talk("<video>\nWhat has changed?", "A house was built."),
        },
        {"image": [], "conversations": talk("What?", "no picture")},
    ]
    (tmp_path / "mine.json").write_text(json.dumps(rows))
    (sample,), problems = read("teochatlas", tmp_path, file="mine.json")
    assert (sample.task, sample.question, len(sample.images)) == (Task.CHANGE, "What has changed?", 2)
    assert problems.counts == {"no image": 1}


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_a_wrong_folder_is_told_what_was_expected(tmp_path, name):
    with pytest.raises(WrongFolderError, match=r"json is not there[\s\S]+Expected:"):
        BY_NAME[name].read(tmp_path, "train", Options(), Problems())

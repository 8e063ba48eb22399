"""Rows of somebody's texts become cases: what each format holds, what is left out, and that nothing gets lost."""

from __future__ import annotations

import functools
import gzip
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundproof.protocol import Task
from groundproof_training.errors import TrainingError
from groundproof_training.evaluation.cases import Family, Status
from groundproof_training.evaluation.prediction_files import FORMATS, FileOptions, Frame, load
from groundproof_training.evaluation.prediction_files.base import Loaded
from groundproof_training.evaluation.prediction_files.text_rows import parted
from groundproof_training.samples import Sample, SampleImage, TrueBox
from groundproof_training.samples.storage import write_samples

REFER = "[refer] [hr_rgb_0.5] <image> \\n Give me the location of <ref>2 ships at the left</ref>"
EARTHDIAL: list[dict[str, Any]] = [
    {
        "question": REFER,
        "answer": "[[1, 2, 11, 12, 0]]",
        "gt_bbox": "[[1, 2, 11, 12, 0]][[50, 50, 60, 60, 30]]",
        "size_group": "small",
        "task_type": "ref",
    },
    {"question": "Classify. Classes: Bare Land, Port.", "answer": "Port", "annotation": "BareLand"},
    {
        "question": "[hr_rgb_0.5] <image>\\n Is there a road? Answer the question using a single word.",
        "answer": "no",
        "annotation": "yes",
        "vqa_type": "presence",
    },
    {
        "question": " [caption] [hr_rgb_0.5] <image> \\n Caption the image.",
        "answer": "a pier",
        "caption0": "a long pier",
        "caption1": "a pier .",
        "caption2": "",
    },
    {
        "question": "[identify] <image> \\n what is in this location <box>[[7, 22, 14, 31, 0]]</box>",
        "answer": "1 ship",
        "annotation": "1 grey ship",
        "size_group": "large",
    },
    {
        "question": "[grounding] <image> \\n Describe the image in detail.",
        "answer": "A ship [[1, 1, 5, 5, 0]] at sea.",
        "groundtruth": "<ref>1 ship</ref> <box>[[[1, 1, 5, 5, 0]]]</box> at sea.",
        "size_group": '["small", "large"]',
    },
    {
        "question": "[changedet] <image> <image> \\n Which disaster? Options: flood, fire.",
        "answer": "fire",
        "caption0": "flood",
    },
    {
        "question": "[changedet] <image> <image> \\n What changed?",
        "answer": "a road was built",
        "caption0": " a road is new .",
    },
]


def written(path: Path, rows: list[Any], *, whole: bool = False) -> Path:
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text(f"[{', '.join(lines)}]" if whole else "\n".join(lines) + "\n", encoding="utf-8")
    return path


def adds_up(loaded: Loaded, *, made: int = 0) -> bool:
    """Every row is a case or left out; made: cases that no row is behind."""
    return loaded.rows == len(loaded.cases) - made + loaded.left_out


def test_a_row_of_earthdial_is_what_its_tags_and_texts_say(tmp_path):
    loaded = load(written(tmp_path / "any name.jsonl", EARTHDIAL), "earthdial")
    found = [(case.family, case.task) for case in loaded.cases]
    assert found == [
        (Family.DETECTION, Task.GROUND),
        (Family.CLASSIFICATION, Task.CLASSIFY),
        (Family.VQA, Task.VQA),
        (Family.CAPTIONING, Task.CAPTION),
        (Family.CAPTIONING, Task.REGION_CAPTION),
        (Family.CAPTIONING, Task.GROUNDED_CAPTION),
        (Family.CLASSIFICATION, Task.CLASSIFY),
        (Family.CAPTIONING, Task.CHANGE),
    ]
    assert adds_up(loaded)
    assert dict(loaded.problems.counts) == {"mixed tasks": 4}
    assert "1 detection, 2 classification, 1 vqa, 4 captioning" in loaded.warnings[-1]
    ships, land, road, pier, region, described, disaster, _ = loaded.cases
    assert ships.size == (100, 100)
    assert ships.meta == {"type": "ref", "size_group": "small", "number": "multiple"}
    assert "\\n" not in ships.question
    assert "<" not in ships.question
    assert len(ships.truth.boxes) == 2
    assert len(ships.said.boxes) == 1
    assert land.truth.classes == ("BareLand",)
    assert land.choices == ("bare land", "port")
    assert road.meta["type"] == "presence"
    assert road.truth.texts == ("yes",)
    assert road.said.answer == "no"
    assert pier.truth.texts == ("a long pier", "a pier .")
    assert region.truth.text == "1 grey ship"
    assert region.meta["size_group"] == "large"
    assert described.said.answer == "A ship at sea."
    assert described.truth.texts == ("1 ship at sea.",)
    assert described.said.boxes.xyxy.tolist() == described.truth.boxes.xyxy.tolist() == [[1, 1, 5, 5]]
    assert disaster.choices == ("flood", "fire")


def test_a_turned_box_has_its_corners_and_the_box_around_them(tmp_path):
    row = {"question": REFER, "answer": "[[0, 40, 100, 60, 90]]", "gt_bbox": "[[0, 40, 100, 60, 0]]"}
    (case,) = load(written(tmp_path / "a.jsonl", [row]), "earthdial").cases
    assert case.said.boxes.xyxy[0] == pytest.approx([40, 0, 60, 100])
    assert sorted(case.said.boxes.quads[0].reshape(4, 2).round(6).tolist()) == [
        [40, 0],
        [40, 100],
        [60, 0],
        [60, 100],
    ]


@pytest.mark.parametrize(("clockwise", "lowest_right"), [(True, True), (False, False)])
def test_which_way_a_box_turns_is_said(tmp_path, clockwise, lowest_right):
    row = {"question": REFER, "answer": "[[30, 45, 70, 55, 30]]", "gt_bbox": "[[0, 40, 100, 60, 0]]"}
    path = written(tmp_path / "a.jsonl", [row])
    (case,) = load(path, "earthdial", options=FileOptions(clockwise=clockwise)).cases
    corners = case.said.boxes.quads[0].reshape(4, 2)
    lowest = corners[corners[:, 1].argmax()]
    assert (lowest[0] > 50) == lowest_right


def test_boxes_that_cannot_be_right_stay_predictions(tmp_path):
    row = {
        "question": REFER,
        "answer": "[[5, 5, 5, 9, 0]][[-4, 1, 9, 9, 0]][[9, 9, 1, 1, 0]]",
        "gt_bbox": "[[1, 1, 9, 9, 0]]",
    }
    (case,) = load(written(tmp_path / "a.jsonl", [row]), "earthdial").cases
    assert len(case.said.boxes) == 3
    assert case.said.boxes.xyxy.tolist() == [[5, 5, 5, 9], [-4, 1, 9, 9], [1, 1, 9, 9]]


def test_rows_that_are_none_are_left_out_and_named(tmp_path):
    rows = [
        EARTHDIAL[0],
        '{"question": "torn',
        "[1, 2]",
        '"text"',
        {"answer": "no question", "gt_bbox": "[[1,2,3,4,0]]"},
        {"question": REFER, "answer": "[[1,2,3,4,0]]"},
        {"question": REFER, "answer": "[[1,2,3,4,0]]", "gt_bbox": " "},
        {"question": REFER, "answer": "[[1,2,3,4,0]]", "gt_bbox": "no idea where"[3:]},
        "",
        "[" * 100_000,
        EARTHDIAL[1],
    ]
    loaded = load(written(tmp_path / "bad.jsonl", rows), "earthdial")
    assert loaded.rows == 10
    assert len(loaded.cases) == 2
    assert loaded.left_out == 8
    assert loaded.problems.counts == {"broken line": 4, "no question": 1, "no truth": 3, "mixed tasks": 2}
    assert any(line.startswith("bad.jsonl:2: no JSON") for line in loaded.problems.examples["broken line"])
    assert loaded.problems.examples["no question"][0].startswith("bad.jsonl:5:")


def test_what_was_not_said_or_cannot_be_read_is_a_wrong_answer_and_no_gap(tmp_path):
    rows = [
        {"question": REFER, "gt_bbox": "[[1,2,3,4,0]]"},
        {"question": REFER, "answer": None, "gt_bbox": "[[1,2,3,4,0]]"},
        {"question": REFER, "answer": "over there", "gt_bbox": "[[1,2,3,4,0]]"},
        {"question": REFER, "answer": "", "gt_bbox": "[[1,2,3,4,0]]"},
        {"question": REFER, "answer": "There are no ships.", "gt_bbox": "[[1,2,3,4,0]]"},
        {"question": REFER, "answer": "[]", "gt_bbox": "[]"},
    ]
    loaded = load(written(tmp_path / "a.jsonl", rows), "earthdial")
    assert [case.said.status for case in loaded.cases] == [
        Status.MISSING,
        Status.MISSING,
        Status.UNREADABLE,
        Status.UNREADABLE,
        Status.OK,
        Status.OK,
    ]
    assert loaded.problems.counts == {"no answer": 2, "unreadable answer": 2}
    assert loaded.cases[-1].truth.absent
    assert loaded.cases[-1].meta["number"] == "none"


def test_a_line_without_end_is_not_held_in_memory(tmp_path):
    path = tmp_path / "long.jsonl"
    with path.open("w") as file:
        file.write(
            json.dumps(EARTHDIAL[0])
            + "\n"
            + '{"question": "'
            + "x" * 3_000_000
            + "\n"
            + json.dumps(EARTHDIAL[1])
        )
    loaded = load(path, "earthdial", options=FileOptions(max_line_mb=1))
    assert len(loaded.cases) == 2
    assert loaded.problems.counts == {"line too long": 1, "mixed tasks": 2}
    assert loaded.problems.examples["line too long"][0].startswith("long.jsonl:2:")


def test_a_file_above_the_limit_and_one_that_is_none_are_one_sentence(tmp_path):
    path = written(tmp_path / "a.jsonl", EARTHDIAL)
    with pytest.raises(
        TrainingError, match=r"has 0 MB, and files of predictions up to 0 MB are read; split it"
    ):
        load(path, "earthdial", options=FileOptions(max_mb=0.0001))
    with pytest.raises(TrainingError, match="more than 3 rows"):
        load(path, "earthdial", options=FileOptions(max_rows=3))
    with pytest.raises(TrainingError, match="is not a file of predictions"):
        load(tmp_path / "gone.jsonl", "earthdial")
    with pytest.raises(TrainingError, match="it is one of rs_tester, earthdial"):
        load(path, "csv")
    with pytest.raises(TrainingError, match="leave --truth out"):
        load(path, "earthdial", truth=path)


def test_an_example_cannot_steer_the_terminal(tmp_path):
    loaded = load(
        written(tmp_path / "a.jsonl", [EARTHDIAL[0], json.dumps("\x1b[31mred\u202e" * 200)]), "earthdial"
    )
    (line,) = loaded.problems.examples["broken line"]
    assert line.isprintable()
    assert len(line) < 250


def test_half_a_surrogate_pair_can_be_printed(tmp_path):
    row = '{"question": "Is there a road \\ud800?", "answer": "yes \\udc00", "annotation": "yes"}'
    (case,) = load(written(tmp_path / "a.jsonl", [row]), "earthdial").cases
    assert (case.question + case.said.text + case.case_id).encode("utf-8")


def test_the_same_rows_have_the_same_ids_in_another_model_s_file(tmp_path):
    other = [{**row, "answer": "something else"} for row in EARTHDIAL]
    one = load(written(tmp_path / "a.jsonl", EARTHDIAL), "earthdial")
    two = load(written(tmp_path / "b.jsonl", ["{torn", *other][1:]), "earthdial")
    assert [case.case_id for case in one.cases] == [case.case_id for case in two.cases]
    moved = load(written(tmp_path / "c.jsonl", [{**other[1]}, other[0], *other[2:]]), "earthdial")
    assert len({c.case_id for c in one.cases} & {c.case_id for c in moved.cases}) == len(other) - 2


def test_a_forced_family_is_every_row_s(tmp_path):
    rows = [EARTHDIAL[2], EARTHDIAL[3]]
    loaded = load(written(tmp_path / "a.jsonl", rows), "earthdial", options=FileOptions(family=Family.VQA))
    assert set(loaded.by_family()) == {Family.VQA}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("[1]", (None, "[1]")),
        ("<think>a</think><answer>b</answer>", ("a", "b")),
        ("<THINK>a</Think> b", ("a", " b")),
        ("<think>a <answer>b</answer>", (None, "b")),
        ("<answer>a</answer><answer>b", (None, "b")),
        ("<think>a <answer>x</answer></think>c", ("a <answer>x</answer>", "c")),
    ],
)
def test_rationale_and_answer_are_parted(text, parts):
    assert parted(text) == parts


# --- GeoChat


def test_geochat_s_four_scripts_are_read(tmp_path):
    rows = [
        {"question_id": 1, "image_id": "P1", "answer": "Beach", "ground_truth": "beach"},
        {
            "question_id": 2,
            "image_id": "P2",
            "answer": "{<10><20><30><40>|<15>}",
            "ground_truth": "{<10><20><30><40>|<15>}",
            "question": "1 large plane on the left",
            "type": "ref",
            "dataset": "DOTA",
            "obj_ids": [1],
            "size_group": "large",
        },
        {
            "question_id": 3,
            "image_id": "P2",
            "answer": "1 plane",
            "ground_truth": "1 white plane",
            "question": "{<1><2><3><4>|<0>}",
            "type": "ref",
            "dataset": "DOTA",
            "size_group": "small",
        },
        {"question_id": 2, "image_id": "P2", "answer": "again", "ground_truth": "beach"},
    ]
    loaded = load(written(tmp_path / "g.jsonl", rows), "geochat")
    assert [(c.family, c.task) for c in loaded.cases] == [
        (Family.CLASSIFICATION, Task.CLASSIFY),
        (Family.DETECTION, Task.GROUND),
        (Family.CAPTIONING, Task.REGION_CAPTION),
    ]
    assert [c.case_id for c in loaded.cases] == ["1", "2", "3"]
    assert [c.group for c in loaded.cases] == ["P1", "P2", "P2"]
    plane = loaded.cases[1]
    assert plane.truth.boxes.quads == pytest.approx(plane.said.boxes.quads)
    assert plane.meta["size_group"] == "large"
    assert loaded.problems.counts == {"duplicate question": 1, "mixed tasks": 3}
    assert adds_up(loaded)


def test_corners_in_px_need_the_image_s_size(tmp_path):
    corners = [[[100, 200], [300, 200], [300, 400], [100, 400]]]
    row = {
        "question_id": 1,
        "image_id": "P",
        "question": "1 plane",
        "type": "ref",
        "answer": "{<10><20><30><40>|<0>}",
        "ground_truth": corners,
    }
    loaded = load(
        written(tmp_path / "a.jsonl", [{**row, "width": 1000, "height": 1000}, {**row, "question_id": 2}]),
        "geochat",
    )
    (case,) = loaded.cases
    assert case.truth.boxes.xyxy == pytest.approx(case.said.boxes.xyxy)
    assert loaded.problems.counts == {"no truth": 1}


def test_geochat_s_vqa_takes_its_truth_from_another_file(tmp_path):
    said = [
        {"question_id": 1, "image_id": "a.png", "answer": "yes"},
        {"question_id": 3, "image_id": "a.png", "answer": "yes"},
        {"question_id": 4, "image_id": "zzz.png", "answer": "yes"},
        {"question_id": 1, "image_id": "a.png", "answer": "no"},
    ]
    true = [
        {
            "question_id": 1,
            "image": "a.png",
            "question": "Is there a road?",
            "answer": "yes",
            "type": "presence",
        },
        {"question_id": 2, "image": "a.png", "question": "Is there a lake?", "answer": "no"},
    ]
    path = written(tmp_path / "said.jsonl", said)
    loaded = load(path, "geochat", written(tmp_path / "true.jsonl", true))
    assert [(c.case_id, c.said.status) for c in loaded.cases] == [("1", Status.OK), ("2", Status.MISSING)]
    assert loaded.problems.counts == {
        "unknown question": 1, "unknown image": 1, "duplicate question": 1, "missing prediction": 1,
    }  # fmt: skip
    assert adds_up(loaded, made=1)
    with pytest.raises(TrainingError, match="give it by --truth FILE"):
        load(path, "geochat")


# --- RS_Tester

RS_TESTER: list[dict[str, Any]] = [
    {
        "image": "7.jpg",
        "question": "Detect all baseball diamond in the image.",
        "answer": "[[244,290,710,638],[242,646,718,980]]",
        "model_answer": {"thinker": "one [244,290,710,638]", "answer": "[[244, 290, 710, 638]]"},
    },
    {
        "image": "7.jpg",
        "text": "Where is the ship left of the pier?",
        "answer": [1, 2, 300, 400],
        "model_answer": "<think>[5,5,9,9]</think><answer>[1, 2, 300, 410]</answer>",
    },
    {
        "image": "7.jpg",
        "text": "How many airplanes are there?",
        "answer": "6",
        "model_answer": "<think>x</think><answer>six</answer>",
    },
    {"image": "8.jpg", "text": "How many airplanes are there?", "answer": 6, "model_answer": "many"},
    {
        "image": "8.jpg",
        "text": "Describe the image.",
        "answer": ["a ship", "one ship"],
        "model_answer": "a ship",
    },
    {
        "image": "8.jpg",
        "text": "What is the category of this scene? Classes: Port, Beach.",
        "answer": "Port",
        "model_answer": "port",
    },
    {"image": "8.jpg", "text": "Is there a ship?", "answer": "yes", "model_answer": "no"},
    {
        "image": "8.jpg",
        "text": "How many ships are there?",
        "type": "object quantity",
        "answer": "2",
        "model_answer": "2",
    },
]


def test_a_row_of_rs_tester_is_what_its_question_and_truth_say(tmp_path):
    loaded = load(written(tmp_path / "VQA_x.json", RS_TESTER), "rs_tester")
    assert [c.family for c in loaded.cases] == [
        Family.DETECTION,
        Family.GROUNDING,
        Family.COUNTING,
        Family.COUNTING,
        Family.CAPTIONING,
        Family.CLASSIFICATION,
        Family.VQA,
        Family.VQA,
    ]
    diamonds, ship, planes, many, caption, scene, *_ = loaded.cases
    assert diamonds.size == (1000, 1000)
    assert diamonds.said.evidence.xyxy.tolist() == [[244, 290, 710, 638]] == diamonds.said.boxes.xyxy.tolist()
    assert ship.said.boxes.xyxy.tolist() == [[1, 2, 300, 410]]
    assert ship.said.evidence.xyxy.tolist() == [[5, 5, 9, 9]]
    assert planes.truth.count == planes.said.count == 6
    assert many.said.status is Status.UNREADABLE
    assert many.said.count is None
    assert many.said.evidence is None
    assert caption.truth.texts == ("a ship", "one ship")
    assert scene.choices == ("port", "beach")
    assert scene.said.answer == "port"
    assert loaded.cases[7].meta["type"] == "object quantity"


def test_px_boxes_of_rs_tester_are_not_rescaled(tmp_path):
    row = {
        "image": "7.jpg",
        "question": "Detect all ships.",
        "width": 1500,
        "height": 900,
        "answer": "[[1,2,1400,800]]",
        "model_answer": "[[1,2,1400,800]]",
    }
    path = written(tmp_path / "a.jsonl", [row])
    (case,) = load(path, "rs_tester", options=FileOptions(frame=Frame.PX)).cases
    assert case.size == (1500, 900)
    assert case.said.boxes.xyxy.tolist() == [[1, 2, 1400, 800]]
    warned = load(path, "rs_tester").warnings
    assert any("look like px and not like per-mille" in line and "--frame px" in line for line in warned)


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (lambda text: gzip.compress(text.encode()), "compressed by gzip; unpack it first"),
        (lambda text: text.encode("utf-16"), "text in UTF-16; save it as UTF-8"),
    ],
)
def test_a_file_that_is_packed_or_not_utf_8_is_called_what_it_is(tmp_path, made, told):
    path = tmp_path / "answers.jsonl"
    path.write_bytes(made('{"question": "Is there a ship?", "answer": "yes", "annotation": "yes"}\n'))
    with pytest.raises(TrainingError, match=told):
        load(path, "earthdial")


def test_rs_tester_without_truth_takes_it_from_a_file_of_rows_or_samples(tmp_path):
    said = written(
        tmp_path / "s.jsonl",
        [{"image": "x/7.jpg", "question": "Detect all ships.", "answer": "[[100,100,500,500]]"}],
    )
    with pytest.raises(TrainingError, match="give it by --truth FILE"):
        load(said, "rs_tester")
    rows = written(
        tmp_path / "t.jsonl",
        [{"image": "7.png", "text": "Detect all ships.", "answer": "[[100,100,500,500]]"}],
    )
    (case,) = load(said, "rs_tester", rows).cases
    assert case.truth.boxes.xyxy.tolist() == case.said.boxes.xyxy.tolist()

    sample = Sample(
        sample_id="s1", source="x", split="test", licence="", task=Task.DETECT, question="Detect all ships.",
        images=(SampleImage(path="img/7.tif", width=2000, height=500),), asked=("ship",),
        boxes=(TrueBox(label="ship", x0=200, y0=50, x1=1000, y1=250),),
    )  # fmt: skip
    write_samples(tmp_path / "samples.jsonl", [sample])
    (case,) = load(said, "rs_tester", tmp_path / "samples.jsonl").cases
    assert case.case_id == "s1"
    assert case.truth.boxes.xyxy == pytest.approx(np.array([[100, 100, 500, 500]]))
    assert json.loads(case.truth.text) == [[100, 100, 500, 500]]
    assert case.truth.boxes.labels == ("ship",)
    assert case.said.boxes.labels == ("",)


def test_a_file_that_is_one_list_is_read_as_well_as_lines(tmp_path):
    lines = load(written(tmp_path / "a.jsonl", RS_TESTER), "rs_tester")
    whole = load(written(tmp_path / "a.json", RS_TESTER, whole=True), "rs_tester")
    assert [c.case_id for c in lines.cases] == [c.case_id for c in whole.cases]
    torn = (tmp_path / "a.json").read_text()[:-200]
    (tmp_path / "torn.json").write_text(torn)
    broken = load(tmp_path / "torn.json", "rs_tester")
    assert broken.problems.counts["broken line"] == 1
    assert adds_up(broken)


# --- whatever comes

JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers(-(10**30), 10**30) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
KEYS = [
    "question",
    "text",
    "answer",
    "model_answer",
    "gt_bbox",
    "groundtruth",
    "ground_truth",
    "annotation",
    "caption0",
    "caption1",
    "question_id",
    "image_id",
    "image",
    "type",
    "vqa_type",
    "task_type",
    "size_group",
    "width",
    "height",
]
PIECES = st.sampled_from(
    [
        REFER,
        "[[1, 2, 3, 4, 5]]",
        "[[1, 2, 3",
        "{<1><2><3><4>|<5>}",
        "[]",
        "yes",
        "6",
        "<think>a",
        "<answer>",
        "1e999",
        "[nan]",
    ]
)
ROWS = st.dictionaries(st.sampled_from(KEYS), PIECES | JSON, max_size=8)


@pytest.mark.parametrize("name", ["rs_tester", "earthdial", "geochat"])
@settings(max_examples=60)
@given(data=st.data())
def test_torn_lines_are_never_a_traceback_and_the_numbers_add_up(tmp_path_factory, name, data):
    lines = []
    for row in data.draw(st.lists(ROWS, min_size=1, max_size=6)):
        line = json.dumps(row).encode()
        cut = data.draw(st.none() | st.integers(0, len(line)))
        lines.append(
            line[:cut] + data.draw(st.sampled_from([b"", b"\xff", b"\0", b"}"])) if cut is not None else line
        )
    path = tmp_path_factory.mktemp("fuzz") / "rows.jsonl"
    good = {
        "rs_tester": RS_TESTER[2],
        "earthdial": EARTHDIAL[0],
        "geochat": {**EARTHDIAL[1], "ground_truth": "Port"},
    }
    path.write_bytes(b"\n".join([*lines, json.dumps(good[name]).encode()]))
    loaded = FORMATS[name].read(path, None, FileOptions())
    assert adds_up(loaded)
    assert len({case.case_id for case in loaded.cases}) == len(loaded.cases)
    assert loaded.left_out <= sum(loaded.problems.counts.values())
    for case in loaded.cases:
        assert np.isfinite(case.said.boxes.xyxy).all()
        assert (case.said.status is Status.MISSING) == (
            case.said.text == "" and case.said == type(case.said)(status=Status.MISSING)
        )


# --- real files


@functools.cache
def published(folder: Path) -> dict[str, Loaded]:
    return {path.name: load(path, "earthdial") for path in sorted(folder.glob("*/*.jsonl"))}


def test_the_published_files_are_read_whole_by_their_content(data_dir):
    folder = data_dir / "predictions/earthdial"
    found = {}
    for path in sorted(folder.glob("*/*.jsonl")):
        loaded = published(folder)[path.name]
        lines = sum(1 for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
        assert (loaded.rows, len(loaded.cases), dict(loaded.problems.counts)) == (lines, lines, {}), path
        (family,) = loaded.by_family()
        (task,) = {case.task for case in loaded.cases}
        found[path.name] = (str(family), str(task), lines)
    assert found == {
        "FMoW.jsonl": ("classification", "classify", 25),
        "LEVIR_MCI.jsonl": ("captioning", "change", 25),
        "xBD_referred_object_detection.jsonl": ("detection", "ground", 25),
        "xBD_testset_1.jsonl": ("classification", "classify", 25),
        "AID.jsonl": ("classification", "classify", 3000),
        "GeoChat.jsonl": ("detection", "ground", 7593),
        "NWPU_VHR_10.jsonl": ("captioning", "grounded-caption", 25),
        "RSITMD_Captions.jsonl": ("captioning", "caption", 452),
        "UCM_captions.jsonl": ("captioning", "caption", 210),
        "NWPU_VHR_10_test.jsonl": ("captioning", "region-caption", 985),
        "RSVQA_LR.jsonl": ("vqa", "vqa", 10004),
    }


def test_real_files_thrown_together_are_split_again(data_dir, tmp_path):
    folder = data_dir / "predictions/earthdial"
    lines = []
    for path in sorted(folder.glob("*/*.jsonl")):
        lines += path.read_text(encoding="utf-8").splitlines()[:20]
    (tmp_path / "all.jsonl").write_text("\n".join(lines[::-1]), encoding="utf-8")
    parts = load(tmp_path / "all.jsonl", "earthdial").by_family()
    assert {str(family): len(cases) for family, cases in parts.items()} == {
        "detection": 40, "classification": 60, "vqa": 20, "captioning": 100,
    }  # fmt: skip


def test_answers_of_aid_and_rsvqa_are_right_as_often_as_recorded(data_dir):
    """METRICS.md, D6: by letters, from the cases alone."""
    folder = data_dir / "predictions/earthdial"
    aid = published(folder)["AID.jsonl"].cases
    letters = [c.said.answer.replace(" ", "").casefold() == c.truth.classes[0].casefold() for c in aid]
    assert sum(letters) / len(aid) == pytest.approx(0.8847, abs=5e-5)
    right: Counter[str] = Counter()
    number: Counter[str] = Counter()
    for case in published(folder)["RSVQA_LR.jsonl"].cases:
        number[case.meta["type"]] += 1
        right[case.meta["type"]] += case.said.answer == case.truth.texts[0]
    assert number == {"comp": 4002, "presence": 2955, "count": 2947, "rural_urban": 100}
    share = {kind: right[kind] / number[kind] for kind in number}
    assert share == pytest.approx(
        {"presence": 0.9259, "comp": 0.9275, "rural_urban": 0.94, "count": 0.2769}, abs=5e-5
    )


@pytest.mark.parametrize(
    "run", ["[", "[ ", "]", " ", "[1, ", "{<1>", "<think>", "<answer>", "<ref>", "[[1,2,3,4,5]]", "1 or "]
)
@pytest.mark.parametrize("name", ["rs_tester", "earthdial"])
def test_a_model_that_repeats_itself_takes_no_longer_than_its_text(tmp_path, name, run):
    text = ("[[1, 2, 3, 4, 5]]" + run * 20_000)[:40_000]
    rows = [
        {
            "image": "a",
            "question": "Describe <ref>it</ref>" + text,
            "answer": text,
            "annotation": text,
            "ground_truth": text,
            "caption1": text,
        }
    ]
    began = time.monotonic()
    FORMATS[name].read(written(tmp_path / "a.jsonl", rows), None, FileOptions())
    assert time.monotonic() - began < 5

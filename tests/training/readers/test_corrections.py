"""An analyst's corrections come back: what the engine exports is read as the boxes a person saw."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import groundproof
from groundproof.protocol import Task
from groundproof.review_export import ExportFormat, export
from groundproof_training.errors import TrainingError
from groundproof_training.readers.base import WrongFolderError
from groundproof_training.samples import Form, completion_of, prompt_of
from tests.engine.conftest import finder, squares  # noqa: F401  (fixtures)
from tests.engine.square_finder import PROFILE
from tests.engine.square_finder import squares as bright
from tests.engine.test_review_export import reviewed

from .folders import WHOLE, read


def exported(place: Path, squares, form, question="How many airplanes are there?", decision="accepted"):  # noqa: F811
    export(reviewed(groundproof.ask(squares.path, question).result, decision), place, form)
    return place


def seen(root: Path, sample) -> list:
    """The bright areas of a sample's picture, slivers left out."""
    found = bright(np.asarray(Image.open(root / sample.images[0].path).convert("RGB")))
    return sorted(tuple(map(float, b)) for b in found if b[2] - b[0] >= 3 and b[3] - b[1] >= 3)


@pytest.mark.parametrize("form", list(ExportFormat))
def test_boxes_lie_on_what_the_pictures_show(tmp_path, squares, finder, form):  # noqa: F811
    root = exported(tmp_path / "e", squares, form)
    samples, problems = read("corrections", root, **WHOLE, absent_share=0, tasks=("count",))
    assert not problems.counts
    assert len(samples) > 1
    for sample in samples:
        there = seen(root, sample)
        ours = sorted(b.xyxy for b in sample.boxes)
        assert np.allclose(ours, there, atol=1.0)
        assert sample.answer == str(len(there))
        assert sample.asked == ("airplane",)


def test_a_conversation_is_written_again_as_it_was_exported(tmp_path, squares, finder):  # noqa: F811
    root = exported(tmp_path / "e", squares, ExportFormat.GEO_COT)
    samples, _ = read("corrections", root, **WHOLE)
    lines = [json.loads(line) for line in (root / "geo-cot.jsonl").read_text().splitlines()]
    assert len(samples) == len(lines)
    for sample, line in zip(samples, lines, strict=True):
        size = (sample.images[0].shown_size,)
        assert "<image>" + prompt_of(sample, PROFILE, size).text == line["messages"][0]["content"]
        assert completion_of(sample, PROFILE, size, Form.GEO_COT) == line["messages"][1]["content"]


@pytest.mark.parametrize(
    ("question", "task"),
    [
        ("Are there any airplanes?", Task.VQA),
        ("Where are the airplanes?", Task.DETECT),
        ("Detect all airplanes.", Task.DETECT),
    ],
)
def test_other_questions_keep_their_task(tmp_path, squares, finder, question, task):  # noqa: F811
    root = exported(tmp_path / "e", squares, ExportFormat.GEO_COT, question)
    samples, problems = read("corrections", root, **WHOLE)
    assert not problems.counts
    assert {s.task for s in samples} <= {task, Task.GROUND}
    assert {s.question for s in samples} == {question}
    for sample in samples:
        assert len(sample.boxes) == len(seen(root, sample))


def test_rejected_boxes_come_back_as_nothing_there(tmp_path, squares, finder):  # noqa: F811
    root = exported(tmp_path / "e", squares, ExportFormat.GEO_COT, decision="rejected")
    samples, _ = read("corrections", root, **WHOLE)
    assert samples
    assert {(s.answer, s.boxes) for s in samples} == {("0", ())}


def test_a_zip_and_its_folder_give_the_same_samples(tmp_path, squares, finder):  # noqa: F811
    folder = exported(tmp_path / "f", squares, ExportFormat.GEO_COT)
    zipped = exported(tmp_path / "z.zip", squares, ExportFormat.GEO_COT)
    assert read("corrections", zipped, **WHOLE)[0] == read("corrections", folder, **WHOLE)[0]
    assert (tmp_path / "z" / "images").is_dir()


def test_what_was_edited_by_hand_into_nonsense_is_left_out_and_named(tmp_path, squares, finder):  # noqa: F811
    root = exported(tmp_path / "e", squares, ExportFormat.GEO_COT)
    file = root / "geo-cot.jsonl"
    first, *rest = file.read_text().splitlines()
    record = json.loads(first)
    record["messages"][1]["content"] = record["messages"][1]["content"].replace("<answer>", "<answer>9")
    file.write_text("\n".join([json.dumps(record), "{", *rest[1:]]))
    samples, problems = read("corrections", root, **WHOLE)
    assert problems.counts == {"broken label": 2}
    assert len(samples) == len(rest) - 1
    assert "is not what its" in problems.examples["broken label"][0]


def test_folders_that_are_no_export(tmp_path):
    (tmp_path / "images").mkdir()
    with pytest.raises(WrongFolderError, match=r"geo-cot\.jsonl"):
        read("corrections", tmp_path)
    (tmp_path / "geo-cot.jsonl").write_text("")
    with pytest.raises(TrainingError, match="box_frame"):
        read("corrections", tmp_path)

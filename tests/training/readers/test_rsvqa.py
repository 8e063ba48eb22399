"""RSVQA's three files, as its specification and DATASETS.md A10 give them."""

import json

import pytest
from PIL import Image

from groundproof.protocol import Task
from groundproof_training.readers.base import Options, Problems, WrongFolderError
from groundproof_training.readers.rsvqa import READERS, RsvqaOptions, group_of

BY_NAME = {one.card.name: one for one in READERS}

IMAGES = [
    {"id": 0, "active": True, "upperleft_map_x": 1.0, "res_x": 10.0, "questions_ids": [1, 2, 3]},
    {"id": 1, "active": False},
    {"id": 2, "active": True, "questions_ids": [7]},
]
QUESTIONS = [
    {
        "id": 1,
        "img_id": 0,
        "type": "presence",
        "question": "Is  a road present?",
        "answers_ids": [1],
        "active": True,
    },
    {
        "id": 2,
        "img_id": 0,
        "type": "count",
        "question": "How many roads?",
        "answers_ids": [2, 3],
        "active": True,
    },
    {"id": 3, "img_id": 0, "type": "comp", "question": "More roads?", "answers_ids": [4], "active": False},
    {
        "id": 4,
        "img_id": 1,
        "type": "comp",
        "question": "Of an inactive image?",
        "answers_ids": [5],
        "active": True,
    },
    {"id": 5, "img_id": 9, "type": "comp", "question": "Of no image?", "answers_ids": [5], "active": True},
    {
        "id": 6,
        "img_id": 0,
        "type": "comp",
        "question": "Without an answer?",
        "answers_ids": [6],
        "active": True,
    },
    {
        "id": 7,
        "img_id": 2,
        "type": "area",
        "question": "What area have roads?",
        "answers_ids": [7],
        "active": True,
    },
    {"id": 1, "img_id": 0, "type": "presence", "question": "Twice?", "answers_ids": [1], "active": True},
    {"id": 8, "active": False},
]
ANSWERS = [
    {"id": 1, "question_id": 1, "answer": "yes", "active": True},
    {"id": 2, "question_id": 2, "answer": "427", "active": True},
    {"id": 3, "question_id": 2, "answer": "9", "active": False},
    {"id": 4, "question_id": 3, "answer": "no", "active": True},
    {"id": 5, "question_id": 4, "answer": "no", "active": True},
    {"id": 6, "question_id": 6, "answer": "no", "active": False},
    {"id": 7, "question_id": 7, "answer": "35m2", "active": True},
]  # fmt: skip


@pytest.fixture
def root(tmp_path):
    for part, rows in (("images", IMAGES), ("questions", QUESTIONS), ("answers", ANSWERS)):
        (tmp_path / f"LR_split_train_{part}.json").write_text(json.dumps({part: rows}))
    (tmp_path / "Images_LR").mkdir()
    for name in (0, 1, 2):
        Image.new("RGB", (256, 256)).save(tmp_path / f"Images_LR/{name}.tif")
    return tmp_path


def read(root, split="train", name="rsvqa-lr", **options):
    problems = Problems()
    return list(BY_NAME[name].read(root, split, RsvqaOptions(**options), problems)), problems


def test_only_active_images_questions_and_answers_count(root):
    samples, problems = read(root)
    assert [(s.question, s.answer, s.meta["type"]) for s in samples] == [
        ("Is a road present?", "yes", "presence"),
        ("How many roads?", "427", "count"),
        ("What area have roads?", "35m2", "area"),
    ]
    assert {s.task for s in samples} == {Task.VQA}
    assert samples[0].images[0].path == "Images_LR/0.tif"
    assert problems.counts == {"broken label": 2, "duplicate id": 1}  # an inactive thing is no problem


def test_types_can_be_chosen_and_numbers_grouped(root):
    assert [s.meta["type"] for s in read(root, types=("presence", "comp"))[0]] == ["presence"]
    samples, _ = read(root, groups=True)
    assert [s.answer for s in samples] == ["yes", "between 100 and 1000", "between 10m2 and 100m2"]


@pytest.mark.parametrize(
    ("kind", "answer", "group"),
    [
        ("count", "0", "0"), ("count", "1", "between 0 and 10"), ("count", "10", "between 0 and 10"),
        ("count", "11", "between 10 and 100"), ("count", "1001", "more than 1000"), ("area", "0m2", "0m2"),
        ("area", "7", "between 0m2 and 10m2"), ("area", "between 0m2 and 10m2", "between 0m2 and 10m2"),
        ("area", "more than 1000m2", "more than 1000m2"), ("presence", "7", "7"),
    ],
)  # fmt: skip
def test_groups(kind, answer, group):
    assert group_of(kind, answer) == group


def test_the_split_is_read_from_the_files_names(root):
    with pytest.raises(WrongFolderError, match=r"there: LR_split_train; the option `prefix`"):
        read(root, "test")
    for part in ("images", "questions", "answers"):
        for name in ("USGS_split_test_phili", "USGS_split_test"):
            (root / f"{name}_{part}.json").write_text(json.dumps({part: []}))
    assert read(root, "test") == ([], Problems())
    assert len(read(root, "test", prefix="LR_split_train")[0]) == 3
    assert read(root, "test", prefix="LR_split_train")[0][0].split == "test"


def test_images_of_the_high_resolution_set(root):
    (root / "Images_LR").rename(root / "Data")
    samples, _ = read(root, name="rsvqa-hr")
    assert samples[0].images[0].path == "Data/0.tif"
    assert samples[0].sample_id == "rsvqa-hr/train/1"


def test_a_wrong_folder_is_told_what_was_expected(tmp_path):
    for reader in READERS:
        with pytest.raises(WrongFolderError, match=r"one file \*_train_questions\.json"):
            reader.read(tmp_path, "train", Options(), Problems())
    (tmp_path / "x_train_questions.json").write_text("[]")
    (tmp_path / "x_train_images.json").write_text("[]")
    with pytest.raises(WrongFolderError, match='a list "images"'):
        READERS[0].read(tmp_path, "train", Options(), Problems())

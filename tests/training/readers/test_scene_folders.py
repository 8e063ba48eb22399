"""Scene folders as the datasets' trees have them, with pictures we make."""

import json

import pytest
from PIL import Image

from groundproof.protocol import Task
from groundproof_training.errors import TrainingError
from groundproof_training.readers.base import Options, Problems, WrongFolderError
from groundproof_training.readers.scene_folders import READERS, SceneOptions
from groundproof_training.samples import class_name

BY_NAME = {one.card.name: one for one in READERS}
TREES = {
    "nwpu-resisc45": ("NWPU-RESISC45/{}/{}_001.jpg", lambda c: c.replace(" ", "_")),
    "aid": ("AID/{}/{}_12.jpg", lambda c: c.title().replace(" ", "")),
    "ucmerced": ("UCMerced_LandUse/Images/{}/{}00.tif", lambda c: c.replace(" ", "")),
    "whu-rs19": ("{}/{}_01.jpg", lambda c: {"football field": "footballField"}.get(c, c.title().replace(" ", ""))),
    "siri-whu": ("{}/{}0001.tif", lambda c: c.replace(" ", "_")),
    "rsscn7": ("{}/{}001.jpg", lambda c: "abcdefg"[BY_NAME["rsscn7"].classes.index(c)] + c.title().replace(" ", "")),
}  # fmt: skip


def build(root, name, classes=None):
    reader = BY_NAME[name]
    tree, spelled = TREES[name]
    for one in classes or reader.classes:
        folder = spelled(one)
        file = root / tree.format(folder, folder.lower())
        file.parent.mkdir(parents=True)
        Image.new("RGB", reader.size).save(file)
    return reader


def read(reader, root, split="train", **options):
    problems = Problems()
    return list(reader.read(root, split, SceneOptions(decode=False, **options), problems)), problems


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_every_class_folder_is_read_as_its_words(tmp_path, name):
    reader = build(tmp_path, name)
    samples, problems = read(reader, tmp_path, train_share=1)
    assert [s.answer for s in samples] == sorted(reader.classes, key=lambda c: TREES[name][1](c))
    assert all(s.task is Task.CLASSIFY and s.choices == reader.classes and s.source == name for s in samples)
    assert all(s.answer in s.question and s.images[0].width == reader.size[0] for s in samples)
    assert not problems.counts


@pytest.mark.parametrize(
    ("name", "classes"),
    [("nwpu-resisc45", 45), ("aid", 30), ("ucmerced", 21), ("whu-rs19", 19), ("siri-whu", 12), ("rsscn7", 7)],
)
def test_classes_are_as_many_as_published(name, classes):
    names = BY_NAME[name].classes
    assert len(set(names)) == len(names) == classes
    assert all(class_name(one) == one for one in names)


def test_aids_classes_are_those_of_earthdials_published_file(data_dir):
    with (data_dir / "predictions/earthdial/rs_classification/AID.jsonl").open() as lines:
        theirs = {class_name(json.loads(line)["annotation"]) for line in lines}
    assert theirs == set(BY_NAME["aid"].classes)


def test_splits_are_disjoint_complete_and_stay_when_files_come_or_go(tmp_path):
    reader = build(tmp_path, "rsscn7")
    folder = tmp_path / "aGrass"
    for n in range(60):
        Image.new("RGB", (4, 4)).save(folder / f"a{n:03}.jpg")
    options = {"train_share": 0.6, "val_share": 0.2}
    parts = {
        split: {s.sample_id for s in read(reader, tmp_path, split, **options)[0]}
        for split in ("train", "val", "test")
    }
    assert sum(map(len, parts.values())) == len(set.union(*parts.values())) == 67
    assert len(parts["train"]) == pytest.approx(40, abs=10)
    assert all(parts.values())
    gone = sorted(parts["test"])[0].split("/")[-1]
    (folder / gone).unlink(missing_ok=True)
    assert {s.sample_id for s in read(reader, tmp_path, "train", **options)[0]} == parts["train"]
    assert {s.sample_id for s in read(reader, tmp_path, "train", seed=1, **options)[0]} != parts["train"]


def test_lists_replace_the_drawn_split(tmp_path):
    reader = build(tmp_path, "rsscn7")
    (tmp_path / "splits").mkdir()
    (tmp_path / "splits/test.txt").write_text("agrass001.jpg\nbField/bfield001.jpg\n")
    samples, _ = read(reader, tmp_path, "test", lists="splits")
    assert [s.answer for s in samples] == ["grass", "field"]
    assert samples[0].meta["split"] == "list splits/test.txt"
    with pytest.raises(TrainingError, match="not there"):
        read(reader, tmp_path, "val", lists="splits")


def test_unknown_and_missing_classes_and_broken_images_are_counted(tmp_path):
    reader = build(tmp_path, "aid", BY_NAME["aid"].classes[:-1])
    (tmp_path / "AID/Volcano").mkdir()
    (tmp_path / "AID/Airport/airport_99.jpg").write_bytes(b"no picture")
    samples, problems = read(reader, tmp_path, train_share=1)
    assert len(samples) == 29
    assert problems.counts == {
        "unknown class": 1, "class without a folder": 1, "broken image": 1, "sample without its image": 1,
    }  # fmt: skip


def test_a_wrong_folder_is_told_what_was_expected(tmp_path):
    (tmp_path / "cats").mkdir()
    with pytest.raises(WrongFolderError, match=r"UCMerced_LandUse/Images/<class>[\s\S]*Found: cats"):
        BY_NAME["ucmerced"].read(tmp_path, "train", Options(), Problems())

"""Captioned images and pairs, in the forms DATASETS.md notes; pictures are ours or the real LEVIR pairs."""

import json

import pytest
from PIL import Image

from groundproof.protocol import Task
from groundproof_training.readers import captions, change_captions
from groundproof_training.readers.base import Options, Problems, WrongFolderError
from groundproof_training.readers.captions import CaptionOptions
from groundproof_training.readers.change_captions import ChangeOptions

BY_NAME = {one.card.name: one for one in (*captions.READERS, *change_captions.READERS)}
FIVE = [
    "many planes are parked next to a long building in an airport .",
    "many planes are parked beside a terminal .",
    "many planes are parked beside a terminal .",
    "many planes are parked in an airport near many runways .",
    "several planes are in an airport .",
]


def row(filename, split, sentences, **more):
    raw = [{"raw": s, "tokens": s.split(), "imgid": 0, "sentid": n} for n, s in enumerate(sentences)]
    return {"filename": filename, "imgid": 0, "split": split, "sentences": raw, **more}


def paint(path, size=(8, 8)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size).save(path)


def read(name, root, split="train", options=None):
    problems = Problems()
    return list(BY_NAME[name].read(root, split, options or Options(), problems)), problems


@pytest.mark.parametrize(
    ("name", "file", "image"),
    [
        ("rsicd", "dataset_rsicd.json", "RSICD_images/airport_1.jpg"),
        ("ucm-captions", "dataset.json", "imgs/1.tif"),
        ("sydney-captions", "dataset.json", "imgs/1.tif"),
        ("rsitmd", "dataset_RSITMD.json", "images/airport_1.tif"),
    ],
)
def test_karpathys_json(tmp_path, name, file, image):
    paint(tmp_path / image)
    filename = image.split("/")[1]
    rows = [row(filename, "train", FIVE), row(filename, "test", FIVE), row("gone.jpg", "train", FIVE)]
    (tmp_path / file).write_text(json.dumps({"images": rows, "dataset": name}))
    samples, problems = read(name, tmp_path)
    assert [(s.answer, s.captions, s.task) for s in samples] == [(FIVE[0], tuple(FIVE), Task.CAPTION)]
    assert samples[0].images[0].path == image
    assert problems.counts == {"no image": 1, "sample without its image": 1}
    samples, problems = read(name, tmp_path, "train", CaptionOptions(need_images=False, each_caption=True))
    assert len(samples) == 2 * 4  # of five, two are the same
    assert len({s.sample_id for s in samples}) == 8
    assert all(len(s.captions) == 5 for s in samples)


def test_broken_rows_are_counted(tmp_path):
    paint(tmp_path / "RSICD_images/a.jpg")
    rows = [
        {"filename": "a.jpg", "split": "train", "sentences": [{"tokens": ["two", "ships"]}, {"raw": " "}]},
        row("a.jpg", "train", FIVE), row("b.jpg", "holdout", FIVE), {"split": "train"}, "no row",
        row("c.jpg", "restval", []),
    ]  # fmt: skip
    paint(tmp_path / "RSICD_images/c.jpg")
    (tmp_path / "dataset_rsicd.json").write_text(json.dumps({"images": rows}))
    samples, problems = read("rsicd", tmp_path)
    assert [s.answer for s in samples] == ["two ships"]
    assert problems.counts == {"duplicate id": 1, "broken label": 3, "empty caption": 1, "no caption": 1}


def test_nwpu_captions_lie_in_five_keys_and_one_image_is_missing(tmp_path):
    keys = ("raw", "raw_1", "raw_2", "raw_3", "raw_4")
    rows = [
        {"filename": f"airplane_{n}.jpg", "split": split, "imgid": n, **dict(zip(keys, FIVE, strict=True))}
        for n, split in ((1, "train"), (111, "train"), (2, "test"))
    ]
    (tmp_path / "dataset_nwpu.json").write_text(json.dumps({"airplane": rows, "sea_ice": []}))
    paint(tmp_path / "NWPU-RESISC45/airplane/airplane_1.jpg")
    samples, problems = read("nwpu-captions", tmp_path)
    assert [s.captions for s in samples] == [tuple(FIVE)]
    assert samples[0].meta == {"category": "airplane"}
    assert problems.examples["no image"] == [
        "airplane/airplane_111.jpg: the label has no image; it was left out"
    ]


def test_levir_pairs_of_the_real_files(tmp_path, data_dir):
    for date in "AB":
        (tmp_path / "images/test").mkdir(parents=True, exist_ok=True)
        (tmp_path / "images/test" / date).symlink_to(data_dir / "change_pairs/levir" / date)
    names = sorted(p.name for p in (data_dir / "change_pairs/levir/A").glob("test_*.png"))
    rows = [row(n, "test", FIVE, filepath="test", changeflag=i % 2) for i, n in enumerate(names)]
    rows.append(row("train_1.png", "train", FIVE, filepath="train", changeflag=1))
    (tmp_path / "LevirCCcaptions.json").write_text(json.dumps({"images": rows}))
    for name in ("levir-cc", "levir-mci"):
        samples, problems = read(name, tmp_path, "test")
        # One pair of the sample files is a screenshot whose second date is a row shorter.
        assert problems.counts == {"dates of different size": 1}
        kept = [n for n in names if n != "test_113_0256.png"]
        for sample, filename in zip(samples, kept, strict=True):
            assert sample.task is Task.CHANGE
            assert [i.path for i in sample.images] == [f"images/test/{d}/{filename}" for d in "AB"]
            assert {(i.width, i.height) for i in sample.images} == {(256, 256)}
            assert sample.images[0].sha256 != sample.images[1].sha256
        assert [s.meta["changed"] for s in samples[:2]] == ["no", "no"]


def test_change_agents_token_lists(tmp_path):
    for date in "AB":
        paint(tmp_path / f"images/train/{date}/train_000001.png")
    (tmp_path / "LEVIR_MCI/tokens").mkdir(parents=True)
    (tmp_path / "LEVIR_MCI/train.txt").write_text(
        "train_000001.png-0\ntrain_000001.png-1\ntrain_000002.png-0\n"
    )
    lists = [["<START>", *s.rstrip(" .").split(), "<END>"] for s in FIVE]
    (tmp_path / "LEVIR_MCI/tokens/train_000001.txt").write_text(json.dumps(lists))
    samples, problems = read("levir-mci", tmp_path, "train", ChangeOptions(tokens="LEVIR_MCI"))
    assert [s.captions for s in samples] == [tuple(s.rstrip(" .") for s in FIVE)]
    assert problems.counts == {"broken label": 1}


def test_dubai_has_a_file_for_each_split_and_two_years(tmp_path):
    for year in (2000, 2010):
        paint(tmp_path / f"imgs_tiles/RGB/500_{year}/7.tif", (50, 50))
    (tmp_path / "description_jsontr_te_val").mkdir()
    file = tmp_path / "description_jsontr_te_val/Validation_Dubai_CC.json"
    file.write_text(json.dumps({"images": [row("7.tif", "val", FIVE)]}))
    samples, _ = read("dubai-cc", tmp_path, "val")
    assert [i.date for i in samples[0].images] == ["2000", "2010"]
    with pytest.raises(WrongFolderError, match=r"Train_Dubai_CC.json is not there"):
        read("dubai-cc", tmp_path, "train")


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_a_wrong_folder_is_told_what_was_expected(tmp_path, name):
    (tmp_path / "x.txt").touch()
    with pytest.raises(WrongFolderError, match=r"Expected:[\s\S]+json[\s\S]+Found: x.txt"):
        BY_NAME[name].read(tmp_path, "train", Options(), Problems())


def test_a_json_of_another_form_is_a_wrong_folder(tmp_path):
    (tmp_path / "dataset.json").write_text("[1, 2]")
    with pytest.raises(WrongFolderError, match=r'a list "images" in dataset.json'):
        BY_NAME["ucm-captions"].read(tmp_path, "train", Options(), Problems())
    (tmp_path / "dataset.json").write_text("{")
    with pytest.raises(WrongFolderError, match="as JSON"):
        BY_NAME["ucm-captions"].read(tmp_path, "train", Options(), Problems())

"""BigEarthNet patches we write: labels, the grouping of classes, and pictures made of bands."""

import json

import numpy as np
import pytest
import rasterio
from PIL import Image

from groundproof.protocol import Task
from groundproof_training.errors import TrainingError
from groundproof_training.readers.base import Options, Problems, WrongFolderError
from groundproof_training.readers.bigearthnet import BigEarthNet, BigEarthNetOptions
from groundproof_training.readers.clc import split_classes

PATCH = "S2A_MSIL2A_20170613T101031_87_48"
LABELS = ["Mixed forest", "Beaches, dunes, sands", "Salines", "Salt marshes", "Airports"]


def patch(root, name=PATCH, labels=LABELS, values=(100, 2750, 9000)):
    folder = root / "BigEarthNet-v1.0" / name
    folder.mkdir(parents=True)
    date = "2017-06-13 10:10:31"
    meta = {"labels": labels, "coordinates": {}, "projection": "", "acquisition_date": date}
    (folder / f"{name}_labels_metadata.json").write_text(json.dumps(meta))
    for band, value in zip(("B04", "B03", "B02"), values, strict=True):
        band_of(folder / f"{name}_{band}.tif", value)
    return folder


def band_of(file, value, side=120):
    profile = {"driver": "GTiff", "width": side, "height": side, "count": 1, "dtype": "uint16"}
    profile |= {"crs": "EPSG:32631", "transform": rasterio.Affine(10, 0, 500_000, 0, -10, 5_000_000)}
    with rasterio.open(file, "w", **profile) as out:
        out.write(np.full((1, side, side), value, dtype=np.uint16))


def read(root, split="train", **options):
    problems = Problems()
    return list(BigEarthNet().read(root, split, BigEarthNetOptions(**options), problems)), problems


@pytest.fixture
def root(tmp_path):
    patch(tmp_path)
    (tmp_path / "train.csv").write_text(f"{PATCH},S1A_x\nS2B_gone,S1B_x\n")
    return tmp_path


def test_labels_are_grouped_into_19_and_a_picture_is_made(root):
    (sample,), problems = read(root)
    assert problems.counts == {"no label": 1}
    assert sample.task is Task.CLASSIFY
    assert sample.answers == ("mixed forest", "beaches, dunes, sands", "coastal wetlands")
    assert split_classes(sample.answer) == sample.answers
    assert set(sample.answers) <= set(sample.choices)
    assert len(sample.choices) == 19
    (image,) = sample.images
    assert (image.path, image.date) == (f"groundproof-rgb/white-2750/{PATCH}.png", "2017-06-13")
    with Image.open(root / image.path) as picture:
        assert picture.size == (120, 120)
        assert picture.getpixel((5, 5)) == (9, 255, 255)  # 100 of 2750 is 9.3 of 255; bright clips
    assert read(root)[0] == [sample]


def test_the_43_classes(root):
    (sample,), _ = read(root, classes=43)
    assert sample.answers == ("airports", "beaches, dunes, sands", "mixed forest", "salines", "salt marshes")
    assert len(sample.choices) == 43


def test_pictures_rendered_elsewhere(root):
    (root / "rgb").mkdir()
    Image.new("RGB", (256, 256)).save(root / f"rgb/{PATCH}.jpg")
    (sample,), _ = read(root, rgb_dir="rgb")
    assert (sample.images[0].path, sample.images[0].width) == (f"rgb/{PATCH}.jpg", 256)


def test_what_is_broken_is_counted(root):
    patch(root, "S2B_1", ["Airports"])
    patch(root, "S2B_2", ["Volcano", "Pastures"])
    (patch(root, "S2B_3") / "S2B_3_B03.tif").write_bytes(b"no raster")
    band_of(patch(root, "S2B_4") / "S2B_4_B02.tif", 1, side=60)
    (patch(root, "S2B_5") / "S2B_5_labels_metadata.json").write_text("{")
    (root / "train.csv").write_text("".join(f"S2B_{n},x\n" for n in range(1, 6)))
    samples, problems = read(root)
    assert [s.answers for s in samples] == [("pastures",)]
    assert problems.counts == {"no class": 1, "unknown class": 1, "broken image": 2, "broken label": 1}


def test_a_drawn_split_needs_no_lists(root):
    (root / "train.csv").unlink()
    with pytest.raises(WrongFolderError, match=r"train\.csv \(or the option `train_share`\)"):
        read(root)
    parts = [
        len(read(root, split, train_share=0.5, need_images=False)[0]) for split in ("train", "val", "test")
    ]
    assert sorted(parts) == [0, 0, 1]


def test_a_folder_that_cannot_be_written_to_is_said(root):
    (root / "groundproof-rgb").write_text("a file where the folder should be")
    with pytest.raises(TrainingError, match="`rgb_dir`"):
        read(root)


def test_a_wrong_folder_is_told_what_was_expected(tmp_path):
    with pytest.raises(WrongFolderError, match="labels_metadata"):
        BigEarthNet().read(tmp_path, "train", Options(), Problems())

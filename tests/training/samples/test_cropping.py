"""Patches as files of their own: the pixels under a box stay the pixels under a box."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from groundproof.models.profiles import get_profile
from groundproof.protocol import Task
from groundproof_training.readers.base import open_shown
from groundproof_training.readers.reading import Wanted, write
from groundproof_training.samples import Form, Sample, SampleImage, TrueBox, completion_of
from groundproof_training.samples.cropping import Cropper
from groundproof_training.samples.storage import read_samples

WINDOW = (40, 30, 140, 110)


@pytest.fixture
def sample(tmp_path):
    pixels = np.zeros((200, 300, 3), np.uint8)
    pixels[50:60, 70:90] = 255
    (tmp_path / "data" / "in").mkdir(parents=True)
    Image.fromarray(pixels).save(tmp_path / "data" / "in" / "a.png")
    box = TrueBox(label="ship", x0=70, y0=50, x1=90, y1=60, quad=(70, 50, 90, 50, 90, 60, 70, 60))
    image = SampleImage(path="in/a.png", width=300, height=200, window=WINDOW, date="2018-05")
    return Sample(
        sample_id="s", source="made", split="train", licence="none", task=Task.DETECT, images=(image,),
        question="Detect all ships.", asked=("ship",), boxes=(box,), regions=(box,),
    )  # fmt: skip


def test_a_box_lies_on_the_same_pixels_and_is_written_the_same(tmp_path, sample):
    made = Cropper(tmp_path / "data", tmp_path / "out").cropped(sample)
    (image,) = made.images
    assert (image.window, image.width, image.height, image.date) == (None, 100, 80, "2018-05")
    pixels = np.asarray(Image.open(tmp_path / "out" / image.path))
    ys, xs = np.nonzero(pixels[..., 0])
    assert made.boxes[0].xyxy == (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)
    assert made.boxes[0].quad == (30, 20, 50, 20, 50, 30, 30, 30)
    assert made.regions == made.boxes
    assert (pixels == np.asarray(open_shown(tmp_path / "data", sample.images[0]))).all()
    for name in ("rsthinker", "qwen2.5-vl"):
        ours, theirs = (
            completion_of(s, get_profile(name), ((112, 84),), Form.ANSWER) for s in (made, sample)
        )
        assert ours == theirs


def test_a_window_past_the_edge_is_as_large_as_it_says(tmp_path, sample):
    past = sample.images[0].model_copy(update={"window": (40, 30, 400, 260)})
    made = Cropper(tmp_path / "data", tmp_path / "out").cropped(sample.model_copy(update={"images": (past,)}))
    assert Image.open(tmp_path / "out" / made.images[0].path).size == (360, 230)


def test_whole_images_are_copied_as_they_are(tmp_path, sample):
    whole = sample.model_copy(update={"images": (sample.images[0].model_copy(update={"window": None}),)})
    assert Cropper(tmp_path / "data", tmp_path / "out").cropped(whole) == whole
    assert (tmp_path / "out/in/a.png").read_bytes() == (tmp_path / "data/in/a.png").read_bytes()


def test_the_command_writes_patches_of_real_images_that_show_what_the_windows_showed(tmp_path, data_dir):
    root = data_dir / "labels" / "dota"
    common = {"reader": "dota", "folder": root, "tasks": ("detect",), "settings": ("max_objects=500",)}
    write(Wanted(out=tmp_path / "w.jsonl", **common))
    write(Wanted(out=tmp_path / "p.jsonl", pictures=tmp_path / "patches", **common))
    pairs = list(zip(read_samples(tmp_path / "w.jsonl"), read_samples(tmp_path / "p.jsonl"), strict=True))
    assert len(pairs) >= 10
    for window, patch in pairs:
        assert patch.images[0].window is None
        assert max(patch.images[0].shown_size) <= 800
        seen = [
            np.asarray(open_shown(r, s.images[0])) for r, s in ((root, window), (tmp_path / "patches", patch))
        ]
        assert (seen[0] == seen[1]).all()
        sizes = (window.images[0].shown_size,)
        ours, theirs = (
            completion_of(s, get_profile("rsthinker"), sizes, Form.ANSWER) for s in (patch, window)
        )
        assert ours == theirs

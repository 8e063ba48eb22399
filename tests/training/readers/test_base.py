"""Images that readers look at: whole, broken, turned, too large; and the part that is shown."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import numpy as np
import pytest
from PIL import Image

from groundproof_training.readers.base import (
    Options,
    Problems,
    TooLargeError,
    look_at,
    open_shown,
    opened_image,
)
from groundproof_training.samples import SampleImage

from .folders import picture


def look(root, name, **options):
    problems = Problems()
    return look_at(root, name, Options(**options), problems), problems.counts


def test_size_and_hash_are_those_of_the_file(tmp_path):
    file = picture(tmp_path / "in" / "a.png", 30, 20)
    image, counts = look(tmp_path, "in/a.png")
    assert (image.width, image.height) == (30, 20)
    assert image.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert not counts


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_turned_photograph_has_its_size_as_it_is_shown(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", (30, 20)).save(tmp_path / "a.jpg", exif=exif)
    image, _ = look(tmp_path, "a.jpg")
    assert open_shown(tmp_path, image).size == (image.width, image.height)
    assert (image.width > image.height) == (orientation in (1, 3))


def test_torn_empty_and_foreign_files_are_counted(tmp_path):
    whole = picture(tmp_path / "a.png", 300, 200).read_bytes()
    noise = np.random.default_rng(0).integers(0, 255, (200, 300, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "b.jpg")
    torn = (tmp_path / "b.jpg").read_bytes()[:5000]
    for content in (b"", b"not a picture", whole[:40], torn):
        (tmp_path / "x.png").write_bytes(content)
        assert look(tmp_path, "x.png") == (None, {"broken image": 1})
    # Without decoding only the head is looked at.
    assert look(tmp_path, "x.png", decode=False)[0] is not None
    assert look(tmp_path, "gone.png") == (None, {"no image": 1})


def test_an_image_larger_than_allowed_is_left_out_and_pillows_own_limit_can_be_passed(tmp_path, monkeypatch):
    picture(tmp_path / "a.png", 300, 200)
    assert look(tmp_path, "a.png", max_megapixels=0.05) == (None, {"too large": 1})
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10_000)
    image, counts = look(tmp_path, "a.png")
    assert not counts
    assert open_shown(tmp_path, image).size == (300, 200)
    assert Image.MAX_IMAGE_PIXELS == 10_000


def test_a_file_that_grew_after_its_sample_was_made_is_not_opened(tmp_path):
    picture(tmp_path / "a.png", 300, 200)
    with pytest.raises(TooLargeError, match="300 x 200"):
        open_shown(tmp_path, SampleImage(path="a.png", width=30, height=20))


def test_threads_open_small_and_large_images_side_by_side(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10_000)
    sizes = [(20, 10), (300, 200), (120, 80), (400, 100)]
    for n, (w, h) in enumerate(sizes):
        picture(tmp_path / f"{n}.png", w, h)
    wanted = [SampleImage(path=f"{n}.png", width=w, height=h) for n, (w, h) in enumerate(sizes)] * 50
    with ThreadPoolExecutor(8) as pool:
        shown = list(pool.map(lambda image: open_shown(tmp_path, image).size, wanted))
    assert shown == sizes * 50
    assert Image.MAX_IMAGE_PIXELS == 10_000


def test_pillows_limit_is_the_largest_image_open_and_its_own_again_after_the_last(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10_000)
    sizes = [(20, 10), (300, 200), (400, 100)]
    small, large, wide = (picture(tmp_path / f"{n}.png", w, h) for n, (w, h) in enumerate(sizes))
    with ExitStack() as first, ExitStack() as second:
        # What overlaps need not be nested: the first to open is the first to close.
        first.enter_context(opened_image(large, 60_000))
        second.enter_context(opened_image(wide, 40_000))
        assert Image.MAX_IMAGE_PIXELS == 60_000
        first.close()
        assert Image.MAX_IMAGE_PIXELS == 40_000
        with opened_image(small, 200):
            assert Image.MAX_IMAGE_PIXELS == 40_000
    assert Image.MAX_IMAGE_PIXELS == 10_000


def test_a_window_past_the_edge_is_black_there(tmp_path):
    picture(tmp_path / "a.png", 30, 20, (200, 100, 50))
    image = SampleImage(path="a.png", width=30, height=20, window=(20, 10, 40, 30))
    pixels = np.asarray(open_shown(tmp_path, image))
    assert pixels.shape == (20, 20, 3)
    assert (pixels[:10, :10] == (200, 100, 50)).all()
    assert (pixels[10:] == 0).all()
    assert (pixels[:, 10:] == 0).all()


def test_a_path_that_leads_out_of_the_folder_is_counted_and_not_opened(tmp_path):
    picture(tmp_path / "outside.png")
    (tmp_path / "set").mkdir()
    for path in ("../outside.png", str(tmp_path / "outside.png"), "images/../../outside.png"):
        problems = Problems()
        assert look_at(tmp_path / "set", path, Options(), problems) is None
        assert problems.counts == {"path outside": 1}

"""The audit against brute force on pictures rendered here: what is one picture, and what is not."""

import json
import re
import shutil
from itertools import combinations
from pathlib import Path

import imagehash
import numpy as np
import pytest
from PIL import Image, ImageFilter

from groundproof.protocol import Task
from groundproof_training.errors import TrainingError
from groundproof_training.leakage import AuditOptions, PairKind, Part, audit_parts
from groundproof_training.leakage.cache import LookCache
from groundproof_training.leakage.look import TRANSFORMS, look, transformed
from groundproof_training.leakage.nearby import close_hashes, popcount
from groundproof_training.leakage.report import as_json, table, write_html
from groundproof_training.readers.base import Problems
from groundproof_training.samples import Sample, SampleImage


def ground(seed: int, side: int = 192) -> Image.Image:
    """A made place: soft fields, roofs with hard edges."""
    rng = np.random.default_rng(seed)
    soft = Image.fromarray(rng.integers(60, 180, (6, 6, 3), dtype=np.uint8)).resize(
        (side, side), Image.Resampling.BICUBIC
    )
    pixels = np.asarray(soft).astype(int)
    for _ in range(14):
        x, y = rng.integers(0, side - 40, 2)
        w, h = rng.integers(8, 40, 2)
        pixels[y : y + h, x : x + w] = rng.integers(0, 255, 3)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def sample(name: str, path: str, side: int = 192, window=None, split="train") -> Sample:
    image = SampleImage(path=path, width=side, height=side, window=window)
    return Sample(
        sample_id=name,
        source="made",
        split=split,
        licence="ours",
        task=Task.CAPTION,
        images=(image,),
        question="?",
    )


def audited(root: Path, files: dict[str, list], cache: Path | None = None, options=None, origin=None):
    """files: "train" -> paths, or samples."""
    problems = Problems()
    parts = [
        Part(
            "made",
            split,
            root,
            [
                one if isinstance(one, Sample) else sample(f"{split}-{one}", one, split=split)
                for one in listed
            ],
            origin,
        )
        for split, listed in files.items()
    ]
    with LookCache(cache) as kept:
        return audit_parts(parts, options or AuditOptions(), kept, problems)


def names_of(audit, pair):
    return {audit.views[pair.first].file.name, audit.views[pair.second].file.name}


ALTERED = {
    "recompressed": lambda p: ("jpg", p, {"quality": 40}),
    "smaller": lambda p: ("png", p.resize((128, 128), Image.Resampling.BILINEAR), {}),
    "turned": lambda p: ("png", p.transpose(Image.Transpose.ROTATE_90), {}),
    "mirrored and recompressed": lambda p: ("jpg", p.transpose(Image.Transpose.TRANSVERSE), {"quality": 60}),
    "brighter": lambda p: ("png", p.point(lambda v: min(255, int(v * 0.9 + 20))), {}),
    "blurred": lambda p: ("png", p.filter(ImageFilter.GaussianBlur(0.7)), {}),
}


@pytest.mark.parametrize("change", ALTERED)
def test_a_picture_that_was_only_stored_otherwise_is_found(tmp_path, change):
    ground(1).save(tmp_path / "a.png")
    for seed in range(2, 8):
        ground(seed).save(tmp_path / f"other{seed}.png")
    ending, picture, how = ALTERED[change](ground(1))
    picture.save(tmp_path / f"b.{ending}", **how)
    audit = audited(
        tmp_path, {"train": ["a.png", "other2.png", "other3.png"], "test": [f"b.{ending}", "other4.png"]}
    )
    assert [names_of(audit, pair) for pair in audit.pairs] == [{"a.png", f"b.{ending}"}]
    assert audit.pairs[0].kind is PairKind.LOOKS_SAME
    assert len(audit.leaks()) == 1


def test_the_same_bytes_and_the_same_pixels_are_named_as_what_they_are(tmp_path):
    ground(1).save(tmp_path / "a.png")
    shutil.copy(tmp_path / "a.png", tmp_path / "copy.png")
    ground(1).save(tmp_path / "pixels.bmp")
    audit = audited(tmp_path, {"train": ["a.png"], "test": ["copy.png", "pixels.bmp"]})
    kinds = {frozenset(names_of(audit, p)): p.kind for p in audit.pairs}
    assert kinds[frozenset({"a.png", "copy.png"})] is PairKind.SAME_BYTES
    assert kinds[frozenset({"a.png", "pixels.bmp"})] is PairKind.SAME_PIXELS


@pytest.mark.parametrize("share", [0.6, 0.75, 0.85])
def test_a_crop_is_another_picture(tmp_path, share):
    whole = ground(3)
    side = round(192 * share)
    whole.save(tmp_path / "whole.png")
    whole.crop((5, 7, 5 + side, 7 + side)).save(tmp_path / "crop.png")
    assert audited(tmp_path, {"train": ["whole.png"], "test": ["crop.png"]}).pairs == ()


def test_pairs_are_those_of_brute_force(tmp_path):
    rng = np.random.default_rng(0)
    listed = {"train": [], "test": []}
    pictures = {}
    for seed in range(24):
        base = ground(seed // 3 if seed % 3 else 100 + seed)  # two of three share a place with another
        way = TRANSFORMS[int(rng.integers(8))]
        picture = base if way is None else base.transpose(way)
        name = f"{seed:02}.jpg"
        picture.save(tmp_path / name, quality=int(rng.integers(50, 95)))
        pictures[name] = np.asarray(Image.open(tmp_path / name).convert("L").resize((64, 64))).astype(float)
        listed["train" if seed % 2 else "test"].append(name)
    expected = set()
    for one, other in combinations(pictures, 2):
        a, b = pictures[one], pictures[other]
        ways = [np.rot90(m, k) for m in (a, a.T) for k in range(4)]
        if max(np.corrcoef(w.ravel(), b.ravel())[0, 1] for w in ways) > 0.97:
            expected.add(frozenset((one, other)))
    audit = audited(tmp_path, listed)
    assert {frozenset(names_of(audit, p)) for p in audit.pairs} == expected
    assert len(expected) == 8


@pytest.mark.parametrize("distance", [0, 3, 8, 11])
def test_near_hashes_are_those_of_brute_force(distance):
    rng = np.random.default_rng(distance)
    plain = rng.integers(0, 2**63, 300, dtype=np.uint64)
    for k in range(0, 300, 2):  # a neighbour at a distance of up to 12 bits
        flips = rng.choice(64, int(rng.integers(0, 13)), replace=False)
        plain[k + 1] = plain[k] ^ np.bitwise_or.reduce(
            np.uint64(1) << flips.astype(np.uint64), initial=np.uint64(0)
        )
    hashes = np.stack([plain, rng.permutation(plain)], axis=1)
    expected = {
        (i, j, w)
        for i in range(300)
        for j in range(i + 1, 300)
        for w in range(2)
        if (int(hashes[i, w]) ^ int(plain[j])).bit_count() <= distance
    }
    found = [
        triple
        for block in close_hashes(hashes, distance)
        for triple in zip(*(c.tolist() for c in block), strict=True)
    ]
    assert sorted(found) == sorted(expected)


def test_bits_are_counted():
    values = np.random.default_rng(0).integers(0, 2**64, 1000, dtype=np.uint64)
    assert popcount(values).tolist() == [int(v).bit_count() for v in values]


def test_hashes_are_imagehashs_of_the_turned_picture(tmp_path):
    ground(5).save(tmp_path / "a.png")
    (seen,) = look(tmp_path / "a.png", [None], 192 * 192)
    for way, turn in enumerate(TRANSFORMS):
        picture = ground(5) if turn is None else ground(5).transpose(turn)
        theirs = int(str(imagehash.phash(picture)), 16)
        assert (int(seen.hashes[way]) ^ theirs).bit_count() <= 2  # a resize is not quite symmetric
        small = Image.fromarray(seen.thumbnail)
        assert np.array_equal(
            transformed(seen.thumbnail[None], way)[0],
            np.asarray(small if turn is None else small.transpose(turn)),
        )


def test_windows_of_one_file_that_share_pixels_leak_only_between_splits(tmp_path):
    ground(1, 400).save(tmp_path / "big.png")
    windows = {"a": (0, 0, 200, 200), "b": (150, 0, 350, 200), "c": (200, 200, 400, 400)}
    train = [sample(n, "big.png", 400, windows[n]) for n in "ab"]
    test = [sample("c", "big.png", 400, windows["c"], split="test")]
    assert audited(tmp_path, {"train": train, "test": test}).pairs == ()
    test = [sample("t", "big.png", 400, (300, 100, 400, 300), split="test")]
    audit = audited(tmp_path, {"train": train, "test": test})
    assert [(p.kind, p.detail) for p in audit.pairs] == [
        (
            PairKind.OVERLAP,
            "5,000 px of one file, 25% of the smaller",
        )  # (350 - 300) x (200 - 100) of 100 x 200
    ]
    assert audit.to_drop() == {("made", "train"): ("b",)}


def test_expressions_of_one_image_in_two_splits_are_a_leak_of_the_image(tmp_path):
    ground(1).save(tmp_path / "00001.jpg")
    train = [sample("expression 0", "00001.jpg"), sample("expression 1", "00001.jpg")]
    test = [sample("expression 2", "00001.jpg", split="test")]
    audit = audited(tmp_path, {"train": train, "val": [], "test": test})
    assert [p.kind for p in audit.pairs] == [PairKind.SAME_FILE]
    assert audit.to_drop() == {("made", "train"): ("expression 0", "expression 1")}


def test_names_tell_the_original_where_the_configuration_says_how(tmp_path):
    for seed, name in enumerate(["P0001_01.png", "P0001_07.png", "P0002_01.png", "P0001_09.png"]):
        ground(seed).save(tmp_path / name)
    audit = audited(
        tmp_path,
        {"train": ["P0001_01.png", "P0002_01.png", "P0001_09.png"], "test": ["P0001_07.png"]},
        origin=("dota", r"^(P\d{4})"),
    )
    assert {p.kind for p in audit.pairs} == {PairKind.SAME_ORIGIN}
    assert audit.to_drop() == {("made", "train"): ("train-P0001_01.png", "train-P0001_09.png")}


def test_what_is_dropped_leaves_no_leak(tmp_path):
    for seed in range(6):
        ground(seed).save(tmp_path / f"{seed}.png")
    for seed in (1, 3):
        ground(seed).save(tmp_path / f"again{seed}.jpg", quality=70)
    files = {
        "train": ["0.png", "1.png", "3.png"],
        "val": ["again3.jpg", "4.png"],
        "test": ["again1.jpg", "5.png", "4.png"],
    }
    audit = audited(tmp_path, files)
    drop = audit.to_drop()
    assert drop == {("made", "train"): ("train-1.png", "train-3.png"), ("made", "val"): ("val-4.png",)}
    left = {
        s: [f for f in listed if f"{s}-{f}" not in drop.get(("made", s), ())] for s, listed in files.items()
    }
    assert audited(tmp_path, left).pairs == ()


def test_a_thousand_equal_tiles_are_not_a_million_pairs(tmp_path):
    Image.new("RGB", (64, 64)).save(tmp_path / "black.png")
    for k in range(60):
        shutil.copy(tmp_path / "black.png", tmp_path / f"{k}.png")
    audit = audited(
        tmp_path, {"train": [f"{k}.png" for k in range(50)], "test": [f"{k}.png" for k in range(50, 60)]}
    )
    assert len(audit.pairs) < 120
    assert len(audit.to_drop()["made", "train"]) == 50
    assert audit.table()[("made", "train"), ("made", "test")] == 50
    assert len(audit.plain) == 60


def test_plain_pictures_are_counted_and_not_guessed_about(tmp_path):
    for k in range(4):
        Image.new("RGB", (64, 64), (90 + k, 120, 60)).save(tmp_path / f"{k}.png")
    audit = audited(tmp_path, {"train": ["0.png", "1.png"], "test": ["2.png", "3.png"]})
    assert (audit.pairs, len(audit.plain)) == ((), 4)


def test_a_broken_or_missing_image_is_a_problem_and_the_rest_goes_on(tmp_path):
    ground(1).save(tmp_path / "a.png")
    shutil.copy(tmp_path / "a.png", tmp_path / "b.png")
    (tmp_path / "broken.png").write_bytes((tmp_path / "a.png").read_bytes()[:500])
    audit = audited(tmp_path, {"train": ["a.png", "broken.png"], "test": ["b.png", "gone.png"]})
    assert audit.problems.counts == {"broken image": 1, "no image": 1}
    assert len(audit.leaks()) == 1
    assert len(audit.unread) == 2


def test_looks_are_kept_until_the_file_changes(tmp_path, monkeypatch):
    ground(1).save(tmp_path / "a.png")
    ground(2).save(tmp_path / "b.png")
    files = {"train": ["a.png"], "test": ["b.png"]}
    cache = tmp_path / "cache" / "looks.sqlite"
    first = audited(tmp_path, files, cache)
    opened = []
    from groundproof_training.leakage import audit as module

    def counting(file, windows, pixels):
        opened.append(file.name)
        return look(file, windows, pixels)

    monkeypatch.setattr(module, "look", counting)
    assert audited(tmp_path, files, cache).pairs == first.pairs == ()
    assert opened == []
    ground(1).save(tmp_path / "b.png", compress_level=1)
    assert [p.kind for p in audited(tmp_path, files, cache).pairs] == [PairKind.SAME_PIXELS]
    assert opened == ["b.png"]


def test_a_file_that_is_no_cache_is_said_in_a_sentence(tmp_path):
    (tmp_path / "text.sqlite").write_text("not a database, but longer than a header would be" * 10)
    with pytest.raises(TrainingError, match="cannot be used as the cache"):
        LookCache(tmp_path / "text.sqlite")


def test_table_json_and_page_say_the_same(tmp_path):
    ground(1).save(tmp_path / "<a>.png")
    ground(1).save(tmp_path / "b.jpg", quality=60)
    audit = audited(tmp_path, {"train": ["<a>.png"], "test": ["b.jpg"]})
    found = json.loads(json.dumps(as_json(audit)))
    assert found["train_test_pairs"] == 1
    assert found["table"] == [
        {"of": "made/train", "also_in": "made/test", "pictures": 1},
        {"of": "made/test", "also_in": "made/train", "pictures": 1},
    ]
    lines = table(audit).splitlines()
    assert re.search(r"made/train +\(1\) +1 +\. +1$", lines[1])
    assert "train and test: 1" in lines[3]
    write_html(audit, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert page.count("data:image/jpeg;base64,") == 2
    assert "&lt;a&gt;.png" in page
    assert "<a>.png" not in page
    assert "http" not in page


def test_a_picture_larger_than_pillows_limit_is_looked_at_where_its_reader_took_it(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 192 * 192 // 4)
    ground(1).save(tmp_path / "a.png")
    ground(1).save(tmp_path / "b.png", compress_level=1)
    found = audited(tmp_path, {"train": ["a.png"], "test": ["b.png"]})
    assert [pair.kind for pair in found.pairs] == [PairKind.SAME_PIXELS]
    # One that has grown since is not opened.
    ground(1, side=400).save(tmp_path / "a.png")
    assert len(audited(tmp_path, {"train": ["a.png"], "test": ["b.png"]}).unread) == 1


def test_one_file_reached_through_two_folders_is_one_file(tmp_path):
    (tmp_path / "real").mkdir()
    ground(1).save(tmp_path / "real" / "a.png")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    found = audited(tmp_path, {"train": ["link/a.png"], "test": ["real/../real/a.png"]})
    assert [pair.kind for pair in found.pairs] == [PairKind.SAME_FILE]

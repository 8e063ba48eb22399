"""EarthDial-Instruct: every published record with its truth, and shards written as `datasets` writes them."""

import itertools
import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from shapely.affinity import rotate, scale
from shapely.geometry import Polygon, box

from groundproof.protocol import Task
from groundproof_training.errors import TrainingError
from groundproof_training.readers.base import Options, Problems, WrongFolderError
from groundproof_training.readers.earthdial import EarthDial, EarthDialOptions, samples_of_row, split_of
from groundproof_training.readers.texts import Grid
from groundproof_training.samples import SampleImage, class_name

FIELDS = {"source": "earthdial-instruct", "split": "test", "licence": "test"}
SIZE = (800, 600)


def published(data_dir, name):
    file = next((data_dir / "predictions/earthdial").rglob(f"{name}.jsonl"))
    return [json.loads(line) for line in file.read_text().splitlines()]


def parsed(rows):
    """One sample a row, and what could not be read."""
    problems = Problems()
    samples = []
    for number, row in enumerate(rows):
        dates = row["question"].count("<image>") or 1
        pictures = tuple(SampleImage(path=f"{n}.png", width=SIZE[0], height=SIZE[1]) for n in range(dates))
        fields = {**FIELDS, "sample_id": str(number)}
        samples += list(samples_of_row(row, pictures, fields, Grid(), problems, str(number)))
    return samples, problems


def numbers(text):
    """All numbers of a box text in fives, with another parser than the reader's."""
    found = [int(n) for n in re.findall(r"-?\d+", text)]
    assert len(found) % 5 == 0
    return [tuple(found[i : i + 5]) for i in range(0, len(found), 5)]


def rectangle(x0, y0, x1, y1, angle, sign=1, size=SIZE):
    """A box of the 0 to 100 grid, turned in px of an image of `size` by shapely's own rotation about its centre."""
    # Cut to whole percents, 42 of the 10,571 have no width or height: they are one step wide.
    x1, y1 = x1 + (x0 == x1), y1 + (y0 == y1)
    upright = scale(box(x0, y0, x1, y1), size[0] / 100, size[1] / 100, origin=(0, 0))
    # With y downwards, shapely's positive angle is clockwise on screen.
    return rotate(upright, sign * angle, origin="center")


def shape(b):
    return Polygon(np.reshape(b.quad, (4, 2))) if b.quad else box(*b.xyxy)


@pytest.mark.parametrize(
    ("name", "truth", "n", "n_boxes"),
    [("GeoChat", "gt_bbox", 7593, 10_571), ("xBD_referred_object_detection", "caption0", 25, 25)],
)
def test_every_referring_record_is_read_without_loss(data_dir, name, truth, n, n_boxes):
    rows = published(data_dir, name)
    samples, problems = parsed(rows)
    assert not problems.counts
    assert len(samples) == n
    assert sum(len(s.boxes) for s in samples) == n_boxes
    for number, (row, sample) in enumerate(zip(rows, samples, strict=True)):
        assert sample.task is Task.GROUND
        phrase = " ".join(re.search(r"<ref>(.*?)</ref>", row["question"])[1].split())
        assert sample.boxes[0].phrase == phrase
        assert not re.search(r"<|\\n|\[", sample.question)
        assert {b.image for b in sample.boxes} == {len(sample.images) - 1}
        written = numbers(row[truth])
        assert len(written) == len(sample.boxes)
        if number % 8:
            continue
        for one, found in zip(written, sample.boxes, strict=True):
            expected = rectangle(*one)
            assert shape(found).symmetric_difference(expected).area <= 1e-6 * expected.area + 1e-6
            np.testing.assert_allclose(found.xyxy, expected.bounds, atol=1e-6)
            assert (found.quad is None) == (one[4] == 0)
    labels = Counter(b.label for s in samples for b in s.boxes)
    assert len(labels) < 70
    assert labels["object"] == 0


def test_the_labels_turn_clockwise_on_screen(data_dir):
    """Objects of one group do not lie on each other: the right sign gives less overlap than the other one. This is
    measured for the 217 groups where it matters, taking their images for square (most of GeoChat's sources are cut
    square; at 4:3 it is 192 against 74). EarthDial's evaluator uses the other sign."""
    fewer = Counter()
    for row in published(data_dir, "GeoChat"):
        boxes = numbers(row["gt_bbox"])
        if len(boxes) < 2:
            continue
        overlap = {}
        for sign in (1, -1):
            shapes = [rectangle(*b, sign=sign, size=(100, 100)) for b in boxes]
            overlap[sign] = sum(
                a.intersection(b).area / min(a.area, b.area) for a, b in itertools.combinations(shapes, 2)
            )
        if abs(overlap[1] - overlap[-1]) > 0.05:
            fewer[1 if overlap[1] < overlap[-1] else -1] += 1
    assert (fewer[1], fewer[-1]) == (206, 11)


def test_every_region_is_read_without_loss(data_dir):
    rows = published(data_dir, "NWPU_VHR_10_test")
    samples, problems = parsed(rows)
    assert not problems.counts
    assert len(samples) == 985
    for row, sample in zip(rows, samples, strict=True):
        (written,) = numbers(re.search(r"<box>(.*)</box>", row["question"])[1])
        assert sample.task is Task.REGION_CAPTION
        assert sample.question == "what object is in this location <region:0>"
        assert sample.answer == row["annotation"]
        assert sample.answer != row["answer"] or row["answer"] == row["annotation"]
        np.testing.assert_allclose(sample.regions[0].xyxy, rectangle(*written).bounds, atol=1e-6)
        assert sample.meta["size_group"] == row["size_group"]


def test_every_grounded_description_is_read_without_loss(data_dir):
    rows = published(data_dir, "NWPU_VHR_10")
    rows = [r for r in rows if "obj_ids" in r]
    samples, problems = parsed(rows)
    assert not problems.counts
    assert len(samples) == 25
    for row, sample in zip(rows, samples, strict=True):
        groups = [numbers(group) for group in json.loads(row["obj_ids"])]
        names = json.loads(row["obj_name"])
        assert sample.task is Task.GROUNDED_CAPTION
        expected = [(b, name) for group, name in zip(groups, names, strict=True) for b in group]
        assert len(sample.boxes) == len(expected)
        for (written, name), found in zip(expected, sample.boxes, strict=True):
            np.testing.assert_allclose(found.xyxy, rectangle(*written).bounds, atol=1e-6)
            assert class_name(name).split()[-1] in found.phrase
            assert found.label.split()[0][:4] in found.phrase
        assert re.findall(r"<box:(\d+)>", sample.answer) == [str(n) for n in range(len(expected))]
        assert "[" not in sample.answer
        assert "<" not in sample.captions[0]


@pytest.mark.parametrize(
    ("name", "task", "n", "truth"),
    [
        ("AID", Task.CLASSIFY, 3000, "annotation"),
        ("FMoW", Task.CLASSIFY, 25, "caption0"),
        ("xBD_testset_1", Task.CLASSIFY, 25, "caption0"),
        ("LEVIR_MCI", Task.CHANGE, 25, "caption0"),
        ("RSITMD_Captions", Task.CAPTION, 452, "caption0"),
        ("UCM_captions", Task.CAPTION, 210, "caption0"),
        ("RSVQA_LR", Task.VQA, 10_004, "annotation"),
    ],
)
def test_other_records_are_read_with_their_truth_and_never_a_prediction(data_dir, name, task, n, truth):
    rows = published(data_dir, name)
    assert len(rows) == n
    rows = rows[:: n // 1000 or 1]
    samples, problems = parsed(rows)
    assert not problems.counts
    assert len(samples) == len(rows)
    for row, sample in zip(rows, samples, strict=True):
        assert sample.task is task
        assert not re.search(r"<image>|\\n|\[\w", sample.question)
        if task is Task.CLASSIFY:
            assert class_name(row[truth]).replace(" ", "") == sample.answer.replace(" ", "")
            assert sample.answer in sample.choices or name == "xBD_testset_1"
        else:
            assert sample.answer == " ".join(row[truth].split())
        if row.get("caption4"):
            assert len(sample.captions) == 5
    if name == "RSVQA_LR":
        assert {s.meta["type"] for s in samples} == {"comp", "presence", "count", "rural_urban"}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (
            {
                "question": "[identify] [hr_rgb_temp_0.5] <image> <image> \\n Compare the building at "
                "<box>[[6, 6, 12, 22, 0]]</box> between the pre-disaster and post-disaster images. In the "
                "post-disaster image, classify the level of damage. Classes: no-damage, destroyed, minor-damage, "
                "major-damage."
                '"Answer in single word.',
                "answer": "destroyed", "caption0": "no-damage",
            },
            (Task.CLASSIFY, "no damage", ("no damage", "destroyed", "minor damage", "major damage")),
        ),
        (
            {
                "question": "[grounding] [hr_rgb_temp_0.5] <image> <image> \\n Please describe the damage observed.",
                "caption0": "There has been a flood disaster, however it did not effect the buildings.",
            },
            (Task.CHANGE, "There has been a flood disaster, however it did not effect the buildings.", ()),
        ),
        (
            {
                "question": "[changedet] [hr_rgb_0.5] <image>  <image> \\n are there any semantic change detected?",
                "caption0": '["A road appeared.", "Trees are gone."]',
            },
            (Task.CHANGE, "A road appeared.", ()),
        ),
        (
            {
                "question": " [s2_rgb_10] <image> \\n From the following scene categories, which ones are depicted in "
                "the provided remote sensing image? Beaches, dunes, sands, pastures, coniferous forest. Answer with a "
                "list of classes.",
                "annotation": "pastures, beaches, dunes, sands",
            },
            (Task.CLASSIFY, "pastures, beaches, dunes, sands",
             ("beaches, dunes, sands", "pastures", "coniferous forest")),
        ),
        (
            {"question": "[refer] [hr_rgb_temp_0.5] <image> <image> \\n Locate <ref>buildings</ref>.",
             "caption0": "[[39, 21, 46, 27, 0], [27, 31, 33, 36, 0]]"},
            (Task.GROUND, "", ()),
        ),
    ],
)  # fmt: skip
def test_rows_of_tasks_that_are_not_among_the_files(row, expected):
    (sample,), problems = parsed([row])
    assert not problems.counts
    assert (sample.task, sample.answer, sample.choices) == expected
    if sample.regions:
        assert sample.regions[0].image == 1
    if "which ones" in sample.question:
        assert sample.answers == ("pastures", "beaches, dunes, sands")
    if sample.task is Task.GROUND:
        assert [b.label for b in sample.boxes] == ["building", "building"]


def picture(tmp_path, colour, size=(40, 20)):
    file = tmp_path / "picture.png"
    Image.new("RGB", size, colour).save(file)
    content = file.read_bytes()
    file.unlink()
    return {"bytes": content, "path": None}


def talk(question, answer):
    return json.dumps([{"from": "human", "value": question}, {"from": "gpt", "value": answer}])


@pytest.fixture
def root(tmp_path):
    one, other = picture(tmp_path, "red"), picture(tmp_path, "blue")
    refer = "[refer] [hr_rgb_0.5] <image> \\n Give me the location of <ref>1 ship</ref>"
    train = tmp_path / "GeoChat_TrainFinal_part1"
    train.mkdir()
    table = pa.Table.from_pylist(
        [
            {"jpg": one, "conversations": talk(refer, "[[0, 0, 50, 50, 0]]")},
            {"jpg": one, "conversations": talk(refer, "[[50, 50, 100, 100, 90]]")},
            {
                "jpg": {"bytes": b"no picture", "path": None},
                "conversations": talk(refer, "[[0, 0, 9, 9, 0]]"),
            },
            {"jpg": one, "conversations": "no talk"},
        ]
    )
    with (
        pa.OSFile(str(train / "data-00000-of-00001.arrow"), "wb") as sink,
        pa.ipc.new_stream(sink, table.schema) as out,
    ):
        out.write_table(table)
    test = tmp_path / "xBD/test"
    test.mkdir(parents=True)
    row = {
        "question": "[changedet] [hr_rgb_temp_0.5] <image> <image> \\n What changed?",
        "groundtruth": '"a road"',
    }
    pq.write_table(pa.Table.from_pylist([{"jpg_A": one, "jpg_B": other, **row}]), test / "x.parquet")
    Image.new("RGB", (40, 20)).save(tmp_path / "a.png")
    lines = [
        {
            "image": "a.png",
            "question": "[caption] <image> \\n Describe it.",
            "groundtruth0": "A .",
            "groundtruth1": "B .",
        }
    ]
    (tmp_path / "FMoW_Valid.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return tmp_path


def read(root, split="train", **options):
    problems = Problems()
    return list(EarthDial().read(root, split, EarthDialOptions(**options), problems)), problems


def test_arrow_shards_with_pictures_inside(root):
    samples, problems = read(root)
    assert problems.counts == {"broken image": 1, "broken label": 1}
    assert [s.boxes[0].xyxy for s in samples] == [(0, 0, 20, 10), pytest.approx((25, 5, 35, 25))]
    (path,) = {s.images[0].path for s in samples}
    assert path.startswith("groundproof-pictures/")
    assert Image.open(root / path).getpixel((0, 0)) == (255, 0, 0)
    assert read(root)[0] == samples
    assert not list(root.rglob("*.part"))


def test_parquet_with_two_dates_and_lines_with_a_path(root):
    (change,), _ = read(root, "test")
    assert (change.task, change.answer, len(change.images)) == (Task.CHANGE, "a road", 2)
    assert change.images[0].sha256 != change.images[1].sha256
    (caption,), _ = read(root, "val")
    assert (caption.captions, caption.images[0].path) == (("A .", "B ."), "a.png")


def test_shards_can_be_chosen_and_the_sign_turned(root):
    assert len(read(root, include="GeoChat*/*")[0]) == 2
    with pytest.raises(WrongFolderError, match="a shard"):
        read(root, include="nothing/*")
    assert read(root, clockwise=False)[0][1].boxes[0].xyxy == pytest.approx((25, 5, 35, 25))


def test_arrow_files_and_broken_shards(root, tmp_path):
    shard = root / "GeoChat_TrainFinal_part1/data-00000-of-00001.arrow"
    table = pa.ipc.open_stream(pa.memory_map(str(shard))).read_all()
    other = tmp_path / "GeoChat_TrainFinal_part1/data-00001.arrow"
    with pa.OSFile(str(other), "wb") as sink, pa.ipc.new_file(sink, table.schema) as out:
        out.write_table(table.slice(0, 1))
    (root / "GeoChat_TrainFinal_part1/data-00002.arrow").write_bytes(shard.read_bytes()[:300])
    (root / "broken_train.parquet").write_bytes(b"PAR1 and no more")
    samples, problems = read(root)
    assert len(samples) == 3
    assert problems.counts["broken file"] == 2


def test_a_folder_that_cannot_be_written_to_is_said(root):
    (root / "groundproof-pictures").write_text("a file where the folder should be")
    with pytest.raises(TrainingError, match="option `pictures`"):
        read(root)


def test_rows_without_truth_or_picture_are_counted(tmp_path):
    rows = [
        {"image": "a.png", "question": "What?", "answer": "a prediction alone"},
        {"question": "What?", "groundtruth": "x"},
        {"image": "a.png", "groundtruth": "x"},
        {"image": 7, "question": "What?", "groundtruth": "x"},
    ]
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    (tmp_path / "x.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    samples, problems = read(tmp_path)
    assert not samples
    assert problems.counts == {"broken label": 2, "no image": 2}


def test_a_wrong_folder_is_told_what_was_expected(tmp_path):
    for folder in (tmp_path, tmp_path / "gone"):
        with pytest.raises(WrongFolderError, match=r"a shard \(data-"):
            EarthDial().read(folder, "train", Options(), Problems())


@pytest.mark.parametrize(
    ("path", "split"),
    [
        ("Naval_ships/data-00000.arrow", "train"),
        ("medieval/train-1.parquet", "train"),
        ("contest_images/data.arrow", "train"),
        ("xBD_TestSet/data.arrow", "test"),
        ("fmow/testing/data.arrow", "test"),
        ("LRBEN_val/data.arrow", "val"),
        ("Validation/data.arrow", "val"),
        ("val(id)/data.arrow", "val"),
    ],
)
def test_words_of_a_path_tell_the_split(path, split):
    assert split_of(Path(path)) == split

"""Referring sets: the real DIOR-RSVG lists with XML files we write, and RRSIS-D with a pickle we write."""

import json
import pickle

import pytest
from PIL import Image

from groundproof.protocol import Task
from groundproof_training.errors import TrainingError
from groundproof_training.readers import referring, rrsisd
from groundproof_training.readers.base import Options, Problems, WrongFolderError
from groundproof_training.readers.referring import ReferringOptions
from groundproof_training.readers.rrsisd import RrsisOptions, load_plain_pickle

BY_NAME = {one.card.name: one for one in (*referring.READERS, *rrsisd.READERS)}
N_OBJECTS = 38_320


def xml(name, boxes, size=800):
    objects = "".join(
        f"<object><name>{label}</name><pose>Unspecified</pose><bndbox><xmin>{x0}</xmin><ymin>{y0}</ymin><xmax>{x1}</xmax>"
        f"<ymax>{y1}</ymax></bndbox><description>{words}</description></object>"
        for label, (x0, y0, x1, y1), words in boxes
    )
    head = f"<filename>{name}</filename><size><width>{size}</width><height>{size}</height></size>"
    return f"<annotation>{head}{objects}</annotation>"


def write(root, files, lists):
    (root / "Annotations").mkdir()
    for stem, boxes in files.items():
        (root / f"Annotations/{stem}.xml").write_text(xml(f"{stem}.jpg", boxes))
    for split in ("train", "val", "test"):
        (root / f"{split}.txt").write_text("".join(f"{n}\n" for n in lists.get(split, ())))


def numbered(first, count):
    return [
        ("vehicle", (n % 700, 5, n % 700 + 10, 25), f"The vehicle number {n}")
        for n in range(first, first + count)
    ]


def read(root, split="train", name="dior-rsvg", options=None):
    problems = Problems()
    return list(BY_NAME[name].read(root, split, options or Options(need_images=False), problems)), problems


def test_the_official_lists_name_objects_and_cover_all_of_them(tmp_path, data_dir):
    """With files we write: 40 objects each, so that a list read as image numbers would run out after 958."""
    for split in ("train", "val", "test"):
        (tmp_path / f"{split}.txt").symlink_to(data_dir / f"labels/dior_rsvg/{split}.txt")
    (tmp_path / "Annotations").mkdir()
    for file in range(N_OBJECTS // 40):
        name = f"{file:05}"
        (tmp_path / f"Annotations/{name}.xml").write_text(xml(f"{name}.jpg", numbered(file * 40, 40)))
    numbers = []
    for split, expected in (("train", 26_991), ("val", 3_829), ("test", 7_500)):
        samples, problems = read(tmp_path, split)
        assert len(samples) == expected == BY_NAME["dior-rsvg"].card.counts[split]
        assert not problems.counts
        official = [int(n) for n in (data_dir / f"labels/dior_rsvg/{split}.txt").read_text().split()]
        # The object's own words carry its number: the n-th object of the sorted files is the one the list names.
        assert sorted(int(s.question.split()[-1]) for s in samples) == sorted(official)
        numbers += official
    assert sorted(numbers) == list(range(N_OBJECTS))


def test_an_object_number_is_not_an_image_number(tmp_path):
    files = {"00002": numbered(0, 3), "00010": numbered(3, 1), "00011": numbered(4, 2)}
    write(tmp_path, files, {"train": [0, 3, 5], "test": [1, 2], "val": [4]})
    train, _ = read(tmp_path)
    assert [(s.images[0].path, s.question) for s in train] == [
        ("JPEGImages/00002.jpg", "The vehicle number 0"),
        ("JPEGImages/00010.jpg", "The vehicle number 3"),
        ("JPEGImages/00011.jpg", "The vehicle number 5"),
    ]
    sample = train[0]
    assert sample.task is Task.GROUND
    assert sample.asked == ("vehicle",)
    assert sample.boxes[0].xyxy == (0, 5, 10, 25)
    assert sample.boxes[0].phrase == sample.question


def test_the_official_split_leaks_images_and_ours_does_not(tmp_path):
    files = {"00002": numbered(0, 3), "00010": numbered(3, 1), "00011": numbered(4, 2)}
    write(tmp_path, files, {"train": [0, 3, 5], "test": [1, 2], "val": [4]})

    def images(split, **options):
        samples, _ = read(tmp_path, split, options=ReferringOptions(need_images=False, **options))
        return {s.images[0].path for s in samples}

    assert images("train") & images("test") == {"JPEGImages/00002.jpg"}
    ours = {split: images(split, image_level_split=True) for split in ("train", "val", "test")}
    assert ours == {
        "train": {"JPEGImages/00010.jpg"}, "val": {"JPEGImages/00011.jpg"}, "test": {"JPEGImages/00002.jpg"},
    }  # fmt: skip


def test_missing_files_are_refused_because_every_number_would_lie(tmp_path):
    write(tmp_path, {"00002": numbered(0, 3)}, {"train": [0, 7]})
    with pytest.raises(WrongFolderError, match="the lists name object 7, the files hold 3 objects"):
        read(tmp_path)
    (tmp_path / "Annotations/00003.xml").write_text("<annotation><object>")
    with pytest.raises(WrongFolderError, match=r"a readable 00003\.xml"):
        read(tmp_path)


def test_lists_of_names_are_refused(tmp_path):
    write(tmp_path, {"00002": numbered(0, 1)}, {"train": ["00002.jpg"]})
    with pytest.raises(WrongFolderError, match="object numbers"):
        read(tmp_path)


def test_broken_objects_keep_their_numbers_and_are_counted(tmp_path):
    boxes = [("ship", (9, 9, 9, 20), "thin"), ("ship", (1, 1, 5, 5), ""), ("ship", (900, 1, 950, 5), "outside"),
             ("ship", ("x", 1, 5, 5), "no number"), ("tennis-court", (1, 2, 3, 4), "right")]  # fmt: skip
    write(tmp_path, {"1": [*boxes, *numbered(5, 1)]}, {"train": range(5)})
    samples, problems = read(tmp_path)
    assert [(s.sample_id, s.asked) for s in samples] == [("dior-rsvg/000004", ("tennis court",))]
    assert problems.counts == {"empty box": 1, "broken label": 2, "box outside": 1, "object in no split": 1}


def test_images_are_looked_at_once(tmp_path):
    write(tmp_path, {"1": numbered(0, 2), "2": numbered(2, 1)}, {"train": range(3)})
    (tmp_path / "JPEGImages").mkdir()
    Image.new("RGB", (800, 800)).save(tmp_path / "JPEGImages/1.jpg")
    samples, problems = read(tmp_path, options=Options())
    assert len(samples) == 2
    assert samples[0].images[0].sha256
    assert problems.counts == {"no image": 1, "sample without its image": 1}


@pytest.mark.parametrize("name", ["dior-rsvg", "opt-rsvg", "rsvg", "rrsis-d"])
def test_a_wrong_folder_is_told_what_was_expected(tmp_path, name):
    with pytest.raises(WrongFolderError, match=r"Expected:[\s\S]+Found: an empty folder"):
        BY_NAME[name].read(tmp_path, "train", Options(), Problems())


def refer(root, protocol=2):
    (root / "rrsisd").mkdir(parents=True)
    reference = {
        "ref_id": 4, "ann_id": 11, "image_id": 7, "category_id": 3, "file_name": "00007.jpg", "split": "train",
        "sent_ids": [0], "sentences": [{"sent_id": 0, "raw": "A ship in the  harbor", "tokens": ["a", "ship"],
                                        "sent": "a ship in the harbor"}],
    }  # fmt: skip
    lost = {**reference, "ref_id": 5, "ann_id": 99}
    other = {**reference, "ref_id": 6, "split": "test"}
    (root / "rrsisd/refs(unc).p").write_bytes(pickle.dumps([reference, lost, other], protocol=protocol))
    content = {
        "images": [{"id": 7, "file_name": "00007.jpg", "width": 800, "height": 800}],
        "annotations": [{"id": 11, "image_id": 7, "category_id": 3, "bbox": [600, 10, 150, 20]}],
        "categories": [{"id": 3, "name": "storagetank"}],
    }
    (root / "rrsisd/instances.json").write_text(json.dumps(content))


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_rrsis_d_boxes_are_those_of_its_instances(tmp_path, protocol):
    refer(tmp_path, protocol)
    samples, problems = read(tmp_path, "train", "rrsis-d")
    assert [(s.question, s.boxes[0].xyxy, s.boxes[0].phrase) for s in samples] == [
        ("A ship in the harbor", (600, 10, 750, 30), "A ship in the harbor")
    ]
    assert samples[0].asked == ("storage tank",)
    assert problems.counts == {"broken label": 1}


def test_rrsis_d_boxes_of_another_form_are_noticed(tmp_path):
    refer(tmp_path)
    file = tmp_path / "rrsisd/instances.json"
    file.write_text(file.read_text().replace("[600, 10, 150, 20]", "[600, 10, 750, 30]"))
    samples, problems = read(tmp_path, "train", "rrsis-d")
    assert not samples
    assert "the option `bbox`" in problems.examples["box outside"][0]
    samples, _ = read(tmp_path, "train", "rrsis-d", RrsisOptions(need_images=False, bbox="xyxy"))
    assert samples[0].boxes[0].xyxy == (600, 10, 750, 30)


class Evil:
    """Would make a file when it is opened."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_pickle_that_runs_something_is_not_opened(tmp_path, protocol):
    refer(tmp_path)
    file = tmp_path / "rrsisd/refs(unc).p"
    file.write_bytes(pickle.dumps([Evil(tmp_path / "evil")], protocol=protocol))
    with pytest.raises(TrainingError, match="asks for"):
        read(tmp_path, "train", "rrsis-d")
    assert not (tmp_path / "evil").exists()
    for nonsense in (b"", b"nonsense", b"\x80\x04.", b"I1\nI2\nR.", b"]K\x01s."):
        file.write_bytes(nonsense)
        with pytest.raises(TrainingError, match="not a pickle of plain data"):
            load_plain_pickle(file)


def test_broken_rows_of_rrsis_d_are_counted_and_the_others_read(tmp_path):
    refer(tmp_path)
    file = tmp_path / "rrsisd/instances.json"
    content = json.loads(file.read_text())
    content["images"].append("no row")
    content["annotations"].append({"bbox": [1, 2, 3, 4]})
    content["categories"].append({"name": "no id"})
    file.write_text(json.dumps(content))
    samples, problems = read(tmp_path, "train", "rrsis-d")
    assert len(samples) == 1
    assert problems.counts["broken label"] == 1 + 3
    for box, kind in (
        ([None, 1, 2, 3], "broken label"),
        ([-40, 10, 150, 20], "box outside"),
        ([1, 2, 0, 4], "empty box"),
    ):
        file.write_text(json.dumps(content).replace("[600, 10, 150, 20]", json.dumps(box)))
        samples, problems = read(tmp_path, "train", "rrsis-d")
        assert (samples, problems.counts[kind]) == ([], 1 + 4 * (kind == "broken label"))

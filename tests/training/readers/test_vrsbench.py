"""VRSBench in the forms DATASETS.md A1 and A18 note."""

import json

import pytest
from PIL import Image

from groundproof.protocol import Task
from groundproof_training.errors import TrainingError
from groundproof_training.readers.base import Options, Problems, WrongFolderError
from groundproof_training.readers.vrsbench import VrsBench, VrsBenchOptions

SENTENCE = "The small vehicle at the bottom of the parking lot."
CORNERS = [0.40, 0.52, 0.58, 0.52, 0.59, 0.73, 0.39, 0.74]
VAL_CORNERS = [0.10, 0.10, 0.20, 0.10, 0.20, 0.30, 0.10, 0.30]


def record(question, answer, image="P1427_0151.png"):
    turns = [{"from": "human", "value": f"<image>\n{question}"}, {"from": "gpt", "value": answer}]
    return {"image": image, "conversations": turns}


def refer(sentence, answer, **more):
    return record(f"[refer] give me the location of <p>{sentence}</p>", answer, **more)


TRAIN = [
    record("[vqa] How many ships are there? A short answer to the question is", "2"),
    refer(SENTENCE, "{<39><51><59><73>}"),
    record(
        "[caption] Could you describe the contents of this image for me?", "The image shows a parking lot."
    ),
    refer("The tiny car.", "{<10><10><10><12>}"),
    refer("The car nobody drew.", "nowhere"),
    refer("The reversed car.", "{<50><50><40><60>}"),
    record("what is this?", "untagged"),
    record("[vqa] Is it day? A short answer to the question is", "yes", image="missing.png"),
]


@pytest.fixture
def root(tmp_path):
    for folder, name in (("Images_train/Images_train", "P1427_0151.png"), ("Images_val", "P0003_0002.png")):
        (tmp_path / folder).mkdir(parents=True)
        Image.new("RGB", (512, 512)).save(tmp_path / folder / name)
    (tmp_path / "VRSBench_train.json").write_text(json.dumps(TRAIN))
    (tmp_path / "Annotations_train").mkdir()
    objects = [
        {"obj_id": 0, "referring_sentence": SENTENCE, "obj_cls": "small-vehicle", "obj_corner": CORNERS}
    ]
    note = {"caption": "x", "objects": objects, "qa_pairs": [], "image": "P1427_0151.png"}
    (tmp_path / "Annotations_train/P1427_0151.json").write_text(json.dumps(note))
    question = {"image_id": "P0003_0002.png", "question_id": 7}
    evaluations = {
        "vqa": [{**question, "question": "Is this area rural?", "ground_truth": "No", "type": "rural or urban"}],
        "referring": [{
            **question, "question": "The large ship in the dock.", "ground_truth": "{<10><10><20><30>}", "type": "ref",
            "dataset": "RSBench", "unique": True, "obj_corner": VAL_CORNERS, "obj_cls": "ship", "obj_ids": [0],
            "size_group": "small",
        }],
        "Cap": [{**question, "question": "Describe the image in detail", "ground_truth": "A dock ."}],
    }  # fmt: skip
    for kind, rows in evaluations.items():
        (tmp_path / f"VRSBench_EVAL_{kind}.json").write_text(json.dumps(rows))
    return tmp_path


def read(root, split="train", **options):
    problems = Problems()
    return list(VrsBench().read(root, split, VrsBenchOptions(**options), problems)), problems


def test_train_records_become_questions_references_and_captions(root):
    (vqa, first, caption, tiny), problems = read(root)
    assert (vqa.task, vqa.question, vqa.answer) == (Task.VQA, "How many ships are there?", "2")
    assert (caption.task, caption.captions) == (Task.CAPTION, ("The image shows a parking lot.",))
    assert first.task is Task.GROUND
    assert first.question == f"give me the location of {SENTENCE}"
    assert first.boxes[0].xyxy == pytest.approx((39 * 5.12, 51 * 5.12, 59 * 5.12, 73 * 5.12))
    assert first.asked == ("small vehicle",)  # from the annotation file
    assert first.boxes[0].phrase == SENTENCE
    assert "up to 1 %" in first.meta["box"]
    assert tiny.boxes[0].xyxy == pytest.approx((51.2, 51.2, 56.32, 61.44))  # x1 == x2 in the text
    assert tiny.asked == ("car",)  # by its words
    assert problems.counts == {
        "no box": 1, "broken box": 1, "broken label": 1, "no image": 1, "sample without its image": 1,
    }  # fmt: skip


def test_corners_of_the_annotations_on_request(root):
    samples, _ = read(root, boxes="corners", kinds=("refer",))
    box = samples[0].boxes[0]
    assert box.quad == pytest.approx([v * 512 for v in CORNERS])
    assert box.xyxy == pytest.approx((0.39 * 512, 0.52 * 512, 0.59 * 512, 0.74 * 512))
    assert samples[0].meta["box"] == "corners"
    # Cut down by less than one percent of the side.
    published = read(root, kinds=("refer",))[0][0].boxes[0]
    assert all(abs(a - b) <= 5.12 + 1e-9 for a, b in zip(published.xyxy, box.xyxy, strict=True))


def test_the_evaluation_files_are_the_test(root):
    (vqa, reference, caption), problems = read(root, "test")
    assert not problems.counts
    assert (vqa.answer, vqa.meta["type"], vqa.meta["scored_as"]) == ("No", "rural or urban", "scene type")
    assert reference.question == "give me the location of The large ship in the dock."
    assert reference.boxes[0].xyxy == pytest.approx((51.2, 51.2, 102.4, 153.6))
    assert (reference.meta["unique"], reference.meta["size_group"], reference.asked) == (
        "yes",
        "small",
        ("ship",),
    )
    assert caption.captions == ("A dock .",)
    assert {s.split for s in (vqa, reference, caption)} == {"test"}
    assert [s.task for s in read(root, "test", kinds=("caption",))[0]] == [Task.CAPTION]


def test_ids_are_unique_and_the_same_every_time(root):
    ids = [s.sample_id for split in ("train", "test") for s in read(root, split)[0]]
    assert len(set(ids)) == len(ids)
    assert ids == [s.sample_id for split in ("train", "test") for s in read(root, split)[0]]


def test_labels_are_read_alone_where_no_image_is_needed(root):
    samples, problems = read(root, need_images=False)
    assert len(samples) == 5
    assert samples[-1].images[0].sha256 is None
    assert "no image" not in problems.counts


def test_a_wrong_folder_and_a_wrong_split_are_told(tmp_path):
    with pytest.raises(WrongFolderError, match=r"VRSBench_train\.json is not there"):
        VrsBench().read(tmp_path, "train", Options(), Problems())
    with pytest.raises(WrongFolderError, match="VRSBench_EVAL_vqa"):
        VrsBench().read(tmp_path, "test", Options(), Problems())
    with pytest.raises(TrainingError, match="has no split 'val'; it has train, test"):
        VrsBench().read(tmp_path, "val", Options(), Problems())

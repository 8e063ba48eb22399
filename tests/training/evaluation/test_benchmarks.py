"""GeoVLM-R1's entries read EarthDial's shards: the right ones, as the right task, with the prompt as published."""

import json

import pytest
from PIL import Image

from groundproof.protocol import Task
from groundproof_training.evaluation.benchmarks import benchmarks
from groundproof_training.evaluation.cases import Family

PAIR = "[hr_rgb_temp_0.5] <image> <image> \\n "
XBD = "Temporal/Disaster_Shards/xBD/test"
DAMAGE = (
    "Compare the building at <box>[[6, 6, 12, 22, 0]]</box> between the pre-disaster and post-disaster images. In the "
    "post-disaster image, classify the level of damage. Classes: no-damage, destroyed, minor-damage, major-damage."
    '"Answer in single word.'
)
YES_NO = (
    "Is this building at <box>[[56, 5, 58, 7, 0]]</box> affected due to disaster? Please answer yes or no."
)
MANY = "How many building are affected? Please answer none, one, two or many."
KIND = "Analyze the images to identify the type of disaster that occurred. Options:  volcano, fire, earthquake, flood."
TURNED = "describe this object in <box>[[87, 34, 91, 35, 90]]</box>"

# entry, shard, tags, question, truth, images; then task, family, part of the published prompt, truth as text
SHARDS = [
    (
        "xbd-image-classification-1",
        f"{XBD}/xBD_testset_1",
        f"[changedet] {PAIR}",
        KIND,
        {"groundtruth": "flood"},
        2,
        Task.CLASSIFY,
        Family.CLASSIFICATION,
        "[changedet] [hr_rgb_temp_0.5] Analyze the images",
        "flood",
    ),
    (
        "xbd-image-classification-2",
        f"{XBD}/xBD_testset_2",
        f" {PAIR}",
        "Are any buildings affected?",
        {"groundtruth": "no"},
        2,
        Task.VQA,
        Family.VQA,
        "[hr_rgb_temp_0.5] Are any",
        "no",
    ),
    (
        "xbd-image-classification-3",
        f"{XBD}/xBD_testset_3",
        f" {PAIR}",
        MANY,
        {"groundtruth": "none"},
        2,
        Task.CLASSIFY,
        Family.CLASSIFICATION,
        "[hr_rgb_temp_0.5] How many",
        "none",
    ),
    (
        "xbd-region-classification-1",
        f"{XBD}/xBD_reg_cls_testset_1",
        f"[identify] {PAIR}",
        DAMAGE,
        {"groundtruth": "destroyed"},
        2,
        Task.CLASSIFY,
        Family.CLASSIFICATION,
        "[identify] [hr_rgb_temp_0.5] Compare the building at <box>[[6, 6, 12, 22, 0]]</box> between",
        "destroyed",
    ),
    (
        "xbd-region-classification-2",
        f"{XBD}/xBD_reg_cls_testset_2",
        f"[identify] {PAIR}",
        YES_NO,
        {"groundtruth": "yes"},
        2,
        Task.VQA,
        Family.VQA,
        "at <box>[[56, 5, 58, 7, 0]]</box> affected",
        "yes",
    ),
    (
        "xbd-caption",
        f"{XBD}/xBD_test_image_captioning",
        f"[grounding] {PAIR}",
        "Please describe the damage.",
        {"groundtruth": "There has been a flood."},
        2,
        Task.CHANGE,
        Family.CAPTIONING,
        "[grounding]",
        "There has been a flood.",
    ),
    (
        "xbd-detection",
        f"{XBD}/xBD_object_detection",
        f"[refer] {PAIR}",
        "Locate all large <ref>buildings</ref>.",
        {"groundtruth": "[[31, 30, 37, 37, 0]][[43, 21, 46, 27, 0]]"},
        2,
        Task.GROUND,
        Family.DETECTION,
        "[refer] [hr_rgb_temp_0.5] Locate all large <ref>buildings</ref>.",
        "",
    ),
    (
        "referred-detection-geochat",
        "GeoChat_Bench/refer",
        "[refer] [hr_rgb_0.5] <image> \n ",
        "Give me the location of <ref>1 large excavator</ref>",
        {"gt_bbox": "[[78, 62, 84, 64, 82]]", "size_group": "small"},
        1,
        Task.GROUND,
        Family.DETECTION,
        "[refer] [hr_rgb_0.5] Give me the location of <ref>1 large excavator</ref>",
        "",
    ),
    (
        "region-caption-geochat",
        "GeoChat_Bench/identify",
        " [identify] [hr_rgb_0.5] <image> \\n ",
        TURNED,
        {"annotation": "small ship"},
        1,
        Task.REGION_CAPTION,
        Family.CAPTIONING,
        "[identify] [hr_rgb_0.5] describe this object in <box>[[87, 34, 91, 35, 90]]</box>",
        "small ship",
    ),
    (
        "vqa-rsvqa-lr",
        "GeoChat_Bench/RSVQA_LR",
        "[hr_rgb_0.5] <image>\\n ",
        "Is there a grass area? Answer the question using a single word.",
        {"annotation": "yes", "vqa_type": "presence"},
        1,
        Task.VQA,
        Family.VQA,
        "[hr_rgb_0.5] Is there a grass area? Answer the question using a single word.",
        "yes",
    ),
    (
        "classification-fmow",
        "Temporal/FMoW_RGB_Valid",
        PAIR,
        "Classify the given images in one of the following classes. Classes:  smokestack, zoo. ",
        {"groundtruth": "zoo"},
        2,
        Task.CLASSIFY,
        Family.CLASSIFICATION,
        "[hr_rgb_temp_0.5] Classify the given images",
        "zoo",
    ),
]


def shard(root, path, rows, images):
    folder = root / path
    folder.mkdir(parents=True)
    names = [f"{path}/{n}.png" for n in range(images)]
    for name in names:
        Image.new("RGB", (100, 100)).save(root / name)
    lines = (json.dumps({"image": names, **row}) + "\n" for row in rows)
    (folder / "data-00000.jsonl").write_text("".join(lines))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    for _, path, tags, question, truth, images, *_ in SHARDS:
        shard(root / "EarthDial", path, [{"question": tags + question, **truth}], images)
    return root


@pytest.mark.parametrize(
    ("name", "path", "task", "family", "prompt", "truth"),
    [(s[0], s[1], *s[6:]) for s in SHARDS],
    ids=[s[0] for s in SHARDS],
)
def test_shards_are_found_and_asked_as_their_benchmark(data, name, path, task, family, prompt, truth):
    (one,) = (b for b in benchmarks("geovlm-r1", "published") if b.name == name)
    (question,) = one.read(data, None).questions
    assert question.sample.meta["shard"] == f"{path}/data-00000"
    assert (question.sample.task, question.family) == (task, family)
    assert prompt in question.text
    assert question.text.count("[hr_rgb") == 1
    if truth:
        assert truth in (*question.sample.answers, *question.sample.captions, question.sample.answer)
    else:
        assert question.sample.boxes
    assert all(picture.shape == (100, 100, 3) for picture in question.pictures())


def test_the_engines_own_prompt_is_the_default(data):
    (one,) = (b for b in benchmarks("geovlm-r1") if b.name == "vqa-rsvqa-lr")
    assert one.read(data, None).questions[0].text is None


def test_counts_are_left_out_of_rsvqa(tmp_path):
    rows = [
        {"question": f"[hr_rgb_0.5] <image> \\n Number {n}?", "annotation": "yes", "vqa_type": kind}
        for n, kind in enumerate(("count", "presence", "comp", "count"))
    ]
    shard(tmp_path / "EarthDial", "GeoChat_Bench/RSVQA_LR", rows, 1)
    (one,) = (b for b in benchmarks("geovlm-r1") if b.name == "vqa-rsvqa-lr")
    assert [q.sample.meta["type"] for q in one.read(tmp_path, None).questions] == ["presence", "comp"]


def test_the_public_set_is_read_where_the_shards_are_not_there(tmp_path):
    rows = [{"filename": "0.tif", "imgid": 0, "split": "test", "sentences": [{"raw": "a ship ."}]}]
    (tmp_path / "RSITMD" / "images").mkdir(parents=True)
    Image.new("RGB", (64, 64)).save(tmp_path / "RSITMD" / "images" / "0.tif")
    (tmp_path / "RSITMD" / "dataset_RSITMD.json").write_text(json.dumps({"images": rows}))
    (one,) = (b for b in benchmarks("geovlm-r1", "published") if b.name == "image-caption-rsitmd")
    read = one.read(tmp_path, None)
    assert read.facts["reader"] == "rsitmd"
    assert read.questions[0].text.startswith("[caption] [hr_rgb_0.5] Could you please provide the caption")

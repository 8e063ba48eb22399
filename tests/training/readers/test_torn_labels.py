"""Labels of every form, torn and mixed up at random: a reader counts what it cannot use, or says one sentence. It never
ends in anything else, because a long run must not."""

import json
import pickle
import random
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from groundproof_training.errors import TrainingError
from groundproof_training.readers.base import Problems
from groundproof_training.readers.registry import reader

from . import test_coco_yolo, test_object_sets, test_referring
from .folders import picture, write

MUTATIONS = 60
JUNK = (
    None,
    "",
    "x",
    -1,
    0,
    float("inf"),
    float("nan"),
    [],
    {},
    [1, 2],
    {"a": 1},
    "9" * 50,
    True,
    -5.5,
    "\U0001f600",
)
BYTES = (b"nan", b"inf", b"-1", b"\n", b"\xff\xfe", b"9" * 20, b"<", b",", b"\0", b'"')
LABELS = (".json", ".jsonl", ".xml", ".txt", ".csv", ".yaml", ".geojson", ".p")
WHOLE = {"val_share": 0.0, "test_share": 0.0}

KARPATHY = {
    "dataset": "rsicd",
    "images": [
        {"filename": f"a_{k}.jpg", "imgid": k, "split": "train", "sentids": [k],
         "sentences": [{"raw": "a plane .", "tokens": ["a", "plane"], "imgid": k, "sentid": k}]}
        for k in range(3)
    ],
}  # fmt: skip
NWPU = {
    "airplane": [{"filename": "airplane_001.jpg", "split": "train", "imgid": 0, "raw": "a", "raw_1": "b"}]
}
TALK = [
    {"id": "1", "image": "a.png", "conversations": [
        {"from": "human", "value": "<image>\n[refer] give me the location of <p>2 planes</p>"},
        {"from": "gpt", "value": "{<8><82><16><90>|<69>}{<10><20><30><40>|<0>}"}]},
    {"id": "2", "image": ["a.png"], "conversations": [
        {"from": "human", "value": "<image>\n[identify] {<1><2><30><40>|<5>}"}, {"from": "gpt", "value": "a plane"}]},
]  # fmt: skip
RSVQA = {
    "images": [{"id": 0, "active": True, "questions_ids": [0]}],
    "questions": [
        {"id": 0, "img_id": 0, "type": "count", "question": "How many?", "answers_ids": [0], "active": True}
    ],
    "answers": [{"id": 0, "question_id": 0, "answer": "427", "active": True}],
}
FMOW = {"timestamp": "2016-01-01T00:00:00Z", "img_width": 100, "img_height": 80,
        "bounding_boxes": [{"ID": 1, "category": "airport", "box": [10, 10, 40, 30]}]}  # fmt: skip
VRS = [
    {"image": "P1.png", "conversations": [
        {"from": "human", "value": "<image>\n[refer] give me the location of <p>the ship</p>"},
        {"from": "gpt", "value": "{<39><51><59><73>}"}]},
    {"image": "P1.png", "conversations": [
        {"from": "human", "value": "<image>\n[vqa] What is it? A short answer to the question is"},
        {"from": "gpt", "value": "a ship"}]},
]  # fmt: skip
VRS_NOTE = {"objects": [{"referring_sentence": "the ship", "obj_cls": "ship",
                         "obj_corner": [0.4, 0.5, 0.6, 0.5, 0.6, 0.7, 0.4, 0.7]}]}  # fmt: skip
VOC = (
    "<annotation><filename>a.jpg</filename><size><width>100</width><height>80</height></size>"
    "<object><name>ship</name><difficult>0</difficult><bndbox><xmin>5</xmin><ymin>6</ymin><xmax>30</xmax>"
    "<ymax>40</ymax></bndbox></object></annotation>"
)


def _json(path: Path, content: object) -> None:
    write(path, json.dumps(content))


def _captions(root: Path) -> None:
    _json(root / "dataset_rsicd.json", KARPATHY)
    for k in range(3):
        picture(root / "RSICD_images" / f"a_{k}.jpg")


def _levir(root: Path) -> None:
    rows = [
        {
            "filename": "train_1.png",
            "split": "train",
            "changeflag": 1,
            "sentences": [{"raw": "a house is built"}],
        }
    ]
    _json(root / "LevirCCcaptions.json", {"images": rows * 2})
    for date in "AB":
        picture(root / "images" / "train" / date / "train_1.png")


def _nwpu(root: Path) -> None:
    _json(root / "dataset_nwpu.json", NWPU)
    picture(root / "airplane" / "airplane_001.jpg")


def _geochat(root: Path) -> None:
    _json(root / "GeoChat_Instruct.json", TALK)
    picture(root / "images" / "a.png")


def _rsvqa(root: Path) -> None:
    for part, rows in RSVQA.items():
        _json(root / f"LR_split_train_{part}.json", {part: rows})
    picture(root / "Images_LR" / "0.tif")


def _earthdial(root: Path) -> None:
    row = {
        "question": "[refer] <image> \\n Where is <ref>1 ship</ref>",
        "gt_bbox": "[[1, 2, 30, 40, 5]]",
        "image": "a.png",
    }
    write(root / "train.jsonl", "\n".join(json.dumps(row) for _ in range(3)))
    picture(root / "a.png")


def _fmow(root: Path) -> None:
    for k in range(2):
        folder = root / "train" / "airport" / "airport_1"
        _json(folder / f"airport_1_{k}_rgb.json", FMOW)
        picture(folder / f"airport_1_{k}_rgb.jpg")


def _vrsbench(root: Path) -> None:
    _json(root / "VRSBench_train.json", VRS)
    _json(root / "Annotations_train" / "P1.json", VRS_NOTE)
    (root / "Images_train").mkdir()
    Image.new("RGB", (512, 512)).save(root / "Images_train" / "P1.png")


def _voc(root: Path) -> None:
    write(root / "Annotations" / "a.xml", VOC)
    for split in ("train", "val", "test"):
        write(root / "ImageSets" / "Main" / f"{split}.txt", "a\n")
    picture(root / "JPEGImages" / "a.jpg")


def _dota(root: Path) -> None:
    write(
        root / "labelTxt" / "a.txt",
        "imagesource:GoogleEarth\ngsd:0.2\n5 5 30 5 30 20 5 20 ship 0\n9 9 20 9 20 30 9 30 plane 1\n",
    )
    picture(root / "images" / "a.png")


def _visdrone(root: Path) -> None:
    folder = root / "VisDrone2019-DET-train"
    write(folder / "annotations" / "a.txt", "5,6,20,30,1,4,0,0\n1,1,9,9,0,0,0,0\n")
    picture(folder / "images" / "a.jpg")


def _yolo(root: Path) -> None:
    write(root / "data.yaml", "names: [ship, plane]\ntrain: images\nval: images\n")
    write(root / "labels" / "a.txt", "0 0.5 0.5 0.2 0.2\n1 0.1 0.1 0.3 0.1 0.3 0.3 0.1 0.3\n")
    picture(root / "images" / "a.jpg")


def _coco(root: Path) -> None:
    _json(root / "annotations.json", {
        "images": [{"id": 0, "file_name": "a.jpg", "width": 100, "height": 80}],
        "annotations": [{"id": 0, "image_id": 0, "category_id": 1, "bbox": [5, 6, 20, 30]},
                        {"id": 1, "image_id": 0, "category_id": 1, "bbox": [50, 40, 20, 10, 0.5]}],
        "categories": [{"id": 1, "name": "ship"}],
    })  # fmt: skip
    picture(root / "images" / "a.jpg")


def _airbus(root: Path) -> None:
    write(
        root / "annotations.csv",
        'image_id,class,bounds\na,oil-storage-tank,"(5, 6, 20, 30)"\na,oil-storage-tank,"(1, 2, 9, 9)"\n',
    )
    picture(root / "images" / "a.jpg")


def _dior_rsvg(root: Path) -> None:
    test_referring.write(
        root,
        {"00001": test_referring.numbered(0, 2), "00002": test_referring.numbered(2, 2)},
        {"train": [0, 1], "val": [2], "test": [3]},
    )


SETS: dict[str, tuple[Callable[[Path], object], dict[str, object]]] = {
    "airbus-tanks": (_airbus, WHOLE),
    "coco": (_coco, WHOLE),
    "dior-rsvg": (_dior_rsvg, {"need_images": False}),
    "dota": (_dota, {}),
    "earthdial-instruct": (_earthdial, {}),
    "fmow": (_fmow, {}),
    "geochat-instruct": (_geochat, {}),
    "hit-uav": (_coco, WHOLE),
    "levir-cc": (_levir, {}),
    "muds": (test_object_sets.muds, {**WHOLE, "patch_px": 32, "stride_px": 32}),
    "nwpu-captions": (_nwpu, {}),
    "nwpu-vhr10": (test_coco_yolo.vhr10, {**WHOLE, "labels": "coco"}),
    "rrsis-d": (test_referring.refer, {"need_images": False}),
    "rsicd": (_captions, {}),
    "rsvqa-lr": (_rsvqa, {"groups": True}),
    "visdrone": (_visdrone, {}),
    "voc": (_voc, {}),
    "vrsbench": (_vrsbench, {"boxes": "corners"}),
    "xbd": (test_object_sets.xbd, {}),
    "yolo": (_yolo, WHOLE),
}


def places(thing: object, before: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    """Of every value in a document, how it is reached."""
    yield before
    items = thing.items() if isinstance(thing, dict) else enumerate(thing) if isinstance(thing, list) else ()
    for key, value in items:
        yield from places(value, (*before, key))


def mixed_up(document: object, rng: random.Random) -> object:
    """One value lost, or another in its place."""
    *way, last = rng.choice(list(places(document))[1:] or [(None,)])
    if last is None:
        return rng.choice(JUNK)
    parent = document
    for key in way:
        parent = parent[key]
    if rng.random() < 0.3:
        del parent[last]
    else:
        parent[last] = rng.choice(JUNK)
    return document


def torn(content: bytes, suffix: str, rng: random.Random) -> bytes:
    if suffix in (".json", ".geojson") and rng.random() < 0.8:
        return json.dumps(mixed_up(json.loads(content), rng)).encode()
    if suffix == ".jsonl" and rng.random() < 0.8:
        lines = content.splitlines()
        k = rng.randrange(len(lines))
        lines[k] = json.dumps(mixed_up(json.loads(lines[k]), rng)).encode()
        return b"\n".join(lines)
    if suffix == ".p" and rng.random() < 0.8:
        return pickle.dumps(mixed_up(pickle.loads(content), rng))  # noqa: S301  made by the test
    rest = bytearray(content)
    for _ in range(rng.randint(1, 5)):
        k = rng.randrange(len(rest) + 1)
        if rng.random() < 0.5:
            del rest[k : k + rng.randint(1, 20)]
        else:
            rest[k:k] = rng.choice(BYTES)
    return bytes(rest)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", SETS)
def test_torn_labels_are_counted_or_said(tmp_path, name):
    make, options = SETS[name]
    make(tmp_path)
    one, rng = reader(name), random.Random(zlib.crc32(name.encode()))
    given = one.options.model_validate(options)

    def read() -> tuple[int, Problems]:
        problems = Problems()
        return sum(1 for _ in one.read(tmp_path, "train", given, problems)), problems

    whole, _ = read()
    assert whole
    files = {path: path.read_bytes() for path in sorted(tmp_path.rglob("*")) if path.suffix in LABELS}
    noticed = 0
    for _ in range(MUTATIONS):
        path, content = rng.choice(list(files.items()))
        path.write_bytes(torn(content, path.suffix, rng))
        try:
            made, problems = read()
            noticed += made < whole and bool(problems.counts)
        except TrainingError:
            noticed += 1
        path.write_bytes(content)
    assert noticed  # else nothing was torn

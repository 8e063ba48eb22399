"""Samples in files: what is read back is what was written, and a stopped run is gone on with."""

from __future__ import annotations

import json
import string

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from groundproof.boxes import BoxFrame
from groundproof.models.profiles import get_profile
from groundproof.protocol import Task
from groundproof.trace import parse
from groundproof_training.errors import TrainingError
from groundproof_training.samples import EvidenceLine, Form, Rationale, Sample, SampleImage, TrueBox
from groundproof_training.samples.llamafactory import to_messages, write_messages
from groundproof_training.samples.pictures import Pictures
from groundproof_training.samples.storage import (
    read_samples,
    write_jsonl,
    write_parquet,
    write_samples,
)
from groundproof_training.samples.trl import to_row

texts = st.text(max_size=12)
words = st.text(string.ascii_letters + string.digits, min_size=1, max_size=8)
px = st.floats(-1e6, 1e6, allow_nan=False, width=64)


@st.composite
def true_boxes(draw, images):
    x, y = draw(px), draw(px)
    return TrueBox(
        label=draw(words), x0=x, y0=y, x1=x + draw(st.floats(0.5, 1e5)), y1=y + draw(st.floats(0.5, 1e5)),
        quad=draw(st.none() | st.tuples(*[px] * 8)), image=draw(st.integers(0, images - 1)),
        ignore=draw(st.booleans()), truncated=draw(st.booleans()), phrase=draw(texts),
        attributes=draw(st.dictionaries(words, texts, max_size=2)),
    )  # fmt: skip


@st.composite
def samples(draw):
    n = draw(st.integers(1, 3))
    sides = st.integers(1, 30_000)
    windows = st.none() | st.just((5, -3, 900, 700))
    images = tuple(
        SampleImage(path=draw(words), width=draw(sides), height=draw(sides), sha256=draw(st.none() | words),
                    window=draw(windows), date=draw(st.none() | st.just("2018-05")))
        for _ in range(n)
    )  # fmt: skip
    boxes = tuple(draw(st.lists(true_boxes(n), max_size=4)))
    rationale = None
    if draw(st.booleans()):
        lines = tuple(EvidenceLine(text=draw(texts), box=k) for k in range(len(boxes)))
        rationale = Rationale(
            plan=draw(texts), evidence=lines, synthesis=draw(texts), by="template", absent=draw(texts)
        )
    some = st.lists(texts, max_size=3).map(tuple)
    return Sample(
        sample_id=draw(words), source=draw(words), split=draw(st.sampled_from(["train", "val", "test"])),
        licence=draw(texts), task=draw(st.sampled_from(list(Task))), images=images, question=draw(words),
        answer=draw(texts.filter(lambda t: "<" not in t)), answers=draw(some), asked=draw(some), choices=draw(some),
        boxes=boxes, regions=tuple(draw(st.lists(true_boxes(n), max_size=2))), captions=draw(some),
        complete=draw(st.booleans()), meta=draw(st.dictionaries(words, texts, max_size=3)), rationale=rationale,
    )  # fmt: skip


@settings(max_examples=25)
@given(made=st.lists(samples(), max_size=4))
def test_both_formats_give_back_what_was_written(tmp_path_factory, made):
    root = tmp_path_factory.mktemp("files")
    for name in ("a.jsonl", "a.parquet"):
        assert write_samples(root / name, made) == len(made)
        assert list(read_samples(root / name)) == made
    assert sorted(p.name for p in root.iterdir()) == ["a.jsonl", "a.parquet"]


def one(n: int, **changes) -> Sample:
    fields = dict(
        sample_id=f"s{n}", source="made", split="train", licence="none", task=Task.COUNT,
        images=(SampleImage(path="in/a.png", width=100, height=80),), question="How many ships are there?",
        answer="1", asked=("ship",), boxes=(TrueBox(label="ship", x0=10, y0=20, x1=30, y1=40),),
    )  # fmt: skip
    return Sample.model_validate(fields | changes)


def test_parquet_holds_lists_and_not_texts(tmp_path):
    write_parquet(tmp_path / "a.parquet", [one(1)])
    row = pq.read_table(tmp_path / "a.parquet").to_pylist()[0]
    assert row["asked"] == ["ship"]
    assert row["boxes"][0]["x1"] == 30.0
    assert row["images"][0]["window"] is None


class KilledError(Exception):
    """A run that ends in the middle."""


def stopped_after(number, total=5):
    for n in range(total):
        if n == number:
            raise KilledError
        yield one(n)


def test_a_stopped_run_is_gone_on_with_and_the_name_appears_when_it_is_whole(tmp_path):
    out = tmp_path / "a.jsonl"
    with pytest.raises(KilledError):
        write_jsonl(out, stopped_after(3), identity="the same run")
    assert not out.exists()
    part = tmp_path / "a.jsonl.part"
    assert len(part.read_text().splitlines()) == 3
    # A kill cuts the last line short.
    part.write_bytes(part.read_bytes()[:-30])
    assert write_jsonl(out, stopped_after(9), identity="the same run") == 5
    assert [s.sample_id for s in read_samples(out)] == ["s0", "s1", "s2", "s3", "s4"]
    assert [p.name for p in tmp_path.iterdir()] == ["a.jsonl"]


def test_what_another_run_left_is_not_gone_on_with(tmp_path):
    out = tmp_path / "a.jsonl"
    with pytest.raises(KilledError):
        write_jsonl(out, stopped_after(3), identity="one run")
    assert write_jsonl(out, [one(7)], identity="another") == 1
    assert [s.sample_id for s in read_samples(out)] == ["s7"]


def test_a_failed_write_leaves_the_file_that_was_there(tmp_path):
    for name in ("a.jsonl", "a.parquet"):
        write_samples(tmp_path / name, [one(1)])
        with pytest.raises(KilledError):
            write_samples(tmp_path / name, stopped_after(2))
        assert [s.sample_id for s in read_samples(tmp_path / name)] == ["s1"]
    write_messages(tmp_path / "m.json", [{"a": 1}])
    with pytest.raises(KilledError):
        write_messages(tmp_path / "m.json", ({"n": s.sample_id} for s in stopped_after(2)))
    assert json.loads((tmp_path / "m.json").read_text()) == [{"a": 1}]


def test_a_broken_file_is_named_with_its_line(tmp_path):
    file = tmp_path / "a.jsonl"
    file.write_text(f"{one(1).model_dump_json()}\n{{}}\n")
    with pytest.raises(TrainingError, match=r"a\.jsonl, line 2 is no sample: sample_id"):
        list(read_samples(file))
    (tmp_path / "a.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(TrainingError, match="cannot be read as Parquet"):
        list(read_samples(tmp_path / "a.parquet"))
    with pytest.raises(TrainingError, match=r"\.jsonl or \.parquet"):
        list(read_samples(tmp_path / "a.csv"))
    with pytest.raises(TrainingError, match="cannot be read"):
        list(read_samples(tmp_path / "none.jsonl"))


RATIONALE = Rationale(
    plan="Scan.",
    evidence=(EvidenceLine(text="ship, left", box=0),),
    synthesis="E1 is a ship, 1 in all.",
    by="template",
)


def test_llamafactory_has_the_published_keys_in_their_order_and_its_placeholder(tmp_path):
    profile = get_profile("rsthinker")
    detect = one(
        1, task=Task.DETECT, answer="", question="Detect all ships in the image.", rationale=RATIONALE
    )
    made = to_messages(detect, profile, ((112, 84),), Form.THINK, ["in/a.png"])
    assert list(made) == ["messages", "images"]
    assert [list(m) for m in made["messages"]] == [["content", "role"]] * 2
    assert made["messages"][0] == {"content": "<image>Detect all ships in the image.", "role": "user"}
    assert made["messages"][1]["content"] == (
        "<think>Scan. E1 ship, left [100,250,300,500]. E1 is a ship, 1 in all.</think>"
        "<answer>[[100,250,300,500]]</answer>"
    )
    assert write_messages(tmp_path / "a.json", [made, made]) == 2
    assert json.loads((tmp_path / "a.json").read_text()) == [made, made]
    write_messages(tmp_path / "a.json", [])
    assert json.loads((tmp_path / "a.json").read_text()) == []


def test_a_placeholder_for_each_date():
    image = SampleImage(path="a.png", width=10, height=10)
    pair = one(1, task=Task.CHANGE, images=(image, image), boxes=(), question="What changed?")
    made = to_messages(pair, get_profile("rsthinker"), ((28, 28),) * 2, Form.ANSWER, ["a.png", "b.png"])
    assert made["messages"][0]["content"].startswith("<image><image>")
    assert made["images"] == ["a.png", "b.png"]


def test_a_trl_row_feeds_sft_and_rewards():
    profile = get_profile("qwen2.5-vl")
    row = to_row(one(1, rationale=RATIONALE), profile, ((112, 84),), Form.GEO_COT, ["in/a.png"])
    assert [m["role"] for m in row["prompt"]] == ["system", "user"]
    (said,) = row["completion"]
    trace = parse(said["content"], BoxFrame(row["frame"]), Task.COUNT, ("ship",))
    assert trace.value == 1
    assert row["wh"] == [[112, 84]]
    assert Sample.model_validate_json(row["gt"]) == one(1, rationale=RATIONALE)
    assert "completion" not in to_row(one(1), profile, ((112, 84),), None, ["in/a.png"])
    with pytest.raises(ValueError, match="no rationale"):
        to_row(one(1), profile, ((112, 84),), Form.GEO_COT, ["in/a.png"])


def test_windows_are_written_as_pictures_and_whole_images_are_not(tmp_path):
    root, out = tmp_path / "data", tmp_path / "made" / "x.json"
    (root / "in").mkdir(parents=True)
    picture = Image.new("RGB", (100, 80))
    picture.putpixel((60, 50), (255, 0, 0))
    picture.save(root / "in" / "a.png")
    whole = SampleImage(path="in/a.png", width=100, height=80)
    pictures = Pictures(root, out)
    assert pictures.path_of(whole) == "../data/in/a.png"
    path = pictures.path_of(whole.model_copy(update={"window": (50, 40, 90, 70)}))
    crop = Image.open(out.parent / path)
    assert crop.size == (40, 30)
    assert crop.getpixel((10, 10)) == (255, 0, 0)
    assert path == "x_images/in-a__50_40_90_70.png"

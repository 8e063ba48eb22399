"""What all readers of texts have in common, down to what a model is shown and should write."""

import json

import pytest

from groundproof.boxes import Tile, Window
from groundproof.georeference import to_pixels
from groundproof.models.profiles import get_profile
from groundproof.protocol import Task
from groundproof.trace import parse
from groundproof_training.metrics.classes import key_of, read_classes
from groundproof_training.readers.base import Problems, WrongFolderError
from groundproof_training.readers.clc import LABELS_19, LABELS_43
from groundproof_training.readers.earthdial import samples_of_row
from groundproof_training.readers.registry import READERS, TEXT_MODULES
from groundproof_training.readers.texts import PERCENT
from groundproof_training.samples import Form, SampleImage, class_name, completion_of, prompt_of, seen_size

TEXT_READERS = {one.card.name: one for module in TEXT_MODULES for one in module.READERS}
SIZE = (1000, 1000)


@pytest.mark.parametrize(
    "name",
    ["bigearthnet", "earthdial-instruct", "fmow", "opt-rsvg", "rsscn7", "rsvqa-hr", "rsvqa-lr", "teochatlas"],
)
def test_these_sets_are_found_by_name(name):
    assert name in READERS


@pytest.mark.parametrize("name", sorted(TEXT_READERS))
def test_a_wrong_folder_is_told_at_once_for_every_split(tmp_path, name):
    """Before the first sample is asked for, also where the folder does not exist; and the card says what is known."""
    reader = TEXT_READERS[name]
    assert len(reader.card.verified) > 30
    for split in reader.card.splits:
        for folder in (tmp_path, tmp_path / "gone"):
            with pytest.raises(WrongFolderError, match="The dataset comes from"):
                reader.read(folder, split, reader.options(), Problems())


def published(data_dir, path, every=1):
    rows = [json.loads(line) for line in (data_dir / "predictions/earthdial" / path).read_text().splitlines()]
    for number, row in enumerate(rows[::every]):
        dates = row["question"].count("<image>") or 1
        pictures = tuple(SampleImage(path=f"{n}.png", width=SIZE[0], height=SIZE[1]) for n in range(dates))
        fields = {"sample_id": str(number), "source": "x", "split": "test", "licence": "x"}
        yield from samples_of_row(row, pictures, fields, PERCENT, Problems(), str(number))


@pytest.mark.parametrize("name", ["rsthinker", "qwen2.5-vl", "geochat"])
@pytest.mark.parametrize(
    ("path", "every"),
    [
        ("rs_detection/GeoChat.jsonl", 40),
        ("rs_region_captioning/NWPU_VHR_10_test.jsonl", 20),
        ("rs_grounding_description/NWPU_VHR_10.jsonl", 1),
        ("rs_change_detection/FMoW.jsonl", 5),
    ],
)
def test_published_records_are_shown_and_answered_in_every_frame(data_dir, name, path, every):
    profile = get_profile(name)
    seen = seen_size(SIZE, profile, 56 * 56, 1008 * 1008)
    for sample in published(data_dir, path, every):
        sizes = (seen,) * len(sample.images)
        prompt, text = prompt_of(sample, profile, sizes), completion_of(sample, profile, sizes, Form.ANSWER)
        assert "<region:" not in prompt.text
        assert "<box:" not in text
        boxes = [e.box for e in parse(text, profile.frame, sample.task).answer_boxes]
        if sample.task in (Task.GROUND, Task.GROUNDED_CAPTION):
            assert len(boxes) == len(sample.boxes)
        step = 1000 / (profile.frame.full_scale or seen[0])
        for written, true in zip(boxes, sample.boxes, strict=False):
            back = to_pixels(written, profile.frame, Tile(0, Window(0, 0, *SIZE), *seen), SIZE).box
            inside = [min(max(v, 0), 1000) for v in true.xyxy]
            # Per-mille boxes are even numbers; a box too small for the frame is one step wide.
            assert (back.x0, back.y0, back.x1, back.y1) == pytest.approx(inside, abs=max(2 * step, 2.1))


@pytest.mark.parametrize("labels", [LABELS_19, LABELS_43])
def test_land_cover_names_with_commas_are_read_back_from_an_answer(labels):
    choices = tuple(class_name(label) for label in labels)
    for n in range(len(choices)):
        true = (*choices[n : n + 3],)
        said = read_classes(", ".join(true), choices)
        assert not said.other
        assert set(said.classes) == {key_of(one) for one in true}

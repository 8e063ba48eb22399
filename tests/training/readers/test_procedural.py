"""The procedural world as samples: what a template wrote is what a sample says, box for box."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from groundproof.models.profiles import get_profile
from groundproof.protocol import Task
from groundproof.trace import parse
from groundproof_training.rationales import Verifier, Vocabulary
from groundproof_training.readers import procedural, template_samples
from groundproof_training.readers.base import Problems, WrongFolderError
from groundproof_training.readers.registry import reader
from groundproof_training.samples import Form, completion_of, prompt_of
from groundproof_training.shards import ShardConfig, render_shards

TINY = get_profile("tiny")


def read(root, split="train", **options):
    one = reader("procedural")
    return list(one.read(root, split, one.options(**options), Problems()))


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    root = tmp_path_factory.mktemp("world")
    return root, read(root, scenes=60, change_share=0.15)


def test_every_task_is_asked_and_ids_are_unique(world):
    _, samples = world
    assert {s.task for s in samples} == set(Task)
    assert len({s.sample_id for s in samples}) == len(samples) > 150


def test_a_sample_is_written_back_as_the_template_wrote_it(tmp_path, monkeypatch):
    """Through pixels and back, character for character: prompt, boxes, rationale and answer."""
    pairs = []
    original = procedural.to_sample

    def noting(written, images, objects, **rest):
        sample = original(written, images, objects, **rest)
        if sample is not None:
            pairs.append((written, sample))
        return sample

    monkeypatch.setattr(procedural, "to_sample", noting)
    read(tmp_path, scenes=60, change_share=0.2, absent_share=0.4)
    assert len(pairs) > 150
    for written, sample in pairs:
        seen = tuple(image.shown_size for image in sample.images)
        assert prompt_of(sample, TINY, seen).text == written.prompt
        again = completion_of(sample, TINY, seen, Form.GEO_COT).replace(
            " that fits is visible", " is visible"
        )
        assert again == written.completion


def test_the_verifier_accepts_every_rationale(tmp_path):
    """Classes that are not there, asked for with a place, and changes of both kinds, are among them."""
    samples = list(read(tmp_path, scenes=120, change_share=0.2, absent_share=0.5))
    verifier = Verifier(TINY, Vocabulary.of(samples))
    for sample in samples:
        seen = tuple(image.shown_size for image in sample.images)
        verdict = verifier.verify(completion_of(sample, TINY, seen, Form.GEO_COT), sample, seen, "template")
        assert verdict.reasons == (), sample
    said = [s.rationale.absent for s in samples if s.rationale.absent]
    assert any(absent.endswith(" that fits") for absent in said)


def test_the_engine_reads_every_completion_without_a_repair(world):
    _, samples = world
    for sample in samples:
        seen = tuple(image.shown_size for image in sample.images)
        trace = parse(completion_of(sample, TINY, seen, Form.GEO_COT), TINY.frame, sample.task, sample.asked)
        assert not trace.repairs, sample
        assert len(trace.evidence) == len(sample.boxes)


def test_pictures_are_there_with_the_size_and_hash_that_is_said(world):
    import hashlib

    root, samples = world
    for image in {i.path: i for s in samples for i in s.images}.values():
        content = (root / image.path).read_bytes()
        assert hashlib.sha256(content).hexdigest() == image.sha256
        assert Image.open(root / image.path).size == (image.width, image.height)


def test_the_same_folder_read_again_gives_the_same_samples_and_another_split_other_pictures(world):
    root, samples = world
    assert (
        read(root, scenes=10, change_share=0.15) == samples[: len(read(root, scenes=10, change_share=0.15))]
    )
    hashes = {i.sha256 for s in samples for i in s.images}
    assert not hashes & {i.sha256 for s in read(root, "test", scenes=5) for i in s.images}


def test_names_asked_for_do_not_give_the_answer_away(world):
    """A question that lists nothing names its class as one that lists something does."""
    _, samples = world
    for sample in samples:
        if sample.task in (Task.COUNT, Task.DETECT, Task.GROUND):
            assert len(sample.asked) == 1
            assert all(box.label == sample.asked[0] for box in sample.boxes)


def test_chosen_tasks_only(tmp_path):
    assert {s.task for s in read(tmp_path, scenes=6, tasks=("count",), questions=2)} == {Task.COUNT}
    changed = read(tmp_path, scenes=4, tasks=("change",), questions=1)
    assert {s.task for s in changed} == {Task.CHANGE}
    assert all(len(s.images) == 2 for s in changed)


def test_shards_of_the_scenes_command_are_read_with_their_boxes(tmp_path):
    list(render_shards(tmp_path, ShardConfig(scenes=20, processes=1, shapes=((224, 168),), shares=(1.0,))))
    samples = read(tmp_path)
    assert {s.images[0].shown_size for s in samples} == {(224, 168)}
    pixels = np.load(tmp_path / "224x168" / "images-0000.npy")
    assert len({s.images[0].path for s in samples}) == 18
    first = np.asarray(Image.open(tmp_path / samples[0].images[0].path))
    assert (first == pixels[0]).all()
    assert len({s.images[0].path for s in read(tmp_path, "val")}) == 1


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(WrongFolderError, match="procedural"):
        read(tmp_path / "file")


def test_a_grounded_caption_without_boxes_is_a_plain_one():
    assert template_samples._plain("A ship [1,2,3,4] and 2 trees [1,2,3,4],[5,6,7,8] at a port.") == (
        "A ship and 2 trees at a port."
    )

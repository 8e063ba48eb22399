"""Questions about labelled objects: the answer follows from the boxes, and nothing uncertain is asked."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundproof.protocol import Task, infer_task, is_existence
from groundproof_training.errors import TrainingError
from groundproof_training.readers.base import DatasetCard, Problems
from groundproof_training.readers.objects import LabelledImage, ObjectOptions, in_split
from groundproof_training.readers.questions import WORDINGS, ObjectReader, asked_about, nouns
from groundproof_training.samples import SampleImage, TrueBox

CLASSES = ("airplane", "ship", "small vehicle", "large vehicle", "harbor", "tennis court", "storage tank")
CARD = DatasetCard("made", "Made", tuple(Task), "none", "here", ("x",), ("train", "val"))


def labelled(labels, key="a", areas=0):
    """labels: names, with "!" behind those to ignore."""
    objects = tuple(
        TrueBox(label=name.rstrip("!"), x0=n, y0=0, x1=n + 5, y1=9, ignore=name.endswith("!"))
        for n, name in enumerate(labels)
    )
    region = tuple(TrueBox(label="region", x0=50, y0=0, x1=90, y1=9, ignore=True) for _ in range(areas))
    return LabelledImage(key, SampleImage(path=f"{key}.png", width=400, height=100), objects, CLASSES, region)


def ask(one, **options):
    problems = Problems()
    return list(asked_about(one, CARD, "train", ObjectOptions(**options), problems)), problems


names = st.lists(st.sampled_from([*CLASSES, "ship!", "airplane!"]), max_size=30)


@settings(max_examples=100)
@given(names, st.integers(0, 5), st.floats(0, 0.9))
def test_every_answer_follows_from_the_boxes_and_nothing_is_uncertain(labels, seed, share):
    samples, _ = ask(labelled(labels), seed=seed, absent_share=share, empty_share=1.0)
    counted = Counter(name for name in labels if not name.endswith("!"))
    ignored = {name.rstrip("!") for name in labels if name.endswith("!")}
    for sample in samples:
        (label,) = sample.asked
        number = counted[label]
        assert len(sample.counted) == number
        assert {b.label for b in sample.boxes} <= {label}
        if not number:
            assert label not in ignored
        if sample.task is Task.COUNT:
            assert sample.answer == str(number)
        elif sample.task is Task.VQA:
            assert sample.answer == ("yes" if number else "no")
        else:
            assert sample.answer == ""
        one, many = nouns(label)
        assert one in sample.question or many in sample.question
    assert len({s.sample_id for s in samples}) == len(samples)
    assert {s.asked[0] for s in samples} >= set(counted)


def test_a_count_of_objects_with_difficult_ones_keeps_them_as_ignored():
    (sample,) = ask(labelled(["ship", "ship!", "airplane!"]), tasks=("count",), absent_share=0)[0]
    assert sample.answer == "1"
    assert [b.ignore for b in sample.boxes] == [False, True]


def test_too_many_objects_are_not_asked_about_and_said():
    samples, problems = ask(labelled(["ship"] * 11 + ["airplane"]), max_objects=10, absent_share=0)
    assert {s.asked for s in samples} == {("airplane",)}
    assert problems.counts == {"too many objects": 1}
    assert "11 ships" in problems.examples["too many objects"][0]


def test_where_objects_may_lie_unlabelled_nothing_is_counted_or_called_absent():
    samples, _ = ask(labelled(["ship"], areas=1), absent_share=0.9)
    assert Task.COUNT not in {s.task for s in samples}
    assert all(s.asked == ("ship",) and s.boxes[-1].label == "region" for s in samples)


def test_a_kind_of_what_is_there_is_never_called_absent():
    for seed in range(30):
        samples, _ = ask(labelled(["small vehicle"]), absent_share=0.9, seed=seed)
        assert ("large vehicle",) not in {s.asked for s in samples}


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5])
def test_the_share_of_absent_classes_is_kept(share):
    samples = [
        s for n in range(600) for s in ask(labelled(["ship", "airplane"], f"i{n}"), absent_share=share)[0]
    ]
    absent = sum(not s.boxes for s in samples) / len(samples)
    assert absent == pytest.approx(share, abs=0.03)


def test_empty_images_are_asked_about_as_often_as_said():
    asked = sum(bool(ask(labelled([], f"i{n}"), empty_share=0.3)[0]) for n in range(600))
    assert asked / 600 == pytest.approx(0.3, abs=0.05)


def test_published_wording_is_the_first_and_varied_ones_depend_on_the_seed_alone():
    first, _ = ask(labelled(["airplane"]), wording="published", absent_share=0)
    assert {str(s.task): s.question for s in first} == {
        "count": "How many airplanes are there in the image?",
        "detect": "Detect all airplanes in the image.",
        "ground": "Locate every airplane in the image.",
        "vqa": "Are there any airplanes in the image?",
    }
    images = [labelled(["airplane"], f"i{n}") for n in range(40)]
    once, again, other = (
        [s.question for one in images for s in ask(one, absent_share=0, seed=seed)[0]] for seed in (1, 1, 2)
    )
    assert once == again != other
    assert len(set(once)) == sum(map(len, WORDINGS.values()))


@pytest.mark.parametrize(
    "label", [*CLASSES, "people", "t junction", "overpass", "expressway service area", "bus"]
)
def test_the_engine_reads_each_wording_as_its_task(label):
    one, many = nouns(label)
    for task, texts in WORDINGS.items():
        for text in texts:
            question = text.format(one=one, many=many, a_one=f"a {one}")
            expected = Task.DETECT if task is Task.GROUND else task
            assert infer_task(question).task is expected, question
            assert is_existence(question) == (task is Task.VQA)


def test_nouns_of_datasets_that_name_classes_in_the_plural():
    assert nouns("people") == ("person", "people")
    assert nouns("tennis court") == ("tennis court", "tennis courts")
    assert nouns("bus") == ("bus", "buses")


def test_splits_by_hash_do_not_move():
    shares = ObjectOptions(val_share=0.1, test_share=0.2)
    drawn = Counter(s for n in range(3000) for s in ("train", "val", "test") if in_split(f"{n}", s, shares))
    assert sum(drawn.values()) == 3000
    assert drawn["test"] / 3000 == pytest.approx(0.2, abs=0.03)
    assert [n for n in range(20) if in_split(f"{n}", "test", shares)] == [
        n for n in range(20) if in_split(f"{n}", "test", ObjectOptions(val_share=0.5))
    ]


def test_a_split_that_a_dataset_does_not_have_is_a_sentence(tmp_path):
    class Made(ObjectReader):
        card = CARD

        def images(self, root, split, options, problems):
            yield labelled(["ship"])
            yield labelled(["airplane"])

    problems = Problems()
    samples = list(Made().read(tmp_path, "train", ObjectOptions(absent_share=0), problems))
    assert {s.asked for s in samples} == {("ship",)}
    assert problems.counts == {"duplicate id": 1}
    with pytest.raises(TrainingError, match="no test split; it has train, val"):
        list(Made().read(tmp_path, "test", ObjectOptions(), Problems()))

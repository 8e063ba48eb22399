"""What each position of a training sequence is told to look at."""

import numpy as np
import pytest

from groundproof_training.sequences import Encoder, collate
from groundproof_training.templates import (
    TASKS,
    corpus,
    make_change_sample,
    make_sample,
    random_sample,
    without_rationale,
)
from groundproof_training.tokenizer import first_number_id, make_tokenizer

BOXES = [(10, 20, 30, 40), (500, 600, 700, 800)]
CELLS = 64


@pytest.fixture(scope="module")
def tokenizer():
    return make_tokenizer(corpus(400))


@pytest.fixture(scope="module")
def encoder(tokenizer):
    return Encoder(tokenizer)


def encode(encoder, task, boxes, anchors):
    tasks = [task]
    sample = make_sample(np.random.default_rng(0), ["ship"] * len(boxes), boxes, anchors, tasks, 0.0, 0.0)
    return encoder.encode(sample, 36)


def samples(task, n, seed=0):
    rng = np.random.default_rng([seed, sum(map(ord, task))])
    return [random_sample(rng, task) for _ in range(n)]


def flat(boxes):
    return [v for box in boxes for v in box]


def test_numbers_and_anchors_of_a_detection(encoder):
    s = encode(encoder, "detect", BOXES, [2, 30])
    assert [n for n in s.numbers if n >= 0] == flat(BOXES) * 2
    first, second = encoder.image_start + 2, encoder.image_start + 30
    assert [p for n, p in zip(s.numbers, s.points, strict=True) if n >= 0] == ([first] * 4 + [second] * 4) * 2
    end = encoder.image_start + 36
    assert [p for p, d in zip(s.points, s.decides, strict=True) if d] == [first, second, end] * 2


def test_an_empty_list_looks_at_the_end_of_the_image_once_per_decision(encoder):
    s = encode(encoder, "detect", [], [])
    end = encoder.image_start + 36
    assert [p for p in s.points if p >= 0] == [end, end]


@pytest.mark.parametrize("task", [*TASKS, "change"])
def test_exactly_the_numbers_of_written_boxes_are_numbers(encoder, task):
    for sample in samples(task, 60):
        s = encoder.encode(sample, CELLS)
        assert [n for n in s.numbers if n >= 0] == flat(sample.boxes) + flat(sample.answer_boxes)
        assert not any(n >= 0 for n in s.numbers[: s.start])


@pytest.mark.parametrize("task", TASKS)
def test_every_box_is_written_while_looking_at_its_object(encoder, task):
    for sample in samples(task, 60):
        s = encoder.encode(sample, CELLS)
        looked = [p - encoder.image_start for n, p in zip(s.numbers, s.points, strict=True) if n >= 0]
        assert looked == [a for a in (*sample.anchors, *sample.answer_anchors) for _ in range(4)]


@pytest.mark.parametrize("task", TASKS)
def test_evidence_is_decided_item_by_item_and_ends_at_the_end_of_the_image(encoder, tokenizer, task):
    for sample in samples(task, 40):
        s = encoder.encode(sample, CELLS)
        stop = s.ids.index(tokenizer.convert_tokens_to_ids("</evidence>"))
        decided = [i for i in range(stop + 1) if s.decides[i]]
        wanted = [*sample.anchors, CELLS]
        assert [s.points[i] - encoder.image_start for i in decided] == wanted
        assert [s.ids[i] for i in decided[:-1]] == [tokenizer.convert_tokens_to_ids("E")] * len(
            sample.anchors
        )
        if sample.anchors:
            assert decided[-1] == stop


@pytest.mark.parametrize("task", TASKS)
def test_names_and_places_of_an_item_are_written_while_looking_at_its_object(encoder, task):
    for sample in samples(task, 20):
        s = encoder.encode(sample, CELLS)
        for anchor in set(sample.anchors):
            items = sample.anchors.count(anchor) + sample.answer_anchors.count(anchor)
            looking = s.points.count(encoder.image_start + anchor)
            assert looking >= 8 * items  # four numbers, their commas and the opening bracket


def test_a_grounded_caption_decides_after_every_box_of_its_answer(encoder, tokenizer):
    for sample in samples("grounded-caption", 40):
        if sample.task != "grounded-caption":
            continue
        s = encoder.encode(sample, CELLS)
        answer = s.ids.index(tokenizer.convert_tokens_to_ids("<answer>"))
        assert sum(s.decides[answer:]) == len(sample.answer_boxes)


def test_a_change_between_two_images_points_at_nothing(encoder, tokenizer):
    kinds, labels = ["appeared", "disappeared"], ["ship", "ship"]
    image = tokenizer.convert_tokens_to_ids("<|image|>")
    for seed in range(30):
        sample = make_change_sample(np.random.default_rng(seed), kinds, labels, BOXES, [2, 30])
        s = encoder.encode(sample, 36)
        assert s.ids.count(image) == 72
        assert set(s.points) == {-1}
        assert any(s.decides)


def test_numbers_of_the_question_are_not_learnt(encoder, tokenizer):
    zero = first_number_id(tokenizer)
    for sample in samples("region-caption", 30):
        s = encoder.encode(sample, CELLS)
        asked = sum(zero <= i < zero + 1000 for i in s.ids[: s.start])
        assert asked >= 4 or sample.task != "region-caption"
        assert s.numbers[: s.start] == [-1] * s.start
        assert not collate([[s]], 0, pad_id=0).weights[0, : s.start].any()


@pytest.mark.parametrize("task", [*TASKS, "change"])
def test_completions_decode_back_exactly(encoder, tokenizer, task):
    for sample in samples(task, 40, seed=1):
        ids = encoder.completion(sample.completion)
        assert tokenizer.decode(ids, skip_special_tokens=True) == sample.completion


def test_only_completions_are_learnt(encoder):
    sequences = [encode(encoder, "count", BOXES[:k], [2, 30][:k]) for k in range(3)]
    batch = collate([[s] for s in sequences], 0, pad_id=0)
    for row, s in enumerate(sequences):
        weights = batch.weights[row]
        assert not weights[: s.start].any()
        assert (weights[s.start : len(s.ids)] >= 1).all()
        assert not weights[len(s.ids) :].any()


@pytest.mark.parametrize("task", TASKS)
def test_without_a_rationale_only_the_answer_is_written_and_its_boxes_are_looked_at(encoder, tokenizer, task):
    for sample in samples(task, 40):
        bare = without_rationale(sample)
        s = encoder.encode(bare, CELLS)
        assert tokenizer.decode(s.ids[s.start :]).startswith("<answer>")
        assert bare.completion.count("<") == 2
        assert (bare.prompt, bare.answer) == (sample.prompt, sample.answer)
        assert [n for n in s.numbers if n >= 0] == flat(sample.answer_boxes)
        looked = [p for n, p in zip(s.numbers, s.points, strict=True) if n >= 0]
        assert looked == [encoder.image_start + a for a in sample.answer_anchors for _ in range(4)]

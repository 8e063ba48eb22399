"""What each position of a training sequence is told to look at."""

import numpy as np
import pytest

from groundproof_training.sequences import Encoder, collate
from groundproof_training.templates import corpus, make_sample
from groundproof_training.tokenizer import make_tokenizer

BOXES = [(10, 20, 30, 40), (500, 600, 700, 800)]


@pytest.fixture(scope="module")
def encoder():
    return Encoder(make_tokenizer(corpus(400)))


def encode(encoder, task, boxes, anchors):
    sample = make_sample(np.random.default_rng(0), ["ship"] * len(boxes), boxes, anchors, [task], 0.0, 0.0)
    return encoder.encode(sample, 36)


def test_numbers_and_anchors_of_a_detection(encoder):
    s = encode(encoder, "detect", BOXES, [2, 30])
    flat = [v for box in BOXES for v in box]
    assert [n for n in s.numbers if n >= 0] == flat * 2
    first, second = encoder.image_start + 2, encoder.image_start + 30
    assert [p for n, p in zip(s.numbers, s.points, strict=True) if n >= 0] == ([first] * 4 + [second] * 4) * 2
    end = encoder.image_start + 36
    assert [p for p, d in zip(s.points, s.decides, strict=True) if d] == [first, second, end] * 2


def test_an_empty_list_looks_at_the_end_of_the_image_once_per_decision(encoder):
    s = encode(encoder, "detect", [], [])
    end = encoder.image_start + 36
    assert [p for p in s.points if p >= 0] == [end, end]


def test_only_completions_are_learnt(encoder):
    sequences = [encode(encoder, "count", BOXES[:k], [2, 30][:k]) for k in range(3)]
    batch = collate(sequences, pad_id=0)
    for row, s in enumerate(sequences):
        weights = batch.weights[row]
        assert not weights[: s.start].any()
        assert (weights[s.start : len(s.ids)] >= 1).all()
        assert not weights[len(s.ids) :].any()

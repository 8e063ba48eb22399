"""Training texts: the engine's parser reads back exactly what was written."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundproof.boxes import BoxFrame
from groundproof.protocol import Task
from groundproof.trace import parse
from groundproof_training.templates import TASKS, WORDS, make_sample

corner = st.tuples(st.integers(0, 998), st.integers(0, 998), st.integers(1, 400), st.integers(1, 400)).map(
    lambda b: (b[0], b[1], min(999, b[0] + b[2]), min(999, b[1] + b[3]))
)


@given(seed=st.integers(0, 2**32 - 1), boxes=st.lists(corner, max_size=12, unique=True))
def test_a_written_sample_parses_to_its_boxes(seed, boxes):
    rng = np.random.default_rng(seed)
    labels = [list(WORDS)[k] for k in rng.integers(len(WORDS), size=len(boxes))]
    sample = make_sample(rng, labels, boxes, list(range(len(boxes))))
    trace = parse(sample.completion, BoxFrame.PER_MILLE, Task(sample.task))
    listed = [e for e in trace.evidence if e.role == "evidence"]
    assert [(e.box.x0, e.box.y0, e.box.x1, e.box.y1) for e in listed] == list(sample.boxes)
    assert [e.number for e in listed] == list(range(1, len(listed) + 1))
    assert all(e.label_raw == sample.label for e in listed)
    assert trace.complete
    assert not trace.repairs


@pytest.mark.parametrize("task", TASKS)
def test_evidence_is_listed_in_the_order_of_its_anchors(task):
    boxes = [(500, 500, 600, 600), (10, 10, 60, 60), (700, 10, 800, 60)]
    sample = make_sample(np.random.default_rng(0), ["ship"] * 3, boxes, [30, 2, 9], [task], 0.0, 0.0)
    assert sample.anchors == (2, 9, 30)
    assert sample.boxes == (boxes[1], boxes[2], boxes[0])


def test_unknown_things_are_answered_with_nothing_and_not_named():
    rng = np.random.default_rng(1)
    samples = [make_sample(rng, [], [], [], ["count"], 0.0, 1.0) for _ in range(20)]
    assert all(s.completion.endswith("<answer>0</answer>") for s in samples)
    assert all("No match is visible. " in s.completion for s in samples)

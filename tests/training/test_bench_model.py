"""`scripts/bench model`: what it changes must not change the answers by its own fault."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

PART = Path(__file__).parents[2] / "scripts" / "bench_parts" / "model.py"


@pytest.fixture(scope="module")
def part():
    spec = importlib.util.spec_from_file_location("bench_part_model", PART)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.weights
def test_the_static_cache_alone_writes_what_the_engine_writes(part):
    model = part.plain_model(3)
    tiles = part.asked_tiles(model, 3)
    usual = part.answer(model, tiles, 40)
    with part.batches_of(static=True):
        static = part.answer(model, tiles, 40)
    assert static == usual


def test_f1_of_true_boxes_is_one_and_of_none_is_zero(part):
    boxes = np.array([[22.4, 22.4, 67.2, 67.2]])
    tile = part.Asked(None, "ship", boxes)
    text = "<think><plan>p</plan><evidence>E1 ship, left [100,100,300,300]. </evidence></think><answer>1</answer>"
    assert part.f1([tile], [text]) == 1
    assert part.f1([tile], ["<think></think><answer>0</answer>"]) == 0

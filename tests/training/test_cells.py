"""The grid of vision tokens, and who may use it without torch."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundproof_training.cells import CELL_PX, PATCH_PX, anchor_cells

SIDES = st.integers(1, 12).map(lambda n: n * CELL_PX)


@settings(max_examples=100)
@given(width=SIDES, height=SIDES, data=st.data())
def test_the_cell_of_a_box_is_the_one_its_centre_is_painted_in(width, height, data):
    x = data.draw(st.integers(0, width - 1)) + 0.5
    y = data.draw(st.integers(0, height - 1)) + 0.5
    painted = np.arange(height // CELL_PX * (width // CELL_PX)).reshape(height // CELL_PX, -1)
    painted = painted.repeat(CELL_PX, axis=0).repeat(CELL_PX, axis=1)
    box = np.array([[x - 9, y - 4, x + 9, y + 4]])
    assert anchor_cells(box, width, height).tolist() == [painted[int(y), int(x)]]


def test_a_centre_on_the_far_edge_belongs_to_the_last_cell():
    assert anchor_cells(np.array([[100.0, 60, 124, 108]]), 112, 84).tolist() == [11]


def test_a_cell_is_two_patches_wide():
    assert (PATCH_PX, CELL_PX) == (14, 28)


@pytest.mark.parametrize("module", ["bench", "real_data", "shards", "metrics.tally"])
def test_what_needs_no_model_imports_no_torch(module):
    code = f"import sys, groundproof_training.{module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

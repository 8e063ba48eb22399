"""The embedded model on Ray's workers: to the letter what it says in one process."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from groundproof.models.open import open_model
from groundproof.runners.ray_data import run_on_ray

from .ray_runs import Told, answered_here, planned, told_of

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.weights
def test_two_workers_with_the_embedded_model_say_what_one_process_says(tmp_path: Path) -> None:
    scenes = [ROOT / "plugin" / "groundproof_qgis" / "demo" / "scene.tif"]
    model = open_model("tiny")
    expected = answered_here(planned(tmp_path / "here.run", scenes, model), model)
    there = planned(tmp_path / "there.run", scenes, model)
    with there.lock():
        run_on_ray(there, "tiny", Told(), there.pending(), workers=2)
    found = told_of(there)
    logprobs = "piece_logprobs"
    for ours, theirs in zip(found[logprobs], expected[logprobs], strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)  # another number of threads may add up otherwise
    pd.testing.assert_frame_equal(found.drop(columns=logprobs), expected.drop(columns=logprobs))
    assert "ok" in set(expected.status)  # boxes were found

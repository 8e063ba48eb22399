"""The whole recipe at toy size, into a folder that transformers loads and generates from."""

import numpy as np
import torch

from groundproof.models.profiles import get_profile
from groundproof.models.resolve import resolve
from groundproof_training.curves import draw_curves
from groundproof_training.evaluate import Answerer
from groundproof_training.recipe import run_recipe


def test_the_recipe_makes_a_folder_that_answers(tmp_path):
    lines: list[str] = []
    run_recipe(tmp_path / "work", tmp_path / "tiny", lines.append, small=True)
    assert lines[-1].startswith("wrote ")
    spec = resolve(str(tmp_path / "tiny"))
    assert spec.note is None
    own = {"name", "weights_run"}  # said by the folder and by this project, not by a profile's file
    assert spec.profile.model_dump(exclude=own) == get_profile("tiny").model_dump(exclude=own)
    answerer = Answerer(tmp_path / "tiny")
    images = [[np.zeros((112, 168, 3), dtype=np.uint8)]] * 2
    prompts = ["[count] How many ships are there?", "[vqa] Is there a ship?"]
    texts = answerer.texts(images, prompts, max_new_tokens=5)
    assert len(texts) == 2
    assert {p.dtype for p in answerer.model.parameters()} == {torch.float32}
    again: list[str] = []
    run_recipe(tmp_path / "work", tmp_path / "tiny", again.append, small=True)
    assert any("resumed" in line for line in again)
    draw_curves(tmp_path / "work", tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size > 5000

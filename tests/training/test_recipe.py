"""The whole recipe at toy size, into a folder that transformers loads and generates from."""

import numpy as np

from groundproof.models.base import Request
from groundproof.models.open import open_model
from groundproof.models.profiles import get_profile
from groundproof.models.resolve import resolve
from groundproof_training.curves import draw_curves
from groundproof_training.recipe import run_recipe


def test_the_recipe_makes_a_folder_that_answers(tmp_path):
    lines: list[str] = []
    run_recipe(tmp_path / "work", tmp_path / "tiny", lines.append, small=True)
    assert lines[-1].startswith("wrote ")
    spec = resolve(str(tmp_path / "tiny"))
    assert spec.note is None
    own = {"name", "weights_run"}  # said by the folder and by this project, not by a profile's file
    assert spec.profile.model_dump(exclude=own) == get_profile("tiny").model_dump(exclude=own)
    model = open_model(spec)
    image = np.zeros((112, 168, 3), dtype=np.uint8)
    asked = [
        Request(text, (image,), "", text, max_new_tokens=5)
        for text in ("[count] How many ships are there?", "[vqa] Is there a ship?")
    ]
    ended = [piece for piece in model.generate(asked) if piece.finish]
    assert {piece.request_id for piece in ended} == {one.request_id for one in asked}
    assert all(piece.error is None for piece in ended)
    model.close()
    again: list[str] = []
    run_recipe(tmp_path / "work", tmp_path / "tiny", again.append, small=True)
    assert any("resumed" in line for line in again)
    draw_curves(tmp_path / "work", tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size > 5000

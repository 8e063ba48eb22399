"""A run of the recipe that begins with weights there are already."""

import pytest
import torch

from groundproof.models.embedded import EMBEDDED_FOLDER
from groundproof_training.errors import TrainingError
from groundproof_training.recipe import SMALL_MODEL, TINY, new_model
from groundproof_training.starting import take_language, tower_weights


def test_the_tower_and_the_language_of_a_folder_are_taken_each_alone(tmp_path):
    from safetensors.torch import load_file

    folder = EMBEDDED_FOLDER
    stored = {k: v for file in folder.glob("*.safetensors") for k, v in load_file(file).items()}
    model, tokenizer, _ = new_model(tmp_path, TINY)
    first = {key: value.clone() for key, value in model.state_dict().items()}
    model.model.visual.load_state_dict(tower_weights(folder))
    now = model.state_dict()
    for key, value in stored.items():
        expected = value.float() if key.startswith("model.visual.") else first[key]
        assert torch.equal(now[key], expected), key
    take_language(model, tokenizer, folder)
    now = model.state_dict()
    assert all(torch.equal(now[key], value.float()) for key, value in stored.items())


def test_what_does_not_fit_is_said(tmp_path):
    with pytest.raises(TrainingError, match="not there"):
        tower_weights(tmp_path / "dense.pt")
    with pytest.raises(TrainingError, match=r"no \*\.safetensors"):
        tower_weights(tmp_path)
    model, tokenizer, _ = new_model(tmp_path, SMALL_MODEL)
    with pytest.raises(TrainingError, match="another size"):
        take_language(model, tokenizer, EMBEDDED_FOLDER)
    with pytest.raises(TrainingError, match=r"no tokenizer\.json"):
        take_language(model, tokenizer, tmp_path)
    tokenizer.add_tokens(["<|more|>"])
    with pytest.raises(TrainingError, match="cannot be gone on with"):
        take_language(model, tokenizer, EMBEDDED_FOLDER)

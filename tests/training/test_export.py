"""A tuned model's folder becomes one like the embedded model's, and nothing else does."""

import json

import pytest
import torch
from safetensors.torch import load_file

from groundproof_training.errors import TrainingError
from groundproof_training.export import export, export_tuned
from groundproof_training.recipe import SMALL_MODEL, new_model


@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    work = tmp_path_factory.mktemp("tuned")
    torch.manual_seed(0)
    model, tokenizer, _ = new_model(work, SMALL_MODEL)
    folder = work / "grpo"
    export(model, tokenizer, folder, torch.float32)
    return folder


def test_a_tuned_model_is_written_in_the_embedded_precision(tuned, tmp_path):
    size = export_tuned(tuned, tmp_path)
    before, after = load_file(tuned / "model.safetensors"), load_file(tmp_path / "model.safetensors")
    assert size == (tmp_path / "model.safetensors").stat().st_size
    assert after.keys() == before.keys()
    assert all(torch.equal(after[key], before[key].to(torch.bfloat16)) for key in before)
    config = json.loads((tmp_path / "config.json").read_text())
    told = {config["dtype"], config["text_config"]["dtype"], config["vision_config"]["dtype"]}
    assert told == {"bfloat16"}
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in tuned.iterdir())


@pytest.mark.parametrize(
    ("config", "says"), [(None, "it has no config.json"), ({"model_type": "qwen2_5_vl"}, "'qwen2_5_vl'")]
)
def test_another_folder_is_refused(config, says, tmp_path):
    if config:
        (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(TrainingError, match=says):
        export_tuned(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()

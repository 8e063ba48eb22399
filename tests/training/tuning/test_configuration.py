"""Configurations: what comes with the package is complete and what is wrong is told with its field."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from groundproof_training.errors import TrainingError
from groundproof_training.rewards import get
from groundproof_training.tuning.configuration import folder, names, read_configuration

TINY = (folder() / "tiny.toml").read_text()


@pytest.mark.parametrize("name", ["rsthinker-9b", "geovlm-r1-3b", "tiny"])
def test_what_comes_with_the_package_can_be_used(name: str) -> None:
    cfg = read_configuration(name)
    assert cfg.grpo.loss == "grpo"
    assert cfg.grpo.beta > 0
    for reward in cfg.grpo.rewards:
        assert get(reward.name, {"captions": {"cider": 0}} if reward.name == "rsthinker" else reward.settings)
    assert name in names()


def test_every_value_of_the_papers_recipes_says_where_it_comes_from() -> None:
    for name in ("rsthinker-9b", "geovlm-r1-3b"):
        content = (folder() / f"{name}.toml").read_text()
        for key in ("learning_rate", "batch", "beta", "epsilon", "temperature", "epochs"):
            line = next(line for line in content.splitlines() if line.startswith(f"{key} ="))
            assert "# " in line, f"{name}: {line}"


def test_a_file_of_ones_own_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(TINY.replace("learning_rate = 1e-4", "learning_rate = 5e-5"))
    assert read_configuration(str(path)).sft.learning_rate == 5e-5


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("k = 8", "k = 8\nkk = 1", "grpo.kk: Extra inputs are not permitted"),
        ("beta = 0.04", "beta = 0.0", "collapsed"),
        (
            'vision = "frozen"',
            'vision = "half"',
            "train.vision: Input should be 'frozen' or 'trained' .got 'half'",
        ),
        ("per_device = 16\nbeta", "per_device = 5\nbeta", "must be a multiple of per_device"),
        ("k = 8", "k = 1", "grpo.k"),
        ('"faithfulness"', '"fidelity"', "There is no reward 'fidelity'. Rewards: rsthinker"),
        ('name = "format",', 'name = "format", settings = { a = 1 },', "The reward format: a is 1"),
        ("weight = 0.2", "weight = nan", "grpo.rewards.1.weight"),
        ("max_pixels = 112_896", "max_pixels = 100", "min_pixels"),
    ],
)
def test_what_is_wrong_is_told_with_its_field(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(TINY.replace(old, new))
    with pytest.raises(TrainingError, match=message):
        read_configuration(str(path))


def test_an_unknown_name_is_told_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="geovlm-r1-3b, rsthinker-9b, tiny"):
        read_configuration("llama")
    with pytest.raises(TrainingError, match="cannot be read"):
        read_configuration(str(tmp_path / "none.toml"))


def test_accelerates_configurations_gather_whole_weights() -> None:
    files = sorted((folder() / "accelerate").glob("*.yaml"))
    assert [path.stem for path in files] == ["fsdp", "zero3"]
    fsdp, zero3 = (yaml.safe_load(path.read_text()) for path in files)
    assert fsdp["fsdp_config"]["fsdp_state_dict_type"] == "FULL_STATE_DICT"
    assert zero3["deepspeed_config"]["zero3_save_16bit_model"]


def test_a_package_that_is_missing_is_named() -> None:
    code = (
        "import sys; sys.modules['trl'] = None\n"
        "from groundproof_training.cli import main\n"
        "sys.argv = ['groundproof-train', 'sft', 'tiny', '--data', 'x.jsonl', '-o', 'out']\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "training needs trl, which is not installed: pip install 'groundproof[train]'" in done.stderr

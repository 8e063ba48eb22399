"""Weights that a run of the recipe begins with, in place of none: another run's, or those of a finished model.

Knows files and names of weights. Refuses to know stages and losses.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import Glm4vForConditionalGeneration, PreTrainedTokenizerFast

from groundproof_training.errors import TrainingError
from groundproof_training.tokenizer import load_tokenizer

TOWER = "model.visual."
TOKENIZER = "tokenizer.json"


def _weights(folder: Path) -> dict[str, torch.Tensor]:
    """All weights of a model folder as float32. Raises TrainingError where there are none."""
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise TrainingError(
            f"{folder} holds no *.safetensors; --start-from takes a model folder as `export` writes it"
        )
    return {key: value.float() for file in files for key, value in load_file(file).items()}


def tower_weights(start: Path) -> dict[str, torch.Tensor]:
    """State of the vision tower, float32, from another run's dense.pt or from a model folder.

    Raises TrainingError where `start` is neither.
    """
    if start.is_dir():
        found = {
            key.removeprefix(TOWER): value for key, value in _weights(start).items() if key.startswith(TOWER)
        }
    elif start.is_file():
        found = torch.load(start, weights_only=True).get("visual", {})
    else:
        raise TrainingError(f"{start} is not there; --start-from takes a dense.pt or a model folder")
    if not found:
        raise TrainingError(f"{start} holds no vision tower of this kind of model")
    return found


def take_language(
    model: Glm4vForConditionalGeneration, tokenizer: PreTrainedTokenizerFast, start: Path
) -> None:
    """The language model of a model folder into `model`, in place; the tower stays.

    Raises TrainingError where the folder's tokenizer is another one or its sizes differ.
    """
    if not (start / TOKENIZER).is_file():
        raise TrainingError(f"{start} has no {TOKENIZER}; --start-from takes a model folder here")
    # Weights of words mean nothing under other numbers of words.
    if load_tokenizer(start).get_vocab() != tokenizer.get_vocab():
        raise TrainingError(
            f"the tokenizer of {start} is not the one that this version makes: its language model cannot be gone on "
            "with (leave --start-from out to begin anew)"
        )
    mine = model.state_dict()
    found = {key: value for key, value in _weights(start).items() if not key.startswith(TOWER)}
    wrong = [key for key, value in found.items() if key not in mine or mine[key].shape != value.shape]
    if wrong:
        raise TrainingError(f"{start} is a model of another size: {wrong[0]} does not fit")
    model.load_state_dict(mine | found)

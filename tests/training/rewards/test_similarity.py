"""The sentence encoder: a checkpoint in a folder, here one with random weights, pooled by the mean of its tokens."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from transformers import AutoModel, BertConfig, BertModel, BertTokenizerFast

from groundproof.protocol import Task
from groundproof_training.errors import TrainingError
from groundproof_training.rewards import get
from groundproof_training.rewards.similarity import encoder

from .made import SEEN, TINY, sample, trace


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("encoder")
    plain = ["a", "white", "ship", "at", "the", "pier", "road", "forest"]
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *plain]
    (made / "vocab.txt").write_text("\n".join(words))
    BertTokenizerFast(vocab_file=str(made / "vocab.txt")).save_pretrained(made)
    torch.manual_seed(0)
    config = BertConfig(vocab_size=len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
                        intermediate_size=16)  # fmt: skip
    BertModel(config).save_pretrained(made)
    return made


def test_likeness_is_the_cosine_of_mean_pooled_states(folder: Path) -> None:
    alike = encoder(folder)
    model = AutoModel.from_pretrained(folder).eval()
    tokenizer = BertTokenizerFast.from_pretrained(folder)
    with torch.inference_mode():
        means = [model(**tokenizer(text, return_tensors="pt")).last_hidden_state.mean(1)[0]
                 for text in ("a white ship", "the forest road")]  # fmt: skip
    expected = max(0.0, torch.cosine_similarity(*means, dim=0).item())
    assert alike("a white ship", "the forest road") == pytest.approx(expected, abs=1e-5)
    assert alike("a white ship", "a white ship") == pytest.approx(1, abs=1e-6)
    assert alike("", "a ship") == 0 == alike(" ", "a ship")


def test_a_region_caption_is_half_encoder_half_words(folder: Path) -> None:
    region = sample(Task.REGION_CAPTION, answer="a white ship at the pier")
    reward = get("geovlm-r1", {"similarity": "sentence-encoder", "encoder": folder})
    alike = encoder(folder)("a white ship", "a white ship at the pier")
    assert reward(trace("a white ship"), region, TINY, SEEN) == pytest.approx(
        (alike + 2 * 2 / (2 + 4)) / 2, abs=1e-6
    )


def test_another_pooling_is_refused(folder: Path, tmp_path: Path) -> None:
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_mean_tokens": False}))
    with pytest.raises(TrainingError, match="does not pool by the mean"):
        encoder(tmp_path)


def test_a_folder_that_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(TrainingError, match="cannot be loaded"):
        encoder(tmp_path)

"""How alike two sentences are: by a sentence encoder in a local folder, or by their words, as the settings say.

The published reward compares Sentence-BERT embeddings (Reimers and Gurevych 2019). Nothing is downloaded.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from groundproof_training.errors import TrainingError
from groundproof_training.metrics.text import token_f1
from groundproof_training.rewards.settings import GeoVLMR1Settings

Similarity = Callable[[str, str], float]
"""Of two texts, in [0, 1]."""

MAX_TOKENS = 256


def similarity_of(settings: GeoVLMR1Settings) -> Similarity:
    """What the settings choose. Raises TrainingError where nothing is chosen, or the encoder cannot be used."""
    if settings.similarity == "lexical":
        return token_f1
    if settings.similarity == "sentence-encoder":
        if settings.encoder is None:
            raise TrainingError(
                'similarity = "sentence-encoder" needs encoder = "FOLDER", a Sentence-BERT checkpoint on this machine.'
            )
        return encoder(settings.encoder)
    raise TrainingError(
        "GeoVLM-R1's reward compares sentences by Sentence-BERT, which does not come with groundproof. Choose "
        'similarity = "sentence-encoder" with encoder = "FOLDER", or similarity = "lexical", which takes the F1 of '
        "words in its stead and is not what the paper did."
    )


@lru_cache(maxsize=2)
def encoder(folder: Path) -> Similarity:
    """Cosine of mean-pooled embeddings of a transformers checkpoint, not below 0. On the CPU.

    Raises TrainingError for a folder that is no such checkpoint, or whose pooling is another one.
    """
    if not (folder / "config.json").is_file():
        raise TrainingError(f"There is no sentence encoder in {folder}: a config.json is expected there.")
    pooling = folder / "1_Pooling" / "config.json"
    if pooling.is_file():
        modes = json.loads(pooling.read_text(encoding="utf-8"))
        if not modes.get("pooling_mode_mean_tokens", True):
            raise TrainingError(f"{folder} does not pool by the mean of its tokens, which is all we can do.")
    import torch
    from transformers import AutoModel, AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        model = AutoModel.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False, use_safetensors=True
        ).eval()
    except (OSError, ValueError) as err:
        raise TrainingError(f"The sentence encoder in {folder} cannot be loaded: {err}") from err

    @lru_cache(maxsize=4096)
    def embedded(text: str) -> torch.Tensor:
        batch = tokenizer([text], truncation=True, max_length=MAX_TOKENS, return_tensors="pt")
        with torch.inference_mode():
            states = model(**batch).last_hidden_state[0]
        mask = batch["attention_mask"][0][:, None]
        return torch.nn.functional.normalize((states * mask).sum(0) / mask.sum(), dim=0)

    def cosine(said: str, true: str) -> float:
        if not said.strip() or not true.strip():
            return float(said.strip() == true.strip())
        return min(1.0, max(0.0, float(embedded(said) @ embedded(true))))

    return cosine

"""A checkpoint's tokenizer and sizes: requests -> the prompts that vLLM takes.

Knows `PromptBuilder`, image tokens and images. Refuses to import vLLM and to load weights.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from transformers import AutoTokenizer, GenerationConfig

from groundproof.errors import ModelError
from groundproof.models.async_bridge import one_sentence
from groundproof.models.base import Request
from groundproof.models.processing import check_image
from groundproof.models.prompt import PromptBuilder


class Reading:
    """Makes the prompts of one checkpoint. config: its transformers configuration.

    opening: what the chat template already gives of the answer; stop_ids: the tokens that end it.

    Raises: ModelError when the checkpoint lacks a usable tokenizer, chat template or image token.
    """

    def __init__(self, folder: Path, config: Any) -> None:
        try:
            self.tokenizer = AutoTokenizer.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
        except (OSError, ValueError, KeyError) as err:
            raise ModelError(f"{folder} lacks a usable tokenizer: {one_sentence(err)}") from err
        self._image_id: int = getattr(config, "image_token_id", None) or -1
        image_token = self.tokenizer.convert_ids_to_tokens(self._image_id) if self._image_id >= 0 else None
        if not isinstance(image_token, str):
            raise ModelError(
                f"{folder}: a model of type {config.model_type} names no image token in its config.json, so its "
                "prompts cannot be made here. Serve it with `vllm serve` and ask that server by its URL."
            )
        self._prompts = PromptBuilder(self.tokenizer, image_token)
        self.opening = self._prompts.opening()
        self.stop_ids = _stop_ids(folder, config, self.tokenizer)
        vision: Any = getattr(config, "vision_config", None)
        merge = getattr(vision, "spatial_merge_size", None)
        self._patch_px: int | None = None if merge is None else merge * vision.patch_size

    def prompt(self, request: Request) -> dict[str, Any]:
        """Token ids, images and their names, as vLLM's `TokensPrompt`.

        Raises: ModelError when the request cannot be shown to the model.
        """
        for image in request.images:
            check_image(image)
        prompt: dict[str, Any] = {
            "prompt_token_ids": self._prompts.ids(request.system, request.text, len(request.images))
        }
        if request.images:
            pictures = [Image.fromarray(image) for image in request.images]
            prompt["multi_modal_data"] = {"image": pictures}
            prompt["multi_modal_uuids"] = {"image": [image_name(image) for image in request.images]}
        return prompt

    def resized(self, request: Request, prompt_ids: list[int] | None) -> str:
        """A sentence when vLLM's image processor gave the images another size, which moves boxes; else ""."""
        if self._patch_px is None or prompt_ids is None:
            return ""
        side = self._patch_px
        whole = all(size % side == 0 for image in request.images for size in image.shape[:2])
        patches = sum((image.shape[0] // side) * (image.shape[1] // side) for image in request.images)
        if whole and prompt_ids.count(self._image_id) == patches:
            return ""
        sizes = ", ".join(f"{image.shape[1]} x {image.shape[0]}" for image in request.images)
        return (
            f"A tile of {sizes} pixels would be resized by the model; its sides must be multiples of {side} "
            "within the model's limits."
        )


def image_name(image: NDArray[np.uint8]) -> str:
    """The image's name in vLLM's caches: a hash of its size and pixels."""
    height, width = image.shape[:2]
    return f"{hashlib.blake2b(image.tobytes(), digest_size=16).hexdigest()}-{width}x{height}"


def _stop_ids(folder: Path, config: Any, tokenizer: Any) -> frozenset[int]:
    """The tokens that end an answer: the first that is named by the generation config, the config, the
    tokenizer; the same order as in process."""
    sources = [config, config.get_text_config(), tokenizer]
    if (folder / "generation_config.json").is_file():
        sources.insert(0, GenerationConfig.from_pretrained(folder, local_files_only=True))
    for source in sources:
        found = getattr(source, "eos_token_id", None)
        if found is not None:
            return frozenset([found] if isinstance(found, int) else found)
    return frozenset()

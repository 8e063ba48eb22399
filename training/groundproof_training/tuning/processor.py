"""The one class TRL's trainers take for a vision-language model's processor, made of the engine's own processing.

transformers' processors of these families import torchvision, which is not everywhere; and what is trained on must be
token for token what the engine asks with. Knows messages, ids and padding. Refuses to resize.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from transformers import ProcessorMixin
from transformers.feature_extraction_utils import BatchFeature

from groundproof.models.base import Request
from groundproof.models.identity import DECIDING_FILES
from groundproof.models.processing import Prepared
from groundproof_training.tuning.checkpoint import Checkpoint

MODELS_OWN = ("config.json", "generation_config.json")
"""Of the deciding files, those that the model itself writes."""


class RenderedPrompt(str):
    """A prompt as text that remembers its parts, so that encoding it again cannot read a question's words as
    control tokens."""

    system: str
    text: str

    @classmethod
    def of(cls, rendered: str, system: str, text: str) -> RenderedPrompt:
        """rendered: the whole text."""
        made = cls(rendered)
        made.system, made.text = system, text
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> RenderedPrompt:
        return self


def copy_texts(source: Path, folder: Path) -> None:
    """Tokenizer, chat template and image processor as they are in `source`."""
    for name in DECIDING_FILES:
        if name not in MODELS_OWN and (source / name).is_file():
            shutil.copyfile(source / name, folder / name)


class TuningProcessor(ProcessorMixin):
    """Messages with images -> ids, patches and masks, as `GridProcessing` makes them for the engine.

    Takes one conversation or a list of them; each is an optional system message and one user message whose content is
    images, then one text.
    """

    def __init__(self, point: Checkpoint) -> None:  # the mixin's own would load what is loaded already
        self._point = point
        self._processing = point.processing
        self.tokenizer = point.tokenizer
        self.image_processor = point.processing.image_processor
        self.image_token_id = point.config.image_token_id
        self.chat_template = self.tokenizer.chat_template
        # TRL would let these take the thinking out of an answer, and rewards read the whole.
        for attribute in ("response_template", "response_schema"):
            if getattr(self.tokenizer, attribute, None) is not None:
                setattr(self.tokenizer, attribute, None)

    @classmethod
    def get_attributes(cls) -> list[str]:
        """The parts, as transformers calls them."""
        return ["image_processor", "tokenizer"]

    def __repr__(self) -> str:
        return f"TuningProcessor({self._point.folder.name})"

    def to_dict(self, **kwargs: Any) -> dict[str, Any]:
        """What loggers show."""
        return {"processor_class": type(self).__name__}

    def save_pretrained(self, save_directory: Any, push_to_hub: bool = False, **kwargs: Any) -> list[str]:
        """The files of the folder it came from, unchanged."""
        folder = Path(save_directory)
        folder.mkdir(parents=True, exist_ok=True)
        copy_texts(self._point.folder, folder)
        return []

    def batch_decode(self, *args: Any, **kwargs: Any) -> list[str]:
        """Texts of answers, without what the prompt already opened."""
        return self.tokenizer.batch_decode(*args, **kwargs)

    def decode(self, *args: Any, **kwargs: Any) -> str:
        """The tokenizer's."""
        return self.tokenizer.decode(*args, **kwargs)

    def apply_chat_template(
        self, conversation: Any, chat_template: Any = None, tokenize: bool = False, **kwargs: Any
    ) -> Any:
        """Prompts that end where the answer begins. tokenize: also ids (lists), patches and masks; else text."""
        single = isinstance(conversation[0], dict)
        asked = [_parts(messages) for messages in ([conversation] if single else conversation)]
        if not tokenize:
            texts = [self._rendered(system, text, images) for system, text, images in asked]
            return texts[0] if single else texts
        return self._batch(asked)

    def __call__(
        self,
        images: Any = None,
        text: Any = None,
        padding: Any = False,
        return_tensors: Any = None,
        **kwargs: Any,
    ) -> BatchFeature:
        """Texts that `apply_chat_template` gave, with a list of images each; padded from the left."""
        if isinstance(text, str):
            text = [text]
        rows = []
        for one, given in zip(text, images or [None] * len(text), strict=True):
            if not isinstance(one, RenderedPrompt):
                raise TypeError("a prompt must come from apply_chat_template of this processor")
            rows.append((one.system, one.text, list(given or [])))
        batch = self._batch(rows)
        if return_tensors == "pt":
            for key, fill in (
                ("input_ids", self.tokenizer.pad_token_id), ("attention_mask", 0), ("mm_token_type_ids", 0)
            ):  # fmt: skip
                batch[key] = left_padded(batch[key], fill)
        return batch

    def _rendered(self, system: str, text: str, images: Sequence[Image.Image]) -> RenderedPrompt:
        return RenderedPrompt.of(self._processing.prompts.string(system, text, len(images)), system, text)

    def _batch(self, rows: Sequence[tuple[str, str, list[Image.Image]]]) -> BatchFeature:
        """Ids, masks and token types as lists; patches of all images as tensors. The same row is prepared once."""
        known: dict[tuple[Any, ...], Prepared] = {}
        prepared = []
        for system, text, images in rows:
            key = (system, text, *map(id, images))
            if key not in known:
                known[key] = prepare(self._processing, system, text, images)
            prepared.append(known[key])
        data: dict[str, Any] = {
            "input_ids": [one.ids for one in prepared],
            "attention_mask": [[1] * len(one.ids) for one in prepared],
            "mm_token_type_ids": [one.image_mask for one in prepared],
        }
        for key in {key for one in prepared for key in one.tensors}:
            data[key] = torch.cat([one.tensors[key] for one in prepared if key in one.tensors])
        return BatchFeature(data)


def prepare(processing: Any, system: str, text: str, images: Sequence[Image.Image]) -> Prepared:
    """One prompt as the engine makes it. images: RGB, already of the size the model sees."""
    return processing.prepare(Request("", tuple(np.asarray(image) for image in images), system, text))


def left_padded(rows: Sequence[Sequence[int]], fill: int) -> torch.Tensor:
    """int64 (rows, longest)."""
    longest = max(map(len, rows))
    return torch.tensor([[fill] * (longest - len(row)) + list(row) for row in rows])


def _parts(messages: Sequence[dict[str, Any]]) -> tuple[str, str, list[Image.Image]]:
    """System text, question and images of a conversation."""
    system, text, images = "", "", []
    for message in messages:
        content = message["content"]
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
        if message["role"] == "system":
            system = "".join(part["text"] for part in parts)
            continue
        images += [part["image"] for part in parts if part["type"] == "image"]
        text += "".join(part["text"] for part in parts if part["type"] == "text")
    return system, text, images

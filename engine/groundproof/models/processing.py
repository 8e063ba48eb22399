"""Requests -> the tensors a vision-language model takes.

Knows image processors, image tokens and padding. Refuses to resize: a tile comes in a size the model takes
as it is, or the request fails with a sentence. Needs no torchvision for the families it composes itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from groundproof.errors import ModelError
from groundproof.models.base import Request
from groundproof.models.known_images import KnownImages
from groundproof.models.prompt import PromptBuilder


@dataclass(frozen=True, slots=True, eq=False)
class Patches:
    """One image as the vision tower takes it. values: (patches, numbers of one patch); grid: (1, 3), frames, rows
    and columns of patches. Two are the same image only if they are the same object."""

    values: Tensor
    grid: Tensor


@dataclass(frozen=True, slots=True)
class Prepared:
    """One request as the model sees it, on the CPU, unpadded.

    ids: token ids, images expanded. image_mask: 1 where an id stands for image content, else 0 (what
    transformers calls mm_token_type_ids; M-RoPE positions come from it). patches: its images, where the family
    cuts them so. others: everything else the model's forward takes, joined along axis 0 over a batch.
    """

    ids: list[int]
    image_mask: list[int]
    patches: tuple[Patches, ...] = ()
    others: dict[str, Tensor] = field(default_factory=dict)

    @property
    def beginning(self) -> int:
        """How many ids there are up to the end of the last image: all that questions about it have in common."""
        return len(self.ids) - self.image_mask[::-1].index(1) if 1 in self.image_mask else 0

    @property
    def tensors(self) -> dict[str, Tensor]:
        """What the model's forward takes of this request alone, beside ids and masks."""
        if not self.patches:
            return self.others
        return {
            "pixel_values": joined([one.values for one in self.patches]),
            "image_grid_thw": joined([one.grid for one in self.patches]),
            **self.others,
        }


class Processing(Protocol):
    """Prepares requests for one checkpoint. opening: text that the prompt already gives the answer."""

    tokenizer: Any
    opening: str

    def prepare(self, request: Request, known: KnownImages[Patches] | None = None) -> Prepared:
        """known: images of earlier requests, so that those which are the same array share their `Patches`.

        Raises: ModelError with one sentence when the request cannot be shown to the model.
        """
        ...


class GridProcessing:
    """Families whose images are grids of patches, merged by squares: GLM-4V and Qwen-VL.

    Composes the PIL image processor and the tokenizer itself, because transformers' own processors of these
    families import torchvision. Pixels, ids and masks are the same as theirs.
    """

    def __init__(self, tokenizer: Any, image_processor: Any, image_token_id: int) -> None:
        self.tokenizer = tokenizer
        self.image_processor = image_processor
        self._image_id = image_token_id
        image_token = tokenizer.convert_ids_to_tokens(image_token_id)
        if not isinstance(image_token, str):
            raise ModelError(f"The tokenizer has no token {image_token_id}, the config's image token.")
        self.prompts = PromptBuilder(tokenizer, image_token)
        self.opening = self.prompts.opening()

    def prepare(self, request: Request, known: KnownImages[Patches] | None = None) -> Prepared:
        """Ids with every image token repeated once per merged patch, and the images' patches."""
        ids = self.prompts.ids(request.system, request.text, len(request.images))
        if ids.count(self._image_id) != len(request.images):
            raise ModelError(
                f"The prompt holds {ids.count(self._image_id)} images, not {len(request.images)}."
            )
        images = KnownImages() if known is None else known
        patches = tuple(images.of(image, self._patches) for image in request.images)
        counts = (int(one.grid.prod()) // self.image_processor.merge_size**2 for one in patches)
        expanded: list[int] = []
        for token in ids:
            expanded += [token] * next(counts) if token == self._image_id else [token]
        return Prepared(expanded, [int(token == self._image_id) for token in expanded], patches)

    def _patches(self, image: NDArray[np.uint8]) -> Patches:
        check_image(image)
        batch = self.image_processor(images=[image], input_data_format="channels_last", return_tensors="pt")
        patch, merge = self.image_processor.patch_size, self.image_processor.merge_size
        _, rows, columns = batch["image_grid_thw"][0].tolist()
        height, width = image.shape[:2]
        if (rows * patch, columns * patch) != (height, width):
            raise ModelError(
                f"A tile of {width} x {height} pixels would be resized to {columns * patch} x {rows * patch} by "
                f"the model; its sides must be multiples of {patch * merge} within its limits."
            )
        return Patches(batch["pixel_values"], batch["image_grid_thw"])


class AutoProcessing:
    """Any other family, through its own transformers processor (which may need torchvision).

    What such a processor makes of an image cannot be told apart from the rest, so nothing is shared.
    """

    def __init__(self, processor: Any, image_token: str) -> None:
        self.tokenizer = processor.tokenizer
        self._processor = processor
        self._image_token_id = self.tokenizer.convert_tokens_to_ids(image_token)
        self._prompts = PromptBuilder(self.tokenizer, image_token)
        self.opening = self._prompts.opening()

    def prepare(self, request: Request, known: KnownImages[Patches] | None = None) -> Prepared:
        """The processor's own output; control tokens in the question get a space inside."""
        for image in request.images:
            check_image(image)
        prompt = self._prompts.string(request.system, request.text, len(request.images))
        batch = self._processor(
            text=[prompt],
            images=list(request.images) or None,
            add_special_tokens=False,
            return_tensors="pt",
        )
        ids = batch.pop("input_ids")[0].tolist()
        batch.pop("attention_mask", None)
        kinds = batch.pop("mm_token_type_ids", None)
        mask = kinds[0].tolist() if kinds is not None else [int(i == self._image_token_id) for i in ids]
        others = {name: value for name, value in batch.items() if isinstance(value, Tensor)}
        return Prepared(ids, mask, others=others)


def check_image(image: np.ndarray[Any, Any]) -> None:
    """Raises: ModelError unless the array is uint8 (height, width, 3)."""
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise ModelError(f"A tile must be uint8 (height, width, 3), got {image.dtype} {image.shape}.")


def load_processing(folder: Path, config: Any) -> Processing:
    """The processing of a checkpoint. config: its transformers configuration.

    Raises: ModelError when tokenizer or image processor are missing or cannot be used here.
    """
    from transformers import AutoTokenizer

    try:
        if config.model_type in _GRID_FAMILIES:
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
            images = _image_processor(config.model_type).from_pretrained(folder, local_files_only=True)
            _check_patches(folder, images, config)
            return GridProcessing(tokenizer, images, config.image_token_id)
        from transformers import AutoProcessor

        processor = AutoProcessor.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        return AutoProcessing(processor, _image_token(folder, processor))
    except ImportError as err:
        raise ModelError(
            f"Models of type {config.model_type} need torchvision for their images, which does not import "
            f"here ({err}). Install a torchvision that fits the installed torch."
        ) from err
    except (OSError, ValueError, KeyError, AttributeError) as err:
        reason = str(err).splitlines()[0] if str(err) else type(err).__name__
        raise ModelError(f"{folder} lacks a usable tokenizer or image processor: {reason}") from err


_GRID_FAMILIES = ("glm4v", "qwen2_vl", "qwen2_5_vl", "qwen3_vl")


def _image_processor(model_type: str) -> Any:
    if model_type == "glm4v":
        from transformers.models.glm4v.image_processing_pil_glm4v import Glm4vImageProcessorPil

        return Glm4vImageProcessorPil
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    return Qwen2VLImageProcessorPil


def _check_patches(folder: Path, images: Any, config: Any) -> None:
    vision = config.vision_config
    ours = (images.patch_size, images.merge_size, images.temporal_patch_size)
    models = (vision.patch_size, vision.spatial_merge_size, vision.temporal_patch_size)
    if ours != models:
        raise ModelError(
            f"{folder}: the image processor cuts (patch, merge, frames) = {ours}, the model takes {models}."
        )


def _image_token(folder: Path, processor: Any) -> str:
    token = getattr(processor, "image_token", None)
    if not isinstance(token, str):
        raise ModelError(f"{folder}: the processor {type(processor).__name__} names no image token.")
    return token


def left_padded(rows: list[list[int]], fill: int) -> Tensor:
    """Rows of ids -> int64 (rows, longest), shorter ones filled from the left."""
    longest = max(map(len, rows))
    return torch.tensor([[fill] * (longest - len(row)) + row for row in rows])


def joined(tensors: list[Tensor]) -> Tensor:
    """Along axis 0; a single one as it is, not copied."""
    return tensors[0] if len(tensors) == 1 else torch.cat(tensors)

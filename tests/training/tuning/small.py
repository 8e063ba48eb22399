"""Random models of the three architectures, small enough for a test, and samples with images to train them on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from transformers import (
    AutoConfig,
    AutoModelForImageTextToText,
    GenerationConfig,
    PreTrainedTokenizerFast,
)

from groundproof.models.embedded import EMBEDDED_FOLDER
from groundproof.protocol import Task
from groundproof_training.samples import EvidenceLine, Rationale, Sample, SampleImage, TrueBox
from groundproof_training.tuning.configuration import Configuration, read_configuration

KINDS = ("glm4v", "qwen2_5_vl", "qwen3_vl")
PROFILES = {"glm4v": "tiny", "qwen2_5_vl": "qwen2.5-vl", "qwen3_vl": "qwen3-vl"}
ENDS = {"glm4v": "<|user|>", "qwen2_5_vl": "<|im_end|>", "qwen3_vl": "<|im_end|>"}
PATCH = {"glm4v": 14, "qwen2_5_vl": 14, "qwen3_vl": 16}

QWEN_TOKENS = [
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
]
QWEN_TEMPLATE = (
    "{%- for m in messages -%}<|im_start|>{{ m.role }}\n"
    "{%- if m.content is string -%}{{ m.content }}{%- else -%}{%- for part in m.content -%}"
    "{%- if part.type == 'image' -%}<|vision_start|><|image_pad|><|vision_end|>"
    "{%- elif part.type == 'text' -%}{{ part.text }}{%- endif -%}{%- endfor -%}{%- endif -%}"
    "<|im_end|>\n{%- endfor -%}{%- if add_generation_prompt -%}<|im_start|>assistant\n{%- endif -%}"
)


def small_tokenizer(kind: str) -> PreTrainedTokenizerFast:
    tokenizer = PreTrainedTokenizerFast.from_pretrained(EMBEDDED_FOLDER)
    if kind != "glm4v":
        tokenizer.add_special_tokens({"additional_special_tokens": QWEN_TOKENS})
        tokenizer.chat_template = QWEN_TEMPLATE
    return tokenizer


def visual_ids(kind: str, tokenizer: Any) -> dict[str, int]:
    names = (
        {"image": "<|image|>", "video": "<|video|>", "image_start": "<|begin_of_image|>",
         "image_end": "<|end_of_image|>", "video_start": "<|begin_of_video|>", "video_end": "<|end_of_video|>"}
        if kind == "glm4v"
        else {"image": "<|image_pad|>", "video": "<|video_pad|>", "vision_start": "<|vision_start|>",
              "vision_end": "<|vision_end|>"}
    )  # fmt: skip
    return {f"{name}_token_id": tokenizer.convert_tokens_to_ids(text) for name, text in names.items()}


def small_config(kind: str, tokenizer: Any) -> Any:
    text = {
        "vocab_size": len(tokenizer), "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 8192, "head_dim": 16,
        "pad_token_id": tokenizer.pad_token_id,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10_000.0, "mrope_section": [2, 3, 3]},
    }  # fmt: skip
    vision: dict[str, Any] = {
        "depth": 2, "hidden_size": 32, "num_heads": 2, "intermediate_size": 48, "out_hidden_size": 64,
        "patch_size": PATCH[kind], "spatial_merge_size": 2, "temporal_patch_size": 2,
    }  # fmt: skip
    if kind == "glm4v":
        text["rope_parameters"] |= {"partial_rotary_factor": 0.5, "mrope_section": [2, 1, 1]}
        vision["image_size"] = 112
    if kind == "qwen2_5_vl":
        vision |= {"window_size": 56, "fullatt_block_indexes": [1]}
    if kind == "qwen3_vl":
        vision |= {"deepstack_visual_indexes": [0], "num_position_embeddings": 64}
    return AutoConfig.for_model(
        kind,
        text_config=text,
        vision_config=vision,
        tie_word_embeddings=False,
        **visual_ids(kind, tokenizer),
    )


def write_model(kind: str, folder: Path, config: Any = None, dtype: torch.dtype = torch.float32) -> Path:
    """A folder as the hub has them: weights, configurations, tokenizer, image processor."""
    tokenizer = small_tokenizer(kind)
    torch.manual_seed(0)
    model = AutoModelForImageTextToText.from_config(config or small_config(kind, tokenizer)).to(dtype)
    end = tokenizer.convert_tokens_to_ids(ENDS[kind])
    model.generation_config = GenerationConfig(eos_token_id=[end], pad_token_id=tokenizer.pad_token_id)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    described = json.loads((EMBEDDED_FOLDER / "preprocessor_config.json").read_text())
    described |= {
        "image_processor_type": "Glm4vImageProcessor" if kind == "glm4v" else "Qwen2VLImageProcessor",
        "size": {"shortest_edge": 1024, "longest_edge": 1_000_000},
        "patch_size": PATCH[kind],
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(described))
    return folder


def small_settings(kind: str = "glm4v", **changes: Any) -> Configuration:
    """`tiny` with steps that take milliseconds; changes: "section.key" = value with a double underscore."""
    tree = read_configuration("tiny").model_dump(mode="json", exclude_none=True)
    tree["model"] |= {"profile": PROFILES[kind], "end_token": ENDS[kind]}
    tree["data"] |= {"min_pixels": 3136, "max_pixels": 12_544, "max_tokens": 4000}
    tree["train"]["vision"] = "trained"
    tree["sft"] |= {"batch": 4, "per_device": 4, "learning_rate": 3e-3, "warmup": 0.0}
    tree["grpo"] |= {"k": 2, "prompts": 2, "per_device": 4, "max_completion_tokens": 12, "learning_rate": 1e-3,
                     "mask_truncated": False, "temperature": 1.0, "warmup": 0.0}  # fmt: skip
    tree["saving"] |= {"every": 1000, "log_every": 1}
    for key, value in changes.items():
        section, _, name = key.partition("__")
        if value is None:
            tree[section].pop(name, None)
        else:
            tree[section][name] = value
    return Configuration.model_validate(tree)


def make_sample(root: Path, number: int, side: int = 84, n_images: int = 1, **changes: Any) -> Sample:
    """Squares on grey; "How many ships are there?" with its rationale."""
    rng = np.random.default_rng(number)
    count = int(rng.integers(1, 4))
    pixels = np.full((side, side, 3), 90, dtype=np.uint8)
    boxes = []
    for k in range(count):
        x, y = 4 + 26 * k, int(rng.integers(4, side - 24))
        pixels[y : y + 18, x : x + 18] = (220, 40, 40)
        boxes.append(TrueBox(label="ship", x0=x, y0=y, x1=x + 18, y1=y + 18))
    images = []
    for image in range(n_images):
        path = f"images/{number}-{image}.png"
        (root / "images").mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(root / path)
        images.append(SampleImage(path=path, width=side, height=side))
    fields = dict(
        sample_id=f"squares-{number}",
        source="squares",
        split="train",
        licence="Apache-2.0",
        task=Task.COUNT,
        images=tuple(images),
        question="How many ships are there?",
        answer=str(count),
        asked=("ship",),
        boxes=tuple(boxes),
        rationale=Rationale(
            plan="Look for ships.",
            evidence=tuple(EvidenceLine(text="ship", box=k) for k in range(count)),
            synthesis=f"{count} ships.",
            by="template",
        ),
    )
    return Sample(**(fields | changes))


def write_samples(root: Path, samples: list[Sample], name: str = "samples.jsonl") -> Path:
    root.mkdir(parents=True, exist_ok=True)
    path = root / name
    path.write_text("".join(sample.model_dump_json() + "\n" for sample in samples))
    return path

"""A trained model as a folder that transformers loads as it is, and that ships inside the engine's package."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path

import tomli_w
import torch
from transformers import GenerationConfig, Glm4vForConditionalGeneration, PreTrainedTokenizerFast

from groundproof.models.resolve import PROFILE_FILE
from groundproof_training.cells import PATCH_PX
from groundproof_training.errors import TrainingError
from groundproof_training.model import IMAGE_MEAN, IMAGE_STD
from groundproof_training.tokenizer import load_tokenizer

SMALLEST_AREA_PX = 112 * 112
LARGEST_AREA_PX = 448 * 448 * 2
"""transformers' GLM-4V processor compares 2 (temporal patches) x height x width with `longest_edge`."""

PROFILE = {"base": "tiny"}
"""How the engine talks to the exported model: as to the embedded one (`groundproof.models.profiles`)."""


def preprocessor_config() -> dict:
    """What `Glm4vImageProcessorPil.from_pretrained` reads: CLIP statistics, 14 px patches, merge 2."""
    return {
        "image_processor_type": "Glm4vImageProcessor",
        "do_resize": True,
        "do_rescale": True,
        "do_normalize": True,
        "do_convert_rgb": True,
        "rescale_factor": 1 / 255,
        "resample": 3,
        "size": {"shortest_edge": SMALLEST_AREA_PX, "longest_edge": LARGEST_AREA_PX},
        "image_mean": [round(v, 8) for v in IMAGE_MEAN.tolist()],
        "image_std": [round(v, 8) for v in IMAGE_STD.tolist()],
        "patch_size": PATCH_PX,
        "temporal_patch_size": 2,
        "merge_size": 2,
    }


def export(
    model: Glm4vForConditionalGeneration, tokenizer: PreTrainedTokenizerFast, folder: Path, dtype: torch.dtype
) -> int:
    """Write weights (safetensors, `dtype`), configurations, tokenizer and the engine's profile; returns the weights'
    size in bytes.

    The model passed in is left as it was.
    """
    folder.mkdir(parents=True, exist_ok=True)
    state = {key: value.detach().to(dtype).contiguous() for key, value in model.state_dict().items()}
    copy = Glm4vForConditionalGeneration(deepcopy(model.config)).to(dtype)
    copy.load_state_dict(state)
    for part in (copy.config.text_config, copy.config.vision_config):
        part.dtype = dtype  # a tuned model's folder says that of its training
    end = [tokenizer.convert_tokens_to_ids(text) for text in ("<|endoftext|>", "<|user|>")]
    copy.generation_config = GenerationConfig(
        do_sample=False, eos_token_id=end, pad_token_id=end[0], max_new_tokens=1024
    )
    copy.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(preprocessor_config(), indent=2) + "\n")
    (folder / PROFILE_FILE).write_text(tomli_w.dumps(PROFILE), encoding="utf-8")
    return sum(path.stat().st_size for path in folder.glob("*.safetensors"))


def export_tuned(tuned: Path, folder: Path) -> int:
    """`export` of the folder that `sft` or `grpo` wrote, in the embedded weights' bfloat16; bytes of weights.

    Raises TrainingError where `tuned` holds no model of this kind.
    """
    config = tuned / "config.json"
    kind = json.loads(config.read_text(encoding="utf-8")).get("model_type") if config.is_file() else None
    if kind != Glm4vForConditionalGeneration.config_class.model_type:
        found = f"its kind is {kind!r}" if kind else "it has no config.json"
        raise TrainingError(
            f"{tuned} is no model like the embedded one ({found}); --model takes a folder that `sft` or `grpo` wrote "
            "from such a model"
        )
    model = Glm4vForConditionalGeneration.from_pretrained(tuned, dtype=torch.float32)
    return export(model, load_tokenizer(tuned), folder, torch.bfloat16)

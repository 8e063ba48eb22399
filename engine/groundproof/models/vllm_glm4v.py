"""GLM-4.1V in vLLM, computed as transformers computes it. Registered by `vllm_plugin`.

Knows two facts about checkpoints that vLLM 0.32 does not read where transformers writes them:

- The query, key and value projections of `Glm4vTextAttention` always have biases; vLLM makes them only where
  `text_config.attention_bias` says so (`Glm4Attention`), and drops the checkpoint's without a word. The
  published 9B configurations have the key, what transformers itself saves has not.
- The rotary base of the vision tower is `vision_config.rope_parameters.rope_theta`; vLLM writes 10,000
  (`Glm4vVisionTransformer.__init__`). The published models have that, the embedded one has 100.

With either wrong the embedded model still answers, plausibly and worse.
"""

from __future__ import annotations

from typing import Any

from vllm.model_executor.layers.rotary_embedding import get_rope
from vllm.model_executor.models.glm4_1v import Glm4vForConditionalGeneration


class Glm4v(Glm4vForConditionalGeneration):  # type: ignore[misc]  # vLLM is untyped here
    """vLLM's own class in everything else. The arguments are those that vLLM gives every model."""

    def __init__(self, *, vllm_config: Any, prefix: str = "") -> None:
        vllm_config.model_config.hf_config.text_config.attention_bias = True
        super().__init__(vllm_config=vllm_config, prefix=prefix)
        vision = self.config.vision_config
        # Half of a head turns with the row, half with the column.
        self.visual.rotary_pos_emb = get_rope(
            head_size=vision.hidden_size // vision.num_heads,
            max_position=8192,
            is_neox_style=True,
            rope_parameters={
                "partial_rotary_factor": 0.5,
                "rope_theta": vision.rope_parameters["rope_theta"],
            },
        )

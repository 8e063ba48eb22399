"""GLM-4.1V in vLLM, with the rotary base of its vision tower read from the checkpoint.

Knows one number of `vision_config`. vLLM 0.32 writes the base of GLM-4.1V's vision tower as 10,000 and does not
look at `vision_config.rope_parameters.rope_theta` (`Glm4vVisionTransformer.__init__`), which transformers
reads. For the published 9B models both say 10,000; the embedded model has 100, because its tiles are 16
patches wide, and with the wrong base it answers, plausibly and worse. Registered by `vllm_plugin`.
"""

from __future__ import annotations

from typing import Any

from vllm.model_executor.layers.rotary_embedding import get_rope
from vllm.model_executor.models.glm4_1v import Glm4vForConditionalGeneration

PARTIAL = 0.5
"""Half of a head turns with the row, half with the column, as in vLLM's own class."""


class Glm4v(Glm4vForConditionalGeneration):  # type: ignore[misc]  # vLLM is untyped here
    """vLLM's own class in everything else."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        vision = self.config.vision_config
        theta = vision.rope_parameters["rope_theta"]
        self.visual.rotary_pos_emb = get_rope(
            head_size=vision.hidden_size // vision.num_heads,
            max_position=8192,
            is_neox_style=True,
            rope_parameters={"partial_rotary_factor": PARTIAL, "rope_theta": theta},
        )

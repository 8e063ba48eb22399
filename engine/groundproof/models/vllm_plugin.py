"""What vLLM loads into each of its processes before it looks at a model (entry point `vllm.general_plugins`).

Knows one name in vLLM's list of architectures. Refuses to import vLLM's models: that is for the process that
runs one. Works for `vllm serve` too, where groundproof is installed beside vLLM.
"""

from __future__ import annotations

ARCHITECTURE = "Glm4vForConditionalGeneration"
CLASS = "groundproof.models.vllm_glm4v:Glm4v"


def register() -> None:
    """Have `ARCHITECTURE` answered by `CLASS`. Any number of times."""
    from vllm import ModelRegistry

    ModelRegistry.register_model(ARCHITECTURE, CLASS)

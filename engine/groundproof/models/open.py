"""A model's name -> a model that answers. The one place that chooses an adapter.

Knows which adapter serves which spec; imports it only when asked, so that the core needs no torch.
"""

from __future__ import annotations

from groundproof.errors import ModelError
from groundproof.models.base import VisionLanguageModel
from groundproof.models.resolve import ModelSpec, resolve


def open_model(
    model: str | ModelSpec, device: str = "auto", max_in_flight: int | None = None
) -> VisionLanguageModel:
    """Resolve (see `resolve`), then load in process or make contact with the server.

    device: "auto", "cpu", "cuda", "cuda:1", "mps"; a server decides for itself. max_in_flight: requests
    answered together; None: the adapter's default.

    Raises: ModelError, also where an engine is not installed.
    """
    spec = resolve(model) if isinstance(model, str) else model
    if spec.engine == "openai":
        from groundproof.models.openai_adapter import load as contact

        return contact(spec, max_in_flight=max_in_flight)
    if spec.engine == "vllm":
        try:
            from groundproof.models.vllm_adapter import load as load_vllm
        except ImportError as err:
            raise ModelError(
                f"Running {spec.profile.name} with vLLM in this process needs vLLM ({err}). Install it with: "
                f"pip install 'groundproof[vllm]'"
            ) from err
        return load_vllm(spec, device=device, max_in_flight=max_in_flight)
    try:
        from groundproof.models.transformers_adapter import load
    except ImportError as err:
        raise ModelError(
            f"Running {spec.profile.name} in process needs torch and transformers ({err}). "
            "Install them with: pip install 'groundproof[torch]'"
        ) from err
    return load(spec, device=device, max_in_flight=max_in_flight)

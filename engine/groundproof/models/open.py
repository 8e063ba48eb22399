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
    """Resolve (see `resolve`) and load in process with transformers.

    device: "auto", "cpu", "cuda", "cuda:1", "mps". max_in_flight: requests answered together; None: the
    adapter's default for the device.

    Raises: ModelError, also where torch or transformers is not installed.
    """
    spec = resolve(model) if isinstance(model, str) else model
    try:
        from groundproof.models.transformers_adapter import load
    except ImportError as err:
        raise ModelError(
            f"Running {spec.profile.name} in process needs torch and transformers ({err}). "
            "Install them with: pip install 'groundproof[torch]'"
        ) from err
    return load(spec, device=device, max_in_flight=max_in_flight)

"""Which device and which number format a model runs in. Knows torch's view of the machine, no model."""

from __future__ import annotations

import torch

from groundproof.errors import ModelError

SMALL_WEIGHTS_BYTES = 1 << 30
"""Below this, float32 everywhere: a small model is bound by the number of operations, not by reading its
weights, so bfloat16 wins little, and float32 gives the same answers on machines with and without it."""


def choose_device(name: str) -> torch.device:
    """ "auto" is the first CUDA device, else the CPU; any other name is torch's.

    Raises: ModelError when torch does not know the name or the machine lacks the device.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as err:
        raise ModelError(f"{name!r} is not a device; use auto, cpu, cuda, cuda:1 or mps.") from err
    present = {
        "cpu": True,
        "cuda": torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not present.get(device.type, False):
        raise ModelError(
            f"This machine, with torch {torch.__version__}, has no device {name!r}; use auto or cpu."
        )
    return device


def has_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 is native: CUDA compute capability 8 or newer; on a CPU, AMX tiles or AVX512_BF16."""
    if device.type == "cuda":
        return bool(torch.cuda.get_device_capability(device)[0] >= 8)
    if device.type == "cpu":
        checks = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
        return any(bool(getattr(torch.cpu, check, bool)()) for check in checks)
    return False


def choose_dtype(device: torch.device, weights_bytes: int) -> torch.dtype:
    """bfloat16 where it is native and the weights are large (`SMALL_WEIGHTS_BYTES`), else float32."""
    large = weights_bytes >= SMALL_WEIGHTS_BYTES
    return torch.bfloat16 if large and has_bfloat16(device) else torch.float32

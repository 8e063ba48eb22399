"""The patch embedding of a vision tower as the matrix product it is. Knows one layer; changes no weight."""

from __future__ import annotations

import torch
from torch import nn


class PatchProjection(nn.Module):  # type: ignore[misc]  # torch is untyped here
    """A Conv3d whose kernel covers its whole input, applied as one linear layer.

    Shares the convolution's own parameters under their own names and shapes, so a state dict saved or
    loaded after the exchange is the same. Input (N, channels, frames, height, width), output (N, out).
    """

    def __init__(self, conv: nn.Conv3d) -> None:
        super().__init__()
        self.weight = conv.weight
        self.bias = conv.bias

    def forward(self, patches: torch.Tensor) -> torch.Tensor:
        """The convolution's result without its three trailing axes of length one."""
        return nn.functional.linear(patches.flatten(1), self.weight.flatten(1), self.bias)


def patch_embedding_as_linear(model: nn.Module) -> int:
    """Exchange every `patch_embed.proj` that is a Conv3d for the equal `PatchProjection`, in place.

    CPU convolutions with kernel = stride = input are several times slower than the same product as a matrix
    (backward above all). Returns how many were exchanged; other models are left alone.
    """
    exchanged = 0
    for name, module in model.named_modules():
        conv = getattr(module, "proj", None)
        if name.rpartition(".")[2] != "patch_embed" or not isinstance(conv, nn.Conv3d):
            continue
        plain = conv.stride == conv.kernel_size and conv.groups == 1 and not any(conv.padding)
        if plain and set(conv.dilation) == {1}:
            module.proj = PatchProjection(conv)
            exchanged += 1
    return exchanged

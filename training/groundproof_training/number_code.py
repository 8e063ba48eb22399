"""The smooth code of the numbers 0 to 999 in which boxes are learnt.

A number is a point on sixteen circles: neighbouring values have neighbouring codes, so a gradient that
is wrong by five per mille still points the right way. The dense stage reads boxes out of vision tokens
in this code, and the language model's embedding rows of "0" to "999" start as the same code, so
that "copy the box of the token I look at" is nearly a linear map. Knows nothing of tokens or models.
"""

from __future__ import annotations

import math

import torch

N_NUMBERS = 1000
"""Boxes are integers 0..999: per-mille of the tile (GLM-4.1V's box frame)."""

N_WAVES = 16
CODE_SIZE = 2 * N_WAVES
SHORTEST_WAVE_PERMILLE = 80.0
"""Short enough to tell neighbours apart; half of it taught nothing while boxes are still 20 per mille off."""

LONGEST_WAVE_PERMILLE = 2000.0


def number_code(values: torch.Tensor) -> torch.Tensor:
    """Code of real numbers (...,) in per-mille -> (..., CODE_SIZE), unit length, dot product = kernel of distance."""
    steps = torch.arange(N_WAVES, dtype=torch.float32) / (N_WAVES - 1)
    waves = SHORTEST_WAVE_PERMILLE * (LONGEST_WAVE_PERMILLE / SHORTEST_WAVE_PERMILLE) ** steps
    angles = values[..., None].float() * (2 * math.pi / waves)
    return torch.cat([angles.sin(), angles.cos()], dim=-1) / math.sqrt(N_WAVES)


def number_table() -> torch.Tensor:
    """Codes of 0, 1, ..., 999: (1000, CODE_SIZE) float32."""
    return number_code(torch.arange(N_NUMBERS))


def soft_numbers(targets: torch.Tensor, sigma: float) -> torch.Tensor:
    """Gaussian over the neighbouring values of each target: (..., 1000), rows sum to 1.

    `sigma` in per-mille: a box edge one pixel off in a 224 px tile is 4.5 per mille off, and says almost
    the same thing.
    """
    grid = torch.arange(N_NUMBERS, dtype=torch.float32)
    return torch.softmax(-((grid - targets[..., None].float()) ** 2) / (2 * sigma**2), dim=-1)

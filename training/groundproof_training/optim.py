"""The optimiser of every stage: Muon for the hidden matrices, AdamW for everything else.

Muon (Keller Jordan et al., 2024) makes each matrix's momentum orthogonal before applying it; with little
data and little time it needs clearly fewer steps than AdamW alone. `torch.optim.Muon` iterates in bfloat16,
which is slow on CPUs without AMX, so the iteration here stays in float32.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import nn

_NS = (3.4445, -4.7750, 2.0315)
"""Coefficients of the quintic Newton-Schulz iteration, from the Muon write-up."""


def orthogonalise(matrix: torch.Tensor, steps: int = 5) -> torch.Tensor:
    """Nearest semi-orthogonal matrix, roughly: singular values are pushed into about 0.7..1.2."""
    a, b, c = _NS
    x = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    x = x / (x.norm() + 1e-7)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if matrix.shape[0] > matrix.shape[1] else x


class MuonAdamW(torch.optim.Optimizer):
    """One optimiser, two kinds of parameter groups (`kind` = "muon" or "adamw")."""

    def __init__(self, groups: Iterable[dict]) -> None:
        super().__init__(
            groups, {"lr": 1e-3, "kind": "adamw", "momentum": 0.95, "betas": (0.9, 0.98), "weight_decay": 0.0}
        )

    @torch.no_grad()
    def step(self, closure=None):  # type: ignore[override]
        """One update from the gradients that are there."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            update = self._muon if group["kind"] == "muon" else self._adamw
            for p in group["params"]:
                if p.grad is not None:
                    update(p, group)
        return loss

    def _muon(self, p: torch.Tensor, group: dict) -> None:
        state = self.state[p]
        if not state:
            state["momentum"] = torch.zeros_like(p)
        momentum = state["momentum"].lerp_(p.grad, 1 - group["momentum"])
        update = orthogonalise(p.grad.lerp(momentum, group["momentum"]))
        # An orthogonal matrix has RMS 1/sqrt(max side); scaled to AdamW's usual update RMS of 0.2
        # (Moonshot's "Muon is scalable"), so both kinds of group can share one learning rate.
        p.mul_(1 - group["lr"] * group["weight_decay"])
        p.add_(update, alpha=-group["lr"] * 0.2 * math.sqrt(max(p.shape)))

    def _adamw(self, p: torch.Tensor, group: dict) -> None:
        state = self.state[p]
        if not state:
            state["step"], state["m"], state["v"] = 0, torch.zeros_like(p), torch.zeros_like(p)
        state["step"] += 1
        b1, b2 = group["betas"]
        state["m"].lerp_(p.grad, 1 - b1)
        state["v"].mul_(b2).addcmul_(p.grad, p.grad, value=1 - b2)
        c1, c2 = 1 - b1 ** state["step"], 1 - b2 ** state["step"]
        p.mul_(1 - group["lr"] * group["weight_decay"])
        p.addcdiv_(state["m"], (state["v"] / c2).sqrt_().add_(1e-8), value=-group["lr"] / c1)


ADAMW_SHARE = 0.3
"""AdamW's learning rate as a share of Muon's: its parameters (embeddings, norms, heads) move by the full rate."""


def make_optimiser(modules: Iterable[nn.Module], lr: float, weight_decay: float = 0.05) -> MuonAdamW:
    """Matrices inside layers go to Muon; embeddings, heads, norms, biases, convolutions to AdamW."""
    muon, plain, seen = [], [], set()
    for module in modules:
        for name, p in module.named_parameters():
            if not p.requires_grad or id(p) in seen:
                continue
            seen.add(id(p))
            hidden = p.ndim == 2 and ("blocks." in name or "layers." in name or "merger." in name)
            (muon if hidden else plain).append(p)
    groups = []
    if muon:
        groups.append({"params": muon, "kind": "muon", "lr": lr, "weight_decay": weight_decay})
    if plain:
        groups.append({"params": plain, "kind": "adamw", "lr": lr * ADAMW_SHARE, "weight_decay": 0.0})
    return MuonAdamW(groups)

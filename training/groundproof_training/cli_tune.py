"""Commands that train a model on samples: SFT and GRPO. A thin shell."""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """Add the commands to `groundproof-train`."""

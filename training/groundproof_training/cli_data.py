"""Commands that make training data: readers, samples, leakage, rationales, the build. A thin shell."""

from __future__ import annotations

import typer

from groundproof_training import cli_build, cli_rationales, cli_readers


def register(app: typer.Typer) -> None:
    """Add the commands to `groundproof-train`."""
    cli_readers.register(app)
    cli_rationales.register(app)
    cli_build.register(app)

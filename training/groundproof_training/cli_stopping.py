"""What a command says that was stopped by Ctrl+C. Knows the command line; refuses to know commands."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer


@contextmanager
def resumable() -> Iterator[None]:
    """Of a command that goes on where it stopped: Ctrl+C is one sentence with the command to type, exit code 130."""
    try:
        yield
    except KeyboardInterrupt as err:
        again = shlex.join(["groundproof-train", *sys.argv[1:]])
        typer.echo(f"stopped; what was saved until now is kept. Go on with: {again}", err=True)
        raise typer.Exit(130) from err

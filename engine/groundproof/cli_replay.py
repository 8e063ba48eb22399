"""`groundproof replay`: whether a result can be made again from its provenance.

Knows options and help texts. Decides nothing.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from groundproof.cli_options import Json
from groundproof.errors import UsageError
from groundproof.replay import replay as made_again
from groundproof.shell import said_as_sentences
from groundproof.terminal import Terminal, plain

if TYPE_CHECKING:
    from groundproof.listening import Seen

TILES = 20

EXIT_DIFFERS = 1


class _Checking(Terminal):
    """Tells how far a check is, not what the model sees."""

    def saw_plan(self, text: str) -> None:
        """Compared, not shown."""

    def saw_evidence(self, seen: Seen) -> None:
        """Compared, not shown."""


def replay(
    file: Annotated[Path, typer.Argument(metavar="FILE.gpkg", help="A result of ask or batch.")],
    pixels: Annotated[
        bool, typer.Option("--pixels", help="Also read every tile again and compare what the model saw.")
    ] = False,
    model: Annotated[
        str | None,
        typer.Option(help="Also ask this model about some tiles again and compare its texts: --model tiny."),
    ] = None,
    tiles: Annotated[
        int, typer.Option(help="With --model: about how many tiles (whole batches); 0 for all of them.")
    ] = TILES,
    run_dir: Annotated[
        Path | None, typer.Option(help="The run directory, where it is not where the file says.")
    ] = None,
    json_: Json = False,
) -> None:
    """Check that a result can be made again: from the answers kept, and on request from pixels and model.

    Changes nothing. Exit code 0 when all is the same, 1 when something differs.
    """
    terminal = _Checking(json_output=json_)
    with said_as_sentences(terminal):
        if tiles < 0:
            raise UsageError(f"--tiles {tiles} is no number of tiles. Give 0 for all, or more.")
        opened = None
        if model is not None:
            from groundproof.models.open import open_model

            opened = open_model(model)
        try:
            found = made_again(
                file, pixels=pixels, tiles=tiles or None, run_dir=run_dir, model=opened, listener=terminal
            )
        finally:
            if opened is not None:
                opened.close()
            terminal.stop_progress()
        if json_:
            checks = [{**asdict(check), "same": check.same} for check in found.checks]
            print(json.dumps({"same": found.same, "checks": checks, "notes": list(found.notes)}))  # noqa: T201
        else:
            for sentence in found.sentences:
                terminal.out.print(plain(sentence))
        if not found.same:
            raise typer.Exit(EXIT_DIFFERS)

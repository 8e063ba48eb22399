"""`groundproof review export`: a reviewed result as training data.

Knows options and help texts. Decides nothing.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from groundproof.outputs import read
from groundproof.review_export import ExportFormat, export
from groundproof.shell import said_as_sentences
from groundproof.terminal import Terminal, plain

review = typer.Typer(
    help="What an analyst decided about the boxes of a result.", no_args_is_help=True, add_completion=False
)


@review.callback()
def root() -> None:
    """Commands about reviews."""


@review.command(
    "export", epilog="Example: groundproof review export tanks.gpkg -o tanks-coco.zip --format coco"
)
def export_(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE.gpkg",
            help="A result whose column review holds accepted, rejected, adjusted or added.",
        ),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="A .zip file, or a folder to make.")],
    form: Annotated[
        ExportFormat,
        typer.Option(
            "--format",
            help="geo-cot: messages for training a reasoning model. coco, yolo: boxes for training a detector.",
        ),
    ],
    include_unchecked: Annotated[
        bool,
        typer.Option(
            "--include-unchecked", help="Take boxes that nobody reviewed as true, too, where they count."
        ),
    ] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")] = False,
) -> None:
    """Write image tiles and the boxes a person agreed with as training data.

    A tile is taken when every box in it was reviewed; rejected boxes teach that nothing is there. The pixels
    are read again from the scenes.
    """
    terminal = Terminal(json_output=json_)
    with said_as_sentences(terminal):
        made = export(read(file), out, form, include_unchecked=include_unchecked)
        if json_:
            print(json.dumps({**made.as_dict(), "path": str(out)}, ensure_ascii=False))  # noqa: T201
        else:
            terminal.out.print(plain(made.sentence()))
            print(out)  # noqa: T201 - the last line is the path made

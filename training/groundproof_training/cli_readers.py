"""`groundproof-train readers` and `samples`: datasets as they lie on disk become files of samples. A thin shell."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from groundproof_training.cli_stopping import resumable


class SampleFormat(StrEnum):
    """What `samples` writes."""

    JSONL = "jsonl"
    PARQUET = "parquet"
    LLAMAFACTORY = "llamafactory"
    TRL = "trl"


class WrittenForm(StrEnum):
    """What the model's part of a conversation holds."""

    AUTO = "auto"
    GEO_COT = "geo-cot"
    THINK = "think"
    ANSWER = "answer"


def _say(line: str) -> None:
    typer.echo(line, err=True)


def readers(
    name: Annotated[str | None, typer.Argument(help="Of one reader, for what it expects and takes.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """List the datasets that can be read.   groundproof-train readers dota"""
    from groundproof_training.readers.describing import described, listed

    typer.echo(listed(as_json=as_json) if name is None else described(name, as_json=as_json))


@resumable()
def samples(
    reader: Annotated[str, typer.Argument(help="Name of a reader; `groundproof-train readers` lists them.")],
    folder: Annotated[Path, typer.Argument(help="The dataset's folder, or a .zip of one.", metavar="DIR")],
    out: Annotated[Path, typer.Option("-o", "--out", help="File to write.")],
    split: Annotated[list[str] | None, typer.Option(help="train, val or test; again for several.")] = None,
    task: Annotated[list[str] | None, typer.Option(help="Only these tasks; again for several.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many samples of each split.")] = None,
    options: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="OPTION=VALUE", help="Of the reader; `readers NAME` lists them."),
    ] = None,
    pictures: Annotated[
        Path | None,
        typer.Option(
            help="Folder to write the shown part of every image to, patches as files of their own: the root to train "
            "from. Without it images stay where they are and every patch is cut out of the whole when it is needed."
        ),
    ] = None,
    form: Annotated[SampleFormat, typer.Option("--format", help="Of the file.")] = SampleFormat.JSONL,
    profile: Annotated[
        str, typer.Option(help="Whose notation llamafactory and trl write: a profile's name.")
    ] = "rsthinker",
    says: Annotated[
        WrittenForm, typer.Option("--form", help="auto: the rationale where there is one, else the answer.")
    ] = WrittenForm.AUTO,
    min_pixels: Annotated[
        int, typer.Option(min=1, help="Least area of an image as the model sees it.")
    ] = 3_136,
    max_pixels: Annotated[int, typer.Option(min=1, help="Largest area.")] = 1_003_520,
) -> None:
    """Read a dataset into samples.   groundproof-train samples dota DIR -o dota.jsonl --split val"""
    from groundproof_training.readers.reading import Wanted, write

    wanted = Wanted(
        reader=reader,
        folder=folder,
        out=out,
        splits=tuple(split or ("train",)),
        tasks=tuple(task or ()),
        limit=limit,
        pictures=pictures,
        settings=tuple(options or ()),
        format=str(form),
        profile=profile,
        form=str(says),
        min_pixels=min_pixels,
        max_pixels=max_pixels,
    )
    for line in write(wanted, _say):
        _say(line)
    typer.echo(out)


def register(app: typer.Typer) -> None:
    """Add the commands to `groundproof-train`."""
    app.command()(readers)
    app.command()(samples)

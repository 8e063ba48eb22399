"""The command line: a thin shell over `ask`, `run`, `audit`, `diff`, `doctor`.

Knows options, help texts and exit codes. Decides nothing about imagery. Model text goes through
`terminal.plain`; errors end as one sentence on stderr and an exit code from `errors.OUTCOMES`.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from groundproof.ask_options import AskOptions
from groundproof.audit import reaudit
from groundproof.cli_batch import batch
from groundproof.cli_options import (
    AoiField,
    AoiText,
    Bands,
    Constrained,
    DryRun,
    Fresh,
    Gsd,
    Json,
    Model,
    Out,
    OutCrs,
    Overlap,
    Picture,
    PixelSpace,
    Quiet,
    SceneCrs,
    SecondLook,
    Summary,
    Task,
    TileSide,
    band_numbers,
)
from groundproof.cli_replay import replay
from groundproof.cli_review import review
from groundproof.cli_runs import merge, resume, status
from groundproof.cli_serve import serve
from groundproof.deliver import default_output, write_outputs
from groundproof.diff import diff as compare
from groundproof.diff import format_diff
from groundproof.doctor import as_json, examine
from groundproof.errors import EXIT_INTERRUPTED
from groundproof.models.listing import describe, in_words
from groundproof.models.profiles import known_profiles, user_folder
from groundproof.outputs import read, write
from groundproof.session import Session
from groundproof.shell import print_estimate, resumable, said_as_sentences, show
from groundproof.terminal import Terminal, plain
from groundproof.version import __version__

app = typer.Typer(
    name="groundproof",
    help="Ask satellite and aerial imagery a question; check every claim of the answer on the map.",
    epilog="Exit codes: 0 answered, 2 usage, 3 scene unreadable or without georeference, 4 model, "
    "5 answered with failed tiles or scenes, 130 interrupted.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(review, name="review")


def _version(value: bool) -> None:
    if value:
        print(f"groundproof {__version__}")  # noqa: T201
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Options before the command."""


@app.command(
    epilog="Example: groundproof ask harbour.tif -q 'How many storage tanks are there?' "
    "-o tanks.gpkg --picture tanks.png"
)
def ask(
    scenes: Annotated[
        list[str], typer.Argument(metavar="SCENE...", help="Raster files or URLs: anything GDAL reads.")
    ],
    question: Annotated[str, typer.Option("-q", "--question", help="What you want to know.")],
    out: Out = None,
    task: Task = "auto",
    aoi: AoiText = None,
    aoi_field: AoiField = None,
    bands: Bands = None,
    tile: TileSide = None,
    overlap: Overlap = None,
    gsd: Gsd = None,
    model: Model = "tiny",
    run_dir: Annotated[
        Path | None,
        typer.Option(help="Where answers are kept while they come in. Default: OUT.run beside the output."),
    ] = None,
    fresh: Fresh = False,
    picture: Picture = None,
    summary: Summary = None,
    json_: Json = False,
    quiet: Quiet = False,
    scene_crs: SceneCrs = None,
    pixel_space: PixelSpace = False,
    out_crs: OutCrs = None,
    second_look: SecondLook = False,
    constrained: Constrained = None,
    dry_run: DryRun = False,
) -> None:
    """Ask one question of one or more scenes and get a GeoPackage of evidence boxes."""
    terminal = Terminal(quiet=quiet, json_output=json_)
    with said_as_sentences(terminal):
        target = out or default_output(scenes[0])
        directory = run_dir or target.parent / f"{target.stem}.run"
        options = AskOptions(
            scenes=tuple(scenes),
            questions=(question,),
            task=task,
            aoi=aoi,
            aoi_field=aoi_field,
            bands=band_numbers(bands),
            tile_px=tile,
            overlap_px=overlap,
            gsd_m=gsd,
            model=model,
            scene_crs=scene_crs,
            pixel_space=pixel_space,
            out_crs=out_crs,
            second_look=second_look,
            constrained=constrained,
        )
        with Session(options, terminal) as session:
            if dry_run:
                print_estimate(session.estimate(), terminal, json_)
                return
            session.check_outputs(target, picture, summary)
            with resumable(terminal, directory):
                run, result = session.run(directory, fresh=fresh)
                files = write_outputs(run, result, target, picture=picture, summary=summary)
            show(result, files, terminal, json_=json_)


app.command(
    epilog="Example: groundproof batch 'scenes/*.tif' -q 'How many ships are there?' --run-dir runs/ships "
    "-o ships.gpkg"
)(batch)
app.command(epilog="Example: groundproof resume tanks.run")(resume)
app.command(epilog="Example: groundproof status tanks.run")(status)
app.command(epilog="Example: groundproof merge tanks.run -o tanks.gpkg --iou 0.4")(merge)
app.command(epilog="Example: groundproof replay tanks.gpkg --pixels --model tiny")(replay)


@app.command(epilog="Example: groundproof audit tanks.gpkg")
def audit(
    file: Annotated[Path, typer.Argument(metavar="FILE.gpkg", help="A result, also one reviewed in QGIS.")],
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="Also write the result with its counts and audit made anew."),
    ] = None,
    json_: Json = False,
) -> None:
    """Check a result's claims against its evidence, after review too. Needs no model."""
    terminal = Terminal(json_output=json_)
    with said_as_sentences(terminal):
        result = reaudit(read(file))
        files = {}
        if out is not None:
            write(result, out)
            files["result"] = str(out)
        show(result, files, terminal, json_=json_)


@app.command(epilog="Example: groundproof diff before.gpkg after.gpkg")
def diff(
    a: Annotated[Path, typer.Argument(metavar="A.gpkg")],
    b: Annotated[Path, typer.Argument(metavar="B.gpkg")],
    json_: Json = False,
) -> None:
    """What changed between two results of the same scene."""
    terminal = Terminal(json_output=json_)
    with said_as_sentences(terminal):
        found = compare(read(a), read(b))
        if json_:
            print(json.dumps(found.as_dict(), ensure_ascii=False, indent=2))  # noqa: T201
        else:
            terminal.out.print(Text(format_diff(found)))


@app.command(epilog="Example: groundproof models --json")
def models(json_: Json = False) -> None:
    """Models this engine knows, your own profiles too, and how to get an answer from each."""
    known = known_profiles()
    rows = [describe(one) for one in known]
    if json_:
        print(json.dumps(rows, indent=2))  # noqa: T201
        return
    console = Console(highlight=False)
    for one, row in zip(known, rows, strict=True):
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(style="dim", no_wrap=True, min_width=11)
        table.add_column(overflow="fold")
        for topic, words in in_words(one, row):
            table.add_row(f"  {topic}", Text(plain(words)))
        console.print(Text(one.name, style="bold"))
        console.print(table)
        console.print()
    console.print(Text(f"A profile of your own: a .toml file in {user_folder()}, see docs/models.md."))


@app.command()
def doctor(json_: Json = False) -> None:
    """Check the installation: GDAL and PROJ copies, torch, processor, grids; what is missing and how to get it."""
    findings = examine()
    if json_:
        print(json.dumps(as_json(findings), indent=2))  # noqa: T201
    else:
        console = Console(highlight=False, soft_wrap=True)
        colour = {"ok": "green", "note": "yellow", "missing": "red"}
        for finding in findings:
            console.print(
                Text.assemble(
                    (f"{finding.level:<8}", colour[finding.level]),
                    (f"{finding.topic:<18}", "bold"),
                    finding.sentence,
                )
            )
            if finding.advice:
                console.print(Text(f"{'':26}{finding.advice}", style="dim"))
    if any(finding.level == "missing" for finding in findings):
        raise typer.Exit(1)


app.command(epilog="Example: groundproof serve --allow-root /data/imagery")(serve)


def main() -> None:
    """Entry point of the `groundproof` command."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


if __name__ == "__main__":
    main()

"""The command line: a thin shell over `ask`, `run`, `audit`, `diff`, `doctor`.

Knows options, help texts and exit codes. Decides nothing about imagery. Model text goes through
`terminal.plain`; errors end as one sentence on stderr and an exit code from `errors.OUTCOMES`.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from groundproof.audit import reaudit
from groundproof.cli_review import review
from groundproof.cli_serve import serve
from groundproof.deliver import default_output, merge_run, write_outputs
from groundproof.diff import diff as compare
from groundproof.diff import format_diff
from groundproof.doctor import as_json, examine
from groundproof.errors import (
    EXIT_INTERRUPTED,
    UsageError,
)
from groundproof.models.listing import describe, in_words
from groundproof.models.profiles import known_profiles, user_folder
from groundproof.outputs import read, write
from groundproof.parses import parses
from groundproof.run import RunDirectory
from groundproof.session import AskOptions, Session
from groundproof.shell import resumable, said_as_sentences, show
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

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Only failures and the path made.")]
Out = Annotated[
    Path | None,
    typer.Option(
        "-o", "--out", help="File to write: .gpkg, .parquet or .geojson. Default: SCENE-answer.gpkg here."
    ),
]
Picture = Annotated[
    Path | None, typer.Option("--picture", help="Also draw the scene with its numbered boxes into this PNG.")
]
Summary = Annotated[
    Path | None, typer.Option("--summary", help="Also write summary.csv: a row per scene and question.")
]


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
    task: Annotated[
        str,
        typer.Option(
            help="auto, count, detect, ground, classify, caption, region-caption, grounded-caption, vqa or change. "
            "auto infers it from the question and says so."
        ),
    ] = "auto",
    aoi: Annotated[
        str | None,
        typer.Option(
            help="Part of the scene to ask about: a vector file of polygons, or 'x0,y0,x1,y1[,EPSG:code]' "
            "(in the scene's CRS unless a code is given)."
        ),
    ] = None,
    aoi_field: Annotated[
        str | None, typer.Option(help="With a vector file: one answer per polygon, named by this field.")
    ] = None,
    bands: Annotated[
        str | None,
        typer.Option(
            help="Three bands as red, green, blue (or one), 1-based: 4,3,2. Default: from the file."
        ),
    ] = None,
    tile: Annotated[
        int | None, typer.Option(help="Side of a tile in px, as the model sees it. Default: the model's.")
    ] = None,
    overlap: Annotated[
        int | None, typer.Option(help="Overlap of neighbouring tiles in px. Default: the model's.")
    ] = None,
    gsd: Annotated[
        float | None,
        typer.Option(
            help="Resample tiles to this ground sampling distance (metres per px), so that objects have the size "
            "the model was trained on. Default: only when the scene is outside the model's range."
        ),
    ] = None,
    model: Annotated[
        str, typer.Option(help="A profile (see `groundproof models`) or a folder with a checkpoint.")
    ] = "tiny",
    run_dir: Annotated[
        Path | None,
        typer.Option(help="Where answers are kept while they come in. Default: OUT.run beside the output."),
    ] = None,
    fresh: Annotated[
        bool, typer.Option(help="Discard what an earlier run left in the run directory.")
    ] = False,
    picture: Picture = None,
    summary: Summary = None,
    json_: Json = False,
    quiet: Quiet = False,
    scene_crs: Annotated[
        str | None,
        typer.Option(help="CRS of a scene whose file names none (it still needs a transform or world file)."),
    ] = None,
    pixel_space: Annotated[
        bool,
        typer.Option(
            "--pixel-space", help="Accept scenes without a georeference; results are in pixels (y = -row)."
        ),
    ] = False,
    out_crs: Annotated[
        str | None, typer.Option(help="CRS of the output. Default: the scene's, EPSG:4326 if they differ.")
    ] = None,
    second_look: Annotated[
        bool,
        typer.Option(
            "--second-look", help="Look at every box again, cropped, and mark it supported or contradicted."
        ),
    ] = False,
    constrained: Annotated[
        bool | None,
        typer.Option(
            "--constrained/--free",
            help="Hold the model to the protocol's grammar while it writes (vLLM only). Default: where it can be.",
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Say how many tiles, what area, how long and how much memory; ask nothing."
        ),
    ] = False,
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
            bands=_bands(bands),
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
                _print_estimate(session.estimate(), terminal, json_)
                return
            session.check_outputs(target, picture, summary)
            with resumable(terminal, directory):
                run, result = session.run(directory, fresh=fresh)
                files = write_outputs(run, result, target, picture=picture, summary=summary)
            show(result, files, terminal, json_=json_)


@app.command(epilog="Example: groundproof resume tanks.run")
def resume(
    run_dir: Annotated[
        Path, typer.Argument(metavar="RUN_DIR", help="The run directory of an interrupted run.")
    ],
    out: Out = None,
    picture: Picture = None,
    summary: Summary = None,
    json_: Json = False,
    quiet: Quiet = False,
) -> None:
    """Go on with an interrupted run, then write its result."""
    terminal = Terminal(quiet=quiet, json_output=json_)
    with said_as_sentences(terminal):
        named = run_dir if run_dir.name not in ("", "..") else run_dir.resolve()
        target = out or named.with_suffix(".gpkg")
        with Session.of_run(run_dir, terminal) as session:
            session.check_outputs(target, picture, summary)
            with resumable(terminal, run_dir):
                run, result = session.run(run_dir)
                files = write_outputs(run, result, target, picture=picture, summary=summary)
            show(result, files, terminal, json_=json_)


@app.command(epilog="Example: groundproof status tanks.run")
def status(
    run_dir: Annotated[Path, typer.Argument(metavar="RUN_DIR", help="A run directory, running or not.")],
    json_: Json = False,
) -> None:
    """How far a run is; works from another terminal while it runs."""
    terminal = Terminal(json_output=json_)
    with said_as_sentences(terminal):
        run = RunDirectory.open(run_dir)
        state, written = run.status(), parses(run)
        document = {
            "tiles": state.planned,
            "answered": state.answered,
            "failed": state.failed,
            "by_status": state.by_status,
            "batches": state.batches,
            "batches_done": state.batches_done,
            "model_seconds": round(state.seconds, 1),
            "parses": asdict(written),
        }
        if json_:
            print(json.dumps(document))  # noqa: T201
            return
        words = ", ".join(f"{n} {name}" for name, n in sorted(state.by_status.items())) or "none yet"
        terminal.out.print(
            f"{state.batches_done} of {state.batches} batches; tiles answered: {words}; {state.failed} failed."
        )
        terminal.out.print(written.sentence())
        if state.batches_done < state.batches:
            terminal.out.print(f"Go on with: groundproof resume {run_dir}")


@app.command(epilog="Example: groundproof merge tanks.run -o tanks.gpkg --iou 0.4")
def merge(
    run_dir: Annotated[Path, typer.Argument(metavar="RUN_DIR")],
    out: Annotated[Path, typer.Option("-o", "--out", help="File to write: .gpkg, .parquet or .geojson.")],
    iou: Annotated[
        float | None, typer.Option(help="Overlap (IoU) from which two whole boxes are one object.")
    ] = None,
    ios: Annotated[
        float | None,
        typer.Option(help="The same (intersection over the smaller) where one is cut by its tile's edge."),
    ] = None,
    out_crs: Annotated[str | None, typer.Option(help="CRS of the output.")] = None,
    picture: Picture = None,
    summary: Summary = None,
    json_: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make the result of a run again from its answers, without a model."""
    terminal = Terminal(quiet=quiet, json_output=json_)
    with said_as_sentences(terminal):
        run, result = merge_run(run_dir, iou=iou, ios=ios, out_crs=out_crs)
        files = write_outputs(run, result, out, picture=picture, summary=summary)
        show(result, files, terminal, json_=json_)


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


def _bands(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError as err:
        raise UsageError(
            f"--bands {text!r} is not a list of band numbers. Give one or three, 1-based: --bands 4,3,2."
        ) from err


def _print_estimate(estimate: dict[str, Any], terminal: Terminal, json_: bool) -> None:
    if json_:
        print(json.dumps(estimate))  # noqa: T201
    else:
        terminal.out.print(estimate["sentence"])


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

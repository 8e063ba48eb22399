"""`groundproof-train rationales` and `audit-splits`. A thin shell."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from groundproof_training.cli_stopping import resumable


def _say(line: str) -> None:
    typer.echo(line, err=True)


@resumable()
def rationales(
    samples: Annotated[Path, typer.Argument(help="Samples, .jsonl or .parquet.", metavar="SAMPLES")],
    out: Annotated[Path, typer.Option("-o", "--out", help="File to write, .jsonl or .parquet.")],
    teacher: Annotated[
        str,
        typer.Option(
            help="template; an address, http://HOST:8000/v1; or vllm:FOLDER for a model in this process."
        ),
    ] = "template",
    model: Annotated[
        str | None, typer.Option(help="The served model's name, where several are served.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option("--root", "--data", help="Folder that images' paths begin at. None: the samples' own."),
    ] = None,
    profile: Annotated[
        str, typer.Option(help="Whose notation of boxes the teacher reads and writes: a profile's name.")
    ] = "rsthinker",
    attempts: Annotated[int, typer.Option(min=1, help="Texts the teacher may write for one sample.")] = 3,
    fallback: Annotated[
        str, typer.Option(help="template or drop: what a sample gets that no text was accepted for.")
    ] = "template",
    concurrency: Annotated[int, typer.Option(min=1, help="Questions at the same time.")] = 16,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds for one answer.")] = 120.0,
    most_boxes: Annotated[int, typer.Option(min=0, help="Samples with more boxes go to the templates.")] = 40,
    max_tokens: Annotated[int, typer.Option(min=64, help="Of one answer.")] = 4096,
    temperature: Annotated[float | None, typer.Option(help="None: the server's own.")] = None,
    price: Annotated[
        tuple[float, float], typer.Option(help="Of a million input and output tokens, for the cost.")
    ] = (0.0, 0.0),
    report: Annotated[Path | None, typer.Option(help="Page with numbers and pictures, .html.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many samples.")] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Write anew where there is a rationale.")
    ] = False,
    cache: Annotated[
        Path | None, typer.Option(help="Folder of the teacher's answers. None: OUT.answers.")
    ] = None,
) -> None:
    """Write verified rationales.   groundproof-train rationales samples.jsonl -o cot.jsonl --report cot.html"""
    from groundproof_training.rationales.running import Wanted, run

    wanted = Wanted(
        samples=samples,
        out=out,
        teacher=teacher,
        model=model,
        data=data,
        profile=profile,
        timeout_s=timeout,
        max_tokens=max_tokens,
        temperature=temperature,
        report=report,
        limit=limit,
        cache=cache,
        settings={
            "attempts": attempts,
            "fallback": fallback,
            "concurrency": concurrency,
            "most_boxes": most_boxes,
            "input_price": price[0],
            "output_price": price[1],
            "replace": replace,
        },
    )
    for line in run(wanted, _say):
        _say(line)
    root = data or samples.parent
    if root.resolve() != out.parent.resolve():
        _say(f"the images' paths begin at {root}, as before: give the next command --root {root}")
    typer.echo(out)


@resumable()
def audit_splits(
    sources: Annotated[
        list[Path],
        typer.Argument(help="A build's configuration (.toml), or files of samples.", metavar="SOURCE..."),
    ],
    data: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the datasets. None: the working directory for a .toml, else that of each file."
        ),
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Page with the pairs side by side, .html.")] = None,
    json_out: Annotated[Path | None, typer.Option("--json", help="File for everything found.")] = None,
    clean: Annotated[
        Path | None, typer.Option("--write-clean", help="File for the ids of samples to drop, a line each.")
    ] = None,
    cache: Annotated[
        Path, typer.Option(help="Hashes that are kept between runs, by path, size and time of change.")
    ] = Path(".cache/train/looks.sqlite"),
    distance: Annotated[int, typer.Option(min=0, max=16, help="Bits of 64 in which pHashes may differ.")] = 7,
    correlation: Annotated[float, typer.Option(min=0, max=1, help="Least, of 32 px thumbnails.")] = 0.95,
    allow: Annotated[
        bool, typer.Option("--allow", help="Exit with 0 even where train and test share pictures.")
    ] = False,
) -> None:
    """Find pictures that train and test share.   groundproof-train audit-splits train.jsonl test.jsonl

    Exit code 1 where there are any.
    """
    from groundproof_training.leakage.running import run_audit

    leaks = run_audit(sources, data, cache, distance, correlation, report, json_out, clean, typer.echo, _say)
    if leaks and not allow:
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    """Add the commands to `groundproof-train`."""
    app.command()(rationales)
    app.command("audit-splits")(audit_splits)

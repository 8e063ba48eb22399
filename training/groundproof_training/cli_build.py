"""`groundproof-train build`: a Geo-CoT dataset from a composition. A thin shell."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from groundproof_training.cli_stopping import resumable


def _say(line: str) -> None:
    typer.echo(line, err=True)


@resumable()
def build(
    config: Annotated[
        str, typer.Argument(help="geo-cot380k, procedural, or a .toml file.", metavar="CONFIG")
    ],
    data: Annotated[Path, typer.Option(help="Folder of the datasets, one folder each.")],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Folder to write; not needed for --dry-run.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what there is, what is missing, what differs.")
    ] = False,
    skip_missing: Annotated[
        bool, typer.Option("--skip-missing", help="Build without the rows that are missing.")
    ] = False,
    teacher: Annotated[str, typer.Option(help="As `rationales` takes it.")] = "template",
    model: Annotated[str | None, typer.Option(help="The served model's name.")] = None,
    profile: Annotated[str, typer.Option(help="Whose notation is written: a profile's name.")] = "rsthinker",
    attempts: Annotated[int, typer.Option(min=1, help="Texts the teacher may write for one sample.")] = 3,
    fallback: Annotated[str, typer.Option(help="template or drop.")] = "template",
    concurrency: Annotated[int, typer.Option(min=1, help="Questions to the teacher at the same time.")] = 16,
    formats: Annotated[
        str, typer.Option("--formats", help="Beside JSONL, of parquet and llamafactory, with commas.")
    ] = "parquet,llamafactory",
    cache: Annotated[
        Path | None, typer.Option(help="Of the audit's hashes. None: in the folder written.")
    ] = None,
) -> None:
    """Build a dataset.   groundproof-train build procedural --data DIR -o out/data"""
    from groundproof_training.build.building import BuildOptions
    from groundproof_training.build.building import build as run_build
    from groundproof_training.build.composition import load_composition
    from groundproof_training.build.planning import plan, table
    from groundproof_training.errors import TrainingError
    from groundproof_training.readers.base import Problems

    composition = load_composition(config)
    if dry_run:
        problems = Problems()
        for line in (*table(composition, plan(composition, data, problems, _say)), *problems.lines()):
            typer.echo(line)
        return
    if out is None:
        raise TrainingError("Give the folder to write with -o, or --dry-run.")
    names = tuple(name for name in (part.strip() for part in formats.split(",")) if name)
    if unknown := sorted(set(names) - {"parquet", "llamafactory"}):
        raise TrainingError(
            f"There is no format {unknown[0]!r}; there is parquet and llamafactory, beside JSONL."
        )
    settings = {"attempts": attempts, "fallback": fallback, "concurrency": concurrency}
    rationales = {
        "teacher": teacher, "model": model, "profile": profile, "settings": settings,
        "report": out / "rationales.html",
    }  # fmt: skip
    for line in run_build(composition, data, out, BuildOptions(skip_missing, rationales, names, cache), _say):
        _say(line)
    typer.echo(out)


def register(app: typer.Typer) -> None:
    """Add the command to `groundproof-train`."""
    app.command()(build)

"""`groundproof-train ablation`: what each part of the recipe contributes. A thin shell."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from groundproof_training.cli_tune import stoppable


def _say(line: str) -> None:
    typer.echo(line, err=True)


def ablation(
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of all cells; the same one goes on.")],
    config: Annotated[
        str, typer.Option(metavar="CONFIG", help="Budgets: tiny, or a .toml file of your own.")
    ] = "tiny",
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            help="Folder of the base model. None: the embedded weights, which know the task already.",
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data", metavar="DIR", help="Folder with aircraft and storage_tanks, for real pictures."
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="CELL", help="Only these cells and those they begin with; again for several."),
    ] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="In place of the configuration's.")] = None,
    log: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Log of experiments to write a dated section into.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say which cells there are; run none.")] = False,
) -> None:
    """What a chain of thought, GRPO, its KL and a faithfulness reward contribute, cell by cell; stopped, it goes on.

    groundproof-train ablation -o out/ablation --model out/base
    """
    from groundproof.models.resolve import resolve
    from groundproof_training.ablation.report import append_log, write
    from groundproof_training.ablation.running import Ablation
    from groundproof_training.ablation.settings import read_settings
    from groundproof_training.ablation.stopping import sigterm_interrupts
    from groundproof_training.errors import TrainingError
    from groundproof_training.evaluation.local import refuse_checkout

    settings = read_settings(config)
    if seeds is not None:
        settings = settings.model_copy(update={"seeds": seeds})
    if data is not None and not data.is_dir():
        raise TrainingError(f"{data} is no folder; --data takes the folder that holds the real sets' folders")
    if data is not None:
        refuse_checkout(out)
    if model is None:
        _say(
            "the base is the embedded model, which learnt with a chain of thought already; for a fair comparison give "
            "one that learnt both forms (groundproof-train pointer --forms both) with --model"
        )
    # Whole paths: a run goes on only with the model and data it began with, however a person writes them.
    base = resolve(model or "tiny").folder.resolve()
    job = Ablation(out.resolve(), settings, base, data, _say, tuple(only or ()))
    if dry_run:
        for cell, seed in job.work():
            state = "done" if job.finished(cell, seed) else "to do"
            typer.echo(f"{cell.name:24} seed {seed}  {state:6} {cell.title}")
        return
    told = "stopped; finished cells and checkpoints are kept. Go on with: " + _again()
    with stoppable(told), sigterm_interrupts():
        results = list(job.run())
    command, kept = _again(), job.results()
    for path in write(out, kept, settings, command):
        typer.echo(path)
    if log is not None:
        append_log(log, kept, settings, command)
    if any(result.status == "failed" for result in results):
        raise typer.Exit(5)


def _again() -> str:
    return shlex.join(["groundproof-train", *sys.argv[1:]])


def register(app: typer.Typer) -> None:
    """Add the command to `groundproof-train`."""
    app.command()(ablation)

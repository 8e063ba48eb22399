"""`groundproof-train`: the recipe's stages as commands, each resumable, with time left. A thin shell."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from groundproof_training import cli_ablation, cli_data, cli_evaluate, cli_tune
from groundproof_training.cli_stopping import resumable

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Make training data, train models, measure them."
)

WORK = Path(".cache/train")
DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data", help="Folder with trees_naip and thermal_uav, real tiles to mix in. None: procedural only."
    ),
]
WorkDir = Annotated[Path, typer.Option("--work", help="Folder of shards, checkpoints and logs.")]
Minutes = Annotated[float, typer.Option(help="Of training, earlier runs included.")]
MaxSteps = Annotated[int, typer.Option(help="Stop here, earlier runs included, even with minutes left.")]
NewFolder = Annotated[Path, typer.Argument(help="Folder to write the model to; a model there is replaced.")]


class Forms(StrEnum):
    """Of the completions of the pointer stage."""

    GEO_COT = "geo-cot"
    ANSWER = "answer"
    BOTH = "both"


def _say(line: str) -> None:
    typer.echo(line, err=True)


@app.command()
@resumable()
def scenes(
    work: WorkDir = WORK,
    number: Annotated[int, typer.Option("--scenes", help="How many, all shapes together.")] = 32_000,
    processes: Annotated[int, typer.Option(help="How many render at the same time.")] = 2,
) -> None:
    """Render the procedural scenes to disk.   groundproof-train scenes --scenes 32000"""
    from groundproof_training.recipe import follow
    from groundproof_training.shards import ShardConfig, render_shards

    follow(
        work, "scenes", render_shards(work / "scenes", ShardConfig(scenes=number, processes=processes)), _say
    )


@app.command()
@resumable()
def dense(
    work: WorkDir = WORK,
    minutes: Minutes = 45.0,
    max_steps: MaxSteps = 1_000_000,
    start_from: Annotated[
        Path | None,
        typer.Option(help="Begin with the tower of another run's dense.pt, or of a model folder."),
    ] = None,
) -> None:
    """Warm up the vision tower.   groundproof-train dense --minutes 45"""
    from groundproof_training.dense import DenseConfig
    from groundproof_training.recipe import follow, run_dense

    follow(
        work,
        "dense",
        run_dense(work, DenseConfig(minutes=minutes, max_steps=max_steps), start=start_from),
        _say,
    )


@app.command()
@resumable()
def pointer(
    work: WorkDir = WORK,
    data: DataDir = None,
    minutes: Minutes = 40.0,
    max_steps: MaxSteps = 1_000_000,
    start_from: Annotated[
        Path | None, typer.Option(help="Begin with the language model of a model folder.")
    ] = None,
    forms: Annotated[
        Forms,
        typer.Option(
            help="Answers with a chain of thought (geo-cot), without (answer), or half of each (both)."
        ),
    ] = Forms.GEO_COT,
    all_tasks: Annotated[
        bool,
        typer.Option("--all-tasks", help="Captions and scene types too, not only what is listed and found."),
    ] = False,
) -> None:
    """Teach the language model to point, list and stop.   groundproof-train pointer --minutes 40"""
    from groundproof_training.pointer import PointerConfig
    from groundproof_training.recipe import follow, run_pointer

    cfg = PointerConfig(minutes=minutes, max_steps=max_steps, forms=forms.value)
    if all_tasks:
        cfg = cfg.model_copy(update={"tasks": None})
    follow(
        work,
        "pointer",
        run_pointer(work, cfg, data=data, start=start_from),
        _say,
    )


@app.command()
@resumable()
def curriculum(
    work: WorkDir = WORK,
    data: DataDir = None,
    minutes: Annotated[float, typer.Option(help="Of training, in this run of the command.")] = 25.0,
    max_steps: MaxSteps = 2000,
) -> None:
    """The embedded model's own last stage: all tasks, losses that point.   groundproof-train curriculum --minutes 25"""
    from groundproof_training.curriculum import CurriculumSettings
    from groundproof_training.recipe import logged, run_curriculum

    settings = CurriculumSettings(minutes=minutes, max_steps=max_steps)
    run_curriculum(work, settings, logged(work, "curriculum", _say), data=data)


@app.command()
def export(
    folder: NewFolder,
    work: WorkDir = WORK,
    stage: Annotated[str, typer.Option(help="pointer or curriculum: whose weights.")] = "curriculum",
    model: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="In place of a stage: the model that `sft` or `grpo` made of this one."
        ),
    ] = None,
) -> None:
    """Write the model folder.   groundproof-train export out/tiny"""
    from groundproof_training.export import export_tuned
    from groundproof_training.recipe import run_export

    size = run_export(work, folder, stage) if model is None else export_tuned(model, folder)
    typer.echo(f"{size / 1e6:.1f} MB of weights", err=True)
    typer.echo(folder)


@app.command()
def curves(
    picture: Annotated[Path, typer.Argument(help="File to draw to: .png, .svg or .pdf.")],
    work: WorkDir = WORK,
) -> None:
    """Draw the learning curves of a run's logs.   groundproof-train curves docs/learning.png"""
    from groundproof_training.curves import draw_curves

    draw_curves(work, picture)
    typer.echo(picture)


@app.command()
@resumable()
def recipe(
    folder: NewFolder,
    work: WorkDir = WORK,
    data: DataDir = None,
    minutes: Annotated[
        float, typer.Option(help="Of training, shared out over the stages; more learns more.")
    ] = 110.0,
    small: Annotated[bool, typer.Option("--small", help="A toy run of a minute: every stage works.")] = False,
) -> None:
    """All stages in order, into a model folder.   groundproof-train recipe out/tiny --small"""
    from groundproof_training.recipe import run_recipe

    run_recipe(work, folder, _say, small=small, data=data, minutes=minutes)
    typer.echo(folder)


cli_data.register(app)
cli_evaluate.register(app)
cli_tune.register(app)
cli_ablation.register(app)


def main() -> None:
    """Entry point of the console script. What a user can put right is one sentence and exit code 2."""
    from groundproof.errors import GroundproofError
    from groundproof_training.bench import BenchChangedError
    from groundproof_training.curves import NoLogsError
    from groundproof_training.errors import TrainingError
    from groundproof_training.real_data import RealDataError

    try:
        app()
    except (TrainingError, GroundproofError, RealDataError, BenchChangedError, NoLogsError) as err:
        typer.echo(f"error: {err}", err=True)
        raise SystemExit(2) from err


if __name__ == "__main__":
    main()

"""Commands that train a model on samples: SFT and GRPO. A thin shell."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[
    str,
    typer.Argument(metavar="CONFIG", help="rsthinker-9b, geovlm-r1-3b, tiny, or a .toml file of your own."),
]
Model = Annotated[
    str | None,
    typer.Option("--model", help="Folder or hub id of the model to begin with. None: the configuration's."),
]
Data = Annotated[Path | None, typer.Option("--data", help="Samples, JSONL.")]
Root = Annotated[
    Path | None, typer.Option("--root", help="Folder that images' paths begin at. None: the samples' own.")
]
Out = Annotated[Path | None, typer.Option("-o", "--out", help="Folder of the run and of the finished model.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say memory, tokens, steps and time; train nothing.")]
MaxSteps = Annotated[int | None, typer.Option(min=1, help="Length of the run in steps, in place of epochs.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on from the newest checkpoint in the folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Of a dry run: the figures as JSON.")]


def _say(line: str) -> None:
    from groundproof_training.tuning.run import is_first

    if is_first():
        typer.echo(line, err=True)


@contextmanager
def stoppable(told: str | None = None) -> Iterator[None]:
    """A run that was asked to stop is one sentence and exit code 130. told: that sentence, in place of the run's."""
    from transformers.utils import logging

    from groundproof_training.tuning.run import Interrupted, going_on

    logging.disable_progress_bar()
    # Names that transformers is about to change, used inside transformers and TRL: nobody here can act on them.
    warnings.filterwarnings("ignore", category=FutureWarning)
    try:
        yield
    except Interrupted as stop:
        _say(told or str(stop))
        raise typer.Exit(130) from stop
    except KeyboardInterrupt as err:
        _say(told or f"stopped at once; the last checkpoint is kept. Go on with: {going_on()}")
        raise typer.Exit(130) from err


def _run(
    stage: str,
    config: str,
    model: str | None,
    data: Path | None,
    root: Path | None,
    out: Path | None,
    max_steps: int | None,
    *,
    dry_run: bool,
    resume: bool,
    as_json: bool,
) -> None:
    from groundproof_training.errors import TrainingError

    try:
        _run_checked(stage, config, model, data, root, out, max_steps, dry_run, resume, as_json)
    except ModuleNotFoundError as err:
        missing = (err.name or "").partition(".")[0]
        if not missing or missing.startswith("groundproof"):
            raise
        raise TrainingError(
            f"training needs {missing}, which is not installed: pip install 'groundproof[train]'"
        ) from err


def _run_checked(
    stage: str,
    config: str,
    model: str | None,
    data: Path | None,
    root: Path | None,
    out: Path | None,
    max_steps: int | None,
    dry_run: bool,
    resume: bool,
    as_json: bool,
) -> None:
    from groundproof_training.errors import TrainingError
    from groundproof_training.tuning.configuration import read_configuration

    cfg = read_configuration(config)
    if root is None and data is not None:
        root = data.parent
    if dry_run:
        from groundproof_training.tuning.dry_run import estimate, table

        found = estimate(cfg, stage, model, data, root, max_steps, _say)
        typer.echo(found.model_dump_json(indent=1) if as_json else table(found))
        return
    if data is None or root is None or out is None:
        raise TrainingError("a run needs --data SAMPLES.jsonl and -o FOLDER; a --dry-run needs neither")
    from groundproof_training.tuning.run import Order

    order = Order(cfg, model, data, root, out, resume, max_steps)
    with stoppable():
        if stage == "sft":
            from groundproof_training.tuning.sft import run_sft

            run_sft(order, _say)
        else:
            from groundproof_training.tuning.grpo import run_grpo

            run_grpo(order, _say)
    typer.echo(out)


def sft(
    config: Config,
    model: Model = None,
    data: Data = None,
    root: Root = None,
    out: Out = None,
    max_steps: MaxSteps = None,
    dry_run: DryRun = False,
    resume: Resume = False,
    as_json: AsJson = False,
) -> None:
    """Fine-tune on samples.   groundproof-train sft tiny --data samples.jsonl -o out/sft"""
    _run("sft", config, model, data, root, out, max_steps, dry_run=dry_run, resume=resume, as_json=as_json)


def grpo(
    config: Config,
    model: Model = None,
    data: Data = None,
    root: Root = None,
    out: Out = None,
    max_steps: MaxSteps = None,
    dry_run: DryRun = False,
    resume: Resume = False,
    as_json: AsJson = False,
) -> None:
    """Reinforce by rewards.   groundproof-train grpo tiny --model out/sft --data samples.jsonl -o out/grpo"""
    _run("grpo", config, model, data, root, out, max_steps, dry_run=dry_run, resume=resume, as_json=as_json)


def register(app: typer.Typer) -> None:
    """Add the commands to `groundproof-train`."""
    app.command()(sft)
    app.command()(grpo)

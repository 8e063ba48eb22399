"""`groundproof-train evaluate`: models on benchmarks, or files of predictions that somebody made. A thin shell."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from groundproof_training.cli_stopping import resumable
from groundproof_training.errors import TrainingError

if TYPE_CHECKING:
    from groundproof_training.evaluation.results import Evaluation


class FileFormat(StrEnum):
    """Of files of predictions."""

    RS_TESTER = "rs_tester"
    EARTHDIAL = "earthdial"
    GEOCHAT = "geochat"
    COCO = "coco"
    RUN = "run"


class BoxesFrame(StrEnum):
    """What the numbers of boxes in a file mean."""

    FRACTION = "fraction"
    PERCENT = "percent"
    PER_MILLE = "per-mille"
    PX = "px"


class PromptKind(StrEnum):
    """Whose words a question is asked in."""

    ENGINE = "engine"
    PUBLISHED = "published"


@dataclass(frozen=True, slots=True)
class _Suite:
    """What was asked of a suite, as the options give it."""

    models: tuple[str, ...]
    suite: str
    data: Path | None
    only: tuple[str, ...]
    limit: int | None
    dry_run: bool
    prompt: Literal["engine", "published"]
    device: str
    retry_failed: bool


def _say(line: str) -> None:
    typer.echo(line, err=True)


_MODELS = "Models on benchmarks: --model M --suite NAME --data DIR -o OUT"
_FILES = "Somebody's predictions: --predictions FILE --format FORMAT"
_BOTH = "Both"


@resumable()
def evaluate(
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            metavar="MODEL",
            help="A profile's name, a folder, vllm:FOLDER, PROFILE:http://HOST/v1, baseline:none or baseline:centre; "
            "again for several.",
            rich_help_panel=_MODELS,
        ),
    ] = None,
    suite: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="rsthinker, geovlm-r1, local, bench-v1, all, or a TOML file of your own.",
            rich_help_panel=_MODELS,
        ),
    ] = "all",
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder that holds the datasets' folders; bench-v1 needs none.",
            rich_help_panel=_MODELS,
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ENTRY",
            help="Only these entries of the suite; again for several.",
            rich_help_panel=_MODELS,
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="At most so many questions of each entry, drawn by seed; of local and bench-v1 the first so many "
            "pictures.",
            rich_help_panel=_MODELS,
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Say which data is there, how much would be asked, and how long it would take on this machine, as "
            "busy as it is now.",
            rich_help_panel=_MODELS,
        ),
    ] = False,
    prompt: Annotated[
        PromptKind,
        typer.Option(
            metavar="WORDS",
            help="engine: asked in the engine's words. published: in the benchmark's own, where they are known.",
            rich_help_panel=_MODELS,
        ),
    ] = PromptKind.ENGINE,
    device: Annotated[
        str,
        typer.Option(
            metavar="DEVICE",
            help="For a model in this process: auto, cpu or cuda.",
            rich_help_panel=_MODELS,
        ),
    ] = "auto",
    retry_failed: Annotated[
        bool,
        typer.Option(
            "--retry-failed",
            help="Ask questions again that the model gave an error for.",
            rich_help_panel=_MODELS,
        ),
    ] = False,
    predictions: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="What is scored; again for several, which are compared.",
            rich_help_panel=_FILES,
        ),
    ] = None,
    form: Annotated[
        FileFormat | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="Of the file: rs_tester, earthdial, geochat, coco or run.",
            rich_help_panel=_FILES,
        ),
    ] = None,
    truth: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="What is true, where the predictions do not hold it themselves.",
            rich_help_panel=_FILES,
        ),
    ] = None,
    frame: Annotated[
        BoxesFrame | None,
        typer.Option(
            metavar="FRAME",
            help="Of the boxes: fraction, percent, per-mille or px; without it the format's own.",
            rich_help_panel=_FILES,
        ),
    ] = None,
    family: Annotated[
        str | None,
        typer.Option(
            metavar="FAMILY",
            help="How every row is compared: grounding, detection, counting, classification, vqa or captioning; "
            "without it by what the row is.",
            rich_help_panel=_FILES,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            metavar="OUT",
            help="Folder for the report (HTML, Markdown, JSON) and for models' answers; the same one goes on.",
            rich_help_panel=_BOTH,
        ),
    ] = None,
    draws: Annotated[
        int,
        typer.Option(min=0, metavar="N", help="Of the bootstrap; 0: no intervals.", rich_help_panel=_BOTH),
    ] = 1000,
    java: Annotated[
        bool,
        typer.Option(
            "--java",
            help="Of captions also METEOR 1.5 and SPICE by COCO's own tools, which need Java.",
            rich_help_panel=_BOTH,
        ),
    ] = False,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Print what report.json holds instead of a table.",
            rich_help_panel=_BOTH,
        ),
    ] = False,
) -> None:
    """Measure models on benchmarks, or somebody's predictions.

    groundproof-train evaluate --model tiny --suite bench-v1 -o OUT

    groundproof-train evaluate --predictions answers.jsonl --format earthdial
    """
    if predictions:
        _refuse(
            "--predictions are scored as they are",
            {
                "--model": model,
                "--data": data,
                "--only": only,
                "--limit": limit,
                "--dry-run": dry_run,
                "--retry-failed": retry_failed,
            },
        )
        _score_files(predictions, form, truth, frame, family, draws, out, java=java, as_json=as_json)
        return
    _refuse(
        "these are for --predictions FILE",
        {"--format": form, "--truth": truth, "--frame": frame, "--family": family},
    )
    if not model:
        raise TrainingError(
            "nothing to measure; give --model M with --suite NAME --data DIR, or --predictions FILE with --format F."
        )
    asked = _Suite(
        tuple(model),
        suite,
        data,
        tuple(only or ()),
        limit,
        dry_run,
        "published" if prompt is PromptKind.PUBLISHED else "engine",
        device,
        retry_failed,
    )
    _run_suite(asked, out, draws, java=java, as_json=as_json)


def _score_files(
    files: list[Path],
    form: FileFormat | None,
    truth: Path | None,
    frame: BoxesFrame | None,
    family: str | None,
    draws: int,
    out: Path | None,
    *,
    java: bool,
    as_json: bool,
) -> None:
    from groundproof_training.evaluation.cases import Family
    from groundproof_training.evaluation.prediction_files import FORMATS, FileOptions, Frame
    from groundproof_training.evaluation.prediction_files.evaluating import evaluate_files

    if form is None:
        known = "; ".join(f"{name} ({one.summary})" for name, one in FORMATS.items())
        raise TrainingError(f"--predictions need --format, one of: {known}.")
    if family is not None and family not in list(Family):
        raise TrainingError(f"--family {family!r} is none; it is one of {', '.join(Family)}.")
    options = FileOptions(
        frame=Frame(frame) if frame is not None else None,
        family=Family(family) if family is not None else None,
    )
    evaluation = evaluate_files(files, str(form), truth, options, draws=draws, java=java, say=_say)
    _tell(evaluation, out, as_json=as_json)


def _run_suite(asked: _Suite, out: Path | None, draws: int, *, java: bool, as_json: bool) -> None:
    from groundproof_training.evaluation.asking import AskSettings
    from groundproof_training.evaluation.local import refuse_checkout
    from groundproof_training.evaluation.running import run_suite
    from groundproof_training.evaluation.suites import load_suite

    if asked.suite not in ("local", "bench-v1"):
        load_suite(asked.suite)  # a name that is none is told before anything that is missing for it
    if asked.data is None and asked.suite != "bench-v1":
        raise TrainingError(
            f"the suite {asked.suite} needs --data DIR, the folder that holds the datasets' folders."
        )
    if asked.suite == "local" and out is not None:
        refuse_checkout(out)
    evaluation = run_suite(
        asked.models,
        asked.suite,
        asked.data or Path(),
        out,
        only=asked.only,
        limit=asked.limit,
        draws=draws,
        dry_run=asked.dry_run,
        prompt=asked.prompt,
        settings=AskSettings(retry_failed=asked.retry_failed),
        device=asked.device,
        java=java,
        say=_say,
    )
    _tell(evaluation, None if asked.dry_run else out, as_json=as_json)


def _tell(evaluation: Evaluation, out: Path | None, *, as_json: bool) -> None:
    """The report where there is a folder for it, its path last; JSON where asked; else a table."""
    from groundproof_training.evaluation import report

    path = report.write_report(evaluation, out) if out is not None else None
    if as_json:
        typer.echo(json.dumps(report.as_json(evaluation), indent=1, ensure_ascii=True, allow_nan=False))
    else:
        typer.echo(report.table(evaluation) if path is None else path)


def _refuse(why: str, given: dict[str, object]) -> None:
    """Raises TrainingError where one of the options was given."""
    found = [name for name, value in given.items() if value not in (None, False, [])]
    if found:
        raise TrainingError(f"{why}; leave {' and '.join(found)} out.")


def register(app: typer.Typer) -> None:
    """Add the command to `groundproof-train`."""
    app.command()(evaluate)

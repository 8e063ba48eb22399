"""`groundproof resume`, `status`, `merge`: what is done with a run directory, of one question or of a batch.

Knows options and help texts. Decides nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from groundproof.batch import Made, result_of, run_batch, write_result
from groundproof.batch_summary import summarise
from groundproof.cli_options import (
    Json,
    Out,
    Picture,
    Quiet,
    RayAddress,
    Runner,
    Summary,
    Workers,
    check_share,
    spread_of,
)
from groundproof.deliver import merge_run, other_thresholds, write_outputs
from groundproof.errors import UsageError
from groundproof.failed_list import failed
from groundproof.on_disk import OnDisk
from groundproof.outputs.writing import check
from groundproof.parses import parses
from groundproof.run import RunDirectory, RunStatus
from groundproof.session import Session
from groundproof.shell import resumable, said_as_sentences, show, show_batch
from groundproof.terminal import BatchTerminal, Terminal, plain
from groundproof.wording import duration

SHOWN_FAILURES = 20
"""Failures that `status` names; the list in the run directory holds all of them."""


def resume(
    run_dir: Annotated[
        Path, typer.Argument(metavar="RUN_DIR", help="The run directory of an interrupted run.")
    ],
    out: Out = None,
    picture: Picture = None,
    summary: Summary = None,
    on: Runner = "local",
    workers: Workers = None,
    ray_address: RayAddress = None,
    max_failed: Annotated[
        float | None, typer.Option(help="Of a batch: another share of tiles that may fail.")
    ] = None,
    json_: Json = False,
    quiet: Quiet = False,
) -> None:
    """Go on with an interrupted run, then write its result. What could not be read or asked is tried again."""
    terminal = Terminal(quiet=quiet, json_output=json_)
    with said_as_sentences(terminal):
        run = RunDirectory.open(run_dir)
        if run.config.batch:
            _no_picture(picture)
            if max_failed is not None:
                check_share(max_failed)
                run.adopt(run.config.model_copy(update={"max_failed": max_failed}))
            terminal = BatchTerminal(quiet=quiet, json_output=json_)
            spread = spread_of(on, workers, ray_address)
            with Session.of_run(run_dir, terminal, spread=spread) as session, resumable(terminal, run_dir):
                made = run_batch(session, run_dir, out or result_of(run_dir), summary=summary)
            show_batch(made, terminal, json_=json_)
            return
        target = out or result_of(run_dir)
        with Session.of_run(run_dir, terminal) as session:
            session.check_outputs(target, picture, summary)
            with resumable(terminal, run_dir):
                run, result = session.run(run_dir)
                files = write_outputs(run, result, target, picture=picture, summary=summary)
            show(result, files, terminal, json_=json_)


def _no_picture(picture: Path | None) -> None:
    if picture is not None:
        raise UsageError("--picture is of one question about one scene; a batch has none. Leave it out.")


def status(
    run_dir: Annotated[Path, typer.Argument(metavar="RUN_DIR", help="A run directory, running or not.")],
    texts: Annotated[
        bool,
        typer.Option(
            "--texts", help="Also read every answer again: how many had to be mended (slow on large runs)."
        ),
    ] = False,
    json_: Json = False,
) -> None:
    """How far a run is; works from another terminal while it runs."""
    terminal = Terminal(json_output=json_)
    with said_as_sentences(terminal):
        run = RunDirectory.open(run_dir)
        state = run.status()
        written = parses(run) if texts else None
        scenes = Counter(str(scene["status"]) for scene in run.scenes)
        failures = list(islice(failed(run), SHOWN_FAILURES + 1))
        if json_:
            document = {
                "running": state.running,
                "scenes": dict(scenes),
                "tiles": state.planned,
                "answered": state.answered,
                "failed": state.failed,
                "by_status": state.by_status,
                "batches": state.batches,
                "batches_done": state.batches_done,
                "tiles_per_second": state.tiles_per_second,
                "seconds_left": state.seconds_left if state.running else None,
                "model_seconds": round(state.seconds, 1),
                "failures": [one.sentence() for one in failures],
                **({} if written is None else {"parses": asdict(written)}),
            }
            print(json.dumps(document))  # noqa: T201
            return
        for sentence in _sentences(state, scenes):
            terminal.out.print(sentence)
        if written is not None:
            terminal.out.print(written.sentence())
        for one in failures[:SHOWN_FAILURES]:
            terminal.out.print(f"  failed: {plain(one.sentence())}")
        if len(failures) > SHOWN_FAILURES:
            terminal.out.print("  and more; all of them are listed in failed.csv when the run ends")
        if state.batches_done < state.batches and not state.running:
            terminal.out.print(f"Go on with: groundproof resume {run_dir}")


def _sentences(state: RunStatus, scenes: Counter[str]) -> list[str]:
    words = ", ".join(f"{n:,} {name}" for name, n in sorted(state.by_status.items())) or "none yet"
    others = "".join(f", {scenes[name]:,} {name}" for name in ("skipped", "failed") if scenes[name])
    pace = "" if state.tiles_per_second is None else f", {state.tiles_per_second:.2g} tiles/s"
    left = ""
    if state.running and state.seconds_left is not None:
        left = f", {duration(state.seconds_left)} left"
    doing = "running" if state.running else "done" if state.batches_done == state.batches else "stopped"
    return [
        f"{doing}: {state.answered:,} of {state.planned:,} tiles{pace}{left}",
        f"scenes: {scenes['ok']:,} readable{others}",
        f"{state.batches_done:,} of {state.batches:,} batches; tiles answered: {words}; {state.failed:,} failed.",
    ]


def merge(
    run_dir: Annotated[Path, typer.Argument(metavar="RUN_DIR")],
    out: Annotated[
        Path, typer.Option("-o", "--out", help="What to write: .gpkg, .parquet, .geojson, or a folder.")
    ],
    iou: Annotated[
        float | None, typer.Option(help="Overlap (IoU) from which two whole boxes are one object.")
    ] = None,
    ios: Annotated[
        float | None,
        typer.Option(help="The same (intersection over the smaller) where one is cut by its tile's edge."),
    ] = None,
    out_crs: Annotated[str | None, typer.Option(help="CRS of the output.")] = None,
    dedupe_scenes: Annotated[
        bool | None,
        typer.Option(
            "--dedupe-scenes/--no-dedupe-scenes",
            help="Count once what two overlapping scenes both show. Default: as the run was asked to.",
        ),
    ] = None,
    picture: Picture = None,
    summary: Summary = None,
    json_: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make the result of a run again from its answers, without a model."""
    terminal = Terminal(quiet=quiet, json_output=json_)
    with said_as_sentences(terminal):
        run = RunDirectory.open(run_dir)
        if run.config.batch:
            _no_picture(picture)
            thresholds = other_thresholds(run, iou, ios)
            check(out)
            with OnDisk(run, out.absolute().parent / f".{out.name}.spool") as on_disk:
                tables = on_disk.make(merge_config=thresholds, out_crs=out_crs, dedupe_scenes=dedupe_scenes)
                files = write_result(run, tables, out, summary=summary)
                found = summarise(tables)
            show_batch(Made(run, found, files, sum(1 for _ in failed(run))), terminal, json_=json_)
            return
        run, result = merge_run(run_dir, iou=iou, ios=ios, out_crs=out_crs, dedupe_scenes=dedupe_scenes)
        files = write_outputs(run, result, out, picture=picture, summary=summary)
        show(result, files, terminal, json_=json_)

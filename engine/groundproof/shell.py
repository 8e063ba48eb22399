"""What every command does alike: show a result, turn errors into sentences and exit codes, survive Ctrl-C.

Knows exit codes and signals. Refuses to know options.
"""

from __future__ import annotations

import json
import shlex
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer

from groundproof.batch import Made
from groundproof.deliver import failures
from groundproof.errors import EXIT_INTERRUPTED, EXIT_PARTIAL, GroundproofError, outcome
from groundproof.run import RunDirectory
from groundproof.tables import Result
from groundproof.terminal import Terminal, result_document

SHOWN_UNUSABLE = 5
"""Scenes that a dry run names among those that cannot be used; --json has all of them."""


def show(result: Result, files: dict[str, str], terminal: Terminal, *, json_: bool) -> None:
    """Print the result; exit code 5 when tiles or scenes failed. The path made is the last line."""
    if json_:
        print(result_document(result, files))  # noqa: T201
    else:
        if not terminal.quiet:
            terminal.result(result)
            for kind, path in files.items():
                if kind != "result":
                    terminal.out.print(f"{kind.capitalize():<10} {path}")
        if "result" in files:
            print(files["result"])  # noqa: T201
    skipped = result.scenes[result.scenes.status == "skipped"]
    for reason in skipped.reason:
        terminal.note(reason)
    failed = failures(result)
    if failed:
        terminal.warn(failed)
        raise typer.Exit(EXIT_PARTIAL)


def show_batch(made: Made, terminal: Terminal, *, json_: bool) -> None:
    """As `show`, for a result that is too large to be told answer by answer."""
    summary, files = made.summary, made.files
    if json_:
        print(json.dumps({**summary.as_dict(), "failures": made.failures, "files": files}))  # noqa: T201
    else:
        if not terminal.quiet:
            terminal.batch_result(summary, files)
        print(files["result"])  # noqa: T201
    if summary.failed:
        what = [summary.coverage_sentence()] if summary.failed_tiles else []
        what += [summary.scenes_sentence()] if summary.scenes.get("failed") else []
        where = f" The list: {files['failures']}" if "failures" in files else ""
        terminal.warn(f"Answered, but not everywhere: {'; '.join(what)}.{where}")
        raise typer.Exit(EXIT_PARTIAL)


def print_estimate(estimate: dict[str, Any], terminal: Terminal, json_: bool) -> None:
    """What a dry run found."""
    if json_:
        print(json.dumps(estimate))  # noqa: T201
    else:
        terminal.out.print(estimate["sentence"])
        unusable = estimate["unusable"]
        for reason in unusable[:SHOWN_UNUSABLE]:
            terminal.warn(f"cannot be used: {reason}")
        if len(unusable) > SHOWN_UNUSABLE:
            terminal.warn(f"and {len(unusable) - SHOWN_UNUSABLE:,} more scenes")


@contextmanager
def said_as_sentences(terminal: Terminal) -> Iterator[None]:
    """One sentence and the right exit code for every error raised on purpose."""
    try:
        yield
    except GroundproofError as err:
        terminal.stop_progress()
        terminal.warn(str(err))
        raise typer.Exit(outcome(err).exit_code) from err


@contextmanager
def resumable(terminal: Terminal, directory: Path, outputs: Sequence[str] = ()) -> Iterator[None]:
    """Ctrl-C and a polite kill keep what is done and say how to go on.

    outputs: options that `resume` needs to write where this command would have.
    """

    def interrupt(_signal: int, _frame: object) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    except KeyboardInterrupt as err:
        terminal.stop_progress()
        if (directory / "run.toml").exists():
            state = RunDirectory.open(directory).status()
            terminal.warn(
                f"Stopped. {state.answered} of {state.planned} tiles are answered and kept (a batch that was being "
                f"answered is asked again); go on with: groundproof resume {shlex.join([str(directory), *outputs])}"
            )
        else:
            terminal.warn("Stopped before anything was asked.")
        raise typer.Exit(EXIT_INTERRUPTED) from err
    finally:
        signal.signal(signal.SIGTERM, previous)

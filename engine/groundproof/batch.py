"""A batch from its sources to its files: many scenes, several questions, a result put together on disk.

Knows the order of things and what is made beside the result. Refuses to know terminals (`Listener`), models and how
tiles are answered (`session.py`).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from groundproof.ask_options import AskOptions
from groundproof.batch_summary import BatchSummary, summarise
from groundproof.errors import OutputError, TooManyFailedError
from groundproof.failed_list import write_failed
from groundproof.outputs import write, write_summary
from groundproof.outputs.stac import write_stac
from groundproof.run import RunDirectory
from groundproof.run_files import FAILED_LIST
from groundproof.scene_lists import SceneList
from groundproof.session import Session
from groundproof.tables import Tables


@dataclass(frozen=True, slots=True)
class Made:
    """What a batch came to. files: what was written, by kind, "result" last. failures: rows of `FAILED_LIST`."""

    run: RunDirectory
    summary: BatchSummary
    files: dict[str, str]
    failures: int


def options_for(listed: SceneList, questions: Sequence[str], **more: Any) -> AskOptions:
    """The options of a batch over listed scenes. more: of `AskOptions`."""

    def column(values: list[str | None]) -> tuple[str, ...]:
        return tuple(value or "" for value in values) if any(values) else ()

    scenes = listed.scenes
    return AskOptions(
        scenes=tuple(scene.path for scene in scenes),
        questions=tuple(questions),
        scene_aois=column([scene.aoi for scene in scenes]),
        scene_datetimes=column([scene.datetime for scene in scenes]),
        scene_flaws=column([scene.reason for scene in scenes]),
        batch=True,
        **more,
    )


def result_of(run_dir: Path) -> Path:
    """Where the result of a run goes when nobody says: beside its directory. Of harbours or harbours.run
    harbours.gpkg, of harbours.v2 harbours.v2.gpkg: the result of harbours is another one's."""
    named = run_dir if run_dir.name not in ("", "..") else run_dir.resolve()
    return named.parent / f"{named.name.removesuffix('.run') or named.name}.gpkg"


def run_batch(
    session: Session,
    directory: Path,
    target: Path,
    *,
    fresh: bool = False,
    summary: Path | None = None,
    lists: Sequence[str] = (),
) -> Made:
    """Answer, put together, write. Whatever stops it, what was answered is kept, and the same call goes on.

    summary: also write summary.csv there. lists: files that named the scenes, which no result may replace.
    Raises TooManyFailedError, which names what failed first and where the list is, and what `Session.run` raises.
    """
    session.check_outputs(target, None, summary, lists)
    if os.path.realpath(target) == os.path.realpath(directory):
        raise OutputError(f"{target} is the run directory. Name another folder for the result.")
    try:
        with session.run_batch(directory, fresh=fresh) as (run, tables):
            files = write_result(run, tables, target, summary=summary)
            found = summarise(tables)
    except TooManyFailedError as err:
        raise TooManyFailedError(f"{err} {_listed(directory)}") from err
    failures = write_failed(run, directory / FAILED_LIST)
    if failures:
        files = {"failures": str(directory / FAILED_LIST), **files}
    return Made(run, found, files, failures)


def write_result(
    run: RunDirectory, tables: Tables, target: Path, *, summary: Path | None = None
) -> dict[str, str]:
    """The files of a result of any size, by kind; "result" last. A STAC item beside it, where it has a place.

    Raises OutputError; the run keeps everything.
    """
    files: dict[str, str] = {}
    try:
        made = write(tables, target)
        if summary is not None:
            write_summary(tables, summary)
            files["summary"] = str(summary)
            made.append(summary)
        item = write_stac(tables, made, target)
        if item is not None:
            files["STAC item"] = str(item)
    except OutputError as err:
        raise OutputError(
            f"{err} The answers are kept: write them with `groundproof merge {run.path} -o FILE`."
        ) from err
    files["result"] = str(target)
    return files


def _listed(directory: Path) -> str:
    """What failed, in the words for an error."""
    run = RunDirectory.open(directory)
    count = write_failed(run, directory / FAILED_LIST)
    return (
        f"What failed ({count:,} rows) is in {directory / FAILED_LIST}. Mend it and go on with: groundproof resume "
        f"{directory} (--max-failed 1 goes on as it is)."
    )

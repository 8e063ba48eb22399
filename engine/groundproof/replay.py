"""Whether a result can be made again from its provenance: from the answers kept, the pixels, and the model.

Knows a GeoPackage of ours, the run directory it names, and the ways from one to the other. Refuses to know terminals.
Changes nothing: what is made again lies in a folder that is gone afterwards.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from groundproof.assemble import assemble_to
from groundproof.compare_tables import Differences, compare_table
from groundproof.config import MergeConfig
from groundproof.deliver import provenance
from groundproof.doctor import versions
from groundproof.errors import RunError, SceneError
from groundproof.frames import named_rows
from groundproof.listening import Listener, Silent, Telling
from groundproof.outputs.reading import read_metadata, read_table
from groundproof.outputs.spool import Spool
from groundproof.run import RunDirectory
from groundproof.runners.local import run_tiles
from groundproof.runners.stages import tile_of
from groundproof.sources import Sources
from groundproof.tables import TABLES
from groundproof.wording import joined

if TYPE_CHECKING:
    from groundproof.models.base import VisionLanguageModel

MAX_NAMED = 5
"""Differing things named one by one in a sentence."""

_SAID = ("status", "text", "finish", "pixels_hash")
"""What must come again when a tile is asked again; how long it took and how often it was tried need not."""


@dataclass(frozen=True, slots=True)
class Check:
    """One way from the provenance to the result. compared, equal: how many of `things`.

    deviations: what differs and why, one sentence each. expected: what differs for a good reason, such as a review.
    """

    way: str
    things: str
    compared: int
    equal: int
    deviations: tuple[str, ...] = ()
    expected: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """Nothing differs without a good reason."""
        return not self.deviations

    @property
    def sentence(self) -> str:
        """For a person."""
        if self.compared == self.equal and self.same:
            return f"{self.way}: all {self.compared:,} {self.things} are the same"
        return f"{self.way}: {self.equal:,} of {self.compared:,} {self.things} are the same"


@dataclass(frozen=True, slots=True)
class Replay:
    """What was compared. notes: what may explain a difference, such as other versions of libraries."""

    checks: tuple[Check, ...]
    notes: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """The result was made again."""
        return all(check.same for check in self.checks)

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was compared, what differs and why, the conclusion last."""
        lines: list[str] = []
        for check in self.checks:
            lines += [check.sentence, *check.deviations, *check.expected]
        conclusion = (
            "The result was made again from its provenance."
            if self.same
            else "The result was not made again."
        )
        return (*lines, *self.notes, conclusion)


def replay(
    path: Path,
    *,
    pixels: bool = False,
    tiles: int | None = 20,
    run_dir: Path | None = None,
    model: VisionLanguageModel | None = None,
    listener: Listener | None = None,
) -> Replay:
    """Make the result in a GeoPackage again, and compare.

    The answers kept are always put together again and compared with all tables. pixels: also read every tile again
    and compare what the model saw. model: also ask whole batches again, chosen by the run's name, until they hold
    `tiles` tiles (None: all), and compare what it says. run_dir: instead of the one the file names.

    Raises UsageError for what is no result of ours, RunError when its run directory is not there or damaged, and what
    the model raises. A scene that is gone or was changed is a deviation.
    """
    told = listener or Silent()
    metadata = read_metadata(path)
    run = RunDirectory.open(_directory(path, metadata, run_dir))
    if metadata.get("run_id") != run.run_id:
        other = Check(
            "The answers kept",
            "runs",
            1,
            0,
            (
                f"{run.path} is another run ({run.run_id}) than {path.name} was made from ({metadata.get('run_id')}).",
            ),
        )
        return Replay((other,))
    told.stage("putting the answers together again")
    checks = [_merged_again(path, metadata, run)]
    if pixels:
        told.stage("reading the pixels again")
        checks.append(_read_again(run, told))
    if model is not None:
        told.stage("asking the model again")
        checks.append(_asked_again(run, model, tiles, told))
    told.stop_progress()
    return Replay(tuple(checks), tuple(_other_versions(metadata)))


def _directory(path: Path, metadata: dict[str, Any], given: Path | None) -> Path:
    if given is not None:
        return given
    named = metadata.get("run_directory")
    if not isinstance(named, str):
        raise RunError(f"{path.name} does not say which run it was made from. Give its --run-dir.")
    for candidate in (Path(named), path.parent / Path(named).name):  # moved together to another place
        if (candidate / "run.toml").is_file():
            return candidate
    raise RunError(
        f"{path.name} was made from {named}, which is not there. Say with --run-dir where it lies now."
    )


def _merged_again(path: Path, metadata: dict[str, Any], run: RunDirectory) -> Check:
    compared = equal = 0
    deviations: list[str] = []
    expected: list[str] = []
    with tempfile.TemporaryDirectory(prefix="groundproof-replay-") as scratch:
        kept = {name: read_table(path, name) for name in ("evidence",)}
        reviewed = bool(
            kept["evidence"]["review"].notna().any() or kept["evidence"]["evidence_id"].isna().any()
        )
        with Spool(Path(scratch) / "spool", kept["evidence"].crs) as spool:
            assemble_to(
                run,
                spool,
                spool.crs,
                metadata=provenance(run),
                merge_config=MergeConfig.model_validate(
                    metadata.get("merge") or run.config.merge.model_dump()
                ),
                dedupe_scenes=metadata.get("dedupe_scenes"),
            )
            for name in TABLES:
                table = kept.pop(name) if name in kept else read_table(path, name)
                found = compare_table(name, table, spool.frames(name), reviewed=reviewed)
                compared, equal = compared + found.rows, equal + found.equal
                deviations += _named(name, found)
                if found.by_review:
                    expected.append(
                        f"{name}: {found.by_review:,} rows differ since an analyst reviewed boxes"
                    )
    return Check(
        "The answers kept, put together again", "rows", compared, equal, tuple(deviations), tuple(expected)
    )


def _named(table: str, found: Differences) -> Iterator[str]:
    for column, keys in found.columns.items():
        yield f"{table}.{column} differs in {_some(len(keys), keys)}"
    if found.missing:
        yield f"{table}: not made again: {_some(len(found.missing), found.missing)}"
    if found.extra:
        yield f"{table}: made now but not in the file: {_some(len(found.extra), found.extra)}"


def _some(count: int, names: list[str]) -> str:
    words = joined(names[:MAX_NAMED])
    return f"{count:,} rows ({words}{' and others' if count > MAX_NAMED else ''})"


def _read_again(run: RunDirectory, listener: Listener) -> Check:
    sources = Sources(run)
    compared = equal = 0
    changed: list[str] = []
    lost: list[str] = []
    rows = (
        row
        for answered in run.answered()
        for row in named_rows(answered[answered.pixels_hash.notna()])
        if row.question == 0  # all questions about a tile see the same pixels
    )
    for scene, of_scene in groupby(rows, key=attrgetter("scene")):
        tiles = iter(of_scene)
        try:
            with sources.views(str(scene)) as views:
                for row in tiles:
                    listener.check()
                    compared += 1
                    if views.read(tile_of(row)).pixels_hash == row.pixels_hash:
                        equal += 1
                    else:
                        changed.append(f"{row.tile_id} of {scene}")
        except SceneError as err:
            compared += sum(1 for _ in tiles)
            lost.append(f"scene {scene} cannot be read as it was: {err}")
    if changed:
        lost.append(f"the pixels differ in {len(changed):,} tiles ({joined(changed[:MAX_NAMED])})")
    return Check("The pixels, read again", "tiles", compared, equal, tuple(lost))


def _asked_again(
    run: RunDirectory, model: VisionLanguageModel, tiles: int | None, listener: Listener
) -> Check:
    deviations = []
    if model.identity != run.config.model_identity:
        deviations.append(
            f"the answers were given by {run.config.model_identity}; asked now was {model.identity}"
        )
    chosen = _batches(run, tiles)
    compared = equal = 0
    differing: list[str] = []
    with tempfile.TemporaryDirectory(prefix="groundproof-replay-") as scratch:
        again = _same_plan(run, Path(scratch) / "again.run")
        # Whole batches: what a model writes may depend on what it is asked together with.
        run_tiles(
            again, model, Sources(again), Telling(again, listener, model.profile), chosen, raise_alone=False
        )
        for batch in chosen:
            before, after = (one.answers([batch]).set_index("seq") for one in (run, again))
            for seq in before.index:
                compared += 1
                one, other = before.loc[seq], after.loc[seq]
                what = [name for name in _SAID if one[name] != other[name] and one[name] is not other[name]]
                if what:
                    differing.append(f"{one.tile_id} ({joined(what)})")
                else:
                    equal += 1
    if differing:
        deviations.append(f"other answers of {len(differing):,} tiles: {joined(differing[:MAX_NAMED])}")
    return Check("The model, asked again", "tiles", compared, equal, tuple(deviations))


def _batches(run: RunDirectory, tiles: int | None) -> list[int]:
    """Answered batches, in an order that the run's name decides, until they hold so many tiles; ascending."""
    done = run.progress()
    if tiles is None:
        return [line.batch for line in done]
    random.Random(run.run_id).shuffle(done)
    chosen, held = [], 0
    for line in done:
        if held >= tiles:
            break
        chosen.append(line.batch)
        held += sum(line.by_status.values())
    return sorted(chosen)


def _same_plan(run: RunDirectory, folder: Path) -> RunDirectory:
    (folder / "answers").mkdir(parents=True)
    for name in ("run.toml", "scenes.parquet", "manifest.parquet"):
        shutil.copyfile(run.path / name, folder / name)
    return RunDirectory.open(folder)


def _other_versions(metadata: dict[str, Any]) -> Iterator[str]:
    then, now = metadata.get("versions"), versions()
    if not isinstance(then, dict):
        return
    changed = [
        f"{name} {then[name]} then, {now[name]} now"
        for name in then
        if name in now and then[name] != now[name]
    ]
    if changed:
        yield f"Other versions: {'; '.join(changed)}."

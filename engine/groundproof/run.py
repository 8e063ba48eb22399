"""The run directory: what was planned, what was answered, what is left. Append-only, safe to kill.

    run.toml          the resolved configuration and its hash
    scenes.parquet    one row per scene, with the AOIs asked about
    manifest.parquet  one row per (tile, question), written before any inference (`manifest.py`)
    answers/*.parquet one part file per batch
    progress/*.jsonl  one line per batch, an index of the part files (`journal.py`)

Knows files and their names. Refuses to know models, pixels and how work is spread: a runner asks for
pending batches and hands back rows. Every file is written to a temporary name, synced and renamed, so
a file that exists is whole. Work is at least once, names are deterministic, so results are exactly once.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import tomli_w

from groundproof import journal
from groundproof.config import RunConfig
from groundproof.differences import differences
from groundproof.errors import RunError
from groundproof.manifest import Manifest, write_manifest
from groundproof.run_files import (
    FAILED_LIST,
    FOLLOW_UP,
    PART,
    SCENES,
    SPOOL,
    is_locked,
    locked,
    read_part,
    write_file,
    write_table,
    writing,
)
from groundproof.tables import FAILED, TileStatus
from groundproof.version import __version__

_ANOTHER_TRY = (TileStatus.READ_ERROR.value, TileStatus.ENGINE_ERROR.value)
"""Another try may help; what the model wrote unreadably it would write the same again."""
_PART_NAME = re.compile(r"batch-(\d{8,})\.parquet")


@dataclass(frozen=True, slots=True)
class RunStatus:
    """How far a run is. Counts of (tile, question) rows that hold data; `by_status` only of those answered."""

    planned: int
    answered: int
    by_status: dict[str, int]
    batches: int
    batches_done: int
    seconds: float
    """Model time spent so far, summed over tiles."""
    running: bool = False
    """A process works on the run now."""
    tiles_per_second: float | None = None
    """Over the latest minutes; None where too little was answered to tell."""

    @property
    def seconds_left(self) -> float | None:
        """At the latest pace; None where there is none."""
        return (self.planned - self.answered) / self.tiles_per_second if self.tiles_per_second else None

    @property
    def failed(self) -> int:
        """Rows that were tried and gave no usable answer."""
        return sum(n for status, n in self.by_status.items() if TileStatus(status) in FAILED)


@dataclass(frozen=True, slots=True)
class Totals:
    """What a plan holds, summed while it was made. tiles, skipped: manifest rows with and without a valid pixel."""

    tiles: int
    skipped: int
    area_m2: float | None
    memory_bytes: int


class RunDirectory:
    """One run on disk. Make it with `create` or `open`.

    scenes: the rows of scenes.parquet. manifest: the plan, read by parts.
    """

    def __init__(
        self,
        path: Path,
        config: RunConfig,
        scenes: list[dict[str, Any]],
        manifest: Manifest,
        totals: Totals,
    ) -> None:
        self.path = path
        self.config = config
        self.scenes = scenes
        self.manifest = manifest
        self.totals = totals

    @property
    def run_id(self) -> str:
        """Short and stable: the start of the configuration's hash."""
        return self.config.inference_hash()[:12]

    @classmethod
    def create(cls, path: Path, config: RunConfig, plan: Iterable[LaidOut]) -> RunDirectory:
        """Write the plan, scene by scene as it is made. run.toml comes last: a directory that has one is complete.

        Raises OutputError when the directory cannot be written, RunError when it holds another run; what making
        the plan raises passes through, and what was written so far is overwritten by the next `create`.
        """
        with writing(path):
            (path / "answers").mkdir(parents=True, exist_ok=True)
        with locked(
            path
        ):  # planning takes minutes: another process must not plan something else there meanwhile
            if (path / "run.toml").exists():
                raise RunError(f"{path} already holds a run. Resume it, or name another --run-dir.")
            _forget_answers(path)  # of a run that was discarded halfway: they answer something else
            cls._write_plan(path, config, plan)
        return cls.open(path)

    @staticmethod
    def _write_plan(path: Path, config: RunConfig, plan: Iterable[LaidOut]) -> None:
        scenes: list[dict[str, Any]] = []
        areas: list[float | None] = []
        skipped = memory = 0

        def tables() -> Iterator[pa.Table]:
            nonlocal skipped, memory
            for scene in plan:
                yield from scene.rows
                scenes.append(scene.row)
                areas.append(scene.area_m2)
                skipped += scene.skipped
                memory = max(memory, scene.memory_bytes)

        write_file(path / "manifest.parquet", lambda temporary: write_manifest(temporary, tables()))
        write_table(path / "scenes.parquet", pa.Table.from_pylist(scenes, SCENES))
        rows = Manifest(path / "manifest.parquet").rows
        known = [area for area in areas if area is not None]
        _write_config(path, config, Totals(rows - skipped, skipped, sum(known) if known else None, memory))

    @staticmethod
    def is_unfinished(path: Path) -> bool:
        """Whether `path` holds what a kill during `create` or `discard` leaves, and nothing else."""
        left = {"answers", "pixels", "progress", "run.lock", "run.toml", "scenes.parquet", "manifest.parquet"}
        left |= {FAILED_LIST, SPOOL}
        return path.is_dir() and all(_whole_name(p) in left for p in path.iterdir())

    @staticmethod
    def discard(path: Path) -> None:
        """Remove the run in `path`, damaged or not, and nothing else that lies there.

        run.toml goes after the answers, so that whatever a kill leaves is a run with fewer answers or no
        run. Raises RunError when another process works on it, OutputError when it cannot be removed.
        """
        with locked(path), writing(path):
            _forget_answers(path)
            for name in (FAILED_LIST, "run.toml", "manifest.parquet", "scenes.parquet"):
                (path / name).unlink(missing_ok=True)

    def adopt(self, config: RunConfig) -> None:
        """Take over what may differ on resume (`INFERENCE_FREE`), here and in run.toml; see `require_same`."""
        self.require_same(config)
        if config != self.config:
            with self.lock():
                _write_config(self.path, config, self.totals)
            self.config = config

    @classmethod
    def open(cls, path: Path) -> RunDirectory:
        """Read a run. Raises RunError for anything that is not a whole run directory."""
        toml = path / "run.toml"
        if not toml.is_file():
            raise RunError(
                f"{path} is not a run directory (it has no run.toml). Give the --run-dir of an earlier run."
            )
        try:
            document = tomllib.loads(toml.read_text(encoding="utf-8"))
            config = RunConfig.model_validate(document["configuration"])
            totals = Totals(**{"area_m2": None, **document["plan"]})
            scenes = pq.read_table(path / "scenes.parquet").to_pylist()
            manifest = Manifest(path / "manifest.parquet")
        # ValueError: what is no TOML, no UTF-8, or no RunConfig.
        except (KeyError, TypeError, ValueError, OSError, pa.ArrowException) as err:
            raise RunError(
                f"The run in {path} is damaged: {err}. Start it anew with --fresh, or in another directory."
            ) from err
        made_by = document.get("groundproof")
        if document.get("hash") != config.inference_hash() and made_by != __version__:
            raise RunError(
                f"{path} was made by groundproof {made_by}, which this version ({__version__}) cannot go on with. "
                "Use that version, or start anew with --fresh."
            )
        if document.get("hash") != config.inference_hash():
            raise RunError(f"{toml} was changed by hand: its hash does not fit. Start a new run instead.")
        return cls(path, config, scenes, manifest, totals)

    def require_same(self, config: RunConfig) -> None:
        """Raise RunError, naming the differences, when `config` would give other answers than this run's."""
        if config.inference_hash() == self.config.inference_hash():
            return
        changed = differences(self.config, config)
        raise RunError(
            f"{self.path} holds a run with another configuration ({changed}). "
            "Use the same options to resume it, --fresh to discard it, or another --run-dir."
        )

    def pending(self) -> list[int]:
        """Batches that have no part file yet, in order."""
        kept = self._parts()
        return [batch for batch in range(self.manifest.batches) if batch not in kept]

    def retryable(self) -> list[int]:
        """Batches with tiles that could not be read or that the model died over: another try may help.

        What the model wrote unreadably is not among them: it would write the same again.
        """
        return [
            line.batch for line in self.progress() if any(line.by_status.get(one) for one in _ANOTHER_TRY)
        ]

    def write_part(self, batch: int, rows: list[dict[str, Any]]) -> None:
        """Keep one batch's answers. Raises OutputError when the disk does not take them.

        A tile that could not be read or asked this time keeps the answer it had: asking again may not lose any.
        """
        part = self._part(batch)
        if any(row["status"] in _ANOTHER_TRY for row in rows) and part.exists():
            had = {row["seq"]: row for row in read_part(part, PART).to_pylist()}
            rows = [_better(had.get(row["seq"]), row) for row in rows]
        write_table(part, pa.Table.from_pylist(rows, PART))
        with writing(self.path / "progress"):
            journal.note(
                self.path / "progress",
                batch,
                part,
                (row["status"] for row in rows),
                sum(row["seconds"] for row in rows),
            )

    def answers(self, batches: Iterable[int] | None = None) -> pd.DataFrame:
        """Tile answers so far (columns of PART), by seq: of some batches, or all (only where a run is small)."""
        wanted = sorted(self._parts()) if batches is None else batches
        parts = [read_part(part, PART) for batch in wanted if (part := self._part(batch)).exists()]
        table = pa.concat_tables(parts) if parts else PART.empty_table()
        frame: pd.DataFrame = table.to_pandas().sort_values("seq", ignore_index=True)
        for name in ("finish", "error", "pixels_hash"):
            frame[name] = frame[name].astype(object).where(frame[name].notna(), None)
        return frame

    def attempts(self, batch: int) -> dict[int, int]:
        """Attempts made before, by seq; nothing where the batch was not kept. Raises RunError for a damaged part."""
        part = self._part(batch)
        if not part.exists():
            return {}
        rows = read_part(part, pa.schema([PART.field("seq"), PART.field("attempts")]))
        return dict(zip(rows["seq"].to_pylist(), rows["attempts"].to_pylist(), strict=True))

    def answered(self, low: int = 0, high: int | None = None) -> Iterator[pd.DataFrame]:
        """Manifest rows low <= seq < high beside what was answered, some thousands at a time, in order.

        Columns of MANIFEST, then those of PART; `status` is None for what was not asked yet, and "skipped" where
        `batch_id` is -1.
        """
        for rows in self.manifest.frames(low, high):
            batches = [int(one) for one in rows.batch_id.unique() if one >= 0]
            said = self.answers(batches).drop(columns=["tile_id", "answer_id"])
            joined = rows.merge(said, on="seq", how="left")
            joined["status"] = joined.status.astype(object).where(joined.status.notna(), None)
            joined.loc[joined.batch_id < 0, "status"] = TileStatus.SKIPPED.value
            for name in ("finish", "text", "error", "pixels_hash"):
                joined[name] = joined[name].astype(object).where(joined[name].notna(), None)
            yield joined

    def write_follow_up(self, kind: str, answer_id: str, rows: list[dict[str, Any]]) -> None:
        """Keep the answers of a later pass over one answer. Raises OutputError."""
        write_table(self._follow_up(kind, answer_id), pa.Table.from_pylist(rows, FOLLOW_UP))

    def has_follow_up(self, kind: str, answer_id: str) -> bool:
        """Whether that pass over that answer is done."""
        return self._follow_up(kind, answer_id).exists()

    def follow_ups(self, kind: str, answer_id: str) -> list[dict[str, Any]]:
        """Rows of a later pass (columns of FOLLOW_UP); empty when it was not made."""
        path = self._follow_up(kind, answer_id)
        return cast("list[dict[str, Any]]", read_part(path, FOLLOW_UP).to_pylist()) if path.exists() else []

    def progress(self) -> list[journal.BatchLine]:
        """A line for every batch that is kept, in order; see `journal.py`. Raises RunError for a damaged part."""
        return journal.lines(self.path / "progress", self._parts(), self._line)

    def status(self) -> RunStatus:
        """How far the run is, from the files alone; takes no part file into memory that a journal speaks of."""
        done = self.progress()
        by_status: Counter[str] = Counter()
        for line in done:
            by_status.update(line.by_status)
        return RunStatus(
            planned=self.totals.tiles,
            answered=sum(by_status.values()),
            by_status=dict(by_status),
            batches=self.manifest.batches,
            batches_done=len(done),
            seconds=sum(line.seconds for line in done),
            running=is_locked(self.path),
            tiles_per_second=journal.pace(done),
        )

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the run while working on it. Raises RunError when another process does."""
        with locked(self.path):
            for left in (self.path / "answers").glob("*.tmp"):
                left.unlink()
            yield

    def _parts(self) -> dict[int, os.stat_result]:
        """Part files by batch."""
        with os.scandir(self.path / "answers") as found:
            return {
                int(match[1]): entry.stat() for entry in found if (match := _PART_NAME.fullmatch(entry.name))
            }

    def _part(self, batch: int) -> Path:
        return self.path / "answers" / f"batch-{batch:08d}.parquet"

    def _line(self, batch: int) -> journal.BatchLine:
        part = self._part(batch)
        rows = read_part(part, pa.schema([PART.field("status"), PART.field("seconds")]))
        found = part.stat()
        counts = Counter(rows["status"].to_pylist())
        seconds = float(sum(rows["seconds"].to_pylist()))
        return journal.BatchLine(
            batch, found.st_size, found.st_mtime_ns, dict(counts), seconds, found.st_mtime
        )

    def _follow_up(self, kind: str, answer_id: str) -> Path:
        return self.path / "answers" / f"{kind}-{answer_id}.parquet"


@dataclass(frozen=True, slots=True)
class LaidOut:
    """The plan of one scene as it is written: its row of `SCENES`, its manifest rows, what they sum up to."""

    row: dict[str, Any]
    rows: Iterable[pa.Table] = ()
    skipped: int = 0
    area_m2: float | None = None
    memory_bytes: int = 0


def _better(had: dict[str, Any] | None, row: dict[str, Any]) -> dict[str, Any]:
    """The later row, unless it alone failed."""
    if had is None or row["status"] not in _ANOTHER_TRY or had["status"] in _ANOTHER_TRY:
        return row
    return had | {"attempts": row["attempts"]}


def _forget_answers(path: Path) -> None:
    for pattern in (
        "answers/batch-*.parquet*",
        "answers/overview-*.parquet*",
        "answers/second-look-*.parquet*",
        "progress/*.jsonl",
    ):
        for part in path.glob(pattern):
            with writing(part):
                part.unlink()


def _whole_name(path: Path) -> str:
    """The name without what a writer that was killed added to it."""
    return re.sub(r"\.[0-9a-f]+\.tmp$", "", path.name)


def _write_config(path: Path, config: RunConfig, totals: Totals) -> None:
    document = {
        "groundproof": __version__,
        "hash": config.inference_hash(),
        "plan": {key: value for key, value in asdict(totals).items() if value is not None},
        "configuration": config.model_dump(mode="json", exclude_none=True),
    }
    write_file(path / "run.toml", lambda temporary: temporary.write_bytes(tomli_w.dumps(document).encode()))

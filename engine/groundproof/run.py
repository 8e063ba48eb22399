"""The run directory: what was planned, what was answered, what is left. Append-only, safe to kill.

    run.toml          the resolved configuration and its hash
    scenes.parquet    one row per scene, with the AOIs asked about
    manifest.parquet  one row per (tile, question), written before any inference
    answers/*.parquet one part file per batch

Knows files and their names. Refuses to know models, pixels and how work is spread: a runner asks for
pending batches and hands back rows. Every file is written to a temporary name, synced and renamed, so
a file that exists is whole. Work is at least once, names are deterministic, so results are exactly once.
"""

from __future__ import annotations

import errno
import fcntl
import os
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import tomli_w

from groundproof.config import RunConfig
from groundproof.errors import OutputError, RunError
from groundproof.tables import FAILED, TileStatus
from groundproof.version import __version__

MANIFEST = pa.schema(
    [
        ("seq", pa.int64()),
        ("batch_id", pa.int64()),
        ("tile_id", pa.string()),
        ("answer_id", pa.string()),
        ("scene", pa.string()),
        ("question", pa.int32()),
        ("tile", pa.int64()),
        ("x0", pa.int64()),
        ("y0", pa.int64()),
        ("width", pa.int64()),
        ("height", pa.int64()),
        ("model_width", pa.int32()),
        ("model_height", pa.int32()),
    ]
)
"""batch_id is -1 for tiles without a valid pixel: they are skipped, never shown to the model."""

PART = pa.schema(
    [
        ("seq", pa.int64()),
        ("tile_id", pa.string()),
        ("answer_id", pa.string()),
        ("status", pa.string()),
        ("attempts", pa.int32()),
        ("seconds", pa.float64()),
        ("finish", pa.string()),
        ("text", pa.string()),
        ("error", pa.string()),
        ("piece_lengths", pa.list_(pa.int32())),
        ("piece_logprobs", pa.list_(pa.float32())),
        ("pixels_hash", pa.string()),
        ("valid_share", pa.float64()),
        ("valid_cells", pa.list_(pa.binary())),
    ]
)
"""One answered tile. piece_*: characters and log-probability of each piece of `text`, in order. valid_cells: of
every date's image, see `data_cells`; NULL in what earlier versions wrote."""

FOLLOW_UP = pa.schema(
    [
        ("kind", pa.string()),
        ("answer_id", pa.string()),
        ("key", pa.string()),
        ("outcome", pa.string()),
        ("text", pa.string()),
        ("reason", pa.string()),
        ("finish", pa.string()),
        ("seconds", pa.float64()),
    ]
)
"""One answer of a later pass: kind "overview" (of an AOI) or "second-look" (key: the box looked at)."""


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

    @property
    def failed(self) -> int:
        """Rows that were tried and gave no usable answer."""
        return sum(n for status, n in self.by_status.items() if TileStatus(status) in FAILED)


class RunDirectory:
    """One run on disk. Make it with `create`, `open` or `open_or_create`."""

    def __init__(
        self, path: Path, config: RunConfig, scenes: list[dict[str, Any]], manifest: pd.DataFrame
    ) -> None:
        self.path = path
        self.config = config
        self.scenes = scenes
        self.manifest = manifest

    @property
    def run_id(self) -> str:
        """Short and stable: the start of the configuration's hash."""
        return self.config.inference_hash()[:12]

    @classmethod
    def create(cls, path: Path, config: RunConfig, scenes: pa.Table, manifest: pa.Table) -> RunDirectory:
        """Write the plan. run.toml comes last: a directory that has one is complete.

        Raises OutputError when the directory cannot be written, RunError when it holds another run.
        """
        with writing(path):
            (path / "answers").mkdir(parents=True, exist_ok=True)
        if (path / "run.toml").exists():
            raise RunError(f"{path} already holds a run. Resume it, or name another --run-dir.")
        _forget_answers(path)  # of a run that was discarded halfway: they answer something else
        _write_table(path / "scenes.parquet", scenes)
        _write_table(path / "manifest.parquet", manifest)
        _write_config(path, config)
        return cls.open(path)

    @staticmethod
    def is_unfinished(path: Path) -> bool:
        """Whether `path` holds what a kill during `create` or `discard` leaves, and nothing else."""
        left = {"answers", "pixels", "run.lock", "run.toml", "scenes.parquet", "manifest.parquet"}
        return path.is_dir() and all(p.name.removesuffix(".tmp") in left for p in path.iterdir())

    @staticmethod
    def discard(path: Path) -> None:
        """Remove the run in `path`, damaged or not, and nothing else that lies there.

        run.toml goes after the answers, so that whatever a kill leaves is a run with fewer answers or no
        run. Raises RunError when another process works on it, OutputError when it cannot be removed.
        """
        with locked(path), writing(path):
            _forget_answers(path)
            for name in ("run.toml", "manifest.parquet", "scenes.parquet"):
                (path / name).unlink(missing_ok=True)

    def adopt(self, config: RunConfig) -> None:
        """Take over what may differ on resume (`INFERENCE_FREE`), here and in run.toml; see `require_same`."""
        self.require_same(config)
        if config != self.config:
            with self.lock():
                _write_config(self.path, config)
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
            scenes = pq.read_table(path / "scenes.parquet").to_pylist()
            manifest = pq.read_table(path / "manifest.parquet").to_pandas()
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
        return cls(path, config, scenes, manifest)

    def require_same(self, config: RunConfig) -> None:
        """Raise RunError, naming the differences, when `config` would give other answers than this run's."""
        if config.inference_hash() == self.config.inference_hash():
            return
        ours, theirs = self.config.model_dump(mode="json"), config.model_dump(mode="json")
        changed = ", ".join(
            f"{key} was {_shown(ours[key])}, is {_shown(theirs[key])}"
            for key in ours
            if ours[key] != theirs[key]
        )
        raise RunError(
            f"{self.path} holds a run with another configuration ({changed}). "
            "Use the same options to resume it, --fresh to discard it, or another --run-dir."
        )

    def batches(self) -> list[int]:
        """All batch ids, in order."""
        return sorted(int(b) for b in self.manifest.loc[self.manifest.batch_id >= 0, "batch_id"].unique())

    def pending(self) -> list[int]:
        """Batches that have no part file yet, in order."""
        return [batch for batch in self.batches() if not self._part(batch).exists()]

    def retryable(self) -> list[int]:
        """Batches with tiles that could not be read or that the model died over: another try may help.

        What the model wrote unreadably is not among them: it would write the same again.
        """
        answers = self.answers()
        seqs = answers.loc[
            answers.status.isin([TileStatus.READ_ERROR.value, TileStatus.ENGINE_ERROR.value]), "seq"
        ]
        return sorted({int(b) for b in self.manifest.loc[self.manifest.seq.isin(seqs), "batch_id"]})

    def rows(self, batch: int) -> pd.DataFrame:
        """Manifest rows of one batch, in order."""
        return self.manifest[self.manifest.batch_id == batch]

    def write_part(self, batch: int, rows: list[dict[str, Any]]) -> None:
        """Keep one batch's answers. Raises OutputError when the disk does not take them."""
        _write_table(self._part(batch), pa.Table.from_pylist(rows, PART))

    def answers(self) -> pd.DataFrame:
        """All tile answers so far (columns of PART), by seq."""
        parts = [_read_part(p, PART) for p in sorted((self.path / "answers").glob("batch-*.parquet"))]
        table = pa.concat_tables(parts) if parts else PART.empty_table()
        frame: pd.DataFrame = table.to_pandas().sort_values("seq", ignore_index=True)
        for name in ("finish", "error", "pixels_hash"):
            frame[name] = frame[name].astype(object).where(frame[name].notna(), None)
        return frame

    def write_follow_up(self, kind: str, answer_id: str, rows: list[dict[str, Any]]) -> None:
        """Keep the answers of a later pass over one answer. Raises OutputError."""
        _write_table(self._follow_up(kind, answer_id), pa.Table.from_pylist(rows, FOLLOW_UP))

    def has_follow_up(self, kind: str, answer_id: str) -> bool:
        """Whether that pass over that answer is done."""
        return self._follow_up(kind, answer_id).exists()

    def follow_ups(self, kind: str, answer_id: str) -> list[dict[str, Any]]:
        """Rows of a later pass (columns of FOLLOW_UP); empty when it was not made."""
        path = self._follow_up(kind, answer_id)
        return cast("list[dict[str, Any]]", _read_part(path, FOLLOW_UP).to_pylist()) if path.exists() else []

    def status(self) -> RunStatus:
        """How far the run is, from the files alone."""
        answers = self.answers()
        batches = self.batches()
        return RunStatus(
            planned=int((self.manifest.batch_id >= 0).sum()),
            answered=len(answers),
            by_status={str(k): int(v) for k, v in answers.status.value_counts().items()},
            batches=len(batches),
            batches_done=len(batches) - len(self.pending()),
            seconds=float(answers.seconds.sum()),
        )

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the run while working on it. Raises RunError when another process does."""
        with locked(self.path):
            for left in (self.path / "answers").glob("*.tmp"):
                left.unlink()
            yield

    def _part(self, batch: int) -> Path:
        return self.path / "answers" / f"batch-{batch:08d}.parquet"

    def _follow_up(self, kind: str, answer_id: str) -> Path:
        return self.path / "answers" / f"{kind}-{answer_id}.parquet"


def _shown(value: Any) -> str:
    """One value of a configuration in words: questions by their text, a profile by its name."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return " and ".join(f'"{question.get("text")}" ({question.get("task")})' for question in value)
    return str(value.get("name")) if isinstance(value, dict) else repr(value)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the system's refusals to write into an OutputError that says where and what to do."""
    try:
        yield
    except OSError as err:
        if err.errno in (errno.ENOSPC, errno.EDQUOT):
            raise OutputError(
                f"The disk is full while writing {path}. What was answered so far is kept; "
                "free some space and resume."
            ) from err
        raise OutputError(
            f"Cannot write {path}: {err.strerror or err}. Name a place you may write to."
        ) from err


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a folder for this process alone. Raises RunError when another one does."""
    with writing(path):
        handle = (path / "run.lock").open("w")
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as err:
            raise RunError(f"Another process is working on {path}. Wait for it, or stop it.") from err
        yield


def _forget_answers(path: Path) -> None:
    for pattern in ("batch-*.parquet*", "overview-*.parquet*", "second-look-*.parquet*"):
        for part in (path / "answers").glob(pattern):
            with writing(part):
                part.unlink()


def _read_part(path: Path, schema: pa.Schema) -> pa.Table:
    try:
        return pq.read_table(path, schema=schema)
    except (OSError, pa.ArrowException) as err:
        raise RunError(
            f"{path} is damaged: {err}. Delete it and resume: only its tiles are asked again."
        ) from err


def _write_config(path: Path, config: RunConfig) -> None:
    document = {
        "groundproof": __version__,
        "hash": config.inference_hash(),
        "configuration": config.model_dump(mode="json", exclude_none=True),
    }
    _write_file(path / "run.toml", lambda temporary: temporary.write_bytes(tomli_w.dumps(document).encode()))


def _write_table(path: Path, table: pa.Table) -> None:
    _write_file(path, lambda temporary: pq.write_table(table, temporary, compression="zstd"))


def _write_file(path: Path, write: Callable[[Path], Any]) -> None:
    """Write whole or not at all: temporary name, sync, rename, sync the folder."""
    temporary = path.with_name(path.name + ".tmp")
    with writing(path):
        try:
            write(temporary)
            with temporary.open("rb") as handle:
                os.fsync(handle.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

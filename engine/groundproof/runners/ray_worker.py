"""One worker of a Ray job: a process that holds a model, takes shards and keeps their batches itself.

Knows what a lost worker leaves undone. Refuses to know how many workers there are and what is asked of the cluster
(`ray_data.py`). It runs the same stages as one machine does (`local.run_tiles`).
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, cast

import pyarrow as pa
import ray

from groundproof.errors import GroundproofError, ModelError, RunError, StoppedError
from groundproof.frames import named_rows
from groundproof.models.base import VisionLanguageModel
from groundproof.run import RunDirectory
from groundproof.runners.local import run_tiles
from groundproof.runners.ray_ledger import Orders, Told
from groundproof.runners.stages import Asked, tile_of
from groundproof.sources import Sources
from groundproof.tables import FAILED, TileStatus
from groundproof.trace import Event

SUSPECTS = 4
"""Batches of a shard that are asked one by one after a worker was lost over it: those it may have been reading or
answering. The rest goes on as one stream."""

ASK_EVERY_S = 1.0
"""How often a worker that answers looks whether the job is over."""

REASONS = 3
"""Reasons of failures in a shard's row."""

SHARD_DONE = pa.schema(
    [
        ("shard", pa.int64()),
        ("batches", pa.int64()),
        ("seconds", pa.float64()),
        ("by_status", pa.list_(pa.struct([("status", pa.string()), ("tiles", pa.int64())]))),
        ("reasons", pa.list_(pa.string())),
    ]
)
"""What a worker hands back for a shard. seconds: from taking it up, waiting included."""


@dataclass(frozen=True, slots=True)
class Job:
    """What every worker is given. run, folder: paths on the shared file system; folder: what relative paths start at.

    opener: makes the model of a name; importable on the worker. raise_alone: see `run_tiles`. ledger: the handle of
    the actor that is the job's `Ledger`.
    """

    run: str
    folder: str
    model: str
    opener: Callable[[str], VisionLanguageModel]
    raise_alone: bool
    ledger: Any


class Worker:
    """What Ray Data calls with one shard at a time.

    The constructor raises nothing that people should read: Ray would show it as text of its own. The job's ledger
    is told, and the first call ends the job.
    """

    def __init__(self, job: Job) -> None:
        self._ledger = job.ledger
        here = ray.get_runtime_context()
        name = here.get_actor_id()
        self._watch = _Watch(job.ledger)
        self._raise_alone = job.raise_alone
        self._usable = False
        if self._tell("opening", name, here.current_actor) is not None:
            return
        try:
            if Path(job.folder).is_dir():
                os.chdir(job.folder)
            self._run = _open_run(Path(job.run), self._keep)
            self._model = job.opener(job.model)
        except GroundproofError as err:
            wait_s = self._tell("cannot_open", name, str(err)) if isinstance(err, ModelError) else None
            if wait_s is not None:
                _die(wait_s)
            self._fail(err)
            return
        planned, found = self._run.config.model_identity, self._model.identity
        if planned != found:
            self._fail(
                ModelError(
                    f"{self._run.path} was planned for {planned}; on {os.uname().nodename} the model is {found}. Give "
                    "every machine the same weights and the same kind of processor, or plan anew with --fresh."
                )
            )
            return
        self._sources = Sources(self._run)
        self._tell("opened", name)
        self._usable = True

    def __call__(self, shards: pa.Table) -> pa.Table:
        """Answer shards: rows of shard, batches and again (those of them that had part files when the job began)."""
        rows = [
            self._answer(row["shard"], row["batches"], frozenset(row["again"])) for row in shards.to_pylist()
        ]
        return pa.Table.from_pylist(rows, SHARD_DONE)

    def _answer(self, shard: int, batches: list[int], again: frozenset[int]) -> dict[str, Any]:
        started = time.perf_counter()
        orders = cast("Orders", self._tell("begin", shard, batches))
        if orders.stop is not None or not self._usable:
            raise StoppedError(orders.stop or "the model could not be opened")
        self._counts: Counter[str] = Counter()
        self._reasons: list[str] = []
        left = []
        for batch in batches:
            if batch in orders.kept:
                continue
            if batch not in again and self._run.has_part(batch):
                rows = self._run.answers([batch]).to_dict(
                    "records"
                )  # its worker was lost before it could say so
                self._keep(batch, cast("list[dict[str, Any]]", rows))
            elif batch in orders.given_up:
                self._give_up(batch, orders.given_up[batch])
            else:
                left.append(batch)
        try:
            alone = left[:SUSPECTS] if orders.again else []
            for batch in alone:
                self._tell("hold", shard, batch)
                self._run_tiles([batch])
            self._tell("hold", shard, None)
            self._run_tiles(left[len(alone) :])
        except ModelError as err:
            _die(self._tell("dying", shard, str(err)))
        except GroundproofError as err:
            if not isinstance(err, StoppedError):
                self._fail(err)
            raise
        self._tell("ended", shard)
        return {
            "shard": shard,
            "batches": len(batches),
            "seconds": time.perf_counter() - started,
            "by_status": [{"status": status, "tiles": n} for status, n in sorted(self._counts.items())],
            "reasons": self._reasons,
        }

    def _run_tiles(self, batches: list[int]) -> None:
        run_tiles(self._run, self._model, self._sources, self._watch, batches, raise_alone=self._raise_alone)

    def _keep(self, batch: int, rows: list[dict[str, Any]]) -> None:
        """A batch has its part file: say so."""
        seen = [self._watch.take(row["tile_id"], row["answer_id"]) for row in rows]
        told = [one for one in seen if one is not None]
        if len(told) < len(rows):
            told = self._told_of(batch, rows)
        statuses = [one.status for one in told]
        self._counts.update(status.value for status in statuses)
        failed = [f"{one.asked.scene}: {one.reason}" for one in told if one.status in FAILED]
        self._reasons += failed[: REASONS - len(self._reasons)]
        answered = any(status is not TileStatus.ENGINE_ERROR for status in statuses)
        self._tell("kept", batch, told, answered=answered)

    def _told_of(self, batch: int, rows: list[dict[str, Any]]) -> list[Told]:
        said = {row["seq"]: row for row in rows}
        return [
            Told(
                Asked(str(row.scene), row.tile_id, row.answer_id, tile_of(row)),
                TileStatus(said[row.seq]["status"]),
                said[row.seq]["error"],
            )
            for _, planned in self._run.manifest.of_batches([batch])
            for row in named_rows(planned)
        ]

    def _give_up(self, batch: int, reason: str) -> None:
        """Rows for a batch that no worker survives. Resuming the run asks it once more."""
        before = self._run.answers([batch])
        tried = dict(zip(before.seq.tolist(), before.attempts.tolist(), strict=True))
        self._run.write_part(
            batch,
            [
                {
                    "seq": int(row.seq),
                    "tile_id": row.tile_id,
                    "answer_id": row.answer_id,
                    "status": TileStatus.ENGINE_ERROR.value,
                    "attempts": tried.get(int(row.seq), 0) + 1,
                    "seconds": 0.0,
                    "finish": "error",
                    "text": "",
                    "error": reason,
                }
                for _, planned in self._run.manifest.of_batches([batch])
                for row in named_rows(planned)
            ],
        )

    def _fail(self, err: GroundproofError) -> None:
        self._tell("fail", type(err).__name__, str(err))

    def _tell(self, what: str, *words: Any, **more: Any) -> Any:
        return ray.get(getattr(self._ledger, what).remote(*words, **more))


class _Run(RunDirectory):
    """A run directory that says when a batch is kept."""

    on_part: Callable[[int, list[dict[str, Any]]], None]

    def write_part(self, batch: int, rows: list[dict[str, Any]]) -> None:
        """As in every run; then it is said."""
        super().write_part(batch, rows)
        self.on_part(batch, rows)

    def has_part(self, batch: int) -> bool:
        """Whether a batch is kept, as this machine sees the shared file system."""
        return self._part(batch).exists()


def _open_run(path: Path, on_part: Callable[[int, list[dict[str, Any]]], None]) -> _Run:
    try:
        run = cast("_Run", _Run.open(path))
    except RunError as err:
        raise RunError(
            f"On {os.uname().nodename}: {err} The run directory must lie on a file system that all machines share."
        ) from err
    run.on_part = on_part
    return run


class _Watch:
    """The `Observer` of a worker: collects the tiles of the batch at hand, and stops when the job is over."""

    def __init__(self, ledger: Any) -> None:
        self._ledger = ledger
        self._tiles: dict[tuple[str, str], Told] = {}
        self._asked_at = time.monotonic()

    def check(self) -> None:
        """Raises StoppedError once the job is over."""
        if time.monotonic() - self._asked_at < ASK_EVERY_S:
            return
        if ray.get(self._ledger.stopping.remote()):
            raise StoppedError("the job is over")
        self._asked_at = time.monotonic()

    def event(self, asked: Asked, event: Event) -> None:
        """Nothing: boxes are shown where the run's owner sits, when all is done."""

    def tile_done(self, asked: Asked, status: TileStatus, reason: str | None) -> None:
        """Kept until its batch is."""
        self._tiles[asked.tile_id, asked.answer_id] = Told(asked, status, reason)

    def take(self, tile_id: str, answer_id: str) -> Told | None:
        """What was said of a tile, once; None where nothing was."""
        return self._tiles.pop((tile_id, answer_id), None)


def _die(wait_s: float) -> NoReturn:
    """End this process, so that Ray starts a fresh one: what a dead device leaves behind is cured by nothing less."""
    time.sleep(wait_s)
    os._exit(1)

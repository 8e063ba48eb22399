"""Many machines: Ray Data hands shards of a run's batches to workers that hold the model and keep the batches.

Knows how work is spread and how it ends. Refuses to know what a batch is made of: workers (`ray_worker.py`) run the
same stages as one machine does, and the run directory, on a file system that all machines share, is the proof of
what is done (docs/adr/0018).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from groundproof import errors
from groundproof.errors import GroundproofError, ModelError, RunError, StoppedError
from groundproof.models.base import VisionLanguageModel
from groundproof.models.open import open_model
from groundproof.models.resolve import resolve
from groundproof.run import RunDirectory
from groundproof.runners.ray_cluster import Share, connected, share
from groundproof.runners.ray_ledger import MOST_BARREN, Ledger
from groundproof.runners.shards import shards
from groundproof.runners.stages import Observer

if TYPE_CHECKING:
    from groundproof.runners.ray_worker import Job

_log = logging.getLogger(__name__)

SHARD_TILES = 256
"""Tiles of a shard, about: enough that opening its scenes costs little."""

SHARD_STREAMS = 16
"""But at least this many times the tiles a model has in flight: its places stand empty at the end of a shard."""

LOOK_EVERY_S = 0.25
END_WITHIN_S = 15.0
"""How long workers may take to notice that the job is over, before they are left to end with the connection."""

SEEN_WITHIN_S = 90.0
"""How long a file that another machine made may stay unseen: what NFS keeps of a folder at most, and some more."""


def run_on_ray(
    run: RunDirectory,
    model: str,
    observer: Observer,
    batches: Collection[int],
    *,
    workers: int | None = None,
    address: str | None = None,
    gpus: float | None = None,
    raise_alone: bool = True,
    opener: Callable[[str], VisionLanguageModel] = open_model,
) -> None:
    """Answer batches of the run, as `local.run_tiles` does, on the machines of a Ray cluster.

    run: locked by the caller; its folder and the scenes are found under the same paths on every machine. model: a
    name as `open_model` takes it. observer: is told of tiles when their batch is kept, and checked several times a
    second; it hears of no single boxes. batches: ascending. workers, gpus: see `ray_cluster.share`. address: of the
    cluster; None: RAY_ADDRESS of the environment, else a Ray of this machine alone, for as long as this takes.
    raise_alone: as for `run_tiles`. opener: makes the model; importable on the workers.

    A worker that is lost is replaced, and its shard goes on with the batches that are not kept. A batch that costs
    worker after worker is kept as engine_error (`ray_ledger.MOST_ALONE`). Raises ModelError where Ray is missing or
    out of reach, no model can be opened, it is another one than the run's, or workers die without answering
    anything; and what `run_tiles` and `observer.check` raise.
    """
    todo = list(batches)
    if not todo:
        return
    in_process = opener is not open_model or resolve(model).engine != "openai"
    with connected(address, workers) as ray:
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        given = share(nodes, workers, in_process=in_process, gpus=gpus)
        driver = _Driver(ray, run, observer, given)
        driver.answer(todo, model=model, opener=opener, raise_alone=raise_alone)


class _Driver:
    def __init__(self, ray: Any, run: RunDirectory, observer: Observer, given: Share) -> None:
        self._ray = ray
        self._run = run
        self._observer = observer
        self._given = given

    def answer(
        self, todo: list[int], *, model: str, opener: Callable[[str], VisionLanguageModel], raise_alone: bool
    ) -> None:
        from groundproof.runners.ray_worker import Job

        batch_size = self._run.config.batch_size
        most = max(1, max(SHARD_TILES, SHARD_STREAMS * batch_size) // batch_size)
        pieces = shards(todo, self._given.workers, most)
        workers = min(self._given.workers, len(pieces))
        ledger = self._ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=-1)(Ledger).remote(workers)
        job = Job(str(self._run.path.resolve()), str(Path.cwd()), model, opener, raise_alone, ledger)
        again = set(todo) - set(self._run.pending())
        work = _Work(self._dataset(job, pieces, again, workers))
        failure: BaseException | None = StoppedError("")
        try:
            work.start()
            while work.is_alive():
                work.join(LOOK_EVERY_S)
                self._tell(ledger)
            self._tell(ledger)
            failure = self._failure(ledger, work.error)
        except self._ray.exceptions.RayError as err:
            raise self._broke_off(err) from err
        finally:
            if failure is not None:
                self._end(ledger)
                work.join(END_WITHIN_S)
            self._ray.kill(ledger)
            # Of workers that were lost while they wrote.
            for left in (self._run.path / "answers").glob("*.tmp"):
                left.unlink(missing_ok=True)
        if failure is not None:
            raise failure from work.error
        self._see(todo)

    def _dataset(self, job: Job, pieces: list[list[int]], again: set[int], workers: int) -> Any:
        """One block for each shard, and one task; blocks go to whichever worker is free."""
        from groundproof.runners.ray_worker import Worker

        items = [
            {"shard": number, "batches": piece, "again": [batch for batch in piece if batch in again]}
            for number, piece in enumerate(pieces)
        ]
        schema = pa.schema(
            [("shard", pa.int64()), *((name, pa.list_(pa.int64())) for name in ("batches", "again"))]
        )
        data = self._ray.data
        dataset = data.from_arrow([pa.Table.from_pylist([item], schema) for item in items]).map_batches(
            Worker,
            fn_constructor_args=(job,),
            batch_size=None,
            batch_format="pyarrow",
            compute=data.ActorPoolStrategy(size=workers, max_tasks_in_flight_per_actor=1),
            num_cpus=self._given.cpus,
            num_gpus=self._given.gpus or None,
        )
        # A lost worker is replaced and its task repeated for ever: that is what Ray Data does (max_restarts and
        # max_task_retries are -1), and its ways to say so are deprecated. The ledger knows when it is enough.
        context = dataset.context
        context.enable_progress_bars = False
        context.print_on_execution_start = False
        context.max_errored_blocks = 0
        context.actor_task_retry_on_errors = (
            False  # an error of ours ends the job; only lost workers are replaced
        )
        context.actor_init_retry_on_errors = False
        context.max_consecutive_actor_init_deaths = MOST_BARREN * (workers + 1)
        context.execution_no_progress_timeout_s = -1  # a shard of a large model takes what it takes
        return dataset

    def _end(self, ledger: Any) -> None:
        """Let no worker outlive the job: Ray Data lets go of those of a job that failed, and they hold their GPUs
        until somebody collects the garbage."""
        with suppress(self._ray.exceptions.RayError):
            self._ray.get(ledger.halt.remote())
            for worker in self._ray.get(ledger.handles.remote()):
                self._ray.kill(worker)

    def _tell(self, ledger: Any) -> None:
        for told in self._ray.get(ledger.tell.remote()):
            self._observer.tile_done(told.asked, told.status, told.reason)
        self._observer.check()

    def _failure(self, ledger: Any, error: BaseException | None) -> BaseException | None:
        """What ended the work, in our own words where a worker had any."""
        said = self._ray.get(ledger.error.remote())
        if said is not None:
            kind, sentence = said
            ours: GroundproofError = getattr(errors, kind)(sentence)
            return ours
        lost = isinstance(error, self._ray.exceptions.RayError)
        if lost and not isinstance(error, self._ray.exceptions.RayTaskError):
            return self._broke_off(error)
        return error

    def _broke_off(self, error: BaseException | None) -> ModelError:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        return ModelError(
            f"The work on Ray broke off: {lines[0]}. What was answered is kept; resume to go on."
        )

    def _see(self, todo: list[int]) -> None:
        """The part files are the proof, so they must be seen from here."""
        until = time.monotonic() + SEEN_WITHIN_S
        while left := set(todo) & set(self._run.pending()):
            if time.monotonic() > until:
                raise RunError(
                    f"Workers kept {len(left)} batches that are not found in {self._run.path}. The run directory must "
                    "lie on a file system that all machines share; put it there and resume."
                )
            time.sleep(1)


class _Work(threading.Thread):
    """Draws the shards through the workers, aside, so that whoever waits can be told and can stop."""

    def __init__(self, dataset: Any) -> None:
        super().__init__(name="ray-data", daemon=True)
        self._dataset = dataset
        self.error: BaseException | None = None

    def run(self) -> None:
        """Until all shards are done or one ended the work."""
        try:
            for row in self._dataset.iter_rows():
                _log.info("%s", row)
        except BaseException as err:  # noqa: BLE001 - carried over to the thread that waits
            self.error = err

"""What a job has found so far, held in memory for those who look at it.

Knows which files a result comes from and whether they have changed. Refuses to know HTTP, and what is asked of
a result.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, defaultdict
from dataclasses import dataclass, field
from hashlib import blake2s
from pathlib import Path

from groundproof.assemble import assemble
from groundproof.deliver import provenance
from groundproof.errors import NotReadyError
from groundproof.outputs import read
from groundproof.run import RunDirectory
from groundproof.service.jobs.ask_process import RESULT
from groundproof.service.jobs.store import JobStore
from groundproof.service.ogc.layers import Layer
from groundproof.tables import TABLES, Result

MAX_ROWS = 300_000
"""Rows of all tables kept in memory, about 2 kB each; the result looked at last is kept whatever its size."""

REST = 10
"""A running job's result is made anew after this many times the seconds it took, not sooner: clients that
look all the time then cost the model no more than a tenth of one processor."""


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A job's result as its files had it at one moment.

    complete: nothing will be added. version: the same for the same files, another for others.
    """

    job_id: str
    version: str
    complete: bool
    result: Result
    _layers: dict[str, Layer] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def layer(self, table: str) -> Layer:
        """One of its tables, ready to be searched; made when first asked for. Not in pixel space."""
        with self._lock:
            if table not in self._layers:
                self._layers[table] = Layer(self.result, table)
            return self._layers[table]

    @property
    def rows(self) -> int:
        """Of all tables."""
        return sum(len(getattr(self.result, table)) for table in TABLES)


class Snapshots:
    """The results of a service's jobs. Safe to use from any thread; each state of a job is read once."""

    def __init__(self, jobs: JobStore) -> None:
        self._jobs = jobs
        self._lock = threading.Lock()
        self._making: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._kept: OrderedDict[tuple[str, str], Snapshot] = OrderedDict()
        self._current: dict[str, tuple[Snapshot, float]] = {}

    def get(self, job_id: str, version: str | None = None) -> Snapshot:
        """The job's result as it is now; of a running job a moment ago.

        version: that of an earlier call. While it is still in memory it is given again, so that the pages of
        one reading fit together. Raises NotFoundError, and NotReadyError before there is anything.
        """
        self._jobs.get(job_id)
        if version is not None and (kept := self._recall(job_id, version)) is not None:
            return kept
        with self._lock:
            making = self._making[job_id]
        with making:
            now, complete = self.version(job_id)
            current = self._current.get(job_id)
            if current is not None and (
                current[0].version == now or (not complete and time.monotonic() < current[1])
            ):
                return self._recall(job_id, current[0].version) or current[0]
            started = time.monotonic()
            snapshot = Snapshot(job_id, now, complete, self._read(job_id, complete=complete))
            ended = time.monotonic()
            self._keep(snapshot, ended + REST * (ended - started))
            return snapshot

    def version(self, job_id: str) -> tuple[str, bool]:
        """Of the files as they are now, and whether they are the finished result. Raises NotReadyError."""
        final = self._jobs.folder(job_id) / RESULT
        if final.exists():
            return _digest([final]), True
        run = self._jobs.run_directory(job_id)
        if not (run / "run.toml").exists():
            job = self._jobs.get(job_id)
            raise NotReadyError(
                f"The job {job_id} has no result: it is {job.process} and {job.status}. "
                + ("GET its state to see why." if job.ended else "Try again when it has begun.")
            )
        return _digest([run / "run.toml", *sorted((run / "answers").glob("*.parquet"))]), False

    def _read(self, job_id: str, *, complete: bool) -> Result:
        if complete:
            return read(self._jobs.folder(job_id) / RESULT)
        run = RunDirectory.open(self._jobs.run_directory(job_id))
        return assemble(run, metadata=provenance(run))

    def _recall(self, job_id: str, version: str) -> Snapshot | None:
        with self._lock:
            kept = self._kept.get((job_id, version))
            if kept is not None:
                self._kept.move_to_end((job_id, version))
            return kept

    def _keep(self, snapshot: Snapshot, fresh_until: float) -> None:
        with self._lock:
            self._kept[snapshot.job_id, snapshot.version] = snapshot
            self._current[snapshot.job_id] = (snapshot, fresh_until)
            while len(self._kept) > 1 and sum(s.rows for s in self._kept.values()) > MAX_ROWS:
                _, old = self._kept.popitem(last=False)
                if self._current.get(old.job_id, (None,))[0] is old:
                    del self._current[old.job_id]


def _digest(files: list[Path]) -> str:
    """Names, sizes and times of files in 16 letters."""
    found = blake2s(digest_size=8)
    for file in files:
        stat = file.stat()
        found.update(f"{file.name} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return found.hexdigest()

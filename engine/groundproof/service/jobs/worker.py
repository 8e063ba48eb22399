"""Does the jobs: a few threads around one model; survives a restart, cancels, shuts down without loss.

Knows the queue and what becomes of a job that ends. Refuses to know HTTP and what each process does
(`Process` functions do that).
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from groundproof.errors import BusyError, GroundproofError, StoppedError
from groundproof.service import problems
from groundproof.service.jobs.events import LAST, EventLog
from groundproof.service.jobs.repeats import Once
from groundproof.service.jobs.store import Job, JobStatus, JobStore, timestamp

log = logging.getLogger(__name__)

RETRY_AFTER_S = 10
"""What a client that found the queue full is told to wait."""


@dataclass(slots=True)
class Work:
    """What a process function gets. stop: set when the job shall end. It raises StoppedError then."""

    job: Job
    events: EventLog
    stop: threading.Event = field(default_factory=threading.Event)


Process = Callable[[Work], dict[str, Any]]
"""Does one job and gives its small results; files go into the job's folder. Raises GroundproofError."""


class JobRunner:
    """A queue and its threads. `processes`: by the name that `Job.process` holds."""

    def __init__(
        self, store: JobStore, processes: Mapping[str, Process], *, workers: int, queue_limit: int
    ) -> None:
        self._store = store
        self._processes = processes
        self._limit = queue_limit
        self._queue: queue.Queue[str | None] = queue.Queue()
        self._lock = threading.Lock()
        self._working: dict[str, Work] = {}
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._loop, name=f"job worker {n}", daemon=True) for n in range(workers)
        ]

    def start(self) -> None:
        """Go on with what an earlier service left unfinished, then wait for more."""
        for job in self._store.unfinished():
            self._store.update(job.job_id, status=JobStatus.ACCEPTED, message="Goes on after a restart.")
            self._queue.put(job.job_id)
        for thread in self._threads:
            thread.start()

    def submit(
        self,
        process: str,
        inputs: dict[str, Any],
        apart: Collection[str] = (),
        once: Once | None = None,
    ) -> Job:
        """A new job at the end of the queue; apart: as in `JobStore.create`. Raises BusyError when it is full.

        once: the job that the same request made before, where there is one (`Once.among`).
        """
        with self._lock:
            before = None if once is None else once.among(self._store.all())
            if before is not None:
                return before
            if self._stopping.is_set():
                raise BusyError("The service is being stopped. Ask again when it is back.", RETRY_AFTER_S)
            active = sum(1 for _ in self._store.unfinished())
            if active >= self._limit:
                raise BusyError(
                    f"{active} jobs wait or run, and no more than {self._limit} are taken. Try again in a while.",
                    RETRY_AFTER_S,
                )
            job = self._store.create(process, inputs, apart, once)
        self._queue.put(job.job_id)
        return job

    def cancel(self, job_id: str) -> Job:
        """Stop a job; what it answered is kept. An ended job stays as it is. Raises NotFoundError."""
        with self._lock:
            job = self._store.get(job_id)
            work = self._working.get(job_id)
            if work is not None:
                work.stop.set()
            elif not job.ended:
                return self._end(job_id, JobStatus.DISMISSED, "Cancelled before it began.")
        return job

    def stop(self, grace_s: float = 30.0) -> None:
        """Break off at the next piece of text; unfinished jobs go on when the service starts again."""
        self._stopping.set()
        with self._lock:
            for work in self._working.values():
                work.stop.set()
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            if thread.is_alive():
                thread.join(grace_s)

    @property
    def waiting(self) -> int:
        """Jobs in the queue."""
        return self._queue.qsize()

    @property
    def running(self) -> int:
        """Jobs being worked on."""
        return len(self._working)

    def _loop(self) -> None:
        while True:
            job_id = self._queue.get()
            if job_id is None or self._stopping.is_set():
                return
            self._do(job_id)

    def _do(self, job_id: str) -> None:
        with self._lock:
            job = self._store.get(job_id)
            if job.ended:
                return
            work = Work(job, self._store.events(job_id))
            self._working[job_id] = work
        try:
            started = job.started or timestamp()
            self._store.update(job_id, status=JobStatus.RUNNING, started=started, message="Running.")
            results = self._processes[job.process](work)
            self._end(job_id, JobStatus.SUCCESSFUL, "Done.", results=results, progress=100)
        except StoppedError as err:
            if not self._stopping.is_set():
                self._end(job_id, JobStatus.DISMISSED, str(err))
        except GroundproofError as err:
            self._fail(job_id, err)
        except Exception as err:
            log.exception("job failed", extra={"job": job_id, "does": job.process})
            self._fail(job_id, err)
        finally:
            with self._lock:
                self._working.pop(job_id, None)

    def _fail(self, job_id: str, err: Exception) -> None:
        problem = problems.document(err)
        self._end(job_id, JobStatus.FAILED, str(problem["detail"]), problem=problem)

    def _end(self, job_id: str, status: JobStatus, message: str, **changes: Any) -> Job:
        """Keep how it ended, then tell; a disk that takes neither leaves the job to the next start."""
        try:
            job = self._store.update(job_id, status=status, finished=timestamp(), message=message, **changes)
            events = self._store.events(job_id)
            if "problem" in changes:
                events.append("error", changes["problem"])
            if not events.ended:
                events.append(LAST, {"status": str(job.status), "message": message})
        except (GroundproofError, OSError):
            log.exception("the end of a job could not be kept", extra={"job": job_id})
            return self._store.get(job_id)
        return job

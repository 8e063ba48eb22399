"""Jobs on disk: what was asked, how far it is, where its files lie. The store a restart begins from.

    jobs/ID/job.json       the request and its state
    jobs/ID/inputs.json    parts of the request that may be large (reviews, tables)
    jobs/ID/events.jsonl   what clients were told
    jobs/ID/run            the run directory (process "ask")
    jobs/ID/...            results

Knows files and states. Refuses to know models and how a job is done.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
import threading
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from groundproof.errors import NotFoundError, RunError
from groundproof.run_files import writing
from groundproof.service.jobs.events import EventLog
from groundproof.service.jobs.repeats import Once

JOB_ID = re.compile(r"[0-9a-f]{32}")
INPUTS = "inputs.json"
"""Name of a job's file of large inputs."""


class JobStatus(StrEnum):
    """The words of OGC API - Processes part 1."""

    ACCEPTED = "accepted"
    RUNNING = "running"
    SUCCESSFUL = "successful"
    FAILED = "failed"
    DISMISSED = "dismissed"


ENDED = frozenset({JobStatus.SUCCESSFUL, JobStatus.FAILED, JobStatus.DISMISSED})


@dataclass(frozen=True, slots=True)
class Job:
    """One job's state. Times are RFC 3339, UTC. progress: 0 to 100.

    process: "ask", "audit", "merge", ... inputs: the validated request, JSON-able; see `JobStore.inputs`.
    message: one sentence about where it stands. problem: the error's problem document when it failed.
    """

    job_id: str
    process: str
    inputs: dict[str, Any]
    status: JobStatus
    created: str
    updated: str
    started: str | None = None
    finished: str | None = None
    progress: int = 0
    message: str = ""
    problem: dict[str, Any] | None = None
    results: dict[str, Any] = field(default_factory=dict)
    """What a finished job gave: small values by name; files lie in its folder."""
    once: str | None = None
    """What its client calls the request (see `repeats`); None where it did not say."""
    once_digest: str | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.status in ENDED


class JobStore:
    """All jobs of a service, newest first. Safe to use from any thread."""

    def __init__(self, folder: Path) -> None:
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}
        self._logs: dict[str, EventLog] = {}
        for path in sorted(folder.glob("*/job.json")):
            job = _read(path)
            self._jobs[job.job_id] = job

    def create(
        self, process: str, inputs: dict[str, Any], apart: Collection[str] = (), once: Once | None = None
    ) -> Job:
        """A new accepted job. Raises OutputError when the disk does not take it.

        apart: names of inputs that are kept in a file of their own and not in memory. once: what it is called.
        """
        now = timestamp()
        large = {name: value for name, value in inputs.items() if name in apart}
        small = {name: value for name, value in inputs.items() if name not in apart}
        job = Job(secrets.token_hex(16), process, small, JobStatus.ACCEPTED, now, now)
        if once is not None:
            job = replace(job, once=once.key, once_digest=once.digest)
        with writing(self.folder(job.job_id)):
            self.folder(job.job_id).mkdir()
            if large:
                text = json.dumps(large, ensure_ascii=False)
                (self.folder(job.job_id) / INPUTS).write_text(text, encoding="utf-8", errors="replace")
        self._keep(job)
        return job

    def inputs(self, job_id: str) -> dict[str, Any]:
        """Everything a job was asked, what is kept apart too. Raises NotFoundError, OutputError."""
        job, path = self.get(job_id), self.folder(job_id) / INPUTS
        if not path.exists():
            return job.inputs
        with writing(path):
            return {**job.inputs, **json.loads(path.read_text(encoding="utf-8"))}

    def get(self, job_id: str) -> Job:
        """Raises NotFoundError."""
        with self._lock:
            job = self._jobs.get(job_id)
        if job is None:
            raise NotFoundError(f"There is no job {job_id!r}. It may have been deleted; GET /jobs lists all.")
        return job

    def all(self) -> list[Job]:
        """Newest first."""
        with self._lock:
            return sorted(self._jobs.values(), key=lambda job: (job.created, job.job_id), reverse=True)

    def update(self, job_id: str, **changes: Any) -> Job:
        """Change fields and keep them; an ended job stays as it is. Raises NotFoundError, OutputError."""
        with self._lock:
            job = self._jobs.get(job_id)
            if job is None:
                raise NotFoundError(f"There is no job {job_id!r}.")
            if job.ended:
                return job
            job = replace(job, updated=timestamp(), **changes)
            self._write(job)
            self._jobs[job_id] = job
        return job

    def delete(self, job_id: str) -> None:
        """Forget a job that has ended, files and all. Raises NotFoundError, RunError while it runs."""
        job = self.get(job_id)
        if not job.ended:
            raise RunError(f"The job {job_id} is {job.status}. Cancel it first.")
        with self._lock:
            self._jobs.pop(job_id, None)
            self._logs.pop(job_id, None)
        with writing(self.folder(job_id)):
            (self.folder(job_id) / "job.json").unlink(missing_ok=True)  # first: the rest is then no job
            shutil.rmtree(self.folder(job_id))

    def expire(self, days: float) -> None:
        """Forget jobs that ended more than `days` ago."""
        oldest = datetime.now(UTC) - timedelta(days=days)
        for job in self.all():
            if job.ended and datetime.fromisoformat(job.finished or job.updated) < oldest:
                self.delete(job.job_id)

    def unfinished(self) -> Iterator[Job]:
        """Jobs that a restart has to go on with, oldest first."""
        yield from (job for job in reversed(self.all()) if not job.ended)

    def events(self, job_id: str) -> EventLog:
        """The job's events. Raises NotFoundError."""
        self.get(job_id)
        with self._lock:
            if job_id not in self._logs:
                self._logs[job_id] = EventLog(self.folder(job_id) / "events.jsonl")
            return self._logs[job_id]

    def folder(self, job_id: str) -> Path:
        """Where the job's files lie. Raises NotFoundError for what cannot be a job's name."""
        if not JOB_ID.fullmatch(job_id):
            raise NotFoundError(f"{job_id!r} is not the name of a job.")
        return self._folder / job_id

    def run_directory(self, job_id: str) -> Path:
        """The run directory of an ask."""
        return self.folder(job_id) / "run"

    def _keep(self, job: Job) -> None:
        with self._lock:
            self._write(job)
            self._jobs[job.job_id] = job

    def _write(self, job: Job) -> None:
        path = self.folder(job.job_id) / "job.json"
        temporary = path.with_suffix(".tmp")
        with writing(path):
            temporary.write_text(json.dumps(asdict(job), ensure_ascii=False), encoding="utf-8")
            temporary.replace(path)


def timestamp() -> str:
    """Now, RFC 3339, UTC, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _read(path: Path) -> Job:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return Job(**{**document, "status": JobStatus(document["status"])})
    except (OSError, ValueError, TypeError, KeyError) as err:
        raise RunError(
            f"{path} cannot be read ({err}). Move its folder away to start the service without that job."
        ) from err

"""Which jobs a client wants to see: the filters of OGC API - Processes' job list, and its pages.

Knows jobs and query parameters. Refuses to know HTTP.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from groundproof.errors import UsageError
from groundproof.service.jobs.store import Job, JobStatus

DEFAULT_LIMIT, MAX_LIMIT = 10, 1000


def _comma_separated(values: object) -> object:
    """a=1,2 and a=1&a=2 are the same."""
    if not isinstance(values, list):
        return values
    return [part for value in values for part in (value.split(",") if isinstance(value, str) else [value])]


class JobQuery(BaseModel):
    """Filters of the job list; all that are given must hold."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    type: Annotated[list[str], BeforeValidator(_comma_separated)] = Field(
        default=[], description="Kinds of jobs; all jobs here are of type `process`."
    )
    process_id: Annotated[list[str], BeforeValidator(_comma_separated)] = Field(
        default=[], alias="processID", description="Processes, such as ask."
    )
    status: Annotated[list[JobStatus], BeforeValidator(_comma_separated)] = []
    datetime: str | None = Field(
        default=None,
        description="When the job was made: RFC 3339, or an interval a/b whose ends may be open (..).",
        examples=["2026-05-04T00:00:00Z/.."],
    )
    min_duration: float | None = Field(
        default=None,
        alias="minDuration",
        ge=0,
        allow_inf_nan=False,
        description="Seconds it has run, at least.",
    )
    max_duration: float | None = Field(
        default=None,
        alias="maxDuration",
        ge=0,
        allow_inf_nan=False,
        description="Seconds it has run, at most.",
    )
    limit: int = Field(
        default=DEFAULT_LIMIT, ge=1, description=f"Jobs on one page; at most {MAX_LIMIT} are given."
    )
    offset: int = Field(default=0, ge=0, description="Jobs left out at the start of the list.")

    @property
    def page_size(self) -> int:
        """`limit`, within what is given."""
        return min(self.limit, MAX_LIMIT)

    def chosen(self, jobs: list[Job]) -> list[Job]:
        """Those of the jobs that pass, in their order. Raises UsageError for a datetime that is none."""
        start, end = _interval(self.datetime)
        return [
            job
            for job in jobs
            if (not self.type or "process" in self.type)
            and (not self.process_id or job.process in self.process_id)
            and (not self.status or job.status in self.status)
            and start <= datetime.fromisoformat(job.created) <= end
            and self._has_run_as_long(job)
        ]

    def _has_run_as_long(self, job: Job) -> bool:
        if self.min_duration is None and self.max_duration is None:
            return True
        if job.started is None:
            return False
        end = datetime.now(UTC) if job.finished is None else datetime.fromisoformat(job.finished)
        seconds = (end - datetime.fromisoformat(job.started)).total_seconds()
        return (self.min_duration or 0) <= seconds and (
            self.max_duration is None or seconds <= self.max_duration
        )


def _interval(text: str | None) -> tuple[datetime, datetime]:
    earliest, latest = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    if text is None:
        return earliest, latest
    first, slash, last = text.partition("/")
    start = earliest if slash and first in ("", "..") else _moment(first, text)
    if not slash:
        return start, start
    return start, latest if last in ("", "..") else _moment(last, text)


def _moment(part: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(part)
    except ValueError as err:
        raise UsageError(
            f"datetime {text[:80]!r} is not a time. Give one of RFC 3339, such as 2026-05-04T00:00:00Z, or an "
            "interval: 2026-05-04T00:00:00Z/.."
        ) from err
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
